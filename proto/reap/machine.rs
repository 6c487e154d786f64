// SPDX-License-Identifier: GPL-2.0

//! The state machine of RFC 5534 section 6.
//!
//! ```text
//!                 Send Timeout, local hint
//!   Operational ----------------------------> Exploring
//!    |  ^  ^                                    |  |
//!    |  |  '--- Probe InboundOk, Operational ---'  | payload, Keepalive,
//!    |  |                                          | Probe Exploring
//!    |  '------ Probe InboundOk, Operational ---.  v
//!    '---------- Probe Exploring -------------> InboundOk
//! ```
//!
//! The machine reads [`Activity`], decides, and says what it wants by `want_*`; the
//! context that owns it sends.

use super::activity::{Activity, Direction};
use super::probes::ProbeLog;
use super::ReapState;
use crate::proto::addr::Pair;
use crate::proto::config::Config;
use crate::proto::env::Ticks;
use crate::proto::locator::pairs::{pair_at, Order, Place, Rank};
use crate::proto::locator::{LocalSet, PeerLocator};
use crate::proto::time::Instant;
use crate::proto::wire::{Probe, ProbeState};

/// Why an exploration began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Send Timeout.
    SendTimeout,
    /// Something outside REAP: a local event, an ICMPv6 error, an application.
    Hint,
    /// The peer explores.
    Peer,
    /// The preferred pair is tried again.
    Return,
}

/// What the machine is told of its context.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The present.
    pub now: Instant,
    /// How packets count time.
    pub ticks: Ticks,
    /// The pair in use.
    pub current: Pair,
    /// ULID(local) and ULID(peer).
    pub ulids: Pair,
    /// Ls(local).
    pub set: LocalSet<'a>,
    /// Ls(peer).
    pub list: &'a [PeerLocator],
    /// The administrator's settings.
    pub config: &'a Config,
    /// The Send Timeout of this context, spread, in ms.
    pub send_timeout_ms: u64,
    /// The Keepalive Timeout that the peer wants, in ms.
    pub keepalive_timeout_ms: u64,
}

impl View<'_> {
    fn tick(&self) -> u64 {
        self.ticks.tick(self.now)
    }

    /// Which timer runs, and since when.
    fn turn(&self, activity: &Activity) -> (Direction, Instant) {
        let turn = activity.turn();
        (turn.direction, self.ticks.instant(turn.since))
    }

    /// START, if it was not running.
    fn start(&self, activity: &Activity, timer: Direction) {
        if activity.turn().direction != timer {
            activity.set(timer, self.tick());
        }
    }

    /// RESTART Send; the Keepalive Timer stops.
    fn restart_send(&self, activity: &Activity) {
        activity.set(Direction::Sent, self.tick());
    }

    /// STOP Send, if it was running.
    fn stop_send(&self, activity: &Activity) {
        if activity.turn().direction == Direction::Sent {
            activity.set(Direction::Idle, self.tick());
        }
    }

    fn order(&self, avoid_current: bool) -> Order {
        Order { current: self.current, avoid_current, ulids: self.ulids }
    }

    /// The Keepalive Interval: "one-half to one-third of the Keepalive Timeout".
    fn keepalive_interval_ms(&self) -> u64 {
        match u64::from(self.config.keepalive_interval_ms) {
            0 => (self.keepalive_timeout_ms / 3).max(1),
            ms => ms.min(self.keepalive_timeout_ms),
        }
    }

    /// The pair that would be used if everything worked.
    fn best(&self) -> Option<(Pair, Place)> {
        let (place, _) = self.order(false).next(None, &self.set, self.list)?;
        Some((pair_at(place, &self.set, self.list)?, place))
    }
}

/// What a step of the machine led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The pair to use from now on.
    pub switch: Option<Pair>,
    /// An exploration began.
    pub began: Option<Cause>,
    /// The exploration ended: both sides are content.
    pub settled: bool,
}

/// One context's REAP state.
#[derive(Clone, Copy, Debug)]
pub struct Reap {
    state: ReapState,
    /// The probes of this exploration.
    pub log: ProbeLog,
    /// Probes sent by timer in this exploration.
    count: u16,
    last_rank: Option<Rank>,
    /// When the next probe is due; `None` in the Operational state.
    next_probe: Option<Instant>,
    /// A probe is to be sent now, to this place or to the next in the order.
    want_probe: bool,
    to: Option<Place>,
    /// A keepalive is to be sent now.
    want_keepalive: bool,
    /// The turn whose keepalives were counted, and how many were sent.
    keepalive_turn: Instant,
    keepalives: u8,
    began: Instant,
    /// When the preferred pair is tried again, and how often that failed.
    prefer_at: Instant,
    prefer_failed: u8,
    returning: bool,
}

