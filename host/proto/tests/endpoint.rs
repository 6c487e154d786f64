// SPDX-License-Identifier: GPL-2.0

//! One host and messages made by hand: what is answered, what is kept, what is refused.

mod world;

use shim6_proto::proto::addr::{Addr, Pair, Tag, UlidPair};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::{Context, Event, Failure, Setup, SetupSlot, State};
use shim6_proto::proto::endpoint::{IcmpError, Meta, Refused, Table};
use shim6_proto::proto::env::Transmit;
use shim6_proto::proto::locator::{LocatorStore, NoMemory, PeerLocator, Wishes};
use shim6_proto::proto::reap::activity::Activity;
use shim6_proto::proto::reap::ReapState;
use shim6_proto::proto::time::Instant;
use shim6_proto::proto::wire::{Body, Builder, Message, Method, Type, IPV6_HEADER, MAX_MESSAGE};
use world::Host;

/// A host under test, and another whose addresses and parameters the test speaks with.
struct Desk {
    host: Host,
    peer: Host,
    ulids: UlidPair,
}

/// An IPv6 header as it stands before a message.
fn header(src: Addr, dst: Addr) -> [u8; IPV6_HEADER] {
    let mut head = [0; IPV6_HEADER];
    head[0] = 0x60;
    head[6] = 140;
    head[8..24].copy_from_slice(&src.0);
    head[24..40].copy_from_slice(&dst.0);
    head
}

fn build(body: &Body<'_>, fill: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
    let mut buf = [0xa5; MAX_MESSAGE];
    let mut message = Builder::new(&mut buf, body);
    fill(&mut message);
    let len = message.finish().expect("room");
    buf[..len].to_vec()
}

/// Gives a message another octet there, and a right checksum again.
fn patch(mut bytes: Vec<u8>, at: usize, octet: u8) -> Vec<u8> {
    bytes[at] = octet;
    checked(bytes)
}

fn checked(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes[4..6].fill(0);
    let mut sum: u32 = bytes.chunks(2).map(|w| (u32::from(w[0]) << 8) | u32::from(w[1])).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    bytes[4..6].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    bytes
}

impl Desk {
    fn new(config: Config) -> Desk {
        let [host, peer] = world::hosts(77, config);
        let ulids = UlidPair::new(host.addr(0), peer.addr(0));
        Desk { host, peer, ulids }
    }

    /// A message from one address to another; what is answered.
    fn say(&mut self, src: Addr, dst: Addr, bytes: &[u8]) -> Option<(Transmit, Vec<u8>)> {
        let head = header(src, dst);
        let meta = Meta { src, dst, head: &head };
        let mut reply = [0xa5; MAX_MESSAGE];
        let h = &mut self.host;
        let got = h.endpoint.receive(&h.out, &mut h.contexts, meta, bytes, &mut reply);
        got.reply.map(|t| (t, reply[..t.len].to_vec()))
    }

    /// From the peer's ULID to ours.
    fn hear(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Pair { local, peer } = self.ulids.pair;
        self.say(peer, local, bytes).map(|(t, bytes)| {
            assert_eq!((t.src, t.dst), (local, peer));
            bytes
        })
    }

    fn pass(&mut self, ms: u64) {
        let now = self.host.out.now.get().after(ms);
        self.host.out.now.set(now);
        self.peer.out.now.set(now);
    }

    /// Responder Nonce and validator of the R1 for an I1 with this tag.
    fn r1(&mut self, tag: Tag) -> (u32, Vec<u8>) {
        let i1 = build(&Body::I1 { initiator_tag: tag, initiator_nonce: 5 }, |_| {});
        let answer = self.hear(&i1).expect("an R1");
        let message = Message::parse(&answer).unwrap();
        let Body::R1 { initiator_nonce: 5, responder_nonce } = message.body else {
            panic!("not an R1: {message:?}")
        };
        (responder_nonce, message.options.validator.unwrap().to_vec())
    }

