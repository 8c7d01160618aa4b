//! The slab: a vector of slots without gaps, each with a key, a value and the bucket that indexes it.
//!
//! Slots are numbered from 1; number 0 is the sentinel of the linked list. Removing a slot moves the last slot into its
//! place, so that the numbers stay without gaps. The slab runs no code of a key or a value, except to clone or to drop it.

/// The entry with one number.
#[derive(Clone, Debug)]
struct Slot<K, V> {
    key: K,
    value: V,
    /// The bucket of the index that holds this slot's number, so that a removal neither hashes nor probes.
    bucket: u32,
}

#[derive(Debug)]
pub(super) struct Slab<K, V> {
    slots: Vec<Slot<K, V>>,
}

impl<K, V> Slab<K, V> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new() }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns the number that the next [`push`](Self::push) gives.
    #[inline]
    pub(super) fn next_slot(&self) -> u32 {
        number_of(self.slots.len())
    }

    /// Returns the highest number; 0 if the slab is empty.
    #[inline]
    pub(super) fn last_slot(&self) -> u32 {
        self.next_slot() - 1
    }

    #[inline]
    pub(super) fn key(&self, slot: u32) -> &K {
        &self.slots[position_of(slot)].key
    }

    #[inline]
    pub(super) fn entry(&self, slot: u32) -> (&K, &V) {
        let Slot { key, value, .. } = &self.slots[position_of(slot)];
        (key, value)
    }

    #[inline]
    pub(super) fn entry_mut(&mut self, slot: u32) -> (&K, &mut V) {
        let Slot { key, value, .. } = &mut self.slots[position_of(slot)];
        (key, value)
    }

    #[inline]
    pub(super) fn bucket(&self, slot: u32) -> u32 {
        self.slots[position_of(slot)].bucket
    }

    #[inline]
    pub(super) fn set_bucket(&mut self, slot: u32, bucket: u32) {
        self.slots[position_of(slot)].bucket = bucket;
    }

    /// Adds an entry as [`next_slot`](Self::next_slot), and returns its value.
    #[inline]
    pub(super) fn push(&mut self, key: K, value: V, bucket: u32) -> &mut V {
        self.slots.push(Slot { key, value, bucket });
        &mut self.slots.last_mut().expect("one was pushed").value
    }

    /// Puts a new entry into `slot`, and returns the old one with the new value.
    #[inline]
    pub(super) fn replace(&mut self, slot: u32, key: K, value: V, bucket: u32) -> ((K, V), &mut V) {
        let slot = &mut self.slots[position_of(slot)];
        let old = std::mem::replace(slot, Slot { key, value, bucket });
        ((old.key, old.value), &mut slot.value)
    }

    /// Removes the entry of `slot`, which becomes the number of the last entry.
    #[inline]
    pub(super) fn swap_remove(&mut self, slot: u32) -> (K, V) {
        let Slot { key, value, .. } = self.slots.swap_remove(position_of(slot));
        (key, value)
    }

    /// Returns all entries by ascending number, from 1 on.
    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.slots.iter_mut().map(|Slot { key, value, .. }| (&*key, value))
    }

    /// Sizes the memory for `room` entries; there must be no more.
    pub(super) fn set_room(&mut self, room: usize) {
        self.slots.shrink_to(room);
        self.slots.reserve_exact(room - self.slots.len());
    }

    /// Verifies that `slot` holds an entry.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check_slot(&self, slot: u32) -> Result<(), String> {
        if position_of(slot) < self.slots.len() { Ok(()) } else { Err(format!("slot {slot} holds no entry")) }
    }

    #[cfg(test)]
    pub(super) fn key_mut(&mut self, slot: u32) -> &mut K {
        &mut self.slots[position_of(slot)].key
    }
}

/// The copy has the same room, so that it behaves like the original down to the last allocation.
impl<K: Clone, V: Clone> Clone for Slab<K, V> {
    fn clone(&self) -> Self {
        let mut slots = Vec::with_capacity(self.slots.capacity());
        slots.extend_from_slice(&self.slots);
        Self { slots }
    }
}

#[inline]
fn position_of(slot: u32) -> usize {
    (slot as usize).wrapping_sub(1)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the index holds at most 2^30 entries")]
fn number_of(position: usize) -> u32 {
    (position + 1) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two entries.
    fn slab() -> Slab<u32, ()> {
        let mut slab = Slab::new();
        for key in 1..=2 {
            slab.push(key, (), 0);
        }
        slab
    }

    // Proves D1.
    #[test]
    fn the_memory_is_that_of_the_room() {
        let mut slab = slab();
        for room in [100, 10, 2] {
            slab.set_room(room);
            assert_eq!(slab.slots.capacity(), room);
        }
    }

    #[test]
    fn slots_are_numbered_from_one() {
        let slab = slab();
        assert_eq!([0, 1, 2, 3].map(|slot| slab.check_slot(slot).is_ok()), [false, true, true, false]);
    }
}
