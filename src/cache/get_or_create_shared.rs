//! Creation on a miss by a future that all callers of a key drive.

// S9

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::FutureExt;

use super::get_or_create::{Joined, WaiterGuard, failed};
use super::in_flight::{Creation, Shared, SharedCreation};
use super::{ClientCache, check_region, trace};
use crate::client::AnyClient;
use crate::error::ClientCacheError;
use crate::key::{CacheKey, ClientCacheKey};
use crate::service::Service;

impl ClientCache {
    /// Returns the client under a key, or creates it with a future that all callers drive.
    ///
    /// Behaves like [`get_or_try_insert_with`](Self::get_or_try_insert_with), except that no caller depends on another
    /// one being polled. In return, `create` and its future must own what they use, and the future is boxed. A hit costs
    /// the same.
    ///
    /// All callers of a key should use the same method. A call that finds a creation by the other method in flight joins it,
    /// under the rules of that method.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`get_or_try_insert_with`](Self::get_or_try_insert_with). If `create` or its future
    /// panics, all waiters receive [`ClientCacheError::CreationFailed`]; the panic goes no further.
    ///
    /// # Cancel safety
    ///
    /// If a caller is dropped, or is kept but no longer polled, the others continue to drive the creation. The creation is
    /// dropped with its last caller.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientCacheError, ClientParams};
    /// use aws_client_cache::{S3, SdkConfig};
    ///
    /// async fn client(
    ///     cache: &ClientCache,
    ///     base: &SdkConfig,
    /// ) -> Result<aws_sdk_s3::Client, ClientCacheError> {
    ///     let params = ClientParams::<S3>::builder()
    ///         .region("us-west-2")
    ///         .build()?;
    ///     let key = params.key();
    ///     let base = base.clone();
    ///     let create = || async move { params.client(&base).await };
    ///     cache.get_or_try_insert_with_shared(&key, create).await
    /// }
    /// ```
    pub async fn get_or_try_insert_with_shared<S, F, Fut, E>(
        &self,
        key: &ClientCacheKey<S>,
        create: F,
    ) -> Result<S::Client, ClientCacheError>
    where
        S: Service,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<S::Client, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        let create = || {
            let key = key.clone();
            async move { create().await.map_err(|error| failed(&key, error)) }
        };
        self.get_or_create_shared(key, create).await
    }

    /// Returns the client under a key, or creates it with a future that all callers drive.
    ///
    /// The errors of `create` reach the callers unchanged. On a miss, `create` is called under the lock, so it must not run
    /// the caller's code. Its future may.
    pub(crate) async fn get_or_create_shared<S, F, Fut>(
        &self,
        key: &ClientCacheKey<S>,
        create: F,
    ) -> Result<S::Client, ClientCacheError>
    where
        S: Service,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<S::Client, ClientCacheError>> + Send + 'static,
    {
        let mut create = Some(create);
        let start = || {
            let create = create.take().expect("a creation is started once");
            Creation::shared(SharedCreation::new(create_shared(key.clone(), create()).boxed()))
        };
        match self.lookup_or_join(key, start)? {
            Joined::Present(present) => Ok(present),
            Joined::InFlight(guard) => {
                let create = || create.expect("a creation of this call is shared")();
                Box::pin(self.lead_or_drive(key, guard, create)).await
            }
        }
    }

    /// Drives the creation, and completes it unless another caller has.
    pub(super) async fn drive<S: Service>(
        &self,
        key: &ClientCacheKey<S>,
        guard: &WaiterGuard<'_>,
        shared: &Shared,
    ) -> Result<S::Client, ClientCacheError> {
        let Shared { created, is_reported, completed } = shared;
        let made = created.clone().await;
        if let Some(completed) = completed.get() {
            return self.answer(key, completed, None);
        }
        // E3: before the cell is set, because this notifies the listener.
        let made = made.and_then(|made| self.check_expired(key).map(|()| made));
        if !is_reported.swap(true, Relaxed) {
            trace::created(key.as_any(), &made);
        }
        let mut deferred = None;
        let completed = completed.get_or_init(|| {
            let (completed, left) = self.end(guard, made);
            deferred = Some(left);
            completed
        });
        self.answer(key, completed, deferred)
    }
}

/// Creates a client, and checks its region.
async fn create_shared<S, Fut>(key: ClientCacheKey<S>, create: Fut) -> Result<AnyClient, ClientCacheError>
where
    S: Service,
    Fut: Future<Output = Result<S::Client, ClientCacheError>>,
{
    let create = async {
        let made = create.await?;
        check_region(&key, &made)?;
        Ok(AnyClient::new::<S>(made))
    };
    // A subscriber, which is notified of the span's begin and end, is a caller's code too.
    let traced = async { trace::instrument(key.as_any(), create).await };
    AssertUnwindSafe(traced).catch_unwind().await.unwrap_or_else(|_| Err(panicked(&key)))
}

/// Returns the error of a creation that has panicked.
// K4: the message of the panic may contain a secret.
pub(crate) fn panicked(key: &impl CacheKey) -> ClientCacheError {
    failed(key, "the creation panicked")
}
