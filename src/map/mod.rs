//! The engine: a bounded map with strict LRU or LFU eviction, single-threaded and safe.
//!
//! [`ClientCache`](crate::ClientCache) is this map behind a lock, with keys that identify clients. Use it by itself for any
//! other keys and values:
//!
//! ```
//! use aws_client_cache::EvictionPolicy;
//! use aws_client_cache::map::EvictingMap;
//!
//! let mut map = EvictingMap::new(EvictionPolicy::Lru, 2);
//! map.insert("a", 1)?;
//! map.insert("b", 2)?;
//! assert_eq!(map.get("a"), Some(&1)); // a use: now "b" is the next victim
//! assert_eq!(map.insert("c", 3)?, Some(("b", 2)));
//! assert!(map.keys().eq(&["a", "c"]));
//! # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
//! ```
//!
//! # How it works
//!
//! Entries are in a hash table, in places that they keep until it is rebuilt, and in a list of places, which stands beside
//! it. A hit is one look-up and, under either policy, a constant number of writes to links; an eviction knows the victim's
//! place, and neither hashes nor probes for it. Nothing is allocated for `max_size` up front: the table doubles as it fills.
//! For each entry that it is to hold it has 2.5 to 5 places, or 1.6 to 3.2 if it is to hold more than 1,024: each of the size
//! of a key, a value, and 9 bytes under LRU or 13 under LFU.
//!
//! | file | what it knows |
//! |---|---|
//! | `table` | the entries and their places, and no hasher |
//! | `list` | a linked list of places |
//! | `order` | a policy over the list: LRU is its sequence, LFU knows where in it each use count ends |
//! | this | hashing, and in which order those are called |
//! | `found`, `iter`, `leaving` | looking up and inserting in one; views; what goes many at a time |
//!
//! A panic in a key's or value's code (`Hash`, `Eq`, `Clone`, `Drop`) leaves the map as it was before the call or
//! as it would be after it (rule P1): keys are hashed and compared before the first change, and what goes is
//! dropped after the last.

mod found;
mod hasher;
mod iter;
mod leaving;
mod list;
mod order;
mod policy;
mod table;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};

pub use found::{GetOrInsert, KeyExists};
pub use hasher::{DefaultHashBuilder, DefaultHasher};
pub use iter::{Iter, Keys, Values};
pub use leaving::IntoIter;
#[cfg(feature = "__internals")]
use list::END;
use order::{AnyOrder, Order};
pub use policy::{EvictionPolicy, UnknownEvictionPolicy};
use table::{MAX_ENTRIES, Table};

/// A bounded map that evicts in strict LRU or LFU order.
///
/// Every operation on one entry takes constant time, as hash maps do: amortised over growth, and on average
/// over hashes. The rules in parentheses are those of the specification.
///
/// It holds at most 2³⁰ entries; a larger `max_size` bounds nothing else.
///
/// [The module](self) shows an example.
pub struct EvictingMap<K, V, S = DefaultHashBuilder> {
    table: Table<K, V>,
    order: AnyOrder,
    max_size: usize,
    hash_builder: S,
}

impl<K, V> EvictingMap<K, V> {
    /// Makes an empty map that holds at most `max_size` entries (D1) and evicts by `policy`.
    ///
    /// It allocates no memory for entries until they come. A `max_size` of 0 holds nothing.
    ///
    /// ```
    /// use aws_client_cache::EvictionPolicy;
    /// use aws_client_cache::map::EvictingMap;
    ///
    /// let map: EvictingMap<String, u64> = EvictingMap::new(EvictionPolicy::Lfu, usize::MAX);
    /// assert_eq!(map.max_size(), usize::MAX);
    /// assert_eq!(map.len(), 0);
    /// ```
    pub fn new(policy: EvictionPolicy, max_size: usize) -> Self {
        Self::with_hasher(policy, max_size, DefaultHashBuilder::default())
    }
}

impl<K, V, S> EvictingMap<K, V, S> {
    /// Makes an empty map whose keys are hashed by `hash_builder`.
    ///
    /// ```
    /// use std::hash::RandomState;
    /// use aws_client_cache::EvictionPolicy;
    /// use aws_client_cache::map::EvictingMap;
    ///
    /// let mut map = EvictingMap::with_hasher(EvictionPolicy::Lru, 10, RandomState::new());
    /// map.insert("tenant", 1)?;
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn with_hasher(policy: EvictionPolicy, max_size: usize, hash_builder: S) -> Self {
        Self::with_order(AnyOrder::new(policy, u64::MAX), max_size, hash_builder)
    }

