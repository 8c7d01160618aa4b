//! Expiry in a cache with a fault.

use std::fmt::Debug;
use std::hash::Hash;
use std::mem::replace;

use super::Faulty;
use crate::expiry::Expiry;
use crate::faulty::Fault;
use crate::system_under_test::SystemUnderTest;

impl<K: Clone + Eq + Hash + Debug, V: Clone + Eq + Hash> Faulty<K, V> {
    /// Makes a key expire at a time (E1).
    ///
    /// ```
    /// use aws_client_cache_spec::faults::{Fault, Faulty};
    /// use aws_client_cache_spec::{Policy, SystemUnderTest};
    ///
    /// let mut faulty = Faulty::new(Fault::ExpiresTooLate, Policy::Lru, 1, u64::MAX).with_expiry('a', 5);
    /// faulty.insert('a', 1)?;
    /// faulty.set_time(5);
    /// assert_eq!(faulty.get(&'a'), Some(1));
    /// # Ok::<(), aws_client_cache_spec::Refusal>(())
    /// ```
    #[must_use]
    pub fn with_expiry(mut self, key: K, at: u64) -> Self {
        let expiry = &mut self.expiring().expiry;
        *expiry = replace(expiry, Expiry::new()).with(key, at);
        self
    }

    pub(super) fn is_past(&self, key: &K) -> bool {
        self.model.borrow().expiry.is_past(key)
    }

    /// Returns `true` if there is an expired entry.
    pub(super) fn holds_expired(&self, key: &K) -> bool {
        self.is_past(key) && self.holds(key)
    }

    /// Returns `true` if an insertion is refused because the key is expired.
    pub(super) fn refuses_as_expired(&mut self, key: &K) -> bool {
        match self.fault {
            Some(Fault::ExpiredIsInserted) => false,
            Some(Fault::PresentBeforeExpired) if self.holds(key) => false,
            Some(Fault::RefusalRemovesExpired) if self.is_past(key) => {
                let _ = self.model().remove(key);
                true
            }
            _ => self.is_past(key),
        }
    }

    /// Looks up an expired entry.
    pub(super) fn get_expired(&mut self, key: &K) -> Option<V> {
        match self.fault {
            Some(Fault::ExpiredIsAHit) => self.model().get(key),
            Some(Fault::ExpiredStays) => None,
            Some(Fault::GettingExpiredMovesTheFloor) => {
                self.age_to(key);
                self.expiring().get(key)
            }
            _ => self.expiring().get(key),
        }
    }

    /// Peeks at an expired entry.
    pub(super) fn peek_expired(&self, key: &K) -> Option<V> {
        match self.fault {
            Some(Fault::PeekRemovesExpired) => self.model.borrow_mut().get(key),
            Some(Fault::PeekShowsExpired) => {
                let model = self.model.borrow();
                model.inner.entries.iter().find_map(|entry| (entry.key == *key).then(|| entry.value.clone()))
            }
            _ => None,
        }
    }

    /// Removes the first victim of the expired entries, or of the others.
    pub(super) fn take_first(&mut self, expired: bool) -> Option<(K, V)> {
        let items = self.model().items();
        let (key, value) = items.into_iter().find(|(key, _)| self.is_past(key) == expired)?;
        self.model().remove(&key).ok()?;
        Some((key, value))
    }

    pub(super) fn not_expired(&self) -> Vec<(K, V)> {
        let items = self.model.borrow().items();
        items.into_iter().filter(|(key, _)| !self.is_past(key)).collect()
    }

    pub(super) fn turn(&mut self, now: u64) {
        let now = match self.fault {
            Some(Fault::ExpiresTooLate) => now.saturating_sub(1), // of a clock that is slow, nothing else is seen
            Some(Fault::ClockOnlyGoesForth) => now.max(self.expiring().now()),
            _ => now,
        };
        self.expiring().set_time(now);
    }

    pub(super) fn take_expired(&mut self) -> Vec<(K, V)> {
        let now = self.expiring().now();
        if self.is(Fault::RemovingExpiredTakesTooMuch) {
            self.expiring().set_time(now.saturating_add(1));
        }
        let before = self.is(Fault::RemovingExpiredForgetsOne).then(|| self.model().entries.clone());
        if self.is(Fault::RemovingExpiredMovesTheFloor) {
            let last = self.model().items().into_iter().map(|(key, _)| key).rfind(|key| self.is_past(key));
            if let Some(last) = last {
                self.age_to(&last);
            }
        }
        let mut removed = self.expiring().remove_expired().unwrap_or_default();
        self.expiring().set_time(now);
        if let Some(mut entries) = before.filter(|_| removed.len() > 1) {
            removed.pop();
            entries.retain(|entry| removed.iter().all(|(key, _)| *key != entry.key));
            self.model().entries = entries;
        }
        if self.is(Fault::RemovingExpiredTellsBackwards) {
            removed.reverse();
        }
        removed
    }
}
