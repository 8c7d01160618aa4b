//! F2, LFU with dynamic aging: a newcomer starts above the weight of the last victim.
//!
//! Old counts lose their lead in this way.

use super::Eviction;
use super::frequency_list::FrequencyList;
use crate::map::linked_list::END;

#[derive(Clone, Debug)]
pub(in crate::map) struct Lfuda {
    weights: FrequencyList,
    /// The weight of the last entry that was evicted for capacity or by shrinking; no weight is below it.
    floor: u64,
}

impl Lfuda {
    pub(super) fn new(max_weight: u64) -> Self {
        Self { weights: FrequencyList::new(max_weight), floor: 0 }
    }
}

impl Eviction for Lfuda {
    #[inline]
    fn next(&self, slot: u32) -> u32 {
        self.weights.next(slot)
    }

    #[inline]
    fn prev(&self, slot: u32) -> u32 {
        self.weights.prev(slot)
    }

    fn insert(&mut self) {
        self.weights.insert(self.floor.saturating_add(1));
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

    #[inline]
    fn evict(&mut self, slot: u32) {
        self.floor = self.weights.weight(slot);
    }

    #[inline]
    fn replace_victim(&mut self) -> u32 {
        let victim = self.weights.next(END);
        self.evict(victim);
        // The weight of a newcomer, since the victim's is the floor.
        self.weights.increment(victim);
        victim
    }

    fn take(&mut self) -> Self {
        Self { weights: self.weights.take(), floor: std::mem::take(&mut self.floor) }
    }

    fn set_room(&mut self, room: usize) {
        self.weights.set_room(room);
    }

    #[cfg(any(test, feature = "__internals"))]
    fn fingerprint(&self) -> Vec<u64> {
        let mut fingerprint = self.weights.fingerprint();
        fingerprint.push(self.floor);
        fingerprint
    }

    #[cfg(any(test, feature = "__internals"))]
    fn check(&self, visit: impl FnMut(u32) -> Result<(), String>) -> Result<usize, String> {
        self.weights.check(self.floor.max(1), visit)
    }
}
