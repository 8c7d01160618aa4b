//! The strategy of this crate: clients from a `Session`.

use aws_client_cache::{AssumeRole, ClientParams, EvictionPolicy, S3, Session};
use aws_config::BehaviorVersion;
use aws_sdk_s3::Client;

use super::Clients;
use crate::Failure;
use crate::tenant::Tenant;

pub(crate) struct SessionClients {
    session: Session,
}

impl SessionClients {
    pub(crate) async fn new(max_size: usize) -> Self {
        let base = aws_config::load_defaults(BehaviorVersion::latest()).await;
        Self { session: Session::builder(&base).policy(EvictionPolicy::Lru).max_size(max_size).build() }
    }
}

impl Clients for SessionClients {
    async fn client(&self, tenant: &Tenant) -> Result<Client, Failure> {
        let params = ClientParams::<S3>::builder()
            .assume_role(AssumeRole::new(tenant.role()).session_name("tenants"))
            .customize("path_style", |builder| builder.force_path_style(true))
            .build()?;
        Ok(self.session.client(&params).await?)
    }
}
