//! The comments that name the rules of a test.

use std::fmt;

use crate::is_number;

/// A test, with the rules that its comment names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The file, relative to the root of the workspace.
    pub file: String,
    /// The test itself.
    pub subject: Subject,
    /// The rules that it proves.
    pub rules: Vec<Proven>,
}

/// The thing that proves a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A test function, or a law of a macro.
    Test(String),
    /// A macro that fails to compile, such as `assert_not_impl_any!`.
    Assertion(String),
    /// The examples in the documentation of an item that must not compile.
    Examples(String),
}

/// The rules that a comment names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proven {
    /// The rule with this number.
    Rule(String),
    /// Every rule of this letter.
    Letter(char),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test(name) => f.write_str(name),
            Self::Assertion(name) => write!(f, "{name}!"),
            Self::Examples(item) => write!(f, "examples of {item} that must not compile"),
        }
    }
}

impl fmt::Display for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(number) => f.write_str(number),
            Self::Letter(letter) => write!(f, "every rule {letter}"),
        }
    }
}

impl Proof {
    /// Returns `true` if the comment names this rule.
    pub fn names(&self, rule: &str) -> bool {
        self.rules.iter().any(|proven| matches!(proven, Proven::Rule(number) if number == rule))
    }

    /// Returns `true` if the comment names every rule of the letter of `rule`.
    pub fn proves_letter_of(&self, rule: &str) -> bool {
        self.rules.iter().any(|proven| matches!(proven, Proven::Letter(letter) if rule.starts_with(*letter)))
    }
}

/// Returns the tests of a source file that have a comment, and the mistakes in comments.
pub(crate) fn proofs(file: &str, source: &str) -> Vec<Result<Proof, String>> {
    let lines: Vec<_> = source.lines().collect();
    let mut proofs = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix("// Proves ") else { continue };
        let proof = match (rules(comment), subject(&lines, index)) {
            (Some(rules), Some(subject)) => Ok(Proof { file: file.to_owned(), subject, rules }),
            (None, _) => Err(format!("{file}:{}: the comment names no rule", index + 1)),
            (_, None) => Err(format!("{file}:{}: no test follows the comment", index + 1)),
        };
        proofs.push(proof);
    }
    proofs
}

/// Returns the rules of a comment such as `D3, D4.` or `every rule E: in every state.`
fn rules(comment: &str) -> Option<Vec<Proven>> {
    let list = &comment[..comment.find(['.', ':'])?];
    let letter = |text: &str| match text.as_bytes() {
        [letter] if letter.is_ascii_uppercase() => Some(Proven::Letter(char::from(*letter))),
        _ => None,
    };
    match list.strip_prefix("every rule ") {
        Some(letters) => letters.split(", ").map(letter).collect(),
        None => list.split(", ").map(|number| is_number(number).then(|| Proven::Rule(number.to_owned()))).collect(),
    }
}

/// Returns the test below the comment at `index`, before the next blank line.
fn subject(lines: &[&str], index: usize) -> Option<Subject> {
    let below = lines[index + 1..].iter().map(|line| line.trim_start()).take_while(|line| !line.is_empty());
    let (mut test, mut examples) = (is_in_a_macro(lines, index), false);
    for line in below {
        if line.starts_with("///") {
            examples |= line.starts_with("/// ```compile_fail");
        } else if line.starts_with("//") {
            // Another comment.
        } else if line.starts_with("#[") {
            test |= line.contains("test]") || line.contains("test(");
        } else if let Some((name, _)) = line.split_once("!(").filter(|(name, _)| name.starts_with("assert_")) {
            return Some(Subject::Assertion(name.to_owned()));
        } else if let Some(item) = ["fn ", "struct "].into_iter().find_map(|word| word_after(line, word)) {
            return if examples { Some(Subject::Examples(item)) } else { test.then_some(Subject::Test(item)) };
        }
        // Otherwise, the rest of an attribute.
    }
    None
}

/// Returns the name after a keyword that begins a line, or follows a visibility or `async`.
fn word_after(line: &str, keyword: &str) -> Option<String> {
    let at = line.find(keyword)?;
    let is_start = line[..at].split(' ').all(|word| ["", "async", "pub"].contains(&word) || word.starts_with("pub("));
    let name: String = line[at + keyword.len()..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (is_start && !name.is_empty()).then_some(name)
}

/// Returns `true` if the block around a line is a macro's.
///
/// Its functions are tests without an attribute.
fn is_in_a_macro(lines: &[&str], index: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let around = lines[..index].iter().rev().find(|line| !line.is_empty() && indent(line) < indent(lines[index]));
    around.is_some_and(|line| line.ends_with("! {"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<String> {
        let found = proofs("a.rs", source).into_iter().map(|proof| match proof {
            Ok(Proof { subject, rules, .. }) => {
                format!("{subject}: {}", rules.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + "))
            }
            Err(mistake) => mistake,
        });
        found.collect()
    }

    #[test]
    fn a_test_has_the_rules_of_its_comment() {
        let source = "\
// Proves D3, K1a: some words.
// More words.
/// Words.
#[tokio::test(flavor = \"current_thread\")]
async fn one() {}

    // Proves every rule D, L.
    #[test]
    #[expect(
        clippy::lint,
    )]
    fn two() {}
";
        assert_eq!(found(source), ["one: D3 + K1a", "two: every rule D + every rule L"]);
    }

    #[test]
    fn a_law_an_assertion_and_examples_are_tests() {
        let source = "\
quickcheck! {
    // Proves D1.
    fn law(history: History) -> bool {
    }
}

// Proves D11.
assert_not_impl_any!(A: B);

// Proves D11: the last examples.
/// Words.
///
/// ```compile_fail,E0277
/// ```
#[derive(Debug)]
pub struct Cache {}
";
        assert_eq!(
            found(source),
            ["law: D1", "assert_not_impl_any!: D11", "examples of Cache that must not compile: D11"]
        );
    }

    #[test]
    fn a_comment_without_a_rule_or_a_test_is_a_mistake() {
        let source = "// Proves nothing.\n#[test]\nfn a() {}\n\n// Proves D1.\nfn helper() {}\n\n// Proves D2.\n";
        let mistakes = [
            "a.rs:1: the comment names no rule",
            "a.rs:5: no test follows the comment",
            "a.rs:8: no test follows the comment",
        ];
        assert_eq!(found(source), mistakes);
        assert_eq!(found("// Proves D1, E\n#[test]\nfn a() {}\n"), ["a.rs:1: the comment names no rule"]);
    }
}
