//! [`ProfileProvider`], the credentials of a profile of the shared configuration files.

use std::fmt;
use std::sync::Arc;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_types::SdkConfig;

use crate::redact::redact;

/// Returns a provider of the profile's credentials.
pub(super) fn provider(name: &Arc<str>, base: &SdkConfig) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(ProfileProvider { name: Arc::clone(name), base: base.clone() })
}

/// Reads the files whenever it provides credentials.
///
/// The SDK's own provider reads them once, and keeps the result, even a failure.
struct ProfileProvider {
    name: Arc<str>,
    base: SdkConfig,
}

impl ProfileProvider {
    fn read(&self) -> ProfileFileCredentialsProvider {
        let base = &self.base;
        let mut config = ProviderConfig::without_region()
            .with_region(base.region().cloned())
            .with_use_fips(base.use_fips())
            .with_use_dual_stack(base.use_dual_stack())
            .with_behavior_version(base.behavior_version());
        if let Some(http_client) = base.http_client() {
            config = config.with_http_client(http_client);
        }
        if let Some(time_source) = base.time_source() {
            config = config.with_time_source(time_source);
        }
        if let Some(sleep_impl) = base.sleep_impl() {
            config = config.with_sleep_impl(sleep_impl);
        }
        if let Some(retries) = base.retry_config() {
            config = config.with_retry_config(retries.clone());
        }
        if let Some(timeouts) = base.timeout_config() {
            config = config.with_timeout_config(timeouts.clone());
        }
        ProfileFileCredentialsProvider::builder().profile_name(&*self.name).configure(&config).build()
    }
}

impl ProvideCredentials for ProfileProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.read().provide_credentials().await.map_err(|error| redact(&error))
        })
    }
}

impl fmt::Debug for ProfileProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProfileProvider")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves K4: the `Debug` of a configuration shows access key ids.
    #[test]
    fn the_provider_shows_neither_its_configuration_nor_credentials() {
        let provider = ProfileProvider { name: "tenant".into(), base: SdkConfig::builder().build() };
        assert_eq!(format!("{provider:?}"), "ProfileProvider");
    }
}
