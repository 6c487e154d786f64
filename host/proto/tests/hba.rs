// SPDX-License-Identifier: GPL-2.0

//! HBA and CGA against the RFC's example, and against themselves on random input.

use proptest::prelude::*;
use sha1::{Digest, Sha1};
use shim6_proto::proto::addr::Addr;
use shim6_proto::proto::hba::{extended_modifier, write_pds, Pds, PdsError, Search, MAX_PDS};

fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    parts.iter().for_each(|p| hash.update(p));
    hash.finalize().into()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|d| u8::from_str_radix(core::str::from_utf8(d).unwrap(), 16).unwrap())
        .collect()
}

/// RFC 3972 appendix A.
const KEY: &str = "305c 300d 0609 2a86 4886 f70d 0101 0105 0003 4b00 3048 0241
    00c2 c2f1 3730 5454 f10b d9ce a368 44b5 30e9 211a 4b26 2b16
    467c b7df ba1f 595c 0194 f275 be5a 4d38 6f2c 3c23 8250 8773
    c786 7f9b 3b9e 63a0 9c7b c48f 7a54 ebef af02 0301 0001";

fn example() -> (Vec<u8>, Addr) {
    let mut pds = hex("89a8 a8b2 e858 d8b8 f263 3f44 d2d4 ce9b fe80 0000 0000 0000 00");
    pds.extend(hex(KEY));
    let addr = "fe80::3c4a:5bf6:ffb4:ca6c".parse::<std::net::Ipv6Addr>().unwrap();
    (pds, Addr(addr.octets()))
}

#[test]
fn rfc3972_appendix_a_verifies() {
    let (bytes, addr) = example();
    let pds = Pds::parse(&bytes).unwrap();
    assert!(pds.verify_cga(&addr, &mut sha1));
    assert!(!pds.verify_hba(&addr, &mut sha1), "it has no Multi-Prefix extension");
    assert_eq!(pds.sec(&mut sha1), 1);
    assert_eq!(pds.address(addr.prefix(), 1, &mut sha1), addr);
}

#[test]
fn rfc3972_appendix_a_is_found_again() {
    let mut search = Search::new(0x89a8a8b2e858d8b8f2633f44d2d4ce9a, 1).unwrap();
    let found = search.step(&hex(KEY), 10, &mut sha1);
    assert_eq!(found, Some(0x89a8a8b2e858d8b8f2633f44d2d4ce9b));
    assert_eq!(search.tried(), 1);
}

#[test]
fn every_bit_of_the_example_counts() {
    let (bytes, addr) = example();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let accepted = Pds::parse(&changed).is_ok_and(|p| p.verify_cga(&addr, &mut sha1));
        assert!(!accepted, "bit {bit} does not count");
    }
}

#[test]
fn a_count_above_two_is_refused() {
    let (mut bytes, _) = example();
    bytes[24] = 3;
    assert_eq!(Pds::parse(&bytes), Err(PdsError::CollisionCount));
}

fn set(modifier: u128, nonce: [u8; 48], prefixes: &[u64]) -> Vec<u8> {
    let mut out = [0xa5; MAX_PDS];
    let key = extended_modifier(nonce);
    let n = write_pds(&mut out, modifier, prefixes[0], &key, false, prefixes).unwrap();
    out[..n].to_vec()
}

#[test]
fn the_extended_modifier_is_a_public_key_to_others() {
    let der = extended_modifier([0x11; 48]);
    assert_eq!(der[..2], [0x30, 76]);
    assert_eq!(der.len(), 78);
}

proptest! {
    #[test]
    fn every_address_of_a_set_verifies_and_no_other(
        modifier: u128,
        nonce in proptest::collection::vec(any::<u8>(), 48),
        prefixes in proptest::collection::hash_set(any::<u64>(), 1..=32),
        bit in 0usize..64,
    ) {
        let prefixes: Vec<u64> = prefixes.into_iter().collect();
        let bytes = set(modifier, nonce.try_into().unwrap(), &prefixes);
        let pds = Pds::parse(&bytes).unwrap();
        prop_assert!(!pds.has_public_key());
        prop_assert!(pds.prefixes().eq(prefixes.iter().copied()));
        for &prefix in &prefixes {
            let addr = pds.address(prefix, 0, &mut sha1);
            prop_assert!(pds.verify_hba(&addr, &mut sha1));
            prop_assert!(pds.verify_ulid(&addr, &mut sha1));
            let other = Addr::from_bits(addr.to_bits() ^ (1 << bit));
            // Bits 6 and 7 are ignored; Sec's three bits ask for more zeros.
            if !matches!(bit, 56 | 57) {
                prop_assert!(!pds.verify_hba(&other, &mut sha1) || bit > 60);
            }
        }
    }

    #[test]
    fn an_address_of_another_prefix_is_not_of_the_set(modifier: u128, a: u64, b: u64) {
        prop_assume!(a != b);
        let bytes = set(modifier, [7; 48], &[a]);
        let pds = Pds::parse(&bytes).unwrap();
        let stranger = pds.address(b, 0, &mut sha1);
        prop_assert!(!pds.verify_hba(&stranger, &mut sha1));
        prop_assert!(!pds.verify_cga(&stranger, &mut sha1));
    }

    #[test]
    fn no_octets_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), addr: [u8; 16]) {
        if let Ok(pds) = Pds::parse(&bytes) {
            pds.verify_ulid(&Addr(addr), &mut sha1);
        }
    }

    #[test]
    fn every_strict_prefix_is_an_error_or_another_set(cut in 0usize..126) {
        let bytes = set(5, [9; 48], &[1, 2]);
        prop_assume!(cut < bytes.len());
        if let Ok(pds) = Pds::parse(&bytes[..cut]) {
            prop_assert_eq!(pds.prefix_count(), 0);
        }
    }
}
