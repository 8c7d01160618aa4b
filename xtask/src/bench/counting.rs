//! The cost of statistics: the instructions of a hit of `ClientCache` with them and without.

use anyhow::{Result, ensure};

use super::instructions;
use crate::Verdict;
use crate::mutants;
use crate::project::Project;
use crate::worktree::Worktree;

/// The patch under which lookups are not counted.
const PATCH: &str = "O1-lookups-are-not-counted";

/// The maximum instructions of a hit, relative to a hit that is not counted.
const LIMIT: f64 = 1.03;

/// Counts both, on copies of the last commit.
pub(super) fn run(project: &Project) -> Result<Verdict> {
    let copy = Worktree::create(project, "counting")?;
    let with = instructions::client_hit(&instructions::count(copy.path(), project.target())?)?;
    ensure!(copy.apply(&mutants::patch(project, PATCH))?, "{PATCH} does not apply");
    let without = instructions::client_hit(&instructions::count(copy.path(), project.target())?)?;
    println!("a hit takes {with:.1} instructions, and {without:.1} if lookups are not counted");
    Ok(Verdict::of(with <= LIMIT * without))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_patch_is_one_of_the_mutants() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(mutants::FOLDER);
        assert!(folder.join(PATCH).with_extension("patch").exists());
    }
}
