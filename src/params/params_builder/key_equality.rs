//! Rules K1 to K3 as one property: keys are equal if and only if all parameters are equal.
//!
//! `Settings` mirrors the builder. A guard below does not compile if the builder has a field that `Settings` lacks.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::StaticTimeSource;
use aws_smithy_types::retry::{ReconnectMode, RetryConfig};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::endpoint_config::AccountIdEndpointMode;
use aws_types::region::Region;
use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{ClientParamsBuilder, CredentialOptions};
use crate::key::ClientCacheKey;
use crate::params::{AssumeRole, WebIdentityToken};
use crate::service::Service;
use crate::{ClientCache, ClientParams, KeyedHttpClient};

enum Testing {}

impl Service for Testing {
    type Client = Option<Region>;
    type ConfigBuilder = ();
    const NAME: &'static str = "Testing";

    fn config_builder(_: &SdkConfig) {}

    fn client((): ()) -> Option<Region> {
        None
    }

    fn region(client: &Option<Region>) -> Option<&Region> {
        client.as_ref()
    }
}

type Builder = ClientParamsBuilder<Testing>;

/// All parameters, each unset or an index into a few values that all differ.
#[derive(Clone, Debug, PartialEq)]
struct Settings {
    label: Option<usize>,
    base: Option<usize>,
    region: Option<usize>,
    endpoint_url: Option<usize>,
    credentials: CredentialsSetting,
    use_fips: Option<bool>,
    use_dual_stack: Option<bool>,
    retry_config: Option<usize>,
    timeout_config: Option<usize>,
    http_client: Option<usize>,
    app_name: Option<usize>,
    customizations: BTreeMap<usize, usize>,
}

/// The source of credentials, which excludes the others, and the role that it assumes.
#[derive(Clone, Debug, PartialEq)]
struct CredentialsSetting {
    source: Option<Source>,
    role: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    Static {
        keys: usize,
        token: Option<usize>,
        expiry: Option<usize>,
        account: Option<usize>,
    },
    Provider(usize),
    Profile(usize),
    /// Excludes a role.
    Anonymous,
}

/// Does not compile if the builder gains a parameter.
///
/// Add such a parameter to `Settings`, to the rest of this file, and to the fuzz target `identity`.
fn assert_that_every_parameter_is_a_setting(builder: &Builder) {
    let ClientParamsBuilder {
        label: _,
        base: _,
        region: _,
        endpoint_url: _,
        credentials:
            CredentialOptions {
                credentials: _,
                credentials_provider: _,
                anonymous: _,
                refused: _,
                profile: _,
                assume_role: _,
            },
        use_fips: _,
        use_dual_stack: _,
        retry_config: _,
        timeout_config: _,
        http_client: _,
        app_name: _,
        customizations: _,
    } = builder;
}

const NAMES: [&str; 3] = ["a", "b", "a "];
const REGIONS: [&str; 3] = ["us-west-2", "us-west-1", "US-WEST-2"];
const ENDPOINTS: [&str; 4] = ["http://a", "http://a/", "https://a", "http://a:80"];
const APP_NAMES: [&str; 3] = ["a", "b", "A"];
// The same characters, split differently.
const KEYS: [(&str, &str); 3] = [("ab", "cd"), ("abc", "d"), ("abcd", "cd")];
const TOKENS: [&str; 3] = ["", "t", "cd"];
const ACCOUNTS: [&str; 2] = ["123456789012", "t"];
const CUSTOMIZATIONS: usize = 8;

static PROVIDERS: LazyLock<[SharedCredentialsProvider; 2]> = LazyLock::new(|| {
    // Equal credentials, but different providers.
    [(); 2].map(|()| SharedCredentialsProvider::new(Credentials::new("ab", "cd", None, None, "test")))
});

/// Two handles of one HTTP client with equal names, and one with another name.
static HTTP_CLIENTS: LazyLock<[KeyedHttpClient; 3]> = LazyLock::new(|| {
    let client = aws_smithy_http_client::Builder::new().build_http();
    ["a", "a", "b"].map(|name| KeyedHttpClient::new(name, client.clone()))
});

