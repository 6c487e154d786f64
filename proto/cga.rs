// SPDX-License-Identifier: GPL-2.0

//! CGA signatures over locator lists (RFC 5533 section 5.15.5, RFC 3972 section 6): what is
//! signed, by which keys, and what is known of a signature.
//!
//! The mathematics is the driver's, outside: a [`Claim`] goes out and a [`Verdict`] comes back;
//! a [`Wanted`] goes out and a [`Signature`] comes back. In between nothing that they are about
//! is used.

use crate::proto::addr::Addr;
use crate::proto::hba::{der_element, Pds, Sha1};
use crate::proto::wire::{LocatorList, Method, Options, MAX_LOCATORS};

/// "The 128-bit CGA Message Type tag [CGA] value for Shim6: 0x4A 30 5662 4858 574B 3655 416F
/// 506A 6D48."
pub const TYPE_TAG: [u8; 16] = 0x4a30_5662_4858_574b_3655_416f_506a_6d48_u128.to_be_bytes();

/// "The minimum acceptable key length for RSA keys used in the generation of CGAs MUST be at
/// least 1024 bits" (RFC 5533 section 16).
pub const MIN_KEY_BITS: usize = 1024;
/// The longest modulus, in bits: what fits a message beside its signature.
pub const MAX_KEY_BITS: usize = 4096;
/// Octets of the longest signature.
pub const MAX_SIGNATURE: usize = MAX_KEY_BITS / 8;
/// Octets of the longest public exponent. With a long one a verification would cost as much as a
/// signature, and the key is the peer's choice.
const MAX_EXPONENT: usize = 4;

/// The AlgorithmIdentifier: "the algorithm identifier MUST be rsaEncryption" (RFC 3972 section 3),
/// with NULL as parameters.
const RSA: [u8; 13] =
    [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// What is known of the CGA signature of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    #[default]
    None,
    /// It is the key's, over these locators.
    Valid,
    /// It is not.
    Invalid,
    /// It could not be found out, for want of memory or of an algorithm.
    Unable,
}

/// Why no signature can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoClaim {
    /// There is none, or no list, or no parameters with a public key.
    Missing,
    /// The key is not one that may be used.
    Key,
}

/// What a message claims by its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The RSAPublicKey (RFC 8017 appendix A.1.1).
    pub key: &'a [u8],
    /// SHA-1 of what is signed.
    pub digest: [u8; 20],
    /// An RSASSA-PKCS1-v1_5 signature, if it is one.
    pub signature: &'a [u8],
}

impl<'a> Claim<'a> {
    /// The claim of a message with these options.
    pub fn of(options: &Options<'a>, sha1: &mut Sha1<'_>) -> Result<Claim<'a>, NoClaim> {
        let (Some(list), Some(pds), Some(signature)) =
            (options.locators, options.pds, options.signature)
        else {
            return Err(NoClaim::Missing);
        };
        let pds = Pds::parse(pds).map_err(|_| NoClaim::Missing)?;
        if !pds.has_public_key() {
            return Err(NoClaim::Missing);
        }
        let key = rsa_key(pds.key()).ok_or(NoClaim::Key)?;
        Ok(Claim { key, digest: digest_of_list(&list, sha1), signature })
    }
}

/// The RSAPublicKey in a SubjectPublicKeyInfo, if it may be used for signatures.
pub fn rsa_key(info: &[u8]) -> Option<&[u8]> {
    let (info, after) = der_element(info, 0x30)?;
    let (algorithm, bits) = der_element(info, 0x30)?;
    let (bits, rest) = der_element(bits, 0x03)?;
    let key = bits.strip_prefix(&[0])?;
    let exact = after.is_empty() && rest.is_empty() && algorithm == RSA;
    let (numbers, rest) = der_element(key, 0x30)?;
    let (modulus, exponent) = der_element(numbers, 0x02)?;
    let (exponent, more) = der_element(exponent, 0x02)?;
    let bits = bits_of(modulus)?;
    let odd = |number: &[u8]| number.last().is_some_and(|octet| octet & 1 != 0);
    let good = (MIN_KEY_BITS..=MAX_KEY_BITS).contains(&bits)
        && (2..=8 * MAX_EXPONENT).contains(&bits_of(exponent)?)
        && odd(modulus)
        && odd(exponent);
    (exact && rest.is_empty() && more.is_empty() && good).then_some(key)
}

/// How many bits a positive DER INTEGER has.
fn bits_of(number: &[u8]) -> Option<usize> {
    if number.first()? & 0x80 != 0 {
        return None;
    }
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    let top = number.get(zeros)?;
    let octets = number.len().checked_sub(zeros)?;
    octets.checked_mul(8)?.checked_sub(top.leading_zeros() as usize)
}

/// SHA-1 of "the following sequence of octets: 1. The 128-bit CGA Message Type tag [...] 2. The
/// Locator List Generation number of the correspondent Locator List option. 3. The subset of
/// locators included in the correspondent Locator List option whose verification method is set to
/// CGA. The locators MUST be included in the order in which they are listed".
pub fn digest<'a>(
    generation: u32,
    locators: impl Iterator<Item = (&'a Addr, Method)>,
    sha1: &mut Sha1<'_>,
) -> [u8; 20] {
    let generation = generation.to_be_bytes();
    let mut parts: [&[u8]; 2 + MAX_LOCATORS] = [&[]; 2 + MAX_LOCATORS];
    let signed = locators.filter(|(_, method)| *method == Method::Cga).map(|(addr, _)| &addr.0[..]);
    let all = [&TYPE_TAG[..], &generation[..]].into_iter().chain(signed);
    parts.iter_mut().zip(all).for_each(|(part, octets)| *part = octets);
    sha1(&parts)
}

fn digest_of_list(list: &LocatorList<'_>, sha1: &mut Sha1<'_>) -> [u8; 20] {
    let mut locators = [(Addr::UNSPECIFIED, Method::Hba); MAX_LOCATORS];
    let mut len = 0usize;
    for (room, locator) in locators.iter_mut().zip(list.iter()) {
        *room = locator;
        len = len.saturating_add(1);
    }
    let told = locators.get(..len).unwrap_or_default();
    digest(list.generation, told.iter().map(|(addr, method)| (addr, *method)), sha1)
}

/// A list of ours that wants a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The list's generation.
    pub generation: u32,
    /// SHA-1 of what is to be signed.
    pub digest: [u8; 20],
}

/// A signature of a list of ours.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// The list's generation.
    pub generation: u32,
    len: u16,
    octets: [u8; MAX_SIGNATURE],
}

impl Signature {
    /// Keeps a signature; `None` if it is empty or too long.
    pub fn new(generation: u32, signature: &[u8]) -> Option<Signature> {
        let mut octets = [0; MAX_SIGNATURE];
        octets.get_mut(..signature.len())?.copy_from_slice(signature);
        let len = u16::try_from(signature.len()).ok().filter(|len| *len != 0)?;
        Some(Signature { generation, len, octets })
    }

    /// Its octets.
    pub fn as_slice(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }
}
