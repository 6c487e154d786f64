// SPDX-License-Identifier: GPL-2.0

//! Messages with ancillary data, met by `sys/ancillary.c`.

use crate::ancillary;
use crate::sys::ancillary::Message;
use crate::sys::bindings;
use core::ptr::NonNull;
use kernel::ffi::c_int;

/// # Safety
///
/// `call` is a running sendmsg(), which may sleep.
#[no_mangle]
unsafe extern "C" fn shim6_entry_sendmsg(call: *const bindings::shim6_ancillary) -> c_int {
    // SAFETY: by the contract of this function; the caller made it.
    ancillary::send(&unsafe { Message::from_raw(NonNull::new_unchecked(call.cast_mut())) })
}

/// # Safety
///
/// `call` is a running recvmsg(), which may sleep.
#[no_mangle]
unsafe extern "C" fn shim6_entry_recvmsg(call: *const bindings::shim6_ancillary) -> c_int {
    // SAFETY: by the contract of this function; the caller made it.
    ancillary::receive(&unsafe { Message::from_raw(NonNull::new_unchecked(call.cast_mut())) })
}
