// SPDX-License-Identifier: GPL-2.0

//! shimctl: shows and changes the multihoming shim of a network namespace.

mod apply;
mod cli;
mod clock;
mod failure;
mod family;
mod key;
mod netlink;
mod peek;
mod policy;
mod report;
mod rtnl;
mod set;
mod socket_report;
mod sockets;
mod spec;

use apply::Outside;
use clap::ArgMatches;
use failure::{words as explain, Failure, Result};
use family::{ContextName, Pair, Shim};
use key::Key;
use peek::Brief;
use policy::Policy;
use serde_json::{json, Value};
use set::{HbaSet, Recipe};
use socket_report::Seen;
use sockets::Socket;
use std::collections::HashMap;
use std::io::{IsTerminal, Read, Write};
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let matches = cli::command().get_matches();
    match run(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "shimctl: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(matches: &ArgMatches) -> Result<()> {
    let json = matches.get_flag("json");
    match matches.subcommand() {
        Some(("hba", m)) => match m.subcommand() {
            Some(("generate", m)) => hba_generate(m, json),
            Some(("show", m)) => {
                let set = HbaSet::read(&path(m, "FILE"))?;
                print(json, || report::hba_text(&set), || report::hba_json(&set))
            }
            Some(("apply", m)) => {
                apply(m, None, &[])?;
                done(json)
            }
            Some(("remove", m)) => {
                remove(word(m, "SET"))?;
                done(json)
            }
            _ => list_sets(json),
        },
        Some(("cga", m)) => cga(m, json),
        Some(("context", m)) => match m.subcommand() {
            Some(("show", m)) => show_context(m, json),
            _ => list_contexts(json),
        },
        Some(("socket", m)) => match m.subcommand() {
            Some(("show", m)) => show_socket(m, json),
            _ => list_sockets(json),
        },
        Some(("policy", m)) => policy(m, json),
        Some(("stats", m)) => stats(m.get_flag("nonzero"), json),
        Some(("monitor", m)) => monitor(m.get_flag("timestamps"), json),
        _ => Err(Failure::new("no command given")),
    }
}

fn words<'a>(matches: &'a ArgMatches, name: &str) -> impl Iterator<Item = &'a String> {
    matches.get_many::<String>(name).unwrap_or_default()
}

fn word<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

fn path(matches: &ArgMatches, name: &str) -> std::path::PathBuf {
    Path::new(word(matches, name)).to_path_buf()
}

/// Writes a line. Nobody there to read it any more is not an error: we are done.
fn line(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => other.map_err(|e| Failure::new(format!("cannot write: {}", explain(&e)))),
    }
}

fn print(json: bool, text: impl FnOnce() -> String, value: impl FnOnce() -> Value) -> Result<()> {
    if json {
        return line(&format!("{:#}", value()));
    }
    match text() {
        text if text.is_empty() => Ok(()),
        text => line(&text),
    }
}

/// What a command that only does something prints as JSON.
fn done(json: bool) -> Result<()> {
    print(json, String::new, || json!({}))
}

fn cga(matches: &ArgMatches, json: bool) -> Result<()> {
    match matches.subcommand() {
        Some(("key", m)) => {
            let bits = *m.get_one::<u16>("bits").unwrap_or(&2048);
            Key::make(usize::from(bits))?.write(word(m, "output"))?;
            done(json)
        }
        Some(("generate", m)) => {
            let key = Key::read(word(m, "key"))?.public()?;
            generate(m, Some(key), true, json)
        }
        Some(("show", m)) => {
            let set = HbaSet::read(&path(m, "FILE"))?;
            print(json, || report::hba_text(&set), || report::hba_json(&set))
        }
        Some(("apply", m)) => {
            let key = m.get_one::<String>("key").map(|file| Key::read(file)).transpose()?;
            let key = key.map(|key| key.private()).transpose()?;
            let outside = words(m, "locator").map(|word| Outside::parse(word));
            let outside = outside.collect::<Result<Vec<_>>>()?;
            apply(m, key.as_ref().map(|key| key.as_bytes()), &outside)?;
            done(json)
        }
        Some(("remove", m)) => {
            remove(word(m, "SET"))?;
            done(json)
        }
        _ => Err(Failure::new("no command given")),
    }
}

fn policy(matches: &ArgMatches, json: bool) -> Result<()> {
    let show = |policy: Policy| print(json, || policy.to_string(), || policy.to_json());
    match matches.subcommand() {
        Some(("check", m)) => show(Policy::read(word(m, "FILE"))?),
        Some(("load", m)) => {
            let file = word(m, "FILE");
            let policy = Policy::read(file)?;
            let refused = |e| Failure::from(e).while_trying(file);
            Shim::open()?.set_policy(&policy).map_err(refused)?;
            done(json)
        }
        Some(("reset", _)) => {
            let mut shim = Shim::open()?;
            let undone = shim.policy()?.undone();
            shim.set_policy(&undone)?;
            done(json)
        }
        _ => show(Shim::open()?.policy()?),
    }
}

