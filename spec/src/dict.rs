//! A bounded dict, whichever of its entries it evicts: the rules D without the order.

use std::fmt::Debug;

use crate::branch::Before;
use crate::caught::caught;
use crate::expiry::{Expiring, Expiry};
use crate::explore::may_be_asked;
use crate::model::{InsertionMode, Model};
use crate::operation::{Operation, Outcome, Refusal, pattern};
use crate::step::{Divergence, There, apply, check_independence, look, same_set};
use crate::system_under_test::{Difference, SystemUnderTest, differs};

/// A bounded dict that leaves the choice of victims to the cache that it is compared with.
///
/// It checks that exactly the required number of entries are evicted, and that each was present before and is absent
/// afterwards.
///
/// ```
/// use aws_client_cache_spec::{Dict, Model, Operation};
///
/// let mut cache = Model::lru(1);
/// let mut dict = Dict::new(1);
/// dict.step(&mut cache, &Operation::Insert('a', 1))?;
/// dict.step(&mut cache, &Operation::Insert('b', 2))?;
/// # Ok::<(), aws_client_cache_spec::check::Divergence>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dict<K, V> {
    max_size: usize,
    insertion: InsertionMode,
    /// In no order.
    entries: Vec<(K, V)>,
    expiry: Expiry<K>,
}

impl<K: Clone + Eq + Debug, V: Clone + Eq + Debug> Dict<K, V> {
    // D1.
    /// Creates an empty dict that holds at most `max_size` entries.
    ///
    /// The type shows an example.
    pub fn new(max_size: usize) -> Self {
        Self { max_size, insertion: InsertionMode::default(), entries: Vec::new(), expiry: Expiry::new() }
    }

    /// Sets the effect of inserting a present key, as [`Model::with_insertion`] does.
    ///
    /// ```
    /// # use aws_client_cache_spec::{Dict, InsertionMode, Model, Operation};
    /// let mut cache = Model::lru(1); // one that refuses
    /// let mut dict = Dict::new(1).with_insertion(InsertionMode::Replace);
    /// dict.step(&mut cache, &Operation::Insert('a', 1))?;
    /// let divergence = dict.step(&mut cache, &Operation::Insert('a', 2)).unwrap_err();
    /// assert!(divergence.to_string().ends_with("the model expects Evicted([('a', 1)])"));
    /// # Ok::<(), aws_client_cache_spec::check::Divergence>(())
    /// ```
    #[must_use]
    pub fn with_insertion(mut self, insertion: InsertionMode) -> Self {
        self.insertion = insertion;
        self
    }

    // E1.
    /// Makes a key expire at a time, as in [`Model::with_expiry`].
    ///
    /// ```
    /// # use aws_client_cache_spec::model::Expiring;
    /// # use aws_client_cache_spec::{Dict, Model, Operation};
    /// let mut cache = Expiring::new(Model::lru(1)); // one in which nothing expires
    /// let mut dict = Dict::new(1).with_expiry('a', 5);
    /// dict.step(&mut cache, &Operation::SetTime(5))?;
    /// let divergence = dict.step(&mut cache, &Operation::Insert('a', 1)).unwrap_err();
    /// assert!(divergence.to_string().ends_with("the model expects Refused(Expired)"));
    /// # Ok::<(), aws_client_cache_spec::check::Divergence>(())
    /// ```
    #[must_use]
    pub fn with_expiry(mut self, key: K, at: u64) -> Self {
        self.expiry = self.expiry.with(key, at);
        self
    }

    /// Applies one operation to a cache, and compares the outcome and then every accessor.
    ///
    /// A copy and its original must be independent. The cache may list its entries in any order. Declared [`Difference`]s are
    /// not compared, as in [`check::step`](crate::check::step()).
    ///
    /// # Errors
    ///
    /// The first difference, or a failure of the cache's own [`check`](SystemUnderTest::check).
    ///
    /// The type shows an example.
    pub fn step<C: SystemUnderTest<K, V>>(
        &mut self,
        cache: &mut C,
        operation: &Operation<K, V>,
    ) -> Result<(), Divergence> {
        self.compare(cache, operation).map(drop)
    }

    /// Does the same as [`step`](Self::step), and returns the outcome.
    ///
    /// Returns `None` if the cache does not have the operation, or if it declares a difference in it.
    pub(crate) fn compare<C: SystemUnderTest<K, V>>(
        &mut self,
        cache: &mut C,
        operation: &Operation<K, V>,
    ) -> Result<Option<Outcome<K, V>>, Divergence> {
        if !may_be_asked::<K, V, C>(operation) {
            return Ok(None);
        }
        let (outcome, original) = caught(|| apply(cache, operation))
            .map_err(|message| Divergence::panic(format!("{operation:?}"), &message, "no panic"))?;
        if outcome == Outcome::Missing {
            return Ok(None);
        }
        let untold = differs::<K, V, C>(Difference::VictimsNotReturned);
        let followed = self
            .follow(operation, &outcome, untold.then(|| cache.items()).as_deref())
            .map_err(|expected| Divergence::new(format!("{operation:?}"), &outcome, expected))?;
        let is_expired = |key: &K| self.expiry.is_past(key);
        let there = There { entries: &self.entries, ordered: false, max_size: self.max_size, is_expired: &is_expired };
        look(cache, operation, &there)?;
        check_independence(cache, original, operation, &there)?;
        Ok(Some(followed))
    }

