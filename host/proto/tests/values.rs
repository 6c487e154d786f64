// SPDX-License-Identifier: GPL-2.0

//! The value types everything shares: addresses, tags, time, settings, counters.

use proptest::prelude::*;
use shim6_proto::proto::addr::{Addr, Pair, Tag, UlidPair};
use shim6_proto::proto::config::{Config, FIELDS};
use shim6_proto::proto::counter::Counter;
use shim6_proto::proto::time::{jitter, Instant};
use std::collections::HashSet;
use std::net::Ipv6Addr;
use std::path::Path;

fn addr(text: &str) -> Addr {
    Addr(text.parse::<Ipv6Addr>().unwrap().octets())
}

#[test]
fn a_shim_uses_unicast_addresses_wider_than_a_link() {
    let cases = [
        ("2001:db8::1", true),
        ("fd00::1", true),
        ("::", false),
        ("::1", false),
        ("::2", true),
        ("fe80::1", false),
        ("febf:ffff::1", false),
        ("fec0::1", true),
        ("ff02::1", false),
        ("ff0e::1", false),
        ("::ffff:192.0.2.1", false),
        ("64:ff9b::192.0.2.1", true),
        ("2001:db8::ffff:c000:201", true),
        ("::fffe:c000:201", true),
    ];
    for (text, eligible) in cases {
        assert_eq!(addr(text).is_eligible(), eligible, "{text}");
    }
}

#[test]
fn an_address_is_a_prefix_and_an_interface_identifier() {
    let a = addr("2001:db8:a:1:1234:5678:9abc:def0");
    assert_eq!((a.prefix(), a.interface_id()), (0x2001_0db8_000a_0001, 0x1234_5678_9abc_def0));
    assert_eq!(Addr::from_parts(a.prefix(), a.interface_id()), a);
    assert_eq!(a.common_prefix_len(addr("2001:db8:a:2::")), 62);
    assert_eq!(a.common_prefix_len(a), 128);
    let pair = Pair { local: a, peer: Addr::UNSPECIFIED };
    assert_eq!(pair.to_string(), "2001:db8:a:1:1234:5678:9abc:def0 -> ::");
    assert_eq!(UlidPair::new(pair.local, pair.peer), UlidPair { pair, fii: 0 });
}

/// RFC 5533 section 14 and RFC 5534 section 7.
#[test]
fn the_defaults_are_the_rfcs() {
    let c = Config::default();
    assert_eq!((c.i1_timeout_ms, c.i1_retries_max), (4000, 4));
    assert_eq!((c.i2_timeout_ms, c.i2_retries_max), (4000, 2));
    assert_eq!((c.i2bis_timeout_ms, c.i2bis_retries_max), (4000, 2));
    assert_eq!((c.no_r1_holddown_ms, c.icmp_holddown_ms), (60_000, 600_000));
    assert_eq!(c.validator_lifetime_ms, 30_000);
    assert_eq!((c.update_timeout_ms, c.max_update_timeout_ms), (4000, 120_000));
    assert_eq!((c.send_timeout_ms, c.keepalive_timeout_ms), (15_000, 15_000));
    assert_eq!((c.initial_probe_timeout_ms, c.initial_probes), (500, 4));
    assert_eq!(c.max_probe_timeout_ms, 60_000);
}

#[test]
fn every_setting_has_a_name_of_its_own_and_a_default_in_its_range() {
    // The fields are u32 in this order; `Config` is `repr(C)`, so Debug lists them so.
    let shown = format!("{:?}", Config::default());
    let values: Vec<(String, u32)> = shown
        .trim_start_matches("Config { ")
        .trim_end_matches(" }")
        .split(", ")
        .map(|f| f.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_string(), value.parse().unwrap()))
        .collect();
    assert_eq!(values.len(), FIELDS.len());
    for (field, (name, value)) in FIELDS.iter().zip(values) {
        assert_eq!(field.name, name);
        assert!((field.min..=field.max).contains(&value), "{name}: {value}");
    }
    let names: HashSet<_> = FIELDS.iter().map(|f| f.name).collect();
    assert_eq!(names.len(), FIELDS.len());
}

#[test]
fn every_counter_has_its_own_name_and_number() {
    assert_eq!(Counter::ALL.len(), Counter::NAMES.len());
    for (i, (counter, name)) in Counter::ALL.iter().zip(Counter::NAMES).enumerate() {
        assert_eq!(*counter as usize, i);
        // `RxBadTooShort` is told to users as `rx_bad_too_short`.
        let camel = format!("{counter:?}").to_lowercase();
        assert_eq!(camel, name.replace('_', ""));
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
    }
    assert_eq!(Counter::NAMES.iter().collect::<HashSet<_>>().len(), Counter::COUNT);
}

