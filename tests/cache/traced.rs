//! Rule O4: the events and spans of a cache.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use aws_client_cache::{ClientCache, ClientCacheError, ClientCacheKey, ClientParams, Credentials, EvictionPolicy};
use support::clock::{Clock, time};
use support::fake::{Client, Fake, expiring_key, key};
use support::recorder::{enable_events, events_of};
use tokio::sync::oneshot;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

// Proves O4.
#[test]
fn creations_refusals_and_evictions_are_events_with_labels() {
    let cache = ClientCache::new(EvictionPolicy::Lru, 1);
    let events = events_of(|| {
        cache.insert(key(0), Client::new(0)).unwrap();
        cache.insert(key(0), Client::new(0)).unwrap_err();
        let make = || {
            tracing::debug!("makes it");
            Ok::<_, Infallible>(Client::new(1))
        };
        cache.get_or_try_insert_with_sync(&key(1), make).unwrap();
        cache.get_or_try_insert_with_sync(&key(1), make).unwrap();
        cache.get(&key(2));
        cache.set_max_size(0);
        cache.remove(&key(1)).unwrap_err();
    });
    assert_eq!(
        events,
        [
            "refused error=a client is already cached under Fake(base=0)",
            "{create_client key=Fake(base=1)} makes it",
            "created key=Fake(base=1)",
            "evicted key=Fake(base=0) cause=Capacity",
            "evicted key=Fake(base=1) cause=Shrunk",
        ]
    );
}

// Proves O4.
// The span is entered whenever the creation is polled, and exited whenever it is pending.
#[test]
fn events_of_a_creation_are_within_its_span() {
    let cache = ClientCache::default();
    let events = events_of(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let make = |id| {
                move || async move {
                    tracing::debug!("begins");
                    tokio::task::yield_now().await;
                    tracing::debug!("ends");
                    Ok::<_, Infallible>(Client::new(id))
                }
            };
            let (one, two) = (key(1), key(2));
            let (one, two) =
                tokio::join!(biased; cache.get_or_try_insert_with(&one, make(1)), cache.get_or_try_insert_with(&two, make(2)));
            one.unwrap();
            two.unwrap();
        });
    });
    let of = |number, what| format!("{{create_client key=Fake(base={number})}} {what}");
    let expected = [
        of(1, "begins"),
        of(2, "begins"),
        of(1, "ends"),
        "created key=Fake(base=1)".to_owned(),
        of(2, "ends"),
        "created key=Fake(base=2)".to_owned(),
    ];
    assert_eq!(events, expected);
}

// Proves K4, O4: events contain neither secrets nor the text of callers' errors.
#[test]
fn events_of_failures_contain_no_secrets() {
    let clock = Clock::default();
    let cache = ClientCache::builder().time_source(clock.clone()).build();
    let keys = Credentials::new("AKIDEXAMPLE", "the secret", Some("the token".into()), Some(time(10)), "test");
    let expiring = ClientParams::<Fake>::builder().credentials(keys).build().unwrap().key();
    let events = events_of(|| {
        let fail = || Err(io::Error::other("the secret"));
        cache.get_or_try_insert_with_sync(&expiring, fail).unwrap_err();
        cache.insert(expiring.clone(), Client::new(0)).unwrap();
        clock.set(10);
        assert!(cache.get(&expiring).is_none());
        cache.insert(expiring.clone(), Client::new(0)).unwrap_err();
        let make = || Ok::<_, Infallible>(Client::new(0));
        cache.get_or_try_insert_with_sync(&expiring, make).unwrap_err();
    });
    assert_eq!(
        events,
        [
            format!("failed error=failed to create a client for {expiring}"),
            format!("expired key={expiring}"),
            format!("refused error=the credentials of {expiring} have expired"),
            format!("refused error=the credentials of {expiring} have expired"),
        ]
    );
    let label = expiring.to_string();
    assert!(!["AKID", "secret", "token"].iter().any(|secret| label.contains(secret)), "{label}");
}

// Proves K4, O4.
#[test]
fn a_panic_of_a_shared_creation_is_an_event_without_its_message() {
    let (cache, zero) = (ClientCache::default(), key(0));
    let mut events = events_of(|| {
        let panics = || async { panic!("the secret") };
        let mut create = pin!(cache.get_or_try_insert_with_shared::<_, _, _, Infallible>(&zero, panics));
        let polled = create.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Err(_))), "{polled:?}");
    });
    // The panic hook of `shuttle` emits an event too.
    events.retain(|event| !event.starts_with("TRACE "));
    assert_eq!(events, ["failed error=failed to create a client for Fake(base=0)"]);
}

// Proves E3, O3, O4.
#[test]
fn a_shared_creation_of_a_key_that_expires_has_failed() {
    let clock = Clock::default();
    let cache = ClientCache::builder().time_source(clock.clone()).build();
    let key = expiring_key(0, time(10));
    let events = events_of(|| {
        let (clock, mut context) = (clock.clone(), std::task::Context::from_waker(Waker::noop()));
        let create = || async move {
            clock.set(10);
            Ok::<_, Infallible>(Client::new(0))
        };
        let mut created = pin!(cache.get_or_try_insert_with_shared(&key, create));
        let polled = created.as_mut().poll(&mut context);
        assert!(matches!(polled, Poll::Ready(Err(ClientCacheError::CredentialsExpired { .. }))), "{polled:?}");
    });
    assert_eq!(events, [format!("failed error=the credentials of {key} have expired")]);
    assert_eq!((cache.stats().creations, cache.stats().failures), (0, 1));
}

