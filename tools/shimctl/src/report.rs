// SPDX-License-Identifier: GPL-2.0

//! What the kernel told, as a person reads it and as JSON.

use crate::family::{Context, Event, Locator, Pair, Set};
use crate::set::{hex, HbaSet};
use crate::spec::*;
use serde_json::{json, Map, Value};
use std::fmt::Write as _;

/// The name of a number in one of the specification's lists.
fn name(names: &[&'static str], number: u32) -> String {
    let known = usize::try_from(number).ok().and_then(|n| names.get(n));
    known.map_or_else(|| number.to_string(), ToString::to_string)
}

fn tag(tag: u64) -> String {
    format!("{tag:012x}")
}

fn arrow(pair: &Pair) -> String {
    format!("{} -> {}", pair.local, pair.peer)
}

/// A time in nanoseconds since 1970, as RFC 3339 in UTC.
pub fn timestamp(ns: u64) -> String {
    let (seconds, micros) = (ns / 1_000_000_000, ns / 1000 % 1_000_000);
    let (days, second) = (seconds / 86400, seconds % 86400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// The date of a day, counted from 1970-01-01.
fn date(mut days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    let leap = |year: u64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for len in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < len {
            break;
        }
        days -= len;
        month += 1;
    }
    (year, month, days + 1)
}

/// One line for a context.
pub fn context_line(context: &Context) -> String {
    let mut line = arrow(&context.ulids);
    if context.fii != 0 {
        let _ = write!(line, " fii {}", context.fii);
    }
    let _ = write!(line, " tag {} {}", tag(context.local_tag), name(CONTEXT_STATES, context.state));
    if let Some(state) = context.reap_state {
        let _ = write!(line, " {}", name(REAP_STATES, state));
    }
    if context.pair != context.ulids {
        let _ = write!(line, " via {}", arrow(&context.pair));
    }
    line
}

/// Everything about a context.
pub fn context_text(context: &Context) -> String {
    let mut text = context_line(context);
    let _ = write!(text, "\n  sends      {}", arrow(&context.pair));
    if let Some(peer) = context.peer_tag {
        let _ = write!(text, "\n  peer tag   {}", tag(peer));
    }
    for (what, value) in [
        ("send timeout", context.send_timeout.map(u64::from)),
        ("keepalive timeout", context.keepalive_timeout.map(u64::from)),
        ("sent", context.last_sent),
        ("received", context.last_received),
    ] {
        let ago = if matches!(what, "sent" | "received") { " ago" } else { "" };
        if let Some(ms) = value {
            let _ = write!(text, "\n  {what} {ms} ms{ago}");
        }
    }
    for (what, locators) in [("local", &context.local_locators), ("peer", &context.peer_locators)] {
        for locator in locators {
            let _ = write!(text, "\n  {what:<10} {}", locator_text(locator));
        }
    }
    text
}

const FLAGS: [(u16, &str); 4] = [
    (LOCATOR_FLAG_USABLE, "usable"),
    (LOCATOR_FLAG_VERIFIED, "verified"),
    (LOCATOR_FLAG_BROKEN, "broken"),
    (LOCATOR_FLAG_TEMPORARY, "temporary"),
];

fn locator_text(locator: &Locator) -> String {
    let mut text = locator.addr.to_string();
    if locator.verification != 0 {
        let _ = write!(text, " {}", name(VERIFICATIONS, locator.verification));
    }
    let _ = write!(text, " priority {} weight {}", locator.priority, locator.weight);
    for (flag, word) in FLAGS {
        if locator.has(flag) {
            let _ = write!(text, " {word}");
        }
    }
    if !locator.has(LOCATOR_FLAG_USABLE) {
        text.push_str(" unusable");
    }
    text
}

fn locator_json(locator: &Locator) -> Value {
    let mut json = json!({
        "addr": locator.addr.to_string(),
        "verification": name(VERIFICATIONS, locator.verification),
        "priority": locator.priority,
        "weight": locator.weight,
    });
    for (flag, word) in FLAGS {
        json[word] = locator.has(flag).into();
    }
    json
}

/// A context as JSON.
pub fn context_json(context: &Context) -> Value {
    let mut json = brief_json(context);
    let all = |locators: &[Locator]| locators.iter().map(locator_json).collect::<Vec<_>>();
    json["local_locators"] = all(&context.local_locators).into();
    json["peer_locators"] = all(&context.peer_locators).into();
    json["send_timeout_ms"] = context.send_timeout.into();
    json["keepalive_timeout_ms"] = context.keepalive_timeout.into();
    json["last_sent_ms_ago"] = context.last_sent.into();
    json["last_received_ms_ago"] = context.last_received.into();
    json
}

fn brief_json(context: &Context) -> Value {
    json!({
        "ulid_local": context.ulids.local.to_string(),
        "ulid_peer": context.ulids.peer.to_string(),
        "fii": context.fii,
        "local_tag": tag(context.local_tag),
        "peer_tag": context.peer_tag.map(tag),
        "state": name(CONTEXT_STATES, context.state),
        "reap_state": context.reap_state.map(|state| name(REAP_STATES, state)),
        "local": context.pair.local.to_string(),
        "peer": context.pair.peer.to_string(),
        "rehomed": context.pair != context.ulids,
    })
}

/// One line for an event.
pub fn event_line(event: &Event) -> String {
    let mut line = format!("{} {}", name(EVENTS, event.kind), arrow(&event.context.ulids));
    if event.context.fii != 0 {
        let _ = write!(line, " fii {}", event.context.fii);
    }
    let _ = write!(line, " tag {}", tag(event.context.local_tag));
    match &event.old {
        Some(old) => {
            let _ = write!(line, " from {} to {}", arrow(old), arrow(&event.context.pair));
        }
        None if event.context.pair != event.context.ulids => {
            let _ = write!(line, " via {}", arrow(&event.context.pair));
        }
        None => {}
    }
    if let Some(why) = event.failure {
        let _ = write!(line, " {}", name(FAILURES, why));
    }
    line
}

/// An event as JSON; `wall` is the same moment in nanoseconds since 1970.
pub fn event_json(event: &Event, wall: u64) -> Value {
    let mut json = brief_json(&event.context);
    json["event"] = name(EVENTS, event.kind).into();
    json["monotonic_ns"] = event.time.into();
    json["time"] = timestamp(wall).into();
    if let Some(old) = &event.old {
        json["old_local"] = old.local.to_string().into();
        json["old_peer"] = old.peer.to_string().into();
    }
    if let Some(why) = event.failure {
        json["failure"] = name(FAILURES, why).into();
    }
    json
}

/// Counters, one a line.
pub fn counters_text(counters: &[(String, u64)]) -> String {
    let width = counters.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = counters.iter().map(|(name, value)| format!("{name:<width$} {value}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Counters as a JSON object.
pub fn counters_json(counters: &[(String, u64)]) -> Value {
    let pairs = counters.iter().map(|(name, value)| (name.clone(), json!(value)));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// A set of a file.
pub fn hba_text(set: &HbaSet) -> String {
    let mut text = format!("sec {} modifier {:032x}", set.sec(), set.modifier());
    text.push_str(if set.has_public_key() { " public key" } else { "" });
    for addr in &set.addresses {
        let _ = write!(text, "\n{addr}");
    }
    text
}

/// A set of a file as JSON, with what follows from it.
pub fn hba_json(set: &HbaSet) -> Value {
    let mut json = set.to_json();
    json["sec"] = set.sec().into();
    json["modifier"] = format!("{:032x}", set.modifier()).into();
    json["public_key"] = set.has_public_key().into();
    json
}

/// A set of the kernel.
pub fn set_text(set: &Set) -> String {
    let known = HbaSet {
        parameters: set.parameters.clone(),
        addresses: set.locators.iter().map(|l| l.addr).collect(),
    };
    let mut text = format!("set sec {} modifier {:032x}", known.sec(), known.modifier());
    text.push_str(if known.has_public_key() { " public key" } else { "" });
    text.push_str(if set.signs { " signs" } else { "" });
    for locator in &set.locators {
        let _ = write!(text, "\n  {}", locator_text(locator));
    }
    text
}

/// A set of the kernel as JSON.
pub fn set_json(set: &Set) -> Value {
    json!({
        "parameters": hex(&set.parameters),
        "signs": set.signs,
        "locators": set.locators.iter().map(locator_json).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(timestamp(951_827_696_123_456_789), "2000-02-29T12:34:56.123456Z");
        assert_eq!(timestamp(1_798_761_599_999_999_999), "2026-12-31T23:59:59.999999Z");
    }

    fn event() -> Event {
        let pair = |l: &str, p: &str| Pair { local: l.parse().unwrap(), peer: p.parse().unwrap() };
        let context = Context {
            ulids: pair("2001:db8::1", "2001:db8::2"),
            fii: 0,
            local_tag: 0x1234,
            peer_tag: None,
            state: 4,
            reap_state: Some(1),
            pair: pair("2001:db8:1::1", "2001:db8:1::2"),
            local_locators: Vec::new(),
            peer_locators: Vec::new(),
            send_timeout: None,
            keepalive_timeout: None,
            last_sent: None,
            last_received: None,
        };
        let old = Some(context.ulids);
        Event { kind: 3, time: 5, context, old, failure: None }
    }

    #[test]
    fn an_event_is_one_line() {
        assert_eq!(
            event_line(&event()),
            "rehomed 2001:db8::1 -> 2001:db8::2 tag 000000001234 \
             from 2001:db8::1 -> 2001:db8::2 to 2001:db8:1::1 -> 2001:db8:1::2"
        );
        let json = event_json(&event(), 0);
        assert_eq!(json["event"], "rehomed");
        assert_eq!(json["old_local"], "2001:db8::1");
        assert_eq!(json["peer_tag"], Value::Null);
        assert_eq!(json["state"], "established");
    }

    #[test]
    fn unknown_numbers_stay_numbers() {
        assert_eq!(name(EVENTS, 99), "99");
    }
}
