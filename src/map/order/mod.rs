//! The order of eviction, over the nodes of a slab. A new policy is a new file and an arm here.

mod lfu;
mod lru;

use super::policy::EvictionPolicy;
use super::ring::Linked;
use lfu::Lfu;
use lru::Lru;

/// What a policy keeps about the nodes of a slab. Slots are positions in `nodes`.
///
/// Nothing here calls a key's or a value's code, so nothing here can be left half done by a panic.
pub(super) trait Order {
    /// The next victim.
    fn victim<N: Linked>(&self, nodes: &[N]) -> Option<u32>;

    /// The last one to go.
    fn last<N: Linked>(&self, nodes: &[N]) -> Option<u32>;

    /// The node that follows `slot` in eviction order; behind the last, any.
    fn after<N: Linked>(&self, nodes: &[N], slot: u32) -> u32;

    /// The node that goes right before `slot` in eviction order; before the first, any.
    fn before<N: Linked>(&self, nodes: &[N], slot: u32) -> u32;

    /// Takes in a node that is new in its slot.
    fn insert<N: Linked>(&mut self, nodes: &mut [N], slot: u32);

    /// Counts one use of the node.
    fn touch<N: Linked>(&mut self, nodes: &mut [N], slot: u32);

    /// Lets go of the node.
    fn remove<N: Linked>(&mut self, nodes: &mut [N], slot: u32);

    /// Takes the victim's node for that of a new entry, which now has its slot.
    fn replace_victim<N: Linked>(&mut self, nodes: &mut [N], victim: u32);

    /// Follows a node that is about to be moved from one slot to another.
    fn relocate<N: Linked>(&mut self, nodes: &mut [N], from: u32, to: u32);

    /// Forgets every node.
    fn clear(&mut self);

    /// What the order keeps beyond the sequence of the nodes, in numbers.
    #[cfg(any(test, feature = "__internals"))]
    fn layout<N: Linked>(&self, nodes: &[N]) -> Vec<u64>;

    /// Verifies every invariant of the order over these nodes.
    #[cfg(any(test, feature = "__internals"))]
    fn check<N: Linked>(&self, nodes: &[N]) -> Result<(), String>;
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
    fn victim<N: Linked>(&self, nodes: &[N]) -> Option<u32> {
        either!(self, order => order.victim(nodes))
    }

    fn last<N: Linked>(&self, nodes: &[N]) -> Option<u32> {
        either!(self, order => order.last(nodes))
    }

    fn after<N: Linked>(&self, nodes: &[N], slot: u32) -> u32 {
        either!(self, order => order.after(nodes, slot))
    }

    fn before<N: Linked>(&self, nodes: &[N], slot: u32) -> u32 {
        either!(self, order => order.before(nodes, slot))
    }

    fn insert<N: Linked>(&mut self, nodes: &mut [N], slot: u32) {
        either!(self, order => order.insert(nodes, slot));
    }

    fn touch<N: Linked>(&mut self, nodes: &mut [N], slot: u32) {
        either!(self, order => order.touch(nodes, slot));
    }

    fn remove<N: Linked>(&mut self, nodes: &mut [N], slot: u32) {
        either!(self, order => order.remove(nodes, slot));
    }

    fn replace_victim<N: Linked>(&mut self, nodes: &mut [N], victim: u32) {
        either!(self, order => order.replace_victim(nodes, victim));
    }

    fn relocate<N: Linked>(&mut self, nodes: &mut [N], from: u32, to: u32) {
        either!(self, order => order.relocate(nodes, from, to));
    }

    fn clear(&mut self) {
        either!(self, order => order.clear());
    }

    #[cfg(any(test, feature = "__internals"))]
    fn layout<N: Linked>(&self, nodes: &[N]) -> Vec<u64> {
        either!(self, order => order.layout(nodes))
    }

    #[cfg(any(test, feature = "__internals"))]
    fn check<N: Linked>(&self, nodes: &[N]) -> Result<(), String> {
        either!(self, order => order.check(nodes))
    }
}
