//! Loads of credentials whose callers stop polling, give up, or end with their runtime.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use aws_client_cache::{ClientParams, S3, Session, SharedCredentialsProvider};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_async::time::TimeSource;
use support::clock::Clock;
use support::cloud::{Cloud, keys};
use tokio::time::timeout;

use crate::slow_provider::{HANG, Slow, builder, poll_once, timed};
use crate::tenancy::{NOW, call, params, role};

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

// Proves T7.
#[tokio::test]
async fn a_load_that_was_not_polled_for_its_timeout_begins_again() {
    let session = builder().load_timeout(Duration::from_millis(200)).build();
    let slow = Slow::new("slow", Duration::from_millis(300));
    let s3 = session.client(&slow.params()).await.unwrap();
    let error = s3.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
    let shown = format!("{}", aws_sdk_s3::error::DisplayErrorContext(&error));
    assert!(shown.contains("timed out"), "{shown}");
    assert_eq!(slow.loads(), (1, 0), "it was polled in time");
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

/// A provider that awaits its own credentials.
#[derive(Clone, Debug, Default)]
struct AwaitsItself(Arc<Mutex<Option<Itself>>>);

/// The session that asks the provider, and the parameters with the provider.
type Itself = (Session, ClientParams<S3>);

impl ProvideCredentials for AwaitsItself {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let itself = self.0.lock().unwrap().clone();
        future::ProvideCredentials::new(async move {
            let (session, params) = itself.expect("it is set");
            session.ready(&params).await.map_err(CredentialsError::provider_error)?;
            Ok(keys("itself"))
        })
    }
}

// Proves T7, T11: the wakers of the load form a cycle.
#[tokio::test]
async fn a_provider_that_awaits_itself_times_out() {
    let session = builder().load_timeout(Duration::from_millis(600)).build();
    let provider = AwaitsItself::default();
    let itself = params::<S3>().credentials_provider(SharedCredentialsProvider::new(provider.clone())).build().unwrap();
    *provider.0.lock().unwrap() = Some((session.clone(), itself.clone()));
    let error = timeout(HANG, session.ready(&itself)).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("timed out"), "{error}");
    // It would keep its own session.
    *provider.0.lock().unwrap() = None;
}

// Proves T7.
#[tokio::test]
async fn all_who_join_an_abandoned_load_that_fails_share_the_next() {
    let session = builder().build();
    let begun = Arc::new(AtomicUsize::new(0));
    let provider = SharedCredentialsProvider::new(FailsAtFirst { times: 1, begun: Arc::clone(&begun) });
    let params = params::<S3>().credentials_provider(provider).build().unwrap();
    {
        let mut dropped = pin!(session.ready(&params));
        assert!(!poll_once(dropped.as_mut()).await);
    }
    for ready in session.ready_all(&vec![params; 10]).await {
        ready.unwrap();
    }
    assert_eq!(begun.load(SeqCst), 2);
}

// Proves T7, T9.
#[tokio::test]
async fn a_load_that_fails_before_its_first_caller_ends_is_not_repeated() {
    let session = builder().build();
    let begun = Arc::new(AtomicUsize::new(0));
    let provider = SharedCredentialsProvider::new(FailsAtFirst { times: 9, begun: Arc::clone(&begun) });
    let params = params::<S3>().credentials_provider(provider).build().unwrap();
    for ready in session.ready_all(&vec![params; 10]).await {
        ready.unwrap_err();
    }
    assert_eq!(begun.load(SeqCst), 1);
}

// Proves T7, T9: each caller gives up before the load ends.
#[tokio::test]
async fn abandoned_loads_that_fail_end_in_a_backoff_that_doubles() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::new(&timed(&cloud));
    let begun = Arc::new(AtomicUsize::new(0));
    let provider = FailsAtFirst { times: usize::MAX, begun: Arc::clone(&begun) };
    let params = params::<S3>().credentials_provider(SharedCredentialsProvider::new(provider)).build().unwrap();
    for (round, backoff) in [1, 2, 4].into_iter().enumerate() {
        for second in 0..backoff {
            let mut answers = 0;
            for _ in 0..10 {
                let mut dropped = pin!(session.ready(&params));
                answers += usize::from(poll_once(dropped.as_mut()).await);
                tokio::task::yield_now().await;
            }
            assert!(answers > 5, "{answers} answers in round {round}");
            assert_eq!(begun.load(SeqCst), 2 * (round + 1), "after {second} s");
            cloud.clock().advance(1);
        }
    }
}

/// Returns a client whose dropped request has begun a load, which a role has completed since.
async fn completed_by_a_role(cloud: &Cloud, slow: &Slow) -> (Session, aws_sdk_s3::Client) {
    let session = Session::new(&timed(cloud));
    let provider = SharedCredentialsProvider::new(slow.clone());
    let hub = || params::<S3>().credentials_provider(provider.clone());
    let (spoke, hub) = (hub().assume_role(role("spoke")).build().unwrap(), hub().build().unwrap());
    let s3 = session.client(&hub).await.unwrap();
    {
        let mut dropped = pin!(call(&s3));
        assert!(!poll_once(dropped.as_mut()).await);
    }
    session.ready(&spoke).await.unwrap();
    assert_eq!(slow.loads(), (1, 1), "it resumes the load");
    (session, s3)
}

