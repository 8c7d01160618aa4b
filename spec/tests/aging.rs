//! The rule F2: on the model, as laws; in the levels, with exact numbers; and its branches.

use aws_client_cache_spec::check::{
    Branch, Branches, Covered, Panicked, exhaustive, exhaustive_to_depth, may_be_left, order, panics, step,
};
use aws_client_cache_spec::concurrency::Threads;
use aws_client_cache_spec::faults::{Fault, Faulty};
use aws_client_cache_spec::model::{Expiring, OperationKinds};
use aws_client_cache_spec::{CounterExample, Model, Operation, Outcome, Policy, Random, Scope, SystemUnderTest};

const LFUDA: Policy = Policy::Lfuda;
const MAX_USES: u64 = 9;
const ANSWERED: OperationKinds = OperationKinds::WITHOUT_EXPIRY;

type Aging = Expiring<u8, Model<u8, u64>>;

fn model(max_size: usize, operations: &[Operation<u8, u64>]) -> Aging {
    let mut model = Model::with_max_uses(LFUDA, max_size, MAX_USES).with_expiry(0, 5);
    apply(&mut model, operations);
    model
}

fn apply(model: &mut Aging, operations: &[Operation<u8, u64>]) {
    for operation in operations {
        operation.apply(model);
    }
}

/// Returns the weight of a new entry with room to spare.
///
/// Of two new entries, the first is hit once more than the second, and comes after it unless both have saturated.
fn start(model: &Aging) -> u64 {
    let saturates_after = |hits: &u64| {
        let mut model = model.clone();
        model.set_max_size(model.len() + 2);
        for (key, hits) in [(100, hits + 1), (101, *hits)] {
            assert_eq!(model.insert(key, 0), Ok(None));
            (0..hits).for_each(|_| assert_eq!(model.get(&key), Some(0)));
        }
        model.keys().iter().position(|key| *key == 100) < model.keys().iter().position(|key| *key == 101)
    };
    MAX_USES - (0..MAX_USES).find(saturates_after).expect("no more hits than that are counted")
}

/// Returns operations that leave two entries: 0 weighs 3, and 1, the next victim, weighs 2.
fn two() -> Vec<Operation<u8, u64>> {
    let inserted = [Operation::Insert(0, 0), Operation::Insert(1, 0)];
    inserted.into_iter().chain([0, 0, 1].map(Operation::Get)).collect()
}

/// Returns the weight of a new entry after operations on the two entries, at a bound of 2.
fn start_after(operations: &[Operation<u8, u64>]) -> u64 {
    start(&model(2, &[&two()[..], operations].concat()))
}

// Proves F2.
#[test]
fn the_floor_is_the_weight_of_the_last_victim() {
    assert_eq!(start_after(&[]), 1);
    assert_eq!(start_after(&[Operation::Insert(2, 0)]), 3);
    assert_eq!(start_after(&[Operation::SetMaxSize(1)]), 3);
    assert_eq!(start_after(&[Operation::SetMaxSize(0)]), 4, "the last of the two counts");
    // 2 starts at 3, later than 0, which is the next victim.
    assert_eq!(start_after(&[Operation::Insert(2, 0), Operation::Insert(3, 0)]), 4);
    assert_eq!(start_after(&[Operation::SetMaxSize(0), Operation::Insert(2, 0), Operation::Insert(2, 0)]), 4);
}

// Proves F2.
#[test]
fn the_floor_moves_on_evictions_alone() {
    let others = [
        vec![Operation::Remove(0)],
        vec![Operation::Remove(1)],
        vec![Operation::Pop, Operation::Pop],
        vec![Operation::Get(0), Operation::TryGet(1)],
        vec![Operation::Insert(0, 1), Operation::Insert(1, 1)],
        vec![Operation::SetTime(5), Operation::Get(0)],
        vec![Operation::SetTime(5), Operation::TryGet(0)],
        vec![Operation::SetTime(5), Operation::RemoveExpired],
        vec![Operation::SetTime(5), Operation::Remove(0)],
        vec![Operation::Copy],
        vec![Operation::SetMaxSize(9), Operation::Insert(3, 0)],
    ];
    for others in others {
        assert_eq!(start_after(&others), 1, "{others:?}");
        // With a floor of 2.
        let above =
            [&[Operation::SetMaxSize(3), Operation::Insert(2, 0), Operation::Get(2), Operation::Get(2)], &others[..]];
        let mut aged = model(2, &[&two()[..], &[Operation::SetMaxSize(1)]].concat());
        apply(&mut aged, &above.concat());
        assert_eq!(start(&aged), 3, "{others:?}");
    }
    let cleared = [Operation::Insert(2, 0), Operation::Clear];
    assert_eq!(start_after(&cleared), 1, "clearing resets it");
}

