//! The model of a cache with a fault, whose copies may be aliases.

use std::cell::{Cell, OnceCell, Ref, RefCell, RefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::expiry::Expiring;
use crate::model::Model;

/// A model in a cell, because some faults change it by looking.
#[derive(Debug)]
pub(super) struct Alias<K, V> {
    model: RefCell<Expiring<K, Model<K, V>>>,
    /// The number of times that this model and its aliases were cleared.
    clears: OnceCell<Arc<AtomicUsize>>,
    /// The number of them that this model has followed.
    followed: Cell<usize>,
}

impl<K, V> Alias<K, V> {
    pub(super) fn new(model: Expiring<K, Model<K, V>>) -> Self {
        Self { model: RefCell::new(model), clears: OnceCell::new(), followed: Cell::new(0) }
    }

    pub(super) fn borrow(&self) -> Ref<'_, Expiring<K, Model<K, V>>> {
        self.follow();
        self.model.borrow()
    }

    pub(super) fn borrow_mut(&self) -> RefMut<'_, Expiring<K, Model<K, V>>> {
        self.follow();
        self.model.borrow_mut()
    }

    pub(super) fn get_mut(&mut self) -> &mut Expiring<K, Model<K, V>> {
        self.follow();
        self.model.get_mut()
    }

    /// Makes this model an alias of another one: clearing either of them clears both.
    pub(super) fn share(&mut self, other: &Self) {
        self.clears = OnceCell::from(Arc::clone(other.clears.get_or_init(Arc::default)));
        self.followed = other.followed.clone();
    }

    /// Clears all aliases of this model.
    pub(super) fn clear_aliases(&self) {
        if let Some(clears) = self.clears.get() {
            clears.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Clears the model if an alias was cleared.
    fn follow(&self) {
        let clears = self.clears.get().map_or(0, |clears| clears.load(Ordering::Relaxed));
        if self.followed.replace(clears) != clears {
            let model = &mut self.model.borrow_mut().inner;
            model.entries.clear();
            model.floor = 0;
        }
    }
}

/// Copies the model, and no alias of it.
impl<K: Clone, V: Clone> Clone for Alias<K, V> {
    fn clone(&self) -> Self {
        self.follow();
        Self { model: self.model.clone(), clears: OnceCell::new(), followed: Cell::new(0) }
    }
}
