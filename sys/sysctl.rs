// SPDX-License-Identifier: GPL-2.0

//! `net.shim6.*` of one namespace: words that the kernel's handlers show.

use crate::proto::config::Config;
use crate::proto::config::FIELDS;
use crate::sys::bindings;
use crate::sys::netns::Owner;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;
use kernel::prelude::*;

const WORDS: usize = FIELDS.len();
const _: () = assert!(size_of::<Config>() == 4 * WORDS);

/// The configuration of one namespace, which an administrator may write at any time.
pub(crate) struct Sysctls {
    registered: NonNull<bindings::shim6_sysctls>,
    values: KBox<[AtomicU32; WORDS]>,
}

// SAFETY: the kernel serialises registration; the values are atomics.
unsafe impl Send for Sysctls {}
// SAFETY: as above.
unsafe impl Sync for Sysctls {}

impl Sysctls {
    /// Registers `net.shim6.*` with the defaults; every write calls `sys/entry/netns.rs`.
    ///
    /// # Safety
    ///
    /// `state` is the namespace's state, and outlives the registration.
    pub(in crate::sys) unsafe fn register(owner: &Owner, state: *mut c_void) -> Result<Self> {
        let values = KBox::new([const { AtomicU32::new(0) }; WORDS], GFP_KERNEL)?;
        let defaults = Config::default();
        // SAFETY: `Config` is `repr(C)`, made of `u32`s only (its own assertion), so its memory
        // is `WORDS` of them; both are valid for that many octets.
        unsafe {
            core::ptr::copy_nonoverlapping(
                (&raw const defaults).cast::<u32>(),
                values.as_ptr().cast_mut().cast::<u32>(),
                WORDS,
            )
        };
        let fields = FIELDS.iter().map(|f| bindings::shim6_sysctl_field {
            name: f.name.as_ptr().cast(),
            name_len: f.name.len(),
            min: f.min,
            max: f.max,
        });
        let mut raw = KVec::with_capacity(WORDS, GFP_KERNEL)?;
        for field in fields {
            raw.push(field, GFP_KERNEL)?;
        }
        // SAFETY: the namespace is alive; `values` stays where it is until `drop` unregistered.
        let registered = NonNull::new(unsafe {
            bindings::shim6_sysctl_register(
                owner.net().as_ptr(),
                state,
                values.as_ptr().cast_mut().cast(),
                raw.as_ptr(),
                WORDS,
            )
        })
        .ok_or(ENOMEM)?;
        Ok(Sysctls { registered, values })
    }

    /// Writes a setting that is known to be in its limits.
    pub(crate) fn set(&self, at: usize, value: u32) {
        if let Some(word) = self.values.get(at) {
            word.store(value, Relaxed);
        }
    }

    /// The configuration as it is now.
    pub(crate) fn snapshot(&self) -> Config {
        let mut config = MaybeUninit::<Config>::uninit();
        let words = config.as_mut_ptr().cast::<u32>();
        for (i, value) in self.values.iter().enumerate() {
            // SAFETY: `i` is below `WORDS`, the number of words in a `Config`.
            unsafe { words.add(i).write(value.load(Relaxed)) };
        }
        // SAFETY: every word was written, and every value is a `u32`.
        unsafe { config.assume_init() }
    }
}

impl Drop for Sysctls {
    fn drop(&mut self) {
        // SAFETY: registered in `register`; waits for handlers before `values` goes.
        unsafe { bindings::shim6_sysctl_unregister(self.registered.as_ptr()) };
    }
}
