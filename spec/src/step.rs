//! One step of a comparison: an operation, its outcome, and every accessor afterwards.

use std::fmt::{self, Debug};
use std::mem::replace;

use crate::caught::caught;
use crate::explore::may_be_asked;
use crate::operation::{Operation, Outcome};
use crate::reference::{Reference, follow, is_expired};
use crate::system_under_test::{Difference, SystemUnderTest, differs};

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

    /// Creates the divergence of a later operation.
    pub(crate) fn after(before: impl fmt::Display, divergence: &Self) -> Self {
        Self(format!("{before}{}", divergence.0))
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

/// Applies one operation to a cache and to a reference, and compares the outcomes.
///
/// Then it compares every accessor. After a [`Copy`](Operation::Copy), it changes the original and another copy of it, and
/// compares every accessor of the others. Declared [`Difference`]s are not compared. It applies no operation that
/// declares one, such as [`Operation::Pop`] under [`Difference::NoPop`], and none that the cache or the reference does
/// not have.
///
/// # Errors
///
/// The first difference, a panic of the cache, or a failure of its own [`check`](SystemUnderTest::check).
///
/// ```
/// use aws_client_cache_spec::check::step;
/// use aws_client_cache_spec::{Model, Operation};
///
/// let mut model = Model::lru(2);
/// let mut cache = model.clone();
/// step(&mut cache, &mut model, &Operation::Insert('a', 1))?;
///
/// let mut wrong = Model::lru(0);
/// let divergence = step(&mut wrong, &mut model, &Operation::Insert('b', 2)).unwrap_err();
/// assert_eq!(
///     divergence.to_string(),
///     "Insert('b', 2): the cache returns Evicted([('b', 2)]); the model expects Evicted([])",
/// );
/// # Ok::<(), aws_client_cache_spec::check::Divergence>(())
/// ```
pub fn step<K, V, R, C>(cache: &mut C, reference: &mut R, operation: &Operation<K, V>) -> Result<(), Divergence>
where
    K: Clone + Eq + Debug,
    V: Clone + Eq + Debug,
    R: Reference<K, V>,
    C: SystemUnderTest<K, V>,
{
    compare(cache, reference, operation).map(drop)
}

/// Does the same as [`step`], and returns the outcome.
///
/// Returns `None` if the cache or the reference does not have the operation, or if the cache declares a difference in it.
pub(crate) fn compare<K, V, R, C>(
    cache: &mut C,
    reference: &mut R,
    operation: &Operation<K, V>,
) -> Result<Option<Outcome<K, V>>, Divergence>
where
    K: Clone + Eq + Debug,
    V: Clone + Eq + Debug,
    R: Reference<K, V>,
    C: SystemUnderTest<K, V>,
{
    if !may_be_asked::<K, V, C>(operation) {
        return Ok(None);
    }
    let mut after = reference.clone();
    let expected = follow(&mut after, operation);
    if expected == Outcome::Missing {
        return Ok(None);
    }
    let (outcome, original) = caught(|| apply(cache, operation))
        .map_err(|message| Divergence::panic(format!("{operation:?}"), &message, format!("{expected:?}")))?;
    if outcome == Outcome::Missing {
        return Ok(None);
    }
    *reference = after;
    let ordered = !differs::<K, V, C>(Difference::Unordered);
    if !agree(C::DIFFERENCES, &outcome, &expected) {
        return Err(Divergence::new(format!("{operation:?}"), outcome, format!("{expected:?}")));
    }
    let entries = reference.entries();
    let is_expired = |key: &K| is_expired(reference, key);
    let there = There { entries: &entries, ordered, max_size: reference.bound(), is_expired: &is_expired };
    look(cache, operation, &there)?;
    check_independence(cache, original, operation, &there)?;
    Ok(Some(expected))
}

/// Applies one operation to a cache, and returns the original if the operation copies it.
pub(crate) fn apply<K, V, C>(cache: &mut C, operation: &Operation<K, V>) -> (Outcome<K, V>, Option<C>)
where
    K: Clone + Eq,
    V: Clone,
    C: SystemUnderTest<K, V>,
{
    match operation {
        Operation::Copy => match cache.copy() {
            Some(copy) => (Outcome::Done, Some(replace(cache, copy))),
            None => (Outcome::Missing, None),
        },
        _ => (operation.apply(cache), None),
    }
}

// D8.
/// Changes another copy of the original, and then the original itself.
///
/// Neither change may show in the other cache. `copy` and its original must agree with the expected content.
pub(crate) fn check_independence<K, V, C>(
    copy: &C,
    original: Option<C>,
    operation: &Operation<K, V>,
    there: &There<'_, K, V>,
) -> Result<(), Divergence>
where
    K: Clone + Eq + Debug,
    V: Clone + Eq + Debug,
    C: SystemUnderTest<K, V>,
{
    let Some(original) = original else { return Ok(()) };
    let changed = |cache: &str, divergence: &Divergence| Divergence::after(format!("in the {cache}, "), divergence);
    let panics = |message: String| Divergence::panic(format!("a change after {operation:?}"), &message, "no panic");
    caught(|| original.copy().map(|other| change(other, there))).map_err(panics)?;
    look(&original, operation, there).map_err(|found| changed("original of a changed copy", &found))?;
    caught(|| change(original, there)).map_err(panics)?;
    look(copy, operation, there).map_err(|found| changed("copy of a changed original", &found))
}

/// Changes the order, the bound and the entries of a cache, and drops it.
fn change<K: Clone + Eq, V: Clone, C: SystemUnderTest<K, V>>(mut cache: C, there: &There<'_, K, V>) {
    if let Some((key, _)) = there.entries.first() {
        drop(cache.get(key));
    }
    // Every cache allows the smallest bound.
    drop(cache.set_max_size(usize::from(differs::<K, V, C>(Difference::NoZero))));
    cache.clear();
}

/// Returns `true` if an outcome is as expected, apart from these differences.
pub(crate) fn agree<K: PartialEq, V: PartialEq>(
    differences: &[Difference],
    outcome: &Outcome<K, V>,
    expected: &Outcome<K, V>,
) -> bool {
    let untold = differences.contains(&Difference::VictimsNotReturned);
    let left = |gone: &Vec<_>, expected| gone == expected || untold && gone.is_empty();
    match (outcome, expected) {
        (Outcome::Evicted(gone), Outcome::Evicted(expected)) => left(gone, expected),
        (Outcome::Found(found, gone), Outcome::Found(value, expected)) => found == value && left(gone, expected),
        (Outcome::Entries(shown), Outcome::Entries(there)) if differences.contains(&Difference::Unordered) => {
            same_set(shown, there)
        }
        _ => outcome == expected,
    }
}

/// The expected content of a cache.
pub(crate) struct There<'a, K, V> {
    /// The entries, expired or not.
    pub(crate) entries: &'a [(K, V)],
    /// Is `true` if the cache lists the entries in the same order.
    pub(crate) ordered: bool,
    pub(crate) max_size: usize,
    pub(crate) is_expired: &'a dyn Fn(&K) -> bool,
}

