//! A policy that the kit does not know: a SIEVE, with a reference of its own, at every level.

use std::sync::Mutex;

use aws_client_cache_spec::check::{Covered, PanicProbe, dict, exhaustive, exhaustive_to_depth, order, panics};
use aws_client_cache_spec::concurrency::{Recorded, Threads, linearizable};
use aws_client_cache_spec::creation::{Schedules, creation};
use aws_client_cache_spec::faults::{CreationFault, FaultyCreator};
use aws_client_cache_spec::model::{OperationKind, OperationKinds};
use aws_client_cache_spec::{
    Dict, Explore, Names, Operation, Outcome, Random, Reference, Refusal, Scope, SystemUnderTest,
};

/// The reference: a queue of entries and their bits, oldest first, and a hand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SieveModel<K, V> {
    queue: Vec<(K, V, bool)>,
    hand: usize,
    max_size: usize,
    fault: Option<Fault>,
}

/// The fault of a SIEVE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fault {
    IgnoresItsBits,
    BeginsWithTheOldest,
    KeepsBits,
    NewcomerHasABit,
}

impl<K: Clone + Eq, V: Clone> SieveModel<K, V> {
    fn new(max_size: usize) -> Self {
        Self { queue: Vec::new(), hand: 0, max_size, fault: None }
    }

    fn faulty(fault: Fault) -> impl Fn(usize) -> Self {
        move |max_size| Self { fault: Some(fault), ..Self::new(max_size) }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn take(&mut self, index: usize) -> (K, V) {
        let (key, value, _) = self.queue.remove(index);
        self.hand -= usize::from(index < self.hand);
        self.hand %= self.queue.len().max(1);
        (key, value)
    }

    fn evict(&mut self) -> (K, V) {
        if self.is(Fault::BeginsWithTheOldest) {
            self.hand = 0;
        }
        for _ in 0..=self.queue.len() {
            if !self.queue[self.hand].2 || self.is(Fault::IgnoresItsBits) {
                break;
            }
            self.queue[self.hand].2 = self.is(Fault::KeepsBits);
            self.hand = (self.hand + 1) % self.queue.len();
        }
        self.take(self.hand)
    }
}

impl<K: Clone + Eq + std::hash::Hash, V: Clone + Eq + std::hash::Hash> Reference<K, V> for SieveModel<K, V> {
    fn apply(&mut self, operation: &Operation<K, V>) -> Outcome<K, V> {
        let found = operation.key().and_then(|key| self.queue.iter().position(|(present, ..)| present == key));
        match (operation, found) {
            (Operation::Insert(..), Some(_)) => Outcome::Refused(Refusal::AlreadyExists),
            (Operation::Insert(key, value), None) if self.max_size == 0 => {
                Outcome::Evicted(vec![(key.clone(), value.clone())])
            }
            (Operation::Insert(key, value), None) => {
                let entry = (key.clone(), value.clone(), self.is(Fault::NewcomerHasABit));
                let victim = (self.queue.len() == self.max_size).then(|| self.evict());
                self.queue.push(entry);
                Outcome::Evicted(victim.into_iter().collect())
            }
            (Operation::Get(_), None) => Outcome::Value(None),
            (Operation::Get(_), Some(index)) => {
                self.queue[index].2 = true;
                Outcome::Value(Some(self.queue[index].1.clone()))
            }
            (Operation::Remove(_), None) => Outcome::Refused(Refusal::NotFound),
            (Operation::Remove(_), Some(index)) => {
                let (key, value) = self.take(index);
                drop(key);
                Outcome::Value(Some(value))
            }
            _ => Outcome::Missing,
        }
    }

    fn entries(&self) -> Vec<(K, V)> {
        self.queue.iter().map(|(key, value, _)| (key.clone(), value.clone())).collect()
    }

    fn bound(&self) -> usize {
        self.max_size
    }
}

/// A cache that is a [`SieveModel`], with a fingerprint of its own.
#[derive(Clone, Debug)]
struct Sieve<K, V>(SieveModel<K, V>);

impl<K: Clone + Eq + std::hash::Hash, V: Clone + Eq + std::hash::Hash> SystemUnderTest<K, V> for Sieve<K, V> {
    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        self.0.insert(key, value)
    }

    fn get(&mut self, key: &K) -> Option<V> {
        self.0.get(key)
    }

    fn remove(&mut self, key: &K) -> Result<V, Refusal> {
        self.0.remove(key)
    }

