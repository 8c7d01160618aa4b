//! [`ClientParamsBuilder`], the setters of all parameters.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region;

#[cfg(feature = "assume-role")]
use super::assume_role::AssumeRole;
#[cfg(feature = "serde")]
use super::config::ClientParamsConfig;
use super::credential_source::CredentialOptions;
#[cfg(feature = "serde")]
use super::table::Refusal;
use super::{Apply, ClientParams, Inner, KeyedHttpClient, validate};
use crate::error::ClientCacheError;
use crate::key::{AnyKey, App, ClientCacheKey, Customization, Identity, Retry, Timeout};
use crate::service::Service;

/// A builder for [`ClientParams`].
///
/// Unset parameters are inherited from the base configuration. Setting a parameter again replaces it. Only the names of
/// customizations must differ.
///
/// # Examples
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
#[must_use = "call `build` to create the parameters"]
pub struct ClientParamsBuilder<S: Service> {
    label: Option<String>,
    base: Option<String>,
    region: Option<String>,
    endpoint_url: Option<String>,
    credentials: CredentialOptions,
    use_fips: Option<bool>,
    use_dual_stack: Option<bool>,
    retry_config: Option<RetryConfig>,
    timeout_config: Option<TimeoutConfig>,
    http_client: Option<KeyedHttpClient>,
    app_name: Option<String>,
    pub(super) customizations: Vec<(Customization, Apply<S>)>,
}

impl<S: Service> ClientParamsBuilder<S> {
    pub(super) fn new() -> Self {
        Self {
            label: None,
            base: None,
            region: None,
            endpoint_url: None,
            credentials: CredentialOptions::default(),
            use_fips: None,
            use_dual_stack: None,
            retry_config: None,
            timeout_config: None,
            http_client: None,
            app_name: None,
            customizations: Vec::new(),
        }
    }

