//! [`SessionBuilder`], and the part of its settings that a file can hold.

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
use super::{Inner, Session};
use crate::cache::{ClientCache, ClientCacheBuilder, ClientCacheConfig, Evicted, EvictionCause};
use crate::map::EvictionPolicy;
use crate::params::with_clock;

/// The settings of a [`Session`] that are data: all except the base configuration and the listener.
///
/// With the feature `serde`, it can be part of a service's configuration file, with durations such as `"5m"`. A missing
/// setting has its default; an unknown one is an error.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use aws_client_cache::{EvictionPolicy, SdkConfig, Session, SessionConfig};
///
/// # #[cfg(feature = "serde")]
/// # fn example(sdk_config: &SdkConfig) -> Result<(), serde_json::Error> {
/// let file = r#"{ "max_size": 200, "scope_idle_timeout": "5m" }"#;
/// let config: SessionConfig = serde_json::from_str(file)?;
/// assert_eq!(config.scope_idle_timeout, Duration::from_secs(300));
/// let session = Session::builder(sdk_config).config(config).build();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct SessionConfig {
    /// The eviction policy: `"LRU"`, which is the default, or `"LFU"`.
    ///
    /// See [`SessionBuilder::policy`].
    pub policy: EvictionPolicy,
    /// The maximum number of clients.
    ///
    /// The default is 10. See [`SessionBuilder::max_size`].
    pub max_size: usize,
    /// The time for which an unused scope is kept, such as `"1h 30s"`.
    ///
    /// The default is 15 minutes. See [`SessionBuilder::scope_idle_timeout`].
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub scope_idle_timeout: Duration,
    /// Set if each scope has its own retry budgets, which is the default.
    ///
    /// See [`SessionBuilder::retry_partitions`].
    pub retry_partitions: bool,
    /// The maximum number of concurrent loads.
    ///
    /// The default is 8. See [`SessionBuilder::max_concurrent_loads`].
    pub max_concurrent_loads: usize,
}

impl Default for SessionConfig {
    /// Returns the default settings.
    fn default() -> Self {
        let ClientCacheConfig { policy, max_size } = ClientCacheConfig::default();
        Self {
            policy,
            max_size,
            scope_idle_timeout: Duration::from_mins(15),
            retry_partitions: true,
            max_concurrent_loads: 8,
        }
    }
}

/// A builder for a [`Session`].
///
/// Every setting has a default.
///
/// # Examples
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
#[must_use = "call `build` to create the session"]
pub struct SessionBuilder {
    base: SdkConfig,
    config: SessionConfig,
    /// Contains the listener.
    cache: ClientCacheBuilder,
}

impl SessionBuilder {
    pub(super) fn new(base: &SdkConfig) -> Self {
        Self { base: with_clock(base), config: SessionConfig::default(), cache: ClientCache::builder() }
    }

    /// Sets all settings that are data: all except the listener.
    ///
    /// [`SessionConfig`] shows an example.
    pub fn config(mut self, config: SessionConfig) -> Self {
        self.config = config;
        self
    }

    /// Sets the eviction policy.
    ///
    /// The default is LRU.
    ///
    /// [`SessionBuilder`] shows an example.
    pub fn policy(mut self, policy: EvictionPolicy) -> Self {
        self.config.policy = policy;
        self
    }

    /// Sets the maximum number of clients, and of idle credential scopes.
    ///
    /// The default is 10. With 0, no client is cached and no idle scope is kept.
    ///
    /// [`SessionBuilder`] shows an example.
    pub fn max_size(mut self, max_size: usize) -> Self {
        self.config.max_size = max_size;
        self
    }

    /// Sets a listener for clients that are evicted or have expired.
    ///
    /// It is called as described at [`ClientCacheBuilder::on_evict`]. The listener must not own the session: the session would own itself and would never be dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{SdkConfig, Session};
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::builder(sdk_config)
    ///     .on_evict(|evicted, cause| eprintln!("{}: {cause:?}", evicted.key))
    ///     .build();
    /// # }
    /// ```
    pub fn on_evict(mut self, listener: impl Fn(&Evicted, EvictionCause) + Send + Sync + 'static) -> Self {
        self.cache = self.cache.on_evict(listener); // C2
        self
    }

    /// Sets how long an unused scope is kept, so that a returning tenant needs no new `AssumeRole` call.
    ///
    /// A credential scope becomes idle when its last client has been dropped. The default is 15 minutes. With zero, no idle
    /// scope is kept. Scopes that have been idle for longer are dropped when the session creates a client, or when a client
    /// is dropped.
    ///
    /// [`SessionBuilder`] shows an example.
    pub fn scope_idle_timeout(mut self, scope_idle_timeout: Duration) -> Self {
        self.config.scope_idle_timeout = scope_idle_timeout;
        self
    }

    /// Sets whether each credential scope has its own retry budgets, by service and region.
    ///
    /// This is the default. The SDK shares one budget in the whole process, so that a throttled tenant leaves the
    /// others without retries. Each budget is as large as the SDK's default. A customization that sets a
    /// `retry_partition` takes precedence. Calls of `AssumeRole` always use the SDK's budget of the process.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{SdkConfig, Session};
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::builder(sdk_config)
    ///     .retry_partitions(false)
    ///     .build();
    /// # }
    /// ```
    pub fn retry_partitions(mut self, own: bool) -> Self {
        self.config.retry_partitions = own;
        self
    }

    /// Sets the maximum number of scopes that load credentials concurrently in [`Session::ready`].
    ///
    /// The default is 8; 0 means 1.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{SdkConfig, Session};
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::builder(sdk_config)
    ///     .max_concurrent_loads(2)
    ///     .build();
    /// # }
    /// ```
    pub fn max_concurrent_loads(mut self, max_concurrent_loads: usize) -> Self {
        self.config.max_concurrent_loads = max_concurrent_loads;
        self
    }

    /// Creates the session, with an empty cache.
    ///
    /// [`SessionBuilder`] shows an example.
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
    /// Returns the time of the base configuration's clock.
    pub(super) fn now(&self) -> SystemTime {
        self.base.time_source().unwrap_or_default().now()
    }
}

impl fmt::Debug for SessionBuilder {
    /// Omits the base configuration, whose `Debug` shows access key ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base: _, config, cache } = self;
        f.debug_struct("SessionBuilder").field("config", config).field("cache", cache).finish_non_exhaustive()
    }
}
