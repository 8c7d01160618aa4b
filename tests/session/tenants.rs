//! No request of a tenant is signed with another tenant's credentials.
//!
//! Meanwhile, entries are evicted and removed, keys expire, credentials are invalidated, calls are canceled, and other
//! tasks run.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::task::Poll;

use aws_client_cache::{
    AssumeRole, ClientCacheError, ClientParams, ClientParamsBuilder, Credentials, EvictionPolicy, S3, Service, Session,
    SessionError, SharedCredentialsProvider,
};
use fastrand::Rng;
use support::clock::{Clock, time};
use support::report::report;

use crate::cloud::{Cloud, Request, keys};

aws_client_cache::service!(
    /// S3 under another marker.
    Archive = aws_sdk_s3
);

const TENANTS: usize = 24;
const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "eu-north-1"];
/// An upper limit of the bounds that a run sets.
const MAX_SIZE: usize = 16;
/// The lifetime of expiring credentials in seconds.
const EPOCH: u64 = 1_000;

static PROVIDERS: LazyLock<Vec<SharedCredentialsProvider>> =
    LazyLock::new(|| (0..TENANTS).map(|tenant| SharedCredentialsProvider::new(keys(&name(tenant)))).collect());

fn name(tenant: usize) -> String {
    format!("tenant-{tenant:02}")
}

fn role(name: &str) -> AssumeRole {
    AssumeRole::new(format!("arn:aws:iam::123456789012:role/{name}"))
}

/// Returns the parameters of a tenant. Its number determines the kind of its credentials.
fn params<S: Service>(tenant: usize, region: &'static str, now: u64) -> ClientParams<S> {
    let params: ClientParamsBuilder<S> = ClientParams::builder().region(region);
    let name = name(tenant);
    let params = match tenant % 6 {
        0 => params.assume_role(role(&name)),
        1 => params.assume_role(role(&name).source_role(role("hub"))),
        // Several tenants assume a role of this name. They are distinguished by the credentials that assume it.
        2 => params.credentials(keys(&name)).assume_role(role("shared")),
        3 => params.credentials(keys(&name)),
        4 => params.credentials_provider(PROVIDERS[tenant].clone()),
        _ => {
            let expiry = time((now / EPOCH + 1) * EPOCH);
            let keys = Credentials::new(name, "secret", Some("token".to_owned()), Some(expiry), "test");
            params.credentials(keys)
        }
    };
    params.build().expect("all of it is valid")
}

/// Returns the required signer of a tenant's requests.
fn signer(tenant: usize) -> String {
    let name = name(tenant);
    match tenant % 6 {
        0 => format!("{name} by base"),
        1 => format!("{name} by hub by base"),
        2 => format!("shared by {name}"),
        _ => name,
    }
}

/// The counts of a run.
#[derive(Debug, Default)]
struct Counts {
    requests: AtomicUsize,
    cancelled: AtomicUsize,
    expired: AtomicUsize,
}

/// Checks the signers of the requests since the last check. A bucket has the name of its tenant.
fn check(cloud: &Cloud, counts: &Counts) {
    for Request { signer: by, uri, region, .. } in cloud.requests() {
        let tenant = (0..TENANTS).find(|tenant| uri.contains(&format!("//{}.", name(*tenant))));
        let tenant = tenant.unwrap_or_else(|| panic!("a bucket of no tenant: {uri}"));
        assert_eq!(by, Some(signer(tenant)), "{uri}");
        assert!(uri.contains(&format!(".{}.", region.unwrap())), "{uri}");
        counts.requests.fetch_add(1, Relaxed);
    }
}

/// Polls a future, and drops it if it is still pending after `polls` more polls.
async fn give_up_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Returns the number of polls after which a caller gives up: mostly, it never does.
fn patience(rng: &mut Rng) -> usize {
    if rng.u8(..8) == 0 { rng.usize(..4) } else { usize::MAX }
}

