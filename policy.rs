// SPDX-License-Identifier: GPL-2.0

//! The policy of a namespace as generic netlink sets and tells it: rules, placings of locators,
//! and settings (Documentation/netlink/specs/shim.yaml). What it means is `proto/policy.rs`.

use crate::hba;
use crate::netns::NetState;
use crate::proto::config::Field;
use crate::proto::config::FIELDS;
use crate::proto::locator::Preference;
use crate::proto::policy::Device;
use crate::proto::policy::Placing;
use crate::proto::policy::Prefix;
use crate::proto::policy::Rule;
use crate::proto::policy::MOST;
use crate::sys::genl::spec;
use crate::sys::genl::Full;
use crate::sys::genl::Nest;
use crate::sys::genl::Page;
use crate::sys::genl::Request;
use crate::sys::genl::Writer;
use crate::sys::rcu::Guard;
use crate::sys::rcu::Rcu;
use kernel::prelude::*;

type Written = Result<(), Full>;

/// What the administrator of a namespace wants; packets read it.
pub(crate) struct Policy {
    /// Which pairs and flows the shim serves.
    pub(crate) rules: KVec<Rule>,
    /// What he likes of our locators.
    pub(crate) placings: KVec<Placing>,
}

/// A new value of a setting: its place in [`FIELDS`], and the value.
pub(crate) type Setting = (usize, u32);

/// `policy-set`: replaces the policy, as a whole or not at all. Sleeps.
pub(crate) fn set(state: &NetState, request: &Request<'_>) -> Result {
    let mut policy = Policy { rules: KVec::new(), placings: KVec::new() };
    let mut settings = KVec::new();
    for nest in request.nests(spec::POLICY_RULE) {
        is_room(request, spec::POLICY_RULE, policy.rules.len())?;
        policy.rules.push(rule(request, &nest)?, GFP_KERNEL)?;
    }
    for nest in request.nests(spec::POLICY_PLACING) {
        is_room(request, spec::POLICY_PLACING, policy.placings.len())?;
        policy.placings.push(placing(request, &nest)?, GFP_KERNEL)?;
    }
    for nest in request.nests(spec::POLICY_SETTING) {
        is_room(request, spec::POLICY_SETTING, settings.len())?;
        settings.push(setting(request, &nest)?, GFP_KERNEL)?;
    }
    state.adopt(policy, &settings)?;
    hba::refresh(state);
    Ok(())
}

fn is_room(request: &Request<'_>, attr: u16, there: usize) -> Result {
    match there < MOST {
        true => Ok(()),
        false => Err(request.refuse(E2BIG, attr, format_args!("more than {MOST} of a kind"))),
    }
}

/// A prefix whose two attributes may be missing, for all addresses.
fn prefix(request: &Request<'_>, nest: &Nest<'_>, addr: u16, len: u16) -> Result<Prefix> {
    let refuse = |why: core::fmt::Arguments<'_>| request.refuse(EINVAL, 0, why);
    match (nest.addr(addr), nest.u32(len)) {
        (None, None) => Ok(Prefix::ALL),
        (Some(addr), Some(len)) => Prefix::new(addr, len)
            .ok_or_else(|| refuse(format_args!("{addr}/{len} has bits behind its prefix length"))),
        _ => Err(refuse(format_args!("a prefix is an address and a length"))),
    }
}

fn rule(request: &Request<'_>, nest: &Nest<'_>) -> Result<Rule> {
    let refuse = |why| Err(request.refuse(EINVAL, spec::POLICY_RULE, why));
    let port = |attr, missing| nest.u32(attr).map_or(Some(missing), |n| u16::try_from(n).ok());
    let (first, last) = Rule::ALL_PORTS;
    let ports = port(spec::RULE_FIRST_PORT, first).zip(port(spec::RULE_LAST_PORT, last));
    let Some((first, last)) = ports.filter(|(first, last)| first <= last) else {
        return refuse(format_args!("the last port is before the first"));
    };
    let Ok(protocol) = u8::try_from(nest.u32(spec::RULE_PROTOCOL).unwrap_or(0)) else {
        return refuse(format_args!("no such protocol"));
    };
    Ok(Rule {
        denies: nest.has(spec::RULE_DENY),
        local: prefix(request, nest, spec::RULE_LOCAL, spec::RULE_LOCAL_LENGTH)?,
        peer: prefix(request, nest, spec::RULE_PEER, spec::RULE_PEER_LENGTH)?,
        protocol,
        ports: (first, last),
    })
}

