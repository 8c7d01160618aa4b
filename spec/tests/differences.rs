//! Declared differences are never tested, neither in a run nor in a shrunk one.

use aws_client_cache_spec::check::{Branch, Difference, Divergence, FoundOrInserted, dict, order, step};
use aws_client_cache_spec::generate::{Limits, Operations};
use aws_client_cache_spec::{
    CounterExample, Dict, InsertionMode, Model, Operation, Policy, Random, Refusal, SystemUnderTest,
};

/// Returns the entry that insertion returns for a victim.
type Told = fn((u8, u64)) -> Option<(u8, u64)>;

/// A cache with a fixed bound above 0 that may return no victim, with the victims of the model.
struct Untold {
    model: Model<u8, u64>,
    /// The length from which on it reports one entry too many.
    wrong_from: usize,
    told: Told,
}

impl Untold {
    fn new(policy: Policy, insertion: InsertionMode, max_size: usize, wrong_from: usize) -> Self {
        assert!(max_size > 0, "no bound of 0 is asked for");
        Self { model: Model::new(policy, max_size).with_insertion(insertion), wrong_from, told: |_| None }
    }
}

impl SystemUnderTest<u8, u64> for Untold {
    const DIFFERENCES: &'static [Difference] = &[Difference::VictimsNotReturned, Difference::NoZero, Difference::NoPop];

    fn insert(&mut self, key: u8, value: u64) -> Result<Option<(u8, u64)>, Refusal> {
        Ok(self.model.insert(key, value)?.and_then(self.told))
    }

    fn get(&mut self, key: &u8) -> Option<u64> {
        let wrong = u64::from(self.len() >= self.wrong_from);
        Some(self.model.get(key)? + wrong)
    }

    fn get_or_insert(&mut self, key: u8, value: u64) -> Option<FoundOrInserted<u8, u64>> {
        let (found, victim) = match self.model.get_or_insert(key, value)? {
            Ok(found) => found,
            Err(refusal) => return Some(Err(refusal)),
        };
        Some(Ok((found, victim.and_then(self.told))))
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
fn a_victim_that_is_returned_nevertheless_must_be_the_right_one() -> Result<(), CounterExample> {
    for insertion in InsertionMode::ALL {
        let new =
            |told: Told| move |max_size| Untold { told, ..Untold::new(Policy::Lru, insertion, max_size, usize::MAX) };
        let model = |max_size| Model::lru(max_size).with_insertion(insertion);
        let expected = |max_size| Dict::new(max_size).with_insertion(insertion);
        order(Random::new(), model, new(Some))?;
        dict(Random::new(), expected, new(Some))?;

        let wrong: Told = |(key, value)| Some((key, value + 1));
        let found = [order(Random::new(), model, new(wrong)), dict(Random::new(), expected, new(wrong))];
        for found in found.map(Result::unwrap_err) {
            assert!(found.to_string().contains("the cache returns Evicted([("), "{found}");
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

/// A cache that has no bound of 0, cannot pop, and asks a predicate about its entries in another order.
///
/// It may keep its last entry, whatever the predicate answers.
struct Differs<const KEEPS_LAST: bool>(Model<u8, u64>);

impl<const KEEPS_LAST: bool> SystemUnderTest<u8, u64> for Differs<KEEPS_LAST> {
    const DIFFERENCES: &'static [Difference] = &[Difference::NoZero, Difference::NoPop, Difference::Unordered];

    fn insert(&mut self, key: u8, value: u64) -> Result<Option<(u8, u64)>, Refusal> {
        self.0.insert(key, value)
    }

    fn get(&mut self, key: &u8) -> Option<u64> {
        self.0.get(key)
    }

    fn remove(&mut self, key: &u8) -> Result<u64, Refusal> {
        self.0.remove(key)
    }

    fn pop(&mut self) -> Result<(u8, u64), Refusal> {
        let newest = self.0.items().pop().ok_or(Refusal::Empty)?;
        self.0.remove(&newest.0)?;
        Ok(newest)
    }

    fn retain(&mut self, keep: &mut dyn FnMut(&u8, &u64) -> bool) -> Option<()> {
        for (key, value) in self.0.reversed() {
            let is_kept = keep(&key, &value) || KEEPS_LAST && self.0.len() == 1;
            if !is_kept {
                self.0.remove(&key).ok()?;
            }
        }
        Some(())
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(u8, u64)>> {
        assert!(max_size > 0, "a bound of 0");
        self.0.set_max_size(max_size)
    }

    fn max_size(&self) -> usize {
        self.0.max_size()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn items(&self) -> Vec<(u8, u64)> {
        self.0.reversed()
    }
}

#[test]
fn single_steps_compare_no_declared_difference() -> Result<(), Divergence> {
    for seed in 0..200 {
        let limits = Limits { min_size: 1, ..Limits::new() };
        let Operations { max_size, operations } = Operations::seeded(limits, seed, Model::lru);
        let bounds = operations.iter().chain([&Operation::SetMaxSize(0)]);
        let (mut cache, mut model) = (Differs::<false>(Model::lru(max_size)), Model::lru(max_size));
        for operation in bounds.clone() {
            step(&mut cache, &mut model, operation)?;
        }
        let (mut cache, mut dict) = (Differs::<false>(Model::lru(max_size)), Dict::new(max_size));
        for operation in bounds {
            dict.step(&mut cache, operation)?;
        }
    }
    Ok(())
}

#[test]
fn equal_answers_of_a_predicate_are_compared_without_an_order() {
    let random = Random::new();
    let sound = |max_size| Differs::<false>(Model::lru(max_size));
    for covered in [order(random, Model::lru, sound), dict(random, Dict::new, sound)].map(Result::unwrap) {
        assert!(covered.count(Branch::RetainAll) > 0 && covered.count(Branch::RetainNone) > 0, "{covered:?}");
        assert!(covered.all().all(|branch| branch != Branch::RetainSome), "{covered:?}");
    }
    let wrong = |max_size| Differs::<true>(Model::lru(max_size));
    for found in [order(random, Model::lru, wrong), dict(random, Dict::new, wrong)].map(Result::unwrap_err) {
        assert_eq!(found.operations().last(), Some(&Operation::Retain(0)), "{found}");
    }
}