    /// A map whose use counts stop at `max_uses`, which is at least 1, so that saturation can be reached.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    pub fn with_max_uses(policy: EvictionPolicy, max_size: usize, hash_builder: S, max_uses: u64) -> Self {
        Self::with_order(AnyOrder::new(policy, max_uses.max(1)), max_size, hash_builder)
    }

    fn with_order(order: AnyOrder, max_size: usize, hash_builder: S) -> Self {
        Self { table: Table::new(), order, max_size, hash_builder }
    }

    /// The number of entries (D5).
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// assert_eq!(map.len(), 1);
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no entry (D5).
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let map: EvictingMap<u64, u64> = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// assert!(map.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The most entries it holds (D1).
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let map: EvictingMap<u64, u64> = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// assert_eq!(map.max_size(), 10);
    /// ```
    pub fn max_size(&self) -> usize {
        self.max_size
    }

    /// The policy it evicts by.
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let map: EvictingMap<u64, u64> = EvictingMap::new(EvictionPolicy::Lfu, 10);
    /// assert_eq!(map.policy(), EvictionPolicy::Lfu);
    /// ```
    pub fn policy(&self) -> EvictionPolicy {
        self.order.policy()
    }

    /// What hashes its keys.
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::{DefaultHashBuilder, EvictingMap}};
    /// let map: EvictingMap<u64, u64> = EvictingMap::new(EvictionPolicy::Lfu, 10);
    /// let _: &DefaultHashBuilder = map.hasher();
    /// ```
    pub fn hasher(&self) -> &S {
        &self.hash_builder
    }

    /// Removes the next victim and returns it (D6), or `None` from an empty map.
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// assert_eq!(map.pop(), Some(("a", 1)));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    #[inline]
    pub fn pop(&mut self) -> Option<(K, V)> {
        let victim = self.order.pop()?;
        Some(self.table.remove(victim))
    }

    /// Changes `max_size`. If more entries are there, evicts in order until the rest fits, and returns them in
    /// that order (D9).
    ///
    /// Linear in what goes. Memory is kept for entries to come.
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// for key in 0..4 {
    ///     map.insert(key, key)?;
    /// }
    /// assert_eq!(map.set_max_size(2), [(0, 0), (1, 1)]);
    /// # Ok::<(), aws_client_cache::map::KeyExists<i32, i32>>(())
    /// ```
    pub fn set_max_size(&mut self, max_size: usize) -> Vec<(K, V)> {
        self.max_size = max_size;
        let excess = self.len().saturating_sub(max_size);
        (0..excess).map_while(|_| self.pop()).collect()
    }

    /// Removes every entry. `max_size` and policy stay.
    ///
    /// Linear, for dropping them, and gives their memory back. If a key or value panics when it is dropped, the map is
    /// empty all the same.
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.clear();
    /// assert!(map.is_empty());
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn clear(&mut self) {
        drop(self.drain());
    }

    /// An exact copy, down to the layout, for the search through all states.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    #[must_use]
    pub fn fork(&self) -> Self
    where
        K: Clone,
        V: Clone,
        S: Clone,
    {
        Self {
            table: self.table.fork(),
            order: self.order.clone(),
            max_size: self.max_size,
            hash_builder: self.hash_builder.clone(),
        }
    }

    /// The layout in numbers, with each key as `name` names it: in eviction order, and what the order keeps. With
    /// `index`, the places and the room too, which depend on hashes.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    pub fn layout(&self, name: impl Fn(&K) -> u64, index: bool) -> Vec<u64> {
        let mut layout = vec![self.max_size as u64, self.table.len() as u64];
        let places = || {
            std::iter::successors(Some(self.order.after(END)), |place| Some(self.order.after(*place))).take(self.len())
        };
        layout.extend(places().map(|place| name(&self.table.get(place).0)));
        layout.extend(self.order.layout());
        if index {
            layout.push(u64::MAX);
            layout.extend(places().map(u64::from));
            layout.extend(self.table.layout());
        }
        layout
    }

    #[inline]
    fn limit(&self) -> usize {
        self.max_size.min(MAX_ENTRIES)
    }

    #[inline]
    fn remove_place(&mut self, place: u32) -> (K, V) {
        self.order.remove(place);
        self.table.remove(place)
    }
}

