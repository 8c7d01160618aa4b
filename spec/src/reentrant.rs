//! A cache whose keys and values use it when they are dropped.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::explore::may_be_called;
use crate::level::Level;
use crate::operation::{Operation, OperationKinds, Outcome};
use crate::panic_probe::{PanicProbe, on_drop};
use crate::threads::Shared;

/// A cache that holds its lock while it drops a caller's key or value.
///
/// It may also be a cache that lacks the operations to find out.
///
/// [`reentrant`] returns it, and shows an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlock(Obstacle);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Obstacle {
    /// The operation hangs, after the clock was set to this time.
    Hangs { operation: Operation<u8, u64>, time: Option<u64> },
    /// The cache has none of these look-ups.
    NoLookUp(OperationKinds),
    /// The cache has none of these insertions.
    NoInsertion(OperationKinds),
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = Level::Linearizable;
        match &self.0 {
            Obstacle::Hangs { operation, time } => {
                write!(f, "{level}: {operation:?} ")?;
                if let Some(time) = time {
                    write!(f, "after SetTime({time}) ")?;
                }
                f.write_str("hangs if a key or a value uses the cache when it is dropped")
            }
            Obstacle::NoLookUp(kinds) => {
                write!(f, "{level}: the cache has none of {kinds}, by which a dropped key or value could use it")
            }
            Obstacle::NoInsertion(kinds) => {
                write!(f, "{level}: the cache has none of {kinds}, so that no key or value could be dropped")
            }
        }
    }
}

impl std::error::Error for Deadlock {}

/// Checks that keys and values may use the cache when they are dropped, however they leave it (C2).
///
/// `new` creates an empty cache with the given `max_size`. On a full cache, the level calls each operation that can drop a
/// key or a value: one of an entry that leaves, or one that the cache does not store. If the cache has a clock, the level
/// does so once more after every key that can expire has expired. Each key and value that is dropped in the operation calls
/// the first of these that the cache has: `ContainsKey`, `Peek`, `Get`, `Items`.
///
/// Returns the kinds of the operations that were tried. Operations that the cache does not have are not among them.
/// Those in which the cache [differs](Shared::DIFFERENCES) are not called. Assert the kinds, as in the example.
///
/// A `Mutex` of a [`SystemUnderTest`](crate::SystemUnderTest) never passes. Write an adapter that moves each key and value out of the lock before
/// it is dropped.
///
/// # Errors
///
/// The operation that hangs, after ten seconds. The thread that hangs is left behind.
///
/// A cache that has none of the look-ups above, or neither `Insert` nor `GetOrInsert`. It would pass without a check.
///
/// # Panics
///
/// If the cache panics.
///
/// ```
/// use std::collections::VecDeque;
/// use std::mem::take;
/// use std::sync::Mutex;
///
/// use aws_client_cache_spec::check::PanicProbe;
/// use aws_client_cache_spec::concurrency::{Shared, reentrant};
/// use aws_client_cache_spec::{Operation, Outcome, Refusal};
///
/// /// A queue under a lock, and its bound.
/// struct Fifo<K, V>(Mutex<VecDeque<(K, V)>>, usize);
///
/// impl<K: Clone + Eq + Send + Sync, V: Clone + Send + Sync> Shared<K, V> for Fifo<K, V> {
///     fn call(&self, operation: &Operation<K, V>) -> Outcome<K, V> {
///         let lock = || self.0.lock().unwrap();
///         match operation {
///             Operation::Insert(key, value) => {
///                 let entry = (key.clone(), value.clone()); // if it is refused, it is dropped after the lock
///                 let mut queue = lock();
///                 if queue.iter().any(|(present, _)| present == key) {
///                     return Outcome::Refused(Refusal::AlreadyExists);
///                 }
///                 queue.push_back(entry);
///                 let victim = if queue.len() > self.1 { queue.pop_front() } else { None };
///                 Outcome::Evicted(victim.into_iter().collect())
///             }
///             Operation::ContainsKey(key) => Outcome::Answer(lock().iter().any(|(present, _)| present == key)),
///             Operation::Remove(key) => {
///                 let mut queue = lock();
///                 let found = queue.iter().position(|(present, _)| present == key);
///                 let removed = found.and_then(|index| queue.remove(index));
///                 drop(queue); // before the key
///                 removed.map_or(Outcome::Refused(Refusal::NotFound), |(_, value)| Outcome::Value(Some(value)))
///             }
///             Operation::Clear => {
///                 let all = take(&mut *lock()); // the lock ends here
///                 drop(all);
///                 Outcome::Done
///             }
///             _ => Outcome::Missing,
///         }
///     }
/// }
///
/// let tried = reentrant(|max_size| Fifo::<PanicProbe<u8>, PanicProbe<u64>>(Mutex::default(), max_size))?;
/// assert_eq!(tried.to_string(), "Insert, Remove, Clear");
/// # Ok::<(), aws_client_cache_spec::concurrency::Deadlock>(())
/// ```
pub fn reentrant<C>(new: impl Fn(usize) -> C) -> Result<OperationKinds, Deadlock>
where
    C: Shared<PanicProbe<u8>, PanicProbe<u64>> + Send + 'static,
{
    let look_ups = [Operation::ContainsKey(0), Operation::Peek(0), Operation::Get(0), Operation::Items];
    let insertions = [Operation::Insert(0, 0), Operation::GetOrInsert(0, 0)];
    let look_up = first_answered(&new(2), &look_ups).map_err(|kinds| Deadlock(Obstacle::NoLookUp(kinds)))?;
    let insertion = first_answered(&new(2), &insertions).map_err(|kinds| Deadlock(Obstacle::NoInsertion(kinds)))?;
    let ways_out = [
        Operation::Insert(2, 2),
        Operation::Insert(0, 2),
        Operation::Get(0),
        Operation::TryGet(0),
        Operation::Remove(0),
        Operation::Pop,
        Operation::Clear,
        Operation::SetMaxSize(0),
        Operation::SetMaxSize(1),
        Operation::GetOrInsert(2, 2),
        Operation::GetOrInsert(0, 2),
        Operation::GetMut(0, 2),
        Operation::Retain(0),
        Operation::Drain(0),
        Operation::SetTime(u64::MAX),
        Operation::RemoveExpired,
    ];
    let mut tried = OperationKinds::default();
    for time in [None, Some(u64::MAX)] {
        for operation in ways_out.iter().filter(|operation| may_be_called(C::DIFFERENCES, operation)) {
            let cache = new(2);
            for key in 0..2 {
                drop(cache.call(&insertion.clone().map(|_| PanicProbe::new(key), PanicProbe::new)));
            }
            if time.is_some_and(|time| matches!(cache.call(&Operation::SetTime(time)), Outcome::Missing)) {
                continue;
            }
            if drops_outside_of_locks(cache, operation, &look_up, time)? {
                tried.insert(operation.kind());
            }
        }
    }
    Ok(tried)
}

