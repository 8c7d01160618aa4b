//! Which entry goes first.

use std::fmt;
use std::str::FromStr;

/// Which entry a full cache evicts to make room for a newcomer.
///
/// Both policies are strict: there is one order of all entries, and it is always the first that goes. Their
/// rules are L1 and F1 of the specification.
///
/// ```
/// use aws_client_cache::EvictionPolicy;
///
/// let policy: EvictionPolicy = "LFU".parse()?;
/// assert_eq!(policy, EvictionPolicy::Lfu);
/// assert_eq!(policy.to_string(), "LFU");
/// # Ok::<(), aws_client_cache::UnknownEvictionPolicy>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "UPPERCASE"))]
#[non_exhaustive]
pub enum EvictionPolicy {
    /// Least recently used: the entry whose last insertion or hit is longest ago goes first.
    #[default]
    Lru,
    /// Least frequently used: the entry with the fewest uses goes first, and of several with equally few the
    /// one whose last use is longest ago. Insertion is the first use, and every hit is one more.
    Lfu,
}

impl fmt::Display for EvictionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Lru => "LRU",
            Self::Lfu => "LFU",
        })
    }
}

impl FromStr for EvictionPolicy {
    type Err = UnknownEvictionPolicy;

    /// Reads `"LRU"` or `"LFU"`, case-sensitively.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "LRU" => Ok(Self::Lru),
            "LFU" => Ok(Self::Lfu),
            _ => Err(UnknownEvictionPolicy { name: name.into() }),
        }
    }
}

/// The error of reading an [`EvictionPolicy`] from a name that is none.
///
/// ```
/// use aws_client_cache::EvictionPolicy;
///
/// let error = "FIFO".parse::<EvictionPolicy>().unwrap_err();
/// assert_eq!(error.to_string(), r#"unknown eviction policy "FIFO": expected "LRU" or "LFU""#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(r#"unknown eviction policy {name:?}: expected "LRU" or "LFU""#)]
pub struct UnknownEvictionPolicy {
    name: String,
}
