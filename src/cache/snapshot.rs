//! Owned iterators over what a cache held at one moment, in eviction order (D7).

use std::iter::FusedIterator;
use std::vec;

use crate::client::AnyClient;
use crate::key::AnyKey;

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
    /// [`ClientCache::keys`](crate::ClientCache::keys) makes it and shows an example.
    Keys of AnyKey
}

snapshot! {
    /// The clients that a cache held, next victim first.
    ///
    /// [`ClientCache::values`](crate::ClientCache::values) makes it and shows an example.
    Values of AnyClient
}

snapshot! {
    /// The keys and clients that a cache held, next victim first.
    ///
    /// [`ClientCache::items`](crate::ClientCache::items) makes it and shows an example.
    Items of (AnyKey, AnyClient)
}
