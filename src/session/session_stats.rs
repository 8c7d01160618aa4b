//! [`SessionStats`], and the [`LoadCounters`] behind it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use crate::cache::Stats;

/// The counters of a session's cache and credentials, and the number of its scopes.
///
/// [`Session::stats`](crate::Session::stats) returns it. The counters only grow. Those of the cache are consistent with each
/// other; the others may be a moment apart.
///
/// # Examples
///
/// ```
/// # use aws_client_cache::Session;
/// # fn example(session: &Session) {
/// let stats = session.stats();
/// if stats.failed_loads > 0 {
///     println!("{} of {} loads failed", stats.failed_loads, stats.loads);
/// }
/// println!("{stats}");
/// # }
/// ```
// O5
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
#[non_exhaustive]
pub struct SessionStats {
    /// The counters of the cache of clients.
    pub cache: Stats,
    /// The number of credential scopes in use by clients, except that of the base configuration.
    pub active_scopes: usize,
    /// The number of credential scopes that are kept without a client.
    pub idle_scopes: usize,
    /// Loads of credentials that have ended, refreshes included.
    pub loads: u64,
    /// Loads that failed or timed out.
    pub failed_loads: u64,
    /// Requests that failed at once, with the error of the last load, because its backoff was not over.
    pub backoff_answers: u64,
    /// Requests that used the held credentials although the last refresh failed.
    pub held_answers: u64,
    /// Calls of [`invalidate_credentials`](crate::Session::invalidate_credentials) and of
    /// [`revoke`](crate::Session::revoke), and of their variants for roles.
    pub invalidations: u64,
    /// Credentials that were dropped because AWS refused them as expired.
    pub expired_tokens: u64,
    /// The earliest expiry of the credentials that are held, or `None` if none of them expires.
    pub next_expiry: Option<SystemTime>,
}

impl SessionStats {
    /// Returns the counters with their names, those of the cache first, for export.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::Session;
    /// fn export(session: &Session) {
    ///     let stats = session.stats();
    ///     for (name, count) in stats.counters() {
    ///         println!("aws_clients_{name}_total {count}");
    ///     }
    ///     println!("aws_clients_active_scopes {}", stats.active_scopes);
    /// }
    /// ```
    pub fn counters(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let Self { loads, failed_loads, backoff_answers, held_answers, invalidations, expired_tokens, .. } = *self;
        let counters = [
            ("loads", loads),
            ("failed_loads", failed_loads),
            ("backoff_answers", backoff_answers),
            ("held_answers", held_answers),
            ("invalidations", invalidations),
            ("expired_tokens", expired_tokens),
        ];
        self.cache.counters().chain(counters)
    }
}

/// Writes all counters in one line, without the expiry.
impl fmt::Display for SessionStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cache, active_scopes, idle_scopes, loads, failed_loads, backoff_answers, held_answers, .. } = self;
        let Self { invalidations, expired_tokens, .. } = self;
        write!(f, "{cache}; {active_scopes} active scopes, {idle_scopes} idle scopes, {loads} loads")?;
        write!(f, ", {failed_loads} failed loads, {backoff_answers} backoff answers, {held_answers} held answers")?;
        write!(f, ", {invalidations} invalidations, {expired_tokens} expired tokens")
    }
}

/// The counters that all credentials of a session share.
#[derive(Debug, Default)]
pub(super) struct LoadCounters {
    pub(super) loads: Counter,
    pub(super) failed_loads: Counter,
    pub(super) backoff_answers: Counter,
    pub(super) held_answers: Counter,
    pub(super) invalidations: Counter,
    pub(super) expired_tokens: Counter,
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn increment(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
