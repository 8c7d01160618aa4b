//! [`SharedFuture`], a future that each of its clones can drive.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

/// The time after which a clone polls the future without a wake.
///
/// The timers and the connections that the future awaits belong to the runtime that polled it first, which may no longer run.
/// A poll at times lets the future see that it has taken too long.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// The time after its last poll for which a future is not abandoned: callers poll it at each [`TICK`].
pub(crate) const KEPT_FOR: Duration = Duration::from_secs(1);

/// A future whose clones all receive its result, and any of which can drive it.
///
/// A clone that is no longer polled does not stop the others. [`Shared`] alone lacks that: while one clone polls, another one
/// that is woken returns without polling, and relies on the first to poll again.
// T7, S9
#[derive(Clone)]
pub(crate) struct SharedFuture<T: Clone> {
    shared: Shared<Driven<T>>,
    signal: Arc<Signal>,
}

impl<T: Clone> SharedFuture<T> {
    pub(crate) fn new(future: BoxFuture<'static, T>) -> Self {
        let polled = Mutex::new(Instant::now());
        let signal = Arc::new(Signal { is_woken: AtomicBool::new(true), waker: OnceLock::new(), polled });
        let driven = Driven { future, signal: Arc::clone(&signal), polled: None };
        Self { shared: driven.shared(), signal }
    }

    pub(crate) fn is_completed(&self) -> bool {
        self.shared.peek().is_some()
    }

    /// Records that a clone is about to be polled.
    pub(crate) fn touch(&self) {
        *self.signal.polled() = Instant::now();
    }

    /// Lets the next poll of any clone poll the future.
    pub(crate) fn prod(&self) {
        self.signal.is_woken.store(true, SeqCst);
    }

    /// Returns `true` if no other clone drives the future: there is none, or none that is polled.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.shared.strong_count() == Some(1) || self.signal.polled().elapsed() >= KEPT_FOR
    }
}

impl<T: Clone> Future for SharedFuture<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Self { shared, signal } = self.get_mut();
        *signal.polled() = Instant::now();
        let polled = shared.poll_unpin(context);
        // The future was woken while another clone polled it, which may never poll again.
        if polled.is_pending() && signal.is_woken.load(SeqCst) {
            context.waker().wake_by_ref();
        }
        polled
    }
}

/// A future that is polled only after it was woken, or after a [`TICK`], however many waiters poll it.
///
/// [`Shared`] wakes all waiters, and each of them polls the future.
struct Driven<T> {
    future: BoxFuture<'static, T>,
    signal: Arc<Signal>,
    polled: Option<Instant>,
}

struct Signal {
    is_woken: AtomicBool,
    /// The waker of the [`Shared`], which is the same for each poll.
    waker: OnceLock<Waker>,
    /// The time of the last poll of any clone.
    polled: Mutex<Instant>,
}

impl Signal {
    fn polled(&self) -> MutexGuard<'_, Instant> {
        self.polled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Future for Driven<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Self { future, signal, polled } = self.get_mut();
        signal.waker.get_or_init(|| context.waker().clone());
        if !signal.is_woken.swap(false, SeqCst) && polled.is_some_and(|polled| polled.elapsed() < TICK) {
            return Poll::Pending;
        }
        *polled = Some(Instant::now());
        let waker = Waker::from(Arc::clone(signal));
        future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // All wakers are woken already. They may lead back to this one, in a provider that awaits its own load.
        if self.is_woken.swap(true, SeqCst) {
            return;
        }
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct CountingWaker(AtomicUsize);

    impl Wake for CountingWaker {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    // Proves T7, S9.
    #[test]
    fn a_wake_during_the_last_poll_of_a_clone_reaches_the_others() {
        let woken = Arc::new(CountingWaker::default());
        let waiter = Arc::new(Mutex::new(None::<SharedFuture<u8>>));
        let poll_waiter = {
            let (woken, waiter) = (Waker::from(Arc::clone(&woken)), Arc::clone(&waiter));
            move || waiter.lock().unwrap().as_mut().unwrap().poll_unpin(&mut Context::from_waker(&woken))
        };
        let (during, mut polls) = (poll_waiter.clone(), 0);
        let stored = Arc::new(OnceLock::<Waker>::new());
        let event = Arc::clone(&stored);
        let future = poll_fn(move |context| {
            polls += 1;
            event.get_or_init(|| context.waker().clone());
            match polls {
                1 => Poll::Pending,
                2 => {
                    // The event occurs, and the waiter is polled, while the other clone polls.
                    context.waker().wake_by_ref();
                    assert!(during().is_pending());
                    Poll::Pending
                }
                _ => Poll::Ready(7),
            }
        });
        let mut stops = SharedFuture::new(future.boxed());
        *waiter.lock().unwrap() = Some(stops.clone());
        assert!(poll_waiter().is_pending());
        stored.get().unwrap().wake_by_ref();
        let before = woken.0.load(SeqCst);
        assert!(stops.poll_unpin(&mut Context::from_waker(Waker::noop())).is_pending());
        // The other clone is kept, and never polled again.
        assert!(woken.0.load(SeqCst) > before, "the waiter is woken");
        assert_eq!(poll_waiter(), Poll::Ready(7));
        drop(stops);
    }

    // Proves T8.
    #[test]
    fn a_future_that_clones_keep_is_abandoned_until_one_is_about_to_be_polled() {
        let future = SharedFuture::new(std::future::pending::<u8>().boxed());
        assert!(future.is_abandoned(), "no other clone exists");
        let other = future.clone();
        assert!(!future.is_abandoned());
        *future.signal.polled() = Instant::now().checked_sub(KEPT_FOR).unwrap();
        assert!(future.is_abandoned());
        other.touch();
        assert!(!future.is_abandoned());
    }

    // Proves S9.
    #[test]
    fn a_future_that_was_not_woken_is_polled_once_in_a_tick() {
        let (polls, began) = (Arc::new(AtomicUsize::new(0)), Instant::now());
        let counted = Arc::clone(&polls);
        let waits = poll_fn(move |_| {
            counted.fetch_add(1, SeqCst);
            Poll::<u8>::Pending
        });
        let mut future = SharedFuture::new(waits.boxed());
        for _ in 0..1_000 {
            assert!(future.poll_unpin(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        let (before, most) = (polls.load(SeqCst), 1 + began.elapsed().as_nanos() / TICK.as_nanos());
        assert!(before as u128 <= most, "{before} polls, at most {most} expected");
        future.prod();
        assert!(future.poll_unpin(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(polls.load(SeqCst), before + 1);
    }
}
