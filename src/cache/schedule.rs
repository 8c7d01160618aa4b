//! Where a test's scheduler may switch threads: before each locking.

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