// Proves F2.
#[test]
fn a_newcomer_starts_no_higher_than_where_weights_saturate() {
    let hits = [0, 1].repeat(10).into_iter().map(Operation::Get).collect::<Vec<_>>();
    let saturated = [&hits[..], &[Operation::Insert(2, 0)]].concat();
    assert_eq!(start_after(&saturated), MAX_USES);
    // The last use decides among saturated entries.
    let held = model(2, &[&two()[..], &saturated].concat());
    assert_eq!(held.keys(), [1, 2]);
}

/// Returns `true` for an operation that not only a map has, whose effect the outcome shows in one way.
fn is_of_cache(operation: &Operation<u8, u64>) -> bool {
    !OperationKinds::OF_MAP.contains(operation.kind())
}

/// The weights and the floor, derived from the outcomes of operations alone.
#[derive(Default)]
struct Weights {
    /// By last use, oldest first.
    weights: Vec<(u8, u64)>,
    floor: u64,
}

impl Weights {
    fn take(&mut self, key: u8) -> u64 {
        let place = self.weights.iter().position(|(present, _)| *present == key).expect("it was there");
        self.weights.remove(place).1
    }

    fn follow(&mut self, operation: &Operation<u8, u64>, outcome: &Outcome<u8, u64>, max_size: usize) {
        if let Outcome::Evicted(victims) = outcome
            && !(matches!(operation, Operation::Insert(..)) && max_size == 0)
        {
            for (victim, _) in victims {
                self.floor = self.take(*victim);
            }
            if let Operation::Insert(key, _) = operation {
                self.weights.push((*key, MAX_USES.min(self.floor + 1)));
            }
        }
        match (operation, outcome) {
            (Operation::Get(key) | Operation::TryGet(key), Outcome::Value(Some(_))) => {
                let weight = self.take(*key);
                self.weights.push((*key, MAX_USES.min(weight + 1)));
            }
            (Operation::Remove(key), Outcome::Value(Some(_))) | (Operation::Pop, Outcome::Entry(key, _)) => {
                self.take(*key);
            }
            (Operation::Clear, _) => *self = Self::default(),
            _ => {}
        }
    }

    fn keys(&self) -> Vec<u8> {
        let mut sorted = self.weights.clone();
        sorted.sort_by_key(|(_, weight)| *weight);
        sorted.into_iter().map(|(key, _)| key).collect()
    }
}

// Proves F2.
#[test]
fn the_order_is_by_weight_and_within_a_weight_by_last_use() {
    let mut highest = 0;
    for seed in 0..500 {
        let plan = Threads { max_size: 4, keys: 8, threads: 1, calls: 60, ..Threads::new() }.plan(seed);
        let (mut model, mut weights) = (Model::with_max_uses(LFUDA, 4, MAX_USES), Weights::default());
        for operation in plan.concat().into_iter().filter(is_of_cache) {
            let max_size = model.max_size();
            let outcome = operation.apply(&mut model);
            weights.follow(&operation, &outcome, max_size);
            assert_eq!(model.keys(), weights.keys(), "{operation:?}");
            highest = highest.max(weights.floor);
        }
    }
    assert_eq!(highest, MAX_USES, "the runs reach saturated floors");
}

#[test]
fn until_an_entry_is_evicted_it_is_lfu() {
    let mut compared = 0;
    for seed in 0..100 {
        let plan = Threads { max_size: 4, keys: 8, threads: 1, calls: 60, ..Threads::new() }.plan(seed);
        let (mut aging, mut lfu) = (Model::new(LFUDA, 4), Model::new(Policy::Lfu, 4));
        for operation in plan.concat().into_iter().filter(is_of_cache) {
            if matches!(operation.apply(&mut lfu.clone()), Outcome::Evicted(victims) if !victims.is_empty()) {
                break;
            }
            step(&mut aging, &mut lfu, &operation).unwrap();
            compared += 1;
        }
    }
    assert!(compared > 1_000);
}

/// LFU keeps entries that were once busy.
#[test]
fn a_shifted_hot_set_replaces_the_old_one() {
    for (policy, expected) in [(Policy::Lru, 27), (Policy::Lfu, 0), (LFUDA, 27)] {
        let mut model = Model::new(policy, 3);
        let mut get_or_insert = |key| {
            let hit = model.get(&key).is_some();
            hit || model.insert(key, ()).is_err()
        };
        let warmed = (0..60).filter(|nth| get_or_insert(nth % 3)).count();
        assert_eq!(warmed, 57);
        let hits = (0..30).filter(|nth| get_or_insert(100 + nth % 3)).count();
        assert_eq!(hits, expected, "{policy:?}");
    }
}

