// SPDX-License-Identifier: GPL-2.0

//! The pair that stands by (RFC 6316 section 6.3: "an alternative working locator pair to the
//! current locator pair"): which one it is, when it is asked, and what its answers mean.
//!
//! A *round* asks both pairs at once, the current one and the one that stands by, with a probe
//! each that is repeated when nothing comes back. Rounds are held at an interval while there is
//! traffic, and in between as soon as data was sent and nothing came back for a short time.
//!
//! * The pair that stands by answered: it is known to work, until it misses several rounds.
//! * The current pair answered: whatever made the round necessary, it works.
//! * It did not, and the peer was silent: it does not work. As a probe can only be answered over
//!   the *peer's* current pair, the other one need not have answered this time.
//! * It did not, the other one did, and the peer sends: what we send may be lost on the way, or
//!   wait in a long queue. Only after some such rounds the current pair is given up.

use super::pairs::{Cursor, Paths};
use crate::proto::addr::Pair;
use crate::proto::config::Config;
use crate::proto::time::Instant;
use crate::proto::wire::Record;

/// Probes of a round over one pair, at most.
const TRIES: u8 = 3;
/// What an answer may take longer than the last ones before the next probe of its round, in ms.
const PATIENCE_MS: u64 = 16;
/// As long as no answer told how long it takes.
const UNKNOWN_MS: u64 = 100;
/// The most, in ms.
const PATIENCE_MAX_MS: u64 = 2000;
/// Rounds in a row in which a pair may be silent while it is thought to work.
const MISSES: u8 = 3;
/// Rounds after which the pair that is liked most gets another chance to stand by.
const RECONSIDER: u8 = 16;
/// Doublings of a wait, at most.
const DOUBLINGS: u8 = 5;
/// How long a switch-over makes the next one slower, in ms.
const SHY_MS: u64 = 60_000;

/// Which of the two pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one packets go over.
    Current,
    /// The one that stands by.
    Other,
}

/// What of a round belongs to one pair.
#[derive(Clone, Copy, Debug, Default)]
struct Ask {
    pair: Option<Pair>,
    nonce: u32,
    due: bool,
    answered: bool,
}

/// What packets tell of the context at this moment.
#[derive(Clone, Copy, Debug)]
pub struct Marks {
    /// The current pair.
    pub tx: Pair,
    /// Since when we send without hearing anything, if that is so.
    pub sent_since: Option<Instant>,
    /// Whether nobody expects anything of anybody.
    pub idle: bool,
    /// The last packet of data in either direction.
    pub last: Instant,
    /// The last one received.
    pub last_rx: Instant,
}

/// What a probe reported of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The current pair's probe arrived.
    pub current: bool,
    /// The other one's did: the first time in this round, if there.
    pub other: bool,
    /// What works now and was not known to in this round.
    pub fresh: Option<Pair>,
}

/// The pair that stands by in one context; lives in its wishes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standby {
    on: bool,
    current: Ask,
    other: Ask,
    cursor: Option<Cursor>,
    /// The pair that answered last as `other`, and the rounds without an answer since.
    known: Option<Pair>,
    age: u8,
    /// When the round began, its tries so far (0: it is over), and the last try.
    round: Instant,
    tries: u8,
    tried: Instant,
    /// It began because the peer was silent.
    alarm: bool,
    /// There were packets between the last two rounds.
    once_more: bool,
    next: Instant,
    /// The silence that was asked about.
    asked: Instant,
    /// How long answers over the current pair take; 0: none came yet.
    rtt_ms: u32,
    misses: u8,
    fails: u8,
    rounds: u8,
    alarms: u8,
    shy: u8,
    gave_up: Instant,
}

impl Standby {
    /// A pair shall stand by, or not.
    pub fn wish(&mut self, on: bool) {
        if self.on != on {
            *self = Standby { on, ..Standby::default() };
        }
    }

    /// Whether a pair shall.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// The pair that is known to work, if there is one.
    pub fn ready(&self, tx: &Pair) -> Option<Pair> {
        self.known.filter(|pair| self.age < MISSES && pair != tx)
    }

