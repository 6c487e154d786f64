// SPDX-License-Identifier: GPL-2.0

//! What the kernel calls for contexts, through `sys/table.c`: expiry and the end of memory.

use crate::netns::NetState;
use crate::reap;
use crate::sys::bindings;
use crate::table::Node;

/// # Safety
///
/// `node` heads a context that is freed after the RCU read-side section this is called in.
#[no_mangle]
unsafe extern "C" fn shim6_entry_timer(node: *mut bindings::shim6_node) {
    // SAFETY: by contract; all heads are those of `Node`s.
    let node = unsafe { &*node.cast::<Node>() };
    // SAFETY: the owner was set to the namespace's state, which outlives its timers.
    let state = unsafe { &*node.owner().cast::<NetState>() };
    reap::expired(state, node.tag());
}

/// # Safety
///
/// `node` heads a context that just left the tables.
#[no_mangle]
unsafe extern "C" fn shim6_entry_node_retire(node: *mut bindings::shim6_node) {
    // SAFETY: by contract; readers may still see it.
    unsafe { &*node.cast::<Node>() }.retire();
}

/// # Safety
///
/// `node` heads a context that nobody can reach any more.
#[no_mangle]
unsafe extern "C" fn shim6_entry_node_free(node: *mut bindings::shim6_node) {
    // SAFETY: by contract; it was allocated by `Writer::insert`.
    unsafe { Node::free(node.cast()) };
}
