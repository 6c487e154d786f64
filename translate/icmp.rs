// SPDX-License-Identifier: GPL-2.0
//! ICMPv6 errors about packets that left between locators (RFC 5533 8).

use crate::control;
use crate::netns::View;
use crate::proto::counter::Counter;
use crate::proto::translate;
use crate::proto::translate::ErrorKind;
use crate::sys::hook::Call;
use crate::sys::hook::Verdict;
use crate::sys::skb::Ipv6;
use crate::sys::skb::Skb;
use crate::translate::incoming::plain;

/// ICMPv6: errors may be about what we sent, neighbour discovery is nobody's traffic.
#[inline(never)]
pub(super) fn icmp(net: View<'_>, skb: Skb<'_>, call: Call<'_>) -> Verdict {
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
    if !skb.pull(translate::ERROR_END) || !skb.pull(translate::error_end(skb.linear())) {
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
    if skb.icmp_restore(about.end, &path.ulids).is_err() {
        net.count(Counter::RxNoMemory);
        return Verdict::DROP;
    }
    net.count(Counter::IcmpTranslated);
    Verdict::ACCEPT
}
