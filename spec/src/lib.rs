//! Tests a bounded cache against a simple reference, and prints a short test for each difference.
//!
//! ```
//! use std::collections::VecDeque;
//!
//! use aws_client_cache_spec::check::{dict, order};
//! use aws_client_cache_spec::{Dict, Model, Random, Refusal, SystemUnderTest};
//!
//! /// Your cache: an LRU in fifteen lines.
//! struct Lru<K, V> {
//!     oldest_first: VecDeque<(K, V)>,
//!     capacity: usize,
//! }
//!
//! impl<K: PartialEq, V: Clone> Lru<K, V> {
//!     fn get(&mut self, key: &K) -> Option<V> {
//!         let index = self.oldest_first.iter().position(|(present, _)| present == key)?;
//!         let (key, value) = self.oldest_first.remove(index)?;
//!         self.oldest_first.push_back((key, value.clone()));
//!         Some(value)
//!     }
//!
//!     fn put(&mut self, key: K, value: V) -> Option<(K, V)> {
//!         self.oldest_first.push_back((key, value));
//!         if self.oldest_first.len() > self.capacity { self.oldest_first.pop_front() } else { None }
//!     }
//! }
//!
//! /// The adapter for the kit: six methods that forward.
//! impl<K: Clone + Eq, V: Clone> SystemUnderTest<K, V> for Lru<K, V> {
//!     fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
//!         if self.contains_key(&key) { Err(Refusal::AlreadyExists) } else { Ok(self.put(key, value)) }
//!     }
//!     fn get(&mut self, key: &K) -> Option<V> {
//!         self.get(key)
//!     }
//!     fn remove(&mut self, key: &K) -> Result<V, Refusal> {
//!         let index = self.oldest_first.iter().position(|(present, _)| present == key);
//!         let removed = index.and_then(|index| self.oldest_first.remove(index));
//!         removed.map(|(_, value)| value).ok_or(Refusal::NotFound)
//!     }
//!     fn max_size(&self) -> usize {
//!         self.capacity
//!     }
//!     fn len(&self) -> usize {
//!         self.oldest_first.len()
//!     }
//!     fn items(&self) -> Vec<(K, V)> {
//!         self.oldest_first.iter().cloned().collect()
//!     }
//! }
//!
//! let new = |capacity| Lru { oldest_first: VecDeque::new(), capacity };
//! dict(Random::new(), Dict::new, new)?; // a bounded dict, whichever entries it evicts
//! order(Random::new(), Model::lru, new)?; // a strict LRU
//! # Ok::<(), aws_client_cache_spec::CounterExample>(())
//! ```
//!
//! The cache is compared with a [`Reference`]: [`Model`] for LRU, LFU and LFUDA, or your own. The
//! [`rules`](model::rules) of the model are numbered, and stand in fewer than a hundred lines of code.
//!
//! # The levels
//!
//! | level | function | cache | checks |
//! |---|---|---|---|
//! | dict | [`dict`](check::dict()) | [`SystemUnderTest`] | a bounded dict, whichever entries it evicts, in random runs. |
//! | eviction order | [`order`](check::order()) | [`SystemUnderTest`] | the order of a reference, in random runs. |
//! | every state | [`exhaustive`](check::exhaustive()) | [`Explore`] | the same in every state of a small scope, and so after every sequence of operations. |
//! | every state | [`exhaustive_to_depth`](check::exhaustive_to_depth()) | [`SystemUnderTest`] | the same after every short sequence, for a cache that cannot be copied. |
//! | panic safety | [`panics`](check::panics()) | [`Explore`] of [`PanicProbe`](check::PanicProbe) keys and values | no entry is lost when `Hash`, `Eq`, `Ord`, `Clone` or `Drop` panics, in every state. |
//! | linearizability | [`linearizable`](concurrency::linearizable()) | [`Shared`](concurrency::Shared) | some order explains the outcomes of threads. |
//! | linearizability | [`reentrant`](concurrency::reentrant()) | the same of [`PanicProbe`](check::PanicProbe) keys and values | keys and values may use the cache when they are dropped. |
//! | creation | [`creation`](creation::creation()) | [`Creates`](creation::Creates) | creation on a miss, exactly once, in every schedule. |
//!
//! Each function takes its limits, a function that creates an empty reference, and one that creates an empty cache, both
//! with a given bound. It returns the covered scope: numbers and, on one thread, the set of operations that the cache
//! answered. Only compared operations count. Assert both, so that a test that has lost coverage fails: for example,
//! because an adapter no longer overrides [`SystemUnderTest::copy`]. Of threads, assert the calls that
//! [overlapped](concurrency::Recorded::overlapping).
//!
//! The defaults take a second or less. A complete test also has long runs, such as
//! `Random { operations: 1_000, ..Random::new() }`, for a fault that shows only after dozens of evictions. If your cache
//! hashes its keys, run the levels with a hasher that makes keys collide, too.
//!
//! If the cache differs or panics, the function returns a counterexample from which nothing can be omitted. Its `Display`
//! and its `Debug` are a Rust test to paste.
//!
//! Declare a deliberate difference of your cache as a [`Difference`](check::Difference); it is not compared. Operations
//! that your cache or the reference does not have are not compared, and not counted.
//!
//! # Another policy: a SIEVE
//!
//! A policy of your own needs a reference of your own: the policy in its simplest form, in any time and space. Here, it
//! is a SIEVE. Hits set a bit. A hand walks from the oldest entry to the newest, clears bits, and evicts the first entry
//! without one. The cache itself keeps its entries in two queues, before and after the hand.
//!
//! Choose scopes that are large enough for the policy: a hand needs three entries and four keys, or some of its moves make
//! no difference. For such scopes, name the [state](Reference::state) of the reference. Then states that differ only by
//! values or, in a symmetric scope, by the identity of keys are merged.
//!
//! ```
//! use std::collections::VecDeque;
//! use std::mem::swap;
//!
//! use aws_client_cache_spec::check::{dict, exhaustive, order, panics};
//! use aws_client_cache_spec::{Dict, Explore, Names, Operation, Outcome, Random, Reference, Refusal, Scope, SystemUnderTest};
//!
//! /// The policy as its paper tells it: a queue with bits, oldest first, and a hand.
//! #[derive(Clone, PartialEq, Eq, Hash)]
//! struct SieveModel<K, V> {
//!     queue: Vec<(K, V, bool)>,
//!     hand: usize,
//!     max_size: usize,
//! }
//!
//! impl<K: Clone + Eq, V: Clone> SieveModel<K, V> {
//!     fn new(max_size: usize) -> Self {
//!         Self { queue: Vec::new(), hand: 0, max_size }
//!     }
//!
//!     fn take(&mut self, index: usize) -> (K, V) {
//!         let (key, value, _) = self.queue.remove(index);
//!         self.hand -= usize::from(index < self.hand);
//!         self.hand %= self.queue.len().max(1);
//!         (key, value)
//!     }
//!
//!     fn evict(&mut self) -> (K, V) {
//!         while std::mem::take(&mut self.queue[self.hand].2) {
//!             self.hand = (self.hand + 1) % self.queue.len();
//!         }
//!         self.take(self.hand)
//!     }
//! }
//!
//! impl<K, V> Reference<K, V> for SieveModel<K, V>
//! where
//!     K: Clone + Eq + std::hash::Hash,
//!     V: Clone + Eq + std::hash::Hash,
//! {
//!     fn apply(&mut self, operation: &Operation<K, V>) -> Outcome<K, V> {
//!         let found = operation.key().and_then(|key| self.queue.iter().position(|(present, ..)| present == key));
//!         match (operation, found) {
//!             (Operation::Insert(..), Some(_)) => Outcome::Refused(Refusal::AlreadyExists),
//!             (Operation::Insert(key, value), None) if self.max_size == 0 => {
//!                 Outcome::Evicted(vec![(key.clone(), value.clone())])
//!             }
//!             (Operation::Insert(key, value), None) => {
//!                 let victim = (self.queue.len() == self.max_size).then(|| self.evict());
//!                 self.queue.push((key.clone(), value.clone(), false));
//!                 Outcome::Evicted(victim.into_iter().collect())
//!             }
//!             (Operation::Get(_), None) => Outcome::Value(None),
//!             (Operation::Get(_), Some(index)) => {
//!                 self.queue[index].2 = true;
//!                 Outcome::Value(Some(self.queue[index].1.clone()))
//!             }
//!             (Operation::Remove(_), None) => Outcome::Refused(Refusal::NotFound),
//!             (Operation::Remove(_), Some(index)) => Outcome::Value(Some(self.take(index).1)),
//!             _ => Outcome::Missing, // not compared, or derived from the others
//!         }
//!     }
//!     fn entries(&self) -> Vec<(K, V)> {
//!         self.queue.iter().map(|(key, value, _)| (key.clone(), value.clone())).collect()
//!     }
//!     fn bound(&self) -> usize {
//!         self.max_size
//!     }
//!     fn state(&self, names: Names<'_, K>) -> Option<Vec<u64>> {
//!         let nodes = self.queue.iter().flat_map(|(key, _, visited)| [names.of(key), (*visited).into()]);
//!         Some([self.max_size as u64, self.hand as u64].into_iter().chain(nodes).collect())
//!     }
//! }
//!
//! /// Your cache.
//! #[derive(Clone)]
//! struct Sieve<K, V> {
//!     /// The entries behind the hand, then those ahead of it, oldest first.
//!     queues: [VecDeque<(K, V, bool)>; 2],
//!     capacity: usize,
//! }
//!
//! impl<K: PartialEq, V: Clone> Sieve<K, V> {
//!     fn new(capacity: usize) -> Self {
//!         Self { queues: [VecDeque::new(), VecDeque::new()], capacity }
//!     }
//!
//!     fn get(&mut self, key: &K) -> Option<V> {
//!         let (_, value, visited) = self.queues.iter_mut().flatten().find(|(present, ..)| present == key)?;
//!         *visited = true;
//!         Some(value.clone())
//!     }
//!
//!     /// Moves the hand to the oldest entry, if it has passed the newest.
//!     fn wrap(&mut self) {
//!         let [behind, ahead] = &mut self.queues;
//!         if ahead.is_empty() {
//!             swap(behind, ahead);
//!         }
//!     }
//!
//!     fn evict(&mut self) -> Option<(K, V)> {
//!         loop {
//!             self.wrap();
//!             let (key, value, visited) = self.queues[1].pop_front()?;
//!             if !visited {
//!                 self.wrap();
//!                 return Some((key, value));
//!             }
//!             self.queues[0].push_back((key, value, false));
//!         }
//!     }
//!
//!     fn put(&mut self, key: K, value: V) -> Option<(K, V)> {
//!         if self.capacity == 0 {
//!             return Some((key, value));
//!         }
//!         let is_full = self.queues.iter().flatten().count() == self.capacity;
//!         let victim = if is_full { self.evict() } else { None };
//!         self.queues[1].push_back((key, value, false));
//!         victim
//!     }
//!
//!     fn take(&mut self, key: &K) -> Option<V> {
//!         let place = |queue: &VecDeque<(K, V, bool)>| queue.iter().position(|(present, ..)| present == key);
//!         let (queue, index) = (0..2).find_map(|queue| Some((queue, place(&self.queues[queue])?)))?;
//!         let (key, value, _) = self.queues[queue].remove(index)?;
//!         self.wrap();
//!         drop(key); // here, or the value would leak if this panicked
//!         Some(value)
//!     }
//! }
//!
//! impl<K: Clone + Eq, V: Clone> SystemUnderTest<K, V> for Sieve<K, V> {
//!     fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
//!         if self.contains_key(&key) { Err(Refusal::AlreadyExists) } else { Ok(self.put(key, value)) }
//!     }
//!     fn get(&mut self, key: &K) -> Option<V> {
//!         self.get(key)
//!     }
//!     fn remove(&mut self, key: &K) -> Result<V, Refusal> {
//!         self.take(key).ok_or(Refusal::NotFound)
//!     }
//!     fn max_size(&self) -> usize {
//!         self.capacity
//!     }
//!     fn len(&self) -> usize {
//!         self.queues.iter().flatten().count()
//!     }
//!     fn items(&self) -> Vec<(K, V)> {
//!         self.queues.iter().flatten().map(|(key, value, _)| (key.clone(), value.clone())).collect()
//!     }
//! }
//!
//! /// A search of all states also needs copies, and a fingerprint of each state.
//! impl<K: Clone + Eq, V: Clone> Explore<K, V> for Sieve<K, V> {
//!     fn fork(&self) -> Self {
//!         self.clone()
//!     }
//!     fn fingerprint(&self, names: Names<'_, K>) -> Vec<u64> {
//!         let nodes = self.queues.iter().flatten().flat_map(|(key, _, visited)| [names.of(key), (*visited).into()]);
//!         [self.queues[0].len() as u64].into_iter().chain(nodes).collect()
//!     }
//! }
//!
//! dict(Random::new(), Dict::new, Sieve::new)?; // a bounded dict
//! order(Random::new(), SieveModel::new, Sieve::new)?; // in random runs
//! let covered = exhaustive(Scope::new(3, 4), SieveModel::new, Sieve::new)?; // in every state
//! assert_eq!(covered.states, 489);
//! let scope = Scope { symmetric: true, ..Scope::new(3, 4) };
//! panics(scope, SieveModel::new, Sieve::new)?; // and after every panic
//! # Ok::<(), aws_client_cache_spec::CounterExample>(())
//! ```
//!
//! # Caches that replace
//!
//! By default, a cache must refuse to insert a present key. Most caches replace its value. Name that by
//! [`Model::with_insertion`] and [`Dict::with_insertion`]: [`InsertionMode::Replace`], or [`InsertionMode::KeepFirst`]. A
//! replacement is then checked as any other operation: for its old value and its new one, its effect on the order, and in
//! every state. The adapter returns the entry that leaves, replaced or evicted:
//!
//! ```
//! # use std::collections::VecDeque;
//! use aws_client_cache_spec::check::order;
//! use aws_client_cache_spec::{InsertionMode, Model, Random, Refusal, SystemUnderTest};
//! # struct Lru<K, V> {
//! #     oldest_first: VecDeque<(K, V)>,
//! #     capacity: usize,
//! # }
//! # impl<K: PartialEq, V: Clone> Lru<K, V> {
//! #     fn put(&mut self, key: K, value: V) -> Option<(K, V)> {
//! #         let present = self.oldest_first.iter().position(|(present, _)| *present == key);
//! #         let replaced = present.and_then(|index| self.oldest_first.remove(index));
//! #         self.oldest_first.push_back((key, value));
//! #         if self.oldest_first.len() > self.capacity { self.oldest_first.pop_front() } else { replaced }
//! #     }
//! #     fn get(&mut self, key: &K) -> Option<V> {
//! #         let index = self.oldest_first.iter().position(|(present, _)| present == key)?;
//! #         let (key, value) = self.oldest_first.remove(index)?;
//! #         self.oldest_first.push_back((key, value.clone()));
//! #         Some(value)
//! #     }
//! # }
//!
//! impl<K: Clone + Eq, V: Clone> SystemUnderTest<K, V> for Lru<K, V> {
//!     fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
//!         Ok(self.put(key, value)) // which replaces
//!     }
//! #   fn get(&mut self, key: &K) -> Option<V> {
//! #       self.get(key)
//! #   }
//! #   fn remove(&mut self, key: &K) -> Result<V, Refusal> {
//! #       let index = self.oldest_first.iter().position(|(present, _)| present == key);
//! #       let removed = index.and_then(|index| self.oldest_first.remove(index));
//! #       removed.map(|(_, value)| value).ok_or(Refusal::NotFound)
//! #   }
//! #   fn max_size(&self) -> usize {
//! #       self.capacity
//! #   }
//! #   fn len(&self) -> usize {
//! #       self.oldest_first.len()
//! #   }
//! #   fn items(&self) -> Vec<(K, V)> {
//! #       self.oldest_first.iter().cloned().collect()
//! #   }
//!     // … the other methods as above
//! }
//!
//! let new = |capacity| Lru { oldest_first: VecDeque::new(), capacity };
//! order(Random::new(), |max_size| Model::lru(max_size).with_insertion(InsertionMode::Replace), new)?;
//! # Ok::<(), aws_client_cache_spec::CounterExample>(())
//! ```
//!
//! Weights and a capacity by cost are out of scope.
//!
//! # Expiry
//!
//! A cache whose keys expire (the rules E) has a clock that [`SystemUnderTest::set_time`] sets. Wrap the reference in
//! [`Expiring`](model::Expiring), name the keys that expire, and create caches in which the same keys expire. The levels
//! of one thread then check each expiry, at every time that could make a difference. Here, the cache is the model itself:
//!
//! ```
//! use aws_client_cache_spec::check::exhaustive;
//! use aws_client_cache_spec::{Model, Scope};
//!
//! let expiring = |max_size| Model::lru(max_size).with_expiry(0, 1).with_expiry(1, 2);
//! let covered = exhaustive(Scope::new(2, 3), expiring, expiring)?;
//! assert_eq!((covered.states, covered.transitions), (60, 2_820));
//! # Ok::<(), aws_client_cache_spec::CounterExample>(())
//! ```
//!
//! In random runs, let most keys expire, at few times. Otherwise few operations meet an expired entry, and hardly any
//! meets two:
//!
//! ```
//! use aws_client_cache_spec::check::dict;
//! use aws_client_cache_spec::model::Expiring;
//! use aws_client_cache_spec::{Dict, Model, Random};
//!
//! let new = |max_size| (0..12).fold(Expiring::new(Model::lru(max_size)), |new, key| new.with_expiry(key, 1 + u64::from(key) % 3));
//! let expected = |max_size| (0..12).fold(Dict::new(max_size), |new, key| new.with_expiry(key, 1 + u64::from(key) % 3));
//! dict(Random::new(), expected, new)?;
//! # Ok::<(), aws_client_cache_spec::CounterExample>(())
//! ```
//!
//! # Parts for your own tests
//!
//! The levels consist of parts that also serve property tests and fuzzers:
//!
//! * [`Operation`]s and their [`Outcome`]s.
//! * [`generate`], random operations for `proptest`, `quickcheck` and fuzzers, behind a feature each.
//! * [`step`](check::step()), one step of a comparison, and [`panic_step`](check::panic_step()).
//! * A [`Recorder`](concurrency::Recorder) of histories, for a scheduler of your own, and
//!   [`History::linearize`](concurrency::History::linearize).
//! * [`Schedules::run`](creation::Schedules::run) for one schedule.
//! * [`Branches`](check::Branches), the branches that operations took.
//!
//! With the feature `faults`, the module `faults` has caches with one subtle fault each. They prove that the levels can
//! fail.

