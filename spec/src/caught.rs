//! Panics of a cache under test, caught without a message on the terminal.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::panic_probe::is_injected;

thread_local! {
    /// Is `true` while panics of this thread are caught.
    static CATCHES: Cell<bool> = const { Cell::new(false) };
    /// The message of the last caught panic.
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

static HOOK: Once = Once::new();

/// Makes the panics in a call print nothing, and keeps their message for [`message`].
pub(crate) fn quietly<T>(call: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            CATCHES.set(self.0);
        }
    }

    HOOK.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |info| {
            if !CATCHES.get() {
                return others(info);
            }
            let message = info.payload_as_str().unwrap_or("without a message");
            let place = info.location().map_or_else(String::new, |place| format!(" ({place})"));
            MESSAGE.set(format!("{message}{place}"));
        }));
    });
    let _restore = Restore(CATCHES.replace(true));
    call()
}

/// Takes the message of the last caught panic.
pub(crate) fn message() -> String {
    MESSAGE.take()
}

/// Calls a cache under test, and returns the message of its panic, if it panics.
pub(crate) fn caught<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    match quietly(|| catch_unwind(AssertUnwindSafe(call))) {
        Ok(result) => Ok(result),
        Err(panic) if is_injected(&*panic) => resume_unwind(panic),
        Err(_) => Err(message()),
    }
}