    /// The peer's I2, filled by the test after the validator.
    fn i2(&mut self, tag: Tag, fill: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
        let (responder_nonce, validator) = self.r1(tag);
        let body = Body::I2 { initiator_tag: tag, initiator_nonce: 6, responder_nonce };
        build(&body, |m| {
            m.validator(&validator);
            fill(m)
        })
    }

    /// A context made by the peer's I2 with its whole list.
    fn established(&mut self, tag: Tag) {
        let (list, pds) = (self.peer_list(), self.peer.out.pds.clone());
        let i2 = self.i2(tag, |m| {
            m.locators(31, list.iter().copied());
            m.pds(&pds);
        });
        let r2 = self.hear(&i2).expect("an R2");
        assert_eq!(Message::parse(&r2).unwrap().kind(), Type::R2);
        assert_eq!(self.host.context().state(), State::Established);
    }

    fn peer_list(&self) -> Vec<(Addr, Method)> {
        self.peer.out.locators.iter().map(|l| (l.addr, Method::Hba)).collect()
    }

    fn local_tag(&self) -> Tag {
        self.host.context().local_tag()
    }

    fn contexts(&self) -> usize {
        self.host.contexts.all.len()
    }

    fn first(&mut self) -> (&mut Context<world::Store>, &Activity) {
        let (ctx, activity) = self.host.contexts.all.values_mut().next().expect("a context");
        (ctx, activity)
    }

    /// What the first context wants to send.
    fn sent(&mut self) -> Option<(Transmit, Vec<u8>)> {
        let mut buf = [0xa5; MAX_MESSAGE];
        let (ctx, activity) = self.host.contexts.all.values_mut().next()?;
        let t = ctx.poll_transmit(&self.host.out, activity, &mut buf)?;
        Some((t, buf[..t.len].to_vec()))
    }

    fn initiate(&mut self) -> Result<u64, Refused> {
        let h = &mut self.host;
        h.endpoint.initiate(&h.out, &mut h.contexts, self.ulids)
    }
}

const TAG: Tag = Tag::new(0x0bad_cafe_1234);

