//! The operations of a cache, and their outcomes.

use std::fmt;

/// One call of a cache's operations.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Model, Operation, Outcome, Subject};
///
/// let mut model = Model::new(EvictionPolicy::Lru, 2);
/// assert_eq!(Operation::Insert('a', 1).apply(&mut model), Outcome::Evicted(vec![]));
/// assert_eq!(Operation::Get('a').apply(&mut model), Outcome::Value(Some(1)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operation<K, V> {
    /// Inserts (D2). The effect on a present key depends on the [`InsertionMode`](crate::InsertionMode).
    Insert(K, V),
    /// Looks up, as a use; a miss is no error (D4).
    Get(K),
    /// Looks up, as a use; a miss is an error (D4).
    TryGet(K),
    /// Looks up, not as a use (D5).
    Peek(K),
    /// Checks if a key is present (D5).
    ContainsKey(K),
    /// Removes an entry (D6).
    Remove(K),
    /// Removes the next victim (D6).
    Pop,
    /// Removes all entries.
    Clear,
    /// Continues with a copy (D8).
    Copy,
    /// Sets the bound, and evicts the entries that exceed it (D9).
    SetMaxSize(usize),
    /// Takes a snapshot, in eviction order (D7).
    Items,
    /// Sets the clock, forward or back (E5).
    SetTime(u64),
    /// Removes all expired entries (E4).
    RemoveExpired,
}

/// The outcome of an [`Operation`].
///
/// [`Operation`] shows an example.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome<K, V> {
    /// Success without a result.
    Done,
    /// Success, with the entries that were evicted, in order, or the one that was replaced.
    Evicted(Vec<(K, V)>),
    /// A value, or none.
    Value(Option<V>),
    /// An entry.
    Entry(K, V),
    /// Entries, in eviction order.
    Entries(Vec<(K, V)>),
    /// A yes or no.
    Answer(bool),
    /// A refusal, which has changed nothing.
    Refused(Refusal),
    /// Not applicable: the cache has no such operation.
    Missing,
}

/// The reason for refusing an operation.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Model, Refusal, Subject};
///
/// let mut model: Model<u8, u8> = Model::new(EvictionPolicy::Lru, 2);
/// assert_eq!(model.pop(), Err(Refusal::Empty));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The key to insert is present, and present keys are refused (D3).
    AlreadyExists,
    /// The key is absent (D4, D6).
    NotFound,
    /// There is nothing to pop (D6).
    Empty,
    /// The key is expired (E2, E3).
    Expired,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyExists => "the key is present already",
            Self::NotFound => "the key is absent",
            Self::Empty => "the cache is empty",
            Self::Expired => "the key is expired",
        })
    }
}

impl std::error::Error for Refusal {}

/// An operation without its arguments.
///
/// [`OperationKinds`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum OperationKind {
    /// [`Operation::Insert`].
    Insert,
    /// [`Operation::Get`].
    Get,
    /// [`Operation::TryGet`].
    TryGet,
    /// [`Operation::Peek`].
    Peek,
    /// [`Operation::ContainsKey`].
    ContainsKey,
    /// [`Operation::Remove`].
    Remove,
    /// [`Operation::Pop`].
    Pop,
    /// [`Operation::Clear`].
    Clear,
    /// [`Operation::Copy`].
    Copy,
    /// [`Operation::SetMaxSize`].
    SetMaxSize,
    /// [`Operation::Items`].
    Items,
    /// [`Operation::SetTime`].
    SetTime,
    /// [`Operation::RemoveExpired`].
    RemoveExpired,
}

impl OperationKind {
    /// All kinds, those that concern expiry last.
    ///
    /// [`OperationKinds`] shows an example.
    pub const ALL: [Self; 13] = [
        Self::Insert,
        Self::Get,
        Self::TryGet,
        Self::Peek,
        Self::ContainsKey,
        Self::Remove,
        Self::Pop,
        Self::Clear,
        Self::Copy,
        Self::SetMaxSize,
        Self::Items,
        Self::SetTime,
        Self::RemoveExpired,
    ];
}

