//! The page with a table for each chapter.

use std::fmt::Write as _;

use crate::{Proof, Rule, Rules, Subject, WITHOUT_MUTANT};

const HEAD: &str = "\
# Rules and their tests

`cargo xtask rules` generates this page; do not edit it. It shows, for each rule of [SPEC.md](../spec/SPEC.md), the tests that
prove it, the mutants that break it, and the faults of the kit's faulty caches.

* A comment above a test names its rules: `// Proves D3, D4.`
* A mutant is a patch in [`tests/mutants`](../tests/mutants). `cargo xtask mutants D3` shows that a test notices those of D3.
* A fault belongs to a faulty cache of the [kit](../spec/src/lib.rs). Each fault names the level that refuses it.
";

/// Returns the page.
pub(crate) fn write(rules: &Rules) -> String {
    let mut page = HEAD.to_owned();
    for chapter in &rules.chapters {
        let _ = write!(page, "\n## {}\n\n", chapter.name);
        let mut letters: Vec<_> = chapter.rules.iter().filter_map(|rule| rule.number.chars().next()).collect();
        letters.dedup();
        for letter in letters {
            let proofs = rules.proofs.iter().filter(|proof| proof.proves_letter_of(letter.encode_utf8(&mut [0; 4])));
            let tests = tests(proofs);
            if !tests.is_empty() {
                let _ = writeln!(page, "All rules {letter} together:\n\n* {}\n", tests.join("\n* "));
            }
        }
        page.push_str("| rule | tests | mutants | faults |\n|---|---|---|---|\n");
        for rule in &chapter.rules {
            page.push_str(&row(rules, rule));
        }
    }
    page
}

fn row(rules: &Rules, Rule { number, .. }: &Rule) -> String {
    let mut tests = tests(rules.own_tests_of(number));
    if tests.is_empty() {
        tests.push(format!("those of every rule {}", &number[..1]));
    }
    let mut mutants: Vec<_> = rules.mutants_of(number).map(|mutant| format!("`{mutant}`")).collect();
    mutants.extend(WITHOUT_MUTANT.iter().filter(|(rule, _)| rule == number).map(|(_, reason)| (*reason).to_owned()));
    let faults = rules.faults.iter().filter(|fault| fault.rules.contains(number));
    let faults: Vec<_> = faults.map(|fault| format!("`{}`", fault.name)).collect();
    format!("| **{number}** | {} | {} | {} |\n", tests.join("<br>"), mutants.join("<br>"), faults.join("<br>"))
}

/// Returns the tests, one text for each file.
fn tests<'a>(proofs: impl Iterator<Item = &'a Proof>) -> Vec<String> {
    let mut files: Vec<(&str, Vec<String>)> = Vec::new();
    for proof in proofs {
        let subject = match &proof.subject {
            Subject::Test(name) => format!("`{name}`"),
            Subject::Assertion(name) => format!("`{name}!`"),
            Subject::Examples(item) => format!("examples of `{item}` that must not compile"),
        };
        match files.last_mut().filter(|(file, _)| *file == proof.file) {
            Some((_, subjects)) if subjects.contains(&subject) => {}
            Some((_, subjects)) => subjects.push(subject),
            None => files.push((&proof.file, vec![subject])),
        }
    }
    let line = |(file, subjects): &(&str, Vec<String>)| format!("[{file}](../{file}): {}", subjects.join(", "));
    files.iter().map(line).collect()
}
