//! L3: every panic of a caller's code, in every state of a small scope.

use crate::caught::{caught, message};
use crate::counter_example::CounterExample;
use crate::explore::{Explore, Scope, Visit, walk};
use crate::fused::{Burned, Callback, Fused, with_fuse};
use crate::level::Level;
use crate::model::{EvictionPolicy, Model};
use crate::operation::{Operation, OperationKinds};
use crate::step::{Divergence, same_set, step};
use crate::subject::{Difference, Subject, differs};

type Key = Fused<u8>;
type Value = Fused<u64>;

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

/// Makes every call of a caller's code panic once, for every operation in every joint state (L3).
///
/// The calls are those of `Hash`, `Eq`, `Clone` and `Drop`. [`panic_step`] lists the conditions that must hold
/// afterwards.
///
/// `new` creates an empty cache, as for [`closure`](crate::closure()).
///
/// # Errors
///
/// A shortest sequence of operations that leads to a harmful panic; to a leak only if there is no other harm.
///
/// ```
/// use aws_client_cache_spec::{Broken, EvictionPolicy, Fault, Fused, Level, Model, Scope, panics};
///
/// let scope = Scope::new(EvictionPolicy::Lru, 1, 2);
/// let done = panics(scope, |max_size| Model::<Fused<u8>, Fused<u64>>::new(EvictionPolicy::Lru, max_size))?;
/// assert!(done.panics > 20);
///
/// let broken = |max_size| Broken::new(Fault::CopyTakesTheEntries, EvictionPolicy::Lru, max_size, 1);
/// let found = panics(scope, broken).unwrap_err();
/// assert_eq!(found.level(), Level::Panics);
/// assert!(found.to_string().contains("panic_step(cache, &model, &Operation::Copy, Callback::Clone, 0).unwrap();"));
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
pub fn panics<C: Explore<Key, Value>>(scope: Scope, new: impl Fn(usize) -> C) -> Result<Panicked, CounterExample> {
    let mut panics = 0;
    let mut leaks = 0;
    let covered = walk(Level::Panics, scope, &new, |cache: &C, model, operation| {
        all_panics(cache, model, operation, |harm| {
            panics += 1;
            leaks += usize::from(harm == Harm::Leaks);
            true
        })
    })?;
    if leaks > 0 {
        // A leak is the least harm, so it is reported only if there is no other.
        walk(Level::Panics, scope, &new, |cache: &C, model, operation| {
            all_panics(cache, model, operation, |harm| harm == Harm::None)
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
fn all_panics<C: Explore<Key, Value>>(
    cache: &C,
    model: &Model<Key, Value>,
    operation: &Operation<u8, u64>,
    mut accepts: impl FnMut(Harm) -> bool,
) -> Visit {
    for callback in Callback::ALL {
        for calls in 0.. {
            match harm(cache.fork(), model, operation, callback, calls) {
                Ok(None) => break,
                Ok(Some((_, harm))) if accepts(harm) => {}
                Ok(Some((leak, _))) | Err(leak) => return Err((leak, Some((callback, calls)))),
            }
        }
    }
    Ok(())
}

/// Applies one operation in which one call of a callback panics, after `calls` calls that do not.
///
/// Returns `true` if there was such a call. Afterwards (P1):
///
/// * The cache's own [`check`](Subject::check) holds.
/// * The cache is as before the operation or as after it.
/// * If several entries are removed (shrinking, clearing), some of them may be left.
/// * From there, the cache behaves as the model does, until it is empty, and again.
/// * Nothing leaks.
///
/// # Errors
///
/// The condition that does not hold.
///
/// [`panics`] shows an example of a call.
pub fn panic_step<C: Explore<Key, Value>>(
    cache: C,
    model: &Model<Key, Value>,
    operation: &Operation<u8, u64>,
    callback: Callback,
    calls: usize,
) -> Result<bool, Divergence> {
    match harm(cache, model, operation, callback, calls)? {
        None => Ok(false),
        Some((_, Harm::None)) => Ok(true),
        Some((leak, Harm::Leaks)) => Err(leak),
    }
}

/// Does the same as [`panic_step`], but returns a leak as a separate result, with its report.
fn harm<C: Explore<Key, Value>>(
    mut cache: C,
    model: &Model<Key, Value>,
    operation: &Operation<u8, u64>,
    callback: Callback,
    calls: usize,
) -> Result<Option<(Divergence, Harm)>, Divergence> {
    let with_cache = Key::alive();
    let fork = cache.fork();
    let without_cache = with_cache - (Key::alive() - with_cache);
    drop(fork);

    let at = |what: &str| format!("{what} after call {calls} of {callback:?} panicked in {operation:?}");
    let fused = operation.clone().map(Key::new, Value::new);
    match with_fuse(callback, calls, || fused.apply(&mut cache)) {
        Burned::Intact(_) => return Ok(None),
        Burned::Panicked => {
            let what = format!("{operation:?} in which call {calls} of {callback:?} panics");
            return Err(Divergence::panic(what, &message(), "no other panic"));
        }
        Burned::Blown => {}
    }

    let panic = |message: String| Divergence::panic(at("an accessor"), &message, "no other panic");
    caught(|| cache.check()).map_err(panic)?.map_err(|broken| Divergence::new(at("check"), broken, "Ok(())"))?;
    let shown = caught(|| cache.items()).map_err(panic)?;
    let mut left = may_be_left(model, &fused, &shown, cache.max_size());
    if !differs::<Key, Value, C>(Difference::Unordered) {
        left.retain(|model| model.items() == shown);
    }
    if left.is_empty() {
        let expected = format!("{:?}, or as the operation leaves it", model.items());
        return Err(Divergence::new(at("items"), &shown, expected));
    }
    drop((shown, fused));
    // Only the following operations show which: a use may have been counted for a hit, or not.
    let mut went_on = Ok(());
    while let Some(model) = left.pop() {
        match with_fuse(callback, usize::MAX, || {
            shows_its_floor(cache.fork(), model.clone()).and_then(|()| goes_on(cache.fork(), model))
        }) {
            Burned::Intact(Ok(())) => {
                went_on = Ok(());
                break;
            }
            Burned::Intact(Err(divergence)) => went_on = Err(divergence),
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

/// Returns the models that an operation that panicked may have left (P1).
///
/// These are all models in which the operation is not, partly or completely done, and which show the entries in
/// `shown`. There may be several, because only the following operations show if a use was counted.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Model, Operation, Subject, may_be_left};
///
/// let mut model = Model::new(EvictionPolicy::Lru, 2);
/// model.insert('a', 1)?;
/// let hit = Operation::Get('a');
/// assert_eq!(may_be_left(&model, &hit, &[('a', 1)], 2).len(), 2); // counted or not
/// assert_eq!(may_be_left(&model, &hit, &[], 2), []); // but not lost
/// # Ok::<(), aws_client_cache_spec::Refusal>(())
/// ```
pub fn may_be_left<K: Clone + Eq, V: Clone + Eq>(
    model: &Model<K, V>,
    operation: &Operation<K, V>,
    shown: &[(K, V)],
    max_size: usize,
) -> Vec<Model<K, V>> {
    let mut after = model.clone();
    operation.apply(&mut after);
    let mut left = vec![model.clone(), after];
    match operation {
        Operation::Clear => {
            let mut partly = model.clone();
            partly.entries.retain(|entry| shown.iter().any(|(key, _)| *key == entry.key));
            // F2: a cache that is empty afterwards was cleared, and its floor was reset.
            if !partly.is_empty() {
                left.push(Model { floor: 0, ..partly.clone() });
                left.push(partly);
            }
        }
        Operation::RemoveExpired => {
            let mut partly = model.clone();
            let expiry = &model.expiry;
            partly
                .entries
                .retain(|entry| !expiry.is_past(&entry.key) || shown.iter().any(|(key, _)| *key == entry.key));
            left.push(partly);
        }
        Operation::SetMaxSize(max_size) => {
            let mut partly = model.clone();
            while partly.len() > *max_size && partly.evict().is_some() {
                left.push(partly.clone());
                left.push(Model { max_size: *max_size, ..partly.clone() });
            }
        }
        _ => {}
    }
    left.retain(|model| model.max_size() == max_size && same_set(shown, &model.items()));
    left
}

/// Compares the floors by a new entry, for which a removal makes room.
///
/// An eviction would set the floor before the new entry starts above it.
fn shows_its_floor<C: Subject<Key, Value>>(mut cache: C, mut model: Model<Key, Value>) -> Result<(), Divergence> {
    let last = model.keys().pop().filter(|_| model.policy == EvictionPolicy::Lfuda); // F2
    let Some(last) = last else { return Ok(()) };
    step(&mut cache, &mut model, &Operation::Remove(last))?;
    step(&mut cache, &mut model, &Operation::Insert(u8::MAX, 0).map(Key::new, Value::new))
}

/// Compares the cache with the model until both are empty, and then with new entries.
fn goes_on<C: Subject<Key, Value>>(mut cache: C, mut model: Model<Key, Value>) -> Result<(), Divergence> {
    let mut go = |operation: Operation<u8, u64>| step(&mut cache, &mut model, &operation.map(Key::new, Value::new));
    let newcomer = Operation::Insert(u8::MAX, 0);
    go(newcomer.clone())?;
    go(Operation::Get(u8::MAX))?;
    if !differs::<Key, Value, C>(Difference::NoPop) {
        for _ in 0..=model.len() {
            step(&mut cache, &mut model, &Operation::Pop)?;
        }
    }
    let mut go = |operation: Operation<u8, u64>| step(&mut cache, &mut model, &operation.map(Key::new, Value::new));
    go(Operation::Clear)?;
    go(newcomer)?;
    go(Operation::Remove(u8::MAX))
}
