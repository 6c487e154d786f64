// SPDX-License-Identifier: GPL-2.0

//! Sets of hash based addresses (RFC 5535), and cryptographically generated addresses
//! (RFC 3972), which are sets of one: made, kept in files, verified.
//!
//! A file is JSON: `{"format": "shim6-hba", "version": 1, "parameters": HEX, "addresses":
//! [..]}`. The parameters are the CGA Parameter Data Structure with the first address's
//! prefix; everything else that can be said of a set follows from these two. A set that was
//! read from a file is a verified one. A CGA's format is "shim6-cga".

use crate::failure::{words, Failure, Result};
use serde_json::{json, Value};
use sha1::{Digest, Sha1};
use shim6_proto::proto::addr::Addr;
use shim6_proto::proto::hba::{extended_modifier, write_pds, Pds, Search, MAX_PDS};
use shim6_proto::proto::wire::MAX_LOCATORS;
use std::fmt::Write as _;
use std::net::Ipv6Addr;
use std::path::Path;

const FORMAT: &str = "shim6-hba";
const CGA_FORMAT: &str = "shim6-cga";
const VERSION: u64 = 1;

/// SHA-1 over the concatenation of `parts`.
fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// A set of addresses with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HbaSet {
    /// The CGA Parameter Data Structure (RFC 3972 section 3).
    pub parameters: Vec<u8>,
    /// One address for each prefix, in the order of the prefixes.
    pub addresses: Vec<Ipv6Addr>,
}

/// What a set is made of.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The prefixes, each 64 bits.
    pub prefixes: Vec<u64>,
    /// 0 to 7; the work grows by 65536 with each step.
    pub sec: u8,
    /// Where the search for a modifier begins.
    pub modifier: u128,
    /// A DER SubjectPublicKeyInfo; without, the modifier makes a nonce instead.
    pub key: Option<Vec<u8>>,
    /// Whether it is a CGA, of one prefix and a key, and not an HBA set.
    pub cga: bool,
}

/// Told now and then how many modifiers were tried, and how many are on the average.
pub type Progress<'a> = dyn FnMut(u64, u128) + 'a;

impl Recipe {
    /// Makes the set (RFC 5535 section 6).
    pub fn make(&self, progress: &mut Progress<'_>) -> Result<HbaSet> {
        let first = *self.prefixes.first().ok_or_else(|| Failure::new("no prefix given"))?;
        let key = self.key.clone().unwrap_or_else(|| extended_modifier(self.nonce()).to_vec());
        let write = |modifier| -> Result<Vec<u8>> {
            if self.cga {
                return Ok(cga_parameters(modifier, first, &key));
            }
            let mut out = vec![0; MAX_PDS];
            let len =
                write_pds(&mut out, modifier, first, &key, self.key.is_some(), &self.prefixes)
                    .map_err(|e| Failure::new(format!("the set cannot be made: {e}")))?;
            out.truncate(len);
            Ok(out)
        };
        let draft = write(self.modifier)?;
        let rest = draft.get(25..).unwrap_or_default();
        let modifier = search(self.modifier, self.sec, rest, progress)?;
        let parameters = write(modifier)?;
        let pds = parse(&parameters)?;
        let addresses = self
            .prefixes
            .iter()
            .map(|prefix| Ipv6Addr::from(pds.address(*prefix, self.sec, &mut sha1).0))
            .collect();
        let set = HbaSet { parameters, addresses };
        set.verify()?;
        Ok(set)
    }

    /// The Extended Modifier: 384 bits that follow from the modifier, so that a set can be
    /// made again from it.
    fn nonce(&self) -> [u8; 48] {
        let mut nonce = [0; 48];
        for (number, piece) in (0u8..).zip(nonce.chunks_mut(16)) {
            let hash = sha1(&[b"shim6 extended modifier", &self.modifier.to_be_bytes(), &[number]]);
            piece.copy_from_slice(&hash[..16]);
        }
        nonce
    }
}

