//! Callers and creations that a schedule controls, without a runtime.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use crate::threads::lock;

/// The error of a failed creation.
///
/// It is a number, which shows that all waiters receive the same error.
///
/// [`Creates`](crate::creation::Creates) shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Failure(pub u64);

impl Failure {
    // S9.
    /// The failure of a [shared](crate::creation::Schedules::is_shared) creation that panics.
    pub const PANIC: Self = Self(u64::MAX);
}

/// The fate of a creation, as a schedule decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fate {
    Success,
    Failure,
    Panic,
}

/// The state of a creation.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) fate: Option<Fate>,
    /// Is `true` if the future was dropped.
    pub(super) is_dropped: bool,
    waker: Option<Waker>,
}

/// The creations of one run of a schedule, in the order in which they began.
#[derive(Clone, Debug, Default)]
pub(super) struct Creations(Arc<Mutex<Vec<State>>>);

impl Creations {
    pub(super) fn len(&self) -> usize {
        lock(&self.0).len()
    }

    pub(super) fn with<T>(&self, creation: usize, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut lock(&self.0)[creation])
    }

    /// Decides a creation's fate, and wakes the task that polls it.
    pub(super) fn decide(&self, creation: usize, fate: Fate) {
        let waker = self.with(creation, |state| {
            state.fate = Some(fate);
            state.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Begins a creation.
    pub(super) fn begin(&self) -> Creation {
        let mut states = lock(&self.0);
        states.push(State::default());
        Creation { creations: self.clone(), number: states.len() - 1 }
    }
}

/// Returns the value that a creation creates, and the number of its failure.
pub(super) fn made(creation: usize) -> u64 {
    100 + creation as u64
}

/// A creation in flight.
///
/// It is a future that is pending until the schedule decides that it succeeds, fails or panics.
///
/// The level creates them, and a cache only polls them, so there is no example.
#[derive(Debug)]
pub struct Creation {
    creations: Creations,
    number: usize,
}

impl Future for Creation {
    type Output = Result<u64, Failure>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let fate = self.creations.with(self.number, |state| {
            state.waker = Some(context.waker().clone());
            state.fate
        });
        match fate {
            None => Poll::Pending,
            Some(Fate::Success) => Poll::Ready(Ok(made(self.number))),
            Some(Fate::Failure) => Poll::Ready(Err(Failure(made(self.number)))),
            Some(Fate::Panic) => resume_unwind(Box::new("a creation that panics")),
        }
    }
}

impl Drop for Creation {
    fn drop(&mut self) {
        self.creations.with(self.number, |state| state.is_dropped = true);
    }
}

/// The waker of one poll. Only the latest must be woken.
#[derive(Debug, Default)]
pub(super) struct Bell(AtomicBool);

impl Bell {
    pub(super) fn has_rung(&self) -> bool {
        self.0.load(Relaxed)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}
