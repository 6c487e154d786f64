// SPDX-License-Identifier: GPL-2.0
//! Packets of this host: whose context they have, and how they go (RFC 5533 11).

use crate::netns::View;
use crate::proto::addr::Pair;
use crate::proto::context::flows::Way as Direction;
use crate::proto::context::Flow;
use crate::proto::counter::Counter;
use crate::proto::translate;
use crate::proto::translate::Insertion;
use crate::proto::translate::MIN_MTU;
use crate::proto::wire::PayloadHeader;
use crate::proto::wire::PROTOCOL;
use crate::sys::gso;
use crate::sys::hook::Call;
use crate::sys::hook::Verdict;
use crate::sys::route::Facts;
use crate::sys::route::Route;
use crate::sys::skb::Ipv6;
use crate::sys::skb::NoMemory;
use crate::sys::skb::Skb;
use crate::sys::skb::Tracked;
use crate::sys::skb::SHIM_LEN;
use crate::sys::sock::Own;
use crate::table::Node;
use crate::table::Path;
use crate::translate::cut::cut;
use crate::translate::cut::fragment;

/// A packet of this host, the last thing before it is routed on.
///
/// What has no context is served here, in few instructions. The rest is out of line, and where
/// this function ends: so it keeps nothing over a call, and has no registers to save.
#[inline]
pub(crate) fn outgoing(net: View<'_>, skb: Skb<'_>, call: Call<'_>) -> Verdict {
    let ip = skb.head();
    // Our own control messages, and what was translated already.
    if ip.next == PROTOCOL {
        return Verdict::ACCEPT;
    }
    if Own::is_any() || net.is_special() {
        return outgoing_special(net, skb, call);
    }
    let Some(hash) = net.hash_at_hand(&ip.src, &ip.dst) else {
        return outgoing_special(net, skb, call);
    };
    if net.has_none(hash) && net.count_no_context(hash) {
        return unchanged(net, &skb);
    }
    outgoing_pair(net, hash, skb, call)
}

/// A packet of a pair that may have a context.
#[inline(never)]
fn outgoing_pair(net: View<'_>, hash: u64, skb: Skb<'_>, call: Call<'_>) -> Verdict {
    let ip = skb.head();
    match net.by_hash(hash, &ip.src, &ip.dst) {
        Some(node) => of_context(net, node, skb, call),
        None => without_context(net, hash, skb),
    }
}

/// A packet of a pair without a context: maybe the one that makes us set one up.
///
/// RFC 5533 11: "When there is no context state for the ULID pair on the sender, there is no
/// effect on how ULP packets are sent."
#[inline(never)]
fn without_context(net: View<'_>, hash: u64, skb: Skb<'_>) -> Verdict {
    let ip = skb.head();
    net.note_no_context(hash, &ip.src, &ip.dst);
    unchanged(net, &skb)
}

/// The same as [`outgoing`] where a packet's identifiers may not say all: sockets have wishes,
/// contexts are forked, or the policy has rules of flows. And where their hash is not at hand.
#[inline(never)]
fn outgoing_special(net: View<'_>, skb: Skb<'_>, call: Call<'_>) -> Verdict {
    let ip = skb.ipv6();
    let own = skb.own(&call);
    if own.as_ref().is_some_and(Own::is_dontshim) {
        net.count(Counter::TxDontShim);
        return unchanged(net, &skb);
    }
    let between = Pair { local: ip.src, peer: ip.dst };
    if net.denies_flow(&between, || Flow::of(skb.linear(), ip.next, Direction::Out)) {
        net.count(Counter::TxPolicy);
        return unchanged(net, &skb);
    }
    let hash = net.hash(&ip.src, &ip.dst);
    let fork = match net.forks() {
        0 => None,
        _ => forked(net, &skb, &ip, hash, own.as_ref()),
    };
    match fork.or_else(|| net.by_hash(hash, &ip.src, &ip.dst)) {
        Some(node) => match own.filter(Own::chooses) {
            None => of_context(net, node, skb, call),
            Some(own) => chosen(net, node, skb, &call, &own),
        },
        None => without_context(net, hash, skb),
    }
}

/// The forked context of a packet, if it has one.
#[cold]
fn forked<'a>(
    net: View<'a>,
    skb: &Skb<'_>,
    ip: &Ipv6,
    hash: u64,
    own: Option<&Own>,
) -> Option<&'a Node> {
    if let Some(node) = own.and_then(Own::fork).and_then(|tag| net.fork(tag, &ip.src, &ip.dst)) {
        net.count(Counter::TxFork);
        return Some(node);
    }
    let flow = Flow::of(skb.linear(), ip.next, Direction::Out);
    let node = net.by_flow(hash, &ip.src, &ip.dst, flow)?;
    net.count(Counter::TxFlow);
    Some(node)
}

