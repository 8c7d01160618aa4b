//! How a test that would hang fails instead.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Runs a test that a held lock would hang, and fails instead.
pub fn without_deadlock(test: impl FnOnce() + Send + 'static) {
    let (done, finished) = channel();
    let thread = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    // If the test panics, the channel is closed, and `join` passes the panic on.
    let timeout = finished.recv_timeout(Duration::from_secs(20)) == Err(RecvTimeoutError::Timeout);
    assert!(!timeout, "deadlock");
    thread.join().unwrap();
}
