// SPDX-License-Identifier: GPL-2.0

//! What the kernel calls for protocol 140, through `sys/control.c`.

use super::netns::state;
use crate::control;
use crate::proto::counter::Counter;
use crate::proto::endpoint::Meta;
use crate::sys::addr;
use crate::sys::bindings;
use crate::sys::netns::NetRef;
use core::ptr::NonNull;

/// # Safety
///
/// `data` has `len` readable octets during `'a`, or `len` is 0.
unsafe fn octets<'a>(data: *const u8, len: u32) -> &'a [u8] {
    if data.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: by contract.
    unsafe { core::slice::from_raw_parts(data, len as usize) }
}

/// `false`: nobody here speaks Shim6.
///
/// # Safety
///
/// `net` lives, and `message` describes a linear packet, both during the call, which is in an RCU
/// read-side section with bottom halves off.
#[no_mangle]
unsafe extern "C" fn shim6_entry_control(
    net: *mut bindings::net,
    message: *const bindings::shim6_message,
) -> bool {
    let Some(net) = NonNull::new(net) else { return false };
    // SAFETY: by contract.
    let (net, message) = unsafe { (NetRef::from_raw(net), &*message) };
    let Some(state) = state(net) else { return false };
    // SAFETY: by contract.
    let (head, data) =
        unsafe { (octets(message.head, message.head_len), octets(message.data, message.len)) };
    control::receive(state, Meta { src: addr(&message.src), dst: addr(&message.dst), head }, data)
}

/// # Safety
///
/// As `shim6_entry_control`.
#[no_mangle]
unsafe extern "C" fn shim6_entry_icmp(net: *mut bindings::net, error: *const bindings::shim6_icmp) {
    let Some(net) = NonNull::new(net) else { return };
    // SAFETY: by contract.
    let (net, error) = unsafe { (NetRef::from_raw(net), &*error) };
    // SAFETY: by contract.
    let packet = unsafe { octets(error.packet, error.len) };
    if let Some(state) = state(net) {
        control::icmp_error(state, error.type_, error.code, error.info, packet);
    }
}

/// # Safety
///
/// `net` lives during the call.
#[no_mangle]
unsafe extern "C" fn shim6_entry_truncated(net: *mut bindings::net) {
    let Some(net) = NonNull::new(net) else { return };
    // SAFETY: by contract.
    if let Some(state) = state(unsafe { NetRef::from_raw(net) }) {
        state.count(Counter::RxNoMemory);
    }
}
