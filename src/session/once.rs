//! One run for all who come while it lasts.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// What many may want at a time and one of them does, for all of them: success and failure alike. Whoever comes when it is
/// done has it done anew. If the one that does it is dropped or panics, the next one in line does it.
pub(super) struct Once<T>(Mutex<Option<Arc<OnceCell<T>>>>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Once<T> {
    pub(super) async fn run<Fut: Future<Output = T>>(&self, run: impl FnOnce() -> Fut) -> T {
        let cell = Arc::clone(self.lock().get_or_insert_default());
        let done = cell.get_or_init(|| async {
            let done = run().await;
            // Nobody comes to this one any more. Another one is there if this one has been forgotten.
            self.lock().take_if(|current| Arc::ptr_eq(current, &cell));
            done
        });
        done.await.clone()
    }

    /// Whoever comes from now on has it done anew. Those who have come already get what they came for.
    pub(super) fn forget(&self) {
        self.lock().take();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<OnceCell<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
