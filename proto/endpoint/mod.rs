// SPDX-License-Identifier: GPL-2.0

//! What a host is to Shim6 besides its contexts: it answers without state, finds the
//! context of a message (RFC 5533 section 12), and keeps the caps. One per namespace.

pub mod table;

pub use table::{Full, Slot, Table};

use crate::proto::addr::{Addr, Tag, UlidPair};
use crate::proto::env::{Env, Transmit};

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
pub struct Meta<'a> {
    /// The IPv6 source address.
    pub src: Addr,
    /// The IPv6 destination address.
    pub dst: Addr,
    /// The octets of the packet before the message, from its IPv6 header on: an Error
    /// message carries them back. May be empty.
    pub head: &'a [u8],
}

/// What [`Endpoint`] did. If `touched` is there, drain that context.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Received<Id> {
    /// The context that was created or changed.
    pub touched: Option<Id>,
    /// A message in the `reply` buffer: R1, R1bis, R2 or Error.
    pub reply: Option<Transmit>,
}

/// Why a context is not set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is one already.
    Exists,
    /// An address is not one that may be shimmed (ours is in no set, or it is a
    /// multicast, link-local, ... address).
    Address,
    /// As many as `max_contexts` or `max_pending` allow.
    TooMany,
    /// No memory, or no free tag.
    NoMemory,
}

/// What an ICMPv6 error says, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpError {
    /// Parameter Problem code 1, "Unrecognized Next Header type", the pointer at a Shim6
    /// header's number.
    UnrecognizedNextHeader,
    /// Destination Unreachable with code 0, 1, 2, 3, 5 or 6, or Time Exceeded: those that
    /// "should be processed by the Shim6 layer" (RFC 5533 section 8).
    Unreachable,
}

/// The host.
#[derive(Debug)]
pub struct Endpoint {
    secret: [u8; 32],
}

impl Endpoint {
    /// A host that has just started.
    pub fn new(_env: &dyn Env) -> Endpoint {
        Endpoint { secret: [0; 32] }
    }

    /// A control message (P = 0) arrived; `msg` begins with it and ends where the packet
    /// ends. Any answer that belongs to no context is written into `reply`
    /// ([`crate::proto::wire::MAX_MESSAGE`] octets).
    pub fn receive<T: Table>(
        &mut self,
        _env: &dyn Env,
        _table: &mut T,
        _meta: Meta<'_>,
        _msg: &[u8],
        _reply: &mut [u8],
    ) -> Received<T::Id> {
        Received { touched: None, reply: None }
    }

    /// A payload extension header arrived whose tag no context has, or whose locators are not
    /// its context's: R1bis, rate limited (RFC 5533 sections 7.17 and 12.2).
    pub fn payload_without_context(
        &mut self,
        _env: &dyn Env,
        _src: Addr,
        _dst: Addr,
        _tag: Tag,
        _reply: &mut [u8],
    ) -> Option<Transmit> {
        None
    }

    /// Begins to set up a context (RFC 5533 section 7.7). Drain it afterwards.
    pub fn initiate<T: Table>(
        &mut self,
        _env: &dyn Env,
        _table: &mut T,
        _ulids: UlidPair,
    ) -> Result<T::Id, Refused> {
        Err(Refused::NoMemory)
    }

    /// An ICMPv6 error arrived about `packet` (from its IPv6 header on, as much as there
    /// is): for the context that sent it, a hint or NO-SUPPORT.
    pub fn icmp_error<T: Table>(
        &mut self,
        _env: &dyn Env,
        _table: &mut T,
        _what: IcmpError,
        _packet: &[u8],
    ) -> Option<T::Id> {
        None
    }
}
