//! One look-up for a hit or an insertion: the same as a look-up, and then an insertion if that misses.

use std::borrow::Cow;
use std::cell::Cell;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::{EvictingMap, GetOrInsert};
use aws_client_cache_spec::check::{Callback, Injected, PanicProbe, inject_panic};
use aws_client_cache_spec::{Explore, Policy as SpecPolicy, SystemUnderTest};
use quickcheck::quickcheck;
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

/// Returns the outcome with owned values.
fn owned<K: Clone, V: Clone>(found: GetOrInsert<'_, K, V>) -> (&'static str, V, Option<(K, V)>) {
    match found {
        GetOrInsert::Present(value) => ("present", value.clone(), None),
        GetOrInsert::Inserted { value, evicted } => ("inserted", value.clone(), evicted),
        GetOrInsert::NotStored { key, value } => ("not stored", value.clone(), Some((key, value))),
    }
}

/// Does the same in two steps.
fn in_two_steps(map: &mut Map, key: u8, value: u64) -> (&'static str, u64, Option<(u8, u64)>) {
    if let Some(value) = map.get(&key) {
        return ("present", *value, None);
    }
    let evicted = map.insert(key, value).expect("it is absent");
    (if map.max_size() == 0 { "not stored" } else { "inserted" }, value, evicted)
}

/// Calls the variant for an owned key, or the one for a borrowed key.
fn get_or_insert<'a, K, V, S>(
    map: &'a mut EvictingMap<K, V, S>,
    key: Cow<'_, K>,
    make: impl FnOnce() -> V,
) -> GetOrInsert<'a, K, V>
where
    K: Hash + Eq + Clone,
    S: BuildHasher,
{
    match key {
        Cow::Owned(key) => map.get_or_insert_with(key, make),
        Cow::Borrowed(key) => map.get_or_insert_with_ref(key, make),
    }
}

/// Chooses between the owned key and the borrowed one.
fn given<K: Clone>(key: &K, by_value: bool) -> Cow<'_, K> {
    if by_value { Cow::Owned(key.clone()) } else { Cow::Borrowed(key) }
}

quickcheck! {
    // Proves D2, D4.
    fn get_or_insert_with_is_a_hit_or_an_insertion(history: History, key: u8, by_value: bool) -> bool {
        let (key, mut map) = (key % 12, after(&history));
        let mut other = map.clone();
        let expected = in_two_steps(&mut other, key, 99);
        let mut found = get_or_insert(&mut map, given(&key, by_value), || 99);
        *found.value() == expected.1
            && *found.value_mut() == expected.1
            && owned(found) == expected
            && fingerprint(&map) == fingerprint(&other)
            && map == other
            && map.check().is_ok()
    }

    // Proves D4.
    fn a_value_is_created_for_an_absent_key_only(history: History, key: u8, by_value: bool) -> bool {
        let (key, mut map) = (key % 12, after(&history));
        let (was_there, made) = (map.contains_key(&key), Cell::new(false));
        let _ = get_or_insert(&mut map, given(&key, by_value), || {
            made.set(true);
            99
        });
        made.get() != was_there
    }

    // Proves P1.
    fn a_failing_function_changes_nothing(history: History, key: u8, by_value: bool, fails: bool) -> bool {
        let (key, mut map) = (key % 12, after(&history));
        let (was_there, before) = (map.contains_key(&key), map.clone());
        let make = || if fails { Err("no") } else { Ok(7) };
        let failed = if by_value {
            map.get_or_try_insert_with(key, make).is_err()
        } else {
            map.get_or_try_insert_with_ref(&key, make).is_err()
        };
        let is_unchanged = fingerprint(&map) == fingerprint(&before) && map == before;
        failed == (fails && !was_there) && (is_unchanged || !failed)
    }

    // The result gives access to the value under the key. With a bound of 0, no value is stored.
    fn the_result_gives_access_to_the_stored_value(history: History, key: u8) -> bool {
        let (key, map) = (key % 12, after(&history));
        let changed = |change: &dyn Fn(GetOrInsert<'_, u8, u64>)| {
            let mut map = map.clone();
            change(map.get_or_insert_with(key, || 99));
            map.peek(&key).copied()
        };
        let stored = (map.max_size() > 0).then(|| map.peek(&key).copied().unwrap_or(99));
        let seen = Cell::new(None);
        changed(&|found| seen.set(found.into_ref().copied())) == stored
            && seen.get() == stored
            && changed(&|mut found| *found.value_mut() += 1_000) == stored.map(|value| value + 1_000)
            && changed(&|found| found.into_mut().into_iter().for_each(|value| *value += 1_000)) == stored.map(|value| value + 1_000)
    }
}

// A result outlives the call, as long as the map is borrowed.
#[test]
fn a_function_can_return_the_value() {
    fn count<'a>(map: &'a mut EvictingMap<&'static str, u64>, key: &'static str) -> &'a u64 {
        let count = map.get_or_insert_with(key, || 0).into_mut().unwrap();
        *count += 1;
        map.get_or_insert_with_ref(&key, || 9).into_ref().unwrap()
    }
    let mut map = EvictingMap::default();
    assert_eq!([*count(&mut map, "a"), *count(&mut map, "b"), *count(&mut map, "a")], [1, 1, 2]);
}

