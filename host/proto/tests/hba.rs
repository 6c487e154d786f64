// SPDX-License-Identifier: GPL-2.0

//! HBA and CGA against the RFC's example and another program's sets, and against
//! themselves on random input.

use proptest::collection::{hash_set, vec};
use proptest::prelude::*;
use proptest::sample::Index;
use sha1::{Digest, Sha1};
use shim6_proto::proto::addr::Addr;
use shim6_proto::proto::hba::{
    extended_modifier, set_collision_count, write_pds, Pds, PdsError, Search, MAX_PDS,
};
use shim6_proto::proto::vectors::{
    self, CGA_ADDRESS, CGA_FIXED, CGA_KEY, CGA_MODIFIER, HBA, HBA_PREFIXES,
};
use std::collections::HashSet;

fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    parts.iter().for_each(|p| hash.update(p));
    hash.finalize().into()
}

/// The parameters of RFC 3972 appendix A.
fn example() -> Vec<u8> {
    [&CGA_FIXED[..], &CGA_KEY].concat()
}

/// The modifier, the prefix and the collision count, whatever they are.
fn fixed(collision: u8) -> Vec<u8> {
    [&[7; 24][..], &[collision]].concat()
}

fn set(modifier: u128, nonce: [u8; 48], prefixes: &[u64]) -> Vec<u8> {
    let mut out = [0xa5; MAX_PDS];
    let key = extended_modifier(nonce);
    let n = write_pds(&mut out, modifier, prefixes[0], &key, false, prefixes).unwrap();
    assert!(out[n..].iter().all(|&o| o == 0xa5), "written behind the end");
    out[..n].to_vec()
}

#[test]
fn the_vectors_hold() {
    assert_eq!(vectors::check(&mut sha1), Ok(()));
}

#[test]
fn the_vectors_find_a_wrong_sha1() {
    let zeros = |_: &[&[u8]]| [0; 20];
    assert!(vectors::check(&mut { zeros }).unwrap_err().contains("SHA-1"));
    let mut short = |parts: &[&[u8]]| match parts {
        [b"a", ..] => sha1(parts),
        _ => sha1(&parts[..parts.len() - 1]),
    };
    assert!(vectors::check(&mut short).unwrap_err().contains("CGA"));
    let mut small = |parts: &[&[u8]]| match parts.iter().map(|p| p.len()).sum::<usize>() {
        0..=119 => sha1(parts),
        _ => [1; 20],
    };
    assert!(vectors::check(&mut small).unwrap_err().contains("HBA"));
    // Right for the search, and wrong for the address.
    let mut searching = |parts: &[&[u8]]| match parts {
        [b"a", ..] | [_, [0, 0, 0, 0, 0, 0, 0, 0, 0], _] => sha1(parts),
        _ => [1; 20],
    };
    assert!(vectors::check(&mut searching).unwrap_err().contains("CGA"));
    // Right for the addresses of a set, and wrong for what its Sec claims.
    let mut claiming = |parts: &[&[u8]]| match parts {
        [_, [0, 0, 0, 0, 0, 0, 0, 0, 0], rest] if *rest != CGA_KEY => [1; 20],
        _ => sha1(parts),
    };
    assert!(vectors::check(&mut claiming).unwrap_err().contains("HBA"));
    // Zeros for the modifier before the right one.
    let before = (CGA_MODIFIER - 1).to_be_bytes();
    let mut early = |parts: &[&[u8]]| if parts[0] == before { [0; 20] } else { sha1(parts) };
    assert!(vectors::check(&mut early).unwrap_err().contains("CGA"));
}

#[test]
fn each_error_has_words_of_its_own() {
    let errors = [
        PdsError::Length,
        PdsError::CollisionCount,
        PdsError::PublicKey,
        PdsError::Extension,
        PdsError::Prefixes,
        PdsError::Sec,
    ];
    let words: HashSet<_> = errors.iter().map(PdsError::to_string).collect();
    assert!(words.len() == errors.len() && words.iter().all(|w| w.starts_with("it")), "{words:?}");
}

