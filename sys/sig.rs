// SPDX-License-Identifier: GPL-2.0

//! RSASSA-PKCS1-v1_5 with SHA-1, by the kernel's crypto. Everything here sleeps.

use crate::sys::bindings;
use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::prelude::*;

/// A key of the kernel's crypto, which clears its numbers when it frees them.
///
/// # Invariants
///
/// The pointer is a transform of ours.
struct Key(NonNull<bindings::crypto_sig>);

// SAFETY: a transform may be used by any thread.
unsafe impl Send for Key {}
// SAFETY: after its key was set a transform does not change; operations bring memory of their own.
unsafe impl Sync for Key {}

impl Key {
    fn new() -> Result<Key> {
        let mut err = 0;
        // SAFETY: may be called in process context.
        let sig = unsafe { bindings::shim6_sig_new(&mut err) };
        to_result(err)?;
        // INVARIANT: it was made here, and nobody else has it.
        Ok(Key(NonNull::new(sig).ok_or(ENOMEM)?))
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: by the type invariants; nobody uses it any more.
        unsafe { bindings::shim6_sig_free(self.0.as_ptr()) };
    }
}

fn len_of(octets: &[u8]) -> Result<u32> {
    u32::try_from(octets.len()).map_err(|_| EINVAL)
}

/// A key that verifies.
pub(crate) struct PublicKey(Key);

impl PublicKey {
    /// From an RSAPublicKey (RFC 8017 appendix A.1.1).
    pub(crate) fn new(der: &[u8]) -> Result<Self> {
        let key = Key::new()?;
        // SAFETY: by `Key`'s invariants; the octets are only read.
        to_result(unsafe {
            bindings::shim6_sig_set_public(key.0.as_ptr(), der.as_ptr(), len_of(der)?)
        })?;
        Ok(PublicKey(key))
    }

    /// Whether this is the key's signature over what has this SHA-1. Errors: `EBADMSG`,
    /// `EKEYREJECTED` and `EINVAL` say that it is not.
    pub(crate) fn verify(&self, digest: &[u8; 20], signature: &[u8]) -> Result {
        let (len, digest_len) = (len_of(signature)?, len_of(digest)?);
        // SAFETY: by `Key`'s invariants; the octets are only read.
        to_result(unsafe {
            bindings::shim6_sig_verify(
                self.0 .0.as_ptr(),
                signature.as_ptr(),
                len,
                digest.as_ptr(),
                digest_len,
            )
        })
    }
}

/// A key that signs.
pub(crate) struct PrivateKey(Key);

impl PrivateKey {
    /// From an RSAPrivateKey (RFC 8017 appendix A.1.2).
    pub(crate) fn new(der: &[u8]) -> Result<Self> {
        let key = Key::new()?;
        // SAFETY: by `Key`'s invariants; the octets are only read.
        to_result(unsafe {
            bindings::shim6_sig_set_private(key.0.as_ptr(), der.as_ptr(), len_of(der)?)
        })?;
        Ok(PrivateKey(key))
    }

    /// Signs what has this SHA-1.
    pub(crate) fn sign(&self, digest: &[u8; 20]) -> Result<KVec<u8>> {
        // SAFETY: by `Key`'s invariants; its key was set.
        let room = unsafe { bindings::shim6_sig_octets(self.0 .0.as_ptr()) };
        // CAST: 32 bits fit into a `usize`.
        let mut signature = KVec::from_elem(0u8, room as usize, GFP_KERNEL)?;
        let digest_len = len_of(digest)?;
        // SAFETY: by `Key`'s invariants; `signature` has `room` octets, which are written.
        let made = unsafe {
            bindings::shim6_sig_sign(
                self.0 .0.as_ptr(),
                digest.as_ptr(),
                digest_len,
                signature.as_mut_ptr(),
                room,
            )
        };
        let made = usize::try_from(made).map_err(|_| Error::from_errno(made))?;
        signature.truncate(made);
        Ok(signature)
    }
}
