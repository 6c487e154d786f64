// SPDX-License-Identifier: GPL-2.0

//! Forked contexts: two sockets of one pair of hosts, each with paths of its own.

use crate::world::{Store, World, A, B, PREFIXES};
use proptest::prelude::*;
use shim6_proto::proto::addr::{Addr, Pair, Tag, UlidPair};
use shim6_proto::proto::config::Config;
use shim6_proto::proto::context::flows::Way;
use shim6_proto::proto::context::{Context, Event, Failure, Flow, FlowSlot, Flows, Hint, State};
use shim6_proto::proto::endpoint::{Refused, Table};
use shim6_proto::proto::reap::ReapState;
use shim6_proto::proto::wire::{Body, Builder, Message, Type, MAX_MESSAGE};
use shim6_proto::proto::wish::{Explore, Granted, Owner, Wanted, Wish, WishError};

/// The ports of two sockets: one with the default context, one that wants its own.
const FIRST: u16 = 9;
const OTHER: u16 = 10;

fn fast() -> Config {
    Config { send_timeout_ms: 1000, ..Config::default() }
}

fn two_sockets(config: Config) -> World {
    let mut w = World::new(11, config);
    w.ports = vec![FIRST, OTHER];
    w.initiate(A);
    w.run(1_000, [20, 20]);
    w
}

/// The socket of [`OTHER`] has a fork that sends from A's second address; its contexts at both ends.
fn forked(config: Config) -> (World, [u64; 2]) {
    let mut w = two_sockets(config);
    let ours = w.fork(A, OTHER).unwrap();
    w.run(1_000, [20, 20]);
    let (first, second) = (w.hosts[A].addr(0), w.hosts[A].addr(1));
    w.call_on(A, ours, |ctx, env, activity| {
        ctx.wish_local(env, activity, wanted(first, 9)).unwrap();
        ctx.wish_local(env, activity, wanted(second, 1))
    })
    .unwrap();
    w.run(3_000, [20, 20]);
    let ulids = *context(&w, A, ours).ulids();
    let theirs = other_end(&mut w, ulids);
    (w, [ours, theirs])
}

fn other_end(w: &mut World, ulids: UlidPair) -> u64 {
    let Pair { local, peer } = ulids.pair;
    let there = UlidPair { pair: Pair { local: peer, peer: local }, fii: ulids.fii };
    w.hosts[B].contexts.by_ulids(&there).expect("the peer's fork").id
}

fn context(w: &World, host: usize, id: u64) -> &Context<Store> {
    &w.hosts[host].contexts.all[&id].0
}

fn default_of(w: &mut World, host: usize) -> u64 {
    let ulids = w.ulids[host];
    w.hosts[host].contexts.by_ulids(&ulids).expect("the default context").id
}

fn wanted(addr: Addr, priority: u8) -> Wanted {
    Wanted { addr, priority, weight: 0 }
}

/// Where the last packet of a flow came from, as its receiver saw it.
fn source(w: &World, host: usize, port: u16) -> Addr {
    w.hosts[host].heard[&port].1
}

fn count(w: &World, host: usize) -> usize {
    w.hosts[host].contexts.all.len()
}

#[test]
fn a_fork_is_made_by_four_messages_and_is_another_context() {
    let mut w = two_sockets(Config::default());
    let default = default_of(&mut w, A);
    let sent = ["tx_i1", "tx_i2"].map(|c| w.hosts[A].count(c));
    let id = w.fork(A, OTHER).unwrap();
    assert_eq!(context(&w, A, id).state(), State::I1Sent);
    w.run(100, [20, 20]);
    assert_eq!(context(&w, A, id).state(), State::Established);
    assert_eq!(sent, ["tx_i1", "tx_i2"].map(|c| w.hosts[A].count(c) - 1));
    assert_eq!((count(&w, A), count(&w, B)), (2, 2));
    let ulids = *context(&w, A, id).ulids();
    assert_eq!(ulids.pair, w.ulids[A].pair);
    assert_ne!(ulids.fii, 0, "the default context has the value zero");
    assert_eq!(context(&w, A, default).ulids().fii, 0);
    let theirs = other_end(&mut w, ulids);
    assert_eq!(context(&w, A, id).peer_tag(), Some(context(&w, B, theirs).local_tag()));
    assert_ne!(context(&w, A, id).local_tag(), context(&w, A, default).local_tag());
    assert!(context(&w, A, id).is_bound() && !context(&w, B, theirs).is_bound());
    assert_eq!(context(&w, A, id).peer_locators().len(), 2);
}

