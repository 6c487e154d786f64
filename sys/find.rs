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

/// The bits of a pair's hash that choose a bucket, as `shim6_pair_bits()` in `sys/table.c`.
#[inline]
pub(in crate::sys) fn pair_bits(hash: u64, seed: u32) -> u32 {
    hash.rotate_right(seed) as u32
}

/// The bits of a tag that choose a bucket, as `shim6_tag_bits()` in `sys/table.c`.
#[inline]
pub(in crate::sys) fn tag_bits(tag: u64, seed: u32) -> u32 {
    ((tag ^ u64::from(seed)).wrapping_mul(0x61c8_8646_80b5_83eb) >> 32) as u32
}

/// Where in a table the elements of one hash hang.
pub(in crate::sys) struct Chain {
    buckets: *mut bindings::bucket_table,
    bucket: *mut usize,
}

impl Chain {
    /// The chain of what has these bits with the table's seed; `None` in a nested table.
    ///
    /// # Safety
    ///
    /// `table` is initialised, `bits` are those of its hash function, and the RCU read lock is
    /// held for as long as the result is used.
    #[inline]
    pub(in crate::sys) unsafe fn of(
        table: *mut bindings::rhashtable,
        bits: impl FnOnce(u32) -> u32,
    ) -> Option<Chain> {
        // SAFETY: by contract; the bucket table is replaced and freed by RCU. `hash_rnd`, `size`
        // and `nest` never change, and the bucket is one of `size`.
        unsafe {
            let buckets = AtomicPtr::from_ptr(&raw mut (*table).tbl).load(Acquire);
            if (*buckets).nest != 0 {
                return None;
            }
            let index = bits((*buckets).hash_rnd) & (*buckets).size.wrapping_sub(1);
            let bucket = (&raw mut (*buckets).buckets).cast::<usize>().add(index as usize);
            Some(Chain { buckets, bucket })
        }
    }

    /// Whether there is certainly nothing in it, nor elsewhere. `false` says nothing.
    #[inline]
    pub(in crate::sys) fn is_empty(&self) -> bool {
        self.first() == 0 && !self.is_moving()
    }

    /// The first link, or 0.
    #[inline]
    fn first(&self) -> usize {
        // SAFETY: by the contract of `of`. An empty bucket is 0 but for the lock bit.
        unsafe { AtomicUsize::from_ptr(self.bucket).load(Acquire) & !1 }
    }

    /// Whether the table is being resized: what is not in these buckets may be in others.
    #[inline]
    fn is_moving(&self) -> bool {
        // SAFETY: by the contract of `of`.
        unsafe { !AtomicPtr::from_ptr(&raw mut (*self.buckets).future_tbl).load(Acquire).is_null() }
    }

    /// The first element that `wanted` accepts; it is given the element's `rhash_head`.
    #[inline]
    pub(in crate::sys) fn find(
        &self,
        wanted: impl Fn(*mut bindings::rhash_head) -> bool,
    ) -> Found<*mut bindings::rhash_head> {
        let mut link = self.first();
        if link != 0 {
            while link & 1 == 0 {
                let element = link as *mut bindings::rhash_head;
                if wanted(element) {
                    return Found::This(element);
                }
                // SAFETY: what hangs in a bucket lives until a grace period after it was taken
                // out.
                link = unsafe { AtomicUsize::from_ptr(element.cast()).load(Acquire) };
            }
            // A chain's end names the bucket it belongs to.
            if link != self.bucket as usize | 1 {
                return Found::Unsure;
            }
        }
        match self.is_moving() {
            true => Found::Unsure,
            false => Found::Nothing,
        }
    }
}
