//! The insertion of a present key into a cache with a fault.

use std::fmt::Debug;
use std::hash::Hash;
use std::mem::replace;

use super::Faulty;
use crate::faulty::Fault;
use crate::model::{Entry, InsertionMode};
use crate::operation::Refusal;
use crate::system_under_test::SystemUnderTest;

impl<K: Clone + Eq + Hash + Debug, V: Clone + Eq + Hash> Faulty<K, V> {
    /// Sets the effect of inserting a present key, as [`Model::with_insertion`](crate::Model) does.
    ///
    /// ```
    /// use aws_client_cache_spec::faults::{Fault, Faulty};
    /// use aws_client_cache_spec::{InsertionMode, Policy, SystemUnderTest};
    ///
    /// let faulty = Faulty::new(Fault::ReplacementKeepsTheOld, Policy::Lru, 1, u64::MAX);
    /// let mut faulty = faulty.with_insertion(InsertionMode::Replace);
    /// faulty.insert('a', 1)?;
    /// faulty.insert('a', 2)?;
    /// assert_eq!(faulty.get(&'a'), Some(1));
    /// # Ok::<(), aws_client_cache_spec::Refusal>(())
    /// ```
    #[must_use]
    pub fn with_insertion(mut self, insertion: InsertionMode) -> Self {
        self.model().insertion = insertion;
        self
    }

    /// Inserts a key that is present.
    pub(super) fn insert_present(&mut self, key: K, value: V) -> Result<Option<(K, V)>, Refusal> {
        match self.fault {
            Some(Fault::PresentKeyRemovesOthers) => self.model().entries.retain(|entry| entry.key == key),
            Some(Fault::PresentKeyClears) => {
                let replaced = self.model().peek(&key).filter(|_| self.model().insertion == InsertionMode::Replace);
                self.model().clear();
                return match (replaced, self.model().insertion) {
                    (Some(old), _) => self.model().insert(key.clone(), value).map(|_| Some((key, old))),
                    (None, InsertionMode::Refuse) => Err(Refusal::AlreadyExists),
                    (None, _) => Ok(None),
                };
            }
            Some(Fault::RefusalIsAUse) => drop(self.model().get(&key)),
            Some(Fault::Replaces) => {
                if let Some(entry) = self.model().entries.iter_mut().find(|entry| entry.key == key) {
                    entry.value = value.clone();
                }
            }
            Some(Fault::RefusesPresentKeys) => return Err(Refusal::AlreadyExists),
            _ => {}
        }
        match self.model().insertion {
            InsertionMode::Refuse => Err(Refusal::AlreadyExists),
            InsertionMode::Replace => Ok(self.replace_present(key, value)),
            InsertionMode::KeepFirst => Ok(None),
        }
    }

    /// Replaces the value of a key that is present, and returns the key with the old value.
    fn replace_present(&mut self, key: K, mut value: V) -> Option<(K, V)> {
        let start = self.start_with_room();
        let fault = self.fault;
        let model = &mut self.model.get_mut().inner;
        let position = model.position(&key)?;
        if fault == Some(Fault::ReplacementDoesNotMove) {
            return Some((key, replace(&mut model.entries[position].value, value)));
        }
        if fault == Some(Fault::ReplacementDropsInside) {
            let stored = key.clone();
            let Entry { key: removed, value: old, uses } = model.entries.remove(position);
            drop(removed);
            model.entries.push(Entry { key: stored, value, uses });
            return Some((key, old));
        }
        let returned = match fault {
            Some(Fault::ReplacementReturnsTheNew) => Some(value.clone()),
            Some(Fault::ReplacementKeepsTheOld) => {
                value = model.entries[position].value.clone();
                None
            }
            _ => None,
        };
        let mut entry = model.entries.remove(position);
        match fault {
            Some(Fault::ReplacementIsAUse) => entry.uses = model.max_uses.min(entry.uses + 1),
            Some(Fault::ReplacementStartsAnew) => entry.uses = start,
            _ => {}
        }
        let old = replace(&mut entry.value, value);
        model.entries.push(entry);
        Some((key, returned.unwrap_or(old)))
    }
}
