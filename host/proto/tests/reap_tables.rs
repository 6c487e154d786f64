// SPDX-License-Identifier: GPL-2.0

//! The tables of RFC 5534 section 6: one test for each entry, named after it.

use crate::world::{self, Outside};
use shim6_proto::proto::addr::{Addr, Pair, Tag};
use shim6_proto::proto::env::Env;
use shim6_proto::proto::locator::pairs::{Moved, PairIndex, Paths};
use shim6_proto::proto::locator::PeerLocator;
use shim6_proto::proto::reap::activity::{Activity, Direction, Wake};
use shim6_proto::proto::reap::timing::{keepalive_interval, send_timeout};
use shim6_proto::proto::reap::{Aim, Io, Outcome, Reap, ReapState};
use shim6_proto::proto::time::Instant;
use shim6_proto::proto::wire::{Body, Builder, Message, ProbeState, Record, Type, MAX_MESSAGE};

const TAG: Tag = Tag::new(0x1234_5678_9abc);

/// One REAP alone, and its peer played by the test.
struct Bench {
    out: Outside,
    activity: Activity,
    reap: Reap,
    peers: Vec<PeerLocator>,
    ulids: Pair,
    tx: Pair,
}

/// A message that REAP sent.
struct Sent {
    kind: Type,
    pair: Pair,
    state: Option<ProbeState>,
    sent: Vec<Record>,
    received: Vec<Record>,
}

macro_rules! step {
    ($bench:expr, $method:ident $(, $arg:expr)*) => {{
        let Bench { out, activity, reap, peers, ulids, tx } = &mut *$bench;
        let io = io(out, activity, peers, *ulids, *tx);
        reap.$method(&io $(, $arg)*)
    }};
}

fn io<'a>(
    out: &'a Outside,
    activity: &'a Activity,
    peers: &'a [PeerLocator],
    ulids: Pair,
    tx: Pair,
) -> Io<'a> {
    let set = out.local_set(&ulids.local).unwrap();
    let paths = Paths { set, peers, ulids, salt: 0 };
    Io { env: out, activity, paths, tx, config: *out.config(), keepalive_timeout_ms: 15_000 }
}

impl Bench {
    /// In a state, with no timer running and nothing to send.
    fn new(state: ReapState) -> Bench {
        let [a, b] = world::hosts(9, Default::default());
        let ulids = Pair { local: a.addr(0), peer: b.addr(0) };
        let peers = [0, 1].map(|i| PeerLocator::ulid(b.addr(i))).to_vec();
        let reap = Reap::new(&a.out);
        let activity = Activity::new();
        let mut bench = Bench { out: a.out, activity, reap, peers, ulids, tx: ulids };
        match state {
            ReapState::Operational => {}
            ReapState::Exploring => {
                let _ = step!(&mut bench, explore, Aim::Elsewhere);
            }
            ReapState::InboundOk => {
                let _ = bench.probe(ProbeState::Exploring, 0, &[]);
                bench.activity.set(Direction::Idle, 0);
            }
        }
        bench.sent();
        assert_eq!(bench.reap.state(), state);
        bench
    }

    fn pass(&mut self, ms: u64) {
        let now = self.out.now.get();
        self.out.now.set(now.after(ms));
    }

    fn tick(&self) -> u64 {
        self.out.ticks().tick(self.out.now.get())
    }

    fn timer(&self) -> Direction {
        self.activity.turn().direction
    }

    /// Since when the timer runs is the present: it was RESTARTed.
    fn restarted(&self) -> bool {
        self.activity.turn().since == self.tick()
    }

    fn sent(&mut self) -> Option<Sent> {
        let mut buf = [0xa5; MAX_MESSAGE];
        let (pair, len) = step!(self, emit, TAG, &mut buf)?;
        let message = Message::parse(&buf[..len]).expect("a right message");
        let (state, sent, received) = match message.body {
            Body::Probe { tag, ref probe } => {
                assert_eq!(tag, TAG);
                (Some(probe.state), probe.sent().collect(), probe.received().collect())
            }
            _ => (None, vec![], vec![]),
        };
        Some(Sent { kind: message.kind(), pair, state, sent, received })
    }

