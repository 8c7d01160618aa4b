//! Iteration by value, in eviction order from both ends.

use std::fmt;
use std::iter::FusedIterator;

use super::EvictingMap;
use super::eviction::{AnyEviction, Eviction};
use super::index::Index;
use super::iter::Iter;
use super::linked_list::END;
use super::slab::Slab;

impl<K, V, S> EvictingMap<K, V, S> {
    /// Removes every entry, and returns them in eviction order.
    ///
    /// The map is empty after the call, even if the iterator is not consumed.
    /// `max_size` and policy stay.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// assert!(map.drain().eq([("a", 1), ("b", 2)]));
    /// assert!(map.is_empty());
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn drain(&mut self) -> Drain<K, V> {
        self.index = Index::new();
        Drain(IntoIter { slab: std::mem::replace(&mut self.slab, Slab::new()), eviction: self.eviction.take() }) // D12
    }
}

/// Yields the entries in eviction order, next victim first.
impl<K, V, S> IntoIterator for EvictingMap<K, V, S> {
    type Item = (K, V);
    type IntoIter = IntoIter<K, V>;

    fn into_iter(mut self) -> IntoIter<K, V> {
        self.drain().0
    }
}

/// An iterator over the entries of an [`EvictingMap`] by value, in eviction order.
///
/// Entries that it has not yielded are dropped with it.
///
/// # Examples
///
/// ```
/// use aws_client_cache::EvictionPolicy;
/// use aws_client_cache::map::{EvictingMap, IntoIter};
///
/// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
/// map.insert("a", 1)?;
/// map.insert("b", 2)?;
/// let mut entries: IntoIter<_, _> = map.into_iter();
/// assert_eq!(entries.next_back(), Some(("b", 2)));
/// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
/// ```
pub struct IntoIter<K, V> {
    slab: Slab<K, V>,
    eviction: AnyEviction,
}

impl<K, V> IntoIter<K, V> {
    fn remove(&mut self, slot: u32) -> Option<(K, V)> {
        if slot == END {
            return None;
        }
        self.eviction.remove(slot);
        Some(self.slab.swap_remove(slot))
    }
}

impl<K, V> Iterator for IntoIter<K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        self.remove(self.eviction.next(END))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.slab.len(), Some(self.slab.len()))
    }
}

impl<K, V> DoubleEndedIterator for IntoIter<K, V> {
    fn next_back(&mut self) -> Option<(K, V)> {
        self.remove(self.eviction.prev(END))
    }
}

impl<K, V> ExactSizeIterator for IntoIter<K, V> {}
impl<K, V> FusedIterator for IntoIter<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for IntoIter<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(Iter::new(&self.slab, &self.eviction)).finish()
    }
}

/// An iterator over the entries removed from an [`EvictingMap`], in eviction order.
///
/// Created by [`EvictingMap::drain`], which shows an example. It does not borrow the map. Entries that it has not yielded
/// are dropped with it.
pub struct Drain<K, V>(IntoIter<K, V>);

impl<K, V> Iterator for Drain<K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V> DoubleEndedIterator for Drain<K, V> {
    fn next_back(&mut self) -> Option<(K, V)> {
        self.0.next_back()
    }
}

impl<K, V> ExactSizeIterator for Drain<K, V> {}
impl<K, V> FusedIterator for Drain<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Drain<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
