//! K3: what is keyed anew for each process, by keys that never leave it.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::OnceLock;

use hmac::{Hmac, KeyInit};
use sha2::Sha256;

/// A hash that cannot be foreseen, and so cannot be made to collide.
pub(super) fn hash(value: &impl Hash) -> u64 {
    static STATE: OnceLock<RandomState> = OnceLock::new();
    STATE.get_or_init(RandomState::new).hash_one(value)
}

/// An HMAC to feed. Fails only if the operating system gives no randomness for its key.
pub(super) fn mac() -> Result<Hmac<Sha256>, getrandom::Error> {
    static KEYED: OnceLock<Hmac<Sha256>> = OnceLock::new();
    if let Some(mac) = KEYED.get() {
        return Ok(mac.clone());
    }
    let mut key = [0; 64];
    getrandom::fill(&mut key)?;
    Ok(KEYED.get_or_init(|| Hmac::new(&key.into())).clone())
}
