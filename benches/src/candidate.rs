//! The compared caches, each used as its documentation recommends, all with the same hasher.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::{EvictingMap, GetOrInsert};
use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;

use crate::workload::Key;

/// The hasher of all caches that accept one.
pub type Hasher = SeedableRandomState;

/// Returns a hasher with a seed.
pub fn hasher(seed: u64) -> Hasher {
    SeedableRandomState::with_seed(seed, SharedSeed::global_fixed())
}

/// A cache from keys to numbers that one thread uses.
pub trait CandidateCache<K>: 'static {
    /// Creates an empty cache.
    fn new(max_size: usize, seed: u64) -> Self;

    /// Looks up a key as a use, and inserts it if it is absent. Returns `true` if it was present.
    fn get_or_insert(&mut self, key: &K) -> bool;
}

/// A cache that supports iteration in order, and removal.
pub trait OrderedCache<K>: CandidateCache<K> {
    /// Removes a key. Returns `true` if it was present.
    fn remove(&mut self, key: &K) -> bool;

    /// Returns the sum of all values.
    fn sum(&self) -> u64;
}

/// A cache that threads share.
pub trait SharedCache<K>: Sync + Send + 'static {
    /// Creates an empty cache.
    fn new(max_size: usize, seed: u64) -> Self;

    /// See [`CandidateCache::get_or_insert`].
    fn get_or_insert(&self, key: &K) -> bool;
}

/// The engine, under LRU.
#[derive(Debug)]
pub struct Lru<K>(EvictingMap<K, u64, Hasher>);

/// The engine, under LFU.
#[derive(Debug)]
pub struct Lfu<K>(EvictingMap<K, u64, Hasher>);

/// The engine, under LFUDA.
#[derive(Debug)]
pub struct Lfuda<K>(EvictingMap<K, u64, Hasher>);

macro_rules! engine {
    ($name:ident, $policy:expr) => {
        impl<K: Key> CandidateCache<K> for $name<K> {
            fn new(max_size: usize, seed: u64) -> Self {
                Self(EvictingMap::with_hasher($policy, max_size, hasher(seed)))
            }

            #[inline]
            fn get_or_insert(&mut self, key: &K) -> bool {
                matches!(self.0.get_or_insert_with_ref(key, || 1), GetOrInsert::Present(_))
            }
        }
    };
}

macro_rules! ordered {
    ($cache:ty, $remove:ident, |$this:ident| $values:expr) => {
        impl<K: Key> OrderedCache<K> for $cache {
            #[inline]
            fn remove(&mut self, key: &K) -> bool {
                let $this = self;
                $this.$remove(key).is_some()
            }

            fn sum(&self) -> u64 {
                let $this = self;
                $values.sum()
            }
        }
    };
}

impl<K: Key> OrderedCache<K> for Lru<K> {
    #[inline]
    fn remove(&mut self, key: &K) -> bool {
        self.0.remove(key).is_some()
    }

    fn sum(&self) -> u64 {
        self.0.values().sum()
    }
}

ordered!(lru::LruCache<K, u64, Hasher>, pop, |cache| cache.iter().map(|(_, value)| *value));
ordered!(hashlink::LruCache<K, u64, Hasher>, remove, |cache| cache.iter().map(|(_, value)| *value));
ordered!(schnellru::LruMap<K, u64, schnellru::ByLength, Hasher>, remove, |cache| cache.iter().map(|(_, value)| *value));

engine!(Lru, EvictionPolicy::Lru);
engine!(Lfu, EvictionPolicy::Lfu);
engine!(Lfuda, EvictionPolicy::Lfuda);

impl<K: Key> CandidateCache<K> for lru::LruCache<K, u64, Hasher> {
    fn new(max_size: usize, seed: u64) -> Self {
        Self::with_hasher(NonZeroUsize::new(max_size).expect("it is not zero"), hasher(seed))
    }

    #[inline]
    fn get_or_insert(&mut self, key: &K) -> bool {
        let mut is_present = true;
        self.get_or_insert_ref(key, || {
            is_present = false;
            1
        });
        is_present
    }
}

impl<K: Key> CandidateCache<K> for hashlink::LruCache<K, u64, Hasher> {
    fn new(max_size: usize, seed: u64) -> Self {
        Self::with_hasher(max_size, hasher(seed))
    }

    #[inline]
    fn get_or_insert(&mut self, key: &K) -> bool {
        // `entry` may leave one more than `max_size`.
        let is_present = self.get(key).is_some();
        if !is_present {
            self.insert(key.clone(), 1);
        }
        is_present
    }
}

impl<K: Key> CandidateCache<K> for schnellru::LruMap<K, u64, schnellru::ByLength, Hasher> {
    fn new(max_size: usize, seed: u64) -> Self {
        let max_size = u32::try_from(max_size).expect("no more than it can hold");
        Self::with_hasher(schnellru::ByLength::new(max_size), hasher(seed))
    }

