// SPDX-License-Identifier: GPL-2.0

//! Positive feedback of applications (RFC 6316 section 7.3), and how long it counts.
//!
//! Any socket of a context can give it, whether it is true or not, and all of them share the
//! path. If it stood for a packet of the peer's without end, one could keep from the others that
//! their path is dead. So it does for one Send Timeout, counted from when it was first given since
//! the peer itself was heard; a peer that is there is heard in that time, since it owes Keepalives.

use super::Context;
use crate::proto::counter::Counter;
use crate::proto::env::Env;
use crate::proto::locator::LocatorStore;
use crate::proto::reap::activity::Activity;

impl<S: LocatorStore> Context<S> {
    /// "There is satisfactory unidirectional reachability between the locator pair in question"
    /// (RFC 6316 section 8.3): evidence, as a packet of the peer's.
    pub(super) fn vouch(&mut self, env: &dyn Env, activity: &Activity) {
        match self.counts_as_heard(env, activity) {
            true => self.reap_step(env, activity, |reap, io| reap.incoming_payload(io)),
            false => env.count(Counter::FeedbackIgnored),
        }
    }

    fn counts_as_heard(&mut self, env: &dyn Env, activity: &Activity) -> bool {
        let (now, heard) = (env.now(), env.ticks().instant(activity.last_rx()));
        let limit = u64::from(self.config(env).send_timeout_ms);
        // What cannot be limited does not count.
        let Ok(wishes) = self.peers.wishes_mut() else { return false };
        let since = match wishes.vouched {
            Some(since) if heard <= since => since,
            _ => now,
        };
        wishes.vouched = Some(since);
        now.since(since) <= limit
    }

    /// A message of the peer's came; packets of data leave their mark in [`Activity`].
    pub(super) fn peer_heard(&mut self) {
        if self.peers.wishes().is_some_and(|wishes| wishes.vouched.is_some()) {
            if let Ok(wishes) = self.peers.wishes_mut() {
                wishes.vouched = None;
            }
        }
    }
}
