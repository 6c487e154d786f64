// SPDX-License-Identifier: GPL-2.0

//! One host and messages made by hand: what is answered, what is kept, what is refused.

use crate::desk::*;
use crate::world;
use shim6_proto::proto::addr::{Addr, Pair, Tag, UlidPair};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::State;
use shim6_proto::proto::endpoint::validator::Secrets;
use shim6_proto::proto::endpoint::{nonces, Refused, Table};
use shim6_proto::proto::env::Env;
use shim6_proto::proto::policy::{Prefix, Rule};
use shim6_proto::proto::time::Instant;
use shim6_proto::proto::wire::{Body, Builder, Message, Method, Type, IPV6_HEADER, MAX_MESSAGE};

// Nothing is kept, nothing grows.

#[test]
fn an_i1_leaves_nothing_behind_and_its_answer_is_short() {
    let mut d = Desk::new(Config::default());
    let i1 = build(&Body::I1 { initiator_tag: TAG, initiator_nonce: 1 }, |_| {});
    let r1 = d.hear(&i1).expect("an R1");
    assert_eq!(d.contexts(), 0);
    assert!(2 * (IPV6_HEADER + r1.len()) <= 3 * (IPV6_HEADER + i1.len()), "at most 1.5 times");
}

#[test]
fn an_i1_flood_is_answered_at_the_rate_that_was_set() {
    let mut d = Desk::new(Config { r1_per_second: 10, ..Config::default() });
    let mut answers = 0;
    for i in 0..1000 {
        let body = Body::I1 { initiator_tag: Tag::new(i), initiator_nonce: i as u32 };
        answers += u32::from(d.hear(&build(&body, |_| {})).is_some());
        d.pass(1);
    }
    assert!((10..=21).contains(&answers), "{answers}");
    assert_eq!(d.contexts(), 0);
    assert_eq!(d.host.count("r1_limited"), 1000 - u64::from(answers));
}

#[test]
fn r1bis_is_short_and_limited() {
    let mut d = Desk::new(Config { r1bis_per_second: 5, ..Config::default() });
    let Pair { local, peer } = d.ulids.pair;
    let mut answers = 0;
    for i in 0..100 {
        let mut reply = [0; MAX_MESSAGE];
        let h = &mut d.host;
        let t = h.endpoint.payload_without_context(&h.out, peer, local, Tag::new(i), &mut reply);
        if let Some(t) = t {
            answers += 1;
            // The shortest packet that can ask: a bare payload extension header.
            assert!(2 * (IPV6_HEADER + t.len) <= 3 * (IPV6_HEADER + 8));
            let message = Message::parse(&reply[..t.len]).unwrap();
            assert!(
                matches!(message.body, Body::R1bis { packet_tag, .. } if packet_tag.get() == i)
            );
        }
    }
    assert_eq!((answers, d.contexts()), (5, 0));
    assert_eq!((d.host.count("tx_r1bis"), d.host.count("r1bis_limited")), (5, 95));
}

// Validators.

