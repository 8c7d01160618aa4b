//! Rules S1 to S9 on `ClientCache`: the level of creation, and tests on a runtime.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use aws_client_cache::{ClientCache, ClientCacheError, ClientCacheKey, ClientParams, EvictionPolicy, Service};
use aws_client_cache_spec::creation::{Scheduled, Schedules, Violation, creation};
use aws_client_cache_spec::{Model, Policy as SpecPolicy};
use support::creation_adapter::CreationAdapter;
use support::deadlock::without_deadlock;
use support::fake::{Client, Fake, Hooks, key};
use support::report::report;

fn claim(policy: SpecPolicy, schedules: Schedules) -> Result<Scheduled, Violation> {
    let Schedules { max_size, is_shared, .. } = schedules;
    let cache = CreationAdapter::new(policy, max_size);
    let model = |max_size| Model::new(policy, max_size);
    creation(schedules, model, || cache.empty(policy, max_size).sharing(is_shared))
}

fn assert_goes_by_the_rules(policy: SpecPolicy, schedules: Schedules, number: usize) {
    let Scheduled { schedules: tried, steps, .. } = claim(policy, schedules).unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(tried, number, "{schedules:?}");
    let Schedules { max_size, callers, depth, merge, is_shared } = schedules;
    let merged = if merge { ", equivalent ones counted once" } else { "" };
    let shared = if is_shared { ", shared creations" } else { "" };
    report(
        "creation",
        format!("cache, {policy:?}, {callers} callers, a bound of {max_size}, {depth} steps{shared}{merged}"),
        format!("{tried} schedules, {steps} steps"),
    );
}

// Proves every rule S.
// The numbers are exact, so that the test fails if the search loses a part of its scope.
#[test]
fn every_short_schedule_follows_the_rules() {
    let two = Schedules { callers: 2, depth: 5, merge: false, ..Schedules::new() };
    let three = Schedules { callers: 3, depth: 5, ..two };
    let at_zero = Schedules { max_size: 0, depth: 5, ..two };
    let one = Schedules { max_size: 1, depth: 5, ..two };
    let shared = Schedules { is_shared: true, ..three };
    let shared_at_zero = Schedules { is_shared: true, ..at_zero };
    let led = [(two, 364_103), (three, 366_724), (at_zero, 374_414)];
    for (schedules, number) in led.into_iter().chain([(shared, 366_584), (shared_at_zero, 374_255)]) {
        assert_goes_by_the_rules(SpecPolicy::Lfu, schedules, number);
    }
    assert_goes_by_the_rules(SpecPolicy::Lru, one, 364_523);
}

// Proves every rule S.
#[test]
fn longer_schedules_follow_the_rules() {
    for (callers, depth, is_shared, number) in [(2, 8, false, 151_960), (3, 8, false, 311_385), (3, 8, true, 372_959)] {
        let schedules = Schedules { callers, depth, merge: true, is_shared, ..Schedules::new() };
        assert_goes_by_the_rules(SpecPolicy::Lfu, schedules, number);
    }
}

fn make(id: u64) -> std::future::Ready<Result<Client, Infallible>> {
    std::future::ready(Ok(Client::new(id)))
}

/// Requests key 0 from many tasks concurrently, with a creation that yields.
///
/// Returns the number of creations, and the results of the tasks.
async fn ask_from_tasks(fail: bool) -> (usize, Vec<Result<u64, Arc<dyn Error + Send + Sync>>>) {
    const CALLERS: usize = 1_000;
    let cache = Arc::new(ClientCache::default());
    let began = Arc::new(AtomicUsize::new(0));
    let start = Arc::new(tokio::sync::Barrier::new(CALLERS));
    let tasks: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (cache, began, start) = (Arc::clone(&cache), Arc::clone(&began), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                let create = || async {
                    let number = began.fetch_add(1, Relaxed) as u64;
                    // Long enough for all other callers to join.
                    for _ in 0..10 * CALLERS {
                        tokio::task::yield_now().await;
                    }
                    if fail { Err(io::Error::other(number.to_string())) } else { Ok(Client::new(number)) }
                };
                match cache.get_or_try_insert_with(&key(0), create).await {
                    Ok(client) => Ok(client.id),
                    Err(ClientCacheError::CreationFailed { source, .. }) => Err(source),
                    Err(other) => panic!("{other}"),
                }
            })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    assert_eq!(cache.check(), Ok(()));
    assert_eq!(cache.len(), usize::from(!fail), "S5: a failure is not cached");
    (began.load(Relaxed), results)
}

