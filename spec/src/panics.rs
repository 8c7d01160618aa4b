//! Every panic of a caller's code, in every state of a small scope.

use crate::caught::{caught, message};
use crate::counter_example::CounterExample;
use crate::explore::{Explore, Scope, Visit, Visited, walk};
use crate::level::Level;
use crate::operation::{Operation, OperationKinds, Outcome};
use crate::panic_probe::{Callback, Injected, PanicProbe, inject_panic};
use crate::reference::{Reference, follow};
use crate::step::{Divergence, same_set, step};
use crate::system_under_test::{Difference, SystemUnderTest, differs};

type Key = PanicProbe<u8>;
type Value = PanicProbe<u64>;

/// The extent of a search; [`panics`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked {
    /// The number of states.
    pub states: usize,
    /// The number of calls that were made to panic.
    pub panics: usize,
    /// The kinds of the operations that the cache answered.
    pub answered: OperationKinds,
}

/// Makes every call of a caller's code panic once, for every operation in every joint state.
///
/// The calls are those of `Hash`, `Eq`, `Ord`, `Clone` and `Drop`. [`panic_step`] lists the conditions that must hold
/// afterwards.
///
/// `reference` and `new` create an empty reference and an empty cache, as for [`exhaustive`](crate::check::exhaustive()).
///
/// # Errors
///
/// A shortest sequence of operations that leads to a harmful panic; to a leak only if there is no other harm, and first of
/// all to one without a panic.
///
/// ```
/// use aws_client_cache_spec::check::{Level, panics};
/// use aws_client_cache_spec::faults::{Fault, Faulty};
/// use aws_client_cache_spec::{Model, Policy, Scope};
///
/// let faulty = |fault| move |max_size| Faulty::new(fault, Policy::Lru, max_size, 1);
/// let done = panics(Scope::new(1, 2), Model::lru, faulty(None))?;
/// assert!(done.panics > 20);
///
/// let found = panics(Scope::new(1, 2), Model::lru, faulty(Some(Fault::CopyTakesTheEntries))).unwrap_err();
/// assert_eq!(found.level(), Level::Panics);
/// assert!(found.to_string().contains("panic_step(cache, &model, &Operation::Copy, Callback::Clone, 0).unwrap();"));
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
pub fn panics<R: Reference<Key, Value>, C: Explore<Key, Value>>(
    scope: Scope,
    reference: impl Fn(usize) -> R,
    new: impl Fn(usize) -> C,
) -> Result<Panicked, CounterExample> {
    let mut panics = 0;
    let mut leaks = 0;
    let covered = walk(Level::Panics, scope, &reference, &new, |cache: &C, model: &R, operation| {
        all_panics(scope.callbacks, cache, model, operation, |harm| {
            panics += 1;
            leaks += usize::from(harm == Harm::Leaks);
            true
        })
    })?;
    if leaks > 0 {
        // A leak is the least harm, so it is reported only if there is no other.
        walk(Level::Panics, scope, &reference, &new, |cache: &C, model: &R, operation| {
            leaks_without_panic(cache, model, operation)
        })?;
        walk(Level::Panics, scope, &reference, &new, |cache: &C, model: &R, operation| {
            all_panics(scope.callbacks, cache, model, operation, |harm| harm == Harm::None)
        })?;
    }
    Ok(Panicked { states: covered.states, panics, answered: covered.answered })
}

/// The harm of a panic, if the cache continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    None,
    Leaks,
}

/// Makes every call of every callback panic once, if `accepts` the harm.
fn all_panics<R: Reference<Key, Value>, C: Explore<Key, Value>>(
    callbacks: &[Callback],
    cache: &C,
    model: &R,
    operation: &Operation<u8, u64>,
    mut accepts: impl FnMut(Harm) -> bool,
) -> Visit {
    if follow(&mut model.clone(), &operation.clone().map(Key::new, Value::new)) == Outcome::Missing {
        return Ok(());
    }
    for callback in callbacks.iter().copied() {
        for calls in 0.. {
            match harm(cache.fork(), model, operation, callback, calls) {
                Ok(None) => break,
                Ok(Some((_, harm))) if accepts(harm) => {}
                Ok(Some((divergence, _))) | Err(divergence) => {
                    return Err(Visited { divergence, panic: Some((callback, calls)), leaks: false });
                }
            }
        }
    }
    Ok(())
}

