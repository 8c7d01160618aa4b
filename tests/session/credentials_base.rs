//! Base configurations of every shape, credentials without an expiry, and the timeout of a load.

use std::fmt::Write;
use std::mem::discriminant;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_client_cache::{
    ClientCacheError, ClientParams, Credentials, S3, SdkConfig, Session, SessionError, SharedCredentialsProvider,
    is_revoked,
};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, ResolveIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use support::clock::{Clock, time};
use support::cloud::{Cloud, LIKE_LOAD_DEFAULTS, keys};
use tracing_subscriber::layer::SubscriberExt;

use crate::tenancy::{NOW, call, cloud, of_role, params, role};

/// Numbers its credentials, which have no expiry.
#[derive(Clone, Debug, Default)]
struct Numbered(Arc<AtomicUsize>);

impl ProvideCredentials for Numbered {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let number = self.0.fetch_add(1, Relaxed);
        future::ProvideCredentials::ready(Ok(keys(&format!("number{number}"))))
    }
}

/// A base configuration of `aws_config`'s loader.
async fn loaded(cloud: &Cloud, provider: Numbered) -> SdkConfig {
    let base = aws_config::defaults(BehaviorVersion::latest())
        .region("us-east-1")
        .credentials_provider(provider)
        .http_client(cloud.clone())
        .time_source(cloud.clock().clone())
        .sleep_impl(TokioSleep::new())
        .load()
        .await;
    assert!(base.identity_cache().is_some(), "the shape of `load_defaults`");
    base
}

// Proves T10.
#[tokio::test]
async fn credentials_of_a_loaded_base_are_invalidated() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let provider = Numbered::default();
    let session = Session::new(&loaded(&cloud, provider.clone()).await);
    let base = params::<S3>().build().unwrap();
    let held = session.client(&base).await.unwrap();
    call(&held).await;
    call(&held).await;
    assert_eq!(provider.0.load(Relaxed), 1);
    drop(session.invalidate_credentials(&base));
    call(&session.client(&base).await.unwrap()).await;
    assert_eq!(cloud.last().signer.as_deref(), Some("number1"));
    call(&held).await;
    assert_eq!((cloud.last().signer.as_deref(), provider.0.load(Relaxed)), (Some("number1"), 2));
}

// Proves T10.
/// Runs the suites in a child process, in which base configurations have an identity cache.
#[test]
fn the_suites_hold_over_a_base_of_load_defaults() {
    if std::env::var_os(LIKE_LOAD_DEFAULTS).is_some() {
        return;
    }
    let suites = [
        "scopes::",
        "session::",
        "invalidation::",
        "expired_tokens::",
        "revocation::",
        "ready_all::",
        "credentials_progress::",
        "load_permits::",
        "credentials_weather::",
    ];
    let child =
        Command::new(std::env::current_exe().unwrap()).args(suites).env(LIKE_LOAD_DEFAULTS, "1").output().unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{output}");
    for suite in suites {
        assert!(output.contains(&format!("test {suite}")), "no test of {suite} ran: {output}");
    }
}

/// The messages of all warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<String>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Warnings {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if *event.metadata().level() == tracing::Level::WARN {
            let text = &mut *self.0.lock().unwrap();
            event.record(&mut |_: &tracing::field::Field, value: &dyn std::fmt::Debug| {
                write!(text, "{value:?} ").unwrap();
            });
        }
    }
}

/// Returns the warnings of presigning a request for an hour.
async fn presigned(session: &Session, params: &ClientParams<S3>) -> String {
    let warnings = Warnings::default();
    let s3 = session.client(params).await.unwrap();
    let _subscribed = tracing::subscriber::set_default(tracing_subscriber::registry().with(warnings.clone()));
    let hour = PresigningConfig::builder().start_time(time(NOW)).expires_in(Duration::from_hours(1)).build().unwrap();
    let url = s3.get_object().bucket("bucket").key("key").presigned(hour).await.unwrap();
    assert!(url.uri().contains("X-Amz-Expires=3600"), "{}", url.uri());
    let warnings = warnings.0.lock().unwrap();
    warnings.clone()
}

