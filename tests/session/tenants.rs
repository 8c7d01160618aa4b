//! Requests of many tenants under random faults: the right credentials, no hang, no other failure.
//!
//! Meanwhile, entries are evicted and removed, and keys expire. Credentials are invalidated, revoked or rejected as expired.
//! Roles are refused, and loads are slow. Calls are canceled or no longer polled.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::Poll;
use std::time::Duration;

use aws_client_cache::{
    AssumeRole, ClientCacheError, ClientParams, ClientParamsBuilder, Credentials, EvictionPolicy, S3, Service, Session,
    SessionError, SharedCredentialsProvider,
};
use fastrand::Rng;
use support::clock::{Clock, time};
use support::cloud::{Cloud, Request, keys};
use support::report::report;

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

/// The time in seconds for which calls may fail after a fault has ended, because backoffs go on.
const AFTERMATH: u64 = 3 * EPOCH;

/// The faults that tenants suffer, each until a time. Calls of other tenants may not fail.
#[derive(Debug, Default)]
struct Faults(Mutex<BTreeMap<usize, u64>>);

impl Faults {
    /// Refuses a tenant's role, or revokes its credentials, until [`end_all`](Self::end_all).
    fn begin(&self, session: &Session, cloud: &Cloud, tenant: usize) {
        let mut suffering = self.0.lock().unwrap();
        suffering.insert(tenant, u64::MAX);
        match tenant % 6 {
            0 | 1 => cloud.refuse(&name(tenant)),
            _ => drop(session.revoke(&params::<S3>(tenant, REGIONS[0], cloud.clock().seconds()))),
        }
    }

    fn end_all(&self, session: &Session, cloud: &Cloud) {
        let now = cloud.clock().seconds();
        for (tenant, until) in self.0.lock().unwrap().iter_mut().filter(|(_, until)| **until == u64::MAX) {
            cloud.allow(&name(*tenant));
            let _ = session.admit(&params::<S3>(*tenant, REGIONS[0], now));
            *until = now + AFTERMATH;
        }
    }

    /// Rejects the keys that were issued to a tenant's role so far as expired.
    fn expire(&self, cloud: &Cloud, tenant: usize) {
        let until = cloud.clock().seconds() + AFTERMATH;
        let mut suffering = self.0.lock().unwrap();
        suffering.entry(tenant).and_modify(|known| *known = until.max(*known)).or_insert(until);
        cloud.expire(&signer(tenant), 400, "ExpiredToken");
    }

    /// Returns `true` if a call that began at `since` may have failed.
    fn excuse(&self, tenant: usize, since: u64) -> bool {
        self.0.lock().unwrap().get(&tenant).is_some_and(|until| *until >= since)
    }
}

/// The counts of a run.
#[derive(Debug, Default)]
struct Counts {
    requests: AtomicUsize,
    cancelled: AtomicUsize,
    parked: AtomicUsize,
    expired: AtomicUsize,
    failed: AtomicUsize,
}

/// The state that all tasks of a run share.
#[derive(Clone)]
struct Run {
    session: Session,
    cloud: Cloud,
    faults: Arc<Faults>,
    counts: Arc<Counts>,
}

/// A call that its task has polled, and may poll again or drop.
type Parked = Pin<Box<dyn Future<Output = ()> + Send>>;

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

impl Run {
    /// Counts an error that the faults or the clock explain.
    fn excuse(&self, error: &SessionError, tenant: usize, since: u64) {
        // Another task may have advanced the clock.
        if matches!(error, SessionError::Cache(ClientCacheError::CredentialsExpired { .. })) {
            self.counts.expired.fetch_add(1, Relaxed);
        } else {
            assert!(self.faults.excuse(tenant, since), "{}: {error:?}", name(tenant));
            self.counts.failed.fetch_add(1, Relaxed);
        }
    }

