// SPDX-License-Identifier: GPL-2.0

//! Deferred set-up: which pairs of addresses without a context deserve one.
//!
//! RFC 5533 section 4: "some heuristic for determining when to perform a deferred context
//! establishment". Ours: `setup_packets` packets of a pair in either direction, and
//! `setup_age_ms` since the first. The table has a fixed size and is counted in without
//! a lock; pairs that meet in a slot disturb each other's count, never anything else.
//! It also remembers with whom an establishment failed (RFC 5533 section 7.8).

use crate::proto::config::Config;
use crate::proto::time::Instant;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One pair that is being counted, or held down.
///
/// `count` packs the packets (20 bits), whether an establishment is held down (1 bit) and a
/// moment (43 bits, ms): of the first packet, or of the end of the hold-down.
#[derive(Debug, Default)]
pub struct SetupSlot {
    key: AtomicU64,
    count: AtomicU64,
}

const PACKETS_BITS: u32 = 20;
const PACKETS_MAX: u64 = (1 << PACKETS_BITS) - 1;
const HELD: u64 = 1 << PACKETS_BITS;
const MOMENT_SHIFT: u32 = PACKETS_BITS + 1;
/// What a pair reached by packets of so long a time is counted anew.
const FORGET_MS: u64 = 60_000;

impl SetupSlot {
    /// An empty slot.
    pub const fn new() -> Self {
        SetupSlot { key: AtomicU64::new(0), count: AtomicU64::new(0) }
    }
}

const fn counting(packets: u64, first: Instant) -> u64 {
    (first.0 << MOMENT_SHIFT) | packets
}

/// The heuristics' memory: a slice of slots that the driver owns, its length best a power
/// of two.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a>(pub &'a [SetupSlot]);

impl Setup<'_> {
    #[inline]
    fn slot(&self, key: u64) -> Option<&SetupSlot> {
        // The upper half of a product spreads a hash over any number of slots.
        let place = (u128::from(key) * self.0.len() as u128) >> 64;
        self.0.get(place as usize)
    }

    /// As [`Self::note`], for most packets and in few instructions: counts one of a pair that is
    /// not near its threshold, at whatever time. `false` if that is not so; nothing was counted
    /// then.
    #[inline(always)]
    pub fn count(&self, key: u64, config: &Config) -> bool {
        let Some(slot) = self.slot(key) else { return true };
        let seen = slot.count.load(Relaxed);
        // A hold-down looks like more packets than any threshold.
        let packets = (seen & (HELD | PACKETS_MAX)).wrapping_add(1);
        let early = slot.key.load(Relaxed) == key && packets < u64::from(config.setup_packets);
        if early {
            slot.count.store(seen.wrapping_add(1), Relaxed);
        }
        early
    }

    /// A packet of a pair without a context was sent or received. `key` is a keyed hash
    /// of the pair. True once, when the pair reached its thresholds: initiate a context.
    pub fn note(&self, key: u64, now: Instant, config: &Config) -> bool {
        let Some(slot) = self.slot(key) else { return false };
        let seen = slot.count.load(Relaxed);
        let moment = Instant(seen >> MOMENT_SHIFT);
        if slot.key.load(Relaxed) != key {
            // A hold-down is not pushed out by another pair.
            if seen & HELD != 0 && !now.reached(moment) {
                return false;
            }
            slot.key.store(key, Relaxed);
            slot.count.store(counting(1, now), Relaxed);
            return config.setup_packets <= 1 && config.setup_age_ms == 0;
        }
        if seen & HELD != 0 {
            if now.reached(moment) {
                slot.count.store(counting(1, now), Relaxed);
            }
            return false;
        }
        Self::counted(slot, seen, now, config)
    }

    fn counted(slot: &SetupSlot, seen: u64, now: Instant, config: &Config) -> bool {
        let first = Instant(seen >> MOMENT_SHIFT);
        let age = now.since(first);
        let packets = (seen & PACKETS_MAX).saturating_add(1).min(PACKETS_MAX);
        if age > FORGET_MS.saturating_add(u64::from(config.setup_age_ms)) {
            slot.count.store(counting(1, now), Relaxed);
            return false;
        }
        if packets < u64::from(config.setup_packets) || age < u64::from(config.setup_age_ms) {
            slot.count.store(counting(packets, first), Relaxed);
            return false;
        }
        // Once: only the packet that resets the count asks for the context.
        slot.count.compare_exchange(seen, counting(0, now), Relaxed, Relaxed).is_ok()
    }

    /// No context with this pair until then.
    pub fn hold_down(&self, key: u64, until: Instant) {
        if let Some(slot) = self.slot(key) {
            slot.key.store(key, Relaxed);
            slot.count.store((until.0 << MOMENT_SHIFT) | HELD, Relaxed);
        }
    }

    /// When the hold-down of a pair ends, if it is held down now.
    pub fn held_until(&self, key: u64, now: Instant) -> Option<Instant> {
        let slot = self.slot(key)?;
        let seen = slot.count.load(Relaxed);
        let until = Instant(seen >> MOMENT_SHIFT);
        let held = slot.key.load(Relaxed) == key && seen & HELD != 0 && !now.reached(until);
        held.then_some(until)
    }

    /// Forgets everything, hold-downs included.
    pub fn clear(&self) {
        for slot in self.0 {
            slot.key.store(0, Relaxed);
            slot.count.store(0, Relaxed);
        }
    }
}
