//! A cache of one thread with a fault.

mod aging;
mod alias;
mod expiry;
mod insertion;
mod map;

use std::cell::Cell;
use std::fmt::Debug;
use std::hash::Hash;

use alias::Alias;

use super::Fault;
use crate::expiry::Expiring;
use crate::explore::{Explore, Names};
use crate::model::{Entry, Model, Policy};
use crate::operation::Refusal;
use crate::system_under_test::{FoundOrInserted, SystemUnderTest};

/// A cache that is correct except for one [`Fault`], or entirely correct.
///
/// ```
/// use aws_client_cache_spec::faults::{Fault, Faulty};
/// use aws_client_cache_spec::{Policy, SystemUnderTest};
///
/// let mut faulty = Faulty::<u8, u64>::new(Fault::ReversedIsNot, Policy::Lru, 2, u64::MAX);
/// faulty.insert(1, 10)?;
/// faulty.insert(2, 20)?;
/// assert_eq!(faulty.reversed(), faulty.items());
/// # Ok::<(), aws_client_cache_spec::Refusal>(())
/// ```
#[derive(Clone, Debug)]
pub struct Faulty<K, V> {
    fault: Option<Fault>,
    model: Alias<K, V>,
    /// The counts of removed keys, the last one first, for the fault that remembers them.
    left: Vec<(K, u64)>,
    /// Is `true` while an operation is in flight, for the fault that depends on it.
    busy: Cell<bool>,
}

