// SPDX-License-Identifier: GPL-2.0

//! The rounds in which a pair that stands by is asked, to the millisecond.

use shim6_proto::proto::addr::{Addr, Pair};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::locator::pairs::Paths;
use shim6_proto::proto::locator::standby::{Heard, Marks, Standby, Which};
use shim6_proto::proto::locator::{LocalLocator, LocalSet, PeerLocator};
use shim6_proto::proto::time::Instant;
use shim6_proto::proto::wire::{Method, Record};

const START: Instant = Instant(100_000);
/// What a round waits for its answers, as long as none told how long they take.
const UNKNOWN: u64 = 100;
/// The same when they came within a millisecond.
const QUICK: u64 = 17;
/// The setting's value: what a silence is.
const SILENCE: u64 = 40;

/// A context with two locators at either end; the first two are in use.
struct Bench {
    standby: Standby,
    config: Config,
    now: Instant,
    marks: Marks,
    locals: Vec<LocalLocator>,
    peers: Vec<PeerLocator>,
    nonce: u32,
}

impl Bench {
    fn new() -> Bench {
        let addr = |site: u64, id| Addr::from_parts(0x2001_0db8_0000_0000 | (site << 16), id);
        let local = |site| LocalLocator {
            addr: addr(site, 1),
            method: Method::Hba,
            pref: Default::default(),
            follows: true,
            usable: true,
            withdrawn: false,
        };
        let peer = |site| {
            let mut locator = PeerLocator::new(addr(site, 2), Method::Hba);
            locator.set_verified();
            locator
        };
        let mut standby = Standby::default();
        standby.wish(true);
        let tx = Pair { local: addr(1, 1), peer: addr(3, 2) };
        let marks =
            Marks { tx, sent_since: None, idle: true, last: START, last_rx: Instant::default() };
        Bench {
            standby,
            config: Config::default(),
            now: START,
            marks,
            locals: vec![local(1), local(2)],
            peers: vec![peer(3), peer(4)],
            nonce: 0,
        }
    }

    fn disjoint(&self) -> Pair {
        Pair { local: self.locals[1].addr, peer: self.peers[1].addr }
    }

    /// Whether the current pair is given up at this moment.
    fn timeout(&mut self, spread: u64) -> bool {
        let set = LocalSet {
            pds: &[],
            locators: &self.locals,
            generation: 0,
            wishes: None,
            signs: false,
            signatures: &[],
        };
        let paths = Paths { set, peers: &self.peers, ulids: self.marks.tx, salt: 0 };
        let random = (u64::from(self.nonce) << 32) | spread;
        self.standby.timeout(&self.config, self.now, random, &self.marks, &paths)
    }

    /// No answer is waited for: what comes is the next round.
    fn is_over(&self) -> bool {
        self.deadline().is_none_or(|at| at > self.now.after(UNKNOWN))
    }

    fn deadline(&self) -> Option<Instant> {
        self.standby.deadline(&self.config, self.now, &self.marks)
    }

    /// The probes that are due.
    fn asked(&mut self) -> Vec<(Which, Pair, u32)> {
        std::iter::from_fn(|| self.standby.take_due()).collect()
    }

    /// A round is begun, there being traffic; its probes.
    fn begin(&mut self) -> [(Which, Pair, u32); 2] {
        self.nonce += 1;
        assert!(!self.timeout(0));
        self.asked().try_into().expect("both pairs are asked")
    }

    fn answer(&mut self, (_, pair, nonce): (Which, Pair, u32)) -> Heard {
        let record = Record { src: pair.local, dst: pair.peer, nonce, data: 0 };
        self.standby.heard(self.now, [record].into_iter())
    }

    fn pass(&mut self, ms: u64) {
        self.now = self.now.after(ms);
    }

    /// A whole round, in which these pairs answer within a millisecond; which one stood by, and
    /// whether the current one is given up.
    fn round(&mut self, current: bool, other: bool) -> (Pair, bool) {
        self.pass(2_000);
        self.marks.last = self.now;
        let [first, second] = self.begin();
        self.pass(1);
        if current {
            self.answer(first);
        }
        if other {
            self.answer(second);
        }
        let mut given_up = false;
        for _ in 0..3 * UNKNOWN {
            self.pass(1);
            given_up |= self.timeout(0);
            self.asked();
        }
        (second.1, given_up)
    }

    fn begin_at(&mut self, at: Instant) -> [(Which, Pair, u32); 2] {
        self.now = at;
        self.begin()
    }