fn error_of(bytes: &[u8]) -> (u8, u16, Vec<u8>) {
    match Message::parse(bytes).unwrap().body {
        Body::Error { code, pointer, packet } => (code, pointer, packet.to_vec()),
        other => panic!("not an Error: {other:?}"),
    }
}

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
fn an_i2_may_have_another_initiator_nonce_than_its_i1() {
    let mut d = Desk::new(Config::default());
    // Desk::r1 says 5, Desk::i2 says 6.
    let i2 = d.i2(TAG, |_| {});
    let r2 = d.hear(&i2).expect("an R2");
    let message = Message::parse(&r2).unwrap();
    assert!(matches!(message.body, Body::R2 { initiator_nonce: 6, .. }));
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
    assert_eq!(d.contexts(), 0, "the message was ignored");
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

#[test]
fn a_source_that_is_not_proved_gets_no_context() {
    let mut d = Desk::new(Config::default());
    let stranger = Addr::from_bits((0x2001_0db8_0bad << 80) | 1);
    let Pair { local, peer } = d.ulids.pair;
    let i1 =
        build(&Body::I1 { initiator_tag: TAG, initiator_nonce: 1 }, |m| m.ulids(&peer, &local));
    let (_, r1) = d.say(stranger, local, &i1).expect("an R1: nothing is known yet");
    let r1 = Message::parse(&r1).unwrap();
    let Body::R1 { responder_nonce, .. } = r1.body else { panic!() };
    let body = Body::I2 { initiator_tag: TAG, initiator_nonce: 1, responder_nonce };
    let i2 = build(&body, |m| {
        m.validator(r1.options.validator.unwrap());
        m.ulids(&peer, &local);
    });
    assert!(d.say(stranger, local, &i2).is_none());
    assert_eq!(d.contexts(), 0);
    assert_eq!(d.host.count("rx_source_not_locator"), 1);
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
fn an_unknown_type_is_answered_with_error_0() {
    let mut d = Desk::new(Config::default());
    let bytes = patch(build(&Body::Keepalive { tag: TAG }, |_| {}), 2, 99);
    let (code, pointer, packet) = error_of(&d.hear(&bytes).expect("an Error"));
    assert_eq!((code, pointer), (0, IPV6_HEADER as u16 + 2));
    assert_eq!(packet[IPV6_HEADER..], bytes[..]);
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
    assert_eq!(d.contexts(), 0);
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
    let error = build(&Body::Error { code: 0, pointer: 0, packet: &[0; 64] }, |_| {});
    assert!(d.hear(&error).is_none());
    assert_eq!(d.host.count("rx_error_unmatched"), 1);
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
fn control_messages_over_foreign_locators_are_answered_with_r1bis() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let stranger = Addr::from_bits((0x2001_0db8_0bad << 80) | 1);
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

// What we begin.

#[test]
fn what_is_not_ours_or_cannot_be_shimmed_is_not_begun() {
    let mut d = Desk::new(Config::default());
    let good = d.ulids;
    let local = good.pair.local;
    for peer in [local, Addr::UNSPECIFIED, Addr::from_bits((0xff02 << 112) | 1)] {
        d.ulids.pair.peer = peer;
        assert_eq!(d.initiate(), Err(Refused::Address));
    }
    d.ulids = UlidPair::new(good.pair.peer, local);
    assert_eq!(d.initiate(), Err(Refused::Address));
    d.ulids = good;
    assert!(d.initiate().is_ok());
    assert_eq!(d.initiate(), Err(Refused::Exists));
}

/// When each message of this type was sent until the context ended, in ms.
fn times(d: &mut Desk, kind: Type, limit_ms: u64) -> Vec<u64> {
    let start = d.host.out.now.get();
    let mut times = vec![];
    while d.contexts() > 0 && !d.host.context().is_gone() {
        while let Some((_, bytes)) = d.sent() {
            if Message::parse(&bytes).unwrap().kind() == kind {
                times.push(d.host.out.now.get().since(start));
            }
        }
        let h = &mut d.host;
        let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
        let at = ctx.poll_timeout(&h.out, activity).unwrap();
        h.out.now.set(at);
        if at.since(start) > limit_ms {
            break;
        }
        ctx.handle_timeout(&h.out, activity);
    }
    times
}

fn gaps(times: &[u64]) -> Vec<f64> {
    times.windows(2).map(|t| (t[1] - t[0]) as f64).collect()
}

#[test]
fn i1_is_sent_again_with_backoff_and_given_up() {
    let mut firsts = vec![];
    for peer in 1..40 {
        let mut d = Desk::new(Config::default());
        d.ulids.pair.peer = Addr::from_bits((0x2001_0db8_0001 << 80) | peer);
        (0..peer).for_each(|_| {
            let _ = shim6_proto::proto::env::Env::random(&d.host.out);
        });
        d.initiate().unwrap();
        let times = times(&mut d, Type::I1, 1_000_000);
        assert_eq!(times.len(), 5, "I1 and I1_RETRIES_MAX");
        for (gap, nominal) in gaps(&times).iter().zip([4e3, 8e3, 16e3, 32e3]) {
            assert!((0.5..=1.5).contains(&(gap / nominal)), "{times:?}");
        }
        assert_eq!(d.host.context().state(), State::EFailed);
        firsts.push(times[1] - times[0]);
    }
    firsts.sort();
    assert!(firsts[0] < 3_000 && firsts[38] > 5_000, "randomized: {firsts:?}");
}

#[test]
fn i2_is_sent_again_then_i1_and_not_for_ever() {
    let mut d = Desk::new(Config::default());
    d.initiate().unwrap();
    let (mut i1, mut i2) = (0, vec![]);
    // A peer that answers every I1 and no I2.
    let start = d.host.out.now.get();
    while !d.host.context().is_gone() {
        while let Some((_, bytes)) = d.sent() {
            match Message::parse(&bytes).unwrap().body {
                Body::I1 { initiator_nonce, .. } => {
                    i1 += 1;
                    let body = Body::R1 { initiator_nonce, responder_nonce: 8 };
                    d.hear(&build(&body, |m| m.validator(&[1; 20])));
                }
                Body::I2 { .. } => i2.push(d.host.out.now.get().since(start)),
                other => panic!("{other:?}"),
            }
        }
        let h = &mut d.host;
        let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
        h.out.now.set(ctx.poll_timeout(&h.out, activity).unwrap());
        ctx.handle_timeout(&h.out, activity);
    }
    assert_eq!((i1, i2.len()), (5, 5 * 3), "I2 and I2_RETRIES_MAX for each I1");
    for (gap, nominal) in gaps(&i2[..3]).iter().zip([4e3, 8e3]) {
        assert!((0.5..=1.5).contains(&(gap / nominal)), "{i2:?}");
    }
}

#[test]
fn an_update_is_sent_again_with_backoff_up_to_its_limit() {
    let mut d = Desk::new(Config { gc_idle_ms: 86_400_000, ..Config::default() });
    d.established(TAG);
    d.host.out.locators[1].pref.priority = 3;
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
    ctx.local_changed(&h.out, activity);
    let times = times(&mut d, Type::UpdateRequest, 2_000_000);
    let nominal = [4e3, 8e3, 16e3, 32e3, 64e3, 120e3, 120e3, 120e3, 120e3];
    assert!(times.len() > nominal.len(), "the retransmissions continue forever: {times:?}");
    for (gap, nominal) in gaps(&times).iter().zip(nominal) {
        assert!((0.5..=1.5).contains(&(gap / nominal)), "{times:?}");
    }
}

#[test]
fn an_error_from_a_stranger_is_not_obeyed() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    d.host.out.locators[1].pref.priority = 3;
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
    ctx.local_changed(&h.out, activity);
    let (t, request) = d.sent().expect("an Update Request");
    let mut packet = header(t.src, t.dst).to_vec();
    packet.extend(&request);
    let error = build(&Body::Error { code: 2, pointer: 0, packet: &packet }, |_| {});
    let stranger = Addr::from_bits((0x2001_0db8_0bad << 80) | 1);
    let _ = d.say(stranger, d.ulids.pair.local, &error);
    assert_eq!((d.host.count("rx_error_unmatched"), d.host.count("update_refused")), (1, 0));
    d.hear(&error);
    assert_eq!(d.host.count("update_refused"), 1);
    assert!(times(&mut d, Type::UpdateRequest, 200_000).is_empty(), "not repeated");
}

#[test]
fn errors_3_and_4_make_us_tell_everything_again_but_not_for_ever() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    d.host.out.locators[1].pref.priority = 3;
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
    ctx.local_changed(&h.out, activity);
    let mut lists = vec![];
    while let Some((t, request)) = d.sent() {
        lists.push(Message::parse(&request).unwrap().options.locators.is_some());
        let mut packet = header(t.src, t.dst).to_vec();
        packet.extend(&request);
        d.hear(&build(&Body::Error { code: 3, pointer: 0, packet: &packet }, |_| {}));
    }
    assert_eq!(lists, [false, true, true]);
}

#[test]
fn a_validator_of_any_length_up_to_72_octets_is_given_back() {
    for len in [0, 1, 20, 32, 64, 72, 73] {
        let mut d = Desk::new(Config::default());
        d.initiate().unwrap();
        let (_, i1) = d.sent().unwrap();
        let Body::I1 { initiator_nonce, .. } = Message::parse(&i1).unwrap().body else { panic!() };
        let validator: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let body = Body::R1 { initiator_nonce, responder_nonce: 8 };
        assert!(d.hear(&build(&body, |m| m.validator(&validator))).is_none());
        let i2 = d.sent();
        assert_eq!(i2.is_some(), len <= 72, "{len}");
        if let Some((_, i2)) = i2 {
            let message = Message::parse(&i2).unwrap();
            assert_eq!(message.options.validator, Some(&validator[..]));
            assert!(matches!(message.body, Body::I2 { responder_nonce: 8, .. }));
            assert_eq!(message.options.locators.map(|l| l.len()), Some(2));
            assert_eq!(message.options.pds, Some(&d.host.out.pds[..]));
        }
    }
}

#[test]
fn an_r1_for_another_nonce_or_another_pair_is_dropped() {
    let mut d = Desk::new(Config::default());
    d.initiate().unwrap();
    let (_, i1) = d.sent().unwrap();
    let Body::I1 { initiator_nonce, .. } = Message::parse(&i1).unwrap().body else { panic!() };
    let r1 = |initiator_nonce| {
        build(&Body::R1 { initiator_nonce, responder_nonce: 8 }, |m| m.validator(&[1; 20]))
    };
    d.hear(&r1(initiator_nonce ^ 1));
    let (local, elsewhere) = (d.ulids.pair.local, d.peer.addr(1));
    let _ = d.say(elsewhere, local, &r1(initiator_nonce));
    assert_eq!(d.host.count("r1_unexpected"), 2);
    assert_eq!(d.host.context().state(), State::I1Sent);
    d.hear(&r1(initiator_nonce));
    assert_eq!(d.host.context().state(), State::I2Sent);
    d.hear(&r1(initiator_nonce));
    assert_eq!(d.host.count("r1_unexpected"), 3, "in any other STATE");
}

#[test]
fn error_2_about_our_i2_makes_us_leave_the_list_out() {
    let mut d = Desk::new(Config::default());
    d.initiate().unwrap();
    let (_, i1) = d.sent().unwrap();
    let Body::I1 { initiator_nonce, .. } = Message::parse(&i1).unwrap().body else { panic!() };
    let body = Body::R1 { initiator_nonce, responder_nonce: 8 };
    d.hear(&build(&body, |m| m.validator(&[1; 20])));
    let (t, i2) = d.sent().unwrap();
    let mut packet = header(t.src, t.dst).to_vec();
    packet.extend(&i2);
    d.hear(&build(&Body::Error { code: 2, pointer: 100, packet: &packet }, |_| {}));
    let (_, again) = d.sent().expect("once more");
    assert_eq!(Message::parse(&again).unwrap().options.locators, None);
    d.hear(&build(&Body::Error { code: 2, pointer: 100, packet: &packet }, |_| {}));
    assert!(d.sent().is_none(), "no quarrel");
}

// ICMPv6.

fn in_error(t: Transmit, message: &[u8]) -> Vec<u8> {
    let mut packet = header(t.src, t.dst).to_vec();
    packet.extend(message);
    packet
}

#[test]
fn unrecognized_next_header_about_our_i1_means_no_support() {
    let mut d = Desk::new(Config::default());
    d.initiate().unwrap();
    let (t, i1) = d.sent().unwrap();
    let what = IcmpError::UnrecognizedNextHeader;
    // About something that we did not send: another nonce.
    let forged = in_error(t, &patch(i1.clone(), 12, !i1[12]));
    let h = &mut d.host;
    assert_eq!(h.endpoint.icmp_error(&h.out, &mut h.contexts, what, &forged), None);
    assert_eq!(h.context().state(), State::I1Sent);
    let packet = in_error(t, &i1);
    assert!(h.endpoint.icmp_error(&h.out, &mut h.contexts, what, &packet).is_some());
    assert_eq!(h.context().state(), State::NoSupport);
    let until = h.out.now.get().after(600_000);
    let (ctx, _) = d.first();
    let failed = Event::Failed { why: Failure::NoSupport, hold_until: until };
    assert_eq!(ctx.poll_event(), Some(failed));
    assert!(ctx.is_gone());
}

#[test]
fn unreachable_about_the_current_pair_is_a_hint_and_about_another_is_not() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let Pair { local, peer } = d.ulids.pair;
    let ask = |d: &mut Desk, src, dst| {
        let mut packet = header(src, dst).to_vec();
        packet[6] = 6;
        packet.extend([0; 20]);
        let h = &mut d.host;
        let what = IcmpError::Unreachable;
        let _ = h.endpoint.icmp_error(&h.out, &mut h.contexts, what, &packet);
        h.context().reap_state()
    };
    let elsewhere = d.peer.addr(1);
    assert_eq!(ask(&mut d, local, elsewhere), Some(ReapState::Operational));
    assert_eq!(ask(&mut d, peer, local), Some(ReapState::Operational));
    assert_eq!(ask(&mut d, local, peer), Some(ReapState::Exploring));
    let (t, probe) = d.sent().expect("a probe");
    // It may be forged: the current pair is asked first.
    assert_eq!((t.src, t.dst), (local, peer));
    assert_eq!(Message::parse(&probe).unwrap().kind(), Type::Probe);
}

