// SPDX-License-Identifier: GPL-2.0

//! Two hosts and the network between them, on a virtual clock.
//!
//! The clock jumps to whatever happens next: a message arrives, a timer ends, an
//! application sends. A seed makes every run repeatable. After every step the
//! invariants are looked at (`World::check`).

pub mod table;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use shim6_proto::proto::addr::{Addr, Pair, Tag, UlidPair};
use shim6_proto::proto::cga::{Claim, Signature, Verdict};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::{Context, Event, Flow, FlowSlot, Flows, Hint};
use shim6_proto::proto::counter::Counter;
use shim6_proto::proto::crowd::Crowd;
use shim6_proto::proto::endpoint::{Endpoint, Meta, Refused, Table};
use shim6_proto::proto::env::{Env, Ticks, Transmit};
use shim6_proto::proto::hba::{extended_modifier, write_pds, Pds, MAX_PDS};
use shim6_proto::proto::locator::{LocalLocator, LocalSet};
use shim6_proto::proto::policy::{Rule, Rules};
use shim6_proto::proto::reap::activity::{Activity, Wake};
use shim6_proto::proto::time::Instant;
use shim6_proto::proto::wire::{Message, Method, MAX_MESSAGE};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
pub use table::{Contexts, Store};

pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    parts.iter().for_each(|p| hash.update(p));
    hash.finalize().into()
}

/// The outside world of one host.
pub struct Outside {
    pub now: Cell<Instant>,
    rng: RefCell<StdRng>,
    pub config: Config,
    pub counters: RefCell<HashMap<&'static str, u64>>,
    pub pds: Vec<u8>,
    pub locators: Vec<LocalLocator>,
    pub generation: u32,
    pub crowd: Crowd,
    /// The policy.
    pub rules: Vec<Rule>,
    /// Whether it has a key, and what was signed with it.
    pub signs: bool,
    pub signatures: Vec<Signature>,
}

impl Env for Outside {
    fn now(&self) -> Instant {
        self.now.get()
    }
    fn ticks(&self) -> Ticks {
        Ticks { per_second: 250 }
    }
    fn random(&self) -> u64 {
        self.rng.borrow_mut().gen()
    }
    fn sha1(&self, parts: &[&[u8]]) -> [u8; 20] {
        sha1(parts)
    }
    fn hmac_sha256(&self, key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
        // Any keyed one-way function will do here: the responder alone checks it.
        let mut hash = Sha256::new();
        hash.update(key);
        parts.iter().for_each(|p| hash.update(p));
        hash.finalize().into()
    }
    fn config(&self) -> &Config {
        &self.config
    }
    fn count(&self, what: Counter) {
        *self.counters.borrow_mut().entry(Counter::NAMES[what as usize]).or_default() += 1;
    }
    fn crowd(&self) -> &Crowd {
        &self.crowd
    }
    fn permits(&self, pair: &Pair) -> bool {
        Rules(&self.rules).permits(pair)
    }
    fn local_set(&self, ulid: &Addr) -> Option<LocalSet<'_>> {
        let set = LocalSet {
            pds: &self.pds,
            locators: &self.locators,
            generation: self.generation,
            wishes: None,
            signs: self.signs,
            signatures: &self.signatures,
        };
        set.locators.iter().any(|l| l.addr == *ulid && !l.withdrawn).then_some(set)
    }
}

/// What crosses the network.
#[derive(Clone, Debug)]
pub enum Cargo {
    /// A control message.
    Control(Vec<u8>),
    /// A control message that was kept, with the verdict on its signature.
    Judged(Vec<u8>, Verdict),
    /// A data packet of a flow, with the tag if it has the payload extension header.
    Data(Option<Tag>, u16),
}

pub struct Host {
    pub out: Outside,
    pub endpoint: Endpoint,
    pub contexts: Contexts,
    pub events: Vec<(Instant, Event)>,
    /// When each data packet arrived.
    pub received: Vec<Instant>,
    /// The lazy timers of the contexts: armed when a context was drained, and by packets
    /// that say so, as in the kernel. Nothing else looks at a context.
    pub timers: BTreeMap<u64, Instant>,
    /// Whether sockets use all its contexts, however silent.
    pub sockets: bool,
    /// The forked context of the socket with this port.
    pub forks: HashMap<u16, u64>,
    pub flows: Vec<FlowSlot>,
    /// How each flow's last packet came: its context, source and destination.
    pub heard: HashMap<u16, (Option<u64>, Addr, Addr)>,
}

