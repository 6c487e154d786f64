// SPDX-License-Identifier: GPL-2.0

//! CGA signatures over locator lists: what is signed, by which keys, and that a locator that only a
//! signature proves is used when somebody found the signature good, and never before.
//!
//! The test is the outside world: what the core asks to be verified it verifies or not, as it likes.
//! The key is RFC 3972's appendix's with a longer modulus, and no signature is a real one.

use crate::desk::build;
use crate::world::{self, sha1, stamp, truth, Host, World, A, B, PREFIXES};
use proptest::prelude::*;
use shim6_proto::proto::addr::{Addr, Pair, Tag, UlidPair};
use shim6_proto::proto::cga::{self, Claim, NoClaim, Signature, Verdict, TYPE_TAG};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::State;
use shim6_proto::proto::endpoint::{Meta, Received, Table};
use shim6_proto::proto::env::{Env, Transmit};
use shim6_proto::proto::hba::{Pds, MAX_PDS};
use shim6_proto::proto::locator::LocalLocator;
use shim6_proto::proto::wire::{Body, Builder, Message, Method, MAX_MESSAGE};

/// A DER element.
fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let len = match contents.len() {
        n @ 0..=0x7f => vec![n as u8],
        n @ 0x80..=0xff => vec![0x81, n as u8],
        n => vec![0x82, (n >> 8) as u8, n as u8],
    };
    [&[tag][..], &len, contents].concat()
}

const RSA: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0];

/// A SubjectPublicKeyInfo with numbers that look like a key of so many bits.
fn key(bits: usize, exponent: &[u8]) -> Vec<u8> {
    let mut modulus = vec![0; bits.div_ceil(8)];
    modulus[0] = 1 << ((bits - 1) % 8);
    *modulus.last_mut().unwrap() |= 1;
    if modulus[0] & 0x80 != 0 {
        modulus.insert(0, 0);
    }
    let numbers = der(0x30, &[der(2, &modulus), der(2, exponent)].concat());
    der(0x30, &[&RSA[..], &der(3, &[&[0][..], &numbers].concat())].concat())
}

const F4: [u8; 3] = [1, 0, 1];

/// Parameters without prefixes: a plain CGA.
fn plain(key: &[u8], prefix: u64) -> Vec<u8> {
    [&[7; 16][..], &prefix.to_be_bytes(), &[0], key].concat()
}

/// Gives a host one CGA with a key of so many bits, and locators that do not follow from it.
fn make_cga(host: &mut Host, bits: usize, others: &[Addr]) {
    let prefix = host.addr(0).prefix();
    host.out.pds = plain(&key(bits, &F4), prefix);
    let pds = Pds::parse(&host.out.pds).unwrap();
    let ulid = pds.address(prefix, 0, &mut sha1);
    let locator = |addr, follows| LocalLocator {
        addr,
        method: Method::Cga,
        pref: Default::default(),
        follows,
        usable: true,
        withdrawn: false,
    };
    host.out.locators = vec![locator(ulid, true)];
    host.out.locators.extend(others.iter().map(|addr| locator(*addr, false)));
    host.out.signs = true;
}

const OTHER: Addr = Addr::from_bits(0x2001_0db8_00c1_0000_0000_0000_0000_00c1);

/// Two hosts that talk by hand. A has a CGA and a locator outside; B has an HBA set.
struct Table2 {
    a: Host,
    b: Host,
}

fn receive(
    h: &mut Host,
    (src, dst): (Addr, Addr),
    bytes: &[u8],
    verdict: Verdict,
) -> (Received<u64>, Vec<u8>) {
    let mut reply = [0xa5; MAX_MESSAGE];
    let meta = Meta { src, dst, head: &[], verdict };
    let got = h.endpoint.receive(&h.out, &mut h.contexts, meta, bytes, &mut reply);
    let sent = got.reply.map_or(vec![], |t: Transmit| reply[..t.len].to_vec());
    (got, sent)
}

impl Table2 {
    fn new() -> Table2 {
        Self::with_key(1024)
    }

    fn with_key(bits: usize) -> Table2 {
        let [mut a, b] = world::hosts(5, Config::default());
        make_cga(&mut a, bits, &[OTHER]);
        sign(&mut a);
        Table2 { a, b }
    }

