//! Keys and values that use a shared cache when they are dropped.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use aws_client_cache_spec::check::{Difference, PanicProbe};
use aws_client_cache_spec::concurrency::{Shared, reentrant};
use aws_client_cache_spec::faults::FaultyShared;
use aws_client_cache_spec::model::{OperationKind, OperationKinds};
use aws_client_cache_spec::{InsertionMode, Operation, Outcome, Policy};

type Key = PanicProbe<u8>;
type Value = PanicProbe<u64>;

/// The kinds of operations by which a key or a value can leave a cache without expiry.
const WAYS_OUT: [OperationKind; 11] = [
    OperationKind::Insert,
    OperationKind::Get,
    OperationKind::TryGet,
    OperationKind::Remove,
    OperationKind::Pop,
    OperationKind::Clear,
    OperationKind::SetMaxSize,
    OperationKind::GetOrInsert,
    OperationKind::GetMut,
    OperationKind::Retain,
    OperationKind::Drain,
];

fn kinds(kinds: impl IntoIterator<Item = OperationKind>) -> OperationKinds {
    let mut set = OperationKinds::default();
    kinds.into_iter().for_each(|kind| set.insert(kind));
    set
}

/// A correct cache without some operations.
///
/// Calls of the kind `locked` hold another lock, which every call takes first.
struct Partial {
    cache: FaultyShared<Key, Value>,
    missing: &'static [OperationKind],
    locked: Option<OperationKind>,
    lock: Mutex<()>,
}

