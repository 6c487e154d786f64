// SPDX-License-Identifier: GPL-2.0

//! The peer's locator list of one context: Ls(peer) of RFC 5533 section 6.1, "for each
//! peer locator, the verification method to use", "a flag specifying whether it has been
//! verified using HBA or CGA, and a bit specifying whether the locator has been probed".

use super::{Method, Preference, Wishes, MAX_LOCATORS};
use crate::proto::addr::Addr;
use crate::proto::wish::{Wanted, WishError};

/// There was no memory for a locator list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

/// One locator of a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerLocator {
    /// The address.
    pub addr: Addr,
    /// The preference the peer told, or none.
    pub pref: Preference,
    method: u8,
    state: u8,
    /// Priority and weight of an application, if `WISHED`.
    wish: [u8; 2],
}

impl PeerLocator {
    const VERIFIED: u8 = 1;
    const REACHABLE: u8 = 2;
    const WISHED: u8 = 4;
    const EXCLUDED: u8 = 8;
    const SILENT: u8 = 16;
    /// What stays with a locator when the peer tells its list again.
    const KEPT: u8 = Self::REACHABLE | Self::SILENT | Self::WISHED | Self::EXCLUDED;

    /// A locator that nothing is known of.
    pub fn new(addr: Addr, method: Method) -> Self {
        PeerLocator { addr, method: method.number(), ..PeerLocator::default() }
    }

    /// The ULID: it needs no verification ("a locator (different than the ULID)", RFC
    /// 5533 section 7.2), and the peer was heard at it.
    pub fn ulid(addr: Addr) -> Self {
        let state = Self::VERIFIED | Self::REACHABLE;
        PeerLocator { addr, state, ..PeerLocator::default() }
    }

    /// How the peer said it verifies.
    pub fn method(&self) -> Method {
        Method::from_number(self.method)
    }

    /// Whether HBA or CGA proved it. One that is not is never used.
    pub fn is_verified(&self) -> bool {
        self.state & Self::VERIFIED != 0
    }

    /// Records that HBA or CGA proved it.
    pub fn set_verified(&mut self) {
        self.state |= Self::VERIFIED;
    }

    /// Whether the peer was shown to be there: "it MUST verify that the ULID is indeed
    /// present at that locator" (RFC 5533 section 7.2).
    pub fn is_reachable(&self) -> bool {
        self.state & Self::REACHABLE != 0
    }

    /// Records that a probe or a handshake came back from there.
    pub fn set_reachable(&mut self) {
        self.state &= !Self::SILENT;
        self.state |= Self::REACHABLE;
    }

    /// Records that nothing came back from there, although it should have.
    pub fn set_silent(&mut self) {
        self.state &= !Self::REACHABLE;
        self.state |= Self::SILENT;
    }

    /// Whether nothing came back when last it should have.
    pub fn is_silent(&self) -> bool {
        self.state & Self::SILENT != 0
    }

    /// How much it is preferred: by an application, else by the peer.
    pub fn preference(&self) -> Preference {
        match (self.state & Self::WISHED != 0, self.wish) {
            (true, [priority, weight]) => Preference { priority, weight, ..self.pref },
            _ => self.pref,
        }
    }

    /// Whether an application took it out of Ls(peer).
    pub fn is_excluded(&self) -> bool {
        self.state & Self::EXCLUDED != 0
    }

    /// Whether packets may be sent to it.
    pub fn is_candidate(&self) -> bool {
        self.is_verified() && !self.is_excluded()
    }

    fn prefer(&mut self, wanted: &Wanted) {
        self.wish = [wanted.priority, wanted.weight];
        self.state |= Self::WISHED;
    }

    /// Whether the peer said that it does not work.
    pub fn is_broken(&self) -> bool {
        self.pref.flags & Preference::BROKEN != 0
    }
}

/// Memory for a peer's list, at most [`MAX_LOCATORS`] long. The kernel's keeps a few
/// inline and more on the heap.
pub trait LocatorStore: Default {
    /// Replaces the list; on failure it stays as it was.
    fn assign(&mut self, list: &[PeerLocator]) -> Result<(), NoMemory>;
    /// The list.
    fn as_slice(&self) -> &[PeerLocator];
    /// The list, to note what became known of its locators.
    fn as_mut_slice(&mut self) -> &mut [PeerLocator];
    /// What applications wish of the context's own side.
    fn wishes(&self) -> Option<&Wishes>;
    /// The same, to change it; the first call finds memory for it.
    fn wishes_mut(&mut self) -> Result<&mut Wishes, NoMemory>;
}

/// Ls(peer) with its generation.
#[derive(Debug, Default)]
pub struct PeerLocators<S> {
    store: S,
    /// "The generation number for the most recently received, verified peer locator list."
    generation: u32,
    /// Whether the peer sent a list at all.
    told: bool,
}

impl<S: LocatorStore> PeerLocators<S> {
    /// The list of a peer that told none: its ULID.
    pub fn of_ulid(ulid: Addr) -> Result<Self, NoMemory> {
        let mut list = PeerLocators { store: S::default(), generation: 0, told: false };
        list.store.assign(&[PeerLocator::ulid(ulid)])?;
        Ok(list)
    }

    /// The list of a peer that is known from another context with the same ULIDs, without what
    /// applications wish of it there: what a locator proved to be, it is for its ULID.
    pub fn known(other: &Self) -> Result<Self, NoMemory> {
        let mut list = PeerLocators { store: S::default(), generation: 0, told: false };
        list.store.assign(other.as_slice())?;
        for locator in list.store.as_mut_slice() {
            locator.state &= PeerLocator::VERIFIED | PeerLocator::REACHABLE | PeerLocator::SILENT;
            locator.wish = [0; 2];
        }
        Ok(list)
    }

