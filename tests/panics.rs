//! P1: a panic in a caller's code loses no other entry, corrupts nothing and poisons nothing.

mod support;

/// In the engine: in many states, for every operation, every call of `Hash`, `Eq`, `Clone` and `Drop` panics once.
mod the_engine {
    use std::cell::Cell;
    use std::hash::{Hash, Hasher};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use aws_client_cache::map::EvictingMap;
    use aws_client_cache_spec::{Model, Operation, Subject, step};
    use quickcheck::{Arbitrary, Gen};

    use crate::support::engine::{Engine, policy};
    use crate::support::hashing::Hashing;
    use crate::support::history::{History, POLICIES};

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Callback {
        Hash,
        Eq,
        Clone,
        Drop,
    }

    thread_local! {
        /// Which callback is to panic, and how many calls of it from now.
        static FUSE: Cell<Option<(Callback, usize)>> = const { Cell::new(None) };
        /// Keys and values that were made and not yet dropped.
        static ALIVE: Cell<isize> = const { Cell::new(0) };
    }

    fn called(callback: Callback) {
        match FUSE.get() {
            Some((armed, 0)) if armed == callback => {
                FUSE.set(None);
                std::panic::resume_unwind(Box::new("the fuse")); // no message, as `panic!` would print
            }
            Some((armed, calls)) if armed == callback => FUSE.set(Some((armed, calls - 1))),
            _ => {}
        }
    }

    /// A key or a value whose every callback may be armed.
    #[derive(Debug)]
    struct Fused<T>(T);

    impl<T> Fused<T> {
        fn new(inner: T) -> Self {
            ALIVE.set(ALIVE.get() + 1);
            Self(inner)
        }
    }

    impl<T: Hash> Hash for Fused<T> {
        fn hash<H: Hasher>(&self, state: &mut H) {
            called(Callback::Hash);
            self.0.hash(state);
        }
    }

    impl<T: PartialEq> PartialEq for Fused<T> {
        fn eq(&self, other: &Self) -> bool {
            called(Callback::Eq);
            self.0 == other.0
        }
    }

    impl<T: Eq> Eq for Fused<T> {}

    impl<T: Clone> Clone for Fused<T> {
        fn clone(&self) -> Self {
            called(Callback::Clone);
            Self::new(self.0.clone())
        }
    }

    impl<T> Drop for Fused<T> {
        fn drop(&mut self) {
            ALIVE.set(ALIVE.get() - 1);
            called(Callback::Drop);
        }
    }

    type Key = Fused<u8>;
    type Value = Fused<u64>;

    fn fused(operation: &Operation<u8, u64>) -> Operation<Key, Value> {
        let key = |key: &u8| Fused::new(*key);
        match operation {
            Operation::Insert(k, value) => Operation::Insert(key(k), Fused::new(*value)),
            Operation::Get(k) => Operation::Get(key(k)),
            Operation::TryGet(k) => Operation::TryGet(key(k)),
            Operation::Peek(k) => Operation::Peek(key(k)),
            Operation::ContainsKey(k) => Operation::ContainsKey(key(k)),
            Operation::Remove(k) => Operation::Remove(key(k)),
            Operation::Pop => Operation::Pop,
            Operation::Clear => Operation::Clear,
            Operation::Copy => Operation::Copy,
            Operation::SetMaxSize(max_size) => Operation::SetMaxSize(*max_size),
        }
    }

    fn operations() -> Vec<Operation<u8, u64>> {
        let about = |key| {
            [
                Operation::Insert(key, 1_000),
                Operation::Get(key),
                Operation::TryGet(key),
                Operation::Peek(key),
                Operation::ContainsKey(key),
                Operation::Remove(key),
            ]
        };
        let sizes = (0..4).map(Operation::SetMaxSize);
        let others = [Operation::Pop, Operation::Clear, Operation::Copy];
        (0..12).flat_map(about).chain(sizes).chain(others).collect()
    }

    fn contents(engine: &Engine<Key, Value>) -> Vec<(u8, u64)> {
        engine.0.iter().map(|(key, value)| (key.0, value.0)).collect()
    }

    /// Arms the fuse, does the operation, and looks at what is left. Whether the fuse blew.
    fn blow(history: &History, operation: &Operation<u8, u64>, callback: Callback, calls: usize) -> bool {
        let mut model = history.run(Model::new);
        let before = model.items();
        let alive = ALIVE.get();

        let mut engine = Engine::<Key, Value>::new(history.policy, history.max_size);
        for operation in &history.operations {
            fused(operation).apply(&mut engine);
        }
        let fused_operation = fused(operation);
        FUSE.set(Some((callback, calls)));
        let result = catch_unwind(AssertUnwindSafe(|| drop(fused_operation.apply(&mut engine))));
        FUSE.set(None);
        drop(fused_operation);

        let at = || format!("{callback:?} call {calls} of {operation:?} after {history:?}");
        assert_eq!(engine.check(), Ok(()), "{}", at());
        let after = contents(&engine);
        if after != before || engine.max_size() != model.max_size() {
            // What was not left as it was is as the operation would have left it.
            operation.apply(&mut model);
            assert_eq!(after, model.items(), "{}", at());
            assert_eq!(engine.max_size(), model.max_size(), "{}", at());
        }
        assert_eq!(ALIVE.get() - alive, 2 * isize::try_from(after.len()).unwrap(), "leaks: {}", at());
        drop(engine);
        assert_eq!(ALIVE.get(), alive, "leaks: {}", at());
        result.is_err()
    }