#[test]
fn an_i2_without_its_validator_makes_nothing() {
    let mut d = Desk::new(Config::default());
    let (nonce, validator) = d.r1(TAG);
    let body =
        |tag, responder_nonce| Body::I2 { initiator_tag: tag, initiator_nonce: 6, responder_nonce };
    let with = |v: &[u8], tag, nonce| build(&body(tag, nonce), |m| m.validator(v));
    assert!(d.hear(&build(&body(TAG, nonce), |_| {})).is_none());
    assert_eq!(d.host.count("validator_missing"), 1);
    for at in 0..validator.len() {
        let mut wrong = validator.clone();
        wrong[at] ^= 1;
        assert!(d.hear(&with(&wrong, TAG, nonce)).is_none());
    }
    let twice: Vec<u8> = validator.iter().map(|octet| octet ^ 1).collect();
    assert!(d.hear(&with(&twice, TAG, nonce)).is_none(), "all octets differ in the same bit");
    assert!(d.hear(&with(&validator[..19], TAG, nonce)).is_none());
    assert!(d.hear(&with(&[], TAG, nonce)).is_none());
    // For another tag, another nonce, other locators, another FII.
    assert!(d.hear(&with(&validator, Tag::new(1), nonce)).is_none());
    assert!(d.hear(&with(&validator, TAG, nonce.wrapping_sub(1))).is_none());
    let (l1, p1) = (d.host.addr(1), d.peer.addr(1));
    let Pair { local, peer } = d.ulids.pair;
    assert!(d.say(peer, l1, &with(&validator, TAG, nonce)).is_none());
    assert!(d.say(p1, local, &with(&validator, TAG, nonce)).is_none());
    let forked = build(&body(TAG, nonce), |m| {
        m.validator(&validator);
        m.fii(9)
    });
    assert!(d.hear(&forked).is_none());
    assert_eq!(d.contexts(), 0);
    assert!(d.hear(&with(&validator, TAG, nonce)).is_some());
    assert_eq!(d.contexts(), 1);
}

#[test]
fn a_validator_lives_for_its_lifetime_and_not_much_longer() {
    for (age, good) in [(0, true), (29_000, true), (30_000, true), (32_000, false), (90_000, false)]
    {
        for start in [0, 7_777, 29_500] {
            let mut d = Desk::new(Config::default());
            d.pass(start);
            let i2 = d.i2(TAG, |_| {});
            d.pass(age);
            assert_eq!(d.hear(&i2).is_some(), good, "{age} ms after {start}");
            assert_eq!(d.host.count("validator_stale"), u64::from(!good));
        }
    }
}

#[test]
fn the_secret_changes_once_in_a_lifetime() {
    let lifetime = u64::from(Config::default().validator_lifetime_ms);
    let outside = || {
        let [host, _] = world::hosts(77, Config::default());
        host.out
    };
    // New secrets are the only thing that takes random numbers.
    let drew = |ms: &[u64]| {
        let [one, other] = [0, 1].map(|_| outside());
        let mut secrets = Secrets::new(&one);
        let _ = Secrets::new(&other);
        ms.iter().for_each(|ms| {
            one.now.set(Instant(*ms));
            secrets.nonce(&one);
        });
        one.random() != other.random()
    };
    let start = outside().now().0;
    let next = (start / lifetime + 1) * lifetime;
    assert!(!drew(&[start, next - 1]) && drew(&[next]));
}

#[test]
fn an_i2_may_have_another_initiator_nonce_than_its_i1() {
    let mut d = Desk::new(Config::default());
    // Desk::r1 says 5, Desk::i2 says 6.
    let i2 = d.i2(TAG, |_| {});
    let r2 = d.hear(&i2).expect("an R2");
    let message = Message::parse(&r2).unwrap();
    assert!(matches!(message.body, Body::R2 { initiator_nonce: 6, .. }));
}

#[test]
fn the_place_of_a_nonce_that_nobody_waits_for_is_free_again() {
    let mut d = Desk::new(Config::default());
    let h = &mut d.host;
    let places = h.contexts.nonce_index().len() as u64;
    for tag in 1..=10 * places {
        let tag = Tag::new(tag);
        let nonce = nonces::claim(&h.out, &mut h.contexts, tag).expect("a place");
        assert_eq!(nonces::find(&mut h.contexts, nonce), Some(tag));
    }
    // The place of one who waits is not given away.
    h.contexts.nonce_index().fill(0);
    d.initiate().unwrap();
    let (_, i1) = d.sent().unwrap();
    let Body::I1 { initiator_nonce, .. } = Message::parse(&i1).unwrap().body else { panic!() };
    let tag = Some(d.local_tag());
    let h = &mut d.host;
    (1..=10 * places).for_each(|tag| {
        let _ = nonces::claim(&h.out, &mut h.contexts, Tag::new(tag));
    });
    assert_eq!(nonces::find(&mut h.contexts, initiator_nonce), tag);
}

// Locators are proved before they are used.

