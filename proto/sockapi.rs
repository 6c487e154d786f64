// SPDX-License-Identifier: GPL-2.0

//! RFC 6316: what an option of level SOL_SHIM asks for, who may ask, and the octets of what
//! is given and answered.
//!
//! An option goes through here in this order, and the first that fails is the answer:
//! 1. the socket is of a kind the shim serves ([`Socket::is_served`]);
//! 2. the option exists, can be got or set as asked, and is offered by this version;
//! 3. the socket is, or is not, connected ([`get`], [`set`]);
//! 4. there is a context (the driver's business: ENOENT);
//! 5. its value has a length and a content that mean something ([`flag`], [`Locator::parse`],
//!    [`list`], [`fits`]).
//!
//! The numbers are those of `include/uapi/linux/shim.h`.

use crate::proto::addr::Addr;
use crate::proto::wish::{Explore, Feedback, Wanted, WishError};

/// Numbers of the user's side.
pub mod uapi {
    /// `AF_INET`.
    pub const AF_INET: u8 = 2;
    /// `AF_INET6`.
    pub const AF_INET6: u8 = 10;
    /// `SHIM_LOCATOR_HBA`.
    pub const FLAG_HBA: u16 = 0x01;
    /// `SHIM_LOCATOR_CGA`.
    pub const FLAG_CGA: u16 = 0x02;
    /// `SHIM_MAX_LOCATORS`.
    pub const MAX_LOCATORS: usize = 32;
    /// Octets of `struct shim_locator`: 30 and two of padding.
    pub const LOCATOR_LEN: usize = 32;
    /// `SHIM_PEEK`.
    pub const PEEK: i32 = 0x100;
    /// Octets of an int.
    pub const INT_LEN: usize = 4;
    /// Octets of a `struct shim_pathexplore`.
    pub const PATHEXPLORE_LEN: usize = 12;
}

/// Error numbers, positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    /// EINVALIDLOCATOR: "the locator is not part of the HBA set" (section 6.16).
    InvalidLocator,
    /// EUNVERIFIEDLOCATOR: its reachability was never verified (sections 6.9 and 6.11).
    UnverifiedLocator,
    /// EUNREACHABLELOCATOR: it is known not to work.
    UnreachableLocator,
    /// ETOOMANYLOCATORS (sections 6.10 and 6.11).
    TooManyLocators,
    /// EOPNOTSUPP: not with this socket as it is now, or not in this version.
    NotSupported,
    /// ENOENT: no context.
    NoContext,
    /// EINVAL: a length or a value without a meaning.
    Invalid,
    /// ENOMEM.
    NoMemory,
    /// ENOPROTOOPT: no such option, or no socket of ours.
    NoSuchOption,
}

impl Errno {
    /// The number.
    pub const fn number(self) -> i32 {
        match self {
            Errno::InvalidLocator => 600,
            Errno::UnverifiedLocator => 601,
            Errno::UnreachableLocator => 602,
            Errno::TooManyLocators => 603,
            Errno::NotSupported => 95,
            Errno::NoContext => 2,
            Errno::Invalid => 22,
            Errno::NoMemory => 12,
            Errno::NoSuchOption => 92,
        }
    }
}

impl From<WishError> for Errno {
    fn from(error: WishError) -> Self {
        match error {
            WishError::NotALocator | WishError::Nothing => Errno::InvalidLocator,
            WishError::Unverified => Errno::UnverifiedLocator,
            WishError::Unreachable => Errno::UnreachableLocator,
            WishError::NoMemory => Errno::NoMemory,
        }
    }
}

/// What the kernel says of a socket; the numbers are Linux's, as on x86 and arm64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket {
    /// `AF_*`.
    pub family: u16,
    /// `SOCK_*`.
    pub kind: u16,
    /// `IPPROTO_*`.
    pub protocol: u16,
    /// `TCP_*`, the state of any kind of socket.
    pub state: u8,
}

const STREAM: u16 = 1;
const DGRAM: u16 = 2;
const RAW: u16 = 3;

const ICMP: u16 = 1;
const TCP: u16 = 6;
const UDP: u16 = 17;
const ICMPV6: u16 = 58;
const SCTP: u16 = 132;
const MPTCP: u16 = 262;

const ESTABLISHED: u8 = 1;
const SYN_SENT: u8 = 2;
const CLOSE: u8 = 7;
const LISTEN: u8 = 10;

