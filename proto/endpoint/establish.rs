// SPDX-License-Identifier: GPL-2.0

//! The messages of the establishment and of the recovery of contexts (RFC 5533 sections 7.9
//! to 7.20): what can be judged without a context, and which context they are for.

use super::errors::ErrorCode;
use super::{
    free_tag, insert, is_forked_out, is_full, nonces, validator, Endpoint, Meta, Received, Slot,
    Table,
};
use crate::proto::addr::{Pair, Tag, UlidPair};
use crate::proto::context::learn::{Mode, News, Reject, Speech};
use crate::proto::context::{Context, State};
use crate::proto::counter::Counter;
use crate::proto::env::{Env, Transmit};
use crate::proto::error::Cause;
use crate::proto::wire::{Body, Builder, Message, Options};

/// What I2 and I2bis have in common.
struct Request<'a> {
    ulids: UlidPair,
    peer_tag: Tag,
    initiator_nonce: u32,
    options: Options<'a>,
    bytes: &'a [u8],
}

impl Endpoint {
    /// I1 (7.9): R1, without keeping anything, or R2, if the context is there already.
    pub(super) fn i1<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        meta: &Meta<'_>,
        message: &Message<'_>,
        reply: &mut [u8],
    ) -> Received<T::Id> {
        let Body::I1 { initiator_tag, initiator_nonce } = message.body else {
            return Received::NOTHING;
        };
        env.count(Counter::RxI1);
        let Some(ulids) = own_ulids(env, meta, &message.options) else {
            return Received::NOTHING;
        };
        if !self.r1.take(env.now(), env.config().r1_per_second) {
            env.count(Counter::R1Limited);
            return Received::NOTHING;
        }
        if let Some(slot) = table.by_ulids(&ulids) {
            if slot.ctx.answers_r2(initiator_tag, &meta.src) {
                let len = slot.ctx.emit_r2(env, initiator_nonce, reply);
                let reply = len.map(|len| meta.answer(len));
                return Received { touched: Some(slot.id), reply, judge: false };
            }
        }
        Received::reply(self.r1(env, meta, &ulids, initiator_tag, initiator_nonce, reply))
    }

    /// "It copies the Initiator Nonce from the I1 message to the R1 message, generates a
    /// Responder Nonce, and calculates a Responder Validator" (7.10).
    fn r1(
        &mut self,
        env: &dyn Env,
        meta: &Meta<'_>,
        ulids: &UlidPair,
        tag: Tag,
        initiator_nonce: u32,
        reply: &mut [u8],
    ) -> Option<Transmit> {
        let responder_nonce = self.secrets.nonce(env);
        let validator = self.secrets.r1(env, responder_nonce, tag, ulids, &meta.pair())?;
        let mut message = Builder::new(reply, &Body::R1 { initiator_nonce, responder_nonce });
        message.validator(&validator);
        let len = message.finish()?;
        env.count(Counter::TxR1);
        Some(meta.answer(len))
    }

    /// R1bis (7.17), for a packet whose tag names no context here.
    pub(super) fn r1bis(
        &mut self,
        env: &dyn Env,
        meta: &Meta<'_>,
        packet_tag: Tag,
        reply: &mut [u8],
    ) -> Option<Transmit> {
        if !self.r1bis.take(env.now(), env.config().r1bis_per_second) {
            env.count(Counter::R1bisLimited);
            return None;
        }
        let responder_nonce = self.secrets.nonce(env);
        let validator = self.secrets.r1bis(env, responder_nonce, packet_tag, &meta.pair())?;
        let mut message = Builder::new(reply, &Body::R1bis { packet_tag, responder_nonce });
        message.validator(&validator);
        let len = message.finish()?;
        env.count(Counter::TxR1bis);
        Some(meta.answer(len))
    }

    /// R1 (7.11): "looks for an existing context that matches the Initiator Nonce and where
    /// the locators are contained in Ls(peer) and Ls(local)". It answers an I1, so it comes
    /// over the pair that the I1 went over.
    pub(super) fn handle_r1<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        meta: &Meta<'_>,
        message: &Message<'_>,
    ) -> Received<T::Id> {
        let Body::R1 { initiator_nonce, responder_nonce } = message.body else {
            return Received::NOTHING;
        };
        env.count(Counter::RxR1);
        let Some(slot) = opening(table, initiator_nonce, meta) else {
            env.count(Counter::R1Unexpected);
            return Received::NOTHING;
        };
        // "This option MUST be included in the R1 message."
        let Some(validator) = message.options.validator else {
            env.count(Counter::ValidatorMissing);
            return Received::NOTHING;
        };
        slot.ctx.handle_r1(env, responder_nonce, validator);
        Received::touched(slot.id)
    }

    /// I2 (7.13).
    pub(super) fn i2<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        meta: &Meta<'_>,
        message: &Message<'_>,
        reply: &mut [u8],
    ) -> Received<T::Id> {
        let Body::I2 { initiator_tag, initiator_nonce, responder_nonce } = message.body else {
            return Received::NOTHING;
        };
        meta.count(env, Counter::RxI2);
        let options = message.options;
        let Some(ulids) = own_ulids(env, meta, &options) else {
            return Received::NOTHING;
        };
        let ours = self.secrets.r1(env, responder_nonce, initiator_tag, &ulids, &meta.pair());
        if !is_validated(env, ours.as_ref().map(<[u8; 20]>::as_slice), &options) {
            return Received::NOTHING;
        }
        let bytes = message.bytes;
        let request = Request { ulids, peer_tag: initiator_tag, initiator_nonce, options, bytes };
        self.validated(env, table, meta, &request, reply)
    }

    /// I2bis (7.20).
    pub(super) fn i2bis<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        meta: &Meta<'_>,
        message: &Message<'_>,
        reply: &mut [u8],
    ) -> Received<T::Id> {
        let Body::I2bis { initiator_tag, initiator_nonce, responder_nonce, packet_tag } =
            message.body
        else {
            return Received::NOTHING;
        };
        meta.count(env, Counter::RxI2bis);
        let options = message.options;
        let Some(ulids) = own_ulids(env, meta, &options) else {
            return Received::NOTHING;
        };
        let ours = self.secrets.r1bis(env, responder_nonce, packet_tag, &meta.pair());
        if !is_validated(env, ours.as_ref().map(<[u8; 12]>::as_slice), &options) {
            return Received::NOTHING;
        }
        let bytes = message.bytes;
        let request = Request { ulids, peer_tag: initiator_tag, initiator_nonce, options, bytes };
        self.validated(env, table, meta, &request, reply)
    }

    /// An I2 or I2bis that answers an R1 or R1bis of ours: its sender is where it says.
    #[inline(never)] // The list on the stack: in a frame of its own.
    fn validated<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        meta: &Meta<'_>,
        request: &Request<'_>,
        reply: &mut [u8],
    ) -> Received<T::Id> {
        let ulid = request.ulids.pair.peer;
        let id = table.by_ulids(&request.ulids).map(|slot| slot.id);
        // What the default context knows of the peer's locators, its forks know as well.
        let mut slot = match id {
            Some(id) => table.get(id),
            None => default_of(table, &request.ulids),
        };
        let old = slot.as_mut().map(|slot| slot.ctx.peer_locators()).unwrap_or_default();
        let known = meta.src == ulid || old.iter().any(|l| l.addr == meta.src && l.is_verified());
        let mut news = News::default();
        let (options, ulid, mode) = (&request.options, &ulid, Mode::Establish);
        let speech = Speech { options, ulid, old, verdict: meta.verdict, mode };
        if let Err(reject) = news.read(env, &speech) {
            return self.reject(env, meta, request, reject, reply);
        }
        // "Verifies if the source locator is included in Ls(peer) or in the Locator List
        // contained in the I2 message and that the HBA/CGA verification for this specific
        // locator is successful." The text asks it of existing contexts only; a new one
        // would have no use for a locator that it may not send to.
        if !known && !news.proves(&meta.src) {
            env.count(Counter::RxSourceNotLocator);
            return Received::NOTHING;
        }
        remove_confused(env, table, &request.ulids, request.peer_tag, &news);
        let id = match id {
            Some(id) => update(env, table, id, meta, request, &mut news),
            None => create(env, table, meta, request, &mut news),
        };
        let slot = id.and_then(|id| table.get(id));
        let Some(slot) = slot else { return Received::NOTHING };
        let len = slot.ctx.emit_r2(env, request.initiator_nonce, reply);
        Received { touched: Some(slot.id), reply: len.map(|len| meta.answer(len)), judge: false }
    }

    fn reject<Id>(
        &mut self,
        env: &dyn Env,
        meta: &Meta<'_>,
        request: &Request<'_>,
        reject: Reject,
        reply: &mut [u8],
    ) -> Received<Id> {
        if reject == Reject::Unjudged {
            return self.judge(env, meta);
        }
        env.count(reject.counter());
        match reject {
            Reject::Method(place) => {
                let at = request.options.methods_at.saturating_add(usize::from(place));
                let code = ErrorCode::VerificationMethod;
                Received::reply(self.error(env, meta, request.bytes, code, at, reply))
            }
            _ => Received::NOTHING,
        }
    }

    /// R2 (7.16).
    #[inline(never)] // The list on the stack: in a frame of its own.
    pub(super) fn r2<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        meta: &Meta<'_>,
        message: &Message<'_>,
        reply: &mut [u8],
    ) -> Received<T::Id> {
        let Body::R2 { responder_tag, initiator_nonce } = message.body else {
            return Received::NOTHING;
        };
        meta.count(env, Counter::RxR2);
        let Some(slot) = opening(table, initiator_nonce, meta) else {
            env.count(Counter::R2Unexpected);
            return Received::NOTHING;
        };
        let (id, ulids) = (slot.id, *slot.ctx.ulids());
        let old = slot.ctx.peer_locators();
        let (ulid, options) = (&ulids.pair.peer, &message.options);
        let mut news = News::default();
        let (verdict, mode) = (meta.verdict, Mode::Establish);
        if let Err(reject) = news.read(env, &Speech { options, ulid, old, verdict, mode }) {
            let (peer_tag, options, bytes) = (responder_tag, message.options, message.bytes);
            let request = Request { ulids, peer_tag, initiator_nonce, options, bytes };
            return self.reject(env, meta, &request, reject, reply);
        }
        remove_confused(env, table, &ulids, responder_tag, &news);
        if let Some(slot) = table.get(id) {
            let before = slot.ctx.peer_tag();
            let done =
                slot.ctx.handle_r2(env, slot.activity, responder_tag, &mut news, meta.pair());
            let after = slot.ctx.peer_tag();
            if done.is_err() {
                env.count(Counter::OutOfMemory);
            }
            table.peer_tag_changed(id, before, after);
        }
        Received::touched(id)
    }

    /// R1bis (7.18): "Packet Context Tag matches CT(peer) and where the locators match
    /// Lp(peer) and Lp(local)". The packet that asked for it may have been a probe of another
    /// pair, so any pair of the context is accepted. One whose own end left the list since
    /// then is none: nothing was lost, and no I2bis from there would be believed (7.20).
    pub(super) fn handle_r1bis<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        meta: &Meta<'_>,
        message: &Message<'_>,
    ) -> Received<T::Id> {
        let Body::R1bis { packet_tag, responder_nonce } = message.body else {
            return Received::NOTHING;
        };
        env.count(Counter::RxR1bis);
        let found = table.by_peer_tag(packet_tag, &mut |ctx| {
            ctx.is_peer(&meta.src)
                && ctx.may_speak_from(env, &meta.dst)
                && ctx.state() == State::Established
        });
        let Some(slot) = found else {
            env.count(Counter::R1bisUnexpected);
            return Received::NOTHING;
        };
        if !slot.ctx.may_recover(env) {
            env.count(Counter::R1bisRepeated);
            return Received::NOTHING;
        }
        let (id, tag) = (slot.id, slot.ctx.local_tag());
        let Some(validator) = message.options.validator else {
            env.count(Counter::ValidatorMissing);
            return Received::NOTHING;
        };
        let Some(nonce) = nonces::claim(env, table, tag) else {
            env.count(Counter::PendingLimit);
            return Received::NOTHING;
        };
        if let Some(slot) = table.get(id) {
            slot.ctx.handle_r1bis(env, nonce, meta.pair(), responder_nonce, validator);
        }
        Received::touched(id)
    }
}

