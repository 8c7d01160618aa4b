//! Linearizability of the cache: a sequential order explains every history of concurrent calls.
//!
//! Histories come from threads of the operating system, and from schedulers that replay or enumerate schedules. They
//! verify rules C1 and C2.

use std::sync::Arc;

use aws_client_cache::ClientCache;
use aws_client_cache_spec::concurrency::{History, Recorded, Recorder, Threads, linearizable, reentrant};
use aws_client_cache_spec::{Model, Operation, Policy};
use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};
use support::cache::Cache;
use support::history::POLICIES;
use support::probe_cache::ProbeCache;
use support::report::report;

const LEVEL: &str = "linearizability";

/// Lets the scheduler switch threads, which it may do whenever one of its mutexes is locked.
fn pause() {
    drop(shuttle::sync::Mutex::new(()).lock());
}

/// Runs threads under a scheduler, finds an order for each history, and counts the schedules.
///
/// Each schedule has its own cache.
fn schedules(
    scheduler: impl Scheduler + 'static,
    policy: Policy,
    max_size: usize,
    plan: Vec<Vec<Operation<u8, u64>>>,
) -> usize {
    // Keys are created outside the schedules, because this is slow.
    let keys = Cache::new(policy, max_size);
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    Runner::new(scheduler, config).run(move || {
        ClientCache::schedule_at(|| {});
        let cache = keys.empty(policy, max_size);
        let recorder = Arc::new(Recorder::new());
        let mut threads = Vec::new();
        for (thread, operations) in plan.iter().cloned().enumerate() {
            let (cache, recorder) = (cache.clone(), Arc::clone(&recorder));
            threads.push(shuttle::thread::spawn(move || {
                for operation in operations {
                    recorder.call(thread, &cache, operation);
                }
            }));
        }
        // The scheduler runs all of its threads on the current thread.
        ClientCache::schedule_at(pause);
        for thread in threads {
            thread.join().unwrap();
        }
        ClientCache::schedule_at(|| {});
        let history: History<u8, u64> = Arc::into_inner(recorder).expect("the threads are gone").into_history();
        history.linearize(&Model::new(policy, max_size)).unwrap();
    })
}

// Proves C1.
// The count is exact, so that the test fails if the cache loses a point at which threads can switch.
#[test]
fn every_schedule_of_a_tiny_case_is_linearizable() {
    for policy in POLICIES {
        let plan = vec![
            vec![Operation::Insert(0, 1), Operation::Get(0), Operation::Items],
            vec![Operation::Insert(1, 2), Operation::Insert(2, 3), Operation::Pop],
        ];
        let all = schedules(DfsScheduler::new(Some(20_000), false), policy, 2, plan);
        assert_eq!(all, 6_443);
        report(LEVEL, format!("cache, {policy:?}, two threads, six calls"), format!("all {all} schedules"));
    }
}

// Proves C1.
#[test]
fn random_schedules_of_random_operations_are_linearizable() {
    for policy in POLICIES {
        let mut tried = 0;
        for history in 0..100 {
            let plan = Threads { calls: 10, ..Threads::new() }.plan(history);
            tried += schedules(RandomScheduler::new_from_seed(history as u64, 20), policy, 2, plan.clone());
            tried += schedules(PctScheduler::new_from_seed(history as u64, 3, 20), policy, 2, plan);
        }
        report(LEVEL, format!("cache, {policy:?}, three threads"), format!("{tried} schedules, random and PCT"));
    }
}

/// Lets real threads call the cache, and finds an order for each history.
fn real_threads(policy: Policy, threads: Threads) -> Recorded {
    let keys = Cache::new(policy, 0);
    let cache = |max_size| keys.empty(policy, max_size);
    let recorded = linearizable(threads, |max_size| Model::new(policy, max_size), cache).unwrap();
    let Recorded { histories, calls, overlapping } = recorded;
    assert!(histories >= threads.histories && overlapping >= threads.overlapping, "{recorded:?}");
    let figures = format!("{histories} histories, {calls} calls, {overlapping} of them overlapping");
    report(LEVEL, format!("cache, {policy:?}, three real threads"), figures);
    recorded
}

// Proves C1.
#[test]
fn histories_of_real_threads_are_linearizable() {
    for policy in POLICIES {
        // Histories are long, because threads overlap little while they start and end.
        let threads = Threads { histories: 200, calls: 100, overlapping: 50, ..Threads::new() };
        let recorded = real_threads(policy, threads);
        // Operations that do not take effect at one moment, or that the cache does not have, are not recorded. There are more
        // histories where too few calls overlap.
        assert!(recorded.histories > 200 || recorded.calls == 50_449, "{recorded:?}");
    }
}

// Proves C1.
#[test]
#[ignore = "ten minutes"]
fn tens_of_thousands_of_histories_of_real_threads_are_linearizable() {
    for policy in POLICIES {
        real_threads(policy, Threads { histories: 10_000, overlapping: 10_000, seed: 1, ..Threads::new() });
    }
}

// Proves C2.
#[test]
fn clients_and_keys_may_use_the_cache_when_they_are_dropped() {
    for policy in POLICIES {
        let tried = reentrant(|max_size| ProbeCache::new(policy, max_size)).unwrap();
        let all = "Insert, Get, TryGet, Remove, Pop, Clear, SetMaxSize, GetOrInsert, Retain, Drain";
        assert_eq!(tried.to_string(), all);
    }
}
