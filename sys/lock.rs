// SPDX-License-Identifier: GPL-2.0

//! A spinlock that keeps bottom halves off: what process context shares with packets and timers.

use crate::sys::bindings;
use kernel::sync::lock::Backend;
use kernel::sync::lock::Guard;
use kernel::sync::lock::Lock;

/// Data that only the holder of a spinlock sees, taken with bottom halves off.
pub(crate) type SpinLockBh<T> = Lock<T, SpinBh>;

/// Proof that a [`SpinLockBh`] is held.
pub(crate) type SpinGuardBh<'a, T> = Guard<'a, T, SpinBh>;

/// The backend of [`SpinLockBh`].
pub(crate) struct SpinBh;

// SAFETY: the kernel's spinlock excludes everyone else between lock and unlock; `relock` is the
// default and locks the same way.
unsafe impl Backend for SpinBh {
    type State = kernel::bindings::spinlock_t;
    type GuardState = ();

    unsafe fn init(
        ptr: *mut Self::State,
        name: *const kernel::ffi::c_char,
        key: *mut kernel::bindings::lock_class_key,
    ) {
        // SAFETY: by this function's contract `ptr` is writable, `name` and `key` live for ever.
        unsafe { kernel::bindings::__spin_lock_init(ptr, name, key) }
    }

    unsafe fn lock(ptr: *mut Self::State) {
        // SAFETY: by contract `ptr` was initialised by `init`. Both `spinlock_t` are bindgen's
        // view of the same C type.
        unsafe { bindings::shim6_spin_lock_bh(ptr.cast()) }
    }

    unsafe fn try_lock(ptr: *mut Self::State) -> Option<()> {
        // SAFETY: as for `lock`.
        unsafe { bindings::shim6_spin_trylock_bh(ptr.cast()) }.then_some(())
    }

    unsafe fn unlock(ptr: *mut Self::State, _state: &()) {
        // SAFETY: as for `lock`; the caller owns the lock.
        unsafe { bindings::shim6_spin_unlock_bh(ptr.cast()) }
    }

    unsafe fn assert_is_held(ptr: *mut Self::State) {
        // SAFETY: as for `lock`.
        unsafe { bindings::shim6_spin_assert_held(ptr.cast()) }
    }
}
