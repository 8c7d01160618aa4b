//! [`CachedCredentials`], the credentials of a provider, cached until shortly before they expire.

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_async::rt::sleep::AsyncSleep;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::load_config::{LoadConfig, Loaded};
use super::load_permits::{Place, is_within_load};
use super::load_times::{Age, Backoff, Jitter, Windows};
use super::provide::provide;
use super::single_flight::{Flight, Joined, Landed, SingleFlight, Trial};
use super::trace;
use crate::key::CredentialScope;
use crate::redact;
use crate::shared_future::TICK;

/// The number of loads after which [`CachedCredentials::resolve`] ends despite invalidations.
const MAX_RESOLUTIONS: usize = 4;

/// Caches the credentials of a provider.
///
/// Concurrent callers share one load, and its failure; any of them can drive it. The SDK's identity caches do not serve
/// here: if a load fails, their waiters load one after another, and if a caller stops polling, they hang. Nor can a
/// provider of a role use them: it requests the credentials of its source for every `AssumeRole`.
// T1
#[derive(Clone)]
pub(super) struct CachedCredentials(Arc<Inner>);

struct Inner {
    scope: CredentialScope,
    provider: SharedCredentialsProvider,
    /// The credentials that assume the role, if this is a role.
    source: Option<CachedCredentials>,
    config: Arc<LoadConfig>,
    timeout: Duration,
    jitter: Jitter,
    /// The number of invalidations.
    invalidations: AtomicU64,
    is_revoked: AtomicBool,
    state: Mutex<State>,
    loading: SingleFlight<Loaded>,
    /// The flights that wait for a permit before they load.
    ///
    /// Providers that assume a role with these credentials do not wait for a permit: they may hold the last one themselves.
    permitted: SingleFlight<Loaded>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    failure: Option<LastFailure>,
    /// The backoff after credentials that AWS has refused as expired.
    expired_token_backoff: Backoff,
}

/// The credentials of the last load that succeeded.
struct Held {
    credentials: Credentials,
    windows: Windows,
    /// The epoch in which the load began.
    epoch: u64,
    /// The backoff after refreshes that failed in the advisory window, and the time of the last one.
    backoff: Backoff,
    failed: Option<Instant>,
}

/// The error of the last load, if it failed.
struct LastFailure {
    error: Arc<CredentialsError>,
    epoch: u64,
    at: Instant,
    backoff: Backoff,
    /// The backoff before this failure, which had ended.
    before: Backoff,
}

/// The next step of a caller that needs credentials.
enum Step {
    Use(Credentials),
    /// The last refresh failed, and the next one is not due: the credentials that are held serve.
    UseHeld(Credentials),
    /// The credentials are in the advisory window: one caller loads new ones, and all others use these.
    Refresh(Credentials),
    Load,
    Fail(Arc<CredentialsError>),
}

/// The purpose for which credentials are requested.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To sign requests: a load needs a permit.
    Sign,
    /// To assume a role, by a load that has a permit.
    Assume,
}

impl CachedCredentials {
    pub(super) fn new(
        scope: &CredentialScope,
        provider: SharedCredentialsProvider,
        source: Option<Self>,
        config: &Arc<LoadConfig>,
    ) -> Self {
        let timeout = config.timeout(source.as_ref().map(|source| source.0.timeout));
        Self(Arc::new(Inner {
            scope: scope.clone(),
            provider,
            source,
            config: Arc::clone(config),
            timeout,
            jitter: Jitter::random(),
            invalidations: AtomicU64::new(0),
            is_revoked: AtomicBool::new(false),
            state: Mutex::default(),
            loading: SingleFlight::default(),
            permitted: SingleFlight::default(),
        }))
    }

    /// Loads the credentials, unless usable ones are cached.
    ///
    /// If they are invalidated in the meantime, loads them again, but not forever.
    // T5
    pub(super) async fn resolve(&self) -> Result<(), Arc<CredentialsError>> {
        for _ in 0..MAX_RESOLUTIONS {
            let epoch = self.0.epoch();
            self.0.get(Purpose::Sign).await?;
            if self.0.epoch() == epoch {
                break;
            }
        }
        Ok(())
    }

