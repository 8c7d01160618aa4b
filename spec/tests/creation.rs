//! Creation on the kit's own cache.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use aws_client_cache_spec::check::Difference;
use aws_client_cache_spec::creation::{Creates, Creation, Failure, Scheduled, Schedules, Step, Violation, creation};
use aws_client_cache_spec::faults::{CreationFault, FaultyCreator};
use aws_client_cache_spec::model::OperationKind;
use aws_client_cache_spec::{InsertionMode, Model, Operation, Outcome, Policy, Reference};

/// A call that looks up or creates a value.
type Call = Pin<Box<dyn Future<Output = Result<u64, Failure>>>>;

fn claim(fault: Option<CreationFault>, policy: Policy, schedules: Schedules) -> Result<Scheduled, Violation> {
    let Schedules { max_size, is_shared, .. } = schedules;
    let new = if is_shared { FaultyCreator::shared } else { FaultyCreator::new };
    let model = |max_size| Model::new(policy, max_size);
    creation(schedules, model, || new(fault, model(max_size)))
}

#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn report(policy: Policy, schedules: Schedules, Scheduled { schedules: tried, steps, .. }: Scheduled) {
    let Schedules { max_size, callers, depth, merge, is_shared } = schedules;
    let merged = if merge { ", equivalent ones counted once" } else { "" };
    let shared = if is_shared { ", shared creations" } else { "" };
    let what = format!(
        "the kit's reference, {policy:?}, {callers} callers, a bound of {max_size}, {depth} steps{shared}{merged}"
    );
    println!("\nreport: creation | {what} | {tried} schedules, {steps} steps");
}

// Proves every rule S.
/// The numbers are exact, so that a search that loses part of its scope fails.
#[test]
fn every_short_schedule_goes_by_the_rules() {
    let two = Schedules { callers: 2, depth: 5, merge: false, ..Schedules::new() };
    let three = Schedules { callers: 3, ..two };
    let at_zero = Schedules { max_size: 0, ..two };
    let one = Schedules { max_size: 1, ..two };
    let shared = Schedules { is_shared: true, ..three };
    for (policy, schedules, number) in [
        (Policy::Lfu, two, 364_103),
        (Policy::Lfu, three, 366_727),
        (Policy::Lfu, at_zero, 374_414),
        (Policy::Lru, one, 364_523),
        (Policy::Lfuda, one, 364_523),
        (Policy::Lfu, shared, 366_584),
    ] {
        let tried = claim(None, policy, schedules).unwrap_or_else(|found| panic!("{found}"));
        assert_eq!(tried.schedules, number, "{policy:?}, {schedules:?}");
        assert_eq!(tried.steps / tried.schedules, 4, "most schedules have five steps: {tried:?}");
        report(policy, schedules, tried);
    }
}

// Proves every rule S.
#[test]
fn longer_schedules_go_by_the_rules() {
    for (callers, depth, is_shared, number) in [(2, 9, false, 247_201), (3, 9, false, 703_940), (3, 8, true, 399_455)] {
        let schedules = Schedules { callers, depth, merge: true, is_shared, ..Schedules::new() };
        let tried = claim(None, Policy::Lfu, schedules).unwrap_or_else(|found| panic!("{found}"));
        assert_eq!(tried.schedules, number, "{schedules:?}");
        report(Policy::Lfu, schedules, tried);
    }
}

// Proves every rule S.
#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn no_faulty_creation_passes_and_each_fails_in_a_short_schedule() {
    let mut refused = 0;
    for fault in CreationFault::ALL {
        let merged = Schedules { callers: 3, depth: 7, merge: true, ..Schedules::new() };
        let at_zero = Schedules { max_size: 0, ..merged };
        let shared = Schedules { is_shared: true, ..merged };
        let tries = [merged, at_zero, shared];
        let found = tries.into_iter().find_map(|schedules| claim(Some(fault), Policy::Lfu, schedules).err());
        let found = found.unwrap_or_else(|| panic!("{fault:?} passes"));
        assert!(found.steps().len() <= 7, "{fault:?}: {found}");
        assert!(found.to_string().contains(", &cache, &steps).unwrap();"), "{found}");
        refused += 1;
    }
    println!("\nreport: faulty caches | faults of creation, refused by creation | {refused} caches");
}

/// A single run of each kind finds all of them.
#[test]
fn the_default_schedules_find_every_fault() {
    let default = Schedules::new();
    let kinds = [default, Schedules { is_shared: true, ..default }, Schedules { max_size: 0, ..default }];
    for fault in CreationFault::ALL {
        let found = kinds.into_iter().find_map(|schedules| claim(Some(fault), Policy::Lfu, schedules).err());
        assert!(found.is_some(), "{fault:?} passes");
    }
}

