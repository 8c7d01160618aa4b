//! The aging of a cache with a fault.

use std::fmt::Debug;
use std::hash::Hash;

use super::Faulty;
use crate::faulty::Fault;
use crate::model::Policy;

impl<K: Clone + Eq + Hash + Debug, V: Clone + Eq + Hash> Faulty<K, V> {
    /// Sets the floor to a weight, if there is one and the cache ages.
    pub(super) fn age(&mut self, weight: impl Into<Option<u64>>) {
        let ages = self.model().policy == Policy::Lfuda && !self.is(Fault::FloorStays);
        if let Some(weight) = weight.into().filter(|_| ages) {
            self.model().floor = weight;
        }
    }

    /// Sets the floor to the weight of a key's entry, if there is one.
    pub(super) fn age_to(&mut self, key: &K) {
        let weight = self.model().entries.iter().find_map(|entry| (entry.key == *key).then_some(entry.uses));
        self.age(weight);
    }

    /// Sets the floor to the weight of the next victim, if there is one.
    pub(super) fn age_to_next(&mut self) {
        self.age(self.next_weight());
    }

    /// Returns the weight of the next victim.
    pub(super) fn next_weight(&self) -> Option<u64> {
        self.model.borrow().inner.entries.iter().map(|entry| entry.uses).min()
    }

    /// Returns the weight of a new entry, where the floor was `before` its victim.
    pub(super) fn start(&self, before: u64) -> u64 {
        let model = &self.model.borrow().inner;
        match self.fault {
            Some(Fault::NewcomerStartsAtTheFloor) => model.floor.max(1),
            Some(Fault::NewcomerStartsAboveTheOldFloor) => model.max_uses.min(before + 1),
            Some(Fault::StartDoesNotSaturate) => model.floor + 1,
            _ => model.max_uses.min(model.floor + 1),
        }
    }

    /// Returns the weight of a new entry with room to spare.
    pub(super) fn start_with_room(&self) -> u64 {
        if self.is(Fault::NewcomerStartsAtOne) { 1 } else { self.start(self.model.borrow().inner.floor) }
    }
}
