//! Rule D12 on the engine and the cache: `retain`, `drain`, `into_iter` and `peek_next_victim`.

use std::collections::HashMap;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

use aws_client_cache::map::EvictingMap;
use aws_client_cache::{
    AnyKey, ClientCache, ClientCacheKey, ClientParams, ClientParamsBuilder, EvictionCause, Region, Service,
};
use aws_client_cache_spec::check::{Callback, Injected, PanicProbe, inject_panic};
use aws_client_cache_spec::{Explore, SystemUnderTest};
use quickcheck::quickcheck;
use support::cache::Cache;
use support::deadlock::without_deadlock;
use support::double_ended;
use support::engine::{Engine, policy};
use support::fake::{self, Client, Fake, Hooks, key};
use support::hashing::Hashing;
use support::history::{History, POLICIES};

/// Applies `more` operations to both, so that use counts show. Returns `true` if both always agree.
fn behave_alike<C: SystemUnderTest<u8, u64>>(one: &mut C, other: &mut C, more: &History) -> bool {
    more.operations.iter().all(|operation| {
        operation.apply(one) == operation.apply(other) && one.items() == other.items() && one.check() == Ok(())
    })
}

quickcheck! {
    // Proves D12.
    fn retain_on_the_engine_equals_single_removals(history: History, kept: Vec<bool>, more: History) -> bool {
        let (mut engine, mut expected) = (history.run(Engine::new), history.run(Engine::new));
        let order = engine.items();
        let judgements: HashMap<u8, bool> = order.iter().map(|(key, _)| *key).zip(kept.into_iter().chain(std::iter::repeat(true))).collect();
        for (key, _) in order.iter().filter(|(key, _)| !judgements[key]) {
            expected.remove(key).unwrap();
        }
        let mut asked = Vec::new();
        engine.0.retain(|key, value| {
            asked.push((*key, *value));
            judgements[key]
        });
        asked == order && engine.items() == expected.items() && behave_alike(&mut engine, &mut expected, &more)
    }

    // Proves D12.
    fn retain_on_the_cache_equals_single_removals(history: History, kept: Vec<bool>, more: History) -> bool {
        let (mut cache, mut expected) = (history.run(Cache::new), history.run(Cache::new));
        let order = cache.items();
        let judgements: HashMap<u8, bool> = order.iter().map(|(key, _)| *key).zip(kept.into_iter().chain(std::iter::repeat(true))).collect();
        let refused: Vec<_> = order.iter().copied().filter(|(key, _)| !judgements[key]).collect();
        for (key, _) in &refused {
            expected.remove(key).unwrap();
        }
        let numbers: HashMap<AnyKey, u8> = order.iter().map(|(number, _)| (cache.key(*number).into(), *number)).collect();
        let mut asked = Vec::new();
        let removed = cache.shared.retain(|key| {
            asked.push(numbers[key]);
            judgements[&numbers[key]]
        });
        let removed: Vec<_> = removed.into_iter().map(|(key, client)| (numbers[&key], client.downcast::<Fake>().unwrap().id)).collect();
        asked == order.iter().map(|(key, _)| *key).collect::<Vec<_>>()
            && removed == refused
            && behave_alike(&mut cache, &mut expected, &more)
    }

    // Proves D7, D12: from both ends, alternating at random.
    fn drain_yields_each_entry_once_in_order_and_empties_the_engine(history: History, ends: Vec<bool>, more: History) -> bool {
        let mut engine = history.run(Engine::new);
        let expected = engine.items();
        let mut empty = Engine::new(history.policy, engine.max_size());
        let mut drained = engine.0.drain();
        let shown = format!("{drained:?}") == format!("{expected:?}");
        let yielded = double_ended::yields(&mut drained, expected, ends);
        shown && yielded && engine.0.is_empty() && behave_alike(&mut engine, &mut empty, &more)
    }

    // Proves D12.
    fn into_iter_yields_the_entries_of_drain(history: History) -> bool {
        let (engine, cache) = (history.run(Engine::new), history.run(Cache::new));
        let (of_engine, of_cache) = (engine.items(), cache.values());
        let from_cache = ClientCache::into_iter(cache.shared.copy()).map(|(_, client)| client.downcast::<Fake>().unwrap().id);
        from_cache.eq(of_cache) && engine.0.into_iter().eq(of_engine)
    }

    // Proves D12.
    fn drain_yields_all_clients_in_order_and_empties_the_cache(history: History) -> bool {
        let cache = history.run(Cache::new);
        let expected = cache.values();
        let drained: Vec<_> = cache.shared.drain().map(|(_, client)| client.downcast::<Fake>().unwrap().id).collect();
        drained == expected && cache.is_empty() && cache.check() == Ok(())
    }

    // Proves D5, D12.
    fn peek_next_victim_shows_the_entry_that_pop_removes_and_counts_no_use(history: History) -> bool {
        let (mut engine, mut cache) = (history.run(Engine::new), history.run(Cache::new));
        loop {
            let (of_engine, of_cache) = (
                engine.0.peek_next_victim().map(|(key, value)| (*key, *value)),
                cache.shared.peek_next_victim().map(|(_, client)| client.downcast::<Fake>().unwrap().id),
            );
            let (popped, popped_from_cache) = (engine.pop().ok(), cache.pop().ok());
            if of_engine != popped || of_cache != popped_from_cache.map(|(_, value)| value) {
                return false;
            }
            if popped.is_none() && popped_from_cache.is_none() {
                return true;
            }
        }
    }
}

