//! [`SingleFlight`], which coalesces concurrent calls.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Coalesces concurrent calls: one runs the future, the others await its result.
///
/// They share a failure as well as a success. A call after the future has completed runs it again. If the running call is dropped or panics, the next waiter takes over.
pub(super) struct SingleFlight<T>(Mutex<Option<Attempt<T>>>);

/// The attempt that callers of the same epoch join.
struct Attempt<T> {
    epoch: u64,
    cell: Arc<OnceCell<T>>,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> SingleFlight<T> {
    /// Runs a future, or awaits one that is in flight.
    ///
    /// A call in another epoch starts another attempt. Waiters of earlier attempts receive the results of these.
    pub(super) async fn run<Fut: Future<Output = T>>(&self, epoch: u64, run: impl FnOnce() -> Fut) -> T {
        let cell = self.join(epoch);
        let done = cell.get_or_init(|| async {
            let done = run().await;
            // No further caller joins this attempt. Another one may have replaced it.
            self.lock().take_if(|current| Arc::ptr_eq(&current.cell, &cell));
            done
        });
        done.await.clone()
    }

    fn join(&self, epoch: u64) -> Arc<OnceCell<T>> {
        let current = &mut *self.lock();
        match current {
            Some(run) if run.epoch == epoch => Arc::clone(&run.cell),
            _ => Arc::clone(&current.insert(Attempt { epoch, cell: Arc::default() }).cell),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Attempt<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
