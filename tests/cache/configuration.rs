//! Configuration read from a file, and statistics written to one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_client_cache::{
    ClientCache, ClientCacheConfig, ClientParams, Evicted, EvictionCause, EvictionPolicy, Session, SessionBuilder,
    SessionConfig, Stats,
};
use quickcheck::quickcheck;
use serde::de::DeserializeOwned;
use support::fake::{self, Fake};

/// Returns the error of a text that cannot be read.
fn refused<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
    serde_json::from_str::<T>(text).unwrap_err().to_string()
}

fn of(policy: bool, max_size: usize) -> ClientCacheConfig {
    let mut config = ClientCacheConfig::default();
    config.policy = if policy { EvictionPolicy::Lru } else { EvictionPolicy::Lfu };
    config.max_size = max_size;
    config
}

quickcheck! {
    fn a_written_configuration_is_read_back_unchanged(policy: bool, sizes: (usize, usize), timeout: (u32, u32), partitions: bool) -> bool {
        let cache = of(policy, sizes.0);
        let mut session = SessionConfig::default();
        (session.policy, session.max_size) = (cache.policy, cache.max_size);
        (session.max_concurrent_loads, session.retry_partitions) = (sizes.1, partitions);
        session.scope_idle_timeout = Duration::new(timeout.0.into(), timeout.1 % 1_000_000_000);
        let read = serde_json::from_value::<SessionConfig>(serde_json::to_value(&session).unwrap()).unwrap();
        read == session
            && serde_json::from_value::<ClientCacheConfig>(serde_json::to_value(&cache).unwrap()).unwrap() == cache
    }
}

#[test]
fn missing_fields_have_their_defaults() {
    assert_eq!(serde_json::from_str::<ClientCacheConfig>("{}").unwrap(), ClientCacheConfig::default());
    assert_eq!(serde_json::from_str::<SessionConfig>("{}").unwrap(), SessionConfig::default());
    let cache = ClientCache::builder().config(ClientCacheConfig::default()).build();
    assert_eq!((cache.policy(), cache.max_size()), (EvictionPolicy::Lru, 10), "D1");
    let some: SessionConfig = serde_json::from_str(r#"{ "scope_idle_timeout": "1h 30s" }"#).unwrap();
    assert_eq!((some.scope_idle_timeout, some.max_size), (Duration::from_secs(3_630), 128));
    let session = Session::new(&fake::base());
    assert_eq!((session.cache().policy(), session.cache().max_size()), (EvictionPolicy::Lru, 128), "D1");
}

#[test]
fn a_configuration_sets_the_policy_and_the_bounds() {
    let config: ClientCacheConfig = serde_json::from_str(r#"{ "policy": "LFU", "max_size": 30 }"#).unwrap();
    let cache = ClientCache::builder().config(config).build();
    assert_eq!((cache.policy(), cache.max_size()), (EvictionPolicy::Lfu, 30));
    let text = r#"{ "policy": "LFU", "max_size": 7, "scope_idle_timeout": "5m", "retry_partitions": false, "max_concurrent_loads": 2 }"#;
    let config: SessionConfig = serde_json::from_str(text).unwrap();
    let builder = Session::builder(&fake::base()).config(config.clone());
    let shown = format!("{builder:?}");
    assert!(shown.contains(&format!("{config:?}")), "{shown}");
    let session = builder.build();
    assert_eq!((session.cache().policy(), session.cache().max_size()), (EvictionPolicy::Lfu, 7));
}

#[test]
fn each_method_of_a_session_builder_sets_the_field_of_its_name() {
    type Set = fn(SessionBuilder) -> SessionBuilder;
    type Assign = fn(&mut SessionConfig);
    const TIME: Duration = Duration::from_secs(7);
    let settings: [(Set, Assign); 12] = [
        (|builder| builder.policy(EvictionPolicy::Lfu), |config| config.policy = EvictionPolicy::Lfu),
        (|builder| builder.max_size(7), |config| config.max_size = 7),
        (|builder| builder.scope_idle_timeout(TIME), |config| config.scope_idle_timeout = TIME),
        (|builder| builder.max_idle_scopes(7), |config| config.max_idle_scopes = 7),
        (|builder| builder.retry_partitions(false), |config| config.retry_partitions = false),
        (|builder| builder.max_concurrent_loads(7), |config| config.max_concurrent_loads = 7),
        (|builder| builder.load_timeout(TIME), |config| config.load_timeout = Some(TIME)),
        (|builder| builder.advisory_refresh_window(TIME), |config| config.advisory_refresh_window = Some(TIME)),
        (|builder| builder.mandatory_refresh_window(TIME), |config| config.mandatory_refresh_window = TIME),
        (|builder| builder.refresh_backoff(TIME), |config| config.refresh_backoff = TIME),
        (|builder| builder.load_backoff(TIME), |config| config.load_backoff = TIME),
        (|builder| builder.max_load_backoff(TIME), |config| config.max_load_backoff = TIME),
    ];
    let builder = || Session::builder(&fake::base());
    for (set, assign) in settings {
        let mut config = SessionConfig::default();
        assign(&mut config);
        assert_ne!(config, SessionConfig::default());
        assert_eq!(format!("{:?}", set(builder())), format!("{:?}", builder().config(config)));
    }
}

#[tokio::test]
async fn the_listener_of_a_session_is_notified_of_its_evictions() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let listener = {
        let seen = Arc::clone(&seen);
        move |evicted: &Evicted, cause| seen.lock().unwrap().push((evicted.key.clone(), cause))
    };
    let session = Session::builder(&fake::base()).max_size(1).on_evict(listener).build();
    let [one, other] = ["us-west-1", "us-west-2"].map(|region| ClientParams::<Fake>::builder().region(region).build());
    let (one, other) = (one.unwrap(), other.unwrap());
    session.client(&one).await.unwrap();
    assert!(seen.lock().unwrap().is_empty());
    session.client(&other).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [(one.key().into(), EvictionCause::Capacity)]);
}

#[test]
fn unknown_fields_and_invalid_values_are_refused_by_name() {
    for unknown in
        [refused::<ClientCacheConfig>(r#"{ "maxsize": 30 }"#), refused::<SessionConfig>(r#"{ "maxsize": 30 }"#)]
    {
        assert!(unknown.starts_with("unknown field `maxsize`, expected "), "{unknown}");
    }
    let policy = refused::<ClientCacheConfig>(r#"{ "policy": "FIFO" }"#);
    assert!(policy.starts_with("unknown variant `FIFO`, expected one of `LRU`, `LFU`, `LFUDA`"), "{policy}");
    let text = refused::<SessionConfig>(r#"{ "scope_idle_timeout": "soon" }"#);
    assert!(text.contains("expected number") || text.contains("duration"), "{text}");
    assert!(refused::<ClientCacheConfig>(r#"{ "max_size": -1 }"#).contains("-1"));
}

#[test]
fn statistics_are_written_by_their_names() {
    let cache = ClientCache::default();
    cache.get(&fake::key(0));
    let expected = serde_json::json!({
        "hits": 0, "misses": 1, "insertions": 0, "evictions": 0,
        "expirations": 0, "removals": 0, "creations": 0, "failures": 0,
    });
    let written = serde_json::to_value(cache.stats()).unwrap();
    assert_eq!(written, expected);
    assert_eq!(serde_json::from_value::<Stats>(written).unwrap(), cache.stats());
    // An earlier version with fewer counters wrote such a text.
    assert_eq!(serde_json::from_str::<Stats>(r#"{ "misses": 1 }"#).unwrap(), cache.stats());
}
