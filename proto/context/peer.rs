// SPDX-License-Identifier: GPL-2.0

//! What a message tells of the peer, taken only when it is proved.

use super::Context;
use crate::proto::addr::Addr;
use crate::proto::counter::Counter;
use crate::proto::env::Env;
use crate::proto::error::Cause;
use crate::proto::hba::Pds;
use crate::proto::locator::{LocatorStore, PeerLocator, PeerLocators};
use crate::proto::wire::{LocatorList, Method, Options, MAX_LOCATORS};

/// Why a well-formed message was not obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// The PDS is not a CGA Parameter Data Structure.
    PdsMalformed,
    /// "the host MUST verify if the actual PDS [...] corresponds to the ULID(peer)".
    PdsNotOfUlid,
    /// The locator of this index could not be verified (Error code 2).
    Unverified(usize),
    /// The source is neither in Ls(peer) nor a verified one of the message's list.
    SourceNotLocator,
    /// The preferences are for another list (Error code 3).
    Generation,
    /// The preferences are not as many as the locators (Error code 4).
    PreferenceCount,
    /// No memory for the list.
    OutOfMemory,
    /// Not in this STATE.
    WrongState,
    /// The validator is longer than any we give back, or missing.
    Validator,
}

impl Cause for Reject {
    fn counter(&self) -> Counter {
        match self {
            Reject::PdsMalformed => Counter::RxPdsMalformed,
            Reject::PdsNotOfUlid => Counter::RxPdsNotOfUlid,
            Reject::Unverified(_) => Counter::RxLocatorUnverified,
            Reject::SourceNotLocator => Counter::RxSourceNotLocator,
            Reject::Generation => Counter::RxPreferenceGeneration,
            Reject::PreferenceCount => Counter::RxPreferenceCount,
            Reject::OutOfMemory => Counter::OutOfMemory,
            Reject::WrongState => Counter::RxWrongState,
            Reject::Validator => Counter::RxValidatorUnusable,
        }
    }
}

impl<S: LocatorStore> Context<S> {
    /// Takes locators, preferences and Keepalive Timeout from the options of a message
    /// that came from `source`; nothing is changed unless all of it is right.
    pub(super) fn take_peer(
        &mut self,
        env: &dyn Env,
        options: &Options<'_>,
        source: &Addr,
    ) -> Result<(), Reject> {
        let ulid = self.peer_ulid();
        let mut sha1 = |parts: &[&[u8]]| env.sha1(parts);
        let pds = match options.pds {
            Some(bytes) => Some(Pds::parse(bytes).map_err(|_| Reject::PdsMalformed)?),
            None => None,
        };
        if pds.is_some_and(|p| !p.verify_ulid(&ulid, &mut sha1)) {
            return Err(Reject::PdsNotOfUlid);
        }
        let known = self.link.peers.is_verified(source);
        match &options.locators {
            Some(list) if !known && !list.contains(source) => return Err(Reject::SourceNotLocator),
            None if !known => return Err(Reject::SourceNotLocator),
            _ => {}
        }
        let generation = match &options.locators {
            Some(list) => Some(list.generation),
            None => self.link.peers.generation(),
        };
        let count = options.locators.map_or(self.link.peers.as_slice().len(), |l| l.len());
        if let Some(preferences) = &options.preferences {
            if Some(preferences.generation) != generation {
                return Err(Reject::Generation);
            }
            if preferences.len() != count {
                return Err(Reject::PreferenceCount);
            }
        }
        if let Some(list) = &options.locators {
            take_list(&mut self.link.peers, &ulid, list, pds.as_ref(), &mut sha1)?;
            self.reap.log.clear();
            self.notes.peer_locators = true;
        }
        if let Some(preferences) = &options.preferences {
            self.link.peers.set_preferences(preferences.iter());
        }
        self.link.peers.set_reachable(source);
        self.revision = self.revision.wrapping_add(1);
        if let Some(seconds) = options.keepalive_timeout_s.filter(|&s| s > 0) {
            self.link.keepalive_timeout_ms = Some(u32::from(seconds) * 1000);
        }
        Ok(())
    }
}

/// Takes a list whose every locator is proved: by the PDS of the message, by being the
/// ULID, or because the list before had it proved.
///
/// RFC 5533 section 7.2: "Before a host can use a locator (different than the ULID) as
/// the destination locator, it MUST perform the HBA/CGA verification"; a method that
/// contradicts the PDS makes the whole list unacceptable.
fn take_list<S: LocatorStore>(
    peers: &mut PeerLocators<S>,
    ulid: &Addr,
    list: &LocatorList<'_>,
    pds: Option<&Pds<'_>>,
    sha1: &mut crate::proto::hba::Sha1<'_>,
) -> Result<(), Reject> {
    let mut new = [PeerLocator::default(); MAX_LOCATORS];
    // An empty list would leave nowhere to send to.
    let Some(room) = new.get_mut(..list.len()).filter(|room| !room.is_empty()) else {
        return Err(Reject::Unverified(0));
    };
    for (i, ((addr, method), slot)) in list.iter().zip(room.iter_mut()).enumerate() {
        let proved = addr == *ulid
            || peers.is_verified(&addr)
            || !matches!(method, Method::Unknown(_))
                && pds.is_some_and(|p| p.verify_hba(&addr, sha1));
        if !addr.is_eligible() || !proved {
            return Err(Reject::Unverified(i));
        }
        *slot = PeerLocator::new(addr, method);
        slot.set_verified();
    }
    peers.replace(list.generation, room).map_err(|_| Reject::OutOfMemory)
}
