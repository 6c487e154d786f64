// SPDX-License-Identifier: GPL-2.0

//! Contexts of one socket's own (RFC 6316 section 11.1): set up while a system call waits, and
//! released when the socket is destroyed.

use crate::drive;
use crate::netns::NetState;
use crate::proto::addr::Tag;
use crate::proto::addr::UlidPair;
use crate::proto::endpoint::Refused;
use kernel::prelude::*;

/// Forks a context by the exchange of four messages, and sleeps until it is over: as long as the
/// retransmissions of I1 and I2 take. Returns CT(local); the caller binds it to a socket or
/// releases it. Errors: ETIMEDOUT if the peer did not answer, EINTR for a signal, ENOBUFS for
/// too many contexts, ENOENT if there is nothing to fork, ENOMEM.
pub(crate) fn fork(state: &NetState, of: &UlidPair) -> Result<Tag> {
    let begun = drive::enter(state, |core| {
        let base = core.active(of).ok_or(Refused::Nothing)?;
        let tag =
            core.endpoint(|endpoint, env, table, _| (endpoint.fork(env, table, base), None))?;
        core.drain(tag);
        Ok(tag)
    });
    let tag = begun.unwrap_or(Err(Refused::Nothing)).map_err(|why| match why {
        Refused::TooMany => ENOBUFS,
        Refused::NoMemory => ENOMEM,
        Refused::Nothing | Refused::Exists | Refused::Address | Refused::Policy => ENOENT,
    })?;
    wait(state, tag).inspect_err(|_| release(state, tag))?;
    Ok(tag)
}

fn wait(state: &NetState, tag: Tag) -> Result {
    let mut control = state.control();
    loop {
        match control.writer.by_tag(tag) {
            // The core gave up, and removed it.
            None => return Err(ETIMEDOUT),
            Some((_, ctx)) if ctx.is_active() => return Ok(()),
            Some(_) => state.wait_for_fork(&mut control)?,
        }
    }
}

/// The socket of a forked context is gone, if the context is still there; any context.
pub(crate) fn release(state: &NetState, tag: Tag) {
    drive::enter(state, |core| core.context(tag, |ctx, env, _| ctx.release(env)));
}
