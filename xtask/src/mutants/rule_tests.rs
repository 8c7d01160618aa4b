//! Selects the tests that prove a rule.

use std::collections::BTreeSet;

use rules::{Proof, Rules, Subject};

/// The modules of tests that are too slow to be tried first.
const SLOW: [&str; 2] = ["s3", "tenants"];

/// Returns the options for `cargo test` that select the tests of a rule.
///
/// The other tests of their modules are selected as well. The kit's own tests and slow modules are omitted.
pub(super) fn options(rules: &Rules, rule: &str) -> Vec<String> {
    let (mut programs, mut filters) = (BTreeSet::new(), BTreeSet::new());
    for Proof { file, subject, .. } in rules.tests_of(rule) {
        // Examples are run last, with all others.
        let (Subject::Test(name) | Subject::Assertion(name)) = subject else { continue };
        let path: Vec<_> = file.split('/').collect();
        match path[..] {
            ["src", ..] => {
                programs.insert("--lib".to_owned());
                filters.insert(format!("::{name}"));
            }
            ["tests", program, file] => {
                let module = file.trim_end_matches(".rs");
                if !SLOW.contains(&module) {
                    programs.insert(format!("--test={program}"));
                    filters.insert(format!("{module}::"));
                }
            }
            ["tests", file] => {
                programs.insert(format!("--test={}", file.trim_end_matches(".rs")));
                filters.insert(name.clone());
            }
            _ => {}
        }
    }
    if programs.is_empty() {
        return Vec::new();
    }
    programs.into_iter().chain(["--".to_owned()]).chain(filters).collect()
}

#[cfg(test)]
mod tests {
    use rules::Proven;

    use super::*;

    fn of(rule: &str) -> String {
        let proof = |file: &str, subject, rules: &[&str]| Proof {
            file: file.to_owned(),
            subject,
            rules: rules.iter().map(|rule| Proven::Rule((*rule).to_owned())).collect(),
        };
        let test = |name: &str| Subject::Test(name.to_owned());
        let every = Proof { rules: vec![Proven::Letter('D')], ..proof("tests/engine/every_state.rs", test("b"), &[]) };
        let proofs = vec![
            proof("tests/engine/laws.rs", test("a"), &["D1"]),
            every,
            proof("tests/cache/stats.rs", test("c"), &["D1", "D10"]),
            proof("tests/cache/stats.rs", test("g"), &["D10"]),
            proof("src/map/tests.rs", test("d"), &["D1"]),
            proof("spec/tests/faulty.rs", test("e"), &["D1", "K1"]),
            proof("tests/session/s3.rs", test("f"), &["D1", "K1"]),
            proof("tests/memory.rs", test("h"), &["D10"]),
            proof("src/cache/mod.rs", Subject::Examples("ClientCache".to_owned()), &["K1"]),
        ];
        options(&Rules { proofs, ..Rules::default() }, rule).join(" ")
    }

    #[test]
    fn a_rule_has_the_programs_and_modules_of_its_tests_once_each() {
        assert_eq!(of("D1"), "--lib --test=cache --test=engine -- ::d every_state:: laws:: stats::");
        assert_eq!(of("D10"), "--test=cache --test=engine --test=memory -- every_state:: h stats::");
        assert_eq!(of("D2"), "--test=engine -- every_state::");
    }

    #[test]
    fn a_rule_may_have_no_programs() {
        assert_eq!(of("K1"), "");
        assert_eq!(of("K2"), "");
    }
}
