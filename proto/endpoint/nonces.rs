// SPDX-License-Identifier: GPL-2.0

//! From the Initiator Nonce of an R1 or R2 to the context that waits for it (RFC 5533
//! section 12.4), in constant time and in memory of a fixed size, which is also the cap on
//! establishments in progress.
//!
//! An entry is the tag of a context, never 0, at the place that the nonce gives by division.
//! A nonce is random among those whose place is free; an off-path attacker does not know which
//! place is taken.

use super::Table;
use crate::proto::addr::Tag;
use crate::proto::env::Env;

/// How many places are looked at before there is no free one.
const TRIES: usize = 32;

fn place(nonce: u32, len: usize) -> Option<usize> {
    usize::try_from(nonce).ok()?.checked_rem(len)
}

/// Draws a nonce for an exchange of the context with this tag. `None` if too many wait.
pub fn claim<T: Table>(env: &dyn Env, table: &mut T, tag: Tag) -> Option<u32> {
    let len = table.nonce_index().len();
    let drawn = env.random() as u32;
    for step in 0..TRIES.min(len) {
        let nonce = drawn.wrapping_add(u32::try_from(step).ok()?);
        let at = place(nonce, len)?;
        let entry = table.nonce_index().get(at).copied()?;
        if entry == 0 || !is_waiting(table, Tag::new(entry), at, len) {
            *table.nonce_index().get_mut(at)? = tag.get();
            return Some(nonce);
        }
    }
    None
}

fn is_waiting<T: Table>(table: &mut T, tag: Tag, at: usize, len: usize) -> bool {
    let nonce = table.by_tag(tag).and_then(|slot| slot.ctx.nonce());
    nonce.and_then(|nonce| place(nonce, len)) == Some(at)
}

/// The tag of the context that waits for a nonce, perhaps.
pub fn find<T: Table>(table: &mut T, nonce: u32) -> Option<Tag> {
    let index = table.nonce_index();
    let entry = index.get(place(nonce, index.len())?).copied()?;
    (entry != 0).then(|| Tag::new(entry))
}
