//! Loads of credentials whose callers stop polling, give up, or end with their runtime.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use aws_client_cache::{ClientParams, Credentials, S3, SdkConfig, Session, SessionBuilder, SharedCredentialsProvider};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::TimeSource;
use support::clock::Clock;
use support::cloud::{Cloud, keys};
use tokio::time::{sleep, timeout};

use crate::tenancy::{NOW, call, of_role, params, role};

/// A duration that no test needs unless it hangs.
const HANG: Duration = Duration::from_secs(30);

/// A provider that takes a while, and counts its loads.
#[derive(Clone)]
struct Slow(Arc<Inner>);

struct Inner {
    name: String,
    takes: Duration,
    begun: AtomicUsize,
    ended: AtomicUsize,
    /// The names of the providers that have begun, in order.
    order: Arc<Mutex<Vec<String>>>,
}

impl Slow {
    fn new(name: &str, takes: Duration) -> Self {
        Self::ordered(name, takes, &Arc::default())
    }

    fn ordered(name: &str, takes: Duration, order: &Arc<Mutex<Vec<String>>>) -> Self {
        let (name, order) = (name.to_owned(), Arc::clone(order));
        Self(Arc::new(Inner { name, takes, begun: AtomicUsize::new(0), ended: AtomicUsize::new(0), order }))
    }

    /// Returns the number of loads that have begun, and of those that have ended.
    fn loads(&self) -> (usize, usize) {
        (self.0.begun.load(SeqCst), self.0.ended.load(SeqCst))
    }

    fn params(&self) -> ClientParams<S3> {
        params().credentials_provider(SharedCredentialsProvider::new(self.clone())).build().unwrap()
    }

    async fn load(&self) -> Result<Credentials, CredentialsError> {
        self.0.begun.fetch_add(1, SeqCst);
        self.0.order.lock().unwrap().push(self.0.name.clone());
        // In two steps, so that a load that is polled late is not done at once.
        for _ in 0..2 {
            sleep(self.0.takes / 2).await;
        }
        self.0.ended.fetch_add(1, SeqCst);
        Ok(keys(&self.0.name))
    }
}

impl fmt::Debug for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slow")
    }
}

impl ProvideCredentials for Slow {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.load())
    }
}

/// A base configuration with a real timer.
fn timed(cloud: &Cloud) -> SdkConfig {
    cloud.config().to_builder().sleep_impl(TokioSleep::new()).build()
}

