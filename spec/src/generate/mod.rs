//! Operations for property tests and fuzzers: one generator for all of them.
//!
//! The mix of operations is drawn anew for each run (swarm testing), and four of five keys are present ones. Shrinking
//! omits or simplifies operations, and makes keys and numbers smaller.
//!
//! | feature | offers |
//! |---|---|
//! | none | [`Operations::seeded`] and [`Mix::seeded`] |
//! | `proptest` | strategies of [`Operations`], and of transitions for a `ReferenceStateMachine` |
//! | `quickcheck` | `quickcheck::Arbitrary` for [`Operations`] |
//! | `arbitrary` | `arbitrary::Arbitrary` for [`Operations`], and functions that read operations from bytes, for fuzzers |

#[cfg(feature = "arbitrary")]
pub mod arbitrary;
#[cfg(feature = "proptest")]
pub mod proptest;
#[cfg(feature = "quickcheck")]
mod quickcheck;

use fastrand::Rng;

use crate::operation::Operation;
use crate::system_under_test::SystemUnderTest;

/// The limits of generated operations.
///
/// ```
/// use aws_client_cache_spec::generate::Limits;
///
/// let few = Limits { keys: 4, max_size: 2, ..Limits::new() };
/// assert_eq!((few.operations, few.times), (100, 0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The number of keys, from 0 on.
    pub keys: u8,
    /// The least bound, also where a test shrinks.
    ///
    /// Set it to 1 for a cache that declares [`Difference::NoZero`](crate::check::Difference::NoZero).
    pub min_size: u8,
    /// The largest bound, at least `min_size`.
    pub max_size: u8,
    /// The largest number of operations of a run.
    pub operations: usize,
    /// The number of times, from 0 on, to which the clock is set.
    ///
    /// At 0, no operation concerns expiry.
    pub times: u32,
}

