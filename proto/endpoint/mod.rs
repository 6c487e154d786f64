// SPDX-License-Identifier: GPL-2.0

//! What a host is to Shim6 besides its contexts: it answers without state, finds the
//! context of a message (RFC 5533 section 12), and keeps the caps. One per namespace.
//!
//! * [`receive`](Endpoint::receive): the checks of 12.3, and the way to the right place.
//! * `establish`: I1, R1, I2, R2, R1bis, I2bis. `session`: Update, Keepalive, Probe.
//! * `errors`: Error messages in and out, ICMPv6 errors.
//! * `signatures`: how many a peer can have verified.
//! * [`validator`], [`nonces`], [`origins`]: what makes answers cheap and safe.

mod errors;
mod establish;
pub mod nonces;
pub mod origins;
mod receive;
mod session;
mod signatures;
pub mod table;
pub mod validator;

pub use errors::IcmpError;
pub use table::{Full, Slot, Table};

use crate::proto::addr::{Addr, Pair, Tag, UlidPair};
use crate::proto::bucket::Bucket;
use crate::proto::cga::Verdict;
use crate::proto::context::Context;
use crate::proto::counter::Counter;
use crate::proto::env::{Env, Transmit};
use origins::origin_of;
use signatures::Signatures;
use validator::Secrets;

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
pub struct Meta<'a> {
    /// The IPv6 source address.
    pub src: Addr,
    /// The IPv6 destination address.
    pub dst: Addr,
    /// The octets of the packet before the message, from its IPv6 header on: an Error
    /// message carries them back.
    pub head: &'a [u8],
    /// What is known of the message's CGA signature: [`Verdict::None`] when it arrives.
    pub verdict: Verdict,
}

impl Meta<'_> {
    /// Counts a message, which may come again with its verdict, once.
    fn count(&self, env: &dyn Env, what: Counter) {
        if self.verdict == Verdict::None {
            env.count(what);
        }
    }

    /// The pair that an answer goes over.
    fn pair(&self) -> Pair {
        Pair { local: self.dst, peer: self.src }
    }

    fn answer(&self, len: usize) -> Transmit {
        Transmit { src: self.dst, dst: self.src, len }
    }
}

/// What [`Endpoint`] did. If `touched` is there, drain that context.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Received<Id> {
    /// The context that was created or changed.
    pub touched: Option<Id>,
    /// A message in the `reply` buffer: R1, R1bis, R2, Update Acknowledgement or Error.
    pub reply: Option<Transmit>,
    /// Nothing was done: keep the message, have its [`Claim`](crate::proto::cga::Claim) judged,
    /// and bring it again with the verdict in its [`Meta`].
    pub judge: bool,
}

impl<Id> Received<Id> {
    const NOTHING: Self = Received { touched: None, reply: None, judge: false };
    const JUDGE: Self = Received { touched: None, reply: None, judge: true };

    const fn reply(reply: Option<Transmit>) -> Self {
        Received { touched: None, reply, judge: false }
    }

    const fn touched(id: Id) -> Self {
        Received { touched: Some(id), reply: None, judge: false }
    }
}

/// Why a context is not set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is one already.
    Exists,
    /// An address is not one that may be shimmed (ours is in no set, the
    /// peer's is in one, or it is a multicast, link-local, ... address).
    Address,
    /// The policy denies these identifiers.
    Policy,
    /// There is no context to fork, or it is not established.
    Nothing,
    /// As many as `max_contexts`, `max_forks` or `max_pending` allow.
    TooMany,
    /// No memory, or no free tag.
    NoMemory,
}

/// The host.
#[derive(Debug)]
pub struct Endpoint {
    secrets: Secrets,
    r1: Bucket,
    r1bis: Bucket,
    error: Bucket,
    signatures: Signatures,
}

impl Endpoint {
    /// A host that has just started.
    pub fn new(env: &dyn Env) -> Endpoint {
        let secrets = Secrets::new(env);
        Endpoint {
            secrets,
            r1: Bucket::default(),
            r1bis: Bucket::default(),
            error: Bucket::default(),
            signatures: Signatures::default(),
        }
    }

