//! `Session` on AWS as an HTTP client in this process, which tells who signed what.

#![cfg(all(feature = "s3", feature = "rt-tokio", feature = "default-https-client"))]

mod support;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_client_cache::{
    AssumeRole, ClientCacheError, ClientParams, ClientParamsBuilder, Credentials, EvictionPolicy, Region, S3,
    SdkConfig, Service, Session, SessionError, SharedCredentialsProvider,
};
use aws_credential_types::provider::{ProvideCredentials, future};
use support::clock::{Clock, time};
use support::cloud::{Cloud, keys};

aws_client_cache::service!(
    /// Another service, with another signing name.
    Sts = aws_sdk_sts
);

aws_client_cache::service!(
    /// S3 under another marker.
    Archive = aws_sdk_s3
);

const NOW: u64 = 1_800_000_000;

fn cloud() -> (Cloud, Session) {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::builder(&cloud.config()).max_size(100).build();
    (cloud, session)
}

fn role(name: &str) -> AssumeRole {
    AssumeRole::new(format!("arn:aws:iam::123456789012:role/{name}"))
}

fn params<S: Service>() -> ClientParamsBuilder<S> {
    ClientParams::builder()
}

fn of_role(name: &str) -> ClientParams<S3> {
    params().assume_role(role(name)).build().unwrap()
}

async fn call(s3: &aws_sdk_s3::Client) {
    s3.delete_object().bucket("bucket").key("key").send().await.unwrap();
}

/// Who signs what the client of these parameters sends.
async fn signer(cloud: &Cloud, session: &Session, params: &ClientParams<S3>) -> Option<String> {
    call(&session.client(params).await.unwrap()).await;
    cloud.last().signer
}

mod the_client {
    use super::*;

    #[tokio::test]
    async fn is_made_once_and_is_the_one_in_the_cache() {
        let (cloud, session) = cloud();
        let params = of_role("tenant");
        session.client(&params).await.unwrap();
        assert_eq!(session.cache().len(), 1);
        let same = session.clone().client(&params).await.unwrap();
        call(&same).await;
        assert!(session.cache().contains_key(&params.key()));
        assert_eq!(cloud.last().signer.as_deref(), Some("tenant by base"));
    }

    #[tokio::test]
    async fn costs_no_request_until_it_is_used() {
        let (cloud, session) = cloud();
        session.client(&of_role("tenant")).await.unwrap();
        assert_eq!((cloud.all_assumed(), cloud.requests()), (0, Vec::new()));
    }

