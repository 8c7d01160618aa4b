//! `Session` over real HTTP, with a server that assumes roles, checks signatures and fails on demand.

use std::sync::Arc;
use std::time::Duration;

use aws_client_cache::{
    AssumeRole, ClientParams, Credentials, EvictionPolicy, Region, S3, SdkConfig, Service, Session, SessionError,
    TimeoutConfig,
};
use aws_config::BehaviorVersion;
use aws_sdk_s3::error::DisplayErrorContext;
use fastrand::Rng;
use support::report::report;
use support_server::Server;
use support_server::request_log::Request;

aws_client_cache::service!(
    /// Another service, at the same endpoint.
    Sts = aws_sdk_sts
);

/// Starts a server, and returns a base configuration for it without an HTTP client.
///
/// The base configuration is that of `load_defaults`, apart from the environment.
async fn started() -> (Server, SdkConfig) {
    let keys = Credentials::new("AKIDBASE", "secret of the base", None, None, "test");
    let server = Server::start([&keys]).await.unwrap();
    let base = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(server.endpoint_url())
        .credentials_provider(keys)
        .load()
        .await;
    (server, base)
}

fn name(tenant: usize) -> String {
    format!("tenant-{tenant}")
}

fn role(tenant: usize) -> String {
    format!("arn:aws:iam::123456789012:role/{}", name(tenant))
}

fn params(tenant: usize, region: &str) -> ClientParams<S3> {
    let role = AssumeRole::new(role(tenant)).session_name("test");
    let params = ClientParams::<S3>::builder().region(region).assume_role(role);
    params.customize("path_style", |builder| builder.force_path_style(true)).build().unwrap()
}

async fn read(s3: &aws_sdk_s3::Client, tenant: usize) -> Result<Vec<u8>, String> {
    let object = s3.get_object().bucket(name(tenant)).key("key").send().await;
    let object = object.map_err(|error| DisplayErrorContext(error).to_string())?;
    Ok(object.body.collect().await.map_err(|error| error.to_string())?.to_vec())
}

/// Stores an object for each tenant, which no other tenant may read.
fn furnish(server: &Server, tenants: usize) {
    for tenant in 0..tenants {
        server.store(&role(tenant), &name(tenant), "key", name(tenant).as_bytes()).unwrap();
    }
}

