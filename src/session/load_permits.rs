//! [`LoadPermits`], the bound on the loads of a session.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::shared_future::KEPT_FOR;

/// The time after which a load no longer counts.
///
/// A provider that hangs would otherwise hold back all others until its load times out.
const COUNTED_FOR: Duration = Duration::from_secs(3);

/// Bounds the concurrent loads of a session, in FIFO order.
///
/// A permit belongs to a load, and not to the caller that began it. A load without a caller that polls it loses its permit, and
/// goes on without one when a caller resumes it.
///
/// Time is measured by the clock of the machine, and read when any load is polled. A timer would fire only while its runtime
/// runs.
// T5
#[derive(Clone)]
pub(super) struct LoadPermits(Arc<Mutex<State>>);

struct State {
    permits: usize,
    next_ticket: u64,
    holders: Vec<Holder>,
    /// By ascending ticket.
    waiting: VecDeque<Waiting>,
}

struct Holder {
    ticket: u64,
    since: Instant,
    polled: Instant,
}

struct Waiting {
    ticket: u64,
    polled: Instant,
    waker: Waker,
}

/// The place of a load among the holders or in the queue.
pub(super) struct Place {
    permits: LoadPermits,
    /// A number that is higher for a load that began to wait later.
    ticket: Option<u64>,
}