/// A Parameter Data Structure without extensions (RFC 3972 section 3).
fn cga_parameters(modifier: u128, prefix: u64, key: &[u8]) -> Vec<u8> {
    [&modifier.to_be_bytes()[..], &prefix.to_be_bytes(), &[0], key].concat()
}

/// Modifiers that one thread tries before all compare their results.
const SLICE: u32 = 1 << 13;

/// The first modifier from `start` on that satisfies `sec`, sought by all processors.
fn search(start: u128, sec: u8, rest: &[u8], progress: &mut Progress<'_>) -> Result<u128> {
    let refuse = |e| Failure::new(format!("the set cannot be made: {e}"));
    let expected = Search::new(start, sec).map_err(refuse)?.expected();
    let threads = match sec {
        0 => 1,
        _ => std::thread::available_parallelism().map_or(1, usize::from) as u32,
    };
    for round in 0u64.. {
        let tried = round * u64::from(threads) * u64::from(SLICE);
        if round > 0 {
            progress(tried, expected);
        }
        let found = std::thread::scope(|scope| {
            let slices: Vec<_> = (0..threads)
                .map(|thread| {
                    let skip = u128::from(tried) + u128::from(thread) * u128::from(SLICE);
                    let from = start.wrapping_add(skip);
                    scope.spawn(move || Search::new(from, sec).ok()?.step(rest, SLICE, &mut sha1))
                })
                .collect();
            // The first slice's find is the one that a single thread would have made.
            slices.into_iter().filter_map(|slice| slice.join().ok().flatten()).next()
        });
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Err(Failure::new("no modifier satisfies that Sec"))
}

fn parse(parameters: &[u8]) -> Result<Pds<'_>> {
    Pds::parse(parameters).map_err(|e| Failure::new(format!("the set's parameters are wrong: {e}")))
}

impl HbaSet {
    /// Checks that the addresses are those of the parameters.
    pub fn verify(&self) -> Result<()> {
        let pds = parse(&self.parameters)?;
        if pds.prefix_count() == 0 {
            return self.verify_cga(&pds);
        }
        let prefixes = pds.prefixes().map(|prefix| Addr::from_parts(prefix, 0));
        let theirs = self.addresses.iter().map(|a| Addr::from_parts(Addr(a.octets()).prefix(), 0));
        if !prefixes.eq(theirs) {
            return Err(Failure::new(
                "the set's addresses do not have the prefixes of its parameters",
            ));
        }
        match self.addresses.iter().find(|a| !pds.verify_hba(&Addr(a.octets()), &mut sha1)) {
            Some(addr) => {
                Err(Failure::new(format!("{addr} does not follow from the set's parameters")))
            }
            None => Ok(()),
        }
    }

    fn verify_cga(&self, pds: &Pds<'_>) -> Result<()> {
        match self.addresses.as_slice() {
            [addr] if pds.verify_cga(&Addr(addr.octets()), &mut sha1) => Ok(()),
            [addr] => Err(Failure::new(format!("{addr} does not follow from its parameters"))),
            _ => Err(Failure::new("parameters without prefixes have one address")),
        }
    }

    /// Whether it is a CGA, without other prefixes.
    pub fn is_cga(&self) -> bool {
        Pds::parse(&self.parameters).is_ok_and(|pds| pds.prefix_count() == 0)
    }

    /// Sec, as the addresses carry it.
    pub fn sec(&self) -> u8 {
        self.addresses.first().map_or(0, |a| a.octets()[8] >> 5)
    }

    /// The modifier.
    pub fn modifier(&self) -> u128 {
        self.parameters.first_chunk().map_or(0, |m| u128::from_be_bytes(*m))
    }

    /// Whether it has a key that can sign.
    pub fn has_public_key(&self) -> bool {
        Pds::parse(&self.parameters).is_ok_and(|pds| pds.has_public_key())
    }