impl Host {
    pub fn new(seed: u64, prefixes: &[u64], config: Config) -> Host {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut buf = [0; MAX_PDS];
        let key = extended_modifier([seed as u8; 48]);
        let n = write_pds(&mut buf, rng.gen(), prefixes[0], &key, false, prefixes).unwrap();
        let pds = buf[..n].to_vec();
        let parsed = Pds::parse(&pds).unwrap();
        let locators = prefixes
            .iter()
            .map(|&p| LocalLocator {
                addr: parsed.address(p, 0, &mut sha1),
                method: Method::Hba,
                pref: Default::default(),
                follows: true,
                usable: true,
                withdrawn: false,
            })
            .collect();
        let out = Outside {
            now: Cell::new(Instant(1_000_000)),
            rng: RefCell::new(rng),
            config,
            counters: Default::default(),
            pds,
            locators,
            generation: 7,
            crowd: Crowd::default(),
            rules: Vec::new(),
            signs: false,
            signatures: vec![],
        };
        let endpoint = Endpoint::new(&out);
        Host {
            out,
            endpoint,
            contexts: Contexts::default(),
            events: vec![],
            received: vec![],
            timers: BTreeMap::new(),
            sockets: false,
            forks: HashMap::new(),
            flows: (0..64).map(|_| FlowSlot::new()).collect(),
            heard: HashMap::new(),
        }
    }

    /// The context that a packet from this port goes by: the socket's own, else the one in
    /// which its flow was received, else the default one.
    fn context_of(&mut self, ulids: UlidPair, port: u16) -> Option<u64> {
        let active = |c: &Context<Store>| c.is_active() && c.ulids().pair == ulids.pair;
        let own = self.forks.get(&port).copied();
        let own = own.and_then(|id| self.contexts.get(id));
        if let Some(slot) = own.filter(|s| active(s.ctx)) {
            return Some(slot.id);
        }
        let learnt = Flows(&self.flows).find(flow(port));
        let learnt = learnt.and_then(|tag| self.contexts.by_tag(tag));
        if let Some(slot) = learnt.filter(|s| active(s.ctx)) {
            return Some(slot.id);
        }
        self.contexts.by_ulids(&ulids).filter(|s| active(s.ctx)).map(|s| s.id)
    }

    /// A packet of this flow came in this context.
    fn learn(&mut self, port: u16, id: Option<u64>) {
        let flows = Flows(&self.flows);
        match id.and_then(|id| self.contexts.all.get(&id)) {
            Some((ctx, _)) if ctx.teaches() => {
                flows.learn(flow(port), ctx.local_tag());
            }
            Some((ctx, _)) if ctx.ulids().fii != 0 => {}
            _ => flows.forget(flow(port)),
        }
    }

    pub fn count(&self, name: &str) -> u64 {
        assert!(Counter::NAMES.contains(&name), "no counter {name}");
        self.out.counters.borrow().get(name).copied().unwrap_or(0)
    }

    pub fn addr(&self, i: usize) -> Addr {
        self.out.locators[i].addr
    }

    pub fn context(&self) -> &Context<Store> {
        assert_eq!(self.contexts.all.len(), 1, "exactly one context");
        &self.contexts.all.values().next().unwrap().0
    }

    /// Forgets everything, as after a reboot.
    pub fn reboot(&mut self) {
        self.contexts = Contexts::default();
        self.timers.clear();
        self.endpoint = Endpoint::new(&self.out);
    }

    /// Loses its contexts, or everything.
    pub fn reboot_quietly(&mut self, all: bool) {
        match all {
            true => self.reboot(),
            false => {
                self.contexts.clear();
                self.timers.clear();
            }
        }
    }

