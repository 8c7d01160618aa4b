//! Creations of clients whose callers stop polling, or whose customization panics.

use std::error::Error;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_client_cache::{ClientCacheError, ClientParams, S3, Session, SessionError};
use tokio::task::coop::consume_budget;
use tokio::time::timeout;

use crate::tenancy::{cloud, of_role, params, role};

/// A duration that no test needs unless it hangs.
const HANG: Duration = Duration::from_secs(30);

/// Requests a client in a task of its own, which must not hang.
async fn request(session: &Session, params: &ClientParams<S3>) -> Result<(), SessionError> {
    let (session, params) = (session.clone(), params.clone());
    let task = tokio::spawn(async move { timeout(HANG, session.client(&params)).await.map(|client| client.map(drop)) });
    task.await.unwrap().expect("no caller hangs")
}

fn assert_panicked(failed: Result<(), SessionError>) {
    let Err(SessionError::Cache(error)) = failed else { panic!("{failed:?}") };
    assert!(matches!(error, ClientCacheError::CreationFailed { .. }), "{error:?}");
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("the creation panicked"));
}

// Proves S9.
#[tokio::test]
async fn a_panicking_customization_is_an_error_of_its_own_client() {
    let (_, session) = cloud();
    let broken = params::<S3>().customize("broken", |_| panic!("a customization")).build().unwrap();
    for failures in 1..=2 {
        assert_panicked(session.client(&broken).await.map(drop));
        assert_eq!((session.cache().stats().failures, session.cache().check()), (failures, Ok(())));
    }
    request(&session, &of_role("tenant")).await.unwrap();
}

// Proves S9: such a client is not cached.
#[tokio::test]
async fn a_customization_that_panics_after_an_invalidation_is_an_error_of_ready() {
    let (cloud, session) = cloud();
    let broken = params::<S3>().assume_role(role("tenant")).customize("broken", |_| panic!("a customization"));
    let broken = broken.build().unwrap();
    let hold = cloud.hold().await;
    let mut ready = pin!(session.ready(&broken));
    assert!(poll_fn(|context| Poll::Ready(ready.as_mut().poll(context).is_pending())).await);
    drop(session.invalidate_credentials(&broken));
    drop(hold);
    assert_panicked(ready.await.map(drop));
    assert_eq!((session.cache().stats().failures, session.cache().check()), (0, Ok(())));
}

// Proves S9, T7: in a task that has used up its budget, the primitives of Tokio suspend.
#[tokio::test]
async fn a_call_that_an_exhausted_task_keeps_unpolled_blocks_no_other() {
    let (_, session) = cloud();
    let params = of_role("tenant");
    let (kept, of_kept) = (session.clone(), params.clone());
    let task = tokio::spawn(async move {
        let mut call = pin!(kept.client(&of_kept));
        let poll = |context: &mut Context<'_>| {
            while pin!(consume_budget()).poll(context).is_ready() {}
            Poll::Ready(call.as_mut().poll(context).map(drop))
        };
        let _ = poll_fn(poll).await;
        request(&kept, &of_kept).await.unwrap();
        timeout(HANG, kept.ready(&of_kept)).await.unwrap().unwrap();
    });
    task.await.unwrap();
    assert_eq!((session.cache().stats().creations, session.cache().check()), (1, Ok(())));
}

// Proves S9, T7.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_of_a_creation_blocks_no_caller_behind_an_unpolled_one() {
    static HAS_BEGUN: Barrier = Barrier::new(2);
    static MAY_PANIC: Barrier = Barrier::new(2);
    static HAS_PANICKED: AtomicBool = AtomicBool::new(false);

    let panics_once = |builder| {
        if !HAS_PANICKED.swap(true, SeqCst) {
            HAS_BEGUN.wait();
            MAY_PANIC.wait();
            panic!("a customization");
        }
        builder
    };
    let (_, session) = cloud();
    let params = params::<S3>().customize("panics once", panics_once).build().unwrap();
    let first = tokio::spawn({
        let (session, params) = (session.clone(), params.clone());
        async move { session.client(&params).await.map(drop) }
    });
    HAS_BEGUN.wait();
    let mut kept = pin!(session.client(&params));
    assert!(kept.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    MAY_PANIC.wait();
    assert_panicked(first.await.unwrap());
    request(&session, &params).await.unwrap();
    // The call that was kept waited for the creation that has panicked.
    assert_panicked(kept.await.map(drop));
    let stats = session.cache().stats();
    assert_eq!((stats.creations, stats.failures, session.cache().check()), (1, 1, Ok(())));
}
