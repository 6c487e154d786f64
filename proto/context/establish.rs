// SPDX-License-Identifier: GPL-2.0

//! The 4-way exchange (RFC 5533 sections 7.7 to 7.16).

use super::{Context, Phase, Reject, Ticket};
use crate::proto::addr::{Pair, Tag, UlidPair};
use crate::proto::env::Env;
use crate::proto::locator::{LocatorStore, NoMemory};
use crate::proto::reap::activity::Activity;
use crate::proto::time::jitter;
use crate::proto::wire::Options;

impl<S: LocatorStore> Context<S> {
    /// A context we want: sends an I1 (section 7.7).
    pub fn initiate(env: &dyn Env, ulids: UlidPair, local_tag: Tag) -> Result<Self, NoMemory> {
        let mut context = Context::new(env, ulids, local_tag, Phase::I1Sent)?;
        context.send_i1(env);
        Ok(context)
    }

    /// A context the peer wants: made of its valid I2 or I2bis (sections 7.13, 7.20). It
    /// is ESTABLISHED at once and answers with an R2.
    #[allow(clippy::too_many_arguments)]
    pub fn respond(
        env: &dyn Env,
        ulids: UlidPair,
        local_tag: Tag,
        pair: Pair,
        peer_tag: Tag,
        initiator_nonce: u32,
        options: &Options<'_>,
    ) -> Result<Self, Reject> {
        let mut context = Context::new(env, ulids, local_tag, Phase::Established)
            .map_err(|_| Reject::OutOfMemory)?;
        context.take_peer(env, options, &pair.peer)?;
        context.peer_tag = Some(peer_tag);
        context.established();
        context.answer_r2(pair, initiator_nonce);
        Ok(context)
    }

    pub(super) fn send_i1(&mut self, env: &dyn Env) {
        self.phase = Phase::I1Sent;
        self.wanted.establish = true;
        let timeout = u64::from(env.config().i1_timeout_ms);
        self.arm_retry(env, timeout);
    }

    /// Arms the retransmission timer: "subject to binary exponential backoff as well as
    /// to randomization across a range of 0.5 and 1.5 times the nominal (backed off)
    /// value" (section 14).
    pub(super) fn arm_retry(&mut self, env: &dyn Env, timeout_ms: u64) {
        let nominal = timeout_ms << self.retries.min(16);
        let random = env.random();
        self.retry_at = Some(env.now().after(jitter(nominal, random)));
    }

    /// An R1 for this context came on `pair` (section 7.11).
    pub fn on_r1(
        &mut self,
        env: &dyn Env,
        pair: Pair,
        responder_nonce: u32,
        options: &Options<'_>,
    ) -> Result<(), Reject> {
        // "In any other STATE [...] this R1 message MUST be silently discarded."
        if !matches!(self.phase, Phase::I1Sent) {
            return Err(Reject::WrongState);
        }
        let validator = options.validator.ok_or(Reject::Validator)?;
        let ticket = Ticket::new(responder_nonce, validator, pair).ok_or(Reject::Validator)?;
        self.phase = Phase::I2Sent(ticket);
        self.retries = 0;
        self.wanted.establish = true;
        let timeout = u64::from(env.config().i2_timeout_ms);
        self.arm_retry(env, timeout);
        Ok(())
    }

    /// An R2 for this context came on `pair` (section 7.16).
    pub fn on_r2(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        pair: Pair,
        peer_tag: Tag,
        options: &Options<'_>,
    ) -> Result<(), Reject> {
        // "If the STATE is ESTABLISHED, the R2 message is silently ignored".
        if matches!(self.phase, Phase::Established) {
            return Err(Reject::WrongState);
        }
        self.take_peer(env, options, &pair.peer)?;
        self.peer_tag = Some(peer_tag);
        self.established();
        self.local_changed(env, activity);
        Ok(())
    }

    /// A valid I2 or I2bis for this existing context (sections 7.13 and 7.20): its data
    /// is taken, an R2 goes back. "The host moves to ESTABLISHED STATE" from I1-SENT; in
    /// the others "the context STATE remains unchanged".
    pub fn on_i2(
        &mut self,
        env: &dyn Env,
        pair: Pair,
        peer_tag: Tag,
        initiator_nonce: u32,
        options: &Options<'_>,
    ) -> Result<(), Reject> {
        self.take_peer(env, options, &pair.peer)?;
        self.peer_tag = Some(peer_tag);
        if matches!(self.phase, Phase::I1Sent) {
            self.established();
        }
        self.answer_r2(pair, initiator_nonce);
        Ok(())
    }

    /// Asks for an R2 back over `pair` (section 7.14).
    pub fn answer_r2(&mut self, pair: Pair, initiator_nonce: u32) {
        self.wanted.r2 = Some((pair, initiator_nonce));
    }
}
