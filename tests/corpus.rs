//! What the fuzzer has found worth keeping, replayed on stable Rust.

mod support;

use std::fs;
use std::path::Path;

use arbitrary::{Arbitrary, Unstructured};
use support::fuzzed::Input;

#[test]
fn the_fuzzers_corpus_leads_engine_and_model_nowhere_apart() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/operations");
    let mut replayed = 0;
    for file in fs::read_dir(corpus).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        // As the fuzzer reads them.
        if let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(&bytes)) {
            input.run();
            replayed += 1;
        }
    }
    assert!(replayed > 100, "only {replayed} inputs were replayed");
}
