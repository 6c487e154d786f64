// SPDX-License-Identifier: GPL-2.0

//! What happened to a context, for those who watch.

use crate::ctl;
use crate::netns::NetState;
use crate::proto::addr::Pair;
use crate::proto::addr::Tag;
use crate::proto::addr::UlidPair;
use crate::proto::context::Event;
use crate::proto::context::State;
use crate::proto::reap::ReapState;

/// One event, with what the context was right after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    /// When, in nanoseconds of CLOCK_MONOTONIC.
    pub(crate) time_ns: u64,
    /// What.
    pub(crate) event: Event,
    /// Whose.
    pub(crate) ulids: UlidPair,
    /// CT(local).
    pub(crate) local_tag: Tag,
    /// CT(peer), if known.
    pub(crate) peer_tag: Option<Tag>,
    /// STATE.
    pub(crate) state: State,
    /// REAP's state, once there is one.
    pub(crate) reap: Option<ReapState>,
    /// Where packets go.
    pub(crate) tx: Pair,
    /// Where they went until now.
    pub(crate) old: Pair,
}

/// Tells those who watch this namespace; any context, the control lock not held.
pub(crate) fn publish(state: &NetState, record: &Record) {
    ctl::notify(state, record);
}
