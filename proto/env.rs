// SPDX-License-Identifier: GPL-2.0

//! What the core needs from outside, besides the memory of contexts: one [`Env`] per
//! network namespace, lent for the length of a call.

use crate::proto::addr::{Addr, Pair};
use crate::proto::config::Config;
use crate::proto::counter::Counter;
use crate::proto::crowd::Crowd;
use crate::proto::locator::LocalSet;
use crate::proto::time::Instant;

/// Time, chance, hashes, settings, counters and our own addresses.
///
/// Everything takes `&self`: the driver's state behind it is atomic or guarded by the
/// namespace's control lock, which is held while the core runs.
pub trait Env {
    /// The time now. It agrees with the ticks of packets: `ticks().instant(tick)` of a
    /// tick that has passed is not later.
    fn now(&self) -> Instant;
    /// How packets count time.
    fn ticks(&self) -> Ticks;
    /// A random number of cryptographic quality.
    fn random(&self) -> u64;
    /// A random number that fits a nonce.
    fn nonce(&self) -> u32 {
        self.random() as u32
    }
    /// SHA-1 over the concatenation of `parts`.
    fn sha1(&self, parts: &[&[u8]]) -> [u8; 20];
    /// HMAC-SHA-256 over the concatenation of `parts`.
    fn hmac_sha256(&self, key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32];
    /// The namespace's settings.
    fn config(&self) -> &Config;
    /// Adds one to a counter.
    fn count(&self, what: Counter);
    /// The explorations of the namespace's contexts.
    fn crowd(&self) -> &Crowd;
    /// Whether the administrator's policy has room for a context of these identifiers.
    fn permits(&self, pair: &Pair) -> bool;
    /// The set that owns `ulid`: `None` if `ulid` is not an address of ours that may be
    /// shimmed. A set without parameters (a host with one address) has an empty `pds`
    /// and the ULID as its only locator.
    fn local_set(&self, ulid: &Addr) -> Option<LocalSet<'_>>;
}

/// The clock that packets read: a counter of ticks (the kernel's jiffies).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticks {
    /// Ticks per second; not 0.
    pub per_second: u32,
}

impl Ticks {
    /// The moment of a tick.
    pub const fn instant(self, tick: u64) -> Instant {
        match self.per_second {
            1000 | 0 => Instant(tick),
            // Packets ask: no division where none is needed.
            hz if 1000 % hz == 0 => Instant(tick.saturating_mul((1000 / hz) as u64)),
            hz => Instant(tick.saturating_mul(1000) / hz as u64),
        }
    }

    /// The tick of a moment: the first that is not earlier, so that
    /// `tick(instant(t)) == t`.
    pub const fn tick(self, at: Instant) -> u64 {
        match self.per_second {
            1000 | 0 => at.0,
            hz => at.0.saturating_mul(hz as u64).saturating_add(999) / 1000,
        }
    }
}

/// A message in the caller's buffer, to be sent between these addresses, with
/// [`crate::proto::wire::PROTOCOL`] as next header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Transmit {
    /// IPv6 source address: a locator of ours.
    pub src: Addr,
    /// IPv6 destination address.
    pub dst: Addr,
    /// Octets of the message at the start of the buffer.
    pub len: usize,
}
