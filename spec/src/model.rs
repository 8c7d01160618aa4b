//! The programs that a cache is compared with: references, and the operations that they answer.
//!
//! [`Model`] is the specification as a program: a bounded dict, and the order in which it evicts. In its source, the number
//! of each of the [`rules`] stands where the rule is enforced. [`Expiring`] adds expiry to any reference. [`Dict`] leaves the
//! order open.

use std::mem::{replace, swap};

pub use crate::dict::Dict;
pub use crate::expiry::Expiring;
pub use crate::operation::{OperationKind, OperationKinds};
pub use crate::reference::{Reference, follow};

use crate::operation::{Operation, Outcome, Refusal};

#[doc = include_str!("../SPEC.md")]
pub mod rules {}

/// The order in which entries are evicted.
///
/// [`Model`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
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

/// The effect of inserting a present key.
///
/// ```
/// use aws_client_cache_spec::{InsertionMode, Model, Refusal, SystemUnderTest};
///
/// let model = |insertion| {
///     let mut model = Model::lru(2).with_insertion(insertion);
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

/// A bounded cache, as simple as possible: every operation is linear or worse.
///
/// ```
/// use aws_client_cache_spec::{Model, Policy, SystemUnderTest};
///
/// let mut model = Model::new(Policy::Lfu, 2);
/// model.insert("a", 1)?;
/// model.insert("b", 2)?;
/// assert_eq!(model.get(&"a"), Some(1));
/// assert_eq!(model.insert("c", 3)?, Some(("b", 2)));
/// # Ok::<(), aws_client_cache_spec::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Model<K, V> {
    pub(crate) policy: Policy,
    pub(crate) insertion: InsertionMode,
    /// The count at which the harness stops counting.
    pub(crate) max_uses: u64,
    // D1.
    pub(crate) max_size: usize,
    // F2.
    /// The weight of the last victim; 0 at first, and under the other policies.
    pub(crate) floor: u64,
    // L1.
    /// By last use, oldest first.
    pub(crate) entries: Vec<Entry<K, V>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Entry<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    // F1, F2.
    /// The use count, or the weight.
    pub(crate) uses: u64,
}

impl<K: Clone + Eq, V: Clone> Model<K, V> {
    /// Applies an operation of the dict.
    ///
    /// All other operations follow from these, and from the order.
    pub(crate) fn follow(&mut self, operation: &Operation<K, V>) -> Outcome<K, V> {
        match operation {
            Operation::Insert(key, value) => self.put(key.clone(), value.clone()),
            Operation::Get(key) | Operation::GetMut(key, _) => {
                let Some(position) = self.position(key) else { return Outcome::Value(None) }; // D4
                let mut value = match operation {
                    Operation::GetMut(_, new) => new.clone(),
                    _ => self.entries[position].value.clone(),
                };
                if matches!(operation, Operation::GetMut(..)) {
                    swap(&mut self.entries[position].value, &mut value); // D4: the old value is returned
                }
                let mut entry = self.entries.remove(position);
                entry.uses += 1; // F1, F2
                self.entries.push(entry); // L1
                Outcome::Value(Some(value)) // D4
            }
            Operation::Remove(key) => {
                let Some(position) = self.position(key) else { return Outcome::Refused(Refusal::NotFound) }; // D6
                let Entry { key, value, .. } = self.entries.remove(position);
                drop(key); // here, or the value would leak if this panicked
                Outcome::Value(Some(value)) // D6
            }
            Operation::Pop => match self.take_next() {
                Some(entry) => Outcome::Entry(entry.key, entry.value), // D6
                None => Outcome::Refused(Refusal::Empty),              // D6
            },
            Operation::Clear => {
                self.floor = 0; // F2
                self.entries.clear();
                Outcome::Done
            }
            Operation::SetMaxSize(max_size) => {
                self.max_size = *max_size; // D1
                Outcome::Evicted(self.evict_down_to(*max_size)) // D9
            }
            _ => Outcome::Missing,
        }
    }

    pub(crate) fn put(&mut self, key: K, value: V) -> Outcome<K, V> {
        match (self.position(&key), self.insertion) {
            (Some(_), InsertionMode::Refuse) => Outcome::Refused(Refusal::AlreadyExists), // D3
            (Some(_), InsertionMode::KeepFirst) => Outcome::Evicted(Vec::new()),          // D14
            (Some(position), InsertionMode::Replace) => {
                let mut entry = self.entries.remove(position);
                let old = replace(&mut entry.value, value);
                self.entries.push(entry); // D13: the stored key and the count stay
                Outcome::Evicted(vec![(key, old)])
            }
            (None, _) if self.max_size == 0 => Outcome::Evicted(vec![(key, value)]), // D1, D2, F2: the floor stays
            (None, _) => {
                let evicted = self.evict_down_to(self.max_size - 1); // D2, F1: before the new entry is placed
                self.entries.push(Entry { key, value, uses: self.floor + 1 }); // F1, F2, D10
                Outcome::Evicted(evicted)
            }
        }
    }
}

impl<K, V> Model<K, V> {
    /// Returns the positions of the entries, next victim first (D7).
    pub(crate) fn order(&self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.entries.len()).collect(); // L1
        if self.policy != Policy::Lru {
            order.sort_by_key(|position| self.entries[*position].uses); // F1, F2: a stable sort
        }
        order
    }

    pub(crate) fn take_next(&mut self) -> Option<Entry<K, V>> {
        self.order().first().map(|next| self.entries.remove(*next))
    }

    /// Evicts until at most `len` entries are left (D2, D9).
    pub(crate) fn evict_down_to(&mut self, len: usize) -> Vec<(K, V)> {
        let mut evicted = Vec::new();
        while self.entries.len() > len
            && let Some(victim) = self.take_next()
        {
            if self.policy == Policy::Lfuda {
                self.floor = victim.uses; // F2: only evictions move it
            }
            evicted.push((victim.key, victim.value));
        }
        evicted
    }
}

impl<K: PartialEq, V> Model<K, V> {
    pub(crate) fn position(&self, key: &K) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == *key)
    }
}
