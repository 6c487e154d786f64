// SPDX-License-Identifier: GPL-2.0

//! Sentences of RFC 5533 that only rare circumstances put to use: messages of another kind
//! in the middle of an exchange of ours, a recovery that falls back to I1, a tag drawn twice.

use crate::desk::*;
use crate::world;
use shim6_proto::proto::addr::{Addr, Pair, Tag, UlidPair};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::State;
use shim6_proto::proto::counter::Counter;
use shim6_proto::proto::crowd::Crowd;
use shim6_proto::proto::env::{Env, Ticks};
use shim6_proto::proto::locator::LocalSet;
use shim6_proto::proto::wire::{Body, Message, Method, Type};
use shim6_proto::proto::wish::Wanted;
use std::cell::Cell;

const OTHER: Tag = Tag::new(0x0123_4567_89ab);

/// R1bis for our context, from there to our ULID.
fn forget(d: &mut Desk, from: Addr) {
    let body = Body::R1bis { packet_tag: TAG, responder_nonce: 8 };
    let local = d.ulids.pair.local;
    assert!(d.say(from, local, &build(&body, |m| m.validator(&[1; 12]))).is_none());
    assert_eq!(d.host.context().state(), State::I2bisSent);
}

/// Of our locators the application leaves the first to the context.
fn narrow(d: &mut Desk) {
    let only = Wanted { addr: d.host.addr(0), priority: 0, weight: 0 };
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().expect("a context");
    ctx.wish_locals(&h.out, activity, &[only]).expect("a list");
}

#[test]
fn an_r1bis_to_a_locator_that_left_the_list_recovers_nothing() {
    let mut d = in_state(Some(State::Established));
    let (peer, second) = (d.ulids.pair.peer, d.host.addr(1));
    narrow(&mut d);
    let body = Body::R1bis { packet_tag: TAG, responder_nonce: 8 };
    let r1bis = build(&body, |m| m.validator(&[1; 12]));
    d.say(peer, second, &r1bis);
    assert_eq!(d.host.context().state(), State::Established);
    assert_eq!(d.host.count("r1bis_unexpected"), 1);
    d.say(peer, d.host.addr(0), &r1bis);
    assert_eq!(d.host.context().state(), State::I2bisSent);
}

#[test]
fn a_recovery_from_a_locator_that_leaves_the_list_goes_on_from_the_ulid() {
    let mut d = in_state(Some(State::Established));
    let (peer, first, second) = (d.ulids.pair.peer, d.host.addr(0), d.host.addr(1));
    let body = Body::R1bis { packet_tag: TAG, responder_nonce: 8 };
    d.say(peer, second, &build(&body, |m| m.validator(&[1; 12])));
    let (over, _) = d.sent().expect("an I2bis");
    assert_eq!((over.src, d.host.context().state()), (second, State::I2bisSent));
    narrow(&mut d);
    let (over, i1) = d.sent().expect("an I1");
    assert_eq!((over.src, Message::parse(&i1).unwrap().kind()), (first, Type::I1));
    assert_eq!(d.host.count("fell_back_to_i1"), 1);
}

/// Brings the only context of a new desk into this state; IDLE is none.
fn in_state(state: Option<State>) -> Desk {
    let mut d = Desk::new(Config::default());
    match state {
        Some(State::I1Sent | State::I2Sent) => {
            d.initiate().unwrap();
            let (_, i1) = d.sent().unwrap();
            // The one R2 for an I1 of ours is spent.
            let theirs = build(&Body::I1 { initiator_tag: TAG, initiator_nonce: 5 }, |_| {});
            assert!(d.hear(&theirs).is_some());
            if state == Some(State::I2Sent) {
                let message = Message::parse(&i1).unwrap();
                let Body::I1 { initiator_nonce, .. } = message.body else { panic!() };
                let body = Body::R1 { initiator_nonce, responder_nonce: 8 };
                d.hear(&build(&body, |m| m.validator(&[1; 20])));
                assert!(d.sent().is_some(), "an I2");
                assert!(d.hear(&theirs).is_some());
            }
        }
        Some(State::I2bisSent) => {
            d.established(TAG);
            let peer = d.ulids.pair.peer;
            forget(&mut d, peer);
            assert!(d.sent().is_some(), "an I2bis");
            let theirs = build(&Body::I1 { initiator_tag: TAG, initiator_nonce: 5 }, |_| {});
            assert!(d.hear(&theirs).is_some());
        }
        Some(_) => d.established(TAG),
        None => {}
    }
    d
}

