//! [`provide`], which requests credentials from a provider that may hang or panic.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_async::future::timeout::Timeout;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use futures_util::FutureExt;

use crate::params::validate;

/// The end of the year 9999, the latest expiry.
///
/// The SDK adds to it, and would panic on an overflow.
const LAST_EXPIRY: Duration = Duration::from_secs(253_402_300_799);

/// The minimum delay of a timer that nothing polled, or whose runtime stands still.
const STARVED_FOR: Duration = Duration::from_secs(1);

/// Requests credentials from a provider, with a timeout if there is a timer.
///
/// A panic of the provider is an error.
pub(super) async fn provide(
    provider: &SharedCredentialsProvider,
    sleep: Option<&SharedAsyncSleep>,
    timeout: Duration,
) -> Result<Credentials, CredentialsError> {
    let answer = AssertUnwindSafe(provide_in_time(provider, sleep, timeout)).catch_unwind().await;
    let answer = answer.unwrap_or_else(|_| Err(CredentialsError::unhandled("the provider panicked")));
    answer.and_then(usable_by_the_sdk)
}

// T7, T11
async fn provide_in_time(
    provider: &SharedCredentialsProvider,
    sleep: Option<&SharedAsyncSleep>,
    timeout: Duration,
) -> Result<Credentials, CredentialsError> {
    let Some(sleep) = sleep else { return provider.provide_credentials().await };
    let is_starved = |began: Instant| began.elapsed() >= timeout.saturating_add(STARVED_FOR);
    for is_last in [false, true] {
        let began = Instant::now();
        let mut answer = Timeout::new(provider.provide_credentials(), sleep.sleep(timeout));
        let answer = poll_fn(|context| {
            // The answer may be of long ago.
            if is_starved(began) && !is_last {
                return Poll::Ready(None);
            }
            match answer.poll_unpin(context) {
                Poll::Ready(answer) => Poll::Ready(answer.ok()),
                // The timer is that of a runtime which no longer runs.
                Poll::Pending if is_starved(began) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        match answer.await {
            Some(answer) => return answer,
            // Nothing polled the load in time, so that the provider had no chance to answer.
            None if is_starved(began) && !is_last => {}
            None => break,
        }
    }
    Err(CredentialsError::provider_timed_out(timeout))
}

/// Limits an expiry that the SDK could not represent, and refuses what no header can contain.
///
/// Credentials without an expiry get none: presigned requests would warn of it, and end early.
fn usable_by_the_sdk(mut credentials: Credentials) -> Result<Credentials, CredentialsError> {
    validate::credential_headers(&credentials).map_err(CredentialsError::invalid_configuration)?;
    let last = SystemTime::UNIX_EPOCH + LAST_EXPIRY;
    *credentials.expiry_mut() = credentials.expiry().map(|expiry| expiry.min(last));
    Ok(credentials)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};
    use std::{future, thread};

    use aws_credential_types::provider;
    use aws_smithy_async::rt::sleep::Sleep;

    use super::*;

    /// A provider that never answers, and the timer of a runtime that stands still.
    #[derive(Debug)]
    struct StandsStill;

    impl ProvideCredentials for StandsStill {
        fn provide_credentials<'a>(&'a self) -> provider::future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            provider::future::ProvideCredentials::new(future::pending())
        }
    }

    impl AsyncSleep for StandsStill {
        fn sleep(&self, _: Duration) -> Sleep {
            Sleep::new(future::pending())
        }
    }

    // Proves T7.
    #[test]
    fn a_load_whose_timer_stands_still_twice_times_out() {
        let (provider, sleep) = (SharedCredentialsProvider::new(StandsStill), SharedAsyncSleep::new(StandsStill));
        let mut load = pin!(provide(&provider, Some(&sleep), Duration::ZERO));
        let mut poll = || load.poll_unpin(&mut Context::from_waker(Waker::noop()));
        for _ in 0..2 {
            assert!(poll().is_pending());
            thread::sleep(STARVED_FOR);
        }
        assert!(matches!(poll(), Poll::Ready(Err(CredentialsError::ProviderTimedOut(_)))));
    }
}
