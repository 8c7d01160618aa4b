//! LFU with dynamic aging: rule F2, on the engine.

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::{EvictingMap, GetOrInsert};
use aws_client_cache_spec::Policy as SpecPolicy;
use quickcheck::quickcheck;
use support::engine::Engine;
use support::hashing::Hashing;
use support::history::History;

/// The requests of each phase of a shifting stream.
const REQUESTS: usize = 2_000;

/// Returns the hits in each phase of a stream in which nine of ten requests are for ten hot keys.
///
/// Each phase has its own hot keys. The other requests are for keys that are requested once.
fn hits(policy: EvictionPolicy) -> [usize; 4] {
    let mut map = EvictingMap::new(policy, 12);
    let mut random = fastrand::Rng::with_seed(1);
    let mut once = 1_000..;
    [0, 100, 200, 300].map(|first| {
        let mut request = || if random.u8(..10) > 0 { first + random.u32(..10) } else { once.next().unwrap() };
        let requests = std::iter::repeat_with(&mut request).take(REQUESTS);
        requests.filter(|key| matches!(map.get_or_insert_with(*key, || ()), GetOrInsert::Present(()))).count()
    })
}

// Proves F2.
#[test]
fn a_shifted_hot_set_replaces_the_old_one() {
    let [first, later @ ..] = hits(EvictionPolicy::Lfu);
    assert!(first > REQUESTS * 8 / 10, "{first} hits in the first phase");
    assert!(later.iter().all(|hits| *hits < REQUESTS / 4), "LFU keeps the old set: {later:?} hits");
    let of_lfuda = hits(EvictionPolicy::Lfuda);
    assert!(of_lfuda.iter().all(|hits| *hits > REQUESTS * 8 / 10), "LFUDA lets the old set go: {of_lfuda:?} hits");
}

type Map = EvictingMap<u8, u64>;

/// A key that no history uses.
const NEW: u8 = 50;

/// Returns the map after a history under LFUDA, with weights that soon saturate.
fn after(history: History, max_uses: u8) -> Map {
    let history = History { policy: SpecPolicy::Lfuda, ..history };
    history.run(|policy, max_size| Engine::with_max_uses(policy, max_size, u64::from(max_uses % 6) + 1)).0
}

fn fingerprint(map: &Map) -> Vec<u64> {
    map.fingerprint(|key| u64::from(*key), false)
}

/// Returns the floor, the last number in the fingerprint of an LFUDA map.
fn floor(map: &Map) -> u64 {
    *fingerprint(map).last().unwrap()
}

/// Returns the weight of the next victim.
///
/// The fingerprint starts with the bound, the length and the keys. The lowest frequency bucket with its weight follows.
fn lowest_weight(map: &Map) -> Option<u64> {
    (!map.is_empty()).then(|| fingerprint(map)[2 + map.len() + 1])
}

/// Returns the order of the entries and of a new key that evicts none.
fn order_with_newcomer(mut map: Map) -> Vec<u8> {
    map.set_max_size(map.len() + 1);
    map.insert(NEW, 0).unwrap();
    map.keys().copied().collect()
}

quickcheck! {
    // Proves F2.
    fn the_floor_moves_on_evictions_alone(history: History, max_uses: u8, key: u8) -> bool {
        let (map, key) = (after(history, max_uses), key % 12);
        let present = map.keys().next_back().copied();
        let stays = |change: &dyn Fn(&mut Map)| {
            let mut changed = map.clone();
            change(&mut changed);
            // The position of a new key among the remaining entries is unchanged.
            let (newcomer, mut expected) = (order_with_newcomer(changed.clone()), order_with_newcomer(map.clone()));
            expected.retain(|key| newcomer.contains(key));
            floor(&changed) == floor(&map) && newcomer == expected && changed.check() == Ok(())
        };
        let mut hit = map.clone();
        hit.get(&key);
        let mut replaced = map.clone();
        let is_same_after_a_replacement = present.is_none_or(|key| {
            replaced.replace(key, 9);
            floor(&replaced) == floor(&map)
        });
        stays(&|map| _ = map.remove(&key))
            && stays(&|map| _ = map.pop())
            && stays(&|map| map.retain(|other, _| other % 2 == key % 2))
            && stays(&|map| assert!(present.is_none_or(|key| map.insert(key, 0).is_err())))
            && stays(&|map| _ = map.set_max_size(map.len() + usize::from(key)))
            && stays(&|map| map.values_mut().for_each(|value| *value += 1))
            && is_same_after_a_replacement
            && floor(&hit) == floor(&map)
    }

    // Proves D2, F2.
    fn an_eviction_sets_the_floor_to_the_weight_of_the_victim(history: History, max_uses: u8) -> bool {
        let mut map = after(history, max_uses);
        let (before, is_full) = (floor(&map), map.len() == map.max_size());
        let expected = lowest_weight(&map).filter(|_| is_full).unwrap_or(before);
        let _ = map.insert(NEW, 0);
        floor(&map) == expected && expected >= before
    }

    // Proves D9, F2.
    fn shrinking_sets_the_floor_to_the_weight_of_the_last_victim(history: History, max_uses: u8, max_size: u8) -> bool {
        let mut map = after(history, max_uses);
        let max_size = usize::from(max_size % 8);
        let (before, mut popped) = (floor(&map), map.clone());
        while popped.len() > max_size + 1 {
            popped.pop();
        }
        let expected = lowest_weight(&popped).filter(|_| popped.len() > max_size).unwrap_or(before);
        map.set_max_size(max_size);
        floor(&map) == expected && expected >= before
    }

    // Proves D8, F2.
    fn clearing_resets_the_floor_and_a_copy_keeps_it(history: History, max_uses: u8) -> bool {
        let map = after(history, max_uses);
        let (mut cleared, mut drained) = (map.clone(), map.clone());
        cleared.clear();
        drop(drained.drain());
        floor(&map.clone()) == floor(&map) && floor(&cleared) == 0 && floor(&drained) == 0
    }
}

// Proves F2.
#[test]
fn a_newcomer_after_shrinking_starts_above_the_weight_of_the_last_victim() {
    let mut map = EvictingMap::new(EvictionPolicy::Lfuda, 3);
    for (key, hits) in [(0, 0), (1, 1), (2, 2)] {
        map.insert(key, 0).unwrap();
        (0..hits).for_each(|_| assert!(map.get(&key).is_some()));
    }
    assert_eq!(map.set_max_size(1), [(0, 0), (1, 0)]);
    assert_eq!(floor(&map), 2);
    map.set_max_size(3);
    map.insert(3, 0).unwrap();
    assert!(map.keys().eq(&[2, 3]), "both have weight 3");
    map.get(&2);
    assert!(map.keys().eq(&[3, 2]), "2 has weight 4");
}

// Proves F2: saturated weights are equal, so that the last use decides.
#[test]
fn saturated_weights_are_in_the_order_of_last_use() {
    let mut map = EvictingMap::with_max_uses(EvictionPolicy::Lfuda, 3, Hashing::Default, 2);
    for key in 0..9_u8 {
        map.insert(key, 0_u64).unwrap();
        map.get(&key);
        assert_eq!(map.check(), Ok(()));
    }
    assert!(map.keys().eq(&[6, 7, 8]));
    map.get(&6);
    assert!(map.keys().eq(&[7, 8, 6]));
}
