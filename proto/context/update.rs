// SPDX-License-Identifier: GPL-2.0

//! Telling a peer that our locators, preferences or Send Timeout changed (RFC 5533
//! sections 10.1 to 10.3 and 10.5).

use super::local::{self, Told};
use crate::proto::addr::Tag;
use crate::proto::env::Env;
use crate::proto::locator::LocalSet;
use crate::proto::time::{jitter, Instant};
use crate::proto::wire::{Body, Builder};

const LIST: u8 = 1;
const PREFERENCES: u8 = 2;
const TIMEOUT: u8 = 4;

/// A message waits.
const DUE: u8 = 1;
/// Copies of it may be on their way.
const SENT: u8 = 2;
/// One that was abandoned may be on its way.
const ABANDONED: u8 = 4;
/// It was acknowledged, and waits to be told once more.
const AGAIN: u8 = 8;

/// "There can be at most one outstanding Update Request message at any time."
#[derive(Clone, Copy, Debug, Default)]
pub struct Update {
    next: Instant,
    nonce: u32,
    /// What the peer is being told; nothing is outstanding if it is 0.
    what: u8,
    tries: u8,
    marks: u8,
    /// How often the peer answered with an Error; ends a quarrel.
    refused: u8,
}

impl Update {
    /// What differs from what the peer was told is sent: "the host can, instead of waiting
    /// for an acknowledgement, abandon the previous update and construct a new Update
    /// Request (with a new Request Nonce) that includes the new information as well as the
    /// information that hasn't yet been acknowledged" (10.3).
    pub fn changed(&mut self, env: &dyn Env, told: &Told, now: &Told) {
        let mut what = 0;
        if told.generation != now.generation && now.generation.is_some() {
            what |= LIST | PREFERENCES;
        }
        if told.preferences != now.preferences {
            what |= PREFERENCES;
        }
        if told.timeout_s != now.timeout_s {
            what |= TIMEOUT;
        }
        if what != 0 {
            self.begin(env, what);
        }
    }

    fn has(&self, mark: u8) -> bool {
        self.marks & mark != 0
    }

    fn begin(&mut self, env: &dyn Env, what: u8) {
        if self.has(SENT) {
            self.marks = ABANDONED;
        }
        self.what |= what;
        self.nonce = env.random() as u32;
        self.tries = 0;
        self.send(env);
    }

    /// "The binary exponential backoff stops at MAX_UPDATE_TIMEOUT."
    fn send(&mut self, env: &dyn Env) {
        let config = env.config();
        let nominal = u64::from(config.update_timeout_ms) << u32::from(self.tries).min(16);
        let nominal = nominal.min(u64::from(config.max_update_timeout_ms));
        self.next = env.now().after(jitter(nominal, env.random()));
        self.tries = self.tries.saturating_add(1);
        self.marks |= DUE;
    }

    /// The packets go over another pair: an update that got lost on the old one is sent
    /// again at once.
    pub fn rehomed(&mut self) {
        if self.what != 0 && !self.has(AGAIN) {
            self.marks |= DUE;
        }
    }

    /// The timer expired.
    pub fn timeout(&mut self, env: &dyn Env) {
        if self.what != 0 && env.now().reached(self.next) {
            if self.has(AGAIN) {
                self.marks = 0;
                self.nonce = env.random() as u32;
            }
            self.send(env);
        }
    }

    /// When [`Self::timeout`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        (self.what != 0).then_some(self.next)
    }

    /// Whether a message waits.
    pub fn is_due(&self) -> bool {
        self.has(DUE)
    }

    /// It cannot be sent now; its timer brings it back.
    pub fn defer(&mut self) {
        self.marks &= !DUE;
    }

    /// An Update Acknowledgement came. "If the Request Nonce doesn't match the nonce for the
    /// last sent Update Request for the context, then the Update Acknowledgement is
    /// silently ignored."
    ///
    /// An Update Request that was abandoned may arrive after the one that replaced it, and takes
    /// the peer back to what it told: nothing in the messages has an order. So what replaced it is
    /// told once more, when nothing of the old one is on its way any more.
    pub fn acknowledged(&mut self, env: &dyn Env, nonce: u32) -> bool {
        let ours = self.what != 0 && nonce == self.nonce && !self.has(AGAIN);
        if ours {
            let rest = Update { nonce, ..Update::default() };
            *self = if self.has(ABANDONED) {
                let wait = jitter(u64::from(env.config().update_timeout_ms), env.random());
                let next = env.now().after(wait);
                Update { what: self.what, next, marks: AGAIN | SENT, ..rest }
            } else {
                rest
            };
        }
        ours
    }

    /// The peer answered our request with an Error: a list that it did not take is not
    /// repeated; if generation or count are out of step, everything is told again, twice
    /// at most.
    pub fn refused(&mut self, env: &dyn Env, nonce: u32, code: u8) -> bool {
        if self.what == 0 || nonce != self.nonce {
            return false;
        }
        let refused = self.refused.saturating_add(1);
        *self = Update { refused, nonce, ..Update::default() };
        if matches!(code, 3 | 4) && refused <= 2 {
            self.begin(env, LIST | PREFERENCES);
        }
        true
    }

    /// Writes the Update Request. What it tells becomes `told`.
    pub fn emit(
        &mut self,
        set: &LocalSet<'_>,
        send_timeout_ms: u32,
        tag: Tag,
        told: &mut Told,
        out: &mut [u8],
    ) -> Option<usize> {
        self.marks = (self.marks & !DUE) | SENT;
        let body = Body::UpdateRequest { tag, nonce: self.nonce };
        let mut message = Builder::new(out, &body);
        let has = |part| self.what & part != 0;
        if has(LIST) {
            local::put_list(&mut message, set);
        }
        // Without a list of ours at the peer there is nothing that they would refer to.
        if has(PREFERENCES) && (has(LIST) || told.generation == Some(set.generation())) {
            local::put_preferences(&mut message, set);
        }
        if has(TIMEOUT) {
            local::put_timeout(&mut message, send_timeout_ms, true);
        }
        let len = message.finish()?;
        *told = Told::now(set, send_timeout_ms);
        Some(len)
    }
}
