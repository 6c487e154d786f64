// SPDX-License-Identifier: GPL-2.0

//! The policy as a file has it, a line for each rule, placing and setting:
//!
//! ```text
//! allow|deny [local PREFIX] [peer PREFIX] [protocol PROTOCOL] [port PORT[-PORT]]
//! locator [PREFIX] [dev INTERFACE] exclude
//! locator [PREFIX] [dev INTERFACE] [priority N] [weight N]
//! set NAME VALUE
//! ```
//!
//! What is behind a `#` is a comment. What the kernel tells is shown in the same words.

use crate::failure::{words, Failure, Result};
use serde_json::{json, Value};
use shim6_proto::proto::addr::Addr;
use shim6_proto::proto::config::{Config, FIELDS};
use shim6_proto::proto::locator::Preference;
use shim6_proto::proto::policy::{Device, Placing, Prefix, Rule, DEVICE, MOST};
use std::fmt;
use std::net::Ipv6Addr;

/// Where the policy is that is loaded at boot.
pub const FILE: &str = "/etc/shim6/policy";

const PROTOCOLS: &[(&str, u8)] = &[
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("esp", 50),
    ("icmpv6", 58),
    ("sctp", 132),
    ("udplite", 136),
];
/// Those whose headers begin with ports.
const WITH_PORTS: &[u8] = &[6, 17, 33, 132, 136];

/// A policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// In their order.
    pub rules: Vec<Rule>,
    /// In their order.
    pub placings: Vec<Placing>,
    /// Names and values.
    pub settings: Vec<(String, u32)>,
}

impl Policy {
    /// Reads a file; `-` is the standard input.
    pub fn read(file: &str) -> Result<Policy> {
        let text = match file {
            "-" => std::io::read_to_string(std::io::stdin()),
            _ => std::fs::read_to_string(file),
        };
        let text = text.map_err(|e| Failure::new(format!("cannot read {file}: {}", words(&e))))?;
        Policy::parse(file, &text)
    }

    /// The policy of a text; errors say where it is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Policy> {
        let mut policy = Policy::default();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default();
            let read = policy.read_line(&mut Words(line.split_whitespace().peekable()));
            read.map_err(|e| e.while_trying(format_args!("{file}:{number}")))?;
        }
        for (what, count) in [("rules", policy.rules.len()), ("locators", policy.placings.len())] {
            if count > MOST {
                return Err(Failure::new(format!("{file}: {count} {what}, {MOST} are allowed")));
            }
        }
        Ok(policy)
    }

    fn read_line(&mut self, line: &mut Words<'_>) -> Result<()> {
        let Some(first) = line.0.next() else { return Ok(()) };
        match first {
            "allow" | "deny" => self.rules.push(line.rule(first == "deny")?),
            "locator" => self.placings.push(line.placing()?),
            "set" => {
                let setting = line.setting()?;
                if self.settings.iter().any(|(name, _)| *name == setting.0) {
                    return Err(Failure::new(format!("{} is set a second time", setting.0)));
                }
                self.settings.push(setting);
            }
            _ => {
                return Err(Failure::new(format!(
                    "'{first}' is none of allow, deny, locator and set"
                )));
            }
        }
        Ok(())
    }

    /// The defaults of the settings: what undoes them.
    pub fn undone(&self) -> Policy {
        let default = |name: &str| {
            let at = FIELDS.iter().position(|field| field.name == name)?;
            Some((name.to_string(), *Config::default().values().get(at)?))
        };
        let settings = self.settings.iter().filter_map(|(name, _)| default(name)).collect();
        Policy { settings, ..Policy::default() }
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        let settings = self.settings.iter().map(|(name, value)| (name.clone(), json!(value)));
        json!({
            "rules": self.rules.iter().map(rule_json).collect::<Vec<_>>(),
            "locators": self.placings.iter().map(placing_json).collect::<Vec<_>>(),
            "settings": settings.collect::<serde_json::Map<_, _>>(),
        })
    }
}

/// The rest of a line.
struct Words<'a>(std::iter::Peekable<std::str::SplitWhitespace<'a>>);

