//! K3: how credentials take part in a key's identity without being in it.

use std::fmt;
#[cfg(feature = "assume-role")]
use std::sync::Arc;
#[cfg(feature = "assume-role")]
use std::time::Duration;
use std::time::UNIX_EPOCH;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::identity::{IdentityCachePartition, ResolveIdentity};
#[cfg(feature = "assume-role")]
use aws_types::region::Region;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::process_key;

/// Whose credentials a client signs with. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum CredentialScope {
    /// The base configuration's.
    Base,
    /// Nobody's: requests are not signed.
    Anonymous,
    /// Fixed ones, known by a digest.
    Static(Digest),
    /// A provider's, known by its partition of the identity cache.
    Provider(IdentityCachePartition),
    /// Those of a profile of the shared configuration files.
    #[cfg(feature = "assume-role")]
    Profile(Arc<str>),
    /// Those of a role that is assumed.
    #[cfg(feature = "assume-role")]
    Role(Arc<RoleScope>),
}

/// A role that is assumed, as others than those that assume it may know it.
#[cfg(feature = "assume-role")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct RoleScope {
    /// Whose credentials it is assumed with.
    pub(crate) source: CredentialScope,
    pub(crate) arn: String,
    pub(crate) region: Option<Region>,
    pub(crate) session_name: Option<String>,
    pub(crate) session_length: Option<Duration>,
    /// Sorted.
    pub(crate) policy_arns: Vec<String>,
    /// Of the external id, the policy and the tags, if there are any (K4).
    pub(crate) confidential: Option<Digest>,
}

impl CredentialScope {
    /// A provider's identity is its cache partition: never reused, and the same for every clone.
    pub(crate) fn provider(provider: &SharedCredentialsProvider) -> Self {
        Self::Provider(provider.cache_partition().unwrap_or_else(IdentityCachePartition::new))
    }

    /// What a role is assumed from, the roles that are assumed with one another, and at last the scope itself.
    pub(crate) fn chain(&self) -> Vec<&Self> {
        #[cfg(feature = "assume-role")]
        if let Self::Role(role) = self {
            let mut chain = role.source.chain();
            chain.push(self);
            return chain;
        }
        vec![self]
    }

    /// Whether they are the base configuration's own, or of a role that is assumed with those.
    pub(crate) fn derives_from_base(&self) -> bool {
        *self.chain()[0] == Self::Base
    }

    /// Whether they are these, or of a role that is assumed with these, directly or by others.
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
            // Enough to tell the tenants of a log apart, as with digests.
            Self::Provider(partition) => write!(f, "provider#{:08x}", process_key::hash(partition) >> 32),
            #[cfg(feature = "assume-role")]
            Self::Profile(name) => write!(f, "profile:{}", name.escape_debug()),
            // A role may be assumed in several ways.
            #[cfg(feature = "assume-role")]
            Self::Role(role) => write!(f, "role:{}#{:08x}", role.arn.escape_debug(), process_key::hash(role) >> 32),
        }
    }
}

/// An HMAC-SHA-256 under a key that is drawn once a process and never leaves it: equal exactly for what is equal, and
/// worthless without the key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// Fails only if the operating system gives no randomness for the process's key.
    pub(crate) fn of_credentials(credentials: &Credentials) -> Result<Self, getrandom::Error> {
        let expiry = credentials.expiry().map(|expiry| match expiry.duration_since(UNIX_EPOCH) {
            Ok(after) => (b'+', after),
            Err(before) => (b'-', before.duration()),
        });
        let expiry = expiry.map(|(sign, duration)| {
            let mut field = [sign; 17];
            field[1..].copy_from_slice(&duration.as_nanos().to_le_bytes());
            field
        });
        Self::of([
            Some(credentials.access_key_id().as_bytes()),
            Some(credentials.secret_access_key().as_bytes()),
            credentials.session_token().map(str::as_bytes),
            // Account ids steer endpoints.
            credentials.account_id().map(|account| account.as_str().as_bytes()),
            expiry.as_ref().map(<[u8; 17]>::as_slice),
        ])
    }

    /// A digest of fields, each behind its length, so that no two sequences of fields are the same bytes.
    pub(crate) fn of<'a>(fields: impl IntoIterator<Item = Option<&'a [u8]>>) -> Result<Self, getrandom::Error> {
        let mut mac: Hmac<Sha256> = process_key::mac()?;
        for field in fields {
            let length = field.map_or(u64::MAX, |field| field.len() as u64);
            mac.update(&length.to_le_bytes());
            mac.update(field.unwrap_or_default());
        }
        Ok(Self(mac.finalize().into_bytes().into()))
    }
}

impl fmt::Display for Digest {
    /// Enough of it to tell the tenants of a log apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
