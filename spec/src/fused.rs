//! Keys and values whose callbacks panic when a test says so.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

/// The code of a caller that a cache runs.
///
/// [`with_fuse`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Callback {
    /// A key is hashed.
    Hash,
    /// A key is compared.
    Eq,
    /// A key or a value is cloned.
    Clone,
    /// A key or a value is dropped.
    Drop,
}

impl Callback {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Hash, Self::Eq, Self::Clone, Self::Drop];
}

thread_local! {
    /// Which callback is to panic, and how many calls of it from now.
    static FUSE: Cell<Option<(Callback, usize)>> = const { Cell::new(None) };
    /// How many were made on this thread and not yet dropped.
    static ALIVE: Cell<isize> = const { Cell::new(0) };
    /// What is called when one is dropped.
    static ON_DROP: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Calls `call`, on this thread, and `hook` whenever a [`Fused`] is dropped in it, but for those that the hook drops.
pub(crate) fn on_drop(hook: impl Fn() + 'static, call: impl FnOnce()) {
    ON_DROP.set(Some(Rc::new(hook)));
    call();
    ON_DROP.set(None);
}

/// What a fuse panics with.
struct Blown;

fn called(callback: Callback) {
    match FUSE.get() {
        Some((armed, 0)) if armed == callback => {
            FUSE.set(None);
            resume_unwind(Box::new(Blown)); // `panic!` would print a message
        }
        Some((armed, calls)) if armed == callback => FUSE.set(Some((armed, calls - 1))),
        _ => {}
    }
}

/// What became of a call under a fuse.
///
/// [`with_fuse`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Burned<T> {
    /// It made fewer calls of the callback.
    Intact(T),
    /// The fuse blew: the callback panicked.
    Blown,
    /// It panicked of itself.
    Panicked,
}

/// Calls `call`, on this thread, with a fuse that makes one call of a callback panic, after `calls` calls that don't.
/// Only keys and values that are [`Fused`] have one. The panic prints no message.
///
/// ```
/// use aws_client_cache_spec::{Burned, Callback, Fused, with_fuse};
///
/// let key = Fused::new(1);
/// assert_eq!(with_fuse(Callback::Eq, 1, || key == key), Burned::Intact(true));
/// assert_eq!(with_fuse(Callback::Eq, 1, || key == key && key == key), Burned::Blown);
/// ```
pub fn with_fuse<T>(callback: Callback, calls: usize, call: impl FnOnce() -> T) -> Burned<T> {
    FUSE.set(Some((callback, calls)));
    let result = catch_unwind(AssertUnwindSafe(call));
    let blown = FUSE.take().is_none();
    match result {
        Ok(result) if !blown => Burned::Intact(result),
        Err(payload) if !payload.is::<Blown>() => Burned::Panicked,
        // A cache may have caught it.
        _ => Burned::Blown,
    }
}

/// A key or a value whose callbacks can be made to panic, [`with_fuse`], and which is counted.
///
/// ```
/// use aws_client_cache_spec::Fused;
///
/// let before = Fused::<u8>::alive();
/// let value = Fused::new(7);
/// assert_eq!(*value.get(), 7);
/// assert_eq!(Fused::<u8>::alive(), before + 1);
/// ```
pub struct Fused<T>(T);

impl<T> Fused<T> {
    /// One more.
    ///
    /// The type shows an example.
    pub fn new(inner: T) -> Self {
        ALIVE.set(ALIVE.get() + 1);
        Self(inner)
    }

    /// What is inside.
    ///
    /// The type shows an example.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// How many, of all types, were made on this thread and not dropped there.
    ///
    /// The type shows an example.
    pub fn alive() -> isize {
        ALIVE.get()
    }
}

impl<T> From<T> for Fused<T> {
    fn from(inner: T) -> Self {
        Self::new(inner)
    }
}

impl<T: Hash> Hash for Fused<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        called(Callback::Hash);
        self.0.hash(state);
    }
}

impl<T: PartialEq> PartialEq for Fused<T> {
    fn eq(&self, other: &Self) -> bool {
        called(Callback::Eq);
        self.0 == other.0
    }
}

impl<T: Eq> Eq for Fused<T> {}

impl<T: Clone> Clone for Fused<T> {
    fn clone(&self) -> Self {
        called(Callback::Clone);
        Self::new(self.0.clone())
    }
}

impl<T> Drop for Fused<T> {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
        // When the thread ends, there is no hook any more.
        if let Ok(Some(hook)) = ON_DROP.try_with(RefCell::take) {
            hook();
            ON_DROP.set(Some(hook));
        }
        called(Callback::Drop);
    }
}

/// As what is inside.
impl<T: fmt::Debug> fmt::Debug for Fused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
