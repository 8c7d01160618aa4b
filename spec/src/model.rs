//! The specification as a program. Each rule number stands where the rule is enforced.

use crate::expiry::Expiry;
use crate::operation::Refusal;
use crate::subject::Subject;

/// The order in which entries are evicted.
///
/// [`Model`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EvictionPolicy {
    // L1.
    /// By last use, oldest first.
    Lru,
    // F1.
    /// By use count, lowest first; within a count, by last use, oldest first.
    Lfu,
    // F2.
    /// By weight, lowest first; within a weight, by last use, oldest first.
    ///
    /// A weight is a count that starts above the weight of the last victim, so that entries that were busy once are
    /// evicted in time.
    Lfuda,
}

impl EvictionPolicy {
    /// All policies.
    ///
    /// ```
    /// # use aws_client_cache_spec::EvictionPolicy;
    /// assert!(EvictionPolicy::ALL.contains(&EvictionPolicy::Lfuda));
    /// ```
    pub const ALL: [Self; 3] = [Self::Lru, Self::Lfu, Self::Lfuda];
}

/// The effect of inserting a present key.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, InsertionMode, Model, Refusal, Subject};
///
/// let model = |insertion| {
///     let mut model = Model::new(EvictionPolicy::Lru, 2).with_insertion(insertion);
///     assert_eq!(model.insert('a', 1), Ok(None));
///     (model.insert('a', 2), model.items())
/// };
/// assert_eq!(model(InsertionMode::Refuse), (Err(Refusal::AlreadyExists), vec![('a', 1)]));
/// assert_eq!(model(InsertionMode::Replace), (Ok(Some(('a', 1))), vec![('a', 2)]));
/// assert_eq!(model(InsertionMode::KeepFirst), (Ok(None), vec![('a', 1)]));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InsertionMode {
    // D3.
    /// It is an error, and changes nothing.
    #[default]
    Refuse,
    // D13.
    /// The value is replaced, and the old one returned.
    ///
    /// The entry becomes the most recently used one of its use count, and the count stays.
    Replace,
    // D14.
    /// The present entry stays unchanged, without an error.
    KeepFirst,
}

impl InsertionMode {
    /// All modes.
    ///
    /// ```
    /// # use aws_client_cache_spec::InsertionMode;
    /// assert!(InsertionMode::ALL.contains(&InsertionMode::default()));
    /// ```
    pub const ALL: [Self; 3] = [Self::Refuse, Self::Replace, Self::KeepFirst];

    /// Returns the call that sets the mode, as Rust code.
    ///
    /// There is none for the default.
    pub(crate) fn call(self) -> String {
        if self == Self::default() { String::new() } else { format!(".with_insertion(InsertionMode::{self:?})") }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Entry<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    // F1.
    /// The use count, or F2: the weight.
    pub(crate) uses: u64,
}

/// A bounded cache, as simple as possible: every operation is linear or worse.
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
    // D3, D13, D14.
    pub(crate) insertion: InsertionMode,
    // F2.
    /// The weight of the last victim; 0 at first, and under the other policies.
    pub(crate) floor: u64,
    /// By last use, oldest first.
    pub(crate) entries: Vec<Entry<K, V>>,
    pub(crate) expiry: Expiry<K>,
}

impl<K, V> Model<K, V> {
    // D1.
    /// Creates an empty cache that holds at most `max_size` entries.
    ///
    /// ```
    /// # use aws_client_cache_spec::{EvictionPolicy, Model, Subject};
    /// let model: Model<u8, u8> = Model::new(EvictionPolicy::Lru, 3);
    /// assert_eq!(model.max_size(), 3);
    /// ```
    pub fn new(policy: EvictionPolicy, max_size: usize) -> Self {
        Self::with_max_uses(policy, max_size, u64::MAX)
    }

    /// Sets the value, at least 1, at which use counts and weights saturate (F1, F2).
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
        let (max_uses, insertion) = (max_uses.max(1), InsertionMode::default());
        Self { policy, max_size, max_uses, insertion, floor: 0, entries: Vec::new(), expiry: Expiry::new() }
    }

    /// Sets the effect of inserting a present key, which is refused by default.
    ///
    /// [`InsertionMode`] shows an example.
    #[must_use]
    pub fn with_insertion(mut self, insertion: InsertionMode) -> Self {
        self.insertion = insertion;
        self
    }

    // E5.
    /// Returns the time to which the clock was last set, 0 at first.
    ///
    /// ```
    /// # use aws_client_cache_spec::{EvictionPolicy, Model, Subject};
    /// let mut model: Model<u8, u8> = Model::new(EvictionPolicy::Lru, 3);
    /// assert_eq!(model.now(), 0);
    /// model.set_time(7);
    /// assert_eq!(model.now(), 7);
    /// ```
    pub fn now(&self) -> u64 {
        self.expiry.now()
    }

    /// Returns the keys and use counts by last use, oldest first.
    ///
    /// Together with the bound, the floor and, if keys expire, the clock, they are the whole state of a model.
    pub(crate) fn by_last_use(&self) -> impl Iterator<Item = (&K, u64)> {
        self.entries.iter().map(|entry| (&entry.key, entry.uses))
    }

    // L1, F1, F2, D7.
    /// Returns the indices of the entries in eviction order.
    ///
    /// The sort is stable, so that the order of last use decides within a count.
    pub(crate) fn in_eviction_order(&self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.entries.len()).collect();
        match self.policy {
            EvictionPolicy::Lru => {}
            EvictionPolicy::Lfu | EvictionPolicy::Lfuda => order.sort_by_key(|place| self.entries[*place].uses),
        }
        order
    }

    /// Removes the next victim, for any reason.
    fn take_next(&mut self) -> Option<Entry<K, V>> {
        let victim = *self.in_eviction_order().first()?;
        Some(self.entries.remove(victim))
    }

    /// Removes the next victim to make room, which alone moves the floor.
    pub(crate) fn evict(&mut self) -> Option<(K, V)> {
        let victim = self.take_next()?;
        if self.policy == EvictionPolicy::Lfuda {
            self.floor = victim.uses; // F2
        }
        Some((victim.key, victim.value))
    }
}

