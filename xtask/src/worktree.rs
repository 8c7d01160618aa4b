//! A copy of the last commit, which can be patched and built without touching the tree.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process;
use crate::project::Project;

/// A git worktree of `HEAD`, removed on drop.
#[derive(Debug)]
pub(crate) struct Worktree<'a> {
    project: &'a Project,
    folder: PathBuf,
}

impl<'a> Worktree<'a> {
    /// Checks the last commit out into `target/NAME/tree`.
    ///
    /// Replaces the copy that an interrupted run has left there. The path is the same in each run, so that builds can
    /// be reused.
    pub(crate) fn create(project: &'a Project, name: &str) -> Result<Self> {
        let folder = project.target().join(name).join("tree");
        let worktree = Self { project, folder };
        worktree.remove();
        process::run(project.git(["worktree", "prune"]))?;
        let mut command = project.git(["worktree", "add", "--quiet", "--detach"]);
        command.arg(&worktree.folder).arg("HEAD");
        process::run(command).context("cannot copy the last commit")?;
        Ok(worktree)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Undoes all patches.
    pub(crate) fn reset(&self) -> Result<()> {
        process::run(self.git(&["checkout", "--quiet", "--", "."]))
    }

    /// Applies a patch. Returns `false` if git refuses it.
    pub(crate) fn apply(&self, patch: &Path) -> Result<bool> {
        let mut command = self.git(&["apply"]);
        Ok(command.arg(patch).status().context("cannot start git")?.success())
    }

    fn git(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.project.git(arguments);
        command.current_dir(&self.folder);
        command
    }

    fn remove(&self) {
        if self.folder.exists() {
            let mut command = self.project.git(["worktree", "remove", "--force"]);
            // The folder may no longer be a worktree. Then only the folder must be removed.
            let _ = command.arg(&self.folder).output();
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Drop for Worktree<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}
