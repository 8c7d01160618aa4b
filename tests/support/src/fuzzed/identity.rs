//! Rules K1 to K5 on arbitrary parameters that are set in any order.
//!
//! The target checks that invalid parameters are refused, that keys are equal if and only if their parameters are, and
//! that no output shows a secret. It compares keys with the settings as plain data.

mod role;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use arbitrary::{Arbitrary, Unstructured};
use aws_client_cache::{
    AnyKey, ClientCache, ClientCacheError, ClientCacheKey, ClientParams, ClientParamsBuilder, Credentials,
    KeyedHttpClient, Region, RetryConfig, SharedCredentialsProvider, TimeoutConfig,
};
use aws_smithy_async::time::StaticTimeSource;
use aws_smithy_types::retry::ReconnectMode;

use self::role::Chain;
use super::{Fuzzed, Reached};
use crate::fake::{Client, Fake, Proxied};

type Builder = ClientParamsBuilder<Fake>;
type Built = Result<ClientParams<Fake>, ClientCacheError>;

/// The settings of two builders.
#[derive(Arbitrary, Debug)]
pub struct Input {
    /// The settings of both builders.
    ///
    /// One applies them before its own. The other applies them after its own, which they can replace.
    common: Vec<Setting>,
    one: Vec<Setting>,
    other: Vec<Setting>,
    /// The region of a client.
    elsewhere: Text,
}

/// One call of a builder's setter.
#[derive(Arbitrary, Clone, Debug, PartialEq)]
enum Setting {
    Base(Text),
    Region(Text),
    EndpointUrl(Text),
    Credentials(Keys),
    CredentialsProvider(Provider),
    UseFips(bool),
    UseDualStack(bool),
    RetryConfig(Retry),
    TimeoutConfig([Limit; 4]),
    AppName(Text),
    Customize(Text, Custom),
    Profile(Text),
    Anonymous,
    AssumeRole(Chain),
    HttpClient(Handle),
}

/// A marker that no output may show.
///
/// It consists of letters, so that an external id may contain it. Strings that are not secret do not contain it.
const SECRET: &str = "hidden";
/// A marker in invalid values, which neither an error nor the `Debug` of a builder may show.
const UNCHECKED: &str = "~unchecked~";

/// Any string, or one of a few known strings, so that equal ones recur.
///
/// Only known strings contain a marker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Text(String);

const TEXTS: [&str; 24] = [
    "us-west-2",
    "US-WEST-2",
    "a",
    "b",
    "a ",
    "a\nb",
    "\u{2028}",
    "",
    "-",
    "7",
    // A region slightly shorter than the limit.
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "http://a",
    "http://a/",
    "https://a",
    "HTTPS://a",
    "http://a:80",
    "http://[::1]",
    "http://",
    "~unchecked~",
    "us ~unchecked~",
    "http://~unchecked~@a",
    "http://a:~unchecked~@b:80",
    "http://a?~unchecked~",
    "http://a/#~unchecked~",
];

impl<'a> Arbitrary<'a> for Text {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        free_or_known(u, &TEXTS).map(Self)
    }
}

/// A secret string, which contains the marker, or an empty one.
#[derive(Clone, Debug, PartialEq)]
struct Secret(String);

impl<'a> Arbitrary<'a> for Secret {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        // Different fields can have the same characters in total.
        let text = free_or_known(u, &[SECRET, "hiddenhidden", "hiddenb", ""])?;
        Ok(Self(if text.is_empty() || text.contains(SECRET) { text } else { format!("{SECRET}{text}") }))
    }
}

/// Returns one of the `few` strings, any string without a marker, or both concatenated.
fn free_or_known(u: &mut Unstructured<'_>, few: &[&str]) -> arbitrary::Result<String> {
    let form = u.int_in_range(0..=2)?;
    let mut text = if form == 1 { String::new() } else { (*u.choose(few)?).to_owned() };
    if form > 0 {
        let mut free: String = u.arbitrary::<&str>()?.chars().filter(|char| *char != '~').collect();
        while let Some(marker) = free.find(SECRET) {
            free.remove(marker);
        }
        text += &free;
    }
    Ok(text)
}

