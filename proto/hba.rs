// SPDX-License-Identifier: GPL-2.0

//! Hash-Based Addresses (RFC 5535) over Cryptographically Generated Addresses (RFC 3972).
//!
//! An address proves by its interface identifier that it was made together with the
//! other prefixes of its set (HBA) or with a public key (CGA). The SHA-1 is the
//! caller's.

use crate::proto::addr::Addr;
use crate::proto::wire::MAX_LOCATORS;

/// SHA-1 over the concatenation of parts.
pub type Sha1<'a> = dyn FnMut(&[&[u8]]) -> [u8; 20] + 'a;

/// Octets before the public key: modifier, subnet prefix, collision count.
const FIXED: usize = 25;
/// The Multi-Prefix extension's Ext Type (RFC 5535 section 10).
const MULTI_PREFIX: u16 = 0x0012;
/// The P flag: "Set if a public key is included".
const P_FLAG: u8 = 0x80;
/// The interface identifier's bits that a hash decides: all but the three of Sec and
/// bits 6 and 7 (RFC 3972 section 5 step 4).
const IID_MASK: u64 = 0x1cff_ffff_ffff_ffff;
/// The longest Parameter Data Structure we keep: 32 prefixes and a 4096-bit RSA key.
pub const MAX_PDS: usize = FIXED + 600 + 8 + 8 * MAX_LOCATORS;

/// Why octets are not a CGA Parameter Data Structure that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PdsError {
    /// Too short or too long.
    Length,
    /// "Check that the collision count [...] is 0, 1, or 2."
    CollisionCount,
    /// The public key is not a DER-encoded SubjectPublicKeyInfo.
    PublicKey,
    /// An extension runs past the end, or a Multi-Prefix extension contradicts itself.
    Extension,
    /// More prefixes than [`MAX_LOCATORS`], or none where some are needed.
    Prefixes,
    /// The Sec parameter is above 7.
    Sec,
}

impl core::fmt::Display for PdsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            PdsError::Length => "its length is not one of a CGA Parameter Data Structure",
            PdsError::CollisionCount => "its collision count is not 0, 1 or 2",
            PdsError::PublicKey => "its public key is not a DER SubjectPublicKeyInfo",
            PdsError::Extension => "its extensions are malformed",
            PdsError::Prefixes => "it has no prefixes, or more than 32",
            PdsError::Sec => "its Sec is not 0 to 7",
        })
    }
}

/// A CGA Parameter Data Structure (RFC 3972 section 3) whose parts were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pds<'a> {
    bytes: &'a [u8],
    modifier: &'a [u8],
    prefix: &'a [u8],
    collision: &'a [u8],
    /// Public key and extensions.
    rest: &'a [u8],
    key: &'a [u8],
    /// The prefixes of the Multi-Prefix extension.
    prefixes: &'a [u8],
    public_key: bool,
}

