// SPDX-License-Identifier: GPL-2.0

//! The clocks of events and of people.

fn read(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a writable timespec. Both clocks exist on every Linux.
    unsafe { libc::clock_gettime(clock, &mut now) };
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// Nanoseconds since 1970 of a moment of CLOCK_MONOTONIC.
pub fn wall_of(monotonic: u64) -> u64 {
    let ago = read(libc::CLOCK_MONOTONIC).saturating_sub(monotonic);
    read(libc::CLOCK_REALTIME).saturating_sub(ago)
}
