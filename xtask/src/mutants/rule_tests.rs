//! Looks up in SPEC.md which test programs prove a rule.

use std::collections::BTreeSet;

use regex::Regex;

/// Test programs that take too long to be tried first.
const SLOW: [&str; 2] = ["s3", "tenants"];

/// Returns the test programs that `spec` names under `rule`, as options for `cargo test`.
///
/// The kit's own tests and slow programs are left out. `is_program` knows the programs that exist.
pub(super) fn options(spec: &str, rule: &str, is_program: impl Fn(&str) -> bool) -> Vec<String> {
    let test = Regex::new("`([^` ]+)::[^` ]+`").expect("a valid expression");
    let heading = format!("**{rule}** ");
    let (mut in_rule, mut in_tests) = (false, false);
    let mut options = BTreeSet::new();
    for line in spec.lines() {
        if line.starts_with("**") {
            in_rule = line.starts_with(&heading);
        }
        if line.is_empty() || line.starts_with("- ") || line.starts_with("**") {
            in_tests = in_rule && line.starts_with("- Tests: ");
        }
        if in_tests {
            options.extend(test.captures_iter(line).filter_map(|found| option(&found[1], &is_program)));
        }
    }
    options.into_iter().flatten().collect()
}

/// Returns the option that selects the program with this file.
fn option(file: &str, is_program: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let program = file.split(['/', ':']).next().unwrap_or(file);
    match program {
        "src" => Some(vec!["--lib".to_owned()]),
        _ if SLOW.contains(&program) || !is_program(program) => None,
        _ => Some(vec!["--test".to_owned(), program.to_owned()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = "\
**D1** An entry is found.
Not a test: `text::in_the_rule`.
- Tests: `laws::a`, `closure::b`,
  `src/map/tests::c`, `spec/tests/fleet::d`, `s3::e`
- Mutants: `laws::not_a_test`

**D10** Another.
- Tests: `engine/drain::f`

**D11** None.
- Tests: none.
";

    fn of(rule: &str) -> String {
        options(SPEC, rule, |program| program != "spec" && program != "text").join(" ")
    }

    #[test]
    fn a_rule_has_the_programs_of_its_tests_once_each() {
        assert_eq!(of("D1"), "--lib --test closure --test laws");
    }

    #[test]
    fn a_module_of_a_program_selects_the_program() {
        assert_eq!(of("D10"), "--test engine");
    }

    #[test]
    fn a_rule_may_have_no_programs() {
        assert_eq!(of("D11"), "");
        assert_eq!(of("D2"), "");
    }
}