    fn sent_probe(&mut self, state: ProbeState) -> Sent {
        let sent = self.sent().expect("a probe");
        assert_eq!((sent.kind, sent.state), (Type::Probe, Some(state)));
        // "The first set of Probe fields pertains to the current message."
        assert_eq!((sent.sent[0].src, sent.sent[0].dst), (sent.pair.local, sent.pair.peer));
        assert!(self.sent().is_none(), "one probe");
        sent
    }

    /// The peer's probe over the `i`-th locators of both, with these reports.
    fn probe(&mut self, state: ProbeState, i: usize, reports: &[Record]) -> Outcome {
        let own = Record {
            src: self.peers[i].addr,
            dst: self.out.locators[i].addr,
            nonce: 0x1000 + i as u32,
            data: 0xdada,
        };
        let mut buf = [0; MAX_MESSAGE];
        let mut builder = Builder::probe(&mut buf, TAG, state);
        builder.records([own].into_iter(), reports.iter().copied());
        let len = builder.finish().unwrap();
        let message = Message::parse(&buf[..len]).unwrap();
        let Body::Probe { probe, .. } = message.body else { panic!("a probe") };
        let came = PairIndex { local: i as u8, peer: i as u8 };
        step!(self, probe, came, &probe)
    }

    fn addr(&self, i: usize) -> (Addr, Addr) {
        (self.out.locators[i].addr, self.peers[i].addr)
    }
}

use ReapState::{Exploring, InboundOk, Operational};

// 6.1 Incoming payload packet.

#[test]
fn table_6_1_operational_stop_send_start_keepalive() {
    let mut b = Bench::new(Operational);
    assert_eq!(b.activity.note_sent(b.tick()), Wake::Arm);
    b.pass(100);
    assert_eq!(b.activity.note_received(b.tick()), Wake::No);
    assert_eq!(b.timer(), Direction::Received);
    let since = b.activity.turn().since;
    b.pass(100);
    // "starts the Keepalive Timer if it was not yet running".
    assert_eq!(b.activity.note_received(b.tick()), Wake::No);
    assert_eq!(b.activity.turn().since, since);
    assert_eq!(step!(&mut b, timeout), Outcome::default());
    assert!(b.sent().is_none());
}

#[test]
fn table_6_1_exploring_send_probe_inbound_ok_start_send_goto_inbound_ok() {
    let mut b = Bench::new(Exploring);
    b.pass(40);
    assert_eq!(b.activity.note_received(b.tick()), Wake::Now);
    assert_eq!(step!(&mut b, timeout).entered, Some(InboundOk));
    assert_eq!(b.timer(), Direction::Sent);
    b.sent_probe(ProbeState::InboundOk);
}

#[test]
fn table_6_1_inbound_ok_stop_send() {
    let mut b = Bench::new(InboundOk);
    let _ = b.activity.note_sent(b.tick());
    let _ = b.activity.note_received(b.tick());
    assert_ne!(b.timer(), Direction::Sent);
    assert_eq!(step!(&mut b, timeout), Outcome::default());
    assert!(b.sent().is_none(), "but does not do anything else");
    b.pass(20_000);
    assert_eq!(step!(&mut b, timeout).entered, None, "no Send Timeout");
}

#[test]
fn table_6_1_control_messages_are_treated_the_same() {
    let mut b = Bench::new(Operational);
    let _ = b.activity.note_sent(b.tick());
    let _ = step!(&mut b, incoming_payload);
    assert_eq!(b.timer(), Direction::Received);
    let mut b = Bench::new(Exploring);
    assert_eq!(step!(&mut b, incoming_payload).entered, Some(InboundOk));
    let mut b = Bench::new(InboundOk);
    let _ = b.activity.note_sent(b.tick());
    let _ = step!(&mut b, incoming_payload);
    assert_eq!(b.timer(), Direction::Idle);
}

// 6.2 Outgoing payload packet.

#[test]
fn table_6_2_operational_start_send_stop_keepalive() {
    let b = Bench::new(Operational);
    assert_eq!(b.activity.note_received(b.tick()), Wake::Arm);
    assert_eq!(b.activity.note_sent(b.tick()), Wake::No);
    assert_eq!(b.timer(), Direction::Sent);
}

#[test]
fn table_6_2_operational_a_running_send_timer_is_not_started_again() {
    let mut b = Bench::new(Operational);
    let _ = b.activity.note_sent(b.tick());
    let since = b.activity.turn().since;
    b.pass(5_000);
    let _ = b.activity.note_sent(b.tick());
    assert_eq!(b.activity.turn().since, since);
}

