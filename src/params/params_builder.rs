//! How parameters are set.

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region;

#[cfg(feature = "assume-role")]
use super::assume_role::AssumeRole;
use super::credential_source::CredentialOptions;
use super::{Apply, ClientParams, Inner, validate};
use crate::error::ClientCacheError;
use crate::key::{AnyKey, App, ClientCacheKey, Customization, Identity, Retry, Timeout};
use crate::service::Service;

/// Builds [`ClientParams`]. Whatever is not set is inherited from the base configuration.
///
/// Setting a parameter again replaces it; only the names of customisations must not repeat.
///
/// ```
/// use aws_client_cache::{ClientParams, S3};
///
/// let params = ClientParams::<S3>::builder()
///     .region("us-west-2")
///     .endpoint_url("http://127.0.0.1:9000")
///     .customize("path_style", |builder| builder.force_path_style(true))
///     .build()?;
/// # Ok::<(), aws_client_cache::ClientCacheError>(())
/// ```
#[must_use = "parameters are made by `build`"]
pub struct ClientParamsBuilder<S: Service> {
    base: Option<String>,
    region: Option<String>,
    endpoint_url: Option<String>,
    credentials: CredentialOptions,
    use_fips: Option<bool>,
    use_dual_stack: Option<bool>,
    retry_config: Option<RetryConfig>,
    timeout_config: Option<TimeoutConfig>,
    app_name: Option<String>,
    customizations: Vec<(Customization, Apply<S>)>,
}

impl<S: Service> ClientParamsBuilder<S> {
    pub(super) fn new() -> Self {
        Self {
            base: None,
            region: None,
            endpoint_url: None,
            credentials: CredentialOptions::default(),
            use_fips: None,
            use_dual_stack: None,
            retry_config: None,
            timeout_config: None,
            app_name: None,
            customizations: Vec::new(),
        }
    }

