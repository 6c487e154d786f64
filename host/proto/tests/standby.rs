// SPDX-License-Identifier: GPL-2.0

//! A pair that stands by (RFC 6316 section 6.3), in two hosts and a network.

use crate::world::{World, A, B, PREFIXES};
use shim6_proto::proto::addr::Pair;
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::{Event, Hint};
use shim6_proto::proto::time::Instant;
use shim6_proto::proto::wish::Feedback;

/// The round trip takes 40 ms; nothing but what is tested may find a failure.
fn established(seed: u64) -> World {
    let mut w = World::new(seed, Config::default());
    w.initiate(A);
    w.run(1_000, [20, 20]);
    w
}

fn with_standby(seed: u64) -> World {
    let mut w = established(seed);
    wish(&mut w, true);
    w
}

fn wish(w: &mut World, on: bool) {
    w.call(A, |ctx, _, _| ctx.wish_hot_standby(on)).unwrap();
    assert_eq!(w.hosts[A].context().has_standby(), on);
}

/// Both second addresses: what shares nothing with the ULIDs.
fn disjoint(w: &World) -> Pair {
    Pair { local: w.hosts[A].addr(1), peer: w.hosts[B].addr(1) }
}

fn probes(w: &World) -> u64 {
    w.hosts[A].count("standby_probe")
}

fn gap(w: &World, from: Instant) -> u64 {
    w.longest_gap(A, from).max(w.longest_gap(B, from))
}

fn rehomings(w: &World, host: usize) -> usize {
    w.hosts[host].events.iter().filter(|(_, e)| matches!(e, Event::Rehomed)).count()
}

/// When the packets of a host went over another pair.
fn moved(w: &World, host: usize) -> Instant {
    let moved = |(at, e): &(Instant, Event)| matches!(e, Event::Rehomed).then_some(*at);
    w.hosts[host].events.iter().find_map(moved).expect("a rehoming")
}

#[test]
fn it_is_probed_at_its_interval_while_there_is_traffic() {
    let mut w = with_standby(1);
    w.run(10_000, [20, 20]);
    assert!((9..=12).contains(&probes(&w)), "{}", probes(&w));
    let answered = w.hosts[A].count("standby_confirmed");
    assert!(probes(&w) - answered <= 1, "but one that flies, all are answered");
    assert_eq!(w.hosts[A].count("standby_asked"), probes(&w));
    // The peer answers, and neither end is disturbed.
    assert_eq!((w.hosts[A].count("reap_exploring"), w.hosts[B].count("reap_exploring")), (0, 0));
    assert_eq!((w.hosts[A].count("reap_inbound_ok"), w.hosts[B].count("reap_inbound_ok")), (0, 0));
    assert_eq!((rehomings(&w, A), rehomings(&w, B)), (0, 0));
    assert!(probes(&w) * 2 - w.hosts[B].count("tx_probe") <= 2);
}

#[test]
fn no_traffic_no_probes() {
    let mut w = with_standby(2);
    w.run(3_000, [20, 20]);
    w.run(3_000, [0, 0]);
    let quiet = w.hosts[A].count("tx_probe");
    w.run(200_000, [0, 0]);
    assert_eq!(w.hosts[A].count("tx_probe"), quiet);
    assert_eq!(w.hosts[A].count("reap_exploring"), 0);
    w.run(3_000, [20, 20]);
    assert!(w.hosts[A].count("tx_probe") > quiet, "and again with traffic");
}

#[test]
fn once_it_is_not_wished_it_is_not_probed() {
    let mut w = with_standby(3);
    w.run(3_000, [20, 20]);
    wish(&mut w, false);
    let before = w.hosts[A].count("tx_probe");
    w.run(10_000, [20, 20]);
    assert_eq!(w.hosts[A].count("tx_probe"), before);
    w.cut_first(true, true);
    w.call(A, |ctx, env, act| ctx.feedback(env, act, Feedback::Negative));
    w.run(3_000, [20, 20]);
    assert_eq!(w.hosts[A].count("standby_switched"), 0);
}

#[test]
fn it_shares_no_end_with_the_current_pair_where_it_can() {
    let mut w = with_standby(4);
    w.run(3_000, [20, 20]);
    w.hint(A, Hint::NegativeFeedback);
    w.run(20, [0, 0]);
    assert_eq!(w.hosts[A].context().tx_pair(), disjoint(&w));
    // Where it cannot, it shares one.
    let mut w = with_standby(5);
    let (local, peer) = (w.hosts[A].addr(1), w.hosts[B].addr(1));
    w.net.cut.insert((local.prefix(), peer.prefix()));
    w.run(8_000, [20, 20]);
    w.hint(A, Hint::NegativeFeedback);
    w.run(20, [0, 0]);
    let tx = w.hosts[A].context().tx_pair();
    assert!((tx.local == local) != (tx.peer == peer), "{tx}");
    assert_eq!(w.hosts[A].count("standby_switched"), 1);
}