async fn a_thousand_callers_share_one_creation() {
    let (began, results) = ask_from_tasks(false).await;
    assert_eq!(began, 1);
    assert!(results.into_iter().all(|result| result.is_ok_and(|id| id == 0)));
}

async fn a_thousand_callers_share_one_failure() {
    let (began, results) = ask_from_tasks(true).await;
    assert_eq!(began, 1);
    let errors: Vec<_> = results.into_iter().map(Result::unwrap_err).collect();
    assert!(errors.iter().all(|error| Arc::ptr_eq(error, &errors[0])), "S5: one shared error");
    assert_eq!(errors[0].downcast_ref::<io::Error>().map(ToString::to_string).as_deref(), Some("0"));
}

// Proves S5.
#[tokio::test]
async fn on_one_thread_a_thousand_callers_share_one_creation() {
    a_thousand_callers_share_one_creation().await;
}

// Proves S5.
#[tokio::test]
async fn on_one_thread_a_thousand_callers_share_one_failure() {
    a_thousand_callers_share_one_failure().await;
}

// Proves S5.
#[tokio::test(flavor = "multi_thread")]
async fn on_many_threads_a_thousand_callers_share_one_creation() {
    a_thousand_callers_share_one_creation().await;
}

// Proves S5.
#[tokio::test(flavor = "multi_thread")]
async fn on_many_threads_a_thousand_callers_share_one_failure() {
    a_thousand_callers_share_one_failure().await;
}

/// Polls without a runtime.
fn poll<T>(future: Pin<&mut (impl Future<Output = T> + ?Sized)>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

// Proves S5.
#[test]
fn different_keys_are_created_concurrently() {
    let cache = ClientCache::default();
    let (zero, one) = (key(0), key(1));
    let mut stuck = pin!(cache.get_or_try_insert_with(&zero, std::future::pending::<Result<Client, Infallible>>));
    assert!(poll(stuck.as_mut()).is_pending());
    let other = pin!(cache.get_or_try_insert_with(&one, || make(1)));
    assert!(matches!(poll(other), Poll::Ready(Ok(Client { id: 1, .. }))));
}

// Proves S7.
#[test]
fn the_sync_variant_does_not_wait_for_a_creation_in_flight() {
    without_deadlock(|| {
        let cache = ClientCache::default();
        let zero = key(0);
        let mut stuck = pin!(cache.get_or_try_insert_with(&zero, std::future::pending::<Result<Client, Infallible>>));
        assert!(poll(stuck.as_mut()).is_pending());
        let made = cache.get_or_try_insert_with_sync(&zero, || Ok::<_, Infallible>(Client::new(7)));
        assert_eq!(made.unwrap().id, 7);
    });
}

// Proves C3: if a lock were held across the `await`, this would hang.
#[test]
fn a_creation_may_use_the_cache_and_create_another() {
    without_deadlock(|| {
        let cache = ClientCache::default();
        let (zero, one) = (key(0), key(1));
        let create = || async {
            tokio::task::yield_now().await;
            assert!(!cache.contains_key(&zero), "S1");
            let inner = cache.get_or_try_insert_with(&one, || make(1)).await.unwrap();
            Ok::<_, Infallible>(Client::new(inner.id + 1))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let client = runtime.block_on(cache.get_or_try_insert_with(&zero, create)).unwrap();
        assert_eq!((client.id, cache.len()), (2, 2));
    });
}

/// Requests a key with either method.
fn request<'a>(
    cache: &'a ClientCache,
    key: &'a ClientCacheKey<Fake>,
    is_shared: bool,
    create: impl Future<Output = Result<Client, Infallible>> + Send + 'static,
) -> Pin<Box<dyn Future<Output = Result<Client, ClientCacheError>> + 'a>> {
    if is_shared {
        Box::pin(cache.get_or_try_insert_with_shared(key, || create))
    } else {
        Box::pin(cache.get_or_try_insert_with(key, || create))
    }
}

