//! The insertion of a present key into a cache with a fault.

use std::mem::replace;

use super::Broken;
use crate::fleet::Fault;
use crate::model::{Entry, InsertionMode};
use crate::operation::Refusal;
use crate::subject::Subject;

impl<K: Clone + Eq, V: Clone> Broken<K, V> {
    /// Sets the effect of inserting a present key, as [`Model::with_insertion`](crate::Model) does.
    ///
    /// ```
    /// use aws_client_cache_spec::{Broken, EvictionPolicy, Fault, InsertionMode, Subject};
    ///
    /// let broken = Broken::new(Fault::ReplacementKeepsTheOld, EvictionPolicy::Lru, 1, u64::MAX);
    /// let mut broken = broken.with_insertion(InsertionMode::Replace);
    /// broken.insert('a', 1)?;
    /// broken.insert('a', 2)?;
    /// assert_eq!(broken.get(&'a'), Some(1));
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
        let model = self.model.get_mut();
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
