//! Calls of a builder's setters as plain data, and the values that the setters refuse.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use arbitrary::{Arbitrary, Unstructured};
use aws_client_cache::{
    ClientParams, Credentials, KeyedHttpClient, RetryConfig, SharedCredentialsProvider, TimeoutConfig,
};
use aws_smithy_types::retry::ReconnectMode;

use super::Builder;
use super::role::Chain;
use super::text::{SECRET, Secret, Text};
use crate::fake::{Fake, Proxied};

/// One call of a builder's setter.
#[derive(Arbitrary, Clone, Debug, PartialEq)]
pub(super) enum Setting {
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
    Label(Text),
}

#[derive(Arbitrary, Clone, Debug, PartialEq)]
pub(super) struct Keys {
    id: Secret,
    secret: Secret,
    token: Option<Secret>,
    account: Option<Secret>,
    pub(super) expiry: Option<Expiry>,
}

/// A time before or after the epoch.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expiry(pub(super) SystemTime);

impl<'a> Arbitrary<'a> for Expiry {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let (before, Span(span)) = u.arbitrary()?;
        let epoch = SystemTime::UNIX_EPOCH;
        Ok(Self(if before { epoch - span } else { epoch + span }))
    }
}

/// A duration. Half of them have one of a few values, so that equal ones recur.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span(pub(super) Duration);

impl<'a> Arbitrary<'a> for Span {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let (seconds, nanos): (u32, u32) = (u.arbitrary()?, u.int_in_range(0..=999_999_999)?);
        let (seconds, nanos) = if seconds.is_multiple_of(2) { (seconds % 3, nanos % 2) } else { (seconds, nanos) };
        Ok(Self(Duration::new(seconds.into(), nanos)))
    }
}

/// Two providers that differ although their credentials are equal.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
pub(super) enum Provider {
    One,
    Other,
}

static PROVIDERS: LazyLock<[SharedCredentialsProvider; 2]> = LazyLock::new(|| {
    [(); 2].map(|()| SharedCredentialsProvider::new(Credentials::new(SECRET, SECRET, None, None, "test")))
});

/// Handles of HTTP clients. The first two have equal names.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
pub(super) enum Handle {
    One,
    SameName,
    OtherName,
    Unnamed,
}

static HTTP_CLIENTS: LazyLock<[KeyedHttpClient; 4]> =
    LazyLock::new(|| ["a\nb", "a\nb", "b", ""].map(|name| KeyedHttpClient::new(name, Proxied::new(SECRET))));

#[derive(Arbitrary, Clone, Debug, PartialEq)]
pub(super) struct Retry {
    adaptive: bool,
    max_attempts: u32,
    initial_backoff: Span,
    max_backoff: Span,
    reuse_connections: bool,
}

#[derive(Arbitrary, Clone, Debug, PartialEq)]
pub(super) enum Limit {
    Inherited,
    Disabled,
    After(Span),
}

#[derive(Arbitrary, Clone, Debug, PartialEq)]
pub(super) enum Custom {
    Nothing,
    NothingElse,
    Unsigned(u8),
    /// A value of another type with the same hash.
    Signed(i8),
    Text(Secret),
    /// A value without a hash.
    Mode(Mode),
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    One,
    Other,
}

impl Setting {
    /// Returns the name of the parameter in errors.
    pub(super) fn parameter(&self) -> &'static str {
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
            Self::Label(_) => "label",
        }
    }

    /// Returns the identity of the setting: a later setting with the same identity replaces this one.
    pub(super) fn identity(&self) -> (&'static str, Option<&Text>) {
        let name = if let Self::Customize(name, _) = self { Some(name) } else { None };
        (self.parameter(), name)
    }

    pub(super) fn apply_to(&self, builder: Builder) -> Builder {
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
            Self::Label(text) => builder.label(&text.0),
        }
    }

    /// Returns the parameters that are invalid, whatever the other settings are.
    ///
    /// The error names one of them.
    pub(super) fn faults(&self) -> Vec<&'static str> {
        let is_bad = match self {
            Self::Label(text) | Self::Base(text) | Self::Customize(text, _) | Self::Profile(text) => text.0.is_empty(),
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
    pub(super) fn backwards(&self) -> Self {
        if let Self::AssumeRole(chain) = self { Self::AssumeRole(chain.clone().backwards()) } else { self.clone() }
    }
}

impl Keys {
    pub(super) fn credentials(&self) -> Credentials {
        let mut credentials =
            Credentials::builder().access_key_id(&self.id.0).secret_access_key(&self.secret.0).provider_name("test");
        credentials.set_session_token(self.token.as_ref().map(|token| token.0.clone()));
        credentials.set_account_id(self.account.as_ref().map(|account| account.0.as_str().into()));
        credentials.set_expiry(self.expiry.as_ref().map(|expiry| expiry.0));
        credentials.build()
    }
}

impl Retry {
    pub(super) fn config(&self) -> RetryConfig {
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

pub(super) fn timeout_config([connect, read, operation, attempt]: &[Limit; 4]) -> TimeoutConfig {
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
    pub(super) fn apply_to(&self, builder: Builder, name: String) -> Builder {
        match self {
            Self::Nothing => builder.customize(name, |builder| builder),
            Self::NothingElse => builder.customize(name, |builder| builder),
            Self::Unsigned(value) => builder.customize_with(name, *value, |builder, _| builder),
            Self::Signed(value) => builder.customize_with(name, *value, |builder, _| builder),
            Self::Text(value) => builder.customize_with(name, value.0.clone(), |builder, _| builder),
            Self::Mode(value) => builder.customize_unhashed(name, *value, |builder, _| builder),
        }
    }
}

/// Returns `true` for a label of a host name that is not a number.
pub(super) fn is_region(text: &str) -> bool {
    let label = (1..=63).contains(&text.len()) && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '-');
    label && !text.starts_with('-') && !text.ends_with('-') && text.contains(|char: char| !char.is_ascii_digit())
}

pub(super) fn is_app_name(text: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char);
    !text.is_empty() && text.chars().all(allowed)
}

/// Returns `true` if the builder refuses a URL.
///
/// Checks that it accepts plain valid URLs and refuses plain invalid ones.
pub(super) fn is_bad_url(url: &str) -> bool {
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