/// The name of the context that a message is for: "If there is no ULID-pair option, then the
/// ULID pair is taken from the Source and Destination fields in the IPv6 header. If there is
/// no FII option in the message, then the FII value is taken to be zero." `None` if that is
/// not one of ours, the message came to an address that is not of that ULID's set, or the policy
/// denies it; which is counted.
fn own_ulids(env: &dyn Env, meta: &Meta<'_>, options: &Options<'_>) -> Option<UlidPair> {
    let (peer, local) = options.ulids.unwrap_or((meta.src, meta.dst));
    let ours = env.local_set(&local).is_some_and(|s| s.is_ulid(&local) && s.contains(&meta.dst));
    if !ours || !peer.is_eligible() || peer == local {
        env.count(Counter::RxNotOurUlid);
        return None;
    }
    let pair = Pair { local, peer };
    if !env.permits(&pair) {
        env.count(Counter::PolicyDenied);
        return None;
    }
    Some(UlidPair { pair, fii: options.fii.unwrap_or(0) })
}

/// "The host verifies that the Responder Nonce is a recent one [...] and that the Responder
/// Validator option matches the validator the host would have computed" (7.13). `ours` is
/// `None` if the nonce is not recent.
fn is_validated(env: &dyn Env, ours: Option<&[u8]>, options: &Options<'_>) -> bool {
    let cause = match (ours, options.validator) {
        (_, None) => Counter::ValidatorMissing,
        (None, _) => Counter::ValidatorStale,
        (Some(ours), Some(theirs)) if !validator::same(ours, theirs) => Counter::ValidatorWrong,
        _ => return true,
    };
    env.count(cause);
    false
}

