//! The levels accept the model where keys expire, and refuse all caches with a fault of expiry.

use std::collections::BTreeMap;

use aws_client_cache_spec::check::{
    Branch, Branches, Covered, Level, PanicProbe, dict, exhaustive, exhaustive_to_depth, may_be_left, order, panics,
};
use aws_client_cache_spec::concurrency::{Call, History};
use aws_client_cache_spec::faults::Fault;
use aws_client_cache_spec::{CounterExample, Explore, Operation, Outcome, Random, Refusal, Scope, SystemUnderTest};

use super::*;

/// Claims every level of one thread for a cache of plain and probes keys, where keys expire.
fn claim<C, F>(
    policy: Policy,
    plain: impl Fn(usize, Expiries) -> C,
    probes: impl Fn(usize) -> F,
) -> Result<(), CounterExample>
where
    C: Explore<u8, u64>,
    F: Explore<PanicProbe<u8>, PanicProbe<u64>>,
{
    let [some, two] = [SOME, TWO].map(|expiry| move |max_size| model(policy, max_size, expiry));
    let [plain_some, plain_two] = [SOME, TWO].map(|expiry| {
        let plain = &plain;
        move |max_size| plain(max_size, expiry)
    });
    dict(Random::new(), expected, plain_some)?;
    order(Random::new(), some, plain_some)?;
    exhaustive(SCOPE, two, plain_two)?;
    exhaustive(Scope { symmetric: true, ..SCOPE }, two, plain_two)?;
    exhaustive_to_depth(Scope { depth: 2, ..SCOPE }, two, plain_two)?;
    panics(Scope::new(2, 2), |max_size| model(policy, max_size, TWO), probes)?;
    Ok(())
}

// Proves every rule E.
#[test]
fn the_model_has_every_level_where_keys_expire() -> Result<(), CounterExample> {
    Policy::ALL.into_iter().try_for_each(|policy| {
        claim(policy, |max_size, expiry| model(policy, max_size, expiry), |max_size| model(policy, max_size, TWO))
    })
}

/// So each of the other caches is refused for its fault.
#[test]
fn a_faulty_cache_without_a_fault_has_every_level_where_keys_expire() -> Result<(), CounterExample> {
    Policy::ALL.into_iter().try_for_each(|policy| {
        let plain = |max_size, expiry| faulty(None, policy, max_size, expiry);
        claim(policy, plain, |max_size| faulty(None, policy, max_size, TWO))
    })
}

// Proves every rule E.
/// The numbers are exact, so that a search that loses part of its scope fails.
#[test]
fn every_state_is_reached_at_every_time() {
    // The possible contents at the bounds 0, 1 and 2, each at the times 0, 1, 2 and 3.
    let held = 1 + (1 + 3) + (1 + 3 + 3 * 2);
    // Eight operations on each of three keys, three bounds, four patterns of `Retain`, eleven others, four times, and
    // the removal of expired entries.
    let operations = 8 * 3 + 3 + 4 + 11 + 4 + 1;
    let lru = Covered { states: held * 4, transitions: held * 4 * operations, answered: ANSWERED };
    // Under LFU, each entry has one of three counts. Among entries with one count, and among others, the order of last
    // use matters.
    let held = 1 + (1 + 3 * 3) + (1 + 3 * 3 + 3 * 2 * 9);
    let lfu = Covered { states: held * 4, transitions: held * 4 * operations, answered: ANSWERED };
    // Under LFUDA, there are four floors at each bound, and an entry weighs at least the floor. Of two entries, only
    // the one that was used earlier can weigh as much: a use or an insertion after the eviction leads higher, until
    // weights saturate.
    let one = [3, 3, 2, 1];
    let two = [9, 4 + 2, 1 + 1, 1];
    let lone: usize = one.iter().map(|weights| 1 + 3 * weights).sum();
    let pairs: usize = two.iter().map(|weights| 3 * 2 * weights).sum();
    let held = 4 + lone + lone + pairs;
    let lfuda = Covered { states: held * 4, transitions: held * 4 * operations, answered: ANSWERED };
    for (policy, covered) in [(Policy::Lru, lru), (Policy::Lfu, lfu), (Policy::Lfuda, lfuda)] {
        let new = |max_size| model(policy, max_size, TWO);
        assert_eq!(exhaustive(SCOPE, new, new).unwrap(), covered);
    }
}