    /// Makes later callers load these credentials anew, and those of roles assumed with them.
    // T6
    pub(super) fn invalidate(&self) {
        let inner = &*self.0;
        inner.invalidations.fetch_add(1, SeqCst);
        let _retired = std::mem::take(&mut *inner.lock());
        inner.loading.clear();
        inner.permitted.clear();
    }

    /// Refuses callers of these credentials, and of roles assumed with them, until they are admitted.
    ///
    /// The epoch must then be changed by [`invalidate`](Self::invalidate), because the error may be cached.
    // T13
    pub(super) fn revoke(&self) {
        self.0.is_revoked.store(true, SeqCst);
    }

    /// Ends [`revoke`](Self::revoke), likewise.
    pub(super) fn admit(&self) {
        self.0.is_revoked.store(false, SeqCst);
    }

    /// Returns `true` if these credentials, or those they are assumed with, are revoked.
    pub(super) fn is_revoked(&self) -> bool {
        self.0.revoked().is_some()
    }

    /// Fails if these credentials, or those they are assumed with, are revoked.
    pub(super) fn refuse_revoked(&self) -> Result<(), CredentialsError> {
        self.0.refuse_revoked()
    }

    /// Returns the epoch, which changes whenever these credentials or their source are invalidated.
    pub(super) fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    /// Drops the held credentials if they are those that AWS has refused as expired.
    ///
    /// Returns `true` if later callers receive other credentials. During the backoff after an earlier refusal, these would be
    /// loaded in vain, so the held ones stay.
    // T12
    pub(super) fn reject(&self, is_refused: impl FnOnce(&Credentials) -> bool) -> bool {
        self.0.reject(is_refused)
    }

    /// Returns the expiry of the credentials that are held, if they expire.
    pub(super) fn expiry(&self) -> Option<SystemTime> {
        let epoch = self.0.epoch();
        self.0.lock().held.as_ref().filter(|held| held.epoch == epoch)?.credentials.expiry()
    }

