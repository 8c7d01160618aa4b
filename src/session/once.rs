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
            // Nobody comes to this one any more. There is no other: one is put there only where none is.
            self.lock().take();
            done
        });
        done.await.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<OnceCell<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