/// The context that waits for an R1 or R2 with this nonce over this pair.
fn opening<'t, T: Table>(
    table: &'t mut T,
    nonce: u32,
    meta: &Meta<'_>,
) -> Option<Slot<'t, T::Id, T::Store>> {
    let tag = nonces::find(table, nonce)?;
    table.by_tag(tag).filter(|slot| slot.ctx.is_opening(nonce, &meta.pair()))
}

/// The established default context that this one is a fork of; `None` for a default one.
fn default_of<'t, T: Table>(
    table: &'t mut T,
    ulids: &UlidPair,
) -> Option<Slot<'t, T::Id, T::Store>> {
    let default = UlidPair { fii: 0, ..*ulids };
    (ulids.fii != 0).then(|| table.by_ulids(&default))?.filter(|slot| slot.ctx.is_active())
}

/// Context confusion (7.15): other contexts in ESTABLISHED or I2BIS-SENT with the same
/// CT(peer) and a locator in common are of the same peer, which has lost them: "The old context
/// that used the Context Tag MUST be removed". A locator that is not proved is nobody's.
fn remove_confused<T: Table>(
    env: &dyn Env,
    table: &mut T,
    ulids: &UlidPair,
    peer_tag: Tag,
    news: &News,
) {
    let proved = || news.locators().iter().filter(|l| l.is_verified());
    loop {
        let confused = table.by_peer_tag(peer_tag, &mut |ctx| {
            let common = ctx.is_peer(&ulids.pair.peer) || proved().any(|l| ctx.is_peer(&l.addr));
            ctx.ulids() != ulids && common
        });
        let Some(id) = confused.map(|slot| slot.id) else { return };
        env.count(Counter::ContextConfused);
        table.remove(id);
    }
}

