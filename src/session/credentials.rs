//! Credentials that are kept until shortly before they expire.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_async::future::timeout::Timeout;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use aws_smithy_async::time::SharedTimeSource;
use aws_types::SdkConfig;
use tokio::sync::Semaphore;

use super::once::Once;
use crate::quiet::quiet;

/// Longer before they expire than the SDK's identity caches ask for new ones, which would be given the old ones: that of the
/// base configuration is in front of these.
const BUFFER: Duration = Duration::from_secs(20);

/// What the SDK's identity caches assume of credentials that say nothing.
const DEFAULT_EXPIRATION: Duration = Duration::from_mins(15);

/// Longer than the SDK's identity caches wait by default, which bounds every request.
const LOAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The end of the year 9999: the SDK adds to an expiry, and would panic beyond what a time can hold.
const LAST_EXPIRY: Duration = Duration::from_secs(253_402_300_799);

/// Keeps what a provider provides, for all who ask, and asks it once, however many do (T1).
///
/// The SDK's identity caches do so for clients, but have all who wait fail one after another, and cannot be asked by a provider
/// that assumes a role: it asks for the credentials that it assumes it with each time.
#[derive(Clone)]
pub(super) struct Kept(Arc<Inner>);

struct Inner {
    provider: SharedCredentialsProvider,
    time_source: SharedTimeSource,
    sleep: Option<SharedAsyncSleep>,
    state: Mutex<State>,
    loading: Once<Loaded>,
    /// Those who wait for a permit to load. Who assumes a role with these credentials is not among them: it may have the
    /// last permit itself.
    resolving: Once<Loaded>,
}

#[derive(Default)]
struct State {
    kept: Option<(Credentials, SystemTime)>,
    /// How often what was kept has been forgotten: what was asked for before that is not kept when it comes.
    generation: u64,
}

/// A failure is shared by all who have waited for it.
type Loaded = Result<Credentials, Arc<CredentialsError>>;

impl Kept {
    /// `base` has a clock.
    pub(super) fn new(provider: SharedCredentialsProvider, base: &SdkConfig) -> Self {
        Self(Arc::new(Inner {
            provider,
            time_source: base.time_source().unwrap_or_default(),
            sleep: base.sleep_impl(),
            state: Mutex::default(),
            loading: Once::default(),
            resolving: Once::default(),
        }))
    }

    /// Has them loaded, unless they are there and not about to expire; with a permit, of which all who wait for these
    /// credentials take one.
    pub(super) async fn resolve(&self, permits: &Semaphore) -> Result<(), CredentialsError> {
        let inner = &*self.0;
        if inner.kept().is_some() {
            return Ok(());
        }
        let resolved = inner.resolving.run(|| async {
            // It is never closed, so this is a permit.
            let _permit = permits.acquire().await;
            inner.get().await
        });
        resolved.await.map(drop).map_err(|error| quiet(&error))
    }

    /// Whoever asks from now on has them loaded anew (T6).
    pub(super) fn forget(&self) {
        let inner = &*self.0;
        let _gone = {
            let state = &mut *inner.lock();
            state.generation += 1;
            state.kept.take()
        };
        inner.loading.forget();
        inner.resolving.forget();
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept, if it is not about to expire.
    fn kept(&self) -> Option<Credentials> {
        let now = self.time_source.now();
        let is_fresh = |expiry: &SystemTime| expiry.checked_sub(BUFFER).is_some_and(|end| now < end);
        self.lock().kept.as_ref().filter(|(_, expiry)| is_fresh(expiry)).map(|(credentials, _)| credentials.clone())
    }

    async fn get(&self) -> Loaded {
        if let Some(kept) = self.kept() {
            return Ok(kept);
        }
        let load = || async {
            // They may have come since.
            match self.kept() {
                Some(kept) => Ok(kept),
                None => self.load().await.map_err(|error| Arc::new(quiet(&error))),
            }
        };
        self.loading.run(load).await
    }

    async fn load(&self) -> Result<Credentials, CredentialsError> {
        let generation = self.lock().generation;
        let provided = self.provider.provide_credentials();
        let provided = match &self.sleep {
            None => provided.await,
            Some(sleep) => Timeout::new(provided, sleep.sleep(LOAD_TIMEOUT)).await.unwrap_or_else(|_| {
                let fallback = self.provider.fallback_on_interrupt();
                fallback.ok_or_else(|| CredentialsError::provider_timed_out(LOAD_TIMEOUT))
            }),
        };
        let mut credentials = provided?;
        let now = self.time_source.now();
        let expiry = credentials.expiry().or_else(|| now.checked_add(DEFAULT_EXPIRATION)).unwrap_or(now);
        let expiry = expiry.min(SystemTime::UNIX_EPOCH + LAST_EXPIRY);
        // Or the next cache would give those that say nothing as long again.
        *credentials.expiry_mut() = Some(expiry);
        let state = &mut *self.lock();
        if state.generation == generation {
            state.kept = Some((credentials.clone(), expiry));
        }
        Ok(credentials)
    }
}

impl ProvideCredentials for Kept {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { self.0.get().await.map_err(|error| quiet(&error)) })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.0.provider.fallback_on_interrupt()
    }
}

impl fmt::Debug for Kept {
    /// Shows nothing: the `Debug` of what is kept shows access key ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}
