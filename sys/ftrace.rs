// SPDX-License-Identifier: GPL-2.0

//! The redirection of socket calls, as a value: while it lives, SOL_SHIM is there.

use crate::sys::bindings;
use kernel::error::to_result;
use kernel::prelude::*;

/// Registered; dropped, every redirected call has returned.
pub(crate) struct Redirect(());

impl Redirect {
    /// Begins to meet socket calls. There is one in the module.
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: called once, from the module's init; the handlers need nothing else.
        to_result(unsafe { bindings::shim6_ftrace_register() })?;
        Ok(Redirect(()))
    }
}

impl Drop for Redirect {
    fn drop(&mut self) {
        // SAFETY: registered by the type's only constructor.
        unsafe { bindings::shim6_ftrace_unregister() }
    }
}
