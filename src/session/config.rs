//! How a session is configured, as data.

use std::time::Duration;

use crate::cache::ClientCacheConfig;
use crate::map::EvictionPolicy;

/// What of a [`Session`](crate::Session) is data: all but the base configuration and the listener.
///
/// With the feature `serde`, a part of a service's configuration file, whose durations are as people write them. What is
/// left out has its default; what is not known is an error.
///
/// ```
/// use std::time::Duration;
/// use aws_client_cache::{EvictionPolicy, SdkConfig, Session, SessionConfig};
///
/// # #[cfg(feature = "serde")]
/// # fn example(sdk_config: &SdkConfig) -> Result<(), serde_json::Error> {
/// let config: SessionConfig = serde_json::from_str(r#"{ "policy": "LFU", "max_size": 200, "scope_idle_timeout": "5m" }"#)?;
/// assert_eq!(config.scope_idle_timeout, Duration::from_secs(300));
/// let session = Session::builder(sdk_config).config(config).build();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct SessionConfig {
    /// As [`SessionBuilder::policy`](crate::SessionBuilder::policy): `"LRU"` or `"LFU"`. The default is LRU.
    pub policy: EvictionPolicy,
    /// As [`SessionBuilder::max_size`](crate::SessionBuilder::max_size). The default is 10.
    pub max_size: usize,
    /// As [`SessionBuilder::scope_idle_timeout`](crate::SessionBuilder::scope_idle_timeout): `"15m"`, which is the default, or `"1h 30s"`.
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub scope_idle_timeout: Duration,
    /// As [`SessionBuilder::retry_partitions`](crate::SessionBuilder::retry_partitions). The default is `true`.
    pub retry_partitions: bool,
    /// As [`SessionBuilder::max_concurrent_loads`](crate::SessionBuilder::max_concurrent_loads). The default is 8.
    pub max_concurrent_loads: usize,
}

impl Default for SessionConfig {
    /// LRU and 10, 15 minutes, own budgets of retries, and 8 at a time.
    fn default() -> Self {
        let ClientCacheConfig { policy, max_size } = ClientCacheConfig::default();
        Self {
            policy,
            max_size,
            scope_idle_timeout: Duration::from_mins(15),
            retry_partitions: true,
            max_concurrent_loads: 8,
        }
    }
}
