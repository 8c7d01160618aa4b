//! Rule O5: the counters of a session.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use aws_client_cache::{Session, SessionBuilder, SessionStats};
use futures_util::FutureExt;
use support::clock::{Clock, time};
use support::cloud::Cloud;

use crate::tenancy::{NOW, call, cloud, of_role};

/// Returns the counters of loads: all, failed, answered in the backoff, answered by held credentials.
fn loads(session: &Session) -> [u64; 4] {
    let SessionStats { loads, failed_loads, backoff_answers, held_answers, .. } = session.stats();
    [loads, failed_loads, backoff_answers, held_answers]
}

async fn fails(s3: &aws_sdk_s3::Client) -> bool {
    s3.delete_object().bucket("bucket").key("key").send().await.is_err()
}

// Proves O5.
#[tokio::test]
async fn a_new_session_has_counted_nothing() {
    let (_cloud, session) = cloud();
    assert_eq!(session.stats(), SessionStats::default());
    assert_eq!(session.stats().next_expiry, None);
}

// Proves O5.
#[tokio::test]
async fn each_load_and_each_answer_without_one_is_counted() {
    let (cloud, session) = cloud();
    let tenant = session.client(&of_role("tenant")).await.unwrap();
    assert_eq!(loads(&session), [0; 4], "creating a client loads nothing");
    for _ in 0..3 {
        call(&tenant).await;
    }
    assert_eq!(loads(&session), [2, 0, 0, 0], "the base's credentials and the role's");
    cloud.clock().advance(3_200);
    cloud.refuse("tenant");
    for _ in 0..3 {
        call(&tenant).await;
    }
    assert_eq!(loads(&session), [4, 1, 0, 3], "the base's were refreshed, the role's were not, and held ones served");
    cloud.clock().advance(400);
    for _ in 0..3 {
        assert!(fails(&tenant).await);
    }
    let [all, failed, in_backoff, held] = loads(&session);
    assert_eq!([all, failed, held], [5, 2, 3]);
    assert!((2..=8).contains(&in_backoff), "the SDK may retry: {in_backoff}");
}

// Proves O5.
#[tokio::test]
async fn invalidations_and_expired_tokens_are_counted() {
    let (cloud, session) = cloud();
    let tenant = session.ready(&of_role("tenant")).await.unwrap();
    session.invalidate_credentials(&of_role("other"));
    session.revoke(&of_role("tenant"));
    assert!(session.admit(&of_role("tenant")));
    assert_eq!((session.stats().invalidations, session.stats().expired_tokens), (2, 0));
    call(&tenant).await;
    cloud.expire("tenant by base", 400, "ExpiredToken");
    assert!(fails(&tenant).await);
    call(&tenant).await;
    assert_eq!((session.stats().invalidations, session.stats().expired_tokens), (2, 1));
}

// Proves O5.
#[tokio::test]
async fn scopes_and_the_next_expiry_are_shown() {
    let (cloud, session) = cloud();
    let scopes = || (session.stats().active_scopes, session.stats().idle_scopes, session.stats().next_expiry);
    session.client(&of_role("early")).await.unwrap();
    assert_eq!(scopes(), (1, 0, None), "nothing is loaded");
    session.ready(&of_role("early")).await.unwrap();
    cloud.clock().advance(60);
    session.ready(&of_role("late")).await.unwrap();
    assert_eq!(scopes(), (2, 0, Some(time(NOW + 3_600))));
    session.cache().clear();
    assert_eq!(scopes(), (0, 2, Some(time(NOW + 3_600))), "idle scopes keep their credentials");
    session.invalidate_credentials(&of_role("early"));
    assert_eq!(scopes(), (0, 1, Some(time(NOW + 3_660))));
}

// Proves O5.
#[tokio::test]
async fn the_counters_of_the_cache_are_among_them() {
    let (_cloud, session) = cloud();
    for _ in 0..4 {
        session.client(&of_role("tenant")).await.unwrap();
    }
    assert_eq!(session.stats().cache, session.cache().stats());
    assert_eq!(
        session.stats().to_string(),
        "3 hits, 1 misses (75.0 % hits), 1 insertions, 0 evictions, 0 expirations, 0 removals, 1 creations, 0 failures; \
         1 active scopes, 0 idle scopes, 0 loads, 0 failed loads, 0 backoff answers, 0 held answers, 0 invalidations, \
         0 expired tokens"
    );
}

