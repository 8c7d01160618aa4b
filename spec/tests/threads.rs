//! Linearizability of the kit's own caches, under threads and under schedulers.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use aws_client_cache_spec::check::{Difference, PanicProbe};
use aws_client_cache_spec::concurrency::{Call, Deadlock, History, Recorder, Shared, Threads, linearizable, reentrant};
use aws_client_cache_spec::faults::{FaultyShared, SharedFault};
use aws_client_cache_spec::{Model, Operation, Outcome, Policy, Refusal, SystemUnderTest};
use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

/// Lets the scheduler switch to another thread.
///
/// Locking any of its mutexes is such a place.
fn pause() {
    drop(shuttle::sync::Mutex::new(()).lock());
}

/// Runs threads under a scheduler, and searches an order for every history.
///
/// Each schedule has its own cache. Returns the number of schedules, or the first history that has no order.
fn schedules(
    scheduler: impl Scheduler + 'static,
    fault: Option<SharedFault>,
    policy: Policy,
    plan: &[Vec<Operation<u8, u64>>],
) -> Result<usize, String> {
    let plan = plan.to_vec();
    let mut config = Config::new();
    config.failure_persistence = shuttle::FailurePersistence::None;
    let run = move || {
        let cache = Arc::new(FaultyShared::new(fault, policy, 2, pause));
        let recorder = Arc::new(Recorder::new());
        let threads: Vec<_> = plan
            .iter()
            .cloned()
            .enumerate()
            .map(|(thread, operations)| {
                let (cache, recorder) = (Arc::clone(&cache), Arc::clone(&recorder));
                shuttle::thread::spawn(move || {
                    for operation in operations {
                        recorder.call(thread, &*cache, operation);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let history: History<u8, u64> = Arc::into_inner(recorder).expect("the threads are gone").into_history();
        history.linearize(&Model::new(policy, 2)).unwrap();
    };
    let runner = AssertUnwindSafe(|| Runner::new(scheduler, config).run(run));
    catch_unwind(runner).map_err(|panic| panic.downcast::<String>().map_or_else(|_| "?".to_owned(), |message| *message))
}

fn tiny() -> Vec<Vec<Operation<u8, u64>>> {
    vec![
        vec![Operation::Insert(0, 1), Operation::Get(0), Operation::Items],
        vec![Operation::Insert(1, 2), Operation::Insert(2, 3), Operation::Pop],
    ]
}

#[test]
fn every_schedule_of_a_tiny_case_has_an_order() {
    for policy in Policy::ALL {
        // The number is exact, so that a test that loses a switch point fails.
        assert_eq!(schedules(DfsScheduler::new(Some(20_000), false), None, policy, &tiny()), Ok(12_869));
    }
}

#[test]
fn random_schedules_of_random_operations_have_an_order() {
    for policy in Policy::ALL {
        for history in 0..40 {
            let plan = Threads { calls: 10, ..Threads::new() }.plan(history);
            schedules(RandomScheduler::new_from_seed(history as u64, 20), None, policy, &plan).unwrap();
            schedules(PctScheduler::new_from_seed(history as u64, 3, 20), None, policy, &plan).unwrap();
        }
    }
}

#[test]
fn real_threads_on_a_sound_cache_have_an_order() {
    for policy in Policy::ALL {
        let sound = |max_size| FaultyShared::new(None, policy, max_size, || {});
        let recorded = linearizable(Threads::new(), |max_size| Model::new(policy, max_size), sound).unwrap();
        assert_eq!(recorded.calls, recorded.histories * 900, "{recorded:?}");
        assert!(recorded.histories >= 200 && recorded.overlapping >= Threads::new().overlapping, "{recorded:?}");
    }
}

/// No cache helps the threads to switch between its two lockings.
#[test]
fn real_threads_find_two_lockings_without_a_pause() {
    // A hit in two lockings shows only if another thread makes two calls between them. The schedulers find it.
    let hard = [SharedFault::HitInTwoLockings, SharedFault::DropsUnderTheLock];
    for fault in SharedFault::ALL.into_iter().filter(|fault| !hard.contains(fault)) {
        let new = |max_size| FaultyShared::new(fault, Policy::Lru, max_size, || {});
        // One run finds most of them. The schedules are those of the machine, so each fault has more chances.
        let found = (0..5).find_map(|seed| linearizable(Threads { seed, ..Threads::new() }, Model::lru, new).err());
        let found = found.unwrap_or_else(|| panic!("{fault:?} passes"));
        assert!(found.to_string().contains("no order of these calls"), "{fault:?}: {found}");
    }
}

#[test]
fn calls_that_hardly_overlap_are_refused() {
    let new = |max_size| FaultyShared::new(None, Policy::Lru, max_size, || {});
    let alone = Threads { threads: 1, histories: 10, ..Threads::new() };
    let found = linearizable(alone, Model::lru, new).unwrap_err();
    assert!(found.to_string().starts_with("linearizability: only 0 of 300000 calls overlapped, fewer than"), "{found}");
    let recorded = linearizable(Threads { overlapping: 0, ..alone }, Model::lru, new).unwrap();
    assert_eq!((recorded.histories, recorded.calls, recorded.overlapping), (10, 3_000, 0));
}

/// A cache that panics, or returns no victims, or lists its entries in no order.
struct Differs<const PANICS: bool>(Model<u8, u64>);

impl<const PANICS: bool> SystemUnderTest<u8, u64> for Differs<PANICS> {
    const DIFFERENCES: &'static [Difference] =
        &[Difference::NoZero, Difference::VictimsNotReturned, Difference::Unordered];

    fn insert(&mut self, key: u8, value: u64) -> Result<Option<(u8, u64)>, Refusal> {
        self.0.insert(key, value).map(|_| None)
    }

    fn get(&mut self, key: &u8) -> Option<u64> {
        let found = self.0.get(key);
        assert!(!PANICS || self.0.len() < 2, "two\nentries");
        found
    }

    fn remove(&mut self, key: &u8) -> Result<u64, Refusal> {
        self.0.remove(key)
    }

    fn pop(&mut self) -> Result<(u8, u64), Refusal> {
        self.0.pop()
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(u8, u64)>> {
        assert!(max_size > 0, "a bound of 0");
        self.0.set_max_size(max_size).map(|_| Vec::new())
    }

    fn max_size(&self) -> usize {
        self.0.max_size()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn items(&self) -> Vec<(u8, u64)> {
        SystemUnderTest::reversed(&self.0)
    }
}

/// A smaller scope, for tests that need no luck.
const FEW: Threads = Threads { calls: 30, histories: 20, overlapping: 0, ..Threads::new() };

#[test]
fn threads_respect_the_differences_of_a_cache() {
    let new = |max_size| Mutex::new(Differs::<false>(Model::lru(max_size)));
    let recorded = linearizable(FEW, Model::lru, new).unwrap();
    assert!(recorded.calls > 1_000, "{recorded:?}");
    let no_bound = Threads { max_size: 0, ..FEW };
    linearizable(no_bound, Model::lru, new).unwrap();
}

#[test]
fn a_panic_in_a_thread_is_reported_by_the_calls_that_lead_to_it() {
    let new = |max_size| Mutex::new(Differs::<true>(Model::lru(max_size)));
    let found = linearizable(FEW, Model::lru, new).unwrap_err().to_string();
    assert!(found.contains("the last of these calls panics: "), "{found}");
    assert!(found.contains("two entries (spec/tests/threads.rs:"), "{found}");
    let calls: Vec<_> = found.lines().filter(|line| line.contains("Shared::call(&cache, &Operation::")).collect();
    assert_eq!(calls.len(), 3, "two insertions and a look-up: {found}");
}

/// A cache that panics in its fifth call, whatever it is.
struct FiveCalls(AtomicUsize, Mutex<Model<u8, u64>>);

impl Shared<u8, u64> for FiveCalls {
    fn call(&self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        assert!(self.0.fetch_add(1, SeqCst) < 4, "the fifth call is {operation:?}");
        self.1.call(operation)
    }
}

#[test]
fn the_message_of_a_panic_is_that_of_the_last_shown_call() {
    let new = |max_size| FiveCalls(AtomicUsize::new(0), Mutex::new(Model::lru(max_size)));
    for seed in 0..5 {
        let found = linearizable(Threads { seed, ..FEW }, Model::lru, new).unwrap_err().to_string();
        let calls: Vec<_> = found.lines().filter_map(|line| line.split_once("&Operation")).collect();
        assert_eq!(calls.len(), 5, "{found}");
        let last = calls[4].1.strip_suffix(");").unwrap();
        let last = last.trim_start_matches("::<u8, u64>").trim_start_matches("::");
        assert!(found.contains(&format!("panics: {last}: the fifth call is {last} (")), "{found}");
    }
}

#[test]
fn a_panic_among_threads_alone_is_reported_with_their_calls() {
    /// Panics if two calls are in flight.
    struct Alone(AtomicUsize, FaultyShared<u8, u64>);

    impl Shared<u8, u64> for Alone {
        fn call(&self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
            assert_eq!(self.0.fetch_add(1, SeqCst), 0, "not alone");
            std::thread::yield_now();
            let outcome = self.1.call(operation);
            self.0.fetch_sub(1, SeqCst);
            outcome
        }
    }

    let new =
        |max_size| Alone(AtomicUsize::new(0), FaultyShared::new(None, Policy::Lru, max_size, std::thread::yield_now));
    let found = linearizable(Threads { histories: 10_000, ..FEW }, Model::lru, new).unwrap_err().to_string();
    assert!(found.contains("a call that did not return panicked, but not on one thread: "), "{found}");
    assert!(found.contains("not alone") && found.contains("Call::pending("), "{found}");
    // As a test, it would pass.
    assert!(found.lines().all(|line| line.starts_with("// ")), "{found}");
}

#[test]
fn a_history_that_begins_in_another_state_prints_a_place_for_it() {
    let history = |calls| History::new(calls).linearize(&Model::<u8, u64>::lru(2));
    let get = |time| Call::new(0, time, Operation::Get(0), Outcome::Value(Some(7)));
    let found = history(vec![get(0..1)]).unwrap_err().to_string();
    assert!(found.contains("history.linearize(&Model::new(Policy::Lru, 2)).unwrap();"), "{found}");

    let mut model = Model::lru(2);
    model.insert(0, 1).unwrap();
    let found = History::new(vec![get(0..1)]).linearize(&model).unwrap_err().to_string();
    assert!(found.contains("history.linearize(&reference() /* yours, in the state that"), "{found}");
    // A clock that has been set is part of the state, too.
    let mut expiring = Model::lru(2).with_expiry(0, 5);
    expiring.set_time(3);
    let found = History::new(vec![get(0..1)]).linearize(&expiring).unwrap_err().to_string();
    assert!(found.contains("&reference() /* yours"), "{found}");
}

#[test]
fn calls_at_one_instant_come_in_any_order() {
    let insert = |time| Call::new(0, time, Operation::Insert(0, 7), Outcome::Evicted(vec![]));
    let get = |time| Call::new(1, time, Operation::Get(0), Outcome::Value(Some(7)));
    let order = |calls| History::new(calls).linearize(&Model::<u8, u64>::lru(2)).ok();
    assert_eq!(order(vec![insert(5..5), get(5..5)]), Some(vec![0, 1]));
    assert_eq!(order(vec![get(5..5), insert(5..5)]), Some(vec![1, 0]));
    // A call that returns at an instant precedes one that is made then.
    assert_eq!(order(vec![insert(3..5), get(5..5)]), Some(vec![0, 1]));
    assert_eq!(order(vec![insert(5..5), get(5..6)]), Some(vec![0, 1]));
    assert_eq!(order(vec![get(3..5), insert(5..5)]), None);
    assert_eq!(order(vec![get(5..5), insert(5..6)]), None);
    // The shortest history without an order ends with the call of an instant.
    let later = Call::new(0, 8..9, Operation::Pop, Outcome::Refused(Refusal::Empty));
    let found = History::new(vec![get(5..5), later]).linearize(&Model::<u8, u64>::lru(2)).unwrap_err();
    assert_eq!(found.history().len(), 1, "{found}");
    let overlapping = |calls| History::new(calls).overlapping();
    assert_eq!(overlapping(vec![insert(5..5), get(5..5)]), 2);
    assert_eq!(overlapping(vec![insert(5..7), get(5..5)]), 0);
    assert_eq!(overlapping(vec![get(5..5), insert(5..7)]), 0);
    assert_eq!(overlapping(vec![get(5..5), insert(4..6)]), 2);
    // A pending call may come at any later time, or not at all.
    let at_the_end = u64::MAX..u64::MAX;
    let absent = Call::new(1, at_the_end, Operation::Get(0), Outcome::Value(None));
    assert!(order(vec![Call::pending(0, 5, Operation::Insert(0, 7)), absent]).is_some());
    // An instant is within a call.
    assert_eq!(order(vec![get(5..5), insert(4..6)]), Some(vec![1, 0]));
}

#[test]
#[should_panic = "`time` ends before it starts: 5..3"]
#[expect(clippy::reversed_empty_ranges, reason = "the mistake")]
fn a_call_that_returns_before_it_was_made_is_refused() {
    let _ = Call::<u8, u64>::new(0, 5..3, Operation::Pop, Outcome::Done);
}

#[test]
fn the_last_calls_of_a_long_history_are_shown() {
    let call = |time: u64, operation, outcome| Call::new(0, 2 * time..2 * time + 1, operation, outcome);
    let mut calls = vec![call(0, Operation::Insert(0, 0), Outcome::Evicted(vec![]))];
    calls.extend((1..1_000).map(|time| call(time, Operation::Peek(0), Outcome::Value(Some(0)))));
    calls.push(call(1_000, Operation::Remove(0), Outcome::Value(Some(0))));
    calls.push(call(1_001, Operation::Get(0), Outcome::Value(Some(0))));
    let found = History::new(calls).linearize(&Model::<u8, u64>::lru(2)).unwrap_err();
    assert_eq!(found.history().len(), 2, "{found}");
    let printed = found.to_string();
    assert!(printed.contains("for operation in [\n        Operation::Insert(0, 0),\n    ] {"), "{printed}");
    assert!(printed.contains("Call::new(0, 0..1, Operation::Remove(0), Outcome::Value(Some(0)))"), "{printed}");
}

/// The seeds, and so the schedules, are the same each time.
#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn no_faulty_cache_of_many_threads_passes() {
    let mut refused = 0;
    for fault in SharedFault::ALL.into_iter().filter(|fault| *fault != SharedFault::DropsUnderTheLock) {
        for policy in Policy::ALL {
            let found = (0..400).find_map(|history| {
                let plan = Threads { calls: 6, ..Threads::new() }.plan(history);
                schedules(RandomScheduler::new_from_seed(history as u64, 50), Some(fault), policy, &plan).err()
            });
            let found = found.unwrap_or_else(|| panic!("{fault:?} passes under {policy:?}"));
            assert!(found.contains("fn the_calls_have_an_order()"), "{found}");
        }
        refused += 1;
    }
    println!("\nreport: faulty caches | faults of sharing, refused by linearizability | {refused} caches");
}

#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn a_cache_that_drops_under_its_lock_is_reported_by_the_operation_that_hangs() {
    let new = |fault| {
        move |max_size| FaultyShared::<PanicProbe<u8>, PanicProbe<u64>>::new(fault, Policy::Lru, max_size, || {})
    };
    assert!(reentrant(new(None)).is_ok());
    let found: Deadlock = reentrant(new(Some(SharedFault::DropsUnderTheLock))).unwrap_err();
    assert!(found.to_string().contains("Clear hangs"), "{found}");
    println!("\nreport: faulty caches | a lock held during drops, refused by linearizability | 1 cache");
}

#[test]
fn no_fault_is_listed_twice() {
    assert_eq!(SharedFault::ALL.iter().collect::<BTreeSet<_>>().len(), SharedFault::ALL.len());
}
