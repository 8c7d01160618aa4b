//! One step of a comparison: an operation, its outcome, and every accessor afterwards.

use std::fmt::{self, Debug};

use crate::caught::caught;
use crate::expiry::Expiry;
use crate::model::Model;
use crate::operation::{Operation, Outcome};
use crate::subject::{Difference, Subject, differs};

/// A difference between a cache and the model.
///
/// [`step`] returns it, and shows an example.
#[derive(Clone, PartialEq, Eq)]
pub struct Divergence(String);

impl Divergence {
    /// Creates a divergence of a result. The expected one is in words, or a printed value.
    pub(crate) fn new(what: impl fmt::Display, cache: impl Debug, expected: impl fmt::Display) -> Self {
        Self(format!("{what}: the cache returns {cache:?}; the model expects {expected}"))
    }

    /// Creates a divergence of a cache that panics.
    pub(crate) fn panic(what: impl fmt::Display, message: &str, expected: impl fmt::Display) -> Self {
        // A message may have several lines, and this one stands in a comment.
        let message = message.replace('\n', " ");
        Self(format!("{what}: the cache panics: {message}; the model expects {expected}"))
    }

    /// Creates a divergence that is described in words.
    pub(crate) fn note(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Formats like [`Display`](fmt::Display), so that `unwrap` shows the difference.
impl Debug for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Divergence {}

/// Applies one operation to a cache and to the model, and compares the outcomes.
///
/// Then it compares every accessor. Declared [`Difference`]s are not compared, and neither is an operation that the
/// cache does not have.
///
/// # Errors
///
/// The first difference, or a failure of the cache's own [`check`](Subject::check).
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
///     "Insert('b', 2): the cache returns Evicted([('b', 2)]); the model expects Evicted([])",
/// );
/// # Ok::<(), aws_client_cache_spec::Divergence>(())
/// ```
pub fn step<K, V, C>(cache: &mut C, model: &mut Model<K, V>, operation: &Operation<K, V>) -> Result<(), Divergence>
where
    K: Clone + Eq + Debug,
    V: Clone + Eq + Debug,
    C: Subject<K, V>,
{
    compare(cache, model, operation).map(drop)
}

/// Does the same as [`step`], and returns the outcome.
///
/// Returns `None` if the cache does not have the operation.
pub(crate) fn compare<K, V, C>(
    cache: &mut C,
    model: &mut Model<K, V>,
    operation: &Operation<K, V>,
) -> Result<Option<Outcome<K, V>>, Divergence>
where
    K: Clone + Eq + Debug,
    V: Clone + Eq + Debug,
    C: Subject<K, V>,
{
    let outcome = caught(|| operation.apply(cache)).map_err(|message| {
        let expected = operation.apply(model);
        Divergence::panic(format!("{operation:?}"), &message, format!("{expected:?}"))
    })?;
    if outcome == Outcome::Missing {
        return Ok(None);
    }
    let expected = operation.apply(model);
    let agree = match (&outcome, &expected) {
        (Outcome::Evicted(_), Outcome::Evicted(_)) if differs::<K, V, C>(Difference::VictimsUntold) => true,
        (Outcome::Entries(shown), Outcome::Entries(there)) if differs::<K, V, C>(Difference::Unordered) => {
            same_set(shown, there)
        }
        _ => outcome == expected,
    };
    if !agree {
        return Err(Divergence::new(format!("{operation:?}"), outcome, format!("{expected:?}")));
    }
    let ordered = !differs::<K, V, C>(Difference::Unordered);
    look(cache, operation, &model.items(), ordered, model.max_size(), &model.expiry)?;
    Ok(Some(expected))
}

/// Compares every accessor of a cache with its entries after an operation, expired or not.
///
/// A cache that panics differs.
pub(crate) fn look<K, V, C>(
    cache: &C,
    operation: &Operation<K, V>,
    there: &[(K, V)],
    ordered: bool,
    max_size: usize,
    expiry: &Expiry<K>,
) -> Result<(), Divergence>
where
    K: Clone + Eq + Debug,
    V: Clone + Eq + Debug,
    C: Subject<K, V>,
{
    caught(|| look_at_all(cache, operation, there, ordered, max_size, expiry)).unwrap_or_else(|message| {
        Err(Divergence::panic(format!("an accessor after {operation:?}"), &message, "no panic"))
    })
}

fn look_at_all<K, V, C>(
    cache: &C,
    operation: &Operation<K, V>,
    there: &[(K, V)],
    ordered: bool,
    max_size: usize,
    expiry: &Expiry<K>,
) -> Result<(), Divergence>
where
    K: Clone + Eq + Debug,
    V: Clone + Eq + Debug,
    C: Subject<K, V>,
{
    let after = |accessor: &str| format!("{accessor} after {operation:?}");
    same(|| after("check"), &cache.check(), &Ok(()))?;
    same(|| after("max_size"), &cache.max_size(), &max_size)?;
    same(|| after("len"), &cache.len(), &there.len())?;
    same(|| after("is_empty"), &cache.is_empty(), &there.is_empty())?;
    let shown = cache.items();
    if ordered || !same_set(&shown, there) {
        same(|| after("items"), &shown[..], there)?;
    }
    // Whatever the order, every view has the same.
    same(|| after("keys"), &cache.keys(), &shown.iter().map(|(key, _)| key.clone()).collect())?;
    same(|| after("values"), &cache.values(), &shown.iter().map(|(_, value)| value.clone()).collect())?;
    same(|| after("reversed"), &cache.reversed(), &shown.iter().rev().cloned().collect())?;
    for key in there.iter().map(|(key, _)| key).chain(operation.key()) {
        let value = there.iter().find_map(|(present, value)| (present == key).then_some(value));
        let value = value.filter(|_| !expiry.is_past(key)); // E4
        same(|| after(&format!("contains_key({key:?})")), &cache.contains_key(key), &value.is_some())?;
        same(|| after(&format!("peek({key:?})")), &cache.peek(key).as_ref(), &value)?;
    }
    // Looking must have changed nothing (D5).
    same(|| after("items again"), &cache.items(), &shown)
}

fn same<T: PartialEq + Debug + ?Sized>(what: impl FnOnce() -> String, cache: &T, model: &T) -> Result<(), Divergence> {
    if cache == model { Ok(()) } else { Err(Divergence::new(what(), cache, format!("{model:?}"))) }
}

/// Returns `true` if two lists hold the same elements, in any order.
///
/// Two lists are equal only if no key occurs twice in either.
pub(crate) fn same_set<T: PartialEq>(left: &[T], right: &[T]) -> bool {
    left.len() == right.len()
        && left.iter().all(|one| right.contains(one))
        && right.iter().all(|one| left.contains(one))
}
