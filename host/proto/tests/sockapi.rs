// SPDX-License-Identifier: GPL-2.0

//! The sockets API: who may ask for what, and the octets.

use shim6_proto::proto::addr::Addr;
use shim6_proto::proto::sockapi::*;
use shim6_proto::proto::wish::{Explore, Feedback, Wanted, WishError};

const STREAM: u16 = 1;
const TCP: u16 = 6;
const UDP: u16 = 17;
const DGRAM: u16 = 2;
const MPTCP: u16 = 262;
const CLOSE: u8 = 7;
const ESTABLISHED: u8 = 1;

const TCP6: Socket = Socket { family: 10, kind: STREAM, protocol: TCP, state: CLOSE };
const UDP4: Socket = Socket { family: 2, kind: DGRAM, protocol: UDP, state: ESTABLISHED };

fn connected(socket: Socket) -> Socket {
    Socket { state: ESTABLISHED, ..socket }
}

#[test]
fn which_sockets_are_served() {
    let of = |family, kind, protocol| Socket { family, kind, protocol, state: 7 }.is_served();
    for family in [2, 10] {
        for (kind, protocol) in [(1, 6), (2, 17), (2, 1), (2, 58), (3, 253), (3, 132)] {
            assert_eq!(of(family, kind, protocol), Ok(()));
        }
        for (kind, protocol) in [(1, 262), (1, 132), (5, 132)] {
            assert_eq!(of(family, kind, protocol), Err(Errno::NotSupported));
        }
        // L2TP, and a number that is nobody's.
        assert_eq!(of(family, 2, 115), Err(Errno::NoSuchOption));
        assert_eq!(of(family, 1, 253), Err(Errno::NoSuchOption));
    }
    // Phonet uses the same entry point, whatever its sockets are called.
    for (kind, protocol) in [(5, 1), (2, 17), (1, 6)] {
        assert_eq!(of(35, kind, protocol), Err(Errno::NoSuchOption));
    }
}

#[test]
fn which_sockets_are_connected() {
    for state in 1..=12 {
        let tcp = Socket { state, ..TCP6 }.is_connected();
        assert_eq!(tcp, ![2, 7, 10].contains(&state), "TCP in state {state}");
        let udp = Socket { state, ..UDP4 }.is_connected();
        assert_eq!(udp, state == 1, "UDP in state {state}");
    }
    assert!(TCP6.is_stream() && !UDP4.is_stream());
}

#[test]
fn numbers_outside_the_api_are_no_options() {
    for number in [i32::MIN, -1, 0, 1, 127, 148, 128 << 8, 128 | 0x100, i32::MAX] {
        assert_eq!(get(number, &connected(TCP6)), Err(Errno::NoSuchOption));
        assert_eq!(set(number, &TCP6), Err(Errno::NoSuchOption));
    }
    for number in 128..=147 {
        assert!(Name::from_number(number).is_ok());
    }
    for told in Told::ALL {
        assert_eq!(Name::from_number(told.number()), Ok(Name::Recv(told)));
    }
}

#[test]
fn only_dontshim_is_for_unconnected_sockets() {
    for number in 128..=147 {
        let got = get(number, &TCP6);
        let expected = if number == 129 { Ok(Get::DontShim) } else { Err(Errno::NotSupported) };
        assert_eq!(got, expected, "get {number}");
        let expected = if number == 129 { Ok(Set::DontShim) } else { Err(Errno::NotSupported) };
        assert_eq!(set(number, &TCP6), expected, "set {number}");
    }
}

#[test]
fn what_can_be_set_connected() {
    let expected = [
        (130, Set::HotStandby),
        (131, Set::Pref(Side::Local)),
        (132, Set::Pref(Side::Peer)),
        (133, Set::Recv(Told::Locator(Side::Local))),
        (134, Set::Recv(Told::Locator(Side::Peer))),
        (135, Set::Send(Side::Local)),
        (136, Set::Send(Side::Peer)),
        (137, Set::List(Side::Local)),
        (138, Set::List(Side::Peer)),
        (139, Set::AppTimeout),
        (140, Set::PathExplore),
        (143, Set::Recv(Told::Interface)),
        (144, Set::InterfaceSend),
        (145, Set::Feedback(Feedback::Satisfactory)),
        (146, Set::Feedback(Feedback::Negative)),
    ];
    for number in 128..=147 {
        let wanted = expected.iter().find(|(n, _)| *n == number).map(|(_, set)| *set);
        assert_eq!(set(number, &UDP4), wanted.ok_or(Errno::NotSupported), "set {number}");
    }
}