impl<'a> Pds<'a> {
    /// Finds the parts.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PdsError> {
        if bytes.len() > MAX_PDS {
            return Err(PdsError::Length);
        }
        let (modifier, after) = bytes.split_at_checked(16).ok_or(PdsError::Length)?;
        let (prefix, after) = after.split_at_checked(8).ok_or(PdsError::Length)?;
        let (collision, rest) = after.split_at_checked(1).ok_or(PdsError::Length)?;
        if collision.first().is_none_or(|&c| c > 2) {
            return Err(PdsError::CollisionCount);
        }
        let key_len = spki_len(rest).ok_or(PdsError::PublicKey)?;
        let (key, extensions) = rest.split_at_checked(key_len).ok_or(PdsError::PublicKey)?;
        let (prefixes, public_key) = multi_prefix(extensions)?;
        Ok(Pds { bytes, modifier, prefix, collision, rest, key, prefixes, public_key })
    }

    /// The octets it was parsed from.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The DER-encoded SubjectPublicKeyInfo, or the encoded Extended Modifier.
    pub fn key(&self) -> &'a [u8] {
        self.key
    }

    /// Whether [`Self::key`] is one that can sign: of an HBA-only set it is a nonce.
    pub fn has_public_key(&self) -> bool {
        self.public_key
    }

    /// The prefix in the Subnet Prefix field.
    pub fn subnet_prefix(&self) -> u64 {
        self.prefix.first_chunk().map_or(0, |p| u64::from_be_bytes(*p))
    }

    /// The prefixes of the set: those of the Multi-Prefix extension.
    pub fn prefixes(&self) -> impl Iterator<Item = u64> + 'a {
        self.prefixes
            .chunks_exact(8)
            .filter_map(|p| p.first_chunk())
            .map(|p| u64::from_be_bytes(*p))
    }

    /// How many prefixes the set has.
    pub fn prefix_count(&self) -> usize {
        self.prefixes.len() / 8
    }

    /// CGA verification (RFC 3972 section 5): `addr` was made with these parameters.
    pub fn verify_cga(&self, addr: &Addr, sha1: &mut Sha1<'_>) -> bool {
        addr.prefix() == self.subnet_prefix() && self.verify(addr, sha1)
    }

    /// HBA verification (RFC 5535 section 7.2): `addr` belongs to the set of these
    /// parameters.
    pub fn verify_hba(&self, addr: &Addr, sha1: &mut Sha1<'_>) -> bool {
        self.prefixes().any(|p| p == addr.prefix()) && self.verify(addr, sha1)
    }

    /// Whether a ULID corresponds to these parameters, by either way: "A PDS corresponds
    /// to a ULID if CGA or HBA verification succeeds" (RFC 5535 section 8).
    pub fn verify_ulid(&self, addr: &Addr, sha1: &mut Sha1<'_>) -> bool {
        self.verify_cga(addr, sha1) || self.verify_hba(addr, sha1)
    }

    /// Steps 3 to 7 of RFC 3972 section 5, with the address's own prefix.
    fn verify(&self, addr: &Addr, sha1: &mut Sha1<'_>) -> bool {
        let iid = addr.interface_id();
        if (self.hash1(addr.prefix(), sha1) ^ iid) & IID_MASK != 0 {
            return false;
        }
        // "If Sec=0, the verification never fails in steps 6 - 7 and these steps can be
        // skipped."
        let sec = (iid >> 61) as u8;
        sec == 0 || hash2_passes(self.hash2(sha1), sec)
    }

    fn hash1(&self, prefix: u64, sha1: &mut Sha1<'_>) -> u64 {
        let prefix = prefix.to_be_bytes();
        leftmost_64(&sha1(&[self.modifier, &prefix, self.collision, self.rest]))
    }

    fn hash2(&self, sha1: &mut Sha1<'_>) -> [u8; 20] {
        sha1(&[self.modifier, &[0; 9], self.rest])
    }

    /// The address of `prefix` (RFC 5535 section 6 steps 6.1 to 6.3).
    pub fn address(&self, prefix: u64, sec: u8, sha1: &mut Sha1<'_>) -> Addr {
        let iid = (self.hash1(prefix, sha1) & IID_MASK) | (u64::from(sec & 7) << 61);
        Addr::from_parts(prefix, iid)
    }

    /// The greatest Sec that these parameters satisfy: what their addresses carry.
    pub fn sec(&self, sha1: &mut Sha1<'_>) -> u8 {
        let hash2 = self.hash2(sha1);
        (1..=7).take_while(|&sec| hash2_passes(hash2, sec)).last().unwrap_or(0)
    }
}

fn leftmost_64(hash: &[u8; 20]) -> u64 {
    hash.first_chunk().map_or(0, |h| u64::from_be_bytes(*h))
}

/// "Compare the 16*Sec leftmost bits of Hash2 with zero."
fn hash2_passes(hash: [u8; 20], sec: u8) -> bool {
    hash.get(..2 * usize::from(sec)).is_some_and(|zeros| zeros.iter().all(|&octet| octet == 0))
}

/// Octets of the SubjectPublicKeyInfo that begins here: a SEQUENCE of an
/// AlgorithmIdentifier, which is a SEQUENCE, and a BIT STRING of whole octets (RFC 3280
/// section 4.1). The key itself is not looked at.
fn spki_len(bytes: &[u8]) -> Option<usize> {
    const SEQUENCE: u8 = 0x30;
    const BIT_STRING: u8 = 0x03;
    let (info, after) = der_element(bytes, SEQUENCE)?;
    let (_, key) = der_element(info, SEQUENCE)?;
    let (bits, rest) = der_element(key, BIT_STRING)?;
    let whole = bits.first() == Some(&0) && rest.is_empty();
    bytes.len().checked_sub(after.len()).filter(|_| whole)
}

/// The contents of the DER element with this tag that begins here, and what follows it.
pub(super) fn der_element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (len, after) = match bytes.strip_prefix(&[tag])? {
        [n @ 0..=0x7f, after @ ..] => (usize::from(*n), after),
        [0x81, n @ 0x80..=0xff, after @ ..] => (usize::from(*n), after),
        [0x82, a @ 1..=0xff, b, after @ ..] => (usize::from(u16::from_be_bytes([*a, *b])), after),
        _ => return None,
    };
    after.split_at_checked(len)
}

/// The prefixes and the P flag of the Multi-Prefix extension among `extensions`; no
/// prefixes if there is none (a pure CGA). "Implementations MUST ignore the value of any
/// unrecognized extension fields" (RFC 3972 section 3).
fn multi_prefix(mut extensions: &[u8]) -> Result<(&[u8], bool), PdsError> {
    let mut found = None;
    while let Some((head, after)) = extensions.split_first_chunk::<4>() {
        let [t0, t1, l0, l1] = *head;
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        let (body, next) = after.split_at_checked(len).ok_or(PdsError::Extension)?;
        if u16::from_be_bytes([t0, t1]) == MULTI_PREFIX {
            // "The Ext Len field value is (n*8 + 4)."
            let (flags, prefixes) = body.split_at_checked(4).ok_or(PdsError::Extension)?;
            if prefixes.len() % 8 != 0 || found.is_some() {
                return Err(PdsError::Extension);
            }
            if prefixes.is_empty() || prefixes.len() > 8 * MAX_LOCATORS {
                return Err(PdsError::Prefixes);
            }
            found = Some((prefixes, flags.first().is_some_and(|f| f & P_FLAG != 0)));
        }
        extensions = next;
    }
    if !extensions.is_empty() {
        return Err(PdsError::Extension);
    }
    Ok(found.unwrap_or((&[], true)))
}

