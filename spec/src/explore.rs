//! A walk through every joint state of a cache and the model, breadth first.

use std::collections::{HashSet, VecDeque};
use std::fmt::Debug;

use crate::counter_example::{CounterExample, Found};
use crate::expiry::times;
use crate::fused::Callback;
use crate::level::Level;
use crate::model::{EvictionPolicy, Model};
use crate::operation::Operation;
use crate::step::{Divergence, step};
use crate::subject::{Difference, Subject, differs};

/// A [`Subject`] that can be copied exactly and shows its layout, so that a search knows when it has seen a state before.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Model, Scope, closure};
///
/// // The model shows its own: it is all that it consists of.
/// let scope = Scope { symmetric: true, ..Scope::new(EvictionPolicy::Lru, 3, 4) };
/// let covered = closure(scope, |max_size| Model::<u8, u64>::new(EvictionPolicy::Lru, max_size))?;
/// assert_eq!((covered.states, covered.transitions), (10, 200));
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
pub trait Explore<K: Eq, V>: Subject<K, V> {
    /// An exact copy, down to the layout; not [`copy`](Subject::copy), which may tidy up.
    #[must_use]
    fn fork(&self) -> Self;

    /// Everything that the cache's later behaviour can depend on, apart from the values, with a key shown as `names` shows
    /// it. A cache that shows nothing is held in every state of the model, but not in every state of its own.
    fn layout(&self, names: Names<'_, K>) -> Vec<u64> {
        let _ = names;
        Vec::new()
    }
}

impl<K: Clone + Eq, V: Clone> Explore<K, V> for Model<K, V> {
    fn fork(&self) -> Self {
        self.clone()
    }

    fn layout(&self, names: Names<'_, K>) -> Vec<u64> {
        // What LRU counts has no effect.
        let counts = |uses| if self.policy == EvictionPolicy::Lru { 0 } else { uses };
        let entries = self.by_last_use().flat_map(|(key, uses)| [names.of(key), counts(uses)]);
        let mut layout: Vec<_> = [self.max_size() as u64, self.floor].into_iter().chain(entries).collect();
        // Where nothing expires, what the time is has no effect. Where something does, keys are not interchangeable whose
        // expiries differ, whatever they are called.
        if self.expiry.occurs() {
            layout.push(self.now());
            let expiries = self.by_last_use().map(|(key, _)| self.expiry.of(key));
            layout.extend(expiries.flat_map(|at| [at.is_some().into(), at.unwrap_or_default()]));
        }
        layout
    }
}

/// How keys are shown in a layout.
///
/// [`Explore::layout`] is called with them.
///
/// ```
/// use aws_client_cache_spec::Names;
///
/// /// The layout of a cache that is a list of keys, and has an index of them.
/// fn layout(keys: &[char], buckets: &[u64], names: Names<'_, char>) -> Vec<u64> {
///     let mut layout: Vec<_> = keys.iter().map(|key| names.of(key)).collect();
///     if names.are_own() {
///         layout.extend(buckets);
///     }
///     layout
/// }
/// ```
#[derive(Debug)]
pub struct Names<'a, K> {
    /// The keys, each named by its place.
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
    /// What to show for a key.
    ///
    /// The type shows an example.
    pub fn of(self, key: &K) -> u64 {
        self.keys.iter().position(|named| named == key).map_or(u64::MAX, |place| place as u64)
    }
}

impl<K> Names<'_, K> {
    /// Whether keys have names of their own, so that the layout is to be complete. Otherwise keys are interchangeable, and
    /// what depends on which key is which, such as the bucket that its hash gives it, is to be left out.
    ///
    /// The type shows an example.
    pub fn are_own(self) -> bool {
        self.own
    }
}

/// How much a search covers.
///
/// [`Explore`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The order under test.
    pub policy: EvictionPolicy,
    /// The greatest bound that is set; all from 0 to this one are.
    pub max_size: u8,
    /// How many keys there are.
    pub keys: u8,
    /// Where use counts saturate.
    pub max_uses: u64,
    /// Whether states that differ only by which key is which, of those with one expiry, count as one, which covers more keys
    /// in less time. What depends on hashes is then left out of the layout, and covered by a search that is not symmetric.
    pub symmetric: bool,
    /// How many operations there are in a row, at most.
    pub depth: usize,
    /// The keys that expire, each with its expiry (E1); caches are to be made with the same. The clock is then turned to the
    /// beginning, and to the last moment before each expiry, the moment itself and the first one after it.
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
    /// Sequences of every length, each key with a name of its own, and none that expires.
    ///
    /// Counts saturate at 3 under LFU and LFUDA, and don't matter under LRU.
    ///
    /// [`Explore`] shows an example.
    pub const fn new(policy: EvictionPolicy, max_size: u8, keys: u8) -> Self {
        let max_uses = match policy {
            EvictionPolicy::Lru => 1,
            EvictionPolicy::Lfu | EvictionPolicy::Lfuda => 3,
        };
        Self { policy, max_size, keys, max_uses, symmetric: false, depth: usize::MAX, expiry: &[] }
    }

    /// The model that caches are held against, empty.
    pub(crate) fn model<K: Eq + From<u8>, V>(self) -> Model<K, V> {
        let model = Model::with_max_uses(self.policy, self.max_size.into(), self.max_uses);
        self.expiry.iter().fold(model, |model, (key, at)| model.with_expiry(K::from(*key), *at))
    }

    pub(crate) fn counter_example(
        self,
        level: Level,
        operations: Vec<Operation<u8, u64>>,
        divergence: Divergence,
    ) -> Found {
        let Self { policy, max_uses, expiry, .. } = self;
        Found { level, policy, max_size: self.max_size.into(), max_uses, expiry, operations, panic: None, divergence }
    }
}

