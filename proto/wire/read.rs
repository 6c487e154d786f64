// SPDX-License-Identifier: GPL-2.0

//! Reading numbers out of octets, never past their end.

use crate::proto::addr::{Addr, Tag};

/// The `N` octets at `at`.
#[inline]
pub(super) fn octets<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

#[inline]
pub(super) fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

#[inline]
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    octets(bytes, at).map(u16::from_be_bytes)
}

#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    octets(bytes, at).map(u32::from_be_bytes)
}

#[inline]
pub(super) fn addr_at(bytes: &[u8], at: usize) -> Option<Addr> {
    octets(bytes, at).map(Addr)
}

/// The 47 bits that end the six octets at `at`; the bit before them is reserved and
/// "MUST be ignored on receipt".
#[inline]
pub(super) fn tag_at(bytes: &[u8], at: usize) -> Option<Tag> {
    let [a, b, c, d, e, f] = octets(bytes, at)?;
    Some(Tag::new(u64::from_be_bytes([0, 0, a, b, c, d, e, f])))
}
