//! The engine as a subject of the specification.

use std::fmt::Debug;
use std::hash::{BuildHasher, Hash};

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::{DefaultHashBuilder, EvictingMap, GetOrInsert, Replaced};
use aws_client_cache_spec::check::{FoundOrInserted, from_both_ends};
use aws_client_cache_spec::{self as spec, Explore, Names, Refusal, SystemUnderTest};

/// Converts a policy of the specification to the engine's.
pub fn policy(policy: spec::Policy) -> EvictionPolicy {
    match policy {
        spec::Policy::Lru => EvictionPolicy::Lru,
        spec::Policy::Lfu => EvictionPolicy::Lfu,
        spec::Policy::Lfuda => EvictionPolicy::Lfuda,
    }
}

/// An [`EvictingMap`] under test, whose insertion replaces a present key if `REPLACES`.
#[derive(Debug)]
pub struct Engine<K, V, S = DefaultHashBuilder, const REPLACES: bool = false>(pub EvictingMap<K, V, S>);

impl<K, V> Engine<K, V> {
    pub fn new(spec_policy: spec::Policy, max_size: usize) -> Self {
        Self(EvictingMap::new(policy(spec_policy), max_size))
    }

    /// Creates a map whose use counts saturate at `max_uses`.
    pub fn with_max_uses(spec_policy: spec::Policy, max_size: usize, max_uses: u64) -> Self {
        let hasher = DefaultHashBuilder::default();
        Self(EvictingMap::with_max_uses(policy(spec_policy), max_size, hasher, max_uses))
    }
}

impl<K, V, S, const REPLACES: bool> SystemUnderTest<K, V> for Engine<K, V, S, REPLACES>
where
    K: Hash + Eq + Clone + Debug,
    V: Clone + Debug,
    S: BuildHasher + Clone,
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
        Some(Self(self.0.clone()))
    }

    fn max_size(&self) -> usize {
        self.0.max_size()
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(K, V)>> {
        Some(self.0.set_max_size(max_size))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn items(&self) -> Vec<(K, V)> {
        self.0.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    fn check(&self) -> Result<(), String> {
        self.0.check()
    }

    fn iterate(&self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        Some(from_both_ends(self.0.iter().map(|(key, value)| (key.clone(), value.clone())), from_back))
    }

    fn next_victim(&self) -> Option<Option<(K, V)>> {
        Some(self.0.peek_next_victim().map(|(key, value)| (key.clone(), value.clone())))
    }

    fn get_or_insert(&mut self, key: K, value: V) -> Option<FoundOrInserted<K, V>> {
        Some(Ok(match self.0.get_or_insert_with(key, || value) {
            GetOrInsert::Present(value) => (value.clone(), None),
            GetOrInsert::Inserted { value, evicted } => (value.clone(), evicted),
            GetOrInsert::NotStored { key, value } => (value.clone(), Some((key, value))),
        }))
    }

    fn get_mut(&mut self, key: &K, value: V) -> Option<Option<V>> {
        Some(self.0.get_mut(key).map(|present| std::mem::replace(present, value)))
    }

    fn retain(&mut self, keep: &mut dyn FnMut(&K, &V) -> bool) -> Option<()> {
        self.0.retain(|key, value| keep(key, value));
        Some(())
    }

    fn drain(&mut self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        Some(from_both_ends(self.0.drain(), from_back))
    }

    fn contains_key(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn keys(&self) -> Vec<K> {
        self.0.keys().cloned().collect()
    }

    fn values(&self) -> Vec<V> {
        self.0.values().cloned().collect()
    }

    fn reversed(&self) -> Vec<(K, V)> {
        self.0.iter().rev().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

impl<K, V, S, const REPLACES: bool> Explore<K, V> for Engine<K, V, S, REPLACES>
where
    K: Hash + Eq + Clone + Debug,
    V: Clone + Debug,
    S: BuildHasher + Clone,
{
    fn fork(&self) -> Self {
        Self(self.0.clone())
    }

    fn fingerprint(&self, names: Names<'_, K>) -> Vec<u64> {
        self.0.fingerprint(|key| names.of(key), names.are_own())
    }
}
