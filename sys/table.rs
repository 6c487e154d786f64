// SPDX-License-Identifier: GPL-2.0

//! The hash tables that find a context, and its timer.
//!
//! [`Entry`] is one context: a part that everybody reads (`S`, under RCU) and a part that only
//! the holder of the control lock sees (`L`, through [`Writer`], of which there is one for each
//! [`Tables`]). What leaves the tables is freed a grace period later; timers count as readers,
//! since they run in softirqs.

use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::proto::addr::Tag;
use crate::proto::addr::UlidPair;
use crate::proto::time::Instant;
use crate::sys::bindings;
use crate::sys::clock;
use crate::sys::find::pair_bits;
use crate::sys::find::tag_bits;
use crate::sys::find::Chain;
use crate::sys::find::Found;
use crate::sys::hash;
use crate::sys::in6;
use crate::sys::rcu::Guard;
use crate::sys::rcu::Rcu;
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::offset_of;
use core::ops::Deref;
use core::pin::Pin;
use core::ptr::null_mut;
use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::types::Opaque;

/// Where the chains of the two tables hang in a node.
const BY_ULIDS: usize = offset_of!(bindings::shim6_node, by_ulids);
const BY_TAG: usize = offset_of!(bindings::shim6_node, by_tag);

/// The hash of a forked instance, from that of its ULIDs.
#[inline]
fn forked(hash: u64, fii: u32) -> u64 {
    hash ^ u64::from(fii).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// One context.
///
/// # Invariants
///
/// `head` was initialised; while the entry is in the tables its key and tag do not change.
#[repr(C)]
pub(crate) struct Entry<S, L> {
    head: Opaque<bindings::shim6_node>,
    shared: S,
    locked: UnsafeCell<L>,
}

// SAFETY: `head` is the kernel's to serialise, `locked` is reached through the one `Writer` only.
unsafe impl<S: Sync + Send, L: Send> Sync for Entry<S, L> {}
// SAFETY: as above.
unsafe impl<S: Sync + Send, L: Send> Send for Entry<S, L> {}

impl<S, L> Deref for Entry<S, L> {
    type Target = S;

    #[inline]
    fn deref(&self) -> &S {
        &self.shared
    }
}

impl<S, L> Entry<S, L> {
    /// Its ULIDs and its forked instance.
    pub(crate) fn ulids(&self) -> UlidPair {
        // SAFETY: by the type invariant `head` is initialised and its key immutable.
        let key = unsafe { &(*self.head.get()).key };
        UlidPair {
            pair: Pair { local: super::addr(&key.local), peer: super::addr(&key.peer) },
            fii: key.fii,
        }
    }

    /// CT(local).
    #[inline]
    pub(crate) fn tag(&self) -> Tag {
        // SAFETY: by the type invariant `head` is initialised and its tag immutable.
        Tag::new(unsafe { (*self.head.get()).tag })
    }

    /// Makes the timer fire at `at` instead of whenever it was to fire.
    pub(crate) fn arm(&self, at: Instant) {
        // SAFETY: by the type invariant; does nothing once the entry left the tables.
        unsafe { bindings::shim6_node_arm(self.head.get(), clock::expiry(at)) };
    }

    /// Makes the timer fire at `at` unless it fires earlier; any context, no lock.
    #[cold]
    pub(crate) fn arm_earlier(&self, at: Instant) {
        // SAFETY: as for `arm`.
        unsafe { bindings::shim6_node_arm_earlier(self.head.get(), clock::expiry(at)) };
    }

    /// The state of the namespace this context belongs to.
    pub(in crate::sys) fn owner(&self) -> *mut c_void {
        // SAFETY: by the type invariant; the owner is immutable.
        unsafe { (*self.head.get()).owner }
    }

    /// Frees an entry.
    ///
    /// # Safety
    ///
    /// `raw` was allocated by [`Writer::insert`], and its grace period is over.
    pub(in crate::sys) unsafe fn free(raw: *mut Self) {
        // SAFETY: by contract nobody else can reach it; the memory is from `shim6_node_alloc`.
        unsafe {
            core::ptr::drop_in_place(raw);
            bindings::shim6_node_release(raw.cast());
        }
    }
}

/// The memory that entries come from; exists once.
pub(crate) struct Memory(());

impl Memory {
    /// Makes the cache for entries of this type.
    pub(crate) fn create<S, L>() -> Result<Self> {
        let layout = core::alloc::Layout::new::<Entry<S, L>>();
        // SAFETY: called once, from the module's init.
        to_result(unsafe {
            bindings::shim6_nodes_create(layout.size() as u32, layout.align() as u32)
        })?;
        Ok(Memory(()))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        super::rcu::rcu_barrier();
        // SAFETY: the namespaces' tables are gone, and so is what they left to RCU.
        unsafe { bindings::shim6_nodes_destroy() };
    }
}

/// The tables of one namespace.
pub(crate) struct Tables<S, L> {
    raw: Pin<KBox<Opaque<bindings::shim6_tables>>>,
    entries: PhantomData<Entry<S, L>>,
}

// SAFETY: the tables serialise their own access.
unsafe impl<S: Sync + Send, L: Send> Send for Tables<S, L> {}
// SAFETY: as above.
unsafe impl<S: Sync + Send, L: Send> Sync for Tables<S, L> {}

impl<S, L> Tables<S, L> {
    /// Empty tables, and the one value that may change them.
    pub(crate) fn new() -> Result<(Self, Writer<S, L>)> {
        let raw = KBox::pin(Opaque::<bindings::shim6_tables>::uninit(), GFP_KERNEL)?;
        // SAFETY: pinned memory of its own.
        to_result(unsafe { bindings::shim6_tables_init(raw.get()) })?;
        let writer = Writer { raw: raw.get(), entries: PhantomData };
        Ok((Tables { raw, entries: PhantomData }, writer))
    }

    /// Finds memory for aliases, before the first context comes; for one task at a time.
    pub(crate) fn reserve(&self) -> Result {
        // SAFETY: the tables are initialised; may sleep, as the caller may.
        to_result(unsafe { bindings::shim6_tables_reserve(self.raw.get()) })
    }

    /// Where the contexts of a hash of two ULIDs hang.
    ///
    /// # Safety
    ///
    /// The RCU read lock is held for as long as the result is used.
    #[inline]
    unsafe fn chain(&self, hash: u64) -> Option<Chain> {
        // SAFETY: the tables are initialised; by contract.
        unsafe { Chain::of(&raw mut (*self.raw.get()).ulids, |seed| pair_bits(hash, seed)) }
    }

    /// Whether there is certainly no context of this hash. `false` says nothing.
    #[inline]
    pub(crate) fn has_none(&self, _rcu: Rcu<'_>, hash: u64) -> bool {
        // SAFETY: the RCU read lock is held.
        unsafe { self.chain(hash) }.is_some_and(|chain| chain.is_empty())
    }

    /// The default context of two ULIDs, whose `hash` is that of [`hash::of`].
    #[inline]
    pub(crate) fn by_ulids<'a>(
        &'a self,
        _rcu: Rcu<'a>,
        hash: u64,
        local: &Addr,
        peer: &Addr,
    ) -> Option<&'a Entry<S, L>> {
        let tables = self.raw.get();
        // SAFETY: the tables are initialised, and what hangs in them are nodes by `by_ulids`, each
        // the head of an entry; the addresses are 16 octets each; RCU keeps the result.
        unsafe {
            let found = self.chain(hash).map_or(Found::Unsure, |chain| {
                chain.find(|head| {
                    let key = &(*head.byte_sub(BY_ULIDS).cast::<bindings::shim6_node>()).key;
                    super::addr(&key.peer) == *peer
                        && super::addr(&key.local) == *local
                        && key.fii == 0
                })
            });
            as_entry(match found {
                Found::This(head) => head.byte_sub(BY_ULIDS).cast(),
                Found::Nothing => null_mut(),
                Found::Unsure => {
                    let (local, peer) = (local.0.as_ptr(), peer.0.as_ptr());
                    bindings::shim6_by_ulids(tables, hash, local, peer, 0)
                }
            })
        }
    }

    /// The context of a CT(local).
    #[inline]
    pub(crate) fn by_tag<'a>(&'a self, _rcu: Rcu<'a>, tag: Tag) -> Option<&'a Entry<S, L>> {
        let tables = self.raw.get();
        // SAFETY: as in `by_ulids`.
        unsafe {
            let chain = Chain::of(&raw mut (*tables).tags, |seed| tag_bits(tag.get(), seed));
            let found = chain.map_or(Found::Unsure, |chain| {
                chain.find(|head| {
                    (*head.byte_sub(BY_TAG).cast::<bindings::shim6_node>()).tag == tag.get()
                })
            });
            as_entry(match found {
                Found::This(head) => head.byte_sub(BY_TAG).cast(),
                Found::Nothing => null_mut(),
                Found::Unsure => bindings::shim6_by_tag(tables, tag.get()),
            })
        }
    }

    /// The contexts of an alias.
    pub(crate) fn by_alias<'a>(
        &'a self,
        _rcu: Rcu<'a>,
        alias: u64,
    ) -> impl Iterator<Item = &'a Entry<S, L>> {
        // SAFETY: as in `by_ulids`.
        let first = unsafe { bindings::shim6_by_alias(self.raw.get(), alias) };
        // SAFETY: as in `by_ulids`; each is kept by RCU while the next is asked for.
        core::iter::successors(NonNull::new(first), move |n| unsafe {
            NonNull::new(bindings::shim6_alias_next(n.as_ptr(), alias))
        })
        .map(|n| {
            // SAFETY: every node is the head of an entry.
            unsafe { n.cast::<Entry<S, L>>().as_ref() }
        })
    }

    /// How many contexts there are.
    pub(crate) fn len(&self) -> u32 {
        // SAFETY: the tables are initialised.
        unsafe { bindings::shim6_tables_len(self.raw.get()) }
    }

    /// A walk over all contexts. What comes or goes meanwhile may be missed or seen twice.
    pub(crate) fn walk(&self) -> Result<Walk<'_, S, L>> {
        let raw = KBox::pin(Opaque::<bindings::shim6_walk>::uninit(), GFP_KERNEL)?;
        // SAFETY: the tables outlive the walk, which is pinned.
        unsafe { bindings::shim6_walk_enter(raw.get(), self.raw.get()) };
        Ok(Walk { raw, tables: PhantomData })
    }
}

