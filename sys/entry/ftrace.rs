// SPDX-License-Identifier: GPL-2.0

//! SOL_SHIM calls, redirected by `sys/ftrace.c`.

use crate::sockopt;
use crate::sys::bindings;
use crate::sys::sock::Socket;
use crate::sys::user::Given;
use crate::sys::user::Wanted;
use core::ptr::NonNull;
use kernel::ffi::c_char;
use kernel::ffi::c_int;
use kernel::ffi::c_uint;
use kernel::uaccess::UserPtr;

/// # Safety
///
/// `sk` and `value` are those of a running setsockopt(), which may sleep.
#[no_mangle]
unsafe extern "C" fn shim6_entry_setsockopt(
    sk: *mut bindings::sock,
    name: c_int,
    value: *const bindings::sockptr_t,
    len: c_uint,
) -> c_int {
    let (Some(sk), Some(value)) = (NonNull::new(sk), NonNull::new(value.cast_mut())) else {
        return -22;
    };
    // SAFETY: both are valid until the call returns, by the contract of this function.
    let (socket, given) = unsafe { (Socket::from_raw(sk), Given::new(value, len)) };
    sockopt::set(&socket, name, &given)
}

/// # Safety
///
/// `sk` is that of a running getsockopt(), which may sleep; the other two are what user space
/// gave.
#[no_mangle]
unsafe extern "C" fn shim6_entry_getsockopt(
    sk: *mut bindings::sock,
    name: c_int,
    value: *mut c_char,
    len: *mut c_int,
) -> c_int {
    let Some(sk) = NonNull::new(sk) else { return -22 };
    // SAFETY: valid until the call returns, by the contract of this function.
    let socket = unsafe { Socket::from_raw(sk) };
    match Wanted::new(UserPtr::from_ptr(value.cast()), UserPtr::from_ptr(len.cast())) {
        Ok(wanted) => sockopt::get(&socket, name, &wanted),
        Err(error) => error.to_errno(),
    }
}
