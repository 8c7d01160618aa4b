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
//! Entries are nodes in a dense slab, found through a hash index of slots and ordered by intrusive lists of
//! slots. A hit is one look-up and, under either policy, a constant number of writes to links; an eviction
//! reuses the victim's node and neither hashes nor probes for it. Nothing is allocated for `max_size` up front.
//!
//! | file | what it knows |
//! |---|---|
//! | `slab` | the nodes and the index over them, and no hasher |
//! | `ring` | one linked list over a slab |
//! | `order` | a policy, made of rings: LRU is one, LFU is one for each use count |
//! | this | hashing, and in which order those are called |
//!
//! A panic in a key's or value's code (`Hash`, `Eq`, `Clone`, `Drop`) leaves the map as it was before the call or
//! as it would be after it (rule P1): keys are hashed and compared before the first change, and what goes is
//! dropped after the last.

mod hasher;
mod iter;
mod order;
mod policy;
mod ring;
mod slab;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};

pub use hasher::{DefaultHashBuilder, DefaultHasher};
pub use iter::{Iter, Keys, Values};
use order::{AnyOrder, Order};
pub use policy::{EvictionPolicy, UnknownEvictionPolicy};
use slab::{Entry, MAX_ENTRIES, Slab};

/// A bounded map that evicts in strict LRU or LFU order.
///
/// Every operation on one entry takes constant time, as hash maps do: amortised over growth, and on average
/// over hashes. The rules in parentheses are those of the specification.
///
/// It holds at most 2³¹ entries; a larger `max_size` bounds nothing else.
pub struct EvictingMap<K, V, S = DefaultHashBuilder> {
    slab: Slab<K, V>,
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
        Self { slab: Slab::new(), order, max_size, hash_builder }
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
        self.slab.len()
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

    /// All entries in eviction order, next victim first (D7). Counts no use (D5).
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// assert!(map.iter().eq([(&"a", &1), (&"b", &2)]));
    /// assert!(map.iter().rev().eq([(&"b", &2), (&"a", &1)]));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter::new(&self.slab, &self.order)
    }

    /// All keys in eviction order, next victim first (D7). Counts no use (D5).
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// assert!(map.keys().eq(&["a", "b"]));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn keys(&self) -> Keys<'_, K, V> {
        Keys(self.iter())
    }

    /// All values in eviction order, next victim first (D7). Counts no use (D5).
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// assert!(map.values().rev().eq(&[2, 1]));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn values(&self) -> Values<'_, K, V> {
        Values(self.iter())
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
    pub fn pop(&mut self) -> Option<(K, V)> {
        let victim = self.order.victim(self.slab.nodes())?;
        Some(self.remove_slot(victim))
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
        drop(self.take());
    }

    /// Empties the map and returns what drops its entries, for a caller who holds a lock.
    pub(crate) fn take(&mut self) -> impl Sized + use<K, V, S> {
        self.order.clear();
        self.slab.take()
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
            slab: self.slab.fork(),
            order: self.order.clone(),
            max_size: self.max_size,
            hash_builder: self.hash_builder.clone(),
        }
    }

    /// The layout in numbers, with each key as `name` names it: what stands in which slot, in eviction order, and what the
    /// order keeps. With `index`, the room and the buckets too, which depend on hashes.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    pub fn layout(&self, name: impl Fn(&K) -> u64, index: bool) -> Vec<u64> {
        let nodes = self.slab.nodes();
        let mut layout = vec![self.max_size as u64, nodes.len() as u64];
        let mut slot = self.order.victim(nodes);
        for _ in 0..nodes.len() {
            let Some(place) = slot else { break };
            layout.extend([u64::from(place), name(&nodes[place as usize].key)]);
            slot = Some(self.order.after(nodes, place));
        }
        layout.extend(self.order.layout(nodes));
        if index {
            layout.push(u64::MAX);
            layout.extend(self.slab.layout());
        }
        layout
    }

    fn limit(&self) -> usize {
        self.max_size.min(MAX_ENTRIES)
    }

    fn remove_slot(&mut self, slot: u32) -> (K, V) {
        self.order.remove(self.slab.nodes_mut(), slot);
        let last = u32::try_from(self.slab.len() - 1).expect("there are at most MAX_ENTRIES nodes");
        if slot != last {
            self.order.relocate(self.slab.nodes_mut(), last, slot);
        }
        self.slab.remove(slot)
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
        let limit = self.limit();
        if limit == 0 {
            return Ok(Some((key, value)));
        }
        let hash = self.hash_builder.hash_one(&key);
        self.slab.make_room(limit, |key| self.hash_builder.hash_one(key));
        let full = self.slab.len() >= limit;
        let victim = self.order.victim(self.slab.nodes()).filter(|_| full);
        let Entry::Vacant(vacant) = self.slab.entry(hash, |present| *present == key) else {
            return Err(KeyExists { key, value });
        };
        // No code of the key's or value's runs from here on.
        if let Some(victim) = victim {
            let (bucket, key, value) = vacant.replace(victim, key, value);
            self.slab.free_bucket(bucket);
            self.order.replace_victim(self.slab.nodes_mut(), victim);
            Ok(Some((key, value)))
        } else {
            let slot = vacant.push(key, value);
            self.order.insert(self.slab.nodes_mut(), slot);
            Ok(None)
        }
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
    pub fn get<Q>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let slot = self.find(key)?;
        self.order.touch(self.slab.nodes_mut(), slot);
        Some(&self.slab.nodes()[slot as usize].value)
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
        let slot = self.find(key)?;
        Some(&self.slab.nodes()[slot as usize].value)
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
        let slot = self.find(key)?;
        Some(self.remove_slot(slot))
    }

    /// Verifies every invariant of the structure, and says which one is broken.
    #[doc(hidden)]
    #[cfg(any(test, feature = "__internals"))]
    pub fn check(&self) -> Result<(), String> {
        if self.len() > self.limit() {
            return Err(format!("{} entries, but max_size is {}", self.len(), self.max_size));
        }
        self.slab.check(|key| self.hash_builder.hash_one(key))?;
        self.order.check(self.slab.nodes())
    }

    fn find<Q>(&self, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if self.is_empty() {
            return None;
        }
        let hash = self.hash_builder.hash_one(key);
        self.slab.find(hash, |present| present.borrow() == key)
    }
}