/// # Safety
///
/// `node` is null or the head of an `Entry<S, L>` that is not freed during `'a`.
#[inline]
unsafe fn as_entry<'a, S, L>(node: *mut bindings::shim6_node) -> Option<&'a Entry<S, L>> {
    // SAFETY: by contract; the head is the entry's first member.
    NonNull::new(node).map(|n| unsafe { n.cast::<Entry<S, L>>().as_ref() })
}

impl<S, L> Drop for Tables<S, L> {
    fn drop(&mut self) {
        // SAFETY: nobody reads the tables any more; timers are waited for, memory is left to RCU.
        unsafe { bindings::shim6_tables_destroy(self.raw.get()) };
    }
}

/// A walk over all contexts, in slices.
pub(crate) struct Walk<'a, S, L> {
    raw: Pin<KBox<Opaque<bindings::shim6_walk>>>,
    tables: PhantomData<&'a Tables<S, L>>,
}

impl<S, L> Walk<'_, S, L> {
    /// Calls `f` for the next contexts, at most `most`, under RCU (`f` may not sleep), until it
    /// returns `false`; returns whether there may be more. A context `f` returned `false` for
    /// counts as seen.
    pub(crate) fn slice(&mut self, most: usize, mut f: impl FnMut(&Entry<S, L>) -> bool) -> bool {
        // SAFETY: entered in `Tables::walk`.
        unsafe { bindings::shim6_walk_start(self.raw.get()) };
        let mut more = true;
        for _ in 0..most {
            // SAFETY: started; `walk_start` holds the RCU read lock until `walk_stop`.
            let entry = unsafe { as_entry::<S, L>(bindings::shim6_walk_next(self.raw.get())) };
            let Some(entry) = entry else {
                more = false;
                break;
            };
            if !f(entry) {
                break;
            }
        }
        // SAFETY: started above.
        unsafe { bindings::shim6_walk_stop(self.raw.get()) };
        more
    }
}

