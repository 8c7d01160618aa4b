//! The keys that expire, and the clock.

/// The keys that expire, and the clock (E1, E5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Expiry<K> {
    // E1.
    /// The keys that expire, each once, with their times; fixed for life.
    keys: Vec<(K, u64)>,
    // E5.
    /// The time to which the clock was last set.
    now: u64,
}

impl<K> Expiry<K> {
    /// Creates a clock at time 0, with no key that expires.
    pub(crate) const fn new() -> Self {
        Self { keys: Vec::new(), now: 0 }
    }

    /// Returns `true` if any key expires.
    pub(crate) fn occurs(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Returns the keys that expire, with their times.
    pub(crate) fn keys(&self) -> &[(K, u64)] {
        &self.keys
    }

    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    // E5.
    /// Sets the clock, forward or back.
    pub(crate) fn set_time(&mut self, now: u64) {
        self.now = now;
    }
}

impl<K: Eq> Expiry<K> {
    // E1.
    /// Makes `key` expire at this time, and at no other.
    #[must_use]
    pub(crate) fn with(mut self, key: K, at: u64) -> Self {
        self.keys.retain(|(present, _)| *present != key);
        self.keys.push((key, at));
        self
    }

    // E1.
    /// Returns the expiry of a key, if it has one. Equal keys have equal expiries.
    pub(crate) fn of(&self, key: &K) -> Option<u64> {
        self.keys.iter().find_map(|(expiring, at)| (expiring == key).then_some(*at))
    }

    // E5.
    /// Returns `true` if a key is expired, from the moment of its expiry on.
    pub(crate) fn is_past(&self, key: &K) -> bool {
        self.of(key).is_some_and(|at| self.now >= at)
    }
}

/// Returns the calls that set up the expiry of a model or a dict, as Rust code with keys from `key`.
pub(crate) fn calls<K>(expiry: &[(K, u64)], key: impl Fn(&K) -> String) -> String {
    let calls = expiry.iter().map(|(expiring, at)| format!(".with_expiry({}, {at})", key(expiring)));
    calls.collect::<Vec<_>>().concat()
}

/// Returns the times that can distinguish cache and model, where these keys expire.
///
/// They are time 0 and, for each expiry, the last moment before it, the moment itself and the first moment after it.
/// There are none if nothing expires.
pub(crate) fn times(expiry: &[(u8, u64)]) -> Vec<u64> {
    let around = |at: u64| [0, at.saturating_sub(1), at, at.saturating_add(1)];
    let mut times: Vec<_> = expiry.iter().flat_map(|(_, at)| around(*at)).collect();
    times.sort_unstable();
    times.dedup();
    times
}
