//! The levels accept the model, and refuse all faulty caches.
//!
//! `expiry` tests the faults of expiry.

use std::collections::{BTreeMap, BTreeSet};

use aws_client_cache_spec::{
    Branch, Broken, CounterExample, EvictionPolicy, Explore, Fault, Fused, Level, Model, Random, Scope, Subject,
    bounded, closure, dict, order, panics,
};

const MAX_USES: u64 = 3;

fn random(policy: EvictionPolicy) -> Random {
    Random { max_uses: MAX_USES, ..Random::new(policy) }
}

/// Returns the first level that refuses a cache.
fn refused<C, F>(
    policy: EvictionPolicy,
    plain: impl Fn(usize) -> C,
    fused: impl Fn(usize) -> F,
) -> Option<CounterExample>
where
    C: Subject<u8, u64> + Explore<u8, u64>,
    F: Explore<Fused<u8>, Fused<u64>>,
{
    let small = Scope::new(policy, 2, 3);
    let levels = dict(random(policy), &plain).and(order(random(policy), &plain)).err();
    levels.or_else(|| closure(small, &plain).err()).or_else(|| panics(small, &fused).err())
}

#[test]
fn the_model_has_every_level_of_one_thread() {
    for policy in EvictionPolicy::ALL {
        let model = |max_size| Model::with_max_uses(policy, max_size, MAX_USES);
        let fused = |max_size| Model::with_max_uses(policy, max_size, MAX_USES);
        assert!(refused(policy, model, fused).is_none());
        assert!(bounded(Scope { depth: 2, ..Scope::new(policy, 2, 2) }, model).is_ok());
    }
}

/// So each of the other caches is refused for its fault.
#[test]
fn a_cache_of_the_fleet_without_a_fault_has_every_level() {
    for policy in EvictionPolicy::ALL {
        let plain = |max_size| Broken::new(None, policy, max_size, MAX_USES);
        let fused = |max_size| Broken::new(None, policy, max_size, MAX_USES);
        if let Some(found) = refused(policy, plain, fused) {
            panic!("{found}");
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn no_broken_cache_has_the_level_that_names_its_fault() {
    let mut refused_by = BTreeMap::new();
    for fault in Fault::ALL.into_iter().filter(|fault| !fault.is_of_expiry()) {
        for policy in fault.policies().iter().copied() {
            let plain = |max_size| Broken::new(fault, policy, max_size, MAX_USES);
            let fused = |max_size| Broken::new(fault, policy, max_size, MAX_USES);
            let found = refused(policy, plain, fused).unwrap_or_else(|| panic!("{fault:?} passes under {policy:?}"));
            assert_eq!(found.level(), fault.level(), "{fault:?}: {found}");
            assert!(found.operations().len() <= 8, "{fault:?} is led apart by few operations, not by {found}");
        }
        *refused_by.entry(fault.level()).or_insert(0) += 1;
    }
    for (level, refused) in refused_by {
        println!("\nreport: faulty caches | refused first by {level} | {refused} caches");
    }
}

/// Random operations do not find the faults by accident.
///
/// The closure finds each of these faults too, by as few operations or fewer.
#[test]
fn no_broken_cache_passes_the_closure_and_none_is_led_apart_by_fewer_operations() {
    let of_order = |fault: &Fault| fault.level() < Level::Closure && !fault.is_of_expiry();
    for fault in Fault::ALL.into_iter().filter(of_order) {
        for policy in fault.policies().iter().copied() {
            let new = |max_size| Broken::new(fault, policy, max_size, MAX_USES);
            let found = closure(Scope::new(policy, 3, 4), new).err();
            let found = found.unwrap_or_else(|| panic!("{fault:?} passes under {policy:?}"));
            assert!(found.operations().len() <= 8, "{fault:?}: {found}");
            assert!(found.to_string().contains("step(&mut cache, &mut model, &Operation::"), "{found}");
        }
    }
}

#[test]
fn random_runs_reach_every_branch() {
    for policy in EvictionPolicy::ALL {
        let model = |max_size| Model::with_max_uses(policy, max_size, MAX_USES);
        let branches = order(random(policy), model).unwrap();
        assert_eq!(branches.never().collect::<Vec<Branch>>(), [], "{policy:?}");
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
