// SPDX-License-Identifier: GPL-2.0

//! Work items: what packets and timers want done in process context.

use crate::sys::bindings;
use core::ffi::c_void;
use core::pin::Pin;
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::types::Opaque;

/// What a work item is for; `sys/entry/work.rs` calls the driver of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    /// Contexts wait to be set up.
    Initiate = 0,
    /// TCP has to learn of a new path.
    Kick = 1,
    /// Addresses or interfaces changed.
    Addresses = 2,
    /// Silent contexts want to know whether sockets use them.
    Users = 3,
    /// A neighbour does not answer any more.
    Neighbours = 4,
    /// CGA signatures wait to be verified, or to be made.
    Signatures = 5,
}

impl Kind {
    /// The kind of a number, if it is one.
    pub(in crate::sys) fn from_raw(raw: u32) -> Option<Kind> {
        use Kind::{Addresses, Initiate, Kick, Neighbours, Signatures, Users};
        [Initiate, Kick, Addresses, Users, Neighbours, Signatures]
            .into_iter()
            .find(|k| *k as u32 == raw)
    }
}

/// The module's work queue; exists once.
pub(crate) struct Queue(());

impl Queue {
    /// Makes it.
    pub(crate) fn create() -> Result<Self> {
        // SAFETY: called once, from the module's init.
        to_result(unsafe { bindings::shim6_wq_create() })?;
        Ok(Queue(()))
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: `create` succeeded; every `Work` was dropped before.
        unsafe { bindings::shim6_wq_destroy() };
    }
}

/// A work item of a namespace's state; dropping it waits for it.
pub(crate) struct Work {
    raw: Pin<KBox<Opaque<bindings::shim6_work>>>,
}

// SAFETY: the kernel serialises all access to a work item.
unsafe impl Send for Work {}
// SAFETY: as above.
unsafe impl Sync for Work {}

impl Work {
    /// An item that will call `sys/entry/work.rs` with `owner`.
    ///
    /// # Safety
    ///
    /// `owner` is the namespace's state, and lives longer than the item can be queued.
    pub(in crate::sys) unsafe fn new(owner: *mut c_void, kind: Kind) -> Result<Self> {
        let raw = KBox::pin(Opaque::uninit(), GFP_KERNEL)?;
        // SAFETY: pinned memory of its own.
        unsafe { bindings::shim6_work_init(raw.get(), owner, kind as u32) };
        Ok(Work { raw })
    }

    /// Runs it in `delay_ms` milliseconds; 0: as soon as can be, even if it was to run later.
    pub(crate) fn queue(&self, delay_ms: u32) {
        // SAFETY: initialised in `new`.
        unsafe { bindings::shim6_work_queue(self.raw.get(), delay_ms) };
    }

    /// Waits until it does not run, and keeps it from running again.
    pub(crate) fn disable(&self) {
        // SAFETY: initialised in `new`; the caller may sleep.
        unsafe { bindings::shim6_work_cancel(self.raw.get()) };
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.disable();
    }
}