    /// Returns the value under a key, expired or not.
    fn held(&self, key: &K) -> Option<V> {
        self.entries.iter().find_map(|(present, value)| (present == key).then(|| value.clone()))
    }

    // E4.
    /// Returns the visible value under a key.
    pub(crate) fn value(&self, key: &K) -> Option<V> {
        self.held(key).filter(|_| !self.expiry.is_past(key))
    }

    // D4, E3.
    /// Returns the value that a use finds under a key, and removes an expired entry.
    fn used(&mut self, key: &K) -> Result<V, Refusal> {
        let held = self.held(key).ok_or(Refusal::NotFound)?;
        if self.expiry.is_past(key) {
            self.entries.retain(|(present, _)| present != key);
            return Err(Refusal::Expired);
        }
        Ok(held)
    }

    /// Follows the cache, if a dict may do the same, and returns the outcome with all victims.
    ///
    /// Otherwise returns the expected outcome. `left` is the content of a cache that does not return its victims.
    #[expect(clippy::too_many_lines, reason = "one arm for each operation")]
    fn follow(
        &mut self,
        operation: &Operation<K, V>,
        outcome: &Outcome<K, V>,
        left: Option<&[(K, V)]>,
    ) -> Result<Outcome<K, V>, String> {
        let or_refused = |found: Result<V, Refusal>| match found {
            Ok(value) => Outcome::Value(Some(value)),
            Err(refusal) => Outcome::Refused(refusal),
        };
        let expected = match operation {
            Operation::Insert(key, value) => {
                if self.expiry.is_past(key) {
                    Outcome::Refused(Refusal::Expired) // E2, before D3
                } else if let Some(present) = self.entries.iter_mut().find(|(present, _)| present == key) {
                    let expected = match self.insertion {
                        InsertionMode::Refuse => Outcome::Refused(Refusal::AlreadyExists), // D3
                        InsertionMode::Replace => {
                            let old = std::mem::replace(&mut present.1, value.clone());
                            Outcome::Evicted(vec![(key.clone(), old)]) // D13
                        }
                        InsertionMode::KeepFirst => Outcome::Evicted(Vec::new()), // D14
                    };
                    let untold = left.is_some() && *outcome == Outcome::Evicted(Vec::new());
                    if untold && matches!(expected, Outcome::Evicted(_)) {
                        return Ok(expected);
                    }
                    expected
                } else {
                    self.entries.push((key.clone(), value.clone()));
                    let newcomer = (self.max_size > 0).then_some(key);
                    return self.evict(outcome, left, newcomer); // D2
                }
            }
            Operation::Get(key) => Outcome::Value(self.used(key).ok()), // D4, E3
            Operation::TryGet(key) => or_refused(self.used(key)),       // D4, E3
            Operation::Peek(key) => Outcome::Value(self.value(key)),    // D5, E4
            Operation::ContainsKey(key) => Outcome::Answer(self.value(key).is_some()), // D5, E4
            Operation::Remove(key) => {
                let removed = self.held(key).ok_or(Refusal::NotFound);
                self.entries.retain(|(present, _)| present != key);
                or_refused(removed) // D6, E4
            }
            Operation::Pop => match outcome {
                Outcome::Entry(key, _) if !self.entries.is_empty() => {
                    let Some(popped) = self.held(key) else { return Err("an entry that was present".to_owned()) };
                    self.entries.retain(|(present, _)| present != key);
                    Outcome::Entry(key.clone(), popped) // D6
                }
                _ if self.entries.is_empty() => Outcome::Refused(Refusal::Empty), // D6
                _ => return Err("an entry".to_owned()),
            },
            Operation::Clear => {
                self.entries.clear();
                Outcome::Done
            }
            Operation::Copy => Outcome::Done, // D8
            Operation::SetMaxSize(max_size) => {
                self.max_size = *max_size;
                return self.evict(outcome, left, None); // D9
            }
            Operation::Items | Operation::Iterate(_) => match outcome {
                Outcome::Entries(shown) if same_set(shown, &self.entries) => return Ok(outcome.clone()), // D7
                _ => Outcome::Entries(self.entries.clone()),
            },
            Operation::NextVictim => match outcome {
                Outcome::Entry(key, value) if self.held(key).as_ref() == Some(value) => return Ok(outcome.clone()), // D12
                _ if self.entries.is_empty() => Outcome::Refused(Refusal::Empty),
                _ => return Err("an entry that is present".to_owned()),
            },
            Operation::GetOrInsert(key, value) => match (self.used(key), outcome) {
                (Ok(present), _) => Outcome::Found(present, Vec::new()), // D4
                _ if self.expiry.is_past(key) => Outcome::Refused(Refusal::Expired), // E2
                (Err(_), Outcome::Found(found, evicted)) if found == value => {
                    self.entries.push((key.clone(), value.clone()));
                    let newcomer = (self.max_size > 0).then_some(key);
                    let evicted = self.evict(&Outcome::Evicted(evicted.clone()), left, newcomer)?; // D2
                    let Outcome::Evicted(evicted) = evicted else { return Err("evicted entries".to_owned()) };
                    return Ok(Outcome::Found(value.clone(), evicted));
                }
                (Err(_), _) => return Err(format!("Found({value:?}, …)")),
            },
            Operation::GetMut(key, value) => match self.used(key) {
                Ok(old) => {
                    self.entries.iter_mut().filter(|(present, _)| present == key).for_each(|(_, held)| {
                        held.clone_from(value);
                    });
                    Outcome::Value(Some(old)) // D4
                }
                Err(_) => Outcome::Value(None), // D4
            },
            Operation::Retain(answers) => match outcome {
                Outcome::Entries(asked) if same_set(asked, &self.entries) => {
                    let mut keeps = pattern(*answers);
                    self.entries = asked.iter().filter(|_| keeps()).cloned().collect();
                    return Ok(outcome.clone()); // D12
                }
                _ => Outcome::Entries(self.entries.clone()),
            },
            Operation::Drain(_) => {
                let all = std::mem::take(&mut self.entries);
                match outcome {
                    Outcome::Entries(drained) if same_set(drained, &all) => return Ok(outcome.clone()), // D12
                    _ => Outcome::Entries(all),
                }
            }
            Operation::SetTime(now) => {
                self.expiry.now = *now;
                Outcome::Done // E5
            }
            Operation::RemoveExpired => {
                let (expired, left) = self.entries.drain(..).partition(|(key, _)| self.expiry.is_past(key));
                self.entries = left;
                match outcome {
                    Outcome::Entries(removed) if same_set(removed, &expired) => return Ok(outcome.clone()), // E4
                    _ => Outcome::Entries(expired),
                }
            }
        };
        if *outcome == expected { Ok(expected) } else { Err(format!("{expected:?}")) }
    }