#[test]
fn table_6_2_exploring_nothing() {
    let b = Bench::new(Exploring);
    assert_eq!(b.activity.note_sent(b.tick()), Wake::No);
    assert_eq!(b.timer(), Direction::Exploring);
}

#[test]
fn table_6_2_inbound_ok_start_send() {
    let b = Bench::new(InboundOk);
    assert_eq!(b.activity.note_sent(b.tick()), Wake::Arm);
    assert_eq!(b.timer(), Direction::Sent);
}

#[test]
fn table_6_2_control_messages_are_treated_the_same() {
    for (state, timer) in [
        (Operational, Direction::Sent),
        (Exploring, Direction::Exploring),
        (InboundOk, Direction::Sent),
    ] {
        let mut b = Bench::new(state);
        step!(&mut b, outgoing_payload);
        assert_eq!(b.timer(), timer);
    }
}

// 6.3 Keepalive Timeout.

#[test]
fn table_6_3_operational_send_keepalive() {
    let mut b = Bench::new(Operational);
    let _ = b.activity.note_received(b.tick());
    b.pass(15_000);
    let _ = step!(&mut b, timeout);
    let sent = b.sent().expect("one last Keepalive message");
    assert_eq!((sent.kind, sent.pair), (Type::Keepalive, b.tx));
    assert_eq!(b.timer(), Direction::Idle);
    b.pass(60_000);
    let _ = step!(&mut b, timeout);
    assert!(b.sent().is_none(), "the last one");
}

#[test]
fn table_6_3_before_it_keepalives_come_at_the_interval() {
    let mut b = Bench::new(Operational);
    let start = b.out.now.get();
    let _ = b.activity.note_received(b.tick());
    let mut times = vec![];
    while b.timer() == Direction::Received {
        let at = step!(&mut b, deadline).expect("a deadline");
        b.out.now.set(at.max(b.out.now.get().after(1)));
        let _ = step!(&mut b, timeout);
        times.extend(b.sent().map(|_| b.out.now.get().since(start)));
    }
    assert!(times.len() == 3 || times.len() == 4, "{times:?}");
    assert_eq!(times.last(), Some(&15_000));
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] <= 7_500, "one-third to one-half: {times:?}");
    }
    assert!((5_000..=7_500).contains(&times[0]), "{times:?}");
}

#[test]
fn table_6_3_exploring_and_inbound_ok_nothing() {
    for state in [Exploring, InboundOk] {
        let mut b = Bench::new(state);
        for _ in 0..100 {
            b.pass(1_000);
            let _ = step!(&mut b, timeout);
            while let Some(sent) = b.sent() {
                assert_eq!(sent.kind, Type::Probe);
            }
        }
    }
}

// 6.4 Send Timeout.

#[test]
fn table_6_4_operational_send_probe_exploring_goto_exploring() {
    let mut b = Bench::new(Operational);
    let _ = b.activity.note_sent(b.tick());
    b.pass(14_990);
    assert_eq!(step!(&mut b, timeout), Outcome::default(), "not before the Send Timeout");
    b.pass(1_510);
    assert_eq!(step!(&mut b, timeout).entered, Some(Exploring));
    assert_eq!(b.timer(), Direction::Exploring, "no timer is running");
    let sent = b.sent_probe(ProbeState::Exploring);
    assert!(sent.pair.local != b.tx.local && sent.pair.peer != b.tx.peer, "disjoint first");
}

#[test]
fn table_6_4_exploring_nothing() {
    let mut b = Bench::new(Exploring);
    b.pass(60_000);
    assert_eq!(step!(&mut b, timeout).entered, None);
    assert_eq!(b.reap.state(), Exploring);
}

#[test]
fn table_6_4_inbound_ok_send_probe_exploring_goto_exploring() {
    let mut b = Bench::new(InboundOk);
    let _ = b.activity.note_sent(b.tick());
    b.pass(16_500);
    assert_eq!(step!(&mut b, timeout).entered, Some(Exploring));
    b.sent_probe(ProbeState::Exploring);
}

// 6.5 Retransmission.

