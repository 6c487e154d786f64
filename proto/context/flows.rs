// SPDX-License-Identifier: GPL-2.0

//! Which flows a peer sends in which forked context, so that our half of them takes it as well.
//!
//! RFC 6316 Appendix A leaves it open how the host that did not fork a context applies it to the
//! right packets. Here it learns: a flow (protocol and ports between two ULIDs) belongs to the
//! context that its last packet came in. Packets of a forked context carry a payload header with
//! its tag, so a tagged packet teaches its flow, and one without a header, or with the tag of the
//! default context, makes it forgotten.
//!
//! The table has a fixed size and no locks. A flow that another one pushed out of its place
//! takes the default context until the peer's next packet: another path to the same peer.

use crate::proto::addr::Tag;
use crate::proto::policy::Ports;
use crate::proto::wire::IPV6_HEADER;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What tells a flow from others between the same two addresses: the protocol, our port and the
/// peer's, where there are ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow(u64);

/// Which of a packet's ends is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// We send it.
    Out,
    /// We received it.
    In,
}

const FRAGMENT: u8 = 44;

/// Whether a protocol's header begins with two ports: TCP, UDP, DCCP, SCTP, UDP-Lite.
const fn has_ports(protocol: u8) -> bool {
    matches!(protocol, 6 | 17 | 33 | 132 | 136)
}

impl Flow {
    /// Of a packet that begins with its IPv6 header, as much of it as can be read; `next` is what
    /// that header names. `None`: a piece of a packet that does not tell.
    #[inline]
    pub fn of(packet: &[u8], next: u8, way: Way) -> Option<Flow> {
        let (protocol, at) = match next {
            FRAGMENT => match packet.get(IPV6_HEADER..)? {
                [next, _, 0, low, ..] if low & 0xf8 == 0 => (*next, IPV6_HEADER + 8),
                _ => return None,
            },
            _ => (next, IPV6_HEADER),
        };
        if !has_ports(protocol) {
            return Some(Flow(u64::from(protocol) << 32));
        }
        let ports = packet.get(at..)?.first_chunk::<4>()?;
        let [s0, s1, d0, d1] = *ports;
        let (src, dst) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        Some(match way {
            Way::Out => Flow::new(protocol, src, dst),
            Way::In => Flow::new(protocol, dst, src),
        })
    }

    /// Of a socket with these ports.
    #[inline]
    pub const fn new(protocol: u8, local: u16, peer: u16) -> Flow {
        if !has_ports(protocol) {
            return Flow((protocol as u64) << 32);
        }
        Flow(((protocol as u64) << 32) | ((local as u64) << 16) | peer as u64)
    }

    /// What a policy wants to know of it.
    pub const fn ports(self) -> Ports {
        // CAST: the fields of `new`.
        let protocol = (self.0 >> 32) as u8;
        let ports = ((self.0 >> 16) as u16, self.0 as u16);
        Ports { protocol, ports: if has_ports(protocol) { Some(ports) } else { None } }
    }

    /// Its key; `pair` is a keyed hash of the two ULIDs.
    #[inline]
    pub const fn key(self, pair: u64) -> u64 {
        let product = (pair ^ self.0) as u128 * (pair.rotate_left(32) | 1) as u128;
        (product >> 64) as u64 ^ product as u64
    }
}

/// One flow: CT(local) of its context, and some bits of the flow's key.
#[derive(Debug, Default)]
pub struct FlowSlot(AtomicU64);

impl FlowSlot {
    /// An empty one.
    pub const fn new() -> Self {
        FlowSlot(AtomicU64::new(0))
    }
}

const TAG_BITS: u32 = 47;

/// The memory: a slice of slots that the driver owns.
#[derive(Clone, Copy, Debug)]
pub struct Flows<'a>(pub &'a [FlowSlot]);

impl Flows<'_> {
    fn slot(&self, key: u64) -> Option<&AtomicU64> {
        // The upper half of a product spreads a hash over any number of slots.
        let place = (u128::from(key) * self.0.len() as u128) >> 64;
        self.0.get(place as usize).map(|slot| &slot.0)
    }

    /// What stands in a slot above the tag: bits of the key that did not choose the slot.
    const fn check(key: u64) -> u64 {
        key << TAG_BITS
    }

    /// A packet of this flow came in the context with this CT(local). True if that is news.
    #[inline]
    pub fn learn(&self, key: u64, tag: Tag) -> bool {
        let Some(slot) = self.slot(key) else { return false };
        let word = Self::check(key) | tag.get();
        // Packets of one flow write one line once.
        let news = slot.load(Relaxed) != word;
        if news {
            slot.store(word, Relaxed);
        }
        news
    }

    /// A packet of this flow came in the default context.
    #[inline]
    pub fn forget(&self, key: u64) {
        if let Some(slot) = self.slot(key) {
            let seen = slot.load(Relaxed);
            if seen != 0 && seen & !Tag::MASK == Self::check(key) {
                // If it was overwritten meanwhile, that is another flow's.
                let _ = slot.compare_exchange(seen, 0, Relaxed, Relaxed);
            }
        }
    }

    /// CT(local) of the forked context that this flow was last received in.
    #[inline]
    pub fn find(&self, key: u64) -> Option<Tag> {
        let seen = self.slot(key)?.load(Relaxed);
        (seen != 0 && seen & !Tag::MASK == Self::check(key)).then(|| Tag::new(seen & Tag::MASK))
    }
}
