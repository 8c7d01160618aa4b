//! Whether a panic does more harm than a leak.
//!
//! The kit stops at the first harm that it finds. A leak is one, and it is the first in most peers; but it is safe, and
//! says nothing of what comes later.

use std::collections::{HashSet, VecDeque};
use std::fmt::Write as _;

use aws_client_cache_spec::{
    Callback, Difference, Divergence, EvictionPolicy, Explore, Fused, Model, Operation, Subject, panic_step, step,
};

type Key = Fused<u8>;
type Value = Fused<u64>;

const MAX_SIZE: usize = 2;
const KEYS: u8 = 3;

/// A shortest way, as a test, to a panic after which a cache does otherwise than the model. States that show the same keys
/// in the same order count as one.
pub(super) fn more_than_a_leak<C>(policy: EvictionPolicy, new: impl Fn(usize) -> C) -> Option<String>
where
    C: Explore<Key, Value>,
{
    let mut seen = HashSet::new();
    let mut open = VecDeque::from([(new(MAX_SIZE), Model::new(policy, MAX_SIZE), Vec::new())]);
    while let Some((cache, model, before)) = open.pop_front() {
        for operation in operations::<C>(&model) {
            if let Some((callback, calls, divergence)) = harm(&cache, &model, &operation) {
                return Some(test(policy, &before, &operation, (callback, calls), &divergence));
            }
            let (mut cache, mut model) = (cache.fork(), model.clone());
            let done = step(&mut cache, &mut model, &operation.clone().map(Key::new, Value::new));
            let keys: Vec<_> = model.keys().iter().map(|key| *key.get()).collect();
            if done.is_ok() && seen.insert((keys, model.max_size())) {
                open.push_back((cache, model, [before.clone(), vec![operation]].concat()));
            }
        }
    }
    None
}

fn harm<C: Explore<Key, Value>>(
    cache: &C,
    model: &Model<Key, Value>,
    operation: &Operation<u8, u64>,
) -> Option<(Callback, usize, Divergence)> {
    for callback in Callback::ALL {
        for calls in 0.. {
            match panic_step(cache.fork(), model, operation, callback, calls) {
                Ok(false) => break,
                Err(found) if !found.to_string().starts_with("leaks") => return Some((callback, calls, found)),
                Ok(true) | Err(_) => {}
            }
        }
    }
    None
}

fn operations<C: Subject<Key, Value>>(model: &Model<Key, Value>) -> Vec<Operation<u8, u64>> {
    let differs = |difference| C::DIFFERENCES.contains(&difference);
    let about = |key: u8| {
        let replaces = differs(Difference::Replaces) && model.contains_key(&Key::new(key));
        let insert = (!replaces).then_some(Operation::Insert(key, key.into()));
        insert.into_iter().chain([Operation::Get(key), Operation::Peek(key), Operation::Remove(key)])
    };
    let sizes = usize::from(differs(Difference::NoZero))..=MAX_SIZE;
    let pop = (!differs(Difference::NoPop)).then_some(Operation::Pop);
    let others = pop.into_iter().chain([Operation::Clear, Operation::Copy]);
    (0..KEYS).flat_map(about).chain(sizes.map(Operation::SetMaxSize)).chain(others).collect()
}

/// As the kit prints a counter-example.
fn test(
    policy: EvictionPolicy,
    before: &[Operation<u8, u64>],
    operation: &Operation<u8, u64>,
    (callback, calls): (Callback, usize),
    divergence: &Divergence,
) -> String {
    let steps = before.iter().fold(String::new(), |mut steps, operation| {
        let _ = writeln!(
            steps,
            "    step(&mut cache, &mut model, &Operation::{operation:?}.map(Fused::new, Fused::new)).unwrap();"
        );
        steps
    });
    format!(
        "// L3 panic safety: {divergence}\n\
         #[test]\n\
         fn a_cache_and_the_model_part() {{\n    \
             let mut cache = todo!(\"yours, empty, with a bound of {MAX_SIZE}\");\n    \
             let mut model = Model::new(EvictionPolicy::{policy:?}, {MAX_SIZE});\n\
         {steps}    \
             panic_step(cache, &model, &Operation::{operation:?}, Callback::{callback:?}, {calls}).unwrap();\n\
         }}"
    )
}
