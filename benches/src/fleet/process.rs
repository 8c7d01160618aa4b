//! A model of the session of one process: which clients it creates, and when it calls `AssumeRole`.

use std::time::Duration;

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::EvictingMap;
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use super::traffic::Request;

/// The settings of a session that the model knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The eviction policy of clients.
    pub policy: EvictionPolicy,
    /// The maximum number of clients, and of idle scopes.
    pub max_size: usize,
    /// The lifetime of a role's credentials.
    pub session_length: Duration,
    /// The advisory refresh window, or `None` for the default.
    pub advisory_window: Option<Duration>,
}

impl Settings {
    /// The default of the session: the time for which a scope without a client is kept.
    const IDLE_TIMEOUT: u64 = 15 * 60 * 1_000;

    /// Returns the milliseconds for which loaded credentials serve before they are loaded anew.
    ///
    /// They depend on the jitter of the scope, between 0 and 1.
    // T8
    fn serves_for(&self, jitter: f64) -> u64 {
        const MANDATORY_WINDOW: Duration = Duration::from_mins(1);
        let length = self.session_length;
        let default = match length {
            length if length <= Duration::from_mins(20) => Duration::from_mins(5),
            length if length < Duration::from_mins(90) => Duration::from_mins(15),
            _ => Duration::from_hours(1),
        };
        let advisory = self.advisory_window.unwrap_or(default).min(length / 2);
        let advisory = advisory.saturating_sub((advisory / 2).mul_f64(jitter)).max(MANDATORY_WINDOW.min(length / 4));
        length.saturating_sub(advisory).as_millis() as u64
    }
}

/// The counts of a process, or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of `AssumeRole`.
    pub assume_roles: u64,
    /// Created clients.
    pub clients: u64,
    /// Evicted clients.
    pub evictions: u64,
}

impl Counts {
    /// Adds the counts of another process.
    pub fn add(&mut self, other: Self) {
        self.assume_roles += other.assume_roles;
        self.clients += other.clients;
        self.evictions += other.evictions;
    }
}

/// The credentials of a tenant.
#[derive(Clone, Copy, Debug)]
struct Scope {
    serves_for: u64,
    /// The time from which a request loads credentials.
    refresh_at: u64,
}

impl Scope {
    /// Returns `true` if a request at this time loads credentials.
    fn load(&mut self, now: u64) -> bool {
        let is_due = self.refresh_at <= now;
        if is_due {
            self.refresh_at = now + self.serves_for;
        }
        is_due
    }
}

/// The model of a session.
///
/// Requests follow each other: each has received its client and its credentials before the next one arrives. AWS refuses no
/// role. The clients are in the crate's own map; the idle scopes are too, as in the session.
#[derive(Debug)]
pub struct Process {
    settings: Settings,
    clients: EvictingMap<u32, Scope>,
    /// The scopes without a client, with the time since when.
    idle: EvictingMap<u32, (Scope, u64)>,
    /// The source of jitter.
    rng: Xoshiro256PlusPlus,
    /// The jitter of all scopes, unless it is random.
    jitter: Option<f64>,
    counts: Counts,
}

impl Process {
    /// Creates a process without clients.
    pub fn new(settings: Settings, rng: Xoshiro256PlusPlus) -> Self {
        let clients = EvictingMap::new(settings.policy, settings.max_size);
        let idle = EvictingMap::new(EvictionPolicy::Lru, settings.max_size);
        Self { settings, clients, idle, rng, jitter: None, counts: Counts::default() }
    }

    /// Gives all scopes the same jitter, between 0 and 1.
    #[must_use]
    pub fn with_jitter(mut self, jitter: f64) -> Self {
        self.jitter = Some(jitter);
        self
    }

