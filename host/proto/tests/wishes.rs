// SPDX-License-Identifier: GPL-2.0

//! What applications wish of a context, seen in what it sends and where.

use crate::world::{World, A, B};
use shim6_proto::proto::addr::Addr;
use shim6_proto::proto::config::Config;
use shim6_proto::proto::locator::Preference;
use shim6_proto::proto::wish::{Explore, Feedback, Owner, Wanted, Wish, WishError};

fn fast() -> Config {
    Config { send_timeout_ms: 1000, ..Config::default() }
}

fn established(config: Config) -> World {
    let mut w = World::new(3, config);
    w.initiate(A);
    w.run(1_000, [20, 20]);
    w
}

fn wanted(addr: Addr, priority: u8) -> Wanted {
    Wanted { addr, priority, weight: 0 }
}

fn gap(w: &World, from: shim6_proto::proto::time::Instant) -> u64 {
    w.longest_gap(A, from).max(w.longest_gap(B, from))
}

#[test]
fn a_send_timeout_of_one_context_counts_and_the_peer_learns_it() {
    let mut w = established(Config::default());
    w.call(A, |ctx, env, activity| ctx.wish_send_timeout(env, activity, 2_000)).unwrap();
    w.run(1_000, [20, 20]);
    assert_eq!(w.hosts[B].context().keepalive_ms(&Config::default()), 2_000);
    let cut = w.now;
    w.cut_first(true, true);
    w.run(6_000, [20, 20]);
    assert!((2_000..=2_400).contains(&gap(&w, cut)), "{} ms", gap(&w, cut));
    w.call(A, |ctx, env, activity| ctx.wish_send_timeout(env, activity, 0)).unwrap();
    w.run(1_000, [20, 20]);
    assert_eq!(w.hosts[B].context().keepalive_ms(&Config::default()), 15_000);
}

#[test]
fn a_preferred_locator_of_ours_is_used_and_told() {
    let mut w = established(fast());
    let (first, second) = (w.hosts[A].addr(0), w.hosts[A].addr(1));
    let from = w.now;
    w.call(A, |ctx, env, activity| ctx.wish_local(env, activity, wanted(first, 7))).unwrap();
    w.run(1_000, [20, 20]);
    assert_eq!(w.hosts[A].context().tx_pair().local, second);
    assert_eq!(w.hosts[B].context().peer_locators()[0].preference().priority, 7);
    assert_eq!(w.hosts[B].context().peer_locators()[1].preference().priority, 0);
    assert!(gap(&w, from) <= 100, "no packet waits for it: {} ms", gap(&w, from));
    let foreign = w.hosts[B].addr(0);
    let refused = w.call(A, |ctx, env, activity| ctx.wish_local(env, activity, wanted(foreign, 7)));
    assert_eq!(refused, Err(WishError::NotALocator));
}

#[test]
fn a_preferred_locator_of_the_peer_counts_more_than_the_peers_own_wish() {
    let mut w = established(fast());
    let (first, second) = (w.hosts[B].addr(0), w.hosts[B].addr(1));
    // The peer prefers its second one.
    w.hosts[B].out.locators[0].pref.priority = 9;
    w.local_changed(B);
    w.run(20_000, [20, 20]);
    assert_eq!(w.hosts[A].context().tx_pair().peer, second);
    // The application prefers the first.
    w.call(A, |ctx, env, activity| ctx.wish_peer(env, activity, wanted(first, 0))).unwrap();
    w.call(A, |ctx, env, activity| ctx.wish_peer(env, activity, wanted(second, 4))).unwrap();
    w.run(1_000, [20, 20]);
    assert_eq!(w.hosts[A].context().tx_pair().peer, first);
    // And the peer's list does not undo it.
    w.hosts[B].out.locators[1].pref.weight = 1;
    w.local_changed(B);
    w.run(40_000, [20, 20]);
    assert_eq!(w.hosts[A].context().tx_pair().peer, first);
    assert_eq!(w.hosts[B].context().tx_pair().local, second, "its packets are its own business");
    let foreign = w.hosts[A].addr(0);
    let refused = w.call(A, |ctx, env, activity| ctx.wish_peer(env, activity, wanted(foreign, 0)));
    assert_eq!(refused, Err(WishError::NotALocator));
}

