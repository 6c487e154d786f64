// SPDX-License-Identifier: GPL-2.0

//! One REAP alone, and its peer played by the test.

use crate::world::{self, Outside};
use shim6_proto::proto::addr::{Addr, Pair, Tag};
use shim6_proto::proto::env::Env;
use shim6_proto::proto::locator::pairs::{PairIndex, Paths};
use shim6_proto::proto::locator::PeerLocator;
use shim6_proto::proto::reap::activity::{Activity, Direction};
use shim6_proto::proto::reap::{Aim, Io, Outcome, Reap, ReapState};
use shim6_proto::proto::wire::{Body, Builder, Message, ProbeState, Record, Type, MAX_MESSAGE};

pub const TAG: Tag = Tag::new(0x1234_5678_9abc);

/// One REAP alone, and its peer played by the test.
pub struct Bench {
    pub out: Outside,
    pub activity: Activity,
    pub reap: Reap,
    pub peers: Vec<PeerLocator>,
    pub ulids: Pair,
    pub tx: Pair,
}

/// A message that REAP sent.
pub struct Sent {
    pub kind: Type,
    pub pair: Pair,
    pub state: Option<ProbeState>,
    pub sent: Vec<Record>,
    pub received: Vec<Record>,
}

macro_rules! step {
    ($bench:expr, $method:ident $(, $arg:expr)*) => {{
        let $crate::bench::Bench { out, activity, reap, peers, ulids, tx } = &mut *$bench;
        let io = $crate::bench::io(out, activity, peers, *ulids, *tx);
        reap.$method(&io $(, $arg)*)
    }};
}
pub(crate) use step;

pub fn io<'a>(
    out: &'a Outside,
    activity: &'a Activity,
    peers: &'a [PeerLocator],
    ulids: Pair,
    tx: Pair,
) -> Io<'a> {
    let set = out.local_set(&ulids.local).unwrap();
    let paths = Paths { set, peers, ulids, salt: 0 };
    Io { env: out, activity, paths, tx, config: *out.config(), keepalive_timeout_ms: 15_000 }
}

impl Bench {
    /// In a state, with no timer running and nothing to send.
    pub fn new(state: ReapState) -> Bench {
        let [a, b] = world::hosts(9, Default::default());
        let ulids = Pair { local: a.addr(0), peer: b.addr(0) };
        let peers = [0, 1].map(|i| PeerLocator::ulid(b.addr(i))).to_vec();
        let reap = Reap::new(&a.out);
        let activity = Activity::new();
        let mut bench = Bench { out: a.out, activity, reap, peers, ulids, tx: ulids };
        match state {
            ReapState::Operational => {}
            ReapState::Exploring => {
                let _ = step!(&mut bench, explore, Aim::Elsewhere);
            }
            ReapState::InboundOk => {
                let _ = bench.probe(ProbeState::Exploring, 0, &[]);
                bench.activity.set(Direction::Idle, 0);
            }
        }
        bench.sent();
        assert_eq!(bench.reap.state(), state);
        bench
    }

    pub fn pass(&mut self, ms: u64) {
        let now = self.out.now.get();
        self.out.now.set(now.after(ms));
    }

    pub fn tick(&self) -> u64 {
        self.out.ticks().tick(self.out.now.get())
    }

    pub fn timer(&self) -> Direction {
        self.activity.turn().direction
    }

    /// Since when the timer runs is the present: it was RESTARTed.
    pub fn restarted(&self) -> bool {
        self.activity.turn().since == self.tick()
    }

    pub fn sent(&mut self) -> Option<Sent> {
        let mut buf = [0xa5; MAX_MESSAGE];
        let (pair, len) = step!(self, emit, TAG, &mut buf)?;
        let message = Message::parse(&buf[..len]).expect("a right message");
        let (state, sent, received) = match message.body {
            Body::Probe { tag, ref probe } => {
                assert_eq!(tag, TAG);
                (Some(probe.state), probe.sent().collect(), probe.received().collect())
            }
            _ => (None, vec![], vec![]),
        };
        Some(Sent { kind: message.kind(), pair, state, sent, received })
    }

    pub fn sent_probe(&mut self, state: ProbeState) -> Sent {
        let sent = self.sent().expect("a probe");
        assert_eq!((sent.kind, sent.state), (Type::Probe, Some(state)));
        // "The first set of Probe fields pertains to the current message."
        assert_eq!((sent.sent[0].src, sent.sent[0].dst), (sent.pair.local, sent.pair.peer));
        assert!(self.sent().is_none(), "one probe");
        sent
    }

    /// The peer's probe over the `i`-th locators of both, with these reports.
    pub fn probe(&mut self, state: ProbeState, i: usize, reports: &[Record]) -> Outcome {
        let own = Record {
            src: self.peers[i].addr,
            dst: self.out.locators[i].addr,
            nonce: 0x1000 + i as u32,
            data: 0xdada,
        };
        let mut buf = [0; MAX_MESSAGE];
        let mut builder = Builder::probe(&mut buf, TAG, state);
        builder.records([own].into_iter(), reports.iter().copied());
        let len = builder.finish().unwrap();
        let message = Message::parse(&buf[..len]).unwrap();
        let Body::Probe { probe, .. } = message.body else { panic!("a probe") };
        let came = PairIndex { local: i as u8, peer: i as u8 };
        step!(self, probe, came, &probe)
    }

    pub fn addr(&self, i: usize) -> (Addr, Addr) {
        (self.out.locators[i].addr, self.peers[i].addr)
    }
}
