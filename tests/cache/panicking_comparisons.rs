//! Rule P1: a comparison of keys that panics loses neither an evicted client nor a place among waiters.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;

use aws_client_cache::{ClientCache, ClientCacheError, ClientCacheKey, ClientParams};
use futures_util::FutureExt;
use support::fake::{Client, Fake};

thread_local! {
    /// The number of comparisons until one panics.
    static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// A value of a customization that has no hash, so that keys with different values have the same hash.
#[derive(Clone, Eq)]
struct Unhashed(u8);

impl PartialEq for Unhashed {
    fn eq(&self, other: &Self) -> bool {
        let left = LEFT.get();
        LEFT.set(left.and_then(|left| left.checked_sub(1)));
        assert_ne!(left, Some(0), "on purpose");
        self.0 == other.0
    }
}

fn key(number: u8) -> ClientCacheKey<Fake> {
    let params = ClientParams::builder().customize_unhashed("value", Unhashed(number), |builder, _| builder);
    params.build().unwrap().key()
}

/// A cache with one client, and counts of notifications of its listener and of created clients.
struct Watched {
    cache: ClientCache,
    notified: Arc<AtomicU64>,
    created: Arc<AtomicU64>,
}

impl Watched {
    fn new(max_size: usize) -> Self {
        let notified = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&notified);
        let on_evict = move |_: &_, _| {
            count.fetch_add(1, Relaxed);
        };
        let cache = ClientCache::builder().max_size(max_size).on_evict(on_evict).build();
        cache.insert(key(0), Client::new(0)).unwrap();
        Self { cache, notified, created: Arc::default() }
    }

    /// Creates a client, in two polls.
    async fn create(&self, number: u8, is_shared: bool) -> Result<Client, ClientCacheError> {
        let created = Arc::clone(&self.created);
        let create = move || async move {
            let mut polls = 0;
            poll_fn(|context| {
                context.waker().wake_by_ref();
                if mem::replace(&mut polls, 1) == 0 { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
            created.fetch_add(1, Relaxed);
            Ok::<_, Infallible>(Client::new(number.into()))
        };
        if is_shared {
            self.cache.get_or_try_insert_with_shared(&key(number), create).await
        } else {
            self.cache.get_or_try_insert_with(&key(number), create).await
        }
    }

    fn check(&self) {
        self.cache.check().unwrap();
        let stats = self.cache.stats();
        assert_eq!(self.notified.load(Relaxed), stats.evictions);
        assert!(stats.creations <= self.created.load(Relaxed), "{stats:?}");
    }
}

/// Calls `change` with the first comparison of keys panicking, then with the second, and so on.
fn with_each_comparison(change: impl Fn()) {
    for comparison in 0.. {
        LEFT.set(Some(comparison));
        change();
        if LEFT.take().is_some() {
            assert!(comparison > 3, "{comparison}");
            break;
        }
    }
}

/// Returns the result of a call, or `None` if it panics.
fn caught<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

// Proves P1, S8.
#[test]
fn a_creation_loses_neither_its_victim_nor_its_waiters() {
    for (order, is_shared) in [([1, 2, 1, 2], false), ([2, 1, 2, 1], false), ([1, 2, 1, 2], true), ([2, 1, 1, 2], true)]
    {
        with_each_comparison(|| {
            let watched = Watched::new(1);
            let mut creations = order.map(|number| Box::pin(watched.create(number, is_shared)));
            let begun = creations.each_mut().map(|creation| matches!(caught(|| creation.now_or_never()), Some(None)));
            for (creation, _) in creations.iter_mut().zip(begun).filter(|(_, begun)| *begun) {
                caught(|| creation.now_or_never());
            }
            drop(creations);
            watched.check();
        });
    }
}

// Proves P1, S3.
#[test]
fn a_removal_that_panics_revokes_no_creation() {
    for number in [1, 2] {
        with_each_comparison(|| {
            let watched = Watched::new(3);
            let creations = [1, 2].map(|number| Box::pin(watched.create(number, false)));
            let [mut one, mut two] = creations;
            let are_begun = caught(|| (&mut one).now_or_never().is_none() && (&mut two).now_or_never().is_none());
            if are_begun.is_none() {
                return;
            }
            let is_removed = caught(|| watched.cache.remove(&key(number)).is_err()).is_some();
            let left = LEFT.take();
            let created = (one.now_or_never(), two.now_or_never());
            assert!(matches!(created, (Some(Ok(_)), Some(Ok(_)))));
            assert_eq!(watched.cache.contains_key(&key(number)), !is_removed);
            watched.check();
            LEFT.set(left);
        });
    }
}
