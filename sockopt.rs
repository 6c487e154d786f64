// SPDX-License-Identifier: GPL-2.0

//! SOL_SHIM: setsockopt() and getsockopt() of level 140 (RFC 6316 section 6).
//!
//! What an option means is decided in `proto/sockapi.rs`; here the socket is looked at and the
//! context of its addresses is found.

use crate::netns::NetState;
use crate::proto::addr::Addr;
use crate::proto::addr::UlidPair;
use crate::proto::sockapi;
use crate::proto::sockapi::uapi;
use crate::proto::sockapi::Errno;
use crate::proto::sockapi::Get;
use crate::proto::sockapi::Locator;
use crate::proto::sockapi::Side;
use crate::proto::wire::Method;
use crate::proto::wire::MAX_LOCATORS;
use crate::sys::entry::netns;
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
    sockapi::Socket { supported: info.supported, connected: info.connected }
}

/// setsockopt(): 0 or a negative error number.
pub(crate) fn set(socket: &Socket<'_>, name: i32, given: &Given<'_>) -> i32 {
    status(try_set(socket, name, given))
}

fn try_set(socket: &Socket<'_>, name: i32, given: &Given<'_>) -> Result<(), Failure> {
    // What is wrong with the option itself is told before its value is read.
    if sockapi::Name::from_number(name).is_none() {
        return Err(Errno::NoSuchOption.into());
    }
    let value = given.int()?;
    let dontshim = sockapi::set(name, &view(&socket.info()), value)?;
    Ok(socket.set_dontshim(dontshim)?)
}

/// getsockopt(): 0 or a negative error number.
pub(crate) fn get(socket: &Socket<'_>, name: i32, wanted: &Wanted) -> i32 {
    status(try_get(socket, name, wanted))
}

fn try_get(socket: &Socket<'_>, name: i32, wanted: &Wanted) -> Result<(), Failure> {
    let info = socket.info();
    match sockapi::get(name, &view(&info))? {
        Get::DontShim => Ok(wanted.put(&i32::from(socket.dontshim()).to_ne_bytes())?),
        Get::Associated => {
            let associated = !socket.dontshim() && locators(&info, Side::Local).is_ok();
            Ok(wanted.put(&i32::from(associated).to_ne_bytes())?)
        }
        Get::Pref(side) => {
            let list = locators(&info, side)?;
            let best = sockapi::preferred(list.iter()).ok_or(Errno::NoContext)?;
            Ok(wanted.put(&with_interface(&info, side, best).emit())?)
        }
        Get::List(side) => put_list(&info, side, wanted),
    }
}

fn put_list(info: &Info<'_>, side: Side, wanted: &Wanted) -> Result<(), Failure> {
    let list = locators(info, side)?;
    sockapi::fits(wanted.room(), list.len)?;
    let mut octets =
        KVec::with_capacity(list.len * uapi::LOCATOR_LEN, GFP_KERNEL).map_err(Error::from)?;
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
fn locators(info: &Info<'_>, side: Side) -> Result<KBox<List>, Failure> {
    let pair = info.addresses.ok_or(Errno::NoContext)?;
    let state = netns::state(info.net).ok_or(Errno::NoContext)?;
    let list = match side {
        Side::Local => local_locators(state, &pair.local, &UlidPair { pair, fii: 0 }),
        Side::Peer => peer_locators(state, &UlidPair { pair, fii: 0 }),
    };
    let list = list.ok_or(Errno::NoContext)?;
    Ok(KBox::new(list, GFP_KERNEL).map_err(Error::from)?)
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

fn local_locators(state: &NetState, ulid: &Addr, ulids: &UlidPair) -> Option<List> {
    let mut control = state.control();
    let (_, locked) = control.writer.by_ulids(ulids)?;
    if !locked.ctx.is_active() {
        return None;
    }
    let set = control.sets.of(ulid)?;
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
