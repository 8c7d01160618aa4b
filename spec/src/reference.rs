//! The programs that caches are compared with.

use std::any::type_name;
use std::fmt::Debug;
use std::hash::Hash;
use std::mem::replace;

use crate::branch::Branch;
use crate::explore::Names;
use crate::model::{InsertionMode, Model, Policy};
use crate::operation::{Operation, Outcome, Refusal, from_both_ends, pattern};

/// A simple program that defines how a cache behaves.
///
/// [`Model`] is one, for LRU, LFU and LFUDA. Bring your own for another policy: its insertions, look-ups and removals,
/// and its entries. The operations that it does not answer follow from these, or are not compared.
///
/// Every reference is a [`SystemUnderTest`](crate::SystemUnderTest), too. Give it a function `new` with the bound, which
/// printed tests call, or override [`source`](Self::source). [`Operation`] lists the outcomes to return.
///
/// ```
/// use aws_client_cache_spec::check::order;
/// use aws_client_cache_spec::{Operation, Outcome, Random, Reference, Refusal, SystemUnderTest};
///
/// /// A queue: entries are evicted in the order in which they were inserted.
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// struct Fifo {
///     queue: Vec<(u8, u64)>,
///     max_size: usize,
/// }
///
/// impl Fifo {
///     fn new(max_size: usize) -> Self {
///         Self { queue: Vec::new(), max_size }
///     }
/// }
///
/// impl Reference<u8, u64> for Fifo {
///     fn apply(&mut self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
///         let position = operation.key().and_then(|key| self.queue.iter().position(|(present, _)| present == key));
///         match (operation, position) {
///             (Operation::Insert(..), Some(_)) => Outcome::Refused(Refusal::AlreadyExists),
///             (Operation::Insert(key, value), None) => {
///                 self.queue.push((*key, *value));
///                 let excess = self.queue.len().saturating_sub(self.max_size);
///                 Outcome::Evicted(self.queue.drain(..excess).collect())
///             }
///             (Operation::Get(_), found) => Outcome::Value(found.map(|position| self.queue[position].1)),
///             (Operation::Remove(_), None) => Outcome::Refused(Refusal::NotFound),
///             (Operation::Remove(_), Some(position)) => Outcome::Value(Some(self.queue.remove(position).1)),
///             (Operation::Pop, _) if self.queue.is_empty() => Outcome::Refused(Refusal::Empty),
///             (Operation::Pop, _) => {
///                 let (key, value) = self.queue.remove(0);
///                 Outcome::Entry(key, value)
///             }
///             _ => Outcome::Missing,
///         }
///     }
///     fn entries(&self) -> Vec<(u8, u64)> {
///         self.queue.clone()
///     }
///     fn bound(&self) -> usize {
///         self.max_size
///     }
/// }
///
/// let covered = order(Random::new(), Fifo::new, Fifo::new)?;
/// assert!(covered.operations() > 50_000);
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
pub trait Reference<K: Clone + Eq, V: Clone>: Clone + Eq + Hash {
    /// Applies an operation.
    ///
    /// Answer at least [`Operation::Insert`], [`Operation::Get`] and [`Operation::Remove`]. Return
    /// [`Outcome::Missing`], and change nothing, for an operation that the reference does not have. [`follow`] derives
    /// it then, if it can.
    fn apply(&mut self, operation: &Operation<K, V>) -> Outcome<K, V>;

    /// Returns all entries, in the order in which the cache lists them.
    fn entries(&self) -> Vec<(K, V)>;

    /// Returns the maximum number of entries.
    fn bound(&self) -> usize;

    /// Returns the number of entries.
    ///
    /// By default, it counts the [entries](Self::entries).
    fn count(&self) -> usize {
        self.entries().len()
    }

    /// Returns the value of an entry, expired or not.
    ///
    /// By default, it searches the [entries](Self::entries).
    fn value(&self, key: &K) -> Option<V> {
        self.entries().into_iter().find_map(|(present, value)| (present == *key).then_some(value))
    }

    /// Returns the time at which a key expires, if it does.
    ///
    /// [`Expiring`](crate::model::Expiring) adds expiry to a reference.
    fn expiry(&self, key: &K) -> Option<u64> {
        let _ = key;
        None
    }