#[test]
fn a_locator_of_somebody_else_is_kept_and_never_used() {
    let mut d = Desk::new(Config::default());
    let victim = Addr::from_parts(d.peer.addr(1).prefix(), 0x1234);
    let mut list = d.peer_list();
    list.push((victim, Method::Hba));
    let pds = d.peer.out.pds.clone();
    let i2 = d.i2(TAG, |m| {
        m.locators(1, list.iter().copied());
        m.pds(&pds);
    });
    assert!(d.hear(&i2).is_some());
    let proved: Vec<bool> =
        d.host.context().peer_locators().iter().map(|l| l.is_verified()).collect();
    assert_eq!(proved, [true, true, false]);
    assert_eq!(d.host.count("rx_locator_unverified"), 1);
    assert!(!d.host.context().is_peer(&victim));
    // A keepalive from there is no reason for anything.
    let keepalive = build(&Body::Keepalive { tag: d.local_tag() }, |_| {});
    let local = d.ulids.pair.local;
    assert!(d.say(victim, local, &keepalive).is_none());
    assert_eq!(d.host.count("rx_source_not_locator"), 1);
}

#[test]
fn parameters_of_another_ulid_are_refused() {
    let mut d = Desk::new(Config::default());
    let (list, pds) = (d.peer_list(), d.host.out.pds.clone());
    let i2 = d.i2(TAG, |m| {
        m.locators(1, list.iter().copied());
        m.pds(&pds);
    });
    assert!(d.hear(&i2).is_none());
    let i2 = d.i2(TAG, |m| m.pds(&[7; 40]));
    assert!(d.hear(&i2).is_none());
    assert_eq!(d.contexts(), 0);
    assert_eq!(d.host.count("rx_pds_not_of_ulid"), 1);
    assert_eq!(d.host.count("rx_pds_malformed"), 1);
}

#[test]
fn an_unknown_verification_method_is_answered_with_error_2() {
    let mut d = Desk::new(Config::default());
    let mut list = d.peer_list();
    list[1].1 = Method::Unknown(77);
    let pds = d.peer.out.pds.clone();
    let i2 = d.i2(TAG, |m| {
        m.locators(1, list.iter().copied());
        m.pds(&pds);
    });
    let (code, pointer, packet) = error_of(&d.hear(&i2).expect("an Error"));
    assert_eq!(code, 2);
    assert_eq!(packet[usize::from(pointer)], 77, "the inconsistent octet");
    assert_eq!(packet[..IPV6_HEADER], header(d.ulids.pair.peer, d.ulids.pair.local));
    assert_eq!((d.contexts(), d.host.count("list_method")), (0, 1), "the message was ignored");
}

#[test]
fn a_method_that_contradicts_the_parameters_is_answered_with_error_2() {
    let mut d = Desk::new(Config::default());
    // The peer's parameters without the Multi-Prefix extension: a pure CGA.
    let pds = {
        let parsed = shim6_proto::proto::hba::Pds::parse(&d.peer.out.pds).unwrap();
        let end = 25 + parsed.key().len();
        d.peer.out.pds[..end].to_vec()
    };
    let cga = shim6_proto::proto::hba::Pds::parse(&pds).unwrap();
    let ulid = cga.address(cga.subnet_prefix(), 0, &mut world::sha1);
    d.ulids.pair.peer = ulid;
    for (method, refused) in [(Method::Hba, true), (Method::Cga, false)] {
        let i2 = d.i2(TAG, |m| {
            m.locators(1, [(ulid, method)].into_iter());
            m.pds(&pds);
        });
        let answer = d.hear(&i2).expect("an answer");
        let kind = Message::parse(&answer).unwrap().kind();
        assert_eq!(kind, if refused { Type::Error } else { Type::R2 });
    }
}

