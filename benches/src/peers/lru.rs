//! The crate `lru`.

use std::fmt::Debug;
use std::hash::Hash;
use std::mem::replace;
use std::num::NonZeroUsize;

use aws_client_cache_spec::check::{Difference, FoundOrInserted, from_both_ends};
use aws_client_cache_spec::{Explore, Policy, Refusal, SystemUnderTest};
use lru::LruCache;

use super::{Adapter, Hasher, entry};

/// The adapter of `LruCache`.
///
/// `push` returns the entry that is evicted or replaced. `resize` and `get_or_insert` do not: the adapter compares the
/// entries before and after them. `retain` asks about the most recently used entry first, so it is not adapted.
pub(super) struct Lru<K, V>(LruCache<K, V, Hasher>);

fn bound(max_size: usize) -> NonZeroUsize {
    NonZeroUsize::new(max_size).expect("`NoZero` is declared")
}

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug> Adapter<K, V> for Lru<K, V> {
    fn new(_: Policy, max_size: usize) -> Self {
        Self(LruCache::with_hasher(bound(max_size), Hasher::default()))
    }
}

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug> SystemUnderTest<K, V> for Lru<K, V> {
    const DIFFERENCES: &'static [Difference] = &[Difference::NoZero];

    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        Ok(self.0.push(key, value))
    }

    fn get(&mut self, key: &K) -> Option<V> {
        self.0.get(key).cloned()
    }

    fn peek(&self, key: &K) -> Option<V> {
        self.0.peek(key).cloned()
    }

    fn contains_key(&self, key: &K) -> bool {
        self.0.contains(key)
    }

    fn remove(&mut self, key: &K) -> Result<V, Refusal> {
        self.0.pop(key).ok_or(Refusal::NotFound)
    }

    fn pop(&mut self) -> Result<(K, V), Refusal> {
        self.0.pop_lru().ok_or(Refusal::Empty)
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn copy(&self) -> Option<Self> {
        Some(self.fork())
    }

    fn max_size(&self) -> usize {
        self.0.cap().get()
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(K, V)>> {
        let mut gone = self.items();
        self.0.resize(bound(max_size));
        gone.retain(|(key, _)| !self.0.contains(key));
        Some(gone)
    }

    fn iterate(&self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        Some(from_both_ends(self.0.iter().rev().map(entry), from_back))
    }

    fn next_victim(&self) -> Option<Option<(K, V)>> {
        Some(self.0.peek_lru().map(entry))
    }

    fn get_or_insert(&mut self, key: K, value: V) -> Option<FoundOrInserted<K, V>> {
        let mut gone = self.items();
        let found = self.0.get_or_insert(key, || value).clone();
        gone.retain(|(key, _)| !self.0.contains(key));
        Some(Ok((found, gone.pop())))
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
        self.0.iter().rev().map(entry).collect()
    }

    fn reversed(&self) -> Vec<(K, V)> {
        self.0.iter().map(entry).collect()
    }
}

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug> Explore<K, V> for Lru<K, V> {
    fn fork(&self) -> Self {
        Self(self.0.clone())
    }
}
