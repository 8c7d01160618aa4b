//! The examples `lambda`, `services`, `rds_token` and `configured`, run as a user runs them.

use crate::run_example::{example, text};

/// Returns the output of an example. It must ignore the AWS variables of its environment.
fn said(name: &str) -> String {
    let mut command = example(name, &[]);
    let command = command
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        .env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
        .env("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
        .env("AWS_ACCESS_KEY_ID", "AKIASOMEBODY")
        .env("AWS_SESSION_TOKEN", "somebody's")
        .env("AWS_PROFILE", "nobody's");
    let output = command.output().unwrap();
    let (stdout, stderr) = text(&output);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    for secret in ["AKIA", "ASIA", "secret of", "token of"] {
        assert!(!stdout.contains(secret), "K4: {stdout}");
    }
    stdout
}

/// Returns the number of lines that contain `shown`.
fn count(stdout: &str, shown: &str) -> usize {
    stdout.lines().filter(|line| line.contains(shown)).count()
}

#[test]
fn a_warm_lambda_creates_few_clients_and_assumes_each_role_once() {
    let stdout = said("lambda");
    assert!(stdout.starts_with("The cold start made 1 client, and 1 AssumeRole call.\n"), "{stdout}");
    for name in ["alice", "bob", "carol"] {
        let asked = count(&stdout, &format!(r#""tenant":"{name}"}} -> "#));
        assert_eq!(asked, count(&stdout, &format!(r#""tenant":"{name}"}} -> {{"content":"hello {name}""#)), "{stdout}");
    }
    assert_eq!((count(&stdout, r#""warm":true"#), count(&stdout, r#""warm":false"#)), (8, 4), "{stdout}");
    let summary = "12 invocations made 5 clients in all, 2 of which are cached, and 3 AssumeRole calls.\n";
    assert!(stdout.ends_with(summary), "{stdout}");
}

#[test]
fn a_database_token_is_signed_by_the_tenants_role() {
    let stdout = said("rds_token");
    let signed = "Action DBUser X-Amz-Algorithm X-Amz-Credential X-Amz-Date X-Amz-Expires X-Amz-SignedHeaders X-Amz-Signature \
                  X-Amz-Security-Token";
    let line = |user| format!("db.example.com:5432/ as {user}: {signed}\n");
    assert_eq!(stdout, format!("{}{}AssumeRole calls: 1\n", line("reader"), line("writer")));
}

#[test]
fn clients_of_all_services_and_regions_share_one_role() {
    let stdout = said("services");
    assert_eq!((count(&stdout, "AssumeRole calls: 0"), count(&stdout, "AssumeRole calls: 1")), (1, 4), "{stdout}");
    for shown in [
        "hello from bucket-eu-central-1",
        "hello from bucket-us-west-2",
        "arn:aws:sts::123456789012:assumed-role/reader/services",
        "hello from notes",
        "ClientCache(LRU, 4 of 128)",
        "  S3(region=eu-central-1, ",
        "  S3(region=us-west-2, ",
        "  Sts(region=eu-central-1, ",
        "  OwnNotes(region=eu-central-1, ",
    ] {
        assert_eq!(count(&stdout, shown), 1, "{shown} in {stdout}");
    }
}

#[test]
fn a_configuration_file_sets_the_bounds_of_the_session_and_its_tenants() {
    let stdout = said("configured");
    for shown in [
        "SessionConfig { policy: Lfu, max_size: 3, scope_idle_timeout: 300s, max_idle_scopes: 1000, retry_partitions: true, max_concurrent_loads: 8, load_timeout: None",
        "alice is served from eu-central-1",
        "bob is served from us-west-2",
        "ClientCache(LFU, 2 of 3)",
        "0 hits, 2 misses (0.0 % hits), 2 insertions, 0 evictions, 0 expirations, 0 removals, 2 creations, 0 failures",
    ] {
        assert_eq!(count(&stdout, shown), 1, "{shown}: {stdout}");
    }
}

#[test]
fn an_invalid_configuration_file_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let eve = |field: &str| format!("[[tenant]]\nlabel = 'eve'\n{field}");
    let (region, key) = (eve("region = 'no region'"), eve("secret_access_key = 'hidden'"));
    let role = eve("assume_role = { arn = 'arn:aws:iam::123456789012:role/eve', session_length = '1m' }");
    let wrong = [
        ("[session]\nmaxsize = 3", "unknown field `maxsize`"),
        ("[session]\npolicy = 'FIFO'", "unknown variant `FIFO`, expected one of `LRU`, `LFU`, `LFUDA`"),
        ("[session]\nscope_idle_timeout = 'soon'", "line 2"),
        ("[[tenant]]\nregoin = 'us-west-2'", "unknown field `regoin`"),
        (&region, "tenant eve: invalid region"),
        (&key, "tenant eve: invalid secret_access_key: must not be in a configuration"),
        (&role, "tenant eve: invalid session_length"),
    ];
    for (content, named) in wrong {
        let file = folder.path().join("wrong.toml");
        std::fs::write(&file, content).unwrap();
        let output = example("configured", &[file.to_str().unwrap()]).output().unwrap();
        let (stdout, stderr) = text(&output);
        assert!(!output.status.success() && stderr.contains(named.trim()), "{content}: {stdout}\n{stderr}");
        assert!(!stderr.contains("hidden"), "{stderr}");
    }
    let output = example("configured", &["no/such/file.toml"]).output().unwrap();
    assert!(!output.status.success() && text(&output).1.contains("no/such/file.toml"));
}
