//! Insertion, and lookup with insertion in one.

use std::borrow::Borrow;
use std::convert::Infallible;
use std::fmt;
use std::hash::{BuildHasher, Hash};

use super::EvictingMap;
use super::eviction::Eviction;

impl<K: Hash + Eq, V, S: BuildHasher> EvictingMap<K, V, S> {
    /// Inserts an entry under an absent key, as its first use.
    ///
    /// A full map first evicts the next victim, and returns it. The new entry
    /// is never the victim, except at a `max_size` of 0, where it is returned.
    ///
    /// # Errors
    ///
    /// Returns [`KeyExists`], with the refused key and value, if the key is
    /// present. Nothing is replaced, and no use is counted.
    ///
    /// # Examples
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
        if self.find_hashed(hash, &key).is_some() {
            return Err(KeyExists { key, value }); // D3
        }
        Ok(self.insert_absent(hash, key, value).into_evicted()) // D2
    }

    /// Stores a value under a key, present or absent, and returns what it replaced.
    ///
    /// Other caches call this `put`. The entry of a present key becomes the
    /// most recently used one; under LFU and LFUDA, only among the entries of
    /// its use count, which does not change. The given key is dropped, and the
    /// stored key stays. An absent key is inserted, as by
    /// [`insert`](Self::insert).
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::{EvictingMap, Replaced}};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 1);
    /// assert_eq!(map.replace("a", 1), Replaced::Absent { evicted: None });
    /// assert_eq!(map.replace("a", 2), Replaced::Present(1));
    /// let evicted = Some(("a", 2));
    /// assert_eq!(map.replace("b", 3), Replaced::Absent { evicted });
    /// ```
    pub fn replace(&mut self, key: K, value: V) -> Replaced<K, V> {
        let hash = self.hash_builder.hash_one(&key);
        let Some(slot) = self.find_hashed(hash, &key) else {
            return Replaced::Absent { evicted: self.insert_absent(hash, key, value).into_evicted() }; // D2
        };
        self.eviction.refresh(slot); // D13
        let old = std::mem::replace(self.slab.entry_mut(slot).1, value);
        // Here, and not on return: the old value would leak if the key's `Drop` panicked then (P1).
        drop(key);
        Replaced::Present(old)
    }

    /// Returns the value of `key` and counts a use, or inserts the value that `make` returns.
    ///
    /// The key is hashed and looked up once. [`get_or_insert_with_ref`] takes it
    /// by reference, and clones it only to insert it.
    ///
    /// [`get_or_insert_with_ref`]: Self::get_or_insert_with_ref
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::{EvictingMap, GetOrInsert}};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 1);
    /// let found = map.get_or_insert_with("a", || 1);
    /// assert_eq!(found, GetOrInsert::Inserted { value: &mut 1, evicted: None });
    /// let found = map.get_or_insert_with("a", || 2);
    /// assert_eq!(found, GetOrInsert::Present(&mut 1));
    /// let evicted = Some(("a", 1));
    /// let found = map.get_or_insert_with("b", || 3);
    /// assert_eq!(found, GetOrInsert::Inserted { value: &mut 3, evicted });
    /// ```
    #[inline]
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> GetOrInsert<'_, K, V> {
        unwrap_infallible(self.get_or_try_insert_with(key, || Ok(make())))
    }

    /// Returns the value of `key` and counts a use, or inserts the value of `make`, which may fail.
    ///
    /// # Errors
    ///
    /// Returns the error of `make`. The map is unchanged, and the key is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map = EvictingMap::<_, u16>::new(EvictionPolicy::Lru, 10);
    /// assert!(map.get_or_try_insert_with("port", || "none".parse()).is_err());
    /// let port = map.get_or_try_insert_with("port", || "80".parse())?;
    /// assert_eq!(port.value(), &80);
    /// # Ok::<(), std::num::ParseIntError>(())
    /// ```
    #[inline]
    pub fn get_or_try_insert_with<E>(
        &mut self,
        key: K,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<GetOrInsert<'_, K, V>, E> {
        let hash = self.hash_builder.hash_one(&key);
        if let Some(slot) = self.find_hashed(hash, &key) {
            return Ok(self.hit(slot));
        }
        match make() {
            Ok(value) => Ok(self.insert_absent(hash, key, value)),
            Err(error) => {
                // Here, and not on return: the error would leak if the key's `Drop` panicked then (P1).
                drop(key);
                Err(error)
            }
        }
    }

    /// Does the same as [`get_or_insert_with`](Self::get_or_insert_with) for a borrowed key.
    ///
    /// The key is cloned only if it is inserted.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map: EvictingMap<String, _> =
    ///     EvictingMap::new(EvictionPolicy::Lru, 10);
    /// *map.get_or_insert_with_ref("hits", || 0).value_mut() += 1;
    /// *map.get_or_insert_with_ref("hits", || 0).value_mut() += 1;
    /// assert_eq!(map.peek("hits"), Some(&2));
    /// ```
    #[inline]
    pub fn get_or_insert_with_ref<Q>(&mut self, key: &Q, make: impl FnOnce() -> V) -> GetOrInsert<'_, K, V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        unwrap_infallible(self.get_or_try_insert_with_ref(key, || Ok(make())))
    }

    /// Does the same as [`get_or_try_insert_with`](Self::get_or_try_insert_with) for a borrowed key.
    ///
    /// The key is cloned only if it is inserted.
    ///
    /// # Errors
    ///
    /// Returns the error of `make`. The map is unchanged.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map: EvictingMap<String, u16> =
    ///     EvictingMap::new(EvictionPolicy::Lru, 10);
    /// let port = map.get_or_try_insert_with_ref("port", || "80".parse())?;
    /// assert_eq!(port.into_ref(), Some(&80));
    /// # Ok::<(), std::num::ParseIntError>(())
    /// ```
    #[inline]
    pub fn get_or_try_insert_with_ref<Q, E>(
        &mut self,
        key: &Q,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<GetOrInsert<'_, K, V>, E>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let hash = self.hash_builder.hash_one(key);
        match self.find_hashed(hash, key) {
            Some(slot) => Ok(self.hit(slot)),
            None => make().map(|value| self.insert_absent(hash, key.to_owned(), value)),
        }
    }

    #[inline]
    fn hit(&mut self, slot: u32) -> GetOrInsert<'_, K, V> {
        // Before the use is counted, so that the compiler sees that `slot` was checked already.
        let value = self.slab.entry_mut(slot).1;
        self.eviction.touch(slot); // D4
        GetOrInsert::Present(value)
    }

    /// Inserts an entry whose key is absent, in the slot of the next victim if the map is full.
    #[inline]
    fn insert_absent(&mut self, hash: u64, key: K, value: V) -> GetOrInsert<'_, K, V> {
        let limit = self.limit();
        if limit == 0 {
            return GetOrInsert::NotStored { key, value }; // D1, D2
        }
        if !self.index.has_room(limit) {
            self.grow(limit);
        }
        // No code of a key or a value runs from here on (P1).
        if self.len() < limit {
            let bucket = self.index.insert(hash, self.slab.next_slot());
            self.eviction.insert();
            return GetOrInsert::Inserted { value: self.slab.push(key, value, bucket), evicted: None };
        }
        let slot = self.eviction.replace_victim(); // D2, F1: chosen before the newcomer is placed
        self.index.remove(self.slab.bucket(slot));
        let bucket = self.index.insert(hash, slot);
        let (victim, value) = self.slab.replace(slot, key, value, bucket);
        GetOrInsert::Inserted { value, evicted: Some(victim) }
    }
}

