//! Mutable access to values: `get_mut`, `peek_mut`, `iter_mut`, `values_mut` and `retain`.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::EvictingMap;
use aws_client_cache_spec::check::{Callback, Injected, PanicProbe, inject_panic};
use quickcheck::quickcheck;
use support::double_ended;
use support::engine::{Engine, policy};
use support::hashing::Hashing;
use support::history::{History, POLICIES};

type Map = EvictingMap<u8, u64>;

fn after(history: &History) -> Map {
    history.run(Engine::new).0
}

/// Returns the state as numbers, including use counts and slots.
fn fingerprint(map: &Map) -> Vec<u64> {
    map.fingerprint(|key| u64::from(*key), true)
}

quickcheck! {
    // Proves D4.
    fn get_mut_is_a_hit_whose_value_can_be_changed(history: History, key: u8) -> bool {
        let (key, mut map) = (key % 12, after(&history));
        let mut expected = map.clone();
        let changed = map.get_mut(&key).map(|value| std::mem::replace(value, 99));
        changed == expected.get(&key).copied()
            && fingerprint(&map) == fingerprint(&expected)
            && map.peek(&key) == changed.map(|_| &99)
            && map.check() == Ok(())
    }

    // Proves D5.
    fn peek_mut_changes_a_value_and_counts_no_use(history: History, key: u8) -> bool {
        let (key, mut map) = (key % 12, after(&history));
        let before = map.clone();
        let changed = map.peek_mut(&key).map(|value| std::mem::replace(value, 99));
        changed == before.peek(&key).copied()
            && fingerprint(&map) == fingerprint(&before)
            && map.peek(&key) == changed.map(|_| &99)
    }

    // Proves D5, D7.
    fn iter_mut_yields_each_entry_once_in_order_from_both_ends(history: History, ends: Vec<bool>) -> bool {
        let mut map = after(&history);
        let expected: Vec<_> = map.iter().map(|(key, value)| (*key, *value)).collect();
        let before = fingerprint(&map);
        let mut iter = map.iter_mut().map(|(key, value)| (*key, *value));
        double_ended::yields(&mut iter, expected, ends) && fingerprint(&map) == before
    }

    // Proves D5, D7.
    fn iter_mut_changes_the_value_of_each_key(history: History, ends: Vec<bool>) -> bool {
        let mut map = after(&history);
        let before = map.clone();
        let changed = |key: u8, value: u64| value + 1_000 * (1 + u64::from(key));
        let (mut iter, mut ends) = ((&mut map).into_iter(), ends.into_iter());
        while let Some((key, value)) = if ends.next().unwrap_or_default() { iter.next_back() } else { iter.next() } {
            *value = changed(*key, *value);
        }
        map.iter().map(|(key, value)| (*key, *value)).eq(before.iter().map(|(key, value)| (*key, changed(*key, *value))))
            && before.keys().all(|key| map.peek(key).copied() == before.peek(key).map(|value| changed(*key, *value)))
    }

    // Proves D5, D7.
    fn a_change_through_values_mut_is_at_its_position(history: History, ends: Vec<bool>) -> bool {
        let mut map = after(&history);
        let before: Vec<_> = map.values().copied().collect();
        let mut ends = ends.into_iter();
        let mut values = map.values_mut();
        while let Some(value) = if ends.next().unwrap_or_default() { values.next_back() } else { values.next() } {
            *value += 1_000;
        }
        map.values().copied().eq(before.into_iter().map(|value| value + 1_000))
    }

    // Proves D5, D7.
    fn values_mut_yields_the_values_of_iter_mut(history: History, ends: Vec<bool>) -> bool {
        let mut map = after(&history);
        let expected: Vec<_> = map.values().copied().collect();
        let before = fingerprint(&map);
        double_ended::yields(&mut map.values_mut().map(|value| *value), expected, ends) && fingerprint(&map) == before
    }

    // Proves D7.
    fn iter_mut_prints_its_remaining_entries(history: History, front: usize, back: usize) -> bool {
        let mut map = after(&history);
        let expected: Vec<_> = map.iter().map(|(key, value)| (*key, *value)).collect();
        let front = front % (expected.len() + 1);
        let back = back % (expected.len() - front + 1);
        let left = &expected[front..expected.len() - back];
        let mut iter = map.iter_mut();
        iter.by_ref().take(front).for_each(drop);
        iter.by_ref().rev().take(back).for_each(drop);
        let entries = format!("{iter:?}") == format!("{left:?}") && iter.len() == left.len();
        let mut iter = map.values_mut();
        iter.by_ref().take(front).for_each(drop);
        iter.by_ref().rev().take(back).for_each(drop);
        let left: Vec<_> = left.iter().map(|(_, value)| value).collect();
        entries && format!("{iter:?}") == format!("{left:?}") && iter.len() == left.len()
    }

    // Proves D12: the other entries keep their use counts, too.
    fn retain_may_change_the_values_that_stay(history: History) -> bool {
        let mut map = after(&history);
        let mut expected = map.clone();
        for key in map.keys().filter(|key| **key % 2 == 1) {
            expected.remove(key);
        }
        expected.values_mut().for_each(|value| *value += 7);
        map.retain(|key, value| {
            *value += 7;
            *key % 2 == 0
        });
        map == expected && fingerprint(&map) == fingerprint(&expected) && map.check() == Ok(())
    }

    // Proves D12, P1: if the predicate panics, every entry stays, with the changes made before the panic.
    fn retain_removes_nothing_if_the_predicate_panics(history: History, calls: usize) -> bool {
        let mut map = after(&history);
        let before = map.clone();
        let calls = calls % (map.len() + 1);
        let mut asked = 0;
        let panicked = catch_unwind(AssertUnwindSafe(|| map.retain(|_, value| {
            if asked == calls {
                resume_unwind(Box::new("no message is printed"));
            }
            (*value, asked) = (*value + 7, asked + 1);
            false
        })));
        if panicked.is_ok() {
            return calls == before.len() && map.is_empty();
        }
        let expected = before.iter().zip(0..).map(|((key, value), number)| (*key, if number < calls { *value + 7 } else { *value }));
        map.iter().map(|(key, value)| (*key, *value)).eq(expected) && fingerprint(&map) == fingerprint(&before) && map.check() == Ok(())
    }

    // Proves D8: the copy has the same slots, buckets and room, so that it costs and behaves the same.
    fn a_copy_has_the_same_fingerprint(history: History, more: History) -> bool {
        let mut engine = history.run(Engine::new);
        let mut copy = Engine::<_, _>(engine.0.clone());
        fingerprint(&copy.0) == fingerprint(&engine.0)
            && copy.0 == engine.0
            && more.operations.iter().all(|operation| {
                operation.apply(&mut copy) == operation.apply(&mut engine) && fingerprint(&copy.0) == fingerprint(&engine.0)
            })
    }

    fn maps_are_equal_if_they_show_the_same_entries_in_the_same_order(one: History, other: History) -> bool {
        let (one, other) = (after(&one), after(&other));
        (one == other) == one.iter().eq(&other)
    }
}

