// SPDX-License-Identifier: GPL-2.0

//! What the tables of RFC 5534 section 6 do not show: what is told of Probes, which pair is chosen
//! from that, and what a changed list does to an exploration.

use crate::bench::*;
use shim6_proto::proto::addr::{Addr, Pair};
use shim6_proto::proto::locator::pairs::Moved;
use shim6_proto::proto::locator::PeerLocator;
use shim6_proto::proto::reap::{Aim, Outcome, ReapState};
use shim6_proto::proto::wire::{ProbeState, Record};

use ReapState::{Exploring, InboundOk, Operational};

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
    if turn >= 4 {
        sent.reverse();
    }
    sent.rotate_left(turn % 4);
    sent.retain(told);
    b.probe(ProbeState::Operational, 1, &sent)
}

#[test]
fn the_best_of_several_confirmed_pairs_is_chosen_in_whatever_order_they_come() {
    // Whether one of ours is liked less, or of two equals the first is chosen.
    for (priority, turn) in (0..8).flat_map(|turn| [(0, turn), (3, turn)]) {
        let mut b = Bench::new(Exploring);
        // All four pairs work; two go to a locator that is not told to be broken.
        b.peers[0].pref.flags = 1;
        b.out.locators[1].pref.priority = priority;
        let best = Pair { local: b.out.locators[0].addr, peer: b.peers[1].addr };
        assert_eq!(all_arrived(&mut b, turn, |_| true).chosen, Some(best));
    }
}

#[test]
fn the_current_pair_is_kept_before_its_equals() {
    for turn in 0..8 {
        let mut b = Bench::new(Exploring);
        let ulids = b.ulids;
        b.tx = Pair { local: b.out.locators[1].addr, peer: b.peers[1].addr };
        let outcome = all_arrived(&mut b, turn, |r| (r.src, r.dst) != (ulids.local, ulids.peer));
        assert_eq!((outcome.chosen.unwrap_or(b.tx), outcome.confirmed), (b.tx, 0b11));
    }
}

/// Two Probes of a try arrived, and the peer tells of the second alone in another message: it
/// had begun a try of its own in between, and forgotten the first.
#[test]
fn a_pair_that_was_chosen_is_not_left_for_a_worse_one_that_is_confirmed_later() {
    for said in [ProbeState::InboundOk, ProbeState::Operational] {
        let mut b = Bench::new(Operational);
        b.tx = Pair { local: b.addr(1).0, peer: b.addr(1).1 };
        let worse = b.tx;
        let _ = step!(&mut b, try_best);
        let best = b.sent_probe(ProbeState::InboundOk);
        b.pass(1_000);
        let _ = step!(&mut b, timeout);
        let current = b.sent_probe(ProbeState::InboundOk);
        assert_eq!((best.pair, current.pair), (b.ulids, worse));
        let outcome = b.probe(ProbeState::Operational, 1, &best.sent[..1]);
        assert_eq!((outcome.chosen, outcome.entered), (Some(b.ulids), Some(Operational)));
        b.tx = b.ulids;
        assert_eq!(b.probe(said, 1, &current.sent[..1]).chosen, None, "{said:?}");
        // The other way round it is worth to go.
        b.tx = worse;
        assert_eq!(b.probe(said, 1, &best.sent[..1]).chosen, Some(b.ulids), "{said:?}");
    }
}

#[test]
fn a_pair_that_was_chosen_is_not_left_for_an_equal_one_either() {
    let mut b = Bench::new(Exploring);
    let ulids = b.ulids;
    let mut others = vec![];
    for _ in 0..4 {
        b.pass(60_000);
        let _ = step!(&mut b, timeout);
        others.extend(b.sent_probe(ProbeState::Exploring).sent.first().copied());
    }
    others.retain(|r| (r.src, r.dst) != (ulids.local, ulids.peer));
    let chosen = b.probe(ProbeState::InboundOk, 1, &others[..1]).chosen.expect("another pair");
    assert_eq!((chosen.local, chosen.peer), (others[0].src, others[0].dst));
    b.tx = chosen;
    assert_eq!(b.probe(ProbeState::Operational, 1, &others[1..2]).chosen, None);
}

/// The best pair comes first though it has an end in common with the current one, which is
/// next, and then any other.
#[test]
fn a_try_of_the_best_pair_begins_with_it_and_with_the_current_one() {
    let mut b = Bench::new(Operational);
    b.tx = Pair { local: b.addr(0).0, peer: b.addr(1).1 };
    let _ = step!(&mut b, try_best);
    let mut pairs = vec![b.sent_probe(ProbeState::InboundOk).pair];
    for _ in 0..2 {
        b.pass(1_000);
        let _ = step!(&mut b, timeout);
        pairs.push(b.sent_probe(ProbeState::InboundOk).pair);
    }
    let disjoint = Pair { local: b.addr(1).0, peer: b.addr(0).1 };
    assert_eq!(pairs, [b.ulids, b.tx, disjoint]);
}

/// The end that follows ends its exploration with what the peer sees of it, which need not be a
/// report: the first one that comes is not late, whatever an exploration before confirmed.
#[test]
fn a_pair_that_nothing_confirmed_is_left_for_one_that_is() {
    let mut b = Bench::new(Operational);
    let _ = step!(&mut b, explore, Aim::CurrentFirst);
    let before = b.sent_probe(ProbeState::Exploring);
    assert_eq!(before.pair, b.tx);
    let _ = b.probe(ProbeState::Operational, 0, &before.sent);
    assert_eq!(b.reap.state(), Operational);
    let _ = b.probe(ProbeState::Exploring, 1, &[]);
    let sent = b.sent_probe(ProbeState::InboundOk);
    assert_eq!(sent.pair.local, b.addr(1).0);
    let outcome = b.probe(ProbeState::InboundOk, 1, &[]);
    assert_eq!((outcome.chosen, outcome.entered), (None, Some(Operational)));
    assert_eq!(b.probe(ProbeState::Operational, 1, &sent.sent[..1]).chosen, Some(sent.pair));
}
