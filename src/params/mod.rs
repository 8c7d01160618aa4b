//! [`ClientParams`]: the parameters of a client, its key, and its creation.

#[cfg(feature = "assume-role")]
mod assume_role;
#[cfg(feature = "assume-role")]
mod assume_role_provider;
#[cfg(feature = "serde")]
mod config;
mod credential_source;
mod http_client;
mod params_builder;
#[cfg(feature = "assume-role")]
mod profile;
#[cfg(feature = "serde")]
mod table;
pub(crate) mod validate;
#[cfg(feature = "assume-role")]
mod web_identity;

// After the builder, whose documentation shows these methods last.
mod customize;

use std::fmt;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_async::rt::sleep::default_async_sleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_types::SdkConfig;
use aws_types::origin::Origin;

use crate::error::ClientCacheError;
use crate::key::{ClientCacheKey, CredentialScope};
use crate::service::Service;

#[cfg(feature = "assume-role")]
pub use assume_role::AssumeRole;
#[cfg(feature = "serde")]
pub use config::ClientParamsConfig;
use credential_source::CredentialSource;
pub use http_client::KeyedHttpClient;
pub(crate) use http_client::ValidatedOnce;
pub use params_builder::ClientParamsBuilder;
#[cfg(feature = "assume-role")]
pub use web_identity::WebIdentityToken;

/// A customization of a service's config builder.
type Apply<S> = Box<dyn Fn(<S as Service>::ConfigBuilder) -> <S as Service>::ConfigBuilder + Send + Sync>;

/// The validated parameters of a client of service `S`.
///
/// A client inherits unset parameters from a base [`SdkConfig`]. Parameters are cheap to clone. They contain the credentials
/// that are set, but neither their `Debug` nor their [`key`](Self::key) shows them.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{ClientParams, S3};
///
/// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
/// assert_eq!(format!("{params:?}"), "ClientParams(S3(region=us-west-2))");
/// # Ok::<(), aws_client_cache::ClientCacheError>(())
/// ```
pub struct ClientParams<S: Service>(Arc<Inner<S>>);

struct Inner<S: Service> {
    /// Contains all settings that are not secret.
    key: ClientCacheKey<S>,
    credentials: CredentialSource,
    /// `None` means the HTTP client of the base configuration, or else the client's own.
    http_client: Option<SharedHttpClient>,
    /// Sorted by name.
    apply: Vec<Apply<S>>,
}

/// The credentials of a client, and the cache of its identities.
pub(crate) struct ClientAuth {
    /// `None` means that requests are not signed.
    pub(crate) provider: Option<SharedCredentialsProvider>,
    /// `None` means the identity cache of the base configuration, or the client's own.
    pub(crate) identity_cache: Option<SharedIdentityCache>,
}

/// The credentials that a role is assumed with.
#[cfg_attr(not(feature = "assume-role"), expect(dead_code, reason = "there are no roles"))]
pub(crate) struct RoleSource {
    pub(crate) provider: SharedCredentialsProvider,
    /// Notifies a session that AWS has refused credentials as expired.
    pub(crate) reject: Option<Reject>,
    /// Fails if a session has revoked the credentials.
    pub(crate) refuse: Option<Refuse>,
}

/// Returns `true` if the provider now has other credentials.
pub(crate) type Reject = Arc<dyn Fn(&Credentials) -> bool + Send + Sync>;

pub(crate) type Refuse = Arc<dyn Fn() -> Result<(), CredentialsError> + Send + Sync>;

impl<S: Service> ClientParams<S> {
    /// Returns a builder with no parameter set.
    ///
    /// [`ClientParams`] shows an example.
    pub fn builder() -> ClientParamsBuilder<S> {
        ClientParamsBuilder::new()
    }