proptest! {
    #[test]
    fn addresses_are_shown_as_others_show_them(octets: [u8; 16]) {
        prop_assert_eq!(Addr(octets).to_string(), Ipv6Addr::from(octets).to_string());
        prop_assert_eq!(Addr::from_bits(Addr(octets).to_bits()), Addr(octets));
    }

    #[test]
    fn the_kinds_of_addresses_are_those_of_others(octets: [u8; 16], first in 0u8..=255) {
        let mut octets = octets;
        octets[0] = if first > 0xf0 { first } else { octets[0] };
        let (ours, theirs) = (Addr(octets), Ipv6Addr::from(octets));
        prop_assert_eq!(ours.is_multicast(), theirs.is_multicast());
        prop_assert_eq!(ours.is_link_local(), theirs.is_unicast_link_local());
        prop_assert_eq!(ours.is_v4_mapped(), theirs.to_ipv4_mapped().is_some());
    }

    #[test]
    fn a_tag_has_47_bits(bits: u64) {
        prop_assert_eq!(Tag::new(bits).get(), bits & 0x7fff_ffff_ffff);
        prop_assert_eq!(Tag::new(bits).to_string(), format!("{:012x}", bits & 0x7fff_ffff_ffff));
    }

    #[test]
    fn time_neither_wraps_nor_runs_backwards(a: u64, b: u64) {
        prop_assert!(Instant(a).after(b) >= Instant(a));
        prop_assert!(Instant(a).after(b).reached(Instant(a)));
        prop_assert_eq!(Instant(a).since(Instant(b)), a.saturating_sub(b));
        prop_assert_eq!(Instant(a).reached(Instant(b)), a >= b);
    }

    #[test]
    fn jitter_is_half_to_one_and_a_half(nominal in 0u64..1 << 40, random: u64) {
        let j = jitter(nominal, random);
        prop_assert!(j >= nominal / 2 && j <= nominal / 2 + nominal, "{} of {}", j, nominal);
    }

    #[test]
    fn jitter_never_overflows(nominal: u64, random: u64) {
        prop_assert!(jitter(nominal, random) >= nominal / 2);
    }
}

#[test]
fn jitter_reaches_both_ends() {
    assert_eq!(jitter(4000, 0), 2000);
    assert_eq!(jitter(4000, 4000), 6000);
    assert_eq!(jitter(4000, 4001), 2000);
}

const SHIM_7: &str = include_str!("../../../Documentation/man/shim.7");
const SHIM_COUNTERS_7: &str = include_str!("../../../Documentation/man/shim_counters.7");

/// The items of a manual page's lists that begin with `.It Va`, without it.
fn items(page: &str) -> impl Iterator<Item = &str> {
    page.lines().filter_map(|line| line.strip_prefix(".It Va "))
}

#[test]
fn the_manual_has_each_sysctl_as_it_is() {
    let defaults = format!("{:?}", Config::default());
    let missing: Vec<_> = FIELDS
        .iter()
        .map(|field| {
            let (_, after) = defaults.split_once(&format!(" {}: ", field.name)).unwrap();
            let digits = after.split(|c: char| !c.is_ascii_digit()).next().unwrap();
            let (name, min, max) = (field.name, field.min, field.max);
            format!("{name} Pq default {digits}, from {min} to {max}")
        })
        .filter(|item| !items(SHIM_7).any(|there| there == item))
        .collect();
    assert!(missing.is_empty(), "to be written to shim(7), SYSCTLS: {missing:#?}");
}

#[test]
fn the_manual_has_each_counter() {
    let there: HashSet<_> = items(SHIM_COUNTERS_7).flat_map(str::split_ascii_whitespace).collect();
    let missing: Vec<_> = Counter::NAMES.iter().filter(|name| !there.contains(**name)).collect();
    assert!(missing.is_empty(), "to be written to shim_counters(7): {missing:#?}");
}

/// The words of all files below a directory.
fn words_below(dir: &Path, words: &mut HashSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            words_below(&entry.path(), words);
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            let parts = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            words.extend(parts.map(str::to_owned));
        }
    }
}

#[test]
fn each_counter_is_named_by_a_test() {
    let host = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut words = HashSet::new();
    words_below(&host.join("tests"), &mut words);
    words_below(&host.join("../../selftests"), &mut words);
    let missing: Vec<_> = Counter::NAMES.iter().filter(|name| !words.contains(**name)).collect();
    assert!(missing.is_empty(), "nobody looks at them: {missing:#?}");
}
