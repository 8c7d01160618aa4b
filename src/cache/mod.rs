//! [`ClientCache`]: the engine behind a lock, with expiry, statistics and single-flight creation.

// The documentation of `ClientCache` shows its methods in the order of these modules.
mod dict;
mod removals;
mod retain;
mod snapshot;

mod get_or_create;
mod get_or_create_shared;

mod cache_builder;
mod identity_hasher;
mod in_flight;
mod listener;
#[cfg(feature = "__internals")]
mod schedule;
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
use crate::error::ClientCacheError;
use crate::key::{AnyKey, CacheKey, ClientCacheKey};
use crate::service::Service;

pub use cache_builder::{ClientCacheBuilder, ClientCacheConfig};
pub(crate) use get_or_create_shared::panicked;
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
/// Share a cache by reference or in an `Arc`. Every operation is atomic, under one lock, and amortized O(1), unless its
/// documentation says otherwise.
///
/// The cache compares keys and clones clients while it holds its lock. It drops clients and calls the listener after it
/// has released the lock, so both may call the cache. A panic in such code loses no other entry, and poisons nothing.
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
/// // the retrieval; a miss is ClientCacheError::NotFound
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

    /// Returns the client under a key that has not expired, and counts a use.
    // D4
    #[inline]
    fn lookup<K: CacheKey>(&self, key: &K) -> Option<K::Client> {
        self.lock().lookup(key.as_any()).and_then(K::client)
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

    /// Returns an exact copy, down to the layout in memory, without the listener.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    #[must_use]
    pub fn fork(&self) -> Self {
        let entries = self.lock().entries().clone();
        Self::with(entries, Listener::default(), self.time_source.clone())
    }

    /// Returns the fingerprint of the engine, as `EvictingMap::fingerprint` does.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    pub fn fingerprint(&self, name: impl Fn(&AnyKey) -> u64, index: bool) -> Vec<u64> {
        self.lock().entries().fingerprint(name, index)
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
