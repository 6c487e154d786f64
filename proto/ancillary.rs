// SPDX-License-Identifier: GPL-2.0

//! RFC 6316 section 7: ancillary data of sendmsg() and recvmsg(), their octets, and the note
//! that a packet carries from its arrival to its reader.

use crate::proto::addr::{Addr, Pair, Tag};
use crate::proto::sockapi::{uapi, Errno, Socket};
use crate::proto::wish::Feedback;

/// Octets of a `struct sockaddr_in6`.
pub const SOCKADDR_LEN: usize = 28;
const SOCKADDR_IN_LEN: usize = 16;

/// What one sendmsg() asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// SHIM_LOC_LOCAL_SEND: the source locator.
    pub local: Option<Addr>,
    /// SHIM_LOC_PEER_SEND: the destination locator.
    pub peer: Option<Addr>,
    /// SHIM_IF_SEND: index of the interface to use, an extension.
    pub interface: Option<u32>,
    /// SHIM_FEEDBACK: `Some(None)` is the default value, "the feedback information MUST NOT be
    /// processed" (section 8.3).
    pub feedback: Option<Option<Feedback>>,
}

impl Objects {
    /// One more object of level SOL_SHIM. Each kind once; those of recvmsg() have no meaning.
    pub fn add(&mut self, kind: i32, data: &[u8]) -> Result<(), Errno> {
        match kind {
            135 => once(&mut self.local, locator(data)?),
            136 => once(&mut self.peer, locator(data)?),
            142 => once(&mut self.feedback, feedback(data)?),
            144 => once(&mut self.interface, interface(data)?),
            _ => Err(Errno::Invalid),
        }
    }

    /// Whether locators are chosen, and not only something told.
    pub fn chooses(&self) -> bool {
        self.local.is_some() || self.peer.is_some() || self.interface.is_some()
    }

    /// Whether such a socket can do what is asked. `corks` says that what is sent is only a part
    /// of a datagram.
    pub fn suit(&self, socket: &Socket, corks: bool) -> Result<(), Errno> {
        socket.is_served().map_err(|_| Errno::NotSupported)?;
        // TCP's segments are cut, merged and sent again as it likes: there is no datagram to
        // which "the effect is limited" (section 7.2). The socket option is for streams.
        let refused = self.chooses() && (socket.is_stream() || corks);
        match refused || (socket.is_stream() && !socket.is_connected()) {
            true => Err(Errno::NotSupported),
            false => Ok(()),
        }
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Errno> {
    match place.replace(value) {
        Some(_) => Err(Errno::Invalid),
        None => Ok(()),
    }
}

/// "cmsg_data[] within msg_control includes a single sockaddr_in{} or sockaddr_in6{}" (table 2).
fn locator(data: &[u8]) -> Result<Addr, Errno> {
    let family = data.first_chunk().map(|f| u16::from_ne_bytes(*f)).ok_or(Errno::Invalid)?;
    if family == u16::from(uapi::AF_INET) && data.len() >= SOCKADDR_IN_LEN {
        return Err(Errno::InvalidLocator);
    }
    if family != u16::from(uapi::AF_INET6) || data.len() < SOCKADDR_LEN {
        return Err(Errno::Invalid);
    }
    let addr = data.get(8..).and_then(|a| a.first_chunk()).ok_or(Errno::Invalid)?;
    Ok(Addr(*addr))
}

/// `struct shim_feedback` (section 8.3).
fn feedback(data: &[u8]) -> Result<Option<Feedback>, Errno> {
    match data {
        [0 | 1, 0, _, _, ..] => Ok(None),
        [0 | 1, 1 | 2, _, _, ..] => Ok(Some(Feedback::Negative)),
        [0 | 1, 3, _, _, ..] => Ok(Some(Feedback::Satisfactory)),
        _ => Err(Errno::Invalid),
    }
}

fn interface(data: &[u8]) -> Result<u32, Errno> {
    let index = data.first_chunk().map(|i| i32::from_ne_bytes(*i)).ok_or(Errno::Invalid)?;
    u32::try_from(index).ok().filter(|index| *index != 0).ok_or(Errno::Invalid)
}

/// The octets of a `struct sockaddr_in6`. "When there is no shim context associated with the
/// socket, the shim sub-layer MUST return zero-filled locator information" (section 7.1).
pub fn sockaddr(locator: Option<&Addr>) -> [u8; SOCKADDR_LEN] {
    let mut out = [0; SOCKADDR_LEN];
    let Some(locator) = locator else { return out };
    let fields = u16::from(uapi::AF_INET6).to_ne_bytes().into_iter().chain([0; 6]);
    out.iter_mut().zip(fields.chain(locator.0)).for_each(|(to, from)| *to = from);
    out
}

/// What a packet with a payload header is marked with when it arrives: the places of its locators
/// in the lists of its context. 0 for a packet that came with its identifiers.
///
/// One bit says that it is one, 4 are the lists' generation, 15 the context's, 6 each place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Note(u32);

impl Note {
    const MARK: u32 = 1 << 31;
    const PLACE: u32 = 0x3f;
    /// Most places in a list.
    pub const PLACES: usize = 64;

    /// What all notes of a context have in common while its places keep their meaning.
    #[inline]
    pub const fn base(tag: Tag, generation: u8) -> Note {
        let generation = (generation as u32 & 0xf) << 27;
        Note(Self::MARK | generation | ((tag.get() as u32 & 0x7fff) << 12))
    }

    /// The note of a packet that came from and to these places.
    #[inline]
    pub const fn at(self, local: u8, peer: u8) -> Note {
        Note(self.0 | ((local as u32 & Self::PLACE) << 6) | (peer as u32 & Self::PLACE))
    }

    /// From a packet's memory.
    #[inline]
    pub const fn from_bits(bits: u32) -> Note {
        Note(bits)
    }

    /// For a packet's memory.
    #[inline]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether the packet came with its identifiers.
    pub const fn is_plain(self) -> bool {
        self.0 & Self::MARK == 0
    }

    /// The places in the lists of the context with this base: (local, peer).
    pub const fn places(self, base: Note) -> Option<(u8, u8)> {
        match self.0 & !0xfff == base.0 {
            true => Some((((self.0 >> 6) & Self::PLACE) as u8, (self.0 & Self::PLACE) as u8)),
            false => None,
        }
    }
}

/// The locators of what was received between these identifiers, of which `note` tells.
pub fn received(
    note: Note,
    ulids: Pair,
    base: Note,
    locals: &[Addr],
    peers: &[Addr],
) -> Option<Pair> {
    if note.is_plain() {
        return Some(ulids);
    }
    let (local, peer) = note.places(base)?;
    let local = *locals.get(usize::from(local))?;
    Some(Pair { local, peer: *peers.get(usize::from(peer))? })
}