// Proves E1.
/// Keys 0 and 1, which expire together, stand for each other; 2 and 3 each stand for themselves.
#[test]
fn only_keys_that_expire_together_are_interchangeable() {
    let expiry: Expiries = &[(0, 1), (1, 1), (2, 2)];
    let policy = Policy::Lru;
    let own = Scope::new(2, 4);
    let symmetric = Scope { symmetric: true, ..own };
    let new = |max_size| model(policy, max_size, expiry);
    let covered = |scope| exhaustive(scope, new, new).unwrap();
    assert_eq!(covered(own).states, (1 + (1 + 4) + (1 + 4 + 4 * 3)) * 4);
    let states = 1 + (1 + 3) + (1 + 3 + (3 * 2 + 1));
    // At each bound, with no entry, one and two, the keys of the operations: the present keys, expired or not, and one
    // absent key for each expiry.
    let keys = 3 + (3 + (4 + 3 + 3)) + (3 + (4 + 3 + 3) + (5 * 4 + 2 * 3));
    let transitions = (8 * keys + states * (3 + 4 + 11 + 4 + 1)) * 4;
    assert_eq!(covered(symmetric), Covered { states: states * 4, transitions, answered: ANSWERED });

    // So a cache with the wrong expiry of one key is detected.
    let wrong: Expiries = &[(0, 1), (1, 1), (2, 3)];
    let found = exhaustive(symmetric, new, |max_size| model(policy, max_size, wrong)).unwrap_err();
    assert_eq!(found.operations(), [Operation::Insert(2, 2), Operation::SetTime(2)]);
}

#[test]
fn an_operation_takes_the_branch_that_the_rules_distinguish() {
    let mut model: Timed = model(Policy::Lru, 2, TWO);
    let taken = [
        (Operation::ContainsKey(0), Branch::LookAbsent),
        (Operation::Insert(2, 0), Branch::InsertStores),
        (Operation::Insert(0, 0), Branch::InsertStores),
        (Operation::SetTime(1), Branch::TimeForth),
        (Operation::SetTime(1), Branch::TimeForth),
        (Operation::ContainsKey(0), Branch::LookExpired),
        (Operation::Peek(0), Branch::LookExpired),
        (Operation::Insert(1, 0), Branch::InsertSparesExpired),
        (Operation::Insert(0, 0), Branch::InsertExpiredThere),
        (Operation::Insert(2, 0), Branch::InsertEvictsTied), // it is an expired one that goes
        (Operation::Insert(0, 0), Branch::InsertExpired),
        (Operation::Get(0), Branch::Miss),
        (Operation::RemoveExpired, Branch::ExpireNone),
        (Operation::SetTime(2), Branch::TimeForth),
        (Operation::RemoveExpired, Branch::ExpireSome),
        (Operation::Pop, Branch::Pop),
        (Operation::SetTime(0), Branch::TimeBack),
        (Operation::Insert(0, 0), Branch::InsertStores),
        (Operation::Insert(1, 0), Branch::InsertStores),
        (Operation::SetTime(3), Branch::TimeForth),
        (Operation::Get(0), Branch::GetExpired),
        (Operation::TryGet(1), Branch::TryGetExpired),
        (Operation::SetTime(0), Branch::TimeBack),
        (Operation::Insert(1, 0), Branch::InsertStores),
        (Operation::SetTime(2), Branch::TimeForth),
        (Operation::RemoveExpired, Branch::ExpireAll),
    ];
    for (operation, branch) in taken {
        let mut branches = Branches::default();
        branches.apply(&mut model, &operation);
        assert_eq!(
            (branches.count(branch), branches.operations()),
            (1, 1),
            "{operation:?} takes another than {branch:?}"
        );
    }
}

#[test]
fn random_runs_reach_every_branch_of_expiry_and_only_where_keys_expire() {
    for policy in Policy::ALL {
        let [some, none] = [SOME, &[]].map(|expiry| move |max_size| model(policy, max_size, expiry));
        let covered = order(Random::new(), some, some).unwrap();
        assert_eq!(covered.never().collect::<Vec<_>>(), []);
        assert!(covered.to_string().contains("\nInsertSparesExpired "));

        let plain = order(Random::new(), none, none).unwrap();
        assert!(Branch::OF_EXPIRY.into_iter().all(|branch| plain.count(branch) == 0));
        assert_eq!(plain.never().collect::<Vec<_>>(), []);
        assert!(!plain.to_string().contains("Expire"));
    }
}

// Proves every rule E.
#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn no_cache_that_is_wrong_about_expiry_has_the_level_that_names_its_fault() {
    let mut refused_by = BTreeMap::new();
    for fault in Fault::ALL.into_iter().filter(|fault| fault.is_of_expiry()) {
        for policy in fault.policies().iter().copied() {
            let new = |max_size| faulty(fault, policy, max_size, SOME);
            let model = |max_size| model(policy, max_size, SOME);
            let found = dict(Random::new(), expected, new).and(order(Random::new(), model, new)).err();
            let found = found.unwrap_or_else(|| panic!("{fault:?} passes under {policy:?}"));
            assert_eq!(found.level(), fault.level(), "{fault:?}: {found}");
            assert_times_are_plain(&found);
            assert!(found.operations().len() <= 8, "{fault:?} is led apart by few operations, not by {found}");
        }
        *refused_by.entry(fault.level()).or_insert(0) += 1;
    }
    assert_eq!(refused_by, BTreeMap::from([(Level::Dict, 17), (Level::Order, 5)]));
    for (level, refused) in refused_by {
        println!("\nreport: faulty caches | faults of expiry, refused first by {level} | {refused} caches");
    }
}

