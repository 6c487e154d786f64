// SPDX-License-Identifier: GPL-2.0

//! What a packet is to the shim: header chains, and ICMPv6 errors about rewritten packets.

use proptest::prelude::*;
use shim6_proto::proto::addr::{Addr, Pair, Tag};
use shim6_proto::proto::translate::*;
use shim6_proto::proto::wire::{PayloadHeader, PROTOCOL};

const ULIDS: Pair = Pair { local: Addr([0x11; 16]), peer: Addr([0x22; 16]) };
const LOCATORS: Pair = Pair { local: Addr([0x33; 16]), peer: Addr([0x44; 16]) };
const ROUTER: Addr = Addr([0x55; 16]);

fn ipv6(payload_len: usize, next: u8, src: Addr, dst: Addr) -> Vec<u8> {
    let mut p = vec![0x60, 0, 0, 0];
    p.extend((payload_len as u16).to_be_bytes());
    p.extend([next, 64]);
    p.extend(src.0);
    p.extend(dst.0);
    p
}

/// A packet as the ULP sent it.
fn ulid_packet(ulp: &[u8]) -> Vec<u8> {
    let mut p = ipv6(ulp.len(), 6, ULIDS.local, ULIDS.peer);
    p.extend(ulp);
    p
}

/// The same packet as it went over another path.
fn rewritten(ulp: &[u8], tag: u64) -> Vec<u8> {
    let mut p = ipv6(ulp.len() + 8, PROTOCOL, LOCATORS.local, LOCATORS.peer);
    p.extend(PayloadHeader { next: 6, tag: Tag::new(tag) }.emit());
    p.extend(ulp);
    p
}

fn icmp(dst: Addr, kind: u8, code: u8, word: u32, inner: &[u8]) -> Vec<u8> {
    let mut p = ipv6(inner.len() + 8, ICMPV6, ROUTER, dst);
    p.extend([kind, code, 0, 0]);
    p.extend(word.to_be_bytes());
    p.extend(inner);
    p
}

fn restored(mut packet: Vec<u8>) -> Vec<u8> {
    let end = error_about(&packet).map_or(ERROR_END, |about| about.end) as usize;
    restore_error(&mut packet[..end], &ULIDS);
    packet.split_off(8)
}

/// `packet` with `8 * units` octets of Hop-by-Hop Options, of which each hop may complain.
fn with_hops(mut packet: Vec<u8>, units: u8) -> Vec<u8> {
    let mut hops = vec![packet[6], units - 1];
    hops.resize(8 * usize::from(units), 0x1e);
    packet[6] = 0;
    let len = packet.len() - 40 + hops.len();
    packet[4..6].copy_from_slice(&(len as u16).to_be_bytes());
    packet.splice(40..40, hops);
    packet
}

#[test]
fn an_error_looks_as_if_there_were_no_shim() {
    let ulp: Vec<u8> = (0..200).collect();
    // (type, code, what the router says, what the ULP is told)
    let cases = [
        (1, 4, 0, 0),
        (1, 0, (31 << 24) | 5, (30 << 24) | 5),
        (2, 0, 1400, 1392),
        (2, 0, 1284, 1280),
        (2, 0, 1000, 1280),
        (3, 0, 0, 0),
        (3, 0, (9 << 24) | 0x0055_0055, (8 << 24) | 0x0055_0055),
        (4, 0, 60, 52),
        (4, 0, 48, 40),
        (4, 0, 47, 47),
        (4, 1, 4, 4),
    ];
    for (kind, code, word, told) in cases {
        let got = restored(icmp(LOCATORS.local, kind, code, word, &rewritten(&ulp, 7)));
        let want = icmp(ULIDS.local, kind, code, told, &ulid_packet(&ulp));
        assert_eq!(got, want, "type {kind} code {code}");
    }
}

