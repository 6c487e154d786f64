// SPDX-License-Identifier: GPL-2.0

//! Family `shim`: its requests and what its answers mean
//! (Documentation/netlink/specs/shim.yaml).

use crate::failure::{Failure, Result};
use crate::netlink::{attributes, text_of, u32_at, u64_at, Answer, Channel, Message, Refused};
use crate::policy::{device_name, Policy};
use crate::spec::*;
use libc::NLM_F_DUMP;
use shim6_proto::proto::addr::Addr;
use shim6_proto::proto::locator::Preference;
use shim6_proto::proto::policy::{Device, Placing, Prefix, Rule};
use std::net::Ipv6Addr;

const GENL_HEADER: usize = 4;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const CTRL_ATTR_MCAST_GROUPS: u16 = 7;
const CTRL_ATTR_MCAST_GRP_NAME: u16 = 1;
const CTRL_ATTR_MCAST_GRP_ID: u16 = 2;

/// A locator as the kernel tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locator {
    /// The address.
    pub addr: Ipv6Addr,
    /// `LOCATOR_FLAG_*`.
    pub flags: u32,
    /// How it is verified.
    pub verification: u32,
    /// Its priority: lower is better.
    pub priority: u32,
    /// Its weight.
    pub weight: u32,
}

impl Locator {
    /// Whether it has a flag.
    pub fn has(&self, flag: u16) -> bool {
        self.flags & u32::from(flag) != 0
    }
}

/// Two addresses: ours and the peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Ours.
    pub local: Ipv6Addr,
    /// The peer's.
    pub peer: Ipv6Addr,
}

/// A context as the kernel tells it, or what an event says of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Its identifiers.
    pub ulids: Pair,
    /// Its Forked Instance Identifier.
    pub fii: u32,
    /// CT(local).
    pub local_tag: u64,
    /// CT(peer), once known.
    pub peer_tag: Option<u64>,
    /// `enum shim_context_state`.
    pub state: u32,
    /// `enum shim_reap_state`, once the context was established.
    pub reap_state: Option<u32>,
    /// Where packets go.
    pub pair: Pair,
    /// Ls(local).
    pub local_locators: Vec<Locator>,
    /// Ls(peer).
    pub peer_locators: Vec<Locator>,
    /// Milliseconds.
    pub send_timeout: Option<u32>,
    /// Milliseconds.
    pub keepalive_timeout: Option<u32>,
    /// Milliseconds since a packet was sent.
    pub last_sent: Option<u64>,
    /// Milliseconds since a packet was received.
    pub last_received: Option<u64>,
}

/// Something that happened to a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `enum shim_event`.
    pub kind: u32,
    /// Nanoseconds of CLOCK_MONOTONIC.
    pub time: u64,
    /// The context after it.
    pub context: Context,
    /// The pair before a rehoming.
    pub old: Option<Pair>,
    /// `enum shim_failure`.
    pub failure: Option<u32>,
}

/// A set of addresses as the kernel tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Its CGA Parameter Data Structure.
    pub parameters: Vec<u8>,
    /// Its addresses.
    pub locators: Vec<Locator>,
    /// Whether the kernel has its private key.
    pub signs: bool,
}

/// What names a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextName {
    /// CT(local).
    Tag(u64),
    /// Identifiers and FII.
    Ulids(Pair, u32),
}

/// A conversation with the family.
pub struct Shim {
    channel: Channel,
    id: u16,
    events: u32,
}

impl Shim {
    /// Finds the family.
    pub fn open() -> Result<Shim> {
        let mut channel = Channel::open(libc::NETLINK_GENERIC)?;
        let ask = Message::new(libc::GENL_ID_CTRL as u16, 0, &[CTRL_CMD_GETFAMILY, 1])
            .text(CTRL_ATTR_FAMILY_NAME, FAMILY_NAME);
        let answers = match channel.request(&ask) {
            Ok(answers) => answers,
            Err(Refused { errno: libc::ENOENT, .. }) => {
                return Err(Failure::new("the kernel has no shim: module shim6 is not loaded"));
            }
            Err(e) => return Err(Failure::from(e)),
        };
        let body = answers.first().and_then(|a| a.body.get(GENL_HEADER..)).unwrap_or_default();
        let (mut id, mut events) = (None, None);
        for (kind, value) in attributes(body) {
            match kind {
                CTRL_ATTR_FAMILY_ID => id = value.first_chunk().map(|b| u16::from_ne_bytes(*b)),
                CTRL_ATTR_MCAST_GROUPS => events = find_group(value),
                _ => {}
            }
        }
        match (id, events) {
            (Some(id), Some(events)) => Ok(Shim { channel, id, events }),
            _ => Err(Failure::new("the kernel's shim is not one this program knows")),
        }
    }

