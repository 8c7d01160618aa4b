//! `check`, on which other tests rely, refuses a broken map.

use std::hash::{BuildHasherDefault, Hasher};

use super::eviction::Eviction as _;
use super::*;

/// Repeats the key in every byte of its hash.
///
/// Key 9 is then not found by the hash of a key from 0 to 3. Under random hashes, it would be found now and then.
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

/// Returns a map of four entries: by use count one of three, one of two, and two of one.
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
fn a_map_that_is_broken_in_any_one_part_is_refused() {
    type Break = fn(&mut Map);
    let breaks: [(&str, Break); 7] = [
        ("more entries than max_size", |map| map.max_size = 3),
        ("a key with another hash", |map| *map.slab.key_mut(1) = 9),
        ("an entry that the slab lacks", |map| assert_eq!(map.slab.swap_remove(4), (3, ()))),
        ("an entry that the index lacks", |map| map.index.remove(map.slab.bucket(4))),
        ("a bucket with the number of another slot", |map| map.index.renumber(map.slab.bucket(1), 2)),
        ("a slot with the bucket of another", |map| map.slab.set_bucket(1, map.slab.bucket(2))),
        ("an entry that the order lacks", |map| assert_eq!(map.eviction.remove(4), 4)),
    ];
    for policy in EvictionPolicy::ALL {
        assert_eq!(map(*policy).check(), Ok(()));
        for (fault, apply) in breaks {
            let mut map = map(*policy);
            apply(&mut map);
            assert!(map.check().is_err(), "{policy}: {fault}");
        }
    }
}
