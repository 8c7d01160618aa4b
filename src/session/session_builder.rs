//! [`SessionBuilder`], and the part of its settings that a file can hold.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_types::SdkConfig;

use super::http::http_client;
use super::identity_cache::{Provider, ScopedIdentityCache};
use super::load_config::LoadConfig;
use super::load_times::RefreshSettings;
use super::retry_budgets::RetryBudgets;
use super::scope_pool::ScopePool;
use super::{Inner, Session};
use crate::cache::{ClientCache, ClientCacheBuilder, Evicted, EvictionCause};
use crate::key::CredentialScope;
use crate::map::EvictionPolicy;
use crate::params::with_clock;

/// The settings of a [`Session`] that are data: all except the base configuration and the listener.
///
/// With the feature `serde`, it can be part of a service's configuration file, with durations such as `"5m"`. A missing
/// setting takes its default; an unknown one is an error.
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
    /// The eviction policy: `"LRU"`, which is the default, `"LFU"` or `"LFUDA"`.
    ///
    /// See [`SessionBuilder::policy`].
    pub policy: EvictionPolicy,
    /// The maximum number of clients.
    ///
    /// The default is 128. See [`SessionBuilder::max_size`].
    pub max_size: usize,
    /// The time for which an unused scope is kept, such as `"1h 30s"`.
    ///
    /// The default is 15 minutes. See [`SessionBuilder::scope_idle_timeout`].
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub scope_idle_timeout: Duration,
    /// The maximum number of unused scopes that are kept.
    ///
    /// The default is 1,000. See [`SessionBuilder::max_idle_scopes`].
    pub max_idle_scopes: usize,
    /// Set if each scope has its own retry budgets, which is the default.
    ///
    /// See [`SessionBuilder::retry_partitions`].
    pub retry_partitions: bool,
    /// The maximum number of concurrent loads.
    ///
    /// The default is 8. See [`SessionBuilder::max_concurrent_loads`].
    pub max_concurrent_loads: usize,
    /// The timeout of a load, such as `"2m"`.
    ///
    /// By default, it is derived from the base configuration. See [`SessionBuilder::load_timeout`].
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub load_timeout: Option<Duration>,
    /// The time before expiry at which one caller starts to refresh credentials.
    ///
    /// By default, it depends on the lifetime. See [`SessionBuilder::advisory_refresh_window`].
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub advisory_refresh_window: Option<Duration>,
    /// The time before expiry at which all callers start to wait for new credentials.
    ///
    /// The default is one minute. See [`SessionBuilder::mandatory_refresh_window`].
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub mandatory_refresh_window: Duration,
    /// The pause after a failed refresh in the advisory window.
    ///
    /// The default is 5 minutes. See [`SessionBuilder::refresh_backoff`].
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub refresh_backoff: Duration,
    /// The pause after a first failed load.
    ///
    /// The default is one second. See [`SessionBuilder::load_backoff`].
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub load_backoff: Duration,
    /// The maximum pause after repeated failures of a load.
    ///
    /// The default is one minute. See [`SessionBuilder::max_load_backoff`].
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub max_load_backoff: Duration,
}

