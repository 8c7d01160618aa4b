//! Expiry, as a wrapper of any reference.

use std::fmt::Debug;
use std::hash::Hash;
use std::mem::replace;

use crate::branch::Branch;
use crate::explore::Names;
use crate::model::Model;
use crate::operation::{Operation, Outcome, Refusal};
use crate::reference::{Reference, follow, without};

/// The keys that expire, and the clock (E1, E5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Expiry<K> {
    // E1.
    /// The keys that expire, each once, with their times; fixed for life.
    keys: Vec<(K, u64)>,
    // E5.
    /// The time to which the clock was last set.
    pub(crate) now: u64,
}

impl<K> Expiry<K> {
    /// Creates a clock at time 0, with no key that expires.
    pub(crate) const fn new() -> Self {
        Self { keys: Vec::new(), now: 0 }
    }
}

impl<K: Eq> Expiry<K> {
    // E1.
    /// Makes `key` expire at this time, and at no other.
    #[must_use]
    pub(crate) fn with(mut self, key: K, at: u64) -> Self {
        self.keys.retain(|(present, _)| *present != key);
        self.keys.push((key, at));
        self
    }

    // E1.
    /// Returns the expiry of a key, if it has one. Equal keys have equal expiries.
    pub(crate) fn of(&self, key: &K) -> Option<u64> {
        self.keys.iter().find_map(|(expiring, at)| (expiring == key).then_some(*at))
    }

    // E5.
    /// Returns `true` if a key is expired, from the moment of its expiry on.
    pub(crate) fn is_past(&self, key: &K) -> bool {
        self.of(key).is_some_and(|at| self.now >= at)
    }
}

impl<K: Debug + PartialEq> Expiry<K> {
    /// Returns the calls that set up the expiry of these keys, as Rust code.
    pub(crate) fn calls(&self, keys: &[K]) -> String {
        let occurring = self.keys.iter().filter(|(expiring, _)| keys.contains(expiring));
        occurring.map(|(expiring, at)| format!(".with_expiry({expiring:#?}, {at})")).collect::<Vec<_>>().concat()
    }
}

/// A reference some of whose keys expire.
///
/// [`Model::with_expiry`] creates one, too.
///
/// ```
/// use aws_client_cache_spec::model::Expiring;
/// use aws_client_cache_spec::{Model, Refusal, SystemUnderTest};
///
/// let mut model = Expiring::new(Model::lru(2)).with_expiry('a', 10);
/// model.insert('a', 1)?;
/// model.set_time(9);
/// assert_eq!(model.try_get(&'a'), Ok(1));
/// model.set_time(10);
/// assert_eq!(model.try_get(&'a'), Err(Refusal::Expired));
/// assert_eq!(model.try_get(&'a'), Err(Refusal::NotFound)); // it is gone
/// # Ok::<(), Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expiring<K, R> {
    pub(crate) inner: R,
    pub(crate) expiry: Expiry<K>,
}

impl<K: Eq, R> Expiring<K, R> {
    /// Adds a clock, at time 0, to a reference. No key expires yet.
    ///
    /// The type shows an example.
    pub fn new(reference: R) -> Self {
        Self { inner: reference, expiry: Expiry::new() }
    }

    // E1.
    /// Makes a key expire at a time, for the life of the reference.
    ///
    /// Of two calls for one key, the latter counts. The type shows an example.
    #[must_use]
    pub fn with_expiry(mut self, key: K, at: u64) -> Self {
        self.expiry = self.expiry.with(key, at);
        self
    }

    // E5.
    /// Returns the time to which the clock was last set, 0 at first.
    ///
    /// ```
    /// # use aws_client_cache_spec::model::Expiring;
    /// # use aws_client_cache_spec::{Model, SystemUnderTest};
    /// let mut model = Expiring::new(Model::<u8, u8>::lru(3));
    /// assert_eq!(model.now(), 0);
    /// model.set_time(7);
    /// assert_eq!(model.now(), 7);
    /// ```
    pub fn now(&self) -> u64 {
        self.expiry.now
    }
}

impl<K: Eq, V> Model<K, V> {
    /// Makes a key expire at a time, as [`Expiring::with_expiry`].
    ///
    /// [`Expiring`] shows an example.
    #[must_use]
    pub fn with_expiry(self, key: K, at: u64) -> Expiring<K, Self> {
        Expiring::new(self).with_expiry(key, at)
    }
}