impl Socket {
    /// TCP, UDP, raw and ping sockets of IPv6 and IPv4 are served. SCTP and MPTCP, which care
    /// for several addresses themselves, are refused ("to avoid potential conflict with the
    /// shim sub-layer", section 5); all else knows nothing of this level.
    pub fn is_served(&self) -> Result<(), Errno> {
        let ours = [uapi::AF_INET, uapi::AF_INET6].iter().any(|f| u16::from(*f) == self.family);
        match (self.kind, self.protocol) {
            _ if !ours => Err(Errno::NoSuchOption),
            (RAW, _) | (STREAM, TCP) | (DGRAM, UDP | ICMP | ICMPV6) => Ok(()),
            (_, SCTP | MPTCP) => Err(Errno::NotSupported),
            _ => Err(Errno::NoSuchOption),
        }
    }

    /// Whether it sends octets, not datagrams.
    pub fn is_stream(&self) -> bool {
        self.kind == STREAM
    }

    /// "A TCP socket becomes a connected socket when the TCP connection establishment is
    /// completed. UDP sockets are unconnected, unless the application uses the connect()
    /// system call." (Section 3; raw and ping sockets are as UDP's.)
    pub fn is_connected(&self) -> bool {
        match self.kind {
            STREAM => !matches!(self.state, CLOSE | LISTEN | SYN_SENT),
            _ => self.state == ESTABLISHED,
        }
    }
}

/// An option of the API (section 6), or an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// SHIM_ASSOCIATED (6.1).
    Associated,
    /// SHIM_DONTSHIM (6.2).
    DontShim,
    /// SHIM_HOT_STANDBY (6.3).
    HotStandby,
    /// SHIM_LOC_LOCAL_PREF, SHIM_LOC_PEER_PREF (6.4, 6.5).
    Pref(Side),
    /// SHIM_LOC_LOCAL_RECV, SHIM_LOC_PEER_RECV (6.6, 6.7), SHIM_IF_RECV: an extension.
    Recv(Told),
    /// SHIM_LOC_LOCAL_SEND, SHIM_LOC_PEER_SEND (6.8, 6.9).
    Send(Side),
    /// SHIM_IF_SEND: an extension.
    InterfaceSend,
    /// SHIM_LOCLIST_LOCAL, SHIM_LOCLIST_PEER (6.10, 6.11).
    List(Side),
    /// SHIM_APP_TIMEOUT (6.12).
    AppTimeout,
    /// SHIM_PATHEXPLORE (6.13).
    PathExplore,
    /// SHIM_CONTEXT_DEFERRED_SETUP (6.14).
    DeferredSetup,
    /// SHIM_FEEDBACK_POSITIVE, SHIM_FEEDBACK_NEGATIVE: extensions.
    Feedback(Feedback),
    /// SHIM_FII: an extension.
    Instance,
    /// No option, but ancillary data of sendmsg(): SHIM_FEEDBACK (7.3).
    Ancillary,
}

/// Whose locators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Ours.
    Local,
    /// The peer's.
    Peer,
}

/// What a received datagram tells; also the socket options that ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// SHIM_LOC_LOCAL_RECV, SHIM_LOC_PEER_RECV (sections 6.6 and 6.7).
    Locator(Side),
    /// SHIM_IF_RECV: an extension.
    Interface,
}

impl Told {
    /// All of them.
    pub const ALL: [Told; 3] =
        [Told::Locator(Side::Local), Told::Locator(Side::Peer), Told::Interface];

    /// `cmsg_type`.
    pub const fn number(self) -> i32 {
        match self {
            Told::Locator(Side::Local) => 133,
            Told::Locator(Side::Peer) => 134,
            Told::Interface => 143,
        }
    }
}

impl Name {
    /// The option of a number.
    pub fn from_number(number: i32) -> Result<Name, Errno> {
        Ok(match number {
            128 => Name::Associated,
            129 => Name::DontShim,
            130 => Name::HotStandby,
            131 => Name::Pref(Side::Local),
            132 => Name::Pref(Side::Peer),
            133 => Name::Recv(Told::Locator(Side::Local)),
            134 => Name::Recv(Told::Locator(Side::Peer)),
            135 => Name::Send(Side::Local),
            136 => Name::Send(Side::Peer),
            137 => Name::List(Side::Local),
            138 => Name::List(Side::Peer),
            139 => Name::AppTimeout,
            140 => Name::PathExplore,
            141 => Name::DeferredSetup,
            143 => Name::Recv(Told::Interface),
            144 => Name::InterfaceSend,
            145 => Name::Feedback(Feedback::Satisfactory),
            146 => Name::Feedback(Feedback::Negative),
            147 => Name::Instance,
            142 => Name::Ancillary,
            _ => return Err(Errno::NoSuchOption),
        })
    }
}

