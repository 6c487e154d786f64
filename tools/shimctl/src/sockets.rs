// SPDX-License-Identifier: GPL-2.0

//! Which sockets there are in this network namespace, and which processes have them: what
//! /proc tells without touching a socket.

use crate::failure::{words, Failure, Result};
use shim6_proto::proto::sockapi;
use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// What kind of socket it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A stream.
    Tcp,
    /// Datagrams.
    Udp,
    /// Packets of any protocol.
    Raw,
    /// ICMP's or ICMPv6's echoes.
    Ping,
}

/// A table of /proc/net.
struct Table {
    name: &'static str,
    kind: Kind,
    /// Of all of its sockets; raw sockets tell theirs as a port.
    protocol: u16,
}

const TABLES: [Table; 8] = [
    Table { name: "tcp6", kind: Kind::Tcp, protocol: 6 },
    Table { name: "tcp", kind: Kind::Tcp, protocol: 6 },
    Table { name: "udp6", kind: Kind::Udp, protocol: 17 },
    Table { name: "udp", kind: Kind::Udp, protocol: 17 },
    Table { name: "raw6", kind: Kind::Raw, protocol: 0 },
    Table { name: "raw", kind: Kind::Raw, protocol: 0 },
    Table { name: "icmp6", kind: Kind::Ping, protocol: 58 },
    Table { name: "icmp", kind: Kind::Ping, protocol: 1 },
];

/// A socket that an application has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// What kind it is.
    pub kind: Kind,
    /// Its protocol above IP.
    pub protocol: u16,
    /// Our address and port; the port is 0 for raw sockets.
    pub local: SocketAddr,
    /// The peer's.
    pub peer: SocketAddr,
    /// In the sense of RFC 6316 section 3.
    pub connected: bool,
    /// Whose it is.
    pub uid: u32,
    /// What names it in /proc.
    pub inode: u64,
}

/// A process that has a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub pid: i32,
    /// Its name.
    pub command: String,
    /// The descriptor.
    pub fd: i32,
}

/// All sockets of this network namespace that are of a kind the shim serves.
pub fn sockets() -> Result<Vec<Socket>> {
    let mut all = Vec::new();
    for table in &TABLES {
        let path = format!("/proc/net/{}", table.name);
        match fs::read_to_string(&path) {
            Ok(text) => all.extend(text.lines().filter_map(|line| parse(table, line))),
            // A kernel without IPv6, or without this protocol.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && table.name != "tcp" => {}
            Err(e) => return Err(Failure::new(format!("cannot read {path}: {}", words(&e)))),
        }
    }
    Ok(all)
}

/// A line of a table; `None` for its heading, and for what no application has any more.
fn parse(table: &Table, line: &str) -> Option<Socket> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let field = |n: usize| fields.get(n).copied();
    let (mut local, peer) = (address(field(1)?)?, address(field(2)?)?);
    let state = u8::from_str_radix(field(3)?, 16).ok()?;
    let uid = field(7)?.parse().ok()?;
    let inode = field(9)?.parse().ok().filter(|inode| *inode != 0)?;
    let mut protocol = table.protocol;
    if table.kind == Kind::Raw {
        protocol = local.port();
        local.set_port(0);
    }
    let kind = match table.kind {
        Kind::Tcp => libc::SOCK_STREAM,
        Kind::Udp | Kind::Ping => libc::SOCK_DGRAM,
        Kind::Raw => libc::SOCK_RAW,
    };
    let family = if local.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET };
    let seen = sockapi::Socket { family: family as u16, kind: kind as u16, protocol, state };
    let connected = seen.is_connected();
    Some(Socket { kind: table.kind, protocol, local, peer, connected, uid, inode })
}

/// An address as the tables have it: words of 32 bits as they lie in memory, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (addr, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |n: usize| {
        let digits = addr.get(8 * n..8 * n + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let addr = match addr.len() {
        8 => IpAddr::from(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
            IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(words).ok()?))
        }
        _ => return None,
    };
    Some(SocketAddr::new(addr, port))
}

/// The processes that have sockets, by inode, as far as one may look.
pub fn users() -> Result<HashMap<u64, Vec<User>>> {
    let processes = fs::read_dir("/proc")
        .map_err(|e| Failure::new(format!("cannot read /proc: {}", words(&e))))?;
    let mut users: HashMap<u64, Vec<User>> = HashMap::new();
    let mut pids: Vec<i32> =
        processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    for pid in pids {
        // One that ended meanwhile, or that is another's.
        let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        let mut fds: Vec<(i32, u64)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let fd = entry.file_name().to_str()?.parse().ok()?;
                Some((fd, inode_of(&fs::read_link(entry.path()).ok()?)?))
            })
            .collect();
        fds.sort_unstable();
        let command = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
        let command = String::from_utf8_lossy(command.trim_ascii_end()).into_owned();
        for (fd, inode) in fds {
            let user = User { pid, command: command.clone(), fd };
            users.entry(inode).or_default().push(user);
        }
    }
    Ok(users)
}

/// What "socket:[INODE]" says.
fn inode_of(link: &Path) -> Option<u64> {
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// Which socket a person means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// That with this inode.
    Inode(u64),
    /// That between these; port 0 is any.
    Addresses(SocketAddr, SocketAddr),
}