/// 7.7: "if a Forked Instance Identifier is used", I1 has it; and the ULIDs, where its addresses
/// are others (5.4).
#[test]
fn an_i1_of_a_fork_names_the_instance_and_if_need_be_the_ulids() {
    for dead in [false, true] {
        let mut w = two_sockets(fast());
        if dead {
            w.cut_first(true, true);
            w.run(5_000, [20, 20]);
        }
        let (of, pair) = (default_of(&mut w, A), w.ulids[A].pair);
        let h = &mut w.hosts[A];
        let id = h.endpoint.fork(&h.out, &mut h.contexts, of).unwrap();
        let (ctx, activity) = h.contexts.all.get_mut(&id).unwrap();
        let mut out = [0; MAX_MESSAGE];
        let sent = ctx.poll_transmit(&h.out, activity, &mut out).unwrap();
        let i1 = Message::parse(&out[..sent.len]).unwrap();
        assert_eq!(i1.kind(), Type::I1);
        assert_eq!(i1.options.fii, Some(ctx.ulids().fii));
        assert_eq!(i1.options.ulids, dead.then_some((pair.local, pair.peer)));
        assert_eq!((sent.src, sent.dst) != (pair.local, pair.peer), dead);
    }
}

#[test]
fn each_flow_takes_its_own_path_both_ways() {
    let (w, [_, theirs]) = forked(fast());
    let [first, second] = [w.hosts[A].addr(0), w.hosts[A].addr(1)];
    assert_eq!(source(&w, B, FIRST), first);
    assert_eq!(source(&w, B, OTHER), second);
    // The responder learnt whose flow it is: its packets came in the fork, and go there.
    assert_eq!(w.hosts[B].heard[&OTHER].0, Some(theirs));
    assert_eq!(w.hosts[A].heard[&OTHER].2, second, "the answers take the fork as well");
    assert_eq!(w.hosts[A].heard[&FIRST].2, first);
    assert_eq!(w.hosts[A].count("rehomed"), 1, "the default context stays where it is");
}

#[test]
fn a_packet_without_a_header_is_of_the_default_context_and_teaches_so() {
    let (mut w, [ours, theirs]) = forked(fast());
    assert_eq!(w.hosts[B].heard[&OTHER].0, Some(theirs));
    // The socket goes; another one with the same ports has no fork.
    w.call_on(A, ours, |ctx, env, _| ctx.release(env));
    w.hosts[A].forks.clear();
    w.run(500, [20, 20]);
    let default = default_of(&mut w, B);
    assert_eq!(w.hosts[B].heard[&OTHER].0, Some(default));
    assert_eq!(w.hosts[A].heard[&OTHER].2, w.hosts[A].addr(0), "B does not answer in the fork");
}

/// The peer may send Keepalives for our Send Timeout of 15 s, somewhat late.
#[test]
fn a_released_fork_lingers_while_its_peer_may_go_on() {
    let (mut w, [ours, _]) = forked(Config::default());
    w.run(20_000, [0, 0]);
    w.call_on(A, ours, |ctx, env, _| ctx.release(env));
    w.hosts[A].forks.clear();
    w.run(15_000 + 3_750 + 1_000 - 20, [0, 0]);
    assert_eq!(count(&w, A), 2);
    w.run(40, [0, 0]);
    assert_eq!(count(&w, A), 1);
}

/// The peer, whose Send Timeout is longer than ours, sent last: it waits for a Keepalive.
#[test]
fn a_released_fork_lingers_while_its_peer_waits() {
    let (mut w, [ours, theirs]) = forked(Config::default());
    w.hosts[A].out.config.send_timeout_ms = 1000;
    w.local_changed(A);
    w.run(2_000, [20, 20]);
    w.run(500, [0, 20]);
    w.call_on(A, ours, |ctx, env, _| ctx.release(env));
    w.hosts[A].forks.clear();
    w.ports = vec![FIRST];
    w.run(40_000, [20, 20]);
    assert_eq!(count(&w, A), 1);
    assert!(w.hosts[B].contexts.all.contains_key(&theirs));
    assert_eq!((w.hosts[A].count("tx_r1bis"), w.hosts[B].count("reap_exploring")), (0, 0));
}

