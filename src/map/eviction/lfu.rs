//! F1, least frequently used: the weight of an entry is its number of uses.

use super::Eviction;
use super::frequency_list::FrequencyList;
use crate::map::linked_list::END;

/// The weight of a newcomer: its insertion is the first use.
const FIRST_USE: u64 = 1;

#[derive(Clone, Debug)]
pub(in crate::map) struct Lfu {
    weights: FrequencyList,
}

impl Lfu {
    pub(super) fn new(max_uses: u64) -> Self {
        Self { weights: FrequencyList::new(max_uses) }
    }
}

impl Eviction for Lfu {
    #[inline]
    fn next(&self, slot: u32) -> u32 {
        self.weights.next(slot)
    }

    #[inline]
    fn prev(&self, slot: u32) -> u32 {
        self.weights.prev(slot)
    }

    fn insert(&mut self) {
        self.weights.insert(FIRST_USE);
    }

    #[inline]
    fn touch(&mut self, slot: u32) {
        self.weights.increment(slot);
    }

    fn refresh(&mut self, slot: u32) {
        self.weights.refresh(slot);
    }

    fn remove(&mut self, slot: u32) -> u32 {
        self.weights.remove(slot)
    }

    fn evict(&mut self, _slot: u32) {}

    #[inline]
    fn replace_victim(&mut self) -> u32 {
        let victim = self.weights.next(END);
        self.weights.reinsert(victim, FIRST_USE);
        victim
    }

    fn take(&mut self) -> Self {
        Self { weights: self.weights.take() }
    }

    fn set_room(&mut self, room: usize) {
        self.weights.set_room(room);
    }

    #[cfg(any(test, feature = "__internals"))]
    fn fingerprint(&self) -> Vec<u64> {
        self.weights.fingerprint()
    }

    #[cfg(any(test, feature = "__internals"))]
    fn check(&self, visit: impl FnMut(u32) -> Result<(), String>) -> Result<usize, String> {
        self.weights.check(FIRST_USE, visit)
    }
}
