//! `Session` against a fake AWS: an HTTP client in this process that records who signed each request.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_client_cache::{
    AssumeRole, ClientCacheError, ClientParams, Credentials, Region, S3, SdkConfig, Service, Session, SessionError,
    SharedCredentialsProvider,
};
use aws_credential_types::provider::{ProvideCredentials, future};
use support::clock::{Clock, time};
use support::cloud::{Cloud, keys};

use crate::tenancy::{NOW, Sts, all, call, cloud, of_role, params, role, signer};

mod the_client {
    use super::*;

    #[tokio::test]
    async fn a_client_is_created_once_and_cached() {
        let (cloud, session) = cloud();
        let params = of_role("tenant");
        session.client(&params).await.unwrap();
        assert_eq!(session.cache().len(), 1);
        let same = session.clone().client(&params).await.unwrap();
        call(&same).await;
        assert!(session.cache().contains_key(&params.key()));
        assert_eq!(cloud.last().signer.as_deref(), Some("tenant by base"));
    }

    // Proves T5.
    #[tokio::test]
    async fn creating_a_client_sends_no_request() {
        let (cloud, session) = cloud();
        session.client(&of_role("tenant")).await.unwrap();
        assert_eq!((cloud.all_assumed(), cloud.requests()), (0, Vec::new()));
    }

