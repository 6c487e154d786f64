// SPDX-License-Identifier: GPL-2.0

//! Error messages (RFC 5533 section 5.14) in both directions, and ICMPv6 errors (7.8, 8).

use super::{Endpoint, Meta, Received, Slot, Table};
use crate::proto::addr::{Addr, Pair, Tag};
use crate::proto::context::{Context, Hint};
use crate::proto::counter::Counter;
use crate::proto::env::{Env, Transmit};
use crate::proto::locator::LocatorStore;
use crate::proto::wire::{Body, Builder, PayloadHeader, Type, IPV6_HEADER, MAX_MESSAGE, PROTOCOL};

/// Table 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorCode {
    UnknownType = 0,
    CriticalOption = 1,
    VerificationMethod = 2,
    Generation = 3,
    PreferenceCount = 4,
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

/// A packet of ours that somebody complains about.
struct InError<'a> {
    pair: Pair,
    /// The octets from the Shim6 header on.
    shim: &'a [u8],
}

impl<'a> InError<'a> {
    /// Looks behind the IPv6 header, and behind extension headers that may stand before
    /// Shim6 (RFC 5533 section 4.6): Hop-by-Hop, Destination Options, Routing. `None` without
    /// a Shim6 header there.
    fn parse(packet: &'a [u8]) -> Option<Self> {
        let (header, mut rest) = packet.split_at_checked(IPV6_HEADER)?;
        if header.first()? >> 4 != 6 {
            return None;
        }
        let addr = |at: usize| {
            let octets = header.get(at..)?.first_chunk::<16>()?;
            Some(Addr(*octets))
        };
        let pair = Pair { local: addr(8)?, peer: addr(24)? };
        let mut next = *header.get(6)?;
        for _ in 0..4 {
            match (next, rest) {
                (PROTOCOL, shim) => return Some(InError { pair, shim }),
                (0 | 43 | 60, [after, units, ..]) => {
                    next = *after;
                    rest = rest.get(8 + 8 * usize::from(*units)..).unwrap_or_default();
                }
                _ => return None,
            }
        }
        None
    }

    /// The payload extension header's tag: CT(peer).
    fn payload_tag(&self) -> Option<Tag> {
        PayloadHeader::parse(self.shim).map(|header| header.tag)
    }

    /// A control message's type, the 47 bits where most have CT(peer), and the 32 bits
    /// where many have a nonce. It may be cut short, so nothing else of it is looked at.
    fn control(&self) -> Option<(Type, Tag, u32)> {
        let shim = self.shim;
        let number = *shim.get(2)?;
        if number & 0x80 != 0 {
            return None;
        }
        let octets = shim.get(6..12)?.first_chunk::<6>()?;
        let tag = octets.iter().fold(0u64, |tag, octet| (tag << 8) | u64::from(*octet));
        let nonce = shim.get(12..16).and_then(|n| n.first_chunk()).map(|n| u32::from_be_bytes(*n));
        Some((Type::from_number(number), Tag::new(tag), nonce.unwrap_or(0)))
    }
}

impl Endpoint {
    /// Writes an Error message about a message whose octet `at` is wrong. "Identifies the
    /// octet offset within the invoking packet": from its IPv6 header on. "As much of
    /// invoking packet as possible without the Error message packet exceeding the minimum
    /// IPv6 MTU."
    #[inline(never)] // A packet on the stack: in a frame of its own.
    pub(super) fn error(
        &mut self,
        env: &dyn Env,
        meta: &Meta<'_>,
        message: &[u8],
        code: ErrorCode,
        at: usize,
        reply: &mut [u8],
    ) -> Option<Transmit> {
        if !self.error.take(env.now(), env.config().error_per_second) {
            env.count(Counter::ErrorLimited);
            return None;
        }
        let mut packet = [0; MAX_MESSAGE - 8];
        let octets = meta.head.iter().chain(message);
        let len = packet.iter_mut().zip(octets).map(|(to, from)| *to = *from).count();
        let pointer = u16::try_from(meta.head.len().saturating_add(at)).unwrap_or(u16::MAX);
        let packet = packet.get(..len)?;
        let body = Body::Error { code: code as u8, pointer, packet };
        let len = Builder::new(reply, &body).finish()?;
        env.count(Counter::TxError);
        Some(meta.answer(len))
    }