/// A packet between the identifiers of a context.
#[inline(never)]
fn of_context(net: View<'_>, node: &Node, skb: Skb<'_>, call: Call<'_>) -> Verdict {
    if translate::is_neighbour_discovery(skb.head().next, skb.linear()) {
        return unchanged(net, &skb);
    }
    node.note_sent(net.tick());
    match net.path(node) {
        Some(path) if path.rewrite => rewrite_usual(net, path, skb, call),
        _ => {
            net.count(Counter::TxContext);
            unchanged(net, &skb)
        }
    }
}

/// A packet of a context whose locators are others than its identifiers.
#[inline(never)]
fn rewrite_usual(net: View<'_>, path: &Path, skb: Skb<'_>, call: Call<'_>) -> Verdict {
    rewrite(net, &Way { path, pair: &path.tx, own: None }, skb, &call)
}

/// A packet whose socket, or whose very sendmsg(), chose locators for it.
#[cold]
fn chosen(net: View<'_>, node: &Node, skb: Skb<'_>, call: &Call<'_>, own: &Own) -> Verdict {
    let ip = skb.ipv6();
    let Some(path) = net.path(node) else { return of_context(net, node, skb, *call) };
    let pair = own.pair(&path.tx);
    let between = Pair { local: ip.src, peer: ip.dst };
    if !path.is_local(&pair.local) || !path.is_peer(&pair.peer) || !own.is_meant_for(&between) {
        if own.is_of_call() {
            net.count(Counter::TxNotChosen);
            return Verdict::INVALID_LOCATOR;
        }
        // The locator left its list: the option is "effective" no more.
        return of_context(net, node, skb, *call);
    }
    net.count(Counter::TxChosen);
    node.note_sent(net.tick());
    if pair == path.ulids && !path.forked {
        net.count(Counter::TxContext);
        return unchanged(net, &skb);
    }
    rewrite(net, &Way { path, pair: &pair, own: Some(own) }, skb, call)
}

/// How a packet goes: by its context's pair, or by a chosen one.
pub(super) struct Way<'a> {
    path: &'a Path,
    pair: &'a Pair,
    own: Option<&'a Own>,
}

impl Way<'_> {
    /// A route that needs no look-up.
    #[inline]
    fn cached(&self, skb: &Skb<'_>, tick: u64) -> Option<Route> {
        match self.own {
            None => self.path.route.cached(skb, tick),
            Some(_) => None,
        }
    }
}

/// A packet that keeps its addresses. What the catch-all route of a ULID led to the dummy device
/// has no route in truth, and is refused as it would be without us.
#[inline]
fn unchanged(net: View<'_>, skb: &Skb<'_>) -> Verdict {
    if skb.leaves_by() == net.catch_all() {
        net.count(Counter::TxNoRoute);
        return Verdict::UNREACHABLE;
    }
    Verdict::ACCEPT
}

/// RFC 5533 11.1: "if the ULID pair is no longer used as the locator pair, then the sender needs
/// to transform the packet."
#[inline(always)]
fn rewrite(net: View<'_>, way: &Way<'_>, mut skb: Skb<'_>, call: &Call<'_>) -> Verdict {
    if skb.awaits_ipsec() {
        // It comes here again, as an ESP or AH packet.
        net.count(Counter::TxAwaitsIpsec);
        return Verdict::ACCEPT;
    }
    if skb.is_translated() {
        return Verdict::ACCEPT;
    }
    match skb.track() {
        Tracked::Own => {}
        Tracked::Nat => {
            net.count(Counter::TxNat);
            return unchanged(net, &skb);
        }
        // Connection tracking counts it (insert_failed, drop), here as without us.
        Tracked::Lost => return Verdict::DROP,
    }
    match way.cached(&skb, net.tick()) {
        Some(route) if leads_out(net, &route) => rewrite_by(net, way, skb, route, call),
        _ => rewrite_slow(net, way, skb, call),
    }
}

/// The same for a packet whose route is not known.
#[cold]
fn rewrite_slow(net: View<'_>, way: &Way<'_>, skb: Skb<'_>, call: &Call<'_>) -> Verdict {
    match route(net, way, &skb, call) {
        Some(route) => rewrite_by(net, way, skb, route, call),
        None => {
            net.count(Counter::TxNoRoute);
            Verdict::UNREACHABLE
        }
    }
}

/// The same by this route.
#[inline(always)]
fn rewrite_by(
    net: View<'_>,
    way: &Way<'_>,
    mut skb: Skb<'_>,
    route: Route,
    call: &Call<'_>,
) -> Verdict {
    let facts = route.facts;
    let room_for = facts.mtu.saturating_sub(SHIM_LEN);
    if skb.is_gso() {
        if translate::has_routing_header(skb.linear()) {
            return routed(net, &skb);
        }
        if !keep_super_packet(&mut skb, facts, room_for) {
            return cut(net, way, skb, room_for, call);
        }
    } else if skb.len() > room_for {
        if translate::has_routing_header(skb.linear()) {
            return routed(net, &skb);
        }
        return fragment(net, way, skb, facts, room_for, call);
    }
    match send_as(net, way, &mut skb, route) {
        Ok(()) => {
            net.count(Counter::TxRewritten);
            Verdict::ACCEPT
        }
        Err(verdict) => verdict,
    }
}

