//! `cargo xtask rules`: writes the page with the tests and mutants of each rule.

use std::fs;

use anyhow::{Context, Result};
use clap::Args;
use rules::{PAGE, Rules};

use crate::Verdict;
use crate::project::Project;

/// Write docs/RULES.md, the tests and mutants of each rule.
///
/// The page follows from the headings of SPEC.md, the comments above tests, such as `// Proves D3.`, and the names of the
/// patches in tests/mutants.
///
/// Exit status: 1 if a rule has no test or no mutant, or a comment names no rule, or, with --check, the page is not
/// current. 2 if the command could not do its work.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Compare the page with the tree, instead of writing it
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<Verdict> {
    let rules = Rules::read(project.root())?;
    let problems = rules.problems();
    for problem in &problems {
        println!("{problem}");
    }
    let path = project.root().join(PAGE);
    let mut is_current = true;
    if arguments.check {
        is_current = fs::read_to_string(&path).with_context(|| format!("cannot read {PAGE}"))? == rules.page();
        if !is_current {
            println!("{PAGE} is not current; `cargo xtask rules` updates it");
        }
    } else {
        fs::write(&path, rules.page()).with_context(|| format!("cannot write {PAGE}"))?;
    }
    println!("{} rules, {} tests, {} mutants", rules.all().count(), rules.proofs.len(), rules.mutants.len());
    Ok(Verdict::of(problems.is_empty() && is_current))
}
