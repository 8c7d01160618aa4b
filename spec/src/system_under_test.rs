//! A cache under test.

use crate::explore::{Explore, Names};
use std::mem::replace;

use crate::operation::{Operation, Outcome, Refusal, from_both_ends};
use crate::reference::{Reference, follow, is_expired, without};

/// The value that a cache has found or inserted, and the entry that it has evicted.
///
/// [`SystemUnderTest::get_or_insert`] returns it.
pub type FoundOrInserted<K, V> = Result<(V, Option<(K, V)>), Refusal>;

/// A cache under test.
///
/// Implement it by forwarding to your cache. Six methods are required. The others are derived from them. Override each
/// one that your cache implements itself, or it will not be tested. Declare deliberate differences of your cache in
/// [`DIFFERENCES`](Self::DIFFERENCES); they are not compared.
///
/// The derived methods do not support expiry. A cache with a clock ([`set_time`](Self::set_time)) must override
/// [`try_get`](Self::try_get), [`peek`](Self::peek) and [`remove_expired`](Self::remove_expired).
///
/// ```
/// use aws_client_cache_spec::{Model, SystemUnderTest};
///
/// let mut subject: Model<u8, u8> = Model::lru(1);
/// subject.insert(1, 10)?;
/// assert_eq!(subject.keys(), [1]);
/// # Ok::<(), aws_client_cache_spec::Refusal>(())
/// ```
pub trait SystemUnderTest<K: Eq, V>: Sized {
    /// The deliberate differences of the cache, which are not compared.
    const DIFFERENCES: &'static [Difference] = &[];

    /// Inserts, and returns the entry that leaves: evicted to make room (D2), or replaced (D13).
    ///
    /// The key of a replaced entry is returned with its old value. The effect on a present key depends on the
    /// [`InsertionMode`](crate::InsertionMode) that the cache is checked in.
    ///
    /// # Errors
    ///
    /// [`Refusal::Expired`] if the key is expired (E2), or else [`Refusal::AlreadyExists`] if it is present, in a cache
    /// that refuses present keys (D3).
    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal>;

    /// Returns the value under a key, as a use (D4). An expired entry is removed, and is a miss (E3).
    fn get(&mut self, key: &K) -> Option<V>;

    /// Removes an entry (D6).
    ///
    /// # Errors
    ///
    /// [`Refusal::NotFound`] if the key is absent.
    fn remove(&mut self, key: &K) -> Result<V, Refusal>;

    /// Returns the bound (D1).
    fn max_size(&self) -> usize;

    /// Returns the number of entries (D5).
    fn len(&self) -> usize;

    /// Returns the entries in the order of the reference's [`entries`](crate::Reference::entries) (D7).
    ///
    /// For an LRU, an LFU or a FIFO, this is the eviction order. A SIEVE lists its queue, from which its hand evicts in
    /// another order. For a cache without an order, declare [`Difference::Unordered`].
    fn items(&self) -> Vec<(K, V)>;

    /// Removes the next victim (D6).
    ///
    /// By default, this is the first of the [`items`](Self::items). Override it if that is not the next victim, or declare
    /// [`Difference::NoPop`] for a cache that cannot pop.
    ///
    /// # Errors
    ///
    /// [`Refusal::Empty`] if there are no entries.
    fn pop(&mut self) -> Result<(K, V), Refusal> {
        let mut items = self.items();
        if items.is_empty() {
            return Err(Refusal::Empty);
        }
        let (key, clone) = items.swap_remove(0);
        drop((items, clone)); // before the removal, so that a panic removes nothing
        let value = self.remove(&key)?;
        Ok((key, value))
    }

    /// Removes all entries.
    ///
    /// By default, it pops as many entries as there are.
    fn clear(&mut self) {
        // A faulty cache might pop for ever.
        for _ in 0..self.len() {
            drop(self.pop());
        }
    }

    /// Returns an independent copy (D8), or `None` if the cache cannot be copied.
    #[must_use]
    fn copy(&self) -> Option<Self> {
        None
    }

    /// Sets the bound, and returns the evicted entries in order (D9).
    ///
    /// Returns `None` if the bound is fixed.
    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(K, V)>> {
        let _ = max_size;
        None
    }

    /// Returns all entries of an iterator, in the order of the [`items`](Self::items) (D7).
    ///
    /// An entry is taken from the back if `from_back` returns `true`. Call `from_back` before each step:
    /// [`from_both_ends`](crate::check::from_both_ends) does. Returns `None` if the cache cannot iterate from both ends.
    fn iterate(&self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        let _ = from_back;
        None
    }

    /// Returns the next victim, if there is one, not as a use (D12).
    ///
    /// Returns `None` if there is no such operation.
    fn next_victim(&self) -> Option<Option<(K, V)>> {
        None
    }

    /// Returns the value under a key, as a use, or inserts it; and the entry that is evicted (D2, D4).
    ///
    /// At a bound of 0, that is the new entry itself. Returns `None` if there is no such operation.
    #[expect(clippy::type_complexity, reason = "each part is an outcome of its own")]
    fn get_or_insert(&mut self, key: K, value: V) -> Option<Result<(V, Option<(K, V)>), Refusal>> {
        let _ = (key, value);
        None
    }

