// SPDX-License-Identifier: GPL-2.0

//! The TCP sockets of contexts: they learn that their path changed, so that what is unacknowledged
//! is sent again at once; and their contexts learn that they are in use.

use crate::sys::bindings;
use crate::sys::netns::NetRef;
use core::ffi::c_void;

/// Makes the retransmission timers of all sockets expire whose context asks for it in this
/// `generation`; returns how many. Sleeps.
///
/// # Safety
///
/// `owner` is the state of the namespace, for `sys/entry/work.rs`.
pub(in crate::sys) unsafe fn tcp(net: NetRef<'_>, owner: *mut c_void, generation: u32) -> u32 {
    // SAFETY: the namespace is alive; `owner` by contract.
    unsafe { bindings::shim6_tcp_kick(net.as_ptr(), owner, generation) }
}

/// Calls `shim6_entry_in_use` for all sockets that `shim6_entry_wants_kick` accepts with this
/// `generation`. Sleeps.
///
/// # Safety
///
/// `owner` is the state of the namespace, for `sys/entry/work.rs`.
pub(in crate::sys) unsafe fn users(net: NetRef<'_>, owner: *mut c_void, generation: u32) {
    // SAFETY: the namespace is alive; `owner` by contract.
    unsafe { bindings::shim6_tcp_users(net.as_ptr(), owner, generation) };
}