// Proves P1: the predicate may panic, and so may the `Drop` of a removed key or value.
#[test]
fn a_panic_leaves_retain_done_or_not_done() {
    let mut blown = 0;
    for spec_policy in POLICIES {
        for callback in Callback::ALL {
            for panics_at in [None, Some(0), Some(3)] {
                for calls in 0.. {
                    let map = EvictingMap::with_hasher(policy(spec_policy), 8, Hashing::Constant);
                    let mut engine = Engine::<PanicProbe<u8>, PanicProbe<u64>, Hashing>(map);
                    for key in 0..6 {
                        engine.insert(PanicProbe::new(key), PanicProbe::new(0)).unwrap();
                    }
                    let fingerprint =
                        |map: &EvictingMap<PanicProbe<u8>, _, _>| map.fingerprint(|key| u64::from(*key.get()), true);
                    let before = fingerprint(&engine.0);
                    let after = {
                        let mut done = engine.fork();
                        done.0.retain(|key, _| key.get() % 2 == 0);
                        fingerprint(&done.0)
                    };
                    let retain = || {
                        engine.0.retain(|key, _| {
                            assert!(panics_at != Some(*key.get()), "the predicate panics");
                            key.get() % 2 == 0
                        });
                    };
                    let burned = inject_panic(callback, calls, retain);
                    assert_eq!(engine.check(), Ok(()));
                    let now = fingerprint(&engine.0);
                    if panics_at.is_some() {
                        assert_eq!(now, before, "a panic of the predicate changes nothing");
                        break;
                    }
                    if burned != Injected::Reached {
                        assert_eq!(now, after);
                        break;
                    }
                    assert_eq!(now, after, "all refused entries are removed if one panics on drop");
                    blown += 1;
                }
            }
        }
    }
    assert_eq!(blown, 6 * POLICIES.len(), "three keys and three values are dropped under each policy");
}

fn of_region(region: &'static str) -> ClientCacheKey<Fake> {
    ClientParams::builder().region(region).build().unwrap().key()
}

// Proves D12.
#[test]
fn retain_removes_all_clients_of_a_region_or_a_credential_scope() {
    let cache = ClientCache::default();
    let of = |name: &str| {
        let keys = aws_client_cache::Credentials::new(name, "secret", None, None, "test");
        ClientParams::<Fake>::builder().credentials(keys)
    };
    let keys = [
        of_region("us-west-2"),
        of("one").region("us-west-2").build().unwrap().key(),
        of("one").region("eu-west-1").build().unwrap().key(),
        of("two").build().unwrap().key(),
    ];
    for key in &keys {
        cache.insert(key.clone(), Client::new(0)).unwrap();
    }
    let one = of("one").build().unwrap().key();
    let removed = cache.retain(|key| !key.derives_credentials_from(&one));
    assert!(removed.iter().map(|(key, _)| key).eq(&[keys[1].clone().into(), keys[2].clone().into()]));
    let removed = cache.retain(|key| key.region() != Some(&Region::new("us-west-2")));
    assert!(removed.iter().map(|(key, _)| key).eq(&[keys[0].clone().into()]));
    assert!(cache.keys().eq([keys[3].clone().into()]));
}

