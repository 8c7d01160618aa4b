//! [`Stats`], the counters of a cache.

use std::fmt;

/// A consistent snapshot of a cache's counters, which only grow.
///
/// [`ClientCache::stats`](crate::ClientCache::stats) returns it. At the time of the snapshot, the length of the cache is
/// `insertions - evictions - expirations - removals`.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{ClientCache, ClientParams, S3, Stats};
/// # use aws_client_cache::SdkConfig;
///
/// # async fn example(base: &SdkConfig) -> Result<(), aws_client_cache::ClientCacheError> {
/// let cache = ClientCache::default();
/// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
/// for _ in 0..4 {
///     let create = || params.client(base);
///     cache.get_or_try_insert_with(&params.key(), create).await?;
/// }
/// let stats: Stats = cache.stats();
/// assert_eq!((stats.hits, stats.misses, stats.creations), (3, 1, 1));
/// assert_eq!(stats.hit_ratio(), Some(0.75));
/// for (name, count) in stats.counters() {
///     println!("{name}: {count}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
#[non_exhaustive]
pub struct Stats {
    /// Lookups that found a client.
    ///
    /// The lookups of `get` and `try_get` count, and the first lookup of `get_or_try_insert_with`.
    // O1
    pub hits: u64,
    /// Lookups that found none, because the key was absent or had expired.
    // O1
    pub misses: u64,
    /// Clients that were inserted, by `insert` or by a creation.
    ///
    /// This includes the clients that are evicted at once at a `max_size` of 0.
    // O2
    pub insertions: u64,
    /// Clients that were evicted, because another one was inserted or `max_size` was lowered.
    // O2
    pub evictions: u64,
    /// Clients that were removed because the static credentials of their key had expired.
    // O2
    pub expirations: u64,
    /// Clients that were removed, popped, drained or cleared.
    // O2
    pub removals: u64,
    /// Creations that succeeded, whether or not the client was stored.
    // O3
    pub creations: u64,
    /// Creations that failed with an error.
    ///
    /// A creation that is dropped is not counted. One that panics is counted only if it is shared, as those of a
    /// [`Session`](crate::Session) are.
    // O3
    pub failures: u64,
}

impl Stats {
    /// Returns the ratio of hits to lookups, from 0 to 1, or `None` if there were no lookups.
    ///
    /// [`Stats`] shows an example.
    #[expect(clippy::cast_precision_loss, reason = "a ratio needs at most 52 bits")]
    pub fn hit_ratio(&self) -> Option<f64> {
        let lookups = self.hits as f64 + self.misses as f64;
        (lookups > 0.0).then(|| self.hits as f64 / lookups)
    }

    /// Returns the counters with their names, in the order of the fields, for export.
    ///
    /// [`Stats`] shows an example.
    pub fn counters(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let Self { hits, misses, insertions, evictions, expirations, removals, creations, failures } = *self;
        let counters = [
            ("hits", hits),
            ("misses", misses),
            ("insertions", insertions),
            ("evictions", evictions),
            ("expirations", expirations),
            ("removals", removals),
            ("creations", creations),
            ("failures", failures),
        ];
        counters.into_iter()
    }
}

/// Writes all counters in one line.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hits, misses, insertions, evictions, expirations, removals, creations, failures } = self;
        write!(f, "{hits} hits, {misses} misses")?;
        if let Some(ratio) = self.hit_ratio() {
            write!(f, " ({:.1} % hits)", 100.0 * ratio)?;
        }
        write!(f, ", {insertions} insertions, {evictions} evictions, {expirations} expirations, {removals} removals")?;
        write!(f, ", {creations} creations, {failures} failures")
    }
}
