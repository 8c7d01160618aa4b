//! `cargo xtask mutants`: breaks the code on purpose and checks that a test notices.

mod generated;
mod outcome;
mod patches;
mod rule_tests;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::Verdict;
use crate::project::Project;
pub(crate) use generated::PARTS;

/// The folder of the hand-written mutants.
pub(crate) const FOLDER: &str = "tests/mutants";

/// Break the code on purpose, and check that a test notices each time.
///
/// Hand-written mutants are the patches in tests/mutants. Generated ones are those of cargo-mutants, configured by
/// .cargo/mutants.toml. Both work on copies, and resume an interrupted run.
///
/// Exit status: 0 if all are caught, 1 if one survives, 2 if one is invalid or the command could not do its work.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Only patches whose names start with one of these: D3, F1
    #[arg(value_name = "PREFIX")]
    prefixes: Vec<String>,

    /// Only check that every patch applies to the current files; takes seconds
    #[arg(long, conflicts_with = "generated")]
    check: bool,

    /// Run cargo-mutants instead, on all of the code or on one part
    #[arg(long, value_name = "PART", num_args = 0..=1, conflicts_with = "prefixes")]
    #[arg(value_parser = PossibleValuesParser::new(PARTS.map(|part| part.name)))]
    #[expect(clippy::option_option, reason = "an option with an optional value, as clap has it")]
    generated: Option<Option<String>>,

    /// Forget the mutants that earlier runs have caught
    #[arg(long, conflicts_with_all = ["check", "keep"])]
    again: bool,

    /// Keep the generated mutants that were caught before the code or the tests were changed
    #[arg(long, requires = "generated")]
    keep: bool,
}

/// Runs the command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<Verdict> {
    match &arguments.generated {
        Some(part) => generated::run(project, part.as_deref(), arguments.again, arguments.keep),
        None if arguments.check => patches::check(project, &arguments.prefixes),
        None => patches::run(project, &arguments.prefixes, arguments.again),
    }
}

/// Returns the patch with this name.
pub(crate) fn patch(project: &Project, name: &str) -> PathBuf {
    project.root().join(FOLDER).join(name).with_extension("patch")
}