#[test]
fn timeouts_in_seconds() {
    let of = |value: i32| seconds(Some(value.to_ne_bytes()));
    assert_eq!((of(0), of(15), of(3600)), (Ok(0), Ok(15_000), Ok(3_600_000)));
    for value in [-1, 3601, i32::MIN, i32::MAX] {
        assert_eq!(of(value), Err(Errno::Invalid));
    }
    assert_eq!(seconds(None), Err(Errno::Invalid));
}

#[test]
fn parameters_of_exploration() {
    let octets = |fields: [u16; 6]| {
        let mut out = [0; 12];
        for (to, field) in out.chunks_exact_mut(2).zip(fields) {
            to.copy_from_slice(&field.to_ne_bytes());
        }
        out
    };
    let full = octets([4, 10, 3, 500, 0, 0]);
    let explored = explore(Some(full)).unwrap();
    assert_eq!(explored.keepalive_timeout_ms, 10_000);
    assert_eq!(explored.keepalive_interval_ms, 3_000);
    assert_eq!((explored.initial_probes, explored.initial_probe_timeout_ms), (4, 500));
    assert_eq!(explore_octets(&explored), full);
    assert_eq!(explore(Some([0; 12])), Ok(Explore::default()));
    for most in [[16, 3600, 3600, 60_000, 0, 0], [0, 0, 0, 10, 0, 0]] {
        assert_eq!(explore(Some(octets(most))).map(|e| explore_octets(&e)), Ok(octets(most)));
    }
    for bad in [
        [17, 0, 0, 0, 0, 0],
        [0, 3601, 0, 0, 0, 0],
        [0, 0, 3601, 0, 0, 0],
        [0, 0, 0, 9, 0, 0],
        [0, 0, 0, 60_001, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 256],
    ] {
        assert_eq!(explore(Some(octets(bad))), Err(Errno::Invalid), "{bad:?}");
    }
    assert_eq!(explore(None), Err(Errno::Invalid));
    let long = Explore { keepalive_timeout_ms: 3_600_000, keepalive_interval_ms: 1, ..explored };
    assert_eq!(explore_octets(&long), octets([4, 3600, 1, 500, 0, 0]));
}

#[test]
fn what_is_offered_connected() {
    let expected = [
        (128, Get::Associated),
        (129, Get::DontShim),
        (130, Get::HotStandby),
        (131, Get::Pref(Side::Local)),
        (132, Get::Pref(Side::Peer)),
        (133, Get::Recv(Told::Locator(Side::Local))),
        (134, Get::Recv(Told::Locator(Side::Peer))),
        (135, Get::Send(Side::Local)),
        (136, Get::Send(Side::Peer)),
        (137, Get::List(Side::Local)),
        (138, Get::List(Side::Peer)),
        (139, Get::AppTimeout),
        (140, Get::PathExplore),
        (141, Get::DeferredSetup),
        (143, Get::Recv(Told::Interface)),
        (144, Get::InterfaceSend),
        (147, Get::Instance),
    ];
    for number in 128..=147 {
        let wanted = expected.iter().find(|(n, _)| *n == number).map(|(_, get)| *get);
        assert_eq!(get(number, &UDP4), wanted.ok_or(Errno::NotSupported), "get {number}");
    }
}

#[test]
fn a_look_is_told_from_the_option() {
    assert_eq!(peek(128), (128, false));
    assert_eq!(peek(128 | 0x100), (128, true));
    assert_eq!(peek(127 | 0x100), (127, true));
}

#[test]
fn unserved_sockets_hear_it_first() {
    let mptcp = Socket { protocol: MPTCP, ..TCP6 };
    assert_eq!(get(1, &mptcp), Err(Errno::NotSupported));
    assert_eq!(set(129, &mptcp), Err(Errno::NotSupported));
}

