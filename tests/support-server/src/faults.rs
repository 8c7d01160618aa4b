//! Faults that a test injects.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The faults of a server, initially none. Clones control the same server.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    refused: HashSet<String>,
    failing: HashMap<String, usize>,
    latency: Duration,
    lasting: Option<Duration>,
    connections: usize,
    requests: usize,
    refuses_checksums: bool,
}

impl Faults {
    /// Refuses this role to all callers: 403, `AccessDenied`.
    pub fn refuse_role(&self, role: &str) {
        self.state().refused.insert(role.to_owned());
    }

    /// Allows this role again.
    pub fn allow_role(&self, role: &str) {
        self.state().refused.remove(role);
    }

    /// Fails the next `calls` of `AssumeRole` for this role: 500, `InternalFailure`, which the SDK retries.
    pub fn fail_assume_role(&self, role: &str, calls: usize) {
        self.state().failing.insert(role.to_owned(), calls);
    }

    /// Sets the minimum duration of every call of `AssumeRole`.
    pub fn delay_assume_role(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// Sets the lifetime of issued keys; `None` uses the one that the call requests.
    pub fn keys_last(&self, lasting: Option<Duration>) {
        self.state().lasting = lasting;
    }

    /// Closes the next connections as soon as they are accepted.
    pub fn cut_connections(&self, connections: usize) {
        self.state().connections = connections;
    }

    /// Closes the connections of the next requests without an answer.
    pub fn cut_requests(&self, requests: usize) {
        self.state().requests = requests;
    }

    /// Refuses S3 requests that have a checksum or request one, as some stores do: 400, `InvalidArgument`.
    pub fn refuse_checksums(&self) {
        self.state().refuses_checksums = true;
    }

    pub(crate) fn refuses(&self, role: &str) -> bool {
        self.state().refused.contains(role)
    }

    pub(crate) fn fails(&self, role: &str) -> bool {
        self.state().failing.get_mut(role).is_some_and(one_less)
    }

    pub(crate) fn latency(&self) -> Duration {
        self.state().latency
    }

    pub(crate) fn lasting(&self) -> Option<Duration> {
        self.state().lasting
    }

    pub(crate) fn refuses_checksums(&self) -> bool {
        self.state().refuses_checksums
    }

    pub(crate) fn cuts_connection(&self) -> bool {
        one_less(&mut self.state().connections)
    }

    pub(crate) fn cuts_request(&self) -> bool {
        one_less(&mut self.state().requests)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Decrements `left` and returns `true`, or returns `false` if it is 0.
fn one_less(left: &mut usize) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}