#[test]
fn a_map_with_another_order_or_value_differs() {
    let map = |entries: &[(u8, u64)]| {
        let mut map = Map::default();
        for (key, value) in entries {
            map.insert(*key, *value).unwrap();
        }
        map
    };
    assert_eq!(map(&[(1, 1), (2, 2)]), map(&[(1, 1), (2, 2)]));
    assert_ne!(map(&[(1, 1), (2, 2)]), map(&[(2, 2), (1, 1)]));
    assert_ne!(map(&[(1, 1)]), map(&[(1, 2)]));
    assert_ne!(map(&[(1, 1)]), map(&[]));
}

// Proves D8: the index has tombstones, and its size differs from the bound.
#[test]
fn a_copy_of_a_large_map_has_the_same_fingerprint() {
    for policy in POLICIES {
        let mut map = Engine::new(policy, 1_500).0;
        let name = |key: &u16| u64::from(*key);
        for key in 0..4_000 {
            map.insert(key, ()).unwrap();
            if key % 3 == 0 {
                map.remove(&(key / 2));
            }
        }
        let mut copy = map.clone();
        for key in 4_000..9_000 {
            assert_eq!(copy.fingerprint(name, true), map.fingerprint(name, true), "{policy:?} {key}");
            assert_eq!(copy.insert(key, ()), map.insert(key, ()));
            // At the end, enough entries are removed that the map releases memory.
            for _ in 4_900..key.min(4_903) {
                assert_eq!(copy.pop(), map.pop());
            }
            if map.is_empty() {
                break;
            }
        }
        assert!(map.is_empty());
    }
}

// Proves P1: a lookup only hashes and compares before its first change, so that a panic changes nothing.
#[test]
fn a_key_that_panics_in_a_lookup_changes_nothing() {
    type Panicking = EvictingMap<PanicProbe<u8>, u64, Hashing>;
    type Look = fn(&mut Panicking, &PanicProbe<u8>) -> bool;
    let looks: [Look; 2] = [|map, key| map.get_mut(key).is_some(), |map, key| map.peek_mut(key).is_some()];
    let fingerprint = |map: &Panicking| map.fingerprint(|key| u64::from(*key.get()), true);
    let mut blown = [0; Callback::ALL.len()];
    for (spec_policy, look) in POLICIES.into_iter().flat_map(|policy| looks.map(|look| (policy, look))) {
        let mut map = EvictingMap::with_hasher(policy(spec_policy), 4, Hashing::Constant);
        for key in 0..4 {
            map.insert(PanicProbe::new(key), 0).unwrap();
        }
        for key in (0..=4).map(PanicProbe::new) {
            for (callback, blown) in Callback::ALL.into_iter().zip(&mut blown) {
                for calls in 0.. {
                    let before = fingerprint(&map);
                    let burned = inject_panic(callback, calls, || look(&mut map, &key));
                    assert_eq!(map.check(), Ok(()));
                    if burned != Injected::Reached {
                        assert_eq!(burned, Injected::NotReached(*key.get() < 4));
                        break;
                    }
                    assert_eq!(fingerprint(&map), before);
                    *blown += 1;
                }
            }
        }
    }
    // Each of the five keys is compared until it is found, under three policies and in two ways.
    assert_eq!(blown, [5 * 6, (1 + 2 + 3 + 4 + 4) * 6, 0, 0]);
}

// Proves D1.
#[test]
fn the_default_map_is_lru_and_holds_ten_entries() {
    let map = Map::default();
    assert_eq!((map.policy(), map.max_size(), map.len()), (EvictionPolicy::Lru, 10, 0));
    let map: EvictingMap<u8, u64, std::hash::RandomState> = EvictingMap::default();
    assert_eq!((map.policy(), map.max_size(), map.len()), (EvictionPolicy::Lru, 10, 0));
}

#[test]
fn all_policies_are_listed_once() {
    assert_eq!(EvictionPolicy::ALL, POLICIES.map(policy));
    for policy in EvictionPolicy::ALL {
        assert_eq!(policy.to_string().parse(), Ok(*policy));
        assert_eq!(Map::new(*policy, 3).policy(), *policy);
    }
}