    /// Sets the value under a present key, as a use, and returns the former one (D4).
    ///
    /// Returns `None` if there is no such operation.
    fn get_mut(&mut self, key: &K, value: V) -> Option<Option<V>> {
        let _ = (key, value);
        None
    }

    /// Removes the entries for which `keep` returns `false` (D12).
    ///
    /// Call `keep` once for each entry, in the order of the [`items`](Self::items). Returns `None` if there is no such operation.
    fn retain(&mut self, keep: &mut dyn FnMut(&K, &V) -> bool) -> Option<()> {
        let _ = keep;
        None
    }

    /// Removes all entries by an iterator, and returns them (D12).
    ///
    /// An entry is taken from the back if `from_back` returns `true`. Returns `None` if there is no such operation.
    fn drain(&mut self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        let _ = from_back;
        None
    }

    /// Sets the cache's clock (E5). Returns `None` if it has none.
    ///
    /// ```
    /// # use aws_client_cache_spec::{Model, SystemUnderTest};
    /// let mut model = Model::<u8, u8>::lru(1).with_expiry(1, 5);
    /// model.insert(1, 10)?;
    /// assert_eq!(model.set_time(5), Some(()));
    /// assert!(!model.contains_key(&1));
    /// # Ok::<(), aws_client_cache_spec::Refusal>(())
    /// ```
    fn set_time(&mut self, now: u64) -> Option<()> {
        let _ = now;
        None
    }

    /// Removes all expired entries, and returns them in the order of the [`items`](Self::items) (E4).
    ///
    /// Returns `None` if there is no such operation.
    ///
    /// ```
    /// # use aws_client_cache_spec::{Model, SystemUnderTest};
    /// let mut model = Model::lru(2).with_expiry(1, 5);
    /// model.insert(1, 10)?;
    /// model.insert(2, 20)?;
    /// model.set_time(5);
    /// assert_eq!(model.remove_expired(), Some(vec![(1, 10)]));
    /// assert_eq!(model.items(), [(2, 20)]);
    /// # Ok::<(), aws_client_cache_spec::Refusal>(())
    /// ```
    fn remove_expired(&mut self) -> Option<Vec<(K, V)>> {
        None
    }

    /// Returns the value under a key, as a use (D4). An expired entry is removed, and is an error (E3).
    ///
    /// # Errors
    ///
    /// [`Refusal::NotFound`] if the key is absent, [`Refusal::Expired`] if the entry was expired.
    fn try_get(&mut self, key: &K) -> Result<V, Refusal> {
        self.get(key).ok_or(Refusal::NotFound)
    }

    /// Returns the value under a key, not as a use (D5), unless it is expired (E4).
    fn peek(&self, key: &K) -> Option<V> {
        let mut items = self.items();
        let index = items.iter().position(|(present, _)| present == key)?;
        let (present, value) = items.swap_remove(index);
        drop((items, present)); // here, or the value would leak if this panicked
        Some(value)
    }

    /// Returns `true` if a key is present (D5), and not expired (E4).
    fn contains_key(&self, key: &K) -> bool {
        self.peek(key).is_some()
    }

    /// Returns `true` if there are no entries (D5).
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the keys, in the order of the [`items`](Self::items) (D7).
    fn keys(&self) -> Vec<K> {
        self.items().into_iter().map(|(key, _)| key).collect()
    }

    /// Returns the values, in the order of the [`items`](Self::items) (D7).
    fn values(&self) -> Vec<V> {
        self.items().into_iter().map(|(_, value)| value).collect()
    }

    /// Returns the [`items`](Self::items) in reverse order (D7).
    fn reversed(&self) -> Vec<(K, V)> {
        let mut items = self.items();
        items.reverse();
        items
    }

    /// Verifies the cache's own invariants.
    ///
    /// # Errors
    ///
    /// The violated invariant.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// A deliberate difference of a cache from the rules.
///
/// A declared difference is not compared.
///
/// ```
/// use aws_client_cache_spec::check::Difference;
/// use aws_client_cache_spec::{Model, SystemUnderTest};
///
/// // The model is what others differ from.
/// assert!(!<Model<u8, u8> as SystemUnderTest<u8, u8>>::DIFFERENCES.contains(&Difference::NoPop));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Difference {
    // D1.
    /// A bound of 0 is not allowed, so none is set.
    NoZero,
    // D2, D9, D13.
    /// Entries that are evicted or replaced are not returned.
    ///
    /// Insertion and shrinking return nothing, or the right entries. The remaining entries show if the right ones have
    /// left.
    VictimsNotReturned,
    // D6.
    /// The next victim cannot be popped.
    NoPop,
    // D7.
    /// Entries are listed in no order, and compared as a set.
    Unordered,
}

/// Returns `true` if a cache declares a difference.
pub(crate) fn differs<K: Eq, V, C: SystemUnderTest<K, V>>(difference: Difference) -> bool {
    C::DIFFERENCES.contains(&difference)
}

