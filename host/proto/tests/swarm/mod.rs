// SPDX-License-Identifier: GPL-2.0

//! Many hosts, many contexts, and a network that does what it likes, on one virtual clock.
//!
//! Each host has a clock of its own, which may leap, and stands still while the host is
//! asleep. After every step the invariants are looked at, some of them against the truth,
//! which no host knows: whose an address is, and between which identifiers a packet was sent.

pub mod attack;

use crate::world::{knows, Host, Outside, Store};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use shim6_proto::proto::addr::{Addr, Pair, Tag, UlidPair};
use shim6_proto::proto::cga::Verdict;
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::{Context, Hint, State};
use shim6_proto::proto::endpoint::{Meta, Table};
use shim6_proto::proto::env::{Env, Transmit};
use shim6_proto::proto::reap::activity::Activity;
use shim6_proto::proto::reap::ReapState;
use shim6_proto::proto::time::Instant;
use shim6_proto::proto::wire::{Message, Type, IPV6_HEADER, MAX_MESSAGE};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A host, and its clock.
pub struct Node {
    pub host: Host,
    /// Its clock is so far ahead of the true time.
    ahead: i64,
    /// It does nothing until then.
    asleep_until: u64,
}

/// What crosses the network.
#[derive(Clone, Debug)]
pub enum Load {
    /// A control message.
    Control(Vec<u8>),
    /// A data packet: its tag, if it has one, and the truth about it.
    Data { tag: Option<Tag>, flow: usize, end: usize },
}

#[derive(Clone, Debug)]
pub struct Packet {
    pub src: Addr,
    pub dst: Addr,
    pub load: Load,
    /// Somebody else than the owner of `src` sent it, who sees no packets of others.
    pub forged: bool,
}

/// Traffic between two identifiers, in both directions.
pub struct Flow {
    /// Host and identifier at each end.
    pub ends: [(usize, Addr); 2],
    /// Milliseconds between packets of each end; 0: none.
    pub every: [u64; 2],
    due: [u64; 2],
    /// When each end last received one, and its longest wait since [`Swarm::watch`].
    last: [u64; 2],
    pub gap: [u64; 2],
    pub delivered: [u64; 2],
}

impl Flow {
    pub fn ulids(&self, end: usize) -> UlidPair {
        UlidPair::new(self.ends[end].1, self.ends[1 - end].1)
    }
}

/// What the network does to packets.
#[derive(Clone, Debug, Default)]
pub struct Net {
    pub loss: f64,
    pub duplicate: f64,
    pub reorder: f64,
    pub corrupt: f64,
    /// Whether corruption may pass the check sum.
    pub unnoticed: bool,
    /// One way each.
    pub cut: HashSet<(u64, u64)>,
    pub slow: HashMap<(u64, u64), u64>,
}

/// What was seen, for the figures of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub steps: u64,
    pub control: u64,
    pub data: u64,
    pub forged: u64,
    pub contexts: u64,
}

pub struct Swarm {
    pub seed: u64,
    pub dice: StdRng,
    pub now: u64,
    pub nodes: Vec<Node>,
    pub flows: Vec<Flow>,
    pub net: Net,
    pub seen: Seen,
    owners: HashMap<Addr, usize>,
    flying: BTreeMap<(u64, u64), Packet>,
    serial: u64,
    /// The last messages that crossed the network, for those who see them.
    pub heard: Vec<Packet>,
}

const START: u64 = 1_000_000;
const LATENCY: u64 = 20;

impl Drop for Swarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the swarm's seed is {}, its time {} ms", self.seed, self.now - START);
            eprintln!("again: SIM_SEED={} SIM_RUNS=1", self.seed);
        }
    }
}

pub fn prefix(host: usize, at: usize) -> u64 {
    0x2001_0db8_0000_0000 | ((host as u64 + 1) << 16) | (at as u64 + 1)
}

