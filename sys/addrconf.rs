// SPDX-License-Identifier: GPL-2.0

//! Which addresses can be locators now, and the notifiers that tell when to look again.

use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::sys::bindings;
use crate::sys::netns::NetRef;
use kernel::error::to_result;
use kernel::prelude::*;

/// Whether an address can be a source now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No interface but the dummy of the catch-all route has it.
    Absent,
    /// Duplicate address detection has not ended yet.
    Tentative,
    /// Its interface is down or has no carrier, or another host has it as well.
    Down,
    /// It can be used.
    Usable,
}

/// What `addr` is good for in this namespace; walks all its interfaces.
pub(crate) fn state(net: NetRef<'_>, addr: &Addr) -> State {
    // SAFETY: the namespace is alive; the address is only compared.
    match unsafe { bindings::shim6_addr_state(net.as_ptr(), &super::in6(addr)) } {
        bindings::shim6_addr_state_SHIM6_ADDR_TENTATIVE => State::Tentative,
        bindings::shim6_addr_state_SHIM6_ADDR_DOWN => State::Down,
        bindings::shim6_addr_state_SHIM6_ADDR_USABLE => State::Usable,
        _ => State::Absent,
    }
}

/// Whether Neighbour Unreachability Detection gave up the next hop of this pair of locators.
/// Looks up a route.
pub(crate) fn next_hop_lost(net: NetRef<'_>, pair: &Pair) -> bool {
    let (src, dst) = (super::in6(&pair.local), super::in6(&pair.peer));
    // SAFETY: the namespace is alive; the addresses are only read.
    unsafe { bindings::shim6_next_hop_lost(net.as_ptr(), &src, &dst) }
}

/// The index of the dummy device that keeps identifiers alive, 0 if there is none.
pub(crate) fn catch_all(net: NetRef<'_>) -> u32 {
    // SAFETY: the namespace is alive.
    unsafe { bindings::shim6_catch_all(net.as_ptr()) }.unsigned_abs()
}

/// The notifiers of all namespaces; dropping it takes them out.
pub(crate) struct Notifiers(());

impl Notifiers {
    /// Registers them; calls for what exists come at once.
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: called once, after the namespaces' states exist.
        to_result(unsafe { bindings::shim6_notifiers_register() })?;
        Ok(Notifiers(()))
    }
}

impl Drop for Notifiers {
    fn drop(&mut self) {
        // SAFETY: registered in `register`.
        unsafe { bindings::shim6_notifiers_unregister() };
    }
}
