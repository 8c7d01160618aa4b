//! L1, least recently used: one list of all slots, by last use, oldest first.

use super::Eviction;
use crate::map::linked_list::{END, LinkedList};

#[derive(Clone, Debug)]
pub(in crate::map) struct Lru {
    uses: LinkedList<()>,
}

impl Lru {
    pub(super) const fn new() -> Self {
        Self { uses: LinkedList::new() }
    }
}

impl Eviction for Lru {
    #[inline]
    fn next(&self, slot: u32) -> u32 {
        self.uses.next(slot)
    }

    #[inline]
    fn prev(&self, slot: u32) -> u32 {
        self.uses.prev(slot)
    }

    #[inline]
    fn insert(&mut self) {
        let slot = self.uses.add_slot();
        self.uses.insert_after(self.uses.prev(END), slot);
    }

    #[inline]
    fn touch(&mut self, slot: u32) {
        self.uses.move_to_back(slot);
    }

    fn refresh(&mut self, slot: u32) {
        self.touch(slot);
    }

    #[inline]
    fn remove(&mut self, slot: u32) -> u32 {
        self.uses.unlink(slot);
        self.uses.remove_slot(slot)
    }

    fn evict(&mut self, _slot: u32) {}

    #[inline]
    fn replace_victim(&mut self) -> u32 {
        self.uses.move_front_to_back()
    }

    fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new())
    }

    fn set_room(&mut self, room: usize) {
        self.uses.set_room(room);
    }

    #[cfg(any(test, feature = "__internals"))]
    fn fingerprint(&self) -> Vec<u64> {
        Vec::new()
    }

    #[cfg(any(test, feature = "__internals"))]
    fn check(&self, mut visit: impl FnMut(u32) -> Result<(), String>) -> Result<usize, String> {
        self.uses.check(|slot, ()| visit(slot))
    }
}
