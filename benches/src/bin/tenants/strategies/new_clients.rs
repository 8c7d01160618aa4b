//! Hand-written: a new client for each call, which needs no cache.

use aws_client_cache::SdkConfig;
use aws_config::BehaviorVersion;
use aws_sdk_s3::Client;

use super::{Clients, assuming};
use crate::Failure;
use crate::tenant::Tenant;

pub(crate) struct NewClients {
    base: SdkConfig,
}

impl NewClients {
    pub(crate) async fn new() -> Self {
        Self { base: aws_config::load_defaults(BehaviorVersion::latest()).await }
    }
}

impl Clients for NewClients {
    async fn client(&self, tenant: &Tenant) -> Result<Client, Failure> {
        assuming(&self.base, tenant).await
    }
}
