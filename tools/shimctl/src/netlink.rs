// SPDX-License-Identifier: GPL-2.0

//! Netlink messages: what every family shares.

use crate::failure::{words, Failure, Result};
use netlink_sys::{Socket, SocketAddr};
use std::fmt;

const HEADER: usize = 16;
const NLMSG_ERROR: u16 = libc::NLMSG_ERROR as u16;
const NLMSG_DONE: u16 = libc::NLMSG_DONE as u16;
const NLM_F_CAPPED: u16 = 0x100;
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLMSGERR_ATTR_MSG: u16 = 1;
const NLA_F_NESTED: u16 = 0x8000;
const NLA_TYPE: u16 = 0x3fff;

/// A message being built.
#[derive(Debug)]
pub struct Message {
    kind: u16,
    flags: u16,
    body: Vec<u8>,
}

impl Message {
    /// A request of a kind, with the family's fixed header.
    pub fn new(kind: u16, flags: libc::c_int, fixed: &[u8]) -> Message {
        let mut body = fixed.to_vec();
        body.resize(fixed.len().next_multiple_of(4), 0);
        Message { kind, flags: flags as u16 | libc::NLM_F_REQUEST as u16, body }
    }

    /// Adds an attribute.
    pub fn bytes(mut self, kind: u16, value: &[u8]) -> Message {
        let len = u16::try_from(4 + value.len()).expect("an attribute is at most 64 KiB long");
        self.body.extend(len.to_ne_bytes());
        self.body.extend(kind.to_ne_bytes());
        self.body.extend(value);
        self.body.resize(self.body.len().next_multiple_of(4), 0);
        self
    }

