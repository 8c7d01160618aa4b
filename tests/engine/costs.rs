//! The countable costs of the engine: computed hashes, and room for entries.

use std::cell::Cell;
use std::hash::BuildHasher;
use std::rc::Rc;

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::EvictingMap;
use support::hashing::{Hashing, TestHasher};

const POLICIES: &[EvictionPolicy] = EvictionPolicy::ALL;

/// Bounds near those at which the index grows or becomes less sparse.
const BOUNDS: [usize; 10] = [1, 2, 7, 8, 9, 30, 600, 1_024, 1_025, 1_300];

/// A `BuildHasher` that counts the computed hashes.
#[derive(Clone)]
struct Counting {
    hashing: Hashing,
    hashed: Rc<Cell<usize>>,
}

impl BuildHasher for Counting {
    type Hasher = TestHasher;

    fn build_hasher(&self) -> TestHasher {
        self.hashed.set(self.hashed.get() + 1);
        self.hashing.build_hasher()
    }
}

type Map = EvictingMap<usize, (), Counting>;

fn map(policy: EvictionPolicy, max_size: usize) -> Map {
    // Sequential keys with an identity hash leave the most tombstones.
    EvictingMap::with_hasher(policy, max_size, Counting { hashing: Hashing::Identity, hashed: Rc::default() })
}

/// Returns the number of hashes that a call computes.
fn hashed(map: &mut Map, call: impl FnOnce(&mut Map)) -> usize {
    let counter = Rc::clone(&map.hasher().hashed);
    let before = counter.get();
    call(map);
    counter.get() - before
}

/// Returns the room for entries, and the number of buckets.
fn room(map: &Map) -> (usize, usize) {
    let [entries, buckets, _] = map.room();
    (entries, buckets)
}

#[test]
fn a_lookup_hashes_once_and_an_eviction_never() {
    for policy in POLICIES.iter().copied() {
        let mut map = map(policy, 10);
        assert_eq!(hashed(&mut map, |map| assert!(map.get(&0).is_none())), 0, "there is nothing to find");
        for key in 0..10 {
            map.insert(key, ()).unwrap();
        }
        assert_eq!(hashed(&mut map, |map| assert!(map.get(&0).is_some())), 1);
        assert_eq!(hashed(&mut map, |map| assert!(map.peek(&0).is_some())), 1);
        assert_eq!(hashed(&mut map, |map| assert!(map.contains_key(&0))), 1);
        assert_eq!(hashed(&mut map, |map| assert!(map.insert(0, ()).is_err())), 1);
        assert_eq!(hashed(&mut map, |map| assert!(map.insert(10, ()).unwrap().is_some())), 1);
        assert_eq!(hashed(&mut map, |map| assert!(map.remove(&10).is_some())), 1);
        assert_eq!(hashed(&mut map, |map| assert!(map.pop().is_some())), 0);
        assert_eq!(hashed(&mut map, |map| assert_eq!(map.set_max_size(4).len(), 4)), 0);
        assert_eq!(hashed(&mut map, |map| assert_eq!(map.iter().count(), 4)), 0);
        assert_eq!(hashed(&mut map, |map| assert_eq!(map.clone().len(), 4)), 0);
        assert_eq!(hashed(&mut map, EvictingMap::clear), 0);
    }
}

#[test]
fn a_map_that_grows_hashes_each_key_three_times_at_most() {
    for policy in POLICIES.iter().copied() {
        let mut map = map(policy, usize::MAX);
        let mut sum = 0;
        for key in 0..5_000 {
            sum += hashed(&mut map, |map| assert_eq!(map.insert(key, ()), Ok(None)));
            assert!(sum <= 3 * map.len(), "{sum} hashes for {} entries", map.len());
        }
    }
}

#[test]
fn insertions_into_a_full_map_seldom_rehash_the_other_keys() {
    for policy in POLICIES.iter().copied() {
        for max_size in BOUNDS {
            let mut map = map(policy, max_size);
            for key in 0..max_size {
                map.insert(key, ()).unwrap();
            }
            let newcomers = 20 * max_size + 100;
            let sum = hashed(&mut map, |map| {
                for key in max_size..max_size + newcomers {
                    assert!(map.insert(key, ()).unwrap().is_some());
                }
            });
            // At worst, each insertion leaves a tombstone. The index is rebuilt when seven of eight buckets are taken.
            let full_of_40 = if max_size <= 1_024 { 5 } else { 22 };
            let most = newcomers * full_of_40 / (35 - full_of_40) + max_size;
            assert!(sum <= newcomers + most, "{policy} {max_size}: {sum} hashes for {newcomers} newcomers");
        }
    }
}

// Proves D1: the map allocates nothing in advance, and nothing beyond its bound.
#[test]
fn a_map_has_room_for_at_most_twice_its_entries_and_max_size() {
    for policy in POLICIES.iter().copied() {
        for max_size in BOUNDS.into_iter().chain([usize::MAX]) {
            let mut map = map(policy, max_size);
            let unused = room(&map);
            assert_eq!(unused.0, 0);
            for key in 0..3_000 {
                map.insert(key, ()).unwrap();
                let (entries, buckets) = room(&map);
                assert!(entries <= max_size.min((2 * map.len()).max(8)), "{policy} {max_size}: {entries}");
                // A sparse index has 8 to 16 buckets for each entry, a dense one 1.8 to 3.7.
                let of_hundred = if entries <= 1_024 { 800..=1_600 } else { 182..=366 };
                let buckets_of_hundred = 100 * buckets / entries.max(1);
                assert!(of_hundred.contains(&buckets_of_hundred), "{policy} {max_size}: {buckets} for {entries}");
            }
            map.clear();
            assert_eq!(room(&map), unused);
        }
    }
}

// Proves D1.
#[test]
fn a_map_that_shrinks_releases_memory() {
    const LEFT: usize = 20;
    type Shrink = fn(&mut Map);
    let ways: [(&str, Shrink, usize); 4] = [
        ("set_max_size", |map| assert_eq!(map.set_max_size(LEFT).len(), 2_980), 2 * LEFT),
        ("retain", |map| map.retain(|key, ()| *key < LEFT), 2 * LEFT),
        ("pop", |map| (LEFT..3_000).for_each(|_| assert!(map.pop().is_some())), 8 * (LEFT + 1)),
        ("remove", |map| (LEFT..3_000).for_each(|key| assert!(map.remove(&key).is_some())), 8 * (LEFT + 1)),
    ];
    for policy in POLICIES.iter().copied() {
        for (name, shrink, most) in ways {
            let mut map = map(policy, 3_000);
            for key in 0..3_000 {
                map.insert(key, ()).unwrap();
            }
            let hashes = hashed(&mut map, shrink);
            assert_eq!(map.len(), LEFT);
            assert_eq!(map.check(), Ok(()), "{policy} {name}");
            let (entries, _) = room(&map);
            assert!(entries <= most, "{policy} {name}: room for {entries}");
            assert!(hashes <= 2_980 + 3_000 / 4, "{policy} {name}: {hashes} hashes");
            assert!(map.set_max_size(0).len() <= LEFT);
            assert_eq!(map.len(), 0);
        }
        let mut map = map(policy, 3_000);
        for key in 0..3_000 {
            map.insert(key, ()).unwrap();
        }
        map.set_max_size(0);
        assert_eq!(room(&map).0, 0, "{policy}: nothing is left");
    }
}
