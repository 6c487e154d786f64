// SPDX-License-Identifier: GPL-2.0

//! How many CGA signatures are verified: each costs more than all else that a message can ask for,
//! so the peers of one /48 get a part of what there is.

use super::origins::origin_of;
use super::validator::Secrets;
use super::{Endpoint, Meta, Received};
use crate::proto::bucket::Bucket;
use crate::proto::counter::Counter;
use crate::proto::env::Env;

/// Places for the prefixes of peers; those that share one share its part.
const PLACES: usize = 64;
/// A prefix gets one in so many.
const PART: u32 = 8;

/// What is left of the allowance.
#[derive(Debug)]
pub(super) struct Signatures {
    all: Bucket,
    parts: [Bucket; PLACES],
}

impl Default for Signatures {
    fn default() -> Self {
        Signatures { all: Bucket::default(), parts: [Bucket::default(); PLACES] }
    }
}

impl Signatures {
    fn take(&mut self, env: &dyn Env, secrets: &Secrets, meta: &Meta<'_>) -> bool {
        let per_second = env.config().signatures_per_second;
        let place = usize::from(secrets.place(env, &origin_of(&meta.src)));
        let Some(part) = self.parts.get_mut(place % PLACES) else { return false };
        // A prefix that took its part does not take of the others'.
        part.take(env.now(), (per_second / PART).max(1)) && self.all.take(env.now(), per_second)
    }
}

impl Endpoint {
    /// A message whose signature is to be judged: kept if its sender may have that.
    pub(super) fn judge<Id>(&mut self, env: &dyn Env, meta: &Meta<'_>) -> Received<Id> {
        if !self.signatures.take(env, &self.secrets, meta) {
            env.count(Counter::SignatureLimited);
            return Received::NOTHING;
        }
        env.count(Counter::SignatureAsked);
        Received::JUDGE
    }
}
