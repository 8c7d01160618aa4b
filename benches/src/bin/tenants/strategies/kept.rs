//! Hand-written: a client for each tenant, kept in a map that has no bound.

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

pub(crate) struct Kept {
    base: SdkConfig,
    clients: Mutex<HashMap<u32, Client>>,
}

impl Kept {
    /// Clients of the default configuration, which names no HTTP client.
    ///
    /// Each has a client of its own, and so has its role.
    pub(crate) async fn each_with_its_own_connections() -> Self {
        Self::of(aws_config::load_defaults(BehaviorVersion::latest()).await)
    }

    /// Clients of a configuration that names an HTTP client, for them and their roles to share.
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

impl Clients for Kept {
    async fn client(&self, tenant: &Tenant) -> Result<Client, Failure> {
        if let Some(client) = self.clients().get(&tenant.0) {
            return Ok(client.clone());
        }
        // No lock is held meanwhile, so another task may do the same: the first client stays.
        let client = assuming(&self.base, tenant).await?;
        Ok(self.clients().entry(tenant.0).or_insert(client).clone())
    }
}