/// What a getsockopt() asks of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Get {
    /// An int: whether there is a context.
    Associated,
    /// An int: the socket's own bit.
    DontShim,
    /// An int: whether applications want a pair to stand by.
    HotStandby,
    /// A locator: the preferred one of the context.
    Pref(Side),
    /// An int: whether recvmsg() tells it.
    Recv(Told),
    /// A locator: the chosen one; zero-filled without one.
    Send(Side),
    /// An int: the index of the chosen interface; 0 without one.
    InterfaceSend,
    /// Locators: all of the context.
    List(Side),
    /// An int: the Send Timeout that applications want, in seconds; 0: none does.
    AppTimeout,
    /// A `struct shim_pathexplore`: what is in force.
    PathExplore,
    /// An int: "The option value of 1 means that the shim sub-layer supports deferred context
    /// setup" (section 6.14).
    DeferredSetup,
    /// An int: the Forked Instance Identifier of the context; 0 for the default one.
    Instance,
}

/// Splits what getsockopt() is given into the option and whether SHIM_PEEK goes with it: then
/// the question must not change anything.
pub const fn peek(number: i32) -> (i32, bool) {
    (number & !uapi::PEEK, number & uapi::PEEK != 0)
}

/// What getsockopt() of an option is.
pub fn get(number: i32, socket: &Socket) -> Result<Get, Errno> {
    socket.is_served()?;
    let get = match Name::from_number(number)? {
        Name::DontShim => return Ok(Get::DontShim),
        Name::Ancillary | Name::Feedback(_) => return Err(Errno::NotSupported),
        Name::HotStandby => Get::HotStandby,
        Name::AppTimeout => Get::AppTimeout,
        Name::PathExplore => Get::PathExplore,
        Name::Associated => Get::Associated,
        Name::DeferredSetup => Get::DeferredSetup,
        Name::Pref(side) => Get::Pref(side),
        Name::Recv(what) => Get::Recv(what),
        Name::Send(side) => Get::Send(side),
        Name::InterfaceSend => Get::InterfaceSend,
        Name::List(side) => Get::List(side),
        Name::Instance => Get::Instance,
    };
    // "When the application specifies the socket option to an unconnected socket, error code
    // EOPNOTSUPP is returned" (sections 6.1, 6.3 to 6.5, 6.10, 6.11, 6.14).
    match socket.is_connected() {
        true => Ok(get),
        false => Err(Errno::NotSupported),
    }
}

/// What a setsockopt() asks of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// The socket's own bit, from an int (see [`flag`]).
    DontShim,
    /// From an int (see [`flag`]): a pair shall stand by.
    HotStandby,
    /// From a locator: how much the context prefers it.
    Pref(Side),
    /// From an int (see [`flag`]): whether recvmsg() shall tell it.
    Recv(Told),
    /// From a locator (see [`Locator::choice`]): the one to use.
    Send(Side),
    /// From an int (see [`index`]): the interface to use.
    InterfaceSend,
    /// From locators: the list of the context.
    List(Side),
    /// From an int (see [`seconds`]): the context's Send Timeout.
    AppTimeout,
    /// From a `struct shim_pathexplore` (see [`explore`]).
    PathExplore,
    /// From an int, whose value has no meaning.
    Feedback(Feedback),
}

/// What setsockopt() of an option is.
pub fn set(number: i32, socket: &Socket) -> Result<Set, Errno> {
    socket.is_served()?;
    let set = match Name::from_number(number)? {
        // "Any attempt to disable the multihoming shim support MUST be made by the application
        // before the socket is connected. If an application makes such an attempt for a
        // connected socket, error code EOPNOTSUPP MUST be returned." (Section 6.2; an attempt
        // to enable it comes as late.)
        Name::DontShim if socket.is_connected() => return Err(Errno::NotSupported),
        Name::DontShim => return Ok(Set::DontShim),
        // "Note that the socket option is read-only" (sections 6.1, 6.14).
        Name::Associated | Name::DeferredSetup | Name::Instance | Name::Ancillary => {
            return Err(Errno::NotSupported)
        }
        Name::Pref(side) => Set::Pref(side),
        Name::Recv(what) => Set::Recv(what),
        Name::Send(side) => Set::Send(side),
        Name::InterfaceSend => Set::InterfaceSend,
        Name::List(side) => Set::List(side),
        Name::HotStandby => Set::HotStandby,
        Name::AppTimeout => Set::AppTimeout,
        Name::PathExplore => Set::PathExplore,
        Name::Feedback(feedback) => Set::Feedback(feedback),
    };
    // "When the application specifies the socket option to an unconnected socket, error code
    // EOPNOTSUPP is returned" (sections 6.3 to 6.5 and 6.10 to 6.13).
    match socket.is_connected() {
        true => Ok(set),
        false => Err(Errno::NotSupported),
    }
}

