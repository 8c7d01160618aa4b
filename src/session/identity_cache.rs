//! What clients resolve identities with: their credentials by what the session keeps, others by the SDK's own cache.

use std::fmt;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::{
    IdentityCachePartition, IdentityFuture, ResolveCachedIdentity, ResolveIdentity, SharedIdentityCache,
    SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::SdkConfig;

use super::credentials::CachedCredentials;

/// Credentials that are kept, as the SDK's clients share them: of one identity, whatever asks.
#[derive(Clone)]
pub(super) struct Provider {
    cached: CachedCredentials,
    shared: SharedCredentialsProvider,
}

impl Provider {
    /// `base` has a clock.
    pub(super) fn new(provider: SharedCredentialsProvider, source: Option<Self>, base: &SdkConfig) -> Self {
        let cached = CachedCredentials::new(provider, source.map(|source| source.cached), base);
        Self { shared: SharedCredentialsProvider::new(cached.clone()), cached }
    }

    pub(super) fn cached(&self) -> &CachedCredentials {
        &self.cached
    }

    pub(super) fn shared(&self) -> &SharedCredentialsProvider {
        &self.shared
    }

    /// Whether a partition of an identity cache is of these credentials.
    pub(super) fn is_of(&self, partition: IdentityCachePartition) -> bool {
        self.shared.cache_partition() == Some(partition)
    }
}

/// A client's other identities than its credentials: of requests that are not signed, and what a service adds.
const MAX_IDENTITIES: usize = 8;

/// An identity cache of one credential scope.
///
/// What the session keeps itself needs no cache on top, which would have all who wait fail one after another, and would not
/// forget.
pub(super) struct ScopedIdentityCache {
    /// `None` if requests are not signed, or by nothing that the session knows.
    credentials: Option<Provider>,
    others: SharedIdentityCache,
}

impl ScopedIdentityCache {
    pub(super) fn new(credentials: Option<Provider>) -> Self {
        Self { credentials, others: IdentityCache::lazy().max_partitions(MAX_IDENTITIES).build() }
    }
}

impl ResolveCachedIdentity for ScopedIdentityCache {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        if self.credentials.as_ref().is_some_and(|credentials| credentials.is_of(resolver.cache_partition())) {
            return IdentityFuture::new(async move { resolver.resolve_identity(components, config).await });
        }
        self.others.resolve_cached_identity(resolver, components, config)
    }

    // The default validates nothing, and the SDK's lazy cache wants a clock and a sleep.
    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        _: &ConfigBag,
    ) -> Result<(), BoxError> {
        for (name, is_there) in
            [("clock", components.time_source().is_some()), ("sleep", components.sleep_impl().is_some())]
        {
            if !is_there {
                return Err(format!("the identity cache needs a {name}").into());
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ScopedIdentityCache {
    /// Shows nothing: the `Debug` of an identity cache shows what it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScopedIdentityCache")
    }
}
