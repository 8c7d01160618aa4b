//! [`ClientCache`]: the engine behind a lock, with expiry, statistics and single-flight creation.

mod cache_builder;
mod get_or_create;
mod get_or_create_shared;
mod identity_hasher;
mod in_flight;
mod listener;
mod removals;
mod retain;
#[cfg(feature = "__internals")]
mod schedule;
mod snapshot;
mod state;
mod stats;
#[cfg(feature = "tracing")]
mod trace;
#[cfg(not(feature = "tracing"))]
mod untraced;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::SystemTime;

use aws_smithy_async::time::SharedTimeSource;
use parking_lot::{Mutex, MutexGuard};

use crate::client::{AnyClient, contradicting_region};
use crate::error::{ClientCacheError, InsertError};
use crate::key::{AnyKey, CacheKey, ClientCacheKey};
use crate::map::EvictionPolicy;
use crate::service::Service;

pub use cache_builder::{ClientCacheBuilder, ClientCacheConfig};
use listener::Listener;
pub use listener::{Evicted, EvictionCause};
pub use snapshot::{Clients, Drain, IntoIter, Items, Iter, Keys, Values};
use state::{Entries, State};
pub use stats::Stats;
#[cfg(not(feature = "tracing"))]
use untraced as trace;

// Proves D11: the examples of operations that would replace a client.
/// A bounded, thread-safe, dict-like cache of AWS clients, of any mix of services.
///
/// Share a cache by reference or in an `Arc`. Every operation is atomic, under one lock, and O(1) unless its documentation
/// says otherwise.
///
/// The cache compares keys and clones clients while it holds its lock. It drops clients and calls the listener after it
/// has released the lock, so both may call the cache. A panic in such code loses no other entry and poisons nothing.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{ClientCache, ClientCacheError, ClientParams};
/// use aws_client_cache::{EvictionPolicy, S3, SdkConfig};
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
/// A key finds only clients of its own service, and nothing else is a key:
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
/// fn example<A, B>(cache: ClientCache, key: ClientCacheKey<A>, client: B::Client)
/// where
///     A: Service,
///     B: Service,
/// {
///     cache.insert(key, client);
/// }
/// ```
///
/// No operation silently replaces a client: there is no `Extend`, no `FromIterator`, and neither `|` nor `|=`.
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
    // D11: it implements no trait that could replace a client.
    state: Mutex<State>,
    on_evict: Listener,
    /// The clock by which credentials expire.
    // E5: it may be a caller's code, so it is read before locking.
    time_source: SharedTimeSource,
}

impl ClientCache {
    /// Creates an empty cache that holds at most `max_size` clients and evicts by `policy`.
    ///
    /// With a `max_size` of 0 it holds none. It allocates no memory up front.
    ///
    /// # Examples
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

    /// Returns a builder, which sets more than [`new`](Self::new) takes.
    ///
    /// The default is LRU with a `max_size` of 10.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::ClientCache;
    ///
    /// let cache = ClientCache::builder()
    ///     .max_size(30)
    ///     .on_evict(|evicted, _| println!("{}", evicted.key))
    ///     .build();
    /// ```
    pub fn builder() -> ClientCacheBuilder {
        ClientCacheBuilder::new()
    }

    fn with(entries: Entries, on_evict: Listener, time_source: SharedTimeSource) -> Self {
        Self { state: Mutex::new(State::new(entries)), on_evict, time_source }
    }

