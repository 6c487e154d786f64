// SPDX-License-Identifier: GPL-2.0

//! Kernel time for the core's timers, and TCP's after a rehoming. Decides nothing itself.
//!
//! A timer is lazy: packets only stamp their context, and the timer wakes at the earliest moment
//! at which something could be due, looks at the stamps and is armed anew.

use crate::drive;
use crate::netns::NetState;
use crate::proto::addr::Tag;
use crate::proto::counter::Counter;
use crate::sys::entry::work::kick_tcp;

/// The timer of a context expired; softirq.
pub(crate) fn expired(state: &NetState, tag: Tag) {
    drive::enter(state, |core| {
        core.context(tag, |ctx, env, activity| ctx.handle_timeout(env, activity))
    });
}

/// Makes TCP send at once over the new path of every context that moved; process context.
pub(crate) fn kick(state: &NetState) {
    let generation = state.next_kick_generation();
    for _ in 0..kick_tcp(state, generation) {
        state.count(Counter::TcpKicked);
    }
}

/// A socket uses a context, if it is still there; process context.
pub(crate) fn in_use(state: &NetState, tag: Tag) {
    drive::enter(state, |core| core.context(tag, |ctx, env, _| ctx.in_use(env)));
}
