// SPDX-License-Identifier: GPL-2.0

//! shim6: a multihoming shim under every IPv6 socket.
//!
//! The crate's root: what is registered with the kernel, in which order.

use kernel::prelude::*;

mod ancillary;
mod associated;
mod control;
mod ctl;
mod drive;
mod events;
mod forks;
mod hba;
mod mib;
mod netns;
mod policy;
pub mod proto;
mod reap;
mod signatures;
mod sockopt;
mod sys;
mod table;
mod translate;

use sys::addrconf::Notifiers;
use sys::control::Protocol;
use sys::ftrace::Redirect;
use sys::genl::Family;
use sys::gso::Offload;
use sys::hash;
use sys::netns::Registration;
use sys::sock;
use sys::table::Memory;
use sys::work::Queue;

module! {
    type: Shim6,
    name: "shim6",
    authors: ["The shim6 authors"],
    description: "Shim6 multihoming (RFC 5533, 5534, 5535) with the sockets API of RFC 6316",
    license: "GPL",
}

/// What the module registered; dropped in the order of the fields: first what calls us, last what
/// everything needs.
struct Shim6 {
    _redirect: Redirect,
    _family: Family,
    _notifiers: Notifiers,
    _protocol: Protocol,
    _offload: Offload,
    _namespaces: Registration,
    _sockets: sock::Memory,
    _queue: Queue,
    _memory: Memory,
    _hashes: hash::Memory,
}

impl kernel::Module for Shim6 {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        if let Err(wrong) = proto::vectors::check(&mut |parts| sys::env::sha1(parts)) {
            pr_err!("not loaded: {}\n", wrong);
            return Err(EIO);
        }
        Ok(Self {
            _hashes: hash::Memory::create()?,
            _memory: Memory::create::<table::Shared, table::Locked>()?,
            _queue: Queue::create()?,
            _sockets: sock::Memory::create()?,
            _namespaces: Registration::register()?,
            _offload: Offload::register()?,
            _protocol: Protocol::register()?,
            _notifiers: Notifiers::register()?,
            _redirect: Redirect::register()?,
            _family: Family::register()?,
        })
    }
}