    /// The locators, in the order in which preferences refer to them.
    pub fn as_slice(&self) -> &[PeerLocator] {
        self.store.as_slice()
    }

    /// The generation of the list, if the peer sent one.
    pub fn generation(&self) -> Option<u32> {
        self.told.then_some(self.generation)
    }

    /// The index of an address.
    pub fn index_of(&self, addr: &Addr) -> Option<u8> {
        let at = self.as_slice().iter().position(|l| l.addr == *addr)?;
        u8::try_from(at).ok()
    }

    /// The locator with this address.
    pub fn get(&self, addr: &Addr) -> Option<&PeerLocator> {
        self.as_slice().iter().find(|l| l.addr == *addr)
    }

    /// Whether `addr` is in the list and proved to belong to the peer.
    pub fn is_verified(&self, addr: &Addr) -> bool {
        self.get(addr).is_some_and(PeerLocator::is_verified)
    }

    /// Replaces the list by one whose locators were verified as far as they can be.
    /// What was known of locators in both is kept.
    pub fn replace(&mut self, generation: u32, list: &mut [PeerLocator]) -> Result<(), NoMemory> {
        for new in list.iter_mut() {
            if let Some(old) = self.get(&new.addr) {
                new.state |= old.state & PeerLocator::KEPT;
                new.wish = old.wish;
            } else if self.is_narrowed() {
                new.state |= PeerLocator::EXCLUDED;
            }
        }
        self.store.assign(list.get(..MAX_LOCATORS).unwrap_or(list))?;
        self.generation = generation;
        self.told = true;
        Ok(())
    }

    /// Records preferences, one per locator.
    pub fn set_preferences(&mut self, prefs: impl Iterator<Item = Preference>) {
        for (locator, pref) in self.store.as_mut_slice().iter_mut().zip(prefs) {
            locator.pref = pref;
        }
    }

    /// What applications wish of the context's own side.
    pub fn wishes(&self) -> Option<&Wishes> {
        self.store.wishes()
    }

    /// The same, to change it.
    pub fn wishes_mut(&mut self) -> Result<&mut Wishes, NoMemory> {
        self.store.wishes_mut()
    }

    fn is_narrowed(&self) -> bool {
        self.as_slice().iter().any(PeerLocator::is_excluded)
    }

    /// An application prefers a locator so much. Errors: see [`Self::may_prefer`].
    pub fn wish(&mut self, wanted: Wanted) -> Result<(), WishError> {
        self.may_prefer(&wanted.addr)?;
        if let Some(locator) = self.get_mut(&wanted.addr) {
            locator.prefer(&wanted);
        }
        Ok(())
    }

    /// Whether an application may prefer it: "EINVALIDLOCATOR is returned when the validation of
    /// the requested locator fails. Error code EUNREACHABLELOCATOR is returned when the
    /// requested locator is determined to be unreachable" (RFC 6316 section 6.5).
    pub fn may_prefer(&self, addr: &Addr) -> Result<(), WishError> {
        match self.works(self.get(addr)) {
            Ok(()) | Err(WishError::Unverified) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether packets may be sent there, and would arrive as far as is known.
    pub fn usable(&self, addr: &Addr) -> Result<(), WishError> {
        self.works(self.get(addr).filter(|l| !l.is_excluded()))
    }

    fn works(&self, known: Option<&PeerLocator>) -> Result<(), WishError> {
        match known.filter(|l| l.is_verified()) {
            None => Err(WishError::NotALocator),
            Some(known) if known.is_broken() || known.is_silent() => Err(WishError::Unreachable),
            Some(known) if !known.is_reachable() => Err(WishError::Unverified),
            Some(_) => Ok(()),
        }
    }

    /// Whether a check of its reachability may make `addr` one that can be chosen.
    pub fn is_unreached(&self, addr: &Addr) -> bool {
        let unreached = |l: &PeerLocator| l.is_verified() && !l.is_broken() && !l.is_reachable();
        self.get(addr).is_some_and(unreached)
    }

    /// An application wants these only. "Error code EUNVERIFIEDLOCATOR is returned when
    /// reachability for the requested locator has not been verified yet. Error code
    /// EUNREACHABLELOCATOR is returned when the requested locator is determined to be
    /// unreachable according to a reachability check" (RFC 6316 section 6.11).
    pub fn narrow(&mut self, list: &[Wanted]) -> Result<(), WishError> {
        self.judge(list)?;
        for locator in self.store.as_mut_slice() {
            match list.iter().find(|wanted| wanted.addr == locator.addr) {
                Some(wanted) => {
                    locator.state &= !PeerLocator::EXCLUDED;
                    locator.prefer(wanted);
                }
                None => locator.state |= PeerLocator::EXCLUDED,
            }
        }
        Ok(())
    }

    /// Whether [`Self::narrow`] would take such a list.
    pub fn judge(&self, list: &[Wanted]) -> Result<(), WishError> {
        for wanted in list {
            self.works(self.get(&wanted.addr))?;
        }
        Ok(())
    }

    /// Records that the peer was shown to be at `addr`.
    pub fn set_reachable(&mut self, addr: &Addr) {
        if let Some(locator) = self.get_mut(addr) {
            locator.set_reachable();
        }
    }

    /// Records that nothing came back from `addr`.
    pub fn set_silent(&mut self, addr: &Addr) {
        if let Some(locator) = self.get_mut(addr) {
            locator.set_silent();
        }
    }

    fn get_mut(&mut self, addr: &Addr) -> Option<&mut PeerLocator> {
        self.store.as_mut_slice().iter_mut().find(|l| l.addr == *addr)
    }
}
