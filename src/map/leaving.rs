//! Entries that leave many at a time, in eviction order (D7).

use std::fmt;
use std::iter::FusedIterator;

use super::EvictingMap;
use super::iter::Iter;
use super::list::END;
use super::order::{AnyOrder, Order};
use super::table::Table;

impl<K, V, S> EvictingMap<K, V, S> {
    /// Removes every entry that `keep` refuses. It is asked once for each, in eviction order (D7); what stays keeps its
    /// place in that order, and its use count.
    ///
    /// Linear. All are judged before the first one goes, and dropped after the last one has: if `keep` panics, nothing has
    /// changed, and if a key or value panics when it is dropped, all that were to go are gone (P1).
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// for key in 0..4 {
    ///     map.insert(key, key)?;
    /// }
    /// map.retain(|key, _| key % 2 == 1);
    /// assert!(map.keys().eq(&[1, 3]));
    /// # Ok::<(), aws_client_cache::map::KeyExists<i32, i32>>(())
    /// ```
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        drop(self.extract(|key, value| !keep(key, value)));
    }

    /// Removes every entry that `goes` accepts, and returns them in eviction order, for a caller who holds a lock.
    pub(crate) fn extract(&mut self, mut goes: impl FnMut(&K, &V) -> bool) -> Vec<(K, V)> {
        let mut leaving = Vec::new();
        let mut place = self.order.after(END);
        while place != END {
            let (key, value) = self.table.get(place);
            if goes(key, value) {
                leaving.push(place);
            }
            place = self.order.after(place);
        }
        leaving.into_iter().map(|place| self.remove_place(place)).collect()
    }

    /// Empties the map, and returns what it held, next victim first (D7). `max_size` and policy stay.
    ///
    /// The map is empty from the call on, whether the iterator is run or not.
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
    pub fn drain(&mut self) -> IntoIter<K, V> {
        IntoIter { table: self.table.take(), order: self.order.take() }
    }
}

/// The entries in eviction order, next victim first (D7).
impl<K, V, S> IntoIterator for EvictingMap<K, V, S> {
    type Item = (K, V);
    type IntoIter = IntoIter<K, V>;

    fn into_iter(mut self) -> IntoIter<K, V> {
        self.drain()
    }
}

/// The entries that an [`EvictingMap`] held, next victim first, to own. Those that are not asked for are dropped with it.
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
    table: Table<K, V>,
    order: AnyOrder,
}

impl<K, V> Iterator for IntoIter<K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        let oldest = self.order.pop()?;
        Some(self.table.remove(oldest))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.table.len(), Some(self.table.len()))
    }
}

impl<K, V> DoubleEndedIterator for IntoIter<K, V> {
    fn next_back(&mut self) -> Option<(K, V)> {
        let newest = self.order.before(END);
        if newest == END {
            return None;
        }
        self.order.remove(newest);
        Some(self.table.remove(newest))
    }
}

impl<K, V> ExactSizeIterator for IntoIter<K, V> {}
impl<K, V> FusedIterator for IntoIter<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for IntoIter<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(Iter::new(&self.table, &self.order)).finish()
    }
}
