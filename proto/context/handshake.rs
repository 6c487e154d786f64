// SPDX-License-Identifier: GPL-2.0

//! The initiator's half of an establishment: I1, I2 and I2bis, their retransmission and
//! the end of patience (RFC 5533 sections 7.7, 7.8, 7.11, 7.12, 7.18 and 7.19).

use super::local::{self, Told};
use crate::proto::addr::{Pair, Tag, UlidPair};
use crate::proto::config::Config;
use crate::proto::counter::Counter;
use crate::proto::env::Env;
use crate::proto::locator::LocalSet;
use crate::proto::time::{jitter, Instant};
use crate::proto::wire::{Body, Builder};

/// Octets of a peer's Responder Validator that are kept. Its length is the peer's choice;
/// one that is longer cannot be sent back.
pub const MAX_VALIDATOR: usize = 64;

/// A Responder Validator option, to be sent back.
#[derive(Clone, Copy, Debug)]
pub struct Validator {
    octets: [u8; MAX_VALIDATOR],
    len: u8,
}

impl Validator {
    /// Keeps a validator; `None` if it is too long.
    pub fn new(validator: &[u8]) -> Option<Validator> {
        let mut octets = [0; MAX_VALIDATOR];
        octets.get_mut(..validator.len())?.copy_from_slice(validator);
        Some(Validator { octets, len: u8::try_from(validator.len()).ok()? })
    }

    fn as_slice(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// Which message waits for its answer.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// I1: for R1, or R2.
    I1,
    /// I2: for R2.
    I2 {
        /// From the R1.
        responder_nonce: u32,
        /// From the R1.
        validator: Validator,
    },
    /// I2bis: for R2.
    I2bis {
        /// From the R1bis.
        responder_nonce: u32,
        /// From the R1bis.
        validator: Validator,
        /// From the R1bis: the tag that the peer does not know.
        packet_tag: Tag,
    },
}

/// What the end of a wait leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// The message is sent again.
    Again,
    /// "The initiator SHOULD fall back to retransmitting the I1 message."
    FallBack,
    /// "There is no response."
    GiveUp,
}

/// An exchange that we began.
#[derive(Clone, Copy, Debug)]
pub struct Handshake {
    /// Where the messages go.
    pub pair: Pair,
    /// The Initiator Nonce: the same in all messages of the exchange.
    pub nonce: u32,
    /// Which message is out.
    pub step: Step,
    next: Instant,
    i1_sent: u8,
    sent: u8,
    due: bool,
    /// The peer refused our locator list: do not tell it.
    bare: bool,
    /// An I1 of the peer's was answered with an R2 since we last sent something.
    answered: bool,
    /// What we last sent was sent again at once since then.
    nudged: bool,
    /// The current pair was in doubt when the recovery began.
    pub doubtful: bool,
}

impl Handshake {
    /// Begins: with an I1, or, to recover a context, with an I2bis.
    pub fn new(env: &dyn Env, pair: Pair, nonce: u32, step: Step) -> Self {
        let next = Instant(0);
        let (due, bare, answered, nudged, doubtful) = (false, false, false, false, false);
        let mut new = Handshake {
            pair,
            nonce,
            step,
            next,
            i1_sent: 0,
            sent: 0,
            due,
            bare,
            answered,
            nudged,
            doubtful,
        };
        new.send(env);
        new
    }

    /// Goes on with an I2.
    pub fn answer(&mut self, env: &dyn Env, responder_nonce: u32, validator: Validator) {
        self.step = Step::I2 { responder_nonce, validator };
        self.sent = 0;
        self.send(env);
    }

    /// Goes back to I1. The retransmissions go on being counted, so that a peer that
    /// answers every I1 and no I2 does not keep us for ever.
    pub fn fall_back(&mut self, env: &dyn Env) {
        self.step = Step::I1;
        self.send(env);
    }

    /// The peer does not take our list: once more, without it. An I1 has none.
    pub fn list_refused(&mut self, env: &dyn Env) {
        if !matches!(self.step, Step::I1) && !core::mem::replace(&mut self.bare, true) {
            self.send(env);
        }
    }

    /// A packet shows that the peer waits (RFC 5533 section 10.4: "If I2-SENT, send I2"):
    /// at once instead of at the end of the wait. Once for each end of a wait: somebody may repeat
    /// that packet, which is shorter than an I2.
    pub fn nudge(&mut self) {
        self.due |= !core::mem::replace(&mut self.nudged, true);
    }

    /// Whether an I1 that crossed our message may have an R2: one for each message of ours. The
    /// peer was not heard yet, I1s can be forged, and an R2 is much longer.
    pub fn may_answer(&mut self) -> bool {
        !core::mem::replace(&mut self.answered, true)
    }

