// SPDX-License-Identifier: GPL-2.0
//! What netfilter calls, by way of the thunks in `sys/hook.c`.
//!
//! Until there is a context table nothing registers the hooks, and every packet is accepted.

use crate::sys::bindings;
use crate::sys::hook::Verdict;
use core::ffi::c_uint;
use core::ffi::c_void;

/// # Safety
///
/// Called by netfilter.
#[no_mangle]
unsafe extern "C" fn shim6_entry_local_out(
    _ctx: *mut c_void,
    _skb: *mut bindings::sk_buff,
    _state: *const bindings::nf_hook_state,
) -> c_uint {
    Verdict::Accept.encode()
}

/// # Safety
///
/// As `shim6_entry_local_out`.
#[no_mangle]
unsafe extern "C" fn shim6_entry_pre_routing(
    _ctx: *mut c_void,
    _skb: *mut bindings::sk_buff,
    _state: *const bindings::nf_hook_state,
) -> c_uint {
    Verdict::Accept.encode()
}
