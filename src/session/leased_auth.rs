//! The providers and identity caches that hold a [`Lease`], for clients and for configurations.

use std::fmt;
use std::sync::Arc;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::{
    IdentityCachePartition, IdentityFuture, ResolveCachedIdentity, ResolveIdentity, SharedIdentityCache,
    SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;

use super::scope_pool::Lease;
use crate::params::ClientAuth;

impl Lease {
    /// Returns the authentication of a client, whose identity cache holds this lease.
    pub(super) fn client_auth(self) -> ClientAuth {
        let provider = self.scope().credentials().map(|credentials| credentials.shared().clone());
        let identity_cache = LeasedIdentityCache { lease: Arc::new(self), leased_provider: None };
        ClientAuth { provider, identity_cache: Some(SharedIdentityCache::new(identity_cache)) }
    }

    /// Returns the authentication of a configuration, whose provider also holds this lease.
    pub(super) fn config_auth(self) -> ClientAuth {
        let lease = Arc::new(self);
        let provider = lease.scope().credentials().map(|credentials| {
            let credentials = credentials.shared().clone();
            SharedCredentialsProvider::new(LeasedProvider { credentials, _lease: Arc::clone(&lease) })
        });
        let leased_provider = provider.as_ref().and_then(ResolveIdentity::cache_partition);
        let identity_cache = LeasedIdentityCache { lease, leased_provider };
        ClientAuth { provider, identity_cache: Some(SharedIdentityCache::new(identity_cache)) }
    }
}

/// Provides the credentials of a scope, and keeps it active.
struct LeasedProvider {
    credentials: SharedCredentialsProvider,
    _lease: Arc<Lease>,
}

impl ProvideCredentials for LeasedProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.credentials.provide_credentials()
    }
}

impl fmt::Debug for LeasedProvider {
    /// Shows nothing, because the `Debug` of a provider may show its credentials.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeasedProvider")
    }
}

/// The identity cache of a scope, which keeps it active.
struct LeasedIdentityCache {
    lease: Arc<Lease>,
    /// The partition of the [`LeasedProvider`] in the same configuration.
    ///
    /// The session caches what it provides, as it does for the scope's own provider.
    leased_provider: Option<IdentityCachePartition>,
}

impl ResolveCachedIdentity for LeasedIdentityCache {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        if self.leased_provider == Some(resolver.cache_partition()) {
            return IdentityFuture::new(async move { resolver.resolve_identity(components, config).await });
        }
        self.lease.scope().identities().resolve_cached_identity(resolver, components, config)
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.lease.scope().identities().validate_base_client_config(components, config)
    }
}

impl fmt::Debug for LeasedIdentityCache {
    /// Shows nothing, because the `Debug` of an identity cache shows its identities.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeasedIdentityCache")
    }
}

#[cfg(all(test, feature = "s3"))]
mod tests {
    use aws_credential_types::Credentials;
    use aws_smithy_async::time::SharedTimeSource;
    use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
    use aws_types::SdkConfig;

    use super::*;
    use crate::{ClientParams, Region, S3, Session};

    // Proves T10.
    #[test]
    fn a_client_of_a_scope_is_refused_without_a_sleep() {
        let keys = Credentials::new("id", "secret", None, None, "test");
        let params = ClientParams::<S3>::builder().credentials(keys).build().unwrap();
        let base = SdkConfig::builder().region(Region::from_static("a")).behavior_version(BehaviorVersion::latest());
        let session = Session::new(&base.build());
        let lease = session.lease(&params).unwrap().expect("the scope is not that of the base");
        let mut components = RuntimeComponentsBuilder::new("test");
        components.set_time_source(Some(SharedTimeSource::default()));
        let cache = LeasedIdentityCache { lease: Arc::new(lease), leased_provider: None };
        let refused = cache.validate_base_client_config(&components, &ConfigBag::base());
        assert_eq!(refused.unwrap_err().to_string(), "the identity cache needs a sleep");
    }
}
