// SPDX-License-Identifier: GPL-2.0

//! What packets write and REAP reads. There is one [`Activity`] per context; packets
//! write it without any lock.
//!
//! RFC 5534 section 4.1: the Send and the Keepalive timer "are mutually exclusive. In
//! other words, either the node is expecting to see traffic from the peer based on the
//! traffic that the node sent earlier or the node is expecting to respond to the peer
//! based on the traffic that the peer sent earlier (otherwise, the node is in an idle
//! state)". So one word tells which of them runs and since when; the deadline follows.
//!
//! ```text
//!            note_sent                    note_received
//!  Idle ----------------> Sent <----------------------------> Received <---- Idle
//!                           (a packet turns the direction)
//!  Exploring: no timer; a packet received asks for attention at once.
//! ```

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Which timer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// None.
    Idle,
    /// The Send Timer: we sent last.
    Sent,
    /// The Keepalive Timer: the peer sent last.
    Received,
    /// None: "No timer is running in the Exploring state" (RFC 5534 section 6).
    Exploring,
}

/// A direction and since when it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The direction.
    pub direction: Direction,
    /// The tick of the packet that began it.
    pub since: u64,
}

impl Turn {
    const fn new(direction: Direction, since: u64) -> Turn {
        Turn { direction, since }
    }

    const fn pack(self) -> u64 {
        let bits = match self.direction {
            Direction::Idle => 0,
            Direction::Sent => 1,
            Direction::Received => 2,
            Direction::Exploring => 3,
        };
        (self.since << 2) | bits
    }

    const fn unpack(word: u64) -> Turn {
        let direction = match word & 3 {
            0 => Direction::Idle,
            1 => Direction::Sent,
            2 => Direction::Received,
            _ => Direction::Exploring,
        };
        Turn { direction, since: word >> 2 }
    }
}

/// What the sender or receiver of a packet has to do for the context's timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Wake {
    /// Nothing.
    No,
    /// The context was idle: make its timer expire not later than `Context::wake_after_ms`
    /// from now (the packet path has a copy of that number).
    Arm,
    /// Make the timer expire at once: REAP explores and waits for just this packet.
    Now,
}

/// The marks of packets, all in ticks.
#[derive(Debug, Default)]
pub struct Activity {
    turn: AtomicU64,
    last_tx: AtomicU64,
    last_rx: AtomicU64,
}

impl Activity {
    /// No packet yet.
    pub const fn new() -> Self {
        Activity { turn: AtomicU64::new(0), last_tx: AtomicU64::new(0), last_rx: AtomicU64::new(0) }
    }

    /// A data packet of the context was sent (RFC 5534 section 6.2).
    #[inline]
    pub fn note_sent(&self, tick: u64) -> Wake {
        if self.last_tx.load(Relaxed) != tick {
            self.last_tx.store(tick, Relaxed);
        }
        self.turn_to(Turn::new(Direction::Sent, tick), |from| match from {
            Direction::Sent | Direction::Exploring => None,
            Direction::Received => Some(Wake::No),
            Direction::Idle => Some(Wake::Arm),
        })
    }

    /// A data packet of the context was received (RFC 5534 section 6.1).
    #[inline]
    pub fn note_received(&self, tick: u64) -> Wake {
        if self.last_rx.load(Relaxed) != tick {
            self.last_rx.store(tick, Relaxed);
        }
        self.turn_to(Turn::new(Direction::Received, tick), |from| match from {
            Direction::Received => None,
            Direction::Sent => Some(Wake::No),
            Direction::Idle => Some(Wake::Arm),
            Direction::Exploring => Some(Wake::Now),
        })
    }

    /// Goes to `new` from where `wake` says what that means for the timer. A timer that stopped
    /// meanwhile must not be missed: nobody else would start it again.
    #[inline]
    fn turn_to(&self, new: Turn, wake: impl Fn(Direction) -> Option<Wake>) -> Wake {
        let mut seen = self.turn.load(Relaxed);
        loop {
            let Some(wake) = wake(Turn::unpack(seen).direction) else { return Wake::No };
            match self.turn.compare_exchange_weak(seen, new.pack(), Relaxed, Relaxed) {
                Ok(_) => return wake,
                Err(now) => seen = now,
            }
        }
    }

    /// The direction now.
    #[inline]
    pub fn turn(&self) -> Turn {
        Turn::unpack(self.turn.load(Relaxed))
    }

    /// Starts, restarts or stops timers.
    pub fn set(&self, direction: Direction, tick: u64) {
        self.turn.store(Turn::new(direction, tick).pack(), Relaxed);
    }

    /// Goes from `seen` to `direction`, unless a packet turned it meanwhile.
    pub fn replace(&self, seen: Turn, direction: Direction, tick: u64) -> bool {
        let new = Turn::new(direction, tick).pack();
        self.turn.compare_exchange(seen.pack(), new, Relaxed, Relaxed).is_ok()
    }

    /// The tick of the last data packet sent; 0 if there was none.
    #[inline]
    pub fn last_tx(&self) -> u64 {
        self.last_tx.load(Relaxed)
    }

    /// The tick of the last data packet received; 0 if there was none.
    #[inline]
    pub fn last_rx(&self) -> u64 {
        self.last_rx.load(Relaxed)
    }
}
