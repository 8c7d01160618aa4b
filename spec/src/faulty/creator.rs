//! The simplest creation on a miss, for one thread, with faults on demand.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use super::CreationFault;
use crate::creation::{Call, Creates, Creation, Failure};
use crate::model::Model;
use crate::operation::{Operation, Outcome, Refusal};
use crate::reference::{Reference, follow};
use crate::system_under_test::SystemUnderTest;
use crate::threads::lock;

/// A cache that creates on a miss, for one thread: the rules S, and nothing else.
///
/// With a [`CreationFault`] it violates one of them.
///
/// ```
/// use aws_client_cache_spec::creation::Creates;
/// use aws_client_cache_spec::faults::FaultyCreator;
/// use aws_client_cache_spec::Model;
///
/// let cache = FaultyCreator::new(None, Model::lru(2));
/// assert_eq!(cache.get_or_create_now(1, Box::new(|| Ok(10))), Ok(10));
/// assert_eq!(cache.get_or_create_now(1, Box::new(|| Ok(11))), Ok(10));
/// ```
#[derive(Debug)]
pub struct FaultyCreator<R = Model<u8, u64>>(Rc<RefCell<Inner<R>>>);

#[derive(Debug)]
struct Inner<R> {
    fault: Option<CreationFault>,
    lead: Lead,
    /// The entries, and their eviction.
    model: R,
    /// The creation in flight of each key, unless revoked.
    flights: BTreeMap<u8, Rc<RefCell<Flight>>>,
    told: Vec<(u8, u64)>,
    /// The last failure of the sync variant.
    failed: Option<Failure>,
    /// Creations that are kept without a caller.
    kept: Vec<Pin<Box<Creation>>>,
}

/// The callers that may lead a creation after the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    /// Any waiter that is polled takes over from a leader that is gone.
    Any,
    /// The caller that has waited longest takes over.
    InTurn,
    // S9.
    /// Every caller drives the creation at any time.
    Shared,
}

/// A creation in flight, for all its waiters.
#[derive(Debug, Default)]
struct Flight {
    has_maker: bool,
    is_revoked: bool,
    result: Option<Result<u64, Failure>>,
    // S9.
    /// The shared creation, which every waiter polls.
    shared: Option<Pin<Box<Creation>>>,
    waiting: Arc<Waiting>,
    /// The number of waiters so far, which names the next one.
    came: usize,
}

/// The waiters, in order of arrival. As a waker, it wakes all of them.
#[derive(Debug, Default)]
struct Waiting(Mutex<Vec<(usize, Waker)>>);

impl Waiting {
    fn wake_one(&self) {
        lock(&self.0).first().into_iter().for_each(|(_, waker)| waker.wake_by_ref());
    }

    fn wake_all(&self) {
        lock(&self.0).iter().for_each(|(_, waker)| waker.wake_by_ref());
    }

    fn is_empty(&self) -> bool {
        lock(&self.0).is_empty()
    }

    fn is_first(&self, name: usize) -> bool {
        lock(&self.0).first().is_none_or(|(first, _)| *first == name)
    }

    fn contains(&self, name: usize) -> bool {
        lock(&self.0).iter().any(|(waiting, _)| *waiting == name)
    }

    fn leave(&self, name: usize) {
        lock(&self.0).retain(|(waiting, _)| *waiting != name);
    }

    /// Keeps the latest waker of a waiter, or the first one if `is_kept`.
    fn register(&self, name: usize, waker: &Waker, is_kept: bool) {
        let waiting = &mut *lock(&self.0);
        match waiting.iter_mut().find(|(waiting, _)| *waiting == name) {
            Some(_) if is_kept => {}
            Some((_, kept)) => kept.clone_from(waker),
            None => waiting.push((name, waker.clone())),
        }
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}

impl<R> Clone for FaultyCreator<R> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<R: Reference<u8, u64>> FaultyCreator<R> {
    /// Creates an empty cache with this fault, or with none, that evicts as an empty reference does.
    ///
    /// The type shows an example.
    pub fn new(fault: impl Into<Option<CreationFault>>, reference: R) -> Self {
        Self::with(fault.into(), reference, Lead::Any)
    }