#[test]
fn errors_have_the_numbers_of_the_headers() {
    let numbers = [
        (Errno::InvalidLocator, 600),
        (Errno::UnverifiedLocator, 601),
        (Errno::UnreachableLocator, 602),
        (Errno::TooManyLocators, 603),
        (Errno::NotSupported, 95),
        (Errno::NoContext, 2),
        (Errno::Invalid, 22),
        (Errno::NoMemory, 12),
        (Errno::NoSuchOption, 92),
    ];
    for (error, number) in numbers {
        assert_eq!(error.number(), number, "{error:?}");
    }
}

#[test]
fn flags_are_0_or_1() {
    assert_eq!(flag(Some(int(false))), Ok(false));
    assert_eq!(flag(Some(int(true))), Ok(true));
    for value in [-1, 2, 256, 0x0100_0000, i32::MIN, i32::MAX] {
        assert_eq!(flag(Some(value.to_ne_bytes())), Err(Errno::Invalid));
    }
    assert_eq!(flag(None), Err(Errno::Invalid));
}

#[test]
fn interfaces_to_choose() {
    let of = |value: i32| index(Some(value.to_ne_bytes()));
    assert_eq!((of(0), of(7), of(i32::MAX)), (Ok(0), Ok(7), Ok(0x7fff_ffff)));
    assert_eq!(
        (of(-1), of(i32::MIN), index(None)),
        (Err(Errno::Invalid), Err(Errno::Invalid), Err(Errno::Invalid))
    );
}

#[test]
fn wishes_that_fail_have_errors() {
    let errors = [
        (WishError::NotALocator, Errno::InvalidLocator),
        (WishError::Nothing, Errno::InvalidLocator),
        (WishError::Unverified, Errno::UnverifiedLocator),
        (WishError::Unreachable, Errno::UnreachableLocator),
        (WishError::NoMemory, Errno::NoMemory),
    ];
    for (wish, error) in errors {
        assert_eq!(Errno::from(wish), error);
    }
}

fn sample() -> Locator {
    let addr = Addr::from_bits(0x2001_0db8_0001_000a_1122_3344_5566_7788);
    Locator { addr, priority: 0x0102, weight: 0x0304, interface: 0x0506_0708, flags: 1 }
}

#[test]
fn the_octets_of_a_locator() {
    let mut expected = [0; 32];
    expected[0] = 10;
    expected[4..6].copy_from_slice(&0x0102u16.to_ne_bytes());
    expected[6..8].copy_from_slice(&0x0304u16.to_ne_bytes());
    expected[8..12].copy_from_slice(&0x0506_0708u32.to_ne_bytes());
    expected[12..28].copy_from_slice(&sample().addr.0);
    expected[28..30].copy_from_slice(&1u16.to_ne_bytes());
    assert_eq!(sample().emit(), expected);
}

#[test]
fn what_is_got_can_be_set() {
    let set = Locator::parse(&sample().emit());
    assert_eq!(set, Ok(Locator { interface: 0, flags: 0, ..sample() }));
    let mut dirty = sample().emit();
    for at in [2, 3, 8, 9, 10, 11, 28, 29, 30, 31] {
        dirty[at] = 0xa5;
    }
    assert_eq!(Locator::parse(&dirty), set);
}

#[test]
fn locators_that_are_none() {
    let changed = |at: usize, value: u8| {
        let mut octets = sample().emit();
        octets[at] = value;
        Locator::parse(&octets)
    };
    for family in (0..=255).filter(|f| ![2, 10].contains(f)) {
        assert_eq!(changed(0, family), Err(Errno::Invalid));
    }
    assert_eq!(changed(0, 2), Err(Errno::InvalidLocator));
    assert_eq!(changed(1, 17), Err(Errno::Invalid));
    let mapped = Locator { addr: Addr::from_bits(0xffff_c000_0201), ..sample() };
    assert_eq!(Locator::parse(&mapped.emit()), Err(Errno::InvalidLocator));
    assert_eq!(Locator::parse(&[0; 32]), Err(Errno::Invalid));
}

#[test]
fn a_choice_is_a_locator_or_none() {
    assert_eq!(Locator::choice(&[0; 32]), Ok(None));
    assert_eq!(Locator::choice(&sample().emit()), Ok(Some(sample().addr)));
    let mut octets = [0; 32];
    octets[31] = 1;
    assert_eq!(Locator::choice(&octets), Err(Errno::Invalid));
}

