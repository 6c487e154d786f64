// SPDX-License-Identifier: GPL-2.0

//! Every message, octet by octet as the RFCs draw it, written by hand.

use crate::octets::{rebuild, seal};
use shim6_proto::proto::addr::{Addr, Tag};
use shim6_proto::proto::wire::lists::Preference;
use shim6_proto::proto::wire::{
    header, Body, Builder, Message, Method, ParseError, PayloadHeader, ProbeState, Record, Type,
    MAX_MESSAGE,
};

/// The octets of hexadecimal digits; all else is ignored.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|d| ((d[0] << 4) | d[1]) as u8).collect()
}

const A: Addr = Addr::from_bits(0x20010db8000a0001_0000000000000001);
const B: Addr = Addr::from_bits(0x20010db8000b0001_0000000000000002);
const C: Addr = Addr::from_bits(0x20010db8000c0001_0000000000000003);
const INITIATOR_TAG: Tag = Tag::new(0x1234_5678_9abc);
const RECEIVER_TAG: Tag = Tag::new(0x00fe_dcba_9876);
const PACKET_TAG: Tag = Tag::new(0x5555_5555_5555);

/// Next Header 59, Hdr Ext Len, P + Type, S, checksum, R + tag, nonce.
const I1: &str = "3b 01 01 00 7b4e 123456789abc a1a2a3a4";
/// The greatest tag; ULID Pair of 4 + 36 octets, Forked Instance Identifier of 4 + 4.
const I1_RECOVERING: &str = "3b 07 01 00 4a8a 7fffffffffff 00000001
    000c 0024 00000000 20010db8000a00010000000000000001 20010db8000c00010000000000000003
    000e 0004 deadbeef";
/// Reserved2, both nonces; a Responder Validator of 5 octets, which are padded with 7.
const R1: &str = "3b 03 02 00 0339 0000 a1a2a3a4 b1b2b3b4
    0002 0005 0506070809 00000000000000";
/// Tag, both nonces, Reserved2, and every option an I2 may have: before the locators are
/// 4 + 4 + 1 + 2 octets, so that 5 of padding bring them to a multiple of 8.
const I2: &str = "3b 16 03 00 1b35 123456789abc a1a2a3a4 b1b2b3b4 00000000
    0002 0005 0506070809 00000000000000
    000c 0024 00000000 20010db8000a00010000000000000001 20010db8000c00010000000000000003
    000e 0004 deadbeef
    0004 002c 00000007 02 0101 0000000000
              20010db8000a00010000000000000001 20010db8000b00010000000000000002
    0006 000b 00000007 03 000a64 011400 00
    0008 000a c0c1c2c3c4c5c6c7c8c9 0000
    000a 0004 51525354
    0014 0004 0000 000a";
const R2: &str = "3b 07 04 00 a6bd 00fedcba9876 a1a2a3a4
    0004 002c 00000007 02 0101 0000000000
              20010db8000a00010000000000000001 20010db8000b00010000000000000002";
const R1BIS: &str = "3b 03 05 00 4580 555555555555 b1b2b3b4
    0002 0005 0506070809 00000000000000";
/// 49 bits of Reserved2 before the Packet Context Tag.
const I2BIS: &str = "3b 05 06 00 fbcd 123456789abc a1a2a3a4 b1b2b3b4
    00000000 0000 555555555555
    0002 0005 0506070809 00000000000000";
const UPDATE: &str = "3b 0a 40 00 1bc8 00fedcba9876 c1c2c3c4
    0004 002c 00000007 02 0101 0000000000
              20010db8000a00010000000000000001 20010db8000b00010000000000000002
    0006 000b 00000007 03 000a64 011400 00
    0014 0004 0000 000a";
