//! A breadth-first walk through every joint state of a cache and the model.

use std::collections::{HashSet, VecDeque};
use std::fmt::Debug;

use fastrand::Rng;

use crate::counter_example::{CounterExample, Found, Note};
use crate::expiry::times;
use crate::level::Level;
use crate::operation::{Operation, OperationKinds};
use crate::panic_probe::Callback;
use crate::reference::{Reference, expiries, source};
use crate::shrink::shrink;
use crate::step::{Divergence, compare};
use crate::system_under_test::{Difference, SystemUnderTest, differs};

/// A [`SystemUnderTest`] that can be copied exactly, and whose states a search can recognize.
///
/// ```
/// use aws_client_cache_spec::check::exhaustive;
/// use aws_client_cache_spec::{Model, Scope};
///
/// // The fingerprint of the model is all that it consists of.
/// let scope = Scope { symmetric: true, ..Scope::new(3, 4) };
/// let covered = exhaustive(scope, Model::lru, Model::lru)?;
/// assert_eq!((covered.states, covered.transitions), (10, 390));
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
pub trait Explore<K: Eq, V>: SystemUnderTest<K, V> {
    /// Returns an exact copy, down to the layout in memory.
    ///
    /// This is not [`copy`](SystemUnderTest::copy), which may tidy up.
    #[must_use]
    fn fork(&self) -> Self;

    /// Returns everything that the cache's later behavior can depend on, apart from the values.
    ///
    /// `names` shows the keys. A cache that returns nothing is checked in every state of the model, but not in every
    /// state of its own.
    ///
    /// Return ranks, never absolute counters: a cache that orders its entries by a tick of a clock returns their order,
    /// not the ticks. Otherwise each use leads to a new state, and the search reaches its
    /// [limit](Scope::max_states). Omit nothing either: two states of one fingerprint count as one. At its end, the
    /// search [samples](Scope::samples) such states, and reports a fingerprint that hides a difference between them.
    ///
    /// ```
    /// use aws_client_cache_spec::Names;
    ///
    /// /// The fingerprint of a cache that remembers when each of its keys was used.
    /// fn fingerprint(last_uses: &[(char, u64)], names: Names<'_, char>) -> Vec<u64> {
    ///     let mut by_last_use = last_uses.to_vec();
    ///     by_last_use.sort_by_key(|(_, tick)| *tick);
    ///     by_last_use.iter().map(|(key, _)| names.of(key)).collect()
    /// }
    /// ```
    fn fingerprint(&self, names: Names<'_, K>) -> Vec<u64> {
        let _ = names;
        Vec::new()
    }
}

/// The representation of keys in a fingerprint.
///
/// [`Explore::fingerprint`] is called with them.
///
/// ```
/// use aws_client_cache_spec::Names;
///
/// /// The fingerprint of a cache that is a list of keys, and has an index of them.
/// fn fingerprint(keys: &[char], buckets: &[u64], names: Names<'_, char>) -> Vec<u64> {
///     let mut fingerprint: Vec<_> = keys.iter().map(|key| names.of(key)).collect();
///     if names.are_own() {
///         fingerprint.extend(buckets);
///     }
///     fingerprint
/// }
/// ```
#[derive(Debug)]
pub struct Names<'a, K> {
    /// The keys, each named by its index.
    keys: &'a [K],
    /// The name of every other key.
    other: u64,
    own: bool,
}

impl<K> Clone for Names<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Names<'_, K> {}

impl<K: PartialEq> Names<'_, K> {
    /// Returns the number that represents a key.
    ///
    /// The type shows an example.
    pub fn of(self, key: &K) -> u64 {
        self.keys.iter().position(|named| named == key).map_or(self.other, |place| place as u64)
    }
}

impl<'a, K> Names<'a, K> {
    /// Names each of these keys by its index, and no other key.
    pub(crate) fn of_all(keys: &'a [K]) -> Self {
        Self { keys, other: u64::MAX, own: true }
    }

