//! Histories of the calls of threads, and the search for an order that explains them.

use std::any::type_name;
use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt::{self, Debug, Write as _};
use std::hash::Hash;
use std::ops::Range;

use crate::counter_example::{test, types};
use crate::level::Level;
use crate::operation::{Operation, OperationKind, Outcome};
use crate::reference::{Reference, follow};
use crate::step::agree;
use crate::system_under_test::Difference;

/// One call of a thread.
///
/// [`History`] shows an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<K, V> {
    thread: usize,
    /// The times of the call and of its return, on one clock for all threads.
    time: Range<u64>,
    operation: Operation<K, V>,
    /// Is `None` if the call had not returned when the history ends.
    outcome: Option<Outcome<K, V>>,
}

impl<K, V> Call<K, V> {
    /// Creates a call that was made at the start of `time` and returned at its end.
    ///
    /// A call that returns when another one is made precedes it. Two calls at one instant may come in any order.
    ///
    /// # Panics
    ///
    /// If the call returns before it was made.
    ///
    /// [`History`] shows an example.
    pub fn new(thread: usize, time: Range<u64>, operation: Operation<K, V>, outcome: Outcome<K, V>) -> Self {
        assert!(time.start <= time.end, "`time` ends before it starts: {time:?}");
        Self { thread, time, operation, outcome: Some(outcome) }
    }

    /// Creates a call that had not returned when the history ends. It may have taken effect or not.
    ///
    /// ```
    /// use aws_client_cache_spec::concurrency::{Call, History};
    /// use aws_client_cache_spec::{Model, Operation, Outcome};
    ///
    /// // The insertion has not returned, but has happened.
    /// let history = History::new(vec![
    ///     Call::pending(0, 0, Operation::Insert('a', 1)),
    ///     Call::new(1, 1..2, Operation::Get('a'), Outcome::Value(Some(1))),
    /// ]);
    /// assert_eq!(history.linearize(&Model::lru(1)), Ok(vec![0, 1]));
    /// ```
    pub fn pending(thread: usize, called: u64, operation: Operation<K, V>) -> Self {
        Self { thread, time: called..u64::MAX, operation, outcome: None }
    }
}

impl<K, V> Call<K, V> {
    pub(crate) fn operation(&self) -> &Operation<K, V> {
        &self.operation
    }

    /// Returns `true` if this call had returned before another one was made.
    fn precedes(&self, other: &Self) -> bool {
        // Of two calls at one instant, neither precedes the other. A pending call has no end.
        self.outcome.is_some() && self.time.end <= other.time.start && self.time.start < other.time.end
    }

    /// Returns `true` if the call cannot have changed the cache.
    ///
    /// Where keys expire, a miss may have removed an entry.
    fn changes_nothing(&self, expires: bool) -> bool {
        let looks = [
            OperationKind::Peek,
            OperationKind::ContainsKey,
            OperationKind::Items,
            OperationKind::Iterate,
            OperationKind::NextVictim,
        ];
        looks.contains(&self.operation.kind())
            || !expires && matches!(self.outcome, Some(Outcome::Refused(_) | Outcome::Value(None)))
    }
}

/// The calls of threads to a cache.
///
/// ```
/// use aws_client_cache_spec::concurrency::{Call, History};
/// use aws_client_cache_spec::{Model, Operation, Outcome};
///
/// let model = Model::lru(1);
/// let get = |outcome| {
///     History::new(vec![
///         Call::new(0, 0..3, Operation::Insert('a', 1), Outcome::Evicted(vec![])),
///         Call::new(1, 1..2, Operation::Get('a'), Outcome::Value(outcome)),
///     ])
/// };
/// // The two overlap, so the hit may have come after the insertion, or before it.
/// assert_eq!(get(Some(1)).linearize(&model), Ok(vec![0, 1]));
/// assert_eq!(get(None).linearize(&model), Ok(vec![1, 0]));
/// // But no order explains a value that was never there.
/// assert!(get(Some(2)).linearize(&model).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History<K, V> {
    calls: Vec<Call<K, V>>,
    /// The deliberate differences of the cache.
    differences: &'static [Difference],
}

impl<K, V> History<K, V> {
    /// Creates a history of these calls, in any order: their times determine their sequence.
    ///
    /// The type shows an example.
    pub fn new(calls: Vec<Call<K, V>>) -> Self {
        Self { calls, differences: &[] }
    }

