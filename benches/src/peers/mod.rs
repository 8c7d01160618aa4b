//! Checks peers against the same levels as the engine.
//!
//! An adapter forwards to its peer, and declares its differences. All peers that accept a hasher use the same one. It
//! is not random, so that results repeat.

mod evicting_map;
mod hashlink;
mod lfu_cache;
mod lru;
mod moka;
mod quick_cache;
mod schnellru;

use std::fmt;
use std::hash::{BuildHasherDefault, DefaultHasher};

use aws_client_cache_spec::check::{
    Difference, Level, PanicProbe, dict, exhaustive, exhaustive_to_depth, order, panics,
};
use aws_client_cache_spec::{
    CounterExample, Dict, Explore, InsertionMode, Model,
    Policy::{self, Lfu, Lfuda, Lru},
    Random, Scope, SystemUnderTest,
};

/// A hasher without a random key.
type Hasher = BuildHasherDefault<DefaultHasher>;

/// A peer's cache under test.
pub trait Adapter<K: Eq, V>: SystemUnderTest<K, V> {
    /// The effect of inserting a present key, which all peers replace.
    const INSERTION: InsertionMode = InsertionMode::Replace;

    /// Creates an empty cache with a bound. `policy` is one that the peer has.
    fn new(policy: Policy, max_size: usize) -> Self;
}

/// The levels that peers are checked against: those of one thread.
pub const LEVELS: [Level; 4] = [Level::Dict, Level::Order, Level::Exhaustive, Level::Panics];

/// The number of random runs, each of 100 operations.
pub const RUNS: u64 = 200;

/// The length of operation sequences under LFU, whose counts make the states infinite.
pub const DEPTH: usize = 7;

/// The same length for a peer that cannot be copied, which needs a new cache for every sequence.
pub const DEPTH_UNCOPIED: usize = 4;

/// A peer under a policy.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The name of the crate.
    pub package: &'static str,
    /// The policy that the peer is checked for.
    pub policy: Policy,
    /// The effect of inserting a present key.
    pub insertion: InsertionMode,
    /// The declared differences, which are not compared.
    pub differences: &'static [Difference],
    /// Returns the missing operations and results, which are not compared.
    pub missing: fn(Policy) -> Vec<&'static str>,
    check: fn(Policy, Level) -> Verdict,
}

impl Peer {
    /// All peers, our own engine first.
    pub const ALL: [Self; 13] = [
        Self::copied::<evicting_map::Engine<_, _>, evicting_map::Engine<_, _>>("aws-client-cache", Lru),
        Self::copied::<evicting_map::Engine<_, _>, evicting_map::Engine<_, _>>("aws-client-cache", Lfu),
        Self::copied::<evicting_map::Engine<_, _>, evicting_map::Engine<_, _>>("aws-client-cache", Lfuda),
        Self::copied::<evicting_map::Engine<_, _, true>, evicting_map::Engine<_, _, true>>("aws-client-cache", Lru),
        Self::copied::<evicting_map::Engine<_, _, true>, evicting_map::Engine<_, _, true>>("aws-client-cache", Lfu),
        Self::copied::<evicting_map::Engine<_, _, true>, evicting_map::Engine<_, _, true>>("aws-client-cache", Lfuda),
        Self::copied::<lru::Lru<_, _>, lru::Lru<_, _>>("lru", Lru),
        Self::copied::<hashlink::Hashlink<_, _>, hashlink::Hashlink<_, _>>("hashlink", Lru),
        Self::copied::<schnellru::Schnellru<_, _>, schnellru::Schnellru<_, _>>("schnellru", Lru),
        Self::copied::<quick_cache::QuickCache<_, _>, quick_cache::QuickCache<_, _>>("quick_cache", Lru),
        Self::uncopied::<moka::Moka<_, _>>("moka", Lru),
        Self::uncopied::<moka::Moka<_, _>>("moka", Lfu),
        Self::uncopied::<lfu_cache::Lfu<_, _>>("lfu_cache", Lfu),
    ];