fn builder() -> SessionBuilder {
    Session::builder(&timed(&Cloud::new(&Clock::at(NOW)))).max_size(100)
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

// Proves T7.
#[tokio::test]
async fn a_request_that_is_not_polled_blocks_no_other() {
    let session = builder().build();
    let slow = Slow::new("slow", Duration::from_millis(50));
    let s3 = session.client(&slow.params()).await.unwrap();
    let mut unpolled = pin!(s3.delete_object().bucket("bucket").key("key").send());
    assert!(!poll_once(unpolled.as_mut()).await);
    assert_eq!(slow.loads(), (1, 0));
    timeout(HANG, call(&s3)).await.unwrap();
    assert_eq!(slow.loads(), (1, 1));
    unpolled.await.unwrap();
    assert_eq!(slow.loads(), (1, 1), "it shares the load");
}

// Proves T7.
#[tokio::test]
async fn a_tenant_that_is_not_polled_blocks_no_other_of_its_source() {
    let session = builder().build();
    let slow = SharedCredentialsProvider::new(Slow::new("slow", Duration::from_millis(50)));
    let of = |name| params::<S3>().credentials_provider(slow.clone()).assume_role(role(name)).build().unwrap();
    let (one, two) = (of("one"), of("two"));
    let one = session.client(&one).await.unwrap();
    let mut unpolled = pin!(one.delete_object().bucket("bucket").key("key").send());
    assert!(!poll_once(unpolled.as_mut()).await);
    timeout(HANG, session.ready(&two)).await.unwrap().unwrap();
    timeout(HANG, unpolled).await.unwrap().unwrap();
}

// Proves T7.
#[tokio::test]
async fn a_ready_that_is_not_polled_keeps_no_permit_from_others() {
    let session = builder().max_concurrent_loads(1).build();
    let [one, two, three, four] =
        ["one", "two", "three", "four"].map(|name| Slow::new(name, Duration::from_millis(20)));
    let params = [&one, &two, &three, &four].map(Slow::params);
    let mut holder = pin!(session.ready(&params[0]));
    assert!(!poll_once(holder.as_mut()).await);
    let mut queued = pin!(session.ready(&params[1]));
    assert!(!poll_once(queued.as_mut()).await);
    assert_eq!((one.loads(), two.loads()), ((1, 0), (0, 0)));
    timeout(HANG, session.ready(&params[2])).await.unwrap().unwrap();
    let s3 = session.client(&params[3]).await.unwrap();
    timeout(HANG, call(&s3)).await.unwrap();
    holder.await.unwrap();
    queued.await.unwrap();
    assert_eq!([one, two, three, four].map(|slow| slow.loads()), [(1, 1); 4]);
}

// Proves T7.
#[tokio::test]
async fn a_ready_that_is_dropped_keeps_no_permit_from_others() {
    let session = builder().max_concurrent_loads(1).build();
    let [one, two] = ["one", "two"].map(|name| Slow::new(name, Duration::from_millis(20)));
    let first = one.params();
    {
        let mut dropped = pin!(session.ready(&first));
        assert!(!poll_once(dropped.as_mut()).await);
    }
    timeout(HANG, session.ready(&two.params())).await.unwrap().unwrap();
    timeout(HANG, session.ready(&first)).await.unwrap().unwrap();
    assert_eq!((one.loads(), two.loads()), ((1, 1), (1, 1)));
}

// Proves T5, T7.
#[tokio::test]
async fn a_load_that_is_dropped_while_it_waits_gets_no_permit() {
    let session = builder().max_concurrent_loads(1).build();
    let [one, two, three] = ["one", "two", "three"].map(|name| Slow::new(name, Duration::from_millis(20)));
    let params = [&one, &two, &three].map(Slow::params);
    let mut holder = pin!(session.ready(&params[0]));
    assert!(!poll_once(holder.as_mut()).await);
    {
        let mut dropped = pin!(session.ready(&params[1]));
        assert!(!poll_once(dropped.as_mut()).await);
    }
    drop(session.invalidate_credentials(&params[1]));
    timeout(HANG, session.ready(&params[2])).await.unwrap().unwrap();
    holder.await.unwrap();
    assert_eq!([one, two, three].map(|slow| slow.loads()), [(1, 1), (0, 0), (1, 1)]);
}

/// A provider that fails a number of times, each time after it has been polled twice.
#[derive(Clone, Debug)]
struct FailsAtFirst {
    times: usize,
    begun: Arc<AtomicUsize>,
}

impl ProvideCredentials for FailsAtFirst {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let number = self.begun.fetch_add(1, SeqCst);
            tokio::task::yield_now().await;
            if number < self.times { Err(CredentialsError::provider_error("not yet")) } else { Ok(keys("hub")) }
        })
    }
}

// Proves T7, T9.
#[tokio::test]
async fn an_abandoned_load_that_fails_begins_again() {
    for (times, by_role) in [(1, true), (2, true), (1, false), (2, false)] {
        let cloud = Cloud::new(&Clock::at(NOW));
        let session = Session::new(&timed(&cloud));
        let begun = Arc::new(AtomicUsize::new(0));
        let provider = SharedCredentialsProvider::new(FailsAtFirst { times, begun: Arc::clone(&begun) });
        let hub = || params::<S3>().credentials_provider(provider.clone());
        let (spoke, hub) = (hub().assume_role(role("spoke")).build().unwrap(), hub().build().unwrap());
        let s3 = session.client(&hub).await.unwrap();
        {
            let mut dropped = pin!(session.ready(if by_role { &spoke } else { &hub }));
            assert!(!poll_once(dropped.as_mut()).await);
        }
        drop(session.invalidate_credentials(&spoke));
        assert_eq!(begun.load(SeqCst), 1, "the load has begun and is kept");
        // The failure may be due to what the load awaited: a connection or a runtime that has ended.
        let request = async || s3.delete_object().bucket("bucket").key("key").send().await;
        assert_eq!(request().await.is_ok(), times == 1);
        assert_eq!(begun.load(SeqCst), 2, "it began again");
        // The abandoned load does not count for the backoff, which is that of a first failure.
        cloud.clock().advance(1);
        call(&s3).await;
        assert_eq!(begun.load(SeqCst), times + 1);
    }
}

/// A provider that never answers, and holds something while it is asked.
#[derive(Clone, Debug, Default)]
struct Hanging(Arc<()>);