/// Checks, for one key and one setting of the clock, that the time is not after the key's expiry.
fn assert_times_are_plain(found: &CounterExample) {
    let turned = found.operations().iter().filter_map(|operation| match operation {
        Operation::SetTime(now) => Some(*now),
        _ => None,
    });
    let keys = found.operations().iter().filter_map(|operation| operation.key().copied());
    if let ([now], [key]) = (&turned.collect::<Vec<_>>()[..], &keys.collect::<Vec<_>>()[..]) {
        assert!(Some(*now) <= expiry_of(*key), "{found}");
    }
}

/// Random operations do not find the faults by accident.
#[test]
fn no_cache_that_is_wrong_about_expiry_passes_an_exhaustive_search_symmetric_or_not() {
    for fault in Fault::ALL.into_iter().filter(|fault| fault.is_of_expiry()) {
        for policy in fault.policies().iter().copied() {
            for symmetric in [true, false] {
                let new = |max_size| faulty(fault, policy, max_size, TWO);
                let model = |max_size| model(policy, max_size, TWO);
                let found = exhaustive(Scope { symmetric, ..SCOPE }, model, new).err();
                let found = found.unwrap_or_else(|| panic!("{fault:?} passes under {policy:?}"));
                // F2: first, an eviction has to raise the floor.
                let most = if fault.policies() == [Policy::Lfuda] { 6 } else { 5 };
                assert!(found.operations().len() <= most, "{fault:?}: {found}");
            }
        }
    }
}

/// No fault of expiry shows where nothing expires.
#[test]
fn a_cache_that_is_wrong_about_expiry_is_right_where_nothing_expires() -> Result<(), CounterExample> {
    let few = Random { runs: 50, ..Random::new() };
    Fault::ALL.into_iter().filter(|fault| fault.is_of_expiry()).try_for_each(|fault| {
        Policy::ALL.into_iter().try_for_each(|policy| {
            let model = |max_size| model(policy, max_size, &[]);
            order(few, model, |max_size| faulty(fault, policy, max_size, &[])).map(drop)
        })
    })
}

/// A cache without a clock, in which nothing expires.
struct Clockless(Timed);

impl SystemUnderTest<u8, u64> for Clockless {
    fn insert(&mut self, key: u8, value: u64) -> Result<Option<(u8, u64)>, Refusal> {
        self.0.insert(key, value)
    }

    fn get(&mut self, key: &u8) -> Option<u64> {
        self.0.get(key)
    }

    fn remove(&mut self, key: &u8) -> Result<u64, Refusal> {
        self.0.remove(key)
    }

