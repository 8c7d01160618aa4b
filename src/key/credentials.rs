//! K3: how credentials take part in a key's identity without being in it.

use std::fmt;
use std::time::UNIX_EPOCH;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::identity::{IdentityCachePartition, ResolveIdentity};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::keyed;

/// Whose credentials a client signs with.
#[derive(PartialEq, Eq, Hash)]
pub(crate) enum CredentialScope {
    /// The base configuration's.
    Base,
    /// Fixed ones, known by a digest.
    Static(Digest),
    /// A provider's, known by its partition of the identity cache.
    Provider(IdentityCachePartition),
}

impl CredentialScope {
    /// A provider's identity is its cache partition: never reused, and the same for every clone.
    pub(crate) fn provider(provider: &SharedCredentialsProvider) -> Self {
        Self::Provider(provider.cache_partition().unwrap_or_else(IdentityCachePartition::new))
    }
}

impl fmt::Display for CredentialScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base => f.write_str("base"),
            Self::Static(digest) => write!(f, "static#{digest}"),
            // Enough to tell the tenants of a log apart, as with digests.
            Self::Provider(partition) => write!(f, "provider#{:08x}", keyed::hash(partition) >> 32),
        }
    }
}

/// An HMAC-SHA-256 of static credentials under a key that is drawn once a process and never leaves it: equal
/// exactly for equal credentials, and worthless without the key.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// Fails only if the operating system gives no randomness for the process's key.
    pub(crate) fn of(credentials: &Credentials) -> Result<Self, getrandom::Error> {
        let mut mac = keyed::mac()?;
        for field in [
            Some(credentials.access_key_id()),
            Some(credentials.secret_access_key()),
            credentials.session_token(),
            // Account ids steer endpoints.
            credentials.account_id().map(aws_credential_types::attributes::AccountId::as_str),
        ] {
            feed(&mut mac, field.map(str::as_bytes));
        }
        let expiry = credentials.expiry().map(|expiry| match expiry.duration_since(UNIX_EPOCH) {
            Ok(after) => (b'+', after),
            Err(before) => (b'-', before.duration()),
        });
        let expiry = expiry.map(|(sign, duration)| {
            let mut field = [sign; 17];
            field[1..].copy_from_slice(&duration.as_nanos().to_le_bytes());
            field
        });
        feed(&mut mac, expiry.as_ref().map(<[u8; 17]>::as_slice));
        Ok(Self(mac.finalize().into_bytes().into()))
    }
}

impl fmt::Display for Digest {
    /// Enough of it to tell the tenants of a log apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Feeds a field behind its length, so that no two sequences of fields are the same bytes.
fn feed(mac: &mut Hmac<Sha256>, field: Option<&[u8]>) {
    let length = field.map_or(u64::MAX, |field| field.len() as u64);
    mac.update(&length.to_le_bytes());
    mac.update(field.unwrap_or_default());
}