    /// Returns `true` if keys have individual names, so that the fingerprint must be complete.
    ///
    /// Otherwise keys are interchangeable. Then omit everything that depends on the identity of a key, such as the
    /// bucket that its hash selects.
    ///
    /// The type shows an example.
    pub fn are_own(self) -> bool {
        self.own
    }
}

/// The limits of a search.
///
/// [`Explore`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The largest bound that is set; all bounds from 0 on are.
    pub max_size: u8,
    /// The number of keys.
    pub keys: u8,
    /// Merges states that differ only by the identity of keys with equal expiry.
    ///
    /// So a search covers more keys in less time. The reference must name its [state](Reference::state), or the search
    /// fails. The state must name every key that the reference remembers.
    ///
    /// Absent keys have one name, and the search operates on one of them. So it would omit states of a policy that
    /// remembers absent keys, such as the ghosts of 2Q, ARC and S3-FIFO. A search fails if the state of the reference, or
    /// the [fingerprint](Explore::fingerprint) of the cache, names a key that is not among the
    /// [entries](Reference::entries).
    ///
    /// Omit everything that depends on hashes from the fingerprint, and cover it by a search that is not symmetric.
    pub symmetric: bool,
    /// The maximum number of operations in a sequence.
    pub depth: usize,
    /// The maximum number of states, after which the search fails.
    ///
    /// A search that has no end is most often one whose [fingerprints](Explore::fingerprint) contain counters. The states
    /// of [`exhaustive_to_depth`](crate::check::exhaustive_to_depth()) are sequences, so limit their `depth`.
    pub max_states: usize,
    /// The number of repeated states from which operations are drawn at the end of the search.
    ///
    /// So it finds a [fingerprint](Explore::fingerprint) that hides a part of the cache's state.
    pub samples: usize,
    /// The callbacks that [`panics`](crate::check::panics()) makes panic.
    ///
    /// Leave some out for a cache that is not safe under their panics, but under those of the others.
    pub callbacks: &'static [Callback],
}

impl Scope {
    /// Creates a scope of sequences of every length, with individual keys and bounds up to `max_size`.
    ///
    /// It has up to 200,000 states, of which 100 repeated ones are sampled. All callbacks panic.
    ///
    /// [`Explore`] shows an example.
    pub const fn new(max_size: u8, keys: u8) -> Self {
        let (depth, max_states, samples) = (usize::MAX, 200_000, 100);
        Self { max_size, keys, symmetric: false, depth, max_states, samples, callbacks: &Callback::ALL }
    }

    pub(crate) fn counter_example(
        self,
        level: Level,
        reference: String,
        operations: Vec<Operation<u8, u64>>,
        divergence: Divergence,
    ) -> Found {
        let max_size = self.max_size.into();
        Found { level, reference, max_size, operations, panic: None, leaks: false, note: None, divergence }
    }

    /// Creates the counterexample of a search that reaches its limit.
    pub(crate) fn endless(
        self,
        level: Level,
        reference: String,
        operations: Vec<Operation<u8, u64>>,
    ) -> CounterExample {
        let limit = Divergence::note(format!("no end of the search after {} states", self.max_states));
        let found = self.counter_example(level, reference, operations, limit);
        Found { note: Some(Note::Stopped(ENDLESS)), ..found }.into()
    }

    /// Fails if keys are to be interchangeable, but the reference does not name its state without them.
    pub(crate) fn check_symmetry<K, V, R>(self, level: Level, empty: &R) -> Result<(), CounterExample>
    where
        K: Clone + Eq + Debug + From<u8>,
        V: Clone,
        R: Reference<K, V>,
    {
        if !self.symmetric || empty.state(Names::of_all(&[])).is_some() {
            return Ok(());
        }
        let what = Divergence::note("`Scope::symmetric` is set, but the reference has no `Reference::state`");
        let found = self.counter_example(level, source(empty, &[]), Vec::new(), what);
        Err(Found { note: Some(Note::Stopped(NO_STATE)), ..found }.into())
    }
}

