// SPDX-License-Identifier: GPL-2.0

//! What every Shim6 header begins with (RFC 5533 sections 5.1 to 5.3), and the payload
//! extension header.

use super::read::u8_at;
use super::{ParseError, MAX_MESSAGE};
use crate::proto::addr::Tag;

/// A message's type (RFC 5533 table 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// 1st establishment message from the initiator.
    I1,
    /// 1st establishment message from the responder.
    R1,
    /// 2nd establishment message from the initiator.
    I2,
    /// 2nd establishment message from the responder.
    R2,
    /// Reply to reference to non-existent context.
    R1bis,
    /// Reply to a R1bis message.
    I2bis,
    /// Update Request.
    UpdateRequest,
    /// Update Acknowledgement.
    UpdateAck,
    /// Keepalive (RFC 5534 section 5.1).
    Keepalive,
    /// Probe (RFC 5534 section 5.2).
    Probe,
    /// Error.
    Error,
    /// A number nobody defined.
    Unknown(u8),
}

impl Type {
    /// The type of a number.
    pub const fn from_number(number: u8) -> Type {
        match number {
            1 => Type::I1,
            2 => Type::R1,
            3 => Type::I2,
            4 => Type::R2,
            5 => Type::R1bis,
            6 => Type::I2bis,
            64 => Type::UpdateRequest,
            65 => Type::UpdateAck,
            66 => Type::Keepalive,
            67 => Type::Probe,
            68 => Type::Error,
            n => Type::Unknown(n),
        }
    }

    /// The number of a type.
    pub const fn number(self) -> u8 {
        match self {
            Type::I1 => 1,
            Type::R1 => 2,
            Type::I2 => 3,
            Type::R2 => 4,
            Type::R1bis => 5,
            Type::I2bis => 6,
            Type::UpdateRequest => 64,
            Type::UpdateAck => 65,
            Type::Keepalive => 66,
            Type::Probe => 67,
            Type::Error => 68,
            Type::Unknown(n) => n,
        }
    }
}

/// The one's complement sum of RFC 1071 over `bytes`, folded; 0 for a message with a
/// right checksum.
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut words = bytes.chunks_exact(2);
    // Overflows only with 2^48 words.
    let mut sum: u64 = 0;
    for word in words.by_ref() {
        if let Some(word) = word.first_chunk::<2>() {
            sum = sum.wrapping_add(u64::from(u16::from_be_bytes(*word)));
        }
    }
    if let Some(&last) = words.remainder().first() {
        sum = sum.wrapping_add(u64::from(last) << 8);
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// The octets of one control message: exactly as long as its Hdr Ext Len says, with a
/// right checksum. What follows them in the packet is left out.
pub(super) fn control(bytes: &[u8]) -> Result<(&[u8], Type, u8), ParseError> {
    let units = u8_at(bytes, 1).ok_or(ParseError::Truncated)?;
    let len = 8 + 8 * usize::from(units);
    if len > MAX_MESSAGE {
        return Err(ParseError::TooLong);
    }
    let message = bytes.get(..len).ok_or(ParseError::Truncated)?;
    let Some(&[_, _, number, specific]) = message.first_chunk::<4>() else {
        return Err(ParseError::Truncated);
    };
    if number & 0x80 != 0 {
        return Err(ParseError::Payload);
    }
    if specific & 1 != 0 {
        return Err(ParseError::NotShim6);
    }
    if checksum(message) != 0 {
        return Err(ParseError::Checksum);
    }
    Ok((message, Type::from_number(number), specific >> 1))
}

/// The payload extension header (RFC 5533 section 5.2): eight octets before a packet
/// whose addresses are locators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadHeader {
    /// What follows.
    pub next: u8,
    /// The receiver's tag of the context.
    pub tag: Tag,
}

impl PayloadHeader {
    /// Its length in octets.
    pub const LEN: usize = 8;

    /// The header at the start of `bytes`, if it is a payload extension header: P is
    /// one, and the length is "0 (since the header is 8 octets)".
    #[inline]
    pub fn parse(bytes: &[u8]) -> Option<PayloadHeader> {
        /// Hdr Ext Len and P.
        const FIXED: u64 = 0x00ff_8000_0000_0000;
        let word = u64::from_be_bytes(*bytes.first_chunk()?);
        let next = (word >> 56) as u8;
        (word & FIXED == 1 << 47).then(|| PayloadHeader { next, tag: Tag::new(word) })
    }

    /// The octets of the header.
    #[inline]
    pub const fn emit(self) -> [u8; 8] {
        (((self.next as u64) << 56) | (1 << 47) | self.tag.get()).to_be_bytes()
    }
}
