// SPDX-License-Identifier: GPL-2.0

//! What a context tells the world: events for the monitor, for TCP, and for the driver.

use crate::proto::addr::Pair;
use crate::proto::time::Instant;

/// Something happened to a context. Within one call they are given in causal order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its STATE became ESTABLISHED (again, after a recovery).
    Established,
    /// The peer's locators, or what is known of them, changed.
    PeerLocators,
    /// REAP has a problem: the peer is not heard, or a hint came (RFC 5534 section 6.4).
    Exploring,
    /// REAP hears the peer, but is not sure that the peer hears us.
    InboundOk,
    /// Packets go over another pair from now on: kick TCP.
    Rehomed {
        /// The pair until now.
        from: Pair,
        /// The pair from now on.
        to: Pair,
    },
    /// REAP has no problem any more.
    Operational,
    /// The peer lost the context; it is being recovered (STATE I2BIS-SENT).
    Recovering,
    /// The context could not be set up. Remember it until then, and remove the context
    /// (STATE E-FAILED or NO-SUPPORT).
    Failed {
        /// Why.
        why: Failure,
        /// When the hold-down ends.
        hold_until: Instant,
    },
    /// Nobody used the context for a long time, or its ULID is gone: remove it.
    Gone,
}

/// Why no context came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer to I1: STATE E-FAILED, for NO_R1_HOLDDOWN_TIME.
    NoResponse,
    /// ICMPv6 "Unrecognized Next Header": STATE NO-SUPPORT, for ICMP_HOLDDOWN_TIME.
    NoSupport,
}

/// Something that suggests a problem of a context's paths, from outside REAP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// The address of the current pair's source is gone or became unusable.
    LocalAddressLost,
    /// Its link lost the carrier.
    CarrierLost,
    /// An ICMPv6 error says that the destination cannot be reached.
    IcmpUnreachable,
    /// TCP retransmitted without an answer.
    TcpTimeout,
    /// An application says that it gets no answers (RFC 6316 section 7.3).
    NegativeFeedback,
    /// An application says that it gets answers: evidence of reachability.
    PositiveFeedback,
    /// An administrator asks for an exploration.
    Asked,
}

impl Hint {
    /// Whether this host knows by itself that the path does not work.
    pub const fn is_certain(self) -> bool {
        matches!(self, Hint::LocalAddressLost | Hint::CarrierLost)
    }
}
