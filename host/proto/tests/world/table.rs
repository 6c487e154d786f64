// SPDX-License-Identifier: GPL-2.0

//! Contexts in memory, as a driver has them.

use shim6_proto::proto::addr::{Addr, Tag, UlidPair};
use shim6_proto::proto::context::Context;
use shim6_proto::proto::endpoint::origins::{self, Origins};
use shim6_proto::proto::endpoint::{Full, Slot, Table};
use shim6_proto::proto::locator::{LocatorStore, NoMemory, PeerLocator, Wishes};
use shim6_proto::proto::reap::activity::Activity;
use std::collections::BTreeMap;

/// A peer's locators in a vector.
#[derive(Debug, Default)]
pub struct Store(Vec<PeerLocator>, Option<Box<Wishes>>);

impl LocatorStore for Store {
    fn assign(&mut self, list: &[PeerLocator]) -> Result<(), NoMemory> {
        self.0 = list.to_vec();
        Ok(())
    }
    fn as_slice(&self) -> &[PeerLocator] {
        &self.0
    }
    fn as_mut_slice(&mut self) -> &mut [PeerLocator] {
        &mut self.0
    }
    fn wishes(&self) -> Option<&Wishes> {
        self.1.as_deref()
    }
    fn wishes_mut(&mut self) -> Result<&mut Wishes, NoMemory> {
        Ok(self.1.get_or_insert_default())
    }
}

/// The context table in plain maps.
#[derive(Default)]
pub struct Contexts {
    pub all: BTreeMap<u64, (Context<Store>, Activity)>,
    next: u64,
    nonces: Vec<u64>,
    origins: Vec<u32>,
}

/// Stands for a keyed hash.
fn key(origin: &Addr) -> u64 {
    origin.prefix().wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(21)
}

impl Contexts {
    /// Whether there are none, and nothing is counted.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.origins.iter().all(|n| *n == 0)
    }

    /// Removes all of them.
    pub fn clear(&mut self) {
        self.all.clear();
        self.origins.clear();
    }

    fn find(
        &mut self,
        mut wanted: impl FnMut(&Context<Store>) -> bool,
    ) -> Option<Slot<'_, u64, Store>> {
        let (id, (ctx, activity)) = self.all.iter_mut().find(|(_, (c, _))| wanted(c))?;
        Some(Slot { id: *id, ctx, activity })
    }
}

impl Table for Contexts {
    type Id = u64;
    type Store = Store;

    fn get(&mut self, id: u64) -> Option<Slot<'_, u64, Store>> {
        let (ctx, activity) = self.all.get_mut(&id)?;
        Some(Slot { id, ctx, activity })
    }
    fn by_tag(&mut self, tag: Tag) -> Option<Slot<'_, u64, Store>> {
        self.find(|c| c.local_tag() == tag)
    }
    fn by_ulids(&mut self, ulids: &UlidPair) -> Option<Slot<'_, u64, Store>> {
        self.find(|c| c.ulids() == ulids)
    }
    fn by_peer_tag(
        &mut self,
        tag: Tag,
        wanted: &mut dyn FnMut(&Context<Store>) -> bool,
    ) -> Option<Slot<'_, u64, Store>> {
        self.find(|c| c.peer_tag() == Some(tag) && wanted(c))
    }
    fn peer_tag_changed(&mut self, id: u64, _: Option<Tag>, to: Option<Tag>) {
        assert_eq!(self.all[&id].0.peer_tag(), to);
    }
    fn insert(&mut self, ctx: Context<Store>) -> Result<u64, Full> {
        assert!(self.by_ulids(ctx.ulids()).is_none() && self.by_tag(ctx.local_tag()).is_none());
        self.next += 1;
        self.origins.resize(64, 0);
        Origins(&mut self.origins).came(key(&ctx.origin()));
        self.all.insert(self.next, (ctx, Activity::new()));
        Ok(self.next)
    }
    fn remove(&mut self, id: u64) {
        if let Some((ctx, _)) = self.all.remove(&id) {
            Origins(&mut self.origins).went(key(&ctx.origin()));
        }
    }
    fn len(&self) -> usize {
        self.all.len()
    }
    fn of_origin(&self, origin: &Addr) -> usize {
        let exact = self.all.values().filter(|(c, _)| c.origin() == *origin).count();
        let told = origins::of(&self.origins, key(origin)) as usize;
        assert!(told >= exact, "{told} contexts of {origin}, and there are {exact}");
        told
    }
    fn forks(&self) -> usize {
        self.all.values().filter(|(ctx, _)| ctx.ulids().fii != 0).count()
    }
    fn nonce_index(&mut self) -> &mut [u64] {
        self.nonces.resize(256, 0);
        &mut self.nonces
    }
}