// Proves K1, T6.
#[cfg(feature = "assume-role")]
#[test]
fn credentials_derive_from_every_source_in_their_chain() {
    use aws_client_cache::AssumeRole;
    let role = |name: &str| AssumeRole::new(format!("arn:aws:iam::123456789012:role/{name}"));
    let key = |role: AssumeRole| AnyKey::from(ClientParams::<Fake>::builder().assume_role(role).build().unwrap().key());
    let base = AnyKey::from(ClientParams::<Fake>::builder().build().unwrap().key());
    let anonymous = AnyKey::from(ClientParams::<Fake>::builder().anonymous().build().unwrap().key());
    let (one, two) = (key(role("one")), key(role("two").source_role(role("one"))));
    let three = key(role("three").source_role(role("two").source_role(role("one"))));
    let all = [&base, &one, &two, &three, &anonymous];
    let of = |other: &AnyKey| all.map(|key| key.derives_credentials_from(other));
    assert_eq!(of(&base), [true, true, true, true, false]);
    assert_eq!(of(&one), [false, true, true, true, false]);
    assert_eq!(of(&two), [false, false, true, true, false]);
    assert_eq!(of(&three), [false, false, false, true, false]);
    assert_eq!(of(&anonymous), [false, false, false, false, true]);
    assert_eq!(of(&key(role("two"))), [false; 5], "the same role, assumed with something else");
    let arn = |name: &str| Some(format!("arn:aws:iam::123456789012:role/{name}"));
    let arns = all.map(|key| key.role_arn().map(str::to_owned));
    assert_eq!(arns, [None, arn("one"), arn("two"), arn("three"), None]);
}

// Proves S3.
#[test]
fn a_creation_in_flight_is_not_stored_if_retain_removes_its_key() {
    let cache = ClientCache::default();
    let context = &mut Context::from_waker(Waker::noop());
    let begun = |id| {
        move || async move {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(Client::new(id))
        }
    };
    let (kept, refused) = (key(0), key(1));
    let mut creations =
        [(&kept, 0), (&refused, 1)].map(|(key, id)| Box::pin(cache.get_or_try_insert_with(key, begun(id))));
    for creation in &mut creations {
        assert!(creation.as_mut().poll(context).is_pending());
    }
    assert!(cache.retain(|key| *key == kept.clone().into()).is_empty());
    assert_eq!(cache.check(), Ok(()));
    for (creation, id) in creations.iter_mut().zip(0..) {
        let Poll::Ready(Ok(client)) = creation.as_mut().poll(context) else { panic!("the creation completes") };
        assert_eq!(client.id, id, "the caller receives the client");
    }
    assert!(cache.keys().eq([kept.clone().into()]) && !cache.is_empty());
}

// Proves S3.
#[test]
fn a_creation_in_flight_is_not_stored_if_the_cache_is_drained() {
    let cache = ClientCache::default();
    let context = &mut Context::from_waker(Waker::noop());
    let key = key(0);
    let mut creation = pin!(cache.get_or_try_insert_with(&key, || async {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(Client::new(0))
    }));
    assert!(creation.as_mut().poll(context).is_pending());
    assert_eq!(cache.drain().len(), 0);
    assert!(creation.poll(context).is_ready());
    assert!(cache.is_empty());
}

// Proves C1: when `retain` returns, the predicate has accepted every present key, including those inserted meanwhile.
#[test]
fn the_predicate_of_retain_may_use_the_cache_and_sees_new_keys() {
    without_deadlock(|| {
        let cache = ClientCache::default();
        for number in 0..3 {
            cache.insert(key(number), Client::new(0)).unwrap();
        }
        let mut asked = 0;
        let removed = cache.retain(|judged| {
            asked += 1;
            let _ = cache.insert(key(3), Client::new(0));
            assert!(cache.peek(judged).is_some());
            *judged != key(3).into() && *judged != key(1).into()
        });
        assert_eq!((asked, removed.len(), cache.len()), (4, 2, 2));
        assert!(cache.keys().eq([key(0), key(2)].map(AnyKey::from)));
    });
}