    /// A round because of a silence, whose pairs answer: the silence meant nothing.
    fn false_alarm(&mut self, silence: u64) {
        self.marks.sent_since = Some(self.now);
        self.pass(silence - 1);
        assert!(!self.timeout(0) && self.asked().is_empty(), "too early");
        self.pass(1);
        for probe in self.begin() {
            self.answer(probe);
        }
    }

    /// What a silence is now.
    fn silence(&mut self) -> u64 {
        let idle = std::mem::replace(&mut self.marks.idle, false);
        let look = self.deadline().unwrap().since(self.now);
        self.marks.idle = idle;
        look
    }
}

#[test]
fn a_round_asks_both_pairs_three_times() {
    let mut b = Bench::new();
    let first = b.begin();
    assert_eq!((first[0].0, first[0].1), (Which::Current, b.marks.tx));
    assert_eq!((first[1].0, first[1].1), (Which::Other, b.disjoint()));
    assert_ne!(first[0].2, first[1].2);
    for _ in 0..2 {
        assert_eq!(b.deadline(), Some(b.now.after(UNKNOWN)));
        b.pass(UNKNOWN - 1);
        assert!(!b.timeout(0) && b.asked().is_empty(), "too early");
        b.pass(1);
        assert!(!b.timeout(0));
        assert_eq!(b.asked(), first, "the same probes again");
    }
    b.pass(UNKNOWN);
    assert!(!b.timeout(0), "who never answered may not know how");
    assert_eq!(b.asked(), []);
    assert!(b.is_over());
}

#[test]
fn what_answered_is_not_asked_again() {
    for answered in [0, 1] {
        let mut b = Bench::new();
        let first = b.begin();
        b.answer(first[answered]);
        b.pass(UNKNOWN);
        assert!(!b.timeout(0));
        assert_eq!(b.deadline(), Some(b.now), "at once");
        assert_eq!(b.asked(), [first[1 - answered]]);
        b.answer(first[1 - answered]);
        assert!(b.is_over());
    }
}

#[test]
fn patience_follows_what_answers_take_and_forgets_slowly() {
    let mut b = Bench::new();
    for (took, patience) in [(20, 36), (100, 116), (20, 80 + 16), (81, 81 + 16)] {
        b.pass(2_000);
        b.marks.last = b.now;
        let [current, _] = b.begin();
        let begun = b.now;
        b.pass(took);
        b.answer(current);
        assert_eq!(b.deadline(), Some(begun.after(patience)), "{took} ms");
        b.standby.moved(b.now);
    }
}

#[test]
fn a_switch_over_makes_the_next_ones_slower_for_a_minute() {
    for (switches, since, patience) in
        [(1, 0, 2 * UNKNOWN), (2, 0, 4 * UNKNOWN), (1, 60_000, 2 * UNKNOWN), (1, 60_001, UNKNOWN)]
    {
        let mut b = Bench::new();
        for _ in 0..switches {
            b.standby.gave_up(b.now);
        }
        b.pass(since);
        b.marks.last = b.now;
        b.begin();
        assert_eq!(b.deadline(), Some(b.now.after(patience)), "{switches} {since}");
    }
}

#[test]
fn rounds_are_spread_about_their_interval() {
    for (spread, next) in [(0, 875), (1, 876), (250, 1_125), (251, 875)] {
        let mut b = Bench::new();
        b.timeout(spread);
        for probe in b.asked() {
            b.answer(probe);
        }
        assert_eq!(b.deadline(), Some(START.after(next)));
        b.now = START.after(next - 1);
        assert!(!b.timeout(0) && b.asked().is_empty(), "too early");
        b.begin_at(START.after(next));
    }
}

/// The path may die right after it answered, and who only receives sends nothing that would not
/// be answered.
#[test]
fn when_the_traffic_stops_a_last_round_is_held() {
    for answered in [true, false] {
        let mut b = Bench::new();
        b.round(true, true);
        b.pass(2_000);
        let probes = b.begin();
        if !answered {
            let given_up = (0..3).any(|_| {
                b.pass(QUICK);
                b.timeout(0)
            });
            assert!(given_up);
            continue;
        }
        for probe in probes {
            b.answer(probe);
        }
        assert_eq!(b.deadline(), None);
        b.pass(2_000);
        assert!(!b.timeout(0) && b.asked().is_empty(), "it was the last");
        b.marks.last = b.now;
        b.begin();
    }
}

