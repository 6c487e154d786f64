// SPDX-License-Identifier: GPL-2.0
//! ICMPv6 errors about packets that left between locators: what the kernel does with one before
//! and after it is given its identifiers back.

use crate::proto::addr::Pair;
use crate::proto::translate::restore_error;
use crate::proto::translate::ERROR_END;
use crate::sys::bindings;
use crate::sys::hook::Call;
use crate::sys::skb::NoMemory;
use crate::sys::skb::Skb;
use crate::sys::skb::IPV6_LEN;

/// Where the packet in error starts.
const INNER: u32 = IPV6_LEN + 8;

impl Skb<'_> {
    /// Whether the check sum of an ICMPv6 packet is right.
    pub(crate) fn icmp_is_valid(&mut self) -> bool {
        // SAFETY: the packet is ours, ICMPv6 directly behind its fixed header.
        unsafe { bindings::shim6_icmp_valid(self.as_ptr(), IPV6_LEN) }
    }

    /// Tells the route between the locators of the packet in error that packets of `mtu` octets
    /// fit. The packet is at least [`ERROR_END`] octets long and linear so far.
    pub(crate) fn icmp_lower_path_mtu(&mut self, call: &Call<'_>, mtu: u32) {
        if self.linear_len() >= ERROR_END {
            // SAFETY: namespace and packet are valid; an IPv6 header is linear at `INNER`.
            unsafe {
                bindings::shim6_icmp_update_pmtu(call.net().as_ptr(), self.as_ptr(), INNER, mtu)
            };
        }
    }

    /// Makes the error one about the packet as the ULP sent it, with a new check sum. `end`: octets
    /// up to the end of the payload header.
    pub(crate) fn icmp_restore(&mut self, end: u32, ulids: &Pair) -> Result<(), NoMemory> {
        restore_error(self.writable(end)?, ulids);
        self.forget_front();
        // SAFETY: the packet is ours, its headers linear and private.
        unsafe { bindings::shim6_icmp_seal(self.as_ptr(), IPV6_LEN) };
        Ok(())
    }
}
