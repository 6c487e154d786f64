// SPDX-License-Identifier: GPL-2.0

//! Looks at a socket of a process: at its options of level SOL_SHIM, and without a trace.
//!
//! The process's descriptor is duplicated (pidfd_getfd(2)), asked with SHIM_PEEK, and closed.

use crate::sockets::{Socket, User};
use std::fs::{self, File};
use std::io;
use std::net::Ipv6Addr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

const SOL_SHIM: libc::c_int = 140;
const PEEK: i32 = 0x100;
const LOCATOR_LEN: usize = 32;
const MAX_LOCATORS: usize = 32;
const FLAG_HBA: u16 = 1;
const FLAG_CGA: u16 = 2;

/// What an option's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Int,
    Seconds,
    Locator,
    Locators,
    Explore,
}

/// The options that can be got: names, numbers, types.
const OPTIONS: [(&str, i32, Type); 17] = [
    ("SHIM_ASSOCIATED", 128, Type::Int),
    ("SHIM_DONTSHIM", 129, Type::Int),
    ("SHIM_HOT_STANDBY", 130, Type::Int),
    ("SHIM_LOC_LOCAL_PREF", 131, Type::Locator),
    ("SHIM_LOC_PEER_PREF", 132, Type::Locator),
    ("SHIM_LOC_LOCAL_RECV", 133, Type::Int),
    ("SHIM_LOC_PEER_RECV", 134, Type::Int),
    ("SHIM_LOC_LOCAL_SEND", 135, Type::Locator),
    ("SHIM_LOC_PEER_SEND", 136, Type::Locator),
    ("SHIM_LOCLIST_LOCAL", 137, Type::Locators),
    ("SHIM_LOCLIST_PEER", 138, Type::Locators),
    ("SHIM_APP_TIMEOUT", 139, Type::Seconds),
    ("SHIM_PATHEXPLORE", 140, Type::Explore),
    ("SHIM_CONTEXT_DEFERRED_SETUP", 141, Type::Int),
    ("SHIM_IF_RECV", 143, Type::Int),
    ("SHIM_IF_SEND", 144, Type::Int),
    ("SHIM_FII", 147, Type::Int),
];

const ASSOCIATED: i32 = 128;
const DONTSHIM: i32 = 129;
const FII: i32 = 147;

/// An option's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Int(u32),
    /// A time in seconds.
    Seconds(u32),
    /// A locator, or none.
    Locator(Option<Locator>),
    /// A list of locators.
    Locators(Vec<Locator>),
    /// Parameters of exploration.
    Explore {
        /// Number of Initial Probes.
        probes: u16,
        /// Keepalive Timeout, seconds.
        keepalive_timeout: u16,
        /// Keepalive Interval, seconds.
        keepalive_interval: u16,
        /// Initial Probe Timeout, milliseconds.
        probe_timeout: u16,
    },
}

/// A `struct shim_locator`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locator {
    /// Its address.
    pub addr: Ipv6Addr,
    /// The lowest is preferred.
    pub priority: u16,
    /// Among those of one priority.
    pub weight: u16,
    /// Of the interface that has it; 0: none.
    pub interface: u32,
    /// How it is verified.
    pub hba: bool,
    /// How it is verified.
    pub cga: bool,
}

/// An option and its value, unless it needs a context or a connection that is not there.
pub type Answer = (&'static str, Option<Value>);

/// What every socket says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brief {
    /// Whether there is a context.
    pub associated: bool,
    /// Whether the application wants none.
    pub dontshim: bool,
    /// Which one it is, if there is one.
    pub fii: Option<u32>,
}

/// Why a socket is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No process that has it can be seen.
    Hidden,
    /// Its process must not be looked into, by `kernel.yama.ptrace_scope`.
    Yama,
    /// Its process must not be looked into.
    Denied,
    /// To look would give it this program's network class or priority (cgroup v1).
    Class,
    /// The socket, or its process, went away.
    Gone,
    /// The shim does not serve such sockets.
    Unserved,
}

/// A duplicate of a process's descriptor of a socket.
pub struct Peeked(OwnedFd);