    /// Sets the deliberate differences of the cache, which are not compared.
    ///
    /// ```
    /// use aws_client_cache_spec::check::Difference;
    /// use aws_client_cache_spec::concurrency::{Call, History};
    /// use aws_client_cache_spec::{Model, Operation, Outcome};
    ///
    /// // The cache does not return the entry that it evicts.
    /// let history = History::new(vec![
    ///     Call::new(0, 0..1, Operation::Insert('a', 1), Outcome::Evicted(vec![])),
    ///     Call::new(0, 2..3, Operation::Insert('b', 2), Outcome::Evicted(vec![])),
    /// ]);
    /// assert!(history.linearize(&Model::lru(1)).is_err());
    /// let history = history.with_differences(&[Difference::VictimsNotReturned]);
    /// assert!(history.linearize(&Model::lru(1)).is_ok());
    /// ```
    #[must_use]
    pub fn with_differences(mut self, differences: &'static [Difference]) -> Self {
        self.differences = differences;
        self
    }

    /// Returns the number of calls.
    ///
    /// The type shows an example.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Returns `true` if there are no calls.
    ///
    /// The type shows an example.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Returns the number of calls that overlap, in pairs of different threads.
    ///
    /// Each call is in one pair at most. So a thread that is interrupted in a call, while another one makes hundreds,
    /// counts for two calls. If there are none, the history does not test concurrency.
    ///
    /// ```
    /// # use aws_client_cache_spec::concurrency::{Call, History};
    /// # use aws_client_cache_spec::{Operation, Outcome};
    /// let pop = |thread, time| Call::new(thread, time, Operation::<u8, u8>::Pop, Outcome::Done);
    /// assert_eq!(History::new(vec![pop(0, 0..1), pop(1, 2..3)]).overlapping(), 0);
    /// assert_eq!(History::new(vec![pop(0, 0..2), pop(1, 1..3)]).overlapping(), 2);
    /// assert_eq!(History::new(vec![pop(0, 0..9), pop(1, 1..3), pop(1, 4..6)]).overlapping(), 2);
    /// ```
    pub fn overlapping(&self) -> usize {
        let mut by_start: Vec<&Call<K, V>> = self.calls.iter().collect();
        by_start.sort_by_key(|call| (call.time.start, call.time.end));
        let mut alone: Vec<&Call<K, V>> = Vec::new();
        let mut pairs = 0;
        for call in by_start {
            alone.retain(|other| !other.precedes(call));
            match alone.iter().position(|other| other.thread != call.thread) {
                Some(other) => {
                    alone.swap_remove(other);
                    pairs += 1;
                }
                None => alone.push(call),
            }
        }
        2 * pairs
    }
}

impl<K: Clone + Eq + Hash + Debug, V: Clone + Eq + Hash + Debug> History<K, V> {
    /// Returns an order of the calls, by their indices, that explains their outcomes.
    ///
    /// The reference, from its current state, returns the same outcomes in this order. No call precedes a call that had
    /// returned before the first one was made.
    ///
    /// The search is that of Wing and Gong. Like Lowe's, it remembers the calls that had been placed in each state of
    /// the reference. Evictions couple all keys, so a history cannot be split by keys. The search is exponential in the
    /// number of calls that overlap.
    ///
    /// # Errors
    ///
    /// If there is no such order: the shortest prefix of the history that has none.
    ///
    /// The type shows an example.
    pub fn linearize<R: Reference<K, V>>(&self, reference: &R) -> Result<Vec<usize>, NotLinearizable<K, V>> {
        if let Some(order) = self.order(reference) {
            return Ok(order);
        }
        // If a prefix has no order, no longer prefix has one.
        let mut ends: Vec<u64> = self.calls.iter().map(|call| call.time.end).collect();
        ends.sort_unstable();
        let shortest = ends.partition_point(|end| self.until(*end).order(reference).is_some());
        let history = ends.get(shortest).map_or_else(|| self.clone(), |end| self.until(*end));
        let keys: Vec<K> = history.calls.iter().filter_map(|call| call.operation.key().cloned()).collect();
        let (before, history) = history.shown(reference);
        let mut empty = reference.clone();
        follow(&mut empty, &Operation::Clear);
        let is_empty = empty == *reference && reference.now() == 0;
        let reference = is_empty.then(|| reference.source(&keys));
        Err(NotLinearizable { reference, before, history, problem: Problem::NoOrder })
    }

