// SPDX-License-Identifier: GPL-2.0
//! Merging of received TCP segments that have a payload header.
//!
//! The kernel calls while segments are still on their way in from the device, before PRE_ROUTING,
//! and holds some of them back to merge what follows. Only segments of a context of this
//! namespace are merged, so their check sums can be verified, over identifiers; all others, those
//! that are only forwarded above all, pass as they came.

use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::sys::bindings;
use crate::sys::in6;
use core::marker::PhantomData;
use core::ptr;
use core::ptr::NonNull;

/// Octets of the payload header.
const LEN: u32 = 8;
const TCP: u8 = 6;

/// A packet in the hands of GRO.
///
/// # Invariants
///
/// `raw` is a packet the kernel lent for the length of a GRO callback.
pub(crate) struct Gro<'a> {
    raw: NonNull<bindings::sk_buff>,
    lent: PhantomData<&'a mut bindings::sk_buff>,
}

impl Gro<'_> {
    /// Borrows the packet of a GRO callback.
    ///
    /// # Safety
    ///
    /// The type invariants hold for `raw` during the returned value's life.
    pub(in crate::sys) unsafe fn from_raw(raw: NonNull<bindings::sk_buff>) -> Self {
        // INVARIANT: by the contract of this function.
        Gro { raw, lent: PhantomData }
    }

    /// The namespace of the device it came from.
    pub(in crate::sys) fn net(&self) -> NonNull<bindings::net> {
        // SAFETY: the packet is valid and came from a device; a device has a namespace.
        unsafe { NonNull::new_unchecked(bindings::shim6_gro_net(self.raw.as_ptr())) }
    }

    /// Whether its device wants received packets chained, not merged.
    pub(crate) fn chained(&self) -> bool {
        // SAFETY: the packet is valid and came from a device.
        unsafe { bindings::shim6_gro_as_list(self.raw.as_ptr()) }
    }

    /// The Shim6 header's first 8 octets.
    pub(crate) fn header(&mut self) -> Option<[u8; 8]> {
        // SAFETY: the packet is valid; what comes back is null or points at `LEN` octets.
        unsafe {
            let p = bindings::shim6_gro_header(self.raw.as_ptr(), LEN);
            (!p.is_null()).then(|| ptr::read_unaligned(p.cast()))
        }
    }

    /// Its addresses as the receiver sees them.
    pub(crate) fn pair(&self) -> Pair {
        // SAFETY: `ipv6_gro_receive` made the IPv6 header reachable before it called us.
        unsafe {
            let ip = bindings::shim6_gro_ipv6(self.raw.as_ptr()).cast::<u8>();
            let at = |offset: usize| Addr(ptr::read_unaligned(ip.add(offset).cast()));
            Pair { local: at(24), peer: at(8) }
        }
    }

    /// The same of a merged packet, whose headers are linear: `offset` is that of the Shim6
    /// header, which stands behind the fixed one.
    pub(crate) fn merged(&self, offset: usize) -> Option<(Pair, [u8; 8])> {
        let ip = offset.checked_sub(40)?;
        // SAFETY: `ipv6_gro_complete` found our header at `offset` behind an IPv6 header.
        unsafe {
            let data = self.raw.as_ref().data;
            let at = |at: usize| Addr(ptr::read_unaligned(data.add(at).cast()));
            let pair = Pair { local: at(ip.wrapping_add(24)), peer: at(ip.wrapping_add(8)) };
            Some((pair, ptr::read_unaligned(data.add(offset).cast())))
        }
    }

    /// Passes it on unmerged.
    pub(in crate::sys) fn flush(self) {
        // SAFETY: the packet is valid.
        unsafe { bindings::shim6_gro_flush(self.raw.as_ptr()) };
    }

    /// Lets TCP merge it with one of `held`, after its check sum between `ulids` was found right.
    /// Returns the held packet that is to be passed on now.
    ///
    /// # Safety
    ///
    /// `held` is the list the callback was called with.
    pub(in crate::sys) unsafe fn receive(
        self,
        held: *mut bindings::list_head,
        ulids: &Pair,
    ) -> *mut bindings::sk_buff {
        let skb = self.raw.as_ptr();
        let (src, dst) = (in6(&ulids.peer), in6(&ulids.local));
        // SAFETY: packet and list are the kernel's, the header was reached in `header`.
        unsafe {
            bindings::shim6_gro_compare(held, skb, LEN);
            bindings::shim6_gro_step(skb, LEN, TCP);
            if !bindings::shim6_gro_checksum(skb, &src, &dst, TCP) {
                bindings::shim6_gro_flush(skb);
                return ptr::null_mut();
            }
            bindings::shim6_gro_inner_receive(held, skb, TCP)
        }
    }

    /// Completes a merged packet: a super-packet with its check sum pending between `ulids`.
    pub(in crate::sys) fn complete(self, offset: i32, ulids: &Pair) -> i32 {
        let skb = self.raw.as_ptr();
        let tcp = offset.wrapping_add(LEN as i32);
        let (src, dst) = (in6(&ulids.peer), in6(&ulids.local));
        // SAFETY: the packet was merged by TCP behind a payload header at `offset`.
        unsafe {
            let err = bindings::shim6_gro_inner_complete(skb, tcp, TCP);
            bindings::shim6_gro_seed_tcp(skb, tcp, &src, &dst);
            bindings::shim6_gro_nest(skb);
            err
        }
    }
}