impl<K: Hash + Eq, V, S: BuildHasher> EvictingMap<K, V, S> {
    /// Inserts an entry under an absent key (D2), as its first use. A full map evicts one victim to make room and
    /// returns it; the victim is chosen before the newcomer is placed, so it is never the newcomer, except that
    /// at `max_size` 0 the newcomer itself comes back.
    ///
    /// # Errors
    ///
    /// [`KeyExists`] if the key is present, with the key and value that were refused; nothing has changed and no
    /// use was counted (D3).
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 1);
    /// assert_eq!(map.insert("a", 1)?, None);
    /// assert_eq!(map.insert("b", 2)?, Some(("a", 1)));
    /// assert_eq!(map.insert("b", 3).unwrap_err().value, 3);
    /// assert_eq!(map.peek("b"), Some(&2));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, KeyExists<K, V>> {
        let hash = self.hash_builder.hash_one(&key);
        if self.table.find(hash, |present| *present == key).is_some() {
            return Err(KeyExists { key, value });
        }
        Ok(match self.insert_absent(hash, key, value) {
            GetOrInsert::Present(_) => None,
            GetOrInsert::Inserted { evicted, .. } => evicted,
            GetOrInsert::NotStored { key, value } => Some((key, value)),
        })
    }

    /// The value under a key, which counts as one use of it (D4). A miss changes nothing.
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a".to_owned(), 1)?;
    /// map.insert("b".to_owned(), 2)?;
    /// assert_eq!(map.get("a"), Some(&1)); // borrowed, as in std's maps
    /// assert!(map.keys().eq(["b", "a"]));
    /// # Ok::<(), aws_client_cache::map::KeyExists<String, i32>>(())
    /// ```
    #[inline]
    pub fn get<Q>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if self.is_empty() {
            return None;
        }
        let hash = self.hash_builder.hash_one(key);
        let (place, value) = self.table.find_value(hash, |present| present.borrow() == key)?;
        self.order.touch(place);
        Some(value)
    }

    /// The value under a key, without counting a use (D5).
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// assert_eq!(map.peek("a"), Some(&1));
    /// assert_eq!(map.pop(), Some(("a", 1)));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn peek<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let place = self.find(key)?;
        Some(&self.table.get(place).1)
    }

    /// Whether a key is present, without counting a use (D5).
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// assert!(map.contains_key("a"));
    /// assert!(!map.contains_key("b"));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.find(key).is_some()
    }

    /// Removes an entry and returns its value (D6). If the key comes back it starts anew (D10).
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// assert_eq!(map.remove("a"), Some(1));
    /// assert_eq!(map.remove("a"), None);
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (key, value) = self.remove_entry(key)?;
        // Here, and not on return: the value would leak if the key's `Drop` panicked then.
        drop(key);
        Some(value)
    }

    /// Removes an entry and returns the key that was stored with its value (D6).
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a".to_owned(), 1)?;
    /// assert_eq!(map.remove_entry("a"), Some(("a".to_owned(), 1)));
    /// # Ok::<(), aws_client_cache::map::KeyExists<String, i32>>(())
    /// ```
    pub fn remove_entry<Q>(&mut self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let place = self.find(key)?;
        Some(self.remove_place(place))
    }

    /// Verifies every invariant of the structure, and says which one is broken.
    #[doc(hidden)]
    #[cfg(any(test, feature = "__internals"))]
    pub fn check(&self) -> Result<(), String> {
        if self.len() > self.limit() {
            return Err(format!("{} entries, but max_size is {}", self.len(), self.max_size));
        }
        self.table.check(|key| self.hash_builder.hash_one(key))?;
        let is_full = |place| {
            if self.table.is_full(place) { Ok(()) } else { Err(format!("there is no entry at place {place}")) }
        };
        let count = self.order.check(is_full)?;
        if count == self.len() { Ok(()) } else { Err(format!("{count} of {} entries are in the order", self.len())) }
    }

    /// Stores a newcomer whose key is absent, and evicts a victim if the map is full.
    #[inline]
    fn insert_absent(&mut self, hash: u64, key: K, value: V) -> GetOrInsert<'_, K, V> {
        let limit = self.limit();
        if limit == 0 {
            return GetOrInsert::NotStored { key, value };
        }
        if !self.table.has_room(limit) {
            self.rebuild(limit);
        }
        // No code of a key's or value's runs from here on.
        let evicted = if self.len() < limit { None } else { self.pop() };
        let (place, value) = self.table.insert(hash, key, value);
        self.order.insert(place);
        GetOrInsert::Inserted { value, evicted }
    }

    #[cold]
    fn rebuild(&mut self, limit: usize) {
        let moved = self.table.rebuild(limit, |key| self.hash_builder.hash_one(key));
        self.order.follow(&moved);
    }

    #[inline]
    fn find<Q>(&self, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if self.is_empty() {
            return None;
        }
        let hash = self.hash_builder.hash_one(key);
        self.table.find(hash, |present| present.borrow() == key)
    }
}

/// An independent copy with the same entries, order, use counts and `max_size` (D8). Linear; hashes every key.
impl<K: Hash + Clone, V: Clone, S: BuildHasher + Clone> Clone for EvictingMap<K, V, S> {
    fn clone(&self) -> Self {
        let (table, moved) = self.table.copy(|key| self.hash_builder.hash_one(key));
        let mut order = self.order.clone();
        order.follow(&moved);
        Self { table, order, max_size: self.max_size, hash_builder: self.hash_builder.clone() }
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for EvictingMap<K, V, S> {
    /// The entries in eviction order, as std's maps print theirs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

#[cfg(test)]
mod tests;