    /// Locks the state.
    ///
    /// `parking_lot`'s mutexes spin before they sleep, which suits a lock that is never held for long.
    // C1: every operation changes the state in one locking.
    // P1: the lock is not poisoned, because a panic in a caller's code leaves the state consistent.
    #[inline]
    fn lock(&self) -> MutexGuard<'_, State> {
        #[cfg(feature = "__internals")]
        schedule::point();
        self.state.lock()
    }

    /// Returns `true` if the static credentials of the key have expired.
    ///
    /// Reads the clock only if they ever do.
    // E1
    #[inline]
    fn is_expired(&self, key: &AnyKey) -> bool {
        key.expiry().is_some_and(|expiry| self.is_past(expiry))
    }

    /// The rest of [`is_expired`](Self::is_expired), out of line for keys that never expire.
    #[cold]
    fn is_past(&self, expiry: SystemTime) -> bool {
        expiry <= self.time_source.now()
    }

    /// Removes an expired entry and counts a miss.
    ///
    /// Returns `true` if there was an entry.
    // E3
    #[cold]
    fn miss_expired(&self, key: &AnyKey) -> bool {
        let expired = self.lock().miss_expired(key);
        self.notify_expired(expired)
    }

    /// Notifies the listener.
    ///
    /// Returns `true` if an entry had expired.
    fn notify_expired(&self, expired: Option<(AnyKey, AnyClient)>) -> bool {
        let expired = expired.map(Evicted::new);
        self.on_evict.notify(expired.as_slice(), EvictionCause::Expired);
        expired.is_some()
    }

    /// Inserts a client under an absent key, which counts as its first use.
    ///
    /// A full cache evicts the next victim, notifies the listener and returns the victim. The new client is never its own
    /// victim, except at a `max_size` of 0, where it is returned at once.
    ///
    /// # Errors
    ///
    /// Returns [`InsertError`], with the refused key and client, and with the first reason that applies. The cache is
    /// unchanged:
    ///
    /// * [`ClientCacheError::ClientMismatch`] if the key names a region and the client is configured for another one. Only
    ///   the region can be read from a client. The caller ensures that the client was created from the key's parameters, and
    ///   from the same base configuration as the other clients of the key.
    /// * [`ClientCacheError::CredentialsExpired`] if the key's static credentials have expired.
    /// * [`ClientCacheError::AlreadyExists`] if the key is present. This does not count as a use.
    ///
    /// # Examples
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
    /// let again = params.client(sdk_config).await?;
    /// let refused = cache.insert(params.key(), again).unwrap_err();
    /// assert!(matches!(refused.error, ClientCacheError::AlreadyExists { .. }));
    /// let again: aws_sdk_s3::Client = refused.client;
    /// # Ok(())
    /// # }
    /// ```
    pub fn insert<S: Service>(
        &self,
        key: ClientCacheKey<S>,
        client: S::Client,
    ) -> Result<Option<Evicted>, InsertError<S>> {
        let inserted = self.try_insert(key, client).inspect_err(|refused| trace::refused(&refused.error));
        let victim = inserted?.map(Evicted::new);
        // C2: the cache is unlocked when callers' code runs.
        self.on_evict.notify(victim.as_slice(), EvictionCause::Capacity);
        Ok(victim)
    }

    fn try_insert<S: Service>(
        &self,
        key: ClientCacheKey<S>,
        client: S::Client,
    ) -> Result<Option<(AnyKey, AnyClient)>, InsertError<S>> {
        // K8: the order of these errors.
        if let Err(error) = check_region(&key, &client) {
            return Err(InsertError { error, key, client });
        }
        if self.is_expired(key.as_any()) {
            return Err(InsertError { error: expired(&key), key, client }); // E2
        }
        // If comparing keys panics, `key` and `client` are dropped last, after the lock has been released.
        let client = AnyClient::new::<S>(client);
        let (key_inside, client_inside) = (key.as_any().clone(), client.clone());
        let inserted = self.lock().insert(key_inside, client_inside); // D2
        inserted.map_err(|refused| {
            drop(refused);
            let client = client.into_inner::<S>().expect("the other handle was refused");
            InsertError { error: ClientCacheError::AlreadyExists { key: key.as_any().clone() }, key, client } // D3
        })
    }

    /// Returns the client under a key, or `None` if the key is absent.
    ///
    /// A hit counts as a use and allocates nothing. An entry whose static credentials have expired is a miss: it is
    /// removed, and the listener is notified.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientParams, S3};
    ///
    /// let cache = ClientCache::default();
    /// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
    /// assert!(cache.get(&params.key()).is_none());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    #[inline]
    pub fn get<K: CacheKey>(&self, key: &K) -> Option<K::Client> {
        if self.is_expired(key.as_any()) {
            self.miss_expired(key.as_any());
            return None;
        }
        self.lookup(key)
    }

    /// Returns the client under a key that has not expired, and counts a use.
    // D4
    #[inline]
    fn lookup<K: CacheKey>(&self, key: &K) -> Option<K::Client> {
        self.lock().lookup(key.as_any()).and_then(K::client)
    }

    /// Returns the client under a key, or an error if the key is absent.
    ///
    /// A hit counts as a use and allocates nothing.
    ///
    /// # Errors
    ///
    /// * [`ClientCacheError::NotFound`] if the key is absent. The cache is unchanged.
    /// * [`ClientCacheError::CredentialsExpired`] if the entry's static credentials have expired. The entry has been
    ///   removed, and the listener notified.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientCacheError, ClientParams, S3};
    ///
    /// let cache = ClientCache::default();
    /// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
    /// assert!(matches!(
    ///     cache.try_get(&params.key()),
    ///     Err(ClientCacheError::NotFound { .. }),
    /// ));
    /// # Ok::<(), ClientCacheError>(())
    /// ```
    pub fn try_get<K: CacheKey>(&self, key: &K) -> Result<K::Client, ClientCacheError> {
        if self.is_expired(key.as_any()) {
            let key = key.as_any();
            return Err(if self.miss_expired(key) { expired(key) } else { not_found(key) });
        }
        self.lookup(key).ok_or_else(|| not_found(key))
    }

    /// Returns the client under a key without counting a use.
    ///
    /// Returns `None` if the entry's static credentials have expired, but does not remove the entry.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientParams, S3};
    ///
    /// let cache = ClientCache::default();
    /// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
    /// assert!(cache.peek(&params.key()).is_none());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn peek<K: CacheKey>(&self, key: &K) -> Option<K::Client> {
        if self.is_expired(key.as_any()) {
            return None; // E4
        }
        self.lock().entries().peek(key.as_any()).and_then(K::client) // D5
    }

    /// Returns `true` if a key is present and has not expired, without counting a use.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientParams, S3};
    ///
    /// let cache = ClientCache::default();
    /// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
    /// assert!(!cache.contains_key(&params.key()));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn contains_key(&self, key: &impl CacheKey) -> bool {
        !self.is_expired(key.as_any()) && self.lock().entries().contains_key(key.as_any())
    }

    /// Returns the number of clients.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// assert_eq!(ClientCache::default().len(), 0);
    /// ```
    pub fn len(&self) -> usize {
        self.lock().entries().len()
    }

    /// Returns `true` if the cache contains no clients.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// assert!(ClientCache::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the maximum number of clients.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// assert_eq!(ClientCache::default().max_size(), 10);
    /// ```
    pub fn max_size(&self) -> usize {
        self.lock().entries().max_size()
    }

    /// Returns a consistent snapshot of the counters.
    ///
    /// Counting costs a hit one addition under the lock that it holds anyway.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientParams, S3};
    ///
    /// let cache = ClientCache::default();
    /// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
    /// cache.get(&params.key());
    /// let stats = cache.stats();
    /// assert_eq!((stats.hits, stats.misses), (0, 1));
    /// assert_eq!(stats.hit_ratio(), Some(0.0));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn stats(&self) -> Stats {
        self.lock().stats()
    }

    /// Returns the eviction policy.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientCache, EvictionPolicy};
    /// let cache = ClientCache::default();
    /// assert_eq!(cache.policy(), EvictionPolicy::Lru);
    /// ```
    pub fn policy(&self) -> EvictionPolicy {
        self.lock().entries().policy()
    }

    /// Returns an independent copy of the cache, in O(n).
    ///
    /// The copy has the same policy, `max_size`, eviction order, use counts and clock, and clones of the clients. It has no
    /// listener, and none of the creations in flight.
    ///
    /// There is no `Clone`, because it would look like a shared handle. To share a cache, put it in an `Arc`.
    ///
    /// # Examples
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
        let entries = self.lock().entries().clone(); // D8
        Self::with(entries, Listener::default(), self.time_source.clone())
    }

    /// Checks every invariant of the structure, and describes the first that is broken.
    #[doc(hidden)]
    #[cfg(any(test, feature = "__internals"))]
    pub fn check(&self) -> Result<(), String> {
        self.lock().check()
    }

    /// Sets a function that this thread calls before it locks any cache.
    ///
    /// A scheduler can switch threads there.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    pub fn schedule_at(point: fn()) {
        schedule::at(point);
    }

    /// Returns an exact copy, including the layout, without the listener.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    #[must_use]
    pub fn fork(&self) -> Self {
        let entries = self.lock().entries().clone();
        Self::with(entries, Listener::default(), self.time_source.clone())
    }

    /// Returns the engine's layout, as `EvictingMap::layout` does.
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

/// Refuses a client that is configured for another region than its key.
// K6
fn check_region<S: Service>(key: &ClientCacheKey<S>, client: &S::Client) -> Result<(), ClientCacheError> {
    match contradicting_region::<S>(key.region(), client) {
        Some(found) => Err(ClientCacheError::ClientMismatch { key: key.clone().into(), found: found.clone() }),
        None => Ok(()),
    }
}

impl Default for ClientCache {
    /// Creates an empty cache with the LRU policy and a `max_size` of 10.
    fn default() -> Self {
        Self::builder().build()
    }
}

/// Writes a line for the cache and a line for each entry, in eviction order, without secrets.
// K4
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

/// Writes the same as [`Display`](fmt::Display).
impl fmt::Debug for ClientCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// P1: a panic leaves the cache consistent.
impl UnwindSafe for ClientCache {}
impl RefUnwindSafe for ClientCache {}
