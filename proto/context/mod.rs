// SPDX-License-Identifier: GPL-2.0

//! One ULID-pair context (RFC 5533 section 6.1).
//!
//! There is one for each pair of ULIDs (and Forked Instance Identifier) between which a
//! shim is at work; the table owns it. It is told messages and time, and is asked what
//! it wants to send ([`Context::poll_transmit`]), what happened ([`Context::poll_event`]),
//! when it wants to be woken ([`Context::poll_timeout`]) and whether it has ended
//! ([`Context::fate`]).
//!
//! ```text
//!   (IDLE) --initiate--> I1-SENT --R1--> I2-SENT --R2--> ESTABLISHED --R1bis--> I2BIS-SENT
//!      '-----I2, I2bis------------------------------------^   ^------------R2-------'
//! ```

mod establish;
pub mod event;
mod notes;
pub mod peer;
mod recover;
pub mod setup;
mod timers;
mod transmit;
mod update;

pub use event::{Event, Failure, Hint};
pub use peer::Reject;
pub use setup::{Setup, SetupSlot};

use crate::proto::addr::{Addr, Pair, Tag, UlidPair};
use crate::proto::config::Config;
use crate::proto::env::Env;
use crate::proto::locator::{LocatorStore, NoMemory, PeerLocator, PeerLocators};
use crate::proto::reap::activity::Activity;
use crate::proto::reap::{Cause, Outcome, Reap, View};
use crate::proto::time::Instant;
use notes::{Fate, Notes};
use transmit::Wanted;
use update::Update;

/// Most octets of a Responder Validator that we give back; a longer one is refused.
pub const MAX_VALIDATOR: usize = 64;

/// What an I2 or I2bis gives back to the responder.
#[derive(Clone, Copy, Debug)]
pub(in crate::proto::context) struct Ticket {
    responder_nonce: u32,
    validator: [u8; MAX_VALIDATOR],
    len: u8,
    /// The pair the R1 or R1bis came on.
    pair: Pair,
}

impl Ticket {
    fn new(responder_nonce: u32, validator: &[u8], pair: Pair) -> Option<Ticket> {
        let mut ticket = Ticket { responder_nonce, validator: [0; MAX_VALIDATOR], len: 0, pair };
        ticket.validator.get_mut(..validator.len())?.copy_from_slice(validator);
        ticket.len = u8::try_from(validator.len()).ok()?;
        Some(ticket)
    }

    fn validator(&self) -> &[u8] {
        self.validator.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

/// The STATE with what it needs.
#[derive(Clone, Copy, Debug)]
pub(in crate::proto::context) enum Phase {
    I1Sent,
    I2Sent(Ticket),
    Established,
    I2bisSent(Ticket),
}

/// STATE of a context (RFC 5533 section 6.2). IDLE is the absence of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Initiating context-establishment exchange.
    I1Sent,
    /// Waiting to complete context-establishment exchange.
    I2Sent,
    /// Potential context loss detected.
    I2bisSent,
    /// Established.
    Established,
    /// Context-establishment exchange failed; the driver removes it.
    EFailed,
    /// The peer does not know Shim6; the driver removes it.
    NoSupport,
}

/// What REAP needs to see of a context.
#[derive(Debug)]
pub(in crate::proto::context) struct Link<S> {
    ulids: UlidPair,
    /// Lp(local) and Lp(peer).
    tx: Pair,
    /// Ls(peer).
    peers: PeerLocators<S>,
    /// What the peer's Keepalive Timeout option said, in ms.
    keepalive_timeout_ms: Option<u32>,
    /// Spreads this context's Send Timeout among those of others.
    skew: u8,
}

impl<S: LocatorStore> Link<S> {
    fn view<'a>(&'a self, env: &'a dyn Env) -> Option<View<'a>> {
        let config = env.config();
        let nominal = u64::from(config.send_timeout_ms);
        Some(View {
            now: env.now(),
            ticks: env.ticks(),
            current: self.tx,
            ulids: self.ulids.pair,
            set: env.local_set(&self.ulids.pair.local)?,
            list: self.peers.as_slice(),
            config,
            // RFC 5534 section 4.1: "The actual value SHOULD be randomized in order to
            // prevent synchronization."
            send_timeout_ms: nominal - nominal / 40 + nominal * u64::from(self.skew) / 5120,
            keepalive_timeout_ms: u64::from(
                self.keepalive_timeout_ms.unwrap_or(config.keepalive_timeout_ms),
            ),
        })
    }
}

/// One ULID-pair context. `S` is where the peer's locators lie.
#[derive(Debug)]
pub struct Context<S> {
    link: Link<S>,
    phase: Phase,
    local_tag: Tag,
    peer_tag: Option<Tag>,
    /// The Initiator Nonce of what we sent; also recognises a late R2.
    initiator_nonce: u32,
    reap: Reap,
    update: Update,
    wanted: Wanted,
    notes: Notes,
    fate: Option<Fate>,
    /// Counts what packets must see.
    revision: u32,
    created: Instant,
    /// When I1, I2 or I2bis is sent again, and how often it was.
    retry_at: Option<Instant>,
    retries: u8,
    /// How often an I2 fell back to an I1.
    rounds: u8,
}

impl<S: LocatorStore> Context<S> {
    fn new(env: &dyn Env, ulids: UlidPair, local_tag: Tag, phase: Phase) -> Result<Self, NoMemory> {
        let random = env.random();
        let now = env.now();
        Ok(Context {
            link: Link {
                ulids,
                tx: ulids.pair,
                peers: PeerLocators::of_ulid(ulids.pair.peer)?,
                keepalive_timeout_ms: None,
                skew: random as u8,
            },
            phase,
            local_tag,
            peer_tag: None,
            initiator_nonce: env.nonce(),
            reap: Reap::new(now, env.config()),
            update: Update::new(env.nonce()),
            wanted: Wanted::default(),
            notes: Notes::default(),
            fate: None,
            revision: 0,
            created: now,
            retry_at: None,
            retries: 0,
            rounds: 0,
        })
    }