#[derive(Arbitrary, Clone, Debug, PartialEq)]
struct Keys {
    id: Secret,
    secret: Secret,
    token: Option<Secret>,
    account: Option<Secret>,
    expiry: Option<Expiry>,
}

/// A time before or after the epoch.
#[derive(Clone, Debug, PartialEq)]
struct Expiry(SystemTime);

impl<'a> Arbitrary<'a> for Expiry {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let (before, Span(span)) = u.arbitrary()?;
        let epoch = SystemTime::UNIX_EPOCH;
        Ok(Self(if before { epoch - span } else { epoch + span }))
    }
}

/// A duration. Half of them have one of a few values, so that equal ones recur.
#[derive(Clone, Debug, PartialEq)]
struct Span(Duration);

impl<'a> Arbitrary<'a> for Span {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let (seconds, nanos): (u32, u32) = (u.arbitrary()?, u.int_in_range(0..=999_999_999)?);
        let (seconds, nanos) = if seconds.is_multiple_of(2) { (seconds % 3, nanos % 2) } else { (seconds, nanos) };
        Ok(Self(Duration::new(seconds.into(), nanos)))
    }
}

/// Two providers that differ although their credentials are equal.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum Provider {
    One,
    Other,
}

static PROVIDERS: LazyLock<[SharedCredentialsProvider; 2]> = LazyLock::new(|| {
    [(); 2].map(|()| SharedCredentialsProvider::new(Credentials::new(SECRET, SECRET, None, None, "test")))
});

/// Handles of HTTP clients. The first two have equal names.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum Handle {
    One,
    SameName,
    OtherName,
    Unnamed,
}

static HTTP_CLIENTS: LazyLock<[KeyedHttpClient; 4]> =
    LazyLock::new(|| ["a\nb", "a\nb", "b", ""].map(|name| KeyedHttpClient::new(name, Proxied::new(SECRET))));

#[derive(Arbitrary, Clone, Debug, PartialEq)]
struct Retry {
    adaptive: bool,
    max_attempts: u32,
    initial_backoff: Span,
    max_backoff: Span,
    reuse_connections: bool,
}

#[derive(Arbitrary, Clone, Debug, PartialEq)]
enum Limit {
    Inherited,
    Disabled,
    After(Span),
}

#[derive(Arbitrary, Clone, Debug, PartialEq)]
enum Custom {
    Nothing,
    NothingElse,
    Unsigned(u8),
    /// A value of another type with the same hash.
    Signed(i8),
    Text(Secret),
}

