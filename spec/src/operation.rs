//! The operations of a cache, and their outcomes.

use std::fmt;

/// One call of a cache's operations.
///
/// These are the outcomes of each, and the parts from which [`follow`](crate::model::follow) derives the operation if a
/// [`Reference`](crate::Reference) does not answer it:
///
/// | operation | outcome | derived from |
/// |---|---|---|
/// | `Insert` | `Evicted`, `Refused(AlreadyExists)`, `Refused(Expired)` | must be answered. |
/// | `Get` | `Value` | must be answered. |
/// | `Remove` | `Value` of the former value, `Refused(NotFound)` | must be answered. |
/// | `TryGet` | `Value`, `Refused(NotFound)`, `Refused(Expired)` | `Get`. |
/// | `Peek` | `Value` | the value. |
/// | `ContainsKey` | `Answer` | the value. |
/// | `Pop` | `Entry`, `Refused(Empty)` | nothing, so it is not compared. |
/// | `Clear` | `Done` | `Remove` of each entry. |
/// | `Copy` | `Done` | `Clone`. |
/// | `SetMaxSize` | `Evicted` | nothing, so it is not compared. |
/// | `Items`, `Iterate` | `Entries` | the entries. |
/// | `NextVictim` | `Entry`, `Refused(Empty)` | `Pop` of a clone. |
/// | `GetOrInsert` | `Found`, `Refused(Expired)` | `Get`, and `Insert` after a miss. |
/// | `GetMut` | `Value` of the former value | nothing, so it is not compared. |
/// | `Retain` | `Entries` that the predicate was asked about | the entries, and `Remove`. |
/// | `Drain` | `Entries` | the entries, and `Clear`. |
/// | `SetTime` | `Done` | nothing; [`Expiring`](crate::model::Expiring) has it. |
/// | `RemoveExpired` | `Entries` | nothing; [`Expiring`](crate::model::Expiring) has it. |
///
/// An operation that a cache or a reference does not have returns [`Outcome::Missing`].
///
/// ```
/// use aws_client_cache_spec::{Model, Operation, Outcome, Policy, SystemUnderTest};
///
/// let mut model = Model::new(Policy::Lru, 2);
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
    ///
    /// The levels of one thread also change the original, and another copy of it. Neither may show the other's change.
    Copy,
    /// Sets the bound, and evicts the entries that exceed it (D9).
    SetMaxSize(usize),
    /// Takes a snapshot, in the order of the [entries](crate::Reference::entries) (D7).
    Items,
    /// Iterates from both ends, interleaved (D7).
    ///
    /// The bits of the number, lowest first and repeated, tell if the next entry is taken from the back.
    Iterate(u8),
    /// Looks at the next victim, not as a use (D12).
    NextVictim,
    /// Looks up, as a use, or inserts (D2, D4).
    GetOrInsert(K, V),
    /// Looks up, as a use, and sets the value of a present key (D4).
    GetMut(K, V),
    /// Removes the entries that a predicate rejects (D12).
    ///
    /// The predicate is asked about each entry, in the order of the snapshot.
    ///
    /// The bits of the number, lowest first and repeated, are its answers: `true` keeps the entry.
    Retain(u8),
    /// Removes all entries by an iterator, from both ends as in [`Iterate`](Self::Iterate) (D12).
    Drain(u8),
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
    /// Entries, in the order of the [reference](crate::Reference::entries) or of an iterator.
    Entries(Vec<(K, V)>),
    /// A value, present or new, with the entries that were evicted for it.
    Found(V, Vec<(K, V)>),
    /// A yes or no.
    Answer(bool),
    /// A refusal, which has changed nothing.
    Refused(Refusal),
    /// Not applicable: the cache has no such operation.
    Missing,
}

impl<K: fmt::Debug, V: fmt::Debug> Outcome<K, V> {
    /// Returns Rust code that creates the outcome.
    ///
    /// The `Debug` output of a vector is an array, and that of a variant has no path.
    pub(crate) fn code(&self) -> String {
        match self {
            Self::Evicted(entries) => format!("Outcome::Evicted(vec!{entries:?})"),
            Self::Entries(entries) => format!("Outcome::Entries(vec!{entries:?})"),
            Self::Found(value, evicted) => format!("Outcome::Found({value:?}, vec!{evicted:?})"),
            Self::Refused(refusal) => format!("Outcome::Refused(Refusal::{refusal:?})"),
            Self::Done | Self::Value(_) | Self::Entry(..) | Self::Answer(_) | Self::Missing => {
                format!("Outcome::{self:?}")
            }
        }
    }
}

