// SPDX-License-Identifier: GPL-2.0

//! The life of our own addresses (`proto/locator/life.rs`): what was seen of one, and what its
//! locator is then.

use shim6_proto::proto::addr::{Addr, Presence};
use shim6_proto::proto::locator::life::Life;
use shim6_proto::proto::locator::{LocalLocator, Method, Preference};
use shim6_proto::proto::time::Instant;
use Presence::{Absent, Deprecated, Down, Tentative, Usable};

struct One {
    locator: LocalLocator,
    life: Life,
    pref: Option<Preference>,
    now: Instant,
}

impl One {
    fn new() -> One {
        let locator = LocalLocator {
            addr: Addr::from_bits((0x2001_0db8 << 96) | 1),
            method: Method::Hba,
            pref: Preference::default(),
            follows: true,
            usable: false,
            withdrawn: false,
        };
        let mut one = One {
            locator,
            life: Life::default(),
            pref: Some(Preference::default()),
            now: Instant(5_000),
        };
        one.look(Usable, true);
        one
    }

    /// Looks as often as it is asked to, for `ms`, and says how often the locator changed.
    fn stays(&mut self, presence: Presence, ms: u64) -> usize {
        let (end, mut changes) = (self.now.after(ms), 0);
        while self.now < end {
            let change = self.life.look(&mut self.locator, presence, self.pref, false, self.now);
            changes += usize::from(change.changed);
            let next = change.again_ms.map_or(end, |ms| self.now.after(ms));
            assert!(next > self.now);
            self.now = next.min(end);
        }
        changes + usize::from(self.look(presence, false))
    }

    fn look(&mut self, presence: Presence, alone: bool) -> bool {
        self.life.look(&mut self.locator, presence, self.pref, alone, self.now).changed
    }
}

#[test]
fn what_is_there_and_works_is_usable() {
    for (presence, usable) in
        [(Usable, true), (Deprecated, true), (Tentative, false), (Down, false), (Absent, false)]
    {
        let mut one = One::new();
        one.look(presence, false);
        assert_eq!((one.locator.usable, one.locator.withdrawn), (usable, false), "{presence:?}");
    }
}

#[test]
fn a_deprecated_one_is_temporary_while_it_is() {
    let mut one = One::new();
    one.pref = Some(Preference { flags: 0, priority: 7, weight: 0 });
    for (presence, flags) in
        [(Deprecated, Preference::TRANSIENT), (Down, Preference::TRANSIENT), (Usable, 0)]
    {
        one.look(presence, true);
        assert_eq!((one.locator.pref.flags, one.locator.pref.priority), (flags, 7), "{presence:?}");
    }
}

#[test]
fn what_was_lost_is_lost_at_once_and_used_again_a_second_later() {
    let mut one = One::new();
    assert!(one.look(Down, false));
    assert_eq!(one.stays(Usable, 999), 0);
    assert!(!one.locator.usable);
    assert_eq!(one.stays(Usable, 2), 1);
    assert!(one.locator.usable);
}

#[test]
fn the_last_one_does_not_wait() {
    let mut one = One::new();
    one.look(Down, true);
    assert!(one.look(Usable, true));
    assert!(one.locator.usable);
}

#[test]
fn a_link_that_flaps_changes_twice_a_second_at_most() {
    let mut one = One::new();
    let changes: usize =
        (0..1000).map(|i| one.stays(if i % 2 == 0 { Down } else { Usable }, 300)).sum();
    assert_eq!(changes, 1, "it never stayed for a second");
    let changes: usize =
        (0..100).map(|i| one.stays(if i % 2 == 0 { Down } else { Usable }, 1500)).sum();
    assert!(changes <= 100, "{changes}");
}

#[test]
fn what_was_removed_is_withdrawn_unless_it_comes_back_soon() {
    let mut one = One::new();
    one.life.withdraw(one.now);
    one.stays(Absent, 1_900);
    assert!(!one.locator.withdrawn && !one.locator.usable);
    one.stays(Tentative, 5_000);
    assert!(!one.locator.withdrawn, "it was only configured anew");
    one.life.withdraw(one.now);
    one.life.withdraw(one.now.after(1_999));
    one.stays(Absent, 2_001);
    assert!(one.locator.withdrawn, "the first time counts");
    one.stays(Tentative, 1_000);
    assert!(!one.locator.withdrawn && !one.locator.usable);
    one.stays(Usable, 1_001);
    assert!(one.locator.usable);
}

#[test]
fn what_went_with_its_link_is_never_withdrawn() {
    let mut one = One::new();
    one.stays(Down, 1_000);
    one.stays(Absent, 1_000_000);
    assert!(!one.locator.withdrawn && !one.locator.usable);
}

#[test]
fn that_the_list_changes_is_said_once() {
    let mut one = One::new();
    one.life.withdraw(one.now);
    let mut listed = 0;
    for _ in 0..10 {
        let change = one.life.look(&mut one.locator, Absent, one.pref, false, one.now);
        listed += usize::from(change.listed);
        one.now = one.now.after(1_000);
    }
    assert_eq!(listed, 1);
    assert!(one.life.look(&mut one.locator, Down, one.pref, false, one.now).listed);
}

#[test]
fn what_the_policy_leaves_out_is_no_locator_until_it_comes_back() {
    let mut one = One::new();
    let liked = Preference { flags: 0, priority: 3, weight: 7 };
    one.pref = Some(liked);
    assert!(one.look(Deprecated, false));
    let flags = Preference::TRANSIENT;
    assert_eq!(one.locator.pref, Preference { flags, ..liked }, "the flag is not the policy's");
    one.pref = None;
    let change = one.life.look(&mut one.locator, Usable, one.pref, false, one.now);
    assert!(change.listed && one.locator.withdrawn && !one.locator.usable);
    assert!(!one.look(Usable, false), "and stays so");
    one.pref = Some(liked);
    let change = one.life.look(&mut one.locator, Usable, one.pref, true, one.now);
    assert!(change.listed && !one.locator.withdrawn && one.locator.usable);
}
