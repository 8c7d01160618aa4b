//! Counterexamples: panics are among them, and they print as tests that compile.

use std::fmt::{Debug, Display};
use std::fs;
use std::path::Path;

use aws_client_cache_spec::{
    Broken, CounterExample, CreationFault, EvictionPolicy, Explore, Fault, Fused, InsertionMode, Model, Names,
    Operation, Random, Reference, Refusal, Schedules, Scope, Step, Subject, Threads, bounded, closure, creation, dict,
    linearizable, order, panics,
};

const POLICY: EvictionPolicy = EvictionPolicy::Lfu;
const EXPIRY: &[(u8, u64)] = &[(0, 1)];

/// Each file is what a level prints, and compiles where `new` creates a cache.
///
/// Here the cache has no fault, so that the printed tests pass.
mod printed {
    mod dict {
        use super::super::plain as new;

        include!("printed/dict.rs");
    }

    mod order {
        use super::super::plain as new;

        include!("printed/order.rs");
    }

    mod every_state {
        use super::super::plain as new;

        include!("printed/every_state.rs");
    }

    mod panics {
        use super::super::fused as new;

        include!("printed/panics.rs");
    }

    mod creation {
        use super::super::creates as new;

        include!("printed/creation.rs");
    }
}

fn plain(max_size: usize) -> Broken<u8, u64> {
    broken(None, max_size)
}

fn fused(max_size: usize) -> Broken<Fused<u8>, Fused<u64>> {
    broken(None, max_size)
}

fn creates() -> Reference {
    Reference::new(None, POLICY, 2)
}

fn broken<K: Clone + Eq + From<u8>, V: Clone>(fault: impl Into<Option<Fault>>, max_size: usize) -> Broken<K, V> {
    let broken = Broken::new(fault, POLICY, max_size, 3).with_insertion(InsertionMode::Replace);
    EXPIRY.iter().fold(broken, |broken, (key, at)| broken.with_expiry(K::from(*key), *at))
}

/// Compares the printed test with the file that is compiled above.
///
/// With `WRITE_PRINTED=1`, writes the file.
fn is_printed(name: &str, found: &(impl Display + Debug)) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/printed").join(name).with_extension("rs");
    if std::env::var_os("WRITE_PRINTED").is_some() {
        fs::write(&file, found.to_string()).unwrap();
    }
    assert_eq!(found.to_string(), fs::read_to_string(file).unwrap());
    assert_eq!(format!("{found:?}"), found.to_string(), "`unwrap` prints the test");
}

#[test]
fn every_level_prints_a_test_that_compiles() {
    let random = Random { insertion: InsertionMode::Replace, expiry: EXPIRY, max_uses: 3, ..Random::new(POLICY) };
    is_printed("dict", &dict(random, |max_size| broken(Fault::ExpiredIsAHit, max_size)).unwrap_err());
    is_printed("order", &order(random, |max_size| broken(Fault::ReplacementIsAUse, max_size)).unwrap_err());
    let scope = Scope { insertion: InsertionMode::Replace, expiry: EXPIRY, ..Scope::new(POLICY, 2, 3) };
    is_printed("every_state", &closure(scope, |max_size| broken(Fault::EvictsExpiredFirst, max_size)).unwrap_err());
    is_printed("panics", &panics(scope, |max_size| broken(Fault::ReplacementDropsInside, max_size)).unwrap_err());
    let schedules = Schedules::new();
    let new = || Reference::new(CreationFault::RemovalIsForgotten, schedules.policy, schedules.max_size);
    is_printed("creation", &creation(schedules, new).unwrap_err());
}

/// Calls differ in each run, so the printed test is compared with no file.
#[test]
fn calls_without_an_order_print_their_imports() {
    let new = |max_size| std::sync::Mutex::new(Model::<u8, u64>::new(EvictionPolicy::Lru, max_size));
    let found = linearizable(Threads::new(EvictionPolicy::Lfu), new).unwrap_err();
    assert_eq!(format!("{found:?}"), found.to_string());
    assert!(found.to_string().contains("\nuse aws_client_cache_spec::{Call, EvictionPolicy, History, "), "{found}");
}

/// A cache that panics in one of its operations.
#[derive(Clone)]
struct Panics(Model<u8, u64>, In);

#[derive(Clone, Copy, Debug, PartialEq)]
enum In {
    Get,
    Peek,
    Check,
}

impl Panics {
    fn when(&self, place: In) {
        assert!(self.1 != place || self.len() < 2, "two\nentries");
    }
}

impl Subject<u8, u64> for Panics {
    fn insert(&mut self, key: u8, value: u64) -> Result<Option<(u8, u64)>, Refusal> {
        self.0.insert(key, value)
    }

