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
/// `net` and `addr` live during the call.
#[no_mangle]
unsafe extern "C" fn shim6_entry_withdrawn(
    net: *mut bindings::net,
    addr: *const bindings::in6_addr,
) {
    let Some(net) = NonNull::new(net) else { return };
    // SAFETY: by contract.
    let (net, addr) = unsafe { (NetRef::from_raw(net), crate::sys::addr(&*addr)) };
    if let Some(state) = state(net) {
        state.address_withdrawn(&addr);
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
