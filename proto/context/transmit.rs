// SPDX-License-Identifier: GPL-2.0

//! What a context wants to send, written into the caller's buffer.

use super::update::summary;
use super::{Context, Phase, Ticket};
use crate::proto::addr::Pair;
use crate::proto::counter::Counter;
use crate::proto::env::{Env, Transmit};
use crate::proto::locator::{LocalLocator, LocalSet, LocatorStore};
use crate::proto::reap::activity::Activity;
use crate::proto::wire::{Body, Builder, Record};
use core::iter::once;

/// The Send Timeout that needs no telling (RFC 5534 section 7).
const DEFAULT_SEND_TIMEOUT_MS: u32 = 15_000;

/// The messages that are due.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::proto::context) struct Wanted {
    /// I1, I2 or I2bis, as the STATE says.
    pub(super) establish: bool,
    /// R2, back over a pair, with the nonce it answers.
    pub(super) r2: Option<(Pair, u32)>,
    /// Update Acknowledgement, the same.
    pub(super) update_ack: Option<(Pair, u32)>,
    /// Update Request.
    pub(super) update: bool,
}

impl<S: LocatorStore> Context<S> {
    /// Writes the next message that is due into `out`; `None` when none is.
    pub fn poll_transmit(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        out: &mut [u8],
    ) -> Option<Transmit> {
        if self.fate.is_some() {
            return None;
        }
        if let Some((pair, nonce)) = self.wanted.r2.take() {
            return self.emit_r2(env, out, pair, nonce);
        }
        if core::mem::take(&mut self.wanted.establish) {
            if let Some(sent) = self.emit_exchange(env, out) {
                return Some(sent);
            }
        }
        let tag = self.peer_tag.filter(|_| self.is_active())?;
        if let Some((pair, nonce)) = self.wanted.update_ack.take() {
            let len = Builder::new(out, &Body::UpdateAck { tag, nonce }).finish()?;
            note_sent(env, activity);
            return count(env, Counter::TxUpdateAck, pair, len);
        }
        if core::mem::take(&mut self.wanted.update) {
            return self.emit_update(env, activity, out);
        }
        if let Some(sent) = self.emit_probe(env, out) {
            return Some(sent);
        }
        if self.reap.take_keepalive() {
            let len = Builder::new(out, &Body::Keepalive { tag }).finish()?;
            return count(env, Counter::TxKeepalive, self.link.tx, len);
        }
        None
    }

    /// Our locators and what proves them, our preferences and our Send Timeout.
    fn put_ours(&self, env: &dyn Env, set: &LocalSet<'_>, message: &mut Builder<'_>) {
        let locators = set.locators.iter().map(|l| (l.addr, l.method));
        message.locators(self.update.generation, locators);
        if set.has_preferences() {
            let told = set.locators.iter().map(LocalLocator::told);
            message.preferences(self.update.generation, told);
        }
        if !set.pds.is_empty() {
            message.pds(set.pds);
        }
        // "If the node is using a non-default Send Timeout value, it MUST communicate
        // this value as a Keepalive Timeout value to the peer" (RFC 5534 section 5.3).
        let ms = env.config().send_timeout_ms;
        if ms != DEFAULT_SEND_TIMEOUT_MS {
            message.keepalive_timeout(u16::try_from(ms.div_ceil(1000)).unwrap_or(u16::MAX));
        }
    }

    /// "If the ULID pair for the context is not used as a locator pair for the [...]
    /// message, then a ULID option MUST be included" (section 7.7), likewise the FII.
    fn put_identity(&self, pair: &Pair, message: &mut Builder<'_>) {
        let ulids = &self.link.ulids;
        if ulids.pair != *pair {
            message.ulids(&ulids.pair.local, &ulids.pair.peer);
        }
        if ulids.fii != 0 {
            message.fii(ulids.fii);
        }
    }

