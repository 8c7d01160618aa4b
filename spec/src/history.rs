//! Histories of the calls of threads, and the search for an order that explains them.

use std::collections::HashSet;
use std::fmt::{self, Debug, Write as _};
use std::hash::Hash;
use std::ops::Range;

use crate::counter_example::imports;
use crate::level::Level;
use crate::operation::{Operation, Outcome};
use crate::reference::{Reference, follow};

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
    /// [`History`] shows an example.
    pub fn new(thread: usize, time: Range<u64>, operation: Operation<K, V>, outcome: Outcome<K, V>) -> Self {
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
}

impl<K, V> History<K, V> {
    /// Creates a history of these calls, in any order: their times determine their sequence.
    ///
    /// The type shows an example.
    pub fn new(calls: Vec<Call<K, V>>) -> Self {
        Self { calls }
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

    /// Returns the number of calls that were made while another was in flight.
    ///
    /// If there are none, the history does not test concurrency.
    ///
    /// ```
    /// # use aws_client_cache_spec::concurrency::{Call, History};
    /// # use aws_client_cache_spec::{Operation, Outcome};
    /// let pop = |thread, time| Call::new(thread, time, Operation::<u8, u8>::Pop, Outcome::Done);
    /// assert_eq!(History::new(vec![pop(0, 0..1), pop(1, 2..3)]).overlapping(), 0);
    /// assert_eq!(History::new(vec![pop(0, 0..2), pop(1, 1..3)]).overlapping(), 2);
    /// ```
    pub fn overlapping(&self) -> usize {
        let overlap = |one: &Call<K, V>, other: &Call<K, V>| {
            one.thread != other.thread && one.time.start < other.time.end && other.time.start < one.time.end
        };
        self.calls.iter().filter(|call| self.calls.iter().any(|other| overlap(call, other))).count()
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
        Err(NotLinearizable { reference: reference.source(&keys), history })
    }

    /// Returns the history as known at a time: a call that had not returned is pending.
    fn until(&self, end: u64) -> Self {
        let known = self.calls.iter().filter(|call| call.time.start < end).cloned();
        let calls = known.map(|call| {
            if call.time.end <= end { call } else { Call { outcome: None, time: call.time.start..u64::MAX, ..call } }
        });
        Self { calls: calls.collect() }
    }

    fn order<R: Reference<K, V>>(&self, reference: &R) -> Option<Vec<usize>> {
        let mut search = Search { calls: &self.calls, placed: vec![false; self.calls.len()], order: Vec::new() };
        // The tried combinations of placed calls and model states. Repeating one is useless.
        let mut tried = HashSet::new();
        let mut branches = vec![(reference.clone(), search.next())];
        while let Some((model, next)) = branches.last_mut() {
            // Pending calls need no place.
            if search.left().all(|place| self.calls[place].outcome.is_none()) {
                return Some(search.order);
            }
            let Some(place) = next.pop() else {
                branches.pop();
                search.take_back();
                continue;
            };
            let call = &self.calls[place];
            let mut after = model.clone();
            let outcome = follow(&mut after, &call.operation);
            if call.outcome.as_ref().is_none_or(|returned| *returned == outcome) {
                search.place(place);
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

/// The placed calls, and the remaining ones.
struct Search<'a, K, V> {
    calls: &'a [Call<K, V>],
    placed: Vec<bool>,
    order: Vec<usize>,
}

impl<K, V> Search<'_, K, V> {
    fn left(&self) -> impl Iterator<Item = usize> {
        (0..self.calls.len()).filter(|place| !self.placed[*place])
    }

    /// Returns the calls that may come next, the first one last.
    ///
    /// They were made before any remaining call had returned.
    fn next(&self) -> Vec<usize> {
        let first_return = self.left().map(|place| self.calls[place].time.end).min().unwrap_or(u64::MAX);
        let mut next: Vec<_> = self.left().filter(|place| self.calls[*place].time.start < first_return).collect();
        next.reverse();
        next
    }

    fn place(&mut self, place: usize) {
        self.placed[place] = true;
        self.order.push(place);
    }

    fn take_back(&mut self) {
        if let Some(place) = self.order.pop() {
            self.placed[place] = false;
        }
    }
}

/// Calls that no order explains.
///
/// [`History::linearize`] returns it, and [`linearizable`](crate::concurrency::linearizable()) shows an example.
#[derive(Clone, PartialEq, Eq)]
pub struct NotLinearizable<K, V> {
    /// Code that creates the reference empty.
    reference: String,
    history: History<K, V>,
}

impl<K, V> NotLinearizable<K, V> {
    /// Returns the shortest prefix of the history that no order explains.
    ///
    /// [`linearizable`](crate::concurrency::linearizable()) shows an example.
    pub fn history(&self) -> &History<K, V> {
        &self.history
    }
}

/// Formats a Rust test, to paste.
impl<K: Debug, V: Debug> fmt::Display for NotLinearizable<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut body = "    let history = History::new(vec![\n".to_owned();
        for Call { thread, time, operation, outcome } in &self.history.calls {
            let Range { start, .. } = time;
            match outcome {
                None => writeln!(body, "        Call::pending({thread}, {start}, Operation::{operation:?}),")?,
                Some(outcome) => {
                    // The `Debug` output of a vector is an array, and that of a variant has no path.
                    let outcome = format!("{outcome:?}").replacen("([", "(vec![", 1);
                    let outcome = outcome.replacen("Refused(", "Refused(Refusal::", 1);
                    writeln!(
                        body,
                        "        Call::new({thread}, {time:?}, Operation::{operation:?}, Outcome::{outcome}),"
                    )?;
                }
            }
        }
        writeln!(body, "    ]);\n    history.linearize(&{}).unwrap();", self.reference)?;
        writeln!(f, "// {}: no order of these calls explains what they returned", Level::Linearizable)?;
        writeln!(f, "{}", imports(&body))?;
        write!(f, "#[test]\nfn the_calls_have_an_order() {{\n{body}}}\n")
    }
}

/// Formats like [`Display`](fmt::Display), so that `unwrap` shows the test.
impl<K: Debug, V: Debug> Debug for NotLinearizable<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Debug, V: Debug> std::error::Error for NotLinearizable<K, V> {}
