// SPDX-License-Identifier: GPL-2.0

//! One established context: what it tells and is told, and what it makes of its packets.

use crate::desk::*;
use crate::world::Outside;
use shim6_proto::proto::addr::{Pair, Tag};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::flows::{Flow, FlowSlot, Flows};
use shim6_proto::proto::context::{Event, Hint, State};
use shim6_proto::proto::env::Env;
use shim6_proto::proto::locator::Preference;
use shim6_proto::proto::reap::timing::wake_after;
use shim6_proto::proto::reap::ReapState;
use shim6_proto::proto::wire::{Body, Message, Method, Type};
use shim6_proto::proto::wish::{Explore, Feedback};

fn established(config: Config) -> Desk {
    let mut d = Desk::new(config);
    d.established(TAG);
    d
}

/// The driver calls when it should; a message that is sent meanwhile is lost.
fn messages(d: &mut Desk) -> Vec<Vec<u8>> {
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().expect("a context");
    if ctx.poll_timeout(&h.out, activity).is_some_and(|at| h.out.now.get().reached(at)) {
        ctx.handle_timeout(&h.out, activity);
    }
    std::iter::from_fn(|| d.sent()).map(|(_, message)| message).collect()
}

fn timers(d: &mut Desk) -> Vec<Type> {
    messages(d).iter().map(|message| Message::parse(message).unwrap().kind()).collect()
}

/// So many milliseconds, and what was sent in them.
fn run(d: &mut Desk, ms: u64) -> Vec<Type> {
    let mut sent = vec![];
    for _ in 0..ms {
        d.pass(1);
        sent.extend(timers(d));
    }
    sent
}

/// The driver's set is another one now; the Update Request that tells it.
fn changed(d: &mut Desk, change: impl FnOnce(&mut Outside)) -> Vec<u8> {
    change(&mut d.host.out);
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().expect("a context");
    ctx.local_changed(&h.out, activity);
    let (_, update) = d.sent().expect("an Update");
    assert_eq!(Message::parse(&update).unwrap().kind(), Type::UpdateRequest);
    update
}

fn nonce_of(update: &[u8]) -> u32 {
    match Message::parse(update).unwrap().body {
        Body::UpdateRequest { nonce, .. } => nonce,
        other => panic!("{other:?}"),
    }
}

// What messages tell.

#[test]
fn preferences_that_come_with_their_list_count() {
    let told = [(1, 5), (0, 7)];
    let prefs = told.map(|(priority, weight)| Preference { flags: 0, priority, weight });
    for (generation, count, taken) in [(31, 2, true), (32, 2, false), (31, 1, false)] {
        let mut d = Desk::new(Config::default());
        let (list, pds) = (d.peer_list(), d.peer.out.pds.clone());
        let i2 = d.i2(TAG, |m| {
            m.locators(31, list[..2].iter().copied());
            m.preferences(generation, prefs[..count].iter().copied());
            m.pds(&pds);
        });
        d.hear(&i2).expect("an R2");
        let got: Vec<_> = d.host.context().peer_locators().iter().map(|l| l.preference()).collect();
        assert_eq!(got, if taken { prefs } else { [Preference::default(); 2] });
    }
}

#[test]
fn preferences_go_with_the_list_when_they_say_something() {
    for (priority, told) in [(0, false), (3, true)] {
        let mut d = Desk::new(Config::default());
        d.host.out.locators[1].pref.priority = priority;
        let i2 = d.i2(TAG, |_| {});
        let r2 = d.hear(&i2).expect("an R2");
        let options = Message::parse(&r2).unwrap().options;
        assert!(options.locators.is_some());
        assert_eq!(options.preferences.is_some(), told);
    }
}

/// 4096 bits of key, 32 prefixes and 32 locators are more than a message may have.
#[test]
fn what_does_not_fit_into_an_r2_is_left_out() {
    let mut d = Desk::new(Config::default());
    d.host.out.pds.resize(900, 7);
    for n in 0..30 {
        let mut more = d.host.out.locators[1];
        more.addr.0[15] ^= n + 1;
        d.host.out.locators.push(more);
    }
    let i2 = d.i2(TAG, |_| {});
    let r2 = d.hear(&i2).expect("an R2 without the list");
    let options = Message::parse(&r2).unwrap().options;
    assert!(options.locators.is_none() && options.pds.is_none());
    assert_eq!((d.host.context().state(), d.host.count("tx_r2")), (State::Established, 1));
}

