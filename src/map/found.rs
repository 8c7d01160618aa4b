//! Looking a key up and inserting it in one: what an insertion finds in the place of its key.

use std::borrow::Borrow;
use std::convert::Infallible;
use std::fmt;
use std::hash::{BuildHasher, Hash};

use super::EvictingMap;
use super::order::Order;

impl<K: Hash + Eq, V, S: BuildHasher> EvictingMap<K, V, S> {
    /// The value under a key, which counts as one use of it (D4); or else the one that `make` makes, which is inserted
    /// under an owned copy of the key (D2). The key is hashed and looked up once.
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::{EvictingMap, GetOrInsert}};
    /// let mut map = EvictingMap::new(EvictionPolicy::Lru, 1);
    /// let evicted = (String::from("a"), 1);
    /// assert_eq!(map.get_or_insert_with("a", || 1), GetOrInsert::Inserted { value: &1, evicted: None });
    /// assert_eq!(map.get_or_insert_with("a", || 2), GetOrInsert::Present(&1));
    /// assert_eq!(map.get_or_insert_with("b", || 3), GetOrInsert::Inserted { value: &3, evicted: Some(evicted) });
    /// ```
    #[inline]
    pub fn get_or_insert_with<Q>(&mut self, key: &Q, make: impl FnOnce() -> V) -> GetOrInsert<'_, K, V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        match self.get_or_try_insert_with(key, || Ok::<_, Infallible>(make())) {
            Ok(found) => found,
            Err(never) => match never {},
        }
    }

    /// The same, but `make` may fail.
    ///
    /// # Errors
    ///
    /// That of `make`. Nothing has changed then.
    ///
    /// ```
    /// # use aws_client_cache::{EvictionPolicy, map::EvictingMap};
    /// let mut map: EvictingMap<String, u16> = EvictingMap::new(EvictionPolicy::Lru, 10);
    /// assert!(map.get_or_try_insert_with("port", || "none".parse()).is_err());
    /// assert_eq!(map.get_or_try_insert_with("port", || "80".parse())?.value(), &80);
    /// # Ok::<(), std::num::ParseIntError>(())
    /// ```
    #[inline]
    pub fn get_or_try_insert_with<Q, E>(
        &mut self,
        key: &Q,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<GetOrInsert<'_, K, V>, E>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let hash = self.hash_builder.hash_one(key);
        let Some(place) = self.table.find(hash, |present| present.borrow() == key) else {
            let value = make()?;
            return Ok(self.insert_absent(hash, key.to_owned(), value));
        };
        self.order.touch(place);
        Ok(GetOrInsert::Present(&self.table.get(place).1))
    }
}

/// What [`EvictingMap::get_or_insert_with`](EvictingMap::get_or_insert_with) has found or done.
///
/// ```
/// use aws_client_cache::EvictionPolicy;
/// use aws_client_cache::map::{EvictingMap, GetOrInsert};
///
/// let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
/// match map.get_or_insert_with("a", || 1) {
///     GetOrInsert::Present(value) => println!("it was there: {value}"),
///     GetOrInsert::Inserted { value, evicted } => println!("now it is there: {value}, and {evicted:?} made room"),
///     GetOrInsert::NotStored { value, .. } => println!("the map holds nothing, not even {value}"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what was evicted is in it"]
pub enum GetOrInsert<'a, K, V> {
    /// The key was present, and one use of it has been counted (D4).
    Present(&'a V),
    /// The key was absent, and is there now (D2).
    Inserted {
        /// The value that was made for it.
        value: &'a V,
        /// What went to make room.
        evicted: Option<(K, V)>,
    },
    /// The map's `max_size` is 0, so that the newcomer itself is what went (D2).
    NotStored {
        /// The key.
        key: K,
        /// The value that was made for it.
        value: V,
    },
}

impl<K, V> GetOrInsert<'_, K, V> {
    /// The value, present or made.
    ///
    /// [`EvictingMap::get_or_try_insert_with`](EvictingMap::get_or_try_insert_with) shows an example.
    pub fn value(&self) -> &V {
        match self {
            Self::Present(value) | Self::Inserted { value, .. } => value,
            Self::NotStored { value, .. } => value,
        }
    }
}

/// The refusal of [`EvictingMap::insert`](EvictingMap::insert) to replace what a key holds (D3), with what was to be
/// inserted.
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
