// SPDX-License-Identifier: GPL-2.0
//! Super-packets: which device may keep one, and how one is cut in software.
//!
//! A rehomed super-packet carries locators in its header and a check sum over identifiers.
//! Software segmentation copes: it patches the sum it finds. Hardware often does not: many drivers
//! seed the sum anew from the addresses they see. So a super-packet may travel as it is only
//! while it stays inside this kernel. How one knows: it is marked with the GSO type of SCTP
//! beside its own. No driver of hardware advertises that feature (it is set by
//! NETIF_F_GSO_SOFTWARE alone, which veth, loopback, dummy, netkit, bridges and tunnels have), so
//! a marked packet that meets hardware further on, through a bridge say, is cut in software
//! there. SCTP itself never sets a second type, and cutting looks for the TCP or UDP type first.
//!
//! Whoever forwards a super-packet looks for its TCP header: `ip6_rcv_core` takes the octets behind
//! the fixed header for it, and what stands there in our case is a shim header, which makes the
//! forwarder's size checks fail at random. So it is also marked as encapsulated, with the inner
//! transport offset at the TCP header, which is what those checks then use.
//!
//! Where the first device is not one that hands packets on untouched, [`cut`] does it at once and
//! completes the check sums as well: parsers in hardware do not know header 140. It does so with a
//! tunnel's super-packets too, which need their inner offsets for themselves.

use crate::sys::bindings;
use crate::sys::hook::Owned;
use crate::sys::skb::NoMemory;
use crate::sys::skb::Skb;
use core::ptr;
use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::error::Result;

/// The GSO type that only software devices advertise.
pub(crate) const SOFTWARE_ONLY: u32 = bindings::SHIM6_GSO_SOFTWARE_ONLY;
/// The GSO type of TCP over IPv6.
pub(crate) const TCP: u32 = bindings::SHIM6_GSO_TCPV6;

/// What the kernel knows of header 140 when it cuts or merges; dropping it makes it forget.
pub(crate) struct Offload(());

impl Offload {
    /// Tells the kernel; fails if another module did.
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: registers a static table.
        to_result(unsafe { bindings::shim6_offload_register() })?;
        Ok(Offload(()))
    }
}

impl Drop for Offload {
    fn drop(&mut self) {
        // SAFETY: registered in `register`; the call waits for readers.
        unsafe { bindings::shim6_offload_unregister() };
    }
}

/// The packets a super-packet was cut into.
pub(crate) struct Segments(*mut bindings::sk_buff);

/// Cuts a super-packet in software, check sums completed; the original is left as it was.
pub(crate) fn cut(skb: &mut Skb<'_>) -> Result<Segments, NoMemory> {
    // SAFETY: the packet is ours and has a route.
    let segs = unsafe { bindings::shim6_gso_cut(skb.as_ptr()) };
    if segs.is_null() {
        return Err(NoMemory);
    }
    Ok(Segments(segs))
}

impl Iterator for Segments {
    type Item = Owned;

    fn next(&mut self) -> Option<Owned> {
        let first = NonNull::new(self.0)?;
        // SAFETY: the list is ours; its first packet is taken off.
        unsafe {
            self.0 = bindings::shim6_skb_unlink_next(first.as_ptr());
            Some(Owned::from_raw(first))
        }
    }
}

impl Drop for Segments {
    fn drop(&mut self) {
        while self.next().is_some() {}
        self.0 = ptr::null_mut();
    }
}