impl Default for SessionConfig {
    /// Returns the default settings.
    fn default() -> Self {
        Self {
            policy: EvictionPolicy::default(),
            max_size: 128, // D1
            scope_idle_timeout: Duration::from_mins(15),
            max_idle_scopes: 1_000,
            retry_partitions: true,
            max_concurrent_loads: 8,
            load_timeout: None,
            advisory_refresh_window: None,
            mandatory_refresh_window: Duration::from_mins(1),
            refresh_backoff: Duration::from_mins(5),
            load_backoff: Duration::from_secs(1),
            max_load_backoff: Duration::from_mins(1),
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

    /// Sets the maximum number of clients.
    ///
    /// The default is 128; that of a [`ClientCache`] is 10. With 0, no client is cached.
    ///
    /// [`SessionBuilder`] shows an example.
    pub fn max_size(mut self, max_size: usize) -> Self {
        self.config.max_size = max_size;
        self
    }

    /// Sets a listener for clients that are evicted or have expired.
    ///
    /// It is called as described at [`ClientCacheBuilder::on_evict`]. The listener must not own the session: the session
    /// would own itself and would never be dropped.
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

    /// Sets the maximum number of unused scopes that are kept for returning tenants.
    ///
    /// The default is 1,000. With 0, no idle scope is kept. The scope that became idle first is dropped first. An idle scope
    /// holds credentials, but no connection.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{SdkConfig, Session};
    /// # fn example(sdk_config: &SdkConfig) {
    /// // Few clients, but credentials for all of 5,000 tenants.
    /// let session = Session::builder(sdk_config)
    ///     .max_size(100)
    ///     .max_idle_scopes(5_000)
    ///     .build();
    /// # }
    /// ```
    pub fn max_idle_scopes(mut self, max_idle_scopes: usize) -> Self {
        self.config.max_idle_scopes = max_idle_scopes;
        self
    }

    /// Sets whether each credential scope has its own retry budgets, by service and region.
    ///
    /// The default is `true`. The SDK's own budgets, one for each service and region, are shared by the whole process, so
    /// that a throttled tenant leaves the others without retries. Each budget is as large as the SDK's default, and its
    /// retries cost as in version 2.0 of the SDK's retry specification, even if `AWS_NEW_RETRIES_2026` selects 2.1. A
    /// customization that sets a `retry_partition` takes precedence. Calls of `AssumeRole` always use the SDK's budget of the process.
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

    /// Sets the maximum number of scopes that load credentials concurrently.
    ///
    /// The default is 8; 0 means 1. The bound covers [`Session::ready`], the first requests of clients, and refreshes. Further
    /// loads wait in the order in which they began. A load no longer counts after 3 seconds, or once no caller has
    /// polled it for a second, by the clock of the machine. So a provider that hangs does not hold back the other scopes for long. The credentials of a
    /// source role are loaded within the load of the role.
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

    /// Sets the timeout of a load of credentials.
    ///
    /// The default is the time that the retries and timeouts of the base configuration can take, as in the SDK's own identity
    /// caches: about 22 seconds for each role of a chain, and as much for the source of the first. Set a longer one for
    /// providers that wait for a person.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{SdkConfig, Session};
    /// # use std::time::Duration;
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::builder(sdk_config)
    ///     .load_timeout(Duration::from_secs(120))
    ///     .build();
    /// # }
    /// ```
    pub fn load_timeout(mut self, timeout: Duration) -> Self {
        self.config.load_timeout = Some(timeout);
        self
    }

    /// Sets how long before expiry one caller starts to refresh credentials.
    ///
    /// All other callers go on with the credentials that are held.
    ///
    /// The default is that of all AWS SDKs: 5 minutes for lifetimes of up to 20 minutes, 60 minutes for lifetimes of 90
    /// minutes or more, and 15 minutes in between. The window is at most half of the lifetime. Each scope shortens it by a
    /// random part of at most one half, so that scopes that were loaded together are not refreshed together.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{SdkConfig, Session};
    /// # use std::time::Duration;
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::builder(sdk_config)
    ///     .advisory_refresh_window(Duration::from_secs(600))
    ///     .build();
    /// # }
    /// ```
    pub fn advisory_refresh_window(mut self, window: Duration) -> Self {
        self.config.advisory_refresh_window = Some(window);
        self
    }

    /// Sets how long before expiry all callers start to wait for new credentials.
    ///
    /// The default is one minute. The window is at most a quarter of the lifetime. If no new credentials can be loaded, the
    /// callers go on with the old ones until these expire.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{SdkConfig, Session};
    /// # use std::time::Duration;
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::builder(sdk_config)
    ///     .mandatory_refresh_window(Duration::from_secs(30))
    ///     .build();
    /// # }
    /// ```
    pub fn mandatory_refresh_window(mut self, window: Duration) -> Self {
        self.config.mandatory_refresh_window = window;
        self
    }

    /// Sets the pause after a failed refresh in the advisory window.
    ///
    /// The default is 5 minutes. Each scope lengthens it at random, to at most double. In the mandatory window,
    /// [`load_backoff`](Self::load_backoff) applies.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{SdkConfig, Session};
    /// # use std::time::Duration;
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::builder(sdk_config)
    ///     .refresh_backoff(Duration::from_secs(60))
    ///     .build();
    /// # }
    /// ```
    pub fn refresh_backoff(mut self, backoff: Duration) -> Self {
        self.config.refresh_backoff = backoff;
        self
    }

    /// Sets the pause after a first failed load.
    ///
    /// The default is one second; zero turns the backoff off. Each further failure doubles the pause, up to
    /// [`max_load_backoff`](Self::max_load_backoff). During the pause, callers receive the last error, so that a refused
    /// role costs few calls of `AssumeRole`. A successful load and [`Session::invalidate_credentials`] end the backoff.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{SdkConfig, Session};
    /// # use std::time::Duration;
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::builder(sdk_config)
    ///     .load_backoff(Duration::ZERO)
    ///     .build();
    /// # }
    /// ```
    pub fn load_backoff(mut self, backoff: Duration) -> Self {
        self.config.load_backoff = backoff;
        self
    }

    /// Sets the maximum pause after repeated failures of a load.
    ///
    /// The default is one minute.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{SdkConfig, Session};
    /// # use std::time::Duration;
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::builder(sdk_config)
    ///     .max_load_backoff(Duration::from_secs(10))
    ///     .build();
    /// # }
    /// ```
    pub fn max_load_backoff(mut self, backoff: Duration) -> Self {
        self.config.max_load_backoff = backoff;
        self
    }

    /// Creates the session, with an empty cache.
    ///
    /// [`SessionBuilder`] shows an example.
    pub fn build(self) -> Session {
        let SessionConfig {
            policy,
            max_size,
            scope_idle_timeout,
            max_idle_scopes,
            retry_partitions,
            max_concurrent_loads,
            load_timeout,
            advisory_refresh_window: advisory_window,
            mandatory_refresh_window: mandatory_window,
            refresh_backoff,
            load_backoff,
            max_load_backoff,
        } = self.config;
        let refresh =
            RefreshSettings { advisory_window, mandatory_window, refresh_backoff, load_backoff, max_load_backoff };
        let loads = Arc::new(LoadConfig::new(&self.base, load_timeout, max_concurrent_loads, refresh));
        let time_source = self.base.time_source().unwrap_or_default();
        let mut base = self.base.to_builder();
        base.set_http_client(http_client(&self.base));
        let base_credentials = self.base.credentials_provider();
        let base_credentials =
            base_credentials.map(|provider| Provider::new(&CredentialScope::Base, provider, None, &loads));
        if let Some(credentials) = &base_credentials {
            base.set_credentials_provider(Some(credentials.shared().clone()));
        }
        // T10: a base configuration of `aws_config::load_defaults` always has an identity cache.
        let identity_cache = ScopedIdentityCache::new(base_credentials.clone(), self.base.identity_cache());
        base.set_identity_cache(Some(SharedIdentityCache::new(identity_cache)));
        Session(Arc::new(Inner {
            base: base.build(),
            cache: self.cache.policy(policy).max_size(max_size).time_source(time_source).build(),
            scopes: ScopePool::new(scope_idle_timeout, max_idle_scopes),
            base_credentials,
            base_retry_budgets: RetryBudgets::default(),
            has_retry_partitions: retry_partitions,
            loads,
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
