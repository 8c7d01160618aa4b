//! Rules K1 to K4 and K6 to K8: keys, their labels, and the configuration of clients.
//!
//! A property next to the builder, in `src/params`, checks that keys are equal if and only if all parameters are.

use std::process::Command;
use std::time::{Duration, SystemTime};

use aws_client_cache::Service;
use aws_client_cache::{
    AnyClient, AnyKey, AssumeRole, ClientCache, ClientCacheError, ClientParams, ClientParamsBuilder, Credentials,
    EvictionPolicy, InsertError, KeyedHttpClient, Region, RetryConfig, SdkConfig, SharedCredentialsProvider,
    TimeoutConfig,
};
use aws_types::origin::Origin;
use support::fake::{Client, ConfigBuilder, Fake, Proxied, base, key};

type Builder = ClientParamsBuilder<Fake>;

fn params() -> Builder {
    ClientParams::builder()
}

async fn made_from(params: Builder, base: &SdkConfig) -> ConfigBuilder {
    let client = params.build().unwrap().client(base).await.unwrap();
    client.made_from.clone().unwrap()
}

fn append(mut builder: ConfigBuilder, applied: &str) -> ConfigBuilder {
    builder.applied.push(applied.to_owned());
    builder
}

mod k1a_customizations {
    use super::*;

    // Proves K1a.
    #[tokio::test]
    async fn customizations_apply_in_order_of_their_names() {
        let params = params()
            .customize_with("c", "three".to_owned(), |builder, value| append(builder, &value))
            .customize("a", |builder| append(builder, "one"))
            .customize_with("b", 2, |builder, value| append(builder, &value.to_string()));
        assert_eq!(made_from(params, &base()).await.applied, ["one", "2", "three"]);
    }

    // Proves K1a.
    #[test]
    fn customizations_differ_by_name_closure_and_value() {
        fn one(builder: ConfigBuilder) -> ConfigBuilder {
            append(builder, "one")
        }
        fn other(builder: ConfigBuilder) -> ConfigBuilder {
            append(builder, "other")
        }
        let key = |params: Builder| params.build().unwrap().key();
        let valued = |value: u8| params().customize_with("name", value, |builder, _| builder);
        assert_eq!(key(params().customize("name", one)), key(params().customize("name", one)));
        assert_ne!(key(params().customize("name", one)), key(params().customize("other", one)));
        assert_ne!(key(params().customize("name", one)), key(params().customize("name", other)));
        assert_eq!(key(valued(1)), key(valued(1)));
        assert_ne!(key(valued(1)), key(valued(2)));
    }

    // Proves K1a.
    #[tokio::test]
    async fn values_without_a_hash_are_compared_and_passed_on() {
        #[derive(Clone, Debug, PartialEq, Eq)]
        struct Mode(u8);
        let of =
            |mode| params().customize_unhashed("mode", mode, |builder, mode| append(builder, &format!("{mode:?}")));
        let key = |mode| of(Mode(mode)).build().unwrap().key();
        assert_eq!(key(1), key(1));
        assert_ne!(key(1), key(2));
        let cache = ClientCache::new(EvictionPolicy::Lru, 10);
        for mode in 0..3 {
            cache.insert(key(mode), Client::new(mode.into())).unwrap();
        }
        for mode in 0..3 {
            assert_eq!(cache.try_get(&key(mode)).unwrap().id, u64::from(mode));
        }
        assert_eq!(made_from(of(Mode(7)), &base()).await.applied, ["Mode(7)"]);
    }

    // Proves K1a.
    #[test]
    fn a_repeated_customization_name_is_refused() {
        let twice = params().customize("name", |b| b).customize_with("name", 1, |b, _| b).build();
        let error = twice.unwrap_err().to_string();
        assert_eq!(error, r#"invalid customize: the name "name" is repeated"#);
    }
}

mod k3_keyed_digests {
    use super::*;

    const LABEL: &str = "digest and hash: ";

    /// Returns the label and the hash of a key whose parameters are the same in every process.
    ///
    /// The label shows a part of the digest of the credentials.
    fn digest_and_hash() -> String {
        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
        let credentials = Credentials::new("AKID", "secret", None, None, "test");
        let key = params().credentials(credentials).build().unwrap().key();
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(&key);
        format!("{LABEL}{key} {hash}")
    }

