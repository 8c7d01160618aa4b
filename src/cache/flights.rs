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
/// Somebody has a share in each of them.
#[derive(Debug)]
pub(super) struct Flights(HashMap<AnyKey, Listed, Prehashed>);

/// What has been taken off the list. It is dropped when the lock is released: a part of a key may be a caller's own type.
pub(super) type Unlisted = Option<(AnyKey, Listed)>;

#[derive(Debug, Default)]
pub(super) struct Listed {
    flight: Arc<Flight>,
    /// How many have a share. They are counted under the lock; the `Arc`s are dropped whenever their owners get to it.
    shares: usize,
}

impl Default for Flights {
    fn default() -> Self {
        Self(HashMap::with_hasher(Prehashed))
    }
}

impl Flights {
    /// A share in the creation of a key. With it comes the list's own key, so that looking for it again compares no part of
    /// a key that is a caller's own.
    pub(super) fn join(&mut self, key: &AnyKey) -> (AnyKey, Arc<Flight>) {
        let mut listed = match self.0.entry(key.clone()) {
            Entry::Occupied(listed) => listed,
            Entry::Vacant(place) => place.insert_entry(Listed::default()),
        };
        listed.get_mut().shares += 1;
        (listed.key().clone(), Arc::clone(&listed.get().flight))
    }

    /// Whether those who come now join this creation.
    pub(super) fn is_current(&self, key: &AnyKey, flight: &Arc<Flight>) -> bool {
        self.0.get(key).is_some_and(|listed| Arc::ptr_eq(&listed.flight, flight))
    }

    /// Takes a creation off the list, revoked or landed.
    #[must_use]
    pub(super) fn revoke(&mut self, key: &AnyKey) -> Unlisted {
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
    pub(super) fn revoke_these(&mut self, keys: &[AnyKey]) -> Vec<Unlisted> {
        keys.iter().map(|key| self.revoke(key)).collect()
    }

    /// Gives a share back, and takes the creation off the list if it was the last one.
    #[must_use]
    pub(super) fn leave(&mut self, key: &AnyKey, flight: &Arc<Flight>) -> Unlisted {
        let listed = self.0.get_mut(key).filter(|listed| Arc::ptr_eq(&listed.flight, flight))?;
        listed.shares -= 1;
        if listed.shares == 0 { self.revoke(key) } else { None }
    }

    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check(&self) -> Result<(), String> {
        for (key, Listed { flight, shares }) in &self.0 {
            if *shares == 0 || Arc::strong_count(flight) == 1 {
                return Err(format!("nobody waits for the creation of {key}"));
            }
            if flight.initialized() {
                return Err(format!("the creation of {key} has landed"));
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
        type Break = fn(&mut Listed, &mut Vec<Arc<Flight>>);
        let breaks: [(&str, Break); 3] = [
            ("a creation without shares", |listed, _| listed.shares = 0),
            ("a creation that nobody else holds", |_, others| others.clear()),
            ("a creation that has landed", |listed, _| {
                let landed = Landed { client: AnyClient::new::<Nothing>(()), is_revoked: false };
                listed.flight.set(Ok(landed)).expect("nothing has landed yet");
            }),
        ];
        let key = AnyKey::from(ClientParams::<Nothing>::builder().build().expect("nothing is set").key());
        for (what, apply) in breaks {
            let mut flights = Flights::default();
            let mut others = vec![flights.join(&key).1];
            assert_eq!(flights.check(), Ok(()));
            apply(flights.0.get_mut(&key).expect("it was joined"), &mut others);
            assert!(flights.check().is_err(), "{what}");
        }
    }
}