const UPDATE_ACK: &str = "3b 01 41 00 8847 00fedcba9876 c1c2c3c4";
const KEEPALIVE: &str = "3b 01 42 00 0ccf 00fedcba9876 00000000";
/// One probe received, two sent, State InboundOk; the sent ones come first.
const PROBE: &str = "3b 10 43 00 41ea 00fedcba9876 12 80 0000
    20010db8000a00010000000000000001 20010db8000b00010000000000000002 01020304 05060708
    20010db8000b00010000000000000002 20010db8000a00010000000000000001 11121314 15161718
    20010db8000c00010000000000000003 20010db8000a00010000000000000001 21222324 00000000";
/// Error code 1 in the seven bits before S; the Pointer counts from the IPv6 header.
const ERROR: &str = "3b 06 44 02 b5c8 0050
    6000000000101140 20010db8000b00010000000000000002 20010db8000a00010000000000000001
    3b01c30000000000";
const UNKNOWN: &str = "3b 01 7f 00 cfce 00fedcba9876 00000000";

const ALL: [&str; 13] = [
    I1,
    I1_RECOVERING,
    R1,
    I2,
    R2,
    R1BIS,
    I2BIS,
    UPDATE,
    UPDATE_ACK,
    KEEPALIVE,
    PROBE,
    ERROR,
    UNKNOWN,
];

const VALIDATOR: [u8; 5] = [5, 6, 7, 8, 9];
const SENT: [Record; 2] = [
    Record { src: A, dst: B, nonce: 0x01020304, data: 0x05060708 },
    Record { src: B, dst: A, nonce: 0x11121314, data: 0x15161718 },
];
const RECEIVED: [Record; 1] = [Record { src: C, dst: A, nonce: 0x21222324, data: 0 }];
const PREFERENCES: [Preference; 2] = [
    Preference { flags: 0, priority: 10, weight: 100 },
    Preference { flags: Preference::BROKEN, priority: 20, weight: 0 },
];

const I1_BODY: Body<'_> = Body::I1 { initiator_tag: INITIATOR_TAG, initiator_nonce: 0xa1a2a3a4 };
const R1_BODY: Body<'_> = Body::R1 { initiator_nonce: 0xa1a2a3a4, responder_nonce: 0xb1b2b3b4 };
const I2_BODY: Body<'_> = Body::I2 {
    initiator_tag: INITIATOR_TAG,
    initiator_nonce: 0xa1a2a3a4,
    responder_nonce: 0xb1b2b3b4,
};
const R2_BODY: Body<'_> = Body::R2 { responder_tag: RECEIVER_TAG, initiator_nonce: 0xa1a2a3a4 };
const R1BIS_BODY: Body<'_> = Body::R1bis { packet_tag: PACKET_TAG, responder_nonce: 0xb1b2b3b4 };
const I2BIS_BODY: Body<'_> = Body::I2bis {
    initiator_tag: INITIATOR_TAG,
    initiator_nonce: 0xa1a2a3a4,
    responder_nonce: 0xb1b2b3b4,
    packet_tag: PACKET_TAG,
};
const UPDATE_BODY: Body<'_> = Body::UpdateRequest { tag: RECEIVER_TAG, nonce: 0xc1c2c3c4 };
const UPDATE_ACK_BODY: Body<'_> = Body::UpdateAck { tag: RECEIVER_TAG, nonce: 0xc1c2c3c4 };
const KEEPALIVE_BODY: Body<'_> = Body::Keepalive { tag: RECEIVER_TAG };

fn locators(m: &mut Builder<'_>) {
    m.locators(7, [(A, Method::Hba), (B, Method::Hba)].into_iter());
}

/// Writes one message in each way of buffer, and compares.
fn emits(want: &str, body: &Body<'_>, options: impl Fn(&mut Builder<'_>)) {
    emits_with(want, |buf| {
        let mut m = Builder::new(buf, body);
        options(&mut m);
        m.finish()
    });
}