    /// Adds a number.
    pub fn u32(self, kind: u16, value: u32) -> Message {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// Adds a wide number.
    pub fn u64(self, kind: u16, value: u64) -> Message {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// Adds a text.
    pub fn text(self, kind: u16, value: &str) -> Message {
        self.bytes(kind, &[value.as_bytes(), &[0]].concat())
    }

    /// Adds attributes inside an attribute.
    pub fn nest(self, kind: u16, inside: impl FnOnce(Message) -> Message) -> Message {
        let inner = inside(Message { kind: 0, flags: 0, body: Vec::new() });
        self.bytes(kind | NLA_F_NESTED, &inner.body)
    }

    fn finish(&self, seq: u32, ack: u16) -> Vec<u8> {
        let len = u32::try_from(HEADER + self.body.len()).expect("a request is short");
        let mut out = Vec::with_capacity(HEADER + self.body.len());
        out.extend(len.to_ne_bytes());
        out.extend(self.kind.to_ne_bytes());
        out.extend((self.flags | ack).to_ne_bytes());
        out.extend(seq.to_ne_bytes());
        out.extend(0u32.to_ne_bytes());
        out.extend(&self.body);
        out
    }
}

/// The attributes of a piece of a message; what is malformed ends them.
pub fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let len = usize::from(u16_at(bytes, 0)?);
        let kind = u16_at(bytes, 2)? & NLA_TYPE;
        let value = bytes.get(4..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// A number at an offset.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A wide number at an offset.
pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// The kernel said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// A positive error number.
    pub errno: i32,
    /// What the kernel said about it.
    pub why: Option<String>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.why, self.errno) {
            (Some(why), _) => f.write_str(why),
            (None, libc::EPERM) => f.write_str("this needs CAP_NET_ADMIN"),
            (None, errno) => f.write_str(&words(&std::io::Error::from_raw_os_error(errno))),
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Failure {
        Failure::new(refused)
    }
}

/// One message of an answer.
#[derive(Debug)]
pub struct Answer {
    /// The message's type.
    pub kind: u16,
    /// What follows the netlink header.
    pub body: Vec<u8>,
}

/// A netlink socket.
pub struct Channel {
    socket: Socket,
    seq: u32,
}

impl Channel {
    /// Opens a socket of a protocol.
    pub fn open(protocol: libc::c_int) -> Result<Channel> {
        let open = || -> std::io::Result<Socket> {
            let mut socket = Socket::new(protocol as isize)?;
            socket.bind_auto()?;
            socket.connect(&SocketAddr::new(0, 0))?;
            socket.set_ext_ack(true)?;
            socket.set_cap_ack(true)?;
            Ok(socket)
        };
        let socket = open()
            .map_err(|e| Failure::new(format!("cannot open a netlink socket: {}", words(&e))))?;
        Ok(Channel { socket, seq: 0 })
    }

    /// Sends a request and collects its answer: the messages before the acknowledgement, or
    /// those of a dump.
    pub fn request(&mut self, message: &Message) -> std::result::Result<Vec<Answer>, Refused> {
        self.seq += 1;
        let dump = message.flags & libc::NLM_F_DUMP as u16 == libc::NLM_F_DUMP as u16;
        let ack = if dump { 0 } else { libc::NLM_F_ACK as u16 };
        let failed =
            |e: std::io::Error| Refused { errno: e.raw_os_error().unwrap_or(libc::EIO), why: None };
        self.socket.send(&message.finish(self.seq, ack), 0).map_err(failed)?;
        let mut answers = Vec::new();
        loop {
            let (datagram, _) = self.socket.recv_from_full().map_err(failed)?;
            for (header, body) in messages(&datagram) {
                if header.seq != self.seq {
                    continue;
                }
                match header.kind {
                    NLMSG_ERROR | NLMSG_DONE => return outcome(&header, body).map(|()| answers),
                    kind => answers.push(Answer { kind, body: body.to_vec() }),
                }
            }
        }
    }

    /// Joins a multicast group, with room for a burst of messages.
    pub fn join(&mut self, group: u32) -> Result<()> {
        // More than the system's limit is cut down to it, which is fine.
        let _ = self.socket.set_rx_buf_sz(1i32 << 20);
        self.socket
            .add_membership(group)
            .map_err(|e| Failure::new(format!("cannot listen to events: {}", words(&e))))
    }

    /// Waits for multicast messages; `None` means that some were lost.
    pub fn listen(&mut self) -> Result<Option<Vec<Answer>>> {
        match self.socket.recv_from_full() {
            Ok((datagram, _)) => Ok(Some(
                messages(&datagram)
                    .map(|(header, body)| Answer { kind: header.kind, body: body.to_vec() })
                    .collect(),
            )),
            Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => Ok(None),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => Ok(Some(Vec::new())),
            Err(e) => Err(Failure::new(format!("cannot listen to events: {}", words(&e)))),
        }
    }
}

struct Header {
    kind: u16,
    flags: u16,
    seq: u32,
}

fn messages(mut bytes: &[u8]) -> impl Iterator<Item = (Header, &[u8])> {
    std::iter::from_fn(move || {
        let len = usize::try_from(u32_at(bytes, 0)?).ok()?;
        let header =
            Header { kind: u16_at(bytes, 4)?, flags: u16_at(bytes, 6)?, seq: u32_at(bytes, 8)? };
        let body = bytes.get(HEADER..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((header, body))
    })
}

/// What an acknowledgement or the end of a dump says.
fn outcome(header: &Header, body: &[u8]) -> std::result::Result<(), Refused> {
    let code = u32_at(body, 0).unwrap_or(0) as i32;
    if code >= 0 {
        return Ok(());
    }
    // Behind the code an error repeats the request: its header, and its body if not capped.
    let skip = match header.kind {
        NLMSG_DONE => 4,
        _ if header.flags & NLM_F_CAPPED != 0 => 4 + HEADER,
        _ => 4 + u32_at(body, 4).unwrap_or(0).next_multiple_of(4) as usize,
    };
    let why = (header.flags & NLM_F_ACK_TLVS != 0)
        .then(|| {
            attributes(body.get(skip..).unwrap_or_default())
                .find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG)
        })
        .flatten()
        .map(|(_, text)| text_of(text));
    Err(Refused { errno: -code, why })
}

/// A text attribute, without its final zero.
pub fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|b| *b == 0).next().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_come_back_as_they_were_put() {
        let message = Message::new(9, 0, &[1, 2, 3, 4])
            .u32(1, 7)
            .text(2, "abc")
            .nest(3, |m| m.bytes(4, &[5; 16]))
            .u64(5, u64::MAX);
        let got: Vec<_> = attributes(&message.body[4..]).collect();
        assert_eq!(got.len(), 4);
        assert_eq!(got[0], (1, &7u32.to_ne_bytes()[..]));
        assert_eq!(text_of(got[1].1), "abc");
        assert_eq!(attributes(got[2].1).collect::<Vec<_>>(), [(4, &[5u8; 16][..])]);
        assert_eq!(u64_at(got[3].1, 0), Some(u64::MAX));
    }

    #[test]
    fn malformed_attributes_end_the_list() {
        for bytes in [&[][..], &[3, 0, 1, 0], &[9, 0, 1, 0, 1], &[4, 0, 1]] {
            assert_eq!(attributes(bytes).count(), 0, "{bytes:?}");
        }
    }

    #[test]
    fn the_kernel_s_words_are_found_behind_a_capped_request() {
        let mut body = (-22i32).to_ne_bytes().to_vec();
        body.extend([0; HEADER]);
        body.extend(&Message::new(0, 0, &[]).text(NLMSGERR_ATTR_MSG, "no such set").body);
        let header = Header { kind: NLMSG_ERROR, flags: NLM_F_CAPPED | NLM_F_ACK_TLVS, seq: 1 };
        let refused = outcome(&header, &body).unwrap_err();
        assert_eq!(refused.errno, libc::EINVAL);
        assert_eq!(refused.to_string(), "no such set");
    }

    #[test]
    fn an_error_without_words_is_named() {
        let refused = Refused { errno: libc::ENOENT, why: None };
        assert_eq!(refused.to_string(), "No such file or directory");
        let refused = Refused { errno: libc::EPERM, why: None };
        assert_eq!(refused.to_string(), "this needs CAP_NET_ADMIN");
    }
}