impl Limits {
    /// Creates limits of 16 keys, bounds from 0 to 8, and 100 operations, none of which concerns expiry.
    ///
    /// The type shows an example.
    pub const fn new() -> Self {
        Self { keys: 16, min_size: 0, max_size: 8, operations: 100, times: 0 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

/// A source of random choices.
pub(crate) trait Choices {
    /// Returns a number below `bound`, which is at least 1.
    fn below(&mut self, bound: u32) -> u32;

    /// Returns the number of operations of a run, `most` at most.
    fn length(&mut self, most: usize) -> usize;

    /// Returns `true` if all further choices would be equal.
    fn is_exhausted(&self) -> bool;
}

impl Choices for Rng {
    fn below(&mut self, bound: u32) -> u32 {
        self.u32(..bound)
    }

    fn length(&mut self, most: usize) -> usize {
        self.usize(..=most)
    }

    fn is_exhausted(&self) -> bool {
        false
    }
}

/// The mix of operations of one run.
///
/// A run that never removes, or hardly ever inserts, reaches states that an even mix does not.
///
/// ```
/// use aws_client_cache_spec::generate::{Limits, Mix};
/// use aws_client_cache_spec::{Model, Policy, SystemUnderTest};
///
/// let mix = Mix::seeded(Limits::new(), 7);
/// let mut model = Model::new(Policy::Lru, 3);
/// for step in 0..100 {
///     mix.operation(step, &model.keys(), step).apply(&mut model);
/// }
/// assert_ne!(mix, Mix::seeded(Limits::new(), 8));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mix {
    limits: Limits,
    weights: [u8; KINDS.len()],
}

impl Mix {
    /// Draws a mix; equal seeds give equal mixes.
    ///
    /// The type shows an example.
    pub fn seeded(limits: Limits, seed: u64) -> Self {
        Self::draw(&mut Rng::with_seed(seed), limits)
    }

    /// Draws an operation; equal arguments give equal operations.
    ///
    /// `live` are the keys of the cache. `value` is inserted.
    ///
    /// The type shows an example.
    pub fn operation(&self, seed: u64, live: &[u8], value: u64) -> Operation<u8, u64> {
        self.draw_operation(&mut Rng::with_seed(seed), live, value)
    }

    pub(crate) fn draw(choices: &mut impl Choices, limits: Limits) -> Self {
        let kinds = if limits.times == 0 { TIMELESS_KINDS } else { KINDS.len() };
        let mut weights = [0; KINDS.len()];
        for (weight, (least, most, _)) in weights.iter_mut().zip(&KINDS[..kinds]) {
            *weight = [0, 1, 2, 4, 8][choices.below(5) as usize].clamp(*least, *most);
        }
        Self { limits, weights }
    }

    /// Draws the kind first, and then only what the kind needs, so that a fuzzer's bytes last longer.
    pub(crate) fn draw_operation(&self, choices: &mut impl Choices, live: &[u8], value: u64) -> Operation<u8, u64> {
        let mut drawn = choices.below(self.weights.iter().map(|weight| u32::from(*weight)).sum());
        let kind = self.weights.iter().position(|weight| {
            let is_drawn = drawn < u32::from(*weight);
            drawn = drawn.saturating_sub((*weight).into());
            is_drawn
        });
        let (_, _, operation) = KINDS[kind.unwrap_or_default()];
        operation(&mut Draw { choices, limits: self.limits, live, value })
    }
}

/// A kind of operation: its least and its greatest weight in a mix, and the function that draws one.
type Kind = (u8, u8, fn(&mut Draw<'_>) -> Operation<u8, u64>);

/// The kinds of operations.
///
/// A kind that removes many entries is rare, so that the cache is seldom empty.
const KINDS: [Kind; 20] = [
    (4, 8, |draw| Operation::Insert(draw.any_key(), draw.value)), // without insertion there is nothing to do
    (0, 8, |draw| Operation::Insert(draw.key(), draw.value)),
    (0, 8, |draw| Operation::Get(draw.key())),
    (0, 8, |draw| Operation::TryGet(draw.key())),
    (0, 8, |draw| Operation::Peek(draw.key())),
    (0, 8, |draw| Operation::ContainsKey(draw.key())),
    (0, 8, |draw| Operation::Remove(draw.key())),
    (0, 8, |_| Operation::Pop),
    (0, 8, |_| Operation::Copy),
    (0, 1, |_| Operation::Clear),
    (0, 8, |draw| Operation::SetMaxSize(draw.limits.draw_max_size(draw.choices))),
    (0, 8, |_| Operation::Items),
    (0, 8, |draw| Operation::Iterate(draw.bits())),
    (0, 8, |_| Operation::NextVictim),
    (0, 8, |draw| Operation::GetOrInsert(draw.key(), draw.value)),
    (0, 8, |draw| Operation::GetMut(draw.key(), draw.value)),
    (0, 2, |draw| Operation::Retain(draw.bits() | draw.bits())), // most entries stay
    (0, 1, |draw| Operation::Drain(draw.bits())),
    (0, 8, |draw| Operation::SetTime(draw.choices.below(draw.limits.times).into())),
    (0, 1, |_| Operation::RemoveExpired),
];

/// The last kinds concern expiry.
const TIMELESS_KINDS: usize = KINDS.len() - 2;

/// The choices of one operation.
struct Draw<'a> {
    choices: &'a mut dyn Choices,
    limits: Limits,
    /// The keys of the cache.
    live: &'a [u8],
    value: u64,
}

impl Draw<'_> {
    /// Draws a key, mostly a present one, or most look-ups would be misses.
    fn key(&mut self) -> u8 {
        let is_live = !self.live.is_empty() && self.choices.below(10) < 8;
        let lives = u32::try_from(self.live.len()).unwrap_or(u32::MAX);
        if is_live { self.live[self.choices.below(lives) as usize] } else { self.any_key() }
    }

    fn any_key(&mut self) -> u8 {
        u8::try_from(self.choices.below(self.limits.keys.max(1).into())).unwrap_or_default()
    }

    /// Draws the answers of a predicate, or the ends of an iterator.
    fn bits(&mut self) -> u8 {
        u8::try_from(self.choices.below(256)).unwrap_or_default()
    }
}

impl Limits {
    fn draw_max_size(self, choices: &mut dyn Choices) -> usize {
        let sizes = self.max_size.saturating_sub(self.min_size);
        usize::from(self.min_size) + choices.below(u32::from(sizes) + 1) as usize
    }
}

/// A run: the bound of an empty cache, and a sequence of operations on it.
///
/// ```
/// use aws_client_cache_spec::check::step;
/// use aws_client_cache_spec::generate::{Limits, Operations};
/// use aws_client_cache_spec::{Model, Policy};
///
/// for seed in 0..100 {
///     let new = |max_size| Model::new(Policy::Lfu, max_size);
///     let Operations { max_size, operations } = Operations::seeded(Limits::new(), seed, new);
///     let (mut cache, mut model) = (new(max_size), new(max_size));
///     for operation in &operations {
///         step(&mut cache, &mut model, operation)?;
///     }
/// }
/// # Ok::<(), aws_client_cache_spec::check::Divergence>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operations {
    /// The bound at first.
    pub max_size: usize,
    /// The operations. The value of each insertion is its position.
    pub operations: Vec<Operation<u8, u64>>,
}

impl Operations {
    /// Draws a run; equal seeds give equal runs.
    ///
    /// `new` creates an empty cache with a bound. The operations are applied to it, so that their keys are present ones.
    /// A model of the policy under test serves best.
    ///
    /// The type shows an example.
    pub fn seeded<C: SystemUnderTest<u8, u64>>(limits: Limits, seed: u64, new: impl FnOnce(usize) -> C) -> Self {
        Self::draw(&mut Rng::with_seed(seed), limits, new)
    }

