// SPDX-License-Identifier: GPL-2.0

//! Properties of the wire format: what is written is read back, and no octets from the
//! network do harm.

use crate::octets::{plain_checksum, rebuild, seal};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, Index};
use shim6_proto::proto::addr::{Addr, Tag};
use shim6_proto::proto::error::Cause;
use shim6_proto::proto::wire::lists::Preference;
use shim6_proto::proto::wire::{
    header, Body, Builder, Message, Method, Options, ParseError, PayloadHeader, ProbeState, Record,
    Type, MAX_MESSAGE,
};

/// What a message may say, apart from the order of its options.
#[derive(Clone, Debug, Default, PartialEq)]
struct Said {
    validator: Option<Vec<u8>>,
    ulids: Option<(Addr, Addr)>,
    fii: Option<u32>,
    locators: Option<(u32, Vec<(Addr, Method)>)>,
    preferences: Option<(u32, Vec<Preference>)>,
    pds: Option<Vec<u8>>,
    signature: Option<Vec<u8>>,
    keepalive_timeout_s: Option<u16>,
}

impl Said {
    fn of(o: &Options<'_>) -> Said {
        Said {
            validator: o.validator.map(<[u8]>::to_vec),
            ulids: o.ulids,
            fii: o.fii,
            locators: o.locators.map(|l| (l.generation, l.iter().collect())),
            preferences: o.preferences.map(|l| (l.generation, l.iter().collect())),
            pds: o.pds.map(<[u8]>::to_vec),
            signature: o.signature.map(<[u8]>::to_vec),
            keepalive_timeout_s: o.keepalive_timeout_s,
        }
    }

    /// Writes the options, in an order of `order`'s choice.
    fn write(&self, m: &mut Builder<'_>, order: usize) {
        for i in 0..8 {
            match (i + order) % 8 {
                0 => self.validator.iter().for_each(|v| m.validator(v)),
                1 => self.ulids.iter().for_each(|(s, r)| m.ulids(s, r)),
                2 => self.fii.iter().for_each(|&f| m.fii(f)),
                3 => self.locators.iter().for_each(|(g, l)| m.locators(*g, l.iter().copied())),
                4 => {
                    self.preferences.iter().for_each(|(g, p)| m.preferences(*g, p.iter().copied()))
                }
                5 => self.pds.iter().for_each(|p| m.pds(p)),
                6 => self.signature.iter().for_each(|s| m.signature(s)),
                _ => self.keepalive_timeout_s.iter().for_each(|&s| m.keepalive_timeout(s)),
            }
        }
    }

    /// Leaves out what `kind` does not list.
    fn listed_for(self, kind: Type) -> Said {
        let opens = matches!(kind, Type::I1 | Type::I2 | Type::I2bis);
        let tells = matches!(kind, Type::I2 | Type::R2 | Type::I2bis | Type::UpdateRequest);
        let proves = matches!(kind, Type::R1 | Type::I2 | Type::R1bis | Type::I2bis);
        Said {
            validator: self.validator.filter(|_| proves),
            ulids: self.ulids.filter(|_| opens),
            fii: self.fii.filter(|_| opens),
            locators: self.locators.filter(|_| tells),
            preferences: self.preferences.filter(|_| tells),
            pds: self.pds.filter(|_| tells),
            signature: self.signature.filter(|_| tells),
            keepalive_timeout_s: self.keepalive_timeout_s.filter(|_| tells),
        }
    }
}

fn addr() -> impl Strategy<Value = Addr> {
    any::<[u8; 16]>().prop_map(Addr)
}

fn tag() -> impl Strategy<Value = Tag> {
    any::<u64>().prop_map(Tag::new)
}

fn method() -> impl Strategy<Value = Method> {
    any::<u8>().prop_map(Method::from_number)
}

fn preference() -> impl Strategy<Value = Preference> {
    any::<(u8, u8, u8)>().prop_map(|(flags, priority, weight)| Preference {
        flags,
        priority,
        weight,
    })
}