/// The extent of a search.
///
/// [`Explore`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The number of states.
    pub states: usize,
    /// The number of compared operations. No two are the same operation in the same state.
    ///
    /// An operation that the cache does not have is not compared.
    pub transitions: usize,
    /// The kinds of the compared operations.
    pub answered: OperationKinds,
}

struct Joint<C, R> {
    cache: C,
    model: R,
    /// The state and the operation from which the search reached this state.
    found: Option<(usize, Operation<u8, u64>)>,
    depth: usize,
}

/// The states and operations by which a search reached each of its states.
type Trail = [Option<(usize, Operation<u8, u64>)>];

/// The result of a visit.
pub(crate) type Visit = Result<(), Visited>;

/// A divergence that a visit finds.
#[derive(Debug)]
pub(crate) struct Visited {
    pub(crate) divergence: Divergence,
    /// The panic that led to it.
    pub(crate) panic: Option<(Callback, usize)>,
    /// Is `true` for a leak without a panic.
    pub(crate) leaks: bool,
}

/// Applies every operation in every joint state, after it has called `visit` with both.
///
/// Cache and reference must then agree.
pub(crate) fn walk<K, V, R, C>(
    level: Level,
    scope: Scope,
    reference: impl Fn(usize) -> R,
    new: impl Fn(usize) -> C,
    mut visit: impl FnMut(&C, &R, &Operation<u8, u64>) -> Visit,
) -> Result<Covered, CounterExample>
where
    K: Clone + Eq + Debug + From<u8>,
    V: Clone + Eq + Debug + From<u64>,
    R: Reference<K, V>,
    C: Explore<K, V>,
{
    let empty = reference(scope.max_size.into());
    scope.check_symmetry(level, &empty)?;
    let universe = Universe::new(&empty, scope);
    let first = Joint { cache: new(scope.max_size.into()), model: empty.clone(), found: None, depth: 0 };
    let mut seen = HashSet::from([universe.canonical(&first)]);
    let mut trail = Vec::new();
    let mut open = VecDeque::from([first]);
    let mut transitions = 0;
    let mut answered = OperationKinds::default();
    let mut samples = Samples::new(scope);
    while let Some(joint) = open.pop_front() {
        let place = trail.len();
        trail.push(joint.found.clone());
        if joint.depth == scope.depth {
            continue;
        }
        for operation in universe.operations::<V, R, C>(&joint.model) {
            let mut next = Joint {
                cache: joint.cache.fork(),
                model: joint.model.clone(),
                found: Some((place, operation.clone())),
                depth: joint.depth + 1,
            };
            let visited = visit(&joint.cache, &joint.model, &operation).and_then(|()| {
                let operation = operation.clone().map(K::from, V::from);
                compare(&mut next.cache, &mut next.model, &operation).map_err(|divergence| Visited {
                    divergence,
                    panic: None,
                    leaks: false,
                })
            });
            match visited {
                Ok(None) => continue,
                Ok(Some(_)) => {}
                Err(Visited { divergence, panic, leaks }) => {
                    let operations = path(&trail, place, operation);
                    let found = scope.counter_example(level, source(&empty, &operations), operations, divergence);
                    return Err(Found { panic, leaks, ..found }.into());
                }
            }
            transitions += 1;
            answered.insert(operation.kind());
            let fingerprint = |names: Names<'_, K>| next.cache.fingerprint(names);
            universe.check_absent_keys(level, [&empty, &next.model], fingerprint, || {
                path(&trail, place, operation.clone())
            })?;
            if !seen.insert(universe.canonical(&next)) {
                samples.offer(next);
            } else if seen.len() > scope.max_states {
                let operations = path(&trail, place, operation);
                return Err(scope.endless(level, source(&empty, &operations), operations));
            } else {
                open.push_back(next);
            }
        }
    }
    if level == Level::Exhaustive {
        samples.check(&universe, &trail, reference, new)?;
    }
    Ok(Covered { states: seen.len(), transitions, answered })
}

