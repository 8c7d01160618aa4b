//! A cache under test.

use crate::operation::Refusal;

/// A cache under test.
///
/// Implement it by forwarding to your cache. Six methods are required. The others are derived from them. Override each
/// one that your cache implements itself, or it will not be tested. Declare deliberate differences of your cache in
/// [`DIFFERENCES`](Self::DIFFERENCES); they are not compared.
///
/// The derived methods do not support expiry. A cache with a clock ([`set_time`](Self::set_time)) must override
/// [`try_get`](Self::try_get), [`peek`](Self::peek) and [`remove_expired`](Self::remove_expired).
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Model, Subject};
///
/// let mut subject: Model<u8, u8> = Model::new(EvictionPolicy::Lru, 1);
/// subject.insert(1, 10)?;
/// assert_eq!(subject.keys(), [1]);
/// # Ok::<(), aws_client_cache_spec::Refusal>(())
/// ```
pub trait Subject<K: Eq, V>: Sized {
    /// The deliberate differences of the cache, which are not compared.
    const DIFFERENCES: &'static [Difference] = &[];

    /// Inserts, and returns the entry that leaves: evicted to make room (D2), or replaced (D13).
    ///
    /// The key of a replaced entry is returned with its old value. The effect on a present key depends on the
    /// [`InsertionMode`](crate::InsertionMode) that the cache is checked in.
    ///
    /// # Errors
    ///
    /// [`Refusal::Expired`] if the key is expired (E2), or else [`Refusal::AlreadyExists`] if it is present, in a cache
    /// that refuses present keys (D3).
    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal>;

    /// Returns the value under a key, as a use (D4). An expired entry is removed, and is a miss (E3).
    fn get(&mut self, key: &K) -> Option<V>;

    /// Removes an entry (D6).
    ///
    /// # Errors
    ///
    /// [`Refusal::NotFound`] if the key is absent.
    fn remove(&mut self, key: &K) -> Result<V, Refusal>;

    /// Returns the bound (D1).
    fn max_size(&self) -> usize;

    /// Returns the number of entries (D5).
    fn len(&self) -> usize;

    /// Returns the entries in eviction order (D7).
    fn items(&self) -> Vec<(K, V)>;

    /// Removes the next victim (D6).
    ///
    /// # Errors
    ///
    /// [`Refusal::Empty`] if there are no entries.
    fn pop(&mut self) -> Result<(K, V), Refusal> {
        let mut items = self.items();
        if items.is_empty() {
            return Err(Refusal::Empty);
        }
        let (key, clone) = items.swap_remove(0);
        drop((items, clone)); // before the removal, so that a panic removes nothing
        let value = self.remove(&key)?;
        Ok((key, value))
    }

    /// Removes all entries.
    fn clear(&mut self) {
        while self.pop().is_ok() {}
    }

    /// Returns an independent copy (D8), or `None` if the cache cannot be copied.
    #[must_use]
    fn copy(&self) -> Option<Self> {
        None
    }

    /// Sets the bound, and returns the evicted entries in order (D9).
    ///
    /// Returns `None` if the bound is fixed.
    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(K, V)>> {
        let _ = max_size;
        None
    }

    /// Sets the cache's clock (E5). Returns `None` if it has none.
    ///
    /// ```
    /// # use aws_client_cache_spec::{EvictionPolicy, Model, Subject};
    /// let mut model: Model<u8, u8> = Model::new(EvictionPolicy::Lru, 1).with_expiry(1, 5);
    /// model.insert(1, 10)?;
    /// assert_eq!(model.set_time(5), Some(()));
    /// assert!(!model.contains_key(&1));
    /// # Ok::<(), aws_client_cache_spec::Refusal>(())
    /// ```
    fn set_time(&mut self, now: u64) -> Option<()> {
        let _ = now;
        None
    }

    /// Removes all expired entries, and returns them in eviction order (E4).
    ///
    /// Returns `None` if there is no such operation.
    ///
    /// ```
    /// # use aws_client_cache_spec::{EvictionPolicy, Model, Subject};
    /// let mut model = Model::new(EvictionPolicy::Lru, 2).with_expiry(1, 5);
    /// model.insert(1, 10)?;
    /// model.insert(2, 20)?;
    /// model.set_time(5);
    /// assert_eq!(model.remove_expired(), Some(vec![(1, 10)]));
    /// assert_eq!(model.items(), [(2, 20)]);
    /// # Ok::<(), aws_client_cache_spec::Refusal>(())
    /// ```
    fn remove_expired(&mut self) -> Option<Vec<(K, V)>> {
        None
    }

    /// Returns the value under a key, as a use (D4). An expired entry is removed, and is an error (E3).
    ///
    /// # Errors
    ///
    /// [`Refusal::NotFound`] if the key is absent, [`Refusal::Expired`] if the entry was expired.
    fn try_get(&mut self, key: &K) -> Result<V, Refusal> {
        self.get(key).ok_or(Refusal::NotFound)
    }

    /// Returns the value under a key, not as a use (D5), unless it is expired (E4).
    fn peek(&self, key: &K) -> Option<V> {
        let mut items = self.items();
        let index = items.iter().position(|(present, _)| present == key)?;
        let (present, value) = items.swap_remove(index);
        drop((items, present)); // here, or the value would leak if this panicked
        Some(value)
    }

    /// Returns `true` if a key is present (D5), and not expired (E4).
    fn contains_key(&self, key: &K) -> bool {
        self.peek(key).is_some()
    }

    /// Returns `true` if there are no entries (D5).
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the keys in eviction order (D7).
    fn keys(&self) -> Vec<K> {
        self.items().into_iter().map(|(key, _)| key).collect()
    }

    /// Returns the values in eviction order (D7).
    fn values(&self) -> Vec<V> {
        self.items().into_iter().map(|(_, value)| value).collect()
    }

    /// Returns the entries in reverse eviction order (D7).
    fn reversed(&self) -> Vec<(K, V)> {
        let mut items = self.items();
        items.reverse();
        items
    }

    /// Verifies the cache's own invariants.
    ///
    /// # Errors
    ///
    /// The violated invariant.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// A deliberate difference of a cache from the rules.
///
/// A declared difference is not compared.
///
/// ```
/// use aws_client_cache_spec::{Difference, Model, Subject};
///
/// // The model is what others differ from.
/// assert!(!<Model<u8, u8> as Subject<u8, u8>>::DIFFERENCES.contains(&Difference::NoPop));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Difference {
    // D1.
    /// A bound of 0 is not allowed, so none is set.
    NoZero,
    // D2, D9, D13.
    /// Entries that are evicted or replaced are not returned.
    ///
    /// Insertion and shrinking return nothing. The remaining entries show if the right ones have left.
    VictimsUntold,
    // D6.
    /// The next victim cannot be popped.
    NoPop,
    // D7.
    /// Entries are listed in no order, and compared as a set.
    Unordered,
}

/// Returns `true` if a cache declares a difference.
pub(crate) fn differs<K: Eq, V, C: Subject<K, V>>(difference: Difference) -> bool {
    C::DIFFERENCES.contains(&difference)
}
