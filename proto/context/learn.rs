// SPDX-License-Identifier: GPL-2.0

//! What a peer says of itself in I2, I2bis, R2 and Update Request, and how much of it is
//! proved (RFC 5533 section 7.2).

use crate::proto::addr::Addr;
use crate::proto::counter::Counter;
use crate::proto::env::Env;
use crate::proto::error::Cause;
use crate::proto::hba::Pds;
use crate::proto::locator::{Method, PeerLocator, MAX_LOCATORS};
use crate::proto::wire::Options;

/// Why a peer's word is not taken; the message is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// The CGA Parameter Data Structure is not one.
    PdsMalformed,
    /// It does not correspond to ULID(peer).
    PdsMismatch,
    /// The list is empty.
    EmptyList,
    /// The verification method of this locator (by place) is not supported, "or not
    /// consistent with the CGA Parameter Data Structure": Error code 2.
    Method(u8),
    /// This locator (by place) was not proved, in an Update Request: Error code 2.
    Unverified(u8),
    /// "Locator List Generation number out of sync": Error code 3.
    Generation,
    /// "Error in the number of locators in a Locator Preference option": Error code 4.
    PreferenceCount,
    /// No memory for the list.
    NoMemory,
}

impl Cause for Reject {
    fn counter(&self) -> Counter {
        match self {
            Reject::PdsMalformed => Counter::RxPdsMalformed,
            Reject::PdsMismatch => Counter::RxPdsNotOfUlid,
            Reject::EmptyList => Counter::ListEmpty,
            Reject::Method(_) => Counter::ListMethod,
            Reject::Unverified(_) => Counter::ListUnverified,
            Reject::Generation => Counter::RxPreferenceGeneration,
            Reject::PreferenceCount => Counter::RxPreferenceCount,
            Reject::NoMemory => Counter::OutOfMemory,
        }
    }
}

/// What a message says of its sender. It is long for a kernel's stack: made once by who
/// handles the message, and lent.
#[derive(Clone, Debug)]
pub struct News {
    /// Keepalive Timeout, if it is told.
    pub keepalive_timeout_s: Option<u16>,
    /// The generation of the list, if there is one.
    generation: Option<u32>,
    len: usize,
    locators: [PeerLocator; MAX_LOCATORS],
}

/// How strict a list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Establishment: locators that cannot be proved stay in the list and are not used.
    Establish,
    /// Update: "if it cannot be verified, there is no further processing" (10.4).
    Update,
}

impl Default for News {
    fn default() -> Self {
        let locators = [PeerLocator::default(); MAX_LOCATORS];
        News { keepalive_timeout_s: None, generation: None, len: 0, locators }
    }
}

impl News {
    /// Reads what a message says of the host with this ULID. `old` is what was proved before.
    pub fn read(
        &mut self,
        env: &dyn Env,
        options: &Options<'_>,
        ulid: &Addr,
        old: &[PeerLocator],
        mode: Mode,
    ) -> Result<(), Reject> {
        let pds = parameters(env, options, ulid)?;
        self.read_list(env, options, ulid, pds.as_ref(), old, mode)?;
        if mode == Mode::Establish {
            self.take_preferences(env, options);
        }
        self.keepalive_timeout_s = options.keepalive_timeout_s;
        Ok(())
    }

    /// Ls(peer), if it is told, each locator marked whether it was proved; and its generation.
    pub fn list(&mut self) -> Option<(u32, &mut [PeerLocator])> {
        Some((self.generation?, self.locators.get_mut(..self.len)?))
    }

    /// The locators of the list; none if there is no list.
    pub fn locators(&self) -> &[PeerLocator] {
        self.locators.get(..self.len).unwrap_or_default()
    }

    /// Whether `addr` may be used as the peer's, after this message.
    pub fn proves(&self, addr: &Addr) -> bool {
        self.locators().iter().any(|l| l.addr == *addr && l.is_verified())
    }

