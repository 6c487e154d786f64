// SPDX-License-Identifier: GPL-2.0

//! One ULID-pair context (RFC 5533 section 6), with its REAP (RFC 5534). The driver owns it,
//! under the namespace's control lock, and drains it after every call: `poll_transmit`,
//! `poll_event`, `poll_timeout`.
//!
//! ```text
//!            initiate              R1                   R2
//!   (IDLE) ----------> I1-SENT ---------> I2-SENT ------------> ESTABLISHED <--- I2, I2bis (IDLE)
//!                       |   ^  \-- I2, R2 -------------------------^  | ^
//!         give up, ICMP |   |  fall back     |                 R1bis  | | R2
//!                       v   +----------------+-- I2BIS-SENT <---------+ |
//!               E-FAILED, NO-SUPPORT                 +------------------+
//! ```
//!
//! * [`handshake`]: what the initiator sends, again and again.
//! * [`establish`]: what messages of the establishment do to a context.
//! * [`learn`], [`local`]: what a peer tells, what we tell.
//! * [`update`]: telling changes.
//! * [`wish`]: what applications want of it. [`fork`]: a context of one socket's own.
//! * [`session`]: REAP, timers, and the end of an established context. [`standby`]: a pair that
//!   is kept ready. [`check`]: a locator of the peer's that an application asked for.
//! * [`setup`]: which pairs deserve a context. [`flows`]: which flows a peer sends in which
//!   forked context. [`event`]: what the world is told.

mod check;
pub mod establish;
pub mod event;
pub mod flows;
pub mod fork;
pub mod handshake;
pub mod learn;
pub mod local;
pub mod session;
pub mod setup;
pub mod standby;
pub mod update;
mod vouch;
pub mod wish;

pub use event::{Event, Failure, Hint};
pub use flows::{Flow, FlowSlot, Flows};
pub use setup::{Setup, SetupSlot};

use crate::proto::addr::{Addr, Pair, Tag, UlidPair};
use crate::proto::config::Config;
use crate::proto::counter::Counter;
use crate::proto::env::{Env, Transmit};
use crate::proto::locator::{LocalSet, LocatorStore, PeerLocator, PeerLocators};
use crate::proto::reap::activity::Activity;
use crate::proto::reap::prefer::Prefer;
use crate::proto::reap::{timing, Reap, ReapState};
use crate::proto::time::Instant;
use event::Events;
use handshake::{Handshake, Step};
use local::Told;
use update::Update;

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

/// STATE with what belongs to it.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// I1-SENT, I2-SENT or I2BIS-SENT, as the step says.
    Opening(Handshake),
    /// ESTABLISHED.
    Up(Reap),
    /// E-FAILED or NO-SUPPORT, and until when it is remembered.
    Failed(Failure, Instant),
}

/// What a context that nothing is sent or received with knows of its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Idle {
    /// Nothing: it is in use, as far as its packets tell.
    No,
    /// The driver is to be asked for sockets that use it.
    Ask,
    /// The driver was asked.
    Asked,
}

/// Whose a context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bond {
    /// Everybody's: it ends when nobody uses it.
    Shared,
    /// One socket's, and it lives as long as that.
    Socket,
    /// The socket is gone, and the peer may still have something to say.
    Released,
}

/// One context.
#[derive(Debug)]
pub struct Context<S> {
    ulids: UlidPair,
    /// The first 48 bits of [`Self::origin`].
    origin: [u8; 6],
    local_tag: Tag,
    /// CT(peer); means something while [`Self::is_active`].
    peer_tag: Tag,
    /// Lp(local) and Lp(peer).
    tx: Pair,
    peers: PeerLocators<S>,
    phase: Phase,
    prefer: Prefer,
    update: Update,
    /// `None`: nothing yet; the R2 that the peer is going to ask for will tell everything.
    told: Option<Told>,
    /// When it was established, or a socket was last found to use it.
    alive: Instant,
    /// An R1bis before that is not heeded: the last recovery has just begun.
    recovers_from: Instant,
    idle: Idle,
    bond: Bond,
    /// The peer's Send Timeout in seconds; 0 if it told none.
    keepalive_timeout_s: u16,
    changed: bool,
    events: Events,
}

impl<S: LocatorStore> Context<S> {
    /// Its name: ULIDs and Forked Instance Identifier. Never changes.
    pub fn ulids(&self) -> &UlidPair {
        &self.ulids
    }

    /// The /48 where the peer was when the context was made: that of ULID(peer) if we began, else
    /// that of the locator it began from, which an R1 reached. What a peer may have too many of
    /// counts for it. Never changes.
    pub fn origin(&self) -> Addr {
        let mut addr = Addr::UNSPECIFIED;
        addr.0.iter_mut().zip(self.origin).for_each(|(to, from)| *to = from);
        addr
    }

    /// CT(local), the tag in packets from the peer. Never changes.
    pub fn local_tag(&self) -> Tag {
        self.local_tag
    }

    /// CT(peer), the tag in packets to the peer: in STATE ESTABLISHED and I2BIS-SENT only.
    pub fn peer_tag(&self) -> Option<Tag> {
        self.is_active().then_some(self.peer_tag)
    }

    /// Lp(local) and Lp(peer): where packets go. Equal to the ULIDs unless
    /// [`Self::is_active`].
    pub fn tx_pair(&self) -> Pair {
        if self.is_active() {
            self.tx
        } else {
            self.ulids.pair
        }
    }

    /// Whether packets are the context's business: "Only in the ESTABLISHED and
    /// I2BIS-SENT STATEs does the host have CT(peer) and Ls(peer) set" (RFC 5533 section 11).
    pub fn is_active(&self) -> bool {
        matches!(self.state(), State::Established | State::I2bisSent)
    }