#[test]
fn an_icmp_error_about_garbage_is_nothing() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let (t, what) =
        (Transmit { src: d.host.addr(0), dst: d.peer.addr(0), len: 0 }, IcmpError::Unreachable);
    let full = in_error(t, &build(&Body::Keepalive { tag: TAG }, |_| {}));
    for cut in 0..full.len() {
        let h = &mut d.host;
        let _ = h.endpoint.icmp_error(&h.out, &mut h.contexts, what, &full[..cut]);
    }
    let mut chain = full.clone();
    chain[6] = 0;
    for octet in 0..=255 {
        chain[40] = octet;
        chain[41] = octet;
        let h = &mut d.host;
        let _ = h.endpoint.icmp_error(&h.out, &mut h.contexts, what, &chain);
    }
}

// Updates.

fn update(d: &mut Desk, fill: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
    let body = Body::UpdateRequest { tag: d.local_tag(), nonce: 99 };
    let bytes = build(&body, fill);
    d.hear(&bytes).expect("an answer")
}

#[test]
fn an_update_is_acknowledged_and_obeyed() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let list = d.peer_list();
    // Without parameters: what was proved once stays proved.
    let ack = update(&mut d, |m| m.locators(77, list[..1].iter().copied()));
    let message = Message::parse(&ack).unwrap();
    assert!(matches!(message.body, Body::UpdateAck { tag: TAG, nonce: 99 }));
    let ctx = d.host.context();
    assert_eq!((ctx.peer_locators().len(), ctx.peer_generation()), (1, Some(77)));
}

