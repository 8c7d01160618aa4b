//! [`SingleFlight`], which coalesces concurrent calls into one future that all of them can drive.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::shared_future::SharedFuture;

/// Coalesces concurrent calls: all callers of an epoch await one future, and any of them can drive it.
///
/// A caller that is dropped, or that stops polling, blocks no other caller and loses no progress: the future is kept
/// while it is in flight, and a later caller resumes it. A call after the future has completed begins another one.
pub(super) struct SingleFlight<T>(Mutex<Option<Attempt<T>>>)
where
    T: Clone + Send + Sync + 'static;

/// A future in flight, which every clone can drive.
pub(super) type Flight<T> = SharedFuture<Landed<T>>;

/// The result of a flight.
#[derive(Clone)]
pub(super) struct Landed<T> {
    pub(super) result: T,
    pub(super) at: Instant,
    /// Set if the caller that began the flight, or one that it awaited, gave up before it ended.
    ///
    /// The connection, the timer or the runtime that the flight awaited may have ended with that caller. Not set for a
    /// second trial, so that a failure is not repeated for ever.
    pub(super) was_abandoned: bool,
}

/// The first flight of a caller, or the second one after an abandoned flight has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trial {
    First,
    Second,
}

/// The attempt that callers of the same epoch join.
struct Attempt<T>
where
    T: Clone + Send + Sync + 'static,
{
    epoch: u64,
    flight: Flight<T>,
}

impl<T> Landed<T> {
    /// Returns the result of a flight that ends now.
    pub(super) fn now(result: T) -> Self {
        Self { result, at: Instant::now(), was_abandoned: false }
    }
}

/// A caller's share of a flight.
pub(super) struct Joined<T>
where
    T: Clone + Send + Sync + 'static,
{
    pub(super) flight: Flight<T>,
    /// Kept by the caller that began the flight.
    pub(super) beginner: Option<Arc<()>>,
}

impl<T: Clone + Send + Sync + 'static> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    /// Joins the flight of this epoch or of a later one, or begins one.
    ///
    /// Waiters of an earlier flight receive its result. `begin` must not run the caller's code, because it is called
    /// under the lock; its future may.
    pub(super) fn join(
        &self,
        epoch: u64,
        trial: Trial,
        begin: impl FnOnce() -> BoxFuture<'static, Landed<T>>,
    ) -> Joined<T> {
        self.join_if(epoch, trial, |_| true, begin).expect("every flight is accepted")
    }

    /// Begins a flight, or joins an abandoned one.
    ///
    /// Returns `None` if another caller drives the flight.
    pub(super) fn lead(
        &self,
        epoch: u64,
        trial: Trial,
        begin: impl FnOnce() -> BoxFuture<'static, Landed<T>>,
    ) -> Option<Joined<T>> {
        self.join_if(epoch, trial, SharedFuture::is_abandoned, begin)
    }

    fn join_if(
        &self,
        epoch: u64,
        trial: Trial,
        is_accepted: impl FnOnce(&Flight<T>) -> bool,
        begin: impl FnOnce() -> BoxFuture<'static, Landed<T>>,
    ) -> Option<Joined<T>> {
        // Dropped after the lock has been released, because parts of a provider may be of a caller's own type.
        let _outdated;
        let current = &mut *self.lock();
        if let Some(Attempt { flight, .. }) =
            current.as_ref().filter(|current| current.epoch >= epoch && !current.flight.is_completed())
        {
            return is_accepted(flight).then(|| Joined { flight: flight.clone(), beginner: None });
        }
        let beginner = Arc::new(());
        let (future, caller) = (begin(), Arc::downgrade(&beginner));
        let landing = future.map(move |landed| {
            let is_abandoned = landed.was_abandoned || caller.strong_count() == 0;
            Landed { was_abandoned: is_abandoned && trial == Trial::First, ..landed }
        });
        let flight = SharedFuture::new(landing.boxed());
        _outdated = current.replace(Attempt { epoch, flight: flight.clone() });
        Some(Joined { flight, beginner: Some(beginner) })
    }

    /// Drops the result of a completed flight, once a caller has it.
    pub(super) fn clear_completed(&self) {
        let _completed = self.lock().take_if(|current| current.flight.is_completed());
    }

    /// Drops the flight, unless callers hold it.
    pub(super) fn clear(&self) {
        let _dropped = self.lock().take();
    }

    /// Returns `true` if no flight is kept.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_none()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Attempt<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    // Proves T1: the epoch was read before an invalidation, and another caller has begun a load since.
    #[test]
    fn a_flight_of_a_later_epoch_is_joined() {
        let flights = SingleFlight::<u8>::default();
        let later = flights.join(2, Trial::First, || ready(Landed::now(2)).boxed());
        let earlier = flights.join(1, Trial::First, || pending().boxed());
        assert_eq!(earlier.flight.now_or_never().map(|landed| landed.result), Some(2));
        let next = flights.join(3, Trial::First, || ready(Landed::now(3)).boxed());
        assert_eq!(next.flight.now_or_never().map(|landed| landed.result), Some(3));
        assert_eq!(later.flight.now_or_never().map(|landed| landed.result), Some(2));
    }
}
