//! Rule T6: invalidated credentials, against a fake AWS that records the signer of each request.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use aws_client_cache::{AnyKey, ClientParams, S3, Session, SharedCredentialsProvider};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use support::clock::Clock;
use support::cloud::{Cloud, keys};
use tokio::sync::Semaphore;

use crate::tenancy::{NOW, call, cloud, of_role, params, role};

async fn use_client(session: &Session, params: &ClientParams<S3>) -> aws_sdk_s3::Client {
    let s3 = session.client(params).await.unwrap();
    call(&s3).await;
    s3
}

fn names(removed: &[(AnyKey, aws_client_cache::AnyClient)]) -> Vec<AnyKey> {
    removed.iter().map(|(key, _)| key.clone()).collect()
}

// Proves T6.
#[tokio::test]
async fn an_invalidated_scope_is_created_anew_and_the_others_stay() {
    let (cloud, session) = cloud();
    let (invalidated, other) = (of_role("invalidated"), of_role("other"));
    let elsewhere = params().region("eu-west-1").assume_role(role("invalidated")).build().unwrap();
    for params in [&invalidated, &other, &elsewhere] {
        drop(use_client(&session, params).await);
    }
    let removed = session.invalidate_credentials(&invalidated);
    assert_eq!(names(&removed), [invalidated.key().into(), elsewhere.key().into()] as [AnyKey; 2]);
    drop(removed);
    assert_eq!((session.cache().len(), session.scopes()), (1, (1, 0)), "the invalidated scope is not kept idle");
    for params in [&invalidated, &other, &elsewhere] {
        drop(use_client(&session, params).await);
    }
    assert_eq!((cloud.assumed("invalidated"), cloud.assumed("other")), (2, 1));
}

// Proves T6.
#[tokio::test]
async fn an_idle_scope_is_invalidated_too() {
    let (cloud, session) = cloud();
    let tenant = of_role("tenant");
    drop(use_client(&session, &tenant).await);
    session.cache().clear();
    assert_eq!(session.scopes(), (0, 1));
    assert!(session.invalidate_credentials(&tenant).is_empty());
    assert_eq!(session.scopes(), (0, 0));
    drop(use_client(&session, &tenant).await);
    assert_eq!(cloud.assumed("tenant"), 2);
}

// Proves T6.
#[tokio::test]
async fn roles_assumed_with_a_scope_are_invalidated_with_it() {
    let (cloud, session) = cloud();
    let hub = params().credentials(keys("hub")).build().unwrap();
    let one = params().credentials(keys("hub")).assume_role(role("one")).build().unwrap();
    let two = params().credentials(keys("hub")).assume_role(role("two").source_role(role("one"))).build().unwrap();
    let other = of_role("other");
    for params in [&hub, &one, &two, &other] {
        drop(use_client(&session, params).await);
    }
    assert_eq!(names(&session.invalidate_credentials(&one)), [one.key().into(), two.key().into()] as [AnyKey; 2]);
    assert_eq!(session.cache().len(), 2);
    for params in [&one, &two] {
        drop(use_client(&session, params).await);
    }
    assert_eq!((cloud.assumed("one"), cloud.assumed("two"), cloud.assumed("other")), (2, 2, 1));
    assert_eq!(session.invalidate_credentials(&hub).len(), 3);
    assert!(session.cache().keys().eq([other.key().into()] as [AnyKey; 1]));
}

// Proves T6.
// A held client keeps working, but not with invalidated credentials, even after several invalidations.
#[tokio::test]
async fn a_held_client_resolves_anew_and_shares_the_new_credentials() {
    let (cloud, session) = cloud();
    let tenant = of_role("tenant");
    let held = use_client(&session, &tenant).await;
    for assumed in 2..5 {
        drop(session.invalidate_credentials(&tenant));
        assert_eq!((session.cache().len(), session.scopes()), (0, (1, 0)), "the held client keeps its scope active");
        call(&held).await;
        drop(use_client(&session, &tenant).await);
        call(&held).await;
        assert_eq!(cloud.assumed("tenant"), assumed);
    }
    drop(held);
    session.cache().clear();
    assert_eq!(session.scopes(), (0, 1));
}

// Proves T6.
#[tokio::test]
async fn a_held_client_resolves_anew_when_its_source_role_is_invalidated() {
    let (cloud, session) = cloud();
    let hub = of_role("hub");
    let spoke = params().assume_role(role("spoke").source_role(role("hub"))).build().unwrap();
    let held = use_client(&session, &spoke).await;
    for (forgotten, expected) in [(&hub, (2, 2)), (&spoke, (3, 2)), (&hub, (4, 3)), (&hub, (5, 4))] {
        drop(session.invalidate_credentials(forgotten));
        call(&held).await;
        assert_eq!((cloud.assumed("spoke"), cloud.assumed("hub")), expected);
    }
}