/// Our locators change when the fork is about to go: the peer, told of it, waits for us again.
#[test]
fn a_released_fork_lingers_after_an_update() {
    let (mut w, [ours, theirs]) = forked(fast());
    w.call_on(A, ours, |ctx, env, _| ctx.release(env));
    w.hosts[A].forks.clear();
    w.ports = vec![FIRST];
    w.run(2_150, [20, 20]);
    assert_eq!(count(&w, A), 2);
    w.hosts[A].out.locators[0].usable = false;
    let told = w.hosts[B].count("tx_update_ack");
    w.local_changed(A);
    w.run(30_000, [20, 20]);
    assert_eq!(w.hosts[B].count("tx_update_ack"), told + 2, "in both contexts");
    assert_eq!(count(&w, A), 1);
    assert!(w.hosts[B].contexts.all.contains_key(&theirs));
    let unknown = ["tx_r1bis", "control_unknown_tag"].map(|name| w.hosts[A].count(name));
    assert_eq!(unknown, [0, 0]);
}

/// The peer explores, and what we answer is lost for a while.
#[test]
fn a_released_fork_answers_a_peer_that_explores() {
    let (mut w, [ours, theirs]) = forked(fast());
    for (a, b) in PREFIXES[A].into_iter().flat_map(|a| PREFIXES[B].map(|b| (a, b))) {
        w.net.cut.insert((a, b));
    }
    w.run(800, [20, 20]);
    w.call_on(A, ours, |ctx, env, _| ctx.release(env));
    w.hosts[A].forks.clear();
    w.ports = vec![FIRST];
    w.run(6_000, [0, 0]);
    assert_eq!(context(&w, B, theirs).reap_state(), Some(ReapState::Exploring));
    assert_eq!(count(&w, A), 2);
    w.net.cut.clear();
    w.run(30_000, [20, 20]);
    assert_eq!(context(&w, B, theirs).reap_state(), Some(ReapState::Operational));
    assert_eq!((count(&w, A), w.hosts[A].count("tx_r1bis")), (1, 0));
}

#[test]
fn a_fork_whose_socket_goes_before_the_peer_answered_goes_at_once() {
    let mut w = two_sockets(fast());
    let ours = w.fork(A, OTHER).unwrap();
    w.call_on(A, ours, |ctx, env, _| ctx.release(env));
    w.hosts[A].forks.clear();
    w.run(20, [20, 20]);
    assert_eq!((count(&w, A), w.hosts[A].count("fork_ended")), (1, 1));
}

#[test]
fn a_fork_goes_with_its_socket_and_nobody_brings_it_back() {
    for every in [[20, 20], [20, 0], [0, 20], [0, 0]] {
        let (mut w, [ours, theirs]) = forked(fast());
        w.run(500, every);
        w.call_on(A, ours, |ctx, env, _| ctx.release(env));
        w.hosts[A].forks.clear();
        assert_eq!(w.hosts[A].count("fork_ended"), 1);
        // What the peer still says in it (answers on their way, Keepalives) is heard.
        w.ports = vec![FIRST];
        w.run(4_000, [20, 20]);
        assert_eq!(count(&w, A), 1, "it is gone");
        assert!(w.hosts[B].contexts.all.contains_key(&theirs), "until nobody used it for long");
        assert_eq!(w.hosts[A].count("tx_r1bis"), 0);
        w.run(400_000, [100, 100]);
        assert_eq!((count(&w, A), count(&w, B)), (1, 1));
    }
}

#[test]
fn a_fork_outlives_silence_at_its_socket_and_ends_by_it_at_the_peer() {
    let (mut w, [ours, theirs]) = forked(Config { gc_idle_ms: 10_000, ..fast() });
    w.run(60_000, [0, 0]);
    assert!(w.hosts[A].contexts.all.contains_key(&ours), "its socket lives");
    assert!(!w.hosts[B].contexts.all.contains_key(&theirs), "nobody uses it");
    assert_eq!(count(&w, A), 1, "the default context ended by its idle time");
    // The socket speaks again: the peer's half is recovered, with its identifier (7.17 to 7.20).
    w.run(2_000, [20, 20]);
    assert!(w.hosts[B].count("tx_r1bis") >= 1 && w.hosts[A].count("tx_i2bis") >= 1);
    assert_eq!(w.hosts[A].count("recovered"), 1);
    let ulids = *context(&w, A, ours).ulids();
    let theirs = other_end(&mut w, ulids);
    assert_eq!(w.hosts[B].heard[&OTHER].0, Some(theirs));
    assert_eq!(source(&w, B, OTHER), w.hosts[A].addr(1));
    assert_eq!(w.hosts[A].heard[&OTHER].2, w.hosts[A].addr(1));
}

