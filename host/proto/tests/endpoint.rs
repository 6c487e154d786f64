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
use shim6_proto::proto::wire::{
    Body, Builder, Message, Method, ProbeState, Record, Type, IPV6_HEADER, MAX_MESSAGE,
};

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

#[test]
fn malformed_messages_leave_nothing_behind() {
    let mut d = Desk::new(Config::default());
    let (list, pds) = (d.peer_list(), d.peer.out.pds.clone());
    let good = d.i2(TAG, |m| {
        m.locators(31, list.iter().copied());
        m.pds(&pds);
    });
    let before = d.host.contexts.len();
    for cut in 0..good.len() {
        assert!(d.hear(&good[..cut]).is_none(), "{cut} octets");
    }
    let mut accepted = 0;
    for at in 0..good.len() {
        for octet in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            let mut bad = good.clone();
            if bad[at] == octet {
                continue;
            }
            bad[at] = octet;
            // With a wrong checksum nothing is looked at, with a right one everything is.
            assert!(d.hear(&bad).is_none());
            let _ = d.hear(&checked(bad));
            accepted += d.contexts();
            assert!(d.contexts() <= 1);
            for (ctx, _) in d.host.contexts.all.values() {
                let proved = ctx.peer_locators().iter().filter(|l| l.is_verified());
                for locator in proved {
                    assert!(list.iter().any(|(addr, _)| *addr == locator.addr), "octet {at}");
                }
            }
            let ids: Vec<u64> = d.host.contexts.all.keys().copied().collect();
            ids.into_iter().for_each(|id| d.host.contexts.remove(id));
        }
    }
    // What may differ: reserved fields, padding, the nonce to be given back, the generation,
    // the locators other than the source. These are not proved then.
    assert!(accepted > 0 && before == 0);
}

#[test]
fn messages_between_impossible_addresses_are_dropped() {
    let mut d = Desk::new(Config::default());
    let Pair { local, peer } = d.ulids.pair;
    let i1 = build(&Body::I1 { initiator_tag: TAG, initiator_nonce: 1 }, |_| {});
    let multicast = Addr::from_bits((0xff02 << 112) | 1);
    let link_local = Addr::from_bits((0xfe80 << 112) | 1);
    for bad in [multicast, Addr::UNSPECIFIED, link_local, Addr::from_bits(1)] {
        assert!(d.say(bad, local, &i1).is_none());
        assert!(d.say(peer, bad, &i1).is_none());
    }
    assert!(d.say(local, local, &i1).is_none());
    assert_eq!(d.host.count("rx_bad_address"), 9);
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

/// The answer to an I2 without a list, for the ULIDs but from another address, which its R1 went
/// to as well.
fn i2_from(d: &mut Desk, from: Addr) -> Option<Vec<u8>> {
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
        m.ulids(&peer, &local);
    });
    d.say(from, local, &i2).map(|(_, answer)| answer)
}

#[test]
fn a_source_that_is_not_proved_gets_no_context() {
    let mut d = Desk::new(Config::default());
    assert!(i2_from(&mut d, a_stranger()).is_none());
    assert_eq!(d.contexts(), 0);
    assert_eq!(d.host.count("rx_source_not_locator"), 1);
}

#[test]
fn nor_does_it_find_the_one_that_is_there() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    assert!(i2_from(&mut d, a_stranger()).is_none());
    assert_eq!(d.host.count("rx_source_not_locator"), 1);
    let other = d.peer.addr(1);
    let r2 = i2_from(&mut d, other).expect("an R2: the address was proved before");
    assert_eq!(Message::parse(&r2).unwrap().kind(), Type::R2);
    assert_eq!(d.contexts(), 1);
}

#[test]
fn an_empty_list_is_refused() {
    let mut d = Desk::new(Config::default());
    let i2 = d.i2(TAG, |m| m.locators(1, core::iter::empty()));
    assert!(d.hear(&i2).is_none());
    assert_eq!((d.contexts(), d.host.count("list_empty")), (0, 1));
}

// Messages that are not understood.

