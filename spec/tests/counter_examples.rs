//! Counterexamples: panics are among them, and they print as tests that compile.

use std::fmt::{Debug, Display};
use std::fs;
use std::hash::Hash;
use std::path::Path;
use std::sync::Mutex;

use aws_client_cache_spec::check::{Difference, PanicProbe, dict, exhaustive, exhaustive_to_depth, order, panics};
use aws_client_cache_spec::concurrency::{Call, History, Shared, Threads, linearizable};
use aws_client_cache_spec::creation::{Schedules, Step, creation};
use aws_client_cache_spec::faults::{CreationFault, Fault, Faulty, FaultyCreator};
use aws_client_cache_spec::model::Expiring;
use aws_client_cache_spec::{
    CounterExample, Dict, Explore, InsertionMode, Model, Names, Operation, Outcome, Policy, Random, Refusal, Scope,
    SystemUnderTest,
};

const POLICY: Policy = Policy::Lfu;
const EXPIRY: &[(u8, u64)] = &[(0, 1)];

/// Each file is what a level prints, and compiles where `new` creates a cache.
///
/// Here the cache has no fault, so that the printed tests pass.
mod printed {
    /// Pastes a printed test into a test module that has imported the names of the kit already.
    macro_rules! pasted {
        ($name:ident $(, $new:ident)?) => {
            mod $name {
                #[expect(unused_imports, reason = "the printed test imports its names itself")]
                use aws_client_cache_spec::{
                    Dict, InsertionMode, Model, Operation, Outcome, Policy, Refusal,
                    check::{Callback, Difference, PanicProbe, panic_step, step},
                    concurrency::{Call, History, Shared},
                    creation::{Schedules, Step},
                    model::{Expiring, follow},
                };

                $(use super::super::$new as new;)?

                include!(concat!("printed/", stringify!($name), ".rs"));
            }
        };
    }

    pasted!(dict, plain);
    pasted!(order, plain);
    pasted!(every_state, plain);
    pasted!(panic_safety, probes);
    // No operation has a key or a value, and the cache is generic.
    pasted!(only_pop, generic);
    pasted!(only_pop_of_probes, generic);
    pasted!(only_pop_of_threads, shared);
    pasted!(panic_of_threads, shared);
    pasted!(linearizability);
    pasted!(creation, creates);
}

fn plain(max_size: usize) -> Faulty<u8, u64> {
    faulty(None, max_size)
}

fn generic<K: Clone + Eq + Hash + Debug + From<u8>, V: Clone + Eq + Hash>(max_size: usize) -> Faulty<K, V> {
    Faulty::new(None, POLICY, max_size, 3)
}

fn shared<K: Clone + Eq + Hash + Debug + From<u8>, V: Clone + Eq + Hash>(max_size: usize) -> Mutex<Model<K, V>> {
    Mutex::new(Model::lru(max_size))
}

fn probes(max_size: usize) -> Faulty<PanicProbe<u8>, PanicProbe<u64>> {
    faulty(None, max_size)
}

fn creates() -> FaultyCreator {
    FaultyCreator::new(None, Model::lfu(2))
}

fn model<K: Eq + From<u8>, V>(max_size: usize) -> Expiring<K, Model<K, V>> {
    let model = Model::with_max_uses(POLICY, max_size, 3).with_insertion(InsertionMode::Replace);
    EXPIRY.iter().fold(Expiring::new(model), |model, (key, at)| model.with_expiry(K::from(*key), *at))
}

fn faulty<K: Clone + Eq + Hash + Debug + From<u8>, V: Clone + Eq + Hash>(
    fault: impl Into<Option<Fault>>,
    max_size: usize,
) -> Faulty<K, V> {
    let faulty = Faulty::new(fault, POLICY, max_size, 3).with_insertion(InsertionMode::Replace);
    EXPIRY.iter().fold(faulty, |faulty, (key, at)| faulty.with_expiry(K::from(*key), *at))
}

/// Compares the printed test with the file that is compiled above.
///
/// With `WRITE_PRINTED=1`, writes the file.
fn is_printed(name: &str, found: &(impl Display + Debug)) {
    is_printed_as(name, &found.to_string());
    assert_eq!(format!("{found:?}"), found.to_string(), "`unwrap` prints the test");
}

fn is_printed_as(name: &str, printed: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/printed").join(name).with_extension("rs");
    if std::env::var_os("WRITE_PRINTED").is_some() {
        fs::write(&file, printed).unwrap();
    }
    assert_eq!(printed, fs::read_to_string(file).unwrap());
}