    fn message(&self, command: u16, flags: libc::c_int) -> Message {
        Message::new(self.id, flags, &[command as u8, FAMILY_VERSION as u8])
    }

    fn dump(&mut self, command: u16) -> Result<Vec<Answer>> {
        let message = self.message(command, NLM_F_DUMP);
        Ok(self.channel.request(&message)?)
    }

    /// All contexts.
    pub fn contexts(&mut self) -> Result<Vec<Context>> {
        let answers = self.dump(CMD_CONTEXT_GET)?;
        Ok(answers.iter().filter_map(parse_context).collect())
    }

    /// One context.
    pub fn context(&mut self, name: ContextName) -> Result<Context> {
        let message = self.message(CMD_CONTEXT_GET, 0);
        let message = match name {
            ContextName::Tag(tag) => message.u64(A_CONTEXT_LOCAL_TAG, tag),
            ContextName::Ulids(pair, fii) => message
                .bytes(A_CONTEXT_ULID_LOCAL, &pair.local.octets())
                .bytes(A_CONTEXT_ULID_PEER, &pair.peer.octets())
                .u32(A_CONTEXT_FII, fii),
        };
        let answers = self.channel.request(&message)?;
        answers
            .first()
            .and_then(parse_context)
            .ok_or_else(|| Failure::new("the kernel's answer makes no sense"))
    }

    /// Makes a set known to the kernel, with the private key of its parameters if it shall
    /// sign.
    pub fn add_set(
        &mut self,
        parameters: &[u8],
        addresses: &[Ipv6Addr],
        key: Option<&[u8]>,
    ) -> std::result::Result<(), Refused> {
        let message = addresses.iter().fold(
            self.message(CMD_HBA_ADD, 0).bytes(A_HBA_PARAMETERS, parameters),
            |message, addr| message.bytes(A_HBA_ADDRESS, &addr.octets()),
        );
        let message = match key {
            Some(key) => message.bytes(A_HBA_PRIVATE_KEY, key),
            None => message,
        };
        self.channel.request(&message).map(drop)
    }

    /// Makes the kernel forget the set of an address.
    pub fn delete_set(&mut self, of: Ipv6Addr) -> std::result::Result<(), Refused> {
        let message = self.message(CMD_HBA_DEL, 0).bytes(A_HBA_ADDRESS, &of.octets());
        self.channel.request(&message).map(drop)
    }

    /// The sets the kernel knows.
    pub fn sets(&mut self) -> Result<Vec<Set>> {
        let answers = self.dump(CMD_HBA_GET)?;
        Ok(answers.iter().filter_map(parse_set).collect())
    }

    /// Replaces the policy.
    pub fn set_policy(&mut self, policy: &Policy) -> std::result::Result<(), Refused> {
        let message = self.message(CMD_POLICY_SET, 0);
        let message = policy
            .rules
            .iter()
            .fold(message, |m, rule| m.nest(A_POLICY_RULE, |m| write_rule(m, rule)));
        let message = policy
            .placings
            .iter()
            .fold(message, |m, placing| m.nest(A_POLICY_PLACING, |m| write_placing(m, placing)));
        let message = policy.settings.iter().fold(message, |m, (name, value)| {
            let write = |m: Message| m.text(A_SETTING_NAME, name).u32(A_SETTING_VALUE, *value);
            m.nest(A_POLICY_SETTING, write)
        });
        self.channel.request(&message).map(drop)
    }

    /// The policy, with the settings that have not their defaults.
    pub fn policy(&mut self) -> Result<Policy> {
        let mut policy = Policy::default();
        for answer in self.dump(CMD_POLICY_GET)? {
            let fields = Fields::of_answer(&answer);
            let of = |attr| fields.one(attr).map(Fields::of);
            policy.rules.extend(of(A_POLICY_RULE).and_then(|f| parse_rule(&f)));
            policy.placings.extend(of(A_POLICY_PLACING).and_then(|f| parse_placing(&f)));
            policy
                .settings
                .extend(of(A_POLICY_SETTING).and_then(|f| {
                    Some((text_of(f.one(A_SETTING_NAME)?), f.u32(A_SETTING_VALUE)?))
                }));
        }
        Ok(policy)
    }

    /// All counters.
    pub fn counters(&mut self) -> Result<Vec<(String, u64)>> {
        let answers = self.dump(CMD_STATS_GET)?;
        Ok(answers.iter().filter_map(parse_counter).collect())
    }

