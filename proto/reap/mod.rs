// SPDX-License-Identifier: GPL-2.0

//! REAP, failure detection and locator pair exploration (RFC 5534).

pub mod activity;
pub mod machine;
pub mod probes;

pub use machine::{Cause, Outcome, Reap, View};

/// The state of REAP in one context (RFC 5534 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReapState {
    /// "The underlying address pairs are assumed to be operational."
    Operational,
    /// "This node hasn't seen any traffic from the peer for more than a Send Timer period."
    Exploring,
    /// "This node sees traffic from the peer, but the peer may not yet see any traffic from
    /// this node, so the exploration process needs to continue."
    InboundOk,
}
