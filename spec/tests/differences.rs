//! Declared differences are never tested, neither in a run nor in a shrunk one.

use aws_client_cache_spec::check::{Difference, dict, order};
use aws_client_cache_spec::{
    CounterExample, Dict, InsertionMode, Model, Operation, Policy, Random, Refusal, SystemUnderTest,
};

/// A cache with a fixed bound above 0 that returns no victim, with the victims of the model.
struct Untold {
    model: Model<u8, u64>,
    /// The length from which on it reports one entry too many.
    wrong_from: usize,
}

impl Untold {
    fn new(policy: Policy, insertion: InsertionMode, max_size: usize, wrong_from: usize) -> Self {
        assert!(max_size > 0, "no bound of 0 is asked for");
        Self { model: Model::new(policy, max_size).with_insertion(insertion), wrong_from }
    }
}

impl SystemUnderTest<u8, u64> for Untold {
    const DIFFERENCES: &'static [Difference] = &[Difference::VictimsNotReturned, Difference::NoZero, Difference::NoPop];

    fn insert(&mut self, key: u8, value: u64) -> Result<Option<(u8, u64)>, Refusal> {
        self.model.insert(key, value).map(|_| None)
    }

    fn get(&mut self, key: &u8) -> Option<u64> {
        let wrong = u64::from(self.len() >= self.wrong_from);
        Some(self.model.get(key)? + wrong)
    }

    fn remove(&mut self, key: &u8) -> Result<u64, Refusal> {
        self.model.remove(key)
    }

    fn max_size(&self) -> usize {
        self.model.max_size()
    }

    fn len(&self) -> usize {
        self.model.len()
    }

    fn items(&self) -> Vec<(u8, u64)> {
        self.model.items()
    }
}

/// The dict does not check the order, so it must accept either.
#[test]
fn a_cache_that_differs_only_as_it_declares_has_the_level() -> Result<(), CounterExample> {
    for policy in Policy::ALL {
        for insertion in InsertionMode::ALL {
            let new = |max_size| Untold::new(policy, insertion, max_size, usize::MAX);
            order(Random::new(), |max_size| Model::new(policy, max_size).with_insertion(insertion), new)?;
            dict(Random::new(), |max_size| Dict::new(max_size).with_insertion(insertion), new)?;
        }
    }
    Ok(())
}

#[test]
fn a_counter_example_needs_no_declared_difference() {
    let random = Random::new();
    let new = |max_size| Untold::new(Policy::Lru, InsertionMode::Refuse, max_size, 2);
    for found in [dict(random, Dict::new, new), order(random, Model::lru, new)] {
        let found = found.unwrap_err();
        let [Operation::Insert(0, 0), Operation::Insert(1, 0), Operation::Get(0 | 1)] = found.operations() else {
            panic!("{found}");
        };
    }
}
