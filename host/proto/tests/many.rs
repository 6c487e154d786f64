// SPDX-License-Identifier: GPL-2.0

//! Many hosts through thousands of bad hours, each from a seed. A run that fails prints its
//! seed; `SIM_SEED` and `SIM_RUNS` run it again, or more of them.

use crate::swarm::{prefix, Seen, Swarm};
use rand::Rng;
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::Hint;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How much ill will there is.
#[derive(Clone, Copy, PartialEq)]
enum Climate {
    /// A network that loses, delays, repeats and spoils; hosts that sleep and reboot.
    Bad,
    /// And somebody off the path who forges messages.
    Forged,
    /// And somebody on the path who sees all and repeats or changes what he likes: then
    /// nothing is asked of the hosts but to keep what they were promised.
    Hostile,
}

fn setting(n: u64) -> Option<u64> {
    let name = ["SIM_SEED", "SIM_RUNS"][n as usize];
    std::env::var(name).ok().and_then(|v| v.parse().ok())
}

fn swarm_of(seed: u64) -> Swarm {
    let mut dice: rand::rngs::StdRng = rand::SeedableRng::seed_from_u64(seed);
    let hosts = dice.gen_range(2..7);
    let locators: Vec<usize> = (0..hosts).map(|_| dice.gen_range(1..4)).collect();
    let configs: Vec<Config> = (0..hosts)
        .map(|_| Config {
            send_timeout_ms: [1_000, 1_000, 3_000, 15_000][dice.gen_range(0..4)],
            ..Config::default()
        })
        .collect();
    let mut w = Swarm::new(seed, &locators, &configs);
    for _ in 0..dice.gen_range(1..9) {
        let a = dice.gen_range(0..hosts);
        let b = (a + dice.gen_range(1..hosts)) % hosts;
        let ends = [a, b].map(|i| (i, dice.gen_range(0..locators[i])));
        let same = |w: &Swarm| {
            let new = ends.map(|(i, at)| (i, w.addr(i, at)));
            w.flows.iter().any(|f| f.ends == new || f.ends == [new[1], new[0]])
        };
        if !same(&w) {
            w.add_flow(ends, [dice.gen_range(50..400), if dice.gen() { 0 } else { 200 }]);
        }
    }
    w
}

/// What happens next, by dice.
fn trouble(w: &mut Swarm, lost: &mut [Vec<shim6_proto::proto::locator::LocalLocator>]) {
    let i = w.dice.gen_range(0..w.nodes.len());
    let (x, y) = (w.any_pair().local.prefix(), w.any_pair().peer.prefix());
    let flow = w.dice.gen_range(0..w.flows.len());
    let end = w.dice.gen_range(0..2);
    match w.dice.gen_range(0..20) {
        0..=3 => drop(w.net.cut.insert((x, y))),
        4 => {
            w.net.cut.insert((x, y));
            w.net.cut.insert((y, x));
        }
        5 => w.net.cut.clear(),
        // A provider of this host is gone, one way or both.
        6 => {
            let (all, way) = (w.nodes.len(), w.dice.gen_range(0..3));
            for j in 0..all {
                for at in 0..3 {
                    if way != 0 {
                        w.net.cut.insert((x, prefix(j, at)));
                    }
                    if way != 1 {
                        w.net.cut.insert((prefix(j, at), x));
                    }
                }
            }
        }
        7 => w.reboot(i),
        8 => w.forget(i),
        9 => {
            let ms = w.dice.gen_range(0..600_000);
            w.leap(i, ms);
        }
        10 => {
            let ms = w.dice.gen_range(0..20_000);
            w.sleep(i, ms);
        }
        11 | 12 => {
            let n = w.nodes[i].host.out.locators.len();
            if n > 0 {
                let at = w.dice.gen_range(0..n);
                let usable = &mut w.nodes[i].host.out.locators[at].usable;
                *usable = !*usable;
                w.local_changed(i);
            }
        }
        // Renumbered: a locator goes, another comes back.
        13 => {
            let out = &mut w.nodes[i].host.out;
            if out.locators.len() > 1 {
                lost[i].push(out.locators.pop().unwrap());
            } else if let Some(back) = lost[i].pop() {
                out.locators.push(back);
            }
            out.generation = out.generation.wrapping_add(1);
            w.local_changed(i);
        }
        14 => {
            let hints = [
                Hint::IcmpUnreachable,
                Hint::NextHopLost,
                Hint::Unanswered,
                Hint::CarrierLost,
                Hint::Asked,
            ];
            let hint = hints[w.dice.gen_range(0..hints.len())];
            w.hint(i, hint);
        }
        15 => {
            let ms = w.dice.gen_range(0..300);
            w.net.slow.insert((x, y), ms);
            let n = w.nodes[i].host.out.locators.len();
            if n > 0 {
                let (at, priority) = (w.dice.gen_range(0..n), w.dice.gen_range(0..3));
                w.nodes[i].host.out.locators[at].pref.priority = priority;
                w.local_changed(i);
            }
        }
        16 => w.initiate(flow, end),
        // Both at once.
        _ => {
            w.initiate(flow, end);
            let ms = w.dice.gen_range(0..60);
            w.run(ms);
            w.initiate(flow, 1 - end);
        }
    }
}

