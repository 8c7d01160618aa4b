//! The creations under way, by key.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::prehashed::Prehashed;
use crate::client::AnyClient;
use crate::error::ClientCacheError;
use crate::key::AnyKey;

/// A creation of one key, from its first maker to the last one who waits for it.
///
/// The cell queues those who ask: the first makes, and if it gives up or panics, the next one in line does. It holds the
/// failure as well, so that all who wait share it (S5).
pub(super) type Flight = OnceCell<Result<Landed, ClientCacheError>>;

/// What became of a creation.
#[derive(Debug)]
pub(super) struct Landed {
    pub(super) client: AnyClient,
    /// S3: it was revoked before it landed, so it is not stored, and who waited for it doesn't look.
    pub(super) is_revoked: bool,
}

/// The creations under way that those who come now join: none that has landed, and none that was revoked (S3).
///
/// Somebody has a share in each of them besides this list.
#[derive(Debug)]
pub(super) struct Flights(HashMap<AnyKey, Arc<Flight>, Prehashed>);

impl Default for Flights {
    fn default() -> Self {
        Self(HashMap::with_hasher(Prehashed))
    }
}

impl Flights {
    /// A share in the creation of a key, and whether it begins now.
    pub(super) fn join(&mut self, key: &AnyKey) -> (Arc<Flight>, bool) {
        match self.0.entry(key.clone()) {
            Entry::Occupied(under_way) => (Arc::clone(under_way.get()), false),
            Entry::Vacant(place) => (Arc::clone(place.insert(Arc::default())), true),
        }
    }

    /// Whether those who come now join this creation.
    pub(super) fn is_current(&self, key: &AnyKey, flight: &Arc<Flight>) -> bool {
        self.0.get(key).is_some_and(|current| Arc::ptr_eq(current, flight))
    }

    /// Takes a creation off the list, revoked or landed. What is returned is dropped when the lock is released: a part of
    /// a key may be a caller's own type.
    #[must_use]
    pub(super) fn revoke(&mut self, key: &AnyKey) -> Option<(AnyKey, Arc<Flight>)> {
        self.0.remove_entry(key)
    }

    /// Takes all off the list, likewise.
    #[must_use]
    pub(super) fn revoke_all(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Takes a creation off the list if the share that is given back is the last one.
    #[must_use]
    pub(super) fn leave(&mut self, key: &AnyKey, flight: &Arc<Flight>) -> Option<(AnyKey, Arc<Flight>)> {
        // The list's own share, and the one that is given back. Shares are made under the lock only.
        let is_last = self.is_current(key, flight) && Arc::strong_count(flight) == 2;
        if is_last { self.revoke(key) } else { None }
    }

    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check(&self) -> Result<(), String> {
        for (key, flight) in &self.0 {
            if Arc::strong_count(flight) < 2 {
                return Err(format!("nobody waits for the creation of {key}"));
            }
            if flight.initialized() {
                return Err(format!("the creation of {key} has landed"));
            }
        }
        Ok(())
    }
}
