// SPDX-License-Identifier: GPL-2.0

//! A socket that a system call is about, and what is remembered of sockets.

use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::sys::addr;
use crate::sys::bindings;
use crate::sys::hook::Call;
use crate::sys::netns::NetRef;
use crate::sys::skb::Skb;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::AtomicI32;
use core::sync::atomic::Ordering::Relaxed;
use kernel::error::to_result;
use kernel::prelude::*;

/// A socket, held by the system call that lends it.
///
/// # Invariants
///
/// `sk` is a valid socket during `'a`, and the current context may sleep.
pub(crate) struct Socket<'a> {
    sk: NonNull<bindings::sock>,
    lent: PhantomData<&'a bindings::sock>,
}

/// What a socket is at one moment.
pub(crate) struct Info<'a> {
    /// Its network namespace.
    pub(crate) net: NetRef<'a>,
    /// `AF_*`.
    pub(crate) family: u16,
    /// `SOCK_*`.
    pub(crate) kind: u16,
    /// `IPPROTO_*`.
    pub(crate) protocol: u16,
    /// `TCP_*`, for all kinds of sockets.
    pub(crate) state: u8,
    /// Its addresses; `None` if they are IPv4's.
    pub(crate) addresses: Option<Pair>,
}

/// The memory of what sockets were told: made before and dropped after all that calls us.
pub(crate) struct Memory(());

impl Memory {
    /// Makes the table. There is one in the module.
    pub(crate) fn create() -> Result<Self> {
        // SAFETY: called once, from the module's init.
        to_result(unsafe { bindings::shim6_socks_create() })?;
        Ok(Memory(()))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: made by the type's only constructor; by its place in the module's fields neither
        // a call, a socket nor a packet looks into the table any more.
        unsafe { bindings::shim6_socks_destroy() }
    }
}

impl<'a> Socket<'a> {
    /// # Safety
    ///
    /// The type invariants hold for `sk` during `'a`.
    pub(in crate::sys) unsafe fn from_raw(sk: NonNull<bindings::sock>) -> Self {
        // INVARIANT: by the contract of this function.
        Socket { sk, lent: PhantomData }
    }

    /// Looks at the socket under its lock.
    pub(crate) fn info(&self) -> Info<'a> {
        let mut raw = MaybeUninit::<bindings::shim6_sock_info>::uninit();
        // SAFETY: `sk` is valid by the type invariants; the function fills in every field.
        let raw = unsafe {
            bindings::shim6_sock_describe(self.sk.as_ptr(), raw.as_mut_ptr());
            raw.assume_init()
        };
        let addresses = raw.ipv6.then(|| Pair { local: addr(&raw.local), peer: addr(&raw.peer) });
        Info {
            // SAFETY: a socket keeps its namespace, and lives during `'a`.
            net: unsafe { NetRef::from_raw(NonNull::new_unchecked(raw.net)) },
            family: raw.family,
            kind: raw.type_,
            protocol: raw.protocol,
            state: raw.state,
            addresses,
        }
    }

    /// Whether the application wants no shim.
    pub(crate) fn dontshim(&self) -> bool {
        // SAFETY: `sk` is valid by the type invariants.
        let flags = unsafe { bindings::shim6_sock_flags(self.sk.as_ptr()) };
        flags & bindings::SHIM6_SOCK_DONTSHIM != 0
    }

    /// Remembers whether the application wants no shim, until the socket is destroyed.
    pub(crate) fn set_dontshim(&self, on: bool) -> Result {
        let flags = if on { bindings::SHIM6_SOCK_DONTSHIM } else { 0 };
        // SAFETY: `sk` is valid by the type invariants, and we may sleep. Nothing is remembered
        // before sockets are watched.
        unsafe {
            if on {
                to_result(bindings::shim6_ftrace_watch())?;
            }
            to_result(bindings::shim6_sock_set_flags(self.sk.as_ptr(), flags))
        }
    }
}

impl Skb<'_> {
    /// Whether the socket it was sent from wants no shim (RFC 6316 section 6.2). One load while
    /// nothing is remembered of any socket.
    #[inline]
    pub(crate) fn is_dontshim(&self, call: &Call<'_>) -> bool {
        // SAFETY: the counter is a static of C's that is only read and written atomically.
        let count = unsafe { AtomicI32::from_ptr(&raw mut bindings::shim6_sock_count.counter) };
        count.load(Relaxed) != 0 && self.asks_dontshim(call)
    }

    #[cold]
    fn asks_dontshim(&self, call: &Call<'_>) -> bool {
        // A tunnel's packet still belongs to the socket whose packet is inside, but is not one
        // of its packets.
        if !call.has_socket() {
            return false;
        }
        // SAFETY: the buffer is valid by `Skb`'s invariants, and hooks run under RCU.
        let flags = unsafe { bindings::shim6_skb_flags(self.as_ptr()) };
        flags & bindings::SHIM6_SOCK_DONTSHIM != 0
    }
}

/// The index of the interface that has `address`, other than `except`; 0 if none has.
pub(crate) fn interface(net: NetRef<'_>, address: &Addr, except: u32) -> u32 {
    let raw = core::ptr::from_ref(address).cast();
    // SAFETY: the namespace is valid while it is borrowed, an `Addr` is the 16 octets of an
    // `in6_addr`.
    unsafe { bindings::shim6_sock_interface(net.as_ptr(), raw, except) }
}
