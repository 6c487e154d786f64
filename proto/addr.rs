// SPDX-License-Identifier: GPL-2.0

//! Addresses, pairs of them, and context tags: the value types everything shares.

use core::fmt;
use zerocopy_derive::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// An IPv6 address, in network order: an identifier (ULID) or a locator.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    FromBytes,
    IntoBytes,
    KnownLayout,
    Immutable,
    Unaligned,
)]
#[repr(transparent)]
pub struct Addr(pub [u8; 16]);

const _: () = assert!(core::mem::size_of::<Addr>() == 16);

impl Addr {
    /// `::`.
    pub const UNSPECIFIED: Addr = Addr([0; 16]);

    /// The address as a number, most significant octet first.
    #[inline]
    pub const fn to_bits(self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    /// The address of a number.
    #[inline]
    pub const fn from_bits(bits: u128) -> Addr {
        Addr(bits.to_be_bytes())
    }

    /// The subnet prefix: the first 64 bits (RFC 3972 section 3).
    #[inline]
    pub const fn prefix(self) -> u64 {
        (self.to_bits() >> 64) as u64
    }

    /// The interface identifier: the last 64 bits (RFC 4291 section 2.5.1).
    #[inline]
    pub const fn interface_id(self) -> u64 {
        self.to_bits() as u64
    }

    /// The address of a prefix and an interface identifier.
    #[inline]
    pub const fn from_parts(prefix: u64, interface_id: u64) -> Addr {
        Addr::from_bits(((prefix as u128) << 64) | interface_id as u128)
    }

    /// `ff00::/8` (RFC 4291 section 2.7).
    #[inline]
    pub const fn is_multicast(self) -> bool {
        self.to_bits() >> 120 == 0xff
    }

    /// `fe80::/10` (RFC 4291 section 2.5.6).
    #[inline]
    pub const fn is_link_local(self) -> bool {
        self.to_bits() >> 118 == 0xfe80 >> 6
    }

    /// `::` (RFC 4291 section 2.5.2).
    #[inline]
    pub const fn is_unspecified(self) -> bool {
        self.to_bits() == 0
    }

    /// `::1` (RFC 4291 section 2.5.3).
    #[inline]
    pub const fn is_loopback(self) -> bool {
        self.to_bits() == 1
    }

    /// `::ffff:0:0/96` (RFC 4291 section 2.5.5.2).
    #[inline]
    pub const fn is_v4_mapped(self) -> bool {
        self.to_bits() >> 32 == 0xffff
    }

    /// Whether a shim may use it as identifier or locator: a unicast address with a
    /// scope wider than a link.
    #[inline]
    pub const fn is_eligible(self) -> bool {
        !(self.is_multicast()
            || self.is_link_local()
            || self.is_unspecified()
            || self.is_loopback()
            || self.is_v4_mapped())
    }

    /// How many leading bits two addresses share.
    #[inline]
    pub const fn common_prefix_len(self, other: Addr) -> u32 {
        (self.to_bits() ^ other.to_bits()).leading_zeros()
    }
}

impl fmt::Display for Addr {
    /// The text of RFC 5952: lower case, the longest run of zero groups as `::`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        core::net::Ipv6Addr::from(self.0).fmt(f)
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A local and a peer address: a locator pair, or the ULIDs of a context.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    FromBytes,
    IntoBytes,
    KnownLayout,
    Immutable,
    Unaligned,
)]
#[repr(C)]
pub struct Pair {
    /// Ours: the source of what we send.
    pub local: Addr,
    /// The peer's: the destination of what we send.
    pub peer: Addr,
}

const _: () = assert!(core::mem::size_of::<Pair>() == 32);

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.local, self.peer)
    }
}

/// What names a context: its ULIDs and its Forked Instance Identifier
/// (RFC 5533 section 6.1; "This is zero for the default context").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct UlidPair {
    /// ULID(local) and ULID(peer).
    pub pair: Pair,
    /// The Forked Instance Identifier.
    pub fii: u32,
}

impl UlidPair {
    /// The default context of two ULIDs.
    #[inline]
    pub const fn new(local: Addr, peer: Addr) -> UlidPair {
        UlidPair { pair: Pair { local, peer }, fii: 0 }
    }
}

/// A context tag: 47 bits (RFC 5533 section 4.1).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Tag(u64);

impl Tag {
    /// How many bits a tag has.
    pub const BITS: u32 = 47;
    /// All of them set.
    pub const MASK: u64 = (1 << Self::BITS) - 1;

    /// The tag of the low 47 bits of a number.
    #[inline]
    pub const fn new(bits: u64) -> Tag {
        Tag(bits & Self::MASK)
    }

    /// The tag as a number.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the network stack says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// No interface has it.
    Absent,
    /// Duplicate address detection has not ended yet.
    Tentative,
    /// Its interface is down or has no carrier, or another host has it as well.
    Down,
    /// It can be a source, but its preferred lifetime has ended (RFC 4862 section 5.5.4): its
    /// valid one will.
    Deprecated,
    /// It can be a source.
    Usable,
}
