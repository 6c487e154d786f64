// SPDX-License-Identifier: GPL-2.0
//! A packet in the kernel's handler of protocol 140, which is where a Shim6 header ends up that
//! PRE_ROUTING did not find: behind other headers, in a reassembled packet, or out of IPsec.

use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::sys::bindings;
use crate::sys::in6;
use crate::sys::skb::leave_note;
use crate::sys::skb::SHIM_LEN;
use core::marker::PhantomData;
use core::ptr;
use core::ptr::NonNull;
use core::slice;

/// A packet whose `data` points at its Shim6 header.
///
/// # Invariants
///
/// `raw` is a buffer nobody else changes during `'a`; its network header is a linear IPv6 header
/// in front of `data`, its transport header is `data`.
pub(crate) struct Behind<'a> {
    raw: NonNull<bindings::sk_buff>,
    lent: PhantomData<&'a mut bindings::sk_buff>,
}

impl Behind<'_> {
    /// Borrows the buffer the handler was called with.
    ///
    /// # Safety
    ///
    /// The type invariants hold for `raw` during the returned value's life.
    pub(in crate::sys) unsafe fn from_raw(raw: NonNull<bindings::sk_buff>) -> Self {
        // INVARIANT: by the contract of this function.
        Behind { raw, lent: PhantomData }
    }

    /// The packet's addresses as the receiver sees them: destination and source.
    pub(crate) fn pair(&self) -> Pair {
        // SAFETY: an IPv6 header is linear at the network header.
        let at = |offset: usize| unsafe {
            let f = self.raw.as_ref();
            let h = f.__bindgen_anon_4.__bindgen_anon_1.as_ref();
            let ip = f.head.add(usize::from(h.network_header));
            Addr(ptr::read_unaligned(ip.add(offset).cast()))
        };
        Pair { local: at(24), peer: at(8) }
    }

    /// The first `len` octets of the Shim6 header and what follows it, made linear; `None` if
    /// there are fewer.
    pub(crate) fn message(&mut self, len: usize) -> Option<&[u8]> {
        let want = u32::try_from(len).ok()?;
        // SAFETY: the buffer is ours; the call may move the data, nothing borrows it now.
        if !unsafe { bindings::shim6_skb_may_pull(self.raw.as_ptr(), want) } {
            return None;
        }
        // SAFETY: the call above made `len` octets at `data` linear.
        Some(unsafe { slice::from_raw_parts(self.raw.as_ref().data, len) })
    }

    /// Whether IPsec policy lets it in between its locators; what brought it here is forgotten
    /// then, as behind any tunnel (RFC 5533 16.1).
    pub(crate) fn passes_policy(&mut self) -> bool {
        // SAFETY: the buffer is ours.
        unsafe { bindings::shim6_behind_policy(self.raw.as_ptr()) }
    }

    /// Gives the packet its identifiers back and takes the payload header out, so that what comes
    /// before it is followed by `next`, where the kernel goes on; `false` without memory.
    pub(crate) fn restore(&mut self, next: u8, ulids: &Pair) -> bool {
        let (src, dst) = (in6(&ulids.peer), in6(&ulids.local));
        // SAFETY: the buffer is ours, a payload header linear at `data`; the addresses live on this
        // stack.
        unsafe { bindings::shim6_behind_restore(self.raw.as_ptr(), SHIM_LEN, next, &src, &dst) }
    }

    /// Leaves a note for who receives the packet.
    pub(crate) fn set_note(&mut self, note: u32) {
        // SAFETY: the buffer is ours, and IPv6's input brought it here.
        unsafe { leave_note(self.raw, note) }
    }
}
