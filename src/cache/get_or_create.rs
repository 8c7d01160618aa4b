//! Creation on a miss: concurrent callers of one missing key share a single creation.

// S1, S2, S3, S4, S5, S6, S7, S8: rules of creation. C3: no lock is held across an await.

use std::error::Error;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::in_flight::{Completed, Creation, Waiters};
use super::{ClientCache, Evicted, EvictionCause, check_region, expired, trace};
use crate::client::AnyClient;
use crate::error::ClientCacheError;
use crate::key::{AnyKey, CacheKey, ClientCacheKey};
use crate::service::Service;

impl ClientCache {
    /// Returns the client under a key, or creates it with `create` and inserts it.
    ///
    /// A hit counts as a use; it does not suspend, and hardly ever allocates. Concurrent calls for one missing key run
    /// `create` once: one caller creates the client, and the others wait for it. Different keys are created concurrently.
    /// The cache is unlocked while `create` runs.
    ///
    /// * If `create` fails, all waiters receive the error. It is not cached, so the next call tries again.
    /// * If another caller inserts the key in the meantime, all callers receive that client, and the created one is dropped.
    /// * If the key is removed or the cache is cleared in the meantime, waiters receive the client, but it is not cached.
    /// * A client that is evicted by the insertion is passed to the listener.
    ///
    /// `create` must not request the same key, directly or indirectly: it would deadlock.
    ///
    /// The returned future is `Send` if the future of `create` is.
    ///
    /// # Errors
    ///
    /// * [`ClientCacheError::CredentialsExpired`] if the key's static credentials have expired.
    /// * [`ClientCacheError::CreationFailed`] if `create` fails. Its error is the `source`, shared by all waiters.
    /// * [`ClientCacheError::ClientMismatch`] if the created client is configured for another region than the key.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped or panics while it creates the client, the next waiter takes over, with its own `create`.
    ///
    /// If the future is kept but no longer polled, its `create` stands still, and so do all waiters for the key. This happens
    /// in a `select!` over `&mut` futures, and in a stream of buffered futures whose consumer awaits something else. Where a
    /// `create` suspends, prefer [`get_or_try_insert_with_shared`](Self::get_or_try_insert_with_shared), which has no such
    /// hazard. [`Session`](crate::Session) has none either: any caller drives a creation or a load of credentials.
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
    ///     let create = || params.client(base);
    ///     cache.get_or_try_insert_with(&params.key(), create).await
    /// }
    /// ```
    pub async fn get_or_try_insert_with<S, F, Fut, E>(
        &self,
        key: &ClientCacheKey<S>,
        create: F,
    ) -> Result<S::Client, ClientCacheError>
    where
        S: Service,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<S::Client, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        match self.lookup_or_join(key, Creation::led)? {
            Joined::Present(present) => Ok(present),
            Joined::InFlight(guard) => {
                let create = || async { create().await.map_err(|error| failed(key, error)) };
                Box::pin(self.lead_or_drive(key, guard, create)).await
            }
        }
    }

    /// Returns the client under a key, or creates it with a synchronous `create`.
    ///
    /// This variant never waits. If [`get_or_try_insert_with`](Self::get_or_try_insert_with) is creating the key, this call
    /// creates another client, and the first one that is stored wins. Its creation is never revoked: the client is cached even
    /// if the key is removed in the meantime.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`get_or_try_insert_with`](Self::get_or_try_insert_with).
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientCacheError, ClientParams, S3};
    /// # use aws_sdk_s3::Client;
    ///
    /// # fn example(
    /// #     cache: &ClientCache,
    /// #     create: impl FnOnce() -> Result<Client, std::io::Error>,
    /// # ) -> Result<(), ClientCacheError> {
    /// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
    /// let s3 = cache.get_or_try_insert_with_sync(&params.key(), create)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_or_try_insert_with_sync<S, F, E>(
        &self,
        key: &ClientCacheKey<S>,
        create: F,
    ) -> Result<S::Client, ClientCacheError>
    where
        S: Service,
        F: FnOnce() -> Result<S::Client, E>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.refuse_expired(key)?;
        if let Some(present) = self.lookup(key) {
            return Ok(present);
        }
        // S7: the creation is not listed as in flight, so no caller joins it and no removal revokes it.
        let made = trace::instrument_sync(key.as_any(), create).map_err(|error| failed(key, error));
        let made = made.and_then(|made| self.accept(key, made));
        trace::created(key.as_any(), &made);
        let made = made.inspect_err(|_| self.lock().failed())?;
        let (completed, deferred) = self.publish(key.as_any(), made, None);
        deferred.run(self);
        let client = typed(key, &completed.client);
        drop(completed); // P1: explicitly, because a panic in this drop on return would leak the client
        Ok(client)
    }

    /// Takes part in a creation.
    ///
    /// Callers box this future, so that their own future stays small and a hit moves little memory.
    pub(super) async fn lead_or_drive<S, F, Fut>(
        &self,
        key: &ClientCacheKey<S>,
        guard: WaiterGuard<'_>,
        create: F,
    ) -> Result<S::Client, ClientCacheError>
    where
        S: Service,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<S::Client, ClientCacheError>>,
    {
        let answer = match &*guard.creation {
            Creation::Led(cell) => self.lead_or_wait(key, &guard, cell, create).await,
            Creation::Shared(shared) => self.drive(key, &guard, shared).await,
        };
        drop(guard); // P1: as in `get_or_try_insert_with_sync`
        answer
    }

    /// Looks up the client under a key, or joins the creation of the key in the same locking.
    pub(super) fn lookup_or_join<S: Service>(
        &self,
        key: &ClientCacheKey<S>,
        start: impl FnOnce() -> Creation,
    ) -> Result<Joined<'_, S>, ClientCacheError> {
        self.refuse_expired(key)?;
        let state = &mut *self.lock();
        if let Some(present) = state.lookup(key.as_any()).and_then(ClientCacheKey::<S>::client) {
            return Ok(Joined::Present(present));
        }
        let (key, creation) = state.in_flight.join(key.as_any(), start);
        Ok(Joined::InFlight(WaiterGuard { cache: self, key, creation }))
    }

    /// Creates the client, or waits for the leader that creates it.
    // S5
    async fn lead_or_wait<S, F, Fut>(
        &self,
        key: &ClientCacheKey<S>,
        guard: &WaiterGuard<'_>,
        cell: &OnceCell<Result<Completed, ClientCacheError>>,
        create: F,
    ) -> Result<S::Client, ClientCacheError>
    where
        S: Service,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<S::Client, ClientCacheError>>,
    {
        // Set by the leader; waiters have nothing deferred.
        let mut deferred = None;
        let slot = &mut deferred;
        let make = || async move {
            // S2: another caller may have inserted the key since this one looked it up.
            let (completed, deferred) = match self.end_if_present(guard) {
                Some((present, deferred)) => (Ok(present), deferred),
                None => self.end(guard, self.make(key, create).await),
            };
            *slot = Some(deferred);
            completed
        };
        let completed = cell.get_or_init(make).await;
        self.answer(key, completed, deferred)
    }

    /// Returns a caller's answer from the result of a creation.
    ///
    /// Only the leader has something deferred.
    pub(super) fn answer<S: Service>(
        &self,
        key: &ClientCacheKey<S>,
        completed: &Result<Completed, ClientCacheError>,
        deferred: Option<DeferredDrop>,
    ) -> Result<S::Client, ClientCacheError> {
        let waited = deferred.is_none();
        if let Some(deferred) = deferred {
            deferred.run(self);
        }
        let completed = completed.as_ref().map_err(Clone::clone)?;
        // S4: a waiter uses the cached client; S3: but not after a revocation.
        if waited && !completed.is_revoked {
            self.refuse_expired(key)?;
            if let Some(present) = self.lookup_again(key) {
                return Ok(present);
            }
        }
        Ok(typed(key, &completed.client))
    }

    async fn make<S, F, Fut>(&self, key: &ClientCacheKey<S>, create: F) -> Result<AnyClient, ClientCacheError>
    where
        S: Service,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<S::Client, ClientCacheError>>,
    {
        let made = trace::instrument(key.as_any(), create()).await;
        let made = made.and_then(|made| self.accept(key, made));
        trace::created(key.as_any(), &made);
        made
    }

    /// Checks that a created client may be cached.
    fn accept<S: Service>(&self, key: &ClientCacheKey<S>, made: S::Client) -> Result<AnyClient, ClientCacheError> {
        check_region(key, &made)?;
        self.check_expired(key)?;
        Ok(AnyClient::new::<S>(made))
    }

    /// Refuses an expired key and removes its entry, at each step of a creation.
    // E2, E3
    pub(crate) fn refuse_expired(&self, key: &impl CacheKey) -> Result<(), ClientCacheError> {
        self.check_expired(key).inspect_err(trace::refused)
    }

    pub(super) fn check_expired(&self, key: &impl CacheKey) -> Result<(), ClientCacheError> {
        if self.is_expired(key.as_any()) {
            let expired_entry = self.lock().expire(key.as_any());
            self.notify_expired(expired_entry);
            return Err(expired(key));
        }
        Ok(())
    }

    /// Completes a creation in one locking: inserts the created client, or uses the one that is present.
    // S2, S6
    fn publish(&self, key: &AnyKey, made: AnyClient, creation: Option<&Arc<Creation>>) -> (Completed, DeferredDrop) {
        let mut deferred = DeferredDrop::default();
        let (key_inside, client_inside) = (key.clone(), made.clone());
        let client = {
            let state = &mut *self.lock();
            if creation.is_some_and(|creation| !state.in_flight.is_current(key, creation)) {
                state.created();
                return (Completed { client: made, is_revoked: true }, deferred); // S3
            }
            let client = if let Some(present) = state.lookup_again(key) {
                present.clone()
            } else {
                deferred.victim = state.insert(key_inside, client_inside).ok().flatten().map(Evicted::new);
                made.clone()
            };
            // P1: after the last comparison of keys, which may panic.
            state.created();
            if creation.is_some() {
                deferred.removed = state.in_flight.take(key);
            }
            client
        };
        deferred.made = Some(made);
        (Completed { client, is_revoked: false }, deferred)
    }

    /// Uses the client under a key, for a caller that has waited for it.
    // S4
    fn lookup_again<S: Service>(&self, key: &ClientCacheKey<S>) -> Option<S::Client> {
        self.lock().lookup_again(key.as_any()).and_then(ClientCacheKey::<S>::client)
    }

    /// Completes a creation with the client under its key, if another caller has inserted one.
    // S2
    fn end_if_present(&self, guard: &WaiterGuard<'_>) -> Option<(Completed, DeferredDrop)> {
        let mut deferred = DeferredDrop::default();
        let state = &mut *self.lock();
        if !state.in_flight.is_current(&guard.key, &guard.creation) {
            return None;
        }
        let client = state.lookup_again(&guard.key)?.clone();
        deferred.removed = state.in_flight.take(&guard.key);
        Some((Completed { client, is_revoked: false }, deferred))
    }

    /// Completes a creation: publishes the created client, or lets later callers start another creation.
    // S2, S5
    pub(super) fn end(
        &self,
        guard: &WaiterGuard<'_>,
        made: Result<AnyClient, ClientCacheError>,
    ) -> (Result<Completed, ClientCacheError>, DeferredDrop) {
        match made {
            Ok(made) => {
                let (completed, deferred) = self.publish(&guard.key, made, Some(&guard.creation));
                (Ok(completed), deferred)
            }
            Err(error) => (Err(error), self.end_failed(guard)),
        }
    }

    fn end_failed(&self, guard: &WaiterGuard<'_>) -> DeferredDrop {
        let mut deferred = DeferredDrop::default();
        let state = &mut *self.lock();
        state.failed();
        if state.in_flight.is_current(&guard.key, &guard.creation) {
            deferred.removed = state.in_flight.take(&guard.key);
        }
        deferred
    }
}

