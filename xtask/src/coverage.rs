//! `cargo xtask coverage`: the lines that the tests cover.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::Verdict;
use crate::process;
use crate::project::Project;

/// Run the tests with instrumentation, and print the lines that they cover, by file.
///
/// `cargo llvm-cov` by itself does not build the examples, which some tests start.
///
/// Exit status: 2 if a test fails, or if the command could not do its work.
#[derive(Args, Debug)]
pub(crate) struct Arguments {}

/// Runs the command.
pub(crate) fn run(project: &Project, _: &Arguments) -> Result<Verdict> {
    let target = project.target().join("llvm-cov-target");
    let cargo = |arguments: &[&str]| {
        let mut command = project.cargo(arguments);
        // Without incremental compilation, functions are inlined into other crates, where they are not counted.
        command.env("CARGO_TARGET_DIR", &target).env("CARGO_INCREMENTAL", "1");
        command
    };
    let environment = process::read(cargo(&["llvm-cov", "show-env", "--sh"]))?;
    let instrumented = |arguments: &[&str]| -> Result<()> {
        let mut command: Command = cargo(arguments);
        command.envs(variables(&environment));
        process::run(command)
    };
    fs::create_dir_all(&target)?;
    for file in fs::read_dir(&target).with_context(|| format!("cannot read {}", target.display()))? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "profraw") {
            fs::remove_file(path)?;
        }
    }
    instrumented(&["build", "--workspace", "--examples"])?;
    instrumented(&["test", "--workspace", "--tests"])?;
    instrumented(&["llvm-cov", "report", "--summary-only"])?;
    Ok(Verdict::Passed)
}

/// Returns the names and the values of lines such as `export NAME='value'`.
fn variables(shell: &str) -> impl Iterator<Item = (&str, &str)> {
    shell.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
        Some((name, value.trim_matches('\'')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_without_their_quotes() {
        let shell = "export LLVM_PROFILE_FILE='/a b/%p.profraw'\nexport CARGO_LLVM_COV=1\n# other\n";
        let expected = [("LLVM_PROFILE_FILE", "/a b/%p.profraw"), ("CARGO_LLVM_COV", "1")];
        assert_eq!(variables(shell).collect::<Vec<_>>(), expected);
    }
}
