// SPDX-License-Identifier: GPL-2.0

//! What an application may wish of its context, in words that the sockets API and the core
//! share (RFC 6316 sections 6 and 7.3).

use crate::proto::addr::Addr;

/// Why a wish is not granted; nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WishError {
    /// A locator that is not in the list of this context: EINVALIDLOCATOR.
    NotALocator,
    /// A locator of the peer that was never shown to be reachable: EUNVERIFIEDLOCATOR.
    Unverified,
    /// A locator of the peer that is known not to work: EUNREACHABLELOCATOR.
    Unreachable,
    /// A list that leaves nothing to send from or to: EINVALIDLOCATOR.
    Nothing,
    /// No memory.
    NoMemory,
}

/// A locator as an application names it: with priority and weight as they go to a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The address.
    pub addr: Addr,
    /// The lowest is preferred.
    pub priority: u8,
    /// Of equal priorities, the share of contexts that take it (RFC 2782).
    pub weight: u8,
}

/// SHIM_PATHEXPLORE: 0 stands for what the administrator set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explore {
    /// Number of Initial Probes.
    pub initial_probes: u32,
    /// Initial Probe Timeout in ms.
    pub initial_probe_timeout_ms: u32,
    /// Keepalive Timeout in ms; the peer's Send Timeout, when it told one, still limits it.
    pub keepalive_timeout_ms: u32,
    /// Keepalive Interval in ms.
    pub keepalive_interval_ms: u32,
}

/// The socket that a wish comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Where the driver finds it.
    pub place: u64,
    /// No other socket has this number, before or after it.
    pub serial: u64,
}

/// What a socket may wish of its context: of several sockets that share one, each of these can
/// contradict another's (RFC 6316 section 11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish<'a> {
    /// SHIM_APP_TIMEOUT: the Send Timeout in ms; 0 for the administrator's.
    SendTimeout(u32),
    /// SHIM_PATHEXPLORE.
    Explore(Explore),
    /// SHIM_HOT_STANDBY.
    HotStandby(bool),
    /// SHIM_LOC_LOCAL_PREF: one locator of ours.
    Local(Wanted),
    /// SHIM_LOC_PEER_PREF: one locator of the peer's.
    Peer(Wanted),
    /// SHIM_LOCLIST_LOCAL: of ours these only.
    Locals(&'a [Wanted]),
    /// SHIM_LOCLIST_PEER: of the peer's these only.
    Peers(&'a [Wanted]),
}

/// What becomes of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// It is in force.
    Here,
    /// Another socket that lives wished something else of this context: nothing changed, and
    /// the wish is to be granted in a context of the socket's own.
    Apart,
}

/// What an application noticed of its path (RFC 6316 section 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// It works: evidence of reachability, as a packet of the peer's.
    Satisfactory,
    /// It does not reach the peer, or works badly.
    Negative,
}
