//! Our own engine, through its public functions alone, like a peer.

use std::fmt::Debug;
use std::hash::Hash;
use std::mem::replace;

use aws_client_cache::map::{EvictingMap, GetOrInsert, Replaced};
use aws_client_cache_spec::check::{FoundOrInserted, from_both_ends};
use aws_client_cache_spec::{Explore, InsertionMode, Policy, Refusal, SystemUnderTest};

use super::{Adapter, Hasher, entry};

/// The engine, which declares no differences.
///
/// Its `insert` refuses present keys, and its `replace` replaces them. `REPLACES` chooses between the two.
pub(super) struct Engine<K, V, const REPLACES: bool = false>(EvictingMap<K, V, Hasher>);

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug, const REPLACES: bool> Adapter<K, V> for Engine<K, V, REPLACES> {
    const INSERTION: InsertionMode = if REPLACES { InsertionMode::Replace } else { InsertionMode::Refuse };

    fn new(policy: Policy, max_size: usize) -> Self {
        let policy = match policy {
            Policy::Lru => aws_client_cache::EvictionPolicy::Lru,
            Policy::Lfu => aws_client_cache::EvictionPolicy::Lfu,
            Policy::Lfuda => aws_client_cache::EvictionPolicy::Lfuda,
        };
        Self(EvictingMap::with_hasher(policy, max_size, Hasher::default()))
    }
}

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug, const REPLACES: bool> SystemUnderTest<K, V>
    for Engine<K, V, REPLACES>
{
    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        if !REPLACES {
            return self.0.insert(key, value).map_err(|_| Refusal::AlreadyExists);
        }
        let evicted = match self.0.replace(key.clone(), value) {
            Replaced::Present(old) => return Ok(Some((key, old))),
            Replaced::Absent { evicted } => evicted,
        };
        drop(key); // here, or the evicted entry would leak if this panicked
        Ok(evicted)
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
        self.0.pop().ok_or(Refusal::Empty)
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn copy(&self) -> Option<Self> {
        Some(self.fork())
    }

    fn max_size(&self) -> usize {
        self.0.max_size()
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(K, V)>> {
        Some(self.0.set_max_size(max_size))
    }

    fn iterate(&self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        Some(from_both_ends(self.0.iter().map(entry), from_back))
    }

    fn next_victim(&self) -> Option<Option<(K, V)>> {
        Some(self.0.peek_next_victim().map(entry))
    }

    fn get_or_insert(&mut self, key: K, value: V) -> Option<FoundOrInserted<K, V>> {
        Some(Ok(match self.0.get_or_insert_with(key, || value) {
            GetOrInsert::Present(value) => (value.clone(), None),
            GetOrInsert::Inserted { value, evicted } => (value.clone(), evicted),
            GetOrInsert::NotStored { key, value } => (value.clone(), Some((key, value))),
        }))
    }

    fn get_mut(&mut self, key: &K, value: V) -> Option<Option<V>> {
        Some(self.0.get_mut(key).map(|present| replace(present, value)))
    }

    fn retain(&mut self, keep: &mut dyn FnMut(&K, &V) -> bool) -> Option<()> {
        self.0.retain(|key, value| keep(key, value));
        Some(())
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

    fn keys(&self) -> Vec<K> {
        self.0.keys().cloned().collect()
    }

    fn values(&self) -> Vec<V> {
        self.0.values().cloned().collect()
    }

    fn reversed(&self) -> Vec<(K, V)> {
        self.0.iter().rev().map(entry).collect()
    }
}

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug, const REPLACES: bool> Explore<K, V> for Engine<K, V, REPLACES> {
    fn fork(&self) -> Self {
        Self(self.0.clone())
    }
}
