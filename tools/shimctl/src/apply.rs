// SPDX-License-Identifier: GPL-2.0

//! Puts a set to work on this host, and takes it out again.
//!
//! Each address goes on its interface, with its prefix. A dummy interface `shim0` gets a
//! deprecated copy, and a rule behind all others leads there what comes from the address:
//! so the address stays ours, and packets from it keep a route, when its own interface is
//! gone (Documentation/design.md section 4). At last the kernel's shim learns the set. If
//! a step fails, all steps before it are undone.

use crate::failure::{Failure, Result};
use crate::family::Shim;
use crate::netlink::Refused;
use crate::rtnl::{AddressOptions, Assigned, Link, Rtnl};
use crate::set::HbaSet;
use std::net::Ipv6Addr;

/// The dummy interface.
pub const CATCH_ALL: &str = "shim0";
/// The table that leads to it: the protocol's number.
const TABLE: u32 = 140;
/// The priority of the rules that lead to the table: behind `main` (32766).
const PRIORITY: u32 = 33000;

/// What undoes a step.
#[derive(Debug)]
enum Undo {
    Link(u32),
    Address(Assigned),
    Rule(Ipv6Addr),
}

/// A locator that does not follow from a set's parameters, and its interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// The address.
    pub addr: Ipv6Addr,
    /// The interface it goes on.
    pub device: String,
}

impl Outside {
    /// From `ADDRESS=INTERFACE`.
    pub fn parse(word: &str) -> Result<Outside> {
        let wrong = || Failure::new(format!("'{word}' is not ADDRESS=INTERFACE"));
        let (addr, device) = word.split_once('=').ok_or_else(wrong)?;
        let addr = addr.parse().map_err(|_| wrong())?;
        if device.is_empty() {
            return Err(wrong());
        }
        Ok(Outside { addr, device: device.to_string() })
    }
}

/// A set to put to work.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The set.
    pub set: &'a HbaSet,
    /// Which interface each address goes to, see [`assign`].
    pub devices: &'a [String],
    /// Whether to leave out duplicate address detection.
    pub nodad: bool,
    /// The private key of its parameters, as a DER RSAPrivateKey.
    pub key: Option<&'a [u8]>,
    /// Locators that the key proves.
    pub outside: &'a [Outside],
}

/// A host being changed.
struct Change {
    rtnl: Rtnl,
    done: Vec<Undo>,
}

impl Change {
    fn undo(mut self) {
        while let Some(step) = self.done.pop() {
            // What cannot be undone was undone by somebody else.
            let _ = match step {
                Undo::Link(index) => self.rtnl.delete_link(index),
                Undo::Address(addr) => self.rtnl.delete_address(addr),
                Undo::Rule(from) => self.rtnl.delete_rule(PRIORITY, from, TABLE),
            };
        }
    }

    /// `shim0`, made if it is not there yet, up and with its route, in this VRF.
    fn catch_all(&mut self, vrf: u32) -> Result<Link> {
        let failed =
            |e: Refused| Failure::from(e).while_trying(format_args!("cannot make {CATCH_ALL}"));
        let link = match self.rtnl.link(CATCH_ALL)? {
            Some(link) if link.kind != "dummy" => {
                return Err(Failure::new(format!(
                    "interface {CATCH_ALL} is in use for something else"
                )))
            }
            Some(link) if link.vrf != vrf => {
                return Err(Failure::new(format!(
                    "{CATCH_ALL} and the set's interfaces are not of one VRF"
                )))
            }
            Some(link) => link,
            None => {
                self.rtnl.create_dummy(CATCH_ALL, vrf).map_err(failed)?;
                let link = self.rtnl.link(CATCH_ALL)?;
                let link = link.ok_or_else(|| Failure::new(format!("{CATCH_ALL} vanished")))?;
                self.done.push(Undo::Link(link.index));
                self.rtnl.set_no_link_local(link.index).map_err(failed)?;
                link
            }
        };
        if !link.up {
            self.rtnl.set_up(link.index).map_err(failed)?;
        }
        already(self.rtnl.add_default(link.index, TABLE)).map_err(failed)?;
        Ok(link)
    }

    /// An address on an interface, unless it is there.
    fn address(&mut self, to: Assigned, on: &str, options: AddressOptions) -> Result<()> {
        let added = already(self.rtnl.add_address(to, options)).map_err(|e| {
            Failure::from(e)
                .while_trying(format_args!("cannot add {}/{} to {on}", to.addr, to.prefix_len))
        })?;
        if added {
            self.done.push(Undo::Address(to));
        }
        Ok(())
    }

    fn rule(&mut self, from: Ipv6Addr) -> Result<()> {
        let added = already(self.rtnl.add_rule(PRIORITY, from, TABLE)).map_err(|e| {
            Failure::from(e).while_trying(format_args!("cannot add a rule for {from}"))
        })?;
        if added {
            self.done.push(Undo::Rule(from));
        }
        Ok(())
    }