    /// When [`Self::patience`] ends.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// Whether a message waits to be written.
    pub fn is_due(&self) -> bool {
        self.due
    }

    /// The wait is over: what now?
    pub fn patience(&mut self, env: &dyn Env) -> Patience {
        let config = env.config();
        let more_i1 = u32::from(self.i1_sent) <= config.i1_retries_max;
        let (sent, retries) = match self.step {
            Step::I1 if more_i1 => {
                self.send(env);
                return Patience::Again;
            }
            Step::I1 => return Patience::GiveUp,
            Step::I2 { .. } => (self.sent, config.i2_retries_max),
            Step::I2bis { .. } => (self.sent, config.i2bis_retries_max),
        };
        if u32::from(sent) <= retries {
            self.send(env);
            Patience::Again
        } else if more_i1 {
            Patience::FallBack
        } else {
            Patience::GiveUp
        }
    }

    /// Sends the message of this step, and waits: "The randomization is applied after the
    /// binary exponential backoff. Thus, the first retransmission would happen based on a
    /// uniformly distributed random number in the range of [0.5*4, 1.5*4] seconds" (RFC 5533
    /// section 14).
    fn send(&mut self, env: &dyn Env) {
        let config = env.config();
        let (count, timeout) = self.clock(config);
        let nominal = u64::from(timeout) << u32::from(*count).min(16);
        *count = count.saturating_add(1);
        self.due = true;
        self.answered = false;
        self.nudged = false;
        self.next = env.now().after(jitter(nominal, env.random()));
    }

    fn clock(&mut self, config: &Config) -> (&mut u8, u32) {
        match self.step {
            Step::I1 => (&mut self.i1_sent, config.i1_timeout_ms),
            Step::I2 { .. } => (&mut self.sent, config.i2_timeout_ms),
            Step::I2bis { .. } => (&mut self.sent, config.i2bis_timeout_ms),
        }
    }

    /// Writes the message that waits.
    pub fn emit(
        &mut self,
        env: &dyn Env,
        set: &LocalSet<'_>,
        send_timeout_ms: u32,
        ulids: &UlidPair,
        tag: Tag,
        out: &mut [u8],
    ) -> Option<usize> {
        self.due = false;
        let len = match self.write(set, send_timeout_ms, ulids, tag, out) {
            None => {
                // A list and parameters that do not fit: tell them later, in an Update.
                self.bare = true;
                self.write(set, send_timeout_ms, ulids, tag, out)?
            }
            Some(len) => len,
        };
        env.count(match self.step {
            Step::I1 => Counter::TxI1,
            Step::I2 { .. } => Counter::TxI2,
            Step::I2bis { .. } => Counter::TxI2bis,
        });
        Some(len)
    }

    /// What the peer knows from the message of this step, of all that there is to tell now.
    pub fn told(&self, now: Told) -> Option<Told> {
        match (&self.step, self.bare) {
            (Step::I1, _) => None,
            (_, true) => Some(Told { generation: None, ..now }),
            (_, false) => Some(now),
        }
    }

    fn write(
        &self,
        set: &LocalSet<'_>,
        send_timeout_ms: u32,
        ulids: &UlidPair,
        tag: Tag,
        out: &mut [u8],
    ) -> Option<usize> {
        let (initiator_tag, initiator_nonce) = (tag, self.nonce);
        let (body, validator) = match &self.step {
            Step::I1 => (Body::I1 { initiator_tag, initiator_nonce }, None),
            Step::I2 { responder_nonce, validator } => {
                let responder_nonce = *responder_nonce;
                (Body::I2 { initiator_tag, initiator_nonce, responder_nonce }, Some(validator))
            }
            Step::I2bis { responder_nonce, validator, packet_tag } => {
                let (responder_nonce, packet_tag) = (*responder_nonce, *packet_tag);
                let body =
                    Body::I2bis { initiator_tag, initiator_nonce, responder_nonce, packet_tag };
                (body, Some(validator))
            }
        };
        let mut message = Builder::new(out, &body);
        if let Some(validator) = validator {
            message.validator(validator.as_slice());
        }
        // "When the IPv6 source and destination addresses in the IPv6 header does not match
        // the ULID pair, this option MUST be included."
        if self.pair != ulids.pair {
            message.ulids(&ulids.pair.local, &ulids.pair.peer);
        }
        if ulids.fii != 0 {
            message.fii(ulids.fii);
        }
        if validator.is_some() {
            local::put_all(&mut message, set, send_timeout_ms, self.bare);
        }
        message.finish()
    }
}
