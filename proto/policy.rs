// SPDX-License-Identifier: GPL-2.0

//! The administrator's policy: which pairs of identifiers and which of their flows the shim
//! serves, and what he likes of our own locators. RFC 5533 leaves it to the host: the heuristics
//! of section 4 "might be based on local policy".
//!
//! [`Rules`] are tried in their order, and the first that matches decides; if none does, the shim
//! serves. A rule that names a protocol or ports is about flows: it decides packet by packet, and
//! never refuses a context, which other flows of the same pair may use.

use crate::proto::addr::{Addr, Pair};
use crate::proto::locator::Preference;

/// Most rules, and most placings, of one policy.
pub const MOST: usize = 256;
/// Octets of an interface's name, with at least one zero behind it.
pub const DEVICE: usize = 16;

/// The name of an interface, zeros behind it; all zeros for none.
pub type Device = [u8; DEVICE];

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefix {
    addr: Addr,
    len: u8,
}

impl Prefix {
    /// All addresses.
    pub const ALL: Prefix = Prefix { addr: Addr::UNSPECIFIED, len: 0 };

    /// `None` if it is longer than an address, or has bits behind its length.
    pub fn new(addr: Addr, len: u32) -> Option<Prefix> {
        let behind = u128::MAX.checked_shr(len).unwrap_or(0);
        let len = u8::try_from(len).ok().filter(|len| *len <= 128)?;
        (addr.to_bits() & behind == 0).then_some(Prefix { addr, len })
    }

    /// Its first address.
    pub const fn addr(&self) -> &Addr {
        &self.addr
    }

    /// How many bits.
    pub const fn bits(&self) -> u8 {
        self.len
    }

    /// Whether an address begins with it.
    pub const fn contains(&self, addr: &Addr) -> bool {
        self.addr.common_prefix_len(*addr) >= self.len as u32
    }
}

/// What the shim may not, or may serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Whether it denies; else it allows.
    pub denies: bool,
    /// Of our identifiers.
    pub local: Prefix,
    /// Of the peer's.
    pub peer: Prefix,
    /// The protocol of a flow; 0 for all.
    pub protocol: u8,
    /// The ports of a flow, from and to: either end's has to be one of them. 0 to 65535 for all.
    pub ports: (u16, u16),
}

impl Rule {
    /// All of the ports.
    pub const ALL_PORTS: (u16, u16) = (0, u16::MAX);

    /// Whether it needs a packet to decide.
    pub const fn is_of_flows(&self) -> bool {
        self.protocol != 0 || !self.has_all_ports()
    }

    /// Whether it does not ask for ports.
    pub const fn has_all_ports(&self) -> bool {
        self.ports.0 == 0 && self.ports.1 == u16::MAX
    }

    fn is_of(&self, pair: &Pair) -> bool {
        self.local.contains(&pair.local) && self.peer.contains(&pair.peer)
    }

    fn matches(&self, pair: &Pair, flow: &Ports) -> bool {
        let (from, to) = self.ports;
        let named = |port: u16| from <= port && port <= to;
        let ports = self.has_all_ports() || flow.ports.is_some_and(|(a, b)| named(a) || named(b));
        (self.protocol == 0 || self.protocol == flow.protocol) && ports && self.is_of(pair)
    }
}

/// The protocol of a flow, and the ports of its two ends if that has some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// As in an IPv6 header.
    pub protocol: u8,
    /// Either end's.
    pub ports: Option<(u16, u16)>,
}

/// Rules in their order; the driver owns them.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a>(pub &'a [Rule]);

impl Rules<'_> {
    /// Whether there may be a context of these identifiers: some flow of theirs may be served.
    pub fn permits(&self, pair: &Pair) -> bool {
        let decides = |rule: &&Rule| !(rule.denies && rule.is_of_flows()) && rule.is_of(pair);
        self.0.iter().find(decides).is_none_or(|rule| !rule.denies)
    }

    /// Whether packets of this flow are left alone.
    pub fn denies_flow(&self, pair: &Pair, flow: &Ports) -> bool {
        self.0.iter().find(|rule| rule.matches(pair, flow)).is_some_and(|rule| rule.denies)
    }

    /// Whether packets have to be looked at.
    pub fn are_of_flows(&self) -> bool {
        self.0.iter().any(Rule::is_of_flows)
    }
}

/// What the administrator likes of the locators that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placing {
    /// Which.
    pub prefix: Prefix,
    /// Those on this interface only.
    pub device: Option<Device>,
    /// Their priority and weight; `None`: they are no locators, and no identifiers.
    pub pref: Option<Preference>,
}

impl Placing {
    /// What the first of these that matches says of an address on an interface.
    pub fn of(placings: &[Placing], addr: &Addr, device: &Device) -> Option<Preference> {
        let matches = |placing: &&Placing| {
            placing.prefix.contains(addr) && placing.device.is_none_or(|name| name == *device)
        };
        placings.iter().find(matches).map_or(Some(Preference::default()), |placing| placing.pref)
    }
}
