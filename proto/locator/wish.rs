// SPDX-License-Identifier: GPL-2.0

//! What applications wish of one context's own locators and timers (RFC 6316 section 6).
//!
//! Ls(local) belongs to a set that many contexts share; a context that applications have
//! wishes for has them in memory of its own. They go by address: the set may change.

use super::{NoMemory, Preference, Standby, MAX_LOCATORS};
use crate::proto::addr::{Addr, Pair};
use crate::proto::time::Instant;
use crate::proto::wish::{Explore, Owner, Wanted};

/// A locator of the peer's that is being reached for the first time, because an application
/// asked for it.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// The pair that is probed.
    pub pair: Pair,
    /// What the answer has to name.
    pub nonce: u32,
    /// Probes that are left.
    pub left: u8,
    /// When the next one is due.
    pub next: Instant,
}

/// The wishes of one context; the driver keeps them behind a pointer
/// ([`super::LocatorStore::wishes`]).
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    /// Whose they are: the last socket that wished something, if it lives.
    pub owner: Option<Owner>,
    /// The Send Timeout in ms; 0: the administrator's.
    pub send_timeout_ms: u32,
    /// Parameters of exploration.
    pub explore: Explore,
    /// The pair that stands by.
    pub standby: Standby,
    /// The reachability check that runs.
    pub check: Option<Check>,
    /// When an application first said that the path works since the peer was heard.
    pub vouched: Option<Instant>,
    len: u8,
    locals: [Wanted; MAX_LOCATORS],
    /// Only what is in `locals` is Ls(local), and this goes into its generation.
    narrowed: Option<u32>,
}

impl Wishes {
    fn locals(&self) -> &[Wanted] {
        self.locals.get(..usize::from(self.len)).unwrap_or_default()
    }

    fn get(&self, addr: &Addr) -> Option<&Wanted> {
        self.locals().iter().find(|l| l.addr == *addr)
    }

    /// Whether Ls(local) is without this locator.
    pub(super) fn excludes(&self, addr: &Addr) -> bool {
        self.narrowed.is_some() && self.get(addr).is_none()
    }

    /// The preference of a locator, in place of the administrator's.
    pub(super) fn preference(&self, addr: &Addr, set: Preference) -> Preference {
        match self.get(addr) {
            Some(wish) => Preference { priority: wish.priority, weight: wish.weight, ..set },
            None => set,
        }
    }

    /// The generation of the list, if it is another one than the set's.
    pub(super) fn generation(&self, set: u32) -> u32 {
        self.narrowed.map_or(set, |own| own.wrapping_add(set))
    }

    /// Prefers a locator so much.
    pub fn prefer(&mut self, wanted: Wanted) -> Result<(), NoMemory> {
        let len = usize::from(self.len);
        let known = self.locals().iter().position(|l| l.addr == wanted.addr);
        let room = self.locals.get_mut(known.unwrap_or(len)).ok_or(NoMemory)?;
        *room = wanted;
        if known.is_none() {
            self.len = self.len.saturating_add(1);
        }
        Ok(())
    }

    /// Takes a locator into a narrowed Ls(local).
    pub fn admit(&mut self, wanted: Wanted, generation: u32) -> Result<(), NoMemory> {
        self.prefer(wanted)?;
        self.narrowed = Some(generation);
        Ok(())
    }

    /// From now on only these are Ls(local).
    pub fn narrow(&mut self, list: &[Wanted], generation: u32) -> Result<(), NoMemory> {
        self.locals.get_mut(..list.len()).ok_or(NoMemory)?.copy_from_slice(list);
        self.len = u8::try_from(list.len()).map_err(|_| NoMemory)?;
        self.narrowed = Some(generation);
        Ok(())
    }
}
