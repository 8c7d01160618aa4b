//! A breadth-first walk through every joint state of a cache and the model.

use std::collections::{HashSet, VecDeque};
use std::fmt::Debug;

use fastrand::Rng;

use crate::counter_example::{CounterExample, Found};
use crate::expiry::times;
use crate::fused::Callback;
use crate::level::Level;
use crate::model::{EvictionPolicy, InsertionMode, Model};
use crate::operation::{Operation, OperationKinds};
use crate::step::{Divergence, compare};
use crate::subject::{Difference, Subject, differs};

/// A [`Subject`] that can be copied exactly, with a fingerprint by which a search recognizes its states.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Model, Scope, closure};
///
/// // The fingerprint of the model is all that it consists of.
/// let scope = Scope { symmetric: true, ..Scope::new(EvictionPolicy::Lru, 3, 4) };
/// let covered = closure(scope, |max_size| Model::<u8, u64>::new(EvictionPolicy::Lru, max_size))?;
/// assert_eq!((covered.states, covered.transitions), (10, 200));
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
pub trait Explore<K: Eq, V>: Subject<K, V> {
    /// Returns an exact copy, down to the layout in memory.
    ///
    /// This is not [`copy`](Subject::copy), which may tidy up.
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

impl<K: Clone + Eq, V: Clone> Explore<K, V> for Model<K, V> {
    fn fork(&self) -> Self {
        self.clone()
    }

    fn fingerprint(&self, names: Names<'_, K>) -> Vec<u64> {
        // LRU counts have no effect.
        let counts = |uses| if self.policy == EvictionPolicy::Lru { 0 } else { uses };
        let entries = self.by_last_use().flat_map(|(key, uses)| [names.of(key), counts(uses)]);
        let mut fingerprint: Vec<_> = [self.max_size() as u64, self.floor].into_iter().chain(entries).collect();
        // Where nothing expires, the time has no effect. Where a key expires, keys with different expiries are not
        // interchangeable, whatever their names are.
        if self.expiry.occurs() {
            fingerprint.push(self.now());
            let expiries = self.by_last_use().map(|(key, _)| self.expiry.of(key));
            fingerprint.extend(expiries.flat_map(|at| [at.is_some().into(), at.unwrap_or_default()]));
        }
        fingerprint
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
        self.keys.iter().position(|named| named == key).map_or(u64::MAX, |place| place as u64)
    }
}

impl<K> Names<'_, K> {
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
    /// The policy under test.
    pub policy: EvictionPolicy,
    /// The effect of inserting a present key.
    pub insertion: InsertionMode,
    /// The largest bound that is set; all bounds from 0 on are.
    pub max_size: u8,
    /// The number of keys.
    pub keys: u8,
    /// The use count at which counts saturate.
    pub max_uses: u64,
    /// Merges states that differ only by the identity of keys with equal expiry.
    ///
    /// So a search covers more keys in less time. Omit everything that depends on hashes from the fingerprint, and cover
    /// it by a search that is not symmetric.
    pub symmetric: bool,
    /// The maximum number of operations in a sequence.
    pub depth: usize,
    /// The maximum number of states, after which the search fails.
    ///
    /// A search that has no end is most often one whose [fingerprints](Explore::fingerprint) contain counters.
    pub max_states: usize,
    /// The number of repeated states from which operations are drawn at the end of the search.
    ///
    /// So it finds a [fingerprint](Explore::fingerprint) that hides a part of the cache's state.
    pub samples: usize,
    /// The keys that expire, each with its expiry (E1).
    ///
    /// Caches must be created with the same expiries. The clock is then set to time 0 and, for each expiry, to the last
    /// moment before it, the moment itself and the first moment after it.
    ///
    /// ```
    /// use aws_client_cache_spec::{EvictionPolicy, Model, Scope, closure};
    ///
    /// let scope = Scope { expiry: &[(0, 1)], ..Scope::new(EvictionPolicy::Lru, 1, 2) };
    /// let new = |max_size| Model::<u8, u64>::new(EvictionPolicy::Lru, max_size).with_expiry(0, 1);
    /// // At bound 0 nothing is held, and at bound 1 either of the keys or none, each at the times 0, 1 and 2.
    /// assert_eq!(closure(scope, new)?.states, (1 + 3) * 3);
    /// # Ok::<(), aws_client_cache_spec::CounterExample>(())
    /// ```
    pub expiry: &'static [(u8, u64)],
}

impl Scope {
    /// Creates a scope of sequences of every length, with individual keys that do not expire.
    ///
    /// It has up to 200,000 states, of which 100 repeated ones are sampled.
    ///
    /// Present keys are refused. Counts saturate at 3 under LFU and LFUDA, and don't matter under LRU.
    ///
    /// [`Explore`] shows an example.
    pub const fn new(policy: EvictionPolicy, max_size: u8, keys: u8) -> Self {
        let max_uses = match policy {
            EvictionPolicy::Lru => 1,
            EvictionPolicy::Lfu | EvictionPolicy::Lfuda => 3,
        };
        let insertion = InsertionMode::Refuse;
        let (depth, max_states, samples) = (usize::MAX, 200_000, 100);
        Self { policy, insertion, max_size, keys, max_uses, symmetric: false, depth, max_states, samples, expiry: &[] }
    }

