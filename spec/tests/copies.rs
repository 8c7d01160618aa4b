//! A copy is independent of its original, in both directions (D8).

use std::cell::RefCell;
use std::rc::Rc;

use aws_client_cache_spec::check::{dict, exhaustive, exhaustive_to_depth, order, step};
use aws_client_cache_spec::{
    CounterExample, Dict, Explore, Model, Names, Operation, Random, Refusal, Scope, SystemUnderTest,
};

/// The handles that continue with a cache of their own before they change it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Detaches {
    /// So all of them share one cache, like clones of an `Rc`.
    None,
    Originals,
    Copies,
    All,
}

/// A handle of a cache, whose copy is another handle.
struct Handle {
    cache: Rc<RefCell<Model<u8, u64>>>,
    is_copy: bool,
    detaches: Detaches,
}

impl Handle {
    fn new(max_size: usize, detaches: Detaches) -> Self {
        Self { cache: Rc::new(RefCell::new(Model::lru(max_size))), is_copy: false, detaches }
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Model<u8, u64>) -> T) -> T {
        let detaches = match self.detaches {
            Detaches::None => false,
            Detaches::Originals => !self.is_copy,
            Detaches::Copies => self.is_copy,
            Detaches::All => true,
        };
        if detaches {
            self.cache = self.fork().cache;
        }
        change(&mut self.cache.borrow_mut())
    }
}

impl SystemUnderTest<u8, u64> for Handle {
    fn insert(&mut self, key: u8, value: u64) -> Result<Option<(u8, u64)>, Refusal> {
        self.change(|cache| cache.insert(key, value))
    }

    fn get(&mut self, key: &u8) -> Option<u64> {
        self.change(|cache| cache.get(key))
    }

    fn remove(&mut self, key: &u8) -> Result<u64, Refusal> {
        self.change(|cache| cache.remove(key))
    }

    fn copy(&self) -> Option<Self> {
        Some(Self { cache: Rc::clone(&self.cache), is_copy: true, ..*self })
    }

    fn max_size(&self) -> usize {
        self.cache.borrow().max_size()
    }

    fn len(&self) -> usize {
        self.cache.borrow().len()
    }

    fn items(&self) -> Vec<(u8, u64)> {
        self.cache.borrow().items()
    }
}

impl Explore<u8, u64> for Handle {
    fn fork(&self) -> Self {
        Self { cache: Rc::new(RefCell::new(self.cache.borrow().clone())), ..*self }
    }

    fn fingerprint(&self, names: Names<'_, u8>) -> Vec<u64> {
        [vec![self.is_copy.into()], self.cache.borrow().fingerprint(names)].concat()
    }
}

/// Returns the counterexamples of all levels of one thread without panics.
fn refused(detaches: Detaches) -> Vec<CounterExample> {
    let new = |max_size| Handle::new(max_size, detaches);
    let (random, scope) = (Random { runs: 100, ..Random::new() }, Scope::new(2, 3));
    let found = [
        dict(random, Dict::new, new).err(),
        order(random, Model::lru, new).err(),
        exhaustive(scope, Model::lru, new).err(),
        exhaustive_to_depth(Scope { depth: 2, ..scope }, Model::lru, new).err(),
    ];
    found.into_iter().flatten().collect()
}

// Proves D8.
#[test]
fn a_copy_that_shares_state_is_refused_by_every_level() {
    for (detaches, changed) in [
        (Detaches::None, "the original of a changed copy"),
        (Detaches::Originals, "the original of a changed copy"),
        (Detaches::Copies, "the copy of a changed original"),
    ] {
        let all = refused(detaches);
        assert_eq!(all.len(), 4, "{detaches:?} passes");
        for found in all {
            let [Operation::Insert(..), Operation::Copy] = found.operations() else { panic!("{detaches:?}: {found}") };
            assert!(found.divergence().to_string().contains(changed), "{detaches:?}: {found}");
            assert!(found.to_string().contains("&Operation::Copy).unwrap();"), "{found}");
            // The printed test applies these operations.
            let (mut cache, mut model) = (Handle::new(2, detaches), Model::lru(2));
            let mut steps = found.operations().iter().map(|operation| step(&mut cache, &mut model, operation));
            assert_eq!(steps.next(), Some(Ok(())));
            assert!(steps.next().is_some_and(|copy| copy.is_err()), "{found}");
        }
    }
}

#[test]
fn handles_that_copy_before_every_change_have_every_level() {
    assert!(refused(Detaches::All).is_empty());
}