    /// Returns the operations of the calls that returned, in an order that explains them.
    ///
    /// If there is no such order, it is that in which they were made.
    pub(crate) fn returned<R: Reference<K, V>>(&self, reference: &R) -> Vec<Operation<K, V>> {
        let mut made: Vec<usize> = (0..self.calls.len()).collect();
        made.sort_by_key(|place| self.calls[*place].time.start);
        let order = self.order(reference).unwrap_or(made);
        let returned = order.into_iter().map(|place| &self.calls[place]).filter(|call| call.outcome.is_some());
        returned.map(|call| call.operation.clone()).collect()
    }

    /// Returns the operations of the calls that did not return.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &Operation<K, V>> {
        self.calls.iter().filter(|call| call.outcome.is_none()).map(|call| &call.operation)
    }

    /// Returns a history that goes on with other calls and has the same differences.
    fn of(&self, calls: Vec<Call<K, V>>) -> Self {
        Self { calls, differences: self.differences }
    }

    /// Returns the last calls of a long history, and operations that lead to the state before them.
    ///
    /// No order of the earlier calls explains the later ones, so neither does the one that leads to this state.
    pub(crate) fn shown<R: Reference<K, V>>(&self, reference: &R) -> (Vec<Operation<K, V>>, Self) {
        let mut calls = self.calls.clone();
        calls.sort_by_key(|call| call.time.start);
        // Before the first of the shown calls, no call is in flight.
        let mut first = 0;
        let mut last_return = 0;
        for (place, call) in calls.iter().enumerate().take(calls.len().saturating_sub(SHOWN)) {
            if last_return <= call.time.start {
                first = place;
            }
            last_return = last_return.max(call.time.end);
        }
        let mut shown = calls.split_off(first);
        let before = self.of(calls);
        let Some(order) = before.order(reference).filter(|_| first > 0) else { return (Vec::new(), self.clone()) };
        let operations: Vec<_> = order.into_iter().map(|place| before.calls[place].operation.clone()).collect();
        let (before, state) = shortest(reference, operations);
        let expires = follow(&mut reference.clone(), &Operation::SetTime(reference.now())) != Outcome::Missing;
        // Without calls that change nothing, the others have no order either, or else these are needed.
        for place in (0..shown.len()).rev() {
            let rest = [&shown[..place], &shown[place + 1..]].concat();
            if shown[place].changes_nothing(expires) && self.of(rest.clone()).order(&state).is_none() {
                shown = rest;
            }
        }
        let start = shown.iter().map(|call| call.time.start).min().unwrap_or_default();
        for call in &mut shown {
            call.time =
                call.time.start - start..call.time.end.saturating_sub(if call.outcome.is_some() { start } else { 0 });
        }
        (before, self.of(shown))
    }

    /// Returns the history as known at a time: a call that had not returned is pending.
    pub(crate) fn until(&self, end: u64) -> Self {
        let known = self.calls.iter().filter(|call| call.time.start < end || call.time.end <= end).cloned();
        let calls = known.map(|call| {
            if call.time.end <= end { call } else { Call { outcome: None, time: call.time.start..u64::MAX, ..call } }
        });
        self.of(calls.collect())
    }

    fn order<R: Reference<K, V>>(&self, reference: &R) -> Option<Vec<usize>> {
        let mut search = Search::new(&self.calls);
        // The tried combinations of placed calls and model states. Repeating one is useless.
        let mut tried = HashSet::new();
        let mut branches = vec![(reference.clone(), search.next())];
        while let Some((model, next)) = branches.last_mut() {
            if search.is_done() {
                return Some(search.order());
            }
            let Some(chain) = next.pop() else {
                branches.pop();
                search.take_back();
                continue;
            };
            let call = &self.calls[search.first(chain)];
            let mut after = model.clone();
            let outcome = follow(&mut after, &call.operation);
            if call.outcome.as_ref().is_none_or(|returned| agree(self.differences, returned, &outcome)) {
                search.place(chain);
                if tried.insert((search.placed.clone(), after.clone())) {
                    branches.push((after, search.next()));
                } else {
                    search.take_back();
                }
            }
        }
        None
    }
}

/// The number of calls that are shown of a longer history, or a few more.
const SHOWN: usize = 30;

