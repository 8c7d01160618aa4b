//! The rules of SPEC.md, with the tests, mutants and faulty caches of each.
//!
//! A comment above a test names the rules that it proves: `// Proves D3, D4.` or `// Proves every rule E.`

mod fault;
mod page;
mod proof;
mod spec;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use fault::Fault;
pub use proof::{Proof, Proven, Subject};
pub use spec::{Chapter, Rule};

/// The page that [`Rules::page`] returns, relative to the root of the workspace.
pub const PAGE: &str = "docs/RULES.md";

/// The rules that no mutant breaks, with the reason.
pub const WITHOUT_MUTANT: [(&str, &str); 1] = [("D14", "none, since no cache of this crate obeys the rule")];

/// The folders of the tests: of the crate, of its modules, of the kit and of the kit's modules.
const TESTS: [&str; 4] = ["tests", "src", "spec/tests", "spec/src"];

/// The folder of this crate, whose tests contain such comments as texts.
const OWN: &str = "tests/rules/";

/// The rules, and all that the tree says about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The chapters of SPEC.md.
    pub chapters: Vec<Chapter>,
    /// The tests with a comment that names rules, in the order of the files.
    pub proofs: Vec<Proof>,
    /// The names of the patches in `tests/mutants`.
    pub mutants: Vec<String>,
    /// The faults of the kit's faulty caches.
    pub faults: Vec<Fault>,
    /// The mistakes in comments.
    pub mistakes: Vec<String>,
}

impl Rules {
    /// Reads SPEC.md, the tests, the names of the mutants, and the faults of the kit.
    ///
    /// # Errors
    ///
    /// If a file or a folder cannot be read.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut rules = Self { chapters: spec::chapters(&read(&root.join("spec/SPEC.md"))?), ..Self::default() };
        for folder in TESTS {
            for path in files(&root.join(folder), "rs")? {
                let file = relative(root, &path);
                if file.starts_with(OWN) {
                    continue;
                }
                let text = read(&path)?;
                for found in proof::proofs(&file, &text) {
                    match found {
                        Ok(proof) => rules.proofs.push(proof),
                        Err(mistake) => rules.mistakes.push(mistake),
                    }
                }
                if folder == "spec/src" {
                    rules.faults.extend(fault::faults(&text));
                }
            }
        }
        for path in files(&root.join("tests/mutants"), "patch")? {
            rules.mutants.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
        Ok(rules)
    }

    /// Returns the rules in the order of SPEC.md.
    pub fn all(&self) -> impl Iterator<Item = &Rule> {
        self.chapters.iter().flat_map(|chapter| &chapter.rules)
    }

    /// Returns the tests that prove `rule`: those that name it, then those of its whole letter.
    pub fn tests_of<'a>(&'a self, rule: &'a str) -> impl Iterator<Item = &'a Proof> {
        self.own_tests_of(rule).chain(self.proofs.iter().filter(|proof| proof.proves_letter_of(rule)))
    }

    /// Returns the tests that name `rule`.
    pub fn own_tests_of<'a>(&'a self, rule: &'a str) -> impl Iterator<Item = &'a Proof> {
        self.proofs.iter().filter(move |proof| proof.names(rule))
    }

    /// Returns the mutants that break `rule`.
    pub fn mutants_of<'a>(&'a self, rule: &'a str) -> impl Iterator<Item = &'a str> {
        self.mutants.iter().map(String::as_str).filter(move |mutant| rule_of_mutant(mutant) == rule)
    }

    /// Returns the page with a table of tests, mutants and faulty caches for each chapter.
    pub fn page(&self) -> String {
        page::write(self)
    }

