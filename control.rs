// SPDX-License-Identifier: GPL-2.0

//! Control messages, ICMPv6 errors about ours, and the set-up of contexts, on their way into the
//! core.

use crate::drive;
use crate::netns::NetState;
use crate::proto::addr::Pair;
use crate::proto::addr::Presence;
use crate::proto::addr::Tag;
use crate::proto::addr::UlidPair;
use crate::proto::context::Hint;
use crate::proto::endpoint::IcmpError;
use crate::proto::endpoint::Meta;
use crate::proto::endpoint::Refused;
use crate::proto::wire::PROTOCOL;
use crate::sys::addrconf;

/// A control message is for this host; softirq, or process context when it comes again with the
/// verdict on its signature.
pub(crate) fn receive(state: &NetState, meta: Meta<'_>, message: &[u8]) {
    drive::enter(state, |core| {
        let (touched, judge) = core.endpoint(|endpoint, env, table, buffer| {
            let received = endpoint.receive(env, table, meta, message, buffer);
            ((received.touched, received.judge), received.reply)
        });
        if let Some(tag) = touched {
            core.drain(tag);
        }
        if judge {
            core.keep(&meta, message);
        }
    });
}

/// A payload header with a tag that no context has, or from locators that are not its context's,
/// is for this host; softirq.
pub(crate) fn unknown_tag(state: &NetState, pair: Pair, tag: Tag) {
    drive::enter(state, |core| {
        core.endpoint(|endpoint, env, _, buffer| {
            ((), endpoint.payload_without_context(env, pair.peer, pair.local, tag, buffer))
        });
    });
}

/// An ICMPv6 error came back about `packet` of ours (from its IPv6 header on); softirq.
pub(crate) fn icmp_error(state: &NetState, kind: u8, code: u8, info: u32, packet: &[u8]) {
    let Some(what) = classify(kind, code, info, packet) else { return };
    drive::enter(state, |core| {
        let touched = core.endpoint(|endpoint, env, table, _| {
            (endpoint.icmp_error(env, table, what, packet), None)
        });
        if let Some(tag) = touched {
            core.drain(tag);
        }
    });
}

/// An ICMPv6 error says that the peer of a context cannot be reached over this pair; softirq.
pub(crate) fn icmp_hint(state: &NetState, tag: Tag, pair: &Pair) {
    drive::enter(state, |core| {
        core.context(tag, |ctx, env, activity| {
            if ctx.tx_pair() == *pair {
                ctx.path_hint(env, activity, Hint::IcmpUnreachable);
            }
        })
    });
}

/// RFC 5533 8: the errors that "should be processed by the Shim6 layer"; 7.8: "unrecognized Next
/// Header type (type 4, code 1)".
fn classify(kind: u8, code: u8, info: u32, packet: &[u8]) -> Option<IcmpError> {
    match (kind, code) {
        (1, 0 | 1 | 2 | 3 | 5 | 6) | (3, _) => Some(IcmpError::Unreachable),
        (4, 1) => {
            let at = usize::try_from(info).ok()?;
            (packet.get(at) == Some(&PROTOCOL)).then_some(IcmpError::UnrecognizedNextHeader)
        }
        _ => None,
    }
}

/// Begins to set up a context; any context.
pub(crate) fn initiate(state: &NetState, ulids: UlidPair) -> Result<Tag, Refused> {
    drive::enter(state, |core| {
        let tag =
            core.endpoint(|endpoint, env, table, _| (endpoint.initiate(env, table, ulids), None))?;
        core.drain(tag);
        Ok(tag)
    })
    .unwrap_or(Err(Refused::Address))
}

/// Sets up the contexts that packets asked for; process context.
pub(crate) fn initiate_waiting(state: &NetState) {
    while let Some(pair) = state.next_waiting() {
        // It may have waited here twice, and failed once.
        if state.held_until(&pair).is_some() {
            continue;
        }
        let Pair { local, peer } = pair;
        // Nor does anything happen to the path to this very host.
        if addrconf::presence(state.net(), &peer).0 != Presence::Absent {
            continue;
        }
        // A refusal was counted by the core; the pair is counted anew.
        let _ = initiate(state, UlidPair::new(local, peer));
    }
}