/// Checks that an operation leaks nothing if no callback panics.
///
/// Otherwise a panic would be blamed for it, because other operations follow.
fn leaks_without_panic<R: Reference<Key, Value>, C: Explore<Key, Value>>(
    cache: &C,
    model: &R,
    operation: &Operation<u8, u64>,
) -> Visit {
    let probes = operation.clone().map(Key::new, Value::new);
    if follow(&mut model.clone(), &probes) == Outcome::Missing {
        return Ok(());
    }
    let before = Key::alive();
    let mut fork = cache.fork();
    drop(caught(|| probes.apply(&mut fork)));
    drop(fork);
    match Key::alive() - before {
        0 => Ok(()),
        leaked => {
            let divergence = Divergence::new(format!("leaks after {operation:?}"), leaked, "0");
            Err(Visited { divergence, panic: None, leaks: true })
        }
    }
}

/// Applies one operation in which one call of a callback panics, after `calls` calls that do not.
///
/// Returns `true` if there was such a call. Afterwards (P1):
///
/// * The cache's own [`check`](SystemUnderTest::check) holds.
/// * The cache is as before the operation or as after it.
/// * If several entries are removed (shrinking, clearing), some of them may be left.
/// * From there, the cache behaves as the reference does, until it is empty, and again.
/// * Nothing leaks.
///
/// # Errors
///
/// The condition that does not hold.
///
/// [`panics`] shows an example of a call.
pub fn panic_step<R: Reference<Key, Value>, C: Explore<Key, Value>>(
    cache: C,
    reference: &R,
    operation: &Operation<u8, u64>,
    callback: Callback,
    calls: usize,
) -> Result<bool, Divergence> {
    match harm(cache, reference, operation, callback, calls)? {
        None => Ok(false),
        Some((_, Harm::None)) => Ok(true),
        Some((leak, Harm::Leaks)) => Err(leak),
    }
}

/// Does the same as [`panic_step`], but returns a leak as a separate result, with its report.
fn harm<R: Reference<Key, Value>, C: Explore<Key, Value>>(
    mut cache: C,
    model: &R,
    operation: &Operation<u8, u64>,
    callback: Callback,
    calls: usize,
) -> Result<Option<(Divergence, Harm)>, Divergence> {
    let with_cache = Key::alive();
    let fork = cache.fork();
    let without_cache = with_cache - (Key::alive() - with_cache);
    drop(fork);

    let at = |what: &str| format!("{what} after call {calls} of {callback:?} panicked in {operation:?}");
    let probes = operation.clone().map(Key::new, Value::new);
    match inject_panic(callback, calls, || probes.apply(&mut cache)) {
        Injected::NotReached(_) => return Ok(None),
        Injected::OtherPanic => {
            let what = format!("{operation:?} in which call {calls} of {callback:?} panics");
            return Err(Divergence::panic(what, &message(), "no other panic"));
        }
        Injected::Reached => {}
    }

    let panic = |message: String| Divergence::panic(at("an accessor"), &message, "no other panic");
    caught(|| cache.check()).map_err(panic)?.map_err(|broken| Divergence::new(at("check"), broken, "Ok(())"))?;
    let shown = caught(|| cache.items()).map_err(panic)?;
    let mut left = may_be_left(model, &probes, &shown, cache.max_size());
    if !differs::<Key, Value, C>(Difference::Unordered) {
        left.retain(|model| model.entries() == shown);
    }
    if left.is_empty() {
        let expected = format!("{:?}, or as the operation leaves it", model.entries());
        return Err(Divergence::new(at("items"), &shown, expected));
    }
    drop((shown, probes));
    // Only the following operations show which: a use may have been counted for a hit, or not.
    let mut went_on = Ok(());
    while let Some(model) = left.pop() {
        match inject_panic(callback, usize::MAX, || {
            shows_its_floor(cache.fork(), model.clone()).and_then(|()| goes_on(cache.fork(), model))
        }) {
            Injected::NotReached(Ok(())) => {
                went_on = Ok(());
                break;
            }
            Injected::NotReached(Err(divergence)) => {
                let panicked = format!("after call {calls} of {callback:?} panicked in {operation:?}, then ");
                went_on = Err(Divergence::after(panicked, &divergence));
            }
            _ => went_on = Err(Divergence::panic(at("a later operation"), &message(), "no other panic")),
        }
    }
    drop(left);
    went_on?;
    drop(cache);
    let leaked = Key::alive() - without_cache;
    let harm = if leaked == 0 { Harm::None } else { Harm::Leaks };
    Ok(Some((Divergence::new(at("leaks"), leaked, "0"), harm)))
}