    /// Returns the counts.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Serves a request; returns `true` if it called `AssumeRole`.
    pub fn serve(&mut self, Request { at: now, tenant }: Request) -> bool {
        let is_load = match self.clients.get_mut(&tenant) {
            Some(scope) => scope.load(now),
            None => self.serve_missing(tenant, now),
        };
        self.counts.assume_roles += u64::from(is_load);
        is_load
    }

    fn serve_missing(&mut self, tenant: u32, now: u64) -> bool {
        self.purge(now);
        let kept = self.idle.remove(&tenant);
        let mut scope = kept.map_or_else(|| self.new_scope(), |(scope, _)| scope);
        let is_load = scope.load(now);
        self.counts.clients += 1;
        let evicted = self.clients.insert(tenant, scope).expect("the client is missing");
        if let Some((victim, scope)) = evicted {
            self.counts.evictions += 1;
            // The key is absent: a tenant has a client or an idle scope. The scope that is idle for longest may be dropped.
            let _dropped = self.idle.insert(victim, (scope, now)).expect("its client was active");
        }
        is_load
    }

    fn new_scope(&mut self) -> Scope {
        let jitter = self.jitter.unwrap_or_else(|| self.rng.random());
        Scope { serves_for: self.settings.serves_for(jitter), refresh_at: 0 }
    }

    fn purge(&mut self, now: u64) {
        while let Some((_, (_, since))) = self.idle.peek_next_victim() {
            if now - since < Settings::IDLE_TIMEOUT {
                break;
            }
            self.idle.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    const SETTINGS: Settings = Settings {
        policy: EvictionPolicy::Lru,
        max_size: 2,
        session_length: Duration::from_hours(1),
        advisory_window: None,
    };

    /// Serves requests at minutes, and returns the counts of loads, clients and evictions.
    fn counts(settings: Settings, requests: &[(u64, u32)]) -> [u64; 3] {
        let mut process = Process::new(settings, Xoshiro256PlusPlus::seed_from_u64(7)).with_jitter(0.0);
        for (minute, tenant) in requests {
            process.serve(Request { at: minute * 60_000, tenant: *tenant });
        }
        let Counts { assume_roles, clients, evictions } = process.counts();
        [assume_roles, clients, evictions]
    }

    #[test]
    fn credentials_serve_until_the_advisory_window() {
        assert_eq!(counts(SETTINGS, &[(0, 1), (44, 1)]), [1, 1, 0]);
        assert_eq!(counts(SETTINGS, &[(0, 1), (45, 1), (89, 1), (90, 1)]), [3, 1, 0]);
        let short = Settings { session_length: Duration::from_mins(15), ..SETTINGS };
        assert_eq!(counts(short, &[(0, 1), (9, 1), (10, 1)]), [2, 1, 0]);
        assert_eq!(SETTINGS.serves_for(1.0), (52 * 60 + 30) * 1_000);
        assert_eq!(short.serves_for(1.0), (12 * 60 + 30) * 1_000);
        let exact = Settings { advisory_window: Some(Duration::from_mins(1)), ..SETTINGS };
        assert_eq!([exact.serves_for(0.0), exact.serves_for(1.0)], [59 * 60 * 1_000; 2]);
    }

    #[test]
    fn an_idle_scope_keeps_its_credentials_for_a_while() {
        assert_eq!(counts(SETTINGS, &[(0, 1), (1, 2), (2, 3), (3, 1)]), [3, 4, 2]);
        assert_eq!(counts(SETTINGS, &[(0, 1), (1, 2), (2, 3), (16, 1)]), [3, 4, 2]);
        assert_eq!(counts(SETTINGS, &[(0, 1), (1, 2), (2, 3), (17, 1)]), [4, 4, 2]);
    }

    #[test]
    fn at_most_max_size_scopes_are_idle() {
        assert_eq!(counts(SETTINGS, &[(0, 1), (0, 2), (0, 3), (0, 4), (0, 1)]), [4, 5, 3]);
        assert_eq!(counts(SETTINGS, &[(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (0, 1)]), [6, 6, 4]);
    }
}
