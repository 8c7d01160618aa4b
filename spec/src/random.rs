//! Random operations, with a new mix for each run.

use fastrand::Rng;

use crate::branches::Branches;
use crate::counter_example::{CounterExample, Found};
use crate::dict::Dict;
use crate::expiry::times;
use crate::explore::may_be_asked;
use crate::generate::{Limits, Mix};
use crate::level::Level;
use crate::operation::Operation;
use crate::reference::{Reference, expiries, follow, source};
use crate::shrink::{Failing, shrink};
use crate::step::{Divergence, compare};
use crate::system_under_test::{Difference, SystemUnderTest, differs};

/// The limits of the random runs of [`dict`] and [`order`].
///
/// ```
/// use aws_client_cache_spec::Random;
///
/// let more = Random { seed: 7, runs: 10_000, ..Random::new() };
/// assert_eq!(more.keys, 16);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random {
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
}

impl Random {
    /// Creates 1,000 runs of 100 operations, under seed 0, with 16 keys and bounds up to 8.
    ///
    /// The type shows an example.
    pub const fn new() -> Self {
        Self { seed: 0, runs: 1_000, operations: 100, keys: 16, max_size: 8 }
    }

    /// Returns the limits of the operations, whose times are indices.
    fn limits(self, times: &[u64]) -> Limits {
        let times = u32::try_from(times.len()).unwrap_or(u32::MAX);
        Limits { keys: self.keys, max_size: self.max_size, times, ..Limits::new() }
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}

fn counter_example(level: Level, reference: String, found: Failing) -> CounterExample {
    let (max_size, operations, divergence) = found;
    Found { level, reference, max_size, operations, panic: None, leaks: false, note: None, divergence }.into()
}

/// Compares a cache with a bounded dict, whichever of its entries it evicts.
///
/// `expected` and `new` create an empty dict and an empty cache with the given `max_size`. Where keys of the dict expire,
/// the clock is set, and expired entries are removed.
///
/// # Errors
///
/// The operations that lead to a difference, none of which can be omitted.
///
/// ```
/// use aws_client_cache_spec::check::dict;
/// use aws_client_cache_spec::faults::{Fault, Faulty};
/// use aws_client_cache_spec::{Dict, Policy, Random};
///
/// let faulty = |max_size| Faulty::<u8, u64>::new(Fault::Replaces, Policy::Lru, max_size, 1);
/// let found = dict(Random::new(), Dict::new, faulty).unwrap_err();
/// assert_eq!(found.operations().len(), 2);
/// ```
pub fn dict<C: SystemUnderTest<u8, u64>>(
    random: Random,
    expected: impl Fn(usize) -> Dict<u8, u64>,
    new: impl Fn(usize) -> C,
) -> Result<Branches, CounterExample> {
    let mut mode = Branches::default();
    mode.expect_mode(Some(expected(1).insertion()));
    let drawn = |max_size| expected(max_size).to_model();
    let compared = run::<_, C>(random, drawn, mode, |max_size, operations, branches| {
        let (mut cache, mut dict) = (new(max_size), expected(max_size));
        first(operations, |operation| {
            let before = dict.clone();
            if let Some(outcome) = dict.compare(&mut cache, operation)? {
                before.with_before(|before| branches.add_without_order(before, operation, &outcome));
            }
            Ok(())
        })
    });
    compared.map_err(|found| counter_example(Level::Dict, expected(found.0).source(&found.1), found))
}

/// Compares a cache with a reference, and so with its eviction order.
///
/// `reference` and `new` create an empty reference and an empty cache with the given `max_size`.
///
/// # Errors
///
/// The operations that lead to a difference, none of which can be omitted.
///
/// ```
/// use aws_client_cache_spec::check::order;
/// use aws_client_cache_spec::{Model, Random};
///
/// let covered = order(Random::new(), Model::lru, Model::lru)?;
/// assert_eq!(covered.operations(), 100_000);
///
/// let found = order(Random::new(), Model::lfu, Model::lru).unwrap_err();
/// assert_eq!(found.operations().len(), 3);
///
/// // Where keys expire, the clock is set.
/// let expiring = |max_size| Model::lru(max_size).with_expiry(0, 5);
/// order(Random::new(), expiring, expiring)?;
/// let found = order(Random::new(), expiring, |max_size| Model::lru(max_size).with_expiry(0, 6)).unwrap_err();
/// assert!(found.to_string().contains(".with_expiry(0, 5);"), "{found}");
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
pub fn order<R: Reference<u8, u64>, C: SystemUnderTest<u8, u64>>(
    random: Random,
    reference: impl Fn(usize) -> R,
    new: impl Fn(usize) -> C,
) -> Result<Branches, CounterExample> {
    let mut possible = Branches::default();
    possible.expect(&reference(random.max_size.into()));
    let compared = run::<R, C>(random, &reference, possible, |max_size, operations, branches| {
        let (mut cache, mut model) = (new(max_size), reference(max_size));
        first(operations, |operation| {
            let before = model.clone();
            if let Some(outcome) = compare(&mut cache, &mut model, operation)? {
                branches.add(&before, operation, &outcome, &model);
            }
            Ok(())
        })
    });
    compared.map_err(|found| counter_example(Level::Order, source(&reference(found.0), &found.1), found))
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
fn run<R: Reference<u8, u64>, C: SystemUnderTest<u8, u64>>(
    random: Random,
    reference: impl Fn(usize) -> R,
    mut branches: Branches,
    diverges: impl Fn(usize, &[Operation<u8, u64>], &mut Branches) -> Option<(usize, Divergence)>,
) -> Result<Branches, Failing> {
    let smallest = usize::from(differs::<u8, u64, C>(Difference::NoZero));
    let ordered = !differs::<u8, u64, C>(Difference::Unordered);
    let mut rng = Rng::with_seed(random.seed);
    let times = times(&expiries(&reference(smallest), random.keys));
    for _ in 0..random.runs {
        let max_size = rng.usize(smallest..=usize::from(random.max_size).max(smallest));
        let mut model = reference(max_size);
        let mix = Mix::draw(&mut rng, random.limits(&times));
        let operations: Vec<_> = (0..random.operations)
            .filter_map(|value| {
                let live: Vec<u8> = model.entries().into_iter().map(|(key, _)| key).collect();
                let operation = match mix.draw_operation(&mut rng, &live, value) {
                    Operation::SetTime(index) => Operation::SetTime(times[usize::try_from(index).unwrap_or_default()]),
                    // Without an order, only equal answers have a defined effect.
                    Operation::Retain(answers) if !ordered => {
                        Operation::Retain(if answers & 1 == 0 { 0 } else { 0xFF })
                    }
                    operation => operation,
                };
                may_be_asked::<u8, u64, C>(&operation).then(|| {
                    follow(&mut model, &operation);
                    operation
                })
            })
            .collect();
        if let Some((last, _)) = diverges(max_size, &operations, &mut branches) {
            let diverges = |max_size, shorter: &[_]| diverges(max_size, shorter, &mut Branches::default());
            return Err(shrink(max_size, &operations[..=last], smallest, &times, diverges));
        }
    }
    Ok(branches)
}
