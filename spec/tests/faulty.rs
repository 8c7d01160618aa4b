//! The levels accept the model, and refuse all faulty caches.
//!
//! `expiry` tests the faults of expiry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash;

use aws_client_cache_spec::check::{Branch, Level, PanicProbe, dict, exhaustive, exhaustive_to_depth, order, panics};
use aws_client_cache_spec::faults::{Fault, Faulty};
use aws_client_cache_spec::{
    CounterExample, Dict, Explore, InsertionMode, Model, Policy, Random, Scope, SystemUnderTest,
};

const MAX_USES: u64 = 3;

const RANDOM: Random = Random { runs: 300, ..Random::new() };

fn model<K, V>(policy: Policy, insertion: InsertionMode, max_size: usize) -> Model<K, V> {
    Model::with_max_uses(policy, max_size, MAX_USES).with_insertion(insertion)
}

fn faulty<K: Clone + Eq + Hash + Debug, V: Clone + Eq + Hash>(
    fault: impl Into<Option<Fault>>,
    policy: Policy,
    insertion: InsertionMode,
    max_size: usize,
) -> Faulty<K, V> {
    Faulty::new(fault, policy, max_size, MAX_USES).with_insertion(insertion)
}

/// Returns every policy in every insertion mode.
fn all() -> impl Iterator<Item = (Policy, InsertionMode)> {
    Policy::ALL.into_iter().flat_map(|policy| InsertionMode::ALL.map(|insertion| (policy, insertion)))
}

/// Returns the first level that refuses a cache.
fn refused<C, F>(
    policy: Policy,
    insertion: InsertionMode,
    plain: impl Fn(usize) -> C,
    probes: impl Fn(usize) -> F,
) -> Option<CounterExample>
where
    C: SystemUnderTest<u8, u64> + Explore<u8, u64>,
    F: Explore<PanicProbe<u8>, PanicProbe<u64>>,
{
    let small = Scope::new(2, 3);
    let expected = |max_size| Dict::new(max_size).with_insertion(insertion);
    let model = |max_size| model(policy, insertion, max_size);
    let model_of_probes = |max_size| self::model(policy, insertion, max_size);
    let levels = dict(RANDOM, expected, &plain).and_then(|_| order(RANDOM, model, &plain)).err();
    let levels = levels.or_else(|| exhaustive(small, model, &plain).err());
    levels.or_else(|| panics(small, model_of_probes, &probes).err())
}

#[test]
fn the_model_has_every_level_of_one_thread() {
    for (policy, insertion) in all() {
        let plain = |max_size| model(policy, insertion, max_size);
        let probes = |max_size| model(policy, insertion, max_size);
        assert!(refused(policy, insertion, plain, probes).is_none());
        assert!(exhaustive_to_depth(Scope { depth: 2, ..Scope::new(2, 2) }, plain, plain).is_ok());
    }
}

/// So each of the other caches is refused for its fault.
#[test]
fn a_faulty_cache_without_a_fault_has_every_level() {
    for (policy, insertion) in all() {
        let plain = |max_size| faulty(None, policy, insertion, max_size);
        let probes = |max_size| faulty(None, policy, insertion, max_size);
        if let Some(found) = refused(policy, insertion, plain, probes) {
            panic!("{found}");
        }
    }
}

// Proves D14.
#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn no_faulty_cache_has_the_level_that_names_its_fault() {
    // One thread for each mode, since this is the longest test.
    let faults = |fault: &Fault| !fault.is_of_expiry();
    std::thread::scope(|threads| {
        for insertion in InsertionMode::ALL {
            threads.spawn(move || {
                let faults = Fault::ALL.into_iter().filter(faults);
                faults.filter(|fault| fault.insertions().contains(&insertion)).for_each(|fault| {
                    for policy in fault.policies() {
                        is_refused(fault, *policy, insertion);
                    }
                });
            });
        }
    });
    let mut refused_by = BTreeMap::new();
    for fault in Fault::ALL.into_iter().filter(faults) {
        *refused_by.entry(fault.level()).or_insert(0) += 1;
    }
    for (level, refused) in refused_by {
        println!("\nreport: faulty caches | refused first by {level} | {refused} caches");
    }
}

fn is_refused(fault: Fault, policy: Policy, insertion: InsertionMode) {
    let plain = |max_size| faulty(fault, policy, insertion, max_size);
    let probes = |max_size| faulty(fault, policy, insertion, max_size);
    let found = refused(policy, insertion, plain, probes);
    let found = found.unwrap_or_else(|| panic!("{fault:?} passes under {policy:?}, {insertion:?}"));
    assert_eq!(found.level(), fault.level(), "{fault:?}, {insertion:?}: {found}");
    assert!(found.operations().len() <= 8, "{fault:?} is led apart by few operations, not by {found}");
}

/// Random operations do not find the faults by accident.
///
/// The closure finds each of these faults too, by as few operations or fewer.
#[test]
fn no_faulty_cache_passes_the_search_of_every_state() {
    let of_order = |fault: &Fault| fault.level() < Level::Exhaustive && !fault.is_of_expiry();
    for fault in Fault::ALL.into_iter().filter(of_order) {
        for (policy, insertion) in all().filter(|(policy, _)| fault.policies().contains(policy)) {
            if !fault.insertions().contains(&insertion) {
                continue;
            }
            let new = |max_size| faulty(fault, policy, insertion, max_size);
            let found = exhaustive(Scope::new(3, 4), |max_size| model(policy, insertion, max_size), new).err();
            let found = found.unwrap_or_else(|| panic!("{fault:?} passes under {policy:?}, {insertion:?}"));
            assert!(found.operations().len() <= 8, "{fault:?}: {found}");
            assert!(found.to_string().contains("step(&mut cache, &mut model, &Operation::"), "{found}");
        }
    }
}

#[test]
fn random_runs_reach_every_branch() {
    for (policy, insertion) in all() {
        let model = |max_size| model(policy, insertion, max_size);
        let branches = order(RANDOM, model, model).unwrap();
        assert_eq!(branches.never().collect::<Vec<Branch>>(), [], "{policy:?}, {insertion:?}");
    }
}

#[test]
fn equal_seeds_give_equal_runs_and_others_do_not() {
    let branches = |seed| order(Random { seed, runs: 10, ..Random::new() }, Model::lru, Model::lru).unwrap();
    assert_eq!(branches(1), branches(1));
    assert_ne!(branches(1), branches(2));
}

#[test]
fn no_fault_is_listed_twice() {
    assert_eq!(Fault::ALL.iter().collect::<BTreeSet<_>>().len(), Fault::ALL.len());
}