#[test]
fn a_hint_moves_packets_at_once_and_the_peer_follows() {
    for hint in [Hint::NegativeFeedback, Hint::IcmpUnreachable, Hint::Unanswered] {
        let mut w = with_standby(6);
        w.run(3_000, [5, 5]);
        let cut = w.now;
        w.cut_first(true, true);
        w.hint(A, hint);
        assert_eq!(moved(&w, A), cut, "{hint:?}");
        assert!(!is_silent(&w), "a hint proves nothing");
        w.run(2_000, [5, 5]);
        // Ours: one way. The peer's: its answer, our confirmation, one way.
        let one_way = w.net.latency_ms;
        assert!(w.longest_gap(B, cut) <= one_way + 10, "{} ms", w.longest_gap(B, cut));
        assert!(w.longest_gap(A, cut) <= 4 * one_way + 10, "{} ms", w.longest_gap(A, cut));
        assert_eq!(w.hosts[A].context().tx_pair(), disjoint(&w));
    }
}

/// Whether A knows that B's first locator does not answer.
fn is_silent(w: &World) -> bool {
    let first = w.hosts[B].addr(0);
    let known = w.hosts[A].context().peer_locators().iter().find(|l| l.addr == first);
    known.expect("it is in the list").is_silent()
}

#[test]
fn a_locator_is_silent_when_no_pair_with_it_is_left() {
    for shared in [false, true] {
        let mut w = with_standby(12);
        if shared {
            // Then it stands by with our second locator.
            for local in [0, 1].map(|n| w.hosts[A].addr(n)) {
                w.net.cut.insert((local.prefix(), w.hosts[B].addr(1).prefix()));
            }
        }
        w.run(8_000, [20, 20]);
        w.cut_first(true, true);
        w.run(3_000, [20, 20]);
        assert_eq!(w.hosts[A].count("standby_switched"), 1);
        assert_eq!(w.hosts[A].context().tx_pair().peer == w.hosts[B].addr(0), shared);
        assert_eq!(is_silent(&w), !shared);
    }
}

#[test]
fn a_lost_carrier_costs_what_flew() {
    let mut w = with_standby(7);
    w.run(3_000, [5, 5]);
    let cut = w.now;
    w.cut_first(true, true);
    w.hosts[A].out.locators[0].usable = false;
    w.local_changed(A);
    assert_eq!(moved(&w, A), cut);
    w.run(2_000, [5, 5]);
    assert!(gap(&w, cut) <= 4 * w.net.latency_ms + 10, "{} ms", gap(&w, cut));
    assert_eq!(w.hosts[A].count("standby_switched"), 1);
}

#[test]
fn what_an_administrator_asks_for_is_an_exploration() {
    let mut w = with_standby(8);
    w.run(3_000, [20, 20]);
    w.hint(A, Hint::Asked);
    w.run(3_000, [20, 20]);
    assert_eq!((rehomings(&w, A), w.hosts[A].count("reap_exploring")), (0, 1));
}

#[test]
fn a_silent_cut_is_found_without_any_help() {
    for (there, back) in [(true, true), (true, false), (false, true)] {
        for every in [[5, 5], [5, 0]] {
            for seed in 0..20 {
                let mut w = with_standby(seed);
                w.run(3_000, every);
                let cut = w.now;
                w.cut_first(there, back);
                w.run(8_000, every);
                let found = moved(&w, A).since(cut);
                // Silence (40 ms, or two round trips), three probes of 100 ms each; a flow that
                // nobody answers is looked at once in an interval; one that the peer speaks
                // against goes on for three of them.
                let most = match (back, every[1]) {
                    (true, 0) => 1_200 + 80 + 300,
                    (true, _) => 80 + 300 + 60,
                    (false, 0) => 1_200 + 300 + 80,
                    (false, _) => 3 * 1_200 + 300,
                };
                assert!(found <= most, "{there} {back} {every:?} seed {seed}: {found} ms");
                assert_eq!(w.hosts[A].count("standby_unanswered"), 1);
                assert_eq!(w.hosts[A].context().tx_pair(), disjoint(&w));
                assert!(gap_at_end(&w) <= 100, "it flows");
            }
        }
    }
}

