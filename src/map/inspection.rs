//! Access to the internal state of the map, for tests.

use std::hash::{BuildHasher, Hash};

use super::eviction::{AnyEviction, Eviction};
use super::linked_list::END;
use super::{EvictingMap, EvictionPolicy};

impl<K, V, S> EvictingMap<K, V, S> {
    /// Creates an empty map whose use counts and weights saturate at `max_uses`, for tests.
    ///
    /// A `max_uses` of 0 counts as 1.
    #[doc(hidden)]
    pub fn with_max_uses(policy: EvictionPolicy, max_size: usize, hash_builder: S, max_uses: u64) -> Self {
        Self::with_eviction(AnyEviction::new(policy, max_uses.max(1)), max_size, hash_builder)
    }

    /// Returns, as numbers, everything on which later behavior depends.
    ///
    /// Each key is shown as `name` names it. With `index`, slots, buckets and room are included, which depend on hashes.
    #[doc(hidden)]
    pub fn fingerprint(&self, name: impl Fn(&K) -> u64, index: bool) -> Vec<u64> {
        let mut fingerprint = vec![self.max_size as u64, self.len() as u64];
        let slots = || {
            std::iter::successors(Some(self.eviction.next(END)), |slot| Some(self.eviction.next(*slot)))
                .take(self.len())
        };
        fingerprint.extend(slots().map(|slot| name(self.slab.key(slot))));
        fingerprint.extend(self.eviction.fingerprint());
        if index {
            fingerprint.push(u64::MAX);
            fingerprint.extend(slots().flat_map(|slot| [slot, self.slab.bucket(slot)].map(u64::from)));
            fingerprint.extend(self.room().map(|count| count as u64));
        }
        fingerprint
    }

    /// Returns the room for entries, the number of buckets and the capacity of the index.
    #[doc(hidden)]
    pub fn room(&self) -> [usize; 3] {
        self.index.room()
    }
}

impl<K: Hash + Eq, V, S: BuildHasher> EvictingMap<K, V, S> {
    /// Verifies every invariant of the structure, and names one that is broken.
    #[doc(hidden)]
    pub fn check(&self) -> Result<(), String> {
        if self.len() > self.limit() {
            return Err(format!("{} entries, but max_size is {}", self.len(), self.max_size));
        }
        self.index.check_len(self.len())?;
        let check_slot = |slot| {
            self.slab.check_slot(slot)?;
            let key = self.slab.key(slot);
            let is_match = |other| self.slab.key(other) == key;
            self.index.check_slot(slot, self.slab.bucket(slot), self.hash_builder.hash_one(key), is_match)
        };
        let count = self.eviction.check(check_slot)?;
        if count == self.len() { Ok(()) } else { Err(format!("{count} of {} entries are in the order", self.len())) }
    }
}