fn placing(request: &Request<'_>, nest: &Nest<'_>) -> Result<Placing> {
    let refuse = |why| Err(request.refuse(EINVAL, spec::POLICY_PLACING, why));
    let octet = |attr| u8::try_from(nest.u32(attr).unwrap_or(0)).unwrap_or(u8::MAX);
    let told = nest.u32(spec::PLACING_PRIORITY).or(nest.u32(spec::PLACING_WEIGHT));
    let pref = match (nest.has(spec::PLACING_EXCLUDED), told) {
        (true, None) => None,
        (true, Some(_)) => {
            return refuse(format_args!("an address that is excluded has no priority or weight"));
        }
        (false, _) => Some(Preference {
            flags: 0,
            priority: octet(spec::PLACING_PRIORITY),
            weight: octet(spec::PLACING_WEIGHT),
        }),
    };
    Ok(Placing {
        prefix: prefix(request, nest, spec::PLACING_PREFIX, spec::PLACING_LENGTH)?,
        device: nest.text(spec::PLACING_DEVICE).map(device),
        pref,
    })
}

/// The name of an interface, which is not longer.
fn device(name: &[u8]) -> Device {
    let mut device = Device::default();
    device.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
    device
}

fn setting(request: &Request<'_>, nest: &Nest<'_>) -> Result<Setting> {
    let refuse = |error, why| Err(request.refuse(error, spec::POLICY_SETTING, why));
    let text = nest.text(spec::SETTING_NAME).and_then(|name| core::str::from_utf8(name).ok());
    let (Some(name), Some(value)) = (text, nest.u32(spec::SETTING_VALUE)) else {
        return refuse(EINVAL, format_args!("a setting is a name and a value"));
    };
    let Some(at) = FIELDS.iter().position(|field| field.name == name) else {
        return refuse(ENOENT, format_args!("there is no setting {name}"));
    };
    match FIELDS.get(at) {
        Some(field) if (field.min..=field.max).contains(&value) => Ok((at, value)),
        Some(Field { min, max, .. }) => {
            refuse(ERANGE, format_args!("{name} is from {min} to {max}, not {value}"))
        }
        None => Err(ENOENT),
    }
}

/// One message of a dump.
enum Item<'a> {
    Rule(&'a Rule),
    Placing(&'a Placing),
    Setting(&'static str, u32),
}

/// `policy-get`: one message for each rule, placing, and setting that has not its default.
pub(crate) fn dump(state: &NetState, page: &mut Page<'_>) -> Written {
    let guard = Guard::new();
    let policy = state.policy(Rcu::of(&guard));
    let rules = policy.map_or(&[][..], |p| &p.rules[..]).iter().map(Item::Rule);
    let placings = policy.map_or(&[][..], |p| &p.placings[..]).iter().map(Item::Placing);
    let settings = state.own_settings().map(|(name, value)| Item::Setting(name, value));
    let items = Iterator::chain(Iterator::chain(rules, placings), settings);
    page.add_each(spec::CMD_POLICY_GET, items, |w, item| match item {
        Item::Rule(rule) => w.nest(spec::POLICY_RULE, |w| write_rule(w, rule)),
        Item::Placing(placing) => w.nest(spec::POLICY_PLACING, |w| write_placing(w, placing)),
        Item::Setting(name, value) => w.nest(spec::POLICY_SETTING, |w| {
            w.text(spec::SETTING_NAME, name)?;
            w.u32(spec::SETTING_VALUE, value)
        }),
    })
}

fn write_prefix(w: &mut Writer<'_>, (addr, len): (u16, u16), prefix: &Prefix) -> Written {
    if prefix.bits() == 0 {
        return Ok(());
    }
    w.addr(addr, prefix.addr())?;
    w.u32(len, prefix.bits().into())
}

fn write_rule(w: &mut Writer<'_>, rule: &Rule) -> Written {
    if rule.denies {
        w.bytes(spec::RULE_DENY, &[])?;
    }
    write_prefix(w, (spec::RULE_LOCAL, spec::RULE_LOCAL_LENGTH), &rule.local)?;
    write_prefix(w, (spec::RULE_PEER, spec::RULE_PEER_LENGTH), &rule.peer)?;
    if rule.protocol != 0 {
        w.u32(spec::RULE_PROTOCOL, rule.protocol.into())?;
    }
    if rule.has_all_ports() {
        return Ok(());
    }
    w.u32(spec::RULE_FIRST_PORT, rule.ports.0.into())?;
    w.u32(spec::RULE_LAST_PORT, rule.ports.1.into())
}

fn write_placing(w: &mut Writer<'_>, placing: &Placing) -> Written {
    write_prefix(w, (spec::PLACING_PREFIX, spec::PLACING_LENGTH), &placing.prefix)?;
    if let Some(name) = &placing.device {
        let len = name.iter().position(|octet| *octet == 0).unwrap_or(name.len());
        let name = name.get(..len).and_then(|name| core::str::from_utf8(name).ok());
        w.text(spec::PLACING_DEVICE, name.unwrap_or_default())?;
    }
    match placing.pref {
        None => w.bytes(spec::PLACING_EXCLUDED, &[]),
        Some(pref) => {
            w.u32(spec::PLACING_PRIORITY, pref.priority.into())?;
            w.u32(spec::PLACING_WEIGHT, pref.weight.into())
        }
    }
}
