//! The crate `quick_cache`.

use std::convert::Infallible;
use std::fmt::Debug;
use std::hash::Hash;
use std::mem::replace;

use aws_client_cache_spec::check::{Difference, FoundOrInserted};
use aws_client_cache_spec::{Explore, Policy, Refusal, SystemUnderTest};
use quick_cache::UnitWeighter;
use quick_cache::unsync::{Cache, DefaultLifecycle};

use super::{Adapter, Hasher, entry};

/// The adapter of `unsync::Cache`, in which every entry has weight 1.
pub(super) struct QuickCache<K, V>(Cache<K, V, UnitWeighter, Hasher>);

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug> Adapter<K, V> for QuickCache<K, V> {
    fn new(_: Policy, max_size: usize) -> Self {
        let lifecycle = DefaultLifecycle::default();
        Self(Cache::with(max_size, max_size as u64, UnitWeighter, Hasher::default(), lifecycle))
    }
}

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug> SystemUnderTest<K, V> for QuickCache<K, V> {
    const DIFFERENCES: &'static [Difference] =
        &[Difference::VictimsNotReturned, Difference::NoPop, Difference::Unordered];

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

    fn contains_key(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    fn remove(&mut self, key: &K) -> Result<V, Refusal> {
        let (key, value) = self.0.remove(key).ok_or(Refusal::NotFound)?;
        drop(key); // here, or the value would leak if this panicked
        Ok(value)
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn copy(&self) -> Option<Self> {
        Some(self.fork())
    }

    fn max_size(&self) -> usize {
        usize::try_from(self.0.capacity()).expect("a bound that was set")
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(K, V)>> {
        self.0.set_capacity(max_size as u64);
        Some(Vec::new())
    }

    fn get_or_insert(&mut self, key: K, value: V) -> Option<FoundOrInserted<K, V>> {
        let given = value.clone();
        let Ok(found) = self.0.get_or_insert_with(&key, || Ok::<_, Infallible>(value));
        Some(Ok((found.cloned().unwrap_or(given), None))) // one that is not admitted is not returned
    }

    fn get_mut(&mut self, key: &K, value: V) -> Option<Option<V>> {
        Some(self.0.get_mut(key).map(|mut present| replace(&mut *present, value)))
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
}

impl<K: Hash + Eq + Clone + Debug, V: Clone + Debug> Explore<K, V> for QuickCache<K, V> {
    fn fork(&self) -> Self {
        Self(self.0.clone())
    }
}
