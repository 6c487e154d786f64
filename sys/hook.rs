// SPDX-License-Identifier: GPL-2.0
//! The two netfilter hooks of a namespace, and what a hook may do with its packet.
//!
//! LOCAL_OUT runs last, so that the namespace's firewall and connection tracking see identifiers;
//! PRE_ROUTING runs first, before defragmentation and connection tracking, for the same reason.
//! Neither is registered where no HBA set exists: such a namespace pays nothing.

use crate::sys::bindings;
use crate::sys::skb::Skb;
use core::ffi::c_void;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::alloc::flags::GFP_KERNEL;
use kernel::error::to_result;
use kernel::error::Result;
use kernel::prelude::*;

/// What becomes of the packet a hook was called with, as netfilter encodes it: an error number
/// sits in the upper half (`NF_DROP_ERR`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict(u32);

impl Verdict {
    /// It goes on, as it is now.
    pub(crate) const ACCEPT: Verdict = Verdict(bindings::SHIM6_NF_ACCEPT);
    /// It is freed.
    pub(crate) const DROP: Verdict = Verdict(bindings::SHIM6_NF_DROP);
    /// Refused: there is no way to the peer.
    pub(crate) const UNREACHABLE: Verdict = Verdict::refuse(kernel::bindings::ENETUNREACH);
    /// Refused: out of memory.
    pub(crate) const NO_MEMORY: Verdict = Verdict::refuse(kernel::bindings::ENOBUFS);
    /// Refused: EINVALIDLOCATOR.
    pub(crate) const INVALID_LOCATOR: Verdict = Verdict::refuse(bindings::SHIM6_EINVALIDLOCATOR);
    /// Refused: it does not fit and may not be fragmented.
    pub(crate) const TOO_BIG: Verdict = Verdict::refuse(kernel::bindings::EMSGSIZE);

    /// It is freed, and its sender is told this (positive) error number.
    const fn refuse(errno: u32) -> Self {
        Verdict(errno << 16 | bindings::SHIM6_NF_DROP)
    }

    /// It was refused with this error.
    pub(crate) fn failed(error: Error) -> Self {
        Verdict::refuse(error.to_errno().unsigned_abs())
    }

    /// The hook has taken it over; its sender is told what `result` says.
    pub(crate) fn stolen(result: Result<(), Verdict>) -> Self {
        let errno = result.err().map_or(0, |v| v.0 & 0xffff_0000);
        Verdict(errno | bindings::SHIM6_NF_STOLEN)
    }

    /// What netfilter is told.
    #[inline]
    pub(in crate::sys) fn encode(self) -> u32 {
        self.0
    }
}

/// Where a hook was called.
///
/// # Invariants
///
/// `raw` is the state of a hook call that lasts for `'a`; the call is an RCU read-side section.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    raw: NonNull<bindings::nf_hook_state>,
    lasts: PhantomData<&'a bindings::nf_hook_state>,
}

impl Call<'_> {
    /// Borrows the state a hook was called with.
    ///
    /// # Safety
    ///
    /// The type invariants hold for `raw` during the returned value's life.
    #[inline]
    pub(in crate::sys) unsafe fn from_raw(raw: NonNull<bindings::nf_hook_state>) -> Self {
        // INVARIANT: by the contract of this function.
        Call { raw, lasts: PhantomData }
    }

    /// The namespace of the hook.
    #[inline]
    pub(in crate::sys) fn net(&self) -> NonNull<bindings::net> {
        // SAFETY: `raw` is valid by the type invariants, and a hook's state names its namespace.
        unsafe { NonNull::new_unchecked(self.raw.as_ref().net) }
    }

    /// The socket of this layer that sends; `None` for a tunnel.
    #[inline]
    pub(in crate::sys) fn sender(&self) -> Option<NonNull<bindings::sock>> {
        // SAFETY: `raw` is valid by the type invariants.
        NonNull::new(unsafe { self.raw.as_ref().sk })
    }

    /// Whether the packet leaves by a VRF.
    #[inline]
    pub(in crate::sys) fn leaves_by_vrf(&self) -> bool {
        // SAFETY: `raw` is valid by the type invariants, and in LOCAL_OUT names where the packet
        // leaves.
        is_vrf(unsafe { self.raw.as_ref().out })
    }

    /// Whether the packet came in by a VRF.
    #[inline]
    pub(in crate::sys) fn came_by_vrf(&self) -> bool {
        // SAFETY: as above; in PRE_ROUTING it names where the packet came in.
        is_vrf(unsafe { self.raw.as_ref().in_ })
    }

    /// Sends a packet that the hook made: on from LOCAL_OUT, by its route.
    pub(crate) fn output(&self, packet: Owned) -> Result {
        let skb = packet.into_raw();
        // SAFETY: the state is valid; the packet is ours, has a route, and is handed over.
        to_result(unsafe {
            bindings::shim6_dst_output(self.net().as_ptr(), self.raw.as_ref().sk, skb)
        })
    }
}