    /// Returns the time to which the clock was last set, 0 at first.
    fn now(&self) -> u64 {
        0
    }

    /// Returns everything that the later behavior can depend on, apart from the values.
    ///
    /// Return it only to shorten a search: it is that of a [fingerprint](crate::Explore::fingerprint). By default, the
    /// reference itself identifies its state, with all values, and keys are not interchangeable: a
    /// [symmetric](crate::Scope::symmetric) search fails. Name every key that the reference remembers, present or not.
    fn state(&self, names: Names<'_, K>) -> Option<Vec<u64>> {
        let _ = names;
        None
    }

    /// Returns Rust code that creates the reference empty, for printed tests.
    ///
    /// Only `keys` occur in the test.
    ///
    /// By default, it calls `new` with the [bound](Self::bound).
    fn source(&self, keys: &[K]) -> String {
        let _ = keys;
        let path = type_name::<Self>().split('<').next().unwrap_or_default();
        format!("{}::new({})", path.rsplit("::").next().unwrap_or_default(), self.bound())
    }

    /// Returns the states that an operation may leave if it is interrupted halfway.
    ///
    /// `is_left` tells the keys that are still present. By default, operations that remove several entries may leave
    /// some of them.
    fn partly(&self, operation: &Operation<K, V>, is_left: &dyn Fn(&K) -> bool) -> Vec<Self> {
        match operation {
            Operation::Clear | Operation::Drain(_) | Operation::Retain(_) => vec![without(self, |key| !is_left(key))],
            Operation::SetMaxSize(max_size) => {
                let lengths = (*max_size..self.count()).rev();
                let mut partly = self.clone();
                lengths
                    .map(|length| {
                        partly.apply(&Operation::SetMaxSize(length));
                        let mut left = partly.clone();
                        left.apply(&Operation::SetMaxSize(self.bound()));
                        left
                    })
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns the branches that only this reference distinguishes, for coverage.
    #[doc(hidden)]
    fn own_branches(&self) -> Vec<Branch> {
        Vec::new()
    }

    /// Returns those branches that an operation takes, which leads to `after`.
    #[doc(hidden)]
    fn own_branches_of(&self, operation: &Operation<K, V>, after: &Self) -> Vec<Branch> {
        let _ = (operation, after);
        Vec::new()
    }

    /// Returns `true` if evictions affect entries that are inserted later.
    #[doc(hidden)]
    fn ages(&self) -> bool {
        true
    }
}

/// Applies any operation to a reference.
///
/// An operation that the reference does not have is derived from its others. Returns [`Outcome::Missing`], and changes
/// nothing, if that is impossible.
///
/// ```
/// use aws_client_cache_spec::model::follow;
/// use aws_client_cache_spec::{Model, Operation, Outcome, Reference, Refusal};
///
/// let mut model = Model::<char, u8>::lru(1);
/// assert_eq!(model.apply(&Operation::TryGet('a')), Outcome::Missing);
/// assert_eq!(follow(&mut model, &Operation::TryGet('a')), Outcome::Refused(Refusal::NotFound));
/// ```
pub fn follow<K: Clone + Eq, V: Clone, R: Reference<K, V>>(
    reference: &mut R,
    operation: &Operation<K, V>,
) -> Outcome<K, V> {
    let outcome = reference.apply(operation);
    if !matches!(outcome, Outcome::Missing) {
        return outcome;
    }
    let visible = |key: &K| reference.value(key).filter(|_| !is_expired(reference, key)); // E4
    match operation {
        Operation::TryGet(key) => {
            let get = Operation::Get(key.clone());
            let found = reference.apply(&get);
            drop(get); // here, or the value would leak if this panicked
            match found {
                Outcome::Value(None) => Outcome::Refused(Refusal::NotFound), // D4
                found => found,
            }
        }
        Operation::Peek(key) => Outcome::Value(visible(key)), // D5
        Operation::ContainsKey(key) => Outcome::Answer(visible(key).is_some()), // D5
        Operation::Clear => {
            *reference = without(reference, |_| true);
            Outcome::Done
        }
        Operation::Copy => Outcome::Done,                          // D8
        Operation::Items => Outcome::Entries(reference.entries()), // D7
        Operation::Iterate(ends) => {
            Outcome::Entries(from_both_ends(reference.entries().into_iter(), &mut pattern(*ends))) // D7
        }
        Operation::NextVictim => {
            let mut rest = reference.clone();
            let next = rest.apply(&Operation::Pop);
            drop(rest); // here, or the entry would leak if this panicked
            next // D12
        }
        Operation::GetOrInsert(key, value) => {
            let get = Operation::Get(key.clone());
            let found = reference.apply(&get);
            drop(get);
            if let Outcome::Value(Some(present)) = found {
                return Outcome::Found(present, Vec::new()); // D4
            }
            let insert = Operation::Insert(key.clone(), value.clone());
            let inserted = reference.apply(&insert);
            drop(insert);
            match inserted {
                Outcome::Evicted(evicted) => Outcome::Found(value.clone(), evicted), // D2
                refused => refused,
            }
        }
        Operation::Retain(answers) => {
            let entries = reference.entries();
            let mut keeps = pattern(*answers);
            let rejected: Vec<_> = entries.iter().filter(|_| !keeps()).map(|(key, _)| key).collect();
            let left = without(reference, |key| rejected.contains(&key));
            drop(replace(reference, left));
            Outcome::Entries(entries) // D12
        }
        Operation::Drain(ends) => {
            let entries = from_both_ends(reference.entries().into_iter(), &mut pattern(*ends));
            follow(reference, &Operation::Clear);
            Outcome::Entries(entries) // D12
        }
        _ => Outcome::Missing,
    }
}

/// Returns `true` if a key is expired, from the moment of its expiry on (E5).
pub(crate) fn is_expired<K: Clone + Eq, V: Clone, R: Reference<K, V>>(reference: &R, key: &K) -> bool {
    reference.expiry(key).is_some_and(|at| reference.now() >= at)
}

/// Returns a reference from which some entries were removed.
pub(crate) fn without<K: Clone + Eq, V: Clone, R: Reference<K, V>>(reference: &R, goes: impl Fn(&K) -> bool) -> R {
    let mut left = reference.clone();
    for (key, _) in reference.entries().into_iter().filter(|(key, _)| goes(key)) {
        left.apply(&Operation::Remove(key));
    }
    left
}

/// All other things that the levels ask of a model, besides its rules.
impl<K: Clone + Eq + Hash, V: Clone + Eq + Hash> Reference<K, V> for Model<K, V> {
    fn apply(&mut self, operation: &Operation<K, V>) -> Outcome<K, V> {
        let outcome = self.follow(operation);
        if matches!(operation, Operation::Insert(..) | Operation::Get(_) | Operation::GetMut(..)) {
            self.saturate();
        }
        outcome
    }

    fn entries(&self) -> Vec<(K, V)> {
        let entry = |position: usize| (self.entries[position].key.clone(), self.entries[position].value.clone());
        self.order().into_iter().map(entry).collect()
    }

    fn bound(&self) -> usize {
        self.max_size
    }

    fn count(&self) -> usize {
        self.entries.len()
    }

    fn value(&self, key: &K) -> Option<V> {
        Some(self.entries[self.position(key)?].value.clone())
    }

    fn state(&self, names: Names<'_, K>) -> Option<Vec<u64>> {
        // LRU counts have no effect.
        let counts = |uses| if self.policy == Policy::Lru { 0 } else { uses };
        let entries = self.entries.iter().flat_map(|entry| [names.of(&entry.key), counts(entry.uses)]);
        Some([self.max_size as u64, self.floor].into_iter().chain(entries).collect())
    }

    fn source(&self, _keys: &[K]) -> String {
        let Self { policy, insertion, max_size, max_uses, .. } = self;
        let new = match max_uses {
            &u64::MAX => format!("Model::new(Policy::{policy:?}, {max_size})"),
            _ => format!("Model::with_max_uses(Policy::{policy:?}, {max_size}, {max_uses})"),
        };
        new + &insertion.call()
    }

    fn partly(&self, operation: &Operation<K, V>, is_left: &dyn Fn(&K) -> bool) -> Vec<Self> {
        let mut left = Vec::new();
        let mut partly = self.clone();
        match operation {
            Operation::Retain(_) => {
                partly.entries.retain(|entry| is_left(&entry.key));
                left.push(partly);
            }
            Operation::Clear | Operation::Drain(_) => {
                partly.entries.retain(|entry| is_left(&entry.key));
                // F2: a cache that is empty afterwards was cleared, and its floor was reset.
                if !partly.entries.is_empty() {
                    left.push(Self { floor: 0, ..partly.clone() });
                    left.push(partly);
                }
            }
            Operation::SetMaxSize(max_size) => {
                while partly.entries.len() > *max_size {
                    partly.evict_down_to(partly.entries.len() - 1);
                    left.push(partly.clone());
                    left.push(Self { max_size: *max_size, ..partly.clone() });
                }
            }
            _ => {}
        }
        left
    }

    fn own_branches(&self) -> Vec<Branch> {
        let of_aging = Branch::OF_AGING.into_iter().filter(|_| self.ages());
        [Branch::InsertEvictsTied, Branch::HitSaturated].into_iter().chain(of_aging).collect()
    }

    fn own_branches_of(&self, operation: &Operation<K, V>, after: &Self) -> Vec<Branch> {
        let of_counts = match operation {
            Operation::Insert(key, _) | Operation::GetOrInsert(key, _) if self.position(key).is_none() => {
                let lowest = self.entries.iter().map(|entry| entry.uses).min();
                let tied = self.entries.iter().filter(|entry| Some(entry.uses) == lowest).count();
                (tied > 1).then_some(Branch::InsertEvictsTied)
            }
            Operation::Get(key)
            | Operation::TryGet(key)
            | Operation::GetMut(key, _)
            | Operation::GetOrInsert(key, _) => {
                let uses = self.position(key).map(|position| self.entries[position].uses);
                (uses == Some(self.max_uses)).then_some(Branch::HitSaturated)
            }
            _ => None,
        };
        let of_aging = if self.ages() { self.branch_of_aging(operation, after) } else { None };
        of_counts.into_iter().chain(of_aging).collect()
    }

    fn ages(&self) -> bool {
        self.policy == Policy::Lfuda
    }
}

impl<K: Clone + Eq, V> Model<K, V> {
    /// Returns the branch of aging that an operation takes in addition.
    fn branch_of_aging(&self, operation: &Operation<K, V>, after: &Self) -> Option<Branch> {
        let gone = self.entries.iter().find(|entry| after.position(&entry.key).is_none());
        let raises = after.floor > self.floor;
        let leaves = self.floor > 0 && gone.is_some_and(|entry| entry.uses != self.floor);
        let stores = after.entries.len() > self.entries.len();
        match operation {
            Operation::Insert(..) | Operation::GetOrInsert(..) if raises && self.floor == 0 => {
                Some(Branch::InsertRaisesFloor)
            }
            Operation::Insert(..) | Operation::GetOrInsert(..) if raises => Some(Branch::InsertRaisesFloorAgain),
            Operation::Insert(..) | Operation::GetOrInsert(..) if stores && self.floor > 0 => {
                Some(Branch::InsertAboveFloor)
            }
            Operation::Insert(..) | Operation::GetOrInsert(..) if self.max_size == 0 && self.floor > 0 => {
                Some(Branch::InsertAtZeroLeavesFloor)
            }
            Operation::Remove(_) if leaves => Some(Branch::RemoveLeavesFloor),
            Operation::Pop if leaves => Some(Branch::PopLeavesFloor),
            Operation::Clear | Operation::Drain(_) if self.floor > 0 => Some(Branch::ClearResetsFloor),
            Operation::Copy if self.floor > 0 => Some(Branch::CopyKeepsFloor),
            Operation::SetMaxSize(_) if raises => Some(Branch::ShrinkRaisesFloor),
            _ => None,
        }
    }
}

impl<K, V> Model<K, V> {
    /// Creates an empty cache that holds at most `max_size` entries.
    ///
    /// ```
    /// # use aws_client_cache_spec::{Model, Policy, SystemUnderTest};
    /// let model: Model<u8, u8> = Model::new(Policy::Lru, 3);
    /// assert_eq!(model.max_size(), 3);
    /// ```
    pub fn new(policy: Policy, max_size: usize) -> Self {
        Self::with_max_uses(policy, max_size, u64::MAX)
    }

    /// Creates an empty LRU.
    ///
    /// [`InsertionMode`] shows an example.
    pub fn lru(max_size: usize) -> Self {
        Self::new(Policy::Lru, max_size)
    }

    /// Creates an empty LFU.
    ///
    /// ```
    /// # use aws_client_cache_spec::{Model, Policy};
    /// assert_eq!(Model::<u8, u8>::lfu(2), Model::new(Policy::Lfu, 2));
    /// ```
    pub fn lfu(max_size: usize) -> Self {
        Self::new(Policy::Lfu, max_size)
    }

    /// Creates an empty LFU with dynamic aging.
    ///
    /// ```
    /// # use aws_client_cache_spec::{Model, Policy};
    /// assert_eq!(Model::<u8, u8>::lfuda(2), Model::new(Policy::Lfuda, 2));
    /// ```
    pub fn lfuda(max_size: usize) -> Self {
        Self::new(Policy::Lfuda, max_size)
    }

    /// Creates an empty cache whose use counts and weights saturate at `max_uses`, at least 1 (F1, F2).
    ///
    /// So a search of all its states has an end. The model itself counts further; the counts are lowered after each
    /// operation.
    ///
    /// ```
    /// # use aws_client_cache_spec::{Model, Policy, SystemUnderTest};
    /// let mut model = Model::with_max_uses(Policy::Lfu, 2, 1);
    /// model.insert('a', ()).unwrap();
    /// model.insert('b', ()).unwrap();
    /// model.get(&'a'); // counted as the latest use, but as no higher count
    /// assert_eq!(model.pop(), Ok(('b', ())));
    /// ```
    pub fn with_max_uses(policy: Policy, max_size: usize, max_uses: u64) -> Self {
        let (max_uses, insertion) = (max_uses.max(1), InsertionMode::default());
        Self { policy, insertion, max_uses, max_size, floor: 0, entries: Vec::new() }
    }

    /// Sets the effect of inserting a present key, which is refused by default.
    ///
    /// [`InsertionMode`] shows an example.
    #[must_use]
    pub fn with_insertion(mut self, insertion: InsertionMode) -> Self {
        self.insertion = insertion;
        self
    }

    /// Lowers the count of the most recently used entry to the one at which counts saturate (F1, F2).
    fn saturate(&mut self) {
        self.entries.last_mut().into_iter().for_each(|entry| entry.uses = entry.uses.min(self.max_uses));
    }
}

impl Policy {
    /// All policies.
    ///
    /// ```
    /// # use aws_client_cache_spec::Policy;
    /// assert!(Policy::ALL.contains(&Policy::Lfuda));
    /// ```
    pub const ALL: [Self; 3] = [Self::Lru, Self::Lfu, Self::Lfuda];
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

    /// Returns the mode of a reference, or `None` if it holds nothing.
    pub(crate) fn of<R: Reference<u8, u64>>(reference: &R) -> Option<Self> {
        let mut probe = reference.clone();
        let is_present = |key: &u8| !is_expired(reference, key);
        let key = (0..=u8::MAX).find(|key| {
            is_present(key)
                && matches!(probe.apply(&Operation::Insert(*key, 0)), Outcome::Evicted(_) | Outcome::Refused(_))
        })?;
        probe.value(&key)?;
        match probe.apply(&Operation::Insert(key, 1)) {
            Outcome::Refused(_) => Some(Self::Refuse),
            Outcome::Evicted(replaced) if replaced.iter().any(|(replaced, _)| *replaced == key) => Some(Self::Replace),
            _ => Some(Self::KeepFirst),
        }
    }
}

/// Returns the expiries of the first keys of a search.
pub(crate) fn expiries<K: Clone + Eq + From<u8>, V: Clone, R: Reference<K, V>>(
    reference: &R,
    keys: u8,
) -> Vec<(u8, u64)> {
    (0..keys).filter_map(|key| Some((key, reference.expiry(&K::from(key))?))).collect()
}

/// Returns code that creates a reference, with the keys that occur in operations.
pub(crate) fn source<K, V, R>(reference: &R, operations: &[Operation<u8, u64>]) -> String
where
    K: Clone + Eq + Debug + From<u8>,
    V: Clone,
    R: Reference<K, V>,
{
    let keys: Vec<K> = operations.iter().filter_map(|operation| operation.key()).map(|key| K::from(*key)).collect();
    reference.source(&keys)
}
