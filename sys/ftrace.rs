// SPDX-License-Identifier: GPL-2.0

//! The redirection of socket calls, as a value: while it lives, SOL_SHIM is there.

use crate::sys::bindings;
use kernel::error::to_result;
use kernel::prelude::*;

/// Registered; dropped, every redirected call has returned and no socket is watched any more.
pub(crate) struct Redirect(());

impl Redirect {
    /// Begins to meet socket calls. There is one in the module, and it lives less long than
    /// [`crate::sys::sock::Memory`].
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: called once, from the module's init, which made the table of sockets before.
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