    fn all(&mut self, job: &Job<'_>, links: &[Link], outside: &[Link]) -> Result<()> {
        let nodad = job.nodad;
        let catch_all = self.catch_all(vrf_of(links.iter().chain(outside))?)?;
        for (addr, link) in job.set.addresses.iter().copied().zip(links) {
            let own = Assigned { index: link.index, addr, prefix_len: 64 };
            self.address(own, &link.name, AddressOptions { nodad, deprecated: false })?;
            let copy = Assigned { index: catch_all.index, addr, prefix_len: 128 };
            self.address(copy, CATCH_ALL, AddressOptions { nodad: true, deprecated: true })?;
            self.rule(addr)?;
        }
        // No identifier is among these: when one's interface is gone, so is the locator.
        for (addr, link) in job.outside.iter().map(|o| o.addr).zip(outside) {
            let own = Assigned { index: link.index, addr, prefix_len: 64 };
            self.address(own, &link.name, AddressOptions { nodad, deprecated: false })?;
        }
        Ok(())
    }
}

/// Whether something was added: it may be there already.
fn already(added: std::result::Result<(), Refused>) -> std::result::Result<bool, Refused> {
    match added {
        Ok(()) => Ok(true),
        Err(Refused { errno: libc::EEXIST, .. }) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Which interface each address goes to: `dev=IF` in the order of the prefixes (a single
/// one is for all), or `PREFIX=IF`.
pub fn assign(set: &HbaSet, words: &[String]) -> Result<Vec<String>> {
    let mut given = Vec::new();
    for word in words {
        match word.split_once('=') {
            Some((key, name)) if !name.is_empty() => given.push((key, name)),
            _ => {
                return Err(Failure::new(format!(
                    "'{word}' is neither dev=INTERFACE nor PREFIX=INTERFACE"
                )))
            }
        }
    }
    if given.iter().all(|(key, _)| *key == "dev") {
        return in_order(set, &given);
    }
    let mut names = vec![None; set.addresses.len()];
    for (key, name) in given {
        let prefix = crate::set::parse_prefix(key)?;
        let at = set.addresses.iter().position(|a| a.to_bits() >> 64 == u128::from(prefix));
        let at = at.ok_or_else(|| Failure::new(format!("the set has no address in '{key}'")))?;
        if names[at].replace(name.to_string()).is_some() {
            return Err(Failure::new(format!("'{key}' is given two interfaces")));
        }
    }
    names
        .into_iter()
        .zip(&set.addresses)
        .map(|(name, addr)| {
            name.ok_or_else(|| Failure::new(format!("no interface is given for {addr}")))
        })
        .collect()
}

fn in_order(set: &HbaSet, given: &[(&str, &str)]) -> Result<Vec<String>> {
    let want = set.addresses.len();
    match given {
        [(_, name)] => Ok(vec![name.to_string(); want]),
        _ if given.len() == want => Ok(given.iter().map(|(_, name)| name.to_string()).collect()),
        _ => Err(Failure::new(format!(
            "the set has {want} addresses, but {} interfaces are given",
            given.len()
        ))),
    }
}

/// Puts a set to work.
pub fn apply(job: &Job<'_>) -> Result<()> {
    let names = assign(job.set, job.devices)?;
    let mut shim = Shim::open()?;
    let mut rtnl = Rtnl::open()?;
    let links = links_of(&mut rtnl, names.iter())?;
    let outside = links_of(&mut rtnl, job.outside.iter().map(|o| &o.device))?;
    let mut addresses = job.set.addresses.clone();
    addresses.extend(job.outside.iter().map(|o| o.addr));
    let mut change = Change { rtnl, done: Vec::new() };
    let result = change.all(job, &links, &outside).and_then(|()| {
        shim.add_set(&job.set.parameters, &addresses, job.key)
            .map_err(|e| Failure::from(e).while_trying("the kernel does not take the set"))
    });
    if result.is_err() {
        change.undo();
    }
    result
}

fn links_of<'a>(rtnl: &mut Rtnl, names: impl Iterator<Item = &'a String>) -> Result<Vec<Link>> {
    let mut links = Vec::new();
    for name in names {
        let link = rtnl.link(name)?;
        links.push(link.ok_or_else(|| Failure::new(format!("there is no interface '{name}'")))?);
    }
    Ok(links)
}

/// The VRF of all these interfaces; 0 if they are in none.
fn vrf_of<'a>(mut links: impl Iterator<Item = &'a Link>) -> Result<u32> {
    let Some(first) = links.next() else { return Ok(0) };
    match links.find(|link| link.vrf != first.vrf) {
        Some(other) => {
            Err(Failure::new(format!("{} and {} are not of one VRF", first.name, other.name)))
        }
        None => Ok(first.vrf),
    }
}

/// Takes a set out again: everything [`apply`] did, as far as it is still there.
pub fn remove(addresses: &[Ipv6Addr]) -> Result<()> {
    let first = *addresses.first().ok_or_else(|| Failure::new("the set has no address"))?;
    let mut shim = Shim::open()?;
    shim.delete_set(first).map_err(|e| {
        Failure::from(e).while_trying(format_args!("cannot remove the set of {first}"))
    })?;
    let mut rtnl = Rtnl::open()?;
    let mut result = Ok(());
    let mut note = |tried: std::result::Result<(), Refused>, what: String| {
        let gone = [libc::ENOENT, libc::EADDRNOTAVAIL, libc::ESRCH, libc::ENODEV];
        match tried {
            Err(e) if !gone.contains(&e.errno) => {
                result = Err(Failure::from(e).while_trying(format_args!("cannot remove {what}")));
            }
            _ => {}
        }
    };
    for addr in addresses {
        note(rtnl.delete_rule(PRIORITY, *addr, TABLE), format!("the rule for {addr}"));
    }
    for assigned in rtnl.addresses()? {
        if addresses.contains(&assigned.addr) {
            note(rtnl.delete_address(assigned), format!("{}", assigned.addr));
        }
    }
    if let Some(link) = rtnl.link(CATCH_ALL)? {
        let empty = !rtnl.addresses()?.iter().any(|a| a.index == link.index);
        if link.kind == "dummy" && empty {
            note(rtnl.delete_link(link.index), CATCH_ALL.to_string());
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> HbaSet {
        let addresses = vec!["2001:db8:a::1".parse().unwrap(), "2001:db8:b::1".parse().unwrap()];
        HbaSet { parameters: Vec::new(), addresses }
    }

    fn assigned(words: &[&str]) -> Result<Vec<String>> {
        assign(&set(), &words.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn interfaces_follow_the_order_of_prefixes() {
        assert_eq!(assigned(&["dev=x", "dev=y"]), Ok(vec!["x".into(), "y".into()]));
        assert_eq!(assigned(&["dev=x"]), Ok(vec!["x".into(), "x".into()]));
    }

    #[test]
    fn interfaces_follow_their_prefix() {
        let words = ["2001:db8:b::/64=y", "2001:db8:a::=x"];
        assert_eq!(assigned(&words), Ok(vec!["x".into(), "y".into()]));
    }

    #[test]
    fn interfaces_are_of_one_vrf() {
        let of = |links: &[(&str, u32)]| {
            let link = |&(name, vrf): &(&str, u32)| Link {
                index: 1,
                name: name.into(),
                up: true,
                vrf,
                kind: String::new(),
            };
            vrf_of(links.iter().map(link).collect::<Vec<_>>().iter())
        };
        assert_eq!(of(&[("x", 0), ("y", 0)]), Ok(0));
        assert_eq!(of(&[("x", 7), ("y", 7)]), Ok(7));
        for (y, z) in [(7, 0), (0, 7), (7, 8)] {
            let said = of(&[("x", y), ("y", y), ("z", z)]).unwrap_err().to_string();
            assert_eq!(said, "x and z are not of one VRF");
        }
    }

    #[test]
    fn a_locator_outside_has_an_address_and_an_interface() {
        let good = Outside::parse("2001:db8:c::1=z").unwrap();
        assert_eq!((good.addr.to_string().as_str(), good.device.as_str()), ("2001:db8:c::1", "z"));
        for wrong in ["", "z", "2001:db8:c::1", "2001:db8:c::1=", "=z", "2001:db8:c::/64=z"] {
            let said = Outside::parse(wrong).unwrap_err().to_string();
            assert_eq!(said, format!("'{wrong}' is not ADDRESS=INTERFACE"));
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (words, why) in [
            (
                &["dev=x", "dev=y", "dev=z"][..],
                "the set has 2 addresses, but 3 interfaces are given",
            ),
            (&["x"], "'x' is neither dev=INTERFACE nor PREFIX=INTERFACE"),
            (&["dev="], "'dev=' is neither dev=INTERFACE nor PREFIX=INTERFACE"),
            (&["2001:db8:a::=x"], "no interface is given for 2001:db8:b::1"),
            (&["2001:db8:c::=x"], "the set has no address in '2001:db8:c::'"),
            (&["2001:db8:a::=x", "2001:db8:a::=y"], "'2001:db8:a::' is given two interfaces"),
            (&["2001:db8:a::=x", "dev=y"], "'dev' is not an IPv6 prefix"),
        ] {
            assert_eq!(assigned(words).unwrap_err().to_string(), why);
        }
    }
}