    /// How long to wait from probe to probe, and behind the last one: what an answer took and
    /// some more, so that the first has three times as long; longer after a switch-over, lest two
    /// slow paths take turns.
    fn patience(&self) -> u64 {
        let ms = match self.rtt_ms {
            0 => UNKNOWN_MS,
            took => u64::from(took).saturating_add(PATIENCE_MS),
        };
        (ms << self.shy.min(DOUBLINGS)).min(PATIENCE_MAX_MS)
    }

    /// How long the peer may be silent before it is asked: longer than an answer takes, and the
    /// longer the more often it was asked for nothing.
    fn silence(&self, config: &Config) -> u64 {
        let usual = u64::from(self.rtt_ms).saturating_mul(2);
        let ms = u64::from(config.standby_silence_ms).max(usual) << self.alarms.min(DOUBLINGS);
        ms.min(u64::from(config.standby_interval_ms).max(usual))
    }

    fn is_silent(&self, config: &Config, now: Instant, marks: &Marks) -> bool {
        marks.sent_since.is_some_and(|since| {
            since > self.asked && now.reached(since.after(self.silence(config)))
        })
    }

    /// Whether there is traffic. When it stops, once more: the path may have died right after it
    /// answered, and who only receives would wait for ever.
    fn goes_on(&self, marks: &Marks) -> bool {
        marks.last > self.round || self.once_more
    }

    /// Something is due; true if the current pair has to be given up.
    pub fn timeout(
        &mut self,
        config: &Config,
        now: Instant,
        random: u64,
        marks: &Marks,
        paths: &Paths<'_>,
    ) -> bool {
        if self.tries != 0 {
            let late = now.reached(self.tried.after(self.patience()));
            return late && self.try_again(config, now, marks);
        }
        let silent = self.is_silent(config, now, marks);
        let regular = self.goes_on(marks) && now.reached(self.next);
        if silent || regular {
            self.begin(config, now, random, marks, paths);
            self.alarm = silent;
        }
        false
    }

    fn begin(
        &mut self,
        config: &Config,
        now: Instant,
        random: u64,
        marks: &Marks,
        paths: &Paths<'_>,
    ) {
        if now.reached(self.next) {
            // The peer sends on its own account: a silence means something.
            if marks.last_rx > self.round {
                self.alarms = 0;
            }
            let interval = u64::from(config.standby_interval_ms);
            let spread = random % (interval / 4).saturating_add(1);
            self.next = now.after((interval - interval / 8).saturating_add(spread));
        }
        if now.since(self.gave_up) > SHY_MS {
            self.shy = 0;
        }
        self.choose(marks, paths);
        self.asked = marks.sent_since.unwrap_or(self.asked);
        self.once_more = marks.last > self.round;
        self.round = now;
        self.rounds = self.rounds.wrapping_add(1);
        let nonce = (random >> 32) as u32;
        let ask = |pair, nonce| Ask { pair, nonce, due: true, answered: false };
        self.current = ask(Some(marks.tx), nonce);
        self.other = ask(self.other.pair, !nonce);
        // Without another pair there is nothing to prepare.
        self.tries = u8::from(self.other.pair.is_some());
        self.tried = now;
    }

    /// Of all pairs but the current one the first in the order of an exploration: not told
    /// broken, sharing no end with the current one, liked most. The next, when it is silent.
    fn choose(&mut self, marks: &Marks, paths: &Paths<'_>) {
        let fits = |pair: &Pair| {
            *pair != marks.tx && paths.index(pair).is_some_and(|at| paths.is_candidate(at))
        };
        let keeps = self.other.pair.is_some_and(|pair| fits(&pair));
        if keeps && self.misses < 2 && self.rounds % RECONSIDER != 0 {
            return;
        }
        let from = match self.cursor {
            Some(cursor) if keeps && self.misses >= 2 => cursor,
            _ => Cursor::START,
        };
        self.misses = 0;
        let after = |mut cursor| {
            while let Some((at, next)) = paths.next(cursor, &marks.tx) {
                cursor = next;
                if let Some(pair) = paths.resolve(at).filter(|pair| *pair != marks.tx) {
                    return Some((pair, next));
                }
            }
            None
        };
        let found = after(from).or_else(|| after(Cursor::START));
        self.other.pair = found.map(|(pair, _)| pair);
        self.cursor = found.map(|(_, cursor)| cursor);
    }