// Proves K6, S5, S9.
#[test]
fn all_waiters_share_a_region_mismatch() {
    let cache = ClientCache::default();
    let key = ClientParams::<Fake>::builder().region("us-west-2").build().unwrap().key();
    for (is_shared, is_other_shared) in [(false, false), (false, true), (true, false), (true, true)] {
        let (send, receive) = tokio::sync::oneshot::channel::<()>();
        let create = async {
            let _ = receive.await;
            Ok(Client::in_region(1, "us-east-1"))
        };
        let mut one = request(&cache, &key, is_shared, create);
        let mut other = request(&cache, &key, is_other_shared, make(2));
        assert!(poll(one.as_mut()).is_pending() && poll(other.as_mut()).is_pending());
        send.send(()).unwrap();
        for refused in [poll(one.as_mut()), poll(other.as_mut())] {
            assert!(matches!(refused, Poll::Ready(Err(ClientCacheError::ClientMismatch { .. }))), "{refused:?}");
        }
        assert!(cache.is_empty());
    }
    let refused = cache.get_or_try_insert_with_sync(&key, || Ok::<_, Infallible>(Client::in_region(1, "us-east-1")));
    assert!(matches!(refused, Err(ClientCacheError::ClientMismatch { .. })), "K6: {refused:?}");
}

// Proves S8, C2, P1: the creation has completed when callers' code runs.
#[test]
fn a_panicking_listener_affects_only_the_leader() {
    let cache = ClientCache::builder().max_size(0).on_evict(|_, _| panic!("a listener")).build();
    let zero = key(0);
    let (send, receive) = tokio::sync::oneshot::channel::<()>();
    let create = || async {
        let _ = receive.await;
        make(1).await
    };
    let mut maker = pin!(cache.get_or_try_insert_with(&zero, create));
    let mut waiter = pin!(cache.get_or_try_insert_with(&zero, || make(2)));
    assert!(poll(maker.as_mut()).is_pending() && poll(waiter.as_mut()).is_pending());
    send.send(()).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| poll(maker))).is_err());
    assert!(matches!(poll(waiter), Poll::Ready(Ok(Client { id: 1, .. }))), "S6");
    assert_eq!(cache.check(), Ok(()));
}

// Proves S2, P1.
#[test]
fn a_panicking_drop_of_a_created_client_affects_only_the_leader() {
    let cache = ClientCache::default();
    let zero = key(0);
    let (send, receive) = tokio::sync::oneshot::channel::<()>();
    let on_drop: Box<dyn Fn(u64) + Send + Sync> = Box::new(|_| panic!("a drop"));
    let create = || async {
        let _ = receive.await;
        Ok::<_, Infallible>(Client::with_hooks(1, Arc::new(Hooks { on_clone: None, on_drop: Some(on_drop) })))
    };
    let mut maker = pin!(cache.get_or_try_insert_with(&zero, create));
    let mut waiter = pin!(cache.get_or_try_insert_with(&zero, || make(2)));
    assert!(poll(maker.as_mut()).is_pending() && poll(waiter.as_mut()).is_pending());
    cache.insert(zero.clone(), Client::new(3)).unwrap();
    send.send(()).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| poll(maker))).is_err());
    assert!(matches!(poll(waiter), Poll::Ready(Ok(Client { id: 3, .. }))));
    assert_eq!(cache.check(), Ok(()));
}

// Proves P1: at a `max_size` of 0, only the caller is left with the client.
#[test]
fn a_panicking_drop_leaks_no_created_client() {
    for max_size in 0..2 {
        for variant in 0..3 {
            // Some drop of the client panics, then a later one, until there are no more.
            let panicked = (0..10).take_while(|calm| a_drop_panics(max_size, variant, *calm)).count();
            assert!((1..10).contains(&panicked), "variant {variant}: {panicked}");
        }
    }
}