impl<S, L> Drop for Walk<'_, S, L> {
    fn drop(&mut self) {
        // SAFETY: entered in `Tables::walk`.
        unsafe { bindings::shim6_walk_exit(self.raw.get()) };
    }
}

/// The right to change the tables and to see the locked part of their entries.
///
/// # Invariants
///
/// It is the only one of its tables, which outlive every use of it: both belong to the state of
/// one namespace, and it is reached under the control lock only.
pub(crate) struct Writer<S, L> {
    raw: *mut bindings::shim6_tables,
    entries: PhantomData<*mut Entry<S, L>>,
}

// SAFETY: a pointer that is used by one task at a time.
unsafe impl<S: Sync + Send, L: Send> Send for Writer<S, L> {}

/// Why a context could not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InsertError {
    /// No memory for it.
    NoMemory,
    /// Its ULIDs or its tag are taken.
    Exists,
}

impl<S, L> Writer<S, L> {
    fn hash(ulids: &UlidPair) -> u64 {
        forked(hash::of(&ulids.pair.local, &ulids.pair.peer), ulids.fii)
    }

    /// The entry of a node found just now, and its locked part.
    ///
    /// # Safety
    ///
    /// `node` is null or in the tables.
    unsafe fn open(&mut self, node: *mut bindings::shim6_node) -> Option<(&Entry<S, L>, &mut L)> {
        // SAFETY: only `self` removes entries, and it is borrowed for as long as the result.
        let entry = unsafe { as_entry::<S, L>(node) }?;
        // SAFETY: only `self` gives out the locked part, and it is borrowed.
        Some((entry, unsafe { &mut *entry.locked.get() }))
    }

