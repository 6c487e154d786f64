// SPDX-License-Identifier: GPL-2.0

//! SOL_SHIM: setsockopt() and getsockopt() of level 140 (RFC 6316 section 6).
//!
//! What an option means is decided in `proto/sockapi.rs`; here the socket is looked at and the
//! context of its addresses is found.

use crate::associated::view;
use crate::associated::Associated;
use crate::associated::Failure;
use crate::forks;
use crate::netns::Control;
use crate::netns::NetState;
use crate::proto::addr::Addr;
use crate::proto::locator::LocalSet;
use crate::proto::sockapi;
use crate::proto::sockapi::uapi;
use crate::proto::sockapi::Errno;
use crate::proto::sockapi::Get;
use crate::proto::sockapi::Locator;
use crate::proto::sockapi::Set;
use crate::proto::sockapi::Side;
use crate::proto::sockapi::WantedList;
use crate::proto::wire::Method;
use crate::proto::wire::MAX_LOCATORS;
use crate::proto::wish::Granted;
use crate::proto::wish::Wish;
use crate::sys::entry::netns;
use crate::sys::sock;
use crate::sys::sock::Choice;
use crate::sys::sock::Info;
use crate::sys::sock::Socket;
use crate::sys::user::Given;
use crate::sys::user::Wanted as Room;
use kernel::prelude::*;

/// How often threads that set options of one socket may meet.
const FORK_RACES: usize = 4;

fn status(result: Result<(), Failure>) -> i32 {
    result.err().map_or(0, |Failure(number)| number)
}

/// setsockopt(): 0 or a negative error number.
pub(crate) fn set(socket: &Socket<'_>, name: i32, given: &Given<'_>) -> i32 {
    status(try_set(socket, name, given))
}

fn try_set(socket: &Socket<'_>, name: i32, given: &Given<'_>) -> Result<(), Failure> {
    let info = socket.info();
    let set = sockapi::set(name, &view(&info))?;
    if set == Set::DontShim {
        return Ok(socket.set_dontshim(sockapi::flag(given.read()?)?)?);
    }
    let context = Associated::of(socket, &info)?;
    match set {
        Set::DontShim => Ok(()),
        Set::Recv(what) => Ok(socket.set_tells(what, sockapi::flag(given.read()?)?)?),
        Set::Send(side) => {
            let octets = given.read()?.ok_or(Errno::Invalid)?;
            set_choice(socket, &info, &context, side, Locator::choice(&octets)?)
        }
        Set::InterfaceSend => {
            let index = sockapi::index(given.read()?)?;
            let interface = (index != 0).then_some(index);
            let Choice { local, .. } = context.choose(&info, None, None, interface)?;
            Ok(socket.choose(Side::Local, local)?)
        }
        Set::Pref(side) => set_preference(socket, &info, side, given),
        Set::List(side) => set_list(socket, &info, side, given),
        Set::AppTimeout => {
            let ms = sockapi::seconds(given.read()?)?;
            wish(socket, &info, &Wish::SendTimeout(ms))
        }
        Set::HotStandby => {
            let on = sockapi::flag(given.read()?)?;
            wish(socket, &info, &Wish::HotStandby(on))
        }
        Set::PathExplore => {
            let explore = sockapi::explore(given.read()?)?;
            wish(socket, &info, &Wish::Explore(explore))
        }
        Set::Feedback(feedback) => {
            given.read::<{ uapi::INT_LEN }>()?.ok_or(Errno::Invalid)?;
            Ok(context.enter(|ctx, env, activity| ctx.feedback(env, activity, feedback))?)
        }
    }
}

/// SHIM_LOC_LOCAL_SEND, SHIM_LOC_PEER_SEND: of this socket alone.
fn set_choice(
    socket: &Socket<'_>,
    info: &Info<'_>,
    context: &Associated<'_>,
    side: Side,
    locator: Option<Addr>,
) -> Result<(), Failure> {
    match side {
        Side::Local => context.choose(info, locator, None, None)?,
        Side::Peer => context.choose(info, None, locator, None)?,
    };
    Ok(socket.choose(side, locator)?)
}

fn set_preference(
    socket: &Socket<'_>,
    info: &Info<'_>,
    side: Side,
    given: &Given<'_>,
) -> Result<(), Failure> {
    let octets = given.read()?.ok_or(Errno::Invalid)?;
    let wanted = Locator::parse(&octets)?.wanted()?;
    let wanted = match side {
        Side::Local => Wish::Local(wanted),
        Side::Peer => Wish::Peer(wanted),
    };
    wish(socket, info, &wanted)
}

fn set_list(
    socket: &Socket<'_>,
    info: &Info<'_>,
    side: Side,
    given: &Given<'_>,
) -> Result<(), Failure> {
    sockapi::list(given.len())?;
    let list = WantedList::parse(&given.read_all()?)?;
    let wanted = match side {
        Side::Local => Wish::Locals(list.as_slice()),
        Side::Peer => Wish::Peers(list.as_slice()),
    };
    wish(socket, info, &wanted)
}

/// Grants a wish: in the context that the socket shares, else in one of its own, for which the
/// call waits (RFC 6316 section 11.1).
fn wish(socket: &Socket<'_>, info: &Info<'_>, wish: &Wish<'_>) -> Result<(), Failure> {
    let by = socket.owner()?;
    for _ in 0..FORK_RACES {
        let context = Associated::of(socket, info)?;
        if context.wish(by, wish)? == Granted::Here {
            return Ok(());
        }
        let old = socket.fork();
        let tag = forks::fork(context.state, &context.ulids)?;
        let bound = context.wish_of(tag, by, wish).and_then(|_| Ok(socket.set_fork(old, tag)?));
        match bound {
            Ok(()) => return Ok(()),
            // Another thread gave the socket one meanwhile.
            Err(Failure(number)) if number == EEXIST.to_errno() => {
                forks::release(context.state, tag);
            }
            Err(failure) => {
                forks::release(context.state, tag);
                return Err(failure);
            }
        }
    }
    Err(EAGAIN.into())
}

