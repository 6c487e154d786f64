// SPDX-License-Identifier: GPL-2.0

//! The keyed hash of a pair of addresses: who chooses addresses cannot choose slots.
//!
//! It is siphash, with one key that is drawn when the module is loaded. A packet pays for it where
//! its pair is new: each processor remembers some pairs and their hashes ([`remembered`]), which
//! never get stale, as a hash is nothing but that of its pair. Whoever makes pairs meet in one
//! place of this memory makes their packets cost what the hash costs, no more.

use crate::proto::addr::Addr;
use crate::sys::bindings;
use core::mem::size_of;
use core::sync::atomic::fence;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Acquire;
use core::sync::atomic::Ordering::Relaxed;
use kernel::error::to_result;
use kernel::prelude::*;

const MEMOS: usize = bindings::SHIM6_MEMOS as usize;
const _: () = assert!(MEMOS.is_power_of_two());
const _: () = assert!(size_of::<bindings::shim6_memo>() == 64);

/// The key, and what processors remember; exists once, and longer than who hashes.
pub(crate) struct Memory(());

impl Memory {
    /// Draws the key.
    pub(crate) fn create() -> Result<Self> {
        // SAFETY: called once, from the module's init.
        to_result(unsafe { bindings::shim6_hash_init() })?;
        Ok(Memory(()))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: made in `create`; nobody hashes any more.
        unsafe { bindings::shim6_hash_exit() };
    }
}

/// A pair of addresses in words, as they lie in memory.
type Words = [u64; 4];

#[inline]
fn words(local: &Addr, peer: &Addr) -> Words {
    let (local, peer) = (u128::from_ne_bytes(local.0), u128::from_ne_bytes(peer.0));
    [local as u64, (local >> 64) as u64, peer as u64, (peer >> 64) as u64]
}

/// Where a pair is remembered. The other direction is another pair, with another place.
#[inline]
fn place(pair: &Words) -> usize {
    let [a, b, c, d] = *pair;
    let sum = a.wrapping_add(b).wrapping_add(c.wrapping_add(d).wrapping_mul(3));
    (sum.wrapping_mul(0x61c8_8647) >> (64 - MEMOS.trailing_zeros())) as usize
}

/// The hash of a pair; any context, while [`Memory`] exists.
pub(crate) fn of(local: &Addr, peer: &Addr) -> u64 {
    remembered(local, peer).unwrap_or_else(|| fresh(words(local, peer)))
}

/// The hash of a pair, if this processor remembers it.
///
/// The reader may be interrupted by who writes, and moved to another processor while the first one
/// writes on. A memo's pair is none, then its turn changes, then its words, and its pair comes
/// last: who finds the wanted pair between two looks at the same turn has read one memo.
#[inline]
pub(crate) fn remembered(local: &Addr, peer: &Addr) -> Option<u64> {
    let pair = words(local, peer);
    // SAFETY: the place is below MEMOS, for which each processor has memory while `Memory` exists;
    // every access to it is atomic.
    unsafe {
        let memo = memos().add(place(&pair));
        let load = |word: *mut u64| AtomicU64::from_ptr(word).load(Relaxed);
        let turn = AtomicU64::from_ptr(&raw mut (*memo).turn).load(Acquire);
        let known = (&raw mut (*memo).pair).cast::<u64>();
        let same = AtomicU64::from_ptr(known).load(Acquire) == pair[0]
            && load(known.add(1)) == pair[1]
            && load(known.add(2)) == pair[2]
            && load(known.add(3)) == pair[3];
        if !same {
            return None;
        }
        let hash = load(&raw mut (*memo).hash);
        fence(Acquire);
        (load(&raw mut (*memo).turn) == turn).then_some(hash)
    }
}

#[cold]
fn fresh(pair: Words) -> u64 {
    // SAFETY: four words, and a place below MEMOS; any context.
    unsafe { bindings::shim6_hash_pair(pair.as_ptr(), place(&pair) as u32) }
}

/// This processor's memos; it may be another one's the next moment.
#[inline]
fn memos() -> *mut bindings::shim6_memo {
    #[cfg(all(target_arch = "x86_64", CONFIG_SMP))]
    // SAFETY: `shim6_memos` was set before anybody hashes; a per-CPU pointer and the processor's
    // offset make an address.
    unsafe {
        let mut memos: usize = bindings::shim6_memos as usize;
        core::arch::asm!(
            "add {0}, gs:[rip + {1}]",
            inout(reg) memos,
            sym bindings::this_cpu_off,
            options(nostack, readonly)
        );
        memos as *mut bindings::shim6_memo
    }
    #[cfg(not(all(target_arch = "x86_64", CONFIG_SMP)))]
    // SAFETY: the memos exist.
    unsafe {
        bindings::shim6_hash_memos()
    }
}
