//! A conformance kit for bounded caches with strict LRU, LFU or LFUDA eviction.
//!
//! The kit consists of a reference model, and of levels that any cache can claim, each by one call.
//!
//! The [`rules`] are numbered, as everywhere in `aws-client-cache`, whose caches have every level. [`Model`] is the
//! specification as a program: a plain `Vec`, so simple that you can see that it is right. To check your own cache,
//! forward to it from a [`Subject`]:
//!
//! ```
//! use std::collections::VecDeque;
//!
//! use aws_client_cache_spec::{EvictionPolicy, Random, Refusal, Subject, dict, order};
//!
//! /// Your cache: an LRU in fifteen lines.
//! struct Lru<K, V> {
//!     oldest_first: VecDeque<(K, V)>,
//!     capacity: usize,
//! }
//!
//! impl<K: PartialEq, V: Clone> Lru<K, V> {
//!     fn get(&mut self, key: &K) -> Option<V> {
//!         let place = self.oldest_first.iter().position(|(present, _)| present == key)?;
//!         let (key, value) = self.oldest_first.remove(place)?;
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
//! impl<K: Clone + Eq, V: Clone> Subject<K, V> for Lru<K, V> {
//!     fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
//!         if self.contains_key(&key) { Err(Refusal::AlreadyExists) } else { Ok(self.put(key, value)) }
//!     }
//!     fn get(&mut self, key: &K) -> Option<V> {
//!         self.get(key)
//!     }
//!     fn remove(&mut self, key: &K) -> Result<V, Refusal> {
//!         let place = self.oldest_first.iter().position(|(present, _)| present == key);
//!         let removed = place.and_then(|place| self.oldest_first.remove(place));
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
//! dict(Random::new(EvictionPolicy::Lru), new)?; // L0
//! order(Random::new(EvictionPolicy::Lru), new)?; // L1
//! # Ok::<(), aws_client_cache_spec::CounterExample>(())
//! ```
//!
//! # The levels
//!
//! | level | function | cache | checks |
//! |---|---|---|---|
//! | L0 | [`dict()`] | [`Subject`] | a bounded dict, whichever entries it evicts, in random runs |
//! | L1 | [`order()`] | [`Subject`] | the strict order of LRU, LFU or LFUDA, in random runs |
//! | L2 | [`closure()`] | [`Explore`] | the same in every state of a small scope, and so after every sequence of operations |
//! | L2 | [`bounded()`] | [`Subject`] | the same after every short sequence, for a cache that cannot be copied |
//! | L3 | [`panics()`] | [`Explore`] of [`Fused`] keys and values | no entry is lost when `Hash`, `Eq`, `Clone` or `Drop` panics, in every state |
//! | L4 | [`linearizable()`] | [`Shared`] | some order explains the outcomes of threads |
//! | L4 | [`reentrant()`] | [`Shared`] of [`Fused`] keys and values | keys and values may use the cache when they are dropped |
//! | L5 | [`creation()`] | [`Creates`] | creation on a miss, exactly once, in every schedule |
//!
//! Each function returns the covered scope: numbers and, at L0 to L3, the set of operations that the cache answered. Only
//! compared operations count. Assert both, so that a test that has lost coverage fails: for example, because an adapter
//! no longer overrides [`Subject::copy`].
//!
//! If the cache fails, the function returns a counterexample from which nothing can be omitted. Its `Display` is a Rust
//! test to paste.
//!
//! Declare a deliberate difference of your cache as a [`Difference`]; it is not compared. Operations that your cache
//! does not have ([`Subject::copy`], [`Subject::set_max_size`], [`Subject::set_time`]) are not compared, and not counted.
//!
//! LFUDA is LFU with dynamic aging: an entry starts above the count of the last victim, so that entries that were busy
//! once are evicted in time. [`EvictionPolicy::ALL`] lists the policies to claim a level for.
//!
//! # Caches that replace
//!
//! By default, a cache must refuse to insert a present key. Most caches replace its value. Name that in
//! [`Random::insertion`] or [`Scope::insertion`]: [`InsertionMode::Replace`], or [`InsertionMode::KeepFirst`]. A
//! replacement is then checked as any other operation: for its old value and its new one, its effect on the order, and in
//! every state. The adapter returns the entry that leaves, replaced or evicted:
//!
//! ```
//! use std::collections::VecDeque;
//!
//! use aws_client_cache_spec::{
//!     EvictionPolicy, Explore, InsertionMode, OperationKind, Random, Refusal, Scope, Subject, closure, dict, order, panics,
//! };
//!
//! /// Your cache.
//! #[derive(Clone)]
//! struct Lru<K, V> {
//!     oldest_first: VecDeque<(K, V)>,
//!     capacity: usize,
//! }
//!
//! impl<K: PartialEq, V: Clone> Lru<K, V> {
//!     fn put(&mut self, key: K, value: V) -> Option<(K, V)> {
//!         let present = self.oldest_first.iter().position(|(present, _)| *present == key);
//!         let replaced = present.and_then(|index| self.oldest_first.remove(index));
//!         self.oldest_first.push_back((key, value));
//!         if self.oldest_first.len() > self.capacity { self.oldest_first.pop_front() } else { replaced }
//!     }
//! #   fn get(&mut self, key: &K) -> Option<V> {
//! #       let index = self.oldest_first.iter().position(|(present, _)| present == key)?;
//! #       let value = self.oldest_first[index].1.clone();
//! #       self.oldest_first.remove(index).into_iter().for_each(|entry| self.oldest_first.push_back(entry));
//! #       Some(value)
//! #   }
//! #   fn take(&mut self, key: &K) -> Option<V> {
//! #       let index = self.oldest_first.iter().position(|(present, _)| present == key)?;
//! #       let (key, value) = self.oldest_first.remove(index)?;
//! #       drop(key); // here, or the value would leak if this panicked
//! #       Some(value)
//! #   }
//!     // … `get` and `take`
//! }
//!
//! impl<K: Clone + Eq, V: Clone> Subject<K, V> for Lru<K, V> {
//!     fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
//!         Ok(self.put(key, value))
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
//!         self.oldest_first.len()
//!     }
//!     fn items(&self) -> Vec<(K, V)> {
//!         self.oldest_first.iter().cloned().collect()
//!     }
//! }
//!
//! /// The search of all states (L2) also needs copies.
//! impl<K: Clone + Eq, V: Clone> Explore<K, V> for Lru<K, V> {
//!     fn fork(&self) -> Self {
//!         self.clone()
//!     }
//! }
//!
//! let random = Random { insertion: InsertionMode::Replace, ..Random::new(EvictionPolicy::Lru) };
//! dict(random, |capacity| Lru { oldest_first: VecDeque::new(), capacity })?; // L0
//! order(random, |capacity| Lru { oldest_first: VecDeque::new(), capacity })?; // L1
//! let scope = Scope { insertion: InsertionMode::Replace, ..Scope::new(EvictionPolicy::Lru, 3, 4) };
//! let covered = closure(scope, |capacity| Lru { oldest_first: VecDeque::new(), capacity })?; // L2
//! assert_eq!((covered.states, covered.answered.contains(OperationKind::SetMaxSize)), (41, false));
//! panics(scope, |capacity| Lru { oldest_first: VecDeque::new(), capacity })?; // L3
//! # Ok::<(), aws_client_cache_spec::CounterExample>(())
//! ```
//!
//! Weights and a capacity by cost are out of scope.
//!
//! # Expiry
//!
//! A cache whose keys expire (the rules E) has a clock that [`Subject::set_time`] sets. Name the keys that expire in
//! [`Random::expiry`] or [`Scope::expiry`], and create caches in which the same keys expire. L0 to L3 then check each
//! expiry, at every time that could make a difference. Here, the cache is the [`Model`]:
//!
//! ```
//! use aws_client_cache_spec::{EvictionPolicy, Model, Scope, closure};
//!
//! let scope = Scope { expiry: &[(0, 1), (1, 2)], ..Scope::new(EvictionPolicy::Lru, 2, 3) };
//! let new = |max_size| Model::<u8, u64>::new(EvictionPolicy::Lru, max_size).with_expiry(0, 1).with_expiry(1, 2);
//! let covered = closure(scope, new)?;
//! assert_eq!((covered.states, covered.transitions), (60, 1_800));
//! # Ok::<(), aws_client_cache_spec::CounterExample>(())
//! ```
//!
//! # Faulty caches
//!
//! These caches prove that the levels can fail. [`Broken`], [`BrokenShared`] and [`Reference`] each have one subtle
//! fault, if you name a [`Fault`], a [`SharedFault`] or a [`CreationFault`]. The level that names the fault refuses the
//! cache. Faults of expiry ([`Fault::is_of_expiry`]) show where keys expire. Each fault shows under the policies of
//! [`Fault::policies`], and in the insertion modes of [`Fault::insertions`].
//!
//! # Parts for your own tests
//!
//! The levels consist of parts that also serve property tests and fuzzers:
//!
//! * An [`Operation`] and its [`Outcome`].
//! * [`step()`], one step of a comparison, and [`panic_step()`].
//! * A [`Recorder`] of histories, for a scheduler of your own, and [`History::linearize`].
//! * [`Schedules::run`] for one schedule.
//! * [`Branches`], the branches that operations took.

