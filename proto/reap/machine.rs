// SPDX-License-Identifier: GPL-2.0

//! The state machine of RFC 5534 section 6, table by table.
//!
//! In the tables' words, START, RESTART and STOP of a timer set the direction in
//! [`Activity`](super::activity::Activity); SEND leaves a message for `emit`; GOTO is
//! [`Reap::enter`]. Packets of data make their part of tables 6.1 and 6.2 themselves, in
//! `Activity`; what is left is what they cannot do.

use super::activity::{Direction, Turn};
use super::{timing, Aim, Due, Io, Outcome, Reap, ReapState};
use crate::proto::counter::Counter;
use crate::proto::locator::pairs::{Cursor, PairIndex};
use crate::proto::time::Instant;
use crate::proto::wire::{Probe, ProbeState};
use core::cmp::Reverse;

impl Reap {
    /// 6.1: a packet of data was seen by [`Activity`](super::activity::Activity), or a
    /// control message came: "The reception of Shim6 control messages other than the
    /// Keepalive and Probe messages are treated the same as the reception of payload packets."
    pub fn incoming_payload(&mut self, io: &Io<'_>) -> Outcome {
        match self.state {
            ReapState::Operational => {
                // STOP Send, START Keepalive.
                self.start_keepalive(io);
                Outcome::default()
            }
            ReapState::Exploring => self.heard(io),
            ReapState::InboundOk => {
                stop_send(io);
                Outcome::default()
            }
        }
    }

    /// 6.2: a control message that counts as payload was sent.
    pub fn outgoing_payload(&mut self, io: &Io<'_>) {
        match self.state {
            ReapState::Operational | ReapState::InboundOk => start_send(io),
            ReapState::Exploring => {}
        }
    }

    /// 6.3: "Upon a timeout on the Keepalive Timer, the node sends one last Keepalive
    /// message."
    fn keepalive_timeout(&mut self, io: &Io<'_>, turn: Turn) {
        self.send_keepalive(io);
        io.activity.replace(turn, Direction::Idle, io.tick());
    }

    /// 6.4: "Upon a timeout on the Send Timer, the node enters the Exploring state and sends
    /// a Probe message."
    fn send_timeout(&mut self, io: &Io<'_>) -> Outcome {
        self.explore(io, Aim::Elsewhere)
    }

    /// 6.5: "While in the Exploring state, the node keeps retransmitting its Probe messages
    /// to different (or the same) addresses". "A similar process is employed in the
    /// InboundOk state, except that upon such retransmission, the Send Timer is started if
    /// it was not running already."
    fn retransmission(&mut self, io: &Io<'_>) {
        if self.state == ReapState::InboundOk {
            start_send(io);
        }
        self.send_next_probe(io);
    }

    /// 6.6: a Keepalive was received.
    pub fn keepalive(&mut self, io: &Io<'_>) -> Outcome {
        match self.state {
            ReapState::Operational | ReapState::InboundOk => {
                stop_send(io);
                Outcome::default()
            }
            ReapState::Exploring => self.heard(io),
        }
    }

    /// 6.7 to 6.9: a Probe was received, whose own record names the pair `came`.
    pub fn probe(&mut self, io: &Io<'_>, came: PairIndex, probe: &Probe<'_>) -> Outcome {
        let settled = self.state == ReapState::Operational;
        // What came of an exploration long ago is no news.
        if settled && probe.state == ProbeState::Exploring {
            self.reports.forget_outcome();
        }
        if let Some(own) = probe.sent().next() {
            self.reports.push_seen(own.nonce, own.data, came);
        }
        let current = io.paths.index(&io.tx);
        let kept = current.filter(|at| settled && self.reports.is_confirmed(*at));
        let mut outcome = Outcome::default();
        let mut chosen = self.confirmations(io, probe, &mut outcome);
        // The exploration ended with a pair that was confirmed, of which this message need not
        // tell again: what is confirmed later is chosen only if it is better.
        if let Some(kept) = kept {
            chosen = chosen.filter(|at| io.paths.liking(*at) > io.paths.liking(kept));
        }
        match probe.state {
            ProbeState::Exploring => {
                outcome.entered = self.probe_exploring(io, came);
            }
            // The peer hears us over a pair that one of its ends disowned meanwhile: the
            // exploration goes on until it confirms another.
            _ if chosen.is_none() && is_stranded(io) => {
                restart_send(io);
                outcome.entered = self.enter(io, ReapState::InboundOk);
            }
            ProbeState::InboundOk => {
                outcome.chosen = chosen.and_then(|at| io.paths.resolve(at));
                let over = chosen.or_else(|| io.paths.index(&io.tx));
                outcome.entered = self.probe_inbound_ok(io, over.unwrap_or(came));
            }
            ProbeState::Operational => {
                // "A new current address pair is chosen" is said of 6.8 only, but the
                // example runs of appendix A do it here too, and without it the end that
                // saw the problem last would never leave the broken pair.
                outcome.chosen = chosen.and_then(|at| io.paths.resolve(at));
                outcome.entered = self.probe_operational(io);
            }
        }
        outcome.chosen = outcome.chosen.filter(|pair| *pair != io.tx);
        outcome
    }