/// An I2, or an I2bis about the tag OTHER, with a list of which the last is somebody else's.
fn request(d: &mut Desk, bis: bool) -> (Vec<u8>, Addr) {
    let victim = Addr::from_parts(d.peer.addr(1).prefix(), 0x1234);
    let mut list = d.peer_list();
    list.push((victim, Method::Hba));
    let pds = d.peer.out.pds.clone();
    if !bis {
        let i2 = d.i2(Tag::new(4711), |m| {
            m.locators(77, list.iter().copied());
            m.pds(&pds);
        });
        return (i2, victim);
    }
    let r1bis = d.hear(&build(&Body::Keepalive { tag: OTHER }, |_| {})).expect("an R1bis");
    let r1bis = Message::parse(&r1bis).unwrap();
    let Body::R1bis { packet_tag, responder_nonce } = r1bis.body else { panic!("{r1bis:?}") };
    let initiator_tag = Tag::new(4711);
    let body = Body::I2bis { initiator_tag, initiator_nonce: 6, responder_nonce, packet_tag };
    let i2bis = build(&body, |m| {
        m.validator(r1bis.options.validator.unwrap());
        m.locators(77, list.iter().copied());
        m.pds(&pds);
    });
    (i2bis, victim)
}

#[test]
fn i2_and_i2bis_are_answered_with_r2_in_every_state_and_the_list_is_verified() {
    let states = [State::I1Sent, State::I2Sent, State::I2bisSent, State::Established];
    for (state, bis) in states.into_iter().flat_map(|s| [(s, false), (s, true)]) {
        let mut d = in_state(Some(state));
        assert_eq!(d.host.context().state(), state);
        let ours = d.local_tag();
        let (bytes, victim) = request(&mut d, bis);
        let r2 = d.hear(&bytes).unwrap_or_else(|| panic!("no R2 in {state:?}, {bis}"));
        let r2 = Message::parse(&r2).unwrap();
        assert_eq!(r2.body, Body::R2 { responder_tag: ours, initiator_nonce: 6 });
        let ctx = d.host.context();
        let after = if state == State::I1Sent { State::Established } else { state };
        assert_eq!(ctx.state(), after, "after {state:?}, {bis}");
        let proved: Vec<bool> = ctx.peer_locators().iter().map(|l| l.is_verified()).collect();
        assert_eq!(proved, [true, true, false], "in {state:?}, {bis}");
        assert!(!ctx.is_peer(&victim));
    }
}

#[test]
fn the_tag_after_an_i2bis_is_not_the_one_that_was_lost() {
    let mut d = in_state(None);
    let (i2bis, _) = request(&mut d, true);
    let r2 = d.hear(&i2bis).expect("an R2");
    assert_eq!(Message::parse(&r2).unwrap().kind(), Type::R2);
    assert_ne!(d.local_tag(), OTHER);
}

#[test]
fn a_recovery_that_falls_back_names_the_ulids_in_i1_and_i2() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let Pair { local, peer } = d.ulids.pair;
    let elsewhere = d.peer.addr(1);
    forget(&mut d, elsewhere);
    let mut kinds = vec![];
    while kinds.last() != Some(&Type::I2) {
        assert!(kinds.len() < 10, "{kinds:?}");
        if let Some((t, bytes)) = d.sent() {
            let message = Message::parse(&bytes).unwrap();
            assert_eq!((t.src, t.dst), (local, elsewhere));
            assert_eq!(message.options.ulids, Some((local, peer)), "{:?}", message.kind());
            kinds.push(message.kind());
            if let Body::I1 { initiator_nonce, .. } = message.body {
                let body = Body::R1 { initiator_nonce, responder_nonce: 9 };
                let _ = d.say(elsewhere, local, &build(&body, |m| m.validator(&[1; 20])));
                continue;
            }
        }
        let h = &mut d.host;
        let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
        h.out.now.set(ctx.poll_timeout(&h.out, activity).unwrap());
        let was_active = ctx.is_active();
        ctx.published();
        ctx.handle_timeout(&h.out, activity);
        assert!(ctx.is_active() == was_active || ctx.has_changed(), "packets see it");
    }
    assert_eq!(kinds, [Type::I2bis, Type::I2bis, Type::I2bis, Type::I1, Type::I2]);
}

/// An R1bis about CT(peer), over the pair of the ULIDs.
fn r1bis(d: &mut Desk, tag: Tag) {
    let body = Body::R1bis { packet_tag: tag, responder_nonce: 8 };
    assert!(d.hear(&build(&body, |m| m.validator(&[1; 12]))).is_none());
}

