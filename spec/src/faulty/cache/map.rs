//! The operations of a map in a cache with a fault.

use std::fmt::Debug;
use std::hash::Hash;
use std::mem::{replace, take};

use super::Faulty;
use crate::faulty::Fault;
use crate::model::Entry;
use crate::operation::{Operation, Outcome, Refusal, from_both_ends};
use crate::reference::Reference;
use crate::system_under_test::SystemUnderTest;

impl<K: Clone + Eq + Hash + Debug, V: Clone + Eq + Hash> Faulty<K, V> {
    pub(super) fn iterate_over(&self, from_back: &mut dyn FnMut() -> bool) -> Vec<(K, V)> {
        let mut shown = from_both_ends(self.items().into_iter(), from_back);
        if self.is(Fault::IteratorEndsOneEarly) {
            shown.pop();
        }
        shown
    }

    pub(super) fn look_at_next(&self) -> Option<(K, V)> {
        let next = self.next()?;
        let entry = |entry: &Entry<K, V>| (entry.key.clone(), entry.value.clone());
        let shown = entry(&self.model.borrow().inner.entries[next]);
        match self.fault {
            Some(Fault::NextVictimIsTheLast) => self.items().pop(),
            Some(Fault::NextVictimIsAUse) => {
                self.model.borrow_mut().get(&shown.0);
                Some(shown)
            }
            _ => Some(shown),
        }
    }

    pub(super) fn find_or_insert(&mut self, key: K, value: V) -> Result<(V, Option<(K, V)>), Refusal> {
        let quietly = self.is(Fault::GetOrInsertCountsNoUse);
        let found = if quietly { self.peek(&key) } else { self.get(&key) };
        if let Some(found) = found {
            if self.is(Fault::GetOrInsertReplaces) {
                self.set(&key, value.clone());
            }
            drop((key, value)); // here, or the found value would leak if this panicked
            return Ok((found, None));
        }
        let copy = value.clone();
        let evicted = self.insert(key, value)?;
        Ok((copy, evicted))
    }

    pub(super) fn find_and_set(&mut self, key: &K, value: V) -> Option<V> {
        if self.holds_expired(key) || self.is(Fault::GetMutLosesTheValue) {
            return self.get(key);
        }
        if self.is(Fault::GetMutCountsNoUse) {
            let old = self.peek(key)?;
            self.set(key, value);
            return Some(old);
        }
        let operation = Operation::GetMut(key.clone(), value);
        let found = self.model().apply(&operation);
        drop(operation); // here, or the old value would leak if this panicked
        match found {
            Outcome::Value(old) => old,
            _ => None,
        }
    }

    fn set(&mut self, key: &K, value: V) {
        let position = self.model().position(key);
        if let Some(position) = position {
            drop(replace(&mut self.model().entries[position].value, value));
        }
    }

    pub(super) fn keep(&mut self, keep: &mut dyn FnMut(&K, &V) -> bool) {
        self.remember();
        let mut order = self.model().order();
        if self.is(Fault::RetainAsksBackwards) {
            order.reverse();
        }
        let skips = self.is(Fault::RetainSkipsAfterARemoval);
        let spares = self.is(Fault::RetainKeepsTheLastOfARun);
        let mut rejected = Vec::new();
        let mut is_skipped = false;
        // The number of adjacent entries before this one that the predicate rejects.
        let mut run = 0;
        for position in order.iter().copied().map(Some).chain([None]) {
            let is_rejected = position.is_some_and(|position| {
                let Entry { key, value, .. } = &self.model().entries[position];
                !take(&mut is_skipped) && !keep(key, value)
            });
            if is_rejected {
                rejected.extend(position);
                is_skipped = skips;
                run += 1;
            } else if replace(&mut run, 0) > 1 && spares {
                rejected.pop();
            }
        }
        rejected.sort_unstable();
        let gone: Vec<_> = rejected.into_iter().rev().map(|position| self.model().entries.remove(position)).collect();
        drop(gone);
    }

    pub(super) fn take_all(&mut self, from_back: &mut dyn FnMut() -> bool) -> Vec<(K, V)> {
        self.remember();
        let order = self.model().order();
        let mut entries: Vec<_> = take(&mut self.model().entries).into_iter().map(Some).collect();
        if !self.is(Fault::DrainKeepsTheFloor) {
            self.model().floor = 0;
        }
        if let Some(last) = order.last().filter(|_| self.is(Fault::DrainLeavesTheLast)) {
            self.model().entries.extend(entries[*last].take());
        }
        let all: Vec<_> = order.into_iter().filter_map(|position| entries[position].take()).collect();
        from_both_ends(all.into_iter().map(|entry| (entry.key, entry.value)), from_back)
    }
}
