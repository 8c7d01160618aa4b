//! LFU with dynamic aging: rule F2, on the engine.

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::{EvictingMap, GetOrInsert};
use aws_client_cache_spec::EvictionPolicy as SpecPolicy;
use quickcheck::quickcheck;
use support::engine::Engine;
use support::hashing::Hashing;
use support::history::History;

/// Hits of two busy sets of ten keys, one after the other, in a cache of ten.
fn hits(policy: EvictionPolicy) -> [usize; 2] {
    let mut map = EvictingMap::new(policy, 10);
    [0, 100].map(|first| {
        let requests = (0..1_000_u64).map(|request| first + request % 10);
        requests.filter(|key| matches!(map.get_or_insert_with(*key, || ()), GetOrInsert::Present(_))).count()
    })
}

/// F2
#[test]
fn a_shifted_hot_set_replaces_the_old_one() {
    assert_eq!(hits(EvictionPolicy::Lfu), [990, 0], "the second set never gets hold of the cache");
    let [first, second] = hits(EvictionPolicy::Lfuda);
    assert_eq!(first, 990);
    assert!(second > 0, "the second set never gets hold of the cache");
}

/// Returns the floor, with which the layout of an LFUDA map ends.
fn floor(map: &EvictingMap<u8, u64>) -> u64 {
    *map.layout(|key| u64::from(*key), false).last().unwrap()
}

quickcheck! {
    /// F2
    fn the_floor_moves_on_evictions_alone(history: History, key: u8) -> bool {
        let history = History { policy: SpecPolicy::Lfuda, ..history };
        let map = history.run(Engine::new).0;
        let before = floor(&map);
        let stays = |change: &dyn Fn(&mut EvictingMap<u8, u64>)| {
            let mut map = map.clone();
            change(&mut map);
            floor(&map) == before && map.check() == Ok(())
        };
        let mut grown = map.clone();
        grown.set_max_size(map.len() + 1);
        let mut cleared = map.clone();
        cleared.clear();
        stays(&|map| _ = map.remove(&(key % 12)))
            && stays(&|map| _ = map.pop())
            && stays(&|map| map.retain(|key, _| key % 2 == 0))
            && stays(&|map| _ = map.get(&(key % 12)))
            && (!map.contains_key(&0) || stays(&|map| assert!(map.insert(0, 0).is_err())))
            && floor(&grown) == before
            && floor(&cleared) == 0
    }
}

/// F2
#[test]
fn shrinking_sets_the_floor_to_the_weight_of_the_last_victim() {
    let mut map = EvictingMap::new(EvictionPolicy::Lfuda, 3);
    for (key, hits) in [(0, 0), (1, 1), (2, 2)] {
        map.insert(key, 0).unwrap();
        (0..hits).for_each(|_| assert!(map.get(&key).is_some()));
    }
    assert_eq!(map.set_max_size(1), [(0, 0), (1, 0)]);
    assert_eq!(floor(&map), 2);
    map.set_max_size(3);
    map.insert(3, 0).unwrap();
    map.get(&3);
    assert!(map.keys().eq(&[2, 3]), "3 starts at weight 3, and has 4 after a hit");
}

/// F2: at saturation, all weights are equal, and the order is that of last use.
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
