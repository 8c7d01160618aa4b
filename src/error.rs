//! What can go wrong.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use aws_types::region::Region;

use crate::key::AnyKey;
use crate::map::ParseEvictionPolicyError;

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
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientCacheError {
    /// The key to insert is present, and what it holds is not replaced (D3).
    #[non_exhaustive]
    AlreadyExists {
        /// The key.
        key: AnyKey,
    },
    /// The key is absent (D4, D6).
    #[non_exhaustive]
    NotFound {
        /// The key.
        key: AnyKey,
    },
    /// There is no entry to pop (D6).
    Empty,
    /// The client to insert is for another region than its key (K6).
    #[non_exhaustive]
    ClientMismatch {
        /// The key.
        key: AnyKey,
        /// The client's region.
        found: Region,
    },
    /// The key's static credentials have expired (E2, E3).
    #[non_exhaustive]
    CredentialsExpired {
        /// The key.
        key: AnyKey,
    },
    /// What was to make the client failed (S5).
    #[non_exhaustive]
    CreationFailed {
        /// The key.
        key: AnyKey,
        /// Why: one error, shared by all who waited. It is the caller's own, so what it shows is up to the caller.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// A parameter is not valid (K5, K7).
    #[non_exhaustive]
    InvalidParams {
        /// The parameter's name, as it is set.
        parameter: &'static str,
        /// What is wrong with it, without its value.
        reason: String,
    },
    /// A name is not one of an eviction policy.
    InvalidEvictionPolicy(ParseEvictionPolicyError),
}

impl ClientCacheError {
    pub(crate) fn invalid(parameter: &'static str, reason: impl Into<String>) -> Self {
        Self::InvalidParams { parameter, reason: reason.into() }
    }
}

impl fmt::Display for ClientCacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyExists { key } => write!(f, "a client is cached already under {key}"),
            Self::NotFound { key } => write!(f, "no client is cached under {key}"),
            Self::Empty => f.write_str("the cache is empty"),
            Self::ClientMismatch { key, found } => {
                write!(f, "a client for {} cannot be cached under {key}", found.as_ref().escape_debug())
            }
            Self::CredentialsExpired { key } => write!(f, "the credentials of {key} have expired"),
            Self::CreationFailed { key, source: _ } => write!(f, "no client could be made for {key}"),
            Self::InvalidParams { parameter, reason } => write!(f, "invalid {parameter}: {reason}"),
            Self::InvalidEvictionPolicy(unknown) => unknown.fmt(f),
        }
    }
}

impl Error for ClientCacheError {
    /// The error of a creation itself, and not the `Arc` around it, so that it can be downcast.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::CreationFailed { source, .. } => Some(&**source),
            _ => None,
        }
    }
}

impl From<ParseEvictionPolicyError> for ClientCacheError {
    fn from(unknown: ParseEvictionPolicyError) -> Self {
        Self::InvalidEvictionPolicy(unknown)
    }
}
