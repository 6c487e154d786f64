// SPDX-License-Identifier: GPL-2.0

//! Updating the peer (RFC 5533 section 10), and the messages of an established context.

use super::{Context, Phase, Reject};
use crate::proto::addr::Pair;
use crate::proto::context::event::Hint;
use crate::proto::env::Env;
use crate::proto::locator::pairs::Place;
use crate::proto::locator::{LocalSet, LocatorStore};
use crate::proto::reap::activity::Activity;
use crate::proto::time::{jitter, Instant};
use crate::proto::wire::{Options, Probe};

/// The one Update Request that may be outstanding (section 10.3).
#[derive(Clone, Copy, Debug)]
pub(in crate::proto::context) struct Update {
    /// The Request Nonce.
    pub(super) nonce: u32,
    /// The generation number of the list the peer has or is being told.
    pub(super) generation: u32,
    /// Summary of the set that the peer was told.
    told: Option<u32>,
    /// When the request is sent again; `None` when none is outstanding.
    pub(super) retry_at: Option<Instant>,
    retries: u8,
}

impl Update {
    pub(super) fn new(generation: u32) -> Update {
        Update { nonce: 0, generation, told: None, retry_at: None, retries: 0 }
    }

    /// The set of this summary was put into a message of the exchange.
    pub(super) fn told(&mut self, summary: u32) {
        self.told = Some(summary);
    }

    pub(super) fn is_stale(&self, summary: u32) -> bool {
        self.told.is_some_and(|told| told != summary)
    }

    /// "abandon the previous update and construct a new Update Request (with a new
    /// Request Nonce)".
    pub(super) fn restart(&mut self, nonce: u32, summary: u32) {
        self.nonce = nonce;
        self.generation = self.generation.wrapping_add(1);
        self.told = Some(summary);
        self.retries = 0;
    }

    /// "the retransmissions continue forever. The binary exponential backoff stops at
    /// MAX_UPDATE_TIMEOUT."
    pub(super) fn arm(&mut self, env: &dyn Env) {
        let random = env.random();
        let config = env.config();
        let nominal = u64::from(config.update_timeout_ms) << self.retries.min(16);
        let nominal = nominal.min(u64::from(config.max_update_timeout_ms));
        self.retries = self.retries.saturating_add(1);
        self.retry_at = Some(env.now().after(jitter(nominal, random)));
    }

    pub(super) fn abandon(&mut self) {
        self.retry_at = None;
    }
}

/// What a peer is told of a set, in short: equal for equal lists and preferences, so
/// that a change is noticed.
pub(super) fn summary(set: &LocalSet<'_>) -> u32 {
    set.locators.iter().fold(set.generation | 1, |hash, locator| {
        let told = locator.told();
        [told.flags, told.priority, told.weight]
            .iter()
            .fold(hash, |hash, &octet| (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193))
    })
}

impl<S: LocatorStore> Context<S> {
    /// The STATE rules of sections 10.4, 10.5 and 12.2 for what an established peer sends.
    fn proceed(&mut self) -> Result<(), Reject> {
        match self.phase {
            Phase::I1Sent => Err(Reject::WrongState),
            Phase::Established => Ok(()),
            Phase::I2Sent(_) | Phase::I2bisSent(_) => {
                self.repeat_exchange();
                Ok(())
            }
        }
    }

    /// An Update Request came on `pair`, which is of this context (section 10.4).
    pub fn on_update(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        pair: Pair,
        nonce: u32,
        options: &Options<'_>,
    ) -> Result<(), Reject> {
        self.proceed()?;
        self.take_peer(env, options, &pair.peer)?;
        self.wanted.update_ack = Some((pair, nonce));
        self.control_received(env, activity);
        let works = self.link.peers.get(&self.link.tx.peer).is_some_and(|l| !l.is_broken());
        if !works {
            self.path_hint(env, activity, Hint::Asked);
        }
        Ok(())
    }

    /// An Update Acknowledgement came (section 10.5).
    pub fn on_update_ack(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        nonce: u32,
    ) -> Result<(), Reject> {
        self.proceed()?;
        self.control_received(env, activity);
        if self.update.retry_at.is_some() && self.update.nonce == nonce {
            self.update.abandon();
        }
        Ok(())
    }

    /// A Keepalive came (RFC 5534 section 6.6).
    pub fn on_keepalive(&mut self, env: &dyn Env, activity: &Activity) -> Result<(), Reject> {
        self.proceed()?;
        let Some(view) = self.link.view(env) else { return Err(Reject::WrongState) };
        self.reap.on_keepalive(&view, activity);
        Ok(())
    }

    /// A Probe came on `pair`, which is of this context (RFC 5534 sections 6.7 to 6.9).
    pub fn on_probe(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        pair: Pair,
        probe: &Probe<'_>,
    ) -> Result<(), Reject> {
        self.proceed()?;
        let Some(view) = self.link.view(env) else { return Err(Reject::WrongState) };
        let place = (|| {
            Some(Place {
                local: view.set.index_of(&pair.local)?,
                peer: u8::try_from(view.list.iter().position(|l| l.addr == pair.peer)?).ok()?,
            })
        })();
        let place = place.ok_or(Reject::SourceNotLocator)?;
        let outcome = self.reap.on_probe(probe, place, &view, activity);
        self.apply(outcome);
        Ok(())
    }

    fn control_received(&mut self, env: &dyn Env, activity: &Activity) {
        if let Some(view) = self.link.view(env) {
            self.reap.on_control(&view, activity);
        }
    }
}
