// SPDX-License-Identifier: GPL-2.0

//! The order in which locator pairs are tried (RFC 5534 section 4.3).
//!
//! "By employing standard IPv6 address selection rules, the list is pruned by removing
//! combinations that are inappropriate", "IPv6 address selection rules provide a basic
//! priority order", "local preferences may be applied". A pair is named by the places of its
//! ends ([`PairIndex`]); no list of pairs is ever built: the next pair is the one with the
//! greatest key below the last one's, of at most 32 times 32.

use super::{LocalSet, PeerLocator, Preference, MAX_LOCATORS};
use crate::proto::addr::{Addr, Pair};
use core::num::NonZeroU64;

/// A pair of locators by their places in Ls(local) and Ls(peer).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairIndex {
    /// The place in Ls(local).
    pub local: u8,
    /// The place in Ls(peer).
    pub peer: u8,
}

/// Where the locators of a peer's list went when another list took its place.
pub struct Moved([Option<u8>; MAX_LOCATORS]);

impl Moved {
    /// From the old list to the new one.
    pub fn between(old: &[PeerLocator], new: &[PeerLocator]) -> Moved {
        let mut places = [None; MAX_LOCATORS];
        for (place, old) in places.iter_mut().zip(old) {
            let at = new.iter().position(|l| l.addr == old.addr);
            *place = at.and_then(|at| u8::try_from(at).ok());
        }
        Moved(places)
    }

    /// Names the same pair by its new place; `false` if the peer's end is gone.
    pub fn apply(&self, at: &mut PairIndex) -> bool {
        let Some(place) = self.0.get(usize::from(at.peer)).copied().flatten() else { return false };
        at.peer = place;
        true
    }
}

/// Where an exploration stands: the key of the pair tried last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(u64);

impl Cursor {
    /// Before the first pair.
    pub const START: Cursor = Cursor(u64::MAX);
}

/// How much a pair is liked; comparable among pairs of one context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u64);

impl Rank {
    const NOT_BROKEN: u64 = 1 << 43;
    const SAME_SCOPE: u64 = 1 << 42;
    const STABLE: u64 = 1 << 41;
    const PEER_PRIORITY: u32 = 33;
    const OUR_PRIORITY: u32 = 25;
    const PEER_DRAW: u32 = 17;
    const OUR_DRAW: u32 = 9;
    const ULIDS: u64 = 1 << 8;

    /// The rank without what only breaks ties (the length of the common prefix): it is
    /// not worth a rehoming.
    pub const fn coarse(self) -> u64 {
        self.0 >> 8
    }
}

/// One context's lot for a locator: of locators of equal priority the greatest wins, each as
/// often as its weight says (RFC 6316 section 6.4: "as per DNS SRV", RFC 2782: "the
/// probability [...] proportional to its weight"). 0 for weight 0, so that without weights
/// nothing is drawn.
///
/// The winner of a race of exponential clocks whose rates are the weights: the least of
/// `-log2(u) / weight`, with a `u` of the context and the locator.
fn draw(salt: u64, addr: &Addr, weight: u8) -> u8 {
    let Some(weight) = NonZeroU64::new(weight.into()) else { return 0 };
    let bits = addr.to_bits();
    let mixed = mix(salt ^ bits as u64 ^ (bits >> 64) as u64);
    let u = NonZeroU64::new(mixed >> 40).unwrap_or(NonZeroU64::MIN);
    // 24 bits of `u`: its logarithm to 8 binary places, the mantissa read as a line.
    let whole = u.ilog2();
    let part = ((u.get() << 8) >> whole) & 0xff;
    let minus_log = (24u64 << 8).saturating_sub((u64::from(whole) << 8) | part);
    // At most 19 bits, on a scale of 8 steps for each doubling: that fits into an octet.
    let lateness = NonZeroU64::new((minus_log << 6) / weight).unwrap_or(NonZeroU64::MIN);
    let doublings = lateness.ilog2();
    let eighths = ((lateness.get() << 3) >> doublings) & 7;
    u8::MAX.saturating_sub(((u64::from(doublings) << 3) | eighths).min(254) as u8)
}

/// Each of the upper 24 bits depends on each of `x` (MurmurHash3's last step, without what it does
/// for the lower ones): addresses that differ in one bit have lots that know nothing of each other.
const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (x ^ (x >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53)
}

/// The locators of one context on both sides.
#[derive(Clone, Copy, Debug)]
pub struct Paths<'a> {
    /// Ls(local).
    pub set: LocalSet<'a>,
    /// Ls(peer).
    pub peers: &'a [PeerLocator],
    /// The primary address pair (RFC 5534 section 3.4).
    pub ulids: Pair,
    /// The context's own chance, for weights; random, and the same for all of its life.
    pub salt: u64,
}

/// `fc00::/7`: another scope than the rest (RFC 6724 section 2.1 gives it its own label).
const fn is_unique_local(addr: &Addr) -> bool {
    addr.to_bits() >> 121 == 0xfc >> 1
}

