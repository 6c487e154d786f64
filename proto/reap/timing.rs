// SPDX-License-Identifier: GPL-2.0

//! REAP's intervals (RFC 5534 section 7), each with the randomization of section 4.1: "The
//! actual value SHOULD be randomized in order to prevent synchronization."
//!
//! The RFC gives no range. Ours never makes a peer believe in a failure: the Send Timeout
//! only grows (by up to a tenth), keepalives stay between a third and a half of the
//! Keepalive Timeout ("Keepalive Interval: Y seconds, where Y is one-third to one-half of
//! the Keepalive Timeout value").

use super::Io;
use crate::proto::config::Config;
use crate::proto::env::Env;

/// A number that spreads a timer, 0 to 255.
pub fn chance(env: &dyn Env) -> u8 {
    env.random() as u8
}

/// The part `spread / 256` of `ms`.
fn part(ms: u64, spread: u8) -> u64 {
    ms.saturating_mul(u64::from(spread)) / 256
}

/// The Send Timer's length in ms.
pub fn send_timeout(io: &Io<'_>, spread: u8) -> u64 {
    let ms = u64::from(io.config.send_timeout_ms);
    ms + part(ms / 10, spread)
}

/// The Keepalive Interval in ms.
pub fn keepalive_interval(io: &Io<'_>, spread: u8) -> u64 {
    let timeout = u64::from(io.keepalive_timeout_ms);
    match u64::from(io.config.keepalive_interval_ms) {
        0 => timeout / 3 + part(timeout / 6, spread),
        fixed => fixed.min(timeout),
    }
}

/// The least that can pass between a packet of an idle context and its first deadline.
pub fn wake_after(config: &Config, send_timeout_ms: u32, keepalive_timeout_ms: u32) -> u32 {
    let keepalive = match config.keepalive_interval_ms {
        0 => keepalive_timeout_ms / 3,
        fixed => fixed.min(keepalive_timeout_ms),
    };
    send_timeout_ms.min(keepalive).max(1)
}

/// The time from the `n`-th probe of an exploration to the next, in ms.
///
/// RFC 5534 section 4.3: "The value Initial Probe Timeout (0.5 seconds) specifies the
/// interval between initial attempts to send probes; the Number of Initial Probes (4)
/// specifies how many initial probes can be sent before the exponential back-off procedure
/// needs to be employed", "Max Probe Timeout (60 seconds) specifies a limit beyond which the
/// probe interval may not grow". A tenth of chance for the initial ones, a quarter later;
/// the limit holds with it.
pub fn probe_interval(config: &Config, n: u8, random: u64) -> u64 {
    let initial = u64::from(config.initial_probe_timeout_ms);
    let limit = u64::from(config.max_probe_timeout_ms).max(initial);
    let doublings = u32::from(n).saturating_sub(config.initial_probes.saturating_sub(1)).min(16);
    let nominal = initial.saturating_mul(1 << doublings).min(limit);
    let range = if doublings == 0 { nominal / 5 } else { nominal / 2 };
    nominal.saturating_sub(range / 2).saturating_add(random % range.saturating_add(1)).min(limit)
}
