//! Every state of a small scope: the joint states of a cache and the model, breadth first, up to a fixpoint.

use std::collections::{HashSet, VecDeque};
use std::fmt;

use crate::model::{EvictionPolicy, Model};
use crate::operation::Operation;
use crate::subject::{Divergence, Subject, step};

/// A [`Subject`] that shows its layout, so that [`closure`] knows when it has seen a state before.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Explore, Model, Scope, closure};
///
/// // The model shows its own: it is all that it consists of.
/// let scope = Scope { policy: EvictionPolicy::Lru, max_size: 3, keys: 4, max_uses: 1, symmetric: true };
/// let covered = closure::<Model<u8, u64>>(scope, Model::with_max_uses)?;
/// assert_eq!((covered.states, covered.transitions), (10, 190));
/// # Ok::<(), aws_client_cache_spec::CounterExample>(())
/// ```
pub trait Explore: Subject<u8, u64> {
    /// An exact copy, down to the layout; not [`copy`](Subject::copy), which may tidy up.
    #[must_use]
    fn fork(&self) -> Self;

    /// Everything that the cache's later behaviour can depend on, apart from the values, with a key shown as `names` shows
    /// it.
    fn layout(&self, names: Names<'_>) -> Vec<u64>;
}

impl Explore for Model<u8, u64> {
    fn fork(&self) -> Self {
        self.clone()
    }

    fn layout(&self, names: Names<'_>) -> Vec<u64> {
        let entries = self.by_last_use().flat_map(|(key, uses)| [names.of(*key), uses]);
        [self.max_size() as u64].into_iter().chain(entries).collect()
    }
}

/// How keys are shown in a layout.
///
/// [`Explore::layout`] is called with one.
#[derive(Clone, Copy, Debug)]
pub enum Names<'a> {
    /// As they are. The layout is to be complete.
    Own,
    /// By their places in the order of last use: keys are interchangeable. What depends on which key is which, such as the
    /// bucket that its hash gives it, is to be left out.
    Places(&'a [u8]),
}

impl Names<'_> {
    /// What to show for a key.
    ///
    /// ```
    /// use aws_client_cache_spec::Names;
    ///
    /// assert_eq!(Names::Own.of(7), 7);
    /// assert_eq!(Names::Places(&[3, 7]).of(7), 1);
    /// ```
    pub fn of(self, key: u8) -> u64 {
        match self {
            Names::Own => key.into(),
            Names::Places(keys) => keys.iter().position(|live| *live == key).map_or(u64::MAX, |place| place as u64),
        }
    }
}

/// How much [`closure`] covers.
///
/// [`Explore`] shows one.
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
    /// Whether states that differ only by which key is which count as one, which covers more keys in less time. What
    /// depends on hashes is then left out of the layout, and covered by a search that is not symmetric.
    pub symmetric: bool,
}

/// What [`closure`] covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The states that there are.
    pub states: usize,
    /// The operations that were compared, each in a state of its own or as another operation in the same.
    pub transitions: usize,
}

/// The operations that lead a cache and the model apart: as few as lead there.
///
/// [`closure`] returns it.
#[derive(Clone, Debug)]
pub struct CounterExample {
    scope: Scope,
    operations: Vec<Operation<u8, u64>>,
    divergence: Divergence,
}

impl CounterExample {
    /// What is to be done, in this order, to an empty cache.
    ///
    /// [`closure`] shows an example.
    pub fn operations(&self) -> &[Operation<u8, u64>] {
        &self.operations
    }
}

/// A Rust test, to paste.
impl fmt::Display for CounterExample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scope { policy, max_size, max_uses, .. } = self.scope;
        writeln!(f, "// {}", self.divergence)?;
        writeln!(f, "#[test]\nfn a_cache_and_the_model_part() {{")?;
        writeln!(f, "    let model = || Model::with_max_uses(EvictionPolicy::{policy:?}, {max_size}, {max_uses});")?;
        writeln!(f, "    let (mut cache, mut model) = (/* your cache, made alike */, model());")?;
        for operation in &self.operations {
            writeln!(f, "    step(&mut cache, &mut model, &Operation::{operation:?}).unwrap();")?;
        }
        write!(f, "}}")
    }
}

