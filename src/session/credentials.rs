//! [`CachedCredentials`], the credentials of a provider, cached until shortly before they expire.

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

/// The time before expiry at which credentials are loaded anew.
///
/// It exceeds that of the SDK's identity caches. The base configuration's identity cache may be in front of these credentials,
/// and would otherwise receive the old ones.
const BUFFER: Duration = Duration::from_secs(20);

/// The lifetime that the SDK's identity caches assume for credentials without an expiry.
const DEFAULT_EXPIRATION: Duration = Duration::from_mins(15);

/// The timeout of a load.
///
/// It exceeds the default timeout of the SDK's identity caches, which bounds every request.
const LOAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The end of the year 9999, the latest expiry.
///
/// The SDK adds to it, and would panic on an overflow.
const LAST_EXPIRY: Duration = Duration::from_secs(253_402_300_799);

/// Caches the credentials of a provider.
///
/// Concurrent callers share one load, and its failure. The SDK's identity caches do so for clients, but if a load
/// fails, their waiters load one after another. Nor can a provider of a role use them: it requests the credentials of
/// its source for every `AssumeRole`.
// T1
#[derive(Clone)]
pub(super) struct CachedCredentials(Arc<Inner>);

struct Inner {
    provider: SharedCredentialsProvider,
    /// The credentials that assume the role, if this is a role.
    source: Option<CachedCredentials>,
    time_source: SharedTimeSource,
    sleep: Option<SharedAsyncSleep>,
    /// The number of invalidations.
    invalidations: AtomicU64,
    last: Mutex<Option<Last>>,
    loading: SingleFlight<Loaded>,
    /// The callers that wait for a permit to load.
    ///
    /// Providers that assume a role with these credentials do not wait for a permit: they may hold the last one themselves.
    resolving: SingleFlight<Loaded>,
}

/// The result of the last load.
struct Last {
    credentials: Credentials,
    expiry: SystemTime,
    /// The epoch in which the load began.
    epoch: u64,
}

/// The result of a load, which all waiters share.
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

    /// Loads the credentials, unless fresh ones are cached.
    ///
    /// If they are invalidated in the meantime, loads them again. All waiters of these credentials use one permit.
    // T5
    pub(super) async fn resolve(&self, permits: &Semaphore) -> Result<(), CredentialsError> {
        let inner = &*self.0;
        loop {
            let epoch = inner.epoch();
            if inner.cached().is_some() {
                return Ok(());
            }
            let resolved = inner.resolving.run(epoch, || async {
                // The semaphore is never closed, so this is a permit.
                let _permit = permits.acquire().await;
                inner.get().await
            });
            resolved.await.map_err(|error| redact(&error))?;
            if inner.epoch() == epoch {
                return Ok(());
            }
        }
    }

    /// Makes later callers load these credentials anew, and those of roles assumed with them.
    // T6
    pub(super) fn invalidate(&self) {
        let inner = &*self.0;
        inner.invalidations.fetch_add(1, SeqCst);
        let _retired = inner.lock().take();
    }
}

impl Inner {
    /// Returns the epoch, which changes whenever these credentials or their source are invalidated.
    ///
    /// It is a sum of counters that only grow.
    fn epoch(&self) -> u64 {
        let source = self.source.as_ref().map_or(0, |source| source.0.epoch());
        source + self.invalidations.load(SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the cached credentials, unless they have been invalidated or are about to expire.
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
            // Another load may have completed in the meantime.
            match self.cached() {
                Some(cached) => Ok(cached),
                None => self.load(epoch).await.map_err(|error| Arc::new(redact(&error))),
            }
        };
        self.loading.run(epoch, load).await
    }

    /// Loads the credentials in an epoch that began before their source is requested.
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
        // Otherwise the next cache would extend the lifetime of credentials without an expiry.
        *credentials.expiry_mut() = Some(expiry);
        let loaded = Last { credentials: credentials.clone(), expiry, epoch };
        // Dropped after the lock has been released, because parts of credentials may be of a caller's own type.
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
    /// Shows nothing, because the `Debug` of credentials shows access key ids.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CachedCredentials")
    }
}