    fn emit_exchange(&mut self, env: &dyn Env, out: &mut [u8]) -> Option<Transmit> {
        let (initiator_tag, initiator_nonce) = (self.local_tag, self.initiator_nonce);
        match self.phase {
            Phase::Established => None,
            Phase::I1Sent => {
                let pair = self.link.ulids.pair;
                let mut m = Builder::new(out, &Body::I1 { initiator_tag, initiator_nonce });
                self.put_identity(&pair, &mut m);
                let len = m.finish()?;
                count(env, Counter::TxI1, pair, len)
            }
            Phase::I2Sent(ticket) => {
                let responder_nonce = ticket.responder_nonce;
                let body = Body::I2 { initiator_tag, initiator_nonce, responder_nonce };
                self.emit_ticket(env, out, &body, &ticket, Counter::TxI2)
            }
            Phase::I2bisSent(ticket) => {
                let responder_nonce = ticket.responder_nonce;
                let packet_tag = self.peer_tag?;
                let body =
                    Body::I2bis { initiator_tag, initiator_nonce, responder_nonce, packet_tag };
                self.emit_ticket(env, out, &body, &ticket, Counter::TxI2bis)
            }
        }
    }

    fn emit_ticket(
        &mut self,
        env: &dyn Env,
        out: &mut [u8],
        body: &Body<'_>,
        ticket: &Ticket,
        what: Counter,
    ) -> Option<Transmit> {
        let mut m = Builder::new(out, body);
        m.validator(ticket.validator());
        self.put_identity(&ticket.pair, &mut m);
        let set = env.local_set(&self.link.ulids.pair.local)?;
        self.put_ours(env, &set, &mut m);
        self.update.told(summary(&set));
        let len = m.finish()?;
        count(env, what, ticket.pair, len)
    }

    fn emit_r2(
        &mut self,
        env: &dyn Env,
        out: &mut [u8],
        pair: Pair,
        initiator_nonce: u32,
    ) -> Option<Transmit> {
        let body = Body::R2 { responder_tag: self.local_tag, initiator_nonce };
        let mut m = Builder::new(out, &body);
        let set = env.local_set(&self.link.ulids.pair.local)?;
        self.put_ours(env, &set, &mut m);
        self.update.told(summary(&set));
        let len = m.finish()?;
        count(env, Counter::TxR2, pair, len)
    }

    fn emit_update(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        out: &mut [u8],
    ) -> Option<Transmit> {
        let tag = self.peer_tag?;
        self.update.arm(env);
        let body = Body::UpdateRequest { tag, nonce: self.update.nonce };
        let mut m = Builder::new(out, &body);
        let set = env.local_set(&self.link.ulids.pair.local)?;
        self.put_ours(env, &set, &mut m);
        let len = m.finish()?;
        // RFC 5534 section 6.2: "The sending of Shim6 control messages is again treated
        // the same" as that of a payload packet.
        note_sent(env, activity);
        count(env, Counter::TxUpdate, self.link.tx, len)
    }

    /// A Probe, its own record first (RFC 5534 section 5.2).
    fn emit_probe(&mut self, env: &dyn Env, out: &mut [u8]) -> Option<Transmit> {
        if !self.reap.wants_probe() {
            return None;
        }
        let (nonce, random) = (env.nonce(), env.random());
        let tag = self.peer_tag?;
        let view = self.link.view(env)?;
        let pair = self.reap.take_probe(&view, nonce, random)?;
        let log = &self.reap.log;
        let this = Record { src: pair.local, dst: pair.peer, nonce, data: 0 };
        let earlier = log.sent(&view.set, view.list).filter(|r| r.nonce != nonce);
        let mut m = Builder::probe(out, tag, self.reap.probe_state());
        m.records(once(this).chain(earlier), log.received(&view.set, view.list));
        let len = m.finish()?;
        count(env, Counter::TxProbe, pair, len)
    }
}

fn count(env: &dyn Env, what: Counter, pair: Pair, len: usize) -> Option<Transmit> {
    env.count(what);
    Some(Transmit { src: pair.local, dst: pair.peer, len })
}

fn note_sent(env: &dyn Env, activity: &Activity) {
    // The caller looks at the timer after every message.
    let _ = activity.note_sent(env.ticks().tick(env.now()));
}
