//! Rule T12: credentials that AWS refuses as expired, against a fake AWS that records signers.

use std::hash::{Hash, Hasher};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use aws_client_cache::{Credentials, S3, Session, SessionError, SharedCredentialsProvider, SharedInterceptor};
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use futures_util::FutureExt;
use futures_util::future::join_all;
use support::clock::Clock;
use support::cloud::{Cloud, keys};

use crate::tenancy::{NOW, Sts, call, cloud, of_role, params, role};

/// Returns the signer of requests with a role that the base's credentials assume.
fn by_base(role: &str) -> String {
    format!("{role} by base")
}

async fn is_allowed(s3: &aws_sdk_s3::Client) -> bool {
    s3.delete_object().bucket("bucket").key("key").send().await.is_ok()
}

// Proves T12.
#[tokio::test]
async fn credentials_that_aws_refuses_as_expired_are_loaded_anew() {
    for code in ["ExpiredToken", "ExpiredTokenException", "InvalidToken"] {
        let (cloud, session) = cloud();
        let s3 = session.ready(&of_role("tenant")).await.unwrap();
        let other = session.ready(&of_role("other")).await.unwrap();
        cloud.expire(&by_base("tenant"), 400, code);
        assert!(!is_allowed(&s3).await, "the SDK does not retry a refusal");
        assert_eq!(cloud.assumed("tenant"), 1, "the next request loads");
        for _ in 0..5 {
            call(&s3).await;
            call(&other).await;
        }
        assert_eq!((cloud.assumed("tenant"), cloud.assumed("other")), (2, 1), "{code}");
    }
    let (cloud, session) = cloud();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    cloud.expire(&by_base("tenant"), 403, "AccessDenied");
    assert!(!is_allowed(&s3).await && !is_allowed(&s3).await);
    assert_eq!(cloud.assumed("tenant"), 1, "other refusals change nothing");
}

// Proves T12: an answer to `HEAD` has no body, which alone names the code.
#[tokio::test]
async fn an_answer_without_a_body_drops_no_credentials() {
    let (cloud, session) = cloud();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    cloud.expire(&by_base("tenant"), 400, "ExpiredToken");
    for _ in 0..3 {
        let error = s3.head_object().bucket("bucket").key("key").send().await.unwrap_err();
        assert_eq!((error.raw_response().map(|answer| answer.status().as_u16()), error.code()), (Some(400), None));
    }
    assert_eq!((cloud.assumed("tenant"), session.stats().expired_tokens), (1, 0));
    assert!(!is_allowed(&s3).await, "an answer with a body names the code");
    s3.head_object().bucket("bucket").key("key").send().await.unwrap();
    assert_eq!((cloud.assumed("tenant"), session.stats().expired_tokens), (2, 1));
}

// Proves T12.
#[tokio::test]
async fn a_retry_of_the_sdk_loads_the_credentials_anew() {
    let (cloud, session) = cloud();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    cloud.expire(&by_base("tenant"), 503, "ExpiredToken");
    call(&s3).await;
    assert_eq!((cloud.assumed("tenant"), cloud.requests().len()), (2, 2));
}

// Proves T12.
#[tokio::test]
async fn all_protocols_and_clients_of_a_scope_detect_expired_credentials() {
    let (cloud, session) = cloud();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    let sts = session.client(&params::<Sts>().assume_role(role("tenant")).build().unwrap()).await.unwrap();
    cloud.expire(&by_base("tenant"), 403, "ExpiredToken");
    assert!(sts.get_caller_identity().send().await.is_err());
    call(&s3).await;
    assert_eq!(cloud.assumed("tenant"), 2);
}

