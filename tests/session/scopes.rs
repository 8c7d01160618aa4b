//! The credential scopes of a session, against a fake AWS that records who signed each request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use aws_client_cache::{
    ClientParams, EvictionPolicy, Region, S3, Session, SessionError, SharedCredentialsProvider, TimeoutConfig,
};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep, TokioSleep};
use aws_smithy_types::retry::RetryConfig;
use support::clock::Clock;
use support::cloud::{Cloud, keys};

use crate::tenancy::{Archive, NOW, Sts, call, cloud, of_role, params, role, signer};

/// Counts its calls.
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

mod a_credential_scope {
    use super::*;

    #[tokio::test]
    async fn unset_credentials_are_those_of_the_base() {
        let (cloud, session) = cloud();
        assert_eq!(signer(&cloud, &session, &params().build().unwrap()).await.as_deref(), Some("base"));
    }

    // Proves T1.
    #[tokio::test]
    async fn static_credentials_sign_requests() {
        let (cloud, session) = cloud();
        for name in ["one", "two", "one"] {
            let params = params().credentials(keys(name)).build().unwrap();
            assert_eq!(signer(&cloud, &session, &params).await.as_deref(), Some(name));
        }
    }

    // Proves T1.
    #[tokio::test]
    async fn a_provider_signs_requests() {
        let (cloud, session) = cloud();
        let providers = ["one", "two"].map(|name| (name, SharedCredentialsProvider::new(keys(name))));
        for (name, provider) in [&providers[0], &providers[1], &providers[0]] {
            let params = params().credentials_provider(provider.clone()).build().unwrap();
            assert_eq!(signer(&cloud, &session, &params).await.as_deref(), Some(*name));
        }
    }

    // Proves K7, T1.
    #[tokio::test]
    async fn anonymous_requests_are_not_signed() {
        let (cloud, session) = cloud();
        let params = params().anonymous().build().unwrap();
        assert_eq!(signer(&cloud, &session, &params).await, None);
        let sts = ClientParams::<Sts>::builder().anonymous().build().unwrap();
        // Unlike the model of S3, this one has no operation without a signature, so the client must allow it.
        session.client(&sts).await.unwrap().get_caller_identity().send().await.unwrap();
        assert_eq!(cloud.last().signer, None);
    }

