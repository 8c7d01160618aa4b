//! Rule P1: a panic in a caller's code loses no other entry, corrupts nothing and poisons nothing.

/// Panics in the engine: each call of `Hash`, `Eq`, `Clone` and `Drop` panics once.
///
/// The searches do this for every operation in every state of small scopes.
mod the_engine {
    use aws_client_cache::map::EvictingMap;
    use aws_client_cache_spec::check::{Callback, Injected, PanicProbe, Panicked, inject_panic, panics, step};
    use aws_client_cache_spec::model::OperationKinds;
    use aws_client_cache_spec::{Model, Operation, Policy, Scope, SystemUnderTest};

    use support::engine::{Engine, policy};
    use support::hashing::Hashing;
    use support::history::POLICIES;
    use support::report::report;

    type Key = PanicProbe<u8>;
    type Value = PanicProbe<u64>;

    /// An adapter that loses the override of an operation loses its answers.
    const ANSWERED: OperationKinds = OperationKinds::WITHOUT_EXPIRY;

    /// A policy, with the count at which its counts saturate.
    type Counting = (Policy, u64);

    fn all_panics(scope: Scope, (spec_policy, max_uses): Counting, hashing: Hashing) -> Panicked {
        let map = |max_size| EvictingMap::with_max_uses(policy(spec_policy), max_size, hashing, max_uses);
        let new = |max_size| Engine::<Key, Value, Hashing>(map(max_size));
        let model = |max_size| Model::with_max_uses(spec_policy, max_size, max_uses);
        let done = panics(scope, model, new).unwrap_or_else(|found| panic!("{found}"));
        let Scope { max_size, keys, .. } = scope;
        let what = format!("engine, {spec_policy:?}, {keys} keys, bounds up to {max_size}, hashing {hashing:?}");
        report("panic safety", what, format!("{} states, {} panics", done.states, done.panics));
        done
    }

    // Proves P1.
    // The counts are exact, so that the test fails if the search loses a part of its scope.
    #[test]
    fn a_panic_leaves_the_map_as_before_or_after_the_call_in_every_state() {
        let lru = (Scope::new(3, 4), (Policy::Lru, 1));
        let lfu = (Scope::new(2, 3), (Policy::Lfu, 2));
        let lfuda = (Scope::new(2, 3), (Policy::Lfuda, 2));
        let cases = [
            (lru, Hashing::Constant, Panicked { states: 1_336, panics: 323_304, answered: ANSWERED }),
            (lru, Hashing::Identity, Panicked { states: 292, panics: 57_660, answered: ANSWERED }),
            (lfu, Hashing::Constant, Panicked { states: 315, panics: 42_213, answered: ANSWERED }),
            (lfu, Hashing::Identity, Panicked { states: 171, panics: 21_081, answered: ANSWERED }),
            (lfuda, Hashing::Constant, Panicked { states: 591, panics: 75_561, answered: ANSWERED }),
            (lfuda, Hashing::Identity, Panicked { states: 327, panics: 38_187, answered: ANSWERED }),
        ];
        for ((scope, counting), hashing, done) in cases {
            assert_eq!(all_panics(scope, counting, hashing), done, "{counting:?} {hashing:?}");
        }
    }

    #[test]
    #[ignore = "long: cargo test --test engine panics -- --ignored"]
    fn a_panic_leaves_the_map_as_before_or_after_the_call_in_larger_scopes() {
        let lru = (Scope::new(4, 5), (Policy::Lru, 1));
        let lfu = (Scope::new(3, 4), (Policy::Lfu, 2));
        let lfuda = (Scope::new(3, 4), (Policy::Lfuda, 2));
        let cases = [
            (lru, Hashing::Constant, Panicked { states: 93_345, panics: 41_103_885, answered: ANSWERED }),
            (lru, Hashing::Identity, Panicked { states: 4_785, panics: 1_748_405, answered: ANSWERED }),
            (lfu, Hashing::Constant, Panicked { states: 18_560, panics: 4_728_000, answered: ANSWERED }),
            (lfu, Hashing::Identity, Panicked { states: 3_512, panics: 761_736, answered: ANSWERED }),
            (lfuda, Hashing::Constant, Panicked { states: 26_332, panics: 6_473_916, answered: ANSWERED }),
            (lfuda, Hashing::Identity, Panicked { states: 5_176, panics: 1_076_424, answered: ANSWERED }),
        ];
        for ((scope, counting), hashing, done) in cases {
            assert_eq!(all_panics(scope, counting, hashing), done, "{counting:?} {hashing:?}");
        }
    }

