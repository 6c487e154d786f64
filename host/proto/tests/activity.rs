// SPDX-License-Identifier: GPL-2.0

//! What packets on one processor and timers on another write at the same time.

use shim6_proto::proto::reap::activity::{Activity, Direction, Wake};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// A timer stops while a packet turns the direction: either the packet sees that it stopped, and
/// has it armed, or the timer sees that there was a packet, and does not stop.
#[test]
fn a_timer_that_stops_is_started_by_the_next_packet() {
    const STOPS: u64 = 1_000;
    let activity = Activity::new();
    let stopped = AtomicU64::new(0);
    let timer = || {
        while stopped.load(SeqCst) < STOPS {
            let turn = activity.turn();
            if turn.direction == Direction::Sent && activity.replace(turn, Direction::Idle, 0) {
                stopped.fetch_add(1, SeqCst);
            } else {
                std::thread::yield_now();
            }
        }
    };
    let armed = std::thread::scope(|s| {
        s.spawn(timer);
        let (mut armed, mut tick) = (0, 0);
        while stopped.load(SeqCst) < STOPS {
            tick += 1;
            armed += u64::from(activity.note_received(tick) == Wake::Arm);
            armed += u64::from(activity.note_sent(tick) == Wake::Arm);
            // Between two packets there is time to stop.
            match tick % 64 {
                0 => std::thread::yield_now(),
                n => (0..n).for_each(|_| std::hint::spin_loop()),
            }
        }
        armed
    });
    let runs = activity.turn().direction != Direction::Idle;
    assert_eq!(armed, STOPS + u64::from(runs), "it runs at the end: {runs}");
}