#[test]
fn two_callers_cannot_see_that_a_failure_stays_joinable() {
    for is_shared in [false, true] {
        let three = Schedules { is_shared, ..Schedules::new() };
        let two = Schedules { callers: 2, depth: 6, ..three };
        assert!(claim(Some(CreationFault::FailureStaysJoinable), Policy::Lfu, two).is_ok());
        assert!(claim(Some(CreationFault::FailureStaysJoinable), Policy::Lfu, three).is_err());
    }
}

/// Under an LRU, the uses of an entry show only if there is another one.
#[test]
fn uses_that_are_not_counted_show_at_the_end() {
    for policy in Policy::ALL {
        for fault in [CreationFault::WaiterCountsNoUse, CreationFault::PresentValueCountsNoUse] {
            assert!(claim(Some(fault), policy, Schedules::new()).is_err(), "{fault:?} passes under {policy:?}");
        }
    }
}

/// A cache whose reports are lost, or that panics when a caller is dropped.
struct Wrong(FaultyCreator, Fault);

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    ReportsNothing,
    DropPanics,
    RemovalPanics,
    /// Two faults, so that callers are left when a schedule fails.
    RemovalAndDropPanic,
}

struct PanicsWhenDropped(Call, bool);

impl Future for PanicsWhenDropped {
    type Output = Result<u64, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.0.as_mut().poll(context);
        self.1 = polled.is_pending();
        polled
    }
}

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        assert!(!self.1, "dropped\nwhile pending");
    }
}

impl Creates for Wrong {
    fn get_or_create(&self, key: u8, create: Box<dyn FnOnce() -> Creation + Send>) -> Call {
        let call = self.0.get_or_create(key, create);
        let drop_panics = matches!(self.1, Fault::DropPanics | Fault::RemovalAndDropPanic);
        if drop_panics { Box::pin(PanicsWhenDropped(call, false)) } else { call }
    }

    fn get_or_create_now(
        &self,
        key: u8,
        create: Box<dyn FnOnce() -> Result<u64, Failure> + Send>,
    ) -> Result<u64, Failure> {
        self.0.get_or_create_now(key, create)
    }

    fn call(&self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        let panics = matches!(self.1, Fault::RemovalPanics | Fault::RemovalAndDropPanic);
        assert!(!panics || *operation != Operation::Remove(0), "removed");
        self.0.call(operation)
    }

    fn reports(&self) -> Vec<(u8, u64)> {
        let reports = self.0.reports();
        if self.1 == Fault::ReportsNothing { Vec::new() } else { reports }
    }
}

#[test]
fn a_violation_names_reports_and_panics() {
    let found = |fault| {
        let new = || Wrong(FaultyCreator::new(None, Model::lfu(2)), fault);
        creation(Schedules::new(), Model::lfu, new).unwrap_err()
    };
    let printed = found(Fault::ReportsNothing).to_string();
    assert!(printed.contains("the cache reports [] to the listener; the rules expect [("), "{printed}");
    let dropped = found(Fault::DropPanics);
    assert_eq!(dropped.steps(), [Step::Poll(0), Step::Drop(0)]);
    assert!(dropped.to_string().contains("panics: dropped while pending (spec/tests/creation.rs:"), "{dropped}");
    let removed = found(Fault::RemovalPanics);
    assert_eq!(removed.steps(), [Step::Dict(Operation::Remove(0))]);
    assert!(removed.to_string().contains("the cache panics: removed (spec/tests/creation.rs:"), "{removed}");
}

/// A cache whose calls are wrapped.
struct Wrapping<W> {
    cache: FaultyCreator,
    wrap: W,
}

impl<W: Fn(Call) -> Call> Creates for Wrapping<W> {
    fn get_or_create(&self, key: u8, create: Box<dyn FnOnce() -> Creation + Send>) -> Call {
        (self.wrap)(self.cache.get_or_create(key, create))
    }

    fn get_or_create_now(
        &self,
        key: u8,
        create: Box<dyn FnOnce() -> Result<u64, Failure> + Send>,
    ) -> Result<u64, Failure> {
        self.cache.get_or_create_now(key, create)
    }

    fn call(&self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        self.cache.call(operation)
    }

    fn reports(&self) -> Vec<(u8, u64)> {
        self.cache.reports()
    }
}

/// A call that panics if it is the first waiter and is dropped after its leader.
struct NumberedCall {
    call: Call,
    number: usize,
    is_pending: bool,
    leader_is_gone: Rc<Cell<bool>>,
}

impl Future for NumberedCall {
    type Output = Result<u64, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.call.as_mut().poll(context);
        self.is_pending = polled.is_pending();
        polled
    }
}