/// The explanation of a symmetric search whose reference names no state.
const NO_STATE: &str = "Without it, the reference itself identifies its state, with individual keys. Implement it as the \
    fingerprint of the reference, or unset `symmetric`.";

/// The explanation of a symmetric search of a reference or a cache that remembers an absent key.
const GHOST: &str = "A symmetric search gives one name to all absent keys, and operates on one of them, so it would omit \
    states. To search them all, unset `symmetric`.";

/// The explanation of a search that reaches its limit.
const ENDLESS: &str = "These operations lead to one state more than `Scope::max_states`. Does the fingerprint contain \
    counters? Return ranks, let counts saturate, limit `depth`, or raise `max_states`.";

/// The explanation of a divergence that only sampling finds.
const HIDDEN: &str = "Other operations lead to a state with the same fingerprint, in which the cache does as expected. \
    So the fingerprint hides a part of the state.";

/// Repeated states, drawn evenly from all those that a search reaches.
struct Samples<C, R> {
    rng: Rng,
    limit: usize,
    offered: usize,
    drawn: Vec<Joint<C, R>>,
}

impl<C, R> Samples<C, R> {
    fn new(scope: Scope) -> Self {
        // In a search of limited depth, a repeated state may lead further than the search has been.
        let limit = if scope.depth == usize::MAX { scope.samples } else { 0 };
        Self { rng: Rng::with_seed(0), limit, offered: 0, drawn: Vec::new() }
    }

    /// Keeps a state, each of those offered with the same probability.
    fn offer(&mut self, state: Joint<C, R>) {
        self.offered += 1;
        if self.drawn.len() < self.limit {
            self.drawn.push(state);
        } else if self.limit > 0
            && let Some(drawn) = self.drawn.get_mut(self.rng.usize(..self.offered))
        {
            *drawn = state;
        }
    }

    /// Compares the cache with the reference after random operations in each of the states.
    ///
    /// The search has found no difference, so one that shows here is hidden by the fingerprint.
    fn check<K, V>(
        mut self,
        universe: &Universe<K>,
        trail: &Trail,
        reference: impl Fn(usize) -> R,
        new: impl Fn(usize) -> C,
    ) -> Result<(), CounterExample>
    where
        K: Clone + Eq + Debug + From<u8>,
        V: Clone + Eq + Debug + From<u64>,
        R: Reference<K, V>,
        C: Explore<K, V>,
    {
        let smallest = usize::from(differs::<K, V, C>(Difference::NoZero));
        let times = times(&universe.expiries);
        let diverges = |max_size: usize, operations: &[Operation<u8, u64>]| {
            let (mut cache, mut model) = (new(max_size), reference(max_size));
            let mut steps = operations.iter().enumerate().map(|(place, operation)| {
                (place, compare(&mut cache, &mut model, &operation.clone().map(K::from, V::from)))
            });
            steps.find_map(|(place, compared)| compared.err().map(|divergence| (place, divergence)))
        };
        for Joint { mut cache, mut model, found, .. } in self.drawn {
            let Some((place, operation)) = found else { continue };
            let mut done = path(trail, place, operation);
            for _ in 0..SAMPLED_OPERATIONS {
                let possible = universe.operations::<V, R, C>(&model);
                let operation = possible[self.rng.usize(..possible.len())].clone();
                done.push(operation.clone());
                if let Err(divergence) = compare(&mut cache, &mut model, &operation.map(K::from, V::from)) {
                    let mut max_size = universe.scope.max_size.into();
                    let mut divergence = divergence;
                    // A cache that is not exactly copied may not do the same twice.
                    if diverges(max_size, &done).is_some() {
                        (max_size, done, divergence) = shrink(max_size, &done, smallest, &times, diverges);
                    }
                    let reference = source(&reference(max_size), &done);
                    let found = universe.scope.counter_example(Level::Exhaustive, reference, done, divergence);
                    return Err(Found { max_size, note: Some(Note::Hidden(HIDDEN)), ..found }.into());
                }
            }
        }
        Ok(())
    }
}

