// SPDX-License-Identifier: GPL-2.0

//! The options of a control message (RFC 5533 section 5.15), read once.

use super::lists::{LocatorList, PreferenceList};
use super::read::{addr_at, u16_at, u32_at};
use super::{ParseError, Type};
use crate::proto::addr::Addr;

/// Option numbers (RFC 5533 table 3).
pub(super) mod number {
    pub(in crate::proto::wire) const RESPONDER_VALIDATOR: u16 = 1;
    pub(in crate::proto::wire) const LOCATOR_LIST: u16 = 2;
    pub(in crate::proto::wire) const LOCATOR_PREFERENCES: u16 = 3;
    pub(in crate::proto::wire) const PDS: u16 = 4;
    pub(in crate::proto::wire) const SIGNATURE: u16 = 5;
    pub(in crate::proto::wire) const ULID_PAIR: u16 = 6;
    pub(in crate::proto::wire) const FII: u16 = 7;
    pub(in crate::proto::wire) const KEEPALIVE_TIMEOUT: u16 = 10;
}

/// "Total Length = 11 + Length - (Length + 3) mod 8" (RFC 5533 section 5.15).
pub(super) const fn total_len(length: u16) -> usize {
    (4 + length as usize).next_multiple_of(8)
}

/// What the options of one message say. An option that is not there is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options<'a> {
    /// Responder Validator.
    pub validator: Option<&'a [u8]>,
    /// Locator List.
    pub locators: Option<LocatorList<'a>>,
    /// Locator Preferences.
    pub preferences: Option<PreferenceList<'a>>,
    /// CGA Parameter Data Structure.
    pub pds: Option<&'a [u8]>,
    /// CGA Signature.
    pub signature: Option<&'a [u8]>,
    /// ULID Pair: the sender's and the receiver's ULID.
    pub ulids: Option<(Addr, Addr)>,
    /// Forked Instance Identifier.
    pub fii: Option<u32>,
    /// Keepalive Timeout, in seconds (RFC 5534 section 5.3).
    pub keepalive_timeout_s: Option<u16>,
    /// Where in the message an option begins that is critical and not understood, or not
    /// listed for this message: "the rest of the message MUST NOT be processed".
    pub unknown_critical: Option<usize>,
    /// Where in the message the Locator List's methods begin (for Error code 2).
    pub methods_at: usize,
    /// Where in the message the Locator Preferences option begins (codes 3 and 4).
    pub preferences_at: usize,
}

impl<'a> Options<'a> {
    /// Reads the options of `message`, which begin at `start`.
    pub(super) fn parse(message: &'a [u8], start: usize, kind: Type) -> Result<Self, ParseError> {
        let mut options = Options::default();
        let mut at = start;
        while at < message.len() {
            let rest = message.get(at..).ok_or(ParseError::OptionLength)?;
            let head = u16_at(rest, 0).ok_or(ParseError::OptionLength)?;
            let length = u16_at(rest, 2).ok_or(ParseError::OptionLength)?;
            let option = rest.get(..total_len(length)).ok_or(ParseError::OptionLength)?;
            let contents =
                option.get(4..4 + usize::from(length)).ok_or(ParseError::OptionLength)?;
            let (number, critical) = (head >> 1, head & 1 != 0);
            if !listed(kind, number) {
                if critical && options.unknown_critical.is_none() {
                    options.unknown_critical = Some(at);
                }
            } else if options.unknown_critical.is_none() {
                options.take(number, contents, at)?;
            }
            at = at.saturating_add(option.len());
        }
        Ok(options)
    }

    fn take(&mut self, number: u16, contents: &'a [u8], at: usize) -> Result<(), ParseError> {
        let bad = ParseError::OptionContents;
        match number {
            number::RESPONDER_VALIDATOR => once(&mut self.validator, contents),
            number::LOCATOR_LIST => {
                self.methods_at = at.saturating_add(9);
                once(&mut self.locators, LocatorList::parse(contents)?)
            }
            number::LOCATOR_PREFERENCES => {
                self.preferences_at = at;
                once(&mut self.preferences, PreferenceList::parse(contents)?)
            }
            number::PDS => once(&mut self.pds, contents),
            number::SIGNATURE => once(&mut self.signature, contents),
            number::ULID_PAIR if contents.len() == 36 => {
                let sender = addr_at(contents, 4).ok_or(bad)?;
                let receiver = addr_at(contents, 20).ok_or(bad)?;
                once(&mut self.ulids, (sender, receiver))
            }
            number::FII if contents.len() == 4 => {
                once(&mut self.fii, u32_at(contents, 0).ok_or(bad)?)
            }
            number::KEEPALIVE_TIMEOUT if contents.len() == 4 => {
                once(&mut self.keepalive_timeout_s, u16_at(contents, 2).ok_or(bad)?)
            }
            _ => Err(bad),
        }
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), ParseError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ParseError::OptionTwice),
    }
}

/// Whether an option is defined for a message (RFC 5533 sections 5.4 to 5.11, RFC 5534
/// section 5.3: Keepalive Timeout "MAY be sent in the I2, I2bis, R2, or UPDATE messages").
const fn listed(kind: Type, option: u16) -> bool {
    match option {
        number::RESPONDER_VALIDATOR => {
            matches!(kind, Type::R1 | Type::I2 | Type::R1bis | Type::I2bis)
        }
        number::LOCATOR_LIST
        | number::LOCATOR_PREFERENCES
        | number::PDS
        | number::SIGNATURE
        | number::KEEPALIVE_TIMEOUT => {
            matches!(kind, Type::I2 | Type::R2 | Type::I2bis | Type::UpdateRequest)
        }
        number::ULID_PAIR | number::FII => matches!(kind, Type::I1 | Type::I2 | Type::I2bis),
        _ => false,
    }
}
