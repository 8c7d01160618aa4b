//! The times of loads: the [`Windows`] of held credentials, and the [`Backoff`] after failures.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

/// The settings of a session by which it loads credentials anew.
#[derive(Clone, Copy, Debug)]
pub(super) struct RefreshSettings {
    /// `None` selects the window by the lifetime of the credentials.
    pub(super) advisory_window: Option<Duration>,
    pub(super) mandatory_window: Duration,
    /// The time after a failed refresh in the advisory window, which the jitter doubles at most.
    pub(super) refresh_backoff: Duration,
    /// The time after a first failed load, which later ones double.
    pub(super) load_backoff: Duration,
    pub(super) max_load_backoff: Duration,
}

/// The time after which credentials without an expiry are loaded anew.
///
/// It is the default of the SDK's identity caches.
const RELOADED_AFTER: Duration = Duration::from_mins(15);

/// A random part of a duration, so that scopes that were loaded together are not refreshed together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jitter(f64);

impl Jitter {
    /// Returns a random jitter.
    pub(super) fn random() -> Self {
        let random = RandomState::new().build_hasher().finish();
        // The upper half of the bits, which a float can represent.
        Self(f64::from(u32::try_from(random >> 32).unwrap_or_default()) / f64::from(u32::MAX))
    }

    /// Returns a random duration of at most `duration`.
    fn of(self, duration: Duration) -> Duration {
        Duration::try_from_secs_f64(duration.as_secs_f64() * self.0).unwrap_or(duration)
    }
}

/// The times that divide the lifetime of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    /// The start of the advisory window, in which one caller refreshes and all others go on.
    advisory: SystemTime,
    /// The start of the mandatory window, in which all callers wait, or `None` without an expiry.
    mandatory: Option<SystemTime>,
    expiry: Option<SystemTime>,
}

/// The age of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    Fresh,
    Advisory,
    Mandatory,
    Expired,
}

impl Windows {
    /// Returns the windows of credentials that were loaded at `now`.
    ///
    /// Short lifetimes shorten the windows, so that a load is always worth something.
    // T8
    pub(super) fn new(settings: &RefreshSettings, jitter: Jitter, now: SystemTime, expiry: Option<SystemTime>) -> Self {
        let before = |end: SystemTime, duration| end.checked_sub(duration).unwrap_or(SystemTime::UNIX_EPOCH);
        let Some(expiry) = expiry else {
            return Self { advisory: now.checked_add(RELOADED_AFTER).unwrap_or(now), mandatory: None, expiry: None };
        };
        let lifetime = expiry.duration_since(now).unwrap_or_default();
        let mandatory = settings.mandatory_window.min(lifetime / 4);
        let advisory = settings.advisory_window.unwrap_or_else(|| advisory_window(lifetime)).min(lifetime / 2);
        let advisory = advisory.saturating_sub(jitter.of(advisory / 2)).max(mandatory);
        Self { advisory: before(expiry, advisory), mandatory: Some(before(expiry, mandatory)), expiry: Some(expiry) }
    }

    pub(super) fn age(&self, now: SystemTime) -> Age {
        let is_past = |time: Option<SystemTime>| time.is_some_and(|time| time <= now);
        if is_past(self.expiry) {
            Age::Expired
        } else if is_past(self.mandatory) {
            Age::Mandatory
        } else if is_past(Some(self.advisory)) {
            Age::Advisory
        } else {
            Age::Fresh
        }
    }
}

/// Returns the advisory window that all AWS SDKs use for a lifetime.
fn advisory_window(lifetime: Duration) -> Duration {
    if lifetime <= Duration::from_mins(20) {
        Duration::from_mins(5)
    } else if lifetime < Duration::from_mins(90) {
        Duration::from_mins(15)
    } else {
        Duration::from_hours(1)
    }
}

/// The pause after failed loads, in which no load is tried.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    since: Option<SystemTime>,
    delay: Duration,
}

impl Backoff {
    /// Doubles the delay after a failed load.
    // T9
    pub(super) fn fail(&mut self, settings: &RefreshSettings, now: SystemTime) {
        let delay =
            2_u32.checked_pow(self.failures).map_or(Duration::MAX, |times| settings.load_backoff.saturating_mul(times));
        self.delay =
            if settings.load_backoff.is_zero() { Duration::ZERO } else { delay.min(settings.max_load_backoff) };
        self.failures = self.failures.saturating_add(1);
        self.since = Some(now);
    }

    /// Sets the delay after a failed refresh in the advisory window.
    pub(super) fn fail_refresh(&mut self, settings: &RefreshSettings, jitter: Jitter, now: SystemTime) {
        self.delay = settings.refresh_backoff.saturating_add(jitter.of(settings.refresh_backoff));
        self.since = Some(now);
    }

    /// Returns this backoff, or a new one if this one ended longer ago than the maximum backoff.
    pub(super) fn or_new(self, settings: &RefreshSettings, now: SystemTime) -> Self {
        let quiet = self.delay.saturating_add(settings.max_load_backoff);
        let is_over = |since| now.duration_since(since).is_ok_and(|passed| passed > quiet);
        if self.since.is_some_and(is_over) { Self::default() } else { self }
    }

