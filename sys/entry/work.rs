// SPDX-License-Identifier: GPL-2.0

//! What the kernel calls in process context, through `sys/work.c` and `sys/kick.c`.

use crate::control;
use crate::hba;
use crate::netns::NetState;
use crate::netns::View;
use crate::proto::addr::Tag;
use crate::proto::context::Flow;
use crate::reap;
use crate::signatures;
use crate::sys::addr;
use crate::sys::bindings;
use crate::sys::kick;
use crate::sys::rcu::Guard;
use crate::sys::rcu::Rcu;
use crate::sys::work::Kind;
use crate::table::Node;
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
        Some(Kind::Neighbours) => hba::ask_neighbours(state),
        Some(Kind::Signatures) => signatures::work(state),
        None => {}
    }
}

/// Makes the retransmission timers of all TCP sockets expire whose context is of this
/// `generation`; returns how many. Sleeps.
pub(crate) fn kick_tcp(state: &NetState, generation: u32) -> u32 {
    // SAFETY: the state is that of the namespace, for `shim6_entry_wants_kick`.
    unsafe { kick::tcp(state.net(), from_ref(state).cast_mut().cast(), generation) }
}

/// The context that a socket's packets take.
fn context_of<'a>(view: View<'a>, ends: &bindings::shim6_ends) -> Option<&'a Node> {
    let fork = (ends.fork != 0).then(|| Tag::new(ends.fork));
    let flow = Flow::new(ends.protocol, ends.local_port, ends.peer_port);
    view.of_socket(&addr(&ends.local), &addr(&ends.peer), fork, flow)
}

/// # Safety
///
/// `owner` was given to `kick_tcp`, which is running; `ends` can be read.
#[no_mangle]
unsafe extern "C" fn shim6_entry_wants_kick(
    owner: *mut c_void,
    ends: *const bindings::shim6_ends,
    generation: u32,
) -> bool {
    // SAFETY: by contract.
    let (state, ends) = unsafe { (&*owner.cast::<NetState>(), &*ends) };
    let guard = Guard::new();
    context_of(View::new(state, Rcu::of(&guard)), ends)
        .is_some_and(|node| generation == ANY || node.wants_kick(generation))
}

/// Tells the contexts of all TCP sockets that they are in use. Sleeps.
fn find_users(state: &NetState) {
    // SAFETY: the state is that of the namespace, for `shim6_entry_wants_kick` and `_in_use`.
    unsafe { kick::users(state.net(), from_ref(state).cast_mut().cast(), ANY) };
}

/// # Safety
///
/// `owner` was given to `find_users`, which is running; `ends` can be read.
#[no_mangle]
unsafe extern "C" fn shim6_entry_in_use(owner: *mut c_void, ends: *const bindings::shim6_ends) {
    // SAFETY: by contract.
    let (state, ends) = unsafe { (&*owner.cast::<NetState>(), &*ends) };
    let guard = Guard::new();
    let tag = context_of(View::new(state, Rcu::of(&guard)), ends).map(|node| node.tag());
    drop(guard);
    if let Some(tag) = tag {
        reap::in_use(state, tag);
    }
}
