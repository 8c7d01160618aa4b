//! The methods of a session that return its clients, configurations, cache and counters.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aws_types::SdkConfig;
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::cache::{ClientCache, panicked};
use crate::error::ClientCacheError;
use crate::params::ClientParams;
use crate::service::Service;

use super::identity_cache::Provider;
use super::scope_pool::Lease;
use super::{Session, SessionBuilder, SessionError, SessionStats, revoked};

/// Returns the positions of the parameters of each scope, in the order of the first ones.
fn by_scope<S: Service>(params: &[ClientParams<S>]) -> Vec<Vec<usize>> {
    let (mut numbers, mut scopes) = (HashMap::new(), Vec::new());
    for (position, params) in params.iter().enumerate() {
        let number = *numbers.entry(params.scope()).or_insert(scopes.len());
        if number == scopes.len() {
            scopes.push(Vec::new());
        }
        scopes[number].push(position);
    }
    scopes
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

    /// Returns a builder, which has more settings than [`new`](Self::new).
    ///
    /// The session caches the credentials of the base configuration itself, by the settings of the builder. An identity cache
    /// of the base configuration, such as that of `aws_config::load_defaults`, serves only other identities. If it cached
    /// credentials, a caller that stops polling would block the others, and credentials could not be invalidated.
    ///
    /// [`Session`] shows an example.
    pub fn builder(base: &SdkConfig) -> SessionBuilder {
        SessionBuilder::new(base)
    }

    /// Returns the client for these parameters, from the cache or newly created and inserted.
    ///
    /// Makes no network call. If AWS refuses a role, the client's first request fails, or [`ready`](Self::ready) does;
    /// [`refusal_code`](crate::refusal_code) finds the reason in the error of a request. A hit counts as a use; it does
    /// not suspend, and hardly ever allocates. Concurrent calls for one missing client create it once, as described at
    /// [`ClientCache::get_or_try_insert_with_shared`].
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
    /// * [`ClientCacheError::CreationFailed`] if a customization panics, or if the SDK panics because it rejects the resulting
    ///   configuration. The panic goes no further, and is not cached.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, or no longer polled, any other caller goes on with the creation.
    pub async fn client<S: Service>(&self, params: &ClientParams<S>) -> Result<S::Client, SessionError> {
        let create = || {
            let (session, params) = (self.clone(), params.clone());
            async move { session.make(&params) }
        };
        Ok(self.0.cache.get_or_create_shared(params.key_ref(), create).await?)
    }

    /// Creates a client that is not cached.
    // S9: its panic is an error as well.
    fn make_uncached<S: Service>(&self, params: &ClientParams<S>) -> Result<S::Client, ClientCacheError> {
        catch_unwind(AssertUnwindSafe(|| self.make(params))).unwrap_or_else(|_| Err(panicked(params.key_ref())))
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
    /// load. Without a waiter, the load is kept, and the next caller resumes it. After one second, it keeps no permit from other scopes.
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
                Ok(()) if credentials.epoch() != epoch => return Ok(self.make_uncached(params)?),
                Ok(()) => {}
            }
        }
        self.client(params).await
    }

    /// Returns the clients for many parameters, in their order, after their credentials have been loaded.
    ///
    /// Use it to warm up a session. It calls [`ready`](Self::ready) for each of the parameters, and for those of 256
    /// credential scopes at a time. At most [`SessionBuilder::max_concurrent_loads`] scopes load at a time. A failure or a
    /// slow role stops none of the others.
    ///
    /// The cache keeps at most `max_size` of the clients. The result holds all of them.
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
        /// Each call that waits is polled at times, so more of them would cost more.
        const MAX_SCOPES: usize = 256;
        let call = |position: usize| async move { (position, self.ready(&params[position]).await) };
        let mut remaining = by_scope(params).into_iter().map(|positions| join_all(positions.into_iter().map(call)));
        let mut scopes: FuturesUnordered<_> = remaining.by_ref().take(MAX_SCOPES).collect();
        let mut results = Vec::with_capacity(params.len());
        while let Some(scope) = scopes.next().await {
            results.extend(scope);
            scopes.extend(remaining.next());
        }
        results.sort_unstable_by_key(|(position, _)| *position);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// Returns a configuration for libraries that create their own clients or sign requests themselves.
    ///
    /// It is the base configuration, overridden by the parameters. Its HTTP client is the session's, unless the parameters name
    /// another. Its credentials are those of the session's clients: loaded and refreshed together with them, and dropped by
    /// [`invalidate_credentials`](Self::invalidate_credentials) and [`revoke`](Self::revoke). A library that takes only a
    /// provider can take the configuration's [`credentials_provider`](SdkConfig::credentials_provider). Configuration and
    /// provider each keep the credential scope active, as a client does.
    ///
    /// A library that caches the credentials of the provider signs with them until they expire, whatever is revoked. So does an
    /// SDK client that is given the provider instead of the configuration: its own identity cache then holds them. Give SDK
    /// clients the whole configuration.
    ///
    /// The parameters can be of any service. A configuration has no place for customizations, for the scope's retry budgets or
    /// for the detection of expired tokens. Makes no network call, caches nothing, and takes as long as copying an
    /// `SdkConfig`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`client`](Self::client), except those that a customization causes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3, Session, SessionError};
    /// # fn example(session: &Session, params: &ClientParams<S3>) -> Result<(), SessionError> {
    /// let config = session.sdk_config(params)?;
    /// // A service crate without a marker:
    /// let sts = aws_sdk_sts::Client::new(&config);
    /// // A library that signs requests itself:
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
    /// Takes O(n) in the number of credential scopes, to find the next expiry.
    ///
    /// [`SessionStats`] shows an example.
    // O5
    pub fn stats(&self) -> SessionStats {
        let (active_scopes, idle_scopes) = self.0.scopes.len(self.0.now());
        let base_expiry = self.0.base_credentials.as_ref().and_then(|credentials| credentials.cached().expiry());
        let counters = &self.0.loads.counters;
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
}
