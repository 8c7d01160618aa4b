//! A clock that tests set.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use aws_client_cache::TimeSource;

/// The seconds since the epoch. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    pub fn at(seconds: u64) -> Self {
        let clock = Self::default();
        clock.set(seconds);
        clock
    }

    pub fn set(&self, seconds: u64) {
        self.0.store(seconds, Relaxed);
    }

    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Relaxed);
    }

    pub fn seconds(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Returns the time this number of seconds after the epoch.
pub fn time(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        time(self.seconds())
    }
}