/// The answer to an I2 for the ULIDs but from another address, which its R1 went to as well.
fn i2_from(d: &mut Desk, from: Addr, fill: impl FnOnce(&mut Builder<'_>)) -> Option<Vec<u8>> {
    let Pair { local, peer } = d.ulids.pair;
    let i1 = build(&Body::I1 { initiator_tag: Tag::new(7), initiator_nonce: 1 }, |m| {
        m.ulids(&peer, &local)
    });
    let (_, r1) = d.say(from, local, &i1).expect("an R1: nothing is known yet");
    let r1 = Message::parse(&r1).unwrap();
    let Body::R1 { responder_nonce, .. } = r1.body else { panic!() };
    let body = Body::I2 { initiator_tag: Tag::new(7), initiator_nonce: 1, responder_nonce };
    let i2 = build(&body, |m| {
        m.validator(r1.options.validator.unwrap());
        fill(m);
        m.ulids(&peer, &local);
    });
    d.say(from, local, &i2).map(|(_, answer)| answer)
}

#[test]
fn a_source_that_is_not_proved_gets_no_context() {
    let mut d = Desk::new(Config::default());
    assert!(i2_from(&mut d, a_stranger(), |_| {}).is_none());
    assert_eq!(d.contexts(), 0);
    assert_eq!(d.host.count("rx_source_not_locator"), 1);
}

/// "that the HBA/CGA verification for this specific locator is successful" (RFC 5533 section 7.13).
#[test]
fn a_source_in_the_list_is_proved_like_the_others() {
    for (from, proved) in [(0, true), (1, true), (2, false)] {
        let mut d = Desk::new(Config::default());
        let mut list = d.peer_list();
        list.push((a_stranger(), Method::Hba));
        let pds = d.peer.out.pds.clone();
        let answer = i2_from(&mut d, list[from].0, |m| {
            m.locators(1, list.iter().copied());
            m.pds(&pds);
        });
        assert_eq!((answer.is_some(), d.contexts() == 1), (proved, proved), "{from}");
        assert_eq!(d.host.count("rx_source_not_locator"), u64::from(!proved));
    }
}

#[test]
fn nor_does_it_find_the_one_that_is_there() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    assert!(i2_from(&mut d, a_stranger(), |_| {}).is_none());
    assert_eq!(d.host.count("rx_source_not_locator"), 1);
    let other = d.peer.addr(1);
    let r2 = i2_from(&mut d, other, |_| {}).expect("an R2: the address was proved before");
    assert_eq!(Message::parse(&r2).unwrap().kind(), Type::R2);
    assert_eq!(d.contexts(), 1);
}

/// Packets still went there, for want of another pair that works.
#[test]
fn a_locator_that_is_named_again_was_reached_if_packets_go_there() {
    let mut d = Desk::new(Config::default());
    let (all, pds) = (d.peer_list(), d.peer.out.pds.clone());
    let (ulid, other) = (all[0].0, all[1].0);
    i2_from(&mut d, other, |m| {
        m.locators(40, all.iter().copied());
        m.pds(&pds);
    })
    .expect("an R2");
    for (generation, list) in [(41, &all[..1]), (42, &all[..])] {
        let body = Body::UpdateRequest { tag: d.local_tag(), nonce: generation };
        let update = build(&body, |m| {
            m.locators(generation, list.iter().copied());
            m.pds(&pds);
        });
        assert!(d.say(ulid, d.ulids.pair.local, &update).is_some());
        let ctx = d.host.context();
        assert_eq!((ctx.peer_generation(), ctx.tx_pair().peer), (Some(generation), other));
        let reached = ctx.peer_locators().iter().any(|l| l.addr == other && l.is_reachable());
        assert_eq!(reached, generation == 42);
    }
}

#[test]
fn an_update_that_waits_is_not_forgotten_when_packets_go_elsewhere() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    d.host.out.locators[1].pref.priority = 9;
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
    ctx.local_changed(&h.out, activity);
    let (list, pds) = (d.peer_list(), d.peer.out.pds.clone());
    i2_from(&mut d, list[1].0, |m| {
        m.locators(41, list[1..].iter().copied());
        m.pds(&pds);
    })
    .expect("an R2");
    assert_eq!(d.host.context().tx_pair().peer, list[1].0);
    let (_, update) = d.sent().expect("an Update");
    assert_eq!(Message::parse(&update).unwrap().kind(), Type::UpdateRequest);
}