    /// Creates the empty model that caches are compared with.
    pub(crate) fn model<K: Eq + From<u8>, V>(self) -> Model<K, V> {
        let model = Model::with_max_uses(self.policy, self.max_size.into(), self.max_uses);
        let model = model.with_insertion(self.insertion);
        self.expiry.iter().fold(model, |model, (key, at)| model.with_expiry(K::from(*key), *at))
    }

    pub(crate) fn counter_example(
        self,
        level: Level,
        operations: Vec<Operation<u8, u64>>,
        divergence: Divergence,
    ) -> Found {
        let Self { policy, insertion, max_uses, expiry, .. } = self;
        let max_size = self.max_size.into();
        Found { level, policy, insertion, max_size, max_uses, expiry, operations, panic: None, note: None, divergence }
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

struct Joint<C, K, V> {
    cache: C,
    model: Model<K, V>,
    /// The state and the operation from which the search reached this state.
    found: Option<(usize, Operation<u8, u64>)>,
    depth: usize,
}

/// The result of a visit: a divergence, and the panic that led to it.
pub(crate) type Visit = Result<(), (Divergence, Option<(Callback, usize)>)>;

/// Applies every operation in every joint state, after it has called `visit` with both.
///
/// Cache and model must then agree.
pub(crate) fn walk<K, V, C>(
    level: Level,
    scope: Scope,
    new: impl Fn(usize) -> C,
    mut visit: impl FnMut(&C, &Model<K, V>, &Operation<u8, u64>) -> Visit,
) -> Result<Covered, CounterExample>
where
    K: Clone + Eq + Debug + From<u8>,
    V: Clone + Eq + Debug + From<u64>,
    C: Explore<K, V>,
{
    let first = Joint { cache: new(scope.max_size.into()), model: scope.model(), found: None, depth: 0 };
    let universe: Vec<K> = (0..scope.keys).map(K::from).collect();
    let mut seen = HashSet::from([canonical(&first, scope, &universe)]);
    let mut trail: Vec<Option<(usize, Operation<u8, u64>)>> = Vec::new();
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
        for operation in operations::<K, V, C>(&joint.model, scope) {
            let mut next = Joint {
                cache: joint.cache.fork(),
                model: joint.model.clone(),
                found: Some((place, operation.clone())),
                depth: joint.depth + 1,
            };
            let visited = visit(&joint.cache, &joint.model, &operation).and_then(|()| {
                let operation = operation.clone().map(K::from, V::from);
                compare(&mut next.cache, &mut next.model, &operation).map_err(|divergence| (divergence, None))
            });
            match visited {
                Ok(None) => continue,
                Ok(Some(_)) => {}
                Err((divergence, panic)) => {
                    let found = scope.counter_example(level, path(&trail, place, operation), divergence);
                    return Err(Found { panic, ..found }.into());
                }
            }
            transitions += 1;
            answered.insert(operation.kind());
            if !seen.insert(canonical(&next, scope, &universe)) {
                samples.offer(next);
            } else if seen.len() > scope.max_states {
                let limit = format!("no end of the search after {} states", scope.max_states);
                let found = scope.counter_example(level, path(&trail, place, operation), Divergence::note(limit));
                return Err(Found { note: Some(ENDLESS), ..found }.into());
            } else {
                open.push_back(next);
            }
        }
    }
    if level == Level::Closure {
        samples.check(level, scope, &trail)?;
    }
    Ok(Covered { states: seen.len(), transitions, answered })
}

/// The explanation of a search that reaches its limit.
const ENDLESS: &str = "These operations lead to one state more than `Scope::max_states`. Does the fingerprint contain \
    counters? Return ranks, lower `max_uses`, limit `depth`, or raise `max_states`.";

/// The explanation of a divergence that only sampling finds.
const HIDDEN: &str = "Other operations lead to a state with the same fingerprint, in which the cache does as expected. \
    So the fingerprint hides a part of the state.";

/// Repeated states, drawn evenly from all those that a search reaches.
struct Samples<C, K, V> {
    rng: Rng,
    limit: usize,
    offered: usize,
    drawn: Vec<Joint<C, K, V>>,
}

impl<C, K, V> Samples<C, K, V> {
    fn new(scope: Scope) -> Self {
        // In a search of limited depth, a repeated state may lead further than the search has been.
        let limit = if scope.depth == usize::MAX { scope.samples } else { 0 };
        Self { rng: Rng::with_seed(0), limit, offered: 0, drawn: Vec::new() }
    }

    /// Keeps a state, each of those offered with the same probability.
    fn offer(&mut self, state: Joint<C, K, V>) {
        self.offered += 1;
        if self.drawn.len() < self.limit {
            self.drawn.push(state);
        } else if self.limit > 0
            && let Some(drawn) = self.drawn.get_mut(self.rng.usize(..self.offered))
        {
            *drawn = state;
        }
    }

