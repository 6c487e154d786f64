// SPDX-License-Identifier: GPL-2.0

//! What a Probe of the peer's is taken for that answers a question of ours: whether a locator can
//! be reached (RFC 6316 section 7.2), or whether the pair that stands by works (section 6.3).

use crate::desk::*;
use shim6_proto::proto::config::Config;
use shim6_proto::proto::env::Env;
use shim6_proto::proto::reap::activity::Direction;
use shim6_proto::proto::reap::ReapState;
use shim6_proto::proto::wire::{Body, Builder, Message, ProbeState, Record, MAX_MESSAGE};
use shim6_proto::proto::wish::{Granted, Owner, Wanted, Wish, WishError};

fn established() -> Desk {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    d
}

/// What the next message asks about.
fn question(d: &mut Desk) -> Record {
    let (t, bytes) = d.sent().expect("a Probe");
    let Body::Probe { probe, .. } = Message::parse(&bytes).unwrap().body else { panic!() };
    assert_eq!(probe.state, ProbeState::InboundOk);
    let asked = probe.sent().next().unwrap();
    assert_eq!((asked.src, asked.dst), (t.src, t.dst));
    asked
}

/// The peer answers over the pair of the ULIDs.
fn answer(d: &mut Desk, state: ProbeState, heard: &[Record]) {
    let mut buf = [0; MAX_MESSAGE];
    let pair = d.ulids.pair;
    let own = Record { src: pair.peer, dst: pair.local, nonce: 1, data: 0 };
    let mut probe = Builder::probe(&mut buf, d.local_tag(), state);
    probe.records([own].into_iter(), heard.iter().copied());
    let len = probe.finish().unwrap();
    assert!(d.hear(&buf[..len]).is_none());
}

/// An application wants the peer's second locator.
fn choose(d: &mut Desk) -> Result<(), WishError> {
    let second = d.peer.addr(1);
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
    ctx.choose(&h.out, activity, None, Some(&second))
}

/// ... which nobody reached the peer at yet, so that it is asked.
fn checked() -> (Desk, Record) {
    let mut d = established();
    assert_eq!(choose(&mut d), Err(WishError::Unverified));
    let asked = question(&mut d);
    assert_eq!(asked.dst, d.peer.addr(1));
    (d, asked)
}

/// We send and hear nothing, and a pair stands by; what is asked of the current one and of it.
fn standing_by() -> (Desk, [Record; 2]) {
    let mut d = established();
    d.first().0.wish_hot_standby(true).unwrap();
    let tick = d.host.out.ticks().tick(d.host.out.now.get());
    let _ = d.first().1.note_sent(tick);
    d.pass(u64::from(Config::default().standby_silence_ms) + 20);
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
    ctx.handle_timeout(&h.out, activity);
    let asked = [question(&mut d), question(&mut d)];
    assert_eq!(asked.map(|r| r.dst), [d.peer.addr(0), d.peer.addr(1)]);
    assert_eq!((d.host.count("standby_asked"), d.host.count("standby_probe")), (1, 1));
    (d, asked)
}

fn direction(d: &mut Desk) -> Direction {
    d.first().1.turn().direction
}

fn reap(d: &Desk) -> ReapState {
    d.host.context().reap_state().unwrap()
}

/// Only what answers our own question, over the pair that was asked about, proves that the peer
/// is there.
#[test]
fn a_locator_is_reached_when_its_own_probe_is_answered() {
    let (mut d, asked) = checked();
    let first = d.peer.addr(0);
    for wrong in [Record { nonce: !asked.nonce, ..asked }, Record { dst: first, ..asked }] {
        answer(&mut d, ProbeState::Operational, &[wrong]);
        assert_eq!(choose(&mut d), Err(WishError::Unverified));
    }
    answer(&mut d, ProbeState::Operational, &[asked]);
    assert_eq!(choose(&mut d), Ok(()));
    assert_eq!(d.host.count("check_confirmed"), 1);
}