    /// Begins to listen to events.
    pub fn join_events(&mut self) -> Result<()> {
        self.channel.join(self.events)
    }

    /// Waits for events; `None` means that some were lost.
    pub fn listen(&mut self) -> Result<Option<Vec<Event>>> {
        let answers = self.channel.listen()?;
        Ok(answers.map(|answers| {
            let ours = answers.iter().filter(|a| {
                a.kind == self.id && a.body.first() == Some(&(CMD_CONTEXT_EVENT as u8))
            });
            ours.filter_map(parse_event).collect()
        }))
    }
}

fn write_prefix(message: Message, (addr, len): (u16, u16), prefix: &Prefix) -> Message {
    match prefix.bits() {
        0 => message,
        bits => message.bytes(addr, &prefix.addr().0).u32(len, bits.into()),
    }
}

fn write_rule(message: Message, rule: &Rule) -> Message {
    let message = if rule.denies { message.bytes(A_RULE_DENY, &[]) } else { message };
    let message = write_prefix(message, (A_RULE_LOCAL, A_RULE_LOCAL_LENGTH), &rule.local);
    let message = write_prefix(message, (A_RULE_PEER, A_RULE_PEER_LENGTH), &rule.peer);
    let message = match rule.protocol {
        0 => message,
        protocol => message.u32(A_RULE_PROTOCOL, protocol.into()),
    };
    let (first, last) = rule.ports;
    match rule.has_all_ports() {
        true => message,
        false => message.u32(A_RULE_FIRST_PORT, first.into()).u32(A_RULE_LAST_PORT, last.into()),
    }
}

fn write_placing(message: Message, placing: &Placing) -> Message {
    let of = (A_PLACING_PREFIX, A_PLACING_LENGTH);
    let message = write_prefix(message, of, &placing.prefix);
    let message = match &placing.device {
        Some(device) => message.text(A_PLACING_DEVICE, &device_name(device)),
        None => message,
    };
    match placing.pref {
        None => message.bytes(A_PLACING_EXCLUDED, &[]),
        Some(pref) => message
            .u32(A_PLACING_PRIORITY, pref.priority.into())
            .u32(A_PLACING_WEIGHT, pref.weight.into()),
    }
}

fn parse_prefix(fields: &Fields<'_>, addr: u16, len: u16) -> Option<Prefix> {
    match fields.addr(addr) {
        None => Some(Prefix::ALL),
        Some(addr) => Prefix::new(Addr(addr.octets()), fields.u32(len)?),
    }
}

fn parse_rule(fields: &Fields<'_>) -> Option<Rule> {
    let (first, last) = Rule::ALL_PORTS;
    let port = |attr, missing| u16::try_from(fields.u32(attr).unwrap_or(missing)).ok();
    Some(Rule {
        denies: fields.one(A_RULE_DENY).is_some(),
        local: parse_prefix(fields, A_RULE_LOCAL, A_RULE_LOCAL_LENGTH)?,
        peer: parse_prefix(fields, A_RULE_PEER, A_RULE_PEER_LENGTH)?,
        protocol: u8::try_from(fields.u32(A_RULE_PROTOCOL).unwrap_or(0)).ok()?,
        ports: port(A_RULE_FIRST_PORT, first.into()).zip(port(A_RULE_LAST_PORT, last.into()))?,
    })
}

fn parse_placing(fields: &Fields<'_>) -> Option<Placing> {
    let octet = |attr| u8::try_from(fields.u32(attr).unwrap_or(0)).ok();
    let pref = match fields.one(A_PLACING_EXCLUDED) {
        Some(_) => None,
        None => Some(Preference {
            flags: 0,
            priority: octet(A_PLACING_PRIORITY)?,
            weight: octet(A_PLACING_WEIGHT)?,
        }),
    };
    let device = fields.one(A_PLACING_DEVICE).map(|name| {
        let mut device = Device::default();
        device.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
        device
    });
    Some(Placing {
        prefix: parse_prefix(fields, A_PLACING_PREFIX, A_PLACING_LENGTH)?,
        device,
        pref,
    })
}

fn find_group(groups: &[u8]) -> Option<u32> {
    attributes(groups).find_map(|(_, group)| {
        let of = |wanted| attributes(group).find(|(kind, _)| *kind == wanted).map(|(_, v)| v);
        (text_of(of(CTRL_ATTR_MCAST_GRP_NAME)?) == MCGRP_EVENTS)
            .then(|| u32_at(of(CTRL_ATTR_MCAST_GRP_ID)?, 0))?
    })
}