/// A set of kinds of operations, such as those that a cache answered.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Model, OperationKind, OperationKinds, Random, order};
///
/// let model = |max_size| Model::<u8, u64>::new(EvictionPolicy::Lru, max_size);
/// let covered = order(Random::new(EvictionPolicy::Lru), model)?;
/// // Where nothing expires, no operation of expiry is called.
/// assert_eq!(covered.answered(), OperationKinds::WITHOUT_EXPIRY);
/// assert!(covered.answered().contains(OperationKind::Copy));
/// assert!(covered.answered().to_string().starts_with("Insert, Get, TryGet, "));
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct OperationKinds(u16);

impl OperationKinds {
    /// All kinds.
    ///
    /// The type shows an example of [`WITHOUT_EXPIRY`](Self::WITHOUT_EXPIRY).
    pub const ALL: Self = Self((1 << OperationKind::ALL.len()) - 1);

    /// All kinds but those of expiry.
    ///
    /// The type shows an example.
    pub const WITHOUT_EXPIRY: Self = Self((1 << OperationKind::SetTime as u16) - 1);

    /// Returns `true` if a kind is in the set.
    ///
    /// The type shows an example.
    pub const fn contains(self, kind: OperationKind) -> bool {
        self.0 & (1 << kind as u16) != 0
    }

    /// Adds a kind.
    ///
    /// ```
    /// # use aws_client_cache_spec::{OperationKind, OperationKinds};
    /// let mut kinds = OperationKinds::default();
    /// kinds.insert(OperationKind::Pop);
    /// assert!(kinds.contains(OperationKind::Pop));
    /// ```
    pub const fn insert(&mut self, kind: OperationKind) {
        self.0 |= 1 << kind as u16;
    }

    /// Returns the kinds in the set, in the order of [`OperationKind::ALL`].
    ///
    /// ```
    /// # use aws_client_cache_spec::{OperationKind, OperationKinds};
    /// assert!(OperationKinds::ALL.iter().eq(OperationKind::ALL));
    /// ```
    pub fn iter(self) -> impl Iterator<Item = OperationKind> {
        OperationKind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

impl std::ops::BitOrAssign for OperationKinds {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Formats the names of the kinds, separated by commas.
impl fmt::Display for OperationKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(|kind| format!("{kind:?}")).collect();
        f.write_str(&names.join(", "))
    }
}

/// Formats the kinds by name.
impl fmt::Debug for OperationKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<K, V> Operation<K, V> {
    /// Returns the kind of the operation.
    ///
    /// ```
    /// # use aws_client_cache_spec::{Operation, OperationKind};
    /// assert_eq!(Operation::Insert('a', 1).kind(), OperationKind::Insert);
    /// ```
    pub fn kind(&self) -> OperationKind {
        match self {
            Self::Insert(..) => OperationKind::Insert,
            Self::Get(_) => OperationKind::Get,
            Self::TryGet(_) => OperationKind::TryGet,
            Self::Peek(_) => OperationKind::Peek,
            Self::ContainsKey(_) => OperationKind::ContainsKey,
            Self::Remove(_) => OperationKind::Remove,
            Self::Pop => OperationKind::Pop,
            Self::Clear => OperationKind::Clear,
            Self::Copy => OperationKind::Copy,
            Self::SetMaxSize(_) => OperationKind::SetMaxSize,
            Self::Items => OperationKind::Items,
            Self::SetTime(_) => OperationKind::SetTime,
            Self::RemoveExpired => OperationKind::RemoveExpired,
        }
    }