impl Reap {
    /// The machine of a context established now.
    pub fn new(now: Instant, config: &Config) -> Reap {
        Reap {
            state: ReapState::Operational,
            log: ProbeLog::default(),
            count: 0,
            last_rank: None,
            next_probe: None,
            want_probe: false,
            to: None,
            want_keepalive: false,
            keepalive_turn: now,
            keepalives: 0,
            began: Instant::default(),
            prefer_at: now.after(u64::from(config.prefer_interval_ms)),
            prefer_failed: 0,
            returning: false,
        }
    }

    /// The state.
    pub fn state(&self) -> ReapState {
        self.state
    }

    /// How soon after a packet turned the direction of an idle context somebody must
    /// look: when the earliest timer may end. In ms.
    pub fn wake_after_ms(&self, view: &View<'_>) -> u64 {
        view.keepalive_interval_ms().min(view.send_timeout_ms)
    }

    /// When [`Self::expire`] has something to do.
    pub fn deadline(&self, view: &View<'_>, activity: &Activity) -> Option<Instant> {
        let timer = match (self.state, view.turn(activity)) {
            (ReapState::Exploring, (Direction::Received, _)) => Some(view.now),
            (ReapState::Exploring, _) => None,
            (_, (Direction::Sent, since)) => Some(since.after(view.send_timeout_ms)),
            (ReapState::Operational, (Direction::Received, since)) => {
                Some(self.next_keepalive(since, view).min(since.after(view.keepalive_timeout_ms)))
            }
            _ => None,
        };
        let retry = match self.state {
            ReapState::Operational => self.prefer_deadline(view, activity),
            _ => self.next_probe,
        };
        [timer, retry].into_iter().flatten().min()
    }

    /// While traffic flows on another pair than the best, the best is tried again.
    fn prefer_deadline(&self, view: &View<'_>, activity: &Activity) -> Option<Instant> {
        let (best, _) = view.best()?;
        let last = activity.last_tx().max(activity.last_rx());
        let quiet = view.now.since(view.ticks.instant(last));
        let in_use = quiet < u64::from(view.config.prefer_interval_ms);
        (best != view.current && in_use).then_some(self.prefer_at)
    }

    fn next_keepalive(&self, since: Instant, view: &View<'_>) -> Instant {
        let sent = if self.keepalive_turn == since { u64::from(self.keepalives) } else { 0 };
        since.after(view.keepalive_interval_ms().saturating_mul(sent + 1))
    }

    /// Does what is due (RFC 5534 sections 6.3 to 6.5).
    pub fn expire(&mut self, view: &View<'_>, activity: &Activity) -> Outcome {
        match (self.state, view.turn(activity)) {
            (ReapState::Exploring, (Direction::Received, _)) => self.inbound_ok(view, activity),
            (ReapState::Operational | ReapState::InboundOk, (Direction::Sent, since))
                if view.now.reached(since.after(view.send_timeout_ms)) =>
            {
                return self.explore(Cause::SendTimeout, view, activity);
            }
            (ReapState::Operational, (Direction::Received, since)) => {
                self.keepalive(since, view, activity)
            }
            _ => {}
        }
        if self.state != ReapState::Operational {
            self.retransmit(view, activity);
            return Outcome::default();
        }
        match self.prefer_deadline(view, activity) {
            Some(at) if view.now.reached(at) => self.try_preferred(view, activity),
            _ => Outcome::default(),
        }
    }

    /// Section 6.1: "While the Keepalive Timer is running, the node SHOULD send Keepalive
    /// messages to the peer with an interval of Keepalive Interval seconds"; section 6.3:
    /// "Upon a timeout on the Keepalive Timer, the node sends one last Keepalive message."
    fn keepalive(&mut self, since: Instant, view: &View<'_>, activity: &Activity) {
        if view.now.reached(since.after(view.keepalive_timeout_ms)) {
            activity.set(Direction::Idle, view.tick());
        } else if !view.now.reached(self.next_keepalive(since, view)) {
            return;
        }
        if self.keepalive_turn != since {
            self.keepalive_turn = since;
            self.keepalives = 0;
        }
        self.keepalives = self.keepalives.saturating_add(1);
        self.want_keepalive = true;
    }