#[test]
fn a_list_of_ours_is_all_that_is_used_and_told() {
    let mut w = established(fast());
    let (first, second) = (w.hosts[A].addr(0), w.hosts[A].addr(1));
    let one = [wanted(second, 0)];
    w.call(A, |ctx, env, activity| ctx.wish_locals(env, activity, &one)).unwrap();
    w.run(1_000, [20, 20]);
    let told: Vec<_> =
        w.hosts[B].context().peer_locators().iter().map(|l| (l.addr, l.is_verified())).collect();
    assert_eq!(told, [(second, true)]);
    assert_eq!(w.hosts[A].context().tx_pair().local, second);
    assert_eq!(w.hosts[B].context().tx_pair().peer, second);
    // A cut of its path does not bring the other one back.
    let both = [wanted(second, 1), wanted(first, 0)];
    w.call(A, |ctx, env, activity| ctx.wish_locals(env, activity, &both)).unwrap();
    w.run(2_000, [20, 20]);
    assert_eq!(w.hosts[B].context().peer_locators().len(), 2);
    assert_eq!(w.hosts[A].context().tx_pair().local, first);
}

#[test]
fn a_chosen_locator_of_ours_comes_back_into_the_list() {
    let mut w = established(fast());
    let (first, second) = (w.hosts[A].addr(0), w.hosts[A].addr(1));
    w.hosts[A].out.locators[0].pref = Preference { priority: 4, weight: 6, flags: 0 };
    w.local_changed(A);
    let one = [wanted(second, 0)];
    w.call(A, |ctx, env, activity| ctx.wish_locals(env, activity, &one)).unwrap();
    w.run(1_000, [20, 20]);
    assert_eq!(w.hosts[B].context().peer_locators().len(), 1);
    let choose = |w: &mut World, local: Addr| {
        w.call(A, |ctx, env, activity| ctx.choose(env, activity, Some(&local), None))
    };
    // What is in the list needs nobody to be told.
    let updates = w.hosts[A].count("tx_update");
    assert_eq!(choose(&mut w, second), Ok(()));
    w.run(1_000, [20, 20]);
    assert_eq!(w.hosts[A].count("tx_update"), updates);
    assert_eq!(choose(&mut w, first), Ok(()));
    w.run(1_000, [20, 20]);
    assert!(w.hosts[A].count("tx_update") > updates);
    let told: Vec<_> = w.hosts[B].context().peer_locators().iter().map(|l| l.addr).collect();
    assert_eq!(told.len(), 2);
    let place = told.iter().position(|addr| *addr == first).expect("it was told");
    let pref = w.hosts[B].context().peer_locators()[place].pref;
    assert_eq!((pref.priority, pref.weight), (4, 6), "as the administrator set it");
}

#[test]
fn a_preferred_locator_of_ours_comes_back_into_the_list_too() {
    let mut w = established(fast());
    let (first, second) = (w.hosts[A].addr(0), w.hosts[A].addr(1));
    let one = [wanted(second, 0)];
    w.call(A, |ctx, env, activity| ctx.wish_locals(env, activity, &one)).unwrap();
    w.run(1_000, [20, 20]);
    assert_eq!(w.hosts[B].context().peer_locators().len(), 1);
    w.call(A, |ctx, env, activity| ctx.wish_local(env, activity, wanted(first, 3))).unwrap();
    w.run(1_000, [20, 20]);
    let told = w.hosts[B].context().peer_locators();
    let told: Vec<_> = told.iter().map(|l| (l.addr, l.pref.priority)).collect();
    assert_eq!(told, [(first, 3), (second, 0)]);
}

#[test]
fn a_choice_of_what_cannot_be_used_is_refused_and_nothing_changed() {
    let mut w = established(fast());
    let ([first, second], foreign) = ([0, 1].map(|i| w.hosts[A].addr(i)), w.hosts[B].addr(1));
    let one = [wanted(first, 0)];
    w.call(A, |ctx, env, activity| ctx.wish_locals(env, activity, &one)).unwrap();
    w.run(1_000, [20, 20]);
    let updates = w.hosts[A].count("tx_update");
    w.hosts[A].out.locators[1].usable = false;
    for (local, peer, refused) in [
        (Some(second), None, WishError::NotALocator),
        (Some(foreign), None, WishError::NotALocator),
        (None, Some(first), WishError::NotALocator),
        (Some(first), Some(foreign), WishError::Unverified),
    ] {
        let got = w
            .call(A, |ctx, env, activity| ctx.choose(env, activity, local.as_ref(), peer.as_ref()));
        assert_eq!(got, Err(refused), "{local:?} {peer:?}");
    }
    w.run(1_000, [20, 20]);
    assert_eq!(w.hosts[A].count("tx_update"), updates);
    assert_eq!(w.hosts[A].context().tx_pair(), w.ulids[A].pair);
}

