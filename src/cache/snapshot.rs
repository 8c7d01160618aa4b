//! Snapshots of a cache: owned iterators over the entries of one moment, in eviction order.

// D5, D7: every snapshot is in eviction order and counts no use.

use std::fmt;
use std::iter::{FusedIterator, Rev};
use std::vec;

use super::ClientCache;
use crate::client::AnyClient;
use crate::key::{AnyKey, ClientCacheKey};
use crate::service::Service;

impl ClientCache {
    /// Returns a snapshot of the keys in eviction order, next victim first, in O(n).
    ///
    /// Counts no use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// # let cache = ClientCache::default();
    /// for key in cache.keys() {
    ///     println!("{key}");
    /// }
    /// let last_victim = cache.keys().next_back();
    /// ```
    pub fn keys(&self) -> Keys {
        Keys::new(self.lock().entries().keys().cloned().collect())
    }

    /// Returns a snapshot of the clients in eviction order, next victim first, in O(n).
    ///
    /// Counts no use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientCache, S3};
    /// # let cache = ClientCache::default();
    /// let s3_clients = cache
    ///     .values()
    ///     .filter_map(|client| client.downcast::<S3>().ok());
    /// ```
    pub fn values(&self) -> Values {
        Values::new(self.lock().entries().values().cloned().collect())
    }

    /// Returns a snapshot of the entries in eviction order, next victim first, in O(n).
    ///
    /// Counts no use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// # let cache = ClientCache::default();
    /// for (key, client) in cache.items() {
    ///     println!("{key} is a client of {}", client.service_name());
    /// }
    /// ```
    pub fn items(&self) -> Items {
        Items::new(self.entries())
    }

    fn entries(&self) -> Vec<(AnyKey, AnyClient)> {
        self.lock().entries().iter().map(|(key, client)| (key.clone(), client.clone())).collect()
    }

    /// Returns the entries of [`items`](Self::items), under the name that Rust's maps use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// # let cache = ClientCache::default();
    /// assert_eq!(cache.iter().len(), (&cache).into_iter().len());
    /// ```
    pub fn iter(&self) -> Iter {
        Iter::new(self.entries())
    }

    /// Returns a snapshot of the entries in reverse eviction order, last victim first, in O(n).
    ///
    /// Counts no use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// # let cache = ClientCache::default();
    /// let most_recently_used = cache.reversed().next();
    /// ```
    pub fn reversed(&self) -> Rev<Items> {
        self.items().rev()
    }

    /// Returns a snapshot of the entries of service `S` in eviction order, in O(n).
    ///
    /// Counts no use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientCache, S3};
    /// # let cache = ClientCache::default();
    /// for (key, s3) in cache.clients::<S3>() {
    ///     println!("{key} is in {:?}", s3.config().region());
    /// }
    /// ```
    pub fn clients<S: Service>(&self) -> Clients<S> {
        // C2: the clients are cloned while the cache is unlocked, so that after a panicking clone the others are dropped
        // there.
        let items = self.items().filter(|(key, _)| key.is::<S>());
        let of_service = items.filter_map(|(key, client)| Some((key.downcast().ok()?, client.downcast::<S>().ok()?)));
        Clients(of_service.collect::<Vec<_>>().into_iter())
    }

    /// Returns the next victim, which [`pop_item`](Self::pop_item) would remove.
    ///
    /// Counts no use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// let cache = ClientCache::default();
    /// assert!(cache.peek_next_victim().is_none());
    /// ```
    pub fn peek_next_victim(&self) -> Option<(AnyKey, AnyClient)> {
        // D6
        self.lock().entries().peek_next_victim().map(|(key, client)| (key.clone(), client.clone()))
    }
}

impl IntoIterator for &ClientCache {
    type Item = (AnyKey, AnyClient);
    type IntoIter = Iter;

    fn into_iter(self) -> Iter {
        self.iter()
    }
}

macro_rules! snapshot {
    ($(#[$doc:meta])* $name:ident of $item:ty) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(vec::IntoIter<$item>);

        impl $name {
            pub(super) fn new(items: Vec<$item>) -> Self {
                Self(items.into_iter())
            }
        }

        impl Iterator for $name {
            type Item = $item;

            fn next(&mut self) -> Option<$item> {
                self.0.next()
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }
        }

        impl DoubleEndedIterator for $name {
            fn next_back(&mut self) -> Option<$item> {
                self.0.next_back()
            }
        }

        impl ExactSizeIterator for $name {}
        impl FusedIterator for $name {}
    };
}

snapshot! {
    /// A snapshot of a cache's keys, next victim first.
    ///
    /// [`ClientCache::keys`] returns it and shows an example.
    Keys of AnyKey
}

snapshot! {
    /// A snapshot of a cache's clients, next victim first.
    ///
    /// [`ClientCache::values`] returns it and shows an example.
    Values of AnyClient
}

snapshot! {
    /// A snapshot of a cache's entries, next victim first.
    ///
    /// [`ClientCache::items`] returns it and shows an example.
    Items of (AnyKey, AnyClient)
}

snapshot! {
    /// A snapshot of a cache's entries, next victim first.
    ///
    /// [`ClientCache::iter`] returns it and shows an example.
    Iter of (AnyKey, AnyClient)
}

snapshot! {
    /// The entries removed from a cache, next victim first.
    ///
    /// [`ClientCache::drain`] returns it and shows an example.
    Drain of (AnyKey, AnyClient)
}

snapshot! {
    /// The entries of a consumed cache, next victim first.
    ///
    /// It is the iterator of [`ClientCache`] by value.
    IntoIter of (AnyKey, AnyClient)
}

/// A snapshot of a cache's entries of one service, next victim first.
///
/// [`ClientCache::clients`] returns it and shows an example.
pub struct Clients<S: Service>(vec::IntoIter<(ClientCacheKey<S>, S::Client)>);

impl<S: Service> Iterator for Clients<S> {
    type Item = (ClientCacheKey<S>, S::Client);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<S: Service> DoubleEndedIterator for Clients<S> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back()
    }
}

impl<S: Service> ExactSizeIterator for Clients<S> {}
impl<S: Service> FusedIterator for Clients<S> {}

impl<S: Service> Clone for Clients<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Service> fmt::Debug for Clients<S> {
    /// Shows only the keys, because the `Debug` of SDK clients shows access key ids.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.as_slice().iter().map(|(key, _)| key)).finish()
    }
}
