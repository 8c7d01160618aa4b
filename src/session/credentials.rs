//! Credentials that are kept until shortly before they expire.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
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

use super::single_flight::SingleFlight;
use crate::redact::redact;

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
pub(super) struct CachedCredentials(Arc<Inner>);

struct Inner {
    provider: SharedCredentialsProvider,
    /// What they are assumed with.
    source: Option<CachedCredentials>,
    time_source: SharedTimeSource,
    sleep: Option<SharedAsyncSleep>,
    /// How often they have been forgotten.
    invalidations: AtomicU64,
    last: Mutex<Option<Last>>,
    loading: SingleFlight<Loaded>,
    /// Those who wait for a permit to load. Who assumes a role with these credentials is not among them: it may have the
    /// last permit itself.
    resolving: SingleFlight<Loaded>,
}

/// What was loaded last.
struct Last {
    credentials: Credentials,
    expiry: SystemTime,
    /// When it was asked for.
    epoch: u64,
}

/// A failure is shared by all who have waited for it.
type Loaded = Result<Credentials, Arc<CredentialsError>>;

impl CachedCredentials {
    /// `base` has a clock.
    pub(super) fn new(provider: SharedCredentialsProvider, source: Option<Self>, base: &SdkConfig) -> Self {
        Self(Arc::new(Inner {
            provider,
            source,
            time_source: base.time_source().unwrap_or_default(),
            sleep: base.sleep_impl(),
            invalidations: AtomicU64::new(0),
            last: Mutex::default(),
            loading: SingleFlight::default(),
            resolving: SingleFlight::default(),
        }))
    }

    /// Has them loaded, unless they are there and not about to expire; with a permit, of which all who wait for these
    /// credentials take one. If they are forgotten meanwhile, has them loaded again.
    pub(super) async fn resolve(&self, permits: &Semaphore) -> Result<(), CredentialsError> {
        let inner = &*self.0;
        loop {
            let epoch = inner.epoch();
            if inner.cached().is_some() {
                return Ok(());
            }
            let resolved = inner.resolving.run(epoch, || async {
                // It is never closed, so this is a permit.
                let _permit = permits.acquire().await;
                inner.get().await
            });
            resolved.await.map_err(|error| redact(&error))?;
            if inner.epoch() == epoch {
                return Ok(());
            }
        }
    }

    /// Whoever asks from now on has them loaded anew, and so has whoever asks for what is assumed with them (T6).
    pub(super) fn invalidate(&self) {
        let inner = &*self.0;
        inner.invalidations.fetch_add(1, SeqCst);
        let _retired = inner.lock().take();
    }
}

impl Inner {
    /// It is another one since these credentials, or those that they are assumed with, have been forgotten: the sum of what
    /// only grows.
    fn epoch(&self) -> u64 {
        let source = self.source.as_ref().map_or(0, |source| source.0.epoch());
        source + self.invalidations.load(SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept, if it has not been forgotten and is not about to expire.
    fn cached(&self) -> Option<Credentials> {
        let (now, epoch) = (self.time_source.now(), self.epoch());
        let is_fresh = |expiry: SystemTime| expiry.checked_sub(BUFFER).is_some_and(|end| now < end);
        let last = self.lock();
        last.as_ref().filter(|last| last.epoch == epoch && is_fresh(last.expiry)).map(|last| last.credentials.clone())
    }

    async fn get(&self) -> Loaded {
        let epoch = self.epoch();
        if let Some(cached) = self.cached() {
            return Ok(cached);
        }
        let load = || async {
            // They may have come since.
            match self.cached() {
                Some(cached) => Ok(cached),
                None => self.load(epoch).await.map_err(|error| Arc::new(redact(&error))),
            }
        };
        self.loading.run(epoch, load).await
    }

    /// What comes is of an epoch that has begun already, for what they are assumed with is asked for later.
    async fn load(&self, epoch: u64) -> Result<Credentials, CredentialsError> {
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
        let loaded = Last { credentials: credentials.clone(), expiry, epoch };
        // Dropped when the lock is released: parts of credentials may be a caller's own.
        let _outdated = {
            let last = &mut *self.lock();
            if last.as_ref().is_some_and(|last| last.epoch > epoch) { Some(loaded) } else { last.replace(loaded) }
        };
        Ok(credentials)
    }
}

impl ProvideCredentials for CachedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { self.0.get().await.map_err(|error| redact(&error)) })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.0.provider.fallback_on_interrupt()
    }
}

impl fmt::Debug for CachedCredentials {
    /// Shows nothing: the `Debug` of what is kept shows access key ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CachedCredentials")
    }
}
