//! A bounded map with strict LRU, LFU or LFUDA eviction: a slab, an index and a linked list.
//!
//! [`ClientCache`](crate::ClientCache) is this map behind a lock, with keys
//! that identify clients. Use the map by itself for any other keys and values:
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
//! Entries are in a *slab*, a vector of slots. An *index*, a hash table of slot
//! numbers, finds the slot of a key. A *linked list* of slot numbers keeps the
//! eviction order, next victim first:
//!
//! ```text
//! index: hash → slot     slab: key, value, bucket     list: prev ⇄ next
//! ┌───┬───┬───┬───┐      ┌───────┬───────┬───────┐
//! │ 2 │   │ 3 │ 1 │      │ 1: a  │ 2: b  │ 3: c  │    0 ⇄ 2 ⇄ 3 ⇄ 1 ⇄ 0
//! └───┴───┴───┴───┘      └───────┴───────┴───────┘      └ next victim
//! ```
//!
//! * A hit is one lookup in the index and a constant number of writes to links,
//!   under every policy.
//! * An insertion into a full map reuses the victim's slot. The slot knows its
//!   bucket of the index, so that an eviction neither hashes nor probes.
//! * A removal moves the last slot into the gap, so that the slab stays dense:
//!   iteration and copies read no gaps, and a copy hashes nothing.
//! * Growth rebuilds the index alone. Nothing is allocated for `max_size` in
//!   advance. Once less than an eighth of the memory is in use, the next
//!   removal gives it back, if there is room for more than 64 entries.
//!
//! An entry takes the size of its key and its value, 4 bytes for a bucket number,
//! and 8 bytes for its links under LRU, 12 otherwise. LFU and LFUDA take 24 more
//! bytes for each different use count. Each bucket of the index takes 5 bytes. A
//! full map has 8 to 16 buckets per entry up to 1,024 entries, then about 2 to 4.
//! While a map grows, up to half of all this is spare.
//!
//! The `Hash`, `Eq`, `Clone` or `Drop` of a key or a value may panic.
//! Afterwards, the map is as it was before the call, or as it would be after
//! it. Only the values that a callback has changed in place stay changed.
//!
//! # Coming from `lru`
//!
//! `insert` refuses a present key; [`replace`](EvictingMap::replace) corresponds
//! to `put`. Iteration starts at the next victim, whereas `lru` starts at the
//! most recently used entry:
//!
//! ```
//! use aws_client_cache::EvictionPolicy;
//! use aws_client_cache::map::{EvictingMap, Replaced};
//!
//! let mut cache = EvictingMap::new(EvictionPolicy::Lru, 2); // LruCache::new(2)
//! cache.replace("a", 1); // cache.put("a", 1)
//! cache.replace("b", 2);
//! let old = cache.replace("a", 3); // put returns Some(1)
//! assert_eq!(old, Replaced::Present(1));
//! *cache.get_mut("b").unwrap() += 10; // the same
//! assert!(cache.iter().rev().eq([(&"b", &12), (&"a", &3)])); // cache.iter()
//! assert_eq!(cache.pop(), Some(("a", 3))); // cache.pop_lru()
//! assert_eq!(cache.remove("b"), Some(12)); // cache.pop("b")
//! ```
//!
//! The migration guide has a table of all methods.

// The documentation of `EvictingMap` shows its methods in the order of these modules.
mod access;
mod entry;
mod remove;

mod iter;
mod iter_mut;

mod drain;
mod room;

mod eviction;
mod hasher;
mod index;
mod linked_list;
mod policy;
mod slab;

#[cfg(any(test, feature = "__internals"))]
mod inspection;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};

pub use drain::{Drain, IntoIter};
pub use entry::{GetOrInsert, KeyExists, Replaced};
use eviction::AnyEviction;
pub use hasher::{DefaultHashBuilder, DefaultHasher};
use index::{Index, MAX_ENTRIES};
pub use iter::{Iter, Keys, Values};
pub use iter_mut::{IterMut, ValuesMut};
pub use policy::{EvictionPolicy, ParseEvictionPolicyError};
use slab::Slab;

/// The most entries for which the index is sparse.
#[doc(hidden)]
#[cfg(feature = "__internals")]
pub const MAX_SPARSE: usize = index::MAX_SPARSE;

/// The default `max_size`.
pub(crate) const DEFAULT_MAX_SIZE: usize = 10;

/// A bounded map that evicts in strict LRU, LFU or LFUDA order.
///
/// An operation on one entry takes O(1): amortized over rebuilds of the index,
/// and on average over hashes. The map holds at most 2³⁰ entries; a larger `max_size` does not
/// raise this limit.
///
/// Two maps are equal if they hold equal entries in the same eviction order.
/// A clone is independent: it has the same entries, order, use counts and
/// `max_size`. Cloning takes O(n) and hashes nothing.
///
/// [The module](self) shows an example.
#[derive(Clone)]
pub struct EvictingMap<K, V, S = DefaultHashBuilder> {
    slab: Slab<K, V>,
    index: Index,
    eviction: AnyEviction,
    max_size: usize,
    hash_builder: S,
}

impl<K, V, S> EvictingMap<K, V, S> {
    fn with_eviction(eviction: AnyEviction, max_size: usize, hash_builder: S) -> Self {
        Self { slab: Slab::new(), index: Index::new(), eviction, max_size, hash_builder }
    }

    #[inline]
    fn limit(&self) -> usize {
        self.max_size.min(MAX_ENTRIES)
    }
}

impl<K: Hash + Eq, V, S: BuildHasher> EvictingMap<K, V, S> {
    #[inline]
    fn find<Q>(&self, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if self.is_empty() {
            return None;
        }
        self.find_hashed(self.hash_builder.hash_one(key), key)
    }

    #[inline]
    fn find_hashed<Q>(&self, hash: u64, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.index.find(hash, |slot| self.slab.key(slot).borrow() == key)
    }
}

/// LRU with a `max_size` of 10, as for [`ClientCache`](crate::ClientCache).
impl<K, V, S: Default> Default for EvictingMap<K, V, S> {
    fn default() -> Self {
        Self::with_hasher(EvictionPolicy::default(), DEFAULT_MAX_SIZE, S::default()) // D1
    }
}

/// Compares the entries in eviction order; `max_size`, policy and use counts are not compared.
impl<K: PartialEq, V: PartialEq, S, T> PartialEq<EvictingMap<K, V, T>> for EvictingMap<K, V, S> {
    fn eq(&self, other: &EvictingMap<K, V, T>) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq, S> Eq for EvictingMap<K, V, S> {}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for EvictingMap<K, V, S> {
    /// Prints the entries in eviction order, as std's maps print theirs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

#[cfg(test)]
mod tests;
