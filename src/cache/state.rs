//! [`State`], which the lock guards. Every change goes through its methods, which keep the counters.

// O1, O2, O3

use super::identity_hasher::BuildIdentityHasher;
use super::in_flight::{InFlight, Waiters};
use super::stats::Stats;
use crate::client::AnyClient;
use crate::key::AnyKey;
use crate::map::{Drain, EvictingMap, KeyExists};

pub(super) type Entries = EvictingMap<AnyKey, AnyClient, BuildIdentityHasher>;

pub(super) type Entry = (AnyKey, AnyClient);

/// The entries, the creations in flight and the counters of a cache.
///
/// Methods return what they remove, so that the caller drops it after releasing the lock.
pub(super) struct State {
    entries: Entries,
    /// The creations in flight.
    // S1: none of them is an entry.
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

    /// Returns the client under a key.
    ///
    /// Counts a use, and a hit or a miss.
    #[inline]
    pub(super) fn lookup(&mut self, key: &AnyKey) -> Option<&AnyClient> {
        let found = self.entries.get(key);
        if found.is_some() {
            self.stats.hits += 1;
        } else {
            self.stats.misses += 1;
        }
        found
    }

    /// Returns the client under a key and counts a use, for a caller whose lookup has been counted.
    pub(super) fn lookup_again(&mut self, key: &AnyKey) -> Option<&AnyClient> {
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

    /// Removes an expired entry and counts a miss.
    // E3
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

    /// Removes all entries whose key `is_removed` accepts, and revokes the creations of such keys.
    // S3
    pub(super) fn remove_all(&mut self, is_removed: impl Fn(&AnyKey) -> bool) -> (Vec<(AnyKey, Waiters)>, Vec<Entry>) {
        // P1: both compare keys, which may panic, before the first change.
        let creations = self.in_flight.all_of(&is_removed);
        let removed = self.entries.extract(|key, _| is_removed(key));
        self.stats.removals += removed.len() as u64;
        (self.in_flight.take_these(&creations), removed)
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        let popped = self.entries.pop();
        self.stats.removals += u64::from(popped.is_some());
        popped
    }

    pub(super) fn drain(&mut self) -> Drain<AnyKey, AnyClient> {
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
            Err(format!("{} entries do not match the counters: {}", self.entries.len(), self.stats))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::EvictionPolicy;

    #[test]
    fn check_reports_a_counter_that_does_not_match_the_entries() {
        type Break = fn(&mut Stats);
        let breaks: [(&str, Break); 4] = [
            ("insertions", |stats| stats.insertions += 1),
            ("evictions", |stats| stats.evictions += 1),
            ("expirations", |stats| stats.expirations += 1),
            ("removals", |stats| stats.removals += 1),
        ];
        for (counter, apply) in breaks {
            let mut state = State::new(Entries::with_hasher(EvictionPolicy::Lru, 1, BuildIdentityHasher));
            assert_eq!(state.check(), Ok(()));
            apply(&mut state.stats);
            let error = state.check().unwrap_err();
            assert!(error.starts_with("0 entries do not match the counters: "), "{counter}: {error}");
        }
    }
}
