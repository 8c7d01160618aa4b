//! SPEC.md matches the tree: the tests and mutants that it names for each rule exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use aws_client_cache_spec::CreationFault;

const SPEC: &str = include_str!("../../spec/SPEC.md");

/// The rules of this version.
const RULES: [&str; 64] = [
    "D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "D10", "D11", "D12", "D13", "D14", "L1", "F1", "F2", "K1",
    "K1a", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "E1", "E2", "E3", "E4", "E5", "S1", "S2", "S3", "S4", "S5", "S6",
    "S7", "S8", "S9", "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "T13", "T14", "T15",
    "O1", "O2", "O3", "O4", "O5", "C1", "C2", "C3", "P1",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the texts in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Returns the text from a marker to the next list item or blank line.
fn paragraph<'a>(text: &'a str, marker: &str) -> &'a str {
    let start = text.find(marker).unwrap_or_else(|| panic!("no {marker:?} in {text}"));
    let text = &text[start + marker.len()..];
    let end = ["\n- ", "\n\n"].into_iter().filter_map(|end| text.find(end)).min();
    &text[..end.unwrap_or(text.len())]
}

fn rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    let sections = SPEC.split("\n**").skip(1);
    sections.map(|section| section.split_once("**").expect("a rule's number is bold"))
}

/// Returns the file of tests that SPEC.md names, by a path or by a module of a program in `tests`.
fn source_file(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(root().join(format!("{name}.rs")));
    }
    let programs = fs::read_dir(root().join("tests")).unwrap().map(|entry| entry.unwrap().path());
    let mut files = programs.map(|program| program.join(format!("{name}.rs"))).filter(|file| file.exists());
    let file = files.next();
    assert!(files.next().is_none(), "two programs have a module {name}");
    file
}

#[test]
fn every_rule_appears_once_and_in_order() {
    assert_eq!(rules().map(|(rule, _)| rule).collect::<Vec<_>>(), RULES);
}

#[test]
fn every_test_that_a_rule_names_exists() {
    for (rule, text) in rules() {
        let mut named = 0;
        for test in quoted(paragraph(text, "\n- Tests: ")).filter(|quoted| quoted.contains("::")) {
            let (file, test) = test.rsplit_once("::").unwrap();
            let path = source_file(file).unwrap_or_else(|| panic!("{rule}: no file or module {file}"));
            let source =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{rule}: {}: {error}", path.display()));
            assert!(source.contains(&format!("fn {test}(")), "{rule}: no test {test} in {}", path.display());
            named += 1;
        }
        assert!(named > 0 || rule == "D11", "{rule} names no test");
    }
}

#[test]
fn every_mutant_belongs_to_a_rule_that_names_it() {
    let mutants: BTreeSet<String> = fs::read_dir(root().join("tests/mutants"))
        .unwrap()
        .filter_map(|file| Some(file.unwrap().path().file_name()?.to_str()?.strip_suffix(".patch")?.to_owned()))
        .collect();
    let mut named = BTreeSet::new();
    for (rule, text) in rules() {
        for mutant in quoted(paragraph(text, "\n- Mutants: ")) {
            assert!(mutant.starts_with(&format!("{rule}-")), "{mutant} stands under {rule}");
            named.insert(mutant.to_owned());
        }
    }
    assert_eq!(named, mutants);
}

#[test]
fn every_fault_of_creation_belongs_to_a_rule_that_names_it() {
    let named = rules().filter(|(rule, _)| rule.starts_with('S'));
    let named: BTreeSet<_> = named.flat_map(|(_, text)| quoted(paragraph(text, "\n- Faults: "))).collect();
    let faults: Vec<_> = CreationFault::ALL.iter().map(|fault| format!("{fault:?}")).collect();
    assert_eq!(named, faults.iter().map(String::as_str).collect());
}
