//! [`Customization`], the part of a key's identity that a change of a service's config builder adds.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::hash::{Hash, Hasher};

/// The name of a customization, the type of its closure, and the value that the closure receives.
// K1a: closures that capture nothing and have one type are one function, so the type identifies the code.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Customization {
    pub(crate) name: Cow<'static, str>,
    pub(crate) function: TypeId,
    pub(crate) value: Option<Box<dyn Value>>,
}

/// A value whose type has no hash: only equality distinguishes it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Unhashed<V>(pub(crate) V);

impl<V> Hash for Unhashed<V> {
    // Equal values have equal hashes, as any two have.
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// A value of any type that can be compared and hashed.
pub(crate) trait Value: Any + Send + Sync {
    fn equals(&self, other: &dyn Value) -> bool;
    fn feed(&self, hasher: &mut dyn Hasher);
}

impl<V: Eq + Hash + Send + Sync + 'static> Value for V {
    fn equals(&self, other: &dyn Value) -> bool {
        (other as &dyn Any).downcast_ref::<V>().is_some_and(|other| self == other)
    }

    fn feed(&self, mut hasher: &mut dyn Hasher) {
        self.hash(&mut hasher);
    }
}

impl PartialEq for dyn Value {
    fn eq(&self, other: &Self) -> bool {
        self.equals(other)
    }
}

impl Eq for dyn Value {}

impl Hash for dyn Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.feed(state);
    }
}