#[test]
fn table_6_5_operational_nothing() {
    let mut b = Bench::new(Operational);
    b.pass(3_600_000);
    assert_eq!(step!(&mut b, timeout), Outcome::default());
    assert!(b.sent().is_none());
    assert_eq!(step!(&mut b, deadline), None);
}

#[test]
fn table_6_5_exploring_send_probe_exploring() {
    let mut b = Bench::new(Exploring);
    let mut times = vec![b.out.now.get()];
    let mut pairs = vec![];
    for _ in 0..16 {
        let at = step!(&mut b, deadline).expect("a deadline");
        b.out.now.set(at);
        let _ = step!(&mut b, timeout);
        pairs.push(b.sent_probe(ProbeState::Exploring).pair);
        times.push(b.out.now.get());
        assert_eq!(b.timer(), Direction::Exploring);
    }
    // "attempt to test through all of them".
    for l in 0..2 {
        for p in 0..2 {
            let pair = Pair { local: b.addr(l).0, peer: b.addr(p).1 };
            assert!(pairs[..4].contains(&pair), "{pair}");
        }
    }
    let gaps: Vec<u64> = times.windows(2).map(|t| t[1].since(t[0])).collect();
    assert!(gaps[..3].iter().all(|g| (450..=550).contains(g)), "{gaps:?}");
    let doubling = [1000.0, 2000.0, 4000.0, 8000.0, 16_000.0, 32_000.0];
    for (gap, nominal) in gaps[3..9].iter().zip(doubling) {
        assert!((0.75..=1.25).contains(&(*gap as f64 / nominal)), "{gaps:?}");
    }
    assert!(gaps[9..].iter().all(|g| (45_000..=60_000).contains(g)), "{gaps:?}");
}

#[test]
fn table_6_5_inbound_ok_send_probe_inbound_ok_start_send() {
    let mut b = Bench::new(InboundOk);
    assert_eq!(b.timer(), Direction::Idle);
    b.pass(600);
    let _ = step!(&mut b, timeout);
    let sent = b.sent_probe(ProbeState::InboundOk);
    assert_eq!(b.timer(), Direction::Sent);
    // "it MUST include copies of the fields of at least one of the inbound probes".
    let (local, peer) = b.addr(0);
    assert_eq!(sent.received, [Record { src: peer, dst: local, nonce: 0x1000, data: 0xdada }]);
    // "if it was not running already".
    let since = b.activity.turn().since;
    b.pass(600);
    let _ = step!(&mut b, timeout);
    b.sent_probe(ProbeState::InboundOk);
    assert_eq!(b.activity.turn().since, since);
}

// 6.6 Reception of the Keepalive message.

#[test]
fn table_6_6_operational_stop_send() {
    let mut b = Bench::new(Operational);
    let _ = b.activity.note_sent(b.tick());
    assert_eq!(step!(&mut b, keepalive), Outcome::default());
    assert_eq!(b.timer(), Direction::Idle);
    let _ = b.activity.note_received(b.tick());
    let _ = step!(&mut b, keepalive);
    assert_eq!(b.timer(), Direction::Received, "the Keepalive Timer is left alone");
}

#[test]
fn table_6_6_exploring_send_probe_inbound_ok_start_send_goto_inbound_ok() {
    let mut b = Bench::new(Exploring);
    assert_eq!(step!(&mut b, keepalive).entered, Some(InboundOk));
    assert_eq!(b.timer(), Direction::Sent);
    b.sent_probe(ProbeState::InboundOk);
}

#[test]
fn table_6_6_inbound_ok_stop_send() {
    let mut b = Bench::new(InboundOk);
    let _ = b.activity.note_sent(b.tick());
    assert_eq!(step!(&mut b, keepalive), Outcome::default());
    assert_eq!(b.timer(), Direction::Idle);
    assert_eq!(b.reap.state(), InboundOk);
}

// 6.7 Reception of a Probe, State = Exploring.

fn probe_exploring(state: ReapState, turn: Direction) {
    let mut b = Bench::new(state);
    b.activity.set(turn, b.tick());
    b.pass(1_000);
    let outcome = b.probe(ProbeState::Exploring, 1, &[]);
    assert_eq!(outcome.entered, (state != InboundOk).then_some(InboundOk));
    assert_eq!((b.timer(), b.restarted()), (Direction::Sent, true));
    assert_eq!((b.reap.state(), outcome.chosen), (InboundOk, None));
    let sent = b.sent_probe(ProbeState::InboundOk);
    let (local, peer) = b.addr(1);
    assert_eq!(sent.pair, Pair { local, peer }, "back the way it came");
    assert!(sent.received.iter().any(|r| r.nonce == 0x1001 && r.data == 0xdada));
}