/// The number of operations in a sampled state.
const SAMPLED_OPERATIONS: usize = 50;

/// The keys and times of a search.
pub(crate) struct Universe<K> {
    scope: Scope,
    keys: Vec<K>,
    expiries: Vec<(u8, u64)>,
}

impl<K: Clone + Eq + From<u8>> Universe<K> {
    pub(crate) fn new<V: Clone, R: Reference<K, V>>(empty: &R, scope: Scope) -> Self {
        let keys = (0..scope.keys).map(K::from).collect();
        Self { scope, keys, expiries: expiries(empty, scope.keys) }
    }

    /// Returns a state in a comparable form.
    ///
    /// It consists of the reference's state and the cache's fingerprint, with equal names of keys.
    fn canonical<V: Clone, R: Reference<K, V>, C: Explore<K, V>>(&self, joint: &Joint<C, R>) -> (Option<R>, Vec<u64>) {
        let order: Vec<K> = if self.scope.symmetric { present(&joint.model) } else { Vec::new() };
        let keys = if self.scope.symmetric { &order } else { &self.keys };
        let names = Names { keys, other: u64::MAX, own: !self.scope.symmetric };
        let (itself, mut state) = match joint.model.state(names) {
            Some(state) => (None, state),
            None => (Some(joint.model.clone()), Vec::new()),
        };
        // The reference's part begins with its length, so the two parts cannot be confused.
        state.insert(0, state.len() as u64);
        state.extend(joint.cache.fingerprint(names));
        (itself, state)
    }

