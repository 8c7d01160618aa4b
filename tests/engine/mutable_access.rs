//! Mutable access to values: `get_mut`, `peek_mut`, `iter_mut`, `values_mut` and `retain`.

use aws_client_cache::map::EvictingMap;
use quickcheck::quickcheck;
use support::ends;
use support::engine::Engine;
use support::history::History;

type Map = EvictingMap<u8, u64>;

fn after(history: &History) -> Map {
    history.run(Engine::new).0
}

/// Returns the state in numbers, use counts and slots included.
fn layout(map: &Map) -> Vec<u64> {
    map.layout(|key| u64::from(*key), true)
}

quickcheck! {
    /// D4
    fn get_mut_is_a_hit_whose_value_can_be_changed(history: History, key: u8) -> bool {
        let (key, mut map) = (key % 12, after(&history));
        let mut expected = map.clone();
        let changed = map.get_mut(&key).map(|value| std::mem::replace(value, 99));
        changed == expected.get(&key).copied()
            && layout(&map) == layout(&expected)
            && map.peek(&key) == changed.map(|_| &99)
            && map.check() == Ok(())
    }

    /// D5
    fn peek_mut_changes_a_value_and_counts_no_use(history: History, key: u8) -> bool {
        let (key, mut map) = (key % 12, after(&history));
        let before = map.clone();
        let changed = map.peek_mut(&key).map(|value| std::mem::replace(value, 99));
        changed == before.peek(&key).copied()
            && layout(&map) == layout(&before)
            && map.peek(&key) == changed.map(|_| &99)
    }

    /// D5, D7
    fn iter_mut_yields_each_entry_once_in_order_from_both_ends(history: History, ends: Vec<bool>) -> bool {
        let mut map = after(&history);
        let expected: Vec<_> = map.iter().map(|(key, value)| (*key, *value)).collect();
        let before = layout(&map);
        let mut iter = map.iter_mut().map(|(key, value)| (*key, *value));
        ends::yields(&mut iter, expected, ends) && layout(&map) == before
    }

    /// D5, D7
    fn what_iter_mut_changes_is_what_its_key_holds(history: History) -> bool {
        let mut map = after(&history);
        let before: Vec<_> = map.iter().map(|(key, value)| (*key, *value)).collect();
        for (key, value) in &mut map {
            *value += 1_000 * u64::from(*key);
        }
        map.iter().map(|(key, value)| (*key, *value)).eq(before.into_iter().map(|(key, value)| (key, value + 1_000 * u64::from(key))))
    }

    /// D5, D7
    fn values_mut_yields_the_values_of_iter_mut(history: History, ends: Vec<bool>) -> bool {
        let mut map = after(&history);
        let expected: Vec<_> = map.values().copied().collect();
        let before = layout(&map);
        ends::yields(&mut map.values_mut().map(|value| *value), expected, ends) && layout(&map) == before
    }

    fn what_is_left_of_iter_mut_is_printed(history: History, skipped: usize) -> bool {
        let mut map = after(&history);
        let expected: Vec<_> = map.iter().map(|(key, value)| (*key, *value)).collect();
        let skipped = skipped % (expected.len() + 1);
        let mut iter = map.iter_mut();
        iter.by_ref().take(skipped).for_each(drop);
        let shown = format!("{iter:?}") == format!("{:?}", &expected[skipped..]) && iter.len() == expected.len() - skipped;
        let mut values = map.values_mut();
        values.by_ref().take(skipped).for_each(drop);
        let left: Vec<_> = expected[skipped..].iter().map(|(_, value)| value).collect();
        shown && format!("{values:?}") == format!("{left:?}")
    }

    /// D12
    fn retain_may_change_the_values_that_stay(history: History) -> bool {
        let mut map = after(&history);
        let expected: Vec<_> = map.iter().filter(|(key, _)| **key % 2 == 0).map(|(key, value)| (*key, *value + 7)).collect();
        map.retain(|key, value| {
            *value += 7;
            *key % 2 == 0
        });
        map.iter().map(|(key, value)| (*key, *value)).eq(expected) && map.check() == Ok(())
    }

    /// D8: down to slots, buckets and room, so that a copy costs and behaves the same.
    fn a_copy_has_the_same_layout(history: History) -> bool {
        let map = after(&history);
        layout(&map.clone()) == layout(&map) && map.clone() == map
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

/// D1
#[test]
fn the_default_map_is_lru_and_holds_ten_entries() {
    let map = Map::default();
    assert_eq!((map.policy(), map.max_size(), map.len()), (aws_client_cache::EvictionPolicy::Lru, 10, 0));
}
