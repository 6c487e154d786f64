// SPDX-License-Identifier: GPL-2.0

//! Stories of two hosts: what a person would see of establishment, failure, recovery.

use crate::world::{World, A, B, PREFIXES};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::{Event, Hint, State};
use shim6_proto::proto::reap::ReapState;

fn fast() -> Config {
    Config { send_timeout_ms: 1000, ..Config::default() }
}

fn established(config: Config) -> World {
    let mut w = World::new(42, config);
    w.initiate(A);
    w.run(200, [0, 0]);
    w
}

fn assert_both_established(w: &World) {
    for h in &w.hosts {
        assert_eq!(h.context().state(), State::Established, "seed {}", w.seed);
        assert_eq!(h.context().peer_locators().len(), 2, "seed {}", w.seed);
    }
    assert_eq!(w.hosts[A].context().peer_tag(), Some(w.hosts[B].context().local_tag()));
    assert_eq!(w.hosts[B].context().peer_tag(), Some(w.hosts[A].context().local_tag()));
}

#[test]
fn four_messages_establish_a_context() {
    let w = established(Config::default());
    assert_both_established(&w);
    assert_eq!(w.hosts[A].count("tx_i1"), 1);
    assert_eq!(w.hosts[B].count("tx_r1"), 1);
    assert_eq!(w.hosts[A].count("tx_i2"), 1);
    assert_eq!(w.hosts[B].count("tx_r2"), 1);
}

#[test]
fn simultaneous_opens_end_in_one_context_each() {
    let mut w = World::new(1, Config::default());
    w.initiate(A);
    w.initiate(B);
    w.run(30_000, [0, 0]);
    assert_both_established(&w);
}

#[test]
fn any_lost_message_is_made_up_for() {
    for lost in 0..4 {
        let mut w = World::new(lost, Config::default());
        w.initiate(A);
        // The message in flight at that moment is lost, whichever it is.
        w.run(lost * 20 + 10, [0, 0]);
        w.net.loss = 1.0;
        w.run(20, [0, 0]);
        w.net.loss = 0.0;
        w.run(60_000, [0, 0]);
        assert_both_established(&w);
    }
}

#[test]
fn a_peer_without_shim6_is_given_up() {
    let mut w = World::new(3, Config::default());
    w.net.loss = 1.0;
    w.initiate(A);
    w.run(300_000, [0, 0]);
    assert!(w.hosts[A].contexts.all.is_empty());
    assert_eq!(w.hosts[A].count("tx_i1"), 5, "I1 and I1_RETRIES_MAX retransmissions");
    let held = w.hosts[A].events.iter().any(|(_, e)| matches!(e, Event::Failed { .. }));
    assert!(held);
}

fn failover(a_to_b: bool, b_to_a: bool, config: Config) -> (World, u64) {
    let mut w = established(config);
    w.run(3_000, [50, 50]);
    let cut = w.now;
    w.cut_first(a_to_b, b_to_a);
    w.run(60_000, [50, 50]);
    let gap = w.longest_gap(A, cut).max(w.longest_gap(B, cut));
    for h in &w.hosts {
        assert_eq!(h.context().reap_state(), Some(ReapState::Operational));
        assert!(h.count("tx_probe") > 0);
    }
    (w, gap)
}

#[test]
fn data_flows_again_soon_after_a_silent_cut() {
    for (a_to_b, b_to_a) in [(true, true), (true, false), (false, true)] {
        let (w, gap) = failover(a_to_b, b_to_a, fast());
        assert!(gap <= 1500, "cut {a_to_b} {b_to_a}: {gap} ms");
        let moved = |h: usize| w.hosts[h].context().tx_pair() != w.ulids[h].pair;
        assert_eq!(moved(A), a_to_b);
        assert_eq!(moved(B), b_to_a);
    }
}

#[test]
fn default_timers_recover_within_the_send_timeout_and_a_round_trip() {
    let (_, gap) = failover(true, true, Config::default());
    // Send Timeout, its spread, one exchange of probes.
    assert!((14_500..=16_000).contains(&gap), "{gap} ms");
}

