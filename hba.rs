// SPDX-License-Identifier: GPL-2.0

//! Our own locators: the HBA and CGA sets of a namespace, and which of their addresses can be
//! used now.

use crate::drive;
use crate::netns::NetState;
use crate::netns::View;
use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::proto::addr::Presence;
use crate::proto::cga::rsa_key;
use crate::proto::cga::Signature;
use crate::proto::counter::Counter;
use crate::proto::hba::Pds;
use crate::proto::hba::PdsError;
use crate::proto::locator::life::Life;
use crate::proto::locator::LocalLocator;
use crate::proto::locator::LocalSet;
use crate::proto::locator::Method;
use crate::proto::locator::Preference;
use crate::proto::locator::MAX_LOCATORS;
use crate::proto::policy::Device;
use crate::sys::addrconf;
use crate::sys::clock;
use crate::sys::env;
use crate::sys::rcu::Guard;
use crate::sys::rcu::Rcu;
use crate::sys::sig::PrivateKey;
use crate::sys::sig::PublicKey;
use crate::table::Locals;
use crate::table::Node;
use kernel::prelude::*;
use kernel::sync::Arc;

/// Most sets of one namespace.
pub(crate) const MAX_SETS: usize = 16;
/// Most signatures of narrowed lists that a set keeps.
const MAX_SIGNATURES: usize = 8;
/// How often tentative addresses are looked at, in ms: nobody tells when they become usable.
const TENTATIVE_MS: u64 = 50;
/// How often all addresses are looked at, in ms: nobody tells when lifetimes change or end.
const LIFETIME_MS: u64 = 2000;
/// How many contexts are looked at in one go.
const SLICE: usize = 64;

/// One set: addresses that can stand for each other.
pub(crate) struct Set {
    /// The CGA Parameter Data Structure.
    pub(crate) pds: KVec<u8>,
    /// Its addresses.
    pub(crate) locators: KVec<LocalLocator>,
    /// The past of each.
    pasts: KVec<Past>,
    addresses: Locals,
    generation: u32,
    /// What signs lists with locators that do not follow from the parameters.
    key: Option<Arc<PrivateKey>>,
    /// The signature of the whole list first, then those of lists that applications narrowed.
    signatures: KVec<Signature>,
    /// What its contexts have not been told yet.
    changed: bool,
}

/// What is remembered of one address.
#[derive(Clone, Copy, Default)]
struct Past {
    life: Life,
    /// The interface that has it, or had it last.
    device: Device,
}

/// What was seen of an address.
struct Seen {
    addr: Addr,
    presence: Presence,
    device: Device,
}

impl Seen {
    fn look(state: &NetState, addr: Addr) -> Seen {
        let (presence, device) = addrconf::presence(state.net(), &addr);
        Seen { addr, presence, device }
    }
}

/// The sets of a namespace, under its control lock.
pub(crate) struct Sets {
    list: KVec<Set>,
    /// A set went, and its contexts have not been told yet.
    removed: bool,
}

/// Why a set was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddError {
    /// The parameters are malformed.
    Parameters(PdsError),
    /// This address does not come from the parameters, or is not one a shim may use.
    Address(Addr),
    /// This address is in a set already.
    Exists(Addr),
    /// No addresses, too many of them, or too many sets.
    TooMany,
    /// There is no RSA key of a length that is allowed in the parameters.
    PublicKey,
    /// The private key is none, or not that of the parameters.
    PrivateKey,
    /// The hooks could not be registered, or there is no memory.
    Kernel(Error),
}

impl From<Error> for AddError {
    fn from(e: Error) -> Self {
        AddError::Kernel(e)
    }
}

impl From<kernel::alloc::AllocError> for AddError {
    fn from(_: kernel::alloc::AllocError) -> Self {
        AddError::Kernel(ENOMEM)
    }
}

impl From<AddError> for Error {
    fn from(e: AddError) -> Self {
        match e {
            AddError::Parameters(_) | AddError::Address(_) => EINVAL,
            AddError::PublicKey | AddError::PrivateKey => EKEYREJECTED,
            AddError::Exists(_) => EEXIST,
            AddError::TooMany => E2BIG,
            AddError::Kernel(e) => e,
        }
    }
}

impl Sets {
    /// None yet, with room for all there may be.
    pub(crate) fn new() -> Result<Self> {
        Ok(Sets { list: KVec::with_capacity(MAX_SETS, GFP_KERNEL)?, removed: false })
    }

