// SPDX-License-Identifier: GPL-2.0

//! Sockets and their options, as a person reads them and as JSON.

use crate::family::Pair;
use crate::peek::{Answer, Brief, Locator, Refusal, Value};
use crate::sockets::{Kind, Socket, User};
use serde_json::{json, Map, Value as Json};
use std::fmt::Write as _;

/// A socket that was looked at.
pub struct Seen<'a> {
    /// What it is.
    pub socket: &'a Socket,
    /// Who has it.
    pub users: &'a [User],
    /// What it says.
    pub brief: Brief,
    /// The current locators of its context.
    pub pair: Option<Pair>,
}

fn protocol(socket: &Socket) -> String {
    match socket.kind {
        Kind::Tcp => "tcp".to_string(),
        Kind::Udp => "udp".to_string(),
        Kind::Ping => "ping".to_string(),
        Kind::Raw => format!("raw/{}", socket.protocol),
    }
}

/// Whether packets go between other addresses than the program thinks.
fn rehomed(seen: &Seen<'_>) -> Option<bool> {
    let pair = seen.pair?;
    Some(pair.local != seen.socket.local.ip() || pair.peer != seen.socket.peer.ip())
}

/// One line for a socket.
pub fn line(seen: &Seen<'_>) -> String {
    let Seen { socket, brief, .. } = seen;
    let mut line = format!("{} {} -> {}", protocol(socket), socket.local, socket.peer);
    line.push_str(if brief.associated { " associated" } else { " unassociated" });
    if let Some(fii) = brief.fii.filter(|fii| *fii != 0) {
        let _ = write!(line, " fii {fii}");
    }
    if let (Some(pair), Some(true)) = (seen.pair, rehomed(seen)) {
        let _ = write!(line, " via {} -> {}", pair.local, pair.peer);
    }
    line.push_str(if brief.dontshim { " dontshim" } else { "" });
    let _ = write!(line, " inode {}", socket.inode);
    // A process chooses its name, which must not reach a terminal as it is.
    let user = |user: &User| format!("({:?},pid={},fd={})", user.command, user.pid, user.fd);
    let users: Vec<String> = seen.users.iter().map(user).collect();
    let _ = write!(line, " users:({})", users.join(","));
    line
}

/// The same with all options.
pub fn text(seen: &Seen<'_>, options: &[Answer]) -> String {
    let mut text = line(seen);
    let width = options.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in options {
        match value {
            None => {}
            Some(Value::Locators(list)) => {
                for locator in list {
                    let _ = write!(text, "\n  {name:<width$} {}", locator_text(locator));
                }
            }
            Some(value) => {
                let _ = write!(text, "\n  {name:<width$} {}", value_text(value));
            }
        }
    }
    text
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Int(number) => number.to_string(),
        Value::Seconds(0) => "0".to_string(),
        Value::Seconds(seconds) => format!("{seconds} s"),
        Value::Locator(None) => "none".to_string(),
        Value::Locator(Some(locator)) => locator_text(locator),
        Value::Locators(list) => list.iter().map(locator_text).collect::<Vec<_>>().join(", "),
        Value::Explore { probes, keepalive_timeout, keepalive_interval, probe_timeout } => {
            format!(
                "initial probes {probes} of {probe_timeout} ms, \
                 keepalive timeout {keepalive_timeout} s interval {keepalive_interval} s"
            )
        }
    }
}

fn locator_text(locator: &Locator) -> String {
    let mut text = locator.addr.to_string();
    text.push_str(if locator.hba { " hba" } else { "" });
    text.push_str(if locator.cga { " cga" } else { "" });
    let _ = write!(text, " priority {} weight {}", locator.priority, locator.weight);
    if locator.interface != 0 {
        let _ = write!(text, " interface {}", locator.interface);
    }
    text
}

