//! The engine compared with the model: operations on few keys, and all accessors after each.

use arbitrary::Arbitrary;
use aws_client_cache_spec::{Branch, Branches, EvictionPolicy, Model, Operation, step};

use super::{Fuzzed, Reached};
use crate::engine::Engine;

/// A cache, and a sequence of operations on it.
#[derive(Arbitrary, Debug)]
pub struct Input {
    /// Chooses the policy, by the remainder.
    policy: u8,
    max_size: u8,
    /// The limit of use counts, so small that they saturate.
    max_uses: u8,
    operations: Vec<Step>,
}

/// An [`Operation`] on few keys and small bounds, so that keys recur.
#[derive(Arbitrary, Debug)]
enum Step {
    Insert(u8, u64),
    Get(u8),
    TryGet(u8),
    Peek(u8),
    ContainsKey(u8),
    Remove(u8),
    Pop,
    Clear,
    Copy,
    SetMaxSize(u8),
}

impl From<Step> for Operation<u8, u64> {
    fn from(step: Step) -> Self {
        let key = |key: u8| key % 32;
        match step {
            Step::Insert(k, value) => Self::Insert(key(k), value),
            Step::Get(k) => Self::Get(key(k)),
            Step::TryGet(k) => Self::TryGet(key(k)),
            Step::Peek(k) => Self::Peek(key(k)),
            Step::ContainsKey(k) => Self::ContainsKey(key(k)),
            Step::Remove(k) => Self::Remove(key(k)),
            Step::Pop => Self::Pop,
            Step::Clear => Self::Clear,
            Step::Copy => Self::Copy,
            Step::SetMaxSize(max_size) => Self::SetMaxSize(usize::from(max_size % 24)),
        }
    }
}

impl Fuzzed for Input {
    fn branches() -> Reached {
        // Every step compares the items, and so needs no operation for them.
        let steps = Branch::ALL.iter().filter(|branch| !matches!(branch, Branch::Items | Branch::ItemsEmpty));
        steps.chain(&Branch::OF_AGING).map(|branch| format!("{branch:?}")).collect()
    }

    fn run(self, reached: &mut Reached) {
        let policy = EvictionPolicy::ALL[usize::from(self.policy) % EvictionPolicy::ALL.len()];
        let (max_size, max_uses) = (usize::from(self.max_size % 24), self.max_uses.into());
        let mut engine = Engine::with_max_uses(policy, max_size, max_uses);
        let mut model = Model::with_max_uses(policy, max_size, max_uses);
        let mut branches = Branches::default();
        for operation in self.operations.into_iter().map(Operation::from) {
            branches.apply(&mut model.clone(), &operation);
            if let Err(divergence) = step(&mut engine, &mut model, &operation) {
                panic!("{divergence}");
            }
        }
        let taken = Branch::ALL.iter().chain(&Branch::OF_AGING).filter(|branch| branches.count(**branch) > 0);
        reached.extend(taken.map(|branch| format!("{branch:?}")));
    }
}