impl Setting {
    /// Returns the name of the parameter in errors.
    fn parameter(&self) -> &'static str {
        match self {
            Self::Base(_) => "base",
            Self::Region(_) => "region",
            Self::EndpointUrl(_) => "endpoint_url",
            Self::Credentials(_) => "credentials",
            Self::CredentialsProvider(_) => "credentials_provider",
            Self::UseFips(_) => "use_fips",
            Self::UseDualStack(_) => "use_dual_stack",
            Self::RetryConfig(_) => "retry_config",
            Self::TimeoutConfig(_) => "timeout_config",
            Self::AppName(_) => "app_name",
            Self::Customize(..) => "customize",
            Self::Profile(_) => "profile",
            Self::Anonymous => "anonymous",
            Self::AssumeRole(_) => "assume_role",
            Self::HttpClient(_) => "http_client",
        }
    }

    /// Returns the identity of the setting: a later setting with the same identity replaces this one.
    fn identity(&self) -> (&'static str, Option<&Text>) {
        let name = if let Self::Customize(name, _) = self { Some(name) } else { None };
        (self.parameter(), name)
    }

    fn apply_to(&self, builder: Builder) -> Builder {
        match self {
            Self::Base(text) => builder.base(&text.0),
            Self::Region(text) => builder.region(&text.0),
            Self::EndpointUrl(text) => builder.endpoint_url(&text.0),
            Self::Credentials(keys) => builder.credentials(keys.credentials()),
            Self::CredentialsProvider(which) => builder.credentials_provider(PROVIDERS[*which as usize].clone()),
            Self::UseFips(value) => builder.use_fips(*value),
            Self::UseDualStack(value) => builder.use_dual_stack(*value),
            Self::RetryConfig(retry) => builder.retry_config(retry.config()),
            Self::TimeoutConfig(limits) => builder.timeout_config(timeout_config(limits)),
            Self::AppName(text) => builder.app_name(&text.0),
            Self::Customize(Text(name), custom) => custom.apply_to(builder, name.clone()),
            Self::Profile(text) => builder.profile(&text.0),
            Self::Anonymous => builder.anonymous(),
            Self::AssumeRole(chain) => builder.assume_role(chain.role()),
            Self::HttpClient(which) => builder.http_client(HTTP_CLIENTS[*which as usize].clone()),
        }
    }

    /// Returns the parameters that are invalid, whatever the other settings are.
    ///
    /// The error names one of them.
    fn faults(&self) -> Vec<&'static str> {
        let is_bad = match self {
            Self::Base(text) | Self::Customize(text, _) | Self::Profile(text) => text.0.is_empty(),
            Self::Region(text) => !is_region(&text.0),
            Self::EndpointUrl(text) => is_bad_url(&text.0),
            Self::Credentials(keys) => keys.id.0.is_empty() || keys.secret.0.is_empty(),
            Self::AppName(text) => !is_app_name(&text.0),
            Self::AssumeRole(chain) => return chain.faults(),
            Self::HttpClient(which) => *which == Handle::Unnamed,
            Self::CredentialsProvider(_)
            | Self::UseFips(_)
            | Self::UseDualStack(_)
            | Self::RetryConfig(_)
            | Self::TimeoutConfig(_)
            | Self::Anonymous => false,
        };
        is_bad.then(|| self.parameter()).into_iter().collect()
    }

    /// Returns an equal setting whose lists are reversed.
    fn backwards(&self) -> Self {
        if let Self::AssumeRole(chain) = self { Self::AssumeRole(chain.clone().backwards()) } else { self.clone() }
    }
}

impl Keys {
    fn credentials(&self) -> Credentials {
        let mut credentials =
            Credentials::builder().access_key_id(&self.id.0).secret_access_key(&self.secret.0).provider_name("test");
        credentials.set_session_token(self.token.as_ref().map(|token| token.0.clone()));
        credentials.set_account_id(self.account.as_ref().map(|account| account.0.as_str().into()));
        credentials.set_expiry(self.expiry.as_ref().map(|expiry| expiry.0));
        credentials.build()
    }
}

impl Retry {
    fn config(&self) -> RetryConfig {
        let config = if self.adaptive { RetryConfig::adaptive() } else { RetryConfig::standard() };
        let reconnect = if self.reuse_connections {
            ReconnectMode::ReuseAllConnections
        } else {
            ReconnectMode::ReconnectOnTransientError
        };
        config
            .with_max_attempts(self.max_attempts)
            .with_initial_backoff(self.initial_backoff.0)
            .with_max_backoff(self.max_backoff.0)
            .with_reconnect_mode(reconnect)
    }
}

fn timeout_config([connect, read, operation, attempt]: &[Limit; 4]) -> TimeoutConfig {
    let mut config = TimeoutConfig::builder();
    match connect {
        Limit::Inherited => {}
        Limit::Disabled => config = config.disable_connect_timeout(),
        Limit::After(span) => config = config.connect_timeout(span.0),
    }
    match read {
        Limit::Inherited => {}
        Limit::Disabled => config = config.disable_read_timeout(),
        Limit::After(span) => config = config.read_timeout(span.0),
    }
    match operation {
        Limit::Inherited => {}
        Limit::Disabled => config = config.disable_operation_timeout(),
        Limit::After(span) => config = config.operation_timeout(span.0),
    }
    match attempt {
        Limit::Inherited => {}
        Limit::Disabled => config = config.disable_operation_attempt_timeout(),
        Limit::After(span) => config = config.operation_attempt_timeout(span.0),
    }
    config.build()
}