    #[tokio::test]
    async fn that_is_there_does_not_suspend() {
        let (_, session) = cloud();
        let params = of_role("tenant");
        session.client(&params).await.unwrap();
        let again = pin!(session.client(&params));
        assert!(matches!(again.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_))));
    }

    #[tokio::test]
    async fn is_asked_for_by_a_small_future() {
        let (_, session) = cloud();
        let params = of_role("tenant");
        let sizes = [size_of_val(&session.client(&params)), size_of_val(&session.ready(&params))];
        assert!(sizes[0] <= 1_024 && sizes[1] <= 2_048, "{sizes:?}");
    }

    /// Counts how many are made.
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
    async fn is_made_once_for_a_thousand_concurrent_callers() {
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
    async fn can_be_asked_for_by_generic_code_that_is_spawned() {
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
    async fn whose_customisation_panics_harms_nobody_else() {
        let (_, session) = cloud();
        let broken = params::<S3>().customize("broken", |_| panic!("a customisation")).build().unwrap();
        let task = tokio::spawn({
            let session = session.clone();
            async move { session.client(&broken).await.map(drop) }
        });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!(session.cache().check(), Ok(()));
        session.client(&of_role("tenant")).await.unwrap();
    }

    #[tokio::test]
    async fn is_refused_by_name_for_what_the_base_lacks() {
        let config = Cloud::new(&Clock::at(NOW)).config();
        let lacking = |lack: fn(&mut aws_types::sdk_config::Builder)| {
            let mut config = config.to_builder();
            lack(&mut config);
            Session::new(&config.build())
        };
        let refused = async |session: Session, params: ClientParams<S3>| {
            let error = session.client(&params).await.unwrap_err().to_string();
            assert!(session.cache().is_empty() && session.scopes() == (0, 0));
            error
        };
        let no_region = lacking(|config| {
            config.set_region(None);
        });
        let error = refused(no_region.clone(), params().build().unwrap()).await;
        assert_eq!(error, "invalid region: neither the parameters nor the base configuration name one");
        let error = refused(no_region, params().region("eu-west-1").assume_role(role("tenant")).build().unwrap()).await;
        assert_eq!(error, "invalid assume_role: neither the role nor the base configuration name a region");
        let no_credentials = lacking(|config| {
            config.set_credentials_provider(None);
        });
        let error = refused(no_credentials, of_role("tenant")).await;
        assert_eq!(error, "invalid assume_role: the base configuration has no credentials to assume it with");
        let nothing = Session::new(&SdkConfig::builder().build());
        let error = refused(nothing, params().region("eu-west-1").assume_role(role("tenant")).build().unwrap()).await;
        assert_eq!(error, "invalid behavior_version: the base configuration names none");
    }
}

mod a_credential_scope {
    use super::*;

    #[tokio::test]
    async fn is_the_base_configurations_own_unless_parameters_say_otherwise() {
        let (cloud, session) = cloud();
        assert_eq!(signer(&cloud, &session, &params().build().unwrap()).await.as_deref(), Some("base"));
    }

    #[tokio::test]
    async fn is_of_static_credentials() {
        let (cloud, session) = cloud();
        for name in ["one", "two", "one"] {
            let params = params().credentials(keys(name)).build().unwrap();
            assert_eq!(signer(&cloud, &session, &params).await.as_deref(), Some(name));
        }
    }

    #[tokio::test]
    async fn is_of_a_provider() {
        let (cloud, session) = cloud();
        let providers = ["one", "two"].map(|name| (name, SharedCredentialsProvider::new(keys(name))));
        for (name, provider) in [&providers[0], &providers[1], &providers[0]] {
            let params = params().credentials_provider(provider.clone()).build().unwrap();
            assert_eq!(signer(&cloud, &session, &params).await.as_deref(), Some(*name));
        }
    }

    #[tokio::test]
    async fn is_nobodys_if_requests_are_anonymous() {
        let (cloud, session) = cloud();
        let params = params().anonymous().build().unwrap();
        assert_eq!(signer(&cloud, &session, &params).await, None);
        let sts = ClientParams::<Sts>::builder().anonymous().build().unwrap();
        // S3's model has operations without a signature, this one has none: the client must be allowed to.
        session.client(&sts).await.unwrap().get_caller_identity().send().await.unwrap();
        assert_eq!(cloud.last().signer, None);
    }

    #[tokio::test]
    async fn is_of_a_role_that_is_assumed_with_any_other() {
        let (cloud, session) = cloud();
        assert_eq!(signer(&cloud, &session, &of_role("role")).await.as_deref(), Some("role by base"));
        let by_keys = params().credentials(keys("one")).assume_role(role("role")).build().unwrap();
        assert_eq!(signer(&cloud, &session, &by_keys).await.as_deref(), Some("role by one"));
        let provider = SharedCredentialsProvider::new(keys("two"));
        let by_provider = params().credentials_provider(provider).assume_role(role("role")).build().unwrap();
        assert_eq!(signer(&cloud, &session, &by_provider).await.as_deref(), Some("role by two"));
        let as_agreed = params().assume_role(role("role").external_id("agreed")).build().unwrap();
        assert_eq!(signer(&cloud, &session, &as_agreed).await.as_deref(), Some("role as agreed by base"));
        let chained = params().assume_role(role("three").source_role(role("two").source_role(role("one"))));
        let chained = chained.build().unwrap();
        assert_eq!(signer(&cloud, &session, &chained).await.as_deref(), Some("three by two by one by base"));
    }

    #[tokio::test]
    async fn is_the_same_for_the_low_level_client() {
        let (cloud, _) = cloud();
        let chained = params::<S3>().assume_role(role("two").source_role(role("one"))).build().unwrap();
        call(&chained.client(&cloud.config()).await.unwrap()).await;
        assert_eq!(cloud.last().signer.as_deref(), Some("two by one by base"));
        let anonymous = params::<S3>().anonymous().build().unwrap();
        call(&anonymous.client(&cloud.config()).await.unwrap()).await;
        assert_eq!(cloud.last().signer, None);
    }

    #[tokio::test]
    async fn assumes_a_role_once_for_ten_services_and_regions() {
        let (cloud, session) = cloud();
        for region in ["us-east-1", "us-west-2", "eu-west-1", "eu-north-1"] {
            let s3 = params::<S3>().region(region).assume_role(role("tenant")).build().unwrap();
            let archive = params::<Archive>().region(region).assume_role(role("tenant")).build().unwrap();
            let sts = params::<Sts>().region(region).assume_role(role("tenant")).build().unwrap();
            call(&session.client(&s3).await.unwrap()).await;
            call(&session.client(&archive).await.unwrap()).await;
            session.client(&sts).await.unwrap().get_caller_identity().send().await.unwrap();
            assert_eq!(cloud.last().region.as_deref(), Some(region));
        }
        let requests = cloud.requests();
        assert_eq!(requests.len(), 12);
        assert!(requests.iter().all(|request| request.signer.as_deref() == Some("tenant by base")), "{requests:?}");
        assert_eq!((cloud.all_assumed(), session.cache().len(), session.scopes()), (1, 12, (1, 0)));
    }

    #[tokio::test]
    async fn that_many_are_assumed_with_is_assumed_once() {
        let (cloud, session) = cloud();
        for tenant in 0..20 {
            let tenant = format!("tenant{tenant}");
            let params = params().assume_role(role(&tenant).source_role(role("hub"))).build().unwrap();
            let expected = format!("{tenant} by hub by base");
            assert_eq!(signer(&cloud, &session, &params).await, Some(expected));
        }
        assert_eq!(signer(&cloud, &session, &of_role("hub")).await.as_deref(), Some("hub by base"));
        assert_eq!((cloud.assumed("hub"), cloud.all_assumed()), (1, 21));
    }

    #[tokio::test]
    async fn is_renewed_before_it_expires_and_not_earlier() {
        let (cloud, session) = cloud();
        let params = params().assume_role(role("tenant").source_role(role("hub"))).build().unwrap();
        for (seconds, assumed) in [(0, 1), (3_500, 1), (96, 2), (3_000, 2), (3_600, 3)] {
            cloud.clock().advance(seconds);
            signer(&cloud, &session, &params).await;
            assert_eq!((cloud.assumed("tenant"), cloud.assumed("hub")), (assumed, assumed), "after {seconds} seconds");
        }
    }

    /// What the SDK's identity caches would not show: they don't ask before they need to.
    #[tokio::test]
    async fn that_others_are_assumed_with_is_not_renewed_earlier_either() {
        let (cloud, session) = cloud();
        for (seconds, tenant, assumed) in [(0, "one", 1), (3_500, "two", 1), (90, "three", 2)] {
            cloud.clock().advance(seconds);
            let params = params().assume_role(role(tenant).source_role(role("hub"))).build().unwrap();
            signer(&cloud, &session, &params).await;
            assert_eq!(cloud.assumed("hub"), assumed, "{tenant}");
        }
    }

    /// Counts how often it is asked.
    #[derive(Debug)]
    struct CountedProvider(Arc<AtomicUsize>);

    impl ProvideCredentials for CountedProvider {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            self.0.fetch_add(1, Relaxed);
            future::ProvideCredentials::ready(Ok(keys("base")))
        }
    }

    #[tokio::test]
    async fn asks_the_base_for_credentials_once_for_all_roles() {
        let cloud = Cloud::new(&Clock::at(NOW));
        let asked = Arc::new(AtomicUsize::new(0));
        let mut config = cloud.config().to_builder();
        config.set_credentials_provider(Some(SharedCredentialsProvider::new(CountedProvider(Arc::clone(&asked)))));
        let session = Session::new(&config.build());
        for tenant in 0..20 {
            signer(&cloud, &session, &of_role(&format!("tenant{tenant}"))).await;
        }
        signer(&cloud, &session, &params().build().unwrap()).await;
        assert_eq!((asked.load(Relaxed), cloud.all_assumed()), (1, 20));
    }

    /// Each scope's requests are retried, though those of another have used up their budget.
    #[tokio::test]
    async fn that_is_throttled_starves_no_other() {
        for (has_partitions, attempts) in [(true, 3), (false, 1)] {
            let cloud = Cloud::new(&Clock::at(NOW));
            // A region of its own: without partitions, the SDK's budgets are one for the process.
            let region = if has_partitions { "eu-west-3" } else { "eu-west-2" };
            let of = |name: &str| params::<S3>().region(region).assume_role(role(name)).build().unwrap();
            let session = Session::builder(&cloud.config()).retry_partitions(has_partitions).build();
            cloud.throttle("greedy by base");
            cloud.throttle("modest by base");
            let greedy = session.client(&of("greedy")).await.unwrap();
            for _ in 0..200 {
                greedy.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
            }
            let asked = cloud.requests().len();
            assert!(asked < 3 * 200, "the budget is used up: {asked}");
            let modest = session.client(&of("modest")).await.unwrap();
            modest.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
            assert_eq!(cloud.requests().len(), attempts, "{has_partitions}");
        }
    }

    /// Nor does it starve itself.
    #[tokio::test]
    async fn that_is_throttled_in_one_region_or_service_is_not_in_the_others() {
        let (cloud, session) = cloud();
        cloud.throttle("tenant by base");
        let of = |region| params::<S3>().region(region).assume_role(role("tenant")).build().unwrap();
        let throttled = session.client(&of("eu-west-1")).await.unwrap();
        for _ in 0..200 {
            throttled.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
        }
        assert!(cloud.requests().len() < 3 * 200, "the budget is used up");
        let archive = params::<Archive>().region("eu-west-1").assume_role(role("tenant")).build().unwrap();
        for other in [session.client(&of("eu-west-2")).await.unwrap(), session.client(&archive).await.unwrap()] {
            other.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
            assert_eq!(cloud.requests().len(), 3, "it has all attempts");
        }
        let same = params::<S3>().region("eu-west-1").use_fips(false).assume_role(role("tenant")).build().unwrap();
        let same = session.client(&same).await.unwrap();
        same.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
        assert_eq!(cloud.requests().len(), 1, "it shares the budget that is used up");
    }

    /// The environment is read when credentials are wanted, so this runs in a process with that environment.
    #[tokio::test]
    async fn is_of_a_profile() {
        let name = "a_credential_scope::is_of_a_profile";
        if std::env::var_os("IN_A_CHILD_WITH_PROFILES").is_none() {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("credentials");
            let profiles = "[reports]\naws_access_key_id = of-reports\naws_secret_access_key = secret\n\
                            [other]\naws_access_key_id = of-other\naws_secret_access_key = secret\n";
            std::fs::write(&file, profiles).unwrap();
            let child = std::process::Command::new(std::env::current_exe().unwrap())
                .args([name, "--exact"])
                .env("IN_A_CHILD_WITH_PROFILES", "1")
                .env("AWS_SHARED_CREDENTIALS_FILE", &file)
                .env("AWS_CONFIG_FILE", folder.path().join("none"))
                .output()
                .unwrap();
            let output = String::from_utf8_lossy(&child.stdout);
            assert!(child.status.success() && output.contains("1 passed"), "{output}");
            return;
        }
        let (cloud, session) = cloud();
        let of = |profile: &str| params::<S3>().profile(profile);
        assert_eq!(signer(&cloud, &session, &of("reports").build().unwrap()).await.as_deref(), Some("of-reports"));
        assert_eq!(signer(&cloud, &session, &of("other").build().unwrap()).await.as_deref(), Some("of-other"));
        let role = of("other").assume_role(role("tenant")).build().unwrap();
        assert_eq!(signer(&cloud, &session, &role).await.as_deref(), Some("tenant by of-other"));
    }
}