// Proves O2, O5.
#[test]
fn the_counters_are_listed_with_the_names_and_values_of_all_fields() {
    let mut numbered = serde_json::to_value(SessionStats::default()).unwrap();
    let mut expected = Vec::new();
    let mut number = |fields: &mut serde_json::Map<_, _>| {
        for (name, value) in fields.iter_mut().filter(|(name, value)| value.is_u64() && !name.ends_with("_scopes")) {
            expected.push((name.clone(), expected.len() as u64 + 1));
            *value = (expected.len()).into();
        }
    };
    number(numbered["cache"].as_object_mut().unwrap());
    number(numbered.as_object_mut().unwrap());
    let stats: SessionStats = serde_json::from_value(numbered).unwrap();
    let mut listed: Vec<_> = stats.counters().map(|(name, count)| (name.to_owned(), count)).collect();
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
    assert_eq!(listed.len(), 14);
}

#[tokio::test]
async fn stats_are_serialized_by_name() {
    let cloud = Cloud::default();
    let session = Session::builder(&cloud.config()).scope_idle_timeout(Duration::from_secs(1)).build();
    session.ready(&of_role("tenant")).await.unwrap();
    let stats = session.stats();
    let text = serde_json::to_string(&stats).unwrap();
    assert!(text.contains(r#""loads":2"#) && text.contains(r#""misses":1"#), "{text}");
    assert_eq!(serde_json::from_str::<SessionStats>(&text).unwrap(), stats);
}

/// A setter of a session's builder with an extreme value, and its name.
type Set = (&'static str, fn(SessionBuilder) -> SessionBuilder);

fn session_settings() -> Vec<Set> {
    let mut all: Vec<Set> = Vec::new();
    macro_rules! extremes {
        ($($setter:ident: $($value:expr),+;)+) => {
            $($(all.push((concat!(stringify!($setter), ": ", stringify!($value)), |builder| builder.$setter($value)));)+)+
        };
    }
    extremes! {
        max_size: 0, usize::MAX;
        max_idle_scopes: 0, usize::MAX;
        max_concurrent_loads: 0, usize::MAX;
        scope_idle_timeout: Duration::ZERO, Duration::MAX;
        load_timeout: Duration::ZERO, Duration::MAX;
        advisory_refresh_window: Duration::ZERO, Duration::MAX;
        mandatory_refresh_window: Duration::ZERO, Duration::MAX;
        refresh_backoff: Duration::ZERO, Duration::MAX;
        load_backoff: Duration::ZERO, Duration::MAX;
        max_load_backoff: Duration::ZERO, Duration::MAX;
    }
    all
}

/// Calls a session over a role that AWS issues, refuses, and issues again.
async fn exercise(cloud: &Cloud, session: Session) {
    let (tenant, other) = (of_role("tenant"), of_role("other"));
    // At once, in the advisory window, and in the mandatory window.
    for seconds in [0, 3_200, 3_590] {
        let is_ready = session.ready(&tenant).await.is_ok();
        assert!(is_ready || session.stats().failed_loads > 0, "a load without time fails");
        let s3 = session.client(&other).await.unwrap();
        fails(&s3).await;
        cloud.clock().advance(seconds);
        cloud.refuse("other");
        fails(&s3).await;
        cloud.clock().advance(400);
        fails(&s3).await;
        cloud.allow("other");
        fails(&s3).await;
        cloud.expire("other by base", 400, "ExpiredToken");
        fails(&s3).await;
        session.cache().clear();
        session.invalidate_credentials(&other);
        cloud.clock().advance(u64::from(u32::MAX));
        assert!(session.stats().to_string().contains("hits"));
    }
    assert!(format!("{session:?}").starts_with("Session"));
}

// Each setting by itself, and all pairs of them: the documentation of the crate says that no argument causes a panic.
#[tokio::test]
async fn no_setting_of_a_session_causes_a_panic() {
    let settings = session_settings();
    assert_eq!(settings.len(), 20);
    for (index, (one, set)) in settings.iter().enumerate() {
        for (other, also_set) in &settings[index..] {
            let cloud = Cloud::new(&Clock::at(NOW));
            let run = async { exercise(&cloud, also_set(set(Session::builder(&cloud.config()))).build()).await };
            assert!(AssertUnwindSafe(run).catch_unwind().await.is_ok(), "{one}, {other}");
        }
    }
}
