//! Every state of a small scope.

use crate::counter_example::CounterExample;
use crate::explore::{Covered, Explore, Scope, Universe, walk};
use crate::level::Level;
use crate::operation::OperationKinds;
use crate::reference::{Reference, source};
use crate::step::compare;
use crate::system_under_test::SystemUnderTest;

/// Checks every joint state of cache and reference that operations reach, in a small scope.
///
/// Applies every operation in each of these states, and compares every outcome and accessor. The search continues until
/// there is no new state, so it covers sequences of every length.
///
/// `reference` and `new` create an empty reference and an empty cache with the given `max_size`. Let the use counts of
/// both [saturate](crate::Model::with_max_uses), so that the search has an end.
///
/// # Errors
///
/// A shortest sequence of operations that makes cache and reference differ.
///
/// ```
/// use aws_client_cache_spec::check::{Level, exhaustive};
/// use aws_client_cache_spec::{Model, Operation, Policy, Scope};
///
/// let lfu = |max_size| Model::with_max_uses(Policy::Lfu, max_size, 3);
/// // A cache that evicts in another order.
/// let found = exhaustive(Scope::new(2, 3), lfu, Model::lru).unwrap_err();
///
/// assert_eq!(found.level(), Level::Exhaustive);
/// assert_eq!(found.operations().len(), 3);
/// assert!(found.divergence().to_string().starts_with("items after"));
/// assert!(found.to_string().contains("step(&mut cache, &mut model, &Operation::Insert(0, 0)).unwrap();"));
/// ```
pub fn exhaustive<R: Reference<u8, u64>, C: Explore<u8, u64>>(
    scope: Scope,
    reference: impl Fn(usize) -> R,
    new: impl Fn(usize) -> C,
) -> Result<Covered, CounterExample> {
    walk(Level::Exhaustive, scope, reference, new, |_, _, _| Ok(()))
}

/// Checks every sequence of operations up to a depth, for a cache that cannot be copied.
///
/// The `depth` is that of the scope. Each sequence runs on a new cache. The states in the result are sequences, of which
/// there are more than 20 times as many at each further depth. The search fails after
/// [`max_states`](Scope::max_states) of them.
///
/// # Errors
///
/// A shortest sequence of operations that makes cache and reference differ.
///
/// ```
/// use aws_client_cache_spec::check::exhaustive_to_depth;
/// use aws_client_cache_spec::{Model, Scope};
///
/// let scope = Scope { depth: 3, symmetric: true, ..Scope::new(2, 3) };
/// let covered = exhaustive_to_depth(scope, Model::lru, Model::lru)?;
/// assert_eq!(covered.transitions, 19_510);
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
pub fn exhaustive_to_depth<R: Reference<u8, u64>, C: SystemUnderTest<u8, u64>>(
    scope: Scope,
    reference: impl Fn(usize) -> R,
    new: impl Fn(usize) -> C,
) -> Result<Covered, CounterExample> {
    let max_size = scope.max_size.into();
    let empty = reference(max_size);
    scope.check_symmetry(Level::Exhaustive, &empty)?;
    let universe = Universe::new(&empty, scope);
    let mut covered = Covered { states: 1, transitions: 0, answered: OperationKinds::default() };
    let mut sequences = vec![(Vec::new(), empty.clone())];
    for _ in 0..scope.depth {
        let mut longer = Vec::new();
        for (sequence, model) in &sequences {
            for operation in universe.operations::<u64, R, C>(model) {
                let (mut cache, mut model) = (new(max_size), empty.clone());
                // Accessors are called as in a printed test, because they may change the cache.
                let compared = sequence
                    .iter()
                    .try_for_each(|before| compare(&mut cache, &mut model, before).map(drop))
                    .and_then(|()| compare(&mut cache, &mut model, &operation));
                let kind = operation.kind();
                let sequence: Vec<_> = sequence.iter().cloned().chain([operation]).collect();
                match compared {
                    Ok(None) => {}
                    Ok(Some(_)) => {
                        covered.states += 1;
                        covered.transitions += 1;
                        covered.answered.insert(kind);
                        universe.check_absent_keys(
                            Level::Exhaustive,
                            [&empty, &model],
                            |_| Vec::new(),
                            || sequence.clone(),
                        )?;
                        if covered.states > scope.max_states {
                            return Err(scope.endless(Level::Exhaustive, source(&empty, &sequence), sequence));
                        }
                        longer.push((sequence, model));
                    }
                    Err(divergence) => {
                        let reference = source(&empty, &sequence);
                        return Err(scope.counter_example(Level::Exhaustive, reference, sequence, divergence).into());
                    }
                }
            }
        }
        sequences = longer;
    }
    Ok(covered)
}
