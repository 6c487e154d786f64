// SPDX-License-Identifier: GPL-2.0

//! A token bucket: how often a second something may be done.

use crate::proto::time::Instant;

/// Thousandths of tokens, and when they were counted. It holds at most a second's worth.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    milli: u64,
    at: Instant,
}

impl Default for Bucket {
    /// A full one.
    fn default() -> Self {
        Bucket { milli: u64::MAX, at: Instant(0) }
    }
}

impl Bucket {
    /// Takes a token, if there is one at `per_second`.
    pub fn take(&mut self, now: Instant, per_second: u32) -> bool {
        let full = u64::from(per_second).saturating_mul(1000);
        let gained = now.since(self.at).saturating_mul(u64::from(per_second));
        self.milli = self.milli.saturating_add(gained).min(full);
        self.at = now;
        match self.milli.checked_sub(1000) {
            Some(left) => {
                self.milli = left;
                true
            }
            None => false,
        }
    }
}