/// Creates a client whose drop panics after `calm` other drops. Returns `true` if a call panicked.
fn a_drop_panics(max_size: usize, variant: usize, calm: usize) -> bool {
    let drops = AtomicUsize::new(0);
    let on_drop: Box<dyn Fn(u64) + Send + Sync> =
        Box::new(move |_| assert_ne!(drops.fetch_add(1, Relaxed), calm, "a drop"));
    let hooks = Arc::new(Hooks { on_clone: None, on_drop: Some(on_drop) });
    let cache = ClientCache::new(EvictionPolicy::Lru, max_size);
    let (key, of_client) = (key(0), Arc::clone(&hooks));
    let client = move || Ok::<_, Infallible>(Client::with_hooks(1, of_client));
    let created = catch_unwind(AssertUnwindSafe(|| match variant {
        0 => cache.get_or_try_insert_with_sync(&key, client).is_ok(),
        1 => poll(pin!(cache.get_or_try_insert_with(&key, || async { client() }))).is_ready(),
        _ => poll(pin!(cache.get_or_try_insert_with_shared(&key, || async { client() }))).is_ready(),
    }));
    let cleared = catch_unwind(AssertUnwindSafe(|| cache.clear()));
    assert_eq!(Arc::strong_count(&hooks), 1, "variant {variant}, after {calm} drops");
    created.is_err() || cleared.is_err()
}

// Proves S8, C2.
#[test]
fn the_listener_may_use_the_cache_during_a_creation() {
    without_deadlock(|| {
        let cell = Arc::new(OnceLock::<std::sync::Weak<ClientCache>>::new());
        let seen = Arc::clone(&cell);
        let listener = move |_: &_, _| {
            let cache = seen.get().unwrap().upgrade().unwrap();
            assert_eq!(cache.len(), 1);
            let _ = cache.get_or_try_insert_with_sync(&key(1), || Ok::<_, Infallible>(Client::new(1)));
        };
        let cache = Arc::new(ClientCache::builder().max_size(1).on_evict(listener).build());
        cell.set(Arc::downgrade(&cache)).unwrap();
        cache.insert(key(0), Client::new(0)).unwrap();
        let one = key(1);
        let made = pin!(cache.get_or_try_insert_with(&one, || make(1)));
        assert!(matches!(poll(made), Poll::Ready(Ok(Client { id: 1, .. }))));
    });
}

// The future is `Send` if that of `create` is.
#[test]
fn a_creation_can_be_spawned_from_generic_code() {
    fn spawn<S: Service, F, Fut, E>(cache: Arc<ClientCache>, key: ClientCacheKey<S>, create: F) -> impl Future + Send
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<S::Client, E>> + Send,
        E: Into<Box<dyn Error + Send + Sync>> + Send,
    {
        async move { cache.get_or_try_insert_with(&key, create).await }
    }
    fn spawn_shared<S: Service, F, Fut, E>(
        cache: Arc<ClientCache>,
        key: ClientCacheKey<S>,
        create: F,
    ) -> impl Future + Send
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<S::Client, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
    {
        async move { cache.get_or_try_insert_with_shared(&key, create).await }
    }
    let spawned = pin!(spawn(Arc::default(), key(0), || make(1)));
    assert!(poll(spawned).is_ready());
    let spawned = pin!(spawn_shared(Arc::default(), key(0), || make(1)));
    assert!(poll(spawned).is_ready());
}

/// A creation that ends when a number is sent to it.
async fn waits_for(receive: tokio::sync::oneshot::Receiver<u64>) -> Result<Client, Infallible> {
    Ok(Client::new(receive.await.unwrap_or_else(|_| panic!("nothing was sent"))))
}

