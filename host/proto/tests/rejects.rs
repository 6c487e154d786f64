// SPDX-License-Identifier: GPL-2.0

//! Messages that are wrong, or come when nobody waits for them: each is counted by its cause, and
//! answered as the RFC says, or not at all.

use crate::desk::*;
use shim6_proto::proto::addr::{Addr, Pair};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::State;
use shim6_proto::proto::endpoint::Table;
use shim6_proto::proto::wire::{
    Body, Builder, Message, ProbeState, Record, Type, IPV6_HEADER, MAX_MESSAGE,
};

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

#[test]
fn ulids_that_nobody_can_have_are_not_ours() {
    let mut d = Desk::new(Config::default());
    let Pair { local, peer } = d.ulids.pair;
    let other = d.host.addr(1);
    let multicast = Addr::from_bits((0xff02 << 112) | 1);
    let link_local = Addr::from_bits((0xfe80 << 112) | 1);
    let wrong = [
        (multicast, local),
        (link_local, local),
        (Addr::UNSPECIFIED, local),
        (local, local),
        (peer, peer),
        (peer, a_stranger()),
    ];
    for (theirs, ours) in wrong {
        let body = Body::I1 { initiator_tag: TAG, initiator_nonce: 1 };
        let i1 = build(&body, |m| m.ulids(&theirs, &ours));
        assert!(d.say(peer, local, &i1).is_none(), "{theirs} -> {ours}");
    }
    assert_eq!(d.host.count("rx_not_our_ulid"), wrong.len() as u64);
    // Ours, at another locator of its set.
    let i1 =
        build(&Body::I1 { initiator_tag: TAG, initiator_nonce: 1 }, |m| m.ulids(&peer, &local));
    assert!(d.say(peer, other, &i1).is_some());
}

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