    /// Carries messages to and fro until nobody says anything, with verdicts by `judge`; how many
    /// were asked for at each host.
    fn talk(&mut self, mut judge: impl FnMut(&[u8]) -> Verdict) -> [usize; 2] {
        let mut asked = [0; 2];
        let mut flying = vec![];
        for h in [&mut self.a, &mut self.b] {
            for id in h.contexts_ids() {
                flying.extend(h.drain(id).into_iter().map(|(t, m)| (t.src, t.dst, m)));
            }
        }
        for round in 0.. {
            assert!(round < 40, "it never ends");
            let Some((src, dst, bytes)) = flying.pop() else { break };
            let to_a = self.a.out.local_set(&dst).is_some();
            let h = if to_a { &mut self.a } else { &mut self.b };
            let (mut got, mut sent) = receive(h, (src, dst), &bytes, Verdict::None);
            if got.judge {
                assert!(got.touched.is_none() && got.reply.is_none(), "nothing is done meanwhile");
                asked[usize::from(!to_a)] += 1;
                (got, sent) = receive(h, (src, dst), &bytes, judge(&bytes));
                assert!(!got.judge, "asked once");
            }
            if let Some(t) = got.reply {
                flying.push((t.src, t.dst, std::mem::take(&mut sent)));
            }
            if let Some(id) = got.touched {
                flying.extend(h.drain(id).into_iter().map(|(t, m)| (t.src, t.dst, m)));
            }
        }
        asked
    }

    fn ulids(&self) -> UlidPair {
        UlidPair::new(self.a.addr(0), self.b.addr(0))
    }

    /// A begins.
    fn open(&mut self) {
        let ulids = self.ulids();
        self.a.endpoint.initiate(&self.a.out, &mut self.a.contexts, ulids).unwrap();
    }

    /// B begins.
    fn open_by_b(&mut self) {
        let Pair { local, peer } = self.ulids().pair;
        let ulids = UlidPair::new(peer, local);
        self.b.endpoint.initiate(&self.b.out, &mut self.b.contexts, ulids).unwrap();
    }

    /// Whether B holds A's other locator for proved; `None` if it does not know it.
    fn proved(&self) -> Option<bool> {
        let known = self.b.context().peer_locators().iter().find(|l| l.addr == OTHER);
        known.map(|l| l.is_verified())
    }
}

/// The driver signs what is wanted.
fn sign(h: &mut Host) {
    let ulid = h.addr(0);
    let set = h.out.local_set(&ulid).unwrap();
    let Some(wanted) = set.wants_signature(&mut |p| sha1(p)) else { return };
    let made = Signature::new(wanted.generation, &stamp(&wanted.digest)).unwrap();
    h.out.signatures.push(made);
}

#[test]
fn what_is_signed_is_as_the_rfc_has_it() {
    let a = Addr::from_bits(0x20010db8000a00010000000000000001);
    let list = [(&a, Method::Cga), (&OTHER, Method::Hba), (&OTHER, Method::Cga)];
    let mut seen = vec![];
    cga::digest(0x01020304, list.into_iter(), &mut |parts| {
        seen = parts.concat();
        sha1(parts)
    });
    let tag = [0x4a, 0x30, 0x56, 0x62, 0x48, 0x58, 0x57, 0x4b, 0x36, 0x55, 0x41, 0x6f, 0x50];
    assert_eq!(TYPE_TAG[..13], tag);
    let want = [&tag[..], &[0x6a, 0x6d, 0x48], &[1, 2, 3, 4], &a.0, &OTHER.0].concat();
    assert_eq!(seen, want);
}

#[test]
fn the_order_of_the_signed_locators_is_that_of_the_list() {
    let list = |x, y| cga::digest(7, [(x, Method::Cga), (y, Method::Cga)].into_iter(), &mut sha1);
    let b = Addr::from_bits(1);
    assert_ne!(list(&OTHER, &b), list(&b, &OTHER));
}

#[test]
fn a_signature_is_of_1_to_512_octets() {
    let keep = |len: usize| Signature::new(7, &vec![3; len]).map(|s| s.as_slice().to_vec());
    assert_eq!((keep(0), keep(513)), (None, None));
    assert_eq!((keep(1), keep(512)), (Some(vec![3]), Some(vec![3; 512])));
}