    async fn ask<S: Service<Client = aws_sdk_s3::Client>>(&self, rng: &mut Rng) {
        let tenant = rng.usize(..TENANTS);
        let since = self.cloud.clock().seconds();
        let params = params::<S>(tenant, REGIONS[rng.usize(..REGIONS.len())], since);
        let patient = patience(rng);
        let client = if rng.u8(..10) == 0 {
            give_up_after(patient, self.session.ready(&params)).await
        } else {
            give_up_after(patient, self.session.client(&params)).await
        };
        let client = match client {
            Some(Ok(client)) => client,
            Some(Err(error)) => return self.excuse(&error, tenant, since),
            None => {
                self.counts.cancelled.fetch_add(1, Relaxed);
                return;
            }
        };
        for _ in 0..rng.u8(..3) {
            let since = self.cloud.clock().seconds();
            let request = client.delete_object().bucket(name(tenant)).key("key").send();
            match give_up_after(patience(rng), request).await {
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    assert!(self.faults.excuse(tenant, since), "{}: {error:?}", name(tenant));
                    self.counts.failed.fetch_add(1, Relaxed);
                }
                None => {
                    self.counts.cancelled.fetch_add(1, Relaxed);
                }
            }
        }
        match rng.u8(..16) {
            0 => drop(self.session.cache().remove(&params.key())),
            1 => drop(self.session.cache().insert(params.key(), client)),
            _ => {}
        }
    }

    /// Begins a call that is polled once, and then kept.
    async fn park(&self, rng: &mut Rng) -> Option<Parked> {
        let (run, tenant, is_request) = (self.clone(), rng.usize(..TENANTS), rng.bool());
        let mut call: Parked = Box::pin(async move {
            let since = run.cloud.clock().seconds();
            let params = params::<S3>(tenant, REGIONS[0], since);
            if is_request {
                // An error is excused by the time at which it is seen, which may be long after.
                let Ok(client) = run.session.client(&params).await else { return };
                let _ = client.delete_object().bucket(name(tenant)).key("key").send().await;
            } else {
                let _ = run.session.ready(&params).await;
            }
        });
        self.counts.parked.fetch_add(1, Relaxed);
        give_up_after(0, call.as_mut()).await.is_none().then_some(call)
    }

    async fn operations(self, operations: usize, seed: u64) {
        let Self { session, cloud, faults, counts } = &self;
        let mut rng = Rng::with_seed(seed);
        let mut parked = Vec::new();
        for operation in 0..operations {
            match rng.u16(..512) {
                0..8 => session.cache().clear(),
                8..16 => drop(session.cache().pop_item()),
                16..24 => drop(session.cache().set_max_size(rng.usize(..MAX_SIZE))),
                24..32 => cloud.clock().advance(rng.u64(..EPOCH)),
                32..40 => drop(session.cache().remove_expired()),
                40..48 => {
                    let tenant = params::<S3>(rng.usize(..TENANTS), REGIONS[0], cloud.clock().seconds());
                    drop(session.invalidate_credentials(&tenant));
                }
                48..56 => {
                    let hub = ClientParams::<S3>::builder().assume_role(role("hub")).build().unwrap();
                    let base = ClientParams::<S3>::builder().build().unwrap();
                    drop(session.invalidate_credentials(if rng.bool() { &hub } else { &base }));
                }
                56 => faults.begin(session, cloud, rng.usize(..TENANTS)),
                57..61 => faults.end_all(session, cloud),
                // Only credentials that can be loaded anew.
                61 => faults.expire(cloud, 6 * rng.usize(..TENANTS / 6) + rng.usize(..3)),
                62 => cloud.slow_down(rng.usize(..50)),
                63..72 => parked.extend(self.park(&mut rng).await),
                72..80 if !parked.is_empty() => {
                    let call = parked.swap_remove(rng.usize(..parked.len()));
                    if rng.bool() {
                        call.await;
                    }
                }
                operation if operation % 2 == 0 => self.ask::<S3>(&mut rng).await,
                _ => self.ask::<Archive>(&mut rng).await,
            }
            if operation % 64 == 0 {
                check(cloud, counts);
            }
        }
    }
}

/// Runs random operations in several tasks of one session, under each policy.
async fn no_request_is_signed_with_anothers_credentials(operations: usize) {
    const TASKS: usize = 4;
    for policy in EvictionPolicy::ALL.iter().copied() {
        let cloud = Cloud::new(&Clock::at(1_800_000_000));
        let session = Session::builder(&cloud.config()).policy(policy).max_size(12).max_idle_scopes(6).build();
        let (faults, counts) = <(Arc<Faults>, Arc<Counts>)>::default();
        let run = Run { session: session.clone(), cloud: cloud.clone(), faults, counts: Arc::clone(&counts) };
        let tasks: Vec<_> =
            (0..TASKS as u64).map(|task| tokio::spawn(run.clone().operations(operations / TASKS, task))).collect();
        drop(run);
        for task in tasks {
            // Much longer than a run takes, on a busy machine too.
            let limit = Duration::from_secs(600 + operations as u64 / 50);
            tokio::time::timeout(limit, task).await.expect("no call hangs").unwrap();
        }
        check(&cloud, &counts);
        assert_eq!(session.cache().check(), Ok(()));
        session.cache().clear();
        let (live, idle) = session.scopes();
        // An idle role keeps its source active: the hub, or the keys of the tenants that share a role name.
        assert!(live <= 1 + TENANTS / 6 && idle < MAX_SIZE, "{live} and {idle}");

        let [requests, cancelled, parked, expired, failed] =
            [&counts.requests, &counts.cancelled, &counts.parked, &counts.expired, &counts.failed]
                .map(|count| count.load(Relaxed));
        assert!(requests > operations / 2 && cancelled > operations / 32 && parked > operations / 128, "{counts:?}");
        assert!(0 < failed && failed < requests / 4, "{counts:?}");
        report(
            "no other's credentials",
            format!("session, {policy:?}, {TENANTS} tenants, {TASKS} tasks"),
            format!(
                "{operations} operations, {requests} requests, {cancelled} given up, {parked} no longer polled, {failed} failed by faults, \
                 {expired} with expired credentials, {} roles assumed",
                cloud.all_assumed()
            ),
        );
    }
}

// Proves T1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_thousands_of_operations_no_request_is_signed_with_anothers_credentials() {
    no_request_is_signed_with_anothers_credentials(4_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes"]
async fn in_half_a_million_operations_no_request_is_signed_with_anothers_credentials() {
    no_request_is_signed_with_anothers_credentials(500_000).await;
}
