//! [`InFlight`], the creations in flight, and their waiters.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use hashbrown::HashTable;
use tokio::sync::OnceCell;

use crate::client::AnyClient;
use crate::error::ClientCacheError;
use crate::key::AnyKey;
use crate::shared_future::SharedFuture;

/// A creation of one key.
///
/// It exists from the first caller that requests the key to the last waiter that receives the result. It also holds a
/// failure, so that all waiters share it.
pub(super) enum Creation {
    /// The cell queues its callers.
    ///
    /// The first one is the leader, which creates the client; if it is dropped or panics, the next one takes over.
    // S5
    Led(OnceCell<Result<Completed, ClientCacheError>>),
    // S9
    Shared(Shared),
}

/// A creation whose callers all drive one future. The first one that sees it completed is the leader.
pub(super) struct Shared {
    pub(super) created: SharedCreation,
    /// Set once the event of the creation is sent.
    // O4
    pub(super) is_reported: AtomicBool,
    pub(super) completed: OnceLock<Result<Completed, ClientCacheError>>,
}

/// The future of a created client that all of its callers drive.
pub(super) type SharedCreation = SharedFuture<Result<AnyClient, ClientCacheError>>;

impl Creation {
    pub(super) fn led() -> Self {
        Self::Led(OnceCell::new())
    }

    pub(super) fn shared(created: SharedCreation) -> Self {
        Self::Shared(Shared { created, is_reported: AtomicBool::new(false), completed: OnceLock::new() })
    }

    #[cfg(any(test, feature = "__internals"))]
    fn is_completed(&self) -> bool {
        match self {
            Self::Led(cell) => cell.initialized(),
            Self::Shared(shared) => shared.completed.get().is_some(),
        }
    }
}

/// The result of a creation that succeeded.
pub(super) struct Completed {
    pub(super) client: AnyClient,
    /// Set if the creation was revoked before it completed.
    // S3: the client is not stored then, and its waiters do not look the key up.
    pub(super) is_revoked: bool,
}

/// The creations that a new caller joins: those that have neither completed nor been revoked.
///
/// Each of them has at least one waiter.
///
/// [`join`](Self::join) and [`find`](Self::find) compare keys, and [`all_of`](Self::all_of) calls a predicate. All other methods
/// run no code of the caller.
// P1, S3
#[derive(Default)]
pub(super) struct InFlight(HashTable<(AnyKey, Waiters)>);

/// A creation, and the number of its waiters, the leader included.
pub(super) struct Waiters {
    creation: Arc<Creation>,
    /// Counted under the lock, unlike the clones of the `Arc`, which waiters drop after they have left.
    count: usize,
}

impl InFlight {
    /// Joins the creation of a key, or starts one by `start`, which must not run the caller's code.
    ///
    /// Also returns the stored key.
    pub(super) fn join(&mut self, key: &AnyKey, start: impl FnOnce() -> Creation) -> (AnyKey, Arc<Creation>) {
        let entry = self.0.entry(key.own_hash(), |(stored, _)| stored == key, |(stored, _)| stored.own_hash());
        let mut entry = entry.or_insert_with(|| (key.clone(), Waiters { creation: Arc::new(start()), count: 0 }));
        let (stored, waiters) = entry.get_mut();
        waiters.count += 1;
        (stored.clone(), Arc::clone(&waiters.creation))
    }

    /// Returns the stored key that is equal to `key`.
    pub(super) fn find(&self, key: &AnyKey) -> Option<AnyKey> {
        self.0.find(key.own_hash(), |(stored, _)| stored == key).map(|(stored, _)| stored.clone())
    }

    /// Returns `true` if a new caller would join this creation.
    pub(super) fn is_current(&self, key: &AnyKey, creation: &Arc<Creation>) -> bool {
        let found = self.0.find(key.own_hash(), |(stored, _)| stored.is_clone_of(key));
        found.is_some_and(|(_, waiters)| Arc::ptr_eq(&waiters.creation, creation))
    }