fn unwrap_infallible<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

/// The outcome of [`EvictingMap::get_or_insert_with`] and its variants.
///
/// # Examples
///
/// ```
/// use aws_client_cache::EvictionPolicy;
/// use aws_client_cache::map::{EvictingMap, GetOrInsert};
///
/// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
/// match map.get_or_insert_with("a", || 1) {
///     GetOrInsert::Present(value) => println!("a hit: {value}"),
///     GetOrInsert::Inserted { value, evicted } => {
///         println!("inserted {value}, evicted {evicted:?}");
///     }
///     GetOrInsert::NotStored { value, .. } => {
///         println!("max_size is 0, so {value} is not stored");
///     }
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "it holds the evicted entry"]
pub enum GetOrInsert<'a, K, V> {
    /// The key was present. One use of it is counted.
    Present(&'a mut V),
    /// The key was absent and is inserted.
    Inserted {
        /// The new value.
        value: &'a mut V,
        /// The entry that was evicted to make room.
        evicted: Option<(K, V)>,
    },
    /// The key was absent, and `max_size` is 0, so that nothing is stored.
    NotStored {
        /// The key.
        key: K,
        /// The new value.
        value: V,
    },
}

impl<'a, K, V> GetOrInsert<'a, K, V> {
    /// Returns the value, present or new.
    ///
    /// [`EvictingMap::get_or_try_insert_with`] shows an example.
    pub fn value(&self) -> &V {
        match self {
            Self::Present(value) | Self::Inserted { value, .. } => value,
            Self::NotStored { value, .. } => value,
        }
    }

