// SPDX-License-Identifier: GPL-2.0

//! A token bucket: how often something may be sent on a stranger's word.

use crate::proto::time::Instant;

/// At most so many in a second, with a burst of as many.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    /// Tokens, in thousandths.
    level: u64,
    filled: Instant,
}

impl Bucket {
    /// Takes a token, if there is one.
    pub fn take(&mut self, now: Instant, per_second: u32) -> bool {
        let rate = u64::from(per_second);
        let full = rate * 1000;
        let gained = now.since(self.filled).saturating_mul(rate);
        self.level = match self.filled {
            Instant(0) => full,
            _ => self.level.saturating_add(gained).min(full),
        };
        self.filled = now.max(Instant(1));
        match self.level.checked_sub(1000) {
            Some(level) => {
                self.level = level;
                true
            }
            None => false,
        }
    }
}
