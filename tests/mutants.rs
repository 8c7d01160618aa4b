//! The patches in `mutants/` are of the code as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn patches() -> Vec<PathBuf> {
    let files = fs::read_dir(root().join("mutants")).unwrap().map(|file| file.unwrap().path());
    let mut patches: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|extension| extension == "patch")).collect();
    patches.sort();
    patches
}

/// What git has to say against it. As `mutants/run` applies it; and git alone knows what it takes for a match.
fn refusal(patch: &Path) -> Option<String> {
    let mut git = Command::new("git");
    // No repository but that of this tree, which need not have one: within another's, git would pass over all files that a
    // patch names, and be content. Nor the one that a hook was started in.
    git.env("GIT_CEILING_DIRECTORIES", root().parent().unwrap_or(root()));
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        git.env_remove(variable);
    }
    let output = git.args(["apply", "--check"]).arg(patch).current_dir(root()).output().expect("git is installed");
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// `.ci/run` runs it, so that a change that makes a patch inapplicable is told at once, and not by `mutants/run`, after most of
/// an hour.
#[test]
#[ignore = "on a mutant it fails whatever the mutant breaks, and would hide that no other test does"]
fn every_mutant_still_applies() {
    let patches = patches();
    assert!(!patches.is_empty(), "no patches");
    let refusals: Vec<_> = patches.iter().filter_map(|patch| refusal(patch)).collect();
    assert!(refusals.is_empty(), "{} of {} do not apply:\n{}", refusals.len(), patches.len(), refusals.concat());
}