    /// Fails in a symmetric search if the state of the reference or of the cache names an absent key.
    ///
    /// `operations` lead to this state of both.
    pub(crate) fn check_absent_keys<V: Clone, R: Reference<K, V>>(
        &self,
        level: Level,
        [empty, reference]: [&R; 2],
        fingerprint: impl Fn(Names<'_, K>) -> Vec<u64>,
        operations: impl FnOnce() -> Vec<Operation<u8, u64>>,
    ) -> Result<(), CounterExample>
    where
        K: Debug,
    {
        let keys = if self.scope.symmetric { present(reference) } else { return Ok(()) };
        let names = Names { keys: &keys, other: u64::MAX, own: false };
        let others = Names { other: u64::MAX - 1, ..names };
        // No state depends on the name of an absent key, unless it has asked for one.
        let who = if reference.state(names) != reference.state(others) {
            "reference"
        } else if fingerprint(names) != fingerprint(others) {
            "cache"
        } else {
            return Ok(());
        };
        let operations = operations();
        let what = format!("`Scope::symmetric` is set, but the {who} remembers a key that is not among its entries");
        let source = source(empty, &operations);
        let found = self.scope.counter_example(level, source, operations, Divergence::note(what));
        Err(Found { note: Some(Note::Stopped(GHOST)), ..found }.into())
    }

    /// Returns every operation that may make a difference.
    ///
    /// If keys are interchangeable, one absent key stands for all absent keys with the same expiry. Expired entries are
    /// present.
    pub(crate) fn operations<V, R, C>(&self, model: &R) -> Vec<Operation<u8, u64>>
    where
        V: Clone + Eq + From<u64>,
        R: Reference<K, V>,
        C: SystemUnderTest<K, V>,
    {
        let entries = model.entries();
        let value = |key: u8| {
            let key = K::from(key);
            entries.iter().find_map(|(present, value)| (*present == key).then_some(value))
        };
        let (present, absent): (Vec<u8>, Vec<u8>) = (0..self.scope.keys).partition(|key| value(*key).is_some());
        let expiry = |key: u8| self.expiries.iter().find_map(|(expiring, at)| (*expiring == key).then_some(*at));
        let first = |place: usize| !absent[..place].iter().any(|other| expiry(*other) == expiry(absent[place]));
        let absent =
            (0..absent.len()).filter(|place| !self.scope.symmetric || first(*place)).map(|place| absent[place]);
        let about = |key: u8, value: u64| {
            [
                Operation::Insert(key, value),
                Operation::Get(key),
                Operation::TryGet(key),
                Operation::Peek(key),
                Operation::ContainsKey(key),
                Operation::Remove(key),
                Operation::GetOrInsert(key, value),
                Operation::GetMut(key, value),
            ]
        };
        // The value differs from the present one, so that a replacement shows.
        let other = |key: u8| u64::from(key) + if value(key) == Some(&V::from(key.into())) { 100 } else { 0 };
        let present = present.into_iter().flat_map(|key| about(key, other(key)));
        let absent = absent.flat_map(|key| about(key, key.into()));
        let sizes = (0..=self.scope.max_size).map(|size| Operation::SetMaxSize(size.into()));
        let others = [Operation::Pop, Operation::Clear, Operation::Copy, Operation::Items, Operation::NextVictim];
        let ends = ENDS.into_iter().flat_map(|ends| [Operation::Iterate(ends), Operation::Drain(ends)]);
        let retained = answers(self.scope.max_size).map(Operation::Retain);
        let others = others.into_iter().chain(ends).chain(retained);
        let times = times(&self.expiries).into_iter().map(Operation::SetTime);
        let expiring = (!self.expiries.is_empty()).then_some(Operation::RemoveExpired);
        let all = present.chain(absent).chain(sizes).chain(others).chain(times).chain(expiring);
        all.filter(may_be_asked::<K, V, C>).collect()
    }
}

/// Returns `true` unless the cache declares a difference in the operation.
///
/// The operation may have other keys and values than the cache.
pub(crate) fn may_be_asked<K: Eq, V, C: SystemUnderTest<K, V>>(operation: &Operation<impl Sized, impl Sized>) -> bool {
    may_be_called(C::DIFFERENCES, operation)
}

/// Returns `true` if none of these differences is in the operation.
pub(crate) fn may_be_called<K, V>(differences: &[Difference], operation: &Operation<K, V>) -> bool {
    let differs = |difference| differences.contains(&difference);
    match operation {
        Operation::SetMaxSize(0) => !differs(Difference::NoZero),
        Operation::Pop | Operation::NextVictim => !differs(Difference::NoPop),
        // Where the predicate is asked in no order, only equal answers have a defined effect.
        Operation::Retain(1..=0xFE) => !differs(Difference::Unordered),
        _ => true,
    }
}

/// Returns the keys of all entries, expired or not.
fn present<K: Clone + Eq, V: Clone, R: Reference<K, V>>(reference: &R) -> Vec<K> {
    reference.entries().into_iter().map(|(key, _)| key).collect()
}

/// The ends from which an iterator takes entries: the front, the back, or both.
const ENDS: [u8; 3] = [0, u8::MAX, 0b0110];

/// Returns every pattern of answers about up to four entries.
///
/// A shorter pattern, for a lower bound, is repeated.
fn answers(max_size: u8) -> impl Iterator<Item = u8> {
    let period = u32::from(max_size.min(4));
    let bit = move |pattern: u8, place: u32| u8::from(period > 0 && pattern >> (place % period) & 1 == 1) << place;
    (0..1_u8 << period).map(move |pattern| (0..u8::BITS).map(|place| bit(pattern, place)).sum())
}

fn path(trail: &Trail, mut place: usize, last: Operation<u8, u64>) -> Vec<Operation<u8, u64>> {
    let mut operations = vec![last];
    while let Some((from, operation)) = &trail[place] {
        operations.push(operation.clone());
        place = *from;
    }
    operations.reverse();
    operations
}
