// SPDX-License-Identifier: GPL-2.0
//! The read side of the kernel's rhashtable, as the packet path uses it.
//!
//! A packet looks for its context at each end; a C function behind `rhashtable_lookup()` costs
//! more than the search itself, so the search is written out here, on the kernel's own structures.
//! Whatever is not the plain case (a nested table, one that is being resized, a chain that ends
//! elsewhere because an element moved) is [`Found::Unsure`], and the kernel's function is asked.

use crate::sys::bindings;
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Acquire;

/// What a search found.
pub(in crate::sys) enum Found<T> {
    /// This element.
    This(T),
    /// None that was wanted.
    Nothing,
    /// The kernel has to be asked.
    Unsure,
}

/// Spreads a 64-bit hash over buckets, as `shim6_fold()` in `sys/table.c`.
#[inline]
fn fold(hash: u64, seed: u32) -> u32 {
    ((hash ^ u64::from(seed)).wrapping_mul(0x61c8_8646_80b5_83eb) >> 32) as u32
}

/// Searches a table for the first element with `hash` that `wanted` accepts; it is given the
/// element's `rhash_head`.
///
/// # Safety
///
/// `table` is initialised, its hash functions are `shim6_fold()`, and the RCU read lock is held
/// for as long as the result is used.
#[inline]
pub(in crate::sys) unsafe fn find(
    table: *mut bindings::rhashtable,
    hash: u64,
    wanted: impl Fn(*mut bindings::rhash_head) -> bool,
) -> Found<*mut bindings::rhash_head> {
    // SAFETY: by contract; the bucket table is replaced and freed by RCU. `hash_rnd`, `size` and
    // `nest` never change, the bucket is one of `size`, and what hangs in it lives until a grace
    // period after it was taken out.
    unsafe {
        let buckets = AtomicPtr::from_ptr(&raw mut (*table).tbl).load(Acquire);
        if (*buckets).nest != 0 {
            return Found::Unsure;
        }
        let index = fold(hash, (*buckets).hash_rnd) & (*buckets).size.wrapping_sub(1);
        let bucket = (&raw mut (*buckets).buckets).cast::<usize>().add(index as usize);
        // An empty chain is 0 but for the lock bit; a chain's end has its lowest bit set and
        // names the bucket it belongs to.
        let mut link = AtomicUsize::from_ptr(bucket).load(Acquire) & !1;
        if link != 0 {
            while link & 1 == 0 {
                let element = link as *mut bindings::rhash_head;
                if wanted(element) {
                    return Found::This(element);
                }
                link = AtomicUsize::from_ptr(element.cast()).load(Acquire);
            }
            if link != bucket as usize | 1 {
                return Found::Unsure;
            }
        }
        if !AtomicPtr::from_ptr(&raw mut (*buckets).future_tbl).load(Acquire).is_null() {
            return Found::Unsure;
        }
        Found::Nothing
    }
}
