//! Caches that are each wrong in one subtle way: the proof that the comparison can fail.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::closure::{Explore, Names};
use crate::model::{Entry, EvictionPolicy, Model};
use crate::operation::Refusal;
use crate::subject::Subject;

/// What is wrong with a [`Broken`] cache.
///
/// ```
/// use aws_client_cache_spec::{Broken, EvictionPolicy, Fault, Scope, closure};
///
/// let scope = Scope { policy: EvictionPolicy::Lfu, max_size: 2, keys: 3, max_uses: 3, symmetric: false };
/// for fault in Fault::ALL {
///     let broken = |policy, max_size, max_uses| Broken::new(fault, policy, max_size, max_uses);
///     assert!(closure(scope, broken).is_err() , "{fault:?} passes for a cache");
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    /// D1: holds one entry more than it may.
    HoldsOneTooMany,
    /// D1: at a bound of 0, one entry is held.
    ZeroHoldsOne,
    /// D2: a victim goes before the cache is full.
    EvictsEarly,
    /// D2: what went is not told.
    VictimIsNotReturned,
    /// D2: at a bound of 1, the newcomer goes.
    NewcomerGoesAtOne,
    /// D2, F1: the newcomer is placed before the victim is chosen.
    NewcomerIsPlacedFirst,
    /// D3: a full cache evicts before it finds that the key is present.
    EvictsBeforeItLooks,
    /// D3: a refused insertion counts as a use.
    RefusalIsAUse,
    /// D3: a present key is replaced.
    Replaces,
    /// D4: a hit counts no use.
    HitIsNoUse,
    /// D4: the hit that is an error on a miss counts no use.
    TryGetIsNoUse,
    /// D4: a miss evicts the next victim.
    MissEvicts,
    /// D5: peeking counts a use.
    PeekIsAUse,
    /// D5: asking whether a key is there forgets it if it is the next victim.
    AskingForgets,
    /// D6: popping takes the last one to go.
    PopsTheLast,
    /// D6: removal of an absent key removes the next victim.
    RemovesSomethingElse,
    /// D7: the keys come in the order of last use, whatever the policy.
    KeysInAnotherOrder,
    /// D7: reversed is not.
    ReversedIsNot,
    /// D8: a copy starts all counts anew.
    CopyForgetsCounts,
    /// D8: a copy forgets the order of last use.
    CopyForgetsTheOrder,
    /// D8: a copy is empty.
    CopyIsEmpty,
    /// D9: shrinking takes the last ones to go.
    ShrinksFromTheWrongEnd,
    /// D9: shrinking tells what went backwards.
    ShrinkingTellsBackwards,
    /// D9: shrinking to exactly what is there evicts one.
    ShrinksOneTooMany,
    /// D10: a key that returns has the count that it had.
    CountSurvives,
    /// L1, F1: a hit counts, but does not become the last use.
    HitDoesNotMove,
    /// F1: of equal counts, the most recently used goes.
    TiesByMostRecent,
    /// F1: the first hit is not counted.
    FirstHitIsFree,
    /// F1: a count that would saturate starts anew.
    SaturationWraps,
}

impl Fault {
    /// All of them.
    ///
    /// The type shows an example.
    pub const ALL: [Self; 29] = [
        Self::HoldsOneTooMany,
        Self::ZeroHoldsOne,
        Self::EvictsEarly,
        Self::VictimIsNotReturned,
        Self::NewcomerGoesAtOne,
        Self::NewcomerIsPlacedFirst,
        Self::EvictsBeforeItLooks,
        Self::RefusalIsAUse,
        Self::Replaces,
        Self::HitIsNoUse,
        Self::TryGetIsNoUse,
        Self::MissEvicts,
        Self::PeekIsAUse,
        Self::AskingForgets,
        Self::PopsTheLast,
        Self::RemovesSomethingElse,
        Self::KeysInAnotherOrder,
        Self::ReversedIsNot,
        Self::CopyForgetsCounts,
        Self::CopyForgetsTheOrder,
        Self::CopyIsEmpty,
        Self::ShrinksFromTheWrongEnd,
        Self::ShrinkingTellsBackwards,
        Self::ShrinksOneTooMany,
        Self::CountSurvives,
        Self::HitDoesNotMove,
        Self::TiesByMostRecent,
        Self::FirstHitIsFree,
        Self::SaturationWraps,
    ];
}