    // Proves K3.
    #[test]
    #[expect(clippy::print_stdout, reason = "a child process tells its parent")]
    fn digests_differ_between_processes() {
        println!("{}", digest_and_hash());
        if std::env::var_os("DIGEST_AND_HASH_OF_CHILD").is_some() {
            return;
        }
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["identity::k3_keyed_digests::digests_differ_between_processes", "--exact", "--nocapture"])
            .env("DIGEST_AND_HASH_OF_CHILD", "1")
            .output()
            .unwrap();
        let output = String::from_utf8(child.stdout).unwrap();
        // On one processor, the name of the test is on the same line.
        let theirs = output.lines().find_map(|line| Some(line.split_once(LABEL)?.1)).expect("the child prints it");
        let ours = digest_and_hash();
        let ours = ours.trim_start_matches(LABEL);
        let differ: Vec<_> = ours.split(' ').zip(theirs.split(' ')).map(|(ours, theirs)| ours != theirs).collect();
        assert_eq!(differ, [true, true], "{ours:?} and {theirs:?}");
    }
}

mod k3_roles {
    use super::*;

    // Proves K3.
    #[test]
    fn the_order_of_policies_and_tags_does_not_matter() {
        let key = |policies: [&str; 2], tags: [(&str, &str); 2]| {
            let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant").policy_arns(policies).tags(tags);
            params().assume_role(role).build().unwrap().key()
        };
        let one = key(["arn:a", "arn:b"], [("a", "1"), ("b", "2")]);
        assert_eq!(one, key(["arn:b", "arn:a"], [("b", "2"), ("a", "1")]));
        assert_ne!(one, key(["arn:a", "arn:b"], [("a", "2"), ("b", "1")]));
    }
}

mod k3_http_clients {
    use super::*;

    // Proves K3.
    #[test]
    fn http_clients_are_known_by_their_handles() {
        let handle = || KeyedHttpClient::new("proxy-eu", Proxied::default());
        let key = |handle: &KeyedHttpClient| params().http_client(handle.clone()).build().unwrap().key();
        let (one, other) = (handle(), handle());
        assert_eq!((key(&one), &one), (key(&one.clone()), &one.clone()));
        assert_ne!((key(&one), &one), (key(&other), &other), "they may be different HTTP clients of one name");
        assert_ne!(key(&one), params().build().unwrap().key(), "an unset parameter is inherited");
        assert_ne!(key(&one).to_string(), key(&other).to_string());
        assert!(key(&one).to_string().starts_with("Fake(http_client=proxy-eu#"), "{}", key(&one));
    }

    // Proves K4.
    #[test]
    fn a_key_holds_no_http_client() {
        let proxied = Proxied::new("password");
        let handle = KeyedHttpClient::new("proxy-eu", proxied.clone());
        let key = params().http_client(handle).build().unwrap().key();
        assert_eq!(proxied.handles(), 1, "{key}");
    }
}

mod k4_secrets {
    use super::*;

    const SECRETS: [&str; 6] =
        ["AKIDSECRET", "SECRETKEY", "SECRETTOKEN", "SECRETVALUE", "SECRETUSERINFO", "SECRETPASSWORD"];

    fn credentials() -> Credentials {
        let expiry = SystemTime::now() + Duration::from_hours(1);
        Credentials::new("AKIDSECRET", "SECRETKEY", Some("SECRETTOKEN".into()), Some(expiry), "test")
    }

    fn assert_no_secret(what: &str, shown: &str) {
        for secret in SECRETS {
            assert!(!shown.contains(secret), "{what} shows {secret}: {shown}");
        }
    }

    fn assert_shows_no_secret(what: &str, shown: &(impl std::fmt::Debug + ?Sized)) {
        assert_no_secret(what, &format!("{shown:?} {shown:#?}"));
    }

    fn with_secrets() -> Builder {
        params()
            .region("us-west-2")
            .credentials(credentials())
            .http_client(KeyedHttpClient::new("proxy", Proxied::new("SECRETPASSWORD")))
            .customize_with("name", "SECRETVALUE", |builder, _| builder)
    }