impl<K: Clone + Eq + Hash + Debug, V: Clone + Eq + Hash> Faulty<K, V> {
    /// Creates an empty cache with this fault, or a correct one with `None`.
    ///
    /// It differs from the others in nothing else.
    ///
    /// The type shows an example.
    pub fn new(fault: impl Into<Option<Fault>>, policy: Policy, max_size: usize, max_uses: u64) -> Self {
        let fault = fault.into();
        Self {
            fault,
            model: Alias::new(Expiring::new(Model::with_max_uses(policy, max_size, max_uses))),
            left: Vec::new(),
            busy: Cell::new(false),
        }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn model(&mut self) -> &mut Model<K, V> {
        &mut self.model.get_mut().inner
    }

    /// Returns the model with its clock.
    fn expiring(&mut self) -> &mut Expiring<K, Model<K, V>> {
        self.model.get_mut()
    }

    /// Returns `true` if there is an entry, expired or not.
    fn holds(&self, key: &K) -> bool {
        self.model.borrow().inner.position(key).is_some()
    }

    /// Removes the last victim.
    fn take_last(&mut self) -> Option<(K, V)> {
        let (key, value) = self.model().items().pop()?;
        self.model().remove(&key).ok()?;
        Some((key, value))
    }

    /// Returns the index of the next victim, with the faults that concern its choice.
    fn next(&self) -> Option<usize> {
        let Expiring { inner: model, expiry } = &*self.model.borrow();
        let order = model.order();
        let next = match self.fault {
            Some(Fault::TiesByMostRecent) => {
                let lowest = model.entries.iter().map(|entry| entry.uses).min();
                model.entries.iter().rposition(|entry| Some(entry.uses) == lowest)
            }
            Some(Fault::EvictsExpiredFirst) => {
                order.iter().copied().find(|place| expiry.is_past(&model.entries[*place].key))
            }
            _ => None,
        };
        next.or_else(|| order.first().copied())
    }

    /// Removes the next victim.
    fn take_next(&mut self) -> Option<Entry<K, V>> {
        let next = self.next()?;
        Some(self.model().entries.remove(next))
    }

    /// Removes the next victim to make room.
    fn evict(&mut self) -> Option<(K, V)> {
        let victim = self.take_next()?;
        self.age(victim.uses);
        Some((victim.key, victim.value))
    }

    /// Remembers the counts, before an entry may be removed.
    fn remember(&mut self) {
        if self.is(Fault::CountSurvives) {
            let counts = self.model.get_mut().inner.entries.iter().map(|entry| (entry.key.clone(), entry.uses));
            let counts: Vec<_> = counts.collect();
            self.left.retain(|(key, _)| counts.iter().all(|(present, _)| present != key));
            self.left.extend(counts);
        }
    }

    fn full(&mut self) -> bool {
        let spare = match self.fault {
            Some(Fault::HoldsOneTooMany) => 1,
            Some(Fault::ZeroHoldsOne) if self.max_size() == 0 => 1,
            _ => 0,
        };
        let early = usize::from(self.is(Fault::EvictsEarly));
        self.model().entries.len() + early >= self.max_size() + spare
    }
}

impl<K: Clone + Eq + Hash + Debug, V: Clone + Eq + Hash> SystemUnderTest<K, V> for Faulty<K, V> {
    fn insert(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        if self.refuses_as_expired(&key) {
            return Err(Refusal::Expired);
        }
        self.remember();
        let full = self.full();
        let floor = self.model().floor;
        if full && self.is(Fault::FloorMovesBeforeItCompares) {
            self.age_to_next();
        }
        let mut victim = None;
        if full && self.is(Fault::EvictsBeforeItLooks) {
            victim = self.evict();
        }
        if full && self.is(Fault::EvictsBeforeItCompares) {
            let first = *self.model().order().first().unwrap_or(&0);
            let out = (first < self.model().entries.len()).then(|| self.model().entries.remove(first));
            let is_present = self.holds(&key) || out.as_ref().is_some_and(|out| out.key == key);
            if let Some(out) = out {
                self.model().entries.insert(first, out);
            }
            if is_present {
                return self.insert_present(key, value);
            }
        } else if self.holds(&key) {
            match self.fault {
                Some(Fault::PresentKeyMovesTheFloor) if full => self.age_to_next(),
                Some(Fault::FloorMovesBeforeItCompares) => self.model().floor = floor,
                _ => {}
            }
            return self.insert_present(key, value);
        }
        let holds_none = self.max_size() == 0 && !self.is(Fault::ZeroHoldsOne) && !self.is(Fault::HoldsOneTooMany);
        if holds_none || (full && self.max_size() == 1 && self.is(Fault::NewcomerGoesAtOne)) {
            if self.is(Fault::NewcomerAtZeroMovesTheFloor) {
                let start = self.start(floor);
                self.age(start);
            }
            return Ok(Some((key, value)));
        }
        if full && victim.is_none() && !self.is(Fault::NewcomerIsPlacedFirst) {
            victim = self.evict();
        }
        let start = if full { self.start(floor) } else { self.start_with_room() };
        let uses = self.left.iter().find_map(|(left, uses)| (*left == key).then_some(*uses)).unwrap_or(start);
        self.model().entries.push(Entry { key, value, uses });
        if self.is(Fault::NewcomerIsPlacedFirst) {
            return Ok(if full { self.evict() } else { None });
        }
        Ok(victim.filter(|_| !self.is(Fault::VictimIsNotReturned)))
    }

    fn get(&mut self, key: &K) -> Option<V> {
        if self.is(Fault::PanicPoisons) {
            if self.busy.replace(true) {
                return None;
            }
            let found = self.expiring().get(key);
            self.busy.set(false);
            return found;
        }
        if self.holds_expired(key) {
            return self.get_expired(key);
        }
        if !self.contains_key(key) {
            if self.is(Fault::MissEvicts) {
                self.evict();
            }
            return None;
        }
        let fault = self.fault;
        let model = self.model();
        let max_uses = model.max_uses;
        match fault {
            Some(Fault::HitIsNoUse) => {}
            Some(Fault::HitTakesTheEntryOut) => {
                let place = model.entries.iter().position(|entry| entry.key == *key)?;
                let mut entry = model.entries.remove(place);
                let value = entry.value.clone();
                entry.uses = max_uses.min(entry.uses + 1);
                model.entries.push(entry);
                return Some(value);
            }
            Some(Fault::HitDoesNotMove) => {
                let hit = model.entries.iter_mut().find(|entry| entry.key == *key);
                if let Some(entry) = hit {
                    entry.uses = max_uses.min(entry.uses + 1);
                }
            }
            _ => {
                let before = model.entries.iter().find(|entry| entry.key == *key)?.uses;
                model.get(key);
                let floor = model.floor;
                let uses = &mut model.entries.last_mut()?.uses;
                match fault {
                    Some(Fault::HitCountsFromTheFloor) if floor > 0 => *uses = max_uses.min(floor + 2),
                    Some(Fault::FirstHitIsFree) if before == 1 && max_uses > 1 => *uses = 1,
                    Some(Fault::SaturationWraps) if before == max_uses => *uses = 1,
                    _ => {}
                }
            }
        }
        self.peek_quietly(key)
    }

