//! Removing clients by key, in eviction order, by expiry, or all at once.

use super::in_flight::InFlight;
use super::snapshot::{Drain, IntoIter};
use super::{ClientCache, Evicted, EvictionCause, not_found};
use crate::client::AnyClient;
use crate::error::ClientCacheError;
use crate::key::{AnyKey, CacheKey};
use crate::map;

impl ClientCache {
    /// Removes a client and returns it, even if its credentials have expired.
    ///
    /// The listener is not notified. If a creation of the key is in flight, its waiters receive their client, but it is
    /// not cached, and later callers create their own. This holds even if the key is absent.
    ///
    /// # Errors
    ///
    /// Returns [`ClientCacheError::NotFound`] if the key is absent.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientCacheError, ClientParams, S3};
    ///
    /// let cache = ClientCache::default();
    /// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
    /// assert!(matches!(
    ///     cache.remove(&params.key()),
    ///     Err(ClientCacheError::NotFound { .. }),
    /// ));
    /// # Ok::<(), ClientCacheError>(())
    /// ```
    pub fn remove<K: CacheKey>(&self, key: &K) -> Result<K::Client, ClientCacheError> {
        let (revoked, removed);
        {
            let mut state = self.lock();
            let in_flight = state.in_flight.find(key.as_any());
            removed = state.remove(key.as_any()); // D6, E4
            // P1: after the last comparison of keys, which may panic.
            revoked = in_flight.and_then(|stored| state.in_flight.take(&stored)); // S3
        }
        drop(revoked);
        let client = removed.as_ref().and_then(|(_, client)| K::client(client));
        drop(removed); // explicitly: a panic in this drop on return would leak the client
        client.ok_or_else(|| not_found(key))
    }

    /// Removes the next victim and returns it, even if its credentials have expired.
    ///
    /// The listener is not notified.
    ///
    /// # Errors
    ///
    /// Returns [`ClientCacheError::Empty`] if the cache is empty.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientCacheError};
    ///
    /// let popped = ClientCache::default().pop_item();
    /// assert!(matches!(popped, Err(ClientCacheError::Empty)));
    /// ```
    pub fn pop_item(&self) -> Result<(AnyKey, AnyClient), ClientCacheError> {
        self.lock().pop().ok_or(ClientCacheError::Empty) // D6, E4
    }

    /// Removes all clients, in O(n).
    ///
    /// The listener is not notified. Clients of creations in flight will not be cached.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::ClientCache;
    ///
    /// let cache = ClientCache::default();
    /// cache.clear();
    /// assert!(cache.is_empty());
    /// ```
    pub fn clear(&self) {
        drop(self.take());
    }

    /// Removes all clients and returns them in eviction order, in O(n).
    ///
    /// The listener is not notified. Clients of creations in flight will not be cached.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// # let cache = ClientCache::default();
    /// for (key, client) in cache.drain() {
    ///     println!("{key} was cached");
    /// }
    /// assert!(cache.is_empty());
    /// ```
    pub fn drain(&self) -> Drain {
        Drain::new(self.take_entries())
    }

    fn take_entries(&self) -> Vec<(AnyKey, AnyClient)> {
        let (revoked, all) = self.take();
        drop(revoked);
        all.collect()
    }

    fn take(&self) -> (InFlight, map::Drain<AnyKey, AnyClient>) {
        let state = &mut *self.lock();
        (state.in_flight.take_all(), state.drain()) // S3, D7
    }

    /// Removes all clients whose static credentials have expired, in O(n).
    ///
    /// Notifies the listener of each, and returns them in eviction order.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// assert!(ClientCache::default().remove_expired().is_empty());
    /// ```
    pub fn remove_expired(&self) -> Vec<Evicted> {
        // E4
        let now = self.time_source.now();
        let has_expired = |key: &AnyKey| key.expiry().is_some_and(|expiry| expiry <= now);
        let expired = self.lock().expire_all(has_expired);
        let expired: Vec<_> = expired.into_iter().map(Evicted::new).collect();
        self.on_evict.notify(&expired, EvictionCause::Expired);
        expired
    }

    /// Sets the maximum number of clients, in O(k) for k evicted clients.
    ///
    /// Evicts clients until the rest fits, notifies the listener of each, and returns them in eviction order.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// let cache = ClientCache::default();
    /// assert!(cache.set_max_size(5).is_empty());
    /// assert_eq!(cache.max_size(), 5);
    /// ```
    pub fn set_max_size(&self, max_size: usize) -> Vec<Evicted> {
        let victims = self.lock().set_max_size(max_size); // D9
        let victims: Vec<_> = victims.into_iter().map(Evicted::new).collect();
        self.on_evict.notify(&victims, EvictionCause::Shrunk);
        victims
    }
}

/// Iterates over the clients in eviction order, next victim first.
impl IntoIterator for ClientCache {
    type Item = (AnyKey, AnyClient);
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter::new(self.take_entries())
    }
}