impl ProvideCredentials for Hanging {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let held = Arc::clone(&self.0);
        future::ProvideCredentials::new(async move {
            let never = std::future::pending().await;
            drop(held);
            never
        })
    }
}

// Proves T6, T7.
#[tokio::test]
async fn an_abandoned_load_ends_with_an_invalidation() {
    let (session, provider) = (builder().build(), Hanging::default());
    let shared = SharedCredentialsProvider::new(provider.clone());
    let params = params::<S3>().credentials_provider(shared).build().unwrap();
    let _held = session.client(&params).await.unwrap();
    let idle = Arc::strong_count(&provider.0);
    {
        let mut dropped = pin!(session.ready(&params));
        assert!(!poll_once(dropped.as_mut()).await);
    }
    assert_eq!(Arc::strong_count(&provider.0), idle + 1, "the load is kept");
    drop(session.invalidate_credentials(&params));
    assert_eq!(Arc::strong_count(&provider.0), idle);
}

// Proves T7.
#[tokio::test]
async fn short_timeouts_lose_no_progress() {
    let session = builder().build();
    let slow = Slow::new("slow", Duration::from_millis(300));
    let s3 = session.client(&slow.params()).await.unwrap();
    let mut attempts = 0;
    while timeout(Duration::from_millis(100), call(&s3)).await.is_err() {
        attempts += 1;
        assert!(attempts < 20, "{:?}", slow.loads());
    }
    assert!(attempts >= 2);
    assert_eq!(slow.loads(), (1, 1));
    let warm = Slow::new("warm", Duration::from_millis(300));
    let params = warm.params();
    while timeout(Duration::from_millis(100), session.ready(&params)).await.is_err() {
        attempts += 1;
        assert!(attempts < 40, "{:?}", warm.loads());
    }
    assert_eq!(warm.loads(), (1, 1));
}

// Proves T5.
#[tokio::test]
async fn loads_wait_for_permits_in_order() {
    let session = builder().max_concurrent_loads(1).build();
    let order = Arc::default();
    let names: Vec<String> = (0..20).map(|number| format!("number{number}")).collect();
    let tenants = names.iter().map(|name| Slow::ordered(name, Duration::from_millis(1), &order).params());
    let mut tasks = Vec::new();
    for params in tenants {
        let session = session.clone();
        tasks.push(tokio::spawn(async move { session.ready(&params).await.map(drop) }));
        tokio::task::yield_now().await;
    }
    for task in tasks {
        timeout(HANG, task).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(*order.lock().unwrap(), names);
}

// Proves T5.
#[tokio::test]
async fn a_provider_that_hangs_holds_its_permit_for_seconds() {
    let session = builder().max_concurrent_loads(1).build();
    let hung = Slow::new("hung", HANG).params();
    let task = tokio::spawn({
        let session = session.clone();
        async move { session.ready(&hung).await.map(drop) }
    });
    tokio::task::yield_now().await;
    let begun = Instant::now();
    timeout(HANG, session.ready(&Slow::new("healthy", Duration::ZERO).params())).await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(begun.elapsed() > Duration::from_secs(2), "it counts at first: {:?}", begun.elapsed());
    task.abort();
}

// Proves T5, T7.
#[tokio::test]
async fn a_provider_that_hangs_blocks_no_load_behind_an_unpolled_one() {
    let session = builder().max_concurrent_loads(1).build();
    let slow = [("hung", HANG), ("second", Duration::ZERO), ("third", Duration::ZERO)];
    let [hung, second, third] = slow.map(|(name, takes)| Slow::new(name, takes).params());
    let (mut hung, mut second) = (pin!(session.ready(&hung)), pin!(session.ready(&second)));
    assert!(!poll_once(hung.as_mut()).await && !poll_once(second.as_mut()).await);
    // The permit of the first goes to the second, which only the third can drive.
    timeout(Duration::from_secs(10), session.ready(&third)).await.unwrap().unwrap();
}

// Proves T14.
#[tokio::test]
async fn providers_that_hang_stop_no_warm_up() {
    let session = builder().max_size(100).max_concurrent_loads(2).build();
    let slow = |time: Duration| move |number| Slow::new(&format!("{time:?} {number}"), time).params();
    let params: Vec<_> = (0..2).map(slow(HANG)).chain((0..100).map(slow(Duration::ZERO))).collect();
    assert!(timeout(Duration::from_secs(5), session.ready_all(&params)).await.is_err());
    assert_eq!(session.cache().len(), 100);
}

// Proves T7.
#[tokio::test]
async fn a_load_that_was_not_polled_for_its_timeout_begins_again() {
    let session = builder().load_timeout(Duration::from_millis(200)).build();
    let slow = Slow::new("slow", Duration::from_millis(300));
    let s3 = session.client(&slow.params()).await.unwrap();
    let error = s3.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
    let shown = format!("{}", aws_sdk_s3::error::DisplayErrorContext(&error));
    assert!(shown.contains("timed out"), "{shown}");
    let quick = Slow::new("quick", Duration::from_millis(50));
    let s3 = session.client(&quick.params()).await.unwrap();
    let mut unpolled = pin!(s3.delete_object().bucket("bucket").key("key").send());
    assert!(!poll_once(unpolled.as_mut()).await);
    // Blocks the only thread: no timer fires in time.
    std::thread::sleep(Duration::from_millis(1_300));
    timeout(HANG, call(&s3)).await.unwrap();
    unpolled.await.unwrap();
}

// Proves T7.
#[test]
fn a_load_outlives_the_runtime_that_began_it() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let session = builder().build();
    let slow = Slow::new("slow", Duration::from_millis(100));
    let params = slow.params();
    runtime().block_on(async {
        let s3 = session.client(&params).await.unwrap();
        timeout(Duration::from_millis(10), call(&s3)).await.unwrap_err();
    });
    runtime().block_on(async {
        let s3 = session.client(&params).await.unwrap();
        timeout(HANG, call(&s3)).await.unwrap();
    });
    assert_eq!(slow.loads(), (2, 1), "the first load ended with its runtime");
}