    #[tokio::test]
    async fn a_hit_does_not_suspend() {
        let (_, session) = cloud();
        let params = of_role("tenant");
        session.client(&params).await.unwrap();
        let again = pin!(session.client(&params));
        assert!(matches!(again.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_))));
    }

    #[tokio::test]
    async fn the_future_of_client_is_small() {
        let (_, session) = cloud();
        let params = of_role("tenant");
        let sizes = [size_of_val(&session.client(&params)), size_of_val(&session.ready(&params))];
        assert!(sizes[0] <= 1_024 && sizes[1] <= 2_048, "{sizes:?}");
    }

    /// Counts the clients that are created.
    enum Counted {}

    static MADE: AtomicUsize = AtomicUsize::new(0);

    impl Service for Counted {
        type Client = usize;
        type ConfigBuilder = SdkConfig;
        const NAME: &'static str = "Counted";

        fn config_builder(config: &SdkConfig) -> SdkConfig {
            config.clone()
        }

        fn client(_: SdkConfig) -> usize {
            MADE.fetch_add(1, Relaxed)
        }

        fn region(_: &usize) -> Option<&Region> {
            None
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_thousand_concurrent_callers_share_one_creation() {
        let (_, session) = cloud();
        let params: ClientParams<Counted> = params().assume_role(role("tenant")).build().unwrap();
        let start = Arc::new(tokio::sync::Barrier::new(1_000));
        let tasks: Vec<_> = (0..1_000)
            .map(|_| {
                let (session, params, start) = (session.clone(), params.clone(), Arc::clone(&start));
                tokio::spawn(async move {
                    start.wait().await;
                    session.client(&params).await.unwrap()
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 0);
        }
        assert_eq!(MADE.load(Relaxed), 1);
    }

    #[tokio::test]
    async fn generic_code_can_spawn_the_future_of_client() {
        async fn in_region<S: Service>(session: Session, region: &'static str) -> Result<(), SessionError> {
            let params = ClientParams::<S>::builder().region(region).build()?;
            session.client(&params).await.map(drop)
        }
        let (_, session) = cloud();
        let s3 = tokio::spawn(in_region::<S3>(session.clone(), "eu-west-1"));
        let sts = tokio::spawn(in_region::<Sts>(session.clone(), "eu-west-1"));
        s3.await.unwrap().unwrap();
        sts.await.unwrap().unwrap();
        assert_eq!(session.cache().len(), 2);
    }

    #[tokio::test]
    async fn errors_name_the_setting_that_the_base_lacks() {
        let config = Cloud::new(&Clock::at(NOW)).config();
        let lacking = |lack: fn(&mut aws_types::sdk_config::Builder)| {
            let mut config = config.to_builder();
            lack(&mut config);
            config.build()
        };
        let refused = async |base: SdkConfig, params: ClientParams<S3>| {
            let session = Session::new(&base);
            let error = session.client(&params).await.unwrap_err().to_string();
            assert!(session.cache().is_empty() && session.scopes() == (0, 0));
            assert_eq!(params.client(&base).await.unwrap_err().to_string(), error);
            error
        };
        let no_region = lacking(|config| {
            config.set_region(None);
        });
        let error = refused(no_region.clone(), params().build().unwrap()).await;
        assert_eq!(error, "invalid region: neither the parameters nor the base configuration sets one");
        let error = refused(no_region, params().region("eu-west-1").assume_role(role("tenant")).build().unwrap()).await;
        assert_eq!(error, "invalid assume_role: neither the role nor the base configuration sets a region");
        let no_credentials = lacking(|config| {
            config.set_credentials_provider(None);
        });
        let error = refused(no_credentials, of_role("tenant")).await;
        assert_eq!(error, "invalid assume_role: the base configuration has no credentials to assume the role with");
        let nothing = SdkConfig::builder().build();
        let error = refused(nothing, params().region("eu-west-1").assume_role(role("tenant")).build().unwrap()).await;
        assert_eq!(error, "invalid behavior_version: the base configuration does not set one");
    }
}

mod what_fails {
    use super::*;

    // Proves T1, T9: all waiters share a failure.
    #[tokio::test]
    async fn all_waiters_share_one_failed_load() {
        let (cloud, session) = cloud();
        for role in ["refused", "hub"] {
            cloud.refuse(role);
        }
        let without_backoff = Session::builder(&cloud.config()).load_backoff(Duration::ZERO).build();
        let s3 = without_backoff.client(&of_role("refused")).await.unwrap();
        let behind_the_hub: Vec<ClientParams<S3>> = (0..50)
            .map(|tenant| {
                params().assume_role(role(&format!("tenant{tenant}")).source_role(role("hub"))).build().unwrap()
            })
            .collect();
        for round in 1..3 {
            let refused = all(&cloud, (0..50).map(|_| s3.delete_object().bucket("bucket").key("key").send())).await;
            assert!(refused.iter().all(Result::is_err));
            assert_eq!(cloud.assumed("refused"), 2 * round - 1);
            let params = of_role("refused");
            let refused = all(&cloud, (0..50).map(|_| without_backoff.ready(&params))).await;
            assert!(refused.iter().all(Result::is_err));
            assert_eq!(cloud.assumed("refused"), 2 * round);
            let tenants = behind_the_hub.iter().map(async |params| {
                let s3 = session.client(params).await.unwrap();
                s3.delete_object().bucket("bucket").key("key").send().await
            });
            assert!(all(&cloud, tenants).await.iter().all(Result::is_err));
            assert_eq!(cloud.assumed("hub"), round);
            cloud.clock().advance(60);
        }
    }

    // Proves T7, T9.
    #[tokio::test]
    async fn a_failed_load_wakes_every_task_that_waits() {
        let (cloud, session) = cloud();
        cloud.refuse("refused");
        let hold = cloud.hold().await;
        let ready = |session: Session| async move { session.ready(&of_role("refused")).await.is_err() };
        let tasks: Vec<_> = (0..50).map(|_| tokio::spawn(ready(session.clone()))).collect();
        for _ in 0..100 {
            tokio::task::yield_now().await; // until all tasks wait
        }
        drop(hold);
        for task in tasks {
            let ended = tokio::time::timeout(Duration::from_mins(1), task).await;
            assert!(ended.expect("no task waits forever").unwrap());
        }
        assert_eq!(cloud.assumed("refused"), 1);
    }

    // Proves K4: the SDK's error contains the whole response, including the keys.
    #[tokio::test]
    async fn an_unreadable_response_reveals_no_secret() {
        let (cloud, session) = cloud();
        cloud.garble("garbled");
        let error = session.ready(&of_role("garbled")).await.unwrap_err();
        let s3 = session.client(&of_role("garbled")).await.unwrap();
        let of_request = s3.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
        let low_level = of_role("garbled").client(&cloud.config()).await.unwrap();
        let of_low_level = low_level.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
        let shown = format!("{error:?} {error:#?} {of_request:?} {of_low_level:?}");
        let chain = format!("{}", aws_sdk_s3::error::DisplayErrorContext(&error));
        for shown in [shown, chain] {
            assert!(!shown.contains("the secret of") && !shown.contains("the token of"), "{shown}");
            assert!(shown.contains("Expiration") || shown.contains("timestamp") || shown.contains("never"), "{shown}");
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

    /// Every sleep ends at once.
    #[derive(Debug)]
    struct Hasty;

    impl aws_smithy_async::rt::sleep::AsyncSleep for Hasty {
        fn sleep(&self, _: Duration) -> aws_smithy_async::rt::sleep::Sleep {
            aws_smithy_async::rt::sleep::Sleep::new(std::future::ready(()))
        }
    }

    // Proves T5.
    #[tokio::test]
    async fn a_provider_that_never_answers_times_out() {
        let cloud = Cloud::new(&Clock::at(NOW));
        let config = cloud.config().to_builder().sleep_impl(Hasty).build();
        let session = Session::builder(&config).max_concurrent_loads(1).build();
        let never = params::<S3>().credentials_provider(SharedCredentialsProvider::new(Never)).build().unwrap();
        let refused = session.ready(&never).await.unwrap_err();
        assert!(matches!(refused, SessionError::Credentials { .. }), "{refused:?}");
        assert_eq!(refused.code(), None, "a timeout is not a refusal");
    }

    // Proves T5.
    // Waiters of a scope hold no permit of `ready`, so the other scopes load, as well as a shared source role.
    #[tokio::test]
    async fn a_provider_that_never_answers_delays_only_its_own_scope() {
        let cloud = Cloud::new(&Clock::at(NOW));
        let session = Session::builder(&cloud.config()).max_size(100).max_concurrent_loads(2).build();
        let never = params::<S3>().credentials_provider(SharedCredentialsProvider::new(Never)).build().unwrap();
        for _ in 0..50 {
            let (session, never) = (session.clone(), never.clone());
            tokio::spawn(async move { session.ready(&never).await.map(drop) });
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        session.ready(&of_role("tenant")).await.unwrap();
    }

    // Proves K5.
    #[tokio::test]
    async fn a_chain_of_too_many_roles_is_refused() {
        let chain = |length: usize| (1..length).fold(role("role"), |chain, _| role("role").source_role(chain));
        assert!(params::<S3>().assume_role(chain(16)).build().is_ok());
        for length in [17, 18, 100_000] {
            let refused = params::<S3>().assume_role(chain(length)).build().unwrap_err();
            assert_eq!(refused.to_string(), "invalid source_role: at most 16 roles can be chained");
        }
    }

    // The SDK would panic.
    #[tokio::test]
    async fn extreme_expiries_do_not_panic() {
        let shifts = || (0..63).rev().map(|shift| Duration::from_secs(1 << shift));
        let first = shifts().fold(time(0), |time, shift| time.checked_sub(shift).unwrap_or(time));
        let last = shifts().fold(time(0), |time, shift| time.checked_add(shift).unwrap_or(time));
        let (cloud, session) = cloud();
        for expiry in [first, last] {
            let keys = Credentials::new("keys", "secret", None, Some(expiry), "test");
            let provider = SharedCredentialsProvider::new(keys);
            let params = params().credentials_provider(provider).build().unwrap();
            for _ in 0..2 {
                assert_eq!(signer(&cloud, &session, &params).await.as_deref(), Some("keys"));
                session.ready(&params).await.unwrap();
            }
        }
    }
}

mod ready {
    use super::*;

    // Proves T5.
    #[tokio::test]
    async fn ready_loads_the_credentials_for_the_first_request() {
        let (cloud, session) = cloud();
        let params = of_role("tenant");
        let s3 = session.ready(&params).await.unwrap();
        assert_eq!((cloud.all_assumed(), cloud.requests()), (1, Vec::new()));
        call(&s3).await;
        session.ready(&params).await.unwrap();
        assert_eq!(cloud.all_assumed(), 1);
        for params in [super::params::<S3>().build(), super::params().anonymous().build()] {
            session.ready(&params.unwrap()).await.unwrap();
        }
    }

    // Proves T5.
    #[tokio::test]
    async fn ready_fails_for_a_refused_role_and_caches_nothing() {
        let (cloud, session) = cloud();
        cloud.refuse("tenant");
        let refused = session.ready(&of_role("tenant")).await.unwrap_err();
        assert_eq!(
            refused.to_string().split('#').next(),
            Some("failed to load the credentials of S3(credentials=role:arn:aws:iam::123456789012:role/tenant"),
        );
        let SessionError::Credentials { key, .. } = &refused else { panic!("{refused:?}") };
        assert_eq!(*key, of_role("tenant").key().into());
        assert_eq!(refused.code(), Some("AccessDenied"));
        let behind_it = params::<S3>().assume_role(role("other").source_role(role("tenant"))).build().unwrap();
        assert_eq!(session.ready(&behind_it).await.unwrap_err().code(), Some("AccessDenied"));
        assert!(session.cache().is_empty());
        // A client of `ClientParams::client` fails at its first request.
        let s3 = session.client(&of_role("tenant")).await.unwrap();
        s3.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
    }

    // Proves T5.
    #[tokio::test(flavor = "multi_thread")]
    async fn ready_limits_concurrent_loads() {
        let cloud = Cloud::new(&Clock::at(NOW));
        for (max_concurrent_loads, most) in [(3, 3), (0, 1)] {
            let cloud = Cloud::new(cloud.clock());
            let session =
                Session::builder(&cloud.config()).max_size(100).max_concurrent_loads(max_concurrent_loads).build();
            let tasks: Vec<_> = (0..50)
                .map(|tenant| {
                    let session = session.clone();
                    tokio::spawn(async move { session.ready(&of_role(&format!("tenant{tenant}"))).await.map(drop) })
                })
                .collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
            assert_eq!(cloud.all_assumed(), 50);
            assert!(cloud.most_assuming() <= most, "{}", cloud.most_assuming());
        }
    }
}

mod static_credentials_that_expire {
    use super::*;

    fn until(seconds: u64) -> ClientParams<S3> {
        let keys = Credentials::new("ASIA", "secret", Some("token".into()), Some(time(seconds)), "test");
        params().credentials(keys).build().unwrap()
    }

    // Proves E2.
    #[tokio::test]
    async fn expired_static_credentials_are_refused() {
        let (cloud, session) = cloud();
        let params = until(NOW + 100);
        signer(&cloud, &session, &params).await;
        cloud.clock().advance(99);
        session.client(&params).await.unwrap();
        cloud.clock().advance(1);
        let refused = session.client(&params).await;
        assert!(matches!(refused, Err(SessionError::Cache(ClientCacheError::CredentialsExpired { .. }))), "E2");
        assert!(session.cache().is_empty(), "E3");
        let keys = Credentials::new("ASIA", "secret", Some("token".into()), Some(time(NOW + 100)), "test");
        let with_a_role = super::params().credentials(keys).assume_role(role("tenant")).build().unwrap();
        for params in [params, with_a_role] {
            let refused = session.ready(&params).await;
            assert!(matches!(refused, Err(SessionError::Cache(ClientCacheError::CredentialsExpired { .. }))), "E2");
        }
        assert_eq!(cloud.all_assumed(), 0);
    }
}

mod one_http_client {
    use super::*;

    // Proves T4.
    #[tokio::test]
    async fn the_http_client_is_validated_once() {
        let (cloud, session) = cloud();
        for tenant in 0..10 {
            signer(&cloud, &session, &of_role(&format!("tenant{tenant}"))).await;
        }
        assert_eq!(cloud.validations(), 1);
        of_role("tenant").client(&cloud.config()).await.unwrap();
        assert!(cloud.validations() > 1, "clients created manually validate it each");
    }

    // Proves T4.
    #[tokio::test]
    async fn the_http_client_validates_operations_and_names_itself() {
        let (cloud, session) = cloud();
        signer(&cloud, &session, &of_role("tenant")).await;
        let before = cloud.final_validations();
        signer(&cloud, &session, &of_role("tenant")).await;
        assert_eq!(cloud.final_validations(), before + 1);
        let user_agent = cloud.last().user_agent;
        assert!(user_agent.contains("cloud"), "{user_agent}");
    }

    // Proves T4.
    #[tokio::test]
    async fn the_default_http_client_is_used_if_the_base_has_none() {
        let (cloud, _) = cloud();
        let mut config = cloud.config().to_builder();
        config.set_http_client(None);
        let session = Session::new(&config.build());
        let one = session.client(&params::<S3>().region("eu-west-1").build().unwrap()).await.unwrap();
        let two = session.client(&of_role("tenant")).await.unwrap();
        let debug = |s3: &aws_sdk_s3::Client| format!("{:?}", s3.config());
        for shown in [debug(&one), debug(&two)] {
            assert!(shown.contains("ValidatedOnce"), "{shown}");
        }
    }
}

// Proves K4.
#[tokio::test]
async fn no_public_item_shows_a_secret() {
    let (_, session) = cloud();
    let secret = |role: AssumeRole| role.external_id("SECRETID").policy("SECRETPOLICY").tags([("a", "SECRETTAG")]);
    let role = secret(role("tenant").source_role(secret(role("hub"))));
    let builder = params::<S3>().credentials(keys("SECRETKEY")).assume_role(role.clone());
    let shown = format!("{role:?} {builder:?}");
    let params = builder.build().unwrap();
    let client = session.client(&params).await.unwrap();
    let ready = session.ready(&params).await.unwrap();
    drop((client, ready));
    let refused = session.cache().insert(params.key(), params.client(&cloud().0.config()).await.unwrap());
    let shown = format!(
        "{shown} {params:?} {session:?} {:?} {} {:?} {:?} {refused:?}",
        Session::builder(&cloud().0.config()),
        params.key(),
        session.cache().items(),
        session.cache().clients::<S3>(),
    );
    assert!(!shown.contains("SECRET"), "{shown}");
    assert!(shown.contains("role:arn:aws:iam::123456789012:role/tenant#"), "{shown}");
    assert_eq!(format!("{session:?}"), format!("Session({:?})", session.cache()));
    assert!(shown.contains("SessionBuilder { config: SessionConfig { policy: Lru, max_size: 128,"), "{shown}");
}

// Proves K4.
// The `Debug` of the SDK's configuration shows everything, down to access key ids.
#[tokio::test]
async fn the_configuration_of_a_client_shows_no_cached_credentials() {
    let (_, session) = cloud();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    call(&s3).await;
    let of_base = session.client(&params::<S3>().build().unwrap()).await.unwrap();
    let shown = format!("{s3:?} {:?} {of_base:?} {:?}", s3.config(), of_base.config());
    for owner in ["CachedCredentials", "ScopedIdentityCache", "LeasedIdentityCache", "ExpiredTokens"] {
        assert!(shown.contains(owner), "{owner}: {shown}");
    }
    assert!(format!("{:?}", keys("base")).contains("access_key_id"), "credentials would show it");
    assert!(!shown.contains("access_key_id"), "credentials are shown");
}