    /// An answer did not come in time.
    fn try_again(&mut self, config: &Config, now: Instant, marks: &Marks) -> bool {
        if self.tries < TRIES {
            self.tries = self.tries.saturating_add(1);
            self.tried = now;
            self.current.due = !self.current.answered;
            self.other.due = !self.other.answered;
            return false;
        }
        self.tries = 0;
        if self.current.answered {
            self.misses = self.misses.saturating_add(1);
            self.age = self.age.saturating_add(1);
            return false;
        }
        self.fails = self.fails.saturating_add(1);
        // What was received in the round's beginning may have been on its way before a cut.
        let enough = self.silence(config).saturating_add(self.patience());
        let silent = marks.last_rx <= self.round || now.since(marks.last_rx) >= enough;
        // A peer that never answered may not know how.
        let answers = self.rtt_ms != 0 || self.known.is_some();
        answers && (silent || (self.other.answered && self.fails >= MISSES))
    }

    /// A report of the peer's came: whether it is of this round.
    pub fn heard(&mut self, now: Instant, received: impl Iterator<Item = Record>) -> Heard {
        let mut heard = Heard::default();
        for record in received {
            let went = Pair { local: record.src, peer: record.dst };
            let of = |ask: &Ask| ask.pair == Some(went) && ask.nonce == record.nonce;
            if self.round == Instant::default() {
                continue;
            }
            if of(&self.current) {
                heard.current = true;
                self.current_works(now);
            } else if of(&self.other) {
                heard.other = true;
                if !self.other.answered {
                    self.other.answered = true;
                    (self.known, self.age, self.misses) = (Some(went), 0, 0);
                    heard.fresh = Some(went);
                }
            }
        }
        if self.current.answered && self.other.answered {
            self.tries = 0;
        }
        heard
    }

    fn current_works(&mut self, now: Instant) {
        if self.current.answered {
            return;
        }
        self.current.answered = true;
        self.fails = 0;
        if self.alarm {
            self.alarms = self.alarms.saturating_add(1).min(DOUBLINGS);
        }
        // Late answers count in full: a queue that grew is not a failure.
        let took = u32::try_from(now.since(self.round)).unwrap_or(u32::MAX).max(1);
        let smooth = (u64::from(self.rtt_ms) * 3 + u64::from(took)) / 4;
        self.rtt_ms = took.max(u32::try_from(smooth).unwrap_or(took));
    }

    /// When [`Self::timeout`] has to be called at the latest. Packets that turn the direction
    /// do not wake anybody: who waits for a silence looks often.
    pub fn deadline(&self, config: &Config, now: Instant, marks: &Marks) -> Option<Instant> {
        if self.current.due || self.other.due {
            return Some(now);
        }
        if self.tries != 0 {
            return Some(self.tried.after(self.patience()));
        }
        let look = (!marks.idle).then(|| now.after(self.silence(config)));
        let silence = marks.sent_since.filter(|since| *since > self.asked);
        let silence = silence.map(|since| since.after(self.silence(config)));
        let regular = self.goes_on(marks).then_some(self.next);
        [look, silence, regular].into_iter().flatten().min()
    }

    /// The next probe to send: over which pair, and its nonce.
    pub fn take_due(&mut self) -> Option<(Which, Pair, u32)> {
        for (which, ask) in [(Which::Current, &mut self.current), (Which::Other, &mut self.other)] {
            if core::mem::replace(&mut ask.due, false) {
                if let Some(pair) = ask.pair {
                    return Some((which, pair, ask.nonce));
                }
            }
        }
        None
    }

    /// Packets go over another pair: the round that runs, and who stands by, mean nothing more.
    pub fn moved(&mut self, now: Instant) {
        self.tries = 0;
        self.current = Ask::default();
        self.other = Ask::default();
        (self.misses, self.fails) = (0, 0);
        // Soon, to know another one.
        self.next = now;
    }

    /// The pair before did not answer.
    pub fn gave_up(&mut self, now: Instant) {
        self.shy = self.shy.saturating_add(1).min(DOUBLINGS);
        self.gave_up = now;
    }
}