#[test]
fn a_peer_that_lost_everything_gets_both_contexts_back() {
    let (mut w, [ours, _]) = forked(fast());
    w.hosts[B].reboot();
    w.run(3_000, [20, 20]);
    let ulids = *context(&w, A, ours).ulids();
    let theirs = other_end(&mut w, ulids);
    assert_eq!(context(&w, A, ours).peer_tag(), Some(context(&w, B, theirs).local_tag()));
    assert_eq!(w.hosts[B].heard[&OTHER].0, Some(theirs));
}

#[test]
fn a_fork_is_asked_for_over_the_pair_that_works() {
    let mut w = two_sockets(fast());
    w.cut_first(true, true);
    w.run(5_000, [20, 20]);
    let default = default_of(&mut w, A);
    let pair = context(&w, A, default).tx_pair();
    assert_ne!(pair, w.ulids[A].pair, "the ULIDs do not reach the peer");
    let id = w.fork(A, OTHER).unwrap();
    w.run(200, [20, 20]);
    assert_eq!(context(&w, A, id).state(), State::Established);
    assert_eq!(context(&w, A, id).tx_pair(), pair);
    assert_eq!(w.hosts[A].count("no_response"), 0);
}

#[test]
fn a_fork_has_failures_of_its_own() {
    let (mut w, [ours, theirs]) = forked(fast());
    let default = default_of(&mut w, A);
    let before = context(&w, A, default).tx_pair();
    for y in PREFIXES[B] {
        w.net.cut.insert((PREFIXES[A][1], y));
        w.net.cut.insert((y, PREFIXES[A][1]));
    }
    w.run(4_000, [20, 20]);
    assert_eq!(source(&w, B, OTHER), w.hosts[A].addr(0), "the fork left the dead path");
    assert_eq!(context(&w, A, default).tx_pair(), before);
    assert!(w.hosts[A].contexts.all.contains_key(&ours));
    assert!(w.hosts[B].contexts.all.contains_key(&theirs));
}

#[test]
fn without_an_answer_there_is_no_fork_and_nothing_changed() {
    let mut w = two_sockets(Config { i1_timeout_ms: 100, i1_retries_max: 1, ..fast() });
    // I1 gets lost; the default context's packets do as well, and it does not matter here.
    w.net.loss = 1.0;
    let id = w.fork(A, OTHER).unwrap();
    w.run(900, [0, 0]);
    w.net.loss = 0.0;
    assert!(!w.hosts[A].contexts.all.contains_key(&id));
    let failed = |(_, e): &(_, Event)| matches!(e, Event::Failed { why: Failure::NoResponse, .. });
    assert!(w.hosts[A].events.iter().any(failed));
    w.run(500, [20, 20]);
    assert_eq!((count(&w, A), count(&w, B)), (1, 1));
    assert_eq!(w.hosts[A].heard[&OTHER].2, w.hosts[A].addr(0));
}

#[test]
fn the_number_of_forks_is_limited_at_both_ends() {
    let mut w = two_sockets(Config { max_forks: 2, ..fast() });
    w.fork(A, 20).unwrap();
    w.fork(A, 21).unwrap();
    assert_eq!(w.fork(A, 22), Err(Refused::TooMany));
    assert_eq!(w.hosts[A].count("fork_limit"), 1);
    w.run(500, [20, 20]);
    assert_eq!((count(&w, A), count(&w, B)), (3, 3));
    // The peer refuses one more; we may have it.
    w.hosts[A].out.config.max_forks = 3;
    w.hosts[A].out.config.i1_timeout_ms = 100;
    w.hosts[A].out.config.i2_timeout_ms = 100;
    let id = w.fork(A, 22).unwrap();
    w.run(20_000, [20, 20]);
    assert!(w.hosts[B].count("fork_limit") >= 1);
    assert!(!w.hosts[A].contexts.all.contains_key(&id));
    assert_eq!((count(&w, A), count(&w, B)), (3, 3));
}

