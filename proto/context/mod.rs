// SPDX-License-Identifier: GPL-2.0

//! One ULID-pair context (RFC 5533 section 6), with its REAP (RFC 5534).

pub mod event;
pub mod setup;

pub use event::{Event, Failure, Hint};
pub use setup::{Setup, SetupSlot};

use crate::proto::addr::{Pair, Tag, UlidPair};
use crate::proto::config::Config;
use crate::proto::env::{Env, Transmit};
use crate::proto::locator::{LocatorStore, PeerLocator, PeerLocators};
use crate::proto::reap::activity::Activity;
use crate::proto::time::Instant;

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

/// One context. The driver owns it, under the namespace's control lock.
#[derive(Debug)]
pub struct Context<S> {
    ulids: UlidPair,
    local_tag: Tag,
    peer_tag: Tag,
    tx: Pair,
    peers: PeerLocators<S>,
    revision: u32,
}

impl<S: LocatorStore> Context<S> {
    /// Its name: ULIDs and Forked Instance Identifier. Never changes.
    pub fn ulids(&self) -> &UlidPair {
        &self.ulids
    }

    /// CT(local), the tag in packets from the peer. Never changes.
    pub fn local_tag(&self) -> Tag {
        self.local_tag
    }

    /// CT(peer), the tag in packets to the peer: in STATE ESTABLISHED and I2BIS-SENT only.
    pub fn peer_tag(&self) -> Option<Tag> {
        Some(self.peer_tag)
    }

    /// Lp(local) and Lp(peer): where packets go. Equal to the ULIDs unless
    /// [`Self::is_active`].
    pub fn tx_pair(&self) -> Pair {
        self.tx
    }

    /// Whether packets are the context's business: "Only in the ESTABLISHED and
    /// I2BIS-SENT STATEs does the host have CT(peer) and Ls(peer) set" (RFC 5533 section 11).
    pub fn is_active(&self) -> bool {
        false
    }

    /// The STATE.
    pub fn state(&self) -> State {
        State::I1Sent
    }

    /// Ls(peer). Only verified locators may be accepted or used.
    pub fn peer_locators(&self) -> &[PeerLocator] {
        self.peers.as_slice()
    }

    /// Changes whenever something that packets see did: tx pair, peer tag, Ls(peer),
    /// [`Self::is_active`], [`Self::wake_after_ms`]. Publish a new snapshot then.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// Whether the driver shall remove it (after the events were taken).
    pub fn is_gone(&self) -> bool {
        false
    }

    /// How many milliseconds after [`crate::proto::reap::activity::Wake::Arm`] the timer
    /// must expire at the latest.
    pub fn wake_after_ms(&self, _config: &Config) -> u32 {
        0
    }

    /// The timer expired, or a packet asked for attention.
    pub fn handle_timeout(&mut self, _env: &dyn Env, _activity: &Activity) {}

    /// Something outside suggests that a path does not work.
    pub fn path_hint(&mut self, _env: &dyn Env, _activity: &Activity, _hint: Hint) {}

    /// The set of ULID(local) changed: a locator came, went, or became (un)usable, or its
    /// preference changed. Tells the peer (RFC 5533 section 10), and explores if the
    /// current pair's own end is not usable any more.
    pub fn local_changed(&mut self, _env: &dyn Env, _activity: &Activity) {}

    /// The next message to send; call until `None`.
    pub fn poll_transmit(
        &mut self,
        _env: &dyn Env,
        _activity: &Activity,
        _out: &mut [u8],
    ) -> Option<Transmit> {
        None
    }

    /// The next event; call until `None`.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// When [`Self::handle_timeout`] has to be called at the latest. After arming the
    /// timer, ask again: a packet may have turned the direction meanwhile.
    pub fn poll_timeout(&self, _env: &dyn Env, _activity: &Activity) -> Option<Instant> {
        None
    }
}