#[test]
fn an_empty_list_is_refused() {
    let mut d = Desk::new(Config::default());
    let i2 = d.i2(TAG, |m| m.locators(1, core::iter::empty()));
    assert!(d.hear(&i2).is_none());
    assert_eq!((d.contexts(), d.host.count("list_empty")), (0, 1));
}

// Messages for contexts (12.4).

#[test]
fn an_i1_with_the_same_tag_gets_r2_and_with_another_r1() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let kind = |d: &mut Desk, tag| {
        let i1 = build(&Body::I1 { initiator_tag: tag, initiator_nonce: 1 }, |_| {});
        Message::parse(&d.hear(&i1).expect("an answer")).unwrap().kind()
    };
    assert_eq!(kind(&mut d, TAG), Type::R2);
    assert_eq!(kind(&mut d, Tag::new(1)), Type::R1);
    let ctx = d.host.context();
    assert_eq!((ctx.state(), ctx.peer_tag()), (State::Established, Some(TAG)));
}

#[test]
fn an_i2_gives_an_established_context_its_new_tag() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let ours = d.local_tag();
    d.established(Tag::new(4711));
    let ctx = d.host.context();
    assert_eq!((ctx.peer_tag(), ctx.local_tag()), (Some(Tag::new(4711)), ours));
}

#[test]
fn a_forked_instance_is_another_context() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let Pair { local, peer } = d.ulids.pair;
    let i1 = build(&Body::I1 { initiator_tag: Tag::new(2), initiator_nonce: 1 }, |m| m.fii(3));
    let r1 = d.hear(&i1).unwrap();
    let r1 = Message::parse(&r1).unwrap();
    let Body::R1 { responder_nonce, .. } = r1.body else { panic!("{r1:?}") };
    let body = Body::I2 { initiator_tag: Tag::new(2), initiator_nonce: 1, responder_nonce };
    let i2 = build(&body, |m| {
        m.validator(r1.options.validator.unwrap());
        m.fii(3);
    });
    assert!(d.hear(&i2).is_some());
    assert_eq!(d.contexts(), 2);
    let fork = UlidPair { pair: Pair { local, peer }, fii: 3 };
    assert!(d.host.contexts.by_ulids(&fork).is_some());
}

/// It is asked for from a locator that only the default context knows.
#[test]
fn a_forked_instance_knows_what_the_default_context_knows() {
    for default in [false, true] {
        let mut d = Desk::new(Config::default());
        if default {
            d.established(TAG);
        }
        let (Pair { local, peer }, from) = (d.ulids.pair, d.peer.addr(1));
        let named = |m: &mut Builder<'_>| {
            m.ulids(&peer, &local);
            m.fii(3);
        };
        let (initiator_tag, initiator_nonce) = (Tag::new(2), 1);
        let i1 = build(&Body::I1 { initiator_tag, initiator_nonce }, named);
        let (_, r1) = d.say(from, local, &i1).expect("an R1");
        let r1 = Message::parse(&r1).unwrap();
        let Body::R1 { responder_nonce, .. } = r1.body else { panic!("{r1:?}") };
        let i2 = build(&Body::I2 { initiator_tag, initiator_nonce, responder_nonce }, |m| {
            m.validator(r1.options.validator.unwrap());
            named(m);
        });
        assert_eq!(d.say(from, local, &i2).is_some(), default);
        let fork = UlidPair { pair: Pair { local, peer }, fii: 3 };
        let known = d.host.contexts.by_ulids(&fork).map(|slot| slot.ctx.is_peer(&from));
        assert_eq!(known, default.then_some(true));
    }
}