#[test]
fn only_an_established_context_can_be_forked() {
    let mut w = World::new(5, fast());
    w.initiate(A);
    assert_eq!(w.fork(A, OTHER), Err(Refused::Nothing));
    assert_eq!(count(&w, A), 1);
}

#[test]
fn both_may_fork_the_same_context_at_once() {
    let mut w = two_sockets(fast());
    w.fork(A, OTHER).unwrap();
    w.fork(B, OTHER).unwrap();
    w.run(1_000, [20, 20]);
    assert_eq!((count(&w, A), count(&w, B)), (3, 3));
    // Each sends in its own.
    let [to_a, to_b] = [A, B].map(|h| w.hosts[h].heard[&OTHER].0.unwrap());
    let fii = |host, id| context(&w, host, id).ulids().fii;
    assert_ne!(fii(A, to_a), fii(B, to_b));
    assert!(!context(&w, A, to_a).is_bound() && !context(&w, B, to_b).is_bound());
}

/// 7.15: "the host checks if the ULID pair or the Forked Instance Identifier are different than
/// the ones in the newly created or updated context".
#[test]
fn a_tag_used_again_for_another_instance_ends_the_old_one() {
    let (mut w, [ours, _]) = forked(fast());
    let tag = context(&w, A, ours).peer_tag().unwrap();
    // The peer lost the fork and gives its tag to the context of another instance.
    let id = w.fork(A, 30).unwrap();
    let confused = w.hosts[A].count("context_confused");
    let pair = w.ulids[A].pair;
    let h = &mut w.hosts[A];
    let nonce = h.contexts.all[&id].0.nonce().unwrap();
    let r2 = r2(tag, nonce);
    let meta = shim6_proto::proto::endpoint::Meta {
        src: pair.peer,
        dst: pair.local,
        head: &[],
        verdict: Default::default(),
    };
    let mut reply = [0; MAX_MESSAGE];
    let got = h.endpoint.receive(&h.out, &mut h.contexts, meta, &r2, &mut reply);
    assert_eq!(got.touched, Some(id));
    assert_eq!(h.count("context_confused"), confused + 1);
    assert!(!h.contexts.all.contains_key(&ours), "two contexts with one tag");
    assert_eq!(h.contexts.all[&id].0.peer_tag(), Some(tag));
    assert_eq!(h.contexts.all.len(), 2, "the default context is another matter");
}

fn r2(responder_tag: Tag, initiator_nonce: u32) -> Vec<u8> {
    let mut out = [0; MAX_MESSAGE];
    let message = Builder::new(&mut out, &Body::R2 { responder_tag, initiator_nonce });
    let len = message.finish().unwrap();
    out[..len].to_vec()
}

#[test]
fn a_hint_about_one_context_is_not_about_its_forks() {
    let (mut w, [ours, _]) = forked(fast());
    let default = default_of(&mut w, A);
    w.call_on(A, ours, |ctx, env, activity| ctx.path_hint(env, activity, Hint::Unanswered));
    let explores = |id| context(&w, A, id).reap_state().unwrap();
    use shim6_proto::proto::reap::ReapState;
    assert_eq!(explores(ours), ReapState::Exploring);
    assert_eq!(explores(default), ReapState::Operational);
}

// ---- who is granted what

const ONE: Owner = Owner { place: 7, serial: 1 };
const TWO: Owner = Owner { place: 7, serial: 2 };

fn ask(
    w: &mut World,
    id: u64,
    by: Owner,
    lives: bool,
    wish: Wish<'_>,
) -> Result<Granted, WishError> {
    w.call_on(A, id, |ctx, env, activity| ctx.wish(env, activity, by, |_| lives, &wish))
}

