//! A cache, its callers and their creations, step by step.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::rules::{self, Answer, Caller, Polled, Rules};
use super::script::{Bell, Creations, Failure, Fate};
use super::{Call, Creates, Schedules, Step, Violation};
use crate::caught::caught;
use crate::explore::may_be_called;
use crate::operation::{Operation, Outcome};
use crate::reference::{Reference, follow, source};
use crate::step::agree;

/// A cache, its callers, and the state of the rules.
pub(super) struct World<'a, C, R> {
    cache: &'a C,
    empty: &'a R,
    schedules: Schedules,
    pub(super) rules: Rules<R>,
    creations: Creations,
    calls: Vec<(Option<Call>, Arc<Bell>)>,
    done: Vec<Step>,
}

impl<'a, C: Creates, R: Reference<u8, u64>> World<'a, C, R> {
    pub(super) fn run(cache: &'a C, empty: &'a R, schedules: Schedules, steps: &[Step]) -> Result<Self, Violation> {
        let rules = Rules::new(empty.clone(), schedules.callers, schedules.is_shared);
        let (creations, calls, done) = (Creations::default(), Vec::new(), Vec::new());
        let mut world = Self { cache, empty, schedules, rules, creations, calls, done };
        for _ in 0..schedules.callers {
            let creations = world.creations.clone();
            let call = caught(|| cache.get_or_create(rules::KEY, Box::new(move || creations.begin())));
            let call =
                call.map_err(|message| world.violation(format!("get_or_create: the cache panics: {message}")))?;
            world.calls.push((Some(call), Arc::default()));
        }
        for step in steps {
            world.step(step)?;
        }
        Ok(world)
    }

    pub(super) fn has_rung(&self, caller: usize) -> bool {
        self.calls[caller].1.has_rung()
    }

    fn violation(&self, what: String) -> Violation {
        let operations = self.done.iter().filter_map(|step| match step {
            Step::Dict(operation) => Some(operation.clone()),
            _ => None,
        });
        let operations: Vec<_> = operations.chain([Operation::Get(rules::KEY)]).collect();
        let reference = source(self.empty, &operations);
        Violation { schedules: self.schedules, reference, steps: self.done.clone(), what }
    }

    fn step(&mut self, step: &Step) -> Result<(), Violation> {
        self.done.push(step.clone());
        let compared = caught(|| self.compare(step));
        compared
            .unwrap_or_else(|message| Err((format!("panics: {message}"), "no panic".to_owned())))
            .map_err(|(cache, rules)| self.violation(format!("{step:?}: the cache {cache}; the rules expect {rules}")))
    }

    /// Does a step, and compares it with the rules.
    ///
    /// An error describes the cache's part and the rules' part.
    fn compare(&mut self, step: &Step) -> Result<(), (String, String)> {
        self.rules.told.clear();
        let (callers, creations) = (self.calls.len(), self.rules.fates.len());
        match *step {
            Step::Poll(caller) | Step::Drop(caller) if caller >= callers => {
                return Err((format!("has {callers} callers"), format!("caller {caller}")));
            }
            Step::Succeed(creation) | Step::Fail(creation) | Step::Panic(creation) if creation >= creations => {
                return Err((format!("has begun {creations} creations"), format!("creation {creation}")));
            }
            _ => {}
        }
        match step {
            Step::Poll(caller) => {
                let polled = self.poll(*caller);
                self.rules.poll(*caller, polled).map_err(|expected| (format!("shows {polled:?}"), expected))?;
            }
            Step::Drop(caller) => {
                self.calls[*caller].0 = None;
                self.rules.give_up(*caller);
            }
            Step::Succeed(creation) => self.decide(*creation, Fate::Success),
            Step::Fail(creation) => self.decide(*creation, Fate::Failure),
            Step::Panic(creation) => self.decide(*creation, Fate::Panic),
            Step::Dict(operation) if !may_be_called(C::DIFFERENCES, operation) || !self.rules.define(operation) => {}
            Step::Dict(operation) => match self.cache.call(operation) {
                Outcome::Missing => {} // the cache has changed nothing, so the rules must not either
                outcome => agreed::<C>(&outcome, &self.rules.dict(operation))?,
            },
            Step::Now(value) => {
                let value = *value;
                let now = self.cache.get_or_create_now(rules::KEY, Box::new(move || Ok(value)));
                same(&now, &self.rules.now(Ok(value)))?;
            }
            Step::FailNow(number) => {
                let failure = Failure(*number);
                let now = self.cache.get_or_create_now(rules::KEY, Box::new(move || Err(failure)));
                same(&now, &self.rules.now(Err(failure)))?;
            }
        }
        // S1: a creation in flight is not an entry.
        for view in [Operation::Items, Operation::ContainsKey(rules::KEY)] {
            let shown = self.cache.call(&view);
            if shown != Outcome::Missing {
                agreed::<C>(&shown, &follow(&mut self.rules.model, &view))?;
            }
        }
        // S8: evictions by a creation are reported to the listener.
        let reports = self.cache.reports();
        if reports != self.rules.told {
            return Err((format!("reports {reports:?} to the listener"), format!("{:?}", self.rules.told)));
        }
        self.rules.is_lively(|caller| self.has_rung(caller)).map_err(|who| ("leaves them asleep".to_owned(), who))?;
        // No creation runs on for a caller that no longer exists.
        for creation in 0..self.creations.len() {
            let is_in_flight = self.rules.is_in_flight(creation);
            if !is_in_flight && !self.creations.with(creation, |state| state.is_dropped) {
                return Err((format!("keeps creation {creation}"), "it to be dropped".to_owned()));
            }
        }
        Ok(())
    }