    /// Begins to set up a context (RFC 5533 section 7.7). Drain it afterwards.
    pub fn initiate<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        ulids: UlidPair,
    ) -> Result<T::Id, Refused> {
        let Pair { local, peer } = ulids.pair;
        if !peer.is_eligible() || env.local_set(&peer).is_some() {
            return Err(Refused::Address);
        }
        if !env.local_set(&local).is_some_and(|set| set.is_ulid(&local)) {
            return Err(Refused::Address);
        }
        if table.by_ulids(&ulids).is_some() {
            return Err(Refused::Exists);
        }
        if !env.permits(&ulids.pair) {
            env.count(Counter::PolicyDenied);
            return Err(Refused::Policy);
        }
        if is_full(env, table, &peer) {
            return Err(Refused::TooMany);
        }
        let tag = free_tag(env, table).ok_or(Refused::NoMemory)?;
        let Some(nonce) = nonces::claim(env, table, tag) else {
            env.count(Counter::PendingLimit);
            return Err(Refused::TooMany);
        };
        let new = Context::initiator(env, ulids, tag, nonce).ok();
        new.and_then(|ctx| insert(env, table, ctx)).ok_or(Refused::NoMemory)
    }

    /// Begins to fork a context (RFC 5533 section 4.2): "the forked-off context will be assigned a
    /// non-zero Forked Instance Identifier, while the default context has an FII of zero". It
    /// is a socket's own from the start. Drain it afterwards.
    pub fn fork<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        of: T::Id,
    ) -> Result<T::Id, Refused> {
        let base = table.get(of).filter(|slot| slot.ctx.is_active()).ok_or(Refused::Nothing)?;
        let (pair, origin) = (base.ctx.ulids().pair, base.ctx.origin());
        if is_full(env, table, &origin) || is_forked_out(env, table) {
            return Err(Refused::TooMany);
        }
        let ulids = free_instance(env, table, pair).ok_or(Refused::NoMemory)?;
        let tag = free_tag(env, table).ok_or(Refused::NoMemory)?;
        let Some(nonce) = nonces::claim(env, table, tag) else {
            env.count(Counter::PendingLimit);
            return Err(Refused::TooMany);
        };
        let base = table.get(of).ok_or(Refused::Nothing)?;
        let new = Context::fork(env, base.ctx, ulids.fii, tag, nonce).ok();
        new.and_then(|ctx| insert(env, table, ctx)).ok_or(Refused::NoMemory)
    }

    /// A payload extension header arrived whose tag no context has, or whose locators are not
    /// its context's: R1bis, rate limited (RFC 5533 sections 7.17 and 12.2).
    pub fn payload_without_context(
        &mut self,
        env: &dyn Env,
        src: Addr,
        dst: Addr,
        tag: Tag,
        reply: &mut [u8],
    ) -> Option<Transmit> {
        if !may_answer(&src, &dst) {
            return None;
        }
        self.r1bis(env, &Meta { src, dst, head: &[], verdict: Verdict::None }, tag, reply)
    }
}

/// "Neither the IPv6 Destination field nor the IPv6 Source field is a multicast address or
/// an unspecified address" (12.3); nor, for us, one that no context can have.
fn may_answer(src: &Addr, dst: &Addr) -> bool {
    src.is_eligible() && dst.is_eligible() && src != dst
}

/// Whether there is no room for a context of a peer that is there.
fn is_full<T: Table>(env: &dyn Env, table: &T, from: &Addr) -> bool {
    let most = |n| usize::try_from(n).unwrap_or(usize::MAX);
    let config = env.config();
    let cap = if table.len() >= most(config.max_contexts) {
        Counter::ContextLimit
    } else if table.of_origin(&origin_of(from)) >= most(config.max_contexts_per_prefix) {
        Counter::PrefixLimit
    } else {
        return false;
    };
    env.count(cap);
    true
}

fn is_forked_out<T: Table>(env: &dyn Env, table: &T) -> bool {
    let most = usize::try_from(env.config().max_forks).unwrap_or(usize::MAX);
    let full = table.forks() >= most;
    if full {
        env.count(Counter::ForkLimit);
    }
    full
}

/// "The Forked Instance Identifier (FII) is a 32-bit identifier that has no semantics in the
/// protocol other than being part of the tuple that identifies the context" (RFC 5533 section
/// 4.2): drawn at random, so that two hosts that fork the same context hardly ever draw the same.
fn free_instance<T: Table>(env: &dyn Env, table: &mut T, pair: Pair) -> Option<UlidPair> {
    let mut drawn = (0..16).map(|_| UlidPair { pair, fii: env.random() as u32 });
    drawn.find(|ulids| ulids.fii != 0 && table.by_ulids(ulids).is_none())
}

fn insert<T: Table>(env: &dyn Env, table: &mut T, ctx: Context<T::Store>) -> Option<T::Id> {
    let peer_tag = ctx.peer_tag();
    let Ok(id) = table.insert(ctx) else {
        env.count(Counter::OutOfMemory);
        return None;
    };
    env.count(Counter::ContextCreated);
    if peer_tag.is_some() {
        table.peer_tag_changed(id, None, peer_tag);
    }
    Some(id)
}

/// "A random Context Tag [...] that is not being used as CT(local) by any other context"
/// (7.7), all its 47 bits random: "at least 30 bits of the Context Tag MUST be unstructured".
fn free_tag<T: Table>(env: &dyn Env, table: &mut T) -> Option<Tag> {
    let mut drawn = (0..16).map(|_| Tag::new(env.random()));
    drawn.find(|tag| tag.get() != 0 && table.by_tag(*tag).is_none())
}