fn wish(d: &mut Desk, wish: &Wish<'_>) -> Result<Granted, WishError> {
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
    ctx.wish(&h.out, activity, Owner { place: 1, serial: 1 }, |_| true, wish)
}

/// Its own end went, and nobody has told the context yet.
#[test]
fn a_question_goes_out_where_it_can() {
    let mut d = established();
    d.host.out.locators[0].usable = false;
    assert_eq!(choose(&mut d), Err(WishError::Unverified));
    let asked = question(&mut d);
    assert_eq!((asked.src, asked.dst), (d.host.addr(1), d.peer.addr(1)));
}

/// An application likes the peer's second locator better than the first.
fn prefer(d: &mut Desk) -> Result<Granted, WishError> {
    let wanted = Wanted { addr: d.peer.addr(1), priority: 0, weight: 0 };
    wish(d, &Wish::Peer(wanted))
}

/// An application wants no locators of the peer's but these.
#[test]
fn a_list_asks_for_those_of_its_locators_that_were_not_reached() {
    let mut d = established();
    let list = [0, 1].map(|n| Wanted { addr: d.peer.addr(n), priority: 0, weight: 0 });
    assert_eq!(wish(&mut d, &Wish::Peers(&list)), Err(WishError::Unverified));
    let asked = question(&mut d);
    assert_eq!(asked.dst, d.peer.addr(1));
    answer(&mut d, ProbeState::Operational, &[asked]);
    assert_eq!(wish(&mut d, &Wish::Peers(&list)), Ok(Granted::Here));
}

/// A preference is for when the locator works; one that did not answer may be there again.
#[test]
fn a_preference_asks_for_a_locator_that_was_silent() {
    let mut d = established();
    assert_eq!(prefer(&mut d), Ok(Granted::Here));
    assert!(d.sent().is_none());

    let (mut d, _) = checked();
    let config = Config::default();
    for _ in 0..config.initial_probes {
        d.pass(u64::from(config.initial_probe_timeout_ms));
        let _ = d.sent();
    }
    assert_eq!(d.host.count("check_unanswered"), 1);
    assert_eq!(prefer(&mut d), Err(WishError::Unreachable));
    assert_eq!(question(&mut d).dst, d.peer.addr(1));
}

/// The answer may come while either end looks for a pair: then it is a Probe like any other
/// (RFC 5534 sections 6.7 and 6.9).
#[test]
fn an_answer_tells_of_the_current_pair_when_either_end_explores() {
    let (mut d, asked) = checked();
    answer(&mut d, ProbeState::Exploring, &[asked]);
    assert_eq!((reap(&d), d.host.count("check_confirmed")), (ReapState::InboundOk, 1));

    let (mut d, asked) = checked();
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
    ctx.path_hint(&h.out, activity, shim6_proto::proto::context::Hint::Asked);
    assert_eq!(reap(&d), ReapState::Exploring);
    answer(&mut d, ProbeState::Operational, &[asked]);
    assert_eq!(d.host.count("check_confirmed"), 1);
    assert_ne!(reap(&d), ReapState::Exploring);

    let (mut d, [_, other]) = standing_by();
    answer(&mut d, ProbeState::Exploring, &[other]);
    assert_eq!((reap(&d), d.host.count("standby_confirmed")), (ReapState::InboundOk, 1));
}

/// What the peer says of the pair that stands by must not stop the Send Timer.
#[test]
fn an_answer_about_the_other_pair_is_no_evidence_for_the_current_one() {
    for (names, still) in [([true, false], false), ([false, true], true), ([true, true], false)] {
        let (mut d, asked) = standing_by();
        assert_eq!(direction(&mut d), Direction::Sent);
        let heard: Vec<_> =
            asked.iter().zip(names).filter(|(_, named)| *named).map(|(r, _)| *r).collect();
        answer(&mut d, ProbeState::Operational, &heard);
        assert_eq!(direction(&mut d) == Direction::Sent, still, "{names:?}");
        assert_eq!(d.host.count("standby_confirmed"), u64::from(names[1]));
        assert_eq!(reap(&d), ReapState::Operational);
    }
}