    fn push(&mut self, locator: PeerLocator) {
        if let Some(room) = self.locators.get_mut(self.len) {
            *room = locator;
            self.len = self.len.saturating_add(1);
        }
    }

    fn read_list(
        &mut self,
        env: &dyn Env,
        options: &Options<'_>,
        ulid: &Addr,
        pds: Option<&Pds<'_>>,
        old: &[PeerLocator],
        mode: Mode,
    ) -> Result<(), Reject> {
        let Some(told) = options.locators else { return Ok(()) };
        if told.is_empty() {
            return Err(Reject::EmptyList);
        }
        self.generation = Some(told.generation);
        for (place, (addr, method)) in (0u8..=254).zip(told.iter()) {
            check_method(method, pds).map_err(|()| Reject::Method(place))?;
            let mut locator = PeerLocator::new(addr, method);
            if is_proved(env, &addr, ulid, pds, old) {
                locator.set_verified();
            } else if mode == Mode::Update {
                return Err(Reject::Unverified(place));
            } else {
                env.count(Counter::RxLocatorUnverified);
            }
            if addr == *ulid {
                locator.set_reachable();
            }
            self.push(locator);
        }
        Ok(())
    }

    /// The preferences that came with a list, if they belong to it.
    fn take_preferences(&mut self, env: &dyn Env, options: &Options<'_>) {
        let (Some(prefs), Some((generation, list))) = (options.preferences, self.list()) else {
            return;
        };
        if prefs.generation != generation {
            env.count(Counter::RxPreferenceGeneration);
        } else if prefs.len() != list.len() {
            env.count(Counter::RxPreferenceCount);
        } else {
            for (locator, pref) in list.iter_mut().zip(prefs.iter()) {
                locator.pref = pref;
            }
        }
    }
}

/// "If a CGA Parameter Data Structure (PDS) is included in the message, then the host MUST
/// verify if the actual PDS contained in the message corresponds to the ULID(peer)."
fn parameters<'a>(
    env: &dyn Env,
    options: &Options<'a>,
    ulid: &Addr,
) -> Result<Option<Pds<'a>>, Reject> {
    let Some(bytes) = options.pds else { return Ok(None) };
    let pds = Pds::parse(bytes).map_err(|_| Reject::PdsMalformed)?;
    if pds.verify_ulid(ulid, &mut |parts| env.sha1(parts)) {
        Ok(Some(pds))
    } else {
        Err(Reject::PdsMismatch)
    }
}

/// "If the verification method in the Locator List option is not supported by the host, or
/// if the verification method is not consistent with the CGA Parameter Data Structure (e.g.,
/// the Parameter Data Structure doesn't contain the multiprefix extension and the
/// verification method says to use HBA), then the host MUST ignore the Locator List and the
/// message in which it is contained" (7.2). The numbers are those of table 4.
fn check_method(method: Method, pds: Option<&Pds<'_>>) -> Result<(), ()> {
    match method {
        Method::Unknown(_) => Err(()),
        Method::Hba if pds.is_some_and(|p| p.prefix_count() == 0) => Err(()),
        Method::Hba | Method::Cga => Ok(()),
    }
}

/// Whether a locator is proved to belong to the host with this ULID. Which of the two
/// methods the peer named does not matter (table 4 and section 17 swap their numbers): what
/// counts is that the parameters of the ULID are the locator's. A locator that only a CGA
/// signature could prove is not proved.
fn is_proved(
    env: &dyn Env,
    addr: &Addr,
    ulid: &Addr,
    pds: Option<&Pds<'_>>,
    old: &[PeerLocator],
) -> bool {
    if !addr.is_eligible() {
        return false;
    }
    let known = || old.iter().any(|l| l.addr == *addr && l.is_verified());
    let hba = |pds: &Pds<'_>| pds.verify_hba(addr, &mut |parts| env.sha1(parts));
    addr == ulid || pds.is_some_and(hba) || known()
}
