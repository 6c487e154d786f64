// SPDX-License-Identifier: GPL-2.0

//! Interfaces, addresses, routes and rules of this network namespace (rtnetlink).

use crate::failure::{Failure, Result};
use crate::netlink::{attributes, text_of, u32_at, Channel, Message, Refused};
use libc::{c_int, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL};
use std::net::Ipv6Addr;

const AF_INET6: u8 = libc::AF_INET6 as u8;
const IFF_UP: u32 = libc::IFF_UP as u32;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
const IN6_ADDR_GEN_MODE_NONE: u8 = 1;
const IFA_F_NODAD: u32 = 0x02;
const FRA_SRC: u16 = 2;
const FRA_PRIORITY: u16 = 6;
const FRA_TABLE: u16 = 15;
const FR_ACT_TO_TBL: u8 = 1;
const INFINITY: u32 = u32::MAX;

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Whether an administrator set it up.
    pub up: bool,
    /// The VRF it belongs to; 0 if it is in none.
    pub vrf: u32,
    /// What kind of virtual device it is; empty for others.
    pub kind: String,
}

/// An IPv6 address on an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned {
    /// The interface.
    pub index: u32,
    /// The address.
    pub addr: Ipv6Addr,
    /// The length of its prefix.
    pub prefix_len: u8,
}

/// How an address is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressOptions {
    /// Without duplicate address detection.
    pub nodad: bool,
    /// Never chosen as a source by itself.
    pub deprecated: bool,
}

/// A conversation with rtnetlink.
pub struct Rtnl(Channel);

type Done = std::result::Result<(), Refused>;

impl Rtnl {
    /// Opens it.
    pub fn open() -> Result<Rtnl> {
        Ok(Rtnl(Channel::open(libc::NETLINK_ROUTE)?))
    }

    fn tell(&mut self, message: Message) -> Done {
        self.0.request(&message).map(drop)
    }

    /// The interface of a name, if there is one.
    pub fn link(&mut self, name: &str) -> Result<Option<Link>> {
        if name.is_empty() || name.len() >= libc::IFNAMSIZ {
            return Ok(None);
        }
        let message =
            Message::new(libc::RTM_GETLINK, 0, &ifinfomsg(0, 0, 0)).text(libc::IFLA_IFNAME, name);
        match self.0.request(&message) {
            Ok(answers) => Ok(answers.first().and_then(|a| parse_link(&a.body))),
            Err(Refused { errno: libc::ENODEV, .. }) => Ok(None),
            Err(e) => Err(Failure::from(e)),
        }
    }

    /// Creates a dummy interface in a VRF; 0 for none.
    pub fn create_dummy(&mut self, name: &str, vrf: u32) -> Done {
        self.tell(
            Message::new(libc::RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifinfomsg(0, 0, 0))
                .text(libc::IFLA_IFNAME, name)
                .u32(libc::IFLA_MASTER, vrf)
                .nest(libc::IFLA_LINKINFO, |m| m.text(libc::IFLA_INFO_KIND, "dummy")),
        )
    }

    /// Gives an interface no link-local address of its own.
    pub fn set_no_link_local(&mut self, index: u32) -> Done {
        self.tell(Message::new(libc::RTM_NEWLINK, 0, &ifinfomsg(index, 0, 0)).nest(
            IFLA_AF_SPEC,
            |m| {
                m.nest(AF_INET6.into(), |m| {
                    m.bytes(IFLA_INET6_ADDR_GEN_MODE, &[IN6_ADDR_GEN_MODE_NONE])
                })
            },
        ))
    }

    /// Sets an interface up.
    pub fn set_up(&mut self, index: u32) -> Done {
        self.tell(Message::new(libc::RTM_NEWLINK, 0, &ifinfomsg(index, IFF_UP, IFF_UP)))
    }

    /// Deletes an interface.
    pub fn delete_link(&mut self, index: u32) -> Done {
        self.tell(Message::new(libc::RTM_DELLINK, 0, &ifinfomsg(index, 0, 0)))
    }

    /// All IPv6 addresses.
    pub fn addresses(&mut self) -> Result<Vec<Assigned>> {
        let message = Message::new(libc::RTM_GETADDR, NLM_F_DUMP, &ifaddrmsg(0, 0, 0));
        let answers = self.0.request(&message)?;
        Ok(answers.iter().filter_map(|a| parse_address(&a.body)).collect())
    }

