//! Construction, properties, and access to one entry.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

use super::eviction::{AnyEviction, Eviction};
use super::{DefaultHashBuilder, EvictingMap, EvictionPolicy};

impl<K, V> EvictingMap<K, V> {
    /// Creates an empty map that holds at most `max_size` entries.
    ///
    /// Memory for entries is allocated as they are inserted. With a `max_size` of
    /// 0, the map holds nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::EvictionPolicy;
    /// use aws_client_cache::map::EvictingMap;
    ///
    /// let map: EvictingMap<String, u64> =
    ///     EvictingMap::new(EvictionPolicy::Lfu, usize::MAX);
    /// assert_eq!(map.max_size(), usize::MAX);
    /// assert_eq!(map.len(), 0);
    /// ```
    pub fn new(policy: EvictionPolicy, max_size: usize) -> Self {
        Self::with_hasher(policy, max_size, DefaultHashBuilder::default())
    }
}

impl<K, V, S> EvictingMap<K, V, S> {
    /// Creates an empty map that hashes its keys with `hash_builder`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::hash::RandomState;
    /// use aws_client_cache::EvictionPolicy;
    /// use aws_client_cache::map::EvictingMap;
    ///
    /// let hasher = RandomState::new();
    /// let mut map = EvictingMap::with_hasher(EvictionPolicy::Lru, 10, hasher);
    /// map.insert("tenant", 1)?;
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn with_hasher(policy: EvictionPolicy, max_size: usize, hash_builder: S) -> Self {
        Self::with_eviction(AnyEviction::new(policy, u64::MAX), max_size, hash_builder)
    }

    /// Returns the number of entries.
    ///
    /// # Examples
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

    /// Returns `true` if the map holds no entry.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let map: EvictingMap<u64, u64> = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// assert!(map.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the maximum number of entries.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let map: EvictingMap<u64, u64> = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// assert_eq!(map.max_size(), 10);
    /// ```
    pub fn max_size(&self) -> usize {
        self.max_size
    }

    /// Returns the eviction policy.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let map: EvictingMap<u64, u64> = EvictingMap::new(EvictionPolicy::Lfu, 10);
    /// assert_eq!(map.policy(), EvictionPolicy::Lfu);
    /// ```
    pub fn policy(&self) -> EvictionPolicy {
        self.eviction.policy()
    }

    /// Returns a reference to the map's [`BuildHasher`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::{DefaultHashBuilder, EvictingMap}};
    /// let map: EvictingMap<u64, u64> = EvictingMap::new(EvictionPolicy::Lfu, 10);
    /// let _: &DefaultHashBuilder = map.hasher();
    /// ```
    pub fn hasher(&self) -> &S {
        &self.hash_builder
    }
}

impl<K: Hash + Eq, V, S: BuildHasher> EvictingMap<K, V, S> {
    /// Returns the value of `key`, and counts a use of it.
    ///
    /// A miss changes nothing.
    ///
    /// # Examples
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
        let slot = self.find(key)?;
        // Before the use is counted, so that the compiler sees that `slot` was checked already.
        let value = self.slab.entry(slot).1;
        self.eviction.touch(slot); // D4
        Some(value)
    }

    /// Returns a mutable reference to the value of `key`, and counts a use of it.
    ///
    /// A miss changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// *map.get_mut("a").unwrap() += 10;
    /// assert!(map.iter().eq([(&"b", &2), (&"a", &11)]));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    #[inline]
    pub fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let slot = self.find(key)?;
        let value = self.slab.entry_mut(slot).1;
        self.eviction.touch(slot); // D4
        Some(value)
    }

    /// Returns the value of `key` without counting a use.
    ///
    /// # Examples
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
        Some(self.slab.entry(slot).1) // D5
    }

    /// Returns a mutable reference to the value of `key`, without counting a use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// map.insert("a", 1)?;
    /// map.insert("b", 2)?;
    /// *map.peek_mut("a").unwrap() += 10;
    /// assert_eq!(map.pop(), Some(("a", 11)));
    /// # Ok::<(), aws_client_cache::map::KeyExists<&str, i32>>(())
    /// ```
    pub fn peek_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let slot = self.find(key)?;
        Some(self.slab.entry_mut(slot).1) // D5
    }

    /// Returns `true` if `key` is present, without counting a use.
    ///
    /// # Examples
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
        self.find(key).is_some() // D5
    }
}
