// SPDX-License-Identifier: GPL-2.0
//! What a packet is to the shim, read from its octets alone (RFC 5533 4.6, 5.2, 8, 11.1, 12).
//!
//! Works on slices that start at the IPv6 header; changes nothing and knows no context.

/// ICMPv6 (RFC 4443).
pub const ICMPV6: u8 = 58;
/// Where a payload extension header directly behind the fixed header ends.
pub const PAYLOAD_END: u32 = 48;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const DESTINATION: u8 = 60;
const NO_NEXT: u8 = 59;

/// Whether a Shim6 header at `offset` is one of payload.
#[inline]
pub fn is_payload_at(packet: &[u8], offset: u32) -> bool {
    let p = (offset as usize).checked_add(2).and_then(|at| packet.get(at));
    p.is_some_and(|p| p & 0x80 != 0)
}

/// Whether a packet is neighbour or router discovery or a redirect (RFC 4861): that is about the
/// link, between the addresses as they are, and no traffic of any ULP.
#[inline]
pub fn is_neighbour_discovery(next: u8, packet: &[u8]) -> bool {
    next == ICMPV6 && matches!(packet.get(40), Some(133..=137))
}

/// Whether headers may follow that belong in front of the shim's.
#[inline]
pub fn routing_headers(next: u8) -> bool {
    matches!(next, HOP_BY_HOP | ROUTING | DESTINATION)
}

/// Where a payload header belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insertion {
    /// At offset `at`, named by the Next Header octet at offset `chain`.
    At {
        /// Offset of the new header.
        at: u32,
        /// Offset of the octet that names what is now at `at`.
        chain: u32,
        /// What it names.
        next: u8,
    },
    /// The packet has a Routing header: its destination address is not its peer.
    RoutingHeader,
    /// The chain of headers does not fit the packet.
    Malformed,
}

/// RFC 5533 11.1: "The sender skips any "Routing Sublayer Extension headers" that the ULP might
/// have included; thus, it skips any Hop-by-Hop Extension header, any Routing header, and any
/// Destination Options header that is followed by a Routing header."
pub fn insertion(packet: &[u8]) -> Insertion {
    let (mut at, mut chain) = (40usize, 6usize);
    let mut found = (at, chain, packet.get(chain).copied().unwrap_or(NO_NEXT));
    loop {
        let header = packet.get(chain).copied();
        match header {
            Some(HOP_BY_HOP | DESTINATION) => {}
            Some(ROUTING) => return Insertion::RoutingHeader,
            Some(_) => break,
            None => return Insertion::Malformed,
        }
        let Some(&len) = packet.get(at.saturating_add(1)) else {
            return Insertion::Malformed;
        };
        chain = at;
        at = at.saturating_add(usize::from(len).saturating_add(1).saturating_mul(8));
        if at > packet.len() {
            return Insertion::Malformed;
        }
        if header == Some(HOP_BY_HOP) {
            found = (at, chain, packet.get(chain).copied().unwrap_or(NO_NEXT));
        }
    }
    Insertion::At { at: found.0 as u32, chain: found.1 as u32, next: found.2 }
}

/// Octets of all headers of a packet whose ULP header is at `transport`.
#[inline]
pub fn headers_len(packet: &[u8], transport: u32, tcp: bool) -> Option<u32> {
    if !tcp {
        return transport.checked_add(8);
    }
    let offset = packet.get((transport as usize).checked_add(12)?)?;
    transport.checked_add(u32::from(offset >> 4).checked_mul(4)?)
}
