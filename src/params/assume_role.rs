//! A role to assume.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::sts;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_types::SdkConfig;
use aws_types::region::Region;

use super::validate;
use crate::error::ClientCacheError;
use crate::key::{CredentialScope, Digest, RoleScope};
use crate::redact::redact;

/// A role that clients act as, by `AssumeRole` of the Security Token Service; for
/// [`ClientParamsBuilder::assume_role`](crate::ClientParamsBuilder::assume_role).
///
/// It takes what `aws_config::sts::sts::AssumeRoleProvider` takes, and means the same. Everything takes part in the key of a
/// client; the external id, the policy and the tags as a keyed digest only (K4), and the order of policies and tags doesn't
/// matter. What is not valid is refused when the parameters are built (K5).
///
/// ```
/// use aws_client_cache::{AssumeRole, ClientParams, S3};
///
/// let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7")
///     .session_name("billing")
///     .external_id("as-agreed-with-tenant-7");
/// let params = ClientParams::<S3>::builder().region("eu-central-1").assume_role(role).build()?;
/// # Ok::<(), aws_client_cache::ClientCacheError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use = "it is for `ClientParamsBuilder::assume_role`"]
pub struct AssumeRole {
    arn: String,
    source_role: Option<Box<Self>>,
    /// How many roles are chained, this one included: never more than one too many, which is refused.
    chained: usize,
    region: Option<String>,
    session_name: Option<String>,
    session_length: Option<Duration>,
    external_id: Option<String>,
    policy: Option<String>,
    policy_arns: Vec<String>,
    tags: Vec<(String, String)>,
}

/// More than anyone chains, and few enough to go through by recursion.
const MAX_CHAINED: usize = 16;

