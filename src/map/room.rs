//! Room for entries: growth before an insertion, and memory given back after removals.
//!
//! Only here are present keys hashed again. All hashes are computed before the first change, since `Hash` may panic.

use std::hash::{BuildHasher, Hash};

use super::EvictingMap;
use super::eviction::Eviction;
use super::index::Index;
use super::linked_list::END;

/// A room to rebuild an index for, and the hashes of the entries that will be in it, in eviction order.
pub(super) struct Rebuild {
    room: usize,
    hashes: Vec<u64>,
}

impl<K: Hash, V, S: BuildHasher> EvictingMap<K, V, S> {
    /// Makes room for one more entry, where the index has none.
    #[cold]
    pub(super) fn grow(&mut self, limit: usize) {
        let rebuild = Rebuild { room: self.index.grown_room(limit), hashes: self.hashes(self.keys()) };
        self.rebuild(rebuild);
    }

    /// Gives memory back if far more is held than the entries need.
    #[inline]
    pub(super) fn shrink(&mut self) {
        if let Some(rebuild) = self.plan_shrink(self.len(), self.keys()) {
            self.rebuild(rebuild);
        }
    }

    /// Returns a plan to rebuild the index if it is far too large for the `len` entries with `keys`.
    #[inline]
    pub(super) fn plan_shrink<'a>(&self, len: usize, keys: impl Iterator<Item = &'a K>) -> Option<Rebuild>
    where
        K: 'a,
    {
        let room = self.index.shrunk_room(len)?;
        Some(Rebuild { room, hashes: self.hashes(keys) })
    }

    /// Replaces the index by one of another room, and sizes slab and list for it. Slots keep their numbers.
    pub(super) fn rebuild(&mut self, Rebuild { room, hashes }: Rebuild) {
        debug_assert_eq!(hashes.len(), self.len(), "each entry has a hash");
        let mut index = Index::with_room(room);
        let mut slot = END;
        for hash in hashes {
            slot = self.eviction.next(slot);
            self.slab.set_bucket(slot, index.insert(hash, slot));
        }
        self.index = index;
        self.slab.set_room(room);
        self.eviction.set_room(room);
    }

    fn hashes<'a>(&self, keys: impl Iterator<Item = &'a K>) -> Vec<u64>
    where
        K: 'a,
    {
        keys.map(|key| self.hash_builder.hash_one(key)).collect()
    }
}
