// SPDX-License-Identifier: GPL-2.0

//! In which order locator pairs are tried (RFC 5534 section 4.3).
//!
//! "Nodes [...] have a prioritized list of address pairs to try": the list is never
//! stored, the next pair is found by looking for the least rank above the last one.

use super::{LocalSet, PeerLocator};
use crate::proto::addr::Pair;

/// A pair by its places in Ls(local) and Ls(peer).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Index into the local set.
    pub local: u8,
    /// Index into the peer's list.
    pub peer: u8,
}

/// Where in the order a pair stands; unique among the pairs of two lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u64);

/// What the order is about.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// The pair in use.
    pub current: Pair,
    /// The pair in use is in doubt: begin with the pairs that share least with it.
    pub avoid_current: bool,
    /// Pairs of the ULIDs come first among equals: they need no extension header.
    pub ulids: Pair,
}

impl Order {
    fn rank(&self, local: usize, peer: usize, set: &LocalSet<'_>, list: &[PeerLocator]) -> Rank {
        let (Some(l), Some(p)) = (set.locators.get(local), list.get(peer)) else {
            return Rank(u64::MAX);
        };
        let shared =
            u64::from(l.addr == self.current.local) + u64::from(p.addr == self.current.peer);
        let doubt = if self.avoid_current { shared } else { 0 };
        let broken = u64::from(p.is_broken());
        // "A client MUST attempt to contact the target host with the lowest-numbered
        // priority it can reach" (RFC 2782).
        let priority = u64::from(l.pref.priority) + u64::from(p.pref.priority);
        let foreign = u64::from(l.addr != self.ulids.local) + u64::from(p.addr != self.ulids.peer);
        let weight = 510 - (u64::from(l.pref.weight) + u64::from(p.pref.weight));
        // Rule 8 of RFC 6724: the longest matching prefix.
        let mismatch = u64::from(128 - l.addr.common_prefix_len(p.addr));
        let place = ((local as u64 & 0xff) << 8) | (peer as u64 & 0xff);
        Rank(
            (broken << 60)
                | (doubt << 56)
                | (priority << 46)
                | (foreign << 44)
                | (weight << 34)
                | (mismatch << 24)
                | place,
        )
    }

    /// The first pair after `last`, with its rank: our side usable, the peer's verified.
    pub fn next(
        &self,
        last: Option<Rank>,
        set: &LocalSet<'_>,
        list: &[PeerLocator],
    ) -> Option<(Place, Rank)> {
        let mut best: Option<(Place, Rank)> = None;
        for (i, l) in set.locators.iter().enumerate().filter(|(_, l)| l.usable) {
            for (j, p) in list.iter().enumerate().filter(|(_, p)| p.is_verified()) {
                let rank = self.rank(i, j, set, list);
                if last.is_some_and(|last| rank <= last)
                    || best.is_some_and(|(_, b)| rank >= b)
                    || l.addr == p.addr
                {
                    continue;
                }
                if let (Ok(local), Ok(peer)) = (u8::try_from(i), u8::try_from(j)) {
                    best = Some((Place { local, peer }, rank));
                }
            }
        }
        best
    }

    /// The rank of a given pair, if it may be used now.
    pub fn rank_of(&self, pair: &Pair, set: &LocalSet<'_>, list: &[PeerLocator]) -> Option<Rank> {
        let i = set.locators.iter().position(|l| l.addr == pair.local && l.usable)?;
        let j = list.iter().position(|p| p.addr == pair.peer && p.is_verified())?;
        Some(self.rank(i, j, set, list))
    }
}

/// The addresses of a place.
pub fn pair_at(place: Place, set: &LocalSet<'_>, list: &[PeerLocator]) -> Option<Pair> {
    Some(Pair {
        local: set.locators.get(usize::from(place.local))?.addr,
        peer: list.get(usize::from(place.peer))?.addr,
    })
}