    fn try_get(&mut self, key: &K) -> Result<V, Refusal> {
        let tells_expired = match self.fault {
            Some(Fault::ExpiredIsNotFound) => false,
            Some(Fault::AbsentIsExpired) => self.is_past(key),
            _ => self.holds_expired(key),
        };
        let quietly = self.is(Fault::TryGetIsNoUse) && !tells_expired;
        let found = if quietly { self.peek_quietly(key) } else { self.get(key) };
        found.ok_or(if tells_expired { Refusal::Expired } else { Refusal::NotFound })
    }

    fn peek(&self, key: &K) -> Option<V> {
        if self.is(Fault::PeekIsAUse) {
            return self.model.borrow_mut().get(key);
        }
        if self.holds_expired(key) {
            return self.peek_expired(key);
        }
        self.peek_quietly(key)
    }

    fn contains_key(&self, key: &K) -> bool {
        let is_there =
            self.peek_quietly(key).is_some() || (self.is(Fault::AskingFindsExpired) && self.holds_expired(key));
        if self.is(Fault::AskingForgets) && self.model.borrow().items().first().is_some_and(|(next, _)| next == key) {
            let _ = self.model.borrow_mut().remove(key);
        }
        is_there
    }

    fn remove(&mut self, key: &K) -> Result<V, Refusal> {
        self.remember();
        if self.is(Fault::RemovesAndDropsInside) {
            let entries = &mut self.model().entries;
            let place = entries.iter().position(|entry| entry.key == *key).ok_or(Refusal::NotFound)?;
            let mut out = std::mem::take(entries);
            let Entry { key, value, .. } = out.remove(place);
            drop(key);
            *entries = out;
            return Ok(value);
        }
        if self.is(Fault::RemovalRefusesExpired) && self.holds_expired(key) {
            return Err(Refusal::Expired);
        }
        if self.is(Fault::RemovalMovesTheFloor) {
            self.age_to(key);
        }
        let removed = self.model().remove(key);
        if removed.is_err() && self.is(Fault::RemovesSomethingElse) {
            self.evict();
        }
        removed
    }

    fn pop(&mut self) -> Result<(K, V), Refusal> {
        self.remember();
        let popped = match self.fault {
            Some(Fault::PopsTheLast) => self.take_last(),
            Some(Fault::PopPassesExpiredOver) => self.take_first(false),
            _ => None,
        };
        if self.is(Fault::PopMovesTheFloor) {
            self.age_to_next();
        }
        let next = popped.or_else(|| self.take_next().map(|entry| (entry.key, entry.value)));
        next.ok_or(Refusal::Empty)
    }

    fn clear(&mut self) {
        self.remember();
        let floor = self.model().floor;
        self.model().clear();
        self.model.clear_aliases();
        if self.is(Fault::ClearKeepsTheFloor) {
            self.model().floor = floor;
        }
    }

    fn copy(&self) -> Option<Self> {
        if self.is(Fault::CopyTakesTheEntries) {
            let out = std::mem::take(&mut self.model.borrow_mut().inner.entries);
            let entries = out.clone();
            self.model.borrow_mut().inner.entries = out;
            let copy = self.clone();
            copy.model.borrow_mut().inner.entries = entries;
            return Some(copy);
        }
        let mut copy = self.clone();
        match self.fault {
            Some(Fault::CopyForgetsCounts) => copy.model().entries.iter_mut().for_each(|entry| entry.uses = 1),
            Some(Fault::CopyForgetsTheOrder) => copy.model().entries.reverse(),
            Some(Fault::CopyForgetsTheFloor) => copy.model().floor = 0,
            Some(Fault::CopyIsEmpty) => copy.model().clear(),
            Some(Fault::CopyIsAnAlias) => copy.model.share(&self.model),
            _ => {}
        }
        Some(copy)
    }