impl<'a> Words<'a> {
    fn value(&mut self, of: &str, what: &str) -> Result<&'a str> {
        self.0.next().ok_or_else(|| Failure::new(format!("{of}: {what} is missing")))
    }

    fn number(&mut self, of: &str, most: u32) -> Result<u32> {
        let word = self.value(of, "a number")?;
        let number = word.parse().ok().filter(|n| *n <= most);
        number.ok_or_else(|| Failure::new(format!("{of}: '{word}' is not from 0 to {most}")))
    }

    fn rule(&mut self, denies: bool) -> Result<Rule> {
        let mut rule = Rule {
            denies,
            local: Prefix::ALL,
            peer: Prefix::ALL,
            protocol: 0,
            ports: Rule::ALL_PORTS,
        };
        let mut seen = Vec::new();
        while let Some(word) = self.0.next() {
            once(&mut seen, word)?;
            match word {
                "local" => rule.local = prefix(self.value(word, "a prefix")?)?,
                "peer" => rule.peer = prefix(self.value(word, "a prefix")?)?,
                "protocol" => rule.protocol = protocol(self.value(word, "a protocol")?)?,
                "port" => rule.ports = ports(self.value(word, "a port")?)?,
                _ => {
                    let why = "is none of local, peer, protocol and port";
                    return Err(Failure::new(format!("'{word}' {why}")));
                }
            }
        }
        let portless = rule.protocol != 0 && !WITH_PORTS.contains(&rule.protocol);
        if portless && seen.contains(&"port") {
            let name = protocol_name(rule.protocol);
            return Err(Failure::new(format!("protocol {name} has no ports")));
        }
        Ok(rule)
    }

    fn placing(&mut self) -> Result<Placing> {
        let mut placing = Placing { prefix: Prefix::ALL, device: None, pref: None };
        if let Some(word) = self.0.next_if(|word| word.contains(':')) {
            placing.prefix = prefix(word)?;
        }
        let (mut pref, mut exclude) = (Preference::default(), false);
        let mut seen = Vec::new();
        while let Some(word) = self.0.next() {
            once(&mut seen, word)?;
            match word {
                "dev" => placing.device = Some(device(self.value(word, "an interface")?)?),
                "exclude" => exclude = true,
                "priority" => pref.priority = self.number(word, 255)? as u8,
                "weight" => pref.weight = self.number(word, 255)? as u8,
                _ => {
                    let why = "is no prefix, and none of dev, exclude, priority and weight";
                    return Err(Failure::new(format!("'{word}' {why}")));
                }
            }
        }
        let liked = seen.iter().any(|word| ["priority", "weight"].contains(word));
        match (exclude, liked) {
            (true, true) => Err(Failure::new("what is excluded has neither priority nor weight")),
            (false, false) => Err(Failure::new("exclude, priority or weight is missing")),
            (true, false) => Ok(placing),
            (false, true) => Ok(Placing { pref: Some(pref), ..placing }),
        }
    }

    fn setting(&mut self) -> Result<(String, u32)> {
        let name = self.value("set", "a name")?;
        let Some(field) = FIELDS.iter().find(|field| field.name == name) else {
            return Err(Failure::new(format!("there is no setting {name}")));
        };
        let word = self.value(name, "a value")?;
        let (min, max) = (field.min, field.max);
        let value = word.parse().ok().filter(|value| (min..=max).contains(value));
        let value = value
            .ok_or_else(|| Failure::new(format!("{name} is from {min} to {max}, not {word}")))?;
        match self.0.next() {
            Some(word) => Err(Failure::new(format!("'{word}' is too much"))),
            None => Ok((name.to_string(), value)),
        }
    }
}

fn once<'a>(seen: &mut Vec<&'a str>, word: &'a str) -> Result<()> {
    if seen.contains(&word) {
        return Err(Failure::new(format!("{word} is there a second time")));
    }
    seen.push(word);
    Ok(())
}

fn prefix(text: &str) -> Result<Prefix> {
    let (addr, len) = text.split_once('/').unwrap_or((text, "128"));
    let parsed = addr.parse::<Ipv6Addr>().ok().zip(len.parse().ok().filter(|len| *len <= 128));
    let (addr, len) = parsed
        .ok_or_else(|| Failure::new(format!("'{text}' is not a prefix, as 2001:db8:1::/48")))?;
    Prefix::new(Addr(addr.octets()), len)
        .ok_or_else(|| Failure::new(format!("{text} has bits behind its prefix length")))
}

