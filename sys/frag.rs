// SPDX-License-Identifier: GPL-2.0
//! Fragments of a packet that is to be rehomed.
//!
//! RFC 5533 4.6: "the Shim header will be placed before any Endpoint Extension headers
//! (Fragmentation headers, ...)". The kernel fragments after LOCAL_OUT and would put its Fragment
//! header in front of ours, so a packet that will not fit with 8 more octets is cut here, between
//! identifiers, and each fragment is rehomed by itself.

use crate::sys::bindings;
use crate::sys::hook::Call;
use crate::sys::hook::Owned;
use crate::sys::skb::NoMemory;
use crate::sys::skb::Skb;
use crate::sys::skb::SHIM_LEN;
use core::ptr::NonNull;

/// The fragments of one packet, made one by one.
pub(crate) struct Fragments<'a, 'b> {
    skb: &'a mut Skb<'b>,
    state: bindings::ip6_frag_state,
}

/// Why no fragment can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// The packet's own headers do not fit into `mtu`.
    TooSmall,
    /// Out of memory.
    NoMemory,
}

impl From<NoMemory> for Failed {
    fn from(_: NoMemory) -> Self {
        Failed::NoMemory
    }
}

impl<'a, 'b> Fragments<'a, 'b> {
    /// Starts to cut `skb` into packets of at most `mtu` octets, each with room for a shim header
    /// and `room` octets in front of it.
    pub(crate) fn of(
        call: &Call<'_>,
        skb: &'a mut Skb<'b>,
        mtu: u32,
        room: u32,
    ) -> Result<Self, Failed> {
        if skb.checksum_pending() {
            skb.finish_checksum()?;
        }
        let mut state = bindings::ip6_frag_state::default();
        // SAFETY: namespace and packet are valid; `state` points into the packet's header, which
        // stays where it is while `skb` is borrowed.
        let err = unsafe {
            bindings::shim6_frag_init(
                call.net().as_ptr(),
                skb.as_ptr(),
                mtu,
                room.wrapping_add(SHIM_LEN),
                &mut state,
            )
        };
        match err {
            0 => Ok(Fragments { skb, state }),
            _ => Err(Failed::TooSmall),
        }
    }

    /// The next fragment; `None` after the last one.
    pub(crate) fn next(&mut self) -> Option<Result<Owned, Failed>> {
        if self.state.left == 0 {
            return None;
        }
        // SAFETY: `state` belongs to this packet, which is unchanged since `of`.
        let raw = unsafe { bindings::shim6_frag_next(self.skb.as_ptr(), &mut self.state) };
        match NonNull::new(raw) {
            // SAFETY: a new packet that starts with a linear IPv6 header.
            Some(raw) => Some(Ok(unsafe { Owned::from_raw(raw) })),
            None => {
                self.state.left = 0;
                Some(Err(Failed::NoMemory))
            }
        }
    }
}
