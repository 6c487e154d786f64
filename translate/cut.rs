// SPDX-License-Identifier: GPL-2.0
//! Packets that do not fit with 8 octets more: super-packets are cut into segments, datagrams into
//! fragments inside (RFC 5533 4.6: the endpoint sublayer is above the shim).

use crate::netns::View;
use crate::proto::counter::Counter;
use crate::proto::translate::MIN_MTU;
use crate::sys::frag::Failed;
use crate::sys::frag::Fragments;
use crate::sys::gso;
use crate::sys::hook::Call;
use crate::sys::hook::Owned;
use crate::sys::hook::Verdict;
use crate::sys::route::Facts;
use crate::sys::skb::Skb;
use crate::translate::outgoing::lower_pmtu;
use crate::translate::outgoing::route;
use crate::translate::outgoing::send_as;
use crate::translate::outgoing::Way;

/// Cuts a super-packet here and sends every segment by itself.
#[cold]
pub(super) fn cut(
    net: View<'_>,
    way: &Way<'_>,
    mut skb: Skb<'_>,
    room_for: u32,
    call: &Call<'_>,
) -> Verdict {
    let Ok(segments) = gso::cut(&mut skb) else {
        net.count(Counter::TxNoMemory);
        return Verdict::NO_MEMORY;
    };
    net.count(Counter::TxSegmented);
    let mut result = Ok(());
    for mut segment in segments {
        result = if segment.skb().len() > room_for {
            lower_pmtu(&mut segment.skb(), room_for);
            match route(net, way, &segment.skb(), call) {
                Some(route) => pieces(net, way, &mut segment.skb(), route.facts, room_for, call),
                None => {
                    net.count(Counter::TxNoRoute);
                    Err(Verdict::UNREACHABLE)
                }
            }
        } else {
            send_piece(net, way, segment, call)
        };
        if result.is_err() {
            break;
        }
    }
    skb.consume();
    Verdict::stolen(result)
}

/// A packet that does not fit with our 8 octets.
#[cold]
pub(super) fn fragment(
    net: View<'_>,
    way: &Way<'_>,
    mut skb: Skb<'_>,
    facts: Facts,
    room_for: u32,
    call: &Call<'_>,
) -> Verdict {
    lower_pmtu(&mut skb, room_for);
    // A sender that forbids fragments learns the new MTU; but below 1280 nobody would believe it,
    // and TCP has adjusted when it sends the next segment.
    if !skb.may_fragment() && skb.len() > room_for.max(MIN_MTU) && !skb.is_tcp() {
        net.count(Counter::TxTooBig);
        skb.tell_too_big(room_for);
        return Verdict::TOO_BIG;
    }
    match pieces(net, way, &mut skb, facts, room_for, call) {
        Ok(()) => {
            skb.consume();
            Verdict::stolen(Ok(()))
        }
        Err(verdict) => verdict,
    }
}

/// Sends a packet as fragments of at most `room_for` octets, each rehomed by itself.
fn pieces(
    net: View<'_>,
    way: &Way<'_>,
    skb: &mut Skb<'_>,
    facts: Facts,
    room_for: u32,
    call: &Call<'_>,
) -> Result<(), Verdict> {
    let mut fragments = match Fragments::of(call, skb, room_for, facts.room()) {
        Ok(f) => f,
        Err(Failed::TooSmall) => {
            net.count(Counter::TxTooBig);
            return Err(Verdict::TOO_BIG);
        }
        Err(Failed::NoMemory) => {
            net.count(Counter::TxNoMemory);
            return Err(Verdict::NO_MEMORY);
        }
    };
    while let Some(fragment) = fragments.next() {
        let Ok(fragment) = fragment else {
            net.count(Counter::TxNoMemory);
            return Err(Verdict::NO_MEMORY);
        };
        net.count(Counter::TxFragments);
        send_piece(net, way, fragment, call)?;
    }
    Ok(())
}

fn send_piece(
    net: View<'_>,
    way: &Way<'_>,
    mut piece: Owned,
    call: &Call<'_>,
) -> Result<(), Verdict> {
    let mut skb = piece.skb();
    let Some(route) = route(net, way, &skb, call) else {
        net.count(Counter::TxNoRoute);
        return Err(Verdict::UNREACHABLE);
    };
    send_as(net, way, &mut skb, route)?;
    net.count(Counter::TxRewritten);
    call.output(piece).map_err(Verdict::failed)
}
