//! `replace`, which stores a value under a present key: rule D13.

use std::sync::Arc;

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::{EvictingMap, GetOrInsert, Replaced};
use aws_client_cache_spec::{Burned, Callback, Fused, Subject, with_fuse};
use quickcheck::quickcheck;
use support::engine::{Engine, policy};
use support::hashing::Hashing;
use support::history::{History, POLICIES};

type Map = EvictingMap<u8, u64>;

fn after(history: &History) -> Map {
    history.run(Engine::new).0
}

fn layout(map: &Map) -> Vec<u64> {
    map.layout(|key| u64::from(*key), true)
}

quickcheck! {
    /// D13, D2
    fn an_absent_key_is_inserted(history: History, key: u8) -> bool {
        let (key, mut map) = (key % 12, after(&history));
        if map.contains_key(&key) {
            return true;
        }
        let mut expected = map.clone();
        let evicted = expected.insert(key, 99).unwrap();
        map.replace(key, 99) == Replaced::Absent { evicted } && layout(&map) == layout(&expected) && map == expected
    }

    /// D13
    fn a_present_key_yields_its_old_value_and_holds_the_new_one(history: History, key: u8) -> bool {
        let (key, mut map) = (key % 12, after(&history));
        let Some(old) = map.peek(&key).copied() else { return true };
        let len = map.len();
        map.replace(key, 99) == Replaced::Present(old)
            && map.peek(&key) == Some(&99)
            && map.len() == len
            && map.check() == Ok(())
    }

    /// D13: under LRU, a replacement moves its entry as a hit does.
    fn under_lru_a_replacement_moves_the_entry_like_a_hit(history: History, key: u8) -> bool {
        let history = History { policy: aws_client_cache_spec::EvictionPolicy::Lru, ..history };
        let (key, mut map) = (key % 12, after(&history));
        if !map.contains_key(&key) {
            return true;
        }
        let mut expected = map.clone();
        expected.get(&key);
        map.replace(key, 99);
        layout(&map) == layout(&expected)
    }
}

/// D13: the entry becomes the most recently used one of its count, and the count stays.
#[test]
fn a_replacement_counts_no_use_but_is_the_latest_of_its_count() {
    for policy in [EvictionPolicy::Lfu, EvictionPolicy::Lfuda] {
        let mut map = Map::new(policy, 4);
        for key in 0..4 {
            map.insert(key, 0).unwrap();
        }
        map.get(&3);
        for _ in 0..5 {
            map.replace(0, 1);
        }
        assert!(map.keys().eq(&[1, 2, 0, 3]), "{policy}: 0 has one use, and was used last of these");
        map.get(&0);
        assert!(map.keys().eq(&[1, 2, 3, 0]), "{policy}: 0 has two uses");
        assert_eq!(map.check(), Ok(()));
    }
}

/// D13: the given key is dropped.
#[test]
fn the_stored_key_stays() {
    let mut map = EvictingMap::new(EvictionPolicy::Lru, 2);
    let (stored, given): (Arc<str>, Arc<str>) = ("key".into(), "key".into());
    map.replace(Arc::clone(&stored), 1);
    map.replace(Arc::clone(&given), 2);
    let (key, _) = map.iter().next().unwrap();
    assert!(Arc::ptr_eq(key, &stored));
    assert_eq!(Arc::strong_count(&given), 1);
}

/// Keys of any type are taken by value, without a copy.
#[test]
fn keys_are_taken_by_value() {
    let mut map: EvictingMap<Arc<str>, u64> = EvictingMap::default();
    let key: Arc<str> = "key".into();
    assert!(matches!(
        map.get_or_insert_with(Arc::clone(&key), || 1),
        GetOrInsert::Inserted { value: 1, evicted: None }
    ));
    assert!(matches!(map.get_or_insert_with(Arc::clone(&key), || 2), GetOrInsert::Present(1)));
    assert_eq!(Arc::strong_count(&key), 2, "the key of a hit is dropped");
    assert_eq!(map.get_or_insert_with(key, || 3).into_mut(), Some(&mut 1));
    let mut nothing: EvictingMap<&str, u64> = EvictingMap::new(EvictionPolicy::Lru, 0);
    assert_eq!(nothing.get_or_insert_with("key", || 1).into_ref(), None);
    assert_eq!(nothing.get_or_insert_with("key", || 1).value(), &1);
}

/// P1
#[test]
fn whatever_callback_panics_a_replacement_is_done_or_not_done() {
    let mut blown = 0;
    for spec_policy in POLICIES {
        for callback in Callback::ALL {
            for (max_size, key) in [(0, 9), (3, 0), (3, 2), (3, 9), (4, 9)] {
                for calls in 0.. {
                    let map = EvictingMap::with_hasher(policy(spec_policy), max_size, Hashing::Constant);
                    let mut engine = Engine::<Fused<u8>, Fused<u64>, Hashing>(map);
                    for key in 0..3 {
                        let _ = engine.insert(Fused::new(key), Fused::new(0));
                    }
                    let shown = |engine: &Engine<Fused<u8>, Fused<u64>, Hashing>| {
                        let keys = engine.0.layout(|key| u64::from(*key.get()), false);
                        (keys, engine.0.values().map(|value| *value.get()).collect::<Vec<_>>())
                    };
                    let before = shown(&engine);
                    let after = {
                        let mut done = Engine(engine.0.clone());
                        drop(done.0.replace(Fused::new(key), Fused::new(1)));
                        shown(&done)
                    };
                    let alive = Fused::<u8>::alive();
                    let given = (Fused::new(key), Fused::new(1));
                    let burned = with_fuse(callback, calls, || drop(engine.0.replace(given.0, given.1)));
                    assert_eq!(engine.check(), Ok(()));
                    let now = shown(&engine);
                    if burned != Burned::Blown {
                        assert_eq!(now, after);
                        break;
                    }
                    assert!(now == before || now == after, "{spec_policy:?} {callback:?} {calls}: {now:?}");
                    drop(engine);
                    assert!(Fused::<u8>::alive() <= alive, "{spec_policy:?} {callback:?} {calls}: a leak");
                    blown += 1;
                }
            }
        }
    }
    assert!(blown >= 40, "{blown} callbacks panicked");
}
