// SPDX-License-Identifier: GPL-2.0

//! From a packet to the context it is for (RFC 5533 sections 12.3 and 12.4).

use super::validator::Subject;
use super::{
    allocate_tag, insert, nonces, sent_pair, transmit, Arrived, Endpoint, Meta, Received, Slot,
    Table,
};
use crate::proto::addr::{Addr, Pair, Tag, UlidPair};
use crate::proto::context::{Context, Reject, State};
use crate::proto::counter::Counter;
use crate::proto::env::{Env, Transmit};
use crate::proto::error::Cause;
use crate::proto::reap::activity::Activity;
use crate::proto::wire::{Body, Builder, Message, Options, Type, IPV6_HEADER, MAX_LOCATORS};

/// Error codes (RFC 5533 table 2).
mod code {
    pub(super) const UNKNOWN_TYPE: u8 = 0;
    pub(super) const CRITICAL_OPTION: u8 = 1;
    pub(super) const VERIFICATION: u8 = 2;
    pub(super) const GENERATION: u8 = 3;
    pub(super) const PREFERENCE_COUNT: u8 = 4;
}

impl Endpoint {
    /// A control message (P = 0) arrived; `msg` begins with it and ends where the packet
    /// ends. Any answer that belongs to no context is written into `reply`
    /// ([`crate::proto::wire::MAX_MESSAGE`] octets).
    pub fn receive<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        meta: Meta<'_>,
        msg: &[u8],
        reply: &mut [u8],
    ) -> Received<T::Id> {
        env.count(Counter::RxControl);
        // "neither the IPv6 Destination field nor the IPv6 Source field is a multicast
        // address or an unspecified address" (section 12.3).
        let bad = |a: &Addr| a.is_multicast() || a.is_unspecified();
        if bad(&meta.src) || bad(&meta.dst) {
            env.count(Counter::RxBadAddress);
            return Received::nothing();
        }
        match Message::parse(msg) {
            Ok(message) => {
                let arrived = Arrived { meta, message: message.bytes };
                self.dispatch(env, table, &arrived, &message, reply)
            }
            Err(error) => {
                env.count(error.counter());
                Received::nothing()
            }
        }
    }

    fn dispatch<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        arrived: &Arrived<'_>,
        message: &Message<'_>,
        reply: &mut [u8],
    ) -> Received<T::Id> {
        let pair = arrived.meta.pair();
        count_type(env, message.kind());
        if let Some(at) = message.options.unknown_critical {
            env.count(Counter::RxCriticalOption);
            let error = self.emit_error(env, arrived, code::CRITICAL_OPTION, at, reply);
            return Received::reply(error);
        }
        let options = &message.options;
        match message.body {
            Body::I1 { initiator_tag: tag, initiator_nonce: nonce } => {
                self.on_i1(env, table, Opening { pair, tag, nonce, options }, reply)
            }
            Body::R1 { initiator_nonce, responder_nonce } => {
                match find_nonce(env, table, &pair, initiator_nonce) {
                    None => unmatched(env),
                    Some(Slot { id, ctx, .. }) => {
                        finish(env, id, ctx.on_r1(env, pair, responder_nonce, options))
                    }
                }
            }
            Body::I2 { initiator_tag: tag, initiator_nonce: nonce, responder_nonce } => {
                let ulids = ulids_of(options, &pair);
                let subject = Subject::Establish(&ulids, tag, &pair);
                if !self.validators.check(env, responder_nonce, subject, options.validator) {
                    env.count(Counter::RxValidator);
                    return Received::nothing();
                }
                on_i2(env, table, Opening { pair, tag, nonce, options })
            }
            Body::R2 { responder_tag, initiator_nonce } => {
                let Some(slot) = find_nonce(env, table, &pair, initiator_nonce) else {
                    return unmatched(env);
                };
                let Slot { id, ctx, activity } = slot;
                let (ulids, from) = (*ctx.ulids(), ctx.peer_tag());
                let result = ctx.on_r2(env, activity, pair, responder_tag, options);
                if result.is_ok() {
                    table.peer_tag_changed(id, from, Some(responder_tag));
                    resolve_confusion(env, table, &ulids, responder_tag);
                }
                finish(env, id, result)
            }
            Body::R1bis { packet_tag, responder_nonce } => {
                match table.by_peer_tag(packet_tag, &mut |c| c.has_pair(env, &pair)) {
                    None => unmatched(env),
                    Some(Slot { id, ctx, .. }) => {
                        let result = ctx.on_r1bis(env, pair, responder_nonce, options);
                        let (nonce, tag) = (ctx.initiator_nonce(), ctx.local_tag());
                        nonces::note(table.nonce_index(), nonce, tag);
                        finish(env, id, result)
                    }
                }
            }
            Body::I2bis {
                initiator_tag: tag,
                initiator_nonce: nonce,
                responder_nonce,
                packet_tag,
            } => {
                let subject = Subject::Recover(packet_tag, &pair);
                if !self.validators.check(env, responder_nonce, subject, options.validator) {
                    env.count(Counter::RxValidator);
                    return Received::nothing();
                }
                on_i2(env, table, Opening { pair, tag, nonce, options })
            }
            Body::UpdateRequest { tag, nonce } => {
                self.for_context(env, table, arrived, tag, reply, |context, activity| {
                    context.on_update(env, activity, pair, nonce, options)
                })
            }
            Body::UpdateAck { tag, nonce } => {
                self.for_context(env, table, arrived, tag, reply, |context, activity| {
                    context.on_update_ack(env, activity, nonce)
                })
            }
            Body::Keepalive { tag } => {
                self.for_context(env, table, arrived, tag, reply, |context, activity| {
                    context.on_keepalive(env, activity)
                })
            }
            Body::Probe { tag, ref probe } => {
                self.for_context(env, table, arrived, tag, reply, |context, activity| {
                    context.on_probe(env, activity, pair, probe)
                })
            }
            Body::Error { code, packet: quoted, .. } => on_error(env, table, code, quoted),
            // "If the packet contains a shim message type that is unknown to the receiver,
            // then a Shim6 Error message with Error Code=0 is generated and sent back. The
            // Pointer field is set to point at the first octet of the shim message type."
            Body::Unknown { .. } => {
                Received::reply(self.emit_error(env, arrived, code::UNKNOWN_TYPE, 2, reply))
            }
        }
    }

    /// Section 7.9.
    fn on_i1<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        i1: Opening<'_>,
        reply: &mut [u8],
    ) -> Received<T::Id> {
        let ulids = ulids_of(i1.options, &i1.pair);
        if let Some(slot) = table.by_ulids(&ulids) {
            let listed = i1.options.ulids.is_none() || slot.ctx.has_pair(env, &i1.pair);
            let same = slot.ctx.peer_tag() == Some(i1.tag);
            // In I1-SENT, I2-SENT and I2BIS-SENT "the host leaves CT(peer) unchanged and
            // replies with an R2 message"; in ESTABLISHED so if the tags match.
            if slot.ctx.state() != State::Established || (listed && same) {
                slot.ctx.answer_r2(i1.pair, i1.nonce);
                return Received::touched(slot.id);
            }
        }
        if env.local_set(&ulids.pair.local).is_none() || !ulids.pair.peer.is_eligible() {
            env.count(Counter::RxNotOurUlid);
            return Received::nothing();
        }
        Received::reply(self.emit_r1(env, &ulids, &i1, reply))
    }

    /// Section 7.10: "No state is created on the host in this case."
    fn emit_r1(
        &mut self,
        env: &dyn Env,
        ulids: &UlidPair,
        i1: &Opening<'_>,
        reply: &mut [u8],
    ) -> Option<Transmit> {
        if !self.r1.take(env.now(), env.config().r1_per_second) {
            env.count(Counter::R1Limited);
            return None;
        }
        let responder_nonce = self.validators.nonce(env);
        let subject = Subject::Establish(ulids, i1.tag, &i1.pair);
        let validator = self.validators.make(env, responder_nonce, subject);
        let mut m = Builder::new(reply, &Body::R1 { initiator_nonce: i1.nonce, responder_nonce });
        m.validator(&validator);
        let len = m.finish()?;
        env.count(Counter::TxR1);
        Some(transmit(i1.pair, len))
    }

    /// "Other control messages (Update, Keepalive, Probe): Deliver to the context with
    /// CT(local) equal to the Receiver Context Tag [...]. Verify that the IPv6 Source
    /// Address field is part of Ls(peer) and that the IPv6 Destination Address field is
    /// part of Ls(local). If not, send an R1bis message." (section 12.4)
    fn for_context<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        arrived: &Arrived<'_>,
        tag: Tag,
        reply: &mut [u8],
        act: impl FnOnce(&mut Context<T::Store>, &Activity) -> Result<(), Reject>,
    ) -> Received<T::Id> {
        let pair = arrived.meta.pair();
        let missing = match table.by_tag(tag) {
            None => Counter::RxUnknownTag,
            Some(slot) if !slot.ctx.has_pair(env, &pair) => Counter::RxForeignLocator,
            Some(Slot { id, ctx, activity }) => {
                let result = act(ctx, activity);
                let answer = result.err().and_then(|r| self.answer_reject(env, arrived, r, reply));
                return Received { reply: answer, ..finish(env, id, result) };
            }
        };
        env.count(missing);
        let Meta { src, dst, .. } = arrived.meta;
        Received::reply(self.payload_without_context(env, src, dst, tag, reply))
    }

    /// Section 10.4: which rejects of an Update Request are told to its sender.
    fn answer_reject(
        &mut self,
        env: &dyn Env,
        arrived: &Arrived<'_>,
        reject: Reject,
        reply: &mut [u8],
    ) -> Option<Transmit> {
        let options = Message::parse(arrived.message).ok()?.options;
        let (code, at) = match reject {
            Reject::Unverified(i) => (code::VERIFICATION, options.methods_at + i),
            Reject::Generation => (code::GENERATION, options.preferences_at + 4),
            Reject::PreferenceCount => (code::PREFERENCE_COUNT, options.preferences_at + 2),
            _ => return None,
        };
        self.emit_error(env, arrived, code, at, reply)
    }
}

