// SPDX-License-Identifier: GPL-2.0

//! One host's end of the protocol: which message belongs to which context (RFC 5533
//! section 12.4), what is answered without one, and how much of it.
//!
//! There is one endpoint for each network namespace, under its control lock.

mod dispatch;
mod limit;
mod nonces;
pub mod table;
pub mod validator;

pub use limit::Bucket;
pub use table::{Full, Slot, Table};

use crate::proto::addr::{Addr, Pair, Tag, UlidPair};
use crate::proto::context::{Context, Hint};
use crate::proto::counter::Counter;
use crate::proto::env::{Env, Transmit};
use crate::proto::wire::{Body, Builder, PayloadHeader, Type, IPV6_HEADER, MAX_MESSAGE};
use validator::{Subject, Validators};

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
pub struct Meta<'a> {
    /// The IPv6 source address.
    pub src: Addr,
    /// The IPv6 destination address.
    pub dst: Addr,
    /// The octets of the packet before the message, from its IPv6 header on: an Error
    /// message carries them back. May be empty.
    pub head: &'a [u8],
}

impl Meta<'_> {
    /// The addresses from our side.
    fn pair(&self) -> Pair {
        Pair { local: self.dst, peer: self.src }
    }
}

/// What [`Endpoint`] did. If `touched` is there, drain that context.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Received<Id> {
    /// The context that was created or changed.
    pub touched: Option<Id>,
    /// A message in the `reply` buffer: R1, R1bis or Error.
    pub reply: Option<Transmit>,
}

impl<Id> Received<Id> {
    fn nothing() -> Self {
        Received { touched: None, reply: None }
    }

    fn touched(id: Id) -> Self {
        Received { touched: Some(id), reply: None }
    }

    fn reply(reply: Option<Transmit>) -> Self {
        Received { touched: None, reply }
    }
}

/// Why a context is not set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is one already.
    Exists,
    /// An address is not one that may be shimmed (ours is in no set, or it is a
    /// multicast, link-local, ... address).
    Address,
    /// As many as `max_contexts` or `max_pending` allow.
    TooMany,
    /// No memory, or no free tag.
    NoMemory,
}

/// What an ICMPv6 error says, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpError {
    /// Parameter Problem code 1, "Unrecognized Next Header type", the pointer at a Shim6
    /// header's number.
    UnrecognizedNextHeader,
    /// Destination Unreachable with code 0, 1, 2, 3, 5 or 6, or Time Exceeded: those that
    /// "should be processed by the Shim6 layer" (RFC 5533 section 8).
    Unreachable,
}

/// The state that belongs to no context.
#[derive(Debug)]
pub struct Endpoint {
    validators: Validators,
    initiate: Bucket,
    r1: Bucket,
    r1bis: Bucket,
    error: Bucket,
}