#[test]
fn an_update_with_a_locator_that_is_not_proved_is_answered_with_error_2() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let mut list = d.peer_list();
    list.push((Addr::from_bits((0x2001_0db8_0bad << 80) | 1), Method::Hba));
    let pds = d.peer.out.pds.clone();
    let answer = update(&mut d, |m| {
        m.locators(77, list.iter().copied());
        m.pds(&pds);
    });
    let (code, pointer, packet) = error_of(&answer);
    assert_eq!((code, packet[usize::from(pointer)]), (2, 1));
    let ctx = d.host.context();
    assert_eq!((ctx.peer_locators().len(), ctx.peer_generation()), (2, Some(31)));
}

#[test]
fn preferences_for_another_list_or_number_are_answered_with_errors_3_and_4() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let prefs = |n| core::iter::repeat_n(Default::default(), n);
    let (code, pointer, packet) = error_of(&update(&mut d, |m| m.preferences(30, prefs(2))));
    assert_eq!(code, 3);
    assert_eq!(packet[usize::from(pointer)..][..4], 30u32.to_be_bytes());
    let (code, pointer, packet) = error_of(&update(&mut d, |m| m.preferences(31, prefs(3))));
    assert_eq!(code, 4);
    assert_eq!(packet[usize::from(pointer)..][..2], (5u16 + 9).to_be_bytes());
    let ack = update(&mut d, |m| m.preferences(31, prefs(2)));
    assert_eq!(Message::parse(&ack).unwrap().kind(), Type::UpdateAck);
}

