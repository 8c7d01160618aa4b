//! One look-up for a hit or an insertion: the same as a look-up, and then an insertion if that misses.

use std::cell::Cell;

use aws_client_cache::map::{EvictingMap, GetOrInsert};
use aws_client_cache_spec::{Burned, Callback, Explore, Fused, Subject, with_fuse};
use quickcheck::quickcheck;
use support::engine::{Engine, policy};
use support::hashing::Hashing;
use support::history::{History, POLICIES};

type Map = EvictingMap<u8, u64>;

fn after(history: &History) -> Map {
    history.run(Engine::new).0
}

/// All that a map is, use counts included.
fn layout(map: &Map) -> Vec<u64> {
    map.layout(|key| u64::from(*key), true)
}

/// What was found, with owned values.
fn owned<K: Clone, V: Clone>(found: GetOrInsert<'_, K, V>) -> (&'static str, V, Option<(K, V)>) {
    match found {
        GetOrInsert::Present(value) => ("present", value.clone(), None),
        GetOrInsert::Inserted { value, evicted } => ("inserted", value.clone(), evicted),
        GetOrInsert::NotStored { key, value } => ("not stored", value.clone(), Some((key, value))),
    }
}

/// The same in two steps.
fn in_two_steps(map: &mut Map, key: u8, value: u64) -> (&'static str, u64, Option<(u8, u64)>) {
    if let Some(value) = map.get(&key) {
        return ("present", *value, None);
    }
    let evicted = map.insert(key, value).expect("it is absent");
    (if map.max_size() == 0 { "not stored" } else { "inserted" }, value, evicted)
}

quickcheck! {
    /// D2, D4
    fn it_is_a_hit_or_else_an_insertion(history: History, key: u8) -> bool {
        let (key, mut map) = (key % 12, after(&history));
        let mut other = map.clone();
        let expected = in_two_steps(&mut other, key, 99);
        let found = map.get_or_insert_with_ref(&key, || 99);
        *found.value() == expected.1 && owned(found) == expected && layout(&map) == layout(&other) && map.check().is_ok()
    }

    /// D4
    fn a_value_is_made_for_an_absent_key_only(history: History, key: u8) -> bool {
        let (key, mut map) = (key % 12, after(&history));
        let (was_there, made) = (map.contains_key(&key), Cell::new(false));
        let _ = map.get_or_insert_with_ref(&key, || {
            made.set(true);
            99
        });
        made.get() != was_there
    }

    /// P1
    fn what_fails_changes_nothing(history: History, key: u8) -> bool {
        let (key, mut map) = (key % 12, after(&history));
        let (was_there, before) = (map.contains_key(&key), map.clone());
        let failed = map.get_or_try_insert_with_ref(&key, || Err("no")).is_err();
        failed != was_there && (was_there || layout(&map) == layout(&before))
    }
}

#[test]
fn a_key_is_hashed_once() {
    for spec_policy in POLICIES {
        let mut map = EvictingMap::<Fused<u8>, _, _>::with_hasher(policy(spec_policy), 2, Hashing::Constant);
        for key in 0..4 {
            let inserted = with_fuse(Callback::Hash, 1, || {
                let _ = map.get_or_insert_with_ref(&Fused::new(key % 3), || ());
            });
            // A rebuild hashes what is there.
            assert!(key == 0 || inserted == Burned::Intact(()), "{spec_policy:?} {key}");
        }
    }
}

/// P1
#[test]
fn whatever_callback_panics_the_map_is_as_before_the_call_or_as_after_it() {
    let mut blown = 0;
    for spec_policy in POLICIES {
        for (max_size, len) in [(0, 0), (1, 1), (2, 2), (3, 2), (9, 8)] {
            for key in 0..=len {
                for callback in Callback::ALL {
                    for calls in 0.. {
                        let map = EvictingMap::with_hasher(policy(spec_policy), max_size, Hashing::Constant);
                        let mut engine = Engine::<Fused<u8>, Fused<u64>, Hashing>(map);
                        for key in 0..len {
                            engine.insert(Fused::new(key), Fused::new(0)).unwrap();
                        }
                        // But for the room: a rebuild for an insertion that then came to nothing is no change.
                        let layout =
                            |map: &EvictingMap<Fused<u8>, _, _>| map.layout(|key| u64::from(*key.get()), false);
                        let mut done = engine.fork();
                        drop(done.0.get_or_insert_with_ref(&Fused::new(key), || Fused::new(1)));
                        let (before, after) = (layout(&engine.0), layout(&done.0));
                        let key = Fused::new(key);
                        let run = || drop(owned(engine.0.get_or_insert_with_ref(&key, || Fused::new(1))));
                        let burned = with_fuse(callback, calls, run);
                        assert_eq!(engine.check(), Ok(()));
                        let now = layout(&engine.0);
                        if burned != Burned::Blown {
                            assert_eq!(now, after);
                            break;
                        }
                        let is_either = now == before || now == after;
                        assert!(is_either, "{spec_policy:?} {max_size} {callback:?} {calls}");
                        blown += 1;
                    }
                }
            }
        }
    }
    assert!(blown > 250, "{blown}");
}
