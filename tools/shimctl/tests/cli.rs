// SPDX-License-Identifier: GPL-2.0

//! The command as a person runs it, as far as that needs no kernel of ours.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

fn shimctl(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shimctl")).args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs it, and gives the one sentence it must fail with.
fn refused(args: &[&str]) -> String {
    let output = shimctl(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    assert_eq!(out(&output), "", "{args:?}: nothing on the standard output");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
    said.trim_end().strip_prefix("shimctl: ").expect("the program's name").to_string()
}

/// A file of its own for each test, gone when the test ends.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> File {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let (process, number) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("shimctl-{process}-{number}-{name}"));
        std::fs::write(&path, text).unwrap();
        File(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const PREFIXES: [&str; 2] = ["2001:db8:a::/64", "2001:db8:b::/64"];
const MODIFIER: &str = "00112233445566778899aabbccddeeff";

fn generated() -> String {
    let output = shimctl(&["hba", "generate", "--modifier", MODIFIER, PREFIXES[0], PREFIXES[1]]);
    assert!(output.status.success());
    out(&output)
}

#[test]
fn the_same_modifier_makes_the_same_set() {
    let set = generated();
    assert_eq!(set, generated());
    // What this program made once it makes for ever: sets in files and in configurations.
    assert!(set.contains("2001:db8:a:0:1c55:b24:91bc:78f5"), "{set}");
    assert!(set.contains("2001:db8:b:0:1c69:7781:39e6:4961"), "{set}");
}

#[test]
fn without_a_modifier_sets_differ() {
    let one = out(&shimctl(&["hba", "generate", PREFIXES[0]]));
    let two = out(&shimctl(&["hba", "generate", PREFIXES[0]]));
    assert_ne!(one, two);
}

#[test]
fn a_set_can_be_shown() {
    let file = File::new("show", &generated());
    let output = shimctl(&["hba", "show", file.path()]);
    assert!(output.status.success());
    assert_eq!(out(&output).lines().next(), Some(&*format!("sec 0 modifier {MODIFIER}")));
    let output = shimctl(&["hba", "show", "--json", file.path()]);
    let json: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(json["sec"], 0);
    assert_eq!(json["addresses"].as_array().unwrap().len(), 2);
    assert_eq!(json["public_key"], false);
}

#[test]
fn a_set_is_written_to_a_file() {
    let file = File::new("write", "");
    let output = shimctl(&["hba", "generate", "--sec", "1", "-o", file.path(), PREFIXES[0]]);
    assert!(output.status.success());
    assert!(out(&output).starts_with("sec 1 modifier "));
    assert_eq!(out(&output), out(&shimctl(&["hba", "show", file.path()])));
}

#[test]
fn wrong_prefixes_are_refused() {
    let generate = |prefix| refused(&["hba", "generate", prefix]);
    assert_eq!(generate("2001:db8::/48"), "'2001:db8::/48' is not a prefix of 64 bits");
    assert_eq!(generate("2001:db8::1"), "'2001:db8::1' has bits set behind its first 64");
    assert_eq!(generate("10.0.0.0/24"), "'10.0.0.0/24' is not an IPv6 prefix");
    assert_eq!(generate("fe80::/64"), "'fe80::/64' is not a prefix of global unicast addresses");
    let twice = refused(&["hba", "generate", PREFIXES[0], PREFIXES[0]]);
    assert_eq!(twice, format!("prefix '{}' is given twice", PREFIXES[0]));
    let many: Vec<String> = (0..33).map(|n| format!("2001:db8:{n:x}::/64")).collect();
    let mut args = vec!["hba", "generate"];
    args.extend(many.iter().map(String::as_str));
    assert_eq!(refused(&args), "a set has at most 32 prefixes");
}

#[test]
fn wrong_modifiers_and_keys_are_refused() {
    let modifier = |m| refused(&["hba", "generate", "--modifier", m, PREFIXES[0]]);
    let why = "is not a modifier: 1 to 32 hexadecimal digits";
    for wrong in ["", "xyz", "+1", &"1".repeat(33)] {
        assert_eq!(modifier(wrong), format!("'{wrong}' {why}"));
    }
    let file = File::new("key", "no key");
    let said = refused(&["hba", "generate", "--pubkey", file.path(), PREFIXES[0]]);
    assert_eq!(said, "the set cannot be made: its public key is not a DER SubjectPublicKeyInfo");
}

#[test]
fn wrong_files_are_refused() {
    for command in ["show", "apply"] {
        let run = |name: &str| match command {
            "apply" => refused(&["hba", command, name, "dev=lo"]),
            _ => refused(&["hba", command, name]),
        };
        assert_eq!(run("/nonexistent"), "cannot use /nonexistent: there is no such file");
        for (text, why) in [
            ("", "it is not JSON"),
            ("[]", "it is neither an HBA set nor a CGA"),
            (r#"{"format": "shim6-hba", "version": 2}"#, "it is a set of an unknown version"),
            (r#"{"format": "shim6-hba", "version": 1}"#, "its parameters are not hexadecimal"),
            (
                r#"{"format": "shim6-hba", "version": 1, "parameters": "00", "addresses": []}"#,
                "the set's parameters are wrong: its length is not one of a CGA Parameter Data Structure",
            ),
        ] {
            let file = File::new(command, text);
            assert_eq!(run(file.path()), format!("cannot use {}: {why}", file.path()));
        }
        let changed = generated().replace(":1c55:", ":1c54:");
        let file = File::new(command, &changed);
        let said = run(file.path());
        assert!(
            said.ends_with(
                "2001:db8:a:0:1c54:b24:91bc:78f5 does not follow from the set's parameters"
            ),
            "{said}"
        );
    }
}

#[test]
fn devices_are_checked_before_anything_else() {
    let file = File::new("devices", &generated());
    let said = refused(&["hba", "apply", file.path(), "dev=x", "dev=y", "dev=z"]);
    assert_eq!(said, "the set has 2 addresses, but 3 interfaces are given");
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let said = refused(&["hba", "generate", "-o", "/nonexistent/file", PREFIXES[0]]);
    assert!(said.starts_with("cannot write /nonexistent/file: "), "{said}");
}

#[test]
fn wrong_names_of_contexts_are_refused_without_a_kernel() {
    for (args, why) in [
        (
            &["context", "show", "fffffffffffff"][..],
            "'fffffffffffff' is not a tag of 47 bits in hexadecimal",
        ),
        (&["context", "show", "x", "y"], "'x' is not an IPv6 address"),
    ] {
        let said = refused(args);
        assert!(said == why || said.contains("shim6 is not loaded"), "{said}");
    }
}

#[test]
fn wrong_names_of_sockets_are_refused_without_a_kernel() {
    for (args, why) in [
        (&["x"][..], "'x' is not an inode number, nor two addresses"),
        (&["-1"], "'-1' is not an inode number, nor two addresses"),
        (&["::1"], "'::1' is not an inode number, nor two addresses"),
        (
            &["::1", "::1:80:x"],
            "'::1:80:x' is not an address: '[2001:db8::1]:80' or '192.0.2.1:80' is one",
        ),
    ] {
        let args = [&["socket", "show", "--"][..], args].concat();
        assert_eq!(refused(&args), why);
    }
}

#[test]
fn usage_errors_have_a_status_of_their_own() {
    for args in
        [&[][..], &["nonsense"], &["hba", "generate"], &["hba", "generate", "--sec", "3", "x"]]
    {
        assert_eq!(shimctl(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_shimctl"))
        .args(["hba", "generate", PREFIXES[0]])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{:?}", String::from_utf8(output.stderr));
    assert!(output.status.success());
}