    fn contents(engine: &Engine<Key, Value>) -> Vec<u64> {
        engine.0.fingerprint(|key| u64::from(*key.get()), false)
    }

    // Proves P1: all hashes are computed before the first entry is removed.
    #[test]
    fn a_map_is_usable_after_a_panic_while_it_shrinks() {
        type Shrink = fn(&mut Engine<Key, Value>);
        let ways: [(&str, Shrink); 4] = [
            ("set_max_size", |engine| drop(engine.0.set_max_size(5))),
            ("retain", |engine| engine.0.retain(|key, _| *key.get() < 5)),
            ("pop", |engine| drop(engine.0.pop())),
            ("remove", |engine| {
                let last = engine.0.keys().next_back().cloned();
                drop(last.and_then(|last| engine.0.remove(&last)));
            }),
        ];
        for policy in POLICIES {
            for (name, shrink) in ways {
                let mut blown = 0;
                let alive = Key::alive();
                let mut engine = Engine::<Key, Value>::new(policy, 300);
                for key in 0..200 {
                    engine.0.insert(PanicProbe::new(key), PanicProbe::new(0)).unwrap();
                }
                while engine.0.len() > 5 {
                    let state = |engine: &Engine<Key, Value>| (engine.0.max_size(), contents(engine));
                    let before = state(&engine);
                    // `remove` itself hashes the key once.
                    for calls in usize::from(name == "remove").. {
                        let burned = inject_panic(Callback::Hash, calls, || shrink(&mut engine));
                        assert_eq!(engine.check(), Ok(()));
                        if burned != Injected::Reached {
                            break;
                        }
                        blown += 1;
                        assert_eq!(state(&engine), before, "{policy:?} {name}: call {calls} panics");
                    }
                    assert!(engine.0.len() < before.1.len());
                }
                assert!(blown >= 5, "{policy:?} {name}: {blown} hashes panicked");
                drop(engine);
                assert_eq!(Key::alive(), alive, "{policy:?} {name}: a leak");
            }
        }
    }

    // Proves P1.
    #[test]
    fn a_map_is_usable_after_a_panic_while_it_grows() {
        for policy in POLICIES {
            let mut engine = Engine::<Key, Value>::new(policy, 1_000);
            let mut plain = Engine::<u8, u64>::new(policy, 1_000);
            let mut model = Model::new(policy, 1_000);
            for key in 0..=255 {
                // Rebuilding the index hashes every key. No entry is lost, whichever call panics.
                let insert = || engine.0.insert(PanicProbe::new(key), PanicProbe::new(0)).is_ok();
                let inserted = inject_panic(Callback::Hash, usize::from(key) / 2, insert);
                assert_eq!(engine.check(), Ok(()));
                if inserted == Injected::NotReached(true) {
                    step(&mut plain, &mut model, &Operation::Insert(key, 0)).unwrap();
                }
                let contents: Vec<_> = engine.0.iter().map(|(key, value)| (*key.get(), *value.get())).collect();
                assert_eq!(contents, model.items());
            }
            assert!(model.len() > 100, "most insertions only hash the newcomer");
        }
    }