#[test]
fn a_locator_that_the_peer_calls_broken_is_left_through_an_exploration() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let broken =
        [1, 0].map(|flags| shim6_proto::proto::locator::Preference { flags, ..Default::default() });
    update(&mut d, |m| m.preferences(31, broken.into_iter()));
    assert_eq!(d.host.context().reap_state(), Some(ReapState::Exploring));
    assert_eq!(d.host.context().tx_pair(), d.ulids.pair, "not before a probe came through");
}

#[test]
fn the_peers_send_timeout_becomes_our_keepalive_timeout() {
    let mut d = Desk::new(Config::default());
    let i2 = d.i2(TAG, |m| m.keepalive_timeout(3));
    d.hear(&i2).unwrap();
    let config = Config::default();
    assert_eq!(d.host.context().keepalive_ms(&config), 3_000);
    update(&mut d, |m| m.keepalive_timeout(60));
    assert_eq!(d.host.context().keepalive_ms(&config), 60_000);
}

#[test]
fn a_send_timeout_that_is_not_the_default_is_told() {
    for (send_timeout_ms, told) in
        [(15_000, None), (1_000, Some(1)), (1_999, Some(1)), (200, Some(1))]
    {
        let mut d = Desk::new(Config { send_timeout_ms, ..Config::default() });
        let i2 = d.i2(TAG, |_| {});
        let r2 = d.hear(&i2).unwrap();
        assert_eq!(Message::parse(&r2).unwrap().options.keepalive_timeout_s, told);
    }
}