fn said() -> impl Strategy<Value = Said> {
    (
        of(vec(any::<u8>(), 0..40)),
        of((addr(), addr())),
        of(any::<u32>()),
        of((any::<u32>(), vec((addr(), method()), 0..=32))),
        of((any::<u32>(), vec(preference(), 0..=32))),
        of(vec(any::<u8>(), 0..200)),
        of(vec(any::<u8>(), 0..140)),
        of(any::<u16>()),
    )
        .prop_map(|(validator, ulids, fii, locators, preferences, pds, signature, seconds)| {
            Said {
                validator,
                ulids,
                fii,
                locators,
                preferences,
                pds,
                signature,
                keepalive_timeout_s: seconds,
            }
        })
}

/// The fixed part of a message with options; probes and errors have tests of their own.
fn body() -> impl Strategy<Value = Body<'static>> {
    (select(&[1u8, 2, 3, 4, 5, 6, 64, 65, 66][..]), tag(), any::<u32>(), any::<u32>(), tag())
        .prop_map(|(number, tag, x, y, packet_tag)| match number {
            1 => Body::I1 { initiator_tag: tag, initiator_nonce: x },
            2 => Body::R1 { initiator_nonce: x, responder_nonce: y },
            3 => Body::I2 { initiator_tag: tag, initiator_nonce: x, responder_nonce: y },
            4 => Body::R2 { responder_tag: tag, initiator_nonce: x },
            5 => Body::R1bis { packet_tag: tag, responder_nonce: x },
            6 => Body::I2bis {
                initiator_tag: tag,
                initiator_nonce: x,
                responder_nonce: y,
                packet_tag,
            },
            64 => Body::UpdateRequest { tag, nonce: x },
            65 => Body::UpdateAck { tag, nonce: x },
            _ => Body::Keepalive { tag },
        })
}

fn kind(body: &Body<'_>) -> Type {
    Message { body: *body, options: Options::default(), bytes: &[] }.kind()
}

/// A message and what it says.
fn message() -> impl Strategy<Value = (Body<'static>, Said, Vec<u8>)> {
    let fits = "no longer than a packet";
    (body(), said(), 0usize..8).prop_filter_map(fits, |(body, said, order)| {
        let said = said.listed_for(kind(&body));
        let mut buf = vec![0xa5; MAX_MESSAGE];
        let mut m = Builder::new(&mut buf, &body);
        said.write(&mut m, order);
        let len = m.finish()?;
        buf.truncate(len);
        Some((body, said, buf))
    })
}

fn record() -> impl Strategy<Value = Record> {
    (addr(), addr(), any::<u32>(), any::<u32>()).prop_map(|(src, dst, nonce, data)| Record {
        src,
        dst,
        nonce,
        data,
    })
}

fn probe_state() -> impl Strategy<Value = ProbeState> {
    select(&[ProbeState::Operational, ProbeState::Exploring, ProbeState::InboundOk][..])
}

/// Any message at all, sealed.
fn any_message() -> impl Strategy<Value = Vec<u8>> {
    let probe = (tag(), probe_state(), vec(record(), 1..4), vec(record(), 0..4)).prop_map(
        |(tag, state, sent, received)| {
            let mut buf = vec![0; MAX_MESSAGE];
            let mut m = Builder::probe(&mut buf, tag, state);
            m.records(sent.into_iter(), received.into_iter());
            let len = m.finish().unwrap();
            buf.truncate(len);
            buf
        },
    );
    let error =
        (0u8..128, any::<u16>(), vec(any::<u8>(), 0..200)).prop_map(|(code, pointer, packet)| {
            let mut buf = vec![0; MAX_MESSAGE];
            let body = Body::Error { code, pointer, packet: &packet };
            let len = Builder::new(&mut buf, &body).finish().unwrap();
            buf.truncate(len);
            buf
        });
    prop_oneof![4 => message().prop_map(|(_, _, bytes)| bytes), 1 => probe, 1 => error]
}