fn gap_at_end(w: &World) -> u64 {
    w.now.since(*w.hosts[B].received.last().unwrap())
}

#[test]
fn one_way_traffic_and_lost_packets_move_nothing_that_works() {
    for (every, loss) in [([20, 0], 0.0), ([0, 20], 0.0), ([700, 700], 0.0), ([20, 20], 0.01)] {
        let mut w = with_standby(9);
        w.net.loss = loss;
        w.run(100_000, every);
        assert_eq!((rehomings(&w, A), rehomings(&w, B)), (0, 0), "{every:?} {loss}");
        assert_eq!(
            (w.hosts[A].count("reap_exploring"), w.hosts[B].count("reap_exploring")),
            (0, 0)
        );
        // Silences that mean nothing are asked about less and less.
        assert!(w.hosts[A].count("tx_probe") <= 1_000, "{}", w.hosts[A].count("tx_probe"));
    }
}

#[test]
fn a_path_that_becomes_slow_is_not_left() {
    for seed in 0..10 {
        let mut w = with_standby(seed);
        w.run(3_000, [10, 10]);
        // A queue fills; the other path stays fast.
        for late in 1..=40 {
            w.net.slow.insert((PREFIXES[A][0], PREFIXES[B][0]), late * 10);
            w.run(100, [10, 10]);
        }
        w.run(10_000, [10, 10]);
        assert_eq!((rehomings(&w, A), rehomings(&w, B)), (0, 0), "seed {seed}");
    }
}

#[test]
fn the_send_timeout_still_finds_what_the_peer_is_silent_about() {
    // The standby's answers say nothing of the current pair.
    let mut w = with_standby(10);
    w.call(A, |ctx, env, act| ctx.wish_send_timeout(env, act, 1_000)).unwrap();
    w.run(3_000, [20, 20]);
    w.cut_first(true, false);
    w.run(6_000, [20, 0]);
    assert!(w.hosts[A].count("standby_switched") >= 1);
    assert_eq!(w.hosts[A].context().tx_pair(), disjoint(&w));
}

/// For 20 s only the pair in use has worked.
fn without_another(seed: u64) -> World {
    let mut w = with_standby(seed);
    for x in PREFIXES[A] {
        for y in PREFIXES[B] {
            if (x, y) != (PREFIXES[A][0], PREFIXES[B][0]) {
                w.net.cut.insert((x, y));
                w.net.cut.insert((y, x));
            }
        }
    }
    w.run(20_000, [20, 20]);
    w
}

#[test]
fn without_a_pair_that_works_everything_is_as_before() {
    let mut w = without_another(11);
    assert_eq!(w.hosts[A].count("standby_confirmed"), 0);
    w.hint(A, Hint::NegativeFeedback);
    w.run(5_000, [20, 20]);
    assert_eq!((w.hosts[A].count("standby_switched"), rehomings(&w, A)), (0, 0));
    assert!(gap_at_end(&w) <= 100);
}

/// Nobody can take over: it is explored long before the Send Timeout, once.
#[test]
fn without_a_pair_that_works_an_unanswered_round_begins_an_exploration() {
    let mut w = without_another(13);
    w.cut_first(true, true);
    w.run(2_000, [20, 20]);
    assert_eq!(
        (w.hosts[A].count("standby_unanswered"), w.hosts[A].count("reap_exploring")),
        (1, 1)
    );
    w.run(30_000, [20, 20]);
    assert_eq!(w.hosts[A].count("standby_unanswered"), 1, "no rounds meanwhile");
}

#[test]
fn after_a_switch_over_another_pair_is_made_ready_soon() {
    for seed in 0..10 {
        let mut w = with_standby(seed);
        w.run(3_000, [20, 20]);
        w.hint(A, Hint::NegativeFeedback);
        let had = w.hosts[A].count("standby_confirmed");
        w.run(400, [20, 20]);
        assert!(w.hosts[A].count("standby_confirmed") > had, "seed {seed}");
    }
}

#[test]
fn both_ends_may_have_one() {
    let mut w = with_standby(12);
    w.call(B, |ctx, _, _| ctx.wish_hot_standby(true)).unwrap();
    w.run(20_000, [20, 20]);
    assert_eq!((rehomings(&w, A), rehomings(&w, B)), (0, 0));
    let cut = w.now;
    w.cut_first(true, true);
    w.run(5_000, [5, 5]);
    assert!(gap(&w, cut) <= 600, "{} ms", gap(&w, cut));
    assert_eq!(w.hosts[A].context().tx_pair(), disjoint(&w));
}