impl Swarm {
    /// So many hosts, with so many locators each.
    pub fn new(seed: u64, locators: &[usize], configs: &[Config]) -> Swarm {
        let mut owners = HashMap::new();
        let mut nodes = vec![];
        for (i, (&n, config)) in locators.iter().zip(configs).enumerate() {
            let prefixes: Vec<u64> = (0..n).map(|at| prefix(i, at)).collect();
            let host = Host::new(seed.wrapping_mul(31).wrapping_add(i as u64), &prefixes, *config);
            owners.extend(host.out.locators.iter().map(|l| (l.addr, i)));
            nodes.push(Node { host, ahead: 0, asleep_until: 0 });
        }
        Swarm {
            seed,
            dice: StdRng::seed_from_u64(seed ^ 0xd1ce),
            now: START,
            nodes,
            flows: vec![],
            net: Net::default(),
            seen: Seen::default(),
            owners,
            flying: BTreeMap::new(),
            serial: 0,
            heard: vec![],
        }
    }

    pub fn add_flow(&mut self, ends: [(usize, usize); 2], every: [u64; 2]) -> usize {
        let ends = ends.map(|(host, at)| (host, self.nodes[host].host.addr(at)));
        let (now, none) = (self.now, [0; 2]);
        self.flows.push(Flow {
            ends,
            every,
            due: [now; 2],
            last: [now; 2],
            gap: none,
            delivered: none,
        });
        self.flows.len() - 1
    }

    fn clock(&self, i: usize) -> Instant {
        Instant(self.now.wrapping_add_signed(self.nodes[i].ahead))
    }

    /// The true time of a moment of a host's clock.
    fn truly(&self, i: usize, at: Instant) -> u64 {
        let at = at.0.saturating_add_signed(-self.nodes[i].ahead);
        at.max(self.nodes[i].asleep_until)
    }

    fn set_now(&mut self, now: u64) {
        self.now = now;
        for i in 0..self.nodes.len() {
            let clock = self.clock(i);
            self.nodes[i].host.out.now.set(clock);
        }
    }

    fn is_asleep(&self, i: usize) -> bool {
        self.nodes[i].asleep_until > self.now
    }

    /// Whether the host has the address now.
    fn has(&self, i: usize, addr: &Addr) -> bool {
        self.nodes[i].host.out.locators.iter().any(|l| l.addr == *addr && l.usable)
    }

    // What happens to hosts.

    /// Its clock leaps ahead, as after a suspension that it was not told of.
    pub fn leap(&mut self, i: usize, ms: u64) {
        self.nodes[i].ahead += ms as i64;
        self.set_now(self.now);
    }

    /// It stands still: nothing runs and nothing is received, and then everything is late.
    pub fn sleep(&mut self, i: usize, ms: u64) {
        self.nodes[i].asleep_until = self.now + ms;
    }

    /// It forgets everything, and its clock begins at 0 again.
    pub fn reboot(&mut self, i: usize) {
        self.nodes[i].ahead = 3_000 - self.now as i64;
        self.set_now(self.now);
        self.nodes[i].host.reboot();
    }

    /// It loses its contexts, and nothing else.
    pub fn forget(&mut self, i: usize) {
        self.nodes[i].host.reboot_quietly(false);
    }

    pub fn initiate(&mut self, flow: usize, end: usize) {
        let (i, ulids) = (self.flows[flow].ends[end].0, self.flows[flow].ulids(end));
        if self.is_asleep(i) {
            return;
        }
        let h = &mut self.nodes[i].host;
        if let Ok(id) = h.endpoint.initiate(&h.out, &mut h.contexts, ulids) {
            self.drain(i, id);
            self.check(i);
        }
    }

    /// Its locators changed: every context is told.
    pub fn local_changed(&mut self, i: usize) {
        for id in self.nodes[i].host.contexts_ids() {
            let h = &mut self.nodes[i].host;
            let (ctx, activity) = h.contexts.all.get_mut(&id).unwrap();
            ctx.local_changed(&h.out, activity);
            self.drain(i, id);
        }
        self.check(i);
    }

    pub fn hint(&mut self, i: usize, hint: Hint) {
        for id in self.nodes[i].host.contexts_ids() {
            let h = &mut self.nodes[i].host;
            let (ctx, activity) = h.contexts.all.get_mut(&id).unwrap();
            ctx.path_hint(&h.out, activity, hint);
            self.drain(i, id);
        }
        self.check(i);
    }

