//! The rules S as a program: the allowed results of each step of a schedule.

use std::collections::BTreeSet;

use super::script::{Failure, Fate, made};
use super::{Creates, Step};
use crate::caught::caught;
use crate::explore::{Names, may_be_called};
use crate::operation::{Operation, OperationKinds, Outcome};
use crate::reference::{Reference, follow};
use crate::system_under_test::{Difference, SystemUnderTest};

/// The key that all callers request.
pub(super) const KEY: u8 = 0;

/// The result of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Polled {
    pub(super) answer: Answer,
    /// The creation that began in the poll.
    pub(super) began: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Pending,
    Ready(Result<u64, Failure>),
    Panicked,
}

/// The state of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Caller {
    /// The caller has not been polled.
    Fresh,
    /// The caller runs a creation, for a flight.
    Making { flight: usize, creation: usize },
    /// The caller waits for the creation of another caller.
    Waiting { flight: usize },
    /// The caller has its answer, or was dropped.
    Gone,
}

/// A creation of the key, from its first leader to its last waiter.
#[derive(Clone, Debug, Default)]
pub(super) struct Flight {
    maker: Option<usize>,
    // S9.
    /// The shared creation, which any waiter drives.
    shared: Option<usize>,
    waiting: BTreeSet<usize>,
    // S3.
    /// The key was removed during the creation.
    is_revoked: bool,
    result: Option<Result<u64, Failure>>,
}

/// The state of the rules.
#[derive(Clone, Debug)]
pub(super) struct Rules<R> {
    pub(super) model: R,
    pub(super) callers: Vec<Caller>,
    flights: Vec<Flight>,
    /// The flight that new callers join.
    current: Option<usize>,
    // S9.
    is_shared: bool,
    /// The fate of each creation.
    pub(super) fates: Vec<Option<Fate>>,
    // S8.
    /// The expected reports to the listener in this step.
    pub(super) told: Vec<(u8, u64)>,
}