    /// Returns the key of clients with these parameters.
    ///
    /// The key is computed once, by the builder. This is a cheap clone.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let west = ClientParams::<S3>::builder().region("us-west-2").build()?;
    /// let east = ClientParams::<S3>::builder().region("us-east-1").build()?;
    /// assert_ne!(west.key(), east.key());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn key(&self) -> ClientCacheKey<S> {
        self.0.key.clone()
    }

    /// Creates a new client from a base configuration and these parameters, without a network call.
    ///
    /// This method uses no cache. The client shares only what the base configuration shares. Each client has its own
    /// connections, unless the base configuration or the parameters have an HTTP client. Each client of a role assumes the role
    /// itself. A [`Session`](crate::Session) shares both connections and roles.
    ///
    /// The base configuration is not part of the [`key`](Self::key). If you use several base configurations with one cache,
    /// name each with [`base`](ClientParamsBuilder::base), or set the parameters in which they differ.
    ///
    /// # Errors
    ///
    /// Returns [`ClientCacheError::InvalidParams`] with the name of a parameter that the base configuration lacks or
    /// contradicts:
    ///
    /// * `region`, unless the parameters set one.
    /// * `behavior_version`.
    /// * `sleep_impl`, if the feature `rt-tokio` is off.
    /// * `use_fips`, if FIPS is combined with an endpoint URL, which no service supports.
    /// * `assume_role`, if there are no credentials to assume the role with, no region, or a region of another partition
    ///   than the role's.
    ///
    /// # Panics
    ///
    /// Panics if a customization panics, or if the SDK panics because it rejects the resulting configuration.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientParams, S3, SdkConfig};
    ///
    /// # async fn example(sdk_config: &SdkConfig) -> Result<(), aws_client_cache::ClientCacheError> {
    /// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
    /// let s3: aws_sdk_s3::Client = params.client(sdk_config).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::unused_async, reason = "allows asynchronous credentials later without a breaking change")]
    pub async fn client(&self, base: &SdkConfig) -> Result<S::Client, ClientCacheError> {
        if *self.scope() == CredentialScope::Base {
            return self.make(base, None, None, None);
        }
        self.check(base)?;
        let base = with_clock(base);
        let mut provider = None;
        for depth in 0..self.scope().chain().len() {
            let source = provider.map(|provider| RoleSource { provider, reject: None, refuse: None });
            provider = self.provider(depth, source, &base)?;
        }
        self.make(&base, Some(ClientAuth { provider, identity_cache: None }), None, None)
    }

    pub(crate) fn key_ref(&self) -> &ClientCacheKey<S> {
        &self.0.key
    }

    /// Returns the scope of the client's credentials.
    pub(crate) fn scope(&self) -> &CredentialScope {
        &self.0.key.identity().credentials
    }

    /// Returns the provider at `depth` in the chain of roles, given the provider at the depth before.
    ///
    /// Depth 0 is the source of the first role, or signs requests if there are no roles. `base` must have passed
    /// [`check`](Self::check) and have a clock.
    pub(crate) fn provider(
        &self,
        depth: usize,
        source: Option<RoleSource>,
        base: &SdkConfig,
    ) -> Result<Option<SharedCredentialsProvider>, ClientCacheError> {
        self.0.credentials.provider(depth, source, base)
    }

    /// Creates a client that signs with `auth`, or as the base configuration does.
    ///
    /// If a retry partition is given, the client belongs to it. The interceptor comes last, even after those of
    /// customizations.
    pub(crate) fn make(
        &self,
        base: &SdkConfig,
        auth: Option<ClientAuth>,
        partition: Option<RetryPartition>,
        interceptor: Option<SharedInterceptor>,
    ) -> Result<S::Client, ClientCacheError> {
        self.check(base)?;
        let is_anonymous = auth.as_ref().is_some_and(|auth| auth.provider.is_none());
        let mut builder = S::config_builder(&self.config(base, auth));
        if let Some(partition) = partition {
            builder = S::retry_partition(builder, partition);
        }
        if is_anonymous {
            builder = S::allow_no_auth(builder);
        }
        let builder = self.0.apply.iter().fold(builder, |builder, apply| apply(builder));
        Ok(S::client(match interceptor {
            Some(interceptor) => S::interceptor(builder, interceptor),
            None => builder,
        }))
    }

    /// Refuses a base configuration with which the SDK would panic, or that AWS would refuse.
    // K5, K7
    pub(crate) fn check(&self, base: &SdkConfig) -> Result<(), ClientCacheError> {
        let identity = self.0.key.identity();
        let has_region = identity.region.is_some() || base.region().is_some();
        let is_fips = identity.use_fips.or(base.use_fips()).unwrap_or_default();
        let has_endpoint = identity.endpoint_url.is_some() || base.endpoint_url().is_some();
        let has_version = base.behavior_version().is_some();
        let has_sleep = base.sleep_impl().is_some() || default_async_sleep().is_some();
        let requirements = [
            ("region", has_region, "neither the parameters nor the base configuration sets one"),
            ("use_fips", !(is_fips && has_endpoint), "cannot be combined with an endpoint URL"),
            ("behavior_version", has_version, "the base configuration does not set one"),
            ("sleep_impl", has_sleep, "the base configuration does not set one, and the feature `rt-tokio` is off"),
        ];
        match requirements.into_iter().find(|(_, is_met, _)| !is_met) {
            Some((parameter, _, reason)) => Err(ClientCacheError::invalid(parameter, reason)),
            None => Ok(()),
        }
    }

    /// Returns the base configuration, overridden by these parameters.
    pub(crate) fn config(&self, base: &SdkConfig, auth: Option<ClientAuth>) -> SdkConfig {
        let identity = self.0.key.identity();
        let mut config = base.to_builder();
        if let Some(region) = &identity.region {
            config.set_region(region.clone());
        }
        if let Some(url) = &identity.endpoint_url {
            config.set_endpoint_url(Some(url.clone()));
            // Otherwise, the environment's endpoint for the service would take precedence.
            config.insert_origin("endpoint_url", Origin::shared_config());
        }
        if let Some(ClientAuth { provider, identity_cache }) = auth {
            config.set_credentials_provider(provider);
            if identity_cache.is_some() {
                config.set_identity_cache(identity_cache);
            }
            // Otherwise, services that accept bearer tokens would send one of the base configuration or the environment,
            // which is another tenant's.
            config.set_token_provider(None);
            config.insert_origin("token_provider", Origin::shared_config());
            config.insert_origin("auth_scheme_preference", Origin::shared_config());
        }
        if identity.use_fips.is_some() {
            config.set_use_fips(identity.use_fips);
        }
        if identity.use_dual_stack.is_some() {
            config.set_use_dual_stack(identity.use_dual_stack);
        }
        if let Some(retry) = &identity.retry_config {
            config.set_retry_config(Some(retry.0.clone()));
            // Otherwise, the default retries of a service would take precedence.
            config.insert_origin("retry_config", Origin::shared_config());
        }
        if let Some(timeout) = &identity.timeout_config {
            let mut timeout = timeout.0.clone();
            if let Some(inherited) = base.timeout_config() {
                timeout.take_defaults_from(inherited);
            }
            config.set_timeout_config(Some(timeout));
        }
        if let Some(http_client) = &self.0.http_client {
            // T4: of the clients alone; providers of roles and profiles keep that of the base configuration.
            config.set_http_client(Some(http_client.clone()));
        }
        if let Some(name) = &identity.app_name {
            config.set_app_name(Some(name.0.clone()));
        }
        config.build()
    }
}

/// Returns the base configuration with a clock and a sleep, which providers of roles need.
pub(crate) fn with_clock(base: &SdkConfig) -> SdkConfig {
    let mut config = base.to_builder();
    if base.time_source().is_none() {
        config.set_time_source(Some(SharedTimeSource::default()));
    }
    if base.sleep_impl().is_none() {
        config.set_sleep_impl(default_async_sleep());
    }
    config.build()
}

impl<S: Service> Clone for ClientParams<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Service> fmt::Debug for ClientParams<S> {
    /// Shows the key, without credentials.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientParams({})", self.0.key)
    }
}
