//! What can go wrong.

use aws_types::region::Region;

use crate::key::AnyKey;
use crate::map::UnknownEvictionPolicy;

/// Why an operation was refused. Nothing has changed then, and no message holds a secret (K4).
///
/// ```
/// use aws_client_cache::{ClientCache, ClientCacheError, ClientParams, S3};
///
/// let cache = ClientCache::default();
/// let key = ClientParams::<S3>::builder().region("us-west-2").build()?.key();
/// let error = cache.try_get(&key).unwrap_err();
/// assert!(matches!(error, ClientCacheError::NotFound { .. }));
/// assert_eq!(error.to_string(), "no client is cached under S3(region=us-west-2)");
/// # Ok::<(), ClientCacheError>(())
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientCacheError {
    /// The key to insert is present, and what it holds is not replaced (D3).
    #[error("a client is cached already under {key}")]
    #[non_exhaustive]
    AlreadyExists {
        /// The key.
        key: AnyKey,
    },
    /// The key is absent (D4, D6).
    #[error("no client is cached under {key}")]
    #[non_exhaustive]
    NotFound {
        /// The key.
        key: AnyKey,
    },
    /// There is no entry to pop (D6).
    #[error("the cache is empty")]
    Empty,
    /// The client to insert is for another region than its key (K6).
    #[error("a client for {} cannot be cached under {key}", found.as_ref().escape_debug())]
    #[non_exhaustive]
    ClientMismatch {
        /// The key.
        key: AnyKey,
        /// The client's region.
        found: Region,
    },
    /// A parameter is not valid (K5, K7).
    #[error("invalid {parameter}: {reason}")]
    #[non_exhaustive]
    InvalidParams {
        /// The parameter's name, as it is set.
        parameter: &'static str,
        /// What is wrong with it, without its value.
        reason: String,
    },
    /// A name is not one of an eviction policy.
    #[error(transparent)]
    UnknownEvictionPolicy(#[from] UnknownEvictionPolicy),
}

impl ClientCacheError {
    pub(crate) fn invalid(parameter: &'static str, reason: impl Into<String>) -> Self {
        Self::InvalidParams { parameter, reason: reason.into() }
    }
}