/// Returns the first of these operations that a cache has, or the kinds of all.
fn first_answered<C>(cache: &C, operations: &[Operation<u8, u64>]) -> Result<Operation<u8, u64>, OperationKinds>
where
    C: Shared<PanicProbe<u8>, PanicProbe<u64>>,
{
    let mut kinds = OperationKinds::default();
    for operation in operations {
        kinds.insert(operation.kind());
        if !matches!(cache.call(&probes(operation)), Outcome::Missing) {
            return Ok(operation.clone());
        }
    }
    Err(kinds)
}

fn probes(operation: &Operation<u8, u64>) -> Operation<PanicProbe<u8>, PanicProbe<u64>> {
    operation.clone().map(PanicProbe::new, PanicProbe::new)
}

/// Applies an operation while each key and value that is dropped calls `look_up`.
///
/// Returns `false` if the cache does not have the operation.
fn drops_outside_of_locks<C>(
    cache: C,
    operation: &Operation<u8, u64>,
    look_up: &Operation<u8, u64>,
    time: Option<u64>,
) -> Result<bool, Deadlock>
where
    C: Shared<PanicProbe<u8>, PanicProbe<u64>> + Send + 'static,
{
    let cache = Arc::new(cache);
    let (done, finished) = channel();
    let (called, look_up, operation_of_probes) = (Arc::clone(&cache), look_up.clone(), probes(operation));
    let thread = thread::spawn(move || {
        let mut is_answered = false;
        on_drop(
            move || drop(called.call(&probes(&look_up))),
            || is_answered = !matches!(cache.call(&operation_of_probes), Outcome::Missing),
        );
        let _ = done.send(is_answered);
    });
    let answered = finished.recv_timeout(Duration::from_secs(10));
    if answered == Err(RecvTimeoutError::Timeout) {
        return Err(Deadlock(Obstacle::Hangs { operation: operation.clone(), time }));
    }
    // If the thread panics, the channel is closed, and `join` passes on the panic.
    if let Err(panic) = thread.join() {
        resume_unwind(panic);
    }
    Ok(answered == Ok(true))
}
