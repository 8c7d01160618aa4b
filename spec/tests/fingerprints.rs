//! Traps of an adapter's fingerprint: counters in it, and state that is missing from it.

use std::cell::Cell;

use aws_client_cache_spec::check::{Difference, Level, exhaustive, exhaustive_to_depth, step};
use aws_client_cache_spec::{
    CounterExample, Explore, Model, Names, Operation, Outcome, Reference, Refusal, Scope, SystemUnderTest,
};

/// An LRU that orders its entries by the tick of their last use, and that may lose every seventh use.
#[derive(Clone)]
struct Ticks {
    entries: Vec<(u8, u64, u64)>,
    capacity: usize,
    tick: u64,
    shows: Shows,
}

/// The content of the fingerprint.
#[derive(Clone, Copy, PartialEq)]
enum Shows {
    Nothing,
    Ranks,
    Ticks,
    /// Nothing, while every seventh use is lost.
    NothingOfLostUses,
    /// The number of uses modulo seven, while every seventh one is lost.
    LostUses,
}

impl Ticks {
    fn new(shows: Shows) -> impl Fn(usize) -> Self {
        move |capacity| Self { entries: Vec::new(), capacity, tick: 0, shows }
    }

    fn loses_uses(&self) -> bool {
        matches!(self.shows, Shows::NothingOfLostUses | Shows::LostUses)
    }

    fn by_last_use(&self) -> Vec<(u8, u64, u64)> {
        let mut entries = self.entries.clone();
        entries.sort_by_key(|(.., tick)| *tick);
        entries
    }
}

impl SystemUnderTest<u8, u64> for Ticks {
    fn insert(&mut self, key: u8, value: u64) -> Result<Option<(u8, u64)>, Refusal> {
        if self.entries.iter().any(|(present, ..)| *present == key) {
            return Err(Refusal::AlreadyExists);
        }
        if self.capacity == 0 {
            return Ok(Some((key, value)));
        }
        let victim = (self.entries.len() == self.capacity).then(|| self.pop()).transpose()?;
        self.tick += 1;
        self.entries.push((key, value, self.tick));
        Ok(victim)
    }

    fn get(&mut self, key: &u8) -> Option<u64> {
        let position = self.entries.iter().position(|(present, ..)| present == key)?;
        self.tick += 1;
        if !self.loses_uses() || !self.tick.is_multiple_of(7) {
            self.entries[position].2 = self.tick;
        }
        Some(self.entries[position].1)
    }

    fn remove(&mut self, key: &u8) -> Result<u64, Refusal> {
        let position = self.entries.iter().position(|(present, ..)| present == key).ok_or(Refusal::NotFound)?;
        Ok(self.entries.remove(position).1)
    }

    fn max_size(&self) -> usize {
        self.capacity
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn items(&self) -> Vec<(u8, u64)> {
        self.by_last_use().into_iter().map(|(key, value, _)| (key, value)).collect()
    }
}

impl Explore<u8, u64> for Ticks {
    fn fork(&self) -> Self {
        self.clone()
    }