    fn decide(&mut self, creation: usize, fate: Fate) {
        self.rules.fates[creation] = Some(fate);
        self.creations.decide(creation, fate);
    }

    fn poll(&mut self, caller: usize) -> Polled {
        let before = self.creations.len();
        let (call, bell) = &mut self.calls[caller];
        // A new waker each time: the cache must keep the latest.
        *bell = Arc::default();
        let waker = Waker::from(Arc::clone(bell));
        let polled = call
            .as_mut()
            .map(|call| catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut Context::from_waker(&waker)))));
        let answer = match polled {
            Some(Ok(Poll::Ready(result))) => Answer::Ready(result),
            Some(Err(_)) => Answer::Panicked,
            Some(Ok(Poll::Pending)) | None => Answer::Pending,
        };
        if answer != Answer::Pending {
            *call = None;
        }
        let began = (self.creations.len() > before).then(|| self.creations.len() - 1);
        Polled { answer, began }
    }

    /// Lets all creations succeed and woken callers proceed, until no caller is left.
    pub(super) fn finish(mut self) -> Result<(), Violation> {
        let is_asking = |caller: &Caller| !matches!(caller, Caller::Fresh | Caller::Gone);
        let callers = self.calls.len();
        // Callers take turns, so that one that wakes itself does not keep the others from proceeding.
        let (mut turn, mut in_vain) = (0, 0);
        while self.rules.callers.iter().any(is_asking) {
            let undecided = self.rules.undecided().next();
            if let Some(creation) = undecided {
                self.step(&Step::Succeed(creation))?;
                continue;
            }
            let mut turns = (turn..callers).chain(0..turn);
            let woken = turns.find(|caller| is_asking(&self.rules.callers[*caller]) && self.has_rung(*caller));
            let Some(caller) = woken else {
                return Err(self.violation("nobody is woken who still waits".to_owned()));
            };
            turn = caller + 1;
            let before = self.rules.callers.clone();
            self.step(&Step::Poll(caller))?;
            in_vain = if self.rules.callers == before { in_vain + 1 } else { 0 };
            // The woken caller may be the last one that each of the others wakes.
            if in_vain > callers * callers {
                return Err(self.violation("callers are woken again and again, and none of them proceeds".to_owned()));
            }
        }
        // Uses that were counted, or not, show when new entries evict the present ones.
        for (key, value) in (rules::KEY + 2..=u8::MAX).zip(2_000..).take(self.rules.model.bound() + 1) {
            if self.rules.model.value(&rules::KEY).is_none() {
                break;
            }
            self.step(&Step::Dict(Operation::Insert(key, value)))?;
        }
        self.abandon()
    }

    /// Drops the callers. This must not panic.
    pub(super) fn abandon(mut self) -> Result<(), Violation> {
        for caller in 0..self.calls.len() {
            let Some(call) = self.calls[caller].0.take() else { continue };
            self.done.push(Step::Drop(caller));
            if let Err(message) = caught(|| drop(call)) {
                return Err(self.violation(format!("Drop({caller}): the cache panics: {message}")));
            }
        }
        Ok(())
    }
}

/// A call may panic when it is dropped, even if the schedule has failed already.
impl<C, R> Drop for World<'_, C, R> {
    fn drop(&mut self) {
        for (call, _) in &mut self.calls {
            let call = call.take();
            drop(caught(|| drop(call)));
        }
    }
}

/// Compares an outcome, apart from the declared differences of the cache.
fn agreed<C: Creates>(cache: &Outcome<u8, u64>, rules: &Outcome<u8, u64>) -> Result<(), (String, String)> {
    if agree(C::DIFFERENCES, cache, rules) { Ok(()) } else { same(cache, rules) }
}

fn same<T: PartialEq + fmt::Debug>(cache: &T, rules: &T) -> Result<(), (String, String)> {
    if cache == rules { Ok(()) } else { Err((format!("shows {cache:?}"), format!("{rules:?}"))) }
}
