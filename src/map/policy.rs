//! The choice of an eviction policy, and its name.

use std::fmt;
use std::str::FromStr;

/// The choice of the entry that a full cache evicts to make room for a newcomer.
///
/// Every policy is strict: all entries have one order, and the first is always
/// evicted. The names "LRU", "LFU" and "LFUDA" are parsed and printed.
///
/// # Examples
///
/// ```
/// use aws_client_cache::EvictionPolicy;
///
/// let policy: EvictionPolicy = "LFU".parse()?;
/// assert_eq!(policy, EvictionPolicy::Lfu);
/// assert_eq!(policy.to_string(), "LFU");
/// # Ok::<(), aws_client_cache::ParseEvictionPolicyError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "UPPERCASE"))]
#[non_exhaustive]
pub enum EvictionPolicy {
    /// Least recently used: evicts the entry whose last insertion or hit was
    /// longest ago.
    ///
    /// The choice for most caches: it adapts at once, and needs the least memory.
    #[default]
    Lru,
    /// Least frequently used: evicts the entry with the fewest uses, and among
    /// equals the least recently used one. An insertion is the first use.
    ///
    /// Best if the same keys stay busy. It keeps keys that were once busy, and
    /// lets two newcomers evict each other forever.
    Lfu,
    /// LFU with dynamic aging: evicts the entry with the lowest weight, and among
    /// equals the least recently used one.
    ///
    /// A weight starts at 1 above the weight of the last evicted entry, and each
    /// hit adds 1. Entries that were once busy are therefore evicted in the
    /// end. Best if some keys are busier than others, and these keys change
    /// over time.
    Lfuda,
}

impl EvictionPolicy {
    /// All policies.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::EvictionPolicy;
    ///
    /// for &policy in EvictionPolicy::ALL {
    ///     assert_eq!(policy.to_string().parse(), Ok(policy));
    /// }
    /// ```
    pub const ALL: &'static [Self] = &[Self::Lru, Self::Lfu, Self::Lfuda];

    const fn name(self) -> &'static str {
        match self {
            Self::Lru => "LRU",
            Self::Lfu => "LFU",
            Self::Lfuda => "LFUDA",
        }
    }
}

impl fmt::Display for EvictionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for EvictionPolicy {
    type Err = ParseEvictionPolicyError;

    /// Parses `"LRU"`, `"LFU"` or `"LFUDA"`, in upper or lower case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let policy = Self::ALL.iter().find(|policy| policy.name().eq_ignore_ascii_case(name));
        policy.copied().ok_or_else(|| ParseEvictionPolicyError { name: name.into() })
    }
}

/// An error returned when a string does not name an [`EvictionPolicy`].
///
/// # Examples
///
/// ```
/// use aws_client_cache::EvictionPolicy;
///
/// let error = "FIFO".parse::<EvictionPolicy>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     r#"unknown eviction policy "FIFO": expected "LRU", "LFU" or "LFUDA""#
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(r#"unknown eviction policy {name:?}: expected "LRU", "LFU" or "LFUDA""#)]
pub struct ParseEvictionPolicyError {
    name: String,
}