    // S5.
    /// Creates an empty cache whose callers take over a creation in the order in which they came.
    ///
    /// ```
    /// use aws_client_cache_spec::creation::{Schedules, creation};
    /// use aws_client_cache_spec::faults::FaultyCreator;
    /// use aws_client_cache_spec::Model;
    ///
    /// creation(Schedules::new(), Model::lru, || FaultyCreator::in_turn(Model::lru(2)))?;
    /// # Ok::<(), aws_client_cache_spec::creation::Violation>(())
    /// ```
    pub fn in_turn(reference: R) -> Self {
        Self::with(None, reference, Lead::InTurn)
    }

    // S9.
    /// Creates an empty cache whose callers share each creation.
    ///
    /// [`creation`](crate::creation::creation()) shows an example.
    pub fn shared(fault: impl Into<Option<CreationFault>>, reference: R) -> Self {
        Self::with(fault.into(), reference, Lead::Shared)
    }

    fn with(fault: Option<CreationFault>, model: R, lead: Lead) -> Self {
        let inner =
            Inner { fault, lead, model, flights: BTreeMap::new(), told: Vec::new(), failed: None, kept: Vec::new() };
        Self(Rc::new(RefCell::new(inner)))
    }

    fn is(&self, fault: CreationFault) -> bool {
        self.0.borrow().fault == Some(fault)
    }

    // S2.
    /// Stores the created value, or returns the present one.
    fn publish(&self, key: u8, made: u64) -> u64 {
        let inner = &mut *self.0.borrow_mut();
        let fault = inner.fault;
        if let Some(present) = inner.model.peek(&key) {
            match fault {
                Some(CreationFault::CreatedReplacesPresent) => {
                    let _ = inner.model.remove(&key);
                }
                Some(CreationFault::PresentValueCountsNoUse) => return present,
                _ => return inner.model.get(&key).unwrap_or(present),
            }
        }
        let victim = inner.model.insert(key, made).ok().flatten();
        if fault != Some(CreationFault::EvictionIsNotReported) {
            inner.told.extend(victim); // S8
        }
        if fault == Some(CreationFault::LeaderCountsAnExtraUse) {
            inner.model.get(&key);
        }
        made
    }

    // S3.
    /// Revokes a creation: later callers start a new one, and the value in flight is not stored.
    fn revoke(&self, key: u8, operation: &Operation<u8, u64>) {
        let fault = self.0.borrow().fault;
        let is_joined = match fault {
            Some(CreationFault::RemovalRevokesNothing) => return,
            Some(CreationFault::LaterCallersJoinTheRevoked) => true,
            Some(CreationFault::LaterCallersJoinTheDrained) => matches!(operation, Operation::Drain(_)),
            _ => false,
        };
        let flight = self.0.borrow().flights.get(&key).cloned();
        if let Some(flight) = flight {
            flight.borrow_mut().is_revoked = true;
            if !is_joined {
                self.0.borrow_mut().flights.remove(&key);
            }
        }
    }

    /// Ends the creation in flight with a result that is not its own.
    fn end(&self, key: u8, result: Result<u64, Failure>) {
        let flight = self.0.borrow_mut().flights.remove(&key);
        if let Some(flight) = flight {
            flight.borrow_mut().result = Some(result);
            flight.borrow().waiting.wake_all();
        }
    }

    /// Drops a creation that no caller awaits.
    fn abandon(&self, creation: Pin<Box<Creation>>) {
        if self.is(CreationFault::AbandonedCreationRunsOn) {
            self.0.borrow_mut().kept.push(creation);
        }
    }

    /// Removes a flight from the list, if it is still there.
    fn forget(&self, key: u8, flight: &Rc<RefCell<Flight>>) {
        let flights = &mut self.0.borrow_mut().flights;
        if flights.get(&key).is_some_and(|current| Rc::ptr_eq(current, flight)) {
            flights.remove(&key);
        }
    }
}

impl<R: Reference<u8, u64> + 'static> Creates for FaultyCreator<R> {
    fn get_or_create(&self, key: u8, create: Box<dyn FnOnce() -> Creation + Send>) -> Call {
        Box::pin(Caller { cache: self.clone(), key, create: Some(create), role: Role::Fresh })
    }

