// SPDX-License-Identifier: GPL-2.0

//! Which pair of locators is liked most, and in which order they are tried.

use rand::{rngs::StdRng, Rng, SeedableRng};
use shim6_proto::proto::addr::{Addr, Pair};
use shim6_proto::proto::locator::pairs::{Cursor, PairIndex, Paths};
use shim6_proto::proto::locator::{LocalLocator, LocalSet, PeerLocator, Preference};
use shim6_proto::proto::wire::Method;

const NONE: Preference = Preference { flags: 0, priority: 0, weight: 0 };

fn local(prefix: u64, pref: Preference) -> LocalLocator {
    let addr = Addr::from_parts(prefix, 1);
    LocalLocator { addr, method: Method::Hba, pref, follows: true, usable: true, withdrawn: false }
}

fn peer(prefix: u64, pref: Preference) -> PeerLocator {
    let mut locator = PeerLocator::new(Addr::from_parts(prefix, 2), Method::Hba);
    locator.set_verified();
    locator.pref = pref;
    locator
}

/// The `n`-th prefix of providers that have the same number of bits in common with any other.
fn theirs(n: u64) -> u64 {
    0x2002_0000_0000_0000 | (n << 16)
}

fn ours(n: u64) -> u64 {
    0x2001_0000_0000_0000 | (n << 16)
}

/// Between identifiers that are no locators.
fn paths<'a>(locals: &'a [LocalLocator], peers: &'a [PeerLocator]) -> Paths<'a> {
    let set = LocalSet {
        pds: &[],
        locators: locals,
        generation: 0,
        wishes: None,
        signs: false,
        signatures: &[],
    };
    Paths { set, peers, ulids: elsewhere(), salt: 0 }
}

fn elsewhere() -> Pair {
    Pair { local: Addr::from_bits(1), peer: Addr::from_bits(2) }
}

/// All pairs, in the order that they are tried in after `avoid` failed.
fn walk(paths: &Paths<'_>, avoid: &Pair) -> Vec<(u8, u8)> {
    let (mut cursor, mut order) = (Cursor::START, vec![]);
    while let Some((at, next)) = paths.next(cursor, avoid) {
        order.push((at.local, at.peer));
        assert!(order.len() <= 32 * 32, "it comes to its end");
        cursor = next;
    }
    order
}

/// Each is worse than the one before in what counts more, and better in all that counts less.
#[test]
fn what_counts_more_is_looked_at_first() {
    let unique_local = 0xfd00_0000_0000_0000;
    let of = |flags, priority, weight| Preference { flags, priority, weight };
    let ladder = [
        peer(theirs(1), NONE),
        peer(theirs(2), of(0, 1, 255)),
        peer(theirs(3), of(Preference::TRANSIENT, 0, 255)),
        peer(unique_local, of(0, 0, 255)),
        peer(theirs(4), of(Preference::BROKEN, 0, 255)),
    ];
    let ours = [local(ours(0), NONE)];
    let peers: Vec<_> = ladder.iter().rev().copied().collect();
    let paths = paths(&ours, &peers);
    let expected: Vec<(u8, u8)> = (0..5).rev().map(|peer| (0, peer)).collect();
    assert_eq!(walk(&paths, &elsewhere()), expected);
    assert_eq!(paths.best().map(|(at, _)| at.peer), Some(4));
    let ranks: Vec<_> =
        (0..5).map(|peer| paths.rank(PairIndex { local: 0, peer }).unwrap()).collect();
    assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
    assert!(ranks.is_sorted_by(|a, b| a.coarse() < b.coarse()), "worth a rehoming");
}

#[test]
fn the_peers_priority_counts_more_than_ours() {
    let low = Preference { priority: 1, ..NONE };
    let locals = [local(ours(0), NONE), local(ours(1), low)];
    let peers = [peer(theirs(0), NONE), peer(theirs(1), low)];
    let order = walk(&paths(&locals, &peers), &elsewhere());
    assert_eq!(order, [(0, 0), (1, 0), (0, 1), (1, 1)]);
}

