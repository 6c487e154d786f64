// SPDX-License-Identifier: GPL-2.0

//! The administrator's policy: rules of pairs and of flows, and what he likes of locators.

use shim6_proto::proto::addr::{Addr, Pair};
use shim6_proto::proto::locator::Preference;
use shim6_proto::proto::policy::{Device, Placing, Ports, Prefix, Rule, Rules, DEVICE};

fn prefix(text: &str) -> Prefix {
    let (addr, len) = text.split_once('/').unwrap();
    let addr = Addr(addr.parse::<core::net::Ipv6Addr>().unwrap().octets());
    Prefix::new(addr, len.parse().unwrap()).unwrap()
}

fn addr(text: &str) -> Addr {
    *prefix(&[text, "/128"].concat()).addr()
}

fn pair(local: &str, peer: &str) -> Pair {
    Pair { local: addr(local), peer: addr(peer) }
}

const ANY: Rule = Rule {
    denies: false,
    local: Prefix::ALL,
    peer: Prefix::ALL,
    protocol: 0,
    ports: Rule::ALL_PORTS,
};
const TCP: u8 = 6;

#[test]
fn a_prefix_has_no_bits_behind_its_length() {
    let a = addr("2001:db8:1::");
    assert!(Prefix::new(a, 48)
        .is_some_and(|p| p.bits() == 48 && p.contains(&addr("2001:db8:1:ffff::1"))));
    assert!(!prefix("2001:db8:1::/48").contains(&addr("2001:db8:2::1")));
    assert_eq!(Prefix::new(a, 47), None);
    assert_eq!(Prefix::new(a, 129), None);
    assert_eq!(Prefix::new(addr("::1"), 0), None);
    assert!(Prefix::ALL.bits() == 0 && Prefix::ALL.contains(&a));
    assert!(prefix("2001:db8::1/128").contains(&addr("2001:db8::1")));
    assert!(!prefix("2001:db8::1/128").contains(&addr("2001:db8::2")));
}

#[test]
fn the_first_rule_that_matches_decides() {
    let bad = prefix("2001:db8:bad::/48");
    let rules = [
        Rule { peer: prefix("2001:db8:bad:1::/64"), ..ANY },
        Rule { denies: true, peer: bad, ..ANY },
        Rule { denies: true, local: prefix("2001:db8:9::/48"), ..ANY },
    ];
    let permits = |local, peer| Rules(&rules).permits(&pair(local, peer));
    assert!(permits("2001:db8:1::1", "2001:db8:bad:1::1"));
    assert!(!permits("2001:db8:1::1", "2001:db8:bad:2::1"));
    assert!(!permits("2001:db8:9::1", "2001:db8:2::1"));
    assert!(permits("2001:db8:2::1", "2001:db8:9::1"), "local is not peer");
    assert!(Rules(&[]).permits(&pair("2001:db8:1::1", "2001:db8:bad::1")));
    assert!(!Rules(&rules).are_of_flows());
}

#[test]
fn a_rule_of_flows_refuses_no_context() {
    let ssh = Rule { denies: true, protocol: TCP, ports: (22, 22), ..ANY };
    let p = pair("2001:db8:1::1", "2001:db8:2::1");
    assert!(Rules(&[ssh]).permits(&p) && Rules(&[ssh]).are_of_flows());
    let rest = Rule { denies: true, ..ANY };
    assert!(!Rules(&[ssh, rest]).permits(&p), "the next rule decides");
    let web = Rule { denies: false, ports: (80, 80), ..ssh };
    assert!(Rules(&[web, rest]).permits(&p), "some flow is allowed");
}

#[test]
fn a_rule_of_flows_names_a_protocol_or_ports() {
    let (protocol, ports) = (Rule { protocol: TCP, ..ANY }, Rule { ports: (80, 80), ..ANY });
    assert!(!ANY.is_of_flows() && protocol.is_of_flows() && ports.is_of_flows());
    // Only from 0 to 65535 is all of them, which packets without ports have, too.
    let p = pair("2001:db8:1::1", "2001:db8:2::1");
    for ports in [(0, 1023), (1024, u16::MAX)] {
        let rules = [Rule { denies: true, ports, ..ANY }];
        let denied = |ports| Rules(&rules).denies_flow(&p, &Ports { protocol: TCP, ports });
        assert!(denied(Some(ports)) && !denied(None), "{ports:?}");
    }
    let low = [Rule { denies: true, ports: (0, 1023), ..ANY }];
    assert!(!Rules(&low).denies_flow(&p, &Ports { protocol: TCP, ports: Some((1024, 40_000)) }));
}

#[test]
fn either_end_s_port_counts() {
    let ssh = Rule { denies: true, protocol: TCP, ports: (22, 25), ..ANY };
    let p = pair("2001:db8:1::1", "2001:db8:2::1");
    let denied = |protocol, ports| Rules(&[ssh]).denies_flow(&p, &Ports { protocol, ports });
    assert!(denied(TCP, Some((40_000, 22))) && denied(TCP, Some((25, 40_000))));
    assert!(!denied(TCP, Some((21, 26))));
    assert!(!denied(17, Some((22, 22))));
    assert!(!denied(TCP, None), "a packet that does not tell");
    let all = Rule { ports: Rule::ALL_PORTS, protocol: 58, ..ssh };
    assert!(Rules(&[all]).denies_flow(&p, &Ports { protocol: 58, ports: None }));
    let any = Rule { protocol: 0, ..ssh };
    assert!(Rules(&[any]).denies_flow(&p, &Ports { protocol: 17, ports: Some((22, 1)) }));
    let first = Rule { denies: false, ..ANY };
    let flow = Ports { protocol: TCP, ports: Some((22, 1)) };
    assert!(!Rules(&[first, ssh]).denies_flow(&p, &flow));
}

#[test]
fn a_placing_is_of_a_prefix_or_an_interface() {
    let eth0: Device = *b"eth0\0\0\0\0\0\0\0\0\0\0\0\0";
    let pref = Some(Preference { flags: 0, priority: 2, weight: 9 });
    let placings = [
        Placing { prefix: Prefix::ALL, device: Some(eth0), pref: None },
        Placing { prefix: prefix("2001:db8:1::/48"), device: None, pref },
    ];
    let of = |addr: &Addr, device| Placing::of(&placings, addr, device);
    assert_eq!(of(&addr("2001:db8:1::1"), &eth0), None);
    assert_eq!(of(&addr("2001:db8:1::1"), &[0; DEVICE]), pref);
    assert_eq!(of(&addr("2001:db8:2::1"), &[0; DEVICE]), Some(Preference::default()));
}
