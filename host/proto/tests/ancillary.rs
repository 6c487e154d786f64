// SPDX-License-Identifier: GPL-2.0

//! Ancillary data (RFC 6316 section 7): octets in and out, and the notes of packets.

use shim6_proto::proto::addr::{Addr, Pair, Tag};
use shim6_proto::proto::ancillary::{received, sockaddr, Note, Objects, SOCKADDR_LEN};
use shim6_proto::proto::sockapi::{Errno, Socket};
use shim6_proto::proto::wish::Feedback;
use std::collections::HashSet;

const LOCAL: i32 = 135;
const PEER: i32 = 136;
const FEEDBACK: i32 = 142;
const IF_SEND: i32 = 144;

const UDP: Socket = Socket { family: 10, kind: 2, protocol: 17, state: 1 };
const TCP: Socket = Socket { family: 10, kind: 1, protocol: 6, state: 1 };

fn addr(last: u8) -> Addr {
    let mut octets = [0x20; 16];
    octets[15] = last;
    Addr(octets)
}

fn one(kind: i32, data: &[u8]) -> Result<Objects, Errno> {
    let mut objects = Objects::default();
    objects.add(kind, data).map(|()| objects)
}

#[test]
fn locators_are_socket_addresses() {
    let octets = sockaddr(Some(&addr(1)));
    assert_eq!(octets[..2], 10u16.to_ne_bytes());
    assert_eq!(octets[2..8], [0; 6]);
    assert_eq!(octets[8..24], addr(1).0);
    assert_eq!(octets[24..], [0; 4]);
    assert_eq!(one(LOCAL, &octets).unwrap().local, Some(addr(1)));
    assert_eq!(one(PEER, &octets).unwrap().peer, Some(addr(1)));
    assert_eq!(sockaddr(None), [0; SOCKADDR_LEN]);
    for short in 0..SOCKADDR_LEN {
        assert_eq!(one(LOCAL, &octets[..short]), Err(Errno::Invalid), "{short} octets");
    }
    assert_eq!(one(LOCAL, &[0; SOCKADDR_LEN]), Err(Errno::Invalid), "no family");
    let mut ipv4 = [0; 16];
    ipv4[..2].copy_from_slice(&2u16.to_ne_bytes());
    assert_eq!(one(LOCAL, &ipv4), Err(Errno::InvalidLocator));
    assert_eq!(one(LOCAL, &ipv4[..15]), Err(Errno::Invalid));
}

#[test]
fn feedback_has_a_direction_and_an_indicator() {
    let of = |direction, indicator| {
        one(FEEDBACK, &[direction, indicator, 0xff, 0xff]).map(|objects| objects.feedback)
    };
    for direction in 0..=1 {
        assert_eq!(of(direction, 0), Ok(Some(None)));
        assert_eq!(of(direction, 1), Ok(Some(Some(Feedback::Negative))));
        assert_eq!(of(direction, 2), Ok(Some(Some(Feedback::Negative))));
        assert_eq!(of(direction, 3), Ok(Some(Some(Feedback::Satisfactory))));
        assert_eq!(of(direction, 4), Err(Errno::Invalid));
    }
    assert_eq!(of(2, 1), Err(Errno::Invalid));
    assert_eq!(one(FEEDBACK, &[0, 1, 0]), Err(Errno::Invalid));
}

#[test]
fn interfaces_have_positive_numbers() {
    let of = |index: i32| one(IF_SEND, &index.to_ne_bytes()).map(|objects| objects.interface);
    assert_eq!(of(7), Ok(Some(7)));
    assert_eq!(of(0), Err(Errno::Invalid));
    assert_eq!(of(-1), Err(Errno::Invalid));
    assert_eq!(one(IF_SEND, &[1, 0, 0]), Err(Errno::Invalid));
}

#[test]
fn each_kind_comes_once_and_those_of_recvmsg_never() {
    let octets = sockaddr(Some(&addr(1)));
    let mut objects = one(LOCAL, &octets).unwrap();
    assert_eq!(objects.add(LOCAL, &octets), Err(Errno::Invalid));
    assert_eq!(objects.add(PEER, &octets), Ok(()));
    for kind in [0, 128, 133, 134, 137, 143, 145, i32::MAX, i32::MIN] {
        assert_eq!(one(kind, &octets), Err(Errno::Invalid), "type {kind}");
    }
}

#[test]
fn a_choice_needs_a_datagram() {
    let chosen = one(LOCAL, &sockaddr(Some(&addr(1)))).unwrap();
    let told = one(FEEDBACK, &[0, 3, 0, 0]).unwrap();
    assert_eq!(chosen.suit(&UDP, false), Ok(()));
    assert_eq!(chosen.suit(&UDP, true), Err(Errno::NotSupported), "corked");
    assert_eq!(chosen.suit(&TCP, false), Err(Errno::NotSupported), "a stream");
    let index = one(IF_SEND, &7i32.to_ne_bytes()).unwrap();
    for chosen in [one(PEER, &sockaddr(Some(&addr(1)))).unwrap(), index] {
        assert!(chosen.chooses());
        assert_eq!(chosen.suit(&TCP, false), Err(Errno::NotSupported), "{chosen:?}");
    }
    assert!(!told.chooses());
    assert_eq!(told.suit(&TCP, true), Ok(()));
    assert_eq!(told.suit(&Socket { state: 2, ..TCP }, false), Err(Errno::NotSupported));
    let sctp = Socket { protocol: 132, ..TCP };
    assert_eq!(told.suit(&sctp, false), Err(Errno::NotSupported));
}

#[test]
fn notes_name_places() {
    let ulids = Pair { local: addr(1), peer: addr(2) };
    let locals: Vec<Addr> = (10..20).map(addr).collect();
    let peers: Vec<Addr> = (30..94).map(addr).collect();
    let base = Note::base(Tag::new(0x1234_5678_9abc), 3);
    for (l, local) in locals.iter().enumerate() {
        for (p, peer) in peers.iter().enumerate() {
            let note = Note::from_bits(base.at(l as u8, p as u8).bits());
            let expected = Pair { local: *local, peer: *peer };
            assert_eq!(received(note, ulids, base, &locals, &peers), Some(expected));
        }
    }
    let plain = Note::from_bits(0);
    assert_eq!(received(plain, ulids, base, &locals, &peers), Some(ulids));
    let note = base.at(1, 1);
    for other in
        [Note::base(Tag::new(0x1234_5678_9abd), 3), Note::base(Tag::new(0x1234_5678_9abc), 4)]
    {
        assert_eq!(received(note, ulids, other, &locals, &peers), None);
    }
    assert_eq!(received(base.at(10, 0), ulids, base, &locals, &peers), None, "no such place");
    // What is too great for its bits leaves those of the others alone.
    assert_eq!(base.at(64, 0), base.at(0, 64));
    assert_eq!(base, Note::base(Tag::new(0x1234_5678_9abc), 16 + 3));
    // Sixteen generations are told apart, whatever the tag, of which the low bits count.
    for tag in [0, 0x7fff, 0x8000, 0x7_8000, 0xffff_ffff_ffff] {
        let bases = (0..16).map(|g| Note::base(Tag::new(tag), g).bits());
        assert_eq!(bases.collect::<HashSet<_>>().len(), 16, "{tag:x}");
        assert_eq!(Note::base(Tag::new(tag), 3), Note::base(Tag::new(tag & 0x7fff), 3));
    }
    assert!(plain.is_plain() && !base.is_plain());
}
