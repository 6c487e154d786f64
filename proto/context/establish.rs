// SPDX-License-Identifier: GPL-2.0

//! What messages of the establishment do to a context (RFC 5533 sections 7.9 to 7.20). The
//! endpoint has checked them as far as that needs no context.

use super::event::Kind;
use super::handshake::{Handshake, Patience, Step, Validator};
use super::learn::News;
use super::local::{self, Told};
use super::update::Update;
use super::{Bond, Context, Events, Failure, Idle, Phase, Prefer, State};
use crate::proto::addr::{Addr, Pair, Tag, UlidPair};
use crate::proto::counter::Counter;
use crate::proto::env::Env;
use crate::proto::locator::pairs::Moved;
use crate::proto::locator::{LocatorStore, NoMemory, PeerLocators};
use crate::proto::reap::activity::{Activity, Direction};
use crate::proto::reap::{Reap, ReapState};
use crate::proto::time::Instant;
use crate::proto::wire::{Body, Builder};

impl<S: LocatorStore> Context<S> {
    /// `peers` is what is known of the peer's locators beforehand.
    pub(super) fn new(
        env: &dyn Env,
        ulids: UlidPair,
        tag: Tag,
        phase: Phase,
        peers: PeerLocators<S>,
        origin: Addr,
    ) -> Self {
        let mut octets = [0; 6];
        octets.iter_mut().zip(origin.0).for_each(|(to, from)| *to = from);
        Context {
            ulids,
            origin: octets,
            local_tag: tag,
            peer_tag: Tag::default(),
            tx: ulids.pair,
            peers,
            phase,
            prefer: Prefer::default(),
            update: Update::default(),
            told: None,
            alive: env.now(),
            recovers_from: Instant(0),
            idle: Idle::No,
            bond: Bond::Shared,
            keepalive_timeout_s: 0,
            changed: true,
            events: Events::default(),
        }
    }

    /// "When the shim layer decides to set up a context for a ULID pair, it starts by
    /// allocating and initializing the context state for its end" (7.7).
    pub fn initiator(
        env: &dyn Env,
        ulids: UlidPair,
        tag: Tag,
        nonce: u32,
    ) -> Result<Self, NoMemory> {
        let handshake = Handshake::new(env, ulids.pair, nonce, Step::I1);
        let peers = PeerLocators::of_ulid(ulids.pair.peer)?;
        Ok(Self::new(env, ulids, tag, Phase::Opening(handshake), peers, ulids.pair.peer))
    }

    /// "If the STATE is IDLE (i.e., the context does not exist), the host allocates a Context
    /// Tag (CT(local)), creates the context state for the context, and sets its STATE to
    /// ESTABLISHED" (7.13, 7.20). `over` is the pair the I2 or I2bis came over; `of` the default
    /// context, if this one is a fork of it.
    pub fn responder(
        env: &dyn Env,
        ulids: UlidPair,
        of: Option<&Self>,
        tag: Tag,
        peer_tag: Tag,
        news: &mut News,
        over: Pair,
    ) -> Result<Self, NoMemory> {
        let peers = match of {
            Some(of) => PeerLocators::known(&of.peers)?,
            None => PeerLocators::of_ulid(ulids.pair.peer)?,
        };
        let mut new = Self::new(env, ulids, tag, Phase::Up(Reap::new(env)), peers, over.peer);
        new.learn(env, peer_tag, news, over)?;
        new.tx = over;
        new.events.push(Kind::Established);
        new.prefer.ended(env);
        env.count(Counter::EstablishedResponder);
        Ok(new)
    }

    /// The nonce of the exchange in progress.
    pub fn nonce(&self) -> Option<u32> {
        match &self.phase {
            Phase::Opening(handshake) => Some(handshake.nonce),
            _ => None,
        }
    }

    /// Whether an exchange of ours with this nonce goes over this pair (12.4: "Deliver to the
    /// context with the locator pair included in the packet and the Initiator Nonce").
    pub fn is_opening(&self, nonce: u32, over: &Pair) -> bool {
        match &self.phase {
            Phase::Opening(handshake) => handshake.nonce == nonce && handshake.pair == *over,
            _ => false,
        }
    }

    /// Whether a locator of the peer's is in Ls(peer), and proved.
    pub fn is_peer(&self, addr: &Addr) -> bool {
        self.peers.is_verified(addr)
    }

    /// Whether an I1 is answered with an R2. In ESTABLISHED, "the host verifies that the locator
    /// of the initiator is included in Ls(peer)" and "compares CT(peer) for the context with the
    /// CT contained in the I1 message"; "if the state exists in other STATE (I1-SENT, I2-SENT,
    /// I2BIS-SENT), we are in the situation of concurrent context establishment" (7.9): then
    /// once for each message of ours, else R1, which grows little and is as good.
    pub fn answers_r2(&mut self, tag: Tag, src: &Addr) -> bool {
        let known = self.is_peer(src);
        match &mut self.phase {
            Phase::Up(_) => known && self.peer_tag == tag,
            Phase::Opening(handshake) => known && handshake.may_answer(),
            Phase::Failed(..) => false,
        }
    }