    fn fingerprint(&self, names: Names<'_, u8>) -> Vec<u64> {
        match self.shows {
            Shows::Nothing | Shows::NothingOfLostUses => Vec::new(),
            Shows::Ranks => self.by_last_use().iter().map(|(key, ..)| names.of(key)).collect(),
            Shows::Ticks => self.entries.iter().flat_map(|(key, _, tick)| [names.of(key), *tick]).collect(),
            Shows::LostUses => vec![self.tick % 7],
        }
    }
}

const SCOPE: Scope = Scope::new(2, 3);

#[test]
fn a_correct_cache_passes_with_ranks_or_with_nothing() {
    for shows in [Shows::Nothing, Shows::Ranks] {
        let covered = exhaustive(SCOPE, Model::lru, Ticks::new(shows)).unwrap();
        assert_eq!(covered.states, 10, "the ranks are the model's");
    }
}

#[test]
fn a_search_without_an_end_fails_with_advice() {
    let scope = Scope { max_states: 1_000, ..SCOPE };
    let found = exhaustive(scope, Model::lru, Ticks::new(Shows::Ticks)).unwrap_err();
    let printed = found.to_string();
    assert!(printed.starts_with("// every state: no end of the search after 1000 states\n// "), "{printed}");
    assert!(printed.contains("Does the fingerprint contain counters? Return ranks"), "{printed}");
    assert_eq!(found.level(), Level::Exhaustive);
    // As a test, the operations would pass.
    assert!(printed.lines().all(|line| line.starts_with("// ")), "{printed}");
}

#[test]
fn a_search_of_sequences_ends_at_the_maximum_number_of_states() {
    for depth in [3, usize::MAX] {
        let scope = Scope { depth, max_states: 1_000, ..Scope::new(2, 3) };
        let found = exhaustive_to_depth(scope, Model::lru, Model::lru).unwrap_err();
        let printed = found.to_string();
        assert!(printed.starts_with("// every state: no end of the search after 1000 states\n// "), "{printed}");
        assert!(printed.contains("limit `depth`, or raise `max_states`"), "{printed}");
    }
    let two = Scope { depth: 2, ..Scope::new(2, 3) };
    let states = exhaustive_to_depth(two, Model::lru, Model::lru).unwrap().states;
    let limited = |max_states| exhaustive_to_depth(Scope { max_states, ..two }, Model::lru, Model::lru);
    assert_eq!(limited(states).unwrap().states, states);
    assert!(limited(states - 1).is_err());
}

#[test]
fn a_limit_that_suffices_changes_nothing() {
    let states = exhaustive(SCOPE, Model::lru, Model::lru).unwrap().states;
    let limited = |max_states| exhaustive(Scope { max_states, ..SCOPE }, Model::lru, Model::lru);
    assert_eq!(limited(states).unwrap().states, states);
    assert!(limited(states - 1).is_err());
}

#[test]
fn a_fingerprint_that_hides_state_is_found_by_samples() {
    // Without samples, the search finds nothing: each state of the model is reached with all uses counted.
    exhaustive(Scope { samples: 0, ..SCOPE }, Model::lru, Ticks::new(Shows::NothingOfLostUses)).unwrap();
    let found = exhaustive(SCOPE, Model::lru, Ticks::new(Shows::NothingOfLostUses)).unwrap_err();
    assert!(found.to_string().contains("the fingerprint hides a part of the state"), "{found}");

    assert!(found.operations().len() <= 10, "{found}");
    is_minimal(&found);

    // With the state in the fingerprint, the search itself finds the fault.
    let found = exhaustive(SCOPE, Model::lru, Ticks::new(Shows::LostUses)).unwrap_err();
    assert!(!found.to_string().contains("hides"), "{found}");
}

/// Checks that cache and model differ, but not if any operation is omitted.
fn is_minimal(found: &CounterExample) {
    let max_size = found.to_string().lines().find_map(|line| Some(line.split_once("new(")?.1[..1].parse().unwrap()));
    let differ = |operations: &[Operation<u8, u64>]| {
        let max_size = max_size.unwrap();
        let (mut cache, mut model) = (Ticks::new(Shows::NothingOfLostUses)(max_size), Model::lru(max_size));
        operations.iter().any(|operation| step(&mut cache, &mut model, operation).is_err())
    };
    let all = found.operations();
    assert!(differ(all), "{found}");
    for place in 0..all.len() {
        assert!(!differ(&[&all[..place], &all[place + 1..]].concat()), "{place} can be omitted: {found}");
    }
}

/// A cache of other rules around a model.
#[derive(Clone)]
struct Around {
    model: Model<u8, u64>,
    /// The keys that were removed last.
    removed: Vec<u8>,
    looks: Cell<u8>,
    fault: Fault,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Refuses a key that was removed before the last one.
    RefusesRemoved,
    /// The fourth call of `peek` changes the order.
    PeekCounts,
}

impl Around {
    fn new(fault: Fault) -> impl Fn(usize) -> Self {
        move |max_size| Self { model: Model::lru(max_size), removed: Vec::new(), looks: Cell::new(0), fault }
    }
}

impl SystemUnderTest<u8, u64> for Around {
    const DIFFERENCES: &'static [Difference] = &[Difference::NoZero];

