// SPDX-License-Identifier: GPL-2.0
//! What happens to a packet: out (RFC 5533 11), in (12), and ICMPv6 errors about ours (8).
//!
//! Nothing here sleeps, takes a lock that is shared with the control plane, allocates (beyond a
//! private copy of a header) or looks up a route for each packet. Contexts are read under RCU and
//! only time stamps are written. The order of the tests is the order of their price: a packet
//! without a context leaves after one hash.

mod cut;
mod icmp;
mod incoming;
mod outgoing;

pub(crate) use incoming::incoming;
pub(crate) use incoming::mergeable;
pub(crate) use incoming::merged;
pub(crate) use incoming::receive_slow;
pub(crate) use incoming::Slow;
pub(crate) use outgoing::outgoing;
