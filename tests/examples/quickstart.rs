//! The example `quickstart`, run as a user runs it.

use std::process::Command;

use aws_client_cache::Credentials;
use support_server::Server;

use crate::run_example::{example, refuses, text};

fn quickstart(arguments: &[&str]) -> Command {
    let mut command = example("quickstart", arguments);
    command.env_remove("AWS_ENDPOINT_URL");
    command
}

fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (stdout, stderr) = text(&output);
    assert!(output.status.success() && stdout.contains("Done:"), "{stdout}\n{stderr}");
    stdout
}

/// Returns the tenant whose client is evicted when carol's client is inserted.
fn evicted_by_carol(stdout: &str) -> &str {
    let (_, carol) = stdout.split_once("selects the victim").expect("carol's client is inserted");
    let (before, _) = carol.split_once(" is evicted: Capacity").expect("a client is evicted");
    before.trim_end().rsplit(' ').next().unwrap()
}

#[test]
fn the_policy_decides_which_client_is_evicted() {
    assert_eq!(evicted_by_carol(&succeeds(&mut quickstart(&[]))), "alice");
    assert_eq!(evicted_by_carol(&succeeds(&mut quickstart(&["--policy", "lfu", "--max-size", "2"]))), "bob");
}

#[test]
fn every_error_of_the_example_is_shown() {
    let stdout = succeeds(&mut quickstart(&["--policy", "LRU"]));
    for error in [
        "a client is already cached under S3(region=ap-south-1",
        "no client is cached under S3(region=sa-east-1)",
        "None",
        "the cache is empty",
        "invalid region: must not be empty",
        r#"unknown eviction policy "FIFO""#,
    ] {
        assert!(stdout.contains(error), "{error} in {stdout}");
    }
    assert!(!stdout.contains("AKIA") && !stdout.contains("the secret of"), "K4: {stdout}");
}

#[test]
fn any_size_is_accepted() {
    for size in ["0", "1", "3", "18446744073709551615"] {
        succeeds(&mut quickstart(&["--max-size", size]));
    }
}

#[test]
fn a_wrong_argument_gets_a_clear_error_and_exit_code_2() {
    for (arguments, named) in
        [(["--policy", "fifo"], "--policy"), (["--max-size", "-1"], "-1"), (["--max-size", "many"], "--max-size")]
    {
        refuses(&mut quickstart(&arguments), named);
    }
    let help = quickstart(&["--help"]).output().unwrap();
    assert!(help.status.success() && text(&help).0.contains("--max-size <MAX_SIZE>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_is_used_if_the_environment_names_it() {
    let credentials = Credentials::new("AKIDENVIRONMENT", "secret of the environment", None, None, "test");
    let server = Server::start([&credentials]).await.unwrap();
    let endpoint = server.endpoint_url();
    let stdout = tokio::task::spawn_blocking(move || {
        let mut command = quickstart(&[]);
        let stdout = succeeds(
            command
                .env("AWS_ENDPOINT_URL", &endpoint)
                .env("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
                .env("AWS_SECRET_ACCESS_KEY", "secret of the environment")
                .env_remove("AWS_SESSION_TOKEN")
                .env_remove("AWS_PROFILE"),
        );
        assert!(stdout.contains(&format!("The S3 server is {endpoint}")), "{stdout}");
        stdout
    });
    assert_eq!(evicted_by_carol(&stdout.await.unwrap()), "alice");
}
