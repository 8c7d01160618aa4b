//! The comparison lets the model pass, and none of the broken caches.

use std::collections::BTreeSet;

use aws_client_cache_spec::{Broken, EvictionPolicy, Fault, Model, Scope, closure};

fn scope(policy: EvictionPolicy) -> Scope {
    Scope { policy, max_size: 3, keys: 4, max_uses: 3, symmetric: false }
}

#[test]
fn the_model_passes() {
    for policy in [EvictionPolicy::Lru, EvictionPolicy::Lfu] {
        let small = Scope { max_size: 2, keys: 3, ..scope(policy) };
        assert!(closure::<Model<u8, u64>>(small, Model::with_max_uses).is_ok());
    }
}

/// So it is its fault for which each of the others is refused.
#[test]
fn a_cache_of_the_fleet_without_a_fault_passes() {
    for policy in [EvictionPolicy::Lru, EvictionPolicy::Lfu] {
        let sound = |policy, max_size, max_uses| Broken::new(None, policy, max_size, max_uses);
        assert!(closure(scope(policy), sound).is_ok());
    }
}

#[test]
fn no_broken_cache_passes_and_each_is_led_apart_by_few_operations() {
    for fault in Fault::ALL {
        let broken = |policy, max_size, max_uses| Broken::new(fault, policy, max_size, max_uses);
        match closure(scope(EvictionPolicy::Lfu), broken) {
            Ok(covered) => panic!("{fault:?} passes: {covered:?}"),
            Err(found) => {
                assert!(found.operations().len() <= 8, "{fault:?}: {found}");
                assert!(found.to_string().contains("step(&mut cache, &mut model, &Operation::"), "{found}");
            }
        }
    }
}

#[test]
fn the_fleet_is_complete() {
    assert_eq!(Fault::ALL.iter().collect::<BTreeSet<_>>().len(), Fault::ALL.len());
}
