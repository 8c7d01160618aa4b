//! The levels that a cache can claim.

use std::fmt;

/// A level that a cache can claim, each checked by a function.
///
/// ```
/// use aws_client_cache_spec::Level;
///
/// assert_eq!(Level::Order.to_string(), "L1 eviction order");
/// assert!(Level::Dict < Level::Closure);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// L0, [`dict`](crate::dict()): a bounded dict, whichever entries it evicts, in random runs.
    Dict,
    /// L1, [`order`](crate::order()): a strict LRU, LFU or LFUDA, in random runs.
    Order,
    /// L2, [`closure`](crate::closure()): the same, in every state of a small scope.
    Closure,
    /// L3, [`panics`](crate::panics()): the same under panics of callers' code, in a small scope.
    Panics,
    /// L4, [`linearizable`](crate::linearizable()): the same, shared by threads.
    Threads,
    /// L5, [`creation`](crate::creation()): creation on a miss, exactly once, in every schedule.
    Creation,
}

impl Level {
    /// All levels, weakest first.
    ///
    /// The type shows an example.
    pub const ALL: [Self; 6] = [Self::Dict, Self::Order, Self::Closure, Self::Panics, Self::Threads, Self::Creation];
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dict => "L0 dict",
            Self::Order => "L1 eviction order",
            Self::Closure => "L2 every state",
            Self::Panics => "L3 panic safety",
            Self::Threads => "L4 linearizability",
            Self::Creation => "L5 creation",
        })
    }
}