async fn ask<S: Service<Client = aws_sdk_s3::Client>>(
    session: &Session,
    cloud: &Cloud,
    counts: &Counts,
    rng: &mut Rng,
) {
    let tenant = rng.usize(..TENANTS);
    let params = params::<S>(tenant, REGIONS[rng.usize(..REGIONS.len())], cloud.clock().seconds());
    let patient = patience(rng);
    let client = if rng.u8(..10) == 0 {
        give_up_after(patient, session.ready(&params)).await
    } else {
        give_up_after(patient, session.client(&params)).await
    };
    let client = match client {
        Some(Ok(client)) => client,
        // Another task has advanced the clock.
        Some(Err(SessionError::Cache(ClientCacheError::CredentialsExpired { .. }))) => {
            counts.expired.fetch_add(1, Relaxed);
            return;
        }
        Some(Err(error)) => panic!("{error:?}"),
        None => {
            counts.cancelled.fetch_add(1, Relaxed);
            return;
        }
    };
    for _ in 0..rng.u8(..3) {
        let request = client.delete_object().bucket(name(tenant)).key("key").send();
        if give_up_after(patience(rng), request).await.map(Result::unwrap).is_none() {
            counts.cancelled.fetch_add(1, Relaxed);
        }
    }
    match rng.u8(..16) {
        0 => drop(session.cache().remove(&params.key())),
        1 => drop(session.cache().insert(params.key(), client)),
        _ => {}
    }
}

async fn run(session: Session, cloud: Cloud, counts: Arc<Counts>, operations: usize, seed: u64) {
    let mut rng = Rng::with_seed(seed);
    for operation in 0..operations {
        match rng.u8(..64) {
            0 => session.cache().clear(),
            1 => drop(session.cache().pop_item()),
            2 => drop(session.cache().set_max_size(rng.usize(..MAX_SIZE))),
            3 => cloud.clock().advance(rng.u64(..EPOCH)),
            4 => drop(session.cache().remove_expired()),
            5 => {
                let tenant = params::<S3>(rng.usize(..TENANTS), REGIONS[0], cloud.clock().seconds());
                drop(session.invalidate_credentials(&tenant));
            }
            6 => {
                let hub = ClientParams::<S3>::builder().assume_role(role("hub")).build().unwrap();
                let base = ClientParams::<S3>::builder().build().unwrap();
                drop(session.invalidate_credentials(if rng.bool() { &hub } else { &base }));
            }
            operation if operation % 2 == 0 => ask::<S3>(&session, &cloud, &counts, &mut rng).await,
            _ => ask::<Archive>(&session, &cloud, &counts, &mut rng).await,
        }
        if operation % 64 == 0 {
            check(&cloud, &counts);
        }
    }
}

/// Runs random operations in several tasks of one session, under each policy.
async fn no_request_is_signed_with_anothers_credentials(operations: usize) {
    const TASKS: usize = 4;
    for policy in EvictionPolicy::ALL.iter().copied() {
        let cloud = Cloud::new(&Clock::at(1_800_000_000));
        let session = Session::builder(&cloud.config()).policy(policy).max_size(12).build();
        let counts = Arc::new(Counts::default());
        let run = |task| {
            let (session, cloud, counts) = (session.clone(), cloud.clone(), Arc::clone(&counts));
            tokio::spawn(run(session, cloud, counts, operations / TASKS / 2, task))
        };
        let tasks: Vec<_> = (0..TASKS as u64).map(run).collect();
        for task in tasks {
            task.await.unwrap();
        }
        check(&cloud, &counts);
        assert_eq!(session.cache().check(), Ok(()));
        session.cache().clear();
        let (live, idle) = session.scopes();
        // An idle role keeps its source active: the hub, or the keys of the tenants that share a role name.
        assert!(live <= 1 + TENANTS / 6 && idle < MAX_SIZE, "{live} and {idle}");

        let [requests, cancelled, expired] =
            [&counts.requests, &counts.cancelled, &counts.expired].map(|count| count.load(Relaxed));
        assert!(requests > operations / 4 && cancelled > operations / 64, "{counts:?}");
        report(
            "no other's credentials",
            format!("session, {policy:?}, {TENANTS} tenants, {TASKS} tasks"),
            format!(
                "{} operations, {requests} requests, {cancelled} given up, {expired} with expired credentials, {} roles assumed",
                operations / 2,
                cloud.all_assumed()
            ),
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_thousands_of_operations_no_request_is_signed_with_anothers_credentials() {
    no_request_is_signed_with_anothers_credentials(8_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes"]
async fn in_a_million_operations_no_request_is_signed_with_anothers_credentials() {
    no_request_is_signed_with_anothers_credentials(1_000_000).await;
}
