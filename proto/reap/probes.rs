// SPDX-License-Identifier: GPL-2.0

//! The probes of one exploration, as its messages report them (RFC 5534 section 5.2).
//!
//! A few of each, the newest first: "as per any logic employed by the implementation".

use crate::proto::addr::Pair;
use crate::proto::locator::pairs::{pair_at, Place};
use crate::proto::locator::{LocalSet, PeerLocator};
use crate::proto::wire::Record;

/// How many probes are remembered each way.
const KEPT: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    nonce: u32,
    data: u32,
    place: Place,
}

/// What was sent and received since the exploration began.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProbeLog {
    sent: [Option<Entry>; KEPT],
    received: [Option<Entry>; KEPT],
}

fn push(list: &mut [Option<Entry>; KEPT], entry: Entry) {
    if list.contains(&Some(entry)) {
        return;
    }
    list.rotate_right(1);
    if let Some(first) = list.first_mut() {
        *first = Some(entry);
    }
}

impl ProbeLog {
    /// We sent a probe.
    pub fn note_sent(&mut self, nonce: u32, place: Place) {
        push(&mut self.sent, Entry { nonce, data: 0, place });
    }

    /// The peer's probe came.
    pub fn note_received(&mut self, probe: &Record, place: Place) {
        push(&mut self.received, Entry { nonce: probe.nonce, data: probe.data, place });
    }

    /// The pair of a probe of ours that the peer reports: known by its nonce, and only if
    /// the addresses are the ones it was sent with.
    pub fn sent_pair(
        &self,
        report: &Record,
        set: &LocalSet<'_>,
        list: &[PeerLocator],
    ) -> Option<Pair> {
        let entry = self.sent.iter().flatten().find(|e| e.nonce == report.nonce)?;
        let pair = pair_at(entry.place, set, list)?;
        (pair.local == report.src && pair.peer == report.dst).then_some(pair)
    }

    /// The newest first: the probes sent before this one.
    pub fn sent<'a>(
        &'a self,
        set: &'a LocalSet<'a>,
        list: &'a [PeerLocator],
    ) -> impl Iterator<Item = Record> + 'a {
        self.sent.iter().flatten().filter_map(|e| {
            let pair = pair_at(e.place, set, list)?;
            Some(Record { src: pair.local, dst: pair.peer, nonce: e.nonce, data: e.data })
        })
    }

    /// The newest first: the peer's probes.
    pub fn received<'a>(
        &'a self,
        set: &'a LocalSet<'a>,
        list: &'a [PeerLocator],
    ) -> impl Iterator<Item = Record> + 'a {
        self.received.iter().flatten().filter_map(|e| {
            let pair = pair_at(e.place, set, list)?;
            Some(Record { src: pair.peer, dst: pair.local, nonce: e.nonce, data: e.data })
        })
    }

    /// Forgets the places: the lists they point into changed.
    pub fn clear(&mut self) {
        *self = ProbeLog::default();
    }
}
