//! The project's folders, its git trees, and the commands that it starts.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

/// The workspace that this program belongs to.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
    target: PathBuf,
}

impl Project {
    /// Finds the workspace, by the manifest of this crate.
    pub(crate) fn open() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).parent().context("xtask lies in a workspace")?.to_owned();
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
        Ok(Self { root, target })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns cargo's target folder.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Returns a shell in the root.
    pub(crate) fn shell(&self) -> Result<Shell> {
        let shell = Shell::new()?;
        shell.change_dir(&self.root);
        Ok(shell)
    }

    /// Returns a `cargo` command in the root.
    pub(crate) fn cargo<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        cargo(&self.root, arguments)
    }

    /// Returns a `git` command in the root.
    ///
    /// It ignores the repository of a hook that it may run in. It also ignores a repository around the tree: there,
    /// `git apply` would skip all files of a patch without an error.
    pub(crate) fn git<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(&self.root);
        command.env("GIT_CEILING_DIRECTORIES", self.root.parent().unwrap_or(&self.root));
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(variable);
        }
        command
    }

    /// Returns a hash of the last commit's files and folders with these `paths`.
    ///
    /// A path that ends with a slash stands for the entries of the folder, except those of [`APART`].
    pub(crate) fn tree(&self, paths: &[impl AsRef<OsStr>]) -> Result<String> {
        let shell = self.shell()?;
        let entries = cmd!(shell, "git ls-tree HEAD -- {paths...}").quiet().read()?;
        let entries = inputs(&entries, paths);
        ensure!(!entries.is_empty(), "the last commit has none of the paths of a check");
        let hash = cmd!(shell, "git hash-object --stdin").stdin(entries).quiet().read()?;
        Ok(hash)
    }

    /// Fails if anything under `paths` differs from the last commit.
    pub(crate) fn require_committed(&self, paths: &[impl AsRef<OsStr>]) -> Result<()> {
        let shell = self.shell()?;
        let changes = cmd!(shell, "git status --porcelain -- {paths...}").quiet().read()?;
        if !changes.is_empty() {
            bail!("commit these first; a result must name the tree that it belongs to:\n{changes}");
        }
        Ok(())
    }
}

/// The folders in `tests/` that few checks depend on, and that these name.
const APART: [&str; 2] = ["tests/mutants", "tests/public-api"];

/// Returns the entries of `git ls-tree` without those of [`APART`] that `paths` do not name.
fn inputs(entries: &str, paths: &[impl AsRef<OsStr>]) -> String {
    let is_named = |path: &str| paths.iter().any(|named| named.as_ref() == path);
    let is_apart = |line: &str| APART.into_iter().any(|path| line.ends_with(&format!("\t{path}")) && !is_named(path));
    entries.lines().filter(|line| !is_apart(line)).collect::<Vec<_>>().join("\n")
}

/// Returns a `cargo` command in `folder`.
///
/// The command does not inherit the variables that `cargo run` has set for this program. A build script that reads one
/// of them would run again for each caller.
pub(crate) fn cargo<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(folder);
    for (variable, _) in env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO" {
            command.env_remove(&variable);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_apart_is_an_input_only_if_it_is_named() {
        let entries = "040000 tree 1\tsrc\n040000 tree 2\ttests/engine\n040000 tree 3\ttests/mutants";
        assert_eq!(inputs(entries, &["src", "tests/"]), "040000 tree 1\tsrc\n040000 tree 2\ttests/engine");
        assert_eq!(inputs(entries, &["src", "tests/", "tests/mutants"]), entries);
    }
}