// Keys of any type are taken by value, without a copy.
#[test]
fn keys_are_taken_by_value() {
    let mut map: EvictingMap<Arc<str>, u64> = EvictingMap::default();
    let key: Arc<str> = "key".into();
    let found = map.get_or_insert_with(Arc::clone(&key), || 1);
    assert_eq!(found, GetOrInsert::Inserted { value: &mut 1, evicted: None });
    assert!(Arc::ptr_eq(map.keys().next().unwrap(), &key));
    assert_eq!(map.get_or_insert_with(Arc::clone(&key), || 2), GetOrInsert::Present(&mut 1));
    assert_eq!(Arc::strong_count(&key), 2, "the key of a hit is dropped");
    assert_eq!(map.get_or_try_insert_with("other".into(), || Err("no")), Err("no"));
    assert_eq!(map.get_or_insert_with(key, || 3).into_mut(), Some(&mut 1));
    let mut nothing: EvictingMap<&str, u64> = EvictingMap::new(EvictionPolicy::Lru, 0);
    assert_eq!(nothing.get_or_insert_with("key", || 1), GetOrInsert::NotStored { key: "key", value: 1 });
    assert_eq!(nothing.get_or_insert_with("key", || 1).into_ref(), None);
    assert_eq!(nothing.get_or_insert_with("key", || 1).value(), &1);
    // A name that is borrowed from a buffer.
    let buffer = "one two one".to_owned();
    let mut map: EvictingMap<&str, u64> = EvictingMap::default();
    for word in buffer.split(' ') {
        *map.get_or_insert_with(word, || 0).value_mut() += 1;
    }
    assert!(map.iter().eq([(&"two", &1), (&"one", &2)]));
}

#[test]
fn a_key_is_hashed_once() {
    for (spec_policy, by_value) in POLICIES.into_iter().flat_map(|policy| [(policy, false), (policy, true)]) {
        let mut map = EvictingMap::<PanicProbe<u8>, _, _>::with_hasher(policy(spec_policy), 2, Hashing::Constant);
        for key in 0..4 {
            let given = PanicProbe::new(key % 3);
            let given = self::given(&given, by_value);
            let inserted = inject_panic(Callback::Hash, 1, || drop(get_or_insert(&mut map, given, || ())));
            // A rebuild would hash the present entries, too.
            assert!(key == 0 || inserted == Injected::NotReached(()), "{spec_policy:?} {key} {by_value}");
        }
    }
}

/// Returns the state without the index, which may be rebuilt for an insertion that then fails.
fn contents(engine: &Engine<PanicProbe<u8>, PanicProbe<u64>, Hashing>) -> Vec<u64> {
    engine.0.fingerprint(|key| u64::from(*key.get()), false)
}

/// Panics in each call of each callback, in a map of so many entries; returns the number of panics.
fn panic_everywhere(spec_policy: SpecPolicy, max_size: usize, len: u8, key: u8, by_value: bool) -> usize {
    let mut blown = 0;
    for callback in Callback::ALL {
        for calls in 0.. {
            let alive = PanicProbe::<u8>::alive();
            let map = EvictingMap::with_hasher(policy(spec_policy), max_size, Hashing::Constant);
            let mut engine: Engine<PanicProbe<u8>, PanicProbe<u64>, Hashing> = Engine(map);
            for key in 0..len {
                engine.insert(PanicProbe::new(key), PanicProbe::new(0)).unwrap();
            }
            let mut done = engine.fork();
            drop(done.0.get_or_insert_with(PanicProbe::new(key), || PanicProbe::new(1)));
            let (before, after) = (contents(&engine), contents(&done));
            let key = PanicProbe::new(key);
            let given = given(&key, by_value);
            let run = || drop(owned(get_or_insert(&mut engine.0, given, || PanicProbe::new(1))));
            let burned = inject_panic(callback, calls, run);
            assert_eq!(engine.check(), Ok(()));
            let now = contents(&engine);
            drop((engine, done, key));
            let case = format!("{spec_policy:?} {max_size} {callback:?} {calls} {by_value}");
            assert_eq!(PanicProbe::<u8>::alive(), alive, "{case}: a leak");
            if burned != Injected::Reached {
                assert_eq!(now, after, "{case}");
                break;
            }
            assert!(now == before || now == after, "{case}");
            blown += 1;
        }
    }
    blown
}

// Proves P1.
#[test]
fn a_panic_leaves_the_map_as_before_or_after_the_call() {
    for by_value in [false, true] {
        let mut blown = 0;
        for spec_policy in POLICIES {
            for (max_size, len) in [(0, 0), (1, 1), (2, 2), (3, 2), (9, 8)] {
                blown +=
                    (0..=len).map(|key| panic_everywhere(spec_policy, max_size, len, key, by_value)).sum::<usize>();
            }
        }
        assert!(blown > 250, "{blown} with keys by value: {by_value}");
    }
}

// Proves P1.
#[test]
fn an_error_does_not_leak_if_its_key_panics_when_dropped() {
    let mut map = EvictingMap::<PanicProbe<u8>, u64>::default();
    let alive = PanicProbe::<u8>::alive();
    let key = PanicProbe::new(1);
    let blown = inject_panic(Callback::Drop, 0, || {
        assert!(map.get_or_try_insert_with(key, || Err(PanicProbe::new(2))).is_err());
    });
    assert_eq!(blown, Injected::Reached);
    assert_eq!((map.len(), PanicProbe::<u8>::alive()), (0, alive));
}