impl Drop for NumberedCall {
    fn drop(&mut self) {
        if self.number == 0 {
            self.leader_is_gone.set(true);
        }
        let is_waiting = self.number == 1 && self.is_pending;
        assert!(!is_waiting || !self.leader_is_gone.get(), "dropped without a leader");
    }
}

fn panics_in_waiters() -> impl Creates {
    let (calls, leader_is_gone) = (Cell::new(0), Rc::new(Cell::new(false)));
    let wrap = move |call| -> Call {
        let (number, leader_is_gone) = (calls.replace(calls.get() + 1), Rc::clone(&leader_is_gone));
        Box::pin(NumberedCall { call, number, is_pending: false, leader_is_gone })
    };
    Wrapping { cache: FaultyCreator::new(None, Model::lru(2)), wrap }
}

fn panics_in_each_call() -> impl Creates {
    let wrap = |_| -> Call { panic!("called") };
    Wrapping { cache: FaultyCreator::new(None, Model::lru(2)), wrap }
}

#[test]
fn a_panic_of_calls_is_found_again_by_the_printed_schedule() {
    let found = creation(Schedules::new(), Model::lru, panics_in_waiters).unwrap_err();
    assert!(found.to_string().contains("panics: dropped without a leader"), "{found}");
    let again = Schedules::new().run(Model::lru(2), &panics_in_waiters(), found.steps()).unwrap_err();
    assert_eq!(again.steps(), found.steps());

    let found = creation(Schedules::new(), Model::lru, panics_in_each_call).unwrap_err();
    assert!(
        found.steps().is_empty() && found.to_string().contains("get_or_create: the cache panics: called"),
        "{found}"
    );
    Schedules::new().run(Model::lru(2), &panics_in_each_call(), found.steps()).unwrap_err();
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

#[test]
fn a_schedule_ends_whatever_the_bound() {
    for max_size in [252, 253, 1_000] {
        let schedules = Schedules { max_size, ..Schedules::new() };
        let cache = FaultyCreator::new(None, Model::lru(max_size));
        schedules.run(Model::lru(max_size), &cache, &[Step::Now(1)]).unwrap();
    }
}

#[test]
fn callers_that_panic_when_they_are_dropped_hide_no_violation() {
    let cache = Wrong(FaultyCreator::new(None, Model::lru(2)), Fault::RemovalAndDropPanic);
    let steps = [Step::Poll(0), Step::Poll(1), Step::Dict(Operation::Remove(0))];
    let found = Schedules::new().run(Model::lru(2), &cache, &steps).unwrap_err();
    assert!(found.to_string().contains("the cache panics: removed"), "{found}");
}

/// A call that wakes itself until it has an answer.
struct SpinningCall(Call);

impl Future for SpinningCall {
    type Output = Result<u64, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.0.as_mut().poll(context);
        if polled.is_pending() {
            context.waker().wake_by_ref();
        }
        polled
    }
}

#[test]
fn only_the_caller_that_has_waited_longest_may_take_over() {
    for policy in Policy::ALL {
        let model = |max_size| Model::new(policy, max_size);
        creation(Schedules::new(), model, || FaultyCreator::in_turn(model(2))).unwrap();
    }
    // A caller that comes between two leaders waits.
    let steps = [Step::Poll(0), Step::Poll(1), Step::Drop(0), Step::Poll(2), Step::Poll(1)];
    Schedules::new().run(Model::lru(2), &FaultyCreator::in_turn(Model::lru(2)), &steps).unwrap();
}

// S9: another caller may be kept, and not polled.
#[test]
fn each_caller_of_a_shared_creation_is_woken_by_it() {
    let steps = [Step::Poll(0), Step::Poll(1), Step::Succeed(0)];
    let schedules = Schedules { is_shared: true, ..Schedules::new() };
    let wrong = FaultyCreator::shared(CreationFault::OnlyTheLatestIsWoken, Model::lru(2));
    let found = schedules.run(Model::lru(2), &wrong, &steps).unwrap_err();
    assert_eq!(found.steps(), steps, "{found}");
    assert!(found.to_string().contains("all of {0, 1} to be woken by their creation"), "{found}");
}

/// A call that is never woken.
struct DeafCall(Call);

impl Future for DeafCall {
    type Output = Result<u64, Failure>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }
}

