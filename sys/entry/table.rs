// SPDX-License-Identifier: GPL-2.0

//! A new context learns whose it is: the way back from its timer to the namespace's state.

use crate::netns::NetState;
use crate::proto::addr::Tag;
use crate::proto::addr::UlidPair;
use crate::sys::table::InsertError;
use crate::table::Locked;
use crate::table::Shared;
use crate::table::Writer;
use core::ptr::from_ref;

/// Adds a context to the tables of `state`, whose `writer` is.
pub(crate) fn insert(
    state: &NetState,
    writer: &mut Writer,
    ulids: &UlidPair,
    tag: Tag,
    shared: Shared,
    locked: Locked,
) -> Result<(), InsertError> {
    let owner = from_ref(state).cast_mut().cast();
    // SAFETY: `state` owns the tables, so it outlives their contexts.
    unsafe { writer.insert_raw(owner, ulids, tag, shared, locked) }
}
