// SPDX-License-Identifier: GPL-2.0

//! Into the core and out again: takes the control lock, calls the core, drains what it wants into
//! values, publishes what packets see, unlocks, and only then sends and notifies.

use crate::events;
use crate::events::Record;
use crate::hba::Sets;
use crate::netns::Control;
use crate::netns::NetState;
use crate::policy::Policy;
use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::proto::addr::Tag;
use crate::proto::addr::UlidPair;
use crate::proto::config::Config;
use crate::proto::context::Context;
use crate::proto::context::Event;
use crate::proto::counter::Counter;
use crate::proto::crowd::Crowd;
use crate::proto::endpoint::Endpoint;
use crate::proto::endpoint::Meta;
use crate::proto::endpoint::Table;
use crate::proto::env::Env;
use crate::proto::env::Ticks;
use crate::proto::env::Transmit;
use crate::proto::locator::LocalSet;
use crate::proto::policy::Rules;
use crate::proto::reap::activity::Activity;
use crate::proto::time::Instant;
use crate::proto::wire::MAX_MESSAGE;
use crate::signatures::Waiting;
use crate::sys::clock;
use crate::sys::control::Outbox;
use crate::sys::env;
use crate::sys::lock::SpinGuardBh;
use crate::sys::netns::Counters;
use crate::sys::rcu::Guard;
use crate::sys::rcu::Rcu;
use crate::sys::rcu::RcuPtr;
use crate::table;
use crate::table::Contexts;
use crate::table::Locators;
use core::cell::Cell;
use kernel::prelude::*;

/// How soon a snapshot that found no memory is tried again, in ms.
const RETRY_MS: u64 = 50;

/// What the core needs from outside, for one call.
pub(crate) struct Kernel<'a> {
    counters: &'a Counters,
    sets: &'a Sets,
    crowd: &'a Crowd,
    policy: &'a RcuPtr<Policy>,
    config: Config,
    /// The setting that kept something from being made.
    met: Cell<Option<&'static str>>,
}

impl<'a> Kernel<'a> {
    /// Of a namespace with these sets, explorations, policy and settings.
    pub(crate) fn new(
        counters: &'a Counters,
        sets: &'a Sets,
        crowd: &'a Crowd,
        policy: &'a RcuPtr<Policy>,
        config: Config,
    ) -> Self {
        Kernel { counters, sets, crowd, policy, config, met: Cell::new(None) }
    }
}

impl Env for Kernel<'_> {
    fn now(&self) -> Instant {
        clock::now()
    }

    fn ticks(&self) -> Ticks {
        clock::TICKS
    }

    fn random(&self) -> u64 {
        env::random()
    }

    fn sha1(&self, parts: &[&[u8]]) -> [u8; 20] {
        env::sha1(parts)
    }

    fn hmac_sha256(&self, key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
        env::hmac_sha256(key, parts)
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn count(&self, what: Counter) {
        self.counters.count(what);
        let cap = match what {
            Counter::ContextLimit => "max_contexts",
            Counter::PrefixLimit => "max_contexts_per_prefix",
            Counter::PendingLimit => "max_pending",
            Counter::ForkLimit => "max_forks",
            _ => return,
        };
        self.met.set(Some(cap));
    }

    fn crowd(&self) -> &Crowd {
        self.crowd
    }

    fn permits(&self, pair: &Pair) -> bool {
        let guard = Guard::new();
        self.policy.get(Rcu::of(&guard)).is_none_or(|policy| Rules(&policy.rules).permits(pair))
    }

    fn local_set(&self, ulid: &Addr) -> Option<LocalSet<'_>> {
        self.sets.of(ulid)
    }
}

/// What has to be done once the lock is released.
struct Batch {
    outbox: Outbox,
    events: KVec<Record>,
    kick: bool,
    sweep: bool,
    forked: bool,
    signatures: bool,
    met: Option<&'static str>,
}

impl Batch {
    /// `order` is the right to publish: taken before the control lock was released, so that events
    /// are told in the order in which they happened.
    fn act(self, state: &NetState, order: Option<SpinGuardBh<'_, ()>>) {
        for record in self.events.iter() {
            events::publish(state, record);
        }
        drop(order);
        self.outbox.send(state.net(), state.catch_all(), || state.count(Counter::ControlNoRoute));
        if self.kick {
            state.kick_tcp();
        }
        if self.sweep {
            state.find_users();
        }
        if self.forked {
            state.tell_forkers();
        }
        if self.signatures {
            state.look_at_signatures();
        }
        if let Some(cap) = self.met {
            env::log_cap(state.net(), cap);
        }
    }
}

/// The core of one namespace, with its control lock held.
pub(crate) struct Core<'a> {
    state: &'a NetState,
    endpoint: &'a mut Endpoint,
    env: Kernel<'a>,
    table: Contexts<'a>,
    buffer: &'a mut [u8; MAX_MESSAGE],
    signatures: &'a mut Waiting,
    batch: &'a mut Batch,
}

