//! The right client for a tenant, made exactly once, on one HTTP client.

mod config;
mod credentials;
mod http;
mod identity_cache;
mod scope;
mod scope_pool;
mod session_builder;
mod session_error;
mod single_flight;

use std::fmt;
use std::sync::Arc;

use aws_types::SdkConfig;
use tokio::sync::Semaphore;

use crate::cache::ClientCache;
use crate::client::AnyClient;
use crate::error::ClientCacheError;
use crate::key::{AnyKey, CredentialScope};
use crate::params::{ClientAuth, ClientParams};
use crate::service::Service;

pub use config::SessionConfig;
use identity_cache::Provider;
use scope::{Partitions, Scope};
use scope_pool::{Lease, ScopePool};
pub use session_builder::SessionBuilder;
pub use session_error::SessionError;

/// Gives parameters their client: from its cache, or made, once, however many ask at a time. Cloning is cheap, and a clone
/// is the same session.
///
/// What its clients share, and clients that are made by hand easily don't:
///
/// * **One HTTP client**, so one pool of connections: the base configuration's, or else the SDK's default one.
/// * **One provider of credentials and one identity cache for each credential scope**, whatever the services and regions: a
///   role is assumed once, and again shortly before its credentials expire. A scope whose last client has gone lingers for a
///   while, so that a cache that is too small costs clients, and not calls of the Security Token Service. Two scopes share
///   nothing.
/// * **A budget of retries for each credential scope**, by service and region: who is throttled starves nobody else.
///
/// ```
/// use aws_client_cache::{AssumeRole, ClientParams, EvictionPolicy, S3, SdkConfig, Session, SessionError};
///
/// async fn of_tenant(session: &Session, tenant: u32) -> Result<aws_sdk_s3::Client, SessionError> {
///     let role = AssumeRole::new(format!("arn:aws:iam::123456789012:role/tenant-{tenant}"));
///     let params = ClientParams::<S3>::builder().region("eu-central-1").assume_role(role).build()?;
///     session.client(&params).await
/// }
///
/// # async fn example(sdk_config: &SdkConfig) -> Result<(), SessionError> {
/// let session = Session::builder(sdk_config).policy(EvictionPolicy::Lru).max_size(200).build();
/// let s3 = of_tenant(&session, 7).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    /// With a clock, an HTTP client that is validated once, and credentials that are kept.
    base: SdkConfig,
    cache: ClientCache,
    scopes: ScopePool,
    /// The base's own credentials, if it has any.
    base_credentials: Option<Provider>,
    /// The retries of clients with the base's own credentials.
    base_partitions: Partitions,
    has_retry_partitions: bool,
    /// How many may resolve credentials at a time in [`Session::ready`] (T5).
    load_permits: Semaphore,
}

impl Session {
    /// A session over a base configuration, with a cache as [`ClientCache::default`] makes: LRU and 10.
    ///
    /// ```
    /// use aws_client_cache::{SdkConfig, Session};
    ///
    /// # fn example(sdk_config: &SdkConfig) {
    /// let session = Session::new(sdk_config);
    /// assert_eq!(session.cache().max_size(), 10);
    /// # }
    /// ```
    pub fn new(base: &SdkConfig) -> Self {
        Self::builder(base).build()
    }

    /// Begins a session over a base configuration, to set more than [`new`](Self::new) takes.
    ///
    /// The type shows an example.
    pub fn builder(base: &SdkConfig) -> SessionBuilder {
        SessionBuilder::new(base)
    }

    /// The client of these parameters, from the cache, as one use of it, or else made and inserted.
    ///
    /// It makes no network call (T5): a role that is refused shows at the client's first request, or at [`ready`](Self::ready). A
    /// hit does not suspend, and allocates nothing. Concurrent calls for one missing client make one, as
    /// [`ClientCache::get_or_try_insert_with`] says (S1 to S8).
    ///
    /// # Errors
    ///
    /// [`SessionError::Cache`] with
    ///
    /// * [`ClientCacheError::InvalidParams`] for what the base configuration lacks, as
    ///   [`ClientParams::client`] lists it;
    /// * [`ClientCacheError::CredentialsExpired`], if the parameters' static credentials have (E2);
    /// * [`ClientCacheError::ClientMismatch`], if a customisation changes the region (K6).
    ///
    /// # Panics
    ///
    /// As [`ClientParams::client`] does. It harms nobody else: the next one who waits makes the client (S5).
    ///
    /// The type shows an example.
    pub async fn client<S: Service>(&self, params: &ClientParams<S>) -> Result<S::Client, SessionError> {
        let client = self.0.cache.get_or_create(params.key_ref(), || async { self.make(params) }).await?;
        Ok(client)
    }

