//! A cache of many threads with a fault.

use std::hash::Hash;
use std::sync::Mutex;

use crate::model::{Entry, InsertionMode, Model, Policy};
use crate::operation::{Operation, Outcome, Refusal, from_both_ends, pattern};
use crate::reference::{Reference, follow};
use crate::system_under_test::SystemUnderTest;
use crate::threads::{Shared, lock};

/// The fault of a [`FaultyShared`] cache.
///
/// Each cache is correct as long as one thread at a time uses it.
///
/// [`FaultyShared`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SharedFault {
    // C1.
    /// A hit reads the value under one lock, and counts the use under another.
    HitInTwoLockings,
    // C1.
    /// An insertion looks up the key under one lock, and replaces under another.
    InsertionLooksFirst,
    // C1.
    /// A get-or-insert looks up the key under one lock, and inserts under another.
    GetOrInsertLooksFirst,
    // C1.
    /// An insertion evicts under one lock, and stores under another.
    EvictsInALockingOfItsOwn,
    // C1.
    /// A pop looks up the victim under one lock, and removes it under another.
    PopLooksFirst,
    // C1.
    /// Shrinking takes a lock for each victim.
    ShrinksOneByOne,
    // C1.
    /// A snapshot takes a lock for each entry.
    SnapshotIsTorn,
    // C1.
    /// A removal reads the value under one lock, and removes it under another.
    RemovalLooksFirst,
    // C2.
    /// Evicted entries are dropped under the lock.
    DropsUnderTheLock,
}

impl SharedFault {
    /// All faults.
    ///
    /// [`FaultyShared`] shows an example.
    pub const ALL: [Self; 9] = [
        Self::HitInTwoLockings,
        Self::InsertionLooksFirst,
        Self::GetOrInsertLooksFirst,
        Self::EvictsInALockingOfItsOwn,
        Self::PopLooksFirst,
        Self::ShrinksOneByOne,
        Self::SnapshotIsTorn,
        Self::RemovalLooksFirst,
        Self::DropsUnderTheLock,
    ];
}

/// A cache for many threads that is correct except for one [`SharedFault`], or entirely correct.
///
/// ```
/// use std::thread;
///
/// use aws_client_cache_spec::concurrency::{Threads, linearizable};
/// use aws_client_cache_spec::faults::{FaultyShared, SharedFault};
/// use aws_client_cache_spec::{Model, Policy};
///
/// let faulty = |max_size| {
///     FaultyShared::new(SharedFault::PopLooksFirst, Policy::Lru, max_size, thread::yield_now)
/// };
/// assert!(linearizable(Threads::new(), Model::lru, faulty).is_err());
/// ```
#[derive(Debug)]
pub struct FaultyShared<K, V> {
    fault: Option<SharedFault>,
    model: Mutex<Model<K, V>>,
    pause: fn(),
}

impl<K: Clone + Eq + Hash, V: Clone + Eq + Hash> FaultyShared<K, V> {
    /// Creates an empty cache with this fault, or a correct one with `None`.
    ///
    /// It differs from the others in nothing else. It calls `pause` before each locking, so that another thread may
    /// come first.
    ///
    /// The type shows an example.
    pub fn new(fault: impl Into<Option<SharedFault>>, policy: Policy, max_size: usize, pause: fn()) -> Self {
        Self { fault: fault.into(), model: Mutex::new(Model::new(policy, max_size)), pause }
    }

    /// Sets the effect of inserting a present key, as [`Model::with_insertion`] does.
    ///
    /// ```
    /// # use aws_client_cache_spec::concurrency::Shared;
    /// # use aws_client_cache_spec::faults::FaultyShared;
    /// # use aws_client_cache_spec::{InsertionMode, Operation, Outcome, Policy};
    /// let shared = FaultyShared::new(None, Policy::Lru, 1, || {}).with_insertion(InsertionMode::Replace);
    /// assert_eq!(shared.call(&Operation::Insert('a', 1)), Outcome::Evicted(vec![]));
    /// assert_eq!(shared.call(&Operation::Insert('a', 2)), Outcome::Evicted(vec![('a', 1)]));
    /// ```
    #[must_use]
    pub fn with_insertion(self, insertion: InsertionMode) -> Self {
        lock(&self.model).insertion = insertion;
        self
    }