    /// Returns a provider of these credentials for roles that are assumed with them.
    pub(super) fn as_source(&self) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(SourceCredentials(self.clone()))
    }

    async fn get(&self, purpose: Purpose) -> Result<Credentials, CredentialsError> {
        self.0.get(purpose).await.map_err(|error| redact::redact(&error))
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

    fn now(&self) -> SystemTime {
        self.config.time_source.now()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides between the held credentials, the last error and a load.
    // T8, T9
    fn step(&self) -> Step {
        let (now, epoch) = (self.now(), self.epoch());
        let state = self.lock();
        let held = state.held.as_ref().filter(|held| held.epoch == epoch);
        let failure = state.failure.as_ref().filter(|failure| failure.epoch == epoch && failure.backoff.is_active(now));
        match (held.map(|held| (held, held.windows.age(now))), failure) {
            (Some((held, Age::Fresh)), _) => Step::Use(held.credentials.clone()),
            (Some((held, Age::Advisory | Age::Mandatory)), Some(_)) => Step::UseHeld(held.credentials.clone()),
            (Some((held, Age::Advisory)), None) if held.backoff.is_active(now) => {
                Step::UseHeld(held.credentials.clone())
            }
            (Some((held, Age::Advisory)), None) => Step::Refresh(held.credentials.clone()),
            (None | Some((_, Age::Expired)), Some(failure)) => Step::Fail(Arc::clone(&failure.error)),
            (None | Some((_, Age::Mandatory | Age::Expired)), None) => Step::Load,
        }
    }

    /// Returns the held credentials, unless they have been invalidated or have expired.
    fn usable(&self) -> Option<Credentials> {
        let (now, epoch) = (self.now(), self.epoch());
        let state = self.lock();
        let is_usable = |held: &&Held| held.epoch == epoch && held.windows.age(now) != Age::Expired;
        state.held.as_ref().filter(is_usable).map(|held| held.credentials.clone())
    }

    /// Returns the scope of these credentials or of those they are assumed with, if they are revoked.
    fn revoked(&self) -> Option<&CredentialScope> {
        if self.is_revoked.load(SeqCst) {
            return Some(&self.scope);
        }
        self.source.as_ref()?.0.revoked()
    }

    // T13
    fn refuse_revoked(&self) -> Result<(), CredentialsError> {
        self.revoked().map_or(Ok(()), |scope| Err(redact::revoked(scope)))
    }

    async fn get(self: &Arc<Self>, purpose: Purpose) -> Loaded {
        self.refuse_revoked().map_err(Arc::new)?;
        let loaded = self.get_or_load(purpose).await;
        // They may have been revoked while they were loaded.
        self.refuse_revoked().map_err(Arc::new)?;
        loaded
    }

    async fn get_or_load(self: &Arc<Self>, purpose: Purpose) -> Loaded {
        let (began, counters) = (Instant::now(), &self.config.counters);
        let mut trial = Trial::First;
        let loaded = loop {
            let epoch = self.epoch();
            let joined = match self.step() {
                Step::Use(credentials) => return Ok(credentials),
                Step::UseHeld(credentials) => {
                    counters.held_answers.increment();
                    return Ok(credentials);
                }
                Step::Fail(error) => {
                    counters.backoff_answers.increment();
                    return Err(error);
                }
                Step::Refresh(held) => match self.lead(purpose, epoch, trial) {
                    Some(joined) => joined,
                    None => return Ok(held),
                },
                Step::Load => self.join(purpose, epoch, trial),
            };
            let landed = self.drive(joined).await;
            self.loading.clear_completed();
            self.permitted.clear_completed();
            if landed.at < began {
                // A caller that no longer polls kept the flight; its result may be of long ago.
                continue;
            }
            if !landed.has_loaded && landed.result.is_err() && self.revoked().is_none() {
                counters.backoff_answers.increment();
            }
            if trial == Trial::Second || !landed.was_abandoned || landed.result.is_ok() {
                break landed.result;
            }
            self.forget_failures(began, landed.at);
            trial = Trial::Second;
        };
        loaded.or_else(|error| {
            let held = self.usable().ok_or(error)?; // T8
            counters.held_answers.increment();
            Ok(held)
        })
    }

    /// Awaits a flight, and polls it at least once a [`TICK`], by a timer of the caller's own runtime.
    // T7
    async fn drive(&self, Joined { mut flight, beginner: _beginner }: Joined<Loaded>) -> Landed<Loaded> {
        let prod = |flight: &Flight<Loaded>| {
            // It may wait for a permit that it does not need here (T5).
            if is_within_load() {
                flight.prod();
            }
        };
        prod(&flight);
        let Some(sleep) = &self.config.sleep else { return flight.await };
        let mut tick = sleep.sleep(TICK);
        poll_fn(|context| {
            let polled = flight.poll_unpin(context);
            if polled.is_pending() && tick.poll_unpin(context).is_ready() {
                // Another thread may have polled it in the meantime, outside of the load.
                prod(&flight);
                tick = sleep.sleep(TICK);
                // A sleep of tests takes no time, so that this must not be a loop.
                context.waker().wake_by_ref();
            }
            polled
        })
        .await
    }

    fn join(self: &Arc<Self>, purpose: Purpose, epoch: u64, trial: Trial) -> Joined<Loaded> {
        match purpose {
            Purpose::Sign => {
                self.permitted.join(epoch, trial, || self.permitted_load(epoch, self.config.permits.wait()))
            }
            Purpose::Assume => self.join_load(epoch, trial),
        }
    }

    fn join_load(self: &Arc<Self>, epoch: u64, trial: Trial) -> Joined<Loaded> {
        self.loading.join(epoch, trial, || self.load(epoch))
    }

    /// Begins a refresh, or resumes an abandoned one.
    ///
    /// Returns `None` if another caller refreshes, or if the refresh would have to wait for a permit.
    fn lead(self: &Arc<Self>, purpose: Purpose, epoch: u64, trial: Trial) -> Option<Joined<Loaded>> {
        match purpose {
            // Another request or a role refreshes them.
            Purpose::Sign if self.loading.is_driven() => None,
            Purpose::Sign => {
                let place = self.config.permits.try_acquire()?;
                self.permitted.renew(epoch, trial, || self.permitted_load(epoch, place))
            }
            Purpose::Assume => self.loading.resume(epoch, trial, || self.load(epoch)),
        }
    }

    /// Returns a load that has a permit, or waits for one.
    ///
    /// It refers weakly to these credentials, which own it.
    fn permitted_load(self: &Arc<Self>, epoch: u64, place: Place) -> BoxFuture<'static, Landed<Loaded>> {
        place.run(joined_load(Arc::downgrade(self), epoch)).boxed()
    }

    /// Returns a load in an epoch that began before the source is requested.
    ///
    /// It refers weakly to these credentials, which own it.
    fn load(self: &Arc<Self>, epoch: u64) -> BoxFuture<'static, Landed<Loaded>> {
        let (inner, provider) = (Arc::downgrade(self), self.provider.clone());
        let (config, timeout) = (Arc::clone(&self.config), self.timeout);
        let load = async move {
            // Another load may have completed in the meantime.
            if let Some(inner) = inner.upgrade() {
                if let Err(revoked) = inner.refuse_revoked() {
                    return Landed::without_load(Err(Arc::new(revoked)));
                }
                match inner.step() {
                    Step::Use(credentials) | Step::UseHeld(credentials) => {
                        return Landed::without_load(Ok(credentials));
                    }
                    Step::Fail(error) => return Landed::without_load(Err(error)),
                    Step::Refresh(_) | Step::Load => {}
                }
            }
            let answer = provide(&provider, config.sleep.as_ref(), timeout).await;
            let loaded = answer.map_err(|error| Arc::new(redact::redact(&error)));
            if let Some(inner) = inner.upgrade() {
                inner.complete(epoch, &loaded);
            }
            Landed::now(loaded)
        };
        // A clock may be of a caller's own type, and its panic would end this flight for all later callers.
        let panicked = || Err(Arc::new(CredentialsError::unhandled("the load panicked")));
        let load = AssertUnwindSafe(load).catch_unwind();
        load.map(move |landed| landed.unwrap_or_else(|_| Landed::now(panicked()))).boxed()
    }

    /// Stores the result of a load that began in `epoch`, unless that of a later epoch is stored.
    fn complete(&self, epoch: u64, loaded: &Loaded) {
        let (now, settings) = (self.now(), &self.config.refresh);
        self.config.counters.loads.increment();
        if loaded.is_err() {
            self.config.counters.failed_loads.increment();
        }
        // Dropped after the lock has been released, because parts of credentials may be of a caller's own type.
        let _outdated = {
            let State { held, failure, .. } = &mut *self.lock();
            match loaded {
                Ok(credentials) if held.as_ref().is_none_or(|held| held.epoch <= epoch) => {
                    let windows = Windows::new(settings, self.jitter, now, credentials.expiry());
                    let credentials = credentials.clone();
                    let loaded = Held { credentials, windows, epoch, backoff: Backoff::default(), failed: None };
                    (held.replace(loaded), failure.take_if(|failure| failure.epoch <= epoch))
                }
                Ok(_) => (None, None),
                Err(error) => {
                    let is_advisory = |held: &&mut Held| held.epoch == epoch && held.windows.age(now) == Age::Advisory;
                    if let Some(held) = held.as_mut().filter(is_advisory) {
                        held.backoff.fail_refresh(settings, self.jitter, now);
                        held.failed = Some(Instant::now());
                        (None, None)
                    } else if failure.as_ref().is_some_and(|failure| failure.epoch > epoch) {
                        (None, None)
                    } else {
                        let earlier = failure.take();
                        let same = earlier.as_ref().filter(|failure| failure.epoch == epoch);
                        let before = same.map(|failure| failure.backoff).unwrap_or_default();
                        let (mut backoff, at) = (before, Instant::now());
                        backoff.fail(settings, now);
                        *failure = Some(LastFailure { error: Arc::clone(error), epoch, at, backoff, before });
                        (None, earlier)
                    }
                }
            }
        };
        // A subscriber is a caller's code, and its panic would end the load for all callers (C2).
        let _ = catch_unwind(AssertUnwindSafe(|| trace::loaded(&self.scope, loaded)));
    }

    fn reject(&self, is_refused: impl FnOnce(&Credentials) -> bool) -> bool {
        let (now, settings) = (self.now(), &self.config.refresh);
        // Dropped after the lock has been released, because parts of credentials may be of a caller's own type.
        let _held = {
            let State { held, expired_token_backoff, .. } = &mut *self.lock();
            let Some(current) = held else { return true };
            // Never drops newer ones.
            if !is_refused(&current.credentials) {
                return true;
            }
            if expired_token_backoff.is_active(now) {
                return false;
            }
            *expired_token_backoff = expired_token_backoff.or_new(settings, now);
            expired_token_backoff.fail(settings, now);
            self.config.counters.expired_tokens.increment();
            held.take()
        };
        // C2: as in `complete`.
        let _ = catch_unwind(AssertUnwindSafe(|| trace::expired_token(&self.scope)));
        true
    }

    /// Ends the backoffs that began in a time: those of these credentials and of their sources.
    ///
    /// Later failures double the delay of those before.
    fn forget_failures(&self, since: Instant, until: Instant) {
        let is_of_time = |failed: Instant| (since..=until).contains(&failed);
        {
            let State { held, failure, .. } = &mut *self.lock();
            if let Some(held) = held.as_mut().filter(|held| held.failed.is_some_and(is_of_time)) {
                held.backoff = Backoff::default();
            }
            if let Some(failure) = failure.as_mut().filter(|failure| is_of_time(failure.at)) {
                failure.backoff = failure.before;
            }
        }
        if let Some(source) = &self.source {
            source.0.forget_failures(since, until);
        }
    }
}