fn emits_with(want: &str, write: impl Fn(&mut [u8]) -> Option<usize>) {
    let want = hex(want);
    // What nobody wrote would show as 0xa5.
    let mut buf = [0xa5; MAX_MESSAGE + 100];
    assert_eq!(write(&mut buf), Some(want.len()));
    assert_eq!(buf[..want.len()], want);
    assert!(buf[want.len()..].iter().all(|&o| o == 0xa5), "written behind the end");
    let mut exact = vec![0xa5; want.len()];
    assert_eq!(write(&mut exact), Some(want.len()));
    assert_eq!(exact, want);
    for len in 0..want.len() {
        let mut short = vec![0xa5; len];
        assert_eq!(write(&mut short), None, "{} octets into {len}", want.len());
    }
}

fn parse(bytes: &[u8]) -> Result<Message<'_>, ParseError> {
    Message::parse(bytes)
}

#[test]
fn messages_are_written_as_the_rfcs_draw_them() {
    emits(I1, &I1_BODY, |_| ());
    let recovering = Body::I1 { initiator_tag: Tag::new(u64::MAX), initiator_nonce: 1 };
    emits(I1_RECOVERING, &recovering, |m| {
        m.ulids(&A, &C);
        m.fii(0xdeadbeef);
    });
    emits(R1, &R1_BODY, |m| m.validator(&VALIDATOR));
    emits(I2, &I2_BODY, |m| {
        m.validator(&VALIDATOR);
        m.ulids(&A, &C);
        m.fii(0xdeadbeef);
        locators(m);
        m.preferences(7, PREFERENCES.into_iter());
        m.pds(&hex("c0c1c2c3c4c5c6c7c8c9"));
        m.signature(&hex("51525354"));
        m.keepalive_timeout(10);
    });
    emits(R2, &R2_BODY, locators);
    emits(R1BIS, &R1BIS_BODY, |m| m.validator(&VALIDATOR));
    emits(I2BIS, &I2BIS_BODY, |m| m.validator(&VALIDATOR));
    emits(UPDATE, &UPDATE_BODY, |m| {
        locators(m);
        m.preferences(7, PREFERENCES.into_iter());
        m.keepalive_timeout(10);
    });
    emits(UPDATE_ACK, &UPDATE_ACK_BODY, |_| ());
    emits(KEEPALIVE, &KEEPALIVE_BODY, |_| ());
    emits(UNKNOWN, &Body::Unknown { number: 127, tag: RECEIVER_TAG }, |_| ());
    let packet = hex(ERROR)[8..].to_vec();
    emits(ERROR, &Body::Error { code: 1, pointer: 0x50, packet: &packet }, |_| ());
}

#[test]
fn a_probe_is_written_with_as_many_records_as_fit() {
    let write = |buf: &mut [u8]| {
        let mut m = Builder::probe(buf, RECEIVER_TAG, ProbeState::InboundOk);
        m.records(SENT.into_iter(), RECEIVED.into_iter());
        m.finish()
    };
    let mut buf = [0xa5; MAX_MESSAGE];
    assert_eq!(write(&mut buf), Some(136));
    assert_eq!(buf[..136], hex(PROBE));
    assert_eq!(write(&mut buf[..136]), Some(136));
    // Without room for the third record: none received, and the counts say so.
    assert_eq!(write(&mut buf[..135]), Some(96));
    let Ok(Message { body: Body::Probe { probe, .. }, .. }) = parse(&buf[..96]) else { panic!() };
    assert!(probe.sent().eq(SENT));
    assert_eq!(probe.received().count(), 0);
    // Four bits count them.
    let mut m = Builder::probe(&mut buf, RECEIVER_TAG, ProbeState::Exploring);
    m.records([SENT[0]; 20].into_iter(), [RECEIVED[0]; 20].into_iter());
    assert_eq!(m.finish(), Some(16 + 30 * Record::LEN));
    assert_eq!(buf[12], 0xff);
    assert!(parse(&buf).is_ok());
}

