//! The project's own commands, run as `cargo xtask …`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

mod bench;
mod coverage;
mod mutants;
mod process;
mod project;
mod public_api;
mod rules;
mod verify;
mod worktree;

use std::process::ExitCode;

use clap::Parser;

use crate::project::Project;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    Verify(verify::Arguments),
    Mutants(mutants::Arguments),
    PublicApi(public_api::Arguments),
    Rules(rules::Arguments),
    Coverage(coverage::Arguments),
    Bench(bench::Arguments),
}

/// The result of a command that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed,
    /// The input is invalid, so that the result means nothing.
    Invalid,
}

impl Verdict {
    /// Returns `Passed` or `Failed`.
    fn of(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }
}

fn main() -> ExitCode {
    let command = Command::parse();
    let verdict = Project::open().and_then(|project| match command {
        Command::Verify(arguments) => verify::run(&project, &arguments),
        Command::Mutants(arguments) => mutants::run(&project, &arguments),
        Command::PublicApi(arguments) => public_api::run(&project, &arguments),
        Command::Rules(arguments) => rules::run(&project, &arguments),
        Command::Coverage(arguments) => coverage::run(&project, &arguments),
        Command::Bench(arguments) => bench::run(&project, &arguments),
    });
    match verdict {
        Ok(Verdict::Passed) => ExitCode::SUCCESS,
        Ok(Verdict::Failed) => ExitCode::from(1),
        Ok(Verdict::Invalid) => ExitCode::from(2),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Command::command().debug_assert();
    }
}
