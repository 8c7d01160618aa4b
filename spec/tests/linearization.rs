//! The search for linearizations, compared with an independent one: the `WGLChecker` of `todc-utils`.
//!
//! Histories are random. Some are correct by construction. Others are damaged, or those of a cache with another policy, so
//! that many have no order.

use aws_client_cache_spec::concurrency::{Call, History, NotLinearizable, Threads};
use aws_client_cache_spec::{InsertionMode, Model, Operation, Outcome, Policy};
use fastrand::Rng;
use todc_utils::{Action, Specification, WGLChecker};

/// The number of histories of each policy and insertion mode.
const HISTORIES: usize = 300;

type Caching = (Operation<u8, u64>, Option<Outcome<u8, u64>>);

/// The specification of a cache for `todc-utils`.
///
/// An operation is valid if the model returns its outcome.
struct Cache<const POLICY: usize, const INSERTION: usize>;

impl<const POLICY: usize, const INSERTION: usize> Specification for Cache<POLICY, INSERTION> {
    type State = Model<u8, u64>;
    type Operation = Caching;

    fn init() -> Self::State {
        Model::new(Policy::ALL[POLICY], 2).with_insertion(InsertionMode::ALL[INSERTION])
    }

    fn apply((operation, returned): &Caching, state: &Self::State) -> (bool, Self::State) {
        let mut after = state.clone();
        let outcome = operation.apply(&mut after);
        match returned {
            Some(returned) if *returned != outcome => (false, state.clone()),
            _ => (true, after),
        }
    }
}

/// A call of a history, with the times of its start and its return.
#[derive(Clone, Debug)]
struct Recorded {
    thread: usize,
    start: u64,
    /// Is `None` if the call is pending.
    end: Option<u64>,
    operation: Operation<u8, u64>,
    outcome: Outcome<u8, u64>,
}

impl Recorded {
    fn returned(&self) -> Option<Outcome<u8, u64>> {
        self.end.map(|_| self.outcome.clone())
    }
}

/// Returns the same calls for the search of the kit.
fn history(calls: &[Recorded]) -> History<u8, u64> {
    let call = |Recorded { thread, start, end, operation, outcome }: &Recorded| match end {
        Some(end) => Call::new(*thread, *start..*end, operation.clone(), outcome.clone()),
        None => Call::pending(*thread, *start, operation.clone()),
    };
    History::new(calls.iter().map(call).collect())
}

/// Returns `true` if `todc-utils` finds an order.
///
/// It knows no pending calls. A pending call is a call that returns last, with any outcome.
fn has_order<S: Specification<Operation = Caching>>(calls: &[Recorded]) -> bool {
    if calls.is_empty() {
        return true;
    }
    let mut actions = Vec::new();
    // Each call is a process of its own, so that its return is assigned to it.
    for (process, call) in calls.iter().enumerate() {
        let operation = (call.operation.clone(), call.returned());
        actions.push((call.start, process, Action::Call(operation.clone())));
        actions.push((call.end.unwrap_or(u64::MAX), process, Action::Response(operation)));
    }
    actions.sort_by_key(|(time, process, _)| (*time, *process));
    WGLChecker::<S>::is_linearizable(todc_utils::History::from_actions(
        actions.into_iter().map(|(_, process, action)| (process, action)).collect(),
    ))
}

/// Returns the calls as known at a time.
fn until(calls: &[Recorded], end: u64) -> Vec<Recorded> {
    let known = calls.iter().filter(|call| call.start < end).cloned();
    known.map(|call| Recorded { end: call.end.filter(|returned| *returned <= end), ..call }).collect()
}

/// Checks an order of calls.
///
/// It has every call that returned, each call at most once, in an order of time, with its outcome.
fn check_order(calls: &[Recorded], order: &[usize], mut model: Model<u8, u64>) {
    for (place, index) in order.iter().enumerate() {
        assert!(!order[..place].contains(index), "{index} has two places in {order:?}");
        let outcome = calls[*index].operation.apply(&mut model);
        assert!(calls[*index].returned().is_none_or(|returned| returned == outcome), "{index} in {order:?}: {calls:?}");
        let returned_before = |other: &usize| calls[*other].end.is_some_and(|end| end < calls[*index].start);
        assert!(!order[place..].iter().any(returned_before), "{order:?} is against time: {calls:?}");
    }
    let returned = (0..calls.len()).filter(|index| calls[*index].end.is_some());
    assert_eq!(returned.filter(|index| !order.contains(index)).count(), 0, "{order:?} lacks a call of {calls:?}");
}

/// Plays threads against a model.
///
/// Each call takes effect at a random time between its start and its return.
fn play(rng: &mut Rng, mut model: Model<u8, u64>, plan: Vec<Vec<Operation<u8, u64>>>) -> Vec<Recorded> {
    /// The call of a thread that is in flight, by its index, and whether it has taken effect.
    type InFlight = Option<(usize, bool)>;
    let mut left: Vec<_> = plan.into_iter().map(Vec::into_iter).collect();
    let mut in_flight: Vec<InFlight> = vec![None; left.len()];
    let mut calls: Vec<Recorded> = Vec::new();
    for time in 0.. {
        let is_done = |thread: usize| in_flight[thread].is_none() && left[thread].len() == 0;
        let threads: Vec<_> = (0..left.len()).filter(|thread| !is_done(*thread)).collect();
        let Some(thread) = rng.choice(threads) else { break };
        match in_flight[thread] {
            None => {
                let Some(operation) = left[thread].next() else { continue };
                in_flight[thread] = Some((calls.len(), false));
                calls.push(Recorded { thread, start: time, end: None, operation, outcome: Outcome::Done });
            }
            Some((index, false)) => {
                calls[index].outcome = calls[index].operation.apply(&mut model);
                in_flight[thread] = Some((index, true));
            }
            Some((index, true)) => {
                // Now and then, a thread never learns of the return, and makes no other call.
                if rng.u8(..40) == 0 {
                    left[thread] = Vec::new().into_iter();
                } else {
                    calls[index].end = Some(time);
                }
                in_flight[thread] = None;
            }
        }
    }
    calls
}