#[test]
fn messages_are_read_as_the_rfcs_draw_them() {
    let body = |text: &str| {
        let bytes = hex(text);
        // The packet may go on behind the message.
        let longer = [&bytes[..], &[0xa5; 9]].concat();
        assert_eq!(parse(&longer).map(|m| m.bytes.len()), Ok(bytes.len()));
        assert_eq!(rebuild(&parse(&bytes).unwrap()).as_ref(), Some(&bytes), "{text}");
        bytes
    };
    let cases = [
        (I1, I1_BODY),
        (R1, R1_BODY),
        (I2, I2_BODY),
        (R2, R2_BODY),
        (R1BIS, R1BIS_BODY),
        (I2BIS, I2BIS_BODY),
        (UPDATE, UPDATE_BODY),
        (UPDATE_ACK, UPDATE_ACK_BODY),
        (KEEPALIVE, KEEPALIVE_BODY),
        (UNKNOWN, Body::Unknown { number: 127, tag: RECEIVER_TAG }),
    ];
    for (text, want) in cases {
        let bytes = body(text);
        let message = parse(&bytes).unwrap();
        assert_eq!(message.body, want);
        assert_eq!(message.kind().number(), bytes[2]);
    }
    let bytes = body(PROBE);
    let Body::Probe { tag, probe } = parse(&bytes).unwrap().body else { panic!() };
    assert_eq!((tag, probe.state), (RECEIVER_TAG, ProbeState::InboundOk));
    assert!(probe.sent().eq(SENT) && probe.received().eq(RECEIVED));
    let bytes = body(ERROR);
    let want = Body::Error { code: 1, pointer: 0x50, packet: &bytes[8..] };
    assert_eq!(parse(&bytes).unwrap().body, want);
}

#[test]
fn options_are_read_as_the_rfcs_draw_them() {
    let bytes = hex(I2);
    let o = parse(&bytes).unwrap().options;
    assert_eq!(o.validator, Some(&VALIDATOR[..]));
    assert_eq!(o.ulids, Some((A, C)));
    assert_eq!(o.fii, Some(0xdeadbeef));
    let list = o.locators.unwrap();
    assert_eq!((list.generation, list.len()), (7, 2));
    assert!(list.iter().eq([(A, Method::Hba), (B, Method::Hba)]));
    assert!(list.contains(&B) && !list.contains(&C));
    let preferences = o.preferences.unwrap();
    assert_eq!((preferences.generation, preferences.count()), (7, 2));
    assert!(preferences.iter().eq(PREFERENCES));
    assert_eq!(o.pds, Some(&hex("c0c1c2c3c4c5c6c7c8c9")[..]));
    assert_eq!(o.signature, Some(&hex("51525354")[..]));
    assert_eq!(o.keepalive_timeout_s, Some(10));
    assert_eq!(o.unknown_critical, None);
    // Where an Error's Pointer would point.
    assert_eq!(bytes[o.methods_at..o.methods_at + 2], [1, 1]);
    assert_eq!(bytes[o.preferences_at..o.preferences_at + 4], [0, 6, 0, 11]);
}

#[test]
fn no_octet_may_be_missing_and_no_bit_wrong() {
    for text in ALL {
        let bytes = hex(text);
        for len in 0..bytes.len() {
            assert_eq!(parse(&bytes[..len]), Err(ParseError::Truncated), "{len} of {text}");
        }
        for bit in 0..8 * bytes.len() {
            // The Next Header is only "normally" 59, but it is summed up as well.
            let mut wrong = bytes.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&wrong).is_err(), "bit {bit} of {text}");
        }
    }
}