    /// An application calls all contexts of the host.
    pub fn call(&mut self, i: usize, mut f: impl FnMut(&mut Context<Store>, &Outside, &Activity)) {
        for id in self.nodes[i].host.contexts_ids() {
            let h = &mut self.nodes[i].host;
            let (ctx, activity) = h.contexts.all.get_mut(&id).unwrap();
            f(ctx, &h.out, activity);
            self.drain(i, id);
        }
        self.check(i);
    }

    // The network.

    /// Of the packets in flight the `n`-th is lost.
    pub fn lose(&mut self, n: usize) {
        let key = self.flying.keys().nth(n).copied();
        key.and_then(|key| self.flying.remove(&key));
    }

    /// It comes once more, later.
    pub fn repeat(&mut self, n: usize) {
        let Some((key, packet)) = self.flying.iter().nth(n) else { return };
        self.serial += 1;
        let (key, packet) = ((key.0 + 50, self.serial), packet.clone());
        self.flying.insert(key, packet);
    }

    /// It is changed.
    pub fn change(&mut self, n: usize, f: impl FnOnce(&mut Packet)) {
        self.flying.values_mut().nth(n).map(f);
    }

    pub fn launch(&mut self, packet: Packet) {
        let path = (packet.src.prefix(), packet.dst.prefix());
        let net = &self.net;
        if net.cut.contains(&path) || self.dice.gen_bool(net.loss) {
            return;
        }
        let time = LATENCY + net.slow.get(&path).unwrap_or(&0);
        let copies = 1 + usize::from(self.dice.gen_bool(net.duplicate));
        for _ in 0..copies {
            let late =
                if self.dice.gen_bool(self.net.reorder) { self.dice.gen_range(0..100) } else { 0 };
            let mut packet = packet.clone();
            if self.dice.gen_bool(self.net.corrupt) {
                self.spoil(&mut packet);
            }
            self.serial += 1;
            self.flying.insert((self.now + time + late, self.serial), packet);
        }
    }

    fn spoil(&mut self, packet: &mut Packet) {
        match &mut packet.load {
            Load::Control(bytes) => {
                // One bit is always noticed.
                let bits = if self.net.unnoticed { self.dice.gen_range(1..4) } else { 1 };
                for _ in 0..bits {
                    let at = self.dice.gen_range(0..bytes.len());
                    bytes[at] ^= 1 << self.dice.gen_range(0..8);
                }
            }
            Load::Data { tag: Some(tag), .. } => {
                *tag = Tag::new(tag.get() ^ (1 << self.dice.gen_range(0..47)));
            }
            Load::Data { tag: None, .. } => {}
        }
    }

    fn send_all(&mut self, i: usize, messages: Vec<(Transmit, Vec<u8>)>) {
        for (t, bytes) in messages {
            assert_eq!(self.owners.get(&t.src), Some(&i), "a source that is not ours");
            self.seen.control += 1;
            let packet =
                Packet { src: t.src, dst: t.dst, load: Load::Control(bytes), forged: false };
            if self.heard.len() >= 64 {
                self.heard.remove(0);
            }
            self.heard.push(packet.clone());
            if self.has(i, &t.src) {
                self.launch(packet);
            }
        }
    }

    fn drain(&mut self, i: usize, id: u64) {
        let peer = self.nodes[i].host.contexts.all.get(&id).map(|(c, _)| c.ulids().pair.peer);
        let messages = self.nodes[i].host.drain(id);
        let peer = peer.and_then(|ulid| self.owners.get(&ulid));
        for (t, _) in &messages {
            assert_eq!(self.owners.get(&t.dst), peer, "a message to somebody else");
        }
        self.send_all(i, messages);
    }