// Proves T6.
// The invalidation happens at any point of a load that assumes a role with the source.
#[tokio::test]
async fn credentials_loaded_while_their_source_is_invalidated_are_not_cached() {
    let mut stale = 0;
    for turns in 0..30 {
        let cloud = Cloud::new(&Clock::at(NOW));
        let provider = Shared::new(usize::MAX >> 3);
        let session = based_on(&cloud, &provider);
        let spoke = of_role("spoke");
        let held = session.client(&spoke).await.unwrap();
        let request = tokio::spawn(async move {
            call(&held).await;
            held
        });
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        drop(session.invalidate_credentials(&params::<S3>().build().unwrap()));
        let held = request.await.unwrap();
        stale += usize::from(cloud.last().signer.as_deref() == Some("spoke by number0"));
        call(&held).await;
        let asked = provider.asked();
        let expected = format!("spoke by number{}", asked - 1);
        assert_eq!(cloud.last().signer, Some(expected), "after {turns} turns");
        drop(use_client(&session, &spoke).await);
        assert_eq!((cloud.last().signer, provider.asked()), (Some(format!("spoke by number{}", asked - 1)), asked));
    }
    assert!(stale > 0, "some loads started before the invalidation");
}

/// A provider of numbered credentials, which it returns once there is a permit for their number.
struct Numbered {
    asked: AtomicUsize,
    permits: [Semaphore; 3],
}

impl fmt::Debug for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Numbered")
    }
}

#[derive(Clone, Debug)]
struct Shared(Arc<Numbered>);

impl Shared {
    fn new(permits: usize) -> Self {
        Self(Arc::new(Numbered { asked: AtomicUsize::new(0), permits: [(); 3].map(|()| Semaphore::new(permits)) }))
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Relaxed)
    }

    /// Permits all requests for the credentials of this number.
    fn give(&self, number: usize) {
        self.0.permits[number].add_permits(10);
    }
}

impl ProvideCredentials for Shared {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let number = self.0.asked.fetch_add(1, Relaxed);
            self.0.permits[number.min(2)].acquire().await.unwrap().forget();
            Ok(keys(&format!("number{number}")))
        })
    }
}

fn based_on(cloud: &Cloud, provider: &Shared) -> Session {
    let mut config = cloud.config().to_builder();
    config.set_credentials_provider(Some(SharedCredentialsProvider::new(provider.clone())));
    Session::new(&config.build())
}

// Proves T6.
#[tokio::test]
async fn invalidating_the_base_credentials_invalidates_all_derived_ones() {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = based_on(&cloud, &Shared::new(usize::MAX >> 3));
    let (base, role, other) =
        (params().build().unwrap(), of_role("role"), params().credentials(keys("other")).build().unwrap());
    for (expected, removed) in [("number0", 2), ("number1", 2)] {
        for params in [&base, &role, &other, &base] {
            drop(use_client(&session, params).await);
        }
        let signers: Vec<_> = cloud.requests().into_iter().map(|request| request.signer.unwrap()).collect();
        assert_eq!(signers, [expected, &format!("role by {expected}"), "other", expected]);
        assert_eq!(session.invalidate_credentials(&base).len(), removed);
    }
}

// Proves T6.
// Later callers do not wait for an earlier load. Its credentials are not cached, in whichever order the loads complete.
#[tokio::test]
async fn a_load_before_an_invalidation_serves_only_its_earlier_callers() {
    for (is_base, first) in [(true, 0), (true, 1), (false, 0), (false, 1)] {
        let cloud = Cloud::new(&Clock::at(NOW));
        let provider = Shared::new(0);
        let session = based_on(&cloud, &provider);
        let of_provider = SharedCredentialsProvider::new(provider.clone());
        let tenant = if is_base { params() } else { params().credentials_provider(of_provider) }.build().unwrap();
        let ask = || {
            let (session, tenant, cloud) = (session.clone(), tenant.clone(), cloud.clone());
            tokio::spawn(async move {
                drop(use_client(&session, &tenant).await);
                cloud.last().signer
            })
        };
        let until = async |count: usize| {
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            assert_eq!(provider.asked(), count, "{is_base} {first}");
        };
        let before = ask();
        until(1).await;
        drop(session.invalidate_credentials(&tenant));
        let after = ask();
        until(2).await;
        let mut asked = [before, after].map(Some);
        let mut later = None;
        for number in [first, 1 - first] {
            provider.give(number);
            let signer = asked[number].take().unwrap().await.unwrap();
            assert_eq!(signer, Some(format!("number{number}")), "{is_base} {first}");
            // A caller in between joins the load in flight, or finds its credentials.
            later.get_or_insert_with(ask);
            until(2).await;
        }
        assert_eq!(later.unwrap().await.unwrap().as_deref(), Some("number1"), "{is_base} {first}");
        // The credentials are cached. If they were not, this permit would let the next load succeed and show it.
        provider.give(2);
        drop(use_client(&session, &tenant).await);
        assert_eq!(cloud.last().signer.as_deref(), Some("number1"), "{is_base} {first}");
        assert_eq!(provider.asked(), 2, "{is_base} {first}");
    }
}

