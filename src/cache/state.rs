//! What the lock guards. Every change of it goes through here, and is counted (O1 to O3).

use super::identity_hasher::BuildIdentityHasher;
use super::in_flight::{InFlight, Waiters};
use super::stats::Stats;
use crate::client::AnyClient;
use crate::key::AnyKey;
use crate::map::{EvictingMap, IntoIter, KeyExists};

pub(super) type Entries = EvictingMap<AnyKey, AnyClient, BuildIdentityHasher>;

pub(super) type Entry = (AnyKey, AnyClient);

/// Clients and creations. What leaves is returned, to be dropped when the lock is released.
#[derive(Debug)]
pub(super) struct State {
    entries: Entries,
    /// The creations in flight, none of which is an entry (S1).
    pub(super) in_flight: InFlight,
    stats: Stats,
}

impl State {
    pub(super) fn new(entries: Entries) -> Self {
        let stats = Stats { insertions: entries.len() as u64, ..Stats::default() };
        Self { entries, in_flight: InFlight::default(), stats }
    }

    pub(super) fn entries(&self) -> &Entries {
        &self.entries
    }

    pub(super) fn stats(&self) -> Stats {
        self.stats
    }

    /// A use, and a hit or a miss.
    #[inline]
    pub(super) fn look_up(&mut self, key: &AnyKey) -> Option<&AnyClient> {
        let found = self.entries.get(key);
        if found.is_some() {
            self.stats.hits += 1;
        } else {
            self.stats.misses += 1;
        }
        found
    }

    /// A use by a caller whose look-up has been counted already.
    pub(super) fn look_again(&mut self, key: &AnyKey) -> Option<&AnyClient> {
        self.entries.get(key)
    }

    pub(super) fn insert(
        &mut self,
        key: AnyKey,
        client: AnyClient,
    ) -> Result<Option<Entry>, KeyExists<AnyKey, AnyClient>> {
        let victim = self.entries.insert(key, client)?;
        self.stats.insertions += 1;
        self.stats.evictions += u64::from(victim.is_some());
        Ok(victim)
    }

    pub(super) fn set_max_size(&mut self, max_size: usize) -> Vec<Entry> {
        let victims = self.entries.set_max_size(max_size);
        self.stats.evictions += victims.len() as u64;
        victims
    }

    /// E3: a look-up of an expired key.
    pub(super) fn miss_expired(&mut self, key: &AnyKey) -> Option<Entry> {
        let expired = self.expire(key);
        self.stats.misses += 1;
        expired
    }

    pub(super) fn expire(&mut self, key: &AnyKey) -> Option<Entry> {
        let expired = self.entries.remove_entry(key);
        self.stats.expirations += u64::from(expired.is_some());
        expired
    }

    pub(super) fn expire_all(&mut self, has_expired: impl Fn(&AnyKey) -> bool) -> Vec<Entry> {
        let expired = self.entries.extract(|key, _| has_expired(key));
        self.stats.expirations += expired.len() as u64;
        expired
    }

    pub(super) fn remove(&mut self, key: &AnyKey) -> Option<Entry> {
        let removed = self.entries.remove_entry(key);
        self.stats.removals += u64::from(removed.is_some());
        removed
    }

    /// Removes all that `goes` accepts, and revokes their creations (S3).
    pub(super) fn remove_all(&mut self, goes: impl Fn(&AnyKey) -> bool) -> (Vec<(AnyKey, Waiters)>, Vec<Entry>) {
        // Both compare keys, which may panic, before the first change.
        let creations = self.in_flight.all_of(&goes);
        let removed = self.entries.extract(|key, _| goes(key));
        self.stats.removals += removed.len() as u64;
        (self.in_flight.revoke_these(&creations), removed)
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        let popped = self.entries.pop();
        self.stats.removals += u64::from(popped.is_some());
        popped
    }

    pub(super) fn drain(&mut self) -> IntoIter<AnyKey, AnyClient> {
        let all = self.entries.drain();
        self.stats.removals += all.len() as u64;
        all
    }

    pub(super) fn created(&mut self) {
        self.stats.creations += 1;
    }

    pub(super) fn failed(&mut self) {
        self.stats.failures += 1;
    }

    #[cfg(any(test, feature = "__internals"))]
    pub(super) fn check(&self) -> Result<(), String> {
        self.entries.check()?;
        self.in_flight.check()?;
        let Stats { insertions, evictions, expirations, removals, .. } = self.stats;
        if self.entries.len() as u64 + evictions + expirations + removals == insertions {
            Ok(())
        } else {
            Err(format!("{} entries are what is left, it is counted, by {}", self.entries.len(), self.stats))
        }
    }
}
