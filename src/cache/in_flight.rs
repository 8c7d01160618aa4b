//! The creations in flight, by key.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::identity_hasher::BuildIdentityHasher;
use crate::client::AnyClient;
use crate::error::ClientCacheError;
use crate::key::AnyKey;

/// A creation of one key, from its first maker to the last one who waits for it.
///
/// The cell queues those who ask: the first makes, and if it gives up or panics, the next one in line does. It holds the
/// failure as well, so that all who wait share it (S5).
pub(super) type Creation = OnceCell<Result<Completed, ClientCacheError>>;

/// What became of a creation.
#[derive(Debug)]
pub(super) struct Completed {
    pub(super) client: AnyClient,
    /// S3: it was revoked before it completed, so it is not stored, and who waited for it doesn't look.
    pub(super) is_revoked: bool,
}

/// The creations in flight that those who come now join: none that has completed, and none that was revoked (S3).
///
/// Somebody has a share in each of them.
#[derive(Debug)]
pub(super) struct InFlight(HashMap<AnyKey, Waiters, BuildIdentityHasher>);

#[derive(Debug, Default)]
pub(super) struct Waiters {
    creation: Arc<Creation>,
    /// How many have a share. They are counted under the lock; the `Arc`s are dropped whenever their owners get to it.
    count: usize,
}

impl Default for InFlight {
    fn default() -> Self {
        Self(HashMap::with_hasher(BuildIdentityHasher))
    }
}

impl InFlight {
    /// A share in the creation of a key. With it comes the list's own key, so that looking for it again compares no part of
    /// a key that is a caller's own.
    pub(super) fn join(&mut self, key: &AnyKey) -> (AnyKey, Arc<Creation>) {
        let mut waiters = match self.0.entry(key.clone()) {
            Entry::Occupied(waiters) => waiters,
            Entry::Vacant(place) => place.insert_entry(Waiters::default()),
        };
        waiters.get_mut().count += 1;
        (waiters.key().clone(), Arc::clone(&waiters.get().creation))
    }

    /// Whether those who come now join this creation.
    pub(super) fn is_current(&self, key: &AnyKey, creation: &Arc<Creation>) -> bool {
        self.0.get(key).is_some_and(|waiters| Arc::ptr_eq(&waiters.creation, creation))
    }

    /// Takes a creation off the list, revoked or completed.
    #[must_use]
    pub(super) fn revoke(&mut self, key: &AnyKey) -> Option<(AnyKey, Waiters)> {
        self.0.remove_entry(key)
    }

    /// Takes all off the list, likewise.
    #[must_use]
    pub(super) fn revoke_all(&mut self) -> Self {
        std::mem::take(self)
    }

    /// The keys of all that are on the list.
    pub(super) fn keys(&self) -> impl Iterator<Item = &AnyKey> {
        self.0.keys()
    }

    /// The list's own keys of those that `goes` accepts: looking for these again compares no part of a key that is a caller's
    /// own.
    pub(super) fn all_of(&self, goes: impl Fn(&AnyKey) -> bool) -> Vec<AnyKey> {
        self.keys().filter(|key| goes(key)).cloned().collect()
    }

    /// Takes these off the list, likewise.
    #[must_use]
    pub(super) fn revoke_these(&mut self, keys: &[AnyKey]) -> Vec<(AnyKey, Waiters)> {
        keys.iter().filter_map(|key| self.revoke(key)).collect()
    }

    /// Gives a share back, and takes the creation off the list if it was the last one.
    #[must_use]
    pub(super) fn leave(&mut self, key: &AnyKey, creation: &Arc<Creation>) -> Option<(AnyKey, Waiters)> {
        let waiters = self.0.get_mut(key).filter(|waiters| Arc::ptr_eq(&waiters.creation, creation))?;
        waiters.count -= 1;
        if waiters.count == 0 { self.revoke(key) } else { None }
    }

    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check(&self) -> Result<(), String> {
        for (key, Waiters { creation, count }) in &self.0 {
            if *count == 0 || Arc::strong_count(creation) == 1 {
                return Err(format!("nobody waits for the creation of {key}"));
            }
            if creation.initialized() {
                return Err(format!("the creation of {key} has completed"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::AnyClient;
    use crate::params::ClientParams;
    use crate::service::Service;
    use aws_types::SdkConfig;
    use aws_types::region::Region;

    enum Nothing {}

    impl Service for Nothing {
        type Client = ();
        type ConfigBuilder = ();
        const NAME: &'static str = "Nothing";

        fn config_builder(_: &SdkConfig) {}

        fn client((): ()) {}

        fn region((): &()) -> Option<&Region> {
            None
        }
    }

    #[test]
    fn a_list_that_is_broken_in_any_one_place_is_refused() {
        type Break = fn(&mut Waiters, &mut Vec<Arc<Creation>>);
        let breaks: [(&str, Break); 3] = [
            ("a creation without waiters", |waiters, _| waiters.count = 0),
            ("a creation that nobody else holds", |_, others| others.clear()),
            ("a creation that has completed", |waiters, _| {
                let completed = Completed { client: AnyClient::new::<Nothing>(()), is_revoked: false };
                waiters.creation.set(Ok(completed)).expect("nothing has completed yet");
            }),
        ];
        let key = AnyKey::from(ClientParams::<Nothing>::builder().build().expect("nothing is set").key());
        for (what, apply) in breaks {
            let mut in_flight = InFlight::default();
            let mut others = vec![in_flight.join(&key).1];
            assert_eq!(in_flight.check(), Ok(()));
            apply(in_flight.0.get_mut(&key).expect("it was joined"), &mut others);
            assert!(in_flight.check().is_err(), "{what}");
        }
    }
}
