//! The engine compared with the model: operations on few keys, and all accessors after each.

use arbitrary::{Arbitrary, Result, Unstructured};
use aws_client_cache_spec::check::{Branch, Branches, step};
use aws_client_cache_spec::generate::{self, Limits, Operations};
use aws_client_cache_spec::{Model, Policy};

use super::{Fuzzed, Reached};
use crate::engine::Engine;

/// Few keys and small bounds, so that keys recur.
const LIMITS: Limits = Limits { keys: 32, min_size: 0, max_size: 23, operations: 2_048, times: 0 };

/// A cache, and a sequence of operations on it.
#[derive(Debug)]
pub struct Input {
    policy: Policy,
    /// The limit of use counts, so small that they saturate.
    max_uses: u64,
    run: Operations,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let policy = *bytes.choose(&Policy::ALL)?;
        let max_uses = u64::from(u8::arbitrary(bytes)?);
        let new = |max_size| Model::with_max_uses(policy, max_size, max_uses);
        Ok(Self { policy, max_uses, run: generate::arbitrary::operations(bytes, LIMITS, new) })
    }
}

/// Returns every branch of a cache that refuses present keys, and in which nothing expires.
fn all() -> impl Iterator<Item = Branch> {
    Branch::ALL.into_iter().chain(Branch::OF_AGING).chain(Branch::OF_RETAIN)
}

impl Fuzzed for Input {
    fn branches() -> Reached {
        all().map(|branch| format!("{branch:?}")).collect()
    }

    fn run(self, reached: &mut Reached) {
        let Self { policy, max_uses, run: Operations { max_size, operations } } = self;
        let mut engine = Engine::with_max_uses(policy, max_size, max_uses);
        let mut model = Model::with_max_uses(policy, max_size, max_uses);
        let mut branches = Branches::default();
        for operation in operations {
            branches.apply(&mut model.clone(), &operation);
            if let Err(divergence) = step(&mut engine, &mut model, &operation) {
                panic!("{divergence}");
            }
        }
        let taken = all().filter(|branch| branches.count(*branch) > 0);
        reached.extend(taken.map(|branch| format!("{branch:?}")));
    }
}