#[test]
fn keys_are_rsa_of_1024_to_4096_bits() {
    for bits in [1024, 1025, 1536, 2048, 4096] {
        let key = key(bits, &F4);
        assert!(cga::rsa_key(&key).is_some(), "{bits}");
        for n in 0..key.len() {
            assert!(cga::rsa_key(&key[..n]).is_none(), "{bits} cut to {n}");
        }
        assert!(cga::rsa_key(&[&key[..], &[0]].concat()).is_none(), "{bits} and more");
    }
    for bits in [384, 1016, 1023, 4097] {
        assert!(cga::rsa_key(&key(bits, &F4)).is_none(), "{bits}");
    }
    assert!(cga::rsa_key(&key(1024, &[3])).is_some());
    assert!(cga::rsa_key(&key(1024, &[0, 0xff, 0xff, 0xff, 0xff])).is_some());
    for exponent in [&[][..], &[1], &[2], &[0x81], &[1, 0, 0, 0, 1], &[0; 4]] {
        assert!(cga::rsa_key(&key(1024, exponent)).is_none(), "{exponent:?}");
    }
    let mut other = key(1024, &F4);
    let at = other.windows(2).position(|w| w == [0x01, 0x05]).unwrap();
    other[at] = 2;
    assert!(cga::rsa_key(&other).is_none(), "not rsaEncryption");
}

#[test]
fn a_locator_outside_the_set_is_used_when_its_signature_is_good() {
    let mut t = Table2::new();
    t.open();
    assert_eq!(t.talk(truth), [0, 1]);
    assert_eq!(t.a.context().state(), State::Established);
    assert_eq!(t.b.context().state(), State::Established);
    assert_eq!(t.proved(), Some(true));
    assert_eq!(t.b.count("signature_asked"), 1);
    assert_eq!(t.b.count("signature_good"), 1);
    assert_eq!(t.b.count("rx_locator_unverified"), 0);
    // A message that comes twice into the core came once.
    assert_eq!(t.b.count("rx_i2"), 1);
    // Once told, the list needs its signature no more.
    t.a.out.signatures.clear();
    assert!(t.a.context().wants_signature(&t.a.out).is_none());
}

#[test]
fn the_r2_of_a_cga_host_is_signed_too() {
    let mut t = Table2::new();
    t.open_by_b();
    assert_eq!(t.talk(truth), [0, 1]);
    assert_eq!(t.proved(), Some(true));
    assert_eq!(t.b.count("rx_r2"), 1);
}

#[test]
fn a_forged_signature_proves_nothing() {
    let mut t = Table2::new();
    t.open();
    t.talk(|_| Verdict::Invalid);
    assert_eq!(t.b.context().state(), State::Established, "between the ULIDs");
    assert_eq!(t.proved(), Some(false));
    assert_eq!(t.b.count("signature_bad"), 1);
    assert_eq!(t.b.count("rx_locator_unverified"), 1);
    assert!(!t.b.context().peer_locators().iter().any(|l| l.addr == OTHER && l.is_candidate()));
}

#[test]
fn a_key_that_is_too_short_proves_nothing() {
    let mut t = Table2::with_key(1016);
    t.open();
    assert_eq!(t.talk(truth), [0, 0], "nobody is asked to verify it");
    assert_eq!(t.b.context().state(), State::Established, "between the ULIDs");
    assert_eq!(t.proved(), Some(false));
    assert_eq!(t.b.count("signature_key"), 1);
}

#[test]
fn what_cannot_be_verified_is_not_proved() {
    let mut t = Table2::new();
    t.open();
    t.talk(|_| Verdict::Unable);
    assert_eq!(t.proved(), Some(false));
    assert_eq!(t.b.count("signature_unable"), 1);
}

#[test]
fn without_a_signature_the_list_is_not_told() {
    let mut t = Table2::new();
    t.a.out.signatures.clear();
    t.open();
    assert_eq!(t.talk(truth), [0, 0]);
    assert_eq!(t.b.context().state(), State::Established);
    assert_eq!(t.b.context().peer_generation(), None, "no list");
    // It is wanted; when it is there, the peer is told.
    assert!(t.a.context().wants_signature(&t.a.out).is_some());
    sign(&mut t.a);
    let id = t.a.contexts_ids()[0];
    let slot = t.a.contexts.get(id).unwrap();
    slot.ctx.signed(&t.a.out);
    assert_eq!(t.talk(truth), [0, 1]);
    assert_eq!(t.proved(), Some(true));
    assert!(t.a.context().wants_signature(&t.a.out).is_none());
    assert_eq!(t.a.count("update_acknowledged"), 1);
}