/// The value of SHIM_APP_TIMEOUT, in ms: "in seconds", 0 for none; an hour at most, as for the
/// administrator. `None`: it was shorter than an int.
pub fn seconds(value: Option<[u8; uapi::INT_LEN]>) -> Result<u32, Errno> {
    let value = value.map(i32::from_ne_bytes).ok_or(Errno::Invalid)?;
    match u32::try_from(value) {
        Ok(seconds @ 0..=3600) => Ok(seconds.saturating_mul(1000)),
        _ => Err(Errno::Invalid),
    }
}

/// The octets of a `struct shim_pathexplore` (section 8.2): 0 leaves a value as the administrator
/// set it, and the limits are the administrator's.
pub fn explore(value: Option<[u8; uapi::PATHEXPLORE_LEN]>) -> Result<Explore, Errno> {
    let [n0, n1, t0, t1, i0, i1, p0, p1, reserved @ ..] = value.ok_or(Errno::Invalid)?;
    let field = |a, b| u32::from(u16::from_ne_bytes([a, b]));
    let explore = Explore {
        initial_probes: field(n0, n1),
        keepalive_timeout_ms: field(t0, t1).saturating_mul(1000),
        keepalive_interval_ms: field(i0, i1).saturating_mul(1000),
        initial_probe_timeout_ms: field(p0, p1),
    };
    let fits = reserved == [0; 4]
        && explore.initial_probes <= 16
        && explore.keepalive_timeout_ms <= 3_600_000
        && explore.keepalive_interval_ms <= 3_600_000
        && matches!(explore.initial_probe_timeout_ms, 0 | 10..=60_000);
    fits.then_some(explore).ok_or(Errno::Invalid)
}

/// The octets of a `struct shim_pathexplore` that tells what is in force; what is longer than a
/// field can say is told as its greatest value, and a part of a second as a whole one.
pub fn explore_octets(explore: &Explore) -> [u8; uapi::PATHEXPLORE_LEN] {
    let narrow = |value: u32| u16::try_from(value).unwrap_or(u16::MAX).to_ne_bytes();
    let mut out = [0; uapi::PATHEXPLORE_LEN];
    let fields = narrow(explore.initial_probes)
        .into_iter()
        .chain(narrow(explore.keepalive_timeout_ms.div_ceil(1000)))
        .chain(narrow(explore.keepalive_interval_ms.div_ceil(1000)))
        .chain(narrow(explore.initial_probe_timeout_ms));
    out.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
    out
}

/// The value of a boolean option: "an integer, and it takes 0 or 1" (section 6.2). `None`: it
/// was shorter than an int.
pub fn flag(value: Option<[u8; uapi::INT_LEN]>) -> Result<bool, Errno> {
    match value.map(i32::from_ne_bytes) {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(Errno::Invalid),
    }
}

/// The value of SHIM_IF_SEND: 0 for none. `None`: it was shorter than an int.
pub fn index(value: Option<[u8; uapi::INT_LEN]>) -> Result<u32, Errno> {
    let value = value.map(i32::from_ne_bytes).ok_or(Errno::Invalid)?;
    u32::try_from(value).map_err(|_| Errno::Invalid)
}

/// The octets of an int.
pub fn int(value: bool) -> [u8; uapi::INT_LEN] {
    i32::from(value).to_ne_bytes()
}

