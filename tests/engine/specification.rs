//! Each rule of SPEC.md has tests and mutants, and each number in a comment of a test is a rule.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::path::Path;

use aws_client_cache_spec::faults::{CreationFault, Fault, SharedFault};
use rules::Rules;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rules() -> Rules {
    Rules::read(root()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_numbers_of_the_rules_are_unique_and_in_order() {
    let rules = rules();
    let numbers: Vec<_> = rules.all().map(|rule| rule.number.as_str()).collect();
    let mut letters: Vec<_> = numbers.iter().map(|number| &number[..1]).collect();
    letters.dedup();
    // L1 and F1, F2 are one chapter.
    assert_eq!(letters, ["D", "L", "F", "K", "E", "S", "T", "O", "C", "P"]);
    for letter in letters {
        let of_letter: Vec<_> = numbers.iter().filter_map(|number| number.strip_prefix(letter)).collect();
        let plain = of_letter.iter().filter(|number| number.bytes().all(|digit| digit.is_ascii_digit()));
        let expected = (1..=plain.clone().count()).map(|number| number.to_string());
        assert!(plain.eq(expected.collect::<Vec<_>>().iter()), "{letter}: {of_letter:?}");
        assert_eq!(of_letter.iter().collect::<BTreeSet<_>>().len(), of_letter.len(), "{letter}: {of_letter:?}");
    }
}

#[test]
fn each_rule_has_tests_and_mutants_and_each_number_is_a_rule() {
    assert_eq!(rules().problems(), [""; 0]);
}

#[test]
fn the_page_of_rules_is_current() {
    let page = fs::read_to_string(root().join(rules::PAGE)).unwrap().replace('\r', "");
    assert!(page == rules().page(), "run `cargo xtask rules`");
}

#[test]
fn each_fault_of_the_kit_breaks_a_rule() {
    let rules = rules();
    let of_kind = |kind| rules.faults.iter().filter(move |fault| fault.kind == kind).map(|fault| fault.name.as_str());
    assert!(of_kind("Fault").eq(names(&Fault::ALL)));
    assert!(of_kind("SharedFault").eq(names(&SharedFault::ALL)));
    assert!(of_kind("CreationFault").eq(names(&CreationFault::ALL)));
}

fn names<F: Debug>(faults: &[F]) -> Vec<String> {
    faults.iter().map(|fault| format!("{fault:?}")).collect()
}