    /// The application at one end sends a packet.
    fn app_send(&mut self, flow: usize, end: usize) {
        let (i, _) = self.flows[flow].ends[end];
        let to = self.flows[flow].ends[1 - end].0;
        if self.is_asleep(i) {
            return;
        }
        let ulids = self.flows[flow].ulids(end);
        let h = &mut self.nodes[i].host;
        let tick = h.out.ticks().tick(h.out.now());
        let mut woken = None;
        let (pair, tag) = match h.contexts.by_ulids(&ulids) {
            Some(slot) if slot.ctx.is_active() => {
                woken = Some((slot.id, slot.activity.note_sent(tick)));
                let pair = slot.ctx.tx_pair();
                let shown = slot.ctx.peer_locators().iter().find(|l| l.addr == pair.peer);
                let leaves = slot.ctx.reap_state() != Some(ReapState::Operational);
                let shown = shown.map_or(leaves, |l| l.is_verified() && l.is_reachable());
                assert!(shown || pair.peer == ulids.pair.peer, "data to a locator never shown");
                (pair, slot.ctx.peer_tag().filter(|_| pair != ulids.pair))
            }
            _ => (ulids.pair, None),
        };
        if let Some((id, wake)) = woken {
            h.wake(id, wake);
        }
        assert_eq!(self.owners.get(&pair.peer), Some(&to), "data to somebody else");
        assert_eq!(self.owners.get(&pair.local), Some(&i), "data from somebody else");
        self.seen.data += 1;
        if self.has(i, &pair.local) {
            let load = Load::Data { tag, flow, end };
            self.launch(Packet { src: pair.local, dst: pair.peer, load, forged: false });
        }
    }

    fn arrive(&mut self, packet: Packet) {
        let Some(&i) = self.owners.get(&packet.dst) else { return };
        if self.is_asleep(i) || !self.has(i, &packet.dst) {
            return;
        }
        match packet.load {
            Load::Control(ref bytes) => self.receive(i, &packet, bytes),
            Load::Data { tag, flow, end } => self.receive_data(i, &packet, tag, flow, end),
        }
        self.check(i);
    }

    fn receive(&mut self, i: usize, packet: &Packet, bytes: &[u8]) {
        let before = packet.forged.then(|| attack::picture(&self.nodes[i].host));
        let mut head = [0u8; IPV6_HEADER];
        head[0] = 0x60;
        head[6] = 140;
        head[8..24].copy_from_slice(&packet.src.0);
        head[24..40].copy_from_slice(&packet.dst.0);
        let meta = Meta { src: packet.src, dst: packet.dst, head: &head, verdict: Verdict::None };
        let mut reply = [0xa5; MAX_MESSAGE];
        let h = &mut self.nodes[i].host;
        let got = h.endpoint.receive(&h.out, &mut h.contexts, meta, bytes, &mut reply);
        if let Some(before) = before {
            self.seen.forged += 1;
            let after = attack::picture(&self.nodes[i].host);
            assert_eq!(
                before,
                after,
                "a forged message changed something: {:?}",
                Message::parse(bytes)
            );
        }
        if let Some(t) = got.reply {
            let answer = reply[..t.len].to_vec();
            grows_little(bytes, &answer);
            self.send_all(i, vec![(t, answer)]);
        }
        if let Some(id) = got.touched {
            self.drain(i, id);
        }
    }

    fn receive_data(
        &mut self,
        i: usize,
        packet: &Packet,
        tag: Option<Tag>,
        flow: usize,
        end: usize,
    ) {
        let (src, dst) = (packet.src, packet.dst);
        let sent = self.flows[flow].ulids(1 - end);
        let h = &mut self.nodes[i].host;
        let tick = h.out.ticks().tick(h.out.now());
        let slot = match tag {
            Some(tag) => h.contexts.by_tag(tag).filter(|s| {
                let set = h.out.local_set(&s.ctx.ulids().pair.local);
                s.ctx.is_active() && s.ctx.is_peer(&src) && set.is_some_and(|s| s.contains(&dst))
            }),
            None => h.contexts.by_ulids(&UlidPair::new(dst, src)),
        };
        let found = slot.map(|s| (s.id, *s.ctx.ulids(), s.activity.note_received(tick)));
        if let (Some(tag), None) = (tag, &found) {
            let mut reply = [0xa5; MAX_MESSAGE];
            let t = h.endpoint.payload_without_context(&h.out, src, dst, tag, &mut reply);
            if let Some(t) = t {
                assert!(2 * (t.len + IPV6_HEADER) <= 3 * (8 + IPV6_HEADER));
                self.send_all(i, vec![(t, reply[..t.len].to_vec())]);
            }
            return;
        }
        if let Some((id, ulids, wake)) = found {
            assert_eq!(ulids, sent, "given to other identifiers than it was sent to");
            h.wake(id, wake);
        }
        self.delivered(flow, 1 - end);
    }

