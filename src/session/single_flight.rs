//! One run for all who come while it lasts.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// What many may want at a time and one of them does, for all of them: success and failure alike. Whoever comes when it is
/// done has it done anew. If the one that does it is dropped or panics, the next one in line does it.
pub(super) struct SingleFlight<T>(Mutex<Option<Attempt<T>>>);

/// What those who come join, if they come in the same epoch.
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
    /// Whoever comes in another epoch has it done anew; those who have come already get what they came for.
    pub(super) async fn run<Fut: Future<Output = T>>(&self, epoch: u64, run: impl FnOnce() -> Fut) -> T {
        let cell = self.join(epoch);
        let done = cell.get_or_init(|| async {
            let done = run().await;
            // Nobody comes to this one any more. Another one may have taken its place.
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