    /// Compares the cache with the model after random operations in each of the states.
    ///
    /// The search has found no difference, so one that shows here is hidden by the fingerprint.
    fn check(
        mut self,
        level: Level,
        scope: Scope,
        trail: &[Option<(usize, Operation<u8, u64>)>],
    ) -> Result<(), CounterExample>
    where
        K: Clone + Eq + Debug + From<u8>,
        V: Clone + Eq + Debug + From<u64>,
        C: Explore<K, V>,
    {
        for Joint { mut cache, mut model, found, .. } in self.drawn {
            let Some((place, operation)) = found else { continue };
            let mut operations_so_far = path(trail, place, operation);
            for _ in 0..SAMPLED_OPERATIONS {
                let possible = operations::<K, V, C>(&model, scope);
                let operation = possible[self.rng.usize(..possible.len())].clone();
                operations_so_far.push(operation.clone());
                let operation = operation.map(K::from, V::from);
                if let Err(divergence) = compare(&mut cache, &mut model, &operation) {
                    let found = scope.counter_example(level, operations_so_far, divergence);
                    return Err(Found { note: Some(HIDDEN), ..found }.into());
                }
            }
        }
        Ok(())
    }
}

/// The number of operations in a sampled state.
const SAMPLED_OPERATIONS: usize = 50;

/// Returns a state in a comparable form.
///
/// It consists of the model's state and the cache's fingerprint, with equal names of keys.
fn canonical<K, V, C>(joint: &Joint<C, K, V>, scope: Scope, universe: &[K]) -> Vec<u64>
where
    K: Clone + Eq,
    V: Clone,
    C: Explore<K, V>,
{
    let order: Vec<K> = joint.model.by_last_use().map(|(key, _)| key.clone()).collect();
    let names = Names { keys: if scope.symmetric { &order } else { universe }, own: !scope.symmetric };
    let mut state = joint.model.fingerprint(names);
    // The model's part has a known length, so the two parts cannot overlap.
    state.push(state.len() as u64);
    state.extend(joint.cache.fingerprint(names));
    state
}

/// Returns every operation that may make a difference.
///
/// If keys are interchangeable, one absent key stands for all absent keys with the same expiry. Expired entries are
/// present.
pub(crate) fn operations<K, V, C>(model: &Model<K, V>, scope: Scope) -> Vec<Operation<u8, u64>>
where
    K: Clone + Eq + From<u8>,
    V: Clone + Eq + From<u64>,
    C: Subject<K, V>,
{
    let (present, absent): (Vec<u8>, Vec<u8>) =
        (0..scope.keys).partition(|key| model.position(&K::from(*key)).is_some());
    let expiry = |key: u8| model.expiry.of(&K::from(key));
    let first = |place: usize| !absent[..place].iter().any(|other| expiry(*other) == expiry(absent[place]));
    let absent = (0..absent.len()).filter(|place| !scope.symmetric || first(*place)).map(|place| absent[place]);
    let about = |key: u8, value: u64| {
        [
            Operation::Insert(key, value),
            Operation::Get(key),
            Operation::TryGet(key),
            Operation::Peek(key),
            Operation::ContainsKey(key),
            Operation::Remove(key),
        ]
    };
    // The value differs from the present one, so that a replacement shows.
    let holds = |key: u8, value: u64| {
        let position = model.position(&K::from(key));
        position.is_some_and(|position| model.entries[position].value == V::from(value))
    };
    let other = |key: u8| u64::from(key) + if holds(key, key.into()) { 100 } else { 0 };
    let present = present.into_iter().flat_map(|key| about(key, other(key)));
    let absent = absent.flat_map(|key| about(key, key.into()));
    let sizes = (0..=scope.max_size).map(|size| Operation::SetMaxSize(size.into()));
    let others = [Operation::Pop, Operation::Clear, Operation::Copy, Operation::Items];
    let times = times(scope.expiry).into_iter().map(Operation::SetTime);
    let expiring = (!scope.expiry.is_empty()).then_some(Operation::RemoveExpired);
    let all = present.chain(absent).chain(sizes).chain(others).chain(times).chain(expiring);
    all.filter(may_be_asked::<K, V, C>).collect()
}

/// Returns `true` unless the cache declares a difference in the operation.
pub(crate) fn may_be_asked<K: Eq, V, C: Subject<K, V>>(operation: &Operation<u8, u64>) -> bool {
    match operation {
        Operation::SetMaxSize(0) => !differs::<K, V, C>(Difference::NoZero),
        Operation::Pop => !differs::<K, V, C>(Difference::NoPop),
        _ => true,
    }
}

fn path(
    trail: &[Option<(usize, Operation<u8, u64>)>],
    mut place: usize,
    last: Operation<u8, u64>,
) -> Vec<Operation<u8, u64>> {
    let mut operations = vec![last];
    while let Some((from, operation)) = &trail[place] {
        operations.push(operation.clone());
        place = *from;
    }
    operations.reverse();
    operations
}