/// Two providers with one function.
static TOKENS_OF_PROVIDERS: LazyLock<[WebIdentityToken; 2]> =
    LazyLock::new(|| [(); 2].map(|()| WebIdentityToken::provider(std::future::pending::<std::io::Result<String>>)));

/// The number of [`roles`] that are assumed with a token, which excludes a source. They come last.
const BY_TOKEN: usize = 6;

/// Returns roles that all differ, most of them from the first in one setting.
fn roles() -> Vec<AssumeRole> {
    let one = || AssumeRole::new("arn:aws:iam::123456789012:role/one");
    let by_token = |token: &WebIdentityToken| one().web_identity(token.clone());
    let file = |path: &str| WebIdentityToken::file(path);
    let two = || AssumeRole::new("arn:aws:iam::123456789012:role/two");
    vec![
        one(),
        two(),
        one().source_role(one()),
        one().source_role(two()),
        one().source_role(two().external_id("ab")),
        one().source_role(two().source_role(one())),
        one().region("us-west-2"),
        one().region("us-west-1"),
        one().session_name("ab"),
        one().session_name("AB"),
        one().session_length(Duration::from_mins(15)),
        one().session_length(Duration::from_hours(12)),
        one().external_id("ab"),
        one().external_id("abcd"),
        one().policy("ab"),
        one().external_id("ab").policy("ab"),
        one().policy_arns(["arn:a"]),
        one().policy_arns(["arn:a", "arn:b"]),
        one().tags([("ab", "cd")]),
        one().tags([("abc", "d")]),
        one().tags([("ab", ""), ("cd", "")]),
        one().tags([("ab", "cd"), ("cd", "")]),
        one().endpoint_url("http://a"),
        one().endpoint_url("http://a/"),
        by_token(&file("a")),
        by_token(&file("b")),
        by_token(&TOKENS_OF_PROVIDERS[0]),
        by_token(&TOKENS_OF_PROVIDERS[1]),
        one().source_role(by_token(&file("a"))),
        one().source_role(by_token(&file("b"))),
    ]
}

fn expiry(choice: usize) -> SystemTime {
    let second = Duration::from_secs(1);
    [
        SystemTime::UNIX_EPOCH,
        SystemTime::UNIX_EPOCH + second,
        SystemTime::UNIX_EPOCH - second,
        SystemTime::UNIX_EPOCH + Duration::from_nanos(1),
    ][choice]
}

fn retry_configs() -> Vec<RetryConfig> {
    let standard = RetryConfig::standard;
    vec![
        standard(),
        standard().with_max_attempts(5),
        standard().with_initial_backoff(Duration::from_secs(9)),
        standard().with_max_backoff(Duration::from_secs(9)),
        standard().with_reconnect_mode(ReconnectMode::ReuseAllConnections),
        standard().with_use_static_exponential_base(true),
        RetryConfig::adaptive(),
        RetryConfig::disabled(),
    ]
}

fn timeout_configs() -> Vec<TimeoutConfig> {
    let set = TimeoutConfig::builder;
    let second = Duration::from_secs(1);
    vec![
        set().build(),
        TimeoutConfig::disabled(),
        set().disable_operation_timeout().build(),
        set().connect_timeout(second).build(),
        set().read_timeout(second).build(),
        set().operation_timeout(second).build(),
        set().operation_timeout(second * 2).build(),
        set().operation_attempt_timeout(second).build(),
    ]
}