mod what_fails {
    use super::*;

    /// T1: a failure goes to all who wait, and is not kept.
    #[tokio::test]
    async fn fails_once_for_all_who_wait() {
        let (cloud, session) = cloud();
        for role in ["refused", "hub"] {
            cloud.refuse(role);
        }
        let s3 = session.client(&of_role("refused")).await.unwrap();
        let behind_the_hub: Vec<ClientParams<S3>> = (0..50)
            .map(|tenant| {
                params().assume_role(role(&format!("tenant{tenant}")).source_role(role("hub"))).build().unwrap()
            })
            .collect();
        for round in 1..3 {
            let requests = (0..50).map(|_| {
                let request = s3.delete_object().bucket("bucket").key("key").send();
                tokio::spawn(async move { request.await.is_err() })
            });
            for request in requests.collect::<Vec<_>>() {
                assert!(request.await.unwrap());
            }
            assert_eq!(cloud.assumed("refused"), 2 * round - 1);
            let readies = (0..50).map(|_| {
                let session = session.clone();
                tokio::spawn(async move { session.ready(&of_role("refused")).await.is_err() })
            });
            for ready in readies.collect::<Vec<_>>() {
                assert!(ready.await.unwrap());
            }
            assert_eq!(cloud.assumed("refused"), 2 * round);
            let tenants = behind_the_hub.iter().map(|params| {
                let (session, params) = (session.clone(), params.clone());
                tokio::spawn(async move {
                    let s3 = session.client(&params).await.unwrap();
                    s3.delete_object().bucket("bucket").key("key").send().await.is_err()
                })
            });
            for tenant in tenants.collect::<Vec<_>>() {
                assert!(tenant.await.unwrap());
            }
            assert_eq!(cloud.assumed("hub"), round);
        }
    }