impl Custom {
    fn apply_to(&self, builder: Builder, name: String) -> Builder {
        match self {
            Self::Nothing => builder.customize(name, |builder| builder),
            Self::NothingElse => builder.customize(name, |builder| builder),
            Self::Unsigned(value) => builder.customize_with(name, *value, |builder, _| builder),
            Self::Signed(value) => builder.customize_with(name, *value, |builder, _| builder),
            Self::Text(value) => builder.customize_with(name, value.0.clone(), |builder, _| builder),
        }
    }
}

/// Returns `true` for a label of a host name that is not a number.
fn is_region(text: &str) -> bool {
    let label = (1..=63).contains(&text.len()) && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '-');
    label && !text.starts_with('-') && !text.ends_with('-') && text.contains(|char: char| !char.is_ascii_digit())
}

fn is_app_name(text: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char);
    !text.is_empty() && text.chars().all(allowed)
}

/// Returns `true` if the builder refuses a URL.
///
/// Checks that it accepts plain valid URLs and refuses plain invalid ones.
fn is_bad_url(url: &str) -> bool {
    let bad = ClientParams::<Fake>::builder().endpoint_url(url).build().is_err();
    let plain = |part: &str| !part.is_empty() && part.chars().all(|char| char.is_ascii_alphanumeric());
    let lower = url.to_ascii_lowercase();
    let rest = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://"));
    let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    assert!(!(bad && rest.is_some_and(plain)), "{url:?} is refused");
    let good = host.is_some_and(|host| !host.is_empty() && !host.contains('@')) && !url.contains(['?', '#']);
    assert!(bad || good && url.chars().all(|char| char.is_ascii_graphic()), "{url:?} is not refused");
    bad
}

/// The settings that are in effect, by their identity.
type Settings = BTreeMap<(&'static str, Option<Text>), Setting>;

/// The sources of credentials, which exclude one another.
const SOURCES: [&str; 4] = ["credentials", "credentials_provider", "profile", "anonymous"];

/// Returns the invalid parameters, one of which the error names.
///
/// Of two settings that exclude each other, the later one is invalid.
fn faults(settings: &Settings) -> BTreeSet<&'static str> {
    let has = |parameter| settings.contains_key(&(parameter, None));
    let second = SOURCES.into_iter().filter(|source| has(source)).nth(1);
    let unsigned_role = (has("anonymous") && has("assume_role")).then_some("assume_role");
    settings.values().flat_map(Setting::faults).chain(second).chain(unsigned_role).collect()
}

/// The settings of a builder, and its result.
struct Attempt {
    settings: Settings,
    repeated: bool,
    built: Built,
}

impl Attempt {
    fn new<'a>(all: impl Iterator<Item = &'a Setting> + Clone) -> Self {
        let mut settings = Settings::new();
        let mut repeated = false;
        for setting in all.clone() {
            let (parameter, name) = setting.identity();
            let replaced = settings.insert((parameter, name.cloned()), setting.clone());
            repeated |= replaced.is_some() && name.is_some();
        }
        let attempt = Self { settings, repeated, built: build(all) };
        attempt.check_refusal();
        attempt.check_order();
        attempt
    }

    fn region(&self) -> Option<&str> {
        match self.settings.get(&("region", None)) {
            Some(Setting::Region(region)) => Some(&region.0),
            _ => None,
        }
    }

    fn expiry(&self) -> Option<SystemTime> {
        match self.settings.get(&("credentials", None)) {
            Some(Setting::Credentials(keys)) => keys.expiry.as_ref().map(|expiry| expiry.0),
            _ => None,
        }
    }

    /// Checks that the builder fails if and only if a parameter is invalid, with an error that names one.
    fn check_refusal(&self) {
        // K5, K1a
        let mut bad = faults(&self.settings);
        bad.extend(self.repeated.then_some("customize"));
        match &self.built {
            Ok(params) => assert!(bad.is_empty(), "{params:?} should be refused for {bad:?}"),
            Err(error @ ClientCacheError::InvalidParams { parameter, .. }) => {
                assert!(bad.contains(parameter), "{error}, but bad are {bad:?}");
                // K1a: the names of customizations are shown.
                if *parameter != "customize" {
                    shows_no(UNCHECKED, &[error.to_string(), debug(error)]);
                }
                is_presentable(error, &error.to_string());
            }
            Err(other) => panic!("unexpected: {other}"),
        }
    }

    /// Checks that the result does not depend on the order of the settings.
    fn check_order(&self) {
        // K2
        if self.repeated {
            return;
        }
        let backwards: Vec<_> = self.settings.values().rev().map(Setting::backwards).collect();
        for again in [build(self.settings.values()), build(backwards.iter())] {
            match (&self.built, &again) {
                (Ok(params), Ok(again)) => assert_eq!(params.key(), again.key()),
                (Err(error), Err(again)) => assert_eq!(error.to_string(), again.to_string()),
                (built, again) => panic!("{built:?} in one order, and {again:?} in another"),
            }
        }
    }
}

