// SPDX-License-Identifier: GPL-2.0

//! From Initiator Nonces to contexts: R1 and R2 carry no tag and no ULIDs (RFC 5533
//! section 12.4).
//!
//! An R1 that came between the ULIDs is found by them; this index is for the others. The
//! memory is the table's and of a fixed size: a newer exchange may push an older one out
//! of its place, which then has to begin again.

use crate::proto::addr::Tag;

/// The place of a nonce. Nonces are random: they need no hash.
fn place(index: &mut [u64], nonce: u32) -> Option<&mut u64> {
    let n = u32::try_from(index.len()).ok()?;
    index.get_mut(usize::try_from(nonce.checked_rem(n)?).ok()?)
}

/// An exchange with this nonce belongs to the context with this CT(local).
pub(super) fn note(index: &mut [u64], nonce: u32, tag: Tag) {
    if let Some(place) = place(index, nonce) {
        *place = tag.get();
    }
}

/// The tag that was noted for a nonce, or for another one in its place.
pub(super) fn find(index: &mut [u64], nonce: u32) -> Option<Tag> {
    place(index, nonce).map(|tag| Tag::new(*tag)).filter(|tag| tag.get() != 0)
}
