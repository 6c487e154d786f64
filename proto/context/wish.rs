// SPDX-License-Identifier: GPL-2.0

//! What applications wish of a context (RFC 6316 sections 6.4, 6.5 and 6.10 to 6.13).
//!
//! Wishes belong to the context, and the first socket that wishes something to as long as it
//! lives: what another one wishes then is granted if it is in force anyway, else apart, in a
//! context of that socket's own (RFC 6316 section 11.1). An application's preference for a
//! locator of the peer counts more than the peer's own. Most contexts have no wishes and pay a
//! pointer for them ([`LocatorStore::wishes`]).

use super::Context;
use crate::proto::addr::Addr;
use crate::proto::config::Config;
use crate::proto::env::Env;
use crate::proto::locator::{LocatorStore, NoMemory, Preference, Wishes};
use crate::proto::reap::activity::Activity;
use crate::proto::reap::ReapState;
use crate::proto::wish::{Explore, Feedback, Granted, Owner, Wanted, Wish, WishError};

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

    /// A socket wishes something. Who `lives` is asked for the one that wished before it.
    pub fn wish(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        by: Owner,
        lives: impl FnOnce(Owner) -> bool,
        wish: &Wish<'_>,
    ) -> Result<Granted, WishError> {
        match wish {
            Wish::Peers(list) => self.check_unreached(env, list.iter().map(|w| w.addr)),
            Wish::Peer(wanted) if self.peers.may_prefer(&wanted.addr).is_err() => {
                self.check_unreached(env, [wanted.addr].into_iter());
            }
            _ => {}
        }
        let owner = self.wishes().and_then(|wishes| wishes.owner);
        if owner.is_some_and(|owner| owner != by && lives(owner)) {
            self.judge(env, wish)?;
            let granted = self.is_in_force(env, wish);
            return Ok(if granted { Granted::Here } else { Granted::Apart });
        }
        // Without memory for its owner nothing is granted.
        self.peers.wishes_mut()?;
        self.grant(env, activity, wish)?;
        self.peers.wishes_mut()?.owner = Some(by);
        Ok(Granted::Here)
    }

    fn grant(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        wish: &Wish<'_>,
    ) -> Result<(), WishError> {
        match *wish {
            Wish::SendTimeout(ms) => self.wish_send_timeout(env, activity, ms),
            Wish::Explore(explore) => self.wish_explore(env, activity, explore),
            Wish::HotStandby(on) => self.wish_hot_standby(on),
            Wish::Local(wanted) => self.wish_local(env, activity, wanted),
            Wish::Peer(wanted) => self.wish_peer(env, activity, wanted),
            Wish::Locals(list) => self.wish_locals(env, activity, list),
            Wish::Peers(list) => self.wish_peers(env, activity, list),
        }
    }

    /// Whether a wish could be granted: a fork knows the same locators.
    fn judge(&self, env: &dyn Env, wish: &Wish<'_>) -> Result<(), WishError> {
        match *wish {
            Wish::SendTimeout(_) | Wish::Explore(_) | Wish::HotStandby(_) => Ok(()),
            Wish::Local(wanted) => self.judge_local(env, &wanted.addr),
            Wish::Locals(list) => {
                self.judge_locals(env, list)?;
                self.judge_presence(env, list)
            }
            Wish::Peer(wanted) => self.peers.may_prefer(&wanted.addr),
            Wish::Peers(list) => self.peers.judge(list),
        }
    }

    /// What is in Ls(local), or could be again (see [`Self::admit`]).
    fn judge_local(&self, env: &dyn Env, addr: &Addr) -> Result<(), WishError> {
        let set = self.local_set(env).ok_or(WishError::NotALocator)?;
        let known = set.listed().any(|l| l.addr == *addr) || set.is_present(addr);
        known.then_some(()).ok_or(WishError::NotALocator)
    }

    fn judge_locals(&self, env: &dyn Env, list: &[Wanted]) -> Result<(), WishError> {
        let set = self.local_set(env).ok_or(WishError::NotALocator)?;
        let all = list.iter().all(|wanted| set.contains(&wanted.addr));
        all.then_some(()).ok_or(WishError::NotALocator)
    }

    fn judge_presence(&self, env: &dyn Env, list: &[Wanted]) -> Result<(), WishError> {
        let set = self.local_set(env).ok_or(WishError::NotALocator)?;
        let any = list.iter().any(|wanted| set.is_present(&wanted.addr));
        any.then_some(()).ok_or(WishError::Nothing)
    }

    /// Whether granting a wish would change nothing.
    fn is_in_force(&self, env: &dyn Env, wish: &Wish<'_>) -> bool {
        let Some(wishes) = self.wishes() else { return false };
        let Some(set) = self.local_set(env) else { return false };
        let is = |addr: &Addr, pref: Preference, wanted: &Wanted| {
            wanted.addr == *addr && (pref.priority, pref.weight) == (wanted.priority, wanted.weight)
        };
        match *wish {
            Wish::SendTimeout(0) => wishes.send_timeout_ms == 0,
            Wish::SendTimeout(ms) => self.send_timeout_ms(env.config()) == ms,
            Wish::Explore(explore) => wishes.explore == explore,
            Wish::HotStandby(on) => wishes.standby.is_on() == on,
            Wish::Local(wanted) => set.listed().any(|l| is(&l.addr, set.preference(l), &wanted)),
            Wish::Locals(list) => {
                list.iter().all(|w| set.listed().any(|l| l.addr == w.addr))
                    && set.listed().all(|l| list.iter().any(|w| is(&l.addr, set.preference(l), w)))
            }
            Wish::Peer(wanted) => {
                let mut used = self.peer_locators().iter().filter(|l| l.is_candidate());
                used.any(|l| is(&l.addr, l.preference(), &wanted))
            }
            Wish::Peers(list) => {
                let used = || self.peer_locators().iter().filter(|l| l.is_candidate());
                list.iter().all(|w| used().any(|l| l.addr == w.addr))
                    && used().all(|l| list.iter().any(|w| is(&l.addr, l.preference(), w)))
            }
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

    /// SHIM_HOT_STANDBY.
    pub fn wish_hot_standby(&mut self, on: bool) -> Result<(), WishError> {
        self.peers.wishes_mut()?.standby.wish(on);
        self.touch();
        Ok(())
    }

    /// SHIM_LOC_LOCAL_PREF: the preference of one locator of ours; the peer is told.
    pub fn wish_local(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        wanted: Wanted,
    ) -> Result<(), WishError> {
        self.judge_local(env, &wanted.addr)?;
        if !self.local_set(env).is_some_and(|set| set.listed().any(|l| l.addr == wanted.addr)) {
            self.admit(env, &wanted.addr)?;
        }
        self.peers.wishes_mut()?.prefer(wanted)?;
        self.wished_anew(env, activity);
        Ok(())
    }

    /// SHIM_LOC_LOCAL_SEND, SHIM_LOC_PEER_SEND: whether packets may be sent from and to these.
    ///
    /// "Error code EUNVERIFIEDLOCATOR is returned when reachability for the requested locator has
    /// not been verified yet. Error code EUNREACHABLELOCATOR is returned when the requested
    /// locator is determined to be unreachable" (RFC 6316 section 6.9).
    pub fn choose(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        local: Option<&Addr>,
        peer: Option<&Addr>,
    ) -> Result<(), WishError> {
        if let Some(peer) = peer {
            self.check_unreached(env, [*peer].into_iter());
            self.peers.usable(peer)?;
        }
        let Some(local) = local else { return Ok(()) };
        let set = self.local_set(env).ok_or(WishError::NotALocator)?;
        if !set.is_present(local) {
            return Err(WishError::NotALocator);
        }
        if !set.is_usable(local) {
            self.admit(env, local)?;
            self.wished_anew(env, activity);
        }
        Ok(())
    }

    /// A locator of ours that applications took out of Ls(local) is in it again: "If the locator
    /// is confirmed to be available, the shim sub-layer SHOULD initiate the procedure to update
    /// the locator list" (RFC 6316 section 14.1.1). The caller knows that it is available; what
    /// nobody could verify is not in our set.
    fn admit(&mut self, env: &dyn Env, addr: &Addr) -> Result<(), WishError> {
        let set = self.local_set(env).ok_or(WishError::NotALocator)?;
        let locator = set.locators.iter().find(|l| l.addr == *addr);
        let pref = locator.ok_or(WishError::NotALocator)?.pref;
        let wanted = Wanted { addr: *addr, priority: pref.priority, weight: pref.weight };
        let generation = env.random() as u32;
        Ok(self.peers.wishes_mut()?.admit(wanted, generation)?)
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
        self.judge_locals(env, list)?;
        self.judge_presence(env, list)?;
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
