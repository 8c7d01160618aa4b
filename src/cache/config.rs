//! How large a cache is and what it evicts, as data.

use crate::map::{DEFAULT_MAX_SIZE, EvictionPolicy};

/// What of a [`ClientCache`](crate::ClientCache) is data: all but what is code, as the listener and the clock are.
///
/// With the feature `serde`, a part of a service's configuration file. What is left out has its default; what is not
/// known is an error.
///
/// ```
/// use aws_client_cache::{ClientCache, ClientCacheConfig, EvictionPolicy};
///
/// # #[cfg(feature = "serde")] {
/// let config: ClientCacheConfig = serde_json::from_str(r#"{ "policy": "LFU", "max_size": 30 }"#)?;
/// let cache = ClientCache::builder().config(config).build();
/// assert_eq!((cache.policy(), cache.max_size()), (EvictionPolicy::Lfu, 30));
/// # }
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct ClientCacheConfig {
    /// Which client goes first: `"LRU"` or `"LFU"`. The default is LRU (D1).
    pub policy: EvictionPolicy,
    /// The most clients that the cache holds. The default is 10 (D1).
    pub max_size: usize,
}

impl Default for ClientCacheConfig {
    /// LRU and 10 (D1).
    fn default() -> Self {
        Self { policy: EvictionPolicy::Lru, max_size: DEFAULT_MAX_SIZE }
    }
}