#[test]
fn hop_by_hop_options_stay_before_what_the_ulp_sent() {
    let ulp: Vec<u8> = (0..200).collect();
    for units in [1, 2, 255] {
        let first = 40 + 8 * u32::from(units);
        let cases = [
            (2, 0, 1400, 1392),
            (3, 0, 0, 0),
            (4, 2, first - 1, first - 1),
            (4, 0, first + 7, first + 7),
            (4, 0, first + 8, first),
            (4, 0, first + 20, first + 12),
        ];
        for (kind, code, word, told) in cases {
            let sent = with_hops(rewritten(&ulp, 7), units);
            let got = restored(icmp(LOCATORS.local, kind, code, word, &sent));
            let want = icmp(ULIDS.local, kind, code, told, &with_hops(ulid_packet(&ulp), units));
            assert_eq!(got, want, "{units} units, type {kind}, {word}");
        }
        let sent = with_hops(rewritten(&ulp, 0x7123_4567_89ab), units);
        let about = |word| error_about(&icmp(LOCATORS.local, 4, 1, word, &sent)).unwrap();
        let got = about(0);
        assert_eq!((got.locators, got.tag), (LOCATORS, Tag::new(0x7123_4567_89ab)));
        let path: Vec<u32> =
            (0..3000).filter(|word| about(*word).kind == ErrorKind::Path).collect();
        // The octet that names the shim's header, and that header.
        assert_eq!(path, [vec![40], (first..first + 8).collect()].concat());
        let whole = icmp(LOCATORS.local, 3, 0, 0, &sent);
        assert_eq!(got.end, error_end(&whole[..ERROR_END as usize]));
        assert_eq!(got.end, ERROR_END + 8 * u32::from(units));
        for len in 0..got.end as usize {
            assert_eq!(error_about(&whole[..len]), None, "{len} octets");
        }
    }
    // What follows them is no header of the shim's, or one of control.
    assert_eq!(error_about(&icmp(LOCATORS.local, 3, 0, 0, &with_hops(ulid_packet(&ulp), 1))), None);
    let mut control = with_hops(rewritten(&ulp, 7), 1);
    control[50] = 1;
    assert_eq!(error_about(&icmp(LOCATORS.local, 3, 0, 0, &control)), None);
}

#[test]
fn an_error_is_told_apart_by_what_a_shim_can_do_about_it() {
    let about = |kind, code, word| {
        let packet = icmp(LOCATORS.local, kind, code, word, &rewritten(&[0; 8], 0x7123_4567_89ab));
        error_about(&packet).map(|e| {
            assert_eq!((e.locators, e.tag), (LOCATORS, Tag::new(0x7123_4567_89ab)));
            e.kind
        })
    };
    // RFC 5533 section 8, "should be processed by the Shim6 layer and not passed to the ULP".
    for code in [0, 1, 2, 3, 5, 6] {
        assert_eq!(about(1, code, 0), Some(ErrorKind::Path));
    }
    assert_eq!(about(1, 4, 0), Some(ErrorKind::Upper));
    assert_eq!(about(1, 7, 0), Some(ErrorKind::Upper));
    assert_eq!(about(2, 0, 1400), Some(ErrorKind::TooBig(1400)));
    assert_eq!(about(3, 0, 0), Some(ErrorKind::Expired));
    assert_eq!(about(4, 1, 6), Some(ErrorKind::Path));
    assert_eq!(about(4, 0, 40), Some(ErrorKind::Path));
    assert_eq!(about(4, 0, 48), Some(ErrorKind::Upper));
    assert_eq!(about(128, 0, 0), None);
}

#[test]
fn an_error_about_something_else_is_none_of_ours() {
    let plain = icmp(ULIDS.local, 1, 0, 0, &ulid_packet(&[0; 64]));
    assert_eq!(error_about(&plain), None);
    let mut control = rewritten(&[0; 8], 1);
    control[42] = 1;
    assert_eq!(error_about(&icmp(LOCATORS.local, 1, 0, 0, &control)), None);
    for (at, octet) in [(0, 0x40), (6, 6)] {
        let mut other = rewritten(&[0; 8], 1);
        other[at] = octet;
        assert_eq!(error_about(&icmp(LOCATORS.local, 1, 0, 0, &other)), None);
    }
    let whole = icmp(LOCATORS.local, 1, 0, 0, &rewritten(&[0; 8], 1));
    for len in 0..ERROR_END as usize {
        assert_eq!(error_about(&whole[..len]), None, "{len} octets");
    }
}

