//! Rules O1 to O3: the counters of a cache.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_client_cache::{ClientCache, EvictionPolicy, Stats};
use aws_client_cache_spec::model::Expiring;
use aws_client_cache_spec::{Model, Operation, Outcome, SystemUnderTest};
use quickcheck::quickcheck;
use support::cache::{Cache, with_expiry};
use support::clock::{Clock, time};
use support::fake::{Client, expiring_key, key};
use support::history::History;

/// Keys up to this one expire, each at the time of its number.
const LAST_TO_EXPIRE: u8 = 4;

/// The model, with a clock.
type Timed = Expiring<u8, Model<u8, u64>>;

/// Counts an operation on the model.
fn count(stats: &mut Stats, before: &Timed, model: &Timed, operation: &Operation<u8, u64>, outcome: &Outcome<u8, u64>) {
    let went = |model: &Timed| (before.len() - model.len()) as u64;
    match (operation, outcome) {
        (Operation::GetOrInsert(key, _), Outcome::Found(..)) if before.contains_key(key) => stats.hits += 1,
        (Operation::GetOrInsert(..), Outcome::Found(_, victims)) => {
            stats.misses += 1;
            stats.creations += 1;
            stats.insertions += 1;
            stats.evictions += victims.len() as u64;
        }
        (Operation::Insert(..), Outcome::Evicted(victims)) => {
            stats.insertions += 1;
            stats.evictions += victims.len() as u64;
        }
        (Operation::Get(_) | Operation::TryGet(_), Outcome::Value(Some(_))) => stats.hits += 1,
        (Operation::Get(_) | Operation::TryGet(_), _) => {
            stats.misses += 1;
            stats.expirations += went(model);
        }
        (Operation::Remove(_) | Operation::Pop | Operation::Clear | Operation::Retain(_) | Operation::Drain(_), _) => {
            stats.removals += went(model);
        }
        (Operation::SetMaxSize(_), _) => stats.evictions += went(model),
        (Operation::GetOrInsert(..) | Operation::RemoveExpired, _) => stats.expirations += went(model),
        (Operation::Copy, _) => {
            *stats = Stats::default();
            stats.insertions = model.len() as u64;
        }
        _ => {}
    }
}

quickcheck! {
    // Proves O1, O2: the counters match after each operation, and observing the cache changes none.
    fn the_counters_match_the_model(history: History, times: Vec<u8>) -> bool {
        let expiry: Vec<_> = (0..=LAST_TO_EXPIRE).map(|key| (key, u64::from(key))).collect();
        let mut cache = Cache::with_expiry(history.policy, history.max_size, &expiry);
        let mut model = with_expiry(Model::new(history.policy, history.max_size), &expiry);
        let times = times.iter().map(|time| Operation::SetTime(u64::from(time % 6)));
        let turned = times.chain([Operation::RemoveExpired]).map(Some).chain(std::iter::repeat(None));
        let mut expected = Stats::default();
        for (operation, turned) in history.operations.iter().zip(turned) {
            for operation in [Some(operation.clone()), turned].into_iter().flatten() {
                if operation.apply(&mut cache) == Outcome::Missing {
                    continue;
                }
                let before = model.clone();
                let outcome = operation.apply(&mut model);
                count(&mut expected, &before, &model, &operation, &outcome);
                let _ = (cache.items(), cache.reversed(), cache.peek(&0), cache.contains_key(&1), cache.shared.to_string());
                if cache.shared.stats() != expected || cache.check().is_err() {
                    return false;
                }
            }
        }
        true
    }
}

fn counted(set: impl FnOnce(&mut Stats)) -> Stats {
    let mut stats = Stats::default();
    set(&mut stats);
    stats
}

// Proves O1: a waiter is counted as a miss when it joins, and is not counted again.
#[test]
fn each_caller_of_a_creation_is_one_hit_or_one_miss() {
    let (cache, key) = (ClientCache::default(), key(0));
    let context = &mut Context::from_waker(Waker::noop());
    {
        let begun = || async {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(Client::new(1))
        };
        let mut maker = pin!(cache.get_or_try_insert_with(&key, begun));
        let mut waiter = pin!(cache.get_or_try_insert_with(&key, begun));
        assert!(maker.as_mut().poll(context).is_pending());
        assert!(waiter.as_mut().poll(context).is_pending());
        assert_eq!(cache.stats(), counted(|stats| stats.misses = 2));
        assert!(maker.poll(context).is_ready());
        assert!(waiter.poll(context).is_ready());
    }
    let once = |stats: &mut Stats| (stats.misses, stats.creations, stats.insertions) = (2, 1, 1);
    assert_eq!(cache.stats(), counted(once), "O1, O3");
    let hit = pin!(cache.get_or_try_insert_with(&key, || async { Err(io::Error::other("not called")) }));
    assert!(matches!(hit.poll(context), Poll::Ready(Ok(_))));
    assert_eq!(cache.get_or_try_insert_with_sync(&key, || Err(io::Error::other("not called"))).unwrap().id, 1);
    assert_eq!(cache.stats().hits, 2);
    assert_eq!(cache.stats().hit_ratio(), Some(0.5));
}