/// getsockopt(): 0 or a negative error number.
pub(crate) fn get(socket: &Socket<'_>, name: i32, wanted: &Room) -> i32 {
    status(try_get(socket, name, wanted))
}

fn try_get(socket: &Socket<'_>, name: i32, wanted: &Room) -> Result<(), Failure> {
    let info = socket.info();
    let (name, peeks) = sockapi::peek(name);
    let get = sockapi::get(name, &view(&info))?;
    let context = || match peeks {
        true => Associated::seen(socket, &info),
        false => Associated::of(socket, &info),
    };
    match get {
        Get::DontShim => Ok(wanted.put(&sockapi::int(socket.dontshim()))?),
        Get::DeferredSetup => Ok(wanted.put(&sockapi::int(true))?),
        Get::Associated => Ok(wanted.put(&sockapi::int(context().is_ok()))?),
        Get::Recv(what) => {
            context()?;
            Ok(wanted.put(&sockapi::int(socket.tells(what)))?)
        }
        Get::Send(side) => {
            let context = context()?;
            let choice = socket.choice();
            let chosen = match side {
                Side::Local => choice.local,
                Side::Peer => choice.peer,
            };
            let Some(chosen) = chosen else {
                return Ok(wanted.put(&[0; uapi::LOCATOR_LEN])?);
            };
            let list = locators(&context, side)?;
            let known = list.iter().find(|locator| locator.addr == chosen);
            let locator = known.unwrap_or(Locator { addr: chosen, ..Locator::default() });
            Ok(wanted.put(&with_interface(&info, side, locator).emit())?)
        }
        Get::InterfaceSend => {
            context()?;
            let index = socket.choice().local.map_or(0, |addr| interface(&info, &addr));
            Ok(wanted.put(&index.to_ne_bytes())?)
        }
        Get::HotStandby => {
            let context = context()?;
            let on = context.with(|ctx| ctx.has_standby())?;
            Ok(wanted.put(&sockapi::int(on))?)
        }
        Get::AppTimeout => {
            let context = context()?;
            let ms = context.with(|ctx| ctx.wishes().map_or(0, |wishes| wishes.send_timeout_ms))?;
            Ok(wanted.put(&((ms / 1000) as i32).to_ne_bytes())?)
        }
        Get::PathExplore => {
            let context = context()?;
            let config = context.state.config();
            let explore = context.with(|ctx| ctx.explore(&config))?;
            Ok(wanted.put(&sockapi::explore_octets(&explore))?)
        }
        Get::Pref(side) => {
            let list = locators(&context()?, side)?;
            let best = sockapi::preferred(list.iter()).ok_or(Errno::NoContext)?;
            Ok(wanted.put(&with_interface(&info, side, best).emit())?)
        }
        Get::List(side) => {
            let list = locators(&context()?, side)?;
            put_list(&list, &info, side, wanted)
        }
        Get::Instance => Ok(wanted.put(&context()?.ulids.fii.to_ne_bytes())?),
    }
}

fn put_list(list: &List, info: &Info<'_>, side: Side, wanted: &Room) -> Result<(), Failure> {
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

/// The locators of a context.
fn locators(context: &Associated<'_>, side: Side) -> Result<List, Errno> {
    match side {
        Side::Local => context.local_locators(),
        Side::Peer => context.peer_locators(),
    }
}

impl Associated<'_> {
    fn peer_locators(&self) -> Result<List, Errno> {
        self.with(|ctx| {
            List::of(ctx.peer_locators().iter().filter(|l| l.is_candidate()).map(|l| Locator {
                addr: l.addr,
                priority: l.preference().priority.into(),
                weight: l.preference().weight.into(),
                interface: 0,
                flags: flags(l.method()),
            }))
        })
    }

    fn local_locators(&self) -> Result<List, Errno> {
        let mut control = self.state.control();
        let Control { sets, writer, .. } = &mut *control;
        let (_, ctx) = writer.by_ulids(&self.ulids).ok_or(Errno::NoContext)?;
        let set = sets.of(&self.ulids.pair.local).filter(|_| ctx.is_active());
        let set = LocalSet { wishes: ctx.wishes(), ..set.ok_or(Errno::NoContext)? };
        Ok(List::of(set.listed().map(|l| Locator {
            addr: l.addr,
            priority: set.preference(l).priority.into(),
            weight: set.preference(l).weight.into(),
            interface: 0,
            flags: flags(l.method),
        })))
    }
}

fn flags(method: Method) -> u16 {
    match method {
        Method::Hba => uapi::FLAG_HBA,
        Method::Cga => uapi::FLAG_CGA,
        Method::Unknown(_) => 0,
    }
}

/// The interface that has an address of ours; 0 if none has.
fn interface(info: &Info<'_>, addr: &Addr) -> u32 {
    let except = netns::state(info.net).map_or(0, NetState::catch_all);
    sock::interface(info.net, addr, except)
}

/// lc_ifidx: "applicable only to local locators" (section 8.1).
fn with_interface(info: &Info<'_>, side: Side, locator: Locator) -> Locator {
    match side {
        Side::Peer => locator,
        Side::Local => Locator { interface: interface(info, &locator.addr), ..locator },
    }
}
