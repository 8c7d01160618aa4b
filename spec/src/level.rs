//! What a cache can claim.

use std::fmt;

/// What a cache can claim, each a function that holds it to that.
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
    /// L0, [`dict`](crate::dict()): a bounded dict, whichever of its entries goes, in random runs.
    Dict,
    /// L1, [`order`](crate::order()): a strict LRU, LFU or LFUDA, in random runs.
    Order,
    /// L2, [`closure`](crate::closure()): the same, in every state of a small scope.
    Closure,
    /// L3, [`panics`](crate::panics()): the same, whatever of the caller's code panics, in every state of a small scope.
    Panics,
    /// L4, [`linearizable`](crate::linearizable()): the same, shared by threads.
    Threads,
    /// L5, [`creation`](crate::creation()): creation on a miss, exactly once, whoever gives up and in whatever order.
    Creation,
}

impl Level {
    /// All of them, weakest first.
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
