// SPDX-License-Identifier: GPL-2.0

//! REAP, failure detection and locator pair exploration (RFC 5534). One [`Reap`] per
//! established context.
//!
//! ```text
//!                 Send Timeout, hint               peer heard (packet, Keepalive, Probe)
//!   Operational --------------------> Exploring ------------------------------> InboundOk
//!     ^   |                               |  ^            Send Timeout              |  ^
//!     |   |                               |  +--------------------------------------+  |
//!     |   +-------------------------------|--------- Probe Exploring ------------------+
//!     +-----------------------------------+-----------------------------------------+
//!                        Probe InboundOk, Probe Operational: the peer hears us
//! ```
//!
//! From Operational straight to InboundOk goes also who tries the best pair while the current one
//! works ([`Reap::try_best`]).
//!
//! * [`activity`]: what packets write; which timer runs.
//! * [`machine`]: the state machine's tables (RFC 5534 section 6).
//! * [`report`]: what is remembered of probes.
//! * [`timing`]: every interval, with its jitter.
//! * [`prefer`]: when to try the best pair again.

pub mod activity;
pub mod machine;
pub mod prefer;
pub mod report;
pub mod timing;

use crate::proto::addr::{Pair, Tag};
use crate::proto::config::Config;
use crate::proto::env::Env;
use crate::proto::locator::pairs::{Cursor, Moved, PairIndex, Paths};
use crate::proto::time::Instant;
use crate::proto::wire::{Builder, ProbeState};
use activity::Activity;
use report::Reports;

/// The state of REAP in one context (RFC 5534 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReapState {
    /// "The underlying address pairs are assumed to be operational."
    Operational,
    /// "This node hasn't seen any traffic from the peer for more than a Send Timer period."
    Exploring,
    /// "This node sees traffic from the peer, but the peer may not yet see any traffic from
    /// this node, so the exploration process needs to continue."
    InboundOk,
}

impl ReapState {
    const fn on_the_wire(self) -> ProbeState {
        match self {
            ReapState::Operational => ProbeState::Operational,
            ReapState::Exploring => ProbeState::Exploring,
            ReapState::InboundOk => ProbeState::InboundOk,
        }
    }
}

/// Which pair an exploration begins with. The rest follows in the order of
/// [`Paths::next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// A pair that shares nothing with the current one, which is silent.
    Elsewhere,
    /// The current pair: what was heard of it is only a hint, and may be forged.
    CurrentFirst,
    /// The best pair; the current one works, and is next if the best does not answer.
    Preferred,
    /// Any: it is the peer that looks for another, and we heard it all the time.
    Along,
}

/// What a step of REAP works on: lent by the context.
#[derive(Clone, Copy)]
pub struct Io<'a> {
    /// The outside.
    pub env: &'a dyn Env,
    /// What packets wrote.
    pub activity: &'a Activity,
    /// The locators.
    pub paths: Paths<'a>,
    /// The current address pair.
    pub tx: Pair,
    /// The namespace's settings with this context's wishes.
    pub config: Config,
    /// The Keepalive Timeout: the peer's Send Timeout.
    pub keepalive_timeout_ms: u32,
}

impl Io<'_> {
    fn tick(&self) -> u64 {
        self.env.ticks().tick(self.env.now())
    }
}

/// What a step of REAP means for the context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Outcome {
    /// The state that was entered.
    pub entered: Option<ReapState>,
    /// "A new current address pair is chosen."
    pub chosen: Option<Pair>,
    /// Places in Ls(peer) at which a probe of ours arrived, one bit each.
    pub confirmed: u32,
}

/// A message that waits for `poll_transmit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    Keepalive,
    Probe(PairIndex),
}

/// REAP of one context.
#[derive(Clone, Copy, Debug)]
pub struct Reap {
    state: ReapState,
    aim: Aim,
    due: Due,
    /// Probes that the timer sent in this exploration; decides the next interval.
    probes: u8,
    /// Pairs that this exploration picked.
    picks: u8,
    /// Chance, for the timers; drawn again and again.
    spread: u8,
    cursor: Cursor,
    next_probe: Instant,
    last_keepalive: Instant,
    reports: Reports,
}

impl Reap {
    /// A context that was just established, idle.
    pub fn new(env: &dyn Env) -> Reap {
        Reap {
            state: ReapState::Operational,
            aim: Aim::Elsewhere,
            due: Due::Nothing,
            probes: 0,
            picks: 0,
            spread: timing::chance(env),
            cursor: Cursor::START,
            next_probe: Instant(0),
            last_keepalive: Instant(0),
            reports: Reports::default(),
        }
    }

    /// Where it stands.
    pub fn state(&self) -> ReapState {
        self.state
    }

    /// Whether the exploration began because we heard nothing, or were told to doubt the pair.
    pub fn has_doubt(&self) -> bool {
        matches!(self.aim, Aim::Elsewhere | Aim::CurrentFirst)
    }

    /// The peer's locators have other places now. Probes in flight are still known: a list
    /// that comes in the middle of an exploration does not spoil it.
    pub fn peers_moved(&mut self, moved: &Moved) {
        self.reports.peers_moved(moved);
        if let Due::Probe(at) = &mut self.due {
            if !moved.apply(at) {
                self.due = Due::Nothing;
            }
        }
        self.cursor = Cursor::START;
    }

    /// Places in our list mean something else now: what is remembered by place is lost.
    pub fn lists_changed(&mut self) {
        self.reports.clear();
        self.cursor = Cursor::START;
        self.picks = 0;
        self.due = Due::Nothing;
    }

    /// Writes the message that waits: the pair it goes over and its length.
    pub fn emit(&mut self, io: &Io<'_>, tag: Tag, out: &mut [u8]) -> Option<(Pair, usize)> {
        match core::mem::replace(&mut self.due, Due::Nothing) {
            Due::Nothing => None,
            Due::Keepalive => {
                let body = crate::proto::wire::Body::Keepalive { tag };
                let len = Builder::new(out, &body).finish()?;
                io.env.count(crate::proto::counter::Counter::TxKeepalive);
                // "It is sent using the current address pair" (RFC 5534 section 6.1).
                Some((io.tx, len))
            }
            Due::Probe(at) => self.emit_probe(io, tag, at, out),
        }
    }

    fn emit_probe(
        &mut self,
        io: &Io<'_>,
        tag: Tag,
        at: PairIndex,
        out: &mut [u8],
    ) -> Option<(Pair, usize)> {
        let pair = io.paths.resolve(at).filter(|_| io.paths.is_candidate(at))?;
        self.reports.push_sent(io.env.random() as u32, at);
        let mut message = Builder::probe(out, tag, self.state.on_the_wire());
        message.records(self.reports.to_tell_sent(&io.paths), self.reports.to_tell_seen(&io.paths));
        let len = message.finish()?;
        io.env.count(crate::proto::counter::Counter::TxProbe);
        Some((pair, len))
    }
}