/// The attributes of an answer, by number; of those that come several times, all.
struct Fields<'a>(Vec<(u16, &'a [u8])>);

impl<'a> Fields<'a> {
    fn of(bytes: &'a [u8]) -> Fields<'a> {
        Fields(attributes(bytes).collect())
    }

    fn of_answer(answer: &'a Answer) -> Fields<'a> {
        Fields::of(answer.body.get(GENL_HEADER..).unwrap_or_default())
    }

    fn all(&self, wanted: u16) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.0.iter().filter(move |(kind, _)| *kind == wanted).map(|(_, value)| *value)
    }

    fn one(&self, wanted: u16) -> Option<&'a [u8]> {
        self.all(wanted).next()
    }

    fn u32(&self, wanted: u16) -> Option<u32> {
        u32_at(self.one(wanted)?, 0)
    }

    fn u64(&self, wanted: u16) -> Option<u64> {
        u64_at(self.one(wanted)?, 0)
    }

    fn addr(&self, wanted: u16) -> Option<Ipv6Addr> {
        <[u8; 16]>::try_from(self.one(wanted)?).ok().map(Ipv6Addr::from)
    }

    fn pair(&self, local: u16, peer: u16) -> Option<Pair> {
        Some(Pair { local: self.addr(local)?, peer: self.addr(peer)? })
    }

    fn locators(&self, wanted: u16) -> Vec<Locator> {
        self.all(wanted).filter_map(parse_locator).collect()
    }
}

fn parse_locator(bytes: &[u8]) -> Option<Locator> {
    let fields = Fields::of(bytes);
    Some(Locator {
        addr: fields.addr(A_LOCATOR_ADDR)?,
        flags: fields.u32(A_LOCATOR_FLAGS).unwrap_or(0),
        verification: fields.u32(A_LOCATOR_VERIFICATION).unwrap_or(0),
        priority: fields.u32(A_LOCATOR_PRIORITY).unwrap_or(0),
        weight: fields.u32(A_LOCATOR_WEIGHT).unwrap_or(0),
    })
}

fn parse_context(answer: &Answer) -> Option<Context> {
    context_of(&Fields::of_answer(answer))
}

fn context_of(fields: &Fields<'_>) -> Option<Context> {
    Some(Context {
        ulids: fields.pair(A_CONTEXT_ULID_LOCAL, A_CONTEXT_ULID_PEER)?,
        fii: fields.u32(A_CONTEXT_FII)?,
        local_tag: fields.u64(A_CONTEXT_LOCAL_TAG)?,
        peer_tag: fields.u64(A_CONTEXT_PEER_TAG),
        state: fields.u32(A_CONTEXT_STATE)?,
        reap_state: fields.u32(A_CONTEXT_REAP_STATE),
        pair: fields.pair(A_CONTEXT_LOCAL, A_CONTEXT_PEER)?,
        local_locators: fields.locators(A_CONTEXT_LOCAL_LOCATOR),
        peer_locators: fields.locators(A_CONTEXT_PEER_LOCATOR),
        send_timeout: fields.u32(A_CONTEXT_SEND_TIMEOUT),
        keepalive_timeout: fields.u32(A_CONTEXT_KEEPALIVE_TIMEOUT),
        last_sent: fields.u64(A_CONTEXT_LAST_SENT),
        last_received: fields.u64(A_CONTEXT_LAST_RECEIVED),
    })
}

fn parse_event(answer: &Answer) -> Option<Event> {
    let fields = Fields::of_answer(answer);
    Some(Event {
        kind: fields.u32(A_CONTEXT_EVENT)?,
        time: fields.u64(A_CONTEXT_TIME)?,
        context: context_of(&fields)?,
        old: fields.pair(A_CONTEXT_OLD_LOCAL, A_CONTEXT_OLD_PEER),
        failure: fields.u32(A_CONTEXT_FAILURE),
    })
}

fn parse_set(answer: &Answer) -> Option<Set> {
    let fields = Fields::of_answer(answer);
    let parameters = fields.one(A_HBA_PARAMETERS)?.to_vec();
    let signs = fields.one(A_HBA_SIGNS).is_some();
    Some(Set { parameters, locators: fields.locators(A_HBA_LOCATOR), signs })
}

fn parse_counter(answer: &Answer) -> Option<(String, u64)> {
    let fields = Fields::of_answer(answer);
    Some((text_of(fields.one(A_COUNTER_NAME)?), fields.u64(A_COUNTER_VALUE)?))
}