    // Proves P1.
    #[test]
    fn a_full_map_is_usable_after_a_panic_while_its_index_is_rebuilt() {
        for spec_policy in POLICIES {
            let map = EvictingMap::with_hasher(policy(spec_policy), 30, Hashing::Identity);
            let mut engine: Engine<PanicProbe<u64>, PanicProbe<u64>, Hashing> = Engine(map);
            let contents = |engine: &Engine<PanicProbe<u64>, PanicProbe<u64>, Hashing>| {
                engine.0.iter().map(|(key, _)| *key.get()).collect::<Vec<_>>()
            };
            let mut blown = 0;
            for key in 0..4_000 {
                let before = contents(&engine);
                // Call 0 hashes the new key. Only a rebuild makes call 1.
                let insert = || engine.0.insert(PanicProbe::new(key), PanicProbe::new(0)).is_ok();
                let inserted = inject_panic(Callback::Hash, 1, insert);
                assert_eq!(engine.check(), Ok(()));
                if inserted == Injected::Reached {
                    blown += usize::from(key > 60);
                    assert_eq!(contents(&engine), before);
                    engine.0.insert(PanicProbe::new(key), PanicProbe::new(0)).unwrap();
                }
            }
            assert!(blown > 4, "the table of a full map was rebuilt {blown} times");
        }
    }
}

/// Panics in the cache: when a client is cloned or dropped, when a key is compared, and in a listener.
mod the_cache {
    use std::hash::{Hash, Hasher};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
    use std::sync::{Arc, Mutex, OnceLock, Weak};

    use aws_client_cache::{
        ClientCache, ClientCacheError, ClientCacheKey, ClientParams, EvictionCause, EvictionPolicy,
    };
    use aws_client_cache_spec::check::{Callback, Injected, PanicProbe, inject_panic};
    use aws_client_cache_spec::model::OperationKinds;
    use aws_client_cache_spec::{self as spec, Operation, Scope};

    use support::cache::MISSING;
    use support::deadlock::without_deadlock;
    use support::fake::{Client, Fake, Hooks, key};
    use support::probe_cache::ProbeCache;
    use support::report::report;

    // Proves P1.
    // Symmetry makes the number of states independent of the hashes of keys.
    #[test]
    fn a_panic_leaves_the_cache_as_before_or_after_the_call_in_every_state() {
        let every = Scope { symmetric: true, ..Scope::new(6, 7) };
        let deep = Scope { symmetric: true, depth: 6, ..Scope::new(2, 3) };
        for (policy, scope, states) in
            [(spec::Policy::Lru, every, 28), (spec::Policy::Lfu, deep, 69), (spec::Policy::Lfuda, deep, 169)]
        {
            let new = |max_size| ProbeCache::new(policy, max_size);
            let done = spec::check::panics(scope, |max_size| spec::Model::new(policy, max_size), new);
            let done = done.unwrap_or_else(|found| panic!("{found}"));
            // The number of comparisons depends on the hashes of keys, which differ in each process.
            assert!(done.states == states && done.panics > 1_000, "{policy:?}: {done:?}");
            let of_cache = OperationKinds::WITHOUT_EXPIRY.minus(MISSING);
            assert_eq!(done.answered, of_cache, "{policy:?}");
            let Scope { max_size, keys, .. } = scope;
            let what = format!("cache, {policy:?}, {keys} keys, bounds up to {max_size}");
            report("panic safety", what, format!("{} states, {} panics", done.states, done.panics));
        }
    }

    // Proves P1.
    // The search above does not cover this: its states share their clients, so that no drop is the last one.
    #[test]
    fn nothing_leaks_if_a_removed_key_or_client_panics_when_dropped() {
        for key in [0, 1] {
            let ways_out = [
                Operation::Remove(key),
                Operation::Pop,
                Operation::Clear,
                Operation::SetMaxSize(0),
                Operation::Insert(key, 2),
                Operation::Insert(2, 2),
            ];
            for operation in ways_out {
                let mut blown = 0;
                for calls in 0.. {
                    let mut cache = ProbeCache::new(spec::Policy::Lru, 1);
                    let alive = PanicProbe::<u8>::alive();
                    Operation::Insert(PanicProbe::new(key), PanicProbe::new(1)).apply(&mut cache);
                    let probes = operation.clone().map(PanicProbe::new, PanicProbe::new);
                    let burned = inject_panic(Callback::Drop, calls, || drop(probes.apply(&mut cache)));
                    Operation::Clear.apply(&mut cache);
                    drop(probes);
                    assert_eq!(PanicProbe::<u8>::alive(), alive, "call {calls} in {operation:?}");
                    if burned != Injected::Reached {
                        break;
                    }
                    blown += 1;
                }
                assert!(blown > 0, "{operation:?} drops nothing");
            }
        }
    }