/// "The host updates the context information (CT(peer), Ls(peer)) with the data contained in
/// the I2 message."
fn update<T: Table>(
    env: &dyn Env,
    table: &mut T,
    id: T::Id,
    meta: &Meta<'_>,
    request: &Request<'_>,
    news: &mut News,
) -> Option<T::Id> {
    let slot = table.get(id)?;
    let before = slot.ctx.peer_tag();
    let done = slot.ctx.handle_i2(env, slot.activity, request.peer_tag, news, meta.pair());
    let after = slot.ctx.peer_tag();
    table.peer_tag_changed(id, before, after);
    if done.is_err() {
        env.count(Counter::OutOfMemory);
        return None;
    }
    Some(id)
}

fn create<T: Table>(
    env: &dyn Env,
    table: &mut T,
    meta: &Meta<'_>,
    request: &Request<'_>,
    news: &mut News,
) -> Option<T::Id> {
    // One that failed a moment ago, and was not removed yet, makes room.
    if let Some(dead) = table.by_ulids(&request.ulids).map(|slot| slot.id) {
        table.remove(dead);
    }
    let (ulids, peer_tag) = (request.ulids, request.peer_tag);
    if is_full(env, table, &meta.src) || (ulids.fii != 0 && is_forked_out(env, table)) {
        return None;
    }
    let tag = free_tag(env, table)?;
    let base = default_of(table, &ulids);
    let of = base.as_ref().map(|slot| &*slot.ctx);
    let new = Context::responder(env, ulids, of, tag, peer_tag, news, meta.pair()).ok();
    new.and_then(|ctx| insert(env, table, ctx))
}
