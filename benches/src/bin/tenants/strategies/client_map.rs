//! Hand-written: a client for each tenant, in a map without a bound.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_client_cache::SdkConfig;
use aws_config::BehaviorVersion;
use aws_sdk_s3::Client;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use super::{Clients, assuming};
use crate::Failure;
use crate::tenant::Tenant;

pub(crate) struct ClientMap {
    base: SdkConfig,
    clients: Mutex<HashMap<u32, Client>>,
}

impl ClientMap {
    /// Creates clients from the default configuration, which names no HTTP client.
    ///
    /// Each client and each role sets up an HTTP client of its own.
    pub(crate) async fn each_with_its_own_connections() -> Self {
        Self::of(aws_config::load_defaults(BehaviorVersion::latest()).await)
    }

    /// Creates clients from a configuration with an HTTP client that they and their roles share.
    pub(crate) async fn with_one_http_client() -> Self {
        let http_client =
            aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
        Self::of(aws_config::defaults(BehaviorVersion::latest()).http_client(http_client).load().await)
    }

    fn of(base: SdkConfig) -> Self {
        Self { base, clients: Mutex::default() }
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<u32, Client>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clients for ClientMap {
    async fn client(&self, tenant: &Tenant) -> Result<Client, Failure> {
        if let Some(client) = self.clients().get(&tenant.0) {
            return Ok(client.clone());
        }
        // No lock is held here, so another task may create a client too: the first one stays.
        let client = assuming(&self.base, tenant).await?;
        Ok(self.clients().entry(tenant.0).or_insert(client).clone())
    }
}