    /// The same as [`client`](Self::client), but the credentials are there as well: to warm up, or to be refused early. A handler
    /// may ask so at each request: while the credentials last, it costs a look at them, and makes no call.
    ///
    /// It resolves the credentials, if they are not known yet, or about to expire; for a role, by a call of the Security Token
    /// Service. Callers for one credential scope do so once, and share a failure. For no more than
    /// [`SessionBuilder::max_concurrent_loads`] scopes it is done at a time; the others wait. A provider is given half a minute. It
    /// sends no request to the service itself.
    ///
    /// # Errors
    ///
    /// Those of [`client`](Self::client); and [`SessionError::Credentials`], if there are none to be had. Then no client has
    /// been made.
    ///
    /// ```
    /// use aws_client_cache::{ClientParams, S3, Session, SessionError};
    ///
    /// # async fn example(session: &Session, params: &ClientParams<S3>) {
    /// match session.ready(params).await {
    ///     Ok(s3) => println!("{params:?} is ready"),
    ///     Err(SessionError::Credentials { key, .. }) => println!("{key} has no credentials"),
    ///     Err(error) => println!("{error}"),
    /// }
    /// # }
    /// ```
    pub async fn ready<S: Service>(&self, params: &ClientParams<S>) -> Result<S::Client, SessionError> {
        self.0.cache.refuse_expired(params.key_ref())?;
        let lease = self.lease(params)?;
        let credentials = match &lease {
            Some(lease) => lease.scope().credentials(),
            None => self.0.base_credentials.as_ref(),
        };
        if let Some(credentials) = credentials {
            let resolved = credentials.cached().resolve(&self.0.load_permits).await;
            resolved.map_err(|source| SessionError::credentials(params.key(), source))?;
        }
        self.client(params).await
    }

    /// Removes every client with these parameters' credentials, whatever its service and region, and forgets the credentials
    /// (T6): because a tenant leaves, a key is rotated, or an error of authentication came. So it does with what is signed with a
    /// role that is assumed with them. Returns the clients, in eviction order. The listener is not told.
    ///
    /// Whoever asks for such a client from now on gets a new one, with credentials that are resolved anew; one that is being
    /// made at the moment is not stored (S3). Who still holds one of the old clients can go on: its next request resolves
    /// credentials anew. What keeps credentials itself gives the same again: a provider of yours, or an identity cache that
    /// the base configuration brings along, which is for the base's own credentials.
    ///
    /// Linear in the clients and in the credential scopes.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3, Session};
    /// # fn example(session: &Session, tenant: &ClientParams<S3>) {
    /// let clients = session.invalidate_credentials(tenant);
    /// println!("{} clients were the tenant's", clients.len());
    /// # }
    /// ```
    pub fn invalidate_credentials<S: Service>(&self, params: &ClientParams<S>) -> Vec<(AnyKey, AnyClient)> {
        // First the credentials: a client that is made in between is made with new ones, or revoked below.
        let scope = params.scope();
        if let Some(base) = &self.0.base_credentials
            && *scope == CredentialScope::Base
        {
            base.cached().invalidate();
        }
        let retired = self.0.scopes.invalidate(scope);
        let removed = self.0.cache.remove_where(|key| key.identity().credentials.derives_from(scope));
        drop(retired); // last, for a provider is a caller's own
        removed
    }

    /// The dict underneath: to look at it, to remove from it, to change its bound. It holds clients; their credentials are the
    /// session's, and stay for a client that is made anew, until [`invalidate_credentials`](Self::invalidate_credentials).
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3, Session};
    /// # fn example(session: &Session, params: &ClientParams<S3>) {
    /// if session.cache().remove(&params.key()).is_ok() {
    ///     println!("the next call makes a new client, with the same credentials");
    /// }
    /// # }
    /// ```
    pub fn cache(&self) -> &ClientCache {
        &self.0.cache
    }

    /// How many credential scopes somebody shares, and how many linger.
    #[doc(hidden)]
    #[cfg(feature = "__internals")]
    pub fn scopes(&self) -> (usize, usize) {
        self.0.scopes.len(self.0.now())
    }

    fn make<S: Service>(&self, params: &ClientParams<S>) -> Result<S::Client, ClientCacheError> {
        let Some(lease) = self.lease(params)? else {
            let partition = self.0.has_retry_partitions.then(|| self.0.base_partitions.of(params, &self.0.base));
            return params.make(&self.0.base, None, partition);
        };
        let scope = lease.scope();
        let partition = self.0.has_retry_partitions.then(|| scope.partitions().of(params, &self.0.base));
        let provider = scope.credentials().map(|credentials| credentials.shared().clone());
        let auth = ClientAuth { provider, identity_cache: Some(lease.identity_cache()) };
        params.make(&self.0.base, Some(auth), partition)
    }

    /// A share in the parameters' credential scope; `None` for the base's own, which is always there.
    fn lease<S: Service>(&self, params: &ClientParams<S>) -> Result<Option<Lease>, ClientCacheError> {
        let scope = params.scope();
        if *scope == CredentialScope::Base {
            return Ok(None);
        }
        if let Some(known) = self.find(scope) {
            return Ok(Some(known));
        }
        params.check(&self.0.base)?;
        // Roles are assumed one with another, so the first one's source comes first.
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
                let provider =
                    params.provider(depth, source.as_ref().map(|source| source.shared().clone()), &self.0.base)?;
                self.add(scope, Scope::new(provider, lease, source, &self.0.base))
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

    fn add(&self, key: &CredentialScope, scope: Scope) -> Lease {
        let scope = Arc::new(scope);
        let (shared, retired) = self.0.scopes.add(key, &scope, self.0.now());
        let lease = Lease::new(&self.0, key, shared);
        drop(retired);
        lease
    }
}

impl fmt::Debug for Session {
    /// Shows the cache, without secrets (K4).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.0.cache).finish()
    }
}
