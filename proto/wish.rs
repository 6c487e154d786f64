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

/// What an application noticed of its path (RFC 6316 section 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// It works: evidence of reachability, as a packet of the peer's.
    Satisfactory,
    /// It does not reach the peer, or works badly.
    Negative,
}