impl Settings {
    fn strategy() -> impl Strategy<Value = Self> {
        let fixed = (0..KEYS.len(), option::of(0..TOKENS.len()), option::of(0..4_usize), option::of(0..ACCOUNTS.len()));
        let fixed = fixed.prop_map(|(keys, token, expiry, account)| Source::Static { keys, token, expiry, account });
        let provider = (0..2_usize).prop_map(Source::Provider);
        let profile = (0..NAMES.len()).prop_map(Source::Profile);
        let source = option::of(prop_oneof![fixed, provider, profile, Just(Source::Anonymous)]);
        let credentials = (source, option::of(0..roles().len())).prop_map(|(source, role)| {
            let role = role.filter(|_| source != Some(Source::Anonymous));
            let role = role.filter(|role| source.is_none() || *role < roles().len() - BY_TOKEN);
            CredentialsSetting { source, role }
        });
        let names = (
            option::of(0..NAMES.len()),
            option::of(0..NAMES.len()),
            option::of(0..REGIONS.len()),
            option::of(0..ENDPOINTS.len()),
            option::of(0..APP_NAMES.len()),
        );
        let configs = (
            option::of(0..retry_configs().len()),
            option::of(0..timeout_configs().len()),
            option::of(0..HTTP_CLIENTS.len()),
            btree_map(0..NAMES.len(), 0..CUSTOMIZATIONS, 0..3),
        );
        let flags = (option::of(any::<bool>()), option::of(any::<bool>()));
        (names, credentials, flags, configs).prop_map(
            |((label, base, region, endpoint_url, app_name), credentials, (use_fips, use_dual_stack), configs)| Self {
                label,
                base,
                region,
                endpoint_url,
                credentials,
                use_fips,
                use_dual_stack,
                retry_config: configs.0,
                timeout_config: configs.1,
                http_client: configs.2,
                app_name,
                customizations: configs.3,
            },
        )
    }

    /// Returns a builder step for each parameter that is set, in a fixed order.
    fn steps(&self) -> Vec<Box<dyn Fn(Builder) -> Builder + '_>> {
        let mut steps: Vec<Box<dyn Fn(Builder) -> Builder + '_>> = Vec::new();
        if let Some(choice) = self.label {
            steps.push(Box::new(move |builder| builder.label(NAMES[choice])));
        }
        if let Some(choice) = self.base {
            steps.push(Box::new(move |builder| builder.base(NAMES[choice])));
        }
        if let Some(choice) = self.region {
            steps.push(Box::new(move |builder| builder.region(REGIONS[choice])));
        }
        if let Some(choice) = self.endpoint_url {
            steps.push(Box::new(move |builder| builder.endpoint_url(ENDPOINTS[choice])));
        }
        if let Some(source) = &self.credentials.source {
            steps.push(Box::new(move |builder| source.apply(builder)));
        }
        if let Some(choice) = self.credentials.role {
            steps.push(Box::new(move |builder| builder.assume_role(roles().swap_remove(choice))));
        }
        if let Some(value) = self.use_fips {
            steps.push(Box::new(move |builder| builder.use_fips(value)));
        }
        if let Some(value) = self.use_dual_stack {
            steps.push(Box::new(move |builder| builder.use_dual_stack(value)));
        }
        if let Some(choice) = self.retry_config {
            steps.push(Box::new(move |builder| builder.retry_config(retry_configs().swap_remove(choice))));
        }
        if let Some(choice) = self.timeout_config {
            steps.push(Box::new(move |builder| builder.timeout_config(timeout_configs().swap_remove(choice))));
        }
        if let Some(choice) = self.http_client {
            steps.push(Box::new(move |builder| builder.http_client(HTTP_CLIENTS[choice].clone())));
        }
        if let Some(choice) = self.app_name {
            steps.push(Box::new(move |builder| builder.app_name(APP_NAMES[choice])));
        }
        for (&name, &choice) in &self.customizations {
            steps.push(Box::new(move |builder| customize(builder, NAMES[name], choice)));
        }
        steps
    }

    fn key(&self) -> ClientCacheKey<Testing> {
        build(self.steps())
    }

    /// Replaces each value by the first one with the same hash.
    ///
    /// The hash omits those parts of two parameters that have no accessor, and values without a hash.
    fn hashed(&self) -> Self {
        Self {
            retry_config: self.retry_config.map(|choice| if (4..7).contains(&choice) { 0 } else { choice }),
            timeout_config: self.timeout_config.map(|choice| if choice < 3 { 0 } else { choice }),
            customizations: self.customizations.iter().map(|(name, choice)| (*name, (*choice).min(6))).collect(),
            ..self.clone()
        }
    }
}

