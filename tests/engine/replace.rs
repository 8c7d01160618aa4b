//! `replace`, which stores a value under a present key: rule D13.

use std::sync::Arc;

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::{EvictingMap, Replaced};
use aws_client_cache_spec::check::{Callback, Injected, PanicProbe, inject_panic, step};
use aws_client_cache_spec::{InsertionMode, Model, Policy as SpecPolicy, SystemUnderTest};
use quickcheck::quickcheck;
use support::engine::{Engine, policy};
use support::hashing::Hashing;
use support::history::{History, POLICIES};

type Map = EvictingMap<u8, u64>;

fn after(history: &History) -> Map {
    history.run(Engine::new).0
}

fn fingerprint(map: &Map) -> Vec<u64> {
    map.fingerprint(|key| u64::from(*key), true)
}

quickcheck! {
    // Proves D13: the outcomes and the order match after a history, and therefore the use counts.
    fn a_history_with_replacements_follows_the_rules(history: History, max_uses: u8) -> bool {
        let History { policy, max_size, operations } = history;
        let max_uses = u64::from(max_uses % 6) + 1;
        let map = Engine::with_max_uses(policy, max_size, max_uses).0;
        let mut engine = Engine::<_, _, _, true>(map);
        let mut model = Model::with_max_uses(policy, max_size, max_uses).with_insertion(InsertionMode::Replace);
        operations.iter().all(|operation| step(&mut engine, &mut model, operation).is_ok())
    }

    // Proves D2, D13.
    fn an_absent_key_is_inserted(history: History, key: u8) -> bool {
        let (key, mut map) = (key % 12, after(&history));
        map.remove(&key);
        let mut expected = map.clone();
        let evicted = expected.insert(key, 99).unwrap();
        map.replace(key, 99) == Replaced::Absent { evicted } && fingerprint(&map) == fingerprint(&expected) && map == expected
    }

    // Proves D13: no entry is added or removed, and each keeps its slot.
    fn a_present_key_yields_its_old_value_and_holds_the_new_one(history: History) -> bool {
        let map = after(&history);
        map.iter().all(|(key, old)| {
            let mut replaced = map.clone();
            replaced.replace(*key, 99) == Replaced::Present(*old)
                && replaced.iter().all(|(other, value)| if other == key { *value == 99 } else { map.peek(other) == Some(value) })
                && replaced.len() == map.len()
                && replaced.check() == Ok(())
        })
    }

    // Proves D13: under LRU, a replacement moves its entry as a hit does.
    fn under_lru_a_replacement_moves_the_entry_like_a_hit(history: History) -> bool {
        let map = after(&History { policy: SpecPolicy::Lru, ..history });
        map.keys().all(|key| {
            let (mut replaced, mut hit) = (map.clone(), map.clone());
            hit.get(key);
            replaced.replace(*key, 99);
            fingerprint(&replaced) == fingerprint(&hit)
        })
    }

    // Proves D13: at saturated use counts, a hit changes only the order, and so does a replacement.
    fn a_replacement_of_a_saturated_entry_is_like_a_hit(history: History) -> bool {
        let map = history.run(|policy, max_size| Engine::with_max_uses(policy, max_size, 1)).0;
        map.keys().all(|key| {
            let (mut replaced, mut hit) = (map.clone(), map.clone());
            hit.get(key);
            replaced.replace(*key, 99);
            fingerprint(&replaced) == fingerprint(&hit)
        })
    }
}

// Proves D13: the entry becomes the most recently used one of its count, and the count stays.
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

// Proves D13: the given key is dropped.
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

// Proves P1.
#[test]
fn a_panic_leaves_a_replacement_done_or_not_done() {
    type Panicking = Engine<PanicProbe<u8>, PanicProbe<u64>, Hashing>;
    let shown = |engine: &Panicking| {
        let fingerprint = engine.0.fingerprint(|key| u64::from(*key.get()), false);
        (fingerprint, engine.0.values().map(|value| *value.get()).collect::<Vec<_>>())
    };
    let mut blown = [0; Callback::ALL.len()];
    for spec_policy in POLICIES {
        for (callback, blown) in Callback::ALL.into_iter().zip(&mut blown) {
            // The cases are a bound of 0, a present key, a full map, a map with room, and a map that grows.
            for (max_size, len, key) in [(0, 0, 9), (3, 3, 0), (3, 3, 2), (3, 3, 9), (4, 3, 9), (9, 8, 9)] {
                for calls in 0.. {
                    let alive = PanicProbe::<u8>::alive();
                    let map = EvictingMap::with_hasher(policy(spec_policy), max_size, Hashing::Constant);
                    let mut engine: Panicking = Engine(map);
                    for key in 0..len {
                        engine.insert(PanicProbe::new(key), PanicProbe::new(0)).unwrap();
                    }
                    let before = shown(&engine);
                    let after = {
                        let mut done: Panicking = Engine(engine.0.clone());
                        drop(done.0.replace(PanicProbe::new(key), PanicProbe::new(1)));
                        shown(&done)
                    };
                    let (key, value) = (PanicProbe::new(key), PanicProbe::new(1));
                    let burned = inject_panic(callback, calls, || drop(engine.0.replace(key, value)));
                    assert_eq!(engine.check(), Ok(()));
                    let now = shown(&engine);
                    drop(engine);
                    assert_eq!(PanicProbe::<u8>::alive(), alive, "{spec_policy:?} {callback:?} {calls}: a leak");
                    if burned != Injected::Reached {
                        assert_eq!(now, after);
                        break;
                    }
                    // Only drops come after the change.
                    let expected = if callback == Callback::Drop { after } else { before };
                    assert_eq!(now, expected, "{spec_policy:?} {callback:?} {calls}");
                    *blown += 1;
                }
            }
        }
    }
    let [hashed, compared, cloned, dropped] = blown;
    assert!(hashed > 6 * 3 && compared >= 4 * 3 && dropped >= 8 * 3, "{blown:?} callbacks panicked");
    assert_eq!(cloned, 0, "nothing is cloned");
}
