//! Random histories of operations, by the generator of the kit.

use aws_client_cache_spec::generate::{Limits, Operations};
use aws_client_cache_spec::{Model, Operation, Policy, SystemUnderTest};
use quickcheck::{Arbitrary, Gen};

pub const POLICIES: [Policy; 3] = Policy::ALL;

/// The policy and the bound of a cache, and a sequence of operations on it.
#[derive(Clone, Debug)]
pub struct History {
    pub policy: Policy,
    pub max_size: usize,
    pub operations: Vec<Operation<u8, u64>>,
}

impl History {
    /// Applies all operations to a new cache, and returns it.
    pub fn run<C: SystemUnderTest<u8, u64>>(&self, new: impl Fn(Policy, usize) -> C) -> C {
        let mut cache = new(self.policy, self.max_size);
        for operation in &self.operations {
            operation.apply(&mut cache);
        }
        cache
    }
}

impl Arbitrary for History {
    fn arbitrary(g: &mut Gen) -> Self {
        let policy = *g.choose(&POLICIES).expect("there are policies");
        let limits = Limits { keys: 12, min_size: 0, max_size: 7, operations: g.size(), times: 0 };
        let run = Operations::seeded(limits, u64::arbitrary(g), |max_size| Model::new(policy, max_size));
        Self { policy, max_size: run.max_size, operations: run.operations }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let policy = self.policy;
        let run = Operations { max_size: self.max_size, operations: self.operations.clone() };
        Box::new(run.shrink().map(move |run| Self { policy, max_size: run.max_size, operations: run.operations }))
    }
}