    /// 6.7: "the node enters the InboundOK state, sends a Probe message as described in
    /// Section 6.1, stops the Keepalive Timer if it was running, and restarts the Send
    /// Timer". The probe goes back the way it came: "B2 as the most likely candidate, as it
    /// appeared in the Probe" (appendix A, example 4).
    fn probe_exploring(&mut self, io: &Io<'_>, came: PairIndex) -> Option<ReapState> {
        restart_send(io);
        let entered = self.enter(io, ReapState::InboundOk);
        let at = if io.paths.is_candidate(came) { Some(came) } else { self.pick(io) };
        self.send_probe(io, at);
        entered
    }

    /// 6.8: "the node sends a Probe message, restarts the Send Timer, stops the Keepalive
    /// Timer if it was running, and transitions to the Operational state". The probe goes
    /// over the current pair, just confirmed: either by a report, or, if the peer reports
    /// nothing, because it can only have heard our packets there.
    fn probe_inbound_ok(&mut self, io: &Io<'_>, over: PairIndex) -> Option<ReapState> {
        restart_send(io);
        let entered = self.enter(io, ReapState::Operational);
        self.send_probe(io, Some(over));
        entered
    }

    /// 6.9: "the node stops the Send Timer if it was running, starts the Keepalive Timer if
    /// it was not yet running, and transitions to the Operational state".
    fn probe_operational(&mut self, io: &Io<'_>) -> Option<ReapState> {
        let entered = self.enter(io, ReapState::Operational);
        self.start_keepalive(io);
        entered
    }

    /// The peer was heard in the Exploring state: tables 6.1 and 6.6.
    fn heard(&mut self, io: &Io<'_>) -> Outcome {
        let entered = self.enter(io, ReapState::InboundOk);
        restart_send(io);
        let at = match self.aim {
            // The answer from the pair that is being tried needs its time: the same again.
            Aim::CurrentFirst if self.picks <= 1 => io.paths.index(&io.tx),
            _ => self.pick(io),
        };
        self.send_probe(io, at);
        Outcome { entered, ..Outcome::default() }
    }

    /// Begins an exploration: on a Send Timeout, or because something outside says so
    /// ("tracking local information", RFC 5534 section 4.1).
    pub fn explore(&mut self, io: &Io<'_>, aim: Aim) -> Outcome {
        let entered = self.enter(io, ReapState::Exploring);
        self.aim = aim;
        // "No timer is running in the Exploring state."
        io.activity.set(Direction::Exploring, io.tick());
        self.send_next_probe(io);
        Outcome { entered, ..Outcome::default() }
    }

    /// Tries the best pair while the current one works. We hear the peer, so this is the
    /// InboundOk state, not Exploring: the peer answers with what it received, and stays with
    /// its own pair, which is no business of ours.
    pub fn try_best(&mut self, io: &Io<'_>) -> Outcome {
        let entered = self.enter(io, ReapState::InboundOk);
        self.aim = Aim::Preferred;
        self.reports.clear();
        restart_send(io);
        self.send_next_probe(io);
        Outcome { entered, ..Outcome::default() }
    }

    /// Our own locators changed in the middle of an exploration: go on at once, from the
    /// beginning.
    pub fn try_again(&mut self, io: &Io<'_>) {
        if self.state != ReapState::Operational {
            self.probes = 0;
            self.send_next_probe(io);
        }
    }

