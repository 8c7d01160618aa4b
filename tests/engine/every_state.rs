//! Exhaustive searches of small scopes: every state that operations can reach, compared with the model.
//!
//! They cover the engine, and the cache with keys that expire. The counts are exact, so that a test fails if its search
//! loses a part of its scope.

use aws_client_cache::map::EvictingMap;
use aws_client_cache_spec::check::{Covered, exhaustive};
use aws_client_cache_spec::model::OperationKinds;
use aws_client_cache_spec::{InsertionMode, Model, Policy, Scope};
use support::cache::{Cache, MISSING, with_expiry};
use support::engine::{Engine, policy};
use support::hashing::Hashing;
use support::report::report;

/// An adapter that loses the override of an operation loses its answers.
const ANSWERED: OperationKinds = OperationKinds::WITHOUT_EXPIRY;

/// The policy of an engine, its highest use count, and the effect of inserting a present key.
type Rules = (Policy, u64, InsertionMode);

fn explore(scope: Scope, (spec_policy, max_uses, insertion): Rules, hashing: Hashing) -> Covered {
    let map = |max_size| EvictingMap::with_max_uses(policy(spec_policy), max_size, hashing, max_uses);
    let model = |max_size| Model::with_max_uses(spec_policy, max_size, max_uses).with_insertion(insertion);
    let covered = match insertion {
        InsertionMode::Replace => exhaustive(scope, model, |max_size| Engine::<_, _, _, true>(map(max_size))),
        _ => exhaustive(scope, model, |max_size| Engine::<_, _, _>(map(max_size))),
    };
    let covered = covered.unwrap_or_else(|found| panic!("{found}"));
    let Scope { max_size, keys, symmetric, .. } = scope;
    let symmetric = if symmetric { ", keys interchangeable" } else { "" };
    let insertion = if insertion == InsertionMode::Replace { ", replacing" } else { "" };
    let what = format!(
        "engine, {spec_policy:?}{insertion}, {keys} keys, bounds up to {max_size}{symmetric}, hashing {hashing:?}"
    );
    report("every state", what, format!("{} states, {} transitions", covered.states, covered.transitions));
    covered
}

// Proves every rule D, L.
#[test]
fn lru_behaves_as_the_model_in_every_state() {
    let scope = Scope { symmetric: true, ..Scope::new(9, 10) };
    let rules = (Policy::Lru, 1, InsertionMode::Refuse);
    assert_eq!(explore(scope, rules, Hashing::Default), Covered { states: 55, transitions: 3_795, answered: ANSWERED });
}

// Proves every rule D, F.
#[test]
fn lfu_behaves_as_the_model_in_every_state() {
    let scope = Scope { symmetric: true, ..Scope::new(4, 5) };
    assert_eq!(
        explore(scope, (Policy::Lfu, 5, InsertionMode::Refuse), Hashing::Default),
        Covered { states: 28_716, transitions: 1_946_368, answered: ANSWERED }
    );
}

// Proves every rule D, F.
#[test]
fn lfuda_behaves_as_the_model_in_every_state() {
    let scope = Scope { symmetric: true, ..Scope::new(3, 4) };
    let rules = (Policy::Lfuda, 5, InsertionMode::Refuse);
    assert_eq!(
        explore(scope, rules, Hashing::Default),
        Covered { states: 4_088, transitions: 200_520, answered: ANSWERED }
    );
}

// Proves D13.
#[test]
fn a_replacing_engine_behaves_as_the_model_in_every_state() {
    let cases = [(Policy::Lru, 10, 390), (Policy::Lfu, 472, 22_536), (Policy::Lfuda, 1_233, 57_335)];
    for (policy, states, transitions) in cases {
        let scope = Scope { symmetric: true, ..Scope::new(3, 4) };
        let rules = (policy, 3, InsertionMode::Replace);
        assert_eq!(
            explore(scope, rules, Hashing::Default),
            Covered { states, transitions, answered: ANSWERED },
            "{policy:?}"
        );
    }
}

