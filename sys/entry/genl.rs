// SPDX-License-Identifier: GPL-2.0

//! What generic netlink calls, through `sys/genl.c`: requests of user space.

use crate::ctl;
use crate::ctl::ContextDump;
use crate::netns::NetState;
use crate::policy;
use crate::sys::bindings;
use crate::sys::entry::netns::state;
use crate::sys::genl::spec::HBA_PRIVATE_KEY;
use crate::sys::genl::Dump;
use crate::sys::genl::Full;
use crate::sys::genl::Page;
use crate::sys::genl::Request;
use core::ffi::c_int;
use core::ptr::null_mut;
use core::ptr::NonNull;
use kernel::prelude::*;

/// Calls `f` with a request and the state of its namespace.
///
/// # Safety
///
/// `info` is a request in progress.
unsafe fn request(
    info: *mut bindings::genl_info,
    f: impl FnOnce(&NetState, &Request<'_>) -> Result,
) -> c_int {
    let Some(info) = NonNull::new(info) else { return EINVAL.to_errno() };
    // SAFETY: by contract.
    let request = unsafe { Request::from_raw(info) };
    let Some(state) = state(request.net()) else { return ENODEV.to_errno() };
    match f(state, &request) {
        Ok(()) => 0,
        Err(e) => e.to_errno(),
    }
}

/// Calls `f` with a page of a dump and the state of its namespace. The kernel asks for the next
/// page as long as this one has something in it.
///
/// # Safety
///
/// `skb` and `cb` are those of a dump's call in progress.
unsafe fn page(
    skb: *mut bindings::sk_buff,
    cb: *mut bindings::netlink_callback,
    f: impl FnOnce(&NetState, &mut Page<'_>) -> Result<(), Full>,
) -> c_int {
    let Some((skb, cb)) = NonNull::new(skb).zip(NonNull::new(cb)) else {
        return EINVAL.to_errno();
    };
    // SAFETY: by contract.
    let mut page = unsafe { Page::from_raw(skb, cb) };
    let Some(state) = state(page.net()) else { return ENODEV.to_errno() };
    match f(state, &mut page) {
        Ok(()) => 0,
        // To be continued; if the page is empty, the message would never fit.
        Err(Full) => EMSGSIZE.to_errno(),
    }
}

/// # Safety
///
/// `info` is a request in progress.
#[no_mangle]
unsafe extern "C" fn shim6_entry_hba_add(info: *mut bindings::genl_info) -> c_int {
    // SAFETY: by contract.
    let result = unsafe { request(info, ctl::hba_add) };
    // SAFETY: by contract; nobody looks at the request's attributes any more.
    unsafe { bindings::shim6_genl_wipe(info, HBA_PRIVATE_KEY) };
    result
}

/// # Safety
///
/// `info` is a request in progress.
#[no_mangle]
unsafe extern "C" fn shim6_entry_hba_del(info: *mut bindings::genl_info) -> c_int {
    // SAFETY: by contract.
    unsafe { request(info, ctl::hba_del) }
}

/// # Safety
///
/// `info` is a request in progress.
#[no_mangle]
unsafe extern "C" fn shim6_entry_context_get(info: *mut bindings::genl_info) -> c_int {
    // SAFETY: by contract.
    unsafe { request(info, ctl::context_get) }
}

/// # Safety
///
/// `skb` and `cb` are those of a dump's call in progress.
#[no_mangle]
unsafe extern "C" fn shim6_entry_hba_dump(
    skb: *mut bindings::sk_buff,
    cb: *mut bindings::netlink_callback,
) -> c_int {
    // SAFETY: by contract.
    unsafe { page(skb, cb, ctl::hba_dump) }
}

/// # Safety
///
/// `skb` and `cb` are those of a dump's call in progress.
#[no_mangle]
unsafe extern "C" fn shim6_entry_stats_dump(
    skb: *mut bindings::sk_buff,
    cb: *mut bindings::netlink_callback,
) -> c_int {
    // SAFETY: by contract.
    unsafe { page(skb, cb, ctl::stats_dump) }
}

/// # Safety
///
/// `info` is a request in progress.
#[no_mangle]
unsafe extern "C" fn shim6_entry_policy_set(info: *mut bindings::genl_info) -> c_int {
    // SAFETY: by contract.
    unsafe { request(info, policy::set) }
}

/// # Safety
///
/// `skb` and `cb` are those of a dump's call in progress.
#[no_mangle]
unsafe extern "C" fn shim6_entry_policy_dump(
    skb: *mut bindings::sk_buff,
    cb: *mut bindings::netlink_callback,
) -> c_int {
    // SAFETY: by contract.
    unsafe { page(skb, cb, policy::dump) }
}

/// # Safety
///
/// `cb` is that of a dump that begins.
#[no_mangle]
unsafe extern "C" fn shim6_entry_context_dump_start(cb: *mut bindings::netlink_callback) -> c_int {
    let Some(cb) = NonNull::new(cb) else { return EINVAL.to_errno() };
    // SAFETY: by contract.
    let mut dump = unsafe { Dump::from_raw(cb) };
    dump.make_room();
    let Some(state) = state(dump.net()) else { return ENODEV.to_errno() };
    let begun = ContextDump::new(state).and_then(|d| Ok(KBox::new(d, GFP_KERNEL)?));
    match begun {
        Ok(begun) => {
            *dump.place() = KBox::into_raw(begun).cast();
            0
        }
        Err(e) => e.to_errno(),
    }
}

/// # Safety
///
/// `skb` and `cb` are those of a call in progress of a dump that `context_dump_start` began.
#[no_mangle]
unsafe extern "C" fn shim6_entry_context_dump(
    skb: *mut bindings::sk_buff,
    cb: *mut bindings::netlink_callback,
) -> c_int {
    let fill = |state: &NetState, page: &mut Page<'_>| {
        let dump = page.dump().place().cast::<ContextDump<'_>>();
        // SAFETY: made by `context_dump_start`, freed by `context_dump_done`; the kernel serialises
        // the calls of a dump. The socket keeps its namespace alive, hence the tables.
        unsafe { &mut *dump }.page(state, page)
    };
    // SAFETY: by contract.
    unsafe { page(skb, cb, fill) }
}

/// # Safety
///
/// `cb` is that of a dump that ends, or whose start failed.
#[no_mangle]
unsafe extern "C" fn shim6_entry_context_dump_done(cb: *mut bindings::netlink_callback) {
    let Some(cb) = NonNull::new(cb) else { return };
    // SAFETY: by contract.
    let mut dump = unsafe { Dump::from_raw(cb) };
    let begun = core::mem::replace(dump.place(), null_mut()).cast::<ContextDump<'_>>();
    if !begun.is_null() {
        // SAFETY: made by `context_dump_start` out of a `KBox`, and not used any more.
        drop(unsafe { KBox::from_raw(begun) });
    }
}
