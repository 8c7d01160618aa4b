//! The cache of clients: the engine behind a lock.

mod cache_builder;
mod config;
mod get_or_create;
mod identity_hasher;
mod in_flight;
mod listener;
mod remove;
#[cfg(feature = "__internals")]
mod schedule;
mod snapshot;
mod state;
mod stats;
#[cfg(feature = "tracing")]
mod trace;
#[cfg(not(feature = "tracing"))]
#[path = "untraced.rs"]
mod trace;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::SystemTime;

use aws_smithy_async::time::SharedTimeSource;
use parking_lot::{Mutex, MutexGuard};

use crate::client::{AnyClient, contradicting_region};
use crate::error::ClientCacheError;
use crate::key::{AnyKey, CacheKey, ClientCacheKey};
use crate::map::EvictionPolicy;
use crate::service::Service;

pub use cache_builder::ClientCacheBuilder;
pub use config::ClientCacheConfig;
use listener::Listener;
pub use listener::{Evicted, EvictionCause};
pub use snapshot::{Clients, Items, Keys, Values};
use state::{Entries, State};
pub use stats::Stats;

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
    state: Mutex<State>,
    on_evict: Listener,
    /// E5: read before locking, since it is a caller's code.
    time_source: SharedTimeSource,
}

impl ClientCache {
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
        Self::builder().policy(policy).max_size(max_size).build()
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

    fn with(entries: Entries, on_evict: Listener, time_source: SharedTimeSource) -> Self {
        Self { state: Mutex::new(State::new(entries)), on_evict, time_source }
    }

