//! That `check`, on which the other tests rely, refuses what is broken.

use super::list::END;
use super::*;

/// Four entries: under LFU one of three uses, one of two, and two of one.
fn map(policy: EvictionPolicy) -> EvictingMap<u8, ()> {
    let mut map = EvictingMap::new(policy, 4);
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
    type Break = fn(&mut EvictingMap<u8, ()>);
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
