//! Exhaustive searches of small scopes: every state that operations can reach, compared with the model.
//!
//! They cover the engine, and the cache with keys that expire. The counts are exact, so that a test fails if its search
//! loses a part of its scope.

use aws_client_cache::map::EvictingMap;
use aws_client_cache_spec::{Covered, EvictionPolicy, InsertionMode, OperationKinds, Scope, closure};
use support::cache::Cache;
use support::engine::{Engine, policy};
use support::hashing::Hashing;
use support::report::report;

/// An adapter that loses the override of an operation loses its answers.
const ANSWERED: OperationKinds = OperationKinds::WITHOUT_EXPIRY;

fn explore(scope: Scope, hashing: Hashing) -> Covered {
    let map = |max_size| EvictingMap::with_max_uses(policy(scope.policy), max_size, hashing, scope.max_uses);
    let covered = match scope.insertion {
        InsertionMode::Replace => closure(scope, |max_size| Engine::<_, _, _, true>(map(max_size))),
        _ => closure(scope, |max_size| Engine::<_, _, _>(map(max_size))),
    };
    let covered = covered.unwrap_or_else(|found| panic!("{found}"));
    let Scope { policy, insertion, max_size, keys, symmetric, .. } = scope;
    let symmetric = if symmetric { ", keys interchangeable" } else { "" };
    let insertion = if insertion == InsertionMode::Replace { ", replacing" } else { "" };
    let what =
        format!("engine, {policy:?}{insertion}, {keys} keys, bounds up to {max_size}{symmetric}, hashing {hashing:?}");
    report("L2 every state", what, format!("{} states, {} transitions", covered.states, covered.transitions));
    covered
}

// Proves every rule D, L.
#[test]
fn lru_behaves_as_the_model_in_every_state() {
    let scope = Scope { symmetric: true, ..Scope::new(EvictionPolicy::Lru, 9, 10) };
    assert_eq!(explore(scope, Hashing::Default), Covered { states: 55, transitions: 2_090, answered: ANSWERED });
}

// Proves every rule D, F.
#[test]
fn lfu_behaves_as_the_model_in_every_state() {
    let scope = Scope { max_uses: 5, symmetric: true, ..Scope::new(EvictionPolicy::Lfu, 4, 5) };
    assert_eq!(
        explore(scope, Hashing::Default),
        Covered { states: 28_716, transitions: 1_029_036, answered: ANSWERED }
    );
}

// Proves every rule D, F.
#[test]
fn lfuda_behaves_as_the_model_in_every_state() {
    let scope = Scope { max_uses: 5, symmetric: true, ..Scope::new(EvictionPolicy::Lfuda, 3, 4) };
    assert_eq!(explore(scope, Hashing::Default), Covered { states: 4_088, transitions: 112_576, answered: ANSWERED });
}

// Proves D13.
#[test]
fn a_replacing_engine_behaves_as_the_model_in_every_state() {
    let cases =
        [(EvictionPolicy::Lru, 10, 200), (EvictionPolicy::Lfu, 472, 12_536), (EvictionPolicy::Lfuda, 1_233, 31_596)];
    for (policy, states, transitions) in cases {
        let scope = Scope { insertion: InsertionMode::Replace, symmetric: true, ..Scope::new(policy, 3, 4) };
        assert_eq!(explore(scope, Hashing::Default), Covered { states, transitions, answered: ANSWERED }, "{policy:?}");
    }
}

#[test]
fn every_state_of_the_index_behaves_as_the_model_under_any_hashes() {
    let cases = [
        (EvictionPolicy::Lru, 1, Hashing::Constant, Covered { states: 1_336, transitions: 42_752, answered: ANSWERED }),
        (EvictionPolicy::Lru, 1, Hashing::Identity, Covered { states: 292, transitions: 9_344, answered: ANSWERED }),
        (
            EvictionPolicy::Lfu,
            2,
            Hashing::Constant,
            Covered { states: 18_560, transitions: 593_920, answered: ANSWERED },
        ),
        (
            EvictionPolicy::Lfu,
            2,
            Hashing::Identity,
            Covered { states: 3_512, transitions: 112_384, answered: ANSWERED },
        ),
        (
            EvictionPolicy::Lfuda,
            2,
            Hashing::Constant,
            Covered { states: 26_332, transitions: 842_624, answered: ANSWERED },
        ),
        (
            EvictionPolicy::Lfuda,
            2,
            Hashing::Identity,
            Covered { states: 5_176, transitions: 165_632, answered: ANSWERED },
        ),
    ];
    for (policy, max_uses, hashing, covered) in cases {
        let scope = Scope { max_uses, ..Scope::new(policy, 3, 4) };
        assert_eq!(explore(scope, hashing), covered, "{policy:?}, {hashing:?}");
    }
}

// Proves every rule E: the time is part of the state.
#[test]
fn a_cache_whose_keys_expire_behaves_as_the_model_in_every_state() {
    let expiry: &[(u8, u64)] = &[(0, 1), (1, 2)];
    let lru = Scope { expiry, ..Scope::new(EvictionPolicy::Lru, 2, 3) };
    // The use counts of the cache never saturate, so its states are infinite: the depth bounds the search.
    let lfu = Scope { expiry, depth: 8, max_uses: u64::MAX, ..Scope::new(EvictionPolicy::Lfu, 2, 3) };
    let lfuda = Scope { policy: EvictionPolicy::Lfuda, ..lfu };
    for (scope, expected) in [(lru, (60, 1_800)), (lfu, (1_554, 35_460)), (lfuda, (3_882, 78_390))] {
        let Scope { policy, max_size, keys, .. } = scope;
        let cache = Cache::with_expiry(policy, 0, expiry);
        let covered = closure(scope, |max_size| cache.empty(policy, max_size));
        let Covered { states, transitions, answered } = covered.unwrap_or_else(|found| panic!("{found}"));
        let what = format!("cache, {policy:?}, {keys} keys, of which two expire, bounds up to {max_size}");
        report("L2 every state", what, format!("{states} states, {transitions} transitions"));
        assert_eq!((states, transitions), expected, "{policy:?}");
        assert_eq!(answered, OperationKinds::ALL, "{policy:?}");
    }
}