    fn delivered(&mut self, flow: usize, end: usize) {
        let (flow, now) = (&mut self.flows[flow], self.now);
        flow.gap[end] = flow.gap[end].max(now - flow.last[end]);
        flow.last[end] = now;
        flow.delivered[end] += 1;
    }

    /// From now on the gaps are measured.
    pub fn watch(&mut self) {
        for flow in &mut self.flows {
            (flow.gap, flow.last) = ([0; 2], [self.now; 2]);
        }
    }

    /// The longest wait of an end that had something to wait for, and whose it was.
    pub fn longest_gap(&self) -> (u64, usize) {
        let gaps = self.flows.iter().enumerate().flat_map(|(n, f)| {
            let waits = [0, 1].into_iter().filter(|&end| f.every[1 - end] > 0);
            waits.map(move |end| (f.gap[end].max(self.now - f.last[end]), n))
        });
        gaps.max().unwrap_or_default()
    }

    // Time.

    fn next_timer(&self) -> Option<(u64, usize)> {
        let of = |i: usize| {
            let at = self.nodes[i].host.timers.values().min()?;
            Some((self.truly(i, *at), i))
        };
        (0..self.nodes.len()).filter_map(of).min()
    }

    fn next_send(&self) -> Option<(u64, usize, usize)> {
        let all = self.flows.iter().enumerate().flat_map(|(n, f)| {
            [0, 1].into_iter().filter(|&e| f.every[e] > 0).map(move |e| (f.due[e], n, e))
        });
        all.min()
    }

    /// The next thing that happens, not later than `until`.
    pub fn step(&mut self, until: u64) -> bool {
        let (timer, send) = (self.next_timer(), self.next_send());
        let arrival = self.flying.keys().next().map(|k| k.0);
        let times = [timer.map(|t| t.0), send.map(|s| s.0), arrival];
        let Some(at) = times.into_iter().flatten().min().filter(|at| *at <= until) else {
            self.set_now(until);
            return false;
        };
        self.set_now(at.max(self.now));
        self.seen.steps += 1;
        if arrival.is_some_and(|a| a <= self.now) {
            let packet = self.flying.pop_first().unwrap().1;
            self.arrive(packet);
        } else if let Some((_, i)) = timer.filter(|t| t.0 <= self.now) {
            self.expire(i);
        } else if let Some((_, flow, end)) = send {
            let f = &mut self.flows[flow];
            f.due[end] = self.now + f.every[end];
            self.app_send(flow, end);
        }
        true
    }

    fn expire(&mut self, i: usize) {
        let now = self.clock(i);
        let timers = &self.nodes[i].host.timers;
        let due: Vec<u64> = timers.iter().filter(|t| *t.1 <= now).map(|t| *t.0).collect();
        for id in due {
            let h = &mut self.nodes[i].host;
            if let Some((ctx, activity)) = h.contexts.all.get_mut(&id) {
                ctx.handle_timeout(&h.out, activity);
            }
            self.drain(i, id);
        }
        self.check(i);
    }

