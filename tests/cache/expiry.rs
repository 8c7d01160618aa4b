//! Rules E1 to E5 on `ClientCache`: the clock, the listener, the order of errors, and creation.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use aws_client_cache::{
    ClientCache, ClientCacheError, ClientCacheKey, ClientParams, Credentials, EvictionCause, TimeSource,
};
use support::clock::{Clock, time};
use support::deadlock::without_deadlock;
use support::fake::{Client, Fake, expiring_key, key};

const EXPIRY: u64 = 10;

fn cache(clock: &Clock) -> ClientCache {
    ClientCache::builder().time_source(clock.clone()).build()
}

fn expiring() -> ClientCacheKey<Fake> {
    expiring_key(0, time(EXPIRY))
}

fn is_expired<T>(result: &Result<T, ClientCacheError>) -> bool {
    matches!(result, Err(ClientCacheError::CredentialsExpired { .. }))
}

fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

// Proves E1.
#[test]
fn a_key_has_the_expiry_of_its_static_credentials_and_of_nothing_else() {
    assert_eq!(expiring().expiry(), Some(time(EXPIRY)));
    assert_eq!(key(0).expiry(), None);
    let keys = Credentials::new("AKID", "secret", None, None, "test");
    assert_eq!(ClientParams::<Fake>::builder().credentials(keys).build().unwrap().key().expiry(), None);
}

// Proves K8.
#[test]
fn errors_come_in_order() {
    let clock = Clock::default();
    let cache = cache(&clock);
    let keys = Credentials::new("AKID", "secret", None, Some(time(EXPIRY)), "test");
    let key = ClientParams::<Fake>::builder().region("us-west-2").credentials(keys).build().unwrap().key();
    cache.insert(key.clone(), Client::in_region(1, "us-west-2")).unwrap();
    clock.set(EXPIRY);
    let refused = cache.insert(key.clone(), Client::in_region(2, "us-east-1")).unwrap_err();
    assert!(matches!(refused.error, ClientCacheError::ClientMismatch { .. }), "K8");
    let refused = cache.insert(key.clone(), Client::in_region(3, "us-west-2")).unwrap_err();
    assert!(matches!(refused.error, ClientCacheError::CredentialsExpired { .. }), "K8: before AlreadyExists");
    assert_eq!((refused.key, refused.client.id), (key, 3), "K8: handed back");
    assert_eq!(cache.len(), 1, "E2: nothing has changed");
}

// Proves E3.
#[test]
fn the_listener_is_notified_of_expired_entries() {
    let clock = Clock::default();
    let notified = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&notified);
    let listener = move |evicted: &aws_client_cache::Evicted, cause| {
        let client = evicted.client.clone().downcast::<Fake>().unwrap();
        listener.lock().unwrap().push((client.id, cause));
    };
    let cache = ClientCache::builder().time_source(clock.clone()).on_evict(listener).build();
    let expired = |id| vec![(id, EvictionCause::Expired)];
    let uses: [(u64, &dyn Fn()); 4] = [
        (1, &|| assert!(cache.get(&expiring()).is_none())),
        (2, &|| assert!(is_expired(&cache.try_get(&expiring())))),
        (3, &|| assert_eq!(cache.remove_expired().len(), 1)),
        (4, &|| {
            let made = cache.get_or_try_insert_with_sync(&expiring(), || Ok::<_, Infallible>(Client::new(0)));
            assert!(is_expired(&made));
        }),
    ];
    for (id, look_up) in uses {
        clock.set(0);
        cache.insert(expiring(), Client::new(id)).unwrap();
        clock.set(EXPIRY);
        look_up();
        assert_eq!(std::mem::take(&mut *notified.lock().unwrap()), expired(id));
        assert!(cache.is_empty());
    }
    clock.set(0);
    cache.insert(expiring(), Client::new(5)).unwrap();
    clock.set(EXPIRY);
    cache.remove(&expiring()).unwrap();
    assert!(notified.lock().unwrap().is_empty(), "C2: explicit removals do not notify the listener");
}

/// A clock that counts its readings.
#[derive(Debug, Default)]
struct Counted(Arc<AtomicUsize>);

impl TimeSource for Counted {
    fn now(&self) -> SystemTime {
        self.0.fetch_add(1, Relaxed);
        time(0)
    }
}