// The SDK would panic when it signs with the key id.
#[tokio::test]
async fn loaded_credentials_that_no_header_can_contain_are_an_error() {
    let (cloud, session) = cloud();
    let invalid = Credentials::new("AKID\n", "the secret", None, None, "test");
    let provider = SharedCredentialsProvider::new(invalid);
    let hub = || params::<S3>().credentials_provider(provider.clone());
    for params in [hub().build().unwrap(), hub().assume_role(role("tenant")).build().unwrap()] {
        let error = session.ready(&params).await.unwrap_err();
        let shown = format!("{error:?} {}", aws_sdk_s3::error::DisplayErrorContext(&error));
        assert!(
            shown.contains("control characters") && !shown.contains("AKID") && !shown.contains("secret"),
            "{shown}"
        );
        let s3 = session.client(&params).await.unwrap();
        s3.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
    }
    assert!(cloud.requests().is_empty());
}

// Proves T11.
#[tokio::test]
async fn credentials_without_an_expiry_get_none() {
    let (_, session) = cloud();
    let short = role("tenant").session_length(Duration::from_mins(15));
    let short = params::<S3>().assume_role(short).build().unwrap();
    assert!(presigned(&session, &short).await.contains("expire"), "a role's credentials end early");
    let provider = SharedCredentialsProvider::new(Numbered::default());
    let endless =
        [params().build(), params().credentials(keys("own")).build(), params().credentials_provider(provider).build()];
    for params in endless {
        assert_eq!(presigned(&session, &params.unwrap()).await, "");
    }
}

// Proves T8.
#[tokio::test]
async fn credentials_without_an_expiry_are_loaded_anew_after_a_while() {
    let (cloud, session) = cloud();
    let provider = Numbered::default();
    let params = params::<S3>().credentials_provider(SharedCredentialsProvider::new(provider.clone())).build().unwrap();
    let s3 = session.ready(&params).await.unwrap();
    for (seconds, loads) in [(0, 1), (899, 1), (1, 2), (899, 2), (1, 3)] {
        cloud.clock().advance(seconds);
        call(&s3).await;
        assert_eq!(provider.0.load(Relaxed), loads, "after {seconds} seconds");
    }
}

/// A provider that never answers.
#[derive(Debug)]
struct Never;

impl ProvideCredentials for Never {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(std::future::pending())
    }
}

// Proves T10, T11.
#[tokio::test]
async fn a_base_without_a_clock_and_a_sleep_has_those_of_the_system() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let cloud = Cloud::new(&Clock::at(now.as_secs()));
    let mut base = cloud.config().to_builder();
    base.set_time_source(None).set_sleep_impl(None);
    let base = base.build();
    let session = Session::builder(&base).load_timeout(Duration::from_millis(50)).build();
    drop(session.ready(&of_role("tenant")).await.unwrap());
    let of_session = cloud.last_assumed();
    call(&of_role("tenant").client(&base).await.unwrap()).await;
    for assumed in [of_session, cloud.last_assumed()] {
        let (_, millis) = assumed.form["RoleSessionName"].rsplit_once('-').expect("the name ends with the time");
        assert!(millis.parse::<u128>().unwrap() >= now.as_millis(), "{millis}");
    }
    let hanging = params::<S3>().credentials_provider(SharedCredentialsProvider::new(Never)).build().unwrap();
    let ready = tokio::time::timeout(Duration::from_mins(1), session.ready(&hanging)).await;
    let error = ready.expect("the load has a timeout").unwrap_err().to_string();
    assert!(error.contains("timed out"), "{error}");
}

