// SPDX-License-Identifier: GPL-2.0

//! An established context: REAP, Updates, the choice of the pair, and the end for want of use.

use super::event::Kind;
use super::learn::{Mode, News, Reject, Speech};
use super::local::Told;
use super::{local_set, Bond, Context, Hint, Idle, Phase};
use crate::proto::addr::Pair;
use crate::proto::cga::{Verdict, Wanted};
use crate::proto::counter::Counter;
use crate::proto::env::Env;
use crate::proto::locator::pairs::{Moved, Paths};
use crate::proto::locator::{LocalSet, LocatorStore};
use crate::proto::reap::activity::{Activity, Direction};
use crate::proto::reap::report::Reports;
use crate::proto::reap::{Aim, Io, Outcome, Reap, ReapState};
use crate::proto::time::Instant;
use crate::proto::wire::{Body, Builder, Options, Probe};

/// How long the driver has to find the sockets that use a silent context, in ms.
const SEARCH_MS: u64 = 10_000;

impl<S: LocatorStore> Context<S> {
    pub(super) fn paths<'a>(&'a self, set: LocalSet<'a>) -> Paths<'a> {
        let (ulids, salt) = (self.ulids.pair, self.local_tag.get());
        Paths { set, peers: self.peers.as_slice(), ulids, salt }
    }

    fn io<'a>(&'a self, env: &'a dyn Env, activity: &'a Activity, set: LocalSet<'a>) -> Io<'a> {
        let config = self.config(env);
        Io {
            env,
            activity,
            paths: self.paths(set),
            tx: self.tx,
            keepalive_timeout_ms: self.keepalive_ms(&config),
            config,
        }
    }

