// SPDX-License-Identifier: GPL-2.0

//! How long: moments, the spread of timers, REAP's intervals, tokens a second, and when the best
//! pair is tried again.

use crate::bench::{io, Bench};
use crate::world::{hosts, Host, Outside};
use proptest::prelude::*;
use shim6_proto::proto::bucket::Bucket;
use shim6_proto::proto::config::Config;
use shim6_proto::proto::env::{Env, Ticks};
use shim6_proto::proto::reap::prefer::Prefer;
use shim6_proto::proto::reap::timing::{
    keepalive_interval, probe_interval, send_timeout, wake_after,
};
use shim6_proto::proto::reap::ReapState;
use shim6_proto::proto::time::{jitter, Instant};

#[test]
fn moments() {
    assert_eq!(Instant(3).after(4), Instant(7));
    assert_eq!(Instant(u64::MAX).after(4), Instant(u64::MAX));
    assert_eq!(Instant(7).since(Instant(4)), 3);
    assert_eq!(Instant(4).since(Instant(7)), 0);
    assert!(!Instant(3).reached(Instant(4)));
    assert!(Instant(4).reached(Instant(4)) && Instant(5).reached(Instant(4)));
}

/// What kernels are built with; three hundred do not divide a second's thousand.
#[test]
fn ticks_of_every_rate() {
    for (per_second, first, third) in [(100, 10, 30), (250, 4, 12), (300, 3, 10), (1000, 1, 3)] {
        let ticks = Ticks { per_second };
        assert_eq!((ticks.instant(1), ticks.instant(3)), (Instant(first), Instant(third)));
        assert_eq!(ticks.instant(3600 * u64::from(per_second)), Instant(3_600_000));
        assert_eq!((ticks.tick(Instant(1)), ticks.tick(Instant(0))), (1, 0));
        for tick in 0..5000 {
            assert_eq!(ticks.tick(ticks.instant(tick)), tick, "{per_second}");
        }
    }
}

#[test]
fn nonces_are_drawn() {
    let out = a_host();
    let drawn: std::collections::HashSet<_> = (0..64).map(|_| out.nonce()).collect();
    assert_eq!(drawn.len(), 64);
}

proptest! {
    #[test]
    fn a_half_to_one_and_a_half(nominal in 0..1_000_000u64, random: u64) {
        let ms = jitter(nominal, random);
        prop_assert!(nominal / 2 <= ms && ms <= nominal + nominal.div_ceil(2));
    }
}

#[test]
fn the_whole_range_is_used() {
    assert_eq!((jitter(1000, 0), jitter(1000, 1000), jitter(1000, 1001)), (500, 1500, 500));
}

/// The RFC's: half a second, four initial probes, at most a minute.
fn probes() -> Config {
    Config::default()
}

/// The least and the most that `probe_interval` gives.
fn interval(config: &Config, n: u8) -> (u64, u64) {
    let all = || (0..200_000).map(|random| probe_interval(config, n, random));
    (all().min().unwrap(), all().max().unwrap())
}

#[test]
fn initial_probes_then_exponential_backoff() {
    for n in 0..4 {
        assert_eq!(interval(&probes(), n), (450, 550), "{n}");
    }
    assert_eq!(interval(&probes(), 4), (750, 1250));
    assert_eq!(interval(&probes(), 5), (1500, 2500));
    assert_eq!(interval(&probes(), 9), (24_000, 40_000));
    // The limit holds with the randomization.
    for n in [10, 11, 40, 255] {
        assert_eq!(interval(&probes(), n), (45_000, 60_000), "{n}");
    }
    assert_eq!(interval(&Config { initial_probes: 0, ..probes() }, 0), (450, 550));
}

#[test]
fn a_limit_below_the_first_interval_is_that_interval() {
    let config = Config { initial_probe_timeout_ms: 500, max_probe_timeout_ms: 100, ..probes() };
    assert_eq!(interval(&config, 9), (375, 500));
}

#[test]
fn an_idle_context_wakes_before_its_first_deadline() {
    let by = |keepalive_interval_ms, send, keepalive| {
        wake_after(&Config { keepalive_interval_ms, ..Config::default() }, send, keepalive)
    };
    assert_eq!(by(0, 10_000, 15_000), 5_000);
    assert_eq!(by(0, 4_000, 15_000), 4_000);
    assert_eq!(by(2_000, 10_000, 15_000), 2_000);
    assert_eq!(by(20_000, 30_000, 15_000), 15_000);
    assert_eq!(by(0, 0, 0), 1);
}