/// What an I1, I2 or I2bis opens a context with.
#[derive(Clone, Copy)]
struct Opening<'a> {
    /// The pair it came on, from our side.
    pair: Pair,
    /// The Initiator Context Tag.
    tag: Tag,
    /// The Initiator Nonce.
    nonce: u32,
    options: &'a Options<'a>,
}

/// Sections 7.13 and 7.20, once the validator is known to be ours.
fn on_i2<T: Table>(env: &dyn Env, table: &mut T, i2: Opening<'_>) -> Received<T::Id> {
    let ulids = ulids_of(i2.options, &i2.pair);
    if env.local_set(&ulids.pair.local).is_none() || !ulids.pair.peer.is_eligible() {
        env.count(Counter::RxNotOurUlid);
        return Received::nothing();
    }
    let (id, result) = match table.by_ulids(&ulids) {
        Some(Slot { id, ctx, .. }) => {
            let from = ctx.peer_tag();
            let result = ctx.on_i2(env, i2.pair, i2.tag, i2.nonce, i2.options);
            if result.is_ok() {
                table.peer_tag_changed(id, from, Some(i2.tag));
            }
            (id, result)
        }
        None => {
            let Some(tag) = allocate_tag(env, table) else { return Received::nothing() };
            match Context::respond(env, ulids, tag, i2.pair, i2.tag, i2.nonce, i2.options) {
                Ok(context) => match insert(env, table, context) {
                    Ok(id) => (id, Ok(())),
                    Err(_) => return Received::nothing(),
                },
                Err(reject) => {
                    env.count(reject.counter());
                    return Received::nothing();
                }
            }
        }
    };
    if result.is_ok() {
        resolve_confusion(env, table, &ulids, i2.tag);
    }
    finish(env, id, result)
}