    // Proves K4.
    #[tokio::test]
    async fn no_public_item_shows_a_secret() {
        let provided = || params().credentials_provider(SharedCredentialsProvider::new(credentials()));
        let proxied = Proxied::new("SECRETPASSWORD");
        assert!(format!("{proxied:?}").contains("SECRETPASSWORD"));
        assert_shows_no_secret("a handle", &KeyedHttpClient::new("proxy", proxied));
        for builder in [with_secrets(), provided()] {
            assert_shows_no_secret("the builder", &builder);
            let params = builder.build().unwrap();
            assert_shows_no_secret("params", &params);
            let (key, any_key) = (params.key(), AnyKey::from(params.key()));
            assert_shows_no_secret("the key", &key);
            assert_shows_no_secret("the erased key", &any_key);
            assert_no_secret("labels", &format!("{key} {any_key}"));

            let cache = ClientCache::builder().max_size(1).on_evict(|evicted, _| {
                assert_shows_no_secret("evicted", evicted);
            });
            assert_shows_no_secret("the cache's builder", &cache);
            let cache = cache.build();
            let client = params.client(&base()).await.unwrap();
            assert!(format!("{client:?}").contains("AKIDSECRET"), "the client contains a secret");
            cache.insert(key.clone(), client.clone()).unwrap();
            assert_shows_no_secret("the cache", &cache);
            assert_no_secret("the cache's label", &cache.to_string());
            assert_shows_no_secret("items", &cache.items());
            assert_shows_no_secret("keys", &cache.keys());
            assert_shows_no_secret("values", &cache.values());

            let mut elsewhere = client.clone();
            elsewhere.region = Some(Region::from_static("eu-west-1"));
            let mut errors = vec![
                cache.insert(key.clone(), client.clone()).unwrap_err().into(),
                ClientCache::default().try_get(&key).unwrap_err(),
                ClientCache::default().remove(&any_key).unwrap_err(),
            ];
            if let Err(refused) = ClientCache::default().insert(key.clone(), elsewhere) {
                assert_shows_no_secret("a refused insertion", &refused);
                errors.push(refused.into());
            }
            for error in &errors {
                assert_shows_no_secret("an error", error);
                assert_no_secret("an error's message", &error.to_string());
            }
            let evicted = cache.insert(super::key(1), Client::new(1)).unwrap();
            assert_shows_no_secret("evicted entries", &evicted);
        }
    }

    // Proves K4.
    #[test]
    fn errors_do_not_repeat_a_secret_parameter() {
        let refused = [
            params().endpoint_url("http://SECRETUSERINFO@host"),
            params().endpoint_url("http://host?SECRETVALUE"),
            params().endpoint_url("http://host#SECRETVALUE"),
            params().endpoint_url("SECRETVALUE"),
            params().region("SECRETVALUE!"),
            params().app_name("SECRETVALUE with blanks"),
            params().credentials(Credentials::new("AKIDSECRET", "", None, None, "test")),
            params().credentials(Credentials::new("", "SECRETKEY", None, None, "test")),
            with_secrets().credentials_provider(SharedCredentialsProvider::new(credentials())),
        ];
        for builder in refused {
            let error = builder.build().unwrap_err();
            assert_no_secret("an error", &format!("{error} {error:?}"));
        }
    }

    #[test]
    fn labels_distinguish_providers() {
        let provider = || SharedCredentialsProvider::new(credentials());
        let label = |provider| params().credentials_provider(provider).build().unwrap().key().to_string();
        let (one, two) = (provider(), provider());
        assert_eq!(label(one.clone()), label(one.clone()));
        assert_ne!(label(one.clone()), label(two));
        assert!(label(one.clone()).starts_with("Fake(credentials=provider#"), "{}", label(one));
    }

    #[test]
    fn labels_distinguish_static_credentials() {
        let label = |id: &str| {
            let credentials = Credentials::new(id, "secret", None, None, "test");
            params().credentials(credentials).build().unwrap().key().to_string()
        };
        assert_eq!(label("one"), label("one"));
        assert_ne!(label("one"), label("two"));
        assert!(label("one").starts_with("Fake(credentials=static#"), "{}", label("one"));
    }