/// What a search covered.
///
/// [`Explore`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The states that there are.
    pub states: usize,
    /// The operations that were compared, each in a state of its own or as another operation in the same.
    pub transitions: usize,
}

struct Joint<C, K, V> {
    cache: C,
    model: Model<K, V>,
    /// Where in the search this state was found, and by what.
    found: Option<(usize, Operation<u8, u64>)>,
    depth: usize,
}

/// What a visit found: a divergence, and the panic that led to it.
pub(crate) type Visit = Result<(), (Divergence, Option<(Callback, usize)>)>;

/// Does every operation in every joint state, and before it, `visit`s the state with it. The cache and the model are then to
/// agree.
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
    while let Some(joint) = open.pop_front() {
        let place = trail.len();
        trail.push(joint.found.clone());
        if joint.depth == scope.depth {
            continue;
        }
        for operation in operations::<K, V, C>(&joint.model, scope) {
            transitions += 1;
            let mut next = Joint {
                cache: joint.cache.fork(),
                model: joint.model.clone(),
                found: Some((place, operation.clone())),
                depth: joint.depth + 1,
            };
            let visited = visit(&joint.cache, &joint.model, &operation).and_then(|()| {
                let operation = operation.clone().map(K::from, V::from);
                step(&mut next.cache, &mut next.model, &operation).map_err(|divergence| (divergence, None))
            });
            if let Err((divergence, panic)) = visited {
                let found = scope.counter_example(level, path(&trail, place, operation), divergence);
                return Err(Found { panic, ..found }.into());
            }
            if seen.insert(canonical(&next, scope, &universe)) {
                open.push_back(next);
            }
        }
    }
    Ok(Covered { states: seen.len(), transitions })
}

/// A state, as it is told from others: the model's and the layout of the cache, with keys named alike.
fn canonical<K, V, C>(joint: &Joint<C, K, V>, scope: Scope, universe: &[K]) -> Vec<u64>
where
    K: Clone + Eq,
    V: Clone,
    C: Explore<K, V>,
{
    let order: Vec<K> = joint.model.by_last_use().map(|(key, _)| key.clone()).collect();
    let names = Names { keys: if scope.symmetric { &order } else { universe }, own: !scope.symmetric };
    let mut state = joint.model.layout(names);
    // The model's part has a known length, so the two cannot run into each other.
    state.push(state.len() as u64);
    state.extend(joint.cache.layout(names));
    state
}

/// Every operation that may make a difference: of several absent keys with one expiry, one stands for all if they are
/// interchangeable. What is expired is present.
pub(crate) fn operations<K, V, C>(model: &Model<K, V>, scope: Scope) -> Vec<Operation<u8, u64>>
where
    K: Clone + Eq + From<u8>,
    V: Clone,
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
    // What is refused is not what is there already, so that a replacement shows.
    let present = present.into_iter().flat_map(|key| about(key, u64::from(key) + 100));
    let absent = absent.flat_map(|key| about(key, key.into()));
    let sizes = (0..=scope.max_size).map(|size| Operation::SetMaxSize(size.into()));
    let others = [Operation::Pop, Operation::Clear, Operation::Copy, Operation::Items];
    let times = times(scope.expiry).into_iter().map(Operation::SetTime);
    let expiring = (!scope.expiry.is_empty()).then_some(Operation::RemoveExpired);
    let all = present.chain(absent).chain(sizes).chain(others).chain(times).chain(expiring);
    all.filter(|operation| may_be_asked::<K, V, C>(operation, |key| model.contains_key(&K::from(key)))).collect()
}

/// Whether an operation is one that the cache declares no difference in.
pub(crate) fn may_be_asked<K: Eq, V, C: Subject<K, V>>(
    operation: &Operation<u8, u64>,
    is_present: impl Fn(u8) -> bool,
) -> bool {
    match operation {
        Operation::Insert(key, _) => !(differs::<K, V, C>(Difference::Replaces) && is_present(*key)),
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
