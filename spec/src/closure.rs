//! L2: every state of a small scope.

use crate::counter_example::CounterExample;
use crate::explore::{Covered, Explore, Scope, operations, walk};
use crate::level::Level;
use crate::operation::{Operation, OperationKinds};
use crate::step::compare;
use crate::subject::Subject;

/// Checks every joint state of cache and model that operations reach, in a small scope (L2).
///
/// Applies every operation in each of these states, and compares every outcome and accessor. The search continues until
/// there is no new state, so it covers sequences of every length.
///
/// `new` creates an empty cache of the scope's policy with the given `max_size`. Its use counts saturate where the
/// scope says, and the scope's keys expire in it.
///
/// # Errors
///
/// A shortest sequence of operations that makes cache and model differ.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Level, Model, Operation, Scope, closure};
///
/// // A cache that evicts in another order.
/// let wrong = |max_size| Model::<u8, u64>::new(EvictionPolicy::Lru, max_size);
/// let found = closure(Scope::new(EvictionPolicy::Lfu, 2, 3), wrong).unwrap_err();
///
/// assert_eq!(found.level(), Level::Closure);
/// assert_eq!(found.operations().len(), 3);
/// assert!(found.divergence().to_string().starts_with("items after"));
/// assert!(found.to_string().contains("step(&mut cache, &mut model, &Operation::Insert(0, 0)).unwrap();"));
/// ```
pub fn closure<C: Explore<u8, u64>>(scope: Scope, new: impl Fn(usize) -> C) -> Result<Covered, CounterExample> {
    walk(Level::Closure, scope, new, |_, _, _| Ok(()))
}

/// Checks every sequence of operations up to a depth, for a cache that cannot be copied (L2).
///
/// The `depth` is that of the scope. Each sequence runs on a new cache. The states in the result are sequences.
///
/// # Errors
///
/// A shortest sequence of operations that makes cache and model differ.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Model, Scope, bounded};
///
/// let scope = Scope { depth: 3, symmetric: true, ..Scope::new(EvictionPolicy::Lru, 2, 3) };
/// let covered = bounded(scope, |max_size| Model::<u8, u64>::new(EvictionPolicy::Lru, max_size))?;
/// assert_eq!(covered.transitions, 2_625);
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
pub fn bounded<C: Subject<u8, u64>>(scope: Scope, new: impl Fn(usize) -> C) -> Result<Covered, CounterExample> {
    let max_size = scope.max_size.into();
    let mut covered = Covered { states: 1, transitions: 0, answered: OperationKinds::default() };
    let mut sequences = vec![(Vec::new(), scope.model())];
    for _ in 0..scope.depth {
        let mut longer = Vec::new();
        for (sequence, model) in &sequences {
            for operation in operations::<u8, u64, C>(model, scope) {
                let mut cache = new(max_size);
                for operation in sequence {
                    Operation::apply(operation, &mut cache);
                }
                let mut model = model.clone();
                let compared = compare(&mut cache, &mut model, &operation);
                let kind = operation.kind();
                let sequence: Vec<_> = sequence.iter().cloned().chain([operation]).collect();
                match compared {
                    Ok(None) => {}
                    Ok(Some(_)) => {
                        covered.transitions += 1;
                        covered.answered.insert(kind);
                        longer.push((sequence, model));
                    }
                    Err(divergence) => {
                        return Err(scope.counter_example(Level::Closure, sequence, divergence).into());
                    }
                }
            }
        }
        covered.states += longer.len();
        sequences = longer;
    }
    Ok(covered)
}
