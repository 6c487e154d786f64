// SPDX-License-Identifier: GPL-2.0

//! What netfilter calls: the hooks that `sys/hook.c` registers.

use crate::netns::NetState;
use crate::netns::View;
use crate::sys::bindings;
use crate::sys::hook::Call;
use crate::sys::hook::Verdict;
use crate::sys::rcu::Rcu;
use crate::sys::skb::Skb;
use crate::translate;
use core::ffi::c_uint;
use core::ffi::c_void;
use core::ptr::NonNull;

/// # Safety
///
/// Called by netfilter for a packet of the namespace whose state `ctx` is, which was given to
/// `Hooks::register`.
#[no_mangle]
unsafe extern "C" fn shim6_entry_local_out(
    ctx: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: by the contract; netfilter lends a packet whose IPv6 header is linear and at `data`
    // (`ip6_xmit`, `__ip6_local_out`, `rawv6_send_hdrinc` saw to it), under the RCU read lock.
    let (net, skb, call) = unsafe {
        (
            View::new(&*ctx.cast::<NetState>(), Rcu::assumed()),
            Skb::from_raw(NonNull::new_unchecked(skb)),
            Call::from_raw(NonNull::new_unchecked(state.cast_mut())),
        )
    };
    if call.leaves_by_vrf() {
        return Verdict::ACCEPT.encode();
    }
    translate::outgoing(net, skb, call).encode()
}

/// # Safety
///
/// As `shim6_entry_local_out`.
#[no_mangle]
unsafe extern "C" fn shim6_entry_pre_routing(
    ctx: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: by the contract; `ip6_rcv_core` made the IPv6 header linear, at `data`.
    let (net, skb, call) = unsafe {
        (
            View::new(&*ctx.cast::<NetState>(), Rcu::assumed()),
            Skb::from_raw(NonNull::new_unchecked(skb)),
            Call::from_raw(NonNull::new_unchecked(state.cast_mut())),
        )
    };
    if call.came_by_vrf() {
        return Verdict::ACCEPT.encode();
    }
    translate::incoming(net, skb, call).encode()
}