#[test]
fn a_list_that_its_parameters_prove_wants_no_signature() {
    let mut t = Table2::new();
    t.b.out.signs = true;
    let set = t.b.out.local_set(&t.b.addr(0)).unwrap();
    assert!(set.wants_signature(&mut |p| sha1(p)).is_none());
}

#[test]
fn nothing_is_signed_for_a_peer_without_shim6() {
    let mut t = Table2::new();
    t.a.out.signatures.clear();
    t.open();
    assert!(t.a.context().wants_signature(&t.a.out).is_some());
    let id = t.a.contexts_ids()[0];
    t.a.contexts.get(id).unwrap().ctx.no_support(&t.a.out);
    assert_eq!(t.a.context().state(), State::NoSupport);
    assert!(t.a.context().wants_signature(&t.a.out).is_none());
}

#[test]
fn without_a_key_nothing_is_wanted_or_told() {
    let mut t = Table2::new();
    t.a.out.signatures.clear();
    t.a.out.signs = false;
    t.open();
    t.talk(truth);
    assert!(t.a.context().wants_signature(&t.a.out).is_none());
    assert_eq!(t.b.context().peer_generation(), None);
}

#[test]
fn an_address_that_does_not_follow_from_the_parameters_is_no_ulid() {
    let mut t = Table2::new();
    let ulids = UlidPair::new(OTHER, t.b.addr(0));
    assert!(t.a.endpoint.initiate(&t.a.out, &mut t.a.contexts, ulids).is_err());
    let body = Body::I1 { initiator_tag: Tag::new(9), initiator_nonce: 1 };
    let i1 = build(&body, |_| {});
    let from = (t.b.addr(0), OTHER);
    let (got, _) = receive(&mut t.a, from, &i1, Verdict::None);
    assert!(got.reply.is_none());
    assert_eq!(t.a.count("rx_not_our_ulid"), 1);
}

/// An Update Request of A's at B.
fn update(t: &Table2, fill: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
    let tag = t.b.context().local_tag();
    build(&Body::UpdateRequest { tag, nonce: 77 }, fill)
}

const THIRD: Addr = Addr::from_bits(0x2001_0db8_00c2_0000_0000_0000_0000_00c2);

/// A list with a third locator, signed or not.
fn third(t: &Table2, signature: Option<&[u8]>) -> Vec<u8> {
    let list = [(t.a.addr(0), Method::Cga), (OTHER, Method::Cga), (THIRD, Method::Cga)];
    let told = list.iter().map(|(a, m)| (a, *m));
    let good = stamp(&cga::digest(99, told, &mut sha1));
    update(t, |m| {
        m.locators(99, list.into_iter());
        m.pds(&t.a.out.pds);
        match signature {
            Some([]) => m.signature(&good),
            Some(signature) => m.signature(signature),
            None => {}
        }
    })
}

fn established() -> Table2 {
    let mut t = Table2::new();
    t.open();
    t.talk(truth);
    assert_eq!(t.proved(), Some(true));
    t
}

fn error_code(reply: &[u8]) -> Option<u8> {
    match Message::parse(reply).ok()?.body {
        Body::Error { code, .. } => Some(code),
        _ => None,
    }
}

#[test]
fn an_update_may_bring_locators_from_anywhere() {
    let mut t = established();
    let bytes = third(&t, Some(&[]));
    let from = (t.a.addr(0), t.b.addr(0));
    assert!(receive(&mut t.b, from, &bytes, Verdict::None).0.judge);
    assert_eq!(t.b.context().peer_locators().len(), 2, "nothing changed yet");
    let verdict = truth(&bytes);
    let (got, _) = receive(&mut t.b, from, &bytes, verdict);
    assert!(got.reply.is_some());
    assert_eq!(t.b.context().peer_generation(), Some(99));
    assert!(t.b.context().peer_locators().iter().all(|l| l.is_verified()));
    assert_eq!(t.b.count("rx_update"), 1);
    // The same once more: all is known, nothing has to be verified.
    assert!(!receive(&mut t.b, from, &bytes, Verdict::None).0.judge);
}