impl Partial {
    fn new(max_size: usize) -> Self {
        let cache = FaultyShared::new(None, Policy::Lru, max_size, || {});
        Self { cache, missing: &[], locked: None, lock: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared<Key, Value> for Partial {
    fn call(&self, operation: &Operation<Key, Value>) -> Outcome<Key, Value> {
        if self.missing.contains(&operation.kind()) {
            return Outcome::Missing;
        }
        let guard = self.lock();
        if self.locked == Some(operation.kind()) {
            return self.cache.call(operation);
        }
        drop(guard);
        self.cache.call(operation)
    }
}

#[test]
fn a_correct_cache_drops_outside_of_its_lock_in_every_operation() {
    for policy in Policy::ALL {
        for insertion in InsertionMode::ALL {
            let new =
                |max_size| FaultyShared::<Key, Value>::new(None, policy, max_size, || {}).with_insertion(insertion);
            assert_eq!(reentrant(new), Ok(kinds(WAYS_OUT)), "{policy:?}, {insertion:?}");
        }
    }
}

/// Each kind hangs for ten seconds, so they are checked at once.
#[test]
fn a_lock_that_is_held_in_one_operation_is_found() {
    // The others drop nothing in these operations: their outcomes have it, and are dropped later.
    let drops = [
        OperationKind::Insert,
        OperationKind::TryGet,
        OperationKind::Remove,
        OperationKind::Clear,
        OperationKind::GetOrInsert,
        OperationKind::Retain,
        OperationKind::Drain,
    ];
    thread::scope(|threads| {
        for kind in drops {
            threads.spawn(move || {
                let found = reentrant(|max_size| Partial { locked: Some(kind), ..Partial::new(max_size) });
                let found = found.expect_err(&format!("{kind:?} passes")).to_string();
                assert!(found.contains(&format!(": {kind:?}(")) || found.contains(&format!(": {kind:?} ")), "{found}");
                assert!(found.ends_with("hangs if a key or a value uses the cache when it is dropped"), "{found}");
            });
        }
    });
}

#[test]
fn a_cache_that_answers_no_look_up_is_not_checked_in_vain() {
    const ALL: &[OperationKind] =
        &[OperationKind::ContainsKey, OperationKind::Peek, OperationKind::Get, OperationKind::Items];
    let found = reentrant(|max_size| Partial { missing: ALL, ..Partial::new(max_size) }).unwrap_err();
    assert_eq!(
        found.to_string(),
        "linearizability: the cache has none of Get, Peek, ContainsKey, Items, by which a dropped key or value could use it"
    );
    // With the last of them, a lock that is held is found.
    let missing = &ALL[..3];
    assert!(reentrant(|max_size| Partial { missing, ..Partial::new(max_size) }).is_ok());
    let locked = Some(OperationKind::Clear);
    let found = reentrant(|max_size| Partial { missing, locked, ..Partial::new(max_size) }).unwrap_err();
    assert!(found.to_string().contains("Clear hangs"), "{found}");
}

#[test]
fn a_cache_that_inserts_nothing_is_not_checked_in_vain() {
    const BOTH: &[OperationKind] = &[OperationKind::Insert, OperationKind::GetOrInsert];
    let found = reentrant(|max_size| Partial { missing: BOTH, ..Partial::new(max_size) }).unwrap_err();
    assert_eq!(
        found.to_string(),
        "linearizability: the cache has none of Insert, GetOrInsert, so that no key or value could be dropped"
    );
    // One of them is enough.
    let tried = reentrant(|max_size| Partial { missing: &BOTH[..1], ..Partial::new(max_size) });
    assert_eq!(tried, Ok(kinds(WAYS_OUT.into_iter().filter(|kind| *kind != OperationKind::Insert))));
}

#[test]
fn operations_that_are_missing_are_not_counted() {
    let missing = &[OperationKind::Pop, OperationKind::SetMaxSize, OperationKind::Retain];
    let tried = reentrant(|max_size| Partial { missing, ..Partial::new(max_size) }).unwrap();
    assert_eq!(tried, kinds(WAYS_OUT).minus(kinds(*missing)));
    assert_eq!(tried.to_string(), "Insert, Get, TryGet, Remove, Clear, GetOrInsert, GetMut, Drain");
}

/// A cache that panics at what it declares not to have.
struct Declared(FaultyShared<Key, Value>);

impl Shared<Key, Value> for Declared {
    const DIFFERENCES: &'static [Difference] = &[Difference::NoZero, Difference::NoPop, Difference::Unordered];

    fn call(&self, operation: &Operation<Key, Value>) -> Outcome<Key, Value> {
        let is_declared = matches!(operation, Operation::SetMaxSize(0) | Operation::Pop | Operation::Retain(1..=0xFE));
        assert!(!is_declared, "{operation:?} is called");
        self.0.call(operation)
    }
}

#[test]
fn declared_differences_are_not_called() {
    let tried = reentrant(|max_size| Declared(FaultyShared::new(None, Policy::Lru, max_size, || {}))).unwrap();
    assert!(!tried.contains(OperationKind::Pop), "{tried}");
    // A bound above 0 is set, and a predicate gives equal answers.
    assert!(tried.contains(OperationKind::SetMaxSize) && tried.contains(OperationKind::Retain), "{tried}");
}

/// A cache whose entries expire at time 1, and are then removed by a look-up.
struct Expires {
    state: Mutex<(u64, Vec<(Key, Value)>)>,
    drops_under_the_lock: bool,
}

impl Shared<Key, Value> for Expires {
    fn call(&self, operation: &Operation<Key, Value>) -> Outcome<Key, Value> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let found = operation.key().and_then(|key| state.1.iter().position(|(present, _)| present == key));
        match (operation, found) {
            (Operation::SetTime(now), _) => {
                state.0 = *now;
                Outcome::Done
            }
            (Operation::Insert(key, value), None) => {
                state.1.push((key.clone(), value.clone()));
                Outcome::Evicted(Vec::new())
            }
            (Operation::Get(_), Some(index)) if state.0 > 0 => {
                let gone = state.1.remove(index);
                if self.drops_under_the_lock {
                    drop(gone);
                } else {
                    drop(state);
                    drop(gone);
                }
                Outcome::Value(None)
            }
            (Operation::Get(_), found) => Outcome::Value(found.map(|index| state.1[index].1.clone())),
            (Operation::ContainsKey(_), found) => Outcome::Answer(found.is_some() && state.0 == 0),
            _ => Outcome::Missing,
        }
    }
}

#[test]
fn a_look_up_that_removes_an_expired_entry_under_the_lock_is_found() {
    let new = |drops_under_the_lock| move |_| Expires { state: Mutex::default(), drops_under_the_lock };
    let tried = reentrant(new(false)).unwrap();
    assert_eq!(tried.to_string(), "Insert, Get, SetTime");
    let found = reentrant(new(true)).unwrap_err().to_string();
    assert!(found.contains("Get(0) after SetTime(18446744073709551615) hangs"), "{found}");
}