/// Section 7.15: no other context may keep the CT(peer) of the one just made or updated,
/// if they share a locator of the peer. It "MAY just discard the old context (after all,
/// the peer has discarded it)".
fn resolve_confusion<T: Table>(env: &dyn Env, table: &mut T, ulids: &UlidPair, tag: Tag) {
    let mut locators = [Addr::UNSPECIFIED; MAX_LOCATORS];
    if let Some(slot) = table.by_ulids(ulids) {
        let own = slot.ctx.peer_locators().iter().map(|l| l.addr);
        locators.iter_mut().zip(own).for_each(|(to, from)| *to = from);
    }
    let mut confused = |c: &Context<T::Store>| {
        c.ulids() != ulids
            && c.is_active()
            && c.peer_locators().iter().any(|l| locators.contains(&l.addr))
    };
    while let Some(slot) = table.by_peer_tag(tag, &mut confused) {
        let id = slot.id;
        slot.ctx.confuse(env);
        table.remove(id);
    }
}

/// "Deliver to the context with the locator pair included in the packet and the
/// Initiator Nonce included in the packet" (section 12.4, R1 and R2).
fn find_nonce<'t, T: Table>(
    env: &dyn Env,
    table: &'t mut T,
    pair: &Pair,
    nonce: u32,
) -> Option<Slot<'t, T::Id, T::Store>> {
    let ulids = UlidPair { pair: *pair, fii: 0 };
    if table.by_ulids(&ulids).is_some_and(|s| s.ctx.initiator_nonce() == nonce) {
        return table.by_ulids(&ulids);
    }
    let tag = nonces::find(table.nonce_index(), nonce)?;
    let slot = table.by_tag(tag)?;
    let ours = slot.ctx.initiator_nonce() == nonce && slot.ctx.has_pair(env, pair);
    ours.then_some(slot)
}

