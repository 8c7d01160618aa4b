//! [`Session`], which creates clients and shares credentials, connections and retry budgets among them.

// The documentation of `Session` shows its methods in the order of these modules.
mod clients;
mod revocation;

mod credentials;
mod expired_tokens;
mod http;
mod identity_cache;
mod leased_auth;
mod load_config;
mod load_permits;
mod load_times;
mod provide;
mod retry_budgets;
mod scope;
mod scope_pool;
mod session_builder;
mod session_error;
mod session_stats;
mod single_flight;
#[cfg(feature = "tracing")]
mod trace;
#[cfg(not(feature = "tracing"))]
mod untraced;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use aws_types::SdkConfig;

use crate::cache::ClientCache;
use crate::error::ClientCacheError;
use crate::key::CredentialScope;
use crate::params::ClientParams;
use crate::service::Service;

use identity_cache::Provider;
use load_config::LoadConfig;
use retry_budgets::RetryBudgets;
use scope::Scope;
use scope_pool::{Lease, LeasedScope, ScopePool};
pub use session_builder::{SessionBuilder, SessionConfig};
pub use session_error::{SessionError, is_revoked, refusal_code};
pub use session_stats::SessionStats;
#[cfg(not(feature = "tracing"))]
use untraced as trace;

/// A cache of clients that also creates them, and that shares connections and credentials among them.
///
/// Cloning is cheap. A clone is a handle to the same session. Concurrent calls for one missing client create it once.
/// The clients of a session share the following, which hand-written code often does not share:
///
/// * **One HTTP client**, and thus one connection pool: that of the base configuration, or else the SDK's default. Parameters
///   can [name another](crate::ClientParamsBuilder::http_client).
/// * **One credentials provider and one identity cache per credential scope**, across services and regions. A role is
///   assumed once, and again shortly before its credentials expire. An unused scope is kept for a while. A cache
///   that is too small therefore costs new clients, but few calls of `AssumeRole`.
/// * **Retry budgets per credential scope**, service and region: a throttled scope does not use up the retries of others.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{AssumeRole, ClientParams, S3, SdkConfig};
/// use aws_client_cache::{Session, SessionError};
///
/// async fn client_for(
///     session: &Session,
///     tenant: u32,
/// ) -> Result<aws_sdk_s3::Client, SessionError> {
///     let arn = format!("arn:aws:iam::123456789012:role/tenant-{tenant}");
///     let params = ClientParams::<S3>::builder()
///         .region("eu-central-1")
///         .assume_role(AssumeRole::new(arn))
///         .build()?;
///     session.client(&params).await
/// }
///
/// # async fn example(sdk_config: &SdkConfig) -> Result<(), SessionError> {
/// let session = Session::builder(sdk_config).max_size(200).build();
/// let s3 = client_for(&session, 7).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Runtimes
///
/// A connection ends with the Tokio runtime that opened it. If several runtimes share a session, a request that uses such a
/// connection at that moment fails, with an error of the SDK that contains "runtime dropped the dispatch task". The next
/// request opens another connection. A load of credentials that was abandoned with its runtime begins again, once: at once
/// if the runtime has ended, and shortly after [`load_timeout`](SessionBuilder::load_timeout) if it only stands still. Create
/// a session in each runtime, or share the runtime too.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    /// Has a clock, an HTTP client that is validated once, and a provider that caches its credentials.
    base: SdkConfig,
    cache: ClientCache,
    scopes: ScopePool,
    /// The credentials of the base configuration, if it has any.
    base_credentials: Option<Provider>,
    /// The retry budgets of clients with the credentials of the base configuration.
    base_retry_budgets: RetryBudgets,
    has_retry_partitions: bool,
    /// Contains the permits of all loads.
    // T5
    loads: Arc<LoadConfig>,
}

impl Session {
    /// Returns the number of active and of idle credential scopes.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    pub fn scopes(&self) -> (usize, usize) {
        self.0.scopes.len(self.0.now())
    }

    fn make<S: Service>(&self, params: &ClientParams<S>) -> Result<S::Client, ClientCacheError> {
        let Some(lease) = self.lease(params)? else {
            let partition = self.0.has_retry_partitions.then(|| self.0.base_retry_budgets.of(params, &self.0.base));
            let interceptor = self.0.base_credentials.as_ref().map(|credentials| credentials.interceptor().clone());
            return params.make(&self.0.base, None, partition, interceptor);
        };
        let scope = lease.scope();
        let partition = self.0.has_retry_partitions.then(|| scope.retry_budgets().of(params, &self.0.base));
        let interceptor = scope.credentials().map(|credentials| credentials.interceptor().clone());
        params.make(&self.0.base, Some(lease.client_auth()), partition, interceptor)
    }

    /// Returns a lease of the parameters' credential scope.
    ///
    /// Returns `None` for the base configuration's credentials, which need no scope.
    fn lease<S: Service>(&self, params: &ClientParams<S>) -> Result<Option<Lease>, ClientCacheError> {
        let scope = params.scope();
        if self.0.scopes.is_revoked(scope) {
            return Err(revoked(params));
        }
        drop(self.0.scopes.purge(self.0.now()));
        if *scope == CredentialScope::Base {
            return Ok(None);
        }
        if let Some(known) = self.find(scope) {
            return Ok(Some(known));
        }
        params.check(&self.0.base)?;
        // Each role is assumed with the scope before it, so the chain starts at the source of the first role.
        let mut lease: Option<Lease> = None;
        for (depth, scope) in scope.chain().into_iter().enumerate() {
            if *scope == CredentialScope::Base {
                continue;
            }
            let known = self.find(scope);
            lease = Some(if let Some(known) = known {
                known
            } else {
                let source = match &lease {
                    Some(lease) => lease.scope().credentials(),
                    None => self.0.base_credentials.as_ref().filter(|_| depth > 0),
                };
                let source = source.cloned();
                let provider = params.provider(depth, source.as_ref().map(Provider::role_source), &self.0.base)?;
                self.add(scope, LeasedScope::new(Scope::new(scope, provider, source, &self.0.loads), lease))
            });
        }
        Ok(lease)
    }

    fn find(&self, key: &CredentialScope) -> Option<Lease> {
        self.0.scopes.find(key).map(|scope| Lease::new(&self.0, key, scope))
    }

    fn add(&self, key: &CredentialScope, scope: LeasedScope) -> Lease {
        let scope = Arc::new(scope);
        Lease::new(&self.0, key, self.0.scopes.add(key, &scope))
    }
}

// T13
fn revoked<S: Service>(params: &ClientParams<S>) -> ClientCacheError {
    ClientCacheError::CredentialsRevoked { key: params.key().into() }
}

impl fmt::Debug for Session {
    /// Shows the cache, without secrets.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.0.cache).finish()
    }
}

// P1: a panic leaves the session consistent.
impl UnwindSafe for Session {}
impl RefUnwindSafe for Session {}