/// A reference is the cache that it specifies.
impl<K: Clone + Eq, V: Clone, R: Reference<K, V>> SystemUnderTest<K, V> for R {
    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        match ask(self, Operation::Insert(key, value)) {
            Outcome::Evicted(mut gone) => Ok(gone.pop()),
            outcome => refused(&outcome),
        }
    }

    fn get(&mut self, key: &K) -> Option<V> {
        match ask(self, Operation::Get(key.clone())) {
            Outcome::Value(found) => found,
            _ => None,
        }
    }

    fn try_get(&mut self, key: &K) -> Result<V, Refusal> {
        match ask(self, Operation::TryGet(key.clone())) {
            Outcome::Value(Some(found)) => Ok(found),
            outcome => refused(&outcome),
        }
    }

    fn peek(&self, key: &K) -> Option<V> {
        self.value(key).filter(|_| !is_expired(self, key)) // D5, E4
    }

    fn remove(&mut self, key: &K) -> Result<V, Refusal> {
        match ask(self, Operation::Remove(key.clone())) {
            Outcome::Value(Some(removed)) => Ok(removed),
            outcome => refused(&outcome),
        }
    }

    fn pop(&mut self) -> Result<(K, V), Refusal> {
        match ask(self, Operation::Pop) {
            Outcome::Entry(key, value) => Ok((key, value)),
            outcome => refused(&outcome),
        }
    }

    fn clear(&mut self) {
        follow(self, &Operation::Clear);
    }

    fn copy(&self) -> Option<Self> {
        Some(self.clone()) // D8
    }

    fn max_size(&self) -> usize {
        self.bound()
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(K, V)>> {
        match ask(self, Operation::SetMaxSize(max_size)) {
            Outcome::Evicted(gone) => Some(gone),
            _ => None,
        }
    }

    fn iterate(&self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        Some(from_both_ends(self.entries().into_iter(), from_back))
    }

    fn next_victim(&self) -> Option<Option<(K, V)>> {
        let mut rest = self.clone();
        let next = rest.apply(&Operation::Pop);
        drop(rest); // here, or the entry would leak if this panicked
        match next {
            Outcome::Entry(key, value) => Some(Some((key, value))),
            Outcome::Refused(_) => Some(None),
            _ => None,
        }
    }

    fn get_or_insert(&mut self, key: K, value: V) -> Option<FoundOrInserted<K, V>> {
        match ask(self, Operation::GetOrInsert(key, value)) {
            Outcome::Found(value, mut evicted) => Some(Ok((value, evicted.pop()))),
            Outcome::Refused(refusal) => Some(Err(refusal)),
            _ => None,
        }
    }

    fn get_mut(&mut self, key: &K, value: V) -> Option<Option<V>> {
        match ask(self, Operation::GetMut(key.clone(), value)) {
            Outcome::Value(old) => Some(old),
            _ => None,
        }
    }

    fn retain(&mut self, keep: &mut dyn FnMut(&K, &V) -> bool) -> Option<()> {
        let mut rejected = self.entries();
        rejected.retain(|(key, value)| !keep(key, value));
        let left = without(self, |key| rejected.iter().any(|(rejected, _)| rejected == key)); // D12
        drop(replace(self, left));
        Some(())
    }

    fn drain(&mut self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        let entries = self.entries();
        follow(self, &Operation::Clear);
        Some(from_both_ends(entries.into_iter(), from_back)) // D12
    }

    fn set_time(&mut self, now: u64) -> Option<()> {
        matches!(ask(self, Operation::SetTime(now)), Outcome::Done).then_some(())
    }

    fn remove_expired(&mut self) -> Option<Vec<(K, V)>> {
        match ask(self, Operation::RemoveExpired) {
            Outcome::Entries(gone) => Some(gone),
            _ => None,
        }
    }

    fn len(&self) -> usize {
        self.count()
    }

    fn items(&self) -> Vec<(K, V)> {
        self.entries()
    }
}

/// Applies an operation to a reference, and drops it first.
///
/// The outcome would leak if the operation panicked later, when it is dropped.
fn ask<K: Clone + Eq, V: Clone, R: Reference<K, V>>(reference: &mut R, operation: Operation<K, V>) -> Outcome<K, V> {
    let outcome = follow(reference, &operation);
    drop(operation);
    outcome
}

/// Returns the refusal of a reference that returns nothing else.
///
/// # Panics
///
/// If the reference does not have the operation.
fn refused<K, V, T>(outcome: &Outcome<K, V>) -> Result<T, Refusal> {
    match outcome {
        Outcome::Refused(refusal) => Err(*refusal),
        _ => panic!("the reference does not answer an operation as it should"),
    }
}

impl<K: Clone + Eq, V: Clone, R: Reference<K, V>> Explore<K, V> for R {
    fn fork(&self) -> Self {
        self.clone()
    }

    fn fingerprint(&self, names: Names<'_, K>) -> Vec<u64> {
        self.state(names).unwrap_or_default()
    }
}
