//! The cache of clients: the engine behind a lock.

mod builder;
mod evicted;
mod prehashed;
#[cfg(feature = "__internals")]
mod schedule;
mod snapshot;

use std::fmt;
use std::iter::Rev;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::client::{AnyClient, contradicting_region};
use crate::error::ClientCacheError;
use crate::key::{AnyKey, CacheKey, ClientCacheKey};
use crate::map::{EvictingMap, EvictionPolicy};
use crate::service::Service;

pub use builder::ClientCacheBuilder;
use evicted::Listener;
pub use evicted::{Evicted, EvictionCause};
use prehashed::Prehashed;
pub use snapshot::{Items, Keys, Values};

type Entries = EvictingMap<AnyKey, AnyClient, Prehashed>;

/// A bounded, thread-safe, dict-like cache of AWS clients, of any mix of services.
///
/// Share it by reference or in an `Arc`. Every operation is atomic, under one lock (C1), and takes constant time unless
/// it says otherwise. Keys are compared and clients are cloned inside the lock; clients are dropped, and the listener is
/// called, outside of it, so both may call the cache again (C2). A panic in any of them loses no other entry and
/// poisons nothing (P1). The rules in parentheses are those of the specification.
///
/// ```
/// use aws_client_cache::{ClientCache, ClientCacheError, ClientParams, EvictionPolicy, SdkConfig, S3};
///
/// # async fn example(sdk_config: &SdkConfig) -> Result<(), ClientCacheError> {
/// // an LRU client cache with a maximum size of 30
/// let cache = ClientCache::new(EvictionPolicy::Lru, 30);
/// // client parameters in an object
/// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
/// // a cache key from those parameters
/// let key = params.key();
/// // the assignment
/// cache.insert(key.clone(), params.client(sdk_config).await?)?;
/// // retrieval, the error on a miss being ClientCacheError::NotFound
/// let s3: aws_sdk_s3::Client = cache.try_get(&key)?;
/// # Ok(())
/// # }
/// ```
///
/// A key finds a client of its own service, and nothing else is a key:
///
/// ```compile_fail,E0277
/// # use aws_client_cache::ClientCache;
/// ClientCache::default().try_get("not a key");
/// ```
///
/// ```compile_fail,E0308
/// # use aws_client_cache::{ClientCache, ClientCacheKey, S3};
/// # fn example(cache: ClientCache, key: ClientCacheKey<S3>) {
/// cache.insert(key, "not a client");
/// # }
/// ```
///
/// ```compile_fail,E0308
/// # use aws_client_cache::{ClientCache, ClientCacheKey, Service};
/// fn example<A: Service, B: Service>(cache: ClientCache, key: ClientCacheKey<A>, client: B::Client) {
///     cache.insert(key, client);
/// }
/// ```
///
/// Nothing overwrites silently (D11): there is no `Extend`, no `FromIterator`, and neither `|` nor `|=`.
///
/// ```compile_fail,E0277
/// # use aws_client_cache::ClientCache;
/// let mut cache = ClientCache::default();
/// cache.extend(ClientCache::default().items());
/// ```
///
/// ```compile_fail,E0277
/// # use aws_client_cache::ClientCache;
/// let cache: ClientCache = ClientCache::default().items().collect();
/// ```
///
/// ```compile_fail,E0369
/// # use aws_client_cache::ClientCache;
/// let both = ClientCache::default() | ClientCache::default();
/// ```
///
/// ```compile_fail,E0368
/// # use aws_client_cache::ClientCache;
/// let mut cache = ClientCache::default();
/// cache |= ClientCache::default();
/// ```
pub struct ClientCache {
    entries: Mutex<Entries>,
    on_evict: Listener,
}

impl ClientCache {
    const DEFAULT_MAX_SIZE: usize = 10;