/// Fails with the number of the credentials that a provider would return.
#[derive(Debug)]
struct Failing(Shared);

impl ProvideCredentials for Failing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let loaded = self.0.provide_credentials().await?;
            Err(CredentialsError::provider_error(loaded.access_key_id()))
        })
    }
}

// Proves T6, T9.
// The backoff of the later failure goes on.
#[tokio::test]
async fn a_failure_of_a_load_before_an_invalidation_replaces_no_later_one() {
    let (_, session) = cloud();
    let provider = Shared::new(0);
    let failing = SharedCredentialsProvider::new(Failing(provider.clone()));
    let tenant = params::<S3>().credentials_provider(failing).build().unwrap();
    let ready = || {
        let (session, tenant) = (session.clone(), tenant.clone());
        tokio::spawn(async move { session.ready(&tenant).await.unwrap_err().to_string() })
    };
    let until = async |count: usize| {
        while provider.asked() < count {
            tokio::task::yield_now().await;
        }
    };
    let before = ready();
    until(1).await;
    drop(session.invalidate_credentials(&tenant));
    let after = ready();
    until(2).await;
    for (number, failed) in [(1, after), (0, before)] {
        provider.give(number);
        let error = failed.await.unwrap();
        assert!(error.ends_with(&format!("number{number}")), "{error}");
    }
    // If another load began, it would fail with another number.
    provider.give(2);
    let error = ready().await.unwrap();
    assert!(error.ends_with("number1"), "{error}");
    assert_eq!(provider.asked(), 2);
}

// Proves S3, T6.
#[tokio::test]
async fn a_client_created_during_an_invalidation_is_not_stored_with_old_credentials() {
    let (cloud, session) = cloud();
    let tenant = {
        let (session, done) = (session.clone(), AtomicUsize::new(0));
        // The customization runs during the creation, and invalidates the tenant's credentials.
        let hook = move || {
            if done.fetch_add(1, Relaxed) == 0 {
                drop(session.invalidate_credentials(&of_role("tenant")));
            }
        };
        let hook: Arc<dyn Fn() + Send + Sync> = Arc::new(hook);
        params()
            .assume_role(role("tenant"))
            .customize_with("hook", Hook(hook), |builder, Hook(hook)| {
                hook();
                builder
            })
            .build()
            .unwrap()
    };
    drop(use_client(&session, &tenant).await);
    assert!(session.cache().is_empty());
    drop(use_client(&session, &tenant).await);
    assert_eq!((session.cache().len(), cloud.assumed("tenant")), (1, 2));
}

/// A customization value that is called. All values are equal.
#[derive(Clone)]
struct Hook(Arc<dyn Fn() + Send + Sync>);

impl PartialEq for Hook {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Hook {}

impl std::hash::Hash for Hook {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

// Proves T5, T6: a client from `ready` has credentials.
#[tokio::test]
async fn ready_succeeds_when_credentials_are_invalidated_meanwhile() {
    for is_base in [true, false] {
        let cloud = Cloud::new(&Clock::at(NOW));
        let provider = Shared::new(0);
        let session = based_on(&cloud, &provider);
        let of_provider = SharedCredentialsProvider::new(provider.clone());
        let tenant = if is_base { params::<S3>() } else { params().credentials_provider(of_provider) }.build().unwrap();
        let ready = tokio::spawn({
            let (session, tenant) = (session.clone(), tenant.clone());
            async move { session.ready(&tenant).await.map(drop) }
        });
        while provider.asked() == 0 {
            tokio::task::yield_now().await;
        }
        drop(session.invalidate_credentials(&tenant));
        provider.give(0);
        provider.give(1);
        ready.await.unwrap().unwrap();
        assert_eq!(provider.asked(), 2, "{is_base}: loaded again before `ready` returns the client");
    }
}
