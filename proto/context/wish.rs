// SPDX-License-Identifier: GPL-2.0

//! What applications wish of a context (RFC 6316 sections 6.4, 6.5 and 6.10 to 6.13).
//!
//! Wishes belong to the context: of several sockets that share it, the last one's counts. An
//! application's preference for a locator of the peer counts more than the peer's own. Most
//! contexts have no wishes and pay a pointer for them ([`LocatorStore::wishes`]).

use super::Context;
use crate::proto::config::Config;
use crate::proto::env::Env;
use crate::proto::locator::{LocatorStore, NoMemory, Wishes};
use crate::proto::reap::activity::Activity;
use crate::proto::reap::ReapState;
use crate::proto::wish::{Explore, Feedback, Wanted, WishError};

impl From<NoMemory> for WishError {
    fn from(_: NoMemory) -> Self {
        WishError::NoMemory
    }
}

impl<S: LocatorStore> Context<S> {
    /// What applications wish, if anything.
    pub fn wishes(&self) -> Option<&Wishes> {
        self.peers.wishes()
    }

    /// The namespace's settings with this context's wishes.
    pub(super) fn config(&self, env: &dyn Env) -> Config {
        self.wished(env.config())
    }

    /// `config` with this context's wishes.
    pub(super) fn wished(&self, config: &Config) -> Config {
        let mut config = *config;
        let Some(wishes) = self.wishes() else { return config };
        let explore = &wishes.explore;
        for (ours, wish) in [
            (&mut config.send_timeout_ms, wishes.send_timeout_ms),
            (&mut config.initial_probes, explore.initial_probes),
            (&mut config.initial_probe_timeout_ms, explore.initial_probe_timeout_ms),
            (&mut config.keepalive_timeout_ms, explore.keepalive_timeout_ms),
            (&mut config.keepalive_interval_ms, explore.keepalive_interval_ms),
        ] {
            if wish != 0 {
                *ours = wish;
            }
        }
        config
    }

    /// The parameters of exploration that are in force, of a namespace with these settings.
    pub fn explore(&self, config: &Config) -> Explore {
        let config = self.wished(config);
        Explore {
            initial_probes: config.initial_probes,
            initial_probe_timeout_ms: config.initial_probe_timeout_ms,
            keepalive_timeout_ms: self.keepalive_ms(&config),
            keepalive_interval_ms: config.keepalive_interval_ms,
        }
    }

    /// SHIM_APP_TIMEOUT: the Send Timeout in ms, 0 for the administrator's; the peer is told.
    pub fn wish_send_timeout(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        ms: u32,
    ) -> Result<(), WishError> {
        self.peers.wishes_mut()?.send_timeout_ms = ms;
        self.wished_anew(env, activity);
        Ok(())
    }

    /// SHIM_PATHEXPLORE.
    pub fn wish_explore(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        explore: Explore,
    ) -> Result<(), WishError> {
        self.peers.wishes_mut()?.explore = explore;
        self.wished_anew(env, activity);
        Ok(())
    }

    /// SHIM_LOC_LOCAL_PREF: the preference of one locator of ours; the peer is told.
    pub fn wish_local(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        wanted: Wanted,
    ) -> Result<(), WishError> {
        let set = self.local_set(env).ok_or(WishError::NotALocator)?;
        if !set.contains(&wanted.addr) {
            return Err(WishError::NotALocator);
        }
        self.peers.wishes_mut()?.prefer(wanted)?;
        self.wished_anew(env, activity);
        Ok(())
    }

    /// SHIM_LOC_PEER_PREF: the preference of one locator of the peer's.
    pub fn wish_peer(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        wanted: Wanted,
    ) -> Result<(), WishError> {
        self.peers.wish(wanted)?;
        self.wished_anew(env, activity);
        Ok(())
    }

    /// SHIM_LOCLIST_LOCAL: of Ls(local) these only, with these preferences; the peer is told.
    pub fn wish_locals(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        list: &[Wanted],
    ) -> Result<(), WishError> {
        let set = self.local_set(env).ok_or(WishError::NotALocator)?;
        if !list.iter().all(|wanted| set.contains(&wanted.addr)) {
            return Err(WishError::NotALocator);
        }
        if !list.iter().any(|wanted| set.is_present(&wanted.addr)) {
            return Err(WishError::Nothing);
        }
        let generation = env.random() as u32;
        self.peers.wishes_mut()?.narrow(list, generation)?;
        self.wished_anew(env, activity);
        Ok(())
    }

    /// SHIM_LOCLIST_PEER: of Ls(peer) these only, with these preferences.
    pub fn wish_peers(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        list: &[Wanted],
    ) -> Result<(), WishError> {
        self.peers.narrow(list)?;
        self.wished_anew(env, activity);
        Ok(())
    }

    /// Feedback of an application: a negative one asks whether the current pair works, which
    /// costs others of this context some probes; a pair is left only if it does not answer.
    pub fn feedback(&mut self, env: &dyn Env, activity: &Activity, feedback: Feedback) {
        self.path_hint(
            env,
            activity,
            match feedback {
                Feedback::Satisfactory => super::Hint::PositiveFeedback,
                Feedback::Negative => super::Hint::NegativeFeedback,
            },
        );
    }

    /// A wish changed: the peer is told what it has to know, and the best pair is tried at
    /// once, since somebody asked for it.
    fn wished_anew(&mut self, env: &dyn Env, activity: &Activity) {
        self.touch();
        self.announce(env);
        if self.reap_state() == Some(ReapState::Operational) && self.is_worse(env) {
            self.reap_step(env, activity, |reap, io| reap.try_best(io));
        }
    }
}
