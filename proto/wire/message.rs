// SPDX-License-Identifier: GPL-2.0

//! One control message, understood (RFC 5533 sections 5.4 to 5.14).

use super::read::{tag_at, u16_at, u32_at};
use super::{header, Options, ParseError, Probe, Type};
use crate::proto::addr::Tag;

/// The fixed part of a message. Tags and nonces have the RFC's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Body<'a> {
    /// RFC 5533 section 5.4.
    I1 { initiator_tag: Tag, initiator_nonce: u32 },
    /// RFC 5533 section 5.5.
    R1 { initiator_nonce: u32, responder_nonce: u32 },
    /// RFC 5533 section 5.6.
    I2 { initiator_tag: Tag, initiator_nonce: u32, responder_nonce: u32 },
    /// RFC 5533 section 5.7.
    R2 { responder_tag: Tag, initiator_nonce: u32 },
    /// RFC 5533 section 5.8.
    R1bis { packet_tag: Tag, responder_nonce: u32 },
    /// RFC 5533 section 5.9.
    I2bis { initiator_tag: Tag, initiator_nonce: u32, responder_nonce: u32, packet_tag: Tag },
    /// RFC 5533 section 5.10.
    UpdateRequest { tag: Tag, nonce: u32 },
    /// RFC 5533 section 5.11.
    UpdateAck { tag: Tag, nonce: u32 },
    /// RFC 5534 section 5.1.
    Keepalive { tag: Tag },
    /// RFC 5534 section 5.2.
    Probe { tag: Tag, probe: Probe<'a> },
    /// RFC 5533 section 5.14; `packet` begins with the IPv6 header.
    Error { code: u8, pointer: u16, packet: &'a [u8] },
    /// A type nobody defined; `tag` is where the other messages have one.
    Unknown { number: u8, tag: Tag },
}

/// A control message whose every field was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The fixed part.
    pub body: Body<'a>,
    /// The options.
    pub options: Options<'a>,
    /// The octets of the message, as long as its Hdr Ext Len says.
    pub bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads the control message at the start of `bytes`, which end where the IPv6
    /// packet ends (RFC 5533 section 12.3).
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (bytes, kind, specific) = header::control(bytes)?;
        let (body, start) = body(bytes, kind, specific)?;
        Ok(Message { body, options: Options::parse(bytes, start, kind)?, bytes })
    }

    /// The message's type.
    pub fn kind(&self) -> Type {
        match self.body {
            Body::I1 { .. } => Type::I1,
            Body::R1 { .. } => Type::R1,
            Body::I2 { .. } => Type::I2,
            Body::R2 { .. } => Type::R2,
            Body::R1bis { .. } => Type::R1bis,
            Body::I2bis { .. } => Type::I2bis,
            Body::UpdateRequest { .. } => Type::UpdateRequest,
            Body::UpdateAck { .. } => Type::UpdateAck,
            Body::Keepalive { .. } => Type::Keepalive,
            Body::Probe { .. } => Type::Probe,
            Body::Error { .. } => Type::Error,
            Body::Unknown { number, .. } => Type::Unknown(number),
        }
    }
}

/// The fixed part of a message and where its options begin: at its end if it has none.
fn body(m: &[u8], kind: Type, specific: u8) -> Result<(Body<'_>, usize), ParseError> {
    let tag = || tag_at(m, 6).ok_or(ParseError::TooShort);
    let word = |at| u32_at(m, at).ok_or(ParseError::TooShort);
    Ok(match kind {
        Type::I1 => (Body::I1 { initiator_tag: tag()?, initiator_nonce: word(12)? }, 16),
        Type::R1 => (Body::R1 { initiator_nonce: word(8)?, responder_nonce: word(12)? }, 16),
        Type::I2 => {
            let (initiator_nonce, responder_nonce) = (word(12)?, word(16)?);
            (Body::I2 { initiator_tag: tag()?, initiator_nonce, responder_nonce }, 24)
        }
        Type::R2 => (Body::R2 { responder_tag: tag()?, initiator_nonce: word(12)? }, 16),
        Type::R1bis => (Body::R1bis { packet_tag: tag()?, responder_nonce: word(12)? }, 16),
        Type::I2bis => (
            Body::I2bis {
                initiator_tag: tag()?,
                initiator_nonce: word(12)?,
                responder_nonce: word(16)?,
                packet_tag: tag_at(m, 26).ok_or(ParseError::TooShort)?,
            },
            32,
        ),
        Type::UpdateRequest => (Body::UpdateRequest { tag: tag()?, nonce: word(12)? }, 16),
        Type::UpdateAck => (Body::UpdateAck { tag: tag()?, nonce: word(12)? }, 16),
        Type::Keepalive => {
            word(12)?;
            (Body::Keepalive { tag: tag()? }, 16)
        }
        Type::Probe => {
            let (probe, end) = Probe::parse(m)?;
            (Body::Probe { tag: tag()?, probe }, end)
        }
        Type::Error => {
            // "At least 1, since the header is 16 octets."
            word(12)?;
            let pointer = u16_at(m, 6).ok_or(ParseError::TooShort)?;
            let packet = m.get(8..).ok_or(ParseError::TooShort)?;
            (Body::Error { code: specific, pointer, packet }, m.len())
        }
        Type::Unknown(number) => {
            (Body::Unknown { number, tag: tag_at(m, 6).unwrap_or_default() }, m.len())
        }
    })
}
