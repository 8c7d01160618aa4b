//! The HTTP client that the clients of a session share, unless their parameters name another.

use aws_smithy_runtime::client::defaults::default_http_client_plugin_v2;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_types::SdkConfig;

use crate::params::ValidatedOnce;

/// Returns the HTTP client of the base configuration, or else the SDK's default.
///
/// Returns `None` if there is neither, because the feature `default-https-client` is off.
pub(super) fn http_client(base: &SdkConfig) -> Option<SharedHttpClient> {
    let client = base.http_client().or_else(|| default_client(base))?;
    Some(SharedHttpClient::new(ValidatedOnce::new(client)))
}

/// Returns the HTTP client that SDK clients use by default.
///
/// It honors the proxies of the environment.
fn default_client(base: &SdkConfig) -> Option<SharedHttpClient> {
    let plugin = default_http_client_plugin_v2(base.behavior_version()?)?;
    plugin.runtime_components(&RuntimeComponentsBuilder::new("aws-client-cache")).http_client()
}
