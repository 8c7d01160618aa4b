//! L0 and L1: random operations, whose mix is drawn anew for each run.

use fastrand::Rng;

use crate::branch::Branches;
use crate::counter_example::{CounterExample, Found};
use crate::dict::Dict;
use crate::explore::may_be_asked;
use crate::level::Level;
use crate::model::{EvictionPolicy, Model};
use crate::operation::Operation;
use crate::shrink::{Failing, shrink};
use crate::step::{Divergence, step};
use crate::subject::{Difference, Subject, differs};

/// How much [`dict`] and [`order`] try.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Random};
///
/// let more = Random { seed: 7, runs: 10_000, ..Random::new(EvictionPolicy::Lfu) };
/// assert_eq!(more.keys, 16);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random {
    /// The order under test.
    pub policy: EvictionPolicy,
    /// Where use counts saturate.
    pub max_uses: u64,
    /// Equal seeds give equal operations.
    pub seed: u64,
    /// How many caches are made.
    pub runs: u64,
    /// How much is done with each.
    pub operations: u64,
    /// How many keys there are.
    pub keys: u8,
    /// The greatest bound that is set.
    pub max_size: u8,
}

impl Random {
    /// 1,000 runs of 100 operations on 16 keys and bounds up to 8, under seed 0.
    ///
    /// The type shows an example.
    pub const fn new(policy: EvictionPolicy) -> Self {
        Self { policy, max_uses: u64::MAX, seed: 0, runs: 1_000, operations: 100, keys: 16, max_size: 8 }
    }

    fn counter_example(self, level: Level, found: Failing) -> CounterExample {
        let Self { policy, max_uses, .. } = self;
        let (max_size, operations, divergence) = found;
        Found { level, policy, max_size, max_uses, operations, panic: None, divergence }.into()
    }
}

/// L0: holds a cache against what a bounded dict does, whichever of its entries goes.
///
/// `new` makes an empty cache with the given `max_size`.
///
/// # Errors
///
/// Operations that lead to a difference, none of which can be left out.
///
/// ```
/// use aws_client_cache_spec::{Broken, EvictionPolicy, Fault, Random, dict};
///
/// let broken = |max_size| Broken::<u8, u64>::new(Fault::Replaces, EvictionPolicy::Lru, max_size, 1);
/// let found = dict(Random::new(EvictionPolicy::Lru), broken).unwrap_err();
/// assert_eq!(found.operations().len(), 2);
/// ```
pub fn dict<C: Subject<u8, u64>>(random: Random, new: impl Fn(usize) -> C) -> Result<Branches, CounterExample> {
    run::<C>(random, |max_size, operations| {
        let (mut cache, mut dict) = (new(max_size), Dict::new(max_size));
        first(operations, |operation| {
            let asked = may_be_asked::<u8, u64, C>(operation, |key| dict.value(&key).is_some());
            if asked { dict.step(&mut cache, operation) } else { Ok(()) }
        })
    })
    .map_err(|found| random.counter_example(Level::Dict, found))
}

/// L1: holds a cache against the model, and so to the order in which it evicts.
///
/// `new` makes an empty cache with the given `max_size`, of the policy and with the saturation that `random` names.
///
/// # Errors
///
/// Operations that lead to a difference, none of which can be left out.
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
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
pub fn order<C: Subject<u8, u64>>(random: Random, new: impl Fn(usize) -> C) -> Result<Branches, CounterExample> {
    run::<C>(random, |max_size, operations| {
        let mut cache = new(max_size);
        let mut model = Model::with_max_uses(random.policy, max_size, random.max_uses);
        first(operations, |operation| {
            let asked = may_be_asked::<u8, u64, C>(operation, |key| model.contains_key(&key));
            if asked { step(&mut cache, &mut model, operation) } else { Ok(()) }
        })
    })
    .map_err(|found| random.counter_example(Level::Order, found))
}

/// The first of the operations at which a cache diverges, and how.
fn first(
    operations: &[Operation<u8, u64>],
    mut step: impl FnMut(&Operation<u8, u64>) -> Result<(), Divergence>,
) -> Option<(usize, Divergence)> {
    let diverges = |(place, operation)| step(operation).err().map(|divergence| (place, divergence));
    operations.iter().enumerate().find_map(diverges)
}

/// Does the runs. `diverges` does the same operations on a new cache each time, and is the one that knows what may be asked:
/// what the cache holds there may not be what the model holds that operations are drawn with, as its victims may be others
/// and its bound for life, nor what it held before operations were left out.
fn run<C: Subject<u8, u64>>(
    random: Random,
    diverges: impl Fn(usize, &[Operation<u8, u64>]) -> Option<(usize, Divergence)>,
) -> Result<Branches, Failing> {
    let smallest = usize::from(differs::<u8, u64, C>(Difference::NoZero));
    let mut rng = Rng::with_seed(random.seed);
    let mut branches = Branches::default();
    for _ in 0..random.runs {
        let max_size = rng.usize(smallest..=usize::from(random.max_size).max(smallest));
        let mut model = Model::with_max_uses(random.policy, max_size, random.max_uses);
        let swarm = Swarm::new(&mut rng, random);
        let operations: Vec<_> = (0..random.operations)
            .filter_map(|value| {
                let live: Vec<u8> = model.by_last_use().map(|(key, _)| *key).collect();
                let operation = swarm.operation(&mut rng, &live, value);
                may_be_asked::<u8, u64, C>(&operation, |key| model.contains_key(&key)).then(|| {
                    branches.apply(&mut model, &operation);
                    operation
                })
            })
            .collect();
        if let Some((last, _)) = diverges(max_size, &operations) {
            return Err(shrink(max_size, &operations[..=last], smallest, diverges));
        }
    }
    Ok(branches)
}

/// The mix of operations of one run. A run that never removes, or hardly ever inserts, reaches what an even mix does not.
pub(crate) struct Swarm {
    random: Random,
    weights: [u32; Self::KINDS],
}

impl Swarm {
    const KINDS: usize = 12;

    pub(crate) fn new(rng: &mut Rng, random: Random) -> Self {
        let mut weights = [0; Self::KINDS].map(|_: u32| [0, 1, 2, 4, 8][rng.usize(..5)]);
        weights[0] = weights[0].max(2); // without insertion there is nothing to do
        weights[9] = weights[9].min(1); // so little is left after clearing
        Self { random, weights }
    }

    pub(crate) fn operation(&self, rng: &mut Rng, live: &[u8], value: u64) -> Operation<u8, u64> {
        let any = rng.u8(..self.random.keys.max(1));
        // Most keys are live ones, or most look-ups would be misses.
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
            _ => Operation::Items,
        }
    }
}