/// Joins the load of these credentials, without owning them.
async fn joined_load(inner: Weak<Inner>, epoch: u64) -> Landed<Loaded> {
    let joined = inner.upgrade().map(|inner| inner.join_load(epoch, Trial::First));
    let Some(Joined { flight, beginner: _beginner }) = joined else {
        // Without the credentials, no caller is left.
        return Landed::now(Err(Arc::new(CredentialsError::not_loaded_no_source())));
    };
    flight.await
}

impl ProvideCredentials for CachedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get(Purpose::Sign))
    }
}

impl fmt::Debug for CachedCredentials {
    /// Shows nothing, because the `Debug` of credentials shows access key ids.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CachedCredentials")
    }
}

/// Provides cached credentials to the roles that are assumed with them.
#[derive(Debug)]
struct SourceCredentials(CachedCredentials);

impl ProvideCredentials for SourceCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.0.get(Purpose::Assume))
    }
}

#[cfg(test)]
mod tests {
    use aws_types::SdkConfig;

    use super::*;
    use crate::session::load_times::tests::SETTINGS;

    // The session would hold credentials twice, and the older ones after a refresh.
    #[test]
    fn the_result_of_a_load_is_not_kept_beside_the_credentials() {
        let config = Arc::new(LoadConfig::new(&SdkConfig::builder().build(), None, 1, SETTINGS));
        let provider = SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "test"));
        let cached = CachedCredentials::new(&CredentialScope::Base, provider, None, &config);
        cached.resolve().now_or_never().expect("the provider answers at once").unwrap();
        assert!(cached.0.loading.is_empty() && cached.0.permitted.is_empty());
    }
}