#[test]
fn each_wrong_message_has_its_counter() {
    let i1 = build(&Body::I1 { initiator_tag: TAG, initiator_nonce: 1 }, |_| {});
    let i2 = |options: &[u8]| {
        let body = Body::I2 { initiator_tag: TAG, initiator_nonce: 1, responder_nonce: 2 };
        let mut bytes = build(&body, |_| {});
        bytes.extend(options);
        bytes[1] = (bytes.len() / 8 - 1) as u8;
        checked(bytes)
    };
    let fii = [0, 14, 0, 4, 0, 0, 0, 7];
    let many = [&[0, 4, 2, 60, 0, 0, 0, 1, 33][..], &[1; 33], &[0; 6], &[0x20; 33 * 16]].concat();
    let unknown =
        |len: usize| checked([&[59, (len / 8 - 1) as u8, 99], &vec![0; len - 3][..]].concat());
    let probe = checked([&[59, 1, 67, 0, 0, 0], &[0; 6][..], &[0, 3 << 6, 0, 0]].concat());
    for (counter, bytes) in [
        ("rx_bad_truncated", i1[..i1.len() - 1].to_vec()),
        ("rx_bad_p_bit", patch(i1.clone(), 2, 0x81)),
        ("rx_bad_too_short", patch(i1.clone(), 2, 3)),
        ("rx_bad_too_long", unknown(1248)),
        ("rx_bad_checksum", [&i1[..15], &[i1[15] ^ 1]].concat()),
        ("rx_bad_s_bit", patch(i1, 3, 1)),
        ("rx_bad_option_length", i2(&[0, 14, 0, 5, 0, 0, 0, 7])),
        ("rx_bad_option_contents", i2(&[0, 14, 0, 2, 0, 7, 0, 0])),
        ("rx_bad_option_twice", i2(&[fii, fii].concat())),
        ("rx_bad_too_many_locators", i2(&many)),
        ("rx_bad_probe", probe),
    ] {
        let mut d = Desk::new(Config::default());
        assert!(d.hear(&bytes).is_none(), "{counter}");
        assert_eq!((d.host.count("rx_control"), d.host.count(counter)), (1, 1), "{counter}");
        assert_eq!(d.contexts(), 0, "{counter}");
    }
}

#[test]
fn each_message_is_counted_by_its_type() {
    let (tag, nonce) = (TAG, 1);
    let types = [
        ("rx_i1", Body::I1 { initiator_tag: tag, initiator_nonce: nonce }),
        ("rx_r1", Body::R1 { initiator_nonce: nonce, responder_nonce: 2 }),
        ("rx_i2", Body::I2 { initiator_tag: tag, initiator_nonce: nonce, responder_nonce: 2 }),
        ("rx_r2", Body::R2 { responder_tag: tag, initiator_nonce: nonce }),
        ("rx_r1bis", Body::R1bis { packet_tag: tag, responder_nonce: 2 }),
        (
            "rx_i2bis",
            Body::I2bis {
                initiator_tag: tag,
                initiator_nonce: nonce,
                responder_nonce: 2,
                packet_tag: tag,
            },
        ),
        ("rx_update", Body::UpdateRequest { tag, nonce }),
        ("rx_update_ack", Body::UpdateAck { tag, nonce }),
        ("rx_keepalive", Body::Keepalive { tag }),
        ("rx_error", Body::Error { code: 0, pointer: 0, packet: &[0; 64] }),
    ];
    for (counter, body) in &types {
        let mut d = Desk::new(Config::default());
        let _ = d.hear(&build(body, |_| {}));
        for (other, _) in &types {
            assert_eq!(d.host.count(other), u64::from(other == counter), "{other} of {counter}");
        }
    }
}

#[test]
fn an_unknown_type_is_answered_with_error_0() {
    let mut d = Desk::new(Config::default());
    let bytes = patch(build(&Body::Keepalive { tag: TAG }, |_| {}), 2, 99);
    let (code, pointer, packet) = error_of(&d.hear(&bytes).expect("an Error"));
    assert_eq!((code, pointer), (0, IPV6_HEADER as u16 + 2));
    assert_eq!(packet[IPV6_HEADER..], bytes[..]);
    assert_eq!((d.host.count("rx_unknown_type"), d.host.count("tx_error")), (1, 1));
}

#[test]
fn an_error_has_no_more_octets_than_a_message_may_have() {
    let mut d = Desk::new(Config::default());
    for len in [1184, 1192, 1200, MAX_MESSAGE] {
        let mut bytes = build(&Body::Keepalive { tag: TAG }, |_| {});
        bytes.resize(len, 0);
        (bytes[1], bytes[2]) = ((len / 8 - 1) as u8, 99);
        let answer = d.hear(&checked(bytes.clone())).expect("an Error");
        let room = MAX_MESSAGE - 8 - IPV6_HEADER;
        let (_, _, packet) = error_of(&answer);
        assert_eq!(packet[IPV6_HEADER..], checked(bytes)[..len.min(room)]);
    }
}