#[test]
fn preferences_are_not_cut() {
    let of = |priority, weight| Locator { priority, weight, ..sample() }.wanted();
    let addr = sample().addr;
    assert_eq!(of(255, 7), Ok(Wanted { addr, priority: 255, weight: 7 }));
    assert_eq!(of(256, 0), Err(Errno::Invalid));
    assert_eq!(of(0, 256), Err(Errno::Invalid));
}

#[test]
fn lists_to_be_set() {
    assert_eq!(list(32), Ok(1));
    assert_eq!(list(32 * 32), Ok(32));
    assert_eq!(list(33 * 32), Err(Errno::TooManyLocators));
    assert_eq!(list(usize::MAX / 32 * 32), Err(Errno::TooManyLocators));
    for len in [0, 1, 31, 33, 63, 32 * 32 + 1, usize::MAX] {
        assert_eq!(list(len), Err(Errno::Invalid));
    }
}

#[test]
fn a_list_names_each_locator_once() {
    let octets = |named: &[(u64, u16)]| -> Vec<u8> {
        let of = |&(id, priority)| {
            Locator { addr: Addr::from_parts(1, id), priority, ..Locator::default() }.emit()
        };
        named.iter().flat_map(of).collect()
    };
    let parsed = |named: &[(u64, u16)]| -> Result<Vec<(Addr, u8)>, Errno> {
        let list = WantedList::parse(&octets(named))?;
        Ok(list.as_slice().iter().map(|wanted| (wanted.addr, wanted.priority)).collect())
    };
    let (one, two) = (Addr::from_parts(1, 1), Addr::from_parts(1, 2));
    assert_eq!(parsed(&[(1, 0), (2, 9), (1, 5), (2, 0)]), Ok(vec![(one, 0), (two, 9)]));
    assert_eq!(parsed(&[(1, 7); 32]), Ok(vec![(one, 7)]));
    let many: Vec<_> = (0..33).map(|id| (id, 0)).collect();
    assert_eq!(parsed(&many[..32]).unwrap().len(), 32);
    assert_eq!(parsed(&many), Err(Errno::TooManyLocators));
    assert_eq!(parsed(&[(1, 0), (1, 256)]), Err(Errno::Invalid));
    assert_eq!(WantedList::parse(&octets(&[(1, 0)])[..31]).unwrap_err(), Errno::Invalid);
}

/// The example of section 6.10 sets an array of SHIM_MAX_LOCATORS whose rest it left zero.
#[test]
fn room_behind_a_list_is_not_part_of_it() {
    let of = |id| Locator { addr: Addr::from_parts(1, id), ..Locator::default() }.emit();
    let (one, two, unused) = (of(1), of(2), [0; 32]);
    let count = |places: &[[u8; 32]]| Ok(WantedList::parse(&places.concat())?.as_slice().len());
    assert_eq!(count(&[one, two, unused]), Ok(2));
    assert_eq!(count(&[&[two][..], &[unused; 31]].concat()), Ok(1));
    for wrong in [&[unused][..], &[unused; 32], &[unused, one], &[one, unused, two]] {
        assert_eq!(count(wrong), Err(Errno::Invalid));
    }
    // Any octet in it makes a place one that says something.
    for at in 0..32 {
        let mut place = unused;
        place[at] = 1;
        assert_eq!(count(&[one, place]), Err(Errno::Invalid), "{at}");
    }
}

#[test]
fn lists_that_are_got() {
    for n in 0..=32 {
        assert_eq!(fits(n * 32, n), Ok(()));
        assert_eq!(fits(n * 32 + 31, n), Ok(()));
        assert_eq!(fits((n * 32).saturating_sub(1), n).is_err(), n > 0);
    }
}

#[test]
fn the_preferred_locator() {
    let of = |id, priority, weight| Locator {
        addr: Addr::from_parts(1, id),
        priority,
        weight,
        ..Locator::default()
    };
    let best = |list: &[Locator]| preferred(list.iter().copied()).map(|l| l.addr.interface_id());
    assert_eq!(best(&[]), None);
    assert_eq!(best(&[of(1, 1, 9), of(2, 0, 0), of(3, 2, 9)]), Some(2));
    assert_eq!(best(&[of(1, 1, 3), of(2, 1, 7), of(3, 1, 5)]), Some(2));
    assert_eq!(best(&[of(1, 1, 7), of(2, 1, 7)]), Some(1));
    assert_eq!(best(&[of(1, 0, u16::MAX), of(2, 0, 0)]), Some(1));
}
