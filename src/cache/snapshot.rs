//! Views of a cache: owned iterators over what it held at one moment, in eviction order (D7).

use std::fmt;
use std::iter::{FusedIterator, Rev};
use std::vec;

use super::ClientCache;
use crate::client::AnyClient;
use crate::key::{AnyKey, ClientCacheKey};
use crate::service::Service;

impl ClientCache {
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
        Keys::new(self.lock().entries().keys().cloned().collect())
    }

    /// The clients as they are now, in eviction order, next victim first (D7). Linear; counts no use (D5).
    ///
    /// ```
    /// # use aws_client_cache::{ClientCache, S3};
    /// # let cache = ClientCache::default();
    /// let s3_clients = cache.values().filter_map(|client| client.downcast::<S3>().ok());
    /// ```
    pub fn values(&self) -> Values {
        Values::new(self.lock().entries().values().cloned().collect())
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
        Items::new(self.lock().entries().iter().map(|(key, client)| (key.clone(), client.clone())).collect())
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

    /// The clients of service `S` with their keys as they are now, in eviction order, next victim first (D7). Linear; counts no
    /// use (D5).
    ///
    /// ```
    /// # use aws_client_cache::{ClientCache, S3};
    /// # let cache = ClientCache::default();
    /// for (key, s3) in cache.clients::<S3>() {
    ///     println!("{key} is in {:?}", s3.config().region());
    /// }
    /// ```
    pub fn clients<S: Service>(&self) -> Clients<S> {
        // Cloned outside of the lock: if a clone panics, those before it are dropped (C2).
        let items = self.items().filter(|(key, _)| key.is::<S>());
        let of_service = items.filter_map(|(key, client)| Some((key.downcast().ok()?, client.downcast::<S>().ok()?)));
        Clients(of_service.collect::<Vec<_>>().into_iter())
    }

    /// The client that goes next, which [`pop_item`](Self::pop_item) would remove, with its key (D6). Counts no use (D5).
    ///
    /// ```
    /// # use aws_client_cache::ClientCache;
    /// assert!(ClientCache::default().peek_next_victim().is_none());
    /// ```
    pub fn peek_next_victim(&self) -> Option<(AnyKey, AnyClient)> {
        self.lock().entries().peek_next_victim().map(|(key, client)| (key.clone(), client.clone()))
    }
}

impl IntoIterator for &ClientCache {
    type Item = (AnyKey, AnyClient);
    type IntoIter = Items;

    fn into_iter(self) -> Items {
        self.items()
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
    /// The keys that a cache held, next victim first.
    ///
    /// [`ClientCache::keys`](ClientCache::keys) makes it and shows an example.
    Keys of AnyKey
}

snapshot! {
    /// The clients that a cache held, next victim first.
    ///
    /// [`ClientCache::values`](ClientCache::values) makes it and shows an example.
    Values of AnyClient
}

snapshot! {
    /// The keys and clients that a cache held, next victim first.
    ///
    /// [`ClientCache::items`](ClientCache::items) makes it and shows an example.
    Items of (AnyKey, AnyClient)
}

/// The clients of one service that a cache held, with their keys, next victim first.
///
/// [`ClientCache::clients`] makes it and shows an example.
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
    /// Shows the keys only: the `Debug` of the SDK's clients shows access key ids (K4).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.as_slice().iter().map(|(key, _)| key)).finish()
    }
}
