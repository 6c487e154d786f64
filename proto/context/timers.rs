// SPDX-License-Identifier: GPL-2.0

//! The timers of a context: one deadline out, one call in.

use super::notes::Fate;
use super::{Context, Phase};
use crate::proto::counter::Counter;
use crate::proto::env::Env;
use crate::proto::locator::LocatorStore;
use crate::proto::reap::activity::Activity;
use crate::proto::time::Instant;

/// How often an exchange may fall back from I2 to I1 before it is given up.
const MAX_ROUNDS: u8 = 2;

impl<S: LocatorStore> Context<S> {
    /// When [`Context::handle_timeout`] wants to be called; earlier does no harm.
    pub fn poll_timeout(&self, env: &dyn Env, activity: &Activity) -> Option<Instant> {
        let reap = match self.is_active() {
            true => self.link.view(env).and_then(|view| self.reap.deadline(&view, activity)),
            false => None,
        };
        [self.retry_at, self.update.retry_at, reap, Some(self.idle_at(env, activity))]
            .into_iter()
            .flatten()
            .min()
    }

    /// When nobody will have used it for long enough (RFC 5533 section 9).
    fn idle_at(&self, env: &dyn Env, activity: &Activity) -> Instant {
        let last = env.ticks().instant(activity.last_tx().max(activity.last_rx()));
        last.max(self.created).after(u64::from(env.config().gc_idle_ms))
    }

    /// Does what is due now.
    pub fn handle_timeout(&mut self, env: &dyn Env, activity: &Activity) {
        let now = env.now();
        if now.reached(self.idle_at(env, activity)) {
            env.count(Counter::ContextIdle);
            self.end(Fate::Gone, now);
            return;
        }
        if self.retry_at.is_some_and(|at| now.reached(at)) {
            self.retry(env);
        }
        if self.update.retry_at.is_some_and(|at| now.reached(at)) {
            self.wanted.update = true;
        }
        if self.is_active() {
            let Some(view) = self.link.view(env) else {
                self.end(Fate::Gone, now);
                return;
            };
            let outcome = self.reap.expire(&view, activity);
            self.apply(outcome);
        }
    }

    /// Sections 7.8, 7.12 and 7.19.
    fn retry(&mut self, env: &dyn Env) {
        let config = *env.config();
        let (max, timeout) = match self.phase {
            Phase::Established => {
                self.retry_at = None;
                return;
            }
            Phase::I1Sent => (config.i1_retries_max, config.i1_timeout_ms),
            Phase::I2Sent(_) => (config.i2_retries_max, config.i2_timeout_ms),
            Phase::I2bisSent(_) => (config.i2bis_retries_max, config.i2bis_timeout_ms),
        };
        if u32::from(self.retries) < max {
            self.retries = self.retries.saturating_add(1);
            self.wanted.establish = true;
            self.arm_retry(env, u64::from(timeout));
            return;
        }
        match self.phase {
            // "If, after I1_RETRIES_MAX retransmissions, there is no response, then most
            // likely the peer does not implement the Shim6 protocol".
            Phase::I1Sent => self.no_response(env),
            _ if self.rounds >= MAX_ROUNDS => self.no_response(env),
            // "the initiator SHOULD fall back to retransmitting the I1 message".
            _ => {
                self.rounds += 1;
                self.retries = 0;
                self.send_i1(env);
            }
        }
    }

    /// "any such negative caching should be retained for at most NO_R1_HOLDDOWN_TIME".
    fn no_response(&mut self, env: &dyn Env) {
        env.count(Counter::NoResponse);
        let until = env.now().after(u64::from(env.config().no_r1_holddown_ms));
        self.end(Fate::NoResponse, until);
    }

    /// The peer does not speak Shim6: an ICMPv6 error 4/1 came for our I1. "Such negative
    /// caching should be retained for at most ICMP_HOLDDOWN_TIME" (section 7.8).
    pub(in crate::proto) fn no_support(&mut self, env: &dyn Env) {
        if matches!(self.phase, Phase::I1Sent) {
            env.count(Counter::NoSupport);
            let until = env.now().after(u64::from(env.config().icmp_holddown_ms));
            self.end(Fate::NoSupport, until);
        }
    }

    /// The peer reuses this context's tag for another one (section 7.15).
    pub(in crate::proto) fn confuse(&mut self, env: &dyn Env) {
        env.count(Counter::ContextConfused);
        self.end(Fate::Gone, env.now());
    }
}
