//! The credentials of a client: the options that are set, and the providers they result in.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;

#[cfg(feature = "assume-role")]
use super::assume_role::AssumeRole;
#[cfg(feature = "assume-role")]
use super::profile;
#[cfg(feature = "serde")]
use super::table::Refusal;
use super::{RoleSource, validate};
use crate::error::ClientCacheError;
use crate::key::{CredentialScope, Digest};

/// The parameters that select credentials, as they are set.
#[derive(Default)]
pub(super) struct CredentialOptions {
    pub(super) credentials: Option<Credentials>,
    pub(super) credentials_provider: Option<SharedCredentialsProvider>,
    pub(super) anonymous: bool,
    /// A field of a configuration file that makes the parameters invalid.
    #[cfg(feature = "serde")]
    pub(super) refused: Option<Refusal>,
    #[cfg(feature = "assume-role")]
    pub(super) profile: Option<String>,
    #[cfg(feature = "assume-role")]
    pub(super) assume_role: Option<AssumeRole>,
}

/// Validated credential options, from which providers are created.
///
/// Unlike the scope in the key, it contains secrets.
pub(super) struct CredentialSource {
    root: Root,
    #[cfg(feature = "assume-role")]
    role: Option<AssumeRole>,
}

/// The credentials that sign requests, or that assume the first role.
enum Root {
    Base,
    Anonymous,
    Provider(SharedCredentialsProvider),
    #[cfg(feature = "assume-role")]
    Profile(std::sync::Arc<str>),
}

impl CredentialOptions {
    /// Validates the options.
    ///
    /// Also returns the scope of the credentials, and the expiry of static ones.
    // K5, E1
    pub(super) fn check(self) -> Result<(CredentialSource, CredentialScope, Option<SystemTime>), ClientCacheError> {
        #[cfg(feature = "serde")]
        if let Some(refusal) = self.refused {
            return Err(refusal.into());
        }
        self.check_single_source()?;
        let mut expiry = None;
        let (root, scope) = if let Some(credentials) = self.credentials {
            validate::credentials(&credentials)?;
            let digest = Digest::of_credentials(&credentials);
            let digest = digest.map_err(validate::no_random_key("credentials"))?;
            expiry = credentials.expiry();
            (Root::Provider(SharedCredentialsProvider::new(credentials)), CredentialScope::Static(digest))
        } else if let Some(provider) = self.credentials_provider {
            let scope = CredentialScope::provider(&provider);
            (Root::Provider(provider), scope)
        } else if self.anonymous {
            (Root::Anonymous, CredentialScope::Anonymous)
        } else {
            (Root::Base, CredentialScope::Base)
        };
        #[cfg(feature = "assume-role")]
        let (root, scope) = match self.profile {
            Some(name) => {
                validate::name("profile", &name)?;
                let name: std::sync::Arc<str> = name.into();
                (Root::Profile(name.clone()), CredentialScope::Profile(name))
            }
            None => (root, scope),
        };
        #[cfg(feature = "assume-role")]
        let (role, scope) = match self.assume_role {
            Some(_) if matches!(root, Root::Anonymous) => {
                return Err(ClientCacheError::invalid("assume_role", "cannot be combined with anonymous"));
            }
            Some(role) => {
                let scope = role.scope(scope)?;
                (Some(role), scope)
            }
            None => (None, scope),
        };
        // A token assumes the first role, so that nothing signs that call.
        #[cfg(feature = "assume-role")]
        let root = if matches!(scope.chain()[0], CredentialScope::WebIdentity(_)) { Root::Anonymous } else { root };
        let source = CredentialSource {
            root,
            #[cfg(feature = "assume-role")]
            role,
        };
        Ok((source, scope, expiry))
    }

    /// Refuses options with more than one source of credentials.
    fn check_single_source(&self) -> Result<(), ClientCacheError> {
        let set = [
            ("credentials", self.credentials.is_some()),
            ("credentials_provider", self.credentials_provider.is_some()),
            #[cfg(feature = "assume-role")]
            ("profile", self.profile.is_some()),
            ("anonymous", self.anonymous),
        ];
        let mut set = set.into_iter().filter_map(|(name, is_set)| is_set.then_some(name));
        match (set.next(), set.next()) {
            (Some(first), Some(second)) => {
                Err(ClientCacheError::invalid(second, format!("cannot be combined with {first}")))
            }
            _ => Ok(()),
        }
    }
}

impl CredentialSource {
    /// Returns the provider at `depth` in the chain of roles.
    ///
    /// Depth 0 is the source of the first role.
    ///
    /// `source` provides the credentials at the depth before. `None` means that requests are not signed, or that the base
    /// configuration has no credentials. Makes no network call.
    #[cfg_attr(
        not(feature = "assume-role"),
        expect(clippy::unnecessary_wraps, reason = "only providers of roles can fail")
    )]
    pub(super) fn provider(
        &self,
        depth: usize,
        source: Option<RoleSource>,
        base: &SdkConfig,
    ) -> Result<Option<SharedCredentialsProvider>, ClientCacheError> {
        #[cfg(feature = "assume-role")]
        if let Some(role) = self.role.as_ref().filter(|_| depth > 0) {
            return Ok(Some(role.chain()[depth - 1].provider(source, base)?));
        }
        #[cfg(not(feature = "assume-role"))]
        let _ = (depth, source);
        Ok(match &self.root {
            Root::Base => base.credentials_provider(),
            Root::Anonymous => None,
            Root::Provider(provider) => Some(provider.clone()),
            #[cfg(feature = "assume-role")]
            Root::Profile(name) => Some(profile::provider(name, base)),
        })
    }
}