/// Calls `f` with the core of a namespace; any context. `None` if the namespace is going away.
pub(crate) fn enter<R>(state: &NetState, f: impl FnOnce(&mut Core<'_>) -> R) -> Option<R> {
    let mut batch = Batch {
        outbox: Outbox::new(),
        events: KVec::new(),
        kick: false,
        sweep: false,
        forked: false,
        signatures: false,
        met: None,
    };
    let (result, order) = {
        let mut guard = state.control();
        let Control { endpoint, sets, crowd, writer, nonces, origins, buffer, signatures, over } =
            &mut *guard;
        if *over {
            return None;
        }
        let mut core = Core {
            state,
            endpoint,
            env: Kernel::new(state.counters(), sets, crowd, state.policy_ptr(), state.config()),
            table: Contexts { state, writer, nonces, origins },
            buffer,
            signatures,
            batch: &mut batch,
        };
        let result = f(&mut core);
        core.batch.met = core.env.met.get();
        (result, (!batch.events.is_empty()).then(|| state.event_order()))
    };
    batch.act(state, order);
    Some(result)
}

impl Core<'_> {
    /// Calls the endpoint; an answer that it writes into the buffer is sent.
    pub(crate) fn endpoint<R>(
        &mut self,
        f: impl FnOnce(&mut Endpoint, &dyn Env, &mut Contexts<'_>, &mut [u8]) -> (R, Option<Transmit>),
    ) -> R {
        let (result, reply) = f(self.endpoint, &self.env, &mut self.table, self.buffer);
        if let Some(reply) = reply {
            post(self.state, &mut self.batch.outbox, self.buffer, &reply);
        }
        result
    }

    /// Keeps a message until its signature is verified.
    pub(crate) fn keep(&mut self, meta: &Meta<'_>, message: &[u8]) {
        match self.signatures.keep(meta, message) {
            Ok(()) => self.batch.signatures = true,
            Err(why) => self.state.count(why),
        }
    }

    /// CT(local) of the context of these ULIDs, if packets are its business.
    pub(crate) fn active(&mut self, ulids: &UlidPair) -> Option<Tag> {
        let (node, ctx) = self.table.writer.by_ulids(ulids)?;
        ctx.is_active().then(|| node.tag())
    }

    /// Calls a context, if it is still there, and drains it.
    pub(crate) fn context<R>(
        &mut self,
        tag: Tag,
        f: impl FnOnce(&mut Context<Locators>, &dyn Env, &Activity) -> R,
    ) -> Option<R> {
        let slot = self.table.by_tag(tag)?;
        let result = f(slot.ctx, &self.env, slot.activity);
        self.drain(tag);
        Some(result)
    }

    /// Whether a context of this identifier has to be told of a change of our locators.
    pub(crate) fn is_affected(&self, ulid: &Addr) -> bool {
        self.env.sets.is_affected(ulid)
    }

    /// Takes out all a context wants: messages, events, what packets see, its timer.
    pub(crate) fn drain(&mut self, tag: Tag) {
        let Some((node, ctx)) = self.table.writer.by_tag(tag) else { return };
        let (env, activity) = (&self.env, &node.activity);
        while let Some(message) = ctx.poll_transmit(env, activity, self.buffer) {
            post(self.state, &mut self.batch.outbox, self.buffer, &message);
        }
        let old = table::sent_over(node, ctx);
        while let Some(event) = ctx.poll_event() {
            match event {
                // There and back again.
                Event::Rehomed if old == ctx.tx_pair() => continue,
                Event::Rehomed => {
                    node.ask_kick(self.state.kick_generation());
                    self.batch.kick = true;
                }
                // Without a fork nothing changes; the default context says whether the peer answers.
                Event::Failed { hold_until, .. } if ctx.ulids().fii == 0 => {
                    self.state.hold_down(&ctx.ulids().pair, hold_until);
                }
                _ => {}
            }
            let record = record(ctx, event, old);
            if self.batch.events.push(record, GFP_ATOMIC).is_err() {
                self.state.count(Counter::EventLost);
            }
        }
        if let Some(wanted) = ctx.wants_signature(env) {
            let ulid = ctx.ulids().pair.local;
            self.batch.signatures |= self.signatures.want(tag, &ulid, &wanted);
        }
        self.batch.sweep |= ctx.asks_for_users();
        self.batch.forked |= ctx.is_bound();
        if ctx.is_gone() {
            self.table.remove(tag);
            return;
        }
        let wake_ms = ctx.wake_after_ms(env.config());
        let locals = env.sets.addresses(&ctx.ulids().pair.local);
        let published = table::publish(node, ctx, wake_ms, locals);
        if !published {
            self.state.count(Counter::OutOfMemory);
            node.arm(clock::now().after(RETRY_MS));
        } else if let Some(at) = ctx.poll_timeout(env, activity) {
            node.arm(at);
        }
        // A packet may have turned the direction since: then it saw the old, later timer.
        if let Some(at) = ctx.poll_timeout(env, activity) {
            node.arm_earlier(at);
        }
    }
}

fn post(state: &NetState, outbox: &mut Outbox, buffer: &[u8], message: &Transmit) {
    let posted = buffer
        .get(..message.len)
        .is_some_and(|octets| outbox.push(&message.src, &message.dst, octets).is_ok());
    if !posted {
        state.count(Counter::OutOfMemory);
    }
}

fn record(ctx: &Context<Locators>, event: Event, old: Pair) -> Record {
    Record {
        time_ns: clock::monotonic_ns(),
        event,
        ulids: *ctx.ulids(),
        local_tag: ctx.local_tag(),
        peer_tag: ctx.peer_tag(),
        state: ctx.state(),
        reap: ctx.reap_state(),
        tx: ctx.tx_pair(),
        old,
    }
}