// Proves T11.
#[tokio::test]
async fn the_error_of_a_timeout_names_the_duration() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let base = cloud.config().to_builder().sleep_impl(TokioSleep::new()).build();
    let session = Session::builder(&base).load_timeout(Duration::from_millis(1_200)).build();
    let provider = SharedCredentialsProvider::new(Never);
    let direct = params::<S3>().credentials_provider(provider.clone()).build().unwrap();
    let by_role = params::<S3>().credentials_provider(provider).assume_role(role("tenant")).build().unwrap();
    let error = session.ready(&direct).await.unwrap_err();
    let SessionError::Credentials { cause, .. } = &error else { panic!("{error:?}") };
    let CredentialsError::ProviderTimedOut(details) = &**cause else { panic!("{cause:?}") };
    assert_eq!(details.timeout_duration(), Duration::from_millis(1_200));
    assert_eq!(error.code(), None, "AWS has not answered");
    let shown = format!("{}", aws_sdk_s3::error::DisplayErrorContext(&error));
    assert!(shown.contains("timed out after 1 seconds"), "{shown}");
    let error = session.ready(&by_role).await.unwrap_err();
    assert_eq!(error.code(), None);
    let shown = format!("{}", aws_sdk_s3::error::DisplayErrorContext(&error));
    assert!(shown.contains("timed out after 1 seconds"), "{shown}");
}

#[tokio::test]
async fn a_role_of_another_partition_is_refused() {
    let (_, session) = cloud();
    let arn = |partition: &str| format!("arn:{partition}:iam::123456789012:role/tenant");
    let of = |partition: &str| aws_client_cache::AssumeRole::new(arn(partition));
    let refused = async |role| {
        let params = params::<S3>().assume_role(role).build().unwrap();
        session.client(&params).await.err().map(|error| error.to_string())
    };
    let expected =
        Some("invalid assume_role: the role and the region of STS belong to different partitions".to_owned());
    assert_eq!(refused(of("aws-cn")).await, expected);
    assert_eq!(refused(of("aws-us-gov")).await, expected);
    assert_eq!(refused(of("aws-cn").region("us-gov-west-1")).await, expected);
    assert_eq!(refused(of("aws").region("cn-north-1")).await, expected);
    for accepted in [
        of("aws"),
        of("aws").region("eu-central-1"),
        of("aws-cn").region("cn-north-1"),
        of("aws-us-gov").region("us-gov-east-1"),
        of("aws-iso-b").region("us-isob-east-1"),
        of("other"),
    ] {
        assert_eq!(refused(accepted).await, None);
    }
    assert!(session.client(&of_role("tenant")).await.is_ok());
}

/// An implementation of STS at another endpoint may have other partitions.
#[tokio::test]
async fn a_role_at_an_endpoint_may_be_of_any_partition() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let elsewhere = aws_client_cache::AssumeRole::new("arn:aws-cn:iam::123456789012:role/tenant");
    let at_endpoint = elsewhere.clone().endpoint_url("https://sts.example.com");
    let with_base_endpoint = cloud.config().to_builder().endpoint_url("https://aws.example.com").build();
    for (base, role) in [(cloud.config(), at_endpoint), (with_base_endpoint, elsewhere)] {
        let params = params::<S3>().assume_role(role).build().unwrap();
        Session::new(&base).client(&params).await.unwrap();
    }
}

// Proves T10.
#[tokio::test]
async fn a_client_is_ready_without_credentials_of_the_base() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let mut base = cloud.config().to_builder();
    base.set_credentials_provider(None);
    let session = Session::new(&base.build());
    let own = params::<S3>().customize("own", |builder| builder.credentials_provider(keys("own"))).build().unwrap();
    call(&session.ready(&own).await.unwrap()).await;
    assert_eq!(cloud.last().signer.as_deref(), Some("own"));
    let anonymous = params::<S3>().anonymous().build().unwrap();
    call(&session.ready(&anonymous).await.unwrap()).await;
    assert_eq!(cloud.last().signer, None);
    assert!(session.ready(&of_role("tenant")).await.is_err(), "a role needs credentials");
}

/// Counts the identities that it is asked for.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicUsize>);

impl ResolveCachedIdentity for Counting {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        self.0.fetch_add(1, Relaxed);
        IdentityFuture::new(async move { resolver.resolve_identity(components, config).await })
    }
}