fn bad_hour(seed: u64) -> Seen {
    let climate = match seed % 4 {
        0 | 1 => Climate::Bad,
        2 => Climate::Forged,
        _ => Climate::Hostile,
    };
    let mut w = swarm_of(seed);
    let mut lost = vec![vec![]; w.nodes.len()];
    w.net.loss = f64::from(w.dice.gen_range(0..20u32)) / 100.0;
    w.net.duplicate = 0.1;
    w.net.reorder = 0.2;
    w.net.corrupt = f64::from(w.dice.gen_range(0..10u32)) / 100.0;
    w.net.unnoticed = climate == Climate::Hostile;
    for flow in 0..w.flows.len() {
        w.initiate(flow, 0);
    }
    for _ in 0..12 {
        trouble(&mut w, &mut lost);
        let parts = if climate == Climate::Bad { 1 } else { 8 };
        for _ in 0..parts {
            let ms = w.dice.gen_range(50..5_000) / parts;
            w.run(ms);
            match climate {
                Climate::Bad => {}
                Climate::Forged => (0..4).for_each(|_| w.forge()),
                Climate::Hostile => (0..4).for_each(|_| w.replay()),
            }
        }
    }
    all_is_well_again(&mut w, &mut lost);
    w.run(if climate == Climate::Hostile { 1_000 } else { 200_000 });
    if climate != Climate::Hostile {
        w.watch();
        let before = w.seen.control;
        w.run(3_000);
        let (gap, flow) = w.longest_gap();
        assert!(gap <= 500, "seed {seed}: flow {flow} waits {gap} ms");
        let (control, contexts) = (w.seen.control - before, 2 * w.flows.len() as u64);
        // Keepalives, the preferred pair tried once, an update: not an exploration each.
        assert!(control <= 12 * contexts, "seed {seed}: {control} messages for {contexts}");
        w.agree();
    }
    // Nobody sends any more.
    for flow in &mut w.flows {
        flow.every = [0; 2];
    }
    w.run(450_000);
    assert!(w.is_empty(), "seed {seed}: contexts that nobody uses");
    w.seen
}

fn all_is_well_again(w: &mut Swarm, lost: &mut [Vec<shim6_proto::proto::locator::LocalLocator>]) {
    w.net = Default::default();
    w.run(25_000);
    for (i, lost) in lost.iter_mut().enumerate() {
        let out = &mut w.nodes[i].host.out;
        out.locators.append(lost);
        out.locators.iter_mut().for_each(|l| l.usable = true);
        out.generation = out.generation.wrapping_add(1);
        w.local_changed(i);
    }
}

#[test]
fn many_hosts_converge_after_a_bad_hour_and_leave_nothing() {
    let (first, runs) = (setting(0).unwrap_or(0), setting(1).unwrap_or(2_000));
    let next = AtomicU64::new(first);
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get()).min(runs as usize);
    let work = || {
        let mut all = Seen::default();
        loop {
            let seed = next.fetch_add(1, Relaxed);
            if seed >= first + runs {
                return all;
            }
            let seen = bad_hour(seed);
            all.steps += seen.steps;
            all.control += seen.control;
            all.data += seen.data;
            all.forged += seen.forged;
            all.contexts = all.contexts.max(seen.contexts);
        }
    };
    let all: Vec<Seen> = std::thread::scope(|s| {
        let workers: Vec<_> = (0..threads).map(|_| s.spawn(work)).collect();
        workers.into_iter().map(|w| w.join().expect("the seed is above")).collect()
    });
    let sum = |f: fn(&Seen) -> u64| all.iter().map(f).sum::<u64>();
    println!(
        "{runs} seeds from {first}: {} steps, {} control messages, {} data packets, {} forged",
        sum(|s| s.steps),
        sum(|s| s.control),
        sum(|s| s.data),
        sum(|s| s.forged)
    );
    assert!(sum(|s| s.data) > 100 * runs && sum(|s| s.control) > 10 * runs);
}