// Proves T12.
// Answers to requests with the old credentials arrive before and after new ones have been loaded.
#[tokio::test]
async fn newer_credentials_are_never_rejected() {
    let (cloud, session) = cloud();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    cloud.expire(&by_base("tenant"), 400, "ExpiredToken");
    let mut late = pin!(is_allowed(&s3));
    assert!(late.as_mut().now_or_never().is_none(), "it is signed, and not yet answered");
    let allowed = join_all((0..50).map(|_| is_allowed(&s3))).await;
    assert!(allowed.iter().all(|allowed| !allowed), "all are signed before the first answer");
    call(&s3).await;
    cloud.clock().advance(60);
    assert!(!late.await);
    call(&s3).await;
    assert_eq!(cloud.assumed("tenant"), 2);
}

// Proves T12.
#[tokio::test]
async fn credentials_that_are_always_refused_cost_few_calls() {
    let (cloud, session) = cloud();
    let tenant = of_role("tenant");
    let s3 = session.ready(&tenant).await.unwrap();
    let mut allowed = 0;
    for request in 0..1_000 {
        cloud.clock().set(NOW + request * 60 / 1_000);
        // New credentials serve one request.
        cloud.expire(&by_base("tenant"), 400, "ExpiredToken");
        allowed += usize::from(is_allowed(&s3).await);
    }
    let assumed = cloud.assumed("tenant");
    assert_eq!(allowed, assumed - 1);
    assert!((5..=8).contains(&assumed), "{assumed}");

    // After a quiet time, the backoff begins with a second.
    cloud.clock().advance(200);
    for _ in 0..2 {
        assert_eq!((is_allowed(&s3).await, is_allowed(&s3).await), (false, true));
        cloud.expire(&by_base("tenant"), 400, "ExpiredToken");
        cloud.clock().advance(1);
    }
    drop(session.invalidate_credentials(&tenant));
    call(&s3).await;
}

/// A provider of credentials by the number of the call.
#[derive(Clone, Debug)]
struct Counted {
    asked: Arc<AtomicUsize>,
    credentials: fn(usize) -> Credentials,
}

impl Counted {
    fn new(credentials: fn(usize) -> Credentials) -> Self {
        Self { asked: Arc::default(), credentials }
    }

    fn asked(&self) -> usize {
        self.asked.load(Relaxed)
    }

    fn shared(&self) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(self.clone())
    }
}

impl ProvideCredentials for Counted {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Ok((self.credentials)(self.asked.fetch_add(1, Relaxed))))
    }
}

// Proves T12.
#[tokio::test]
async fn a_provider_that_repeats_expired_credentials_is_asked_once() {
    let (cloud, session) = cloud();
    let provider = Counted::new(|_| keys("same"));
    let s3 = session.client(&params::<S3>().credentials_provider(provider.shared()).build().unwrap()).await.unwrap();
    cloud.expire("same", 400, "ExpiredToken");
    for _ in 0..100 {
        assert!(!is_allowed(&s3).await);
    }
    assert_eq!(provider.asked(), 2);
}

// Proves T12.
// Roles that were assumed with the base's credentials keep theirs.
#[tokio::test]
async fn expired_credentials_of_the_base_are_loaded_anew() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let provider = Counted::new(|number| keys(&format!("number{number}")));
    let mut config = cloud.config().to_builder();
    config.set_credentials_provider(Some(provider.shared()));
    let session = Session::new(&config.build());
    let s3 = session.client(&params::<S3>().build().unwrap()).await.unwrap();
    let of_role = session.client(&of_role("tenant")).await.unwrap();
    call(&s3).await;
    call(&of_role).await;
    cloud.expire("number0", 400, "ExpiredToken");
    assert!(!is_allowed(&s3).await);
    call(&of_role).await;
    call(&s3).await;
    assert_eq!(cloud.last().signer.as_deref(), Some("number1"));
    assert_eq!((provider.asked(), cloud.assumed("tenant")), (2, 1));
}

