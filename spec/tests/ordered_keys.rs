//! Panic safety of a cache over a `BTreeMap`, which compares keys by order.

use std::collections::BTreeMap;
use std::mem::take;

use aws_client_cache_spec::check::{Callback, Difference, Injected, PanicProbe, inject_panic, panics};
use aws_client_cache_spec::{Explore, Model, Names, Refusal, Scope, SystemUnderTest};

type Key = PanicProbe<u8>;
type Value = PanicProbe<u64>;

/// An LRU of a `BTreeMap`.
#[derive(Clone)]
struct Ordered {
    max_size: usize,
    /// The values, each with the time of its last use.
    entries: BTreeMap<Key, (u64, Value)>,
    now: u64,
    /// Is `true` if a full cache evicts before the tree compares the new key.
    evicts_first: bool,
}

impl Ordered {
    fn new(max_size: usize, evicts_first: bool) -> Self {
        Self { max_size, entries: BTreeMap::new(), now: 0, evicts_first }
    }

    fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }

    /// Returns the entries, the next victim first.
    fn by_last_use(&self) -> Vec<(&Key, &(u64, Value))> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(_, (last_use, _))| *last_use);
        entries
    }

    /// Evicts entries until so many are left. No key is compared.
    fn shrink_to(&mut self, len: usize) {
        while self.entries.len() > len {
            let oldest = self.entries.values().map(|(last_use, _)| *last_use).min();
            self.entries.retain(|_, (last_use, _)| Some(*last_use) != oldest);
        }
    }
}

impl SystemUnderTest<Key, Value> for Ordered {
    const DIFFERENCES: &'static [Difference] = &[Difference::VictimsNotReturned];

    fn insert(&mut self, key: Key, value: Value) -> Result<Option<(Key, Value)>, Refusal> {
        if self.entries.contains_key(&key) {
            return Err(Refusal::AlreadyExists);
        }
        if self.evicts_first {
            self.shrink_to(self.max_size.saturating_sub(1));
        }
        let now = self.tick();
        self.entries.insert(key, (now, value));
        self.shrink_to(self.max_size);
        Ok(None)
    }

    fn get(&mut self, key: &Key) -> Option<Value> {
        let now = self.tick();
        let (last_use, value) = self.entries.get_mut(key)?;
        let found = value.clone();
        *last_use = now;
        Some(found)
    }

    fn remove(&mut self, key: &Key) -> Result<Value, Refusal> {
        let (key, (_, value)) = self.entries.remove_entry(key).ok_or(Refusal::NotFound)?;
        drop(key);
        Ok(value)
    }

    fn clear(&mut self) {
        drop(take(&mut self.entries));
    }

    fn copy(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn max_size(&self) -> usize {
        self.max_size
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(Key, Value)>> {
        self.shrink_to(max_size);
        self.max_size = max_size; // last, so that a panic leaves no more entries than the bound allows
        Some(Vec::new())
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn items(&self) -> Vec<(Key, Value)> {
        self.by_last_use().into_iter().map(|(key, (_, value))| (key.clone(), value.clone())).collect()
    }
}

impl Explore<Key, Value> for Ordered {
    fn fork(&self) -> Self {
        self.clone()
    }

    fn fingerprint(&self, names: Names<'_, Key>) -> Vec<u64> {
        self.by_last_use().into_iter().map(|(key, _)| names.of(key)).collect()
    }
}

#[test]
fn a_cache_over_a_tree_is_checked_under_panics() {
    let done = panics(Scope::new(2, 3), Model::lru, |max_size| Ordered::new(max_size, false)).unwrap();
    assert!(done.panics > 1_000, "{done:?}");
}

#[test]
fn a_cache_over_a_tree_that_evicts_before_a_panic_of_ord_is_refused() {
    let found = panics(Scope::new(2, 3), Model::lru, |max_size| Ordered::new(max_size, true)).unwrap_err();
    assert!(found.to_string().contains("panic_step(cache, &model, &Operation::Insert("), "{found}");
    assert!(found.to_string().contains("Callback::Eq"), "{found}");
}

#[test]
fn a_comparison_by_order_counts_as_a_call_of_eq() {
    let keys = [PanicProbe::new(1), PanicProbe::new(2)];
    assert_eq!(keys[0].cmp(&keys[1]), 1.cmp(&2));
    assert_eq!(inject_panic(Callback::Eq, 0, || keys[0].cmp(&keys[1])), Injected::Reached);
    assert_eq!(inject_panic(Callback::Eq, 0, || keys[0].partial_cmp(&keys[1])), Injected::Reached);
    assert_eq!(inject_panic(Callback::Eq, 1, || keys[0] < keys[1]), Injected::NotReached(true));
}
