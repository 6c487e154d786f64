// SPDX-License-Identifier: GPL-2.0

//! SHIM_HOT_STANDBY (RFC 6316 section 6.3): a second pair is kept known to work, and takes over
//! at once when the current one fails.
//!
//! Its probes say InboundOk: "the peer sees our packets" is to be found out, and a peer that has
//! no problem answers such a one and stays as it is (RFC 5534 section 6.8), while one that says
//! Operational is never answered (6.9) and one that says Exploring makes the peer look for
//! another pair itself (6.7). They name nothing that was received, so there is nothing in them
//! that a peer could choose a pair by.

use super::event::Kind;
use super::{Context, Hint, Phase};
use crate::proto::addr::Pair;
use crate::proto::counter::Counter;
use crate::proto::env::Env;
use crate::proto::locator::pairs::Paths;
use crate::proto::locator::standby::{Marks, Which};
use crate::proto::locator::{LocatorStore, Standby};
use crate::proto::reap::activity::{Activity, Direction};
use crate::proto::reap::{Aim, ReapState};
use crate::proto::time::Instant;
use crate::proto::wire::{Builder, Probe, ProbeState, Record};

impl<S: LocatorStore> Context<S> {
    fn standby(&self) -> Option<&Standby> {
        self.wishes().map(|wishes| &wishes.standby).filter(|standby| standby.is_on())
    }

    /// Whether applications wish that a pair stands by.
    pub fn has_standby(&self) -> bool {
        self.standby().is_some()
    }

    fn standby_step<R>(
        &mut self,
        env: &dyn Env,
        step: impl FnOnce(&mut Standby, &Paths<'_>) -> R,
    ) -> Option<R> {
        let mut standby = *self.standby()?;
        let result = step(&mut standby, &self.paths(self.local_set(env)?));
        // They are there, so this asks for no memory.
        self.peers.wishes_mut().ok()?.standby = standby;
        Some(result)
    }

    fn marks(&self, env: &dyn Env, activity: &Activity) -> Marks {
        let turn = activity.turn();
        let instant = |tick| match tick {
            0 => Instant::default(),
            tick => env.ticks().instant(tick),
        };
        let last_rx = instant(activity.last_rx());
        Marks {
            tx: self.tx,
            sent_since: (turn.direction == Direction::Sent).then(|| instant(turn.since)),
            idle: turn.direction == Direction::Idle,
            last: last_rx.max(instant(activity.last_tx())),
            last_rx,
        }
    }

    fn is_operational(&self) -> bool {
        self.reap_state() == Some(ReapState::Operational)
    }

    /// Holds rounds of probes while REAP has no problem, and acts when they show one.
    pub(super) fn standby_timeout(&mut self, env: &dyn Env, activity: &Activity) {
        if !self.is_operational() || !self.has_standby() {
            return;
        }
        let (marks, config) = (self.marks(env, activity), self.config(env));
        let (now, random) = (env.now(), env.random());
        let step = self.standby_step(env, |standby, paths| {
            standby.timeout(&config, now, random, &marks, paths)
        });
        if step == Some(true) {
            env.count(Counter::StandbyUnanswered);
            if !self.switch_over(env, activity, true) {
                self.path_hint(env, activity, Hint::Unanswered);
            }
        }
    }

    pub(super) fn standby_deadline(&self, env: &dyn Env, activity: &Activity) -> Option<Instant> {
        let standby = self.standby().filter(|_| self.is_operational())?;
        standby.deadline(&self.config(env), env.now(), &self.marks(env, activity))
    }

    /// The next probe of a round.
    pub(super) fn standby_transmit(
        &mut self,
        env: &dyn Env,
        out: &mut [u8],
    ) -> Option<(Pair, usize)> {
        if !self.is_operational() {
            return None;
        }
        loop {
            let due = self.standby_step(env, |standby, paths| {
                let (which, pair, nonce) = standby.take_due()?;
                let usable = paths.index(&pair).is_some_and(|at| paths.is_candidate(at));
                Some((which, pair, nonce, usable))
            });
            let (which, pair, nonce, usable) = due.flatten()?;
            if !usable {
                continue;
            }
            let len = self.write_question(env, &pair, nonce, out)?;
            env.count(match which {
                Which::Current => Counter::StandbyAsked,
                Which::Other => Counter::StandbyProbe,
            });
            return Some((pair, len));
        }
    }

    /// A Probe that a peer without a problem answers and that changes nothing there; its length.
    pub(super) fn write_question(
        &self,
        env: &dyn Env,
        pair: &Pair,
        nonce: u32,
        out: &mut [u8],
    ) -> Option<usize> {
        let record = Record { src: pair.local, dst: pair.peer, nonce, data: 0 };
        let mut message = Builder::probe(out, self.peer_tag, ProbeState::InboundOk);
        message.records([record].into_iter(), [].into_iter());
        let len = message.finish()?;
        env.count(Counter::TxProbe);
        Some(len)
    }

    /// A Probe came that may answer ours. True if that is all there is to it: the peer answers
    /// over its own current pair, and what it says of the pair that stands by is no evidence
    /// that the current one works; it must not stop the Send Timer.
    pub(super) fn standby_heard(&mut self, env: &dyn Env, probe: &Probe<'_>) -> bool {
        let now = env.now();
        let heard = self.standby_step(env, |standby, _| standby.heard(now, probe.received()));
        let Some(heard) = heard else { return false };
        if let Some(pair) = heard.fresh {
            env.count(Counter::StandbyConfirmed);
            let known = self.peers.get(&pair.peer).is_none_or(|l| l.is_reachable());
            if !known {
                self.peers.set_reachable(&pair.peer);
                self.events.push(Kind::PeerLocators);
            }
        }
        let only = heard.other && !heard.current;
        only && self.is_operational() && probe.state == ProbeState::Operational
    }

    /// The current pair failed: if another one stands by and is known to work, packets go over
    /// it at once, and REAP makes sure of it afterwards, beginning with it. The Probe that says
    /// Exploring is also what makes the peer come along.
    pub(super) fn switch_over(&mut self, env: &dyn Env, activity: &Activity, silent: bool) -> bool {
        let tx = self.tx;
        let ready = self.standby_step(env, |standby, paths| {
            let fits = |pair: &Pair| paths.index(pair).is_some_and(|at| paths.is_candidate(at));
            standby.ready(&tx).filter(fits)
        });
        let Some(pair) = ready.flatten() else { return false };
        if !matches!(self.phase, Phase::Up(_)) {
            return false;
        }
        if silent && pair.peer != tx.peer {
            self.note_silent(env);
        }
        self.go_over(env, pair);
        env.count(Counter::StandbySwitched);
        if silent {
            let now = env.now();
            self.standby_step(env, |standby, _| standby.gave_up(now));
        }
        self.reap_step(env, activity, |reap, io| reap.explore(io, Aim::CurrentFirst));
        true
    }

    pub(super) fn standby_moved(&mut self, env: &dyn Env) {
        let now = env.now();
        self.standby_step(env, |standby, _| standby.moved(now));
    }
}
