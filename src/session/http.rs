//! The HTTP client that all clients of a session share.

use std::sync::OnceLock;

use aws_smithy_runtime::client::defaults::default_http_client_plugin_v2;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::SdkConfig;

/// Returns the HTTP client of the base configuration, or else the SDK's default.
///
/// Returns `None` if there is neither, because the feature `default-https-client` is off.
pub(super) fn http_client(base: &SdkConfig) -> Option<SharedHttpClient> {
    let client = base.http_client().or_else(|| default_client(base))?;
    Some(SharedHttpClient::new(ValidatedOnce { client, is_validated: OnceLock::new() }))
}

/// Returns the HTTP client that SDK clients use by default.
///
/// It honors the proxies of the environment.
fn default_client(base: &SdkConfig) -> Option<SharedHttpClient> {
    let plugin = default_http_client_plugin_v2(base.behavior_version()?)?;
    plugin.runtime_components(&RuntimeComponentsBuilder::new("aws-client-cache")).http_client()
}

/// An HTTP client that only the first client validates.
///
/// The SDK's own HTTP client validates itself by creating and dropping a TLS connector, which costs more than the rest of the
/// creation of a client.
// T4
#[derive(Debug)]
struct ValidatedOnce {
    client: SharedHttpClient,
    is_validated: OnceLock<()>,
}

impl HttpClient for ValidatedOnce {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.client.http_connector(settings, components)
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        if self.is_validated.get().is_none() {
            self.client.validate_base_client_config(components, config)?;
            // Another client may have validated it in the meantime, which is equivalent.
            let _ = self.is_validated.set(());
        }
        Ok(())
    }

    fn validate_final_config(&self, components: &RuntimeComponents, config: &ConfigBag) -> Result<(), BoxError> {
        self.client.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.client.connector_metadata()
    }
}