#[test]
fn rfc3972_appendix_a_verifies() {
    let bytes = example();
    let pds = Pds::parse(&bytes).unwrap();
    assert_eq!(CGA_ADDRESS.to_string(), "fe80::3c4a:5bf6:ffb4:ca6c");
    assert!(pds.verify_cga(&CGA_ADDRESS, &mut sha1));
    assert!(!pds.verify_hba(&CGA_ADDRESS, &mut sha1), "it has no Multi-Prefix extension");
    assert!(pds.has_public_key());
    assert_eq!(pds.key(), CGA_KEY);
    assert_eq!(pds.sec(&mut sha1), 1);
    assert_eq!(pds.address(CGA_ADDRESS.prefix(), 1, &mut sha1), CGA_ADDRESS);
}

#[test]
fn a_search_can_be_shown_and_stopped() {
    let mut search = Search::new(CGA_MODIFIER - 25, 1).unwrap();
    assert_eq!(search.expected(), 65536);
    for done in [10, 20] {
        assert_eq!(search.step(&CGA_KEY, 10, &mut sha1), None);
        assert_eq!(search.tried(), done);
    }
    assert_eq!(search.step(&CGA_KEY, 10, &mut sha1), Some(CGA_MODIFIER));
    assert_eq!(search.tried(), 25);
    // Without a Sec the first one does.
    assert_eq!(Search::new(5, 0).unwrap().step(&CGA_KEY, 1, &mut sha1), Some(5));
    assert_eq!(Search::new(5, 7).unwrap().expected(), 1 << 112);
    assert_eq!(Search::new(0, 8).err(), Some(PdsError::Sec));
    // The modifier is a number of 128 bits.
    let mut last = Search::new(u128::MAX, 3).unwrap();
    assert_eq!(last.step(&CGA_KEY, 2, &mut sha1), None);
}

#[test]
fn sec_one_is_found_as_another_program_found_it() {
    let mut buf = [0; MAX_PDS];
    let len = vectors::hba_pds(&HBA[0], &mut buf).unwrap();
    let mut search = Search::new(HBA[0].modifier, 1).unwrap();
    assert_eq!(search.step(&buf[25..len], 100_000, &mut sha1), Some(HBA[1].modifier));
    assert_eq!(search.tried(), 40_709);
}

#[test]
fn every_bit_of_the_example_counts() {
    let bytes = example();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let accepted = Pds::parse(&changed).is_ok_and(|p| p.verify_cga(&CGA_ADDRESS, &mut sha1));
        assert!(!accepted, "bit {bit} does not count");
    }
}

#[test]
fn every_bit_of_a_set_counts_for_every_address() {
    for v in &HBA {
        let mut buf = [0; MAX_PDS];
        let len = vectors::hba_pds(v, &mut buf).unwrap();
        for bit in 0..len * 8 {
            // The Subnet Prefix field: "replace the prefix contained in [it]".
            if (128..192).contains(&bit) {
                continue;
            }
            let mut changed = buf[..len].to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            let Ok(pds) = Pds::parse(&changed) else { continue };
            for (prefix, iid) in HBA_PREFIXES.into_iter().zip(v.interface_ids) {
                let addr = Addr::from_parts(prefix, iid);
                assert!(!pds.verify_ulid(&addr, &mut sha1), "bit {bit} does not count");
            }
        }
    }
}

#[test]
fn an_address_may_not_claim_more_than_its_sec() {
    for v in &HBA {
        let mut buf = [0; MAX_PDS];
        let len = vectors::hba_pds(v, &mut buf).unwrap();
        let pds = Pds::parse(&buf[..len]).unwrap();
        assert_eq!(pds.sec(&mut sha1), v.sec);
        for sec in 0..=7 {
            let addr = pds.address(HBA_PREFIXES[1], sec, &mut sha1);
            assert_eq!((addr.interface_id() >> 61) as u8, sec);
            assert_eq!(pds.verify_hba(&addr, &mut sha1), sec <= v.sec, "Sec {sec} of {}", v.sec);
        }
    }
    // All of Hash2, 112 bits, but no more of the SHA-1.
    let hash = |zeros: usize| move |_: &[&[u8]]| core::array::from_fn(|i| u8::from(i >= zeros));
    let bytes = set(1, [2; 48], &[3]);
    let pds = Pds::parse(&bytes).unwrap();
    for zeros in 0..=20 {
        assert_eq!(usize::from(pds.sec(&mut { hash(zeros) })), (zeros / 2).min(7));
    }
}