    /// Section 6.4: "the node enters the Exploring state and sends a Probe message".
    fn explore(&mut self, cause: Cause, view: &View<'_>, activity: &Activity) -> Outcome {
        self.begin(view);
        self.state = ReapState::Exploring;
        activity.set(Direction::Exploring, view.tick());
        self.ask(None);
        Outcome { began: Some(cause), ..Outcome::default() }
    }

    fn begin(&mut self, view: &View<'_>) {
        self.log = ProbeLog::default();
        self.count = 0;
        self.last_rank = None;
        self.next_probe = Some(view.now);
        self.began = view.now;
        self.returning = false;
    }

    fn ask(&mut self, to: Option<Place>) {
        self.want_probe = true;
        self.to = to;
    }

    /// Sections 6.1 and 6.6 in Exploring: "it transitions to the InboundOK state, sends a
    /// Probe message, and starts the Send Timer".
    fn inbound_ok(&mut self, view: &View<'_>, activity: &Activity) {
        self.state = ReapState::InboundOk;
        view.restart_send(activity);
        self.ask(None);
    }

    /// Section 6.5: "the node keeps retransmitting its Probe messages to different (or the
    /// same) addresses".
    fn retransmit(&mut self, view: &View<'_>, activity: &Activity) {
        if self.next_probe.is_some_and(|at| view.now.reached(at)) {
            self.want_probe = true;
            if self.state == ReapState::InboundOk {
                view.start(activity, Direction::Sent);
            }
        }
    }

    /// The preferred pair is tried while the current one goes on carrying the data: a
    /// local event that leads to InboundOk, from which the peer's answer leads back.
    fn try_preferred(&mut self, view: &View<'_>, activity: &Activity) -> Outcome {
        let Some((_, place)) = view.best() else { return Outcome::default() };
        self.begin(view);
        self.state = ReapState::InboundOk;
        self.returning = true;
        self.prefer_failed = (self.prefer_failed + 1).min(4);
        view.restart_send(activity);
        self.ask(Some(place));
        Outcome { began: Some(Cause::Return), ..Outcome::default() }
    }

    /// A sign that the pair in use may be broken. "Prior to that, the payload packets
    /// continue to be sent to the previously used addresses": it only starts the
    /// exploration, and not more than once in a second unless we know for certain.
    pub fn hint(&mut self, certain: bool, view: &View<'_>, activity: &Activity) -> Outcome {
        let fresh = self.began != Instant::default() && view.now.since(self.began) < 1000;
        let busy = self.state != ReapState::Operational;
        if (busy && !(certain && self.returning)) || (fresh && !certain) {
            return Outcome::default();
        }
        self.explore(Cause::Hint, view, activity)
    }

    /// Section 6.6.
    pub fn on_keepalive(&mut self, view: &View<'_>, activity: &Activity) {
        match self.state {
            ReapState::Exploring => self.inbound_ok(view, activity),
            _ => view.stop_send(activity),
        }
    }

    /// Section 6.1, for control messages "other than the Keepalive and Probe messages".
    pub fn on_control(&mut self, view: &View<'_>, activity: &Activity) {
        match self.state {
            ReapState::Exploring => self.inbound_ok(view, activity),
            ReapState::Operational => view.start(activity, Direction::Received),
            ReapState::InboundOk => view.stop_send(activity),
        }
    }

    /// Sections 6.7 to 6.9. `came` is the pair the probe came on, from our side.
    pub fn on_probe(
        &mut self,
        probe: &Probe<'_>,
        came: Place,
        view: &View<'_>,
        activity: &Activity,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        if self.state == ReapState::Operational && probe.state == ProbeState::Exploring {
            self.begin(view);
            outcome.began = Some(Cause::Peer);
        }
        if let Some(this) = probe.sent().next() {
            self.log.note_received(&this, came);
        }
        match probe.state {
            ProbeState::Exploring => {
                self.state = ReapState::InboundOk;
                view.restart_send(activity);
                // The way it came is the likeliest way back; the others follow by timer.
                self.ask(Some(came));
            }
            ProbeState::InboundOk => {
                outcome.switch = self.reported(probe, view);
                outcome.settled = self.settle(view, outcome.switch);
                view.restart_send(activity);
                self.ask(None);
            }
            ProbeState::Operational => {
                outcome.switch = self.reported(probe, view);
                outcome.settled = self.settle(view, outcome.switch);
                view.stop_send(activity);
                view.start(activity, Direction::Received);
            }
        }
        outcome
    }