#[test]
fn a_list_that_leaves_nothing_is_refused_and_nothing_changed() {
    let mut w = established(fast());
    let (second, foreign) = (w.hosts[A].addr(1), w.hosts[B].addr(1));
    let mut narrow = |list: &[Wanted]| w.call(A, |ctx, env, act| ctx.wish_locals(env, act, list));
    assert_eq!(narrow(&[wanted(second, 0), wanted(foreign, 0)]), Err(WishError::NotALocator));
    assert_eq!(narrow(&[]), Err(WishError::Nothing));
    w.hosts[A].out.locators[1].usable = false;
    let refused = w.call(A, |ctx, env, act| ctx.wish_locals(env, act, &[wanted(second, 0)]));
    assert_eq!(refused, Err(WishError::Nothing));
    w.run(1_000, [20, 20]);
    assert_eq!(w.hosts[A].count("tx_update"), 0);
    assert_eq!(w.hosts[A].context().tx_pair(), w.ulids[A].pair);
}

#[test]
fn a_list_of_the_peers_has_to_be_reachable() {
    let mut w = established(fast());
    let (first, second, foreign) = (w.hosts[B].addr(0), w.hosts[B].addr(1), w.hosts[A].addr(0));
    let narrow = |w: &mut World, addr| {
        w.call(A, |ctx, env, act| ctx.wish_peers(env, act, &[wanted(addr, 0)]))
    };
    assert_eq!(narrow(&mut w, foreign), Err(WishError::NotALocator));
    assert_eq!(narrow(&mut w, second), Err(WishError::Unverified), "nobody probed it");
    // Now it is probed, and used.
    w.call(A, |ctx, env, act| ctx.wish_peer(env, act, wanted(first, 9))).unwrap();
    w.run(1_000, [20, 20]);
    assert_eq!(narrow(&mut w, second), Ok(()));
    w.run(1_000, [20, 20]);
    assert_eq!(w.hosts[A].context().tx_pair().peer, second);
    // The peer says that it is broken.
    w.hosts[B].out.locators[0].usable = false;
    w.local_changed(B);
    w.run(1_000, [20, 20]);
    assert_eq!(narrow(&mut w, first), Err(WishError::Unreachable));
}

/// "The application is recommended to use another destination locator until the reachability
/// check for the requested locator is done" (RFC 6316 section 7.2): asking sets it off.
#[test]
fn asking_for_an_unreached_locator_has_it_checked() {
    let mut w = established(fast());
    let second = w.hosts[B].addr(1);
    let choose =
        |w: &mut World| w.call(A, |ctx, env, act| ctx.choose(env, act, None, Some(&second)));
    assert_eq!(choose(&mut w), Err(WishError::Unverified));
    w.run(1_000, [20, 20]);
    assert_eq!(choose(&mut w), Ok(()));
    assert_eq!(w.hosts[A].count("check_probe"), 1);
    assert_eq!(w.hosts[A].count("check_confirmed"), 1);
    // It was asked, no more: nobody moved or explored.
    for host in [A, B] {
        assert_eq!(w.hosts[host].context().tx_pair(), w.ulids[host].pair);
        assert_eq!(w.hosts[host].count("reap_inbound_ok"), 0);
    }
}

#[test]
fn a_check_that_nobody_answers_ends() {
    let mut w = established(fast());
    let second = w.hosts[B].addr(1);
    let choose =
        |w: &mut World| w.call(A, |ctx, env, act| ctx.choose(env, act, None, Some(&second)));
    w.net.loss = 1.0;
    let checks = |w: &mut World, error| {
        for _ in 0..50 {
            assert_eq!(choose(w), Err(error));
            w.run(10, [0, 0]);
        }
        w.run(10_000, [0, 0]);
        w.hosts[A].count("check_probe")
    };
    let initial = u64::from(fast().initial_probes);
    assert_eq!(checks(&mut w, WishError::Unverified), initial, "however often somebody asks");
    assert_eq!(w.hosts[A].count("check_unanswered"), 1);
    // Now it is "determined to be unreachable according to a reachability check".
    assert_eq!(checks(&mut w, WishError::Unreachable), 2 * initial, "and again, later");
    assert_eq!(w.hosts[A].count("check_unanswered"), 2);
    assert_eq!(w.hosts[A].count("check_confirmed"), 0);
    w.net.loss = 0.0;
    assert_eq!(choose(&mut w), Err(WishError::Unreachable));
    w.run(1_000, [20, 20]);
    assert_eq!(choose(&mut w), Ok(()), "it came back");
}