#[test]
fn every_level_prints_a_test_that_compiles() {
    let expected = |max_size| Dict::new(max_size).with_insertion(InsertionMode::Replace).with_expiry(0, 1);
    let new = |fault| move |max_size| faulty(fault, max_size);
    is_printed("dict", &dict(Random::new(), expected, new(Fault::ExpiredIsAHit)).unwrap_err());
    is_printed("order", &order(Random::new(), model, new(Fault::ReplacementIsAUse)).unwrap_err());
    let scope = Scope::new(2, 3);
    is_printed("every_state", &exhaustive(scope, model, new(Fault::EvictsExpiredFirst)).unwrap_err());
    let probes = |max_size| faulty(Fault::ReplacementDropsInside, max_size);
    is_printed("panic_safety", &panics(scope, model, probes).unwrap_err());
    let new = || FaultyCreator::new(CreationFault::RemovalRevokesNothing, Model::lfu(2));
    is_printed("creation", &creation(Schedules::new(), Model::lfu, new).unwrap_err());
}

#[test]
fn operations_without_a_value_print_their_types() {
    let model = |max_size| Model::with_max_uses(POLICY, max_size, 3);
    is_printed(
        "only_pop",
        &order(Random::new(), model, |max_size| WrongRemoval { model: Model::lfu(max_size), leaves: false })
            .unwrap_err(),
    );
    let model = |max_size| Model::with_max_uses(POLICY, max_size, 3);
    let probes = |max_size| WrongRemoval { model: Model::lfu(max_size), leaves: false };
    let scope = Scope { callbacks: &[], ..Scope::new(1, 1) };
    is_printed("only_pop_of_probes", &panics(scope, model, probes).unwrap_err());
}

/// A cache that reports another error if there is nothing to pop, or whose removals leave the entry.
#[derive(Clone)]
struct WrongRemoval<K, V> {
    model: Model<K, V>,
    leaves: bool,
}

impl<K: Clone + Eq + Hash, V: Clone + Eq + Hash> SystemUnderTest<K, V> for WrongRemoval<K, V> {
    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        self.model.insert(key, value)
    }

    fn get(&mut self, key: &K) -> Option<V> {
        self.model.get(key)
    }

    fn remove(&mut self, key: &K) -> Result<V, Refusal> {
        if self.leaves { self.model.peek(key).ok_or(Refusal::NotFound) } else { self.model.remove(key) }
    }

    fn pop(&mut self) -> Result<(K, V), Refusal> {
        let empty = if self.leaves { Refusal::Empty } else { Refusal::NotFound };
        let (key, _) = self.items().into_iter().next().ok_or(empty)?;
        let value = self.remove(&key)?;
        Ok((key, value))
    }

    fn max_size(&self) -> usize {
        self.model.max_size()
    }

    fn len(&self) -> usize {
        self.model.len()
    }

    fn items(&self) -> Vec<(K, V)> {
        self.model.items()
    }
}

impl<K: Clone + Eq + Hash, V: Clone + Eq + Hash> Explore<K, V> for WrongRemoval<K, V> {
    fn fork(&self) -> Self {
        self.clone()
    }
}

/// A cache that panics in some operations.
struct PanicsIn(Mutex<Model<u8, u64>>, fn(&Operation<u8, u64>) -> bool);

impl Shared<u8, u64> for PanicsIn {
    fn call(&self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        assert!(!self.1(operation), "it panics");
        self.0.call(operation)
    }
}

/// The line of the panic changes with this file, so the comment is not compared.
#[test]
fn a_panic_of_threads_prints_a_test_that_compiles() {
    let printed = |panics| {
        let new = |max_size| PanicsIn(Mutex::new(Model::lru(max_size)), panics);
        let found = linearizable(Threads::new(), Model::lru, new).unwrap_err().to_string();
        let (comment, test) = found.split_once('\n').unwrap();
        assert!(comment.contains(": it panics (spec/tests/"), "{found}");
        test.to_owned()
    };
    is_printed_as("only_pop_of_threads", &printed(|operation| *operation == Operation::Pop));
    let get = printed(|operation| matches!(operation, Operation::Get(_)));
    let key = get.split_once("::Get(").unwrap().1.split_once(')').unwrap().0.to_owned();
    // The first key depends on the threads.
    is_printed_as("panic_of_threads", &get.replace(&format!("Get({key})"), "Get(0)"));
}

/// A printed history has no order, and the file asserts that.
#[test]
fn every_outcome_of_a_history_prints_as_code() {
    let outcomes = [
        Outcome::Done,
        Outcome::Evicted(vec![(1, 1)]),
        Outcome::Value(Some(0)),
        Outcome::Entry(0, 0),
        Outcome::Entries(vec![(0, 0)]),
        Outcome::Found(29, vec![]),
        Outcome::Answer(true),
        Outcome::Refused(Refusal::Expired),
    ];
    let calls = outcomes.into_iter().zip(0..).map(|(outcome, thread)| Call::new(thread, 0..1, Operation::Pop, outcome));
    let history = History::new(calls.collect()).with_differences(&[Difference::Unordered]);
    let found = history.linearize(&Model::<u8, u64>::lru(2)).unwrap_err();
    let printed = found.to_string().replace(".unwrap();", ".unwrap_err();");
    is_printed_as("linearizability", &printed);
}

