//! [`LoadPermits`], the bound on the loads of a session.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use futures_util::FutureExt;
use futures_util::future::OptionFuture;

use super::single_flight::{Flight, FlightRef};
use crate::shared_future::WeakSharedFuture;

/// The time after which a waiting load drives the loads that hold permits.
///
/// Their own callers drive them much sooner, unless these have stopped polling.
const HELP_AFTER: Duration = Duration::from_millis(100);

/// The time after which a load no longer counts.
///
/// A provider that hangs would otherwise hold back all others until its load times out.
const COUNTED_FOR: Duration = Duration::from_secs(3);

/// Bounds the concurrent loads of a session, in FIFO order.
///
/// A permit belongs to a load, and not to the caller that began it. Waiting loads drive those that hold permits, so that
/// callers that stop polling do not exhaust the bound.
// T5
pub(super) struct LoadPermits<T>(Arc<Mutex<State<T>>>)
where
    T: Clone + Send + Sync + 'static;

struct State<T>
where
    T: Clone + Send + Sync + 'static,
{
    free: usize,
    next_id: u64,
    waiting: VecDeque<Waiting<T>>,
    holders: Vec<Holder<T>>,
}

struct Holder<T>
where
    T: Clone + Send + Sync + 'static,
{
    id: u64,
    /// Weak, because the load owns its permit.
    load: FlightRef<T>,
}

struct Waiting<T>
where
    T: Clone + Send + Sync + 'static,
{
    holder: Holder<T>,
    waker: Option<Waker>,
    /// Set if the load drives the holders.
    is_helping: bool,
}

/// A place in the queue, and then a permit.
pub(super) struct Permit<T>
where
    T: Clone + Send + Sync + 'static,
{
    permits: LoadPermits<T>,
    id: u64,
}

impl<T: Clone + Send + Sync + 'static> Clone for LoadPermits<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone + Send + Sync + 'static> LoadPermits<T> {
    pub(super) fn new(permits: usize) -> Self {
        let state = State { free: permits.max(1), next_id: 0, waiting: VecDeque::new(), holders: Vec::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns `true` if a load would not have to wait.
    pub(super) fn has_free(&self) -> bool {
        self.lock().free > 0
    }

    /// Runs `next` with a permit, which it holds for as long as it is counted.
    ///
    /// `load` refers to the load that calls this method.
    pub(super) async fn run<U>(
        &self,
        load: FlightRef<T>,
        sleep: Option<&SharedAsyncSleep>,
        next: impl Future<Output = U>,
    ) -> U {
        let permit = self.acquire(load, sleep).await;
        let mut next = pin!(next);
        let Some(sleep) = sleep else { return next.await };
        let began = Instant::now();
        let mut end = pin!(sleep.sleep(COUNTED_FOR).fuse());
        let mut permit = Some(permit);
        poll_fn(|context| {
            let done = next.as_mut().poll(context);
            // A sleep of tests takes no time.
            if done.is_pending() && end.as_mut().poll(context).is_ready() && began.elapsed() >= COUNTED_FOR {
                permit = None;
            }
            done
        })
        .await
    }

    async fn acquire(&self, load: FlightRef<T>, sleep: Option<&SharedAsyncSleep>) -> Permit<T> {
        let permit = self.enqueue(load);
        let mut patience = pin!(OptionFuture::from(sleep.map(|sleep| sleep.sleep(HELP_AFTER))).fuse());
        let mut is_patient = true;
        let mut driven = Vec::new();
        poll_fn(|context| {
            is_patient = is_patient && patience.as_mut().poll(context).is_pending();
            if self.lock().is_granted(permit.id, !is_patient, context) {
                return Poll::Ready(());
            }
            if !is_patient {
                self.drive_holders(&mut driven, context);
            }
            Poll::Pending
        })
        .await;
        permit
    }

    fn enqueue(&self, load: FlightRef<T>) -> Permit<T> {
        let state = &mut *self.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.waiting.push_back(Waiting { holder: Holder { id, load }, waker: None, is_helping: false });
        // No other load is waiting if a permit is free, so this one is granted it, and has no waker yet.
        let _ = state.grant();
        Permit { permits: self.clone(), id }
    }

    /// Polls the loads that hold permits, so that one whose callers have stopped polling goes on.
    fn drive_holders(&self, driven: &mut Vec<(u64, Flight<T>)>, context: &mut Context<'_>) {
        let holders: Vec<_> = self.lock().holders.iter().map(|holder| (holder.id, Arc::clone(&holder.load))).collect();
        driven.retain(|(id, _)| holders.iter().any(|(holder, _)| holder == id));
        for (id, load) in holders {
            if driven.iter().all(|(known, _)| *known != id)
                && let Some(flight) = load.get().and_then(WeakSharedFuture::upgrade)
            {
                driven.push((id, flight));
            }
        }
        driven.retain_mut(|(_, flight)| flight.poll_unpin(context).is_pending());
    }
}

impl<T: Clone + Send + Sync + 'static> State<T> {
    /// Grants free permits to the loads that have waited longest, and returns their wakers.
    fn grant(&mut self) -> Vec<Waker> {
        let mut woken = Vec::new();
        while self.free > 0
            && let Some(Waiting { holder, waker, .. }) = self.waiting.pop_front()
        {
            self.free -= 1;
            self.holders.push(holder);
            woken.extend(waker);
        }
        woken
    }

    /// Returns `true` if the load has its permit; otherwise registers the waker.
    fn is_granted(&mut self, id: u64, is_helping: bool, context: &Context<'_>) -> bool {
        let Ok(position) = self.position(id) else { return true };
        let waiting = &mut self.waiting[position];
        waiting.waker = Some(context.waker().clone());
        waiting.is_helping = is_helping;
        false
    }

    /// Returns the position of a waiting load. Later loads have greater ids.
    fn position(&self, id: u64) -> Result<usize, usize> {
        self.waiting.binary_search_by_key(&id, |waiting| waiting.holder.id)
    }
}

impl<T: Clone + Send + Sync + 'static> Drop for Permit<T> {
    fn drop(&mut self) {
        // The loads are dropped and the wakers woken after the lock has been released.
        let (_holder, _waiting, woken) = {
            let state = &mut *self.permits.lock();
            let position = state.holders.iter().position(|holder| holder.id == self.id);
            let holder = position.map(|position| state.holders.swap_remove(position));
            state.free += usize::from(holder.is_some());
            let waiting = state.position(self.id).ok().and_then(|position| state.waiting.remove(position));
            let mut woken = state.grant();
            // They drive the new holder, because its callers may have stopped polling.
            let helping = state.waiting.iter().filter(|waiting| waiting.is_helping);
            woken.extend(helping.filter_map(|waiting| waiting.waker.clone()));
            (holder, waiting, woken)
        };
        for waker in woken {
            waker.wake();
        }
    }
}