/// The client under a key, or a part in its creation.
pub(super) enum Joined<'a, S: Service> {
    Present(S::Client),
    InFlight(WaiterGuard<'a>),
}

/// A waiter's part in a creation.
///
/// Dropping it leaves the creation.
pub(super) struct WaiterGuard<'a> {
    cache: &'a ClientCache,
    /// The key that [`InFlight`](super::in_flight::InFlight) stores.
    key: AnyKey,
    pub(super) creation: Arc<Creation>,
}

impl Drop for WaiterGuard<'_> {
    fn drop(&mut self) {
        let left = self.cache.lock().in_flight.leave(&self.key, &self.creation);
        drop(left);
    }
}

/// Callers' code that is left to run when a creation has completed: drops and a notification.
///
/// If such code panicked earlier, waiters would wait for a creation that is no longer in flight.
#[derive(Default)]
pub(super) struct DeferredDrop {
    victim: Option<Evicted>,
    /// The created client, which is dropped if another one was present.
    made: Option<AnyClient>,
    removed: Option<(AnyKey, Waiters)>,
}

impl DeferredDrop {
    fn run(self, cache: &ClientCache) {
        cache.on_evict.notify(self.victim.as_slice(), EvictionCause::Capacity); // S8
    }
}

pub(super) fn failed(key: &impl CacheKey, error: impl Into<Box<dyn Error + Send + Sync>>) -> ClientCacheError {
    ClientCacheError::CreationFailed { key: key.as_any().clone(), source: error.into().into() }
}

/// Converts a client that belongs under a typed key, so it is of the key's service.
fn typed<S: Service>(_: &ClientCacheKey<S>, client: &AnyClient) -> S::Client {
    client.downcast_ref::<S>().cloned().expect("a key holds only clients of its own service")
}
