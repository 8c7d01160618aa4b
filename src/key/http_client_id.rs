//! [`HttpClientId`], which identifies an HTTP client in a key without containing it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::process_key;

/// The name of an HTTP client, and a number that only the clones of one handle share.
///
/// Two handles of one name differ, because two HTTP clients cannot be compared. Cloning is cheap.
// K3
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct HttpClientId {
    number: u64,
    name: Arc<str>,
}

impl HttpClientId {
    /// Returns the identity of a new handle.
    pub(crate) fn new(name: String) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { number: NEXT.fetch_add(1, Relaxed), name: name.into() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for HttpClientId {
    /// Writes the name, and half of a hash that distinguishes handles of one name in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{:08x}", self.name.escape_debug(), process_key::hash(self) >> 32)
    }
}
