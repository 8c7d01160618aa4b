//! L0 and L1: random operations, with a new mix for each run.

use fastrand::Rng;

use crate::branch::Branches;
use crate::counter_example::{CounterExample, Found};
use crate::dict::Dict;
use crate::expiry::times;
use crate::explore::may_be_asked;
use crate::level::Level;
use crate::model::{EvictionPolicy, InsertionMode, Model};
use crate::operation::Operation;
use crate::shrink::{Failing, shrink};
use crate::step::{Divergence, compare};
use crate::subject::{Difference, Subject, differs};

/// The limits of the random runs of [`dict`] and [`order`].
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Random};
///
/// let more = Random { seed: 7, runs: 10_000, ..Random::new(EvictionPolicy::Lfu) };
/// assert_eq!(more.keys, 16);
/// assert_eq!(more.expiry, []);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random {
    /// The policy under test.
    pub policy: EvictionPolicy,
    /// The effect of inserting a present key.
    pub insertion: InsertionMode,
    /// The use count at which counts saturate.
    pub max_uses: u64,
    /// The seed; equal seeds give equal operations.
    pub seed: u64,
    /// The number of caches, each with one run.
    pub runs: u64,
    /// The number of operations of a run.
    pub operations: u64,
    /// The number of keys.
    pub keys: u8,
    /// The largest bound that is set.
    pub max_size: u8,
    /// The keys that expire, each with its expiry (E1).
    ///
    /// Caches must be created with the same expiries. If there are none, the clock is not set, and nothing is removed
    /// as expired.
    pub expiry: &'static [(u8, u64)],
}

impl Random {
    /// Creates 1,000 runs of 100 operations, under seed 0.
    ///
    /// There are 16 keys, of which none expires, and bounds up to 8. Present keys are refused.
    ///
    /// The type shows an example.
    pub const fn new(policy: EvictionPolicy) -> Self {
        let (insertion, max_uses) = (InsertionMode::Refuse, u64::MAX);
        let (seed, runs, operations) = (0, 1_000, 100);
        Self { policy, insertion, max_uses, seed, runs, operations, keys: 16, max_size: 8, expiry: &[] }
    }

    fn model(self, max_size: usize) -> Model<u8, u64> {
        let model = Model::with_max_uses(self.policy, max_size, self.max_uses).with_insertion(self.insertion);
        self.expiry.iter().fold(model, |model, (key, at)| model.with_expiry(*key, *at))
    }

    fn dict(self, max_size: usize) -> Dict<u8, u64> {
        let dict = Dict::new(max_size).with_insertion(self.insertion);
        self.expiry.iter().fold(dict, |dict, (key, at)| dict.with_expiry(*key, *at))
    }

    fn counter_example(self, level: Level, found: Failing) -> CounterExample {
        let Self { policy, insertion, max_uses, expiry, .. } = self;
        let (max_size, operations, divergence) = found;
        Found { level, policy, insertion, max_size, max_uses, expiry, operations, panic: None, note: None, divergence }
            .into()
    }
}

/// Compares a cache with a bounded dict, whichever of its entries it evicts (L0).
///
/// `new` creates an empty cache with the given `max_size`, in which the keys of `random` expire.
///
/// # Errors
///
/// The operations that lead to a difference, none of which can be omitted.
///
/// ```
/// use aws_client_cache_spec::{Broken, EvictionPolicy, Fault, Random, dict};
///
/// let broken = |max_size| Broken::<u8, u64>::new(Fault::Replaces, EvictionPolicy::Lru, max_size, 1);
/// let found = dict(Random::new(EvictionPolicy::Lru), broken).unwrap_err();
/// assert_eq!(found.operations().len(), 2);
/// ```
pub fn dict<C: Subject<u8, u64>>(random: Random, new: impl Fn(usize) -> C) -> Result<Branches, CounterExample> {
    run::<C>(random, |max_size, operations, branches| {
        let (mut cache, mut dict) = (new(max_size), random.dict(max_size));
        first(operations, |operation| {
            if may_be_asked::<u8, u64, C>(operation) {
                let before = dict.to_model();
                if let Some(outcome) = dict.compare(&mut cache, operation)? {
                    branches.add_without_order(&before, operation, &outcome);
                }
            }
            Ok(())
        })
    })
    .map_err(|found| random.counter_example(Level::Dict, found))
}