    /// The set that has this address, unless it was withdrawn: "the ULID becomes invalid (due to
    /// the underlying prefix becoming invalid)" (RFC 5533 section 1.5).
    pub(crate) fn of(&self, addr: &Addr) -> Option<LocalSet<'_>> {
        let valid = |l: &LocalLocator| l.addr == *addr && !l.withdrawn;
        self.list.iter().find(|s| s.locators.iter().any(valid)).map(Set::local)
    }

    /// This address was removed from a link that works.
    pub(crate) fn withdraw(&mut self, addr: &Addr) {
        let pasts = self.list.iter_mut().flat_map(|s| s.locators.iter().zip(s.pasts.iter_mut()));
        for (_, past) in pasts.filter(|(l, _)| l.addr == *addr) {
            past.life.withdraw(clock::now());
        }
    }

    /// The key of the set that has this address.
    pub(crate) fn key_of(&self, addr: &Addr) -> Option<Arc<PrivateKey>> {
        self.list.iter().find(|s| s.has(addr))?.key.clone()
    }

    /// Keeps the signature of a narrowed list, in the place of the oldest if need be. A context
    /// whose signature was forgotten before its peer was told asks for it again.
    pub(crate) fn keep_signature(&mut self, addr: &Addr, signature: Signature) {
        let Some(set) = self.list.iter_mut().find(|s| s.has(addr)) else { return };
        if set.signatures.len() > MAX_SIGNATURES {
            // The first stays.
            let _ = set.signatures.remove(1);
        }
        // The room was allocated in `Set::new`.
        let _ = set.signatures.push(signature, GFP_ATOMIC);
    }

    /// The addresses of the set that has this one.
    pub(crate) fn addresses(&self, addr: &Addr) -> Option<&Locals> {
        self.list.iter().find(|s| s.has(addr)).map(|s| &s.addresses)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Set> {
        self.list.iter()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl Set {
    /// Verifies `addresses` against the parameters; without addresses, makes those of all the
    /// parameters' prefixes. With a private key there may be others, which it proves.
    fn new(
        state: &NetState,
        parameters: &[u8],
        addresses: &[Addr],
        private: Option<&[u8]>,
    ) -> Result<Set, AddError> {
        let pds = Pds::parse(parameters).map_err(AddError::Parameters)?;
        let key = private.map(|private| matching_key(&pds, private)).transpose()?;
        let mut sha1 = |parts: &[&[u8]]| env::sha1(parts);
        let mut locators = KVec::new();
        let mut add = |addr: Addr, sha1: &mut dyn FnMut(&[&[u8]]) -> [u8; 20]| {
            let method = match (pds.verify_hba(&addr, sha1), pds.verify_cga(&addr, sha1)) {
                (true, _) => Method::Hba,
                (false, true) => Method::Cga,
                (false, false) if key.is_some() => Method::Cga,
                (false, false) => return Err(AddError::Address(addr)),
            };
            let follows = pds.verify_ulid(&addr, sha1);
            if !addr.is_eligible() {
                return Err(AddError::Address(addr));
            }
            let mut locator = LocalLocator {
                addr,
                method,
                pref: Preference::default(),
                follows,
                usable: false,
                withdrawn: false,
            };
            let seen = Seen::look(state, addr);
            let pref = state.placing(&addr, &seen.device);
            Life::default().look(&mut locator, seen.presence, pref, true, clock::now());
            Ok(locators.push(locator, GFP_KERNEL)?)
        };
        for addr in addresses {
            add(*addr, &mut sha1)?;
        }
        if addresses.is_empty() {
            let sec = pds.sec(&mut sha1);
            for prefix in pds.prefixes() {
                let addr = pds.address(prefix, sec, &mut sha1);
                add(addr, &mut sha1)?;
            }
        }
        let twice = |l: &LocalLocator| locators.iter().filter(|o| o.addr == l.addr).count() > 1;
        if let Some(l) = locators.iter().find(|l| twice(l)) {
            return Err(AddError::Exists(l.addr));
        }
        if locators.is_empty() || locators.len() > MAX_LOCATORS {
            return Err(AddError::TooMany);
        }
        // One at least has to be a ULID.
        if let Some(l) = locators.first().filter(|_| !locators.iter().any(|l| l.follows)) {
            return Err(AddError::Address(l.addr));
        }
        let mut octets = KVec::new();
        octets.extend_from_slice(parameters, GFP_KERNEL)?;
        let mut addresses = KVec::with_capacity(locators.len(), GFP_KERNEL)?;
        for locator in locators.iter() {
            addresses.push(locator.addr, GFP_KERNEL)?;
        }
        let addresses = Arc::new(addresses, GFP_KERNEL)?;
        let pasts = KVec::from_elem(Past::default(), locators.len(), GFP_KERNEL)?;
        let mut set = Set {
            pds: octets,
            locators,
            pasts,
            addresses,
            generation: env::random() as u32,
            key,
            signatures: KVec::with_capacity(1 + MAX_SIGNATURES, GFP_KERNEL)?,
            changed: false,
        };
        set.sign(state)?;
        Ok(set)
    }

    fn local(&self) -> LocalSet<'_> {
        LocalSet {
            pds: &self.pds,
            locators: &self.locators,
            generation: self.generation,
            wishes: None,
            signs: self.key.is_some(),
            signatures: &self.signatures,
        }
    }

    /// Signs the whole list, if it has to be.
    fn sign(&mut self, state: &NetState) -> Result {
        let wanted = self.local().wants_signature(&mut |parts| env::sha1(parts));
        let (Some(wanted), Some(key)) = (wanted, &self.key) else { return Ok(()) };
        let octets = key.sign(&wanted.digest)?;
        let signature = Signature::new(wanted.generation, &octets).ok_or(EINVAL)?;
        state.count(Counter::Signed);
        Ok(self.signatures.push(signature, GFP_KERNEL)?)
    }

    /// Whether there is a key.
    pub(crate) fn signs(&self) -> bool {
        self.key.is_some()
    }

    fn has(&self, addr: &Addr) -> bool {
        self.locators.iter().any(|l| l.addr == *addr)
    }

    /// Brings the locators up to date with what was seen of their addresses; in so many ms they
    /// have to be looked at again.
    fn follow(&mut self, state: &NetState, seen: &[Seen]) -> u64 {
        let now = clock::now();
        let mut again_ms = LIFETIME_MS;
        let mut listed = false;
        for at in 0..self.locators.len() {
            let usable = |(i, l): (usize, &LocalLocator)| i != at && l.usable;
            let alone = !self.locators.iter().enumerate().any(usable);
            let (Some(locator), Some(past)) = (self.locators.get_mut(at), self.pasts.get_mut(at))
            else {
                continue;
            };
            let Some(seen) = seen.iter().find(|seen| seen.addr == locator.addr) else {
                continue;
            };
            if seen.presence != Presence::Absent {
                past.device = seen.device;
            }
            let pref = state.placing(&locator.addr, &past.device);
            let change = past.life.look(locator, seen.presence, pref, alone, now);
            self.changed |= change.changed;
            listed |= change.listed;
            again_ms = change.again_ms.map_or(again_ms, |ms| ms.min(again_ms));
        }
        if listed {
            self.generation = env::random() as u32;
        }
        again_ms
    }
}

/// The private key, if it is that of the parameters' public key. Sleeps.
fn matching_key(pds: &Pds<'_>, private: &[u8]) -> Result<Arc<PrivateKey>, AddError> {
    let public = Some(pds).filter(|pds| pds.has_public_key()).and_then(|pds| rsa_key(pds.key()));
    let public = public.ok_or(AddError::PublicKey)?;
    let key = PrivateKey::new(private).map_err(|e| match e == ENOMEM || e == ENOENT {
        true => AddError::Kernel(e),
        false => AddError::PrivateKey,
    })?;
    let digest = env::sha1(&[b"shim6: is this the key?"]);
    let signature = key.sign(&digest).map_err(|_| AddError::PrivateKey)?;
    PublicKey::new(public)?.verify(&digest, &signature).map_err(|_| AddError::PrivateKey)?;
    Ok(Arc::new(key, GFP_KERNEL)?)
}

/// Makes a set known: verified, all of it or nothing. The first one of a namespace switches the
/// shim on there. Sleeps.
pub(crate) fn add(
    state: &NetState,
    parameters: &[u8],
    addresses: &[Addr],
    private: Option<&[u8]>,
) -> Result<(), AddError> {
    let set = Set::new(state, parameters, addresses, private)?;
    let mut hooks = state.admin();
    hooks.enable(state)?;
    let result = {
        let mut control = state.control();
        let sets = &mut control.sets;
        let taken = set.locators.iter().find(|l| sets.iter().any(|s| s.has(&l.addr)));
        match (taken, sets.list.len() < MAX_SETS) {
            (Some(l), _) => Err(AddError::Exists(l.addr)),
            (None, false) => Err(AddError::TooMany),
            // The room was allocated in `Sets::new`.
            (None, true) => sets.list.push(set, GFP_ATOMIC).map_err(AddError::from),
        }
    };
    hooks.disable_if_unused(state);
    // Addresses may have changed between the look at them and the lock.
    state.addresses_changed();
    result
}

/// Forgets the set that has this address; its contexts are discarded. The last one of a namespace
/// switches the shim off there. Sleeps.
pub(crate) fn remove(state: &NetState, addr: &Addr) -> Result {
    let mut hooks = state.admin();
    let set = {
        let mut control = state.control();
        let sets = &mut control.sets;
        let at = sets.list.iter().position(|s| s.has(addr)).ok_or(ENOENT)?;
        sets.removed = true;
        sets.list.remove(at).map_err(|_| ENOENT)?
    };
    drop(set);
    tell_contexts(state);
    hooks.disable_if_unused(state);
    Ok(())
}

/// Addresses or interfaces changed: finds out which locators can be used, and tells the contexts.
/// Process context.
pub(crate) fn refresh(state: &NetState) {
    // One at a time: the flags `changed` belong to one walk.
    let _admin = state.admin();
    let mut seen = KVec::new();
    for locator in state.control().sets.iter().flat_map(|s| s.locators.iter()) {
        let unseen =
            Seen { addr: locator.addr, presence: Presence::Absent, device: Device::default() };
        if seen.push(unseen, GFP_ATOMIC).is_err() {
            return state.addresses_later(TENTATIVE_MS);
        }
    }
    // Those of a set that went may not have been told: there was no memory.
    let mut changed = state.control().sets.removed;
    if seen.is_empty() && !changed {
        return;
    }
    for seen in seen.iter_mut() {
        *seen = Seen::look(state, seen.addr);
    }
    let tentative = seen.iter().any(|seen| seen.presence == Presence::Tentative);
    let mut again_ms = if tentative { TENTATIVE_MS } else { LIFETIME_MS };
    for set in state.control().sets.list.iter_mut() {
        again_ms = again_ms.min(set.follow(state, &seen));
        changed |= set.changed;
    }
    if changed {
        tell_contexts(state);
    }
    state.addresses_later(again_ms);
}

/// A neighbour was given up: has the contexts that send through it make sure of their paths (RFC
/// 5534 section 3.2: "a default router (if needed) suitable for this address is known to be
/// reachable"). Process context.
pub(crate) fn ask_neighbours(state: &NetState) {
    let asked = for_each(state, |node| {
        if current(state, node).is_some_and(|tx| addrconf::next_hop_lost(state.net(), &tx)) {
            drive::enter(state, |core| {
                core.context(node.tag(), |ctx, env, activity| ctx.next_hop_lost(env, activity))
            });
        }
    });
    if asked.is_err() {
        state.neighbour_lost();
    }
}

/// Calls `f` for all contexts, some at a time. Process context; `f` must not sleep.
fn for_each(state: &NetState, mut f: impl FnMut(&Node)) -> Result {
    let mut walk = state.walk()?;
    let mut more = true;
    while more {
        more = walk.slice(SLICE, |node| {
            f(node);
            true
        });
    }
    Ok(())
}

/// The current pair of an established context.
fn current(state: &NetState, node: &Node) -> Option<Pair> {
    let guard = Guard::new();
    Some(View::new(state, Rcu::of(&guard)).path(node)?.tx)
}

/// Tells the contexts of sets that changed or went. Process context, `admin` held.
fn tell_contexts(state: &NetState) {
    let told = for_each(state, |node| {
        let ulid = node.ulids().pair.local;
        drive::enter(state, |core| {
            if core.is_affected(&ulid) {
                core.context(node.tag(), |ctx, env, activity| ctx.local_changed(env, activity));
            }
        });
    });
    if told.is_err() {
        return state.addresses_later(TENTATIVE_MS);
    }
    let mut control = state.control();
    control.sets.removed = false;
    for set in control.sets.list.iter_mut() {
        set.changed = false;
    }
}

impl Sets {
    /// Whether a context of this identifier has to be told of a change.
    pub(crate) fn is_affected(&self, ulid: &Addr) -> bool {
        match self.list.iter().find(|s| s.has(ulid)) {
            Some(set) => set.changed,
            None => true,
        }
    }
}