    /// Returns what is wrong: a rule without a test or a mutant, and a number without a rule.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.mistakes.clone();
        let numbers: Vec<_> = self.all().map(|rule| rule.number.as_str()).collect();
        for number in &numbers {
            if self.tests_of(number).next().is_none() {
                problems.push(format!("{number} has no test"));
            }
            let excused = WITHOUT_MUTANT.iter().any(|(rule, _)| rule == number);
            if excused == self.mutants_of(number).next().is_some() {
                problems.push(format!("{number} has no mutant, or is excused from one and has it"));
            }
        }
        for proof in &self.proofs {
            for proven in &proof.rules {
                let exists = match proven {
                    Proven::Rule(rule) => numbers.contains(&rule.as_str()),
                    Proven::Letter(letter) => numbers.iter().any(|number| number.starts_with(*letter)),
                };
                if !exists {
                    problems.push(format!("{}: {} proves {proven}, which is no rule", proof.file, proof.subject));
                }
            }
        }
        for mutant in &self.mutants {
            if !numbers.contains(&rule_of_mutant(mutant)) {
                problems.push(format!("the mutant {mutant} breaks no rule"));
            }
        }
        for fault in &self.faults {
            if fault.rules.is_empty() || fault.rules.iter().any(|rule| !numbers.contains(&rule.as_str())) {
                problems.push(format!("the fault {} breaks no rule", fault.name));
            }
        }
        problems
    }
}

/// Returns the rule in the name of a mutant.
fn rule_of_mutant(mutant: &str) -> &str {
    mutant.split('-').next().unwrap_or(mutant)
}

fn read(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path);
    Ok(text.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?.replace('\r', ""))
}

/// Returns `path` below `root`, with slashes.
fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Returns the files with an extension in a folder and those below it, sorted.
fn files(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            paths.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|found| found == extension) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Returns `true` if `text` is the number of a rule, such as D3 or K1a.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(|letter: char| letter.is_ascii_uppercase()).unwrap_or_default();
    let digits = digits.strip_suffix(|letter: char| letter.is_ascii_lowercase()).unwrap_or(digits);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let spec = "# S\n\n## Dict\n\n**D1** A bound.\n\n**D2** A victim.\n\n## Order\n\n**L1** Last use.\n";
        let tests = "// Proves D1.\n#[test]\nfn one() {}\n\n// Proves every rule D, L.\n#[test]\nfn all() {}\n";
        let proofs: Result<Vec<_>, _> = proof::proofs("tests/engine/laws.rs", tests).into_iter().collect();
        Rules {
            chapters: spec::chapters(spec),
            proofs: proofs.unwrap(),
            mutants: ["D1-a", "D2-b", "L1-c"].map(str::to_owned).into(),
            faults: fault::faults("pub enum Fault {\n    // D1.\n    One,\n}\n"),
            mistakes: Vec::new(),
        }
    }

    #[test]
    fn a_rule_has_its_own_tests_and_those_of_its_letter() {
        let rules = rules();
        let names = |rule| rules.tests_of(rule).map(|proof| proof.subject.to_string()).collect::<Vec<_>>();
        assert_eq!(names("D1"), ["one", "all"]);
        assert_eq!(names("D2"), ["all"]);
        assert_eq!(rules.mutants_of("D2").collect::<Vec<_>>(), ["D2-b"]);
        assert_eq!(rules.problems(), [""; 0]);
    }

    #[test]
    fn a_rule_without_a_test_or_a_mutant_is_a_problem() {
        let mut lost = rules();
        lost.proofs.pop();
        assert_eq!(lost.problems(), ["D2 has no test", "L1 has no test"]);
        let mut lost = rules();
        lost.mutants.remove(0);
        assert_eq!(lost.problems(), ["D1 has no mutant, or is excused from one and has it"]);
    }

    #[test]
    fn a_number_without_a_rule_is_a_problem() {
        let mut lost = rules();
        lost.chapters[0].rules.remove(0);
        let problems = ["tests/engine/laws.rs: one proves D1, which is no rule", "the mutant D1-a breaks no rule"];
        assert_eq!(lost.problems(), [&problems[..], &["the fault One breaks no rule"]].concat());
        lost.chapters.pop();
        assert!(
            lost.problems().contains(&"tests/engine/laws.rs: all proves every rule L, which is no rule".to_owned())
        );
    }

    #[test]
    fn numbers_are_a_letter_digits_and_perhaps_a_letter() {
        assert!(["D1", "T15", "K1a"].into_iter().all(is_number));
        assert!(!["", "D", "1", "d1", "D1b2", "UTF8", "D-1"].into_iter().any(is_number));
    }
}
