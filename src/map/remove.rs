//! Removal of one entry, of the next victim, or of all entries that a bound or a predicate refuses.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

use super::EvictingMap;
use super::eviction::Eviction;
use super::linked_list::END;

impl<K: Hash + Eq, V, S: BuildHasher> EvictingMap<K, V, S> {
    /// Removes `key`, and returns its value.
    ///
    /// If the key is inserted again, its former uses do not count.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// assert_eq!(map.remove("a"), Some(1));
    /// assert_eq!(map.remove("a"), None);
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (key, value) = self.remove_entry(key)?;
        // Here, and not on return: the value would leak if the key's `Drop` panicked then (P1).
        drop(key);
        Some(value)
    }

    /// Removes `key`, and returns the stored key and its value.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a".to_owned(), 1)?;
    /// assert_eq!(map.remove_entry("a"), Some(("a".to_owned(), 1)));
    /// # Ok::<(), aws_client_cache::map::KeyExists<String, i32>>(())
    /// ```
    pub fn remove_entry<Q>(&mut self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shrink();
        let slot = self.find(key)?;
        Some(self.remove_slot(slot)) // D6
    }
}

impl<K: Hash, V, S: BuildHasher> EvictingMap<K, V, S> {
    /// Removes and returns the next victim, or returns `None` if the map is empty.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// assert_eq!(map.pop(), Some(("a", 1)));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    #[inline]
    pub fn pop(&mut self) -> Option<(K, V)> {
        self.shrink();
        let victim = self.eviction.next(END);
        if victim == END { None } else { Some(self.remove_slot(victim)) } // D6
    }

    /// Sets `max_size`, and evicts entries in eviction order until the others fit.
    ///
    /// Returns the evicted entries in that order. Takes O(n) in their number. If
    /// it gives memory back, it also hashes all other keys.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// for key in 0..4 {
    ///     map.insert(key, key)?;
    /// }
    /// assert_eq!(map.set_max_size(2), [(0, 0), (1, 1)]);
    /// # Ok::<(), aws_client_cache::map::KeyExists<i32, i32>>(())
    /// ```
    pub fn set_max_size(&mut self, max_size: usize) -> Vec<(K, V)> {
        let excess = self.len().saturating_sub(max_size);
        let rebuild = self.plan_shrink(self.len() - excess, self.keys().skip(excess));
        // No code of a key or a value runs from here on (P1).
        self.max_size = max_size;
        let evicted = (0..excess).map(|_| {
            let victim = self.eviction.next(END);
            self.eviction.evict(victim); // F2
            self.remove_slot(victim) // D9
        });
        let evicted = evicted.collect();
        if let Some(rebuild) = rebuild {
            self.rebuild(rebuild);
        }
        evicted
    }

    /// Removes each entry for which `keep` returns `false`.
    ///
    /// `keep` is called once for each entry, in eviction order, and counts no
    /// use. The entries that stay keep their order and their use counts. Takes
    /// O(n).
    ///
    /// If `keep` panics, no entry is removed; the values that it has changed stay
    /// changed. All refused entries are removed even if a key or a value panics
    /// when it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// for key in 0..4 {
    ///     map.insert(key, key)?;
    /// }
    /// map.retain(|key, value| {
    ///     *value += 10;
    ///     key % 2 == 1
    /// });
    /// assert!(map.iter().eq([(&1, &11), (&3, &13)]));
    /// # Ok::<(), aws_client_cache::map::KeyExists<i32, i32>>(())
    /// ```
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        drop(self.extract(|key, value| !keep(key, value))); // D12
    }

    /// Removes and returns each entry for which `remove` returns `true`, in eviction order.
    ///
    /// A caller can drop them after it releases a lock.
    pub(crate) fn extract(&mut self, mut remove: impl FnMut(&K, &mut V) -> bool) -> Vec<(K, V)> {
        let mut verdicts = Vec::with_capacity(self.len());
        let mut slot = self.eviction.next(END);
        while slot != END {
            let (key, value) = self.slab.entry_mut(slot);
            verdicts.push(remove(key, value));
            slot = self.eviction.next(slot);
        }
        let removed = verdicts.iter().filter(|removed| **removed).count();
        let kept = self.keys().zip(&verdicts).filter_map(|(key, removed)| (!removed).then_some(key));
        let rebuild = self.plan_shrink(self.len() - removed, kept);
        // No code of a key or a value runs from here on (P1).
        let mut entries = Vec::with_capacity(removed);
        let mut slot = self.eviction.next(END);
        for removed in verdicts {
            let mut next = self.eviction.next(slot);
            if removed {
                // The last slot takes the number of the removed one.
                if next == self.slab.last_slot() {
                    next = slot;
                }
                entries.push(self.remove_slot(slot));
            }
            slot = next;
        }
        if let Some(rebuild) = rebuild {
            self.rebuild(rebuild);
        }
        entries
    }
}

impl<K, V, S> EvictingMap<K, V, S> {
    /// Removes every entry. `max_size` and policy stay.
    ///
    /// Takes O(n) to drop the entries, and gives their memory back. The map is
    /// empty even if a key or a value panics when it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.clear();
    /// assert!(map.is_empty());
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn clear(&mut self) {
        drop(self.drain());
    }

    /// Removes the entry of `slot` from the order, the index and the slab.
    ///
    /// The last slot takes its number.
    #[inline]
    fn remove_slot(&mut self, slot: u32) -> (K, V) {
        self.index.remove(self.slab.bucket(slot));
        let last = self.eviction.remove(slot);
        if last != slot {
            self.index.renumber(self.slab.bucket(last), slot);
        }
        self.slab.swap_remove(slot)
    }
}