// Proves O3.
#[tokio::test]
async fn a_failed_creation_is_counted_and_a_dropped_one_is_not() {
    let (cache, key) = (ClientCache::default(), key(0));
    cache.get_or_try_insert_with(&key, || async { Err(io::Error::other("no")) }).await.unwrap_err();
    cache.get_or_try_insert_with_sync(&key, || Err(io::Error::other("no"))).unwrap_err();
    assert_eq!(cache.stats(), counted(|stats| (stats.misses, stats.failures) = (2, 2)), "O3");
    {
        let endless = pin!(cache.get_or_try_insert_with(&key, std::future::pending::<Result<_, Infallible>>));
        assert!(endless.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(cache.stats(), counted(|stats| (stats.misses, stats.failures) = (3, 2)), "O3");
}

// Proves O3: the creation is counted, but the client is not cached, so there is no insertion.
#[test]
fn a_revoked_creation_is_counted() {
    let cache = ClientCache::default();
    let context = &mut Context::from_waker(Waker::noop());
    let key = key(0);
    let mut creation = pin!(cache.get_or_try_insert_with(&key, || async {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(Client::new(1))
    }));
    assert!(creation.as_mut().poll(context).is_pending());
    cache.clear();
    assert!(creation.poll(context).is_ready());
    assert_eq!(cache.stats(), counted(|stats| (stats.misses, stats.creations) = (1, 1)));
}

// Proves O1, O2: a refused creation performs no lookup, and removes an expired entry.
#[test]
fn a_refused_creation_is_neither_a_hit_nor_a_miss() {
    let clock = Clock::default();
    let cache = ClientCache::builder().time_source(clock.clone()).build();
    let expiring = expiring_key(0, time(10));
    cache.insert(expiring.clone(), Client::new(0)).unwrap();
    clock.set(10);
    cache.get_or_try_insert_with_sync(&expiring, || Ok::<_, Infallible>(Client::new(1))).unwrap_err();
    assert_eq!(cache.stats(), counted(|stats| (stats.insertions, stats.expirations) = (1, 1)));
}

// Proves O2.
#[test]
fn bulk_removals_are_counted_one_by_one() {
    let cache = ClientCache::new(EvictionPolicy::Lru, 10);
    for number in 0..9 {
        cache.insert(key(number), Client::new(number.into())).unwrap();
    }
    let gone = key(3).into();
    assert_eq!(cache.retain(|key| *key != gone).len(), 1);
    assert_eq!(cache.set_max_size(6).len(), 2);
    assert_eq!(cache.drain().len(), 6);
    let all = |stats: &mut Stats| (stats.insertions, stats.evictions, stats.removals) = (9, 2, 7);
    assert_eq!(cache.stats(), counted(all), "O2");
}

#[test]
fn the_hit_ratio_needs_lookups() {
    assert_eq!(Stats::default().hit_ratio(), None);
    assert_eq!(counted(|stats| stats.misses = 3).hit_ratio(), Some(0.0));
    let most = counted(|stats| (stats.hits, stats.misses) = (u64::MAX, u64::MAX));
    assert_eq!(most.hit_ratio(), Some(0.5));
}

#[test]
fn stats_display_shows_all_counters() {
    let stats = counted(|stats| {
        (stats.hits, stats.misses, stats.insertions, stats.evictions) = (3, 1, 5, 6);
        (stats.expirations, stats.removals, stats.creations, stats.failures) = (7, 8, 9, 10);
    });
    let line = "3 hits, 1 misses (75.0 % hits), 5 insertions, 6 evictions, 7 expirations, 8 removals, 9 creations, 10 failures";
    assert_eq!(stats.to_string(), line);
    assert!(Stats::default().to_string().starts_with("0 hits, 0 misses, 0 insertions"));
}

// Proves O1, O2, O3.
#[test]
fn the_counters_have_the_names_and_values_of_the_fields() {
    let mut stats = Stats::default();
    let Stats { hits, misses, insertions, evictions, expirations, removals, creations, failures, .. } = &mut stats;
    let fields = [hits, misses, insertions, evictions, expirations, removals, creations, failures];
    fields.into_iter().zip(1..).for_each(|(field, value)| *field = value);
    let names = ["hits", "misses", "insertions", "evictions", "expirations", "removals", "creations", "failures"];
    assert!(stats.counters().eq(names.into_iter().zip(1..)));
}