fn apply(matches: &ArgMatches, key: Option<&[u8]>, outside: &[Outside]) -> Result<()> {
    let devices: Vec<String> = words(matches, "DEVICE").cloned().collect();
    let set = HbaSet::read(&path(matches, "FILE"))?;
    let nodad = matches.get_flag("nodad");
    apply::apply(&apply::Job { set: &set, devices: &devices, nodad, key, outside })
}

fn hba_generate(matches: &ArgMatches, json: bool) -> Result<()> {
    let key = matches.get_one::<String>("pubkey").map(|file| read_key(file)).transpose()?;
    generate(matches, key, false, json)
}

fn generate(matches: &ArgMatches, key: Option<Vec<u8>>, cga: bool, json: bool) -> Result<()> {
    let modifier = match matches.get_one::<String>("modifier") {
        Some(text) => parse_modifier(text)?,
        None => random()?,
    };
    let sec = *matches.get_one::<u8>("sec").unwrap_or(&0);
    let prefixes = set::parse_prefixes(words(matches, "PREFIX"))?;
    let recipe = Recipe { prefixes, sec, modifier, key, cga };
    let show = std::io::stderr().is_terminal();
    let set = recipe.make(&mut |tried, expected| {
        if show {
            let percent = u128::from(tried) * 100 / expected;
            let _ =
                write!(std::io::stderr(), "\r{tried} modifiers tried, {percent} % of the average ");
        }
    })?;
    if show && sec > 0 {
        let _ = writeln!(std::io::stderr());
    }
    let file = format!("{:#}\n", set.to_json());
    match matches.get_one::<String>("output") {
        Some(name) if name != "-" => {
            key::write(Path::new(name), file.as_bytes(), 0o666)?;
            print(json, || report::hba_text(&set), || report::hba_json(&set))
        }
        _ => line(file.trim_end()),
    }
}

fn parse_modifier(text: &str) -> Result<u128> {
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    match u128::from_str_radix(text, 16) {
        Ok(modifier) if digits == text.len() => Ok(modifier),
        _ => Err(Failure::new(format!("'{text}' is not a modifier: 1 to 32 hexadecimal digits"))),
    }
}

fn random() -> Result<u128> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|e| Failure::new(format!("no random numbers: {}", explain(&e))))?;
    Ok(u128::from_be_bytes(bytes))
}

fn read_key(file: &str) -> Result<Vec<u8>> {
    let bytes = std::fs::read(file)
        .map_err(|e| Failure::new(format!("cannot read {file}: {}", explain(&e))))?;
    set::parse_key(&bytes).map_err(|e| e.while_trying(format_args!("cannot use {file}")))
}

/// A set is named by its file, or by one of its addresses. Of its addresses outside the
/// parameters only the kernel knows.
fn remove(name: &str) -> Result<()> {
    let named = match name.parse::<Ipv6Addr>() {
        Ok(addr) => vec![addr],
        Err(_) => HbaSet::read(Path::new(name))?.addresses,
    };
    let sets = Shim::open()?.sets()?;
    let set = sets.iter().find(|set| set.locators.iter().any(|l| named.contains(&l.addr)));
    let mut addresses = named;
    for locator in set.iter().flat_map(|set| &set.locators) {
        if !addresses.contains(&locator.addr) {
            addresses.push(locator.addr);
        }
    }
    apply::remove(&addresses)
}

fn list_sets(json: bool) -> Result<()> {
    let sets = Shim::open()?.sets()?;
    let text = || sets.iter().map(report::set_text).collect::<Vec<_>>().join("\n");
    print(json, text, || sets.iter().map(report::set_json).collect())
}

fn list_contexts(json: bool) -> Result<()> {
    let contexts = Shim::open()?.contexts()?;
    let text = || contexts.iter().map(report::context_line).collect::<Vec<_>>().join("\n");
    print(json, text, || contexts.iter().map(report::context_json).collect())
}

fn show_context(matches: &ArgMatches, json: bool) -> Result<()> {
    let names: Vec<&String> = words(matches, "NAME").collect();
    let fii = *matches.get_one::<u32>("fii").unwrap_or(&0);
    let name = context_name(&names, fii)?;
    let context = Shim::open()?.context(name)?;
    print(json, || report::context_text(&context), || report::context_json(&context))
}

