//! The insertion modes: D3, D13 and D14 as laws on the model, and in the levels, with exact numbers.

use aws_client_cache_spec::check::{
    Branch, Covered, PanicProbe, Panicked, dict, exhaustive, exhaustive_to_depth, order, panics,
};
use aws_client_cache_spec::concurrency::{Threads, linearizable};
use aws_client_cache_spec::faults::FaultyShared;
use aws_client_cache_spec::model::OperationKinds;
use aws_client_cache_spec::{
    CounterExample, Dict, InsertionMode, Model, Operation, Policy, Random, Refusal, Scope, SystemUnderTest,
};

const MAX_USES: u64 = 3;
const ANSWERED: OperationKinds = OperationKinds::WITHOUT_EXPIRY;

/// Returns models after many histories.
fn states(policy: Policy, insertion: InsertionMode) -> impl Iterator<Item = Model<u8, u64>> {
    (0..100).flat_map(move |seed| {
        let plan = Threads { max_size: 4, keys: 8, threads: 1, calls: 40, ..Threads::new() }.plan(seed);
        let mut model = Model::with_max_uses(policy, 4, MAX_USES).with_insertion(insertion);
        plan.concat().into_iter().map(move |operation| {
            operation.apply(&mut model);
            model.clone()
        })
    })
}

/// Returns the keys in the order in which they would be popped after hits of a key.
fn after_hits(mut model: Model<u8, u64>, key: u8, hits: u64) -> Vec<u8> {
    (0..hits).for_each(|_| _ = model.get(&key));
    model.keys()
}

// Proves D13.
#[test]
fn a_replacement_returns_the_old_value_and_evicts_nothing() {
    for policy in Policy::ALL {
        let mut replaced = 0;
        for model in states(policy, InsertionMode::Replace) {
            for (key, old) in model.items() {
                let mut after = model.clone();
                assert_eq!(after.insert(key, old + 1), Ok(Some((key, old))));
                assert_eq!(after.peek(&key), Some(old + 1));
                assert_eq!((after.len(), after.max_size()), (model.len(), model.max_size()));
                let others = |model: &Model<u8, u64>| model.items().into_iter().filter(move |(one, _)| *one != key);
                assert!(others(&after).eq(others(&model)));
                replaced += 1;
            }
        }
        assert!(replaced > 1_000);
    }
}

#[test]
fn under_lru_a_replacement_moves_the_entry_like_a_hit() {
    for model in states(Policy::Lru, InsertionMode::Replace) {
        for key in model.keys() {
            let mut after = model.clone();
            assert!(after.insert(key, 0).is_ok());
            assert_eq!(after.keys(), after_hits(model.clone(), key, 1));
        }
    }
}

// Proves D13.
/// Each hit more shows the same count.
#[test]
fn a_replacement_is_the_latest_of_its_count_and_counts_no_use() {
    for policy in [Policy::Lfu, Policy::Lfuda] {
        let mut shown = 0;
        for model in states(policy, InsertionMode::Replace) {
            for key in model.keys() {
                let mut after = model.clone();
                assert!(after.insert(key, 0).is_ok());
                for hits in 1..MAX_USES {
                    assert_eq!(after_hits(after.clone(), key, hits), after_hits(model.clone(), key, hits));
                }
                shown += usize::from(after.keys() != after_hits(model.clone(), key, 1));
            }
        }
        assert!(shown > 100, "of few entries, a hit and a replacement differ");
    }
}

// Proves D3, D14.
#[test]
fn a_kept_or_refused_insertion_changes_nothing() {
    for policy in Policy::ALL {
        for (insertion, outcome) in
            [(InsertionMode::KeepFirst, Ok(None)), (InsertionMode::Refuse, Err(Refusal::AlreadyExists))]
        {
            for model in states(policy, insertion) {
                for key in model.keys() {
                    let mut after = model.clone();
                    assert_eq!(after.insert(key, u64::MAX), outcome);
                    assert_eq!(after, model);
                }
            }
        }
    }
}

#[test]
fn an_expired_key_is_refused_in_every_mode() {
    for insertion in InsertionMode::ALL {
        let mut model = Model::new(Policy::Lru, 2).with_insertion(insertion).with_expiry(0, 5);
        assert_eq!(model.insert(0, 1), Ok(None));
        model.set_time(5);
        assert_eq!(model.insert(0, 2), Err(Refusal::Expired));
        assert_eq!(model.items(), [(0, 1)]);
    }
}

