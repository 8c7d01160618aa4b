//! [`AssumeRoleProvider`], which assumes a role by a call of the Security Token Service (STS).
//!
//! It calls STS itself. The providers of `aws-config` refuse the answers of `MinIO`, which name no account. With a token,
//! they accept only files, and only sessions of one hour.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::Client;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::types::{AssumedRoleUser, Credentials as StsCredentials, PolicyDescriptorType, Tag};
use aws_types::SdkConfig;

use super::assume_role::AssumeRole;
use super::web_identity::WebIdentityToken;
use super::{Refuse, RoleSource};
use crate::redact::{is_expired_token, redact};

/// Assumes a role whenever it provides credentials.
///
/// It keeps no client of STS, which would need as much memory as the client that the credentials are for.
pub(super) struct AssumeRoleProvider {
    pub(super) role: AssumeRole,
    pub(super) proof: Proof,
    /// The configuration of STS. Its credentials are not used.
    pub(super) config: SdkConfig,
}

/// The proof that the caller may assume the role.
pub(super) enum Proof {
    Credentials(RoleSource),
    Token(WebIdentityToken),
}

impl AssumeRoleProvider {
    /// Assumes the role.
    ///
    /// If AWS refuses the source's credentials as expired, and the source has others, assumes the role once again.
    // T12, T16
    async fn assume(&self) -> provider::Result {
        let source = match &self.proof {
            Proof::Token(token) => return self.assume_by_token(token.get().await?).await,
            Proof::Credentials(source) => source,
        };
        let credentials = source.provider.provide_credentials().await?;
        match (self.assume_with(source, credentials.clone()).await, &source.reject) {
            (Err(error), Some(reject)) if is_expired_token(&error) && reject(&credentials) => {
                self.assume_with(source, source.provider.provide_credentials().await?).await
            }
            (result, _) => result,
        }
    }

    async fn assume_with(&self, source: &RoleSource, credentials: Credentials) -> provider::Result {
        let provider = UnlessRevoked { credentials, refuse: source.refuse.clone() };
        let mut config = self.config.to_builder();
        config.set_credentials_provider(Some(SharedCredentialsProvider::new(provider)));
        let call = Client::new(&config.build())
            .assume_role()
            .role_arn(&self.role.arn)
            .role_session_name(self.session_name())
            .set_duration_seconds(self.duration_seconds())
            .set_external_id(self.role.external_id.clone())
            .set_policy(self.role.policy.clone())
            .set_policy_arns(self.policy_arns())
            .set_tags(self.tags());
        let answer = call.send().await.map_err(refused)?;
        issued_credentials(answer.credentials, answer.assumed_role_user.as_ref())
    }

    async fn assume_by_token(&self, token: String) -> provider::Result {
        let call = Client::new(&self.config)
            .assume_role_with_web_identity()
            .role_arn(&self.role.arn)
            .role_session_name(self.session_name())
            .set_duration_seconds(self.duration_seconds())
            .set_policy(self.role.policy.clone())
            .set_policy_arns(self.policy_arns())
            .web_identity_token(token);
        let answer = call.send().await.map_err(refused)?;
        issued_credentials(answer.credentials, answer.assumed_role_user.as_ref())
    }

    /// Returns the name of the session, which STS requires.
    fn session_name(&self) -> String {
        self.role.session_name.clone().unwrap_or_else(|| {
            let now = self.config.time_source().map_or(UNIX_EPOCH, |clock| clock.now());
            format!("aws-client-cache-{}", now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis())
        })
    }

    fn duration_seconds(&self) -> Option<i32> {
        self.role.session_length.and_then(|length| length.as_secs().try_into().ok())
    }

    fn policy_arns(&self) -> Option<Vec<PolicyDescriptorType>> {
        let arns = self.role.policy_arns.iter().map(|arn| PolicyDescriptorType::builder().arn(arn).build());
        Some(arns.collect()).filter(|arns: &Vec<_>| !arns.is_empty())
    }

