// SPDX-License-Identifier: GPL-2.0

//! A socket that a system call is about.

use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::sys::addr;
use crate::sys::bindings;
use crate::sys::netns::NetRef;
use crate::sys::skb::Skb;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
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
    /// TCP, UDP, raw or ping over IPv6 or IPv4.
    pub(crate) supported: bool,
    /// It has a peer.
    pub(crate) connected: bool,
    /// Its addresses; `None` if they are IPv4's.
    pub(crate) addresses: Option<Pair>,
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
            supported: raw.supported,
            connected: raw.connected,
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
        // SAFETY: `sk` is valid by the type invariants, and we may sleep.
        to_result(unsafe { bindings::shim6_sock_set_flags(self.sk.as_ptr(), flags) })
    }
}

impl Skb<'_> {
    /// Whether the socket it was sent from wants no shim (RFC 6316 section 6.2). One load while
    /// no socket does.
    #[inline]
    pub(crate) fn is_dontshim(&self) -> bool {
        // SAFETY: the buffer is valid by `Skb`'s invariants, and hooks run under RCU.
        unsafe { bindings::shim6_skb_dontshim(self.as_ptr()) }
    }
}

/// The index of the interface that has `address`, other than `except`; 0 if none has.
pub(crate) fn interface(net: NetRef<'_>, address: &Addr, except: u32) -> u32 {
    let raw = (address as *const Addr).cast();
    // SAFETY: the namespace is valid while it is borrowed, an `Addr` is the 16 octets of an
    // `in6_addr`.
    unsafe { bindings::shim6_sock_interface(net.as_ptr(), raw, except) }
}