fn build(steps: Vec<Box<dyn Fn(Builder) -> Builder + '_>>) -> ClientCacheKey<Testing> {
    let builder = steps.into_iter().fold(ClientParams::builder(), |builder, step| step(builder));
    assert_that_every_parameter_is_a_setting(&builder);
    builder.build().expect("all values are valid").key()
}

impl Source {
    fn apply(&self, builder: Builder) -> Builder {
        match *self {
            Self::Static { keys, token, expiry: expires, account } => {
                let mut credentials = Credentials::builder()
                    .access_key_id(KEYS[keys].0)
                    .secret_access_key(KEYS[keys].1)
                    .provider_name("test");
                credentials.set_session_token(token.map(|choice| TOKENS[choice].to_owned()));
                credentials.set_expiry(expires.map(expiry));
                credentials.set_account_id(account.map(|choice| ACCOUNTS[choice].into()));
                builder.credentials(credentials.build())
            }
            Self::Provider(choice) => builder.credentials_provider(PROVIDERS[choice].clone()),
            Self::Profile(choice) => builder.profile(NAMES[choice]),
            Self::Anonymous => builder.anonymous(),
        }
    }
}

fn customize(builder: Builder, name: &'static str, choice: usize) -> Builder {
    match choice {
        0 => builder.customize(name, |()| ()),
        1 => builder.customize(name, |unit| unit),
        choice => {
            // One closure with several values, and two types with equal hashes.
            let one = |builder: Builder, value: u64| builder.customize_with(name, value, |(), _| ());
            let unhashed = |builder: Builder, mode| builder.customize_unhashed(name, mode, |(), _| ());
            match choice {
                2 => one(builder, 1),
                3 => one(builder, 2),
                4 => builder.customize_with(name, 1_i64, |(), _| ()),
                5 => builder.customize_with(name, "1", |(), _| ()),
                6 => unhashed(builder, AccountIdEndpointMode::Preferred),
                _ => unhashed(builder, AccountIdEndpointMode::Required),
            }
        }
    }
}

fn hash(key: &ClientCacheKey<Testing>) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    // Proves K2.
    #[test]
    fn equal_parameters_set_in_any_order_give_equal_keys(
        settings in Settings::strategy(),
        picks in prop::collection::vec(any::<Index>(), 16),
    ) {
        let mut steps = settings.steps();
        let mut shuffled = Vec::new();
        for pick in picks {
            if !steps.is_empty() {
                shuffled.push(steps.swap_remove(pick.index(steps.len())));
            }
        }
        shuffled.append(&mut steps);
        let (key, same) = (settings.key(), build(shuffled));
        prop_assert_eq!(&key, &same);
        prop_assert_eq!(hash(&key), hash(&same));
    }

    // Proves K1, K2: replacing one parameter, which may be unset, changes the key if and only if the value differs.
    #[test]
    fn keys_differ_if_any_one_parameter_differs(settings in Settings::strategy(), other in Settings::strategy()) {
        macro_rules! each {
            ($($parameter:ident),* $(,)?) => {
                // Does not compile if a field is missing.
                let Settings { $($parameter: _),* } = &settings;
                $({
                    let mut one = settings.clone();
                    one.$parameter = other.$parameter.clone();
                    prop_assert_eq!(settings.key() == one.key(), settings == one, "{}", stringify!($parameter));
                })*
            };
        }
        each!(
            label, base, region, endpoint_url, credentials, use_fips, use_dual_stack, retry_config, timeout_config,
            http_client, app_name, customizations,
        );
        prop_assert_eq!(settings.key() == other.key(), settings == other);
    }
}

