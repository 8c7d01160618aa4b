//! A provider that takes a while, and sessions with a real timer.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use aws_client_cache::{ClientParams, Credentials, S3, SdkConfig, Session, SessionBuilder, SharedCredentialsProvider};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_async::rt::sleep::TokioSleep;
use support::clock::Clock;
use support::cloud::{Cloud, keys};
use tokio::time::sleep;

use crate::tenancy::{NOW, params};

/// A duration that no test needs unless it hangs.
pub(crate) const HANG: Duration = Duration::from_secs(30);

/// A provider that takes a while, and counts its loads.
#[derive(Clone)]
pub(crate) struct Slow(Arc<Inner>);

struct Inner {
    name: String,
    takes: Duration,
    begun: AtomicUsize,
    ended: AtomicUsize,
    /// The names of the providers that have begun, in order.
    order: Arc<Mutex<Vec<String>>>,
}

impl Slow {
    pub(crate) fn new(name: &str, takes: Duration) -> Self {
        Self::ordered(name, takes, &Arc::default())
    }

    pub(crate) fn ordered(name: &str, takes: Duration, order: &Arc<Mutex<Vec<String>>>) -> Self {
        let (name, order) = (name.to_owned(), Arc::clone(order));
        Self(Arc::new(Inner { name, takes, begun: AtomicUsize::new(0), ended: AtomicUsize::new(0), order }))
    }

    /// Returns the number of loads that have begun, and of those that have ended.
    pub(crate) fn loads(&self) -> (usize, usize) {
        (self.0.begun.load(SeqCst), self.0.ended.load(SeqCst))
    }

    pub(crate) fn params(&self) -> ClientParams<S3> {
        params().credentials_provider(SharedCredentialsProvider::new(self.clone())).build().unwrap()
    }

    async fn load(&self) -> Result<Credentials, CredentialsError> {
        self.0.begun.fetch_add(1, SeqCst);
        self.0.order.lock().unwrap().push(self.0.name.clone());
        // In two steps, so that a load that is polled late is not done at once.
        for _ in 0..2 {
            sleep(self.0.takes / 2).await;
        }
        self.0.ended.fetch_add(1, SeqCst);
        Ok(keys(&self.0.name))
    }
}

impl fmt::Debug for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slow")
    }
}

impl ProvideCredentials for Slow {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.load())
    }
}

/// A base configuration with a real timer.
pub(crate) fn timed(cloud: &Cloud) -> SdkConfig {
    cloud.config().to_builder().sleep_impl(TokioSleep::new()).build()
}

pub(crate) fn builder() -> SessionBuilder {
    Session::builder(&timed(&Cloud::new(&Clock::at(NOW)))).max_size(100)
}

pub(crate) async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}
