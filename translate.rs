// SPDX-License-Identifier: GPL-2.0
//! What happens to a packet: out (RFC 5533 11), in (12), and ICMPv6 errors about ours (8).
//!
//! Nothing here sleeps, takes a lock that is shared with the control plane, allocates (beyond a
//! private copy of a header) or looks up a route for each packet. Contexts are read under RCU and
//! only time stamps are written. The order of the tests is the order of their price: a packet
//! without a context leaves after one hash.

use crate::control;
use crate::netns::View;
use crate::proto::addr::Pair;
use crate::proto::addr::Tag;
use crate::proto::ancillary::Note;
use crate::proto::context::flows::Way as Direction;
use crate::proto::context::Flow;
use crate::proto::counter::Counter;
use crate::proto::translate;
use crate::proto::translate::ErrorKind;
use crate::proto::translate::Insertion;
use crate::proto::translate::MIN_MTU;
use crate::proto::wire::PayloadHeader;
use crate::proto::wire::PROTOCOL;
use crate::sys::behind::Behind;
use crate::sys::frag::Failed;
use crate::sys::frag::Fragments;
use crate::sys::gro::Gro;
use crate::sys::gso;
use crate::sys::hook::Call;
use crate::sys::hook::Owned;
use crate::sys::hook::Verdict;
use crate::sys::route::Route;
use crate::sys::skb::Ipv6;
use crate::sys::skb::Skb;
use crate::sys::skb::SHIM_LEN;
use crate::sys::sock::Own;
use crate::sys::table::Chain;
use crate::sys::table::Found;
use crate::table::Node;
use crate::table::Path;

/// Octets behind the payload header in which a flow's ports are: a Fragment header, and two ports.
const FLOW_LEN: u32 = 12;

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
    let hash = net.hash(&ip.src, &ip.dst);
    let chain = net.chain_of(hash);
    if chain.is_empty() && net.count_no_context(hash) {
        return unchanged(net, &skb);
    }
    outgoing_pair(net, chain, hash, skb, call)
}

/// A packet of a pair that may have a context.
#[inline(never)]
fn outgoing_pair<'a>(
    net: View<'a>,
    chain: Chain<'a>,
    hash: u64,
    skb: Skb<'_>,
    call: Call<'_>,
) -> Verdict {
    let ip = skb.head();
    match net.in_chain(chain, &ip.src, &ip.dst) {
        Found::This(node) => of_context(net, node, skb, call),
        Found::Nothing => without_context(net, hash, skb),
        Found::Unsure => outgoing_unsure(net, hash, skb, call),
    }
}

/// The same while the table is being resized.
#[cold]
fn outgoing_unsure(net: View<'_>, hash: u64, skb: Skb<'_>, call: Call<'_>) -> Verdict {
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
/// contexts are forked, or the policy has rules of flows.
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
        Some(path) if path.rewrite => {
            let ip = skb.ipv6();
            rewrite(net, &Way::of(path), skb, &ip, &call)
        }
        _ => {
            net.count(Counter::TxContext);
            unchanged(net, &skb)
        }
    }
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
    rewrite(net, &Way { path, pair: &pair, own: Some(own) }, skb, &ip, call)
}

/// How a packet goes: by its context's pair, or by a chosen one.
struct Way<'a> {
    path: &'a Path,
    pair: &'a Pair,
    own: Option<&'a Own>,
}

