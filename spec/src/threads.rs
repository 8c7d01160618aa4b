//! A cache that threads share.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use fastrand::Rng;

use crate::caught::caught;
use crate::explore::may_be_called;
use crate::generate::{Limits, Mix};
use crate::history::{Call, History, NotLinearizable, Problem};
use crate::operation::{Operation, Outcome};
use crate::reference::{Reference, follow};
use crate::system_under_test::{Difference, SystemUnderTest};

/// A cache under test that threads share.
///
/// A [`Mutex`] of a [`SystemUnderTest`] is one. It is [`linearizable`], but never [`reentrant`](crate::concurrency::reentrant()): it drops keys and values
/// while it is locked.
///
/// ```
/// use std::sync::Mutex;
///
/// use aws_client_cache_spec::concurrency::Shared;
/// use aws_client_cache_spec::{Model, Operation, Outcome};
///
/// // A cache of one thread, locked once for each operation, is one.
/// let shared = Mutex::new(Model::lru(2));
/// assert_eq!(shared.call(&Operation::Insert('a', 1)), Outcome::Evicted(vec![]));
/// ```
pub trait Shared<K, V>: Sync {
    /// The deliberate differences of the cache, which are not compared.
    const DIFFERENCES: &'static [Difference] = &[];

    /// Applies any operation except [`Operation::Copy`], which would concern another cache.
    ///
    /// [`Operation`] lists the outcomes of each. Return [`Outcome::Missing`] for an operation that the cache does not have.
    fn call(&self, operation: &Operation<K, V>) -> Outcome<K, V>;
}

impl<K: Clone + Eq, V: Clone, C: SystemUnderTest<K, V> + Send> Shared<K, V> for Mutex<C> {
    const DIFFERENCES: &'static [Difference] = C::DIFFERENCES;