/// A provider that panics once.
#[derive(Debug, Default)]
struct PanicsOnce(AtomicUsize);

impl ProvideCredentials for PanicsOnce {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            tokio::task::yield_now().await;
            assert_ne!(self.0.fetch_add(1, SeqCst), 0, "on purpose");
            Ok(keys("survivor"))
        })
    }
}

// Proves T7.
#[tokio::test]
async fn a_provider_that_panics_fails_its_load_only() {
    let session = builder().load_backoff(Duration::ZERO).build();
    let provider = SharedCredentialsProvider::new(PanicsOnce::default());
    let params = params::<S3>().credentials_provider(provider).build().unwrap();
    let error = session.ready(&params).await.unwrap_err();
    let shown = format!("{}", aws_sdk_s3::error::DisplayErrorContext(&error));
    assert!(shown.contains("panicked"), "{shown}");
    timeout(HANG, session.ready(&params)).await.unwrap().unwrap();
}

/// A provider that reads its credentials by a client of the same session.
#[derive(Debug)]
struct ReadsByTheSession {
    session: Session,
    of_reader: ClientParams<S3>,
}

impl ProvideCredentials for ReadsByTheSession {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            call(&self.session.client(&self.of_reader).await.map_err(CredentialsError::provider_error)?).await;
            Ok(keys("tenant"))
        })
    }
}

