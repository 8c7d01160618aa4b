//! The corpora of the fuzz targets, replayed on stable Rust.

use std::fs;
use std::path::Path;

use arbitrary::Unstructured;
use support::assured::assured;
use support::fuzzed::{Fuzzed, Reached, collisions, identity, operations, panics};

/// Runs a target on its corpus, which has at least so many inputs and reaches all branches of the target.
fn replay<Input: Fuzzed>(target: &str, at_least: usize) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let (mut replayed, mut reached) = (0, Reached::new());
    for file in fs::read_dir(corpus).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        // As the fuzzer reads them.
        if let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(&bytes)) {
            input.run(&mut reached);
            replayed += 1;
        }
    }
    assert!(replayed >= at_least, "only {replayed} inputs were replayed");
    let missed: Vec<_> = Input::branches().difference(&reached).cloned().collect();
    assert_eq!(missed, Vec::<String>::new(), "no input reaches these");
    assured(
        "corpus",
        format!("of the fuzz target `{target}`, replayed"),
        format!("{replayed} inputs, {} branches", Input::branches().len()),
    );
}

#[test]
fn the_corpus_of_operations_leads_engine_and_model_nowhere_apart() {
    replay::<operations::Input>("operations", 500);
}

#[test]
fn the_corpus_of_collisions_leads_engine_and_model_nowhere_apart() {
    replay::<collisions::Input>("collisions", 200);
}

#[test]
fn the_corpus_of_identity_makes_equal_keys_of_equal_settings_and_shows_no_secret() {
    replay::<identity::Input>("identity", 300);
}

#[test]
fn the_corpus_of_panics_loses_nothing() {
    replay::<panics::Input>("panics", 60);
}
