// SPDX-License-Identifier: GPL-2.0

//! Randomness and hashes of the kernel; any context.

use crate::sys::bindings;
use crate::sys::netns::NetRef;
use kernel::types::Opaque;

/// Sixty-four bits of cryptographic quality.
pub(crate) fn random() -> u64 {
    // SAFETY: may be called in any context.
    unsafe { bindings::shim6_random() }
}

/// Tells the log, now and then, that a setting of this namespace, `net.shim6.NAME`, kept
/// something from being made.
pub(crate) fn log_cap(net: NetRef<'_>, name: &'static str) {
    // SAFETY: the namespace is there, and `name` has the octets that are read.
    unsafe { bindings::shim6_log_cap(net.as_ptr(), name.as_ptr().cast(), name.len()) }
}

/// SHA-1 over the concatenation of `parts` (RFC 3972 builds on it; it authenticates nothing).
pub(crate) fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let hash = Opaque::<bindings::shim6_sha1>::uninit();
    let mut out = [0; 20];
    // SAFETY: the state is ours alone and initialised before it is used, every part is readable,
    // and `out` has the 20 octets that are written.
    unsafe {
        bindings::shim6_sha1_init(hash.get());
        for part in parts {
            bindings::shim6_sha1_update(hash.get(), part.as_ptr(), part.len());
        }
        bindings::shim6_sha1_final(hash.get(), out.as_mut_ptr());
    }
    out
}

/// HMAC-SHA-256 over the concatenation of `parts`.
pub(crate) fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let hmac = Opaque::<bindings::shim6_hmac>::uninit();
    let mut out = [0; 32];
    // SAFETY: as in `sha1`; `key` has the 32 octets that are read, `out` the 32 that are written.
    unsafe {
        bindings::shim6_hmac_init(hmac.get(), key.as_ptr(), key.len());
        for part in parts {
            bindings::shim6_hmac_update(hmac.get(), part.as_ptr(), part.len());
        }
        bindings::shim6_hmac_final(hmac.get(), out.as_mut_ptr());
    }
    out
}