    /// An Error message came: obeyed if it is about something that we sent.
    pub(super) fn handle_error<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        meta: &Meta<'_>,
        code: u8,
        packet: &[u8],
    ) -> Received<T::Id> {
        env.count(Counter::RxError);
        let found = InError::parse(packet).and_then(|packet| {
            let control = packet.control()?;
            let slot = sender(env, table, &packet.pair, control)?;
            Some((slot, control))
        });
        let Some((Slot { id, ctx, .. }, (kind, _, nonce))) = found else {
            env.count(Counter::RxErrorUnmatched);
            return Received::NOTHING;
        };
        if !ctx.is_peer(&meta.src) {
            env.count(Counter::RxErrorUnmatched);
            return Received::NOTHING;
        }
        match kind {
            Type::UpdateRequest => ctx.update_refused(env, nonce, code),
            Type::I2 | Type::I2bis if code == ErrorCode::VerificationMethod as u8 => {
                ctx.list_refused(env);
            }
            _ => {}
        }
        Received::touched(id)
    }

    /// An ICMPv6 error arrived about `packet` (from its IPv6 header on, as much as there
    /// is): for the context that sent it, a hint or NO-SUPPORT. Which one that is only a tag
    /// tells: who sees no packets does not know it.
    pub fn icmp_error<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        what: IcmpError,
        packet: &[u8],
    ) -> Option<T::Id> {
        let found = InError::parse(packet).and_then(move |packet| {
            let pair = packet.pair;
            let control = packet.control();
            let slot = match control {
                Some(control) => sender(env, table, &pair, control),
                None => table.by_peer_tag(packet.payload_tag()?, &mut |ctx| ctx.tx_pair() == pair),
            };
            Some((slot?, pair, control.map(|(kind, ..)| kind)))
        });
        let Some((slot, pair, kind)) = found else {
            env.count(Counter::IcmpUnknown);
            return None;
        };
        match (what, kind) {
            (IcmpError::UnrecognizedNextHeader, Some(Type::I1)) => slot.ctx.no_support(env),
            _ => hint(env, slot.ctx, slot.activity, &pair),
        }
        Some(slot.id)
    }
}

/// What is said of another pair than the current one is old news.
fn hint<S: LocatorStore>(
    env: &dyn Env,
    ctx: &mut Context<S>,
    activity: &crate::proto::reap::activity::Activity,
    pair: &Pair,
) {
    if ctx.is_active() && ctx.tx_pair() == *pair {
        ctx.path_hint(env, activity, Hint::IcmpUnreachable);
    }
}

/// The context that sent a control message over `pair`: "Deliver to the context with CT(peer)
/// equal to the Receiver Context Tag" (12.4); of an exchange in progress, by its own tag and
/// its nonce.
fn sender<'t, T: Table>(
    env: &dyn Env,
    table: &'t mut T,
    pair: &Pair,
    (kind, tag, nonce): (Type, Tag, u32),
) -> Option<Slot<'t, T::Id, T::Store>> {
    match kind {
        Type::I1 | Type::I2 | Type::I2bis => {
            table.by_tag(tag).filter(|slot| slot.ctx.is_opening(nonce, pair))
        }
        Type::UpdateRequest | Type::UpdateAck | Type::Keepalive | Type::Probe => {
            table.by_peer_tag(tag, &mut |ctx| {
                let set = env.local_set(&ctx.ulids().pair.local);
                ctx.is_peer(&pair.peer) && set.is_some_and(|set| set.contains(&pair.local))
            })
        }
        _ => None,
    }
}
