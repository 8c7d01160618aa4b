//! Creation on a miss, exactly once, in every schedule of callers and creations.

mod rules;
mod script;
mod world;

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::future::Future;
use std::mem::{Discriminant, discriminant};
use std::pin::Pin;

pub use script::{Creation, Failure};
use world::World;

use crate::counter_example::test;
use crate::level::Level;
use crate::operation::{Operation, OperationKind, OperationKinds, Outcome};
use crate::reference::Reference;
use crate::system_under_test::Difference;

/// A call that looks up or creates a value, as a future.
pub(crate) type Call = Pin<Box<dyn Future<Output = Result<u64, Failure>>>>;

/// A cache that creates on a miss.
///
/// `FaultyCreator` of the feature `faults` is the simplest implementation.
///
/// ```
/// use aws_client_cache_spec::creation::{Creates, Failure};
/// use aws_client_cache_spec::faults::FaultyCreator;
/// use aws_client_cache_spec::Model;
///
/// let cache = FaultyCreator::new(None, Model::lru(2));
/// assert_eq!(cache.get_or_create_now(0, Box::new(|| Err(Failure(1)))), Err(Failure(1)));
/// assert_eq!(cache.get_or_create_now(0, Box::new(|| Ok(7))), Ok(7));
/// assert_eq!(cache.get_or_create_now(0, Box::new(|| Ok(8))), Ok(7));
/// ```
pub trait Creates {
    /// The deliberate differences of the cache, which are not compared.
    const DIFFERENCES: &'static [Difference] = &[];

    /// Returns a call that looks up the value under a key, or creates it by `create`.
    ///
    /// The call has not been polled. It keeps the cache alive, and calls `create` at most once.
    fn get_or_create(&self, key: u8, create: Box<dyn FnOnce() -> Creation + Send>) -> Call;

    /// The sync variant.
    ///
    /// # Errors
    ///
    /// The failure of `create`.
    fn get_or_create_now(
        &self,
        key: u8,
        create: Box<dyn FnOnce() -> Result<u64, Failure> + Send>,
    ) -> Result<u64, Failure>;

    /// Applies an operation of the dict.
    ///
    /// Return [`Outcome::Missing`], and change nothing, for an operation that the cache does not have.
    fn call(&self, operation: &Operation<u8, u64>) -> Outcome<u8, u64>;

    /// Takes the reports to the listener since the last call, in order.
    ///
    /// Each entry is reported that a creation, an insertion or a shrinking evicts; at a bound of 0, it is the new entry
    /// itself. Entries that are removed, popped, cleared or replaced are not reported.
    fn reports(&self) -> Vec<(u8, u64)>;
}

/// A step of a schedule.
///
/// [`creation`] shows an example.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Polls a caller; on the first poll, it requests key 0.
    Poll(usize),
    /// Drops a caller.
    Drop(usize),
    /// Lets a creation succeed when it is next polled, with 100 + its number.
    ///
    /// Creations are numbered in the order in which they began.
    Succeed(usize),
    /// Lets a creation fail when it is next polled.
    Fail(usize),
    /// Lets a creation panic when it is next polled.
    Panic(usize),
    /// Applies an operation of the dict.
    ///
    /// While a creation is in flight, an [`Operation::Retain`] of mixed answers is skipped: caches may ask about the key
    /// of the creation at any point.
    Dict(Operation<u8, u64>),
    /// Calls the sync variant for key 0, which creates this value if necessary.
    Now(u64),
    /// Calls the sync variant for key 0, which fails with this number if it must create a value.
    FailNow(u64),
}

/// The schedules that [`creation`] tries.
///
/// [`creation`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedules {
    /// The bound at first; 0 and 1 are set too.
    pub max_size: usize,
    /// The number of callers.
    pub callers: usize,
    /// The maximum number of steps in a schedule.
    pub depth: usize,
    /// Merges schedules that the rules cannot distinguish, except for the values.
    ///
    /// So a search covers longer schedules. A cache with state that the rules do not see could hide a fault from it, unless
    /// the last step shows it: schedules that end with steps of different kinds are distinguished.
    pub merge: bool,
    // S9.
    /// Creations are shared: every caller drives the creation of its key, so that none depends on the polls of another.
    pub is_shared: bool,
}