/// The peer answers every I2bis that there is with an R2; how many there were.
fn answered(d: &mut Desk) -> u32 {
    let mut count = 0;
    while let Some((_, bytes)) = d.sent() {
        if let Body::I2bis { initiator_nonce, .. } = Message::parse(&bytes).unwrap().body {
            let body = Body::R2 { responder_tag: TAG, initiator_nonce };
            assert!(d.hear(&build(&body, |_| {})).is_none());
            assert_eq!(d.host.context().state(), State::Established);
            count += 1;
        }
    }
    count
}

#[test]
fn an_r1bis_that_is_repeated_has_one_i2bis_in_a_while() {
    let mut d = in_state(Some(State::Established));
    let start = d.host.out.now.get();
    let mut count = 0;
    while d.host.out.now.get().since(start) < 10_000 {
        r1bis(&mut d, TAG);
        count += answered(&mut d);
        d.pass(20);
    }
    assert_eq!(count, 3, "at 0, 4 and 8 s");
    assert_eq!(d.host.count("r1bis_repeated"), 497);
    assert_eq!(d.host.count("rx_r1bis"), 500);
}

#[test]
fn an_update_that_is_repeated_brings_an_i2_forward_once() {
    for state in [State::I2Sent, State::I2bisSent] {
        let mut d = in_state(Some(state));
        let update = build(&Body::UpdateRequest { tag: d.local_tag(), nonce: 4 }, |_| {});
        let mut count = 0;
        for _ in 0..100 {
            assert!(d.hear(&update).is_none());
            count += std::iter::from_fn(|| d.sent()).count();
            d.pass(5);
        }
        assert_eq!(count, 1, "in {state:?}");
        let (ctx, activity) = d.host.contexts.all.values_mut().next().unwrap();
        let out = &d.host.out;
        out.now.set(ctx.poll_timeout(out, activity).unwrap());
        ctx.handle_timeout(out, activity);
        assert!(d.sent().is_some(), "the wait ended in {state:?}");
        d.hear(&update);
        assert!(d.sent().is_some(), "and once more");
    }
}

#[test]
fn an_r1_without_a_validator_is_not_answered() {
    let mut d = in_state(Some(State::I1Sent));
    let initiator_nonce = d.host.context().nonce().unwrap();
    let body = Body::R1 { initiator_nonce, responder_nonce: 8 };
    assert!(d.hear(&build(&body, |_| {})).is_none());
    assert!(d.sent().is_none(), "no I2");
    assert_eq!(d.host.context().state(), State::I1Sent);
    assert_eq!(d.host.count("validator_missing"), 1);
    d.hear(&build(&body, |m| m.validator(&[1; 20])));
    assert_eq!(d.host.context().state(), State::I2Sent);
}

#[test]
fn an_r1bis_without_a_validator_is_not_answered() {
    let mut d = in_state(Some(State::Established));
    let body = Body::R1bis { packet_tag: TAG, responder_nonce: 8 };
    assert!(d.hear(&build(&body, |_| {})).is_none());
    assert_eq!(d.host.context().state(), State::Established);
    assert_eq!(d.host.count("validator_missing"), 1);
    r1bis(&mut d, TAG);
    assert_eq!(d.host.context().state(), State::I2bisSent);
}

#[test]
fn an_r1_in_another_state_than_i1_sent_is_dropped() {
    for state in [State::I2Sent, State::I2bisSent, State::Established] {
        let mut d = in_state(Some(state));
        let initiator_nonce = d.host.context().nonce().unwrap_or(5);
        let body = Body::R1 { initiator_nonce, responder_nonce: 9 };
        assert!(d.hear(&build(&body, |m| m.validator(&[2; 20]))).is_none());
        assert!(d.sent().is_none(), "in {state:?}");
        assert_eq!(d.host.context().state(), state);
        assert_eq!(d.host.count("r1_unexpected"), 1, "in {state:?}");
    }
}

/// An I2bis with what an R1bis for the tag OTHER told, changed by the test.
fn i2bis(d: &mut Desk, change: impl FnOnce(&mut u32, &mut Tag, &mut Vec<u8>)) -> Vec<u8> {
    let answer = d.hear(&build(&Body::Keepalive { tag: OTHER }, |_| {})).expect("an R1bis");
    let answer = Message::parse(&answer).unwrap();
    let Body::R1bis { mut packet_tag, mut responder_nonce } = answer.body else { panic!() };
    let mut validator = answer.options.validator.unwrap().to_vec();
    change(&mut responder_nonce, &mut packet_tag, &mut validator);
    let initiator_tag = Tag::new(4711);
    let body = Body::I2bis { initiator_tag, initiator_nonce: 6, responder_nonce, packet_tag };
    build(&body, |m| m.validator(&validator))
}