type Caller<'a> = Pin<Box<dyn Future<Output = Result<Client, ClientCacheError>> + 'a>>;

/// Returns two callers of one shared creation, and a sender that lets it end.
fn two_callers<'a>(cache: &'a ClientCache, key: &'a ClientCacheKey<Fake>) -> (oneshot::Sender<()>, [Caller<'a>; 2]) {
    let (open, opened) = oneshot::channel();
    let callers = [Some(opened), None].map(|opened| -> Caller<'a> {
        let create = || async {
            opened.expect("only the first caller creates").await.expect("it is opened");
            Ok::<_, Infallible>(Client::new(0))
        };
        Box::pin(cache.get_or_try_insert_with_shared(key, create))
    });
    (open, callers)
}

// Proves E3, O4.
#[test]
fn a_waiter_of_a_shared_creation_reports_an_expiry_once() {
    for is_revoked in [false, true] {
        let clock = Clock::default();
        let cache = ClientCache::builder().time_source(clock.clone()).build();
        let key = expiring_key(0, time(10));
        let events = events_of(|| {
            let mut context = std::task::Context::from_waker(Waker::noop());
            let (open, [mut one, mut two]) = two_callers(&cache, &key);
            assert!(one.as_mut().poll(&mut context).is_pending() && two.as_mut().poll(&mut context).is_pending());
            if is_revoked {
                cache.clear();
            }
            open.send(()).unwrap();
            assert!(one.as_mut().poll(&mut context).is_ready());
            clock.set(10);
            let polled = two.as_mut().poll(&mut context);
            assert_eq!(matches!(polled, Poll::Ready(Ok(_))), is_revoked, "{polled:?}");
        });
        let refused = format!("refused error=the credentials of {key} have expired");
        let after = if is_revoked { vec![] } else { vec![format!("expired key={key}"), refused] };
        assert_eq!(events, [vec![format!("created key={key}")], after].concat());
    }
}

// Proves O4, C2.
#[test]
fn a_subscriber_may_use_the_cache() {
    struct Uses(Arc<ClientCache>);

    impl<S: Subscriber> Layer<S> for Uses {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            let _ = (self.0.len(), self.0.stats());
        }
    }

    support::deadlock::without_deadlock(|| {
        let cache = Arc::new(ClientCache::new(EvictionPolicy::Lru, 1));
        let subscriber = tracing_subscriber::registry().with(Uses(Arc::clone(&cache)));
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..3 {
                cache.insert(key(number), Client::new(0)).unwrap();
            }
            cache.insert(key(2), Client::new(0)).unwrap_err();
            cache.get_or_try_insert_with_sync(&key(0), || Ok::<_, Infallible>(Client::new(0))).unwrap();
            cache.set_max_size(0);
        });
    });
}

// Proves C2, S9.
#[test]
fn a_subscriber_that_panics_about_a_span_fails_its_creation_for_all() {
    /// Panics when a span begins or ends.
    struct Panics(bool);

    impl<S: Subscriber> Layer<S> for Panics {
        fn on_new_span(&self, _: &tracing::span::Attributes<'_>, _: &tracing::Id, _: Context<'_, S>) {
            assert!(!self.0, "a subscriber");
        }

        fn on_close(&self, _: tracing::Id, _: Context<'_, S>) {
            assert!(self.0, "a subscriber");
        }
    }

    enable_events();
    for at_begin in [true, false] {
        let (cache, zero) = (ClientCache::default(), key(0));
        let (open, mut callers) = two_callers(&cache, &zero);
        let subscriber = tracing_subscriber::registry().with(Panics(at_begin));
        tracing::subscriber::with_default(subscriber, || {
            let mut context = std::task::Context::from_waker(Waker::noop());
            if !at_begin {
                assert!(callers.iter_mut().all(|caller| caller.as_mut().poll(&mut context).is_pending()));
                open.send(()).unwrap();
            }
            for caller in &mut callers {
                let polled = caller.as_mut().poll(&mut context);
                assert!(matches!(polled, Poll::Ready(Err(ClientCacheError::CreationFailed { .. }))), "{polled:?}");
            }
        });
        assert_eq!(cache.check(), Ok(()));
        assert!(cache.is_empty());
    }
}

// Proves C2: the panic reaches the caller, and the listener is still notified.
#[test]
fn a_subscriber_may_panic() {
    struct Panics;

    impl<S: Subscriber> Layer<S> for Panics {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            panic!("a subscriber");
        }
    }

    let notified = Arc::new(Mutex::new(0));
    let listener = Arc::clone(&notified);
    let cache = ClientCache::builder().on_evict(move |_, _| *listener.lock().unwrap() += 1).build();
    for number in 0..3 {
        cache.insert(key(number), Client::new(0)).unwrap();
    }
    enable_events();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(Panics), || {
        let shrink = std::panic::AssertUnwindSafe(|| cache.set_max_size(1));
        assert!(std::panic::catch_unwind(shrink).is_err());
        let (zero, create) = (key(0), || async { Ok::<_, Infallible>(Client::new(0)) });
        let mut created = pin!(cache.get_or_try_insert_with_shared(&zero, create));
        let mut context = std::task::Context::from_waker(Waker::noop());
        let poll = std::panic::AssertUnwindSafe(|| created.as_mut().poll(&mut context));
        assert!(std::panic::catch_unwind(poll).is_err());
    });
    assert_eq!((*notified.lock().unwrap(), cache.len(), cache.check()), (2, 1, Ok(())));
}
