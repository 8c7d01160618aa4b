//! Keys and values whose callbacks panic on demand.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use crate::caught::quietly;

/// A callback: the code of a caller that a cache runs.
///
/// [`inject_panic`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Callback {
    /// Hashes a key.
    Hash,
    /// Compares a key, for equality or by order.
    Eq,
    /// Clones a key or a value.
    Clone,
    /// Drops a key or a value.
    Drop,
}

impl Callback {
    /// All callbacks.
    pub const ALL: [Self; 4] = [Self::Hash, Self::Eq, Self::Clone, Self::Drop];
}

thread_local! {
    /// The callback that will panic, and the number of its calls before that.
    static ARMED: Cell<Option<(Callback, usize)>> = const { Cell::new(None) };
    /// The number of values that were created on this thread and not yet dropped.
    static ALIVE: Cell<isize> = const { Cell::new(0) };
    /// The hook that is called when a value is dropped.
    static ON_DROP: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Calls `call` on this thread, and `hook` for each [`PanicProbe`] that is dropped in it.
///
/// Values that the hook itself drops do not call it.
pub(crate) fn on_drop(hook: impl Fn() + 'static, call: impl FnOnce()) {
    ON_DROP.set(Some(Rc::new(hook)));
    call();
    ON_DROP.set(None);
}

/// The payload of an injected panic.
struct InjectedPanic;

/// Returns `true` for the payload of an injected panic.
pub(crate) fn is_injected(payload: &(dyn Any + Send)) -> bool {
    payload.is::<InjectedPanic>()
}

fn called(callback: Callback) {
    match ARMED.get() {
        Some((armed, 0)) if armed == callback => {
            ARMED.set(None);
            resume_unwind(Box::new(InjectedPanic)); // `panic!` would print a message
        }
        Some((armed, calls)) if armed == callback => ARMED.set(Some((armed, calls - 1))),
        _ => {}
    }
}

/// The result of a call with an injected panic.
///
/// [`inject_panic`] shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injected<T> {
    /// The call made fewer calls of the callback, and returned.
    NotReached(T),
    /// The callback panicked.
    Reached,
    /// The call panicked for another reason.
    OtherPanic,
}

/// Calls `call` on this thread, and makes one call of a callback panic.
///
/// The panic follows after `calls` calls without one. Only [`PanicProbe`] keys and values can panic. The panic prints no
/// message.
///
/// ```
/// use aws_client_cache_spec::check::{Callback, Injected, PanicProbe, inject_panic};
///
/// let key = PanicProbe::new(1);
/// assert_eq!(inject_panic(Callback::Eq, 1, || key == key), Injected::NotReached(true));
/// assert_eq!(inject_panic(Callback::Eq, 1, || key == key && key == key), Injected::Reached);
/// ```
pub fn inject_panic<T>(callback: Callback, calls: usize, call: impl FnOnce() -> T) -> Injected<T> {
    ARMED.set(Some((callback, calls)));
    let result = quietly(|| catch_unwind(AssertUnwindSafe(call)));
    let reached = ARMED.take().is_none();
    match result {
        Ok(result) if !reached => Injected::NotReached(result),
        Err(payload) if !is_injected(&*payload) => Injected::OtherPanic,
        // A cache may have caught the panic.
        _ => Injected::Reached,
    }
}

/// A counted key or value whose callbacks can be made to panic by [`inject_panic`].
///
/// ```
/// use aws_client_cache_spec::check::PanicProbe;
///
/// let before = PanicProbe::<u8>::alive();
/// let value = PanicProbe::new(7);
/// assert_eq!(*value.get(), 7);
/// assert_eq!(PanicProbe::<u8>::alive(), before + 1);
/// ```
pub struct PanicProbe<T>(T);

impl<T> PanicProbe<T> {
    /// Creates a value, and counts it.
    ///
    /// The type shows an example.
    pub fn new(inner: T) -> Self {
        ALIVE.set(ALIVE.get() + 1);
        Self(inner)
    }

    /// Returns the inner value.
    ///
    /// The type shows an example.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// Returns the number of values, of all types, that were created on this thread and not dropped there.
    ///
    /// The type shows an example.
    pub fn alive() -> isize {
        ALIVE.get()
    }
}

impl<T> From<T> for PanicProbe<T> {
    fn from(inner: T) -> Self {
        Self::new(inner)
    }
}

impl<T: Hash> Hash for PanicProbe<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        called(Callback::Hash);
        self.0.hash(state);
    }
}

impl<T: PartialEq> PartialEq for PanicProbe<T> {
    fn eq(&self, other: &Self) -> bool {
        called(Callback::Eq);
        self.0 == other.0
    }
}

impl<T: Eq> Eq for PanicProbe<T> {}

/// Compares by order, which counts as a call of [`Callback::Eq`].
impl<T: PartialOrd> PartialOrd for PanicProbe<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        called(Callback::Eq);
        self.0.partial_cmp(&other.0)
    }
}

/// Compares by order, which counts as a call of [`Callback::Eq`].
impl<T: Ord> Ord for PanicProbe<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        called(Callback::Eq);
        self.0.cmp(&other.0)
    }
}

impl<T: Clone> Clone for PanicProbe<T> {
    fn clone(&self) -> Self {
        called(Callback::Clone);
        Self::new(self.0.clone())
    }
}

impl<T> Drop for PanicProbe<T> {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
        // When the thread ends, the hook no longer exists.
        if let Ok(Some(hook)) = ON_DROP.try_with(RefCell::take) {
            hook();
            ON_DROP.set(Some(hook));
        }
        called(Callback::Drop);
    }
}

/// Formats the inner value, or in the alternate form the code that creates it.
impl<T: fmt::Debug> fmt::Debug for PanicProbe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { write!(f, "PanicProbe::new({:?})", self.0) } else { self.0.fmt(f) }
    }
}
