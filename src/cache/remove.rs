//! How clients leave a cache.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::identity_hasher::BuildIdentityHasher;
use super::in_flight::InFlight;
use super::{ClientCache, Evicted, EvictionCause, Items, not_found};
use crate::client::AnyClient;
use crate::error::ClientCacheError;
use crate::key::{AnyKey, CacheKey};
use crate::map::IntoIter;

impl ClientCache {
    /// Removes a client and returns it (D6), whether its credentials have expired or not (E4). The listener is not told.
    ///
    /// If the client is being made at the moment, it will not be stored: those who wait for it get it, and later callers make
    /// their own (S3). That is so even if the key is absent.
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
        let (revoked, removed);
        {
            let mut state = self.lock();
            revoked = state.in_flight.revoke(key.as_any());
            removed = state.remove(key.as_any());
        }
        drop(revoked);
        let client = removed.as_ref().and_then(|(_, client)| K::client(client));
        drop(removed); // here, and not on return: the client would leak if this panicked then
        client.ok_or_else(|| not_found(key))
    }

    /// Removes the next victim and returns it (D6), whether its credentials have expired or not (E4). The listener is not
    /// told.
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

    /// Removes every client. Linear, for dropping them. The listener is not told. What is being made at the moment will not
    /// be stored (S3).
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

    /// Removes every client, and returns them in eviction order, next victim first (D7). Linear. The listener is not told.
    /// What is being made at the moment will not be stored (S3).
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// # let cache = ClientCache::default();
    /// for (key, client) in cache.drain() {
    ///     println!("{key} was cached");
    /// }
    /// assert!(cache.is_empty());
    /// ```
    pub fn drain(&self) -> Items {
        let (revoked, all) = self.take();
        drop(revoked);
        Items::new(all.collect())
    }

    fn take(&self) -> (InFlight, IntoIter<AnyKey, AnyClient>) {
        let state = &mut *self.lock();
        (state.in_flight.revoke_all(), state.drain())
    }

    /// Removes every client whose key `keep` refuses, and returns them in eviction order. The listener is not told. If a
    /// client of a refused key is being made at the moment, it will not be stored (S3).
    ///
    /// Atomic: when it is done, all keys that are there were accepted. `keep` is asked once for each key, in eviction order, and
    /// for each key whose client is being made; while the cache is not locked, so that it may use it. It is asked for what
    /// has come meanwhile, too. So it is linear in what is there and in what comes, and goes on while more comes than `keep`
    /// judges.
    ///
    /// This is how a tenant leaves, how a key is rotated, and how what an error of authentication has made useless goes:
    ///
    /// ```
    /// use aws_client_cache::{AssumeRole, ClientCache, ClientParams, Region, S3};
    ///
    /// let cache = ClientCache::default();
    /// // everything of one credential scope, which also is what its roles are assumed for
    /// let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7");
    /// let tenant = ClientParams::<S3>::builder().assume_role(role).build()?.key();
    /// cache.retain(|key| !key.derives_credentials_from(&tenant));
    /// // everything of one region
    /// cache.retain(|key| key.region() != Some(&Region::new("us-west-2")));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    ///
    /// A [`Session`](crate::Session) keeps the credentials of its scopes; it forgets them by
    /// [`invalidate_credentials`](crate::Session::invalidate_credentials).
    pub fn retain(&self, mut keep: impl FnMut(&AnyKey) -> bool) -> Vec<(AnyKey, AnyClient)> {
        let mut judged = HashMap::with_hasher(BuildIdentityHasher);
        let (revoked, removed) = loop {
            let unjudged: Vec<AnyKey> = {
                let state = &mut *self.lock();
                let keys = state.entries().keys().chain(state.in_flight.keys());
                let unjudged: Vec<_> = keys.filter(|key| !judged.contains_key(*key)).cloned().collect();
                if unjudged.is_empty() {
                    break state.remove_all(|key| judged.get(key) == Some(&false));
                }
                unjudged
            };
            for key in unjudged {
                // One that is present and in flight is there twice.
                if let Entry::Vacant(vacant) = judged.entry(key) {
                    let is_kept = keep(vacant.key());
                    vacant.insert(is_kept);
                }
            }
        };
        drop(revoked);
        removed
    }

    /// The same by a judge of our own, in one locking.
    pub(crate) fn remove_where(&self, goes: impl Fn(&AnyKey) -> bool) -> Vec<(AnyKey, AnyClient)> {
        let (revoked, removed) = self.lock().remove_all(goes);
        drop(revoked);
        removed
    }

    /// Removes every client whose static credentials have expired, tells the listener and returns them in eviction order
    /// (E4). Linear.
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// assert!(ClientCache::default().remove_expired().is_empty());
    /// ```
    pub fn remove_expired(&self) -> Vec<Evicted> {
        let now = self.time_source.now();
        let has_expired = |key: &AnyKey| key.expiry().is_some_and(|expiry| expiry <= now);
        let expired = self.lock().expire_all(has_expired);
        let expired: Vec<_> = expired.into_iter().map(Evicted::new).collect();
        self.on_evict.notify(&expired, EvictionCause::Expired);
        expired
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
        self.on_evict.notify(&victims, EvictionCause::Shrunk);
        victims
    }
}

/// The clients in eviction order, next victim first (D7).
impl IntoIterator for ClientCache {
    type Item = (AnyKey, AnyClient);
    type IntoIter = Items;

    fn into_iter(self) -> Items {
        self.drain()
    }
}
