// SPDX-License-Identifier: GPL-2.0

//! Writing a control message into the caller's buffer.
//!
//! A [`Builder`] remembers when the buffer ended: every call may then be made, and
//! [`Builder::finish`] says `None`.

use super::header::checksum;
use super::options::{number, total_len};
use super::{Body, LocatorList, Method, ProbeState, Record, MAX_MESSAGE, NO_NEXT_HEADER};
use crate::proto::addr::{Addr, Tag};
use crate::proto::wire::lists::Preference;

/// A message being written.
#[derive(Debug)]
#[must_use = "a message has neither length nor checksum before it is finished"]
pub struct Builder<'a> {
    buf: &'a mut [u8],
    len: usize,
    full: bool,
}

impl<'a> Builder<'a> {
    /// Begins the message with this fixed part. Of a probe the records are added with
    /// [`Builder::records`] (its own come with the body's when it was parsed).
    pub fn new(buf: &'a mut [u8], body: &Body<'_>) -> Self {
        let mut b = Builder { buf, len: 0, full: false };
        match *body {
            Body::I1 { initiator_tag, initiator_nonce } => {
                b.head(1, 0);
                b.tag(initiator_tag);
                b.u32(initiator_nonce);
            }
            Body::R1 { initiator_nonce, responder_nonce } => {
                b.head(2, 0);
                b.put(&[0; 2]);
                b.u32(initiator_nonce);
                b.u32(responder_nonce);
            }
            Body::I2 { initiator_tag, initiator_nonce, responder_nonce } => {
                b.head(3, 0);
                b.tag(initiator_tag);
                b.u32(initiator_nonce);
                b.u32(responder_nonce);
                b.u32(0);
            }
            Body::R2 { responder_tag, initiator_nonce } => {
                b.head(4, 0);
                b.tag(responder_tag);
                b.u32(initiator_nonce);
            }
            Body::R1bis { packet_tag, responder_nonce } => {
                b.head(5, 0);
                b.tag(packet_tag);
                b.u32(responder_nonce);
            }
            Body::I2bis { initiator_tag, initiator_nonce, responder_nonce, packet_tag } => {
                b.head(6, 0);
                b.tag(initiator_tag);
                b.u32(initiator_nonce);
                b.u32(responder_nonce);
                b.put(&[0; 6]);
                b.tag(packet_tag);
            }
            Body::UpdateRequest { tag, nonce } => {
                b.head(64, 0);
                b.tag(tag);
                b.u32(nonce);
            }
            Body::UpdateAck { tag, nonce } => {
                b.head(65, 0);
                b.tag(tag);
                b.u32(nonce);
            }
            Body::Keepalive { tag } => {
                b.head(66, 0);
                b.tag(tag);
                b.u32(0);
            }
            Body::Probe { tag, ref probe } => {
                b.probe_head(tag, probe.state);
                b.records(probe.sent(), probe.received());
            }
            Body::Error { code, pointer, packet } => {
                b.head(68, code);
                b.put(&pointer.to_be_bytes());
                b.put(packet);
                b.pad_to(16);
            }
            Body::Unknown { number, tag } => {
                b.head(number, 0);
                b.tag(tag);
            }
        }
        b
    }

    /// Begins a Probe message without records.
    pub fn probe(buf: &'a mut [u8], tag: Tag, state: ProbeState) -> Self {
        let mut b = Builder { buf, len: 0, full: false };
        b.probe_head(tag, state);
        b
    }

    fn probe_head(&mut self, tag: Tag, state: ProbeState) {
        self.head(67, 0);
        self.tag(tag);
        self.put(&[0, state.number() << 6, 0, 0]);
    }

    fn head(&mut self, number: u8, specific: u8) {
        self.put(&[NO_NEXT_HEADER, 0, number & 0x7f, specific << 1, 0, 0]);
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        match self.buf.get_mut(self.len..end) {
            Some(room) if end <= MAX_MESSAGE => {
                room.copy_from_slice(bytes);
                self.len = end;
            }
            _ => self.full = true,
        }
    }

    fn u32(&mut self, value: u32) {
        self.put(&value.to_be_bytes());
    }

    /// Six octets: a reserved zero bit and 47 bits of tag.
    fn tag(&mut self, tag: Tag) {
        let [_, _, rest @ ..] = tag.get().to_be_bytes();
        self.put(&rest);
    }

    fn set(&mut self, at: usize, value: u8) {
        if let Some(octet) = self.buf.get_mut(at) {
            *octet = value;
        }
    }

    /// Octets that may still be written.
    pub fn room(&self) -> usize {
        self.buf.len().min(MAX_MESSAGE).saturating_sub(self.len)
    }

