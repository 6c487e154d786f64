// SPDX-License-Identifier: GPL-2.0

//! Update Request, Update Acknowledgement, Keepalive and Probe: messages that carry the
//! receiver's tag (RFC 5533 sections 10.4, 10.5 and 12.4, RFC 5534 section 5).

use super::errors::ErrorCode;
use super::{Endpoint, Meta, Received, Slot, Table};
use crate::proto::addr::Tag;
use crate::proto::context::learn::Reject;
use crate::proto::context::State;
use crate::proto::counter::Counter;
use crate::proto::env::{Env, Transmit};
use crate::proto::error::Cause;
use crate::proto::wire::{Body, Message};

/// Which message it is, for the counters, and CT(local) in it.
fn receiver_tag(body: &Body<'_>) -> Option<(Tag, Counter)> {
    match *body {
        Body::UpdateRequest { tag, .. } => Some((tag, Counter::RxUpdate)),
        Body::UpdateAck { tag, .. } => Some((tag, Counter::RxUpdateAck)),
        Body::Keepalive { tag } => Some((tag, Counter::RxKeepalive)),
        Body::Probe { tag, .. } => Some((tag, Counter::RxProbe)),
        _ => None,
    }
}

impl Endpoint {
    /// "Deliver to the context with CT(local) equal to the Receiver Context Tag included in
    /// the packet. Verify that the IPv6 Source Address field is part of Ls(peer) and that the
    /// IPv6 Destination Address field is part of Ls(local). If not, send an R1bis message."
    pub(super) fn session<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        meta: &Meta<'_>,
        message: &Message<'_>,
        reply: &mut [u8],
    ) -> Received<T::Id> {
        let Some((tag, counter)) = receiver_tag(&message.body) else { return Received::NOTHING };
        meta.count(env, counter);
        let Some(slot) = table.by_tag(tag) else {
            env.count(Counter::ControlUnknownTag);
            return Received::reply(self.r1bis(env, meta, tag, reply));
        };
        let set = env.local_set(&slot.ctx.ulids().pair.local);
        let listed = slot.ctx.peer_locators().iter().find(|l| l.addr == meta.src);
        match listed {
            Some(locator) if set.is_some_and(|set| set.contains(&meta.dst)) => {
                // Listed, but not proved: nothing to recover, nothing to believe.
                if !locator.is_verified() {
                    env.count(Counter::RxSourceNotLocator);
                    return Received::NOTHING;
                }
            }
            _ => {
                env.count(Counter::RxSourceNotLocator);
                return Received::reply(self.r1bis(env, meta, tag, reply));
            }
        }
        match slot.ctx.state() {
            State::Established => self.deliver(env, slot, meta, message, reply),
            // 10.4: "If I1-SENT, discard the message"; "If I2-SENT, send I2"; "If I2BIS-SENT,
            // send I2bis". Without CT(peer), or with one that the peer does not know any
            // more, there is nothing else to do. A Keepalive or Probe is valid for "a Shim6
            // context that is in state ESTABLISHED" only.
            _ => {
                env.count(Counter::ControlEarly);
                if counter == Counter::RxUpdate {
                    slot.ctx.nudge();
                }
                Received::touched(slot.id)
            }
        }
    }

    fn deliver<Id: Copy, S: crate::proto::locator::LocatorStore>(
        &mut self,
        env: &dyn Env,
        slot: Slot<'_, Id, S>,
        meta: &Meta<'_>,
        message: &Message<'_>,
        reply: &mut [u8],
    ) -> Received<Id> {
        let Slot { id, ctx, activity } = slot;
        let mut sent = None;
        match message.body {
            Body::Keepalive { .. } => ctx.handle_keepalive(env, activity),
            Body::Probe { ref probe, .. } => ctx.handle_probe(env, activity, probe),
            Body::UpdateAck { nonce, .. } => ctx.handle_update_ack(env, activity, nonce),
            Body::UpdateRequest { nonce, .. } => {
                let said = (&message.options, meta.verdict);
                match ctx.handle_update(env, activity, nonce, said, reply) {
                    // To a pair that works: the source of the request may be a locator that
                    // no probe confirmed.
                    Ok(len) => {
                        let pair = ctx.tx_pair();
                        sent = len.map(|len| Transmit { src: pair.local, dst: pair.peer, len });
                    }
                    Err(Reject::Unjudged) => return self.judge(env, meta),
                    Err(reject) => {
                        sent = self.refuse_update(env, meta, message, reject, reply);
                    }
                }
            }
            _ => {}
        }
        Received { touched: Some(id), reply: sent, judge: false }
    }

    /// 10.4: the Errors that answer an Update Request.
    fn refuse_update(
        &mut self,
        env: &dyn Env,
        meta: &Meta<'_>,
        message: &Message<'_>,
        reject: Reject,
        reply: &mut [u8],
    ) -> Option<Transmit> {
        env.count(reject.counter());
        let options = &message.options;
        let (code, at) = match reject {
            Reject::Method(place) | Reject::Unverified(place) => (
                ErrorCode::VerificationMethod,
                options.methods_at.saturating_add(usize::from(place)),
            ),
            // "The Pointer field referring to the first octet in the Locator List Generation
            // number in the Locator Preference option."
            Reject::Generation => (ErrorCode::Generation, options.preferences_at.saturating_add(4)),
            // "The Pointer field referring to the first octet of the Length field in the
            // Locator Preference option."
            Reject::PreferenceCount => {
                (ErrorCode::PreferenceCount, options.preferences_at.saturating_add(2))
            }
            _ => return None,
        };
        self.error(env, meta, message.bytes, code, at, reply)
    }
}
