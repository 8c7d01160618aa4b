//! How a cache is configured.

use aws_smithy_async::time::{SharedTimeSource, TimeSource};

use super::identity_hasher::BuildIdentityHasher;
use super::listener::Listener;
use super::{ClientCache, ClientCacheConfig, Evicted, EvictionCause};
use crate::map::{EvictingMap, EvictionPolicy};

/// Builds a [`ClientCache`]. Nothing has to be set: the default is LRU and 10 (D1).
///
/// ```
/// use aws_client_cache::{ClientCache, EvictionPolicy};
///
/// let cache = ClientCache::builder().policy(EvictionPolicy::Lfu).max_size(30).build();
/// assert_eq!((cache.policy(), cache.max_size()), (EvictionPolicy::Lfu, 30));
/// ```
#[derive(Debug)]
#[must_use = "a cache is made by `build`"]
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

    /// Sets all that is data, as from a file: both of what follow.
    ///
    /// [`ClientCacheConfig`] shows an example.
    pub fn config(mut self, config: ClientCacheConfig) -> Self {
        self.config = config;
        self
    }

    /// Which entry goes first.
    ///
    /// The type shows an example.
    pub fn policy(mut self, policy: EvictionPolicy) -> Self {
        self.config.policy = policy;
        self
    }

    /// The most clients that the cache holds. 0 is allowed, and holds none.
    ///
    /// The type shows an example.
    pub fn max_size(mut self, max_size: usize) -> Self {
        self.config.max_size = max_size;
        self
    }

    /// Calls `listener` with every entry that leaves to make room, and why; not with one that is removed, popped or
    /// cleared (C2).
    ///
    /// It is called by the thread whose call evicted, after the cache is unlocked again and before that call returns. So
    /// it may use the cache, through a `Weak`: in an `Arc`, the cache would own itself and never be dropped. If it panics, it
    /// is still told of the other victims, and the first panic then goes on to the caller. Setting it again replaces it.
    ///
    /// ```
    /// use aws_client_cache::ClientCache;
    ///
    /// let cache = ClientCache::builder()
    ///     .on_evict(|evicted, cause| eprintln!("{} left: {cause:?}", evicted.key))
    ///     .build();
    /// ```
    pub fn on_evict(mut self, listener: impl Fn(&Evicted, EvictionCause) + Send + Sync + 'static) -> Self {
        self.on_evict = Listener::new(listener);
        self
    }

    /// The clock that static credentials expire by (E5); the system's, if none is set.
    ///
    /// It is read for keys only whose credentials ever expire, once an operation, and once at each step of a creation;
    /// and by [`remove_expired`](ClientCache::remove_expired).
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use aws_client_cache::{ClientCache, TimeSource};
    ///
    /// #[derive(Debug)]
    /// struct EndOfTheEpoch;
    ///
    /// impl TimeSource for EndOfTheEpoch {
    ///     fn now(&self) -> SystemTime {
    ///         SystemTime::UNIX_EPOCH
    ///     }
    /// }
    ///
    /// let cache = ClientCache::builder().time_source(EndOfTheEpoch).build();
    /// ```
    pub fn time_source(mut self, time_source: impl TimeSource + 'static) -> Self {
        self.time_source = SharedTimeSource::new(time_source);
        self
    }

    /// Makes the cache, empty.
    ///
    /// The type shows an example.
    pub fn build(self) -> ClientCache {
        let entries = EvictingMap::with_hasher(self.config.policy, self.config.max_size, BuildIdentityHasher);
        ClientCache::with(entries, self.on_evict, self.time_source)
    }
}
