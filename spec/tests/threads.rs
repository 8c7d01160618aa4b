//! Linearizability of the kit's own caches, under threads and under schedulers.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aws_client_cache_spec::check::PanicProbe;
use aws_client_cache_spec::concurrency::{Deadlock, History, Recorder, Threads, linearizable, reentrant};
use aws_client_cache_spec::faults::{FaultyShared, SharedFault};
use aws_client_cache_spec::{Model, Operation, Policy};
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
/// Each schedule has its own cache. /// Returns the number of schedules, or the first history that has no order.
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
            let plan = Threads::new().plan(history);
            schedules(RandomScheduler::new_from_seed(history as u64, 20), None, policy, &plan).unwrap();
            schedules(PctScheduler::new_from_seed(history as u64, 3, 20), None, policy, &plan).unwrap();
        }
    }
}

#[test]
fn real_threads_on_a_sound_cache_have_an_order() {
    for policy in Policy::ALL {
        let sound = |max_size| FaultyShared::new(None, policy, max_size, std::thread::yield_now);
        let recorded = linearizable(Threads::new(), |max_size| Model::new(policy, max_size), sound).unwrap();
        assert_eq!((recorded.histories, recorded.calls), (500, 15_000));
        assert!(recorded.overlapping > 1_000, "{recorded:?}");
    }
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
    assert_eq!(reentrant(new(None)), Ok(()));
    let found: Deadlock = reentrant(new(Some(SharedFault::DropsUnderTheLock))).unwrap_err();
    assert!(found.to_string().contains("Clear hangs"), "{found}");
    println!("\nreport: faulty caches | a lock held during drops, refused by linearizability | 1 caches");
}

#[test]
fn no_fault_is_listed_twice() {
    assert_eq!(SharedFault::ALL.iter().collect::<BTreeSet<_>>().len(), SharedFault::ALL.len());
}