    /// Returns `true` if it is too early to load.
    ///
    /// If the clock was turned back, the time since the failure is unknown, and it is not too early.
    pub(super) fn is_active(&self, now: SystemTime) -> bool {
        self.since.and_then(|since| now.duration_since(since).ok()).is_some_and(|passed| passed < self.delay)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::session) const SETTINGS: RefreshSettings = RefreshSettings {
        advisory_window: None,
        mandatory_window: Duration::from_mins(1),
        refresh_backoff: Duration::from_mins(5),
        load_backoff: Duration::from_secs(1),
        max_load_backoff: Duration::from_mins(1),
    };

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// Returns the seconds before expiry at which the windows begin.
    fn windows(lifetime: u64, jitter: f64) -> (u64, u64) {
        let windows = Windows::new(&SETTINGS, Jitter(jitter), at(1_000), Some(at(1_000 + lifetime)));
        let before = |start: SystemTime| at(1_000 + lifetime).duration_since(start).unwrap().as_secs();
        (before(windows.advisory), before(windows.mandatory.unwrap()))
    }

    // Proves T8.
    #[test]
    fn the_advisory_window_depends_on_the_lifetime() {
        let minutes = |minutes: u64| minutes * 60;
        assert_eq!(windows(minutes(15), 0.0), (minutes(5), 60));
        assert_eq!(windows(minutes(20), 0.0), (minutes(5), 60));
        assert_eq!(windows(minutes(21), 0.0), (minutes(10) + 30, 60), "at most half of the lifetime");
        assert_eq!(windows(minutes(60), 0.0), (minutes(15), 60));
        assert_eq!(windows(minutes(90), 0.0), (minutes(45), 60), "at most half of the lifetime");
        assert_eq!(windows(minutes(720), 0.0), (minutes(60), 60));
        assert_eq!(windows(minutes(60), 1.0), (minutes(15) / 2, 60), "jitter takes up to half of it");
        assert_eq!(windows(16, 0.0), (8, 4));
        assert_eq!(windows(16, 1.0), (4, 4), "it contains the mandatory window");
        assert_eq!(windows(0, 0.5), (0, 0));
    }

    // Proves T8.
    #[test]
    fn credentials_without_an_expiry_never_become_mandatory() {
        let windows = Windows::new(&SETTINGS, Jitter(0.5), at(0), None);
        assert_eq!(windows.age(at(899)), Age::Fresh);
        assert_eq!(windows.age(at(900)), Age::Advisory);
        assert_eq!(windows.age(at(1 << 40)), Age::Advisory);
    }

    #[test]
    fn ages_follow_each_other() {
        let windows = Windows::new(&SETTINGS, Jitter(0.0), at(0), Some(at(3_600)));
        let ages = [0, 2_699, 2_700, 3_539, 3_540, 3_599, 3_600].map(|now| windows.age(at(now)));
        let expected =
            [Age::Fresh, Age::Fresh, Age::Advisory, Age::Advisory, Age::Mandatory, Age::Mandatory, Age::Expired];
        assert_eq!(ages, expected);
    }

    // Proves T9.
    #[test]
    fn the_backoff_doubles_up_to_its_maximum() {
        let mut backoff = Backoff::default();
        for delay in [1, 2, 4, 8, 16, 32, 60, 60] {
            backoff.fail(&SETTINGS, at(100));
            assert!(backoff.is_active(at(100 + delay - 1)) && !backoff.is_active(at(100 + delay)), "{delay}");
        }
        for _ in 0..100 {
            backoff.fail(&SETTINGS, at(100));
        }
        assert!(backoff.is_active(at(159)) && !backoff.is_active(at(160)));
        assert!(!backoff.is_active(at(99)), "the clock was turned back");
    }

    // Proves T9.
    #[test]
    fn a_zero_backoff_is_never_active() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            backoff.fail(&RefreshSettings { load_backoff: Duration::ZERO, ..SETTINGS }, at(100));
            assert!(!backoff.is_active(at(100)));
        }
    }

    // Proves T12.
    #[test]
    fn the_backoff_begins_anew_after_a_quiet_time() {
        let mut backoff = Backoff::default();
        for _ in 0..3 {
            backoff.fail(&SETTINGS, at(100));
        }
        for (now, delay) in [(164, 8), (165, 1)] {
            let mut next = backoff.or_new(&SETTINGS, at(now));
            next.fail(&SETTINGS, at(now));
            assert!(next.is_active(at(now + delay - 1)) && !next.is_active(at(now + delay)), "{now}");
        }
    }

    #[test]
    fn jitters_differ() {
        let jitters: Vec<f64> = (0..100).map(|_| Jitter::random().0).collect();
        assert!(jitters.iter().all(|jitter| (0.0..=1.0).contains(jitter)));
        assert!(jitters.iter().any(|jitter| *jitter < 0.5) && jitters.iter().any(|jitter| *jitter > 0.5));
    }
}