fn protocol(text: &str) -> Result<u8> {
    let named = PROTOCOLS.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
    let number = named.or(text.parse().ok()).filter(|number| *number != 0);
    number.ok_or_else(|| {
        let names: Vec<_> = PROTOCOLS.iter().map(|(name, _)| *name).collect();
        Failure::new(format!("'{text}' is none of {}, nor from 1 to 255", names.join(", ")))
    })
}

fn protocol_name(number: u8) -> String {
    let named = PROTOCOLS.iter().find(|(_, of)| *of == number);
    named.map_or_else(|| number.to_string(), |(name, _)| (*name).to_string())
}

fn ports(text: &str) -> Result<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let parsed = first.parse().ok().zip(last.parse().ok());
    parsed.filter(|(first, last)| first <= last).ok_or_else(|| {
        Failure::new(format!(
            "'{text}' is neither a port nor two with a - between, the lower first"
        ))
    })
}

fn device(name: &str) -> Result<Device> {
    let mut device = Device::default();
    if name.len() >= DEVICE || name.contains('/') {
        return Err(Failure::new(format!("'{name}' is not the name of an interface")));
    }
    device.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    Ok(device)
}

/// The name of an interface as text.
pub fn device_name(device: &Device) -> String {
    let name = device.split(|octet| *octet == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}

fn prefix_text(prefix: &Prefix) -> String {
    format!("{}/{}", prefix.addr(), prefix.bits())
}

fn ports_text(rule: &Rule) -> String {
    match rule.ports {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.rules.iter().map(rule_text);
        let placings = self.placings.iter().map(placing_text);
        let settings = self.settings.iter().map(|(name, value)| format!("set {name} {value}"));
        let lines: Vec<_> = rules.chain(placings).chain(settings).collect();
        f.write_str(&lines.join("\n"))
    }
}

fn rule_text(rule: &Rule) -> String {
    let mut text = if rule.denies { "deny" } else { "allow" }.to_string();
    for (name, prefix) in [("local", &rule.local), ("peer", &rule.peer)] {
        if prefix.bits() > 0 {
            text += &format!(" {name} {}", prefix_text(prefix));
        }
    }
    if rule.protocol != 0 {
        text += &format!(" protocol {}", protocol_name(rule.protocol));
    }
    if !rule.has_all_ports() {
        text += &format!(" port {}", ports_text(rule));
    }
    text
}

fn rule_json(rule: &Rule) -> Value {
    let mut value = json!({ "action": if rule.denies { "deny" } else { "allow" } });
    for (name, prefix) in [("local", &rule.local), ("peer", &rule.peer)] {
        if prefix.bits() > 0 {
            value[name] = json!(prefix_text(prefix));
        }
    }
    if rule.protocol != 0 {
        value["protocol"] = json!(protocol_name(rule.protocol));
    }
    if !rule.has_all_ports() {
        value["ports"] = json!(ports_text(rule));
    }
    value
}

fn placing_text(placing: &Placing) -> String {
    let mut text = "locator".to_string();
    if placing.prefix.bits() > 0 {
        text += &format!(" {}", prefix_text(&placing.prefix));
    }
    if let Some(device) = &placing.device {
        text += &format!(" dev {}", device_name(device));
    }
    match placing.pref {
        None => text + " exclude",
        Some(pref) => text + &format!(" priority {} weight {}", pref.priority, pref.weight),
    }
}

fn placing_json(placing: &Placing) -> Value {
    let mut value = match placing.pref {
        None => json!({ "exclude": true }),
        Some(pref) => json!({ "priority": pref.priority, "weight": pref.weight }),
    };
    if placing.prefix.bits() > 0 {
        value["prefix"] = json!(prefix_text(&placing.prefix));
    }
    if let Some(device) = &placing.device {
        value["device"] = json!(device_name(device));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Policy {
        Policy::parse("policy", text).unwrap()
    }

    #[test]
    fn what_was_read_is_shown_in_the_same_words() {
        let text = "deny peer 2001:db8:bad::/48\n\
                    deny protocol tcp port 22\n\
                    deny protocol udp port 5000-5999\n\
                    allow local 2001:db8:1::/48 peer 2001:db8:5::1/128 protocol 200\n\
                    deny\n\
                    locator 2001:db8:2::/48 priority 2 weight 10\n\
                    locator dev wwan0 exclude\n\
                    locator 2001:db8:3::/48 dev eth0 priority 1 weight 0\n\
                    set max_contexts 1000";
        let policy = parse(text);
        assert_eq!(policy.to_string(), text);
        assert_eq!(parse(&policy.to_string()), policy);
        assert_eq!((policy.rules.len(), policy.placings.len(), policy.settings.len()), (5, 3, 1));
        let json = policy.to_json();
        assert_eq!(json["rules"][1], json!({"action": "deny", "protocol": "tcp", "ports": "22"}));
        assert_eq!(json["locators"][1], json!({"exclude": true, "device": "wwan0"}));
        assert_eq!(json["settings"]["max_contexts"], 1000);
        let undone = policy.undone();
        assert_eq!(undone.to_string(), "set max_contexts 131072");
    }

    #[test]
    fn comments_and_empty_lines_do_not_count() {
        assert_eq!(parse("# nothing\n\n   \t# here\n"), Policy::default());
        assert_eq!(parse("deny # all\r\n").rules.len(), 1);
        assert_eq!(Policy::default().to_string(), "");
    }

    #[test]
    fn each_error_names_its_line_and_its_word() {
        for (line, said) in [
            ("permit", "'permit' is none of allow, deny, locator and set"),
            ("deny peer", "peer: a prefix is missing"),
            ("deny peer 10.0.0.0/8", "'10.0.0.0/8' is not a prefix, as 2001:db8:1::/48"),
            ("deny peer 2001:db8::/129", "'2001:db8::/129' is not a prefix, as 2001:db8:1::/48"),
            ("deny peer 2001:db8::1/64", "2001:db8::1/64 has bits behind its prefix length"),
            ("deny peer ::/0 peer ::/0", "peer is there a second time"),
            ("deny dport 22", "'dport' is none of local, peer, protocol and port"),
            (
                "deny port 70000",
                "'70000' is neither a port nor two with a - between, the lower first",
            ),
            ("deny port 9-8", "'9-8' is neither a port nor two with a - between, the lower first"),
            ("deny protocol icmpv6 port 1", "protocol icmpv6 has no ports"),
            ("deny port 1 protocol 50", "protocol esp has no ports"),
            (
                "deny protocol ip",
                "'ip' is none of tcp, udp, dccp, esp, icmpv6, sctp, udplite, nor from 1 to 255",
            ),
            ("locator", "exclude, priority or weight is missing"),
            ("locator exclude weight 1", "what is excluded has neither priority nor weight"),
            ("locator priority 256", "priority: '256' is not from 0 to 255"),
            ("locator dev", "dev: an interface is missing"),
            (
                "locator dev averylonginterface exclude",
                "'averylonginterface' is not the name of an interface",
            ),
            ("locator eth0", "'eth0' is no prefix, and none of dev, exclude, priority and weight"),
            ("set", "set: a name is missing"),
            ("set max_context 1", "there is no setting max_context"),
            ("set max_contexts", "max_contexts: a value is missing"),
            ("set max_contexts 0", "max_contexts is from 1 to 4194304, not 0"),
            ("set max_contexts 1 2", "'2' is too much"),
        ] {
            let error = Policy::parse("policy", &format!("\n{line}\n")).unwrap_err();
            assert_eq!(error.to_string(), format!("policy:2: {said}"));
        }
        let twice = "set max_forks 1\nset max_forks 2\n";
        let error = Policy::parse("policy", twice).unwrap_err();
        assert_eq!(error.to_string(), "policy:2: max_forks is set a second time");
        let error = Policy::parse("policy", &"deny\n".repeat(MOST + 1)).unwrap_err();
        assert_eq!(error.to_string(), "policy: 257 rules, 256 are allowed");
    }
}