    /// The set as a file holds it.
    pub fn to_json(&self) -> Value {
        json!({
            "format": if self.is_cga() { CGA_FORMAT } else { FORMAT },
            "version": VERSION,
            "parameters": hex(&self.parameters),
            "addresses": self.addresses.iter().map(Ipv6Addr::to_string).collect::<Vec<_>>(),
        })
    }

    /// The set that a file's text holds.
    pub fn from_text(text: &str) -> Result<HbaSet> {
        let json: Value = serde_json::from_str(text).map_err(|_| Failure::new("it is not JSON"))?;
        if json["format"] != FORMAT && json["format"] != CGA_FORMAT {
            return Err(Failure::new("it is neither an HBA set nor a CGA"));
        }
        if json["version"] != VERSION {
            return Err(Failure::new("it is a set of an unknown version"));
        }
        let parameters = json["parameters"]
            .as_str()
            .and_then(unhex)
            .ok_or_else(|| Failure::new("its parameters are not hexadecimal"))?;
        let addresses = json["addresses"].as_array().map(Vec::as_slice).unwrap_or_default();
        let addresses = addresses
            .iter()
            .map(|a| a.as_str().and_then(|a| a.parse().ok()))
            .collect::<Option<Vec<Ipv6Addr>>>()
            .ok_or_else(|| Failure::new("its addresses are not IPv6 addresses"))?;
        let set = HbaSet { parameters, addresses };
        set.verify()?;
        if (json["format"] == CGA_FORMAT) != set.is_cga() {
            return Err(Failure::new("its parameters are not of its format"));
        }
        Ok(set)
    }

    /// Reads and verifies a file; `-` is the standard input.
    pub fn read(path: &Path) -> Result<HbaSet> {
        let text = match path.to_str() {
            Some("-") => std::io::read_to_string(std::io::stdin()),
            _ => std::fs::read_to_string(path),
        };
        let text = text.map_err(|e| {
            Failure::new(match e.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".to_string(),
                std::io::ErrorKind::InvalidData => "it is not text".to_string(),
                _ => words(&e),
            })
        });
        text.and_then(|text| HbaSet::from_text(&text))
            .map_err(|e| e.while_trying(format_args!("cannot use {}", path.display())))
    }
}

/// A prefix as a person writes it: 64 bits, with or without `/64`.
pub fn parse_prefix(text: &str) -> Result<u64> {
    let (addr, len) = text.split_once('/').unwrap_or((text, "64"));
    let wrong = |why: &str| Failure::new(format!("'{text}' {why}"));
    let addr: Ipv6Addr = addr.parse().map_err(|_| wrong("is not an IPv6 prefix"))?;
    if len != "64" {
        return Err(wrong("is not a prefix of 64 bits"));
    }
    let addr = Addr(addr.octets());
    if addr.interface_id() != 0 {
        return Err(wrong("has bits set behind its first 64"));
    }
    // Any address of the prefix but the one that means something else.
    if !Addr::from_parts(addr.prefix(), u64::MAX).is_eligible() {
        return Err(wrong("is not a prefix of global unicast addresses"));
    }
    Ok(addr.prefix())
}

/// The prefixes of a set: some, not too many, no two the same.
pub fn parse_prefixes<'a>(texts: impl Iterator<Item = &'a String>) -> Result<Vec<u64>> {
    let mut prefixes = Vec::new();
    for text in texts {
        let prefix = parse_prefix(text)?;
        if prefixes.contains(&prefix) {
            return Err(Failure::new(format!("prefix '{text}' is given twice")));
        }
        prefixes.push(prefix);
    }
    if prefixes.len() > MAX_LOCATORS {
        return Err(Failure::new(format!("a set has at most {MAX_LOCATORS} prefixes")));
    }
    Ok(prefixes)
}

/// Hexadecimal, lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The octets of hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() % 2 != 0 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok()).collect()
}