    /// The timer expired, or a packet of data woke it.
    pub fn timeout(&mut self, io: &Io<'_>) -> Outcome {
        let now = io.env.now();
        let turn = io.activity.turn();
        match (self.state, turn.direction) {
            // Sent: one was received, and answered before the timer expired.
            (ReapState::Exploring, Direction::Received | Direction::Sent) => {
                return self.incoming_payload(io)
            }
            (ReapState::Operational | ReapState::InboundOk, Direction::Sent)
                if now.reached(self.send_deadline(io, turn)) =>
            {
                return self.send_timeout(io);
            }
            (ReapState::Operational, Direction::Received) => self.keepalive_timer(io, turn),
            _ => {}
        }
        if self.state != ReapState::Operational && now.reached(self.next_probe) {
            self.retransmission(io);
        }
        Outcome::default()
    }

    /// The next deadline; `None` if nothing runs. A direction that packets may turn at
    /// any time is looked at again after the least a timer can take.
    pub fn deadline(&self, io: &Io<'_>) -> Option<Instant> {
        if self.due != Due::Nothing {
            return Some(io.env.now());
        }
        let turn = io.activity.turn();
        let again = io.env.now().after(u64::from(timing::wake_after(
            &io.config,
            io.config.send_timeout_ms,
            io.keepalive_timeout_ms,
        )));
        match (self.state, turn.direction) {
            (ReapState::Exploring, Direction::Received | Direction::Sent) => Some(io.env.now()),
            (ReapState::Exploring, _) => Some(self.next_probe),
            (ReapState::Operational, Direction::Idle | Direction::Exploring) => None,
            (ReapState::Operational, Direction::Sent) => {
                Some(self.send_deadline(io, turn).min(again))
            }
            (ReapState::Operational, Direction::Received) => {
                Some(self.keepalive_deadline(io, turn).min(again))
            }
            (ReapState::InboundOk, Direction::Sent) => {
                Some(self.send_deadline(io, turn).min(again).min(self.next_probe))
            }
            (ReapState::InboundOk, Direction::Received) => Some(again.min(self.next_probe)),
            (ReapState::InboundOk, Direction::Idle | Direction::Exploring) => Some(self.next_probe),
        }
    }

    fn send_deadline(&self, io: &Io<'_>, turn: Turn) -> Instant {
        io.env.ticks().instant(turn.since).after(timing::send_timeout(io, self.spread))
    }

    fn keepalive_deadline(&self, io: &Io<'_>, turn: Turn) -> Instant {
        let since = io.env.ticks().instant(turn.since);
        let last = since.max(self.last_keepalive);
        let next = last.after(timing::keepalive_interval(io, self.spread));
        next.min(since.after(u64::from(io.keepalive_timeout_ms)))
    }

    /// 6.1: "While the Keepalive Timer is running, the node SHOULD send Keepalive messages
    /// to the peer with an interval of Keepalive Interval seconds."
    fn keepalive_timer(&mut self, io: &Io<'_>, turn: Turn) {
        let now = io.env.now();
        let end = io.env.ticks().instant(turn.since).after(u64::from(io.keepalive_timeout_ms));
        if now.reached(end) {
            self.keepalive_timeout(io, turn);
        } else if now.reached(self.keepalive_deadline(io, turn)) {
            self.send_keepalive(io);
        }
    }

    fn send_keepalive(&mut self, io: &Io<'_>) {
        self.last_keepalive = io.env.now();
        self.spread = timing::chance(io.env);
        self.due = Due::Keepalive;
    }

    /// A Probe that nobody waits for, or, if too many contexts send theirs now, another time.
    fn send_next_probe(&mut self, io: &Io<'_>) {
        match io.env.crowd().admit(io.env.now(), &io.config, || io.env.random()) {
            Ok(()) => {
                let at = self.pick(io);
                self.probes = self.probes.saturating_add(1);
                self.send_probe(io, at);
            }
            Err(wait) => {
                io.env.count(Counter::ProbeDeferred);
                self.next_probe = io.env.now().after(wait);
            }
        }
    }

