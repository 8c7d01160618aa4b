//! What has happened to a cache, in numbers.

use std::fmt;

/// What has happened to a cache since it was made, in numbers that only grow: a snapshot of one moment, as
/// [`ClientCache::stats`](crate::ClientCache::stats) takes it.
///
/// `insertions - evictions - expirations - removals` is the cache's length at that moment (O2).
///
/// ```
/// use aws_client_cache::{ClientCache, ClientParams, S3, Stats};
/// # use aws_client_cache::SdkConfig;
///
/// # async fn example(sdk_config: &SdkConfig) -> Result<(), aws_client_cache::ClientCacheError> {
/// let cache = ClientCache::default();
/// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
/// for _ in 0..4 {
///     cache.get_or_try_insert_with(&params.key(), || params.client(sdk_config)).await?;
/// }
/// let stats: Stats = cache.stats();
/// assert_eq!((stats.hits, stats.misses, stats.creations), (3, 1, 1));
/// assert_eq!(stats.hit_ratio(), Some(0.75));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
#[non_exhaustive]
pub struct Stats {
    /// Look-ups that found a client: by `get`, by `try_get`, and the first one of each creation (O1).
    pub hits: u64,
    /// Look-ups that did not, because the key was absent, or had expired (O1).
    pub misses: u64,
    /// Clients that came, by `insert` or by a creation; at `max_size` 0, too, where they leave at once (O2).
    pub insertions: u64,
    /// Clients that left to make room: because another one came, or `max_size` was lowered (O2).
    pub evictions: u64,
    /// Clients that left because the static credentials of their key had expired (O2).
    pub expirations: u64,
    /// Clients that were removed, popped, drained or cleared (O2).
    pub removals: u64,
    /// Clients that creations have made, stored or not (O3).
    pub creations: u64,
    /// Creations that ended with an error; not those that were given up, or panicked (O3).
    pub failures: u64,
}

impl Stats {
    /// How many of the look-ups were hits, from 0 to 1; `None` if there were none.
    ///
    /// The type shows an example.
    #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 52 bits")]
    pub fn hit_ratio(&self) -> Option<f64> {
        let look_ups = self.hits as f64 + self.misses as f64;
        (look_ups > 0.0).then(|| self.hits as f64 / look_ups)
    }
}

/// All of it in one line.
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