/// A locator as the API tells it (section 8.1).
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

    /// What a set operation gives: "lc_ifidx and lc_flags [...] have no effect in a set
    /// operation" (section 6.4), nor has the padding.
    pub fn parse(octets: &[u8; uapi::LOCATOR_LEN]) -> Result<Locator, Errno> {
        let [family, proto, _, _, p0, p1, w0, w1, rest @ ..] = *octets;
        let [_, _, _, _, addr @ .., _, _, _, _] = rest;
        let addr = Addr(addr);
        match family {
            uapi::AF_INET6 if addr.to_bits() >> 32 == 0xffff => Err(Errno::InvalidLocator),
            uapi::AF_INET6 => Ok(()),
            // "Note that an IPv4 locator can be handled by HIP and not by Shim6" (6.10).
            uapi::AF_INET => Err(Errno::InvalidLocator),
            // "It is required that the parameter contains a non-zero value indicating the
            // exact address family" (section 8.1).
            _ => Err(Errno::Invalid),
        }?;
        // "The value MUST be set to zero when there is no NAT involved" (section 8.1), and for
        // Shim6 there is none.
        if proto != 0 {
            return Err(Errno::Invalid);
        }
        Ok(Locator {
            addr,
            priority: u16::from_ne_bytes([p0, p1]),
            weight: u16::from_ne_bytes([w0, w1]),
            interface: 0,
            flags: 0,
        })
    }

    /// The locator to use, or none: "When a zero-filled locator is specified, the pre-existing
    /// setting of the local locator is inactivated" (sections 6.8 and 6.9).
    pub fn choice(octets: &[u8; uapi::LOCATOR_LEN]) -> Result<Option<Addr>, Errno> {
        match octets.iter().all(|octet| *octet == 0) {
            true => Ok(None),
            false => Locator::parse(octets).map(|locator| Some(locator.addr)),
        }
    }

    /// The wish for this locator, with priority and weight as they go to a peer, 8 bits each
    /// there: what does not fit is refused, never cut.
    pub fn wanted(&self) -> Result<Wanted, Errno> {
        let narrow = |value: u16| u8::try_from(value).map_err(|_| Errno::Invalid);
        let (priority, weight) = (narrow(self.priority)?, narrow(self.weight)?);
        Ok(Wanted { addr: self.addr, priority, weight })
    }
}

/// How many locators a list of `len` octets that is to be set has: "ETOOMANYLOCATORS is
/// returned when the number of locators specified exceeds the limit" (section 6.10).
pub fn list(len: usize) -> Result<usize, Errno> {
    match (len / uapi::LOCATOR_LEN, len % uapi::LOCATOR_LEN) {
        (1..=uapi::MAX_LOCATORS, 0) => Ok(len / uapi::LOCATOR_LEN),
        (0, _) | (_, 1..) => Err(Errno::Invalid),
        _ => Err(Errno::TooManyLocators),
    }
}

/// The locators of a list that is to be set, each once: of those that are named again the first
/// counts.
#[derive(Clone, Copy, Debug)]
pub struct WantedList {
    all: [Wanted; uapi::MAX_LOCATORS],
    len: usize,
}

impl WantedList {
    /// From the octets of an array of `struct shim_locator` whose length was judged by [`list`].
    /// Zeros behind the last locator are room that is not used: the example of section 6.10 sets
    /// a whole array of SHIM_MAX_LOCATORS, of which it filled two.
    pub fn parse(octets: &[u8]) -> Result<WantedList, Errno> {
        let mut list = WantedList { all: Default::default(), len: 0 };
        let octets = without_room(octets);
        if octets.is_empty() {
            return Err(Errno::Invalid);
        }
        for octets in octets.chunks(uapi::LOCATOR_LEN) {
            let octets = octets.try_into().map_err(|_| Errno::Invalid)?;
            list.add(Locator::parse(octets)?.wanted()?)?;
        }
        Ok(list)
    }

    fn add(&mut self, wanted: Wanted) -> Result<(), Errno> {
        if self.as_slice().iter().any(|known| known.addr == wanted.addr) {
            return Ok(());
        }
        *self.all.get_mut(self.len).ok_or(Errno::TooManyLocators)? = wanted;
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    /// The locators.
    pub fn as_slice(&self) -> &[Wanted] {
        self.all.get(..self.len).unwrap_or(&self.all)
    }
}

fn without_room(mut octets: &[u8]) -> &[u8] {
    while let Some((before, place)) = octets.split_last_chunk::<{ uapi::LOCATOR_LEN }>() {
        if *place != [0; uapi::LOCATOR_LEN] {
            break;
        }
        octets = before;
    }
    octets
}

/// Whether so many locators fit into a buffer of `len` octets: ETOOMANYLOCATORS "when the size
/// of the buffer provided by the application is not large enough to store the locator list"
/// (section 6.10).
pub fn fits(len: usize, locators: usize) -> Result<(), Errno> {
    match len / uapi::LOCATOR_LEN >= locators {
        true => Ok(()),
        false => Err(Errno::TooManyLocators),
    }
}

/// The locator "that has the highest preference value" (section 6.4): the lowest priority, of
/// these the greatest weight, of these the first.
pub fn preferred(locators: impl Iterator<Item = Locator>) -> Option<Locator> {
    let rank = |l: &Locator| (l.priority, u16::MAX - l.weight);
    locators.reduce(|best, next| if rank(&next) < rank(&best) { next } else { best })
}
