//! Creation on a miss, exactly once (S1 to S8).

use std::error::Error;
use std::sync::Arc;

use super::in_flight::{Completed, Creation, Waiters};
use super::{ClientCache, Evicted, EvictionCause, check_region, expired, trace};
use crate::client::AnyClient;
use crate::error::ClientCacheError;
use crate::key::{AnyKey, CacheKey, ClientCacheKey};
use crate::service::Service;

impl ClientCache {
    /// The client under a key, which counts as one use of it; or else the one that `create` makes, which is inserted.
    ///
    /// However many callers want one missing key at a time, one of them makes the client and the others wait for it (S1 to
    /// S8); different keys are made side by side. A hit does not suspend, and allocates nothing. No lock is held while the
    /// client is made (C3).
    ///
    /// * A failure goes to all who wait, and is not kept: the next caller tries anew (S5).
    /// * If the future is dropped, or panics, while it makes the client, the next one in line makes its own (S5).
    /// * If somebody else inserts the key meanwhile, that client wins, and the one that was made is dropped (S2).
    /// * If the key is removed meanwhile, or the cache cleared, who waits gets the client, and it is not stored (S3).
    /// * What makes room is told to the listener (S8).
    ///
    /// The future is `Send` if that of `create` is.
    ///
    /// # Errors
    ///
    /// * [`ClientCacheError::CredentialsExpired`], if the key's static credentials have (E2).
    /// * [`ClientCacheError::CreationFailed`], if `create` fails. Its error is the `source`, shared by all who waited.
    /// * [`ClientCacheError::ClientMismatch`], if it makes a client for another region than the key's (K6).
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientCacheError, ClientParams, SdkConfig, S3};
    ///
    /// async fn client(cache: &ClientCache, base: &SdkConfig) -> Result<aws_sdk_s3::Client, ClientCacheError> {
    ///     let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
    ///     cache.get_or_try_insert_with(&params.key(), || params.client(base)).await
    /// }
    /// ```
    ///
    /// A creation that needs its own result never ends: within `create`, don't ask for the same key, nor for one whose creation
    /// asks for this one.
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
        self.get_or_create(key, || async { create().await.map_err(|error| failed(key, error)) }).await
    }

    /// The same for a `create` that is not a future, in one call that waits for nobody: it makes its own client even if one
    /// is being made by [`get_or_try_insert_with`](Self::get_or_try_insert_with), and the first that is stored wins (S7). Nor is it
    /// revoked: what it makes is stored, even if the key is removed meanwhile.
    ///
    /// # Errors
    ///
    /// As those of [`get_or_try_insert_with`](Self::get_or_try_insert_with).
    ///
    /// ```
    /// use aws_client_cache::{ClientCache, ClientCacheError, ClientParams, S3};
    ///
    /// # fn example(cache: &ClientCache, make: impl FnOnce() -> Result<aws_sdk_s3::Client, std::io::Error>) -> Result<(), ClientCacheError> {
    /// let key = ClientParams::<S3>::builder().region("us-west-2").build()?.key();
    /// let s3 = cache.get_or_try_insert_with_sync(&key, make)?;
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
        if let Some(present) = self.look_up(key) {
            return Ok(present);
        }
        let made = trace::instrument_sync(key.as_any(), create).map_err(|error| failed(key, error));
        let made = made.and_then(|made| self.accept(key, made));
        trace::created(key.as_any(), &made);
        let made = made.inspect_err(|_| self.lock().failed())?;
        let (completed, deferred) = self.publish(key.as_any(), made, None);
        deferred.run(self);
        Ok(typed(key, &completed.client))
    }

    /// [`get_or_try_insert_with`](Self::get_or_try_insert_with) for what fails with an error of this crate.
    pub(crate) async fn get_or_create<S, F, Fut>(
        &self,
        key: &ClientCacheKey<S>,
        create: F,
    ) -> Result<S::Client, ClientCacheError>
    where
        S: Service,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<S::Client, ClientCacheError>>,
    {
        self.refuse_expired(key)?;
        let (shared_key, creation) = {
            let state = &mut *self.lock();
            if let Some(present) = state.look_up(key.as_any()).and_then(ClientCacheKey::<S>::client) {
                return Ok(present);
            }
            state.in_flight.join(key.as_any())
        };
        let guard = &WaiterGuard { cache: self, key: shared_key, creation };

        // The maker's part after completion; who waited has none.
        let mut deferred = None;
        let slot = &mut deferred;
        let make = || async move {
            // S2: somebody may have inserted it, since this one came, or began to wait.
            let (completed, deferred) = match self.end_if_present(guard) {
                Some((present, deferred)) => (Ok(present), deferred),
                None => match self.make(key, create).await {
                    Ok(made) => {
                        let (completed, deferred) = self.publish(&guard.key, made, Some(&guard.creation));
                        (Ok(completed), deferred)
                    }
                    Err(error) => (Err(error), self.end(guard)),
                },
            };
            *slot = Some(deferred);
            completed
        };
        let completed = guard.creation.get_or_init(make).await;

        let waited = deferred.is_none();
        if let Some(deferred) = deferred {
            deferred.run(self);
        }
        let completed = completed.as_ref().map_err(Clone::clone)?;
        // S4; S3: not after a revocation.
        if waited && !completed.is_revoked {
            self.refuse_expired(key)?;
            if let Some(present) = self.look_again(key) {
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

    /// What was made, unless it may not be stored.
    fn accept<S: Service>(&self, key: &ClientCacheKey<S>, made: S::Client) -> Result<AnyClient, ClientCacheError> {
        check_region(key, &made)?;
        self.check_expired(key)?;
        Ok(AnyClient::new::<S>(made))
    }

    /// E2, E3: at each step of a creation, an expired key is refused, and its entry removed.
    pub(crate) fn refuse_expired(&self, key: &impl CacheKey) -> Result<(), ClientCacheError> {
        self.check_expired(key).inspect_err(trace::refused)
    }

    fn check_expired(&self, key: &impl CacheKey) -> Result<(), ClientCacheError> {
        if self.is_expired(key.as_any()) {
            let expired_entry = self.lock().expire(key.as_any());
            self.notify_expired(expired_entry);
            return Err(expired(key));
        }
        Ok(())
    }

    /// S2: in one locking, stores what was made, or finds what is there, and takes the creation off the list.
    fn publish(&self, key: &AnyKey, made: AnyClient, creation: Option<&Arc<Creation>>) -> (Completed, DeferredDrop) {
        let mut deferred = DeferredDrop::default();
        let (key_inside, client_inside) = (key.clone(), made.clone());
        let client = {
            let state = &mut *self.lock();
            state.created();
            if creation.is_some_and(|creation| !state.in_flight.is_current(key, creation)) {
                return (Completed { client: made, is_revoked: true }, deferred); // S3
            }
            let client = if let Some(present) = state.look_again(key) {
                present.clone()
            } else {
                deferred.victim = state.insert(key_inside, client_inside).ok().flatten().map(Evicted::new);
                made.clone()
            };
            if creation.is_some() {
                deferred.removed = state.in_flight.revoke(key);
            }
            client
        };
        deferred.made = Some(made);
        (Completed { client, is_revoked: false }, deferred)
    }

    /// A use of a key by one who has waited for it (S4).
    fn look_again<S: Service>(&self, key: &ClientCacheKey<S>) -> Option<S::Client> {
        self.lock().look_again(key.as_any()).and_then(ClientCacheKey::<S>::client)
    }

    /// S2: who makes looks first, and if the key is present, the creation is over with it.
    fn end_if_present(&self, guard: &WaiterGuard<'_>) -> Option<(Completed, DeferredDrop)> {
        let mut deferred = DeferredDrop::default();
        let state = &mut *self.lock();
        if !state.in_flight.is_current(&guard.key, &guard.creation) {
            return None;
        }
        let client = state.look_again(&guard.key)?.clone();
        deferred.removed = state.in_flight.revoke(&guard.key);
        Some((Completed { client, is_revoked: false }, deferred))
    }

    /// S5: a failure is over, so that later callers start anew.
    fn end(&self, guard: &WaiterGuard<'_>) -> DeferredDrop {
        let mut deferred = DeferredDrop::default();
        let state = &mut *self.lock();
        state.failed();
        if state.in_flight.is_current(&guard.key, &guard.creation) {
            deferred.removed = state.in_flight.revoke(&guard.key);
        }
        deferred
    }
}

/// A share in a creation, given back when its owner leaves.
struct WaiterGuard<'a> {
    cache: &'a ClientCache,
    /// The list's own.
    key: AnyKey,
    creation: Arc<Creation>,
}

impl Drop for WaiterGuard<'_> {
    fn drop(&mut self) {
        let left = self.cache.lock().in_flight.leave(&self.key, &self.creation);
        drop(left);
    }
}

/// What is left to do when a creation has completed. It runs callers' code, which might panic before that and leave those who
/// wait with a creation that is off the list.
#[derive(Default)]
struct DeferredDrop {
    victim: Option<Evicted>,
    /// What was made, which nobody may want any more.
    made: Option<AnyClient>,
    removed: Option<(AnyKey, Waiters)>,
}

impl DeferredDrop {
    fn run(self, cache: &ClientCache) {
        cache.on_evict.notify(self.victim.as_slice(), EvictionCause::Capacity); // S8
    }
}

fn failed(key: &impl CacheKey, error: impl Into<Box<dyn Error + Send + Sync>>) -> ClientCacheError {
    ClientCacheError::CreationFailed { key: key.as_any().clone(), source: error.into().into() }
}

/// A client that is cached, or to be cached, under a typed key is of the key's service.
fn typed<S: Service>(_: &ClientCacheKey<S>, client: &AnyClient) -> S::Client {
    client.downcast_ref::<S>().cloned().expect("keys of a service hold clients of that service only")
}