// Proves D12: a key that is both present and in flight is one key.
#[test]
fn retain_asks_once_for_each_key() {
    let (cache, key) = (ClientCache::default(), key(0));
    let mut creation = pin!(cache.get_or_try_insert_with(&key, || async {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(Client::new(1))
    }));
    assert!(creation.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    cache.insert(key.clone(), Client::new(0)).unwrap();
    let mut asked = 0;
    let removed = cache.retain(|_| {
        asked += 1;
        asked > 1
    });
    assert_eq!((asked, removed.len(), cache.len()), (1, 1, 0));
}

// Proves C2, P1: the clones made before the panic are dropped, and their `Drop` may use the cache.
#[test]
fn clients_that_panic_when_cloned_leave_the_cache_unlocked() {
    without_deadlock(|| {
        let cache = Arc::new(ClientCache::default());
        let (weak, clones) = (Arc::downgrade(&cache), AtomicUsize::new(0));
        let hooks = Arc::new(Hooks {
            on_clone: Some(Box::new(move || assert_ne!(clones.fetch_add(1, Relaxed), 1, "the second clone panics"))),
            on_drop: Some(Box::new(move |_| _ = weak.upgrade().map(|cache| cache.len()))),
        });
        for number in 0..2 {
            cache.insert(key(number), Client::with_hooks(0, Arc::clone(&hooks))).unwrap();
        }
        assert!(catch_unwind(AssertUnwindSafe(|| cache.clients::<Fake>())).is_err());
        assert_eq!((cache.len(), cache.check()), (2, Ok(())));
    });
}

// Proves K1, K7: keys of different bases inherit different credentials.
#[test]
fn credentials_of_two_bases_differ() {
    let of = |base: &str, builder: ClientParamsBuilder<Fake>| AnyKey::from(builder.base(base).build().unwrap().key());
    let params = ClientParams::<Fake>::builder;
    let keys = || aws_client_cache::Credentials::new("one", "secret", None, None, "test");
    assert!(!of("7", params()).derives_credentials_from(&of("8", params())));
    assert!(of("7", params().region("eu-west-1")).derives_credentials_from(&of("7", params())));
    assert!(of("7", params().credentials(keys())).derives_credentials_from(&of("8", params().credentials(keys()))));
    #[cfg(feature = "assume-role")]
    {
        let role = || params().assume_role(aws_client_cache::AssumeRole::new("arn:aws:iam::123456789012:role/one"));
        assert!(of("7", role()).derives_credentials_from(&of("7", params())));
        assert!(!of("7", role()).derives_credentials_from(&of("8", role())), "assumed with another base's");
        let by_keys = || role().credentials(keys());
        assert!(of("7", by_keys()).derives_credentials_from(&of("8", by_keys())));
    }
}

// Proves C2: the listener is not notified, and no client is dropped under the lock.
#[test]
fn retain_and_drain_notify_no_listener() {
    without_deadlock(|| {
        let cache: Arc<ClientCache> = Arc::new_cyclic(|cache: &std::sync::Weak<ClientCache>| {
            let cache = cache.clone();
            let listener = move |_: &_, _: EvictionCause| {
                let _ = cache.upgrade();
                panic!("the listener is notified");
            };
            ClientCache::builder().on_evict(listener).build()
        });
        let weak = Arc::downgrade(&cache);
        let on_drop = move |_| {
            if let Some(cache) = weak.upgrade() {
                let _ = cache.len();
            }
        };
        let hooks = Arc::new(Hooks { on_drop: Some(Box::new(on_drop)), ..Hooks::default() });
        for number in 0..4 {
            cache.insert(key(number), Client::with_hooks(0, Arc::clone(&hooks))).unwrap();
        }
        assert_eq!(cache.retain(|judged| *judged != key(2).into()).len(), 1);
        assert_eq!(cache.drain().len(), 3);
    });
}

/// Another service with the same clients.
enum Other {}

impl Service for Other {
    type Client = Client;
    type ConfigBuilder = fake::ConfigBuilder;
    const NAME: &'static str = "Other";

    fn config_builder(config: &aws_client_cache::SdkConfig) -> fake::ConfigBuilder {
        Fake::config_builder(config)
    }

    fn client(config: fake::ConfigBuilder) -> Client {
        Fake::client(config)
    }

    fn region(client: &Client) -> Option<&Region> {
        Fake::region(client)
    }
}

// Proves D12.
#[test]
fn the_clients_of_a_service_are_those_of_its_marker_in_order() {
    let cache = ClientCache::default();
    let other = |number: u8| ClientParams::<Other>::builder().base(number.to_string()).build().unwrap().key();
    for number in 0..3 {
        cache.insert(key(number), Client::new(number.into())).unwrap();
        cache.insert(other(number), Client::new(10 + u64::from(number))).unwrap();
    }
    cache.get(&key(0));
    let clients = cache.clients::<Fake>();
    assert_eq!((clients.len(), clients.size_hint()), (3, (3, Some(3))));
    assert_eq!(
        format!("{clients:?}"),
        "[ClientCacheKey(Fake(base=1)), ClientCacheKey(Fake(base=2)), ClientCacheKey(Fake(base=0))]"
    );
    let numbers = |clients: &mut dyn Iterator<Item = (ClientCacheKey<Fake>, Client)>| -> Vec<_> {
        clients.map(|(key, client)| (key, client.id)).collect()
    };
    let expected = [(key(1), 1), (key(2), 2), (key(0), 0)];
    assert_eq!(numbers(&mut clients.clone()), expected);
    let mut reversed = numbers(&mut clients.rev());
    reversed.reverse();
    assert_eq!(reversed, expected);
    assert!(cache.clients::<Other>().map(|(_, client)| client.id).eq([10, 11, 12]));
    assert!(ClientCache::default().clients::<Fake>().next().is_none());
}
