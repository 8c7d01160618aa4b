//! The logs of checks that have passed, by their tree.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::check::{Check, Kind};
use super::rows;
use crate::process;
use crate::project::Project;

/// The lines of a log that are shown when a check fails.
const TAIL: usize = 30;

/// The logs, in `target/verify`.
pub(super) struct Records<'a> {
    project: &'a Project,
    folder: PathBuf,
}

impl<'a> Records<'a> {
    pub(super) fn new(project: &'a Project) -> Result<Self> {
        let folder = project.target().join("verify");
        fs::create_dir_all(&folder)?;
        Ok(Self { project, folder })
    }

    /// Returns the path of the log of a check on the last commit.
    fn log(&self, check: &Check) -> Result<PathBuf> {
        Ok(self.folder.join(format!("{}-{}.log", check.name, self.project.tree(&check.inputs)?)))
    }

    /// Returns the log of a check if it has passed on the last commit.
    pub(super) fn read(&self, check: &Check) -> Result<Option<String>> {
        let log = self.log(check)?;
        Ok(if log.exists() { Some(read(&log)?) } else { None })
    }

    /// Runs a check unless it has passed. Returns `true` if it passes.
    pub(super) fn run(&self, check: &Check, again: bool) -> Result<bool> {
        let (log, name) = (self.log(check)?, &check.name);
        if !again && self.read(check)?.is_some_and(|log| is_enough(check.kind, &log)) {
            println!("{name}: passed before");
            return Ok(true);
        }
        let running = log.with_extension("part");
        let _ = fs::remove_file(&running);
        println!("{name}: runs, with its output in {}", running.display());
        let status = process::run_logged(check.command(), &running, None)?;
        if status.is_some_and(|status| status.success()) {
            fs::rename(&running, &log)?;
            println!("{name}: passed");
            return Ok(true);
        }
        let text = read(&running)?;
        let lines: Vec<_> = text.lines().collect();
        println!("{}", lines[lines.len().saturating_sub(TAIL)..].join("\n"));
        println!("{name}: FAILED");
        Ok(false)
    }
}

/// Returns `true` if a check need not run for longer than it has.
fn is_enough(kind: Kind, log: &str) -> bool {
    match kind {
        Kind::Fuzz(seconds) => rows::executions(log).is_some_and(|(_, lasted)| lasted >= u64::from(seconds)),
        _ => true,
    }
}

fn read(log: &Path) -> Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(log)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fuzz_target_runs_again_for_longer() {
        let log = "Done 1000 runs in 61 second(s)\n";
        assert!(is_enough(Kind::Fuzz(60), log));
        assert!(!is_enough(Kind::Fuzz(600), log));
        assert!(is_enough(Kind::Tests, ""));
    }
}
