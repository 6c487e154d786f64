// SPDX-License-Identifier: GPL-2.0

//! What a peer says of itself in I2, I2bis, R2 and Update Request, and how much of it is
//! proved (RFC 5533 section 7.2).

use crate::proto::addr::Addr;
use crate::proto::cga::{Claim, NoClaim, Verdict};
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
    /// The message says something that its signature has to prove, and there is no verdict yet.
    Unjudged,
    /// The signature of an Update Request could not be verified; the peer asks again.
    Unable,
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
            Reject::Unjudged => Counter::SignatureAsked,
            Reject::Unable => Counter::SignatureUnable,
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

/// What somebody says of himself, and what is known of it already.
#[derive(Clone, Copy, Debug)]
pub struct Speech<'a> {
    /// The options of the message.
    pub options: &'a Options<'a>,
    /// Who speaks.
    pub ulid: &'a Addr,
    /// His locators, as far as they were proved before.
    pub old: &'a [PeerLocator],
    /// What is known of the message's signature.
    pub verdict: Verdict,
    /// How strict the list is read.
    pub mode: Mode,
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
    /// Reads what a message says of its sender.
    pub fn read(&mut self, env: &dyn Env, speech: &Speech<'_>) -> Result<(), Reject> {
        let options = speech.options;
        let pds = parameters(env, options, speech.ulid)?;
        self.read_list(env, speech, pds.as_ref())?;
        if speech.mode == Mode::Establish {
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
        speech: &Speech<'_>,
        pds: Option<&Pds<'_>>,
    ) -> Result<(), Reject> {
        let Some(told) = speech.options.locators else { return Ok(()) };
        if told.is_empty() {
            return Err(Reject::EmptyList);
        }
        self.generation = Some(told.generation);
        let mut signed = None;
        let mut unproved = None;
        for (place, (addr, method)) in (0u8..=254).zip(told.iter()) {
            check_method(method, pds).map_err(|()| Reject::Method(place))?;
            let mut locator = PeerLocator::new(addr, method);
            if is_proved(env, &addr, speech, pds) {
                locator.set_verified();
            } else if method == Method::Cga && addr.is_eligible() {
                // Asked once for all of them: that is what the signature is over.
                let valid = match signed {
                    Some(valid) => valid,
                    None => is_signed(env, speech)?,
                };
                signed = Some(valid);
                if valid {
                    locator.set_verified();
                }
            }
            if !locator.is_verified() {
                unproved = unproved.or(Some(place));
                if speech.mode == Mode::Establish {
                    env.count(Counter::RxLocatorUnverified);
                }
            }
            if addr == *speech.ulid {
                locator.set_reachable();
            }
            self.push(locator);
        }
        match (unproved, speech.mode) {
            (Some(place), Mode::Update) => Err(Reject::Unverified(place)),
            _ => Ok(()),
        }
    }

    /// The preferences that came with a list, if they belong to it.
    fn take_preferences(&mut self, env: &dyn Env, options: &Options<'_>) {
        let (Some(prefs), Some((generation, list))) = (options.preferences, self.list()) else {
            return;
        };
        if prefs.generation != generation {
            env.count(Counter::RxPreferenceGeneration);
        } else if prefs.count() != list.len() {
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

/// Whether a locator is proved to belong to the host with this ULID without its signature. Which
/// of the two methods the peer named does not matter here (table 4 and section 17 swap their
/// numbers): what counts is that the parameters of the ULID are the locator's.
fn is_proved(env: &dyn Env, addr: &Addr, speech: &Speech<'_>, pds: Option<&Pds<'_>>) -> bool {
    if !addr.is_eligible() {
        return false;
    }
    let known = || speech.old.iter().any(|l| l.addr == *addr && l.is_verified());
    let hba = |pds: &Pds<'_>| pds.verify_hba(addr, &mut |parts| env.sha1(parts));
    addr == speech.ulid || pds.is_some_and(hba) || known()
}

/// Whether the signature of the message proves its locators of method CGA. The parameters were
/// verified against the ULID before: "The verifier MUST accept the signature as authentic only if
/// both the CGA verification and the signature verification succeed" (RFC 3972 section 6).
fn is_signed(env: &dyn Env, speech: &Speech<'_>) -> Result<bool, Reject> {
    let claim = Claim::of(speech.options, &mut |parts| env.sha1(parts));
    let counter = match (claim, speech.verdict) {
        (Err(NoClaim::Missing), _) => Counter::SignatureMissing,
        (Err(NoClaim::Key), _) => Counter::SignatureKey,
        (Ok(_), Verdict::None) => return Err(Reject::Unjudged),
        (Ok(_), Verdict::Unable) if speech.mode == Mode::Update => return Err(Reject::Unable),
        (Ok(_), Verdict::Unable) => Counter::SignatureUnable,
        (Ok(_), Verdict::Invalid) => Counter::SignatureBad,
        (Ok(_), Verdict::Valid) => Counter::SignatureGood,
    };
    env.count(counter);
    Ok(counter == Counter::SignatureGood)
}
