//! The checks, their commands, and the files that their results depend on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::mutants::PARTS;
use crate::project::{Project, cargo};

/// The form of the log of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Tests,
    Ignored,
    Coverage,
    /// With the number of seconds.
    Fuzz(u32),
    Mutants,
    /// With the part of the code.
    GeneratedMutants(&'static str),
}

/// One check.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The command that a reader can repeat.
    pub(super) rerun: String,
    /// The paths that the result depends on.
    pub(super) inputs: Vec<String>,
    folder: PathBuf,
    arguments: Vec<String>,
}

/// The code under test, the kit and the tests.
const CODE: [&str; 5] = ["src", "spec", "tests/", "Cargo.toml", "Cargo.lock"];

impl Check {
    /// Creates a check that runs a cargo command, given as words without quotes.
    fn new(root: &Path, name: &str, kind: Kind, command: &str, other_inputs: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            rerun: format!("cargo {command}"),
            inputs: CODE.iter().chain(other_inputs).map(|path| (*path).to_owned()).collect(),
            folder: root.to_owned(),
            arguments: command.split(' ').map(str::to_owned).collect(),
        }
    }

    /// Creates the check that runs a fuzz target.
    ///
    /// `found` is a folder for new inputs, because the corpus is minimized.
    fn fuzz(root: &Path, target: &str, found: &Path, seconds: u32) -> Self {
        let corpus = format!("corpus/{target}");
        let (found, time) = (found.display().to_string(), format!("-max_total_time={seconds}"));
        let arguments = ["+nightly", "fuzz", "run", target, &found, &corpus, "--", &time, "-max_len=512"];
        let inputs = [
            "src",
            "spec/src",
            "spec/Cargo.toml",
            "tests/support",
            "fuzz/fuzz_targets",
            "fuzz/Cargo.toml",
            "fuzz/Cargo.lock",
            "Cargo.toml",
        ];
        let inputs = inputs.map(str::to_owned).into_iter().chain([format!("fuzz/{corpus}")]).collect();
        Self {
            name: target.to_owned(),
            kind: Kind::Fuzz(seconds),
            rerun: format!("cargo xtask verify {target}"),
            inputs,
            folder: root.join("fuzz"),
            arguments: arguments.map(str::to_owned).into(),
        }
    }

    /// Returns the command that runs the check.
    pub(super) fn command(&self) -> Command {
        cargo(&self.folder, &self.arguments)
    }
}

/// Returns all checks, the quickest first.
pub(super) fn all(project: &Project, fuzz_seconds: u32) -> Result<Vec<Check>> {
    let root = project.root();
    let around = [
        "examples",
        "xtask",
        "benches/src",
        "benches/tests",
        "benches/Cargo.toml",
        "benches/PEERS.md",
        "fuzz/corpus",
        "tests/mutants",
        "README.md",
        "docs/FLEET.md",
        "docs/GUIDE.md",
        "docs/HTTP.md",
        "docs/MIGRATION.md",
        "docs/POLICIES.md",
        "docs/RULES.md",
    ];
    let mut checks = vec![
        Check::new(root, "tests", Kind::Tests, "test --workspace -- --nocapture", &around),
        Check::new(root, "ignored", Kind::Ignored, "test --workspace --tests -- --ignored --nocapture", &[]),
        Check::new(root, "coverage", Kind::Coverage, "xtask coverage", &around),
    ];
    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).context("cannot read fuzz/Cargo.toml")?;
    for target in targets(&manifest)? {
        let found = project.target().join("verify").join(format!("found-{target}"));
        fs::create_dir_all(&found)?;
        checks.push(Check::fuzz(root, &target, &found, fuzz_seconds));
    }
    checks.push(Check::new(root, "mutants", Kind::Mutants, "xtask mutants", &["examples", "tests/mutants"]));
    for part in PARTS {
        let (name, command) = (format!("generated-{}", part.name), format!("xtask mutants --generated {}", part.name));
        let inputs = part.inputs.iter().map(|path| (*path).to_owned()).collect();
        let check = Check::new(root, &name, Kind::GeneratedMutants(part.name), &command, &[]);
        checks.push(Check { inputs, ..check });
    }
    Ok(checks)
}

/// Returns the names of the programs of a manifest.
fn targets(manifest: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse()?;
    let programs = manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
    Ok(programs.filter_map(|program| Some(program.get("name")?.as_str()?.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzz_targets_are_the_programs_of_the_manifest() {
        let manifest = "[package]\nname = 'fuzz'\n[[bin]]\nname = 'one'\n[[bin]]\nname = 'two'\n";
        assert_eq!(targets(manifest).unwrap(), ["one", "two"]);
        assert!(targets("[package]\nname = 'fuzz'\n").unwrap().is_empty());
    }

    #[test]
    fn a_check_can_be_rerun_by_the_command_that_it_runs() {
        let check = Check::new(Path::new("/"), "a", Kind::Tests, "test --workspace -- --nocapture", &["examples"]);
        assert_eq!(check.rerun, "cargo test --workspace -- --nocapture");
        assert_eq!(check.arguments, ["test", "--workspace", "--", "--nocapture"]);
        assert_eq!(check.inputs.last().unwrap(), "examples");
    }
}