    /// Adds an address.
    pub fn add_address(&mut self, to: Assigned, options: AddressOptions) -> Done {
        let flags = if options.nodad { IFA_F_NODAD } else { 0 };
        let preferred = if options.deprecated { 0 } else { INFINITY };
        let cache = [preferred, INFINITY, 0, 0].map(u32::to_ne_bytes).concat();
        self.tell(
            address_message(libc::RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, to)
                .u32(libc::IFA_FLAGS, flags)
                .bytes(libc::IFA_CACHEINFO, &cache),
        )
    }

    /// Removes an address.
    pub fn delete_address(&mut self, from: Assigned) -> Done {
        self.tell(address_message(libc::RTM_DELADDR, 0, from))
    }

    /// Adds `default dev INDEX` to a table.
    pub fn add_default(&mut self, index: u32, table: u32) -> Done {
        // rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags
        let table8 = u8::try_from(table).unwrap_or(libc::RT_TABLE_UNSPEC);
        let fixed =
            [AF_INET6, 0, 0, 0, table8, libc::RTPROT_STATIC, 0, libc::RTN_UNICAST, 0, 0, 0, 0];
        self.tell(
            Message::new(libc::RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &fixed)
                .u32(libc::RTA_TABLE, table)
                .u32(libc::RTA_OIF, index),
        )
    }

    /// Adds the rule `priority: from ADDR lookup TABLE`.
    pub fn add_rule(&mut self, priority: u32, from: Ipv6Addr, table: u32) -> Done {
        self.tell(rule_message(libc::RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, priority, from, table))
    }

    /// Deletes the rule that [`Self::add_rule`] adds.
    pub fn delete_rule(&mut self, priority: u32, from: Ipv6Addr, table: u32) -> Done {
        self.tell(rule_message(libc::RTM_DELRULE, 0, priority, from, table))
    }
}

fn ifinfomsg(index: u32, flags: u32, change: u32) -> [u8; 16] {
    let mut fixed = [0; 16];
    fixed[4..8].copy_from_slice(&index.to_ne_bytes());
    fixed[8..12].copy_from_slice(&flags.to_ne_bytes());
    fixed[12..].copy_from_slice(&change.to_ne_bytes());
    fixed
}

fn ifaddrmsg(prefix_len: u8, flags: u8, index: u32) -> [u8; 8] {
    let mut fixed = [AF_INET6, prefix_len, flags, 0, 0, 0, 0, 0];
    fixed[4..].copy_from_slice(&index.to_ne_bytes());
    fixed
}

fn address_message(kind: u16, flags: c_int, which: Assigned) -> Message {
    Message::new(kind, flags, &ifaddrmsg(which.prefix_len, 0, which.index))
        .bytes(libc::IFA_LOCAL, &which.addr.octets())
        .bytes(libc::IFA_ADDRESS, &which.addr.octets())
}

fn rule_message(kind: u16, flags: c_int, priority: u32, from: Ipv6Addr, table: u32) -> Message {
    // fib_rule_hdr: family, dst_len, src_len, tos, table, res1, res2, action, flags
    let fixed = [AF_INET6, 0, 128, 0, 0, 0, 0, FR_ACT_TO_TBL, 0, 0, 0, 0];
    Message::new(kind, flags, &fixed)
        .bytes(FRA_SRC, &from.octets())
        .u32(FRA_PRIORITY, priority)
        .u32(FRA_TABLE, table)
}

fn parse_link(body: &[u8]) -> Option<Link> {
    let index = u32_at(body, 4)?;
    let up = u32_at(body, 8)? & IFF_UP != 0;
    let mut link = Link { index, up, vrf: 0, name: String::new(), kind: String::new() };
    let (mut master, mut master_kind) = (0, String::new());
    for (kind, value) in attributes(body.get(16..)?) {
        match kind {
            libc::IFLA_IFNAME => link.name = text_of(value),
            libc::IFLA_MASTER => master = u32_at(value, 0)?,
            libc::IFLA_LINKINFO => {
                for (kind, value) in attributes(value) {
                    match kind {
                        libc::IFLA_INFO_KIND => link.kind = text_of(value),
                        libc::IFLA_INFO_SLAVE_KIND => master_kind = text_of(value),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    if master_kind == "vrf" {
        link.vrf = master;
    }
    Some(link)
}

fn parse_address(body: &[u8]) -> Option<Assigned> {
    let (family, prefix_len) = (*body.first()?, *body.get(1)?);
    let index = u32_at(body, 4)?;
    let (_, addr) = attributes(body.get(8..)?).find(|(kind, _)| *kind == libc::IFA_ADDRESS)?;
    let addr = <[u8; 16]>::try_from(addr).ok()?;
    (family == AF_INET6).then_some(Assigned { index, addr: addr.into(), prefix_len })
}