#[test]
fn a_tag_that_the_peer_uses_again_ends_the_old_context() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let old = d.host.context().ulids().pair;
    // The same host, the same tag, but its other address as ULID.
    d.ulids.pair.peer = d.peer.addr(1);
    d.established(TAG);
    assert_eq!(d.contexts(), 1);
    assert_ne!(d.host.context().ulids().pair, old);
    assert_eq!(d.host.count("context_confused"), 1);
}

#[test]
fn the_same_tag_of_another_host_is_no_confusion() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let stranger = Addr::from_bits((0x2001_0db8_0001 << 80) | 9);
    d.ulids.pair.peer = stranger;
    let i2 = d.i2(TAG, |_| {});
    assert!(d.hear(&i2).is_some());
    assert_eq!(d.contexts(), 2);
}

/// Who saw the tag of another host's context cannot name that host's locators his own.
#[test]
fn a_locator_that_is_not_proved_is_no_confusion() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let theirs = d.peer_list();
    let stranger = Addr::from_bits((0x2001_0db8_0001 << 80) | 9);
    d.ulids.pair.peer = stranger;
    let i2 = d.i2(TAG, |m| m.locators(1, theirs.iter().copied().chain([(stranger, Method::Hba)])));
    assert!(d.hear(&i2).is_some());
    assert_eq!((d.contexts(), d.host.count("context_confused")), (2, 0));
    assert_eq!(d.host.count("rx_locator_unverified"), theirs.len() as u64);
}

#[test]
fn no_more_contexts_than_are_allowed() {
    let mut d = Desk::new(Config { max_contexts: 3, ..Config::default() });
    for i in 0..10u64 {
        d.ulids.pair.peer = Addr::from_bits((0x2001_0db8_0001 << 80) | u128::from(i + 1));
        let i2 = d.i2(Tag::new(i), |_| {});
        assert_eq!(d.hear(&i2).is_some(), i < 3);
    }
    assert_eq!((d.contexts(), d.host.count("context_limit")), (3, 7));
    assert_eq!(d.initiate(), Err(Refused::Exists).or(Err(Refused::TooMany)));
}

#[test]
fn no_more_exchanges_at_once_than_there_are_places() {
    let mut d = Desk::new(Config::default());
    let places = d.host.contexts.nonce_index().len();
    let mut begun = 0;
    for i in 0..2 * places {
        d.ulids.pair.peer = Addr::from_bits((0x2001_0db8_0001 << 80) | (i as u128 + 1));
        begun += usize::from(d.initiate().is_ok());
    }
    assert!(begun > places / 2 && begun <= places, "{begun} of {places}");
    assert_eq!(d.host.count("pending_limit"), (2 * places - begun) as u64);
}

#[test]
fn peers_of_one_site_do_not_take_all_the_room() {
    let mut d = Desk::new(Config { max_contexts_per_prefix: 3, ..Config::default() });
    let own = d.ulids.pair.peer;
    let site = |net: u128, i: u64| {
        Addr::from_bits((0x2001_0db8_5100 << 80) | (net << 80) | (u128::from(i) << 64) | 1)
    };
    for i in 0..10u64 {
        d.ulids.pair.peer = site(0, i);
        let i2 = d.i2(Tag::new(i + 1), |_| {});
        assert_eq!(d.hear(&i2).is_some(), i < 3);
    }
    // Nor do we begin with more of them.
    d.ulids.pair.peer = site(0, 77);
    assert_eq!(d.initiate(), Err(Refused::TooMany));
    assert_eq!((d.contexts(), d.host.count("prefix_limit")), (3, 8));
    // Others are not concerned.
    d.ulids.pair.peer = site(1, 0);
    assert!(d.initiate().is_ok());
    d.ulids.pair.peer = own;
    d.i2(TAG, |_| {});
    // One that goes makes room for one.
    let first = *d.host.contexts.all.keys().next().unwrap();
    d.host.contexts.remove(first);
    for (i, made) in [(50, true), (51, false)] {
        d.ulids.pair.peer = site(0, i);
        let i2 = d.i2(Tag::new(i), |_| {});
        assert_eq!(d.hear(&i2).is_some(), made);
    }
}

