// SPDX-License-Identifier: GPL-2.0

//! Time as the core knows it: milliseconds since some start, never read, always given.

/// A moment, in milliseconds since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// The moment `ms` milliseconds later.
    #[inline]
    pub const fn after(self, ms: u64) -> Instant {
        Instant(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to here; 0 if it is not earlier.
    #[inline]
    pub const fn since(self, earlier: Instant) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whether `deadline` has come.
    #[inline]
    pub const fn reached(self, deadline: Instant) -> bool {
        self.0 >= deadline.0
    }
}

/// `nominal` milliseconds, spread evenly from half to one and a half of it by `random`.
///
/// RFC 5533 section 14: "randomization across a range of 0.5 and 1.5 times the nominal
/// (backed off) value".
#[inline]
pub const fn jitter(nominal: u64, random: u64) -> u64 {
    (nominal / 2).saturating_add(random % nominal.saturating_add(1))
}