/// "Use the 'packet in error' for dispatching as follows. Deliver to the context with
/// CT(peer) equal to the Receiver Context Tag" (section 12.4).
fn on_error<T: Table>(env: &dyn Env, table: &mut T, code: u8, quoted: &[u8]) -> Received<T::Id> {
    // Our control messages follow the IPv6 header at once.
    let tag = quoted.get(IPV6_HEADER + 6..).and_then(|b| b.first_chunk::<6>());
    let (Some(pair), Some([a, b, c, d, e, f])) = (sent_pair(quoted), tag) else {
        env.count(Counter::RxErrorUnmatched);
        return Received::nothing();
    };
    let tag = Tag::new(u64::from_be_bytes([0, 0, *a, *b, *c, *d, *e, *f]));
    match table.by_peer_tag(tag, &mut |c| c.has_pair(env, &pair)) {
        Some(slot) => {
            slot.ctx.on_error(code);
            Received::touched(slot.id)
        }
        None => {
            env.count(Counter::RxErrorUnmatched);
            Received::nothing()
        }
    }
}

/// "If there is no ULID-pair option, then the ULID pair is taken from the Source and
/// Destination fields in the IPv6 header. If there is no FII option in the message, then
/// the FII value is taken to be zero." (section 7.9)
fn ulids_of(options: &Options<'_>, pair: &Pair) -> UlidPair {
    let pair = match options.ulids {
        Some((sender, receiver)) => Pair { local: receiver, peer: sender },
        None => *pair,
    };
    UlidPair { pair, fii: options.fii.unwrap_or(0) }
}

fn finish<Id>(env: &dyn Env, id: Id, result: Result<(), Reject>) -> Received<Id> {
    if let Err(reject) = result {
        env.count(reject.counter());
    }
    Received::touched(id)
}

fn unmatched<Id>(env: &dyn Env) -> Received<Id> {
    env.count(Counter::RxUnmatched);
    Received::nothing()
}

fn count_type(env: &dyn Env, kind: Type) {
    env.count(match kind {
        Type::I1 => Counter::RxI1,
        Type::R1 => Counter::RxR1,
        Type::I2 => Counter::RxI2,
        Type::R2 => Counter::RxR2,
        Type::R1bis => Counter::RxR1bis,
        Type::I2bis => Counter::RxI2bis,
        Type::UpdateRequest => Counter::RxUpdate,
        Type::UpdateAck => Counter::RxUpdateAck,
        Type::Keepalive => Counter::RxKeepalive,
        Type::Probe => Counter::RxProbe,
        Type::Error => Counter::RxError,
        Type::Unknown(_) => Counter::RxUnknownType,
    });
}
