// SPDX-License-Identifier: GPL-2.0

//! The tables of RFC 5534 section 6: one test for each entry, named after it.

use crate::bench::*;
use shim6_proto::proto::addr::Pair;
use shim6_proto::proto::reap::activity::{Direction, Wake};
use shim6_proto::proto::reap::{Aim, Outcome, ReapState};
use shim6_proto::proto::time::Instant;
use shim6_proto::proto::wire::{ProbeState, Record, Type};

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

/// A TCP acknowledges at once what it receives, before any timer can expire.
#[test]
fn table_6_1_exploring_counts_a_packet_that_was_answered_already() {
    let mut b = Bench::new(Exploring);
    b.pass(40);
    assert_eq!(b.activity.note_received(b.tick()), Wake::Now);
    assert_eq!(b.activity.note_sent(b.tick()), Wake::No);
    assert_eq!(step!(&mut b, deadline), Some(b.out.now.get()));
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
