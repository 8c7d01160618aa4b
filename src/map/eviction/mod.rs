//! Eviction order over slot numbers: one file for each policy.
//!
//! A new policy is a new file, and a line at the end of this one.

mod frequency_list;
mod lfu;
mod lfuda;
mod lru;

use super::policy::EvictionPolicy;
use lfu::Lfu;
use lfuda::Lfuda;
use lru::Lru;

/// A policy's order of all slots.
///
/// [`END`](super::linked_list::END) is before the first and after the last. No method runs code of a key or a value, so a
/// panic cannot leave an order half changed.
pub(super) trait Eviction: Sized {
    /// Returns the slot to evict after `slot`; after the end, the next victim.
    fn next(&self, slot: u32) -> u32;

    /// Returns the slot to evict before `slot`; before the end, the last one.
    fn prev(&self, slot: u32) -> u32;

    /// Adds the slot with the next number, as a newcomer.
    fn insert(&mut self);

    /// Counts a use of `slot`.
    fn touch(&mut self, slot: u32);

    /// Makes `slot` the most recently used, without counting a use.
    fn refresh(&mut self, slot: u32);

    /// Removes `slot`, and gives its number to the last slot, as the slab does.
    ///
    /// Returns the number that the last slot had.
    fn remove(&mut self, slot: u32) -> u32;

    /// Notes that `slot`, the next victim, is about to be evicted.
    fn evict(&mut self, slot: u32);

    /// Evicts the next victim, and adds its slot again as a newcomer. There must be a victim.
    fn replace_victim(&mut self) -> u32;

    /// Removes all slots, and returns the order as it was.
    fn take(&mut self) -> Self;

    /// Sizes the memory for `room` slots; there must be no more.
    fn set_room(&mut self, room: usize);

    /// Returns, as numbers, the state on which the order depends beyond the sequence of the slots.
    #[cfg(any(test, feature = "__internals"))]
    fn fingerprint(&self) -> Vec<u64>;

    /// Verifies every invariant, and passes each slot to `visit`, in order. Returns the number of slots.
    #[cfg(any(test, feature = "__internals"))]
    fn check(&self, visit: impl FnMut(u32) -> Result<(), String>) -> Result<usize, String>;
}

macro_rules! policies {
    ($($policy:ident => $new:expr),*) => {
        /// The order of the policy that a map was made with.
        ///
        /// It has a tag of its own: otherwise, the compiler would hide the tag in a vector's capacity, where it takes
        /// longer to read.
        #[derive(Clone, Debug)]
        #[repr(u8)]
        pub(super) enum AnyEviction {
            $($policy($policy)),*
        }

        impl AnyEviction {
            /// Returns an empty order whose use counts and weights saturate at `max_uses`.
            pub(super) fn new(policy: EvictionPolicy, max_uses: u64) -> Self {
                match policy {
                    $(EvictionPolicy::$policy => Self::$policy($new(max_uses))),*
                }
            }

            pub(super) fn policy(&self) -> EvictionPolicy {
                match self {
                    $(Self::$policy(_) => EvictionPolicy::$policy),*
                }
            }
        }

        impl Eviction for AnyEviction {
            fn take(&mut self) -> Self {
                match self {
                    $(Self::$policy(order) => Self::$policy(order.take())),*
                }
            }

            #[inline]
            fn next(&self, slot: u32) -> u32 {
                match self {
                    $(Self::$policy(order) => order.next(slot)),*
                }
            }

            #[inline]
            fn prev(&self, slot: u32) -> u32 {
                match self {
                    $(Self::$policy(order) => order.prev(slot)),*
                }
            }

            #[inline]
            fn insert(&mut self) {
                match self {
                    $(Self::$policy(order) => order.insert()),*
                }
            }

            // A call would cost a tenth of a hit.
            #[inline(always)]
            fn touch(&mut self, slot: u32) {
                match self {
                    $(Self::$policy(order) => order.touch(slot)),*
                }
            }

            fn refresh(&mut self, slot: u32) {
                match self {
                    $(Self::$policy(order) => order.refresh(slot)),*
                }
            }

            #[inline]
            fn remove(&mut self, slot: u32) -> u32 {
                match self {
                    $(Self::$policy(order) => order.remove(slot)),*
                }
            }

            fn evict(&mut self, slot: u32) {
                match self {
                    $(Self::$policy(order) => order.evict(slot)),*
                }
            }

            #[inline]
            fn replace_victim(&mut self) -> u32 {
                match self {
                    $(Self::$policy(order) => order.replace_victim()),*
                }
            }

            fn set_room(&mut self, room: usize) {
                match self {
                    $(Self::$policy(order) => order.set_room(room)),*
                }
            }

            #[cfg(any(test, feature = "__internals"))]
            fn fingerprint(&self) -> Vec<u64> {
                match self {
                    $(Self::$policy(order) => order.fingerprint()),*
                }
            }

            #[cfg(any(test, feature = "__internals"))]
            fn check(&self, visit: impl FnMut(u32) -> Result<(), String>) -> Result<usize, String> {
                match self {
                    $(Self::$policy(order) => order.check(visit)),*
                }
            }
        }
    };
}

policies! {
    Lru => |_| Lru::new(),
    Lfu => Lfu::new,
    Lfuda => Lfuda::new
}

#[cfg(test)]
mod tests {
    use std::iter::successors;

    use super::*;
    use crate::map::linked_list::END;

    // Proves L1, F1, F2.
    #[test]
    fn the_slots_are_in_the_same_order_from_both_ends() {
        for policy in EvictionPolicy::ALL {
            let mut order = AnyEviction::new(*policy, u64::MAX);
            for _ in 1..=4 {
                order.insert();
            }
            for slot in [1, 1, 2] {
                order.touch(slot);
            }
            let slots = |step: fn(&AnyEviction, u32) -> u32| {
                let slots = successors(Some(step(&order, END)), |slot| Some(step(&order, *slot)));
                slots.take_while(|slot| *slot != END).collect::<Vec<_>>()
            };
            let (forward, mut backward) = (slots(AnyEviction::next), slots(AnyEviction::prev));
            backward.reverse();
            let expected = if *policy == EvictionPolicy::Lru { [3, 4, 1, 2] } else { [3, 4, 2, 1] };
            assert_eq!((&forward[..], &backward[..]), (&expected[..], &expected[..]), "{policy}");
        }
    }
}
