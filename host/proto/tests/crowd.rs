// SPDX-License-Identifier: GPL-2.0

//! Very many contexts lose the path they share, all at once: what they send, and how often they
//! wake, is bounded, and none of them waits for ever.

use crate::world::{self, Outside};
use shim6_proto::proto::addr::{Pair, Tag};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::crowd::Crowd;
use shim6_proto::proto::env::Env;
use shim6_proto::proto::locator::pairs::Paths;
use shim6_proto::proto::locator::PeerLocator;
use shim6_proto::proto::reap::activity::{Activity, Direction};
use shim6_proto::proto::reap::{Io, Reap, ReapState};
use shim6_proto::proto::time::Instant;
use shim6_proto::proto::wire::{Body, Builder, Message, ProbeState, Record, MAX_MESSAGE};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const TAG: Tag = Tag::new(0x1234_5678_9abc);

/// The REAPs of contexts between two hosts, and their timers: what expires together comes in any
/// order.
struct Crowded {
    out: Outside,
    peers: Vec<PeerLocator>,
    ulids: Pair,
    all: Vec<(Reap, Activity)>,
    timers: BinaryHeap<Reverse<(u64, u64, usize)>>,
    /// Seconds since the start, of each wake.
    wakes: Vec<u64>,
    /// When each Probe was sent, and by whom.
    probes: Vec<(u64, usize)>,
}

macro_rules! io {
    ($c:expr, $activity:expr) => {
        Io {
            env: &$c.out,
            activity: $activity,
            paths: Paths {
                set: $c.out.local_set(&$c.ulids.local).unwrap(),
                peers: &$c.peers,
                ulids: $c.ulids,
                salt: 0,
            },
            tx: $c.ulids,
            config: *$c.out.config(),
            keepalive_timeout_ms: 15_000,
        }
    };
}

impl Crowded {
    /// `n` of them that send, and hear nothing from now on.
    fn new(n: usize, config: Config) -> Crowded {
        let [a, b] = world::hosts(3, config);
        let ulids = Pair { local: a.addr(0), peer: b.addr(0) };
        let peers = [0, 1].map(|i| PeerLocator::ulid(b.addr(i))).to_vec();
        let all = (0..n).map(|_| (Reap::new(&a.out), Activity::new())).collect();
        let (timers, wakes, probes) = Default::default();
        let mut c = Crowded { out: a.out, peers, ulids, all, timers, wakes, probes };
        let start = c.out.ticks().tick(c.out.now());
        for i in 0..n {
            c.all[i].1.set(Direction::Sent, start);
            c.arm(i);
        }
        c
    }

    fn arm(&mut self, i: usize) {
        let (reap, activity) = &self.all[i];
        if let Some(at) = reap.deadline(&io!(self, activity)) {
            let order = self.out.random();
            self.timers.push(Reverse((at.0, order, i)));
        }
    }

    fn drain(&mut self, i: usize) {
        let (reap, activity) = &mut self.all[i];
        let mut buffer = [0; MAX_MESSAGE];
        while let Some((_, len)) = reap.emit(&io!(self, activity), TAG, &mut buffer) {
            let message = Message::parse(&buffer[..len]).unwrap();
            assert!(matches!(message.body, Body::Probe { .. }));
            self.probes.push((self.out.now().0, i));
        }
        self.arm(i);
    }

    fn run(&mut self, until: u64) {
        while let Some(Reverse((at, order, i))) = self.timers.pop() {
            if at > until {
                self.timers.push(Reverse((at, order, i)));
                return;
            }
            self.out.now.set(Instant(at.max(self.out.now().0)));
            let (reap, activity) = &mut self.all[i];
            let _ = reap.timeout(&io!(self, activity));
            self.wakes.push(at / 1000);
            self.drain(i);
        }
    }

    /// The peer is heard, and hears us.
    fn answer(&mut self, i: usize) {
        let mut buffer = [0; MAX_MESSAGE];
        let own = Record { src: self.ulids.peer, dst: self.ulids.local, nonce: 1, data: 0 };
        let mut message = Builder::probe(&mut buffer, TAG, ProbeState::Operational);
        message.records([own].into_iter(), [].into_iter());
        let len = message.finish().unwrap();
        let message = Message::parse(&buffer[..len]).unwrap();
        let Body::Probe { ref probe, .. } = message.body else { panic!() };
        let (reap, activity) = &mut self.all[i];
        let io = io!(self, activity);
        let came = io.paths.index(&self.ulids).unwrap();
        let _ = reap.probe(&io, came, probe);
        assert_eq!(reap.state(), ReapState::Operational);
    }
}

