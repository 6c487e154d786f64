// SPDX-License-Identifier: GPL-2.0

//! The kernel's tick as the core's time: what packets stamp and timers wait for is one clock.

use crate::proto::env::Ticks;
use crate::proto::time::Instant;
use crate::sys::bindings;
use kernel::ffi::c_ulong;

/// How the core counts these ticks.
pub(crate) const TICKS: Ticks = Ticks { per_second: bindings::SHIM6_HZ };

/// `jiffies` when the kernel started (`INITIAL_JIFFIES`): five minutes before the 32-bit wrap.
const START: u64 = bindings::SHIM6_HZ.wrapping_mul(300).wrapping_neg() as u64;

/// The ticks since boot, at [`TICKS`] a second: what packets stamp.
#[inline]
pub(crate) fn tick() -> u64 {
    // SAFETY: `jiffies` may always be read; it changes under us, hence volatile.
    let jiffies = unsafe { core::ptr::read_volatile(&raw const bindings::jiffies) };
    (jiffies as u64).wrapping_sub(START)
}

/// Now, in milliseconds since boot, as coarse as the kernel's tick.
#[inline]
pub(crate) fn now() -> Instant {
    TICKS.instant(tick())
}

/// Nanoseconds of CLOCK_MONOTONIC.
pub(crate) fn monotonic_ns() -> u64 {
    // SAFETY: may be called in any context.
    unsafe { bindings::ktime_get() as u64 }
}

/// The value of `jiffies` when `at` has come; one tick from now if it has.
pub(in crate::sys) fn expiry(at: Instant) -> c_ulong {
    let now = tick();
    let ahead = TICKS.tick(at).saturating_sub(now).clamp(1, u64::MAX / 4);
    now.wrapping_add(ahead).wrapping_add(START) as c_ulong
}