    /// The STATE.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Opening(Handshake { step: Step::I1, .. }) => State::I1Sent,
            Phase::Opening(Handshake { step: Step::I2 { .. }, .. }) => State::I2Sent,
            Phase::Opening(Handshake { step: Step::I2bis { .. }, .. }) => State::I2bisSent,
            Phase::Up(_) => State::Established,
            Phase::Failed(Failure::NoResponse, _) => State::EFailed,
            Phase::Failed(Failure::NoSupport, _) => State::NoSupport,
        }
    }

    /// REAP's state; only an established context has one.
    pub fn reap_state(&self) -> Option<ReapState> {
        match &self.phase {
            Phase::Up(reap) => Some(reap.state()),
            _ => None,
        }
    }

    /// Ls(peer). Only verified locators may be accepted or used.
    pub fn peer_locators(&self) -> &[PeerLocator] {
        self.peers.as_slice()
    }

    /// "The generation number for the most recently received, verified peer locator list";
    /// `None` if the peer sent no list.
    pub fn peer_generation(&self) -> Option<u32> {
        self.peers.generation()
    }

    /// Whether something that packets see changed since [`Self::published`]: tx pair, peer tag,
    /// Ls(peer), [`Self::is_active`], [`Self::wake_after_ms`]. Publish a new snapshot then.
    pub fn has_changed(&self) -> bool {
        self.changed
    }

    /// Packets see all of it.
    pub fn published(&mut self) {
        self.changed = false;
    }

    /// Whether the driver shall remove it (after the events were taken).
    pub fn is_gone(&self) -> bool {
        matches!(self.phase, Phase::Failed(..)) || self.events.is_gone()
    }

    /// How many milliseconds after [`crate::proto::reap::activity::Wake::Arm`] the timer
    /// must expire at the latest.
    pub fn wake_after_ms(&self, config: &Config) -> u32 {
        let config = self.wished(config);
        let reap = timing::wake_after(&config, config.send_timeout_ms, self.keepalive_ms(&config));
        match self.has_standby() {
            true => reap.min(config.standby_silence_ms),
            false => reap,
        }
    }

    /// Our Send Timeout in this context.
    pub fn send_timeout_ms(&self, config: &Config) -> u32 {
        self.wished(config).send_timeout_ms
    }

    /// "X seconds, where X is the peer's Send Timeout as communicated in the Keepalive
    /// Timeout Option" (RFC 5534 section 7).
    pub fn keepalive_ms(&self, config: &Config) -> u32 {
        let wished = self.wishes().map_or(0, |wishes| wishes.explore.keepalive_timeout_ms);
        match (wished, u32::from(self.keepalive_timeout_s).saturating_mul(1000)) {
            (0, 0) => config.keepalive_timeout_ms,
            (ms, 0) | (0, ms) => ms,
            (wished, told) => wished.min(told),
        }
    }

    /// The next event; call until `None`.
    pub fn poll_event(&mut self) -> Option<Event> {
        let phase = &self.phase;
        self.events.pop(|| match phase {
            Phase::Failed(why, hold_until) => Some((*why, *hold_until)),
            _ => None,
        })
    }

    /// Whether the driver is to look for sockets that use the context, and to call
    /// [`Self::in_use`] if there is one; asked once.
    pub fn asks_for_users(&mut self) -> bool {
        let ask = self.idle == Idle::Ask;
        if ask {
            self.idle = Idle::Asked;
        }
        ask
    }

    /// A socket uses the context, though it is silent: RFC 5533 section 9, "the ULP might have
    /// long periods of inactivity", so that packets alone do not tell.
    pub fn in_use(&mut self, env: &dyn Env) {
        if self.idle != Idle::No {
            self.idle = Idle::No;
            self.alive = env.now();
            env.count(Counter::ContextHeld);
        }
    }

    /// The next message to send; call until `None`. `out` needs
    /// [`crate::proto::wire::MAX_MESSAGE`] octets.
    pub fn poll_transmit(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        out: &mut [u8],
    ) -> Option<Transmit> {
        let timeout_ms = self.config(env).send_timeout_ms;
        let (pair, len) = match &mut self.phase {
            Phase::Opening(handshake) if handshake.is_due() => {
                let set = local_set(env, &self.ulids, &self.peers)?;
                let len =
                    handshake.emit(env, &set, timeout_ms, &self.ulids, self.local_tag, out)?;
                self.told = handshake.told(Told::now(&set, timeout_ms)).or(self.told);
                (handshake.pair, len)
            }
            Phase::Up(_) => self.session_transmit(env, activity, out)?,
            _ => return None,
        };
        Some(Transmit { src: pair.local, dst: pair.peer, len })
    }

    /// Whether the peer believes what comes from `addr`: of Ls(local), or the ULID.
    pub fn may_speak_from(&self, env: &dyn Env, addr: &Addr) -> bool {
        let listed = |set: LocalSet<'_>| set.listed().any(|l| l.addr == *addr);
        *addr == self.ulids.pair.local || self.local_set(env).is_some_and(listed)
    }

    /// Ls(local), as applications wish it.
    fn local_set<'a>(&'a self, env: &'a dyn Env) -> Option<LocalSet<'a>> {
        local_set(env, &self.ulids, &self.peers)
    }

    /// Something that packets see changed.
    fn touch(&mut self) {
        self.changed = true;
    }
}

fn local_set<'a, S: LocatorStore>(
    env: &'a dyn Env,
    ulids: &UlidPair,
    peers: &'a PeerLocators<S>,
) -> Option<LocalSet<'a>> {
    env.local_set(&ulids.pair.local).map(|set| LocalSet { wishes: peers.wishes(), ..set })
}
