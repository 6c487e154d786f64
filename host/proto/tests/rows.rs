// SPDX-License-Identifier: GPL-2.0

//! Sentences of RFC 5533 that only rare circumstances put to use: messages of another kind
//! in the middle of an exchange of ours, a recovery that falls back to I1, a tag drawn twice.

mod desk;
mod world;

use desk::*;
use shim6_proto::proto::addr::{Addr, Pair, Tag, UlidPair};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::State;
use shim6_proto::proto::counter::Counter;
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
        ctx.handle_timeout(&h.out, activity);
    }
    assert_eq!(kinds, [Type::I2bis, Type::I2bis, Type::I2bis, Type::I1, Type::I2]);
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
fn reserved_bits_of_the_keepalive_timeout_do_not_count() {
    let mut d = Desk::new(Config::default());
    let mut i2 = d.i2(TAG, |m| m.keepalive_timeout(3));
    let option = [0, 20, 0, 4, 0, 0, 0, 3];
    let at = i2.windows(8).position(|w| w == option).expect("the option");
    i2[at + 4..at + 6].fill(0xff);
    assert!(d.hear(&checked(i2)).is_some());
    assert_eq!(d.host.context().keepalive_ms(&Config::default()), 3_000);
}