#[test]
fn table_6_7_operational_send_probe_inbound_ok_stop_keepalive_restart_send_goto_inbound_ok() {
    probe_exploring(Operational, Direction::Received);
    probe_exploring(Operational, Direction::Sent);
}

#[test]
fn table_6_7_exploring_send_probe_inbound_ok_start_send_goto_inbound_ok() {
    probe_exploring(Exploring, Direction::Exploring);
}

#[test]
fn table_6_7_inbound_ok_send_probe_inbound_ok_restart_send() {
    probe_exploring(InboundOk, Direction::Sent);
}

// 6.8 Reception of a Probe, State = InboundOk.

fn probe_inbound_ok(state: ReapState, turn: Direction) {
    let mut b = Bench::new(state);
    b.activity.set(turn, b.tick());
    b.pass(1_000);
    let outcome = b.probe(ProbeState::InboundOk, 1, &[]);
    assert_eq!(outcome.entered, (state != Operational).then_some(Operational));
    assert_eq!((b.timer(), b.restarted()), (Direction::Sent, true));
    // "If no received probes have been reported, the current address pair is unchanged."
    assert_eq!((b.reap.state(), outcome.chosen), (Operational, None));
    b.sent_probe(ProbeState::Operational);
}

#[test]
fn table_6_8_operational_send_probe_operational_restart_send_stop_keepalive() {
    probe_inbound_ok(Operational, Direction::Received);
    probe_inbound_ok(Operational, Direction::Sent);
}

#[test]
fn table_6_8_exploring_send_probe_operational_restart_send_goto_operational() {
    probe_inbound_ok(Exploring, Direction::Exploring);
}

#[test]
fn table_6_8_inbound_ok_send_probe_operational_restart_send_goto_operational() {
    probe_inbound_ok(InboundOk, Direction::Idle);
}

#[test]
fn table_6_8_a_new_current_address_pair_is_chosen_from_the_reports() {
    for state in [ProbeState::InboundOk, ProbeState::Operational] {
        let mut b = Bench::new(Operational);
        let _ = step!(&mut b, explore, Aim::Elsewhere);
        let probe = b.sent_probe(ProbeState::Exploring);
        let outcome = b.probe(state, 1, &probe.sent[..1]);
        assert_eq!(outcome.chosen, Some(probe.pair));
        assert_eq!(outcome.confirmed, 0b10);
    }
}

#[test]
fn table_6_8_reports_of_probes_that_were_never_sent_choose_nothing() {
    let mut b = Bench::new(Operational);
    let _ = step!(&mut b, explore, Aim::Elsewhere);
    let probe = b.sent_probe(ProbeState::Exploring);
    let mut nonce = probe.sent[0];
    nonce.nonce ^= 1;
    let mut pair = probe.sent[0];
    pair.dst = b.tx.peer;
    let outcome = b.probe(ProbeState::InboundOk, 1, &[nonce, pair]);
    assert_eq!((outcome.chosen, outcome.confirmed), (None, 0));
}

// 6.9 Reception of a Probe, State = Operational.

fn probe_operational(state: ReapState, turn: Direction) {
    let mut b = Bench::new(state);
    b.activity.set(turn, b.tick());
    let outcome = b.probe(ProbeState::Operational, 0, &[]);
    assert_eq!(outcome.entered, (state != Operational).then_some(Operational));
    assert_eq!((b.reap.state(), b.timer()), (Operational, Direction::Received));
    assert!(b.sent().is_none(), "this terminates the exploration process");
    assert_ne!(step!(&mut b, deadline), Some(Instant(0)));
}

#[test]
fn table_6_9_operational_stop_send_start_keepalive() {
    probe_operational(Operational, Direction::Sent);
    probe_operational(Operational, Direction::Idle);
}

#[test]
fn table_6_9_exploring_stop_send_start_keepalive_goto_operational() {
    probe_operational(Exploring, Direction::Exploring);
}