    fn max_size(&self) -> usize {
        self.0.max_size
    }

    fn len(&self) -> usize {
        self.0.queue.len()
    }

    fn items(&self) -> Vec<(K, V)> {
        self.0.entries()
    }
}

impl<K: Clone + Eq + std::hash::Hash, V: Clone + Eq + std::hash::Hash> Explore<K, V> for Sieve<K, V> {
    fn fork(&self) -> Self {
        self.clone()
    }

    fn fingerprint(&self, names: Names<'_, K>) -> Vec<u64> {
        let nodes = self.0.queue.iter().flat_map(|(key, _, visited)| [names.of(key), (*visited).into()]);
        [self.0.hand as u64].into_iter().chain(nodes).collect()
    }
}

/// The operations of a SIEVE that cannot be resized, and whose next victim cannot be popped.
fn answered() -> OperationKinds {
    let mut answered = OperationKinds::default();
    let missing = [OperationKind::Pop, OperationKind::Copy, OperationKind::SetMaxSize];
    let of_cache = OperationKinds::WITHOUT_EXPIRY.minus(OperationKinds::OF_MAP);
    of_cache.iter().filter(|kind| !missing.contains(kind)).for_each(|kind| answered.insert(kind));
    answered
}

#[test]
fn a_sieve_has_every_level() {
    let new = |max_size| Sieve(SieveModel::new(max_size));
    let covered = dict(Random::new(), Dict::new, new).unwrap();
    assert!(covered.answered().contains(OperationKind::Insert));
    let covered = order(Random::new(), SieveModel::new, new).unwrap();
    assert_eq!(covered.answered(), answered());
    let scope = Scope::new(3, 4);
    // The reference itself identifies a state: each of its entries has a bit, and the hand stands at one of them.
    let states = 1 + 4 * 2 + (4 * 3) * 4 * 2 + (4 * 3 * 2) * 8 * 3 - UNREACHED;
    let expected = Covered { states, transitions: states * (4 * 6 + 2), answered: answered() };
    assert_eq!(exhaustive(scope, SieveModel::new, new).unwrap(), expected);
    exhaustive_to_depth(Scope { depth: 3, ..Scope::new(2, 3) }, SieveModel::new, new).unwrap();
    let new = |max_size| Sieve(SieveModel::<PanicProbe<u8>, PanicProbe<u64>>::new(max_size));
    let panicked = panics(Scope::new(2, 3), SieveModel::new, new).unwrap();
    assert!(panicked.panics > 1_000, "{panicked:?}");
    let shared = |max_size| Mutex::new(Sieve(SieveModel::new(max_size)));
    let Recorded { overlapping, .. } = linearizable(Threads::new(), SieveModel::new, shared).unwrap();
    assert!(overlapping >= 100, "{overlapping}");
}

/// The states that no operations lead to: the hand moves from its place only by an eviction.
const UNREACHED: usize = 1 + 8 + 96 + 576 - 489;

#[test]
fn keys_are_interchangeable_only_where_the_reference_names_its_state() {
    let symmetric = Scope { symmetric: true, ..Scope::new(2, 3) };
    let new = |max_size| Sieve(SieveModel::new(max_size));
    let probes = |max_size| Sieve(SieveModel::<PanicProbe<u8>, PanicProbe<u64>>::new(max_size));
    let found = [
        exhaustive(symmetric, SieveModel::new, new).unwrap_err(),
        exhaustive_to_depth(Scope { depth: 2, ..symmetric }, SieveModel::new, new).unwrap_err(),
        panics(symmetric, SieveModel::new, probes).unwrap_err(),
    ];
    for found in found {
        assert!(found.operations().is_empty() && found.to_string().contains("no `Reference::state`"), "{found}");
        assert!(found.to_string().lines().all(|line| line.starts_with("// ")), "{found}");
    }
}

/// A FIFO that remembers the key that left last, as 2Q, ARC and S3-FIFO do, and refuses it once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Ghost<K, V> {
    queue: Vec<(K, V)>,
    left: Option<K>,
    max_size: usize,
}

impl<K, V> Ghost<K, V> {
    fn new(max_size: usize) -> Self {
        Self { queue: Vec::new(), left: None, max_size }
    }
}