// Proves T7, T8.
#[tokio::test]
async fn the_result_of_an_earlier_load_is_not_returned_again() {
    let (cloud, slow) = (Cloud::new(&Clock::at(NOW)), Slow::new("hub", Duration::from_millis(50)));
    let (_session, s3) = completed_by_a_role(&cloud, &slow).await;
    cloud.clock().advance(900);
    call(&s3).await;
    assert_eq!(slow.loads(), (2, 2));
}

// Proves T7, T12.
#[tokio::test]
async fn refused_credentials_of_an_earlier_load_are_not_returned_again() {
    let (cloud, slow) = (Cloud::new(&Clock::at(NOW)), Slow::new("hub", Duration::from_millis(50)));
    let (_session, s3) = completed_by_a_role(&cloud, &slow).await;
    cloud.expire("hub", 400, "ExpiredToken");
    for loads in [1, 2] {
        s3.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
        assert_eq!(slow.loads(), (loads, loads));
    }
}

// Proves T7.
#[tokio::test]
async fn a_load_that_waits_is_polled_a_few_times_only() {
    let session = builder().build();
    let params = Slow::new("slow", Duration::from_millis(600)).params();
    let (mut polls, mut ready) = (0, pin!(session.ready(&params)));
    let ready = std::future::poll_fn(|context| {
        polls += 1;
        ready.as_mut().poll(context)
    });
    timeout(HANG, ready).await.unwrap().unwrap();
    assert!((2..20).contains(&polls), "{polls}");
}

/// A provider that answers once an event has occurred.
#[derive(Clone, Debug, Default)]
struct AfterAnEvent {
    begun: Arc<AtomicUsize>,
    event: Arc<tokio::sync::Notify>,
}

impl ProvideCredentials for AfterAnEvent {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            if self.begun.fetch_add(1, SeqCst) == 0 {
                self.event.notified().await;
            }
            Ok(keys("tenant"))
        })
    }
}

// Proves T7.
#[tokio::test]
async fn an_answer_of_before_the_timeout_is_not_used() {
    let session = builder().load_timeout(Duration::from_millis(200)).build();
    let provider = AfterAnEvent::default();
    let shared = SharedCredentialsProvider::new(provider.clone());
    let params = params::<S3>().credentials_provider(shared).build().unwrap();
    {
        let mut dropped = pin!(session.ready(&params));
        assert!(!poll_once(dropped.as_mut()).await);
    }
    provider.event.notify_one();
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    session.ready(&params).await.unwrap();
    assert_eq!(provider.begun.load(SeqCst), 2);
}

// Proves T7: the load of the source has failed for the same reason.
#[test]
fn a_role_whose_load_was_abandoned_with_its_runtime_begins_again() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let session = builder().build();
    let slow = Slow::new("slow", Duration::from_millis(100));
    let hub = SharedCredentialsProvider::new(slow.clone());
    let spoke = params::<S3>().credentials_provider(hub).assume_role(role("spoke")).build().unwrap();
    runtime().block_on(async {
        assert!(timeout(Duration::from_millis(10), session.ready(&spoke)).await.is_err());
    });
    runtime().block_on(async { timeout(HANG, session.ready(&spoke)).await.unwrap().unwrap() });
    assert_eq!(slow.loads(), (2, 1), "the first load ended with its runtime");
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

// Proves T8.
#[tokio::test]
async fn a_request_goes_on_while_a_role_refreshes_its_credentials() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::new(&timed(&cloud));
    let slow = Slow::new("hub", Duration::from_millis(50));
    let provider = SharedCredentialsProvider::new(slow.clone());
    let hub = || params::<S3>().credentials_provider(provider.clone());
    let spokes = ["one", "two"].map(|name| hub().assume_role(role(name)).build().unwrap());
    let hub = hub().build().unwrap();
    let s3 = session.ready(&hub).await.unwrap();
    for (spoke, is_abandoned, loads) in [(&spokes[0], false, 2), (&spokes[1], true, 3)] {
        cloud.clock().advance(900);
        if is_abandoned {
            {
                let mut dropped = pin!(call(&s3));
                assert!(!poll_once(dropped.as_mut()).await);
            }
            tokio::time::sleep(Duration::from_millis(1_100)).await;
        }
        let mut refreshing = pin!(session.ready(spoke));
        assert!(!poll_once(refreshing.as_mut()).await);
        call(&s3).await;
        assert_eq!(slow.loads(), (loads, loads - 1));
        refreshing.await.unwrap();
        assert_eq!(slow.loads(), (loads, loads));
    }
}

// Proves T7, T8.
#[tokio::test]
async fn a_refresh_that_is_not_polled_is_resumed() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::new(&timed(&cloud));
    let slow = Slow::new("slow", Duration::from_millis(50));
    let s3 = session.ready(&slow.params()).await.unwrap();
    cloud.clock().advance(900);
    let mut unpolled = pin!(call(&s3));
    assert!(!poll_once(unpolled.as_mut()).await);
    call(&s3).await;
    assert_eq!(slow.loads(), (2, 1), "all others go on with the credentials that are held");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    call(&s3).await;
    assert_eq!(slow.loads(), (2, 2));
    unpolled.await;
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
    call(&s3).await;
    assert_eq!(begun.load(SeqCst), 2);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
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
