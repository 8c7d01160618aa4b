//! The examples, as a user runs them.

use std::process::{Command, Output};

/// An example of this crate, which is built first if it is not.
pub(crate) fn example(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--example", name]);
    // The features of the test, so that nothing is compiled twice.
    if cfg!(not(feature = "s3")) {
        command.arg("--no-default-features");
    }
    command.arg("--").args(arguments);
    command
}

/// What it has said, and what it has complained of.
pub(crate) fn text(output: &Output) -> (String, String) {
    (String::from_utf8_lossy(&output.stdout).into(), String::from_utf8_lossy(&output.stderr).into())
}

/// It ends with 2, says nothing, and complains of what is `named`.
pub(crate) fn refuses(command: &mut Command, named: &str) {
    let output = command.output().unwrap();
    let (stdout, stderr) = text(&output);
    assert_eq!(output.status.code(), Some(2), "{stdout}\n{stderr}");
    assert!(stdout.is_empty() && stderr.contains("error: ") && stderr.contains(named), "{stderr}");
}