// Proves K1, K2, K3.
#[test]
fn any_two_values_of_a_parameter_give_different_keys() {
    let unset = Settings {
        label: None,
        base: None,
        region: None,
        endpoint_url: None,
        credentials: CredentialsSetting { source: None, role: None },
        use_fips: None,
        use_dual_stack: None,
        retry_config: None,
        timeout_config: None,
        http_client: None,
        app_name: None,
        customizations: BTreeMap::new(),
    };
    let mut all = vec![unset.clone()];
    let mut add = |change: &dyn Fn(&mut Settings)| {
        let mut settings = unset.clone();
        change(&mut settings);
        all.push(settings);
    };
    for choice in 0..NAMES.len() {
        add(&|settings| settings.label = Some(choice));
        add(&|settings| settings.base = Some(choice));
        add(&|settings| settings.region = Some(choice));
        add(&|settings| settings.app_name = Some(choice));
        for customization in 0..CUSTOMIZATIONS {
            add(&|settings| settings.customizations = [(choice, customization)].into());
        }
    }
    for choice in 0..ENDPOINTS.len() {
        add(&|settings| settings.endpoint_url = Some(choice));
    }
    for choice in 0..retry_configs().len() {
        add(&|settings| settings.retry_config = Some(choice));
    }
    for choice in 0..timeout_configs().len() {
        add(&|settings| settings.timeout_config = Some(choice));
    }
    for choice in 0..HTTP_CLIENTS.len() {
        add(&|settings| settings.http_client = Some(choice));
    }
    for flag in [false, true] {
        add(&|settings| settings.use_fips = Some(flag));
        add(&|settings| settings.use_dual_stack = Some(flag));
    }
    let sources = [None, Some(Source::Provider(0)), Some(Source::Provider(1)), Some(Source::Profile(0))];
    for source in sources.into_iter().chain([Some(Source::Profile(1))]) {
        let roles = if source.is_some() { roles().len() - BY_TOKEN } else { roles().len() };
        for role in (0..roles).map(Some).chain([None]).filter(|role| source.is_some() || role.is_some()) {
            add(&|settings| settings.credentials = CredentialsSetting { source: source.clone(), role });
        }
    }
    add(&|settings| settings.credentials.source = Some(Source::Anonymous));
    let tokens = || (0..TOKENS.len()).map(Some).chain([None]);
    for keys in 0..KEYS.len() {
        for token in tokens() {
            for expiry in [None, Some(0), Some(1), Some(2), Some(3)] {
                for account in [None, Some(0), Some(1)] {
                    let source = Source::Static { keys, token, expiry, account };
                    add(&|settings| settings.credentials.source = Some(source.clone()));
                }
            }
        }
    }
    let keys: Vec<_> = all.iter().map(Settings::key).collect();
    let hashes: Vec<_> = keys.iter().map(hash).collect();
    let inputs: Vec<_> = all.iter().map(Settings::hashed).collect();
    for (i, a) in keys.iter().enumerate() {
        for (j, b) in keys.iter().enumerate() {
            assert_eq!(a == b, i == j, "{:?} and {:?}", all[i], all[j]);
            assert_eq!(hashes[i] == hashes[j], inputs[i] == inputs[j], "{:?} and {:?}", all[i], all[j]);
        }
    }
    // Before any of the credentials expire.
    let before = SystemTime::UNIX_EPOCH - Duration::from_hours(1);
    let cache = ClientCache::builder().max_size(all.len()).time_source(StaticTimeSource::new(before)).build();
    let base = SdkConfig::builder().build();
    for _ in 0..2 {
        for key in &keys {
            let create = || {
                Testing::config_builder(&base);
                Ok::<_, std::io::Error>(Testing::client(()))
            };
            cache.get_or_try_insert_with_sync(key, create).unwrap();
        }
    }
    let stats = cache.stats();
    assert_eq!((stats.creations, stats.hits), (all.len() as u64, all.len() as u64), "each key has its own client");
}