// It would grow with each role, since the source of each call is a new provider.
#[tokio::test]
async fn calls_of_sts_use_no_identity_cache_of_the_base() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let (mut base, counting) = (cloud.config().to_builder(), Counting::default());
    base.set_identity_cache(Some(SharedIdentityCache::new(counting.clone())));
    let session = Session::new(&base.build());
    let chained = params::<S3>().assume_role(role("spoke").source_role(role("hub"))).build().unwrap();
    for params in [of_role("tenant"), chained] {
        call(&session.ready(&params).await.unwrap()).await;
    }
    assert_eq!((cloud.all_assumed(), counting.0.load(Relaxed)), (3, 0));
}

static OWN_LOADS: AtomicUsize = AtomicUsize::new(0);

/// A provider for a customization, which must not capture anything.
#[derive(Debug)]
struct Own;

impl ProvideCredentials for Own {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        OWN_LOADS.fetch_add(1, Relaxed);
        future::ProvideCredentials::ready(Ok(keys("own")))
    }
}

#[tokio::test]
async fn credentials_that_a_customization_sets_are_loaded_once() {
    let (cloud, session) = cloud();
    let tenant = params::<S3>().assume_role(role("tenant"));
    let own = tenant.customize("own", |builder| builder.credentials_provider(Own)).build().unwrap();
    let s3 = session.client(&own).await.unwrap();
    for _ in 0..3 {
        call(&s3).await;
        assert_eq!(cloud.last().signer.as_deref(), Some("own"));
    }
    assert_eq!(OWN_LOADS.load(Relaxed), 1);
}

#[tokio::test]
async fn fips_of_the_base_applies_to_sts_and_that_of_the_parameters_does_not() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::new(&cloud.config());
    let tenant = params::<S3>().use_fips(true).assume_role(role("tenant")).build().unwrap();
    call(&session.ready(&tenant).await.unwrap()).await;
    assert_eq!(cloud.last_assumed().uri, "https://sts.us-east-1.amazonaws.com/");
    assert!(cloud.last().uri.contains("s3-fips"), "{}", cloud.last().uri);
    let mut base = cloud.config().to_builder();
    base.set_use_fips(Some(true));
    drop(Session::new(&base.build()).ready(&of_role("tenant")).await.unwrap());
    assert_eq!(cloud.last_assumed().uri, "https://sts-fips.us-east-1.amazonaws.com/");
}

// The session cannot reach the cache of such a client; the documentation says so.
#[tokio::test]
async fn a_client_with_an_identity_cache_of_its_own_keeps_credentials() {
    let (cloud, session) = cloud();
    let tenant = params::<S3>()
        .assume_role(role("tenant"))
        .customize("own", |builder| builder.identity_cache(IdentityCache::lazy().build()))
        .build()
        .unwrap();
    let s3 = session.client(&tenant).await.unwrap();
    call(&s3).await;
    drop(session.invalidate_credentials(&tenant));
    call(&s3).await;
    assert_eq!(cloud.assumed("tenant"), 1);
    call(&session.client(&tenant).await.unwrap()).await;
    assert_eq!(cloud.assumed("tenant"), 2, "new clients sign with new credentials");
}

