//! The index: finds the slot of an entry by its hash. Only this file uses `hashbrown`.
//!
//! The index is a hash table of slot numbers. It knows neither keys nor a hasher: hashes and comparisons are passed in. It
//! never grows by itself, since that would call the hasher in the middle of an insertion; the map asks
//! [`has_room`](Index::has_room) first and otherwise builds a new index.

use hashbrown::HashTable;

/// The most entries that a map holds, whatever its `max_size`.
///
/// Bucket numbers are `u32`, and there are more buckets than entries.
pub(super) const MAX_ENTRIES: usize = 1 << 30;

/// The most entries for which the index is sparse.
///
/// A bucket takes five bytes, so that a few entries afford many. A lookup in a sparse index seldom compares a second key, and
/// seldom reads a group of buckets that was written just before.
pub(super) const MAX_SPARSE: usize = 1 << 10;

/// The largest room that is kept however few entries are left.
const MIN_SHRINK: usize = 64;

#[derive(Clone, Debug)]
pub(super) struct Index {
    slots: HashTable<u32>,
    /// The number of entries that the index, the slab and the list are sized for.
    room: usize,
}

impl Index {
    pub(super) const fn new() -> Self {
        Self { slots: HashTable::new(), room: 0 }
    }

    pub(super) fn with_room(room: usize) -> Self {
        Self { slots: HashTable::with_capacity(capacity(room)), room }
    }

    /// Returns the slot with this hash that `is_match` accepts.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_match: impl Fn(u32) -> bool) -> Option<u32> {
        self.slots.find(hash, |slot| is_match(*slot)).copied()
    }

    /// Returns `true` if one more slot can be inserted; `limit` is the most entries that the map may hold.
    #[inline]
    pub(super) fn has_room(&self, limit: usize) -> bool {
        let len = self.slots.len();
        let is_crowded = len == self.room && len < limit;
        // Removals may leave tombstones, which take up capacity.
        !is_crowded && len < self.slots.capacity()
    }

    /// Returns the room to build an index for if this one [has none](Self::has_room).
    pub(super) fn grown_room(&self, limit: usize) -> usize {
        let len = self.slots.len();
        if len == self.room { len.saturating_mul(2).max(8).min(limit).max(len) } else { self.room }
    }

    /// Returns the room to build an index for if this one is far too large for `len` entries.
    #[inline]
    pub(super) fn shrunk_room(&self, len: usize) -> Option<usize> {
        (len < self.room / 8 && self.room > MIN_SHRINK).then_some(2 * len)
    }

    /// Inserts a slot, and returns its bucket. There must be room.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "2^30 entries have fewer than 2^32 buckets")]
    pub(super) fn insert(&mut self, hash: u64, slot: u32) -> u32 {
        let rehash = |_: &u32| unreachable!("room is made before an insertion");
        self.slots.insert_unique(hash, slot, rehash).bucket_index() as u32
    }

    /// Removes the slot in `bucket`.
    #[inline]
    pub(super) fn remove(&mut self, bucket: u32) {
        let Ok(entry) = self.slots.get_bucket_entry(bucket as usize) else { unreachable!("each slot is indexed") };
        entry.remove();
    }

    /// Gives the entry in `bucket` another slot.
    #[inline]
    pub(super) fn renumber(&mut self, bucket: u32, slot: u32) {
        let number = self.slots.get_bucket_mut(bucket as usize).expect("each slot is indexed");
        *number = slot;
    }

    /// Returns the room, the number of buckets and the capacity.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn room(&self) -> [usize; 3] {
        [self.room, self.slots.num_buckets(), self.slots.capacity()]
    }

    /// Verifies that there are `len` slots, for all of which there is room.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check_len(&self, len: usize) -> Result<(), String> {
        let indexed = self.slots.len();
        if indexed != len {
            return Err(format!("{indexed} of {len} slots are indexed"));
        }
        if len > self.room { Err(format!("{len} entries, but room for {}", self.room)) } else { Ok(()) }
    }

    /// Verifies that `bucket` holds `slot`, and that nothing before it matches.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check_slot(
        &self,
        slot: u32,
        bucket: u32,
        hash: u64,
        is_match: impl Fn(u32) -> bool,
    ) -> Result<(), String> {
        if self.slots.get_bucket(bucket as usize) != Some(&slot) {
            return Err(format!("bucket {bucket} does not hold slot {slot}"));
        }
        let found = self.find(hash, is_match);
        if found == Some(slot) { Ok(()) } else { Err(format!("the key of slot {slot} is found in {found:?}")) }
    }
}

/// Returns the capacity to ask the table for.
///
/// The table then has a power of two of buckets. With few entries, at most an eighth of them is full; with many, at most
/// five of nine.
fn capacity(entries: usize) -> usize {
    let (times, of) = if entries <= MAX_SPARSE { (7, 1) } else { (8, 5) };
    // In this order, since the product might overflow.
    (entries / of * times) + (entries % of * times).div_ceil(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves P1: the table never grows by itself, since it would call the hasher then.
    #[test]
    #[should_panic(expected = "room is made before an insertion")]
    fn an_insertion_without_room_rehashes_nothing() {
        let mut index = Index::with_room(1);
        for slot in 1..=100 {
            index.insert(u64::from(slot), slot);
        }
    }

    #[test]
    fn more_slots_than_there_is_room_for_are_refused() {
        let mut index = Index::with_room(1);
        index.insert(0, 1);
        assert_eq!(index.check_len(1), Ok(()));
        assert!(index.check_len(2).is_err(), "a slot is not indexed");
        index.insert(1, 2);
        assert!(index.check_len(2).is_err(), "there is room for one slot");
    }

    #[test]
    fn an_index_shrinks_if_less_than_an_eighth_of_a_large_room_is_used() {
        let shrunk = |room: usize, len| Index::with_room(room).shrunk_room(len);
        assert_eq!((shrunk(MIN_SHRINK, 0), shrunk(MIN_SHRINK + 1, 0)), (None, Some(0)));
        assert_eq!((shrunk(800, 100), shrunk(800, 99)), (None, Some(198)));
    }

    #[test]
    fn few_entries_fill_an_eighth_of_the_buckets_and_many_five_of_nine() {
        for entries in 1..=4 * MAX_SPARSE {
            let [_, buckets, _] = Index::with_room(entries).room();
            let range = if entries <= MAX_SPARSE { 8 * entries..16 * entries } else { 9 * entries / 5..4 * entries };
            assert!(range.contains(&buckets), "{buckets} buckets for {entries} entries");
        }
        assert_eq!([1, 1_024, 1_025, 1_027].map(capacity), [7, 7_168, 1_640, 1_644]);
    }
}
