//! Looks up in SPEC.md which tests prove a rule.

use std::collections::BTreeSet;

use regex::Regex;

/// The modules of tests that are too slow to be tried first.
const SLOW: [&str; 2] = ["s3", "tenants"];

/// Returns the options for `cargo test` that select the tests of a rule.
///
/// They are the tests that `spec` names under `rule`, with the rest of their modules. The kit's own tests and slow
/// modules are omitted. `program_of` returns the test program that has a module.
pub(super) fn options(spec: &str, rule: &str, program_of: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let test = Regex::new("`([^` ]+)::([^` ]+)`").expect("a valid expression");
    let heading = format!("**{rule}** ");
    let (mut in_rule, mut in_tests) = (false, false);
    let (mut programs, mut filters) = (BTreeSet::new(), BTreeSet::new());
    for line in spec.lines() {
        if line.starts_with("**") {
            in_rule = line.starts_with(&heading);
        }
        if line.is_empty() || line.starts_with("- ") || line.starts_with("**") {
            in_tests = in_rule && line.starts_with("- Tests: ");
        }
        if !in_tests {
            continue;
        }
        for named in test.captures_iter(line) {
            let (file, name) = (&named[1], &named[2]);
            if file.starts_with("src/") {
                programs.insert("--lib".to_owned());
                filters.insert(format!("::{name}"));
            } else if let Some(program) = program_of(file).filter(|_| !SLOW.contains(&file)) {
                programs.insert(format!("--test={program}"));
                filters.insert(format!("{file}::"));
            }
        }
    }
    if programs.is_empty() {
        return Vec::new();
    }
    programs.into_iter().chain(["--".to_owned()]).chain(filters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = "\
**D1** An entry is found.
Not a test: `text::in_the_rule`.
- Tests: `laws::a`, `closure::b`, `stats::c`,
  `src/map/tests::d`, `spec/tests/fleet::e`, `s3::f`
- Mutants: `laws::not_a_test`

**D10** Another.
- Tests: `stats::g`, `stats::h`

**D11** None.
- Tests: none.
";

    fn of(rule: &str) -> String {
        let program_of = |module: &str| match module {
            "laws" | "closure" => Some("engine".to_owned()),
            "stats" => Some("cache".to_owned()),
            "s3" => Some("session".to_owned()),
            _ => None,
        };
        options(SPEC, rule, program_of).join(" ")
    }

    #[test]
    fn a_rule_has_the_programs_and_modules_of_its_tests_once_each() {
        assert_eq!(of("D1"), "--lib --test=cache --test=engine -- ::d closure:: laws:: stats::");
        assert_eq!(of("D10"), "--test=cache -- stats::");
    }

    #[test]
    fn a_rule_may_have_no_programs() {
        assert_eq!(of("D11"), "");
        assert_eq!(of("D2"), "");
    }
}