/// Checks that the key differs if any setting is left out, or replaced by a different one from `other`.
fn check_each_setting(key: &ClientCacheKey<Fake>, settings: &Settings, other: &Settings) {
    // K1, K2
    let less = settings.keys().map(|identity| {
        let mut less = settings.clone();
        less.remove(identity);
        less
    });
    let changed = other.iter().map(|(identity, setting)| {
        let mut changed = settings.clone();
        changed.insert(identity.clone(), setting.clone());
        changed
    });
    for changed in less.chain(changed).chain(of_other_roles(settings, other)) {
        match build(changed.values()) {
            Ok(params) => {
                assert!(faults(&changed).is_empty(), "{changed:?} should be refused");
                assert_eq!(params.key() == *key, changed == *settings, "{settings:?} and {changed:?}");
            }
            // Settings that are valid one by one may exclude each other.
            Err(error) => {
                let ClientCacheError::InvalidParams { parameter, .. } = &error else { panic!("unexpected: {error}") };
                assert!(faults(&changed).contains(parameter), "{error}: {changed:?}");
                is_presentable(&error, &error.to_string());
            }
        }
    }
}

/// Returns the settings with variations of their role.
fn of_other_roles(settings: &Settings, other: &Settings) -> Vec<Settings> {
    let identity = ("assume_role", None);
    let Some(Setting::AssumeRole(chain)) = settings.get(&identity) else { return Vec::new() };
    let other = if let Some(Setting::AssumeRole(other)) = other.get(&identity) { Some(other) } else { None };
    let with = |varied: Chain| {
        assert_eq!(varied.role() == chain.role(), varied == *chain, "{varied:?} and {chain:?}");
        let mut changed = settings.clone();
        changed.insert(identity.clone(), Setting::AssumeRole(varied));
        changed
    };
    chain.variations(other).into_iter().map(with).collect()
}

fn build<'a>(settings: impl Iterator<Item = &'a Setting>) -> Built {
    let builder = settings.fold(ClientParams::builder(), |builder, setting| setting.apply_to(builder));
    shows_no(UNCHECKED, &[debug(&builder)]);
    is_presentable(&builder, "");
    builder.build()
}

fn debug(thing: &impl Debug) -> String {
    format!("{thing:?} {thing:#?}")
}

fn shows_no(marker: &str, outputs: &[String]) {
    for output in outputs {
        assert!(!output.contains(marker), "{marker} is shown: {output}");
    }
}

/// Checks that no output shows a secret, and that the output is a single line unless pretty-printed.
fn is_presentable(thing: &impl Debug, label: &str) {
    // K4
    shows_no(SECRET, &[debug(thing), label.to_owned()]);
    for line in [format!("{thing:?}"), label.to_owned()] {
        let breaks = |char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}');
        assert!(!line.contains(breaks), "not one line: {line:?}");
    }
}

fn hash(key: &AnyKey) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(key)
}

/// All parameters.
const PARAMETERS: [&str; 15] = [
    "base",
    "region",
    "endpoint_url",
    "credentials",
    "credentials_provider",
    "use_fips",
    "use_dual_stack",
    "retry_config",
    "timeout_config",
    "app_name",
    "customize",
    "profile",
    "anonymous",
    "assume_role",
    "http_client",
];