impl Endpoint {
    /// A host that begins now.
    pub fn new(env: &dyn Env) -> Endpoint {
        Endpoint {
            validators: Validators::new(env),
            initiate: Bucket::default(),
            r1: Bucket::default(),
            r1bis: Bucket::default(),
            error: Bucket::default(),
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
        if !local.is_eligible() || !peer.is_eligible() || local == peer {
            return Err(Refused::Address);
        }
        if env.local_set(&local).is_none() {
            return Err(Refused::Address);
        }
        if table.by_ulids(&ulids).is_some() {
            return Err(Refused::Exists);
        }
        if !self.initiate.take(env.now(), env.config().max_pending) {
            env.count(Counter::PendingLimit);
            return Err(Refused::TooMany);
        }
        let tag = allocate_tag(env, table).ok_or(Refused::NoMemory)?;
        let context = Context::initiate(env, ulids, tag).map_err(|_| Refused::NoMemory)?;
        let nonce = context.initiator_nonce();
        let id = insert(env, table, context)?;
        nonces::note(table.nonce_index(), nonce, tag);
        Ok(id)
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
        let pair = Pair { local: dst, peer: src };
        if !pair.local.is_eligible() || !pair.peer.is_eligible() {
            return None;
        }
        if !self.r1bis.take(env.now(), env.config().r1bis_per_second) {
            env.count(Counter::R1bisLimited);
            return None;
        }
        let responder_nonce = self.validators.nonce(env);
        let validator = self.validators.make(env, responder_nonce, Subject::Recover(tag, &pair));
        let mut m = Builder::new(reply, &Body::R1bis { packet_tag: tag, responder_nonce });
        m.validator(&validator);
        let len = m.finish()?;
        env.count(Counter::TxR1bis);
        Some(transmit(pair, len))
    }

    /// An ICMPv6 error arrived about `packet` (from its IPv6 header on, as much as there
    /// is): for the context that sent it, a hint or NO-SUPPORT. A hint only: it "may be
    /// spoofed" (RFC 5534 section 8).
    pub fn icmp_error<T: Table>(
        &mut self,
        env: &dyn Env,
        table: &mut T,
        what: IcmpError,
        packet: &[u8],
    ) -> Option<T::Id> {
        let pair = sent_pair(packet)?;
        let shim = packet.get(IPV6_HEADER..)?;
        if let Some(header) = PayloadHeader::parse(shim) {
            let slot = table.by_peer_tag(header.tag, &mut |c| c.has_pair(env, &pair))?;
            if pair == slot.ctx.tx_pair() {
                slot.ctx.path_hint(env, slot.activity, Hint::IcmpUnreachable);
            }
            return Some(slot.id);
        }
        let number = shim.get(2).copied()? & 0x7f;
        if what == IcmpError::UnrecognizedNextHeader && Type::from_number(number) == Type::I1 {
            let slot = table.by_ulids(&UlidPair { pair, fii: 0 })?;
            slot.ctx.no_support(env);
            return Some(slot.id);
        }
        None
    }

    /// An Error message about the octet `at` of a message. The Pointer counts from the
    /// IPv6 header: "the octet offset within the invoking packet" (section 5.14). What is
    /// quoted is at most what came, so no answer amplifies.
    fn emit_error(
        &mut self,
        env: &dyn Env,
        arrived: &Arrived<'_>,
        code: u8,
        at: usize,
        reply: &mut [u8],
    ) -> Option<Transmit> {
        if !self.error.take(env.now(), env.config().error_per_second) {
            env.count(Counter::ErrorLimited);
            return None;
        }
        let Arrived { meta, message } = arrived;
        let mut quoted = [0; MAX_MESSAGE - 8];
        let octets = meta.head.iter().chain(*message);
        let n = quoted.iter_mut().zip(octets).map(|(to, from)| *to = *from).count();
        let pointer = u16::try_from(meta.head.len() + at).ok()?;
        let packet = quoted.get(..n)?;
        let len = Builder::new(reply, &Body::Error { code, pointer, packet }).finish()?;
        env.count(Counter::TxError);
        Some(transmit(meta.pair(), len))
    }
}

/// A control message where it came.
#[derive(Clone, Copy)]
struct Arrived<'a> {
    meta: Meta<'a>,
    message: &'a [u8],
}

fn transmit(pair: Pair, len: usize) -> Transmit {
    Transmit { src: pair.local, dst: pair.peer, len }
}

/// The addresses of a packet that we sent, from our side.
fn sent_pair(packet: &[u8]) -> Option<Pair> {
    let addr = |at: usize| packet.get(at..)?.first_chunk().copied().map(Addr);
    Some(Pair { local: addr(8)?, peer: addr(24)? })
}

/// "a random Context Tag [...] that is not being used as CT(local) by any other context"
/// (section 7.7). There are 2^47 tags and at most some millions of contexts.
fn allocate_tag<T: Table>(env: &dyn Env, table: &mut T) -> Option<Tag> {
    (0..64)
        .map(|_| Tag::new(env.random()))
        .find(|tag| tag.get() != 0 && table.by_tag(*tag).is_none())
}

fn insert<T: Table>(
    env: &dyn Env,
    table: &mut T,
    context: Context<T::Store>,
) -> Result<T::Id, Refused> {
    if table.len() >= env.config().max_contexts as usize {
        env.count(Counter::ContextLimit);
        return Err(Refused::TooMany);
    }
    let tag = context.peer_tag();
    match table.insert(context) {
        Ok(id) => {
            env.count(Counter::ContextCreated);
            if tag.is_some() {
                table.peer_tag_changed(id, None, tag);
            }
            Ok(id)
        }
        Err(Full) => {
            env.count(Counter::OutOfMemory);
            Err(Refused::NoMemory)
        }
    }
}

const _: () = assert!(IPV6_HEADER + MAX_MESSAGE == 1280);