#[test]
fn an_unknown_critical_option_is_answered_with_error_1_and_nothing_else_is_done() {
    let mut d = Desk::new(Config::default());
    let i2 = d.i2(TAG, |_| {});
    let at = i2.len();
    let mut bytes = i2;
    bytes.extend([0x7f, 0xff, 0, 4, 1, 2, 3, 4]);
    bytes[1] += 1;
    let (code, pointer, _) = error_of(&d.hear(&checked(bytes.clone())).expect("an Error"));
    assert_eq!((code, usize::from(pointer)), (1, IPV6_HEADER + at));
    assert_eq!((d.contexts(), d.host.count("rx_critical_option")), (0, 1));
    // The same option without the critical bit is ignored.
    bytes[at + 1] = 0xfe;
    assert!(d.hear(&checked(bytes)).is_some());
    assert_eq!(d.contexts(), 1);
}

#[test]
fn errors_are_limited_and_never_answered() {
    let mut d = Desk::new(Config { error_per_second: 3, ..Config::default() });
    let bytes = patch(build(&Body::Keepalive { tag: TAG }, |_| {}), 2, 99);
    let answers = (0..50).filter(|_| d.hear(&bytes).is_some()).count();
    assert_eq!((answers, d.host.count("error_limited")), (3, 47));
    assert_eq!(d.host.count("tx_error"), 3);
    let error = build(&Body::Error { code: 0, pointer: 0, packet: &[0; 64] }, |_| {});
    assert!(d.hear(&error).is_none());
    assert_eq!((d.host.count("rx_error"), d.host.count("rx_error_unmatched")), (1, 1));
}

// Messages for contexts (12.4).

#[test]
fn a_tag_that_nobody_has_is_answered_with_r1bis() {
    let mut d = Desk::new(Config::default());
    for body in [
        Body::Keepalive { tag: TAG },
        Body::UpdateRequest { tag: TAG, nonce: 1 },
        Body::UpdateAck { tag: TAG, nonce: 1 },
    ] {
        let answer = d.hear(&build(&body, |_| {})).expect("an R1bis");
        let message = Message::parse(&answer).unwrap();
        assert!(matches!(message.body, Body::R1bis { packet_tag: TAG, .. }));
    }
    assert_eq!(d.contexts(), 0);
}

#[test]
fn what_nobody_waits_for_changes_nothing() {
    let mut d = Desk::new(Config::default());
    let r2 = build(&Body::R2 { responder_tag: TAG, initiator_nonce: 1 }, |_| {});
    assert!(d.hear(&r2).is_none());
    d.established(TAG);
    let tag = d.local_tag();
    assert!(d.hear(&build(&Body::UpdateAck { tag, nonce: 1 }, |_| {})).is_none());
    let before = format!("{:?}", d.first());
    let mut buf = [0; MAX_MESSAGE];
    let mut probe = Builder::probe(&mut buf, tag, ProbeState::Exploring);
    let own = Record { src: a_stranger(), dst: d.ulids.pair.local, nonce: 1, data: 0 };
    probe.records([own].into_iter(), [].into_iter());
    let len = probe.finish().unwrap();
    assert!(d.hear(&buf[..len]).is_none());
    assert_eq!(format!("{:?}", d.first()), before);
    for counter in ["r2_unexpected", "update_ack_stale", "rx_probe", "probe_foreign"] {
        assert_eq!(d.host.count(counter), 1, "{counter}");
    }
}

#[test]
fn a_keepalive_for_a_context_that_is_not_established_is_too_early() {
    let mut d = Desk::new(Config::default());
    d.initiate().unwrap();
    let tag = d.local_tag();
    assert!(d.hear(&build(&Body::Keepalive { tag }, |_| {})).is_none());
    assert_eq!(d.host.count("control_early"), 1);
    assert_eq!(d.host.context().state(), State::I1Sent);
}

#[test]
fn control_messages_over_foreign_locators_are_answered_with_r1bis() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let stranger = a_stranger();
    let Pair { local, peer } = d.ulids.pair;
    let keepalive = build(&Body::Keepalive { tag: d.local_tag() }, |_| {});
    for (src, dst) in [(stranger, local), (peer, stranger)] {
        let (_, answer) = d.say(src, dst, &keepalive).expect("an R1bis");
        assert_eq!(Message::parse(&answer).unwrap().kind(), Type::R1bis);
    }
    assert_eq!(d.host.context().state(), State::Established);
}

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
