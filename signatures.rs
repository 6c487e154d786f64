// SPDX-License-Identifier: GPL-2.0

//! CGA signatures: the core asks for them with packets in its hands, the kernel's crypto sleeps, and
//! so a work item is between them.
//!
//! What waits is under the control lock and in memory that was found beforehand, but for the
//! messages themselves; the crypto runs without any lock.

use crate::control;
use crate::drive;
use crate::netns::NetState;
use crate::proto::addr::Addr;
use crate::proto::addr::Tag;
use crate::proto::cga::Claim;
use crate::proto::cga::Signature;
use crate::proto::cga::Verdict;
use crate::proto::cga::Wanted;
use crate::proto::counter::Counter;
use crate::proto::endpoint::Meta;
use crate::proto::wire::Message;
use crate::sys::env;
use crate::sys::sig::PublicKey;
use kernel::prelude::*;

/// Most messages that wait for the verification of their signature.
const MESSAGES: usize = 64;
/// Most lists of ours that wait for a signature.
const LISTS: usize = 16;

/// A message, and the octets of its packet before it.
struct Kept {
    src: Addr,
    dst: Addr,
    octets: KVec<u8>,
    head: usize,
}

/// A list that a context wants to tell.
struct List {
    tag: Tag,
    ulid: Addr,
    wanted: Wanted,
}

/// What waits in a namespace, the oldest first.
pub(crate) struct Waiting {
    messages: KVec<Kept>,
    lists: KVec<List>,
}

impl Waiting {
    /// Nothing yet, with room for all there may be.
    pub(crate) fn new() -> Result<Self> {
        Ok(Waiting {
            messages: KVec::with_capacity(MESSAGES, GFP_KERNEL)?,
            lists: KVec::with_capacity(LISTS, GFP_KERNEL)?,
        })
    }

    /// Keeps a message; the counter that says why not.
    pub(crate) fn keep(&mut self, meta: &Meta<'_>, message: &[u8]) -> Result<(), Counter> {
        if self.messages.len() >= MESSAGES {
            return Err(Counter::SignatureQueueFull);
        }
        let mut octets = KVec::new();
        let copied = octets
            .extend_from_slice(meta.head, GFP_ATOMIC)
            .and_then(|()| octets.extend_from_slice(message, GFP_ATOMIC));
        copied.map_err(|_| Counter::OutOfMemory)?;
        let kept = Kept { src: meta.src, dst: meta.dst, octets, head: meta.head.len() };
        // The room was allocated in `new`.
        self.messages.push(kept, GFP_ATOMIC).map_err(|_| Counter::OutOfMemory)
    }

    /// Notes that a context wants a list signed. One that finds no room asks again when it is
    /// drained the next time.
    pub(crate) fn want(&mut self, tag: Tag, ulid: &Addr, wanted: &Wanted) -> bool {
        let list = List { tag, ulid: *ulid, wanted: *wanted };
        if let Some(known) = self.lists.iter_mut().find(|known| known.tag == tag) {
            *known = list;
            return true;
        }
        self.lists.len() < LISTS && self.lists.push(list, GFP_ATOMIC).is_ok()
    }

    fn next_message(&mut self) -> Option<Kept> {
        self.messages.remove(0).ok()
    }

    fn next_list(&mut self) -> Option<List> {
        self.lists.remove(0).ok()
    }
}

/// Verifies and makes what waits; process context.
pub(crate) fn work(state: &NetState) {
    loop {
        let (message, list) = {
            let waiting = &mut state.control().signatures;
            (waiting.next_message(), waiting.next_list())
        };
        if message.is_none() && list.is_none() {
            return;
        }
        if let Some(kept) = message {
            judge(state, &kept);
        }
        if let Some(list) = list {
            sign(state, &list);
        }
    }
}

/// Finds out whether a message is signed as it says, and brings it into the core again.
fn judge(state: &NetState, kept: &Kept) {
    let Some((head, octets)) = kept.octets.split_at_checked(kept.head) else { return };
    let verdict = verdict(octets);
    control::receive(state, Meta { src: kept.src, dst: kept.dst, head, verdict }, octets);
}

fn verdict(octets: &[u8]) -> Verdict {
    let Ok(message) = Message::parse(octets) else { return Verdict::Invalid };
    let Ok(claim) = Claim::of(&message.options, &mut |parts| env::sha1(parts)) else {
        return Verdict::Invalid;
    };
    let key = PublicKey::new(claim.key);
    match key.and_then(|key| key.verify(&claim.digest, claim.signature)) {
        Ok(()) => Verdict::Valid,
        Err(e) if e == ENOMEM || e == ENOENT || e == EINTR => Verdict::Unable,
        Err(_) => Verdict::Invalid,
    }
}

/// Signs a list, and has its context tell it.
fn sign(state: &NetState, list: &List) {
    let key = state.control().sets.key_of(&list.ulid);
    let Some(key) = key else { return };
    let octets = key.sign(&list.wanted.digest).ok();
    let made = octets.and_then(|octets| Signature::new(list.wanted.generation, &octets));
    let Some(signature) = made else { return state.count(Counter::SignFailed) };
    state.count(Counter::Signed);
    state.control().sets.keep_signature(&list.ulid, signature);
    drive::enter(state, |core| core.context(list.tag, |ctx, env, _| ctx.signed(env)));
}
