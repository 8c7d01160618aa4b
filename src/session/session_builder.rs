//! How a session is configured.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_types::SdkConfig;
use tokio::sync::Semaphore;

use super::http::http_client;
use super::identity_cache::{Provider, ScopedIdentityCache};
use super::scope::Partitions;
use super::scope_pool::ScopePool;
use super::{Inner, Session, SessionConfig};
use crate::cache::{ClientCache, ClientCacheBuilder, Evicted, EvictionCause};
use crate::map::EvictionPolicy;
use crate::params::with_clock;

/// Builds a [`Session`]. Nothing has to be set.
///
/// ```
/// use std::time::Duration;
/// use aws_client_cache::{EvictionPolicy, SdkConfig, Session};
///
/// # fn example(sdk_config: &SdkConfig) {
/// let session = Session::builder(sdk_config)
///     .policy(EvictionPolicy::Lfu)
///     .max_size(200)
///     .scope_idle_timeout(Duration::from_secs(300))
///     .build();
/// # }
/// ```
#[must_use = "a session is made by `build`"]
pub struct SessionBuilder {
    base: SdkConfig,
    config: SessionConfig,
    /// With the listener.
    cache: ClientCacheBuilder,
}

impl SessionBuilder {
    pub(super) fn new(base: &SdkConfig) -> Self {
        Self { base: with_clock(base), config: SessionConfig::default(), cache: ClientCache::builder() }
    }

    /// Sets all that is data, as from a file: all that follows but the listener.
    ///
    /// [`SessionConfig`] shows an example.
    pub fn config(mut self, config: SessionConfig) -> Self {
        self.config = config;
        self
    }

    /// Which client goes first. The default is LRU.
    ///
    /// The type shows an example.
    pub fn policy(mut self, policy: EvictionPolicy) -> Self {
        self.config.policy = policy;
        self
    }

    /// The most clients that the session keeps, and the most credential scopes that nobody uses. The default is 10. At 0,
    /// every client is made anew, and nothing lingers.
    ///
    /// The type shows an example.
    pub fn max_size(mut self, max_size: usize) -> Self {
        self.config.max_size = max_size;
        self
    }

    /// Calls `listener` with every client that leaves to make room or because its credentials have expired, as
    /// [`ClientCacheBuilder::on_evict`] does (C2). It must not own the session, which would then own itself.
    ///
    /// ```
    /// # use aws_client_cache::{SdkConfig, Session};
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::builder(sdk_config)
    ///     .on_evict(|evicted, cause| eprintln!("{} left: {cause:?}", evicted.key))
    ///     .build();
    /// # }
    /// ```
    pub fn on_evict(mut self, listener: impl Fn(&Evicted, EvictionCause) + Send + Sync + 'static) -> Self {
        self.cache = self.cache.on_evict(listener);
        self
    }

    /// How long a credential scope keeps its credentials when its last client has gone, so that a client that returns costs no
    /// call of the Security Token Service. The default is 15 minutes; at zero, nothing lingers. What has lingered for longer is
    /// let go when the session next makes a client, or one is dropped.
    ///
    /// The type shows an example.
    pub fn scope_idle_timeout(mut self, scope_idle_timeout: Duration) -> Self {
        self.config.scope_idle_timeout = scope_idle_timeout;
        self
    }

    /// Whether each credential scope has a budget of retries of its own, by service and region. It has, by default: the SDK's
    /// is one for a whole process, so that one tenant who is throttled leaves the others without retries. A customisation that
    /// sets a `retry_partition` wins. A budget is as large as the SDK's own by default. What assumes roles has the SDK's one for
    /// the process in any case.
    ///
    /// ```
    /// # use aws_client_cache::{SdkConfig, Session};
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::builder(sdk_config).retry_partitions(false).build();
    /// # }
    /// ```
    pub fn retry_partitions(mut self, own: bool) -> Self {
        self.config.retry_partitions = own;
        self
    }

    /// For how many credential scopes [`Session::ready`] resolves credentials at a time. The default is 8; 0 counts as 1.
    ///
    /// ```
    /// # use aws_client_cache::{SdkConfig, Session};
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::builder(sdk_config).max_concurrent_loads(2).build();
    /// # }
    /// ```
    pub fn max_concurrent_loads(mut self, max_concurrent_loads: usize) -> Self {
        self.config.max_concurrent_loads = max_concurrent_loads;
        self
    }

    /// Makes the session, with an empty cache.
    ///
    /// The type shows an example.
    pub fn build(self) -> Session {
        let SessionConfig { policy, max_size, scope_idle_timeout, retry_partitions, max_concurrent_loads } =
            self.config;
        let time_source = self.base.time_source().unwrap_or_default();
        let mut base = self.base.to_builder();
        base.set_http_client(http_client(&self.base));
        let base_credentials =
            self.base.credentials_provider().map(|provider| Provider::new(provider, None, &self.base));
        if let Some(credentials) = &base_credentials {
            base.set_credentials_provider(Some(credentials.shared().clone()));
        }
        if self.base.identity_cache().is_none() {
            base.set_identity_cache(Some(SharedIdentityCache::new(ScopedIdentityCache::new(base_credentials.clone()))));
        }
        Session(Arc::new(Inner {
            base: base.build(),
            cache: self.cache.policy(policy).max_size(max_size).time_source(time_source).build(),
            scopes: ScopePool::new(scope_idle_timeout),
            base_credentials,
            base_partitions: Partitions::default(),
            has_retry_partitions: retry_partitions,
            load_permits: Semaphore::new(max_concurrent_loads.clamp(1, Semaphore::MAX_PERMITS)),
        }))
    }
}

impl Inner {
    /// The base configuration's clock.
    pub(super) fn now(&self) -> SystemTime {
        self.base.time_source().unwrap_or_default().now()
    }
}

impl fmt::Debug for SessionBuilder {
    /// Leaves the base configuration out, whose `Debug` shows access key ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base: _, config, cache } = self;
        f.debug_struct("SessionBuilder").field("config", config).field("cache", cache).finish_non_exhaustive()
    }
}