// S5: the schedule names the step that should have woken them.
#[test]
fn callers_are_missed_as_soon_as_they_are_not_woken() {
    let run = |cache: &dyn Fn(&[Step]) -> Result<(), Violation>, steps: &[Step], what: &str| {
        let found = cache(steps).unwrap_err();
        assert_eq!(found.steps(), steps, "{found}");
        assert!(found.to_string().contains(what), "{found}");
    };
    let deaf = |steps: &[Step]| {
        let wrap = |call| -> Call { Box::pin(DeafCall(call)) };
        let cache = Wrapping { cache: FaultyCreator::new(None, Model::lru(2)), wrap };
        Schedules::new().run(Model::lru(2), &cache, steps)
    };
    run(&deaf, &[Step::Poll(0), Step::Succeed(0)], "0 to be woken by its creation");
    let wrong = |steps: &[Step]| {
        let cache = FaultyCreator::new(CreationFault::OnlyOneWaiterIsWoken, Model::lru(2));
        Schedules::new().run(Model::lru(2), &cache, steps)
    };
    let polls = [Step::Poll(0), Step::Poll(1), Step::Poll(2), Step::Succeed(0), Step::Poll(0)];
    run(&wrong, &polls, "all of {1, 2} to be woken by the result");
}

// S5, S9.
#[test]
fn a_creation_ends_with_its_last_caller() {
    for is_shared in [false, true] {
        let schedules = Schedules { is_shared, ..Schedules::new() };
        let found = claim(Some(CreationFault::AbandonedCreationRunsOn), Policy::Lru, schedules).unwrap_err();
        assert_eq!(found.steps(), [Step::Poll(0), Step::Drop(0)]);
        assert!(found.to_string().contains("the cache keeps creation 0; the rules expect it to be dropped"), "{found}");
    }
}

#[test]
fn callers_that_wake_themselves_take_turns() {
    let spins = |call| -> Call { Box::pin(SpinningCall(call)) };
    for is_shared in [false, true] {
        let schedules = Schedules { is_shared, ..Schedules::new() };
        let new = if is_shared { FaultyCreator::shared } else { FaultyCreator::new };
        creation(schedules, Model::lfu, || Wrapping { cache: new(None, Model::lfu(2)), wrap: spins }).unwrap();
    }
    let cache = FaultyCreator::new(CreationFault::WaitersOfAPanicHang, Model::lfu(2));
    let hangs = Wrapping { cache, wrap: spins };
    let steps = [Step::Poll(0), Step::Poll(1), Step::Panic(0), Step::Poll(0)];
    let found = Schedules::new().run(Model::lfu(2), &hangs, &steps).unwrap_err();
    assert!(found.to_string().contains("woken again and again, and none of them proceeds"), "{found}");
}

// S8: every insertion of the dict reports its victim.
#[test]
fn the_victim_of_a_found_or_inserted_entry_is_reported() {
    let steps = [Step::Dict(Operation::Insert(1, 1)), Step::Dict(Operation::GetOrInsert(0, 2)), Step::Now(3)];
    let cache = FaultyCreator::new(None, Model::lru(1));
    Schedules { max_size: 1, ..Schedules::new() }.run(Model::lru(1), &cache, &steps).unwrap();
    let cache = Wrong(FaultyCreator::new(None, Model::lru(1)), Fault::ReportsNothing);
    let found = Schedules { max_size: 1, ..Schedules::new() }.run(Model::lru(1), &cache, &steps).unwrap_err();
    assert_eq!(found.steps(), &steps[..2], "{found}");
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
    let found =
        Schedules::new().run(model(2), &Wrong(FaultyCreator::new(None, Model::lru(0)), Fault::DropPanics), &steps);
    assert!(found.unwrap_err().to_string().contains(".with_expiry(0, 5).with_expiry(1, 7), &cache, &steps)"));
}

/// A correct cache, except for the outcomes of its dict, or for its reports.
struct Adapted<C> {
    cache: FaultyCreator,
    adapt: C,
}

trait Adapt {
    const DIFFERENCES: &'static [Difference] = &[];

    fn call(&self, operation: &Operation<u8, u64>, cache: &FaultyCreator) -> Outcome<u8, u64>;

    fn reports(&self, reports: Vec<(u8, u64)>) -> Vec<(u8, u64)> {
        reports
    }
}

impl<C: Adapt> Creates for Adapted<C> {
    const DIFFERENCES: &'static [Difference] = C::DIFFERENCES;

    fn get_or_create(&self, key: u8, create: Box<dyn FnOnce() -> Creation + Send>) -> Call {
        self.cache.get_or_create(key, create)
    }

    fn get_or_create_now(
        &self,
        key: u8,
        create: Box<dyn FnOnce() -> Result<u64, Failure> + Send>,
    ) -> Result<u64, Failure> {
        self.cache.get_or_create_now(key, create)
    }

    fn call(&self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        self.adapt.call(operation, &self.cache)
    }

    fn reports(&self) -> Vec<(u8, u64)> {
        self.adapt.reports(self.cache.reports())
    }
}

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

#[test]
fn no_fault_is_listed_twice() {
    assert_eq!(CreationFault::ALL.iter().collect::<BTreeSet<_>>().len(), CreationFault::ALL.len());
}
