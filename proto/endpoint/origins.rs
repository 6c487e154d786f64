// SPDX-License-Identifier: GPL-2.0

//! How many contexts the peers of one prefix have here, in memory of a fixed size: who has a
//! prefix has more addresses in it than we have memory.
//!
//! Two counts, at places that a keyed hash of the prefix gives; the smaller one tells. It is
//! never too small, and too great only if both places are shared.

use crate::proto::addr::Addr;

/// What we take for one site: "the end-site assignment" is a /48, or less of it (RFC 6177).
const PREFIX: u32 = 48;

/// The prefix that an address counts for.
pub const fn origin_of(addr: &Addr) -> Addr {
    Addr::from_bits(addr.to_bits() >> (128 - PREFIX) << (128 - PREFIX))
}

fn places(counts: &[u32], key: u64) -> [usize; 2] {
    // The upper half of a product spreads 32 bits over any number of places.
    let spread = |half: u64| {
        let product = (half & 0xffff_ffff).saturating_mul(counts.len() as u64);
        (product >> 32) as usize
    };
    [spread(key), spread(key >> 32)]
}

/// How many contexts have a prefix with this keyed hash; perhaps fewer.
pub fn of(counts: &[u32], key: u64) -> u32 {
    let count = |at: usize| counts.get(at).copied().unwrap_or(0);
    let [a, b] = places(counts, key).map(count);
    a.min(b)
}

/// The counts, in memory of the driver's, zero at first.
#[derive(Debug)]
pub struct Origins<'a>(pub &'a mut [u32]);

impl Origins<'_> {
    /// There is one more.
    pub fn came(&mut self, key: u64) {
        self.change(key, |count| count.saturating_add(1));
    }

    /// There is one less.
    pub fn went(&mut self, key: u64) {
        self.change(key, |count| count.saturating_sub(1));
    }

    fn change(&mut self, key: u64, f: impl Fn(u32) -> u32) {
        for at in places(self.0, key) {
            if let Some(count) = self.0.get_mut(at) {
                *count = f(*count);
            }
        }
    }
}
