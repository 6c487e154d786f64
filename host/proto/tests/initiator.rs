// SPDX-License-Identifier: GPL-2.0

//! What one host begins by itself, what becomes of it, and what it tells and is told later.

use crate::desk::*;
use shim6_proto::proto::addr::{Addr, Pair, Tag, UlidPair};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::{Context, Event, Failure, State};
use shim6_proto::proto::endpoint::{IcmpError, Refused};
use shim6_proto::proto::env::{Env, Transmit};
use shim6_proto::proto::locator::{LocatorStore, NoMemory, PeerLocator, Wishes};
use shim6_proto::proto::reap::activity::Activity;
use shim6_proto::proto::reap::ReapState;
use shim6_proto::proto::time::Instant;
use shim6_proto::proto::wire::{Body, Builder, Message, Method, PayloadHeader, Type};

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

/// Our locators change, which the peer is to be told.
fn changes_locators(d: &mut Desk) {
    d.host.out.locators[1].pref.priority = 3;
    let h = &mut d.host;
    let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
    ctx.local_changed(&h.out, activity);
}

#[test]
fn an_update_is_sent_again_with_backoff_up_to_its_limit() {
    let mut d = Desk::new(Config { gc_idle_ms: 86_400_000, ..Config::default() });
    d.established(TAG);
    changes_locators(&mut d);
    let times = times(&mut d, Type::UpdateRequest, 2_000_000);
    let nominal = [4e3, 8e3, 16e3, 32e3, 64e3, 120e3, 120e3, 120e3, 120e3];
    assert!(times.len() > nominal.len(), "the retransmissions continue forever: {times:?}");
    for (gap, nominal) in gaps(&times).iter().zip(nominal) {
        assert!((0.5..=1.5).contains(&(gap / nominal)), "{times:?}");
    }
}

#[test]
fn a_context_lives_while_packets_go_or_come() {
    for (send, receive) in [(false, false), (true, false), (false, true)] {
        let mut d = Desk::new(Config::default());
        d.established(TAG);
        let idle = u64::from(Config::default().gc_idle_ms);
        d.pass(idle - 10_000);
        let h = &mut d.host;
        let tick = h.out.ticks().tick(h.out.now());
        let (_, activity) = h.contexts.all.values_mut().next().unwrap();
        if send {
            let _ = activity.note_sent(tick);
        }
        if receive {
            let _ = activity.note_received(tick);
        }
        for _ in 0..(idle - 20_000) / 1000 {
            d.pass(1000);
            let h = &mut d.host;
            let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
            ctx.handle_timeout(&h.out, activity);
            while d.sent().is_some() {}
        }
        assert_eq!(d.first().0.is_gone(), !send && !receive, "{send} {receive}");
    }
}

#[test]
fn an_error_from_a_stranger_is_not_obeyed() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    changes_locators(&mut d);
    let (t, request) = d.sent().expect("an Update Request");
    let mut packet = header(t.src, t.dst).to_vec();
    packet.extend(&request);
    let error = build(&Body::Error { code: 2, pointer: 0, packet: &packet }, |_| {});
    let stranger = a_stranger();
    let _ = d.say(stranger, d.ulids.pair.local, &error);
    assert_eq!((d.host.count("rx_error_unmatched"), d.host.count("update_refused")), (1, 0));
    d.hear(&error);
    assert_eq!(d.host.count("update_refused"), 1);
    assert!(times(&mut d, Type::UpdateRequest, 200_000).is_empty(), "not repeated");
}

#[test]
fn an_error_about_what_we_did_not_send_is_not_obeyed() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    changes_locators(&mut d);
    let (t, request) = d.sent().expect("an Update Request");
    let stranger = a_stranger();
    for (src, dst) in [(t.src, stranger), (stranger, t.dst)] {
        let packet = in_error(Transmit { src, dst, ..t }, &request);
        d.hear(&build(&Body::Error { code: 2, pointer: 0, packet: &packet }, |_| {}));
    }
    assert_eq!((d.host.count("rx_error_unmatched"), d.host.count("update_refused")), (2, 0));
}

