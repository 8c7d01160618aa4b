//! Creation on the kit's own cache.

mod adapted;
mod calls;
mod dict;

use std::collections::BTreeSet;

use aws_client_cache_spec::creation::{Scheduled, Schedules, Violation, creation};
use aws_client_cache_spec::faults::{CreationFault, FaultyCreator};
use aws_client_cache_spec::{Model, Policy};

fn claim(fault: Option<CreationFault>, policy: Policy, schedules: Schedules) -> Result<Scheduled, Violation> {
    let Schedules { max_size, is_shared, .. } = schedules;
    let new = if is_shared { FaultyCreator::shared } else { FaultyCreator::new };
    let model = |max_size| Model::new(policy, max_size);
    creation(schedules, model, || new(fault, model(max_size)))
}

#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn report(policy: Policy, schedules: Schedules, Scheduled { schedules: tried, steps, .. }: Scheduled) {
    let Schedules { max_size, callers, depth, merge, is_shared } = schedules;
    let merged = if merge { ", equivalent ones counted once" } else { "" };
    let shared = if is_shared { ", shared creations" } else { "" };
    let what = format!(
        "the kit's reference, {policy:?}, {callers} callers, a bound of {max_size}, {depth} steps{shared}{merged}"
    );
    println!("\nreport: creation | {what} | {tried} schedules, {steps} steps");
}

// Proves every rule S.
/// The numbers are exact, so that a search that loses part of its scope fails.
#[test]
fn every_short_schedule_goes_by_the_rules() {
    let two = Schedules { callers: 2, depth: 5, merge: false, ..Schedules::new() };
    let three = Schedules { callers: 3, ..two };
    let at_zero = Schedules { max_size: 0, ..two };
    let one = Schedules { max_size: 1, ..two };
    let shared = Schedules { is_shared: true, ..three };
    for (policy, schedules, number) in [
        (Policy::Lfu, two, 364_103),
        (Policy::Lfu, three, 366_727),
        (Policy::Lfu, at_zero, 374_414),
        (Policy::Lru, one, 364_523),
        (Policy::Lfuda, one, 364_523),
        (Policy::Lfu, shared, 366_584),
    ] {
        let tried = claim(None, policy, schedules).unwrap_or_else(|found| panic!("{found}"));
        assert_eq!(tried.schedules, number, "{policy:?}, {schedules:?}");
        assert_eq!(tried.steps / tried.schedules, 4, "most schedules have five steps: {tried:?}");
        report(policy, schedules, tried);
    }
}

// Proves every rule S.
#[test]
fn longer_schedules_go_by_the_rules() {
    for (callers, depth, is_shared, number) in [(2, 9, false, 247_201), (3, 9, false, 703_940), (3, 8, true, 399_455)] {
        let schedules = Schedules { callers, depth, merge: true, is_shared, ..Schedules::new() };
        let tried = claim(None, Policy::Lfu, schedules).unwrap_or_else(|found| panic!("{found}"));
        assert_eq!(tried.schedules, number, "{schedules:?}");
        report(Policy::Lfu, schedules, tried);
    }
}

// Proves every rule S.
#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn no_faulty_creation_passes_and_each_fails_in_a_short_schedule() {
    let mut refused = 0;
    for fault in CreationFault::ALL {
        let merged = Schedules { callers: 3, depth: 7, merge: true, ..Schedules::new() };
        let at_zero = Schedules { max_size: 0, ..merged };
        let shared = Schedules { is_shared: true, ..merged };
        let tries = [merged, at_zero, shared];
        let found = tries.into_iter().find_map(|schedules| claim(Some(fault), Policy::Lfu, schedules).err());
        let found = found.unwrap_or_else(|| panic!("{fault:?} passes"));
        assert!(found.steps().len() <= 7, "{fault:?}: {found}");
        assert!(found.to_string().contains(", &cache, &steps).unwrap();"), "{found}");
        refused += 1;
    }
    println!("\nreport: faulty caches | faults of creation, refused by creation | {refused} caches");
}

/// A single run of each kind finds all of them.
#[test]
fn the_default_schedules_find_every_fault() {
    let default = Schedules::new();
    let kinds = [default, Schedules { is_shared: true, ..default }, Schedules { max_size: 0, ..default }];
    for fault in CreationFault::ALL {
        let found = kinds.into_iter().find_map(|schedules| claim(Some(fault), Policy::Lfu, schedules).err());
        assert!(found.is_some(), "{fault:?} passes");
    }
}

#[test]
fn two_callers_cannot_see_that_a_failure_stays_joinable() {
    for is_shared in [false, true] {
        let three = Schedules { is_shared, ..Schedules::new() };
        let two = Schedules { callers: 2, depth: 6, ..three };
        assert!(claim(Some(CreationFault::FailureStaysJoinable), Policy::Lfu, two).is_ok());
        assert!(claim(Some(CreationFault::FailureStaysJoinable), Policy::Lfu, three).is_err());
    }
}

/// Under an LRU, the uses of an entry show only if there is another one.
#[test]
fn uses_that_are_not_counted_show_at_the_end() {
    for policy in Policy::ALL {
        for fault in [CreationFault::WaiterCountsNoUse, CreationFault::PresentValueCountsNoUse] {
            assert!(claim(Some(fault), policy, Schedules::new()).is_err(), "{fault:?} passes under {policy:?}");
        }
    }
}

#[test]
fn no_fault_is_listed_twice() {
    assert_eq!(CreationFault::ALL.iter().collect::<BTreeSet<_>>().len(), CreationFault::ALL.len());
}
