//! Rule T13: revoked credentials, against a fake AWS that records the signer of each request.

use std::error::Error;
use std::fmt;
use std::pin::pin;
use std::time::Duration;

use aws_client_cache::{
    ClientCacheError, ClientParams, S3, Session, SessionError, SharedCredentialsProvider, is_revoked, refusal_code,
};
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_types::retry::RetryConfig;
use futures_util::FutureExt;
use support::clock::Clock;
use support::cloud::{Cloud, keys};
use tokio::time::timeout;

use crate::slow_provider::timed;
use crate::tenancy::{NOW, Sts, call, cloud, of_role, params, role};

/// Returns the messages of a request's error and its sources, or `None` if it succeeds.
async fn refusal(s3: &aws_sdk_s3::Client) -> Option<String> {
    let error = s3.delete_object().bucket("bucket").key("key").send().await.err()?;
    let chain = std::iter::successors(Some(&error as &dyn Error), |error| (*error).source());
    Some(chain.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

fn is_refused<T>(result: &Result<T, SessionError>) -> bool {
    matches!(result, Err(error @ SessionError::Cache(ClientCacheError::CredentialsRevoked { .. })) if is_revoked(error))
}

async fn assert_revoked(session: &Session, params: &ClientParams<S3>) {
    assert!(is_refused(&session.client(params).await) && is_refused(&session.ready(params).await), "{params:?}");
    assert!(!session.cache().contains_key(&params.key()));
}

// Proves T13: the retries of a call are signed anew.
#[tokio::test]
async fn a_role_is_not_assumed_with_credentials_that_were_revoked_between_retries() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let retries = RetryConfig::standard().with_max_attempts(4).with_initial_backoff(Duration::from_millis(100));
    let session = Session::new(&timed(&cloud).to_builder().retry_config(retries).build());
    let spoke = params::<S3>().assume_role(role("spoke").source_role(role("hub"))).build().unwrap();
    cloud.throttle("spoke");
    let mut ready = pin!(session.ready(&spoke));
    while cloud.assumed("spoke") == 0 {
        timeout(Duration::from_millis(1), ready.as_mut()).await.unwrap_err();
    }
    session.revoke(&of_role("hub"));
    let before = cloud.assumed("spoke");
    assert!(is_refused(&ready.await));
    assert_eq!(cloud.assumed("spoke"), before);
}

// Proves T13.
#[tokio::test]
async fn a_revoked_scope_is_refused_until_it_is_admitted() {
    let (cloud, session) = cloud();
    let (tenant, other) = (of_role("tenant"), of_role("other"));
    let (s3, untouched) = (session.ready(&tenant).await.unwrap(), session.ready(&other).await.unwrap());
    let sts = params::<Sts>().assume_role(role("tenant")).build().unwrap();
    let of_sts = session.client(&sts).await.unwrap();
    assert_eq!(session.revoke(&tenant).len(), 2);
    for _ in 0..3 {
        assert_revoked(&session, &tenant).await;
        assert!(is_refused(&session.client(&sts).await));
        let error = refusal(&s3).await.expect("old clones are refused");
        assert!(error.contains("the credentials of role:arn:aws:iam::123456789012:role/tenant#"), "{error}");
        assert!(!error.contains("secret") && !error.contains("token of") && !error.contains("ASIA"), "{error}");
        assert!(of_sts.get_caller_identity().send().await.is_err());
        call(&untouched).await;
        drop(session.invalidate_credentials(&tenant));
    }
    let error = session.client(&tenant).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the credentials of {} have been revoked", tenant.key()));
    assert_eq!((cloud.assumed("tenant"), cloud.assumed("other")), (1, 1));

    assert!(session.admit(&sts) && !session.admit(&tenant), "the scope is admitted once, by any of its parameters");
    call(&s3).await;
    call(&session.ready(&tenant).await.unwrap()).await;
    assert_eq!(cloud.assumed("tenant"), 2, "old and new clients share new credentials");
    assert!(session.cache().contains_key(&tenant.key()));
}

// Proves T13.
#[tokio::test]
async fn an_idle_scope_and_an_unknown_one_are_revoked_too() {
    let (cloud, session) = cloud();
    let (idle, unknown) = (of_role("idle"), of_role("unknown"));
    drop(session.ready(&idle).await.unwrap());
    session.cache().clear();
    for params in [&idle, &unknown] {
        assert!(session.revoke(params).is_empty());
        assert_revoked(&session, params).await;
    }
    assert_eq!((session.scopes(), cloud.all_assumed()), ((0, 0), 1));
}

// Proves T13.
#[tokio::test]
async fn roles_assumed_with_a_revoked_scope_are_refused() {
    let (cloud, session) = cloud();
    let hub = of_role("hub");
    let spoke = params().assume_role(role("spoke").source_role(role("hub"))).build().unwrap();
    let other = params().assume_role(role("other").source_role(role("hub"))).build().unwrap();
    let s3 = session.ready(&spoke).await.unwrap();
    assert_eq!(session.revoke(&hub).len(), 1);
    for params in [&hub, &spoke, &other] {
        assert_revoked(&session, params).await;
    }
    let error = refusal(&s3).await.expect("old clones are refused");
    assert!(error.contains("role/hub#"), "{error}");
    assert!(!session.admit(&spoke), "it was not revoked itself");
    assert_revoked(&session, &spoke).await;
    assert!(session.admit(&hub));
    call(&s3).await;
    assert_eq!((cloud.assumed("hub"), cloud.assumed("spoke")), (2, 2));
    drop(session.revoke(&spoke));
    call(&session.ready(&hub).await.unwrap()).await;
    call(&session.ready(&other).await.unwrap()).await;
    assert_revoked(&session, &spoke).await;
}

// Proves T13.
#[tokio::test]
async fn a_revocation_differs_from_other_errors_of_requests() {
    let (cloud, session) = cloud();
    let hub = of_role("hub");
    let spoke = params::<S3>().assume_role(role("spoke").source_role(role("hub"))).build().unwrap();
    let request = async |s3: &aws_sdk_s3::Client| s3.delete_object().bucket("bucket").key("key").send().await.err();
    let clients = [session.ready(&hub).await.unwrap(), session.ready(&spoke).await.unwrap()];
    drop(session.revoke(&hub));
    for s3 in &clients {
        let error = request(s3).await.unwrap();
        assert!(is_revoked(&error) && refusal_code(&error).is_none(), "{error:?}");
    }
    assert!(session.admit(&hub));
    cloud.refuse("hub");
    drop(session.invalidate_credentials(&hub));
    for s3 in &clients {
        let error = request(s3).await.unwrap();
        assert!(!is_revoked(&error) && refusal_code(&error).is_some(), "{error:?}");
    }
    let error = session.ready(&hub).await.unwrap_err();
    assert!(!is_revoked(&error) && !is_revoked(&ClientCacheError::Empty), "{error}");
}

// Proves T13.
#[tokio::test]
async fn the_credentials_of_the_base_are_revoked_with_all_roles() {
    let (_cloud, session) = cloud();
    let (base, tenant) = (params::<S3>().build().unwrap(), of_role("tenant"));
    let other = params::<S3>().credentials(keys("other")).build().unwrap();
    let clients = [session.ready(&base).await.unwrap(), session.ready(&tenant).await.unwrap()];
    drop(session.revoke(&base));
    for (params, s3) in [&base, &tenant].into_iter().zip(&clients) {
        assert_revoked(&session, params).await;
        assert!(refusal(s3).await.unwrap().contains("the credentials of base have been revoked"));
    }
    call(&session.ready(&other).await.unwrap()).await;
    assert!(session.admit(&base));
    for s3 in &clients {
        call(s3).await;
    }
}

// Proves T13.
// The call has been polled several times: before, while or after the role is assumed, and while a request is sent.
#[tokio::test]
async fn calls_in_flight_are_revoked_at_any_point() {
    let mut refused = [0; 2];
    for polls in 0..10 {
        for is_request in [false, true] {
            let (_cloud, session) = cloud();
            let tenant = of_role("tenant");
            let mut call = pin!(async {
                if is_request {
                    refusal(&session.client(&tenant).await.unwrap()).await.is_some()
                } else {
                    is_refused(&session.ready(&tenant).await)
                }
            });
            let mut done = None;
            for _ in 0..polls {
                done = done.or_else(|| call.as_mut().now_or_never());
            }
            let held = session.cache().get(&tenant.key());
            drop(session.revoke(&tenant));
            assert_revoked(&session, &tenant).await;
            if let Some(held) = held {
                assert!(refusal(&held).await.is_some());
            }
            if done.is_none() && (polls > 0 || !is_request) {
                let is_refused = call.await;
                // The first poll ends in `AssumeRole`, and the second one signs the request.
                assert!(is_refused || polls > 1, "{polls} {is_request}");
                refused[usize::from(is_request)] += usize::from(is_refused);
            }
            assert!(session.cache().is_empty(), "{polls} {is_request}");
        }
    }
    assert!(refused.iter().all(|refused| *refused > 0), "{refused:?}");
}

/// A provider that runs a function when it is dropped.
struct OnDrop<F: Fn() + Send + Sync>(F);

impl<F: Fn() + Send + Sync> fmt::Debug for OnDrop<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnDrop")
    }
}