// Deferred set-up.

#[test]
fn a_pair_asks_for_a_context_once_it_has_packets_and_age() {
    let slots: Vec<SetupSlot> = (0..64).map(|_| SetupSlot::new()).collect();
    let (setup, config) = (Setup(&slots), Config::default());
    let at = |ms: u64| Instant(1_000_000 + ms);
    const SEVEN: u64 = 7 << 58;
    const EIGHT: u64 = 8 << 58;
    // Many packets at once are not old enough, a few over a long time are not enough.
    assert!((0..1000).all(|_| !setup.note(SEVEN, at(0), &config)));
    assert!((0..10).all(|i| !setup.note(EIGHT, at(i * 1000), &config)));
    assert!(setup.note(SEVEN, at(1_000), &config));
    assert!(!setup.note(SEVEN, at(1_001), &config), "once");
    setup.hold_down(SEVEN, at(60_000));
    assert_eq!(setup.held_until(SEVEN, at(59_999)), Some(at(60_000)));
    assert!((2..60).all(|i| !setup.note(SEVEN, at(i * 1000), &config)));
    assert_eq!(setup.held_until(SEVEN, at(60_000)), None);
    assert!(!setup.note(SEVEN, at(60_000), &config), "counted anew");
    let asks = (0..200).filter(|i| setup.note(SEVEN, at(60_000 + i * 50), &config)).count();
    assert!((1..=10).contains(&asks), "{asks}");
}

#[test]
fn a_hold_down_is_not_pushed_out_by_others() {
    let slots: Vec<SetupSlot> = (0..4).map(|_| SetupSlot::new()).collect();
    let setup = Setup(&slots);
    let now = Instant(5);
    setup.hold_down(3, Instant(1_000));
    assert!((0..100).all(|i| !setup.note(4 + i, now, &Config::default())));
    assert!(setup.held_until(3, now).is_some());
    assert!(!Setup(&[]).note(1, now, &Config::default()));
}

// Memory.

/// What the kernel's store is like: four inline, a pointer for more.
#[derive(Default)]
struct Inline([PeerLocator; 4], u8, Option<Box<[PeerLocator]>>, Option<Box<Wishes>>);

impl LocatorStore for Inline {
    fn assign(&mut self, _: &[PeerLocator]) -> Result<(), NoMemory> {
        Ok(())
    }
    fn as_slice(&self) -> &[PeerLocator] {
        self.2.as_deref().unwrap_or(&self.0[..usize::from(self.1)])
    }
    fn as_mut_slice(&mut self) -> &mut [PeerLocator] {
        &mut self.0
    }
    fn wishes(&self) -> Option<&Wishes> {
        self.3.as_deref()
    }
    fn wishes_mut(&mut self) -> Result<&mut Wishes, NoMemory> {
        Err(NoMemory)
    }
}

#[test]
fn a_context_with_four_peer_locators_is_small() {
    let size = core::mem::size_of::<Context<Inline>>();
    assert!(size <= 464, "{size} octets");
    assert!(core::mem::size_of::<Activity>() <= 24);
}
