// SPDX-License-Identifier: GPL-2.0

//! Locators: ours ([`LocalSet`], lent by the driver) and what becomes of them ([`life`]), a peer's
//! ([`PeerLocators`], one list per context), the order in which pairs of them are tried
//! ([`pairs`]), and the pair that stands by ([`standby`]).

pub mod life;
pub mod pairs;
mod peer;
pub mod standby;
mod wish;

pub use peer::{LocatorStore, NoMemory, PeerLocator, PeerLocators};
pub use standby::Standby;
pub use wish::{Check, Wishes};

pub use crate::proto::wire::lists::Preference;
pub use crate::proto::wire::{Method, MAX_LOCATORS};

use crate::proto::addr::Addr;
use crate::proto::cga::{self, Signature, Wanted};
use crate::proto::hba::Sha1;

/// One of our own locators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalLocator {
    /// The address.
    pub addr: Addr,
    /// How a peer verifies it.
    pub method: Method,
    /// What the administrator wants; TRANSIENT for an address that is deprecated. The BROKEN flag
    /// follows `usable` on the wire.
    pub pref: Preference,
    /// Whether it follows from the set's parameters, so that it can be a ULID: "the address used
    /// as ULID must be a CGA" (RFC 5533 section 3). One that does not is proved by a signature.
    pub follows: bool,
    /// Whether packets can be sent from it now: the address is there, not tentative, and
    /// its link has a carrier (RFC 5534 section 3.2, "locally operational").
    pub usable: bool,
    /// Whether its address was removed, or its prefix expired, while its link worked, or the
    /// policy leaves it out: it is not in Ls(local), and no ULID, until it comes back.
    pub withdrawn: bool,
}

/// An HBA or CGA set of ours: the addresses that can stand for each other.
#[derive(Clone, Copy, Debug)]
pub struct LocalSet<'a> {
    /// The CGA Parameter Data Structure, as it goes to peers; empty if there is none.
    pub pds: &'a [u8],
    /// At most [`MAX_LOCATORS`] locators, usable or not.
    pub locators: &'a [LocalLocator],
    /// Changes whenever the addresses in Ls(local), their order or their methods do: the
    /// Locator List Generation we send. The driver draws it at random.
    pub generation: u32,
    /// What applications wish of it in one context; `None` from the driver.
    pub wishes: Option<&'a Wishes>,
    /// Whether there is a key to sign with.
    pub signs: bool,
    /// Signatures of its lists, as far as there are some.
    pub signatures: &'a [Signature],
}

impl<'a> LocalSet<'a> {
    /// The index of a locator of ours.
    pub fn index_of(&self, addr: &Addr) -> Option<u8> {
        let at = self.locators.iter().position(|l| l.addr == *addr)?;
        u8::try_from(at).ok()
    }

    /// Whether `addr` is in the set.
    pub fn contains(&self, addr: &Addr) -> bool {
        self.index_of(addr).is_some()
    }

    /// Whether `addr` can be a ULID of ours.
    pub fn is_ulid(&self, addr: &Addr) -> bool {
        self.locators.iter().any(|l| l.addr == *addr && l.follows && !l.withdrawn)
    }

    /// Whether the address is there and works, whatever applications wish.
    pub fn is_present(&self, addr: &Addr) -> bool {
        self.locators.iter().any(|l| l.addr == *addr && l.usable)
    }

    /// Whether packets can be sent from `addr` now.
    pub fn is_usable(&self, addr: &Addr) -> bool {
        self.listed().any(|l| l.addr == *addr && l.usable)
    }

    /// Ls(local): the set without what was withdrawn, and what applications took out of it.
    pub fn listed(&self) -> impl Iterator<Item = &'a LocalLocator> + Clone + use<'_, 'a> {
        self.locators.iter().filter(|l| !self.excludes(l))
    }

    /// Whether it is not in Ls(local).
    pub fn excludes(&self, locator: &LocalLocator) -> bool {
        locator.withdrawn || self.wishes.is_some_and(|wishes| wishes.excludes(&locator.addr))
    }

    /// The preference of a locator: the applications', else the administrator's.
    pub fn preference(&self, locator: &LocalLocator) -> Preference {
        self.wishes.map_or(locator.pref, |wishes| wishes.preference(&locator.addr, locator.pref))
    }

    /// The element of a Locator Preferences option: "to inform the peer that a given
    /// locator is known to be not working" (RFC 5533 section 5.15.3).
    pub fn told(&self, locator: &LocalLocator) -> Preference {
        let broken = if locator.usable { 0 } else { Preference::BROKEN };
        let preference = self.preference(locator);
        Preference { flags: preference.flags | broken, ..preference }
    }

    /// The Locator List Generation of [`Self::listed`].
    pub fn generation(&self) -> u32 {
        self.wishes.map_or(self.generation, |wishes| wishes.generation(self.generation))
    }

    /// Whether a list has to be signed: "when some of the locators in the list use CGA (and not
    /// HBA) for verification" (RFC 5533 section 5.6).
    pub fn needs_signature(&self) -> bool {
        self.listed().any(|l| l.method == Method::Cga)
    }

    /// The signature of the list, if it needs one and that is there.
    pub fn signature(&self) -> Option<&'a [u8]> {
        let generation = self.generation();
        let made = self.signatures.iter().find(|s| s.generation == generation);
        made.filter(|_| self.needs_signature()).map(Signature::as_slice)
    }

    /// What has to be signed before the list can be told.
    pub fn wants_signature(&self, sha1: &mut Sha1<'_>) -> Option<Wanted> {
        if !self.signs || !self.needs_signature() || self.signature().is_some() {
            return None;
        }
        let generation = self.generation();
        let locators = self.listed().map(|l| (&l.addr, l.method));
        Some(Wanted { generation, digest: cga::digest(generation, locators, sha1) })
    }

    /// Whether a peer has to be told preferences: they "don't all have equal preference".
    pub fn has_preferences(&self) -> bool {
        let mut told = self.listed().map(|l| self.told(l));
        let first = told.next().unwrap_or_default();
        first != Preference::default() || told.any(|p| p != first)
    }
}
