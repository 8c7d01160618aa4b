//! Which keys expire, and what time it is.

/// The keys that expire, and the clock (E1, E5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Expiry<K> {
    /// E1: the keys that expire, each once, and when; for life.
    keys: Vec<(K, u64)>,
    /// E5: what the clock said when it was last turned.
    now: u64,
}

impl<K> Expiry<K> {
    /// No key expires, and it is the beginning of time.
    pub(crate) const fn new() -> Self {
        Self { keys: Vec::new(), now: 0 }
    }

    /// Whether any key expires.
    pub(crate) fn occurs(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The keys that expire, and when.
    pub(crate) fn keys(&self) -> &[(K, u64)] {
        &self.keys
    }

    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    /// E5: turns the clock, forth or back.
    pub(crate) fn set_time(&mut self, now: u64) {
        self.now = now;
    }
}

impl<K: Eq> Expiry<K> {
    /// E1: `key` expires at this time, and at no other.
    #[must_use]
    pub(crate) fn with(mut self, key: K, at: u64) -> Self {
        self.keys.retain(|(present, _)| *present != key);
        self.keys.push((key, at));
        self
    }

    /// E1: when a key expires, if it does. Equal keys are asked for alike.
    pub(crate) fn of(&self, key: &K) -> Option<u64> {
        self.keys.iter().find_map(|(expiring, at)| (expiring == key).then_some(*at))
    }

    /// E5: whether a key is expired: from the moment of its expiry on.
    pub(crate) fn is_past(&self, key: &K) -> bool {
        self.of(key).is_some_and(|at| self.now >= at)
    }
}

/// The calls that tell a model or a dict what expires, as they are written in Rust, with a key as `key` writes it.
pub(crate) fn calls<K>(expiry: &[(K, u64)], key: impl Fn(&K) -> String) -> String {
    let calls = expiry.iter().map(|(expiring, at)| format!(".with_expiry({}, {at})", key(expiring)));
    calls.collect::<Vec<_>>().concat()
}

/// The times that tell cache and model apart, if some do, where these keys expire: the beginning, and of each expiry the last
/// moment before it, the moment itself and the first one after it. None if nothing expires.
pub(crate) fn times(expiry: &[(u8, u64)]) -> Vec<u64> {
    let around = |at: u64| [0, at.saturating_sub(1), at, at.saturating_add(1)];
    let mut times: Vec<_> = expiry.iter().flat_map(|(_, at)| around(*at)).collect();
    times.sort_unstable();
    times.dedup();
    times
}
