//! Credentials that are kept until shortly before they expire.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime::expiring_cache::ExpiringCache;

/// Longer before they expire than the SDK's identity caches ask for new ones, or they would be given the old ones.
const BUFFER: Duration = Duration::from_secs(20);

/// What the SDK's identity caches assume of credentials that say nothing.
const DEFAULT_EXPIRATION: Duration = Duration::from_mins(15);

/// Keeps what a provider provides, for all who ask, and asks it once, however many do (T1).
///
/// The SDK's identity caches do so for clients; but a provider that assumes a role asks for the credentials that it assumes
/// it with each time, and would have the role before it assumed again.
#[derive(Clone)]
pub(super) struct Kept(Arc<Inner>);

struct Inner {
    provider: SharedCredentialsProvider,
    time_source: SharedTimeSource,
    cache: ExpiringCache<Credentials, CredentialsError>,
}

impl Kept {
    pub(super) fn new(provider: SharedCredentialsProvider, time_source: SharedTimeSource) -> Self {
        Self(Arc::new(Inner { provider, time_source, cache: ExpiringCache::new(BUFFER) }))
    }

    /// Whether they are known and not about to expire.
    pub(super) async fn are_there(&self) -> bool {
        self.0.cache.yield_or_clear_if_expired(self.0.time_source.now()).await.is_some()
    }

    pub(super) async fn get(&self) -> Result<Credentials, CredentialsError> {
        let Inner { provider, time_source, cache } = &*self.0;
        let now = time_source.now();
        if let Some(kept) = cache.yield_or_clear_if_expired(now).await {
            return Ok(kept);
        }
        let load = || async {
            let credentials = provider.provide_credentials().await?;
            let expiry = credentials.expiry().unwrap_or(now + DEFAULT_EXPIRATION);
            Ok((credentials, expiry))
        };
        cache.get_or_load(load).await
    }
}

impl ProvideCredentials for Kept {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.0.provider.fallback_on_interrupt()
    }
}

impl fmt::Debug for Kept {
    /// Shows nothing: the `Debug` of what is kept shows access key ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}
