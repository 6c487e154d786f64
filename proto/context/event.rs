// SPDX-License-Identifier: GPL-2.0

//! What a context tells the world: events for the monitor, for TCP, and for the driver.

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
    /// Packets go over another pair from now on, [`super::Context::tx_pair`]: kick TCP. Who gave
    /// the pair to packets knows which one they leave, if they do.
    Rehomed,
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
    /// Neighbour Unreachability Detection gave up the next hop (RFC 5534 section 3.2).
    NextHopLost,
    /// An ICMPv6 error says that the destination cannot be reached.
    IcmpUnreachable,
    /// Neither data nor probes were answered, where a pair stands by
    /// ([`crate::proto::locator::standby`]).
    Unanswered,
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

/// Events that wait for `poll_event`: each kind at most once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Events {
    waiting: u16,
    gone: bool,
}

/// The kinds, in the order in which they are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Recovering = 0,
    Established,
    PeerLocators,
    Exploring,
    InboundOk,
    Rehomed,
    Operational,
    Failed,
    Gone,
}

impl Kind {
    const ALL: [Kind; 9] = [
        Kind::Recovering,
        Kind::Established,
        Kind::PeerLocators,
        Kind::Exploring,
        Kind::InboundOk,
        Kind::Rehomed,
        Kind::Operational,
        Kind::Failed,
        Kind::Gone,
    ];
}

impl Events {
    /// Something happened.
    pub(super) fn push(&mut self, kind: Kind) {
        self.waiting |= 1 << kind as u16;
        self.gone |= kind == Kind::Gone;
    }

    /// Whether the context shall be removed.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    /// The next event.
    pub(super) fn pop(
        &mut self,
        failure: impl Fn() -> Option<(Failure, Instant)>,
    ) -> Option<Event> {
        loop {
            let kind = Kind::ALL.into_iter().find(|k| self.waiting & (1 << *k as u16) != 0)?;
            self.waiting &= !(1 << kind as u16);
            return Some(match kind {
                Kind::Recovering => Event::Recovering,
                Kind::Established => Event::Established,
                Kind::PeerLocators => Event::PeerLocators,
                Kind::Exploring => Event::Exploring,
                Kind::InboundOk => Event::InboundOk,
                Kind::Rehomed => Event::Rehomed,
                Kind::Operational => Event::Operational,
                Kind::Failed => match failure() {
                    Some((why, hold_until)) => Event::Failed { why, hold_until },
                    None => continue,
                },
                Kind::Gone => Event::Gone,
            });
        }
    }
}