#[test]
fn errors_3_and_4_make_us_tell_everything_again_but_not_for_ever() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    changes_locators(&mut d);
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
fn a_validator_of_any_length_up_to_64_octets_is_given_back() {
    for len in [0, 1, 20, 32, 63, 64, 65] {
        let mut d = Desk::new(Config::default());
        d.initiate().unwrap();
        let (_, i1) = d.sent().unwrap();
        let Body::I1 { initiator_nonce, .. } = Message::parse(&i1).unwrap().body else { panic!() };
        let validator: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let body = Body::R1 { initiator_nonce, responder_nonce: 8 };
        assert!(d.hear(&build(&body, |m| m.validator(&validator))).is_none());
        let i2 = d.sent();
        assert_eq!(i2.is_some(), len <= 64, "{len}");
        assert_eq!(d.host.count("validator_too_long"), u64::from(len > 64));
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

/// Our I1 was answered.
fn with_i2_due() -> Desk {
    let mut d = Desk::new(Config::default());
    d.initiate().unwrap();
    let (_, i1) = d.sent().unwrap();
    let Body::I1 { initiator_nonce, .. } = Message::parse(&i1).unwrap().body else { panic!() };
    let body = Body::R1 { initiator_nonce, responder_nonce: 8 };
    d.hear(&build(&body, |m| m.validator(&[1; 20])));
    d
}

/// RFC 5533 10.4: "If I2-SENT, send I2". It was about to be sent.
#[test]
fn an_i2_that_is_due_is_not_forgotten_when_the_peer_shows_that_it_waits() {
    let mut d = with_i2_due();
    d.first().0.nudge();
    let (_, i2) = d.sent().expect("an I2");
    assert_eq!(Message::parse(&i2).unwrap().kind(), Type::I2);
    d.first().0.nudge();
    assert!(d.sent().is_none(), "once for each wait");
}

#[test]
fn error_2_about_our_i2_makes_us_leave_the_list_out() {
    let mut d = with_i2_due();
    let (t, i2) = d.sent().unwrap();
    let mut packet = header(t.src, t.dst).to_vec();
    packet.extend(&i2);
    d.hear(&build(&Body::Error { code: 2, pointer: 100, packet: &packet }, |_| {}));
    let (_, again) = d.sent().expect("once more");
    assert_eq!(Message::parse(&again).unwrap().options.locators, None);
    d.hear(&build(&Body::Error { code: 2, pointer: 100, packet: &packet }, |_| {}));
    assert!(d.sent().is_none(), "no quarrel");
}

#[test]
fn error_2_about_an_i2_that_was_given_up_comes_too_late() {
    let mut d = with_i2_due();
    let (t, i2) = d.sent().unwrap();
    let packet = [&header(t.src, t.dst)[..], &i2].concat();
    for kind in [Type::I2, Type::I2, Type::I1] {
        let h = &mut d.host;
        let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
        h.out.now.set(ctx.poll_timeout(&h.out, activity).unwrap());
        ctx.handle_timeout(&h.out, activity);
        let (_, again) = d.sent().unwrap();
        assert_eq!(Message::parse(&again).unwrap().kind(), kind);
    }
    d.hear(&build(&Body::Error { code: 2, pointer: 100, packet: &packet }, |_| {}));
    assert!(d.sent().is_none());
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
        let data = PayloadHeader { next: 6, tag: TAG }.emit();
        let packet = in_error(Transmit { src, dst, len: 0 }, &data);
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
fn after_a_hint_the_current_pair_has_time_to_answer_and_then_no_second_turn() {
    for turns in [1, 2] {
        let mut d = Desk::new(Config::default());
        d.established(TAG);
        let Pair { local, peer } = d.ulids.pair;
        let data = PayloadHeader { next: 6, tag: TAG }.emit();
        let packet = in_error(Transmit { src: local, dst: peer, len: 0 }, &data);
        let h = &mut d.host;
        let _ = h.endpoint.icmp_error(&h.out, &mut h.contexts, IcmpError::Unreachable, &packet);
        let mut probes = vec![];
        let mut timeout = |d: &mut Desk| {
            let h = &mut d.host;
            let (ctx, activity) = h.contexts.all.values_mut().next().unwrap();
            ctx.handle_timeout(&h.out, activity);
            while let Some((t, _)) = d.sent() {
                probes.push((t.src, t.dst));
            }
        };
        for _ in 0..turns {
            timeout(&mut d);
            d.pass(600);
        }
        // Data comes before the next Probe is due.
        d.host.out.now.set(Instant(d.host.out.now.get().0 - 300));
        let tick = d.host.out.ticks().tick(d.host.out.now());
        let _ = d.first().1.note_received(tick);
        timeout(&mut d);
        assert_eq!(d.host.context().reap_state(), Some(ReapState::InboundOk));
        let current = probes.iter().map(|pair| *pair == (local, peer)).collect::<Vec<_>>();
        assert_eq!(current, [&[true, true][..], &[true, false, false]][turns - 1]);
    }
}

#[test]
fn our_message_is_found_behind_the_extension_headers_that_may_stand_before_it() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    // Only by its tag is it of the context: data between these two is not.
    let t = Transmit { src: d.host.addr(1), dst: d.peer.addr(1), len: 0 };
    let keepalive = build(&Body::Keepalive { tag: TAG }, |_| {});
    let mut found = |headers: &[(u8, usize)]| {
        let mut packet = in_error(t, &[]);
        let nexts = headers.iter().skip(1).map(|(kind, _)| *kind).chain([140]);
        packet[6] = headers.first().map_or(140, |(kind, _)| *kind);
        for ((_, units), next) in headers.iter().zip(nexts) {
            packet.extend([next, *units as u8]);
            packet.extend(vec![0; 6 + 8 * units]);
        }
        packet.extend(&keepalive);
        let h = &mut d.host;
        h.endpoint.icmp_error(&h.out, &mut h.contexts, IcmpError::Unreachable, &packet).is_some()
    };
    assert!(found(&[]) && found(&[(0, 0)]) && found(&[(60, 1)]) && found(&[(43, 3)]));
    assert!(found(&[(0, 2), (60, 0), (43, 1)]));
    assert!(!found(&[(44, 0)]), "a fragment");
    assert!(!found(&[(0, 0); 4]), "more than there may be");
    // It was not about the current pair.
    assert_eq!(d.host.context().reap_state(), Some(ReapState::Operational));
}

#[test]
fn an_icmp_error_about_data_is_for_the_context_of_its_tag_and_pair() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let Pair { local, peer } = d.ulids.pair;
    let (l1, p1) = (d.host.addr(1), d.peer.addr(1));
    let mut about = |src, dst, tag: Tag| {
        let mut packet = in_error(Transmit { src, dst, len: 0 }, &[17, 0]);
        packet.extend(&((1 << 47) | tag.get()).to_be_bytes()[2..]);
        let h = &mut d.host;
        h.endpoint.icmp_error(&h.out, &mut h.contexts, IcmpError::Unreachable, &packet).is_some()
    };
    assert!(!about(local, peer, Tag::new(TAG.get() ^ 1)) && !about(l1, p1, TAG));
    assert!(about(local, peer, TAG));
    assert_eq!(d.host.count("icmp_unknown"), 2);
    assert_eq!(d.host.context().reap_state(), Some(ReapState::Exploring));
}

/// Nor is one that does not name the tag, which is all that who sees no packets lacks.
#[test]
fn an_icmp_error_about_garbage_is_nothing() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let t = Transmit { src: d.host.addr(0), dst: d.peer.addr(0), len: 0 };
    let mut about = |packet: &[u8]| {
        let h = &mut d.host;
        h.endpoint.icmp_error(&h.out, &mut h.contexts, IcmpError::Unreachable, packet).is_some()
    };
    let control = in_error(t, &build(&Body::Keepalive { tag: TAG }, |_| {}));
    let payload = in_error(t, &PayloadHeader { next: 6, tag: TAG }.emit());
    for (full, tag_ends) in [(&control, 52), (&payload, 48)] {
        for cut in 0..tag_ends {
            assert!(!about(&full[..cut]), "{cut} octets");
        }
    }
    for (next, rest) in [(6, &[0; 20][..]), (17, &[0; 8]), (59, &[])] {
        let mut plain = in_error(t, rest);
        plain[6] = next;
        assert!(!about(&plain));
    }
    let mut chain = control.clone();
    chain[6] = 0;
    for octet in 0..=255 {
        chain[40] = octet;
        chain[41] = octet;
        about(&chain);
    }
    assert_eq!(d.host.count("hint"), 0);
    assert_eq!(d.host.context().reap_state(), Some(ReapState::Operational));
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
    assert_eq!((d.host.count("rx_update"), d.host.count("tx_update_ack")), (1, 1));
    let ctx = d.host.context();
    assert_eq!((ctx.peer_locators().len(), ctx.peer_generation()), (1, Some(77)));
}