#[test]
fn reserved_bits_and_padding_do_not_count() {
    // (message, octet, reserved bits)
    let reserved = [
        (I1, 3, 0xfe),
        (I1, 6, 0x80),
        (R1, 6, 0xff),
        (R1, 7, 0xff),
        (I2, 6, 0x80),
        (I2, 20, 0xff),
        (I2BIS, 20, 0xff),
        (I2BIS, 26, 0x80),
        (KEEPALIVE, 12, 0xff),
        (PROBE, 13, 0x3f),
        (PROBE, 15, 0xff),
        (I1_RECOVERING, 20, 0xff),
        // Padding of the validator, of the locator list, before the Keepalive Timeout.
        (R1, 25, 0xff),
        (R2, 27, 0xff),
        (UPDATE, 85, 0xff),
    ];
    for (text, at, bits) in reserved {
        let plain = hex(text);
        let mut set = plain.clone();
        set[at] |= bits;
        let set = seal(set);
        assert_ne!(set, plain);
        let (a, b) = (parse(&plain).unwrap(), parse(&set).unwrap());
        assert_eq!(rebuild(&a), rebuild(&b), "octet {at} of {text}");
    }
}

/// Reserved1, seven bits of the fourth octet, in every message but Error, which has its code
/// there; R, the first bit of the tag's octets, in all that have a tag.
#[test]
fn reserved1_and_r_of_every_message_do_not_count() {
    let tagged = [I1, I2, R2, R1BIS, I2BIS, UPDATE, UPDATE_ACK, KEEPALIVE, PROBE];
    let all = tagged.iter().map(|text| (*text, true)).chain([(R1, false)]);
    for (text, has_tag) in all {
        let plain = hex(text);
        for (at, bits) in [(3, 0xfe), (6, 0x80)] {
            if at == 6 && !has_tag {
                continue;
            }
            let mut set = plain.clone();
            assert_eq!(set[at] & bits, 0, "octet {at} of {text}");
            set[at] |= bits;
            let set = seal(set);
            let (a, b) = (parse(&plain).unwrap(), parse(&set).unwrap());
            assert_eq!(a.body, b.body, "octet {at} of {text}");
            assert_eq!(rebuild(&a), rebuild(&b), "octet {at} of {text}");
        }
    }
}

#[test]
fn each_wrong_header_has_its_name() {
    let changed = |text: &str, at: usize, to: u8| {
        let mut bytes = hex(text);
        bytes[at] = to;
        bytes
    };
    let sealed = |text: &str, at: usize, to: u8| seal(changed(text, at, to));
    assert_eq!(parse(&sealed(I1, 3, 1)), Err(ParseError::NotShim6));
    assert_eq!(parse(&sealed(I1, 2, 0x81)), Err(ParseError::Payload));
    assert_eq!(parse(&changed(I1, 4, 0)), Err(ParseError::Checksum));
    // A packet of 1281 octets is too long, one of 1280 is not.
    let long = |len: usize| seal([&hex(UNKNOWN)[..], &vec![0; len - 16]].concat());
    assert!(parse(&long(1240)).is_ok());
    assert_eq!(parse(&long(1248)), Err(ParseError::TooLong));
    // One unit less than the fixed part.
    for (text, least) in [
        (I1, 16),
        (R1, 16),
        (I2, 24),
        (R2, 16),
        (R1BIS, 16),
        (I2BIS, 32),
        (UPDATE, 16),
        (UPDATE_ACK, 16),
        (KEEPALIVE, 16),
        (PROBE, 16),
        (ERROR, 16),
    ] {
        let short = seal(hex(text)[..least - 8].to_vec());
        assert_eq!(parse(&short), Err(ParseError::TooShort), "{text}");
        if text != PROBE {
            assert!(parse(&seal(hex(text)[..least].to_vec())).is_ok(), "{text}");
        }
    }
    assert!(parse(&seal(hex("3b 00 7f 00 0000 0000"))).is_ok(), "the minimum is 8 octets");
}