    /// Names the base configuration that clients are made from, as part of their identity (K7).
    ///
    /// Only who mixes clients of several base configurations in one cache needs it: the configurations themselves
    /// are not compared.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let prod = ClientParams::<S3>::builder().base("prod").build()?;
    /// let test = ClientParams::<S3>::builder().base("test").build()?;
    /// assert_ne!(prod.key(), test.key());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn base(mut self, name: impl Into<String>) -> Self {
        self.base = Some(name.into());
        self
    }

    /// The region: up to 63 letters, digits and hyphens, as in host names. A [`Region`] will do, too.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, Region, S3};
    /// assert!(ClientParams::<S3>::builder().region(&Region::new("us-west-2")).build().is_ok());
    /// assert!(ClientParams::<S3>::builder().region("us-west-2").build().is_ok());
    /// assert!(ClientParams::<S3>::builder().region("").build().is_err());
    /// ```
    pub fn region(mut self, region: impl AsRef<str>) -> Self {
        self.region = Some(region.as_ref().to_owned());
        self
    }

    /// The endpoint: an `http` or `https` URL without userinfo, query or fragment. It wins over the environment's
    /// `AWS_ENDPOINT_URL_…` and the base's.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// assert!(ClientParams::<S3>::builder().endpoint_url("http://127.0.0.1:9000").build().is_ok());
    /// let refused = ClientParams::<S3>::builder().endpoint_url("http://user:secret@host").build();
    /// assert_eq!(refused.unwrap_err().to_string(), "invalid endpoint_url: it has userinfo");
    /// ```
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint_url = Some(url.into());
        self
    }

    /// Static credentials. They take part in the key as a keyed digest (K3), and nothing else of the base that could
    /// sign a request in their place is used: no bearer token of the base or of the environment.
    ///
    /// If they carry an expiry, so does the key ([`ClientCacheKey::expiry`]), and no client is cached under it from then on
    /// (E1, E2).
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, Credentials, S3};
    /// let keys = Credentials::new("AKIDEXAMPLE", "secret", None, None, "docs");
    /// let params = ClientParams::<S3>::builder().credentials(keys).build()?;
    /// assert!(!format!("{params:?} {}", params.key()).contains("AKIDEXAMPLE"));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials.credentials = Some(credentials);
        self
    }

    /// A provider of credentials, instead of static ones, with the same precautions.
    ///
    /// Its identity is that of the [`SharedCredentialsProvider`]: clones of one are one, and wrapping a provider
    /// again makes another.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, Credentials, S3, SharedCredentialsProvider};
    /// let provider = SharedCredentialsProvider::new(Credentials::new("AKIDEXAMPLE", "secret", None, None, "docs"));
    /// let params = |provider| ClientParams::<S3>::builder().credentials_provider(provider).build();
    /// assert_eq!(params(provider.clone())?.key(), params(provider.clone())?.key());
    /// assert_ne!(params(provider.clone())?.key(), params(SharedCredentialsProvider::new(provider))?.key());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn credentials_provider(mut self, provider: SharedCredentialsProvider) -> Self {
        self.credentials.credentials_provider = Some(provider);
        self
    }

    /// The credentials of a profile of the shared configuration files, read when they are first wanted, with the same
    /// precautions.
    ///
    /// Profiles of single sign-on, and those that run a process, need features of `aws-config` (`sso`, `credentials-process`),
    /// which a program that has such profiles turns on for itself.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let params = ClientParams::<S3>::builder().profile("reports").build()?;
    /// assert_eq!(params.key().to_string(), "S3(credentials=profile:reports)");
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    #[cfg(feature = "assume-role")]
    #[cfg_attr(docsrs, doc(cfg(feature = "assume-role")))]
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.credentials.profile = Some(name.into());
        self
    }

    /// The credentials of a role, with the same precautions. It is assumed with the credentials that are set besides: static
    /// ones, a provider's or a profile's; or else with the base configuration's.
    ///
    /// A [`Session`](crate::Session) assumes each role once for all services and regions, and renews its credentials.
    /// [`ClientParams::client`] makes each client a provider of its own. The Security Token Service is called as the base
    /// configuration says: its endpoint, its FIPS, its timeouts; what these parameters set is for the client.
    ///
    /// ```
    /// # use aws_client_cache::{AssumeRole, ClientParams, S3};
    /// let of = |tenant: u32| {
    ///     let role = AssumeRole::new(format!("arn:aws:iam::123456789012:role/tenant-{tenant}"));
    ///     ClientParams::<S3>::builder().assume_role(role).build()
    /// };
    /// assert_eq!(of(7)?.key(), of(7)?.key());
    /// assert_ne!(of(7)?.key(), of(8)?.key());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    #[cfg(feature = "assume-role")]
    #[cfg_attr(docsrs, doc(cfg(feature = "assume-role")))]
    pub fn assume_role(mut self, role: AssumeRole) -> Self {
        self.credentials.assume_role = Some(role);
        self
    }

    /// No credentials at all: requests are not signed.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let public = ClientParams::<S3>::builder().region("us-west-2").anonymous().build()?;
    /// assert_eq!(public.key().to_string(), "S3(region=us-west-2, credentials=anonymous)");
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn anonymous(mut self) -> Self {
        self.credentials.anonymous = true;
        self
    }

    /// Whether to use FIPS endpoints.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let off = ClientParams::<S3>::builder().use_fips(false).build()?;
    /// let inherited = ClientParams::<S3>::builder().build()?;
    /// assert_ne!(off.key(), inherited.key());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn use_fips(mut self, use_fips: bool) -> Self {
        self.use_fips = Some(use_fips);
        self
    }

    /// Whether to use dual-stack endpoints.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let params = ClientParams::<S3>::builder().use_dual_stack(true).build()?;
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn use_dual_stack(mut self, use_dual_stack: bool) -> Self {
        self.use_dual_stack = Some(use_dual_stack);
        self
    }

    /// How requests are retried.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// use aws_client_cache::RetryConfig;
    ///
    /// let params = ClientParams::<S3>::builder().retry_config(RetryConfig::standard().with_max_attempts(5)).build()?;
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn retry_config(mut self, retry_config: RetryConfig) -> Self {
        self.retry_config = Some(retry_config);
        self
    }

    /// When requests time out. Each timeout that it leaves unset is inherited by itself.
    ///
    /// A connect or read timeout of its own gives a client connections of its own.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// use std::time::Duration;
    /// use aws_client_cache::TimeoutConfig;
    ///
    /// let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(5)).build();
    /// let params = ClientParams::<S3>::builder().timeout_config(timeouts).build()?;
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn timeout_config(mut self, timeout_config: TimeoutConfig) -> Self {
        self.timeout_config = Some(timeout_config);
        self
    }

    /// The application's name in the user agent.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// assert!(ClientParams::<S3>::builder().app_name("billing").build().is_ok());
    /// assert!(ClientParams::<S3>::builder().app_name("not a name").build().is_err());
    /// ```
    pub fn app_name(mut self, name: impl Into<String>) -> Self {
        self.app_name = Some(name.into());
        self
    }

    /// Changes the service's own config builder, by a closure that captures nothing (K1a).
    ///
    /// The name and the closure's type are identity: the same closure written in two places is two customisations,
    /// so write it once. Customisations apply in the order of their names. A closure that captures something does
    /// not compile, because what it captures could not take part in the key:
    /// [`customize_with`](Self::customize_with) takes it as a value.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let params = ClientParams::<S3>::builder()
    ///     .customize("path_style", |builder| builder.force_path_style(true))
    ///     .build()?;
    /// assert_eq!(params.key().to_string(), "S3(customization=path_style)");
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    ///
    /// Nor must it read what differs from call to call, such as a `static` or the environment: the key cannot know.
    ///
    /// ```compile_fail,E0080
    /// # use aws_client_cache::{ClientParams, S3};
    /// let path_style = std::env::args().count() > 1;
    /// let params = ClientParams::<S3>::builder()
    ///     .customize("path_style", move |builder| builder.force_path_style(path_style))
    ///     .build();
    /// ```
    pub fn customize<F>(mut self, name: impl Into<Cow<'static, str>>, apply: F) -> Self
    where
        F: Fn(S::ConfigBuilder) -> S::ConfigBuilder + Send + Sync + 'static,
    {
        const {
            assert!(size_of::<F>() == 0, "a customisation captures nothing: use `customize_with`");
        }
        let customization = Customization { name: name.into(), function: TypeId::of::<F>(), value: None };
        self.customizations.push((customization, Box::new(apply)));
        self
    }

    /// Changes the service's own config builder with a value, which is part of the key (K1a) and never printed.
    ///
    /// The key keeps the value as it is, so it is no place for a secret. Its `Eq` decides which clients are the same: it must
    /// compare all that the closure uses. It is called while the cache is locked, and must not call the cache.
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let params = |path_style: bool| {
    ///     ClientParams::<S3>::builder()
    ///         .customize_with("path_style", path_style, |builder, value| builder.force_path_style(value))
    ///         .build()
    /// };
    /// assert_eq!(params(true)?.key(), params(true)?.key());
    /// assert_ne!(params(true)?.key(), params(false)?.key());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    ///
    /// ```compile_fail,E0080
    /// # use aws_client_cache::{ClientParams, S3};
    /// let path_style = std::env::args().count() > 1;
    /// let params = ClientParams::<S3>::builder()
    ///     .customize_with("path_style", (), move |builder, ()| builder.force_path_style(path_style))
    ///     .build();
    /// ```
    pub fn customize_with<V, F>(mut self, name: impl Into<Cow<'static, str>>, value: V, apply: F) -> Self
    where
        V: Eq + Hash + Clone + Send + Sync + 'static,
        F: Fn(S::ConfigBuilder, V) -> S::ConfigBuilder + Send + Sync + 'static,
    {
        const { assert!(size_of::<F>() == 0, "a customisation captures nothing but its value") }
        let customization =
            Customization { name: name.into(), function: TypeId::of::<F>(), value: Some(Box::new(value.clone())) };
        let apply = move |builder| apply(builder, value.clone());
        self.customizations.push((customization, Box::new(apply)));
        self
    }

    /// Checks the parameters and computes their key.
    ///
    /// # Errors
    ///
    /// [`ClientCacheError::InvalidParams`] names the first parameter that is not valid (K5).
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let refused = ClientParams::<S3>::builder().region("").build();
    /// assert_eq!(refused.unwrap_err().to_string(), "invalid region: it is empty");
    /// ```
    pub fn build(self) -> Result<ClientParams<S>, ClientCacheError> {
        let Self {
            base,
            region,
            endpoint_url,
            credentials,
            use_fips,
            use_dual_stack,
            retry_config,
            timeout_config,
            app_name,
            mut customizations,
        } = self;

        if let Some(base) = &base {
            validate::name("base", base)?;
        }
        if let Some(region) = &region {
            validate::region(region)?;
        }
        if let Some(url) = &endpoint_url {
            validate::endpoint_url(url)?;
        }
        let (source, scope, expiry) = credentials.check()?;
        let app_name = app_name.map(validate::app_name).transpose()?;
        customizations.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        for (customization, _) in &customizations {
            validate::name("customize", &customization.name)?;
        }
        if let Some(pair) = customizations.windows(2).find(|pair| pair[0].0.name == pair[1].0.name) {
            let reason = format!("the name {:?} is repeated", pair[0].0.name);
            return Err(ClientCacheError::invalid("customize", reason));
        }
        let (customizations, apply) = customizations.into_iter().unzip();

        let identity = Identity {
            service: TypeId::of::<S>(),
            base,
            region: region.map(Region::new),
            endpoint_url,
            credentials: scope,
            use_fips,
            use_dual_stack,
            retry_config: retry_config.map(Retry),
            timeout_config: timeout_config.map(Timeout),
            app_name: app_name.map(App),
            customizations,
        };
        Ok(ClientParams(Arc::new(Inner {
            key: ClientCacheKey::new(AnyKey::new(S::NAME, identity, expiry)),
            credentials: source,
            apply,
        })))
    }
}

impl<S: Service> fmt::Debug for ClientParamsBuilder<S> {
    /// Shows no value: nothing has been checked yet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientParamsBuilder<{}>", S::NAME)
    }
}

#[cfg(test)]
mod key_equality;
