//! [`ClientCacheBuilder`], and the part of its settings that a file can hold.

use aws_smithy_async::time::{SharedTimeSource, TimeSource};

use super::identity_hasher::BuildIdentityHasher;
use super::listener::Listener;
use super::{ClientCache, Evicted, EvictionCause};
use crate::map::{DEFAULT_MAX_SIZE, EvictingMap, EvictionPolicy};

/// The settings of a [`ClientCache`] that are data: all except the listener and the clock.
///
/// With the feature `serde`, it can be part of a service's configuration file. A missing setting takes its default; an
/// unknown one is an error.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{ClientCache, ClientCacheConfig, EvictionPolicy};
///
/// # #[cfg(feature = "serde")] {
/// let file = r#"{ "policy": "LFU", "max_size": 30 }"#;
/// let config: ClientCacheConfig = serde_json::from_str(file)?;
/// let cache = ClientCache::builder().config(config).build();
/// assert_eq!(cache.policy(), EvictionPolicy::Lfu);
/// assert_eq!(cache.max_size(), 30);
/// # }
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct ClientCacheConfig {
    /// The eviction policy: `"LRU"`, which is the default, `"LFU"` or `"LFUDA"`.
    pub policy: EvictionPolicy,
    /// The maximum number of clients.
    ///
    /// The default is 10.
    pub max_size: usize,
}

impl Default for ClientCacheConfig {
    /// Returns the LRU policy and a `max_size` of 10.
    fn default() -> Self {
        Self { policy: EvictionPolicy::Lru, max_size: DEFAULT_MAX_SIZE } // D1
    }
}

/// A builder for a [`ClientCache`].
///
/// Every setting has a default.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{ClientCache, EvictionPolicy};
///
/// let cache = ClientCache::builder()
///     .policy(EvictionPolicy::Lfu)
///     .max_size(30)
///     .build();
/// assert_eq!(cache.policy(), EvictionPolicy::Lfu);
/// assert_eq!(cache.max_size(), 30);
/// ```
#[derive(Debug)]
#[must_use = "call `build` to create the cache"]
pub struct ClientCacheBuilder {
    config: ClientCacheConfig,
    on_evict: Listener,
    time_source: SharedTimeSource,
}

impl ClientCacheBuilder {
    pub(super) fn new() -> Self {
        Self {
            config: ClientCacheConfig::default(),
            on_evict: Listener::default(),
            time_source: SharedTimeSource::default(),
        }
    }

    /// Sets all settings that are data: the policy and `max_size`.
    ///
    /// [`ClientCacheConfig`] shows an example.
    pub fn config(mut self, config: ClientCacheConfig) -> Self {
        self.config = config;
        self
    }

    /// Sets the eviction policy.
    ///
    /// The default is LRU.
    ///
    /// [`ClientCacheBuilder`] shows an example.
    pub fn policy(mut self, policy: EvictionPolicy) -> Self {
        self.config.policy = policy;
        self
    }

    /// Sets the maximum number of clients.
    ///
    /// The default is 10; with 0 the cache holds none.
    ///
    /// [`ClientCacheBuilder`] shows an example.
    pub fn max_size(mut self, max_size: usize) -> Self {
        self.config.max_size = max_size;
        self
    }

    /// Sets a listener for entries that are evicted or have expired.
    ///
    /// A second call replaces the listener. The listener is not notified of entries that are removed, popped, drained
    /// or cleared.
    ///
    /// The thread that caused the eviction calls the listener after it has unlocked the cache and before its own call
    /// returns. So the listener may use the cache. It must hold the cache by a `Weak`: with an `Arc`, the cache would own
    /// itself and would never be dropped.
    ///
    /// If the listener itself evicts clients, it is notified of them after it has returned, in a loop, in the order of
    /// eviction. A listener that always inserts an evicted client again never ends this loop, nor the call that began it: in
    /// a full cache, each insertion evicts another client.
    ///
    /// If the listener panics, it is still notified of the remaining entries. Then the first panic continues in the caller.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::ClientCache;
    ///
    /// let cache = ClientCache::builder()
    ///     .on_evict(|evicted, cause| eprintln!("{}: {cause:?}", evicted.key))
    ///     .build();
    /// ```
    pub fn on_evict(mut self, listener: impl Fn(&Evicted, EvictionCause) + Send + Sync + 'static) -> Self {
        self.on_evict = Listener::new(listener);
        self
    }

    /// Sets the clock by which static credentials expire.
    ///
    /// The default is the system clock. The cache reads the clock only for keys whose credentials can expire: once per
    /// operation, and once at each step of a creation. [`remove_expired`](ClientCache::remove_expired) always reads it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use aws_client_cache::{ClientCache, TimeSource};
    ///
    /// #[derive(Debug)]
    /// struct StoppedClock;
    ///
    /// impl TimeSource for StoppedClock {
    ///     fn now(&self) -> SystemTime {
    ///         SystemTime::UNIX_EPOCH
    ///     }
    /// }
    ///
    /// let cache = ClientCache::builder().time_source(StoppedClock).build();
    /// ```
    pub fn time_source(mut self, time_source: impl TimeSource + 'static) -> Self {
        self.time_source = SharedTimeSource::new(time_source);
        self
    }

    /// Creates an empty cache.
    ///
    /// [`ClientCacheBuilder`] shows an example.
    pub fn build(self) -> ClientCache {
        let entries = EvictingMap::with_hasher(self.config.policy, self.config.max_size, BuildIdentityHasher);
        ClientCache::with(entries, self.on_evict, self.time_source)
    }
}