// SECURITY.md says so, under "Customizations".
#[tokio::test]
async fn a_client_with_its_own_credentials_or_identity_cache_signs_after_it_is_revoked() {
    let (cloud, session) = cloud();
    let tenant = || params::<S3>().assume_role(role("tenant"));
    let plain = tenant().build().unwrap();
    let keyed = tenant().customize("keys", |builder| builder.credentials_provider(keys("own"))).build().unwrap();
    let cached = tenant().customize("cache", |builder| builder.identity_cache(IdentityCache::lazy().build()));
    let cached = cached.build().unwrap();
    let mut held = Vec::new();
    for (params, signer) in [(&keyed, "own"), (&cached, "tenant by base"), (&plain, "tenant by base")] {
        let s3 = session.client(params).await.unwrap();
        call(&s3).await;
        assert_eq!(cloud.last().signer.as_deref(), Some(signer));
        held.push((s3, signer));
    }
    assert_eq!(session.revoke(&plain).len(), 3, "the customizations do not change the scope");
    let (of_session, _) = held.pop().unwrap();
    cloud.requests();
    assert!(of_session.delete_object().bucket("bucket").key("key").send().await.is_err());
    assert_eq!(cloud.requests(), [], "the control signs nothing");
    for (s3, signer) in held {
        call(&s3).await;
        assert_eq!(cloud.last().signer.as_deref(), Some(signer));
    }
    for params in [&plain, &keyed, &cached] {
        let error = session.client(params).await.unwrap_err();
        assert!(is_revoked(&error), "no new client is created: {error}");
    }
}

// SECURITY.md says so, under "Configurations that the SDK refuses".
#[tokio::test]
async fn a_configuration_that_the_sdk_refuses_by_a_panic_is_an_error_of_a_usable_session() {
    let (_cloud, session) = cloud();
    let refused = params::<S3>().assume_role(role("tenant")).customize("no version", |mut builder| {
        builder.set_behavior_version(None);
        builder
    });
    let refused = refused.build().unwrap();
    for _ in 0..2 {
        let error = session.client(&refused).await.unwrap_err();
        assert!(matches!(error, SessionError::Cache(ClientCacheError::CreationFailed { .. })), "{error:?}");
        assert_eq!(session.cache().check(), Ok(()));
        assert_eq!((session.cache().len(), session.scopes()), (0, (0, 1)));
    }
    call(&session.ready(&of_role("tenant")).await.unwrap()).await;
    assert_eq!((session.cache().len(), session.scopes()), (1, (1, 0)));
}

/// An error whose `Debug` shows a secret.
#[derive(Debug)]
struct OwnError {
    #[expect(dead_code, reason = "shown by `Debug`")]
    key: &'static str,
}

impl std::fmt::Display for OwnError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the vault is sealed")
    }
}

impl std::error::Error for OwnError {}

type Kind = fn(OwnError) -> CredentialsError;

#[derive(Debug)]
struct Sealed(Kind);

impl ProvideCredentials for Sealed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(self.0(OwnError { key: "hunter2" })))
    }
}

// Proves K4.
#[tokio::test]
async fn an_error_of_a_provider_keeps_its_kind_and_message_but_not_its_type() {
    let (_cloud, session) = cloud();
    let kinds: [Kind; 4] = [
        CredentialsError::not_loaded,
        CredentialsError::invalid_configuration,
        CredentialsError::provider_error,
        CredentialsError::unhandled,
    ];
    for kind in kinds {
        let provider = SharedCredentialsProvider::new(Sealed(kind));
        let tenant = params::<S3>().credentials_provider(provider).build().unwrap();
        let error = session.ready(&tenant).await.unwrap_err();
        let shown = format!("{error:?} {}", aws_sdk_s3::error::DisplayErrorContext(&error));
        assert!(shown.contains("the vault is sealed") && !shown.contains("hunter2"), "{shown}");
        let SessionError::Credentials { cause, .. } = error else { panic!("{error}") };
        assert_eq!(discriminant(&*cause), discriminant(&kind(OwnError { key: "" })), "{cause:?}");
        assert!(std::error::Error::source(&*cause).is_some_and(|source| !source.is::<OwnError>()));
    }
}

/// Stands for methods that the SDK's trait may get.
trait NotYetInTheSdk {
    fn invalidate(&self) {}
}

impl NotYetInTheSdk for SharedIdentityCache {}

// Proves T12: if this does not compile (E0034), the SDK's trait has the method, and both identity caches must forward
// it.
#[test]
fn the_identity_caches_forward_all_methods_of_the_trait() {
    #[expect(unused_imports, reason = "its methods are looked up")]
    use aws_smithy_runtime_api::client::identity::ResolveCachedIdentity;

    IdentityCache::lazy().build().invalidate();
}
