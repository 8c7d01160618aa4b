//! Rules C1 to C3: many threads, and callbacks that call the cache again.

use std::collections::HashSet;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread;

use aws_client_cache::{
    ClientCache, ClientParams, Evicted, EvictionCause, EvictionPolicy, SdkConfig, Service, iter, map,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use support::deadlock::without_deadlock;
use support::fake::{Client, Fake, Hooks, base, key};

assert_impl_all!(ClientCache: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(aws_client_cache::Session: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(aws_client_cache::SessionError: std::error::Error, Clone, Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(iter::Keys: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(iter::Values: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(iter::Items: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(iter::Iter: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(iter::Drain: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(iter::IntoIter: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(map::Iter<'static, u64, u64>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(map::Keys<'static, u64, u64>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(map::Values<'static, u64, u64>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(map::Drain<u64, u64>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(map::IntoIter<u64, u64>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(aws_client_cache::ClientCacheKey<Fake>: Send, Sync, Unpin);
assert_impl_all!(ClientParams<Fake>: Send, Sync, Unpin);
assert_impl_all!(aws_client_cache::ClientParamsBuilder<Fake>: Send, Sync, Unpin);
assert_impl_all!(aws_client_cache::ClientCacheError: std::error::Error, Clone, Send, Sync, UnwindSafe, RefUnwindSafe);
// Proves D8, D11: a clone would look like a shared handle, and no method overwrites silently.
assert_not_impl_any!(ClientCache: Clone, Extend<(aws_client_cache::AnyKey, aws_client_cache::AnyClient)>);
assert_not_impl_any!(ClientCache: FromIterator<(aws_client_cache::AnyKey, aws_client_cache::AnyClient)>);

// Proves C1.
#[test]
fn every_client_that_threads_insert_is_removed_exactly_once() {
    const THREADS: u64 = 4;
    const INSERTIONS: u64 = 2_000;
    for policy in EvictionPolicy::ALL.iter().copied() {
        let cache = ClientCache::new(policy, 5);
        let left = Mutex::new(Vec::new());
        let leave = |id| left.lock().unwrap().push(id);
        let next = AtomicU64::new(0);
        let refused = AtomicU64::new(0);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (cache, leave, next, refused) = (&cache, &leave, &next, &refused);
                scope.spawn(move || {
                    for round in 0..INSERTIONS {
                        let number = u8::try_from((round * (thread + 1)) % 11).unwrap();
                        // The number is part of the client's id, to see that a key never finds another key's client.
                        let id = next.fetch_add(1, Relaxed) * 16 + u64::from(number);
                        match cache.insert(key(number), Client::new(id)) {
                            Ok(None) => {}
                            Ok(Some(evicted)) => leave(evicted.client.downcast_ref::<Fake>().unwrap().id),
                            Err(_) => {
                                refused.fetch_add(1, Relaxed);
                            }
                        }
                        if let Some(client) = cache.get(&key(number)) {
                            assert_eq!(client.id % 16, u64::from(number), "another key's client");
                        }
                        match round % 7 {
                            0 => {
                                if let Ok(client) = cache.remove(&key(number)) {
                                    leave(client.id);
                                }
                            }
                            1 => {
                                if let Ok((_, client)) = cache.pop_item() {
                                    leave(client.downcast_ref::<Fake>().unwrap().id);
                                }
                            }
                            2 => {
                                let size = usize::from(number % 6);
                                for evicted in cache.set_max_size(size) {
                                    leave(evicted.client.downcast_ref::<Fake>().unwrap().id);
                                }
                            }
                            3 => assert!(cache.items().len() <= 5, "D1"),
                            4 => assert_eq!(cache.copy().check(), Ok(())),
                            _ => {}
                        }
                    }
                });
            }
        });
        assert_eq!(cache.check(), Ok(()));
        for (_, client) in &cache {
            leave(client.downcast_ref::<Fake>().unwrap().id);
        }
        let left = left.into_inner().unwrap();
        let distinct: HashSet<_> = left.iter().collect();
        assert_eq!(distinct.len(), left.len(), "a client left twice");
        assert_eq!(left.len() as u64 + refused.into_inner(), THREADS * INSERTIONS, "a client was lost");
    }
}

// Proves C1.
#[test]
fn of_threads_that_insert_one_key_exactly_one_succeeds() {
    for _ in 0..200 {
        let cache = ClientCache::new(EvictionPolicy::Lru, 5);
        let inserted = AtomicUsize::new(0);
        thread::scope(|scope| {
            for id in 0..4 {
                let (cache, inserted) = (&cache, &inserted);
                scope.spawn(move || inserted.fetch_add(cache.insert(key(1), Client::new(id)).is_ok().into(), Relaxed));
            }
        });
        assert_eq!(inserted.into_inner(), 1);
    }
}

// Proves C2.
#[test]
fn a_client_may_call_the_cache_when_it_is_dropped() {
    without_deadlock(|| {
        static CACHE: OnceLock<ClientCache> = OnceLock::new();
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        let client = |id| {
            let hooks = Hooks {
                on_clone: None,
                on_drop: Some(Box::new(|id| {
                    let cache = CACHE.get().unwrap();
                    // The client was removed already, so no lookup finds another one to drop.
                    let number = u8::try_from(id).unwrap();
                    assert!(cache.get(&key(number)).is_none());
                    assert!(cache.remove(&key(number)).is_err());
                    assert_eq!(cache.check(), Ok(()));
                    DROPS.fetch_add(1, Relaxed);
                })),
            };
            Client::with_hooks(id, Arc::new(hooks))
        };
        let cache = CACHE.get_or_init(|| ClientCache::new(EvictionPolicy::Lru, 3));
        let dropped = |expected| assert_eq!(DROPS.swap(0, Relaxed), expected);

        cache.insert(key(1), client(1)).unwrap();
        drop(cache.insert(key(1), client(9)).unwrap_err());
        dropped(1);
        drop(cache.remove(&key(1)));
        assert!(DROPS.swap(0, Relaxed) >= 1);
        cache.insert(key(1), client(1)).unwrap();
        drop(cache.pop_item());
        dropped(1);
        for number in 1..=3 {
            cache.insert(key(number), client(number.into())).unwrap();
        }
        drop(cache.insert(key(4), client(4)));
        dropped(1);
        drop(cache.set_max_size(2));
        dropped(1);
        cache.clear();
        assert!(DROPS.swap(0, Relaxed) >= 1);
    });
}

// Proves D2, D8, C2.
#[test]
fn a_listener_may_call_the_cache_and_is_notified_of_evictions_only() {
    without_deadlock(|| {
        let notified = Arc::new(Mutex::new(Vec::new()));
        let listener = Arc::clone(&notified);
        let cache = Arc::new_cyclic(|cache: &Weak<ClientCache>| {
            let cache = Weak::clone(cache);
            ClientCache::builder()
                .max_size(2)
                .on_evict(move |evicted, cause| {
                    let cache = cache.upgrade().expect("the cache is in use");
                    assert!(!cache.contains_key(&evicted.key), "the entry was removed already");
                    let id = evicted.client.downcast_ref::<Fake>().unwrap().id;
                    listener.lock().unwrap().push((id, cause, cache.len()));
                })
                .build()
        });
        let take_notified = || notified.lock().unwrap().split_off(0);

        for number in 1..=3 {
            cache.insert(key(number), Client::new(number.into())).unwrap();
        }
        assert_eq!(take_notified(), [(1, EvictionCause::Capacity, 2)]);
        cache.set_max_size(1);
        assert_eq!(take_notified(), [(2, EvictionCause::Shrunk, 1)]);

        // D2: with a bound of 0, the new client itself is evicted.
        cache.set_max_size(0);
        let went = cache.insert(key(4), Client::new(4)).unwrap().unwrap();
        assert_eq!(went.key, key(4).into());
        assert_eq!(take_notified(), [(3, EvictionCause::Shrunk, 0), (4, EvictionCause::Capacity, 0)]);

        // Explicit removals, refused insertions and copies do not notify the listener.
        cache.set_max_size(2);
        let copy = cache.copy();
        for cache in [&*cache, &copy] {
            cache.insert(key(1), Client::new(1)).unwrap();
            cache.insert(key(1), Client::new(1)).unwrap_err();
            cache.insert(key(2), Client::new(2)).unwrap();
            cache.remove(&key(1)).unwrap();
            cache.pop_item().unwrap();
            cache.insert(key(1), Client::new(1)).unwrap();
            cache.clear();
        }
        copy.insert(key(1), Client::new(1)).unwrap();
        copy.set_max_size(0); // D8: a copy has no listener
        assert_eq!(take_notified(), []);
    });
}

/// Returns a cache whose listener inserts each evicted client again, up to `times`.
///
/// Also returns the ids of which the listener was notified. The listener panics at the client 1.
fn reinserting(times: usize) -> (Arc<ClientCache>, Arc<Mutex<Vec<u64>>>) {
    let notified = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&notified);
    let cache = Arc::new_cyclic(|cache: &Weak<ClientCache>| {
        let cache = Weak::clone(cache);
        let listener = move |evicted: &Evicted, _| {
            let client = evicted.client.downcast_ref::<Fake>().unwrap().clone();
            let count = {
                let mut notified = listener.lock().unwrap();
                notified.push(client.id);
                notified.len()
            };
            if count <= times {
                let id = client.id;
                let cache = cache.upgrade().expect("the cache is in use");
                cache.insert(evicted.key.clone().downcast::<Fake>().unwrap(), client).unwrap();
                assert_ne!(id, 1, "the panic of the listener");
            }
        };
        ClientCache::builder().max_size(3).on_evict(listener).build()
    });
    (cache, notified)
}

// Proves C2: with recursion, the stack would overflow.
#[test]
fn a_listener_that_inserts_again_is_notified_in_a_loop() {
    const TIMES: usize = 100_000;
    let (cache, notified) = reinserting(TIMES);
    for number in 2..=5 {
        cache.insert(key(number), Client::new(number.into())).unwrap();
    }
    let expected: Vec<u64> = (2..=5).cycle().take(TIMES + 1).collect();
    assert_eq!(*notified.lock().unwrap(), expected);
    assert_eq!((cache.len(), cache.check()), (3, Ok(())));
}

// Proves C2.
#[test]
fn a_listener_is_notified_of_its_own_evictions_last_and_its_panic_continues_after_them() {
    let (cache, notified) = reinserting(2);
    for number in 1..=3 {
        cache.insert(key(number), Client::new(number.into())).unwrap();
    }
    let shrunk = std::panic::catch_unwind(|| cache.set_max_size(1));
    assert!(shrunk.is_err(), "the panic reaches the caller");
    // The listener inserts 1, which evicts 3; and then 2, which evicts 1.
    assert_eq!(*notified.lock().unwrap(), [1, 2, 3, 1]);
    assert!(cache.contains_key(&key(2)));
    // The next notification begins anew.
    cache.insert(key(4), Client::new(4)).unwrap();
    assert_eq!(notified.lock().unwrap().last(), Some(&2));
}

// Proves C3.
#[test]
fn the_creation_of_a_client_can_be_spawned() {
    // C3: a future that held a lock guard across an await would not be `Send`, in generic code either.
    fn sendable(work: impl Future<Output = bool> + Send + 'static) -> impl Future<Output = bool> + Send + 'static {
        work
    }
    async fn make<S: Service>(params: ClientParams<S>, base: SdkConfig) -> bool {
        params.client(&base).await.is_ok()
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let params = ClientParams::<Fake>::builder().build().unwrap();
    assert!(runtime.block_on(runtime.spawn(sendable(make(params, base())))).unwrap());
}