#[test]
fn an_unproved_locator_of_an_hba_set_is_not_asked_a_signature_for() {
    let mut d = Desk::new(Config::default());
    let pds = d.peer.out.pds.clone();
    let list = [(d.peer.addr(0), Method::Hba), (a_stranger(), Method::Hba)];
    let i2 = d.i2(TAG, |m| {
        m.locators(31, list.into_iter());
        m.pds(&pds);
    });
    d.hear(&i2).expect("an R2");
    assert_eq!(d.host.count("rx_locator_unverified"), 1);
    assert_eq!(d.host.count("signature_missing"), 0);
}

/// The peer lost its state and says so over another pair; our packets stay where they are.
#[test]
fn an_i2_over_another_pair_moves_nobody() {
    let mut d = established(Config::default());
    let Pair { local, peer } = d.ulids.pair;
    let over = Pair { local: d.host.addr(1), peer: d.peer.addr(1) };
    let (list, pds) = (d.peer_list(), d.peer.out.pds.clone());
    let other = Tag::new(TAG.get() ^ 1);
    let i1 = build(&Body::I1 { initiator_tag: other, initiator_nonce: 5 }, |m| {
        m.ulids(&peer, &local);
    });
    let (_, r1) = d.say(over.peer, over.local, &i1).expect("an R1");
    let r1 = Message::parse(&r1).unwrap();
    let Body::R1 { responder_nonce, .. } = r1.body else { panic!("{r1:?}") };
    let body = Body::I2 { initiator_tag: other, initiator_nonce: 5, responder_nonce };
    let i2 = build(&body, |m| {
        m.validator(r1.options.validator.unwrap());
        m.ulids(&peer, &local);
        m.locators(32, list.iter().copied());
        m.pds(&pds);
    });
    assert!(d.say(over.peer, over.local, &i2).is_some());
    assert_eq!(d.host.context().peer_generation(), Some(32), "the list was taken");
    assert_eq!(d.host.context().tx_pair(), d.ulids.pair);
}

// Updates.

#[test]
fn all_that_changed_is_in_one_update() {
    let mut d = established(Config::default());
    let update = changed(&mut d, |out| {
        out.generation += 1;
        out.locators[1].pref.priority = 9;
    });
    let options = Message::parse(&update).unwrap().options;
    assert!(options.locators.is_some() && options.preferences.is_some());
    assert!(options.keepalive_timeout_s.is_none());
}

#[test]
fn a_changed_send_timeout_is_told_alone() {
    let mut d = Desk::new(Config::default());
    d.host.out.locators[1].pref.priority = 3;
    d.established(TAG);
    let update = changed(&mut d, |out| out.config.send_timeout_ms = 20_000);
    let options = Message::parse(&update).unwrap().options;
    assert_eq!(options.keepalive_timeout_s, Some(20));
    assert!(options.locators.is_none() && options.preferences.is_none());
}

/// Before the first message was taken out.
#[test]
fn what_changes_twice_at_once_is_told_once_and_at_once() {
    let mut d = established(Config::default());
    d.host.out.locators[1].pref.priority = 9;
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
    ctx.local_changed(&h.out, activity);
    let update = changed(&mut d, |out| out.locators[1].pref.priority = 8);
    let prefs = Message::parse(&update).unwrap().options.preferences.unwrap();
    assert_eq!(prefs.iter().map(|p| p.priority).collect::<Vec<_>>(), [0, 8]);
    assert!(d.sent().is_none());
}

/// A request that was given up may arrive after the one that replaced it.
#[test]
fn what_replaces_a_request_is_told_twice() {
    for repeated in [false, true] {
        let mut d = established(Config::default());
        changed(&mut d, |out| out.locators[1].pref.priority = 9);
        if repeated {
            assert_eq!(run(&mut d, 6_000), [Type::UpdateRequest]);
        }
        let update = changed(&mut d, |out| out.locators[1].pref.priority = 8);
        let (tag, nonce) = (d.local_tag(), nonce_of(&update));
        d.hear(&build(&Body::UpdateAck { tag, nonce }, |_| {}));
        assert_eq!(d.host.count("update_acknowledged"), 1);
        assert_eq!(run(&mut d, 6_000), [Type::UpdateRequest]);
    }
}

#[test]
fn each_change_of_a_preference_is_told() {
    let mut d = established(Config::default());
    for priority in [9, 8, 9, 0] {
        let update = changed(&mut d, |out| out.locators[1].pref.priority = priority);
        let prefs = Message::parse(&update).unwrap().options.preferences.unwrap();
        assert_eq!(prefs.iter().map(|p| p.priority).collect::<Vec<_>>(), [0, priority]);
        let (tag, nonce) = (d.local_tag(), nonce_of(&update));
        assert!(d.hear(&build(&Body::UpdateAck { tag, nonce }, |_| {})).is_none());
    }
    assert_eq!(d.host.count("update_acknowledged"), 4);
}

