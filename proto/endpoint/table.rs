// SPDX-License-Identifier: GPL-2.0

//! The context table as the core sees it. The driver owns the memory and the indexes.

use crate::proto::addr::{Addr, Tag, UlidPair};
use crate::proto::context::Context;
use crate::proto::locator::LocatorStore;
use crate::proto::reap::activity::Activity;

/// There is no memory for another context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// A context in the table.
#[derive(Debug)]
pub struct Slot<'a, Id, S> {
    /// Its place.
    pub id: Id,
    /// The context.
    pub ctx: &'a mut Context<S>,
    /// What its packets wrote.
    pub activity: &'a Activity,
}

/// The context table of one namespace, entered with its control lock held. None of its contexts
/// is gone: the driver takes such out before it releases the lock.
#[expect(clippy::len_without_is_empty)] // Nobody asks.
pub trait Table {
    /// A context's place; not used after `remove`.
    type Id: Copy + Eq;
    /// Memory of peer locator lists.
    type Store: LocatorStore;

    /// The context at a place.
    fn get(&mut self, id: Self::Id) -> Option<Slot<'_, Self::Id, Self::Store>>;
    /// The context with this CT(local).
    fn by_tag(&mut self, tag: Tag) -> Option<Slot<'_, Self::Id, Self::Store>>;
    /// The context with this name.
    fn by_ulids(&mut self, ulids: &UlidPair) -> Option<Slot<'_, Self::Id, Self::Store>>;
    /// The first context whose `peer_tag()` is this and for which `wanted` holds. Peers
    /// choose these tags: several contexts may have the same.
    fn by_peer_tag(
        &mut self,
        tag: Tag,
        wanted: &mut dyn FnMut(&Context<Self::Store>) -> bool,
    ) -> Option<Slot<'_, Self::Id, Self::Store>>;
    /// `peer_tag()` of a context changed: keep the index of [`Table::by_peer_tag`].
    fn peer_tag_changed(&mut self, id: Self::Id, from: Option<Tag>, to: Option<Tag>);
    /// Adds a context. Its tag and name are not in the table yet.
    fn insert(&mut self, ctx: Context<Self::Store>) -> Result<Self::Id, Full>;
    /// Removes a context.
    fn remove(&mut self, id: Self::Id);
    /// How many contexts have this [`Context::origin`], or a few more.
    fn of_origin(&self, origin: &Addr) -> usize;
    /// How many contexts there are.
    fn len(&self) -> usize;
    /// How many of them are forked: with a Forked Instance Identifier other than 0.
    fn forks(&self) -> usize;
    /// Memory for the index from initiator nonces to tags: best a power of two and at
    /// least twice `max_pending`, all zero at first. Only [`super::Endpoint`] uses it.
    fn nonce_index(&mut self) -> &mut [u64];
}
