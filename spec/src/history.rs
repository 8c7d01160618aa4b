//! Histories of the calls of threads, and the search for an order that explains them.

use std::cmp::Reverse;
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
        let mut by_start: Vec<&Call<K, V>> = self.calls.iter().collect();
        by_start.sort_by_key(|call| call.time.start);
        let mut overlaps = vec![false; by_start.len()];
        for (place, one) in by_start.iter().enumerate() {
            let later = by_start.iter().enumerate().skip(place + 1);
            for (other_place, other) in later.take_while(|(_, other)| other.time.start < one.time.end) {
                if one.thread != other.thread && one.time.start < other.time.end {
                    overlaps[place] = true;
                    overlaps[other_place] = true;
                }
            }
        }
        overlaps.into_iter().filter(|overlaps| *overlaps).count()
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
            if call.outcome.as_ref().is_none_or(|returned| *returned == outcome) {
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
            let follows =
                |chain: &Vec<usize>| chain.last().is_some_and(|last| calls[*last].time.end <= calls[place].time.start);
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
        let mut next: Vec<usize> = left.collect();
        let first_return = next.iter().map(|chain| self.calls[self.first(*chain)].time.end).min();
        next.retain(|chain| Some(self.calls[self.first(*chain)].time.start) < first_return);
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
