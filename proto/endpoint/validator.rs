// SPDX-License-Identifier: GPL-2.0

//! Responder Nonces and Responder Validators (RFC 5533 sections 5.15.1, 7.10.1 and 7.17.1):
//! what lets a responder answer I1 and lost contexts without keeping anything.
//!
//! The Responder Nonce is "a running counter (C)", in seconds from a random start, so a
//! nonce tells its own age. The secret changes every VALIDATOR_MIN_LIFETIME; the one before
//! it is still good, so a validator lives at least that long and at most twice.

use crate::proto::addr::{Addr, Pair, Tag, UlidPair};
use crate::proto::env::Env;

/// Octets of an R1's validator. With them R1 has 1.43 times the octets of I1, IPv6
/// header included.
pub const R1_LEN: usize = 20;
/// Octets of an R1bis's validator: R1bis has at most 1.5 times the octets of any
/// packet that asks for one.
pub const R1BIS_LEN: usize = 12;

/// The secrets S.
pub struct Secrets {
    current: [u8; 32],
    last: [u8; 32],
    epoch: u64,
    offset: u32,
}

impl core::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secrets")
    }
}

fn secret(env: &dyn Env) -> [u8; 32] {
    let mut secret = [0; 32];
    for word in secret.chunks_exact_mut(8) {
        word.copy_from_slice(&env.random().to_be_bytes());
    }
    secret
}

fn seconds(env: &dyn Env) -> u64 {
    env.now().0 / 1000
}

fn epoch_of(env: &dyn Env, seconds: u64) -> u64 {
    let length = u64::from(env.config().validator_lifetime_ms).max(1);
    seconds.saturating_mul(1000) / length
}

impl Secrets {
    /// New ones.
    pub fn new(env: &dyn Env) -> Self {
        Secrets {
            current: secret(env),
            last: secret(env),
            epoch: epoch_of(env, seconds(env)),
            offset: env.random() as u32,
        }
    }

    fn rotate(&mut self, env: &dyn Env) {
        let now = epoch_of(env, seconds(env));
        if now == self.epoch {
            return;
        }
        let next = now == self.epoch.wrapping_add(1);
        self.last = if next { self.current } else { secret(env) };
        self.current = secret(env);
        self.epoch = now;
    }

    /// A place for a prefix that nobody else can foretell.
    pub(super) fn place(&self, env: &dyn Env, prefix: &Addr) -> u8 {
        let hash = env.hmac_sha256(&self.current, &[b"place", &prefix.0]);
        hash.first().copied().unwrap_or(0)
    }

    /// The Responder Nonce of an answer sent now.
    pub fn nonce(&mut self, env: &dyn Env) -> u32 {
        self.rotate(env);
        (seconds(env) as u32).wrapping_add(self.offset)
    }

    /// The secret that was in use at a nonce, if it is "a recent one".
    fn key(&mut self, env: &dyn Env, nonce: u32) -> Option<&[u8; 32]> {
        self.rotate(env);
        let now = seconds(env);
        let age = u64::from((now as u32).wrapping_add(self.offset).wrapping_sub(nonce));
        if age.saturating_mul(1000) > u64::from(env.config().validator_lifetime_ms) {
            return None;
        }
        match self.epoch.checked_sub(epoch_of(env, now.checked_sub(age)?))? {
            0 => Some(&self.current),
            1 => Some(&self.last),
            _ => None,
        }
    }

    /// The validator of an R1, over what 7.10.1 lists: "The secret S; That Responder Nonce;
    /// The Initiator Context Tag from the I1 message; The ULIDs from the I1 message; The
    /// locators from the I1 message; The Forked Instance Identifier". Not the Initiator Nonce:
    /// that of an I2 "is not required to be the same as the one included in the previous I1
    /// message" (7.11).
    pub fn r1(
        &mut self,
        env: &dyn Env,
        nonce: u32,
        tag: Tag,
        ulids: &UlidPair,
        over: &Pair,
    ) -> Option<[u8; R1_LEN]> {
        let key = self.key(env, nonce)?;
        let hash = env.hmac_sha256(
            key,
            &[
                b"R1",
                &nonce.to_be_bytes(),
                &tag.get().to_be_bytes(),
                &ulids.pair.local.0,
                &ulids.pair.peer.0,
                &ulids.fii.to_be_bytes(),
                &over.local.0,
                &over.peer.0,
            ],
        );
        hash.first_chunk().copied()
    }

    /// The validator of an R1bis, over what 7.17.1 lists.
    pub fn r1bis(
        &mut self,
        env: &dyn Env,
        nonce: u32,
        tag: Tag,
        over: &Pair,
    ) -> Option<[u8; R1BIS_LEN]> {
        let key = self.key(env, nonce)?;
        let hash = env.hmac_sha256(
            key,
            &[
                b"R1bis",
                &nonce.to_be_bytes(),
                &tag.get().to_be_bytes(),
                &over.local.0,
                &over.peer.0,
            ],
        );
        hash.first_chunk().copied()
    }
}

/// Compares in a time that does not depend on where they differ.
pub fn same(ours: &[u8], theirs: &[u8]) -> bool {
    let differ = ours.iter().zip(theirs).fold(0, |differ, (a, b)| differ | (a ^ b));
    ours.len() == theirs.len() && differ == 0
}