// Proves T12.
#[tokio::test]
async fn a_role_is_assumed_again_if_its_sources_token_has_expired() {
    for code in ["ExpiredToken", "ExpiredTokenException"] {
        let (cloud, session) = cloud();
        let spoke = |name: &str| params::<S3>().assume_role(role(name).source_role(role("hub"))).build().unwrap();
        let first = session.ready(&spoke("first")).await.unwrap();
        cloud.expire(&by_base("hub"), 403, code);
        let spokes: Vec<_> = (0..5).map(|number| spoke(&format!("spoke{number}"))).collect();
        for ready in join_all(spokes.iter().map(|params| session.ready(params))).await {
            call(&ready.unwrap()).await;
        }
        call(&first).await;
        assert_eq!((cloud.assumed("hub"), cloud.assumed("first")), (2, 1), "{code}");

        // A source whose new token is refused, too, fails the load.
        cloud.expire(&by_base("hub"), 403, code);
        let error = session.ready(&spoke("last")).await.unwrap_err();
        assert!(matches!(error, SessionError::Credentials { .. }));
        assert_eq!((cloud.assumed("hub"), cloud.assumed("last")), (2, 1), "the backoff keeps them");
        cloud.clock().advance(1);
        call(&session.ready(&spoke("last")).await.unwrap()).await;
        assert_eq!((cloud.assumed("hub"), cloud.assumed("last")), (3, 3), "{code}");
    }
}

// Proves T12.
// AWS refuses the old token of the source after another role has been assumed with the new one.
#[tokio::test]
async fn newer_credentials_of_a_source_are_never_rejected() {
    let (cloud, session) = cloud();
    let spoke = |name: &str| params::<S3>().assume_role(role(name).source_role(role("hub"))).build().unwrap();
    let [late, other, last] = ["late", "other", "last"].map(spoke);
    drop(session.ready(&of_role("hub")).await.unwrap());
    cloud.expire(&by_base("hub"), 403, "ExpiredToken");
    let mut late = pin!(session.ready(&late));
    assert!(late.as_mut().now_or_never().is_none(), "the call is signed, and not yet answered");
    drop(session.ready(&other).await.unwrap());
    cloud.clock().advance(60);
    drop(late.await.unwrap());
    drop(session.ready(&last).await.unwrap());
    assert_eq!((cloud.assumed("hub"), cloud.assumed("late")), (2, 2));
}

// Proves T12.
#[tokio::test]
async fn credentials_of_another_provider_are_left_alone() {
    let (cloud, session) = cloud();
    let own = params::<S3>()
        .assume_role(role("tenant"))
        .customize("own", |builder| builder.credentials_provider(keys("own")))
        .build()
        .unwrap();
    let (own, s3) = (session.ready(&own).await.unwrap(), session.ready(&of_role("tenant")).await.unwrap());
    cloud.expire("own", 400, "ExpiredToken");
    for _ in 0..3 {
        assert!(!is_allowed(&own).await);
        call(&s3).await;
    }
    assert_eq!(cloud.assumed("tenant"), 1);
}

/// An interceptor that counts requests.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicUsize>);

impl Intercept for Counting {
    fn name(&self) -> &'static str {
        "Counting"
    }

    fn modify_before_transmit(
        &self,
        _: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Relaxed);
        Ok(())
    }
}

// Proves T12.
#[tokio::test]
async fn interceptors_of_customizations_run_too() {
    let (cloud, session) = cloud();
    let counting = Counting::default();
    let customized = {
        let counting = counting.clone();
        params::<S3>().assume_role(role("tenant")).customize_with(
            "counting",
            Same(counting),
            |mut builder, Same(it)| {
                builder.set_interceptors([SharedInterceptor::new(it)]);
                builder
            },
        )
    };
    let s3 = session.ready(&customized.build().unwrap()).await.unwrap();
    cloud.expire(&by_base("tenant"), 400, "ExpiredToken");
    assert!(!is_allowed(&s3).await);
    call(&s3).await;
    assert_eq!((counting.0.load(Relaxed), cloud.assumed("tenant")), (2, 2));
}

/// A value of a customization. All values are equal.
#[derive(Clone)]
struct Same(Counting);

impl PartialEq for Same {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Same {}

impl Hash for Same {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