#[test]
fn each_wrong_probe_is_refused() {
    let with = |at: usize, to: u8| {
        let mut bytes = hex(PROBE);
        bytes[at] = to;
        seal(bytes)
    };
    let state = |sta: u8| match parse(&with(13, sta << 6))?.body {
        Body::Probe { probe, .. } => Ok(probe.state),
        _ => panic!(),
    };
    assert_eq!(state(0), Ok(ProbeState::Operational));
    assert_eq!(state(1), Ok(ProbeState::Exploring));
    assert_eq!(state(3), Err(ParseError::ProbeContents));
    let bad = Err(ParseError::ProbeContents);
    assert_eq!(parse(&with(12, 0x10)), bad, "it is not among those sent");
    assert_eq!(parse(&with(12, 0x13)), bad, "four records claimed, three there");
    assert_eq!(parse(&with(12, 0xff)), bad);
    // Fewer claimed than there: what is left would have to be options.
    assert!(parse(&with(12, 0x11)).is_err());
}

/// An I2, an Update Request or whatever `head` is, with these options.
fn with_options(head: &str, options: &str) -> Vec<u8> {
    seal([hex(head), hex(options)].concat())
}

const I2_HEAD: &str = "3b 00 03 00 0000 123456789abc a1a2a3a4 b1b2b3b4 00000000";
const I1_HEAD: &str = "3b 00 01 00 0000 123456789abc a1a2a3a4";
const KEEPALIVE_HEAD: &str = "3b 00 42 00 0000 00fedcba9876 00000000";

#[test]
fn each_wrong_option_has_its_name() {
    let error = |options: &str| parse(&with_options(I2_HEAD, options)).err();
    let two = "20010db8000a00010000000000000001 20010db8000b00010000000000000002";
    let three = format!("{two} 20010db8000c00010000000000000003");
    assert_eq!(error(""), None);

    let length = Some(ParseError::OptionLength);
    assert_eq!(error("0014 0005 0000000a"), length, "the padding is missing");
    assert_eq!(error("0002 ffff 00000000"), length);
    assert_eq!(error("7ffe 0010 00000000"), length, "nobody knows it, but it does not fit");
    assert_eq!(error("000e 0004 deadbeef 0002 0014 00000000"), length);

    let contents = Some(ParseError::OptionContents);
    assert_eq!(error("0014 0003 000000 00"), contents, "a Keepalive Timeout of 3");
    assert_eq!(error("0014 0005 0000000a00 00000000000000"), contents);
    assert_eq!(error("000e 0000 00000000"), contents, "an empty FII");
    assert_eq!(error("000e 0008 00000000deadbeef 00000000"), contents);
    assert_eq!(error(&format!("000c 0023 00000000 {two}")), contents, "a ULID of 15 octets");
    assert_eq!(error(&format!("000c 0034 00000000 {three}")), contents, "three ULIDs");
    assert_eq!(error("0004 0004 00000007"), contents, "a list without a number");
    assert_eq!(error(&format!("0004 002c 00000007 03 010101 00000000 {two}")), contents);
    assert_eq!(error(&format!("0004 002c 00000007 01 01 000000000000 {two}")), contents);
    assert_eq!(error(&format!("0004 003c 00000007 02 0101 0000000000 {three}")), contents);
    assert_eq!(error("0004 0005 00000007 ff 00000000000000"), contents, "methods beyond its end");
    assert_eq!(error("0006 0004 00000007"), contents, "no Element Len");
    assert_eq!(error("0006 0006 00000007 00 00 000000000000"), contents, "elements of 0 octets");
    assert_eq!(error("0006 0009 00000007 03 00000000 000000"), contents, "one and a third");

    let twice = Some(ParseError::OptionTwice);
    for option in [
        "0002 0004 01020304",
        "0004 000c 00000007 00 00000000000000",
        "0006 0005 00000007 03 00000000000000",
        "0008 0004 01020304",
        "000a 0004 01020304",
        &format!("000c 0024 00000000 {two}"),
        "000e 0004 00000001",
        "0014 0004 0000000a",
    ] {
        assert_eq!(error(option), None, "{option}");
        assert_eq!(error(&format!("{option} {option}")), twice, "{option}");
    }
}

