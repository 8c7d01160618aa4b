//! Rule O4: the events of a session's credentials.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_client_cache::{S3, SharedCredentialsProvider};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use support::recorder::{Recorder, enable_events};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::tenancy::{call, cloud, of_role, params, role};

/// Returns the events of credentials, without their spans and the digits that distinguish scopes.
fn of_credentials(recorder: &Recorder) -> Vec<String> {
    let text = |event: &String| {
        let event = event.rsplit("} ").next().unwrap_or_default();
        event.split_once('#').map_or(event.to_owned(), |(before, after)| format!("{before}{}", &after[8..]))
    };
    recorder.take().iter().filter(|event| event.contains("scope=")).map(text).collect()
}

// Proves O4.
#[tokio::test]
async fn loads_refusals_and_invalidations_are_events_with_labels() {
    let (recorder, _guard) = Recorder::install();
    let (cloud, session) = cloud();
    let tenant = of_role("tenant");
    let s3 = session.ready(&tenant).await.unwrap();
    let scope = "scope=role:arn:aws:iam::123456789012:role/tenant";
    assert_eq!(
        of_credentials(&recorder),
        ["loaded credentials scope=base".to_owned(), format!("loaded credentials {scope}")]
    );

    session.invalidate_credentials(&tenant);
    session.revoke(&tenant);
    assert!(session.admit(&tenant) && !session.admit(&tenant));
    session.invalidate_role("arn:aws:iam::123456789012:role/tenant");
    session.revoke_role("arn:aws:iam::123456789012:role/tenant");
    assert!(session.admit_role("arn:aws:iam::123456789012:role/tenant"));
    let turn = ["invalidated", "revoked", "admitted"].map(|verb| format!("{verb} credentials {scope}"));
    assert_eq!(of_credentials(&recorder), [turn.clone(), turn].concat());

    call(&s3).await;
    cloud.expire("tenant by base", 400, "ExpiredToken");
    assert!(s3.delete_object().bucket("bucket").key("key").send().await.is_err());
    let expected = ["loaded credentials", "dropped credentials that AWS refused as expired"];
    assert_eq!(of_credentials(&recorder), expected.map(|text| format!("{text} {scope}")));

    cloud.refuse("tenant");
    assert!(session.ready(&tenant).await.is_err());
    assert!(session.ready(&tenant).await.is_err(), "answered in the backoff, without an event");
    let events = of_credentials(&recorder);
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(events[0].starts_with("WARN credentials could not be loaded"), "{events:?}");
    assert!(events[0].contains(scope) && events[0].ends_with(r#"code="AccessDenied""#), "{events:?}");
    let error = session.ready(&tenant).await.unwrap_err().to_string();
    let (_, cause) = error.split_once(": ").expect("the message ends with the cause");
    assert!(events[0].contains(&format!("reason=\"{cause}\"")), "{events:?} of {error}");
}

// Proves O4: without AWS's answer, the reason is the kind of failure.
#[tokio::test]
async fn a_failed_request_for_credentials_is_an_event_with_a_reason() {
    let (recorder, _guard) = Recorder::install();
    let (cloud, session) = cloud();
    cloud.garble("hub");
    let spoke = params::<S3>().assume_role(role("spoke").source_role(role("hub"))).build().unwrap();
    session.ready(&spoke).await.unwrap_err();
    let failures: Vec<_> = of_credentials(&recorder).into_iter().filter(|event| event.starts_with("WARN")).collect();
    assert_eq!(failures.len(), 2, "of the hub and of the spoke: {failures:?}");
    assert!(failures.iter().all(|event| event.contains(r#"reason="service error""#)), "{failures:?}");
}

/// Fails with a message that contains a secret.
#[derive(Debug)]
struct Indiscreet;

impl ProvideCredentials for Indiscreet {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::provider_error("the secret")))
    }
}

// Proves K4, O4.
#[tokio::test]
async fn events_of_failed_loads_contain_no_text_of_a_callers_provider() {
    let (recorder, _guard) = Recorder::install();
    let (_cloud, session) = cloud();
    let params = params::<S3>().credentials_provider(SharedCredentialsProvider::new(Indiscreet)).build().unwrap();
    session.ready(&params).await.unwrap_err();
    let events = of_credentials(&recorder);
    assert_eq!(events.len(), 1);
    assert!(!events[0].contains("secret"), "{events:?}");
}

/// Collects the level and the module of each event of the crate.
#[derive(Clone, Default)]
struct Levels(Arc<Mutex<BTreeSet<(Level, &'static str)>>>);

impl<S: Subscriber> Layer<S> for Levels {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if let Some(module) = metadata.target().strip_prefix("aws_client_cache::") {
            self.0.lock().unwrap().insert((*metadata.level(), module));
        }
    }
}

// Proves O4.
#[tokio::test]
async fn only_failed_loads_are_warnings_and_all_other_events_are_at_debug_level() {
    enable_events();
    let levels = Levels::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(levels.clone()));
    let (cloud, session) = cloud();
    let tenant = of_role("tenant");
    call(&session.ready(&tenant).await.unwrap()).await;
    session.revoke(&tenant);
    session.client(&tenant).await.unwrap_err();
    assert!(session.admit(&tenant));
    session.client(&tenant).await.unwrap();
    session.cache().set_max_size(0);
    session.invalidate_credentials(&tenant);
    let of_debug = [(Level::DEBUG, "cache::trace"), (Level::DEBUG, "session::trace")];
    assert_eq!(*levels.0.lock().unwrap(), of_debug.into());

    cloud.refuse("tenant");
    session.ready(&tenant).await.unwrap_err();
    assert_eq!(
        *levels.0.lock().unwrap(),
        [of_debug.as_slice(), &[(Level::WARN, "session::trace")]].concat().into_iter().collect()
    );
}

/// Panics at each event of a load.
struct Panics;

impl<S: Subscriber> Layer<S> for Panics {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        assert!(!event.metadata().target().ends_with("session::trace"), "a subscriber");
    }
}

// Proves C2, O4: a load that all callers share must not end by a panic of one caller's subscriber.
#[tokio::test]
async fn a_subscriber_that_panics_breaks_no_load() {
    let (cloud, session) = cloud();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(Panics));
    let tenant = session.ready(&of_role("tenant")).await.unwrap();
    call(&tenant).await;
    // The SDK does not retry a refusal.
    cloud.expire("tenant by base", 400, "ExpiredToken");
    tenant.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
    call(&tenant).await;
}