/// Octets of an Extended Modifier as a public key.
pub const EXTENDED_MODIFIER: usize = 78;

/// A 384-bit nonce "formatted as a DER-encoded ASN.1 structure of the type
/// SubjectPublicKeyInfo", as if it were an RSA modulus (RFC 5535 section 6). Its first
/// bit is set, so that every modulus has the same length.
pub fn extended_modifier(mut nonce: [u8; 48]) -> [u8; EXTENDED_MODIFIER] {
    const HEAD: [u8; 25] = [
        0x30, 0x4c, // SubjectPublicKeyInfo
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
        0x00, // rsaEncryption, NULL
        0x03, 0x3b, 0x00, // BIT STRING
        0x30, 0x38, // RSAPublicKey
        0x02, 0x31, 0x00, // modulus: 49 octets, the first zero
    ];
    const TAIL: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01]; // exponent 65537
    if let Some(first) = nonce.first_mut() {
        *first |= 0x80;
    }
    let mut key = [0; EXTENDED_MODIFIER];
    let parts = HEAD.iter().chain(&nonce).chain(&TAIL);
    key.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
    key
}

/// Writes a Parameter Data Structure with a Multi-Prefix extension; its length, or why
/// it cannot be.
pub fn write_pds(
    out: &mut [u8],
    modifier: u128,
    subnet_prefix: u64,
    key: &[u8],
    public_key: bool,
    prefixes: &[u64],
) -> Result<usize, PdsError> {
    if prefixes.is_empty() || prefixes.len() > MAX_LOCATORS {
        return Err(PdsError::Prefixes);
    }
    if spki_len(key) != Some(key.len()) {
        return Err(PdsError::PublicKey);
    }
    let ext_len = u16::try_from(prefixes.len() * 8 + 4).map_err(|_| PdsError::Prefixes)?;
    let (modifier, subnet) = (modifier.to_be_bytes(), subnet_prefix.to_be_bytes());
    let (kind, ext_len) = (MULTI_PREFIX.to_be_bytes(), ext_len.to_be_bytes());
    let flags = [if public_key { P_FLAG } else { 0 }, 0, 0, 0];
    let total = key.len().saturating_add(FIXED + 8 + 8 * prefixes.len());
    let room = out.get_mut(..total).ok_or(PdsError::Length)?;
    let fixed = modifier.iter().chain(&subnet).chain(&[0]).chain(key);
    let extension = kind.iter().chain(&ext_len).chain(&flags).copied();
    let vector = prefixes.iter().flat_map(|p| p.to_be_bytes());
    let parts = fixed.copied().chain(extension).chain(vector);
    room.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    Ok(total)
}

/// Writes another collision count into parameters, whose addresses are then others:
/// "If an address collision is detected, increment the collision count by one and go
/// back to step (6)" (RFC 5535 section 6).
pub fn set_collision_count(pds: &mut [u8], count: u8) -> Result<(), PdsError> {
    if count > 2 {
        return Err(PdsError::CollisionCount);
    }
    *pds.get_mut(FIXED - 1).ok_or(PdsError::Length)? = count;
    Ok(())
}

/// The search for a modifier (RFC 3972 section 4 steps 1 to 3), in slices, so that the
/// caller can show how far it is and stop it.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    modifier: u128,
    sec: u8,
    tried: u64,
}

impl Search {
    /// Begins with a modifier, for a Sec.
    pub fn new(modifier: u128, sec: u8) -> Result<Search, PdsError> {
        if sec > 7 {
            return Err(PdsError::Sec);
        }
        Ok(Search { modifier, sec, tried: 0 })
    }

    /// Tries up to `tries` modifiers with what follows the collision count (key and
    /// extensions); the first that passes, if one did.
    pub fn step(&mut self, rest: &[u8], tries: u32, sha1: &mut Sha1<'_>) -> Option<u128> {
        for _ in 0..tries {
            let hash2 = sha1(&[&self.modifier.to_be_bytes(), &[0; 9], rest]);
            if hash2_passes(hash2, self.sec) {
                return Some(self.modifier);
            }
            self.modifier = self.modifier.wrapping_add(1);
            self.tried = self.tried.saturating_add(1);
        }
        None
    }

    /// How many modifiers failed so far.
    pub fn tried(&self) -> u64 {
        self.tried
    }

    /// How many are tried on the average: 2^(16*Sec).
    pub fn expected(&self) -> u128 {
        1u128.checked_shl(16 * u32::from(self.sec)).unwrap_or(u128::MAX)
    }
}