    /// Returns the key of the operation, if it has one.
    ///
    /// ```
    /// # use aws_client_cache_spec::Operation;
    /// assert_eq!(Operation::Insert('a', 1).key(), Some(&'a'));
    /// assert_eq!(Operation::<char, i32>::Pop.key(), None);
    /// ```
    pub fn key(&self) -> Option<&K> {
        match self {
            Self::Insert(key, _)
            | Self::Get(key)
            | Self::TryGet(key)
            | Self::Peek(key)
            | Self::ContainsKey(key)
            | Self::Remove(key) => Some(key),
            Self::Pop
            | Self::Clear
            | Self::Copy
            | Self::SetMaxSize(_)
            | Self::Items
            | Self::SetTime(_)
            | Self::RemoveExpired => None,
        }
    }

    /// Applies the operation to a cache.
    ///
    /// ```
    /// # use aws_client_cache_spec::{EvictionPolicy, Model, Operation, Outcome, Refusal};
    /// let mut model = Model::<u8, u8>::new(EvictionPolicy::Lru, 2);
    /// assert_eq!(Operation::Remove(1).apply(&mut model), Outcome::Refused(Refusal::NotFound));
    /// ```
    pub fn apply<C: crate::Subject<K, V>>(&self, cache: &mut C) -> Outcome<K, V>
    where
        K: Clone + Eq,
        V: Clone,
    {
        match self {
            Self::Insert(key, value) => match cache.insert(key.clone(), value.clone()) {
                Ok(victim) => Outcome::Evicted(victim.into_iter().collect()),
                Err(refusal) => Outcome::Refused(refusal),
            },
            Self::Get(key) => Outcome::Value(cache.get(key)),
            Self::TryGet(key) => match cache.try_get(key) {
                Ok(value) => Outcome::Value(Some(value)),
                Err(refusal) => Outcome::Refused(refusal),
            },
            Self::Peek(key) => Outcome::Value(cache.peek(key)),
            Self::ContainsKey(key) => Outcome::Answer(cache.contains_key(key)),
            Self::Remove(key) => match cache.remove(key) {
                Ok(value) => Outcome::Value(Some(value)),
                Err(refusal) => Outcome::Refused(refusal),
            },
            Self::Pop => match cache.pop() {
                Ok((key, value)) => Outcome::Entry(key, value),
                Err(refusal) => Outcome::Refused(refusal),
            },
            Self::Clear => {
                cache.clear();
                Outcome::Done
            }
            Self::Copy => match cache.copy() {
                Some(copy) => {
                    *cache = copy;
                    Outcome::Done
                }
                None => Outcome::Missing,
            },
            Self::SetMaxSize(max_size) => cache.set_max_size(*max_size).map_or(Outcome::Missing, Outcome::Evicted),
            Self::Items => Outcome::Entries(cache.items()),
            Self::SetTime(now) => cache.set_time(*now).map_or(Outcome::Missing, |()| Outcome::Done),
            Self::RemoveExpired => cache.remove_expired().map_or(Outcome::Missing, Outcome::Entries),
        }
    }

    /// Returns the same operation on keys and values of other types.
    ///
    /// ```
    /// # use aws_client_cache_spec::Operation;
    /// let operation = Operation::Insert(1, 10).map(|key| key + 1, |value| value.to_string());
    /// assert_eq!(operation, Operation::Insert(2, "10".to_owned()));
    /// ```
    pub fn map<L, W>(self, key: impl FnOnce(K) -> L, value: impl FnOnce(V) -> W) -> Operation<L, W> {
        match self {
            Self::Insert(k, v) => Operation::Insert(key(k), value(v)),
            Self::Get(k) => Operation::Get(key(k)),
            Self::TryGet(k) => Operation::TryGet(key(k)),
            Self::Peek(k) => Operation::Peek(key(k)),
            Self::ContainsKey(k) => Operation::ContainsKey(key(k)),
            Self::Remove(k) => Operation::Remove(key(k)),
            Self::Pop => Operation::Pop,
            Self::Clear => Operation::Clear,
            Self::Copy => Operation::Copy,
            Self::SetMaxSize(max_size) => Operation::SetMaxSize(max_size),
            Self::Items => Operation::Items,
            Self::SetTime(now) => Operation::SetTime(now),
            Self::RemoveExpired => Operation::RemoveExpired,
        }
    }
}
