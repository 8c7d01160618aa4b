//! Runs the examples as a user does.

use std::env;
use std::env::consts::EXE_EXTENSION;
use std::path::Path;
use std::process::{Command, Output};

/// Returns the command that starts an example, which `cargo test` has built.
pub(crate) fn example(name: &str, arguments: &[&str]) -> Command {
    // This program lies in `deps`, next to `examples`.
    let this = env::current_exe().unwrap();
    let folder = this.parent().and_then(Path::parent).unwrap().join("examples");
    let file = folder.join(name).with_extension(EXE_EXTENSION);
    assert!(file.exists(), "no {}: run `cargo test` without `--test`, or `cargo build --examples`", file.display());
    let mut command = Command::new(file);
    command.args(arguments);
    command
}

/// Returns the standard output and the standard error.
pub(crate) fn text(output: &Output) -> (String, String) {
    (String::from_utf8_lossy(&output.stdout).into(), String::from_utf8_lossy(&output.stderr).into())
}

/// Asserts that a command exits with code 2, an empty output and an error that contains `named`.
pub(crate) fn refuses(command: &mut Command, named: &str) {
    let output = command.output().unwrap();
    let (stdout, stderr) = text(&output);
    assert_eq!(output.status.code(), Some(2), "{stdout}\n{stderr}");
    assert!(stdout.is_empty() && stderr.contains("error: ") && stderr.contains(named), "{stderr}");
}