    // Proves K4.
    #[test]
    fn a_label_is_always_one_line() {
        let proxied = params().http_client(KeyedHttpClient::new("e\nf", Proxied::default())).build().unwrap();
        assert!(proxied.key().to_string().starts_with(r"Fake(http_client=e\nf#"), "{proxied:?}");
        let params = params().base("a\nb").customize("c\r\nd", |builder| builder).build().unwrap();
        assert_eq!(params.key().to_string(), r"Fake(base=a\nb, customization=c\r\nd)");
        let west = super::params().region("us-west-2").build().unwrap().key();
        let refused = ClientCache::default().insert(west, Client::in_region(1, "us\nwest\u{2028}")).unwrap_err();
        assert_eq!(refused.to_string(), r"a client for us\nwest\u{2028} cannot be cached under Fake(region=us-west-2)");
    }
}

mod k6_regions {
    use super::*;

    // Proves K6.
    #[test]
    fn insert_refuses_a_client_of_another_region() {
        let cache = ClientCache::default();
        let west = params().region("us-west-2").build().unwrap().key();
        let refused = cache.insert(west.clone(), Client::in_region(1, "us-east-1")).unwrap_err();
        assert_eq!(refused.to_string(), "a client for us-east-1 cannot be cached under Fake(region=us-west-2)");
        let shown = format!("{refused:?}");
        assert!(shown.starts_with("InsertError { error: ClientMismatch") && !shown.contains("client:"), "{shown}");
        let InsertError { error: ClientCacheError::ClientMismatch { found, .. }, key, client, .. } = refused else {
            panic!("{refused}")
        };
        assert_eq!((found.as_ref(), key, client.id), ("us-east-1", west.clone(), 1));
        assert!(cache.is_empty());
        cache.insert(west.clone(), Client::in_region(2, "us-west-2")).unwrap();
        assert_eq!(cache.peek(&west).unwrap().id, 2);
    }

    // Proves K6.
    #[test]
    fn without_a_region_insert_accepts_any_client() {
        let cache = ClientCache::default();
        cache.insert(key(1), Client::in_region(1, "us-east-1")).unwrap();
        let west = params().region("us-west-2").build().unwrap().key();
        cache.insert(west, Client::new(2)).unwrap();
        assert_eq!(cache.len(), 2);
    }

    // Proves K6.
    #[tokio::test]
    async fn insert_refuses_a_region_changed_by_a_customization() {
        let params = params().region("us-west-2").customize("elsewhere", |mut builder| {
            let config = builder.config.to_builder().region(Region::from_static("us-east-1"));
            builder.config = config.build();
            builder
        });
        let params = params.build().unwrap();
        let client = params.client(&base()).await.unwrap();
        let refused = ClientCache::default().insert(params.key(), client).unwrap_err();
        assert!(matches!(refused.error, ClientCacheError::ClientMismatch { .. }));
    }
}

mod k7_base_configurations {
    use super::*;

    async fn lacks(base: SdkConfig) -> &'static str {
        match params().build().unwrap().client(&base).await {
            Err(ClientCacheError::InvalidParams { parameter, .. }) => parameter,
            other => panic!("expected an invalid parameter: {other:?}"),
        }
    }

    // Proves K7.
    #[tokio::test]
    async fn errors_name_the_setting_that_params_and_base_lack() {
        assert_eq!(lacks(base().to_builder().region(None).build()).await, "region");
        let mut versionless = base().to_builder();
        versionless.set_behavior_version(None);
        assert_eq!(lacks(versionless.build()).await, "behavior_version");
        let regionless = base().to_builder().region(None).build();
        let params = params().region("us-west-2").build().unwrap();
        assert!(params.client(&regionless).await.is_ok());
    }

    // Proves K7.
    // The hazard that the documentation warns of.
    #[tokio::test]
    async fn unnamed_bases_share_a_key() {
        let west = params().region("us-west-2").build().unwrap();
        let of = |tenant: &'static str| {
            let credentials = SharedCredentialsProvider::new(Credentials::new(tenant, "secret", None, None, "test"));
            base().to_builder().credentials_provider(credentials).build()
        };
        let cache = ClientCache::default();
        cache.insert(west.key(), west.client(&of("one")).await.unwrap()).unwrap();
        let other = cache.insert(west.key(), west.client(&of("two")).await.unwrap()).unwrap_err();
        assert!(matches!(other.error, ClientCacheError::AlreadyExists { .. }));
    }

    // Proves K7.
    #[test]
    fn the_name_of_a_base_is_part_of_the_key() {
        let of = |name: &str| params().region("us-west-2").base(name).build().unwrap().key();
        let unnamed = params().region("us-west-2").build().unwrap().key();
        assert_eq!(of("prod"), of("prod"));
        assert_ne!(of("prod"), of("test"));
        assert_ne!(of("prod"), unnamed);
    }
}