#[test]
fn the_send_timeout_only_grows_and_keepalives_take_a_third_to_a_half_of_theirs() {
    let mut b = Bench::new(ReapState::Operational);
    b.out.config.send_timeout_ms = 10_000;
    let send = [0, 128, 255]
        .map(|spread| send_timeout(&io(&b.out, &b.activity, &b.peers, b.ulids, b.tx), spread));
    assert_eq!(send, [10_000, 10_500, 10_996]);
    for (fixed, intervals) in
        [(0, [5_000, 6_250, 7_490]), (3_000, [3_000; 3]), (20_000, [15_000; 3])]
    {
        b.out.config.keepalive_interval_ms = fixed;
        let got = [0, 128, 255].map(|spread| {
            keepalive_interval(&io(&b.out, &b.activity, &b.peers, b.ulids, b.tx), spread)
        });
        assert_eq!(got, intervals);
    }
}

#[test]
fn tokens() {
    let mut bucket = Bucket::default();
    let took = |bucket: &mut Bucket, at| (0..20).filter(|_| bucket.take(Instant(at), 5)).count();
    // A full one holds a second's worth, however long nobody asked.
    assert_eq!(took(&mut bucket, 100_000), 5);
    assert_eq!(took(&mut bucket, 100_199), 0);
    assert_eq!(took(&mut bucket, 100_200), 1);
    assert_eq!(took(&mut bucket, 100_800), 3);
    assert_eq!(took(&mut bucket, 900_000), 5);
    assert!(!Bucket::default().take(Instant(1), 0));
}

/// A host whose best pair is tried again after a second, or an eighth more.
fn a_host() -> Outside {
    let [Host { out, .. }, _] = hosts(5, Config { prefer_interval_ms: 1000, ..Config::default() });
    out.now.set(Instant(1_000_000));
    out
}

fn pass(out: &Outside, ms: u64) {
    out.now.set(out.now().after(ms));
}

/// That the next try is after so many intervals, not exactly, and never later than an eighth more.
fn next_after(out: &Outside, prefer: &Prefer, intervals: u64) {
    let ms = prefer.next().since(out.now());
    let nominal = intervals * 1000;
    assert!(nominal <= ms && ms < nominal + nominal / 8, "{ms} ms for {nominal}");
}

#[test]
fn the_next_try_is_spread_over_an_eighth() {
    let out = a_host();
    let all: std::collections::HashSet<u64> = (0..400)
        .map(|_| {
            let mut prefer = Prefer::default();
            prefer.left_best(&out);
            next_after(&out, &prefer, 1);
            prefer.next().since(out.now())
        })
        .collect();
    assert!(all.len() > 60 && all.iter().any(|ms| *ms < 1010) && all.iter().any(|ms| *ms > 1115));
}

#[test]
fn each_try_that_fails_doubles_the_wait_up_to_sixteen_times() {
    let (out, mut prefer) = (a_host(), Prefer::default());
    prefer.left_best(&out);
    for intervals in [2, 4, 8, 16, 16] {
        prefer.begin();
        prefer.ended(&out);
        next_after(&out, &prefer, intervals);
    }
    // An exploration that was no try does not count, and what works starts anew.
    let mut prefer = Prefer::default();
    prefer.left_best(&out);
    prefer.begin();
    prefer.returned(&out);
    pass(&out, 4000);
    prefer.left_best(&out);
    prefer.ended(&out);
    next_after(&out, &prefer, 1);
}

#[test]
fn a_best_pair_that_flaps_is_left_alone_for_longer() {
    let (out, mut prefer) = (a_host(), Prefer::default());
    prefer.left_best(&out);
    next_after(&out, &prefer, 1);
    // Trusted for four waits, each time of those that it then took.
    for (intervals, trusted) in [(2, 4), (4, 8), (8, 16), (16, 32), (16, 64)] {
        prefer.begin();
        prefer.returned(&out);
        pass(&out, trusted * 1000 - 1);
        prefer.left_best(&out);
        next_after(&out, &prefer, intervals);
    }
    prefer.returned(&out);
    pass(&out, 64 * 1000);
    prefer.left_best(&out);
    next_after(&out, &prefer, 1);
}

#[test]
fn a_locator_that_came_back_hurries_it() {
    let (out, mut prefer) = (a_host(), Prefer::default());
    prefer.left_best(&out);
    prefer.hurry(&out);
    assert_eq!(prefer.next().since(out.now()), 250);
    pass(&out, 200);
    // Never later than it was.
    prefer.hurry(&out);
    assert_eq!(prefer.next().since(out.now()), 50);
}