#[test]
fn an_update_with_a_locator_that_is_not_proved_is_answered_with_error_2() {
    let mut d = Desk::new(Config::default());
    d.established(TAG);
    let mut list = d.peer_list();
    list.push((a_stranger(), Method::Hba));
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
    for counter in ["rx_preference_generation", "rx_preference_count"] {
        assert_eq!(d.host.count(counter), 1, "{counter}");
    }
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

// Memory.

/// What the kernel's store is like: four inline, a pointer for more and for wishes.
#[derive(Default)]
struct Inline([PeerLocator; 4], u8, Option<Box<(Vec<PeerLocator>, Option<Wishes>)>>);

impl LocatorStore for Inline {
    fn assign(&mut self, _: &[PeerLocator]) -> Result<(), NoMemory> {
        Ok(())
    }
    fn as_slice(&self) -> &[PeerLocator] {
        self.2.as_deref().map_or(&self.0[..usize::from(self.1)], |more| &more.0)
    }
    fn as_mut_slice(&mut self) -> &mut [PeerLocator] {
        &mut self.0
    }
    fn wishes(&self) -> Option<&Wishes> {
        self.2.as_deref()?.1.as_ref()
    }
    fn wishes_mut(&mut self) -> Result<&mut Wishes, NoMemory> {
        Err(NoMemory)
    }
}

#[test]
fn a_context_with_four_peer_locators_is_small() {
    let size = core::mem::size_of::<Context<Inline>>();
    assert!(size <= 424, "{size} octets");
    assert!(core::mem::size_of::<Activity>() <= 24);
}