    // Proves T1.
    #[tokio::test]
    async fn a_role_is_assumed_with_any_other_credentials() {
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
    async fn params_client_signs_as_the_session_does() {
        let (cloud, _) = cloud();
        let chained = params::<S3>().assume_role(role("two").source_role(role("one"))).build().unwrap();
        call(&chained.client(&cloud.config()).await.unwrap()).await;
        assert_eq!(cloud.last().signer.as_deref(), Some("two by one by base"));
        let anonymous = params::<S3>().anonymous().build().unwrap();
        call(&anonymous.client(&cloud.config()).await.unwrap()).await;
        assert_eq!(cloud.last().signer, None);
    }

    // Proves T1.
    #[tokio::test]
    async fn ten_services_and_regions_assume_a_role_once() {
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

    // Proves T1.
    #[tokio::test]
    async fn a_shared_source_role_is_assumed_once() {
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

    // Proves T1.
    #[tokio::test]
    async fn credentials_are_renewed_shortly_before_they_expire() {
        let (cloud, session) = cloud();
        let params = params().assume_role(role("tenant").source_role(role("hub"))).build().unwrap();
        for (seconds, assumed) in [(0, 1), (2_699, 1), (842, 2), (2_699, 2), (3_600, 3)] {
            cloud.clock().advance(seconds);
            signer(&cloud, &session, &params).await;
            assert_eq!((cloud.assumed("tenant"), cloud.assumed("hub")), (assumed, assumed), "after {seconds} seconds");
        }
    }

    // Proves T1.
    // The SDK's identity caches would hide an early renewal, because they request credentials only when needed.
    #[tokio::test]
    async fn credentials_of_a_source_role_are_renewed_no_earlier() {
        let (cloud, session) = cloud();
        for (seconds, tenant, assumed) in [(0, "one", 1), (2_699, "two", 1), (842, "three", 2)] {
            cloud.clock().advance(seconds);
            let params = params().assume_role(role(tenant).source_role(role("hub"))).build().unwrap();
            signer(&cloud, &session, &params).await;
            assert_eq!(cloud.assumed("hub"), assumed, "{tenant}");
        }
    }

    // Proves T1.
    #[tokio::test]
    async fn all_roles_share_the_base_credentials() {
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

    // Proves T3.
    // The requests of a scope are retried although another scope has used up its budget.
    #[tokio::test]
    async fn a_throttled_scope_starves_no_other() {
        for (has_partitions, attempts) in [(true, 3), (false, 1)] {
            let cloud = Cloud::new(&Clock::at(NOW));
            // Each round has its own region: without partitions, the SDK has one budget per region in the process.
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

    // Proves T3.
    // Nor does a scope starve its own clients of another region or service.
    #[tokio::test]
    async fn throttling_in_one_region_or_service_spares_the_others() {
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
            assert_eq!(cloud.requests().len(), 3, "all attempts are made");
        }
        let same = params::<S3>().region("eu-west-1").use_fips(false).assume_role(role("tenant")).build().unwrap();
        let same = session.client(&same).await.unwrap();
        same.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
        assert_eq!(cloud.requests().len(), 1, "it shares the used up budget");
    }

    /// Runs a test in a child process whose environment names a file of profiles.
    ///
    /// Returns the file in the child process, and `None` in this one.
    fn with_profiles(name: &str, profiles: &str) -> Option<std::path::PathBuf> {
        const FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";
        if std::env::var_os("IN_A_CHILD_WITH_PROFILES").is_some() {
            return std::env::var_os(FILE).map(Into::into);
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("credentials");
        std::fs::write(&file, profiles).unwrap();
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([&format!("scopes::a_credential_scope::{name}"), "--exact"])
            .env("IN_A_CHILD_WITH_PROFILES", "1")
            .env(FILE, &file)
            .env("AWS_CONFIG_FILE", folder.path().join("none"))
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && output.contains("1 passed"), "{output}");
        None
    }

    fn profile(name: &str, key: &str) -> String {
        format!("[{name}]\naws_access_key_id = {key}\naws_secret_access_key = secret\n")
    }

    /// The profile `tenant`, a role that the profile `other` assumes.
    fn profile_of_tenant() -> String {
        let role = "[tenant]\nrole_arn = arn:aws:iam::123456789012:role/tenant\nsource_profile = other\n";
        profile("other", "of-other") + role
    }

    // Proves T1.
    #[tokio::test]
    async fn a_profile_signs_requests() {
        let profiles = profile("reports", "of-reports") + &profile("other", "of-other");
        let Some(_) = with_profiles("a_profile_signs_requests", &profiles) else { return };
        let (cloud, session) = cloud();
        let of = |profile: &str| params::<S3>().profile(profile);
        assert_eq!(signer(&cloud, &session, &of("reports").build().unwrap()).await.as_deref(), Some("of-reports"));
        assert_eq!(signer(&cloud, &session, &of("other").build().unwrap()).await.as_deref(), Some("of-other"));
        let role = of("other").assume_role(role("tenant")).build().unwrap();
        assert_eq!(signer(&cloud, &session, &role).await.as_deref(), Some("tenant by of-other"));
    }

    // Proves K4: the SDK's error contains the whole response, including the keys.
    #[tokio::test]
    async fn an_unreadable_response_to_a_profile_reveals_no_secret() {
        let name = "an_unreadable_response_to_a_profile_reveals_no_secret";
        let Some(_) = with_profiles(name, &profile_of_tenant()) else { return };
        let (cloud, session) = cloud();
        cloud.garble("tenant");
        let tenant = params::<S3>().profile("tenant").build().unwrap();
        let error = session.ready(&tenant).await.unwrap_err();
        let low_level = tenant.client(&cloud.config()).await.unwrap();
        let of_low_level = low_level.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
        for shown in [format!("{error:?}"), format!("{of_low_level:?}")] {
            assert!(!shown.contains("the secret of") && !shown.contains("the token of"), "{shown}");
            assert!(shown.contains("Expiration") || shown.contains("timestamp") || shown.contains("never"), "{shown}");
        }
    }

    #[tokio::test]
    async fn the_role_of_a_profile_is_assumed_with_the_settings_of_the_base() {
        let name = "the_role_of_a_profile_is_assumed_with_the_settings_of_the_base";
        let Some(_) = with_profiles(name, &profile_of_tenant()) else { return };
        for attempts in [1, 2, 5] {
            let cloud = Cloud::new(&Clock::at(NOW));
            let base = cloud.config().into_builder();
            let retries = RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(Duration::ZERO);
            // Reading the files takes time.
            let base = base
                .sleep_impl(TokioSleep::new())
                .retry_config(retries)
                .region(Region::new("eu-west-3"))
                .use_fips(true)
                .use_dual_stack(true)
                .build();
            let tenant = params::<S3>().profile("tenant").build().unwrap();
            cloud.throttle("tenant");
            Session::new(&base).ready(&tenant).await.unwrap_err();
            assert_eq!(cloud.assumed("tenant"), attempts as usize);
            let call = cloud.last_assumed();
            assert_eq!((call.signer.as_deref(), call.region.as_deref()), (Some("of-other"), Some("eu-west-3")));
            assert!(call.uri.contains("sts-fips.eu-west-3.api.aws"), "{}", call.uri);
            let name = &call.form["RoleSessionName"];
            assert!(name.ends_with(&format!("-{NOW}000")), "the name has the time of the base's clock: {name}");
        }
    }

    /// Lets long sleeps take no time.
    #[derive(Debug)]
    struct ShortSleep;

    impl AsyncSleep for ShortSleep {
        fn sleep(&self, duration: Duration) -> Sleep {
            TokioSleep::new().sleep(if duration > Duration::from_mins(1) { Duration::ZERO } else { duration })
        }
    }

    #[tokio::test]
    async fn the_role_of_a_profile_is_assumed_with_the_sleep_of_the_base() {
        let name = "the_role_of_a_profile_is_assumed_with_the_sleep_of_the_base";
        let Some(_) = with_profiles(name, &profile_of_tenant()) else { return };
        let cloud = Cloud::new(&Clock::at(NOW));
        let backoff = Duration::from_hours(1_000);
        let retries = RetryConfig::standard().with_initial_backoff(backoff).with_max_backoff(backoff);
        let base = cloud.config().into_builder().sleep_impl(ShortSleep).retry_config(retries).build();
        let session = Session::builder(&base).load_timeout(Duration::from_secs(50)).build();
        cloud.throttle("tenant");
        session.ready(&params::<S3>().profile("tenant").build().unwrap()).await.unwrap_err();
        assert_eq!(cloud.assumed("tenant"), 3);
    }

    #[tokio::test]
    async fn the_role_of_a_profile_is_assumed_within_the_timeouts_of_the_base() {
        let name = "the_role_of_a_profile_is_assumed_within_the_timeouts_of_the_base";
        let Some(_) = with_profiles(name, &profile_of_tenant()) else { return };
        let cloud = Cloud::new(&Clock::at(NOW));
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(50)).build();
        let base = cloud.config().into_builder().sleep_impl(TokioSleep::new());
        let base = base.retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
        let session = Session::builder(&base).load_timeout(Duration::from_secs(20)).build();
        let tenant = params::<S3>().profile("tenant").build().unwrap();
        let hold = cloud.hold().await;
        let SessionError::Credentials { cause, .. } = session.ready(&tenant).await.unwrap_err() else {
            panic!("the credentials are not loaded")
        };
        assert!(matches!(*cause, CredentialsError::ProviderError(_)), "not the timeout of the load: {cause:?}");
        drop(hold);
        cloud.clock().advance(1);
        assert_eq!(signer(&cloud, &session, &tenant).await.as_deref(), Some("tenant by of-other"));
    }

    // Proves T1, T6: neither a failure to read the file nor invalidated credentials are cached.
    #[tokio::test]
    async fn a_profile_is_read_whenever_credentials_are_loaded() {
        let Some(file) =
            with_profiles("a_profile_is_read_whenever_credentials_are_loaded", &profile("other", "of-other"))
        else {
            return;
        };
        let (cloud, session) = cloud();
        let reports = params::<S3>().profile("reports").build().unwrap();
        session.ready(&reports).await.unwrap_err();
        cloud.clock().advance(1);
        std::fs::write(&file, profile("reports", "first")).unwrap();
        let held = session.ready(&reports).await.unwrap();
        call(&held).await;
        assert_eq!(cloud.last().signer.as_deref(), Some("first"));
        std::fs::write(&file, profile("reports", "second")).unwrap();
        call(&held).await;
        assert_eq!(cloud.last().signer.as_deref(), Some("first"), "the credentials are cached");
        drop(session.invalidate_credentials(&reports));
        call(&held).await;
        assert_eq!(cloud.last().signer.as_deref(), Some("second"));
        assert_eq!(signer(&cloud, &session, &reports).await.as_deref(), Some("second"));
    }
}

mod a_scope_without_clients {
    use super::*;

    // Proves T2.
    #[tokio::test]
    async fn idle_scopes_save_calls_under_churn() {
        let cloud = Cloud::new(&Clock::at(NOW));
        for policy in EvictionPolicy::ALL.iter().copied() {
            let session = Session::builder(&cloud.config()).policy(policy).max_size(10).build();
            let before = cloud.all_assumed();
            for _ in 0..5 {
                for tenant in 0..20 {
                    let tenant = format!("tenant{tenant}");
                    let expected = format!("{tenant} by base");
                    assert_eq!(signer(&cloud, &session, &of_role(&tenant)).await, Some(expected));
                }
            }
            assert_eq!(cloud.all_assumed() - before, 20, "10 are in use, and 10 are idle");
            assert_eq!(session.scopes(), (10, 10));
        }
    }

    // Proves T2.
    #[tokio::test]
    async fn at_most_max_idle_scopes_are_idle() {
        let cloud = Cloud::new(&Clock::at(NOW));
        for max_idle in [0, 1, 5] {
            let session = Session::builder(&cloud.config()).max_size(3).max_idle_scopes(max_idle).build();
            for tenant in 0..20 {
                signer(&cloud, &session, &of_role(&format!("tenant{tenant}"))).await;
                let (live, idle) = session.scopes();
                assert!(live <= 3 && idle <= max_idle, "{live} and {idle}");
            }
            assert_eq!(session.scopes(), (3, max_idle));
        }
    }

    // Proves T2.
    #[tokio::test]
    async fn a_small_cache_costs_no_calls_of_assume_role() {
        let cloud = Cloud::new(&Clock::at(NOW));
        let session = Session::builder(&cloud.config()).max_size(1).build();
        for _ in 0..3 {
            for tenant in 0..200 {
                signer(&cloud, &session, &of_role(&format!("tenant{tenant}"))).await;
            }
        }
        assert_eq!((cloud.all_assumed(), session.scopes()), (200, (1, 199)));
    }

    // Proves T2.
    #[tokio::test]
    async fn the_longest_idle_scope_is_evicted_first() {
        let cloud = Cloud::new(&Clock::at(NOW));
        let session = Session::builder(&cloud.config()).max_idle_scopes(2).build();
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

    // Proves T2.
    #[tokio::test]
    async fn an_idle_scope_is_dropped_after_the_timeout() {
        let cloud = Cloud::new(&Clock::at(NOW));
        let session = Session::builder(&cloud.config()).scope_idle_timeout(Duration::from_secs(100)).build();
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

    // Proves T2.
    #[tokio::test]
    async fn an_overdue_scope_is_dropped_when_a_client_is_created_or_a_scope_released() {
        let of_base = params::<S3>().build().unwrap();
        for created in [None, Some(&of_base), Some(&of_role("new"))] {
            let cloud = Cloud::new(&Clock::at(NOW));
            let session = Session::builder(&cloud.config()).scope_idle_timeout(Duration::from_secs(100)).build();
            let asked = Arc::new(AtomicUsize::new(0));
            let provider = SharedCredentialsProvider::new(CountedProvider(Arc::clone(&asked)));
            let other = session.client(&of_role("tenant")).await.unwrap();
            drop(session.client(&params::<S3>().credentials_provider(provider).build().unwrap()).await.unwrap());
            session.cache().clear();
            assert_eq!(session.scopes(), (1, 1));
            cloud.clock().advance(100);
            assert_eq!(Arc::strong_count(&asked), 2, "the idle scope holds its provider");
            match created {
                Some(params) => drop(session.client(params).await.unwrap()),
                None => drop(other),
            }
            assert_eq!(Arc::strong_count(&asked), 1, "{created:?}");
        }
    }

    // Proves T2.
    #[tokio::test]
    async fn a_zero_idle_timeout_drops_scopes_at_once() {
        let cloud = Cloud::new(&Clock::at(NOW));
        let session = Session::builder(&cloud.config()).scope_idle_timeout(Duration::ZERO).build();
        for assumed in 1..4 {
            signer(&cloud, &session, &of_role("tenant")).await;
            session.cache().clear();
            assert_eq!((session.scopes(), cloud.all_assumed()), ((0, 0), assumed));
        }
    }

    // Proves T2.
    #[tokio::test]
    async fn a_held_client_keeps_its_scope_active() {
        let (cloud, session) = cloud();
        let kept = session.client(&of_role("tenant")).await.unwrap();
        session.cache().clear();
        assert_eq!(session.scopes(), (1, 0), "the caller holds a clone");
        call(&kept).await;
        call(&session.client(&of_role("tenant")).await.unwrap()).await;
        assert_eq!(cloud.all_assumed(), 1, "the held client shares the scope");
        drop(kept);
        assert_eq!(session.scopes(), (1, 0));
        session.cache().clear();
        assert_eq!(session.scopes(), (0, 1));
    }

    // Proves T2.
    #[tokio::test]
    async fn a_scope_keeps_its_source_role_active() {
        let (cloud, session) = cloud();
        let chained = params().assume_role(role("tenant").source_role(role("hub"))).build().unwrap();
        signer(&cloud, &session, &chained).await;
        session.cache().clear();
        assert_eq!(session.scopes(), (1, 1), "the idle tenant keeps the hub active");
        session.invalidate_credentials(&of_role("hub"));
        assert_eq!(session.scopes(), (0, 0), "the hub is dropped with the tenant");
    }

    // Proves T2.
    #[tokio::test]
    async fn a_source_role_is_idle_once_no_scope_is_assumed_with_it() {
        let cloud = Cloud::new(&Clock::at(NOW));
        let chained = params().assume_role(role("tenant").source_role(role("hub"))).build().unwrap();
        for (max_idle, idle) in [(0, [(0, 0); 3]), (1, [(1, 1), (0, 1), (0, 0)])] {
            let session = Session::builder(&cloud.config()).max_idle_scopes(max_idle);
            let session = session.scope_idle_timeout(Duration::from_secs(100)).build();
            signer(&cloud, &session, &chained).await;
            session.cache().clear();
            for expected in idle {
                assert_eq!(session.scopes(), expected, "at most {max_idle} idle");
                cloud.clock().advance(100);
                session.scopes(); // drops what was idle for too long
            }
        }

        let session = Session::builder(&cloud.config()).max_idle_scopes(1).build();
        for params in [chained, of_role("another")] {
            signer(&cloud, &session, &params).await;
            session.cache().clear();
        }
        assert_eq!(session.scopes(), (0, 1), "the other tenant has evicted the tenant, and so released the hub");
    }

    // Proves T1.
    #[tokio::test]
    async fn sessions_share_no_scopes() {
        let (cloud, session) = cloud();
        signer(&cloud, &session, &of_role("tenant")).await;
        signer(&cloud, &Session::new(&cloud.config()), &of_role("tenant")).await;
        assert_eq!(cloud.all_assumed(), 2);
    }

    // Proves T2.
    #[tokio::test]
    async fn a_client_outlives_its_session() {
        let (cloud, session) = cloud();
        let kept = session.client(&of_role("tenant")).await.unwrap();
        drop(session);
        call(&kept).await;
        assert_eq!(cloud.last().signer.as_deref(), Some("tenant by base"));
    }
}
