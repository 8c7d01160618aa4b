//! The specification as a program. Every rule stands where it is enforced.

use crate::operation::Refusal;
use crate::subject::Subject;

/// Which entry goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EvictionPolicy {
    /// L1: by last use, oldest first.
    Lru,
    /// F1: by use count, lowest first; within a count, by last use, oldest first.
    Lfu,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Entry<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    pub(crate) uses: u64,
}

/// A bounded cache, as simple as it can be: every operation is linear or worse.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Model, Subject};
///
/// let mut model = Model::new(EvictionPolicy::Lfu, 2);
/// model.insert("a", 1)?;
/// model.insert("b", 2)?;
/// assert_eq!(model.get(&"a"), Some(1));
/// assert_eq!(model.insert("c", 3)?, Some(("b", 2)));
/// # Ok::<(), aws_client_cache_spec::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Model<K, V> {
    pub(crate) policy: EvictionPolicy,
    pub(crate) max_size: usize,
    pub(crate) max_uses: u64,
    /// By last use, oldest first.
    pub(crate) entries: Vec<Entry<K, V>>,
}

impl<K, V> Model<K, V> {
    /// D1: an empty cache that holds at most `max_size` entries.
    ///
    /// ```
    /// # use aws_client_cache_spec::{EvictionPolicy, Model, Subject};
    /// let model: Model<u8, u8> = Model::new(EvictionPolicy::Lru, 3);
    /// assert_eq!(model.max_size(), 3);
    /// ```
    pub fn new(policy: EvictionPolicy, max_size: usize) -> Self {
        Self::with_max_uses(policy, max_size, u64::MAX)
    }

    /// The same, with use counts that saturate at `max_uses` (F1), which is at least 1.
    ///
    /// ```
    /// # use aws_client_cache_spec::{EvictionPolicy, Model, Subject};
    /// let mut model = Model::with_max_uses(EvictionPolicy::Lfu, 2, 1);
    /// model.insert('a', ()).unwrap();
    /// model.insert('b', ()).unwrap();
    /// model.get(&'a'); // counted as the latest use, but as no higher count
    /// assert_eq!(model.pop(), Ok(('b', ())));
    /// ```
    pub fn with_max_uses(policy: EvictionPolicy, max_size: usize, max_uses: u64) -> Self {
        Self { policy, max_size, max_uses: max_uses.max(1), entries: Vec::new() }
    }

    /// The keys and use counts by last use, oldest first: with the bound, all that a model consists of.
    pub(crate) fn by_last_use(&self) -> impl Iterator<Item = (&K, u64)> {
        self.entries.iter().map(|entry| (&entry.key, entry.uses))
    }

    /// L1, F1, D7: the places of the entries in the order in which they are to go. The sort is stable, so that the order of
    /// last use decides within a count.
    pub(crate) fn in_eviction_order(&self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.entries.len()).collect();
        match self.policy {
            EvictionPolicy::Lru => {}
            EvictionPolicy::Lfu => order.sort_by_key(|place| self.entries[*place].uses),
        }
        order
    }

    fn evict(&mut self) -> Option<(K, V)> {
        let victim = *self.in_eviction_order().first()?;
        let entry = self.entries.remove(victim);
        Some((entry.key, entry.value))
    }
}

impl<K: Eq, V> Model<K, V> {
    fn position(&self, key: &K) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == *key)
    }
}

impl<K: Clone + Eq, V: Clone> Subject<K, V> for Model<K, V> {
    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        if self.contains_key(&key) {
            return Err(Refusal::AlreadyExists); // D3
        }
        if self.max_size == 0 {
            return Ok(Some((key, value))); // D1, D2
        }
        let full = self.entries.len() == self.max_size;
        let victim = if full { self.evict() } else { None }; // D2, F1: chosen before the newcomer is placed
        let uses = 1; // F1, D10
        self.entries.push(Entry { key, value, uses });
        Ok(victim)
    }

    fn get(&mut self, key: &K) -> Option<V> {
        let mut entry = self.entries.remove(self.position(key)?); // D4
        entry.uses = self.max_uses.min(entry.uses + 1); // F1
        self.entries.push(entry); // L1, F1
        self.entries.last().map(|entry| entry.value.clone())
    }

    fn peek(&self, key: &K) -> Option<V> {
        Some(self.entries[self.position(key)?].value.clone()) // D5
    }

    fn contains_key(&self, key: &K) -> bool {
        self.position(key).is_some() // D5
    }

    fn remove(&mut self, key: &K) -> Result<V, Refusal> {
        let position = self.position(key).ok_or(Refusal::NotFound)?;
        let entry = self.entries.remove(position); // D6
        drop(entry.key); // here, or the value would leak if this panicked (P1)
        Ok(entry.value)
    }

    fn pop(&mut self) -> Result<(K, V), Refusal> {
        self.evict().ok_or(Refusal::Empty) // D6
    }

    fn clear(&mut self) {
        self.entries.clear();
    }

    fn copy(&self) -> Option<Self> {
        Some(self.clone()) // D8
    }

    fn max_size(&self) -> usize {
        self.max_size // D1
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(K, V)>> {
        self.max_size = max_size;
        let excess = self.entries.len().saturating_sub(max_size);
        Some((0..excess).filter_map(|_| self.evict()).collect()) // D9
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn items(&self) -> Vec<(K, V)> {
        let order = self.in_eviction_order(); // D7
        order.into_iter().map(|place| (self.entries[place].key.clone(), self.entries[place].value.clone())).collect()
    }
}