/// The numbers are exact, so that a search that loses part of its scope fails.
///
/// Under LRU and LFU, replacements lead to no other states than hits. Under LFUDA, a hit leads above the floor, and a
/// replacement may be the latest use of an entry that weighs no more than the floor.
#[test]
fn every_state_is_reached_in_every_mode() -> Result<(), CounterExample> {
    let cases = [
        (Policy::Lru, InsertionMode::Refuse, 64, (9, 1_446)),
        (Policy::Lru, InsertionMode::Replace, 64, (9, 1_430)),
        (Policy::Lru, InsertionMode::KeepFirst, 64, (9, 1_446)),
        (Policy::Lfu, InsertionMode::Refuse, 904, (33, 7_356)),
        (Policy::Lfu, InsertionMode::Replace, 904, (33, 7_260)),
        (Policy::Lfu, InsertionMode::KeepFirst, 904, (33, 7_356)),
        (Policy::Lfuda, InsertionMode::Refuse, 1_876, (84, 17_168)),
        (Policy::Lfuda, InsertionMode::Replace, 2_140, (90, 18_626)),
        (Policy::Lfuda, InsertionMode::KeepFirst, 1_876, (84, 17_168)),
    ];
    for (policy, insertion, states, (small_states, panicked)) in cases {
        let small = Scope::new(2, 3);
        let plain = |max_size| Model::with_max_uses(policy, max_size, MAX_USES).with_insertion(insertion);
        // Eight operations on each of four keys, four bounds, eight patterns of `Retain`, and eleven others.
        let covered = Covered { states, transitions: states * 55, answered: ANSWERED };
        assert_eq!(exhaustive(Scope::new(3, 4), plain, plain)?, covered, "{policy:?}, {insertion:?}");
        assert_eq!(
            exhaustive_to_depth(Scope { depth: 3, symmetric: true, ..small }, plain, plain)?.transitions,
            19_510
        );
        let probes = |max_size| Model::with_max_uses(policy, max_size, MAX_USES).with_insertion(insertion);
        let done = Panicked { states: small_states, panics: panicked, answered: ANSWERED };
        assert_eq!(panics(Scope::new(2, 2), probes, probes)?, done, "{policy:?}, {insertion:?}");
    }
    Ok(())
}

#[test]
fn the_branches_of_other_modes_cannot_be_taken() -> Result<(), CounterExample> {
    for insertion in InsertionMode::ALL {
        let new = |max_size| Model::lru(max_size).with_insertion(insertion);
        let expected = |max_size| Dict::new(max_size).with_insertion(insertion);
        let of_insertion = |branch: &Branch| *branch == Branch::InsertRefused || Branch::OF_INSERTION.contains(branch);
        let [plain, ordered] = [dict(Random::new(), expected, new)?, order(Random::new(), new, new)?];
        let [plain_branches, branches] =
            [plain, ordered].map(|covered| covered.all().filter(of_insertion).collect::<Vec<_>>());
        let (expected_plain, expected) = match insertion {
            InsertionMode::Refuse => (vec![Branch::InsertRefused], vec![Branch::InsertRefused]),
            InsertionMode::Replace => {
                (vec![Branch::InsertReplaces], vec![Branch::InsertReplacesNextVictim, Branch::InsertReplaces])
            }
            InsertionMode::KeepFirst => (vec![Branch::InsertKeeps], vec![Branch::InsertKeeps]),
        };
        assert_eq!((plain_branches, branches), (expected_plain, expected));
        assert!(plain.operations() == 100_000 && ordered.operations() == 100_000);
        assert_eq!(plain.never().count(), 0);
    }
    Ok(())
}

/// A cache of one mode has no level in another.
#[test]
fn a_cache_with_another_mode_is_refused_by_a_test_that_names_the_mode() {
    let pairs = InsertionMode::ALL.into_iter().flat_map(|one| InsertionMode::ALL.map(|other| (one, other)));
    for (insertion, other) in pairs.filter(|(one, other)| one != other) {
        let expected = |max_size| Dict::new(max_size).with_insertion(insertion);
        let expected_model = |max_size| Model::lru(max_size).with_insertion(insertion);
        let new = |max_size| Model::<u8, u64>::lru(max_size).with_insertion(other);
        let expected_probes = |max_size| Model::lru(max_size).with_insertion(insertion);
        let probes = |max_size| Model::<PanicProbe<u8>, PanicProbe<u64>>::lru(max_size).with_insertion(other);
        let (random, scope) = (Random::new(), Scope::new(1, 1));
        let found = [
            dict(random, expected, new).unwrap_err(),
            order(random, expected_model, new).unwrap_err(),
            exhaustive(scope, expected_model, new).unwrap_err(),
            exhaustive_to_depth(Scope { depth: 2, ..scope }, expected_model, new).unwrap_err(),
            panics(scope, expected_probes, probes).unwrap_err(),
        ];
        for found in found {
            let [Operation::Insert(0, _), Operation::Insert(0, _)] = found.operations() else { panic!("{found}") };
            let names_it = found.to_string().contains(&format!(").with_insertion(InsertionMode::{insertion:?});"));
            assert_eq!(names_it, insertion != InsertionMode::Refuse, "{found}");
        }
    }
}

#[test]
fn threads_share_a_cache_of_every_mode() {
    for insertion in InsertionMode::ALL {
        let threads = Threads { histories: 100, calls: 10, overlapping: 0, ..Threads::new() };
        let model = |max_size| Model::lru(max_size).with_insertion(insertion);
        let new = |mode| {
            move |max_size| {
                let shared = FaultyShared::new(None, Policy::Lru, max_size, std::thread::yield_now);
                shared.with_insertion(mode)
            }
        };
        assert_eq!(linearizable(threads, model, new(insertion)).unwrap().histories, 100);
        for other in InsertionMode::ALL.into_iter().filter(|other| *other != insertion) {
            let found = linearizable(threads, model, new(other)).unwrap_err().to_string();
            let names_it = found.contains(&format!(").with_insertion(InsertionMode::{insertion:?})).unwrap();"));
            assert_eq!(names_it, insertion != InsertionMode::Refuse, "{found}");
        }
    }
}
