//! Where the entries are: a hash table whose entries stay in their places.
//!
//! This is the only file that touches the table behind it. It never hashes: hashes come in from above, and where many
//! are needed (a rebuild) a function comes in. Two facts carry the design:
//!
//! * An entry is known by its place, the number of its bucket, so that the order can be kept beside the table, and evicting
//!   neither hashes nor probes, and calls none of the key's code.
//! * Places change only when the table is rebuilt; so it never rehashes by itself: whoever is about to insert asks
//!   [`Table::has_room`] first, and if it has none rebuilds it by hand, and tells the order where everything has gone.

use hashbrown::HashTable;
use hashbrown::hash_table::OccupiedEntry;

/// The most entries that a map holds, whatever its `max_size`: places are `u32`, and twice as many at the least.
pub(super) const MAX_ENTRIES: usize = 1 << 30;

/// Entries and their places. Place 0 is nobody's.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    entries: HashTable<(K, V)>,
    /// How many entries the table is to hold. It has more buckets than that, so that an entry that leaves seldom leaves a
    /// tombstone: where no sixteen buckets in a row are full, it leaves none.
    room: usize,
}

impl<K, V> Drop for Table<K, V> {
    /// Drops every entry, even if one panics while it is dropped, as a vector does: what iterates by value over the table
    /// behind this one drops the rest then, and that table itself does not.
    fn drop(&mut self) {
        if std::mem::needs_drop::<(K, V)>() {
            std::mem::take(&mut self.entries).into_iter().for_each(drop);
        }
    }
}

/// Where each place has gone when a table was rebuilt. What was no entry's goes to place 0.
pub(super) struct Moved {
    to: Vec<u32>,
    /// How many places there are now, place 0 included.
    pub(super) places: usize,
}

impl Moved {
    /// From nowhere to so many places.
    #[cfg(test)]
    pub(super) fn of_nothing(places: usize) -> Self {
        Self { to: vec![0], places }
    }

    pub(super) fn to(&self, place: u32) -> u32 {
        self.to[place as usize]
    }
}

impl<K, V> Table<K, V> {
    pub(super) const fn new() -> Self {
        Self { entries: HashTable::new(), room: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The place of the entry with this hash that `is_key` accepts.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_key: impl Fn(&K) -> bool) -> Option<u32> {
        self.entries.find_bucket_index(hash, |(key, _)| is_key(key)).map(place_of)
    }

    /// The same, with the entry's value.
    #[inline]
    pub(super) fn find_value(&mut self, hash: u64, is_key: impl Fn(&K) -> bool) -> Option<(u32, &mut V)> {
        let found = self.entries.find_entry(hash, |(key, _)| is_key(key)).ok()?;
        Some((place_of(found.bucket_index()), &mut found.into_mut().1))
    }

    /// The entry at a place that holds one.
    pub(super) fn get(&self, place: u32) -> &(K, V) {
        self.entries.get_bucket(bucket_of(place)).expect("the order knows full places only")
    }

    /// Whether an entry can be inserted without a rebuild; `limit` is how many there may be.
    #[inline]
    pub(super) fn has_room(&self, limit: usize) -> bool {
        let is_crowded = self.len() == self.room && self.len() < limit;
        !is_crowded && self.len() < self.entries.capacity()
    }

    /// Stores an entry, whose key must be absent, and returns its place. There must be room. No key's code runs here.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, key: K, value: V) -> (u32, &mut V) {
        let entry = self.entries.insert_unique(hash, (key, value), rehash);
        (place_of(entry.bucket_index()), &mut entry.into_mut().1)
    }

    /// Takes the entry out of its place.
    #[inline]
    pub(super) fn remove(&mut self, place: u32) -> (K, V) {
        self.entry(place).remove().0
    }

