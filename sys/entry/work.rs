// SPDX-License-Identifier: GPL-2.0

//! What the kernel calls in process context, through `sys/work.c` and `sys/kick.c`.

use crate::control;
use crate::hba;
use crate::netns::NetState;
use crate::netns::View;
use crate::proto::addr::Pair;
use crate::reap;
use crate::sys::addr;
use crate::sys::bindings;
use crate::sys::kick;
use crate::sys::rcu::Guard;
use crate::sys::rcu::Rcu;
use crate::sys::work::Kind;
use core::ffi::c_void;
use core::ptr::from_ref;

/// Not a generation: every context is meant.
const ANY: u32 = u32::MAX;

/// # Safety
///
/// `owner` is the state of a namespace, which waits for its work items before it goes.
#[no_mangle]
unsafe extern "C" fn shim6_entry_work(owner: *mut c_void, kind: u32) {
    // SAFETY: by contract.
    let state = unsafe { &*owner.cast::<NetState>() };
    match Kind::from_raw(kind) {
        Some(Kind::Initiate) => control::initiate_waiting(state),
        Some(Kind::Kick) => reap::kick(state),
        Some(Kind::Addresses) => hba::refresh(state),
        Some(Kind::Users) => find_users(state),
        None => {}
    }
}

/// Makes the retransmission timers of all TCP sockets expire whose context is of this
/// `generation`; returns how many. Sleeps.
pub(crate) fn kick_tcp(state: &NetState, generation: u32) -> u32 {
    // SAFETY: the state is that of the namespace, for `shim6_entry_wants_kick`.
    unsafe { kick::tcp(state.net(), from_ref(state).cast_mut().cast(), generation) }
}

/// # Safety
///
/// `owner` was given to `kick_tcp`, which is running; the addresses can be read.
#[no_mangle]
unsafe extern "C" fn shim6_entry_wants_kick(
    owner: *mut c_void,
    local: *const bindings::in6_addr,
    peer: *const bindings::in6_addr,
    generation: u32,
) -> bool {
    // SAFETY: by contract.
    let (state, local, peer) = unsafe { (&*owner.cast::<NetState>(), &*local, &*peer) };
    let guard = Guard::new();
    View::new(state, Rcu::of(&guard))
        .by_ulids(&addr(local), &addr(peer))
        .is_some_and(|node| generation == ANY || node.wants_kick(generation))
}

/// Tells the contexts of all TCP sockets that they are in use. Sleeps.
fn find_users(state: &NetState) {
    // SAFETY: the state is that of the namespace, for `shim6_entry_wants_kick` and `_in_use`.
    unsafe { kick::users(state.net(), from_ref(state).cast_mut().cast(), ANY) };
}

/// # Safety
///
/// `owner` was given to `find_users`, which is running; the addresses can be read.
#[no_mangle]
unsafe extern "C" fn shim6_entry_in_use(
    owner: *mut c_void,
    local: *const bindings::in6_addr,
    peer: *const bindings::in6_addr,
) {
    // SAFETY: by contract.
    let (state, local, peer) = unsafe { (&*owner.cast::<NetState>(), &*local, &*peer) };
    reap::in_use(state, Pair { local: addr(local), peer: addr(peer) });
}