/// Those of which some values are refused by themselves.
const REFUSABLE: [&str; 9] =
    ["base", "region", "endpoint_url", "credentials", "app_name", "customize", "profile", "assume_role", "http_client"];

/// Equal settings, at least one.
const SAME: &str = "equal keys";
/// Different settings.
const DIFFERENT: &str = "different keys";
/// A client whose region differs from that of its key.
const MISMATCH: &str = "a client of another region";
/// A key whose credentials have expired.
const EXPIRED: &str = "an expired key";

/// Names the key that has a parameter.
fn in_a_key(parameter: &str) -> String {
    format!("{parameter} in a key")
}

/// Names the refusal that blames a parameter.
fn refused(parameter: &str) -> String {
    format!("{parameter} is refused")
}

impl Fuzzed for Input {
    fn branches() -> Reached {
        let outcomes = [SAME, DIFFERENT, MISMATCH, EXPIRED].map(str::to_owned);
        PARAMETERS.map(in_a_key).into_iter().chain(REFUSABLE.map(refused)).chain(outcomes).collect()
    }

    fn run(self, reached: &mut Reached) {
        let one = Attempt::new(self.common.iter().chain(&self.one));
        let other = Attempt::new(self.other.iter().chain(&self.common));
        for told in [&one, &other] {
            match &told.built {
                Ok(_) => reached.extend(told.settings.keys().map(|(parameter, _)| in_a_key(parameter))),
                Err(ClientCacheError::InvalidParams { parameter, .. }) => _ = reached.insert(refused(parameter)),
                Err(other) => panic!("unexpected: {other}"),
            }
        }
        let (Ok(params), Ok(other_params)) = (&one.built, &other.built) else { return };
        let (key, other_key) = (AnyKey::from(params.key()), AnyKey::from(other_params.key()));

        // K1, K2
        let same = one.settings == other.settings;
        if !same || !one.settings.is_empty() {
            reached.insert(if same { SAME } else { DIFFERENT }.to_owned());
        }
        assert_eq!(key == other_key, same, "{:?} and {:?}", one.settings, other.settings);
        assert_eq!(other_key == key, same, "equality is symmetric");
        assert_eq!(params.key() == other_params.key(), same, "typed keys are equal if erased ones are");
        if same {
            assert_eq!(hash(&key), hash(&other_key));
            assert_eq!(key.to_string(), other_key.to_string());
        }
        check_each_setting(&params.key(), &one.settings, &other.settings);
        assert_eq!(key.region().map(AsRef::as_ref), one.region());

        // K4
        is_presentable(params, "");
        is_presentable(&key, &key.to_string());
        is_presentable(&params.key(), &params.key().to_string());

        // The time of the cache is the epoch, so that about half of the expiring keys have expired.
        let cache = ClientCache::builder().time_source(StaticTimeSource::new(SystemTime::UNIX_EPOCH)).build();
        let mut client = Client::new(1);
        client.region = Some(Region::new(self.elsewhere.0.clone()));
        let inserted = cache.insert(params.key(), client);
        // K6, K8
        let mismatch = one.region().is_some_and(|region| region != self.elsewhere.0);
        assert_eq!(matches!(inserted, Err(ClientCacheError::ClientMismatch { .. })), mismatch);
        // E1, E2
        assert_eq!(key.expiry(), one.expiry());
        if mismatch {
            reached.insert(MISMATCH.to_owned());
        }
        let expired = one.expiry().is_some_and(|expiry| expiry <= SystemTime::UNIX_EPOCH);
        if expired {
            reached.insert(EXPIRED.to_owned());
        }
        let again = cache.insert(params.key(), Client::new(2));
        assert_eq!(matches!(again, Err(ClientCacheError::CredentialsExpired { .. })), expired);
        let found = cache.try_get(&other_params.key());
        assert_eq!(found.is_ok(), same && !expired);
        for error in [inserted.err(), again.err(), found.err()].iter().flatten() {
            is_presentable(error, &error.to_string());
        }
        let label = cache.to_string();
        shows_no(SECRET, &[debug(&cache), debug(&cache.items()), label.clone()]);
        assert_eq!(label.lines().count(), if expired { 1 } else { 2 }, "{label}");
    }
}
