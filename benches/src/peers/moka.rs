//! The crate `moka`.

use std::fmt::Debug;
use std::hash::Hash;

use aws_client_cache_spec::check::{Difference, FoundOrInserted};
use aws_client_cache_spec::{Policy, Refusal, SystemUnderTest};
use moka::sync::Cache;

use super::{Adapter, Hasher};

/// The adapter of `sync::Cache`, which runs pending tasks after each operation.
///
/// The crate has no strict LFU; its default, `TinyLFU`, is nearest. A clone shares the entries, so there is no copy.
pub(super) struct Moka<K, V>(Cache<K, V, Hasher>);

impl<K, V> Adapter<K, V> for Moka<K, V>
where
    K: Hash + Eq + Clone + Debug + Send + Sync + 'static,
    V: Clone + Debug + Send + Sync + 'static,
{
    fn new(policy: Policy, max_size: usize) -> Self {
        let policy = match policy {
            Policy::Lru => moka::policy::EvictionPolicy::lru(),
            Policy::Lfu | Policy::Lfuda => moka::policy::EvictionPolicy::tiny_lfu(),
        };
        let builder = Cache::builder().max_capacity(max_size as u64).eviction_policy(policy);
        Self(builder.build_with_hasher(Hasher::default()))
    }
}

impl<K, V> SystemUnderTest<K, V> for Moka<K, V>
where
    K: Hash + Eq + Clone + Debug + Send + Sync + 'static,
    V: Clone + Debug + Send + Sync + 'static,
{
    const DIFFERENCES: &'static [Difference] =
        &[Difference::VictimsNotReturned, Difference::NoPop, Difference::Unordered];

    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        self.0.insert(key, value);
        self.0.run_pending_tasks();
        Ok(None)
    }

    fn get(&mut self, key: &K) -> Option<V> {
        let value = self.0.get(key);
        self.0.run_pending_tasks();
        value
    }

    fn contains_key(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    fn remove(&mut self, key: &K) -> Result<V, Refusal> {
        let value = self.0.remove(key);
        self.0.run_pending_tasks();
        value.ok_or(Refusal::NotFound)
    }

    fn clear(&mut self) {
        self.0.invalidate_all();
        self.0.run_pending_tasks();
    }

    fn max_size(&self) -> usize {
        let bound = self.0.policy().max_capacity().expect("it was made with one");
        usize::try_from(bound).expect("it was one")
    }

    fn get_or_insert(&mut self, key: K, value: V) -> Option<FoundOrInserted<K, V>> {
        let found = self.0.get_with(key, || value);
        self.0.run_pending_tasks();
        Some(Ok((found, None)))
    }

    fn len(&self) -> usize {
        usize::try_from(self.0.entry_count()).expect("as many as fit in memory")
    }

    fn items(&self) -> Vec<(K, V)> {
        self.0.iter().map(|(key, value)| (K::clone(&key), value)).collect()
    }
}
