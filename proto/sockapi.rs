// SPDX-License-Identifier: GPL-2.0

//! RFC 6316: what an option of level SOL_SHIM asks for, and what it is answered.
//!
//! The numbers are those of `include/uapi/linux/shim.h`.

use crate::proto::addr::Addr;

/// SHIM_MAX_LOCATORS and the rest of a `struct shim_locator`.
pub mod uapi {
    /// `AF_INET6`.
    pub const AF_INET6: u8 = 10;
    /// `SHIM_LOCATOR_HBA`.
    pub const FLAG_HBA: u16 = 0x01;
    /// `SHIM_LOCATOR_CGA`.
    pub const FLAG_CGA: u16 = 0x02;
    /// Octets of `struct shim_locator`: 30 and two of padding.
    pub const LOCATOR_LEN: usize = 32;
}

/// Error numbers, positive. The first four are RFC 6316 section 6.16's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    /// ETOOMANYLOCATORS.
    TooManyLocators,
    /// EOPNOTSUPP.
    NotSupported,
    /// ENOENT.
    NoContext,
    /// EINVAL.
    Invalid,
    /// ENOPROTOOPT.
    NoSuchOption,
}

impl Errno {
    /// The number.
    pub const fn number(self) -> i32 {
        match self {
            Errno::TooManyLocators => 603,
            Errno::NotSupported => 95,
            Errno::NoContext => 2,
            Errno::Invalid => 22,
            Errno::NoSuchOption => 92,
        }
    }
}

/// An option of the API (RFC 6316 section 6, and the extensions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Name {
    Associated,
    DontShim,
    LocalPref,
    PeerPref,
    LocalList,
    PeerList,
    /// Of the API, but not offered by this version.
    Later,
}

impl Name {
    /// The option of a number; `None` if the API has none.
    pub const fn from_number(number: i32) -> Option<Name> {
        Some(match number {
            128 => Name::Associated,
            129 => Name::DontShim,
            131 => Name::LocalPref,
            132 => Name::PeerPref,
            137 => Name::LocalList,
            138 => Name::PeerList,
            130 | 133..=136 | 139..=146 => Name::Later,
            _ => return None,
        })
    }
}

/// What the shim has to know of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket {
    /// TCP, UDP, raw or ping over IPv6 or IPv4: others are refused.
    pub supported: bool,
    /// It has a peer.
    pub connected: bool,
}

/// What a getsockopt() asks of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Get {
    /// Whether there is a context.
    Associated,
    /// The socket's own bit.
    DontShim,
    /// The preferred local or peer locator of the context.
    Pref(Side),
    /// All of them.
    List(Side),
}

/// Whose locators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Side {
    Local,
    Peer,
}

/// What getsockopt() of an option is.
pub fn get(number: i32, socket: &Socket) -> Result<Get, Errno> {
    if !socket.supported {
        return Err(Errno::NotSupported);
    }
    let get = match Name::from_number(number).ok_or(Errno::NoSuchOption)? {
        Name::DontShim => return Ok(Get::DontShim),
        Name::Later => return Err(Errno::NotSupported),
        Name::Associated => Get::Associated,
        Name::LocalPref => Get::Pref(Side::Local),
        Name::PeerPref => Get::Pref(Side::Peer),
        Name::LocalList => Get::List(Side::Local),
        Name::PeerList => Get::List(Side::Peer),
    };
    // "When the application specifies the socket option to an unconnected socket, error
    // code EOPNOTSUPP is returned" (sections 6.1, 6.4, 6.5, 6.10, 6.11).
    match socket.connected {
        true => Ok(get),
        false => Err(Errno::NotSupported),
    }
}

/// What setsockopt() of an option is: the new value of the socket's DONTSHIM bit. `value`
/// is the option value if it was at least as long as an int.
pub fn set(number: i32, socket: &Socket, value: Option<i32>) -> Result<bool, Errno> {
    if !socket.supported {
        return Err(Errno::NotSupported);
    }
    match Name::from_number(number).ok_or(Errno::NoSuchOption)? {
        // "If an application makes such an attempt for a connected socket, error code
        // EOPNOTSUPP MUST be returned" (section 6.2).
        Name::DontShim => match value {
            Some(value @ (0 | 1)) if !socket.connected => Ok(value == 1),
            Some(0 | 1) => Err(Errno::NotSupported),
            _ => Err(Errno::Invalid),
        },
        // "Note that the socket option is read-only" (section 6.1); the others cannot be
        // set yet.
        _ => Err(Errno::NotSupported),
    }
}

/// A locator as the API tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Locator {
    /// The address.
    pub addr: Addr,
    /// Priority, the lowest is preferred.
    pub priority: u16,
    /// Weight.
    pub weight: u16,
    /// Interface index, 0 if none has it.
    pub interface: u32,
    /// `SHIM_LOCATOR_*`.
    pub flags: u16,
}

impl Locator {
    /// The octets of a `struct shim_locator`.
    pub fn emit(&self) -> [u8; uapi::LOCATOR_LEN] {
        let mut out = [0; uapi::LOCATOR_LEN];
        let fields = [uapi::AF_INET6, 0, 0, 0]
            .into_iter()
            .chain(self.priority.to_ne_bytes())
            .chain(self.weight.to_ne_bytes())
            .chain(self.interface.to_ne_bytes())
            .chain(self.addr.0)
            .chain(self.flags.to_ne_bytes());
        out.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        out
    }
}

/// The locator "that has the highest preference value" (section 6.4): the lowest priority,
/// of these the greatest weight, of these the first.
pub fn preferred(locators: impl Iterator<Item = Locator>) -> Option<Locator> {
    locators.reduce(|best, next| {
        let better =
            (next.priority, u16::MAX - next.weight) < (best.priority, u16::MAX - best.weight);
        if better {
            next
        } else {
            best
        }
    })
}

/// How many locators a buffer of `len` octets holds: "ETOOMANYLOCATORS is returned [...]
/// when the size of the buffer provided by the application is not large enough to store
/// the locator list" (section 6.10).
pub fn fits(len: usize, locators: usize) -> Result<(), Errno> {
    match len / uapi::LOCATOR_LEN >= locators {
        true => Ok(()),
        false => Err(Errno::TooManyLocators),
    }
}
