//! Hashes and digests of credentials, under random keys of the process.
//!
//! The keys are drawn once per process and never leave it.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use aws_credential_types::Credentials;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Returns a hash that callers cannot predict, so that they cannot choose values that collide.
// K3
pub(super) fn hash(value: &impl Hash) -> u64 {
    static STATE: OnceLock<RandomState> = OnceLock::new();
    STATE.get_or_init(RandomState::new).hash_one(value)
}

/// Returns an HMAC under the key of the process.
///
/// # Errors
///
/// Fails only if the operating system provides no random key.
fn mac() -> Result<Hmac<Sha256>, getrandom::Error> {
    static MAC: OnceLock<Hmac<Sha256>> = OnceLock::new();
    if let Some(mac) = MAC.get() {
        return Ok(mac.clone());
    }
    let mut key = [0; 64];
    getrandom::fill(&mut key)?;
    Ok(MAC.get_or_init(|| Hmac::new(&key.into())).clone())
}

/// An HMAC-SHA-256 under the key of the process.
///
/// Two digests are equal if and only if their fields are equal. Without the key they reveal nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of static credentials, including their expiry and account id.
    ///
    /// # Errors
    ///
    /// Fails only if the operating system provides no random key.
    // K3
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
            // Endpoints may depend on the account id.
            credentials.account_id().map(|account| account.as_str().as_bytes()),
            expiry.as_ref().map(<[u8; 17]>::as_slice),
        ])
    }

    /// Returns the digest of a sequence of fields.
    ///
    /// Each field is preceded by its length, so that no two sequences feed the same bytes.
    ///
    /// # Errors
    ///
    /// Fails only if the operating system provides no random key.
    pub(crate) fn of<'a>(fields: impl IntoIterator<Item = Option<&'a [u8]>>) -> Result<Self, getrandom::Error> {
        let mut mac: Hmac<Sha256> = mac()?;
        for field in fields {
            let length = field.map_or(u64::MAX, |field| field.len() as u64);
            mac.update(&length.to_le_bytes());
            mac.update(field.unwrap_or_default());
        }
        Ok(Self(mac.finalize().into_bytes().into()))
    }
}

impl fmt::Display for Digest {
    /// Writes the first four bytes, which suffice to distinguish the tenants of a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