impl Schedules {
    /// Creates the schedules of three callers and up to five steps, merged, on a cache with a bound of 2.
    ///
    /// Two callers are too few: a third one shows if callers can still join a creation that has failed.
    ///
    /// [`creation`] shows an example.
    pub const fn new() -> Self {
        Self { max_size: 2, callers: 3, depth: 5, merge: true, is_shared: false }
    }
}

impl Default for Schedules {
    fn default() -> Self {
        Self::new()
    }
}

/// The extent of a search; [`creation`] shows an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scheduled {
    /// The number of schedules, including those that are prefixes of others.
    pub schedules: usize,
    /// The number of steps in all schedules.
    pub steps: usize,
    /// The kinds of the operations of the dict that the cache answered.
    pub answered: OperationKinds,
}

/// A shortest schedule that violates the rules.
///
/// [`creation`] shows an example.
#[derive(Clone)]
pub struct Violation {
    schedules: Schedules,
    /// Code that creates the reference empty.
    reference: String,
    steps: Vec<Step>,
    what: String,
}

impl Violation {
    /// Returns the schedule.
    ///
    /// [`creation`] shows an example.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

/// Formats a Rust test, to paste where `new` creates your cache, as for [`creation`].
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schedules: Schedules { max_size, callers, is_shared, .. }, reference, steps, what } = self;
        let mut body = format!("    let cache = new(); // yours, empty, with a bound of {max_size}\n");
        writeln!(
            body,
            "    let schedules = Schedules {{ max_size: {max_size}, callers: {callers}, is_shared: {is_shared}, ..Schedules::new() }};"
        )?;
        writeln!(body, "    let steps = [")?;
        for step in steps {
            // `Dict(Insert(0, 1))` in Rust syntax.
            let step = format!("{step:?}").replace("Dict(", "Dict(Operation::");
            writeln!(body, "        Step::{step},")?;
        }
        writeln!(body, "    ];\n    schedules.run({reference}, &cache, &steps).unwrap();")?;
        // The message of a panic may have several lines.
        writeln!(f, "// {}: {}", Level::Creation, what.replace('\n', " "))?;
        f.write_str(&test("a_schedule_follows_the_rules", &body))
    }
}

/// Formats like [`Display`](fmt::Display), so that `unwrap` prints the test.
impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Violation {}

/// Tries every schedule of callers and creations, and checks each step against the rules S1 to S9.
///
/// Callers are polled and dropped, or are not polled while others are. Creations succeed, fail and panic. In between,
/// the schedule applies operations of the dict and calls of the sync variant. There is no runtime: wakers only record
/// that they were woken. Every caller that can proceed must have been woken. At the end of a schedule, new entries evict
/// those that are left, so that the order shows which uses were counted.
///
/// `reference` creates an empty reference with the given `max_size`, and `new` an empty cache with the bound of
/// `schedules`. An LFU and an LFUDA show the number of counted uses. Operations that the cache or the reference does not
/// have are not compared, and neither are those in which the cache [differs](Creates::DIFFERENCES).
///
/// # Errors
///
/// A shortest schedule that violates the rules, or in which the cache panics.
///
/// ```
/// use aws_client_cache_spec::creation::{Schedules, Step, creation};
/// use aws_client_cache_spec::faults::{CreationFault, FaultyCreator};
/// use aws_client_cache_spec::Model;
///
/// let schedules = Schedules::new();
/// let new = |fault| move || FaultyCreator::new(fault, Model::lfu(schedules.max_size));
/// let tried = creation(schedules, Model::lfu, new(None))?;
/// assert!(tried.schedules > 2_000);
/// let shared = Schedules { is_shared: true, ..schedules };
/// creation(shared, Model::lfu, || FaultyCreator::shared(None, Model::lfu(schedules.max_size)))?;
///
/// let found = creation(schedules, Model::lfu, new(Some(CreationFault::NoWaiterTakesOver))).unwrap_err();
/// assert_eq!(found.steps(), [Step::Poll(0), Step::Poll(1), Step::Drop(0)]);
/// # Ok::<(), aws_client_cache_spec::creation::Violation>(())
/// ```
pub fn creation<R: Reference<u8, u64>, C: Creates>(
    schedules: Schedules,
    reference: impl Fn(usize) -> R,
    new: impl Fn() -> C,
) -> Result<Scheduled, Violation> {
    let empty = reference(schedules.max_size);
    let none = Scheduled { answered: rules::answered(&empty, &new()), ..Scheduled::default() };
    let mut tried = none;
    // Shorter schedules come first, so that the first violation is a shortest one.
    for depth in 1..=schedules.depth {
        let mut search = Search { schedules, empty: &empty, new: &new, tried: none, seen: HashMap::new() };
        search.go_on(&mut Vec::new(), depth)?;
        tried = search.tried;
    }
    Ok(tried)
}