#[test]
fn paths_that_work_one_way_only_are_found() {
    let mut w = established(fast());
    w.run(3_000, [50, 50]);
    let cut = w.now;
    // From A to B only between the second prefixes, from B to A only between the first.
    for x in PREFIXES[A] {
        for y in PREFIXES[B] {
            if (x, y) != (PREFIXES[A][1], PREFIXES[B][1]) {
                w.net.cut.insert((x, y));
            }
            if (x, y) != (PREFIXES[A][0], PREFIXES[B][0]) {
                w.net.cut.insert((y, x));
            }
        }
    }
    w.run(20_000, [50, 50]);
    let late = cut.after(5_000);
    assert!(w.longest_gap(A, late) <= 200 && w.longest_gap(B, late) <= 200);
    assert_eq!(w.hosts[A].context().tx_pair().local, w.hosts[A].addr(1));
    assert_eq!(w.hosts[B].context().tx_pair(), w.ulids[B].pair);
}

#[test]
fn the_preferred_pair_is_used_again_when_it_works() {
    let (mut w, _) = failover(true, true, fast());
    w.net.cut.clear();
    let back = w.now;
    w.run(120_000, [50, 50]);
    assert_eq!(w.hosts[A].context().tx_pair(), w.ulids[A].pair);
    assert_eq!(w.hosts[B].context().tx_pair(), w.ulids[B].pair);
    assert!(w.longest_gap(A, back) <= 200, "the return costs nothing");
}

#[test]
fn a_rebooted_peer_is_recovered_by_its_first_packet() {
    let (mut w, _) = failover(true, true, fast());
    w.hosts[B].reboot();
    let from = w.now;
    w.run(20_000, [50, 50]);
    assert_both_established(&w);
    assert_eq!(w.hosts[B].count("tx_r1bis"), 1.max(w.hosts[B].count("tx_r1bis")));
    assert!(w.hosts[A].count("tx_i2bis") >= 1);
    assert!(w.longest_gap(B, from) <= 1500, "{}", w.longest_gap(B, from));
}

#[test]
fn traffic_one_way_is_kept_alive_and_nothing_is_explored() {
    let mut w = established(fast());
    w.run(30_000, [50, 0]);
    assert!(w.hosts[B].count("tx_keepalive") > 10);
    for h in &w.hosts {
        assert_eq!(h.count("tx_probe"), 0);
    }
}

#[test]
fn traffic_both_ways_needs_no_keepalive() {
    let mut w = established(fast());
    w.run(30_000, [50, 50]);
    for h in &w.hosts {
        assert_eq!(h.count("tx_keepalive") + h.count("tx_probe"), 0);
    }
}

#[test]
fn an_unused_context_goes_away_and_a_used_one_stays() {
    let mut w = established(Config::default());
    w.run(400_000, [10_000, 10_000]);
    assert_both_established(&w);
    w.run(400_000, [0, 0]);
    assert!(w.hosts.iter().all(|h| h.contexts.all.is_empty()));
}

#[test]
fn a_silent_context_that_a_socket_uses_stays_where_it_is() {
    let mut w = established(Config::default());
    w.run(3_000, [50, 50]);
    w.cut_first(true, true);
    w.run(20_000, [50, 50]);
    let moved = w.hosts[A].context().tx_pair();
    assert_ne!(moved, w.ulids[A].pair);
    for host in &mut w.hosts {
        host.sockets = true;
    }
    w.run(2_000_000, [0, 0]);
    assert_both_established(&w);
    assert_eq!(w.hosts[A].context().tx_pair(), moved);
    assert!(w.hosts[A].count("context_held") >= 5);
    // The connection goes on, and when it is closed the contexts go.
    let from = w.now;
    w.run(2_000, [50, 50]);
    assert!(w.longest_gap(B, from) <= 200);
    for host in &mut w.hosts {
        host.sockets = false;
    }
    w.run(400_000, [0, 0]);
    assert!(w.hosts.iter().all(|h| h.contexts.all.is_empty()));
}

