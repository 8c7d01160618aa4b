//! Operations of the dict in schedules: missing, different, and with reports.

use std::cell::RefCell;

use aws_client_cache_spec::check::Difference;
use aws_client_cache_spec::creation::{Creates, Scheduled, Schedules, Step, Violation, creation};
use aws_client_cache_spec::faults::{CreationFault, FaultyCreator};
use aws_client_cache_spec::model::OperationKind;
use aws_client_cache_spec::{InsertionMode, Model, Operation, Outcome, Policy, Reference};

use crate::adapted::{Adapt, Adapted};

/// A cache without some operations.
#[derive(Clone, Copy)]
struct Without(&'static [OperationKind]);

impl Adapt for Without {
    fn call(&self, operation: &Operation<u8, u64>, cache: &FaultyCreator) -> Outcome<u8, u64> {
        if self.0.contains(&operation.kind()) { Outcome::Missing } else { cache.call(operation) }
    }
}

fn adapted<C: Adapt + Copy>(fault: Option<CreationFault>, adapt: C) -> Result<Scheduled, Violation> {
    let schedules = Schedules::new();
    creation(schedules, Model::lfu, || Adapted { cache: FaultyCreator::new(fault, Model::lfu(2)), adapt })
}

#[test]
fn operations_that_the_cache_does_not_have_are_neither_compared_nor_counted() {
    let all = adapted(None, Without(&[])).unwrap();
    let mut fewer = all.schedules;
    for missing in [
        &[OperationKind::SetMaxSize][..],
        &[OperationKind::SetMaxSize, OperationKind::Pop],
        &[OperationKind::SetMaxSize, OperationKind::Pop, OperationKind::Clear],
        &[OperationKind::SetMaxSize, OperationKind::Pop, OperationKind::Clear, OperationKind::Remove],
        &[
            OperationKind::SetMaxSize,
            OperationKind::Pop,
            OperationKind::Clear,
            OperationKind::Remove,
            OperationKind::Insert,
        ],
    ] {
        let tried = adapted(None, Without(missing)).unwrap_or_else(|found| panic!("{found}"));
        assert!(tried.schedules < fewer, "{missing:?}: {tried:?}");
        fewer = tried.schedules;
    }
    let views = &[OperationKind::Items, OperationKind::ContainsKey];
    assert_eq!(adapted(None, Without(views)).unwrap(), all);
    assert_eq!((all.schedules, all.steps), (13_337, 61_914));
    let kinds = "Insert, Remove, Pop, Clear, SetMaxSize, Retain, Drain";
    assert_eq!(all.answered.to_string(), kinds);
    let fewer = adapted(None, Without(&[OperationKind::Pop, OperationKind::Drain])).unwrap();
    assert_eq!(fewer.answered.to_string(), "Insert, Remove, Clear, SetMaxSize, Retain");
    // Other faults still show.
    assert!(adapted(Some(CreationFault::RemovalRevokesNothing), Without(&[OperationKind::SetMaxSize])).is_err());
    assert!(adapted(Some(CreationFault::WaiterCountsNoUse), Without(views)).is_err());
}

/// A cache with a fixed bound answers one argument, and no other.
#[derive(Clone, Copy)]
struct NoBoundOfZero;

impl Adapt for NoBoundOfZero {
    fn call(&self, operation: &Operation<u8, u64>, cache: &FaultyCreator) -> Outcome<u8, u64> {
        if *operation == Operation::SetMaxSize(0) { Outcome::Missing } else { cache.call(operation) }
    }
}

#[test]
fn a_step_that_the_cache_does_not_answer_changes_nothing() {
    adapted(None, NoBoundOfZero).unwrap();
    let cache = Adapted { cache: FaultyCreator::new(None, Model::lru(2)), adapt: Without(&[OperationKind::Remove]) };
    // The removal would revoke the creation.
    let steps = [Step::Poll(0), Step::Dict(Operation::Remove(0)), Step::Succeed(0), Step::Poll(0)];
    Schedules::new().run(Model::lru(2), &cache, &steps).unwrap();
}

/// A cache that differs, and panics at operations that it declares not to have.
#[derive(Clone, Copy)]
struct Declared;

impl Adapt for Declared {
    const DIFFERENCES: &'static [Difference] =
        &[Difference::NoZero, Difference::NoPop, Difference::Unordered, Difference::VictimsNotReturned];

    fn call(&self, operation: &Operation<u8, u64>, cache: &FaultyCreator) -> Outcome<u8, u64> {
        assert!(!matches!(operation, Operation::SetMaxSize(0) | Operation::Pop), "{operation:?} is called");
        match cache.call(operation) {
            Outcome::Entries(entries) => Outcome::Entries(entries.into_iter().rev().collect()),
            Outcome::Evicted(_) => Outcome::Evicted(Vec::new()),
            outcome => outcome,
        }
    }
}

#[test]
fn declared_differences_are_neither_called_nor_compared() {
    let tried = adapted(None, Declared).unwrap_or_else(|found| panic!("{found}"));
    assert!(tried.schedules < adapted(None, Without(&[])).unwrap().schedules, "{tried:?}");
    assert!(adapted(Some(CreationFault::EvictionIsNotReported), Declared).is_err());
    // A given schedule is checked in the same way.
    let cache = Adapted { cache: FaultyCreator::new(None, Model::lru(2)), adapt: Declared };
    let steps = [Step::Now(1), Step::Dict(Operation::SetMaxSize(0)), Step::Dict(Operation::Pop)];
    Schedules::new().run(Model::lru(2), &cache, &steps).unwrap();
}

// D13: a replaced entry is not evicted.
#[test]
fn a_replaced_entry_is_not_reported() {
    let model = |policy, insertion| move |max_size| Model::new(policy, max_size).with_insertion(insertion);
    for policy in Policy::ALL {
        for insertion in InsertionMode::ALL {
            let model = model(policy, insertion);
            creation(Schedules::new(), model, || FaultyCreator::new(None, model(2))).unwrap();
        }
    }
    let steps = [Step::Now(1), Step::Dict(Operation::Insert(0, 2)), Step::Now(3)];
    let replacing = model(Policy::Lru, InsertionMode::Replace)(2);
    let cache = FaultyCreator::new(None, replacing.clone());
    Schedules::new().run(replacing.clone(), &cache, &steps).unwrap();
    assert_eq!(cache.reports(), []);

    let cache = Adapted { cache: FaultyCreator::new(None, replacing.clone()), adapt: ReportsReplaced::default() };
    let found = Schedules::new().run(replacing, &cache, &steps).unwrap_err();
    assert!(found.to_string().contains("the cache reports [(0, 1)] to the listener; the rules expect []"), "{found}");
}

/// A cache that reports a replaced entry.
#[derive(Default)]
struct ReportsReplaced(RefCell<Vec<(u8, u64)>>);

impl Adapt for ReportsReplaced {
    fn call(&self, operation: &Operation<u8, u64>, cache: &FaultyCreator) -> Outcome<u8, u64> {
        let outcome = cache.call(operation);
        if let (Operation::Insert(key, _), Outcome::Evicted(gone)) = (operation, &outcome) {
            self.0.borrow_mut().extend(gone.iter().filter(|(replaced, _)| replaced == key));
        }
        outcome
    }

    fn reports(&self, reports: Vec<(u8, u64)>) -> Vec<(u8, u64)> {
        [self.0.take(), reports].concat()
    }
}

/// A reference with a fixed bound.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Fixed(Model<u8, u64>);

impl Reference<u8, u64> for Fixed {
    fn apply(&mut self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        if operation.kind() == OperationKind::SetMaxSize { Outcome::Missing } else { self.0.apply(operation) }
    }

    fn entries(&self) -> Vec<(u8, u64)> {
        self.0.entries()
    }

    fn bound(&self) -> usize {
        self.0.bound()
    }
}

#[test]
fn operations_that_the_reference_does_not_have_are_not_compared() {
    let new = || FaultyCreator::new(None, Model::lru(2));
    let tried = creation(Schedules::new(), |max_size| Fixed(Model::lru(max_size)), new).unwrap();
    assert!(!tried.answered.contains(OperationKind::SetMaxSize), "{tried:?}");
    let steps = [Step::Now(1), Step::Dict(Operation::SetMaxSize(0)), Step::Now(2)];
    Schedules::new().run(Fixed(Model::lru(2)), &new(), &steps).unwrap();
}

/// A cache whose reports are lost.
#[derive(Clone, Copy)]
struct ReportsNothing;

impl Adapt for ReportsNothing {
    fn reports(&self, _: Vec<(u8, u64)>) -> Vec<(u8, u64)> {
        Vec::new()
    }
}

// S8: every insertion of the dict reports its victim.
#[test]
fn the_victim_of_a_found_or_inserted_entry_is_reported() {
    let steps = [Step::Dict(Operation::Insert(1, 1)), Step::Dict(Operation::GetOrInsert(0, 2)), Step::Now(3)];
    let cache = FaultyCreator::new(None, Model::lru(1));
    Schedules { max_size: 1, ..Schedules::new() }.run(Model::lru(1), &cache, &steps).unwrap();
    let cache = Adapted { cache: FaultyCreator::new(None, Model::lru(1)), adapt: ReportsNothing };
    let found = Schedules { max_size: 1, ..Schedules::new() }.run(Model::lru(1), &cache, &steps).unwrap_err();
    assert_eq!(found.steps(), &steps[..2], "{found}");
    let found = adapted(None, ReportsNothing).unwrap_err().to_string();
    assert!(found.contains("the cache reports [] to the listener; the rules expect [("), "{found}");
}

/// A cache that panics if a predicate gives mixed answers.
#[derive(Clone, Copy)]
struct EqualAnswers;

impl Adapt for EqualAnswers {
    fn call(&self, operation: &Operation<u8, u64>, cache: &FaultyCreator) -> Outcome<u8, u64> {
        assert!(!matches!(operation, Operation::Retain(1..=0xFE)), "mixed answers");
        cache.call(operation)
    }
}

// S3: a predicate may be asked about the key in flight at any point, unless its answers are equal.
#[test]
fn mixed_answers_of_a_predicate_are_skipped_while_a_creation_is_in_flight() {
    let retain = |answers| Step::Dict(Operation::Retain(answers));
    let run = |steps: &[Step]| {
        let cache = Adapted { cache: FaultyCreator::new(None, Model::lru(2)), adapt: EqualAnswers };
        Schedules::new().run(Model::lru(2), &cache, steps).map(|()| cache.call(&Operation::Items))
    };
    let in_flight = |answers| run(&[Step::Poll(0), retain(answers), Step::Succeed(0), Step::Poll(0)]);
    // The created value was stored, so that others evicted it at the end.
    let evicted = Outcome::Entries(vec![(2, 2_000), (3, 2_001)]);
    assert_eq!(in_flight(0b10).unwrap(), evicted);
    assert_eq!(in_flight(0xFF).unwrap(), evicted);
    assert_eq!(in_flight(0).unwrap(), Outcome::Entries(Vec::new()), "revoked");
    assert!(run(&[retain(0b10)]).unwrap_err().to_string().contains("mixed answers"));
}

#[test]
fn a_printed_schedule_sets_the_expiry_of_its_keys() {
    let model = |max_size| Model::lfu(max_size).with_expiry(0, 5).with_expiry(1, 7).with_expiry(2, 9);
    let new = || FaultyCreator::new(CreationFault::RemovalRevokesNothing, model(2));
    let found = creation(Schedules::new(), model, new).unwrap_err();
    assert!(found.to_string().contains(".with_expiry(0, 5), &cache, &steps)"), "{found}");
    let steps = [Step::Dict(Operation::Insert(1, 1))];
    let found = Schedules::new().run(model(2), &FaultyCreator::new(None, Model::lru(0)), &steps);
    assert!(found.unwrap_err().to_string().contains(".with_expiry(0, 5).with_expiry(1, 7), &cache, &steps)"));
}
