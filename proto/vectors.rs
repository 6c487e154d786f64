// SPDX-License-Identifier: GPL-2.0

//! What SHA-1, CGA and HBA must give: the RFC's own example, and two sets computed by
//! another program. [`check`] tries them, so that a host whose SHA-1 is not SHA-1 says so
//! at once instead of refusing every peer.

use crate::proto::addr::Addr;
use crate::proto::hba::{extended_modifier, write_pds, Pds, PdsError, Search, Sha1, MAX_PDS};

/// FIPS 180-1 appendix A: SHA-1 of "abc".
pub const SHA1_ABC: [u8; 20] = [
    0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c,
    0x9c, 0xd0, 0xd8, 0x9d,
];

/// RFC 3972 appendix A: the public key.
pub const CGA_KEY: [u8; 94] = [
    0x30, 0x5c, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
    0x00, 0x03, 0x4b, 0x00, 0x30, 0x48, 0x02, 0x41, 0x00, 0xc2, 0xc2, 0xf1, 0x37, 0x30, 0x54, 0x54,
    0xf1, 0x0b, 0xd9, 0xce, 0xa3, 0x68, 0x44, 0xb5, 0x30, 0xe9, 0x21, 0x1a, 0x4b, 0x26, 0x2b, 0x16,
    0x46, 0x7c, 0xb7, 0xdf, 0xba, 0x1f, 0x59, 0x5c, 0x01, 0x94, 0xf2, 0x75, 0xbe, 0x5a, 0x4d, 0x38,
    0x6f, 0x2c, 0x3c, 0x23, 0x82, 0x50, 0x87, 0x73, 0xc7, 0x86, 0x7f, 0x9b, 0x3b, 0x9e, 0x63, 0xa0,
    0x9c, 0x7b, 0xc4, 0x8f, 0x7a, 0x54, 0xeb, 0xef, 0xaf, 0x02, 0x03, 0x01, 0x00, 0x01,
];
/// RFC 3972 appendix A: modifier, subnet prefix and collision count, which precede the key.
pub const CGA_FIXED: [u8; 25] = [
    0x89, 0xa8, 0xa8, 0xb2, 0xe8, 0x58, 0xd8, 0xb8, 0xf2, 0x63, 0x3f, 0x44, 0xd2, 0xd4, 0xce, 0x9b,
    0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
];
/// RFC 3972 appendix A: the modifier.
pub const CGA_MODIFIER: u128 = 0x89a8_a8b2_e858_d8b8_f263_3f44_d2d4_ce9b;
/// RFC 3972 appendix A: `fe80::3c4a:5bf6:ffb4:ca6c`, whose Sec is 1.
pub const CGA_ADDRESS: Addr = Addr::from_bits(0xfe80_0000_0000_0000_3c4a_5bf6_ffb4_ca6c);

/// The prefixes of the HBA sets.
pub const HBA_PREFIXES: [u64; 3] =
    [0x2001_0db8_000a_0001, 0x2001_0db8_000b_0001, 0x2001_0db8_000c_0001];

/// An HBA set of [`HBA_PREFIXES`] and [`hba_nonce`].
#[derive(Clone, Copy, Debug)]
pub struct HbaVector {
    /// Sec.
    pub sec: u8,
    /// The modifier, which satisfies Sec.
    pub modifier: u128,
    /// The collision count.
    pub collision_count: u8,
    /// The interface identifiers, in the order of the prefixes.
    pub interface_ids: [u64; 3],
}

/// Computed by another program, with another SHA-1.
pub const HBA: [HbaVector; 3] = [
    HbaVector {
        sec: 0,
        modifier: 0x0123_4567_89ab_cdef_0011_2233_4455_6677,
        collision_count: 0,
        interface_ids: [0x10d1_db2b_4f62_ff4f, 0x04c6_3469_453d_4867, 0x00d4_1a58_e068_776a],
    },
    HbaVector {
        sec: 1,
        // The 40,710th tried from the other sets' modifier on.
        modifier: 0x0123_4567_89ab_cdef_0011_2233_4456_057c,
        collision_count: 0,
        interface_ids: [0x3093_f27e_360b_b9b9, 0x246e_0f5a_3ddf_65be, 0x3ca9_4a2d_f03d_20a5],
    },
    HbaVector {
        sec: 0,
        modifier: 0x0123_4567_89ab_cdef_0011_2233_4455_6677,
        collision_count: 2,
        interface_ids: [0x08e4_8200_d161_b114, 0x00c5_e24b_f772_a9c0, 0x0889_759b_0f55_a4e6],
    },
];

/// The Extended Modifier of the sets: 0x80, 0x81, ... 0xaf.
pub fn hba_nonce() -> [u8; 48] {
    let mut nonce = [0; 48];
    nonce.iter_mut().zip(0x80..).for_each(|(octet, value)| *octet = value);
    nonce
}

/// Writes the parameters of a set into `out`; their length.
pub fn hba_pds(v: &HbaVector, out: &mut [u8; MAX_PDS]) -> Result<usize, PdsError> {
    let [first, ..] = HBA_PREFIXES;
    let key = extended_modifier(hba_nonce());
    let len = write_pds(out, v.modifier, first, &key, false, &HBA_PREFIXES)?;
    crate::proto::hba::set_collision_count(out, v.collision_count)?;
    Ok(len)
}

/// Tries everything here; which of them failed, as a person would be told.
pub fn check(sha1: &mut Sha1<'_>) -> Result<(), &'static str> {
    if sha1(&[b"a", b"", b"bc"]) != SHA1_ABC {
        return Err("SHA-1 of \"abc\" is wrong");
    }
    if !cga_verifies(sha1) {
        return Err("the CGA of RFC 3972 appendix A does not verify");
    }
    if HBA.iter().all(|v| hba_verifies(v, sha1)) {
        Ok(())
    } else {
        Err("an HBA set does not verify")
    }
}

fn cga_verifies(sha1: &mut Sha1<'_>) -> bool {
    let mut bytes = [0; CGA_FIXED.len() + CGA_KEY.len()];
    let parts = CGA_FIXED.iter().chain(&CGA_KEY);
    bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
    let found = Search::new(CGA_MODIFIER - 1, 1).map(|mut s| s.step(&CGA_KEY, 2, sha1));
    found == Ok(Some(CGA_MODIFIER))
        && Pds::parse(&bytes).is_ok_and(|pds| pds.verify_cga(&CGA_ADDRESS, sha1))
}

fn hba_verifies(v: &HbaVector, sha1: &mut Sha1<'_>) -> bool {
    let mut buf = [0; MAX_PDS];
    let bytes = hba_pds(v, &mut buf).ok().and_then(|len| buf.get(..len));
    let Some(Ok(pds)) = bytes.map(Pds::parse) else { return false };
    HBA_PREFIXES.iter().zip(v.interface_ids).all(|(&prefix, iid)| {
        let addr = Addr::from_parts(prefix, iid);
        pds.address(prefix, v.sec, sha1) == addr && pds.verify_hba(&addr, sha1)
    })
}
