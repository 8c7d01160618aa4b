//! The program `tenants`, as a user runs it.

use std::process::{Command, Output};

/// Returns the program with `arguments`.
fn tenants(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenants"));
    command.args(arguments);
    command
}

/// Returns the standard output and the errors.
fn text(output: &Output) -> (String, String) {
    (String::from_utf8_lossy(&output.stdout).into(), String::from_utf8_lossy(&output.stderr).into())
}

/// Returns the cells of a strategy's line, from the seconds on.
fn figures(stdout: &str, strategy: &str) -> Vec<String> {
    let line =
        stdout.lines().find_map(|line| line.strip_prefix(strategy)).unwrap_or_else(|| panic!("{strategy} in {stdout}"));
    line.split_whitespace().map(Into::into).collect()
}

#[test]
fn each_strategy_has_its_figures() {
    // More tenants than the SDK's identity cache can hold, and environments that all processes must ignore.
    let output = tenants(&["--tenants", "70", "--calls", "2", "--max-size", "70"])
        .env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
        .env("AWS_SESSION_TOKEN", "foreign")
        .env("AWS_PROFILE", "missing")
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .output()
        .unwrap();
    let (stdout, stderr) = text(&output);
    assert!(output.status.success(), "{stdout}\n{stderr}");

    // After the seconds: AssumeRole calls, connections opened, sockets held. A hash map selects the entry that a full
    // identity cache of the SDK evicts, so the number of calls varies.
    let of = |strategy| figures(&stdout, strategy).iter().map(|cell| cell.parse().unwrap_or(0)).collect::<Vec<usize>>();
    let each_call = of("a new client for each call");
    assert!(each_call[1..3] == [140, 280] && each_call[3] <= 8, "{stdout}");
    let each_tenant = of("a client for each tenant");
    assert!(each_tenant[1] > 70 && each_tenant[2..4] == [140, 140], "{stdout}");
    let one_config = of("one shared SdkConfig");
    assert!(one_config[1] > 70 && one_config[3] <= 8, "{stdout}");
    let session = of("`Session`");
    assert!(session[1] == 70 && session[3] <= 8, "{stdout}");
    assert_eq!(stdout.matches("`Session` called AssumeRole 70 times").count(), 1, "{stdout}");
    assert!(!stdout.contains("ASIA") && !stdout.contains("AKIA"), "K4: {stdout}");
}

#[test]
fn a_small_session_and_concurrent_calls_succeed() {
    let mut small = tenants(&["--tenants", "12", "--calls", "3", "--max-size", "0", "--concurrency", "6"]);
    let output = small.output().unwrap();
    let (stdout, stderr) = text(&output);
    assert!(output.status.success() && figures(&stdout, "`Session`").len() == 6, "{stdout}\n{stderr}");
}

#[test]
fn a_wrong_argument_gets_a_clear_error_and_exit_code_2() {
    for (arguments, named) in [
        (["--tenants", "0"], "--tenants"),
        (["--calls", "0"], "--calls"),
        (["--max-size", "-1"], "-1"),
        (["--concurrency", "many"], "--concurrency"),
    ] {
        let output = tenants(&arguments).output().unwrap();
        let (stdout, stderr) = text(&output);
        assert_eq!(output.status.code(), Some(2), "{stdout}\n{stderr}");
        assert!(stdout.is_empty() && stderr.contains("error: ") && stderr.contains(named), "{stderr}");
    }
}
