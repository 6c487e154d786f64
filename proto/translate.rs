// SPDX-License-Identifier: GPL-2.0
//! What a packet is to the shim, read from its octets alone (RFC 5533 4.6, 5.2, 8, 11.1, 12).
//!
//! Works on slices that start at the IPv6 header; changes nothing and knows no context.

use crate::proto::addr::{Addr, Pair, Tag};
use crate::proto::wire::{PayloadHeader, PROTOCOL};

/// RFC 8200 5: every link carries packets of this size. TCP and the FIB ignore a smaller MTU.
pub const MIN_MTU: u32 = 1280;
/// ICMPv6 (RFC 4443).
pub const ICMPV6: u8 = 58;
/// TCP (RFC 9293).
pub const TCP: u8 = 6;
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

/// Whether the packet has a Routing header in front of where ours belongs.
pub fn has_routing_header(packet: &[u8]) -> bool {
    insertion(packet) == Insertion::RoutingHeader
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

/// What an ICMPv6 error about a packet with a payload header says (RFC 4443 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// "Packet too big", with the MTU it reports.
    TooBig(u32),
    /// Something another path may not suffer from: unreachable in the network, or somebody
    /// stumbled over the shim's own header.
    Path,
    /// "Time exceeded": the path has a loop, or the ULP counts its hops.
    Expired,
    /// What only the ULP can make sense of.
    Upper,
}

/// An ICMPv6 error whose packet in error has a payload header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorAbout {
    /// What it says.
    pub kind: ErrorKind,
    /// The locators of the packet in error, as its sender (this host) sees them.
    pub locators: Pair,
    /// The tag it told its receiver: CT(peer).
    pub tag: Tag,
    /// Octets of the error up to the end of that payload header.
    pub end: u32,
}

/// Octets of an ICMPv6 error up to the end of a payload header that comes first in its packet in
/// error.
pub const ERROR_END: u32 = 96;
const ICMP: usize = 40;
const INNER: usize = 48;
const SHIM: usize = 88;

/// Whether an ICMPv6 message is an error: "error messages are identified as such by a zero in the
/// high-order bit of their message Type" (RFC 4443 2.1).
#[inline]
pub fn is_error(icmp_type: u8) -> bool {
    icmp_type & 0x80 == 0
}

/// Octets of an ICMPv6 error up to the end of a payload header, as its first [`ERROR_END`] tell: the
/// one in its packet in error is where [`insertion`] puts it, behind a Hop-by-Hop Options header.
pub fn error_end(packet: &[u8]) -> u32 {
    match (packet.get(INNER + 6), packet.get(SHIM + 1)) {
        (Some(&HOP_BY_HOP), Some(&len)) => 8 * u32::from(len) + 8 + ERROR_END,
        _ => ERROR_END,
    }
}

/// Where a packet in error names what follows behind the `hops` octets of its Hop-by-Hop Options.
fn naming(hops: u32) -> u32 {
    if hops == 0 {
        6
    } else {
        40
    }
}

/// Reads an ICMPv6 packet; `None` unless it is an error about a packet with a payload header, and
/// there up to [`error_end`].
pub fn error_about(packet: &[u8]) -> Option<ErrorAbout> {
    let icmp = packet.get(ICMP..INNER)?.first_chunk::<8>()?;
    let inner = packet.get(INNER..SHIM)?.first_chunk::<40>()?;
    let [kind, code, _, _, word @ ..] = *icmp;
    let word = u32::from_be_bytes(word);
    let end = error_end(packet);
    let hops = end.checked_sub(ERROR_END)?;
    let (names, shim) = (naming(hops), hops.checked_add(40)?);
    let inner_at = |at: u32| packet.get(INNER.checked_add(at as usize)?..);
    if !is_error(kind) || inner[0] >> 4 != 6 || *inner_at(names)?.first()? != PROTOCOL {
        return None;
    }
    let tag = PayloadHeader::parse(inner_at(shim)?)?.tag;
    // RFC 5533 8 lists what "should be processed by the Shim6 layer and not passed to the ULP".
    let kind = match (kind, code) {
        (1, 0..=3 | 5 | 6) => ErrorKind::Path,
        (2, _) => ErrorKind::TooBig(word),
        (3, _) => ErrorKind::Expired,
        // "with the parameter that caused the error being a Shim6 parameter": the header itself,
        // or the octet that names it.
        (4, _) if word == names || word.wrapping_sub(shim) < 8 => ErrorKind::Path,
        _ => ErrorKind::Upper,
    };
    let locators = Pair { local: address(inner, 8)?, peer: address(inner, 24)? };
    Some(ErrorAbout { kind, locators, tag, end })
}

fn address(packet: &[u8], at: usize) -> Option<Addr> {
    packet.get(at..)?.first_chunk::<16>().map(|a| Addr(*a))
}

/// Gives an ICMPv6 error the shape it would have without a shim: RFC 5533 8, "apply reverse mapping
/// to the "packet in error" before passing the ICMP error up to the ULP".
///
/// `head` is the packet up to the end of that payload header ([`ErrorAbout::end`]); its first 8 octets
/// are then no longer part of the packet. The ICMPv6 check sum is left 0.
pub fn restore_error(head: &mut [u8], ulids: &Pair) {
    let Some(hops) = (head.len() as u32).checked_sub(ERROR_END) else { return };
    head.rotate_right(8);
    let Some((&mut [next, ..], packet)) = head.split_first_chunk_mut::<8>() else { return };
    shorten(packet, 4);
    put(packet, 24, &ulids.local.0);
    put(packet, ICMP + 2, &[0, 0]);
    let word = packet.get(ICMP + 4..INNER).and_then(|w| w.first_chunk()).copied();
    let word = u32::from_be_bytes(word.unwrap_or_default());
    match packet.get(ICMP) {
        // RFC 4884 4.4, 4.5: the length of the packet in error, in 8 octets, precedes extensions.
        Some(1 | 3) => {
            let length = (word >> 24).saturating_sub(1) << 24;
            put(packet, ICMP + 4, &(length | (word & 0x00ff_ffff)).to_be_bytes());
        }
        // RFC 5533 8: "the reported MTU must be adjusted to be 8 octets less".
        Some(2) => put(packet, ICMP + 4, &word.saturating_sub(8).max(MIN_MTU).to_be_bytes()),
        Some(4) if word >= hops.saturating_add(48) => {
            put(packet, ICMP + 4, &word.saturating_sub(8).to_be_bytes());
        }
        _ => {}
    }
    shorten(packet, INNER + 4);
    put(packet, INNER + naming(hops) as usize, &[next]);
    put(packet, INNER + 8, &ulids.local.0);
    put(packet, INNER + 24, &ulids.peer.0);
}

fn put(packet: &mut [u8], at: usize, bytes: &[u8]) {
    let end = at.saturating_add(bytes.len());
    if let Some(place) = packet.get_mut(at..end) {
        place.copy_from_slice(bytes);
    }
}

/// Takes 8 from the payload length at `at`.
fn shorten(packet: &mut [u8], at: usize) {
    let length = packet.get(at..).and_then(|b| b.first_chunk()).copied();
    if let Some(length) = length {
        put(packet, at, &u16::from_be_bytes(length).saturating_sub(8).to_be_bytes());
    }
}