    /// Locks the model once.
    fn locked<T>(&self, f: impl FnOnce(&mut Model<K, V>) -> T) -> T {
        (self.pause)();
        f(&mut lock(&self.model))
    }

    /// Inserts, and drops a key and value that are not stored after the lock is released.
    fn insert(&self, key: K, value: V) -> Outcome<K, V> {
        let inserted = self.locked(|model| {
            let stays = model.insertion != InsertionMode::Replace && model.position(&key).is_some();
            if stays { Err((model.insertion, key, value)) } else { Ok(model.put(key, value)) }
        });
        match inserted {
            Ok(outcome) => outcome,
            Err((InsertionMode::Refuse, ..)) => Outcome::Refused(Refusal::AlreadyExists),
            Err(_) => Outcome::Evicted(Vec::new()),
        }
    }

    /// Looks up or inserts, and drops a key and value that are not stored after the lock is released.
    fn get_or_insert(&self, key: K, value: V) -> Outcome<K, V> {
        let get = Operation::Get(key.clone());
        let (outcome, refused) = self.locked(|model| match follow(model, &get) {
            Outcome::Value(Some(present)) => (Outcome::Found(present, Vec::new()), Some((key, value))), // D4
            _ => match model.put(key, value.clone()) {
                Outcome::Evicted(evicted) => (Outcome::Found(value, evicted), None), // D2
                refused => (refused, None),
            },
        });
        drop(refused);
        outcome
    }

    /// Applies an operation correctly.
    ///
    /// Keys and values that the model would drop are moved out under the lock, and dropped after it.
    fn apply(&self, operation: &Operation<K, V>) -> Outcome<K, V> {
        match operation {
            Operation::Clear => {
                drop(self.locked(take_all));
                Outcome::Done
            }
            Operation::Drain(ends) => {
                let (entries, gone) = self.locked(|model| (model.entries(), take_all(model)));
                drop(gone);
                Outcome::Entries(from_both_ends(entries.into_iter(), &mut pattern(*ends))) // D12
            }
            Operation::Retain(answers) => {
                let mut keeps = pattern(*answers);
                let (entries, gone) = self.locked(|model| {
                    let entries = model.entries();
                    let mut rejected: Vec<_> = model.order().into_iter().filter(|_| !keeps()).collect();
                    rejected.sort_unstable();
                    let gone = rejected.into_iter().rev().map(|place| model.entries.remove(place));
                    (entries, gone.collect::<Vec<_>>())
                });
                drop(gone);
                Outcome::Entries(entries) // D12
            }
            Operation::Insert(key, value) => self.insert(key.clone(), value.clone()),
            Operation::GetOrInsert(key, value) => self.get_or_insert(key.clone(), value.clone()),
            Operation::TryGet(key) => {
                let get = Operation::Get(key.clone());
                match self.locked(|model| follow(model, &get)) {
                    Outcome::Value(None) => Outcome::Refused(Refusal::NotFound),
                    found => found,
                }
            }
            Operation::NextVictim => {
                let next = self.locked(|model| {
                    let place = model.order().first().copied();
                    place.map(|place| (model.entries[place].key.clone(), model.entries[place].value.clone()))
                });
                next.map_or(Outcome::Refused(Refusal::Empty), |(key, value)| Outcome::Entry(key, value))
            }
            Operation::Remove(key) => {
                let gone = self.locked(|model| {
                    let place = model.entries.iter().position(|entry| entry.key == *key);
                    place.map(|place| model.entries.remove(place))
                });
                match gone {
                    Some(entry) => Outcome::Value(Some(entry.value)),
                    None => Outcome::Refused(Refusal::NotFound),
                }
            }
            Operation::ContainsKey(key) => Outcome::Answer(self.locked(|model| model.position(key).is_some())),
            Operation::Copy => Outcome::Missing,
            // These drop nothing: they clone or move what they return.
            Operation::Get(_)
            | Operation::Peek(_)
            | Operation::Pop
            | Operation::SetMaxSize(_)
            | Operation::Items
            | Operation::Iterate(_)
            | Operation::GetMut(..)
            | Operation::SetTime(_)
            | Operation::RemoveExpired => self.locked(|model| follow(model, operation)),
        }
    }
}