/// Calls differ in each run, so the printed test is compared with no file.
#[test]
fn calls_without_an_order_print_their_imports() {
    let new = |max_size| Mutex::new(Model::<u8, u64>::lru(max_size));
    let found = linearizable(Threads::new(), Model::lfu, new).unwrap_err();
    assert_eq!(format!("{found:?}"), found.to_string());
    assert!(found.to_string().contains("\n    use aws_client_cache_spec::concurrency::{Call, History};"), "{found}");
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

impl SystemUnderTest<u8, u64> for Panics {
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
    let (random, scope) = (Random::new(), Scope::new(2, 3));
    for place in [In::Get, In::Peek, In::Check] {
        let new = |max_size| Panics(Model::lru(max_size), place);
        let found: [CounterExample; 4] = [
            dict(random, Dict::new, new).unwrap_err(),
            order(random, Model::lru, new).unwrap_err(),
            exhaustive(scope, Model::lru, new).unwrap_err(),
            exhaustive_to_depth(Scope { depth: 3, ..scope }, Model::lru, new).unwrap_err(),
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
fn a_cache_that_panics_in_addition_to_an_injected_panic_is_refused() {
    #[derive(Clone)]
    struct Poisoned(Model<PanicProbe<u8>, PanicProbe<u64>>, bool);

    impl SystemUnderTest<PanicProbe<u8>, PanicProbe<u64>> for Poisoned {
        fn insert(
            &mut self,
            key: PanicProbe<u8>,
            value: PanicProbe<u64>,
        ) -> Result<Option<(PanicProbe<u8>, PanicProbe<u64>)>, Refusal> {
            self.0.insert(key, value)
        }

        fn get(&mut self, key: &PanicProbe<u8>) -> Option<PanicProbe<u64>> {
            assert!(!std::mem::replace(&mut self.1, true), "poisoned");
            let found = self.0.get(key);
            self.1 = false;
            found
        }

        fn remove(&mut self, key: &PanicProbe<u8>) -> Result<PanicProbe<u64>, Refusal> {
            self.0.remove(key)
        }

        fn max_size(&self) -> usize {
            self.0.max_size()
        }

        fn len(&self) -> usize {
            self.0.len()
        }

        fn items(&self) -> Vec<(PanicProbe<u8>, PanicProbe<u64>)> {
            self.0.items()
        }
    }

    impl Explore<PanicProbe<u8>, PanicProbe<u64>> for Poisoned {
        fn fork(&self) -> Self {
            self.clone()
        }
    }

    let new = |max_size| Poisoned(Model::lru(max_size), false);
    let found = panics(Scope::new(1, 2), Model::lru, new).unwrap_err();
    assert!(found.to_string().contains("the cache panics: poisoned"), "{found}");
}

/// Some caches lose everything when a present key is put.
#[test]
fn a_cache_that_clears_when_a_present_key_is_put_fails_in_every_mode() {
    for fault in [Fault::PresentKeyClears, Fault::PresentKeyRemovesOthers] {
        for (policy, insertion) in
            Policy::ALL.into_iter().flat_map(|policy| InsertionMode::ALL.map(|insertion| (policy, insertion)))
        {
            let new = |max_size| Faulty::<u8, u64>::new(fault, policy, max_size, u64::MAX).with_insertion(insertion);
            let expected = |max_size| Dict::new(max_size).with_insertion(insertion);
            let model = |max_size| Model::new(policy, max_size).with_insertion(insertion);
            let random = Random::new();
            for found in [dict(random, expected, new).unwrap_err(), order(random, model, new).unwrap_err()] {
                assert!(found.operations().len() <= 3, "{fault:?}, {policy:?}, {insertion:?}: {found}");
            }
        }
    }
}

#[test]
fn a_violation_prints_as_a_test() {
    let new = || FaultyCreator::new(CreationFault::EachCallerCreates, Model::lfu(2));
    let found = creation(Schedules::new(), Model::lfu, new).unwrap_err();
    assert_eq!(found.steps(), [Step::Poll(0), Step::Poll(1)]);
    assert!(found.to_string().contains("use aws_client_cache_spec::creation::{Schedules, Step};\n"), "{found}");
}

#[test]
fn a_removal_that_leaves_the_entry_is_found_in_all_that_removes() {
    let new = |max_size| WrongRemoval { model: Model::lru(max_size), leaves: true };
    for seed in 0..10 {
        let random = Random { seed, ..Random::new() };
        let found = dict(random, Dict::new, new).unwrap_err();
        let [Operation::Insert(..), Operation::Remove(_) | Operation::Pop | Operation::Clear] = found.operations()
        else {
            panic!("{found}");
        };
    }
    let shared = |max_size| Mutex::new(WrongRemoval { model: Model::lru(max_size), leaves: true });
    assert!(linearizable(Threads::new(), Model::lru, shared).is_err());
}