impl<F: Fn() + Send + Sync> ProvideCredentials for OnDrop<F> {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Ok(keys("provider")))
    }
}

impl<F: Fn() + Send + Sync> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}

// Proves T13.
// The revocation happens after the session has looked for the scope, and before it adds the scope.
#[tokio::test]
async fn a_scope_is_revoked_while_it_is_created() {
    for is_kept in [true, false] {
        let (cloud, session) = cloud();
        let tenant = of_role("tenant");
        let provider = OnDrop({
            let (session, tenant) = (session.clone(), tenant.clone());
            move || drop(session.revoke(&tenant))
        });
        let idle = params::<S3>().credentials_provider(SharedCredentialsProvider::new(provider)).build().unwrap();
        drop(session.client(&idle).await.unwrap());
        drop(idle);
        session.cache().clear();
        cloud.clock().advance(3_600);
        let s3 = session.client(&tenant).await.unwrap();
        assert!(session.cache().is_empty() && refusal(&s3).await.is_some());
        assert_eq!(cloud.assumed("tenant"), 0);
        // Otherwise the scope is idle when the tenant is admitted.
        let s3 = is_kept.then_some(s3);
        assert!(session.admit(&tenant));
        call(&s3.unwrap_or(session.client(&tenant).await.unwrap())).await;
    }
}