#[test]
fn a_flag_of_either_end_is_one_of_the_pair() {
    for flags in [Preference::TRANSIENT, Preference::BROKEN, 3] {
        let bad = Preference { flags, ..NONE };
        let locals = [local(ours(0), bad), local(ours(1), NONE)];
        let peers = [peer(theirs(0), bad), peer(theirs(1), NONE)];
        let paths = paths(&locals, &peers);
        let rank = |local, peer| paths.rank(PairIndex { local, peer }).unwrap().coarse();
        assert_eq!(paths.best().map(|(at, _)| (at.local, at.peer)), Some((1, 1)));
        assert!(rank(0, 0) == rank(0, 1) && rank(0, 0) == rank(1, 0) && rank(0, 0) < rank(1, 1));
    }
}

#[test]
fn of_pairs_that_are_liked_equally_the_first_is_the_best() {
    let (locals, peers) =
        ([1, 2].map(|n| local(ours(n), NONE)), [1, 2].map(|n| peer(theirs(n), NONE)));
    let paths = paths(&locals, &peers);
    let ranks = walk(&paths, &elsewhere())
        .into_iter()
        .map(|(local, peer)| paths.rank(PairIndex { local, peer }));
    let ranks: Vec<_> = ranks.collect();
    assert!(ranks.len() == 4 && ranks.iter().all(|rank| *rank == ranks[0]), "{ranks:?}");
    assert_eq!(paths.best().map(|(at, _)| (at.local, at.peer)), Some((0, 0)));
}

/// RFC 5533 section 5.15.3: "known to be not working", for whatever reason.
#[test]
fn a_locator_is_told_broken_by_policy_or_because_it_is() {
    for (flags, usable, told) in
        [(0, true, 0), (0, false, 1), (1, true, 1), (1, false, 1), (2, false, 3)]
    {
        let one = LocalLocator { usable, ..local(ours(0), Preference { flags, ..NONE }) };
        let set = paths(&[], &[]).set;
        assert_eq!(set.told(&one).flags, told, "{flags} {usable}");
    }
}

#[test]
fn unique_local_addresses_are_a_scope_of_their_own() {
    for (prefix, inside) in [
        (0xfbff_ffff_ffff_ffff, false),
        (0xfc00_0000_0000_0000, true),
        (0xfdff_ffff_ffff_ffff, true),
        (0xfe00_0000_0000_0000, false),
        (0x7e00_0000_0000_0000, false),
    ] {
        let locals = [local(ours(0), NONE), local(0xfd12_3456_789a_0000, NONE)];
        let peers = [peer(prefix, NONE)];
        let (at, _) = paths(&locals, &peers).best().unwrap();
        assert_eq!(at.local == 1, inside, "{prefix:x}");
    }
}

#[test]
fn the_identifiers_are_liked_more_than_what_needs_a_header() {
    let locals = [local(ours(0), NONE), local(ours(1), NONE)];
    let peers = [peer(theirs(0), NONE), peer(theirs(1), NONE)];
    let ulids = Pair { local: locals[1].addr, peer: peers[1].addr };
    let paths = Paths { ulids, ..paths(&locals, &peers) };
    let coarse = |local, peer| paths.rank(PairIndex { local, peer }).unwrap().coarse();
    assert_eq!(paths.best().map(|(at, _)| (at.local, at.peer)), Some((1, 1)));
    assert!(coarse(1, 1) > coarse(0, 0));
    assert!(coarse(0, 0) == coarse(0, 1) && coarse(0, 0) == coarse(1, 0), "one of them is not");
}

#[test]
fn the_longest_common_prefix_breaks_ties_and_moves_nothing() {
    let locals = [local(ours(7), NONE)];
    let peers = [peer(theirs(0), NONE), peer(ours(6), NONE)];
    let paths = paths(&locals, &peers);
    let rank = |peer| paths.rank(PairIndex { local: 0, peer }).unwrap();
    assert_eq!(walk(&paths, &elsewhere()), [(0, 1), (0, 0)]);
    assert!(rank(1) > rank(0) && rank(1).coarse() == rank(0).coarse());
}

