// SPDX-License-Identifier: GPL-2.0

//! Sequences of operations on two or three hosts and the network between them. The swarm
//! looks at its invariants after every step; in the end, nothing may be left.

use crate::octets::seal;
use crate::swarm::{Load, Swarm};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::Hint;
use shim6_proto::proto::wish::{Explore, Feedback, Wanted};

const MOST: usize = 96;

/// Octets as a source of choices; 0 when they are used up.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn octet(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, n: usize) -> usize {
        usize::from(self.octet()) % n.max(1)
    }

    /// 0 to about 16 minutes, short times finely.
    fn ms(&mut self) -> u64 {
        let (mantissa, shift) = (u64::from(self.octet()), self.octet() % 13);
        mantissa << shift
    }
}

pub fn operations(data: &[u8]) {
    let mut c = Choices(data);
    let hosts = 2 + c.below(2);
    let config = Config { send_timeout_ms: 1_000, ..Config::default() };
    let locators: Vec<usize> = (0..hosts).map(|_| 1 + c.below(3)).collect();
    let mut w = Swarm::new(u64::from(c.octet()), &locators, &vec![config; hosts]);
    for _ in 0..1 + c.below(3) {
        let (a, x, y) = (c.below(hosts), c.octet(), c.octet());
        let b = (a + 1 + c.below(hosts - 1)) % hosts;
        let ends = [(a, usize::from(x) % locators[a]), (b, usize::from(y) % locators[b])];
        let known = ends.map(|(i, at)| (i, w.addr(i, at)));
        if !w.flows.iter().any(|f| f.ends == known || f.ends == [known[1], known[0]]) {
            let slow = u64::from(c.octet()) * 4;
            w.add_flow(ends, [100 + slow, if slow % 3 == 0 { 0 } else { 200 }]);
        }
    }
    for _ in 0..MOST {
        if c.0.is_empty() {
            break;
        }
        operation(&mut w, &mut c);
    }
    w.net = Default::default();
    w.flows.iter_mut().for_each(|f| f.every = [0; 2]);
    w.run(500_000);
    assert!(w.is_empty(), "something is left");
}

fn operation(w: &mut Swarm, c: &mut Choices<'_>) {
    let i = c.octet() as usize % w.nodes.len();
    match c.below(20) {
        0..=2 => {
            let ms = c.ms().min(400_000);
            w.run(ms);
        }
        3 => {
            let (flow, end) = (c.below(w.flows.len()), c.below(2));
            w.initiate(flow, end);
        }
        4 => {
            let pair = w.any_pair();
            if !w.net.cut.remove(&(pair.local.prefix(), pair.peer.prefix())) {
                w.net.cut.insert((pair.local.prefix(), pair.peer.prefix()));
            }
        }
        5 => w.net.cut.clear(),
        6 => w.reboot(i),
        7 => w.forget(i),
        8 => w.leap(i, c.ms()),
        9 => w.sleep(i, c.ms().min(60_000)),
        10 => {
            let out = &mut w.nodes[i].host.out;
            let at = c.below(out.locators.len());
            out.locators[at].usable = !out.locators[at].usable;
            w.local_changed(i);
        }
        11 => {
            let out = &mut w.nodes[i].host.out;
            let at = c.below(out.locators.len());
            out.locators[at].pref.priority = c.octet();
            out.locators[at].pref.flags = c.octet() & 3;
            w.local_changed(i);
        }
        12 => {
            // The order changes, and with it all places in lists.
            let out = &mut w.nodes[i].host.out;
            out.locators.rotate_left(1);
            out.generation = out.generation.wrapping_add(1);
            w.local_changed(i);
        }
        13 => {
            let hints = [
                Hint::LocalAddressLost,
                Hint::CarrierLost,
                Hint::IcmpUnreachable,
                Hint::Unanswered,
                Hint::NegativeFeedback,
                Hint::PositiveFeedback,
                Hint::Asked,
            ];
            w.hint(i, hints[c.below(hints.len())]);
        }
        14 => w.lose(c.below(64)),
        15 => w.repeat(c.below(64)),
        16 => {
            // Somebody on the path changes a message, and its check sum with it.
            let (which, at, octet, whole) = (c.below(64), c.octet(), c.octet(), c.octet() & 1 == 0);
            w.change(which, |packet| {
                if let Load::Control(bytes) = &mut packet.load {
                    let at = usize::from(at) * bytes.len() / 256;
                    bytes[at] = octet;
                    if whole {
                        *bytes = seal(std::mem::take(bytes));
                    }
                }
            });
        }
        17 => w.forge(),
        18 => w.replay(),
        _ => wish(w, c, i),
    }
}

/// An application of the host calls all its contexts.
fn wish(w: &mut Swarm, c: &mut Choices<'_>, i: usize) {
    let (what, n, m) = (c.below(6), c.octet(), c.octet());
    let wanted = |addr| Wanted { addr, priority: n, weight: m };
    w.call(i, |ctx, out, activity| {
        let ours = out.locators[usize::from(n) % out.locators.len()].addr;
        let theirs = ctx.peer_locators().get(usize::from(m) % ctx.peer_locators().len().max(1));
        let theirs = theirs.map_or(ctx.ulids().pair.peer, |l| l.addr);
        // Whether it is granted is another question.
        let _ = match what {
            0 => ctx.wish_send_timeout(out, activity, u32::from(n) * 100),
            1 => {
                let explore = Explore {
                    initial_probes: u32::from(n % 17),
                    initial_probe_timeout_ms: u32::from(m) * 10,
                    keepalive_timeout_ms: u32::from(n) * 1000,
                    keepalive_interval_ms: u32::from(m) * 1000,
                };
                ctx.wish_explore(out, activity, explore)
            }
            2 => ctx.wish_local(out, activity, wanted(ours)),
            3 => ctx.wish_peer(out, activity, wanted(theirs)),
            4 => ctx.wish_locals(out, activity, &[wanted(ours)]),
            _ => {
                ctx.feedback(out, activity, Feedback::Negative);
                ctx.wish_peers(out, activity, &[wanted(theirs)])
            }
        };
    });
}