    /// R1 in I1-SENT: "it sends an I2 message"; "In any other STATE [...] this R1 message
    /// MUST be silently discarded" (7.11).
    pub fn handle_r1(&mut self, env: &dyn Env, responder_nonce: u32, validator: &[u8]) {
        match (&mut self.phase, Validator::new(validator)) {
            (Phase::Opening(handshake), Some(validator)) if matches!(handshake.step, Step::I1) => {
                handshake.answer(env, responder_nonce, validator);
            }
            (_, None) => env.count(Counter::ValidatorTooLong),
            _ => env.count(Counter::R1Unexpected),
        }
    }

    /// An exchange from a locator that left Ls(local) would not be believed any more ("verifies
    /// if the source locator is included in Ls(peer) or in the Locator List contained in the I2
    /// message", 7.13): it goes back to I1, from the ULID.
    pub(super) fn speak_from_list(&mut self, env: &dyn Env) {
        let Phase::Opening(handshake) = &self.phase else { return };
        if self.may_speak_from(env, &handshake.pair.local) {
            return;
        }
        let local = self.ulids.pair.local;
        if let Phase::Opening(handshake) = &mut self.phase {
            handshake.pair.local = local;
            handshake.fall_back(env);
            env.count(Counter::FellBackToI1);
        }
    }

    /// Whether an R1bis may begin a recovery. An I2bis is much longer, and ends by the R2 of a peer
    /// that never lost the context: who repeats an R1bis must not have one for each. So they are as
    /// far from each other as those of one exchange, I2bis_TIMEOUT; a peer that did lose it again
    /// says so again.
    pub fn may_recover(&self, env: &dyn Env) -> bool {
        env.now().reached(self.recovers_from)
    }

    /// R1bis in ESTABLISHED: "the host leaves CT(peer) unchanged in the context state,
    /// transitions to I2BIS-SENT STATE, and sends an I2bis message [...] using the locator
    /// pair included in the R1bis message" (7.18).
    pub fn handle_r1bis(
        &mut self,
        env: &dyn Env,
        nonce: u32,
        over: Pair,
        responder_nonce: u32,
        validator: &[u8],
    ) {
        let Some(validator) = Validator::new(validator) else {
            return env.count(Counter::ValidatorTooLong);
        };
        if self.state() != State::Established {
            return env.count(Counter::R1bisUnexpected);
        }
        self.recovers_from = env.now().after(u64::from(env.config().i2bis_timeout_ms));
        let packet_tag = self.peer_tag;
        let step = Step::I2bis { responder_nonce, validator, packet_tag };
        let doubtful = self.reap_state() != Some(ReapState::Operational);
        let mut handshake = Handshake::new(env, over, nonce, step);
        handshake.doubtful = doubtful;
        self.phase = Phase::Opening(handshake);
        self.events.push(Kind::Recovering);
        env.count(Counter::Recovering);
        self.touch();
    }

    /// I2 or I2bis for a context that exists: "the host updates the context information
    /// (CT(peer), Ls(peer)) with the data contained in the I2 message". I1-SENT becomes
    /// ESTABLISHED, otherwise "the context STATE remains unchanged" (7.13, 7.20).
    pub fn handle_i2(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        peer_tag: Tag,
        news: &mut News,
        over: Pair,
    ) -> Result<(), NoMemory> {
        self.learn(env, peer_tag, news, over)?;
        if self.state() == State::I1Sent {
            env.count(Counter::EstablishedResponder);
            self.establish(env, activity, over);
        }
        Ok(())
    }

    /// R2 in I1-SENT, I2-SENT or I2BIS-SENT: "the host records the information from the R2
    /// message in the context state; it records the peer's locator set and CT(peer). [...]
    /// The host sets its STATE to ESTABLISHED" (7.16).
    pub fn handle_r2(
        &mut self,
        env: &dyn Env,
        activity: &Activity,
        peer_tag: Tag,
        news: &mut News,
        over: Pair,
    ) -> Result<(), NoMemory> {
        let recovered = self.state() == State::I2bisSent;
        self.learn(env, peer_tag, news, over)?;
        env.count(if recovered { Counter::Recovered } else { Counter::EstablishedInitiator });
        self.establish(env, activity, over);
        Ok(())
    }

    /// Goes to ESTABLISHED over a pair that the exchange itself showed to work, both ways. A
    /// context that was recovered keeps its pair, unless an exploration had put it in doubt.
    fn establish(&mut self, env: &dyn Env, activity: &Activity, over: Pair) {
        let was_active = self.is_active();
        let doubtful = matches!(&self.phase, Phase::Opening(handshake) if handshake.doubtful);
        self.phase = Phase::Up(Reap::new(env));
        // REAP begins anew, idle: nobody owes anybody an answer yet.
        activity.set(Direction::Idle, env.ticks().tick(env.now()));
        self.events.push(Kind::Established);
        self.alive = env.now();
        if !was_active {
            self.tx = over;
            self.prefer.ended(env);
        } else if doubtful {
            self.go_over(env, over);
        }
        self.touch();
        self.announce(env);
    }