    /// ULID(local), ULID(peer) and FII.
    pub fn ulids(&self) -> &UlidPair {
        &self.link.ulids
    }

    /// CT(local).
    pub fn local_tag(&self) -> Tag {
        self.local_tag
    }

    /// CT(peer), once the peer told it.
    pub fn peer_tag(&self) -> Option<Tag> {
        self.peer_tag
    }

    /// Lp(local) and Lp(peer): the pair that data is sent on.
    pub fn tx_pair(&self) -> Pair {
        self.link.tx
    }

    /// Whether packets are the context's business: "Only in the ESTABLISHED and
    /// I2BIS-SENT STATEs does the host have CT(peer) and Ls(peer) set" (RFC 5533 section 11).
    pub fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Established | Phase::I2bisSent(_)) && self.fate.is_none()
    }

    /// The STATE.
    pub fn state(&self) -> State {
        match (self.fate, self.phase) {
            (Some(Fate::NoResponse), _) => State::EFailed,
            (Some(Fate::NoSupport), _) => State::NoSupport,
            (_, Phase::I1Sent) => State::I1Sent,
            (_, Phase::I2Sent(_)) => State::I2Sent,
            (_, Phase::Established) => State::Established,
            (_, Phase::I2bisSent(_)) => State::I2bisSent,
        }
    }

    /// Ls(peer).
    pub fn peer_locators(&self) -> &[PeerLocator] {
        self.link.peers.as_slice()
    }

    /// REAP.
    pub fn reap(&self) -> &Reap {
        &self.reap
    }

    /// The Initiator Nonce of this context.
    pub fn initiator_nonce(&self) -> u32 {
        self.initiator_nonce
    }

    /// Changes whenever something that packets see did: tx pair, peer tag, Ls(peer),
    /// [`Self::is_active`], [`Self::wake_after_ms`]. Publish a new snapshot then.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// Whether the driver shall remove it (after the events were taken).
    pub fn is_gone(&self) -> bool {
        self.fate.is_some()
    }

    /// The next event; call until `None`.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.notes.pop(self.link.tx)
    }

    /// How many milliseconds after [`crate::proto::reap::activity::Wake::Arm`] the timer
    /// must expire at the latest.
    pub fn wake_after_ms(&self, config: &Config) -> u32 {
        let keepalive = self.link.keepalive_timeout_ms.unwrap_or(config.keepalive_timeout_ms);
        let interval = match config.keepalive_interval_ms {
            0 => (keepalive / 3).max(1),
            ms => ms.min(keepalive),
        };
        interval.min(config.send_timeout_ms - config.send_timeout_ms / 40)
    }

    /// Whether `local` is in Ls(local) and `peer` in Ls(peer).
    pub fn has_pair(&self, env: &dyn Env, pair: &Pair) -> bool {
        let ours = env
            .local_set(&self.link.ulids.pair.local)
            .is_some_and(|set| set.index_of(&pair.local).is_some());
        ours && self.link.peers.is_verified(&pair.peer)
    }

    /// The set of ULID(local) changed: a locator came, went, or became (un)usable, or its
    /// preference changed. Tells the peer (RFC 5533 section 10), and explores if the
    /// current pair's own end is not usable any more.
    pub fn local_changed(&mut self, env: &dyn Env, activity: &Activity) {
        let Some(set) = env.local_set(&self.link.ulids.pair.local) else {
            self.end(Fate::Gone, env.now());
            return;
        };
        if !self.is_active() {
            return;
        }
        let summary = update::summary(&set);
        if self.update.is_stale(summary) {
            self.update.restart(env.nonce(), summary);
            self.wanted.update = true;
        }
        if !set.is_usable(&self.link.tx.local) {
            self.path_hint(env, activity, Hint::LocalAddressLost);
        }
    }

    /// Something outside suggests that a path does not work.
    pub fn path_hint(&mut self, env: &dyn Env, activity: &Activity, hint: Hint) {
        if !self.is_active() || hint == Hint::PositiveFeedback {
            return;
        }
        let Some(view) = self.link.view(env) else { return };
        let outcome = self.reap.hint(hint.is_certain(), &view, activity);
        self.apply(outcome);
    }

    fn end(&mut self, fate: Fate, hold_until: Instant) {
        if self.fate.is_none() {
            self.fate = Some(fate);
            self.notes.ended = Some((fate, hold_until));
            self.revision = self.revision.wrapping_add(1);
        }
    }

    fn apply(&mut self, outcome: Outcome) {
        if outcome.began.is_some_and(|cause| cause != Cause::Return) {
            self.notes.exploring = true;
        }
        if let Some(pair) = outcome.switch.filter(|p| *p != self.link.tx) {
            self.notes.rehomed(self.link.tx);
            self.link.tx = pair;
            self.revision = self.revision.wrapping_add(1);
        }
        if outcome.settled {
            self.notes.settled();
        }
    }

    fn established(&mut self) {
        self.phase = Phase::Established;
        self.revision = self.revision.wrapping_add(1);
        self.retry_at = None;
        self.retries = 0;
        self.rounds = 0;
        self.notes.established = true;
    }

    /// The peer's address in the order of a message that goes out.
    fn peer_ulid(&self) -> Addr {
        self.link.ulids.pair.peer
    }
}