// Proves S9.
#[test]
fn a_shared_creation_is_driven_by_callers_of_both_methods() {
    let (cache, zero) = (ClientCache::default(), key(0));
    let (send, receive) = tokio::sync::oneshot::channel();
    let mut first = pin!(cache.get_or_try_insert_with_shared(&zero, || waits_for(receive)));
    let mut other = pin!(cache.get_or_try_insert_with(&zero, || make(2)));
    let mut last = pin!(cache.get_or_try_insert_with_shared(&zero, || make(3)));
    assert!(poll(first.as_mut()).is_pending() && poll(other.as_mut()).is_pending() && poll(last.as_mut()).is_pending());
    send.send(1).unwrap();
    // The first caller is kept, and not polled.
    assert!(matches!(poll(other), Poll::Ready(Ok(Client { id: 1, .. }))));
    assert!(matches!(poll(last), Poll::Ready(Ok(Client { id: 1, .. }))));
    assert!(matches!(poll(first), Poll::Ready(Ok(Client { id: 1, .. }))));
    assert_eq!((cache.stats().creations, cache.check()), (1, Ok(())));
}

// Proves S9.
#[test]
fn the_shared_variant_joins_a_creation_of_the_other_method() {
    let (cache, zero) = (ClientCache::default(), key(0));
    let mut leader = Box::pin(cache.get_or_try_insert_with(&zero, std::future::pending::<Result<Client, Infallible>>));
    let mut waiter = pin!(cache.get_or_try_insert_with_shared(&zero, || make(2)));
    assert!(poll(leader.as_mut()).is_pending() && poll(waiter.as_mut()).is_pending());
    drop(leader);
    assert!(matches!(poll(waiter), Poll::Ready(Ok(Client { id: 2, .. }))), "S5");
    assert_eq!(cache.check(), Ok(()));
}

// Proves S5, S9.
#[test]
fn a_failure_of_the_shared_variant_that_takes_over_is_that_of_its_own_creation() {
    let (cache, zero) = (ClientCache::default(), key(0));
    let mut leader = Box::pin(cache.get_or_try_insert_with(&zero, std::future::pending::<Result<Client, Infallible>>));
    let fails = || std::future::ready(Err::<Client, _>(io::Error::other("no route")));
    let mut waiter = pin!(cache.get_or_try_insert_with_shared(&zero, fails));
    assert!(poll(leader.as_mut()).is_pending() && poll(waiter.as_mut()).is_pending());
    drop(leader);
    let Poll::Ready(Err(error)) = poll(waiter) else { panic!("the creation fails") };
    assert!(matches!(&error, ClientCacheError::CreationFailed { key, .. } if *key == zero.clone().into()), "{error:?}");
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("no route"));
    assert_eq!((cache.stats().failures, cache.check()), (1, Ok(())));
}

// Proves K4, O3, S9.
#[test]
fn a_panic_of_a_shared_creation_is_an_error_of_all_waiters_that_shows_no_secret() {
    let (cache, zero) = (ClientCache::default(), key(0));
    let (send, receive) = tokio::sync::oneshot::channel::<u64>();
    let mut first = pin!(cache.get_or_try_insert_with_shared(&zero, || waits_for(receive)));
    let mut other = pin!(cache.get_or_try_insert_with_shared(&zero, || make(2)));
    assert!(poll(first.as_mut()).is_pending() && poll(other.as_mut()).is_pending());
    drop(send);
    for failed in [poll(first), poll(other)] {
        let Poll::Ready(Err(error)) = failed else { panic!("{failed:?}") };
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("the creation panicked"));
        assert!(!format!("{error} {error:?}").contains("nothing was sent"));
    }
    assert_eq!((cache.stats().failures, cache.check()), (1, Ok(())));
}

// Proves S5: each leaves under the lock, so that one of them is the last.
#[test]
fn callers_that_give_up_together_leave_nothing_behind() {
    const ROUNDS: usize = 20_000;
    let (cache, barrier) = (ClientCache::default(), std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let zero = key(0);
                for _ in 0..ROUNDS {
                    let never = std::future::pending::<Result<Client, Infallible>>;
                    let mut call = Box::pin(cache.get_or_try_insert_with(&zero, never));
                    assert!(poll(call.as_mut()).is_pending());
                    barrier.wait();
                    drop(call);
                    barrier.wait();
                    assert_eq!(cache.check(), Ok(()));
                    barrier.wait();
                }
            });
        }
    });
}
