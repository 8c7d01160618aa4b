//! The log of a server's requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The requests of a server so far. Clones show the same server.
#[derive(Clone, Debug, Default)]
pub struct RequestLog(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    requests: Vec<Request>,
    assume_role_calls: Vec<AssumeRoleCall>,
    assume_role: Level,
    connections: Level,
}

/// A count with its maximum and its total.
#[derive(Debug, Default)]
struct Level {
    now: usize,
    most: usize,
    ever: usize,
}

impl Level {
    fn rise(&mut self) {
        self.now += 1;
        self.ever += 1;
        self.most = self.most.max(self.now);
    }
}

/// An accepted S3 request: it was signed, and its bucket did not belong to another caller.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// The ARN of the role whose keys have signed it, or else the access key.
    pub asked_by: String,
    /// The name of the bucket. `None` for a request without a bucket, such as a list of buckets.
    pub bucket: Option<String>,
    /// The key of the object. `None` for a request about a bucket.
    pub key: Option<String>,
}

/// A call that assumes a role, signed with known keys or by a token, accepted or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumeRoleCall {
    /// The ARN of the role whose keys have signed it, or else the access key.
    ///
    /// Empty if the call is not signed.
    pub asked_by: String,
    /// The fields of the form, such as `RoleArn` and `RoleSessionName`.
    pub form: BTreeMap<String, String>,
}

impl AssumeRoleCall {
    /// Returns the ARN of the requested role.
    pub fn role(&self) -> &str {
        self.form.get("RoleArn").map(String::as_str).unwrap_or_default()
    }
}

impl RequestLog {
    /// Returns the accepted S3 requests, in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.log().requests.clone()
    }

    /// Returns the number of accepted S3 requests.
    pub fn request_count(&self) -> usize {
        self.log().requests.len()
    }

    /// Returns the calls of `AssumeRole`, including retries, in the order of arrival.
    pub fn assume_role_calls(&self) -> Vec<AssumeRoleCall> {
        self.log().assume_role_calls.clone()
    }

    /// Returns the number of calls of `AssumeRole`.
    pub fn assume_role_count(&self) -> usize {
        self.log().assume_role_calls.len()
    }

    /// Returns the number of calls of `AssumeRole` for a role.
    pub fn assume_role_count_of(&self, role: &str) -> usize {
        self.log().assume_role_calls.iter().filter(|call| call.role() == role).count()
    }

    /// Returns the greatest number of calls of `AssumeRole` in flight at once.
    pub fn most_assume_roles_at_once(&self) -> usize {
        self.log().assume_role.most
    }

    /// Returns the number of TCP connections that were accepted.
    pub fn connections_opened(&self) -> usize {
        self.log().connections.ever
    }

    /// Returns the number of open TCP connections.
    ///
    /// A connection that its client has closed counts until the server notices.
    pub fn connections_held(&self) -> usize {
        self.log().connections.now
    }

    pub(crate) fn accepted(&self, request: Request) {
        self.log().requests.push(request);
    }

    pub(crate) fn assume_role(&self, call: AssumeRoleCall) -> Passing {
        self.log().assume_role_calls.push(call);
        self.rise(|log| &mut log.assume_role)
    }

    pub(crate) fn connection(&self) -> Passing {
        self.rise(|log| &mut log.connections)
    }

    fn rise(&self, level: fn(&mut Log) -> &mut Level) -> Passing {
        level(&mut self.log()).rise();
        Passing { seen: self.clone(), level }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guard that keeps a call or a connection counted until it is dropped, even if the client gives up.
#[derive(Debug)]
#[must_use]
pub(crate) struct Passing {
    seen: RequestLog,
    level: fn(&mut Log) -> &mut Level,
}

impl Drop for Passing {
    fn drop(&mut self) {
        (self.level)(&mut self.seen.log()).now -= 1;
    }
}
