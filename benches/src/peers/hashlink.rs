//! The crate `hashlink`.

use std::fmt::Debug;
use std::hash::Hash;
use std::mem::replace;

use aws_client_cache_spec::check::{Difference, from_both_ends};
use aws_client_cache_spec::{Explore, Policy, Refusal, SystemUnderTest};
use hashlink::LruCache;

use super::{Adapter, Hasher, entry};

/// The adapter of `LruCache`.
///
/// Insertion returns the value that is replaced, but not the entry that is evicted. `entry` can exceed the bound by 1, as
/// documented, and `retain` asks in no order, so neither is adapted.
pub(super) struct Hashlink<K, V>(LruCache<K, V, Hasher>);

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug> Adapter<K, V> for Hashlink<K, V> {
    fn new(_: Policy, max_size: usize) -> Self {
        Self(LruCache::with_hasher(max_size, Hasher::default()))
    }
}

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug> SystemUnderTest<K, V> for Hashlink<K, V> {
    const DIFFERENCES: &'static [Difference] = &[Difference::VictimsNotReturned];

    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        let given = key.clone();
        Ok(self.0.insert(key, value).map(|replaced| (given, replaced)))
    }

    fn get(&mut self, key: &K) -> Option<V> {
        self.0.get(key).cloned()
    }

    fn peek(&self, key: &K) -> Option<V> {
        self.0.peek(key).cloned()
    }

    fn contains_key(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    fn remove(&mut self, key: &K) -> Result<V, Refusal> {
        self.0.remove(key).ok_or(Refusal::NotFound)
    }

    fn pop(&mut self) -> Result<(K, V), Refusal> {
        self.0.remove_lru().ok_or(Refusal::Empty)
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn copy(&self) -> Option<Self> {
        Some(self.fork())
    }

    fn max_size(&self) -> usize {
        self.0.capacity()
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(K, V)>> {
        self.0.set_capacity(max_size);
        Some(Vec::new())
    }

    fn iterate(&self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        Some(from_both_ends(self.0.iter().map(entry), from_back))
    }

    fn next_victim(&self) -> Option<Option<(K, V)>> {
        Some(self.0.iter().next().map(entry))
    }

    fn get_mut(&mut self, key: &K, value: V) -> Option<Option<V>> {
        Some(self.0.get_mut(key).map(|present| replace(present, value)))
    }

    fn drain(&mut self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        Some(from_both_ends(self.0.drain(), from_back))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn items(&self) -> Vec<(K, V)> {
        self.0.iter().map(entry).collect()
    }

    fn reversed(&self) -> Vec<(K, V)> {
        self.0.iter().rev().map(entry).collect()
    }
}

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug> Explore<K, V> for Hashlink<K, V> {
    fn fork(&self) -> Self {
        Self(self.0.clone())
    }
}
