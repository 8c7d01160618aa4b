//! Rule P1: operations on one map, some of which panic in `Hash`, `Eq`, `Clone` or `Drop`.

use arbitrary::Arbitrary;
use aws_client_cache::map::EvictingMap;
use aws_client_cache_spec::{
    Burned, Callback, EvictionPolicy, Fused, Model, Operation, Outcome, Subject, may_be_left, with_fuse,
};

use super::{Fuzzed, Reached};
use crate::engine::{Engine, policy};
use crate::hashing::Hashing;

type Key = Fused<u8>;
type Value = Fused<u64>;

/// A map, and a sequence of operations on it.
#[derive(Arbitrary, Debug)]
pub struct Input {
    /// Chooses the policy, by the remainder.
    policy: u8,
    hashing: Hash,
    max_size: u8,
    max_uses: u8,
    /// The operations. Each may have a callback that panics, and the number of the call that does.
    steps: Vec<(Step, Option<(Panics, u8)>)>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Hash {
    Default,
    Constant,
    Identity,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Panics {
    Hash,
    Eq,
    Clone,
    Drop,
}

/// An [`Operation`] on more keys than fit into the smallest index, so that the index is rebuilt.
#[derive(Arbitrary, Debug)]
enum Step {
    Insert(u8),
    Get(u8),
    ContainsKey(u8),
    Remove(u8),
    Pop,
    Clear,
    Copy,
    SetMaxSize(u8),
}

const KEYS: u8 = 48;
const MAX_SIZE: u8 = 40;

impl Step {
    fn operation(&self, value: u64) -> Operation<Key, Value> {
        let key = |key: &u8| Fused::new(key % KEYS);
        match self {
            Self::Insert(k) => Operation::Insert(key(k), Fused::new(value)),
            Self::Get(k) => Operation::Get(key(k)),
            Self::ContainsKey(k) => Operation::ContainsKey(key(k)),
            Self::Remove(k) => Operation::Remove(key(k)),
            Self::Pop => Operation::Pop,
            Self::Clear => Operation::Clear,
            Self::Copy => Operation::Copy,
            Self::SetMaxSize(max_size) => Operation::SetMaxSize((max_size % MAX_SIZE).into()),
        }
    }
}

impl Fuzzed for Input {
    fn branches() -> Reached {
        let of_policy = |policy| Callback::ALL.into_iter().map(move |callback| branch(policy, callback));
        EvictionPolicy::ALL.into_iter().flat_map(of_policy).collect()
    }

    fn run(self, reached: &mut Reached) {
        let alive = Key::alive();
        self.run_and_drop(reached);
        assert_eq!(Key::alive(), alive, "a key or a value leaked");
    }
}

/// Names the panic of a callback under a policy.
fn branch(policy: EvictionPolicy, callback: Callback) -> String {
    format!("{policy:?}, {callback:?} panics")
}

impl Input {
    fn run_and_drop(self, reached: &mut Reached) {
        let spec_policy = EvictionPolicy::ALL[usize::from(self.policy) % EvictionPolicy::ALL.len()];
        let hashing = match self.hashing {
            Hash::Default => Hashing::Default,
            Hash::Constant => Hashing::Constant,
            Hash::Identity => Hashing::Identity,
        };
        let (max_size, max_uses) = ((self.max_size % MAX_SIZE).into(), self.max_uses.into());
        let map = EvictingMap::with_max_uses(policy(spec_policy), max_size, hashing, max_uses);
        let mut engine: Engine<Key, Value, Hashing> = Engine(map);
        // A hit that panicked may have counted a use or not. Until later operations decide it, both models are kept.
        let mut models = vec![Model::with_max_uses(spec_policy, max_size, max_uses)];
        for (value, (step, panics)) in (0..).zip(&self.steps) {
            let operation = step.operation(value);
            match panics {
                None => agree(&mut models, &operation, &operation.apply(&mut engine)),
                Some((callback, calls)) => {
                    let callback = match callback {
                        Panics::Hash => Callback::Hash,
                        Panics::Eq => Callback::Eq,
                        Panics::Clone => Callback::Clone,
                        Panics::Drop => Callback::Drop,
                    };
                    match with_fuse(callback, (*calls).into(), || operation.apply(&mut engine)) {
                        Burned::Intact(outcome) => agree(&mut models, &operation, &outcome),
                        Burned::Blown => {
                            reached.insert(branch(spec_policy, callback));
                            let (shown, max_size) = (engine.items(), engine.max_size());
                            let left = |model| may_be_left(model, &operation, &shown, max_size);
                            models = models.iter().flat_map(left).collect();
                        }
                        Burned::Panicked => panic!("{operation:?} panicked of itself"),
                    }
                }
            }
            assert_eq!(engine.check(), Ok(()));
            let (shown, max_size) = (engine.items(), engine.max_size());
            let mut agreed = Vec::new();
            for model in models {
                if model.items() == shown && model.max_size() == max_size && !agreed.contains(&model) {
                    agreed.push(model);
                }
            }
            models = agreed;
            assert!(!models.is_empty(), "{operation:?} with {panics:?} leaves {shown:?}, as no model does");
        }
    }
}

/// Keeps the models whose outcome is that of the engine.
fn agree(models: &mut Vec<Model<Key, Value>>, operation: &Operation<Key, Value>, outcome: &Outcome<Key, Value>) {
    models.retain_mut(|model| operation.apply(model) == *outcome);
}
