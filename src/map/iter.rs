//! Iteration by reference, in eviction order from both ends.

use std::fmt;
use std::iter::FusedIterator;

use super::EvictingMap;
use super::eviction::{AnyEviction, Eviction};
use super::linked_list::END;
use super::slab::Slab;

impl<K, V, S> EvictingMap<K, V, S> {
    /// Returns an iterator over the entries in eviction order, next victim first.
    ///
    /// Counts no use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// assert!(map.iter().eq([(&"a", &1), (&"b", &2)]));
    /// assert!(map.iter().rev().eq([(&"b", &2), (&"a", &1)]));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter::new(&self.slab, &self.eviction)
    }

    /// Returns an iterator over the keys in eviction order, next victim first.
    ///
    /// Counts no use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// assert!(map.keys().eq(&["a", "b"]));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn keys(&self) -> Keys<'_, K, V> {
        Keys(self.iter())
    }

    /// Returns an iterator over the values in eviction order, next victim first.
    ///
    /// Counts no use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// assert!(map.values().rev().eq(&[2, 1]));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn values(&self) -> Values<'_, K, V> {
        Values(self.iter())
    }

    /// Returns the next victim, which [`pop`](Self::pop) would remove.
    ///
    /// Counts no use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// assert_eq!(map.peek_next_victim(), Some((&"a", &1)));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn peek_next_victim(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }
}

impl<'a, K, V, S> IntoIterator for &'a EvictingMap<K, V, S> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        self.iter()
    }
}

/// An iterator over the entries of an [`EvictingMap`] in eviction order.
///
/// Created by [`EvictingMap::iter`], which shows an example.
pub struct Iter<'a, K, V> {
    slab: &'a Slab<K, V>,
    eviction: &'a AnyEviction,
    /// The slots that were yielded last at either end.
    front: u32,
    back: u32,
    remaining: usize,
}

impl<'a, K, V> Iter<'a, K, V> {
    pub(super) fn new(slab: &'a Slab<K, V>, eviction: &'a AnyEviction) -> Self {
        Self { slab, eviction, front: END, back: END, remaining: slab.len() }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        self.front = self.eviction.next(self.front); // D7
        Some(self.slab.entry(self.front))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        self.back = self.eviction.prev(self.back);
        Some(self.slab.entry(self.back))
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}
impl<K, V> FusedIterator for Iter<'_, K, V> {}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Iter<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

macro_rules! half {
    ($(#[$doc:meta])* $name:ident yields $item:ident as $entry:pat => $half:expr) => {
        $(#[$doc])*
        pub struct $name<'a, K, V>(pub(super) Iter<'a, K, V>);

        impl<'a, K, V> Iterator for $name<'a, K, V> {
            type Item = &'a $item;

            fn next(&mut self) -> Option<Self::Item> {
                self.0.next().map(|$entry| $half)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }
        }

        impl<K, V> DoubleEndedIterator for $name<'_, K, V> {
            fn next_back(&mut self) -> Option<Self::Item> {
                self.0.next_back().map(|$entry| $half)
            }
        }

        impl<K, V> ExactSizeIterator for $name<'_, K, V> {}
        impl<K, V> FusedIterator for $name<'_, K, V> {}

        impl<K, V> Clone for $name<'_, K, V> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        impl<K, V> fmt::Debug for $name<'_, K, V>
        where
            $item: fmt::Debug,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_list().entries(self.clone()).finish()
            }
        }
    };
}

half! {
    /// An iterator over the keys of an [`EvictingMap`] in eviction order.
    ///
    /// Created by [`EvictingMap::keys`], which shows an example.
    Keys yields K as (key, _) => key
}

half! {
    /// An iterator over the values of an [`EvictingMap`] in eviction order.
    ///
    /// Created by [`EvictingMap::values`], which shows an example.
    Values yields V as (_, value) => value
}