// Proves T13.
#[tokio::test]
async fn a_load_that_waits_for_a_permit_does_not_begin_once_it_is_revoked() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::builder(&cloud.config()).max_concurrent_loads(1).build();
    let (holder, tenant) = (of_role("holder"), of_role("tenant"));
    let hold = cloud.hold().await;
    let (mut holder, mut waits) = (pin!(session.ready(&holder)), pin!(session.ready(&tenant)));
    assert!(holder.as_mut().now_or_never().is_none() && waits.as_mut().now_or_never().is_none());
    drop(session.revoke(&tenant));
    drop(hold);
    holder.await.unwrap();
    assert!(is_revoked(&waits.await.unwrap_err()));
    assert_eq!(cloud.assumed("tenant"), 0);
}

// Proves S3, T6.
#[tokio::test]
async fn a_ready_in_flight_during_an_invalidation_caches_nothing() {
    let (cloud, session) = cloud();
    let tenant = of_role("tenant");
    let hold = cloud.hold().await;
    let mut ready = pin!(session.ready(&tenant));
    assert!(ready.as_mut().now_or_never().is_none());
    assert!(session.invalidate_credentials(&tenant).is_empty());
    drop(hold);
    let s3 = ready.await.unwrap();
    assert!(session.cache().is_empty(), "the call began before the invalidation");
    call(&s3).await;
    assert_eq!(cloud.assumed("tenant"), 2, "it signs with credentials that were loaded since");
    drop(session.ready(&tenant).await.unwrap());
    assert_eq!((session.cache().len(), cloud.assumed("tenant")), (1, 2));
}

const TENANT: &str = "arn:aws:iam::123456789012:role/tenant";

fn named(name: &str) -> ClientParams<S3> {
    params().assume_role(role("tenant").session_name(name)).build().unwrap()
}

// Proves T13.
#[tokio::test]
async fn revoking_a_role_covers_all_parameters_and_all_roles_assumed_with_it() {
    let (cloud, session) = cloud();
    let spoke = params().assume_role(role("spoke").source_role(role("tenant").session_name("hub"))).build().unwrap();
    let covered = [of_role("tenant"), named("one"), named("two"), spoke];
    let other = of_role("tenant2");
    for params in covered.iter().chain([&other]) {
        session.ready(params).await.unwrap();
    }
    let held = session.client(&covered[1]).await.unwrap();
    assert!(session.invalidate_role("arn:aws:iam::123456789012:role/tenan").is_empty());
    let removed = session.invalidate_role(TENANT);
    assert_eq!(removed.len(), 4);
    assert!(
        removed
            .iter()
            .all(|(key, _)| key.role_arn().is_some_and(|arn| arn != "arn:aws:iam::123456789012:role/tenant2"))
    );
    let before = cloud.all_assumed();
    for params in covered.iter().chain([&other]) {
        session.ready(params).await.unwrap();
    }
    assert_eq!(cloud.all_assumed() - before, 5, "the four, and the hub");

    assert_eq!(session.revoke_role(TENANT).len(), 4);
    for params in &covered {
        assert_revoked(&session, params).await;
    }
    assert_revoked(&session, &named("never-seen")).await;
    let error = refusal(&held).await.expect("old clones are refused");
    assert!(error.contains("role/tenant#"), "{error}");
    session.ready(&other).await.unwrap();
    assert!(session.admit_role(TENANT) && !session.admit_role(TENANT));
    for params in &covered {
        session.ready(params).await.unwrap();
    }
    call(&held).await;
}

// Proves T13.
#[tokio::test]
async fn revoking_a_role_is_independent_of_revoking_one_scope() {
    let (_cloud, session) = cloud();
    let (one, two) = (named("one"), named("two"));
    let (of_one, of_two) = (session.ready(&one).await.unwrap(), session.ready(&two).await.unwrap());
    session.revoke(&one);
    session.revoke_role(TENANT);
    assert!(!session.admit(&two), "it was not revoked itself");
    assert!(session.admit(&one));
    assert_revoked(&session, &one).await;
    assert!(refusal(&of_one).await.is_some());
    session.revoke(&one);
    assert!(session.admit_role(TENANT));
    assert_revoked(&session, &one).await;
    assert!(refusal(&of_one).await.is_some());
    session.ready(&two).await.unwrap();
    call(&of_two).await;
    assert!(session.admit(&one));
    call(&of_one).await;
}
