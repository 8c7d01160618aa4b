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
    /// Not set if the flight ended before it began to load.
    pub(super) has_loaded: bool,
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
        Self { result, at: Instant::now(), was_abandoned: false, has_loaded: true }
    }

    /// Returns the result of a flight that ends now, and has loaded nothing.
    pub(super) fn without_load(result: T) -> Self {
        Self { has_loaded: false, ..Self::now(result) }
    }
}

/// The choice of a caller that finds a flight of its epoch.
enum Boarding {
    Join,
    Replace,
    Decline,
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
        self.board(epoch, trial, |_| Boarding::Join, begin).expect("every flight is joined")
    }

    /// Begins a flight, or joins an abandoned one.
    ///
    /// Returns `None` if another caller drives the flight.
    pub(super) fn resume(
        &self,
        epoch: u64,
        trial: Trial,
        begin: impl FnOnce() -> BoxFuture<'static, Landed<T>>,
    ) -> Option<Joined<T>> {
        let boarding = |flight: &Flight<T>| if flight.is_abandoned() { Boarding::Join } else { Boarding::Decline };
        self.board(epoch, trial, boarding, begin)
    }

    /// Begins a flight, also instead of an abandoned one.
    ///
    /// Returns `None` if another caller drives the flight.
    pub(super) fn renew(
        &self,
        epoch: u64,
        trial: Trial,
        begin: impl FnOnce() -> BoxFuture<'static, Landed<T>>,
    ) -> Option<Joined<T>> {
        let boarding = |flight: &Flight<T>| if flight.is_abandoned() { Boarding::Replace } else { Boarding::Decline };
        self.board(epoch, trial, boarding, begin)
    }

    /// Returns `true` if a caller drives a flight.
    pub(super) fn is_driven(&self) -> bool {
        self.lock().as_ref().is_some_and(|current| !current.flight.is_completed() && !current.flight.is_abandoned())
    }

    fn board(
        &self,
        epoch: u64,
        trial: Trial,
        boarding: impl FnOnce(&Flight<T>) -> Boarding,
        begin: impl FnOnce() -> BoxFuture<'static, Landed<T>>,
    ) -> Option<Joined<T>> {
        // Dropped after the lock has been released, because parts of a provider may be of a caller's own type.
        let _outdated;
        let current = &mut *self.lock();
        if let Some(Attempt { flight, .. }) =
            current.as_ref().filter(|current| current.epoch >= epoch && !current.flight.is_completed())
        {
            match boarding(flight) {
                Boarding::Join => {
                    flight.touch();
                    return Some(Joined { flight: flight.clone(), beginner: None });
                }
                Boarding::Decline => return None,
                Boarding::Replace => {}
            }
        }
        let beginner = Arc::new(());
        let (future, caller) = (begin(), Arc::downgrade(&beginner));
        let landing = future.map(move |landed| {
            let is_abandoned = landed.was_abandoned || (landed.has_loaded && caller.strong_count() == 0);
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
    use std::future::ready;

    use super::*;

    fn flight(result: u8) -> impl FnOnce() -> BoxFuture<'static, Landed<u8>> {
        move || ready(Landed::now(result)).boxed()
    }

    fn result(joined: Joined<u8>) -> Option<u8> {
        joined.flight.now_or_never().map(|landed| landed.result)
    }

    // Proves T1: the epoch was read before an invalidation, and another caller has begun a load since.
    #[test]
    fn a_flight_of_a_later_epoch_is_joined() {
        let flights = SingleFlight::default();
        let later = flights.join(2, Trial::First, flight(2));
        assert_eq!(result(flights.join(1, Trial::First, flight(1))), Some(2));
        assert_eq!(result(flights.join(3, Trial::First, flight(3))), Some(3));
        assert_eq!(result(later), Some(2));
    }

    // Proves T8.
    #[test]
    fn only_an_abandoned_flight_is_resumed_or_renewed() {
        let flights = SingleFlight::default();
        assert!(!flights.is_driven());
        let driven = flights.resume(0, Trial::First, flight(1)).unwrap();
        assert!(flights.is_driven());
        assert!(flights.resume(0, Trial::First, flight(2)).is_none());
        assert!(flights.renew(0, Trial::First, flight(2)).is_none());
        drop(driven);
        assert!(!flights.is_driven());
        let resumed = flights.resume(0, Trial::First, flight(2)).unwrap();
        drop(resumed);
        assert_eq!(result(flights.renew(0, Trial::First, flight(3)).unwrap()), Some(3));
        assert!(!flights.is_driven());
        // As before, but the abandoned flight is resumed.
        drop(flights.join(0, Trial::First, flight(4)));
        assert_eq!(result(flights.resume(0, Trial::First, flight(5)).unwrap()), Some(4));
    }
}