#[test]
fn the_validator_of_an_r1bis_lives_for_its_lifetime_and_not_much_longer() {
    for (age, good) in [(0, true), (29_000, true), (30_000, true), (32_000, false), (90_000, false)]
    {
        for start in [0, 7_777, 29_500] {
            let mut d = Desk::new(Config::default());
            d.pass(start);
            let i2bis = i2bis(&mut d, |_, _, _| {});
            d.pass(age);
            assert_eq!(d.hear(&i2bis).is_some(), good, "{age} ms after {start}");
            assert_eq!(d.contexts(), usize::from(good));
            assert_eq!(d.host.count("validator_stale"), u64::from(!good));
        }
    }
}

#[test]
fn an_i2bis_without_the_validator_of_its_r1bis_makes_nothing() {
    let mut d = Desk::new(Config::default());
    let wrong = [
        i2bis(&mut d, |_, _, validator| validator[0] ^= 1),
        i2bis(&mut d, |_, _, validator| validator.truncate(11)),
        i2bis(&mut d, |_, _, validator| validator.push(0)),
        i2bis(&mut d, |_, tag, _| *tag = Tag::new(tag.get() ^ 1)),
    ];
    for bytes in &wrong {
        assert!(d.hear(bytes).is_none());
    }
    assert_eq!(d.host.count("validator_wrong"), 4);
    let Pair { local, peer } = d.ulids.pair;
    let good = i2bis(&mut d, |_, _, _| {});
    // The locators are in it, too.
    assert!(d.say(d.peer.addr(1), local, &good).is_none());
    assert!(d.say(peer, d.host.addr(1), &good).is_none());
    let missing = Message::parse(&good).unwrap().body;
    assert!(d.hear(&build(&missing, |_| {})).is_none());
    assert_eq!(d.host.count("validator_missing"), 1);
    assert_eq!(d.contexts(), 0);
    assert!(d.hear(&good).is_some(), "an R2");
}

#[test]
fn parameters_of_another_ulid_are_refused_in_i2bis_r2_and_update() {
    let mut d = Desk::new(Config::default());
    let foreign = d.host.out.pds.clone();
    let good = i2bis(&mut d, |_, _, _| {});
    let message = Message::parse(&good).unwrap();
    let validator = message.options.validator.unwrap();
    let with = |m: &mut shim6_proto::proto::wire::Builder<'_>| {
        m.validator(validator);
        m.pds(&foreign);
    };
    assert!(d.hear(&build(&message.body, with)).is_none());
    assert_eq!((d.contexts(), d.host.count("rx_pds_not_of_ulid")), (0, 1), "I2bis");

    let mut d = in_state(Some(State::I2Sent));
    let initiator_nonce = d.host.context().nonce().unwrap();
    let body = Body::R2 { responder_tag: TAG, initiator_nonce };
    d.hear(&build(&body, |m| m.pds(&foreign)));
    assert_eq!(d.host.context().state(), State::I2Sent);
    assert_eq!(d.host.count("rx_pds_not_of_ulid"), 1, "R2");
    d.hear(&build(&body, |_| {}));
    assert_eq!(d.host.context().state(), State::Established);

    let body = Body::UpdateRequest { tag: d.local_tag(), nonce: 4 };
    assert!(d.hear(&build(&body, |m| m.pds(&foreign))).is_none(), "no Acknowledgement");
    assert_eq!(d.host.count("rx_pds_not_of_ulid"), 2, "Update Request");
}

#[test]
fn the_list_of_an_r2_is_verified() {
    let mut d = in_state(Some(State::I2Sent));
    let victim = Addr::from_parts(d.peer.addr(1).prefix(), 0x1234);
    let (mut list, pds) = (d.peer_list(), d.peer.out.pds.clone());
    list.push((victim, Method::Hba));
    let initiator_nonce = d.host.context().nonce().unwrap();
    let body = Body::R2 { responder_tag: TAG, initiator_nonce };
    d.hear(&build(&body, |m| {
        m.locators(77, list.iter().copied());
        m.pds(&pds);
    }));
    let ctx = d.host.context();
    assert_eq!(ctx.state(), State::Established);
    let proved: Vec<bool> = ctx.peer_locators().iter().map(|l| l.is_verified()).collect();
    assert_eq!(proved, [true, true, false]);
    assert!(!ctx.is_peer(&victim));
}

