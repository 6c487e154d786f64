// SPDX-License-Identifier: GPL-2.0

//! What the fuzzer does with octets, one function for each target of `host/fuzz`; the corpus
//! is read by a test as well (`corpus.rs`). A target ends with a panic when something that
//! must hold does not.

pub mod host;
pub mod operations;

use crate::octets::{rebuild, seal};
use crate::world::sha1;
use shim6_proto::proto::addr::{Addr, Pair, Tag};
use shim6_proto::proto::hba::{write_pds, Pds, MAX_PDS};
use shim6_proto::proto::sockapi::{self, uapi, Locator};
use shim6_proto::proto::translate::{
    error_about, error_end, headers_len, insertion, is_payload_at, restore_error, Insertion,
    ERROR_END,
};
use shim6_proto::proto::wire::{Body, Message, PayloadHeader, MAX_MESSAGE};

pub use host::endpoint;
pub use operations::operations;

/// A target and its name.
type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("wire", wire),
    ("options", options),
    ("packet", packet),
    ("hba", hba),
    ("sockapi", sockapi),
    ("endpoint", endpoint),
    ("operations", operations),
];

/// A control message: as it is, and with a right length and check sum.
pub fn wire(data: &[u8]) {
    let data = &data[..data.len().min(MAX_MESSAGE)];
    let _ = Message::parse(data).map(|m| understood(&m));
    let sealed = seal(padded(data, 8));
    let _ = Message::parse(&sealed).map(|m| understood(&m));
}

/// Options, behind the fixed part of each message that may have some.
pub fn options(data: &[u8]) {
    const FIXED: [(u8, usize); 11] = [
        (1, 16),
        (2, 16),
        (3, 24),
        (4, 16),
        (5, 16),
        (6, 32),
        (64, 16),
        (65, 16),
        (66, 16),
        (67, 56),
        (127, 16),
    ];
    let Some((kind, rest)) = data.split_first() else { return };
    let (number, len) = FIXED[usize::from(*kind) % FIXED.len()];
    let mut message = vec![0; len];
    (message[0], message[2]) = (59, number);
    if number == 67 {
        message[12] = 1;
    }
    message.extend(&rest[..rest.len().min(MAX_MESSAGE - len)]);
    let sealed = seal(message);
    if let Ok(m) = Message::parse(&sealed) {
        understood(&m);
    }
}

fn padded(data: &[u8], least: usize) -> Vec<u8> {
    let mut octets = data.to_vec();
    octets.resize(data.len().max(least), 0);
    octets
}

/// What was read, written again and read again, says the same.
fn understood(m: &Message<'_>) {
    assert_eq!(m.bytes.len() % 8, 0);
    let o = &m.options;
    assert!(o.unknown_critical.is_none_or(|at| at < m.bytes.len()));
    let listed = |at: usize| at < m.bytes.len();
    assert!(o.locators.is_none_or(|l| listed(o.methods_at) && l.len() <= 32));
    assert!(o.preferences.is_none() || listed(o.preferences_at));
    let Some(again) = rebuild(m) else {
        return;
    };
    let n = Message::parse(&again).expect("what was read can be written");
    match (m.body, n.body) {
        (Body::Error { packet: a, .. }, Body::Error { packet: b, .. }) => assert!(b.starts_with(a)),
        (a, b) => assert_eq!(a, b),
    }
    let p = &n.options;
    assert_eq!((o.validator, o.pds, o.signature), (p.validator, p.pds, p.signature));
    assert_eq!((o.ulids, o.fii, o.keepalive_timeout_s), (p.ulids, p.fii, p.keepalive_timeout_s));
    assert_eq!(
        o.locators.map(|l| l.iter().collect()),
        p.locators.map(|l| l.iter().collect::<Vec<_>>())
    );
    let prefs = |p: Option<shim6_proto::proto::wire::PreferenceList<'_>>| {
        p.map(|p| (p.generation, p.iter().collect::<Vec<_>>()))
    };
    assert_eq!(prefs(o.preferences), prefs(p.preferences));
}

