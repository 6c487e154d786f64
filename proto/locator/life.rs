// SPDX-License-Identifier: GPL-2.0

//! The life of our own addresses: what the network stack says of one, and what its locator is
//! from then on (RFC 5534 section 3.1, RFC 5533 section 1.5).

use super::{LocalLocator, Preference};
use crate::proto::addr::Presence;
use crate::proto::time::Instant;

/// How long a locator that was lost has to be there again before it is used, in ms, if there is
/// another one: a link that flaps is told to peers twice in that time at most.
const STEADY_MS: u64 = 1000;
/// How long an address that was removed has to be away before its communication ends, in ms: who
/// configures a link anew removes its addresses first.
const WITHDRAWN_MS: u64 = 2000;

/// The past of one locator of ours, which decides what it is now. The driver keeps it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Life {
    /// Since when it cannot be used, though it could.
    lost: Option<Instant>,
    /// When it was removed from a link that works.
    withdrawn: Option<Instant>,
}

/// What a look at an address changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The locator is another one.
    pub changed: bool,
    /// It came into Ls(local) or left it: the list is another one.
    pub listed: bool,
    /// After so many ms it has to be looked at again.
    pub again_ms: Option<u64>,
}

impl Life {
    /// The address was removed from a link that works: an administrator did it, or its valid
    /// lifetime ended.
    pub fn withdraw(&mut self, now: Instant) {
        self.withdrawn.get_or_insert(now);
    }

    /// Brings the locator up to date. `pref` is what the policy says of it, `None` to leave it
    /// out; `alone`: no other one of its set can be used.
    pub fn look(
        &mut self,
        locator: &mut LocalLocator,
        presence: Presence,
        pref: Option<Preference>,
        alone: bool,
        now: Instant,
    ) -> Change {
        let old = *locator;
        let there = matches!(presence, Presence::Usable | Presence::Deprecated);
        let usable = there && pref.is_some();
        let steady_ms = self.steady_ms(&old, usable, alone, now);
        locator.usable = usable && steady_ms.is_none();
        if usable {
            let deprecated = presence == Presence::Deprecated;
            let flag = if deprecated { Preference::TRANSIENT } else { 0 };
            locator.pref.flags = (locator.pref.flags & !Preference::TRANSIENT) | flag;
        }
        if let Some(pref) = pref {
            locator.pref = Preference { flags: locator.pref.flags, ..pref };
        }
        let withdrawn_ms = self.withdrawn_ms(presence, now);
        let withdrawn = self.withdrawn.is_some() && withdrawn_ms.is_none();
        locator.withdrawn = withdrawn || pref.is_none();
        Change {
            changed: old != *locator,
            listed: old.withdrawn != locator.withdrawn,
            again_ms: steady_ms.into_iter().chain(withdrawn_ms).min(),
        }
    }

    /// How long a locator that is back has to wait until it is used; `None` if it has not.
    fn steady_ms(
        &mut self,
        old: &LocalLocator,
        usable: bool,
        alone: bool,
        now: Instant,
    ) -> Option<u64> {
        if !usable {
            if old.usable || self.lost.is_some() {
                self.lost = Some(now);
            }
            return None;
        }
        let rest = self.lost.map_or(0, |lost| STEADY_MS.saturating_sub(now.since(lost)));
        if rest == 0 || alone {
            self.lost = None;
            return None;
        }
        Some(rest)
    }

    /// How long a withdrawn address may still come back; `None` if it is there, or is given up.
    fn withdrawn_ms(&mut self, presence: Presence, now: Instant) -> Option<u64> {
        if presence != Presence::Absent {
            self.withdrawn = None;
        }
        let rest = WITHDRAWN_MS.saturating_sub(now.since(self.withdrawn?));
        (rest != 0).then_some(rest)
    }
}
