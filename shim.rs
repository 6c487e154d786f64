// SPDX-License-Identifier: GPL-2.0

//! shim6: a multihoming shim under every IPv6 socket.
//!
//! The crate's root: what is registered with the kernel, in which order.

use kernel::prelude::*;

pub mod proto;
mod sys;

module! {
    type: Shim6,
    name: "shim6",
    authors: ["The shim6 authors"],
    description: "Shim6 multihoming (RFC 5533, 5534, 5535) with the sockets API of RFC 6316",
    license: "GPL",
}

/// What the module registered; dropped in reverse order.
struct Shim6 {}

impl kernel::Module for Shim6 {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {})
    }
}
