// SPDX-License-Identifier: GPL-2.0

//! Responder Validators (RFC 5533 sections 7.10.1 and 7.17.1): the responder keeps no
//! state; what it needs to know comes back to it, and only it could have made it.

use crate::proto::addr::{Pair, Tag, UlidPair};
use crate::proto::env::Env;
use crate::proto::time::Instant;

/// Octets of a validator of ours: an R1 is then at most 1.5 times as long as an I1.
pub const VALIDATOR_LEN: usize = 16;

/// "a single secret (S) and a running counter (C) for the Responder Nonce that is
/// incremented in fixed periods of time".
#[derive(Clone, Copy, Debug)]
pub struct Validators {
    secret: [u8; 32],
    /// The counter when it began, so that it tells nobody how long we run.
    first: u32,
    began: Instant,
}

/// What an R1 or R1bis is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// An I1: its ULIDs, its tag, and the pair it came on.
    Establish(&'a UlidPair, Tag, &'a Pair),
    /// A packet whose tag nobody has, and the pair it came on.
    Recover(Tag, &'a Pair),
}

impl Validators {
    /// New secrets.
    pub fn new(env: &dyn Env) -> Validators {
        let mut secret = [0; 32];
        for chunk in secret.chunks_exact_mut(8) {
            chunk.copy_from_slice(&env.random().to_be_bytes());
        }
        Validators { secret, first: env.nonce(), began: env.now() }
    }

    /// The Responder Nonce of the present.
    pub fn nonce(&self, env: &dyn Env) -> u32 {
        let period = u64::from(env.config().validator_lifetime_ms).max(1);
        self.first.wrapping_add((env.now().since(self.began) / period) as u32)
    }

    /// "nonces that are no older than VALIDATOR_MIN_LIFETIME SHOULD be considered
    /// recent": those of this period and of the one before.
    pub fn is_recent(&self, env: &dyn Env, nonce: u32) -> bool {
        self.nonce(env).wrapping_sub(nonce) <= 1
    }

    /// The validator of a nonce and a subject.
    pub fn make(&self, env: &dyn Env, nonce: u32, subject: Subject<'_>) -> [u8; VALIDATOR_LEN] {
        let nonce = nonce.to_be_bytes();
        let hash = match subject {
            Subject::Establish(ulids, tag, pair) => env.hmac_sha256(
                &self.secret,
                &[
                    b"R1",
                    &nonce,
                    &tag.get().to_be_bytes(),
                    &ulids.pair.local.0,
                    &ulids.pair.peer.0,
                    &pair.local.0,
                    &pair.peer.0,
                    &ulids.fii.to_be_bytes(),
                ],
            ),
            Subject::Recover(tag, pair) => env.hmac_sha256(
                &self.secret,
                &[b"R1bis", &nonce, &tag.get().to_be_bytes(), &pair.local.0, &pair.peer.0],
            ),
        };
        hash.first_chunk().copied().unwrap_or([0; VALIDATOR_LEN])
    }

    /// Whether a validator that came back is one we made lately for this subject. All
    /// octets are compared, whatever differs.
    pub fn check(
        &self,
        env: &dyn Env,
        nonce: u32,
        subject: Subject<'_>,
        validator: Option<&[u8]>,
    ) -> bool {
        let made = self.make(env, nonce, subject);
        let given = validator.unwrap_or(&[]);
        let differing = made.iter().zip(given).fold(0, |d, (a, b)| d | (a ^ b));
        self.is_recent(env, nonce) && given.len() == VALIDATOR_LEN && differing == 0
    }
}