/// The most of these that fall into one second.
fn peak(times: impl Iterator<Item = u64>) -> usize {
    let mut seconds = std::collections::HashMap::<u64, usize>::new();
    times.for_each(|s| *seconds.entry(s).or_default() += 1);
    seconds.into_values().max().unwrap_or(0)
}

#[test]
fn probes_and_wakes_of_a_crowd_are_bounded() {
    const N: usize = 100_000;
    let config = Config { send_timeout_ms: 1000, probes_per_second: 1000, ..Config::default() };
    let mut c = Crowded::new(N, config);
    c.run(c.out.now().0 + 300_000);
    let deferred = c.out.counters.borrow()["probe_deferred"];
    assert!(deferred > N as u64 / 2, "{deferred} were put off");
    // A second's worth is there at the start.
    let most = peak(c.probes.iter().map(|(at, _)| at / 1000));
    assert!((900..=2000).contains(&most), "{most} probes in a second");
    // The Send Timers themselves end within a tenth of a second; afterwards nobody wakes much
    // more often than there are tokens.
    let first = c.wakes[0];
    let most = peak(c.wakes.iter().copied().filter(|s| *s > first + 2));
    assert!(most < 20_000, "{most} wakes in a second");
    // What is allowed is used.
    assert!(c.probes.len() > 250_000, "{} probes", c.probes.len());
    let mut tried = vec![0u32; N];
    c.probes.iter().for_each(|(_, i)| tried[*i] += 1);
    let never = tried.iter().filter(|n| **n == 0).count();
    assert!(never * 10 < N, "{never} of {N} had no turn in 300 s");
    // Their order is nobody's.
    let mut order: Vec<usize> = Vec::new();
    c.probes.iter().take(1000).for_each(|(_, i)| order.push(*i));
    let rising = order.windows(2).filter(|w| w[0] < w[1]).count();
    assert!((300..700).contains(&rising), "{rising} of 1000 in order");
}

#[test]
fn a_crowd_that_is_gone_holds_nobody_up() {
    const N: usize = 10_000;
    let config = Config { send_timeout_ms: 1000, probes_per_second: 100, ..Config::default() };
    let mut c = Crowded::new(N, config);
    c.run(c.out.now().0 + 5_000);
    (1..N).for_each(|i| c.answer(i));
    c.timers.clear();
    let now = c.out.now().after(3_000);
    c.out.now.set(now);
    c.probes.clear();
    let (_, activity) = &c.all[1];
    activity.set(Direction::Sent, c.out.ticks().tick(now));
    c.arm(1);
    c.run(now.0 + 1_100);
    assert!(matches!(c.probes.first(), Some((_, 1))), "its turn is at once");
    assert_eq!(c.all[1].0.state(), ReapState::Exploring);
}

#[test]
fn a_few_contexts_are_not_put_off() {
    let config = Config { send_timeout_ms: 1000, ..Config::default() };
    let mut c = Crowded::new(100, config);
    c.run(c.out.now().0 + 10_000);
    assert!(!c.out.counters.borrow().contains_key("probe_deferred"));
    assert!(c.probes.len() > 400);
}

#[test]
fn the_wait_of_who_is_refused_is_as_long_as_the_crowd() {
    let config = Config { probes_per_second: 10, max_probe_timeout_ms: 9000, ..Config::default() };
    let crowd = Crowd::default();
    // At a time, with that random number: tokens are used up first.
    let refused = |ms: u64, random: u64| loop {
        if let Err(wait) = crowd.admit(Instant(500_000 + ms), &config, || random) {
            return wait;
        }
    };
    // A second, and a tenth for each that is refused.
    assert_eq!((refused(0, 1099), refused(0, 1200)), (1100, 1));
    (3..=50).for_each(|_| assert_eq!(refused(999, 0), 1));
    assert_eq!(refused(999, 6099), 6100);
    // Those of the second before count, until there are more.
    assert_eq!((refused(1000, 6099), refused(1000, 6100)), (6100, 1));
    assert_eq!((refused(2000, 1199), refused(2000, 0), refused(2000, 0)), (1200, 1, 1));
    // Two seconds later they are forgotten.
    assert_eq!((refused(4000, 1100), refused(4000, 0), refused(4000, 0)), (1, 1, 1));
    assert_eq!(refused(5999, 1299), 1300);
    // Nobody waits longer than Max Probe Timeout.
    (0..100).for_each(|_| assert_eq!(refused(5999, 0), 1));
    assert_eq!((refused(5999, 8999), refused(5999, 9000)), (9000, 1));
}
