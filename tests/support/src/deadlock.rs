//! A time limit for tests that could hang.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Runs a test, and panics if it does not finish, as when it waits for a lock that is never released.
pub fn without_deadlock(test: impl FnOnce() + Send + 'static) {
    let (done, finished) = channel();
    let thread = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    // If the test panics, the channel is closed, and `join` returns the panic.
    let timeout = finished.recv_timeout(Duration::from_secs(20)) == Err(RecvTimeoutError::Timeout);
    assert!(!timeout, "deadlock");
    thread.join().unwrap();
}
