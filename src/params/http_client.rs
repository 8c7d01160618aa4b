//! [`KeyedHttpClient`], an HTTP client as part of a key, and [`ValidatedOnce`].

use std::fmt;
use std::sync::OnceLock;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;

use crate::key::HttpClientId;

/// A handle to an HTTP client, which makes the client a part of the key.
///
/// Pass it to [`ClientParamsBuilder::http_client`](crate::ClientParamsBuilder::http_client). Use it for clients that need
/// another proxy, network interface or connection pool than the others.
///
/// The key identifies the handle: its clones are equal, and each call of [`new`](Self::new) gives a different one, even with
/// the same name. Create one for each HTTP client, and keep it. A new handle for each request is a new key each time.
///
/// Cloning is cheap. A key contains no HTTP client, only the identity of its handle. Neither `Debug` nor the label of a key
/// shows the HTTP client, which may contain the password of a proxy.
///
/// # Examples
///
/// ```
/// use aws_client_cache::KeyedHttpClient;
/// use aws_smithy_http_client::{Builder, tls};
///
/// let aws_lc = tls::rustls_provider::CryptoMode::AwsLc;
/// let builder = Builder::new().tls_provider(tls::Provider::Rustls(aws_lc));
/// let batch = KeyedHttpClient::new("batch", builder.clone().build_https());
/// let other = KeyedHttpClient::new("batch", builder.build_https());
/// assert_eq!(batch, batch.clone());
/// assert_ne!(batch, other);
/// assert_eq!(batch.name(), "batch");
/// ```
#[derive(Clone)]
pub struct KeyedHttpClient {
    id: HttpClientId,
    client: SharedHttpClient,
}

impl KeyedHttpClient {
    /// Creates a handle that differs from all others.
    ///
    /// The name appears in the labels of keys, so it must not be a secret.
    /// [`ClientParamsBuilder::build`](crate::ClientParamsBuilder::build) refuses an empty one.
    ///
    /// [`KeyedHttpClient`] shows an example.
    pub fn new(name: impl Into<String>, client: impl HttpClient + 'static) -> Self {
        let client = SharedHttpClient::new(ValidatedOnce::new(SharedHttpClient::new(client)));
        Self { id: HttpClientId::new(name.into()), client }
    }

    /// Returns the name.
    ///
    /// [`KeyedHttpClient`] shows an example.
    pub fn name(&self) -> &str {
        self.id.name()
    }

    pub(super) fn into_parts(self) -> (HttpClientId, SharedHttpClient) {
        (self.id, self.client)
    }
}

impl PartialEq for KeyedHttpClient {
    /// Compares the handles: only clones of one handle are equal.
    // K3
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for KeyedHttpClient {}

impl fmt::Debug for KeyedHttpClient {
    /// Shows only the name.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyedHttpClient({})", self.id)
    }
}

/// An HTTP client that only the first client validates.
///
/// The SDK's own HTTP client validates itself by creating and dropping a TLS connector, which costs more than the rest of the
/// creation of a client.
// T4
#[derive(Debug)]
pub(crate) struct ValidatedOnce {
    client: SharedHttpClient,
    is_validated: OnceLock<()>,
}

impl ValidatedOnce {
    pub(crate) fn new(client: SharedHttpClient) -> Self {
        Self { client, is_validated: OnceLock::new() }
    }
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
