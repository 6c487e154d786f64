// SPDX-License-Identifier: GPL-2.0

//! A socket that a system call is about, and what is remembered of sockets.

use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::proto::addr::Tag;
use crate::proto::wish::Owner;
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
    /// Its port and its peer's, of whatever means something by them.
    pub(crate) ports: (u16, u16),
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
            ports: (raw.local_port, raw.peer_port),
        }
    }

    /// Whether the application wants no shim.
    pub(crate) fn dontshim(&self) -> bool {
        // SAFETY: `sk` is valid by the type invariants.
        let flags = unsafe { bindings::shim6_sock_flags(self.sk.as_ptr()) };
        flags & bindings::SHIM6_SOCK_DONTSHIM != 0
    }

    /// The number by which a context knows whose wishes it has. Remembered until the socket is
    /// destroyed.
    pub(crate) fn owner(&self) -> Result<Owner> {
        // SAFETY: `sk` is valid by the type invariants, and we may sleep. Nothing is remembered
        // before sockets are watched.
        let serial = unsafe {
            to_result(bindings::shim6_ftrace_watch())?;
            bindings::shim6_sock_own(self.sk.as_ptr())
        };
        match serial {
            0 => Err(ENOMEM),
            serial => Ok(Owner { place: self.sk.as_ptr() as u64, serial }),
        }
    }

    /// CT(local) of its forked context, if it was given one; that may be gone meanwhile.
    pub(crate) fn fork(&self) -> Option<Tag> {
        // SAFETY: `sk` is valid by the type invariants.
        tag(unsafe { bindings::shim6_sock_fork(self.sk.as_ptr()) })
    }

    /// Gives it a forked context in place of the `old` one, to be released when it is destroyed.
    /// EEXIST: another thread has done that.
    pub(crate) fn set_fork(&self, old: Option<Tag>, new: Tag) -> Result {
        let old = old.map_or(0, Tag::get);
        // SAFETY: `sk` is valid by the type invariants, and we may sleep.
        to_result(unsafe { bindings::shim6_sock_set_fork(self.sk.as_ptr(), old, new.get()) })
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

/// Whether a socket that wished something still belongs to an application.
pub(crate) fn lives(owner: Owner) -> bool {
    // SAFETY: the place is not followed unless the table has that very socket.
    unsafe { bindings::shim6_sock_lives(owner.place, owner.serial) }
}

/// No context has tag 0.
fn tag(raw: u64) -> Option<Tag> {
    (raw != 0).then(|| Tag::new(raw))
}

impl Skb<'_> {
    /// CT(local) of the forked context of the socket it was sent from, if it was given one.
    pub(crate) fn fork(&self, call: &Call<'_>) -> Option<Tag> {
        // SAFETY: as in `is_dontshim`.
        let count = unsafe { AtomicI32::from_ptr(&raw mut bindings::shim6_sock_count.counter) };
        if count.load(Relaxed) == 0 || !call.has_socket() {
            return None;
        }
        // SAFETY: the buffer is valid by `Skb`'s invariants, and hooks run under RCU.
        tag(unsafe { bindings::shim6_skb_fork(self.as_ptr()) })
    }

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
