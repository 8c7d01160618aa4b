//! L1: by last use, oldest first. One list of all places.

use super::Order;
use crate::map::list::List;
use crate::map::table::Moved;

#[derive(Clone, Debug)]
pub(in crate::map) struct Lru {
    uses: List<()>,
}

impl Lru {
    pub(super) const fn new() -> Self {
        Self { uses: List::new() }
    }
}

impl Order for Lru {
    #[inline]
    fn after(&self, place: u32) -> u32 {
        self.uses.newer(place)
    }

    fn before(&self, place: u32) -> u32 {
        self.uses.older(place)
    }

    #[inline]
    fn insert(&mut self, place: u32) {
        self.uses.push(place);
    }

    #[inline]
    fn touch(&mut self, place: u32) {
        self.uses.move_to_newest(place);
    }

    #[inline]
    fn remove(&mut self, place: u32) {
        self.uses.unlink(place);
    }

    #[inline]
    fn pop(&mut self) -> Option<u32> {
        self.uses.pop()
    }

    fn follow(&mut self, moved: &Moved) {
        self.uses.follow(moved);
    }

    fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new())
    }

    #[cfg(any(test, feature = "__internals"))]
    fn layout(&self) -> Vec<u64> {
        Vec::new()
    }

    #[cfg(any(test, feature = "__internals"))]
    fn check(&self, mut visit: impl FnMut(u32) -> Result<(), String>) -> Result<usize, String> {
        self.uses.check(|place, ()| visit(place))
    }
}