/// A VRF shows its packets to all hooks twice: as its own, and as those of the link.
#[inline]
fn is_vrf(dev: *mut bindings::net_device) -> bool {
    // SAFETY: a hook's device, which RCU keeps. These 32 bits are the first of the union; bindgen's
    // accessor would take them one by one.
    let flags = unsafe { (&raw const (*dev).__bindgen_anon_1).cast::<u32>().read_volatile() };
    flags & bindings::SHIM6_L3_MASTER != 0
}

/// A packet that belongs to us, not to whoever called the hook; freed if it is not sent.
pub(crate) struct Owned(NonNull<bindings::sk_buff>);

impl Owned {
    /// # Safety
    ///
    /// `raw` is a packet nobody else refers to, and satisfies the invariants of [`Skb`].
    pub(in crate::sys) unsafe fn from_raw(raw: NonNull<bindings::sk_buff>) -> Self {
        Owned(raw)
    }

    fn into_raw(self) -> *mut bindings::sk_buff {
        let raw = self.0.as_ptr();
        core::mem::forget(self);
        raw
    }

    /// The packet, to be looked at and changed.
    pub(crate) fn skb(&mut self) -> Skb<'_> {
        // SAFETY: the invariants hold by the contract of `from_raw`, and `self` is borrowed.
        unsafe { Skb::from_raw(self.0) }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the packet is ours.
        unsafe { bindings::shim6_skb_drop(self.0.as_ptr()) };
    }
}

/// The hooks of one namespace; dropping it takes them out.
///
/// A hook may still run until the next RCU grace period, so `ctx` has to outlive that.
pub(crate) struct Hooks {
    net: NonNull<bindings::net>,
    raw: KBox<bindings::shim6_hooks>,
}

// SAFETY: netfilter's registration may be undone from any task.
unsafe impl Send for Hooks {}
// SAFETY: nothing is done through a shared reference.
unsafe impl Sync for Hooks {}

impl Hooks {
    /// Registers both hooks; `ctx` is handed to each call.
    ///
    /// # Safety
    ///
    /// `net` is a living namespace and stays so until the value is dropped; `ctx` is what the
    /// entries in `sys/entry/hook.rs` expect, and lives a grace period longer than the value.
    pub(in crate::sys) unsafe fn register(
        net: NonNull<bindings::net>,
        ctx: NonNull<c_void>,
    ) -> Result<Self> {
        let mut raw = KBox::new(bindings::shim6_hooks::default(), GFP_KERNEL)?;
        // SAFETY: `raw` is on the heap and stays there until it is unregistered.
        to_result(unsafe {
            bindings::shim6_hooks_register(net.as_ptr(), &mut *raw, ctx.as_ptr())
        })?;
        Ok(Hooks { net, raw })
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        // SAFETY: registered in `register`, and only there.
        unsafe { bindings::shim6_hooks_unregister(self.net.as_ptr(), &mut *self.raw) };
    }
}