    fn max_size(&self) -> usize {
        self.model.borrow().max_size()
    }

    fn set_max_size(&mut self, max_size: usize) -> Option<Vec<(K, V)>> {
        self.remember();
        self.model().max_size = max_size;
        let mut excess = self.model().entries.len().saturating_sub(max_size);
        if self.is(Fault::ShrinksOneTooMany) && self.model().entries.len() == max_size {
            excess += 1;
        }
        let (floor, first) = (self.model().floor, self.next_weight());
        let from_the_end = self.is(Fault::ShrinksFromTheWrongEnd);
        let one = |_| if from_the_end { self.take_last() } else { self.evict() };
        let mut gone: Vec<_> = (0..excess).filter_map(one).collect();
        match self.fault {
            Some(Fault::ShrinkingLeavesTheFloor) => self.model().floor = floor,
            Some(Fault::ShrinkingKeepsTheFirstFloor) if !gone.is_empty() => self.age(first),
            _ => {}
        }
        if self.is(Fault::ShrinkingTellsBackwards) {
            gone.reverse();
        }
        Some(gone)
    }

    fn iterate(&self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        Some(self.iterate_over(from_back))
    }

    fn next_victim(&self) -> Option<Option<(K, V)>> {
        Some(self.look_at_next())
    }

    fn get_or_insert(&mut self, key: K, value: V) -> Option<FoundOrInserted<K, V>> {
        Some(self.find_or_insert(key, value))
    }

    fn get_mut(&mut self, key: &K, value: V) -> Option<Option<V>> {
        Some(self.find_and_set(key, value))
    }

    fn retain(&mut self, keep: &mut dyn FnMut(&K, &V) -> bool) -> Option<()> {
        self.keep(keep);
        Some(())
    }

    fn drain(&mut self, from_back: &mut dyn FnMut() -> bool) -> Option<Vec<(K, V)>> {
        Some(self.take_all(from_back))
    }

    fn set_time(&mut self, now: u64) -> Option<()> {
        self.turn(now);
        Some(())
    }

    fn remove_expired(&mut self) -> Option<Vec<(K, V)>> {
        Some(self.take_expired())
    }

    fn len(&self) -> usize {
        if self.is(Fault::LenLeavesExpiredOut) { self.not_expired().len() } else { self.model.borrow().len() }
    }

    fn items(&self) -> Vec<(K, V)> {
        if self.is(Fault::ItemsLeaveExpiredOut) { self.not_expired() } else { self.model.borrow().items() }
    }

    fn keys(&self) -> Vec<K> {
        if self.is(Fault::KeysInAnotherOrder) {
            return self.model.borrow().inner.entries.iter().map(|entry| entry.key.clone()).collect();
        }
        self.model.borrow().keys()
    }

    fn reversed(&self) -> Vec<(K, V)> {
        if self.is(Fault::ReversedIsNot) { self.items() } else { self.model.borrow().reversed() }
    }
}

impl<K: Clone + Eq + Hash + Debug, V: Clone + Eq + Hash> Faulty<K, V> {
    fn peek_quietly(&self, key: &K) -> Option<V> {
        self.model.borrow().peek(key)
    }
}

impl<K: Clone + Eq + Hash + Debug, V: Clone + Eq + Hash> Explore<K, V> for Faulty<K, V> {
    fn fork(&self) -> Self {
        self.clone()
    }

    fn fingerprint(&self, names: Names<'_, K>) -> Vec<u64> {
        let mut left: Vec<_> = self.left.iter().map(|(key, uses)| [names.of(key), *uses]).collect();
        left.sort_unstable();
        let mut fingerprint = left.concat();
        fingerprint.extend([u64::MAX, self.busy.get().into()]);
        fingerprint.extend(self.model.borrow().fingerprint(names));
        fingerprint
    }
}