    fn tags(&self) -> Option<Vec<Tag>> {
        let tag = |(key, value): &(String, String)| Tag::builder().key(key).value(value).build();
        let tags = self.role.tags.iter().map(|pair| tag(pair).expect("both fields are set"));
        Some(tags.collect()).filter(|tags: &Vec<_>| !tags.is_empty())
    }
}

/// Returns the error of a call, of the kind that `aws-config` gives it.
fn refused<E>(error: SdkError<E>) -> CredentialsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error.code() {
        Some("RegionDisabledException" | "MalformedPolicyDocument") => CredentialsError::invalid_configuration(error),
        _ => CredentialsError::provider_error(error),
    }
}

/// Returns the credentials of an answer, with the account of its ARN, if it has one.
fn issued_credentials(issued: Option<StsCredentials>, user: Option<&AssumedRoleUser>) -> provider::Result {
    let issued = issued.ok_or_else(|| CredentialsError::unhandled("STS returned no credentials"))?;
    let expiry = SystemTime::try_from(issued.expiration).map_err(CredentialsError::unhandled)?;
    let account = user.and_then(|user| user.arn.split(':').nth(4)).filter(|account| !account.is_empty());
    let mut credentials = Credentials::builder()
        .access_key_id(issued.access_key_id)
        .secret_access_key(issued.secret_access_key)
        .session_token(issued.session_token)
        .expiry(expiry)
        .provider_name("AssumeRoleProvider");
    credentials.set_account_id(account.map(Into::into));
    Ok(credentials.build())
}

impl ProvideCredentials for AssumeRoleProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { self.assume().await.map_err(|error| redact(&error)) })
    }
}

/// Provides credentials for each attempt of a call, until they are revoked.
struct UnlessRevoked {
    credentials: Credentials,
    refuse: Option<Refuse>,
}

impl ProvideCredentials for UnlessRevoked {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        // T13
        let refused = self.refuse.as_ref().map_or(Ok(()), |refuse| refuse());
        future::ProvideCredentials::ready(refused.map(|()| self.credentials.clone()))
    }
}

impl fmt::Debug for UnlessRevoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnlessRevoked")
    }
}

impl fmt::Debug for AssumeRoleProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AssumeRoleProvider")
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::DateTime;

    use super::*;

    // Proves T16.
    #[test]
    fn an_answer_may_name_no_account() {
        let account = |arn: &str| {
            let issued =
                StsCredentials::builder().access_key_id("id").secret_access_key("secret").session_token("token");
            let issued = issued.expiration(DateTime::from_secs(1)).build().unwrap();
            let user = AssumedRoleUser::builder().assumed_role_id("id").arn(arn).build().unwrap();
            let credentials = issued_credentials(Some(issued), Some(&user)).unwrap();
            credentials.account_id().map(|account| account.as_str().to_owned())
        };
        assert_eq!(account("arn:aws:sts::123456789012:assumed-role/r/s").as_deref(), Some("123456789012"));
        // The answers of Ceph, and of MinIO.
        assert_eq!(account("arn:aws:sts:::assumed-role/r/s"), None);
        assert_eq!(account(""), None);
        assert!(issued_credentials(None, None).is_err());
    }

    // Proves K4.
    #[test]
    fn the_credentials_of_a_call_are_not_shown() {
        let credentials = Credentials::new("AKID", "secret", None, None, "test");
        assert_eq!(format!("{:?}", UnlessRevoked { credentials, refuse: None }), "UnlessRevoked");
    }

    // Proves K4: the `Debug` of a configuration shows access key ids.
    #[test]
    fn the_provider_shows_neither_its_proof_nor_its_configuration() {
        let proof = Proof::Token(WebIdentityToken::file("token"));
        let (role, config) = (AssumeRole::new("arn:aws:iam::123456789012:role/r"), SdkConfig::builder().build());
        assert_eq!(format!("{:?}", AssumeRoleProvider { role, proof, config }), "AssumeRoleProvider");
    }
}
