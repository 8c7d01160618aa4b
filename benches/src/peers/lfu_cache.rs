//! The crate `lfu_cache`.

use std::fmt::Debug;
use std::hash::Hash;
use std::mem::replace;
use std::num::NonZeroUsize;

use aws_client_cache_spec::check::{Difference, FoundOrInserted};
use aws_client_cache_spec::{Policy, Refusal, SystemUnderTest};
use lfu_cache::LfuCache;

use super::{Adapter, entry};

/// The adapter of `LfuCache`.
///
/// The crate takes a bound of 0 as no bound. Insertion returns the value that is evicted or replaced; the adapter adds its
/// key. A replacement resets the count, as documented. The hasher is random, so the adapter lists entries in the order of
/// their keys.
///
/// `entry` does not count the entries that it inserts. In a full cache it leaves a freed entry in the table, which is used
/// again later. So the adapter inserts by `insert` there, and by `entry` only below the bound.
pub(super) struct Lfu<K: Hash + Eq, V>(LfuCache<K, V>);

impl<K: Hash + Ord + Clone + Debug, V: Clone + Debug> Adapter<K, V> for Lfu<K, V> {
    fn new(_: Policy, max_size: usize) -> Self {
        Self(LfuCache::with_capacity(max_size))
    }
}

impl<K: Hash + Ord + Clone + Debug, V: Clone + Debug> SystemUnderTest<K, V> for Lfu<K, V> {
    const DIFFERENCES: &'static [Difference] =
        &[Difference::NoZero, Difference::VictimsNotReturned, Difference::Unordered];

    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        let leaves = if self.contains_key(&key) { Some(key.clone()) } else { self.0.peek_lfu_key().cloned() };
        Ok(leaves.zip(self.0.insert(key, value)))
    }

    fn get(&mut self, key: &K) -> Option<V> {
        self.0.get(key).cloned()
    }

    fn remove(&mut self, key: &K) -> Result<V, Refusal> {
        self.0.remove(key).ok_or(Refusal::NotFound)
    }

    fn pop(&mut self) -> Result<(K, V), Refusal> {
        self.0.pop_lfu_key_value().ok_or(Refusal::Empty)
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn max_size(&self) -> usize {
        self.0.capacity().map_or(0, NonZeroUsize::get)
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(K, V)>> {
        self.0.set_capacity(max_size);
        Some(Vec::new())
    }

    fn next_victim(&self) -> Option<Option<(K, V)>> {
        Some(self.0.peek_lfu_key().zip(self.0.peek_lfu()).map(entry))
    }

    fn get_or_insert(&mut self, key: K, value: V) -> Option<FoundOrInserted<K, V>> {
        let is_full = self.len() == self.max_size();
        if is_full && !self.contains_key(&key) {
            self.0.insert(key, value.clone());
            return Some(Ok((value, None)));
        }
        Some(Ok((self.0.entry(key).or_insert(value).clone(), None)))
    }

    fn get_mut(&mut self, key: &K, value: V) -> Option<Option<V>> {
        Some(self.0.get_mut(key).map(|present| replace(present, value)))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn items(&self) -> Vec<(K, V)> {
        let mut items: Vec<_> = self.0.peek_iter().map(entry).collect();
        items.sort_by(|(one, _), (other, _)| one.cmp(other));
        items
    }
}
