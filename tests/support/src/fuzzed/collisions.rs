//! The engine compared with the model under colliding hashes, with a sparse and with a dense index.
//!
//! The index grows from sparse to dense, fills up with tombstones, is rebuilt, and shrinks.

use arbitrary::Arbitrary;
use aws_client_cache::map::{EvictingMap, MAX_SPARSE};
use aws_client_cache_spec::check::step;
use aws_client_cache_spec::{Model, Operation, Policy, SystemUnderTest};

use super::{Fuzzed, Reached};
use crate::engine::{Engine, policy};
use crate::hashing::Hashing;

/// An upper limit for the bounds of maps, above the size of the largest sparse index.
#[expect(clippy::cast_possible_truncation, reason = "the assertion excludes it")]
const BOUNDS: u16 = {
    let bounds = MAX_SPARSE + MAX_SPARSE / 4;
    assert!(bounds < u16::MAX as usize / 4, "keys are of 16 bits");
    bounds as u16
};

/// An upper limit for the length of runs, which suffices to fill an index.
const RUN: u16 = 2 * BOUNDS;

/// The maximum number of operations of an input, so that the fuzzer does not mistake it for a hang.
///
/// An index has at most 3.7 buckets for each entry. So this number fills the largest index with entries, and then once
/// more with tombstones.
const OPERATIONS: usize = 4 * BOUNDS as usize;

/// A cache, its hasher, and a sequence of operations on it.
#[derive(Arbitrary, Debug)]
pub struct Input {
    /// Chooses the policy, by the remainder.
    policy: u8,
    max_size: u16,
    /// The limit of use counts, so small that they saturate.
    max_uses: u8,
    hash: Hash,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Hash {
    Constant,
    Identity,
    /// This number of different hashes.
    Few(u8),
}

impl From<Hash> for Hashing {
    fn from(hash: Hash) -> Self {
        match hash {
            Hash::Constant => Self::Constant,
            Hash::Identity => Self::Identity,
            Hash::Few(values) => Self::Remainder(u64::from(values.max(1))),
        }
    }
}

/// An [`Operation`], or a run of operations on successive keys.
#[derive(Arbitrary, Debug)]
enum Step {
    Insert(Back),
    Get(Back),
    TryGet(Back),
    Peek(Back),
    ContainsKey(Back),
    Remove(Back),
    Pop,
    Clear,
    Copy,
    SetMaxSize(u16),
    /// Insertions of this number of keys, from this key on.
    Churn(u16, u16),
    /// Lookups, hits or misses.
    Uses(Back, u16),
    /// Removals.
    Removals(Back, u16),
}

/// A key, counted back from the last key of the last churn, so that it is likely to be present.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Back(u16);

impl Back {
    fn key(self, newest: u16) -> u16 {
        newest.wrapping_sub(self.0 % (BOUNDS + BOUNDS / 4))
    }
}

impl Fuzzed for Input {
    fn branches() -> Reached {
        let of_policy = |policy| BRANCHES.map(|name| branch(policy, name));
        Policy::ALL.into_iter().flat_map(of_policy).collect()
    }