#[test]
fn a_list_has_at_most_as_many_locators_as_are_kept() {
    let list = |n: usize| {
        let mut buf = vec![0; MAX_MESSAGE];
        let mut m = Builder::new(&mut buf, &UPDATE_BODY);
        m.locators(1, (0..n as u128).map(|i| (Addr::from_bits(i), Method::Cga)));
        let len = m.finish().unwrap();
        parse(&buf[..len]).map(|m| m.options.locators.map_or(0, |l| l.iter().count()))
    };
    for n in 0..=32 {
        assert_eq!(list(n), Ok(n));
    }
    assert_eq!(list(33), Err(ParseError::TooManyLocators));
    assert_eq!(list(70), Err(ParseError::TooManyLocators));
}

#[test]
fn elements_of_other_lengths_mean_the_same() {
    let read = |element_len: u8, elements: &str| {
        let length = 5 + hex(elements).len();
        let option = format!("0006 {length:04x} 00000007 {element_len:02x} {elements}");
        let padded = format!("{option} {}", "00".repeat((8 - (4 + length) % 8) % 8));
        let bytes = with_options(I2_HEAD, &padded);
        let list = parse(&bytes).unwrap().options.preferences.unwrap();
        list.iter().collect::<Vec<_>>()
    };
    let p = |flags, priority, weight| Preference { flags, priority, weight };
    assert_eq!(read(1, "01 02 00"), [p(1, 0, 0), p(2, 0, 0), p(0, 0, 0)]);
    assert_eq!(read(2, "0105 0206"), [p(1, 5, 0), p(2, 6, 0)]);
    assert_eq!(read(3, "010507"), [p(1, 5, 7)]);
    assert_eq!(read(5, "010507ffff 020608ffff"), [p(1, 5, 7), p(2, 6, 8)]);
    assert_eq!(read(3, ""), []);
}

#[test]
fn an_option_nobody_knows_is_ignored_or_critical() {
    let critical = |head: &str, options: &str| {
        let bytes = with_options(head, options);
        let o = parse(&bytes).unwrap().options;
        (o.unknown_critical, o.fii)
    };
    let fii = "000e 0004 00000005";
    assert_eq!(critical(I1_HEAD, &format!("7ffe 0004 00000000 {fii}")), (None, Some(5)));
    assert_eq!(critical(I1_HEAD, &format!("{fii} 7fff 0000 00000000")), (Some(24), Some(5)));
    // The first of two; and what follows is not processed.
    let two = format!("0101 0000 00000000 7fff 0000 00000000 {fii}");
    assert_eq!(critical(I1_HEAD, &two), (Some(16), None));
    let bad_behind = "0101 0000 00000000 000e 0001 00 000000";
    assert_eq!(critical(I1_HEAD, bad_behind), (Some(16), None));
    // Known, but "not listed as a valid option" for this message.
    assert_eq!(critical(KEEPALIVE_HEAD, fii), (None, None));
    assert_eq!(critical(KEEPALIVE_HEAD, "000f 0004 00000005"), (Some(16), None));
    assert_eq!(critical(I1_HEAD, "0003 0004 00000005"), (Some(16), None));
    // Known and listed: then it does not matter that it is critical.
    assert_eq!(critical(I1_HEAD, "000f 0004 00000005"), (None, Some(5)));
}

#[test]
fn which_option_belongs_to_which_message() {
    // Heads of zeros: I1, R1, I2, R2, R1bis, I2bis, Update Request and Acknowledgement,
    // Keepalive; then which of them list the option.
    let heads =
        [(1, 16), (2, 16), (3, 24), (4, 16), (5, 16), (6, 32), (64, 16), (65, 16), (66, 16)];
    let ulids = format!("000d 0024 {}", "00".repeat(36));
    let cases = [
        ("0003 0004 00000000", &[2, 3, 5, 6][..]),
        ("0005 000c 00000007 00 00000000000000", &[3, 4, 6, 64]),
        ("0007 0005 00000007 03 00000000000000", &[3, 4, 6, 64]),
        ("0009 0004 00000000", &[3, 4, 6, 64]),
        ("000b 0004 00000000", &[3, 4, 6, 64]),
        (&ulids, &[1, 3, 6]),
        ("000f 0004 00000000", &[1, 3, 6]),
        ("0015 0004 0000000a", &[3, 4, 6, 64]),
    ];
    for (option, listed) in cases {
        for (number, len) in heads {
            let mut head = vec![0; len];
            head[2] = number;
            let bytes = seal([head, hex(option)].concat());
            let unknown = parse(&bytes).unwrap().options.unknown_critical;
            let want = (!listed.contains(&number)).then_some(len);
            assert_eq!(unknown, want, "type {number}, option {option}");
        }
    }
}