/// The reason for refusing an operation.
///
/// ```
/// use aws_client_cache_spec::{Model, Policy, Refusal, SystemUnderTest};
///
/// let mut model: Model<u8, u8> = Model::new(Policy::Lru, 2);
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
    /// [`Operation::Iterate`].
    Iterate,
    /// [`Operation::NextVictim`].
    NextVictim,
    /// [`Operation::GetOrInsert`].
    GetOrInsert,
    /// [`Operation::GetMut`].
    GetMut,
    /// [`Operation::Retain`].
    Retain,
    /// [`Operation::Drain`].
    Drain,
    /// [`Operation::SetTime`].
    SetTime,
    /// [`Operation::RemoveExpired`].
    RemoveExpired,
}

impl OperationKind {
    /// All kinds, those that concern expiry last.
    ///
    /// [`OperationKinds`] shows an example.
    pub const ALL: [Self; 19] = [
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
        Self::Iterate,
        Self::NextVictim,
        Self::GetOrInsert,
        Self::GetMut,
        Self::Retain,
        Self::Drain,
        Self::SetTime,
        Self::RemoveExpired,
    ];
}

/// A set of kinds of operations, such as those that a cache answered.
///
/// ```
/// use aws_client_cache_spec::check::order;
/// use aws_client_cache_spec::model::{OperationKind, OperationKinds};
/// use aws_client_cache_spec::{Model, Random};
///
/// let covered = order(Random::new(), Model::lru, Model::lru)?;
/// // Where nothing expires, no operation of expiry is called.
/// assert_eq!(covered.answered(), OperationKinds::WITHOUT_EXPIRY);
/// assert!(covered.answered().contains(OperationKind::Copy));
/// assert!(covered.answered().to_string().starts_with("Insert, Get, TryGet, "));
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct OperationKinds(u32);

impl OperationKinds {
    /// All kinds.
    ///
    /// The type shows an example of [`WITHOUT_EXPIRY`](Self::WITHOUT_EXPIRY).
    pub const ALL: Self = Self((1 << OperationKind::ALL.len()) - 1);

    /// All kinds but those of expiry.
    ///
    /// The type shows an example.
    pub const WITHOUT_EXPIRY: Self = Self((1 << OperationKind::SetTime as u32) - 1);

    /// The kinds that a map has, but not every cache.
    ///
    /// They iterate from both ends, look at the next victim, insert on a miss, change a value in place, or remove many
    /// entries.
    ///
    /// [`minus`](Self::minus) shows an example.
    pub const OF_MAP: Self =
        Self(((1 << OperationKind::SetTime as u32) - 1) & !((1 << OperationKind::Iterate as u32) - 1));