    fn max_size(&self) -> usize {
        self.0.max_size()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn items(&self) -> Vec<(u8, u64)> {
        self.0.items()
    }
}

#[test]
fn a_cache_without_a_clock_is_not_checked_for_expiry() -> Result<(), CounterExample> {
    let policy = Policy::Lru;
    let new = |max_size| Clockless(model(policy, max_size, &[]));
    for operation in [Operation::SetTime(1), Operation::RemoveExpired] {
        assert_eq!(operation.apply(&mut new(1)), Outcome::Missing);
    }
    dict(Random::new(), expected, new)?;
    order(Random::new(), |max_size| model(policy, max_size, SOME), new)?;
    exhaustive_to_depth(Scope { depth: 2, ..SCOPE }, |max_size| model(policy, max_size, TWO), new)?;
    Ok(())
}

#[test]
fn a_counter_example_lists_the_expiries_of_its_keys() {
    let policy = Policy::Lru;
    let late = |max_size| faulty(Fault::ExpiresTooLate, policy, max_size, SOME);
    let of_dict = dict(Random::new(), expected, late).unwrap_err();
    let expected = r"// dict: Insert(0, 0): the cache returns Evicted([(0, 0)]); the model expects Refused(Expired)
#[test]
fn the_cache_matches_the_model() {
    use aws_client_cache_spec::{Dict, Operation};

    let mut cache = new(0); // yours, empty, with a bound of 0
    let mut dict = Dict::new(0).with_expiry(0, 5);
    dict.step(&mut cache, &Operation::SetTime(5)).unwrap();
    dict.step(&mut cache, &Operation::Insert(0, 0)).unwrap();
}
";
    assert_eq!(of_dict.to_string(), expected);

    let backwards = |max_size| faulty(Fault::RemovingExpiredTellsBackwards, policy, max_size, SOME);
    let of_order = order(Random::new(), |max_size| model(policy, max_size, SOME), backwards).unwrap_err().to_string();
    assert!(
        of_order
            .contains("Expiring::new(Model::with_max_uses(Policy::Lru, 2, 3)).with_expiry(0, 5).with_expiry(1, 5);\n"),
        "{of_order}"
    );
    assert!(
        of_order.contains("    step(&mut cache, &mut model, &Operation::RemoveExpired).unwrap();\n}\n"),
        "{of_order}"
    );
}

/// The test above, pasted, with its cache.
#[test]
#[should_panic(expected = "Insert(0, 0): the cache returns")]
fn a_counter_example_is_a_test_that_fails() {
    let mut cache = faulty(Fault::ExpiresTooLate, Policy::Lru, 0, &[(0, 5)]);
    let mut dict = Dict::new(0).with_expiry(0, 5);
    dict.step(&mut cache, &Operation::SetTime(5)).unwrap();
    dict.step(&mut cache, &Operation::Insert(0, 0)).unwrap();
}

/// The output of panic safety, which has other keys.
#[test]
fn a_counter_example_of_a_panic_lists_the_expiries_of_its_keys() {
    let new = |max_size| faulty(Fault::HitTakesTheEntryOut, Policy::Lru, max_size, TWO);
    let model = |max_size| model(Policy::Lru, max_size, TWO);
    let found = panics(Scope::new(1, 1), model, new).unwrap_err().to_string();
    assert!(found.contains(", 1, 3)).with_expiry(PanicProbe::new(0), 1);\n"), "{found}");
}

// Proves E4, P1.
/// As for all operations that remove several entries.
#[test]
fn a_panic_while_what_is_expired_is_removed_may_leave_some_of_it_and_all_of_the_others() {
    let mut held: Timed = model(Policy::Lru, 3, TWO);
    (0..3).for_each(|key| assert_eq!(held.insert(key, 0), Ok(None)));
    held.set_time(2);
    let left = |shown: &[(u8, u64)]| may_be_left(&held, &Operation::RemoveExpired, shown, 3).len();
    assert!(left(&[(1, 0), (2, 0)]) > 0 && left(&[(0, 0), (2, 0)]) > 0 && left(&[(2, 0)]) > 0);
    assert_eq!(left(&[(0, 0), (1, 0)]), 0, "what is not expired is not lost");
}

// Proves E5.
/// The clock is shared by the threads, too.
#[test]
fn a_history_in_which_the_clock_is_turned_has_an_order() {
    let model: Timed = Model::lru(2).with_expiry(0, 1).with_expiry(1, 2);
    let get = |outcome| {
        History::new(vec![
            Call::new(0, 0..1, Operation::Insert(0, 10), Outcome::Evicted(vec![])),
            Call::new(0, 2..5, Operation::SetTime(1), Outcome::Done),
            Call::new(1, 3..4, Operation::Get(0), Outcome::Value(outcome)),
            Call::new(1, 6..7, Operation::RemoveExpired, Outcome::Entries(vec![])),
        ])
    };
    assert_eq!(get(None).linearize(&model), Ok(vec![0, 1, 2, 3]));
    let printed = get(Some(10)).linearize(&model).unwrap_err().to_string();
    let model = "&Expiring::new(Model::new(Policy::Lru, 2)).with_expiry(0, 1)).unwrap();";
    assert!(printed.contains(model), "{printed}");
    assert!(printed.contains("Operation::RemoveExpired, Outcome::Entries(vec![])"), "{printed}");
}

/// The documentation gives this advice: most keys expire, at few times.
#[test]
fn random_runs_meet_several_expired_entries_where_most_keys_expire() {
    const MOST: Expiries =
        &[(0, 1), (1, 2), (2, 3), (3, 1), (4, 2), (5, 3), (6, 1), (7, 2), (8, 3), (9, 1), (10, 2), (11, 3)];
    let expected = |max_size| MOST.iter().fold(Dict::new(max_size), |dict, (key, at)| dict.with_expiry(*key, *at));
    for policy in Policy::ALL {
        let model = |max_size| model(policy, max_size, MOST);
        for seed in 0..3 {
            let random = Random { seed, ..Random::new() };
            let new = |fault: Fault| move |max_size| faulty(fault, policy, max_size, MOST);
            assert!(dict(random, expected, new(Fault::RemovingExpiredForgetsOne)).is_err(), "{policy:?}, {seed}");
            assert!(order(random, model, new(Fault::RemovingExpiredForgetsOne)).is_err(), "{policy:?}, {seed}");
            assert!(order(random, model, new(Fault::RemovingExpiredTellsBackwards)).is_err(), "{policy:?}, {seed}");
        }
    }
}