// Proves T5, T7: all permits are held by loads that wait for another load.
#[tokio::test]
async fn a_provider_can_use_the_session_that_asks_it() {
    let session = builder().max_concurrent_loads(2).build();
    let reader = Slow::new("reader", Duration::from_millis(20));
    let tenants: Vec<_> = (0..5)
        .map(|_| {
            let provider = ReadsByTheSession { session: session.clone(), of_reader: reader.params() };
            params::<S3>().credentials_provider(SharedCredentialsProvider::new(provider)).build().unwrap()
        })
        .collect();
    // One that is not polled waits for the same load.
    let mut unpolled = pin!(session.ready(&tenants[0]));
    assert!(!poll_once(unpolled.as_mut()).await);
    let begun = Instant::now();
    for ready in timeout(HANG, session.ready_all(&tenants)).await.unwrap() {
        ready.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    unpolled.await.unwrap();
}

/// A clock that panics once, after a number of readings.
#[derive(Clone, Debug)]
struct PanickingClock(Arc<AtomicUsize>);

impl TimeSource for PanickingClock {
    fn now(&self) -> SystemTime {
        let left = self.0.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        assert_ne!(left, Ok(1), "on purpose");
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }
}

// Proves T7, P1.
#[tokio::test]
async fn a_clock_that_panics_fails_no_later_load() {
    for reading in 1.. {
        let clock = PanickingClock(Arc::default());
        let base = timed(&Cloud::new(&Clock::at(NOW))).to_builder().time_source(clock.clone()).build();
        let session = Session::builder(&base).load_backoff(Duration::ZERO).build();
        let slow = Slow::new("slow", Duration::from_millis(2));
        let params = slow.params();
        clock.0.store(reading, SeqCst);
        let first = tokio::spawn({
            let (session, params) = (session.clone(), params.clone());
            async move { session.ready(&params).await.map(drop) }
        });
        let is_ready = first.await.is_ok_and(|ready| ready.is_ok());
        let left = clock.0.swap(0, SeqCst);
        timeout(HANG, session.ready(&params)).await.unwrap().unwrap();
        if left > 0 {
            assert!(is_ready && reading > 5, "the clock is read less than {reading} times");
            break;
        }
    }
}

// Proves T7, T11: the timers of the load are those of a runtime that does not run.
#[test]
fn a_load_of_a_runtime_that_stands_still_begins_again() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for is_kept in [false, true] {
        let session = builder().max_concurrent_loads(1).load_timeout(Duration::from_millis(200)).build();
        let [one, two] = ["one", "two"].map(|name| Slow::new(name, Duration::from_millis(50)));
        let params = [&one, &two].map(Slow::params);
        let (idle, other) = (runtime(), runtime());
        let mut kept = Box::pin(session.ready(&params[0]));
        assert!(!idle.block_on(poll_once(kept.as_mut())));
        let kept = is_kept.then_some(kept);
        other.block_on(async {
            let begun = Instant::now();
            timeout(HANG, session.ready(&params[1])).await.unwrap().unwrap();
            assert!(begun.elapsed() < Duration::from_millis(2_500), "it waits for the permit: {:?}", begun.elapsed());
            timeout(HANG, session.ready(&params[0])).await.unwrap().unwrap();
        });
        assert_eq!((one.loads(), two.loads()), ((2, 1), (1, 1)));
        drop(kept);
    }
}

// Proves T7.
#[tokio::test]
async fn abandoned_loads_in_the_queue_delay_no_other() {
    let session = builder().max_concurrent_loads(1).build();
    let slow: Vec<_> = (0..50).map(|number| Slow::new(&format!("number{number}"), HANG).params()).collect();
    for params in &slow {
        let mut dropped = pin!(session.ready(params));
        assert!(!poll_once(dropped.as_mut()).await);
    }
    let begun = Instant::now();
    timeout(HANG, session.ready(&Slow::new("healthy", Duration::ZERO).params())).await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_millis(2_500), "{:?}", begun.elapsed());
}

// Proves T7, T8.
#[tokio::test]
async fn an_abandoned_load_keeps_no_other_from_its_refresh() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::builder(&timed(&cloud)).max_concurrent_loads(1).build();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    let hung = Slow::new("hung", HANG).params();
    {
        let mut dropped = pin!(session.ready(&hung));
        assert!(!poll_once(dropped.as_mut()).await);
    }
    cloud.clock().advance(3_200);
    call(&s3).await;
    assert_eq!(cloud.assumed("tenant"), 1, "there is no free permit");
    sleep(Duration::from_millis(1_100)).await;
    call(&s3).await;
    assert_eq!(cloud.assumed("tenant"), 2);
}

// Proves T7, T8.
#[tokio::test]
async fn an_abandoned_refresh_that_fails_begins_again() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::new(&timed(&cloud));
    let begun = Arc::new(AtomicUsize::new(0));
    let provider = ExpiresAndFailsSecond(Arc::clone(&begun));
    let params = params::<S3>().credentials_provider(SharedCredentialsProvider::new(provider)).build().unwrap();
    let s3 = session.ready(&params).await.unwrap();
    cloud.clock().advance(3_200);
    {
        let mut dropped = pin!(call(&s3));
        assert!(!poll_once(dropped.as_mut()).await);
    }
    assert_eq!(begun.load(SeqCst), 2);
    call(&s3).await;
    assert_eq!(begun.load(SeqCst), 3);
}

/// A provider of credentials for an hour, which fails the second time.
#[derive(Debug)]
struct ExpiresAndFailsSecond(Arc<AtomicUsize>);

impl ProvideCredentials for ExpiresAndFailsSecond {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let number = self.0.fetch_add(1, SeqCst);
            tokio::task::yield_now().await;
            let mut credentials = keys("tenant");
            *credentials.expiry_mut() =
                Some(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + 3_600 * (1 + number as u64)));
            if number == 1 { Err(CredentialsError::provider_error("not yet")) } else { Ok(credentials) }
        })
    }
}