/// Returns the references that an operation that panicked may have left (P1).
///
/// These are all references in which the operation is not, partly or completely done, and which show the entries in
/// `shown`. There may be several, because only the following operations show if a use was counted.
///
/// ```
/// use aws_client_cache_spec::check::may_be_left;
/// use aws_client_cache_spec::{Model, Operation, SystemUnderTest};
///
/// let mut model = Model::lru(2);
/// model.insert('a', 1)?;
/// let hit = Operation::Get('a');
/// assert_eq!(may_be_left(&model, &hit, &[('a', 1)], 2).len(), 2); // counted or not
/// assert_eq!(may_be_left(&model, &hit, &[], 2), []); // but not lost
/// # Ok::<(), aws_client_cache_spec::Refusal>(())
/// ```
pub fn may_be_left<K: Clone + Eq, V: Clone + Eq, R: Reference<K, V>>(
    reference: &R,
    operation: &Operation<K, V>,
    shown: &[(K, V)],
    max_size: usize,
) -> Vec<R> {
    let mut after = reference.clone();
    follow(&mut after, operation);
    let mut left = vec![reference.clone(), after];
    left.extend(reference.partly(operation, &|key| shown.iter().any(|(present, _)| present == key)));
    left.retain(|left| left.bound() == max_size && same_set(shown, &left.entries()));
    left
}

/// Compares the effect of evictions on later entries by a new entry, for which a removal makes room.
///
/// An eviction would set the floor of LFUDA before the new entry starts above it.
fn shows_its_floor<R: Reference<Key, Value>, C: SystemUnderTest<Key, Value>>(
    cache: C,
    model: R,
) -> Result<(), Divergence> {
    let last = model.entries().pop().filter(|_| model.ages()); // F2
    let Some((last, _)) = last else { return Ok(()) };
    let mut later = Later { cache, model, done: String::new() };
    later.step(Operation::Remove(*last.get()))?;
    drop(last);
    later.step(NEWCOMER)
}

/// Compares the cache with the reference until both are empty, and then with new entries.
fn goes_on<R: Reference<Key, Value>, C: SystemUnderTest<Key, Value>>(cache: C, model: R) -> Result<(), Divergence> {
    let mut later = Later { cache, model, done: String::new() };
    later.step(NEWCOMER)?;
    later.step(Operation::Get(u8::MAX))?;
    if !differs::<Key, Value, C>(Difference::NoPop) {
        for _ in 0..=later.model.count() {
            later.step(Operation::Pop)?;
        }
    }
    later.step(Operation::Clear)?;
    later.step(NEWCOMER)?;
    later.step(Operation::Remove(u8::MAX))
}

/// The insertion of a key that does not occur otherwise.
const NEWCOMER: Operation<u8, u64> = Operation::Insert(u8::MAX, 0);

/// A cache and its reference after a panic.
struct Later<C, R> {
    cache: C,
    model: R,
    /// The operations since then, each followed by a comma.
    done: String,
}

impl<R: Reference<Key, Value>, C: SystemUnderTest<Key, Value>> Later<C, R> {
    /// Compares one operation. A divergence names the operations before it.
    fn step(&mut self, operation: Operation<u8, u64>) -> Result<(), Divergence> {
        let done = format!("{operation:?}, ");
        step(&mut self.cache, &mut self.model, &operation.map(Key::new, Value::new))
            .map_err(|divergence| Divergence::after(&self.done, &divergence))?;
        self.done.push_str(&done);
        Ok(())
    }
}
