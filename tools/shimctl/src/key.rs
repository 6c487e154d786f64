// SPDX-License-Identifier: GPL-2.0

//! RSA keys of CGAs (RFC 3972), as files hold them: PKCS#8 or PKCS#1, PEM or DER.

use crate::failure::{words, Failure, Result};
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding, SecretDocument};
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, RsaPublicKey};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What the kernel and its peers take (RFC 5533 section 16, and what fits a message).
const BITS: std::ops::RangeInclusive<usize> = 1024..=4096;

/// A private key.
pub struct Key(RsaPrivateKey);

impl Key {
    /// Makes one.
    pub fn make(bits: usize) -> Result<Key> {
        let made = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits);
        made.map(Key).map_err(|e| Failure::new(format!("the key cannot be made: {e}")))
    }

    /// Reads a file.
    pub fn read(file: &str) -> Result<Key> {
        let bytes = std::fs::read(file)
            .map_err(|e| Failure::new(format!("cannot read {file}: {}", words(&e))))?;
        Key::parse(&bytes).map_err(|e| e.while_trying(format_args!("cannot use {file}")))
    }

    fn parse(bytes: &[u8]) -> Result<Key> {
        let pem = std::str::from_utf8(bytes).ok();
        let pem = pem.and_then(|text| {
            RsaPrivateKey::from_pkcs8_pem(text)
                .ok()
                .or_else(|| RsaPrivateKey::from_pkcs1_pem(text).ok())
        });
        let key = pem
            .or_else(|| RsaPrivateKey::from_pkcs8_der(bytes).ok())
            .or_else(|| RsaPrivateKey::from_pkcs1_der(bytes).ok())
            .ok_or_else(|| Failure::new("it is not an RSA private key without a passphrase"))?;
        match key.n().bits() {
            bits if BITS.contains(&bits) => Ok(Key(key)),
            bits => Err(Failure::new(format!("its key has {bits} bits, not 1024 to 4096"))),
        }
    }

    /// The SubjectPublicKeyInfo.
    pub fn public(&self) -> Result<Vec<u8>> {
        let info = RsaPublicKey::from(&self.0).to_public_key_der();
        let info = info.map_err(|e| Failure::new(format!("the key cannot be written: {e}")))?;
        Ok(info.as_bytes().to_vec())
    }

    /// The RSAPrivateKey, for the kernel.
    pub fn private(&self) -> Result<SecretDocument> {
        let key = self.0.to_pkcs1_der();
        key.map_err(|e| Failure::new(format!("the key cannot be written: {e}")))
    }

    /// Writes a file that its owner alone can read.
    pub fn write(&self, file: &str) -> Result<()> {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF);
        let pem = pem.map_err(|e| Failure::new(format!("the key cannot be written: {e}")))?;
        write(Path::new(file), pem.as_bytes(), 0o600)
    }
}

/// Writes a file that is all there or not at all: under another name first.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let failed = |e| Failure::new(format!("cannot write {}: {}", path.display(), words(&e)));
    // What is no plain file, as a pipe, cannot be renamed to.
    if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        return std::fs::write(path, bytes).map_err(failed);
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}", std::process::id()));
    let draft = path.with_file_name(name);
    let write = || {
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&draft, path)
    };
    write().map_err(|e| {
        let _ = std::fs::remove_file(&draft);
        failed(e)
    })
}
