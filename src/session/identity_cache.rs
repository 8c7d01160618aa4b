//! [`ScopedIdentityCache`], the identity cache of the clients of one credential scope.

use std::fmt;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::{
    IdentityCachePartition, IdentityFuture, ResolveCachedIdentity, ResolveIdentity, SharedIdentityCache,
    SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;

use super::credentials::CachedCredentials;
use super::expired_tokens::ExpiredTokens;
use super::load_config::LoadConfig;
use crate::key::CredentialScope;
use crate::params::RoleSource;

/// Cached credentials, and a provider of them whose identity all clients share.
#[derive(Clone)]
pub(super) struct Provider {
    cached: CachedCredentials,
    shared: SharedCredentialsProvider,
    source: SharedCredentialsProvider,
    interceptor: SharedInterceptor,
}

impl Provider {
    pub(super) fn new(
        scope: &CredentialScope,
        provider: SharedCredentialsProvider,
        source: Option<Self>,
        config: &Arc<LoadConfig>,
    ) -> Self {
        let cached = CachedCredentials::new(scope, provider, source.map(|source| source.cached), config);
        let interceptor = SharedInterceptor::new(ExpiredTokens::new(cached.clone()));
        Self { shared: SharedCredentialsProvider::new(cached.clone()), source: cached.as_source(), interceptor, cached }
    }

    pub(super) fn cached(&self) -> &CachedCredentials {
        &self.cached
    }

    /// Returns the provider for clients that sign with these credentials.
    pub(super) fn shared(&self) -> &SharedCredentialsProvider {
        &self.shared
    }

    /// Returns the interceptor for clients that sign with these credentials.
    pub(super) fn interceptor(&self) -> &SharedInterceptor {
        &self.interceptor
    }

    /// Returns these credentials for roles that are assumed with them.
    pub(super) fn role_source(&self) -> RoleSource {
        let (rejecting, refusing) = (self.cached.clone(), self.cached.clone());
        let reject = move |refused: &Credentials| rejecting.reject(|held| is_same(held, refused));
        let refuse = move || refusing.refuse_revoked();
        RoleSource { provider: self.source.clone(), reject: Some(Arc::new(reject)), refuse: Some(Arc::new(refuse)) }
    }

    /// Returns `true` if a partition of an identity cache belongs to these credentials.
    pub(super) fn is_of(&self, partition: IdentityCachePartition) -> bool {
        self.shared.cache_partition() == Some(partition)
    }
}

/// Returns `true` if AWS cannot tell two credentials apart.
fn is_same(one: &Credentials, other: &Credentials) -> bool {
    one.access_key_id() == other.access_key_id() && one.session_token() == other.session_token()
}

/// The number of a client's further identities, such as those of unsigned requests.
const MAX_IDENTITIES: usize = 8;

/// The identity cache of one credential scope.
///
/// It does not cache the credentials that the session caches. A second cache would make waiters of a failing load fail one
/// after another, would hang with a caller that stops polling, and would keep invalidated credentials.
pub(super) struct ScopedIdentityCache {
    /// `None` if requests are not signed, or not with credentials of the session.
    credentials: Option<Provider>,
    others: SharedIdentityCache,
}

impl ScopedIdentityCache {
    /// Caches all other identities in `others`, or in a cache of the SDK.
    pub(super) fn new(credentials: Option<Provider>, others: Option<SharedIdentityCache>) -> Self {
        let others = others.unwrap_or_else(|| IdentityCache::lazy().max_partitions(MAX_IDENTITIES).build());
        Self { credentials, others }
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

    // The default validates nothing, but the SDK's lazy cache needs a clock and a sleep.
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
    /// Shows nothing, because the `Debug` of an identity cache shows its identities.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScopedIdentityCache")
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
    use aws_smithy_async::time::SharedTimeSource;

    use super::*;

    // Proves T12.
    #[test]
    fn credentials_differ_by_their_key_id_and_by_their_token() {
        let keys = |id: &str, token: &str| Credentials::new(id, "secret", Some(token.to_owned()), None, "test");
        let one = keys("id", "token");
        assert!(is_same(&one, &Credentials::new("id", "other", Some("token".to_owned()), None, "another")));
        assert!(!is_same(&one, &keys("other", "token")) && !is_same(&one, &keys("id", "other")));
    }

    // Proves T10.
    #[test]
    fn a_client_without_a_clock_or_a_sleep_is_refused() {
        let cache = ScopedIdentityCache::new(None, None);
        let refusal = |has_clock: bool, has_sleep: bool| {
            let mut components = RuntimeComponentsBuilder::new("test");
            components.set_time_source(has_clock.then(SharedTimeSource::default));
            components.set_sleep_impl(has_sleep.then(|| SharedAsyncSleep::new(TokioSleep::new())));
            let refused = cache.validate_base_client_config(&components, &ConfigBag::base()).err();
            refused.map(|error| error.to_string())
        };
        assert_eq!(refusal(true, true), None);
        assert_eq!(refusal(false, true).as_deref(), Some("the identity cache needs a clock"));
        assert_eq!(refusal(true, false).as_deref(), Some("the identity cache needs a sleep"));
    }
}