fn owned(ret: libc::c_long) -> io::Result<OwnedFd> {
    match i32::try_from(ret) {
        // SAFETY: `ret` is what a system call returned that makes a descriptor; nobody else has
        // it.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

fn duplicate(user: &User) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers only.
    let process = owned(unsafe { libc::syscall(libc::SYS_pidfd_open, user.pid, 0) })?;
    let process = process.as_raw_fd();
    // SAFETY: takes numbers only.
    owned(unsafe { libc::syscall(libc::SYS_pidfd_getfd, process, user.fd, 0) })
}

/// Which network class and priority a process gives to sockets that it gets: its cgroups of
/// version 1. Whoever takes a descriptor, by pidfd_getfd() too, gives its own to the socket.
fn classes(cgroups: &str) -> Vec<&str> {
    let of = |line: &&str| {
        let controllers = line.split(':').nth(1).unwrap_or_default();
        controllers.split(',').any(|c| c == "net_cls" || c == "net_prio")
    };
    cgroups.lines().filter(of).collect()
}

fn same_class(users: &[User]) -> bool {
    let Ok(own) = fs::read_to_string("/proc/self/cgroup") else { return true };
    let own = classes(&own);
    own.is_empty()
        || users.iter().all(|user| {
            let its = fs::read_to_string(format!("/proc/{}/cgroup", user.pid));
            its.is_ok_and(|its| classes(&its) == own)
        })
}

fn yama() -> bool {
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope");
    scope.is_ok_and(|scope| scope.trim() != "0")
}

/// The socket, by the first of its processes that lets itself be looked into.
pub fn peek(socket: &Socket, users: &[User]) -> Result<Peeked, Refusal> {
    if users.is_empty() {
        return Err(Refusal::Hidden);
    }
    if !same_class(users) {
        return Err(Refusal::Class);
    }
    let mut why = Refusal::Gone;
    for user in users {
        match duplicate(user).map(File::from) {
            // The process may have closed it meanwhile and opened something else.
            Ok(file) if file.metadata().is_ok_and(|m| m.ino() == socket.inode) => {
                return Ok(Peeked(file.into()));
            }
            Err(e) if e.raw_os_error() == Some(libc::EPERM) => {
                why = if yama() { Refusal::Yama } else { Refusal::Denied };
            }
            _ => {}
        }
    }
    Err(why)
}

impl Peeked {
    /// Asks for an option; gives the number of octets.
    fn get(&self, option: i32, value: &mut [u8]) -> io::Result<usize> {
        let mut len = libc::socklen_t::try_from(value.len()).unwrap_or(0);
        // SAFETY: the descriptor is open as long as `self` lives, `value` has `len` octets, and
        // the kernel writes no more than that.
        let ret = unsafe {
            let fd = self.0.as_raw_fd();
            libc::getsockopt(fd, SOL_SHIM, option | PEEK, value.as_mut_ptr().cast(), &mut len)
        };
        match ret {
            0 => Ok(len as usize),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn int(&self, option: i32) -> io::Result<u32> {
        let mut value = [0; 4];
        self.get(option, &mut value).map(|_| u32::from_ne_bytes(value))
    }

    /// What every socket says.
    pub fn brief(&self) -> Result<Brief, Refusal> {
        let dontshim = self.int(DONTSHIM).map_err(|_| Refusal::Unserved)? != 0;
        // An unconnected socket has none.
        let associated = self.int(ASSOCIATED).unwrap_or(0) != 0;
        let fii = associated.then(|| self.int(FII).ok()).flatten();
        Ok(Brief { associated, dontshim, fii })
    }

    /// All options.
    pub fn options(&self) -> Vec<Answer> {
        let ask = |(name, number, kind): &(&'static str, i32, Type)| {
            let mut octets = [0; MAX_LOCATORS * LOCATOR_LEN];
            let room = match kind {
                Type::Int | Type::Seconds => 4,
                Type::Explore => 12,
                Type::Locator => LOCATOR_LEN,
                Type::Locators => octets.len(),
            };
            let len = self.get(*number, &mut octets[..room]).ok();
            (*name, len.and_then(|len| decode(*kind, octets.get(..len)?)))
        };
        OPTIONS.iter().map(ask).collect()
    }
}

fn decode(kind: Type, octets: &[u8]) -> Option<Value> {
    let int = || octets.first_chunk().map(|b| u32::from_ne_bytes(*b));
    let u16_at = |n: usize| Some(u16::from_ne_bytes(*octets.get(n..)?.first_chunk()?));
    Some(match kind {
        Type::Int => Value::Int(int()?),
        Type::Seconds => Value::Seconds(int()?),
        Type::Locator if octets.iter().all(|octet| *octet == 0) => Value::Locator(None),
        Type::Locator => Value::Locator(Some(locator(octets)?)),
        Type::Locators => {
            Value::Locators(octets.chunks(LOCATOR_LEN).map(locator).collect::<Option<_>>()?)
        }
        Type::Explore => Value::Explore {
            probes: u16_at(0)?,
            keepalive_timeout: u16_at(2)?,
            keepalive_interval: u16_at(4)?,
            probe_timeout: u16_at(6)?,
        },
    })
}

fn locator(octets: &[u8]) -> Option<Locator> {
    let u16_at = |n: usize| Some(u16::from_ne_bytes(*octets.get(n..)?.first_chunk()?));
    let flags = u16_at(28)?;
    Some(Locator {
        addr: Ipv6Addr::from(*octets.get(12..)?.first_chunk::<16>()?),
        priority: u16_at(4)?,
        weight: u16_at(6)?,
        interface: u32::from_ne_bytes(*octets.get(8..)?.first_chunk()?),
        hba: flags & FLAG_HBA != 0,
        cga: flags & FLAG_CGA != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const HEADER: &str = include_str!("../../../include/uapi/linux/shim.h");

    #[test]
    fn numbers_are_the_header_s() {
        let defines = HEADER.lines().filter_map(|line| {
            let (name, value) = line.strip_prefix("#define ")?.split_once(char::is_whitespace)?;
            let value = value.trim();
            let number = match value.strip_prefix("0x") {
                Some(digits) => i32::from_str_radix(digits, 16),
                None => value.parse(),
            };
            Some((name, number.ok()?))
        });
        let header: HashMap<&str, i32> = defines.collect();
        let mut known = vec![
            ("SHIM_PEEK", PEEK),
            ("SOL_SHIM", SOL_SHIM),
            ("SHIM_MAX_LOCATORS", MAX_LOCATORS as i32),
            ("SHIM_LOCATOR_HBA", FLAG_HBA.into()),
            ("SHIM_LOCATOR_CGA", FLAG_CGA.into()),
        ];
        known.extend(OPTIONS.map(|(name, number, _)| (name, number)));
        for (name, number) in &known {
            assert_eq!(header.get(name), Some(number), "{name}");
        }
        // What cannot be got.
        let unknown: Vec<_> = (128..PEEK)
            .filter(|n| header.values().any(|h| h == n) && known.iter().all(|(_, k)| k != n))
            .collect();
        assert_eq!(unknown, [142, 145, 146]);
    }

    fn octets(addr: &str, priority: u16, flags: u16) -> Vec<u8> {
        let addr: Ipv6Addr = addr.parse().unwrap();
        let mut out = vec![10, 0, 0, 0];
        out.extend(priority.to_ne_bytes());
        out.extend(7u16.to_ne_bytes());
        out.extend(3u32.to_ne_bytes());
        out.extend(addr.octets());
        out.extend(flags.to_ne_bytes());
        out.extend([0; 2]);
        out
    }

    #[test]
    fn values_are_read() {
        let one = octets("2001:db8::1", 5, 1);
        let addr = "2001:db8::1".parse().unwrap();
        let first = Locator { addr, priority: 5, weight: 7, interface: 3, hba: true, cga: false };
        assert_eq!(decode(Type::Locator, &one), Some(Value::Locator(Some(first.clone()))));
        assert_eq!(decode(Type::Locator, &[0; 32]), Some(Value::Locator(None)));
        let both = [one.clone(), octets("2001:db8::2", 6, 2)].concat();
        match decode(Type::Locators, &both) {
            Some(Value::Locators(list)) => {
                assert_eq!((list.len(), &list[0]), (2, &first));
                assert_eq!((list[1].priority, list[1].cga), (6, true));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(decode(Type::Locators, &both[..40]), None);
        assert_eq!(decode(Type::Seconds, &9u32.to_ne_bytes()), Some(Value::Seconds(9)));
        let fields = [4u16, 15, 5, 500, 0, 0].map(u16::to_ne_bytes).concat();
        let explore = Value::Explore {
            probes: 4,
            keepalive_timeout: 15,
            keepalive_interval: 5,
            probe_timeout: 500,
        };
        assert_eq!(decode(Type::Explore, &fields), Some(explore));
    }

    #[test]
    fn only_old_cgroups_give_classes() {
        assert!(classes("0::/user.slice/x\n").is_empty());
        let mixed = "5:net_cls,net_prio:/vpn\n4:cpu,cpuacct:/\n0::/user.slice\n";
        assert_eq!(classes(mixed), ["5:net_cls,net_prio:/vpn"]);
    }

    #[test]
    fn a_socket_of_ours_is_duplicated() {
        let ours = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let link = fs::read_link(format!("/proc/self/fd/{}", ours.as_raw_fd())).unwrap();
        let inode = link.to_str().unwrap().trim_start_matches("socket:[").trim_end_matches(']');
        let socket = |inode| Socket {
            kind: crate::sockets::Kind::Udp,
            protocol: 17,
            local: ours.local_addr().unwrap(),
            peer: ours.local_addr().unwrap(),
            connected: false,
            uid: 0,
            inode,
        };
        let pid = std::process::id() as i32;
        let user = User { pid, command: String::new(), fd: ours.as_raw_fd() };
        let inode: u64 = inode.parse().unwrap();
        assert_eq!(peek(&socket(inode), &[]).err(), Some(Refusal::Hidden));
        assert!(peek(&socket(inode), &[user.clone()]).is_ok());
        // Something else has that descriptor now.
        assert_eq!(peek(&socket(inode + 1), &[user]).err(), Some(Refusal::Gone));
    }
}
