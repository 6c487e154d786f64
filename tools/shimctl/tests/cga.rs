// SPDX-License-Identifier: GPL-2.0

//! `shimctl cga` as a person runs it, as far as that needs no kernel of ours.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const PREFIX: &str = "2001:db8:a::/64";

fn shimctl(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shimctl")).args(args).output().unwrap()
}

fn good(args: &[&str]) -> String {
    let output = shimctl(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(args: &[&str]) -> String {
    let output = shimctl(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    said.trim_end().strip_prefix("shimctl: ").expect("the program's name").to_string()
}

/// A directory of its own for each test, gone when the test ends.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Dir {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let (process, number) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("shimctl-cga-{process}-{number}"));
        std::fs::create_dir(&path).unwrap();
        Dir(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_string()
    }

    fn with(&self, name: &str, contents: &[u8]) -> String {
        let file = self.file(name);
        std::fs::write(&file, contents).unwrap();
        file
    }

    fn names(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.0).unwrap();
        names.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A key of 1024 bits.
fn key(dir: &Dir) -> String {
    let file = dir.file("key");
    good(&["cga", "key", "--bits", "1024", "-o", &file]);
    file
}

#[test]
fn a_key_is_pem_for_its_owner_alone() {
    let dir = Dir::new();
    let file = key(&dir);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{text}");
    let mode = std::fs::metadata(Path::new(&file)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(dir.names(), ["key"], "nothing else is left behind");
}

#[test]
fn an_address_is_bound_to_its_key() {
    let dir = Dir::new();
    let file = key(&dir);
    let make = || good(&["cga", "generate", "--key", &file, "--modifier", "7", PREFIX]);
    let cga = make();
    assert_eq!(cga, make());
    let json: serde_json::Value = serde_json::from_str(&cga).unwrap();
    assert_eq!(json["format"], "shim6-cga");
    assert_eq!(json["addresses"].as_array().unwrap().len(), 1);
    // Modifier, prefix, collision count, and the key of 1024 bits as SubjectPublicKeyInfo.
    let parameters = json["parameters"].as_str().unwrap();
    let start = "0000000000000000000000000000000720010db8000a000000";
    assert!(parameters.starts_with(&format!("{start}30819f300d06092a864886f70d010101050003818d00")));
    assert_eq!(parameters.len() / 2, 25 + 162);
    let saved = dir.with("cga", cga.as_bytes());
    let shown = good(&["cga", "show", &saved]);
    assert!(shown.starts_with(&format!("sec 0 modifier {:032x} public key\n2001:db8:a:0:", 7)));
    let other = Dir::new();
    let key = key(&other);
    assert_ne!(cga, good(&["cga", "generate", "--key", &key, "--modifier", "7", PREFIX]));
}

#[test]
fn sec_1_is_found() {
    let dir = Dir::new();
    let (key, file) = (key(&dir), dir.file("cga"));
    let said = good(&["cga", "generate", "--key", &key, "--sec", "1", "-o", &file, PREFIX]);
    assert!(said.starts_with("sec 1 modifier "), "{said}");
    assert_eq!(said, good(&["cga", "show", &file]));
}

#[test]
fn a_changed_address_is_refused() {
    let dir = Dir::new();
    let cga = good(&["cga", "generate", "--key", &key(&dir), PREFIX]);
    let changed = cga.replace("2001:db8:a:0:", "2001:db8:b:0:");
    let said = refused(&["cga", "show", &dir.with("changed", changed.as_bytes())]);
    assert!(said.ends_with(" does not follow from its parameters"), "{said}");
    let renamed = cga.replace("shim6-cga", "shim6-hba");
    let said = refused(&["cga", "show", &dir.with("renamed", renamed.as_bytes())]);
    assert!(said.ends_with("its parameters are not of its format"), "{said}");
}

#[test]
fn keys_that_are_none_are_refused() {
    let dir = Dir::new();
    let public = "-----BEGIN PUBLIC KEY-----\nMAMC\n-----END PUBLIC KEY-----\n";
    for text in ["", "nonsense", public] {
        let file = dir.with("key", text.as_bytes());
        let said = refused(&["cga", "generate", "--key", &file, PREFIX]);
        let why = "it is not an RSA private key without a passphrase";
        assert_eq!(said, format!("cannot use {file}: {why}"));
    }
    let said = refused(&["cga", "generate", "--key", "/nonexistent", PREFIX]);
    assert!(said.starts_with("cannot read /nonexistent: "), "{said}");
}

#[test]
fn keys_that_are_too_short_are_refused() {
    let dir = Dir::new();
    // An RSA key of 512 bits, which protects nothing.
    let file = dir.file("short");
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512", "-out", &file])
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    let said = refused(&["cga", "generate", "--key", &file, PREFIX]);
    assert_eq!(said, format!("cannot use {file}: its key has 512 bits, not 1024 to 4096"));
}

#[test]
fn pkcs1_and_der_are_keys_as_well() {
    let dir = Dir::new();
    let pem = key(&dir);
    let address = |key: &str| good(&["cga", "generate", "--key", key, "--modifier", "1", PREFIX]);
    for (name, args) in
        [("p1", &["-traditional"][..]), ("der", &["-traditional", "-outform", "DER"])]
    {
        let file = dir.file(name);
        let mut openssl = Command::new("openssl");
        openssl.args(["rsa", "-in", &pem, "-out", &file]).args(args).stderr(Stdio::null());
        assert!(openssl.status().unwrap().success(), "{name}");
        assert_eq!(address(&pem), address(&file), "{name}");
    }
}

#[test]
fn an_interrupted_search_leaves_nothing() {
    let dir = Dir::new();
    let (key, file) = (key(&dir), dir.file("cga"));
    // Sec 2 takes four thousand million tries: it is not found by chance meanwhile.
    // Whoever runs the tests in the background may have SIGINT ignored.
    let mut child = Command::new("env")
        .args(["--default-signal=INT", env!("CARGO_BIN_EXE_shimctl")])
        .args(["cga", "generate", "--key", &key, "--sec", "2", "-o", &file, PREFIX])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It works as soon as it has used some of the processor's time.
    let stat = format!("/proc/{}/stat", child.id());
    loop {
        let text = std::fs::read_to_string(&stat).unwrap();
        let ticks: Vec<u64> =
            text.split_whitespace().skip(13).take(2).map(|t| t.parse().unwrap()).collect();
        if ticks.iter().sum::<u64>() > 10 {
            break;
        }
        std::thread::yield_now();
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    assert_eq!(child.wait().unwrap().signal(), Some(2));
    assert_eq!(dir.names(), ["key"]);
}

#[test]
fn what_does_not_go_together_is_a_usage_error() {
    for args in [
        &["cga"][..],
        &["cga", "key"],
        &["cga", "key", "--bits", "512", "-o", "x"],
        &["cga", "generate", PREFIX],
        &["cga", "generate", "--key", "k", "--sec", "3", PREFIX],
        &["cga", "generate", "--key", "k", PREFIX, "2001:db8:b::/64"],
        &["cga", "apply", "--locator", "2001:db8::1=x", "file", "dev=x"],
    ] {
        assert_eq!(shimctl(args).status.code(), Some(2), "{args:?}");
    }
}