#[test]
fn a_collision_gives_other_addresses() {
    let mut bytes = set(1, [2; 48], &[3, 4]);
    let address = |bytes: &[u8]| Pds::parse(bytes).unwrap().address(3, 0, &mut sha1);
    let mut seen = vec![address(&bytes)];
    for count in 1..=2 {
        set_collision_count(&mut bytes, count).unwrap();
        let addr = address(&bytes);
        assert!(Pds::parse(&bytes).unwrap().verify_hba(&addr, &mut sha1));
        assert!(!seen.contains(&addr));
        seen.push(addr);
    }
    assert_eq!(set_collision_count(&mut bytes, 3), Err(PdsError::CollisionCount));
    assert_eq!(set_collision_count(&mut bytes[..24], 0), Err(PdsError::Length));
    bytes[24] = 3;
    assert_eq!(Pds::parse(&bytes), Err(PdsError::CollisionCount));
}

#[test]
fn a_set_with_a_public_key_is_both() {
    let mut out = [0; MAX_PDS];
    let n = write_pds(&mut out, 9, 0xa, &CGA_KEY, true, &[0xa, 0xb]).unwrap();
    let pds = Pds::parse(&out[..n]).unwrap();
    assert!(pds.has_public_key());
    let (own, other) = (pds.address(0xa, 0, &mut sha1), pds.address(0xb, 0, &mut sha1));
    assert!(pds.verify_cga(&own, &mut sha1) && pds.verify_hba(&own, &mut sha1));
    assert!(!pds.verify_cga(&other, &mut sha1) && pds.verify_hba(&other, &mut sha1));
    // Without the P flag the same key is a nonce.
    let n = write_pds(&mut out, 9, 0xa, &CGA_KEY, false, &[0xa, 0xb]).unwrap();
    assert!(!Pds::parse(&out[..n]).unwrap().has_public_key());
}

/// The DER of an RSA key with this modulus, as another program writes it.
#[test]
fn the_extended_modifier_is_a_public_key_to_others() {
    let want: String = "304c300d06092a864886f70d0101010500033b003038023100\
        808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f\
        a0a1a2a3a4a5a6a7a8a9aaabacadaeaf0203010001"
        .into();
    let got = extended_modifier(vectors::hba_nonce());
    assert_eq!(got.map(|o| format!("{o:02x}")).concat(), want);
    // Only the first bit is not the nonce's own.
    assert_eq!(extended_modifier([0; 48])[25..73], [&[0x80][..], &[0; 47]].concat());
}

#[test]
fn a_key_is_a_subject_public_key_info() {
    let parse = |key: &[u8]| Pds::parse(&[&fixed(0)[..], key].concat()).map(|p| p.key().len());
    let bad = Err(PdsError::PublicKey);
    assert_eq!(parse(&CGA_KEY), Ok(94));
    assert_eq!(parse(&[]), bad);
    assert_eq!(parse(&CGA_KEY[..93]), bad, "cut short");
    assert_eq!(parse(&[0x30, 0]), bad, "empty");
    assert_eq!(parse(&[0x30, 4, 0x30, 0, 0x04, 0]), bad, "an OCTET STRING");
    assert_eq!(parse(&[0x30, 5, 0x30, 0, 0x03, 1, 0]), Ok(7), "the least there is");
    assert_eq!(parse(&[0x30, 5, 0x30, 0, 0x03, 1, 1]), bad, "not whole octets");
    assert_eq!(parse(&[0x30, 4, 0x30, 0, 0x03, 0]), bad, "not even their number");
    assert_eq!(parse(&[0x30, 7, 0x30, 0, 0x03, 1, 0, 5, 0]), bad, "something behind it");
    assert_eq!(parse(&[0x30, 0x80, 0x30, 0, 0x03, 1, 0, 0, 0]), bad, "BER, not DER");
    assert_eq!(parse(&[0x30, 0x81, 5, 0x30, 0, 0x03, 1, 0]), bad, "not the shortest length");
    // Lengths of two and three octets, as keys of 1024 and 2048 bits have.
    let long = |bits: usize| {
        let len = |n: usize| match n {
            0..=127 => vec![n as u8],
            128..=255 => vec![0x81, n as u8],
            _ => vec![0x82, (n >> 8) as u8, n as u8],
        };
        let string = [&[0x03][..], &len(bits), &vec![0; bits]].concat();
        [&[0x30][..], &len(2 + string.len()), &[0x30, 0], &string].concat()
    };
    for bits in [1, 120, 140, 250, 256, 300, 600] {
        let key = long(bits);
        assert_eq!(parse(&key), Ok(key.len()));
    }
}