#[test]
#[ignore = "minutes"]
fn the_engine_behaves_as_the_model_in_every_state_of_larger_scopes() {
    let symmetric = |scope| Scope { symmetric: true, max_states: 1_000_000, ..scope };
    let cases = [
        (Policy::Lru, 1, symmetric(Scope::new(10, 11)), Hashing::Default, 66, 4_796),
        (Policy::Lfu, 5, symmetric(Scope::new(5, 6)), Hashing::Default, 715_389, 55_033_069),
        (Policy::Lfuda, 5, symmetric(Scope::new(4, 5)), Hashing::Default, 72_707, 4_842_968),
        (Policy::Lru, 1, Scope::new(4, 5), Hashing::Constant, 93_345, 6_720_840),
        (Policy::Lru, 1, Scope::new(4, 5), Hashing::Identity, 4_785, 344_520),
    ];
    for (policy, max_uses, scope, hashing, states, transitions) in cases {
        let covered = explore(scope, (policy, max_uses, InsertionMode::Refuse), hashing);
        assert_eq!(covered, Covered { states, transitions, answered: ANSWERED }, "{policy:?}, {hashing:?}");
    }
}

#[test]
fn every_state_of_the_index_behaves_as_the_model_under_any_hashes() {
    let cases = [
        (Policy::Lru, 1, Hashing::Constant, Covered { states: 1_336, transitions: 73_480, answered: ANSWERED }),
        (Policy::Lru, 1, Hashing::Identity, Covered { states: 292, transitions: 16_060, answered: ANSWERED }),
        (Policy::Lfu, 2, Hashing::Constant, Covered { states: 18_560, transitions: 1_020_800, answered: ANSWERED }),
        (Policy::Lfu, 2, Hashing::Identity, Covered { states: 3_512, transitions: 193_160, answered: ANSWERED }),
        (Policy::Lfuda, 2, Hashing::Constant, Covered { states: 26_332, transitions: 1_448_260, answered: ANSWERED }),
        (Policy::Lfuda, 2, Hashing::Identity, Covered { states: 5_176, transitions: 284_680, answered: ANSWERED }),
    ];
    for (policy, max_uses, hashing, covered) in cases {
        let rules = (policy, max_uses, InsertionMode::Refuse);
        assert_eq!(explore(Scope::new(3, 4), rules, hashing), covered, "{policy:?}, {hashing:?}");
    }
}

// Proves every rule E: the time is part of the state.
#[test]
fn a_cache_whose_keys_expire_behaves_as_the_model_in_every_state() {
    let expiry: &[(u8, u64)] = &[(0, 1), (1, 2)];
    let every = Scope::new(2, 3);
    // The use counts of the cache never saturate, so its states are infinite: the depth bounds the search.
    let deep = Scope { depth: 8, ..every };
    for (policy, scope, expected) in [
        (Policy::Lru, every, (60, 2_640)),
        (Policy::Lfu, deep, (1_554, 52_008)),
        (Policy::Lfuda, deep, (3_882, 114_972)),
    ] {
        let Scope { max_size, keys, .. } = scope;
        let cache = Cache::with_expiry(policy, 0, expiry);
        let model = |max_size| with_expiry(Model::new(policy, max_size), expiry);
        let covered = exhaustive(scope, model, |max_size| cache.empty(policy, max_size));
        let Covered { states, transitions, answered } = covered.unwrap_or_else(|found| panic!("{found}"));
        let what = format!("cache, {policy:?}, {keys} keys, of which two expire, bounds up to {max_size}");
        report("every state", what, format!("{states} states, {transitions} transitions"));
        assert_eq!((states, transitions), expected, "{policy:?}");
        assert_eq!(answered, OperationKinds::ALL.minus(MISSING), "{policy:?}");
    }
}