    fn insert(&mut self, key: u8, value: u64) -> Result<Option<(u8, u64)>, Refusal> {
        if self.fault == Fault::RefusesRemoved && self.removed.len() == 2 && self.removed[0] == key {
            return Err(Refusal::NotFound);
        }
        self.model.insert(key, value)
    }

    fn get(&mut self, key: &u8) -> Option<u64> {
        if self.fault == Fault::PeekCounts && self.looks.get() >= 4 {
            return self.model.peek(key);
        }
        self.model.get(key)
    }

    fn peek(&self, key: &u8) -> Option<u64> {
        self.looks.set(self.looks.get().saturating_add(1));
        self.model.peek(key)
    }

    fn remove(&mut self, key: &u8) -> Result<u64, Refusal> {
        let removed = self.model.remove(key)?;
        if self.fault == Fault::RefusesRemoved {
            self.removed.push(*key);
            self.removed.drain(..self.removed.len().saturating_sub(2));
        }
        Ok(removed)
    }

    fn max_size(&self) -> usize {
        self.model.max_size()
    }

    fn len(&self) -> usize {
        self.model.len()
    }

    fn items(&self) -> Vec<(u8, u64)> {
        self.model.items()
    }
}

impl Explore<u8, u64> for Around {
    fn fork(&self) -> Self {
        self.clone()
    }

    fn fingerprint(&self, names: Names<'_, u8>) -> Vec<u64> {
        if self.fault == Fault::None {
            return [1].into_iter().take(1 - self.len()).collect();
        }
        self.removed.iter().map(|key| names.of(key)).collect()
    }
}

#[test]
fn keys_are_not_interchangeable_where_the_cache_remembers_an_absent_one() {
    let own = Scope::new(2, 2);
    let found = exhaustive(own, Model::lru, Around::new(Fault::RefusesRemoved)).unwrap_err();
    assert!(found.divergence().to_string().contains("the cache returns Refused(NotFound)"), "{found}");

    let symmetric = Scope { symmetric: true, ..own };
    let found = exhaustive(symmetric, Model::lru, Around::new(Fault::RefusesRemoved)).unwrap_err();
    assert_eq!(found.operations(), [Operation::Insert(0, 0), Operation::Remove(0)]);
    assert!(found.to_string().contains("the cache remembers a key that is not among its entries"), "{found}");
    assert!(found.to_string().ends_with("\n// Insert(0, 0)\n// Remove(0)\n"), "{found}");
}

#[test]
fn accessors_of_earlier_operations_are_called_in_a_search_of_sequences() {
    let scope = Scope { depth: 4, ..Scope::new(2, 2) };
    let found = exhaustive_to_depth(scope, Model::lru, Around::new(Fault::PeekCounts)).unwrap_err();
    assert!(found.to_string().contains("items after Get(0)"), "{found}");
}

/// An LRU of one entry, whose state is the list of its names.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Named(Model<u8, u64>);

impl Reference<u8, u64> for Named {
    fn apply(&mut self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        self.0.apply(operation)
    }

    fn entries(&self) -> Vec<(u8, u64)> {
        self.0.entries()
    }

    fn bound(&self) -> usize {
        self.0.bound()
    }

    fn state(&self, names: Names<'_, u8>) -> Option<Vec<u64>> {
        Some(self.entries().iter().map(|(key, _)| names.of(key)).collect())
    }
}

/// Both states would be `[0, 1]` if the length came after the reference's state.
#[test]
fn state_and_fingerprint_of_any_length_are_told_apart() {
    let covered =
        exhaustive(Scope::new(1, 1), |max_size| Named(Model::lru(max_size)), Around::new(Fault::None)).unwrap();
    assert_eq!(covered.states, 2);
}
