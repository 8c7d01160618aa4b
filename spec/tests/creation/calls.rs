//! Callers that panic, wake themselves, are not woken, take turns, or leave a creation behind.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use aws_client_cache_spec::creation::{Creates, Failure, Schedules, Step, Violation, creation};
use aws_client_cache_spec::faults::{CreationFault, FaultyCreator};
use aws_client_cache_spec::{Model, Operation, Outcome, Policy};

use crate::adapted::{Adapt, Adapted, Call};
use crate::claim;

/// A cache that panics when a key is removed or a caller is dropped.
#[derive(Clone, Copy)]
enum Fault {
    DropPanics,
    RemovalPanics,
    /// Two faults, so that callers are left when a schedule fails.
    RemovalAndDropPanic,
}

impl Adapt for Fault {
    fn wrap(&self, call: Call) -> Call {
        let panics = matches!(self, Self::DropPanics | Self::RemovalAndDropPanic);
        if panics { Box::pin(PanicsWhenDropped(call, false)) } else { call }
    }

    fn call(&self, operation: &Operation<u8, u64>, cache: &FaultyCreator) -> Outcome<u8, u64> {
        let panics = matches!(self, Self::RemovalPanics | Self::RemovalAndDropPanic);
        assert!(!panics || *operation != Operation::Remove(0), "removed");
        cache.call(operation)
    }
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

#[test]
fn a_violation_names_panics() {
    let found = |fault| {
        let new = || Adapted { cache: FaultyCreator::new(None, Model::lfu(2)), adapt: fault };
        creation(Schedules::new(), Model::lfu, new).unwrap_err()
    };
    let dropped = found(Fault::DropPanics);
    assert_eq!(dropped.steps(), [Step::Poll(0), Step::Drop(0)]);
    assert!(dropped.to_string().contains("panics: dropped while pending (spec/tests/creation/calls.rs:"), "{dropped}");
    let removed = found(Fault::RemovalPanics);
    assert_eq!(removed.steps(), [Step::Dict(Operation::Remove(0))]);
    assert!(removed.to_string().contains("the cache panics: removed (spec/tests/creation/calls.rs:"), "{removed}");
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
    Adapted { cache: FaultyCreator::new(None, Model::lru(2)), adapt: wrap }
}

fn panics_in_each_call() -> impl Creates {
    let wrap = |_| -> Call { panic!("called") };
    Adapted { cache: FaultyCreator::new(None, Model::lru(2)), adapt: wrap }
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
    let cache = Adapted { cache: FaultyCreator::new(None, Model::lru(2)), adapt: Fault::RemovalAndDropPanic };
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
        let cache = Adapted { cache: FaultyCreator::new(None, Model::lru(2)), adapt: wrap };
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
        creation(schedules, Model::lfu, || Adapted { cache: new(None, Model::lfu(2)), adapt: spins }).unwrap();
    }
    let cache = FaultyCreator::new(CreationFault::WaitersOfAPanicHang, Model::lfu(2));
    let hangs = Adapted { cache, adapt: spins };
    let steps = [Step::Poll(0), Step::Poll(1), Step::Panic(0), Step::Poll(0)];
    let found = Schedules::new().run(Model::lfu(2), &hangs, &steps).unwrap_err();
    assert!(found.to_string().contains("woken again and again, and none of them proceeds"), "{found}");
}
