// SPDX-License-Identifier: GPL-2.0

//! Network namespaces: the registration of their states, their counters and `/proc/net/shim6`.

use crate::proto::counter::Counter;
use crate::sys::bindings;
use core::ffi::c_void;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::prelude::*;

/// A network namespace that lives for `'a`.
///
/// # Invariants
///
/// It is not freed during `'a`.
#[derive(Clone, Copy)]
pub(crate) struct NetRef<'a>(NonNull<bindings::net>, PhantomData<&'a bindings::net>);

impl NetRef<'_> {
    /// Borrows a namespace.
    ///
    /// # Safety
    ///
    /// The type invariant holds for the returned value's life.
    #[inline]
    pub(in crate::sys) unsafe fn from_raw(net: NonNull<bindings::net>) -> Self {
        // INVARIANT: by contract.
        NetRef(net, PhantomData)
    }

    /// The raw namespace.
    #[inline]
    pub(in crate::sys) fn as_ptr(self) -> *mut bindings::net {
        self.0.as_ptr()
    }
}

/// The namespace a state belongs to.
///
/// # Invariants
///
/// The kernel calls our `exit` before it frees the namespace, and the state that holds this value
/// is freed there.
pub(crate) struct Owner(NonNull<bindings::net>);

// SAFETY: a namespace may be used from any task.
unsafe impl Send for Owner {}
// SAFETY: as above.
unsafe impl Sync for Owner {}

impl Owner {
    /// # Safety
    ///
    /// The type invariant holds: called from the namespace's `init`.
    pub(in crate::sys) unsafe fn new(net: NonNull<bindings::net>) -> Self {
        // INVARIANT: by contract.
        Owner(net)
    }

    /// The namespace.
    #[inline]
    pub(crate) fn net(&self) -> NetRef<'_> {
        // SAFETY: by the type invariant the namespace outlives `self`.
        unsafe { NetRef::from_raw(self.0) }
    }
}

/// The state registered for a namespace, null outside its life.
#[inline]
pub(in crate::sys) fn state_of(net: NetRef<'_>) -> *mut c_void {
    // SAFETY: the namespace is alive; only called while the registration exists.
    unsafe { bindings::shim6_net_state(net.as_ptr()) }
}

/// The registration of a state for every namespace, existing and new.
pub(crate) struct Registration(());

impl Registration {
    /// Makes a state for every namespace there is.
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: called once, from the module's init.
        to_result(unsafe { bindings::shim6_pernet_register() })?;
        Ok(Registration(()))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: registered in `register`; everything that reads states was dropped before.
        unsafe { bindings::shim6_pernet_unregister() };
    }
}

/// Adds one to this processor's copy of a per-CPU word: one instruction where the processor has it,
/// since packets count.
///
/// # Safety
///
/// `word` points into memory of `shim6_counters_alloc`.
#[inline]
unsafe fn add_one(word: *mut u64) {
    #[cfg(all(target_arch = "x86_64", CONFIG_SMP))]
    // SAFETY: by contract; per-CPU addresses are relative to the gs segment.
    unsafe {
        core::arch::asm!("inc qword ptr gs:[{0}]", in(reg) word, options(nostack));
    }
    #[cfg(not(all(target_arch = "x86_64", CONFIG_SMP)))]
    // SAFETY: by contract.
    unsafe {
        bindings::shim6_counters_inc(word);
    }
}

/// The counters of one namespace: one word for each processor and [`Counter`].
pub(crate) struct Counters(NonNull<c_void>);

// SAFETY: each processor adds to its own words.
unsafe impl Send for Counters {}
// SAFETY: as above.
unsafe impl Sync for Counters {}

impl Counters {
    /// All at zero.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: process context.
        let raw = unsafe { bindings::shim6_counters_alloc(Counter::COUNT as u32) };
        Ok(Counters(NonNull::new(raw).ok_or(ENOMEM)?))
    }

    /// One more; any context.
    #[inline]
    pub(crate) fn count(&self, what: Counter) {
        // SAFETY: `what` is below `Counter::COUNT`, for which memory was allocated.
        unsafe { add_one(self.0.as_ptr().cast::<u64>().add(what as usize)) };
    }

    /// The sum over all processors.
    pub(crate) fn read(&self, what: Counter) -> u64 {
        // SAFETY: as in `count`.
        unsafe { bindings::shim6_counters_sum(self.0.as_ptr(), what as u32) }
    }
}

impl Drop for Counters {
    fn drop(&mut self) {
        // SAFETY: allocated in `new`.
        unsafe { bindings::shim6_counters_free(self.0.as_ptr()) };
    }
}

/// `/proc/net/shim6` of one namespace; dropping it waits for its readers.
pub(crate) struct Proc(NonNull<bindings::net>);

// SAFETY: may be undone from any task.
unsafe impl Send for Proc {}
// SAFETY: nothing is done through a shared reference.
unsafe impl Sync for Proc {}

impl Proc {
    /// Makes the file.
    pub(crate) fn create(owner: &Owner) -> Result<Self> {
        // SAFETY: the namespace is alive.
        to_result(unsafe { bindings::shim6_proc_create(owner.0.as_ptr()) })?;
        Ok(Proc(owner.0))
    }
}

impl Drop for Proc {
    fn drop(&mut self) {
        // SAFETY: made in `create`; the state that holds this value dies before the namespace.
        unsafe { bindings::shim6_proc_remove(self.0.as_ptr()) };
    }
}

/// A file being read.
pub(crate) struct Lines<'a>(NonNull<bindings::seq_file>, PhantomData<&'a mut ()>);

impl Lines<'_> {
    /// # Safety
    ///
    /// `file` is a sequence file whose `show` is running for all of the value's life.
    pub(in crate::sys) unsafe fn from_raw(file: NonNull<bindings::seq_file>) -> Self {
        Lines(file, PhantomData)
    }

    /// Writes a line `NAME VALUE`.
    pub(crate) fn line(&mut self, name: &str, value: u64) {
        // SAFETY: by the contract of `from_raw`; the name is copied.
        unsafe {
            bindings::shim6_seq_line(self.0.as_ptr(), name.as_ptr().cast(), name.len(), value)
        };
    }
}
