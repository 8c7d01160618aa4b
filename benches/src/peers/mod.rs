//! Peers, held against the same levels as the engine.
//!
//! An adapter forwards to its peer, and declares what the peer does in another way. The hasher is the same for all where
//! it can be chosen, and draws nothing at random, so that results are the same each time.

mod engine;
mod hashlink;
mod lfu_cache;
mod lru;
mod moka;
mod quick_cache;
mod schnellru;

use std::fmt;
use std::hash::{BuildHasherDefault, DefaultHasher};

use aws_client_cache_spec::EvictionPolicy::{self, Lfu, Lfuda, Lru};
use aws_client_cache_spec::{
    CounterExample, Difference, Explore, Fused, Level, Random, Scope, Subject, bounded, closure, dict, order, panics,
};

/// Of which every one hashes alike.
type Hasher = BuildHasherDefault<DefaultHasher>;

/// A peer's cache under test.
pub trait Adapter<K: Eq, V>: Subject<K, V> {
    /// An empty one with a bound. A peer of one policy is asked for no other.
    fn new(policy: EvictionPolicy, max_size: usize) -> Self;
}

/// The levels that peers are held against: those of one thread.
pub const LEVELS: [Level; 4] = [Level::Dict, Level::Order, Level::Closure, Level::Panics];

/// How many random runs there are, each of 100 operations.
pub const RUNS: u64 = 200;

/// How long sequences of operations are under LFU, where counts make states without end.
pub const DEPTH: usize = 7;

/// The same for a peer that cannot be copied, which makes a cache for every sequence.
pub const DEPTH_UNCOPIED: usize = 4;

/// A peer under a policy.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The crate.
    pub package: &'static str,
    /// The policy that it is held to.
    pub policy: EvictionPolicy,
    /// What it does in another way, and is not compared in.
    pub differences: &'static [Difference],
    /// What it has no operation for, and is not compared in.
    pub missing: fn(EvictionPolicy) -> Vec<&'static str>,
    hold: fn(EvictionPolicy, Level) -> Verdict,
}

impl Peer {
    /// Our own engine first.
    pub const ALL: [Self; 10] = [
        Self::copied::<engine::Engine<_, _>, engine::Engine<_, _>>("aws-client-cache", Lru),
        Self::copied::<engine::Engine<_, _>, engine::Engine<_, _>>("aws-client-cache", Lfu),
        Self::copied::<engine::Engine<_, _>, engine::Engine<_, _>>("aws-client-cache", Lfuda),
        Self::copied::<lru::Lru<_, _>, lru::Lru<_, _>>("lru", Lru),
        Self::copied::<hashlink::Hashlink<_, _>, hashlink::Hashlink<_, _>>("hashlink", Lru),
        Self::copied::<schnellru::Schnellru<_, _>, schnellru::Schnellru<_, _>>("schnellru", Lru),
        Self::copied::<quick_cache::QuickCache<_, _>, quick_cache::QuickCache<_, _>>("quick_cache", Lru),
        Self::uncopied::<moka::Moka<_, _>>("moka", Lru),
        Self::uncopied::<moka::Moka<_, _>>("moka", Lfu),
        Self::uncopied::<lfu_cache::Lfu<_, _>>("lfu_cache", Lfu),
    ];

    /// A peer that can be copied. `F` is the same as `C`, of other keys and values.
    const fn copied<C, F>(package: &'static str, policy: EvictionPolicy) -> Self
    where
        C: Adapter<u8, u64> + Explore<u8, u64>,
        F: Adapter<Fused<u8>, Fused<u64>> + Explore<Fused<u8>, Fused<u64>>,
    {
        let hold = |policy, level| match level {
            Level::Closure => Verdict::of(closure(scope(policy, 3, 4), |max_size| C::new(policy, max_size))),
            Level::Panics => Verdict::of(panics(scope(policy, 2, 3), |max_size| F::new(policy, max_size))),
            _ => random::<C>(policy, level),
        };
        Self { package, policy, differences: C::DIFFERENCES, missing: missing::<C>, hold }
    }

    /// A peer that cannot be copied, or only to share its entries.
    const fn uncopied<C: Adapter<u8, u64>>(package: &'static str, policy: EvictionPolicy) -> Self {
        let hold = |policy, level| match level {
            Level::Closure => {
                let scope = Scope { symmetric: true, depth: DEPTH_UNCOPIED, ..scope(policy, 2, 3) };
                match bounded(scope, |max_size| C::new(policy, max_size)) {
                    Ok(_) => Verdict::PassesUpTo(DEPTH_UNCOPIED),
                    Err(found) => Verdict::Fails(found.to_string()),
                }
            }
            _ => random::<C>(policy, level),
        };
        Self { package, policy, differences: C::DIFFERENCES, missing: missing::<C>, hold }
    }

    /// Holds it against a level.
    ///
    /// # Panics
    ///
    /// If the peer does. It may also abort the process, or never come to an end.
    pub fn hold(&self, level: Level) -> Verdict {
        (self.hold)(self.policy, level)
    }
}

/// What becomes of a peer at a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has the level.
    Passes,
    /// It does as the model does, in sequences of so many operations.
    PassesUpTo(usize),
    /// It hasn't, as this test shows.
    Fails(String),
    /// It cannot be held against the level.
    NotApplicable,
}

impl Verdict {
    fn of<T>(result: Result<T, CounterExample>) -> Self {
        result.map_or_else(|found| Self::Fails(found.to_string()), |_| Self::Passes)
    }
}

/// As in the table.
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

/// The levels of random runs.
fn random<C: Adapter<u8, u64>>(policy: EvictionPolicy, level: Level) -> Verdict {
    let random = Random { runs: RUNS, ..Random::new(policy) };
    let new = |max_size| C::new(policy, max_size);
    match level {
        Level::Dict => Verdict::of(dict(random, new)),
        Level::Order => Verdict::of(order(random, new)),
        _ => Verdict::NotApplicable,
    }
}

/// Peers can't be told where counts are to saturate, so that states of LFU have no end, and their sequences are given one.
fn scope(policy: EvictionPolicy, max_size: u8, keys: u8) -> Scope {
    let scope = Scope { max_uses: u64::MAX, ..Scope::new(policy, max_size, keys) };
    match policy {
        Lru => scope,
        Lfu | Lfuda => Scope { symmetric: true, depth: DEPTH, ..scope },
    }
}

fn missing<C: Adapter<u8, u64>>(policy: EvictionPolicy) -> Vec<&'static str> {
    let mut cache = C::new(policy, 1);
    let copy = cache.copy().is_none().then_some("makes no copy");
    let resize = cache.set_max_size(1).is_none().then_some("has a bound for life");
    [copy, resize].into_iter().flatten().collect()
}

/// An entry, as [`Subject::items`] has it.
fn entry<K: Clone, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (key.clone(), value.clone())
}