    /// Sets a label of your own, such as the name of a tenant, which becomes part of the key.
    ///
    /// Logs show it, and [`AnyKey::label`] returns it. It must contain no secret. Clients with different labels are different
    /// clients, which share their credentials and connections if the other parameters allow it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let params = ClientParams::<S3>::builder().label("tenant-7").region("us-west-2");
    /// assert_eq!(params.build()?.key().to_string(), "S3(label=tenant-7, region=us-west-2)");
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets the parameters that a configuration sets, and leaves the others.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientParams, ClientParamsConfig, S3};
    ///
    /// let config = r#"{ "endpoint_url": "http://127.0.0.1:9000" }"#;
    /// let config: ClientParamsConfig = serde_json::from_str(config)?;
    /// let params = ClientParams::<S3>::builder()
    ///     .region("us-east-1")
    ///     .config(&config)
    ///     .customize("path_style", |builder| builder.force_path_style(true))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "serde")]
    #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
    pub fn config(self, config: &ClientParamsConfig) -> Self {
        config.apply_to(self)
    }

    /// Makes [`build`](Self::build) refuse a field of a configuration.
    #[cfg(feature = "serde")]
    pub(super) fn refuse(mut self, refusal: Refusal) -> Self {
        self.credentials.refused = Some(refusal);
        self
    }

    /// Sets a name for the base configuration, which becomes part of the key.
    ///
    /// Name your base configurations if one cache holds clients of several: the configurations themselves are not compared.
    ///
    /// # Examples
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

    /// Sets the region: a string of at most 63 letters, digits and hyphens, or a [`Region`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, Region, S3};
    /// let region = Region::new("us-west-2");
    /// assert!(ClientParams::<S3>::builder().region(&region).build().is_ok());
    /// assert!(ClientParams::<S3>::builder().region("us-west-2").build().is_ok());
    /// assert!(ClientParams::<S3>::builder().region("").build().is_err());
    /// ```
    pub fn region(mut self, region: impl AsRef<str>) -> Self {
        self.region = Some(region.as_ref().to_owned());
        self
    }

    /// Sets the endpoint: an `http` or `https` URL without userinfo, query or fragment.
    ///
    /// It takes precedence over `AWS_ENDPOINT_URL_…` of the environment and over the base configuration.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let build = |url| ClientParams::<S3>::builder().endpoint_url(url).build();
    /// assert!(build("http://127.0.0.1:9000").is_ok());
    /// let error = build("http://user:secret@host").unwrap_err().to_string();
    /// assert_eq!(error, "invalid endpoint_url: must not have userinfo");
    /// ```
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint_url = Some(url.into());
        self
    }

    /// Sets static credentials, which are part of the key as a keyed digest.
    ///
    /// They replace every other way to sign: the client uses no bearer token of the base configuration or the environment.
    ///
    /// If the credentials expire, so does the key ([`ClientCacheKey::expiry`]). Afterwards no client is cached under it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, Credentials, S3};
    /// let keys = Credentials::new("AKIDEXAMPLE", "secret", None, None, "docs");
    /// let params = ClientParams::<S3>::builder().credentials(keys).build()?;
    /// let shown = format!("{params:?} {}", params.key());
    /// assert!(!shown.contains("AKIDEXAMPLE"));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials.credentials = Some(credentials);
        self
    }

    /// Sets a provider of credentials, which replaces every other way to sign.
    ///
    /// The key identifies the [`SharedCredentialsProvider`]: its clones are equal, and wrapping a provider a second time
    /// gives a different one.
    ///
    /// A [`Session`](crate::Session) passes on the kind and the messages of the provider's errors. It replaces their types, because
    /// the `Debug` of an error can show a secret.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, Credentials};
    /// # use aws_client_cache::{S3, SharedCredentialsProvider};
    /// let keys = Credentials::new("AKIDEXAMPLE", "secret", None, None, "docs");
    /// let provider = SharedCredentialsProvider::new(keys);
    /// let params = |provider| {
    ///     ClientParams::<S3>::builder().credentials_provider(provider).build()
    /// };
    /// let key = params(provider.clone())?.key();
    /// assert_eq!(key, params(provider.clone())?.key());
    /// let wrapped = SharedCredentialsProvider::new(provider);
    /// assert_ne!(key, params(wrapped)?.key());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn credentials_provider(mut self, provider: SharedCredentialsProvider) -> Self {
        self.credentials.credentials_provider = Some(provider);
        self
    }

    /// Selects a profile of the shared configuration files.
    ///
    /// Its credentials replace every other way to sign. The files are read when credentials are first needed. The region and
    /// the endpoint of the profile are not used: set them by [`region`](Self::region) and
    /// [`endpoint_url`](Self::endpoint_url). Files that only the base configuration names are not read.
    ///
    /// Profiles with single sign-on need the feature `sso` of `aws-config`, and profiles that run a process need
    /// `credentials-process`. Enable these in your own crate.
    ///
    /// # Examples
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

    /// Sets a role to assume, whose credentials replace every other way to sign.
    ///
    /// The role is assumed with the other credentials that are set: static ones, a provider or a profile. Without these, it
    /// is assumed with the credentials of the base configuration. A role with a
    /// [`web_identity`](AssumeRole::web_identity) needs no credentials, and excludes them.
    ///
    /// A [`Session`](crate::Session) assumes each role once for all services and regions, and renews its credentials.
    /// [`ClientParams::client`] gives each client its own provider. Calls of STS use the settings of the base configuration,
    /// such as its endpoint, FIPS and timeouts. These parameters apply only to the client.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{AssumeRole, ClientParams, S3};
    /// let params = |tenant: u32| {
    ///     let arn = format!("arn:aws:iam::123456789012:role/tenant-{tenant}");
    ///     let role = AssumeRole::new(arn);
    ///     ClientParams::<S3>::builder().assume_role(role).build()
    /// };
    /// assert_eq!(params(7)?.key(), params(7)?.key());
    /// assert_ne!(params(7)?.key(), params(8)?.key());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    #[cfg(feature = "assume-role")]
    #[cfg_attr(docsrs, doc(cfg(feature = "assume-role")))]
    pub fn assume_role(mut self, role: AssumeRole) -> Self {
        self.credentials.assume_role = Some(role);
        self
    }

    /// Disables signing: the client has no credentials.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let public = ClientParams::<S3>::builder().anonymous().build()?;
    /// assert_eq!(public.key().to_string(), "S3(credentials=anonymous)");
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn anonymous(mut self) -> Self {
        self.credentials.anonymous = true;
        self
    }

    /// Enables or disables FIPS endpoints, which cannot be combined with an endpoint URL.
    ///
    /// It applies only to the client. For the call that assumes a role, the base configuration decides.
    ///
    /// # Examples
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

    /// Enables or disables dual-stack endpoints.
    ///
    /// # Examples
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

    /// Sets the retry configuration.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// use aws_client_cache::RetryConfig;
    ///
    /// let retries = RetryConfig::standard().with_max_attempts(5);
    /// let params = ClientParams::<S3>::builder().retry_config(retries).build()?;
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn retry_config(mut self, retry_config: RetryConfig) -> Self {
        self.retry_config = Some(retry_config);
        self
    }

    /// Sets the timeouts of requests.
    ///
    /// Each unset timeout is inherited separately.
    ///
    /// Clients with different connect or read timeouts do not share connections. The SDK's HTTP client keeps a pool for each
    /// such pair of timeouts, for as long as it exists: some 160 KiB and a connection each, measured with 2,000 pairs.
    /// `max_size` does not bound them, so do not vary these timeouts by request. Operation timeouts have no such cost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// use std::time::Duration;
    /// use aws_client_cache::TimeoutConfig;
    ///
    /// let timeouts = TimeoutConfig::builder()
    ///     .operation_timeout(Duration::from_secs(5))
    ///     .build();
    /// let params = ClientParams::<S3>::builder()
    ///     .timeout_config(timeouts)
    ///     .build()?;
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn timeout_config(mut self, timeout_config: TimeoutConfig) -> Self {
        self.timeout_config = Some(timeout_config);
        self
    }

    /// Sets the HTTP client, in place of that of the base configuration.
    ///
    /// The key identifies the handle, as [`KeyedHttpClient`] describes. Use it for a tenant with a proxy of its own, or for
    /// several connections to a service with HTTP/2; [HTTP.md] describes both.
    ///
    /// It sends the requests of this client. Credentials still load through the HTTP client of the base configuration:
    /// calls of STS, and those of a profile. In a [`Session`](crate::Session), clients with one role and several HTTP clients
    /// therefore share one call of `AssumeRole`, and one retry budget.
    ///
    /// [HTTP.md]: https://docs.rs/crate/aws-client-cache/latest/source/docs/HTTP.md
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, KeyedHttpClient, S3};
    /// # fn example(eu: &KeyedHttpClient, us: &KeyedHttpClient) -> Result<(), aws_client_cache::ClientCacheError> {
    /// let params = |proxy: &KeyedHttpClient| {
    ///     ClientParams::<S3>::builder().http_client(proxy.clone()).build()
    /// };
    /// assert_eq!(params(eu)?.key(), params(eu)?.key());
    /// assert_ne!(params(eu)?.key(), params(us)?.key());
    /// # Ok(())
    /// # }
    /// ```
    pub fn http_client(mut self, http_client: KeyedHttpClient) -> Self {
        self.http_client = Some(http_client);
        self
    }

    /// Sets the name of the application in the user agent.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let build = |name| ClientParams::<S3>::builder().app_name(name).build();
    /// assert!(build("billing").is_ok());
    /// assert!(build("not a name").is_err());
    /// ```
    pub fn app_name(mut self, name: impl Into<String>) -> Self {
        self.app_name = Some(name.into());
        self
    }

    /// Validates the parameters and computes their key.
    ///
    /// # Errors
    ///
    /// Returns [`ClientCacheError::InvalidParams`] with the name of the first invalid parameter.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let error = ClientParams::<S3>::builder().region("").build().unwrap_err();
    /// assert_eq!(error.to_string(), "invalid region: must not be empty");
    /// ```
    pub fn build(self) -> Result<ClientParams<S>, ClientCacheError> {
        let Self {
            label,
            base,
            region,
            endpoint_url,
            credentials,
            use_fips,
            use_dual_stack,
            retry_config,
            timeout_config,
            http_client,
            app_name,
            mut customizations,
        } = self;

        // K5
        for (name, value) in [("label", &label), ("base", &base)] {
            value.as_deref().map_or(Ok(()), |value| validate::name(name, value))?;
        }
        if let Some(region) = &region {
            validate::region(region)?;
        }
        if let Some(url) = &endpoint_url {
            validate::endpoint_url(url)?;
        }
        let (source, scope, expiry) = credentials.check()?;
        if let Some(client) = &http_client {
            validate::name("http_client", client.name())?;
        }
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
        let (http_client_id, http_client) = http_client.map(KeyedHttpClient::into_parts).unzip();

        let identity = Identity {
            service: TypeId::of::<S>(),
            label,
            base,
            region: region.map(Region::new),
            endpoint_url,
            credentials: scope,
            use_fips,
            use_dual_stack,
            retry_config: retry_config.map(Retry),
            timeout_config: timeout_config.map(Timeout),
            http_client: http_client_id,
            app_name: app_name.map(App),
            customizations,
        };
        Ok(ClientParams(Arc::new(Inner {
            key: ClientCacheKey::new(AnyKey::new(S::NAME, identity, expiry)),
            credentials: source,
            http_client,
            apply,
        })))
    }
}

impl<S: Service> fmt::Debug for ClientParamsBuilder<S> {
    /// Shows no values, because none has been validated yet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientParamsBuilder<{}>", S::NAME)
    }
}

#[cfg(test)]
mod key_equality;