/// Omits operations while the others lead to the same state, and returns both.
fn shortest<K: Clone + Eq, V: Clone, R: Reference<K, V>>(
    empty: &R,
    mut operations: Vec<Operation<K, V>>,
) -> (Vec<Operation<K, V>>, R) {
    let state_after = |operations: &[Operation<K, V>]| {
        let mut state = empty.clone();
        for operation in operations {
            follow(&mut state, operation);
        }
        state
    };
    let state = state_after(&operations);
    let mut chunk = operations.len();
    while chunk > 0 {
        let mut start = 0;
        while start < operations.len() {
            let end = (start + chunk).min(operations.len());
            let fewer = [&operations[..start], &operations[end..]].concat();
            if state_after(&fewer) == state { operations = fewer } else { start = end }
        }
        chunk /= 2;
    }
    (operations, state)
}

/// The placed calls, and the remaining ones.
///
/// Calls of one chain do not overlap: each was made after the one before had returned. So the placed calls are a prefix
/// of each chain. There are as many chains as calls that overlap at once, most often one for each thread.
struct Search<'a, K, V> {
    calls: &'a [Call<K, V>],
    chains: Vec<Vec<usize>>,
    /// The number of placed calls of each chain.
    placed: Vec<usize>,
    /// The chains of the placed calls.
    order: Vec<usize>,
    /// The number of calls that returned and are not placed.
    left: usize,
}

impl<'a, K, V> Search<'a, K, V> {
    fn new(calls: &'a [Call<K, V>]) -> Self {
        let mut by_start: Vec<usize> = (0..calls.len()).collect();
        by_start.sort_by_key(|place| (calls[*place].time.start, calls[*place].time.end));
        let mut chains: Vec<Vec<usize>> = Vec::new();
        for place in by_start {
            let follows = |chain: &Vec<usize>| chain.last().is_some_and(|last| calls[*last].precedes(&calls[place]));
            match chains.iter().position(follows) {
                Some(chain) => chains[chain].push(place),
                None => chains.push(vec![place]),
            }
        }
        let left = calls.iter().filter(|call| call.outcome.is_some()).count();
        Self { calls, placed: vec![0; chains.len()], chains, order: Vec::new(), left }
    }

    /// Returns `true` if all calls that returned are placed. Pending calls need no place.
    fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Returns the first remaining call of a chain.
    fn first(&self, chain: usize) -> usize {
        self.chains[chain][self.placed[chain]]
    }

    /// Returns the chains whose first remaining call may come next, the one of the first call last.
    ///
    /// These calls were made before any remaining call had returned.
    fn next(&self) -> Vec<usize> {
        let left = (0..self.chains.len()).filter(|chain| self.placed[*chain] < self.chains[*chain].len());
        let left: Vec<usize> = left.collect();
        let first = |chain: &usize| &self.calls[self.first(*chain)];
        let may_come = |chain: &&usize| !left.iter().any(|other| first(other).precedes(first(chain)));
        let mut next: Vec<usize> = left.iter().filter(may_come).copied().collect();
        next.sort_by_key(|chain| Reverse(self.first(*chain)));
        next
    }

    fn place(&mut self, chain: usize) {
        self.left -= usize::from(self.calls[self.first(chain)].outcome.is_some());
        self.placed[chain] += 1;
        self.order.push(chain);
    }

    fn take_back(&mut self) {
        if let Some(chain) = self.order.pop() {
            self.placed[chain] -= 1;
            self.left += usize::from(self.calls[self.first(chain)].outcome.is_some());
        }
    }

    /// Returns the placed calls, in their order.
    fn order(&self) -> Vec<usize> {
        let mut places: Vec<_> = self.chains.iter().map(|chain| chain.iter().copied()).collect();
        self.order.iter().filter_map(|chain| places[*chain].next()).collect()
    }
}

/// Calls that no order explains.
///
/// [`History::linearize`] returns it, and [`linearizable`](crate::concurrency::linearizable()) shows an example. The
/// latter also returns it for a cache that panics, and for calls that hardly overlap.
#[derive(Clone, PartialEq, Eq)]
pub struct NotLinearizable<K, V> {
    /// Code that creates the reference, unless it was not empty.
    pub(crate) reference: Option<String>,
    /// The operations that lead to the state before the history.
    pub(crate) before: Vec<Operation<K, V>>,
    pub(crate) history: History<K, V>,
    pub(crate) problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    NoOrder,
    /// The last operation of `before` panics, on a cache that was empty, with this message.
    Panics {
        max_size: usize,
        message: String,
    },
    /// A pending call of the history panics, though not without the other threads.
    PanicsAmongOthers {
        message: String,
    },
    /// Too few calls overlap.
    Overlaps {
        overlapping: usize,
        calls: usize,
        minimum: usize,
    },
}