mod branch;
mod branches;
mod caught;
pub mod check;
pub mod concurrency;
mod counter_example;
pub mod creation;
mod dict;
mod exhaustive;
mod expiry;
mod explore;
#[cfg(feature = "faults")]
mod faulty;
pub mod generate;
mod history;
mod level;
pub mod model;
mod operation;
mod panic_probe;
mod panics;
mod random;
mod reentrant;
mod reference;
mod shrink;
mod step;
mod system_under_test;
mod threads;

pub use counter_example::CounterExample;
pub use dict::Dict;
pub use explore::{Explore, Names, Scope};
pub use model::{InsertionMode, Model, Policy};
pub use operation::{Operation, Outcome, Refusal};
pub use random::Random;
pub use reference::Reference;
pub use system_under_test::SystemUnderTest;

/// Caches with one subtle fault each, which prove that the levels can fail.
///
/// [`Faulty`](faults::Faulty), [`FaultyShared`](faults::FaultyShared) and [`FaultyCreator`](faults::FaultyCreator) are
/// correct, unless you name a fault. Each fault names the level that refuses it. Faults of expiry
/// ([`Fault::is_of_expiry`](faults::Fault::is_of_expiry)) show where keys expire. Each fault shows under the policies of
/// [`Fault::policies`](faults::Fault::policies), and in the insertion modes of
/// [`Fault::insertions`](faults::Fault::insertions).
#[cfg(feature = "faults")]
pub mod faults {
    pub use crate::faulty::{CreationFault, Fault, Faulty, FaultyCreator, FaultyShared, SharedFault};
}
