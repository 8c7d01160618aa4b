//! A level counts only what it has compared, so that an operation that an adapter loses is noticed.

use std::hash::Hash;

use aws_client_cache_spec::check::{Branch, PanicProbe, dict, exhaustive, exhaustive_to_depth, order, panics};
use aws_client_cache_spec::model::{OperationKind, OperationKinds};
use aws_client_cache_spec::{CounterExample, Dict, Explore, Model, Names, Random, Refusal, Scope, SystemUnderTest};

/// A correct cache whose adapter overrides few operations: no copy, no resizing, none of a map.
struct Fixed<K, V>(Model<K, V>);

impl<K: Clone + Eq + Hash, V: Clone + Eq + Hash> SystemUnderTest<K, V> for Fixed<K, V> {
    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        self.0.insert(key, value)
    }

    fn get(&mut self, key: &K) -> Option<V> {
        self.0.get(key)
    }

    fn remove(&mut self, key: &K) -> Result<V, Refusal> {
        self.0.remove(key)
    }

    fn peek(&self, key: &K) -> Option<V> {
        self.0.peek(key)
    }

    fn pop(&mut self) -> Result<(K, V), Refusal> {
        self.0.pop()
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn max_size(&self) -> usize {
        self.0.max_size()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn items(&self) -> Vec<(K, V)> {
        self.0.items()
    }
}

impl<K: Clone + Eq + Hash, V: Clone + Eq + Hash> Explore<K, V> for Fixed<K, V> {
    fn fork(&self) -> Self {
        Self(self.0.clone())
    }

    fn fingerprint(&self, names: Names<'_, K>) -> Vec<u64> {
        self.0.fingerprint(names)
    }
}

fn fixed<K, V>(max_size: usize) -> Fixed<K, V> {
    Fixed(Model::lru(max_size))
}

fn model(max_size: usize) -> Model<u8, u64> {
    Model::lru(max_size)
}

fn lost(answered: OperationKinds) -> Vec<OperationKind> {
    OperationKinds::WITHOUT_EXPIRY.iter().filter(|kind| !answered.contains(*kind)).collect()
}

const LOST: [OperationKind; 8] = [
    OperationKind::Copy,
    OperationKind::SetMaxSize,
    OperationKind::Iterate,
    OperationKind::NextVictim,
    OperationKind::GetOrInsert,
    OperationKind::GetMut,
    OperationKind::Retain,
    OperationKind::Drain,
];

const BRANCHES: [Branch; 7] = [
    Branch::Copy,
    Branch::CopyEmpty,
    Branch::Grow,
    Branch::ShrinkFits,
    Branch::ShrinkOne,
    Branch::ShrinkSeveral,
    Branch::ShrinkToZero,
];

#[test]
fn random_runs_count_no_operation_that_the_cache_does_not_have() -> Result<(), CounterExample> {
    let random = Random::new();
    for branches in [dict(random, Dict::new, fixed)?, order(random, model, fixed)?] {
        assert_eq!(lost(branches.answered()), LOST);
        assert!(branches.operations() < 90_000, "{branches}");
        assert!(BRANCHES.iter().all(|branch| branches.count(*branch) == 0), "{branches}");
        assert!(!format!("{branches:?}").contains("Copy"));
    }
    for branches in [dict(random, Dict::new, model)?, order(random, model, model)?] {
        assert_eq!(branches.answered(), OperationKinds::WITHOUT_EXPIRY);
        assert_eq!(branches.operations(), 100_000);
        assert!(BRANCHES.iter().all(|branch| branches.count(*branch) > 0), "{branches}");
    }
    Ok(())
}

#[test]
fn searches_count_no_operation_that_the_cache_does_not_have() -> Result<(), CounterExample> {
    let scope = Scope::new(1, 2);
    // Each of the two keys is held, or none: at the bounds 0 and 1, or only at 1.
    let whole = exhaustive(scope, model, model)?;
    let part = exhaustive(scope, model, fixed)?;
    assert_eq!((whole.states, whole.transitions), (4, 4 * (2 * 8 + 2 + 13)));
    assert_eq!((part.states, part.transitions), (3, 3 * (2 * 6 + 3)));
    assert_eq!((whole.answered, lost(part.answered)), (OperationKinds::WITHOUT_EXPIRY, LOST.into()));

    let short = Scope { depth: 2, ..scope };
    let part = exhaustive_to_depth(short, model, fixed)?;
    assert_eq!((part.states, part.transitions), (1 + 15 + 15 * 15, 15 + 15 * 15));
    assert_eq!(lost(part.answered), LOST);

    let panicked = panics(scope, Model::lru, fixed::<PanicProbe<u8>, PanicProbe<u64>>)?;
    assert_eq!((panicked.states, lost(panicked.answered)), (3, LOST.into()));
    Ok(())
}

/// A dict knows no next victim, and no counts.
#[test]
fn a_dict_counts_no_branch_that_only_an_order_distinguishes() -> Result<(), CounterExample> {
    let covered = dict(Random::new(), Dict::new, model)?;
    assert_eq!(covered.never().collect::<Vec<_>>(), []);
    assert!(
        Branch::OF_ORDER.iter().all(|branch| covered.count(*branch) == 0 && covered.all().all(|all| all != *branch))
    );
    assert_eq!(covered.all().count(), Branch::ALL.len() - Branch::OF_ORDER.len() + Branch::OF_RETAIN.len());
    Ok(())
}

#[test]
fn branches_print_by_name() -> Result<(), CounterExample> {
    let covered = order(Random { runs: 20, ..Random::new() }, model, model)?;
    let printed = format!("{covered:?}");
    assert!(printed.contains(&format!("Hit: {}", covered.count(Branch::Hit))), "{printed}");
    Ok(())
}