    /// Locks the state. After a panic in a caller's code it is as it was, or as it should be (P1), so the lock is one that a
    /// panic does not poison; and one that spins for a while, for it is never held for long.
    #[inline]
    fn lock(&self) -> MutexGuard<'_, State> {
        #[cfg(feature = "__internals")]
        schedule::point();
        self.state.lock()
    }

    /// E1: whether the credentials that a key stands for have expired. The clock is read only for a key that ever does.
    #[inline]
    fn is_expired(&self, key: &AnyKey) -> bool {
        key.expiry().is_some_and(|expiry| self.is_past(expiry))
    }

    /// Out of the way of the keys that never expire.
    #[cold]
    fn is_past(&self, expiry: SystemTime) -> bool {
        expiry <= self.time_source.now()
    }

    /// E3: what a use of an expired key does: its entry goes, and it is a miss. Whether there was one.
    #[cold]
    fn miss_expired(&self, key: &AnyKey) -> bool {
        let expired = self.lock().miss_expired(key);
        self.notify_expired(expired)
    }

    /// Whether there was one.
    fn notify_expired(&self, expired: Option<(AnyKey, AnyClient)>) -> bool {
        let expired = expired.map(Evicted::new);
        self.on_evict.notify(expired.as_slice(), EvictionCause::Expired);
        expired.is_some()
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
    /// * [`ClientCacheError::CredentialsExpired`], if the key's static credentials have (E2).
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
        let victim = self.try_insert(key, client).inspect_err(trace::refused)?.map(Evicted::new);
        self.on_evict.notify(victim.as_slice(), EvictionCause::Capacity);
        Ok(victim)
    }

    fn try_insert<S: Service>(
        &self,
        key: ClientCacheKey<S>,
        client: S::Client,
    ) -> Result<Option<(AnyKey, AnyClient)>, ClientCacheError> {
        check_region(&key, &client)?;
        let (key, client) = (AnyKey::from(key), AnyClient::new::<S>(client));
        if self.is_expired(&key) {
            return Err(ClientCacheError::CredentialsExpired { key });
        }
        // If comparing keys panics, these are what is dropped last, after the lock is released.
        let (key_inside, client_inside) = (key.clone(), client.clone());
        let inserted = self.lock().insert(key_inside, client_inside);
        inserted.map_err(|_| ClientCacheError::AlreadyExists { key })
    }

    /// The client under a key, which counts as one use of it (D4). A miss is `None`, and changes nothing; but an entry
    /// whose static credentials have expired is removed, which the listener is told, and is a miss (E3).
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
    #[inline]
    pub fn get<K: CacheKey>(&self, key: &K) -> Option<K::Client> {
        if self.is_expired(key.as_any()) {
            self.miss_expired(key.as_any());
            return None;
        }
        self.look_up(key)
    }

    /// A use of a key that has not expired.
    #[inline]
    fn look_up<K: CacheKey>(&self, key: &K) -> Option<K::Client> {
        self.lock().look_up(key.as_any()).and_then(K::client)
    }

    /// The client under a key, which counts as one use of it (D4).
    ///
    /// A hit allocates nothing.
    ///
    /// # Errors
    ///
    /// * [`ClientCacheError::NotFound`], if the key is absent; nothing has changed.
    /// * [`ClientCacheError::CredentialsExpired`], if the static credentials of the entry have; it has been removed, and
    ///   the listener told (E3).
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
        if self.is_expired(key.as_any()) {
            let key = key.as_any();
            return Err(if self.miss_expired(key) { expired(key) } else { not_found(key) });
        }
        self.look_up(key).ok_or_else(|| not_found(key))
    }

    /// The client under a key, without counting a use (D5). One whose static credentials have expired is not shown, and
    /// not removed either (E4).
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
        if self.is_expired(key.as_any()) {
            return None;
        }
        self.lock().entries().peek(key.as_any()).and_then(K::client)
    }

    /// Whether a key is present, without counting a use (D5), and its static credentials have not expired (E4).
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
        !self.is_expired(key.as_any()) && self.lock().entries().contains_key(key.as_any())
    }

    /// The number of clients (D5).
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// assert_eq!(ClientCache::default().len(), 0);
    /// ```
    pub fn len(&self) -> usize {
        self.lock().entries().len()
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
        self.lock().entries().max_size()
    }

    /// What has happened so far, counted (O1 to O3): all of it at one moment.
    ///
    /// Counting costs a hit one addition under the lock that it has anyway.
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientParams, S3};
    ///
    /// let cache = ClientCache::default();
    /// cache.get(&ClientParams::<S3>::builder().region("us-west-2").build()?.key());
    /// let stats = cache.stats();
    /// assert_eq!((stats.hits, stats.misses), (0, 1));
    /// assert_eq!(stats.hit_ratio(), Some(0.0));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn stats(&self) -> Stats {
        self.lock().stats()
    }

    /// The policy that it evicts by.
    ///
    /// ```
    /// # use aws_client_cache::{ClientCache, EvictionPolicy};
    /// assert_eq!(ClientCache::default().policy(), EvictionPolicy::Lru);
    /// ```
    pub fn policy(&self) -> EvictionPolicy {
        self.lock().entries().policy()
    }

    /// An independent copy: the same policy, `max_size`, order, use counts and clock, and clones of the clients, but no
    /// listener, and none of the creations in flight (D8). Linear.
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
        let entries = self.lock().entries().clone();
        Self::with(entries, Listener::default(), self.time_source.clone())
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
        let entries = self.lock().entries().clone();
        Self::with(entries, Listener::default(), self.time_source.clone())
    }

    /// The engine's layout, as [`EvictingMap::layout`] shows it.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    pub fn layout(&self, name: impl Fn(&AnyKey) -> u64, index: bool) -> Vec<u64> {
        self.lock().entries().layout(name, index)
    }
}

fn not_found(key: &impl CacheKey) -> ClientCacheError {
    let key = key.as_any().clone();
    ClientCacheError::NotFound { key }
}

fn expired(key: &impl CacheKey) -> ClientCacheError {
    let key = key.as_any().clone();
    ClientCacheError::CredentialsExpired { key }
}

/// K6
fn check_region<S: Service>(key: &ClientCacheKey<S>, client: &S::Client) -> Result<(), ClientCacheError> {
    match contradicting_region::<S>(key.region(), client) {
        Some(found) => Err(ClientCacheError::ClientMismatch { key: key.clone().into(), found: found.clone() }),
        None => Ok(()),
    }
}

impl Default for ClientCache {
    /// LRU and 10 (D1).
    fn default() -> Self {
        Self::builder().build()
    }
}

/// One line for the cache, and one an entry, in eviction order. No secrets (K4).
impl fmt::Display for ClientCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (policy, max_size, keys) = {
            let state = self.lock();
            let entries = state.entries();
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
