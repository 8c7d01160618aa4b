//! Credentials that are refreshed early, and roles that are refused for a while.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use aws_client_cache::{ClientParams, S3, Session};
use support::clock::Clock;
use support::cloud::Cloud;

use crate::tenancy::{NOW, all, call, cloud, of_role};

/// The lifetime of the roles, in seconds.
const LIFETIME: u64 = 3_600;

/// A time in the advisory window of every jitter, in seconds after the load.
const ADVISORY: u64 = 3_200;

/// A time in the mandatory window.
const MANDATORY: u64 = 3_545;

/// Polls a future often enough for it to reach the call of `AssumeRole`.
async fn is_pending<F: Future>(mut future: Pin<&mut F>) -> bool {
    for _ in 0..20 {
        if poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await {
            return false;
        }
        tokio::task::yield_now().await;
    }
    true
}

async fn is_allowed(s3: &aws_sdk_s3::Client) -> bool {
    s3.delete_object().bucket("bucket").key("key").send().await.is_ok()
}

// Proves T8.
#[tokio::test]
async fn one_caller_refreshes_in_the_advisory_window() {
    let (cloud, session) = cloud();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    cloud.clock().advance(2_699);
    call(&s3).await;
    assert_eq!(cloud.assumed("tenant"), 1, "it is too early");
    cloud.clock().set(NOW + ADVISORY);
    let hold = cloud.hold().await;
    let mut refreshing = pin!(s3.delete_object().bucket("bucket").key("key").send());
    assert!(is_pending(refreshing.as_mut()).await);
    for _ in 0..5 {
        let mut other = pin!(call(&s3));
        assert!(!is_pending(other.as_mut()).await, "the others go on");
    }
    drop(hold);
    refreshing.await.unwrap();
    call(&s3).await;
    assert_eq!(cloud.assumed("tenant"), 2);
}

// Proves T8.
#[tokio::test]
async fn an_abandoned_refresh_is_resumed() {
    let (cloud, session) = cloud();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    cloud.clock().set(NOW + ADVISORY);
    let hold = cloud.hold().await;
    {
        let mut refreshing = pin!(call(&s3));
        assert!(is_pending(refreshing.as_mut()).await);
    }
    call(&s3).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let mut resumed = pin!(call(&s3));
    assert!(is_pending(resumed.as_mut()).await);
    drop(hold);
    resumed.await;
    assert_eq!(cloud.assumed("tenant"), 2);
}

// Proves T8.
#[tokio::test]
async fn a_refresh_waits_for_no_permit() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::builder(&cloud.config()).max_concurrent_loads(1).build();
    let one = session.ready(&of_role("one")).await.unwrap();
    let two = session.ready(&of_role("two")).await.unwrap();
    cloud.clock().set(NOW + ADVISORY);
    let hold = cloud.hold().await;
    let mut refreshing = pin!(call(&one));
    assert!(is_pending(refreshing.as_mut()).await);
    let mut other = pin!(call(&two));
    assert!(!is_pending(other.as_mut()).await, "it goes on with the credentials that it has");
    drop(hold);
    refreshing.await;
    call(&two).await;
    assert_eq!((cloud.assumed("one"), cloud.assumed("two")), (2, 2));
}

// Proves T8.
#[tokio::test]
async fn all_callers_wait_in_the_mandatory_window() {
    let (cloud, session) = cloud();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    cloud.clock().set(NOW + MANDATORY);
    let hold = cloud.hold().await;
    let (mut one, mut two) = (pin!(call(&s3)), pin!(call(&s3)));
    assert!(is_pending(one.as_mut()).await && is_pending(two.as_mut()).await);
    drop(hold);
    one.await;
    two.await;
    assert_eq!(cloud.assumed("tenant"), 2);
}

