//! That `check`, on which the other tests rely, refuses what is broken.

use std::hash::{BuildHasherDefault, Hasher};

use super::list::END;
use super::*;

/// A hash with the key in all of its bytes, so that key 9 is not found where one of the keys 0 to 3 was: under random hashes, it
/// sometimes is.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().map(|byte| u64::from(*byte) * 0x0101_0101_0101_0101).sum();
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type Map = EvictingMap<u8, (), BuildHasherDefault<Spread>>;

/// Four entries: under LFU one of three uses, one of two, and two of one.
fn map(policy: EvictionPolicy) -> Map {
    let mut map = Map::with_hasher(policy, 4, BuildHasherDefault::default());
    for key in 0..4 {
        map.insert(key, ()).unwrap();
    }
    for key in [0, 0, 1] {
        map.get(&key);
    }
    map
}

#[test]
fn a_map_that_is_broken_in_any_one_place_is_refused() {
    type Break = fn(&mut Map);
    let breaks: [(&str, Break); 5] = [
        ("more entries than max_size", |map| map.max_size = 3),
        ("a key that hashes otherwise", |map| {
            let victim = map.order.after(END);
            map.table.get_mut(victim).0 = 9;
        }),
        ("an entry that is gone", |map| {
            let victim = map.order.after(END);
            map.table.remove(victim);
        }),
        ("an order that knows no entry", |map| drop(map.order.take())),
        ("an order that lacks an entry", |map| assert!(map.order.pop().is_some())),
    ];
    for policy in [EvictionPolicy::Lru, EvictionPolicy::Lfu] {
        assert_eq!(map(policy).check(), Ok(()));
        for (what, apply) in breaks {
            let mut map = map(policy);
            apply(&mut map);
            assert!(map.check().is_err(), "{policy}: {what}");
        }
    }
}
