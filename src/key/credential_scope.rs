//! [`CredentialScope`], which identifies credentials in a key without containing them.

use std::fmt;
#[cfg(feature = "assume-role")]
use std::path::Path;
#[cfg(feature = "assume-role")]
use std::sync::Arc;
#[cfg(feature = "assume-role")]
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::identity::{IdentityCachePartition, ResolveIdentity};
#[cfg(feature = "assume-role")]
use aws_types::region::Region;

use super::process_key::{self, Digest};

/// The identity of the credentials that a client signs with.
///
/// Cloning is cheap.
// K3
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum CredentialScope {
    /// The credentials of the base configuration.
    Base,
    /// No credentials: requests are not signed.
    Anonymous,
    /// Static credentials, identified by a digest.
    Static(Digest),
    /// The credentials of a provider, identified by its partition of the identity cache.
    Provider(IdentityCachePartition),
    /// The credentials of a profile of the shared configuration files.
    #[cfg(feature = "assume-role")]
    Profile(Arc<str>),
    /// The tokens that roles are assumed with, which sign nothing themselves.
    #[cfg(feature = "assume-role")]
    WebIdentity(WebIdentity),
    /// The credentials of an assumed role.
    #[cfg(feature = "assume-role")]
    Role(Arc<RoleScope>),
}

/// The identity of a source of tokens.
#[cfg(feature = "assume-role")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum WebIdentity {
    File(Arc<Path>),
    /// A number that only the clones of one provider share.
    Provider(IdentityCachePartition),
}

/// The identity of an assumed role, without its confidential parameters.
#[cfg(feature = "assume-role")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct RoleScope {
    /// The credentials, or the tokens, that assume the role.
    pub(crate) source: CredentialScope,
    pub(crate) arn: String,
    pub(crate) region: Option<Region>,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) session_name: Option<String>,
    pub(crate) session_length: Option<Duration>,
    /// Sorted.
    pub(crate) policy_arns: Vec<String>,
    /// The digest of the external id, the policy and the tags, if any is set.
    // K4
    pub(crate) confidential: Option<Digest>,
}

impl CredentialScope {
    /// Returns the scope of a provider.
    ///
    /// Its cache partition identifies it: partitions are never reused, and all clones share one.
    pub(crate) fn provider(provider: &SharedCredentialsProvider) -> Self {
        Self::Provider(provider.cache_partition().unwrap_or_else(IdentityCachePartition::new))
    }

    /// Returns the scopes of a chain of roles, from the source of the first role to this scope.
    pub(crate) fn chain(&self) -> Vec<&Self> {
        #[cfg(feature = "assume-role")]
        if let Self::Role(role) = self {
            let mut chain = role.source.chain();
            chain.push(self);
            return chain;
        }
        vec![self]
    }

    /// Returns the ARN of the role, if these are the credentials of one.
    pub(crate) fn role_arn(&self) -> Option<&str> {
        match self {
            #[cfg(feature = "assume-role")]
            Self::Role(role) => Some(&role.arn),
            _ => None,
        }
    }

    /// Returns `true` for the base configuration's credentials, and for roles that are assumed with them.
    pub(crate) fn derives_from_base(&self) -> bool {
        *self.chain()[0] == Self::Base
    }

    /// Returns `true` if these are the credentials of `other`, or of a role assumed with them.
    ///
    /// The role may be assumed directly or through other roles.
    pub(crate) fn derives_from(&self, other: &Self) -> bool {
        self.chain().contains(&other)
    }
}

impl fmt::Display for CredentialScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base => f.write_str("base"),
            Self::Anonymous => f.write_str("anonymous"),
            Self::Static(digest) => write!(f, "static#{digest}"),
            // Half of the hash distinguishes the tenants of a log, as the first bytes of a digest do.
            Self::Provider(partition) => write!(f, "provider#{:08x}", process_key::hash(partition) >> 32),
            #[cfg(feature = "assume-role")]
            Self::Profile(name) => write!(f, "profile:{}", name.escape_debug()),
            // Never written on its own: the label of a role shows only its ARN.
            #[cfg(feature = "assume-role")]
            Self::WebIdentity(_) => f.write_str("web_identity"),
            // The hash distinguishes several ways to assume one role.
            #[cfg(feature = "assume-role")]
            Self::Role(role) => write!(f, "role:{}#{:08x}", role.arn.escape_debug(), process_key::hash(role) >> 32),
        }
    }
}

#[cfg(all(test, feature = "assume-role"))]
mod tests {
    use super::*;

    // Proves K4: the path of a file may name a tenant.
    #[test]
    fn the_label_of_a_token_does_not_show_its_source() {
        let file = Path::new("/tenant/token").into();
        assert_eq!(CredentialScope::WebIdentity(WebIdentity::File(file)).to_string(), "web_identity");
    }
}