/// "the Update Acknowledgement is silently ignored", and so is an Error about another request.
#[test]
fn only_the_answer_to_the_last_request_ends_it() {
    let mut d = established(Config::default());
    let update = changed(&mut d, |out| out.locators[1].pref.priority = 9);
    let (tag, nonce, pair) = (d.local_tag(), nonce_of(&update), d.ulids.pair);
    let other = build(&Body::UpdateRequest { tag: TAG, nonce: !nonce }, |_| {});
    let packet = [&header(pair.local, pair.peer)[..], &other].concat();
    let refusal = Body::Error { code: 2, pointer: 40, packet: &packet };
    let ack = build(&Body::UpdateAck { tag, nonce: !nonce }, |_| {});
    // 4 s, then 8, and a half of it more at most.
    for (wrong, most) in [(ack, 6_000), (build(&refusal, |_| {}), 12_000)] {
        assert!(d.hear(&wrong).is_none());
        assert!(run(&mut d, most).contains(&Type::UpdateRequest), "it is sent again");
    }
    assert_eq!(d.host.count("update_ack_stale"), 1);
    assert!(d.hear(&build(&Body::UpdateAck { tag, nonce }, |_| {})).is_none());
    assert_eq!(d.host.count("update_acknowledged"), 1);
}

/// Probes are remembered by the places of their locators.
#[test]
fn probes_of_before_are_told_of_while_their_places_are_the_same() {
    for moved in [false, true] {
        let mut d = established(Config::default());
        let h = &mut d.host;
        let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
        ctx.path_hint(&h.out, activity, Hint::Asked);
        assert_eq!(told_probes(&mut d, 1_000), Some(2));
        changed(&mut d, |out| {
            out.locators[1].pref.priority = 9;
            out.generation += u32::from(moved);
        });
        assert_eq!(told_probes(&mut d, 1_000), Some(if moved { 2 } else { 4 }));
    }
}

/// Of how many the last Probe in so many milliseconds says that they were sent.
fn told_probes(d: &mut Desk, ms: u64) -> Option<usize> {
    let mut told = None;
    for _ in 0..ms {
        d.pass(1);
        for bytes in messages(d) {
            if let Body::Probe { probe, .. } = Message::parse(&bytes).unwrap().body {
                told = Some(probe.sent().count());
            }
        }
    }
    told
}

// Control messages are packets.

#[test]
fn a_request_that_nobody_answers_is_a_sign_of_a_dead_path() {
    let mut d = established(Config { send_timeout_ms: 2_000, ..Config::default() });
    changed(&mut d, |out| out.locators[1].pref.priority = 9);
    run(&mut d, 1_990);
    assert_eq!(d.host.context().reap_state(), Some(ReapState::Operational));
    run(&mut d, 60);
    assert_eq!(d.host.context().reap_state(), Some(ReapState::Exploring));
}

#[test]
fn a_request_of_the_peers_shows_that_it_is_heard() {
    let mut d = established(Config::default());
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
    ctx.path_hint(&h.out, activity, Hint::Asked);
    assert_eq!(ctx.reap_state(), Some(ReapState::Exploring));
    let tag = d.local_tag();
    let request = build(&Body::UpdateRequest { tag, nonce: 7 }, |m| m.keepalive_timeout(10));
    d.hear(&request).expect("an Acknowledgement");
    assert_eq!(d.host.context().reap_state(), Some(ReapState::InboundOk));
}

#[test]
fn what_happened_twice_is_told_once() {
    let mut d = established(Config::default());
    let list = d.peer_list();
    let told = |d: &mut Desk| std::iter::from_fn(|| d.first().0.poll_event()).collect::<Vec<_>>();
    assert!(told(&mut d).contains(&Event::Established));
    let tag = d.local_tag();
    for (generation, count) in [(40, 1), (41, 2)] {
        let request = build(&Body::UpdateRequest { tag, nonce: generation }, |m| {
            m.locators(generation, list[..count].iter().copied());
        });
        d.hear(&request).expect("an Acknowledgement");
    }
    assert_eq!(told(&mut d), [Event::PeerLocators]);
    for _ in 0..2 {
        d.first().0.abandon();
        assert!(d.host.context().is_gone());
    }
    assert_eq!(told(&mut d), [Event::Gone]);
}