    fn get_or_create_now(
        &self,
        key: u8,
        create: Box<dyn FnOnce() -> Result<u64, Failure> + Send>,
    ) -> Result<u64, Failure> {
        let present = self.0.borrow_mut().model.get(&key);
        if let Some(present) = present {
            return Ok(present);
        }
        let failed = self.0.borrow().failed;
        if let Some(failure) = failed {
            return Err(failure);
        }
        let result = create().map(|made| self.publish(key, made)); // S7
        let fault = self.0.borrow().fault;
        match (fault, result) {
            (Some(CreationFault::SyncVariantEndsTheCreation), Ok(_))
            | (Some(CreationFault::SyncFailureIsShared), Err(_)) => self.end(key, result),
            (Some(CreationFault::SyncFailureIsCached), Err(failure)) => self.0.borrow_mut().failed = Some(failure),
            _ => {}
        }
        result
    }

    fn call(&self, operation: &Operation<u8, u64>) -> Outcome<u8, u64> {
        let fault = self.0.borrow().fault;
        match operation {
            Operation::Remove(key) => self.revoke(*key, operation),
            Operation::Clear if fault == Some(CreationFault::ClearRevokesNothing) => {}
            Operation::Drain(_) if fault == Some(CreationFault::DrainRevokesNothing) => {}
            Operation::Retain(_) if fault == Some(CreationFault::RetainRevokesNothing) => {}
            // The predicate is asked about no key in flight, so every one is revoked that it may refuse.
            Operation::Clear | Operation::Drain(_) | Operation::Retain(0..=0xFE) => {
                let keys: Vec<u8> = self.0.borrow().flights.keys().copied().collect();
                for key in keys {
                    self.revoke(key, operation);
                }
            }
            Operation::Insert(key, _) if fault == Some(CreationFault::InFlightCountsAsEntry) => {
                let is_in_flight = self.0.borrow().flights.contains_key(key);
                if is_in_flight {
                    return Outcome::Refused(Refusal::AlreadyExists);
                }
            }
            Operation::Pop | Operation::SetMaxSize(0) if fault == Some(CreationFault::EvictionRevokes) => {
                self.revoke(0, operation);
            }
            _ => {}
        }
        let inner = &mut *self.0.borrow_mut();
        // D13: a replaced entry is not evicted.
        let replaces = matches!(operation, Operation::Insert(key, _) if inner.model.contains_key(key));
        let outcome = follow(&mut inner.model, operation);
        if let Outcome::Evicted(victims) | Outcome::Found(_, victims) = &outcome
            && !replaces
        {
            inner.told.extend(victims.iter().copied());
        }
        outcome
    }

    fn reports(&self) -> Vec<(u8, u64)> {
        std::mem::take(&mut self.0.borrow_mut().told)
    }
}

struct Caller<R: Reference<u8, u64>> {
    cache: FaultyCreator<R>,
    key: u8,
    create: Option<Box<dyn FnOnce() -> Creation + Send>>,
    role: Role,
}

enum Role {
    Fresh,
    Waiting { flight: Rc<RefCell<Flight>>, name: usize },
    Making { flight: Rc<RefCell<Flight>>, creation: Pin<Box<Creation>> },
    Gone,
}

impl<R: Reference<u8, u64>> Future for Caller<R> {
    type Output = Result<u64, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            match &mut this.role {
                Role::Fresh => this.come(),
                Role::Waiting { flight, name } => {
                    let (flight, name) = (Rc::clone(flight), *name);
                    match this.wait(&flight, name, context.waker()) {
                        Poll::Ready(Some(result)) => return Poll::Ready(result),
                        Poll::Ready(None) => {}
                        Poll::Pending => return Poll::Pending,
                    }
                }
                Role::Making { flight, creation } => {
                    let flight = Rc::clone(flight);
                    let Poll::Ready(made) = creation.as_mut().poll(context) else { return Poll::Pending };
                    this.role = Role::Gone;
                    return Poll::Ready(this.land(&flight, made));
                }
                Role::Gone => return Poll::Pending,
            }
            if let Role::Gone = this.role {
                let present = this.cache.0.borrow_mut().model.get(&this.key);
                return present.map_or(Poll::Pending, |present| Poll::Ready(Ok(present)));
            }
        }
    }
}