#[test]
fn pairs_that_share_nothing_with_what_failed_come_first() {
    let locals = [local(ours(0), NONE), local(ours(1), NONE)];
    let mut peers = [peer(theirs(0), NONE), peer(theirs(1), NONE)];
    let failed = Pair { local: locals[0].addr, peer: peers[0].addr };
    assert_eq!(walk(&paths(&locals, &peers), &failed), [(1, 1), (0, 1), (1, 0), (0, 0)]);
    // But nobody tries what the peer says is broken before what it does not.
    peers[1].pref.flags = Preference::BROKEN;
    assert_eq!(walk(&paths(&locals, &peers), &failed), [(1, 0), (0, 0), (1, 1), (0, 1)]);
    // And what is liked more is no reason to try an end again that failed.
    peers[1].pref = Preference { priority: 9, ..NONE };
    assert_eq!(walk(&paths(&locals, &peers), &failed), [(1, 1), (1, 0), (0, 1), (0, 0)]);
}

#[test]
fn each_pair_of_the_longest_lists_is_tried_once() {
    let mut dice = StdRng::seed_from_u64(7);
    let mut pref = || Preference {
        flags: dice.gen_range(0..4),
        priority: dice.gen_range(0..2) * 255,
        weight: dice.gen_range(0..2) * 255,
    };
    let locals: Vec<_> = (0..32).map(|n| local(ours(n), pref())).collect();
    let peers: Vec<_> = (0..32).map(|n| peer(theirs(n), pref())).collect();
    let failed = Pair { local: locals[3].addr, peer: peers[31].addr };
    let mut order = walk(&paths(&locals, &peers), &failed);
    assert_eq!(order.len(), 1024);
    order.sort_unstable();
    order.dedup();
    assert_eq!(order.len(), 1024);
}

#[test]
fn what_may_not_be_used_is_not_tried() {
    let mut locals = [0, 1, 2].map(|n| local(ours(n), NONE));
    locals[0].usable = false;
    locals[1].withdrawn = true;
    let unverified = PeerLocator::new(Addr::from_parts(theirs(0), 2), Method::Hba);
    let peers = [unverified, peer(theirs(1), NONE)];
    let paths = paths(&locals, &peers);
    assert_eq!(walk(&paths, &elsewhere()), [(2, 1)]);
    for (at_local, at_peer) in (0..4).flat_map(|l| (0..3).map(move |p| (l, p))) {
        let at = PairIndex { local: at_local, peer: at_peer };
        assert_eq!(paths.is_candidate(at), (at_local, at_peer) == (2, 1));
    }
}

/// RFC 2782: "the probability [...] proportional to its weight".
#[test]
fn locators_of_equal_priority_win_as_often_as_their_weights_say() {
    const N: u32 = 20_000;
    for (weights, share) in
        [([1, 1], 0.5), ([200, 200], 0.5), ([10, 30], 0.75), ([1, 255], 0.996), ([0, 1], 1.0)]
    {
        let [one, other] = weights.map(|weight| Preference { weight, ..NONE });
        let mut dice = StdRng::seed_from_u64(1);
        let mut wins = [0u32; 2];
        for _ in 0..N {
            let salt = dice.gen();
            let (locals, peers) = ([local(ours(0), one), local(ours(1), other)], [one, other]);
            let peers = [peer(theirs(0), peers[0]), peer(theirs(1), peers[1])];
            let (at, _) = Paths { salt, ..paths(&locals, &peers) }.best().unwrap();
            wins[0] += u32::from(at.local);
            wins[1] += u32::from(at.peer);
        }
        for won in wins.map(|won| f64::from(won) / f64::from(N)) {
            assert!((won - share).abs() < 0.015, "{weights:?}: {won}");
        }
    }
}

#[test]
fn a_context_draws_the_same_lot_for_all_of_its_life() {
    let weighted = Preference { weight: 5, ..NONE };
    let locals = [0, 1, 2].map(|n| local(ours(n), weighted));
    let peers = [0, 1, 2].map(|n| peer(theirs(n), weighted));
    let best = |salt| Paths { salt, ..paths(&locals, &peers) }.best().unwrap();
    assert!((0..100).all(|salt| best(salt) == best(salt)));
    let first = best(0).0;
    assert!((1..100).any(|salt| best(salt).0 != first), "and another one another");
}