#[test]
fn extensions_are_ignored_or_understood() {
    let parse = |extensions: &[u8]| {
        let bytes = [&fixed(0)[..], &CGA_KEY, extensions].concat();
        Pds::parse(&bytes).map(|p| (p.prefix_count(), p.has_public_key()))
    };
    let multi = |flags: u8, n: u8| {
        let head = [0, 0x12, 0, 4 + 8 * n, flags, 0, 0, 0];
        [&head[..], &vec![1; 8 * usize::from(n)]].concat()
    };
    let other = [0xff, 0xfd, 0, 3, 1, 2, 3];
    assert_eq!(parse(&[]), Ok((0, true)));
    assert_eq!(parse(&other), Ok((0, true)));
    assert_eq!(parse(&multi(0, 2)), Ok((2, false)));
    assert_eq!(parse(&multi(0x80, 2)), Ok((2, true)));
    assert_eq!(parse(&multi(0x7f, 2)), Ok((2, false)), "reserved bits");
    assert_eq!(parse(&[&other[..], &multi(0, 1), &other].concat()), Ok((1, false)));
    assert_eq!(parse(&[multi(0, 1), multi(0, 1)].concat()), Err(PdsError::Extension));
    assert_eq!(parse(&multi(0, 0)), Err(PdsError::Prefixes));
    assert_eq!(parse(&multi(0, 31)), Ok((31, false)));
    assert_eq!(parse(&[0, 0x12, 0, 3, 0, 0, 0]), Err(PdsError::Extension), "shorter than flags");
    assert_eq!(parse(&[0, 0x12, 0, 5, 0, 0, 0, 0, 0]), Err(PdsError::Extension));
    for cut in 1..7 {
        assert_eq!(parse(&other[..cut]), Err(PdsError::Extension), "{cut} octets");
    }
    let many = |n: u16| {
        let head = [&[0, 0x12][..], &(4 + 8 * n).to_be_bytes(), &[0; 4]].concat();
        parse(&[head, vec![1; 8 * usize::from(n)]].concat())
    };
    assert_eq!(many(32), Ok((32, false)));
    assert_eq!(many(33), Err(PdsError::Prefixes));
    assert_eq!(many(200), Err(PdsError::Length), "longer than any we keep");
}

#[test]
fn parameters_are_as_long_as_a_long_key_and_all_prefixes() {
    let of = |len: usize| {
        let filled = len - 25 - CGA_KEY.len() - 4;
        let head = [&[0xff, 0xfd][..], &(filled as u16).to_be_bytes()].concat();
        Pds::parse(&[fixed(0), CGA_KEY.to_vec(), head, vec![0; filled]].concat()).map(|_| ())
    };
    assert_eq!(MAX_PDS, 25 + 600 + 8 + 32 * 8);
    assert_eq!(of(MAX_PDS), Ok(()));
    assert_eq!(of(MAX_PDS + 1), Err(PdsError::Length));
}

#[test]
fn a_set_that_cannot_be_is_not_written() {
    let key = extended_modifier([1; 48]);
    let mut out = [0; MAX_PDS];
    let mut write = |room: usize, key: &[u8], prefixes: &[u64]| {
        write_pds(&mut out[..room], 0, 0, key, false, prefixes)
    };
    assert_eq!(write(MAX_PDS, &key, &[]), Err(PdsError::Prefixes));
    assert_eq!(write(MAX_PDS, &key, &[0; 33]), Err(PdsError::Prefixes));
    assert_eq!(write(MAX_PDS, &key[1..], &[0]), Err(PdsError::PublicKey));
    assert_eq!(write(MAX_PDS, &[&key[..], &[0]].concat(), &[0]), Err(PdsError::PublicKey));
    assert_eq!(write(118, &key, &[0]), Err(PdsError::Length));
    assert_eq!(write(119, &key, &[0]), Ok(119));
}