impl std::error::Error for CounterExample {}

struct Joint<C> {
    cache: C,
    model: Model<u8, u64>,
    /// Where in the search this state was found, and by what.
    found: Option<(usize, Operation<u8, u64>)>,
}

/// Does every operation in every joint state of cache and model that any sequence of operations leads to, and compares
/// every outcome and accessor. Since it goes on until there is no new state, it covers sequences of every length.
///
/// `new` makes an empty cache of a policy and a `max_size`, whose use counts saturate where the last argument says.
///
/// # Errors
///
/// A shortest sequence of operations that leads cache and model apart.
///
/// ```
/// use aws_client_cache_spec::{EvictionPolicy, Model, Scope, closure};
///
/// let scope = Scope { policy: EvictionPolicy::Lfu, max_size: 2, keys: 3, max_uses: 3, symmetric: true };
/// // A cache that evicts in another order.
/// let wrong = |_, max_size, max_uses| Model::with_max_uses(EvictionPolicy::Lru, max_size, max_uses);
/// let found = closure::<Model<u8, u64>>(scope, wrong).unwrap_err();
/// assert_eq!(found.operations().len(), 3);
/// ```
pub fn closure<C: Explore>(
    scope: Scope,
    new: impl Fn(EvictionPolicy, usize, u64) -> C,
) -> Result<Covered, CounterExample> {
    let max_size = scope.max_size.into();
    let first = Joint {
        cache: new(scope.policy, max_size, scope.max_uses),
        model: Model::with_max_uses(scope.policy, max_size, scope.max_uses),
        found: None,
    };
    let mut seen = HashSet::from([canonical(&first, scope)]);
    let mut trail: Vec<Option<(usize, Operation<u8, u64>)>> = Vec::new();
    let mut open = VecDeque::from([first]);
    let mut transitions = 0;
    while let Some(joint) = open.pop_front() {
        let place = trail.len();
        trail.push(joint.found.clone());
        for operation in operations(&joint.model, scope) {
            transitions += 1;
            let mut next = Joint {
                cache: joint.cache.fork(),
                model: joint.model.clone(),
                found: Some((place, operation.clone())),
            };
            if let Err(divergence) = step(&mut next.cache, &mut next.model, &operation) {
                let operations = path(&trail, place, operation);
                return Err(CounterExample { scope, operations, divergence });
            }
            if seen.insert(canonical(&next, scope)) {
                open.push_back(next);
            }
        }
    }
    Ok(Covered { states: seen.len(), transitions })
}

/// A state, as it is told from others: the model's and the layout of the cache, with keys named alike.
fn canonical<C: Explore>(joint: &Joint<C>, scope: Scope) -> Vec<u64> {
    let order: Vec<u8> = joint.model.by_last_use().map(|(key, _)| *key).collect();
    let names = if scope.symmetric { Names::Places(&order) } else { Names::Own };
    let mut state = joint.model.layout(names);
    // The model's part has a known length, so the two cannot run into each other.
    state.push(state.len() as u64);
    state.extend(joint.cache.layout(names));
    state
}

/// Every operation that may make a difference: of several absent keys, one stands for all if they are interchangeable.
fn operations(model: &Model<u8, u64>, scope: Scope) -> Vec<Operation<u8, u64>> {
    let absent = (0..scope.keys).filter(|key| !model.contains_key(key));
    let absent = absent.take(if scope.symmetric { 1 } else { scope.keys.into() });
    let keys = model.keys().into_iter().chain(absent);
    let about = |key: u8| {
        [
            Operation::Insert(key, u64::from(key)),
            Operation::Get(key),
            Operation::TryGet(key),
            Operation::Peek(key),
            Operation::ContainsKey(key),
            Operation::Remove(key),
        ]
    };
    let sizes = (0..=scope.max_size).map(|size| Operation::SetMaxSize(size.into()));
    let others = [Operation::Pop, Operation::Clear, Operation::Copy];
    keys.flat_map(about).chain(sizes).chain(others).collect()
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
