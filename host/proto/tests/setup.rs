// SPDX-License-Identifier: GPL-2.0

//! Deferred set-up: when a pair of addresses asks for a context, and when it may not.

use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::{Setup, SetupSlot};
use shim6_proto::proto::time::Instant;

fn slots(n: usize) -> Vec<SetupSlot> {
    (0..n).map(|_| SetupSlot::new()).collect()
}

/// A key that falls into the `n`-th of eight slots.
const fn key(n: u64) -> u64 {
    (n << 61) | 1
}

const fn at(ms: u64) -> Instant {
    Instant(1_000_000 + ms)
}

#[test]
fn a_pair_asks_for_a_context_once_it_has_packets_and_age() {
    let slots = slots(64);
    let (setup, config) = (Setup(&slots), Config::default());
    const SEVEN: u64 = 7 << 58;
    const EIGHT: u64 = 8 << 58;
    // Many packets at once are not old enough, a few over a long time are not enough.
    assert!((0..1000).all(|_| !setup.note(SEVEN, at(0), &config)));
    assert!((0..10).all(|i| !setup.note(EIGHT, at(i * 1000), &config)));
    assert!(setup.note(SEVEN, at(1_000), &config));
    assert!(!setup.note(SEVEN, at(1_001), &config), "once");
    setup.hold_down(SEVEN, at(60_000));
    assert_eq!(setup.held_until(SEVEN, at(59_999)), Some(at(60_000)));
    assert!((2..60).all(|i| !setup.note(SEVEN, at(i * 1000), &config)));
    assert_eq!(setup.held_until(SEVEN, at(60_000)), None);
    assert!(!setup.note(SEVEN, at(60_000), &config), "counted anew");
    let asks = (0..200).filter(|i| setup.note(SEVEN, at(60_000 + i * 50), &config)).count();
    assert!((1..=10).contains(&asks), "{asks}");
}

#[test]
fn the_thresholds_are_met_to_the_packet_and_to_the_millisecond() {
    let config = Config { setup_packets: 3, setup_age_ms: 100, ..Config::default() };
    let asked = |times: &[u64]| -> Vec<bool> {
        let slots = slots(8);
        times.iter().map(|&ms| Setup(&slots).note(key(3), at(ms), &config)).collect()
    };
    assert_eq!(asked(&[0, 50, 100]), [false, false, true]);
    assert_eq!(asked(&[0, 50, 99, 100]), [false, false, false, true]);
    assert_eq!(asked(&[0, 200, 201]), [false, false, true]);
    // A minute and its age after the first one a pair is counted anew, and not before.
    assert_eq!(asked(&[0, 1, 60_100]), [false, false, true]);
    assert_eq!(asked(&[0, 1, 60_101, 60_102, 60_201]), [false, false, false, false, true]);
}

#[test]
fn one_packet_is_enough_where_the_configuration_says_so() {
    let ask = |setup_packets, setup_age_ms| {
        let config = Config { setup_packets, setup_age_ms, ..Config::default() };
        Setup(&slots(8)).note(key(1), at(0), &config)
    };
    assert!(ask(1, 0));
    assert!(!ask(1, 1) && !ask(2, 0));
}

#[test]
fn most_packets_are_counted_without_a_clock() {
    let slots = slots(8);
    let config = Config { setup_packets: 5, setup_age_ms: 0, ..Config::default() };
    let setup = Setup(&slots);
    assert!(!setup.count(key(2), &config), "the first one of a pair is noted");
    assert!(!setup.note(key(2), at(0), &config));
    assert_eq!([(); 4].map(|()| setup.count(key(2), &config)), [true, true, true, false]);
    assert!(!setup.count(key(2) + 1, &config), "another pair in this slot");
    assert!(setup.note(key(2), at(1), &config), "the fifth");
    // Nobody is served by no slots.
    assert!(Setup(&[]).count(key(2), &config));
    assert!(!Setup(&[]).note(key(2), at(0), &config));
    assert_eq!(Setup(&[]).held_until(key(2), at(0)), None);
}

#[test]
fn a_pair_that_is_held_down_is_not_counted() {
    let slots = slots(8);
    // The most that it may be set to.
    let config = Config { setup_packets: 1_000_000, setup_age_ms: 0, ..Config::default() };
    let setup = Setup(&slots);
    setup.hold_down(key(2), at(10));
    assert!((0..100).all(|_| !setup.count(key(2), &config)));
    assert!(!setup.note(key(2), at(9), &config));
    assert_eq!(setup.held_until(key(2), at(9)), Some(at(10)));
    assert!(!setup.note(key(2), at(10), &config), "the first one");
    assert!((0..100).all(|_| setup.count(key(2), &config)));
    assert_eq!(setup.held_until(key(2), at(9)), None, "being counted is not being held down");
}

#[test]
fn a_hold_down_is_not_pushed_out_by_others() {
    let slots = slots(8);
    let (setup, config) = (Setup(&slots), Config::default());
    setup.hold_down(key(2), at(1_000));
    assert!((1..100).all(|i| !setup.note(key(2) + i, at(5), &config)));
    assert!(setup.held_until(key(2), at(5)).is_some());
    assert_eq!(setup.held_until(key(2) + 1, at(5)), None, "who falls into its slot is not held");
    // When it is over, it is.
    assert!(!setup.note(key(2) + 1, at(1_000), &config));
    assert_eq!(setup.held_until(key(2), at(5)), None);
}

#[test]
fn pairs_in_different_slots_do_not_disturb_each_other() {
    let slots = slots(8);
    let config = Config { setup_packets: 2, setup_age_ms: 0, ..Config::default() };
    let setup = Setup(&slots);
    assert!((0..8).all(|n| !setup.note(key(n), at(0), &config)));
    assert!((0..8).all(|n| setup.note(key(n), at(1), &config)));
}

#[test]
fn nothing_is_remembered_after_clear() {
    let slots = slots(8);
    let config = Config { setup_packets: 2, setup_age_ms: 0, ..Config::default() };
    let setup = Setup(&slots);
    setup.hold_down(key(1), at(1_000));
    assert!(!setup.note(key(2), at(0), &config));
    setup.clear();
    assert_eq!(setup.held_until(key(1), at(0)), None);
    assert!(!setup.note(key(2), at(1), &config));
    assert!(setup.note(key(2), at(2), &config));
}
