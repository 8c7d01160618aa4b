//! The exact output of `Debug` and `Display`. The tests in `identity` check that it shows no secret.

use std::error::Error;
use std::time::Duration;

use aws_client_cache::{
    AnyClient, AnyKey, AssumeRole, ClientCache, ClientCacheError, ClientParams, Credentials, EvictionPolicy,
    ParseEvictionPolicyError, RetryConfig, SharedCredentialsProvider, TimeoutConfig,
};
use support::fake::{self, Client, Fake, key};

#[test]
fn a_policy_is_parsed_from_the_name_that_it_prints() {
    for (policy, name) in EvictionPolicy::ALL.iter().copied().zip(["LRU", "LFU", "LFUDA"]) {
        assert_eq!(policy.to_string(), name);
        assert_eq!(format!("{policy:>6}"), format!("{name:>6}"));
        assert_eq!(name.parse(), Ok(policy));
        assert_eq!(name.to_lowercase().parse(), Ok(policy));
    }
    for name in ["", "LRU ", "FIFO"] {
        let error: ParseEvictionPolicyError = name.parse::<EvictionPolicy>().unwrap_err();
        assert_eq!(error.to_string(), format!(r#"unknown eviction policy "{name}": expected "LRU", "LFU" or "LFUDA""#));
    }
}

#[test]
fn a_cache_prints_its_policy_its_bound_and_the_labels_of_its_keys_in_eviction_order() {
    let cache = ClientCache::new(EvictionPolicy::Lfu, 3);
    assert_eq!(cache.to_string(), "ClientCache(LFU, 0 of 3)");
    for number in 1..=2 {
        cache.insert(key(number), Client::new(number.into())).unwrap();
    }
    cache.get(&key(1));
    assert_eq!(cache.to_string(), "ClientCache(LFU, 2 of 3)\n  Fake(base=2)\n  Fake(base=1)");
    assert_eq!(format!("{cache:?}"), cache.to_string());

    let builder = ClientCache::builder();
    assert_eq!(
        format!("{builder:?}"),
        "ClientCacheBuilder { config: ClientCacheConfig { policy: Lru, max_size: 10 }, on_evict: no listener, time_source: SharedTimeSource(SystemTimeSource) }"
    );
    let listening = ClientCache::builder().on_evict(|_, _| ());
    assert_eq!(
        format!("{listening:?}"),
        "ClientCacheBuilder { config: ClientCacheConfig { policy: Lru, max_size: 10 }, on_evict: a listener, time_source: SharedTimeSource(SystemTimeSource) }"
    );
}

#[test]
fn an_error_prints_its_reason() {
    let parsed = "FIFO".parse::<EvictionPolicy>().unwrap_err();
    assert_eq!(ClientCacheError::from(parsed.clone()).to_string(), parsed.to_string());
    let error = ClientCache::default().pop_item().unwrap_err();
    assert_eq!(error.to_string(), "the cache is empty");
    assert!(error.source().is_none() && ClientCacheError::from(parsed).source().is_none());
}

// Proves K4.
#[tokio::test]
async fn a_provider_prints_its_type_only() {
    let keys = Credentials::new("hidden", "hidden", None, None, "hidden");
    let base = fake::base().to_builder().credentials_provider(SharedCredentialsProvider::new(keys)).build();
    let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant").external_id("hidden").policy("hidden");
    assert_eq!(format!("{role:?}"), "AssumeRole(arn:aws:iam::123456789012:role/tenant)");
    let builder = || ClientParams::<Fake>::builder();
    for (builder, name) in
        [(builder().assume_role(role), "AssumeRoleProvider"), (builder().profile("hidden"), "ProfileProvider")]
    {
        let client = builder.build().unwrap().client(&base).await.unwrap();
        let config = &client.made_from.as_ref().expect("it is made from a configuration").config;
        let shown = format!("{:?}", config.credentials_provider().expect("the client signs"));
        assert!(shown.starts_with(&format!("SharedCredentialsProvider({name}, ")), "{shown}");
        assert!(!shown.contains("hidden"), "{shown}");
    }
}

#[test]
fn a_client_prints_its_service_only() {
    let cache = ClientCache::default();
    cache.insert(key(1), Client::new(1)).unwrap();
    let (any_key, client): (AnyKey, AnyClient) = cache.pop_item().unwrap();
    assert_eq!(format!("{client:?}"), "AnyClient(Fake)");
    assert_eq!((client.service_name(), any_key.service_name()), ("Fake", "Fake"));
}

#[test]
fn a_key_prints_every_parameter_that_is_set() {
    let builder = || ClientParams::<Fake>::builder();
    let label = |builder: aws_client_cache::ClientParamsBuilder<Fake>| builder.build().unwrap().key().to_string();
    assert_eq!(label(builder()), "Fake()");
    assert_eq!(label(builder().timeout_config(TimeoutConfig::builder().build())), "Fake(timeout_config=none)");
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .read_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_millis(4));
    let all = builder()
        .base("prod")
        .region("us-west-2")
        .endpoint_url("http://host/path")
        .use_fips(true)
        .use_dual_stack(false)
        .retry_config(RetryConfig::adaptive().with_max_attempts(5))
        .timeout_config(timeouts.build())
        .app_name("billing")
        .customize("one", |builder| builder)
        .customize_with("other", 7, |builder, _| builder);
    assert_eq!(
        label(all),
        "Fake(base=prod, region=us-west-2, endpoint_url=http://host/path, use_fips=true, use_dual_stack=false, \
         retry_config=Adaptive/5, timeout_config=connect:1s/read:2s/operation:3s/attempt:4ms, app_name=billing, \
         customization=one, customization=other)",
    );
}

#[test]
fn keys_and_parameters_print_the_label_and_a_builder_does_not() {
    let builder = ClientParams::<Fake>::builder().base("prod");
    assert_eq!(format!("{builder:?}"), "ClientParamsBuilder<Fake>");
    let params = builder.build().unwrap();
    let (key, any_key) = (params.key(), AnyKey::from(params.key()));
    assert_eq!((key.to_string(), any_key.to_string()), ("Fake(base=prod)".into(), "Fake(base=prod)".into()));
    assert_eq!(format!("{params:?}"), "ClientParams(Fake(base=prod))");
    assert_eq!(format!("{key:?}"), "ClientCacheKey(Fake(base=prod))");
    assert_eq!(format!("{any_key:?}"), "AnyKey(Fake(base=prod))");
}

#[test]
fn a_key_knows_the_label_that_is_set() {
    let label = |builder: aws_client_cache::ClientParamsBuilder<Fake>| {
        AnyKey::from(builder.build().unwrap().key()).label().map(str::to_owned)
    };
    assert_eq!(label(ClientParams::builder().base("prod")), None);
    assert_eq!(label(ClientParams::builder().base("prod").label("tenant")).as_deref(), Some("tenant"));
}
