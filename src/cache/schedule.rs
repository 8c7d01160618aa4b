//! A hook before each locking of a cache, where a test's scheduler may switch threads.

use std::cell::Cell;

thread_local! {
    static POINT: Cell<fn()> = const { Cell::new(|| {}) };
}

pub(super) fn at(point: fn()) {
    POINT.set(point);
}

pub(super) fn point() {
    POINT.get()();
}