async fn read_at_random(session: Session, tenants: usize, calls: usize, seed: usize) {
    let mut rng = Rng::with_seed(seed as u64);
    for _ in 0..calls {
        let tenant = rng.usize(..tenants);
        let region = ["us-east-1", "eu-west-1"][rng.usize(..2)];
        let s3 = session.client(&params(tenant, region)).await.unwrap();
        assert_eq!(read(&s3, tenant).await.unwrap(), name(tenant).as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_have_the_right_signatures() {
    const TENANTS: usize = 24;
    const TASKS: usize = 4;
    const CALLS: usize = 10_000 / TASKS;
    let (server, base) = started().await;
    furnish(&server, TENANTS);
    let session = Session::builder(&base).policy(EvictionPolicy::Lru).max_size(16).build();
    let tasks: Vec<_> =
        (0..TASKS).map(|task| tokio::spawn(read_at_random(session.clone(), TENANTS, CALLS, task))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    // The server has checked the signatures, and reports the signers.
    let requests = server.seen().requests();
    assert_eq!(requests.len(), 10_000);
    for Request { asked_by, bucket, .. } in &requests {
        let bucket = bucket.as_deref().unwrap();
        assert_eq!(*asked_by, format!("arn:aws:iam::123456789012:role/{bucket}"));
    }
    let (assumed, held) = (server.seen().assume_role_count(), server.seen().connections_held());
    assert_eq!(assumed, TENANTS, "32 scopes are kept, in use or idle");
    assert!(held <= 2 * TASKS, "{held} connections");
    report(
        "no other's credentials",
        format!("session over HTTP, {TENANTS} tenants, {TASKS} tasks"),
        format!("{} requests, {assumed} roles assumed, {held} connections", requests.len()),
    );
}

#[tokio::test]
async fn a_small_cache_assumes_no_role_twice() {
    const TENANTS: usize = 20;
    let (server, base) = started().await;
    furnish(&server, TENANTS);
    for policy in EvictionPolicy::ALL.iter().copied() {
        let before = server.seen().assume_role_count();
        let session = Session::builder(&base).policy(policy).max_size(10).build();
        for tenant in (0..TENANTS).cycle().take(3 * TENANTS) {
            let s3 = session.client(&params(tenant, "us-east-1")).await.unwrap();
            assert_eq!(read(&s3, tenant).await.unwrap(), name(tenant).as_bytes());
        }
        assert_eq!(server.seen().assume_role_count() - before, TENANTS);
    }
    let held = server.seen().connections_held();
    assert!(held <= 8, "{held} connections");
}

#[tokio::test]
async fn ten_services_and_regions_of_a_role_assume_it_once() {
    let (server, base) = started().await;
    furnish(&server, 1);
    let session = Session::builder(&base).max_size(20).build();
    for region in ["us-east-1", "us-west-2", "eu-west-1", "eu-north-1", "ap-south-1"] {
        let s3 = session.client(&params(0, region)).await.unwrap();
        assert_eq!(read(&s3, 0).await.unwrap(), name(0).as_bytes());
        let role = AssumeRole::new(role(0)).session_name("test");
        let sts = ClientParams::<Sts>::builder().region(region).assume_role(role).build().unwrap();
        let sts = session.client(&sts).await.unwrap();
        // Signed with the tenant's own keys, so this is not a call of the session.
        sts.assume_role().role_arn(super_role()).role_session_name("test").send().await.unwrap();
    }
    assert_eq!(session.cache().len(), 10);
    let calls = server.seen().assume_role_calls();
    let (own, others): (Vec<_>, Vec<_>) = calls.iter().partition(|call| call.role() == role(0));
    assert_eq!((own.len(), others.len()), (1, 5));
    assert!(others.iter().all(|call| call.asked_by == role(0)), "{others:?}");
}

fn super_role() -> &'static str {
    "arn:aws:iam::123456789012:role/super"
}

#[tokio::test]
async fn ready_reports_a_refused_role_at_once() {
    let (server, base) = started().await;
    furnish(&server, 2);
    server.faults().refuse_role(&role(0));
    let session = Session::new(&base);
    let refused = session.ready(&params(0, "us-east-1")).await.unwrap_err();
    assert!(matches!(refused, SessionError::Credentials { .. }), "{refused:?}");
    assert!(DisplayErrorContext(&refused).to_string().contains("AccessDenied"), "{}", DisplayErrorContext(&refused));
    let s3 = session.client(&params(0, "us-east-1")).await.unwrap();
    assert!(read(&s3, 0).await.unwrap_err().contains("AccessDenied"));
    let other = session.ready(&params(1, "us-east-1")).await.unwrap();
    assert_eq!(read(&other, 1).await.unwrap(), name(1).as_bytes());
    assert!(read(&other, 0).await.is_err(), "the bucket is another's");
    server.faults().allow_role(&role(0));
    drop(session.invalidate_credentials(&params(0, "us-east-1")));
    assert_eq!(read(&s3, 0).await.unwrap(), name(0).as_bytes());
}

#[tokio::test]
async fn server_errors_and_closed_connections_are_retried() {
    let (server, base) = started().await;
    furnish(&server, 3);
    let session = Session::new(&base);
    server.faults().fail_assume_role(&role(0), 2);
    let s3 = session.client(&params(0, "us-east-1")).await.unwrap();
    assert_eq!(read(&s3, 0).await.unwrap(), name(0).as_bytes());
    assert_eq!(server.seen().assume_role_count_of(&role(0)), 3, "the third attempt succeeds");

    server.faults().cut_requests(1);
    let s3 = session.client(&params(1, "us-east-1")).await.unwrap();
    assert_eq!(read(&s3, 1).await.unwrap(), name(1).as_bytes());
    server.faults().cut_requests(1);
    assert_eq!(read(&s3, 1).await.unwrap(), name(1).as_bytes());
    server.faults().cut_connections(1);
    let s3 = Session::new(&base).ready(&params(2, "us-east-1")).await.unwrap();
    assert_eq!(read(&s3, 2).await.unwrap(), name(2).as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_concurrent_ready_calls_assume_each_role_once() {
    let (server, base) = started().await;
    server.faults().delay_assume_role(Duration::from_millis(20));
    let session = Session::builder(&base).max_size(20).max_concurrent_loads(3).build();
    let start = Arc::new(tokio::sync::Barrier::new(1_000));
    let tasks: Vec<_> = (0..1_000)
        .map(|task| {
            let (session, start) = (session.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                session.ready(&params(task % 20, "us-east-1")).await.map(drop)
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let seen = server.seen();
    assert_eq!((seen.assume_role_count(), seen.assume_role_count_of(&role(7))), (20, 1));
    assert!(seen.most_assume_roles_at_once() <= 3, "{}", seen.most_assume_roles_at_once());
}

// The marker is a service like any other.
#[test]
fn the_service_macro_sets_the_name() {
    assert_eq!((S3::NAME, Sts::NAME), ("S3", "Sts"));
}

/// Returns the number of connections after requests with these connect timeouts, one after the other.
async fn connections(timeouts: impl Iterator<Item = u64>) -> usize {
    let (server, base) = started().await;
    furnish(&server, 1);
    let session = Session::builder(&base).max_size(1).build();
    for milliseconds in timeouts {
        let timeouts = TimeoutConfig::builder().connect_timeout(Duration::from_millis(milliseconds)).build();
        let params = ClientParams::<S3>::builder().assume_role(AssumeRole::new(role(0))).timeout_config(timeouts);
        let params = params.customize("path_style", |builder| builder.force_path_style(true)).build().unwrap();
        assert_eq!(read(&session.client(&params).await.unwrap(), 0).await.unwrap(), name(0).as_bytes());
    }
    server.seen().connections_held()
}

// Proves T4.
#[tokio::test(flavor = "multi_thread")]
async fn clients_share_connections_if_their_connect_timeouts_are_equal() {
    const CLIENTS: u64 = 20;
    // The role is assumed with the timeouts of the base.
    assert!(connections((0..CLIENTS).map(|n| 5_000 + n % 2)).await <= 3);
    assert!(connections((0..CLIENTS).map(|n| 5_000 + n)).await > 20, "as `timeout_config` says");
}

// Proves T7.
#[test]
fn a_session_survives_the_runtimes_that_used_it() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let serving = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (server, base) = serving.block_on(started());
    furnish(&server, 2);
    let session = Session::new(&base);
    for round in 0..10 {
        let first = runtime();
        first.block_on(async {
            for tenant in 0..2 {
                let s3 = session.ready(&params(tenant, "us-east-1")).await.unwrap();
                assert_eq!(read(&s3, tenant).await, Ok(name(tenant).into_bytes()), "round {round}");
            }
            // Its connection and its load end with this runtime.
            let abandoned = params(2 + round, "us-east-1");
            server.faults().delay_assume_role(Duration::from_millis(20));
            tokio::select! {
                _ = session.ready(&abandoned) => {}
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
            server.faults().delay_assume_role(Duration::ZERO);
        });
        drop(first);
        let ready = runtime().block_on(session.ready(&params(2 + round, "us-east-1")));
        assert!(ready.is_ok(), "a load that began in another runtime is begun again: {ready:?}");
    }
    assert_eq!(server.seen().assume_role_count_of(&role(0)), 1);
}

// Proves T7.
/// The documentation of `Session` names this limit of the HTTP client.
#[test]
fn a_request_fails_if_the_runtime_of_its_connection_ends() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let serving = runtime();
    let (server, base) = serving.block_on(started());
    let session = Session::builder(&base).load_backoff(Duration::ZERO).build();
    let (first, second) = (runtime(), runtime());
    first.block_on(session.ready(&params(0, "us-east-1"))).unwrap();
    // Longer than any machine takes to drop a runtime.
    server.faults().delay_assume_role(Duration::from_secs(30));
    let call = second.spawn({
        let session = session.clone();
        async move { session.ready(&params(1, "us-east-1")).await }
    });
    while server.seen().assume_role_count_of(&role(1)) == 0 {
        std::thread::yield_now();
    }
    drop(first);
    let error = second.block_on(call).unwrap().unwrap_err();
    assert!(DisplayErrorContext(&error).to_string().contains("runtime dropped the dispatch task"), "{error:?}");
    server.faults().delay_assume_role(Duration::ZERO);
    let ready = second.block_on(session.ready(&params(1, "us-east-1")));
    assert!(ready.is_ok(), "the next call opens a connection: {ready:?}");
}