    /// Lets REAP make a step, and does what it says.
    pub(super) fn reap_step(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        step: impl FnOnce(&mut Reap, &Io<'_>) -> Outcome,
    ) {
        let Phase::Up(mut reap) = self.phase else { return };
        let Some(set) = self.local_set(env) else { return self.leave(env) };
        let outcome = step(&mut reap, &self.io(env, activity, set));
        self.phase = Phase::Up(reap);
        if outcome.chosen.is_some_and(|pair| pair.peer != self.tx.peer) && reap.has_doubt() {
            self.note_silent(env);
        }
        self.apply(env, outcome);
    }

    /// Packets leave the current pair because nothing came back over it. Where our own end is
    /// gone, that says nothing of the peer's.
    pub(super) fn note_silent(&mut self, env: &dyn Env) {
        if self.local_set(env).is_some_and(|set| set.is_present(&self.tx.local)) {
            self.peers.set_silent(&self.tx.peer);
        }
    }

    fn apply(&mut self, env: &dyn Env, outcome: Outcome) {
        self.note_confirmed(outcome.confirmed);
        match outcome.entered {
            Some(ReapState::Exploring) => self.events.push(Kind::Exploring),
            Some(ReapState::InboundOk) => self.events.push(Kind::InboundOk),
            Some(ReapState::Operational) => self.events.push(Kind::Operational),
            None => {}
        }
        if let Some(pair) = outcome.chosen {
            self.go_over(env, pair);
        }
        if outcome.entered == Some(ReapState::Operational) && self.is_worse(env) {
            self.prefer.ended(env);
        }
    }

    /// "A bit specifying whether the locator has been probed to verify that the ULID is
    /// present at that location" (RFC 5533 section 6.1).
    fn note_confirmed(&mut self, mut confirmed: u32) {
        while confirmed != 0 {
            let place = confirmed.trailing_zeros();
            confirmed &= confirmed.wrapping_sub(1);
            let addr = usize::try_from(place).ok().and_then(|p| self.peers.as_slice().get(p));
            if let Some(addr) = addr.filter(|l| !l.is_reachable()).map(|l| l.addr) {
                self.peers.set_reachable(&addr);
                self.events.push(Kind::PeerLocators);
            }
        }
    }

    /// Where packets go the peer was shown to be, though the list before a new one may not
    /// have named the place.
    pub(super) fn recall_reachable(&mut self) {
        if self.is_active() {
            self.peers.set_reachable(&self.tx.peer);
        }
    }

    /// Packets go over another pair from now on.
    pub(super) fn go_over(&mut self, env: &dyn Env, pair: Pair) {
        if pair == self.tx {
            return;
        }
        let was_worse = self.is_worse(env);
        self.events.push(Kind::Rehomed);
        self.tx = pair;
        self.update.rehomed();
        self.standby_moved(env);
        env.count(Counter::Rehomed);
        match (was_worse, self.is_worse(env)) {
            (_, false) => self.prefer.returned(env),
            (false, true) => self.prefer.left_best(env),
            (true, true) => {}
        }
        self.touch();
    }

    /// Whether there is a pair that is clearly liked more than the current one.
    pub(super) fn is_worse(&self, env: &dyn Env) -> bool {
        let Some(set) = self.local_set(env) else { return false };
        let paths = self.paths(set);
        paths.best().map(|(_, best)| best.coarse())
            > paths.index(&self.tx).and_then(|at| paths.liking(at))
    }

    /// The timer expired, or a packet asked for attention.
    pub fn handle_timeout(&mut self, env: &dyn Env, activity: &Activity) {
        if self.local_set(env).is_none() {
            return self.leave(env);
        }
        if self.is_active() && self.is_at_its_end(env, activity) {
            env.count(Counter::ContextIdle);
            return self.events.push(Kind::Gone);
        }
        if !matches!(self.phase, Phase::Up(_)) {
            return self.handshake_timeout(env);
        }
        let state = self.reap_state();
        self.reap_step(env, activity, |reap, io| reap.timeout(io));
        if (state, self.reap_state()) == (Some(ReapState::Operational), Some(ReapState::Exploring))
        {
            self.switch_over(env, activity, true);
        }
        self.standby_timeout(env, activity);
        self.update.timeout(env);
        if self.prefer_deadline(env, activity).is_some_and(|at| env.now().reached(at)) {
            env.count(Counter::PreferTried);
            self.prefer.begin();
            self.reap_step(env, activity, |reap, io| reap.try_best(io));
        }
    }

    /// ULID(local) is not ours any more: nobody can use the context.
    fn leave(&mut self, env: &dyn Env) {
        env.count(Counter::UlidGone);
        self.events.push(Kind::Gone);
    }

    /// RFC 5533 section 9: "not tear down a context until at least 5 minutes have passed
    /// since the last message was sent or received using the context".
    fn end_of_life(&self, env: &dyn Env, activity: &Activity) -> Instant {
        let last = env.ticks().instant(activity.last_tx().max(activity.last_rx()));
        let idle = match self.bond {
            Bond::Shared | Bond::Socket => u64::from(env.config().gc_idle_ms),
            Bond::Released => self.linger_ms(env),
        };
        let end = last.max(self.alive).after(idle);
        match self.idle {
            Idle::No => end,
            Idle::Ask | Idle::Asked => end.after(SEARCH_MS),
        }
    }

    /// Whether nobody needs the context any more. A silent one first asks for sockets that use
    /// it: without it their packets would go back to the path of the ULIDs, dead or alive.
    fn is_at_its_end(&mut self, env: &dyn Env, activity: &Activity) -> bool {
        if env.now().reached(self.end_of_life(env, activity)) {
            match self.bond {
                Bond::Shared => {}
                Bond::Socket => {
                    self.alive = env.now();
                    return false;
                }
                Bond::Released => return true,
            }
            if self.idle != Idle::No {
                return true;
            }
            self.idle = Idle::Ask;
        } else if self.idle == Idle::Asked {
            let used = activity.last_tx().max(activity.last_rx());
            let idle = u64::from(env.config().gc_idle_ms);
            if env.now().since(env.ticks().instant(used)) < idle {
                self.idle = Idle::No;
            }
        }
        false
    }

    /// When the best pair shall be tried: while there is traffic, and no other exploration.
    fn prefer_deadline(&self, env: &dyn Env, activity: &Activity) -> Option<Instant> {
        let quiet = activity.turn().direction == Direction::Idle;
        let operational = self.reap_state() == Some(ReapState::Operational);
        (operational && !quiet && self.is_worse(env)).then(|| self.prefer.next())
    }

    /// When [`Self::handle_timeout`] has to be called at the latest. After arming the
    /// timer, ask again: a packet may have turned the direction meanwhile.
    pub fn poll_timeout(&self, env: &dyn Env, activity: &Activity) -> Option<Instant> {
        let Some(set) = self.local_set(env) else { return Some(env.now()) };
        let reap = match &self.phase {
            Phase::Failed(..) => return None,
            Phase::Opening(handshake) => {
                let next = Self::handshake_deadline(handshake, env);
                return Some(match self.is_active() {
                    true => next.min(self.end_of_life(env, activity)),
                    false => next,
                });
            }
            Phase::Up(reap) => reap,
        };
        let io = self.io(env, activity, set);
        let deadlines = [
            reap.deadline(&io),
            self.update.deadline(),
            self.update.is_due().then(|| env.now()),
            self.prefer_deadline(env, activity),
            self.standby_deadline(env, activity),
            self.check_deadline(),
        ];
        let end = self.end_of_life(env, activity);
        Some(deadlines.into_iter().flatten().fold(end, Instant::min))
    }

    pub(super) fn session_transmit(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        out: &mut [u8],
    ) -> Option<(Pair, usize)> {
        if self.update.is_due() {
            if self.local_set(env)?.is_present(&self.tx.local) {
                return self.transmit_update(env, activity, out);
            }
            self.update.defer();
        }
        let Phase::Up(mut reap) = self.phase else { return None };
        let set = self.local_set(env)?;
        let sent = reap.emit(&self.io(env, activity, set), self.peer_tag, out);
        self.phase = Phase::Up(reap);
        sent.or_else(|| self.standby_transmit(env, out)).or_else(|| self.check_transmit(env, out))
    }

    fn transmit_update(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        out: &mut [u8],
    ) -> Option<(Pair, usize)> {
        let timeout_ms = self.config(env).send_timeout_ms;
        let set = local_set(env, &self.ulids, &self.peers)?;
        let told = self.told.as_mut()?;
        let len = self.update.emit(&set, timeout_ms, self.peer_tag, told, out)?;
        env.count(Counter::TxUpdate);
        self.control_sent(env, activity);
        Some((self.tx, len))
    }

    /// A control message other than Keepalive and Probe was sent: it counts as payload.
    fn control_sent(&mut self, env: &dyn Env, activity: &Activity) {
        self.linger(env);
        self.reap_step(env, activity, |reap, io| {
            reap.outgoing_payload(io);
            Outcome::default()
        });
    }

    /// Such a message was received.
    fn control_received(&mut self, env: &dyn Env, activity: &Activity) {
        self.peer_heard();
        self.linger(env);
        self.reap_step(env, activity, |reap, io| reap.incoming_payload(io));
    }

    /// Something outside suggests that a path does not work.
    pub fn path_hint(&mut self, env: &dyn Env, activity: &Activity, hint: Hint) {
        env.count(Counter::Hint);
        if hint == Hint::PositiveFeedback {
            return self.vouch(env, activity);
        }
        if self.reap_state() != Some(ReapState::Operational) {
            return;
        }
        if hint != Hint::Asked && self.switch_over(env, activity, false) {
            return;
        }
        // A hint may be forged or mistaken: whether the current pair works is asked first.
        let aim = if hint.is_certain() { Aim::Elsewhere } else { Aim::CurrentFirst };
        self.reap_step(env, activity, |reap, io| reap.explore(io, aim));
    }

    /// The next hop of the current pair does not answer. Who sends nothing has no path to lose.
    pub fn next_hop_lost(&mut self, env: &dyn Env, activity: &Activity) {
        if activity.turn().direction != Direction::Idle {
            env.count(Counter::NextHopLost);
            self.path_hint(env, activity, Hint::NextHopLost);
        }
    }

    /// The set of ULID(local) changed: a locator came, went, or became (un)usable, or its
    /// preference changed; or the Send Timeout did. Tells the peer (RFC 5533 section 10), and
    /// explores if the current pair's own end is not usable any more.
    pub fn local_changed(&mut self, env: &dyn Env, activity: &Activity) {
        let Some(set) = self.local_set(env) else { return self.leave(env) };
        let listed = self.told.is_some_and(|told| told.generation != Some(set.generation()));
        let usable = set.is_usable(&self.tx.local);
        self.touch();
        self.announce(env);
        let Phase::Up(reap) = &mut self.phase else { return };
        if listed {
            reap.lists_changed();
        }
        match reap.state() {
            ReapState::Operational if !usable => {
                self.path_hint(env, activity, Hint::LocalAddressLost);
            }
            ReapState::Operational => self.prefer.hurry(env),
            ReapState::Exploring | ReapState::InboundOk => {
                self.reap_step(env, activity, |reap, io| {
                    reap.try_again(io);
                    Outcome::default()
                });
            }
        }
    }

    /// The list that the peer is not told yet because it wants a signature first.
    pub fn wants_signature(&self, env: &dyn Env) -> Option<Wanted> {
        let set = self.local_set(env)?;
        let generation = set.generation();
        let told = self.told.is_some_and(|told| told.generation == Some(generation));
        match &self.phase {
            Phase::Failed(..) => None,
            _ if told => None,
            _ => set.wants_signature(&mut |parts| env.sha1(parts)),
        }
    }

    /// The signature was made: the peer is told the list.
    pub fn signed(&mut self, env: &dyn Env) {
        self.announce(env);
    }

    /// Tells the peer what it does not know yet.
    pub(super) fn announce(&mut self, env: &dyn Env) {
        self.speak_from_list(env);
        let Some(set) = self.local_set(env) else { return };
        let now = Told::now(&set, self.config(env).send_timeout_ms);
        if let (Phase::Up(_), Some(told)) = (&self.phase, &self.told) {
            self.update.changed(env, told, &now);
        }
    }

    /// A Keepalive came (RFC 5534 section 6.6).
    pub fn handle_keepalive(&mut self, env: &dyn Env, activity: &Activity) {
        self.peer_heard();
        self.reap_step(env, activity, |reap, io| reap.keepalive(io));
    }

    /// A Probe came (RFC 5534 sections 6.7 to 6.9).
    pub fn handle_probe(&mut self, env: &dyn Env, activity: &Activity, probe: &Probe<'_>) {
        if self.standby_heard(env, probe) || self.check_heard(env, probe) {
            return;
        }
        self.peer_heard();
        self.linger(env);
        self.reap_step(env, activity, |reap, io| {
            let own = probe.sent().next();
            let came = own.and_then(|record| Reports::place(&record, &io.paths));
            let Some(came) = came else {
                env.count(Counter::ProbeForeign);
                return Outcome::default();
            };
            reap.probe(io, came, probe)
        });
    }

    /// An Update Request came (RFC 5533 section 10.4); on success the acknowledgement is in
    /// `out`, to be sent over the current pair.
    pub fn handle_update(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        nonce: u32,
        (options, verdict): (&Options<'_>, Verdict),
        out: &mut [u8],
    ) -> Result<Option<usize>, Reject> {
        self.take_update(env, options, verdict)?;
        self.control_received(env, activity);
        if self.peers.get(&self.tx.peer).is_none_or(|l| l.is_broken()) {
            // "The host uses the reachability exploration procedure described in [4] to verify
            // that the new locator is reachable before changing Lp(peer)."
            self.path_hint(env, activity, Hint::Asked);
        }
        self.prefer.hurry(env);
        let body = Body::UpdateAck { tag: self.peer_tag, nonce };
        let len = Builder::new(out, &body).finish();
        env.count(Counter::TxUpdateAck);
        self.control_sent(env, activity);
        Ok(len)
    }

    #[inline(never)] // The list on the stack: in a frame of its own.
    fn take_update(
        &mut self,
        env: &dyn Env,
        options: &Options<'_>,
        verdict: Verdict,
    ) -> Result<(), Reject> {
        let (ulid, old, mode) = (&self.ulids.pair.peer, self.peers.as_slice(), Mode::Update);
        let mut news = News::default();
        news.read(env, &Speech { options, ulid, old, verdict, mode })?;
        if let Some((generation, list)) = news.list() {
            let moved = Moved::between(self.peers.as_slice(), list);
            self.peers.replace(generation, list).map_err(|_| Reject::NoMemory)?;
            self.recall_reachable();
            if let Phase::Up(reap) = &mut self.phase {
                reap.peers_moved(&moved);
            }
            self.events.push(Kind::PeerLocators);
            self.touch();
        }
        if let Some(prefs) = options.preferences {
            if self.peers.generation() != Some(prefs.generation) {
                return Err(Reject::Generation);
            }
            if prefs.count() != self.peers.as_slice().len() {
                return Err(Reject::PreferenceCount);
            }
            self.peers.set_preferences(prefs.iter());
            self.events.push(Kind::PeerLocators);
        }
        if let Some(seconds) = news.keepalive_timeout_s {
            self.keepalive_timeout_s = seconds;
            self.touch();
        }
        Ok(())
    }

    /// An Update Acknowledgement came (RFC 5533 section 10.5).
    pub fn handle_update_ack(&mut self, env: &dyn Env, activity: &Activity, nonce: u32) {
        let known = self.update.acknowledged(env, nonce);
        env.count(if known { Counter::UpdateAcknowledged } else { Counter::UpdateAckStale });
        self.control_received(env, activity);
    }

    /// The peer answered an Update Request of ours with an Error.
    pub fn update_refused(&mut self, env: &dyn Env, nonce: u32, code: u8) {
        if self.update.refused(env, nonce, code) {
            env.count(Counter::UpdateRefused);
        }
    }
}