#[test]
fn table_6_9_inbound_ok_stop_send_start_keepalive_goto_operational() {
    probe_operational(InboundOk, Direction::Sent);
}

// What the tables do not show.

#[test]
fn reports_are_bounded_and_the_newest() {
    let mut b = Bench::new(Exploring);
    for _ in 0..40 {
        let at = step!(&mut b, deadline).unwrap();
        b.out.now.set(at);
        let _ = step!(&mut b, timeout);
        let sent = b.sent_probe(ProbeState::Exploring);
        assert!(sent.sent.len() <= 6 && sent.received.is_empty());
    }
}

#[test]
fn a_probe_that_comes_twice_is_reported_once() {
    let mut b = Bench::new(Exploring);
    let _ = b.probe(ProbeState::Exploring, 1, &[]);
    b.sent_probe(ProbeState::InboundOk);
    let _ = b.probe(ProbeState::Exploring, 1, &[]);
    assert_eq!(b.sent_probe(ProbeState::InboundOk).received.len(), 1);
}

#[test]
fn an_unusable_source_is_never_probed() {
    let mut b = Bench::new(Operational);
    b.out.locators[0].usable = false;
    let _ = step!(&mut b, explore, Aim::Elsewhere);
    for _ in 0..8 {
        assert_eq!(b.sent_probe(ProbeState::Exploring).pair.local, b.out.locators[1].addr);
        let at = step!(&mut b, deadline).unwrap();
        b.out.now.set(at);
        let _ = step!(&mut b, timeout);
    }
}

#[test]
fn an_exploration_does_not_end_on_a_pair_that_was_disowned_meanwhile() {
    for (state, said) in [
        (InboundOk, ProbeState::Operational),
        (InboundOk, ProbeState::InboundOk),
        (Exploring, ProbeState::Operational),
    ] {
        let mut b = Bench::new(state);
        // An Update took the locator of the current pair out of the list.
        b.tx.peer = Addr::from_parts(0x2001_0db8_0000_ffff, 1);
        let outcome = b.probe(said, 1, &[]);
        assert_eq!((b.reap.state(), outcome.chosen), (InboundOk, None));
        // It goes on by its timer, not by the peer's probes, until one of ours is confirmed.
        assert!(b.sent().is_none());
        b.pass(1_000);
        let _ = step!(&mut b, timeout);
        let sent = b.sent_probe(ProbeState::InboundOk);
        let outcome = b.probe(said, 1, &sent.sent[..1]);
        assert_eq!((b.reap.state(), outcome.chosen), (Operational, Some(sent.pair)));
    }
}

// What the tables leave open: memory of probes, places in lists, and timers.

/// An exploration whose probe was not taken out yet, and whose list changes to this one.
fn moved(b: &mut Bench, list: Vec<PeerLocator>) {
    let _ = step!(b, explore, Aim::CurrentFirst);
    b.reap.peers_moved(&Moved::between(&b.peers, &list));
    b.peers = list;
}

#[test]
fn a_list_in_another_order_changes_neither_the_probe_that_waits_nor_those_in_flight() {
    let mut b = Bench::new(Operational);
    let turned = b.peers.iter().rev().copied().collect();
    moved(&mut b, turned);
    let sent = b.sent_probe(ProbeState::Exploring);
    assert_eq!(sent.pair, b.tx);
    let back = b.peers.iter().rev().copied().collect::<Vec<_>>();
    b.reap.peers_moved(&Moved::between(&b.peers, &back));
    b.peers = back;
    b.tx.peer = b.addr(1).1;
    let outcome = b.probe(ProbeState::Operational, 1, &sent.sent);
    assert_eq!(outcome.chosen, Some(sent.pair), "known again by its nonce");
}

#[test]
fn a_probe_that_waits_for_a_locator_that_goes_is_not_sent() {
    let mut b = Bench::new(Operational);
    let left = vec![b.peers[1]];
    moved(&mut b, left);
    assert!(b.sent().is_none());
    // Nor is one when our own list changed: its place means something else.
    let mut b = Bench::new(Operational);
    let _ = step!(&mut b, explore, Aim::CurrentFirst);
    b.reap.lists_changed();
    assert!(b.sent().is_none());
}