fn context_name(words: &[&String], fii: u32) -> Result<ContextName> {
    let addr = |text: &str| {
        text.parse::<Ipv6Addr>()
            .map_err(|_| Failure::new(format!("'{text}' is not an IPv6 address")))
    };
    match words {
        [local, peer] => {
            Ok(ContextName::Ulids(Pair { local: addr(local)?, peer: addr(peer)? }, fii))
        }
        [tag] => match u64::from_str_radix(tag, 16) {
            Ok(tag) if tag >> 47 == 0 => Ok(ContextName::Tag(tag)),
            _ => Err(Failure::new(format!("'{tag}' is not a tag of 47 bits in hexadecimal"))),
        },
        _ => Err(Failure::new("a context is named by its tag or by its two identifiers")),
    }
}

/// The current pairs of all contexts, by identifiers and FII.
fn pairs(shim: &mut Shim) -> Result<HashMap<(Ipv6Addr, Ipv6Addr, u32), Pair>> {
    let contexts = shim.contexts()?;
    Ok(contexts.iter().map(|c| ((c.ulids.local, c.ulids.peer, c.fii), c.pair)).collect())
}

fn pair_of(
    pairs: &HashMap<(Ipv6Addr, Ipv6Addr, u32), Pair>,
    socket: &Socket,
    brief: &Brief,
) -> Option<Pair> {
    match (socket.local.ip(), socket.peer.ip()) {
        (IpAddr::V6(local), IpAddr::V6(peer)) => pairs.get(&(local, peer, brief.fii?)).copied(),
        _ => None,
    }
}

fn list_sockets(json: bool) -> Result<()> {
    let mut shim = Shim::open()?;
    let mut sockets = sockets::sockets()?;
    sockets.retain(|socket| socket.connected);
    let users = sockets::users()?;
    let users_of = |socket: &Socket| users.get(&socket.inode).map_or(&[][..], Vec::as_slice);
    let (mut looked, mut left_out) = (Vec::new(), Vec::new());
    for socket in &sockets {
        match peek::peek(socket, users_of(socket)).and_then(|peeked| peeked.brief()) {
            Ok(brief) => looked.push((socket, brief)),
            Err(why) => left_out.push(why),
        }
    }
    // After the sockets: what they say they have is there, unless it went away.
    let pairs = pairs(&mut shim)?;
    let all: Vec<Seen<'_>> = looked
        .into_iter()
        .map(|(socket, brief)| {
            let pair = pair_of(&pairs, socket, &brief);
            Seen { socket, users: users_of(socket), brief, pair }
        })
        .collect();
    if let Some(sentence) = socket_report::left_out(&left_out) {
        let _ = writeln!(std::io::stderr(), "shimctl: {sentence}");
    }
    let text = || all.iter().map(socket_report::line).collect::<Vec<_>>().join("\n");
    print(json, text, || all.iter().map(socket_report::json).collect())
}

fn show_socket(matches: &ArgMatches, json: bool) -> Result<()> {
    let name = sockets::Name::parse(&words(matches, "SOCKET").collect::<Vec<_>>())?;
    let mut shim = Shim::open()?;
    let sockets = sockets::sockets()?;
    let socket = name.find(&sockets)?;
    let mut users = sockets::users()?;
    let users = users.remove(&socket.inode).unwrap_or_default();
    let refused = |why| Failure::new(socket_report::refusal(socket.inode, why));
    let peeked = peek::peek(socket, &users).map_err(refused)?;
    let brief = peeked.brief().map_err(refused)?;
    let options = peeked.options();
    let pair = pair_of(&pairs(&mut shim)?, socket, &brief);
    let seen = Seen { socket, users: &users, brief, pair };
    let text = || socket_report::text(&seen, &options);
    print(json, text, || socket_report::full_json(&seen, &options))
}

fn stats(nonzero: bool, json: bool) -> Result<()> {
    let mut counters = Shim::open()?.counters()?;
    counters.retain(|(_, value)| !nonzero || *value != 0);
    print(json, || report::counters_text(&counters), || report::counters_json(&counters))
}

fn monitor(timestamps: bool, json: bool) -> Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])
        .map_err(|e| Failure::new(format!("cannot wait for signals: {}", explain(&e))))?;
    let mut shim = Shim::open()?;
    shim.join_events()?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            // With the lock held, no line is cut in its middle.
            let _out = std::io::stdout().lock();
            std::process::exit(0);
        }
    });
    // Whoever waits for events of something it is about to start has to know this.
    let _ = writeln!(std::io::stderr(), "shimctl: listening");
    loop {
        let Some(events) = shim.listen()? else {
            line(if json {
                r#"{"event":"lost"}"#
            } else {
                "lost: events came faster than they were read"
            })?;
            continue;
        };
        for event in events {
            let wall = clock::wall_of(event.time);
            let text = match (json, timestamps) {
                (true, _) => report::event_json(&event, wall).to_string(),
                (false, true) => {
                    format!("[{}] {}", report::timestamp(wall), report::event_line(&event))
                }
                (false, false) => report::event_line(&event),
            };
            line(&text)?;
        }
    }
}