    /// CT(peer), Ls(peer) and the Keepalive Timeout of an I2, I2bis or R2 that came over
    /// `over`: the peer is there.
    fn learn(
        &mut self,
        env: &dyn Env,
        peer_tag: Tag,
        news: &mut News,
        over: Pair,
    ) -> Result<(), NoMemory> {
        if let Some((generation, list)) = news.list() {
            let moved = Moved::between(self.peers.as_slice(), list);
            self.peers.replace(generation, list)?;
            self.recall_reachable();
            if let Phase::Up(reap) = &mut self.phase {
                reap.peers_moved(&moved);
            }
            self.events.push(Kind::PeerLocators);
        }
        if let Some(seconds) = news.keepalive_timeout_s {
            self.keepalive_timeout_s = seconds;
        }
        self.peer_tag = peer_tag;
        self.peers.set_reachable(&over.peer);
        if self.is_active() && !self.peers.is_verified(&self.tx.peer) {
            self.go_over(env, over);
        }
        self.touch();
        Ok(())
    }

    /// Writes an R2 (7.14) for an exchange with this nonce.
    pub fn emit_r2(&mut self, env: &dyn Env, nonce: u32, out: &mut [u8]) -> Option<usize> {
        let set = self.local_set(env)?;
        let send_timeout_ms = self.config(env).send_timeout_ms;
        let body = Body::R2 { responder_tag: self.local_tag, initiator_nonce: nonce };
        let mut write = |bare| {
            let mut message = Builder::new(out, &body);
            local::put_all(&mut message, &set, send_timeout_ms, bare);
            message.finish()
        };
        let now = Told::now(&set, send_timeout_ms);
        let (len, told) = match write(false) {
            Some(len) => (len, now),
            // What does not fit is told later, in an Update.
            None => (write(true)?, Told { generation: None, ..now }),
        };
        self.told = Some(told);
        self.announce(env);
        env.count(Counter::TxR2);
        Some(len)
    }

    /// The wait for an answer is over.
    pub(super) fn handshake_timeout(&mut self, env: &dyn Env) {
        let was_active = self.is_active();
        let Phase::Opening(handshake) = &mut self.phase else { return };
        if !env.now().reached(handshake.next()) {
            return;
        }
        match handshake.patience(env) {
            Patience::Again => {}
            Patience::FallBack => {
                handshake.fall_back(env);
                env.count(Counter::FellBackToI1);
            }
            Patience::GiveUp => self.fail(env, Failure::NoResponse),
        }
        if was_active != self.is_active() {
            self.touch();
        }
    }

    /// E-FAILED or NO-SUPPORT: "any such negative caching should be retained for at most
    /// NO_R1_HOLDDOWN_TIME", "at most ICMP_HOLDDOWN_TIME" (7.8).
    fn fail(&mut self, env: &dyn Env, why: Failure) {
        let config = env.config();
        let (hold, counter) = match why {
            Failure::NoResponse => (config.no_r1_holddown_ms, Counter::NoResponse),
            Failure::NoSupport => (config.icmp_holddown_ms, Counter::NoSupport),
        };
        env.count(counter);
        self.phase = Phase::Failed(why, env.now().after(u64::from(hold)));
        self.events.push(Kind::Failed);
        self.touch();
    }

    /// ICMPv6 "Unrecognized Next Header" about our I1: "a more reliable indication that the
    /// peer ULID does not implement Shim6" (7.8). In other STATEs the peer has shown the
    /// contrary.
    pub fn no_support(&mut self, env: &dyn Env) {
        if self.state() == State::I1Sent {
            self.fail(env, Failure::NoSupport);
        }
    }

    /// The peer refused our I2 or I2bis for its locator list (Error code 2).
    pub fn list_refused(&mut self, env: &dyn Env) {
        if let Phase::Opening(handshake) = &mut self.phase {
            handshake.list_refused(env);
        }
    }

    /// A message shows that the peer has the context that we still wait for.
    pub fn nudge(&mut self) {
        if let Phase::Opening(handshake) = &mut self.phase {
            if !matches!(handshake.step, Step::I1) {
                handshake.nudge();
            }
        }
    }

    /// The end of the wait of an exchange in progress.
    pub(super) fn handshake_deadline(handshake: &Handshake, env: &dyn Env) -> Instant {
        if handshake.is_due() {
            env.now()
        } else {
            handshake.next()
        }
    }

    /// Removes the context without a word: the peer has lost it, and its tag names another
    /// (context confusion, 7.15).
    pub fn abandon(&mut self) {
        self.events.push(Kind::Gone);
    }
}
