// SPDX-License-Identifier: GPL-2.0

//! A forked context (RFC 5533 section 4.2): of the same ULIDs as the default one, but with pairs,
//! wishes and timers of its own. "The forked context is then exclusively associated with the
//! socket through which a non-default preference value was specified" (RFC 6316 section 11.1).

use super::handshake::{Handshake, Step};
use super::{Bond, Context, Phase};
use crate::proto::addr::{Tag, UlidPair};
use crate::proto::counter::Counter;
use crate::proto::env::Env;
use crate::proto::locator::{LocatorStore, NoMemory, PeerLocators};

impl<S: LocatorStore> Context<S> {
    /// Begins an instance of its own for a socket. Its messages go over the pair that `of` uses
    /// now: the ULIDs may not reach the peer any more, and then "this option MUST be included"
    /// which names them (RFC 5533 section 5.4). What `of` knows of the peer's locators holds
    /// here as well; what is wished of them does not.
    pub fn fork(
        env: &dyn Env,
        of: &Self,
        fii: u32,
        tag: Tag,
        nonce: u32,
    ) -> Result<Self, NoMemory> {
        let ulids = UlidPair { fii, ..of.ulids };
        let handshake = Handshake::new(env, of.tx_pair(), nonce, Step::I1);
        let peers = PeerLocators::known(&of.peers)?;
        let mut new = Self::new(env, ulids, tag, Phase::Opening(handshake), peers, of.origin());
        new.bond = Bond::Socket;
        env.count(Counter::Forked);
        Ok(new)
    }

    /// Whether it is a socket's own: it lives as long as that, however silent.
    pub fn is_bound(&self) -> bool {
        self.bond == Bond::Socket
    }

    /// Whether a flow belongs to it because the peer sends it here: not in a fork of ours, whose
    /// only flow is its socket's.
    pub fn teaches(&self) -> bool {
        self.ulids.fii != 0 && self.bond == Bond::Shared
    }

    /// "When the socket is closed, the shim sub-layer SHOULD delete the associated context" (RFC
    /// 6316 section 11.1). It does as soon as the peer has nothing to say in it any more: an
    /// answer or a Keepalive with a tag that is gone would be answered with R1bis, and the peer
    /// would bring the context back with I2bis (RFC 5533 sections 7.17 to 7.20).
    pub fn release(&mut self, env: &dyn Env) {
        if self.bond != Bond::Socket {
            return;
        }
        env.count(Counter::ForkEnded);
        self.bond = Bond::Released;
        self.alive = env.now();
        if !self.is_active() {
            self.abandon();
        }
        self.touch();
    }

    /// How long the peer may go on after the last packet: it sends Keepalives for our Send Timeout,
    /// and waits for ours for its own (RFC 5534 section 4.1).
    pub(super) fn linger_ms(&self, env: &dyn Env) -> u64 {
        let config = env.config();
        let timeout = u64::from(self.send_timeout_ms(config).max(self.keepalive_ms(config)));
        timeout.saturating_add(timeout / 4).saturating_add(1000)
    }

    /// What is about to go stays for one more such time: a peer that explores sends Probes until
    /// it is answered, and after an Update or its acknowledgement, which count as payload, either
    /// end waits for the other.
    pub(super) fn linger(&mut self, env: &dyn Env) {
        if self.bond == Bond::Released {
            self.alive = env.now();
        }
    }
}
