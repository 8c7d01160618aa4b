//! Removing all clients whose keys a predicate refuses.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::ClientCache;
use super::identity_hasher::BuildIdentityHasher;
use crate::client::AnyClient;
use crate::key::AnyKey;

impl ClientCache {
    /// Removes all clients whose key `keep` refuses, and returns them in eviction order.
    ///
    /// The listener is not notified. If a creation of a refused key is in flight, its client will not be cached.
    ///
    /// The removal is atomic: when it happens, `keep` has accepted every other key that is cached. `keep` is called once for
    /// each cached key, in eviction order, and once for each key with a creation in flight. It is called while the cache is
    /// unlocked, so it may use the cache. It is also called for keys that are inserted in the meantime. So `retain` is O(n)
    /// in the cached and the inserted keys, and does not end while other callers insert keys faster than `keep` judges them.
    ///
    /// Use it to offboard a tenant, to rotate a key, or to drop clients after an authentication error. With a
    /// [`Session`](crate::Session), call [`invalidate_credentials`](crate::Session::invalidate_credentials) instead, which
    /// also drops the credentials.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{AssumeRole, ClientCache, ClientParams, Region, S3};
    ///
    /// let cache = ClientCache::default();
    ///
    /// // Remove all clients with the credentials of one tenant.
    /// let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7");
    /// let tenant = ClientParams::<S3>::builder().assume_role(role).build()?.key();
    /// cache.retain(|key| !key.derives_credentials_from(&tenant));
    ///
    /// // Remove all clients of one region.
    /// cache.retain(|key| key.region() != Some(&Region::new("us-west-2")));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn retain(&self, mut keep: impl FnMut(&AnyKey) -> bool) -> Vec<(AnyKey, AnyClient)> {
        // D12
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
                // A key that is both cached and in flight occurs twice.
                if let Entry::Vacant(vacant) = judged.entry(key) {
                    let is_kept = keep(vacant.key());
                    vacant.insert(is_kept);
                }
            }
        };
        drop(revoked);
        removed
    }

    /// Removes all clients whose key `is_removed` accepts, in one locking.
    ///
    /// It must not call the cache.
    pub(crate) fn remove_where(&self, is_removed: impl Fn(&AnyKey) -> bool) -> Vec<(AnyKey, AnyClient)> {
        let (revoked, removed) = self.lock().remove_all(is_removed);
        drop(revoked);
        removed
    }
}