impl Paths<'_> {
    /// The addresses of a pair.
    pub fn resolve(&self, at: PairIndex) -> Option<Pair> {
        let local = self.set.locators.get(usize::from(at.local))?.addr;
        let peer = self.peers.get(usize::from(at.peer))?.addr;
        Some(Pair { local, peer })
    }

    /// The places of a pair's ends.
    pub fn index(&self, pair: &Pair) -> Option<PairIndex> {
        let peer = self.peers.iter().position(|p| p.addr == pair.peer)?;
        let peer = u8::try_from(peer).ok()?;
        Some(PairIndex { local: self.set.index_of(&pair.local)?, peer })
    }

    /// Whether packets may be sent between them: our end works, and the peer's is proved
    /// to be the peer's.
    pub fn is_candidate(&self, at: PairIndex) -> bool {
        let local = self.set.locators.get(usize::from(at.local));
        let peer = self.peers.get(usize::from(at.peer));
        local.is_some_and(|l| l.usable && !self.set.excludes(l))
            && peer.is_some_and(PeerLocator::is_candidate)
    }

    /// How much a pair is liked: not told broken; of the same scope (RFC 6724 rules 2 and
    /// 5); stable; the peer's and our priority ("the lowest is tried first"), and what was
    /// drawn by weight; the primary
    /// pair, which needs no extension header; the longest common prefix (rule 8).
    pub fn rank(&self, at: PairIndex) -> Option<Rank> {
        let local = self.set.locators.get(usize::from(at.local))?;
        let peer = self.peers.get(usize::from(at.peer))?;
        let (ours, theirs) = (self.set.preference(local), peer.preference());
        let flags = ours.flags | theirs.flags;
        let mut rank = 0;
        if flags & Preference::BROKEN == 0 {
            rank |= Rank::NOT_BROKEN;
        }
        if is_unique_local(&local.addr) == is_unique_local(&peer.addr) {
            rank |= Rank::SAME_SCOPE;
        }
        if flags & Preference::TRANSIENT == 0 {
            rank |= Rank::STABLE;
        }
        rank |= u64::from(255 - theirs.priority) << Rank::PEER_PRIORITY;
        rank |= u64::from(255 - ours.priority) << Rank::OUR_PRIORITY;
        rank |= u64::from(draw(self.salt, &peer.addr, theirs.weight)) << Rank::PEER_DRAW;
        rank |= u64::from(draw(self.salt, &local.addr, ours.weight)) << Rank::OUR_DRAW;
        if local.addr == self.ulids.local && peer.addr == self.ulids.peer {
            rank |= Rank::ULIDS;
        }
        Some(Rank(rank | u64::from(local.addr.common_prefix_len(peer.addr).min(255))))
    }

    /// How much a pair is liked without what only breaks ties; `None` if no packets may be sent
    /// between its ends.
    pub fn liking(&self, at: PairIndex) -> Option<u64> {
        self.rank(at).filter(|_| self.is_candidate(at)).map(Rank::coarse)
    }

    /// All pairs that packets may be sent between.
    fn for_each_candidate(&self, act: &mut dyn FnMut(PairIndex, Rank)) {
        for (local, l) in (0u8..=254).zip(self.set.locators) {
            for (peer, p) in (0u8..=254).zip(self.peers) {
                let at = PairIndex { local, peer };
                if l.usable && p.is_candidate() && !self.set.excludes(l) {
                    if let Some(rank) = self.rank(at) {
                        act(at, rank);
                    }
                }
            }
        }
    }

    /// The pair that is liked most; of equals the first.
    pub fn best(&self) -> Option<(PairIndex, Rank)> {
        let mut best: Option<(PairIndex, Rank)> = None;
        self.for_each_candidate(&mut |at, rank| {
            if best.is_none_or(|(_, b)| rank > b) {
                best = Some((at, rank));
            }
        });
        best
    }

    /// The pair to try after the one at `cursor`, those that share nothing with `avoid`
    /// first: what failed is most likely one of its ends or their links.
    pub fn next(&self, cursor: Cursor, avoid: &Pair) -> Option<(PairIndex, Cursor)> {
        let mut next: Option<(PairIndex, Cursor)> = None;
        self.for_each_candidate(&mut |at, rank| {
            let key = self.exploration_key(at, rank, avoid);
            if key < cursor.0 && next.is_none_or(|(_, n)| key > n.0) {
                next = Some((at, Cursor(key)));
            }
        });
        next
    }

    fn exploration_key(&self, at: PairIndex, rank: Rank, avoid: &Pair) -> u64 {
        let disjoint = self.resolve(at).map_or(0, |pair| {
            u64::from(pair.local != avoid.local) + u64::from(pair.peer != avoid.peer)
        });
        let place = (u64::from(at.local) << 8) | u64::from(at.peer);
        let (sound, rest) = (rank.0 >> 42, rank.0 & ((1 << 42) - 1));
        (sound << 62) | (disjoint << 60) | (rest << 16) | (0xffff - place)
    }
}