impl<R: Reference<u8, u64>> Caller<R> {
    /// Looks up the key: a hit ends the call; on a miss, the caller waits or creates.
    fn come(&mut self) {
        let cache = self.cache.clone();
        if cache.0.borrow().model.contains_key(&self.key) {
            self.role = Role::Gone;
            return;
        }
        let alone = cache.is(CreationFault::EachCallerCreates)
            || (cache.is(CreationFault::NothingIsSharedAtZero) && cache.0.borrow().model.bound() == 0);
        let under_way = cache.0.borrow().flights.get(&self.key).filter(|_| !alone).cloned();
        if let Some(flight) = under_way {
            self.join(flight);
            return;
        }
        let flight = Rc::new(RefCell::new(Flight::default()));
        cache.0.borrow_mut().flights.insert(self.key, Rc::clone(&flight));
        if cache.0.borrow().lead == Lead::Shared
            && let Some(create) = self.create.take()
        {
            flight.borrow_mut().shared = Some(Box::pin(create()));
            self.join(flight);
        } else {
            self.make(flight);
        }
    }

    fn join(&mut self, flight: Rc<RefCell<Flight>>) {
        let name = flight.borrow().came;
        flight.borrow_mut().came += 1;
        self.role = Role::Waiting { flight, name };
    }

    // S9.
    /// Polls the shared creation, and completes it if it is ready.
    ///
    /// Any waiter does so, and the creation wakes all of them. Returns `None` if the flight has no shared creation.
    fn drive(
        &mut self,
        flight: &Rc<RefCell<Flight>>,
        name: usize,
        waker: &Waker,
    ) -> Option<Poll<Result<u64, Failure>>> {
        let mut creation = flight.borrow_mut().shared.take()?;
        let waiting = Arc::clone(&flight.borrow().waiting);
        waiting.register(name, waker, self.cache.is(CreationFault::FirstWakerIsKept));
        let is_latest = self.cache.is(CreationFault::OnlyTheLatestIsWoken);
        let all_waiters = if is_latest { waker.clone() } else { Waker::from(waiting) };
        let is_passive = name > 0 && self.cache.is(CreationFault::OnlyTheFirstDrives);
        let polled = if is_passive {
            Ok(Poll::Pending)
        } else {
            catch_unwind(AssertUnwindSafe(|| creation.as_mut().poll(&mut Context::from_waker(&all_waiters))))
        };
        let made = match polled {
            Ok(Poll::Ready(made)) => made,
            Ok(Poll::Pending) => {
                flight.borrow_mut().shared = Some(creation);
                return Some(Poll::Pending);
            }
            Err(_) => Err(Failure::PANIC),
        };
        self.leave(flight, name);
        Some(Poll::Ready(self.land(flight, made)))
    }

    fn make(&mut self, flight: Rc<RefCell<Flight>>) {
        if let Some(create) = self.create.take() {
            flight.borrow_mut().has_maker = true;
            self.role = Role::Making { flight, creation: Box::pin(create()) };
        }
    }