#[test]
fn a_change_in_an_exploration_is_a_new_beginning_and_else_nothing() {
    for (state, sends) in [(Operational, false), (Exploring, true), (InboundOk, true)] {
        let mut b = Bench::new(state);
        step!(&mut b, try_again);
        assert_eq!(b.sent().is_some(), sends, "{state:?}");
    }
}

#[test]
fn a_new_exploration_of_the_peers_forgets_what_came_of_the_last() {
    let mut b = Bench::new(Operational);
    let _ = b.probe(ProbeState::Operational, 0, &[]);
    let _ = b.probe(ProbeState::Exploring, 1, &[]);
    let sent = b.sent_probe(ProbeState::InboundOk);
    assert_eq!(sent.received.len(), 1, "the one of this exploration");
    // In the middle of one nothing is forgotten.
    let _ = b.probe(ProbeState::Exploring, 0, &[]);
    assert_eq!(b.sent_probe(ProbeState::InboundOk).received.len(), 2);
    // Ours begins with nothing, too.
    let _ = step!(&mut b, explore, Aim::Elsewhere);
    let sent = b.sent_probe(ProbeState::Exploring);
    assert_eq!((sent.sent.len(), sent.received.len()), (1, 0));
}

#[test]
fn probes_that_were_reported_are_not_told_again() {
    let mut b = Bench::new(Exploring);
    let mut told = vec![];
    for round in 0..4 {
        b.pass(60_000);
        let _ = step!(&mut b, timeout);
        let sent = b.sent_probe(ProbeState::Exploring);
        assert_eq!(sent.sent.len(), round + 2, "all that are not reported");
        told = sent.sent;
    }
    let _ = b.probe(ProbeState::Exploring, 1, &told[1..]);
    // The newest, which is new, and the one before it, which the report left out.
    assert_eq!(b.sent_probe(ProbeState::InboundOk).sent.len(), 2);
}

/// Four Probes, over each pair; that they arrived is reported `turn` places further on.
fn all_arrived(b: &mut Bench, turn: usize, told: impl Fn(&Record) -> bool) -> Outcome {
    let mut sent = vec![];
    for _ in 0..4 {
        b.pass(60_000);
        let _ = step!(b, timeout);
        sent.extend(b.sent_probe(ProbeState::Exploring).sent.first().copied());
    }
    sent.rotate_left(turn);
    sent.retain(told);
    b.probe(ProbeState::Operational, 1, &sent)
}

#[test]
fn the_best_of_several_confirmed_pairs_is_chosen_in_whatever_order_they_come() {
    for turn in 0..4 {
        let mut b = Bench::new(Exploring);
        // One of the peer's is told to be broken, and one of ours is liked less.
        b.peers[0].pref.flags = 1;
        b.out.locators[1].pref.priority = 3;
        let best = Pair { local: b.out.locators[0].addr, peer: b.peers[1].addr };
        assert_eq!(all_arrived(&mut b, turn, |_| true).chosen, Some(best));
    }
}

#[test]
fn the_current_pair_is_kept_before_its_equals() {
    for turn in 0..4 {
        let mut b = Bench::new(Exploring);
        let ulids = b.ulids;
        b.tx = Pair { local: b.out.locators[1].addr, peer: b.peers[1].addr };
        let outcome = all_arrived(&mut b, turn, |r| (r.src, r.dst) != (ulids.local, ulids.peer));
        assert_eq!((outcome.chosen.unwrap_or(b.tx), outcome.confirmed), (b.tx, 0b11));
    }
}

#[test]
fn the_send_timeout_only_grows_and_keepalives_take_a_third_to_a_half_of_theirs() {
    let mut b = Bench::new(Operational);
    b.out.config.send_timeout_ms = 10_000;
    let send = [0, 128, 255]
        .map(|spread| send_timeout(&io(&b.out, &b.activity, &b.peers, b.ulids, b.tx), spread));
    assert_eq!(send, [10_000, 10_500, 10_996]);
    for (fixed, intervals) in
        [(0, [5_000, 6_250, 7_490]), (3_000, [3_000; 3]), (20_000, [15_000; 3])]
    {
        b.out.config.keepalive_interval_ms = fixed;
        let got = [0, 128, 255].map(|spread| {
            keepalive_interval(&io(&b.out, &b.activity, &b.peers, b.ulids, b.tx), spread)
        });
        assert_eq!(got, intervals);
    }
}
