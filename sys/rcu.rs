// SPDX-License-Identifier: GPL-2.0

//! Pointers that packets read under RCU and the control plane replaces.

use crate::sys::bindings;
use core::marker::PhantomData;
use core::ptr::null_mut;
use core::ptr::NonNull;
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::Ordering::AcqRel;
use core::sync::atomic::Ordering::Acquire;
use kernel::alloc::AllocError;
use kernel::alloc::Flags;
use kernel::prelude::*;
use kernel::types::NotThreadSafe;
use kernel::types::Opaque;

pub(crate) use kernel::sync::rcu::rcu_barrier;
pub(crate) use kernel::sync::rcu::Guard;

/// Evidence that the RCU read lock is held for `'a`; costs nothing.
#[derive(Clone, Copy)]
pub(crate) struct Rcu<'a>(PhantomData<&'a Guard>, NotThreadSafe);

impl<'a> Rcu<'a> {
    /// The evidence of a guard.
    pub(crate) fn of(_guard: &'a Guard) -> Self {
        Rcu(PhantomData, NotThreadSafe)
    }

    /// The evidence of a caller that the kernel calls with the RCU read lock held.
    ///
    /// # Safety
    ///
    /// It is held during all of `'a`.
    #[inline]
    pub(in crate::sys) unsafe fn assumed() -> Self {
        Rcu(PhantomData, NotThreadSafe)
    }
}

/// What may be behind an [`RcuPtr`].
pub(crate) trait Retire {
    /// It was replaced. Readers may still use it; what belongs to others is given back now, not
    /// when its memory is freed.
    fn retire(&self) {}
}

/// A value in memory of its own that is freed a grace period after it was replaced.
#[repr(C)]
pub(crate) struct RcuBox<T> {
    rcu: Opaque<bindings::shim6_rcu>,
    free: unsafe fn(*mut bindings::shim6_rcu),
    value: T,
}

impl<T> RcuBox<T> {
    /// Moves `value` into memory of its own.
    pub(crate) fn new(value: T, flags: Flags) -> Result<KBox<Self>, AllocError> {
        KBox::new(RcuBox { rcu: Opaque::zeroed(), free: free::<T>, value }, flags)
    }

    /// The value, as long as nobody else can see it.
    pub(crate) fn value_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// # Safety
///
/// `rcu` is the first member of an `RcuBox<T>` that came out of a `KBox` and that nobody can
/// reach any more.
unsafe fn free<T>(rcu: *mut bindings::shim6_rcu) {
    // SAFETY: by contract; `RcuBox` is `repr(C)` and starts with it.
    drop(unsafe { KBox::<RcuBox<T>>::from_raw(rcu.cast()) });
}

/// # Safety
///
/// Called after a grace period for what was given to `shim6_call_rcu`.
#[no_mangle]
unsafe extern "C" fn shim6_rcu_free(rcu: *mut bindings::shim6_rcu) {
    // SAFETY: `RcuPtr::replace` alone calls `shim6_call_rcu`, with the start of some `RcuBox<T>`;
    // the offset of `free` does not depend on `T`, whose size and alignment come behind it.
    let free = unsafe { (*rcu.cast::<RcuBox<()>>()).free };
    // SAFETY: it was made for this box's `T`, and its grace period is over.
    unsafe { free(rcu) };
}

/// A replaceable pointer to an immutable `T`.
///
/// # Invariants
///
/// The pointer is null or came from a `KBox<RcuBox<T>>`; what it replaced is freed by RCU.
pub(crate) struct RcuPtr<T: Retire>(AtomicPtr<RcuBox<T>>, PhantomData<T>);

impl<T: Retire> RcuPtr<T> {
    /// Points to nothing.
    pub(crate) const fn none() -> Self {
        // INVARIANT: null.
        RcuPtr(AtomicPtr::new(null_mut()), PhantomData)
    }

    /// What it points to now.
    #[inline]
    pub(crate) fn get<'a>(&'a self, _rcu: Rcu<'a>) -> Option<&'a T> {
        let ptr = NonNull::new(self.0.load(Acquire))?;
        // SAFETY: by the invariants and the evidence it is not freed before `'a` ends.
        Some(unsafe { &(*ptr.as_ptr()).value })
    }

    /// Points to `new` from now on; readers that came before may still see the old value.
    pub(crate) fn replace(&self, new: Option<KBox<RcuBox<T>>>) {
        // INVARIANT: from a `KBox`, or null.
        let new = new.map_or(null_mut(), KBox::into_raw);
        let old = self.0.swap(new, AcqRel);
        if !old.is_null() {
            // SAFETY: by the invariants it is an `RcuBox<T>`, and out of reach for new readers.
            unsafe {
                (*old).value.retire();
                bindings::shim6_call_rcu(old.cast());
            }
        }
    }
}

impl<T: Retire> Drop for RcuPtr<T> {
    fn drop(&mut self) {
        let old = *self.0.get_mut();
        if !old.is_null() {
            // SAFETY: by the invariants; `&mut self` says that nobody reads it.
            drop(unsafe { KBox::from_raw(old) });
        }
    }
}