    fn panics<T>(call: impl FnOnce() -> T) -> bool {
        catch_unwind(AssertUnwindSafe(call)).is_err()
    }

    fn ids(cache: &ClientCache) -> Vec<u64> {
        assert_eq!(cache.check(), Ok(()));
        cache.values().map(|client| client.downcast_ref::<Fake>().unwrap().id).collect()
    }

    // Proves P1.
    #[test]
    fn a_client_that_panics_when_cloned_stays_in_a_usable_cache() {
        for policy in EvictionPolicy::ALL.iter().copied() {
            let armed = Arc::new(AtomicBool::new(false));
            let hook = Arc::clone(&armed);
            let hooks =
                Hooks { on_clone: Some(Box::new(move || assert!(!hook.load(Relaxed), "cloned"))), on_drop: None };
            let cache = ClientCache::new(policy, 2);
            cache.insert(key(1), Client::with_hooks(1, Arc::new(hooks))).unwrap();
            cache.insert(key(2), Client::new(2)).unwrap();

            armed.store(true, Relaxed);
            assert!(panics(|| cache.get(&key(1))));
            assert!(panics(|| cache.peek(&key(1))));
            armed.store(false, Relaxed);

            let mut held = ids(&cache);
            held.sort_unstable();
            assert_eq!(held, [1, 2]);
            assert_eq!(cache.get(&key(1)).unwrap().id, 1);
            assert!(cache.insert(key(3), Client::new(3)).unwrap().is_some());
        }
    }

    // Proves P1.
    #[test]
    fn clients_that_panic_when_dropped_are_removed_from_a_usable_cache() {
        // Each kind of removal drops a client that panics at its last drop.
        let ways: [fn(&ClientCache); 5] = [
            |cache| cache.clear(),
            |cache| drop(cache.remove(&key(1))),
            |cache| drop(cache.pop_item()),
            |cache| drop(cache.set_max_size(0)),
            |cache| drop(cache.insert(key(2), Client::new(2))),
        ];
        for (number, way) in ways.into_iter().enumerate() {
            let hooks =
                Hooks { on_clone: None, on_drop: Some(Box::new(|_| assert!(std::thread::panicking(), "dropped"))) };
            let cache = ClientCache::new(EvictionPolicy::Lru, 1);
            cache.insert(key(1), Client::with_hooks(1, Arc::new(hooks))).unwrap();

            assert!(panics(|| way(&cache)), "way {number}");
            assert!(!cache.contains_key(&key(1)), "way {number}");
            cache.set_max_size(1);
            cache.clear();
            cache.insert(key(1), Client::new(3)).unwrap();
            assert_eq!(ids(&cache), [3], "way {number}");
        }
    }