    /// Polls a context dry, as a driver does: messages, events, end, timer.
    pub fn drain(&mut self, id: u64) -> Vec<(Transmit, Vec<u8>)> {
        let mut sent = vec![];
        let Some((ctx, activity)) = self.contexts.all.get_mut(&id) else { return sent };
        let mut buf = [0xa5; MAX_MESSAGE];
        for round in 0.. {
            assert!(round < 8, "poll_transmit never ends");
            let Some(t) = ctx.poll_transmit(&self.out, activity, &mut buf) else { break };
            // The pair in use was proved, though the peer may have disowned it meanwhile.
            let proved = knows(ctx, &t.dst) || t.dst == ctx.tx_pair().peer;
            assert!(proved, "a message to a locator that is not proved");
            sent.push((t, buf[..t.len].to_vec()));
        }
        while let Some(event) = ctx.poll_event() {
            self.events.push((self.out.now.get(), event));
        }
        if ctx.asks_for_users() && self.sockets {
            ctx.in_use(&self.out);
        }
        if ctx.is_gone() {
            self.contexts.remove(id);
            self.timers.remove(&id);
        } else {
            let at = ctx.poll_timeout(&self.out, activity);
            self.timers.insert(id, at.expect("a context without a timer never ends"));
        }
        sent
    }

    /// What a packet of data says about the timer.
    pub fn wake(&mut self, id: u64, wake: Wake) {
        let now = self.out.now.get();
        let after = self.contexts.all[&id].0.wake_after_ms(&self.out.config);
        let at = match wake {
            Wake::No => return,
            Wake::Arm => now.after(u64::from(after)),
            Wake::Now => now,
        };
        let armed = self.timers.entry(id).or_insert(at);
        *armed = at.min(*armed);
    }

    /// The HBA set changed; the driver tells every context.
    pub fn contexts_ids(&self) -> Vec<u64> {
        self.contexts.all.keys().copied().collect()
    }
}

/// What stands for a signature of this digest, by the one key there is.
pub fn stamp(digest: &[u8; 20]) -> Vec<u8> {
    [&digest[..], &[0x5a; 108]].concat()
}

/// What somebody finds of the signature of a message.
pub fn truth(message: &[u8]) -> Verdict {
    let message = Message::parse(message).unwrap();
    let claim = Claim::of(&message.options, &mut |p| sha1(p)).expect("a claim");
    match claim.signature == stamp(&claim.digest) {
        true => Verdict::Valid,
        false => Verdict::Invalid,
    }
}

/// Both ends use the same port.
fn flow(port: u16) -> u64 {
    Flow::new(17, port, port).key(0x9e37_79b9_7f4a_7c15)
}

/// Whether a context may send to an address.
pub fn knows(ctx: &Context<Store>, addr: &Addr) -> bool {
    *addr == ctx.ulids().pair.peer
        || ctx.peer_locators().iter().any(|l| l.addr == *addr && l.is_verified())
}

/// The network: four one-way paths each way, by the prefixes at both ends.
pub struct Network {
    pub latency_ms: u64,
    pub loss: f64,
    pub duplicate: f64,
    pub reorder: f64,
    /// (source prefix, destination prefix) of paths that drop everything.
    pub cut: HashSet<(u64, u64)>,
    /// Paths that are slower than the others, and by how much.
    pub slow: HashMap<(u64, u64), u64>,
    rng: StdRng,
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the world's seed is {}, its time {} ms", self.seed, self.now.0 - 1_000_000);
        }
    }
}

pub struct World {
    pub hosts: [Host; 2],
    pub net: Network,
    pub now: Instant,
    /// (arrival, serial) -> (to, src, dst, cargo).
    flying: BTreeMap<(u64, u64), (usize, Addr, Addr, Cargo)>,
    serial: u64,
    pub ulids: [UlidPair; 2],
    /// What applications send with, both ways.
    pub ports: Vec<u16>,
    pub seed: u64,
}

pub const A: usize = 0;
pub const B: usize = 1;
pub const PREFIXES: [[u64; 2]; 2] = [
    [0x2001_0db8_00a1_0000, 0x2001_0db8_00a2_0000],
    [0x2001_0db8_00b1_0000, 0x2001_0db8_00b2_0000],
];

/// Two hosts, each with an HBA set of two prefixes.
pub fn hosts(seed: u64, config: Config) -> [Host; 2] {
    [Host::new(seed, &PREFIXES[A], config), Host::new(!seed, &PREFIXES[B], config)]
}