mod k8_refusals {
    use super::*;

    // Proves K8.
    #[test]
    fn a_region_mismatch_precedes_a_present_key() {
        let cache = ClientCache::default();
        let west = params().region("us-west-2").build().unwrap().key();
        cache.insert(west.clone(), Client::in_region(1, "us-west-2")).unwrap();
        let both = cache.insert(west.clone(), Client::in_region(2, "us-east-1")).unwrap_err();
        assert!(matches!(both.error, ClientCacheError::ClientMismatch { .. }));
        let present = cache.insert(west.clone(), Client::in_region(3, "us-west-2")).unwrap_err();
        assert!(matches!(present.error, ClientCacheError::AlreadyExists { .. }));
        assert_eq!((present.key, present.client.id), (west, 3), "K8: handed back");
    }
}

mod k1_services {
    use super::*;

    /// Another service with the same clients.
    #[derive(Debug)]
    enum Twin {}

    impl Service for Twin {
        type Client = Client;
        type ConfigBuilder = ConfigBuilder;
        const NAME: &'static str = "Fake";

        fn config_builder(config: &SdkConfig) -> ConfigBuilder {
            Fake::config_builder(config)
        }

        fn client(builder: ConfigBuilder) -> Client {
            Fake::client(builder)
        }

        fn region(client: &Client) -> Option<&Region> {
            Fake::region(client)
        }
    }

    // Proves K1.
    #[test]
    fn services_with_equal_names_and_clients_differ_by_marker() {
        let cache = ClientCache::new(EvictionPolicy::Lru, 10);
        let fake = params().region("us-west-2").build().unwrap().key();
        let twin = ClientParams::<Twin>::builder().region("us-west-2").build().unwrap().key();
        assert_ne!(AnyKey::from(fake.clone()), AnyKey::from(twin.clone()));
        cache.insert(fake.clone(), Client::new(1)).unwrap();
        assert!(cache.get(&twin).is_none());
        cache.insert(twin.clone(), Client::new(2)).unwrap();
        assert_eq!((cache.get(&fake).unwrap().id, cache.get(&twin).unwrap().id), (1, 2));

        let any: AnyClient = cache.get(&AnyKey::from(twin.clone())).unwrap();
        assert!(any.downcast_ref::<Fake>().is_none());
        let any = any.downcast::<Fake>().unwrap_err();
        assert_eq!(any.downcast::<Twin>().unwrap().id, 2);
        let key = AnyKey::from(twin.clone()).downcast::<Fake>().unwrap_err();
        assert_eq!(key.downcast::<Twin>(), Ok(twin));
    }
}

mod overrides {
    use super::*;

