// SPDX-License-Identifier: GPL-2.0

//! Protocol 140: the registration of its handler, and messages on their way out.

use crate::proto::addr::Addr;
use crate::sys::bindings;
use crate::sys::in6;
use crate::sys::netns::NetRef;
use core::ptr::null_mut;
use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::prelude::*;

/// The handler of protocol 140; dropping it waits until none runs.
pub(crate) struct Protocol(());

impl Protocol {
    /// Registers it for all namespaces.
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: called once, after the namespaces' states exist.
        to_result(unsafe { bindings::shim6_protocol_register() })?;
        Ok(Protocol(()))
    }
}

impl Drop for Protocol {
    fn drop(&mut self) {
        // SAFETY: registered in `register`.
        unsafe { bindings::shim6_protocol_unregister() };
    }
}

/// Messages that were made under the control lock and wait to be sent without it, in order.
///
/// # Invariants
///
/// `first` starts a chain of packets that are ours alone, linked by `next`, that ends in `last`;
/// both are null if there is none.
pub(crate) struct Outbox {
    first: *mut bindings::sk_buff,
    last: *mut bindings::sk_buff,
}

/// No memory for a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoMemory;

impl Outbox {
    /// Without messages.
    pub(crate) const fn new() -> Self {
        // INVARIANT: both are null.
        Outbox { first: null_mut(), last: null_mut() }
    }

    /// Adds a message; any context.
    pub(crate) fn push(&mut self, src: &Addr, dst: &Addr, message: &[u8]) -> Result<(), NoMemory> {
        let len = u32::try_from(message.len()).map_err(|_| NoMemory)?;
        // SAFETY: the message and the addresses are only read.
        let skb =
            unsafe { bindings::shim6_message_new(&in6(src), &in6(dst), message.as_ptr(), len) };
        if skb.is_null() {
            return Err(NoMemory);
        }
        // INVARIANT: the new packet is ours, its `next` is null, and it ends the chain.
        if self.last.is_null() {
            self.first = skb;
        } else {
            // SAFETY: by the invariants.
            unsafe { bindings::shim6_message_link(self.last, skb) };
        }
        self.last = skb;
        Ok(())
    }

    /// Takes the oldest message out.
    fn pop(&mut self) -> Option<NonNull<bindings::sk_buff>> {
        let skb = NonNull::new(self.first)?;
        // SAFETY: by the invariants it is ours.
        self.first = unsafe { bindings::shim6_message_unlink(skb.as_ptr()) };
        if self.first.is_null() {
            self.last = null_mut();
        }
        Some(skb)
    }

    /// Sends all of them; the control lock is not held. `failed` is called for each that had no
    /// route, a route by the interface `not_by` being none.
    pub(crate) fn send(mut self, net: NetRef<'_>, not_by: u32, mut failed: impl FnMut()) {
        while let Some(skb) = self.pop() {
            // SAFETY: the namespace is alive; the packet is given away.
            let sent =
                unsafe { bindings::shim6_message_send(net.as_ptr(), skb.as_ptr(), not_by as i32) };
            if sent != 0 {
                failed();
            }
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        while let Some(skb) = self.pop() {
            // SAFETY: the packet is ours and is given away.
            unsafe { bindings::shim6_message_drop(skb.as_ptr()) };
        }
    }
}
