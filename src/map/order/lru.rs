//! L1: by last use, oldest first. One ring of all nodes.

use super::Order;
use crate::map::ring::{self, Linked, Ring};

#[derive(Clone, Debug)]
pub(in crate::map) struct Lru {
    uses: Ring,
}

impl Lru {
    pub(super) fn new() -> Self {
        Self { uses: Ring::EMPTY }
    }
}

impl Order for Lru {
    fn victim<N: Linked>(&self, nodes: &[N]) -> Option<u32> {
        self.uses.oldest(nodes)
    }

    fn last<N: Linked>(&self, _: &[N]) -> Option<u32> {
        self.uses.newest()
    }

    fn after<N: Linked>(&self, nodes: &[N], slot: u32) -> u32 {
        ring::newer(nodes, slot)
    }

    fn before<N: Linked>(&self, nodes: &[N], slot: u32) -> u32 {
        ring::older(nodes, slot)
    }

    fn insert<N: Linked>(&mut self, nodes: &mut [N], slot: u32) {
        self.uses.push(nodes, slot);
    }

    fn touch<N: Linked>(&mut self, nodes: &mut [N], slot: u32) {
        self.uses.touch(nodes, slot);
    }

    fn remove<N: Linked>(&mut self, nodes: &mut [N], slot: u32) {
        self.uses.unlink(nodes, slot);
    }

    fn replace_victim<N: Linked>(&mut self, nodes: &mut [N], _victim: u32) {
        // The victim is the oldest and the newcomer in its slot the newest: turning the ring is all it takes.
        self.uses.rotate(nodes);
    }

    fn relocate<N: Linked>(&mut self, nodes: &mut [N], from: u32, to: u32) {
        self.uses.relocate(nodes, from, to);
    }

    fn clear(&mut self) {
        *self = Self::new();
    }

    #[cfg(any(test, feature = "__internals"))]
    fn layout<N: Linked>(&self, _: &[N]) -> Vec<u64> {
        Vec::new()
    }

    #[cfg(any(test, feature = "__internals"))]
    fn check<N: Linked>(&self, nodes: &[N]) -> Result<(), String> {
        let mut count = 0;
        self.uses.check(nodes, |_, _| {
            count += 1;
            Ok(())
        })?;
        if count == nodes.len() { Ok(()) } else { Err(format!("{count} of {} nodes are in the ring", nodes.len())) }
    }
}