/// Compares every accessor of a cache with its expected content after an operation.
///
/// A cache that panics differs.
pub(crate) fn look<K, V, C>(cache: &C, operation: &Operation<K, V>, there: &There<'_, K, V>) -> Result<(), Divergence>
where
    K: Clone + Eq + Debug,
    V: Clone + Eq + Debug,
    C: SystemUnderTest<K, V>,
{
    caught(|| look_at_all(cache, operation, there)).unwrap_or_else(|message| {
        Err(Divergence::panic(format!("an accessor after {operation:?}"), &message, "no panic"))
    })
}

fn look_at_all<K, V, C>(cache: &C, operation: &Operation<K, V>, there: &There<'_, K, V>) -> Result<(), Divergence>
where
    K: Clone + Eq + Debug,
    V: Clone + Eq + Debug,
    C: SystemUnderTest<K, V>,
{
    let There { entries, ordered, max_size, is_expired } = *there;
    let after = |accessor: &str| format!("{accessor} after {operation:?}");
    same(|| after("check"), &cache.check(), &Ok(()))?;
    same(|| after("max_size"), &cache.max_size(), &max_size)?;
    same(|| after("len"), &cache.len(), &entries.len())?;
    same(|| after("is_empty"), &cache.is_empty(), &entries.is_empty())?;
    let shown = cache.items();
    if ordered || !same_set(&shown, entries) {
        same(|| after("items"), &shown[..], entries)?;
    }
    // Whatever the order, every view has the same.
    same(|| after("keys"), &cache.keys(), &shown.iter().map(|(key, _)| key.clone()).collect())?;
    same(|| after("values"), &cache.values(), &shown.iter().map(|(_, value)| value.clone()).collect())?;
    same(|| after("reversed"), &cache.reversed(), &shown.iter().rev().cloned().collect())?;
    for key in entries.iter().map(|(key, _)| key).chain(operation.key()) {
        let value = entries.iter().find_map(|(present, value)| (present == key).then_some(value));
        let value = value.filter(|_| !is_expired(key)); // E4
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
