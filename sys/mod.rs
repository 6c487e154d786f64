// SPDX-License-Identifier: GPL-2.0

//! All that is unsafe, and all that knows the kernel's C.

pub(crate) mod addrconf;
pub(crate) mod ancillary;
pub(crate) mod behind;
pub(crate) mod bindings;
pub(crate) mod clock;
pub(crate) mod control;
pub(crate) mod entry;
pub(crate) mod env;
mod find;
pub(crate) mod frag;
pub(crate) mod ftrace;
pub(crate) mod genl;
pub(crate) mod gro;
pub(crate) mod gso;
pub(crate) mod hash;
pub(crate) mod hook;
pub(crate) mod icmp;
pub(crate) mod kick;
pub(crate) mod lock;
pub(crate) mod netns;
pub(crate) mod rcu;
pub(crate) mod route;
pub(crate) mod sig;
pub(crate) mod skb;
pub(crate) mod sock;
pub(crate) mod sysctl;
pub(crate) mod table;
pub(crate) mod user;
pub(crate) mod work;

use crate::proto::addr::Addr;

/// An address as C wants it.
#[inline]
fn in6(addr: &Addr) -> bindings::in6_addr {
    let mut raw = bindings::in6_addr::default();
    raw.in6_u.u6_addr8 = addr.0;
    raw
}

/// An address as C has it.
#[inline]
fn addr(raw: &bindings::in6_addr) -> Addr {
    // SAFETY: every view of the union is 16 octets without a value that is not allowed.
    Addr(unsafe { raw.in6_u.u6_addr8 })
}