    #[inline]
    fn get_or_insert(&mut self, key: &K) -> bool {
        if !K::IS_COPY {
            let is_present = self.get(key).is_some();
            if !is_present {
                self.insert(key.clone(), 1);
            }
            return is_present;
        }
        let mut is_present = true;
        self.get_or_insert(key.clone(), || {
            is_present = false;
            1
        });
        is_present
    }
}

impl<K: Key> CandidateCache<K> for lfu_cache::LfuCache<K, u64> {
    /// Ignores the seed: the crate accepts no hasher.
    fn new(max_size: usize, _: u64) -> Self {
        Self::with_capacity(max_size)
    }

    #[inline]
    fn get_or_insert(&mut self, key: &K) -> bool {
        let is_present = self.get(key).is_some();
        if !is_present {
            self.insert(key.clone(), 1);
        }
        is_present
    }
}

type QuickCache<K> = quick_cache::unsync::Cache<K, u64, quick_cache::UnitWeighter, Hasher>;

impl<K: Key> CandidateCache<K> for QuickCache<K> {
    fn new(max_size: usize, seed: u64) -> Self {
        let lifecycle = quick_cache::unsync::DefaultLifecycle::default();
        Self::with(max_size, max_size as u64, quick_cache::UnitWeighter, hasher(seed), lifecycle)
    }

    #[inline]
    fn get_or_insert(&mut self, key: &K) -> bool {
        let mut is_present = true;
        let _ = self.get_or_insert_with(key, || {
            is_present = false;
            Ok::<_, ()>(1)
        });
        is_present
    }
}

impl<K: Key> CandidateCache<K> for mini_moka::unsync::Cache<K, u64, Hasher> {
    fn new(max_size: usize, seed: u64) -> Self {
        mini_moka::unsync::Cache::builder().max_capacity(max_size as u64).build_with_hasher(hasher(seed))
    }

    #[inline]
    fn get_or_insert(&mut self, key: &K) -> bool {
        let is_present = self.get(key).is_some();
        if !is_present {
            self.insert(key.clone(), 1);
        }
        is_present
    }
}

/// A hash table that evicts nothing: the lower bound of the cost.
#[derive(Debug)]
pub struct Unbounded<K>(hashbrown::HashMap<K, u64, Hasher>);

impl<K: Key> CandidateCache<K> for Unbounded<K> {
    fn new(max_size: usize, seed: u64) -> Self {
        Self(hashbrown::HashMap::with_capacity_and_hasher(max_size, hasher(seed)))
    }

    #[inline]
    fn get_or_insert(&mut self, key: &K) -> bool {
        match self.0.entry_ref(key) {
            hashbrown::hash_map::EntryRef::Occupied(_) => true,
            hashbrown::hash_map::EntryRef::Vacant(entry) => {
                entry.insert(1);
                false
            }
        }
    }
}

/// A cache of one thread behind a lock.
#[derive(Debug)]
pub struct Locked<C>(Mutex<C>);

impl<K: Key, C: CandidateCache<K> + Send> SharedCache<K> for Locked<C> {
    fn new(max_size: usize, seed: u64) -> Self {
        Self(Mutex::new(C::new(max_size, seed)))
    }

    fn get_or_insert(&self, key: &K) -> bool {
        self.0.lock().expect("no thread panics").get_or_insert(key)
    }
}

type SyncQuickCache<K> = quick_cache::sync::Cache<K, u64, quick_cache::UnitWeighter, Hasher>;

impl<K: Key> SharedCache<K> for SyncQuickCache<K> {
    fn new(max_size: usize, seed: u64) -> Self {
        let lifecycle = quick_cache::sync::DefaultLifecycle::default();
        Self::with(max_size, max_size as u64, quick_cache::UnitWeighter, hasher(seed), lifecycle)
    }

    fn get_or_insert(&self, key: &K) -> bool {
        // `get_or_insert_with` makes other threads wait, which costs more.
        let is_present = self.get(key).is_some();
        if !is_present {
            self.insert(key.clone(), 1);
        }
        is_present
    }
}

impl<K: Key> SharedCache<K> for moka::sync::Cache<K, u64, Hasher> {
    fn new(max_size: usize, seed: u64) -> Self {
        moka::sync::Cache::builder().max_capacity(max_size as u64).build_with_hasher(hasher(seed))
    }

    fn get_or_insert(&self, key: &K) -> bool {
        let is_present = self.get(key).is_some();
        if !is_present {
            self.insert(key.clone(), 1);
        }
        is_present
    }
}

impl<K: Key> SharedCache<K> for mini_moka::sync::Cache<K, u64, Hasher> {
    fn new(max_size: usize, seed: u64) -> Self {
        mini_moka::sync::Cache::builder().max_capacity(max_size as u64).build_with_hasher(hasher(seed))
    }

    fn get_or_insert(&self, key: &K) -> bool {
        let is_present = self.get(key).is_some();
        if !is_present {
            self.insert(key.clone(), 1);
        }
        is_present
    }
}