impl<K: Clone + Eq + std::hash::Hash, V: Clone + Eq + std::hash::Hash> Reference<K, V> for Ghost<K, V> {
    fn apply(&mut self, operation: &Operation<K, V>) -> Outcome<K, V> {
        let found = operation.key().and_then(|key| self.queue.iter().position(|(present, _)| present == key));
        match (operation, found) {
            (Operation::Insert(..), Some(_)) => Outcome::Refused(Refusal::AlreadyExists),
            (Operation::Insert(key, _), None) if self.left.take_if(|left| left == key).is_some() => {
                Outcome::Refused(Refusal::AlreadyExists)
            }
            (Operation::Insert(key, value), None) => {
                self.queue.push((key.clone(), value.clone()));
                let victim = (self.queue.len() > self.max_size).then(|| self.queue.remove(0));
                self.left = victim.as_ref().map(|(key, _)| key.clone()).or(self.left.take());
                Outcome::Evicted(victim.into_iter().collect())
            }
            (Operation::Get(_), found) => Outcome::Value(found.map(|index| self.queue[index].1.clone())),
            (Operation::Remove(_), None) => Outcome::Refused(Refusal::NotFound),
            (Operation::Remove(_), Some(index)) => {
                let (key, value) = self.queue.remove(index);
                self.left = Some(key);
                Outcome::Value(Some(value))
            }
            _ => Outcome::Missing,
        }
    }

    fn entries(&self) -> Vec<(K, V)> {
        self.queue.clone()
    }

    fn bound(&self) -> usize {
        self.max_size
    }

    fn state(&self, names: Names<'_, K>) -> Option<Vec<u64>> {
        let keys = self.queue.iter().map(|(key, _)| key).chain(&self.left);
        Some([self.max_size as u64, self.queue.len() as u64].into_iter().chain(keys.map(|key| names.of(key))).collect())
    }
}

#[test]
fn keys_are_not_interchangeable_where_the_reference_remembers_an_absent_one() {
    let own = Scope::new(2, 3);
    let symmetric = Scope { symmetric: true, ..own };
    exhaustive(own, Ghost::new, Ghost::new).unwrap();
    let found = [
        exhaustive(symmetric, Ghost::new, Ghost::new).unwrap_err(),
        exhaustive_to_depth(Scope { depth: 3, ..symmetric }, Ghost::new, Ghost::new).unwrap_err(),
        panics(symmetric, Ghost::new, Ghost::new).unwrap_err(),
    ];
    for found in found {
        assert!(matches!(found.operations(), [Operation::Insert(0, 0), _]), "{found}");
        assert!(found.to_string().contains("remembers a key that is not among its entries"), "{found}");
        assert!(found.to_string().contains("unset `symmetric`"), "{found}");
    }
}

#[test]
fn a_sieve_with_creations_follows_the_rules() {
    let schedules = Schedules::new();
    let tried = creation(schedules, SieveModel::new, || FaultyCreator::new(None, SieveModel::new(2))).unwrap();
    assert!(tried.schedules > 1_000, "{tried:?}");
    for fault in [CreationFault::WaiterCountsNoUse, CreationFault::PresentValueCountsNoUse] {
        let wrong = || FaultyCreator::new(fault, SieveModel::new(2));
        assert!(
            creation(schedules, SieveModel::new, wrong).is_err(),
            "{fault:?}: its bit shows when others are inserted"
        );
    }
    let wrong = || FaultyCreator::new(None, SieveModel::faulty(Fault::NewcomerHasABit)(1));
    let schedules = Schedules { max_size: 1, ..schedules };
    assert!(creation(schedules, SieveModel::new, wrong).is_ok(), "with one entry, a bit does not matter");
}

#[test]
fn a_sieve_with_a_fault_is_refused() {
    for fault in [Fault::IgnoresItsBits, Fault::BeginsWithTheOldest, Fault::KeepsBits, Fault::NewcomerHasABit] {
        let new = |max_size| Sieve(SieveModel::faulty(fault)(max_size));
        assert!(dict(Random::new(), Dict::new, new).is_ok(), "{fault:?} evicts, whichever entries");
        let by_chance = order(Random::new(), SieveModel::new, new).unwrap_err();
        let shortest = exhaustive(Scope::new(3, 4), SieveModel::new, new).unwrap_err();
        assert!(by_chance.operations().len() <= 12 && shortest.operations().len() <= 8, "{fault:?}: {by_chance}");
        assert!(shortest.to_string().contains("let mut model = SieveModel::new(3);"), "{shortest}");
    }
    let shared = |max_size| Mutex::new(Sieve(SieveModel::faulty(Fault::IgnoresItsBits)(max_size)));
    assert!(linearizable(Threads::new(), SieveModel::new, shared).is_err());
}
