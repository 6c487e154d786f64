// SPDX-License-Identifier: GPL-2.0

//! What we tell a peer of ourselves in I2, I2bis, R2 and Update Request, and the memory of it.

use crate::proto::locator::LocalSet;
use crate::proto::wire::Builder;

/// The Send Timeout that a peer assumes when nothing is told, in seconds (RFC 5534
/// section 7).
const DEFAULT_SEND_TIMEOUT_S: u16 = 15;

/// What the peer was told last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// "The generation number for the most recently sent Locator List option"; `None`
    /// before there was one.
    pub generation: Option<u32>,
    /// A sum of the preferences.
    pub preferences: u32,
    /// The Keepalive Timeout option's value, or what its absence means.
    pub timeout_s: u16,
}

impl Told {
    /// What a message that tells everything tells now.
    pub fn now(set: &LocalSet<'_>, send_timeout_ms: u32) -> Told {
        Told {
            generation: tells_list(set).then_some(set.generation()),
            preferences: sum(set),
            timeout_s: timeout_s(send_timeout_ms),
        }
    }
}

/// A set without parameters cannot be verified, so there is no use in telling it; nor a list that
/// a signature has to prove before it is signed: "This option MUST be included in the I2 message
/// when some of the locators in the list use CGA (and not HBA) for verification" (RFC 5533
/// section 5.6). It is told in an Update then.
pub fn tells_list(set: &LocalSet<'_>) -> bool {
    !set.pds.is_empty() && (!set.needs_signature() || set.signature().is_some())
}

/// The Send Timeout in the option's unit, rounded down: the peer's keepalives must come in
/// time. "The value in seconds" cannot be 0.
pub fn timeout_s(send_timeout_ms: u32) -> u16 {
    u16::try_from(send_timeout_ms / 1000).unwrap_or(u16::MAX).max(1)
}

/// FNV-1a over the preferences; 0 if they need not be told.
fn sum(set: &LocalSet<'_>) -> u32 {
    if !set.has_preferences() {
        return 0;
    }
    let octets = set.listed().flat_map(|l| {
        let told = set.told(l);
        [told.flags, told.priority, told.weight]
    });
    octets.fold(0x811c_9dc5, |sum: u32, octet| (sum ^ u32::from(octet)).wrapping_mul(0x0100_0193))
}

/// Adds our locators and what a peer needs to verify them: "The CGA Parameter Data Structure
/// [...] MUST be included in the I2 message when the locator list is included".
pub fn put_list(message: &mut Builder<'_>, set: &LocalSet<'_>) {
    if tells_list(set) {
        message.locators(set.generation(), set.listed().map(|l| (l.addr, l.method)));
        message.pds(set.pds);
        if let Some(signature) = set.signature() {
            message.signature(signature);
        }
    }
}

/// Adds our preferences: "Optionally sent when the locators don't all have equal preference".
pub fn put_preferences(message: &mut Builder<'_>, set: &LocalSet<'_>) {
    message.preferences(set.generation(), set.listed().map(|l| set.told(l)));
}

/// Adds the Keepalive Timeout: "If the node is using a non-default Send Timeout value, it
/// MUST communicate this value" (RFC 5534 section 5.3).
pub fn put_timeout(message: &mut Builder<'_>, send_timeout_ms: u32, always: bool) {
    let seconds = timeout_s(send_timeout_ms);
    if always || seconds != DEFAULT_SEND_TIMEOUT_S {
        message.keepalive_timeout(seconds);
    }
}

/// Adds everything. `bare` leaves the list out, for a peer that refused it.
pub fn put_all(message: &mut Builder<'_>, set: &LocalSet<'_>, send_timeout_ms: u32, bare: bool) {
    if !bare {
        put_list(message, set);
        if tells_list(set) && set.has_preferences() {
            put_preferences(message, set);
        }
    }
    put_timeout(message, send_timeout_ms, false);
}