#[test]
fn a_list_longer_than_a_message_is_not_written() {
    let mut buf = vec![0; 2 * MAX_MESSAGE];
    for n in [76, 255, 256, 5000] {
        let mut m = Builder::new(&mut buf, &UPDATE_BODY);
        m.locators(1, (0..n).map(|_| (A, Method::Hba)));
        assert_eq!(m.finish(), None, "{n} locators");
    }
    for n in [1221, 70000] {
        let mut m = Builder::new(&mut buf, &R1_BODY);
        m.validator(&vec![1; n]);
        assert_eq!(m.finish(), None, "a validator of {n}");
    }
    // The longest message there is.
    let mut m = Builder::new(&mut buf, &R1_BODY);
    assert_eq!(m.room(), MAX_MESSAGE - 16);
    m.validator(&vec![1; MAX_MESSAGE - 16 - 4]);
    assert_eq!(m.finish(), Some(MAX_MESSAGE));
    assert!(parse(&buf).is_ok());
}

#[test]
fn an_error_about_little_is_padded() {
    let mut buf = [0xa5; 64];
    fn error(packet: &[u8]) -> Body<'_> {
        Body::Error { code: 0, pointer: 2, packet }
    }
    for (len, want) in [(0, 16), (1, 16), (8, 16), (9, 24)] {
        let packet = vec![0x60; len];
        assert_eq!(Builder::new(&mut buf, &error(&packet)).finish(), Some(want));
        let Ok(Message { body: Body::Error { packet: got, .. }, .. }) = parse(&buf) else {
            panic!()
        };
        assert!(got.starts_with(&packet) && got[len..].iter().all(|&o| o == 0));
    }
}

#[test]
fn the_payload_header_is_eight_octets() {
    let header = PayloadHeader { next: 6, tag: INITIATOR_TAG };
    let bytes = hex("06 00 9234 56789abc");
    assert_eq!(header.emit()[..], bytes);
    assert_eq!(PayloadHeader::parse(&[&bytes[..], b"tcp"].concat()), Some(header));
    assert_eq!(PayloadHeader::parse(&hex("06 00 1234 56789abc")), None, "P is zero");
    assert_eq!(PayloadHeader::parse(&hex("06 01 9234 56789abc")), None, "longer than 8");
    for len in 0..8 {
        assert_eq!(PayloadHeader::parse(&bytes[..len]), None);
    }
    let all = PayloadHeader { next: 255, tag: Tag::new(u64::MAX) };
    assert_eq!(all.emit()[..], hex("ff 00 ffff ffffffff"));
}

#[test]
fn the_checksum_is_that_of_rfc_1071() {
    // The example of its section 3.
    assert_eq!(header::checksum(&hex("0001 f203 f4f5 f6f7")), !0xddf2);
    assert_eq!(header::checksum(&[]), 0xffff);
    assert_eq!(header::checksum(&[0xff]), 0x00ff);
    assert_eq!(header::checksum(&vec![0xff; MAX_MESSAGE]), 0);
}

#[test]
fn the_types_are_those_of_table_1() {
    for number in 0..=127 {
        let kind = Type::from_number(number);
        assert_eq!(kind.number(), number);
        let known = matches!(number, 1..=6 | 64..=68);
        assert_eq!(matches!(kind, Type::Unknown(_)), !known);
    }
}
