//! The rules of the dict and of the eviction order, each as a law that holds after every history.
//!
//! The laws do not use the model, so that they also reveal a mistake in the model.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use aws_client_cache::map::EvictingMap;
use aws_client_cache::{ClientCache, ClientParams};
use aws_client_cache_spec::{Operation, Outcome, Policy, Refusal, SystemUnderTest};
use quickcheck::quickcheck;
use support::cache::Cache;
use support::double_ended;
use support::engine::Engine;
use support::fake::{self, Fake};
use support::history::History;

/// A key that no history uses.
const NEW: u8 = 50;

fn engine(policy: Policy, max_size: usize) -> Engine<u8, u64> {
    Engine::new(policy, max_size)
}

/// Returns everything that is visible without changing the cache.
fn seen<C: SystemUnderTest<u8, u64>>(cache: &C) -> (usize, usize, Vec<(u8, u64)>) {
    (cache.max_size(), cache.len(), cache.items())
}

/// Declares each law for the engine and for the cache.
macro_rules! laws {
    ($($(#[$doc:meta])* fn $law:ident($history:ident, $cache:ident $(, $argument:ident: $type:ty)*) $body:block)*) => {
        mod the_engine {
            use super::*;
            type Cached = Engine<u8, u64>;
            fn new(policy: Policy, max_size: usize) -> Cached {
                engine(policy, max_size)
            }
            quickcheck! {$(
                $(#[$doc])*
                fn $law($history: History $(, $argument: $type)*) -> bool {
                    #[allow(unused_mut, reason = "not every law changes the cache")]
                    let mut $cache = $history.run(new);
                    $body
                }
            )*}
        }

        mod the_cache {
            use super::*;
            type Cached = Cache;
            fn new(policy: Policy, max_size: usize) -> Cached {
                Cache::new(policy, max_size)
            }
            quickcheck! {$(
                $(#[$doc])*
                fn $law($history: History $(, $argument: $type)*) -> bool {
                    #[allow(unused_mut, reason = "not every law changes the cache")]
                    let mut $cache = $history.run(new);
                    $body
                }
            )*}
        }
    };
}

laws! {
    // Proves D1.
    fn never_holds_more_than_max_size(history, cache) {
        cache.len() <= cache.max_size() && cache.len() == cache.items().len()
    }

    // Proves D2.
    fn inserting_evicts_the_next_victim_exactly_if_full(history, cache, value: u64) {
        let before = cache.items();
        let full = before.len() == cache.max_size();
        let victim = cache.insert(NEW, value).expect("the key is absent");
        if cache.max_size() == 0 {
            return victim == Some((NEW, value)) && cache.is_empty();
        }
        victim == before.first().copied().filter(|_| full)
            && cache.peek(&NEW) == Some(value)
            && cache.len() == before.len() + usize::from(!full)
    }

    // Proves D3.
    fn inserting_a_present_key_is_refused_and_changes_nothing(history, cache, value: u64) {
        let before = seen(&cache);
        before.2.iter().all(|(key, _)| cache.insert(*key, value) == Err(Refusal::AlreadyExists)) && seen(&cache) == before
    }

    // Proves D4.
    fn a_miss_changes_nothing(history, cache) {
        let before = seen(&cache);
        cache.get(&NEW).is_none() && cache.try_get(&NEW) == Err(Refusal::NotFound) && seen(&cache) == before
    }

    // Proves D4.
    fn a_hit_returns_the_inserted_value_and_counts_as_a_use(history, cache) {
        cache.items().into_iter().all(|(key, value)| {
            let position = |cache: &Cached| cache.keys().iter().position(|live| *live == key);
            let before = position(&cache);
            let hit = cache.get(&key) == Some(value) && cache.try_get(&key) == Ok(value);
            hit && match history.policy {
                Policy::Lru => cache.keys().last() == Some(&key),
                Policy::Lfu | Policy::Lfuda => position(&cache) >= before,
            }
        })
    }

    // Proves D5.
    fn looking_counts_no_use(history, cache) {
        let looks = |operation: &Operation<u8, u64>| {
            matches!(operation, Operation::Peek(_) | Operation::ContainsKey(_) | Operation::Items)
                || matches!(operation, Operation::Iterate(_) | Operation::NextVictim)
        };
        let mut blind = history.clone();
        blind.operations.retain(|operation| !looks(operation));
        seen(&blind.run(new)) == seen(&cache)
    }

    // Proves D6.
    fn removing_takes_one_entry_and_leaves_the_others_in_order(history, cache) {
        let mut left = cache.items();
        while !left.is_empty() {
            let (key, value) = left.remove(left.len() / 2);
            if cache.remove(&key) != Ok(value) || cache.remove(&key) != Err(Refusal::NotFound) || cache.items() != left {
                return false;
            }
        }
        cache.is_empty()
    }

    // Proves D6, D7.
    fn popping_everything_yields_the_eviction_order(history, cache) {
        let order = cache.items();
        let popped: Vec<_> = std::iter::from_fn(|| cache.pop().ok()).take(order.len() + 1).collect();
        popped == order && cache.pop() == Err(Refusal::Empty)
    }

    // Proves D7.
    fn every_view_has_the_same_order(history, cache) {
        let items = cache.items();
        let mut reversed = cache.reversed();
        reversed.reverse();
        let (keys, values): (Vec<_>, Vec<_>) = items.iter().copied().unzip();
        items == reversed && keys == cache.keys() && values == cache.values()
    }

    // Proves D8.
    fn a_copy_is_the_same_and_independent(history, cache, more: History) {
        let mut copy = cache.copy().unwrap();
        let before = seen(&cache);
        let alike = seen(&copy) == before;
        // An operation affects only one of the two, and has the same effect on either.
        for operation in &more.operations {
            operation.apply(&mut copy);
        }
        let independent = seen(&cache) == before;
        for operation in &more.operations {
            operation.apply(&mut cache);
        }
        alike && independent && seen(&cache) == seen(&copy)
    }

    // Proves D9.
    fn shrinking_evicts_the_entries_that_pop_would_remove(history, cache, max_size: u8) {
        let mut popped = cache.copy().unwrap();
        let max_size = usize::from(max_size) % 8;
        let mut expected = Vec::new();
        while popped.len() > max_size {
            let Ok(victim) = popped.pop() else { return false };
            expected.push(victim);
        }
        cache.set_max_size(max_size) == Some(expected) && cache.items() == popped.items() && cache.max_size() == max_size
    }

    // Proves D10.
    fn a_key_that_returns_is_like_a_new_one(history, cache, value: u64) {
        let mut with_new = cache.copy().unwrap();
        for key in cache.keys() {
            let (Ok(_), Ok(_)) = (cache.remove(&key), with_new.remove(&key)) else { return false };
            let (Ok(_), Ok(_)) = (cache.insert(key, value), with_new.insert(NEW, value)) else { return false };
            let renamed: Vec<_> = with_new.keys().into_iter().map(|live| if live == NEW { key } else { live }).collect();
            if cache.keys() != renamed {
                return false;
            }
            let (Ok(_), Ok(_)) = (cache.remove(&key), with_new.remove(&NEW)) else { return false };
        }
        true
    }

    // Proves L1, F1, F2: the history of uses and evictions determines the order.
    fn the_order_is_by_last_use_or_by_count_and_last_use(history, cache) {
        let mut uses: HashMap<u8, (u64, usize)> = HashMap::new();
        // F2: the weight of the last victim. It stays 0 under the other policies.
        let mut floor = 0;
        let ages = history.policy == Policy::Lfuda;
        let mut replayed = new(history.policy, history.max_size);
        for (time, operation) in history.operations.iter().enumerate() {
            let is_present = operation.key().is_some_and(|key| replayed.contains_key(key));
            let outcome = operation.apply(&mut replayed);
            match (operation, outcome) {
                (Operation::Get(key) | Operation::TryGet(key) | Operation::GetMut(key, _), Outcome::Value(Some(_)))
                | (Operation::GetOrInsert(key, _), Outcome::Found(..))
                    if is_present =>
                {
                    let (count, last) = uses.get_mut(key).expect("a hit is of an inserted key");
                    (*count, *last) = (*count + 1, time);
                }
                (Operation::Insert(key, _), Outcome::Evicted(victims))
                | (Operation::GetOrInsert(key, _), Outcome::Found(_, victims))
                    if victims.first().is_none_or(|(victim, _)| victim != key) =>
                {
                    if let (true, Some((victim, _))) = (ages, victims.first()) {
                        floor = uses[victim].0;
                    }
                    uses.insert(*key, (floor + 1, time));
                }
                (Operation::SetMaxSize(_), Outcome::Evicted(victims)) => {
                    if let (true, Some((victim, _))) = (ages, victims.last()) {
                        floor = uses[victim].0;
                    }
                }
                (Operation::Clear, _) | (Operation::Drain(_), Outcome::Entries(_)) => floor = 0,
                _ => {}
            }
        }
        let mut keys = cache.keys();
        keys.sort_by_key(|key| match history.policy {
            Policy::Lru => (0, uses[key].1),
            Policy::Lfu | Policy::Lfuda => uses[key],
        });
        keys == cache.keys()
    }

    fn every_invariant_holds(history, cache) {
        cache.check() == Ok(())
    }
}

quickcheck! {
    // Proves D7: from both ends, alternating at random.
    fn iterating_from_both_ends_yields_each_entry_once(history: History, ends: Vec<bool>) -> bool {
        let engine = history.run(engine);
        double_ended::yields(&mut engine.0.iter(), &engine.0, ends)
    }
}

// Proves D1.
#[test]
fn a_bound_of_usize_max_takes_no_memory_up_front() {
    for policy in support::history::POLICIES {
        let mut engine = engine(policy, usize::MAX);
        for key in 0..=u8::MAX {
            assert_eq!(engine.insert(key, u64::from(key)), Ok(None), "D1, D2");
        }
        assert_eq!(engine.max_size(), usize::MAX);
        assert_eq!(engine.check(), Ok(()));
    }
}

// Proves D1.
#[test]
fn the_default_is_lru_and_ten() {
    let cache = ClientCache::default();
    assert_eq!((cache.policy(), cache.max_size()), (aws_client_cache::EvictionPolicy::Lru, 10), "D1");
}

#[test]
fn the_policy_and_the_bound_are_those_that_were_set() {
    for policy in support::history::POLICIES.map(support::engine::policy) {
        let map: EvictingMap<u8, u8> = EvictingMap::new(policy, 7);
        assert_eq!((map.policy(), map.max_size()), (policy, 7));
        assert_eq!((map.clone().policy(), map.clone().max_size()), (policy, 7), "D8");
        let new = ClientCache::new(policy, 7);
        let built = ClientCache::builder().policy(policy).max_size(7).build();
        for cache in [new.copy(), new, built] {
            assert_eq!((cache.policy(), cache.max_size()), (policy, 7));
        }
    }
}

// Proves F1.
#[test]
fn use_counts_saturate_and_a_saturated_use_is_still_the_latest() {
    let mut engine = Engine::with_max_uses(Policy::Lfu, 4, 2);
    for key in 0..3 {
        engine.insert(key, 0_u64).unwrap();
    }
    for key in [0, 1, 2, 0, 0, 1] {
        engine.get(&key);
        assert_eq!(engine.check(), Ok(()));
    }
    assert_eq!(engine.keys(), [2, 0, 1], "F1: all counts are 2, so the last use decides");
}

// Proves D7.
#[test]
fn a_snapshot_does_not_change_afterwards() {
    let mut subject = Cache::new(Policy::Lru, 3);
    for key in 0..3 {
        subject.insert(key, key.into()).unwrap();
    }
    let (before, items, keys, values) =
        (subject.items(), subject.shared.items(), subject.shared.keys(), subject.shared.values());
    subject.get(&0);
    subject.pop().unwrap();
    subject.insert(7, 7).unwrap();
    assert_ne!(subject.items(), before);
    let items: Vec<_> = items.map(|(key, client)| (key, client.downcast::<Fake>().unwrap().id)).collect();
    assert_eq!(items, before.iter().map(|(key, id)| (fake::key(*key).into(), *id)).collect::<Vec<_>>(), "D7");
    assert_eq!(keys.collect::<Vec<_>>(), items.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), "D7");
    assert!(values.map(|client| client.downcast::<Fake>().unwrap().id).eq(items.iter().map(|(_, id)| *id)), "D7");
}

// The other tests rely on `check` to detect a broken cache.
#[test]
fn check_fails_if_keys_have_become_equal() {
    static ALIKE: AtomicBool = AtomicBool::new(false);

    #[derive(Clone)]
    struct Fickle(u8);

    impl Hash for Fickle {
        fn hash<H: Hasher>(&self, _: &mut H) {}
    }

    impl PartialEq for Fickle {
        fn eq(&self, other: &Self) -> bool {
            self.0 == other.0 || ALIKE.load(Relaxed)
        }
    }

    impl Eq for Fickle {}

    let key = |number| {
        let params =
            ClientParams::<Fake>::builder().customize_with("fickle", Fickle(number), |builder, _| builder).build();
        params.unwrap().key()
    };
    let cache = ClientCache::default();
    let mut map = EvictingMap::new(aws_client_cache::EvictionPolicy::Lru, 10);
    for number in 0..2 {
        cache.insert(key(number), fake::Client::new(number.into())).unwrap();
        map.insert(Fickle(number), ()).unwrap();
    }
    assert_eq!((cache.check(), map.check()), (Ok(()), Ok(())));
    ALIKE.store(true, Relaxed);
    assert!(cache.check().is_err());
    assert!(map.check().is_err());
}