    /// Lets `ms` pass.
    pub fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        for flow in &mut self.flows {
            flow.due = flow.due.map(|due| due.max(self.now));
        }
        let contexts = 2 * self.flows.len() as u64;
        let (mut steps, most) = (0, (100 + 10 * contexts) * (ms + 100));
        let (before, messages) = (self.seen.control, contexts * (60 + ms / 100));
        while self.step(end) {
            steps += 1;
            assert!(steps < most, "livelock: {steps} steps in {ms} ms");
        }
        let sent = self.seen.control - before;
        assert!(sent <= messages, "livelock: {sent} control messages in {ms} ms");
    }

    // What must hold.

    /// At every moment, of the host that something happened to.
    pub fn check(&mut self, i: usize) {
        let h = &self.nodes[i].host;
        let now = h.out.now();
        assert_eq!(h.timers.len(), h.contexts.all.len(), "a timer without a context");
        for (id, (ctx, activity)) in &h.contexts.all {
            assert!(!ctx.is_gone(), "a context that is gone stays");
            let tx = ctx.tx_pair();
            // One that the peer takes out of its list stays in use until REAP found another:
            // 10.4, "to verify that the new locator is reachable before changing Lp(peer)".
            let leaves = ctx.reap_state() != Some(ReapState::Operational);
            assert!(
                knows(ctx, &tx.peer) || leaves,
                "{tx:?} is not of the peer: {:?} {:?} {:?}",
                ctx.state(),
                ctx.reap_state(),
                ctx.peer_locators()
            );
            let ulid = self.owners.get(&ctx.ulids().pair.peer);
            for l in ctx.peer_locators().iter().filter(|l| l.is_verified()) {
                assert_eq!(self.owners.get(&l.addr), ulid, "proved, but not the peer's");
            }
            let armed = h.timers.get(id).expect("a timer");
            let wanted = ctx.poll_timeout(&h.out, activity).expect("a deadline");
            let slack = u64::from(ctx.wake_after_ms(&h.out.config));
            assert!(*armed <= wanted.max(now).after(slack), "{armed:?} is later than {wanted:?}");
        }
        self.seen.contexts = self.seen.contexts.max(h.contexts.all.len() as u64);
    }

    /// Both ends of every flow have the same context, or at most one has any; it works.
    pub fn agree(&mut self) {
        for n in 0..self.flows.len() {
            let ends = [0, 1].map(|end| {
                let (i, ulids) = (self.flows[n].ends[end].0, self.flows[n].ulids(end));
                let slot = self.nodes[i].host.contexts.by_ulids(&ulids)?;
                let c = &slot.ctx;
                Some((
                    c.state(),
                    c.local_tag(),
                    c.peer_tag(),
                    c.reap_state(),
                    c.peer_locators().len(),
                ))
            });
            let [Some(a), Some(b)] = ends else { continue };
            let all = (a, b);
            assert_eq!((a.0, b.0), (State::Established, State::Established), "{all:?}");
            assert_eq!((a.2, b.2), (Some(b.1), Some(a.1)), "the tags of flow {n}: {all:?}");
            let works = Some(ReapState::Operational);
            assert_eq!((a.3, b.3), (works, works), "flow {n}: {all:?}");
            let counts = self.flows[n].ends.map(|(i, _)| self.nodes[i].host.out.locators.len());
            assert_eq!((a.4, b.4), (counts[1], counts[0]), "the lists of flow {n}");
        }
    }

    /// Nothing is left of what was.
    pub fn is_empty(&self) -> bool {
        let none = |n: &Node| n.host.contexts.is_empty() && n.host.timers.is_empty();
        self.nodes.iter().all(none) && self.flying.is_empty()
    }

    pub fn addr(&self, host: usize, at: usize) -> Addr {
        self.nodes[host].host.addr(at)
    }

    /// An address of any host, by dice.
    pub fn any_addr(&mut self) -> Addr {
        let i = self.dice.gen_range(0..self.nodes.len());
        let n = self.nodes[i].host.out.locators.len();
        match n {
            0 => Addr::from_parts(prefix(i, 0), 1),
            n => {
                let at = self.dice.gen_range(0..n);
                self.addr(i, at)
            }
        }
    }

    /// A pair that a flow's packets could be seen on.
    pub fn any_pair(&mut self) -> Pair {
        Pair { local: self.any_addr(), peer: self.any_addr() }
    }
}

/// Who was not heard before gets at most 1.5 times what it sent, IPv6 header included.
fn grows_little(message: &[u8], answer: &[u8]) {
    let kind = Message::parse(answer).expect("a message of our own").kind();
    if matches!(kind, Type::R1 | Type::R1bis) {
        let (sent, got) = (message.len() + IPV6_HEADER, answer.len() + IPV6_HEADER);
        assert!(2 * got <= 3 * sent, "{kind:?}: {got} octets for {sent}");
    }
}