impl World {
    pub fn new(seed: u64, config: Config) -> World {
        let hosts = hosts(seed, config);
        assert!(hosts.iter().all(|h| h.out.locators.len() == 2));
        let pair = Pair { local: hosts[A].addr(0), peer: hosts[B].addr(0) };
        let flipped = Pair { local: pair.peer, peer: pair.local };
        World {
            now: hosts[A].out.now.get(),
            hosts,
            net: Network {
                latency_ms: 20,
                loss: 0.0,
                duplicate: 0.0,
                reorder: 0.0,
                cut: HashSet::new(),
                slow: HashMap::new(),
                rng: StdRng::seed_from_u64(seed ^ 0x5a5a),
            },
            flying: BTreeMap::new(),
            serial: 0,
            ulids: [UlidPair { pair, fii: 0 }, UlidPair { pair: flipped, fii: 0 }],
            ports: vec![9],
            seed,
        }
    }

    pub fn launch(&mut self, from: usize, src: Addr, dst: Addr, cargo: Cargo) {
        let net = &mut self.net;
        if net.cut.contains(&(src.prefix(), dst.prefix())) || net.rng.gen_bool(net.loss) {
            return;
        }
        let path = net.latency_ms + net.slow.get(&(src.prefix(), dst.prefix())).unwrap_or(&0);
        let copies = 1 + usize::from(net.rng.gen_bool(net.duplicate));
        for _ in 0..copies {
            let late = if net.rng.gen_bool(net.reorder) { net.rng.gen_range(0..100) } else { 0 };
            self.serial += 1;
            let at = self.now.0 + path + late;
            self.flying.insert((at, self.serial), (1 - from, src, dst, cargo.clone()));
        }
    }

    fn send_all(&mut self, from: usize, messages: Vec<(Transmit, Vec<u8>)>) {
        for (t, bytes) in messages {
            assert!(
                self.hosts[from].out.local_set(&t.src).is_some(),
                "seed {}: source is not ours",
                self.seed
            );
            self.launch(from, t.src, t.dst, Cargo::Control(bytes));
        }
    }

    /// The host loses its contexts, and nothing else.
    pub fn forget(&mut self, host: usize) {
        self.hosts[host].contexts.clear();
        self.hosts[host].timers.clear();
    }

    /// Our own locators changed: every context of the host is told.
    pub fn local_changed(&mut self, host: usize) {
        for id in self.hosts[host].contexts_ids() {
            let h = &mut self.hosts[host];
            let (ctx, activity) = h.contexts.all.get_mut(&id).unwrap();
            ctx.local_changed(&h.out, activity);
            self.drain(host, id);
        }
    }

    /// Something outside says that the path of the only context does not work.
    pub fn hint(&mut self, host: usize, hint: Hint) {
        for id in self.hosts[host].contexts_ids() {
            let h = &mut self.hosts[host];
            let (ctx, activity) = h.contexts.all.get_mut(&id).unwrap();
            ctx.path_hint(&h.out, activity, hint);
            self.drain(host, id);
        }
    }

    /// An application of the host calls its only context.
    pub fn call<R>(
        &mut self,
        host: usize,
        f: impl FnOnce(&mut Context<Store>, &Outside, &Activity) -> R,
    ) -> R {
        let id = self.hosts[host].contexts_ids()[0];
        self.call_on(host, id, f)
    }

    pub fn drain(&mut self, host: usize, id: u64) {
        let messages = self.hosts[host].drain(id);
        self.send_all(host, messages);
    }

    /// The applications on `host` send a packet each between the ULIDs.
    pub fn app_send(&mut self, host: usize) {
        for i in 0..self.ports.len() {
            self.app_send_from(host, self.ports[i]);
        }
    }