    fn full_base() -> SdkConfig {
        let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(30));
        base()
            .to_builder()
            .endpoint_url("http://base")
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("base", "base", None, None, "test")))
            .use_fips(false)
            .use_dual_stack(true)
            .retry_config(RetryConfig::standard().with_max_attempts(7))
            .timeout_config(timeouts.read_timeout(Duration::from_secs(10)).build())
            .app_name(aws_types::app_name::AppName::new("base").unwrap())
            .http_client(Proxied::new("of the base"))
            .build()
    }

    async fn config(params: Builder) -> SdkConfig {
        made_from(params, &full_base()).await.config
    }

    async fn access_key_id(config: &SdkConfig) -> String {
        use aws_credential_types::provider::ProvideCredentials;
        let credentials = config.credentials_provider().unwrap().provide_credentials().await;
        credentials.unwrap().access_key_id().to_owned()
    }

    // Proves K7.
    #[tokio::test]
    async fn unset_parameters_are_inherited() {
        let config = config(params()).await;
        assert_eq!(config.region(), Some(&Region::from_static("us-east-1")));
        assert_eq!(config.endpoint_url(), Some("http://base"));
        assert!(!config.get_origin("endpoint_url").is_client_config(), "the endpoint is inherited");
        assert!(!config.get_origin("token_provider").is_client_config(), "the token is inherited");
        assert_eq!(access_key_id(&config).await, "base");
        assert_eq!((config.use_fips(), config.use_dual_stack()), (Some(false), Some(true)));
        assert_eq!(config.retry_config().unwrap().max_attempts(), 7);
        assert_eq!(config.timeout_config(), full_base().timeout_config());
        assert_eq!(config.app_name().unwrap().as_ref(), "base");
        assert!(format!("{:?}", config.http_client()).contains("of the base"), "the HTTP client is inherited");
    }

    #[tokio::test]
    async fn fips_overrides_the_base_and_excludes_an_endpoint() {
        let with_fips = |fips| base().to_builder().use_fips(fips).build();
        for (fips, own) in [(true, false), (false, true)] {
            assert_eq!(made_from(params().use_fips(own), &with_fips(fips)).await.config.use_fips(), Some(own));
            assert_eq!(made_from(params(), &with_fips(fips)).await.config.use_fips(), Some(fips));
        }
        let with_endpoint = base().to_builder().endpoint_url("http://base").build();
        for (params, base) in [
            (params().use_fips(true), with_endpoint),
            (params().endpoint_url("http://params"), with_fips(true)),
            (params().endpoint_url("http://params").use_fips(true), base()),
        ] {
            let refused = params.build().unwrap().client(&base).await.unwrap_err();
            assert_eq!(refused.to_string(), "invalid use_fips: cannot be combined with an endpoint URL");
        }
    }

    // Proves K7.
    #[tokio::test]
    async fn set_parameters_override_the_base() {
        let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(1)).disable_connect_timeout();
        let config = config(
            params()
                .region("us-west-2")
                .endpoint_url("http://params")
                .credentials(Credentials::new("params", "params", None, None, "test"))
                .use_dual_stack(false)
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts.build())
                .http_client(KeyedHttpClient::new("own", Proxied::new("of the params")))
                .app_name("params"),
        )
        .await;
        assert_eq!(config.region(), Some(&Region::from_static("us-west-2")));
        assert_eq!(config.endpoint_url(), Some("http://params"));
        assert_eq!(config.get_origin("endpoint_url"), Origin::shared_config());
        assert_eq!(access_key_id(&config).await, "params");
        assert_eq!((config.use_fips(), config.use_dual_stack()), (Some(false), Some(false)));
        assert_eq!(config.retry_config().unwrap().max_attempts(), 1);
        assert_eq!(config.get_origin("retry_config"), Origin::shared_config(), "a service's default would win");
        assert_eq!(config.app_name().unwrap().as_ref(), "params");
        assert!(format!("{:?}", config.http_client()).contains("of the params"));
        // Each timeout is inherited separately.
        let timeouts = config.timeout_config().unwrap();
        assert_eq!(timeouts.operation_timeout(), Some(Duration::from_secs(1)));
        assert_eq!(timeouts.read_timeout(), Some(Duration::from_secs(10)));
        assert_eq!(timeouts.connect_timeout(), None);
    }

    // Proves K7.
    #[tokio::test]
    async fn set_credentials_replace_bearer_tokens() {
        use aws_credential_types::{Token, provider::token::SharedTokenProvider};
        let token = SharedTokenProvider::new(Token::new("token of the base", None));
        let base = full_base().to_builder().token_provider(token).build();
        let own = SharedCredentialsProvider::new(Credentials::new("params", "params", None, None, "test"));

        let inherited = made_from(params(), &base).await.config;
        assert!(inherited.token_provider().is_some());
        let config = made_from(params().credentials_provider(own), &base).await.config;
        assert_eq!(access_key_id(&config).await, "params");
        assert!(config.token_provider().is_none());
        // With this, the SDK's clients of Bedrock ignore AWS_BEARER_TOKEN_BEDROCK: tried with `aws-sdk-bedrockruntime` 1.153.
        assert!(config.get_origin("token_provider").is_client_config());
        assert!(config.get_origin("auth_scheme_preference").is_client_config());
    }

    #[tokio::test]
    async fn a_provider_is_not_wrapped_again() {
        use aws_smithy_runtime_api::client::identity::ResolveIdentity;
        let own = SharedCredentialsProvider::new(Credentials::new("params", "params", None, None, "test"));
        let partition = own.cache_partition();
        let config = config(params().credentials_provider(own)).await;
        assert_eq!(config.credentials_provider().unwrap().cache_partition(), partition);
    }
}
