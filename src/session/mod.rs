//! [`Session`], which creates clients and shares credentials, connections and retry budgets among them.

mod credentials;
mod expired_tokens;
mod http;
mod identity_cache;
mod leased_auth;
mod load_permits;
mod load_times;
mod retry_budgets;
mod revocation;
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
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::cache::ClientCache;
use crate::error::ClientCacheError;
use crate::key::CredentialScope;
use crate::params::ClientParams;
use crate::service::Service;

use credentials::LoadConfig;
use identity_cache::Provider;
use retry_budgets::RetryBudgets;
use scope::Scope;
use scope_pool::{Lease, LeasedScope, ScopePool};
pub use session_builder::{SessionBuilder, SessionConfig};
pub use session_error::{SessionError, refusal_code};
pub use session_stats::SessionStats;
#[cfg(not(feature = "tracing"))]
use untraced as trace;

/// A cache of clients that also creates them, and that shares connections and credentials among them.
///
/// Cloning is cheap. A clone is a handle to the same session. Concurrent calls for one missing client create it once.
/// The clients of a session share the following, which clients created manually often do not share:
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
/// request opens another connection, and a load of credentials that was abandoned with its runtime begins again. Create a
/// session in each runtime, or share the runtime too.
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
    /// Creates a session with the default settings: LRU, with at most 128 clients.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{SdkConfig, Session};
    ///
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::new(sdk_config);
    /// assert_eq!(session.cache().max_size(), 128);
    /// # }
    /// ```
    pub fn new(base: &SdkConfig) -> Self {
        Self::builder(base).build()
    }

    /// Returns a builder, which sets more than [`new`](Self::new) takes.
    ///
    /// The session caches the credentials of the base configuration itself, by the settings of the builder. An identity cache
    /// of the base configuration, such as that of `aws_config::load_defaults`, serves only other identities: with it, a caller
    /// that stops polling would block the others, and credentials could not be invalidated.
    ///
    /// [`Session`] shows an example.
    pub fn builder(base: &SdkConfig) -> SessionBuilder {
        SessionBuilder::new(base)
    }

    /// Returns the client for these parameters, from the cache or newly created and inserted.
    ///
    /// Makes no network call. If AWS refuses a role, the client's first request fails, or [`ready`](Self::ready) does;
    /// [`refusal_code`](crate::refusal_code) finds the reason in the error of a request. A hit counts as a use; it neither
    /// suspends nor allocates. Concurrent calls for one missing client create it once, as described at
    /// [`ClientCache::get_or_try_insert_with`].
    ///
    /// [`Session`] shows an example.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::Cache`] with one of the following:
    ///
    /// * [`ClientCacheError::InvalidParams`] if the base configuration lacks a setting, as listed at
    ///   [`ClientParams::client`].
    /// * [`ClientCacheError::CredentialsExpired`] if the static credentials of the parameters have expired.
    /// * [`ClientCacheError::CredentialsRevoked`] after [`revoke`](Self::revoke).
    /// * [`ClientCacheError::ClientMismatch`] if a customization changes the region.
    ///
    /// # Panics
    ///
    /// Panics as [`ClientParams::client`] does. The panic affects no other caller: the next waiter creates the client.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while it creates the client, the next waiter creates it.
    pub async fn client<S: Service>(&self, params: &ClientParams<S>) -> Result<S::Client, SessionError> {
        let client = self.0.cache.get_or_create(params.key_ref(), || async { self.make(params) }).await?;
        Ok(client)
    }

    /// Returns the client for these parameters after its credentials have been loaded.
    ///
    /// Use it to detect refused credentials early; [`ready_all`](Self::ready_all) warms up many clients. A handler may call
    /// it for each request: while the credentials are fresh, it makes no network call.
    ///
    /// It loads credentials that are missing or about to expire; for a role, by a call of `AssumeRole`. Concurrent callers of
    /// one credential scope share one load, and its failure. At most [`SessionBuilder::max_concurrent_loads`] scopes load at
    /// a time, and a load ends after [`SessionBuilder::load_timeout`]. No request is sent to the service of the client.
    ///
    /// A client without credentials is ready at once. This holds for anonymous parameters, and for a base configuration without
    /// credentials, whose client may have those of a customization, or a bearer token.
    ///
    /// After a failed load, callers receive its error for a while, as [`SessionBuilder::load_backoff`] describes.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`client`](Self::client), or [`SessionError::Credentials`] if the credentials cannot be loaded.
    /// Then no client has been created.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, or no longer polled, while it loads credentials, any waiter of the scope goes on with the
    /// load. Without a waiter, the load is kept, and the next caller resumes it. It keeps no permit from other scopes.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientParams, S3, Session, SessionError};
    ///
    /// # async fn example(session: &Session, params: &ClientParams<S3>) {
    /// match session.ready(params).await {
    ///     Ok(s3) => println!("{params:?} is ready"),
    ///     Err(SessionError::Credentials { key, .. }) => {
    ///         println!("{key} has no credentials");
    ///     }
    ///     Err(error) => println!("{error}"),
    /// }
    /// # }
    /// ```
    pub async fn ready<S: Service>(&self, params: &ClientParams<S>) -> Result<S::Client, SessionError> {
        self.0.cache.refuse_expired(params.key_ref())?; // E2
        let lease = self.lease(params)?;
        let credentials = match &lease {
            Some(lease) => lease.scope().credentials(),
            None => self.0.base_credentials.as_ref(),
        };
        if let Some(credentials) = credentials.map(Provider::cached) {
            let epoch = credentials.epoch();
            match credentials.resolve().await {
                Err(_) if credentials.is_revoked() => return Err(revoked(params).into()),
                Err(cause) => return Err(SessionError::credentials(params.key(), cause)),
                // S3: this call began before an invalidation, so its client is not cached.
                Ok(()) if credentials.epoch() != epoch => return Ok(self.make(params)?),
                Ok(()) => {}
            }
        }
        self.client(params).await
    }

    /// Returns the clients for many parameters, in their order, after their credentials have been loaded.
    ///
    /// Use it to warm up. It calls [`ready`](Self::ready) for each of the parameters, up to 256 at a time. At most
    /// [`SessionBuilder::max_concurrent_loads`] scopes load at a time. A failure or a slow role stops none of the others.
    ///
    /// The cache keeps the last `max_size` clients. The result holds all of them.
    ///
    /// # Errors
    ///
    /// Each result has the errors of [`ready`](Self::ready).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, clients that are ready stay cached, and loads are kept as by [`ready`](Self::ready). Another
    /// call goes on with them.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{AssumeRole, ClientParams, S3};
    /// use aws_client_cache::{Session, SessionError};
    ///
    /// async fn warm_up(session: &Session, roles: &[&str]) -> Result<(), SessionError> {
    ///     let params = |role: &&str| {
    ///         let role = AssumeRole::new(*role);
    ///         ClientParams::<S3>::builder().assume_role(role).build()
    ///     };
    ///     let params: Vec<_> = roles.iter().map(params).collect::<Result<_, _>>()?;
    ///     let clients = session.ready_all(&params).await;
    ///     for (params, client) in params.iter().zip(clients) {
    ///         if let Err(error) = client {
    ///             println!("{params:?} is not ready: {error}");
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    // T14
    pub async fn ready_all<S: Service>(&self, params: &[ClientParams<S>]) -> Vec<Result<S::Client, SessionError>> {
        /// Waiting loads drive the others, so more of them would cost more.
        const MAX_IN_FLIGHT: usize = 256;
        let call = async |(position, params): (usize, _)| (position, self.ready(params).await);
        let mut remaining = params.iter().enumerate();
        let mut calls: FuturesUnordered<_> = remaining.by_ref().take(MAX_IN_FLIGHT).map(call).collect();
        let mut results = Vec::with_capacity(params.len());
        while let Some(result) = calls.next().await {
            results.push(result);
            calls.extend(remaining.next().map(call));
        }
        results.sort_unstable_by_key(|(position, _)| *position);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// Returns a configuration for libraries that create clients themselves, or that sign by themselves.
    ///
    /// It is the base configuration, overridden by the parameters. Its HTTP client is the session's, unless the parameters name
    /// another. Its credentials are those of the session's clients: loaded and refreshed together with them, and dropped by
    /// [`invalidate_credentials`](Self::invalidate_credentials) and [`revoke`](Self::revoke). A library that takes only a
    /// provider can take the configuration's [`credentials_provider`](SdkConfig::credentials_provider). Configuration and
    /// provider each keep the credential scope active, as a client does.
    ///
    /// The parameters can be of any service. A configuration has no place for customizations, for the scope's retry budgets or
    /// for the detection of expired tokens. Makes no network call, caches nothing, and takes as long as the copy of an
    /// `SdkConfig`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`client`](Self::client).
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3, Session, SessionError};
    /// # fn example(session: &Session, params: &ClientParams<S3>) -> Result<(), SessionError> {
    /// let config = session.sdk_config(params)?;
    /// // A service crate without a marker:
    /// let sts = aws_sdk_sts::Client::new(&config);
    /// // A library that signs by itself:
    /// let provider = config.credentials_provider();
    /// # Ok(())
    /// # }
    /// ```
    // T15
    pub fn sdk_config<S: Service>(&self, params: &ClientParams<S>) -> Result<SdkConfig, SessionError> {
        self.0.cache.refuse_expired(params.key_ref())?; // E2
        let lease = self.lease(params)?;
        params.check(&self.0.base)?;
        Ok(params.config(&self.0.base, lease.map(Lease::config_auth)))
    }

    /// Returns the cache, to inspect it, to remove clients, or to change its `max_size`.
    ///
    /// The cache holds only clients. The session keeps their credentials for new clients until
    /// [`invalidate_credentials`](Self::invalidate_credentials).
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3, Session};
    /// # fn example(session: &Session, params: &ClientParams<S3>) {
    /// if session.cache().remove(&params.key()).is_ok() {
    ///     println!("the next call creates a client with the same credentials");
    /// }
    /// # }
    /// ```
    pub fn cache(&self) -> &ClientCache {
        &self.0.cache
    }

    /// Returns the counters of the cache and of the credentials, and the number of scopes.
    ///
    /// O(n) in the credential scopes, for the next expiry.
    ///
    /// [`SessionStats`] shows an example.
    // O5
    pub fn stats(&self) -> SessionStats {
        let (active_scopes, idle_scopes) = self.0.scopes.len(self.0.now());
        let base_expiry = self.0.base_credentials.as_ref().and_then(|credentials| credentials.cached().expiry());
        let counters = self.0.loads.counters();
        SessionStats {
            cache: self.0.cache.stats(),
            active_scopes,
            idle_scopes,
            loads: counters.loads.get(),
            failed_loads: counters.failed_loads.get(),
            backoff_answers: counters.backoff_answers.get(),
            held_answers: counters.held_answers.get(),
            invalidations: counters.invalidations.get(),
            expired_tokens: counters.expired_tokens.get(),
            next_expiry: base_expiry.into_iter().chain(self.0.scopes.next_expiry()).min(),
        }
    }

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
        let (found, retired) = self.0.scopes.find(key, self.0.now());
        let lease = found.map(|scope| Lease::new(&self.0, key, scope));
        drop(retired);
        lease
    }

    fn add(&self, key: &CredentialScope, scope: LeasedScope) -> Lease {
        let scope = Arc::new(scope);
        let (shared, retired) = self.0.scopes.add(key, &scope, self.0.now());
        let lease = Lease::new(&self.0, key, shared);
        drop(retired);
        lease
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
