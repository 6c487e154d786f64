// SPDX-License-Identifier: GPL-2.0

//! What the kernel calls for namespaces, through `sys/netns.c` and `sys/sysctl.c`: the life of a
//! namespace's state.

use crate::mib;
use crate::netns::Late;
use crate::netns::NetState;
use crate::sys::bindings;
use crate::sys::hook::Hooks;
use crate::sys::netns::state_of;
use crate::sys::netns::Lines;
use crate::sys::netns::NetRef;
use crate::sys::netns::Owner;
use crate::sys::netns::Proc;
use crate::sys::sysctl::Sysctls;
use crate::sys::work::Kind;
use crate::sys::work::Work;
use core::ffi::c_int;
use core::ffi::c_void;
use core::pin::Pin;
use core::ptr::null_mut;
use core::ptr::NonNull;
use kernel::prelude::*;

/// The state of a namespace; `None` while it is born or dies.
pub(crate) fn state<'a>(net: NetRef<'a>) -> Option<&'a NetState> {
    // SAFETY: what is registered is a `NetState` made in `shim6_entry_net_init`, and it lives until
    // `exit`, that is, at least as long as anyone can name the namespace.
    unsafe { state_of(net).cast::<NetState>().as_ref() }
}

/// Registers the hooks of a namespace.
pub(crate) fn hooks(state: &NetState) -> Result<Hooks> {
    let net = NonNull::new(state.net().as_ptr()).ok_or(EINVAL)?;
    // SAFETY: the namespace outlives its state, which keeps the hooks and is freed a grace period
    // after it dropped them (`NetState::end` runs in `pre_exit`).
    unsafe { Hooks::register(net, NonNull::from(state).cast()) }
}

fn begin(net: NonNull<bindings::net>) -> Result<Pin<KBox<NetState>>> {
    // SAFETY: called from the namespace's `init`.
    let state = KBox::pin_init(NetState::new(unsafe { Owner::new(net) })?, GFP_KERNEL)?;
    let raw = (&raw const *state).cast_mut().cast::<c_void>();
    // SAFETY: `raw` is the state; what is made here is kept in it and dropped with it.
    let late = unsafe {
        Late {
            sysctls: Sysctls::register(state.owner(), raw)?,
            _proc: Proc::create(state.owner())?,
            initiate: Work::new(raw, Kind::Initiate)?,
            kick: Work::new(raw, Kind::Kick)?,
            users: Work::new(raw, Kind::Users)?,
            addresses: Work::new(raw, Kind::Addresses)?,
            neighbours: Work::new(raw, Kind::Neighbours)?,
            signatures: Work::new(raw, Kind::Signatures)?,
        }
    };
    state.begin(late);
    Ok(state)
}

/// # Safety
///
/// Called for a new namespace, or one that exists when the module is loaded.
#[no_mangle]
unsafe extern "C" fn shim6_entry_net_init(net: *mut bindings::net) -> *mut c_void {
    let Some(net) = NonNull::new(net) else { return null_mut() };
    match begin(net) {
        // SAFETY: it stays pinned: only `shim6_entry_net_exit` takes it back, to drop it.
        Ok(state) => KBox::into_raw(unsafe { Pin::into_inner_unchecked(state) }).cast(),
        Err(_) => null_mut(),
    }
}

/// # Safety
///
/// `state` came from `shim6_entry_net_init`.
#[no_mangle]
unsafe extern "C" fn shim6_entry_net_pre_exit(state: *mut c_void) {
    // SAFETY: by contract; `exit` comes later.
    unsafe { &*state.cast::<NetState>() }.end();
}

/// # Safety
///
/// `state` came from `shim6_entry_net_init`; a grace period passed since
/// `shim6_entry_net_pre_exit`, and nobody can find it any more.
#[no_mangle]
unsafe extern "C" fn shim6_entry_net_exit(state: *mut c_void) {
    // SAFETY: by contract it is ours again.
    drop(unsafe { Pin::new_unchecked(KBox::from_raw(state.cast::<NetState>())) });
}

/// # Safety
///
/// `state` came from `shim6_entry_net_init` and lives; `file` is shown now.
#[no_mangle]
unsafe extern "C" fn shim6_entry_proc_show(state: *mut c_void, file: *mut bindings::seq_file) {
    let Some(file) = NonNull::new(file) else { return };
    // SAFETY: by contract.
    mib::show(unsafe { &*state.cast::<NetState>() }, &mut unsafe { Lines::from_raw(file) });
}

/// A setting is written: 0, or an error and it is as it was.
///
/// # Safety
///
/// `owner` came from `shim6_entry_net_init` and lives.
#[no_mangle]
unsafe extern "C" fn shim6_entry_config(owner: *mut c_void, at: usize, value: u32) -> c_int {
    // SAFETY: by contract.
    match unsafe { &*owner.cast::<NetState>() }.configure((at, value)) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}
