//! The strategies to obtain a client for each tenant.

mod client_map;
mod new_clients;
mod session_clients;

use aws_client_cache::{SdkConfig, SharedCredentialsProvider};
use aws_config::sts::AssumeRoleProvider;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;

use crate::Failure;
use crate::tenant::Tenant;

pub(crate) use client_map::ClientMap;
pub(crate) use new_clients::NewClients;
pub(crate) use session_clients::SessionClients;

/// A strategy to obtain a client for each tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    EachCall,
    EachTenant,
    OneConfig,
    Session,
}

impl Strategy {
    pub(crate) const ALL: [Self; 4] = [Self::EachCall, Self::EachTenant, Self::OneConfig, Self::Session];

    /// Returns its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EachCall => "a new client for each call",
            Self::EachTenant => "a client for each tenant",
            Self::OneConfig => "one shared SdkConfig",
            Self::Session => "`Session`",
        }
    }
}

/// A source of clients. Several tasks may call it at once.
pub(crate) trait Clients: Send + Sync + 'static {
    fn client(&self, tenant: &Tenant) -> impl Future<Output = Result<Client, Failure>> + Send;
}

/// Returns a client that signs with the credentials of the tenant's role.
///
/// This is the code of the SDK's documentation.
async fn assuming(base: &SdkConfig, tenant: &Tenant) -> Result<Client, Failure> {
    let source = base.credentials_provider().ok_or("the base configuration has no credentials")?;
    let role = AssumeRoleProvider::builder(tenant.role()).session_name("tenants").configure(base);
    let provider = SharedCredentialsProvider::new(role.build_from_provider(source).await);
    let config = base.to_builder().credentials_provider(provider).build();
    Ok(Client::from_conf(Builder::from(&config).force_path_style(true).build()))
}