#[test]
fn an_update_with_a_bad_signature_is_answered_with_error_2() {
    let mut t = established();
    let bytes = third(&t, Some(&[1; 128]));
    let from = (t.a.addr(0), t.b.addr(0));
    assert!(receive(&mut t.b, from, &bytes, Verdict::None).0.judge);
    let verdict = truth(&bytes);
    let (_, reply) = receive(&mut t.b, from, &bytes, verdict);
    assert_eq!(error_code(&reply), Some(2));
    assert_eq!(t.b.context().peer_locators().len(), 2);
    assert_eq!(t.b.count("signature_bad"), 1);
    assert_eq!(t.b.count("list_unverified"), 1);
    let none = third(&t, None);
    let (_, reply) = receive(&mut t.b, from, &none, Verdict::None);
    assert_eq!(error_code(&reply), Some(2));
    assert_eq!(t.b.count("signature_missing"), 1);
}

#[test]
fn an_update_that_cannot_be_verified_now_is_not_answered() {
    let mut t = established();
    let bytes = third(&t, Some(&[]));
    let from = (t.a.addr(0), t.b.addr(0));
    let (got, reply) = receive(&mut t.b, from, &bytes, Verdict::Unable);
    assert!(got.reply.is_none() && reply.is_empty());
    assert_eq!(t.b.count("signature_unable"), 1);
    assert_eq!(t.b.context().peer_locators().len(), 2);
}

#[test]
fn a_site_gets_an_eighth_of_the_verifications_and_others_theirs() {
    let mut t = established();
    let from = (t.a.addr(0), t.b.addr(0));
    let asked = t.b.count("signature_asked");
    let bytes = third(&t, Some(&[1; 128]));
    let judged = (0..100).filter(|_| receive(&mut t.b, from, &bytes, Verdict::None).0.judge);
    let judged = judged.count() as u64;
    let part = u64::from(Config::default().signatures_per_second / 8);
    assert_eq!(judged + asked, part, "the I2 was one of them");
    assert_eq!(t.b.count("signature_limited"), 100 - judged);
    let other = (t.a.addr(1), t.b.addr(0));
    assert!(
        receive(&mut t.b, other, &bytes, Verdict::None).0.judge,
        "another site has its own part"
    );
}

#[test]
fn sites_that_ask_once_each_have_all_verifications_between_them() {
    let mut t = Table2::new();
    let (ulid, local) = (t.a.addr(0), t.b.addr(0));
    let most = Config::default().signatures_per_second;
    let list = [(ulid, Method::Cga), (OTHER, Method::Cga)];
    let (initiator_tag, initiator_nonce) = (Tag::new(1), 2);
    for site in 0..most {
        let from = Addr::from_bits(((0x2001_0db8_1000 + u128::from(site)) << 80) | 1);
        let i1 = build(&Body::I1 { initiator_tag, initiator_nonce }, |m| m.ulids(&ulid, &local));
        let (_, r1) = receive(&mut t.b, (from, local), &i1, Verdict::None);
        let r1 = Message::parse(&r1).expect("an R1");
        let Body::R1 { responder_nonce, .. } = r1.body else { panic!("{r1:?}") };
        let i2 = build(&Body::I2 { initiator_tag, initiator_nonce, responder_nonce }, |m| {
            m.validator(r1.options.validator.unwrap());
            m.ulids(&ulid, &local);
            m.locators(1, list.into_iter());
            m.pds(&t.a.out.pds);
            m.signature(&[1; 128]);
        });
        assert!(receive(&mut t.b, (from, local), &i2, Verdict::None).0.judge, "site {site}");
    }
    assert_eq!(t.b.count("signature_asked"), u64::from(most));
}

#[test]
fn the_key_of_an_hba_only_set_proves_nothing() {
    let options = |pds: &[u8]| {
        build(&Body::UpdateRequest { tag: Tag::new(1), nonce: 1 }, |m| {
            m.locators(1, [(OTHER, Method::Cga)].into_iter());
            m.pds(pds);
            m.signature(&[1; 128]);
        })
    };
    let claim = |pds: &[u8]| {
        let bytes = options(pds);
        let message = Message::parse(&bytes).unwrap();
        Claim::of(&message.options, &mut |p| sha1(p)).err()
    };
    let hba = world::hosts(1, Config::default())[0].out.pds.clone();
    assert_eq!(claim(&hba), Some(NoClaim::Missing));
    assert_eq!(claim(&plain(&key(1016, &F4), 1)), Some(NoClaim::Key));
    assert_eq!(claim(&plain(&key(1024, &F4), 1)), None);
    assert_eq!(claim(b"nothing"), Some(NoClaim::Missing));
    let mut both = [0xa5; MAX_PDS];
    let prefixes = &PREFIXES[0];
    let key = key(1024, &F4);
    let n = shim6_proto::proto::hba::write_pds(&mut both, 1, prefixes[0], &key, true, prefixes);
    assert_eq!(claim(&both[..n.unwrap()]), None);
}

