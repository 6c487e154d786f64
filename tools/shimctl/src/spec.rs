// SPDX-License-Identifier: GPL-2.0

//! The numbers of family `shim`: those of include/uapi/linux/shim_netlink.h, without the
//! leading `SHIM_`. A test compares them with it.

/// Declares the constants, and under test the list of them.
macro_rules! spec {
    ($($name:ident = $value:expr;)+) => {
        $(#[allow(missing_docs, reason = "documented in the specification")]
        pub const $name: u16 = $value;)+
        #[cfg(test)]
        const ALL: &[(&str, u16)] = &[$((stringify!($name), $name),)+];
    };
}

/// The family's name.
pub const FAMILY_NAME: &str = "shim";
/// The multicast group of [`CMD_CONTEXT_EVENT`].
pub const MCGRP_EVENTS: &str = "events";

spec! {
    FAMILY_VERSION = 1;
    CMD_CONTEXT_GET = 1;
    CMD_CONTEXT_EVENT = 2;
    CMD_HBA_ADD = 3;
    CMD_HBA_DEL = 4;
    CMD_HBA_GET = 5;
    CMD_STATS_GET = 6;
    CMD_POLICY_SET = 7;
    CMD_POLICY_GET = 8;
    LOCATOR_FLAG_BROKEN = 1;
    LOCATOR_FLAG_TEMPORARY = 2;
    LOCATOR_FLAG_VERIFIED = 4;
    LOCATOR_FLAG_USABLE = 8;
    A_LOCATOR_ADDR = 1;
    A_LOCATOR_FLAGS = 2;
    A_LOCATOR_VERIFICATION = 3;
    A_LOCATOR_PRIORITY = 4;
    A_LOCATOR_WEIGHT = 5;
    A_CONTEXT_ULID_LOCAL = 2;
    A_CONTEXT_ULID_PEER = 3;
    A_CONTEXT_FII = 4;
    A_CONTEXT_LOCAL_TAG = 5;
    A_CONTEXT_PEER_TAG = 6;
    A_CONTEXT_STATE = 7;
    A_CONTEXT_REAP_STATE = 8;
    A_CONTEXT_LOCAL = 9;
    A_CONTEXT_PEER = 10;
    A_CONTEXT_OLD_LOCAL = 11;
    A_CONTEXT_OLD_PEER = 12;
    A_CONTEXT_LOCAL_LOCATOR = 13;
    A_CONTEXT_PEER_LOCATOR = 14;
    A_CONTEXT_SEND_TIMEOUT = 15;
    A_CONTEXT_KEEPALIVE_TIMEOUT = 16;
    A_CONTEXT_LAST_SENT = 17;
    A_CONTEXT_LAST_RECEIVED = 18;
    A_CONTEXT_EVENT = 19;
    A_CONTEXT_TIME = 20;
    A_CONTEXT_FAILURE = 21;
    A_HBA_PARAMETERS = 1;
    A_HBA_ADDRESS = 2;
    A_HBA_LOCATOR = 3;
    A_HBA_PRIVATE_KEY = 4;
    A_HBA_SIGNS = 5;
    A_RULE_DENY = 1;
    A_RULE_LOCAL = 2;
    A_RULE_LOCAL_LENGTH = 3;
    A_RULE_PEER = 4;
    A_RULE_PEER_LENGTH = 5;
    A_RULE_PROTOCOL = 6;
    A_RULE_FIRST_PORT = 7;
    A_RULE_LAST_PORT = 8;
    A_PLACING_PREFIX = 1;
    A_PLACING_LENGTH = 2;
    A_PLACING_DEVICE = 3;
    A_PLACING_EXCLUDED = 4;
    A_PLACING_PRIORITY = 5;
    A_PLACING_WEIGHT = 6;
    A_SETTING_NAME = 1;
    A_SETTING_VALUE = 2;
    A_POLICY_RULE = 1;
    A_POLICY_PLACING = 2;
    A_POLICY_SETTING = 3;
    A_COUNTER_NAME = 2;
    A_COUNTER_VALUE = 3;
}

/// Names of `enum shim_context_state`, by number.
pub const CONTEXT_STATES: &[&str] =
    &["idle", "i1-sent", "i2-sent", "i2bis-sent", "established", "e-failed", "no-support"];
/// Names of `enum shim_reap_state`, by number.
pub const REAP_STATES: &[&str] = &["operational", "exploring", "inbound-ok"];
/// Names of `enum shim_verification`, by number; 0 is none.
pub const VERIFICATIONS: &[&str] = &["none", "hba", "cga"];
/// Names of `enum shim_event`, by number.
pub const EVENTS: &[&str] = &[
    "established",
    "exploring",
    "inbound-ok",
    "rehomed",
    "operational",
    "peer-locators",
    "recovering",
    "failed",
    "gone",
];
/// Names of `enum shim_failure`, by number.
pub const FAILURES: &[&str] = &["no-response", "no-support"];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const HEADER: &str = include_str!("../../../include/uapi/linux/shim_netlink.h");

    /// What the header's enumerators and numeric defines are, by name.
    fn header() -> HashMap<String, u16> {
        let mut values = HashMap::new();
        let mut next = 0;
        for line in HEADER.lines() {
            let line = line.trim();
            if line.starts_with("enum") {
                next = 0;
            }
            if let Some(define) = line.strip_prefix("#define ") {
                if let Some((name, value)) = define.split_once(char::is_whitespace) {
                    if let Ok(value) = value.trim().parse() {
                        values.insert(name.to_string(), value);
                    }
                }
                continue;
            }
            let Some(entry) = line.strip_suffix(',') else { continue };
            if !entry.starts_with("SHIM_") && !entry.starts_with("__SHIM_") {
                continue;
            }
            let (name, value) = match entry.split_once(" = ") {
                Some((name, value)) => (name, value.parse().expect("a number")),
                None => (entry, next),
            };
            values.insert(name.to_string(), value);
            next = value + 1;
        }
        values
    }

    #[test]
    fn numbers_are_the_header_s() {
        let header = header();
        for (name, value) in ALL {
            assert_eq!(header.get(&format!("SHIM_{name}")), Some(value), "SHIM_{name}");
        }
    }

    #[test]
    fn names_are_the_header_s() {
        let header = header();
        for (prefix, names, first) in [
            ("CONTEXT_STATE", CONTEXT_STATES, 0),
            ("REAP_STATE", REAP_STATES, 0),
            ("VERIFICATION", VERIFICATIONS, 1),
            ("EVENT", EVENTS, 0),
            ("FAILURE", FAILURES, 0),
        ] {
            let full = format!("SHIM_{prefix}_");
            let there = header.keys().filter(|k| k.starts_with(&full)).count();
            assert_eq!(there, names.len() - first, "{prefix}");
            for (number, name) in names.iter().enumerate().skip(first) {
                let upper = name.to_uppercase().replace('-', "_");
                assert_eq!(header.get(&format!("{full}{upper}")), Some(&(number as u16)), "{name}");
            }
        }
        assert!(HEADER.contains(&format!("SHIM_FAMILY_NAME\t\"{FAMILY_NAME}\"")));
        assert!(HEADER.contains(&format!("SHIM_MCGRP_EVENTS\t\"{MCGRP_EVENTS}\"")));
    }
}
