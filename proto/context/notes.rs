// SPDX-License-Identifier: GPL-2.0

//! Events that nobody was told yet: at most one of each kind, the latest.

use super::event::{Event, Failure};
use crate::proto::addr::Pair;
use crate::proto::time::Instant;

/// Why a context ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// No R1 or R2 came.
    NoResponse,
    /// "Unrecognized Next Header".
    NoSupport,
    /// Nobody used it, its ULID is no longer ours (RFC 5533 section 1.5), or the peer
    /// reused its tag (section 7.15).
    Gone,
}

/// What is to be told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Notes {
    pub(super) recovering: bool,
    pub(super) established: bool,
    pub(super) peer_locators: bool,
    pub(super) exploring: bool,
    rehomed: Option<Pair>,
    operational: bool,
    pub(super) ended: Option<(Fate, Instant)>,
}

impl Notes {
    /// The pair in use changes from this one.
    pub(super) fn rehomed(&mut self, from: Pair) {
        self.rehomed = Some(self.rehomed.unwrap_or(from));
    }

    /// REAP is content.
    pub(super) fn settled(&mut self) {
        self.operational = true;
    }

    /// The next event, in the order in which things happen.
    pub(super) fn pop(&mut self, now: Pair) -> Option<Event> {
        let take = |flag: &mut bool| core::mem::take(flag);
        if take(&mut self.recovering) {
            return Some(Event::Recovering);
        }
        if take(&mut self.established) {
            return Some(Event::Established);
        }
        if take(&mut self.peer_locators) {
            return Some(Event::PeerLocators);
        }
        if take(&mut self.exploring) {
            return Some(Event::Exploring);
        }
        if let Some(from) = self.rehomed.take() {
            return Some(Event::Rehomed { from, to: now });
        }
        if take(&mut self.operational) {
            return Some(Event::Operational);
        }
        self.ended.take().map(|(fate, hold_until)| match fate {
            Fate::NoResponse => Event::Failed { why: Failure::NoResponse, hold_until },
            Fate::NoSupport => Event::Failed { why: Failure::NoSupport, hold_until },
            Fate::Gone => Event::Gone,
        })
    }
}