    fn app_send_from(&mut self, host: usize, port: u16) {
        let h = &mut self.hosts[host];
        let ulids = self.ulids[host];
        let tick = h.out.ticks().tick(self.now);
        let mut woken = None;
        let id = h.context_of(ulids, port);
        let (pair, tag) = match id.and_then(|id| h.contexts.get(id)) {
            Some(slot) => {
                woken = Some((slot.id, slot.activity.note_sent(tick)));
                let pair = slot.ctx.tx_pair();
                // What the invariant is about: data only ever goes to a locator that was
                // proved and at which the peer was shown to be.
                let shown = slot
                    .ctx
                    .peer_locators()
                    .iter()
                    .any(|l| l.addr == pair.peer && l.is_verified() && l.is_reachable());
                assert!(shown || pair.peer == ulids.pair.peer, "seed {}: not shown", self.seed);
                let forked = slot.ctx.ulids().fii != 0;
                (pair, slot.ctx.peer_tag().filter(|_| forked || pair != ulids.pair))
            }
            None => (ulids.pair, None),
        };
        if let Some((id, wake)) = woken {
            h.wake(id, wake);
        }
        self.launch(host, pair.local, pair.peer, Cargo::Data(tag, port));
    }

    /// An application calls one of the host's contexts.
    pub fn call_on<R>(
        &mut self,
        host: usize,
        id: u64,
        f: impl FnOnce(&mut Context<Store>, &Outside, &Activity) -> R,
    ) -> R {
        let h = &mut self.hosts[host];
        let (ctx, activity) = h.contexts.all.get_mut(&id).expect("that context");
        let result = f(ctx, &h.out, activity);
        self.drain(host, id);
        result
    }

    /// The socket with this port has a context forked for it.
    pub fn fork(&mut self, host: usize, port: u16) -> Result<u64, Refused> {
        let h = &mut self.hosts[host];
        let of = h.contexts.by_ulids(&self.ulids[host]).ok_or(Refused::Nothing)?.id;
        let id = h.endpoint.fork(&h.out, &mut h.contexts, of)?;
        h.forks.insert(port, id);
        self.drain(host, id);
        Ok(id)
    }

    pub fn initiate(&mut self, host: usize) {
        let h = &mut self.hosts[host];
        let id = h.endpoint.initiate(&h.out, &mut h.contexts, self.ulids[host]).unwrap();
        self.drain(host, id);
    }

    /// The next thing that happens, not later than `until`.
    pub fn step(&mut self, until: Instant) -> bool {
        let timer = (0..2).filter_map(|i| Some((self.next_timer(i)?, i))).min();
        let arrival = self.flying.keys().next().map(|k| Instant(k.0));
        let next = [timer.map(|t| t.0), arrival].into_iter().flatten().min();
        let Some(at) = next.filter(|at| *at <= until) else {
            self.set_now(until);
            return false;
        };
        self.set_now(at.max(self.now));
        if arrival.is_some_and(|a| a <= self.now) {
            let (to, src, dst, cargo) = self.flying.pop_first().unwrap().1;
            self.arrive(to, src, dst, cargo);
        } else if let Some((_, i)) = timer {
            let now = self.now;
            let due: Vec<u64> =
                self.hosts[i].timers.iter().filter(|t| *t.1 <= now).map(|t| *t.0).collect();
            for id in due {
                let h = &mut self.hosts[i];
                if let Some((ctx, activity)) = h.contexts.all.get_mut(&id) {
                    ctx.handle_timeout(&h.out, activity);
                }
                self.drain(i, id);
            }
        }
        self.check();
        true
    }

    fn next_timer(&self, i: usize) -> Option<Instant> {
        self.hosts[i].timers.values().min().copied()
    }

    fn set_now(&mut self, now: Instant) {
        self.now = now;
        self.hosts.iter().for_each(|h| h.out.now.set(now));
    }

    fn arrive(&mut self, to: usize, src: Addr, dst: Addr, cargo: Cargo) {
        let now = self.now;
        let h = &mut self.hosts[to];
        let mut reply = [0xa5; MAX_MESSAGE];
        match cargo {
            Cargo::Control(bytes) => self.hear(to, src, dst, &bytes, Verdict::None),
            Cargo::Judged(bytes, verdict) => self.hear(to, src, dst, &bytes, verdict),
            Cargo::Data(tag, port) => {
                let tick = h.out.ticks().tick(now);
                let pair = Pair { local: dst, peer: src };
                let set = h.out.local_set(&dst).is_some();
                let slot = match tag {
                    // The packet path: the tag, and then both locators.
                    Some(tag) => h
                        .contexts
                        .by_tag(tag)
                        .filter(|s| s.ctx.is_active() && s.ctx.is_peer(&src) && set),
                    None => h.contexts.by_ulids(&UlidPair { pair, fii: 0 }),
                };
                let found = slot.map(|s| (s.id, s.activity.note_received(tick)));
                if let (Some(tag), None) = (tag, &found) {
                    let t = h.endpoint.payload_without_context(&h.out, src, dst, tag, &mut reply);
                    if let Some(t) = t {
                        let answer = reply[..t.len].to_vec();
                        self.send_all(to, vec![(t, answer)]);
                    }
                    return;
                }
                h.received.push(now);
                let id = found.as_ref().map(|(id, _)| *id);
                h.heard.insert(port, (id, src, dst));
                h.learn(port, id);
                if let Some((id, wake)) = found {
                    h.wake(id, wake);
                }
            }
        }
    }