/// A socket as JSON.
pub fn json(seen: &Seen<'_>) -> Json {
    let Seen { socket, brief, .. } = seen;
    let kind = match socket.kind {
        Kind::Tcp => "tcp",
        Kind::Udp => "udp",
        Kind::Ping => "ping",
        Kind::Raw => "raw",
    };
    json!({
        "kind": kind,
        "protocol": socket.protocol,
        "ulid_local": socket.local.ip().to_string(),
        "local_port": socket.local.port(),
        "ulid_peer": socket.peer.ip().to_string(),
        "peer_port": socket.peer.port(),
        "connected": socket.connected,
        "associated": brief.associated,
        "dontshim": brief.dontshim,
        "fii": brief.fii,
        "local": seen.pair.map(|pair| pair.local.to_string()),
        "peer": seen.pair.map(|pair| pair.peer.to_string()),
        "rehomed": rehomed(seen),
        "inode": socket.inode,
        "uid": socket.uid,
        "users": seen.users.iter().map(user_json).collect::<Vec<_>>(),
    })
}

fn user_json(user: &User) -> Json {
    json!({ "command": user.command, "pid": user.pid, "fd": user.fd })
}

/// The same with all options, by their names.
pub fn full_json(seen: &Seen<'_>, options: &[Answer]) -> Json {
    let mut json = json(seen);
    let all = options
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_ref().map_or(Json::Null, value_json)));
    json["options"] = Json::Object(all.collect::<Map<_, _>>());
    json
}

fn value_json(value: &Value) -> Json {
    match value {
        Value::Int(number) | Value::Seconds(number) => json!(number),
        Value::Locator(locator) => locator.as_ref().map_or(Json::Null, locator_json),
        Value::Locators(list) => list.iter().map(locator_json).collect(),
        Value::Explore { probes, keepalive_timeout, keepalive_interval, probe_timeout } => json!({
            "initial_probes": probes,
            "keepalive_timeout_s": keepalive_timeout,
            "keepalive_interval_s": keepalive_interval,
            "initial_probe_timeout_ms": probe_timeout,
        }),
    }
}

fn locator_json(locator: &Locator) -> Json {
    json!({
        "addr": locator.addr.to_string(),
        "priority": locator.priority,
        "weight": locator.weight,
        "interface": locator.interface,
        "hba": locator.hba,
        "cga": locator.cga,
    })
}

/// Why a socket was not looked at; fits behind "it is" and "N are".
fn because(why: Refusal) -> &'static str {
    match why {
        Refusal::Hidden => "of a process that this user cannot see, or of the kernel",
        Refusal::Yama => "kept from this user by kernel.yama.ptrace_scope",
        Refusal::Denied => "of a process that this user must not look into",
        Refusal::Class => "of a process in another net_cls or net_prio cgroup than this one",
        Refusal::Gone => "gone meanwhile",
        Refusal::Unserved => "not of a kind that the shim serves",
    }
}

/// Why the one socket that was asked for cannot be shown.
pub fn refusal(inode: u64, why: Refusal) -> String {
    format!("socket {inode} cannot be looked at: it is {}", because(why))
}

