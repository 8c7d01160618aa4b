//! The example `web`: its service over sockets, and its program as a user runs it.

#[path = "../../examples/web/get.rs"]
mod get;
#[path = "../../examples/web/metrics.rs"]
mod metrics;
#[path = "../../examples/web/service.rs"]
mod service;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use aws_client_cache::{Credentials, Session};
use axum::http::StatusCode;
use support_server::Server;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::run_example::{example, refuses, text};
use get::get;
use service::Tenant;

const REGION: &str = "eu-central-1";
const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// Texts that no answer may contain.
const SECRETS: [&str; 8] =
    ["AKIAWEB", "ASIA", "secret of", "token of", "as-agreed-with", "arn:aws", "123456789012", "not authorized"];

fn role(name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{name}")
}

/// Returns a tenant whose configured bucket is that of `bucket_of`.
fn tenant(name: &str, bucket_of: &str) -> (String, Tenant) {
    let tenant = Tenant {
        role_arn: role(name),
        external_id: format!("as-agreed-with-{name}"),
        bucket: format!("bucket-of-{bucket_of}"),
    };
    (name.to_owned(), tenant)
}

/// Starts the service and its AWS server, which stores a greeting for each tenant.
async fn started() -> (Server, SocketAddr) {
    let own = Credentials::new("AKIAWEB", "the secret of the service", None, None, "test");
    let server = Server::start([&own]).await.unwrap();
    for name in NAMES {
        let bucket = format!("bucket-of-{name}-{REGION}");
        server.store(&role(name), &bucket, "greeting.txt", name.as_bytes()).unwrap();
    }
    let mut tenants: Vec<_> = NAMES.map(|name| tenant(name, name)).into();
    tenants.push(tenant("mallory", "alice"));
    let session = Session::builder(&server.sdk_config(&own)).max_size(10).build();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = service::router(session, tenants.into_iter().collect());
    tokio::spawn(axum::serve(listener, router).into_future());
    (server, address)
}

async fn greeting(service: SocketAddr, tenant: &str) -> (StatusCode, String) {
    answer(service, &format!("/tenants/{tenant}/{REGION}/greeting.txt")).await
}

