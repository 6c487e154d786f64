// SPDX-License-Identifier: GPL-2.0

//! SOL_SHIM: setsockopt() and getsockopt() of level 140 (RFC 6316 section 6).
//!
//! What an option means is decided in `proto/sockapi.rs`; here the socket is looked at and the
//! context of its addresses is found.

use crate::netns::NetState;
use crate::netns::View;
use crate::proto::addr::UlidPair;
use crate::proto::sockapi;
use crate::proto::sockapi::uapi;
use crate::proto::sockapi::Errno;
use crate::proto::sockapi::Get;
use crate::proto::sockapi::Locator;
use crate::proto::sockapi::Set;
use crate::proto::sockapi::Side;
use crate::proto::wire::Method;
use crate::proto::wire::MAX_LOCATORS;
use crate::sys::entry::netns;
use crate::sys::rcu::Guard;
use crate::sys::rcu::Rcu;
use crate::sys::sock;
use crate::sys::sock::Info;
use crate::sys::sock::Socket;
use crate::sys::user::Given;
use crate::sys::user::Wanted;
use kernel::prelude::*;

/// An error of the API or of the kernel, as a negative number.
struct Failure(i32);

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Failure(-errno.number())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure(error.to_errno())
    }
}

fn status(result: Result<(), Failure>) -> i32 {
    result.err().map_or(0, |Failure(number)| number)
}

fn view(info: &Info<'_>) -> sockapi::Socket {
    sockapi::Socket {
        family: info.family,
        kind: info.kind,
        protocol: info.protocol,
        state: info.state,
    }
}

/// setsockopt(): 0 or a negative error number.
pub(crate) fn set(socket: &Socket<'_>, name: i32, given: &Given<'_>) -> i32 {
    status(try_set(socket, name, given))
}

fn try_set(socket: &Socket<'_>, name: i32, given: &Given<'_>) -> Result<(), Failure> {
    match sockapi::set(name, &view(&socket.info()))? {
        Set::DontShim => Ok(socket.set_dontshim(sockapi::flag(given.read()?)?)?),
    }
}

/// getsockopt(): 0 or a negative error number.
pub(crate) fn get(socket: &Socket<'_>, name: i32, wanted: &Wanted) -> i32 {
    status(try_get(socket, name, wanted))
}

fn try_get(socket: &Socket<'_>, name: i32, wanted: &Wanted) -> Result<(), Failure> {
    let info = socket.info();
    match sockapi::get(name, &view(&info))? {
        Get::DontShim => Ok(wanted.put(&sockapi::int(socket.dontshim()))?),
        Get::DeferredSetup => Ok(wanted.put(&sockapi::int(true))?),
        Get::Associated => Ok(wanted.put(&sockapi::int(is_associated(socket, &info)))?),
        Get::Pref(side) => {
            let list = locators(socket, &info, side)?;
            let best = sockapi::preferred(list.iter()).ok_or(Errno::NoContext)?;
            Ok(wanted.put(&with_interface(&info, side, best).emit())?)
        }
        Get::List(side) => {
            let list = locators(socket, &info, side)?;
            put_list(&list, &info, side, wanted)
        }
    }
}

/// Whether there is a context of the socket's two addresses, and the socket wants it.
fn is_associated(socket: &Socket<'_>, info: &Info<'_>) -> bool {
    let (Some(pair), Some(state)) = (info.addresses, netns::state(info.net)) else { return false };
    let guard = Guard::new();
    let view = View::new(state, Rcu::of(&guard));
    let path = view.by_ulids(&pair.local, &pair.peer).and_then(|node| view.path(node));
    path.is_some() && !socket.dontshim()
}

fn put_list(list: &List, info: &Info<'_>, side: Side, wanted: &Wanted) -> Result<(), Failure> {
    sockapi::fits(wanted.room(), list.len)?;
    let room = list.len * uapi::LOCATOR_LEN;
    let mut octets = KVec::with_capacity(room, GFP_KERNEL).map_err(Error::from)?;
    for locator in list.iter() {
        let locator = with_interface(info, side, locator).emit();
        octets.extend_from_slice(&locator, GFP_KERNEL).map_err(Error::from)?;
    }
    Ok(wanted.put(&octets)?)
}

/// Ls(local) or Ls(peer), copied.
struct List {
    all: [Locator; MAX_LOCATORS],
    len: usize,
}

impl List {
    fn iter(&self) -> impl Iterator<Item = Locator> + '_ {
        self.all.iter().take(self.len).copied()
    }

    fn of(from: impl Iterator<Item = Locator>) -> Self {
        let mut list = List { all: [Locator::default(); MAX_LOCATORS], len: 0 };
        for (to, from) in list.all.iter_mut().zip(from) {
            *to = from;
            list.len += 1;
        }
        list
    }
}

/// The locators of the context that is associated with a socket: the one of its two addresses.
fn locators(socket: &Socket<'_>, info: &Info<'_>, side: Side) -> Result<List, Failure> {
    if socket.dontshim() {
        return Err(Errno::NoContext.into());
    }
    let pair = info.addresses.ok_or(Errno::NoContext)?;
    let state = netns::state(info.net).ok_or(Errno::NoContext)?;
    let ulids = UlidPair { pair, fii: 0 };
    let list = match side {
        Side::Local => local_locators(state, &ulids),
        Side::Peer => peer_locators(state, &ulids),
    };
    Ok(list.ok_or(Errno::NoContext)?)
}

fn peer_locators(state: &NetState, ulids: &UlidPair) -> Option<List> {
    let mut control = state.control();
    let (_, locked) = control.writer.by_ulids(ulids)?;
    if !locked.ctx.is_active() {
        return None;
    }
    Some(List::of(locked.ctx.peer_locators().iter().filter(|l| l.is_verified()).map(|l| Locator {
        addr: l.addr,
        priority: l.pref.priority.into(),
        weight: l.pref.weight.into(),
        interface: 0,
        flags: flags(l.method()),
    })))
}

fn local_locators(state: &NetState, ulids: &UlidPair) -> Option<List> {
    let mut control = state.control();
    let (_, locked) = control.writer.by_ulids(ulids)?;
    if !locked.ctx.is_active() {
        return None;
    }
    let set = control.sets.of(&ulids.pair.local)?;
    Some(List::of(set.locators.iter().map(|l| Locator {
        addr: l.addr,
        priority: l.pref.priority.into(),
        weight: l.pref.weight.into(),
        interface: 0,
        flags: flags(l.method),
    })))
}

fn flags(method: Method) -> u16 {
    match method {
        Method::Hba => uapi::FLAG_HBA,
        Method::Cga => uapi::FLAG_CGA,
        Method::Unknown(_) => 0,
    }
}

/// lc_ifidx: "applicable only to local locators" (section 8.1).
fn with_interface(info: &Info<'_>, side: Side, locator: Locator) -> Locator {
    let except = netns::state(info.net).map_or(0, NetState::catch_all);
    match side {
        Side::Peer => locator,
        Side::Local => {
            Locator { interface: sock::interface(info.net, &locator.addr, except), ..locator }
        }
    }
}
