//! Messages of the level of panic safety: each names the operation that is wrong.

use aws_client_cache_spec::check::{Callback, Level, PanicProbe, panics};
use aws_client_cache_spec::{Explore, Model, Operation, Refusal, Scope, SystemUnderTest};

type Key = PanicProbe<u8>;
type Value = PanicProbe<u64>;

/// An LRU with a fault.
#[derive(Clone)]
struct Wrong(Model<Key, Value>, Fault);

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// A removal leaks the key.
    RemovalLeaks,
    /// The newest entry is popped.
    PopsTheNewest,
    /// A look-up takes all entries out of the cache while it compares keys.
    TakesTheEntries,
}

fn new(fault: Fault) -> impl Fn(usize) -> Wrong {
    move |max_size| Wrong(Model::lru(max_size), fault)
}

impl SystemUnderTest<Key, Value> for Wrong {
    fn insert(&mut self, key: Key, value: Value) -> Result<Option<(Key, Value)>, Refusal> {
        self.0.insert(key, value)
    }

    fn get(&mut self, key: &Key) -> Option<Value> {
        if self.1 == Fault::TakesTheEntries {
            let (empty, other) = (Model::lru(self.max_size()), PanicProbe::new(u8::MAX));
            let taken = std::mem::replace(&mut self.0, empty);
            let _ = *key == other;
            self.0 = taken;
        }
        self.0.get(key)
    }

    fn remove(&mut self, key: &Key) -> Result<Value, Refusal> {
        if self.1 == Fault::RemovalLeaks && self.0.contains_key(key) {
            std::mem::forget(PanicProbe::new(0_u8));
        }
        self.0.remove(key)
    }

    fn pop(&mut self) -> Result<(Key, Value), Refusal> {
        if self.1 != Fault::PopsTheNewest {
            return self.0.pop();
        }
        let (key, _) = self.0.items().pop().ok_or(Refusal::Empty)?;
        let value = self.0.remove(&key)?;
        Ok((key, value))
    }

    fn max_size(&self) -> usize {
        self.0.max_size()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn items(&self) -> Vec<(Key, Value)> {
        self.0.items()
    }
}

impl Explore<Key, Value> for Wrong {
    fn fork(&self) -> Self {
        self.clone()
    }
}

#[test]
fn a_leak_without_a_panic_is_blamed_on_its_operation() {
    let found = panics(Scope::new(1, 1), Model::lru, new(Fault::RemovalLeaks)).unwrap_err();
    assert_eq!(found.operations(), [Operation::Insert(0, 0), Operation::Remove(0)]);
    let printed = found.to_string();
    assert!(printed.starts_with("// panic safety: leaks after Remove(0): the cache returns 1; "), "{printed}");
    assert!(printed.contains("drop((cache, model));\n    assert_eq!(PanicProbe::<u8>::alive(), 0);\n"), "{printed}");
}

#[test]
fn a_difference_of_a_later_operation_names_the_panic_before_it() {
    let found = panics(Scope::new(2, 2), Model::lru, new(Fault::PopsTheNewest)).unwrap_err();
    let printed = found.to_string();
    assert!(printed.starts_with("// panic safety: after call "), "{printed}");
    assert!(printed.contains(", then Insert(255, 0), Get(255), Pop: the cache returns Entry(255, 0); "), "{printed}");
}

#[test]
fn only_the_named_callbacks_panic() {
    let found = panics(Scope::new(2, 2), Model::lru, new(Fault::TakesTheEntries)).unwrap_err();
    assert_eq!(found.level(), Level::Panics);
    let callbacks = &[Callback::Hash, Callback::Clone, Callback::Drop];
    let some = panics(Scope { callbacks, ..Scope::new(2, 2) }, Model::lru, new(Fault::TakesTheEntries)).unwrap();
    let none = panics(Scope { callbacks: &[], ..Scope::new(2, 2) }, Model::lru, new(Fault::TakesTheEntries)).unwrap();
    assert!(some.panics > 0 && none.panics == 0, "{some:?}, {none:?}");
    assert_eq!((some.states, some.answered), (none.states, none.answered));
}