    /// Creates a peer that can be copied. `F` is `C` with other keys and values.
    const fn copied<C, F>(package: &'static str, policy: Policy) -> Self
    where
        C: Adapter<u8, u64> + Explore<u8, u64>,
        F: Adapter<PanicProbe<u8>, PanicProbe<u64>> + Explore<PanicProbe<u8>, PanicProbe<u64>>,
    {
        let check = |policy, level| match level {
            Level::Exhaustive => Verdict::of(exhaustive(scope(policy, 3, 4), model::<C, _, _>(policy), |max_size| {
                C::new(policy, max_size)
            })),
            Level::Panics => {
                Verdict::of(panics(scope(policy, 2, 3), model::<C, _, _>(policy), |max_size| F::new(policy, max_size)))
            }
            _ => random::<C>(policy, level),
        };
        let (insertion, differences) = (C::INSERTION, C::DIFFERENCES);
        Self { package, policy, insertion, differences, missing: missing::<C>, check }
    }

    /// Creates a peer that cannot be copied, or whose copies share its entries.
    const fn uncopied<C: Adapter<u8, u64>>(package: &'static str, policy: Policy) -> Self {
        let check = |policy, level| match level {
            Level::Exhaustive => {
                let scope =
                    Scope { symmetric: true, depth: DEPTH_UNCOPIED, max_states: usize::MAX, ..scope(policy, 2, 3) };
                match exhaustive_to_depth(scope, model::<C, _, _>(policy), |max_size| C::new(policy, max_size)) {
                    Ok(_) => Verdict::PassesUpTo(DEPTH_UNCOPIED),
                    Err(found) => Verdict::Fails(found.to_string()),
                }
            }
            _ => random::<C>(policy, level),
        };
        let (insertion, differences) = (C::INSERTION, C::DIFFERENCES);
        Self { package, policy, insertion, differences, missing: missing::<C>, check }
    }

    /// Checks the peer against a level.
    ///
    /// # Panics
    ///
    /// If the peer panics. The peer may also abort the process, or never return.
    pub fn check(&self, level: Level) -> Verdict {
        (self.check)(self.policy, level)
    }
}

/// The result of a peer at a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The peer passes the level.
    Passes,
    /// The peer equals the model in all sequences of up to this number of operations.
    PassesUpTo(usize),
    /// The peer differs from the model, as this test shows.
    Fails(String),
    /// The level does not apply to the peer.
    NotApplicable,
}

impl Verdict {
    fn of<T>(result: Result<T, CounterExample>) -> Self {
        result.map_or_else(|found| Self::Fails(found.to_string()), |_| Self::Passes)
    }
}

/// Formats the verdict as a cell of the table.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passes => f.write_str("✓"),
            Self::PassesUpTo(depth) => write!(f, "✓ up to {depth} operations"),
            Self::Fails(_) => f.write_str("✗"),
            Self::NotApplicable => f.write_str("not applicable"),
        }
    }
}

/// Checks a level of random runs.
fn random<C: Adapter<u8, u64>>(policy: Policy, level: Level) -> Verdict {
    let random = Random { runs: RUNS, ..Random::new() };
    let expected = |max_size| Dict::new(max_size).with_insertion(C::INSERTION);
    let new = |max_size| C::new(policy, max_size);
    match level {
        Level::Dict => Verdict::of(dict(random, expected, new)),
        Level::Order => Verdict::of(order(random, model::<C, _, _>(policy), new)),
        _ => Verdict::NotApplicable,
    }
}

/// Returns a function that creates the model of a peer.
fn model<C: Adapter<u8, u64>, K, V>(policy: Policy) -> impl Fn(usize) -> Model<K, V> {
    move |max_size| Model::new(policy, max_size).with_insertion(C::INSERTION)
}

/// Returns the scope of a search.
///
/// The counts of a peer cannot be made to saturate, so its states are infinite under LFU, and the depth is limited.
fn scope(policy: Policy, max_size: u8, keys: u8) -> Scope {
    let scope = Scope::new(max_size, keys);
    match policy {
        Lru => scope,
        Lfu | Lfuda => Scope { symmetric: true, depth: DEPTH, ..scope },
    }
}

/// Returns the operations and results that a peer does not have.
fn missing<C: Adapter<u8, u64>>(policy: Policy) -> Vec<&'static str> {
    let mut cache = C::new(policy, 1);
    let mut returns = |key, value| !matches!(cache.insert(key, value), Ok(None));
    let _ = returns(0, 0);
    let (replaced, evicted) = (returns(0, 1), returns(1, 0));
    let mut two = C::new(policy, 2);
    let _ = (two.insert(0, 0), two.insert(1, 0));
    let shrunk = two.set_max_size(1);
    let has = [
        ("does not return replaced entries", replaced),
        ("does not return entries that insertion evicts", evicted),
        ("does not return entries that shrinking evicts", shrunk.as_ref().is_none_or(|evicted| !evicted.is_empty())),
        ("cannot be resized", shrunk.is_some()),
        ("cannot be copied", cache.copy().is_some()),
        ("does not iterate from both ends", cache.iterate(&mut || false).is_some()),
        ("does not show its next victim", cache.next_victim().is_some()),
        ("has no bounded get-or-insert", cache.get_or_insert(0, 0).is_some()),
        ("changes no value in place", cache.get_mut(&0, 0).is_some()),
        ("has no retain in eviction order", cache.retain(&mut |_, _| true).is_some()),
        ("has no drain from both ends", cache.drain(&mut || false).is_some()),
    ];
    has.into_iter().filter_map(|(missing, has)| (!has).then_some(missing)).collect()
}

/// Clones an entry, in the form of [`SystemUnderTest::items`].
fn entry<K: Clone, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (key.clone(), value.clone())
}
