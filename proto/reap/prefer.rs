// SPDX-License-Identifier: GPL-2.0

//! When a context that works over another pair tries the best one again.
//!
//! The RFCs leave it open. Ours: a context whose current pair is clearly worse than the best
//! candidate (by more than a tie-breaker) probes the best one after `prefer_interval_ms`, while
//! it carries traffic; its packets stay where they are until a probe came through. Each try
//! that fails doubles the wait, up to 16 times. Hysteresis: a best pair that failed again
//! within four waits after the return to it counts as such a failure, so a flapping path is
//! left alone for longer and longer.

use super::timing::chance;
use crate::proto::env::Env;
use crate::proto::time::Instant;

const MAX_DOUBLINGS: u8 = 4;

/// The memory of one context.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prefer {
    next: Instant,
    /// Since when the current pair is the best; 0 if never.
    returned: Instant,
    fails: u8,
    trying: bool,
}

impl Prefer {
    fn wait(&self, env: &dyn Env) -> u64 {
        let nominal = u64::from(env.config().prefer_interval_ms) << self.fails.min(MAX_DOUBLINGS);
        // Up to an eighth more, against many contexts at once.
        nominal + (nominal / 8) * u64::from(chance(env)) / 256
    }

    /// The packets left the best pair.
    pub fn left_best(&mut self, env: &dyn Env) {
        let now = env.now();
        let trusted =
            u64::from(env.config().prefer_interval_ms) << (2 + self.fails.min(MAX_DOUBLINGS));
        let flapped = self.returned != Instant(0) && now.since(self.returned) < trusted;
        self.fails = if flapped { self.fails.saturating_add(1).min(MAX_DOUBLINGS) } else { 0 };
        self.next = now.after(self.wait(env));
        self.trying = false;
    }

    /// The packets are on the best pair again.
    pub fn returned(&mut self, env: &dyn Env) {
        self.returned = env.now();
        self.trying = false;
    }

    /// The best pair is being probed.
    pub fn begin(&mut self) {
        self.trying = true;
    }

    /// An exploration ended, not on the best pair.
    pub fn ended(&mut self, env: &dyn Env) {
        if core::mem::replace(&mut self.trying, false) {
            self.fails = self.fails.saturating_add(1).min(MAX_DOUBLINGS);
        }
        self.next = env.now().after(self.wait(env));
    }

    /// Something changed that makes it worth a try soon: a locator came back.
    pub fn hurry(&mut self, env: &dyn Env) {
        self.next = self.next.min(env.now().after(u64::from(env.config().prefer_interval_ms) / 4));
    }

    /// When to try.
    pub fn next(&self) -> Instant {
        self.next
    }
}
