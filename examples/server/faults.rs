//! What goes wrong on purpose, as a test asks for it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What goes wrong, from now on, on a server; a clone is of the same server. At first nothing does.
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
}

impl Faults {
    /// Nobody may assume this role: 403, `AccessDenied`.
    pub fn refuse_role(&self, role: &str) {
        self.state().refused.insert(role.to_owned());
    }

    /// Everybody may assume this role again.
    pub fn allow_role(&self, role: &str) {
        self.state().refused.remove(role);
    }

    /// The next `calls` of `AssumeRole` for this role are answered 500, `InternalFailure`, which the SDK tries again.
    pub fn fail_assume_role(&self, role: &str, calls: usize) {
        self.state().failing.insert(role.to_owned(), calls);
    }

    /// How long every call of `AssumeRole` takes, at least.
    pub fn delay_assume_role(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// How long issued keys last, whatever the call asks for; with `None`, as long as it asks for.
    pub fn keys_last(&self, lasting: Option<Duration>) {
        self.state().lasting = lasting;
    }

    /// The next connections are closed as soon as they are accepted.
    pub fn cut_connections(&self, connections: usize) {
        self.state().connections = connections;
    }

    /// The next requests get no answer, and their connections are closed.
    pub fn cut_requests(&self, requests: usize) {
        self.state().requests = requests;
    }

    pub(super) fn refuses(&self, role: &str) -> bool {
        self.state().refused.contains(role)
    }

    pub(super) fn fails(&self, role: &str) -> bool {
        self.state().failing.get_mut(role).is_some_and(one_less)
    }

    pub(super) fn latency(&self) -> Duration {
        self.state().latency
    }

    pub(super) fn lasting(&self) -> Option<Duration> {
        self.state().lasting
    }

    pub(super) fn cuts_connection(&self) -> bool {
        one_less(&mut self.state().connections)
    }

    pub(super) fn cuts_request(&self) -> bool {
        one_less(&mut self.state().requests)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there was one left to take.
fn one_less(left: &mut usize) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}