    /// The records of a probe, at most 15 of each.
    pub fn records(
        &mut self,
        sent: impl Iterator<Item = Record>,
        received: impl Iterator<Item = Record>,
    ) {
        let s = self.record_run(sent.take(15));
        let r = self.record_run(received.take(15));
        self.set(12, (r << 4) | s);
    }

    fn record_run(&mut self, records: impl Iterator<Item = Record>) -> u8 {
        let mut n = 0u8;
        for r in records {
            if self.room() < Record::LEN {
                break;
            }
            self.put(&r.src.0);
            self.put(&r.dst.0);
            self.u32(r.nonce);
            self.u32(r.data);
            n = n.saturating_add(1);
        }
        n
    }

    /// An option by number, its contents written by `fill`.
    fn option(&mut self, number: u16, length: usize, fill: impl FnOnce(&mut Self)) {
        let start = self.len;
        let Ok(length) = u16::try_from(length) else {
            self.full = true;
            return;
        };
        self.put(&(number << 1).to_be_bytes());
        self.put(&length.to_be_bytes());
        fill(self);
        self.pad_to(start.saturating_add(total_len(length)));
    }

    /// "Any added padding bytes MUST be zeroed by the sender" (RFC 5533 section 5.15).
    fn pad_to(&mut self, end: usize) {
        while self.len < end && !self.full {
            self.put(&[0]);
        }
    }

    /// Responder Validator.
    pub fn validator(&mut self, validator: &[u8]) {
        self.option(number::RESPONDER_VALIDATOR, validator.len(), |b| b.put(validator));
    }

    /// Locator List, of at most 255 locators.
    pub fn locators<I>(&mut self, generation: u32, locators: I)
    where
        I: Iterator<Item = (Addr, Method)> + Clone,
    {
        let Some(n) = count(locators.clone()) else {
            self.full = true;
            return;
        };
        let prefix = LocatorList::prefix_len(n);
        self.option(number::LOCATOR_LIST, prefix + 16 * usize::from(n), |b| {
            let start = b.len;
            b.u32(generation);
            b.put(&[n]);
            for (_, method) in locators.clone() {
                b.put(&[method.number()]);
            }
            b.pad_to(start.saturating_add(prefix));
            for (addr, _) in locators {
                b.put(&addr.0);
            }
        });
    }

    /// Locator Preferences, with elements of three octets, at most 255.
    pub fn preferences<I>(&mut self, generation: u32, preferences: I)
    where
        I: Iterator<Item = Preference> + Clone,
    {
        let Some(n) = count(preferences.clone()) else {
            self.full = true;
            return;
        };
        self.option(number::LOCATOR_PREFERENCES, 5 + 3 * usize::from(n), |b| {
            b.u32(generation);
            b.put(&[3]);
            for p in preferences {
                b.put(&[p.flags, p.priority, p.weight]);
            }
        });
    }

    /// CGA Parameter Data Structure.
    pub fn pds(&mut self, pds: &[u8]) {
        self.option(number::PDS, pds.len(), |b| b.put(pds));
    }

    /// CGA Signature.
    pub fn signature(&mut self, signature: &[u8]) {
        self.option(number::SIGNATURE, signature.len(), |b| b.put(signature));
    }

    /// ULID Pair.
    pub fn ulids(&mut self, sender: &Addr, receiver: &Addr) {
        self.option(number::ULID_PAIR, 36, |b| {
            b.u32(0);
            b.put(&sender.0);
            b.put(&receiver.0);
        });
    }

    /// Forked Instance Identifier.
    pub fn fii(&mut self, fii: u32) {
        self.option(number::FII, 4, |b| b.u32(fii));
    }

    /// Keepalive Timeout, in seconds.
    pub fn keepalive_timeout(&mut self, seconds: u16) {
        self.option(number::KEEPALIVE_TIMEOUT, 4, |b| b.u32(u32::from(seconds)));
    }

    /// Fills in length and checksum; the message's octets, or `None` if the buffer was
    /// too small for it.
    pub fn finish(mut self) -> Option<usize> {
        self.pad_to(self.len.saturating_add(7) & !7);
        let units = u8::try_from((self.len / 8).checked_sub(1)?).ok()?;
        if self.full {
            return None;
        }
        self.set(1, units);
        let sum = checksum(self.buf.get(..self.len)?);
        self.buf.get_mut(4..6)?.copy_from_slice(&sum.to_be_bytes());
        Some(self.len)
    }
}

/// How many there are, if that fits an octet.
fn count<T>(items: impl Iterator<Item = T>) -> Option<u8> {
    let mut n = 0u8;
    for _ in items {
        n = n.checked_add(1)?;
    }
    Some(n)
}
