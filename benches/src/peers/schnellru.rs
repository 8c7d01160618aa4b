//! The crate `schnellru`.

use std::fmt::Debug;
use std::hash::Hash;
use std::mem::replace;

use aws_client_cache_spec::check::{Difference, FoundOrInserted, from_both_ends};
use aws_client_cache_spec::{Explore, Policy, Refusal, SystemUnderTest};
use schnellru::{ByLength, LruMap};

use super::{Adapter, Hasher, entry};

/// The adapter of `LruMap`, limited by length.
///
/// The limit can be replaced, but that evicts nothing, so there is no resizing.
pub(super) struct Schnellru<K, V>(LruMap<K, V, ByLength, Hasher>);

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug> Adapter<K, V> for Schnellru<K, V> {
    fn new(_: Policy, max_size: usize) -> Self {
        let max_size = u32::try_from(max_size).expect("a bound of this peer's");
        Self(LruMap::with_hasher(ByLength::new(max_size), Hasher::default()))
    }
}

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug> SystemUnderTest<K, V> for Schnellru<K, V> {
    const DIFFERENCES: &'static [Difference] = &[Difference::VictimsNotReturned];

    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        self.0.insert(key, value);
        Ok(None)
    }

    fn get(&mut self, key: &K) -> Option<V> {
        self.0.get(key).cloned()
    }

    fn peek(&self, key: &K) -> Option<V> {
        self.0.peek(key).cloned()
    }

    fn remove(&mut self, key: &K) -> Result<V, Refusal> {
        self.0.remove(key).ok_or(Refusal::NotFound)
    }

    fn pop(&mut self) -> Result<(K, V), Refusal> {
        self.0.pop_oldest().ok_or(Refusal::Empty)
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn copy(&self) -> Option<Self> {
        Some(self.fork())
    }

    fn max_size(&self) -> usize {
        self.0.limiter().max_length() as usize
    }

    fn iterate(&self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        Some(from_both_ends(self.0.iter().rev().map(entry), from_back))
    }

    fn next_victim(&self) -> Option<Option<(K, V)>> {
        Some(self.0.peek_oldest().map(entry))
    }

    fn get_or_insert(&mut self, key: K, value: V) -> Option<FoundOrInserted<K, V>> {
        let given = value.clone();
        let found = self.0.get_or_insert(key, || value).cloned();
        Some(Ok((found.unwrap_or(given), None))) // at a bound of 0, the peer returns nothing
    }

    fn get_mut(&mut self, key: &K, value: V) -> Option<Option<V>> {
        Some(self.0.get(key).map(|present| replace(present, value)))
    }

    fn drain(&mut self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        Some(from_both_ends(self.0.drain().rev(), from_back))
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

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug> Explore<K, V> for Schnellru<K, V> {
    fn fork(&self) -> Self {
        Self(self.0.clone())
    }
}