/// A cache that is right but for one [`Fault`], or altogether.
///
/// ```
/// use aws_client_cache_spec::{Broken, EvictionPolicy, Fault, Subject};
///
/// let mut broken = Broken::new(Fault::ReversedIsNot, EvictionPolicy::Lru, 2, u64::MAX);
/// broken.insert(1, 10)?;
/// broken.insert(2, 20)?;
/// assert_eq!(broken.reversed(), broken.items());
/// # Ok::<(), aws_client_cache_spec::Refusal>(())
/// ```
#[derive(Clone, Debug)]
pub struct Broken {
    fault: Option<Fault>,
    /// Looking changes it, under some faults.
    model: RefCell<Model<u8, u64>>,
    /// The counts of keys that left, for the fault that remembers them.
    left: BTreeMap<u8, u64>,
}

impl Broken {
    /// An empty cache with this fault; with `None` it has none, and differs from the others in nothing else.
    ///
    /// The type shows an example.
    pub fn new(fault: impl Into<Option<Fault>>, policy: EvictionPolicy, max_size: usize, max_uses: u64) -> Self {
        let fault = fault.into();
        Self { fault, model: RefCell::new(Model::with_max_uses(policy, max_size, max_uses)), left: BTreeMap::new() }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn model(&mut self) -> &mut Model<u8, u64> {
        self.model.get_mut()
    }

    /// Takes out the last one to go.
    fn take_last(&mut self) -> Option<(u8, u64)> {
        let (key, value) = *self.model().items().last()?;
        self.model().remove(&key).ok()?;
        Some((key, value))
    }

    /// Takes out the next victim, with the fault that is about ties.
    fn evict(&mut self) -> Option<(u8, u64)> {
        let lowest = self.model().entries.iter().map(|entry| entry.uses).min()?;
        let victim = if self.is(Fault::TiesByMostRecent) {
            let tied = self.model().entries.iter().rposition(|entry| entry.uses == lowest)?;
            let key = self.model().entries[tied].key;
            (key, self.model().remove(&key).ok()?)
        } else {
            self.model().pop().ok()?
        };
        Some(victim)
    }

    /// Remembers the counts, before something may go.
    fn remember(&mut self) {
        if self.is(Fault::CountSurvives) {
            let counts = self.model.get_mut().entries.iter().map(|entry| (entry.key, entry.uses));
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
        self.len() + early >= self.max_size() + spare
    }
}

impl Subject<u8, u64> for Broken {
    fn insert(&mut self, key: u8, value: u64) -> Result<Option<(u8, u64)>, Refusal> {
        self.remember();
        let full = self.full();
        let mut victim = None;
        if full && self.is(Fault::EvictsBeforeItLooks) {
            victim = self.evict();
        }
        if self.contains_key(&key) {
            match self.fault {
                Some(Fault::RefusalIsAUse) => drop(self.model().get(&key)),
                Some(Fault::Replaces) => {
                    let present = self.model().entries.iter_mut().find(|entry| entry.key == key);
                    if let Some(entry) = present {
                        entry.value = value + 100;
                    }
                }
                _ => {}
            }
            return Err(Refusal::AlreadyExists);
        }
        let holds_none = self.max_size() == 0 && !self.is(Fault::ZeroHoldsOne) && !self.is(Fault::HoldsOneTooMany);
        if holds_none || (full && self.max_size() == 1 && self.is(Fault::NewcomerGoesAtOne)) {
            return Ok(Some((key, value)));
        }
        let uses = self.left.get(&key).copied().unwrap_or(1);
        let newcomer = Entry { key, value, uses };
        if self.is(Fault::NewcomerIsPlacedFirst) {
            self.model().entries.push(newcomer);
            return Ok(if full { self.evict() } else { None });
        }
        if full && victim.is_none() {
            victim = self.evict();
        }
        self.model().entries.push(newcomer);
        Ok(victim.filter(|_| !self.is(Fault::VictimIsNotReturned)))
    }

    fn get(&mut self, key: &u8) -> Option<u64> {
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
            Some(Fault::HitDoesNotMove) => {
                let hit = model.entries.iter_mut().find(|entry| entry.key == *key);
                if let Some(entry) = hit {
                    entry.uses = max_uses.min(entry.uses + 1);
                }
            }
            _ => {
                let before = model.entries.iter().find(|entry| entry.key == *key)?.uses;
                model.get(key);
                let uses = &mut model.entries.last_mut()?.uses;
                match fault {
                    Some(Fault::FirstHitIsFree) if before == 1 && max_uses > 1 => *uses = 1,
                    Some(Fault::SaturationWraps) if before == max_uses => *uses = 1,
                    _ => {}
                }
            }
        }
        self.peek_quietly(*key)
    }

    fn try_get(&mut self, key: &u8) -> Result<u64, Refusal> {
        let found = if self.is(Fault::TryGetIsNoUse) { self.peek_quietly(*key) } else { self.get(key) };
        found.ok_or(Refusal::NotFound)
    }

    fn peek(&self, key: &u8) -> Option<u64> {
        if self.is(Fault::PeekIsAUse) {
            return self.model.borrow_mut().get(key);
        }
        self.peek_quietly(*key)
    }

    fn contains_key(&self, key: &u8) -> bool {
        let is_there = self.peek_quietly(*key).is_some();
        if self.is(Fault::AskingForgets) && self.model.borrow().items().first().is_some_and(|(next, _)| next == key) {
            let _ = self.model.borrow_mut().remove(key);
        }
        is_there
    }

    fn remove(&mut self, key: &u8) -> Result<u64, Refusal> {
        self.remember();
        let removed = self.model().remove(key);
        if removed.is_err() && self.is(Fault::RemovesSomethingElse) {
            self.evict();
        }
        removed
    }

    fn pop(&mut self) -> Result<(u8, u64), Refusal> {
        self.remember();
        let popped = if self.is(Fault::PopsTheLast) { self.take_last() } else { self.evict() };
        popped.ok_or(Refusal::Empty)
    }

    fn clear(&mut self) {
        self.remember();
        self.model().clear();
    }

    fn copy(&self) -> Self {
        let mut copy = self.clone();
        match self.fault {
            Some(Fault::CopyForgetsCounts) => copy.model().entries.iter_mut().for_each(|entry| entry.uses = 1),
            Some(Fault::CopyForgetsTheOrder) => copy.model().entries.sort_by_key(|entry| entry.key),
            Some(Fault::CopyIsEmpty) => copy.model().clear(),
            _ => {}
        }
        copy
    }

    fn max_size(&self) -> usize {
        self.model.borrow().max_size()
    }

    fn set_max_size(&mut self, max_size: usize) -> Vec<(u8, u64)> {
        self.remember();
        self.model().max_size = max_size;
        let mut excess = self.len().saturating_sub(max_size);
        if self.is(Fault::ShrinksOneTooMany) && self.len() == max_size {
            excess += 1;
        }
        let from_the_end = self.is(Fault::ShrinksFromTheWrongEnd);
        let one = |_| if from_the_end { self.take_last() } else { self.evict() };
        let mut gone: Vec<_> = (0..excess).filter_map(one).collect();
        if self.is(Fault::ShrinkingTellsBackwards) {
            gone.reverse();
        }
        gone
    }

    fn len(&self) -> usize {
        self.model.borrow().len()
    }

    fn items(&self) -> Vec<(u8, u64)> {
        self.model.borrow().items()
    }

    fn keys(&self) -> Vec<u8> {
        if self.is(Fault::KeysInAnotherOrder) {
            return self.model.borrow().by_last_use().map(|(key, _)| *key).collect();
        }
        self.model.borrow().keys()
    }

    fn reversed(&self) -> Vec<(u8, u64)> {
        if self.is(Fault::ReversedIsNot) { self.items() } else { self.model.borrow().reversed() }
    }
}

impl Broken {
    fn peek_quietly(&self, key: u8) -> Option<u64> {
        self.model.borrow().peek(&key)
    }
}

impl Explore for Broken {
    fn fork(&self) -> Self {
        self.clone()
    }

    fn layout(&self, names: Names<'_>) -> Vec<u64> {
        let left = self.left.iter().flat_map(|(key, uses)| [names.of(*key), *uses]);
        let mut layout: Vec<_> = left.collect();
        layout.push(u64::MAX);
        layout.extend(self.model.borrow().layout(names));
        layout
    }
}
