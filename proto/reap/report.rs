// SPDX-License-Identifier: GPL-2.0

//! What is remembered of probes sent and received, a few of each: enough for what may be
//! in flight, small because every context has it.

use crate::proto::addr::Pair;
use crate::proto::locator::pairs::{Moved, PairIndex, Paths};
use crate::proto::wire::Record;

/// How many sent probes are known again by their nonces.
pub const SENT: usize = 6;
/// How many received probes are reported.
pub const RECEIVED: usize = 4;

/// A probe of ours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// What we know it again by; random.
    pub nonce: u32,
    /// Between which locators it went.
    pub at: PairIndex,
    /// Whether the peer reported it.
    pub reported: bool,
    used: bool,
}

/// A probe of the peer's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// What the peer knows it again by.
    pub nonce: u32,
    /// "The Probe Data field is copied back with no changes."
    pub data: u32,
    /// Between which locators it came (as we name them).
    pub at: PairIndex,
    used: bool,
}

/// The newest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reports {
    sent: [Sent; SENT],
    seen: [Seen; RECEIVED],
}

impl Reports {
    /// Forgets all of them: "since the last transition to state Exploring" (RFC 5534
    /// section 5.2).
    pub fn clear(&mut self) {
        *self = Reports::default();
    }

    /// Forgets what was received, and what the peer told of ours. What may be in flight stays.
    pub fn forget_outcome(&mut self) {
        self.seen = Default::default();
        for sent in self.sent.iter_mut() {
            sent.used &= !sent.reported;
        }
    }

    /// Whether the peer told of a probe over this pair.
    pub fn is_confirmed(&self, at: PairIndex) -> bool {
        self.sent.iter().any(|s| s.used && s.reported && s.at == at)
    }

    /// The peer's locators have other places now; what names one that is gone is forgotten.
    pub fn peers_moved(&mut self, moved: &Moved) {
        for sent in self.sent.iter_mut().filter(|s| s.used) {
            sent.used = moved.apply(&mut sent.at);
        }
        for seen in self.seen.iter_mut().filter(|s| s.used) {
            seen.used = moved.apply(&mut seen.at);
        }
    }

    /// A probe is being sent.
    pub fn push_sent(&mut self, nonce: u32, at: PairIndex) {
        self.sent.rotate_right(1);
        if let Some(first) = self.sent.first_mut() {
            *first = Sent { nonce, at, reported: false, used: true };
        }
    }

    /// A probe was received; one that came twice is kept once.
    pub fn push_seen(&mut self, nonce: u32, data: u32, at: PairIndex) {
        if self.seen.iter().any(|s| s.used && s.nonce == nonce) {
            return;
        }
        self.seen.rotate_right(1);
        if let Some(first) = self.seen.first_mut() {
            *first = Seen { nonce, data, at, used: true };
        }
    }

    /// The peer reports that it received this probe: the pair it went over, if we sent it
    /// there.
    pub fn confirm(&mut self, record: &Record, paths: &Paths<'_>) -> Option<PairIndex> {
        let sent = self.sent.iter_mut().find(|s| s.used && s.nonce == record.nonce)?;
        let pair = Pair { local: record.src, peer: record.dst };
        if paths.resolve(sent.at)? != pair {
            return None;
        }
        sent.reported = true;
        Some(sent.at)
    }

    /// "Recent Probe messages that have not yet been reported as seen by the peer" (RFC 5534
    /// section 6.1), and always the one being sent, which is the first.
    pub fn to_tell_sent<'a>(&'a self, paths: &'a Paths<'a>) -> impl Iterator<Item = Record> + 'a {
        let places = 0..self.sent.len();
        let fresh = self.sent.iter().zip(places);
        let fresh = fresh.filter(|(s, i)| s.used && (*i == 0 || !s.reported));
        fresh.filter_map(|(s, _)| {
            let pair = paths.resolve(s.at)?;
            Some(Record { src: pair.local, dst: pair.peer, nonce: s.nonce, data: 0 })
        })
    }

    /// "Recent Probe messages it has seen from the peer."
    pub fn to_tell_seen<'a>(&'a self, paths: &'a Paths<'a>) -> impl Iterator<Item = Record> + 'a {
        self.seen.iter().filter(|s| s.used).filter_map(|s| {
            let pair = paths.resolve(s.at)?;
            Some(Record { src: pair.peer, dst: pair.local, nonce: s.nonce, data: s.data })
        })
    }

    /// Names a probe's record by places, if both its ends are of the context.
    pub fn place(record: &Record, paths: &Paths<'_>) -> Option<PairIndex> {
        paths.index(&Pair { local: record.dst, peer: record.src })
    }
}
