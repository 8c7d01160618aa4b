//! Replays keys on the map, and counts the hits.

use std::collections::HashSet;

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::{EvictingMap, GetOrInsert};

/// The result of one size.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) size: usize,
    /// The number of hits, by policy, in the order of [`EvictionPolicy::ALL`].
    pub(crate) hits: Vec<usize>,
    requests: usize,
}

impl Row {
    /// Returns the hit ratios in percent, by policy.
    #[expect(clippy::cast_precision_loss, reason = "a file has far fewer lines than 2^53")]
    pub(crate) fn percent(&self) -> impl Iterator<Item = f64> {
        self.hits.iter().map(|hits| 100.0 * *hits as f64 / self.requests as f64)
    }
}

pub(crate) fn count_distinct(keys: &[&str]) -> usize {
    keys.iter().collect::<HashSet<_>>().len()
}

/// Replays `keys` under every policy and size, each time on an empty map.
pub(crate) fn hit_ratios(keys: &[&str], sizes: &[usize]) -> Vec<Row> {
    let row = |&size| {
        let hits = EvictionPolicy::ALL.iter().map(|policy| count_hits(keys, *policy, size)).collect();
        Row { size, hits, requests: keys.len() }
    };
    sizes.iter().map(row).collect()
}

fn count_hits(keys: &[&str], policy: EvictionPolicy, size: usize) -> usize {
    let mut map = EvictingMap::new(policy, size);
    // A program would create the client in the closure.
    keys.iter().filter(|key| matches!(map.get_or_insert_with(**key, || ()), GetOrInsert::Present(()))).count()
}
