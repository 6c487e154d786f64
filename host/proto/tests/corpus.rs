// SPDX-License-Identifier: GPL-2.0

//! The fuzzer's corpus, and what once made it stop, without the fuzzer.

use crate::fuzz;
use std::fs;
use std::path::Path;

#[test]
fn the_corpus_of_every_target_passes() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, target) in fuzz::TARGETS {
        let files = fs::read_dir(corpus.join(name)).expect("a corpus");
        let mut n = 0;
        for file in files.map(|f| f.unwrap().path()) {
            let octets = fs::read(&file).unwrap();
            let passed = std::panic::catch_unwind(|| target(&octets));
            assert!(passed.is_ok(), "{}", file.display());
            n += 1;
        }
        assert!(n >= 5, "{name}: {n} files");
    }
}