// Proves T8, T9: random refusals, gaps and invalidations. A caller may give up, and another one may be in flight
// meanwhile.
#[tokio::test]
async fn no_request_fails_while_valid_credentials_are_held() {
    let (mut answered, mut refused) = (0, 0);
    for seed in 0..80 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (cloud, session) = cloud();
        let tenant = of_role("tenant");
        let s3 = session.client(&tenant).await.unwrap();
        let mut held_until = 0;
        let mut issued = cloud.issued();
        for step in 0..60 {
            match rng.u8(..10) {
                0..3 => cloud.clock().advance(rng.u64(..900)),
                3 => cloud.clock().advance(rng.u64(..2 * LIFETIME)),
                4 | 5 => cloud.refuse("tenant"),
                6 => cloud.allow("tenant"),
                7 => cloud.slow_down(rng.usize(..20)),
                8 if rng.u8(..4) == 0 => {
                    drop(session.invalidate_credentials(&tenant));
                    held_until = 0;
                }
                _ => {}
            }
            let mut abandoned = pin!(is_allowed(&s3));
            if rng.bool() {
                poll_fn(|context| Poll::Ready(abandoned.as_mut().poll(context).is_ready())).await;
            }
            let is_allowed = is_allowed(&s3).await;
            let now = cloud.clock().seconds();
            if cloud.issued() > issued {
                (issued, held_until) = (cloud.issued(), now + LIFETIME);
            }
            assert!(is_allowed || now >= held_until, "seed {seed}, step {step}: refused {} s early", held_until - now);
            assert!(!is_allowed || now < held_until, "seed {seed}, step {step}: signed with expired credentials");
            if is_allowed { answered += 1 } else { refused += 1 }
        }
    }
    assert!(answered > 1_000 && refused > 300, "{answered} and {refused}");
}

fn tenants(count: usize) -> Vec<ClientParams<S3>> {
    (0..count).map(|tenant| of_role(&format!("tenant{tenant}"))).collect()
}

// Proves T8.
#[tokio::test]
async fn scopes_loaded_together_are_not_refreshed_together() {
    const TENANTS: usize = 60;
    let (cloud, session) = cloud();
    let mut clients = Vec::new();
    for params in tenants(TENANTS) {
        clients.push(session.ready(&params).await.unwrap());
    }
    let mut most = 0;
    for seconds in (2_700..3_200).step_by(25) {
        cloud.clock().set(NOW + seconds);
        let before = cloud.all_assumed();
        for s3 in &clients {
            call(s3).await;
        }
        most = most.max(cloud.all_assumed() - before);
    }
    assert_eq!(cloud.all_assumed(), 2 * TENANTS);
    assert!(most <= TENANTS / 3, "{most} of {TENANTS} are refreshed within 25 seconds");
}

// Proves T5.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewals_are_bounded() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::builder(&cloud.config()).max_size(100).max_concurrent_loads(3).build();
    let mut clients = Vec::new();
    for params in tenants(50) {
        clients.push(session.ready(&params).await.unwrap());
    }
    for (time, assumed) in [(NOW + MANDATORY, 100), (NOW + 2 * LIFETIME + MANDATORY, 150)] {
        cloud.clock().set(time);
        let tasks: Vec<_> = clients.iter().cloned().map(|s3| tokio::spawn(async move { call(&s3).await })).collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(cloud.all_assumed(), assumed);
    }
    assert!(cloud.most_assuming() <= 3, "{}", cloud.most_assuming());
}

// Proves T8.
#[tokio::test]
async fn a_failed_refresh_fails_no_request() {
    let (cloud, session) = cloud();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    cloud.refuse("tenant");
    for seconds in (2_600..LIFETIME).step_by(10) {
        cloud.clock().set(NOW + seconds);
        call(&s3).await;
        session.ready(&of_role("tenant")).await.unwrap();
    }
    let tried = cloud.assumed("tenant") - 1;
    assert!((2..=9).contains(&tried), "{tried}");
    cloud.clock().set(NOW + LIFETIME + 60);
    assert!(!is_allowed(&s3).await, "the credentials have expired");
    cloud.allow("tenant");
    cloud.clock().advance(60);
    call(&s3).await;
}

