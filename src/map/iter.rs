//! Looking at entries in eviction order (D7), from both ends.

use std::fmt;
use std::iter::FusedIterator;

use super::EvictingMap;
use super::list::END;
use super::order::{AnyOrder, Order};
use super::table::Table;

impl<K, V, S> EvictingMap<K, V, S> {
    /// All entries in eviction order, next victim first (D7). Counts no use (D5).
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
        Iter::new(&self.table, &self.order)
    }

    /// All keys in eviction order, next victim first (D7). Counts no use (D5).
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

    /// All values in eviction order, next victim first (D7). Counts no use (D5).
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

    /// The entry that goes next, which [`pop`](Self::pop) would remove (D6). Counts no use (D5).
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

/// The entries of an [`EvictingMap`](EvictingMap) in eviction order, next victim first. Looking at them
/// counts no use.
///
/// Made by [`EvictingMap::iter`](EvictingMap::iter), which shows an example.
pub struct Iter<'a, K, V> {
    table: &'a Table<K, V>,
    order: &'a AnyOrder,
    /// The places that were shown last at either end.
    front: u32,
    back: u32,
    remaining: usize,
}

impl<'a, K, V> Iter<'a, K, V> {
    pub(super) fn new(table: &'a Table<K, V>, order: &'a AnyOrder) -> Self {
        Self { table, order, front: END, back: END, remaining: table.len() }
    }

    fn entry(&self, place: u32) -> (&'a K, &'a V) {
        let (key, value) = self.table.get(place);
        (key, value)
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        self.front = self.order.after(self.front);
        Some(self.entry(self.front))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        self.back = self.order.before(self.back);
        Some(self.entry(self.back))
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
    /// The keys of an [`EvictingMap`](EvictingMap) in eviction order, next victim first.
    ///
    /// Made by [`EvictingMap::keys`](EvictingMap::keys), which shows an example.
    Keys yields K as (key, _) => key
}

half! {
    /// The values of an [`EvictingMap`](EvictingMap) in eviction order, next victim first.
    ///
    /// Made by [`EvictingMap::values`](EvictingMap::values), which shows an example.
    Values yields V as (_, value) => value
}