    pub(crate) fn draw<C>(choices: &mut impl Choices, limits: Limits, new: impl FnOnce(usize) -> C) -> Self
    where
        C: SystemUnderTest<u8, u64>,
    {
        let max_size = limits.draw_max_size(choices);
        let (mix, mut cache) = (Mix::draw(choices, limits), new(max_size));
        let mut operations = Vec::new();
        for value in 0..choices.length(limits.operations) {
            if choices.is_exhausted() {
                break;
            }
            let operation = mix.draw_operation(choices, &cache.keys(), value as u64);
            operation.apply(&mut cache);
            operations.push(operation);
        }
        Self { max_size, operations }
    }
}

/// A value with simpler ones, of which a shrinking test tries one after the other.
#[cfg(any(feature = "proptest", feature = "quickcheck"))]
pub(crate) trait Simplify: Clone + 'static {
    /// Returns simpler values, the simplest first, without bounds below `min_size`.
    fn simpler(&self, min_size: u8) -> Box<dyn Iterator<Item = Self>>;
}

#[cfg(any(feature = "proptest", feature = "quickcheck"))]
impl Simplify for Operation<u8, u64> {
    /// Replaces the operation by a simpler one, or makes its key or its number smaller.
    ///
    /// The number is a value, a bound, a time, or bits.
    fn simpler(&self, min_size: u8) -> Box<dyn Iterator<Item = Self>> {
        let keys = self.key().map_or(Vec::new(), |key| smaller((*key).into()));
        let key = |key: u64| self.clone().map(|_| u8::try_from(key).unwrap_or_default(), |value| value);
        let with_key = keys.into_iter().map(key);
        let numbers = self.number().map_or(Vec::new(), smaller);
        let with_number = numbers.into_iter().map(|number| self.with_number(number));
        let others = match self {
            Self::TryGet(key) | Self::GetMut(key, _) => vec![Self::Get(*key)],
            Self::GetOrInsert(key, value) => vec![Self::Get(*key), Self::Insert(*key, *value)],
            _ => Vec::new(),
        };
        let is_within = |simpler: &Self| !matches!(simpler, Self::SetMaxSize(size) if *size < min_size.into());
        let simpler = others.into_iter().chain(with_key).chain(with_number);
        Box::new(simpler.filter(is_within).collect::<Vec<_>>().into_iter())
    }
}

#[cfg(any(feature = "proptest", feature = "quickcheck"))]
impl Operation<u8, u64> {
    /// Returns the number of the operation apart from its key.
    fn number(&self) -> Option<u64> {
        match self {
            Self::Insert(_, value) | Self::GetOrInsert(_, value) | Self::GetMut(_, value) => Some(*value),
            Self::SetMaxSize(max_size) => Some(*max_size as u64),
            Self::Iterate(bits) | Self::Retain(bits) | Self::Drain(bits) => Some((*bits).into()),
            Self::SetTime(time) => Some(*time),
            _ => None,
        }
    }