/// What a reachability check found counts for all that name a locator of the peer's: sections
/// 6.5, 6.9 and 6.11.
#[test]
fn the_locator_of_a_path_that_died_is_unreachable() {
    let mut w = established(fast());
    let (id, [first, second]) = (w.hosts[A].contexts_ids()[0], [0, 1].map(|i| w.hosts[B].addr(i)));
    let by = Owner { place: 1, serial: 1 };
    let asked = |w: &mut World, addr: Addr| {
        let lists = [wanted(addr, 0)];
        let sent = w.call(A, |ctx, env, act| ctx.choose(env, act, None, Some(&addr)));
        let mut wish = |wish: Wish<'_>| {
            w.call_on(A, id, |ctx, env, act| ctx.wish(env, act, by, |_| true, &wish)).map(|_| ())
        };
        [sent, wish(Wish::Peer(wanted(addr, 0))), wish(Wish::Peers(&lists))]
    };
    let dead = Err(WishError::Unreachable);
    w.cut_first(true, true);
    w.run(10_000, [20, 20]);
    assert_eq!(w.hosts[A].context().tx_pair().peer, second);
    let checks = w.hosts[A].count("check_probe");
    assert_eq!(asked(&mut w, first), [dead; 3]);
    assert_eq!(w.hosts[A].context().peer_locators()[0].preference(), Preference::default());
    // It is checked, from where packets to it would be sent.
    w.run(10_000, [20, 20]);
    assert!(w.hosts[A].count("check_probe") > checks);
    assert_eq!(asked(&mut w, second), [Ok(()); 3]);
}

/// Who only comes along with its peer, which looks for another pair, was not answered by silence.
#[test]
fn who_comes_along_holds_nothing_for_unreachable() {
    let mut w = established(fast());
    let (id, first) = (w.hosts[B].contexts_ids()[0], w.hosts[A].addr(0));
    w.call(A, |ctx, _, _| ctx.wish_hot_standby(true)).unwrap();
    w.run(3_000, [20, 20]);
    w.call(A, |ctx, env, act| ctx.feedback(env, act, Feedback::Negative));
    w.run(1_000, [20, 20]);
    assert_ne!(w.hosts[A].context().tx_pair().local, first);
    assert_ne!(w.hosts[B].context().tx_pair().peer, first);
    let chosen = w.call_on(B, id, |ctx, env, act| ctx.choose(env, act, None, Some(&first)));
    assert_eq!(chosen, Ok(()));
}

/// That a link of ours is gone says nothing of the peer's locators.
#[test]
fn a_locator_is_not_unreachable_because_ours_is_gone() {
    let mut w = established(fast());
    let first = w.hosts[B].addr(0);
    w.hosts[A].out.locators[0].usable = false;
    w.local_changed(A);
    w.run(5_000, [20, 20]);
    assert_ne!(w.hosts[A].context().tx_pair().peer, first);
    let chosen = w.call(A, |ctx, env, act| ctx.choose(env, act, None, Some(&first)));
    assert_eq!(chosen, Ok(()));
}

#[test]
fn a_locator_that_left_the_list_is_checked_no_more() {
    let mut w = established(fast());
    let second = w.hosts[B].addr(1);
    w.net.loss = 1.0;
    let refused = w.call(A, |ctx, env, act| ctx.choose(env, act, None, Some(&second)));
    assert_eq!(refused, Err(WishError::Unverified));
    let probes = w.hosts[A].count("check_probe");
    w.hosts[A].out.locators.iter_mut().for_each(|l| l.usable = false);
    w.run(10_000, [0, 0]);
    assert_eq!(w.hosts[A].count("check_probe"), probes);
}

#[test]
fn the_parameters_of_exploration_act() {
    let probes = |explore: Option<Explore>| {
        let mut w = established(fast());
        if let Some(explore) = explore {
            w.call(A, |ctx, env, act| ctx.wish_explore(env, act, explore)).unwrap();
        }
        // Nothing gets through.
        w.net.loss = 1.0;
        w.run(6_000, [20, 0]);
        w.hosts[A].count("tx_probe")
    };
    let (usual, quick) = (
        probes(None),
        probes(Some(Explore {
            initial_probes: 16,
            initial_probe_timeout_ms: 100,
            ..Explore::default()
        })),
    );
    assert!(usual <= 8, "{usual}");
    assert!(quick >= 16, "{quick}");
}