    // Proves C2.
    #[test]
    fn a_panicking_listener_is_notified_of_every_victim_first() {
        let notified = Arc::new(Mutex::new(Vec::new()));
        let listener = Arc::clone(&notified);
        let cache = ClientCache::builder()
            .on_evict(move |evicted, cause| {
                let id = evicted.client.downcast_ref::<Fake>().unwrap().id;
                listener.lock().unwrap().push((id, cause));
                std::panic::resume_unwind(Box::new(id));
            })
            .build();
        for number in 0..4 {
            cache.insert(key(number), Client::new(number.into())).unwrap();
        }
        let panic = catch_unwind(|| cache.set_max_size(1)).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&0_u64), "the first panic goes on");
        let shrunk = [0, 1, 2].map(|id| (id, EvictionCause::Shrunk));
        assert_eq!(notified.lock().unwrap().split_off(0), shrunk);
        assert_eq!(ids(&cache), [3]);

        assert!(catch_unwind(|| drop(cache.insert(key(9), Client::new(9)))).is_err());
        assert_eq!(notified.lock().unwrap().split_off(0), [(3, EvictionCause::Capacity)]);
        assert_eq!(ids(&cache), [9]);
    }

    // Proves C2, P1.
    // The first notification evicts further clients, of which one panics when it is dropped.
    #[test]
    fn a_pending_victim_that_panics_when_dropped_stops_no_notification() {
        let notified = Arc::new(Mutex::new(Vec::new()));
        let cell = Arc::new(OnceLock::<Weak<ClientCache>>::new());
        let (listener, within) = (Arc::clone(&notified), Arc::clone(&cell));
        let cache = ClientCache::builder().max_size(1).on_evict(move |evicted, _| {
            let id = evicted.client.downcast_ref::<Fake>().unwrap().id;
            listener.lock().unwrap().push(id);
            let cache = within.get().and_then(Weak::upgrade).unwrap();
            if id == 0 {
                drop(cache.insert(key(2), Client::new(2)));
                drop(cache.insert(key(3), Client::new(3)));
            }
        });
        let cache = Arc::new(cache.build());
        cell.set(Arc::downgrade(&cache)).unwrap();
        let hooks = Hooks { on_clone: None, on_drop: Some(Box::new(|_| assert!(std::thread::panicking(), "dropped"))) };
        cache.insert(key(0), Client::new(0)).unwrap();
        let panicking = Client::with_hooks(1, Arc::new(hooks));
        assert!(catch_unwind(AssertUnwindSafe(|| drop(cache.insert(key(1), panicking)))).is_err());
        assert_eq!(notified.lock().unwrap().split_off(0), [0, 1, 2]);
        drop(cache.insert(key(4), Client::new(4)));
        assert_eq!(notified.lock().unwrap().split_off(0), [3]);
    }

    static COMPARING_PANICS: AtomicBool = AtomicBool::new(false);
    static DROPPED: AtomicUsize = AtomicUsize::new(0);

    /// A customization value whose `Eq` can be made to panic.
    #[derive(Clone)]
    struct Touchy;

    impl Hash for Touchy {
        fn hash<H: Hasher>(&self, _: &mut H) {}
    }

    impl PartialEq for Touchy {
        fn eq(&self, _: &Self) -> bool {
            assert!(!COMPARING_PANICS.load(Relaxed), "compared");
            true
        }
    }

    impl Eq for Touchy {}

    fn touchy_key() -> ClientCacheKey<Fake> {
        let params = ClientParams::builder().customize_with("touchy", Touchy, |builder, _| builder).build();
        params.unwrap().key()
    }

    // Proves P1.
    #[test]
    fn a_key_that_panics_when_compared_changes_nothing_and_its_client_is_dropped_outside_the_lock() {
        without_deadlock(comparing_panics);
    }

    fn comparing_panics() {
        let cache = Arc::new(ClientCache::new(EvictionPolicy::Lfu, 2));
        cache.insert(touchy_key(), Client::new(1)).unwrap();
        cache.insert(key(2), Client::new(2)).unwrap();

        COMPARING_PANICS.store(true, Relaxed);
        assert!(panics(|| cache.get(&touchy_key())));
        assert!(panics(|| cache.contains_key(&touchy_key())));
        assert!(panics(|| cache.remove(&touchy_key())));
        let reentrant = Arc::downgrade(&cache);
        let hooks = Hooks {
            on_clone: None,
            on_drop: Some(Box::new(move |_| {
                reentrant.upgrade().unwrap().len(); // a deadlock, if the lock is held
                DROPPED.fetch_add(1, Relaxed);
            })),
        };
        assert!(panics(|| drop(cache.insert(touchy_key(), Client::with_hooks(3, Arc::new(hooks))))));
        COMPARING_PANICS.store(false, Relaxed);

        assert_eq!(DROPPED.load(Relaxed), 1);
        assert_eq!(ids(&cache), [1, 2]);
        let refused = cache.insert(touchy_key(), Client::new(3)).unwrap_err();
        assert!(matches!(refused.error, ClientCacheError::AlreadyExists { .. }));
    }
}