// Who uses it.

#[test]
fn an_idle_context_asks_once_for_its_users_and_again_after_it_was_used() {
    let idle = 60_000;
    let mut d = established(Config { gc_idle_ms: 60_000, ..Config::default() });
    let use_it = |d: &mut Desk| {
        let tick = d.host.out.ticks().tick(d.host.out.now.get());
        let _ = d.first().1.note_received(tick);
        d.host.out.now.get()
    };
    let asks = |d: &mut Desk| {
        timers(d);
        d.first().0.asks_for_users()
    };
    for _ in 0..3 {
        let used = use_it(&mut d);
        assert!(!asks(&mut d));
        let left = idle + 20 - d.host.out.now.get().since(used);
        run(&mut d, left);
        assert!(asks(&mut d), "and no more than a tick late");
        assert!(!asks(&mut d) && !d.host.context().is_gone());
        run(&mut d, 5_000);
    }
    run(&mut d, 10_000);
    assert!(d.host.context().is_gone(), "nobody said that it is used");
}

#[test]
fn at_the_very_moment_it_asks_once_too() {
    let mut d = established(Config { gc_idle_ms: 60_000, ..Config::default() });
    let tick = d.host.out.ticks().tick(d.host.out.now.get());
    let _ = d.first().1.note_received(tick);
    d.host.out.now.set(d.host.out.ticks().instant(tick).after(60_000));
    let asked = [(); 4].map(|()| {
        let h = &mut d.host;
        let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
        ctx.handle_timeout(&h.out, activity);
        ctx.asks_for_users()
    });
    assert_eq!(asked, [true, false, false, false]);
}

#[test]
fn what_packets_see_is_published_when_it_changes() {
    let mut d = established(Config::default());
    assert!(d.host.context().has_changed());
    d.first().0.published();
    assert!(!d.host.context().has_changed());
    changed(&mut d, |out| out.generation += 1);
    assert!(d.host.context().has_changed());
}

#[test]
fn the_timer_is_armed_for_what_comes_first() {
    let mut d = established(Config::default());
    let config = Config::default();
    let reap = wake_after(&config, config.send_timeout_ms, config.keepalive_timeout_ms);
    assert_eq!(d.host.context().wake_after_ms(&config), reap);
    d.first().0.wish_hot_standby(true).unwrap();
    assert_eq!(d.host.context().wake_after_ms(&config), config.standby_silence_ms);
}

#[test]
fn what_was_wished_of_exploring_is_what_is_done() {
    let mut d = established(Config::default());
    let wish = Explore {
        initial_probes: 2,
        initial_probe_timeout_ms: 300,
        keepalive_timeout_ms: 4_000,
        keepalive_interval_ms: 1_000,
    };
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
    ctx.wish_explore(&h.out, activity, wish).unwrap();
    assert_eq!(ctx.explore(&Config::default()), wish);
}

/// For one Send Timeout an application may vouch for a peer that says nothing; what the peer says
/// begins it anew.
#[test]
fn feedback_counts_again_after_the_peer_was_heard() {
    for (heard, ignored) in [(false, 1), (true, 0)] {
        let mut d = established(Config::default());
        let vouch = |d: &mut Desk| {
            let h = &mut d.host;
            let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
            ctx.feedback(&h.out, activity, Feedback::Satisfactory);
        };
        vouch(&mut d);
        d.pass(16_000);
        if heard {
            let tick = d.host.out.ticks().tick(d.host.out.now.get());
            let _ = d.first().1.note_received(tick);
        }
        vouch(&mut d);
        assert_eq!(d.host.count("feedback_ignored"), ignored);
    }
}

// Flows.

#[test]
fn flows_have_places_of_their_own() {
    let slots: Vec<_> = (0..1 << 16).map(|_| FlowSlot::new()).collect();
    let flows = Flows(&slots);
    let key = |port: u16| Flow::new(17, port, 53).key(0x9e37_79b9_7f4a_7c15);
    let tag = |port: u16| Tag::new(u64::from(port) + 1);
    for port in 0..1_000 {
        assert!(flows.learn(key(port), tag(port)), "{port}");
    }
    let known = (0..1_000).filter(|port| flows.find(key(*port)) == Some(tag(*port))).count();
    assert!(known >= 950, "{known} of 1000");
    assert_eq!(Flow::new(17, 1, 53).ports().ports, Some((1, 53)));
    assert_eq!(Flow::new(17, 1, 53).ports().protocol, 17);
}