    /// Waits further, takes over the creation, or returns the result.
    ///
    /// After it takes over, the caller has a role to continue with.
    fn wait(&mut self, flight: &Rc<RefCell<Flight>>, name: usize, waker: &Waker) -> Poll<Option<Result<u64, Failure>>> {
        if let Some(driven) = self.drive(flight, name, waker) {
            return driven.map(Some);
        }
        let Flight { result, has_maker, is_revoked, .. } = *flight.borrow();
        let is_impatient = self.cache.is(CreationFault::WaiterCreatesAnother) && flight.borrow().waiting.contains(name);
        let waits_its_turn = self.cache.0.borrow().lead == Lead::InTurn && !flight.borrow().waiting.is_first(name);
        if result.is_none() && (has_maker && !is_impatient || waits_its_turn) {
            flight.borrow().waiting.register(name, waker, self.cache.is(CreationFault::FirstWakerIsKept));
            return Poll::Pending;
        }
        if result.is_none() && !is_revoked {
            let present = self.cache.0.borrow_mut().model.get(&self.key);
            if let Some(present) = present {
                self.leave(flight, name);
                self.cache.forget(self.key, flight);
                flight.borrow_mut().result = Some(Ok(present));
                flight.borrow().waiting.wake_all();
                return Poll::Ready(Some(Ok(present)));
            }
        }
        self.leave(flight, name);
        match result {
            None => {
                self.make(Rc::clone(flight));
                Poll::Ready(None)
            }
            Some(Err(_)) if self.cache.is(CreationFault::FailureIsRetried) => {
                self.role = Role::Fresh;
                Poll::Ready(None)
            }
            Some(result) => {
                let counts = match self.cache.0.borrow().fault {
                    Some(CreationFault::WaiterCountsNoUse) => false,
                    Some(CreationFault::WaiterOfRevokedLooksUp) => true,
                    _ => !is_revoked,
                };
                let result = result.map(|made| {
                    let present = if counts { self.cache.0.borrow_mut().model.get(&self.key) } else { None };
                    present.unwrap_or(made)
                });
                Poll::Ready(Some(result))
            }
        }
    }

    /// Stops waiting.
    fn leave(&mut self, flight: &Rc<RefCell<Flight>>, name: usize) {
        flight.borrow().waiting.leave(name);
        self.role = Role::Gone;
        let has_failed = matches!(flight.borrow().result, Some(Err(_)));
        if has_failed && self.cache.is(CreationFault::FailureStaysJoinable) && flight.borrow().waiting.is_empty() {
            self.cache.forget(self.key, flight);
        }
    }

    /// Ends the flight with the created value, for all waiters.
    fn land(&mut self, flight: &Rc<RefCell<Flight>>, made: Result<u64, Failure>) -> Result<u64, Failure> {
        let cache = self.cache.clone();
        let is_stored = !flight.borrow().is_revoked || cache.is(CreationFault::RevokedIsStored);
        let result = made.map(|made| if is_stored { cache.publish(self.key, made) } else { made });
        flight.borrow_mut().result = Some(result);
        let stays_joinable = cache.is(CreationFault::FailureStaysJoinable) && !flight.borrow().waiting.is_empty();
        if result.is_ok() || !(cache.is(CreationFault::FailureIsCached) || stays_joinable) {
            cache.forget(self.key, flight);
        }
        if cache.is(CreationFault::OnlyOneWaiterIsWoken) {
            flight.borrow().waiting.wake_one();
        } else {
            flight.borrow().waiting.wake_all();
        }
        result
    }
}

// S5.
/// A caller that is dropped or panics hands over to the next waiter.
impl<R: Reference<u8, u64>> Drop for Caller<R> {
    fn drop(&mut self) {
        let flight = match std::mem::replace(&mut self.role, Role::Gone) {
            Role::Making { flight, creation } => {
                let panicked = self.cache.is(CreationFault::WaitersOfAPanicHang);
                self.cache.abandon(creation);
                flight.borrow_mut().has_maker = panicked;
                flight
            }
            Role::Waiting { flight, name } => {
                self.leave(&flight, name);
                if name == 0 && self.cache.is(CreationFault::EndsWithTheFirstCaller) {
                    flight.borrow_mut().shared = None;
                }
                if self.cache.is(CreationFault::DroppedWaiterLosesTheTurn) {
                    return;
                }
                flight
            }
            Role::Fresh | Role::Gone => return,
        };
        let Flight { has_maker, result, .. } = *flight.borrow();
        if has_maker || result.is_some() {
            return;
        }
        if flight.borrow().waiting.is_empty() {
            self.cache.forget(self.key, &flight);
            let shared = flight.borrow_mut().shared.take();
            if let Some(creation) = shared {
                self.cache.abandon(creation);
            }
        } else if !self.cache.is(CreationFault::NoWaiterTakesOver) {
            flight.borrow().waiting.wake_one();
        }
    }
}