#[test]
fn a_context_counts_for_where_its_peer_is_not_for_its_ulid() {
    let mut d = Desk::new(Config::default());
    let Pair { local, peer: ulid } = d.ulids.pair;
    let from = d.peer.addr(1);
    let i1 =
        build(&Body::I1 { initiator_tag: TAG, initiator_nonce: 5 }, |m| m.ulids(&ulid, &local));
    let (_, r1) = d.say(from, local, &i1).expect("an R1");
    let r1 = Message::parse(&r1).unwrap();
    let Body::R1 { responder_nonce, .. } = r1.body else { panic!("an R1") };
    let (list, pds) = (d.peer_list(), d.peer.out.pds.clone());
    let body = Body::I2 { initiator_tag: TAG, initiator_nonce: 5, responder_nonce };
    let i2 = build(&body, |m| {
        m.validator(r1.options.validator.unwrap());
        m.ulids(&ulid, &local);
        m.locators(1, list.iter().copied());
        m.pds(&pds);
    });
    assert!(d.say(from, local, &i2).is_some());
    assert_eq!(d.host.context().ulids().pair.peer, ulid);
    assert_eq!(d.host.context().origin(), Addr::from_bits(from.to_bits() >> 80 << 80));
}

#[test]
fn i1s_that_cross_ours_have_one_r2_for_each_message_of_ours() {
    let mut d = Desk::new(Config::default());
    let id = d.initiate().unwrap();
    let i1 = build(&Body::I1 { initiator_tag: TAG, initiator_nonce: 5 }, |_| {});
    let kind = |bytes: Option<Vec<u8>>| Message::parse(&bytes.unwrap()).unwrap().kind();
    for _ in 0..3 {
        assert_eq!(d.host.drain(id).len(), 1, "an I1 of ours");
        assert_eq!(kind(d.hear(&i1)), Type::R2);
        // The same again, as somebody else may send it in the peer's name: an R1 is enough.
        for _ in 0..5 {
            assert_eq!(kind(d.hear(&i1)), Type::R1);
        }
        d.pass(60_000);
        let (ctx, activity) = d.host.contexts.all.get_mut(&id).unwrap();
        ctx.handle_timeout(&d.host.out, activity);
    }
}

#[test]
fn what_the_policy_denies_is_neither_begun_nor_answered() {
    let mut d = Desk::new(Config::default());
    let i2 = d.i2(TAG, |_| {});
    let Pair { local, peer } = d.ulids.pair;
    let own = |addr: Addr| Prefix::new(addr, 128).unwrap();
    let deny = Rule {
        denies: true,
        local: own(local),
        peer: own(peer),
        protocol: 0,
        ports: Rule::ALL_PORTS,
    };
    d.host.out.rules = vec![deny];
    assert!(d.hear(&i2).is_none(), "the policy is newer than the R1");
    let i1 = build(&Body::I1 { initiator_tag: TAG, initiator_nonce: 1 }, |_| {});
    assert!(d.say(peer, local, &i1).is_none());
    assert_eq!(d.initiate(), Err(Refused::Policy));
    assert_eq!((d.contexts(), d.host.count("policy_denied")), (0, 3));
    // A rule of flows is no business of contexts.
    d.host.out.rules = vec![Rule { protocol: 6, ..deny }];
    assert!(d.say(peer, local, &i1).is_some());
    // What is there stays.
    d.established(TAG);
    d.host.out.rules = vec![deny];
    assert_eq!(d.host.context().state(), State::Established);
    assert_eq!(d.contexts(), 1);
}

#[test]
fn a_host_needs_no_context_with_itself() {
    let mut d = Desk::new(Config::default());
    let (first, second) = (d.host.addr(0), d.host.addr(1));
    for (local, peer) in [(first, first), (first, second), (second, first)] {
        d.ulids.pair = Pair { local, peer };
        assert_eq!(d.initiate(), Err(Refused::Address));
    }
}