// Proves E5.
#[test]
fn the_clock_is_read_once_per_operation_on_keys_that_expire() {
    let reads = Arc::new(AtomicUsize::new(0));
    let cache = ClientCache::builder().time_source(Counted(Arc::clone(&reads))).build();
    let taken = || reads.swap(0, Relaxed);
    for (key, expected) in [(key(1), 0), (expiring(), 1)] {
        cache.insert(key.clone(), Client::new(1)).unwrap();
        assert_eq!(taken(), expected, "insert");
        cache.get(&key).unwrap();
        assert_eq!(taken(), expected, "get");
        cache.try_get(&key).unwrap();
        assert_eq!(taken(), expected, "try_get");
        cache.peek(&key).unwrap();
        assert_eq!(taken(), expected, "peek");
        assert!(cache.contains_key(&key));
        assert_eq!(taken(), expected, "contains_key");
        let hit = cache.get_or_try_insert_with_sync(&key, || Ok::<_, Infallible>(Client::new(0)));
        assert_eq!((hit.unwrap().id, taken()), (1, expected), "a hit");
        cache.remove(&key).unwrap();
        assert_eq!(taken(), 0, "remove");
    }
    cache.remove_expired();
    assert_eq!(taken(), 1, "remove_expired");
    drop((cache.items(), cache.pop_item(), cache.set_max_size(1), cache.copy(), cache.to_string()));
    assert_eq!(taken(), 0, "the others");
}

/// A clock that uses the cache.
#[derive(Debug)]
struct Curious(Arc<OnceLock<Weak<ClientCache>>>);

impl TimeSource for Curious {
    fn now(&self) -> SystemTime {
        let cache = self.0.get().unwrap().upgrade().unwrap();
        assert!(cache.len() < 2);
        time(0)
    }
}

// Proves E5.
#[test]
fn the_clock_is_read_while_the_cache_is_unlocked() {
    without_deadlock(|| {
        let cell = Arc::new(OnceLock::new());
        let cache = Arc::new(ClientCache::builder().time_source(Curious(Arc::clone(&cell))).build());
        cell.set(Arc::downgrade(&cache)).unwrap();
        cache.insert(expiring(), Client::new(1)).unwrap();
        drop((cache.get(&expiring()), cache.try_get(&expiring()), cache.peek(&expiring())));
        assert!(cache.contains_key(&expiring()));
        let _ = cache.get_or_try_insert_with_sync(&expiring(), || Ok::<_, Infallible>(Client::new(0)));
        cache.remove_expired();
    });
}

// Proves E2.
#[test]
fn nothing_is_created_for_an_expired_key() {
    let clock = Clock::at(EXPIRY);
    let cache = cache(&clock);
    let (calls, expiring) = (AtomicUsize::new(0), expiring());
    let create = || {
        calls.fetch_add(1, Relaxed);
        Ok::<_, Infallible>(Client::new(1))
    };
    let made = pin!(cache.get_or_try_insert_with(&expiring, async || create()));
    let Poll::Ready(made) = poll(made) else { panic!("the creation is ready at once") };
    assert!(is_expired(&made));
    assert!(is_expired(&cache.get_or_try_insert_with_sync(&expiring, create)));
    assert_eq!((calls.load(Relaxed), cache.check()), (0, Ok(())));
}

// Proves E2, S5.
#[test]
fn all_waiters_are_refused_if_the_key_expires_during_the_creation() {
    let clock = Clock::default();
    let cache = cache(&clock);
    let expiring = expiring();
    let (send, receive) = tokio::sync::oneshot::channel::<()>();
    let create = async || {
        let _ = receive.await;
        Ok::<_, Infallible>(Client::new(1))
    };
    let mut maker = pin!(cache.get_or_try_insert_with(&expiring, create));
    let mut waiter = pin!(cache.get_or_try_insert_with(&expiring, async || Ok::<_, Infallible>(Client::new(2))));
    assert!(poll(maker.as_mut()).is_pending() && poll(waiter.as_mut()).is_pending());
    clock.set(EXPIRY);
    send.send(()).unwrap();
    for refused in [poll(maker), poll(waiter)] {
        assert!(matches!(refused, Poll::Ready(Err(ClientCacheError::CredentialsExpired { .. }))), "{refused:?}");
    }
    assert!(cache.is_empty());
    clock.set(0);
    let client = cache.get_or_try_insert_with_sync(&expiring, || {
        clock.set(EXPIRY);
        Ok::<_, Infallible>(Client::new(3))
    });
    assert!(is_expired(&client) && cache.is_empty());
}

// Proves E2, E3.
#[test]
fn a_waiter_is_refused_if_the_key_has_expired_when_it_wakes() {
    let clock = Clock::default();
    let cache = cache(&clock);
    let expiring = expiring();
    let (send, receive) = tokio::sync::oneshot::channel::<()>();
    let create = async || {
        let _ = receive.await;
        Ok::<_, Infallible>(Client::new(1))
    };
    let mut maker = pin!(cache.get_or_try_insert_with(&expiring, create));
    let mut waiter = pin!(cache.get_or_try_insert_with(&expiring, async || Ok::<_, Infallible>(Client::new(2))));
    assert!(poll(maker.as_mut()).is_pending() && poll(waiter.as_mut()).is_pending());
    send.send(()).unwrap();
    assert!(matches!(poll(maker), Poll::Ready(Ok(Client { id: 1, .. }))));
    clock.set(EXPIRY);
    assert!(matches!(poll(waiter), Poll::Ready(Err(ClientCacheError::CredentialsExpired { .. }))));
    assert!(cache.is_empty(), "E3");
}