struct Search<'a, R, F> {
    schedules: Schedules,
    empty: &'a R,
    new: &'a F,
    tried: Scheduled,
    /// The states from which the search has continued, and for how many steps.
    seen: HashMap<Seen<R>, usize>,
}

/// The last step of a schedule, and the fingerprint of the rules after it.
type Seen<R> = (Option<StepKind>, (Option<R>, Vec<u64>));

/// The kind of a step, and of its operation.
type StepKind = (Discriminant<Step>, Option<OperationKind>);

fn kind(step: &Step) -> StepKind {
    let operation = if let Step::Dict(operation) = step { Some(operation.kind()) } else { None };
    (discriminant(step), operation)
}

impl<R: Reference<u8, u64>, C: Creates, F: Fn() -> C> Search<'_, R, F> {
    fn go_on(&mut self, steps: &mut Vec<Step>, left: usize) -> Result<(), Violation> {
        let cache = (self.new)();
        let world = World::run(&cache, self.empty, self.schedules, steps)?;
        self.tried.schedules += 1;
        self.tried.steps += steps.len();
        if left == 0 {
            return world.finish();
        }
        if self.schedules.merge {
            let fingerprint = world.rules.fingerprint(|caller| world.has_rung(caller));
            let known = self.seen.entry((steps.last().map(kind), fingerprint)).or_default();
            if *known >= left {
                return world.abandon();
            }
            *known = left;
        }
        let next = world.rules.next_steps(1_000 + steps.len() as u64, self.tried.answered, C::DIFFERENCES);
        world.abandon()?;
        for step in next {
            steps.push(step);
            self.go_on(steps, left - 1)?;
            steps.pop();
        }
        Ok(())
    }
}

impl Schedules {
    /// Runs one schedule. Then all creations succeed, and woken callers proceed until no caller is left.
    ///
    /// `reference` is empty, with the bound of the schedules.
    ///
    /// # Errors
    ///
    /// The violation of the rules.
    ///
    /// ```
    /// use aws_client_cache_spec::creation::{Schedules, Step};
    /// use aws_client_cache_spec::faults::FaultyCreator;
    /// use aws_client_cache_spec::{Model, Operation};
    ///
    /// let cache = FaultyCreator::new(None, Model::lru(2));
    /// // Removed while it is being made, it is not stored.
    /// let steps = [Step::Poll(0), Step::Dict(Operation::Remove(0)), Step::Succeed(0), Step::Poll(0)];
    /// Schedules::new().run(Model::lru(2), &cache, &steps)?;
    /// # Ok::<(), aws_client_cache_spec::creation::Violation>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "callers create it in the call")]
    pub fn run<R: Reference<u8, u64>>(
        self,
        reference: R,
        cache: &impl Creates,
        steps: &[Step],
    ) -> Result<(), Violation> {
        World::run(cache, &reference, self, steps)?.finish()
    }
}
