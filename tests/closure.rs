//! Every state of small scopes: the engine beside the model, in every joint state that any sequence of operations leads to.
//!
//! The numbers are exact, so that a search that has lost a part of its scope fails.

mod support;

use aws_client_cache::map::EvictingMap;
use aws_client_cache_spec::{Covered, EvictionPolicy, Scope, closure};
use support::engine::{Engine, policy};
use support::hashing::Hashing;

fn explore(scope: Scope, hashing: Hashing) -> Covered {
    let covered = closure(scope, |spec_policy, max_size, max_uses| {
        Engine(EvictingMap::with_max_uses(policy(spec_policy), max_size, hashing, max_uses))
    });
    covered.unwrap_or_else(|found| panic!("{found}"))
}

#[test]
fn lru_behaves_as_the_model_in_every_state() {
    let scope = Scope { policy: EvictionPolicy::Lru, max_size: 6, keys: 7, max_uses: 1, symmetric: true };
    assert_eq!(explore(scope, Hashing::Default), Covered { states: 1_079, transitions: 52_700 });
}

#[test]
fn lfu_behaves_as_the_model_in_every_state() {
    let scope = Scope { policy: EvictionPolicy::Lfu, max_size: 3, keys: 4, max_uses: 4, symmetric: true };
    assert_eq!(explore(scope, Hashing::Default), Covered { states: 3_346, transitions: 98_614 });
}

#[test]
fn every_state_behaves_as_the_model_with_its_index_whatever_the_hashes() {
    let cases = [
        (EvictionPolicy::Lru, 1, Hashing::Constant, Covered { states: 126, transitions: 3_024 }),
        (EvictionPolicy::Lru, 1, Hashing::Identity, Covered { states: 42, transitions: 1_008 }),
        (EvictionPolicy::Lfu, 2, Hashing::Constant, Covered { states: 939, transitions: 22_536 }),
        (EvictionPolicy::Lfu, 2, Hashing::Identity, Covered { states: 255, transitions: 6_120 }),
    ];
    for (policy, max_uses, hashing, covered) in cases {
        let scope = Scope { policy, max_size: 2, keys: 3, max_uses, symmetric: false };
        assert_eq!(explore(scope, hashing), covered, "{policy:?}, {hashing:?}");
    }
}