impl LoadPermits {
    pub(super) fn new(permits: usize) -> Self {
        let state = State { permits: permits.max(1), next_ticket: 0, holders: Vec::new(), waiting: VecDeque::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the place of a load that waits for its permit.
    pub(super) fn wait(&self) -> Place {
        Place { permits: self.clone(), ticket: None }
    }

    /// Returns the place of a load that has its permit already, unless it would have to wait.
    pub(super) fn try_acquire(&self) -> Option<Place> {
        let ticket = self.lock().try_acquire(Instant::now())?;
        Some(Place { permits: self.clone(), ticket: Some(ticket) })
    }
}

impl Place {
    /// Runs `load` with a permit.
    ///
    /// A load that is polled by another one needs none: the provider of the other awaits it, and could wait for its own permit.
    pub(super) async fn run<T>(mut self, load: impl Future<Output = T>) -> T {
        poll_fn(|context| self.poll_granted(context)).await;
        let mut load = pin!(load);
        poll_fn(|context| {
            self.permits.lock().touch(self.ticket);
            Nested::within(|| load.as_mut().poll(context))
        })
        .await
    }

    fn poll_granted(&mut self, context: &Context<'_>) -> Poll<()> {
        if is_within_load() {
            self.leave();
            return Poll::Ready(());
        }
        let (is_granted, skipped) = self.permits.lock().grant(&mut self.ticket, context.waker(), Instant::now());
        skipped.into_iter().for_each(Waker::wake);
        if is_granted { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Returns the permit, or leaves the queue.
    fn leave(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        // Dropped and woken after the lock has been released.
        let (_waiting, woken) = {
            let state = &mut *self.permits.lock();
            state.holders.retain(|holder| holder.ticket != ticket);
            let waiting = state.position(ticket).and_then(|position| state.waiting.remove(position));
            (waiting, state.next(Instant::now()))
        };
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

impl State {
    /// Returns the number of free permits, after those have been taken back that no longer count.
    fn free(&mut self, now: Instant) -> usize {
        let is_counted =
            |holder: &Holder| is_within(now, holder.since, COUNTED_FOR) && is_within(now, holder.polled, KEPT_FOR);
        self.holders.retain(is_counted);
        self.permits.saturating_sub(self.holders.len())
    }

    /// Returns `true` if there are more free permits than loads that wait for one.
    fn has_free(&mut self, now: Instant) -> bool {
        let free = self.free(now);
        self.waiting.iter().filter(|waiting| is_within(now, waiting.polled, KEPT_FOR)).take(free).count() < free
    }

    /// Grants a permit to a new load if none waits for it. Returns its ticket.
    fn try_acquire(&mut self, now: Instant) -> Option<u64> {
        let ticket = self.has_free(now).then_some(self.next_ticket)?;
        self.next_ticket += 1;
        self.holders.push(Holder { ticket, since: now, polled: now });
        Some(ticket)
    }

    /// Grants a permit to the load with this ticket if it is its turn; otherwise registers the waker.
    ///
    /// A load that has a permit keeps it. Also returns the wakers of loads that have lost their place.
    fn grant(&mut self, ticket: &mut Option<u64>, waker: &Waker, now: Instant) -> (bool, Vec<Waker>) {
        if self.holders.iter().any(|holder| Some(holder.ticket) == *ticket) {
            return (true, Vec::new());
        }
        if let Some(position) = ticket.and_then(|ticket| self.position(ticket)) {
            let waiting = &mut self.waiting[position];
            waiting.polled = now;
            waiting.waker.clone_from(waker);
        } else {
            // A load that has lost its place comes before those that began to wait later.
            let ticket = *ticket.get_or_insert(self.next_ticket);
            self.next_ticket = self.next_ticket.max(ticket + 1);
            let position = self.waiting.partition_point(|waiting| waiting.ticket < ticket);
            self.waiting.insert(position, Waiting { ticket, polled: now, waker: waker.clone() });
        }
        let (free, skipped) = (self.free(now), self.skip(now));
        let position = ticket.and_then(|ticket| self.position(ticket)).filter(|position| *position < free);
        if let Some(Waiting { ticket, .. }) = position.and_then(|position| self.waiting.remove(position)) {
            self.holders.push(Holder { ticket, since: now, polled: now });
        }
        (position.is_some(), skipped)
    }

    /// Removes the loads whose turn it is, and which no caller polls. Returns their wakers.
    fn skip(&mut self, now: Instant) -> Vec<Waker> {
        let (free, mut skipped, mut position) = (self.free(now), Vec::new(), 0);
        while position < free
            && let Some(waiting) = self.waiting.get(position)
        {
            if is_within(now, waiting.polled, KEPT_FOR) {
                position += 1;
            } else {
                // A caller without a timer does not poll, but lives: it is woken, and takes its place anew.
                skipped.extend(self.waiting.remove(position).map(|waiting| waiting.waker));
            }
        }
        skipped
    }

    /// Returns the wakers of the loads whose turn it is.
    fn next(&mut self, now: Instant) -> Vec<Waker> {
        let (free, mut woken) = (self.free(now), self.skip(now));
        woken.extend(self.waiting.iter().take(free).map(|waiting| waiting.waker.clone()));
        woken
    }

    /// Records that a load is polled, if it still holds its permit.
    fn touch(&mut self, ticket: Option<u64>) {
        if let Some(holder) = self.holders.iter_mut().find(|holder| Some(holder.ticket) == ticket) {
            holder.polled = Instant::now();
        }
    }

    fn position(&self, ticket: u64) -> Option<usize> {
        self.waiting.binary_search_by_key(&ticket, |waiting| waiting.ticket).ok()
    }
}

fn is_within(now: Instant, since: Instant, limit: Duration) -> bool {
    now.saturating_duration_since(since) < limit
}

/// Returns `true` while this thread polls a load that has a permit.
pub(super) fn is_within_load() -> bool {
    IS_NESTED.get()
}

thread_local! {
    static IS_NESTED: Cell<bool> = const { Cell::new(false) };
}

/// The poll of a load by this thread.
struct Nested {
    before: bool,
}

impl Nested {
    fn within<T>(poll: impl FnOnce() -> T) -> T {
        let _restored = Self { before: IS_NESTED.replace(true) };
        poll()
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        IS_NESTED.set(self.before);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// Grants each of some tickets in turn, and returns which are granted a permit.
    fn grant<const N: usize>(state: &mut State, tickets: [&mut Option<u64>; N], now: Instant) -> [bool; N] {
        tickets.map(|ticket| state.grant(ticket, Waker::noop(), now).0)
    }

    // Proves T5.
    #[test]
    fn a_load_that_was_not_polled_keeps_its_rank() {
        let LoadPermits(state) = LoadPermits::new(1);
        let (state, began) = (&mut *state.lock().unwrap(), Instant::now());
        let [mut one, mut two, mut three, mut four, mut newcomer] = [None; 5];
        let granted = grant(state, [&mut one, &mut two, &mut three, &mut four], began);
        assert_eq!(granted, [true, false, false, false]);
        assert_eq!(grant(state, [&mut four], began + KEPT_FOR.saturating_sub(Duration::from_nanos(1))), [false]);
        let later = began + KEPT_FOR;
        assert_eq!(grant(state, [&mut four], later), [true], "no caller polls the others");
        assert_eq!(grant(state, [&mut newcomer, &mut three, &mut two], later), [false; 3]);
        assert!(state.waiting.iter().map(|waiting| Some(waiting.ticket)).eq([two, three, newcomer]));
        assert!(one < two && three < four && four < newcomer);
    }

    // Proves T5.
    #[test]
    fn a_load_that_is_not_polled_keeps_its_place_until_it_is_its_turn() {
        let LoadPermits(state) = LoadPermits::new(1);
        let (state, began) = (&mut *state.lock().unwrap(), Instant::now());
        assert_eq!(grant(state, [&mut None, &mut None, &mut None], began), [true, false, false]);
        let later = began + KEPT_FOR;
        state.waiting[0].polled = later;
        assert_eq!((state.free(later), state.skip(later).len(), state.waiting.len()), (1, 0, 2));
        state.waiting[0].polled = began;
        assert_eq!((state.skip(later).len(), state.waiting.len()), (2, 0));
    }

    // Proves T5.
    #[test]
    fn a_poll_is_recorded_for_the_load_that_is_polled() {
        let LoadPermits(state) = LoadPermits::new(2);
        let state = &mut *state.lock().unwrap();
        let (later, [mut one, mut two]) = (Instant::now() + KEPT_FOR, [None; 2]);
        assert_eq!(grant(state, [&mut one, &mut two], later), [true; 2]);
        state.touch(two);
        let polled: Vec<_> = state.holders.iter().map(|holder| (Some(holder.ticket), holder.polled == later)).collect();
        assert_eq!(polled, [(one, true), (two, false)]);
    }

    // Proves T8.
    #[test]
    fn a_permit_is_taken_by_the_caller_that_finds_it_free() {
        let permits = LoadPermits::new(1);
        let place = permits.try_acquire().unwrap();
        assert!(permits.try_acquire().is_none());
        assert_eq!(place.run(std::future::ready(7)).now_or_never(), Some(7));
        let _place = permits.try_acquire().unwrap();
        assert!(permits.wait().run(std::future::ready(7)).now_or_never().is_none());
        let permits = LoadPermits::new(2);
        let places = [(); 2].map(|()| permits.try_acquire().unwrap());
        let [_kept, returned] = places;
        drop(returned);
        assert!(permits.try_acquire().is_some());
        let _place = permits.try_acquire().unwrap();
        assert!(permits.try_acquire().is_none(), "the other place is kept");
    }

    // Proves T5.
    #[test]
    fn a_load_counts_for_three_seconds() {
        let LoadPermits(state) = LoadPermits::new(2);
        let (state, began) = (&mut *state.lock().unwrap(), Instant::now());
        let [mut one, mut two, mut three] = [None; 3];
        assert_eq!(grant(state, [&mut one, &mut two, &mut three], began), [true, true, false]);
        let ended = began + COUNTED_FOR;
        for holder in &mut state.holders {
            holder.polled = ended;
        }
        state.waiting[0].polled = ended;
        assert!(!state.has_free(began + COUNTED_FOR.saturating_sub(Duration::from_nanos(1))));
        assert!(state.has_free(ended), "two permits are free, and one load waits");
        assert_eq!(grant(state, [&mut three], ended), [true]);
        assert!(state.has_free(ended));
        assert_eq!(grant(state, [&mut None], ended), [true]);
        assert!(!state.has_free(ended));
    }
}
