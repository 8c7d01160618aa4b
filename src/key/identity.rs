//! [`Identity`], every parameter that distinguishes clients of one base configuration.

use std::any::TypeId;
use std::fmt;
use std::hash::{Hash, Hasher};

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::app_name::AppName;
use aws_types::region::Region;

use super::credential_scope::CredentialScope;
use super::customization::Customization;
use super::http_client_id::HttpClientId;

/// Every parameter that distinguishes clients, without any credentials.
///
/// `None` means that the base configuration's value is inherited.
// K1, K2: equality is derived, so that it cannot omit a field.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) service: TypeId,
    pub(crate) label: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) region: Option<Region>,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) credentials: CredentialScope,
    pub(crate) use_fips: Option<bool>,
    pub(crate) use_dual_stack: Option<bool>,
    pub(crate) retry_config: Option<Retry>,
    pub(crate) timeout_config: Option<Timeout>,
    pub(crate) http_client: Option<HttpClientId>,
    pub(crate) app_name: Option<App>,
    /// Sorted by name.
    pub(crate) customizations: Vec<Customization>,
}

/// [`RetryConfig`] as part of an identity.
#[derive(PartialEq)]
pub(crate) struct Retry(pub(crate) RetryConfig);

// Its fields are numbers, durations and enums, all of which equal themselves.
impl Eq for Retry {}

impl Hash for Retry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The fields that have an accessor and implement `Hash`. Equality compares the others, too.
        self.0.max_attempts().hash(state);
        self.0.initial_backoff().hash(state);
        self.0.max_backoff().hash(state);
    }
}

/// [`TimeoutConfig`] as part of an identity.
#[derive(PartialEq)]
pub(crate) struct Timeout(pub(crate) TimeoutConfig);

impl Timeout {
    fn named(&self) -> [(&'static str, Option<std::time::Duration>); 4] {
        [
            ("connect", self.0.connect_timeout()),
            ("read", self.0.read_timeout()),
            ("operation", self.0.operation_timeout()),
            ("attempt", self.0.operation_attempt_timeout()),
        ]
    }
}

// Its fields are optional durations, which equal themselves.
impl Eq for Timeout {}

impl Hash for Timeout {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Unset and disabled hash alike; equality distinguishes them.
        self.named().hash(state);
    }
}

/// [`AppName`] as part of an identity.
#[derive(PartialEq, Eq)]
pub(crate) struct App(pub(crate) AppName);

impl Hash for App {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_ref().hash(state);
    }
}

impl Identity {
    /// Writes the parameters that are set, as `name=value`.
    // K1a, K4: an identity holds no credentials, and the values of customizations are not written.
    pub(super) fn write_settings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            service: _,
            label,
            base,
            region,
            endpoint_url,
            credentials,
            use_fips,
            use_dual_stack,
            retry_config,
            timeout_config,
            http_client,
            app_name,
            customizations,
        } = self;
        let mut settings = Settings { f, first: true };
        settings.write("label", label.as_deref().map(str::escape_debug).as_ref())?;
        settings.write("base", base.as_deref().map(str::escape_debug).as_ref())?;
        settings.write("region", region.as_ref())?;
        settings.write("endpoint_url", endpoint_url.as_ref())?;
        settings.write("credentials", Some(credentials).filter(|scope| **scope != CredentialScope::Base))?;
        settings.write("use_fips", use_fips.as_ref())?;
        settings.write("use_dual_stack", use_dual_stack.as_ref())?;
        settings.write("retry_config", retry_config.as_ref())?;
        settings.write("timeout_config", timeout_config.as_ref())?;
        settings.write("http_client", http_client.as_ref())?;
        settings.write("app_name", app_name.as_ref().map(|app| &app.0))?;
        for customization in customizations {
            settings.write("customization", Some(&customization.name.escape_debug()))?;
        }
        Ok(())
    }
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{}", self.0.mode(), self.0.max_attempts())
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.named().into_iter().filter_map(|(name, value)| Some((name, value?)));
        let set: Vec<_> = set.map(|(name, value)| format!("{name}:{value:?}")).collect();
        f.write_str(if set.is_empty() { "none" } else { "" })?;
        f.write_str(&set.join("/"))
    }
}

struct Settings<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    first: bool,
}

impl Settings<'_, '_> {
    fn write(&mut self, name: &str, value: Option<&impl fmt::Display>) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        let separator = if self.first { "" } else { ", " };
        self.first = false;
        write!(self.f, "{separator}{name}={value}")
    }
}
