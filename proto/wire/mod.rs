// SPDX-License-Identifier: GPL-2.0

//! The wire format: RFC 5533 section 5 and RFC 5534 section 5.
//!
//! [`Message::parse`] looks at every octet once and gives a value that cannot be wrong;
//! [`Builder`] writes into the caller's buffer. Neither allocates, neither panics.

pub mod build;
pub mod header;
pub mod lists;
pub mod message;
pub mod options;
pub mod probe;
mod read;

pub use build::Builder;
pub use header::{PayloadHeader, Type};
pub use lists::{LocatorList, Method, PreferenceList};
pub use message::{Body, Message};
pub use options::Options;
pub use probe::{Probe, ProbeState, Record};

use crate::proto::counter::Counter;
use crate::proto::error::Cause;

/// The IPv6 next header number of Shim6 (RFC 5533 section 17).
pub const PROTOCOL: u8 = 140;
/// The Next Header of a control message (RFC 5533 section 5.3).
pub const NO_NEXT_HEADER: u8 = 59;
/// Octets of the IPv6 header.
pub const IPV6_HEADER: usize = 40;
/// The longest control message: "Shim6 signaling packets may not be larger than 1280
/// bytes, including the IPv6 header" (RFC 5533 section 5.1).
pub const MAX_MESSAGE: usize = 1280 - IPV6_HEADER;
/// Most locators in one list, ours or a peer's (SHIM_MAX_LOCATORS).
pub const MAX_LOCATORS: usize = 32;

/// Why a message was not understood. Such a message is dropped silently (RFC 5533
/// section 12.3) and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Its Hdr Ext Len claims "to end past the end of the IPv6 packet".
    Truncated,
    /// The P bit is set: a payload extension header, not a control message.
    Payload,
    /// It is shorter than its type needs.
    TooShort,
    /// It is longer than a signaling packet may be.
    TooLong,
    /// The checksum is wrong.
    Checksum,
    /// The S bit is set: HIP, not Shim6 (RFC 5533 section 5.3).
    NotShim6,
    /// An option runs past the end of the message.
    OptionLength,
    /// An option's contents contradict its length.
    OptionContents,
    /// An option that must be alone is there twice.
    OptionTwice,
    /// More locators than we keep.
    TooManyLocators,
    /// A probe's counts contradict its length, or its state is not one.
    ProbeContents,
}

impl Cause for ParseError {
    fn counter(&self) -> Counter {
        match self {
            ParseError::Truncated => Counter::RxBadTruncated,
            ParseError::Payload => Counter::RxBadPBit,
            ParseError::TooShort => Counter::RxBadTooShort,
            ParseError::TooLong => Counter::RxBadTooLong,
            ParseError::Checksum => Counter::RxBadChecksum,
            ParseError::NotShim6 => Counter::RxBadSBit,
            ParseError::OptionLength => Counter::RxBadOptionLength,
            ParseError::OptionContents => Counter::RxBadOptionContents,
            ParseError::OptionTwice => Counter::RxBadOptionTwice,
            ParseError::TooManyLocators => Counter::RxBadTooManyLocators,
            ParseError::ProbeContents => Counter::RxBadProbe,
        }
    }
}
