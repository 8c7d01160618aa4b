//! The strategies to have a client for each tenant.

mod each_call;
mod kept;
mod session;

use aws_client_cache::{SdkConfig, SharedCredentialsProvider};
use aws_config::sts::AssumeRoleProvider;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;

use crate::Failure;
use crate::tenant::Tenant;

pub(crate) use each_call::EachCall;
pub(crate) use kept::Kept;
pub(crate) use session::OfSession;

/// A strategy to have a client for each tenant.
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

/// A client that signs with the keys of the tenant's role, as the SDK's documentation has it.
async fn assuming(base: &SdkConfig, tenant: &Tenant) -> Result<Client, Failure> {
    let source = base.credentials_provider().ok_or("the base configuration has no credentials")?;
    let role = AssumeRoleProvider::builder(tenant.role()).session_name("tenants").configure(base);
    let provider = SharedCredentialsProvider::new(role.build_from_provider(source).await);
    let config = base.to_builder().credentials_provider(provider).build();
    Ok(Client::from_conf(Builder::from(&config).force_path_style(true).build()))
}
