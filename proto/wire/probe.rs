// SPDX-License-Identifier: GPL-2.0

//! The Probe message's records (RFC 5534 section 5.2).

use super::read::{addr_at, u32_at, u8_at};
use super::ParseError;
use crate::proto::addr::Addr;

/// What the sender of a probe believes (RFC 5534 section 5.2, "Sta").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProbeState {
    /// It has no problem, and believes that we have none.
    #[default]
    Operational,
    /// It has a problem communicating with us.
    Exploring,
    /// It sees our packets, but we have a problem or did not confirm that it is over.
    InboundOk,
}

impl ProbeState {
    pub(super) const fn number(self) -> u8 {
        match self {
            ProbeState::Operational => 0,
            ProbeState::Exploring => 1,
            ProbeState::InboundOk => 2,
        }
    }
}

/// One probe that was sent or received, as reported in a Probe message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The source it was sent from.
    pub src: Addr,
    /// The destination it was sent to.
    pub dst: Addr,
    /// What its sender knows it again by.
    pub nonce: u32,
    /// "The Probe Data field is copied back with no changes."
    pub data: u32,
}

impl Record {
    /// Octets of a record.
    pub const LEN: usize = 40;

    fn parse(bytes: &[u8]) -> Option<Record> {
        Some(Record {
            src: addr_at(bytes, 0)?,
            dst: addr_at(bytes, 16)?,
            nonce: u32_at(bytes, 32)?,
            data: u32_at(bytes, 36)?,
        })
    }
}

/// The fixed part of a Probe message behind its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe<'a> {
    /// The sender's state.
    pub state: ProbeState,
    sent: &'a [u8],
    received: &'a [u8],
}

impl<'a> Probe<'a> {
    /// Octets before the first record.
    pub(super) const FIXED: usize = 16;

    /// Reads a probe; gives also where its options begin.
    pub(super) fn parse(message: &'a [u8]) -> Result<(Self, usize), ParseError> {
        let bad = ParseError::ProbeContents;
        let counts = u8_at(message, 12).ok_or(ParseError::TooShort)?;
        let state = match u8_at(message, 13).ok_or(ParseError::TooShort)? >> 6 {
            0 => ProbeState::Operational,
            1 => ProbeState::Exploring,
            2 => ProbeState::InboundOk,
            _ => return Err(bad),
        };
        let (received, sent) = (usize::from(counts >> 4), usize::from(counts & 0xf));
        // "The first set of Probe fields pertains to the current message and MUST be
        // present, so the minimum value for this field is 1."
        if sent == 0 {
            return Err(bad);
        }
        let middle = Self::FIXED + sent * Record::LEN;
        let end = middle + received * Record::LEN;
        Ok((
            Probe {
                state,
                sent: message.get(Self::FIXED..middle).ok_or(bad)?,
                received: message.get(middle..end).ok_or(bad)?,
            },
            end,
        ))
    }

    /// The probes its sender sent; the first is this one.
    pub fn sent(&self) -> impl Iterator<Item = Record> + 'a {
        self.sent.chunks_exact(Record::LEN).filter_map(Record::parse)
    }

    /// The probes its sender received from us.
    pub fn received(&self) -> impl Iterator<Item = Record> + 'a {
        self.received.chunks_exact(Record::LEN).filter_map(Record::parse)
    }
}