#[test]
fn updates_over_foreign_locators_are_answered_with_r1bis_and_ignored() {
    let stranger = a_stranger();
    for ack in [false, true] {
        let mut d = in_state(Some(State::Established));
        let Pair { local, peer } = d.ulids.pair;
        let tag = d.local_tag();
        let (list, pds) = (vec![(peer, Method::Hba)], d.peer.out.pds.clone());
        let message = match ack {
            true => build(&Body::UpdateAck { tag, nonce: 4 }, |_| {}),
            false => build(&Body::UpdateRequest { tag, nonce: 4 }, |m| {
                m.locators(78, list.iter().copied());
                m.pds(&pds);
            }),
        };
        let before = d.host.context().peer_locators().len();
        for (src, dst) in [(stranger, local), (peer, stranger)] {
            let (_, answer) = d.say(src, dst, &message).expect("an R1bis");
            let answer = Message::parse(&answer).unwrap();
            assert!(matches!(answer.body, Body::R1bis { packet_tag, .. } if packet_tag == tag));
        }
        assert_eq!(d.host.context().peer_locators().len(), before);
        assert_eq!(d.host.context().state(), State::Established);
        assert_eq!(d.hear(&message).is_some(), !ack, "from the peer it is heeded");
    }
}

/// A host whose next random numbers are one number, so often.
struct Loaded<'a>(&'a world::Outside, u64, Cell<u32>);

impl Env for Loaded<'_> {
    fn now(&self) -> shim6_proto::proto::time::Instant {
        self.0.now()
    }
    fn ticks(&self) -> Ticks {
        self.0.ticks()
    }
    fn random(&self) -> u64 {
        match self.2.get() {
            0 => self.0.random(),
            left => {
                self.2.set(left - 1);
                self.1
            }
        }
    }
    fn sha1(&self, parts: &[&[u8]]) -> [u8; 20] {
        self.0.sha1(parts)
    }
    fn hmac_sha256(&self, key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
        self.0.hmac_sha256(key, parts)
    }
    fn config(&self) -> &Config {
        self.0.config()
    }
    fn count(&self, what: Counter) {
        self.0.count(what)
    }
    fn crowd(&self) -> &Crowd {
        self.0.crowd()
    }
    fn permits(&self, pair: &Pair) -> bool {
        self.0.permits(pair)
    }
    fn local_set(&self, ulid: &Addr) -> Option<LocalSet<'_>> {
        self.0.local_set(ulid)
    }
}

#[test]
fn a_tag_that_is_drawn_twice_is_drawn_again() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let taken = d.local_tag();
    let ulids = UlidPair::new(d.ulids.pair.local, d.peer.addr(1));
    let h = &mut d.host;
    let env = Loaded(&h.out, taken.get(), Cell::new(3));
    let id = h.endpoint.initiate(&env, &mut h.contexts, ulids).unwrap();
    assert_eq!(env.2.get(), 0, "the tag was drawn");
    assert_ne!(h.contexts.all[&id].0.local_tag(), taken);
}

#[test]
fn an_instance_that_is_drawn_twice_is_drawn_again() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let h = &mut d.host;
    let default = *h.contexts.all.keys().next().unwrap();
    let first = h.endpoint.fork(&h.out, &mut h.contexts, default).unwrap();
    let taken = h.contexts.all[&first].0.ulids().fii;
    for drawn in [taken, 0] {
        let env = Loaded(&h.out, u64::from(drawn), Cell::new(3));
        let id = h.endpoint.fork(&env, &mut h.contexts, default).unwrap();
        assert_eq!(env.2.get(), 0, "the instance was drawn");
        let fii = h.contexts.all[&id].0.ulids().fii;
        assert!(fii != taken && fii != 0);
    }
}

#[test]
fn reserved_bits_of_the_keepalive_timeout_do_not_count() {
    let mut d = Desk::new(Config::default());
    let mut i2 = d.i2(TAG, |m| m.keepalive_timeout(3));
    let option = [0, 20, 0, 4, 0, 0, 0, 3];
    let at = i2.windows(8).position(|w| w == option).expect("the option");
    i2[at + 4..at + 6].fill(0xff);
    assert!(d.hear(&checked(i2)).is_some());
    assert_eq!(d.host.context().keepalive_ms(&Config::default()), 3_000);
}