/// A world in which host A has a CGA, and with its other provider a locator outside.
fn world(seed: u64) -> World {
    let config = Config { send_timeout_ms: 1000, setup_packets: 4, setup_age_ms: 0, ..fast() };
    let mut w = World::new(seed, config);
    let outside = Addr::from_parts(PREFIXES[A][1], 0x77);
    make_cga(&mut w.hosts[A], 1024, &[outside]);
    sign(&mut w.hosts[A]);
    let (a, b) = (w.hosts[A].addr(0), w.hosts[B].addr(0));
    w.ulids = [UlidPair::new(a, b), UlidPair::new(b, a)];
    w
}

fn fast() -> Config {
    Config { keepalive_timeout_ms: 1000, initial_probe_timeout_ms: 100, ..Config::default() }
}

#[test]
fn data_goes_on_over_a_locator_that_only_a_signature_proves() {
    for begins in [A, B] {
        let mut w = world(7);
        w.initiate(begins);
        w.run(3_000, [50, 50]);
        let cut = w.now;
        w.cut_first(true, true);
        w.run(10_000, [50, 50]);
        assert_eq!(w.hosts[B].context().tx_pair().peer.prefix(), PREFIXES[A][1]);
        assert_eq!(w.hosts[B].count("signature_good"), 1);
        for host in [A, B] {
            assert!(w.longest_gap(host, cut) <= 2_000, "{} ms", w.longest_gap(host, cut));
        }
    }
}

#[test]
fn signed_lists_arrive_through_bad_networks() {
    let mut given_up = 0;
    for seed in 0..300 {
        let mut w = world(seed);
        w.net.loss = 0.2;
        w.net.duplicate = 0.2;
        w.net.reorder = 0.3;
        w.initiate((seed % 2) as usize);
        w.run(60_000, [100, 100]);
        w.net.loss = 0.0;
        w.run(60_000, [100, 100]);
        if w.hosts[B].contexts.all.is_empty() {
            // Five I1 or their answers were lost.
            assert!(w.hosts.iter().any(|h| h.count("no_response") > 0), "seed {seed}");
            given_up += 1;
            continue;
        }
        let known = w.hosts[B].context().peer_locators();
        assert_eq!(known.len(), 2, "seed {seed}");
        assert!(known.iter().all(|l| l.is_verified()), "seed {seed}");
        assert_eq!(w.hosts[B].count("signature_bad"), 0, "seed {seed}");
    }
    assert!(given_up < 15, "{given_up} of 300");
}

proptest! {
    #[test]
    fn every_bit_of_a_list_and_its_generation_is_signed(bit in 0usize..8 * 52, generation: u32) {
        let base = [OTHER, THIRD, Addr::from_bits(1)];
        let digest = |generation, list: &[Addr; 3]| {
            cga::digest(generation, list.iter().map(|a| (a, Method::Cga)), &mut sha1)
        };
        let mut list = base;
        let mut other = generation;
        match bit / 8 {
            0..=3 => other ^= 1 << bit,
            octet => list[(octet - 4) / 16].0[(octet - 4) % 16] ^= 1 << (bit % 8),
        }
        prop_assert_ne!(digest(generation, &base), digest(other, &list));
    }

    #[test]
    fn any_octets_are_a_key_or_not(octets: Vec<u8>) {
        let _ = cga::rsa_key(&octets);
    }

    #[test]
    fn a_key_with_one_octet_changed_is_read_or_refused(at in 0usize..162, octet: u8) {
        let mut key = key(1024, &F4);
        let at = at % key.len();
        key[at] = octet;
        if let Some(numbers) = cga::rsa_key(&key) {
            prop_assert!(numbers.len() >= 128);
        }
    }
}