impl Name {
    /// An inode number, or two addresses with ports or without.
    pub fn parse(words: &[&String]) -> Result<Name> {
        let address = |text: &str| {
            let bare = || text.parse().map(|addr| SocketAddr::new(addr, 0));
            text.parse().or_else(|_| bare()).map_err(|_| {
                Failure::new(format!(
                    "'{text}' is not an address: '[2001:db8::1]:80' or '192.0.2.1:80' is one"
                ))
            })
        };
        match words {
            [inode] => inode.parse().map(Name::Inode).map_err(|_| {
                Failure::new(format!("'{inode}' is not an inode number, nor two addresses"))
            }),
            [local, peer] => Ok(Name::Addresses(address(local)?, address(peer)?)),
            _ => Err(Failure::new("a socket is named by its inode number or its two addresses")),
        }
    }

    /// The one that is meant.
    pub fn find<'a>(&self, sockets: &'a [Socket]) -> Result<&'a Socket> {
        let mut found = sockets.iter().filter(|socket| self.is(socket));
        let first = found.next().ok_or_else(|| {
            Failure::new(match self {
                Name::Inode(inode) => format!("there is no socket with inode {inode} here"),
                Name::Addresses(..) => "there is no socket between these addresses".to_string(),
            })
        })?;
        match found.count() {
            0 => Ok(first),
            more => Err(Failure::new(format!(
                "there are {} sockets between these addresses: give ports, or an inode number",
                more + 1
            ))),
        }
    }

    fn is(&self, socket: &Socket) -> bool {
        let same = |wanted: &SocketAddr, has: &SocketAddr| {
            wanted.ip() == has.ip() && (wanted.port() == 0 || wanted.port() == has.port())
        };
        match self {
            Name::Inode(inode) => *inode == socket.inode,
            Name::Addresses(local, peer) => {
                socket.connected && same(local, &socket.local) && same(peer, &socket.peer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // As a little-endian kernel writes them.
    const TCP6: &str = "   1: B80D01200A000100B50B4F2A1F6C7B5E:9C40 \
        B80D01200B00010000000000010000DE:2328 01 00000000:00000000 02:000AFC8F 00000000  1000  \
        0 4711 2 00000000a1b2c3d4 20 4 0 10 -1";

    fn table(name: &str) -> &'static Table {
        TABLES.iter().find(|table| table.name == name).unwrap()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_line_of_a_table() {
        let socket = parse(table("tcp6"), TCP6).unwrap();
        assert_eq!(socket.local.to_string(), "[2001:db8:1:a:2a4f:bb5:5e7b:6c1f]:40000");
        assert_eq!(socket.peer.to_string(), "[2001:db8:1:b::de00:1]:9000");
        assert_eq!((socket.uid, socket.inode, socket.protocol), (1000, 4711, 6));
        assert!(socket.connected);
        let udp = "  43: 0100007F:0044 0200007F:0035 01 00000000:00000000 00:00000000 00000000 \
            0        0 20 2 00000000a1b2c3d4 0";
        let socket = parse(table("udp"), udp).unwrap();
        assert_eq!(socket.local.to_string(), "127.0.0.1:68");
        assert_eq!(socket.peer.to_string(), "127.0.0.2:53");
        let raw = parse(table("raw"), udp).unwrap();
        assert_eq!((raw.protocol, raw.local.port()), (0x44, 0));
    }

    #[test]
    fn what_is_connected() {
        let of = |name: &str, state: &str| {
            parse(table(name), &TCP6.replacen(" 01 ", &format!(" {state} "), 1)).unwrap().connected
        };
        let states = ["01", "02", "04", "07", "08", "0A"];
        assert_eq!(states.map(|s| of("tcp6", s)), [true, false, true, false, true, false]);
        assert_eq!(states.map(|s| of("udp6", s)), [true, false, false, false, false, false]);
        assert!(!of("raw6", "07"));
    }

    #[test]
    fn headings_and_what_nobody_has_are_left_out() {
        let heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when \
            retrnsmt   uid  timeout inode";
        for line in ["", heading, "1: x:y", &TCP6.replace(" 4711 ", " 0 "), &TCP6[..90]] {
            assert_eq!(parse(table("tcp6"), line), None, "{line}");
        }
    }

    #[test]
    fn links_of_descriptors() {
        assert_eq!(inode_of(Path::new("socket:[123]")), Some(123));
        for other in ["pipe:[123]", "/dev/null", "socket:[x]", "anon_inode:[eventpoll]"] {
            assert_eq!(inode_of(Path::new(other)), None);
        }
    }

    #[test]
    fn names_of_sockets() {
        let name = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            Name::parse(&words.iter().collect::<Vec<_>>())
        };
        assert_eq!(name(&["4711"]), Ok(Name::Inode(4711)));
        assert!(name(&["2001:db8::1"]).is_err());
        assert!(name(&["[2001:db8::1]:x", "::1"]).is_err());
        let one = parse(table("tcp6"), TCP6).unwrap();
        let peer = one.peer.to_string();
        let mut other = one.clone();
        other.local.set_port(40001);
        let both = [one.clone(), other.clone()];
        let (ip, port) = (one.local.ip().to_string(), other.local.to_string());
        let many = name(&[&ip, &peer]).unwrap().find(&both).unwrap_err().to_string();
        assert!(many.starts_with("there are 2 sockets"), "{many}");
        assert_eq!(name(&[&port, &peer]).unwrap().find(&both), Ok(&other));
        assert_eq!(name(&[&ip, &peer]).unwrap().find(&both[..1]), Ok(&one));
        assert!(name(&["1"]).unwrap().find(&both).is_err());
    }
}