    /// Returns the kinds that are not in the other set.
    ///
    /// ```
    /// # use aws_client_cache_spec::model::{OperationKind, OperationKinds};
    /// let of_cache = OperationKinds::WITHOUT_EXPIRY.minus(OperationKinds::OF_MAP);
    /// assert!(of_cache.contains(OperationKind::Items) && !of_cache.contains(OperationKind::Drain));
    /// ```
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns `true` if a kind is in the set.
    ///
    /// The type shows an example.
    pub const fn contains(self, kind: OperationKind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// Adds a kind.
    ///
    /// ```
    /// # use aws_client_cache_spec::model::{OperationKind, OperationKinds};
    /// let mut kinds = OperationKinds::default();
    /// kinds.insert(OperationKind::Pop);
    /// assert!(kinds.contains(OperationKind::Pop));
    /// ```
    pub const fn insert(&mut self, kind: OperationKind) {
        self.0 |= 1 << kind as u32;
    }

    /// Returns the kinds in the set, in the order of [`OperationKind::ALL`].
    ///
    /// ```
    /// # use aws_client_cache_spec::model::{OperationKind, OperationKinds};
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
    /// # use aws_client_cache_spec::model::OperationKind;
    /// # use aws_client_cache_spec::Operation;
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
            Self::Iterate(_) => OperationKind::Iterate,
            Self::NextVictim => OperationKind::NextVictim,
            Self::GetOrInsert(..) => OperationKind::GetOrInsert,
            Self::GetMut(..) => OperationKind::GetMut,
            Self::Retain(_) => OperationKind::Retain,
            Self::Drain(_) => OperationKind::Drain,
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
            | Self::GetOrInsert(key, _)
            | Self::GetMut(key, _)
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
            | Self::Iterate(_)
            | Self::NextVictim
            | Self::Retain(_)
            | Self::Drain(_)
            | Self::SetTime(_)
            | Self::RemoveExpired => None,
        }
    }

    /// Applies the operation to a cache.
    ///
    /// ```
    /// # use aws_client_cache_spec::{Model, Operation, Outcome, Policy, Refusal};
    /// let mut model = Model::<u8, u8>::new(Policy::Lru, 2);
    /// assert_eq!(Operation::Remove(1).apply(&mut model), Outcome::Refused(Refusal::NotFound));
    /// ```
    pub fn apply<C: crate::SystemUnderTest<K, V>>(&self, cache: &mut C) -> Outcome<K, V>
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
            Self::Iterate(ends) => cache.iterate(&mut pattern(*ends)).map_or(Outcome::Missing, Outcome::Entries),
            Self::NextVictim => match cache.next_victim() {
                None => Outcome::Missing,
                Some(None) => Outcome::Refused(Refusal::Empty),
                Some(Some((key, value))) => Outcome::Entry(key, value),
            },
            Self::GetOrInsert(key, value) => match cache.get_or_insert(key.clone(), value.clone()) {
                None => Outcome::Missing,
                Some(Ok((value, evicted))) => Outcome::Found(value, evicted.into_iter().collect()),
                Some(Err(refusal)) => Outcome::Refused(refusal),
            },
            Self::GetMut(key, value) => cache.get_mut(key, value.clone()).map_or(Outcome::Missing, Outcome::Value),
            Self::Retain(answers) => {
                let (mut answer, mut asked) = (pattern(*answers), Vec::new());
                let retained = cache.retain(&mut |key, value| {
                    asked.push((key.clone(), value.clone()));
                    answer()
                });
                retained.map_or(Outcome::Missing, |()| Outcome::Entries(asked))
            }
            Self::Drain(ends) => cache.drain(&mut pattern(*ends)).map_or(Outcome::Missing, Outcome::Entries),
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
            Self::Iterate(ends) => Operation::Iterate(ends),
            Self::NextVictim => Operation::NextVictim,
            Self::GetOrInsert(k, v) => Operation::GetOrInsert(key(k), value(v)),
            Self::GetMut(k, v) => Operation::GetMut(key(k), value(v)),
            Self::Retain(answers) => Operation::Retain(answers),
            Self::Drain(ends) => Operation::Drain(ends),
            Self::SetTime(now) => Operation::SetTime(now),
            Self::RemoveExpired => Operation::RemoveExpired,
        }
    }
}

/// Returns the bits of a number, lowest first and repeated, one at each call.
pub(crate) fn pattern(bits: u8) -> impl FnMut() -> bool {
    let mut next = (0..u8::BITS).cycle();
    move || next.next().is_some_and(|bit| bits >> bit & 1 == 1)
}

/// Takes all items of an iterator, each from the back if `from_back` returns `true`.
///
/// It serves [`SystemUnderTest::iterate`](crate::SystemUnderTest::iterate) and
/// [`SystemUnderTest::drain`](crate::SystemUnderTest::drain).
///
/// ```
/// use aws_client_cache_spec::check::from_both_ends;
///
/// let mut from_back = [false, true, true].into_iter().cycle();
/// assert_eq!(from_both_ends(0..5, &mut || from_back.next() == Some(true)), [0, 4, 3, 1, 2]);
/// ```
pub fn from_both_ends<T>(
    mut iterator: impl DoubleEndedIterator<Item = T>,
    from_back: &mut dyn FnMut() -> bool,
) -> Vec<T> {
    std::iter::from_fn(|| if from_back() { iterator.next_back() } else { iterator.next() }).collect()
}