impl AssumeRole {
    /// A role, by its ARN.
    ///
    /// The type shows an example.
    pub fn new(arn: impl Into<String>) -> Self {
        Self {
            arn: arn.into(),
            source_role: None,
            chained: 1,
            region: None,
            session_name: None,
            session_length: None,
            external_id: None,
            policy: None,
            policy_arns: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// Another role to assume this one with, as in role chaining: that one is assumed first. A session assumes a role that
    /// many have as their source once for all of them. Up to 16 roles are chained.
    ///
    /// ```
    /// use aws_client_cache::{AssumeRole, ClientParams, S3};
    ///
    /// let hub = AssumeRole::new("arn:aws:iam::123456789012:role/hub");
    /// let tenant = AssumeRole::new("arn:aws:iam::210987654321:role/reader").source_role(hub);
    /// let params = ClientParams::<S3>::builder().assume_role(tenant).build()?;
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn source_role(mut self, role: Self) -> Self {
        self.chained = role.chained.saturating_add(1);
        // What is refused need not be kept, and would be as deep as it is long.
        self.source_role = (role.chained <= MAX_CHAINED).then(|| Box::new(role));
        self
    }

    /// The region whose Security Token Service is asked; the base configuration's, if none is set.
    ///
    /// ```
    /// # use aws_client_cache::AssumeRole;
    /// let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7").region("eu-central-1");
    /// ```
    pub fn region(mut self, region: impl AsRef<str>) -> Self {
        self.region = Some(region.as_ref().to_owned());
        self
    }

    /// The name of the role's session, which logs of the account show: 2 to 64 letters, digits and `+=,.@_-`.
    ///
    /// The type shows an example.
    pub fn session_name(mut self, name: impl Into<String>) -> Self {
        self.session_name = Some(name.into());
        self
    }

    /// How long the credentials last: 15 minutes to 12 hours, in whole seconds; an hour, if nothing is set. They are renewed
    /// before they expire.
    ///
    /// ```
    /// # use aws_client_cache::AssumeRole;
    /// use std::time::Duration;
    ///
    /// let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7").session_length(Duration::from_secs(900));
    /// ```
    pub fn session_length(mut self, length: Duration) -> Self {
        self.session_length = Some(length);
        self
    }

    /// The external id that the role's owner has agreed upon: 2 to 1224 letters, digits and `+=,.@:/_-`.
    ///
    /// The type shows an example.
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    /// A policy, in JSON, that narrows what the role may.
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

    /// Managed policies, by their ARNs, that narrow what the role may: up to 10.
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

    /// Tags of the role's session: up to 50, with keys of their own.
    ///
    /// ```
    /// # use aws_client_cache::AssumeRole;
    /// let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7").tags([("tenant", "7")]);
    /// ```
    pub fn tags(mut self, tags: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        self.tags = tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        self.tags.sort_unstable();
        self
    }

    /// K5: checks it and the roles before it, and adds them to the scope that they are assumed from.
    pub(super) fn scope(&self, from: CredentialScope) -> Result<CredentialScope, ClientCacheError> {
        if self.chained > MAX_CHAINED {
            return Err(ClientCacheError::invalid("source_role", format!("more than {MAX_CHAINED} roles are chained")));
        }
        let source = match &self.source_role {
            Some(role) => role.scope(from)?,
            None => from,
        };
        validate::role_arn(&self.arn)?;
        if let Some(region) = &self.region {
            validate::region(region)?;
        }
        if let Some(name) = &self.session_name {
            validate::session_name(name)?;
        }
        if let Some(length) = self.session_length {
            validate::session_length(length)?;
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
            session_name: self.session_name.clone(),
            session_length: self.session_length,
            policy_arns: self.policy_arns.clone(),
            confidential: self.confidential()?,
        })))
    }

    fn confidential(&self) -> Result<Option<Digest>, ClientCacheError> {
        if self.external_id.is_none() && self.policy.is_none() && self.tags.is_empty() {
            return Ok(None);
        }
        let tags = self.tags.iter().flat_map(|(key, value)| [Some(key.as_bytes()), Some(value.as_bytes())]);
        let fields = [&self.external_id, &self.policy].map(|field| field.as_ref().map(String::as_bytes));
        Digest::of(fields.into_iter().chain(tags))
            .map(Some)
            .map_err(|error| validate::no_random_key("assume_role", error))
    }

    /// The roles in the order in which they are assumed.
    pub(super) fn chain(&self) -> Vec<&Self> {
        let mut chain = self.source_role.as_ref().map_or_else(Vec::new, |role| role.chain());
        chain.push(self);
        chain
    }

    /// What assumes this role, not those before it, with the credentials of `source`. No network call.
    ///
    /// `base` has a behaviour version and a time source, or the SDK would panic.
    pub(super) fn provider(
        &self,
        source: SharedCredentialsProvider,
        base: &SdkConfig,
    ) -> Result<SharedCredentialsProvider, ClientCacheError> {
        if self.region.is_none() && base.region().is_none() {
            let reason = "neither the role nor the base configuration name a region";
            return Err(ClientCacheError::invalid("assume_role", reason));
        }
        let mut config = base.to_builder();
        config.set_credentials_provider(Some(source));
        let mut role = self.clone();
        role.source_role = None; // what it is assumed with is at hand
        Ok(SharedCredentialsProvider::new(AssumeRoleProvider { role, config: config.build() }))
    }
}

/// Assumes a role when it is asked to, and keeps no client of the Security Token Service until then or afterwards: it would
/// weigh as much as the client that it is for.
struct AssumeRoleProvider {
    role: AssumeRole,
    /// With the credentials to assume it with.
    config: SdkConfig,
}

impl AssumeRoleProvider {
    async fn assume(&self) -> aws_credential_types::provider::Result {
        let Self { role, config } = self;
        let mut builder = sts::AssumeRoleProvider::builder(&role.arn).configure(config);
        if let Some(region) = &role.region {
            builder = builder.region(Region::new(region.clone()));
        }
        if let Some(name) = &role.session_name {
            builder = builder.session_name(name);
        }
        if let Some(length) = role.session_length {
            builder = builder.session_length(length);
        }
        if let Some(id) = &role.external_id {
            builder = builder.external_id(id);
        }
        if let Some(policy) = &role.policy {
            builder = builder.policy(policy);
        }
        if !role.policy_arns.is_empty() {
            builder = builder.policy_arns(role.policy_arns.clone());
        }
        if !role.tags.is_empty() {
            builder = builder.tags(role.tags.clone());
        }
        builder.build().await.provide_credentials().await.map_err(|error| redact(&error))
    }
}

impl ProvideCredentials for AssumeRoleProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

impl fmt::Debug for AssumeRoleProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AssumeRoleProvider")
    }
}

impl fmt::Debug for AssumeRole {
    /// Shows the ARN only (K4).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssumeRole({})", self.arn.escape_debug())
    }
}