// Proves T9.
#[tokio::test]
async fn a_refused_role_costs_few_calls() {
    let (cloud, session) = cloud();
    let tenant = of_role("tenant");
    cloud.refuse("tenant");
    let s3 = session.client(&tenant).await.unwrap();
    for request in 0..1_000 {
        cloud.clock().set(NOW + request * 60 / 1_000);
        assert!(!is_allowed(&s3).await);
        let error = session.ready(&tenant).await.unwrap_err();
        assert_eq!(error.code(), Some("AccessDenied"), "the backoff keeps the error");
    }
    assert_eq!(cloud.assumed("tenant"), 6, "after 0, 1, 3, 7, 15 and 31 seconds");
    for minute in 1..5 {
        cloud.clock().advance(60);
        assert!(!is_allowed(&s3).await && !is_allowed(&s3).await);
        assert_eq!(cloud.assumed("tenant"), 6 + minute, "once a minute");
    }

    cloud.allow("tenant");
    assert!(!is_allowed(&s3).await, "it is too early");
    drop(session.invalidate_credentials(&tenant));
    call(&s3).await;
}

// Proves T9.
#[tokio::test]
async fn after_a_success_the_backoff_begins_anew() {
    let (cloud, session) = cloud();
    let tenant = of_role("tenant");
    let s3 = session.client(&tenant).await.unwrap();
    for is_invalidated in [true, false, true] {
        cloud.refuse("tenant");
        cloud.clock().advance(LIFETIME);
        let before = cloud.assumed("tenant");
        for (seconds, calls) in [(0, 1), (0, 1), (1, 2), (1, 2), (1, 3)] {
            cloud.clock().advance(seconds);
            assert!(!is_allowed(&s3).await);
            assert_eq!(cloud.assumed("tenant") - before, calls);
        }
        cloud.allow("tenant");
        if is_invalidated {
            drop(session.invalidate_credentials(&tenant));
        } else {
            cloud.clock().advance(60);
        }
        call(&s3).await;
    }
}

// Proves T9.
#[tokio::test]
async fn a_refused_source_costs_few_calls() {
    let (cloud, session) = cloud();
    cloud.refuse("hub");
    let behind = |tenant: usize| {
        let role = crate::tenancy::role(&format!("tenant{tenant}")).source_role(crate::tenancy::role("hub"));
        crate::tenancy::params::<S3>().assume_role(role).build().unwrap()
    };
    let params: Vec<_> = (0..50).map(behind).collect();
    assert!(all(&cloud, params.iter().map(|params| session.ready(params))).await.iter().all(Result::is_err));
    assert_eq!(cloud.all_assumed(), 1);
    cloud.allow("hub");
    drop(session.invalidate_credentials(&of_role("hub")));
    assert!(all(&cloud, params.iter().map(|params| session.ready(params))).await.iter().all(Result::is_ok));
    assert_eq!(cloud.all_assumed(), 52);
}

// Proves T8.
#[tokio::test]
async fn requests_succeed_although_the_local_clock_is_fast() {
    let (cloud, session) = cloud();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    cloud.lag_behind(2 * LIFETIME);
    cloud.clock().advance(LIFETIME);
    for requests in 1..=10 {
        call(&s3).await;
        assert_eq!(cloud.last().signer.as_deref(), Some("tenant by base"));
        assert_eq!(cloud.assumed("tenant"), 1 + requests, "the credentials seem expired as soon as they are loaded");
    }
    cloud.lag_behind(0);
    for _ in 0..10 {
        call(&s3).await;
    }
    assert_eq!(cloud.assumed("tenant"), 12, "one load after the clock was set right");
}

// Proves T12.
#[tokio::test]
async fn one_request_fails_for_each_token_if_the_local_clock_is_slow() {
    let (cloud, session) = cloud();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    for round in 1..=5 {
        // For the local clock, an hour is left.
        cloud.expire("tenant by base", 400, "ExpiredToken");
        cloud.clock().advance(60);
        assert!(!is_allowed(&s3).await, "S3 answers 400, which the SDK does not retry");
        call(&s3).await;
        call(&s3).await;
        assert_eq!(cloud.assumed("tenant"), 1 + round, "T12: one load for each token");
    }
}
