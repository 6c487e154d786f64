// SPDX-License-Identifier: GPL-2.0
//! Packets that arrived (RFC 5533 12).

use crate::netns::View;
use crate::proto::addr::Pair;
use crate::proto::addr::Tag;
use crate::proto::ancillary::Note;
use crate::proto::context::flows::Way as Direction;
use crate::proto::context::Flow;
use crate::proto::counter::Counter;
use crate::proto::translate;
use crate::proto::wire::PayloadHeader;
use crate::proto::wire::PROTOCOL;
use crate::sys::behind::Behind;
use crate::sys::gro::Gro;
use crate::sys::gso;
use crate::sys::hook::Call;
use crate::sys::hook::Verdict;
use crate::sys::skb::Skb;
use crate::table::Node;
use crate::table::Path;
use crate::translate::icmp::icmp;

/// Octets behind the payload header in which a flow's ports are: a Fragment header, and two ports.
const FLOW_LEN: u32 = 12;

/// A packet that arrived, before anything else looks at it.
#[inline]
pub(crate) fn incoming(net: View<'_>, skb: Skb<'_>, call: Call<'_>) -> Verdict {
    match skb.head().next {
        PROTOCOL => payload(net, skb),
        translate::ICMPV6 => icmp(net, skb, call),
        _ => {
            let ip = skb.head();
            match net.hash_at_hand(&ip.dst, &ip.src) {
                Some(hash) if net.forks() == 0 && net.has_none(hash) => Verdict::ACCEPT,
                Some(hash) => plain(net, hash, skb),
                None => plain_slow(net, skb),
            }
        }
    }
}

/// A packet without our header, of a pair whose hash is not at hand.
#[cold]
fn plain_slow(net: View<'_>, skb: Skb<'_>) -> Verdict {
    let ip = skb.head();
    plain(net, net.hash(&ip.dst, &ip.src), skb)
}

/// A packet without our header, of a pair that may have a context; `hash` is that of the pair.
///
/// RFC 5533 12.1: "If such a context is found, the context appears not to be quiescent; this
/// should be remembered".
#[inline(never)]
pub(super) fn plain(net: View<'_>, hash: u64, mut skb: Skb<'_>) -> Verdict {
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
    if skb.strip(ip, header.next, &path.ulids).is_err() {
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
#[inline(always)]
fn find<'a>(net: View<'a>, pair: &Pair, tag: Tag) -> Option<(&'a Node, &'a Path, Note)> {
    let node = net.by_tag(tag)?;
    let path = net.path(node)?;
    Some((node, path, path.note(pair)?))
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
    if header.next == PROTOCOL
        && skb
            .message(2 * PayloadHeader::LEN)
            .is_some_and(|m| translate::is_payload_at(m, PayloadHeader::LEN as u32))
    {
        net.count(Counter::RxNested);
        return Slow::Drop;
    }
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
    if !skb.restore(header.next, &path.ulids) {
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