    /// Returns a mutable reference to the value, present or new.
    ///
    /// [`EvictingMap::get_or_insert_with_ref`] shows an example.
    pub fn value_mut(&mut self) -> &mut V {
        match self {
            Self::Present(value) | Self::Inserted { value, .. } => value,
            Self::NotStored { value, .. } => value,
        }
    }

    /// Returns the value for as long as the map is borrowed, or `None` if it is not stored.
    ///
    /// Drops the evicted entry, or the value that is not stored.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::map::EvictingMap;
    ///
    /// fn length<'a>(map: &'a mut EvictingMap<String, usize>, key: &str) -> &'a usize {
    ///     let found = map.get_or_insert_with_ref(key, || key.len());
    ///     found.into_ref().expect("max_size is not 0")
    /// }
    ///
    /// assert_eq!(length(&mut EvictingMap::default(), "abc"), &3);
    /// ```
    pub fn into_ref(self) -> Option<&'a V> {
        self.into_mut().map(|value| &*value)
    }

    /// Returns the mutable value for as long as the map is borrowed, or `None` if it is not stored.
    ///
    /// Drops the evicted entry, or the value that is not stored.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::map::EvictingMap;
    ///
    /// let mut map: EvictingMap<&str, Vec<u8>> = EvictingMap::default();
    /// let found = map.get_or_insert_with("a", Vec::new);
    /// found.into_mut().expect("max_size is not 0").push(1);
    /// assert_eq!(map.peek("a"), Some(&vec![1]));
    /// ```
    pub fn into_mut(self) -> Option<&'a mut V> {
        match self {
            Self::Present(value) | Self::Inserted { value, .. } => Some(value),
            Self::NotStored { .. } => None,
        }
    }

    /// Returns what was evicted: a victim, or the newcomer itself at a `max_size` of 0.
    fn into_evicted(self) -> Option<(K, V)> {
        match self {
            Self::Present(_) | Self::Inserted { evicted: None, .. } => None,
            Self::Inserted { evicted, .. } => evicted,
            Self::NotStored { key, value } => Some((key, value)),
        }
    }
}

/// The outcome of [`EvictingMap::replace`], which shows an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced<K, V> {
    /// The key was present, with this value.
    Present(V),
    /// The key was absent and is inserted.
    Absent {
        /// The entry that was evicted to make room; at a `max_size` of 0, the given one.
        evicted: Option<(K, V)>,
    },
}

/// An error returned by [`EvictingMap::insert`] if the key is present.
///
/// It holds the refused key and value; its messages show neither.
///
/// # Examples
///
/// ```
/// use aws_client_cache::EvictionPolicy;
/// use aws_client_cache::map::{EvictingMap, KeyExists};
///
/// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
/// map.insert("a", 1)?;
/// let refused: KeyExists<_, _> = map.insert("a", 2).unwrap_err();
/// assert_eq!((refused.key, refused.value), ("a", 2));
/// assert_eq!(refused.to_string(), "the key is already present");
/// # Ok::<(), KeyExists<&str, i32>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct KeyExists<K, V> {
    /// The refused key, which is equal to the present one.
    pub key: K,
    /// The refused value.
    pub value: V,
}

impl<K, V> fmt::Debug for KeyExists<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyExists").finish_non_exhaustive()
    }
}

impl<K, V> fmt::Display for KeyExists<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key is already present")
    }
}

impl<K, V> std::error::Error for KeyExists<K, V> {}