    /// K4: the SDK's error holds the answer, keys and all.
    #[tokio::test]
    async fn because_an_answer_cannot_be_read_shows_no_secret() {
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

    /// Every sleep is over at once.
    #[derive(Debug)]
    struct Hasty;

    impl aws_smithy_async::rt::sleep::AsyncSleep for Hasty {
        fn sleep(&self, _: Duration) -> aws_smithy_async::rt::sleep::Sleep {
            aws_smithy_async::rt::sleep::Sleep::new(std::future::ready(()))
        }
    }

    #[tokio::test]
    async fn by_never_answering_is_given_up() {
        let cloud = Cloud::new(&Clock::at(NOW));
        let config = cloud.config().to_builder().sleep_impl(Hasty).build();
        let session = Session::builder(&config).max_resolving(1).build();
        let never = params::<S3>().credentials_provider(SharedCredentialsProvider::new(Never)).build().unwrap();
        let refused = session.ready(&never).await.unwrap_err();
        assert!(matches!(refused, SessionError::Credentials { .. }), "{refused:?}");
        assert_eq!(refused.code(), None, "it is no refusal");
    }

    /// The permits of `ready` are for those who assume, and a role that many have as their source may be resolved meanwhile.
    #[tokio::test]
    async fn by_never_answering_holds_up_no_more_than_its_own() {
        let cloud = Cloud::new(&Clock::at(NOW));
        let session = Session::builder(&cloud.config()).max_size(100).max_resolving(2).build();
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

    #[tokio::test]
    async fn to_be_short_is_refused_by_name() {
        let chain = |length: usize| (1..length).fold(role("role"), |chain, _| role("role").source_role(chain));
        assert!(params::<S3>().assume_role(chain(16)).build().is_ok());
        for length in [17, 18, 100_000] {
            let refused = params::<S3>().assume_role(chain(length)).build().unwrap_err();
            assert_eq!(refused.to_string(), "invalid source_role: more than 16 roles are chained");
        }
    }

    /// The SDK would panic.
    #[tokio::test]
    async fn not_is_what_expires_at_the_ends_of_time() {
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

mod a_scope_without_clients {
    use super::*;

    #[tokio::test]
    async fn lingers_so_that_churn_costs_no_calls() {
        let cloud = Cloud::new(&Clock::at(NOW));
        for policy in [EvictionPolicy::Lru, EvictionPolicy::Lfu] {
            let session = Session::builder(&cloud.config()).policy(policy).max_size(10).build();
            let before = cloud.all_assumed();
            for _ in 0..5 {
                for tenant in 0..20 {
                    let tenant = format!("tenant{tenant}");
                    let expected = format!("{tenant} by base");
                    assert_eq!(signer(&cloud, &session, &of_role(&tenant)).await, Some(expected));
                }
            }
            assert_eq!(cloud.all_assumed() - before, 20, "10 are in use, and 10 linger");
            assert_eq!(session.scopes(), (10, 10));
        }
    }

    #[tokio::test]
    async fn is_one_of_max_size_at_most() {
        let (cloud, session) = cloud();
        session.cache().set_max_size(3);
        for tenant in 0..20 {
            signer(&cloud, &session, &of_role(&format!("tenant{tenant}"))).await;
            let (live, idle) = session.scopes();
            assert!(live <= 3 && idle <= 3, "{live} and {idle}");
        }
        assert_eq!(session.scopes(), (3, 3));
        session.cache().set_max_size(0);
        // What has lingered goes when the next one comes to.
        drop(session.client(&of_role("another")).await.unwrap());
        assert_eq!(session.scopes(), (0, 0));
    }

    #[tokio::test]
    async fn that_has_lingered_longest_goes_first() {
        let (cloud, session) = cloud();
        session.cache().set_max_size(2);
        for tenant in ["one", "two", "three"] {
            signer(&cloud, &session, &of_role(tenant)).await;
            session.cache().clear();
        }
        assert_eq!(session.scopes(), (0, 2));
        for (tenant, assumed) in [("three", 1), ("two", 1), ("one", 2)] {
            signer(&cloud, &session, &of_role(tenant)).await;
            assert_eq!(cloud.assumed(tenant), assumed, "{tenant}");
        }
    }

    #[tokio::test]
    async fn goes_after_a_while() {
        let cloud = Cloud::new(&Clock::at(NOW));
        let session = Session::builder(&cloud.config()).linger(Duration::from_secs(100)).build();
        let params = of_role("tenant");
        for (seconds, assumed) in [(0, 1), (99, 1), (100, 2), (99, 2)] {
            cloud.clock().advance(seconds);
            signer(&cloud, &session, &params).await;
            session.cache().clear();
            assert_eq!((session.scopes(), cloud.all_assumed()), ((0, 1), assumed), "after {seconds} seconds");
        }
        cloud.clock().advance(100);
        assert_eq!(session.scopes(), (0, 0));
    }

    #[tokio::test]
    async fn goes_at_once_if_nothing_is_to_linger() {
        let cloud = Cloud::new(&Clock::at(NOW));
        let session = Session::builder(&cloud.config()).linger(Duration::ZERO).build();
        for assumed in 1..4 {
            signer(&cloud, &session, &of_role("tenant")).await;
            session.cache().clear();
            assert_eq!((session.scopes(), cloud.all_assumed()), ((0, 0), assumed));
        }
    }

    #[tokio::test]
    async fn has_none_anywhere_not_even_with_the_user() {
        let (cloud, session) = cloud();
        let kept = session.client(&of_role("tenant")).await.unwrap();
        session.cache().clear();
        assert_eq!(session.scopes(), (1, 0), "the user has a clone");
        call(&kept).await;
        call(&session.client(&of_role("tenant")).await.unwrap()).await;
        assert_eq!(cloud.all_assumed(), 1, "it is shared with the one that the user has kept");
        drop(kept);
        assert_eq!(session.scopes(), (1, 0));
        session.cache().clear();
        assert_eq!(session.scopes(), (0, 1));
    }

    #[tokio::test]
    async fn keeps_the_role_that_it_is_assumed_with() {
        let (cloud, session) = cloud();
        let chained = params().assume_role(role("tenant").source_role(role("hub"))).build().unwrap();
        signer(&cloud, &session, &chained).await;
        session.cache().clear();
        assert_eq!(session.scopes(), (1, 1), "the hub is in use by the tenant, who lingers");
        session.cache().set_max_size(0);
        drop(session.client(&of_role("another")).await.unwrap());
        assert_eq!(session.scopes(), (0, 0), "the hub goes with the tenant");
    }

    #[tokio::test]
    async fn of_one_session_is_not_of_another() {
        let (cloud, session) = cloud();
        signer(&cloud, &session, &of_role("tenant")).await;
        signer(&cloud, &Session::new(&cloud.config()), &of_role("tenant")).await;
        assert_eq!(cloud.all_assumed(), 2);
    }

    #[tokio::test]
    async fn and_without_a_session_is_no_harm() {
        let (cloud, session) = cloud();
        let kept = session.client(&of_role("tenant")).await.unwrap();
        drop(session);
        call(&kept).await;
        assert_eq!(cloud.last().signer.as_deref(), Some("tenant by base"));
    }
}

mod ready {
    use super::*;

    #[tokio::test]
    async fn resolves_the_credentials_and_the_first_request_needs_no_more() {
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

    #[tokio::test]
    async fn is_refused_if_the_role_is_and_caches_nothing() {
        let (cloud, session) = cloud();
        cloud.refuse("tenant");
        let refused = session.ready(&of_role("tenant")).await.unwrap_err();
        assert_eq!(
            refused.to_string().split('#').next(),
            Some("no credentials for S3(credentials=role:arn:aws:iam::123456789012:role/tenant"),
        );
        let SessionError::Credentials { key, .. } = &refused else { panic!("{refused:?}") };
        assert_eq!(*key, of_role("tenant").key().into());
        assert_eq!(refused.code(), Some("AccessDenied"));
        let behind_it = params::<S3>().assume_role(role("other").source_role(role("tenant"))).build().unwrap();
        assert_eq!(session.ready(&behind_it).await.unwrap_err().code(), Some("AccessDenied"));
        assert!(session.cache().is_empty());
        // The low-level way shows at the first request.
        let s3 = session.client(&of_role("tenant")).await.unwrap();
        s3.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn calls_no_more_than_it_may_at_a_time() {
        let cloud = Cloud::new(&Clock::at(NOW));
        for (max_resolving, most) in [(3, 3), (0, 1)] {
            let cloud = Cloud::new(cloud.clock());
            let session = Session::builder(&cloud.config()).max_size(100).max_resolving(max_resolving).build();
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

    #[tokio::test]
    async fn are_refused_from_then_on() {
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

    #[tokio::test]
    async fn is_validated_once() {
        let (cloud, session) = cloud();
        for tenant in 0..10 {
            signer(&cloud, &session, &of_role(&format!("tenant{tenant}"))).await;
        }
        assert_eq!(cloud.validations(), 1);
        of_role("tenant").client(&cloud.config()).await.unwrap();
        assert!(cloud.validations() > 1, "by hand, each client validates it");
    }

    /// Without one in the base configuration, the SDK's own is taken.
    #[tokio::test]
    async fn is_there_if_the_base_names_none() {
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

#[tokio::test]
async fn nothing_that_is_public_shows_a_secret() {
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
        "{shown} {params:?} {session:?} {:?} {} {:?} {refused:?}",
        Session::builder(&cloud().0.config()),
        params.key(),
        session.cache().items(),
    );
    assert!(!shown.contains("SECRET"), "{shown}");
    assert!(shown.contains("role:arn:aws:iam::123456789012:role/tenant#"), "{shown}");
}

/// The SDK shows what it is configured with, down to access key ids.
#[tokio::test]
async fn a_clients_configuration_shows_no_credentials_that_are_kept() {
    let (_, session) = cloud();
    let s3 = session.ready(&of_role("tenant")).await.unwrap();
    call(&s3).await;
    let shown = format!("{s3:?} {:?}", s3.config());
    assert!(shown.contains("Kept") && shown.contains("Leased"), "what keeps them is there to be shown");
    assert!(format!("{:?}", keys("base")).contains("access_key_id"), "that is how they would be");
    assert!(!shown.contains("access_key_id"), "one of them is shown");
}
