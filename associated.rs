// SPDX-License-Identifier: GPL-2.0

//! From a socket to its context (RFC 6316 section 3: "a shim context associated with the
//! socket"), and the errors of getting there.

use crate::drive;
use crate::netns::Control;
use crate::netns::NetState;
use crate::netns::View;
use crate::proto::addr::Addr;
use crate::proto::addr::Pair;
use crate::proto::addr::Tag;
use crate::proto::addr::UlidPair;
use crate::proto::context::Context;
use crate::proto::context::Flow;
use crate::proto::env::Env;
use crate::proto::reap::activity::Activity;
use crate::proto::sockapi;
use crate::proto::sockapi::Errno;
use crate::proto::wire::MAX_LOCATORS;
use crate::proto::wish::Granted;
use crate::proto::wish::Owner;
use crate::proto::wish::Wish;
use crate::sys::entry::netns;
use crate::sys::rcu::Guard;
use crate::sys::rcu::Rcu;
use crate::sys::sock;
use crate::sys::sock::Choice;
use crate::sys::sock::Info;
use crate::sys::sock::Socket;
use crate::table::Locators;
use kernel::prelude::*;

/// An error of the API or of the kernel, as a negative number.
pub(crate) struct Failure(pub(crate) i32);

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

/// What the core is told of a socket.
pub(crate) fn view(info: &Info<'_>) -> sockapi::Socket {
    sockapi::Socket {
        family: info.family,
        kind: info.kind,
        protocol: info.protocol,
        state: info.state,
    }
}

/// The context that is associated with a socket, unless it wants no shim: its own, the one that its
/// peer sends in, or the one of its two addresses.
pub(crate) struct Associated<'a> {
    pub(crate) state: &'a NetState,
    pub(crate) ulids: UlidPair,
}

impl<'a> Associated<'a> {
    /// "When there is no shim context associated with the socket, error code ENOENT is returned
    /// to the application."
    pub(crate) fn of(socket: &Socket<'_>, info: &Info<'a>) -> Result<Self, Errno> {
        let pair = info.addresses.ok_or(Errno::NoContext)?;
        Self::between(socket, info, pair).inspect_err(|_| {
            if let Some(state) = netns::state(info.net).filter(|_| !socket.dontshim()) {
                state.asked_for(&pair);
            }
        })
    }

    /// The same for one who only looks: no context is set up for it.
    pub(crate) fn seen(socket: &Socket<'_>, info: &Info<'a>) -> Result<Self, Errno> {
        Self::between(socket, info, info.addresses.ok_or(Errno::NoContext)?)
    }

    /// The context between two identifiers, of a socket that sends from one to the other.
    pub(crate) fn between(socket: &Socket<'_>, info: &Info<'a>, pair: Pair) -> Result<Self, Errno> {
        if socket.dontshim() {
            return Err(Errno::NoContext);
        }
        let state = netns::state(info.net).ok_or(Errno::NoContext)?;
        let ulids = context_of(state, socket, info, &pair).ok_or(Errno::NoContext)?;
        let context = Associated { state, ulids };
        context.with(|_| ()).map(|()| context)
    }

    /// Looks at the context.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&Context<Locators>) -> R) -> Result<R, Errno> {
        let mut control = self.state.control();
        let (_, ctx) = control.writer.by_ulids(&self.ulids).ok_or(Errno::NoContext)?;
        ctx.is_active().then(|| f(ctx)).ok_or(Errno::NoContext)
    }

    /// Calls the context.
    pub(crate) fn enter<R>(
        &self,
        f: impl FnOnce(&mut Context<Locators>, &dyn Env, &Activity) -> R,
    ) -> Result<R, Errno> {
        let result = drive::enter(self.state, |core| {
            let tag = core.active(&self.ulids)?;
            core.context(tag, f)
        });
        result.flatten().ok_or(Errno::NoContext)
    }

    /// Tells the context what a socket wants of it.
    pub(crate) fn wish(&self, by: Owner, wish: &Wish<'_>) -> Result<Granted, Failure> {
        let granted =
            self.enter(|ctx, env, activity| ctx.wish(env, activity, by, sock::lives, wish))?;
        Ok(granted.map_err(Errno::from)?)
    }

    /// Tells it a context that was forked for the socket.
    pub(crate) fn wish_of(&self, tag: Tag, by: Owner, wish: &Wish<'_>) -> Result<Granted, Failure> {
        let granted = drive::enter(self.state, |core| {
            core.context(tag, |ctx, env, activity| ctx.wish(env, activity, by, |_| true, wish))
        });
        Ok(granted.flatten().ok_or(Errno::NoContext)?.map_err(Errno::from)?)
    }

    /// Whether the context may send from and to these; the place of an interface is taken by a
    /// locator that it has.
    pub(crate) fn choose(
        &self,
        info: &Info<'_>,
        local: Option<Addr>,
        peer: Option<Addr>,
        interface: Option<u32>,
    ) -> Result<Choice, Failure> {
        let by = interface.map(|index| self.local_of(info, index)).transpose()?;
        let local = match (local, by) {
            (Some(local), Some(by)) if sock::interface(info.net, &local, 0) != by.1 => {
                return Err(Errno::Invalid.into());
            }
            (local, by) => local.or(by.map(|(addr, _)| addr)),
        };
        let chosen = self
            .enter(|ctx, env, activity| ctx.choose(env, activity, local.as_ref(), peer.as_ref()))?;
        chosen.map_err(Errno::from)?;
        Ok(Choice { local, peer })
    }

    /// A locator of ours that this interface has: the current one, if it does.
    fn local_of(&self, info: &Info<'_>, index: u32) -> Result<(Addr, u32), Errno> {
        let mut all = [Addr::default(); MAX_LOCATORS + 1];
        let len = {
            let mut control = self.state.control();
            let Control { sets, writer, .. } = &mut *control;
            let (_, ctx) = writer.by_ulids(&self.ulids).ok_or(Errno::NoContext)?;
            let set = sets.of(&self.ulids.pair.local).ok_or(Errno::NoContext)?;
            all[0] = ctx.tx_pair().local;
            let list = all.iter_mut().skip(1).zip(set.listed());
            list.map(|(to, locator)| *to = locator.addr).count() + 1
        };
        let except = self.state.catch_all();
        all.iter()
            .take(len)
            .find(|addr| sock::interface(info.net, addr, except) == index)
            .map(|addr| (*addr, index))
            .ok_or(Errno::InvalidLocator)
    }
}

/// The name of the context that a socket's packets take.
pub(crate) fn context_of(
    state: &NetState,
    socket: &Socket<'_>,
    info: &Info<'_>,
    pair: &Pair,
) -> Option<UlidPair> {
    let guard = Guard::new();
    let view = View::new(state, Rcu::of(&guard));
    let node = view.of_socket(&pair.local, &pair.peer, socket.fork(), flow_of(info))?;
    view.path(node).map(|_| node.ulids())
}

/// The flow of a connected socket's packets.
pub(crate) fn flow_of(info: &Info<'_>) -> Flow {
    let (local_port, peer_port) = info.ports;
    Flow::new(u8::try_from(info.protocol).unwrap_or(0), local_port, peer_port)
}