    /// Makes an empty cache that holds at most `max_size` clients (D1) and evicts by `policy`.
    ///
    /// A `max_size` of 0 is allowed, and holds none. No memory is taken up front.
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, EvictionPolicy};
    ///
    /// let cache = ClientCache::new("LFU".parse()?, 30);
    /// assert_eq!(cache.policy(), EvictionPolicy::Lfu);
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn new(policy: EvictionPolicy, max_size: usize) -> Self {
        Self::with(policy, max_size, Listener::default())
    }

    /// Begins with the default, LRU and 10 (D1), to set more than [`new`](Self::new) takes.
    ///
    /// ```
    /// use aws_client_cache::ClientCache;
    ///
    /// let cache = ClientCache::builder().max_size(30).on_evict(|evicted, _| println!("{}", evicted.key)).build();
    /// ```
    pub fn builder() -> ClientCacheBuilder {
        ClientCacheBuilder::new()
    }

    fn with(policy: EvictionPolicy, max_size: usize, on_evict: Listener) -> Self {
        Self { entries: Mutex::new(EvictingMap::with_hasher(policy, max_size, Prehashed)), on_evict }
    }

    /// Locks the entries. After a panic in a caller's code they are as they were, or as they should be (P1), so a
    /// poisoned lock is entered all the same.
    fn lock(&self) -> MutexGuard<'_, Entries> {
        #[cfg(feature = "__internals")]
        schedule::point();
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Inserts a client under an absent key (D2), as its first use. A full cache evicts one victim to make room, tells the
    /// listener and returns it: never the newcomer, except that at `max_size` 0 the newcomer itself comes back.
    ///
    /// # Errors
    ///
    /// In this order (K8), and nothing has changed then; the refused client is dropped:
    ///
    /// * [`ClientCacheError::ClientMismatch`], if the key names a region and the client is for another (K6). Nothing else
    ///   can be read back from a client. That it was made by the key's parameters, from the base configuration that the key's
    ///   other clients are made from, is up to the caller.
    /// * [`ClientCacheError::AlreadyExists`], if the key is present (D3): nothing is replaced, and no use is counted.
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientCacheError, ClientParams, S3};
    /// # use aws_client_cache::SdkConfig;
    ///
    /// # async fn example(sdk_config: &SdkConfig) -> Result<(), ClientCacheError> {
    /// let cache = ClientCache::default();
    /// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
    /// cache.insert(params.key(), params.client(sdk_config).await?)?;
    ///
    /// let again = cache.insert(params.key(), params.client(sdk_config).await?);
    /// assert!(matches!(again, Err(ClientCacheError::AlreadyExists { .. })));
    /// # Ok(())
    /// # }
    /// ```
    pub fn insert<S: Service>(
        &self,
        key: ClientCacheKey<S>,
        client: S::Client,
    ) -> Result<Option<Evicted>, ClientCacheError> {
        if let Some(found) = contradicting_region::<S>(key.region(), &client) {
            let found = found.clone();
            return Err(ClientCacheError::ClientMismatch { key: key.into(), found });
        }
        let (key, client) = (AnyKey::from(key), AnyClient::new::<S>(client));
        // If comparing keys panics, these are what is dropped last, after the lock is released.
        let (key_inside, client_inside) = (key.clone(), client.clone());
        let inserted = self.lock().insert(key_inside, client_inside);
        match inserted {
            Ok(victim) => {
                let victim = victim.map(Evicted::new);
                self.on_evict.tell(victim.as_slice(), EvictionCause::Capacity);
                Ok(victim)
            }
            Err(_) => Err(ClientCacheError::AlreadyExists { key }),
        }
    }

    /// The client under a key, which counts as one use of it (D4). A miss is `None`, and changes nothing.
    ///
    /// A hit allocates nothing.
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientParams, S3};
    ///
    /// let cache = ClientCache::default();
    /// let key = ClientParams::<S3>::builder().region("us-west-2").build()?.key();
    /// assert!(cache.get(&key).is_none());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn get<K: CacheKey>(&self, key: &K) -> Option<K::Client> {
        self.lock().get(key.as_any()).and_then(K::client)
    }

    /// The client under a key, which counts as one use of it (D4).
    ///
    /// A hit allocates nothing.
    ///
    /// # Errors
    ///
    /// [`ClientCacheError::NotFound`], if the key is absent; nothing has changed.
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientCacheError, ClientParams, S3};
    ///
    /// let cache = ClientCache::default();
    /// let key = ClientParams::<S3>::builder().region("us-west-2").build()?.key();
    /// assert!(matches!(cache.try_get(&key), Err(ClientCacheError::NotFound { .. })));
    /// # Ok::<(), ClientCacheError>(())
    /// ```
    pub fn try_get<K: CacheKey>(&self, key: &K) -> Result<K::Client, ClientCacheError> {
        self.get(key).ok_or_else(|| not_found(key))
    }

    /// The client under a key, without counting a use (D5).
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientParams, S3};
    ///
    /// let cache = ClientCache::default();
    /// let key = ClientParams::<S3>::builder().region("us-west-2").build()?.key();
    /// assert!(cache.peek(&key).is_none());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn peek<K: CacheKey>(&self, key: &K) -> Option<K::Client> {
        self.lock().peek(key.as_any()).and_then(K::client)
    }

    /// Whether a key is present, without counting a use (D5).
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientParams, S3};
    ///
    /// let cache = ClientCache::default();
    /// let key = ClientParams::<S3>::builder().region("us-west-2").build()?.key();
    /// assert!(!cache.contains_key(&key));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn contains_key(&self, key: &impl CacheKey) -> bool {
        self.lock().contains_key(key.as_any())
    }

    /// Removes a client and returns it (D6). The listener is not told.
    ///
    /// # Errors
    ///
    /// [`ClientCacheError::NotFound`], if the key is absent.
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientCacheError, ClientParams, S3};
    ///
    /// let cache = ClientCache::default();
    /// let key = ClientParams::<S3>::builder().region("us-west-2").build()?.key();
    /// assert!(matches!(cache.remove(&key), Err(ClientCacheError::NotFound { .. })));
    /// # Ok::<(), ClientCacheError>(())
    /// ```
    pub fn remove<K: CacheKey>(&self, key: &K) -> Result<K::Client, ClientCacheError> {
        let removed = self.lock().remove_entry(key.as_any());
        let client = removed.as_ref().and_then(|(_, client)| K::client(client));
        drop(removed); // here, and not on return: the client would leak if this panicked then
        client.ok_or_else(|| not_found(key))
    }

    /// Removes the next victim and returns it (D6). The listener is not told.
    ///
    /// # Errors
    ///
    /// [`ClientCacheError::Empty`], if there is none.
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientCacheError};
    ///
    /// assert!(matches!(ClientCache::default().pop_item(), Err(ClientCacheError::Empty)));
    /// ```
    pub fn pop_item(&self) -> Result<(AnyKey, AnyClient), ClientCacheError> {
        self.lock().pop().ok_or(ClientCacheError::Empty)
    }

    /// Removes every client. Linear, for dropping them. The listener is not told.
    ///
    /// ```
    /// use aws_client_cache::ClientCache;
    ///
    /// let cache = ClientCache::default();
    /// cache.clear();
    /// assert!(cache.is_empty());
    /// ```
    pub fn clear(&self) {
        let entries = self.lock().take();
        drop(entries);
    }

    /// The number of clients (D5).
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// assert_eq!(ClientCache::default().len(), 0);
    /// ```
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is no client (D5).
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// assert!(ClientCache::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The most clients that it holds (D1).
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// assert_eq!(ClientCache::default().max_size(), 10);
    /// ```
    pub fn max_size(&self) -> usize {
        self.lock().max_size()
    }

    /// Changes `max_size`. If more clients are there, evicts in order until the rest fits, tells the listener and returns
    /// them in that order (D9). Linear in what goes.
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// let cache = ClientCache::default();
    /// assert!(cache.set_max_size(5).is_empty());
    /// assert_eq!(cache.max_size(), 5);
    /// ```
    pub fn set_max_size(&self, max_size: usize) -> Vec<Evicted> {
        let victims = self.lock().set_max_size(max_size);
        let victims: Vec<_> = victims.into_iter().map(Evicted::new).collect();
        self.on_evict.tell(&victims, EvictionCause::Shrunk);
        victims
    }

    /// The policy that it evicts by.
    ///
    /// ```
    /// # use aws_client_cache::{ClientCache, EvictionPolicy};
    /// assert_eq!(ClientCache::default().policy(), EvictionPolicy::Lru);
    /// ```
    pub fn policy(&self) -> EvictionPolicy {
        self.lock().policy()
    }

    /// The keys as they are now, in eviction order, next victim first (D7). Linear; counts no use (D5).
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// # let cache = ClientCache::default();
    /// for key in cache.keys() {
    ///     println!("{key}");
    /// }
    /// let last_to_go = cache.keys().next_back();
    /// ```
    pub fn keys(&self) -> Keys {
        Keys::new(self.lock().keys().cloned().collect())
    }

    /// The clients as they are now, in eviction order, next victim first (D7). Linear; counts no use (D5).
    ///
    /// ```
    /// # use aws_client_cache::{ClientCache, S3};
    /// # let cache = ClientCache::default();
    /// let s3_clients = cache.values().filter_map(|client| client.downcast::<S3>().ok());
    /// ```
    pub fn values(&self) -> Values {
        Values::new(self.lock().values().cloned().collect())
    }

    /// The keys and clients as they are now, in eviction order, next victim first (D7). Linear; counts no use (D5).
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// # let cache = ClientCache::default();
    /// for (key, client) in cache.items() {
    ///     println!("{key} is a client of {}", client.service_name());
    /// }
    /// ```
    pub fn items(&self) -> Items {
        let entries = self.lock();
        Items::new(entries.iter().map(|(key, client)| (key.clone(), client.clone())).collect())
    }

    /// The same as [`items`](Self::items), as a map's `iter` is in Rust.
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// # let cache = ClientCache::default();
    /// assert_eq!(cache.iter().len(), (&cache).into_iter().len());
    /// ```
    pub fn iter(&self) -> Items {
        self.items()
    }

    /// The keys and clients as they are now, the last one to go first (D7). Linear; counts no use (D5).
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// # let cache = ClientCache::default();
    /// let most_recently_used = cache.reversed().next();
    /// ```
    pub fn reversed(&self) -> Rev<Items> {
        self.items().rev()
    }

    /// An independent copy: the same policy, `max_size`, order and use counts, and clones of the clients, but no listener
    /// (D8). Linear.
    ///
    /// There is no `Clone`, which would look like a shared handle; to share a cache, put it in an `Arc`.
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// let cache = ClientCache::default();
    /// let copy = cache.copy();
    /// copy.set_max_size(5);
    /// assert_eq!(cache.max_size(), 10);
    /// ```
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { entries: Mutex::new(self.lock().clone()), on_evict: Listener::default() }
    }

    /// Verifies every invariant of the structure, and says which one is broken.
    #[doc(hidden)]
    #[cfg(any(test, feature = "__internals"))]
    pub fn check(&self) -> Result<(), String> {
        self.lock().check()
    }

    /// Has this thread call `point` before each locking of any cache, so that a scheduler may let another one come first.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    pub fn schedule_at(point: fn()) {
        schedule::at(point);
    }

    /// An exact copy, down to the layout, without the listener.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { entries: Mutex::new(self.lock().fork()), on_evict: Listener::default() }
    }

    /// The engine's layout, as [`EvictingMap::layout`] shows it.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    pub fn layout(&self, name: impl Fn(&AnyKey) -> u64, index: bool) -> Vec<u64> {
        self.lock().layout(name, index)
    }
}

fn not_found(key: &impl CacheKey) -> ClientCacheError {
    let key = key.as_any().clone();
    ClientCacheError::NotFound { key }
}

impl Default for ClientCache {
    /// LRU and 10 (D1).
    fn default() -> Self {
        Self::builder().build()
    }
}

impl IntoIterator for &ClientCache {
    type Item = (AnyKey, AnyClient);
    type IntoIter = Items;

    fn into_iter(self) -> Items {
        self.items()
    }
}

/// One line for the cache, and one an entry, in eviction order. No secrets (K4).
impl fmt::Display for ClientCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (policy, max_size, keys) = {
            let entries = self.lock();
            (entries.policy(), entries.max_size(), entries.keys().cloned().collect::<Vec<_>>())
        };
        write!(f, "ClientCache({policy}, {} of {max_size})", keys.len())?;
        keys.iter().try_for_each(|key| write!(f, "\n  {key}"))
    }
}

/// The same as [`Display`](fmt::Display).
impl fmt::Debug for ClientCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// A panic leaves it intact (P1).
impl UnwindSafe for ClientCache {}
impl RefUnwindSafe for ClientCache {}
