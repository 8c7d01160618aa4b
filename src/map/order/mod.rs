//! The order of eviction, over the places of a table. A new policy is a new file and an arm here.

mod lfu;
mod lru;

use super::policy::EvictionPolicy;
use super::table::Moved;
use lfu::Lfu;
use lru::Lru;

/// What a policy keeps about the places of a table's entries. [`END`](super::list::END) is before the first and behind the last.
///
/// Nothing here calls a key's or a value's code, so nothing here can be left half done by a panic.
pub(super) trait Order: Sized {
    /// The place that goes right after this one; after the end, the next victim.
    fn after(&self, place: u32) -> u32;

    /// The place that goes right before this one; before the end, the last one to go.
    fn before(&self, place: u32) -> u32;

    /// Takes in a place that has got an entry.
    fn insert(&mut self, place: u32);

    /// Counts one use.
    fn touch(&mut self, place: u32);

    /// Lets go of a place.
    fn remove(&mut self, place: u32);

    /// Lets go of the next victim, and returns it.
    fn pop(&mut self) -> Option<u32>;

    /// Follows the entries to other places. There are places only once this was called.
    fn follow(&mut self, moved: &Moved);

    /// Forgets every place, and returns the order as it was.
    fn take(&mut self) -> Self;

    /// What the order keeps beyond the sequence of the places, in numbers.
    #[cfg(any(test, feature = "__internals"))]
    fn layout(&self) -> Vec<u64>;

    /// Verifies every invariant of the order, and passes each place to `visit`. Returns how many there are.
    #[cfg(any(test, feature = "__internals"))]
    fn check(&self, visit: impl FnMut(u32) -> Result<(), String>) -> Result<usize, String>;
}

/// The order that a map was made with.
#[derive(Clone, Debug)]
pub(super) enum AnyOrder {
    Lru(Lru),
    Lfu(Lfu),
}

impl AnyOrder {
    /// An empty order; use counts stop at `max_uses`.
    pub(super) fn new(policy: EvictionPolicy, max_uses: u64) -> Self {
        match policy {
            EvictionPolicy::Lru => Self::Lru(Lru::new()),
            EvictionPolicy::Lfu => Self::Lfu(Lfu::new(max_uses)),
        }
    }

    pub(super) fn policy(&self) -> EvictionPolicy {
        match self {
            Self::Lru(_) => EvictionPolicy::Lru,
            Self::Lfu(_) => EvictionPolicy::Lfu,
        }
    }
}

macro_rules! either {
    ($self:expr, $order:ident => $call:expr) => {
        match $self {
            AnyOrder::Lru($order) => $call,
            AnyOrder::Lfu($order) => $call,
        }
    };
}

impl Order for AnyOrder {
    #[inline]
    fn after(&self, place: u32) -> u32 {
        either!(self, order => order.after(place))
    }

    fn before(&self, place: u32) -> u32 {
        either!(self, order => order.before(place))
    }

    #[inline]
    fn insert(&mut self, place: u32) {
        either!(self, order => order.insert(place));
    }

    #[inline]
    fn touch(&mut self, place: u32) {
        either!(self, order => order.touch(place));
    }

    #[inline]
    fn remove(&mut self, place: u32) {
        either!(self, order => order.remove(place));
    }

    #[inline]
    fn pop(&mut self) -> Option<u32> {
        either!(self, order => order.pop())
    }

    fn follow(&mut self, moved: &Moved) {
        either!(self, order => order.follow(moved));
    }

    fn take(&mut self) -> Self {
        match self {
            Self::Lru(order) => Self::Lru(order.take()),
            Self::Lfu(order) => Self::Lfu(order.take()),
        }
    }

    #[cfg(any(test, feature = "__internals"))]
    fn layout(&self) -> Vec<u64> {
        either!(self, order => order.layout())
    }

    #[cfg(any(test, feature = "__internals"))]
    fn check(&self, visit: impl FnMut(u32) -> Result<(), String>) -> Result<usize, String> {
        either!(self, order => order.check(visit))
    }
}