impl<K, V> NotLinearizable<K, V> {
    /// Returns the shortest prefix of the history that no order explains.
    ///
    /// Of a long one, these are the last calls, which no order explains from the state before them. The printed test
    /// contains operations that lead to this state.
    ///
    /// [`linearizable`](crate::concurrency::linearizable()) shows an example.
    pub fn history(&self) -> &History<K, V> {
        &self.history
    }
}

/// Formats a Rust test, to paste.
///
/// A panic that threads cause only together is no test. It is formatted as a comment, with the calls.
impl<K: Debug, V: Debug> fmt::Display for NotLinearizable<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reference, before, history, problem } = self;
        let level = Level::Linearizable;
        let mut body = String::new();
        match problem {
            Problem::Overlaps { overlapping, calls, minimum } => {
                return write!(
                    f,
                    "{level}: only {overlapping} of {calls} calls overlapped, fewer than the {minimum} of \
                    `Threads::overlapping`. A single processor hardly ever switches within a call. Record more or longer \
                    histories, or use a `Recorder` under a scheduler that switches threads within calls."
                );
            }
            Problem::Panics { max_size, message } => {
                writeln!(body, "    let cache = new({max_size}); // yours, empty, with a bound of {max_size}")?;
                let mut types = types(before);
                for operation in before {
                    writeln!(body, "    Shared::call(&cache, &Operation{types}::{operation:?});")?;
                    types = "";
                }
                writeln!(f, "// {level}: the last of these calls panics: {message}")?;
                return f.write_str(&test("the_calls_return", &body));
            }
            Problem::PanicsAmongOthers { message } => {
                writeln!(f, "// {level}: a call that did not return panicked, but not on one thread: {message}")?;
                writeln!(f, "// The calls were:")?;
                return history.write_calls("// ", f);
            }
            Problem::NoOrder => writeln!(f, "// {level}: no order of these calls explains what they returned")?,
        }
        let yours = "reference() /* yours, in the state that `linearize` was called with */";
        let source = reference.as_deref().unwrap_or(yours);
        let model = if before.is_empty() {
            source.to_owned()
        } else {
            writeln!(
                body,
                "    let mut model = {source};\n    // An order of the earlier calls leads to the same state."
            )?;
            writeln!(body, "    for operation in [")?;
            for operation in before {
                writeln!(body, "        Operation::{operation:?},")?;
            }
            writeln!(body, "    ] {{\n        follow(&mut model, &operation);\n    }}")?;
            "model".to_owned()
        };
        writeln!(body, "    let history{} = History::new(vec![", annotation::<K, V>())?;
        history.write_calls("        ", &mut body)?;
        let differences: Vec<_> =
            history.differences.iter().map(|difference| format!("Difference::{difference:?}")).collect();
        match &differences[..] {
            [] => writeln!(body, "    ]);")?,
            _ => writeln!(body, "    ])\n    .with_differences(&[{}]);", differences.join(", "))?,
        }
        writeln!(body, "    history.linearize(&{model}).unwrap();")?;
        f.write_str(&test("the_calls_have_an_order", &body))
    }
}

impl<K: Debug, V: Debug> History<K, V> {
    /// Writes the code of each call on a line.
    fn write_calls(&self, indent: &str, to: &mut dyn fmt::Write) -> fmt::Result {
        for Call { thread, time, operation, outcome } in &self.calls {
            let Range { start, .. } = time;
            match outcome {
                None => writeln!(to, "{indent}Call::pending({thread}, {start}, Operation::{operation:?}),")?,
                Some(outcome) => {
                    let outcome = outcome.code();
                    writeln!(to, "{indent}Call::new({thread}, {time:?}, Operation::{operation:?}, {outcome}),")?;
                }
            }
        }
        Ok(())
    }
}

/// Returns the type of a history, for calls that do not determine it.
fn annotation<K, V>() -> String {
    match [type_name::<K>(), type_name::<V>()] {
        // A path from within another crate may be private.
        [key, value] if [key, value].iter().any(|name| name.contains("::")) => String::new(),
        [key, value] => format!(": History<{key}, {value}>"),
    }
}

/// Formats like [`Display`](fmt::Display), so that `unwrap` shows the test.
impl<K: Debug, V: Debug> Debug for NotLinearizable<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Debug, V: Debug> std::error::Error for NotLinearizable<K, V> {}