    #[test]
    fn whatever_callback_panics_the_map_is_as_before_the_call_or_as_after_it() {
        let mut g = Gen::new(24);
        let mut blown = 0;
        for policy in POLICIES {
            for _ in 0..12 {
                let history = History { policy, ..History::arbitrary(&mut g) };
                for operation in operations() {
                    for callback in [Callback::Hash, Callback::Eq, Callback::Clone, Callback::Drop] {
                        let mut calls = 0;
                        while blow(&history, &operation, callback, calls) {
                            calls += 1;
                        }
                        blown += calls;
                    }
                }
            }
        }
        assert!(blown > 1_000, "only {blown} panics were caused");
    }

    #[test]
    fn a_map_goes_on_after_a_panic_while_it_grows() {
        for policy in POLICIES {
            let mut engine = Engine::<Key, Value>::new(policy, 1_000);
            let mut plain = Engine::<u8, u64>::new(policy, 1_000);
            let mut model = Model::new(policy, 1_000);
            for key in 0..=255 {
                // Rebuilding the index hashes every key: whichever call panics, nothing is lost.
                FUSE.set(Some((Callback::Hash, usize::from(key) / 2)));
                let insert = AssertUnwindSafe(|| engine.0.insert(Fused::new(key), Fused::new(0)).is_ok());
                let inserted = catch_unwind(insert).unwrap_or_default();
                FUSE.set(None);
                assert_eq!(engine.check(), Ok(()));
                if inserted {
                    step(&mut plain, &mut model, &Operation::Insert(key, 0)).unwrap();
                }
                assert_eq!(contents(&engine), model.items());
            }
            assert!(model.len() > 100, "most insertions only hash the newcomer");
        }
    }

    #[test]
    fn a_full_map_goes_on_after_a_panic_while_its_index_is_rebuilt() {
        for spec_policy in POLICIES {
            let map = EvictingMap::with_hasher(policy(spec_policy), 30, Hashing::Identity);
            let mut engine: Engine<Fused<u64>, Fused<u64>, Hashing> = Engine(map);
            let contents = |engine: &Engine<Fused<u64>, Fused<u64>, Hashing>| {
                engine.0.iter().map(|(key, _)| key.0).collect::<Vec<_>>()
            };
            let mut blown = 0;
            for key in 0..4_000 {
                let before = contents(&engine);
                // The newcomer's own hash is call 0: call 1 is only made by a rebuild.
                FUSE.set(Some((Callback::Hash, 1)));
                let insert = AssertUnwindSafe(|| engine.0.insert(Fused::new(key), Fused::new(0)).is_ok());
                let inserted = catch_unwind(insert);
                FUSE.set(None);
                assert_eq!(engine.check(), Ok(()));
                if inserted.is_err() {
                    blown += usize::from(key > 60);
                    assert_eq!(contents(&engine), before);
                    engine.0.insert(Fused::new(key), Fused::new(0)).unwrap();
                }
            }
            assert!(blown > 4, "the index of a full map was rebuilt {blown} times");
        }
    }
}

/// In the cache: clients that panic when they are cloned or dropped, keys that panic when they are compared, and
/// listeners that panic.
mod the_cache {
    use std::hash::{Hash, Hasher};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
    use std::sync::{Arc, Mutex};

    use aws_client_cache::{
        ClientCache, ClientCacheError, ClientCacheKey, ClientParams, EvictionCause, EvictionPolicy,
    };

    use crate::support::deadlock::without_deadlock;
    use crate::support::fake::{Client, Fake, Hooks, key};

    fn panics<T>(call: impl FnOnce() -> T) -> bool {
        catch_unwind(AssertUnwindSafe(call)).is_err()
    }

    fn ids(cache: &ClientCache) -> Vec<u64> {
        assert_eq!(cache.check(), Ok(()));
        cache.values().map(|client| client.downcast_ref::<Fake>().unwrap().id).collect()
    }

    #[test]
    fn a_client_that_panics_when_cloned_stays_cached_and_the_cache_goes_on() {
        for policy in [EvictionPolicy::Lru, EvictionPolicy::Lfu] {
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

    #[test]
    fn clients_that_panic_when_dropped_are_gone_and_the_cache_goes_on() {
        // Every way out of the cache drops a client that panics at its last drop.
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

    #[test]
    fn a_listener_that_panics_is_told_of_every_victim_first() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let listener = Arc::clone(&told);
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
        assert_eq!(told.lock().unwrap().split_off(0), shrunk);
        assert_eq!(ids(&cache), [3]);

        assert!(catch_unwind(|| cache.insert(key(9), Client::new(9))).is_err());
        assert_eq!(told.lock().unwrap().split_off(0), [(3, EvictionCause::Capacity)]);
        assert_eq!(ids(&cache), [9]);
    }

    static COMPARING_PANICS: AtomicBool = AtomicBool::new(false);
    static DROPPED: AtomicUsize = AtomicUsize::new(0);

    /// Part of a key by its `Eq`.
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
        assert!(panics(|| cache.insert(touchy_key(), Client::with_hooks(3, Arc::new(hooks)))));
        COMPARING_PANICS.store(false, Relaxed);

        assert_eq!(DROPPED.load(Relaxed), 1);
        assert_eq!(ids(&cache), [1, 2]);
        let refused = cache.insert(touchy_key(), Client::new(3));
        assert!(matches!(refused, Err(ClientCacheError::AlreadyExists { .. })));
    }
}
