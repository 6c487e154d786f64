// SPDX-License-Identifier: GPL-2.0
//! What GRO calls for protocol 140, by way of the thunks in `sys/gso.c`.

use super::netns;
use crate::netns::View;
use crate::sys::bindings;
use crate::sys::gro::Gro;
use crate::sys::netns::NetRef;
use crate::sys::rcu::Rcu;
use crate::translate;
use core::ffi::c_int;
use core::ptr;
use core::ptr::NonNull;

/// The packet path's view of the namespace that a packet came in by, if it has identifiers.
///
/// # Safety
///
/// The RCU read lock is held for `'a`.
unsafe fn view<'a>(gro: &Gro<'_>) -> Option<View<'a>> {
    // SAFETY: the namespace of a device that receives is alive, and so is its state.
    let state = netns::state(unsafe { NetRef::from_raw(gro.net()) }).filter(|s| s.is_enabled())?;
    // SAFETY: by contract.
    Some(View::new(state, unsafe { Rcu::assumed() }))
}

/// # Safety
///
/// Called by `ipv6_gro_receive`, under the RCU read lock, with a packet whose GRO offset is at a
/// Shim6 header.
#[no_mangle]
unsafe extern "C" fn shim6_entry_gro_receive(
    head: *mut bindings::list_head,
    skb: *mut bindings::sk_buff,
) -> *mut bindings::sk_buff {
    // SAFETY: by the contract of this function.
    let mut gro = unsafe { Gro::from_raw(NonNull::new_unchecked(skb)) };
    // SAFETY: the RCU read lock is held, by the contract.
    let ulids = unsafe { view(&gro) }.and_then(|net| translate::mergeable(net, &mut gro));
    match ulids {
        // SAFETY: `head` is the list of this call.
        Some(ulids) => unsafe { gro.receive(head, &ulids) },
        None => {
            gro.flush();
            ptr::null_mut()
        }
    }
}

/// # Safety
///
/// Called by `ipv6_gro_complete`, under the RCU read lock, with a packet that was merged after
/// `shim6_entry_gro_receive`; its Shim6 header is at `offset` from its data.
#[no_mangle]
unsafe extern "C" fn shim6_entry_gro_complete(skb: *mut bindings::sk_buff, offset: c_int) -> c_int {
    // SAFETY: by the contract of this function.
    let gro = unsafe { Gro::from_raw(NonNull::new_unchecked(skb)) };
    // SAFETY: as above.
    let ulids = unsafe { view(&gro) }
        .and_then(|net| translate::merged(net, &gro, usize::try_from(offset).ok()?));
    // A context that disappeared meanwhile leaves a check sum over nothing: TCP refuses it.
    gro.complete(offset, &ulids.unwrap_or_default())
}