    /// Removes the entries that the cache has evicted.
    ///
    /// Returns them as an outcome. Fails if their number is wrong, or if the new entry is among them.
    fn evict(
        &mut self,
        outcome: &Outcome<K, V>,
        left: Option<&[(K, V)]>,
        newcomer: Option<&K>,
    ) -> Result<Outcome<K, V>, String> {
        let excess = self.entries.len().saturating_sub(self.max_size);
        let told = if let Outcome::Evicted(told) = outcome { Some(told.clone()) } else { None };
        let gone: Option<Vec<_>> = match left {
            Some(left) => {
                let gone: Vec<_> = self.entries.iter().filter(|entry| !left.contains(entry)).cloned().collect();
                if told.as_ref().is_some_and(|told| !told.is_empty() && !same_set(told, &gone)) {
                    return Err(format!("{excess} evicted; {gone:?} have left"));
                }
                told.map(|_| gone)
            }
            None => told,
        };
        let gone = gone.unwrap_or_default();
        let have_left = if left.is_some() { format!("; {gone:?} have left") } else { String::new() };
        for (nth, entry) in gone.iter().enumerate() {
            let is_there = self.entries.contains(entry) && !gone[..nth].contains(entry);
            if !is_there || newcomer == Some(&entry.0) {
                return Err(format!("{excess} evicted that were present{have_left}"));
            }
        }
        if gone.len() != excess || !matches!(outcome, Outcome::Evicted(_)) {
            return Err(format!("{excess} evicted{have_left}"));
        }
        self.entries.retain(|entry| !gone.contains(entry));
        Ok(Outcome::Evicted(gone))
    }
}

impl Dict<u8, u64> {
    pub(crate) fn insertion(&self) -> InsertionMode {
        self.insertion
    }

    /// Returns an empty model with the same rules, to draw operations with.
    pub(crate) fn to_model(&self) -> Expiring<u8, Model<u8, u64>> {
        let inner = Model::lru(self.max_size).with_insertion(self.insertion);
        Expiring { inner, expiry: self.expiry.clone() }
    }

    /// Calls `call` with the present state.
    pub(crate) fn with_before<T>(&self, call: impl FnOnce(&Before<'_>) -> T) -> T {
        let expiry = |key| self.expiry.of(&key);
        call(&Before { entries: &self.entries, max_size: self.max_size, now: self.expiry.now, expiry: &expiry })
    }

    /// Returns code that creates the dict, with the keys that occur in operations.
    pub(crate) fn source(&self, operations: &[Operation<u8, u64>]) -> String {
        let keys: Vec<_> = operations.iter().filter_map(|operation| operation.key().copied()).collect();
        format!("Dict::new({}){}{}", self.max_size, self.insertion.call(), self.expiry.calls(&keys))
    }
}