    fn run(self, reached: &mut Reached) {
        let policy = Policy::ALL[usize::from(self.policy) % Policy::ALL.len()];
        let max_size = (self.max_size % BOUNDS).into();
        let mut pair = Pair::new(policy, max_size, self.max_uses.into(), self.hash.into());
        let mut newest = 0;
        for step in self.steps {
            if pair.operations >= OPERATIONS {
                break;
            }
            let key = |back: Back| back.key(newest);
            match step {
                Step::Insert(back) => pair.step(&Operation::Insert(key(back), pair.operations)),
                Step::Get(back) => pair.step(&Operation::Get(key(back))),
                Step::TryGet(back) => pair.step(&Operation::TryGet(key(back))),
                Step::Peek(back) => pair.step(&Operation::Peek(key(back))),
                Step::ContainsKey(back) => pair.step(&Operation::ContainsKey(key(back))),
                Step::Remove(back) => pair.step(&Operation::Remove(key(back))),
                Step::Pop => pair.step(&Operation::Pop),
                Step::Clear => pair.step(&Operation::Clear),
                Step::Copy => pair.step(&Operation::Copy),
                Step::SetMaxSize(max_size) => pair.step(&Operation::SetMaxSize((max_size % BOUNDS).into())),
                Step::Churn(start, count) => {
                    pair.run(start, count, Operation::Insert);
                    newest = start.wrapping_add(count % RUN);
                }
                Step::Uses(back, count) => pair.run(key(back), count, |key, _| Operation::Get(key)),
                Step::Removals(back, count) => pair.run(key(back), count, |key, _| Operation::Remove(key)),
            }
        }
        // At the end, every accessor is compared, and those of a copy, which has its own index.
        pair.look_after(&Operation::ContainsKey(newest));
        pair.look_after(&Operation::Copy);
        let taken = BRANCHES.into_iter().zip(pair.reached).filter(|(_, is_reached)| *is_reached);
        reached.extend(taken.map(|(name, _)| branch(policy, name)));
    }
}

/// The branches of the index that the target is for, under each policy.
const BRANCHES: [&str; 7] = [
    "a sparse index",
    "an index beyond the largest sparse one",
    "growth from the one to the other",
    "more room than before",
    "less room than before",
    "a rebuild to get rid of tombstones",
    "two entries of one hash",
];

/// Names a branch under a policy.
fn branch(policy: Policy, name: &str) -> String {
    format!("{policy:?}: {name}")
}

/// Engine and model.
struct Pair {
    engine: Engine<u16, usize, Hashing>,
    model: Model<u16, usize>,
    /// The largest number of entries without two of one hash.
    hashes: usize,
    /// The number of operations, of which each newcomer's value is made.
    operations: usize,
    /// The budget for comparing every accessor.
    budget: usize,
    /// The branches that were reached, as in [`BRANCHES`].
    reached: [bool; BRANCHES.len()],
}

impl Pair {
    fn new(spec_policy: Policy, max_size: usize, max_uses: u64, hashing: Hashing) -> Self {
        let map = EvictingMap::with_max_uses(policy(spec_policy), max_size, hashing, max_uses);
        let model = Model::with_max_uses(spec_policy, max_size, max_uses);
        let hashes = match hashing {
            Hashing::Constant => 1,
            Hashing::Remainder(hashes) => usize::try_from(hashes).expect("it was a byte"),
            Hashing::Default | Hashing::Identity => usize::MAX,
        };
        Self { engine: Engine(map), model, hashes, operations: 0, budget: 0, reached: [false; _] }
    }

    /// Applies a single operation.
    ///
    /// With up to 64 entries, every accessor is compared after it.
    fn step(&mut self, operation: &Operation<u16, usize>) {
        self.spend(64 * 64, operation);
    }

    /// Applies one operation to each of `count` keys.
    ///
    /// With up to 16 entries, every accessor is compared after each operation.
    fn run(&mut self, start: u16, count: u16, operation: impl Fn(u16, usize) -> Operation<u16, usize>) {
        let left = OPERATIONS.saturating_sub(self.operations);
        for offset in (0..count % RUN).take(left) {
            self.spend(16 * 16, &operation(start.wrapping_add(offset), self.operations));
        }
    }

    /// Compares the outcome of an operation, and every accessor if the budget suffices.
    ///
    /// If hashes collide, comparing the accessors takes O(n²) for n entries. So each operation adds to the budget.
    fn spend(&mut self, payment: usize, operation: &Operation<u16, usize>) {
        self.budget += payment;
        if self.budget >= self.model.len().pow(2) {
            self.look_after(operation);
        } else {
            self.operations += 1;
            let before = Index::of(&self.engine);
            assert_eq!(operation.apply(&mut self.engine), operation.apply(&mut self.model), "{operation:?}");
            self.note_branches(before);
        }
    }

    fn look_after(&mut self, operation: &Operation<u16, usize>) {
        self.budget = 0;
        self.operations += 1;
        let before = Index::of(&self.engine);
        if let Err(divergence) = step(&mut self.engine, &mut self.model, operation) {
            panic!("{divergence}");
        }
        self.note_branches(before);
    }

    /// Notes the branches that the last operation reached.
    fn note_branches(&mut self, before: Index) {
        let now = Index::of(&self.engine);
        let is_sparse = |index: Index| (1..=MAX_SPARSE).contains(&index.room);
        // An insertion into a tombstone raises the capacity, too, but not where the capacity is used up.
        let was_used_up = before.len > 0 && before.len == before.capacity;
        let reached = [
            is_sparse(now),
            now.room > MAX_SPARSE,
            is_sparse(before) && now.room > MAX_SPARSE,
            before.room > 0 && now.room > before.room,
            now.room > 0 && now.room < before.room,
            now.room == before.room && was_used_up && now.capacity > before.capacity,
            now.len > self.hashes,
        ];
        self.reached.iter_mut().zip(reached).for_each(|(known, is_reached)| *known |= is_reached);
    }
}

/// The size of the engine's index.
#[derive(Clone, Copy)]
struct Index {
    len: usize,
    room: usize,
    capacity: usize,
}

impl Index {
    fn of(engine: &Engine<u16, usize, Hashing>) -> Self {
        let [room, _, capacity] = engine.0.room();
        Self { len: engine.0.len(), room, capacity }
    }
}