    #[inline]
    fn entry(&mut self, place: u32) -> OccupiedEntry<'_, (K, V)> {
        let Ok(entry) = self.entries.get_bucket_entry(bucket_of(place)) else {
            unreachable!("the order knows full places only")
        };
        entry
    }

    /// Empties the table and returns it as it was, so that the caller decides when it is dropped.
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new())
    }

    /// Makes room for one more entry: for twice as many, up to `limit`, or by getting rid of tombstones. `hash` may panic;
    /// nothing has changed then.
    pub(super) fn rebuild(&mut self, limit: usize, hash: impl Fn(&K) -> u64) -> Moved {
        let len = self.len();
        let wanted = if len == self.room { len.saturating_mul(2).max(8).min(limit) } else { len + 1 };
        let hashes: Vec<_> = self.hashes(hash).collect();
        // No key's code runs from here on.
        let mut rebuilt = Self::with_room(self.room.max(wanted).max(len));
        let mut to = vec![0; self.places()];
        for (place, hash) in hashes {
            let (key, value) = self.remove(place);
            to[place as usize] = rebuilt.insert(hash, key, value).0;
        }
        *self = rebuilt;
        Moved { to, places: self.places() }
    }

    /// A copy whose keys and values are made by `Clone`, with no more room than it needs.
    pub(super) fn copy(&self, hash: impl Fn(&K) -> u64) -> (Self, Moved)
    where
        K: Clone,
        V: Clone,
    {
        let mut copy = Self::with_room(self.len());
        let mut to = vec![0; self.places()];
        for (place, hash) in self.hashes(hash) {
            let (key, value) = self.get(place).clone();
            to[place as usize] = copy.insert(hash, key, value).0;
        }
        let places = copy.places();
        (copy, Moved { to, places })
    }

    fn with_room(room: usize) -> Self {
        Self { entries: HashTable::with_capacity(capacity(room)), room }
    }

    /// Place 0, and one for each bucket.
    fn places(&self) -> usize {
        self.entries.num_buckets() + 1
    }

    fn hashes(&self, hash: impl Fn(&K) -> u64) -> impl Iterator<Item = (u32, u64)> {
        self.entries.iter_buckets().map(place_of).map(move |place| (place, hash(&self.get(place).0)))
    }

    /// An exact copy, with every entry in its place; that they stay there is for `check` to see.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn fork(&self) -> Self
    where
        K: Clone,
        V: Clone,
    {
        Self { entries: self.entries.clone(), room: self.room }
    }

    /// Its room, in numbers.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn layout(&self) -> [u64; 3] {
        [self.room, self.entries.num_buckets(), self.entries.capacity()].map(|room| room as u64)
    }

    /// Verifies that every key is found in its place, and that there is room for all.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check(&self, hash: impl Fn(&K) -> u64) -> Result<(), String>
    where
        K: Eq,
    {
        if self.len() > self.room {
            return Err(format!("{} entries in a table for {}", self.len(), self.room));
        }
        for (place, hash) in self.hashes(hash) {
            let key = &self.get(place).0;
            if self.find(hash, |other| other == key) != Some(place) {
                return Err(format!("the key at place {place} is not found there"));
            }
        }
        Ok(())
    }

    /// Whether a place holds an entry.
    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn is_full(&self, place: u32) -> bool {
        place > 0 && self.entries.get_bucket(bucket_of(place)).is_some()
    }

    #[cfg(test)]
    pub(super) fn get_mut(&mut self, place: u32) -> &mut (K, V) {
        self.entry(place).into_mut()
    }
}

/// Up to so many entries, speed counts for more than memory.
const FEW: usize = 1 << 10;

/// What the table is asked for to hold so many entries. It then has a power of two of buckets, seven of eight of which may be
/// full: of few entries' two of five at the most are, and of many entries' five of eight, for in a table that is fuller an
/// entry that leaves often leaves a tombstone.
fn capacity(entries: usize) -> usize {
    let (times, of) = if entries <= FEW { (11, 5) } else { (7, 5) };
    // In this order, or it might overflow.
    (entries / of * times) + (entries % of * times).div_ceil(of)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "as many entries as there may be have 2^31 buckets at the most")]
fn place_of(bucket: usize) -> u32 {
    (bucket + 1) as u32
}

#[inline]
fn bucket_of(place: u32) -> usize {
    (place as usize).wrapping_sub(1)
}

/// What the table would call to rehash by itself.
fn rehash<E>(_: &E) -> u64 {
    unreachable!("room is made before an insertion")
}
