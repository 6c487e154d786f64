// SPDX-License-Identifier: GPL-2.0

//! One host, and messages made by hand.

use crate::world::Host;
use shim6_proto::proto::addr::{Addr, Pair, Tag, UlidPair};
use shim6_proto::proto::cga::Verdict;
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::{Context, State};
use shim6_proto::proto::endpoint::{Meta, Refused};
use shim6_proto::proto::env::Transmit;
use shim6_proto::proto::reap::activity::Activity;
use shim6_proto::proto::wire::{Body, Builder, Message, Method, Type, IPV6_HEADER, MAX_MESSAGE};

/// A host under test, and another whose addresses and parameters the test speaks with.
pub struct Desk {
    pub host: Host,
    pub peer: Host,
    pub ulids: UlidPair,
}

/// An IPv6 header as it stands before a message.
pub fn header(src: Addr, dst: Addr) -> [u8; IPV6_HEADER] {
    let mut head = [0; IPV6_HEADER];
    head[0] = 0x60;
    head[6] = 140;
    head[8..24].copy_from_slice(&src.0);
    head[24..40].copy_from_slice(&dst.0);
    head
}

/// An address that nobody knows.
pub fn a_stranger() -> Addr {
    Addr::from_bits((0x2001_0db8_0bad << 80) | 1)
}

pub fn build(body: &Body<'_>, fill: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
    let mut buf = [0xa5; MAX_MESSAGE];
    let mut message = Builder::new(&mut buf, body);
    fill(&mut message);
    let len = message.finish().expect("room");
    buf[..len].to_vec()
}

/// Gives a message another octet there, and a right checksum again.
pub fn patch(mut bytes: Vec<u8>, at: usize, octet: u8) -> Vec<u8> {
    bytes[at] = octet;
    checked(bytes)
}

pub fn checked(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes[4..6].fill(0);
    let mut sum: u32 = bytes.chunks(2).map(|w| (u32::from(w[0]) << 8) | u32::from(w[1])).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    bytes[4..6].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    bytes
}

impl Desk {
    pub fn new(config: Config) -> Desk {
        let [host, peer] = crate::world::hosts(77, config);
        let ulids = UlidPair::new(host.addr(0), peer.addr(0));
        Desk { host, peer, ulids }
    }

    /// A message from one address to another; what is answered.
    pub fn say(&mut self, src: Addr, dst: Addr, bytes: &[u8]) -> Option<(Transmit, Vec<u8>)> {
        let head = header(src, dst);
        let meta = Meta { src, dst, head: &head, verdict: Verdict::None };
        let mut reply = [0xa5; MAX_MESSAGE];
        let h = &mut self.host;
        let got = h.endpoint.receive(&h.out, &mut h.contexts, meta, bytes, &mut reply);
        got.reply.map(|t| (t, reply[..t.len].to_vec()))
    }

    /// From the peer's ULID to ours.
    pub fn hear(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Pair { local, peer } = self.ulids.pair;
        self.say(peer, local, bytes).map(|(t, bytes)| {
            assert_eq!((t.src, t.dst), (local, peer));
            bytes
        })
    }

    pub fn pass(&mut self, ms: u64) {
        let now = self.host.out.now.get().after(ms);
        self.host.out.now.set(now);
        self.peer.out.now.set(now);
    }

    /// Responder Nonce and validator of the R1 for an I1 with this tag.
    pub fn r1(&mut self, tag: Tag) -> (u32, Vec<u8>) {
        let i1 = build(&Body::I1 { initiator_tag: tag, initiator_nonce: 5 }, |_| {});
        let answer = self.hear(&i1).expect("an R1");
        let message = Message::parse(&answer).unwrap();
        let Body::R1 { initiator_nonce: 5, responder_nonce } = message.body else {
            panic!("not an R1: {message:?}")
        };
        (responder_nonce, message.options.validator.unwrap().to_vec())
    }

    /// The peer's I2, filled by the test after the validator.
    pub fn i2(&mut self, tag: Tag, fill: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
        let (responder_nonce, validator) = self.r1(tag);
        let body = Body::I2 { initiator_tag: tag, initiator_nonce: 6, responder_nonce };
        build(&body, |m| {
            m.validator(&validator);
            fill(m)
        })
    }

    /// A context made by the peer's I2 with its whole list.
    pub fn established(&mut self, tag: Tag) {
        let (list, pds) = (self.peer_list(), self.peer.out.pds.clone());
        let i2 = self.i2(tag, |m| {
            m.locators(31, list.iter().copied());
            m.pds(&pds);
        });
        let r2 = self.hear(&i2).expect("an R2");
        assert_eq!(Message::parse(&r2).unwrap().kind(), Type::R2);
        assert_eq!(self.host.context().state(), State::Established);
        assert_ne!(self.host.count("established_responder"), 0);
    }

    pub fn peer_list(&self) -> Vec<(Addr, Method)> {
        self.peer.out.locators.iter().map(|l| (l.addr, Method::Hba)).collect()
    }

    pub fn local_tag(&self) -> Tag {
        self.host.context().local_tag()
    }

    pub fn contexts(&self) -> usize {
        self.host.contexts.all.len()
    }

    pub fn first(&mut self) -> (&mut Context<crate::world::Store>, &Activity) {
        let (ctx, activity) = self.host.contexts.all.values_mut().next().expect("a context");
        (ctx, activity)
    }

    /// What the first context wants to send.
    pub fn sent(&mut self) -> Option<(Transmit, Vec<u8>)> {
        let mut buf = [0xa5; MAX_MESSAGE];
        let (ctx, activity) = self.host.contexts.all.values_mut().next()?;
        let t = ctx.poll_transmit(&self.host.out, activity, &mut buf)?;
        Some((t, buf[..t.len].to_vec()))
    }

    pub fn initiate(&mut self) -> Result<u64, Refused> {
        let h = &mut self.host;
        h.endpoint.initiate(&h.out, &mut h.contexts, self.ulids)
    }
}

pub const TAG: Tag = Tag::new(0x0bad_cafe_1234);

pub fn error_of(bytes: &[u8]) -> (u8, u16, Vec<u8>) {
    match Message::parse(bytes).unwrap().body {
        Body::Error { code, pointer, packet } => (code, pointer, packet.to_vec()),
        other => panic!("not an Error: {other:?}"),
    }
}