impl<R: Reference<u8, u64>> Rules<R> {
    pub(super) fn new(model: R, callers: usize, is_shared: bool) -> Self {
        Self {
            model,
            callers: vec![Caller::Fresh; callers],
            flights: Vec::new(),
            current: None,
            is_shared,
            fates: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Checks a poll of a caller. An error describes the violation.
    pub(super) fn poll(&mut self, caller: usize, polled: Polled) -> Result<(), String> {
        if let Some(creation) = polled.began {
            self.fates.resize(self.fates.len().max(creation + 1), None);
        }
        match self.callers[caller] {
            Caller::Fresh => self.come(caller, polled),
            Caller::Waiting { flight } => self.look_again(caller, flight, polled),
            Caller::Making { flight, creation } => self.make(caller, flight, creation, polled),
            Caller::Gone => Err("nobody to be polled".to_owned()),
        }
    }

    fn come(&mut self, caller: usize, polled: Polled) -> Result<(), String> {
        // D4: a hit is a use.
        if let Some(value) = self.model.get(&KEY) {
            self.callers[caller] = Caller::Gone;
            return expect(polled, Answer::Ready(Ok(value)), false);
        }
        match self.current {
            Some(flight) if !self.is_shared && self.flights[flight].maker.is_none() && polled.began.is_some() => {
                self.take_over(caller, flight, polled)
            }
            Some(flight) => {
                self.wait(caller, flight);
                self.drive(caller, flight, polled).unwrap_or_else(|| expect(polled, Answer::Pending, false))
            }
            None => {
                let flight = self.flights.len();
                self.flights.push(Flight::default());
                self.current = Some(flight);
                if self.is_shared {
                    self.flights[flight].shared = Some(polled.began.ok_or("a creation that begins")?);
                    self.wait(caller, flight);
                    return expect(polled, Answer::Pending, true);
                }
                self.take_over(caller, flight, polled)
            }
        }
    }

    fn wait(&mut self, caller: usize, flight: usize) {
        self.flights[flight].waiting.insert(caller);
        self.callers[caller] = Caller::Waiting { flight };
    }

    // S9.
    /// Completes a shared creation by a poll of any of its callers, if its fate is decided.
    fn drive(&mut self, caller: usize, flight: usize, polled: Polled) -> Option<Result<(), String>> {
        let creation = self.flights[flight].shared.filter(|_| self.flights[flight].result.is_none())?;
        self.fates[creation]?;
        self.flights[flight].waiting.remove(&caller);
        Some(self.make(caller, flight, creation, polled))
    }

    fn take_over(&mut self, caller: usize, flight: usize, polled: Polled) -> Result<(), String> {
        let creation = polled.began.ok_or("a creation that begins")?;
        self.flights[flight].maker = Some(caller);
        self.flights[flight].waiting.remove(&caller);
        self.callers[caller] = Caller::Making { flight, creation };
        expect(polled, Answer::Pending, true)
    }

    fn look_again(&mut self, caller: usize, number: usize, polled: Polled) -> Result<(), String> {
        if let Some(driven) = self.drive(caller, number, polled) {
            return driven;
        }
        let flight = &mut self.flights[number];
        match flight.result {
            Some(result) => {
                flight.waiting.remove(&caller);
                let is_revoked = flight.is_revoked;
                self.callers[caller] = Caller::Gone;
                // S4: a hit, if there is an entry; S3: not after a revocation. S5: a failure is shared.
                let result = result.map(|made| if is_revoked { made } else { self.model.get(&KEY).unwrap_or(made) });
                expect(polled, Answer::Ready(result), false)
            }
            None if flight.maker.is_some() || flight.shared.is_some() => expect(polled, Answer::Pending, false),
            // It need not be this caller's turn; `is_lively` checks that it is the turn of some caller.
            None if polled == (Polled { answer: Answer::Pending, began: None }) => Ok(()),
            // S2: a caller that takes over looks first.
            None if !flight.is_revoked && self.model.contains_key(&KEY) => {
                flight.waiting.remove(&caller);
                let present = self.model.get(&KEY).ok_or("an entry")?;
                self.callers[caller] = Caller::Gone;
                self.land(number, Ok(present));
                expect(polled, Answer::Ready(Ok(present)), false)
            }
            None => self.take_over(caller, number, polled),
        }
    }

    fn make(&mut self, caller: usize, flight: usize, creation: usize, polled: Polled) -> Result<(), String> {
        let Some(fate) = self.fates[creation] else { return expect(polled, Answer::Pending, false) };
        self.callers[caller] = Caller::Gone;
        let result = match fate {
            Fate::Panic if self.is_shared => Err(Failure::PANIC), // S9
            Fate::Panic => {
                self.leave(flight);
                return expect(polled, Answer::Panicked, false);
            }
            Fate::Failure => Err(Failure(made(creation))),
            Fate::Success if self.flights[flight].is_revoked => Ok(made(creation)), // S3
            Fate::Success => Ok(self.publish(made(creation))),
        };
        self.land(flight, result);
        expect(polled, Answer::Ready(result), false)
    }

    // S2.
    /// Returns the value that a creation with this value ends with.
    fn publish(&mut self, made: u64) -> u64 {
        if let Some(present) = self.model.get(&KEY) {
            return present;
        }
        self.told.extend(self.model.insert(KEY, made).ok().flatten()); // S6, S8
        made
    }

    /// Ends the flight, for all its waiters.
    fn land(&mut self, flight: usize, result: Result<u64, Failure>) {
        self.flights[flight].maker = None;
        self.flights[flight].result = Some(result);
        self.current = self.current.filter(|current| *current != flight);
    }

    // S5.
    /// The leader is gone. If no caller waits, the flight ends.
    fn leave(&mut self, flight: usize) {
        self.flights[flight].maker = None;
        if self.flights[flight].waiting.is_empty() {
            self.current = self.current.filter(|current| *current != flight);
        }
    }

    /// Drops a caller.
    pub(super) fn give_up(&mut self, caller: usize) {
        match std::mem::replace(&mut self.callers[caller], Caller::Gone) {
            Caller::Making { flight, .. } => self.leave(flight),
            Caller::Waiting { flight } => {
                self.flights[flight].waiting.remove(&caller);
                if self.flights[flight].maker.is_none() {
                    self.leave(flight);
                }
            }
            Caller::Fresh | Caller::Gone => {}
        }
    }

    // S3.
    /// Returns `true` if the rules define the effect of an operation of the dict, and the reference has it.
    ///
    /// A predicate of mixed answers may be asked about the key in flight at any point.
    pub(super) fn define(&self, operation: &Operation<u8, u64>) -> bool {
        let is_asked_at_any_point = self.current.is_some() && matches!(operation, Operation::Retain(1..=0xFE));
        !is_asked_at_any_point && follow(&mut self.model.clone(), operation) != Outcome::Missing
    }

    /// Applies an operation of the dict: no creation in flight is an entry (S1), and removals revoke (S3).
    pub(super) fn dict(&mut self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        let revokes = [Operation::Remove(KEY), Operation::Clear].contains(operation)
            || matches!(operation, Operation::Drain(_) | Operation::Retain(0));
        if revokes && let Some(flight) = self.current.take() {
            self.flights[flight].is_revoked = true;
        }
        // D13: a replaced entry is not evicted.
        let replaces = matches!(operation, Operation::Insert(key, _) if self.model.contains_key(key));
        let outcome = follow(&mut self.model, operation);
        if let Outcome::Evicted(victims) | Outcome::Found(_, victims) = &outcome
            && !replaces
        {
            self.told.extend(victims.iter().copied());
        }
        outcome
    }

    // S7.
    /// The sync variant creates its own value, or fails alone.
    pub(super) fn now(&mut self, made: Result<u64, Failure>) -> Result<u64, Failure> {
        match (made, self.model.get(&KEY)) {
            (_, Some(present)) => Ok(present),
            (made, None) => made.map(|made| self.publish(made)),
        }
    }

    /// Checks that every caller that can proceed was woken. An error describes the violation.
    pub(super) fn is_lively(&self, has_rung: impl Fn(usize) -> bool) -> Result<(), String> {
        for flight in &self.flights {
            let woken = flight.waiting.iter().filter(|caller| has_rung(**caller)).count();
            if let Some(creation) = flight.shared {
                // S9: any caller can drive the creation, so each is woken, even if another one is not polled again.
                if self.fates[creation].is_some() && woken < flight.waiting.len() {
                    return Err(format!("all of {:?} to be woken by their creation", flight.waiting));
                }
                continue;
            }
            if flight.result.is_some() && woken < flight.waiting.len() {
                return Err(format!("all of {:?} to be woken by the result", flight.waiting));
            }
            if flight.result.is_none() && flight.maker.is_none() && woken == 0 && !flight.waiting.is_empty() {
                return Err(format!("one of {:?} to be woken to take over", flight.waiting));
            }
            if let Some(maker) = flight.maker {
                let is_decided =
                    matches!(self.callers[maker], Caller::Making { creation, .. } if self.fates[creation].is_some());
                if is_decided && !has_rung(maker) && woken == 0 {
                    return Err(format!("{maker} to be woken by its creation"));
                }
            }
        }
        Ok(())
    }

    /// Returns `true` if a caller still awaits a creation.
    pub(super) fn is_in_flight(&self, creation: usize) -> bool {
        let is_making = |caller: &Caller| matches!(caller, Caller::Making { creation: made, .. } if *made == creation);
        self.callers.iter().any(is_making) || self.shared().any(|shared| shared == creation)
    }

    /// Returns the shared creations in flight.
    fn shared(&self) -> impl Iterator<Item = usize> {
        let in_flight = self.flights.iter().filter(|flight| flight.result.is_none() && !flight.waiting.is_empty());
        in_flight.filter_map(|flight| flight.shared)
    }

    /// Returns the creations in flight whose fate the schedule has not decided.
    pub(super) fn undecided(&self) -> impl Iterator<Item = usize> {
        let led = self.callers.iter().filter_map(|caller| match *caller {
            Caller::Making { creation, .. } => Some(creation),
            _ => None,
        });
        led.chain(self.shared()).filter(|creation| self.fates[*creation].is_none())
    }

    /// Returns the possible next steps. One caller that has not been polled stands for all.
    pub(super) fn next_steps(&self, number: u64, answered: OperationKinds, differences: &[Difference]) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut fresh = false;
        for (caller, state) in self.callers.iter().enumerate() {
            match state {
                Caller::Gone => {}
                Caller::Fresh if std::mem::replace(&mut fresh, true) => {}
                Caller::Fresh => steps.push(Step::Poll(caller)),
                _ => steps.extend([Step::Poll(caller), Step::Drop(caller)]),
            }
        }
        for creation in self.undecided() {
            steps.extend([Step::Succeed(creation), Step::Fail(creation), Step::Panic(creation)]);
        }
        let has = |operation: &Operation<u8, u64>| {
            answered.contains(operation.kind()) && may_be_called(differences, operation)
        };
        steps.extend(dict_operations(number).into_iter().filter(has).map(Step::Dict));
        steps.extend([Step::Now(number), Step::FailNow(number)]);
        steps
    }

    /// Returns everything that the rules distinguish, apart from the values.
    ///
    /// A reference that names no state is part of it.
    pub(super) fn fingerprint(&self, has_rung: impl Fn(usize) -> bool) -> (Option<R>, Vec<u64>) {
        let mut values = Vec::new();
        let current = self.current.map_or(u64::MAX, |flight| flight as u64);
        // A schedule inserts one other key.
        let names = Names::of_all(&[KEY]);
        let state = self.model.state(names);
        let itself = if state.is_none() { Some(self.model.clone()) } else { None };
        let state = state.unwrap_or_default();
        let mut print = vec![current, state.len() as u64];
        print.extend(state);
        let mut name = |value: u64| {
            let next = values.len();
            let known = values.iter().position(|known| *known == value);
            values.extend(known.is_none().then_some(value));
            known.unwrap_or(next) as u64
        };
        print.extend(self.model.entries().into_iter().map(|(_, value)| name(value)));
        for (caller, state) in self.callers.iter().enumerate() {
            print.push(u64::MAX);
            match *state {
                Caller::Gone => print.push(0),
                Caller::Fresh => print.push(1),
                Caller::Waiting { flight } => print.extend([2, flight as u64, has_rung(caller).into()]),
                Caller::Making { flight, creation } => {
                    let fate = self.fates[creation].map_or(3, |fate| fate as u64);
                    print.extend([3, flight as u64, fate, has_rung(caller).into()]);
                }
            }
        }
        for (number, flight) in self.flights.iter().enumerate() {
            // The result of a flight without waiters is never requested again.
            if !flight.waiting.is_empty() || flight.maker.is_some() {
                let result = match flight.result {
                    None => [0, 0],
                    Some(Ok(value)) => [1, name(value)],
                    Some(Err(failure)) => [2, failure.0],
                };
                print.extend([u64::MAX, number as u64, flight.is_revoked.into()]);
                print.extend(flight.shared.map(|creation| self.fates[creation].map_or(3, |fate| fate as u64)));
                print.extend(result);
            }
        }
        (itself, print)
    }
}

/// Returns the operations of the dict in a schedule.
fn dict_operations(number: u64) -> [Operation<u8, u64>; 9] {
    [
        Operation::Insert(KEY, number),
        Operation::Insert(KEY + 1, number),
        Operation::Remove(KEY),
        Operation::Clear,
        Operation::Drain(0),
        Operation::Retain(0),
        Operation::Pop,
        Operation::SetMaxSize(0),
        Operation::SetMaxSize(1),
    ]
}

/// Returns the kinds of these operations that both a reference and a cache have.
pub(super) fn answered<R: Reference<u8, u64>, C: Creates>(empty: &R, cache: &C) -> OperationKinds {
    let mut answered = OperationKinds::default();
    for operation in dict_operations(0).into_iter().filter(|operation| may_be_called(C::DIFFERENCES, operation)) {
        let has = follow(&mut empty.clone(), &operation) != Outcome::Missing;
        // A schedule shows a panic.
        if has && caught(|| cache.call(&operation)) != Ok(Outcome::Missing) {
            answered.insert(operation.kind());
        }
    }
    answered
}

fn expect(polled: Polled, answer: Answer, begins: bool) -> Result<(), String> {
    if polled.answer == answer && polled.began.is_some() == begins {
        Ok(())
    } else {
        let creation = if begins { "with a creation that begins" } else { "and no creation that begins" };
        Err(format!("{answer:?} {creation}"))
    }
}