    /// Removes the creation of a key, because it has completed or is revoked.
    ///
    /// The caller drops it after releasing the lock, because a part of a key may be of a caller's own type.
    #[must_use]
    pub(super) fn take(&mut self, key: &AnyKey) -> Option<(AnyKey, Waiters)> {
        let found = self.0.find_entry(key.own_hash(), |(stored, _)| stored.is_clone_of(key));
        found.ok().map(|entry| entry.remove().0)
    }

    /// Removes all creations, likewise.
    #[must_use]
    pub(super) fn take_all(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Returns the keys of all creations.
    pub(super) fn keys(&self) -> impl Iterator<Item = &AnyKey> {
        self.0.iter().map(|(key, _)| key)
    }

    /// Returns the keys that `is_wanted` accepts.
    pub(super) fn all_of(&self, is_wanted: impl Fn(&AnyKey) -> bool) -> Vec<AnyKey> {
        self.keys().filter(|key| is_wanted(key)).cloned().collect()
    }

    /// Removes the creations of these keys, likewise.
    #[must_use]
    pub(super) fn take_these(&mut self, keys: &[AnyKey]) -> Vec<(AnyKey, Waiters)> {
        keys.iter().filter_map(|key| self.take(key)).collect()
    }

    /// Leaves a creation, and removes it if this was its last waiter.
    #[must_use]
    pub(super) fn leave(&mut self, key: &AnyKey, creation: &Arc<Creation>) -> Option<(AnyKey, Waiters)> {
        let (_, waiters) = self.0.find_mut(key.own_hash(), |(stored, _)| stored.is_clone_of(key))?;
        if !Arc::ptr_eq(&waiters.creation, creation) {
            return None;
        }
        waiters.count -= 1;
        if waiters.count == 0 { self.take(key) } else { None }
    }

    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check(&self) -> Result<(), String> {
        for (key, Waiters { creation, count }) in &self.0 {
            if *count == 0 || Arc::strong_count(creation) == 1 {
                return Err(format!("the creation of {key} has no waiters"));
            }
            if creation.is_completed() {
                return Err(format!("the creation of {key} has completed"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::tests::key;

    #[test]
    fn creations_are_found_after_the_table_has_grown() {
        let mut in_flight = InFlight::default();
        let keys: Vec<_> = "a b c d e f g h i j k l m n o p q r s t".split(' ').map(key).collect();
        let joined: Vec<_> = keys.iter().map(|key| in_flight.join(key, Creation::led)).collect();
        for ((stored, creation), key) in joined.iter().zip(&keys) {
            assert!(in_flight.is_current(stored, creation) && in_flight.find(key).is_some());
            assert!(in_flight.leave(stored, creation).is_some(), "this was its only waiter");
            assert!(in_flight.find(key).is_none());
        }
        assert_eq!(in_flight.keys().count(), 0);
    }

    #[test]
    fn check_reports_every_broken_invariant() {
        type Break = fn(&mut Waiters, &mut Vec<Arc<Creation>>);
        let breaks: [(&str, Break); 3] = [
            ("a creation without waiters", |waiters, _| waiters.count = 0),
            ("a creation that no waiter holds", |_, others| others.clear()),
            ("a creation that has completed", |waiters, others| {
                let completed = OnceCell::new_with(Some(Err(ClientCacheError::Empty)));
                waiters.creation = Arc::new(Creation::Led(completed));
                others.push(Arc::clone(&waiters.creation));
            }),
        ];
        let key = key("us-west-2");
        for (what, apply) in breaks {
            let mut in_flight = InFlight::default();
            let mut others = vec![in_flight.join(&key, Creation::led).1];
            assert_eq!(in_flight.check(), Ok(()));
            apply(&mut in_flight.0.iter_mut().next().expect("it was joined").1, &mut others);
            assert!(in_flight.check().is_err(), "{what}");
        }
    }
}
