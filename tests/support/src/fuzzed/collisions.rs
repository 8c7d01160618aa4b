//! The engine next to the model under colliding hashes, on both sides of the bound up to which the index is sparse.
//!
//! The index grows across that bound, fills up with tombstones, is rebuilt, and shrinks.

use arbitrary::Arbitrary;
use aws_client_cache::map::{EvictingMap, MAX_SPARSE};
use aws_client_cache_spec::{EvictionPolicy, Model, Operation, Subject, step};

use super::{Fuzzed, Reached};
use crate::engine::{Engine, policy};
use crate::hashing::Hashing;

/// Bounds are below this: on both sides of the largest sparse index.
const BOUNDS: u16 = {
    let bounds = MAX_SPARSE + MAX_SPARSE / 4;
    assert!(bounds < u16::MAX as usize / 4, "keys are of 16 bits");
    bounds as u16
};

/// Runs are shorter than this, and longer than it takes to fill an index.
const RUN: u16 = 2 * BOUNDS;

/// An input ends after so many operations, or the fuzzer would take it for a hang. With an index of at most 3.7 buckets for
/// each entry, this fills the largest one, and then once more with tombstones.
const OPERATIONS: usize = 4 * BOUNDS as usize;

/// A cache, how it hashes, and what is done with it.
#[derive(Arbitrary, Debug)]
pub struct Input {
    /// The remainder chooses one of all policies.
    policy: u8,
    max_size: u16,
    /// Use counts stop here, so that saturation is reached.
    max_uses: u8,
    hash: Hash,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Hash {
    Constant,
    Identity,
    /// Of so many values.
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

/// An [`Operation`], or a run of operations on so many successive keys.
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
    /// Insertions, from this key on.
    Churn(u16, u16),
    /// Hits, or misses.
    Uses(Back, u16),
    /// Removals.
    Removals(Back, u16),
}

/// A key, counted back from the last one of the last churn, so that it is likely to be there.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Back(u16);

impl Back {
    fn key(self, newest: u16) -> u16 {
        newest.wrapping_sub(self.0 % (BOUNDS + BOUNDS / 4))
    }
}

impl Fuzzed for Input {
    fn branches() -> Reached {
        let policies = EvictionPolicy::ALL.map(|policy| format!("{policy:?}"));
        let branches = [SPARSE, DENSE, GROWTH, SHRINKAGE, TOMBSTONES, COLLISIONS].map(str::to_owned);
        policies.into_iter().chain(branches).collect()
    }

    fn run(self, reached: &mut Reached) {
        let policy = EvictionPolicy::ALL[usize::from(self.policy) % EvictionPolicy::ALL.len()];
        let max_size = (self.max_size % BOUNDS).into();
        if !matches!(self.hash, Hash::Identity) {
            reached.insert(COLLISIONS.to_owned());
        }
        let mut pair = Pair::new(policy, max_size, self.max_uses.into(), Hashing::from(self.hash), reached);
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
        // Every accessor at last, and those of a copy, whose index is another one.
        pair.look_after(&Operation::ContainsKey(newest));
        pair.look_after(&Operation::Copy);
    }
}

/// A sparse index that holds an entry.
const SPARSE: &str = "sparse index";
/// An index beyond the largest sparse one.
const DENSE: &str = "dense index";
/// An index for more entries than before.
const GROWTH: &str = "growth";
/// An index for fewer entries than before.
const SHRINKAGE: &str = "shrinkage";
/// An index that was rebuilt to get rid of tombstones.
const TOMBSTONES: &str = "tombstones";
/// A hasher with few values.
const COLLISIONS: &str = "collisions";

/// Engine and model.
struct Pair<'a> {
    reached: &'a mut Reached,
    /// Room, buckets and capacity of the engine's index before the operation.
    room: [usize; 3],
    engine: Engine<u16, usize, Hashing>,
    model: Model<u16, usize>,
    /// The number of operations, of which each newcomer's value is made.
    operations: usize,
    /// What may be spent on looking at every accessor.
    budget: usize,
}

impl<'a> Pair<'a> {
    fn new(
        spec_policy: EvictionPolicy,
        max_size: usize,
        max_uses: u64,
        hashing: Hashing,
        reached: &'a mut Reached,
    ) -> Self {
        reached.insert(format!("{spec_policy:?}"));
        let map = EvictingMap::with_max_uses(policy(spec_policy), max_size, hashing, max_uses);
        let model = Model::with_max_uses(spec_policy, max_size, max_uses);
        Self { reached, room: map.room(), engine: Engine(map), model, operations: 0, budget: 0 }
    }

    /// An operation that the input names: up to 64 entries, every accessor is compared after it.
    fn step(&mut self, operation: &Operation<u16, usize>) {
        self.spend(64 * 64, operation);
    }

    /// One operation on each of so many keys: up to 16 entries, every accessor is compared after each.
    fn run(&mut self, start: u16, count: u16, operation: impl Fn(u16, usize) -> Operation<u16, usize>) {
        let left = OPERATIONS.saturating_sub(self.operations);
        for offset in (0..count % RUN).take(left) {
            self.spend(16 * 16, &operation(start.wrapping_add(offset), self.operations));
        }
    }

    /// Compares the outcome of an operation, and every accessor when it can be afforded: where hashes collide, that takes time
    /// quadratic in the number of entries. So each operation pays for its part of it.
    fn spend(&mut self, payment: usize, operation: &Operation<u16, usize>) {
        self.budget += payment;
        if self.budget >= self.model.len().pow(2) {
            self.look_after(operation);
        } else {
            self.operations += 1;
            assert_eq!(operation.apply(&mut self.engine), operation.apply(&mut self.model), "{operation:?}");
            self.look_at_room();
        }
    }

    /// Adds the branches of the index that the last operation reached.
    fn look_at_room(&mut self) {
        let ([was, _, capacity_before], now) = (self.room, self.engine.0.room());
        self.room = now;
        let [room, _, capacity] = now;
        let branches = [
            (SPARSE, (1..=MAX_SPARSE).contains(&room)),
            (DENSE, room > MAX_SPARSE),
            (GROWTH, was > 0 && room > was),
            (SHRINKAGE, room > 0 && room < was),
            (TOMBSTONES, room == was && capacity > capacity_before),
        ];
        for (branch, _) in branches.into_iter().filter(|(_, is_reached)| *is_reached) {
            // Most operations reach nothing new, and need no string.
            if !self.reached.contains(branch) {
                self.reached.insert(branch.to_owned());
            }
        }
    }

    fn look_after(&mut self, operation: &Operation<u16, usize>) {
        self.budget = 0;
        self.operations += 1;
        if let Err(divergence) = step(&mut self.engine, &mut self.model, operation) {
            panic!("{divergence}");
        }
        self.look_at_room();
    }
}
