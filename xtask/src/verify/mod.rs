//! `cargo xtask verify`: runs the checks and records their counts.

mod check;
mod page;
mod record;
mod rows;

use std::fs;

use anyhow::{Context, Result};
use clap::Args;

use crate::Verdict;
use crate::project::Project;
use check::Check;
use record::Records;

/// The page of evidence.
const PAGE: &str = "docs/VERIFICATION.md";

/// Run the checks, and write docs/VERIFICATION.md from their results.
///
/// A check that has passed on this tree is not run again, so you can resume an interrupted run. The page shows only the
/// checks that passed on this tree, here or on another machine: rows of this tree stay on the page.
///
/// Exit status: 1 if a check fails or, with --check, a row belongs to another tree, 2 if the command could not do its
/// work.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Only these checks: tests, ignored, coverage, mutants, generated-PART, or the name of a fuzz target
    #[arg(value_name = "PART")]
    parts: Vec<String>,

    /// Run nothing; compare the trees that the page names with this one
    #[arg(long, conflicts_with = "parts")]
    check: bool,

    /// Run nothing; write the page from the checks that have passed
    #[arg(long, conflicts_with_all = ["parts", "check"])]
    report: bool,

    /// Run the checks even if they have passed
    #[arg(long, conflicts_with_all = ["check", "report"])]
    again: bool,

    /// The running time of each fuzz target
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    fuzz_seconds: u32,
}

/// Runs the command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<Verdict> {
    let checks = check::all(project, arguments.fuzz_seconds)?;
    if arguments.check {
        return check_page(project, &checks);
    }
    let selected = select(&checks, &arguments.parts)?;
    let records = Records::new(project)?;
    let mut passed = true;
    if !arguments.report {
        let inputs: Vec<_> = selected.iter().flat_map(|check| &check.inputs).collect();
        project.require_committed(&inputs)?;
        for check in selected {
            passed &= records.run(check, arguments.again)?;
        }
    }
    let page = project.root().join(PAGE);
    let recorded = fs::read_to_string(&page).unwrap_or_default();
    let mut rows = Vec::new();
    for check in &checks {
        let tree = project.tree(&check.inputs)?;
        match records.read(check)? {
            Some(log) => rows.extend(rows::of(check, &log).into_iter().map(|row| page::line(&row, check, &tree))),
            None => rows.extend(page::of(&recorded, check, &tree)),
        }
    }
    fs::write(&page, page::write(&rows)).with_context(|| format!("cannot write {PAGE}"))?;
    Ok(Verdict::of(passed))
}

/// Returns the checks with these names, or all.
fn select<'a>(checks: &'a [Check], parts: &[String]) -> Result<Vec<&'a Check>> {
    if parts.is_empty() {
        return Ok(checks.iter().collect());
    }
    let find = |part: &String| {
        let found = checks.iter().find(|check| check.name == *part);
        let names = || checks.iter().map(|check| &*check.name).collect::<Vec<_>>().join(", ");
        found.with_context(|| format!("no check {part}; the checks are {}", names()))
    };
    parts.iter().map(find).collect()
}

/// Compares the trees of the page's rows with this one.
fn check_page(project: &Project, checks: &[Check]) -> Result<Verdict> {
    let text = fs::read_to_string(project.root().join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let mut trees = Vec::new();
    for check in checks {
        project.require_committed(&check.inputs)?;
        trees.push((check, project.tree(&check.inputs)?));
    }
    let rows = page::read(&text);
    if rows.is_empty() {
        println!("{PAGE} has no rows");
        return Ok(Verdict::Failed);
    }
    let mut passed = true;
    for row in &rows {
        if !trees.iter().any(|(check, tree)| row.is_of(check, tree)) {
            println!("recorded on another tree: {}", row.text);
            passed = false;
        }
    }
    for (check, _) in trees.iter().filter(|(check, _)| rows.iter().all(|row| row.command != check.rerun)) {
        println!("not on the page: {}", check.name);
    }
    Ok(Verdict::of(passed))
}