    fn send_probe(&mut self, io: &Io<'_>, at: Option<PairIndex>) {
        let wait = timing::probe_interval(&io.config, self.probes, io.env.random());
        self.next_probe = io.env.now().after(wait);
        if let Some(at) = at {
            self.due = Due::Probe(at);
        }
    }

    /// GOTO. An exploration that begins forgets what came of the last one.
    fn enter(&mut self, io: &Io<'_>, state: ReapState) -> Option<ReapState> {
        let old = core::mem::replace(&mut self.state, state);
        match (old, state) {
            (ReapState::Operational, ReapState::InboundOk) => {
                self.aim = Aim::Along;
                self.begin();
            }
            (_, ReapState::Exploring) => {
                self.reports.clear();
                self.begin();
            }
            // The peer is there again: "a similar process", from its beginning.
            (ReapState::Exploring, ReapState::InboundOk) => self.probes = 0,
            (_, ReapState::Operational) => self.spread = timing::chance(io.env),
            (ReapState::InboundOk, ReapState::InboundOk) => {}
        }
        let entered = (old != state).then_some(state)?;
        io.env.count(match entered {
            ReapState::Operational => Counter::ReapOperational,
            ReapState::Exploring => Counter::ReapExploring,
            ReapState::InboundOk => Counter::ReapInboundOk,
        });
        Some(entered)
    }

    fn begin(&mut self) {
        self.probes = 0;
        self.picks = 0;
        self.cursor = Cursor::START;
    }

    /// The next pair to probe: "nodes SHOULD attempt to test through all of them until an
    /// operational pair is found, and retry the process as necessary" (section 4.3).
    fn pick(&mut self, io: &Io<'_>) -> Option<PairIndex> {
        let current = || io.paths.index(&io.tx).filter(|at| io.paths.is_candidate(*at));
        let first = match (self.aim, self.picks) {
            (Aim::Preferred, 0) => io.paths.best().map(|(at, _)| at),
            (Aim::Preferred, 1) | (Aim::CurrentFirst, 0) => current(),
            _ => None,
        };
        self.picks = self.picks.saturating_add(1);
        if first.is_some() {
            return first;
        }
        let next = io.paths.next(self.cursor, &io.tx);
        let (at, cursor) = next.or_else(|| io.paths.next(Cursor::START, &io.tx))?;
        self.cursor = cursor;
        Some(at)
    }

    /// Which of our probes the peer reports; of these the pair that is liked most, the
    /// current one before its equals, and else the first, as `Paths::best` has it.
    fn confirmations(
        &mut self,
        io: &Io<'_>,
        probe: &Probe<'_>,
        outcome: &mut Outcome,
    ) -> Option<PairIndex> {
        let current = io.paths.index(&io.tx);
        let mut best = None;
        for record in probe.received() {
            let Some(at) = self.reports.confirm(&record, &io.paths) else { continue };
            outcome.confirmed |= 1u32.checked_shl(u32::from(at.peer)).unwrap_or(0);
            let Some(rank) = io.paths.rank(at).filter(|_| io.paths.is_candidate(at)) else {
                continue;
            };
            let place = Reverse((at.local, at.peer));
            best = best.max(Some((rank.coarse(), current == Some(at), rank, place)));
        }
        best.map(|(.., Reverse((local, peer)))| PairIndex { local, peer })
    }

    fn start_keepalive(&mut self, io: &Io<'_>) {
        if io.activity.turn().direction != Direction::Received {
            io.activity.set(Direction::Received, io.tick());
        }
    }
}

/// Whether the current pair may not be used any more, and others may.
fn is_stranded(io: &Io<'_>) -> bool {
    let current = io.paths.index(&io.tx).filter(|at| io.paths.is_candidate(*at));
    current.is_none() && io.paths.best().is_some()
}

fn start_send(io: &Io<'_>) {
    if io.activity.turn().direction != Direction::Sent {
        restart_send(io);
    }
}

fn restart_send(io: &Io<'_>) {
    io.activity.set(Direction::Sent, io.tick());
}

fn stop_send(io: &Io<'_>) {
    let turn = io.activity.turn();
    if turn.direction == Direction::Sent {
        io.activity.replace(turn, Direction::Idle, io.tick());
    }
}