    fn hear(&mut self, to: usize, src: Addr, dst: Addr, bytes: &[u8], verdict: Verdict) {
        let mut head = [0u8; 40];
        head[8..24].copy_from_slice(&src.0);
        head[24..40].copy_from_slice(&dst.0);
        let meta = Meta { src, dst, head: &head, verdict };
        let mut reply = [0xa5; MAX_MESSAGE];
        let h = &mut self.hosts[to];
        let r = h.endpoint.receive(&h.out, &mut h.contexts, meta, bytes, &mut reply);
        if let Some(t) = r.reply {
            let answer = reply[..t.len].to_vec();
            self.send_all(to, vec![(t, answer)]);
        }
        if let Some(id) = r.touched {
            self.drain(to, id);
        }
        if r.judge {
            // A work item takes its time.
            let cargo = Cargo::Judged(bytes.to_vec(), truth(bytes));
            self.serial += 1;
            self.flying.insert((self.now.0 + 3, self.serial), (to, src, dst, cargo));
        }
    }

    /// What must hold at every moment.
    pub fn check(&mut self) {
        for h in &self.hosts {
            for (id, (ctx, activity)) in &h.contexts.all {
                let seed = self.seed;
                let tx = ctx.tx_pair();
                assert!(knows(ctx, &tx.peer), "seed {seed}: the pair in use is not of the peer");
                let armed = h.timers.get(id).expect("a timer");
                let wanted = ctx.poll_timeout(&h.out, activity).expect("a deadline");
                // What the timer promised is not later than what is due, or the next packet
                // that turns an idle context brings it forward.
                let slack = u64::from(ctx.wake_after_ms(&h.out.config));
                assert!(
                    *armed <= wanted.max(self.now).after(slack),
                    "seed {seed}: the timer comes at {armed:?}, wanted is {wanted:?}"
                );
            }
        }
    }

    /// Lets `ms` pass; both applications send every `every` ms if it is not 0.
    pub fn run(&mut self, ms: u64, every: [u64; 2]) {
        let end = self.now.after(ms);
        let mut due = [self.now, self.now];
        let mut steps = 0u64;
        while self.now < end {
            let sends = (0..2).filter(|&i| every[i] > 0).map(|i| due[i]).min().unwrap_or(end);
            while self.step(sends.min(end)) {
                steps += 1;
                assert!(steps < 40 * ms + 10_000, "seed {}: livelock", self.seed);
            }
            for i in 0..2 {
                if every[i] > 0 && due[i] <= self.now && self.now < end {
                    self.app_send(i);
                    due[i] = self.now.after(every[i]);
                }
            }
        }
    }

    /// The longest time without data at `host` since `from`.
    pub fn longest_gap(&self, host: usize, from: Instant) -> u64 {
        let times: Vec<u64> =
            self.hosts[host].received.iter().filter(|t| **t >= from).map(|t| t.0).collect();
        let first = times.first().map_or(u64::MAX, |t| t - from.0);
        times.windows(2).map(|w| w[1] - w[0]).chain([first]).max().unwrap_or(u64::MAX)
    }

    /// Cuts every path over the first prefixes, one way or both.
    pub fn cut_first(&mut self, a_to_b: bool, b_to_a: bool) {
        for x in PREFIXES[A] {
            for y in PREFIXES[B] {
                if x == PREFIXES[A][0] || y == PREFIXES[B][0] {
                    if a_to_b {
                        self.net.cut.insert((x, y));
                    }
                    if b_to_a {
                        self.net.cut.insert((y, x));
                    }
                }
            }
        }
    }
}