/// Takes all entries, as clearing does.
fn take_all<K, V>(model: &mut Model<K, V>) -> Vec<Entry<K, V>> {
    model.floor = 0; // F2
    std::mem::take(&mut model.entries)
}

impl<K: Clone + Eq + Hash + Send, V: Clone + Eq + Hash + Send> Shared<K, V> for FaultyShared<K, V> {
    fn call(&self, operation: &Operation<K, V>) -> Outcome<K, V> {
        match (self.fault, operation) {
            (Some(SharedFault::HitInTwoLockings), Operation::Get(key)) => {
                let found = self.locked(|model| model.peek(key));
                self.locked(|model| drop(model.get(key)));
                Outcome::Value(found)
            }
            (Some(SharedFault::InsertionLooksFirst), Operation::Insert(key, value)) => {
                if self.locked(|model| model.contains_key(key)) {
                    return self.insert(key.clone(), value.clone());
                }
                self.locked(|model| {
                    let _ = model.remove(key);
                    follow(model, operation)
                })
            }
            (Some(SharedFault::GetOrInsertLooksFirst), Operation::GetOrInsert(key, value)) => {
                if let Some(found) = self.locked(|model| model.get(key)) {
                    return Outcome::Found(found, Vec::new());
                }
                self.locked(|model| {
                    let _ = model.remove(key);
                    match model.put(key.clone(), value.clone()) {
                        Outcome::Evicted(evicted) => Outcome::Found(value.clone(), evicted),
                        refused => refused,
                    }
                })
            }
            (Some(SharedFault::EvictsInALockingOfItsOwn), Operation::Insert(key, _)) => {
                let is_full = |model: &Model<K, V>| model.max_size() > 0 && model.len() >= model.max_size();
                let victim = self.locked(|model| {
                    let evicts = is_full(model) && !model.contains_key(key);
                    if evicts { model.evict_down_to(model.entries.len() - 1).pop() } else { None }
                });
                match (self.locked(|model| follow(model, operation)), victim) {
                    (Outcome::Evicted(more), Some(victim)) => Outcome::Evicted([vec![victim], more].concat()),
                    (outcome, _) => outcome,
                }
            }
            (Some(SharedFault::PopLooksFirst), Operation::Pop) => {
                match self.locked(|model| model.items().into_iter().next()) {
                    None => Outcome::Refused(Refusal::Empty),
                    Some((key, value)) => {
                        let _ = self.locked(|model| model.remove(&key));
                        Outcome::Entry(key, value)
                    }
                }
            }
            (Some(SharedFault::ShrinksOneByOne), Operation::SetMaxSize(max_size)) => {
                let mut victims = Vec::new();
                while let Some(victim) =
                    self.locked(|model| model.evict_down_to(model.len().saturating_sub(1).max(*max_size)).pop())
                {
                    victims.push(victim);
                }
                self.locked(|model| victims.extend(model.set_max_size(*max_size).into_iter().flatten()));
                Outcome::Evicted(victims)
            }
            (Some(SharedFault::SnapshotIsTorn), Operation::Items) => {
                let places = 0..self.locked(|model| model.len());
                Outcome::Entries(
                    places.filter_map(|place| self.locked(|model| model.items().into_iter().nth(place))).collect(),
                )
            }
            (Some(SharedFault::RemovalLooksFirst), Operation::Remove(key)) => {
                match self.locked(|model| model.peek(key)) {
                    None => Outcome::Refused(Refusal::NotFound),
                    Some(value) => {
                        let _ = self.locked(|model| model.remove(key));
                        Outcome::Value(Some(value))
                    }
                }
            }
            (Some(SharedFault::DropsUnderTheLock), Operation::Clear) => self.locked(|model| follow(model, operation)),
            _ => self.apply(operation),
        }
    }
}
