//! Declared differences are never tested, neither in a run nor in a shrunk one.

use aws_client_cache_spec::{
    CounterExample, Difference, EvictionPolicy, InsertionMode, Model, Operation, Random, Refusal, Subject, dict, order,
};

/// A cache with a fixed bound above 0 that returns no victim, with the victims of the model.
struct Untold {
    model: Model<u8, u64>,
    /// The length from which on it reports one entry too many.
    wrong_from: usize,
}

impl Untold {
    fn new(random: Random, max_size: usize, wrong_from: usize) -> Self {
        assert!(max_size > 0, "no bound of 0 is asked for");
        Self { model: Model::new(random.policy, max_size).with_insertion(random.insertion), wrong_from }
    }
}

impl Subject<u8, u64> for Untold {
    const DIFFERENCES: &'static [Difference] = &[Difference::VictimsUntold, Difference::NoZero, Difference::NoPop];

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
    for policy in EvictionPolicy::ALL {
        for insertion in InsertionMode::ALL {
            let random = Random { insertion, ..Random::new(policy) };
            let new = |max_size| Untold::new(random, max_size, usize::MAX);
            order(random, new)?;
            dict(Random { policy: EvictionPolicy::Lru, ..random }, new)?;
        }
    }
    Ok(())
}

#[test]
fn a_counter_example_asks_for_nothing_that_is_declared() {
    let random = Random::new(EvictionPolicy::Lru);
    let new = |max_size| Untold::new(random, max_size, 2);
    for found in [dict(random, new), order(random, new)] {
        let found = found.unwrap_err();
        let [Operation::Insert(0, 0), Operation::Insert(1, 0), Operation::Get(0 | 1)] = found.operations() else {
            panic!("{found}");
        };
    }
}