#[test]
fn the_header_goes_behind_the_routing_sublayer() {
    let with = |first: u8, chain: &[u8]| {
        let mut p = ipv6(chain.len(), first, ULIDS.local, ULIDS.peer);
        p.extend(chain);
        let found = insertion(&p);
        assert_eq!(has_routing_header(&p), found == Insertion::RoutingHeader);
        found
    };
    let opt = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    let long = |next: u8| [next, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(with(0, &opt(17)), Insertion::At { at: 48, chain: 40, next: 17 });
    assert_eq!(with(0, &long(17)), Insertion::At { at: 56, chain: 40, next: 17 });
    // A Destination Options header belongs to the endpoint sublayer...
    assert_eq!(with(60, &opt(17)), Insertion::At { at: 40, chain: 6, next: 60 });
    let both = [opt(60), opt(6)].concat();
    assert_eq!(with(0, &both), Insertion::At { at: 48, chain: 40, next: 60 });
    // ... unless a Routing header follows, and that one names other destinations.
    assert_eq!(with(60, &[opt(43), opt(6)].concat()), Insertion::RoutingHeader);
    assert_eq!(with(43, &opt(6)), Insertion::RoutingHeader);
    assert_eq!(with(0, &[17]), Insertion::Malformed);
    assert_eq!(with(0, &long(17)[..8]), Insertion::Malformed);
}

#[test]
fn neighbour_discovery_is_not_traffic() {
    for kind in 0..=255 {
        let p = icmp(ULIDS.local, kind, 0, 0, &[]);
        assert_eq!(is_neighbour_discovery(ICMPV6, &p), (133..=137).contains(&kind));
        assert!(!is_neighbour_discovery(6, &p));
    }
}

proptest! {
    #[test]
    fn no_octets_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (error_about(&bytes), insertion(&bytes), is_payload_at(&bytes, 48));
        let _ = (headers_len(&bytes, 40, true), headers_len(&bytes, u32::MAX, true));
        let _ = (headers_len(&bytes, u32::MAX, false), is_payload_at(&bytes, u32::MAX));
        let _ = (error_end(&bytes), restore_error(&mut bytes.clone(), &ULIDS));
    }

    #[test]
    fn a_header_is_put_where_the_chain_stays_whole(
        hops in 0u8..4, options in 0u8..4, next in prop::sample::select(&[6u8, 17, 44, 50, 51, 58][..])
    ) {
        let mut p = ipv6(0, 0, ULIDS.local, ULIDS.peer);
        p.extend([60, hops]);
        p.resize(p.len() + 6 + 8 * usize::from(hops), 0);
        p.extend([next, options]);
        p.resize(p.len() + 6 + 8 * usize::from(options), 0);
        let Insertion::At { at, chain, next } = insertion(&p) else { panic!() };
        prop_assert_eq!((at as usize, chain, next), (48 + 8 * usize::from(hops), 40, 60));
        prop_assert_eq!(p[chain as usize], next);
    }
}

#[test]
fn the_p_bit_tells_payload_from_control() {
    let packet = rewritten(&[0; 20], 5);
    assert!(is_payload_at(&packet, 40));
    assert!(!is_payload_at(&packet, 0) && !is_payload_at(&packet, 100));
    let mut control = packet;
    control[42] = 0x7f;
    assert!(!is_payload_at(&control, 40));
}

#[test]
fn headers_that_may_stand_before_the_shims() {
    let which: Vec<u8> = (0..=255).filter(|n| routing_headers(*n)).collect();
    assert_eq!(which, [0, 43, 60]);
}

#[test]
fn the_length_of_all_headers() {
    let mut packet = ulid_packet(&[0; 40]);
    packet[40 + 12] = 0x8f;
    assert_eq!(headers_len(&packet, 40, true), Some(40 + 32));
    assert_eq!(headers_len(&packet, 40, false), Some(48), "UDP's is always 8");
    assert_eq!(headers_len(&packet[..52], 40, true), None);
    assert_eq!(headers_len(&packet, u32::MAX, false), None);
}

#[test]
fn a_problem_with_the_shims_header_or_its_number_is_the_paths() {
    let inner = rewritten(&[0; 40], 5);
    let kind = |word| error_about(&icmp(LOCATORS.local, 4, 1, word, &inner)).unwrap().kind;
    let path: Vec<u32> = (0..60).filter(|word| kind(*word) == ErrorKind::Path).collect();
    assert_eq!(path, [6, 40, 41, 42, 43, 44, 45, 46, 47]);
    let mut packet = icmp(LOCATORS.local, 1, 0, 0, &inner);
    packet[42..44].fill(0xff);
    assert_eq!(restored(packet)[42..44], [0, 0], "to be computed anew");
}