/// An independent copy with the same entries, order, use counts and `max_size` (D8). Linear; hashes every key.
impl<K: Hash + Clone, V: Clone, S: BuildHasher + Clone> Clone for EvictingMap<K, V, S> {
    fn clone(&self) -> Self {
        Self {
            slab: self.slab.copy(|key| self.hash_builder.hash_one(key)),
            order: self.order.clone(),
            max_size: self.max_size,
            hash_builder: self.hash_builder.clone(),
        }
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for EvictingMap<K, V, S> {
    /// The entries in eviction order, as std's maps print theirs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<'a, K, V, S> IntoIterator for &'a EvictingMap<K, V, S> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        self.iter()
    }
}

/// The refusal of [`EvictingMap::insert`] to replace what a key holds (D3), with what was to be inserted.
///
/// Its messages show neither key nor value.
///
/// ```
/// use aws_client_cache::EvictionPolicy;
/// use aws_client_cache::map::{EvictingMap, KeyExists};
///
/// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
/// map.insert("a", 1)?;
/// let refused: KeyExists<_, _> = map.insert("a", 2).unwrap_err();
/// assert_eq!((refused.key, refused.value), ("a", 2));
/// assert_eq!(refused.to_string(), "the key is present already");
/// # Ok::<(), KeyExists<&str, i32>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct KeyExists<K, V> {
    /// The key that was to be inserted: equal to the one that is there, but not the same object.
    pub key: K,
    /// The value that was to be inserted.
    pub value: V,
}

impl<K, V> fmt::Debug for KeyExists<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyExists").finish_non_exhaustive()
    }
}

impl<K, V> fmt::Display for KeyExists<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key is present already")
    }
}

impl<K, V> std::error::Error for KeyExists<K, V> {}

#[cfg(test)]
mod tests;
