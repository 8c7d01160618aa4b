//! The map gives memory back when entries leave.
//!
//! This is a program with a single test, since the allocator counts for the whole program.

use std::alloc::System;

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::EvictingMap;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Map = EvictingMap<usize, usize>;

const LEFT: usize = 20;

/// Returns a map of `len` entries; with `spread`, no two have the same use count.
fn filled(policy: EvictionPolicy, len: usize, spread: bool) -> Map {
    let mut map = Map::new(policy, usize::MAX);
    for key in 0..len {
        map.insert(key, key).unwrap();
    }
    for key in (0..len).filter(|_| spread) {
        (0..key).for_each(|_| assert!(map.get(&key).is_some()));
    }
    map
}

/// Returns the bytes that a map holds when full, and the bytes that it holds after `shrink`.
fn held(make: impl Fn() -> Map, shrink: impl Fn(&mut Map)) -> (usize, usize) {
    let region = Region::new(ALLOCATOR);
    let bytes = || region.change().bytes_allocated - region.change().bytes_deallocated;
    let mut map = make();
    let full = bytes();
    shrink(&mut map);
    let left = bytes();
    assert_eq!(map.len(), LEFT);
    (full, left)
}

// Proves D1.
#[test]
fn few_entries_that_are_left_of_many_hold_little_memory() {
    // D1
    type Shrink = fn(&mut Map);
    let at_once: [(&str, Shrink); 2] =
        [("set_max_size", |map| drop(map.set_max_size(LEFT))), ("retain", |map| map.retain(|key, _| *key < LEFT))];
    let by_one: [(&str, Shrink); 2] = [
        ("pop", |map| {
            while map.len() > LEFT {
                map.pop();
            }
        }),
        ("remove", |map| (LEFT..3_000).for_each(|key| assert!(map.remove(&key).is_some()))),
    ];
    for policy in EvictionPolicy::ALL.iter().copied() {
        for (name, shrink) in at_once.into_iter().chain(by_one) {
            let (full, left) = held(|| filled(policy, 3_000, false), shrink);
            assert!(6 * left < full, "{policy} {name}: {left} bytes of {full}");
        }
        for (name, shrink) in at_once {
            let (full, left) = held(|| filled(policy, 400, true), shrink);
            assert!(6 * left < full, "{policy} {name}, use counts that differ: {left} bytes of {full}");
        }
    }
}