/// The numbers are exact, so that a search that loses part of its scope fails.
#[test]
fn every_state_of_the_model_is_reached() -> Result<(), CounterExample> {
    let new = |max_uses| move |max_size| Model::<u8, u64>::with_max_uses(LFUDA, max_size, max_uses);
    let small = Scope::new(3, 4);
    assert_eq!(exhaustive(small, new(3), new(3))?, Covered { states: 1_876, transitions: 103_180, answered: ANSWERED });
    let symmetric = Scope { symmetric: true, ..small };
    assert_eq!(
        exhaustive(symmetric, new(5), new(5))?,
        Covered { states: 540, transitions: 26_884, answered: ANSWERED }
    );
    let short = Scope { depth: 3, symmetric: true, ..Scope::new(2, 3) };
    assert_eq!(exhaustive_to_depth(short, new(3), new(3))?.transitions, 19_510);
    let probes = |max_size| Model::with_max_uses(LFUDA, max_size, 3);
    assert_eq!(panics(Scope::new(2, 2), probes, probes)?, Panicked { states: 84, panics: 17_168, answered: ANSWERED });
    Ok(())
}

#[test]
fn a_fault_of_aging_shows_only_where_a_cache_ages() -> Result<(), CounterExample> {
    let of_aging = |fault: &Fault| fault.policies() == [LFUDA];
    assert_eq!(Fault::ALL.into_iter().filter(of_aging).count(), 18);
    for fault in Fault::ALL.into_iter().filter(of_aging) {
        for policy in [Policy::Lru, Policy::Lfu] {
            let new = |max_size| Faulty::new(fault, policy, max_size, 3);
            let model = |max_size| Model::with_max_uses(policy, max_size, 3);
            order(Random { runs: 100, ..Random::new() }, model, new)?;
            exhaustive(Scope::new(2, 3), model, new)?;
        }
    }
    Ok(())
}

#[test]
fn an_operation_takes_the_branch_of_aging_in_addition() {
    let mut model = model(2, &[]);
    let taken = [
        (Operation::Insert(0, 0), None),
        (Operation::Insert(1, 0), None),
        (Operation::Copy, None),
        (Operation::Insert(2, 0), Some(Branch::InsertRaisesFloor)), // of 0 and 1, which both weigh 1
        (Operation::Insert(3, 0), None),
        (Operation::Copy, Some(Branch::CopyKeepsFloor)),
        (Operation::Insert(4, 0), Some(Branch::InsertRaisesFloorAgain)),
        (Operation::Insert(4, 0), None),
        (Operation::Pop, None), // what is popped weighs as much as the floor
        (Operation::Remove(4), Some(Branch::RemoveLeavesFloor)),
        (Operation::Insert(5, 0), Some(Branch::InsertAboveFloor)),
        (Operation::Pop, Some(Branch::PopLeavesFloor)),
        (Operation::Insert(6, 0), Some(Branch::InsertAboveFloor)),
        (Operation::SetMaxSize(0), Some(Branch::ShrinkRaisesFloor)),
        (Operation::SetMaxSize(0), None),
        (Operation::Insert(7, 0), Some(Branch::InsertAtZeroLeavesFloor)),
        (Operation::Clear, Some(Branch::ClearResetsFloor)),
        (Operation::Clear, None),
        (Operation::Insert(7, 0), None),
    ];
    for (operation, branch) in taken {
        let mut branches = Branches::default();
        branches.apply(&mut model, &operation);
        let of_aging: Vec<_> = Branch::OF_AGING.into_iter().filter(|branch| branches.count(*branch) > 0).collect();
        assert_eq!(of_aging, Vec::from_iter(branch), "{operation:?}");
        assert_eq!(branches.operations(), 1);
    }
}

#[test]
fn a_run_that_never_ages_is_noticed_and_only_where_it_should() {
    let never = |policy| {
        let mut branches = Branches::default();
        branches.apply(&mut Model::new(policy, 1), &Operation::Insert(0, 0));
        Branch::OF_AGING.into_iter().filter(|branch| branches.never().any(|never| never == *branch)).count()
    };
    assert_eq!(Policy::ALL.map(never), [0, 0, Branch::OF_AGING.len()]);

    let branches = order(Random::new(), Model::lfuda, Model::lfuda).unwrap();
    assert_eq!(branches.never().collect::<Vec<_>>(), [Branch::HitSaturated]);
    assert!(branches.count(Branch::InsertRaisesFloorAgain) > 500, "{branches}");
}

#[test]
fn a_panic_during_several_evictions_leaves_the_floor_of_the_evicted_entries() {
    let held = model(2, &two());
    let starts = |operation: &Operation<u8, u64>, shown: &[(u8, u64)], max_size| {
        let left = may_be_left(&held, operation, shown, max_size);
        let mut starts: Vec<_> = left.iter().map(start).collect();
        starts.dedup();
        starts
    };
    assert_eq!(starts(&Operation::SetMaxSize(0), &[(0, 0)], 2), [3]);
    assert_eq!(starts(&Operation::SetMaxSize(0), &[], 0), [4]);
    let aged = model(2, &[&two()[..], &[Operation::Insert(2, 0)]].concat());
    let left =
        |shown: &[(u8, u64)]| may_be_left(&aged, &Operation::Clear, shown, 2).iter().map(start).collect::<Vec<_>>();
    assert_eq!(left(&[]), [1], "cleared is cleared");
    assert_eq!(left(&[(2, 0)]), [1, 3], "partly cleared, the floor may have gone or not");
}
