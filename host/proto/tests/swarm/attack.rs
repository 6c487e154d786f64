// SPDX-License-Identifier: GPL-2.0

//! Who means ill: off the path, with forged addresses and guessed tags; or on it.

use super::{Load, Packet, Swarm};
use crate::world::Host;
use rand::Rng;
use shim6_proto::proto::addr::{Addr, Pair, Tag};
use shim6_proto::proto::context::State;
use shim6_proto::proto::wire::{
    Body, Builder, Message, Method, ProbeState, Record, IPV6_HEADER, MAX_MESSAGE,
};

/// What an attacker who sees nothing must not be able to change.
pub type Picture = Vec<(u64, State, Pair, Option<Tag>, Vec<(Addr, bool, bool)>)>;

pub fn picture(host: &Host) -> Picture {
    let of = |(id, (c, _)): (&u64, &(_, _))| {
        let c: &shim6_proto::proto::context::Context<crate::world::Store> = c;
        let list = c.peer_locators().iter();
        let list = list.map(|l| (l.addr, l.is_verified(), l.is_reachable())).collect();
        (*id, c.state(), c.tx_pair(), c.peer_tag(), list)
    };
    host.contexts.all.iter().map(of).collect()
}

/// Writes a message with room for all its options.
pub fn build(body: &Body<'_>, fill: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
    let mut buf = [0; MAX_MESSAGE];
    let mut message = Builder::new(&mut buf, body);
    fill(&mut message);
    let len = message.finish().expect("room");
    buf[..len].to_vec()
}

impl Swarm {
    /// A message with a forged source, made by somebody who sees no packets: nonces and tags
    /// are guessed, addresses known.
    pub fn forge(&mut self) {
        let Pair { local: src, peer: dst } = self.any_pair();
        if src == dst {
            return;
        }
        let (guess, other) = (self.guess(), self.any_pair());
        let list = [(src, Method::Hba), (other.local, Method::Hba)];
        let n: u32 = self.dice.gen();
        let octets: [u8; 20] = self.dice.gen();
        let bytes = match self.dice.gen_range(0..11) {
            // It may ask, as anybody may: in its own name, or in that of others.
            0 => build(&Body::I1 { initiator_tag: guess, initiator_nonce: n }, |m| {
                m.ulids(&other.local, &dst)
            }),
            1 => build(&Body::R1 { initiator_nonce: n, responder_nonce: n }, |m| {
                m.validator(&octets)
            }),
            2 => {
                let body =
                    Body::I2 { initiator_tag: guess, initiator_nonce: n, responder_nonce: n };
                build(&body, |m| {
                    m.validator(&octets);
                    m.locators(n, list.into_iter());
                })
            }
            3 => build(&Body::R2 { responder_tag: guess, initiator_nonce: n }, |m| {
                m.locators(n, list.into_iter())
            }),
            4 => build(&Body::R1bis { packet_tag: guess, responder_nonce: n }, |m| {
                m.validator(&octets[..12])
            }),
            5 => {
                let body = Body::I2bis {
                    initiator_tag: guess,
                    initiator_nonce: n,
                    responder_nonce: n,
                    packet_tag: guess,
                };
                build(&body, |m| m.validator(&octets[..12]))
            }
            6 => build(&Body::UpdateRequest { tag: guess, nonce: n }, |m| {
                m.locators(n, list.into_iter())
            }),
            7 => build(&Body::UpdateAck { tag: guess, nonce: n }, |_| {}),
            8 => build(&Body::Keepalive { tag: guess }, |_| {}),
            9 => self.probe(guess, src, dst),
            _ => {
                let inner = self.probe(guess, dst, src);
                let mut packet = vec![0; IPV6_HEADER];
                packet[0] = 0x60;
                packet[6] = 140;
                packet[8..24].copy_from_slice(&dst.0);
                packet[24..40].copy_from_slice(&src.0);
                packet.extend(inner);
                let code = self.dice.gen_range(0..5);
                build(&Body::Error { code, pointer: 42, packet: &packet }, |_| {})
            }
        };
        self.launch(Packet { src, dst, load: Load::Control(bytes), forged: true });
    }

    /// One of so many: never right.
    fn guess(&mut self) -> Tag {
        Tag::new(self.dice.gen())
    }

    fn probe(&mut self, tag: Tag, src: Addr, dst: Addr) -> Vec<u8> {
        let mut buf = [0; MAX_MESSAGE];
        let state = [ProbeState::Operational, ProbeState::Exploring, ProbeState::InboundOk]
            [self.dice.gen_range(0..3)];
        let mut message = Builder::probe(&mut buf, tag, state);
        let record = Record { src, dst, nonce: self.dice.gen(), data: 0 };
        let back = Record { src: dst, dst: src, nonce: self.dice.gen(), data: 0 };
        message.records([record].into_iter(), [back].into_iter());
        let len = message.finish().expect("room");
        buf[..len].to_vec()
    }

    /// Somebody who saw a message sends it again, or one like it: to the same host, perhaps
    /// from elsewhere, perhaps with an address of its own in it.
    pub fn replay(&mut self) {
        if self.heard.is_empty() {
            return;
        }
        let mut packet = self.heard[self.dice.gen_range(0..self.heard.len())].clone();
        let Load::Control(bytes) = &packet.load else { return };
        let own = Addr::from_parts(0x2001_0db8_bad0_0000, self.dice.gen());
        let tag = match Message::parse(bytes).map(|m| m.body) {
            Ok(
                Body::Probe { tag, .. }
                | Body::Keepalive { tag }
                | Body::UpdateRequest { tag, .. }
                | Body::UpdateAck { tag, .. },
            ) => Some(tag),
            _ => None,
        };
        match (self.dice.gen_range(0..5), tag) {
            (0, Some(tag)) => {
                let list = [(packet.src, Method::Hba), (own, Method::Hba)];
                let body = Body::UpdateRequest { tag, nonce: self.dice.gen() };
                packet.load = Load::Control(build(&body, |m| m.locators(9, list.into_iter())));
            }
            (1, Some(tag)) => {
                packet.load = Load::Control(self.probe(tag, own, packet.dst));
            }
            (2, Some(tag)) => {
                packet.load = Load::Control(self.probe(tag, packet.src, packet.dst));
            }
            (3, _) => packet.src = self.any_addr(),
            _ => {}
        }
        self.launch(packet);
    }
}
