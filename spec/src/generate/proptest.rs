//! Strategies for `proptest`.

use std::fmt::Debug;

use ::proptest::arbitrary::Arbitrary;
use ::proptest::prelude::Rng as _;
use ::proptest::strategy::{BoxedStrategy, NewTree, Strategy, ValueTree};
use ::proptest::test_runner::TestRunner;

use super::{Limits, Mix, Operations, Simplify};
use crate::model::{Model, Policy};
use crate::operation::Operation;
use crate::system_under_test::SystemUnderTest;

/// Returns a strategy for whole runs.
///
/// `new` creates an empty cache with a bound. The operations are applied to it, so that their keys are present ones.
///
/// ```
/// use aws_client_cache_spec::generate::{Limits, proptest::operations};
/// use aws_client_cache_spec::{Model, Policy, SystemUnderTest};
/// use proptest::test_runner::TestRunner;
///
/// let new = |max_size| Model::new(Policy::Lfu, max_size);
/// TestRunner::default().run(&operations(Limits::new(), new), |run| {
///     let mut cache = new(run.max_size);
///     for operation in &run.operations {
///         operation.apply(&mut cache);
///         assert!(cache.len() <= cache.max_size());
///     }
///     Ok(())
/// })?;
/// # Ok::<(), proptest::test_runner::TestError<aws_client_cache_spec::generate::Operations>>(())
/// ```
pub fn operations<C: SystemUnderTest<u8, u64>>(
    limits: Limits,
    new: impl Fn(usize) -> C,
) -> impl Strategy<Value = Operations> {
    Drawn(move |seed| Operations::seeded(limits, seed, &new), limits.min_size)
}

/// Returns a strategy for the mix of one run.
///
/// Make it a part of the initial state of a `ReferenceStateMachine`; [`transition`] shows an example.
pub fn mix(limits: Limits) -> impl Strategy<Value = Mix> {
    Drawn(move |seed| Mix::seeded(limits, seed), limits.min_size)
}

/// Returns a strategy for the next operation of a `ReferenceStateMachine`.
///
/// `live` are the keys of the state.
///
/// ```
/// use aws_client_cache_spec::generate::{Limits, Mix, proptest::{mix, transition}};
/// use aws_client_cache_spec::{Model, Operation, Policy, SystemUnderTest};
/// use proptest::prelude::*;
/// use proptest_state_machine::ReferenceStateMachine;
///
/// struct Lru;
///
/// impl ReferenceStateMachine for Lru {
///     type State = (Mix, Model<u8, u64>);
///     type Transition = Operation<u8, u64>;
///
///     fn init_state() -> BoxedStrategy<Self::State> {
///         mix(Limits::new()).prop_map(|mix| (mix, Model::new(Policy::Lru, 3))).boxed()
///     }
///     fn transitions((mix, model): &Self::State) -> BoxedStrategy<Self::Transition> {
///         transition(*mix, model.keys()).boxed()
///     }
///     fn apply(mut state: Self::State, operation: &Self::Transition) -> Self::State {
///         operation.apply(&mut state.1);
///         state
///     }
/// }
///
/// proptest!(|((_, operations, _) in Lru::sequential_strategy(1..80))| prop_assert!(!operations.is_empty()));
/// ```
pub fn transition(mix: Mix, live: Vec<u8>) -> impl Strategy<Value = Operation<u8, u64>> {
    // The value is the seed, so that different insertions insert different values.
    Drawn(move |seed| mix.operation(seed, &live, seed), mix.limits.min_size)
}

/// Draws runs within these [`Limits`].
///
/// The present keys are those of an LRU.
///
/// ```
/// use aws_client_cache_spec::generate::{Limits, Operations};
/// use proptest::prelude::*;
///
/// proptest!(|(run: Operations)| prop_assert!(run.operations.len() <= 100));
/// let few = Limits { operations: 3, ..Limits::new() };
/// proptest!(|(run in any_with::<Operations>(few))| prop_assert!(run.operations.len() <= 3));
/// ```
impl Arbitrary for Operations {
    type Parameters = Limits;
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with(limits: Limits) -> Self::Strategy {
        operations(limits, |max_size| Model::new(Policy::Lru, max_size)).boxed()
    }
}

/// A strategy that draws a seed, and shrinks without bounds below a least one.
struct Drawn<F>(F, u8);

impl<F> Debug for Drawn<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Drawn")
    }
}

impl<T: Simplify + Debug, F: Fn(u64) -> T> Strategy for Drawn<F> {
    type Tree = Simplifying<T>;
    type Value = T;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let drawn = (self.0)(runner.rng().next_u64());
        let simpler = Box::new(std::iter::empty());
        Ok(Simplifying { failed: drawn.clone(), current: drawn, simpler, min_size: self.1 })
    }
}

/// A value that is replaced by simpler ones as long as the test fails.
struct Simplifying<T> {
    /// The simplest value with which the test failed.
    failed: T,
    current: T,
    /// The simpler values that were not tried yet.
    simpler: Box<dyn Iterator<Item = T>>,
    min_size: u8,
}

impl<T: Clone> Simplifying<T> {
    fn try_next(&mut self) -> bool {
        let next = self.simpler.next();
        let is_simpler = next.is_some();
        self.current = next.unwrap_or_else(|| self.failed.clone());
        is_simpler
    }
}

impl<T: Simplify + Debug> ValueTree for Simplifying<T> {
    type Value = T;

    fn current(&self) -> T {
        self.current.clone()
    }

    /// The test has failed with the current value.
    fn simplify(&mut self) -> bool {
        self.failed = self.current.clone();
        self.simpler = self.failed.simpler(self.min_size);
        self.try_next()
    }

    /// The test has passed with the current value.
    fn complicate(&mut self) -> bool {
        self.try_next()
    }
}

impl Simplify for Mix {
    /// Has no simpler mixes: the operations are drawn already.
    fn simpler(&self, _: u8) -> Box<dyn Iterator<Item = Self>> {
        Box::new(std::iter::empty())
    }
}