/// Damages a history in one way, so that it probably has no order.
fn damage(rng: &mut Rng, calls: &mut [Recorded]) {
    let pick = rng.usize(..calls.len());
    match rng.u8(..4) {
        // The outcome of another call.
        0 => calls[pick].outcome = calls[rng.usize(..calls.len())].outcome.clone(),
        // A hit that is a miss, and a miss that is a hit.
        1 => {
            calls[pick].outcome = match &calls[pick].outcome {
                Outcome::Value(Some(_)) => Outcome::Value(None),
                Outcome::Value(None) => Outcome::Value(Some(rng.u64(..20))),
                Outcome::Answer(answer) => Outcome::Answer(!answer),
                Outcome::Evicted(victims) if victims.is_empty() => Outcome::Evicted(vec![(rng.u8(..4), rng.u64(..20))]),
                Outcome::Evicted(_) => Outcome::Evicted(Vec::new()),
                Outcome::Entries(entries) if entries.is_empty() => Outcome::Entries(vec![(rng.u8(..4), rng.u64(..20))]),
                Outcome::Entries(_) => Outcome::Entries(Vec::new()),
                Outcome::Entry(key, _) => Outcome::Entry(*key, rng.u64(..20)),
                Outcome::Found(_, evicted) => Outcome::Found(rng.u64(..20), evicted.clone()),
                other => other.clone(),
            }
        }
        // A call that returned before it could take effect, and one that began too late.
        2 => calls[pick].end = calls[pick].end.map(|_| calls[pick].start + 1),
        _ => {
            if let Some(end) = calls[pick].end {
                calls[pick].start = end - 1;
            }
        }
    }
}

/// Spreads the times, so that a damaged call has a time of its own.
fn spread(calls: &mut [Recorded]) {
    for call in calls {
        call.start *= 4;
        call.end = call.end.map(|end| end * 4 + 2);
    }
}

/// The numbers of histories.
#[derive(Clone, Copy, Debug, Default)]
struct Compared {
    with_order: usize,
    without: usize,
    /// Those of both kinds that have a pending call.
    pending: usize,
}

fn compare<const POLICY: usize, const INSERTION: usize>() -> Compared {
    let model = Cache::<POLICY, INSERTION>::init();
    let other_policy = Policy::ALL[(POLICY + 1) % Policy::ALL.len()];
    let other = Model::new(other_policy, 2).with_insertion(InsertionMode::ALL[INSERTION]);
    let mut compared = Compared::default();
    for number in 0..HISTORIES {
        let mut rng = Rng::with_seed(number as u64);
        let (threads, calls) = (rng.usize(2..=4), rng.usize(1..=6));
        let plan = Threads { threads, calls, ..Threads::new() }.plan(number);
        let is_correct = number % 4 == 0;
        let mut calls = play(&mut rng, if number % 4 == 3 { other.clone() } else { model.clone() }, plan);
        spread(&mut calls);
        for _ in 0..[0, 2, 4, 0][number % 4] {
            damage(&mut rng, &mut calls);
        }
        compared.pending += usize::from(calls.iter().any(|call| call.end.is_none()));
        let expected = has_order::<Cache<POLICY, INSERTION>>(&calls);
        assert!(expected || !is_correct, "a correct history has an order: {calls:?}");
        let found: Result<Vec<usize>, NotLinearizable<u8, u64>> = history(&calls).linearize(&model);
        assert_eq!(found.is_ok(), expected, "history {number}: {calls:?}");
        match found {
            Ok(order) => {
                compared.with_order += 1;
                check_order(&calls, &order, model.clone());
            }
            Err(found) => {
                compared.without += 1;
                // The shortest prefix without an order, by the other search.
                let mut ends: Vec<_> = calls.iter().filter_map(|call| call.end).collect();
                ends.sort_unstable();
                let mut prefixes = ends.iter().map(|end| until(&calls, *end));
                let shortest = prefixes.find(|prefix| !has_order::<Cache<POLICY, INSERTION>>(prefix));
                let shortest = shortest.expect("the whole history has no order");
                assert_eq!(*found.history(), history(&shortest), "history {number}");
            }
        }
    }
    compared
}

// The limits assert that the histories are of all kinds.
#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn an_independent_search_agrees_on_random_histories() {
    let refusing = [compare::<0, 0>(), compare::<1, 0>(), compare::<2, 0>()];
    let replacing = [compare::<0, 1>(), compare::<1, 1>(), compare::<2, 1>()];
    let keeping = [compare::<0, 2>(), compare::<1, 2>(), compare::<2, 2>()];
    let all = [refusing, replacing, keeping].concat();
    for Compared { with_order, without, pending } in &all {
        assert!(*with_order >= 150 && *without >= 100 && *pending >= 30, "{all:?}");
    }
    let without: usize = all.iter().map(|compared| compared.without).sum();
    let figures = format!("{} histories, {without} of them without an order", all.len() * HISTORIES);
    println!("report: independent search | linearizations, against `todc-utils` | {figures}");
}
