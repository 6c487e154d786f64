// SPDX-License-Identifier: GPL-2.0

//! TCP learns that its path changed: what is unacknowledged is sent again at once.

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
