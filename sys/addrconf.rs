// SPDX-License-Identifier: GPL-2.0

//! Which addresses can be locators now, and the notifiers that tell when to look again.

use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::proto::addr::Presence;
use crate::proto::policy::Device;
use crate::sys::bindings;
use crate::sys::netns::NetRef;
use kernel::error::to_result;
use kernel::prelude::*;

/// What the interfaces of this namespace say of `addr`, but for the dummy of the catch-all route,
/// and which of them has it; walks all of them.
pub(crate) fn presence(net: NetRef<'_>, addr: &Addr) -> (Presence, Device) {
    let mut device = Device::default();
    // SAFETY: the namespace is alive; the address is only compared; `device` has the octets that
    // are written.
    let state = unsafe {
        bindings::shim6_addr_state(net.as_ptr(), &super::in6(addr), device.as_mut_ptr().cast())
    };
    let presence = match state {
        bindings::shim6_addr_state_SHIM6_ADDR_TENTATIVE => Presence::Tentative,
        bindings::shim6_addr_state_SHIM6_ADDR_DOWN => Presence::Down,
        bindings::shim6_addr_state_SHIM6_ADDR_DEPRECATED => Presence::Deprecated,
        bindings::shim6_addr_state_SHIM6_ADDR_USABLE => Presence::Usable,
        _ => Presence::Absent,
    };
    (presence, device)
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
