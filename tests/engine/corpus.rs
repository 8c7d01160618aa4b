//! The corpora of the fuzz targets, replayed on stable Rust.

use std::fs;
use std::path::Path;

use arbitrary::Unstructured;
use support::fuzzed::{Fuzzed, Reached, collisions, identity, operations, panics};
use support::report::report;

/// Runs a target on its corpus, which must have `at_least` inputs and reach all branches of the target.
fn replay<Input: Fuzzed>(target: &str, at_least: usize) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let (mut replayed, mut reached) = (0, Reached::new());
    for file in fs::read_dir(corpus).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        // The fuzzer reads inputs in the same way.
        if let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(&bytes)) {
            input.run(&mut reached);
            replayed += 1;
        }
    }
    assert!(replayed >= at_least, "only {replayed} inputs were replayed");
    let missed: Vec<_> = Input::branches().difference(&reached).cloned().collect();
    assert_eq!(missed, Vec::<String>::new(), "no input reaches these");
    report(
        "corpus",
        format!("of the fuzz target `{target}`, replayed"),
        format!("{replayed} inputs, {} branches", Input::branches().len()),
    );
}

#[test]
fn the_engine_matches_the_model_on_the_corpus_of_operations() {
    replay::<operations::Input>("operations", 250);
}

#[test]
fn the_engine_matches_the_model_on_the_corpus_of_collisions() {
    replay::<collisions::Input>("collisions", 200);
}

#[test]
fn keys_match_their_settings_and_show_no_secret_on_the_corpus_of_identity() {
    replay::<identity::Input>("identity", 300);
}

#[test]
fn no_entry_is_lost_on_the_corpus_of_panics() {
    replay::<panics::Input>("panics", 300);
}
