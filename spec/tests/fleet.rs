//! The levels accept the model, and refuse all faulty caches.
//!
//! `expiry` tests the faults of expiry.

use std::collections::{BTreeMap, BTreeSet};

use aws_client_cache_spec::{
    Branch, Broken, CounterExample, EvictionPolicy, Explore, Fault, Fused, InsertionMode, Level, Model, Random, Scope,
    Subject, bounded, closure, dict, order, panics,
};

const MAX_USES: u64 = 3;

fn random(policy: EvictionPolicy, insertion: InsertionMode) -> Random {
    Random { insertion, max_uses: MAX_USES, runs: 300, ..Random::new(policy) }
}

fn model<K: Clone + Eq, V: Clone>(policy: EvictionPolicy, insertion: InsertionMode, max_size: usize) -> Model<K, V> {
    Model::with_max_uses(policy, max_size, MAX_USES).with_insertion(insertion)
}

fn broken<K: Clone + Eq, V: Clone>(
    fault: impl Into<Option<Fault>>,
    policy: EvictionPolicy,
    insertion: InsertionMode,
    max_size: usize,
) -> Broken<K, V> {
    Broken::new(fault, policy, max_size, MAX_USES).with_insertion(insertion)
}

/// Returns every policy in every insertion mode.
fn all() -> impl Iterator<Item = (EvictionPolicy, InsertionMode)> {
    EvictionPolicy::ALL.into_iter().flat_map(|policy| InsertionMode::ALL.map(|insertion| (policy, insertion)))
}

/// Returns the first level that refuses a cache.
fn refused<C, F>(
    policy: EvictionPolicy,
    insertion: InsertionMode,
    plain: impl Fn(usize) -> C,
    fused: impl Fn(usize) -> F,
) -> Option<CounterExample>
where
    C: Subject<u8, u64> + Explore<u8, u64>,
    F: Explore<Fused<u8>, Fused<u64>>,
{
    let small = Scope { insertion, ..Scope::new(policy, 2, 3) };
    let random = random(policy, insertion);
    let levels = dict(random, &plain).and_then(|_| order(random, &plain)).err();
    levels.or_else(|| closure(small, &plain).err()).or_else(|| panics(small, &fused).err())
}

#[test]
fn the_model_has_every_level_of_one_thread() {
    for (policy, insertion) in all() {
        let plain = |max_size| model(policy, insertion, max_size);
        let fused = |max_size| model(policy, insertion, max_size);
        assert!(refused(policy, insertion, plain, fused).is_none());
        assert!(bounded(Scope { insertion, depth: 2, ..Scope::new(policy, 2, 2) }, plain).is_ok());
    }
}

/// So each of the other caches is refused for its fault.
#[test]
fn a_cache_of_the_fleet_without_a_fault_has_every_level() {
    for (policy, insertion) in all() {
        let plain = |max_size| broken(None, policy, insertion, max_size);
        let fused = |max_size| broken(None, policy, insertion, max_size);
        if let Some(found) = refused(policy, insertion, plain, fused) {
            panic!("{found}");
        }
    }
}

// Proves D14.
#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn no_broken_cache_has_the_level_that_names_its_fault() {
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

fn is_refused(fault: Fault, policy: EvictionPolicy, insertion: InsertionMode) {
    let plain = |max_size| broken(fault, policy, insertion, max_size);
    let fused = |max_size| broken(fault, policy, insertion, max_size);
    let found = refused(policy, insertion, plain, fused);
    let found = found.unwrap_or_else(|| panic!("{fault:?} passes under {policy:?}, {insertion:?}"));
    assert_eq!(found.level(), fault.level(), "{fault:?}, {insertion:?}: {found}");
    assert!(found.operations().len() <= 8, "{fault:?} is led apart by few operations, not by {found}");
}

/// Random operations do not find the faults by accident.
///
/// The closure finds each of these faults too, by as few operations or fewer.
#[test]
fn no_broken_cache_passes_the_closure_and_none_is_led_apart_by_fewer_operations() {
    let of_order = |fault: &Fault| fault.level() < Level::Closure && !fault.is_of_expiry();
    for fault in Fault::ALL.into_iter().filter(of_order) {
        for (policy, insertion) in all().filter(|(policy, _)| fault.policies().contains(policy)) {
            if !fault.insertions().contains(&insertion) {
                continue;
            }
            let new = |max_size| broken(fault, policy, insertion, max_size);
            let found = closure(Scope { insertion, ..Scope::new(policy, 3, 4) }, new).err();
            let found = found.unwrap_or_else(|| panic!("{fault:?} passes under {policy:?}, {insertion:?}"));
            assert!(found.operations().len() <= 8, "{fault:?}: {found}");
            assert!(found.to_string().contains("step(&mut cache, &mut model, &Operation::"), "{found}");
        }
    }
}

#[test]
fn random_runs_reach_every_branch() {
    for (policy, insertion) in all() {
        let branches = order(random(policy, insertion), |max_size| model(policy, insertion, max_size)).unwrap();
        assert_eq!(branches.never().collect::<Vec<Branch>>(), [], "{policy:?}, {insertion:?}");
    }
}

#[test]
fn equal_seeds_give_equal_runs_and_others_do_not() {
    let branches = |seed| {
        let model = |max_size| Model::new(EvictionPolicy::Lru, max_size);
        order(Random { seed, runs: 10, ..Random::new(EvictionPolicy::Lru) }, model).unwrap()
    };
    assert_eq!(branches(1), branches(1));
    assert_ne!(branches(1), branches(2));
}

#[test]
fn the_fleet_is_complete() {
    assert_eq!(Fault::ALL.iter().collect::<BTreeSet<_>>().len(), Fault::ALL.len());
}