/// A packet with a Routing header goes as it is, so it is not cut either.
#[cold]
fn routed(net: View<'_>, skb: &Skb<'_>) -> Verdict {
    net.count(Counter::TxRoutingHeader);
    unchanged(net, skb)
}

/// A route for the locator pair that is good for this packet.
pub(super) fn route(net: View<'_>, way: &Way<'_>, skb: &Skb<'_>, call: &Call<'_>) -> Option<Route> {
    let route = match way.own {
        None => way.path.route.get(call, skb, way.pair, net.tick())?,
        Some(own) => own.route(call, skb, way.pair)?,
    };
    leads_out(net, &route).then_some(route)
}

/// Whether it is not the catch-all route of a ULID.
#[inline]
fn leads_out(net: View<'_>, route: &Route) -> bool {
    route.facts.ifindex != net.catch_all()
}

/// Inserts the header, replaces the addresses, changes the route.
#[inline(always)]
pub(super) fn send_as(
    net: View<'_>,
    way: &Way<'_>,
    skb: &mut Skb<'_>,
    route: Route,
) -> Result<(), Verdict> {
    if !route.facts.is_software() && skb.checksum_pending() {
        // A device's parser does not find the ULP behind header 140.
        skb.finish_checksum().map_err(|_| Verdict::NO_MEMORY)?;
    }
    let ip = skb.ipv6();
    let room = route.facts.room();
    match translate::routing_headers(ip.next) {
        false => {
            let shim = PayloadHeader { next: ip.next, tag: way.path.peer_tag }.emit();
            skb.insert(&ip, way.pair, PROTOCOL, shim, room).map_err(|e| no_memory(net, e))?;
        }
        true => insert_behind(net, way, skb, room)?,
    }
    skb.set_translated();
    route.give(skb).map_err(|_| Verdict::UNREACHABLE)
}

/// Inserts the header behind the routing-sublayer headers that a packet has.
#[cold]
fn insert_behind(
    net: View<'_>,
    way: &Way<'_>,
    skb: &mut Skb<'_>,
    room: u32,
) -> Result<(), Verdict> {
    match translate::insertion(skb.linear()) {
        Insertion::At { at, chain, next } => {
            let shim = PayloadHeader { next, tag: way.path.peer_tag }.emit();
            skb.insert_behind((at, chain), way.pair, PROTOCOL, shim, room)
                .map_err(|e| no_memory(net, e))
        }
        Insertion::RoutingHeader => {
            net.count(Counter::TxRoutingHeader);
            Err(Verdict::ACCEPT)
        }
        Insertion::Malformed => {
            net.count(Counter::TxMalformed);
            Err(Verdict::DROP)
        }
    }
}

#[cold]
fn no_memory(net: View<'_>, _: NoMemory) -> Verdict {
    net.count(Counter::TxNoMemory);
    Verdict::NO_MEMORY
}

/// Prepares a super-packet for a device that hands it on untouched; `false` if it has to be cut.
#[inline(never)]
fn keep_super_packet(skb: &mut Skb<'_>, facts: Facts, room_for: u32) -> bool {
    // Without a pending check sum, whoever cuts it would seed one from the locators. A tunnel's
    // has inner headers already, which are where its segments begin.
    if !facts.is_software() || !skb.checksum_pending() || skb.is_encapsulated() {
        return false;
    }
    let (size, kind) = skb.gso();
    let Some(headers) =
        translate::headers_len(skb.linear(), skb.transport_offset(), kind & gso::TCP != 0)
    else {
        return false;
    };
    let size32 = u32::from(size);
    if headers.saturating_add(size32) <= room_for {
        skb.set_nested(kind | gso::SOFTWARE_ONLY);
        return true;
    }
    lower_pmtu(skb, room_for);
    // TCP does not mind where its segments end; a datagram's end is its own.
    let smaller = room_for.saturating_sub(headers);
    if kind & gso::TCP == 0 || smaller < 8 {
        return false;
    }
    let segments = skb.len().saturating_sub(headers).div_ceil(smaller);
    skb.set_gso(smaller as u16, segments as u16, kind);
    skb.set_nested(kind | gso::SOFTWARE_ONLY);
    true
}

/// RFC 5533 8 asks that a path MTU be reported 8 less; this tells the ULP's own route the same as
/// soon as a packet shows that it does not know.
pub(super) fn lower_pmtu(skb: &mut Skb<'_>, room_for: u32) {
    let mtu = room_for.max(MIN_MTU);
    if skb.route_mtu() > mtu {
        skb.update_pmtu(mtu);
    }
}
