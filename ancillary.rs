// SPDX-License-Identifier: GPL-2.0

//! sendmsg() and recvmsg() with ancillary data of level SOL_SHIM (RFC 6316 section 7).
//!
//! A sendmsg() that fails here has sent nothing and told nothing.

use crate::associated::flow_of;
use crate::associated::view;
use crate::associated::Associated;
use crate::associated::Failure;
use crate::netns::View;
use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::proto::ancillary::sockaddr;
use crate::proto::ancillary::Note;
use crate::proto::ancillary::Objects;
use crate::proto::sockapi::Errno;
use crate::proto::sockapi::Side;
use crate::proto::sockapi::Told;
use crate::sys::ancillary::Heard;
use crate::sys::ancillary::Message;
use crate::sys::entry::netns;
use crate::sys::rcu::Guard;
use crate::sys::rcu::Rcu;
use crate::sys::sock;
use crate::sys::sock::Choice;
use crate::sys::sock::Info;
use crate::sys::sock::Socket;
use kernel::prelude::*;

/// What sendmsg() returns.
pub(crate) fn send(message: &Message<'_>) -> i32 {
    match prepare(message) {
        Err(Failure(error)) => error,
        Ok(None) => message.send(),
        Ok(Some((ulids, choice))) => message.send_by(&ulids, &choice),
    }
}

/// Does what the objects ask for; what they choose for the datagram is returned.
fn prepare(message: &Message<'_>) -> Result<Option<(Pair, Choice)>, Failure> {
    let mut objects = Objects::default();
    message.each(|kind, octets| Ok::<_, Failure>(objects.add(kind, octets)?))?;
    let socket = message.socket();
    let info = socket.info();
    objects.suit(&view(&info), message.corks())?;
    let ulids = match info.addresses {
        Some(pair) if view(&info).is_stream() => pair,
        Some(_) => message.identifiers()?,
        None => return Err(Errno::NoContext.into()),
    };
    let context = Associated::between(&socket, &info, ulids)?;
    let Objects { local, peer, interface, feedback } = objects;
    let choice = context.choose(&info, local, peer, interface)?;
    if let Some(feedback) = feedback.flatten() {
        context.enter(|ctx, env, activity| ctx.feedback(env, activity, feedback))?;
    }
    Ok(objects.chooses().then_some((ulids, choice)))
}

/// What recvmsg() returns.
pub(crate) fn receive(message: &Message<'_>) -> i32 {
    let (result, heard) = message.receive();
    if result < 0 || message.is_of_errors() {
        return result;
    }
    let socket = message.socket();
    let info = socket.info();
    let stream = view(&info).is_stream();
    let (pair, interface) = match heard {
        Some(heard) => (locators(&socket, &info, &heard), heard.interface),
        // "The shim sub-layer SHOULD provide the latest locator information" (section 7.4).
        None if stream => latest(&socket, &info),
        None => (None, 0),
    };
    for what in Told::ALL.into_iter().filter(|what| socket.tells(*what)) {
        let of = |f: fn(&Pair) -> &Addr| sockaddr(pair.as_ref().map(f));
        match what {
            Told::Locator(Side::Local) => message.put(what.number(), &of(|pair| &pair.local)),
            Told::Locator(Side::Peer) => message.put(what.number(), &of(|pair| &pair.peer)),
            Told::Interface => message.put(what.number(), &interface.to_ne_bytes()),
        }
    }
    result
}

/// The locators of a datagram; `None` without a context. It may have come in the socket's own
/// context, or in the one that its peer's packets share.
fn locators(socket: &Socket<'_>, info: &Info<'_>, heard: &Heard) -> Option<Pair> {
    let Pair { local, peer } = &heard.ulids;
    let note = Note::from_bits(heard.note);
    let guard = Guard::new();
    let view = View::new(netns::state(info.net)?, Rcu::of(&guard));
    let received = |node| view.path(node)?.received(note);
    let own = view.of_socket(local, peer, socket.fork(), flow_of(info));
    own.and_then(received)
        .or_else(|| received(view.by_hash(view.hash(local, peer), local, peer)?))
}

/// The locators of what was received last with the context of this socket, and the interface of
/// ours; without a context, the interface that the kernel knows of the socket.
fn latest(socket: &Socket<'_>, info: &Info<'_>) -> (Option<Pair>, u32) {
    let pair = latest_locators(socket, info);
    let interface = match (&pair, netns::state(info.net)) {
        (Some(pair), Some(state)) => sock::interface(info.net, &pair.local, state.catch_all()),
        _ => socket.receives_by(),
    };
    (pair, interface)
}

fn latest_locators(socket: &Socket<'_>, info: &Info<'_>) -> Option<Pair> {
    let pair = info.addresses?;
    let guard = Guard::new();
    let view = View::new(netns::state(info.net)?, Rcu::of(&guard));
    let node = view.of_socket(&pair.local, &pair.peer, socket.fork(), flow_of(info))?;
    view.path(node)?.received(node.last_note())
}
