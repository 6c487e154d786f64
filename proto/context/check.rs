// SPDX-License-Identifier: GPL-2.0

//! The reachability check that EUNVERIFIEDLOCATOR sets off: "The application is recommended to
//! use another destination locator until the reachability check for the requested locator is
//! done" (RFC 6316 section 7.2). EUNREACHABLELOCATOR sets it off as well: what did not answer
//! once may be there again.
//!
//! Some probes to that locator of the peer, one locator at a time; an answer makes it one that
//! may be chosen, and if none comes it "is determined to be unreachable". They say InboundOk and
//! name nothing that was received, for the reasons of [`super::standby`], and like there an answer
//! tells nothing of the current pair.

use super::event::Kind;
use super::{Context, Phase};
use crate::proto::addr::{Addr, Pair};
use crate::proto::counter::Counter;
use crate::proto::env::Env;
use crate::proto::locator::pairs::{Cursor, Paths};
use crate::proto::locator::{Check, LocatorStore};
use crate::proto::reap::ReapState;
use crate::proto::time::Instant;
use crate::proto::wire::{Probe, ProbeState, Record};

impl<S: LocatorStore> Context<S> {
    /// An application asked for these: the first that nobody reached the peer at is probed.
    /// Without memory, without a pair that fits, or while another is checked, nothing happens.
    pub(super) fn check_unreached(&mut self, env: &dyn Env, mut of: impl Iterator<Item = Addr>) {
        if self.checked().is_some() || !matches!(self.phase, Phase::Up(_)) {
            return;
        }
        let unreached = of.find(|addr| self.peers.is_unreached(addr));
        let Some(pair) = unreached.and_then(|addr| self.pair_to(env, &addr)) else { return };
        let left = u8::try_from(self.config(env).initial_probes).unwrap_or(u8::MAX);
        let check = Check { pair, nonce: env.random() as u32, left, next: env.now() };
        if let Ok(wishes) = self.peers.wishes_mut() {
            wishes.check = Some(check);
            self.touch();
        }
    }

    fn checked(&self) -> Option<&Check> {
        self.wishes()?.check.as_ref()
    }

    /// The pair that packets would take if that locator of the peer were chosen: from where they
    /// are sent now if that is possible, else the best.
    fn pair_to(&self, env: &dyn Env, addr: &Addr) -> Option<Pair> {
        let paths = self.paths(self.local_set(env)?);
        let beside = Pair { local: self.tx.local, peer: *addr };
        if paths.index(&beside).is_some_and(|at| paths.is_candidate(at)) {
            return Some(beside);
        }
        let mut cursor = Cursor::START;
        while let Some((at, next)) = paths.next(cursor, &self.tx) {
            if let Some(pair) = paths.resolve(at).filter(|pair| pair.peer == *addr) {
                return Some(pair);
            }
            cursor = next;
        }
        None
    }

    pub(super) fn check_deadline(&self) -> Option<Instant> {
        let idle = self.reap_state() == Some(ReapState::Operational);
        self.checked().filter(|_| idle).map(|check| check.next)
    }

    /// The next probe, if it is due. After the last one the answer has its time too.
    pub(super) fn check_transmit(
        &mut self,
        env: &dyn Env,
        out: &mut [u8],
    ) -> Option<(Pair, usize)> {
        let due = self.check_deadline().is_some_and(|at| env.now().reached(at));
        let mut check = *self.checked().filter(|_| due)?;
        let wait = self.config(env).initial_probe_timeout_ms;
        check.next = env.now().after(u64::from(wait));
        // Either list may have changed since it was asked for.
        let fits =
            |paths: &Paths<'_>| paths.index(&check.pair).is_some_and(|at| paths.is_candidate(at));
        let fits = self.local_set(env).is_some_and(|set| fits(&self.paths(set)));
        let left = check.left.checked_sub(1).filter(|_| fits);
        check.left = left.unwrap_or(0);
        self.peers.wishes_mut().ok()?.check = left.map(|_| check);
        if left.is_none() && fits {
            env.count(Counter::CheckUnanswered);
            self.peers.set_silent(&check.pair.peer);
        }
        left?;
        let len = self.write_question(env, &check.pair, check.nonce, out)?;
        env.count(Counter::CheckProbe);
        Some((check.pair, len))
    }

    /// A Probe came that may answer. True if that is all there is to it.
    pub(super) fn check_heard(&mut self, env: &dyn Env, probe: &Probe<'_>) -> bool {
        let Some(check) = self.checked().copied() else { return false };
        let ours = |record: Record| {
            record.nonce == check.nonce
                && check.pair == Pair { local: record.src, peer: record.dst }
        };
        if !probe.received().any(ours) {
            return false;
        }
        if let Ok(wishes) = self.peers.wishes_mut() {
            wishes.check = None;
        }
        env.count(Counter::CheckConfirmed);
        self.peers.set_reachable(&check.pair.peer);
        self.events.push(Kind::PeerLocators);
        self.reap_state() == Some(ReapState::Operational) && probe.state == ProbeState::Operational
    }
}