/// Requests a tenant's greeting again and again, until the answer differs from `refused`.
async fn greeting_after(refused: &(StatusCode, String), service: SocketAddr, tenant: &str) -> (StatusCode, String) {
    let later = async {
        loop {
            let answer = greeting(service, tenant).await;
            if answer != *refused {
                break answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), later).await.expect("the answer changes")
}

/// Returns the answer to a request. It may not contain a secret or an internal detail.
async fn answer(service: SocketAddr, path: &str) -> (StatusCode, String) {
    let (status, body) = get(service, path).await.unwrap();
    for secret in SECRETS {
        assert!(!body.contains(secret), "{path}: {body}");
    }
    (status, body)
}

fn is(status: StatusCode, body: &str) -> (StatusCode, String) {
    (status, body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_reads_its_own_object_with_its_own_role() {
    let (server, service) = started().await;
    for name in NAMES {
        assert_eq!(greeting(service, name).await, is(StatusCode::OK, name));
    }
    let asked: Vec<_> = server.seen().requests().into_iter().map(|request| request.asked_by).collect();
    assert_eq!(asked, NAMES.map(role));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_of_one_tenant_assume_its_role_once() {
    const REQUESTS: usize = 20;
    let (server, service) = started().await;
    // All requests arrive while the role is being assumed.
    server.faults().delay_assume_role(Duration::from_millis(500));
    let mut tasks = JoinSet::new();
    for _ in 0..REQUESTS {
        for name in NAMES {
            tasks.spawn(async move { assert_eq!(greeting(service, name).await, is(StatusCode::OK, name)) });
        }
    }
    tasks.join_all().await;
    for name in NAMES {
        assert_eq!(server.seen().assume_role_count_of(&role(name)), 1, "{name}");
    }
    assert_eq!(server.seen().request_count(), REQUESTS * NAMES.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_never_gets_the_object_of_another() {
    let (server, service) = started().await;
    assert_eq!(greeting(service, "alice").await, is(StatusCode::OK, "alice"));
    let refused = is(StatusCode::FORBIDDEN, "AWS refuses this tenant's role");
    assert_eq!(greeting(service, "mallory").await, refused);
    for path in [
        "/tenants/bob/../alice/eu-central-1/greeting.txt",
        "/tenants/bob%2F..%2Falice/eu-central-1/greeting.txt",
        "/tenants/bob/eu-central-1/../bucket-of-alice-eu-central-1/greeting.txt",
        "/tenants/bob/eu-central-1/..%2Fbucket-of-alice-eu-central-1%2Fgreeting.txt",
        "/tenants/bob/eu-central-1%2F..%2Fbucket-of-alice-eu-central-1/greeting.txt",
    ] {
        let (status, body) = answer(service, path).await;
        assert!(!status.is_success() && !body.contains("alice"), "{path}: {status} {body}");
    }
    let of_alice = server.seen().requests().into_iter();
    let of_alice = of_alice.filter(|request| request.bucket.as_deref() == Some("bucket-of-alice-eu-central-1"));
    assert!(of_alice.into_iter().all(|request| request.asked_by == role("alice")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_tenant_or_object_is_404() {
    let (server, service) = started().await;
    assert_eq!(greeting(service, "nobody").await, is(StatusCode::NOT_FOUND, "no such tenant"));
    assert_eq!(server.seen().assume_role_count(), 0);
    let nothing = answer(service, "/tenants/alice/eu-central-1/nothing").await;
    assert_eq!(nothing, is(StatusCode::NOT_FOUND, "no such object"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_role_is_403_until_it_is_allowed() {
    let (server, service) = started().await;
    server.faults().refuse_role(&role("bob"));
    let refused = is(StatusCode::FORBIDDEN, "AWS refuses this tenant's role");
    assert_eq!(greeting(service, "bob").await, refused);
    assert_eq!(greeting(service, "alice").await, is(StatusCode::OK, "alice"));
    server.faults().allow_role(&role("bob"));
    assert_eq!(greeting_after(&refused, service, "bob").await, is(StatusCode::OK, "bob"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_show_the_session_without_names() {
    let (server, service) = started().await;
    server.faults().refuse_role(&role("bob"));
    for tenant in ["alice", "alice", "bob"] {
        greeting(service, tenant).await;
    }
    let (status, body) = answer(service, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        "# TYPE aws_clients_hits_total counter",
        "aws_clients_hits_total 1",
        "aws_clients_creations_total 1",
        "aws_clients_failed_loads_total 1",
        "# TYPE aws_clients_active_scopes gauge",
        "aws_clients_active_scopes 1",
    ] {
        assert!(body.lines().any(|shown| shown == line), "{line} in {body}");
    }
    let expiry = body.lines().find_map(|line| line.strip_prefix("aws_clients_next_expiry_seconds ")).unwrap();
    assert!(expiry.parse::<u64>().unwrap() > 1_700_000_000, "{expiry}");
    assert!(!body.contains("alice") && !body.contains("bob"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_parameters_are_400_and_named() {
    let (_server, service) = started().await;
    let (status, body) = answer(service, "/tenants/alice/not%20a%20region/greeting.txt").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.starts_with("invalid region: ") && !body.contains("not a region"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_aws_is_502() {
    let (server, service) = started().await;
    let unavailable = is(StatusCode::BAD_GATEWAY, "AWS has no answer");
    // The SDK makes three attempts.
    server.faults().fail_assume_role(&role("alice"), 3);
    assert_eq!(greeting(service, "alice").await, unavailable);
    assert_eq!(greeting_after(&unavailable, service, "alice").await, is(StatusCode::OK, "alice"));
    drop(server);
    assert_eq!(greeting(service, "alice").await, unavailable);
}

#[test]
fn the_program_shows_an_answer_of_each_kind_and_counts_the_roles() {
    let output = example("web", &[]).output().unwrap();
    let (stdout, stderr) = text(&output);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    for shown in [
        "GET /tenants/alice/eu-central-1/greeting.txt\n    200 hello alice, in eu-central-1\n",
        "GET /tenants/alice/us-west-2/greeting.txt\n    200 hello alice, in us-west-2\n",
        "GET /tenants/bob/eu-central-1/greeting.txt\n    200 hello bob, in eu-central-1\n",
        "GET /tenants/alice/us-west-2/no-such-object\n    404 no such object\n",
        "GET /tenants/alice/nowhere!/greeting.txt\n    400 invalid region: ",
        "GET /tenants/carol/eu-central-1/greeting.txt\n    403 AWS refuses this tenant's role\n",
        "GET /tenants/nobody/eu-central-1/greeting.txt\n    404 no such tenant\n",
        "GET /metrics\n    200 # TYPE aws_clients_hits_total ",
        "\n3 clients are cached, and AssumeRole was called 3 times: carol's role is refused.\n",
    ] {
        assert!(stdout.contains(shown), "{shown} in {stdout}");
    }
    for secret in SECRETS {
        assert!(!stdout.contains(secret), "K4: {stdout}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_keeps_serving_with_serve() {
    // The program is killed, and so cannot remove its temporary files itself.
    let folder = tempfile::tempdir().unwrap();
    let mut command = example("web", &["--serve"]);
    let command = command.env("TMPDIR", folder.path()).env("TMP", folder.path());
    let mut serving = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(serving.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| line.strip_prefix("The service is http://")?.parse().ok()).unwrap();
    assert!(lines.any(|line| line == "Serving until it is interrupted."));
    let answered = greeting(address, "bob").await;
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert_eq!(answered, is(StatusCode::OK, "hello bob, in eu-central-1"));
}

#[test]
fn a_wrong_argument_gets_a_clear_error_and_exit_code_2() {
    refuses(&mut example("web", &["--tenants"]), "--tenants");
}
