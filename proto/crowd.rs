// SPDX-License-Identifier: GPL-2.0

//! What the contexts of a namespace that explore at once leave to each other: a path that many
//! share takes them all with it, and their probes must not be what breaks the next one.
//!
//! A Probe that a timer sends needs a token of `probes_per_second`. Who gets none comes again at
//! a random moment, the later the more were refused of late, so that neither the Probes nor the
//! timers of contexts that wait grow with their number. Answers to Probes need no token: there is
//! one for each Probe of a peer's, and the peer limits those.

use crate::proto::bucket::Bucket;
use crate::proto::config::Config;
use crate::proto::time::Instant;
use core::cell::Cell;

/// For how long refusals are counted, and the least range of the moments to come again, in ms.
const EPOCH_MS: u64 = 1000;

/// Tokens, and how many asked in vain. Belongs to a namespace; guarded by its control lock.
#[derive(Debug, Default)]
pub struct Crowd {
    bucket: Cell<Bucket>,
    refused: Cell<Refused>,
}

/// Refusals in the epoch that began at `since`, and in the one before it.
#[derive(Clone, Copy, Debug, Default)]
struct Refused {
    since: Instant,
    now: u32,
    before: u32,
}

impl Refused {
    fn at(mut self, now: Instant) -> Refused {
        let age = now.since(self.since);
        if age >= EPOCH_MS {
            self.before = if age < 2 * EPOCH_MS { self.now } else { 0 };
            self.now = 0;
            self.since = now;
        }
        self
    }
}

impl Crowd {
    /// Whether a Probe may be sent now; if not, in how many ms to ask again.
    pub fn admit(
        &self,
        now: Instant,
        config: &Config,
        random: impl FnOnce() -> u64,
    ) -> Result<(), u64> {
        let mut bucket = self.bucket.get();
        let admitted = bucket.take(now, config.probes_per_second);
        self.bucket.set(bucket);
        if admitted {
            return Ok(());
        }
        let mut refused = self.refused.get().at(now);
        refused.now = refused.now.saturating_add(1);
        self.refused.set(refused);
        let crowd = u64::from(refused.now.max(refused.before));
        let to_serve = crowd.saturating_mul(1000) / u64::from(config.probes_per_second.max(1));
        let limit = EPOCH_MS.max(u64::from(config.max_probe_timeout_ms));
        Err(1 + random() % EPOCH_MS.saturating_add(to_serve).min(limit))
    }
}
