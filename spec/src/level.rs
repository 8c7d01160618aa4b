//! The levels that a cache can claim.

use std::fmt;

/// A level that a cache can claim, each checked by a function.
///
/// ```
/// use aws_client_cache_spec::check::Level;
///
/// assert_eq!(Level::Order.to_string(), "eviction order");
/// assert!(Level::Dict < Level::Exhaustive);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// [`dict`](crate::check::dict()): a bounded dict, whichever entries it evicts, in random runs.
    Dict,
    /// [`order`](crate::check::order()): a strict LRU, LFU or LFUDA, in random runs.
    Order,
    /// [`exhaustive`](crate::check::exhaustive()): the same, in every state of a small scope.
    Exhaustive,
    /// [`panics`](crate::check::panics()): the same under panics of callers' code, in a small scope.
    Panics,
    /// [`linearizable`](crate::concurrency::linearizable()): the same, shared by threads.
    Linearizable,
    /// [`creation`](crate::creation::creation()): creation on a miss, exactly once, in every schedule.
    Creation,
}

impl Level {
    /// All levels, weakest first.
    ///
    /// The type shows an example.
    pub const ALL: [Self; 6] =
        [Self::Dict, Self::Order, Self::Exhaustive, Self::Panics, Self::Linearizable, Self::Creation];
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dict => "dict",
            Self::Order => "eviction order",
            Self::Exhaustive => "every state",
            Self::Panics => "panic safety",
            Self::Linearizable => "linearizability",
            Self::Creation => "creation",
        })
    }
}
