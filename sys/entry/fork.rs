// SPDX-License-Identifier: GPL-2.0

//! What `sys/fork.c` calls when the last socket that held a forked context is gone.

use super::netns;
use crate::forks;
use crate::proto::addr::Tag;
use crate::sys::bindings;
use crate::sys::netns::NetRef;
use core::ptr::NonNull;

/// # Safety
///
/// `net` is in the list of namespaces, and the caller is in an RCU read-side section.
#[no_mangle]
unsafe extern "C" fn shim6_entry_fork_ended(net: *mut bindings::net, tag: u64) {
    let Some(net) = NonNull::new(net) else { return };
    // SAFETY: by contract the namespace, and its state, live as long as this section.
    if let Some(state) = netns::state(unsafe { NetRef::from_raw(net) }) {
        forks::release(state, Tag::new(tag));
    }
}