/// A public key file: DER, or PEM around it.
pub fn parse_key(bytes: &[u8]) -> Result<Vec<u8>> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(bytes.to_vec()) };
    let Some((_, after)) = text.split_once("-----BEGIN PUBLIC KEY-----") else {
        return Ok(bytes.to_vec());
    };
    let body = after.split_once("-----END PUBLIC KEY-----").map(|(body, _)| body);
    body.and_then(unbase64).ok_or_else(|| Failure::new("its PEM is damaged"))
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.bytes().filter(|b| !b.is_ascii_whitespace()) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => continue,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(sec: u8) -> Recipe {
        Recipe {
            prefixes: vec![0x20010db8_000a0000, 0x20010db8_000b0000],
            sec,
            modifier: 7,
            key: None,
            cga: false,
        }
    }

    #[test]
    fn a_modifier_decides_everything() {
        let a = recipe(0).make(&mut |_, _| {}).unwrap();
        let b = recipe(0).make(&mut |_, _| {}).unwrap();
        assert_eq!(a, b);
        let other = Recipe { modifier: 8, ..recipe(0) }.make(&mut |_, _| {}).unwrap();
        assert_ne!(a.addresses, other.addresses);
        assert_ne!(a.parameters[25..], other.parameters[25..], "the nonce follows the modifier");
    }

    #[test]
    fn sec_1_finds_what_one_thread_finds() {
        let mut told = 0;
        let set = recipe(1).make(&mut |_, _| told += 1).unwrap();
        assert_eq!(set.sec(), 1);
        let rest = &set.parameters[25..];
        let mut alone = Search::new(7, 1).unwrap();
        let found = alone.step(rest, u32::MAX, &mut sha1);
        assert_eq!(found, Some(set.modifier()));
        let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        assert_eq!(told, alone.tried() / (threads * u64::from(SLICE)), "once a round");
    }

    #[test]
    fn a_file_comes_back() {
        let set = recipe(0).make(&mut |_, _| {}).unwrap();
        assert_eq!(HbaSet::from_text(&set.to_json().to_string()), Ok(set));
    }

    #[test]
    fn a_changed_file_is_refused() {
        let set = recipe(0).make(&mut |_, _| {}).unwrap();
        for octet in 0..set.parameters.len() {
            let mut changed = set.clone();
            changed.parameters[octet] ^= 1;
            // Not hashed: the subnet prefix (each address brings its own).
            let hashed = !(16..24).contains(&octet);
            let got = HbaSet::from_text(&changed.to_json().to_string());
            assert_eq!(got.is_err(), hashed, "octet {octet}");
        }
        let mut changed = set.clone();
        changed.addresses.swap(0, 1);
        assert!(changed.verify().is_err());
        changed.addresses.clear();
        assert!(changed.verify().is_err());
    }

    #[test]
    fn prefixes_are_64_bits_of_global_unicast() {
        assert_eq!(parse_prefix("2001:db8:a::/64"), Ok(0x20010db8_000a0000));
        assert_eq!(parse_prefix("2001:db8:a::"), Ok(0x20010db8_000a0000));
        for wrong in ["", "x", "2001:db8::/48", "2001:db8::1/64", "fe80::/64", "ff02::/64", "::/65"]
        {
            assert!(parse_prefix(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hexadecimal_comes_back() {
        assert_eq!(unhex(&hex(&[0, 1, 0xfe, 0xff])), Some(vec![0, 1, 0xfe, 0xff]));
        for wrong in ["1", "0x", "zz", "+1"] {
            assert_eq!(unhex(wrong), None);
        }
    }

    #[test]
    fn pem_is_unwrapped() {
        let pem = "-----BEGIN PUBLIC KEY-----\nMAMC\nAQU=\n-----END PUBLIC KEY-----\n";
        assert_eq!(parse_key(pem.as_bytes()), Ok(vec![0x30, 3, 2, 1, 5]));
        assert_eq!(parse_key(&[0x30, 0x80]), Ok(vec![0x30, 0x80]));
        assert!(parse_key(b"-----BEGIN PUBLIC KEY-----\n!\n").is_err());
    }
}