impl<K: Eq, V> Model<K, V> {
    // E1.
    /// Makes a key expire at a time, for the life of the model.
    ///
    /// Call it once for each key that expires. Of two calls for one key, the latter counts.
    ///
    /// ```
    /// # use aws_client_cache_spec::{EvictionPolicy, Model, Refusal, Subject};
    /// let mut model = Model::new(EvictionPolicy::Lru, 2).with_expiry('a', 10);
    /// model.insert('a', 1)?;
    /// model.set_time(9);
    /// assert_eq!(model.try_get(&'a'), Ok(1));
    /// model.set_time(10);
    /// assert_eq!(model.try_get(&'a'), Err(Refusal::Expired));
    /// assert_eq!(model.try_get(&'a'), Err(Refusal::NotFound)); // it is gone
    /// # Ok::<(), Refusal>(())
    /// ```
    #[must_use]
    pub fn with_expiry(mut self, key: K, at: u64) -> Self {
        self.expiry = self.expiry.with(key, at);
        self
    }

    /// Returns the index of an entry, expired or not.
    pub(crate) fn position(&self, key: &K) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == *key)
    }
}

impl<K: Clone + Eq, V: Clone> Subject<K, V> for Model<K, V> {
    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        if self.expiry.is_past(&key) {
            return Err(Refusal::Expired); // E2, before D3
        }
        if let Some(position) = self.position(&key) {
            return match self.insertion {
                InsertionMode::Refuse => Err(Refusal::AlreadyExists), // D3
                InsertionMode::Replace => {
                    let Entry { key: stored, value: old, uses } = self.entries.remove(position);
                    self.entries.push(Entry { key: stored, value, uses }); // D13: the count stays
                    Ok(Some((key, old)))
                }
                InsertionMode::KeepFirst => Ok(None), // D14
            };
        }
        if self.max_size == 0 {
            return Ok(Some((key, value))); // D1, D2, F2: the floor stays
        }
        let full = self.entries.len() == self.max_size;
        let victim = if full { self.evict() } else { None }; // D2, F1: chosen before the newcomer is placed
        let uses = self.max_uses.min(self.floor + 1); // F1, F2, D10
        self.entries.push(Entry { key, value, uses });
        Ok(victim)
    }

    fn get(&mut self, key: &K) -> Option<V> {
        self.try_get(key).ok() // D4, E3: the same, but that nothing is said of why it is a miss
    }

    fn try_get(&mut self, key: &K) -> Result<V, Refusal> {
        let position = self.position(key).ok_or(Refusal::NotFound)?; // D4, and E3: whether the key is expired or not
        let is_expired = self.expiry.is_past(key);
        let mut entry = self.entries.remove(position);
        if is_expired {
            return Err(Refusal::Expired); // E3: and so the entry is gone
        }
        entry.uses = self.max_uses.min(entry.uses + 1); // F1, F2
        self.entries.push(entry); // L1, F1, F2
        self.entries.last().map(|entry| entry.value.clone()).ok_or(Refusal::NotFound)
    }

    fn peek(&self, key: &K) -> Option<V> {
        let position = self.position(key).filter(|_| !self.expiry.is_past(key)); // E4
        Some(self.entries[position?].value.clone()) // D5
    }

    fn contains_key(&self, key: &K) -> bool {
        self.position(key).is_some() && !self.expiry.is_past(key) // D5, E4
    }

    fn remove(&mut self, key: &K) -> Result<V, Refusal> {
        let position = self.position(key).ok_or(Refusal::NotFound)?;
        let entry = self.entries.remove(position); // D6
        drop(entry.key); // here, or the value would leak if this panicked (P1)
        Ok(entry.value)
    }

    fn pop(&mut self) -> Result<(K, V), Refusal> {
        let entry = self.take_next().ok_or(Refusal::Empty)?; // D6
        Ok((entry.key, entry.value))
    }

    fn clear(&mut self) {
        self.floor = 0; // F2, and before the entries are dropped (P1)
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

    fn set_time(&mut self, now: u64) -> Option<()> {
        self.expiry.set_time(now); // E5
        Some(())
    }

    fn remove_expired(&mut self) -> Option<Vec<(K, V)>> {
        // Keys are compared before the first entry goes (P1).
        let is_expired = |place: &usize| self.expiry.is_past(&self.entries[*place].key);
        let expired: Vec<_> = self.in_eviction_order().into_iter().filter(is_expired).collect();
        let mut left: Vec<_> = std::mem::take(&mut self.entries).into_iter().map(Some).collect();
        let removed = expired.into_iter().filter_map(|place| left[place].take()); // E4
        let removed = removed.map(|entry| (entry.key, entry.value)).collect();
        self.entries = left.into_iter().flatten().collect();
        Some(removed)
    }

    fn len(&self) -> usize {
        self.entries.len() // E4: expired or not, as in all that follows
    }

    fn items(&self) -> Vec<(K, V)> {
        let order = self.in_eviction_order(); // D7
        order.into_iter().map(|place| (self.entries[place].key.clone(), self.entries[place].value.clone())).collect()
    }
}
