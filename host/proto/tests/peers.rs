// SPDX-License-Identifier: GPL-2.0

//! A peer's locator list: what is remembered of a locator when the list changes, and what
//! applications make of it.

use crate::world::Store;
use shim6_proto::proto::addr::Addr;
use shim6_proto::proto::locator::{LocalLocator, LocalSet, PeerLocator, PeerLocators, Preference};
use shim6_proto::proto::wire::Method;
use shim6_proto::proto::wish::{Wanted, WishError};

fn addr(n: u64) -> Addr {
    Addr::from_parts(0x2001_0db8_0000_0000 | (n << 16), 1)
}

/// As a message tells it, proved.
fn proved(n: u64) -> PeerLocator {
    let mut locator = PeerLocator::new(addr(n), Method::Hba);
    locator.set_verified();
    locator
}

fn wanted(n: u64) -> Wanted {
    Wanted { addr: addr(n), priority: 7, weight: 9 }
}

/// The ULID, then locators 1 and 2, all of them reachable.
fn three() -> PeerLocators<Store> {
    let mut list = PeerLocators::of_ulid(addr(0)).unwrap();
    list.replace(1, &mut [0, 1, 2].map(proved)).unwrap();
    for n in 0..3 {
        list.set_reachable(&addr(n));
    }
    list
}

fn candidates(list: &PeerLocators<Store>) -> Vec<bool> {
    list.as_slice().iter().map(PeerLocator::is_candidate).collect()
}

#[test]
fn a_locator_is_where_it_was_told() {
    let list = three();
    assert_eq!([0, 1, 2, 3].map(|n| list.index_of(&addr(n))), [Some(0), Some(1), Some(2), None]);
}

#[test]
fn what_is_proved_twice_is_proved() {
    let mut one = proved(1);
    one.set_verified();
    assert!(one.is_verified());
}

#[test]
fn who_was_reached_stays_reached_when_the_list_is_told_again() {
    let mut list = three();
    let mut again = [0, 1, 2, 3].map(proved);
    // A message may show as much itself.
    again[0].set_reachable();
    list.replace(2, &mut again).unwrap();
    let reached: Vec<_> = list.as_slice().iter().map(PeerLocator::is_reachable).collect();
    assert_eq!(reached, [true, true, true, false]);
    assert_eq!(list.generation(), Some(2));
}

#[test]
fn a_wish_outlives_the_list() {
    let mut list = three();
    for _ in 0..2 {
        list.wish(wanted(1)).unwrap();
    }
    list.replace(2, &mut [0, 1, 2].map(proved)).unwrap();
    let pref = list.as_slice()[1].preference();
    assert_eq!((pref.priority, pref.weight), (7, 9));
    assert_eq!(list.as_slice()[2].preference(), Preference::default());
    assert_eq!(list.wish(wanted(3)), Err(WishError::NotALocator));
}

#[test]
fn a_narrowed_list_stays_narrow_until_it_is_widened() {
    let mut list = three();
    for _ in 0..2 {
        list.narrow(&[wanted(1)]).unwrap();
        assert_eq!(candidates(&list), [false, true, false]);
    }
    list.replace(2, &mut [0, 1, 2, 3].map(proved)).unwrap();
    assert_eq!(candidates(&list), [false, true, false, false], "nor does it grow by itself");
    assert!(list.is_verified(&addr(3)));
    list.narrow(&[wanted(0), wanted(2)]).unwrap();
    assert_eq!(candidates(&list), [true, false, true, false]);
    assert_eq!(list.usable(&addr(1)), Err(WishError::NotALocator));
    // One that was never reached cannot be chosen, and nothing is changed by trying.
    assert_eq!(list.narrow(&[wanted(1), wanted(3)]), Err(WishError::Unverified));
    assert_eq!(candidates(&list), [true, false, true, false]);
}

#[test]
fn another_context_knows_what_was_proved_and_nothing_that_was_wished() {
    let mut list = three();
    let mut unproved = [proved(0), proved(1), PeerLocator::new(addr(2), Method::Hba), proved(3)];
    unproved[1].pref.priority = 3;
    list.replace(2, &mut unproved).unwrap();
    list.narrow(&[wanted(1)]).unwrap();
    let known = PeerLocators::known(&list).unwrap();
    assert_eq!(candidates(&known), [true, true, false, true]);
    let reached: Vec<_> = known.as_slice().iter().map(PeerLocator::is_reachable).collect();
    assert_eq!(reached, [true, true, true, false]);
    assert_eq!(known.as_slice()[1].preference().priority, 3, "the peer's");
    assert_eq!(known.generation(), None);
}

/// "Optionally sent when the locators don't all have equal preference".
#[test]
fn preferences_are_told_when_they_say_something() {
    let high = Preference { priority: 2, ..Preference::default() };
    let none = Preference::default();
    for (prefs, told) in [
        ([none; 3], false),
        ([high; 3], true),
        ([none, none, high], true),
        ([high, none, none], true),
    ] {
        let locators = [0, 1, 2].map(|n| LocalLocator {
            addr: addr(n),
            method: Method::Hba,
            pref: prefs[n as usize],
            follows: true,
            usable: true,
            withdrawn: false,
        });
        let set = LocalSet {
            pds: &[],
            locators: &locators,
            generation: 0,
            wishes: None,
            signs: false,
            signatures: &[],
        };
        assert_eq!(set.has_preferences(), told, "{prefs:?}");
    }
}