mod branch;
mod caught;
mod closure;
mod counter_example;
mod creation;
mod dict;
mod expiry;
mod explore;
mod fleet;
mod fused;
pub mod generate;
mod history;
mod level;
mod model;
mod operation;
mod panics;
mod random;
mod shrink;
mod step;
mod subject;
mod threads;

pub use branch::{Branch, Branches};
pub use closure::{bounded, closure};
pub use counter_example::CounterExample;
pub use creation::{Creates, Creation, Failure, Reference, Scheduled, Schedules, Step, Violation, creation};
pub use dict::Dict;
pub use explore::{Covered, Explore, Names, Scope};
pub use fleet::{Broken, BrokenShared, CreationFault, Fault, SharedFault};
pub use fused::{Burned, Callback, Fused, with_fuse};
pub use history::{Call, History, NotLinearizable};
pub use level::Level;
pub use model::{EvictionPolicy, InsertionMode, Model};
pub use operation::{Operation, OperationKind, OperationKinds, Outcome, Refusal};
pub use panics::{Panicked, may_be_left, panic_step, panics};
pub use random::{Random, dict, order};
pub use step::{Divergence, step};
pub use subject::{Difference, Subject};
pub use threads::{Deadlock, Recorded, Recorder, Shared, Threads, linearizable, reentrant};

#[doc = include_str!("../SPEC.md")]
pub mod rules {}