#[test]
fn a_silence_is_asked_about_once() {
    let mut b = Bench::new();
    b.round(true, true);
    assert_eq!(b.silence(), SILENCE);
    b.false_alarm(SILENCE);
    b.pass(2 * SILENCE);
    assert!(!b.timeout(0) && b.asked().is_empty(), "it is the same silence");
    assert_eq!(b.silence(), 2 * SILENCE, "nor does it wake anybody");
}

#[test]
fn silences_that_mean_nothing_are_longer_and_longer_until_the_peer_speaks() {
    // The peer said something after the last round, at its time, before.
    for (said, forgotten) in [(1i64, true), (0, false), (-1, false)] {
        let mut b = Bench::new();
        b.round(true, true);
        b.false_alarm(SILENCE);
        b.false_alarm(2 * SILENCE);
        assert_eq!(b.silence(), 4 * SILENCE);
        b.marks.sent_since = None;
        b.marks.last_rx = Instant(b.now.0.checked_add_signed(said).unwrap());
        b.round(true, true);
        assert_eq!(b.silence(), if forgotten { SILENCE } else { 4 * SILENCE }, "{said}");
    }
}

#[test]
fn a_peer_that_answered_and_is_silent_has_lost_its_pair() {
    let mut b = Bench::new();
    assert_eq!(b.round(true, true), (b.disjoint(), false));
    assert_eq!(b.round(false, false), (b.disjoint(), true));
    let mut b = Bench::new();
    b.round(true, true);
    assert_eq!(b.round(false, true), (b.disjoint(), true), "whether the other answers or not");
}

/// What was received in the round's beginning may have been on its way before a cut.
#[test]
fn what_came_early_in_a_round_is_no_sign_of_life_for_long() {
    for (late, given_up) in [(0, true), (1, false)] {
        let mut b = Bench::new();
        b.round(true, true);
        b.pass(2_000);
        b.marks.last = b.now;
        b.begin();
        for _ in 0..2 {
            b.pass(QUICK);
            assert!(!b.timeout(0));
        }
        b.pass(2 * SILENCE);
        b.marks.last_rx = Instant(b.now.0 + late - SILENCE - QUICK);
        assert_eq!(b.timeout(0), given_up, "{late}");
    }
}

#[test]
fn while_the_peer_sends_three_rounds_without_an_answer_are_needed() {
    let mut b = Bench::new();
    b.round(true, true);
    // It is heard in each round.
    let speaks = |b: &mut Bench, other| {
        b.marks.last_rx = Instant(u64::MAX);
        b.round(false, other).1
    };
    assert!(!speaks(&mut b, true) && !speaks(&mut b, true));
    assert!(speaks(&mut b, true));
    // One that is answered meanwhile, and they are counted anew.
    let mut b = Bench::new();
    b.round(true, true);
    assert!(!speaks(&mut b, true) && !speaks(&mut b, true));
    b.round(true, true);
    assert!(!speaks(&mut b, true) && !speaks(&mut b, true));
    // Without another pair that works there is nothing to go to.
    assert!(!speaks(&mut b, false));
}

#[test]
fn what_was_silent_for_three_rounds_is_not_known_to_work() {
    let mut b = Bench::new();
    assert_eq!(b.standby.ready(&b.marks.tx), None);
    b.round(true, true);
    for _ in 0..3 {
        assert_eq!(b.standby.ready(&b.marks.tx), Some(b.disjoint()));
        assert_eq!(b.standby.ready(&b.disjoint()), None, "it is in use");
        b.round(true, false);
    }
    assert_eq!(b.standby.ready(&b.marks.tx), None);
}

#[test]
fn a_pair_that_may_not_be_used_any_more_does_not_stand_by() {
    let mut b = Bench::new();
    assert_eq!(b.round(true, true).0, b.disjoint());
    b.locals[1].usable = false;
    let left = Pair { local: b.marks.tx.local, peer: b.peers[1].addr };
    assert_eq!(b.round(true, true).0, left);
}

#[test]
fn two_silent_rounds_and_another_pair_has_its_turn_until_sixteen_are_over() {
    let mut b = Bench::new();
    let best = b.disjoint();
    let stood_by: Vec<_> = (1..=17).map(|round| b.round(true, round > 2).0).collect();
    assert_eq!(stood_by[..2], [best; 2]);
    assert_ne!(stood_by[2], best);
    assert_eq!(stood_by[2..16], [stood_by[2]; 14]);
    assert_eq!(stood_by[16], best, "it has another chance");
}
