//! How a client is made, and the key that this gives it.

#[cfg(feature = "assume-role")]
mod assume_role;
mod credential_source;
mod params_builder;
#[cfg(feature = "assume-role")]
mod profile;
mod validate;

use std::fmt;
use std::sync::Arc;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::default_async_sleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_types::SdkConfig;
use aws_types::origin::Origin;

use crate::error::ClientCacheError;
use crate::key::{ClientCacheKey, CredentialScope};
use crate::service::Service;

#[cfg(feature = "assume-role")]
pub use assume_role::AssumeRole;
use credential_source::CredentialSource;
pub use params_builder::ClientParamsBuilder;

/// A customisation of a service's config builder, ready to apply.
type Apply<S> = Box<dyn Fn(<S as Service>::ConfigBuilder) -> <S as Service>::ConfigBuilder + Send + Sync>;

/// The parameters of a client of service `S`: what it has of its own, the rest being inherited from a base
/// [`SdkConfig`].
///
/// Valid once built, and cheap to clone. They hold the credentials that they were given; their `Debug` and their
/// [`key`](Self::key) do not show them (K4).
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
    /// The settings are here: the key holds all of them that is not secret.
    key: ClientCacheKey<S>,
    credentials: CredentialSource,
    /// In the order of their names.
    apply: Vec<Apply<S>>,
}

/// What a client gets of its credential scope, beside the parameters' settings.
pub(crate) struct ClientAuth {
    /// `None` is nobody's: requests are not signed.
    pub(crate) provider: Option<SharedCredentialsProvider>,
    /// What keeps the credentials; the base's, or the client's own, if it is `None`.
    pub(crate) identity_cache: Option<SharedIdentityCache>,
}

impl<S: Service> ClientParams<S> {
    /// Begins with nothing set.
    ///
    /// The type shows an example.
    pub fn builder() -> ClientParamsBuilder<S> {
        ClientParamsBuilder::new()
    }

    /// The key that these parameters give a client. It was computed when they were built; this is a cheap clone.
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

    /// Makes a new client from a base configuration and these parameters, without any network call.
    ///
    /// The base configuration is not part of [`key`](Self::key): params of one key make different clients from different bases.
    /// Who uses several for one cache names each, by [`base`](ClientParamsBuilder::base), or sets in the params what differs:
    ///
    /// ```
    /// use aws_client_cache::{ClientParams, S3};
    ///
    /// let of = |tenant: &str| ClientParams::<S3>::builder().region("us-west-2").base(tenant).build();
    /// assert_ne!(of("tenant-1")?.key(), of("tenant-2")?.key());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    ///
    /// It does not look into any cache, and it shares with other clients what the base configuration shares: unless
    /// the base names an HTTP client, every client that is made has connections of its own, and every one that assumes a
    /// role assumes it for itself. A [`Session`](crate::Session) shares both.
    ///
    /// # Errors
    ///
    /// [`ClientCacheError::InvalidParams`] names what the base configuration lacks: a `region`, if the parameters name
    /// none either (K7); a `behavior_version`; a `sleep_impl`, if the feature `rt-tokio` is off; credentials or a region for
    /// `assume_role`.
    ///
    /// # Panics
    ///
    /// If a customisation panics; or if base and customisations together are a configuration that the SDK refuses, which it
    /// does by a panic.
    ///
    /// ```
    /// use aws_client_cache::{ClientParams, SdkConfig, S3};
    ///
    /// # async fn example(sdk_config: &SdkConfig) -> Result<(), aws_client_cache::ClientCacheError> {
    /// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
    /// let s3: aws_sdk_s3::Client = params.client(sdk_config).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::unused_async, reason = "so that a way to sign may be asynchronous, and nobody's code breaks")]
    pub async fn client(&self, base: &SdkConfig) -> Result<S::Client, ClientCacheError> {
        if *self.scope() == CredentialScope::Base {
            return self.make(base, None, None);
        }
        self.check(base)?;
        let base = with_clock(base);
        let mut provider = None;
        for depth in 0..self.scope().chain().len() {
            provider = self.provider(depth, provider, &base)?;
        }
        self.make(&base, Some(ClientAuth { provider, identity_cache: None }), None)
    }

    pub(crate) fn key_ref(&self) -> &ClientCacheKey<S> {
        &self.0.key
    }

    /// Whose credentials the client signs with.
    pub(crate) fn scope(&self) -> &CredentialScope {
        &self.0.key.identity().credentials
    }

    /// The provider of the `depth`-th role, given what it is assumed with; at depth 0, what the first one is assumed with,
    /// or what signs, if there are no roles. `base` has passed [`check`](Self::check) and has a clock.
    pub(crate) fn provider(
        &self,
        depth: usize,
        source: Option<SharedCredentialsProvider>,
        base: &SdkConfig,
    ) -> Result<Option<SharedCredentialsProvider>, ClientCacheError> {
        self.0.credentials.provider(depth, source, base)
    }

    /// Makes a client that signs by `signing`, or as the base configuration does, and whose retries are those of a partition,
    /// if one is given.
    pub(crate) fn make(
        &self,
        base: &SdkConfig,
        auth: Option<ClientAuth>,
        partition: Option<RetryPartition>,
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
        let apply = &self.0.apply;
        Ok(S::client(apply.iter().fold(builder, |builder, apply| apply(builder))))
    }

    /// Whether the base configuration has what a client needs: the SDK would panic.
    pub(crate) fn check(&self, base: &SdkConfig) -> Result<(), ClientCacheError> {
        if self.0.key.identity().region.is_none() && base.region().is_none() {
            let reason = "neither the parameters nor the base configuration name one";
            return Err(ClientCacheError::invalid("region", reason));
        }
        if base.behavior_version().is_none() {
            let reason = "the base configuration names none";
            return Err(ClientCacheError::invalid("behavior_version", reason));
        }
        if base.sleep_impl().is_none() && default_async_sleep().is_none() {
            let reason = "the base configuration names none, and the feature `rt-tokio` is off";
            return Err(ClientCacheError::invalid("sleep_impl", reason));
        }
        Ok(())
    }

    /// The base configuration with these parameters' overrides.
    fn config(&self, base: &SdkConfig, auth: Option<ClientAuth>) -> SdkConfig {
        let identity = self.0.key.identity();
        let mut config = base.to_builder();
        if let Some(region) = &identity.region {
            config.set_region(region.clone());
        }
        if let Some(url) = &identity.endpoint_url {
            config.set_endpoint_url(Some(url.clone()));
            // Or the environment's endpoint for the service would win.
            config.insert_origin("endpoint_url", Origin::shared_config());
        }
        if let Some(ClientAuth { provider, identity_cache }) = auth {
            config.set_credentials_provider(provider);
            if identity_cache.is_some() {
                config.set_identity_cache(identity_cache);
            }
            // Or services that take bearer tokens would send the base's or the environment's: another tenant's.
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
        }
        if let Some(timeout) = &identity.timeout_config {
            let mut timeout = timeout.0.clone();
            if let Some(inherited) = base.timeout_config() {
                timeout.take_defaults_from(inherited);
            }
            config.set_timeout_config(Some(timeout));
        }
        if let Some(name) = &identity.app_name {
            config.set_app_name(Some(name.0.clone()));
        }
        config.build()
    }
}

/// A base configuration that names a clock and a sleep, which what assumes roles must have.
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
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientParams({})", self.0.key)
    }
}
