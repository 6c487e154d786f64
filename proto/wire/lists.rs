// SPDX-License-Identifier: GPL-2.0

//! Locator Lists and Locator Preferences (RFC 5533 sections 5.15.2 and 5.15.3).

use super::read::{octets, u32_at, u8_at};
use super::{ParseError, MAX_LOCATORS};
use crate::proto::addr::Addr;

/// How a locator is proved to belong to the ULID (RFC 5533 table 4; section 17 swaps the
/// two numbers, so what counts on reception is by which method it verifies).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Hash-Based Address (RFC 5535).
    Hba,
    /// Cryptographically Generated Address (RFC 3972).
    Cga,
    /// A number nobody defined.
    Unknown(u8),
}

impl Method {
    /// The method of a number.
    pub const fn from_number(number: u8) -> Method {
        match number {
            1 => Method::Hba,
            2 => Method::Cga,
            n => Method::Unknown(n),
        }
    }

    /// The number of a method.
    pub const fn number(self) -> u8 {
        match self {
            Method::Hba => 1,
            Method::Cga => 2,
            Method::Unknown(n) => n,
        }
    }
}

/// A Locator List option. At most [`MAX_LOCATORS`] locators, all of them in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocatorList<'a> {
    /// "a generation number that is increased by one for each new locator list".
    pub generation: u32,
    methods: &'a [u8],
    locators: &'a [u8],
}

impl<'a> LocatorList<'a> {
    /// Octets of contents before the first locator, for `n` of them: generation, number,
    /// methods, and "Padding, 0-7 bytes, added if needed so that the Locators start on a
    /// multiple-of-8-octet boundary" - of the option, whose header has four octets.
    pub(super) const fn prefix_len(n: u8) -> usize {
        (4 + 5 + n as usize).next_multiple_of(8) - 4
    }

    pub(super) fn parse(contents: &'a [u8]) -> Result<Self, ParseError> {
        let bad = ParseError::OptionContents;
        let generation = u32_at(contents, 0).ok_or(bad)?;
        let n = u8_at(contents, 4).ok_or(bad)?;
        let start = Self::prefix_len(n);
        let n = usize::from(n);
        let methods = contents.get(5..5 + n).ok_or(bad)?;
        let locators = contents.get(start..).ok_or(bad)?;
        if locators.len() != 16 * n {
            return Err(bad);
        }
        if n > MAX_LOCATORS {
            return Err(ParseError::TooManyLocators);
        }
        Ok(LocatorList { generation, methods, locators })
    }

    /// How many locators there are.
    pub fn len(&self) -> usize {
        self.methods.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.methods.is_empty()
    }

    /// The locators with their methods, in the order that preferences refer to.
    pub fn iter(&self) -> impl Iterator<Item = (Addr, Method)> + 'a {
        let addrs = self.locators.chunks_exact(16).filter_map(|a| octets(a, 0).map(Addr));
        addrs.zip(self.methods.iter().map(|&m| Method::from_number(m)))
    }

    /// Whether `addr` is one of them.
    pub fn contains(&self, addr: &Addr) -> bool {
        self.iter().any(|(a, _)| a == *addr)
    }
}

/// One element of a Locator Preferences option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preference {
    /// BROKEN and TRANSIENT.
    pub flags: u8,
    /// As in DNS SRV records: the lowest is tried first (RFC 2782).
    pub priority: u8,
    /// As in DNS SRV records: the share among those of equal priority.
    pub weight: u8,
}

impl Preference {
    /// "a given locator is known to be not working".
    pub const BROKEN: u8 = 0x01;
    /// A less stable address.
    pub const TRANSIENT: u8 = 0x02;
}

/// A Locator Preferences option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreferenceList<'a> {
    /// The list the elements apply to.
    pub generation: u32,
    /// How many, and of how many octets each.
    count: usize,
    element: usize,
    elements: &'a [u8],
}

impl<'a> PreferenceList<'a> {
    pub(super) fn parse(contents: &'a [u8]) -> Result<Self, ParseError> {
        let bad = ParseError::OptionContents;
        let generation = u32_at(contents, 0).ok_or(bad)?;
        let element = usize::from(u8_at(contents, 4).ok_or(bad)?);
        let elements = contents.get(5..).ok_or(bad)?;
        let count = elements.len().checked_div(element).ok_or(bad)?;
        if elements.len().checked_rem(element) != Some(0) {
            return Err(bad);
        }
        Ok(PreferenceList { generation, count, element, elements })
    }

    /// How many elements there are: "Error in the number of locators in a Locator
    /// Preference option" if not as many as locators.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The elements; of longer ones the first three octets, which mean the same.
    pub fn iter(&self) -> impl Iterator<Item = Preference> + 'a {
        let (mut rest, len) = (self.elements, self.element);
        (0..self.count).map_while(move |_| {
            let (element, next) = rest.split_at_checked(len)?;
            rest = next;
            Some(Preference {
                flags: u8_at(element, 0)?,
                priority: u8_at(element, 1).unwrap_or(0),
                weight: u8_at(element, 2).unwrap_or(0),
            })
        })
    }
}