    /// Replaces the number by a smaller one.
    fn with_number(&self, number: u64) -> Self {
        let bits = u8::try_from(number).unwrap_or_default();
        match self {
            Self::SetMaxSize(_) => Self::SetMaxSize(usize::try_from(number).unwrap_or_default()),
            Self::Iterate(_) => Self::Iterate(bits),
            Self::Retain(_) => Self::Retain(bits),
            Self::Drain(_) => Self::Drain(bits),
            Self::SetTime(_) => Self::SetTime(number),
            other => other.clone().map(|key| key, |_| number),
        }
    }
}

/// Returns smaller numbers: 0, the half and the predecessor.
#[cfg(any(feature = "proptest", feature = "quickcheck"))]
fn smaller(number: u64) -> Vec<u64> {
    let mut smaller: Vec<_> = [0, number / 2, number.saturating_sub(1)].into_iter().filter(|n| *n < number).collect();
    smaller.dedup();
    smaller
}

#[cfg(any(feature = "proptest", feature = "quickcheck"))]
impl Simplify for Operations {
    fn simpler(&self, min_size: u8) -> Box<dyn Iterator<Item = Self>> {
        Box::new(
            self.shorter()
                .chain(self.renamed())
                .chain(self.with_a_simpler_operation(min_size))
                .chain(self.with_a_lower_bound(min_size)),
        )
    }
}

#[cfg(any(feature = "proptest", feature = "quickcheck"))]
impl Operations {
    /// Omits operations: half of them at first, a single one at last.
    ///
    /// A bound that is set may become the first bound.
    fn shorter(&self) -> impl Iterator<Item = Self> + use<> {
        let (run, length) = (self.clone(), self.operations.len());
        let sizes = std::iter::successors(Some(length.div_ceil(2)), |size| (*size > 1).then(|| size.div_ceil(2)));
        let chunks =
            sizes.filter(|size| *size > 0).flat_map(move |size| (0..length).step_by(size).map(move |at| (at, size)));
        let shorter = chunks.map(move |(at, size)| {
            let kept = run.operations.iter().enumerate().filter(|(place, _)| !(at..at + size).contains(place));
            Self { max_size: run.max_size, operations: kept.map(|(_, operation)| operation.clone()).collect() }
        });
        let run = self.clone();
        let with_the_bound = (0..length).filter_map(move |place| {
            let Operation::SetMaxSize(max_size) = run.operations[place] else { return None };
            let mut operations = run.operations.clone();
            operations.remove(place);
            Some(Self { max_size, operations })
        });
        shorter.chain(with_the_bound)
    }

    /// Gives a key a lower name that no operation has.
    fn renamed(&self) -> impl Iterator<Item = Self> + use<> {
        let run = self.clone();
        let keys: std::collections::BTreeSet<u8> = self.operations.iter().filter_map(Operation::key).copied().collect();
        let unused = (0..=u8::MAX).find(|key| !keys.contains(key)).unwrap_or(u8::MAX);
        keys.into_iter().rev().filter(move |key| *key > unused).map(move |renamed| {
            let rename = |key| if key == renamed { unused } else { key };
            let operations = run.operations.iter().cloned().map(|operation| operation.map(rename, |value| value));
            Self { max_size: run.max_size, operations: operations.collect() }
        })
    }

    fn with_a_simpler_operation(&self, min_size: u8) -> impl Iterator<Item = Self> + use<> {
        let run = self.clone();
        (0..self.operations.len()).flat_map(move |place| {
            let run = run.clone();
            run.operations[place].simpler(min_size).map(move |operation| {
                let mut simpler = run.clone();
                simpler.operations[place] = operation;
                simpler
            })
        })
    }

    fn with_a_lower_bound(&self, min_size: u8) -> impl Iterator<Item = Self> + use<> {
        let run = self.clone();
        let sizes = smaller(self.max_size as u64).into_iter().filter_map(|size| usize::try_from(size).ok());
        let within = sizes.filter(move |size| *size >= min_size.into());
        within.map(move |max_size| Self { max_size, ..run.clone() })
    }
}
