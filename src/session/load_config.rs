//! [`LoadConfig`], the settings by which the credentials of a session are loaded.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;

use super::load_permits::LoadPermits;
use super::load_times::RefreshSettings;
use super::session_stats::LoadCounters;

/// The result of a load, which all waiters share.
pub(super) type Loaded = Result<Credentials, Arc<CredentialsError>>;

/// The settings by which all credentials of a session are loaded.
pub(super) struct LoadConfig {
    pub(super) time_source: SharedTimeSource,
    pub(super) sleep: Option<SharedAsyncSleep>,
    pub(super) permits: LoadPermits,
    pub(super) refresh: RefreshSettings,
    pub(super) counters: LoadCounters,
    timeout: LoadTimeout,
}

/// The timeout of a load.
#[derive(Clone, Copy, Debug)]
enum LoadTimeout {
    Fixed(Duration),
    /// The time that the retries and timeouts of the base configuration need, for each role of a chain.
    Derived(Duration),
}

impl LoadConfig {
    /// `base` has a clock.
    pub(super) fn new(
        base: &SdkConfig,
        timeout: Option<Duration>,
        max_concurrent_loads: usize,
        refresh: RefreshSettings,
    ) -> Self {
        Self {
            time_source: base.time_source().unwrap_or_default(),
            sleep: base.sleep_impl(),
            permits: LoadPermits::new(max_concurrent_loads),
            refresh,
            counters: LoadCounters::default(),
            timeout: timeout.map_or_else(|| LoadTimeout::Derived(derived_timeout(base)), LoadTimeout::Fixed),
        }
    }

    /// Returns the timeout of a load that contains one of its source, if it has a source.
    pub(super) fn timeout(&self, of_source: Option<Duration>) -> Duration {
        match self.timeout {
            LoadTimeout::Fixed(timeout) => timeout,
            LoadTimeout::Derived(timeout) => timeout.saturating_add(of_source.unwrap_or_default()),
        }
    }
}

/// Returns the longest time that the retries of a call of STS can take.
///
/// This is the formula of the SDK's own identity cache.
fn derived_timeout(base: &SdkConfig) -> Duration {
    /// The SDK's default.
    const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);
    /// The number of attempts beyond which the timeout no longer grows.
    const MAX_ATTEMPTS: u32 = 100;
    let standard = RetryConfig::standard();
    let retries = base.retry_config().unwrap_or(&standard);
    let attempts = retries.max_attempts().clamp(1, MAX_ATTEMPTS);
    let backoff = |retry: u32| {
        let doubled = 2_u32.checked_pow(retry).map(|times| retries.initial_backoff().saturating_mul(times));
        doubled.map_or(retries.max_backoff(), |backoff| backoff.min(retries.max_backoff()))
    };
    let backoffs = (0..attempts - 1).fold(Duration::ZERO, |sum, retry| sum.saturating_add(backoff(retry)));
    let timeouts = base.timeout_config();
    let connect = timeouts.and_then(TimeoutConfig::connect_timeout).unwrap_or_default().max(CONNECT_TIMEOUT);
    let attempt = timeouts.and_then(TimeoutConfig::operation_attempt_timeout).unwrap_or_default();
    backoffs.saturating_add(connect.saturating_mul(2).max(attempt).saturating_mul(attempts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::load_times::tests::SETTINGS;

    // Proves T11.
    #[test]
    fn the_derived_timeout_of_a_role_contains_that_of_its_source() {
        let timeout =
            |fixed, of_source| LoadConfig::new(&SdkConfig::builder().build(), fixed, 1, SETTINGS).timeout(of_source);
        let second = Duration::from_secs(1);
        assert_eq!([None, Some(second)].map(|of_source| timeout(Some(second), of_source)), [second; 2]);
        assert_eq!(timeout(None, Some(second)), timeout(None, None) + second);
    }

    // Proves T11.
    #[test]
    fn the_timeout_follows_retries_and_timeouts() {
        let timeout = |retries: Option<RetryConfig>, timeouts: Option<TimeoutConfig>| {
            let mut base = SdkConfig::builder();
            base.set_retry_config(retries).set_timeout_config(timeouts);
            derived_timeout(&base.build())
        };
        assert_eq!(timeout(None, None), Duration::from_millis(21_600));
        let eight = RetryConfig::standard().with_max_attempts(8);
        // The backoffs are 1, 2, 4, 8, 16, 20 and 20 seconds.
        assert_eq!(timeout(Some(eight), None), Duration::from_millis(71_000 + 8 * 6_200));
        let slow = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_mins(1)).build();
        assert_eq!(timeout(Some(RetryConfig::disabled()), Some(slow)), Duration::from_mins(1));
        let endless = RetryConfig::standard().with_max_attempts(u32::MAX);
        assert!(timeout(Some(endless), None) < Duration::from_hours(1));
    }
}