#[test]
fn the_keepalive_parameters_act() {
    let keepalives = |explore: Option<Explore>| {
        let mut w = established(Config::default());
        if let Some(explore) = explore {
            w.call(B, |ctx, env, act| ctx.wish_explore(env, act, explore)).unwrap();
        }
        // B hears A and has nothing to say; then A falls silent too.
        w.run(9_000, [100, 0]);
        let during = w.hosts[B].count("tx_keepalive");
        w.run(20_000, [0, 0]);
        (during, w.hosts[B].count("tx_keepalive") - during)
    };
    let usual = keepalives(None);
    let often = keepalives(Some(Explore { keepalive_interval_ms: 1_000, ..Explore::default() }));
    let short = keepalives(Some(Explore { keepalive_timeout_ms: 3_000, ..Explore::default() }));
    assert!(usual.0 <= 3, "{usual:?}");
    assert!(often.0 >= 7, "{often:?}");
    assert!((5..=7).contains(&often.1), "until the Keepalive Timeout: {often:?}");
    assert!(short.0 >= 5 && short.1 <= 4, "{short:?}");
}

#[test]
fn negative_feedback_asks_the_path_and_moves_nothing_that_works() {
    let mut w = established(Config::default());
    let from = w.now;
    w.call(A, |ctx, env, act| ctx.feedback(env, act, Feedback::Negative));
    w.run(1_000, [20, 20]);
    assert!(w.hosts[A].count("tx_probe") >= 1);
    assert_eq!(w.hosts[A].context().tx_pair(), w.ulids[A].pair);
    assert!(gap(&w, from) <= 100);
    // And when it does not work, nobody waits for the Send Timeout.
    let cut = w.now;
    w.cut_first(true, true);
    w.call(A, |ctx, env, act| ctx.feedback(env, act, Feedback::Negative));
    w.run(3_000, [20, 20]);
    assert!(gap(&w, cut) <= 800, "{} ms", gap(&w, cut));
}

/// How long A takes to explore when it hears nothing any more, while its application, if it
/// speaks at all, says that all is well.
fn explores_after(feedback: bool) -> u64 {
    let mut w = established(fast());
    let cut = w.now;
    w.cut_first(false, true);
    while w.hosts[A].count("reap_exploring") == 0 && w.now.since(cut) < 20_000 {
        w.run(50, [20, 0]);
        if feedback {
            w.call(A, |ctx, env, act| ctx.feedback(env, act, Feedback::Satisfactory));
        }
    }
    assert_eq!(w.hosts[A].count("feedback_ignored") > 0, feedback);
    w.now.since(cut)
}

#[test]
fn positive_feedback_is_evidence_of_reachability_for_one_send_timeout() {
    let (silent, vouched) = (explores_after(false), explores_after(true));
    assert!((950..=1_200).contains(&silent), "{silent} ms");
    assert!((1_900..=2_400).contains(&vouched), "{vouched} ms");
}

#[test]
fn positive_feedback_about_a_path_that_works_always_counts() {
    let mut w = established(fast());
    for _ in 0..200 {
        w.run(50, [20, 0]);
        w.call(A, |ctx, env, act| ctx.feedback(env, act, Feedback::Satisfactory));
    }
    assert_eq!(w.hosts[A].count("feedback_ignored"), 0);
    assert_eq!(w.hosts[A].count("reap_exploring"), 0);
}

#[test]
fn weights_share_contexts_out() {
    let on_the_second = |first: u8, second: u8| {
        let moved = |seed| {
            let mut w = World::new(seed, fast());
            w.initiate(A);
            w.run(300, [20, 20]);
            let (x, y) = (w.hosts[A].addr(0), w.hosts[A].addr(1));
            for (addr, weight) in [(x, first), (y, second)] {
                let wanted = Wanted { addr, priority: 1, weight };
                w.call(A, |ctx, env, act| ctx.wish_local(env, act, wanted)).unwrap();
                w.run(300, [20, 20]);
            }
            w.run(6_000, [20, 20]);
            w.hosts[A].context().tx_pair().local == y
        };
        (0..200).filter(|seed| moved(*seed)).count()
    };
    // Of 200, within three standard deviations.
    let (little, half, much) = (on_the_second(9, 1), on_the_second(20, 20), on_the_second(10, 90));
    assert!((8..=33).contains(&little), "{little} of 20");
    assert!((78..=122).contains(&half), "{half} of 100");
    assert!((167..=193).contains(&much), "{much} of 180");
    assert_eq!(on_the_second(0, 1), 200, "a weight counts more than none");
    assert_eq!(on_the_second(0, 0), 0, "without weights the identifiers' pair");
}