impl<K: Clone + Eq + Hash + Debug, V: Clone, R: Reference<K, V>> Reference<K, V> for Expiring<K, R> {
    fn apply(&mut self, operation: &Operation<K, V>) -> Outcome<K, V> {
        let is_past = operation.key().is_some_and(|key| self.expiry.is_past(key));
        match operation {
            Operation::Insert(..) if is_past => Outcome::Refused(Refusal::Expired), // E2, before D3
            Operation::Get(key) | Operation::TryGet(key) if is_past => {
                let removed = follow(&mut self.inner, &Operation::Remove(key.clone())); // E3
                match (operation, removed) {
                    (Operation::Get(_), _) => Outcome::Value(None),
                    (_, Outcome::Value(Some(_))) => Outcome::Refused(Refusal::Expired),
                    (_, absent) => absent, // E3: whether the key is expired or not
                }
            }
            Operation::GetOrInsert(key, _) | Operation::GetMut(key, _) if is_past => {
                follow(&mut self.inner, &Operation::Remove(key.clone())); // E3
                match operation {
                    Operation::GetMut(..) => Outcome::Value(None),
                    _ => Outcome::Refused(Refusal::Expired), // E2
                }
            }
            Operation::Peek(_) if is_past => Outcome::Value(None), // E4
            Operation::ContainsKey(_) if is_past => Outcome::Answer(false), // E4
            Operation::SetTime(now) => {
                self.expiry.now = *now; // E5
                Outcome::Done
            }
            Operation::RemoveExpired => {
                let mut expired = self.inner.entries();
                expired.retain(|(key, _)| self.expiry.is_past(key));
                let left = without(&self.inner, |key| self.expiry.is_past(key));
                drop(replace(&mut self.inner, left));
                Outcome::Entries(expired) // E4
            }
            _ => follow(&mut self.inner, operation), // E4: expired or not
        }
    }

    fn entries(&self) -> Vec<(K, V)> {
        self.inner.entries()
    }

    fn bound(&self) -> usize {
        self.inner.bound()
    }

    fn count(&self) -> usize {
        self.inner.count()
    }

    fn value(&self, key: &K) -> Option<V> {
        self.inner.value(key)
    }

    fn expiry(&self, key: &K) -> Option<u64> {
        self.expiry.of(key)
    }

    fn now(&self) -> u64 {
        self.expiry.now
    }

    fn state(&self, names: Names<'_, K>) -> Option<Vec<u64>> {
        let mut state = self.inner.state(names)?;
        // Where nothing expires, the time has no effect. Where a key expires, keys with different expiries are not
        // interchangeable, whatever their names are.
        if !self.expiry.keys.is_empty() {
            state.push(self.expiry.now);
            let expiries = self.inner.entries().into_iter().map(|(key, _)| self.expiry.of(&key));
            state.extend(expiries.flat_map(|at| [at.is_some().into(), at.unwrap_or_default()]));
        }
        Some(state)
    }

    fn source(&self, keys: &[K]) -> String {
        // Keys that do not occur do not matter, but the clock does.
        format!("Expiring::new({}){}", self.inner.source(keys), self.expiry.calls(keys))
    }

    fn partly(&self, operation: &Operation<K, V>, is_left: &dyn Fn(&K) -> bool) -> Vec<Self> {
        let wrapped = |inner| Self { inner, expiry: self.expiry.clone() };
        match operation {
            Operation::RemoveExpired => {
                vec![wrapped(without(&self.inner, |key| self.expiry.is_past(key) && !is_left(key)))]
            }
            _ => self.inner.partly(operation, is_left).into_iter().map(wrapped).collect(),
        }
    }

    fn own_branches(&self) -> Vec<Branch> {
        self.inner.own_branches()
    }

    fn own_branches_of(&self, operation: &Operation<K, V>, after: &Self) -> Vec<Branch> {
        self.inner.own_branches_of(operation, &after.inner)
    }

    fn ages(&self) -> bool {
        self.inner.ages()
    }
}

/// Returns the times that can distinguish cache and reference, where these keys expire.
///
/// They are time 0 and, for each expiry, the last moment before it, the moment itself and the first moment after it.
/// There are none if nothing expires.
pub(crate) fn times(expiry: &[(u8, u64)]) -> Vec<u64> {
    let around = |at: u64| [0, at.saturating_sub(1), at, at.saturating_add(1)];
    let mut times: Vec<_> = expiry.iter().flat_map(|(_, at)| around(*at)).collect();
    times.sort_unstable();
    times.dedup();
    times
}
