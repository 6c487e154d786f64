// SPDX-License-Identifier: GPL-2.0

//! Messages to one host that has a context: octets of the fuzzer's, some of them put right.

use crate::desk::{Desk, TAG};
use crate::octets::seal;
use shim6_proto::proto::addr::{Addr, Tag};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::wire::{Body, Message, Type, IPV6_HEADER, MAX_MESSAGE};

/// A sequence of messages: two octets that say how to put one right, one of length, and the
/// message itself. In between time passes.
pub fn endpoint(mut data: &[u8]) {
    let mut desk = Desk::new(Config { send_timeout_ms: 1_000, ..Config::default() });
    desk.established(TAG);
    let true_list: Vec<Addr> = desk.peer.out.locators.iter().map(|l| l.addr).collect();
    let mut r1s = 0;
    while let [how, from, len, rest @ ..] = data {
        let (message, rest) = rest.split_at(rest.len().min(usize::from(*len) * 4));
        data = rest;
        let mut octets = message.to_vec();
        octets.resize(octets.len().clamp(8, MAX_MESSAGE), 0);
        right(&mut desk, &mut octets, *how);
        let src = match from % 4 {
            0 => desk.ulids.pair.peer,
            1 => desk.peer.addr(1),
            2 => Addr::from_parts(0x2001_0db8_bad0_0000, 1),
            _ => desk.host.addr(1),
        };
        let dst = desk.host.addr(usize::from((from >> 2) & 1));
        let before = desk.contexts();
        let answer = desk.say(src, dst, &octets);
        if let Some((t, answer)) = answer {
            let said = Message::parse(&answer).expect("a message of our own").kind();
            let sizes = (answer.len() + IPV6_HEADER, octets.len() + IPV6_HEADER);
            let known = true_list.contains(&src);
            match said {
                Type::R1 | Type::R1bis => {
                    assert!(2 * sizes.0 <= 3 * sizes.1);
                    assert_eq!((t.src, t.dst), (dst, src));
                    r1s += 1;
                }
                Type::R2 | Type::UpdateAck => assert!(known, "{said:?} to a stranger"),
                Type::Error => assert!(sizes.0 <= sizes.1 + 48),
                _ => panic!("{said:?} as an answer"),
            }
        }
        // Without an I2 that answers an R1 nothing is made.
        let kind = Message::parse(&octets).map(|m| m.kind());
        assert!(desk.contexts() <= before || matches!(kind, Ok(Type::I2 | Type::I2bis)));
        settle(&mut desk, &true_list);
        if from & 0x80 != 0 {
            desk.pass(u64::from(from & 0x70) * 100);
        }
    }
    assert!(r1s <= 1_100);
}

/// Gives a message what the host expects, as far as `how` says.
fn right(desk: &mut Desk, octets: &mut Vec<u8>, how: u8) {
    if how & 1 != 0 && octets.len() >= 12 {
        let ctx = desk.host.contexts.all.values().next().map(|(c, _)| c.local_tag());
        let tag = if how & 2 != 0 { TAG } else { ctx.unwrap_or_default() };
        octets[6..12].copy_from_slice(&tag.get().to_be_bytes()[2..]);
    }
    // The nonce and the validator of a fresh R1, for an I2.
    if how & 4 != 0 && octets.len() >= 48 && octets[2] & 0x7f == 3 {
        let tag = octets[6..12].iter().fold(0u64, |tag, o| (tag << 8) | u64::from(*o));
        let i1 = crate::desk::build(
            &Body::I1 { initiator_tag: Tag::new(tag), initiator_nonce: 5 },
            |_| {},
        );
        if let Some(answer) = desk.hear(&i1) {
            let answer = Message::parse(&answer).unwrap();
            if let (Body::R1 { responder_nonce, .. }, Some(v)) =
                (answer.body, answer.options.validator)
            {
                octets[16..20].copy_from_slice(&responder_nonce.to_be_bytes());
                octets[24..28].copy_from_slice(&[0, 2, 0, 20]);
                octets[28..48].copy_from_slice(v);
            }
        }
    }
    if how & 8 == 0 {
        *octets = seal(std::mem::take(octets));
    }
}

/// What must hold of every context; timers run, messages are taken out.
fn settle(desk: &mut Desk, peer: &[Addr]) {
    let ids = desk.host.contexts_ids();
    for id in ids {
        let h = &mut desk.host;
        if let Some((ctx, activity)) = h.contexts.all.get_mut(&id) {
            let stranger = *ctx.ulids() != desk.ulids;
            let strange = |a: &Addr| !stranger && !peer.contains(a);
            let proved = ctx.peer_locators().iter().filter(|l| l.is_verified());
            assert!(!proved.map(|l| l.addr).any(|a| strange(&a)), "proved, but not the peer's");
            assert!(!strange(&ctx.tx_pair().peer), "data to a stranger");
            let at = ctx.poll_timeout(&h.out, activity);
            if at.is_some_and(|at| h.out.now.get().reached(at)) {
                ctx.handle_timeout(&h.out, activity);
            }
        }
        for (t, _) in h.drain(id) {
            assert!(h.out.locators.iter().any(|l| l.addr == t.src));
        }
    }
}
