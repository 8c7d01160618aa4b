//! The level L5 on the kit's own reference.

use std::collections::BTreeSet;

use aws_client_cache_spec::{CreationFault, EvictionPolicy, Reference, Scheduled, Schedules, Violation, creation};

fn claim(fault: Option<CreationFault>, schedules: Schedules) -> Result<Scheduled, Violation> {
    let Schedules { policy, max_size, is_shared, .. } = schedules;
    let new = if is_shared { Reference::shared } else { Reference::new };
    creation(schedules, || new(fault, policy, max_size))
}

#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn report(schedules: Schedules, Scheduled { schedules: tried, steps }: Scheduled) {
    let Schedules { policy, max_size, callers, depth, merge, is_shared } = schedules;
    let merged = if merge { ", those that the rules cannot tell apart as one" } else { "" };
    let shared = if is_shared { ", shared creations" } else { "" };
    let what = format!(
        "the kit's reference, {policy:?}, {callers} callers, a bound of {max_size}, {depth} steps{shared}{merged}"
    );
    println!("\nreport: L5 creation | {what} | {tried} schedules, {steps} steps");
}

// Proves every rule S.
/// The numbers are exact, so that a search that loses part of its scope fails.
#[test]
fn every_short_schedule_goes_by_the_rules() {
    let two = Schedules { depth: 6, ..Schedules::new() };
    let three = Schedules { callers: 3, depth: 5, ..two };
    let at_zero = Schedules { max_size: 0, depth: 5, ..two };
    let lru = Schedules { policy: EvictionPolicy::Lru, max_size: 1, depth: 5, ..two };
    let lfuda = Schedules { policy: EvictionPolicy::Lfuda, max_size: 1, depth: 5, ..two };
    let shared = Schedules { callers: 3, depth: 5, is_shared: true, ..two };
    for (schedules, number) in
        [(two, 1_173_149), (three, 108_198), (at_zero, 112_326), (lru, 106_799), (lfuda, 106_799), (shared, 108_082)]
    {
        let tried = claim(None, schedules).unwrap_or_else(|found| panic!("{found}"));
        assert_eq!(tried.schedules, number, "{schedules:?}");
        report(schedules, tried);
    }
}

// Proves every rule S.
#[test]
fn longer_schedules_go_by_the_rules() {
    for (callers, depth, is_shared, number) in
        [(2, 10, false, 54_115), (3, 9, false, 122_836), (3, 12, false, 482_789), (3, 10, true, 281_314)]
    {
        let schedules = Schedules { callers, depth, merge: true, is_shared, ..Schedules::new() };
        let tried = claim(None, schedules).unwrap_or_else(|found| panic!("{found}"));
        assert_eq!(tried.schedules, number, "{schedules:?}");
        report(schedules, tried);
    }
}

// Proves every rule S.
#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn no_broken_creation_passes_and_each_is_told_by_a_short_schedule() {
    let mut refused = 0;
    for fault in CreationFault::ALL {
        let merged = Schedules { callers: 3, depth: 7, merge: true, ..Schedules::new() };
        let at_zero = Schedules { max_size: 0, ..merged };
        let shared = Schedules { is_shared: true, ..merged };
        let tries = [merged, at_zero, shared];
        let found = tries.into_iter().find_map(|schedules| claim(Some(fault), schedules).err());
        let found = found.unwrap_or_else(|| panic!("{fault:?} passes"));
        assert!(found.steps().len() <= 7, "{fault:?}: {found}");
        assert!(found.to_string().contains("schedules.run(&cache, &steps).unwrap();"), "{found}");
        refused += 1;
    }
    println!("\nreport: faulty caches | faults of creation, refused by L5 | {refused} caches");
}

#[test]
fn the_fleet_is_complete() {
    assert_eq!(CreationFault::ALL.iter().collect::<BTreeSet<_>>().len(), CreationFault::ALL.len());
}
