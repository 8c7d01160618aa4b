//! The crate `lfu_cache`.

use std::fmt::Debug;
use std::hash::Hash;
use std::num::NonZeroUsize;

use aws_client_cache_spec::check::Difference;
use aws_client_cache_spec::{Policy, Refusal, SystemUnderTest};
use lfu_cache::LfuCache;

use super::{Adapter, entry};

/// The adapter of `LfuCache`.
///
/// The crate takes a bound of 0 as no bound. Insertion returns the value that is evicted or replaced, but not
/// its key. A replacement resets the count, as documented. The hasher is
/// random, so the adapter lists entries in the order of their keys.
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
        self.0.insert(key, value);
        Ok(None)
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
