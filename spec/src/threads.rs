//! A cache that threads share.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use fastrand::Rng;

use crate::generate::{Limits, Mix};
use crate::history::{Call, History, NotLinearizable};
use crate::level::Level;
use crate::operation::{Operation, Outcome};
use crate::panic_probe::{PanicProbe, on_drop};
use crate::reference::{Reference, follow};
use crate::system_under_test::SystemUnderTest;

/// A cache under test that threads share.
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
    /// Applies any operation except [`Operation::Copy`], which would concern another cache.
    ///
    /// [`Operation::apply`] shows which outcome belongs to which operation.
    fn call(&self, operation: &Operation<K, V>) -> Outcome<K, V>;
}

impl<K: Clone + Eq, V: Clone, C: SystemUnderTest<K, V> + Send> Shared<K, V> for Mutex<C> {
    fn call(&self, operation: &Operation<K, V>) -> Outcome<K, V> {
        operation.apply(&mut *lock(self))
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

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
    /// The type shows an example.
    pub fn call(&self, thread: usize, cache: &impl Shared<K, V>, operation: Operation<K, V>) {
        let called = self.clock.fetch_add(1, SeqCst);
        let outcome = cache.call(&operation);
        let returned = self.clock.fetch_add(1, SeqCst);
        if outcome == Outcome::Missing {
            return;
        }
        lock(&self.calls).push(Call::new(thread, called..returned, operation, outcome));
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
    pub histories: usize,
    /// The seed; equal seeds give equal operations, though not equal schedules.
    pub seed: u64,
}

impl Threads {
    /// Creates 500 histories of three threads with ten calls each, under seed 0.
    ///
    /// There are four keys, and bounds up to two.
    ///
    /// [`linearizable`] shows an example.
    pub const fn new() -> Self {
        Self { max_size: 2, keys: 4, threads: 3, calls: 10, histories: 500, seed: 0 }
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
    /// assert_eq!((plan.len(), plan[0].len()), (3, 10));
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

/// The extent of the recording; [`linearizable`] shows an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The number of histories.
    pub histories: usize,
    /// The number of calls in all histories.
    pub calls: usize,
    /// The number of calls that were made while another one was in flight.
    pub overlapping: usize,
}

/// Records histories of real threads, and searches an order that explains each of them.
///
/// `reference` and `new` create an empty reference and an empty cache with the given `max_size`. Operations that the
/// reference does not have are not called.
///
/// # Errors
///
/// Calls that no order explains.
///
/// ```
/// use std::sync::Mutex;
///
/// use aws_client_cache_spec::concurrency::{Threads, linearizable};
/// use aws_client_cache_spec::Model;
///
/// let lru = |max_size| Mutex::new(Model::<u8, u64>::lru(max_size));
/// let threads = Threads { histories: 50, ..Threads::new() };
/// assert_eq!(linearizable(threads, Model::lru, lru)?.calls, 1_500);
///
/// // A cache that evicts in another order.
/// let found = linearizable(threads, Model::lfu, lru).unwrap_err();
/// assert!(found.history().len() >= 4);
/// assert!(found.to_string().contains("history.linearize(&Model::new(Policy::Lfu, 2)).unwrap();"));
/// # Ok::<(), aws_client_cache_spec::concurrency::NotLinearizable<u8, u64>>(())
/// ```
pub fn linearizable<R: Reference<u8, u64>, C: Shared<u8, u64>>(
    threads: Threads,
    reference: impl Fn(usize) -> R,
    new: impl Fn(usize) -> C,
) -> Result<Recorded, NotLinearizable<u8, u64>> {
    let mut done = Recorded::default();
    let max_size = threads.max_size.into();
    let model = reference(max_size);
    for history in 0..threads.histories {
        let (cache, recorder) = (new(max_size), Recorder::new());
        let start = Barrier::new(threads.threads);
        thread::scope(|scope| {
            for (thread, operations) in threads.plan(history).into_iter().enumerate() {
                let (cache, recorder, start) = (&cache, &recorder, &start);
                let has = |operation: &Operation<u8, u64>| follow(&mut model.clone(), operation) != Outcome::Missing;
                let operations: Vec<_> = operations.into_iter().filter(has).collect();
                scope.spawn(move || {
                    start.wait();
                    for operation in operations {
                        recorder.call(thread, cache, operation);
                    }
                });
            }
        });
        let history = recorder.into_history();
        history.linearize(&model)?;
        done.histories += 1;
        done.calls += history.len();
        done.overlapping += history.overlapping();
    }
    Ok(done)
}

/// A cache that holds its lock while it drops a caller's key or value.
///
/// [`reentrant`] returns it, and shows an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlock {
    operation: Operation<u8, u64>,
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation } = self;
        write!(f, "{}: {operation:?} hangs if a key or a value uses the cache when it is dropped", Level::Linearizable)
    }
}

impl std::error::Error for Deadlock {}

/// Checks that keys and values may use the cache when they are dropped, however they leave it (C2).
///
/// # Errors
///
/// The operation that hangs, after ten seconds. The thread that hangs is left behind.
///
/// ```
/// use aws_client_cache_spec::check::PanicProbe;
/// use aws_client_cache_spec::concurrency::reentrant;
/// use aws_client_cache_spec::faults::{FaultyShared, SharedFault};
/// use aws_client_cache_spec::Policy;
///
/// let sound = |max_size| FaultyShared::<PanicProbe<u8>, PanicProbe<u64>>::new(None, Policy::Lru, max_size, || {});
/// reentrant(sound)?;
/// # Ok::<(), aws_client_cache_spec::concurrency::Deadlock>(())
/// ```
pub fn reentrant<C>(new: impl Fn(usize) -> C) -> Result<(), Deadlock>
where
    C: Shared<PanicProbe<u8>, PanicProbe<u64>> + Send + 'static,
{
    let ways_out = [
        Operation::Insert(1, 1),
        Operation::Insert(0, 1),
        Operation::Remove(0),
        Operation::Pop,
        Operation::Clear,
        Operation::SetMaxSize(0),
    ];
    for operation in ways_out {
        let cache = Arc::new(new(1));
        cache.call(&Operation::Insert(PanicProbe::new(0), PanicProbe::new(0)));
        let (done, finished) = channel();
        let probes = operation.clone().map(PanicProbe::new, PanicProbe::new);
        let thread = thread::spawn(move || {
            let called = Arc::clone(&cache);
            on_drop(
                move || drop(called.call(&Operation::ContainsKey(PanicProbe::new(0)))),
                || drop(cache.call(&probes)),
            );
            let _ = done.send(());
        });
        // If the thread panics, the channel is closed, and `join` passes on the panic.
        if finished.recv_timeout(Duration::from_secs(10)) == Err(RecvTimeoutError::Timeout) {
            return Err(Deadlock { operation });
        }
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
    Ok(())
}