#[test]
fn the_first_socket_that_wishes_has_the_default_context() {
    let mut w = two_sockets(fast());
    let id = default_of(&mut w, A);
    let (first, second) = (w.hosts[A].addr(0), w.hosts[A].addr(1));
    assert_eq!(ask(&mut w, id, ONE, true, Wish::SendTimeout(2_000)), Ok(Granted::Here));
    assert_eq!(ask(&mut w, id, ONE, true, Wish::Local(wanted(first, 4))), Ok(Granted::Here));
    // Another one's wish is granted if it is in force, and nowhere else.
    w.call_on(A, id, |ctx, _, _| ctx.published());
    assert_eq!(ask(&mut w, id, TWO, true, Wish::SendTimeout(2_000)), Ok(Granted::Here));
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Local(wanted(first, 4))), Ok(Granted::Here));
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Local(wanted(second, 0))), Ok(Granted::Here));
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Explore(Explore::default())), Ok(Granted::Here));
    assert_eq!(ask(&mut w, id, TWO, true, Wish::SendTimeout(3_000)), Ok(Granted::Apart));
    assert_eq!(ask(&mut w, id, TWO, true, Wish::SendTimeout(0)), Ok(Granted::Apart));
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Local(wanted(first, 5))), Ok(Granted::Apart));
    let explore = Explore { initial_probes: 2, ..Explore::default() };
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Explore(explore)), Ok(Granted::Apart));
    assert_eq!(ask(&mut w, id, TWO, true, Wish::HotStandby(false)), Ok(Granted::Here));
    assert_eq!(ask(&mut w, id, TWO, true, Wish::HotStandby(true)), Ok(Granted::Apart));
    assert!(!context(&w, A, id).has_changed());
    assert_eq!(context(&w, A, id).send_timeout_ms(&fast()), 2_000);
    // The first one is gone: the next takes over what is there.
    assert_eq!(ask(&mut w, id, TWO, false, Wish::SendTimeout(3_000)), Ok(Granted::Here));
    assert_eq!(ask(&mut w, id, ONE, true, Wish::SendTimeout(2_000)), Ok(Granted::Apart));
}

#[test]
fn lists_are_in_force_if_they_are_the_same() {
    let mut w = two_sockets(fast());
    let id = default_of(&mut w, A);
    let ours = [wanted(w.hosts[A].addr(0), 0), wanted(w.hosts[A].addr(1), 3)];
    let theirs = [wanted(w.hosts[B].addr(0), 0)];
    assert_eq!(ask(&mut w, id, ONE, true, Wish::Locals(&ours)), Ok(Granted::Here));
    assert_eq!(ask(&mut w, id, ONE, true, Wish::Peers(&theirs)), Ok(Granted::Here));
    let [x, y] = ours;
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Locals(&[y, x])), Ok(Granted::Here));
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Locals(&[x])), Ok(Granted::Apart));
    let other = wanted(y.addr, 4);
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Locals(&[x, other])), Ok(Granted::Apart));
    let mut third = w.hosts[A].out.locators[1];
    third.addr.0[15] ^= 1;
    w.hosts[A].out.locators.push(third);
    let z = wanted(third.addr, 0);
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Locals(&[x, y, z])), Ok(Granted::Apart));
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Peers(&theirs)), Ok(Granted::Here));
    let other = [wanted(theirs[0].addr, 1)];
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Peers(&other)), Ok(Granted::Apart));
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Peer(theirs[0])), Ok(Granted::Here));
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Peer(other[0])), Ok(Granted::Apart));
}

/// A fork may use what is in the list, and what could be in it again.
#[test]
fn a_locator_that_one_socket_does_not_want_another_may() {
    let mut w = two_sockets(fast());
    let id = default_of(&mut w, A);
    let [x, y] = [0, 1].map(|i| wanted(w.hosts[A].addr(i), 0));
    assert_eq!(ask(&mut w, id, ONE, true, Wish::Locals(&[x])), Ok(Granted::Here));
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Local(y)), Ok(Granted::Apart));
    // Still in the list, but not on an interface for the time being.
    w.hosts[A].out.locators[0].usable = false;
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Local(wanted(x.addr, 4))), Ok(Granted::Apart));
    // Neither.
    w.hosts[A].out.locators[1].usable = false;
    let refused = Err(WishError::NotALocator);
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Local(y)), refused);
}