/// The sentence about the sockets that are not listed; `None` if there is nothing to say.
pub fn left_out(whys: &[Refusal]) -> Option<String> {
    let told = [Refusal::Hidden, Refusal::Yama, Refusal::Denied, Refusal::Class];
    let parts: Vec<String> = told
        .iter()
        .filter_map(|why| {
            let count = whys.iter().filter(|w| *w == why).count();
            (count != 0).then(|| format!("{count} {}", because(*why)))
        })
        .collect();
    (!parts.is_empty()).then(|| format!("sockets that are not listed: {}", parts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> Socket {
        Socket {
            kind: Kind::Tcp,
            protocol: 6,
            local: "[2001:db8::1]:40000".parse().unwrap(),
            peer: "[2001:db8::2]:22".parse().unwrap(),
            connected: true,
            uid: 1000,
            inode: 4711,
        }
    }

    fn pair(local: &str, peer: &str) -> Option<Pair> {
        Some(Pair { local: local.parse().unwrap(), peer: peer.parse().unwrap() })
    }

    fn users() -> Vec<User> {
        let user = |pid, command: &str| User { pid, command: command.to_string(), fd: 3 };
        vec![user(7, "ssh"), user(9, "a\u{1b}[31m \"b")]
    }

    #[test]
    fn a_socket_is_one_line() {
        let (socket, users) = (socket(), users());
        let brief = Brief { associated: true, dontshim: false, fii: Some(0) };
        let home = pair("2001:db8::1", "2001:db8::2");
        let mut seen = Seen { socket: &socket, users: &users, brief, pair: home };
        let start = "tcp [2001:db8::1]:40000 -> [2001:db8::2]:22";
        let end = r#"inode 4711 users:(("ssh",pid=7,fd=3),("a\u{1b}[31m \"b",pid=9,fd=3))"#;
        assert_eq!(line(&seen), format!("{start} associated {end}"));
        assert_eq!(json(&seen)["rehomed"], false);
        seen.pair = pair("2001:db8:1::1", "2001:db8:1::2");
        seen.brief.fii = Some(12);
        let via = "fii 12 via 2001:db8:1::1 -> 2001:db8:1::2";
        assert_eq!(line(&seen), format!("{start} associated {via} {end}"));
        let value = json(&seen);
        assert_eq!((&value["rehomed"], &value["local"]), (&json!(true), &json!("2001:db8:1::1")));
        assert_eq!(value["users"][1]["pid"], 9);
        seen.brief = Brief { associated: false, dontshim: true, fii: None };
        seen.pair = None;
        assert_eq!(line(&seen), format!("{start} unassociated dontshim {end}"));
        assert_eq!(json(&seen)["local"], Json::Null);
    }

    #[test]
    fn options_have_the_names_of_the_rfc() {
        let (socket, users) = (socket(), users());
        let brief = Brief { associated: true, dontshim: false, fii: Some(0) };
        let seen = Seen { socket: &socket, users: &users, brief, pair: None };
        let addr = "2001:db8::1".parse().unwrap();
        let locator = Locator { addr, priority: 1, weight: 2, interface: 3, hba: true, cga: false };
        let explore = Value::Explore {
            probes: 4,
            keepalive_timeout: 15,
            keepalive_interval: 5,
            probe_timeout: 500,
        };
        let options = [
            ("SHIM_A", Some(Value::Int(1))),
            ("SHIM_LONG", Some(Value::Locators(vec![locator.clone(), locator.clone()]))),
            ("SHIM_B", Some(Value::Locator(None))),
            ("SHIM_C", None),
            ("SHIM_D", Some(Value::Seconds(9))),
            ("SHIM_E", Some(explore)),
        ];
        let text = text(&seen, &options);
        let one = "2001:db8::1 hba priority 1 weight 2 interface 3";
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(lines[0], "  SHIM_A    1");
        assert_eq!(lines[1], format!("  SHIM_LONG {one}"));
        assert_eq!((lines[2], lines[3]), (lines[1], "  SHIM_B    none"));
        assert_eq!(lines[4], "  SHIM_D    9 s");
        assert_eq!(
            lines[5],
            "  SHIM_E    initial probes 4 of 500 ms, keepalive timeout 15 s interval 5 s"
        );
        let json = full_json(&seen, &options);
        assert_eq!(json["options"]["SHIM_LONG"][1]["addr"], "2001:db8::1");
        assert_eq!(json["options"]["SHIM_C"], Json::Null);
        assert_eq!(json["options"]["SHIM_E"]["initial_probe_timeout_ms"], 500);
    }

    #[test]
    fn what_is_left_out_is_one_sentence() {
        assert_eq!(left_out(&[]), None);
        assert_eq!(left_out(&[Refusal::Gone, Refusal::Unserved]), None);
        let said = left_out(&[Refusal::Yama, Refusal::Hidden, Refusal::Yama]).unwrap();
        assert_eq!(
            said,
            "sockets that are not listed: 1 of a process that this user cannot see, or of the \
             kernel; 2 kept from this user by kernel.yama.ptrace_scope"
        );
    }
}
