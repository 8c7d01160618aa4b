//! The bound on concurrent loads: permits, their queue, and loads that need none.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use aws_client_cache::{ClientParams, S3, Session, SharedCredentialsProvider};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use support::clock::Clock;
use support::cloud::{Cloud, keys};
use tokio::time::{sleep, timeout};

use crate::slow_provider::{HANG, Slow, builder, poll_once, timed};
use crate::tenancy::{NOW, call, of_role, params, role};

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

// Proves T14.
#[tokio::test]
async fn clients_of_a_scope_that_hangs_stop_no_warm_up() {
    let session = builder().max_size(1_000).max_concurrent_loads(2).build();
    let hangs = SharedCredentialsProvider::new(Slow::new("hangs", HANG));
    let regional = |region: usize| {
        let params = params::<S3>().credentials_provider(hangs.clone()).region(format!("region-{region}"));
        params.build().unwrap()
    };
    let slow = |number| Slow::new(&format!("healthy {number}"), Duration::ZERO).params();
    let params: Vec<_> = (0..300).map(regional).chain((0..100).map(slow)).collect();
    assert!(timeout(Duration::from_secs(2), session.ready_all(&params)).await.is_err());
    assert_eq!(session.cache().len(), 100);
}

// Proves T9, O5: the load of a role has failed while the other callers waited for their permit.
#[tokio::test]
async fn a_load_that_waits_for_a_permit_does_not_begin_in_a_backoff() {
    for gives_up in [false, true] {
        let session = builder().max_concurrent_loads(2).build();
        let begun = Arc::new(AtomicUsize::new(0));
        let provider = SharedCredentialsProvider::new(Fails(Arc::clone(&begun)));
        let hub = || params::<S3>().credentials_provider(provider.clone());
        let (spoke, hub) = (hub().assume_role(role("spoke")).build().unwrap(), hub().build().unwrap());
        let hangs = Slow::new("hangs", HANG).params();
        let callers = [&hangs, &spoke, &hub, &hub].map(|params| Box::pin(session.ready(params)));
        let [mut hangs, mut spoke, mut first, mut second] = callers;
        for ready in [&mut hangs, &mut spoke, &mut first, &mut second] {
            assert!(!poll_once(ready.as_mut()).await);
        }
        let first = (!gives_up).then_some(first);
        spoke.await.unwrap_err();
        timeout(Duration::from_secs(2), second).await.unwrap().unwrap_err();
        if let Some(first) = first {
            first.await.unwrap_err();
        }
        assert_eq!(begun.load(SeqCst), 1, "{gives_up}");
        assert_eq!(session.stats().backoff_answers, 2 - u64::from(gives_up));
    }
}

/// A provider that fails, and counts how often.
#[derive(Debug)]
struct Fails(Arc<AtomicUsize>);

impl ProvideCredentials for Fails {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.0.fetch_add(1, SeqCst);
            tokio::task::yield_now().await;
            Err(CredentialsError::provider_error("refused"))
        })
    }
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

/// A provider that reads its credentials by a client of the same session, after it was notified.
#[derive(Debug)]
struct ReadsLater(ReadsByTheSession, Arc<tokio::sync::Notify>);

impl ProvideCredentials for ReadsLater {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.1.notified().await;
            self.0.provide_credentials().await
        })
    }
}

// Proves T5, T7: the load that the provider awaits waits for a permit, with another caller.
#[tokio::test]
async fn a_provider_can_await_a_load_that_waits_for_a_permit() {
    let session = builder().max_concurrent_loads(1).build();
    let (reader, starts) = (Slow::new("reader", Duration::from_millis(20)), Arc::new(tokio::sync::Notify::new()));
    let of_reader = reader.params();
    let reads = ReadsByTheSession { session: session.clone(), of_reader: of_reader.clone() };
    let provider = SharedCredentialsProvider::new(ReadsLater(reads, Arc::clone(&starts)));
    let tenant = params::<S3>().credentials_provider(provider).build().unwrap();
    let tasks = [tenant, of_reader].map(|params| {
        let session = session.clone();
        tokio::spawn(async move { session.ready(&params).await.map(drop) })
    });
    // The other caller polls the load at times, always a little before the provider.
    sleep(Duration::from_millis(30)).await;
    starts.notify_one();
    let begun = Instant::now();
    for task in tasks {
        timeout(HANG, task).await.unwrap().unwrap().unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

// Proves T8.
#[tokio::test]
async fn a_refresh_begins_only_if_no_load_waits_for_a_permit() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::builder(&timed(&cloud)).max_concurrent_loads(1).build();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    cloud.clock().advance(3_200);
    let [holder, waits] =
        [("holder", 20), ("waits", 50)].map(|(name, takes)| Slow::new(name, Duration::from_millis(takes)).params());
    let (mut holder, mut waits) = (pin!(session.ready(&holder)), pin!(session.ready(&waits)));
    assert!(!poll_once(holder.as_mut()).await && !poll_once(waits.as_mut()).await);
    holder.await.unwrap();
    // The permit is free, but the load that waits for it has not been polled yet.
    timeout(Duration::from_millis(40), call(&s3)).await.unwrap();
    assert_eq!(cloud.assumed("tenant"), 1, "it goes on with the credentials that it has");
    waits.await.unwrap();
    call(&s3).await;
    assert_eq!(cloud.assumed("tenant"), 2);
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