    /// "A new current address pair is chosen for the connection, based on the reports of
    /// received probes in the message that we just received": of those that arrived, the
    /// one that stands first in the order.
    fn reported(&self, probe: &Probe<'_>, view: &View<'_>) -> Option<Pair> {
        let order = view.order(false);
        probe
            .received()
            .filter_map(|r| {
                let pair = self.log.sent_pair(&r, &view.set, view.list)?;
                Some((order.rank_of(&pair, &view.set, view.list)?, pair))
            })
            .min_by_key(|(rank, _)| *rank)
            .map(|(_, pair)| pair)
    }

    /// To Operational; whether it was not there.
    fn settle(&mut self, view: &View<'_>, switch: Option<Pair>) -> bool {
        if self.state == ReapState::Operational {
            return false;
        }
        self.state = ReapState::Operational;
        self.next_probe = None;
        self.want_probe = false;
        self.returning = false;
        let best = view.best().map(|(pair, _)| pair);
        if best == Some(switch.unwrap_or(view.current)) {
            self.prefer_failed = 0;
        }
        let interval = u64::from(view.config.prefer_interval_ms);
        let wait = interval << self.prefer_failed.saturating_sub(1).min(3);
        self.prefer_at = view.now.after(wait);
        true
    }

    /// Whether a keepalive is to be sent; asked once.
    pub fn take_keepalive(&mut self) -> bool {
        core::mem::take(&mut self.want_keepalive)
    }

    /// Whether a probe is to be sent.
    pub fn wants_probe(&self) -> bool {
        self.want_probe
    }

    /// The state as a probe tells it.
    pub fn probe_state(&self) -> ProbeState {
        match self.state {
            ReapState::Operational => ProbeState::Operational,
            ReapState::Exploring => ProbeState::Exploring,
            ReapState::InboundOk => ProbeState::InboundOk,
        }
    }

    /// The pair of the probe that is to be sent now, if one is; noted as sent with
    /// `nonce`. In the Operational state it goes over the current pair.
    pub fn take_probe(&mut self, view: &View<'_>, nonce: u32, random: u64) -> Option<Pair> {
        if !core::mem::take(&mut self.want_probe) {
            return None;
        }
        let forced = self.to.take();
        if self.state == ReapState::Operational {
            return Some(view.current);
        }
        let by_timer = self.next_probe.is_some_and(|at| view.now.reached(at));
        if by_timer {
            self.count = self.count.saturating_add(1);
            self.next_probe = Some(view.now.after(self.interval_ms(view.config, random)));
        }
        let place = match forced {
            Some(place) => place,
            None => self.next_place(view)?,
        };
        self.log.note_sent(nonce, place);
        pair_at(place, &view.set, view.list)
    }

    fn next_place(&mut self, view: &View<'_>) -> Option<Place> {
        // After the preferred pair the current one, which is known to work.
        if core::mem::take(&mut self.returning) {
            let local = view.set.index_of(&view.current.local)?;
            let peer = view.list.iter().position(|l| l.addr == view.current.peer)?;
            return Some(Place { local, peer: peer.try_into().ok()? });
        }
        let order = view.order(true);
        let next = order
            .next(self.last_rank, &view.set, view.list)
            .or_else(|| order.next(None, &view.set, view.list));
        let (place, rank) = next?;
        self.last_rank = Some(rank);
        Some(place)
    }

    /// The time to the next probe: Initial Probe Timeout for the first Number of Initial
    /// Probes, then "exponential back-off" to Max Probe Timeout; spread by a fifth.
    fn interval_ms(&self, config: &Config, random: u64) -> u64 {
        let over = u32::from(self.count).saturating_sub(config.initial_probes);
        let initial = u64::from(config.initial_probe_timeout_ms);
        let nominal = initial
            .checked_shl(over.min(32))
            .unwrap_or(u64::MAX)
            .min(u64::from(config.max_probe_timeout_ms).max(initial));
        nominal - nominal / 10 + random % (nominal / 5 + 1)
    }
}
