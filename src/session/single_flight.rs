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
    /// The connection, the timer or the runtime that the flight awaited may have ended with that caller.
    pub(super) was_abandoned: bool,
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
    /// Joins the flight of this epoch, or begins one.
    ///
    /// A call in another epoch begins another flight. Waiters of an earlier flight receive its result. `begin` must not
    /// run the caller's code, because it is called under the lock; its future may.
    pub(super) fn join(&self, epoch: u64, begin: impl FnOnce() -> BoxFuture<'static, Landed<T>>) -> Joined<T> {
        self.join_if(epoch, |_| true, true, begin).expect("every flight is accepted")
    }

    /// Begins a flight, or joins an abandoned one.
    ///
    /// Returns `None` unless `may_begin`, or if other callers have joined the flight of this epoch.
    pub(super) fn lead(
        &self,
        epoch: u64,
        may_begin: bool,
        begin: impl FnOnce() -> BoxFuture<'static, Landed<T>>,
    ) -> Option<Joined<T>> {
        self.join_if(epoch, SharedFuture::is_only_clone, may_begin, begin)
    }

    fn join_if(
        &self,
        epoch: u64,
        is_accepted: impl FnOnce(&Flight<T>) -> bool,
        may_begin: bool,
        begin: impl FnOnce() -> BoxFuture<'static, Landed<T>>,
    ) -> Option<Joined<T>> {
        // Dropped after the lock has been released, because parts of a provider may be of a caller's own type.
        let _outdated;
        let current = &mut *self.lock();
        if let Some(Attempt { flight, .. }) =
            current.as_ref().filter(|current| current.epoch == epoch && !current.flight.is_completed())
        {
            return (may_begin && is_accepted(flight)).then(|| Joined { flight: flight.clone(), beginner: None });
        }
        if !may_begin {
            return None;
        }
        let beginner = Arc::new(());
        let (future, caller) = (begin(), Arc::downgrade(&beginner));
        let landing = future.map(move |landed| {
            let was_abandoned = landed.was_abandoned || caller.strong_count() == 0;
            Landed { was_abandoned, ..landed }
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
