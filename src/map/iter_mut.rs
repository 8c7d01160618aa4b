//! Iteration by mutable reference, in eviction order from both ends.

use std::fmt;
use std::iter::FusedIterator;

use super::EvictingMap;
use super::eviction::{AnyEviction, Eviction};
use super::linked_list::END;

impl<K, V, S> EvictingMap<K, V, S> {
    /// Returns an iterator over the entries in eviction order, with mutable values.
    ///
    /// Counts no use. Takes O(n) at the call, with one allocation: all entries
    /// are borrowed at once.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// for (_, value) in map.iter_mut() {
    ///     *value *= 10;
    /// }
    /// assert!(map.iter().eq([(&"a", &10), (&"b", &20)]));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn iter_mut(&mut self) -> IterMut<'_, K, V> {
        let entries: Vec<_> = self.slab.entries_mut().map(Some).collect();
        IterMut { remaining: entries.len(), entries, eviction: &self.eviction, front: END, back: END }
    }

    /// Returns an iterator over mutable values in eviction order.
    ///
    /// Counts no use. Costs as much as [`iter_mut`](Self::iter_mut).
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// map.values_mut().for_each(|value| *value *= 10);
    /// assert!(map.values().eq(&[10, 20]));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn values_mut(&mut self) -> ValuesMut<'_, K, V> {
        ValuesMut(self.iter_mut())
    }
}

impl<'a, K, V, S> IntoIterator for &'a mut EvictingMap<K, V, S> {
    type Item = (&'a K, &'a mut V);
    type IntoIter = IterMut<'a, K, V>;

    fn into_iter(self) -> IterMut<'a, K, V> {
        self.iter_mut()
    }
}

/// An iterator over the entries of an [`EvictingMap`] in eviction order, with mutable values.
///
/// Created by [`EvictingMap::iter_mut`], which shows an example.
pub struct IterMut<'a, K, V> {
    eviction: &'a AnyEviction,
    /// By slot number; `None` once yielded. Safe code has no other way to hand each out once.
    entries: Vec<Option<(&'a K, &'a mut V)>>,
    /// The slots that were yielded last at either end.
    front: u32,
    back: u32,
    remaining: usize,
}

impl<'a, K, V> IterMut<'a, K, V> {
    fn take(&mut self, slot: u32) -> Option<(&'a K, &'a mut V)> {
        self.entries[slot as usize - 1].take()
    }

    /// Returns the entries that are not yet yielded.
    fn left(&self) -> impl Iterator<Item = &(&'a K, &'a mut V)> {
        let slots = std::iter::successors(Some(self.eviction.next(self.front)), |slot| Some(self.eviction.next(*slot)));
        slots.take(self.remaining).filter_map(|slot| self.entries[slot as usize - 1].as_ref())
    }
}

impl<'a, K, V> Iterator for IterMut<'a, K, V> {
    type Item = (&'a K, &'a mut V);

    fn next(&mut self) -> Option<Self::Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        self.front = self.eviction.next(self.front); // D7
        self.take(self.front)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl<K, V> DoubleEndedIterator for IterMut<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        self.back = self.eviction.prev(self.back);
        self.take(self.back)
    }
}

impl<K, V> ExactSizeIterator for IterMut<'_, K, V> {}
impl<K, V> FusedIterator for IterMut<'_, K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for IterMut<'_, K, V> {
    /// Prints the entries that are left, in eviction order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.left()).finish()
    }
}

/// An iterator over the mutable values of an [`EvictingMap`] in eviction order.
///
/// Created by [`EvictingMap::values_mut`], which shows an example.
pub struct ValuesMut<'a, K, V>(IterMut<'a, K, V>);

impl<'a, K, V> Iterator for ValuesMut<'a, K, V> {
    type Item = &'a mut V;

    fn next(&mut self) -> Option<&'a mut V> {
        self.0.next().map(|(_, value)| value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V> DoubleEndedIterator for ValuesMut<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(_, value)| value)
    }
}

impl<K, V> ExactSizeIterator for ValuesMut<'_, K, V> {}
impl<K, V> FusedIterator for ValuesMut<'_, K, V> {}

impl<K, V: fmt::Debug> fmt::Debug for ValuesMut<'_, K, V> {
    /// Prints the values that are left, in eviction order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.left().map(|(_, value)| value)).finish()
    }
}
