// SPDX-License-Identifier: GPL-2.0

//! A sendmsg() or recvmsg() that brings or wants ancillary data of level SOL_SHIM.

use crate::proto::addr::Pair;
use crate::sys::addr;
use crate::sys::bindings;
use crate::sys::in6;
use crate::sys::sock::Choice;
use crate::sys::sock::Socket;
use core::marker::PhantomData;
use core::ptr::null_mut;
use core::ptr::NonNull;
use core::slice;
use kernel::error::to_result;
use kernel::prelude::*;

/// A call in flight.
///
/// # Invariants
///
/// `raw` is valid during `'a`, and so is all that it points to; the current context may sleep and
/// holds no lock.
pub(crate) struct Message<'a> {
    raw: NonNull<bindings::shim6_ancillary>,
    lent: PhantomData<&'a bindings::shim6_ancillary>,
}

/// What was received: between which identifiers, with which note, by which interface.
pub(crate) struct Heard {
    /// Its destination and source.
    pub(crate) ulids: Pair,
    /// What the hook left in it.
    pub(crate) note: u32,
    /// The index of the interface it came in by.
    pub(crate) interface: u32,
}

impl<'a> Message<'a> {
    /// # Safety
    ///
    /// The type invariants hold for `raw` during `'a`.
    pub(in crate::sys) unsafe fn from_raw(raw: NonNull<bindings::shim6_ancillary>) -> Self {
        // INVARIANT: by the contract of this function.
        Message { raw, lent: PhantomData }
    }

    /// The socket.
    pub(crate) fn socket(&self) -> Socket<'a> {
        // SAFETY: by the type invariants; a call has a socket.
        unsafe { Socket::from_raw(NonNull::new_unchecked(self.raw.as_ref().sk)) }
    }

    /// Calls `f` with type and octets of every object of level SOL_SHIM. EINVAL for one with an
    /// impossible length.
    pub(crate) fn each<E: From<Error>>(
        &self,
        mut f: impl FnMut(i32, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut object = bindings::shim6_object { at: null_mut(), ..Default::default() };
        loop {
            // SAFETY: by the type invariants; `object` is where the last call left it.
            match unsafe { bindings::shim6_ancillary_next(self.raw.as_ptr(), &mut object) } {
                0 => return Ok(()),
                1 => {}
                error => to_result(error)?,
            }
            // SAFETY: the kernel checked that the object's octets are inside the message's, which
            // nobody changes during the call.
            f(object.type_, unsafe { slice::from_raw_parts(object.data, object.len) })?;
        }
    }

    /// Whether what is sent now would wait for more, or for what waits already.
    pub(crate) fn corks(&self) -> bool {
        // SAFETY: by the type invariants.
        unsafe { bindings::shim6_ancillary_corks(self.raw.as_ptr()) }
    }

    /// Whether the error queue is asked, not the peer.
    pub(crate) fn is_of_errors(&self) -> bool {
        // SAFETY: by the type invariants.
        let flags = unsafe { self.raw.as_ref().flags };
        flags as u32 & bindings::SHIM6_MSG_ERRQUEUE != 0
    }

    /// Between which identifiers it is going to be sent. EOPNOTSUPP if nowhere, or by IPv4; what
    /// a route says.
    pub(crate) fn identifiers(&self) -> Result<Pair> {
        let (mut from, mut to) = Default::default();
        // SAFETY: by the type invariants.
        to_result(unsafe {
            bindings::shim6_ancillary_identifiers(self.raw.as_ptr(), &mut from, &mut to)
        })?;
        Ok(Pair { local: addr(&from), peer: addr(&to) })
    }

    /// Sends, as if nobody had looked. What the kernel's function returns.
    pub(crate) fn send(&self) -> i32 {
        // SAFETY: by the type invariants.
        unsafe { bindings::shim6_ancillary_send(self.raw.as_ptr()) }
    }

    /// Sends this datagram between these identifiers, from and to the locators of `choice`.
    pub(crate) fn send_by(&self, ulids: &Pair, choice: &Choice) -> i32 {
        // SAFETY: by the type invariants; nothing is remembered before sockets are watched.
        unsafe {
            match bindings::shim6_ftrace_watch() {
                0 => bindings::shim6_ancillary_send_by(
                    self.raw.as_ptr(),
                    &in6(&ulids.local),
                    &in6(&ulids.peer),
                    &choice.raw(),
                ),
                error => error,
            }
        }
    }

    /// Receives; `None` if it was no datagram of IPv6's.
    pub(crate) fn receive(&self) -> (i32, Option<Heard>) {
        let mut raw = bindings::shim6_heard::default();
        // SAFETY: by the type invariants; the socket's options were set, so it is watched.
        let result = unsafe { bindings::shim6_ancillary_receive(self.raw.as_ptr(), &mut raw) };
        let ulids = Pair { local: addr(&raw.local), peer: addr(&raw.peer) };
        let heard = Heard { ulids, note: raw.note, interface: raw.interface as u32 };
        (result, (ulids != Pair::default()).then_some(heard))
    }

    /// Adds an object to what the caller gets; MSG_CTRUNC tells if it had no room.
    pub(crate) fn put(&self, kind: i32, octets: &[u8]) {
        let len = octets.len() as i32;
        // SAFETY: by the type invariants; the octets are only read. Of errors the kernel makes
        // MSG_CTRUNC, or a fault of the caller's memory that it meets again.
        unsafe { bindings::shim6_ancillary_put(self.raw.as_ptr(), kind, octets.as_ptr(), len) };
    }
}
