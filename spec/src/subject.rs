//! A cache under test, and one step of its comparison with the model.

use std::fmt::{self, Debug};

use crate::model::Model;
use crate::operation::{Operation, Refusal};

/// A cache under test.
///
/// Implement it by forwarding to your cache. The provided methods are derived from the others; override each one
/// that your cache has of its own, or it will not be tested.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Model, Subject};
///
/// let mut subject: Model<u8, u8> = Model::new(EvictionPolicy::Lru, 1);
/// subject.insert(1, 10)?;
/// assert_eq!(subject.keys(), [1]);
/// # Ok::<(), aws_client_cache_spec::Refusal>(())
/// ```
pub trait Subject<K, V>: Sized {
    /// Inserts under an absent key, and returns what went to make room (D2).
    ///
    /// # Errors
    ///
    /// [`Refusal::AlreadyExists`] if the key is present (D3).
    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal>;

    /// The value under a key, as a use (D4).
    fn get(&mut self, key: &K) -> Option<V>;

    /// The value under a key, not as a use (D5).
    fn peek(&self, key: &K) -> Option<V>;

    /// Removes an entry (D6).
    ///
    /// # Errors
    ///
    /// [`Refusal::NotFound`] if the key is absent.
    fn remove(&mut self, key: &K) -> Result<V, Refusal>;

    /// Removes the next victim (D6).
    ///
    /// # Errors
    ///
    /// [`Refusal::Empty`] if there is none.
    fn pop(&mut self) -> Result<(K, V), Refusal>;

    /// Removes everything.
    fn clear(&mut self);

    /// An independent copy (D8).
    #[must_use]
    fn copy(&self) -> Self;

    /// The bound (D1).
    fn max_size(&self) -> usize;

    /// Sets the bound, and returns what went, in order (D9).
    fn set_max_size(&mut self, max_size: usize) -> Vec<(K, V)>;

    /// The number of entries (D5).
    fn len(&self) -> usize;

    /// The entries in eviction order (D7).
    fn items(&self) -> Vec<(K, V)>;

    /// Verifies the cache's own invariants.
    ///
    /// # Errors
    ///
    /// What is broken.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// The value under a key, as a use (D4).
    ///
    /// # Errors
    ///
    /// [`Refusal::NotFound`] if the key is absent.
    fn try_get(&mut self, key: &K) -> Result<V, Refusal> {
        self.get(key).ok_or(Refusal::NotFound)
    }

    /// Whether a key is present (D5).
    fn contains_key(&self, key: &K) -> bool {
        self.peek(key).is_some()
    }

    /// Whether there is no entry (D5).
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys in eviction order (D7).
    fn keys(&self) -> Vec<K> {
        self.items().into_iter().map(|(key, _)| key).collect()
    }

    /// The values in eviction order (D7).
    fn values(&self) -> Vec<V> {
        self.items().into_iter().map(|(_, value)| value).collect()
    }

    /// The entries, last one to go first (D7).
    fn reversed(&self) -> Vec<(K, V)> {
        let mut items = self.items();
        items.reverse();
        items
    }
}

/// Where a cache and the model part.
///
/// [`step`] returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    what: String,
    cache: String,
    model: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, cache, model } = self;
        write!(f, "{what}: the cache says {cache}, the model {model}")
    }
}

impl std::error::Error for Divergence {}

/// Applies one operation to a cache and to the model, and compares the outcomes and then every accessor.
///
/// # Errors
///
/// The first difference, or what the cache's own [`check`](Subject::check) finds.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Model, Operation, step};
///
/// let mut model = Model::new(EvictionPolicy::Lru, 2);
/// let mut cache = model.clone();
/// step(&mut cache, &mut model, &Operation::Insert('a', 1))?;
///
/// let mut wrong = Model::new(EvictionPolicy::Lru, 0);
/// let divergence = step(&mut wrong, &mut model, &Operation::Insert('b', 2)).unwrap_err();
/// assert_eq!(
///     divergence.to_string(),
///     "Insert('b', 2): the cache says Evicted([('b', 2)]), the model Evicted([])",
/// );
/// # Ok::<(), aws_client_cache_spec::Divergence>(())
/// ```
pub fn step<K, V, C>(cache: &mut C, model: &mut Model<K, V>, operation: &Operation<K, V>) -> Result<(), Divergence>
where
    K: Clone + Eq + Debug,
    V: Clone + Eq + Debug,
    C: Subject<K, V>,
{
    let outcome = operation.apply(cache);
    let expected = operation.apply(model);
    same(|| format!("{operation:?}"), &outcome, &expected)?;

    let after = |accessor: &str| format!("{accessor} after {operation:?}");
    same(|| after("check"), &cache.check(), &Ok(()))?;
    same(|| after("max_size"), &cache.max_size(), &model.max_size())?;
    same(|| after("len"), &cache.len(), &model.len())?;
    same(|| after("is_empty"), &cache.is_empty(), &model.is_empty())?;
    same(|| after("items"), &cache.items(), &model.items())?;
    same(|| after("keys"), &cache.keys(), &model.keys())?;
    same(|| after("values"), &cache.values(), &model.values())?;
    same(|| after("reversed"), &cache.reversed(), &model.reversed())?;
    for key in model.keys().iter().chain(operation.key()) {
        same(|| after(&format!("contains_key({key:?})")), &cache.contains_key(key), &model.contains_key(key))?;
        same(|| after(&format!("peek({key:?})")), &cache.peek(key), &model.peek(key))?;
    }
    // Looking must have changed nothing (D5).
    same(|| after("items again"), &cache.items(), &model.items())
}

fn same<T: PartialEq + Debug>(what: impl FnOnce() -> String, cache: &T, model: &T) -> Result<(), Divergence> {
    if cache == model {
        return Ok(());
    }
    Err(Divergence { what: what(), cache: format!("{cache:?}"), model: format!("{model:?}") })
}
