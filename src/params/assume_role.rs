//! [`AssumeRole`], the parameters of an assumed role.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_types::SdkConfig;
use aws_types::origin::Origin;
use aws_types::region::Region;

use super::assume_role_provider::{AssumeRoleProvider, Proof};
#[cfg(feature = "serde")]
use super::config::RoleFields;
#[cfg(feature = "serde")]
use super::table::{Refusal, Table};
use super::web_identity::WebIdentityToken;
use super::{RoleSource, validate};
use crate::error::ClientCacheError;
use crate::key::{CredentialScope, Digest, RoleScope};

/// A role that a client assumes with `AssumeRole` of the AWS Security Token Service (STS).
///
/// Pass it to [`ClientParamsBuilder::assume_role`](crate::ClientParamsBuilder::assume_role). It has the settings of
/// `aws_config::sts::AssumeRoleProvider`, with the same meaning, and more. All of them are part of the client's key; the
/// external id, the policy and the tags only as a keyed digest. The order of policy ARNs and of tags does not matter.
/// [`ClientParamsBuilder::build`](crate::ClientParamsBuilder::build) validates the role. With the feature `serde`, a role can be
/// read from a file, as `ClientParamsConfig` describes.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{AssumeRole, ClientParams, S3};
///
/// let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7")
///     .session_name("billing")
///     .external_id("as-agreed-with-tenant-7");
/// let params = ClientParams::<S3>::builder()
///     .region("eu-central-1")
///     .assume_role(role)
///     .build()?;
/// # Ok::<(), aws_client_cache::ClientCacheError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(from = "Table<RoleFields>"))]
#[must_use = "pass the role to `ClientParamsBuilder::assume_role`"]
pub struct AssumeRole {
    pub(super) arn: String,
    source_role: Option<Box<Self>>,
    web_identity: Option<WebIdentityToken>,
    /// The number of chained roles, including this one.
    ///
    /// It never exceeds [`MAX_CHAINED`] by more than one.
    chained: usize,
    region: Option<String>,
    endpoint_url: Option<String>,
    pub(super) session_name: Option<String>,
    pub(super) session_length: Option<Duration>,
    pub(super) external_id: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) policy_arns: Vec<String>,
    pub(super) tags: Vec<(String, String)>,
    /// A field of a configuration file that makes the role invalid.
    #[cfg(feature = "serde")]
    pub(super) refused: Option<Refusal>,
}

/// The maximum lifetime of the credentials of a chained role.
const MAX_CHAINED_LENGTH: Duration = Duration::from_hours(1);

/// The maximum number of chained roles, which bounds recursion.
const MAX_CHAINED: usize = 16;

impl AssumeRole {
    /// Creates a role from its ARN.
    ///
    /// [`AssumeRole`] shows an example.
    pub fn new(arn: impl Into<String>) -> Self {
        Self {
            arn: arn.into(),
            source_role: None,
            web_identity: None,
            chained: 1,
            region: None,
            endpoint_url: None,
            session_name: None,
            session_length: None,
            external_id: None,
            policy: None,
            policy_arns: Vec::new(),
            tags: Vec::new(),
            #[cfg(feature = "serde")]
            refused: None,
        }
    }

    /// Sets another role whose credentials assume this one (role chaining).
    ///
    /// A [`Session`](crate::Session) assumes a source role once for all roles that share it. At most 16 roles can be chained.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{AssumeRole, ClientParams, S3};
    ///
    /// let hub = AssumeRole::new("arn:aws:iam::123456789012:role/hub");
    /// let tenant = AssumeRole::new("arn:aws:iam::210987654321:role/reader")
    ///     .source_role(hub);
    /// let params = ClientParams::<S3>::builder().assume_role(tenant).build()?;
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn source_role(mut self, role: Self) -> Self {
        self.chained = role.chained.saturating_add(1);
        // A longer chain will be refused, so it is dropped here rather than nested without a bound.
        self.source_role = (role.chained <= MAX_CHAINED).then(|| Box::new(role));
        self
    }

    /// Sets a source of tokens that assume this role, by `AssumeRoleWithWebIdentity`.
    ///
    /// A token takes the place of all credentials: the call is not signed. Use it for the service accounts of Kubernetes, such
    /// as those of EKS, and for other OIDC providers, such as that of GitHub Actions. The role's trust policy names the
    /// provider. Other roles can be assumed with this one, by [`source_role`](Self::source_role).
    ///
    /// [`ClientParamsBuilder::build`](crate::ClientParamsBuilder::build) refuses what STS does not support together with a
    /// token: an external id, tags, a source role of this role, and other credentials in the parameters.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{AssumeRole, ClientParams, S3, WebIdentityToken};
    ///
    /// let token = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token";
    /// let role = AssumeRole::new("arn:aws:iam::123456789012:role/pod")
    ///     .web_identity(WebIdentityToken::file(token));
    /// let params = ClientParams::<S3>::builder().assume_role(role).build()?;
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn web_identity(mut self, token: WebIdentityToken) -> Self {
        self.web_identity = Some(token);
        self
    }

