//! The operations of a dict: creation, lookup, insertion and inspection.

use super::listener::Listener;
use super::{ClientCache, ClientCacheBuilder, Evicted, EvictionCause, Stats, check_region, expired, not_found, trace};
use crate::client::AnyClient;
use crate::error::{ClientCacheError, InsertError};
use crate::key::{AnyKey, CacheKey, ClientCacheKey};
use crate::map::EvictionPolicy;
use crate::service::Service;

impl ClientCache {
    /// Creates an empty cache that holds at most `max_size` clients and evicts by `policy`.
    ///
    /// With a `max_size` of 0 it holds none. Memory for clients is allocated as they are inserted.
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

    /// Returns a builder, which has more settings than [`new`](Self::new).
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

    /// Returns the client under a key, or `None` if the key is absent.
    ///
    /// A hit counts as a use and hardly ever allocates. An entry whose static credentials have expired is a miss: it is
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

    /// Returns the client under a key, or an error if the key is absent.
    ///
    /// A hit counts as a use and hardly ever allocates.
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
}