#[test]
fn what_would_be_refused_forks_nothing() {
    let mut w = two_sockets(fast());
    let id = default_of(&mut w, A);
    let (ours, theirs) = (w.hosts[A].addr(0), w.hosts[B].addr(0));
    assert_eq!(ask(&mut w, id, ONE, true, Wish::SendTimeout(2_000)), Ok(Granted::Here));
    let (ours, theirs) = ([wanted(ours, 1)], [wanted(theirs, 1)]);
    for wish in
        [Wish::Local(theirs[0]), Wish::Locals(&theirs), Wish::Peer(ours[0]), Wish::Peers(&ours)]
    {
        assert_eq!(ask(&mut w, id, TWO, true, wish), Err(WishError::NotALocator), "{wish:?}");
    }
    w.hosts[A].out.locators[0].usable = false;
    assert_eq!(ask(&mut w, id, TWO, true, Wish::Locals(&ours)), Err(WishError::Nothing));
}

// ---- flows

fn packet(next: u8, ports: [u16; 2]) -> Vec<u8> {
    let mut packet = vec![0; 48];
    packet[6] = next;
    packet[40..42].copy_from_slice(&ports[0].to_be_bytes());
    packet[42..44].copy_from_slice(&ports[1].to_be_bytes());
    packet
}

#[test]
fn a_flow_is_the_same_both_ways() {
    for protocol in [6, 17, 33, 132, 136] {
        let out = Flow::of(&packet(protocol, [1000, 2000]), protocol, Way::Out);
        assert_eq!(out, Some(Flow::new(protocol, 1000, 2000)));
        assert_eq!(out, Flow::of(&packet(protocol, [2000, 1000]), protocol, Way::In));
        assert_ne!(out, Flow::of(&packet(protocol, [1000, 2000]), protocol, Way::In));
        assert_eq!(Flow::of(&packet(protocol, [1, 2])[..43], protocol, Way::In), None);
    }
    assert_ne!(Flow::new(6, 1, 2), Flow::new(17, 1, 2));
    // Without ports there is the protocol.
    assert_eq!(Flow::of(&packet(58, [1, 2]), 58, Way::In), Flow::of(&[], 58, Way::Out));
    assert_eq!(Flow::of(&[], 58, Way::In), Some(Flow::new(58, 7, 8)));
}

#[test]
fn the_first_fragment_tells_the_flow_and_the_others_do_not() {
    let mut first = packet(44, [0, 1]);
    first[40] = 17;
    first.extend(packet(0, [2000, 1000])[40..].to_vec());
    assert_eq!(Flow::of(&first, 44, Way::In), Some(Flow::new(17, 1000, 2000)));
    first[43] = 0x09; // offset 8
    assert_eq!(Flow::of(&first, 44, Way::In), None);
    first[42] = 1;
    first[43] = 1;
    assert_eq!(Flow::of(&first, 44, Way::In), None);
}

proptest! {
    #[test]
    fn a_flow_is_found_until_another_takes_its_place(
        keys in proptest::collection::vec((any::<u64>(), 1u64..1 << 47), 1..60),
    ) {
        let slots: Vec<FlowSlot> = (0..16).map(|_| FlowSlot::new()).collect();
        let flows = Flows(&slots);
        for (key, tag) in &keys {
            prop_assert!(flows.find(*key).is_none() || keys.iter().any(|(k, _)| k == key
                || k << 47 == key << 47));
            flows.learn(*key, Tag::new(*tag));
            prop_assert_eq!(flows.find(*key), Some(Tag::new(*tag)));
            prop_assert!(!flows.learn(*key, Tag::new(*tag)), "no news");
        }
        for (key, _) in &keys {
            flows.forget(*key);
            prop_assert_eq!(flows.find(*key), None);
        }
    }

    #[test]
    fn another_flow_in_the_same_place_is_not_taken_for_it(key: u64, bits in 1u64..1 << 17) {
        let slots = [FlowSlot::new()];
        let flows = Flows(&slots);
        flows.learn(key, Tag::new(5));
        prop_assert_eq!(flows.find(key ^ bits), None);
        flows.forget(key ^ bits);
        prop_assert_eq!(flows.find(key), Some(Tag::new(5)));
    }

    #[test]
    fn keys_of_flows_differ(pair: u64, a: (u16, u16), b: (u16, u16)) {
        prop_assume!(a != b && pair.rotate_left(32) | 1 > 1 << 32);
        prop_assert_ne!(Flow::new(6, a.0, a.1).key(pair), Flow::new(6, b.0, b.1).key(pair));
    }
}