impl<'a> Way<'a> {
    #[inline]
    fn of(path: &'a Path) -> Self {
        Way { path, pair: &path.tx, own: None }
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
#[inline]
fn rewrite(net: View<'_>, way: &Way<'_>, mut skb: Skb<'_>, ip: &Ipv6, call: &Call<'_>) -> Verdict {
    if skb.awaits_ipsec() {
        // It comes here again, as an ESP or AH packet.
        net.count(Counter::TxAwaitsIpsec);
        return Verdict::ACCEPT;
    }
    if skb.is_translated() {
        return Verdict::ACCEPT;
    }
    if skb.is_nat() {
        net.count(Counter::TxNat);
        return unchanged(net, &skb);
    }
    let Some(route) = route(net, way, &skb, call) else {
        net.count(Counter::TxNoRoute);
        return Verdict::UNREACHABLE;
    };
    let room_for = route.facts.mtu.saturating_sub(SHIM_LEN);
    if skb.is_gso() {
        if !keep_super_packet(&mut skb, &route, room_for) {
            return cut(net, way, skb, room_for, call);
        }
    } else if skb.len() > room_for {
        return fragment(net, way, skb, &route, room_for, call);
    }
    match send_as(net, way, &mut skb, ip, route) {
        Ok(()) => {
            net.count(Counter::TxRewritten);
            Verdict::ACCEPT
        }
        Err(verdict) => verdict,
    }
}

/// A route for the locator pair that is good for this packet.
#[inline]
fn route(net: View<'_>, way: &Way<'_>, skb: &Skb<'_>, call: &Call<'_>) -> Option<Route> {
    let route = match way.own {
        None => way.path.route.get(call, skb, &way.pair.local, &way.pair.peer, net.tick())?,
        Some(own) => own.route(call, skb, way.pair)?,
    };
    (route.facts.ifindex != net.catch_all()).then_some(route)
}

/// Inserts the header, replaces the addresses, changes the route.
#[inline]
fn send_as(
    net: View<'_>,
    way: &Way<'_>,
    skb: &mut Skb<'_>,
    ip: &Ipv6,
    route: Route,
) -> Result<(), Verdict> {
    if !route.facts.software && skb.checksum_pending() {
        // A device's parser does not find the ULP behind header 140.
        skb.finish_checksum().map_err(|_| Verdict::NO_MEMORY)?;
    }
    let (src, dst) = (way.pair.local, way.pair.peer);
    let (tag, room) = (way.path.peer_tag, route.facts.room);
    let done = match translate::routing_headers(ip.next) {
        false => {
            skb.insert(ip, src, dst, PROTOCOL, PayloadHeader { next: ip.next, tag }.emit(), room)
        }
        true => match translate::insertion(skb.linear()) {
            Insertion::At { at, chain, next } => skb.insert_behind(
                (at, chain),
                src,
                dst,
                PROTOCOL,
                PayloadHeader { next, tag }.emit(),
                room,
            ),
            Insertion::RoutingHeader => {
                net.count(Counter::TxRoutingHeader);
                return Err(Verdict::ACCEPT);
            }
            Insertion::Malformed => {
                net.count(Counter::TxMalformed);
                return Err(Verdict::DROP);
            }
        },
    };
    if done.is_err() {
        net.count(Counter::TxNoMemory);
        return Err(Verdict::NO_MEMORY);
    }
    skb.set_translated();
    route.give(skb).map_err(|_| Verdict::UNREACHABLE)
}

/// Prepares a super-packet for a device that hands it on untouched; `false` if it has to be cut.
#[inline]
fn keep_super_packet(skb: &mut Skb<'_>, route: &Route, room_for: u32) -> bool {
    // Without a pending check sum, whoever cuts it would seed one from the locators.
    if !route.facts.software || !skb.checksum_pending() {
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
fn lower_pmtu(skb: &mut Skb<'_>, room_for: u32) {
    let mtu = room_for.max(MIN_MTU);
    if skb.route_mtu() > mtu {
        skb.update_pmtu(mtu);
    }
}

/// Cuts a super-packet here and sends every segment by itself.
#[cold]
fn cut(net: View<'_>, way: &Way<'_>, mut skb: Skb<'_>, room_for: u32, call: &Call<'_>) -> Verdict {
    let Ok(segments) = gso::cut(&mut skb) else {
        net.count(Counter::TxNoMemory);
        return Verdict::NO_MEMORY;
    };
    net.count(Counter::TxSegmented);
    let mut result = Ok(());
    for mut segment in segments {
        result = if segment.skb().len() > room_for {
            match route(net, way, &segment.skb(), call) {
                Some(route) => pieces(net, way, &mut segment.skb(), &route, room_for, call),
                None => Err(Verdict::UNREACHABLE),
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
fn fragment(
    net: View<'_>,
    way: &Way<'_>,
    mut skb: Skb<'_>,
    route: &Route,
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
    match pieces(net, way, &mut skb, route, room_for, call) {
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
    route: &Route,
    room_for: u32,
    call: &Call<'_>,
) -> Result<(), Verdict> {
    let mut fragments = match Fragments::of(call, skb, room_for, route.facts.room) {
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
    let ip = skb.ipv6();
    send_as(net, way, &mut skb, &ip, route)?;
    net.count(Counter::TxRewritten);
    call.output(piece).map_err(Verdict::failed)
}

/// A packet that arrived, before anything else looks at it.
#[inline]
pub(crate) fn incoming(net: View<'_>, skb: Skb<'_>, call: Call<'_>) -> Verdict {
    match skb.head().next {
        PROTOCOL => payload(net, skb),
        translate::ICMPV6 => icmp(net, skb, call),
        _ => {
            let ip = skb.head();
            let hash = net.hash(&ip.dst, &ip.src);
            match net.forks() == 0 && net.chain_of(hash).is_empty() {
                true => Verdict::ACCEPT,
                false => plain(net, hash, skb),
            }
        }
    }
}

/// A packet without our header, of a pair that may have a context; `hash` is that of the pair.
///
/// RFC 5533 12.1: "If such a context is found, the context appears not to be quiescent; this
/// should be remembered".
#[inline(never)]
fn plain(net: View<'_>, hash: u64, mut skb: Skb<'_>) -> Verdict {
    let ip = skb.head();
    if net.forks() != 0 {
        net.forget_flow(hash, Flow::of(skb.linear(), ip.next, Direction::In));
    }
    if let Some(node) = net.by_hash(hash, &ip.dst, &ip.src) {
        let note = Note::default();
        skb.set_note(note.bits());
        node.note_received(net.tick(), note);
        net.count(Counter::RxContext);
    }
    Verdict::ACCEPT
}

/// RFC 5533 12.2: "the receiver can now replace the IP address fields with the ULIDs kept in the
/// context. Finally, the Shim6 Payload Extension header is removed from the packet".
///
/// What does not fit a context goes on to the handler of protocol 140: only there is it known to
/// be for this host, so only there may it be answered.
#[inline(never)]
fn payload(net: View<'_>, mut skb: Skb<'_>) -> Verdict {
    let ip = &skb.ipv6();
    if !skb.pull(translate::PAYLOAD_END) {
        return Verdict::ACCEPT;
    }
    let Some(header) = skb.after_ipv6().and_then(|b| PayloadHeader::parse(&b)) else {
        return Verdict::ACCEPT;
    };
    // It came out of an IPsec tunnel: policy is checked where the kernel checks it.
    if skb.has_sec_path() {
        return Verdict::ACCEPT;
    }
    let pair = Pair { local: ip.dst, peer: ip.src };
    let Some((node, path, note)) = find(net, &pair, header.tag) else {
        return Verdict::ACCEPT;
    };
    if header.next == PROTOCOL && translate::is_payload_at(skb.linear(), translate::PAYLOAD_END) {
        net.count(Counter::RxNested);
        return Verdict::DROP;
    }
    if path.teaches {
        // Its ports are read below; a packet without them has none.
        let _ = skb.pull(skb.len().min(translate::PAYLOAD_END + FLOW_LEN));
    }
    if skb.strip(ip, header.next, path.ulids.peer, path.ulids.local).is_err() {
        net.count(Counter::RxNoMemory);
        return Verdict::DROP;
    }
    if skb.is_gso() {
        let (_, kind) = skb.gso();
        skb.clear_nested(kind & !gso::SOFTWARE_ONLY);
    }
    skb.set_note(note.bits());
    node.note_received(net.tick(), note);
    net.count(Counter::RxRestored);
    if net.forks() != 0 {
        learn(net, &skb, header.next, node.tag(), path);
    }
    Verdict::ACCEPT
}

/// A restored packet tells which context its flow belongs to (RFC 6316 Appendix A).
#[cold]
fn learn(net: View<'_>, skb: &Skb<'_>, next: u8, tag: Tag, path: &Path) {
    let flow = Flow::of(skb.linear(), next, Direction::In);
    if path.teaches {
        net.learn_flow(&path.ulids, flow, tag);
    } else if !path.forked {
        net.forget_flow(net.hash(&path.ulids.local, &path.ulids.peer), flow);
    }
}

/// The context that a payload header's tag names, if the packet's locators are its own.
#[inline]
fn find<'a>(net: View<'a>, pair: &Pair, tag: Tag) -> Option<(&'a Node, &'a Path, Note)> {
    let node = net.by_tag(tag)?;
    let path = net.path(node)?;
    Some((node, path, path.note(pair)?))
}

/// ICMPv6: errors may be about what we sent, neighbour discovery is nobody's traffic.
#[inline(never)]
fn icmp(net: View<'_>, skb: Skb<'_>, call: Call<'_>) -> Verdict {
    let ip = &skb.ipv6();
    match skb.after_ipv6() {
        Some([kind, ..]) if translate::is_error(kind) => icmp_error(net, skb, ip, &call),
        _ if translate::is_neighbour_discovery(ip.next, skb.linear()) => Verdict::ACCEPT,
        _ => plain(net, net.hash(&ip.dst, &ip.src), skb),
    }
}

/// RFC 5533 8: "All ICMP messages MUST be delivered to the ULP in all cases, except when Shim6
/// successfully acts on the message (e.g., selects a new path)."
#[cold]
fn icmp_error(net: View<'_>, mut skb: Skb<'_>, ip: &Ipv6, call: &Call<'_>) -> Verdict {
    if !skb.pull(translate::ERROR_END) {
        return Verdict::ACCEPT;
    }
    let Some(about) = translate::error_about(skb.linear()) else {
        return Verdict::ACCEPT;
    };
    // Another host's, on its way through, or nobody's: of ours the handler of protocol 140 hears.
    let Some((node, path)) = net.by_peer_tag(&about.locators, about.tag) else {
        return Verdict::ACCEPT;
    };
    if about.locators.local != ip.dst || !skb.icmp_is_valid() {
        net.count(Counter::IcmpMalformed);
        return Verdict::DROP;
    }
    match about.kind {
        ErrorKind::TooBig(mtu) => skb.icmp_lower_path_mtu(call, mtu),
        ErrorKind::Path | ErrorKind::Expired => {
            control::icmp_hint(&net, node.tag(), &about.locators);
            // REAP acts on errors about the path in use. Who counts hops (traceroute) learns them:
            // that a packet ended where its sender wanted it to is nothing that REAP can act on.
            if about.kind == ErrorKind::Path
                && about.locators == path.tx
                && net.config().icmp_deliver_all == 0
            {
                net.count(Counter::IcmpAbsorbed);
                return Verdict::DROP;
            }
        }
        ErrorKind::Upper => {}
    }
    if skb.icmp_restore(&path.ulids).is_err() {
        net.count(Counter::RxNoMemory);
        return Verdict::DROP;
    }
    net.count(Counter::IcmpTranslated);
    Verdict::ACCEPT
}

/// What the handler of protocol 140 is to do with a packet that has a payload header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slow {
    /// It has its identifiers back: the kernel is to look at the next header.
    Again,
    /// It is freed.
    Drop,
    /// No context has that tag: RFC 5533 12.2, "the receiver SHOULD generate an R1bis message".
    NoContext,
}

/// A payload header that PRE_ROUTING left alone: behind other headers, out of IPsec, or of a
/// context that was not ready then.
pub(crate) fn receive_slow(net: View<'_>, skb: &mut Behind<'_>) -> Slow {
    let Some(header) = skb.message(PayloadHeader::LEN).and_then(PayloadHeader::parse) else {
        net.count(Counter::RxMalformed);
        return Slow::Drop;
    };
    let pair = skb.pair();
    let Some(node) = net.by_tag(header.tag) else {
        net.count(Counter::RxUnknownTag);
        return Slow::NoContext;
    };
    let Some(path) = net.path(node) else {
        net.count(Counter::RxNotReady);
        return Slow::Drop;
    };
    let Some(note) = path.note(&pair) else {
        net.count(Counter::RxForeignLocator);
        return Slow::NoContext;
    };
    if !skb.passes_policy() {
        net.count(Counter::RxPolicy);
        return Slow::Drop;
    }
    if !skb.restore(&path.ulids) {
        net.count(Counter::RxNoMemory);
        return Slow::Drop;
    }
    skb.set_note(note.bits());
    node.note_received(net.tick(), note);
    net.count(Counter::RxSlow);
    Slow::Again
}

/// The identifiers of a received TCP segment that may be merged with others before it is
/// restored; `None` for everything else.
pub(crate) fn mergeable(net: View<'_>, gro: &mut Gro<'_>) -> Option<Pair> {
    let header = PayloadHeader::parse(&gro.header()?)?;
    if header.next != translate::TCP || gro.chained() {
        return None;
    }
    ulids(net, &gro.pair(), header)
}

/// The identifiers of a packet that was merged from such segments.
pub(crate) fn merged(net: View<'_>, gro: &Gro<'_>, offset: usize) -> Option<Pair> {
    let (pair, octets) = gro.merged(offset)?;
    ulids(net, &pair, PayloadHeader::parse(&octets)?)
}

fn ulids(net: View<'_>, pair: &Pair, header: PayloadHeader) -> Option<Pair> {
    find(net, pair, header.tag).map(|(_, path, _)| path.ulids)
}