    /// Sets the region of STS.
    ///
    /// The default is the region of the base configuration.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::AssumeRole;
    /// let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7")
    ///     .region("eu-central-1");
    /// ```
    pub fn region(mut self, region: impl AsRef<str>) -> Self {
        self.region = Some(region.as_ref().to_owned());
        self
    }

    /// Sets the endpoint of STS, such as that of `MinIO`, Ceph or a VPC endpoint: an `http` or `https` URL.
    ///
    /// The default is the endpoint of the base configuration, or else that of AWS in the [`region`](Self::region). Calls to this
    /// endpoint use neither FIPS nor dual stack; a base configuration with FIPS is refused.
    ///
    /// With an endpoint, the ARN can be any 20 to 2048 visible characters, because other implementations of STS have their
    /// own naming schemes.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{AssumeRole, ClientParams, S3};
    ///
    /// // MinIO ignores the ARN.
    /// let role = AssumeRole::new("arn:xxx:xxx:xxx:xxxx")
    ///     .endpoint_url("https://minio.example.com");
    /// let params = ClientParams::<S3>::builder()
    ///     .region("us-east-1")
    ///     .endpoint_url("https://minio.example.com")
    ///     .assume_role(role)
    ///     .build()?;
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint_url = Some(url.into());
        self
    }

    /// Sets the name of the role session, which the role's account logs.
    ///
    /// It must be 2 to 64 letters, digits and `+=,.@_-`.
    ///
    /// [`AssumeRole`] shows an example.
    pub fn session_name(mut self, name: impl Into<String>) -> Self {
        self.session_name = Some(name.into());
        self
    }

    /// Sets the lifetime of the credentials, which are renewed before they expire.
    ///
    /// It must be between 15 minutes and 12 hours, in whole seconds. The default is one hour, which is also the maximum with
    /// a [`source_role`](Self::source_role).
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::AssumeRole;
    /// use std::time::Duration;
    ///
    /// let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7")
    ///     .session_length(Duration::from_secs(900));
    /// ```
    pub fn session_length(mut self, length: Duration) -> Self {
        self.session_length = Some(length);
        self
    }

    /// Sets the external id that the owner of the role requires.
    ///
    /// It must be 2 to 1224 letters, digits and `+=,.@:/_-`.
    ///
    /// [`AssumeRole`] shows an example.
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    /// Sets a session policy, in JSON, that restricts the permissions of the role.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::AssumeRole;
    /// let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7")
    ///     .policy(r#"{"Version": "2012-10-17", "Statement": []}"#);
    /// ```
    pub fn policy(mut self, policy: impl Into<String>) -> Self {
        self.policy = Some(policy.into());
        self
    }

    /// Sets the ARNs of at most 10 managed policies that restrict the permissions of the role.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::AssumeRole;
    /// let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7")
    ///     .policy_arns(["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
    /// ```
    pub fn policy_arns(mut self, arns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.policy_arns = arns.into_iter().map(Into::into).collect();
        self.policy_arns.sort_unstable();
        self
    }

    /// Sets at most 50 tags of the role session, whose keys must differ.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::AssumeRole;
    /// let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7")
    ///     .tags([("tenant", "7")]);
    /// ```
    pub fn tags(mut self, tags: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        self.tags = tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        self.tags.sort_unstable();
        self
    }

    /// Validates the chain of roles, and returns its credential scope.
    ///
    /// `from` is the scope of the credentials that assume the first role.
    // K5
    pub(super) fn scope(&self, from: CredentialScope) -> Result<CredentialScope, ClientCacheError> {
        #[cfg(feature = "serde")]
        if let Some(refusal) = self.refused {
            return Err(refusal.into());
        }
        if self.chained > MAX_CHAINED {
            return Err(ClientCacheError::invalid(
                "source_role",
                format!("at most {MAX_CHAINED} roles can be chained"),
            ));
        }
        let source = self.source(from)?;
        validate::role_arn(&self.arn, self.endpoint_url.is_none())?;
        if let Some(region) = &self.region {
            validate::region(region)?;
        }
        if let Some(url) = &self.endpoint_url {
            validate::endpoint_url(url)?;
        }
        if let Some(name) = &self.session_name {
            validate::session_name(name)?;
        }
        if let Some(length) = self.session_length {
            validate::session_length(length)?;
            if self.source_role.is_some() && length > MAX_CHAINED_LENGTH {
                let reason = "must be at most one hour with a source role";
                return Err(ClientCacheError::invalid("session_length", reason));
            }
        }
        if let Some(id) = &self.external_id {
            validate::external_id(id)?;
        }
        if let Some(policy) = &self.policy {
            validate::policy(policy)?;
        }
        validate::policy_arns(&self.policy_arns)?;
        validate::tags(&self.tags)?;
        Ok(CredentialScope::Role(Arc::new(RoleScope {
            source,
            arn: self.arn.clone(),
            region: self.region.clone().map(Region::new),
            endpoint_url: self.endpoint_url.clone(),
            session_name: self.session_name.clone(),
            session_length: self.session_length,
            policy_arns: self.policy_arns.clone(),
            confidential: self.confidential()?,
        })))
    }

    /// Returns the scope of the credentials or tokens that assume this role.
    // K5
    fn source(&self, from: CredentialScope) -> Result<CredentialScope, ClientCacheError> {
        let Some(token) = &self.web_identity else {
            return match &self.source_role {
                Some(role) => role.scope(from),
                None => Ok(from),
            };
        };
        let excluded = [
            ("source_role", self.source_role.is_some()),
            ("external_id", self.external_id.is_some()),
            ("tags", !self.tags.is_empty()),
        ];
        if let Some((parameter, _)) = excluded.into_iter().find(|(_, is_set)| *is_set) {
            return Err(ClientCacheError::invalid(parameter, "cannot be combined with web_identity"));
        }
        if from != CredentialScope::Base {
            return Err(ClientCacheError::invalid("web_identity", "cannot be combined with other credentials"));
        }
        token.scope()
    }

    /// Returns the digest of the parameters that a key must not contain.
    // K4
    fn confidential(&self) -> Result<Option<Digest>, ClientCacheError> {
        if self.external_id.is_none() && self.policy.is_none() && self.tags.is_empty() {
            return Ok(None);
        }
        let tags = self.tags.iter().flat_map(|(key, value)| [Some(key.as_bytes()), Some(value.as_bytes())]);
        let fields = [&self.external_id, &self.policy].map(|field| field.as_ref().map(String::as_bytes));
        Digest::of(fields.into_iter().chain(tags)).map(Some).map_err(validate::no_random_key("assume_role"))
    }

    /// Returns the chained roles in the order in which they are assumed.
    pub(super) fn chain(&self) -> Vec<&Self> {
        let mut chain = self.source_role.as_ref().map_or_else(Vec::new, |role| role.chain());
        chain.push(self);
        chain
    }

    /// Returns a provider that assumes this role with its token, or else with the credentials of `source`.
    ///
    /// It does not assume the source roles. Makes no network call. `base` must have a behavior version and a time source,
    /// or the SDK would panic.
    pub(super) fn provider(
        &self,
        source: Option<RoleSource>,
        base: &SdkConfig,
    ) -> Result<SharedCredentialsProvider, ClientCacheError> {
        let proof = match (&self.web_identity, source) {
            (Some(token), _) => Proof::Token(token.clone()),
            (None, Some(source)) => Proof::Credentials(source),
            (None, None) => {
                let reason = "the base configuration has no credentials to assume the role with";
                return Err(ClientCacheError::invalid("assume_role", reason));
            }
        };
        let config = self.sts_config(base)?;
        let mut role = self.clone();
        role.source_role = None; // `source` provides its credentials
        Ok(SharedCredentialsProvider::new(AssumeRoleProvider { role, proof, config }))
    }

    /// Returns the configuration of STS. The credentials of each call replace those in it.
    // T4: its HTTP client, retries and timeouts are those of the base configuration.
    fn sts_config(&self, base: &SdkConfig) -> Result<SdkConfig, ClientCacheError> {
        let Some(region) = self.region.clone().map(Region::new).or_else(|| base.region().cloned()) else {
            let reason = "neither the role nor the base configuration sets a region";
            return Err(ClientCacheError::invalid("assume_role", reason));
        };
        // Another implementation of STS may have partitions of its own.
        let is_of_aws = self.endpoint_url.is_none() && base.endpoint_url().is_none();
        if is_of_aws && !validate::is_in_partition_of(&self.arn, region.as_ref()) {
            let reason = "the role and the region of STS belong to different partitions";
            return Err(ClientCacheError::invalid("assume_role", reason));
        }
        let mut config = base.to_builder();
        config.set_region(region);
        // The provider of the source caches its credentials.
        config.set_identity_cache(Some(IdentityCache::no_cache()));
        if let Some(url) = &self.endpoint_url {
            if base.use_fips().unwrap_or_default() {
                return Err(ClientCacheError::invalid("use_fips", "cannot be combined with an endpoint URL of STS"));
            }
            config.set_use_dual_stack(Some(false));
            config.set_endpoint_url(Some(url.clone()));
            // Otherwise, the environment's endpoint for STS would take precedence.
            config.insert_origin("endpoint_url", Origin::shared_config());
        }
        Ok(config.build())
    }
}

impl fmt::Debug for AssumeRole {
    /// Shows only the ARN.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssumeRole({})", self.arn.escape_debug())
    }
}