    /// The context of two ULIDs.
    pub(crate) fn by_ulids(&mut self, ulids: &UlidPair) -> Option<(&Entry<S, L>, &mut L)> {
        let _rcu = Guard::new();
        let hash = Self::hash(ulids);
        let (local, peer) = (ulids.pair.local.0.as_ptr(), ulids.pair.peer.0.as_ptr());
        // SAFETY: by the type invariant; the addresses are 16 octets each.
        unsafe { self.open(bindings::shim6_by_ulids(self.raw, hash, local, peer, ulids.fii)) }
    }

    /// The context of a CT(local).
    pub(crate) fn by_tag(&mut self, tag: Tag) -> Option<(&Entry<S, L>, &mut L)> {
        let _rcu = Guard::new();
        // SAFETY: by the type invariant.
        unsafe { self.open(bindings::shim6_by_tag(self.raw, tag.get())) }
    }

    /// The first context of an alias that `f` wants, of at most `most`.
    pub(crate) fn by_alias(
        &mut self,
        alias: u64,
        most: usize,
        mut f: impl FnMut(&L) -> bool,
    ) -> Option<(&Entry<S, L>, &mut L)> {
        let _rcu = Guard::new();
        // SAFETY: by the type invariant.
        let mut node = unsafe { bindings::shim6_by_alias(self.raw, alias) };
        for _ in 0..most {
            // SAFETY: from the tables; nobody else reaches the locked part meanwhile.
            let wanted = match unsafe { as_entry::<S, L>(node) } {
                // SAFETY: as above.
                Some(entry) => f(unsafe { &*entry.locked.get() }),
                None => return None,
            };
            if wanted {
                // SAFETY: from the tables.
                return unsafe { self.open(node) };
            }
            // SAFETY: from the tables.
            node = unsafe { bindings::shim6_alias_next(node, alias) };
        }
        None
    }

    /// Adds a context; its tag names it from now on.
    ///
    /// # Safety
    ///
    /// `owner` is the state of the namespace, for `sys/entry/`.
    pub(in crate::sys) unsafe fn insert_raw(
        &mut self,
        owner: *mut c_void,
        ulids: &UlidPair,
        tag: Tag,
        shared: S,
        locked: L,
    ) -> Result<(), InsertError> {
        // SAFETY: may be called in any context.
        let memory = unsafe { bindings::shim6_node_alloc() }.cast::<Entry<S, L>>();
        if memory.is_null() {
            return Err(InsertError::NoMemory);
        }
        // SAFETY: fresh memory of an entry's size and alignment (`Memory::create`); every part is
        // written before it is used. INVARIANT: `head` is initialised.
        unsafe {
            let head = memory.cast::<bindings::shim6_node>();
            bindings::shim6_node_init(head, owner);
            (*head).key = bindings::shim6_key {
                local: in6(&ulids.pair.local),
                peer: in6(&ulids.pair.peer),
                fii: ulids.fii,
            };
            (*head).hash = Self::hash(ulids);
            (*head).tag = tag.get();
            (&raw mut (*memory).shared).write(shared);
            (&raw mut (*memory).locked).write(UnsafeCell::new(locked));
        }
        // SAFETY: by the type invariant; the entry is complete.
        let err = unsafe { bindings::shim6_tables_insert(self.raw, memory.cast()) };
        if err == 0 {
            return Ok(());
        }
        // It may have been seen for a moment: in the first table, before the second refused it.
        // SAFETY: out of the tables; a packet that saw it may have started its timer.
        unsafe {
            bindings::shim6_node_stop(memory.cast());
            bindings::shim6_node_free_rcu(memory.cast());
        }
        Err(if err == -(kernel::bindings::EEXIST as i32) {
            InsertError::Exists
        } else {
            InsertError::NoMemory
        })
    }

    /// Gives a context another alias; 0: none.
    pub(crate) fn set_alias(&mut self, tag: Tag, alias: u64) {
        let _rcu = Guard::new();
        // SAFETY: by the type invariant; there is memory for aliases where there are contexts.
        unsafe {
            let node = bindings::shim6_by_tag(self.raw, tag.get());
            if !node.is_null() {
                bindings::shim6_tables_set_alias(self.raw, node, alias);
            }
        }
    }

    /// Takes a context out; it is freed when nobody reads it any more.
    pub(crate) fn remove(&mut self, tag: Tag) {
        let _rcu = Guard::new();
        // SAFETY: by the type invariant; once out of the tables the timer is shut down, which is
        // what the grace period has to wait for.
        unsafe {
            let node = bindings::shim6_by_tag(self.raw, tag.get());
            if !node.is_null() {
                bindings::shim6_tables_remove(self.raw, node);
                bindings::shim6_node_stop(node);
                bindings::shim6_node_free_rcu(node);
            }
        }
    }
}
