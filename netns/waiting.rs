// SPDX-License-Identifier: GPL-2.0

//! Pairs that packets and programs want contexts for.

use crate::proto::addr::Pair;

/// So many may wait.
const MOST: usize = 64;

/// Pairs until the core looks at them, each once.
pub(super) struct Waiting {
    pairs: [Pair; MOST],
    len: usize,
}

impl Waiting {
    /// Nobody.
    pub(super) fn new() -> Self {
        Waiting { pairs: [Pair::default(); MOST], len: 0 }
    }

    /// Whether it waits now: there may be no place.
    pub(super) fn add(&mut self, pair: &Pair) -> bool {
        if self.pairs.iter().take(self.len).any(|waits| waits == pair) {
            return true;
        }
        let Some(place) = self.pairs.get_mut(self.len) else { return false };
        *place = *pair;
        self.len += 1;
        true
    }

    /// Takes one out.
    pub(super) fn take(&mut self) -> Option<Pair> {
        self.len = self.len.checked_sub(1)?;
        self.pairs.get(self.len).copied()
    }
}
