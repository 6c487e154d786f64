// SPDX-License-Identifier: GPL-2.0

//! What the kernel calls when addresses, interfaces or neighbours change, through `sys/addrconf.c`.

use super::netns::state;
use crate::sys::bindings;
use crate::sys::netns::NetRef;
use core::ptr::NonNull;

/// # Safety
///
/// `net` lives during the call.
#[no_mangle]
unsafe extern "C" fn shim6_entry_addresses(net: *mut bindings::net) {
    let Some(net) = NonNull::new(net) else { return };
    // SAFETY: by contract.
    if let Some(state) = state(unsafe { NetRef::from_raw(net) }) {
        state.addresses_changed();
    }
}

/// # Safety
///
/// `net` lives during the call.
#[no_mangle]
unsafe extern "C" fn shim6_entry_neighbours(net: *mut bindings::net) {
    let Some(net) = NonNull::new(net) else { return };
    // SAFETY: by contract.
    if let Some(state) = state(unsafe { NetRef::from_raw(net) }) {
        state.neighbour_lost();
    }
}