    fn call(&self, operation: &Operation<K, V>) -> Outcome<K, V> {
        operation.apply(&mut *lock(self))
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call, if the cache has the operation. If it panics: a pending call, the time, and the panic.
type Timed<K, V, P> = Result<Option<Call<K, V>>, (Call<K, V>, u64, P)>;

/// Records the calls of threads, for a scheduler of your own.
///
/// [`linearizable`] uses the threads of the operating system.
///
/// ```
/// use std::sync::Mutex;
///
/// use aws_client_cache_spec::concurrency::Recorder;
/// use aws_client_cache_spec::{Model, Operation};
///
/// let model = Model::lru(2);
/// let (cache, recorder) = (Mutex::new(model.clone()), Recorder::new());
/// std::thread::scope(|threads| {
///     threads.spawn(|| recorder.call(0, &cache, Operation::Insert('a', 1)));
///     threads.spawn(|| recorder.call(1, &cache, Operation::Get('a')));
/// });
/// recorder.into_history().linearize(&model)?;
/// # Ok::<(), aws_client_cache_spec::concurrency::NotLinearizable<char, i32>>(())
/// ```
#[derive(Debug)]
pub struct Recorder<K, V> {
    clock: AtomicU64,
    calls: Mutex<Vec<Call<K, V>>>,
}

impl<K: PartialEq, V: PartialEq> Default for Recorder<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: PartialEq, V: PartialEq> Recorder<K, V> {
    /// Creates an empty recorder.
    ///
    /// The type shows an example.
    pub fn new() -> Self {
        Self { clock: AtomicU64::new(0), calls: Mutex::new(Vec::new()) }
    }

    /// Applies an operation on behalf of a thread, and records it, unless the cache does not have it.
    ///
    /// # Panics
    ///
    /// If the cache panics. The call is then recorded as pending.
    ///
    /// The type shows an example.
    pub fn call(&self, thread: usize, cache: &impl Shared<K, V>, operation: Operation<K, V>) {
        match self.time(thread, cache, operation, |call| catch_unwind(AssertUnwindSafe(call))) {
            Ok(call) => lock(&self.calls).extend(call),
            Err((call, _, panic)) => {
                lock(&self.calls).push(call);
                resume_unwind(panic);
            }
        }
    }

    /// Applies an operation, and returns the call, unless the cache does not have it.
    ///
    /// If `catch` returns an error, returns the call as pending, the time, and the error.
    fn time<P>(
        &self,
        thread: usize,
        cache: &impl Shared<K, V>,
        operation: Operation<K, V>,
        catch: impl FnOnce(&mut dyn FnMut() -> Outcome<K, V>) -> Result<Outcome<K, V>, P>,
    ) -> Timed<K, V, P> {
        let called = self.clock.fetch_add(1, SeqCst);
        let outcome = catch(&mut || cache.call(&operation));
        let returned = self.clock.fetch_add(1, SeqCst);
        match outcome {
            Ok(Outcome::Missing) => Ok(None),
            Ok(outcome) => Ok(Some(Call::new(thread, called..returned, operation, outcome))),
            Err(panic) => Err((Call::pending(thread, called, operation), returned, panic)),
        }
    }

    /// Returns the recorded history.
    ///
    /// The type shows an example.
    pub fn into_history(self) -> History<K, V> {
        History::new(self.calls.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The limits of [`linearizable`].
///
/// [`linearizable`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threads {
    /// The bound at first, and the largest that is set.
    pub max_size: u8,
    /// The number of keys.
    pub keys: u8,
    /// The number of threads.
    pub threads: usize,
    /// The number of calls of each thread.
    pub calls: usize,
    /// The number of caches, each with its own history.
    ///
    /// There are more, up to a hundred times as many, until enough calls have [overlapped](Self::overlapping).
    pub histories: usize,
    /// The minimum number of calls that must overlap in all histories together.
    ///
    /// Calls that do not overlap test no concurrency, so [`linearizable`] fails if there are fewer.
    pub overlapping: usize,
    /// The seed; equal seeds give equal operations, though not equal schedules.
    pub seed: u64,
}

impl Threads {
    /// Creates 200 histories of three threads with 300 calls each, under seed 0.
    ///
    /// There are four keys, and bounds up to two. At least 100 calls must overlap. A busy machine needs more histories for
    /// that, and a single processor may fail. Threads meet in a call only if they run for a while, so short histories find
    /// less than long ones.
    ///
    /// [`linearizable`] shows an example.
    pub const fn new() -> Self {
        Self { max_size: 2, keys: 4, threads: 3, calls: 300, histories: 200, overlapping: 100, seed: 0 }
    }

    /// Returns the operations of each thread in one history, by a mix of operations drawn for it.
    ///
    /// No mix includes copies.
    ///
    /// ```
    /// # use aws_client_cache_spec::concurrency::Threads;
    /// # use aws_client_cache_spec::Operation;
    /// let threads = Threads::new();
    /// let plan = threads.plan(0);
    /// assert_eq!((plan.len(), plan[0].len()), (3, 300));
    /// assert!(!plan.concat().contains(&Operation::Copy));
    /// assert_ne!(plan, threads.plan(1));
    /// ```
    pub fn plan(&self, history: usize) -> Vec<Vec<Operation<u8, u64>>> {
        let mut rng = Rng::with_seed(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(history as u64));
        let mix = Mix::draw(&mut rng, Limits { keys: self.keys, max_size: self.max_size, ..Limits::new() });
        let mut value = 0;
        let mut operation = || loop {
            value += 1;
            match mix.draw_operation(&mut rng, &[], value) {
                Operation::Copy => {}
                operation => return operation,
            }
        };
        (0..self.threads).map(|_| (0..self.calls).map(|_| operation()).collect()).collect()
    }
}

impl Default for Threads {
    fn default() -> Self {
        Self::new()
    }
}

/// The pauses of threads between their calls.
///
/// They are drawn outside of the calls, so that they make no calls overlap that need not.
#[derive(Clone, Copy, Debug)]
enum Pauses {
    None,
    /// Other threads come first.
    Yields,
    /// The timer interrupts another thread anywhere, even on a single processor.
    Sleeps,
}

impl Pauses {
    /// Returns the pauses of a history, by turns.
    fn of(history: usize) -> Self {
        [Self::None, Self::Yields, Self::None, Self::Sleeps][history % 4]
    }

    fn pause(self, rng: &mut Rng) {
        match self {
            Self::Yields if rng.bool() => thread::yield_now(),
            Self::Sleeps if rng.u8(..16) == 0 => thread::sleep(Duration::from_nanos(1)),
            _ => {}
        }
    }
}

/// A barrier after which no thread needs to be woken.
struct Start {
    asleep: Barrier,
    threads: usize,
    awake: AtomicUsize,
}

impl Start {
    fn new(threads: usize) -> Self {
        Self { asleep: Barrier::new(threads), threads, awake: AtomicUsize::new(0) }
    }

    fn wait(&self) {
        self.asleep.wait();
        self.awake.fetch_add(1, SeqCst);
        while self.awake.load(SeqCst) < self.threads {
            thread::yield_now(); // or a single processor would run this loop alone
        }
    }
}

/// The extent of the recording; [`linearizable`] shows an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The number of histories.
    pub histories: usize,
    /// The number of calls in all histories.
    pub calls: usize,
    /// The number of calls that overlap, [in pairs](History::overlapping).
    pub overlapping: usize,
}

/// Records histories of real threads, and searches an order that explains each of them.
///
/// `reference` and `new` create an empty reference and an empty cache with the given `max_size`. Operations that the
/// reference does not have are not called, and neither are those in which the cache [differs](Shared::DIFFERENCES).
///
/// Between their calls, threads now and then yield or sleep, so that another one comes first. Assert the number of
/// [overlapping](Recorded::overlapping) calls: other calls test no concurrency.
///
/// # Errors
///
/// Calls that no order explains, a call that panics, or too few calls that [overlap](Threads::overlapping), even in a
/// hundred times as many histories.
///
/// ```
/// use std::sync::Mutex;
///
/// use aws_client_cache_spec::concurrency::{Threads, linearizable};
/// use aws_client_cache_spec::Model;
///
/// let lru = |max_size| Mutex::new(Model::<u8, u64>::lru(max_size));
/// let recorded = linearizable(Threads::new(), Model::lru, lru)?;
/// assert!(recorded.calls >= 180_000 && recorded.overlapping >= 100, "{recorded:?}");
///
/// // A cache that evicts in another order.
/// let found = linearizable(Threads::new(), Model::lfu, lru).unwrap_err();
/// assert!(found.history().len() >= 4);
/// assert!(found.to_string().contains("Model::new(Policy::Lfu, 2)"));
/// # Ok::<(), aws_client_cache_spec::concurrency::NotLinearizable<u8, u64>>(())
/// ```
pub fn linearizable<R: Reference<u8, u64>, C: Shared<u8, u64>>(
    threads: Threads,
    reference: impl Fn(usize) -> R,
    new: impl Fn(usize) -> C,
) -> Result<Recorded, NotLinearizable<u8, u64>> {
    let mut done = Recorded::default();
    let smallest = usize::from(C::DIFFERENCES.contains(&Difference::NoZero));
    let max_size = usize::from(threads.max_size).max(smallest);
    let model = reference(max_size);
    while done.histories < threads.histories || done.overlapping < threads.overlapping {
        if done.histories >= threads.histories * MAX_FACTOR {
            let Recorded { calls, overlapping, .. } = done;
            let problem = Problem::Overlaps { overlapping, calls, minimum: threads.overlapping };
            let history = History::new(Vec::new());
            return Err(NotLinearizable { reference: None, before: Vec::new(), history, problem });
        }
        let (history, panic) = record(threads, done.histories, &model, &new(max_size));
        if let Some(message) = panic {
            return Err(panicked(&history, &model, message, &new));
        }
        history.linearize(&model)?;
        done.histories += 1;
        done.calls += history.len();
        done.overlapping += history.overlapping();
    }
    Ok(done)
}

/// The number of times that there may be more histories than planned.
///
/// A busy processor that is alone switches threads within one of a hundred thousand calls.
const MAX_FACTOR: usize = 100;

/// Records one history, and returns the message of the first panic, if there is one.
fn record<R: Reference<u8, u64>, C: Shared<u8, u64>>(
    threads: Threads,
    number: usize,
    model: &R,
    cache: &C,
) -> (History<u8, u64>, Option<String>) {
    let recorder = Recorder::new();
    let panics: Mutex<Vec<(u64, String)>> = Mutex::default();
    let start = Start::new(threads.threads);
    let pauses = Pauses::of(number);
    thread::scope(|scope| {
        for (thread, operations) in threads.plan(number).into_iter().enumerate() {
            let (recorder, panics, start) = (&recorder, &panics, &start);
            let has = |operation: &Operation<u8, u64>| {
                may_be_called(C::DIFFERENCES, operation) && follow(&mut model.clone(), operation) != Outcome::Missing
            };
            let operations: Vec<_> = operations.into_iter().filter(has).collect();
            let mut rng = Rng::with_seed((number * threads.threads + thread) as u64);
            scope.spawn(move || {
                // A lock around the recorded calls would make threads wait for each other.
                let mut calls = Vec::with_capacity(operations.len());
                start.wait();
                for operation in operations {
                    pauses.pause(&mut rng);
                    match recorder.time(thread, cache, operation, |call| caught(call)) {
                        Ok(call) => calls.extend(call),
                        Err((call, time, message)) => {
                            lock(panics).push((time, described(call.operation(), &message)));
                            calls.push(call);
                            break;
                        }
                    }
                }
                lock(&recorder.calls).extend(calls);
            });
        }
    });
    let mut panics = panics.into_inner().unwrap_or_else(PoisonError::into_inner);
    panics.sort_unstable();
    let first = panics.into_iter().next();
    let history = recorder.into_history().with_differences(C::DIFFERENCES);
    match first {
        // Later panics may follow from the first, such as those about a poisoned lock.
        Some((time, message)) => (history.until(time), Some(message)),
        None => (history, None),
    }
}

/// Returns the orders in which calls in flight may have led to a panic in the last of them.
///
/// Each call is the last one after none, one or all of the others.
fn last_calls(pending: &[&Operation<u8, u64>]) -> Vec<Vec<Operation<u8, u64>>> {
    let mut orders = Vec::new();
    for (place, last) in pending.iter().enumerate() {
        let others = [&pending[place + 1..], &pending[..place]].concat();
        let one = others.chunks(1);
        for before in [&[], &others[..]].into_iter().chain(one) {
            orders.push(before.iter().chain([last]).map(|call| (*call).clone()).collect());
        }
    }
    orders
}

/// Returns the message of a panic in an operation, on one line.
fn described(operation: &Operation<u8, u64>, message: &str) -> String {
    format!("{operation:?}: {message}").replace('\n', " ")
}

/// Describes a panic: by a shortest sequence on one thread, if there is one.
fn panicked<R: Reference<u8, u64>, C: Shared<u8, u64>>(
    history: &History<u8, u64>,
    model: &R,
    message: String,
    new: impl Fn(usize) -> C,
) -> NotLinearizable<u8, u64> {
    let max_size = model.bound();
    // Returns the operations up to the first one that panics, and its message.
    let panics = |operations: &[Operation<u8, u64>]| {
        let cache = new(max_size);
        operations.iter().enumerate().find_map(|(place, operation)| {
            let message = caught(|| cache.call(operation)).err()?;
            Some((operations[..=place].to_vec(), described(operation, &message)))
        })
    };
    let returned = history.returned(model);
    // The call may have panicked before others of these returned.
    let after_some =
        |last: &[_]| (0..=returned.len()).rev().find_map(|count| panics(&[&returned[..count], last].concat()));
    let on_one_thread = last_calls(&history.pending().collect::<Vec<_>>()).iter().find_map(|last| after_some(last));
    let Some((mut operations, mut message)) = on_one_thread else {
        let (before, history) = history.shown(model);
        return NotLinearizable { reference: None, before, history, problem: Problem::PanicsAmongOthers { message } };
    };
    let mut chunk = operations.len();
    while chunk > 0 {
        let mut start = 0;
        while start < operations.len() {
            let end = (start + chunk).min(operations.len());
            match panics(&[&operations[..start], &operations[end..]].concat()) {
                Some(fewer) => (operations, message) = fewer,
                None => start = end,
            }
        }
        chunk /= 2;
    }
    let problem = Problem::Panics { max_size, message };
    NotLinearizable { reference: None, before: operations, history: history.clone(), problem }
}
