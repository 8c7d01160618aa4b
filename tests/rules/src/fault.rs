//! The faults of the kit's faulty caches, and the rules that each breaks.

use crate::is_number;

/// A fault of a faulty cache of the kit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The name of the enum, such as `CreationFault`.
    pub kind: String,
    /// The name of the variant.
    pub name: String,
    /// The rules that the fault breaks.
    pub rules: Vec<String>,
}

/// Returns the variants of the enums named `…Fault` in a source file.
///
/// A comment such as `// D3, D14.` names the rules of the variants below it, up to the next such comment.
pub(crate) fn faults(source: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let (mut kind, mut rules) = (None, Vec::new());
    for line in source.lines() {
        if let Some(name) = line.strip_prefix("pub enum ").and_then(|line| line.strip_suffix(" {")) {
            kind = Some(name.to_owned()).filter(|name| name.ends_with("Fault"));
            rules.clear();
        } else if line == "}" {
            kind = None;
        } else if let Some(kind) = &kind {
            let line = line.trim();
            if let Some(comment) = line.strip_prefix("// ") {
                let numbers = comment.split(['.', ':']).next().unwrap_or_default().split(", ");
                if numbers.clone().all(is_number) {
                    rules = numbers.map(str::to_owned).collect();
                }
            } else if let Some(name) = line.strip_suffix(',').filter(|name| is_variant(name)) {
                faults.push(Fault { kind: kind.clone(), name: name.to_owned(), rules: rules.clone() });
            }
        }
    }
    faults
}

fn is_variant(line: &str) -> bool {
    line.starts_with(|letter: char| letter.is_ascii_uppercase()) && line.chars().all(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_has_the_rules_of_the_comment_above_it() {
        let source = "\
pub enum Level {
    // D9.
    Dict,
}

pub enum CreationFault {
    // S1, S2.
    /// Some words.
    One,
    // F2: they show only under LFUDA.
    Two,
    // A comment.
    Three,
}
";
        let fault = |name: &str, rules: &[&str]| Fault {
            kind: "CreationFault".to_owned(),
            name: name.to_owned(),
            rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        };
        assert_eq!(faults(source), [fault("One", &["S1", "S2"]), fault("Two", &["F2"]), fault("Three", &["F2"])]);
    }
}