#[test]
fn a_lost_local_locator_moves_the_traffic_at_once_and_the_peer_is_told() {
    let mut w = established(Config::default());
    w.run(3_000, [50, 50]);
    w.cut_first(true, true);
    let cut = w.now;
    for i in [A, B] {
        w.hosts[i].out.locators[0].usable = false;
        w.local_changed(i);
    }
    w.run(30_000, [50, 50]);
    assert!(w.longest_gap(A, cut).max(w.longest_gap(B, cut)) <= 250);
    assert!(w.hosts[A].count("tx_update") >= 1);
    assert!(w.hosts[A].count("rx_update_ack") >= 1);
}

#[test]
fn random_networks_converge() {
    for seed in 0..60 {
        let mut w = World::new(seed, fast());
        w.net.loss = 0.02 * (seed % 10) as f64;
        w.net.duplicate = 0.1;
        w.net.reorder = 0.2;
        w.initiate(if seed % 2 == 0 { A } else { B });
        w.run(20_000, [100, 100]);
        w.cut_first(seed % 3 != 0, seed % 3 != 1);
        w.run(30_000, [100, 100]);
        w.net.cut.clear();
        w.net.loss = 0.0;
        w.run(60_000, [100, 100]);
        assert_both_established(&w);
        for h in &w.hosts {
            assert_eq!(h.context().reap_state(), Some(ReapState::Operational), "seed {seed}");
        }
        let from = w.now;
        w.run(5_000, [100, 100]);
        let gap = w.longest_gap(A, from).max(w.longest_gap(B, from));
        assert!(gap <= 300, "seed {seed}: {gap} ms");
    }
}

/// Of two Update Requests the first, which the second replaced, arrives last.
#[test]
fn an_update_that_was_overtaken_is_told_again() {
    let mut w = established(fast());
    let told = |w: &World| w.hosts[B].context().peer_locators()[1].pref.priority;
    let path = (PREFIXES[A][0], PREFIXES[B][0]);
    for (priority, slow) in [(5, 400), (7, 0)] {
        w.net.slow.insert(path, slow);
        w.hosts[A].out.locators[1].pref.priority = priority;
        w.local_changed(A);
    }
    w.run(100, [0, 0]);
    assert_eq!((told(&w), w.hosts[A].count("update_acknowledged")), (7, 1));
    w.run(900, [0, 0]);
    assert_eq!((told(&w), w.hosts[A].count("update_ack_stale")), (5, 1));
    w.run(6_000, [0, 0]);
    assert_eq!((told(&w), w.hosts[A].count("update_acknowledged")), (7, 2));
    // Once.
    w.run(60_000, [0, 0]);
    assert_eq!(w.hosts[A].count("tx_update"), 3);
}

/// Until then it is as if it were not there, but for the next change: the old one may still come.
#[test]
fn an_update_that_waits_to_be_told_again_does_not_hurry() {
    let mut w = established(fast());
    let tell = |w: &mut World, priority| {
        w.hosts[A].out.locators[1].pref.priority = priority;
        w.local_changed(A);
    };
    tell(&mut w, 5);
    tell(&mut w, 7);
    w.run(100, [0, 0]);
    assert_eq!(w.hosts[A].count("tx_update"), 2);
    w.hint(A, Hint::CarrierLost);
    w.run(200, [0, 0]);
    assert_eq!((w.hosts[A].count("rehomed"), w.hosts[A].count("tx_update")), (1, 2));
    tell(&mut w, 3);
    w.run(1_000, [0, 0]);
    assert_eq!(w.hosts[A].count("tx_update"), 3);
    w.run(60_000, [0, 0]);
    assert_eq!((w.hosts[A].count("tx_update"), w.hosts[A].count("update_acknowledged")), (4, 3));
}