/// A packet of data: where a payload header goes, and what an ICMPv6 error about it is.
pub fn packet(data: &[u8]) {
    for at in [0, 1, 40, 48, u32::MAX, data.len() as u32] {
        let _ = is_payload_at(data, at);
        let _ = (headers_len(data, at, true), headers_len(data, at, false));
    }
    if let Some(header) = PayloadHeader::parse(data) {
        assert_eq!(PayloadHeader::parse(&header.emit()), Some(header));
        assert_eq!(header.emit()[2..], data[2..8]);
    }
    if let Insertion::At { at, chain, next } = insertion(data) {
        let (at, chain) = (at as usize, chain as usize);
        assert!(at >= 40 && chain < at);
        if data.len() >= at.max(40) {
            assert_eq!(data[chain], next);
            // With the header there the next host finds it, and what it names.
            let tag = Tag::new(0x1234_5678_9abc);
            let mut with = data.to_vec();
            with[chain] = 140;
            with.splice(at..at, PayloadHeader { next, tag }.emit());
            assert!(is_payload_at(&with, at as u32));
            let read = PayloadHeader::parse(&with[at..]).expect("a header");
            assert_eq!((read.next, read.tag), (next, tag));
        }
    }
    let mut whole = data.to_vec();
    restore_error(&mut whole, &Pair { local: Addr([3; 16]), peer: Addr([4; 16]) });
    if let Some(about) = error_about(data) {
        let ulids = Pair { local: Addr([1; 16]), peer: Addr([2; 16]) };
        let end = about.end as usize;
        assert_eq!(about.end, error_end(data));
        let mut head = data[..end].to_vec();
        restore_error(&mut head, &ulids);
        let packet = &head[8..];
        assert_eq!(packet[24..40], ulids.local.0);
        let names = if end == ERROR_END as usize { 54 } else { 88 };
        assert_eq!((packet[names], &packet[56..72]), (data[end - 8], &ulids.local.0[..]));
        assert_eq!(packet[72..88], ulids.peer.0);
        assert_eq!(about.tag.get() >> 47, 0);
    }
}

/// CGA parameters: what is taken for parameters makes addresses that they prove.
pub fn hba(data: &[u8]) {
    let Ok(pds) = Pds::parse(data) else { return };
    assert_eq!(pds.bytes(), data);
    assert!(pds.prefix_count() <= 32 && pds.prefixes().count() == pds.prefix_count());
    let sec = pds.sec(&mut sha1);
    for prefix in pds.prefixes().take(4) {
        let addr = pds.address(prefix, sec, &mut sha1);
        assert!(pds.verify_hba(&addr, &mut sha1) && pds.verify_ulid(&addr, &mut sha1));
        // Another prefix, or another hash, is not theirs.
        let other = Addr::from_bits(addr.to_bits() ^ (1 << 9));
        assert!(!pds.verify_ulid(&other, &mut sha1));
        let far = Addr::from_parts(prefix ^ 0xffff_ffff, addr.interface_id());
        let ours = pds.prefixes().any(|p| p == far.prefix()) || far.prefix() == pds.subnet_prefix();
        assert!(ours || !pds.verify_ulid(&far, &mut sha1));
    }
    let own = pds.address(pds.subnet_prefix(), sec, &mut sha1);
    assert!(pds.verify_cga(&own, &mut sha1));
    // The same written by us is read as the same.
    let prefixes: Vec<u64> = pds.prefixes().collect();
    let mut out = [0; MAX_PDS];
    let written =
        write_pds(&mut out, 1, pds.subnet_prefix(), pds.key(), pds.has_public_key(), &prefixes);
    if let Ok(len) = written {
        let again = Pds::parse(&out[..len]).expect("our own parameters");
        assert_eq!((again.key(), again.has_public_key()), (pds.key(), pds.has_public_key()));
        assert!(again.prefixes().eq(prefixes));
    }
}

/// Values that applications give.
pub fn sockapi(data: &[u8]) {
    if let Some(octets) = data.first_chunk::<{ uapi::LOCATOR_LEN }>() {
        if let Ok(locator) = Locator::parse(octets) {
            let told = Locator::parse(&locator.emit()).expect("our own");
            assert_eq!(told, locator);
            if let Ok(wanted) = locator.wanted() {
                assert_eq!(
                    (wanted.priority.into(), wanted.weight.into()),
                    (locator.priority, locator.weight)
                );
            }
        }
    }
    let explore = data.first_chunk().copied();
    if let Ok(explore) = sockapi::explore(explore) {
        let told = sockapi::explore_octets(&explore);
        assert_eq!(sockapi::explore(Some(told)), Ok(explore), "what is told can be set");
    }
    let int = data.first_chunk().copied();
    if let Ok(ms) = sockapi::seconds(int) {
        assert!(ms <= 3_600_000);
    }
    let _ = sockapi::flag(int);
    let len = int.map_or(data.len(), |n| u32::from_le_bytes(n) as usize);
    if let Ok(n) = sockapi::list(len) {
        assert!((1..=32).contains(&n) && n * uapi::LOCATOR_LEN == len);
        assert_eq!(sockapi::fits(len, n), Ok(()));
    }
    if let [number, family, kind, protocol, state, ..] = *data {
        let kind = sockapi::Socket {
            family: u16::from(family),
            kind: u16::from(kind),
            protocol: u16::from(protocol),
            state,
        };
        let number = 120 + i32::from(number % 40);
        let _ = (sockapi::get(number, &kind), sockapi::set(number, &kind));
    }
    let _ = sockapi::preferred(
        data.chunks_exact(uapi::LOCATOR_LEN)
            .filter_map(|octets| Locator::parse(octets.first_chunk()?).ok()),
    );
}