proptest! {
    #[test]
    fn every_address_of_a_set_verifies_and_no_other(
        modifier: u128,
        nonce in vec(any::<u8>(), 48),
        prefixes in hash_set(any::<u64>(), 1..=32),
        bit in 0usize..128,
    ) {
        let prefixes: Vec<u64> = prefixes.into_iter().collect();
        let bytes = set(modifier, nonce.try_into().unwrap(), &prefixes);
        let pds = Pds::parse(&bytes).unwrap();
        prop_assert!(!pds.has_public_key());
        prop_assert_eq!(pds.subnet_prefix(), prefixes[0]);
        prop_assert!(pds.prefixes().eq(prefixes.iter().copied()));
        let sec = pds.sec(&mut sha1);
        for &prefix in &prefixes {
            let addr = pds.address(prefix, 0, &mut sha1);
            prop_assert!(pds.verify_hba(&addr, &mut sha1));
            prop_assert!(pds.verify_ulid(&addr, &mut sha1));
            prop_assert_eq!(pds.verify_cga(&addr, &mut sha1), prefix == prefixes[0]);
            let other = Addr::from_bits(addr.to_bits() ^ (1 << bit));
            let accepted = pds.verify_ulid(&other, &mut sha1);
            match bit {
                // "Differences [...] in bits 6 and 7 [...] are ignored."
                56 | 57 => prop_assert!(accepted),
                // The three leftmost bits ask for as many zeros.
                61..=63 => prop_assert_eq!(accepted, 1 << (bit - 61) <= sec),
                _ => prop_assert!(!accepted),
            }
        }
    }

    #[test]
    fn a_changed_set_verifies_nothing(
        modifier: u128,
        prefixes in hash_set(any::<u64>(), 1..=8),
        at: Index,
        flip in 1u8..,
    ) {
        let prefixes: Vec<u64> = prefixes.into_iter().collect();
        let bytes = set(modifier, [3; 48], &prefixes);
        let at = at.index(bytes.len());
        prop_assume!(!(16..24).contains(&at));
        let mut changed = bytes.clone();
        changed[at] ^= flip;
        let right = Pds::parse(&bytes).unwrap();
        if let Ok(wrong) = Pds::parse(&changed) {
            for &prefix in &prefixes {
                let addr = right.address(prefix, 0, &mut sha1);
                prop_assert!(!wrong.verify_ulid(&addr, &mut sha1));
            }
        }
    }

    #[test]
    fn an_address_of_another_prefix_is_not_of_the_set(modifier: u128, a: u64, b: u64) {
        prop_assume!(a != b);
        let bytes = set(modifier, [7; 48], &[a]);
        let pds = Pds::parse(&bytes).unwrap();
        let stranger = pds.address(b, 0, &mut sha1);
        prop_assert!(!pds.verify_ulid(&stranger, &mut sha1));
    }

    #[test]
    fn no_octets_panic(
        valid in any::<bool>(), bytes in vec(any::<u8>(), 0..1000), addr: [u8; 16],
    ) {
        let bytes = if valid { [&example()[..], &bytes].concat() } else { bytes };
        if let Ok(pds) = Pds::parse(&bytes) {
            pds.verify_ulid(&Addr(addr), &mut sha1);
            pds.sec(&mut sha1);
            prop_assert_eq!(pds.bytes(), &bytes[..]);
            prop_assert_eq!(pds.prefixes().count(), pds.prefix_count());
        }
    }

    #[test]
    fn every_strict_prefix_is_an_error_or_no_set(cut: Index) {
        let bytes = set(5, [9; 48], &[1, 2]);
        // What is left with nothing behind the key is a pure CGA.
        let cut = cut.index(bytes.len());
        let parsed = Pds::parse(&bytes[..cut]);
        prop_assert_eq!(parsed.map(|p| p.prefix_count()).ok(), (cut == 25 + 78).then_some(0));
    }
}
