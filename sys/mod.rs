// SPDX-License-Identifier: GPL-2.0

//! All that is unsafe, and all that knows the kernel's C.

pub(crate) mod behind;
pub(crate) mod bindings;
pub(crate) mod entry;
pub(crate) mod frag;
pub(crate) mod gso;
pub(crate) mod hook;
pub(crate) mod icmp;
pub(crate) mod route;
pub(crate) mod skb;