/// What a message says, whoever wrote it: its fixed part, and its options.
fn meaning(bytes: &[u8]) -> Result<(String, Said), ParseError> {
    let message = Message::parse(bytes)?;
    let body = match message.body {
        Body::Probe { tag, ref probe } => {
            let (sent, received): (Vec<_>, Vec<_>) =
                (probe.sent().collect(), probe.received().collect());
            format!("{tag} {:?} {sent:?} {received:?}", probe.state)
        }
        other => format!("{other:?}"),
    };
    Ok((body, Said::of(&message.options)))
}

/// What `bytes` say, written anew, is the same and is written the same.
fn understood(bytes: &[u8], said: (String, Said)) -> Result<(), TestCaseError> {
    let Some(again) = rebuild(&Message::parse(bytes).unwrap()) else {
        return Ok(());
    };
    prop_assert_eq!(meaning(&again), Ok(said));
    prop_assert_eq!(rebuild(&Message::parse(&again).unwrap()), Some(again));
    Ok(())
}

proptest! {
    #[test]
    fn what_is_written_is_read((body, said, bytes) in message()) {
        let read = Message::parse(&bytes).unwrap();
        prop_assert_eq!(read.body, body);
        prop_assert_eq!(Said::of(&read.options), said);
        prop_assert_eq!(read.options.unknown_critical, None);
        prop_assert_eq!(read.bytes, &bytes[..]);
    }

    #[test]
    fn what_is_written_has_a_right_checksum_and_length(bytes in any_message()) {
        prop_assert_eq!(plain_checksum(&bytes), 0);
        prop_assert_eq!(bytes.len(), 8 * (usize::from(bytes[1]) + 1));
        prop_assert_eq!(bytes[0], 59);
        prop_assert!(bytes[2] < 128 && bytes[3] & 1 == 0);
    }

    #[test]
    fn probes_are_read_back(
        tag in tag(),
        state in probe_state(),
        sent in vec(record(), 1..=15),
        received in vec(record(), 0..=15),
    ) {
        let mut buf = vec![0xa5; MAX_MESSAGE];
        let mut m = Builder::probe(&mut buf, tag, state);
        m.records(sent.iter().copied(), received.iter().copied());
        let len = m.finish().unwrap();
        let Body::Probe { tag: t, probe } = Message::parse(&buf[..len]).unwrap().body else {
            panic!()
        };
        prop_assert_eq!((t, probe.state), (tag, state));
        prop_assert!(probe.sent().eq(sent) && probe.received().eq(received));
    }

    #[test]
    fn every_strict_prefix_is_an_error(bytes in any_message()) {
        for len in 0..bytes.len() {
            prop_assert!(Message::parse(&bytes[..len]).is_err());
        }
    }

    #[test]
    fn a_changed_octet_is_an_error(bytes in any_message(), at: Index, flip in 1u8..) {
        let mut wrong = bytes.clone();
        wrong[at.index(bytes.len())] ^= flip;
        prop_assert!(Message::parse(&wrong).is_err());
    }

    #[test]
    fn a_buffer_is_filled_to_its_end_or_not_at_all(
        (body, said, bytes) in message(), room in 0usize..2000,
    ) {
        let mut buf = vec![0xa5; room + 8];
        let mut m = Builder::new(&mut buf[..room], &body);
        said.write(&mut m, 0);
        let len = m.finish();
        prop_assert_eq!(len, (room >= bytes.len()).then_some(bytes.len()));
        let written = len.unwrap_or(room);
        prop_assert!(buf[written..].iter().all(|&o| o == 0xa5), "written behind the end");
    }

    #[test]
    fn no_octets_do_harm(bytes in vec(any::<u8>(), 0..1400)) {
        let _ = Message::parse(&bytes).map_err(|e| e.counter());
        let _ = PayloadHeader::parse(&bytes);
        prop_assert_eq!(header::checksum(&bytes), plain_checksum(&bytes));
    }

    /// Octets that get past the checksum.
    #[test]
    fn no_sealed_octets_do_harm(
        kind in select(&[1u8, 2, 3, 4, 5, 6, 64, 65, 66, 67, 68, 99][..]),
        rest in vec(prop_oneof![3 => 0u8..16, 1 => any::<u8>()], 4..1200),
    ) {
        let bytes = seal([&[59, 0, kind, 0][..], &rest].concat());
        if let Ok(said) = meaning(&bytes) {
            understood(&bytes, said)?;
        }
    }

    /// Messages that are nearly right.
    #[test]
    fn a_changed_message_is_refused_or_understood(
        bytes in any_message(),
        changes in vec((any::<Index>(), prop_oneof![0u8..8, any::<u8>()]), 1..4),
    ) {
        let mut changed = bytes;
        for (at, to) in changes {
            let at = at.index(changed.len());
            if at != 1 {
                changed[at] = to;
            }
        }
        let changed = seal(changed);
        if let Ok(said) = meaning(&changed) {
            understood(&changed, said)?;
        }
    }

    /// Elements of other lengths than three octets, and more of them than locators can be.
    #[test]
    fn preferences_of_any_length_are_read(
        element in 1usize..9, count in 0usize..700, octets in vec(any::<u8>(), MAX_MESSAGE - 25),
    ) {
        let elements = &octets[..element * count.min(octets.len() / element)];
        let mut bytes = vec![59, 0, 4, 0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0, 9];
        bytes.extend([0, 6]);
        bytes.extend((5 + elements.len() as u16).to_be_bytes());
        bytes.extend([0, 0, 0, 7, element as u8]);
        bytes.extend(elements);
        let bytes = seal(bytes);
        let said = meaning(&bytes).unwrap();
        let read = elements.chunks(element).map(|octets| {
            let octet = |at: usize| octets.get(at).copied().unwrap_or(0);
            Preference { flags: octet(0), priority: octet(1), weight: octet(2) }
        });
        prop_assert_eq!(&said.1.preferences, &Some((7, read.collect())));
        understood(&bytes, said)?;
    }

    /// Options nobody knows, between those that somebody does.
    #[test]
    fn an_unknown_option_changes_nothing(
        (body, said, bytes) in message(), number in 11u16..0x7fff, octets in vec(any::<u8>(), 0..40),
    ) {
        let mut longer = bytes.clone();
        longer.extend((number << 1).to_be_bytes());
        longer.extend((octets.len() as u16).to_be_bytes());
        longer.extend(&octets);
        let longer = seal(longer);
        prop_assume!(longer.len() <= MAX_MESSAGE);
        let read = Message::parse(&longer).unwrap();
        prop_assert_eq!((read.body, Said::of(&read.options)), (body, said));
        let mut critical = longer.clone();
        critical[bytes.len() + 1] |= 1;
        let critical = seal(critical);
        let read = Message::parse(&critical).unwrap();
        prop_assert_eq!(read.options.unknown_critical, Some(bytes.len()));
    }

    #[test]
    fn payload_headers_are_read_back(next: u8, tag in tag(), behind in vec(any::<u8>(), 0..9)) {
        let header = PayloadHeader { next, tag };
        let bytes = [&header.emit()[..], &behind].concat();
        prop_assert_eq!(PayloadHeader::parse(&bytes), Some(header));
        prop_assert_eq!(Message::parse(&bytes).is_err(), true);
    }
}

#[test]
fn each_cause_has_a_counter_of_its_own() {
    let causes = [
        ParseError::Truncated,
        ParseError::Payload,
        ParseError::TooShort,
        ParseError::TooLong,
        ParseError::Checksum,
        ParseError::NotShim6,
        ParseError::OptionLength,
        ParseError::OptionContents,
        ParseError::OptionTwice,
        ParseError::TooManyLocators,
        ParseError::ProbeContents,
    ];
    let counters: std::collections::HashSet<_> = causes.iter().map(Cause::counter).collect();
    assert_eq!(counters.len(), causes.len());
}