    fn get(&mut self, key: &u8) -> Option<u64> {
        self.when(In::Get);
        self.0.get(key)
    }

    fn peek(&self, key: &u8) -> Option<u64> {
        self.when(In::Peek);
        self.0.peek(key)
    }

    fn remove(&mut self, key: &u8) -> Result<u64, Refusal> {
        self.0.remove(key)
    }

    fn max_size(&self) -> usize {
        self.0.max_size()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn items(&self) -> Vec<(u8, u64)> {
        self.0.items()
    }

    fn check(&self) -> Result<(), String> {
        self.when(In::Check);
        Ok(())
    }
}

impl Explore<u8, u64> for Panics {
    fn fork(&self) -> Self {
        self.clone()
    }

    fn fingerprint(&self, names: Names<'_, u8>) -> Vec<u64> {
        self.0.fingerprint(names)
    }
}

#[test]
fn a_cache_that_panics_is_refused_by_a_shrunk_test_that_shows_the_message() {
    let (random, scope) = (Random::new(EvictionPolicy::Lru), Scope::new(EvictionPolicy::Lru, 2, 3));
    for place in [In::Get, In::Peek, In::Check] {
        let new = |max_size| Panics(Model::new(EvictionPolicy::Lru, max_size), place);
        let found: [CounterExample; 4] = [
            dict(random, new).unwrap_err(),
            order(random, new).unwrap_err(),
            closure(scope, new).unwrap_err(),
            bounded(Scope { depth: 3, ..scope }, new).unwrap_err(),
        ];
        for found in found {
            let [Operation::Insert(..), Operation::Insert(..), rest @ ..] = found.operations() else {
                panic!("{found}");
            };
            assert!(matches!((place, rest), (In::Get, [Operation::Get(_)]) | (In::Peek | In::Check, [])), "{found}");
            assert!(found.to_string().contains("the cache panics: two entries (spec/tests/"), "{found}");
        }
    }
}

#[test]
fn a_cache_that_panics_beside_an_injected_panic_is_refused() {
    #[derive(Clone)]
    struct Poisoned(Model<Fused<u8>, Fused<u64>>, bool);

    impl Subject<Fused<u8>, Fused<u64>> for Poisoned {
        fn insert(&mut self, key: Fused<u8>, value: Fused<u64>) -> Result<Option<(Fused<u8>, Fused<u64>)>, Refusal> {
            self.0.insert(key, value)
        }

        fn get(&mut self, key: &Fused<u8>) -> Option<Fused<u64>> {
            assert!(!std::mem::replace(&mut self.1, true), "poisoned");
            let found = self.0.get(key);
            self.1 = false;
            found
        }

        fn remove(&mut self, key: &Fused<u8>) -> Result<Fused<u64>, Refusal> {
            self.0.remove(key)
        }

        fn max_size(&self) -> usize {
            self.0.max_size()
        }

        fn len(&self) -> usize {
            self.0.len()
        }

        fn items(&self) -> Vec<(Fused<u8>, Fused<u64>)> {
            self.0.items()
        }
    }

    impl Explore<Fused<u8>, Fused<u64>> for Poisoned {
        fn fork(&self) -> Self {
            self.clone()
        }
    }

    let new = |max_size| Poisoned(Model::new(EvictionPolicy::Lru, max_size), false);
    let found = panics(Scope::new(EvictionPolicy::Lru, 1, 2), new).unwrap_err();
    assert!(found.to_string().contains("the cache panics: poisoned"), "{found}");
}

/// Some caches lose everything when a present key is put.
#[test]
fn a_cache_that_clears_when_a_present_key_is_put_fails_in_every_mode() {
    for fault in [Fault::PresentKeyClears, Fault::PresentKeyRemovesOthers] {
        for (policy, insertion) in
            EvictionPolicy::ALL.into_iter().flat_map(|policy| InsertionMode::ALL.map(|insertion| (policy, insertion)))
        {
            let new = |max_size| Broken::<u8, u64>::new(fault, policy, max_size, u64::MAX).with_insertion(insertion);
            let random = Random { insertion, ..Random::new(policy) };
            for found in [dict(random, new).unwrap_err(), order(random, new).unwrap_err()] {
                assert!(found.operations().len() <= 3, "{fault:?}, {policy:?}, {insertion:?}: {found}");
            }
        }
    }
}

#[test]
fn a_violation_prints_as_a_test() {
    let schedules = Schedules::new();
    let new = || Reference::new(CreationFault::EveryoneMakes, schedules.policy, schedules.max_size);
    let found = creation(schedules, new).unwrap_err();
    assert_eq!(found.steps(), [Step::Poll(0), Step::Poll(1)]);
    assert!(found.to_string().contains("use aws_client_cache_spec::{EvictionPolicy, Schedules, Step};"), "{found}");
}