/// Compares a cache with the model, and so with its eviction order (L1).
///
/// `new` creates an empty cache with the given `max_size`, and with the policy, the saturation and the expiries of
/// `random`.
///
/// # Errors
///
/// The operations that lead to a difference, none of which can be omitted.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Model, Random, order};
///
/// let lru = |max_size| Model::<u8, u64>::new(EvictionPolicy::Lru, max_size);
/// let covered = order(Random::new(EvictionPolicy::Lru), lru)?;
/// assert_eq!(covered.operations(), 100_000);
///
/// let found = order(Random::new(EvictionPolicy::Lfu), lru).unwrap_err();
/// assert_eq!(found.operations().len(), 3);
///
/// // Where keys expire, cache and model are both told so.
/// let expiring = Random { expiry: &[(0, 5), (1, 9)], ..Random::new(EvictionPolicy::Lru) };
/// order(expiring, |max_size| lru(max_size).with_expiry(0, 5).with_expiry(1, 9))?;
/// assert!(order(expiring, lru).unwrap_err().to_string().contains(".with_expiry(0, 5);"));
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
pub fn order<C: Subject<u8, u64>>(random: Random, new: impl Fn(usize) -> C) -> Result<Branches, CounterExample> {
    run::<C>(random, |max_size, operations, branches| {
        let (mut cache, mut model) = (new(max_size), random.model(max_size));
        first(operations, |operation| {
            if may_be_asked::<u8, u64, C>(operation) {
                let before = model.clone();
                if let Some(outcome) = compare(&mut cache, &mut model, operation)? {
                    branches.add(&before, operation, &outcome, &model);
                }
            }
            Ok(())
        })
    })
    .map_err(|found| random.counter_example(Level::Order, found))
}

/// Returns the first operation at which a cache diverges, and the divergence.
fn first(
    operations: &[Operation<u8, u64>],
    mut step: impl FnMut(&Operation<u8, u64>) -> Result<(), Divergence>,
) -> Option<(usize, Divergence)> {
    let diverges = |(place, operation)| step(operation).err().map(|divergence| (place, divergence));
    operations.iter().enumerate().find_map(diverges)
}

/// Runs the operations.
///
/// `diverges` applies the same operations to a new cache each time, decides which apply, and counts the branches of those
/// that it has compared. The cache may hold other entries than the model that the operations are drawn with: its victims
/// may be others, its bound may be fixed, and operations may have been omitted.
fn run<C: Subject<u8, u64>>(
    random: Random,
    diverges: impl Fn(usize, &[Operation<u8, u64>], &mut Branches) -> Option<(usize, Divergence)>,
) -> Result<Branches, Failing> {
    let smallest = usize::from(differs::<u8, u64, C>(Difference::NoZero));
    let mut rng = Rng::with_seed(random.seed);
    let mut branches = Branches::default();
    for _ in 0..random.runs {
        let max_size = rng.usize(smallest..=usize::from(random.max_size).max(smallest));
        let mut model = random.model(max_size);
        let swarm = Swarm::new(&mut rng, random);
        let operations: Vec<_> = (0..random.operations)
            .filter_map(|value| {
                let live: Vec<u8> = model.by_last_use().map(|(key, _)| *key).collect();
                let operation = swarm.operation(&mut rng, &live, value);
                may_be_asked::<u8, u64, C>(&operation).then(|| {
                    operation.apply(&mut model);
                    operation
                })
            })
            .collect();
        if let Some((last, _)) = diverges(max_size, &operations, &mut branches) {
            let diverges = |max_size, shorter: &[_]| diverges(max_size, shorter, &mut Branches::default());
            return Err(shrink(max_size, &operations[..=last], smallest, &times(random.expiry), diverges));
        }
    }
    Ok(branches)
}

/// The mix of operations of one run.
///
/// A run that never removes, or hardly ever inserts, reaches states that an even mix does not.
pub(crate) struct Swarm {
    random: Random,
    weights: [u32; Self::KINDS],
    /// The times to which the clock is set.
    times: Vec<u64>,
}

impl Swarm {
    const KINDS: usize = 14;
    /// The last kinds concern expiry, and are not drawn if nothing expires.
    const TIMELESS_KINDS: usize = 12;

    pub(crate) fn new(rng: &mut Rng, random: Random) -> Self {
        let kinds = if random.expiry.is_empty() { Self::TIMELESS_KINDS } else { Self::KINDS };
        let mut weights = [0; Self::KINDS];
        weights[..kinds].fill_with(|| [0, 1, 2, 4, 8][rng.usize(..5)]);
        weights[0] = weights[0].max(2); // without insertion there is nothing to do
        weights[9] = weights[9].min(1); // so little is left after clearing
        Self { random, weights, times: times(random.expiry) }
    }

    pub(crate) fn operation(&self, rng: &mut Rng, live: &[u8], value: u64) -> Operation<u8, u64> {
        let any = rng.u8(..self.random.keys.max(1));
        // Most keys are present ones, or most look-ups would be misses.
        let key = if !live.is_empty() && rng.u8(..10) < 8 { live[rng.usize(..live.len())] } else { any };
        let mut drawn = rng.u32(..self.weights.iter().sum::<u32>());
        let kind = self.weights.iter().position(|weight| {
            let here = drawn < *weight;
            drawn = drawn.saturating_sub(*weight);
            here
        });
        match kind.unwrap_or_default() {
            0 => Operation::Insert(any, value),
            1 => Operation::Insert(key, value),
            2 => Operation::Get(key),
            3 => Operation::TryGet(key),
            4 => Operation::Peek(key),
            5 => Operation::ContainsKey(key),
            6 => Operation::Remove(key),
            7 => Operation::Pop,
            8 => Operation::Copy,
            9 => Operation::Clear,
            10 => Operation::SetMaxSize(rng.usize(..=usize::from(self.random.max_size))),
            11 => Operation::Items,
            12 => Operation::SetTime(self.times[rng.usize(..self.times.len())]),
            _ => Operation::RemoveExpired,
        }
    }
}
